//! Which build of torch is predicted, which is certain, and what is said of it beforehand.

use sconce::model::{Note, Origin, PlannedIndex, Project, Severity, Variant};
use sconce::plan::PlanOptions;

use super::{asked, assert_decisions, planned, project, requirements, shown};

/// The prediction, what the proof is held against, and the notes.
fn outlook(project: &Project, options: &PlanOptions) -> String {
    let plan = match planned(project, options) {
        Ok(plan) => plan,
        Err(error) => return format!("{:?} {}", error.kind, shown(&error)),
    };
    let (torch, notes) = (plan.torch.value, plan.notes);
    let prediction = torch.prediction;
    let version = prediction.version.map_or_else(|| "?".to_owned(), |version| version.to_string());
    let size = prediction.installed_gb.map(|size| format!(", {size} GB")).unwrap_or_default();
    let driver = prediction.driver.map(|driver| format!(", driver {driver}")).unwrap_or_default();
    let full = prediction.full_driver.map(|driver| format!(" ({driver})")).unwrap_or_default();
    let proof = if torch.specifiers.is_empty() { String::new() } else { format!(" `{}`", torch.specifiers) };
    let notes: Vec<String> = notes.iter().map(note).collect();
    format!(
        "{version} for {}{size}{driver}{full}; proof: {}{proof}{}",
        prediction.variant,
        torch.variant,
        notes.concat()
    )
}

fn note(note: &Note) -> String {
    let severity = if note.severity == Severity::Warning { "warning" } else { "note" };
    let hint = note.hint.as_ref().map(|hint| format!("\n    hint: {hint}")).unwrap_or_default();
    format!("\n  {severity}: {}: {}{hint}", note.origin, note.message)
}

fn variant(name: &str) -> PlanOptions {
    PlanOptions { variant: asked(name.to_owned(), "--variant"), ..PlanOptions::default() }
}

fn arm64() -> PlanOptions {
    PlanOptions { architecture: asked("arm64".to_owned(), "--platform"), ..PlanOptions::default() }
}

fn given_index(url: &str) -> PlanOptions {
    let index = PlannedIndex {
        url: url.to_owned(),
        primary: true,
        secret: false,
        name: None,
        packages: Vec::new(),
        origin: Origin::flag("--index-url"),
    };
    PlanOptions { indexes: vec![index], ..PlanOptions::default() }
}

#[test]
fn requirements_tell_the_build() {
    let none = PlanOptions::default();
    let rows = vec![
        ("torch", none.clone()),
        ("torch==2.15.0", none.clone()),
        ("torch==2.7.1", none.clone()),
        ("torch==2.9.*", none.clone()),
        ("torch>=2.6,<2.9", none.clone()),
        ("torch==99", none.clone()),
        ("torch==2.7.1+cu118", none.clone()),
        ("torch==2.8.0+cu118", none.clone()),
        ("torch==2.7.1+cu999", none.clone()),
        ("torch==2.7.1+cpu", none.clone()),
        ("torch==2.6.0+rocm6.2.4", none.clone()),
        ("torch==2.6.0+company1", none.clone()),
        ("torch @ https://files.example.org/whl/cpu/torch-2.7.1-cp313-cp313-manylinux_2_28_x86_64.whl", none.clone()),
        ("torch @ git+https://git.example.org/pytorch.git", none.clone()),
        ("numpy", none.clone()),
        ("transformers[torch]", none.clone()),
        ("torch", arm64()),
        ("torch==2.10.0", arm64()),
        ("torch==2.11.0", arm64()),
        ("torch==2.10.0", variant("cu126")),
        ("torch", variant("cpu")),
        ("torch", variant("cu118")),
        ("torch>=2.8,<2.15", variant("cu118")),
        ("torch==2.8.0", variant("cu118")),
        ("torch", variant("cu999")),
        ("torch", variant("cu134")),
        ("torch", variant("rocm6.3")),
        ("torch", variant("xpu")),
        ("torch==99", variant("cu132")),
    ];
    assert_decisions("outlook", rows.iter().map(|(text, options)| row(text, options)));
}

fn row(text: &str, options: &PlanOptions) -> (String, String) {
    let variant = options.variant.as_ref().map(|asked| format!(" --variant {}", asked.value)).unwrap_or_default();
    let platform = options.architecture.as_ref().map(|asked| format!(" on {}", asked.value)).unwrap_or_default();
    let index = options.indexes.first().map(|index| format!(" --index-url {}", index.url)).unwrap_or_default();
    (format!("{text}{variant}{platform}{index}"), outlook(&requirements(text), options))
}

