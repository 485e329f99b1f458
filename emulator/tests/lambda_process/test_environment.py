"""What a function sees: files, variables, users and limits.

With namespaces the paths are AWS's; without them, environment variables name the same files. What
only mounts can provide is tested with namespaces only.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import RUNTIME, Function, create_function, start_localstack
from localstack_parity.lambda_process import namespace

Create = Callable[..., Function]
Layer = Callable[[Mapping[str, str]], str]

mounted = pytest.mark.skipif(
    not namespace.available(), reason="no namespaces here: bubblewrap is missing or forbidden"
)
PORT = "AWS_LAMBDA_RUNTIME_API"


def run(function: Create, expression: str, **settings: Any) -> Any:
    """Return the value of an expression in a function."""
    source = (
        "import getpass, os, pathlib, resource, subprocess, sys, tempfile\n"
        f"def handler(event, context):\n    return {expression}\n"
    )
    payload, error, log = function(source, **settings).invoke()
    assert error is None, log
    return payload


def test_the_variables_are_those_of_aws(function: Create) -> None:
    """A function sees AWS's variables and its own, which win, but none of LocalStack or the host.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    own = {"MINE": "1", "LANG": "C", "LOCALSTACK_MINE": "2"}
    made = function(
        "import os\nstart = dict(os.environ)\ndef handler(event, context):\n    return start\n",
        Environment={"Variables": own},
        MemorySize=256,
    )
    found, _, _ = made.invoke()
    host = found[PORT].removesuffix(":9001")
    assert host.startswith("127.")
    expected = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": made.localstack.url,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_NAME": made.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{made.name}",
        "AWS_REGION": "us-east-1",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{host}:2000",
        "PWD": found["LAMBDA_TASK_ROOT"],
        "PYTHONPATH": found["LAMBDA_RUNTIME_DIR"],
        "SHLVL": "0",
        "TZ": ":UTC",
        "_AWS_XRAY_DAEMON_ADDRESS": host,
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "_HANDLER": "handler.handler",
        **own,
    }
    if namespace.available():
        libraries = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib"
        expected |= {
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": "/var/task",
            "LD_LIBRARY_PATH": f"{libraries}:/var/task:/var/task/lib:/opt/lib",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        }
    secrets = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    changing = {PORT, "AWS_LAMBDA_LOG_STREAM_NAME"}
    paths = {"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "LD_LIBRARY_PATH", "PATH"}
    assert {name: found[name] for name in expected} == expected
    rest = found.keys() - expected.keys() - secrets - changing - paths
    assert rest == (set() if namespace.available() else {"TMPDIR"})


@mounted
def test_process_1_has_the_same_variables(function: Create) -> None:
    """As on AWS, process 1 has the variables that the function has."""
    found = run(
        function,
        "[dict(line.split('=', 1) for line in open('/proc/1/environ').read().split('\\0') if line),"
        " dict(os.environ)]",
        Environment={"Variables": {"MINE": "1"}},
    )
    first, own = found
    assert {**first, "_X_AMZN_TRACE_ID": own["_X_AMZN_TRACE_ID"]} == own


def test_the_locale_is_utf_8_whatever_the_host_uses(function: Create) -> None:
    """LANG is AWS's and text is UTF-8, and no variable is set that AWS does not set."""
    found = run(
        function, "[os.environ['LANG'], sys.getfilesystemencoding(), 'LC_CTYPE' in os.environ]"
    )
    assert found == ["en_US.UTF-8", "utf-8", False]


@mounted
def test_paths_are_those_of_aws(function: Create, layer: Layer) -> None:
    """Code, layers, runtime and interpreter have AWS's paths, and form the search path.

    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    arn = layer({"bin/tool": "#!/bin/sh\necho from the layer", "python/module.py": "n = 1"})
    found = run(
        function,
        "[os.getcwd(), __file__, sys.executable, sys.prefix, sys.path,"
        " __import__('module').__file__, __import__('boto3').__file__, subprocess.getoutput('tool')]",
        Layers=[arn],
    )
    cwd, file, executable, prefix, path, module, boto3, tool = found
    assert (cwd, file) == ("/var/task", "/var/task/handler.py")
    assert (executable, prefix) == (f"/var/lang/bin/{RUNTIME}", "/var/lang")
    packages = f"/opt/python/lib/{RUNTIME}/site-packages"
    assert path[:4] == ["/var/task", packages, "/opt/python", "/var/runtime"]
    assert not [entry for entry in path if not entry.startswith(("/var/", "/opt/"))]
    assert (module, tool) == ("/opt/python/module.py", "from the layer")
    assert boto3.startswith("/var/runtime/")


@mounted
def test_stack_traces_have_aws_paths(function: Create) -> None:
    """An exception's stack trace names files below /var/task."""
    payload, _, _ = function("def handler(event, context):\n    return 1 / 0\n").invoke()
    assert payload["stackTrace"] == [
        '  File "/var/task/handler.py", line 2, in handler\n    return 1 / 0\n'
    ]


@mounted
def test_only_tmp_is_writable(function: Create, layer: Layer) -> None:
    """/tmp is writable; code, layers, runtime and everything else are read-only.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    source = (
        "def handler(event, context):\n"
        "    found = {}\n"
        "    for folder in event:\n"
        "        try:\n"
        "            open(folder + '/written', 'w').close()\n"
        "            found[folder] = True\n"
        "        except OSError:\n"
        "            found[folder] = False\n"
        "    return found\n"
    )
    folders = ["/tmp", "/var/task", "/opt", "/var/runtime", "/var/lang", "/etc", "/dev", "/usr", ""]
    payload, _, _ = function(source, Layers=[layer({"x": ""})]).invoke(folders)
    assert payload == {folder: folder == "/tmp" for folder in folders}


@mounted
def test_the_user_is_that_of_aws(function: Create) -> None:
    """Functions run as sbx_user1051, uid 993, without privileges and unable to gain any."""
    found = run(
        function,
        "[getpass.getuser(), os.getuid(), os.getgid(), os.getgroups(), subprocess.getoutput('whoami'),"
        " [l for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapPrm', 'NoNewPrivs'))]]",
    )
    assert found[:3] == ["sbx_user1051", 993, 990]
    assert set(found[3]) <= {990, 65534}
    assert found[4] == "sbx_user1051"
    assert [line.split()[1] for line in found[5]] == ["0" * 16, "0" * 16, "1"]


@mounted
@pytest.mark.skipif(not namespace.privileged(), reason="only root can show files of another user")
def test_owners_and_modes_are_those_of_aws(function: Create) -> None:
    """Files that root owns on AWS are owned by root, and have AWS's modes."""
    found = run(
        function,
        "{p: [oct(os.stat(p).st_mode), os.stat(p).st_uid, pathlib.Path(p).owner()]"
        " for p in ['/var/task', '/opt', '/tmp', '/lambda-entrypoint.sh']}",
    )
    assert found == {
        "/var/task": ["0o40755", 0, "root"],
        "/opt": ["0o40755", 0, "root"],
        "/tmp": ["0o41777", 0, "root"],
        "/lambda-entrypoint.sh": ["0o100755", 0, "root"],
    }


def test_limits_of_the_process(function: Create) -> None:
    """The process has AWS's ulimits."""
    names = ["NOFILE", "CORE", "STACK", "MEMLOCK", "AS", "NPROC"]
    found = run(
        function, f"{{n: resource.getrlimit(getattr(resource, 'RLIMIT_' + n)) for n in {names}}}"
    )
    assert found["NOFILE"] == [1024, 1024]
    assert found["CORE"] == [10737418240, 10737418240]
    assert found["STACK"] == [8388608, -1]
    assert found["MEMLOCK"] == [65536, 65536]
    assert found["AS"] == [-1, -1]
    if namespace.available():  # without namespaces it would count all processes of the user
        assert found["NPROC"] == [742, 742]


@mounted
def test_the_host_is_invisible(function: Create) -> None:
    """The host's files and processes are invisible, and there is no shared memory.

    https://aws.amazon.com/blogs/compute/parallel-processing-in-python-with-aws-lambda/
    """
    found = run(
        function,
        "[sorted(os.listdir('/')), len([p for p in os.listdir('/proc') if p.isdigit()]),"
        " os.path.exists('/dev/shm'), os.path.exists('/etc/shadow'), os.listdir('/tmp')]",
    )
    root, processes, shared, shadow, tmp = found
    assert set(root) <= {
        *("bin", "dev", "etc", "lambda-entrypoint.sh", "lib", "lib32", "lib64", "libx32"),
        *("opt", "proc", "sbin", "tmp", "usr", "var"),
    }
    assert processes < 6
    assert (shared, shadow, tmp) == (False, False, [])


@mounted
def test_tmp_has_the_size_of_the_ephemeral_storage(function: Create) -> None:
    """Writing more to /tmp than the function's ephemeral storage fails with ENOSPC.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
    """
    source = (
        "import os, errno\n"
        "def handler(event, context):\n"
        "    block = b'x' * 2 ** 20\n"
        "    with open('/tmp/much', 'wb', 0) as target:\n"
        "        for number in range(1000):\n"
        "            try:\n"
        "                if target.write(block) < len(block): return [number, 'short']\n"
        "            except OSError as exc:\n"
        "                return [number, errno.errorcode[exc.errno]]\n"
    )
    (written, error), _, _ = function(source, Timeout=30).invoke()
    assert (written, error) == (512, "ENOSPC")


def test_tmp_is_private_and_kept(function: Create) -> None:
    """Each environment has a temporary folder of its own, which outlives a killed process."""
    source = (
        "import os, pathlib, signal, tempfile\n"
        "path = pathlib.Path(tempfile.gettempdir(), 'seen')\n"
        "def handler(event, context):\n"
        "    seen = path.exists()\n"
        "    path.touch()\n"
        "    if event == 'die': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return seen\n"
    )
    first, second = function(source), function(source)
    assert first.invoke("die")[1] == "Unhandled"
    assert first.invoke()[0] is True
    assert second.invoke()[0] is False


def test_a_wrapper_starts_the_runtime(function: Create) -> None:
    """`AWS_LAMBDA_EXEC_WRAPPER` is executed with the runtime's command as its arguments.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
    """
    files = {
        "handler.py": "import os\ndef handler(event, context):\n    return os.environ['WRAPPED']\n",
        "wrapper": '#!/bin/bash\nexport WRAPPED="by $# arguments"\nexec "$@"\n',
    }
    task = "/var/task" if namespace.available() else "."
    made = function(
        files, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": f"{task}/wrapper"}}
    )
    payload, error, log = made.invoke()
    assert error is None, log
    assert payload.startswith("by ")


def test_a_missing_wrapper_ends_the_runtime(function: Create) -> None:
    """A wrapper that does not exist ends the runtime with status 127, and the log names it."""
    made = function(
        "def handler(event, context): pass\n",
        Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/no-such-wrapper"}},
    )
    payload, _, log = made.invoke()
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Runtime exited with error: exit status 127")
    assert "/var/task/no-such-wrapper: does not exist" in log


def test_a_preloaded_library_reaches_the_function_only(function: Create, tmp_path: Path) -> None:
    """The function's variables affect the function, but not the programs that start it."""
    made = function(
        "import os\ndef handler(event, context):\n    return os.environ['LD_PRELOAD']\n",
        Environment={"Variables": {"LD_PRELOAD": "/no/such/library.so"}},
    )
    payload, _, log = made.invoke()
    assert payload == "/no/such/library.so"
    # The dynamic linker complains once for each program that is started with it.
    assert log.count("/no/such/library.so") <= 1


@pytest.mark.same_without_namespaces
def test_a_lack_of_namespaces_is_logged_once(tmp_path: Path) -> None:
    """Functions run without namespaces too, and a single warning says why there are none."""
    localstack = start_localstack(tmp_path, LAMBDA_NAMESPACES="off")
    try:
        for _ in range(2):
            made = create_function(localstack, "def handler(event, context):\n    return 1\n")
            assert made.invoke()[0] == 1
    finally:
        localstack.kill()
    log = (tmp_path / "localstack.log").read_text()
    assert log.count("Functions run without namespaces: LAMBDA_NAMESPACES=off") == 1


@mounted
def test_a_user_without_privileges_gets_the_same_paths(tmp_path: Path) -> None:
    """Namespaces also work for users other than root, where the kernel allows it."""
    if not namespace.privileged():
        pytest.skip("the tests do not run as root, so every other test here shows it")
    program = (
        "import os, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from localstack_parity.lambda_process import launcher, namespace\n"
        "os.setgroups([]); os.setgid(1234); os.setuid(1234)\n"
        "space = namespace.Namespace(namespace.Mounts(Path('/usr'), None, None, None, (), 2**20), {})\n"
        "arguments = ['0', str(space.init), '0', '/var/task', '/usr/bin/id', '-un']\n"
        "if os.fork() == 0: launcher.main(arguments)\n"
        "os.wait()\n"
        "space.close()\n"
    )
    # The project's folder may be unreadable for that user, so it gets a copy.
    source = Path(namespace.__file__).parents[1]
    subprocess.run(["cp", "-r", str(source), str(tmp_path)], check=True)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "Permission denied" in result.stderr or "not permitted" in result.stderr:
        pytest.skip(f"the kernel forbids user namespaces: {result.stderr.splitlines()[-1]}")
    assert result.stdout.strip() == "sbx_user1051", result.stderr
