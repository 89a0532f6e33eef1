"""Makes the logs of scripts/bench-explain, measures, and prints the table. Needs the standard library alone."""

import json
import random
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 5
MILLION = 1_000_000

# As in scripts/bench-inspect.py; the exit code says whether a cause is known, and both answers are fine here.
MEASURE = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024,
                  done.stderr.decode(errors="replace")[-2000:]]))
"""

# What somebody would look for by hand.
TEXTS = "fatal error: |No module named|Permission denied|No space left|CUDA out of memory|undefined symbol|[Kk]illed"

LINES = (
    "{time}Collecting package-{n}=={a}.{b}.1 (from mirror.example.org/simple/package-{n}/) (12.3 MB)\n",
    "{time}#12 {n}.{b:03} [{a}/900] Building CXX object caffe2/CMakeFiles/torch_cpu.dir/__/aten/src/ATen/native/op_{n}.cpp.o\n",
    "{time}tests/test_{a}.py::test_case_{n}[param-{b}] PASSED                                        [ {b}%]\n",
    "{time}\x1b[36;1mstep {n}\x1b[0m loss=0.{a} lr=1e-4 tokens/s={n}{b}\n",
    "[rank{r}]: epoch {a} step {n} loss 0.{b} in torch.compile(mode='max-autotune') grad_norm 0.{b}\n",
)
HANDLED = """W0102 03:04:05.678000 12 site-packages/torch/x.py:1] [0/0] a warning
Traceback (most recent call last):
  File "/opt/venv/lib/python3.12/site-packages/torch/x.py", line 4, in f
    raise ValueError('x')
ValueError: x
"""


def failure():
    return Path("tests/logs/PYTHON_H_MISSING-2.15.log").read_text()


def output(size):
    """The output of a CI's job, as much as `size`."""
    chosen, written, count = random.Random(1), 0, 0
    while written < size:
        line = chosen.choices(LINES, (30, 30, 30, 5, 5))[0].format(
            time=f"2026-01-02T03:{count // 60 % 60:02}:{count % 60:02}.1234567Z ",
            n=count % 977, a=count % 89, b=count % 97, r=count % 8)
        count += 1
        if count % 50_000 == 0:
            line += HANDLED
        written += len(line)
        yield line


def usual(path):
    path.write_text("".join(output(60_000)) + failure())


def large(path):
    with path.open("w") as out:
        out.writelines(output(200 * MILLION))
        out.write(failure())


def archive(path):
    with path.open("wb") as out:
        subprocess.run(["gzip", "-1", "-c", str(path.with_name("large"))], stdout=out, check=True)


def one_line(path):
    with path.open("w") as out:
        out.writelines(line.rstrip("\n") + " " for line in output(100 * MILLION))
        out.write("torch: fatal error: Python.h: No such file or directory\n")


def measured(command, codes):
    """Medians of process time, wall time and peak memory; None where the command fails."""
    runs = []
    for _ in range(RUNS):
        out = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, *command], capture_output=True, text=True, check=True)
        code, *figures, err = json.loads(out.stdout)
        if code not in codes:
            print(f"  {' '.join(map(str, command))}: exit code {code}\n{err}", file=sys.stderr)
            return None
        runs.append(figures)
    # The first run warms the caches.
    return [statistics.median(column) for column in zip(*runs[1:])]


def row(name, target, figures, ours=None):
    if figures is None:
        print(f"{name:<44} failed")
        return
    process, wall, memory = figures
    ratio = f"sconce takes {ours[0] / process:.1f} times as long" if ours else target
    print(f"{name:<44} {process * 1e3:>9.1f} ms {wall * 1e3:>9.1f} ms {memory / 1e6:>7.1f} MB   {ratio}")


def main():
    work, sconce = Path(sys.argv[1]), sys.argv[2:]
    print(f"{'':<44} {'process':>12} {'wall':>12} {'memory':>10}   target")
    for make, name, target in (
        (usual, "a usual log", "process time under 20 ms"),
        (large, "a log of 200 MB", "under 2 s and 50 MB"),
        (archive, "  the same as an archive of gzip", ""),
        (one_line, "one line of 100 MB", "under 50 MB"),
    ):
        path = work / make.__name__
        make(path)
        ours = measured([*sconce, str(path)], (0, 1))
        row(name, target, ours)
        reader = ["zgrep"] if make is archive else ["grep"]
        if ours and shutil.which(reader[0]):
            row(f"  {reader[0]} -E", "", measured([*reader, "-cE", TEXTS, str(path)], (0, 1)), ours)


main()