#[test]
fn indexes_tell_the_build() {
    let none = PlanOptions::default();
    let rows = [
        ("--index-url https://download.example.org/whl/cu126\ntorch", none.clone()),
        ("--index-url https://download.example.org/whl/cu126\ntorch==2.15.0", none.clone()),
        ("--index-url https://download.example.org/whl/cpu\ntransformers[torch]", none.clone()),
        ("--index-url https://pypi.example.org/simple\ntorch", none.clone()),
        ("--extra-index-url https://download.example.org/whl/cpu\ntorch", none.clone()),
        ("--extra-index-url https://download.example.org/whl/cu118\ntorch", none.clone()),
        ("--extra-index-url https://download.example.org/whl/cu118\ntorch==2.7.1", none.clone()),
        (
            "--extra-index-url https://x.example.org/whl/cpu\n--extra-index-url https://x.example.org/whl/cu128\ntorch",
            none,
        ),
        ("torch", given_index("https://download.example.org/whl/cu128/")),
        ("--extra-index-url https://download.example.org/whl/cu128\ntorch", variant("cpu")),
        ("--index-url https://download.example.org/whl/cpu\ntorch", variant("cpu")),
    ];
    assert_decisions("outlook-indexes", rows.iter().map(|(text, options)| row(text, options)));
}

const BOUND: &str = "
[tool.uv.sources]
torch = { index = \"gpu\" }
[[tool.uv.index]]
name = \"gpu\"
url = \"https://download.example.org/whl/cu128\"
explicit = true
";

fn bound(dependencies: &str, more: &[(&str, &str)]) -> Project {
    let text = format!("[project]\nname = \"demo\"\nversion = \"1\"\ndependencies = [{dependencies}]\n{BOUND}");
    let mut files = vec![("pyproject.toml", text.as_str())];
    files.extend_from_slice(more);
    project(&files)
}

#[test]
fn a_binding_reaches_direct_requirements_only() {
    let none = PlanOptions::default();
    let rows = [
        ("direct", outlook(&bound("\"torch\"", &[]), &none)),
        ("direct, --variant cpu", outlook(&bound("\"torch\"", &[]), &variant("cpu"))),
        ("through a package", outlook(&bound("\"sentence-transformers\"", &[]), &none)),
        ("nobody asks", outlook(&bound("\"numpy\"", &[]), &none)),
    ];
    assert_decisions("outlook-bound", rows.into_iter().map(|(what, says)| (what.to_owned(), says)));
}

#[test]
fn a_build_for_another_device_is_a_warning() {
    let none = PlanOptions::default();
    let with = |file: &str, text: &str| project(&[("requirements.txt", "torch==2.9.1\n"), (file, text)]);
    let cuda = with("app.py", "import torch\nmodel.to(\"cuda\")\n");
    let cpu = with("app.py", "import torch\nmodel.to(\"cpu\")\n");
    let both = with("app.py", "d = torch.device(\"cuda\" if torch.cuda.is_available() else \"cpu\")\n");
    let cpu_image = with("Dockerfile", "FROM example.org/pytorch:2.4-cpu\n");
    let gpu_image = with("Dockerfile", "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\n");
    let rows = [
        ("cpu sources", outlook(&cpu, &none)),
        ("cpu sources, --variant cpu", outlook(&cpu, &variant("cpu"))),
        ("cuda sources", outlook(&cuda, &none)),
        ("cuda sources, --variant cpu", outlook(&cuda, &variant("cpu"))),
        ("cuda sources on arm64", outlook(&cuda, &arm64())),
        ("either, --variant cpu", outlook(&both, &variant("cpu"))),
        ("either", outlook(&both, &none)),
        ("cpu image", outlook(&cpu_image, &none)),
        ("cuda image, --variant cpu", outlook(&gpu_image, &variant("cpu"))),
        ("cuda image", outlook(&gpu_image, &none)),
    ];
    assert_decisions("outlook-devices", rows.into_iter().map(|(what, says)| (what.to_owned(), says)));
}

#[test]
fn conda_has_builds_of_its_own() {
    let environment = |packages: &str| {
        let text = format!("name: demo\nchannels: [pytorch, nvidia]\ndependencies:\n  - python=3.11\n{packages}");
        project(&[("environment.yml", &text)])
    };
    let none = PlanOptions::default();
    let rows = [
        ("cuda", outlook(&environment("  - pytorch=2.5\n  - pytorch-cuda=12.1\n"), &none)),
        ("cpuonly", outlook(&environment("  - pytorch=2.5\n  - cpuonly\n"), &none)),
        ("cpuonly --variant cpu", outlook(&environment("  - pytorch=2.5\n  - cpuonly\n"), &variant("cpu"))),
        ("cpuonly --variant cu121", outlook(&environment("  - pytorch=2.5\n  - cpuonly\n"), &variant("cu121"))),
    ];
    assert_decisions("outlook-conda", rows.into_iter().map(|(what, says)| (what.to_owned(), says)));
}

/// What the proof is held against is never narrower than what is predicted.
#[test]
fn the_proof_never_contradicts_the_prediction() {
    for text in ["torch", "torch==2.7.1+cpu", "torch>=2.9,<2.15", "torch==99", "numpy", "torch==2.15.0"] {
        for options in [PlanOptions::default(), arm64()] {
            let torch = planned(&requirements(text), &options).unwrap().torch.value;
            let (certain, probable) = (&torch.variant, &torch.prediction.variant);
            assert!(certain.includes(probable), "{text}: {certain} and {probable}");
        }
    }
    let guess = planned(&requirements("torch"), &PlanOptions::default()).unwrap().torch.value;
    assert_eq!(guess.variant, Variant::Cuda { version: None }, "any CUDA will do");
    assert!(guess.prediction.version.is_some() && guess.specifiers.is_empty(), "the version is only a guess");
}
