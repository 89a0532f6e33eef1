"""The images: what each stands on, what was done to it, and what `sconce verify` has to find in it."""

from dataclasses import dataclass

from images import Base


@dataclass(frozen=True)
class Case:
    """One image. It is good where no check is expected to fail; the checks that fail have to be these and no others."""

    name: str
    lines: str = ""
    checks: str = ""
    diagnoses: str = ""
    flags: str = ""
    base: str = "trixie"
    # Checks that may fail, too: where time or memory runs out is not ours to say.
    perhaps: str = ""
    # Whether what sconce prints for people is looked at, too.
    noisy: bool = False
    # The seconds that the proof may take; enough for a busy machine.
    limit: int = 900
    # What this machine's processor has to have for it (a flag of /proc/cpuinfo).
    needs: str = ""

    @property
    def good(self):
        return not (self.checks or self.diagnoses)


def install(packages):
    return (
        "RUN apt-get update \\\n"
        f" && apt-get install -y --no-install-recommends {packages} \\\n"
        " && rm -rf /var/lib/apt/lists/* /var/cache/apt/*\n"
    )


USER = "RUN useradd --create-home app\n"

# Each rung of the ladder stands on the one below it; the last is the good image that most cases break.
BASES = {
    "ladder-torch": Base("debian-13", install("python3-torch") + USER),
    "ladder-gxx": Base("ladder-torch", install("g++")),
    "ladder-setuptools": Base("ladder-gxx", install("python3-setuptools")),
    "ladder-headers": Base("ladder-setuptools", install("libtorch-dev python3-dev")),
    "ladder-sleef": Base("ladder-headers", install("libsleef-dev")),
    # Debian's torch, unlike a wheel, does not bring SLEEF into the kernels.
    "trixie": Base("ladder-sleef", "ENV LD_PRELOAD=libsleef.so.3\nUSER app"),
    "sid": Base(
        "debian-sid",
        install("python3-torch g++ python3-setuptools libtorch-dev libsleef-dev python3-dev openssl")
        + USER
        + "ENV LD_PRELOAD=libsleef.so.3\nUSER app",
    ),
    # torch from the package index, a CUDA build, in a venv.
    "index": Base(
        "debian-12",
        install("python3 python3-venv python3-dev g++ openssl")
        + USER
        + "RUN --mount=type=cache,target=/root/.cache --mount=type=secret,id=ca \\\n"
        "    if [ -e /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi; \\\n"
        "    python3 -m venv /opt/venv && python3 -m venv /tmp/uv && /tmp/uv/bin/pip install --quiet uv \\\n"
        " && UV_LINK_MODE=copy /tmp/uv/bin/uv pip install --quiet --python /opt/venv torch numpy setuptools \\\n"
        " && rm -r /tmp/uv\n"
        "ENV PATH=/opt/venv/bin:$PATH\n"
        "USER app",
    ),
}

GCC = "/usr/lib/gcc/*/*"
PACKAGES = "/usr/lib/python3/dist-packages"
SITE = "/usr/lib/python3.13/sitecustomize.py"

# torch's own libraries are links to Debian's, relative to where it is.
MOVABLE = (
    f"RUN for link in $(find {PACKAGES}/torch -type l); do \\\n"
    "      ln -sfn \"$(readlink -f \"$link\")\" \"$link\"; done \\\n"
    " && "
)

# `{}` is how torch gets there.
USER_SITE = MOVABLE + (
    "mkdir -p /home/app/.local/lib/python3.13/site-packages \\\n"
    f" && {{}} {PACKAGES}/torch {PACKAGES}/torch-* /home/app/.local/lib/python3.13/site-packages \\\n"
    " && chown -R app /home/app/.local"
)


def root(lines):
    """What root does to the image."""
    return f"USER root\n{lines}\nUSER app"


def startup(program, site=SITE):
    """Start-up code of the interpreter; `program` has no single quotes."""
    escaped = program.replace("\\", "\\\\").replace("\n", "\\n").replace("%", "%%")
    return root(f"RUN printf '{escaped}' > {site}")


def gxx(*script):
    """Another program in place of the compiler."""
    lines = "\\n".join(("#!/bin/sh",) + script)
    return root(f"RUN rm /usr/bin/g++ && printf '{lines}\\n' > /usr/bin/g++ && chmod 755 /usr/bin/g++")


