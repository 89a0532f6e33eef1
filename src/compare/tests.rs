use std::str::FromStr as _;

use pep440_rs::Version;

use super::*;
use crate::model::{
    Environment, EnvironmentVariable, Installed, Manager, Need, NeedState, Origin, Stated, System, SystemFamily,
    Variant,
};

fn catalogue() -> Catalogue {
    Catalogue::embedded().unwrap()
}

fn image() -> Origin {
    Origin::Image { image: "app".to_owned() }
}

fn pasted() -> Origin {
    Origin::file("env.txt", 1)
}

#[allow(clippy::unnecessary_wraps, reason = "a field of an environment")]
fn version(text: &str, origin: Origin) -> Option<Stated<Version>> {
    Some(Stated::new(Version::from_str(text).unwrap(), origin))
}

#[allow(clippy::unnecessary_wraps, reason = "a field of an environment")]
fn text(text: &str, origin: Origin) -> Option<Stated<String>> {
    Some(Stated::new(text.to_owned(), origin))
}

fn package(name: &str, version: &str, origin: Origin) -> Installed {
    Installed::new(name, version, Manager::Pip, origin)
}

fn variable(name: &str, value: Option<&str>, origin: Origin) -> EnvironmentVariable {
    EnvironmentVariable { name: name.to_owned(), value: value.map(str::to_owned), origin }
}

fn need(met: bool) -> Stated<NeedState> {
    Stated::new(NeedState { met, seen: if met { "seen" } else { "nothing" }.to_owned() }, image())
}

fn compared(left: Environment, right: Environment) -> Comparison {
    let side = |name: &str, environment| Side { name: name.to_owned(), environment };
    compare(&catalogue(), side("a", left), side("b", right))
}

fn names(comparison: &Comparison) -> Vec<&str> {
    comparison.differences.iter().map(|difference| difference.name.as_str()).collect()
}

/// An environment of which much is known, as an image tells it.
fn looked_at() -> Environment {
    Environment {
        python: version("3.12.3", image()),
        torch: version("2.6.0+cpu", image()),
        variant: Some(Stated::new(Variant::Cpu, image())),
        kernel: text("6.8.0", image()),
        gcc: text("(Debian 14.2.0-19) 14.2.0", image()),
        packages: vec![package("numpy", "2.2.4", image()), package("sympy", "1.13.1", image())],
        variables: vec![variable("PATH", Some("/usr/bin"), image())],
        needs: [(Need::PythonHeaders, need(true)), (Need::CxxCompiler, need(true))].into(),
        ..Environment::default()
    }
}

#[test]
fn nothing_differs_from_itself() {
    let comparison = compared(looked_at(), looked_at());
    assert_eq!((names(&comparison).len(), comparison.untold.len(), comparison.same), (0, 0, 10));
}

#[test]
fn what_matters_most_comes_first() {
    let mut other = looked_at();
    other.needs.insert(Need::PythonHeaders, need(false));
    other.torch = version("2.7.0+cpu", image());
    other.python = version("3.13.1", image());
    other.kernel = text("5.15.0", image());
    other.packages = vec![package("numpy", "1.26.4", image()), package("sympy", "1.13.1", image())];
    other.packages.push(package("attrs", "25.3.0", image()));
    other.variables.push(variable("TORCHDYNAMO_DISABLE", Some("1"), image()));
    let comparison = compared(looked_at(), other);
    let expected = [
        "need python_headers",
        "torch",
        "python",
        "variable TORCHDYNAMO_DISABLE",
        "package numpy",
        "kernel",
        "package attrs",
    ];
    assert_eq!(names(&comparison), expected);
    let first = &comparison.differences[0];
    assert_eq!(first.title, "the interpreter's headers");
    assert_eq!(first.left.as_ref().unwrap().value, "seen");
    assert_eq!(first.right.as_ref().unwrap().value, "missing: nothing");
    assert!(first.because.contains("Python.h"));
    assert_eq!(comparison.differences[3].left, None, "an image tells all its variables");
    assert_eq!(comparison.differences[6].relevance, Relevance::Minor);
}

