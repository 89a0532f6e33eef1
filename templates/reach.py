"""What of a Python that starts in this environment leads into a folder: one JSON list on standard output, empty for nothing.

    python -c "$(cat reach.py)" FOLDER

It is asked of an image whose proof held, before that proof is taken for one of images with other files in FOLDER. It needs
Python 3.8 and the standard library. In doubt something leads there.
"""

import sys

# As in the proof: `-c` adds the folder that it starts in, and the proof takes it off.
PLACES = [entry for entry in sys.path if entry]

import glob
import json
import os

# Files of a place for modules that lead to other places, or are run at the start.
LEADS = ["*.pth", "*.egg-link", "__editable__*", "sitecustomize.py", "usercustomize.py"]

# What the dynamic linker reads (ld.so(8)).
LINKER = ["/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d/*"]


def within(path, folder):
    return (path.rstrip("/") + "/").startswith(folder.rstrip("/") + "/")


def meets(path, folder):
    real = os.path.realpath(path)
    return within(real, folder) or within(folder, real)


def leads(path, folder):
    """Whether a file of paths names the folder, as text or by a path that is relative to its own place."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    place = os.path.dirname(path)
    lines = [line.strip() for line in text.splitlines()] if path.endswith((".pth", ".egg-link")) else []
    return folder in text or any(meets(os.path.join(place, line), folder) for line in lines if is_path(line))


def is_path(line):
    return line and not line.startswith(("#", "import ", "import\t"))


def found(folder):
    if os.path.realpath(folder) != folder:
        yield "%s is a link" % folder
    for place in [sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.realpath(sys.executable)] + PLACES:
        if meets(place, folder):
            yield place
    patterns = [os.path.join(glob.escape(place), name) for place in PLACES if os.path.isdir(place) for name in LEADS]
    for pattern in patterns + LINKER:
        for path in glob.glob(pattern):
            if os.path.isfile(path) and leads(path, folder):
                yield path


if __name__ == "__main__":
    print(json.dumps(sorted(set(found(sys.argv[1])))))
