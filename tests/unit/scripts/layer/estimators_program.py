"""Fit an estimator for each compiled module of scikit-learn; print their results as JSON.

`test_build.py` runs this from the layer alone, and again in the project's environment, with
as many jobs as the environment variable JOBS says.
"""

import json
import os
import sys
from io import BytesIO
from typing import Any

import numpy as np
import scipy.io
import scipy.linalg
from scipy.sparse import csr_matrix
from sklearn import (
    cluster,
    datasets,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_extraction,
    gaussian_process,
    isotonic,
    kernel_ridge,
    linear_model,
    manifold,
    metrics,
    mixture,
    neighbors,
    neural_network,
    preprocessing,
    random_projection,
    svm,
    tree,
)
from sklearn.model_selection import cross_val_score

X, y = datasets.load_iris(return_X_y=True)
sparse = csr_matrix(X)
answers: dict[str, Any] = {}


def predict(*models: Any, features: Any = X) -> None:
    """Record what models predict for the data that they were fitted on."""
    for model in models:
        answers[repr(model)] = model.fit(features, y).predict(features)


def transform(*models: Any, features: Any = X) -> None:
    """Record how models transform the data."""
    for model in models:
        made = model.fit_transform(features, y)
        # The sign of a component is arbitrary.
        answers[repr(model)] = np.abs(made.toarray() if hasattr(made, "toarray") else made)


predict(
    cluster.KMeans(3, random_state=0, algorithm="lloyd"),
    cluster.KMeans(3, random_state=0, algorithm="elkan"),
    cluster.MiniBatchKMeans(3, random_state=0, n_init=1),
    cluster.Birch(n_clusters=3),
    discriminant_analysis.LinearDiscriminantAnalysis(),
    ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=5, random_state=0),
    ensemble.RandomForestClassifier(5, random_state=0, n_jobs=2),
    ensemble.IsolationForest(n_estimators=5, random_state=0),
    gaussian_process.GaussianProcessClassifier(random_state=0),
    gaussian_process.GaussianProcessRegressor(alpha=0.1, random_state=0),
    kernel_ridge.KernelRidge(kernel="rbf"),
    linear_model.ElasticNet(alpha=0.01),
    linear_model.LinearRegression(),
    linear_model.LogisticRegression(solver="lbfgs", max_iter=500),
    linear_model.LogisticRegression(solver="newton-cholesky"),
    linear_model.LogisticRegression(solver="saga", max_iter=500, tol=0.01, random_state=0),
    linear_model.QuantileRegressor(solver="highs", alpha=0.01),
    linear_model.Ridge(solver="svd"),
    linear_model.SGDClassifier(random_state=0),
    mixture.GaussianMixture(3, random_state=0),
    neighbors.KNeighborsClassifier(algorithm="ball_tree"),
    neighbors.KNeighborsClassifier(algorithm="brute"),
    neighbors.KNeighborsClassifier(algorithm="kd_tree"),
    neighbors.RadiusNeighborsClassifier(0.8, algorithm="brute"),
    neural_network.MLPClassifier(max_iter=20, tol=1.0, random_state=0),
    svm.LinearSVC(random_state=0),
    svm.NuSVR(),
    svm.SVC(),
    tree.DecisionTreeClassifier(random_state=0),
)
predict(
    svm.SVC(kernel="linear"),
    tree.ExtraTreeClassifier(random_state=0),
    linear_model.Lasso(alpha=0.01),
    features=sparse,
)
transform(
    decomposition.FactorAnalysis(2, random_state=0),
    decomposition.LatentDirichletAllocation(2, max_iter=3, random_state=0),
    decomposition.NMF(2, init="nndsvd", solver="cd", max_iter=2000),
    decomposition.PCA(2, svd_solver="full"),
    manifold.Isomap(n_neighbors=60),
    preprocessing.PolynomialFeatures(2),
    preprocessing.QuantileTransformer(n_quantiles=50),
    preprocessing.SplineTransformer(),
    preprocessing.TargetEncoder(random_state=0),
    random_projection.GaussianRandomProjection(2, random_state=0),
)
transform(
    decomposition.TruncatedSVD(2, algorithm="arpack", random_state=0),
    preprocessing.PolynomialFeatures(3),
    preprocessing.StandardScaler(with_mean=False),
    features=sparse,
)
embedded = manifold.TSNE(random_state=0, max_iter=250).fit_transform(X)
answers["TSNE keeps neighbours"] = manifold.trustworthiness(X, embedded) > 0.9
for labels in (cluster.DBSCAN(), cluster.HDBSCAN(copy=True), cluster.AgglomerativeClustering(3)):
    answers[repr(labels)] = labels.fit_predict(X)
answers["isotonic"] = isotonic.isotonic_regression(X[:, 0])
answers["mutual information"] = metrics.adjusted_mutual_info_score(y, y[::-1])
answers["distances"] = metrics.pairwise_distances(sparse, metric="manhattan")[0]
# With more than one job this starts processes, which have to find scikit-learn as this one does.
answers["cross-validation"] = cross_val_score(svm.SVC(), X, y, n_jobs=int(os.environ["JOBS"]))
answers["hashing"] = feature_extraction.FeatureHasher(8).transform([{"a": 1, "b": 2}]).toarray()
file = BytesIO()
datasets.dump_svmlight_file(X, y, file)
file.seek(0)
answers["svmlight"] = datasets.load_svmlight_file(file)[0].toarray()[0]
# numpy's and scipy's copies of BLAS and LAPACK, at sizes for which OpenBLAS uses other kernels.
big = np.random.default_rng(0).normal(size=(400, 400))
answers["numpy"] = [np.linalg.slogdet(big)[1], np.linalg.norm(np.linalg.inv(big) @ big)]
answers["scipy"] = [*scipy.linalg.eigvalsh(big @ big.T)[-3:], *scipy.linalg.svdvals(big)[:3]]
# A C++ exception has to be unwound through the stack.
try:
    scipy.io.mmread(BytesIO(b"%%MatrixMarket matrix nonsense"))
except ValueError as exc:
    answers["C++ exception"] = type(exc).__name__

plain = {name: np.asarray(answer).tolist() for name, answer in answers.items()}
loaded = sorted(name for name in sys.modules if name.startswith("sklearn."))
json.dump({"answers": plain, "loaded": loaded}, sys.stdout)