LADDER = [
    Case("ladder-torch", "", "setuptools compiler headers compile openmp", "NO_CXX_COMPILER PYTHON_H_MISSING SETUPTOOLS_MISSING", base="ladder-torch"),
    Case("ladder-gxx", "", "setuptools headers compile", "PYTHON_H_MISSING SETUPTOOLS_MISSING", base="ladder-gxx"),
    Case("ladder-setuptools", "", "headers compile", "PYTHON_H_MISSING TORCH_HEADERS_MISSING", base="ladder-setuptools"),
    Case("ladder-headers", "", "kernels", "SLEEF_MISSING", base="ladder-headers"),
    Case("ladder-sleef", "", "kernels", "SLEEF_MISSING", base="ladder-sleef"),
    Case("ladder-preload", base="trixie"),
]

# The compiler and what it needs.
COMPILER = [
    Case("no-header", root("RUN rm /usr/include/python3.13/Python.h"), "headers compile", "PYTHON_H_MISSING"),
    Case("no-pyconfig", root("RUN rm /usr/include/*/python3.13/pyconfig.h"), "headers compile", "PYCONFIG_H_MISSING"),
    Case("no-libc-headers", root("RUN rm /usr/include/stdlib.h"), "compiler compile", "LIBC_HEADERS_MISSING"),
    Case("no-gxx", root("RUN rm /usr/bin/g++"), "compiler compile openmp", "NO_CXX_COMPILER"),
    Case("cxx-not-there", "ENV CXX=clang++-99", "compiler compile openmp", "NO_CXX_COMPILER"),
    Case("no-cc1plus", root("RUN rm $(g++ -print-prog-name=cc1plus)"), "compiler compile openmp", "CC1PLUS_MISSING"),
    Case("no-as", root("RUN rm /usr/bin/as /usr/bin/*-as"), "compiler compile openmp", "BINUTILS_MISSING"),
    Case("no-ld", root("RUN rm /usr/bin/ld* /usr/bin/*-ld*"), "compiler compile openmp", "BINUTILS_MISSING"),
    Case("gxx-does-nothing", gxx("exit 0"), "compiler compile openmp", "COMPILER_STUB"),
    Case("gxx-only-talks", gxx("echo g++ 14.2.0"), "compiler compile openmp", "COMPILER_STUB"),
    Case("no-setuptools", root(f"RUN rm -r {PACKAGES}/setuptools"), "setuptools compile", "SETUPTOOLS_MISSING"),
    Case("no-torch-headers", root("RUN rm -r /usr/include/ATen"), "compile", "TORCH_HEADERS_MISSING"),
    Case("no-sleef", "ENV LD_PRELOAD=", "kernels", "SLEEF_MISSING"),
    Case("no-openssl", root("RUN rm /usr/bin/openssl"), "openssl compile", "OPENSSL_MISSING", base="sid"),
]

# OpenMP: its header, and its library in four ways.
OPENMP = [
    Case("no-omp-header", root(f"RUN rm {GCC}/include/omp.h"), "compile openmp", "OMP_H_MISSING"),
    Case("no-libgomp-spec", root(f"RUN rm {GCC}/libgomp.spec"), "compile openmp", "OPENMP_LINK"),
    Case("no-libgomp-link", root(f"RUN rm {GCC}/libgomp.so"), "compile openmp", "OPENMP_LINK"),
    Case("no-libgomp-at-all", root(f"RUN rm {GCC}/libgomp.so {GCC}/libgomp.a"), "compile openmp", "OPENMP_LINK"),
    Case("no-libgomp-runtime", root("RUN rm /usr/lib/*/libgomp.so.1*"), "torch", "OPENMP_RUNTIME_MISSING"),
]

# A copy of the headers that says that it is of another Python.
OTHER = (
    "RUN mkdir -p /opt/other/include && cp -r /usr/include/python3.13 /opt/other/include/python3.12 \\\n"
    " && sed -i -e 's/PY_MINOR_VERSION.*13/PY_MINOR_VERSION 12/' -e 's/\"3.13.[0-9]*\"/\"3.12.9\"/' \\\n"
    "    /opt/other/include/python3.12/patchlevel.h"
)

