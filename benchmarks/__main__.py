"""Run ``scripts/bench``; see ``--help``."""

import argparse
import shlex
import sys
from collections.abc import Callable

from rich.console import Console

from benchmarks import cold, deploy, document, growth, handler, machine, sizes, warm
from benchmarks.options import Options
from benchmarks.section import Section
from benchmarks.subject import Subject, train
from scripts.lib.console import OUT, run_main, step
from scripts.lib.project import ROOT, ScriptError

SECTIONS: dict[str, Callable[[Subject, Options], Section]] = {
    "cold": cold.measure,
    "handler": handler.measure,
    "warm": warm.measure,
    "deploy": deploy.measure,
    "growth": growth.measure,
    "sizes": sizes.measure,
}


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure cold starts, the handler, warm requests, deployments, growth and "
        "sizes. Whatever is compared takes turns, so ratios are more reliable than absolute "
        "figures. The benchmark deploys a stack of its own, to an emulator at a free port, and "
        "stops everything that it has started.",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="compare with FastAPI, MLServer, BentoML, serverless-offline and MiniStack, which "
        "serve the same model; they are installed in .local/peers",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer rounds and sizes, to see that everything works, not to compare",
    )
    parser.add_argument(
        "--only", action="append", choices=list(SECTIONS), metavar="NAME",
        help=f"run this section only; can be repeated: {', '.join(SECTIONS)}",
    )  # fmt: skip
    parser.add_argument(
        "--requests", type=int, default=400,
        help="requests in each measurement under load, which ends after 3 s (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="PATH|HUB_ID", help="reviews to train on, as for scripts/up"
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmarks.md and its plots"
    )
    return parser.parse_args()


def main() -> int:
    """Run the script; see ``--help``."""
    parsed = arguments()
    if parsed.requests < max(warm.CLIENTS):
        raise ScriptError(f"--requests must be at least {max(warm.CLIENTS)}, one for each client")
    if parsed.write and parsed.only:
        raise ScriptError("--write writes the whole document, so it cannot be used with --only")
    options = Options(parsed.peers, parsed.quick, parsed.requests, parsed.data)
    load = machine.load_average()
    with step("Model") as done:
        subject = train(options.data)
        terms = sum(
            len(one.vocabulary_) for _, one in subject.pipeline.steps if _has_vocabulary(one)
        )
        described = f"{terms:,} terms, from {subject.manifest['training']['source']}"
        done(described)
    tables = Console(highlight=False, width=max(OUT.width, 120))  # wrapped, they are unreadable
    failed: dict[str, str] = {}
    sections: list[Section] = []
    for name in parsed.only or SECTIONS:
        OUT.rule(name)
        try:
            section = SECTIONS[name](subject, options)
        except ScriptError as exc:
            failed[name] = str(exc)
            OUT.print(f"NOT MEASURED: {exc}", markup=False)
            continue
        sections.append(section)
        for table in section.tables:
            tables.print(table.rich())
        for what, reason in section.failures.items():
            OUT.print(f"NOT MEASURED: {what}: {reason}", markup=False)
    if failed:
        raise ScriptError(f"these sections failed, see above: {', '.join(failed)}")
    if parsed.write:
        facts = {
            **machine.describe(),
            "model": described,
            "date": document.today(),
            "load before (1, 5, 15 min)": load,
        }
        command = shlex.join(["scripts/bench", *sys.argv[1:]])
        path = document.write(sections, facts, command, ROOT / "docs")
        OUT.print(f"Wrote {path.relative_to(ROOT)}")
    return 0


def _has_vocabulary(estimator: object) -> bool:
    return hasattr(estimator, "vocabulary_")


if __name__ == "__main__":
    run_main(main)
