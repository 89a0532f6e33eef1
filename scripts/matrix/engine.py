"""What the cases need of the container engine besides sconce: looking at images, removing them, and room on its disk."""

import calendar
import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse

GB = 1e9
# What all cases together may take.
LIMIT_GB = 30


def docker(*words, **more):
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True, **more).stdout.strip()


def image_id(reference):
    return docker("image", "inspect", "--format", "{{.Id}}", reference)


def run_in(image, *command):
    """What a command prints in a new container of the image, without network."""
    return docker("run", "--rm", "--network", "none", image, *command)


def search_saved(image, words):
    """Those of the words that are in the image's files, its settings included."""
    longest = max(map(len, words))
    found, rest = set(), b""
    saving = subprocess.Popen(["docker", "image", "save", image], stdout=subprocess.PIPE)
    while chunk := saving.stdout.read(1 << 22):
        window = rest + chunk
        found |= {word for word in words if word in window}
        rest = window[-longest:]
    if saving.wait() != 0:
        raise OSError("the image could not be saved")
    return found


def remove(outcome, begun):
    """Removes what a build that began at that time left: the tag, the image, and its layers in the builder's cache."""
    image = outcome.get("image")
    if image is None:
        return
    # By name: by its id, an image with more than one name stays.
    names = [outcome["tag"]] if outcome["name"] == "built" else [image["id"]]
    docker("image", "rm", *names)
    # The records have ids of their own; what tells those of this image are their age and size.
    sizes = {0} | {layer["size"] for layer in image["layers"]}
    for record in sorted(records(), key=lambda record: record["CreatedAt"], reverse=True):
        # The newest first, since a layer stays as long as another stands on it.
        if record["Type"] == "regular" and record["Size"] in sizes and created(record) >= int(begun):
            ask("POST", "/build/prune?all=1&filters=" + urllib.parse.quote(json.dumps({"id": {record["ID"]: True}})))


def created(record):
    whole = record["CreatedAt"].split(".")[0].rstrip("Z")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))


def records():
    """The records of the builder's cache."""
    for _ in range(60):
        status, answer = ask("GET", "/system/df")
        # One such question at a time: the engine refuses a second.
        if status != 500:
            return answer.get("BuildCache") or []
        time.sleep(1)
    return []


def ask(method, path):
    """An answer of the engine's API, which says more of the builder's cache than its client; nothing of one elsewhere."""
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if not host.startswith("unix://"):
        return None, {}
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(host[len("unix://"):])
    connection.request(method, "/v1.41" + path)
    answer = connection.getresponse()
    status, text = answer.status, answer.read()
    connection.close()
    return status, json.loads(text)


class Disk:
    """The disk of the engine, watched from now on; of an engine elsewhere nothing is known."""

    def __init__(self):
        root = docker("info", "--format", "{{.DockerRootDir}}")
        self.root = root if os.path.isdir(root) else None
        self.since = int(time.time())
        self.begun = self.most = self.used()
        threading.Thread(target=self.watch, daemon=True).start()

    def used(self):
        return shutil.disk_usage(self.root).used if self.root else 0

    def watch(self):
        while self.root:
            self.most = max(self.most, self.used())
            time.sleep(0.5)

    def peak(self):
        return f"{(self.most - self.begun) / GB:.1f} GB" if self.root else "unknown"

    def make_room(self, needed):
        """Sees to it that the next case fits; what earlier cases fetched goes where it does not."""
        if self.root is None or self.room() >= needed:
            return
        drop_fetched(self.since)
        if shutil.disk_usage(self.root).free / GB < needed:
            raise OSError(f"{needed} GB are needed on {self.root}, and there are not as many")

    def room(self):
        free = shutil.disk_usage(self.root).free / GB
        return min(free, LIMIT_GB - (self.used() - self.begun) / GB)


def drop_fetched(since):
    """Removes the large wheels that were put into the builder's cache mounts since that time; what was there before stays."""
    builder, base = os.environ.get("MATRIX_BUILDER"), "localhost/sconce-base:debian-13"
    if not builder or not docker("image", "ls", "--quiet", base):
        return
    # uv takes an unpacked wheel that is gone for one that it never had, and so does pip with a download. The step differs
    # each time: BuildKit, told to use no cache, would empty all of the mounts.
    dockerfile = f"""FROM {base}
RUN --mount=type=cache,id=sconce-uv,target=/uv --mount=type=cache,id=sconce-pip,target=/pip \\
    : {time.time()}; \\
    find /uv/archive-v* -mindepth 1 -maxdepth 1 -newermt @{since} -exec du -sm {{}} + | while read -r size folder; do \\
      if [ "$size" -gt 20 ]; then rm -rf "$folder"; fi; \\
    done; \\
    find /pip -type f -size +20M -newermt @{since} -delete
"""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    command = [builder, "build", "--quiet", "-"]
    done = subprocess.run(command, input=dockerfile, env=environment, check=True, capture_output=True, text=True)
    docker("image", "rm", done.stdout.strip())
