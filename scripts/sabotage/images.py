"""What the cases need of the container engine besides sconce: images of a few lines, and what is left of a run."""

import collections
import contextlib
import functools
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "matrix"))
import engine  # of scripts/matrix

# The kind of the machine in an ELF file.
AARCH64 = 183


class Failed(Exception):
    """A step of the suite itself failed, so that the case says nothing."""


def docker(*words, **more):
    done = subprocess.run(["docker", *words], capture_output=True, **more)
    if done.returncode != 0:
        text = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise Failed(f"docker {' '.join(words)}: {text.strip()[-2000:]}")
    return done.stdout.decode("utf-8", "replace").strip()


def present(reference):
    return bool(docker("image", "ls", "--quiet", reference))


@functools.cache
def builder():
    """The client to build with, and whether it uses BuildKit: Debian can, one without the buildx plugin cannot."""
    for program in ("docker", "/usr/bin/docker"):
        command, lines = [program, "build", "--quiet", "-"], b"FROM scratch\nLABEL a=b\n"
        with contextlib.suppress(OSError):
            probe = subprocess.run(command, input=lines, env=environment(True), capture_output=True)
            if probe.returncode == 0:
                docker("image", "rm", probe.stdout.decode().strip())
                return program, True
    return "docker", False


def environment(buildkit):
    return {**os.environ, "DOCKER_BUILDKIT": "1" if buildkit else "0"}


def build(tag, dockerfile):
    """An image from lines alone."""
    program, buildkit = builder()
    # Builds reach the package index with this machine's own trust store, where it has one.
    bundle = os.environ.get("SCONCE_CA_BUNDLE")
    secret = ["--secret", f"id=ca,src={bundle}"] if buildkit and bundle else []
    command = [program, "build", "--quiet", *secret, "--tag", tag, "-"]
    done = subprocess.run(command, input=dockerfile.encode(), env=environment(buildkit), capture_output=True)
    if done.returncode != 0:
        text = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise Failed(f"{tag} cannot be built: {text.strip()[-3000:]}")


def remove(tag):
    with contextlib.suppress(Failed):
        docker("image", "rm", "--force", tag)


def left_behind(tag):
    """The containers of an image, running or not."""
    return docker("ps", "--all", "--quiet", "--filter", f"ancestor={tag}").split()


def load_foreign(tag):
    """An image for arm64, whose programs this machine cannot run unless it emulates one."""
    program = elf_program(AARCH64)
    layer = tar({"bin/sh": program, "usr/bin/python3": program})
    digest = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = {"architecture": "arm64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest]}}
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    documents = {"config.json": config, "manifest.json": manifest}
    archive = {name: json.dumps(document).encode() for name, document in documents.items()}
    docker("image", "load", "--quiet", input=tar({**archive, "layer.tar": layer}))


def elf_program(machine):
    """The smallest program: a header of the file, one of its only segment, and a call that ends it."""
    code = bytes.fromhex("a80b8052010000d4")  # mov x8, #93; svc #0
    size = 64 + 56 + len(code)
    start = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400078, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 0x1000)
    return start + header + segment + code


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@dataclass(frozen=True)
class Base:
    """What an image is made from: `source` is another base, or what `sconce images bootstrap` makes."""

    source: str
    lines: str = ""


class Bases:
    """The images that cases stand on, each made when it is first asked for."""

    def __init__(self, recipes, sconce, say):
        self.recipes, self.sconce, self.say, self.begun = recipes, sconce, say, time.time()
        self.locks = collections.defaultdict(threading.Lock)
        self.made = []

    def tag(self, name):
        """The reference of a base, which is there when this returns."""
        with self.locks[name]:
            return self.make(name) if name in self.recipes else self.bootstrapped(name)

    def make(self, name):
        recipe = self.recipes[name]
        source = self.tag(recipe.source)
        dockerfile = f"FROM {source}\n{recipe.lines}\n"
        # A recipe that changed is another image.
        tag = f"localhost/sconce-sabotage-base:{name}-{hashlib.sha256(dockerfile.encode()).hexdigest()[:8]}"
        if not present(tag):
            self.say(f"building {tag}")
            build(tag, dockerfile)
        if tag not in self.made:
            self.made.append(tag)
        return tag

    def bootstrapped(self, name):
        tag = f"localhost/sconce-base:{name}"
        if not present(tag):
            self.say(f"bootstrapping {tag}")
            # A mirror of sid may lag.
            command = [self.sconce, "images", "bootstrap", "--allow-expired", name]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return tag

    def remove(self):
        """Also the layers in the builder's cache, which outlive their images."""
        for tag in reversed(self.made):
            sizes = docker("history", "--human=false", "--format", "{{.Size}}", tag).split()
            layers = [{"size": int(size)} for size in sizes]
            engine.remove({"name": "built", "tag": tag, "image": {"id": tag, "layers": layers}}, self.begun)
