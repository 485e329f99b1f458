"""AWS's paths as real mounts, in namespaces made by bubblewrap.

A `Namespace` holds the file system and the process table of one execution environment. It outlives
the function's process, so that ``/tmp`` survives when that process is replaced. Its process 1 waits
for the end of its standard input, which comes when LocalStack closes it or dies; every other
process in the namespace ends with it. Process 1 has the function's user and variables, as on AWS.

Root needs no user namespace: functions run under AWS's own user id, and files that belong to root
appear to. Other users get a user namespace that contains only AWS's user id. Where neither is
allowed, functions run without namespaces, and `available` logs why.
"""

import contextlib
import functools
import logging
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from localstack_parity.lambda_process import memory
from localstack_parity.lambda_process.launcher import GID, UID

LOG = logging.getLogger(__name__)
_FILES = Path(__file__).with_name("files")
# Waits for the end of its input, and reaps the orphans that have become its children.
_KEEPER = ("/bin/sh", "-c", "exec 3<&0; /bin/cat <&3 & wait")
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_DEVICES = ("null", "zero", "full", "random", "urandom")
# What programs need to find libraries, hosts and certificates; nothing private.
_ETC = (
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
)


@dataclass(frozen=True)
class Mounts:
    """What is mounted where in an execution environment.

    Attributes
    ----------
    task : Path
        The unpacked function, at ``/var/task``.
    opt : Path or None
        The merged layers, at ``/opt``.
    lang : Path or None
        Installation of the function's Python, at ``/var/lang``; None for ``provided.*``.
    runtime : Path or None
        AWS's runtime client and boto3, at ``/var/runtime``.
    packages : sequence of str
        Folders below `lang` that contain the host's own packages, and are hidden.
    tmp_bytes : int
        Size of ``/tmp``.
    """

    task: Path
    opt: Path | None
    lang: Path | None
    runtime: Path | None
    packages: tuple[str, ...]
    tmp_bytes: int


class Namespace:
    """The namespaces of one execution environment.

    Parameters
    ----------
    mounts : Mounts
        What is mounted where.
    variables : mapping
        The environment of process 1.
    """

    def __init__(self, mounts: Mounts, variables: Mapping[str, str]) -> None:
        reading, writing = os.pipe()
        # Passed in an anonymous file: variables may be secret, and command lines are public.
        options = os.memfd_create("bubblewrap")
        try:
            with open(options, "wb", closefd=False) as target:
                target.write("\0".join(_arguments(mounts, variables)).encode())
            os.lseek(options, 0, os.SEEK_SET)
            self._holder = subprocess.Popen(
                [*_bubblewrap(), "--args", str(options), "--info-fd", str(writing), *_keeper()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                pass_fds=[writing, options],
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
            os.close(options)
        assert self._holder.stdin
        assert self._holder.stdout
        assert self._holder.stderr
        try:
            with os.fdopen(reading) as source:
                self._holder.stdin.write(b"\n")
                self._holder.stdin.flush()
                ready = self._holder.stdout.read(1)  # The reply means that all mounts exist.
                found = re.search(r'"child-pid": (\d+)', source.read())
            if not ready or not found:
                raise BrokenPipeError
        except BrokenPipeError:
            os.set_blocking(
                self._holder.stderr.fileno(), False
            )  # Another process may have it open.
            reason = (self._holder.stderr.read() or b"").decode(errors="replace").strip()
            self.close()
            raise RuntimeError(f"bubblewrap cannot make namespaces: {reason}") from None
        self.init = int(found[1])
        """Process 1 of the namespace, as this machine numbers it."""
        self._own = memory.descendants([self.init])

    def processes(self) -> set[int]:
        """Return the processes in the namespace whose parents have ended."""
        return memory.descendants([self.init]) - self._own

    def close(self) -> None:
        """End every process in the namespace."""
        for pipe in (self._holder.stdin, self._holder.stdout, self._holder.stderr):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:  # It has ended with a byte for it still in the buffer.
                    continue
        # The kernel kills a namespace's processes when its process 1 ends. That one is a child of
        # bubblewrap, which may not have reported it yet; left alone it would wait forever.
        for pid in memory.descendants([self._holder.pid]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._holder.wait()


def privileged() -> bool:
    """Return whether root makes the namespaces, so that functions run as another real user."""
    return os.geteuid() == 0


@functools.cache
def available() -> bool:
    """Return whether namespaces can be made here; if not, the reason is logged once."""
    if os.environ.get("LAMBDA_NAMESPACES", "on") == "off":
        reason = "LAMBDA_NAMESPACES=off"
    elif not shutil.which("bwrap"):
        reason = "bubblewrap is not installed (Debian, Fedora and others: the package `bubblewrap`)"
    else:
        try:
            Namespace(Mounts(Path("/usr"), None, None, None, (), 2**20), {}).close()
        except (RuntimeError, OSError) as exc:
            reason = str(exc)
        else:
            return True
    LOG.warning(
        "Functions run without namespaces: %s. Instead of /var/task, /opt and /tmp they use the "
        "paths in their environment variables, and they run as LocalStack's own user.",
        reason,
    )
    return False


def _bubblewrap() -> Iterator[str]:
    program = shutil.which("bwrap")
    if not program:
        raise RuntimeError("bubblewrap is no longer installed")
    yield program
    yield from ("--unshare-pid", "--as-pid-1", "--new-session")
    if privileged():
        yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    else:
        yield from ("--unshare-user", "--uid", str(UID), "--gid", str(GID))


def _keeper() -> Iterator[str]:
    yield "--"
    if privileged():
        yield from ("/usr/bin/setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups")
        yield from ("--inh-caps=-all", "--no-new-privs", "--")
    yield from _KEEPER


def _arguments(mounts: Mounts, variables: Mapping[str, str]) -> Iterator[str]:
    yield from ("--clearenv", "--chdir", "/var/task")
    for name, value in variables.items():
        yield from ("--setenv", name, value)
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    yield from ("--ro-bind", "/usr", "/usr", "--proc", "/proc")
    for folder in ("/etc", "/var", "/dev", "/opt"):
        yield from ("--perms", "0755", "--dir", folder)
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for name in ("passwd", "group"):
        yield from ("--ro-bind", str(_FILES / name), f"/etc/{name}")
    yield from ("--ro-bind", str(_FILES / "lambda-entrypoint.sh"), "/lambda-entrypoint.sh")
    # As on AWS there is no /dev/shm, and therefore no multiprocessing.Queue.
    for name in _DEVICES:
        yield from ("--dev-bind", f"/dev/{name}", f"/dev/{name}")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        yield from ("--symlink", f"/proc/self/fd/{number}", f"/dev/{name}")
    yield from ("--symlink", "/proc/self/fd", "/dev/fd")
    yield from ("--ro-bind", str(mounts.task), "/var/task")
    if mounts.opt:
        yield from ("--ro-bind", str(mounts.opt), "/opt")
    if mounts.lang:
        yield from ("--ro-bind", str(mounts.lang), "/var/lang")
        for folder in mounts.packages:
            yield from ("--perms", "0755", "--tmpfs", f"/var/lang/{folder}")
            yield from ("--remount-ro", f"/var/lang/{folder}")
    if mounts.runtime:
        yield from ("--ro-bind", str(mounts.runtime), "/var/runtime")
    yield from ("--perms", "1777", "--size", str(mounts.tmp_bytes), "--tmpfs", "/tmp")
    yield from ("--remount-ro", "/")
