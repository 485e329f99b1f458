"""One process of a function.

The execution environment around it, which LocalStack creates and stops, outlives it: after a crash
or a timeout the same environment starts the next process, with ``/tmp`` kept, as on AWS.
"""

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from localstack_parity.lambda_process import launcher, memory, namespace, processes
from localstack_parity.lambda_process.environment import Layout, Paths, command
from localstack_parity.lambda_process.memory import MemoryWatch
from localstack_parity.lambda_process.namespace import Namespace
from localstack_parity.lambda_process.output import Output, now
from localstack_parity.lambda_process.runtime_api import RuntimeApi
from localstack_parity.lambda_process.watchdog import Watchdog

_WATCHDOG = Watchdog()
_MEMORY = MemoryWatch()


class FunctionProcess:
    """A running function process with its Runtime API and its output.

    Parameters
    ----------
    layout : Layout
        The execution environment that it belongs to.
    space : Namespace or None
        The namespace that it runs in.
    api : RuntimeApi
        The Runtime API that it polls; closed together with the process.
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
        Whether it was killed because it exceeded its memory size.
    """

    def __init__(
        self,
        layout: Layout,
        space: Namespace | None,
        api: RuntimeApi,
        block: Mapping[str, str],
        wrapper: str | None,
    ) -> None:
        self._layout = layout
        self._space = space
        self._stopped = threading.Lock()
        self._inner: int | None = None
        self.out_of_memory = False
        self.api = api
        self.started_at_ms = now()
        self.started = time.monotonic()
        paths = Paths.of(layout, mounted=space is not None)
        if paths.tmp:
            Path(paths.tmp).mkdir(parents=True, exist_ok=True)
        # Registered before it is started: a process that exists is always one that will be ended.
        _WATCHDOG.register(self.api.address, layout.directory)
        reading, writing = os.pipe()
        self.output = Output(reading)
        try:
            self._process = self._launch(
                command(layout, paths, wrapper), block, paths.task, writing
            )
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
        # An anonymous file: a pipe could be too small for the environment.
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
        """Drain the pipe until the process ends, then close the Runtime API."""
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
        return self._layout.entrypoint_error()

    def begin_work(self) -> None:
        """Hold the process tree to its memory size from now on."""
        _MEMORY.begin(self, self._tree, self._layout.memory_bytes, self._exceed)

    def end_work(self) -> int:
        """Stop checking the memory; return the peak since the start, in bytes.

        The kernel knows the peak of the function's own process, even if it fell between two checks.
        """
        seen = _MEMORY.end(self)
        peak = max(seen, memory.peak_bytes(self._function_pid()))
        if peak > self._layout.memory_bytes and not self.out_of_memory:
            self._exceed()
        return peak

    def _exceed(self) -> None:
        self.out_of_memory = True
        self.end_processes()

    def _function_pid(self) -> int:
        """Return the function's own process: in a namespace, the only child of the launcher."""
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
        """Kill the process and everything it started; the namespace and its ``/tmp`` remain."""
        if self._space is not None:
            processes.kill_tree(self._tree)
        else:
            processes.kill_all([self.api.address])
        if (
            self._process.poll() is None
        ):  # It changed its environment block, so the marker missed it.
            self._process.kill()

    def kill(self) -> None:
        """End the process and everything it started; safe to call twice and from any thread."""
        with self._stopped:
            self.end_processes()
            self._monitor.join()
            _WATCHDOG.forget(self.api.address)

    def close(self) -> None:
        """Kill the process and close its output; nothing can be read after that."""
        self.kill()
        _MEMORY.end(self)
        self.output.close()
