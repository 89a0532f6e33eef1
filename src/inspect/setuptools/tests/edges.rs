//! What is odd, wrong or endless.

use proptest::prelude::*;

use super::*;

#[test]
fn the_call_is_found_wherever_it_stands() {
    for text in [
        "import setuptools\nsetuptools.setup(install_requires=['a'])",
        "from distutils.core import setup\nsetup(install_requires='a')",
        "def main():\n  setup(install_requires=['a'])\nmain()",
        "def main(x):\n  setup(install_requires=['a'])\nif __name__ == '__main__':\n  main(1)",
        "def main(x):\n  setup(install_requires=['a'])",
        "args = dict(name='x', install_requires=['a'])\nsetup(**args)",
        "args = {}\nargs['install_requires'] = ['a']\nsetup(name='x', **args)",
        "kw = {'name': 'x'}\nkw.update(install_requires=('a',))\nsetup(**kw)",
        "try:\n  setup(install_requires=['a'])\nexcept SystemExit:\n  setup()",
        "with x():\n  setup(install_requires=['a', *[]])",
        "if x():\n  setup(install_requires=['a'])\nelse:\n  pass",
    ] {
        let project = script(text);
        let names: Vec<&str> = project.requirements.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(names, ["a"], "{text}");
    }
}

#[test]
fn what_is_computed_is_a_warning_at_its_expression() {
    for (text, line) in [
        ("setup(\n install_requires=compute())", 2),
        ("x = ['a',\n compute()]\nsetup(install_requires=x)", 2),
        ("setup(name='x',\n **load())", 2),
        ("setup(install_requires=[\n'a', f'b=={version()}'])", 2),
        ("import toml\nx = toml.load('x.toml')\nsetup(install_requires=x['a'])", 3),
    ] {
        let read = |draft: &mut Draft<'_>| Ok((take(draft, ".")?, draft.computed));
        let (said, project) = drafted(&[(SCRIPT, text)], read).unwrap();
        assert_eq!(said, (true, true), "{text}");
        assert!(
            warnings(&project)[0].starts_with(&format!("setup.py:{line}: `install_requires` is computed")),
            "{text}"
        );
    }
}

#[test]
fn what_is_wrong_is_an_error_at_its_line() {
    for (text, line) in [
        ("setup(\n install_requires=['a=>1'])", 2),
        ("\nprint 'x'\nsetup()", 2),
        ("setup(install_requires=['a'],\n python_requires='3.x')", 2),
        ("setup(install_requires='''\na\n b c\n''')", 3),
        ("setup(extras_require={\n'a b': ['c']})", 2),
        ("setup(install_requires=['a'],\n install_requires=['b'])", 2),
        ("setup(\n dependency_links=['a'] oops)", 2),
    ] {
        let error = read_file(SCRIPT, &[(SCRIPT, text)]).unwrap_err();
        assert_eq!(error.origin, Some(Origin::file(SCRIPT, line)), "{text}: {error}");
    }
}

#[test]
fn a_folder_is_followed_with_the_extras_asked_for() {
    let text = "setup(install_requires=['a'], extras_require={'x': ['b'], 'y': ['c']})";
    let extras = ["x".to_owned()];
    let twice = |draft: &mut Draft<'_>| Ok((follow(draft, "sub", &extras)?, follow(draft, "sub", &extras)?));
    let (followed, project) = drafted(&[("sub/setup.py", text)], twice).unwrap();
    assert_eq!(followed, (true, false));
    assert_eq!(asked(&project), ["sub/setup.py:1 a", "sub/setup.py:1 b"]);
    assert!(project.selectable.is_empty() && project.package.is_none());
    assert_eq!(project.files, [join("sub", SCRIPT)]);
}

#[test]
fn torch_in_the_build_is_said() {
    let project =
        script("import torch\nfrom torch.utils.cpp_extension import CUDAExtension\nsetup(install_requires=['torch'])");
    let note = project.notes.iter().find(|note| note.message.contains("imports torch")).unwrap();
    assert_eq!(note.origin, Origin::file(SCRIPT, 1));
}

