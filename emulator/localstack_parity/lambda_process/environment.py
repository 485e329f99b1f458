"""One function process: started, given invocations, killed as a whole tree.

`Sandbox` is the life of one process. The execution environment around it, which LocalStack
creates and stops, outlives it: after a crash or a timeout the same environment starts the next
process, with ``/tmp`` kept, as on AWS.
"""

import os
import selectors
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localstack_parity.lambda_process import processes
from localstack_parity.lambda_process.output import Output
from localstack_parity.lambda_process.runtime_api import RuntimeApi
from localstack_parity.lambda_process.watchdog import Watchdog

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_INTERNAL = ("LOCALSTACK_",)
_WATCHDOG = Watchdog()


@dataclass(frozen=True)
class Place:
    """Where a function runs.

    Attributes
    ----------
    interpreter : Path
        Python of the function's runtime, with AWS's runtime client.
    code : Path
        The unpacked function (``/var/task`` on AWS).
    layers : sequence of Path
        The unpacked layers in the function's order (merged under ``/opt`` on AWS).
    directory : Path
        The environment's own folder; ``tmp`` in it is the function's temporary folder.
    """

    interpreter: Path
    code: Path
    layers: Sequence[Path]
    directory: Path

    @property
    def tmp(self) -> Path:
        """The function's temporary folder, kept between invocations."""
        return self.directory / "tmp"


def variables(given: Mapping[str, object], place: Place, api_address: str) -> dict[str, str]:
    """Return the environment variables of a function process.

    Nothing of LocalStack's own environment is in it, and none of what it uses internally. The
    names are AWS's: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html

    Parameters
    ----------
    given : mapping
        What LocalStack hands over for the environment, the function's own variables included.
    place : Place
        Folders to name.
    api_address : str
        ``host:port`` of the Runtime API.
    """
    # The last layer wins, and so comes first in the search paths.
    layers = [str(layer) for layer in reversed(place.layers)]
    runtime = place.interpreter.parent.parent.name
    libraries = [f"{layer}/lib" for layer in layers]
    result = {
        "LANG": "en_US.UTF-8",
        "PATH": ":".join(
            [*(f"{layer}/bin" for layer in layers), "/usr/local/bin", "/usr/bin", "/bin"]
        ),
        "LD_LIBRARY_PATH": ":".join([*libraries, str(place.code), f"{place.code}/lib"]),
        "TMPDIR": str(place.tmp),
    }
    result.update(
        (name, str(value)) for name, value in given.items() if not name.startswith(_INTERNAL)
    )
    result.update(
        {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
            "LAMBDA_TASK_ROOT": str(place.code),
            "LAMBDA_RUNTIME_DIR": str(place.interpreter.parent.parent),
            "_LAMBDA_LAYERS": os.pathsep.join(layers),
            processes.MARKER: api_address,
        }
    )
    return result


class Sandbox:
    """A running function process with its Runtime API and its output.

    Parameters
    ----------
    place : Place
        Where it runs.
    given : mapping
        Environment variables from LocalStack, see `variables`.
    """

    def __init__(self, place: Place, given: Mapping[str, object]) -> None:
        place.tmp.mkdir(parents=True, exist_ok=True)
        self._stopped = threading.Lock()
        self.api = RuntimeApi()
        self.started = time.monotonic()
        # Registered first: there is no moment at which the process exists and nobody would end it.
        _WATCHDOG.register(self.api.address, place.directory)
        reading, writing = os.pipe()
        self.output = Output(reading)
        try:
            self._process = subprocess.Popen(  # the command is ours
                [str(place.interpreter), "-u", str(_BOOTSTRAP)],
                cwd=place.code,
                env=variables(given, place, self.api.address),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
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
    def peak_memory_mb(self) -> int:
        """Peak resident memory in whole megabytes."""
        return processes.peak_memory_mb(self._process.pid)

    def kill(self) -> None:
        """End the process and all that it started; safe to call twice and from any thread."""
        with self._stopped:
            processes.kill_all([self.api.address])
            if self._process.poll() is None:  # It changed its own environment block: still ours.
                self._process.kill()
            self._monitor.join()
            _WATCHDOG.forget(self.api.address)

    def close(self) -> None:
        """Kill it and give up its output; nothing can be read after that."""
        self.kill()
        self.output.close()
