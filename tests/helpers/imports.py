"""The imports of a source file, read from its syntax tree."""

import ast
from collections.abc import Iterator
from pathlib import Path

from scripts.lib.project import ROOT


def imports(path: Path, *, at_run_time: bool = False) -> Iterator[str]:
    """Yield the full name of every module that a file imports, at any level.

    Parameters
    ----------
    path : Path
        The file.
    at_run_time : bool
        Whether to leave out imports that only type checkers see.
    """
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if at_run_time and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending.extend(node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                # A module of a package, or something in a module.
                module = f"{node.module}.{alias.name}"
                is_module = (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
                yield module if is_module else node.module or ""
        else:
            pending.extend(ast.iter_child_nodes(node))


def needed_files(handler: str) -> set[str]:
    """Return the files of `sklearn_api` and `handlers` that a handler needs when it runs.

    Parameters
    ----------
    handler : str
        Path of its file, relative to the project's folder.
    """
    needed: set[str] = set()
    pending = [handler]
    while pending:
        file = pending.pop()
        if file in needed:
            continue
        needed.add(file)
        for name in imports(ROOT / file, at_run_time=True):
            parts = name.split(".")
            if parts[0] != "sklearn_api":
                continue
            packages = ["/".join(parts[:length]) for length in range(1, len(parts))]
            pending += [f"{package}/__init__.py" for package in packages]
            pending.append(f"{'/'.join(parts)}.py")
    return needed
