"""The cases: what each is expected to become, and what it needs besides its files in tests/matrix."""

import contextlib
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import engine
import servers


class Failed(Exception):
    """A case is not what it should be."""


def nothing_more(report, done, installed):
    """Most cases ask for nothing besides what holds for all."""


@dataclass(frozen=True)
class Setting:
    """What a case runs with; `check` holds the report, the finished process and the installed versions against it."""

    flags: tuple = ()
    environment: dict = field(default_factory=dict)
    check: Callable = nothing_more


@dataclass(frozen=True)
class Tools:
    sconce: str
    work: Path

    def build(self, flags, folder, environment=()):
        """Runs `sconce build`; its report, whatever the outcome, and the finished process."""
        # Proofs of earlier runs do not count.
        variables = {**os.environ, "XDG_CACHE_HOME": str(self.work / "cache"), **dict(environment)}
        command = [self.sconce, "build", "--json", *flags, str(folder)]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace")
        try:
            return json.loads(done.stdout), done
        except ValueError:
            raise Failed("no report: " + done.stderr.strip()[-2000:]) from None

    def uv(self, *words, folder):
        """Runs uv: this machine's, or one that is fetched for these cases."""
        found = shutil.which("uv") or str(self.work / "uv/bin/uv")
        trust = os.environ.get("SCONCE_CA_BUNDLE")
        environment = {**os.environ, **({"SSL_CERT_FILE": trust, "PIP_CERT": trust} if trust else {})}
        quietly = dict(env=environment, check=True, stdout=subprocess.DEVNULL)
        if not os.path.exists(found):
            subprocess.run([sys.executable, "-m", "venv", str(self.work / "uv")], **quietly)
            subprocess.run([str(self.work / "uv/bin/pip"), "install", "--quiet", "uv"], **quietly)
        subprocess.run([found, "--quiet", *words], cwd=folder, **quietly)


@contextlib.contextmanager
def plain(tools, folder):
    yield Setting()


@contextlib.contextmanager
def hashed(tools, folder):
    """Requirements with hashes, as they are for the index of this machine: made now, for Python 3.11."""
    target = ["--python-version", "3.11", "--python-platform", f"{platform.machine()}-manylinux_2_28"]
    tools.uv("pip", "compile", "--generate-hashes", *target, "requirements.in", "-o", "requirements.txt", folder=folder)
    pins = pinned(r"^([\w.-]+)==([^\s;\\]+)", folder / "requirements.txt")

    def check(report, done, installed):
        if not report["outcome"]["plan"]["hashed"]:
            raise Failed("the plan knows of no hashes")
        hold_versions(pins, installed)

    yield Setting(check=check)


@contextlib.contextmanager
def locked(tools, folder):
    """A `uv.lock`, made now; it holds NumPy back, so that it shows whether it was followed."""
    words = ["--python", sys.executable, "--no-python-downloads", "--upgrade-package", "numpy==2.2.6"]
    tools.uv("lock", *words, folder=folder)
    pins = pinned(r'^name = "([^"]+)"\nversion = "([^"]+)"\nsource = \{ registry', folder / "uv.lock")

    def check(report, done, installed):
        lock = report["outcome"]["plan"]["lock"]
        if lock is None or lock["value"]["path"] != "uv.lock":
            raise Failed(f"the plan follows the lock {lock}")
        if not {"torch", "numpy", "sympy"} <= pins.keys() & installed.keys():
            raise Failed(f"installed is only {installed}")
        # What a lock holds for other platforms is not installed here.
        hold_versions({name: pins[name] for name in pins.keys() & installed.keys()}, installed)

    yield Setting(check=check)


def pinned(pattern, path):
    """The versions of each distribution that a file pins; a lock may have several, for several Pythons."""
    pins = {}
    for name, version in re.findall(pattern, path.read_text(), re.M):
        pins.setdefault(name, set()).add(version.split("+")[0])
    return pins


def hold_versions(pins, installed):
    bare = {name: version.split("+")[0] for name, version in installed.items()}
    wrong = [f"{name} {bare.get(name)} (pinned: {pin})" for name, pin in pins.items() if bare.get(name) not in pin]
    if wrong or not pins:
        raise Failed("not as pinned: " + ", ".join(wrong))