/// After detectron2 and LLaMA-Factory.
#[test]
fn what_only_other_keywords_use_is_not_spoken_of() {
    let text = r#"
def version():
    return [l for l in open("a/__init__.py").readlines() if l.startswith("__version__")][0] + os.getenv("SUFFIX", "")
def scripts():
    found = ["x = a:b"]
    if os.getenv("ENABLE_SHORT_CONSOLE", "1").lower() in ["true", "y", "1"]:
        found.append("y = a:b")
    return found
setup(version=version(), entry_points={"console_scripts": scripts()}, install_requires=["torch"])
"#;
    let project = read_file(SCRIPT, &[(SCRIPT, text), ("a/__init__.py", "__version__ = '1'\n")]).unwrap();
    assert_eq!(asked(&project), ["setup.py:9 torch"]);
    assert_eq!(project.notes, []);
    let early = "FORCE = os.environ.get('FORCE') == '1'\nif 'V' in os.environ: pass\nv = [l for l in open('v.py') if 'version' in l][0]\nsetup(version=v, install_requires=['torch'])";
    let project = read_file(SCRIPT, &[(SCRIPT, early), ("v.py", "version = 1\n")]).unwrap();
    assert_eq!(project.notes, []);
}

#[test]
fn extras_that_are_not_known_are_told_once() {
    let text = "extras = {'a': [f()], 'b': [f(), f()], 'c': ['x']}\nsetup(\n extras_require=extras)";
    let project = script(text);
    let told = "setup.py:1: `extras_require` is computed for `a`, `b` when `setup.py` runs, so it is not known here";
    assert_eq!(warnings(&project), [told]);
    assert_eq!(asked(&project), ["setup.py:1 [c] x"]);
}

#[test]
fn extras_that_are_not_known_are_said() {
    for text in [
        "extras = {n: f(n) for n in g()}\nsetup(extras_require=extras)",
        "extras = {'a': ['b']}\nfor n in g(): extras[n] = f(n)\nsetup(extras_require=extras)",
        "setup(extras_require=\nload())",
    ] {
        let project = script(text);
        assert!(warnings(&project).iter().any(|note| note.contains("`extras_require` is computed")), "{text}");
        assert!(project.selectable.iter().all(|extra| extra.name == "a"), "{text}");
    }
}

/// After Liger-Kernel.
#[test]
fn the_gpu_that_is_asked_for_is_one_of_nvidia_and_said() {
    let text = r#"
import subprocess
def needed():
    platform = get_platform()
    if platform in ["cuda", "cpu"]:
        return ["torch>=2.1.2", "triton>=2.3.1"]
    elif platform == "rocm":
        return ["triton>=3.0.0"]
def get_platform():
    try:
        subprocess.run(["nvidia-smi"], check=True)
        return "cuda"
    except (subprocess.SubprocessError, FileNotFoundError):
        try:
            subprocess.run(["/opt/rocm/bin/rocm-smi"], check=True)
            return "rocm"
        except (subprocess.SubprocessError, FileNotFoundError):
            return "cpu"
setup(install_requires=needed())
"#;
    let project = script(text);
    assert_eq!(asked(&project), ["setup.py:6 torch>=2.1.2", "setup.py:6 triton>=2.3.1"]);
    let told = "setup.py:10: `setup.py` runs `nvidia-smi` to choose: with a GPU of NVIDIA, which is taken to be there, \
                it asks for `torch>=2.1.2`, `triton>=2.3.1`, and else for `triton>=3.0.0`";
    assert_eq!(warnings(&project), [told]);
    // The other way around, and where nothing depends on it.
    let project = script(&text.replace("nvidia-smi", "xpu-smi").replace("/opt/rocm/bin/rocm-smi", "nvidia-smi"));
    assert_eq!(asked(&project), ["setup.py:8 triton>=3.0.0"]);
    let project = script(&text.replace("=needed()", "=['a']"));
    assert_eq!(project.notes, []);
}

/// After mmcv, vLLM and espnet.
#[test]
fn requirements_by_the_machine_are_not_guessed() {
    let text = r#"
import os, torch
ROOT_DIR = os.path.dirname(__file__)
def get_path(*filepath):
    return os.path.join(ROOT_DIR, *filepath)
def get_requirements():
    def _read_requirements(filename):
        with open(get_path(filename)) as f:
            requirements = f.read().strip().split("\n")
        resolved = []
        for line in requirements:
            if line.startswith("-r "):
                resolved += _read_requirements(line.split()[1])
            else:
                resolved.append(line)
        return resolved
    if _is_cuda():
        requirements = _read_requirements("requirements-cuda.txt")
        modified = []
        for req in requirements:
            if "flash" in req and cuda != "12":
                continue
            modified.append(req)
        requirements = modified
    elif _is_hip():
        requirements = _read_requirements("requirements-rocm.txt")
    else:
        raise ValueError("no")
    return requirements
try:
    import cv2
    import torch.cuda
except ImportError:
    pass
needed = get_requirements()
for main, secondary in [("opencv-python-headless>=3", "opencv-python>=3")]:
    needed.append(main)
setup(install_requires=needed)
"#;
    let files = [(SCRIPT, text), ("requirements-cuda.txt", "a\n"), ("requirements-rocm.txt", "b\n")];
    let project = read_file(SCRIPT, &files).unwrap();
    assert_eq!(asked(&project), ["setup.py:36 opencv-python-headless>=3"]);
    let told = warnings(&project);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("what `requirements-cuda.txt` asks for"), "{told:?}");
    assert!(told[0].contains("what `requirements-rocm.txt` asks for"), "{told:?}");
    let hint = project.notes.iter().find_map(|note| note.hint.as_deref().filter(|hint| hint.contains("--from")));
    assert_eq!(hint, Some("choose one with `--from requirements-cuda.txt` or `--from requirements-rocm.txt`"));
    let torch = project.notes.iter().find(|note| note.message.contains("imports torch")).unwrap();
    assert_eq!(torch.origin, Origin::file(SCRIPT, 2));
}

