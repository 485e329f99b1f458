"""Parts of scipy and numpy that scikit-learn imports and hardly ever uses: run when they are used.

Of the half second that a text pipeline's imports take, `scipy.stats` takes two fifths, for what a
served model does not call. A module that is deferred is there at once, and runs at the first look
at anything in it: what it holds then is what it would have held. `importlib.util.LazyLoader` does
the same, and gains nothing here: scikit-learn takes two functions out of `scipy.stats` by name
while it is imported, and so looks. These two stand in for themselves until they are called.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, cast

_DEFERRED: dict[str, frozenset[str]] = {
    "scipy.stats": frozenset({"gmean", "rankdata"}),
    "numpy.f2py": frozenset(),
    "numpy.testing": frozenset(),
}
"""Modules, and the functions of each that may be taken out of it without a look at it."""

_lock = threading.RLock()


@contextmanager
def deferring() -> Iterator[None]:
    """Let the modules above be imported without being run; those that have run stay as they are."""
    # It stays: somebody may import a submodule of what has been deferred, at any time.
    if not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    _Finder.defers += 1
    try:
        yield
    finally:
        _Finder.defers -= 1


class _Deferred(ModuleType):
    """A module that has not run yet, or not to its end."""

    def __getattr__(self, name: str) -> Any:
        if name in _DEFERRED[self.__name__] and self not in _running:
            return _stand_in(self, name)
        if _run(self):
            return getattr(self, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}, or not yet")

    def __dir__(self) -> list[str]:
        _run(self)
        return sorted(self.__dict__)


_running: list[ModuleType] = []


def _run(module: ModuleType) -> bool:
    """Run a module, unless it has run; return False while it is running in this very thread."""
    with _lock:
        if module in _running:
            return False
        if isinstance(module, _Deferred):
            _running.append(module)
            try:
                _exec(module)
            finally:
                _running.remove(module)
    return True


def _exec(module: Any) -> None:
    module.__spec__.loader = module.__loader__
    module.__loader__.exec_module(module)
    module.__class__ = ModuleType


def _stand_in(module: ModuleType, name: str) -> Callable[..., Any]:
    def function(*arguments: Any, **keywords: Any) -> Any:
        _run(module)
        return getattr(module, name)(*arguments, **keywords)

    function.__name__ = function.__qualname__ = name
    return function


# Finders and loaders need no base class, and `importlib.abc`, which has them, takes 4 ms to import.
class _Later:
    """Puts off what another loader does."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave that to Python."""

    def exec_module(self, module: Any) -> None:
        module.__loader__ = self._loader
        module.__class__ = _Deferred


class _Existing:
    """Gives a module that is there already, instead of running it once more."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return cast("ModuleType", self._module)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _Finder:
    """Finds what is deferred, and runs it before any module inside of it is imported."""

    defers = 0

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> Any:
        parent = sys.modules.get(name.rpartition(".")[0])
        if isinstance(parent, _Deferred):
            _run(parent)
            module: Any = sys.modules.get(name)
            if module is not None:  # its package has imported it
                # Python asks the module itself for its specification, if it came to be meanwhile.
                module.__spec__ = ModuleSpec(name, cast("Any", _Existing(module)))
                return module.__spec__
        if not self.defers or name not in _DEFERRED:
            return None
        spec: Any = PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = _Later(spec.loader)
        return spec
