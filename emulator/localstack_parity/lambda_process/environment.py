"""The variables and the process of a function, in one execution environment.

`FunctionProcess` is the life of one process. The execution environment around it, which LocalStack
creates and stops, outlives it: after a crash or a timeout the same environment starts the next
process, with ``/tmp`` kept, as on AWS.
"""

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localstack_parity.lambda_process import launcher, memory, namespace, processes
from localstack_parity.lambda_process.memory import MemoryWatch
from localstack_parity.lambda_process.namespace import Mounts, Namespace
from localstack_parity.lambda_process.output import Output, now
from localstack_parity.lambda_process.runtime_api import RuntimeApi
from localstack_parity.lambda_process.runtimes import BOOTSTRAP, Runtime
from localstack_parity.lambda_process.watchdog import Watchdog

# What LocalStack hands over for its own container image; functions on AWS see none of it.
_INTERNAL = ("LOCALSTACK_", "EDGE_PORT", "AWS_LAMBDA_FUNCTION_TIMEOUT")
_WATCHDOG = Watchdog()
_MEMORY = MemoryWatch()


@dataclass(frozen=True)
class Place:
    """Where a function runs.

    Attributes
    ----------
    runtime : Runtime or None
        Its interpreter; None where it brings its own program.
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
        """Return what is where in the function's namespace."""
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
class View:
    """The paths of a `Place` as the function sees them.

    Attributes
    ----------
    task, opt, runtime : str
        ``/var/task``, ``/opt`` and ``/var/runtime``, or where those really are.
    lang : str
        ``/var/lang``, or the folder of the runtime's virtual environment.
    python : str
        Interpreter.
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
    def of(cls, place: Place, mounted: bool) -> "View":
        """Return the view with real mounts, or without."""
        runtime = place.runtime
        if mounted:
            python = f"/var/lang/bin/{runtime.name}" if runtime else ""
            return cls("/var/task", "/opt", "/var/runtime", "/var/lang", python, None)
        return cls(
            task=str(place.code),
            opt=str(place.opt or place.directory / "opt"),
            runtime=str(runtime.packages) if runtime else "/var/runtime",
            lang=str(runtime.interpreter.parent.parent) if runtime else "",
            python=str(runtime.interpreter) if runtime else "",
            tmp=str(place.directory / "tmp"),
        )


def variables(
    given: Mapping[str, object],
    own: Mapping[str, str],
    runtime: Runtime | None,
    view: View,
    api_address: str,
) -> dict[str, str]:
    """Return the environment variables of a function process: AWS's, and the function's own.

    Nothing of LocalStack's environment is in it, and none of what it uses internally. The names are
    those of https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, the values
    those that a function finds on AWS.

    Parameters
    ----------
    given : mapping
        What LocalStack hands over for the environment.
    own : mapping
        The function's own variables, which win.
    runtime : Runtime or None
        Its interpreter; None where it brings its own program.
    view : View
        Paths.
    api_address : str
        ``host:port`` of the Runtime API.
    """
    host = api_address.partition(":")[0]
    system = ["/usr/local/bin", "/usr/bin/", "/bin", f"{view.opt}/bin"]
    libraries = ["/lib64", "/usr/lib64", view.runtime, f"{view.runtime}/lib"]
    libraries += [view.task, f"{view.task}/lib", f"{view.opt}/lib"]
    result = {name: str(value) for name, value in given.items() if not name.startswith(_INTERNAL)}
    result.update(
        {
            "AWS_XRAY_DAEMON_ADDRESS": f"{host}:2000",
            "_AWS_XRAY_DAEMON_ADDRESS": host,
            "LAMBDA_TASK_ROOT": view.task,
            "LAMBDA_RUNTIME_DIR": view.runtime,
            "LANG": "en_US.UTF-8",
            "PATH": ":".join([f"{view.lang}/bin", *system] if runtime else system),
            "LD_LIBRARY_PATH": ":".join([f"{view.lang}/lib", *libraries] if runtime else libraries),
            "PWD": view.task,
            "SHLVL": "0",
        }
    )
    if level := result.get("AWS_LAMBDA_LOG_LEVEL"):
        result["AWS_LAMBDA_LOG_LEVEL"] = level.upper()
    if view.tmp:
        result["TMPDIR"] = view.tmp
    if runtime:
        result["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{runtime.name}"
    else:  # "not defined for OS-only runtimes"
        result.pop("AWS_EXECUTION_ENV", None)
    result.update(own)
    result[processes.MARKER] = api_address
    return result


class FunctionProcess:
    """A running function process with its Runtime API and its output.

    Parameters
    ----------
    place : Place
        Where it runs.
    space : Namespace or None
        The namespace that it runs in.
    api : RuntimeApi
        What it polls; closed with it.
    block : mapping
        Its environment variables, see `variables`.
    wrapper : str or None
        Program that is executed with the runtime's command as its arguments.

    Attributes
    ----------
    started_at_ms : int
        When it was started, in milliseconds since 1970.
    started : float
        When it was started, by the monotonic clock.
    out_of_memory : bool
        Whether it has been killed because it needed more memory than it has.
    """

    def __init__(
        self,
        place: Place,
        space: Namespace | None,
        api: RuntimeApi,
        block: Mapping[str, str],
        wrapper: str | None,
    ) -> None:
        self._place = place
        self._space = space
        self._stopped = threading.Lock()
        self._inner: int | None = None
        self.out_of_memory = False
        self.api = api
        self.started_at_ms = now()
        self.started = time.monotonic()
        view = View.of(place, mounted=space is not None)
        if view.tmp:
            Path(view.tmp).mkdir(parents=True, exist_ok=True)
        # Registered first: there is no moment at which the process exists and nobody would end it.
        _WATCHDOG.register(self.api.address, place.directory)
        reading, writing = os.pipe()
        self.output = Output(reading)
        try:
            self._process = self._launch(_command(place, view, wrapper), block, view.task, writing)
        except BaseException:
            self.output.close()
            self.api.close()
            _WATCHDOG.forget(self.api.address)
            raise
        finally:
            os.close(writing)
        self._monitor = threading.Thread(
            target=self._watch, name=f"function-{self._process.pid}", daemon=True
        )
        self._monitor.start()

    def _launch(
        self, command: list[str], block: Mapping[str, str], directory: str, output: int
    ) -> "subprocess.Popen[bytes]":
        # A file without a name: a pipe could be too small for the environment.
        environment = os.memfd_create("environment")
        try:
            with open(environment, "wb", closefd=False) as target:
                target.write("\0".join(f"{k}={v}" for k, v in block.items()).encode())
            os.lseek(environment, 0, os.SEEK_SET)
            return subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", launcher.__file__, str(environment)),
                    str(self._space.init if self._space else 0),
                    "1" if self._space and namespace.privileged() else "0",
                    directory,
                    *command,
                ],
                env={processes.MARKER: self.api.address},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[environment],
                start_new_session=True,
            )
        finally:
            os.close(environment)

    def _watch(self) -> None:
        """Empty the pipe until the process ends, then tell the Runtime API."""
        ended = os.pidfd_open(self._process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(ended, selectors.EVENT_READ)
                selector.register(self.output.descriptor, selectors.EVENT_READ)
                while True:
                    ready = {key.fd for key, _ in selector.select()}
                    if self.output.descriptor in ready and not self.output.read():
                        selector.unregister(self.output.descriptor)
                    if ended in ready:
                        break
        finally:
            os.close(ended)
        self._process.wait()
        self.api.close()

    @property
    def exit_status(self) -> int | None:
        """The process's `returncode`, None while it runs."""
        return self._process.poll()

    @property
    def entrypoint_error(self) -> str | None:
        """Why its program cannot be executed, None when it can."""
        return self._place.entrypoint_error()

    def begin_work(self) -> None:
        """Hold the process tree to its memory from now on."""
        _MEMORY.begin(self, self._tree, self._place.memory_bytes, self._exceed)

    def end_work(self) -> int:
        """Stop looking at the memory; return the most bytes that were used since the start.

        What was used and given back between two looks is known of the function's own process.
        """
        seen = _MEMORY.end(self)
        peak = max(seen, memory.peak_bytes(self._function_pid()))
        if peak > self._place.memory_bytes and not self.out_of_memory:
            self._exceed()
        return peak

    def _exceed(self) -> None:
        self.out_of_memory = True
        self.end_processes()

    def _function_pid(self) -> int:
        """Return the function's own process: with a namespace, the only child of the launcher."""
        if self._space is None:
            return self._process.pid
        if self._inner is None:
            children = memory.descendants([self._process.pid]) - {self._process.pid}
            self._inner = min(children, default=None)
        return self._inner or self._process.pid

    def _tree(self) -> set[int]:
        if self._space is None:
            return memory.descendants([self._process.pid])
        found = memory.descendants([self._process.pid]) | self._space.processes()
        return found - {self._process.pid}

    def end_processes(self) -> None:
        """Kill the process and all that it started; the namespace, and its ``/tmp``, stay."""
        if self._space is not None:
            processes.kill_tree(self._tree)
        else:
            processes.kill_all([self.api.address])
        if self._process.poll() is None:  # It changed its own environment block: still ours.
            self._process.kill()

    def kill(self) -> None:
        """End the process and all that it started; safe to call twice and from any thread."""
        with self._stopped:
            self.end_processes()
            self._monitor.join()
            _WATCHDOG.forget(self.api.address)

    def close(self) -> None:
        """Kill it and give up its output; nothing can be read after that."""
        self.kill()
        _MEMORY.end(self)
        self.output.close()


def _command(place: Place, view: View, wrapper: str | None) -> list[str]:
    """Return what is executed: the function's program, or the wrapper that it names.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
    """
    if place.runtime is None:
        inside = (place.code / "bootstrap").exists()
        return [f"{view.task if inside else view.opt}/bootstrap"]
    command = [view.python, f"{view.runtime}/{BOOTSTRAP.name}", view.opt]
    return [wrapper, *command] if wrapper else command
