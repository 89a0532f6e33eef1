"""Builds and proves the cases of scripts/matrix-local, and prints their table. Needs the standard library alone."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import engine
from cases import CASES, Failed, Tools

FIXTURES = Path("tests/matrix")
# Run in the image: what is installed in it, and by whom torch was.
LIST = """
import importlib.metadata as metadata, json, re
found = {re.sub("[-_.]+", "-", d.name).lower(): d.version for d in reversed(list(metadata.distributions()))}
by = (metadata.distribution("torch").read_text("INSTALLER") or "").strip()
print(json.dumps([found, by]))
"""


def say(*words):
    print("matrix-local:", *words, file=sys.stderr, flush=True)


def equal(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what} is `{found}`, not `{wanted}`")


def reason(report, log):
    """Why a build has no proven image, for the reader of the table."""
    if error := report.get("error"):
        if error["kind"] == "interrupted":
            raise KeyboardInterrupt
        return "\n".join(filter(None, [error["message"], error["hint"], *error["log"][-30:]]))
    outcome = report["outcome"]
    lines = [outcome["name"]]
    checks = [check for trial in outcome.get("verification", {}).get("trials", []) for check in trial["checks"]]
    lines += [f"{check['id']}: {check['error'] or check['evidence']}" for check in checks if check["outcome"] == "fail"]
    lines += [diagnosis["cause"] for diagnosis in report["diagnoses"]]
    return "\n".join([*lines, *log.splitlines()[-30:]])


def hold(case, report, row):
    """Holds the report of a build against what the case says, and fills in the row."""
    outcome = report["outcome"]
    plan, seen = outcome["plan"], outcome["verification"]["trials"][0]["environment"]
    release = seen["torch"] if "+" in case.torch else seen["torch"].split("+")[0]
    row.update(
        python=seen["python"],
        torch=seen["torch"],
        variant=seen["variant"],
        build=f"{outcome['built_by']['seconds']:.0f}",
        proof=f"{report['seconds'] - outcome['built_by']['seconds']:.0f}",
        size=f"{outcome['image']['size'] / 1e9:.1f}",
    )
    equal("the outcome", (outcome["name"], report["ok"]), ("built", True))
    equal("the torch in the image", release, case.torch)
    equal("the Python in the image", ".".join(seen["python"].split(".")[:2]), case.python)
    equal("the variant in the image", seen["variant"].split()[0], case.variant)
    equal("the planned base", plan["base"]["value"]["id"], case.base)
    equal("the planned Python", plan["python"]["value"], case.python)
    equal("the planned installer", plan["installer"]["value"], case.installer)
    equal("the earlier proof", outcome["verification"]["recalled"], None)
    equal("the tag", engine.image_id(outcome["tag"]), outcome["image"]["id"])


def prove(case, tools, row):
    """One case from its files to its proven image, which is gone afterwards."""
    folder = tools.work / case.name
    shutil.copytree(FIXTURES / case.name, folder)
    shutil.copy(FIXTURES / "train.py", folder)
    begun = time.time()
    with case.setting(tools, folder) as setting:
        flags = ["--tag", f"localhost/sconce-matrix:{case.name}", *case.flags, *setting.flags]
        report, done = tools.build(flags, folder, setting.environment)
        outcome = report.get("outcome", {})
        try:
            if outcome.get("name") != "built":
                raise Failed(reason(report, done.stderr))
            hold(case, report, row)
            image = outcome["image"]["id"]
            installed, by = json.loads(engine.run_in(image, "python", "-c", LIST))
            if "distribution" not in case.flags:
                equal("what installed torch", by, case.installer)
            equal("the line that it finds", engine.run_in(image, "python", "train.py")[:13], "y = 3.000 x +")
            setting.check(report, done, installed)
        finally:
            engine.remove(outcome, begun)


def print_table(rows):
    heads = ["case", "Python", "torch", "variant", "installer", "base", "build s", "proof s", "GB", "outcome"]
    keys = ["case", "python", "torch", "variant", "installer", "base", "build", "proof", "size", "outcome"]
    cells = [heads] + [[row.get(key, "-") for key in keys] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    rule = ["-" * width for width in widths]
    for line in [cells[0], rule, *cells[1:]]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def main():
    tools = Tools(sconce=os.path.abspath(sys.argv[1]), work=Path(sys.argv[2]))
    names = sys.argv[3:] or [case.name for case in CASES]
    known = {case.name: case for case in CASES}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"matrix-local: no case {', '.join(unknown)}; there are {', '.join(known)}")
    disk = engine.Disk()
    rows = []
    try:
        for case in (known[name] for name in names):
            say(f"{case.name}: torch {case.torch}, Python {case.python}, {case.installer}, {case.base}")
            row = dict(case=case.name, installer=case.installer, base=case.base, outcome="not finished")
            rows.append(row)
            try:
                disk.make_room(case.room_gb)
                prove(case, tools, row)
                row["outcome"] = "proven"
            except (Failed, OSError, KeyError, subprocess.CalledProcessError) as error:
                row["outcome"] = "FAILED"
                say(f"{case.name}: {error!r}" if not isinstance(error, Failed) else f"{case.name}: {error}")
            say(f"{case.name}: {row['outcome']}")
    except KeyboardInterrupt:
        say("interrupted")
    finally:
        print_table(rows)
        print(f"\nPeak disk: {disk.peak()} more than at the start.")
    sys.exit(0 if all(row["outcome"] == "proven" for row in rows) else 1)


main()
