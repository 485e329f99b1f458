"""The layout and the environment variables of an execution environment.

`Layout` names the files of an environment on this machine, `Paths` what its function sees of them,
and `variables` what the function's process gets in its environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localstack_parity.lambda_process import processes
from localstack_parity.lambda_process.namespace import Mounts
from localstack_parity.lambda_process.runtimes import BOOTSTRAP, Runtime

# LocalStack passes these for its own container image; functions on AWS see none of them.
_INTERNAL = ("LOCALSTACK_", "EDGE_PORT", "AWS_LAMBDA_FUNCTION_TIMEOUT")


@dataclass(frozen=True)
class Layout:
    """What an execution environment consists of.

    Attributes
    ----------
    runtime : Runtime or None
        Its interpreter; None where the function brings its own program.
    code : Path
        The unpacked function.
    opt : Path or None
        The merged layers.
    directory : Path
        The environment's own folder; ``tmp`` in it is the function's temporary folder where there
        is no namespace.
    memory_bytes, tmp_bytes : int
        The function's memory size, and the size of its ``/tmp``.
    """

    runtime: Runtime | None
    code: Path
    opt: Path | None
    directory: Path
    memory_bytes: int
    tmp_bytes: int

    def mounts(self) -> Mounts:
        """Return what is mounted where in the function's namespace."""
        runtime = self.runtime
        return Mounts(
            task=self.code,
            opt=self.opt,
            lang=runtime.base if runtime else None,
            runtime=runtime.packages if runtime else None,
            packages=runtime.base_packages if runtime else (),
            tmp_bytes=self.tmp_bytes,
        )

    def entrypoint_error(self) -> str | None:
        """Return why the program of an OS-only function cannot be executed, None when it can."""
        if self.runtime:
            return None
        candidates = {
            "/var/task/bootstrap": self.code / "bootstrap",
            "/opt/bootstrap": (self.opt or self.directory / "opt") / "bootstrap",
        }
        for name, path in candidates.items():
            if path.exists():
                executable = path.stat().st_mode & 0o111
                return None if executable else f"fork/exec {name}: permission denied"
        return f"Couldn't find valid bootstrap(s): [{' '.join(candidates)}]"


@dataclass(frozen=True)
class Paths:
    """The paths of a `Layout` as the function sees them.

    Attributes
    ----------
    task, opt, runtime : str
        ``/var/task``, ``/opt`` and ``/var/runtime``, or the folders themselves where nothing is
        mounted.
    lang : str
        ``/var/lang``, or the folder of the runtime's virtual environment.
    python : str
        The interpreter; empty where the function brings its own program.
    tmp : str or None
        The temporary folder where it is not ``/tmp``.
    """

    task: str
    opt: str
    runtime: str
    lang: str
    python: str
    tmp: str | None

    @classmethod
    def of(cls, layout: Layout, mounted: bool) -> "Paths":
        """Return the paths with real mounts, or without."""
        runtime = layout.runtime
        if mounted:
            python = f"/var/lang/bin/{runtime.name}" if runtime else ""
            return cls("/var/task", "/opt", "/var/runtime", "/var/lang", python, None)
        return cls(
            task=str(layout.code),
            opt=str(layout.opt or layout.directory / "opt"),
            runtime=str(runtime.packages) if runtime else "/var/runtime",
            lang=str(runtime.interpreter.parent.parent) if runtime else "",
            python=str(runtime.interpreter) if runtime else "",
            tmp=str(layout.directory / "tmp"),
        )


def variables(
    given: Mapping[str, object],
    own: Mapping[str, str],
    runtime: Runtime | None,
    paths: Paths,
    api_address: str,
) -> dict[str, str]:
    """Return the environment variables of a function process: AWS's, and the function's own.

    They contain nothing from LocalStack's environment and nothing that LocalStack uses internally.
    The names are those of
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, and the values are
    those that a function finds on AWS.

    Parameters
    ----------
    given : mapping
        The variables that LocalStack passes for the environment.
    own : mapping
        The function's own variables, which win.
    runtime : Runtime or None
        The interpreter; None where the function brings its own program.
    paths : Paths
        The paths that the function sees.
    api_address : str
        ``host:port`` of the Runtime API.
    """
    host = api_address.partition(":")[0]
    system = ["/usr/local/bin", "/usr/bin/", "/bin", f"{paths.opt}/bin"]
    libraries = ["/lib64", "/usr/lib64", paths.runtime, f"{paths.runtime}/lib"]
    libraries += [paths.task, f"{paths.task}/lib", f"{paths.opt}/lib"]
    result = {name: str(value) for name, value in given.items() if not name.startswith(_INTERNAL)}
    result.update(
        {
            "AWS_XRAY_DAEMON_ADDRESS": f"{host}:2000",
            "_AWS_XRAY_DAEMON_ADDRESS": host,
            "LAMBDA_TASK_ROOT": paths.task,
            "LAMBDA_RUNTIME_DIR": paths.runtime,
            "LANG": "en_US.UTF-8",
            "PATH": ":".join([f"{paths.lang}/bin", *system] if runtime else system),
            "LD_LIBRARY_PATH": ":".join(
                [f"{paths.lang}/lib", *libraries] if runtime else libraries
            ),
            "PWD": paths.task,
            "SHLVL": "0",
        }
    )
    if level := result.get("AWS_LAMBDA_LOG_LEVEL"):
        result["AWS_LAMBDA_LOG_LEVEL"] = level.upper()
    if paths.tmp:
        result["TMPDIR"] = paths.tmp
    if runtime:
        result["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{runtime.name}"
    else:  # "not defined for OS-only runtimes"
        result.pop("AWS_EXECUTION_ENV", None)
    result.update(own)
    result[processes.MARKER] = api_address
    return result


def command(layout: Layout, paths: Paths, wrapper: str | None) -> list[str]:
    """Return what the process executes: the runtime, or the wrapper with the runtime's command.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper

    Parameters
    ----------
    layout, paths : Layout, Paths
        The execution environment.
    wrapper : str or None
        The program that the function names as its wrapper.
    """
    if layout.runtime is None:
        in_task = (layout.code / "bootstrap").exists()
        return [f"{paths.task if in_task else paths.opt}/bootstrap"]
    runtime = [paths.python, f"{paths.runtime}/{BOOTSTRAP.name}", paths.opt]
    return [wrapper, *runtime] if wrapper else runtime