# Another interpreter, another torch, another build than was meant.
OTHERS = [
    Case(
        "headers-of-another",
        root("RUN sed -i 's/\"3.13.[0-9]*\"/\"3.12.9\"/' /usr/include/python3.13/patchlevel.h"),
        "headers",
        "PYTHON_H_MISMATCH",
    ),
    Case(
        "headers-of-another-first",
        root(OTHER) + "\n" + gxx('exec /usr/bin/g++-14 -I/opt/other/include/python3.12 "$@"'),
        "headers",
        "PYTHON_H_MISMATCH",
    ),
    Case("cpu-for-cuda", checks="variant", diagnoses="OTHER_TORCH_BUILD", flags="--variant cuda"),
    Case("newer-than-planned", checks="version", diagnoses="OTHER_TORCH_VERSION", flags="--torch <2.6"),
    Case("older-than-planned", checks="version", diagnoses="OTHER_TORCH_VERSION", flags="--torch >=2.9"),
    Case(
        "second-torch-in-user-site",
        root(USER_SITE.format("cp -r")),
        "single",
        "SECOND_TORCH",
    ),
    Case("torch-without-its-libraries", root(f"RUN rm {PACKAGES}/torch/lib/*"), "torch", "TORCH_LIBRARY_MISSING"),
    Case("no-torch", root(f"RUN rm -r {PACKAGES}/torch"), "torch", "TORCH_MISSING"),
    Case("no-python", base="debian-13", checks="python", diagnoses="PYTHON_MISSING"),
    Case("other-architecture", base="arm64", checks="completed", diagnoses="OTHER_ARCHITECTURE"),
]

# A cache that was filled for other vectors gives wrong numbers, and says nothing.
BAKE = (
    "ENV TORCHINDUCTOR_CACHE_DIR=/home/app/cache TORCHINDUCTOR_FX_GRAPH_CACHE=1\n"
    "RUN {} python3 -c 'import torch; torch.compile(lambda x: (x.sin() + 1).sum(0))(torch.randn(64, 64))'"
)

# Where torch writes.
PLACES = [
    Case("cache-not-executable", "ENV TORCHINDUCTOR_CACHE_DIR=/dev/shm/cache", "cache", "CACHE_NOEXEC"),
    Case("tmp-not-executable", checks="cache", diagnoses="CACHE_NOEXEC", flags="--tmpfs /tmp"),
    Case("cache-read-only", "ENV TORCHINDUCTOR_CACHE_DIR=/sys/cache", "cache", "CACHE_READ_ONLY"),
    Case("root-read-only", checks="cache", diagnoses="NO_TMPDIR", flags="--read-only"),
    Case("tmp-full", checks="compile openmp", diagnoses="DISK_FULL", flags="--tmpfs /tmp:exec,size=1m"),
    Case(
        "cache-of-root",
        root("RUN mkdir /var/cache/torchinductor") + "\nENV TORCHINDUCTOR_CACHE_DIR=/var/cache/torchinductor",
        "cache",
        "CACHE_NOT_WRITABLE",
    ),
    Case("cache-of-another", root("RUN install -d -m 700 /tmp/torchinductor_app"), "cache", "CACHE_NOT_WRITABLE"),
    Case("no-tmp", root("RUN rm -r /tmp /var/tmp"), "cache compiler", "NO_TMPDIR"),
    Case("user-without-name", "USER 12345", "cache", "USER_WITHOUT_NAME"),
    Case("baked-for-narrower-vectors", BAKE.format("ATEN_CPU_CAPABILITY=avx2"), "baked", "CACHE_OTHER_ISA", needs="avx512f"),
    Case(
        "baked-for-vectors-run-scalar",
        BAKE.format("ATEN_CPU_CAPABILITY=avx2"),
        "baked",
        "CACHE_OTHER_ISA",
        flags="--env ATEN_CPU_CAPABILITY=default",
        needs="avx2",
    ),
]

# torch.compile in name only.
IDENTITY = (
    "import torch\n"
    "def compile(function=None, **options):\n"
    "    return function if function else lambda function: function\n"
    "torch.compile = compile\n"
)

