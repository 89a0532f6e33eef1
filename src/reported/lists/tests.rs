use super::*;
use crate::model::{Installed, Variant};

fn lines(text: &str) -> Vec<Line<'_>> {
    text.lines().enumerate().map(|(index, text)| Line { number: index + 1, text }).collect()
}

fn list(text: &str) -> Option<List> {
    let lines = lines(text);
    match read_json(&lines, "x") {
        Some(list) => Some(list.unwrap()),
        None => Lists::default().read(&lines, 0, "x", true),
    }
}

/// The list as `kind lines: name version manager build channel source, …`.
fn told(text: &str) -> String {
    let Some(list) = list(text) else { return "none".to_owned() };
    let package = |it: &Installed| {
        let more = [&it.build, &it.channel, &it.source].map(|it| it.clone().unwrap_or("-".to_owned())).join(" ");
        format!("{} {} {:?} {more}", it.name, it.version, it.manager).replace(" - - -", "")
    };
    let packages: Vec<_> = list.section.environment.packages.iter().map(package).collect();
    format!("{:?} {}: {}", list.kind, list.lines, packages.join(", "))
}

#[test]
fn pins_in_every_form() {
    for (text, expected) in [
        ("torch==2.6.0+cu124\nNumPy==1.26.4", "PipFreeze 2: torch 2.6.0+cu124 Pip, numpy 1.26.4 Pip"),
        ("torch==2.6.0", "PipFreeze 1: torch 2.6.0 Pip"),
        (
            "torch==2.6.0 ; python_version > '3' \\\n    --hash=sha256:aa\n    # via x\na[b,c]===1",
            "PipFreeze 4: torch 2.6.0 Pip, a 1 Pip",
        ),
        ("a==1 b==2 c==3", "PipFreeze 1: a 1 Pip, b 2 Pip, c 3 Pip"),
        ("- torch==2.6\n- numpy == 1.2", "PipFreeze 2: torch 2.6 Pip, numpy 1.2 Pip"),
        (
            "a @ file:///x/a-1.0-py3-none-any.whl\nb @ git+https://u:p@example.org/b.git@0123#egg=b\nc @ https://user@example.org/c-2.0.tar.gz?sig=1",
            "PipFreeze 3: a 1.0 Pip - - file:///x/a-1.0-py3-none-any.whl, b  Pip - - git+https://example.org/b.git@0123#egg=b, c 2.0 Pip - - https://example.org/c-2.0.tar.gz",
        ),
        (
            "# Editable install with no version control (Own==0.1)\n-e /home/u/own\n-e git+ssh://git@example.org/a/b.git@01#egg=bb&subdirectory=x\n-e /home/u/last/",
            "PipFreeze 4: own 0.1 Pip - - /home/u/own, bb  Pip - - git+ssh://git@example.org/a/b.git@01#egg=bb&subdirectory=x, last  Pip - - /home/u/last/",
        ),
        ("torch>=2.6\nnumpy", "none"),
        ("x == y", "none"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
    assert_eq!(told("torch==2.6.0\nand some words"), "none");
}

#[test]
fn tables_of_pip_and_uv() {
    for (text, expected) in [
        (
            "Package Version Editable project location\n------- ------- -----\ntorch 2.6.0 \nown 0.1 /home/u/own\n\n[notice] x",
            "PipList 4: torch 2.6.0 Pip, own 0.1 Pip - - /home/u/own",
        ),
        ("Package  Version\ntorch    2.6.0+cpu\nnumpy 1", "PipList 3: torch 2.6.0+cpu Pip, numpy 1 Pip"),
        ("pip 24\ntorch 2.6\nnumpy 1.2", "PipList 3: pip 24 Pip, torch 2.6 Pip, numpy 1.2 Pip"),
        ("torch (1.0.0)\npip (9.0)\nsix (1.1)", "PipList 3: torch 1.0.0 Pip, pip 9.0 Pip, six 1.1 Pip"),
        ("torch 2.6.0+cu126\ncuda available: True", "PipList 1: torch 2.6.0+cu126 Pip"),
        ("loss 0.1\nepoch 2\nstep 3", "none"),
        (
            "Name: torch\nVersion: 2.6.0\nSummary: x\nLocation: /x\n---\nName: triton\nVersion: 3.2.0",
            "PipList 7: torch 2.6.0 Pip, triton 3.2.0 Pip",
        ),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
    let list = list("Using Python 3.12.3 environment at: .venv\nPackage Version\n-- --\ntorch 2.6.0\n").unwrap();
    assert_eq!(list.section.environment.python.unwrap().value.to_string(), "3.12.3");
}

#[test]
fn the_report_of_sglang() {
    let text = "Python: 3.12.3 (main, Feb  4 2025, 14:48:35) [GCC 13.3.0]\nCUDA available: True\nPyTorch: 2.6.0+cu124\nvllm: Module Not Found\ntriton: 3.2.0\n\nx: 1";
    assert_eq!(told(text), "CheckEnv 5: torch 2.6.0+cu124 Pip, triton 3.2.0 Pip");
    assert_eq!(list(text).unwrap().section.environment.python.unwrap().value.to_string(), "3.12.3");
    assert_eq!(told("Python: 3.12.3 (main)\nx: 1"), "none");
}

#[test]
fn lists_of_conda() {
    for (text, expected) in [
        (
            "# packages in environment at /x:\n#\n# Name   Version   Build  Channel\n_libgcc_mutex 0.1 conda_forge conda-forge\npython 3.12.3 hab00c5b_0_cpython conda-forge\nmkl 2023.1 h_1\ntorch 2.6.0 pypi_0 pypi",
            "CondaList 7: _libgcc_mutex 0.1 Conda conda_forge conda-forge -, python 3.12.3 Conda hab00c5b_0_cpython conda-forge -, mkl 2023.1 Conda h_1 - -, torch 2.6.0 Pip",
        ),
        (
            "pytorch 2.5.1 cuda126_mkl_py311_h3846359_313 conda-forge\npytz 2024.1 pyhd8ed1ab_0 conda-forge\nre2 2024.07.02 h9925aae_2 conda-forge",
            "CondaList 3: pytorch 2.5.1 Conda cuda126_mkl_py311_h3846359_313 conda-forge -, pytz 2024.1 Conda pyhd8ed1ab_0 conda-forge -, re2 2024.07.02 Conda h9925aae_2 conda-forge -",
        ),
        (
            "# This file may be used to create an environment using:\n# $ conda create --name <env> --file <this file>\n# platform: linux-64\npython=3.12.3=hab_0\nnumpy=1.2=pypi_0",
            "CondaList 5: python 3.12.3 Conda hab_0 - -, numpy 1.2 Pip",
        ),
        (
            "@EXPLICIT\nhttps://conda.example.org/t/tk-1-2/conda-forge/linux-64/python-3.12.3-hab_0_cpython.conda#0123",
            "CondaList 2: python 3.12.3 Conda hab_0_cpython conda-forge https://conda.example.org/conda-forge/linux-64/python-3.12.3-hab_0_cpython.conda",
        ),
        (
            "  Name  Version  Build  Channel\n─────────\n  pytorch  2.5.1  py3.11_cuda12.4_cudnn9.1.0_0  pytorch",
            "CondaList 3: pytorch 2.5.1 Conda py3.11_cuda12.4_cudnn9.1.0_0 pytorch -",
        ),
        ("epoch 1 0.5\nepoch 2 0.4\nepoch 3 0.3", "none"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn environments_of_conda() {
    let text = "name: x\nchannels:\n  - pytorch\n  - defaults\ndependencies:\n  - python=3.11.8=h955ad1f_0\n  - pytorch::pytorch=2.2.0\n  - numpy>=1\n  - pip:\n      - triton==2.2.0\n      - ./own\nvariables:\n  A_B: 'c'\nprefix: /x\n\nThanks";
    assert_eq!(
        told(text),
        "CondaExport 14: python 3.11.8 Conda h955ad1f_0 - -, pytorch 2.2.0 Conda - pytorch -, triton 2.2.0 Pip"
    );
    let list = list(text).unwrap();
    assert_eq!(list.section.notes.len(), 2);
    assert_eq!(list.section.environment.variables[0].value.as_deref(), Some("c"));
    assert_eq!(list.section.environment.python.unwrap().value.to_string(), "3.11.8");
}

#[test]
fn lists_in_json() {
    for (text, expected) in [
        (
            "[\n {\"name\": \"torch\", \"version\": \"2.6.0\"},\n {\"name\": \"Own\", \"version\": \"1\", \"editable_project_location\": \"/x\"}\n]\nmore",
            "PipInspect 4: torch 2.6.0 Pip, own 1 Pip - - /x",
        ),
        (
            r#"[{"base_url": "x", "build_string": "h_0", "channel": "conda-forge", "name": "python", "version": "3.12.3"}, {"build_string": "pypi_0", "channel": "pypi", "name": "torch", "version": "2.6.0"}]"#,
            "CondaList 1: python 3.12.3 Conda h_0 conda-forge -, torch 2.6.0 Pip",
        ),
        (
            r#"{"version": "1", "pip_version": "24", "installed": [{"metadata": {"name": "a", "version": "1"}, "direct_url": {"url": "https://u:p@example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "01"}}}], "environment": {"python_full_version": "3.12.3"}}"#,
            "PipInspect 1: a 1 Pip - - git+https://example.org/a.git@01",
        ),
        ("{\"a\": 1}", "none"),
        ("[1, 2]", "none"),
        ("{\"a\": ", "none"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn an_environment_file_that_is_damaged_names_its_line() {
    let text = "{\n \"torch\": {\"value\": \"2.6.0\", \"origin\": {\"kind\": \"default\"}},\n \"nonsense\": 1\n}";
    let error = read_json(&lines(text), "x").unwrap().unwrap_err();
    assert!(error.to_string().starts_with("x:3: "), "{error}");
    let good = text.replace(",\n \"nonsense\": 1", "");
    assert_eq!(list(&good).unwrap().kind, PartKind::EnvironmentFile);
}

#[test]
fn packages_tell_of_torch_and_python() {
    let variant = |text: &str| list(text).unwrap().section.environment.variant.map(|it| it.value);
    let cuda = |version: &str| Some(Variant::Cuda { version: Some(version.to_owned()) });
    assert_eq!(variant("torch==2.6.0+cu124"), cuda("12.4"));
    assert_eq!(variant("torch==2.6.0+cpu"), Some(Variant::Cpu));
    assert_eq!(variant("torch==2.6.0+rocm6.2.4"), Some(Variant::Rocm { version: Some("6.2".to_owned()) }));
    assert_eq!(variant("torch==2.6.0"), None);
    let head = "# packages in environment at /x:\n";
    assert_eq!(variant(&format!("{head}pytorch 2.5.1 cuda126_mkl_py311_h38_313 conda-forge")), cuda("12.6"));
    assert_eq!(variant(&format!("{head}pytorch 2.5.1 py3.11_cuda12.4_cudnn9.1.0_0 pytorch")), cuda("12.4"));
    assert_eq!(variant(&format!("{head}pytorch 2.5.1 cpu_generic_py310_h1_5 conda-forge")), Some(Variant::Cpu));
}

#[test]
fn credentials_are_taken_out() {
    for (source, expected) in [
        ("https://user:secret@example.org/a", "https://example.org/a"),
        ("git+https://token@example.org/a.git@v1", "git+https://example.org/a.git@v1"),
        ("git+ssh://git:secret@example.org/a.git", "git+ssh://git@example.org/a.git"),
        ("https://example.org/a.whl?token=secret", "https://example.org/a.whl"),
        ("https://user:sec ret@exa mple.org/a", "https://example.org/a"),
        ("/home/u/own", "/home/u/own"),
    ] {
        let clean = package::without_credentials(source);
        assert!(!clean.contains("sec"), "{clean}");
        if !source.contains(' ') {
            assert_eq!(clean, expected);
        }
    }
}
