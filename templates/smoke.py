"""The proof that torch.compile works in the environment that runs this program.

    python -c "$(cat smoke.py)" [BRIEF]

It needs Python 3.8, the standard library and torch, and no network. It writes one JSON document on standard output;
whatever else prints, prints on standard error. BRIEF is a JSON object, each part optional:

  checks    the checks to make, by their names below; all but those of GPUs where it does not say
  variant   the build of torch that was planned: {"name": "cpu" | "cuda" | "rocm" | "xpu" | "any", "version": "13.2"}
  image     what the document is to say that it speaks of: an image's id. Nothing that was put into that image can know it
  now       the time outside, in seconds since 1970
  seconds   the time that the proof may take
  document  the file descriptor of the document, in place of 1
  compiles  uses of torch.compile to try: [{"id": "compile:mode=max-autotune", "title": "…", "options": {…}}]
  smoke     a check of the user's own: {"name": "check.py", "text": "…"}

What each check proves, and how it cannot be faked:

  python      this interpreter runs
  torch       torch can be imported: an import, not a look for a folder of that name
  single      no other torch hides behind it: one in the user's site-packages is gone for any other user
  variant     torch is the planned build: asked of torch itself
  clock       the clock is right: what compares times of files, caches and certificates relies on it
  cache       the directories that torch takes by itself are writable, and libraries load from them
  baked       a compile cache that the image brings was made for vectors as wide as those of this processor: torch does not
              look, and computes wrong numbers. Other instructions than vectors are not looked for
  enabled     torch.compile is on, and its errors are raised: a backend of ours has to be called. With errors suppressed a
              failed compile returns the right values, from eager mode
  setuptools  torch's own build helpers can be imported
  compiler    the compiler that torch takes builds a library, which is loaded, called, and returns the right value
  headers     Python.h is the running interpreter's, where the compiler finds it first: compiled, and its version compared
  openssl     torch finds the program that it hashes precompiled headers with
  compile     with an empty cache the compiler has run, and new libraries have appeared, without a graph break
  kernels     torch has generated kernels, with vector instructions where this processor has them; a probe that fails
              silently makes them scalar
  openmp      the kernels' own symbol tables import OpenMP's entry point, and a parallel region has two threads
  forward     the values are those of eager mode, and of float64
  backward    the gradients are, too
  fallback    a profiler sees the generated code run, forward and backward, and nothing compile again
  dynamic     one graph serves several sizes
  warm        a second process takes everything from the cache, runs no compiler, and has the same values
  gpu…        on a GPU: the driver's library loads, Triton's C compiler and ptxas run, a kernel of ours is launched, a
              compiled function has generated Triton kernels, and both have the values of the CPU
  compile:…   torch.compile as the project calls it compiles, and has the values of eager mode
  smoke       the user's own program ends with status 0

Each group of checks is a process of its own, so that a crash in one is a failed check and not a missing answer:
  look  sees the image as it is, its environment untouched;
  cold  compiles with empty caches, so that the compiler has to run;
  warm  compiles the same again with the caches that `cold` left;
  gpu, project and smoke are made where they are asked for.
"""

import sys

# The working directory is no part of what is proven: a folder named `torch` in it would pass for the real one.
sys.path[:] = [entry for entry in sys.path if entry]

import ctypes
import datetime
import faulthandler
import getpass
import importlib
import json
import os
import platform
import re
import select
import shlex
import shutil
import signal
import site
import struct
import subprocess
import sysconfig
import tempfile
import time
import traceback

# Every check, in the order of the answer.
TITLES = {
    "python": "a Python interpreter runs",
    "torch": "torch can be imported",
    "single": "one torch is installed, whoever runs it",
    "variant": "torch is the planned build",
    "clock": "the clock is right",
    "cache": "the cache directory is writable and executable",
    "baked": "a compile cache that the image brings was made for vectors as wide as this processor's",
    "enabled": "torch.compile is switched on, and errors are not suppressed",
    "setuptools": "torch finds setuptools, which it needs to call the compiler",
    "compiler": "the C++ compiler builds a library that loads",
    "headers": "the headers are those of the running interpreter",
    "openssl": "the openssl program is there where torch calls it",
    "compile": "a cold compile runs the compiler, without a graph break",
    "kernels": "kernels were generated, with vector instructions where the CPU has them",
    "openmp": "OpenMP works, and the generated kernels use it",
    "forward": "compiled values agree with eager and with float64",
    "backward": "compiled gradients agree with eager and with float64",
    "fallback": "calls run the generated code, not eager",
    "dynamic": "one dynamic graph serves several sizes",
    "warm": "a second process reuses the cache, with the same values",
    "gpu": "torch computes on a GPU",
    "gpu-driver": "the driver's library libcuda.so.1 loads",
    "gpu-compiler": "Triton's C compiler builds an extension of this Python",
    "gpu-ptxas": "Triton's assembler ptxas runs",
    "gpu-kernel": "a Triton kernel is launched, and computes what it should",
    "gpu-compile": "torch.compile generates Triton kernels, with the values of the CPU",
    "smoke": "the project's own check passes",
}
NAMES = list(TITLES)
LOOK = NAMES[: NAMES.index("compile")]
COLD = NAMES[NAMES.index("compile") : NAMES.index("warm")]
WARM = ["warm"]
GPU = NAMES[NAMES.index("gpu") : NAMES.index("smoke")]
SMOKE = ["smoke"]

# Switches that turn compilation, or the failures of it, off. `look` sees them; the other processes go on without them,
# so that the rest of the evidence is there all the same.
SWITCHES = [
    "TORCHDYNAMO_DISABLE",
    "TORCH_COMPILE_DISABLE",
    "TORCHDYNAMO_SUPPRESS_ERRORS",
    "TORCH_COMPILE_OVERRIDE_BACKENDS",
    "TORCHINDUCTOR_FORCE_DISABLE_CACHES",
]

# The relative error that float32 may have; a kernel for another CPU is off by 1 and more.
TOLERANCE = 1e-4
# A GPU may multiply with fewer digits (TF32 has 10 bits of them).
GPU_TOLERANCE = 1e-2

torch = None  # imported by each process on its own


class Failed(Exception):
    """A check does not hold; `error` is what a tool said, where one did."""

    def __init__(self, evidence, error=""):
        super().__init__(evidence)
        self.error = error or evidence