# Switched off, or silenced.
SWITCHES = [
    Case("dynamo-disabled", "ENV TORCHDYNAMO_DISABLE=1", "enabled", "COMPILE_DISABLED"),
    Case("compile-disabled", "ENV TORCH_COMPILE_DISABLE=1", "enabled", "COMPILE_DISABLED", base="sid"),
    Case("errors-suppressed", "ENV TORCHDYNAMO_SUPPRESS_ERRORS=1", "enabled", "ERRORS_SUPPRESSED"),
    Case(
        "errors-suppressed-no-header",
        "ENV TORCHDYNAMO_SUPPRESS_ERRORS=1\n" + root("RUN rm /usr/include/python3.13/Python.h"),
        "enabled headers compile",
        "PYTHON_H_MISSING ERRORS_SUPPRESSED",
    ),
    Case("compile-stubbed", startup(IDENTITY), "enabled compile", "COMPILE_DISABLED"),
    Case(
        "errors-suppressed-at-start",
        startup("import torch._dynamo\ntorch._dynamo.config.suppress_errors = True\n"),
        "enabled",
        "ERRORS_SUPPRESSED",
    ),
]

# The compiled function runs when it is called first, and never again.
FIRST_CALL = (
    "import torch\n"
    "real = torch.compile\n"
    "def compile(function=None, **options):\n"
    "    if function is None:\n"
    "        return lambda function: compile(function, **options)\n"
    "    compiled, calls = real(function, **options), []\n"
    "    def call(*arguments):\n"
    "        calls.append(1)\n"
    "        return (function if calls[1:] else compiled)(*arguments)\n"
    "    return call\n"
    "torch.compile = compile\n"
)
STATIC = (
    "import torch\n"
    "real = torch.compile\n"
    "def compile(*arguments, **options):\n"
    "    options.pop(\"dynamic\", None)\n"
    "    return real(*arguments, dynamic=False, **options)\n"
    "torch.compile = compile\n"
)
EAGER = "import torch._inductor.compile_fx as it\nit.compile_fx = lambda graph, *arguments, **options: graph\n"
UNCACHED = "import torch._inductor.config as it\nit.fx_graph_cache = False\n"
# A compiler that compiles something else than it is given: a sigmoid that falls where it should rise.
WRONG = gxx(
    "for word; do case $word in *.cpp) sed -i \"s/[.]neg()[.]exp()/.exp()/\" $word ;; esac; done",
    "exec /usr/bin/g++-14 \"$@\"",
)

# What only a look at the compiled code shows.
COMPILED = [
    Case("backend-is-eager", startup(EAGER), "compile", "RAN_EAGER"),
    Case("first-call-only", startup(FIRST_CALL), "fallback", "RAN_EAGER"),
    Case("never-dynamic", startup(STATIC), "dynamic", "DYNAMIC_IGNORED"),
    Case("cache-switched-off", startup(UNCACHED), "warm", "CACHE_NOT_USED"),
    Case("wrong-numbers", WRONG, "forward backward", "WRONG_NUMBERS"),
]

FAKETIME = root(install("libfaketime")) + (
    "\nENV FAKETIME=-900d LD_PRELOAD=libsleef.so.3:/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
)

MOST = "torch enabled setuptools baked cache compiler headers openssl compile openmp"

# What the container may use.
LIMITS = [
    Case("little-memory", checks="completed", perhaps=MOST, diagnoses="OUT_OF_MEMORY", flags="--memory 256MiB"),
    Case("few-processes", checks="compiler compile openmp", diagnoses="TOO_MANY_PROCESSES", flags="--pids 4"),
    Case("clock-in-the-past", FAKETIME, "clock", "WRONG_CLOCK"),
    Case("little-time", perhaps=f"completed {MOST}", diagnoses="PROOF_TIMEOUT", limit=12),
]

NOISE = (
    "import os\n"
    "for line in range(2000):\n"
    "    os.write(1 + line % 2, bytes(range(256)) * 4 + b\"\\033]0;owned\\007\\033[2J\\033[31m\")\n"
)
FORGED = (
    "import json, os\n"
    "ids = \"python torch single variant clock enabled setuptools baked cache compiler headers openssl compile \"\n"
    "ids += \"kernels openmp forward backward fallback dynamic warm\"\n"
    "checks = [dict(id=i, title=i, outcome=\"pass\", evidence=\"forged\") for i in ids.split()]\n"
    "environment = dict(torch=\"2.6.0\", variant=\"cpu\", cpus=2)\n"
    "document = dict(schema=2, image=\"sha256:\" + \"0\" * 64, checks=checks, environment=environment)\n"
    "for descriptor in ({}):\n"
    "    try: os.write(descriptor, json.dumps(document).encode() + b\"\\n\")\n"
    "    except OSError: pass\n"
)
NO_GXX = root("RUN rm /usr/bin/g++")

