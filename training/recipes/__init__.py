"""The models that can be trained; each becomes a plain pipeline of scikit-learn's estimators.

`texts` counts terms, and fits the linear models of `terms` on them. `tables` encodes columns and
fits trees on them; `columns` says which columns that are.
"""