class Skipped(Exception):
    """A check cannot be made."""


class Stage:
    """Makes those checks that are wanted in this process, and hands each to the parent at once."""

    def __init__(self, pipe, wanted):
        self.pipe = pipe
        self.wanted = wanted
        self.outcomes = {}

    def say(self, kind, value):
        os.write(self.pipe, json.dumps({kind: value}).encode() + b"\n")

    def passed(self, identity):
        return self.outcomes.get(identity) == "pass"

    def check(self, identity, function, needs=()):
        if identity not in self.wanted:
            return
        started = time.monotonic()
        facts, error = {}, ""
        try:
            for other in needs:
                if not self.passed(other):
                    raise Skipped("needs `%s`, which did not pass" % other)
            outcome, evidence = "pass", function(facts)
        except Skipped as reason:
            outcome, evidence = "skip", str(reason)
        except Failed as failure:
            outcome, evidence, error = "fail", str(failure), failure.error
        except BaseException as failure:  # a compiler error, an import that exits: all are answers
            outcome, evidence, error = "fail", cause(failure), traceback.format_exc()
        self.outcomes[identity] = outcome
        seconds = round(time.monotonic() - started, 3)
        self.say("check", check(identity, outcome, evidence, facts, error, seconds))


def check(identity, outcome, evidence, facts=None, error="", seconds=0.0):
    return {
        "id": identity,
        "title": TITLES[identity],
        "outcome": outcome,
        "evidence": evidence,
        "facts": facts or {},
        "error": clip(error),
        "seconds": seconds,
    }


def clip(text, limit=64000):
    """The text without its middle where it is long: a compiler's first errors and a traceback's end say the most."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return text[:half] + "\n[... %d characters ...]\n" % (len(text) - limit) + text[-half:]


# Where a failure is told: in the output of a compiler or linker, or at the start of an exception within another.
TELLING = re.compile(r"error: |\bld: |[Cc]annot |No such file|undefined |not supported |^\w*(Error|Exception)\b")
ENVELOPE = re.compile(r"^\w*CppCompileError|^Command:|^backend='")


def cause(error):
    """The line of an exception that says the most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not ENVELOPE.match(line)]
    telling = told(lines) or (lines[0] if lines else "no message")
    name = type(error).__name__
    return clip(telling if telling.startswith(name) else "%s: %s" % (name, telling), 400)


def told(lines):
    return next((line.strip() for line in lines if TELLING.search(line)), "")


def count(number, noun):
    return "%d %s%s" % (number, noun, "" if number == 1 else "s")


# --- look: the image as it is ---------------------------------------------------------------------------------------


def look(stage, brief):
    stage.say("environment", environment())
    stage.check("python", python_runs)
    stage.check("torch", torch_imports)
    if stage.passed("torch"):
        stage.say("environment", {"torch": str(torch.__version__), "variant": installed_variant()})
    stage.check("single", torch_is_single, needs=["torch"])
    stage.check("variant", lambda facts: variant_is_planned(facts, brief), needs=["torch"])
    stage.check("clock", lambda facts: clock_is_right(facts, brief))
    stage.check("cache", cache_is_usable, needs=["torch"])
    stage.check("baked", lambda facts: baked_cache_fits(facts, stage), needs=["torch"])
    stage.check("enabled", lambda facts: compile_is_enabled(facts, stage), needs=["torch"])
    stage.check("setuptools", setuptools_is_found, needs=["torch"])
    workspace = make_workspace() if stage.passed("torch") else None
    stage.say("workspace", workspace)
    stage.check("compiler", lambda facts: compiler_works(facts, workspace), needs=["torch"])
    stage.check("headers", lambda facts: headers_match(facts, workspace if stage.passed("compiler") else None))
    stage.check("openssl", openssl_is_there, needs=["torch"])


def environment():
    try:
        name = getpass.getuser()
    except Exception:  # KeyError, and OSError from Python 3.13 on, for a user id without a name
        name = "no name"
    return {
        "executable": sys.executable,
        "python": platform.python_version(),
        "user": "%d:%d (%s)" % (os.getuid(), os.getgid(), name),
        "cpu": cpu_field("model name") or platform.machine(),
        "cpus": processors(),
        "libc": " ".join(platform.libc_ver()).strip(),
    }


def processors():
    """Those that this process may use; only Linux says which."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_field(name):
    try:
        with open("/proc/cpuinfo") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
    except OSError:
        return ""


def python_runs(facts):
    facts["prefix"] = sys.prefix
    return "%s %s at %s" % (platform.python_implementation(), platform.python_version(), sys.executable)


def torch_imports(facts):
    import_torch()
    facts["path"] = torch.__file__
    return "torch %s at %s" % (torch.__version__, os.path.dirname(torch.__file__))


def import_torch():
    global torch
    torch = importlib.import_module("torch")
    if not getattr(torch, "__file__", None):
        raise Failed("`torch` is a folder without a torch in it: %s" % list(torch.__path__))


def torch_version():
    return tuple(int(part) for part in re.findall(r"\d+", str(torch.__version__))[:2])


def installed_variant():
    for name, label in (("cuda", "cuda"), ("hip", "rocm"), ("xpu", "xpu")):
        version = getattr(torch.version, name, None)
        if version:
            return "%s %s" % (label, ".".join(str(version).split(".")[:2]))
    return "cpu"


def torch_is_single(facts):
    """Only the user's own folder is a trap: any other torch on the path is there, or hidden, for every user alike."""
    found = []
    for entry in sys.path:
        folder = os.path.join(entry, "torch")
        if os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.realpath(folder) not in found:
            found.append(os.path.realpath(folder))
    facts["found"] = found
    own = os.path.realpath(site.getusersitepackages()) if site.ENABLE_USER_SITE else None
    if own and len(found) > 1 and found[0].startswith(own + os.sep):
        raise Failed("%s hides %s from this user, and from no other" % (found[0], ", ".join(found[1:])))
    hidden = ", which hides " + ", ".join(found[1:]) if len(found) > 1 else ""
    return "%s%s" % (found[0] if found else os.path.dirname(torch.__file__), hidden)


