"""serverless-offline, with this project's handler.

It emulates API Gateway and runs the function, but has no S3. The model comes from an emulator.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import own
from benchmarks.contender import Contender, Server
from benchmarks.peers.environment import ENVIRONMENTS, SERVICES, serving
from benchmarks.subject import Subject
from scripts.lib import toolchain
from scripts.lib.emulator import free_port
from scripts.lib.project import ROOT, python_version
from scripts.lib.stack import credentials

NAME = "serverless-offline"
_ENVIRONMENT = ENVIRONMENTS / NAME


def _install() -> str:
    own.install()
    toolchain.check_node()
    source = SERVICES / NAME
    wanted = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    stamp = _ENVIRONMENT / ".lock"
    if not (stamp.exists() and stamp.read_text() == wanted):
        shutil.rmtree(_ENVIRONMENT, ignore_errors=True)
        _ENVIRONMENT.mkdir(parents=True)
        for file in (source / "package.json", source / "package-lock.json", ROOT / ".npmrc"):
            shutil.copy(file, _ENVIRONMENT)
        toolchain.run(
            ["npm", "ci", "--ignore-scripts", "--no-progress"], "`npm ci`", cwd=_ENVIRONMENT
        )
        stamp.write_text(wanted)
    code = "for (const p of ['serverless-offline', 'osls'])"
    code += " console.log(p, require(`./node_modules/${p}/package.json`).version)"
    found = toolchain.run(["node", "-e", code], "asking for versions", cwd=_ENVIRONMENT)
    return ", ".join(found.split("\n")[:2])


@contextmanager
def _start(subject: Subject) -> Iterator[Server]:
    for name in ("handlers", "sklearn_api"):
        shutil.rmtree(_ENVIRONMENT / name, ignore_errors=True)
        shutil.copytree(ROOT / name, _ENVIRONMENT / name)
    shutil.copy(SERVICES / NAME / "serverless.yml", _ENVIRONMENT)
    own.copy_sources()
    with own.fresh_emulator() as emulator:
        stack = own.deploy(emulator)
        own.publish(subject.folder, emulator)
        port = free_port()
        command = [
            str(_ENVIRONMENT / "node_modules" / ".bin" / "sls"), "offline",
            "--host", "127.0.0.1", "--httpPort", str(port), "--lambdaPort", str(free_port()),
            "--noPrependStageInUrl",
        ]  # fmt: skip
        environment = {
            **credentials(),
            "AWS_ENDPOINT_URL": emulator.url,
            "MODEL_BUCKET": stack.bucket,
            "RUNTIME": f"python{python_version()}",
            "SLS_NOTIFICATIONS_MODE": "off",
            "VIRTUAL_ENV": sys.prefix,  # its Python runs the function
        }
        url = f"http://127.0.0.1:{port}/review"
        server = Server(url, 0, 0.0)
        server = Server(url, 0, 0.0, headers={**server.headers, "x-api-key": stack.api_key})
        with serving(NAME, command, server, cwd=_ENVIRONMENT, environment=environment) as running:
            yield running


PEER = Contender(
    "serverless-offline",
    _install,
    _start,
    "API Gateway with key, emulated in Node.js; this project's handler as one Python process; the "
    "model from an emulator's S3, which is not included in the memory",
)
