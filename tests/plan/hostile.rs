//! Whatever text a project or a user brings, a Dockerfile keeps its instructions.

use proptest::prelude::*;
use sconce::model::{Choice, Installer, Manifest, ManifestKind, Origin, Package, Plan, PlannedIndex, PlannedLock};
use sconce::plan::PlanOptions;
use sconce::render::render;

use super::{company, planned, requirements};

/// The keywords of the instructions in `text`, as Docker reads lines: comments are dropped wherever they stand, and a
/// line that ends in a backslash goes on.
fn instructions(text: &str) -> Vec<String> {
    let mut keywords = Vec::new();
    let mut goes_on = false;
    for line in text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()) {
        if line.trim_start().starts_with('#') {
            continue;
        }
        if !goes_on {
            keywords.push(line.split_whitespace().next().unwrap_or_default().to_owned());
        }
        goes_on = line.trim_end().ends_with('\\');
    }
    keywords
}

/// The same plan with `text` wherever a project or a user has a say.
fn filled(text: &str) -> Plan {
    let mut plan = planned(&requirements("torch\nnumpy"), &company()).unwrap();
    let text = || text.to_owned();
    plan.project = text();
    plan.dependencies = vec![text(), "torch".to_owned()];
    plan.constraints = vec![text()];
    plan.overrides = vec![text()];
    plan.unisolated = vec![Choice::new(text(), Origin::file(text(), 1), text())];
    plan.build_needs = vec![text()];
    plan.find_links = vec![Choice::new(text(), Origin::file(text(), 1), text())];
    plan.files = vec![text(), format!("sub/{}", text())];
    plan.folders = vec![Choice::new(text(), Origin::file(text(), 1), text())];
    plan.manifests = vec![Manifest { path: text(), kind: ManifestKind::Requirements }];
    plan.python.because = text();
    plan.torch.because = text();
    plan.torch.value.backend = Some(text());
    plan.torch.requested = Origin::file(text(), 3);
    plan.system[0].requested = Origin::Environment { variable: text() };
    plan.system[1].value = text();
    plan.package = Some(Package { backend: text(), origin: Origin::file(text(), 1) });
    plan.indexes.push(PlannedIndex {
        url: text(),
        primary: false,
        secret: false,
        name: None,
        packages: Vec::new(),
        origin: Origin::flag(text()),
    });
    let bound = PlannedIndex { name: Some(text()), packages: vec!["torch".to_owned()], ..plan.indexes[2].clone() };
    plan.indexes.push(bound);
    plan.extra_index = Some(Origin::file(text(), 2));
    plan.env = [("NAME".to_owned(), text())].into();
    plan.run = vec![text(), text()];
    plan
}

/// The same with a lock of `kind`, which its own program follows.
fn locked(text: &str, kind: ManifestKind, installer: Installer) -> Plan {
    let mut plan = filled(text);
    plan.installer.value = installer;
    plan.lock = Some(Choice::new(
        PlannedLock { path: format!("{text}/{text}"), kind, local: true },
        Origin::file(text, 1),
        text,
    ));
    plan.extras = vec![text.to_owned()];
    plan.groups = vec![text.to_owned()];
    plan
}

const LOCKS: [(ManifestKind, Installer); 5] = [
    (ManifestKind::UvLock, Installer::Uv),
    (ManifestKind::Pylock, Installer::Uv),
    (ManifestKind::PoetryLock, Installer::Poetry),
    (ManifestKind::PdmLock, Installer::Pdm),
    (ManifestKind::PipfileLock, Installer::Pipenv),
];

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\nRUN id",
        "\n",
        "\r",
        "\\",
        "\\\n",
        "'",
        "\"",
        "$(id)",
        "`id`",
        "${PATH}",
        "#",
        "# escape=`",
        "<<EOF",
        " ",
        "a",
        "[x]",
        "*",
        "?",
        "&&",
        ";",
        "|",
        "--mount=type=bind",
        "{{ x }}",
        "{% raw %}",
        "\u{2028}",
        "\u{202e}",
        "\0",
        "/",
        "..",
        "é",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()), any::<String>()]
}

#[test]
fn harmless_text_renders() {
    assert!(render(&filled("plain")).is_ok());
    assert!(LOCKS.iter().all(|(kind, installer)| render(&locked("plain", *kind, *installer)).is_ok()));
}

proptest! {
    // Each case renders whole Dockerfiles.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_adds_an_instruction(text in hostile()) {
        prop_assume!(text != ".");
        let expected = instructions(&render(&filled("plain")).unwrap().text);
        if let Ok(dockerfile) = render(&filled(&text)) {
            prop_assert_eq!(instructions(&dockerfile.text), expected, "{}", dockerfile.text);
        }
    }

    #[test]
    fn no_text_of_a_lock_adds_an_instruction(text in hostile(), at in 0..LOCKS.len()) {
        // A folder of this name is the whole project, which is copied in another order.
        prop_assume!(text != ".");
        let (kind, installer) = LOCKS[at];
        let expected = instructions(&render(&locked("plain", kind, installer)).unwrap().text);
        if let Ok(dockerfile) = render(&locked(&text, kind, installer)) {
            prop_assert_eq!(instructions(&dockerfile.text), expected, "{}", dockerfile.text);
        }
    }

    #[test]
    fn comments_take_any_text(text in hostile()) {
        let mut plan = planned(&requirements("torch"), &PlanOptions::default()).unwrap();
        let expected = instructions(&render(&plan).unwrap().text);
        plan.base.because.clone_from(&text);
        plan.installer.because.clone_from(&text);
        plan.torch.requested = Origin::file(text.clone(), 3);
        plan.system[0].because = text;
        prop_assert_eq!(instructions(&render(&plan).unwrap().text), expected);
    }
}
