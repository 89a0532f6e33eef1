//! What people paste: documents after real ones, what is found in each, and what no document may do.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use proptest::prelude::*;
use sconce::model::{Error, Excerpt, Origin, PartKind, Reported, Result};
use sconce::reported::{self, ReportChoice};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reported/parts")
}

fn document(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn read(name: &str, text: &str, number: Option<usize>) -> Result<Reported> {
    reported::read(name, text, ReportChoice { number, by: "--report " })
}

fn line(origin: &Origin) -> String {
    match origin {
        Origin::File { line, .. } => line.to_string(),
        other => other.to_string(),
    }
}

/// What was found, as a reviewer reads it. Of a report of `collect_env` only torch and the interpreter are told: its reader has
/// tests of its own.
fn told(reported: &Reported) -> String {
    let mut told = String::new();
    for part in &reported.parts {
        writeln!(told, "{}-{} {:?}", part.line, part.line + part.lines - 1, part.kind).unwrap();
    }
    let environment = &reported.environment;
    let mut fact = |name: &str, value: Option<(String, &Origin)>| {
        if let Some((value, origin)) = value {
            writeln!(told, "{name}: {value} ({})", line(origin)).unwrap();
        }
    };
    fact("torch", environment.torch.as_ref().map(|it| (it.value.to_string(), &it.origin)));
    fact("python", environment.python.as_ref().map(|it| (it.value.to_string(), &it.origin)));
    let is_report = |kind| matches!(kind, PartKind::CollectEnv | PartKind::VllmCollectEnv);
    if !reported.parts.iter().any(|part| is_report(part.kind)) {
        fact("variant", environment.variant.as_ref().map(|it| (format!("{:?}", it.value), &it.origin)));
        fact("installation", environment.installation.as_ref().map(|it| (format!("{:?}", it.value), &it.origin)));
        fact("place", environment.place.as_ref().map(|it| (format!("{:?}", it.value), &it.origin)));
        fact("kernel", environment.kernel.as_ref().map(|it| (it.value.clone(), &it.origin)));
        fact("architecture", environment.architecture.as_ref().map(|it| (it.value.clone(), &it.origin)));
        for variable in &environment.variables {
            fact(&variable.name, Some((variable.value.clone().unwrap_or_default(), &variable.origin)));
        }
        for package in &environment.packages {
            let more = [&package.build, &package.channel, &package.source].map(|it| it.clone().unwrap_or_default());
            let value = format!("{} {:?} {}", package.version, package.manager, more.join(" "));
            fact(&format!("  {}", package.name), Some((value.trim_end().to_owned(), &package.origin)));
        }
    }
    for note in &reported.notes {
        writeln!(told, "note at {}: {}", line(&note.origin), note.message).unwrap();
    }
    for (kind, excerpts) in [("program", &reported.scripts), ("log", &reported.logs)] {
        for Excerpt { line, text } in excerpts {
            writeln!(told, "--- {kind} from {line}\n{text}").unwrap();
        }
    }
    told
}

fn refused(error: &Error) -> String {
    format!("{error}\n{}", error.hint.as_deref().unwrap_or_default())
}

fn answer(name: &str, choice: Option<usize>) -> String {
    match read(name, &document(name), choice) {
        Ok(reported) => told(&reported),
        Err(error) => refused(&error),
    }
}

#[test]
fn each_document_is_read_as_it_was_reviewed() {
    let mut names: Vec<_> =
        fs::read_dir(folder()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    for name in names {
        assert_snapshot!(name.replace('.', "_"), answer(&name, None));
    }
}

#[test]
fn one_of_several_reports_can_be_chosen() {
    let second = read("two_reports.md", &document("two_reports.md"), Some(2)).unwrap();
    assert_eq!(second.environment.torch.as_ref().unwrap().value.to_string(), "2.5.0+cpu");
    assert_eq!(second.environment.package("numpy").unwrap().version, "2.1.3");
    let first = read("two_reports.md", &document("two_reports.md"), Some(1)).unwrap();
    assert_eq!(first.environment.package("numpy").unwrap().version, "1.26.4");
    assert_eq!(
        refused(&read("x", &document("two_reports.md"), Some(3)).unwrap_err()),
        "there is no report 3: `x` holds 2 reports\nreports are counted from 1: --report 1 to --report 2"
    );
    assert!(read("x", &document("two_reports.md"), Some(0)).is_err());
    assert!(read("x", &document("freeze.txt"), Some(1)).is_ok());
    assert!(read("x", &document("log.txt"), Some(1)).is_err());
}

#[test]
fn what_is_no_text_is_refused() {
    for (text, expected) in [
        ("", "`x` is empty"),
        ("\u{feff} \r\n\t\n", "`x` is empty"),
        ("PyTorch\0version", "`x` is no text, but binary data"),
        ("\u{fffd}\u{fffd}PNG\u{1}\u{2}\u{3}", "`x` is no text, but binary data"),
        (&"a\n".repeat(1 << 21), "`x` is too long: more than 16 MiB, or than 1048576 lines"),
        (&"a".repeat((16 << 20) + 1), "`x` is too long: more than 16 MiB, or than 1048576 lines"),
    ] {
        assert_eq!(read("x", text, None).unwrap_err().to_string(), expected);
    }
}

#[test]
fn no_secret_is_kept() {
    for name in ["freeze.txt", "page.html", "conda_explicit.txt", "environment.json"] {
        let reported = read(name, &document(name), None).unwrap();
        let kept = format!("{:?}", reported.environment);
        assert!(!kept.contains("secret") && !kept.contains("token") && !kept.contains("tk-"), "{kept}");
    }
}

/// The lines that a value names must be of the document.
fn assert_within(reported: &Reported, text: &str) {
    let lines = text.split('\n').count();
    for part in &reported.parts {
        assert!(part.line >= 1 && part.lines >= 1 && part.line + part.lines - 1 <= lines, "{part:?} of {lines}");
    }
    let excerpts = reported.logs.iter().chain(&reported.scripts);
    assert!(excerpts.clone().all(|it| (1..=lines).contains(&it.line)), "{excerpts:?}");
    for package in &reported.environment.packages {
        let Origin::File { line, .. } = package.origin else { continue };
        assert!((1..=lines).contains(&line), "{package:?}");
    }
}

#[test]
fn long_documents_are_read_in_one_go() {
    let unit = "PyTorch version: 2.6\nOS: x\n";
    for text in [
        "torch==2.6.0\nx\n",
        "word 1\n",
        "torch 1\n\n",
        "import os\n\n",
        "Name: a\n",
        "a 1 h_1 x\n",
        "```\n",
        "`````\n> ",
        "- a\n",
        "name: x\n",
        "dependencies:\n",
        "[\n",
        "{\"installed\": [",
        ">>> x\n\n",
        "## h\n",
        "<pre>\n",
        "&lt;<br>",
        "> ",
        "# Editable install with no (a==1)\n",
        "Collecting environment information\n",
        "Traceback (most recent call last):\n\n",
        "\"\"\"\n",
        "# packages in environment at\n",
        "a: b\n",
        "OS: x\nCPU: y\nz\n",
        unit,
        "\u{1b}[",
        "\r",
    ] {
        let text = text.repeat((1 << 18) / text.len());
        if let Ok(reported) = read("x", &text, Some(1)) {
            assert_within(&reported, &text);
        }
    }
}

fn lines() -> impl Strategy<Value = String> {
    let known: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .flat_map(|file| {
            fs::read_to_string(file.unwrap().path()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let line = prop_oneof![8 => prop::sample::select(known), 1 => "\\PC{0,40}", 1 => Just("```".to_owned()), 1 => Just(String::new())];
    let wrapped = (line, prop::sample::select(vec!["", "> ", "    ", "<br>", "&gt; ", ">> "]))
        .prop_map(|(line, by)| format!("{by}{line}"));
    prop::collection::vec(wrapped, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_mixture_is_read_within_its_lines(text in lines(), choice in proptest::option::of(0_usize..4)) {
        match read("x", &text, choice) {
            Ok(reported) => assert_within(&reported, &text),
            Err(error) => prop_assert_eq!(error.kind, sconce::model::ErrorKind::Usage),
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC*") {
        if let Ok(reported) = read("x", &text, None) {
            assert_within(&reported, &text);
        }
    }

    #[test]
    fn line_ends_of_windows_change_nothing(text in lines()) {
        let windows = text.replace('\n', "\r\n");
        let found = |text: &str| read("x", text, Some(1)).map(|it| (it.parts, it.environment)).map_err(|error| error.to_string());
        prop_assert_eq!(found(&text), found(&windows));
    }
}
