

# --- doctor: a quick look at a machine or an image --------------------------------------------------------------------
#
# This goes on where smoke.py ends: the two are one program. It makes those checks of the proof that look before anything
# is compiled, and others besides, which a machine without torch can be asked, too. BRIEF is as there, and:
#
#   lacking  what it is that there is no torch: "warning" on a machine, where it can be installed; else a failure
#
# A check that fails with the fact `warning` keeps nobody from compiling.
#
# Nothing stays: what is written for a look is removed, and so are the folders that torch makes when it is asked for them.

import glob
import importlib.util

DOCTOR = {
    "libc": "the C library is one that wheels of torch are made for",
    "user": "the user has a name, which the cache directory is named after",
    "room": "there is room for what is compiled",
    "memory": "there is memory for the compiler",
    "processors": "there are processors to compile on",
    "toolchain": "a library with OpenMP and Python.h is compiled, linked and loaded in the cache directory",
}

BASICS = ["python", "libc", "user", "memory", "processors"]
EXAMINED = ["torch", "single", "enabled", "cache", "room", "baked", "setuptools", "compiler", "headers", "toolchain", "openssl"]
GRAPHICS = ["gpu", "gpu-driver", "gpu-compiler", "gpu-ptxas"]

# What the precompiled headers of one small model take of the temporary directory, and one compiler at its peak of memory.
HEADERS = 152 * 10**6
COMPILER = 750 * 10**6

# Up to this release torch takes no cache directory for a user without a name, and from this one on it calls openssl.
NAMED_UP_TO = (2, 12)
OPENSSL_FROM = (2, 8)


def warning(facts, evidence, error=""):
    facts["warning"] = True
    return Failed(evidence, error)


def size(number):
    return "%.1f GB" % (number / 1e9) if number >= 1e9 else "%d MB" % (number // 1000000)


# What is asked of any machine.


def basics(stage):
    stage.say("environment", environment())
    stage.check("python", interpreter_runs)
    stage.check("libc", libc_is_known)
    stage.check("user", user_has_a_name)
    stage.check("memory", memory_is_enough)
    stage.check("processors", processors_are_there)


def interpreter_runs(facts):
    facts["base_prefix"] = sys.base_prefix
    facts["conda"] = os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
    facts["virtual"] = sys.prefix != sys.base_prefix
    facts["uv"] = kept_by_uv()
    facts["free_threaded"] = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    facts["architecture"] = platform.machine()
    facts["system"] = system()
    return python_runs(facts)


def kept_by_uv():
    """uv notes itself in the environments that it makes."""
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as lines:
            return any(line.split("=")[0].strip() == "uv" for line in lines)
    except OSError:
        return False


def system():
    """The distribution and those that it is like, as `ubuntu debian`; elsewhere the kernel's name."""
    try:
        with open("/etc/os-release", encoding="utf-8", errors="replace") as lines:
            fields = dict(line.rstrip("\n").split("=", 1) for line in lines if "=" in line)
    except OSError:
        return platform.system().lower()
    return " ".join(fields.get(name, "").strip("\"'") for name in ("ID", "ID_LIKE")).strip()


def libc_is_known(facts):
    if not sys.platform.startswith("linux"):
        raise Skipped("%s has one for all programs" % platform.system())
    if "musl" in str(sysconfig.get_config_var("SOABI")) or "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")):
        raise Failed("this Python is built for musl", "torch has no wheels with a matching platform: there are none for musl")
    name, version = platform.libc_ver()
    facts["version"] = version
    if name != "glibc" or not version:
        raise Skipped("the interpreter does not say which it is")
    return "glibc %s" % version


def user_has_a_name(facts):
    try:
        return "%s, with the number %d" % (getpass.getuser(), os.getuid())
    except Exception as error:  # KeyError, and OSError from Python 3.13 on
        text = "%s: %s" % (type(error).__name__, error)
        raise Failed("the user %d has no name" % os.getuid(), text)


def memory_is_enough(facts):
    free, limit = available(), memory_limit()
    if free is None:
        raise Skipped("%s does not say how much is free" % platform.system())
    left = free if limit is None else min(free, limit)
    facts["available"] = left
    shown = "%s free" % size(left) + (" below the limit of the control group" if limit is not None and limit < free else "")
    if left < COMPILER:
        raise warning(facts, "%s: one compiler takes up to %s" % (shown, size(COMPILER)))
    at_once = compilers_at_once()
    facts["compilers"] = at_once
    room = left // COMPILER
    if room < at_once:
        facts["variable"] = "TORCHINDUCTOR_COMPILE_THREADS=%d" % room
        raise warning(facts, "%s: torch runs up to %s at once here, of up to %s each" % (
            shown, count(at_once, "compiler"), size(COMPILER)))
    return "%s, for up to %s of %s each" % (shown, count(at_once, "compiler"), size(COMPILER))


