use std::io::{self, Write};

use super::sheet::Page;
use super::{answers as text, html, in_toto, json, junit, markdown, sarif};
use crate::model::{Answers, plain};

/// Writes answers in one format.
type Writer = fn(&Answers, &mut dyn Write) -> io::Result<()>;

/// A format that answers can be written in, to a file.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name, as it is asked for.
    pub name: &'static str,
    writer: Writer,
}

impl Format {
    /// Every format there is.
    pub const ALL: [Self; 7] = [
        Self { name: "text", writer: text_file },
        Self { name: "json", writer: json::answers },
        Self { name: "junit", writer: junit::answers },
        Self { name: "sarif", writer: sarif::answers },
        Self { name: "markdown", writer: markdown::answers },
        Self { name: "html", writer: html::answers },
        Self { name: "in-toto", writer: in_toto::answers },
    ];

    /// The format that `name` names.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name == name)
    }

    /// Writes `answers` in it.
    pub fn write(self, answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
        (self.writer)(answers, out)
    }
}

/// The text for people, in a file: a page of the usual width, without colours.
fn text_file(answers: &Answers, out: &mut dyn Write) -> io::Result<()> {
    let mut coloured = Vec::new();
    text(answers, Page { width: 100, ascii: false }, &mut coloured)?;
    out.write_all(plain(&String::from_utf8_lossy(&coloured)).as_bytes())
}
