//! The JSON documents, one a kind of answer. Each is one object with the version of its schema ([`SCHEMA`]) and of
//! sconce; `docs/json.md` describes them.

use std::io::{self, Write};

use serde::Serialize;

use super::error::causes;
use crate::model::{BaseRow, Error, ErrorKind, Image, Origin, Plan, Project, Report, SCHEMA};

/// Writes a report; `ok` says whether the answer is yes.
pub fn report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        ok: bool,
        #[serde(flatten)]
        report: &'a Report,
    }
    write(&Document { ok: report.outcome.ok(), report }, out)
}

/// Writes what a project asks for.
pub fn project(project: &Project, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        project: &'a Project,
    }
    answer(Answer { project }, out)
}

/// Writes what would be built.
pub fn rendered(project: &Project, plan: &Plan, dockerfile: &str, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        project: &'a Project,
        plan: &'a Plan,
        dockerfile: &'a str,
    }
    answer(Answer { project, plan, dockerfile }, out)
}

/// Writes the bases of the catalogue.
pub fn bases(bases: &[BaseRow], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        bases: &'a [BaseRow],
    }
    answer(Answer { bases }, out)
}

/// Writes an image that was made.
pub fn image(image: &Image, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        image: &'a Image,
    }
    answer(Answer { image }, out)
}

/// Writes an error.
pub fn error(error: &Error, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Answer<'a> {
        error: Fields<'a>,
    }
    #[derive(Serialize)]
    struct Fields<'a> {
        kind: &'static str,
        message: &'a str,
        origin: Option<&'a Origin>,
        hint: Option<&'a str>,
        causes: Vec<String>,
        log: &'a [String],
    }
    let fields = Fields {
        kind: match error.kind {
            ErrorKind::No => "no",
            ErrorKind::Usage => "usage",
            ErrorKind::TryAgain => "try_again",
            ErrorKind::Interrupted => "interrupted",
        },
        message: &error.message,
        origin: error.origin.as_ref(),
        hint: error.hint.as_deref(),
        causes: causes(error),
        log: &error.log,
    };
    answer(Answer { error: fields }, out)
}

fn answer(content: impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<T> {
        schema: u32,
        sconce: &'static str,
        #[serde(flatten)]
        content: T,
    }
    write(&Document { schema: SCHEMA, sconce: env!("CARGO_PKG_VERSION"), content }, out)
}

fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}