#[test]
fn what_one_side_cannot_tell_is_no_difference() {
    let report = Environment {
        python: version("3.12", pasted()),
        packages: vec![package("numpy", "2.2.4", pasted()), package("triton", "3.2.0", pasted())],
        variables: vec![variable("TORCH_LOGS", Some("all"), pasted())],
        ..Environment::default()
    };
    let comparison = compared(report.clone(), looked_at());
    assert_eq!(names(&comparison), ["package triton", "variable TORCH_LOGS"], "an image tells what it lacks");
    for untold in ["need python_headers", "torch", "kernel", "package sympy", "variable PATH"] {
        assert!(comparison.untold.iter().any(|name| name == untold), "{untold}: {:?}", comparison.untold);
    }
    let mut whole = report;
    whole.packages.push(package("filelock", "3.18.0", pasted()));
    assert!(names(&compared(whole, looked_at())).contains(&"package sympy"), "a list of all says what is not there");
}

#[test]
#[allow(clippy::large_stack_arrays, reason = "a table of tests")]
fn versions_are_the_same_as_far_as_both_know_them() {
    let with = |python: &str, torch: &str, gcc: &str| Environment {
        python: version(python, pasted()),
        torch: version(torch, pasted()),
        gcc: text(gcc, pasted()),
        ..Environment::default()
    };
    for (left, right, expected) in [
        (with("3.12", "2.6.0", "11.4.0"), with("3.12.3", "2.6.0+cu124", "(Ubuntu 11.4.0-1) 11.4.0"), &[][..]),
        (with("3.12.1", "2.6", "11"), with("3.12.3", "2.6.0", "11.4"), &["python"][..]),
        (with("3.1", "2.6.0+cpu", "9"), with("3.12", "2.6.0+cu124", "9"), &["variant", "python"][..]),
        (with("3.12", "2.6.0", "9"), with("3.12", "2.6.0+debian", "9"), &["torch"][..]),
        (with("3.12", "2.6.0+rocm6.2.4", "9"), with("3.12", "2.6.1+rocm6.2.4", "9"), &["torch"][..]),
        (with("3.12", "2.6.0+cpu.cxx11.abi", "9"), with("3.12", "2.6.0+cpu", "9"), &[][..]),
        (with("3.12", "2.6", "(Debian 9) 9.1"), with("3.12", "2.6", "(Ubuntu 9) 9.1"), &["gcc"][..]),
        (with("3.14.0rc2", "2.6", "9"), with("3.14.0", "2.6", "9"), &["python"][..]),
    ] {
        assert_eq!(names(&compared(left, right)), expected);
    }
}

#[test]
fn systems_are_the_same_by_distribution_and_release() {
    let linux = |distribution: Option<&str>, release: &str, text: &str| Environment {
        system: Some(Stated::new(
            System {
                family: SystemFamily::Linux,
                distribution: distribution.map(str::to_owned),
                release: Some(release.to_owned()),
                wsl: false,
                text: text.to_owned(),
            },
            pasted(),
        )),
        ..Environment::default()
    };
    let ubuntu = || linux(Some("ubuntu"), "22.04", "Ubuntu 22.04.4 LTS (x86_64)");
    assert_eq!(names(&compared(ubuntu(), linux(Some("ubuntu"), "22.04.5", "Ubuntu 22.04.5 LTS"))), [""; 0]);
    assert_eq!(names(&compared(ubuntu(), linux(Some("debian"), "13", "Debian GNU/Linux 13"))), ["system"]);
    assert_eq!(names(&compared(ubuntu(), linux(Some("ubuntu"), "24.04", "Ubuntu 24.04"))), ["system"]);
}

#[test]
fn packages_of_one_version_may_differ_in_their_files() {
    let mut other = looked_at();
    other.packages[0].manager = Manager::Conda;
    let comparison = compared(looked_at(), other);
    assert_eq!(names(&comparison), ["package numpy"]);
    let difference = &comparison.differences[0];
    assert_eq!(difference.relevance, Relevance::Minor);
    assert_eq!(difference.left.as_ref().unwrap().value, "2.2.4 (by pip)");
    assert_eq!(difference.right.as_ref().unwrap().value, "2.2.4 (by conda)");
}

#[test]
fn a_value_that_is_withheld_is_not_compared() {
    let with = |value| Environment { variables: vec![variable("TOKEN", value, image())], ..Environment::default() };
    assert_eq!(compared(with(None), with(Some("x"))).untold, ["variable TOKEN"]);
    assert_eq!(compared(with(None), with(None)).same, 1);
}

mod of_replicas {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{
        BaseImage, Choice, Fidelity, FidelityItem, Grade, Network, PackageManager, PythonProvider, Replica,
        ReplicaTorch, TorchPlace,
    };

    fn choice<T>(value: T) -> Choice<T> {
        Choice { value, requested: Origin::Default, because: String::new() }
    }

