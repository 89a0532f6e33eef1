//! Templates of a user's own, and Dockerfiles as BuildKit reads them.

use std::collections::BTreeSet;
use std::path::Path;

use parse_dockerfile::Instruction;
use sconce::catalogue::{Catalogue, Packages};
use sconce::inspect::{InspectOptions, inspect};
use sconce::model::{Builder, Error, Origin, Plan, Variant};
use sconce::plan::{Asked, ImageOptions, PlanOptions, plan};
use sconce::render::{Templates, devcontainer, render, render_with, templates};
use serde_json::{Value, json};

fn asked<T>(value: T) -> Asked<T> {
    Asked { value, origin: Origin::flag("--test") }
}

fn planned(options: &PlanOptions) -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/gpt-fast");
    let project = inspect(&folder, &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap();
    plan(&project, &Catalogue::embedded().unwrap(), options).unwrap()
}

/// Everything that can be asked of how containers run, with text that tempts whoever does not quote it.
fn everything() -> ImageOptions {
    let words = |words: &[&str]| Some(asked(words.iter().map(|word| (*word).to_owned()).collect()));
    let label = |key: &str, value: &str| asked((key.to_owned(), value.to_owned()));
    ImageOptions {
        user: Some(asked("12345:0".to_owned())),
        workdir: Some(asked("/srv/it@1".to_owned())),
        entrypoint: words(&["tini", "--"]),
        command: words(&["python", "-c", "print(\"$HOME\", '\\')"]),
        ports: ["8000", "53/udp"].map(|port| asked(port.to_owned())).to_vec(),
        labels: vec![
            label("org.opencontainers.image.title", "It's \"$PROJECT\" \\"),
            label("org.opencontainers.image.base.name", "mine"),
            label("org.example.team", "ml; rm -rf / # {{ x }}"),
        ],
        healthcheck: Some(asked("test -f \"$HOME/it's\" || exit 1".to_owned())),
    }
}

fn own(files: &[(&str, &str)]) -> Templates {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Templates { folder: "docker".to_owned(), files }
}

fn with(files: &[(&str, &str)]) -> Result<String, Error> {
    render_with(&planned(&PlanOptions::default()), &own(files)).map(|dockerfile| dockerfile.text)
}

/// An error as a person sees it.
fn refused(files: &[(&str, &str)]) -> String {
    let error = with(files).unwrap_err();
    format!("{error}\n{}", error.hint.as_deref().unwrap_or_default())
}

const EXTENDS: &str = "{% extends \"sconce/Dockerfile.tera\" %}\n";

#[test]
fn a_block_is_overridden_and_the_rest_stays() {
    let built_in = render(&planned(&PlanOptions::default())).unwrap().text;
    let more = "{% block run %}{{ super() }}\nRUN echo {{ project | sh }} > /etc/motd{% endblock run %}";
    let text = with(&[("Dockerfile.tera", &format!("{EXTENDS}{more}"))]).unwrap();
    assert!(text.contains("\nRUN echo gpt-fast > /etc/motd\n"), "{text}");
    assert_eq!(text.replace("\nRUN echo gpt-fast > /etc/motd", ""), built_in);
}

#[test]
fn a_file_stands_in_place_of_the_built_in_one_and_may_include_it() {
    let text = "{% include \"sconce/Dockerfile.image.tera\" %}STOPSIGNAL SIGINT\n";
    let rendered = with(&[("Dockerfile.image.tera", text)]).unwrap();
    assert!(rendered.ends_with("\nCMD [\"python\"]\nSTOPSIGNAL SIGINT\n\n"), "{rendered}");
    let own = [("Dockerfile.user.tera", "{% include \"mine.tera\" %}"), ("mine.tera", "WORKDIR {{ workdir }}\n")];
    let rendered = with(&own).unwrap();
    assert!(rendered.contains("\nWORKDIR /app\n") && !rendered.contains("useradd"), "{rendered}");
}

#[test]
fn all_built_in_templates_as_ones_own_change_nothing() {
    let files: Vec<_> = templates().collect();
    assert_eq!(with(&files).unwrap(), render(&planned(&PlanOptions::default())).unwrap().text);
}

