#!/usr/bin/env python
"""Turns attention maps into a video."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from model import GPT  # noqa: E402

try:
    import cv2
except ImportError:
    cv2 = None


def main(argv):
    if cv2 is None:
        sys.exit("needs OpenCV")
    import numpy

    from utils import paths

    writer = cv2.VideoWriter(str(paths.OUT / "maps.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 24, (256, 256))
    for name in argv:
        writer.write(numpy.load(name))
    return GPT


if __name__ == "__main__":
    main(sys.argv[1:])
