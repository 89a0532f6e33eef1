

# --- collect: the environment, as it is --------------------------------------------------------------------------------
#
# This goes on where doctor.py ends: the three are one program. It tells what `sconce diff` compares and what
# `sconce reproduce --from-image` writes down: the system, the interpreter, torch, what is installed, the variables, and of
# each need of torch.compile whether it is met, which is tried wherever that is cheap. BRIEF is a JSON object:
#
#   image     what the document is to say that it speaks of: an image's id. Nothing that was put into that image can know it
#   marker    the line that the document stands behind, followed by ` begin`, and that follows it with ` end`
#   document  the file descriptor of the document, in place of 1
#   seconds   the time that it may take
#   system    the patterns (fnmatch) of the system's packages that are told of
#   silent    the patterns of variables that say nothing of an environment, such as HOSTNAME
#   secret    the words that make a variable's value nobody's business where its name has one, such as token
#   harmless  the names that have such a word by accident, such as TOKENIZERS_PARALLELISM
#
# What cannot be told is left out; it is never guessed. Nothing stays: what is written is removed. torch is imported in
# processes of their own, so that one that takes its process along takes no other fact with it.

import csv
import fnmatch
import hashlib
import importlib.metadata

# Folders in which a build of torch has its headers, from its own folder or from the root: Debian has them beside all others.
TORCH_HEADERS = ["include", "/usr/include"]

# What changes in the list of a distribution's files from one installer to another: compiled files, the scripts, whose first
# line names an interpreter, and what an installer notes of itself.
OF_INSTALLERS = re.compile(r"__pycache__/|\.pyc$|/bin/|\.dist-info/(INSTALLER|REQUESTED|RECORD|direct_url\.json|uv_cache\.json)$")

CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")


def without_credentials(text):
    return CREDENTIALS.sub("", text)


def lines_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20).splitlines()
    except OSError:
        return []


def json_of(path):
    try:
        return json.loads("\n".join(lines_of(path)))
    except ValueError:
        return None