# Images that mean no good.
HOSTILE = [
    Case("forged-on-stdout", startup(FORGED.format("1, 2")) + "\n" + NO_GXX, "compiler compile openmp", "NO_CXX_COMPILER"),
    Case("forged-beside-ours", startup(FORGED.format("1, 3")) + "\n" + NO_GXX, "completed", "PROOF_UNBELIEVABLE"),
    Case("forged-instead-of-ours", startup(FORGED.format("1, 3") + "os._exit(0)\n"), "completed", "PROOF_UNBELIEVABLE"),
    Case(
        "fork-bomb",
        startup("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"),
        "completed",
        "PROOF_NOT_STARTED",
        "--pids 100",
        limit=20,
    ),
    Case(
        "never-ends",
        startup("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass\n"),
        "completed",
        "PROOF_NOT_STARTED",
        limit=10,
    ),
    Case("noise-and-no-proof", startup(NOISE + "os._exit(3)\n"), "completed", "PROOF_UNBELIEVABLE", noisy=True),
    Case("no-shell-no-python", root("RUN rm /bin/sh /usr/bin/python3*"), "python", "PYTHON_MISSING"),
]

SABOTAGE = [*COMPILER, *OPENMP, *OTHERS, *PLACES, *SWITCHES, *COMPILED, *LIMITS, *HOSTILE]

VENV = MOVABLE + (
    "python3 -m venv --without-pip /opt/venv \\\n"
    f" && mv {PACKAGES}/* /opt/venv/lib/python3.13/site-packages\n"
    "ENV PATH=/opt/venv/bin:$PATH"
)
CONDA = MOVABLE + (
    "mkdir -p /opt/conda/bin /opt/conda/include \\\n"
    " && cp /usr/bin/python3.13 /opt/conda/bin && ln -s python3.13 /opt/conda/bin/python \\\n"
    " && mkdir /opt/conda/lib && mv /usr/lib/python3.13 /opt/conda/lib \\\n"
    " && mv /usr/include/python3.13 /opt/conda/include \\\n"
    f" && mkdir -p /opt/conda/lib/python3 && mv {PACKAGES} /opt/conda/lib/python3 \\\n"
    " && rm /usr/bin/python3*\n"
    "ENV PATH=/opt/conda/bin:$PATH"
)
# Images that must be proven, however odd they look.
GOOD = [
    Case("trixie-python-3.13"),
    Case("as-root", "USER root"),
    Case("any-uid-with-a-name", "ENV USER=app LOGNAME=app\nUSER 12345:0"),
    Case("one-cpu", flags="--cpus 1"),
    Case("two-gigabytes", flags="--memory 2GiB"),
    Case("read-only-with-tmpfs", flags="--read-only --tmpfs /tmp:exec"),
    Case("venv-in-opt", root(VENV)),
    Case("layout-of-conda", root(CONDA)),
    Case("torch-in-user-site", root(USER_SITE.format("mv"))),
    Case("no-shell", root("RUN rm /bin/sh")),
    Case("no-shell-python-named", root("RUN rm /bin/sh"), flags="--python /usr/bin/python3"),
    Case("tmp-elsewhere", root("RUN rm -r /tmp")),
    Case("headers-of-another-last", root(f"{OTHER}\nENV CPATH=/opt/other/include/python3.12")),
    Case("broken-entrypoint", 'ENTRYPOINT ["/not/there"]\nCMD ["neither"]'),
    Case("folder-named-torch", "WORKDIR /home/app/work\nRUN mkdir torch && echo 'import nothing' > json.py"),
    Case("noise", startup(NOISE)),
    Case("baked-for-this-isa", BAKE.format("")),
    Case("sid-python-3.14", base="sid"),
    Case("sid-any-uid", "USER 12345:0", base="sid"),
]

# torch of the package index is a CUDA build of 6 GB.
LARGE = [
    Case("index-python-3.11", base="index", flags="--variant cuda"),
    Case("index-any-uid", "USER 12345:0", base="index"),
    Case("index-no-openssl", root("RUN rm /usr/bin/openssl"), "openssl compile", "OPENSSL_MISSING", base="index"),
]

CASES = [*GOOD, *LADDER, *SABOTAGE, *LARGE]