/// Scripts that would take long, or much memory, if they were followed to their end.
#[test]
fn every_script_comes_to_an_end() {
    let doubling = format!("x = ['a']\n{}setup(install_requires=x)", "x = x + x\n".repeat(200));
    let nesting = format!("x = ['a']\n{}setup(install_requires=x)", "x = [x, x]\n".repeat(200));
    let text = format!("x = 'aaaaaaaaaaaaaaaa'\n{}setup(install_requires=x)", "x = x + x\n".repeat(200));
    let branches = format!(
        "x = ['a']\n{}setup(install_requires=x)",
        "if f():\n x.append('b')\nelse:\n x.append('c')\n".repeat(3000)
    );
    let rounds = format!(
        "x = list('a')\ny = [{}]\nsetup(install_requires=[a for a in y for b in y for c in y])",
        "'a',".repeat(1000)
    );
    let calls = format!(
        "{}setup(install_requires=f99())",
        "def f0(): return ['a']\n".to_owned()
            + &(1..100)
                .map(|n| format!("def f{n}(): return f{}() + f{}()\n", n - 1, n - 1))
                .collect::<Vec<_>>()
                .concat()
    );
    let names = (0..2000).map(|n| format!("n{n} = ['a']\nif f(): n{n} = ['b']\n")).collect::<Vec<_>>().concat();
    let replaced =
        format!("x = 'a'\n{}setup(install_requires=x)", "x = x.replace('a', 'aaaaaaaaaaaaaaaaaaaa')\n".repeat(100));
    let elifs = format!("x = ['a']\nif f(): pass\n{}setup(install_requires=x)", "elif f(): x = ['b']\n".repeat(3000));
    let conditions = format!(
        "x = ['a']\nif {} sys.platform == 'a': x = ['b']\nsetup(install_requires=x)",
        "sys.platform == 'a' and ".repeat(700)
    );
    let format = format!("x = '{}'.format('{}')\nsetup(install_requires=x)", "{0}".repeat(1000), "a".repeat(10_000));
    for text in [doubling, nesting, text, branches, rounds, calls, names, replaced, elifs, conditions, format] {
        // What it says is beside the point: without bounds it would not come back.
        let _ = read_file(SCRIPT, &[(SCRIPT, &text)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_script_ends_the_reader(lines in prop::collection::vec(r"(x|y|x\['a'\]|x, y) (=|\+=) (x|y|\['a', y\]|\{'a': x\}|'b%s' % x|f'\{x\}\{y\}'|[(]x if y else y[)]|open\(x\)|x\[-1\]|x\[y\]|x.split\('a', 1\)|\[z for z in x if z\]|'a'.join\(x\)|x.items\(\)|sorted\(x\)|re.findall\('(a)|b', x\)|'\{\}\{y\}'.format\(x, y=y\)|dict\(x, y=y\))", 0..12), keep in any::<bool>()) {
        let text = format!("x = ['a']\ny = 'b'\n{}\nsetup(install_requires=x, extras_require=y)", lines.join("\n"));
        let text = if keep { text } else { text.replace('x', "x.y") };
        let _ = read_file(SCRIPT, &[(SCRIPT, &text)]);
    }

    #[test]
    fn no_configuration_ends_the_reader(text in "(\\[options\\]\n|install_requires|extras_require|=|:|\n|  |torch|>=|;|file:|é|#|\\\\){0,30}") {
        let _ = read_file(CONFIGURATION, &[(CONFIGURATION, &text)]);
    }
}
