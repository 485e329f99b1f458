"""Become the function's process: join its namespaces, set its limits and its user, execute.

LocalStack's own interpreter runs this as a file (``python -I -S``). Its environment contains only
the marker that identifies the process: the function's own variables, such as ``LD_PRELOAD``, have
no effect before the last step. Arguments::

    launcher.py DESCRIPTOR NAMESPACE PRIVILEGED DIRECTORY COMMAND [ARGUMENT…]

`DESCRIPTOR` is open for reading and contains the environment, in the form of
``/proc/<pid>/environ``. `NAMESPACE` is a process whose namespaces are joined, 0 for none.
`PRIVILEGED` is 1 if root made them, without a user namespace.
"""

import ctypes
import os
import resource
import signal
import sys

UID, GID = 993, 990
"""The user and group of functions on AWS, as a function sees them there."""

_UNLIMITED = resource.RLIM_INFINITY
_LIMITS = {
    resource.RLIMIT_NOFILE: (1024, 1024),
    resource.RLIMIT_CORE: (10 * 1024**3, 10 * 1024**3),
    resource.RLIMIT_STACK: (8 * 1024**2, _UNLIMITED),
    resource.RLIMIT_MEMLOCK: (64 * 1024, 64 * 1024),
}
# Counted over all processes of a user, so it only makes sense where that user runs nothing else.
_PROCESSES = (742, 742)
_NO_NEW_PRIVILEGES, _DIE_WITH_PARENT = 38, 1  # linux/prctl.h


def main(arguments: "list[str]") -> None:
    """Replace this process, or a child of it, with the command."""
    descriptor, namespace, privileged, directory, *command = arguments
    with open(int(descriptor), "rb") as source:
        block = source.read()
    environment = dict(entry.split(b"=", 1) for entry in block.split(b"\0") if entry)
    if namespace != "0":
        _enter(int(namespace), privileged == "1")
        child = os.fork()  # Only children of a process that joins a PID namespace are in it.
        if child:
            _follow(child)
    libc = ctypes.CDLL(None)
    _set_limits(namespace != "0")
    if privileged == "1":
        os.setgroups([])
        os.setgid(GID)
        os.setuid(UID)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if namespace != "0":
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    os.chdir(directory)
    try:
        os.execve(command[0], command, environment)
    except FileNotFoundError:
        _give_up(f"{command[0]}: does not exist", 127)
    except OSError as exc:
        _give_up(f"{command[0]}: {exc.strerror}", 126)


def _enter(process: int, privileged: bool) -> None:
    descriptor = os.pidfd_open(process)
    spaces = os.CLONE_NEWNS | os.CLONE_NEWPID
    os.setns(descriptor, spaces if privileged else spaces | os.CLONE_NEWUSER)
    os.close(descriptor)


def _follow(child: int) -> None:
    """Wait for the child, and end the way it did."""
    for standard in (1, 2):
        os.close(standard)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # This process did not crash.
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def _set_limits(own_user: bool) -> None:
    wanted = {**_LIMITS, **({resource.RLIMIT_NPROC: _PROCESSES} if own_user else {})}
    for kind, (soft, hard) in wanted.items():
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):  # The host's hard limit is lower, and cannot be raised.
            ceiling = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (soft if soft < ceiling else ceiling, ceiling))


def _give_up(message: str, status: int) -> None:
    os.write(1, f"{message}\n".encode())
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
