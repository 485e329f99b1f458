"""Delays the imports of scipy and numpy modules that scikit-learn imports but hardly ever uses.

The imports of a text pipeline take half a second. `scipy.stats` takes two fifths of it, although a
served model does not call it. A lazy module exists at once, but runs only when one of its
attributes is first used; from then on it is the same as if it had been imported normally.

`importlib.util.LazyLoader` does the same and gains nothing here: scikit-learn imports two functions
of `scipy.stats` by name, and that already uses them. Here, stand-ins take their place until they
are called.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, cast

_LAZY: dict[str, frozenset[str]] = {
    "scipy.stats": frozenset({"gmean", "rankdata"}),
    "numpy.f2py": frozenset(),
    "numpy.testing": frozenset(),
}
"""Modules, and for each the functions that get a stand-in when they are imported by name."""

_lock = threading.RLock()


@contextmanager
def lazy_imports() -> Iterator[None]:
    """Import the modules above without running them, except those that have already run.

    A submodule of a lazy module may be imported at any later time, so the finder is never removed.
    """
    if not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    _Finder.active += 1
    try:
        yield
    finally:
        _Finder.active -= 1


class _LazyModule(ModuleType):
    """A module that has not run yet, or not completely."""

    def __getattr__(self, name: str) -> Any:
        if name in _LAZY[self.__name__] and self not in _running:
            return _stand_in(self, name)
        if _run(self):
            return getattr(self, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}, or not yet")

    def __dir__(self) -> list[str]:
        _run(self)
        return sorted(self.__dict__)


_running: list[ModuleType] = []


def _run(module: ModuleType) -> bool:
    """Run a module unless it has run; return False while this very thread is running it."""
    with _lock:
        if module in _running:
            return False
        if isinstance(module, _LazyModule):
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


# Finders and loaders need no base class; importing the ones of `importlib.abc` takes 4 ms.
class _LazyLoader:
    """Delays what another loader does."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the creation to Python."""

    def exec_module(self, module: Any) -> None:
        module.__loader__ = self._loader
        module.__class__ = _LazyModule


class _ExistingLoader:
    """Returns a module that exists already, instead of running it again."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return cast("ModuleType", self._module)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _Finder:
    """Finds lazy modules, and runs one before any of its submodules is imported."""

    active = 0

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> Any:
        parent = sys.modules.get(name.rpartition(".")[0])
        if isinstance(parent, _LazyModule):
            _run(parent)
            module: Any = sys.modules.get(name)
            if module is not None:  # its package has imported it
                # If the module was created meanwhile, Python asks the module itself for its spec.
                module.__spec__ = ModuleSpec(name, cast("Any", _ExistingLoader(module)))
                return module.__spec__
        if not self.active or name not in _LAZY:
            return None
        spec: Any = PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = _LazyLoader(spec.loader)
        return spec
