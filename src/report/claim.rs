use std::io::{self, Write};

use super::facts::{Row, row};
use super::sheet::{Page, Sheet};
use super::styled::{BAD, BOLD, DIM, GOOD, PLAIN, Text};
use super::units::{count, date, short_id};
use crate::model::{Claim, ClaimCheck, Same, Verdict};

/// Writes what the claim of a proof is worth for an image, for people.
pub fn claim(check: &ClaimCheck, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    let verdict = if check.ok() { Text::new(GOOD, "✓ proven") } else { Text::new(BAD, "✗ not proven") };
    let name = verdict.and(BOLD, format!("  {}", check.reference));
    sheet.line(0, &name.and(DIM, format!("  sha256:{}", short_id(&check.image))))?;
    sheet.blank()?;
    sheet.paragraph(2, &Text::plain(explanation(check)))?;
    if let Some(claim) = check.claim.as_ref().filter(|_| speaks_of_it(&check.verdict)) {
        sheet.blank()?;
        sheet.table(&rows(claim), None)?;
    }
    sheet.blank()?;
    let hint = if check.ok() {
        Text::plain("note: nobody signed it; whoever can write to the image's registry or engine can claim anything")
    } else {
        Text::new(PLAIN, format!("hint: `sconce verify {}` puts it to the proof", check.reference))
    };
    sheet.paragraph(0, &hint)
}

/// Whether the claim speaks of this image, or of one that it was made of.
fn speaks_of_it(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Holds | Verdict::OtherConfiguration | Verdict::MoreLayers { .. })
}

fn explanation(check: &ClaimCheck) -> String {
    let source = match &check.file {
        Some(file) => format!("the attestation `{file}`"),
        None => "its label `dev.sconce.proof`".to_owned(),
    };
    match &check.verdict {
        Verdict::Holds => format!("{source} says so, and speaks of exactly these files and this configuration"),
        Verdict::Unclaimed => "it has no label `dev.sconce.proof`: no build of sconce put it there".to_owned(),
        Verdict::Malformed { reason } => format!("{source} cannot be read: {reason}"),
        Verdict::Newer { version } => {
            format!("{source} is of version {version}, which a newer sconce reads")
        }
        Verdict::OtherConfiguration => format!(
            "{source} speaks of the same files, but not of this configuration: environment, user, entry point or another \
             part of it was changed after the proof"
        ),
        Verdict::MoreLayers { layers } => {
            let more = count(*layers, "layer");
            format!("{source} speaks of the image that this one is built on: {more} came on top of it after the proof")
        }
        Verdict::OtherFiles => format!("{source} speaks of an image with other files"),
        Verdict::Failed => format!("{source} says that checks failed"),
    }
}

fn rows(claim: &Claim) -> Vec<Row> {
    let on = match claim.same {
        Same::Image => "",
        Same::Environment => ", on an image that differs in the project's sources only",
    };
    let proof = format!("of {} by sconce {}, profile {}{on}", date(claim.at), claim.sconce, claim.profile.name());
    vec![
        row("torch", Text::plain(format!("{} for {}", claim.torch, claim.variant))),
        row("python", Text::plain(&claim.python)),
        row("proof", Text::plain(proof)),
        row("content", Text::plain(&claim.content)),
        row("test", Text::plain(&claim.smoke_test)),
    ]
}