@contextlib.contextmanager
def git(tools, folder):
    """A requirement from a git repository, which is served on loopback."""
    with servers.greeting(tools.work / "greeting") as url:
        with (folder / "requirements.txt").open("a") as requirements:
            requirements.write(f"greeting @ git+{url}@v1\n")

        def check(report, done, installed):
            if installed.get("greeting") != "1.0":
                raise Failed(f"`greeting` is {installed.get('greeting')}")

        yield Setting(flags=("--build-network", "host"), check=check)


@contextlib.contextmanager
def private_index(tools, folder):
    """An index that serves one build of torch for the CPU, by TLS of its own authority and to those with the password."""
    wheel = make_wheel(tools)
    # With all that a password may hold and an URL may not.
    password = "p+/@:" + secrets.token_urlsafe(12)
    with servers.Index(tools.work / "index", wheel, "ci", password) as index:
        bundle = folder.with_suffix(".pem")
        roots = os.environ.get("SCONCE_CA_BUNDLE")
        bundle.write_text((Path(roots).read_text() if roots else "") + "\n" + index.authority.read_text())

        def check(report, done, installed):
            if not any(path.endswith(".whl") for path in index.served):
                raise Failed(f"the index served only {index.served}")
            hold_secret(report["outcome"]["image"]["id"], password, done)

        flags = ("--build-network", "host", "--ca-bundle", str(bundle))
        flags += ("--extra-index-url", f"https://ci:${{MATRIX_PASSWORD}}@localhost:{index.port}/simple")
        yield Setting(flags, {"MATRIX_PASSWORD": password}, check)


def make_wheel(tools):
    """A genuine wheel of torch for the CPU: the distribution's own torch, packed by the image that has it."""
    flags = ["--torch-source", "distribution", "--tag", "localhost/sconce-matrix:packer"]
    begun = time.time()
    report, done = tools.build(flags, "tests/matrix/distribution")
    outcome = report.get("outcome", {})
    wheel = tools.work / "torch-2.6.0+cpu-cp313-cp313-linux_x86_64.whl"
    try:
        if outcome.get("name") != "built":
            raise Failed("no image to make a wheel in: " + done.stderr[-2000:])
        with wheel.open("wb") as out, (Path(__file__).parent / "pack_torch.py").open("rb") as packer:
            command = ["docker", "run", "--rm", "-i", "--network", "none", outcome["tag"], "python", "-"]
            subprocess.run(command, stdin=packer, stdout=out, check=True)
    finally:
        engine.remove(outcome, begun)
    return wheel


def hold_secret(image, password, done):
    """Looks for the password in all that the build leaves, its image's files included."""
    secret = {password.encode(), urllib.parse.quote(password, safe="").encode()}
    texts = {
        "the history": engine.docker("history", "--no-trunc", image).encode(),
        "the image's settings": engine.docker("image", "inspect", image).encode(),
        "the log": done.stderr.encode(),
        "the report": done.stdout.encode(),
    }
    for place, text in texts.items():
        if not text or any(word in text for word in secret):
            raise Failed(f"{place} holds the password, or is not there")
    # Words that are there show that the search sees what is in the layers.
    there = b"torch-2.6.0+cpu.dist-info"
    found = engine.search_saved(image, secret | {there})
    if found != {there}:
        raise Failed("the image's files hold the password, or could not be searched")


@dataclass(frozen=True)
class Case:
    """A project in tests/matrix and what it must become. `room_gb` is what its build takes, caches and all."""

    name: str
    torch: str
    python: str = "3.13"
    variant: str = "cuda"
    installer: str = "uv"
    base: str = "debian-13"
    flags: tuple = ()
    setting: Callable = plain
    room_gb: int = 13


# Debian's build of torch has its libraries and headers outside the wheel.
DEBIAN_LIBRARIES = ("--system-package", "libtorch-dev", "--system-package", "libsleef-dev", "--env", "LD_PRELOAD=libsleef.so.3")

# The small ones first: what is wrong shows early.
CASES = [
    Case("distribution", "2.6.0", variant="cpu", installer="pip", flags=("--torch-source", "distribution"), room_gb=3),
    Case("private-cpu", "2.6.0+cpu", variant="cpu", flags=DEBIAN_LIBRARIES, setting=private_index, room_gb=5),
    Case("git", "2.6.0", setting=git),
    Case("hashed", "2.4.1", python="3.11", installer="pip", base="debian-12", flags=("--installer", "pip"), setting=hashed),
    Case("pip", "2.12.1", installer="pip", flags=("--installer", "pip")),
    Case("lock", "2.9.1", setting=locked),
    Case("sid", "2.15.0", python="3.14", base="debian-sid", flags=("--base", "debian-sid")),
]