def clock_is_right(facts, brief):
    """The container has its clock from the kernel; a library that is preloaded may turn it."""
    here, outside = time.time(), brief.get("now")
    facts["here"], facts["outside"] = here, outside
    shown = datetime.datetime.fromtimestamp(here, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")
    if outside is None:
        return "%s; no other clock was given" % shown
    if abs(here - outside) > 86400:
        raise Failed("the clock says %s, which is off by %s" % (shown, count(round(abs(here - outside) / 86400), "day")))
    return "%s (UTC)" % shown


def variant_is_planned(facts, brief):
    planned = brief.get("variant") or {"name": "any"}
    installed = installed_variant()
    facts["installed"] = installed
    wanted = " ".join(filter(None, [planned["name"], planned.get("version")]))
    if planned["name"] == "any":
        return "%s; no build was asked for" % installed
    if installed == wanted or installed.split(" ")[0] == wanted:
        return "%s, as planned" % installed
    raise Failed("planned was %s, installed is %s" % (wanted, installed))


def imported(name, stage):
    """Modules that write into the cache directory when they are imported fail for its reasons, which `cache` tells."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        if "cache" in stage.wanted and not stage.passed("cache"):
            raise Skipped("`%s` cannot be imported, see `cache`: %s" % (name, cause(error)))
        raise


def compile_is_enabled(facts, stage):
    """Asks the configuration, and then calls torch.compile with a backend of ours to see that it is called."""
    imported("torch._dynamo", stage)
    facts["variables"] = {name: os.environ[name] for name in SWITCHES if name in os.environ}
    config = torch._dynamo.config
    wrong = []
    if config.suppress_errors:
        wrong.append("suppress_errors is on, so that a failed compile silently runs in eager mode")
    if getattr(config, "disable", False):
        wrong.append("torch._dynamo.config.disable is set")
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    try:
        torch.compile(lambda tensor: tensor + 1, backend=backend)(torch.ones(3))
    except Exception as error:
        if not wrong and "cache" in stage.wanted and not stage.passed("cache"):
            raise Skipped("torch.compile cannot be called, see `cache`: " + cause(error))
        raise
    if not graphs:
        wrong.append("torch.compile does not call its backend")
    if wrong:
        variables = ", ".join("%s=%s" % pair for pair in sorted(facts["variables"].items()))
        raise Failed("; ".join(wrong) + (" (%s)" % variables if variables else ""))
    caches = "; its caches are switched off (TORCHINDUCTOR_FORCE_DISABLE_CACHES), and on for the proof"
    off = "TORCHINDUCTOR_FORCE_DISABLE_CACHES" in facts["variables"]
    return "torch.compile calls its backend, and its errors are raised" + (caches if off else "")


def setuptools_is_found(facts):
    importlib.import_module("torch.utils.cpp_extension")
    setuptools = sys.modules.get("setuptools")
    if setuptools is None:
        return "torch %s imports its build helpers without setuptools" % torch.__version__
    facts["version"] = str(getattr(setuptools, "__version__", ""))
    return "setuptools %s" % facts["version"]


# The loop of a vectorised kernel takes so many numbers of 32 bits at a time.
STEP = re.compile(r"x\d+\s*\+=\s*(?:static_cast<(?:int64_t|long)>\()?(\d+)L*\)?")
LANES = {"avx512": 16, "amx": 16, "avx2": 8, "sve256": 8, "neon": 4, "asimd": 4, "vsx": 4, "zvector": 4}


def baked_cache_fits(facts, stage):
    """The key of a cached kernel does not hold the vector instructions that it was generated for."""
    codecache = imported("torch._inductor.codecache", stage)
    if not stage.passed("cache"):
        raise Skipped("needs `cache`, which did not pass")
    directory = codecache.cache_dir()
    kernels = [os.path.join(folder, name) for folder, _, names in os.walk(directory) for name in names
               if name.endswith(".cpp")]
    steps = {}
    for path in kernels:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if "at::vec::" in text:
            # Tiles of other sizes are smaller, never larger.
            lanes = max([int(step) for step in STEP.findall(text) if int(step) in (4, 8, 16)] or [0])
            steps[lanes] = steps.get(lanes, 0) + 1
    facts["directory"], facts["kernels"], facts["lanes"] = directory, len(kernels), sorted(steps)
    if not kernels:
        return "%s holds no kernels" % directory
    isa = vector_isa()
    here = next((lanes for name, lanes in LANES.items() if isa.startswith(name)), 0)
    others = sorted(lanes for lanes in steps if lanes and lanes != here)
    if others:
        raise Failed("%s holds kernels for vectors of %s numbers; this processor's %s take %s: values would be wrong"
                     % (directory, " and ".join(map(str, others)), isa or "scalar instructions", here or 1))
    what = "for the vectors of this processor (%s)" % isa if here in steps else "of scalar code"
    return "%s holds %s, %s" % (directory, count(len(kernels), "kernel"), what)


def cache_is_usable(facts):
    """The directories that torch takes by itself, since programs in this image will use these and not ours."""
    tempfile.gettempdir()
    codecache = importlib.import_module("torch._inductor.codecache")
    try:
        cache = codecache.cache_dir()
    except OSError as error:
        if error.errno is None:  # what else it needs, such as the user's name
            raise
        raise OSError("the cache directory of torch.compile cannot be made: %s" % error) from error
    facts["cache"] = cache
    facts["temporary"] = tempfile.gettempdir()
    load_library_from(cache)
    with tempfile.NamedTemporaryFile():  # precompiled headers go there
        pass
    return "%s: a library was written there and loaded" % cache


def load_library_from(directory):
    """Loads torch's own extension module from `directory`, which needs no compiler."""
    import torch._C

    os.makedirs(directory, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="sconce-", dir=directory)
    try:
        ctypes.CDLL(shutil.copy(torch._C.__file__, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_workspace():
    """A new directory for the caches of the proof, in the first place that lets libraries load; None without any."""
    for place in (tempfile.gettempdir, lambda: os.environ["TORCHINDUCTOR_CACHE_DIR"], lambda: "/var/tmp",
                  lambda: "/dev/shm", os.getcwd, lambda: os.path.expanduser("~")):
        try:
            load_library_from(place())
            return tempfile.mkdtemp(prefix="sconce-proof-", dir=place())
        except (OSError, KeyError, AttributeError):
            continue
    return None


def compiler_works(facts, workspace):
    command = compiler_command()
    facts["command"] = shlex.join(command)
    facts["path"] = shutil.which(command[0]) or ""
    said = run_tool(command + ["--version"]).splitlines()
    if not said:
        raise Failed("%s --version says nothing" % command[0])
    facts["version"] = said[0]
    if workspace is None:
        raise Skipped("%s, but no directory lets a library load" % facts["version"])
    source = "#include <cmath>\n#include <vector>\nextern \"C\" int answer() { return std::vector<int>(42).size(); }\n"
    library = build_library(workspace, "answer", source, [])
    if library.answer() != 42:
        raise Failed("a library made by %s returns wrong values" % facts["version"])
    return "%s at %s" % (facts["version"], facts["path"])


def compiler_command():
    """The compiler that Inductor chooses; it is found in another module in each generation of torch."""
    for module, name in (("cpp_builder", "get_cpp_compiler"), ("codecache", "cpp_compiler")):
        try:
            chosen = getattr(importlib.import_module("torch._inductor." + module), name)
        except (ImportError, AttributeError):
            continue
        return shlex.split(chosen())
    return shlex.split(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++"))


def run_tool(command, **options):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        failure = "%s failed with status %d" % (command[0], done.returncode)
        raise Failed("%s: %s" % (failure, told(text.splitlines()) or "it says nothing"),
                     "%s\n%s" % (shlex.join(command), text))
    return text


def build_library(workspace, name, source, options):
    path = os.path.join(workspace, name)
    with open(path + ".cpp", "w") as file:
        file.write(source)
    command = compiler_command() + ["-shared", "-fPIC", path + ".cpp", "-o", path + ".so"] + options
    text = run_tool(command)
    if not os.path.exists(path + ".so"):
        raise Failed("%s ended with status 0, but wrote no library" % command[0], "%s\n%s" % (shlex.join(command), text))
    return ctypes.CDLL(path + ".so")


def headers_match(facts, workspace):
    """Looks where Inductor looks. With a `workspace` the compiler reads them too, and finds what they include."""
    folder = sysconfig.get_path("include")
    facts["include"] = folder
    for name in ("Python.h", "pyconfig.h", "patchlevel.h"):
        if not os.path.isfile(os.path.join(folder, name)):
            raise Failed("%s is not in %s" % (name, folder))
    with open(os.path.join(folder, "patchlevel.h"), encoding="utf-8", errors="replace") as file:
        found = re.search(r'#\s*define\s+PY_VERSION\s+"([^"]+)"', file.read())
    facts["version"] = found.group(1) if found else ""
    running = sys.version.split()[0]
    if facts["version"] != running:
        raise Failed("%s holds the headers of Python %s, but %s runs" % (folder, facts["version"] or "?", running))
    if workspace is not None:
        # Folders that CPATH names come before those that the compiler itself knows, and torch's `-I` before these.
        probe = os.path.join(workspace, "python.cpp")
        with open(probe, "w") as file:
            file.write("#include <Python.h>\nsconce_version PY_VERSION\n")
        text = run_tool(compiler_command() + ["-E", "-P", "-I" + folder, probe])
        seen = re.search(r'^sconce_version "([^"]+)"', text, re.MULTILINE)
        if not seen or seen.group(1) != running:
            raise Failed("the compiler takes the headers of Python %s, but %s runs"
                         % (seen.group(1) if seen else "?", running))
    return "%s/Python.h, of Python %s" % (folder, running)


def openssl_is_there(facts):
    config = importlib.import_module("torch._inductor.config")
    if not getattr(config, "cpp_cache_precompile_headers", False) or torch_version() < (2, 8):
        return "not needed: torch %s precompiles no headers here" % torch.__version__
    try:
        facts["version"] = run_tool(["openssl", "version"]).strip()
    except OSError as error:
        raise Failed("torch %s hashes precompiled headers with the openssl program, which is not there"
                     % torch.__version__, cause(error))
    return "%s at %s" % (facts["version"], shutil.which("openssl"))


# --- cold: a compile with empty caches ------------------------------------------------------------------------------


def layer(x, weight, bias):
    hidden = torch.tanh(x @ weight + bias)
    return (torch.softmax(hidden, dim=-1) * torch.sigmoid(x)).sum(dim=-1)


def pointwise(x, y):
    return (torch.sin(x) + torch.relu(y)).sum(dim=0)


def inputs(dtype=None):
    """The same tensors in every process, and enough numbers in them to be worth two threads."""
    generator = torch.Generator().manual_seed(13)
    shapes = [(512, 256), (256, 256), (256,)]
    tensors = [torch.randn(shape, generator=generator) for shape in shapes]
    return [tensor.to(dtype or torch.float32).requires_grad_() for tensor in tensors]


def run_layer(function, tensors):
    """The values and the gradients."""
    values = function(*tensors)
    values.square().sum().backward()
    return [values.detach()] + [tensor.grad for tensor in tensors]


def restore(workspace):
    """An environment in which compilation is on and every cache is ours; before torch is imported."""
    for name in SWITCHES:
        os.environ.pop(name, None)
    for name, folder in (("TMPDIR", "tmp"), ("TORCHINDUCTOR_CACHE_DIR", "cache"), ("TRITON_CACHE_DIR", "triton")):
        os.environ[name] = os.path.join(workspace, folder)
        os.makedirs(os.environ[name], exist_ok=True)
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # in this process, where its runs can be counted
    os.environ["TORCHINDUCTOR_FX_GRAPH_CACHE"] = "1"  # torch 2.2 to 2.4 ask for it
    import_torch()
    import torch._dynamo

    for name in ("suppress_errors", "disable"):  # something else than a variable may have set them
        if getattr(torch._dynamo.config, name, False):
            setattr(torch._dynamo.config, name, False)
    # With one thread Inductor writes no parallel region, and a container with one CPU would look like one without OpenMP.
    torch.set_num_threads(max(2, torch.get_num_threads()))


class Observer:
    """Sees what a compile really does: graphs, runs of the compiler, libraries that appear."""

    def __init__(self):
        from torch._dynamo.utils import counters
        from torch._inductor import metrics

        self.counters, self.metrics = counters, metrics
        self.program = compiler_command()[0]
        self.commands = []
        sys.addaudithook(self.see)
        self.isa = vector_isa()
        self.probes, self.commands = self.commands, []  # what the search for vector instructions ran makes no kernel
        self.before = set(self.all_libraries())
        torch._dynamo.reset()
        counters.clear()
        metrics.reset()

    def see(self, event, arguments):
        if event == "subprocess.Popen":
            _, command, folder, variables = arguments
            command = shlex.split(command) if isinstance(command, str) else [str(part) for part in command]
            self.commands.append((command, folder, variables))

    def compiler_runs(self):
        """The runs that make code; `-E` makes the text of a header."""
        return sum(
            command[:1] == [self.program] and "-o" in command and "-E" not in command for command, _, _ in self.commands
        )

    def why_scalar(self):
        """Inductor keeps the failure of its probes for itself: the first that fails again says why."""
        for command, folder, variables in list(self.probes):
            folder = folder if folder and os.path.isdir(folder) else None
            try:
                run_tool(command, cwd=folder, env=variables)
            except Failed as failure:
                return str(failure), failure.error
        return "", ""

    def all_libraries(self):
        for folder, _, names in os.walk(os.environ["TORCHINDUCTOR_CACHE_DIR"]):
            for name in names:
                if name.endswith(".so"):
                    yield os.path.join(folder, name)

    def libraries(self):
        return sorted(path for path in self.all_libraries() if path not in self.before)

    def graphs(self):
        return self.counters["stats"]["unique_graphs"]


def vector_isa():
    """The instruction set that kernels are written for, such as `avx2`; empty for scalar code."""
    try:
        module = importlib.import_module("torch._inductor.cpu_vec_isa")
    except ImportError:  # torch 2.4 and older
        module = importlib.import_module("torch._inductor.codecache")
    isa = module.pick_vec_isa()
    return str(isa) if isa else ""


class Cold:
    """The checks of the cold compile; they share one."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.observer = None
        self.compiled = None
        self.results = None

    def compile(self, facts):
        restore(self.workspace)
        seen = self.observer = Observer()
        self.compiled = torch.compile(layer, fullgraph=True)
        self.results = run_layer(self.compiled, inputs())
        facts["graphs"] = seen.graphs()
        facts["graph_breaks"] = sum(seen.counters["graph_break"].values())
        facts["compiler_runs"] = seen.compiler_runs()
        facts["libraries"] = len(seen.libraries())
        nouns = {"graphs": "graph", "graph_breaks": "graph break", "compiler_runs": "compiler run",
                 "libraries": "new shared object"}
        summary = ", ".join(count(facts[name], noun) for name, noun in nouns.items())
        if facts["graph_breaks"] or not all(facts[name] for name in ("graphs", "compiler_runs", "libraries")):
            raise Failed("torch.compile did not compile: " + summary)
        try:
            torch.save(self.results, os.path.join(self.workspace, "results.pt"))
        except (OSError, RuntimeError):  # torch's own writer says where it was, and not why
            raise Failed("no room for the results: No space left on device", traceback.format_exc())
        return summary

    def kernels(self, facts):
        metrics, isa = self.observer.metrics, self.observer.isa
        facts["generated"] = metrics.generated_kernel_count
        facts["vectorised"] = metrics.generated_cpp_vec_kernel_count
        facts["isa"] = isa
        if not facts["generated"]:
            raise Failed("no kernel was generated")
        summary = "%s, %d vectorised" % (count(facts["generated"], "kernel"), facts["vectorised"])
        if isa and facts["vectorised"]:
            return "%s for %s" % (summary, isa)
        if vectors_are_expected():
            why, error = self.observer.why_scalar()
            evidence = "%s: only scalar code, though this CPU has vector instructions" % summary
            raise Failed(evidence + (" (%s)" % why if why else ""), error)
        return "%s: scalar code, as this CPU or ATEN_CPU_CAPABILITY asks for" % summary

    def openmp(self, facts, compiled):
        """First a program of our own, which says what is missing, then the kernels."""
        source = "#include <omp.h>\nextern \"C\" int threads() {\n  int count = 0;\n" \
                 "  #pragma omp parallel num_threads(2) reduction(+ : count)\n  count += 1;\n  return count;\n}\n"
        facts["threads"] = build_library(self.workspace, "threads", source, ["-fopenmp"]).threads()
        if not compiled:
            raise Skipped("the compiler knows OpenMP, but there is no kernel to look into")
        entries = {"GOMP_parallel", "__kmpc_fork_call"}  # of GCC, and of Clang
        parallel = [path for path in self.observer.libraries() if entries & set(imported_symbols(path))]
        facts["kernels"] = len(parallel)
        if not parallel:
            raise Failed("none of the generated shared objects imports GOMP_parallel")
        imports = " and ".join(sorted(entries & set(imported_symbols(parallel[0]))))
        return "%s import %s; a parallel region ran in %s" % (
            count(len(parallel), "generated shared object"), imports, count(facts["threads"], "thread"))

    def forward(self, facts):
        return compare(facts, self.results[:1], eager(torch.float32)[:1], eager(torch.float64)[:1])

    def backward(self, facts):
        return compare(facts, self.results[1:], eager(torch.float32)[1:], eager(torch.float64)[1:])

    def fallback(self, facts):
        """Watches one more call: the code that Inductor wrote, forward and backward, has to be what runs."""
        cache = os.path.realpath(os.environ["TORCHINDUCTOR_CACHE_DIR"])
        ran = set()

        def watch(frame, event, _argument):
            if event == "call" and frame.f_code.co_name == "call":
                ran.add(os.path.realpath(frame.f_code.co_filename))

        tensors = inputs()
        before = self.observer.graphs()
        sys.setprofile(watch)
        try:
            run_layer(self.compiled, tensors)
        finally:
            sys.setprofile(None)
        generated = sorted(path for path in ran if path.startswith(cache))
        facts["generated_modules"] = len(generated)
        if self.observer.graphs() != before:
            raise Failed("a second call with the same shapes compiled again")
        if len(generated) < 2:
            raise Failed("%d of the 2 generated modules, forward and backward, ran" % len(generated))
        return "the generated modules of forward and backward ran, without compiling again"

    def dynamic(self, facts):
        compiled = torch.compile(pointwise, fullgraph=True, dynamic=True)
        before = self.observer.graphs()
        sizes = [(64, 48), (96, 33), (257, 130)]
        for rows, columns in sizes:
            x, y = torch.randn(rows, columns), torch.randn(rows, columns)
            compare({}, [compiled(x, y)], [pointwise(x, y)], [pointwise(x.double(), y.double())])
        facts["graphs"] = self.observer.graphs() - before
        if facts["graphs"] != 1:
            raise Failed("%d graphs for %d sizes" % (facts["graphs"], len(sizes)))
        return "1 graph for %d sizes, with the values of eager" % len(sizes)


def cold(stage, workspace):
    checks = Cold(workspace)
    stage.check("compile", checks.compile)
    compiled = stage.passed("compile")
    stage.check("kernels", checks.kernels, needs=["compile"])
    stage.check("openmp", lambda facts: checks.openmp(facts, compiled))
    for name in ("forward", "backward", "fallback", "dynamic"):
        stage.check(name, getattr(checks, name), needs=["compile"])


def vectors_are_expected():
    if os.environ.get("ATEN_CPU_CAPABILITY") == "default":
        return False
    if platform.machine() == "aarch64":
        return torch_version() >= (2, 6)  # NEON kernels on Linux
    return "avx2" in cpu_field("flags").split()


def imported_symbols(path):
    """The names in the dynamic symbol table of an ELF file of 64 bits; `readelf` may not be there."""
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[5] == 1 else ">"
    table, size, count = struct.unpack_from(order + "Q10xHH", data, 40)
    sections = [struct.unpack_from(order + "IIQQQQIIQQ", data, table + size * index) for index in range(count)]
    for section in sections:
        if section[1] == 11:  # SHT_DYNSYM; its link is the table of names
            names = sections[section[6]][4]
            for offset in range(section[4], section[4] + section[5], 24):
                start = names + struct.unpack_from(order + "I", data, offset)[0]
                yield data[start : data.index(b"\0", start)].decode("ascii", "replace")


def eager(dtype):
    return run_layer(layer, inputs(dtype))


def compare(facts, values, expected, exact, tolerance=TOLERANCE):
    """Compiled values against those of eager mode and of float64, which eager's own have to be close to as well."""
    facts["error_to_eager"] = relative_error(values, expected)
    facts["error_to_float64"] = relative_error(values, exact)
    facts["eager_to_float64"] = relative_error(expected, exact)
    # Written so that a NaN fails.
    if not facts["eager_to_float64"] <= tolerance:
        raise Failed("eager mode itself computes wrong numbers: its largest relative error to float64 is %.1e"
                     % facts["eager_to_float64"])
    summary = "largest relative error %.1e to eager, %.1e to float64" % (
        facts["error_to_eager"], facts["error_to_float64"])
    if not (facts["error_to_eager"] <= tolerance and facts["error_to_float64"] <= tolerance):
        raise Failed("wrong numbers: " + summary)
    return summary


def relative_error(values, expected):
    """The largest error of any tensor, in parts of that tensor's largest number. Of Python's `max` a NaN could get lost."""
    worst = torch.zeros((), dtype=torch.float64)
    for one, other in zip(values, expected):
        one, other = one.double(), other.double()
        worst = torch.maximum(worst, (one - other).abs().max() / other.abs().max().clamp_min(1e-30))
    return float(worst)


# --- warm: the same in a second process -----------------------------------------------------------------------------


def warm(stage, workspace):
    stage.check("warm", lambda facts: cache_is_reused(facts, workspace))


def cache_is_reused(facts, workspace):
    restore(workspace)
    seen = Observer()
    results = run_layer(torch.compile(layer, fullgraph=True), inputs())
    inductor, autograd = seen.counters["inductor"], seen.counters["aot_autograd"]
    facts["hits"] = inductor["fxgraph_cache_hit"] + autograd["autograd_cache_hit"]
    facts["misses"] = inductor["fxgraph_cache_miss"]
    facts["compiler_runs"] = seen.compiler_runs()
    facts["error_to_cold"] = relative_error(results, torch.load(os.path.join(workspace, "results.pt")))
    summary = "cache hits %(hits)d, misses %(misses)d, compiler runs %(compiler_runs)d" % facts
    has_graph_cache = torch_version() >= (2, 2)
    if facts["compiler_runs"] or facts["misses"] or (has_graph_cache and not facts["hits"]):
        raise Failed("the cache was not reused: " + summary)
    if not facts["error_to_cold"] <= TOLERANCE:
        raise Failed("wrong numbers from the cache: largest relative error %.1e" % facts["error_to_cold"])
    return summary + ", and the same values"


# --- project: torch.compile as the project calls it ------------------------------------------------------------------


def project(stage, workspace, compiles):
    restore(workspace)
    for use in compiles:
        stage.check(use["id"], lambda facts, use=use: use_compiles(facts, use["options"]))


def use_compiles(facts, options):
    backend = options.get("backend")
    known = torch._dynamo.list_backends(exclude_tags=())
    if backend and backend not in known:
        raise Skipped("the back end `%s` is not among those of this torch (%s): whatever adds it was not imported"
                      % (backend, ", ".join(known)))
    if backend == "cudagraphs" and not torch.cuda.is_available():
        raise Skipped("the back end `cudagraphs` needs a GPU")
    torch._dynamo.reset()
    counters = importlib.import_module("torch._dynamo.utils").counters
    counters.clear()
    compiled = torch.compile(layer, **options)
    summary = compare(facts, run_layer(compiled, inputs()), eager(torch.float32), eager(torch.float64))
    facts["graphs"] = counters["stats"]["unique_graphs"]
    if not facts["graphs"]:
        raise Failed("torch.compile made no graph")
    return "%s; %s" % (count(facts["graphs"], "graph"), summary)


# --- gpu: the path of Triton -----------------------------------------------------------------------------------------


KERNEL = """
import triton
import triton.language as tl


@triton.jit
def scale(source, target, size, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < size
    tl.store(target + offsets, tl.load(source + offsets, mask=inside) * 3 + 1, mask=inside)


def run(source, target):
    size = source.numel()
    scale[(triton.cdiv(size, 256),)](source, target, size, BLOCK=256)
"""


def gpu(stage, workspace):
    restore(workspace)
    stage.check("gpu", gpu_computes)
    stage.check("gpu-driver", driver_loads, needs=["gpu"])
    stage.check("gpu-compiler", lambda facts: triton_builds(facts, workspace), needs=["gpu"])
    stage.check("gpu-ptxas", ptxas_runs, needs=["gpu"])
    stage.check("gpu-kernel", lambda facts: kernel_is_launched(facts, workspace), needs=["gpu"])
    stage.check("gpu-compile", compiled_on_gpu, needs=["gpu"])


def gpu_computes(facts):
    """No device is a reason to skip; a device that torch cannot use is a failure."""
    devices = [name for name in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg") if os.path.exists(name)]
    facts["devices"] = devices
    if not devices and not torch.cuda.is_available():
        raise Skipped("the container has no GPU")
    if not torch.cuda.is_available():
        try:
            torch.cuda.init()
        except Exception as error:
            raise Failed("the container has a GPU, but torch cannot use it: " + cause(error), traceback.format_exc())
        raise Failed("the container has a GPU, but torch cannot use it")
    facts["name"] = torch.cuda.get_device_name(0)
    facts["capability"] = list(torch.cuda.get_device_capability(0))
    if float((torch.ones(1000, device="cuda") * 2).sum()) != 2000:
        raise Failed("%s computes wrong values" % facts["name"])
    return "%s, compute capability %d.%d" % ((facts["name"],) + torch.cuda.get_device_capability(0))


def driver_loads(facts):
    if torch.version.hip:
        raise Skipped("a build for ROCm does not use it")
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise Failed(cause(error))
    return "libcuda.so.1 loads"


def triton_builds(facts, workspace):
    """Triton builds its launcher with the C compiler, against Python.h, when the first kernel runs."""
    command = shlex.split(os.environ.get("CC", "")) or [shutil.which("gcc") or shutil.which("clang") or ""]
    if not shutil.which(command[0]):
        raise Failed("Triton finds no C compiler: neither `CC` nor gcc nor clang", "RuntimeError: Failed to find C compiler. "
                     "Please specify via CC environment variable.")
    path = os.path.join(workspace, "launcher")
    with open(path + ".c", "w") as file:
        file.write("#include <Python.h>\nint version(void) { return PY_VERSION_HEX; }\n")
    include = sysconfig.get_path("include")
    run_tool(command + ["-shared", "-fPIC", "-I" + include, path + ".c", "-o", path + ".so"])
    if ctypes.CDLL(path + ".so").version() != sys.hexversion:
        raise Failed("the C compiler takes the headers of another Python")
    return "%s builds an extension" % command[0]


def ptxas_runs(facts):
    if torch.version.hip:
        raise Skipped("a build for ROCm does not use it")
    triton = importlib.import_module("triton")
    bundled = os.path.join(os.path.dirname(triton.__file__), "backends", "nvidia", "bin", "ptxas")
    older = os.path.join(os.path.dirname(triton.__file__), "common", "..", "third_party", "cuda", "bin", "ptxas")
    for path in (os.environ.get("TRITON_PTXAS_PATH"), bundled, older, shutil.which("ptxas")):
        if path and os.path.exists(path):
            facts["path"] = path
            return "%s at %s" % (run_tool([path, "--version"]).splitlines()[-1].strip(), path)
    raise Failed("Triton has no ptxas: neither its own nor one in the PATH")


def kernel_is_launched(facts, workspace):
    """Triton reads the text of its kernels, so that this one has to be in a file."""
    with open(os.path.join(workspace, "sconce_kernel.py"), "w") as file:
        file.write(KERNEL)
    sys.path.insert(0, workspace)
    module = importlib.import_module("sconce_kernel")
    source = torch.arange(10000, dtype=torch.float32, device="cuda")
    target = torch.zeros_like(source)
    module.run(source, target)
    torch.cuda.synchronize()
    if not torch.equal(target.cpu(), torch.arange(10000, dtype=torch.float32) * 3 + 1):
        raise Failed("a Triton kernel of the proof's own computes wrong values")
    return "a kernel of the proof's own filled 10000 numbers as it should"


def compiled_on_gpu(facts):
    metrics = importlib.import_module("torch._inductor.metrics")
    torch._dynamo.reset()
    metrics.reset()
    here = [tensor.detach().to("cuda").requires_grad_() for tensor in inputs()]
    values = [value.cpu() for value in run_layer(torch.compile(layer, fullgraph=True), here)]
    facts["kernels"] = metrics.generated_kernel_count
    facts["binaries"] = sum(name.endswith((".cubin", ".hsaco")) for _, _, names in os.walk(os.environ["TRITON_CACHE_DIR"])
                            for name in names)
    facts["inductor_binaries"] = sum(name.endswith((".cubin", ".hsaco"))
                                     for _, _, names in os.walk(os.environ["TORCHINDUCTOR_CACHE_DIR"]) for name in names)
    if not facts["kernels"] or not (facts["binaries"] or facts["inductor_binaries"]):
        raise Failed("torch.compile generated no Triton kernel")
    summary = compare(facts, values, eager(torch.float32), eager(torch.float64), tolerance=GPU_TOLERANCE)
    return "%s; %s" % (count(facts["kernels"], "kernel"), summary)


# --- smoke: the user's own check -------------------------------------------------------------------------------------


def smoke(stage, workspace, script):
    stage.check("smoke", lambda facts: own_check_passes(facts, workspace, script))


def own_check_passes(facts, workspace, script):
    """A program as any other in this image: its environment, its working directory, its caches."""
    path = os.path.join(workspace, os.path.basename(script["name"]))
    with open(path, "w", encoding="utf-8") as file:
        file.write(script["text"])
    # What stands in the working directory can be imported, as by `python check.py` there.
    variables = dict(os.environ)
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
    done = subprocess.run([sys.executable, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=variables)
    text = done.stdout.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    facts["status"] = done.returncode
    if done.returncode:
        how = "status %d" % done.returncode if done.returncode > 0 else signal_name(-done.returncode)
        telling = [line for line in lines if TELLING.search(line) and not ENVELOPE.match(line)]
        raise Failed("`%s` ended with %s: %s" % (script["name"], how, clip((telling or lines or ["it says nothing"])[-1], 400)),
                     text)
    return clip("it ended with status 0" + (": " + lines[-1] if lines else ""), 400)


# --- the parent: runs the three, and answers ------------------------------------------------------------------------


# Why a check was not made, where an earlier one took its process along.
ENDED_BEFORE = "the process that makes it ended before: "


class Answer:
    def __init__(self, deadline, wanted):
        self.deadline = deadline
        self.wanted = wanted
        self.checks = {}
        self.environment = {}
        self.workspace = None
        self.last_words = []
        self.process = None  # the one that is going on

    def run(self, identities, function, *arguments):
        """Runs `function` in a process of its own; where it dies, the check that it was at has failed."""
        identities = self.wants(identities)
        how, trace = self.collect(*start(function, self.wanted, arguments))
        missing = [identity for identity in identities if identity not in self.checks]
        for identity in missing[:1]:
            self.checks[identity] = check(identity, "fail", how, error="%s\n%s" % (how, trace))
        self.skip(missing[1:], ENDED_BEFORE + how)

    def collect(self, process, pipe):
        """Takes in what a process says until it ends: how it ended, and what its last words were."""
        self.process = process
        text, late = b"", False
        while True:
            if not select.select([pipe], [], [], max(0, self.deadline - time.monotonic()))[0]:
                late = True
                os.killpg(process, signal.SIGKILL)
                break
            chunk = os.read(pipe, 65536)
            if not chunk:
                break
            *lines, text = (text + chunk).split(b"\n")
            for line in lines:
                self.take(line.decode("utf-8", "replace"))
        os.close(pipe)
        _, status = os.waitpid(process, 0)
        self.process = None
        last_words, self.last_words = "\n".join(self.last_words), []
        return how_it_ended(status, late), last_words

    def stop(self):
        """Ends what is going on, with its compilers."""
        try:
            os.killpg(self.process, signal.SIGKILL) if self.process else None
        except OSError:  # it has ended
            pass

    def take(self, line):
        if not line.startswith("{"):
            self.last_words.append(line)  # of the fault handler
            return
        message = json.loads(line)
        self.environment.update(message.get("environment", {}))
        self.workspace = message.get("workspace", self.workspace)
        if "check" in message:
            self.checks[message["check"]["id"]] = message["check"]

    def wants(self, identities):
        return [identity for identity in identities if identity in self.wanted]

    def passed(self, identity):
        return self.checks.get(identity, {}).get("outcome") == "pass"

    def skip(self, identities, reason):
        for identity in self.wants(identities):
            self.checks.setdefault(identity, check(identity, "skip", reason))

    def document(self, image):
        checks = [self.checks[identity] for identity in self.wanted]
        return {"schema": 2, "image": image, "checks": checks, "environment": self.environment}


def start(function, wanted, arguments):
    """Forks before torch is imported: as good as a new interpreter, and needs no file to run."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.setsid()  # a group that can be killed with its compilers
            os.close(reader)
            faulthandler.enable(file=writer, all_threads=False)
            function(Stage(writer, wanted), *arguments)
        except BaseException:
            traceback.print_exc()
            os._exit(70)
        os._exit(0)
    os.close(writer)
    return process, reader


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        return "signal %d" % number


def how_it_ended(status, late):
    if late:
        return "stopped: the time was up"
    if os.WIFSIGNALED(status):
        return "the process died of %s" % signal_name(os.WTERMSIG(status))
    return "the process ended with status %d" % os.WEXITSTATUS(status)


def main(brief):
    # The document's descriptor is kept for the document; what libraries and tools print goes to standard error.
    document = os.dup(brief.get("document", 1))
    os.dup2(2, 1)
    compiles = brief.get("compiles", [])
    TITLES.update((use["id"], use["title"]) for use in compiles)
    uses = [use["id"] for use in compiles]
    wanted = brief.get("checks", LOOK + COLD + WARM) + uses
    answer = Answer(time.monotonic() + brief.get("seconds", 600), wanted)
    answer.run(LOOK, look, brief)
    rest = COLD + WARM + uses + GPU + SMOKE
    if not answer.passed("torch"):
        answer.skip(rest, "torch cannot be imported")
    elif answer.wants(LOOK) and answer.checks[answer.wants(LOOK)[-1]]["outcome"] == "skip":
        answer.skip(rest, "the process that looks at the image ended before its end")
    elif answer.workspace is None:
        answer.skip(rest, "no directory is writable and lets libraries load")
    else:
        compile_and_more(answer, compiles, uses, brief)
    if answer.workspace is not None:
        shutil.rmtree(answer.workspace, ignore_errors=True)
    write(answer, brief, document)


def write(answer, brief, document):
    answer.environment["others"] = others(answer)
    with os.fdopen(document, "wb") as out:
        text = json.dumps(finite(answer.document(brief.get("image", ""))), ensure_ascii=False)
        out.write(text.encode("utf-8", "replace") + b"\n")


def compile_and_more(answer, compiles, uses, brief):
    if answer.wants(COLD):
        answer.run(COLD, cold, answer.workspace)
    if answer.passed("compile"):
        if answer.wants(WARM):
            answer.run(WARM, warm, answer.workspace)
        if uses:
            answer.run(uses, project, answer.workspace, compiles)
    else:
        answer.skip(WARM + uses, "needs `compile`, which did not pass")
    if answer.wants(GPU):
        answer.run(GPU, gpu, answer.workspace)
    if answer.wants(SMOKE):
        answer.run(SMOKE, smoke, answer.workspace, brief["smoke"])


PROBE = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib.util
found = importlib.util.find_spec("torch")
sys.stderr.write("\\nsconce: torch at %s" % (found.origin if found else ""))
"""


def others(answer):
    """Of the interpreters that the second argument lists, one a line, those that have a torch of their own."""
    known = {answer.checks.get("torch", {}).get("facts", {}).get("path")}
    found = []
    for path in sys.argv[2].split("\n") if len(sys.argv) > 2 else []:
        if not path or time.monotonic() > answer.deadline:
            continue
        try:
            done = subprocess.run([path, "-c", PROBE], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=10)
        except (OSError, subprocess.SubprocessError):
            continue  # none that could be taken
        origin = done.stderr.decode("utf-8", "replace").rpartition("sconce: torch at ")[2].strip()
        if done.returncode == 0 and origin and origin not in known:
            known.add(origin)
            found.append(path)
    return found


def finite(value):
    """JSON has no infinity and no NaN: they are told in words."""
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [finite(part) for part in value]
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value


if __name__ == "__main__":
    main(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})