#[test]
fn a_broken_template_is_named_with_its_line() {
    let block = |text: &str| format!("{EXTENDS}{{% block run %}}\n{text}\n{{% endblock run %}}");
    let told: Vec<String> = [
        block("{% if run %}"),
        block("RUN echo {{ projcet }}"),
        block("{% if builkdit %}RUN id{% endif %}"),
        block("{# projcet #}{% for command in comands %}{% endfor %}"),
        block("{% if python.nmae %}RUN id{% endif %}"),
        block("RUN echo {{ python.why }}"),
        block("{% for package in system %}RUN echo {{ package.why }}{% endfor %}"),
        block("RUN echo {{ project | shell }}"),
        block("{% include \"nothing.tera\" %}"),
        block("{{ entrypoint | sh }}"),
        block("{{ throw(message=\"not\\nhere\") }}"),
        format!("{EXTENDS}{{% block runs %}}{{% endblock %}}"),
        "{% extends \"Dockerfile.tera\" %}".to_owned(),
        "{% extends \"sconce/Dockerfil.tera\" %}".to_owned(),
        "{% for i in range(end=1000) %}{% for j in range(end=1000) %}RUN true{% endfor %}{% endfor %}".to_owned(),
    ]
    .iter()
    .map(|text| refused(&[("Dockerfile.tera", text)]))
    .chain([refused(&[("Dockerfile.pyhton.tera", "RUN id")])])
    .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

/// A name that a template sets itself is known, also to one that it includes.
#[test]
fn a_template_may_set_names() {
    let text = format!(
        "{EXTENDS}{{% block run %}}{{% set greeting = \"hi\" %}}{{% for base in run %}}{{{{ base.x }}}}{{% endfor %}}{{% \
         include \"mine.tera\" %}}{{% endblock %}}"
    );
    let rendered = with(&[("Dockerfile.tera", &text), ("mine.tera", "\nRUN echo {{ greeting }}")]).unwrap();
    assert!(rendered.contains("\nRUN echo hi\n"), "{rendered}");
}

#[test]
fn every_block_and_every_name_is_described() {
    let described = include_str!("../docs/templates.md");
    let dockerfile = templates().find(|(name, _)| *name == "Dockerfile.tera").unwrap().1;
    let blocks: BTreeSet<&str> =
        dockerfile.split("{% block ").skip(1).map(|rest| rest.split(' ').next().unwrap()).collect();
    assert!(blocks.contains("run") && blocks.len() > 8, "{blocks:?}");
    for name in blocks.into_iter().chain(templates().map(|(name, _)| name)) {
        assert!(described.contains(&format!("`{name}`")), "docs/templates.md does not describe `{name}`");
    }
}

#[test]
fn how_containers_run() {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r#"dev\.sconce\.version="[^"]+""#, r#"dev.sconce.version="VERSION""#);
    let tail = |options: &PlanOptions| {
        let text = render(&planned(options)).unwrap().text;
        let user = text.split("\n\n").find(|step| step.contains("\nWORKDIR ")).unwrap();
        format!("{user}\n…\n{}", &text[text.find("# The source comes last").unwrap()..])
    };
    let options = PlanOptions { image: everything(), ..PlanOptions::default() };
    let root = ImageOptions { user: Some(asked("root".to_owned())), ..ImageOptions::default() };
    let root = PlanOptions { image: root, ..PlanOptions::default() };
    settings.bind(|| {
        insta::assert_snapshot!("containers", tail(&options));
        insta::assert_snapshot!("containers_as_root", tail(&root));
    });
}

#[test]
fn what_no_image_can_have_is_refused() {
    let label = |key: &str, value: &str| ImageOptions {
        labels: vec![asked((key.to_owned(), value.to_owned()))],
        ..ImageOptions::default()
    };
    let user = |user: &str| ImageOptions { user: Some(asked(user.to_owned())), ..ImageOptions::default() };
    let packages = PlanOptions { system: vec![asked("foo; rm -rf /".to_owned())], ..PlanOptions::default() };
    let images = [
        label("org.example.team", "one\ntwo"),
        label("dev.sconce.version", "9"),
        label("a b", "c"),
        user("app; id"),
        ImageOptions { workdir: Some(asked("/app/../etc".to_owned())), ..ImageOptions::default() },
        ImageOptions { ports: vec![asked("70000".to_owned())], ..ImageOptions::default() },
        ImageOptions { command: Some(asked(Vec::new())), ..ImageOptions::default() },
        ImageOptions { healthcheck: Some(asked("a\nRUN id".to_owned())), ..ImageOptions::default() },
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/gpt-fast");
    let project = inspect(&folder, &Packages::embedded().unwrap(), &InspectOptions::default()).unwrap();
    let told = images.into_iter().map(|image| PlanOptions { image, ..PlanOptions::default() }).chain([packages]).map(
        |options| {
            let error = plan(&project, &Catalogue::embedded().unwrap(), &options).unwrap_err();
            format!("{error}\n{}", error.hint.as_deref().unwrap_or_default())
        },
    );
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n\n"));
}

/// The keywords of a Dockerfile, by a parser that follows BuildKit's.
pub(crate) fn keywords(text: &str) -> Vec<&'static str> {
    // BuildKit takes an empty list here, which takes away the entry point of the base; the parser does not.
    let text = &text.replace("\nENTRYPOINT []\n", "\nENTRYPOINT [\"reset\"]\n");
    let parsed = parse_dockerfile::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let directives = &parsed.parser_directives;
    assert!(directives.syntax.is_none() && directives.escape.is_none() && directives.check.is_none(), "{text}");
    let keyword = |instruction: &Instruction<'_>| match instruction {
        Instruction::Arg(_) => "ARG",
        Instruction::Cmd(_) => "CMD",
        Instruction::Copy(_) => "COPY",
        Instruction::Entrypoint(_) => "ENTRYPOINT",
        Instruction::Env(_) => "ENV",
        Instruction::Expose(_) => "EXPOSE",
        Instruction::From(_) => "FROM",
        Instruction::Healthcheck(_) => "HEALTHCHECK",
        Instruction::Label(_) => "LABEL",
        Instruction::Run(run) => {
            assert!(run.here_docs.is_empty(), "{text}");
            "RUN"
        }
        Instruction::Shell(_) => "SHELL",
        Instruction::User(_) => "USER",
        Instruction::Workdir(_) => "WORKDIR",
        other => panic!("{other:?} is not expected in\n{text}"),
    };
    parsed.instructions.iter().map(keyword).collect()
}