def said_by(command):
    """What a tool prints; nothing where it is not there or fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def first_match(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else None


# --- the system and the interpreter -------------------------------------------------------------------------------------


def facts_of_the_system(stage):
    libc = " ".join(platform.libc_ver()).strip()
    stage.say("environment", {
        "system": system_of(lines_of("/etc/os-release") or lines_of("/usr/lib/os-release")),
        "machine": platform.machine(),
        "kernel": platform.release() or None,
        "libc": "musl" if is_for_musl() else libc or None,
        "cpu": cpu_field("model name") or None,
        "cpus": processors(),
        "isa": widest_vectors(),
    })
    stage.say("environment", {
        "gcc": first_match(r"^\S*gcc\S* (.*)", said_by(["gcc", "--version"])),
        "clang": first_match(r"clang version (\S.*)", said_by(["clang", "--version"])),
        "cmake": first_match(r"cmake version (\S+)", said_by(["cmake", "--version"])),
        "cuda_runtime": first_match(r"release .*, V(\S+)", said_by(["nvcc", "--version"])),
        "hip_runtime": (lines_of("/opt/rocm/.info/version") or [None])[0],
    })


def is_for_musl():
    return "musl" in "%s %s" % (sysconfig.get_config_var("SOABI"), sysconfig.get_config_var("HOST_GNU_TYPE"))


def system_of(lines):
    fields = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    fields = {name: value.strip().strip("\"'") for name, value in fields.items()}
    return {"distribution": fields.get("ID"), "release": fields.get("VERSION_ID"),
            "text": fields.get("PRETTY_NAME") or fields.get("NAME") or platform.system()}


def widest_vectors():
    """As torch names them (`torch/_inductor/cpu_vec_isa.py`), by what the processor says that it has."""
    flags = set((cpu_field("flags") or cpu_field("Features")).split())
    for name, needed in (("AVX512", ["avx512f", "avx512dq", "avx512vl", "avx512bw", "fma"]), ("AVX2", ["avx2", "fma"]),
                         ("SVE", ["sve"]), ("NEON", ["asimd"])):
        if flags.issuperset(needed):
            return name
    return None


def facts_of_the_interpreter(stage, brief):
    build = sys.version.split("(", 1)[-1].replace("\n", " ").rstrip("]")
    stage.say("environment", {"python": platform.python_version(), "python_build": " ".join(build.split())})
    stage.say("environment", {"installation": installation(), "place": place_of_torch()})
    stage.say("environment", torch_by_its_file())
    stage.say("environment", {"variables": variables(brief)})
    stage.say("environment", {"packages": distributions() + conda_packages() + system_packages(brief)})


def installation():
    """How the interpreter came to be there; the one that an environment was made from."""
    base = os.path.realpath(sys.base_prefix)
    if os.path.isdir(os.path.join(base, "conda-meta")):
        return "conda"
    if re.search(r"/\.?pyenv/", base + "/"):
        return "pyenv"
    # uv keeps interpreters in folders named cpython-3.13.5-linux-x86_64-gnu; their builds are python-build-standalone's.
    if re.search(r"/cpython-3[^/]*-linux-", base + "/") or os.path.exists(os.path.join(base, "BUILD")) and "/uv/" in base:
        return "uv"
    if "linuxbrew" in base or "/Cellar/" in base:
        return "brew"
    if base == "/usr":
        own = "python%d.%d" % sys.version_info[:2]
        # Packages of deadsnakes are named for the release of Ubuntu that they are built on: 3.12.4-1+jammy1.
        by = said_by(["dpkg-query", "-W", "-f", "${Version}", own])
        return "deadsnakes" if re.search(r"\+(trusty|xenial|bionic|focal|jammy|noble)\d", by) else "distribution"
    return "image" if base == "/usr/local" else None


def folder_of_torch():
    found = importlib.util.find_spec("torch")
    return os.path.dirname(found.origin) if found and found.origin else None


def place_of_torch():
    folder = folder_of_torch()
    if folder is None:
        return None
    own = site.getusersitepackages()
    if own and os.path.realpath(folder).startswith(os.path.realpath(own) + os.sep):
        return "user"
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):
        return "conda"
    if "/dist-packages/" in folder + "/" and folder.startswith("/usr/lib/"):
        return "distribution"
    if sys.prefix != sys.base_prefix:
        return "environment" if os.path.realpath(folder).startswith(os.path.realpath(sys.prefix) + os.sep) else "system"
    return "system"


def torch_by_its_file():
    """What torch/version.py says, for a torch that cannot be imported."""
    folder = folder_of_torch()
    text = "\n".join(lines_of(os.path.join(folder, "version.py"))) if folder else ""
    said = dict(re.findall(r"^(\w+)(?::[^=]+)? *= *['\"]?([^'\"\n]+)['\"]?", text, re.MULTILINE))
    if "__version__" not in said:
        return {}
    variant = "cpu"
    for name, label in (("cuda", "cuda"), ("hip", "rocm"), ("xpu", "xpu")):
        if said.get(name, "None") != "None":
            variant = "%s %s" % (label, ".".join(said[name].split(".")[:2]))
            break
    return {"torch": said["__version__"], "variant": variant, "debug": {"True": True, "False": False}.get(said.get("debug"))}


def variables(brief):
    found = []
    for name, value in sorted(os.environ.items()):
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in brief.get("silent", [])):
            continue
        secret = name not in brief.get("harmless", []) and any(word in name.lower() for word in brief.get("secret", []))
        found.append({"name": name, "value": None if secret else without_credentials(value)})
    return found


# --- what is installed ---------------------------------------------------------------------------------------------------


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions():
    """Those that the interpreter finds, the first of each name: it is the one that is imported. conda tells of its own."""
    found = {}
    for one in importlib.metadata.distributions():
        try:
            name, version = one.metadata["Name"], one.version
            installer = (one.read_text("INSTALLER") or "").strip()
        except Exception:  # half a distribution, whose metadata cannot be read
            continue
        if not name or not version or normalized(name) in found or installer == "conda":
            continue
        of_system = "/usr/lib/python3/dist-packages" in str(one.locate_file("")) or installer == "rpm"
        found[normalized(name)] = {"name": normalized(name), "version": str(version), "hash": digest_of(one),
                                   "source": source_of(one), "manager": "system" if of_system else "pip"}
    return [found[name] for name in sorted(found)]


def digest_of(one):
    """Of the files' hashes in RECORD, without those that differ from one installer to another: the same wheel has the same."""
    rows = csv.reader((one.read_text("RECORD") or "").splitlines())
    try:
        files = sorted(",".join(row[:2]) for row in rows if len(row) > 1 and row[1] and not OF_INSTALLERS.search(row[0]))
    except csv.Error:
        return None
    return "sha256:" + hashlib.sha256("\n".join(files).encode("utf-8", "replace")).hexdigest() if files else None