    fn replica(predicted: Environment, reasons: &[(&str, &str)]) -> Replica {
        let base = BaseImage {
            id: "debian-13".to_owned(),
            reference: "debian:13".to_owned(),
            bootstrapped: None,
            suite: None,
            package_manager: PackageManager::Apt,
            provider: PythonProvider::Distribution,
            interpreter: "python3.13".to_owned(),
            sets: Vec::new(),
        };
        Replica {
            base: choice(base),
            builder: crate::model::Builder::Buildkit,
            python: choice(Version::from_str("3.12").unwrap()),
            interpreter: Vec::new(),
            tools: Vec::new(),
            place: choice(TorchPlace::Environment),
            torch: choice(ReplicaTorch { version: None, variant: Variant::Cpu, index: None }),
            requirements: Vec::new(),
            toolchain: Vec::new(),
            architecture: choice("amd64".to_owned()),
            env: BTreeMap::new(),
            user: "root".to_owned(),
            defect: None,
            indexes: Vec::new(),
            network: Network::default(),
            predicted,
            reasons: reasons.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect(),
            notes: Vec::new(),
        }
    }

    fn item<'a>(fidelity: &'a Fidelity, name: &str) -> &'a FidelityItem {
        fidelity.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name}: {fidelity:#?}"))
    }

    fn reported() -> Environment {
        Environment {
            torch: version("2.6.0+cu124", pasted()),
            python: version("3.12.3", pasted()),
            driver: text("550.54", pasted()),
            cmake: text("3.22.1", pasted()),
            packages: vec![package("numpy", "1.26.4", pasted()), package("left-pad", "1.0", pasted())],
            ..Environment::default()
        }
    }

    #[test]
    fn each_fact_is_graded_with_its_reason() {
        let predicted = Environment {
            torch: version("2.6.0+cpu", image()),
            python: version("3.12.3", image()),
            packages: vec![package("numpy", "1.26.4", image())],
            ..Environment::default()
        };
        let replica = replica(predicted, &[("variant", "there is no GPU here")]);
        let fidelity = fidelity(&catalogue(), &reported(), &replica, None);
        assert!(!fidelity.measured);
        for (name, grade, because) in [
            ("torch", Grade::Same, ""),
            ("variant", Grade::Nearest, "there is no GPU here"),
            ("python", Grade::Same, ""),
            ("driver", Grade::Impossible, "the driver belongs to the machine that runs the container"),
            ("package numpy", Grade::Same, ""),
            ("package left-pad", Grade::LeftOut, "it does not matter to `torch.compile`"),
        ] {
            let item = item(&fidelity, name);
            assert_eq!((item.grade, item.because.as_str()), (grade, because), "{name}");
        }
        assert!(fidelity.items.iter().all(|item| item.name != "cmake"), "a plan does not know it");
        assert_eq!(fidelity.items[0].name, "torch");
        // torch, Python and NumPy of these, the build and a package; the driver does not count.
        assert_eq!(fidelity.score, u8::try_from((20 + 20 + 5) * 100 / (20 + 20 + 20 + 5 + 1)).unwrap());
    }

    #[test]
    fn what_was_measured_counts_and_not_what_was_predicted() {
        let replica = replica(reported(), &[]);
        let fidelity = fidelity(&catalogue(), &reported(), &replica, Some(&Environment::default()));
        assert!(fidelity.measured);
        assert_eq!(item(&fidelity, "cmake").grade, Grade::LeftOut);
        assert_eq!(fidelity.score, 0);
        assert_eq!(super::fidelity(&catalogue(), &reported(), &replica, Some(&reported())).score, 100);
    }

    #[test]
    fn another_kind_of_system_is_impossible() {
        let system = |family, text: &str| {
            let (distribution, release, text) = (None, None, text.to_owned());
            Some(Stated::new(System { family, distribution, release, wsl: false, text }, pasted()))
        };
        let debian = Environment { system: system(SystemFamily::Linux, "Debian"), ..Environment::default() };
        for (family, grade) in [(SystemFamily::Macos, Grade::Impossible), (SystemFamily::Linux, Grade::Nearest)] {
            let reported = Environment { system: system(family, "another"), ..Environment::default() };
            let fidelity = fidelity(&catalogue(), &reported, &replica(debian.clone(), &[]), None);
            assert_eq!(item(&fidelity, "system").grade, grade);
            assert_eq!(fidelity.score, 0);
        }
    }
}