#[test]
fn every_reviewed_dockerfile_is_one_to_buildkit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let snapshot = std::fs::read_to_string(&path).unwrap();
        let is_dockerfile = path.file_name().unwrap().to_str().unwrap().contains("__dockerfile-");
        let Some((_, text)) = snapshot.split_once("\n---\n").filter(|(_, text)| is_dockerfile && text.starts_with('#'))
        else {
            continue;
        };
        read += 1;
        let keywords = keywords(text);
        assert_eq!(keywords[..2], ["ARG", "FROM"], "{}", path.display());
        // One stage, and one more where the interpreter is fetched by programs that are not to stay.
        let stages = 1 + usize::from(text.contains("COPY --from=interpreter"));
        assert_eq!(keywords.iter().filter(|keyword| **keyword == "FROM").count(), stages, "{}", path.display());
        assert_eq!(keywords[keywords.len() - 2..], ["USER", "CMD"], "{}", path.display());
        // Few layers: what is installed and copied, and nothing that a step before could have done.
        assert!(keywords.iter().filter(|keyword| **keyword == "RUN").count() <= 7, "{}", path.display());
        // The shell of a `RUN` may have no `pipefail`: a pipe would hide that its first command failed.
        let piped = text.lines().find(|line| !line.starts_with('#') && line.replace("||", "").contains(" | "));
        assert_eq!(piped, None, "{}", path.display());
    }
    assert!(read > 30, "only {read} Dockerfiles were found");
}

#[test]
fn what_is_asked_of_containers_is_what_the_image_gets() {
    let plan = planned(&PlanOptions { image: everything(), ..PlanOptions::default() });
    for builder in [Builder::Buildkit, Builder::Classic] {
        let text = render(&Plan { builder, ..plan.clone() }).unwrap().text;
        let words = keywords(&text);
        assert_eq!(words[words.len() - 5..], ["EXPOSE", "HEALTHCHECK", "USER", "ENTRYPOINT", "CMD"]);
        let last = text.trim_end().lines().last().unwrap();
        let command: Vec<String> = serde_json::from_str(last.strip_prefix("CMD ").unwrap()).unwrap();
        assert_eq!(command, plan.image.command);
    }
}

#[test]
fn a_development_container_is_as_its_specification_has_it() {
    let document = |plan: &Plan| -> Value { serde_json::from_str(&devcontainer(plan)).unwrap() };
    let plan = planned(&PlanOptions { image: everything(), ..PlanOptions::default() });
    assert_eq!(
        document(&plan),
        json!({
            "name": "gpt-fast",
            "build": {"dockerfile": "Dockerfile", "context": ".."},
            "workspaceFolder": "/srv/it@1",
            "workspaceMount": "source=${localWorkspaceFolder},target=/srv/it@1,type=bind",
            "remoteUser": "12345",
            "forwardPorts": [8000],
            "hostRequirements": {"gpu": "optional"},
            "customizations": {"vscode": {
                "extensions": ["ms-python.python"],
                "settings": {"python.defaultInterpreterPath": "/opt/venv/bin/python"}
            }}
        })
    );
    let mut plan = planned(&PlanOptions::default());
    plan.torch.value.variant = Variant::Cpu;
    plan.network.ca_bundle = true;
    let cpu = document(&plan);
    assert_eq!((cpu.get("hostRequirements"), cpu.get("runArgs"), cpu.get("forwardPorts")), (None, None, None));
    assert_eq!(cpu["build"]["options"], json!(["--secret=id=sconce-ca,src=${localEnv:SCONCE_CA_BUNDLE}"]));
    plan.torch.value.variant = Variant::Rocm { version: None };
    assert_eq!(document(&plan)["runArgs"][0], "--device=/dev/kfd");
}