def source_of(one):
    """Where it is from, where that is no index (PEP 610)."""
    try:
        told = json.loads(one.read_text("direct_url.json") or "null")
    except ValueError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("url"), str):
        return None
    commit = (told.get("vcs_info") or {}).get("commit_id")
    vcs = (told.get("vcs_info") or {}).get("vcs")
    url = without_credentials(told["url"])
    return "%s+%s@%s" % (vcs, url, commit) if vcs and commit else url


def conda_packages():
    found = []
    for path in sorted(glob.glob(os.path.join(sys.prefix, "conda-meta", "*.json"))):
        told = json_of(path)
        if isinstance(told, dict) and told.get("name") and told.get("version"):
            channel = re.sub(r"^.*/", "", str(told.get("channel") or "").split("/linux-")[0].split("/noarch")[0])
            digest = told.get("sha256")
            found.append({"name": str(told["name"]), "version": str(told["version"]), "build": told.get("build"),
                          "channel": channel or None, "manager": "conda", "hash": "sha256:%s" % digest if digest else None})
    return found


def system_packages(brief):
    patterns = brief.get("system", [])
    text = said_by(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\t${Version}\n"])
    rows = [line.split("\t") for line in text.splitlines()]
    rows = [row[1:] for row in rows if len(row) == 3 and row[0].startswith("ii")]
    if not rows:
        text = said_by(["rpm", "-qa", "--queryformat", "%{NAME}\t%{VERSION}-%{RELEASE}\n"])
        rows = [row for row in (line.split("\t") for line in text.splitlines()) if len(row) == 2]
    return [{"name": name, "version": version, "manager": "system"} for name, version in sorted(set(map(tuple, rows)))
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


# --- torch ------------------------------------------------------------------------------------------------------------


def facts_of_torch(stage):
    """That torch cannot be imported is a fact, too."""
    need(stage, "torch_import", torch_is_imported)
    if torch is None:
        return
    stage.say("environment", {"torch": str(torch.__version__), "variant": installed_variant(),
                              "debug": bool(torch.version.debug) if hasattr(torch.version, "debug") else None})
    stage.say("environment", {"gpu_available": bool(torch.cuda.is_available()), "cudnn": version_of_cudnn()})


def torch_is_imported():
    if importlib.util.find_spec("torch") is None:
        raise Failed("torch is not installed")
    import_torch()
    return "torch %s at %s" % (torch.__version__, os.path.dirname(torch.__file__))


def version_of_cudnn():
    number = torch.backends.cudnn.version() if torch.version.cuda else None
    if not number:
        return None
    # 8902 is 8.9.2; from 9 on it is written with two digits more: 90100 is 9.1.0.
    major, rest = (number // 10000, number % 10000) if number >= 90000 else (number // 1000, number % 1000)
    return "%d.%d.%d" % (major, rest // 100, rest % 100)


# --- the needs ----------------------------------------------------------------------------------------------------------


def need(stage, name, function, *arguments):
    """Says whether a need is met, and what was seen. Whether it is: `None` where that cannot be told."""
    try:
        met, seen = True, function(*arguments)
    except Skipped:
        return None
    except Failed as failure:
        met, seen = False, str(failure)
    except BaseException as error:  # whatever a library raises when it is imported
        met, seen = False, cause(error)
    stage.say("environment", {"need " + name: {"met": met, "seen": clip(seen, 400)}})
    return met


def facts_of_needs(stage, with_torch):
    if with_torch:
        import_torch()
    need(stage, "user_name", user_is_named)
    need(stage, "ldconfig", ldconfig_is_there)
    need(stage, "openssl", openssl_answers)
    need(stage, "torch_headers", torch_headers_are_there)
    need(stage, "setuptools", setuptools_imports)
    workspace = Workspace(stage)
    need(stage, "cache", cache_lets_libraries_load, workspace)
    needs_of_the_compiler(stage, workspace)


def needs_of_the_compiler(stage, workspace):
    """Each need is tried without the others, so that one that is missing does not look as if all were."""
    if workspace.path is None:
        need(stage, "python_headers", headers_match, {}, None)
        return
    folder, compiler = workspace.path, cxx()
    here = compiler if shutil.which(compiler[0]) else None
    libc = need(stage, "libc_headers", libc_headers_are_there, folder, here)
    works = need(stage, "cxx_compiler", cxx_compiles, folder, compiler, libc)
    need(stage, "c_compiler", c_compiles, folder)
    here = here if works else None
    need(stage, "binutils", assembles_and_links, folder, here)
    need(stage, "openmp_header", openmp_header_is_there, folder, here)
    linked = need(stage, "openmp_link", openmp_links, folder, here)
    need(stage, "openmp_runtime", openmp_loads, folder if linked and here else None)
    need(stage, "python_headers", headers_match, {}, folder if works and libc else None)


def cxx():
    """The compiler that torch takes; where torch cannot be asked, by its rule."""
    if torch:
        try:
            return compiler_command()
        except Exception:  # it looks for the compiler, and there may be none
            pass
    return shlex.split(os.environ.get("CXX", "g++")) or ["g++"]


def translated(folder, command, suffix, source, *options):
    """Gives the compiler a file, and tells what became of it: a path, which is there if the compiler did its work."""
    path = os.path.join(folder, "need")
    with open(path + suffix, "w") as file:
        file.write(source)
    if os.path.exists(path + ".out"):
        os.remove(path + ".out")
    text = run_tool(command + list(options) + [path + suffix, "-o", path + ".out"])
    if not os.path.exists(path + ".out"):
        raise Failed("%s ended with status 0, but wrote nothing" % command[0], text)
    return path + ".out"


def first_of(patterns, what):
    """What is on the disk, where there is no compiler to ask."""
    found = next((path for pattern in patterns for path in sorted(glob.glob(pattern))), None)
    if found is None:
        raise Failed("%s is not there" % what)
    return found


def version_line(command):
    return (run_tool(command + ["--version"]).splitlines() or ["it does not say its version"])[0]


def cxx_compiles(folder, command, libc):
    if not shutil.which(command[0]):
        raise Failed("`%s` is not there%s" % (command[0], " (CXX names it)" if os.environ.get("CXX") else ""))
    # The headers of C++ include those of the C library, which are a need of their own.
    translated(folder, command, ".cpp", "#include <vector>\nstd::vector<int> v(3);\n" if libc else "int v = 3;\n", "-S")
    return "%s at %s" % (version_line(command), shutil.which(command[0]))


def c_compiles(folder):
    """By Triton's rule: CC, else gcc, else clang (triton/runtime/build.py)."""
    named = os.environ.get("CC")
    command = shlex.split(named) if named else [shutil.which("gcc") or shutil.which("clang") or "gcc"]
    if not shutil.which(command[0]):
        raise Failed("`%s` is not there%s" % (command[0], " (CC names it)" if named else ""))
    translated(folder, command, ".c", "int v = 3;\n", "-S")
    return "%s at %s" % (version_line(command), shutil.which(command[0]))


def libc_headers_are_there(folder, command):
    if command is None:
        return first_of(["/usr/include/stdlib.h", os.path.join(sys.prefix, "*/sysroot/usr/include/stdlib.h")], "stdlib.h")
    text = run_tool(command + ["-x", "c", "-E", written(folder, ".c", "#include <stdlib.h>\n")])
    return first_match(r'^# \d+ "(\S*stdlib\.h)"', text) or "stdlib.h"


def written(folder, suffix, source):
    path = os.path.join(folder, "asked" + suffix)
    with open(path, "w") as file:
        file.write(source)
    return path


def assembles_and_links(folder, command):
    if command is None:
        missing = [name for name in ("as", "ld") if not shutil.which(name)]
        if missing:
            raise Failed("`%s` %s not there" % ("` and `".join(missing), "is" if len(missing) == 1 else "are"))
        return "as and ld at %s" % os.path.dirname(shutil.which("ld"))
    translated(folder, command, ".cpp", "int v = 3;\n", "-shared", "-fPIC", "-nostdlib")
    return version_line([run_tool(command + ["-print-prog-name=ld"]).strip() or "ld"])


def openmp_header_is_there(folder, command):
    if command is None:
        places = ["/usr/lib/gcc/*/*/include/omp.h", "/usr/lib/llvm*/lib/clang/*/include/omp.h", "/usr/include/omp.h",
                  os.path.join(sys.prefix, "lib/gcc/*/*/include/omp.h"), os.path.join(sys.prefix, "include/omp.h")]
        return first_of(places, "omp.h")
    text = run_tool(command + openmp_options() + ["-E", written(folder, ".cpp", "#include <omp.h>\n")])
    return first_match(r'^# \d+ "(\S*omp\.h)"', text) or "omp.h"


def openmp_links(folder, command):
    if command is None:
        places = ["/usr/lib/gcc/*/*/libgomp.so", "/usr/lib64/libgomp.so", os.path.join(sys.prefix, "lib/libgomp.so"),
                  "/usr/lib/llvm*/lib/libomp.so"]
        return first_of(places, "the library to link OpenMP with")
    library = "-lomp" if "clang" in version_line(command) else "-lgomp"
    source = "int n;\nvoid f() {\n#pragma omp parallel\n  n += 1;\n}\n"
    made = translated(folder, command, ".cpp", source, "-shared", "-fPIC", "-fopenmp", "-nostdlib", library)
    os.replace(made, os.path.join(folder, "openmp.so"))
    return "linked with %s" % library


def openmp_loads(folder):
    name = os.path.join(folder, "openmp.so") if folder else "libgomp.so.1"
    try:
        ctypes.CDLL(name)
    except OSError as error:
        raise Failed(str(error))
    loaded = [line.split()[-1] for line in lines_of("/proc/self/maps") if re.search(r"/lib[gi]?omp[^/]*$", line)]
    return loaded[-1] if loaded else "loaded"


def torch_headers_are_there():
    folder = folder_of_torch()
    if folder is None:
        raise Skipped("there is no torch")
    for place in TORCH_HEADERS:
        path = os.path.join(folder, place, "ATen", "ATen.h")
        if os.path.isfile(path):
            return path
    raise Failed("ATen/ATen.h is neither below %s nor below %s" % (os.path.join(folder, "include"), TORCH_HEADERS[1]))


def setuptools_imports():
    """Where torch does not ask for it when it builds, it is not needed."""
    if torch:
        return setuptools_is_found({})
    return "setuptools %s" % getattr(importlib.import_module("setuptools"), "__version__", "")


def openssl_answers():
    try:
        return "%s at %s" % (run_tool(["openssl", "version"]).strip(), shutil.which("openssl"))
    except OSError:
        if torch and torch_version() < OPENSSL_FROM:
            return "not there; torch %s does not call it" % torch.__version__
        raise Failed("the `openssl` program is not there")


def user_is_named():
    try:
        return getpass.getuser()
    except Exception:  # KeyError, and OSError from Python 3.13 on
        if torch and torch_version() > NAMED_UP_TO:
            return "the user %d has none; torch %s asks for none" % (os.getuid(), torch.__version__)
        raise Failed("the user %d has no name" % os.getuid())


def ldconfig_is_there():
    if not os.access("/sbin/ldconfig", os.X_OK):
        raise Failed("/sbin/ldconfig is not there")
    return "/sbin/ldconfig"


def cache_lets_libraries_load(workspace):
    """In the folder that torch takes by itself; where it cannot be used, the other needs are tried elsewhere."""
    cache = expected_cache()
    os.makedirs(cache, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="sconce-collect-", dir=cache)
    try:
        load_an_extension_from(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return cache


# --- the parent --------------------------------------------------------------------------------------------------------


def collect(brief):
    document = os.dup(brief.get("document", 1))
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, end_with_children)
    answer = Answer(time.monotonic() + brief.get("seconds", 120), [])
    new = new_folders()
    try:
        answer.collect(*start(facts_of_the_system, [], ()))
        answer.collect(*start(facts_of_the_interpreter, [], (brief,)))
        how, _ = answer.collect(*start(facts_of_torch, [], ()))
        # Where torch takes the process with it, that is what there is to say of it.
        imports = answer.environment.setdefault("need torch_import", {"met": False, "seen": how})["met"]
        answer.collect(*start(facts_of_needs, [], (imports,)))
    finally:
        answer.stop()
        if answer.workspace:
            shutil.rmtree(answer.workspace, ignore_errors=True)
        remove_empty(new)
    hand_over(answer.environment, brief, document)


def hand_over(told, brief, document):
    needs = {name[len("need "):]: state for name, state in told.items() if name.startswith("need ")}
    facts = {name: fact for name, fact in told.items() if fact is not None and not name.startswith("need ")}
    whole = {"schema": 1, "image": brief.get("image", ""), "environment": dict(facts, needs=needs)}
    # Text that is no text (names of files, of variables) has surrogates, which are no JSON.
    text = json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace").decode()
    marker = brief.get("marker", "sconce")
    with os.fdopen(document, "wb") as out:
        out.write(("\n%s begin\n%s\n%s end\n" % (marker, text, marker)).encode())


if __name__ == "__main__":
    collect(json.loads(sys.argv[1]))