def available():
    """The memory in bytes that programs can still have; only Linux says it in a file."""
    try:
        with open("/proc/meminfo") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def control_groups(controller):
    """The folders of the control groups of this process, its own first. In a container its own is the root."""
    try:
        with open("/proc/self/cgroup") as lines:
            groups = [line.rstrip("\n").split(":", 2) for line in lines]
    except OSError:
        return
    for _, controllers, path in groups:
        if controllers and controller not in controllers.split(","):
            continue
        root = "/sys/fs/cgroup" + ("/" + controllers if controllers else "")
        while True:
            yield root + path.rstrip("/")
            if path in ("", "/"):
                break
            path = os.path.dirname(path)


def number_in(*path):
    try:
        with open(os.path.join(*path)) as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):  # `max` is no limit
        return None


def memory_limit():
    """What the tightest control group still allows. Files that were read count as used, but give way."""
    left = []
    for folder in control_groups("memory"):
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            most, now = number_in(folder, limit), number_in(folder, used)
            if most is not None and now is not None and most < 1 << 60:
                left.append(most - now + read_files(folder))
    return min(left) if left else None


def read_files(folder):
    try:
        with open(os.path.join(folder, "memory.stat")) as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)
    except (OSError, ValueError):
        return 0


def compilers_at_once():
    try:
        return max(1, int(os.environ["TORCHINDUCTOR_COMPILE_THREADS"]))
    except (KeyError, ValueError):
        return min(32, processors())


def processors_are_there(facts):
    here, share = processors(), processor_share()
    facts["processors"], facts["share"] = here, share
    limited = "" if share is None or share >= here else ", and the time of %.1f of them" % share
    return "%s for %s%s" % (count(here, "processor"), platform.machine(), limited)


def processor_share():
    shares = []
    for folder in control_groups("cpu"):
        try:
            with open(os.path.join(folder, "cpu.max")) as file:
                quota, period = file.read().split()
            shares.append(int(quota) / int(period))
        except (OSError, ValueError, ZeroDivisionError):
            quota, period = number_in(folder, "cpu.cfs_quota_us"), number_in(folder, "cpu.cfs_period_us")
            if quota and period and quota > 0:
                shares.append(quota / period)
    return min(shares) if shares else None


# What torch will need, asked of torch itself where it is there.


def examine(stage, brief):
    stage.check("torch", lambda facts: torch_is_there(facts, brief))
    if stage.passed("torch"):
        stage.say("environment", {"torch": str(torch.__version__), "variant": installed_variant()})
    stage.check("single", torch_is_single, needs=["torch"])
    # Before `enabled`, whose modules write into the cache directory when they are imported.
    workspace = Workspace(stage)
    stage.check("cache", workspace.in_cache)
    stage.check("room", room_is_enough)
    stage.check("enabled", lambda facts: compiling_is_enabled(facts, stage))
    stage.check("baked", lambda facts: baked_cache_fits(facts, stage), needs=["torch"])
    stage.check("setuptools", setuptools_is_there)
    stage.check("compiler", lambda facts: compiler_is_there(facts, workspace.path))
    stage.check("headers", lambda facts: headers_match(facts, workspace.path if stage.passed("compiler") else None))
    headers = stage.passed("headers")
    stage.check("toolchain", lambda facts: toolchain_works(facts, workspace.path, headers), needs=["compiler"])
    stage.check("openssl", openssl_is_installed)


def torch_is_there(facts, brief):
    if importlib.util.find_spec("torch") is None:
        facts["warning"] = brief.get("lacking") == "warning"
        raise Failed("torch is not installed", "ModuleNotFoundError: No module named 'torch'")
    torch_imports(facts)
    return "torch %s for %s at %s" % (torch.__version__, installed_variant(), os.path.dirname(torch.__file__))


def cache_directory():
    """By torch's own rules; by its own word, where it can be asked."""
    if torch:
        return importlib.import_module("torch._inductor.codecache").cache_dir()
    return expected_cache()


