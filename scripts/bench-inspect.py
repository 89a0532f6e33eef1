"""Makes the projects of scripts/bench-inspect, measures, and prints the table. Needs the standard library alone."""

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 11

# In a process of its own, so that its children are the measured one alone. The kernel counts the memory of a child from that
# of the process which starts it, some 10 MB here: a smaller peak cannot be seen.
MEASURE = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024,
                  done.stderr.decode(errors="replace")[-2000:]]))
"""

SOURCE = """import os
import torch
from transformers import AutoModel

from .helpers import load


@torch.compile(mode="max-autotune")
def step_{n}(x):
    return torch.nn.functional.gelu(x) + {n}


class Model{n}(torch.nn.Module):
    def forward(self, batch):
        return step_{n}(load(batch, os.environ.get("DEVICE", "cuda")))
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def small(root):
    """An ordinary project: a manifest, and forty sources."""
    write(root / "pyproject.toml", '[project]\nname = "small"\nversion = "1"\nrequires-python = ">=3.10"\n'
          'dependencies = ["torch>=2.5", "transformers>=4.40,<5", "numpy", "datasets"]\n'
          '[project.optional-dependencies]\ndev = ["pytest", "ruff"]\n')
    for n in range(40):
        write(root / "small" / f"part_{n % 5}" / f"module_{n}.py", SOURCE.format(n=n) * 4)


def large(root):
    """A tree of 50,000 files, most of them of others: an environment, packages of a web page, data."""
    for n in range(200):
        write(root / "project" / f"part_{n % 20}" / f"module_{n}.py", SOURCE.format(n=n) * 2)
    packages = root / ".venv/lib/python3.12/site-packages"
    write(root / ".venv/pyvenv.cfg", "version = 3.12\n")
    for n in range(22_000):
        write(packages / f"package_{n // 100}" / f"file_{n % 100}.py", f"import package_{n % 220}\n")
    for n in range(13_800):
        write(root / "web/node_modules" / f"package_{n // 60}" / f"file_{n % 60}.js", "module.exports = {};\n")
    for n in range(13_990):
        write(root / "datasets" / f"shard_{n // 1000}" / f"image_{n}.jpg", "\xff\xd8")
    for n in range(10):
        write(root / "runs" / f"run_{n}" / "requirements.txt", "torch\n")


def lock(root):
    """A project with a `uv.lock` of 2 MB, in the proportions of real ones: two dependencies and a dozen wheels a package."""
    locked(root, packages=460, dependencies=2, wheels=12)


def dense(root):
    """The same size, with six times the dependencies in each of fewer packages."""
    locked(root, packages=380, dependencies=12, wheels=12)


def locked(root, packages, dependencies, wheels):
    names = [f"distribution-{n}" for n in range(packages)] + ["torch"]
    listed = ", ".join(f'"{name}"' for name in names)
    write(root / "pyproject.toml", f'[project]\nname = "locked"\nversion = "1"\ndependencies = [{listed}]\n')
    out = ['version = 1\nrevision = 3\nrequires-python = ">=3.10"\n\n']
    for n, name in enumerate(names):
        out.append(f'[[package]]\nname = "{name}"\nversion = "1.2.3"\nsource = {{ registry = "https://pypi.example.org/simple" }}\n')
        out.append("dependencies = [\n")
        for k in range(dependencies):
            marker = ", marker = \"python_full_version >= '3.11' and sys_platform == 'linux'\"" if (n + k) % 2 else ""
            out.append(f'    {{ name = "{names[(7 * n + k) % packages]}"{marker} }},\n')
        out.append(f"]\nsdist = {archive(name, '.tar.gz')}\nwheels = [\n")
        for k in range(wheels):
            platform = ("manylinux_2_27_x86_64.manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64")[k % 3]
            out.append(f"    {archive(name, f'-cp3{10 + k // 3}-cp3{10 + k // 3}-{platform}.whl')},\n")
        out.append("]\n\n")
    needed = ", ".join(f'{{ name = "{name}" }}' for name in names)
    out.append(f'[[package]]\nname = "locked"\nversion = "1"\nsource = {{ virtual = "." }}\ndependencies = [{needed}]\n\n'
               f"[package.metadata]\nrequires-dist = [{needed}]\n")
    write(root / "uv.lock", "".join(out))


def archive(name, tail):
    """A file as uv writes it into a lock."""
    file = f"{name.replace('-', '_')}-1.2.3{tail}"
    digest = hashlib.sha256(file.encode()).hexdigest()
    url = f"https://files.example.org/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{file}"
    return f'{{ url = "{url}", hash = "sha256:{digest}", size = 123456, upload-time = "2026-01-02T03:04:05.678Z" }}'


def measured(command):
    """Medians of process time, wall time and peak memory; None where the command fails."""
    runs = []
    for _ in range(RUNS):
        out = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, *command], capture_output=True, text=True, check=True)
        code, *figures, err = json.loads(out.stdout)
        if code != 0:
            print(f"  {' '.join(map(str, command))}: exit code {code}\n{err}", file=sys.stderr)
            return None
        runs.append(figures)
    # The first run warms the caches.
    return [statistics.median(column) for column in zip(*runs[1:])]


def row(name, target, figures):
    if figures is None:
        print(f"{name:<56} failed")
        return
    process, wall, memory = figures
    print(f"{name:<56} {process * 1e3:>9.1f} ms {wall * 1e3:>9.1f} ms {memory / 1e6:>7.1f} MB   {target}")


def main():
    sconce, work = sys.argv[1], Path(sys.argv[2])
    for make in (small, large, lock, dense):
        make(work / make.__name__)
    count = sum(len(files) for _, _, files in os.walk(work / "large"))
    size = lambda project: f"{(work / project / 'uv.lock').stat().st_size / 1e6:.1f} MB"
    print(f"{'':<56} {'process':>12} {'wall':>12} {'memory':>10}   target")
    inspect = lambda project: measured([sconce, "inspect", "--json", str(work / project)])
    row("an ordinary project", "process time under 20 ms", inspect("small"))
    row("  render of the same", "under 20 ms", measured([sconce, "render", "--quiet", str(work / "small")]))
    row(f"a tree of {count:,} files", "under 500 ms and 100 MB", inspect("large"))
    if pipreqs := shutil.which("pipreqs"):
        ours = ["--print", "--use-local", "--ignore", ".venv,node_modules", str(work / "large")]
        row("  pipreqs, told what to leave out", "", measured([pipreqs, *ours]))
    row(f"a lock of {size('lock')}", "under 50 ms", inspect("lock"))
    if uv := shutil.which("uv"):
        command = [uv, "export", "--frozen", "--offline", "--quiet", "--project", str(work / "lock")]
        row("  uv export --frozen", "", measured(command))
    row(f"a lock of {size('dense')} with six times the dependencies", "", inspect("dense"))


main()
