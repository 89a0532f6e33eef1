import os
import re
import sys

from setuptools import find_packages, setup

here = os.path.abspath(os.path.dirname(__file__))


def get_version():
    with open(os.path.join(here, "posenet", "version.py")) as f:
        return re.search(r'__version__ = "(.+?)"', f.read()).group(1)


def parse_requirements(fname="requirements.txt"):
    """The lines of a requirements file that ask for something."""
    with open(os.path.join(here, fname), encoding="utf-8") as f:
        lines = [line.strip() for line in f]
    return [line for line in lines if line and not line.startswith(("#", "-"))]


if sys.platform == "darwin":
    os.environ["MACOSX_DEPLOYMENT_TARGET"] = "10.15"

EXTRAS = {
    "dev": ["pytest>=7", "flake8"],
    "export": ["onnx>=1.14", 'onnxruntime-gpu; sys_platform == "linux"'],
}
EXTRAS["all"] = sorted({name for names in EXTRAS.values() for name in names})

setup(
    name="posenet",
    version=get_version(),
    packages=find_packages(exclude=("tests", "demo")),
    python_requires=">=3.8, <3.12",
    install_requires=parse_requirements("requirements/runtime.txt"),
    extras_require=EXTRAS,
    setup_requires=["setuptools_scm"],
    classifiers=["Programming Language :: Python :: 3.8", "Programming Language :: Python :: 3.10"],
    ext_modules=[],
    zip_safe=False,
)
