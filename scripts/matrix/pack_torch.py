"""Runs in an image that has Debian's own torch: writes it as a wheel, with `+cpu` in its version, on standard output.

The Python part goes into the wheel. The libraries and the headers, which Debian keeps in folders of the system and links to,
stay there: the packages libtorch2.6 and libtorch-dev bring them.
"""

import base64
import hashlib
import importlib.metadata
import io
import sys
import zipfile
from pathlib import Path

VERSION = "2.6.0+cpu"
INFO = f"torch-{VERSION}.dist-info"


def files(root):
    """Each file of the wheel, by its name in it."""
    for package in ("torch", "torchgen", "functorch"):
        for path in sorted((root / package).rglob("*")):
            linked_library = path.is_symlink() and path.stat().st_size > 1_000_000
            if path.is_file() and "__pycache__" not in path.parts and not linked_library:
                yield str(path.relative_to(root)), path.read_bytes()
    needs = "".join(f"Requires-Dist: {need}\n" for need in importlib.metadata.distribution("torch").requires)
    yield f"{INFO}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {VERSION}\n{needs}".encode()
    yield f"{INFO}/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp313-cp313-linux_x86_64\n"


def wheel(root):
    out, record = io.BytesIO(), ""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files(root):
            if name == "torch/version.py":
                content = content.replace(b"2.6.0+debian", VERSION.encode())
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(content)}\n"
            archive.writestr(name, content)
        archive.writestr(f"{INFO}/RECORD", record + f"{INFO}/RECORD,,\n")
    return out.getvalue()


sys.stdout.buffer.write(wheel(Path("/usr/lib/python3/dist-packages")))