def expected_cache():
    named = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    if named is not None:
        return named
    try:
        name = re.sub(r'[\\/:*?"<>|]', "_", getpass.getuser())
    except Exception:
        name = str(os.getuid())
    return os.path.join(tempfile.gettempdir(), "torchinductor_" + name)


class Workspace:
    """A new folder to compile in: in the cache directory, and where that cannot be used, in another place, so that the
    other checks can be made all the same."""

    def __init__(self, stage):
        self.stage = stage
        self.path = None
        self.make(tempfile.gettempdir)

    def make(self, place):
        try:
            self.take(tempfile.mkdtemp(prefix="sconce-doctor-", dir=place()))
            load_an_extension_from(self.path)
        except OSError:
            self.drop()

    def take(self, path):
        self.drop()
        self.path = path
        self.stage.say("workspace", path)

    def drop(self):
        if self.path:
            shutil.rmtree(self.path, ignore_errors=True)
            self.stage.say("workspace", None)
        self.path = None

    def in_cache(self, facts):
        cache = cache_directory()
        facts["cache"] = cache
        os.makedirs(cache, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="sconce-doctor-", dir=cache)
        try:
            loaded = load_an_extension_from(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.take(folder)
        return "%s: %s" % (cache, "a library was written there and loaded" if loaded else "it can be written to")


def load_an_extension_from(directory):
    """Loads a copy of some extension module from `directory`, which needs no compiler. False where this Python has none:
    some are linked as one file."""
    own = [torch._C.__file__] if torch else []
    for path in own + [getattr(sys.modules["_ctypes"], "__file__", None) or ""] + glob.glob(
            os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload", "*.so")):
        if os.path.isfile(path):
            ctypes.CDLL(shutil.copy(path, directory))
            return True
    return False


def room_is_enough(facts):
    """Of the temporary directory, where precompiled headers go, and of the cache directory, where that is elsewhere."""
    shown = []
    for folder in dict.fromkeys([tempfile.gettempdir(), nearest(expected_cache())]):
        numbers = os.statvfs(folder)
        free = numbers.f_bavail * numbers.f_frsize
        facts[folder] = free
        if free < HEADERS:
            raise Failed("%s has room for %s: precompiled headers of one small model take %s" % (
                folder, size(free), size(HEADERS)), "You don't have enough free space in %s" % folder)
        if numbers.f_files and not numbers.f_favail:
            raise Failed("%s has no room for another file: its inodes are used up" % folder,
                         "You don't have enough free space in %s" % folder)
        shown.append((numbers.f_fsid, folder, "%s free in %s" % (size(free), folder)))
    first = shown[0]
    return "; ".join([first[2]] + [text for system, _, text in shown[1:] if system != first[0]])


def nearest(folder):
    """The folder, or what is there of the way to it."""
    folder = os.path.abspath(folder)
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def compiling_is_enabled(facts, stage):
    if torch:
        return compile_is_enabled(facts, stage)
    switches = {name: os.environ[name] for name in SWITCHES[:4] if os.environ.get(name, "0") not in ("", "0")}
    facts["variables"] = switches
    if switches:
        raise Failed("set in the environment: " + ", ".join("%s=%s" % pair for pair in sorted(switches.items())))
    return "no variable switches it off"


def setuptools_is_there(facts):
    if torch:
        return setuptools_is_found(facts)
    try:
        return "setuptools %s" % getattr(importlib.import_module("setuptools"), "__version__", "")
    except ImportError as error:
        raise Skipped("not installed; torch brings it where it asks for it (%s)" % cause(error))


def compiler_is_there(facts, workspace):
    command = compiler_command()
    if not shutil.which(command[0]):
        named = " (`CXX` names it)" if os.environ.get("CXX") else ""
        raise Failed("the C++ compiler `%s` is not there%s" % (command[0], named),
                     "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, '%s')"
                     % command[0])
    return compiler_works(facts, workspace)


TOOLCHAIN = """
#include <omp.h>
%s
extern "C" int threads() {
  int count = 0;
  #pragma omp parallel num_threads(2) reduction(+ : count)
  count += 1;
  return count;
}
"""


def toolchain_works(facts, workspace, headers):
    """The library is made where torch would make its own, unless `cache` has failed."""
    if workspace is None:
        raise Skipped("no directory lets a library load")
    options = openmp_options() + ["-I" + sysconfig.get_path("include")]
    source = TOOLCHAIN % ("#include <Python.h>" if headers else "")
    threads = build_library(workspace, "threads", source, options).threads()
    facts["threads"] = threads
    facts["folder"] = os.path.dirname(workspace)
    what = "OpenMP and Python.h" if headers else "OpenMP"
    return "a library with %s was compiled, linked and loaded in %s; it ran in %s" % (
        what, facts["folder"], count(threads, "thread"))


def openmp_options():
    """As torch calls the compiler; Apple's has OpenMP, but brings no library."""
    if sys.platform != "darwin":
        return ["-fopenmp"]
    places = [os.environ.get("OMP_PREFIX"), os.environ.get("CONDA_PREFIX"), "/opt/homebrew/opt/libomp", "/usr/local/opt/libomp"]
    prefix = next((place for place in places if place and os.path.exists(os.path.join(place, "include", "omp.h"))), None)
    folders = ["-I%s/include" % prefix, "-L%s/lib" % prefix, "-Wl,-rpath,%s/lib" % prefix] if prefix else []
    return ["-Xclang", "-fopenmp"] + folders + ["-lomp"]


def openssl_is_installed(facts):
    if torch:
        return openssl_is_there(facts)
    try:
        facts["version"] = run_tool(["openssl", "version"]).strip()
    except OSError as error:
        raise warning(facts, "torch %d.%d and newer call the openssl program, which is not there" % OPENSSL_FROM, cause(error))
    return "%s at %s" % (facts["version"], shutil.which("openssl"))


def gpu_side(stage, workspace):
    """Of a GPU only what Triton needs; whether it computes, the proof shows."""
    restore(workspace)
    stage.check("gpu", gpu_is_used)
    stage.check("gpu-driver", driver_loads, needs=["gpu"])
    stage.check("gpu-compiler", lambda facts: triton_builds(facts, workspace), needs=["gpu"])
    stage.check("gpu-ptxas", ptxas_runs, needs=["gpu"])


def gpu_is_used(facts):
    if not torch.cuda.is_available() and not torch.version.cuda and not torch.version.hip:
        raise Skipped("this torch is built for the %s" % installed_variant().upper())
    return gpu_computes(facts)


# The parent.


def end_with_children(_number, _frame):
    raise SystemExit(143)


def doctor(brief):
    document = os.dup(brief.get("document", 1))
    os.dup2(2, 1)
    TITLES.update(DOCTOR)
    signal.signal(signal.SIGTERM, end_with_children)
    answer = Answer(time.monotonic() + brief.get("seconds", 120), brief["checks"])
    new = new_folders()
    answers = [answer]
    try:
        answer.run(BASICS, basics)
        answer.run(EXAMINED, examine, brief)
        if answer.passed("torch") and answer.workspace:
            answer.run(GRAPHICS, gpu_side, answer.workspace)
        else:
            answer.skip(GRAPHICS, "without torch there is nothing that would use one")
        # Where torch has taken the process with it, the other checks are made without torch.
        lost = [known["id"] for known in answer.checks.values() if known["evidence"].startswith(ENDED_BEFORE)]
        if lost and time.monotonic() < answer.deadline:
            answers.append(Answer(answer.deadline, lost))
            answers[1].run(lost, examine, brief)
            answer.checks.update(answers[1].checks)
    finally:
        for one in answers:
            one.stop()
            if one.workspace:
                shutil.rmtree(one.workspace, ignore_errors=True)
        remove_empty(new)
    name_is_needed(answer)
    write(answer, brief, document)


def new_folders():
    """The folders that looking at the cache directory will make, the innermost first."""
    try:
        folder, new = os.path.abspath(expected_cache()), []
    except OSError:  # no directory for temporary files
        return []
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        new.append(folder)
        folder = os.path.dirname(folder)
    return new


def remove_empty(folders):
    for folder in folders:
        try:
            os.rmdir(folder)
        except OSError:  # somebody else has put something there
            return


def name_is_needed(answer):
    """A user without a name is told only now to do harm, or none: it is the release of torch that decides."""
    user, release = answer.checks.get("user"), re.findall(r"\d+", answer.environment.get("torch", ""))[:2]
    if not user or user["outcome"] != "fail":
        return
    if not release:
        user["facts"]["warning"] = True
    elif tuple(map(int, release)) > NAMED_UP_TO:
        user.update(outcome="pass", error="", evidence=user["evidence"] + "; torch %s needs none" % ".".join(release))


if __name__ == "__main__":
    doctor(json.loads(sys.argv[1]))
