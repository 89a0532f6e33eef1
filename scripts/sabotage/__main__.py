"""Breaks good images in many ways and holds what `sconce verify` says of each against what is known of it.

    python3 -B scripts/sabotage [--quick] [--keep] [--jobs N] [--only NAME]... SCONCE

SCONCE is the program. Needs the standard library and a container engine with its client. docs/sabotage.md says more.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import images
from cases import BASES, CASES, LADDER, LARGE, Case

# What sconce may take beside the proof, to start and to clear up, in seconds.
GRACE = 120
HEADS = ["case", "expected checks", "found checks", "expected diagnoses", "found diagnoses", "seconds", "ok"]
# Control characters, and those that turn the direction of text; a line's end and a tab do no harm.
HARMFUL = {*map(chr, range(32)), *map(chr, range(127, 160)), *map(chr, range(0x202A, 0x202F))} - {"\n", "\t"}

printing = threading.Lock()


def say(*words):
    with printing:
        print("sabotage:", *words, file=sys.stderr, flush=True)


@dataclass
class Found:
    """What sconce said of an image, and what is wrong with that."""

    checks: str = ""
    diagnoses: str = ""
    seconds: float = 0.0
    wrong: tuple = ()


def verify(options, case, tag, *more):
    """Runs `sconce verify`."""
    with tempfile.TemporaryDirectory() as caches:
        # Proofs of earlier runs do not count.
        environment = {**os.environ, "XDG_CACHE_HOME": caches}
        flags = [*more, "--timeout", f"{case.limit}s", *shlex.split(case.flags)]
        command = [options.sconce, "verify", *flags, tag]
        return subprocess.run(command, env=environment, capture_output=True, timeout=case.limit + GRACE)


def judge(case, done):
    """What the report says, and how that differs from what the case expects."""
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise images.Failed("no report: " + repr(done.stderr[-2000:])) from None
    failed = failed_checks(report)
    found = Found(
        checks=" ".join(check["id"] for check in failed),
        diagnoses=" ".join(sorted(diagnosis["id"] for diagnosis in report.get("diagnoses", []))),
    )
    wrong = []
    if error := report.get("error"):
        wrong.append(f"an error: {error['message']}")
    certain, seen = set(case.checks.split()), set(found.checks.split())
    if not certain <= seen <= certain | set(case.perhaps.split()):
        evidence = [f"{check['id']}: {check['evidence']}" for check in failed]
        wrong.append("checks: " + ("; ".join(evidence) or "none failed"))
    if found.diagnoses != " ".join(sorted(case.diagnoses.split())):
        wrong.append("diagnoses: " + (found.diagnoses or "none"))
    if (done.returncode, report.get("ok")) != ((0, True) if case.good else (1, False)):
        wrong.append(f"exit code {done.returncode}, ok {report.get('ok')}")
    if unsafe := HARMFUL & set("".join(texts(report)) + done.stderr.decode("utf-8", "replace")):
        wrong.append(f"characters that a terminal obeys: {sorted(unsafe)}")
    found.wrong = tuple(wrong)
    return found


def failed_checks(report):
    if "outcome" not in report:
        return []
    trials = report["outcome"]["verification"]["trials"]
    return [check for trial in trials for check in trial["checks"] if check["outcome"] == "fail"]


def texts(value):
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def prove(case: Case, bases, options):
    """One case from its lines to what was found; its image is gone afterwards, and no container is left of it."""
    tag = f"localhost/sconce-sabotage-case:{case.name}"
    if case.base == "arm64":
        images.load_foreign(tag)
    else:
        # With a label of its own no image is also the image of another case, whose containers would look like ours.
        lines = f"FROM {bases.tag(case.base)}\n{case.lines}\nLABEL sconce.sabotage={case.name}\n"
        images.build(tag, lines)
    try:
        begun = time.monotonic()
        done = verify(options, case, tag, "--json")
        seconds = time.monotonic() - begun
        if options.reports:
            Path(options.reports, case.name + ".json").write_bytes(done.stdout)
        found = judge(case, done)
        found.seconds = seconds
        if case.noisy:
            found.wrong += printed(verify(options, case, tag))
        if left := images.left_behind(tag):
            found.wrong += (f"containers are left: {' '.join(left)}",)
        return found
    finally:
        images.remove(tag)


def printed(done):
    """What is wrong with the report as people read it."""
    unsafe = HARMFUL & set((done.stdout + done.stderr).decode("utf-8", "replace"))
    return (f"printed, it has characters that a terminal obeys: {sorted(unsafe)}",) if unsafe else ()


def attempt(case, bases, options):
    try:
        found = prove(case, bases, options)
    except images.Failed as error:
        found = Found(checks="-", diagnoses="-", wrong=(str(error),))
    except (OSError, KeyError, subprocess.SubprocessError) as error:
        found = Found(checks="-", diagnoses="-", wrong=(repr(error),))
    say(f"{case.name}: {'ok' if not found.wrong else 'WRONG'} ({found.seconds:.0f} s)", *found.wrong)
    return found


def run(cases, bases, options):
    """What was found of each case, in their order; those that an interruption left over are missing."""
    pool = ThreadPoolExecutor(options.jobs)
    pending = [pool.submit(attempt, case, bases, options) for case in cases]
    try:
        return [future.result() for future in pending]
    except KeyboardInterrupt:
        say("interrupted")
        return [future.result() for future in pending if not future.cancel()]
    finally:
        pool.shutdown(cancel_futures=True)


def row(case, found):
    expected = case.checks or ("none: it is good" if case.good else "any")
    return [
        case.name,
        expected,
        found.checks or "none",
        case.diagnoses or "none",
        found.diagnoses or "none",
        f"{found.seconds:.0f}",
        "no" if found.wrong else "yes",
    ]


def print_table(rows):
    widths = [max(len(line[column]) for line in [HEADS, *rows]) for column in range(len(HEADS))]
    for line in [HEADS, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def arguments():
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="scripts/sabotage", description=__doc__.splitlines()[0])
    parser.add_argument("sconce", help="the program")
    parser.add_argument("--only", metavar="NAME", action="append", choices=names, help="this case; may be repeated")
    parser.add_argument("--ladder", action="store_true", help="the rungs of Debian's own torch alone")
    parser.add_argument("--quick", action="store_true", help="without the images of 6 GB")
    parser.add_argument("--keep", action="store_true", help="keep what the cases stand on: the next run is quicker")
    parser.add_argument("--reports", metavar="DIR", help="write what sconce says of each case to DIR/NAME.json")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many cases at once (default 2)")
    return parser.parse_args()


def chosen(options):
    """The cases to make, and those of them that this run leaves out."""
    if options.only:
        return [case for case in CASES if case.name in options.only], []
    if options.ladder:
        return LADDER, []
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    out = [case for case in CASES if (case.needs and case.needs not in flags) or (options.quick and case in LARGE)]
    return [case for case in CASES if case not in out], out


def main():
    options = arguments()
    options.sconce = os.path.abspath(options.sconce)
    if options.reports:
        os.makedirs(options.reports, exist_ok=True)
    cases, left_out = chosen(options)
    bases = images.Bases(BASES, options.sconce, say)
    begun = time.monotonic()
    try:
        founds = run(cases, bases, options)
    finally:
        if not options.keep:
            bases.remove()
    print_table([row(case, found) for case, found in zip(cases, founds)])
    good = sum(case.good for case in cases)
    missed = [case.name for case, found in zip(cases, founds) if found.wrong]
    verdict = f"wrong: {', '.join(missed)}" if missed else "each as it should be"
    minutes = (time.monotonic() - begun) / 60
    print(f"\n{len(cases) - good} broken images and {good} good ones in {minutes:.0f} minutes: {verdict}")
    if left_out:
        print(f"left out, for its size or this processor: {', '.join(case.name for case in left_out)}")
    sys.exit(1 if missed or len(founds) < len(cases) else 0)


main()
