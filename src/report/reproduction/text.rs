use std::io::{self, Write};

use super::{environment, fixed, grade, item, parts, score, verdict};
use crate::model::{
    Attempt, CheckOutcome, Fidelity, FidelityItem, Grade, ProgramRun, Reconstruction, Relevance, Reproduction,
};
use crate::report::notes;
use crate::report::sheet::{Page, Sheet};
use crate::report::styled::{BAD, BOLD, COMMAND, DIM, GOOD, PLAIN, Text, WARNING};
use crate::report::units::{count, seconds, short_id};

/// The lines of a program's output that are shown where no line of it is known to matter.
const TAIL: usize = 8;

/// The columns of the labels.
const LABEL: usize = 12;

/// Writes what would be built again, for people: what was read, how true the replica would be, and what is wrong in it.
pub fn reconstruction(told: &Reconstruction, all: bool, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    head(sheet, told)?;
    replica(sheet, told)?;
    fidelity(sheet, &told.fidelity, all)?;
    notes::write(sheet, &told.notes)
}

/// Writes what came of a reproduction, for people.
pub fn reproduction(told: &Reproduction, all: bool, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    let plan = &told.reconstruction;
    head(sheet, plan)?;
    replica(sheet, plan)?;
    fidelity(sheet, &plan.fidelity, all)?;
    if let Some(faithful) = &told.faithful {
        let said = verdict(&faithful.verdict, plan.failure.as_deref());
        side(sheet, "faithful", faithful.verdict.is_reproduced(), &said, &faithful.attempt)?;
    }
    if let Some(repaired) = &told.fixed {
        side(sheet, "fixed", repaired.proven, &fixed(repaired), &repaired.attempt)?;
    }
    notes::write(sheet, &plan.notes)?;
    sheet.blank()?;
    sheet.paragraph(0, &Text::new(DIM, format!("took {}", seconds(told.seconds))))
}

fn label(name: &str) -> Text {
    Text::new(BOLD, format!("{name:<LABEL$}"))
}

/// What was pasted, and what failed.
fn head(sheet: &mut Sheet, told: &Reconstruction) -> io::Result<()> {
    sheet.item(
        0,
        &label("report"),
        &Text::plain(&told.reported.name).and(DIM, format!("  {}", parts(&told.reported))),
    )?;
    sheet.item(0, &label("reported"), &Text::plain(environment(&told.reported.environment)))?;
    let Some(failure) = &told.failure else {
        return sheet.item(0, &label("failure"), &Text::new(WARNING, "none that is known"));
    };
    let known = told.explanation.iter().flat_map(|explanation| &explanation.diagnoses).find(|one| one.id == *failure);
    let text = Text::plain(failure);
    match known {
        Some(known) => {
            let place = format!("  {}:{}", told.reported.name, known.evidence.line);
            sheet.item(0, &label("failure"), &text.and(PLAIN, format!(": {}", known.title)).and(DIM, place))?;
            sheet.log(LABEL, [known.evidence.text.as_str()])
        }
        None => sheet.item(0, &label("failure"), &text.and(DIM, "  as asked for")),
    }
}

/// How it is built again, and what is wrong in it.
fn replica(sheet: &mut Sheet, told: &Reconstruction) -> io::Result<()> {
    let replica = &told.replica;
    let base = Text::plain(&replica.base.value.id).and(DIM, format!("  because {}", replica.base.because));
    sheet.item(0, &label("base"), &base)?;
    if let Some(defect) = &replica.defect {
        sheet.item(0, &label("defect"), &Text::plain(&defect.title))?;
        sheet.item(0, &label("remedy"), &Text::plain(&defect.fix.title))?;
    }
    Ok(())
}

/// What is not the same, one line each; with `all`, also what is.
fn fidelity(sheet: &mut Sheet, told: &Fidelity, all: bool) -> io::Result<()> {
    sheet.blank()?;
    let style = if told.score >= 80 { GOOD } else { WARNING };
    sheet.item(0, &label("fidelity"), &Text::new(style, score(told)))?;
    let minor = |one: &FidelityItem| one.relevance == Relevance::Minor && one.grade != Grade::Nearest;
    let shown = |one: &&FidelityItem| all || (one.grade != Grade::Same && !minor(one));
    let rows: Vec<Vec<Text>> = told.items.iter().filter(shown).map(row).collect();
    sheet.table(&rows, None)?;
    let hidden: Vec<&FidelityItem> = told.items.iter().filter(|one| !shown(one)).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let same = hidden.iter().filter(|one| one.grade == Grade::Same).count();
    let mut words = vec![format!("{same} the same")];
    if hidden.len() > same {
        words.push(format!("{} of no matter left out or impossible", hidden.len() - same));
    }
    sheet.paragraph(2, &Text::new(DIM, format!("{} (`--all` lists them)", words.join(", "))))
}

fn row(one: &FidelityItem) -> Vec<Text> {
    let style = match one.grade {
        Grade::Same => GOOD,
        Grade::Nearest => WARNING,
        Grade::LeftOut | Grade::Impossible => DIM,
    };
    vec![Text::new(style, grade(one.grade)), Text::plain(&one.title), Text::plain(item(one))]
}

/// One environment, and what was seen in it.
fn side(sheet: &mut Sheet, name: &str, ok: bool, said: &str, attempt: &Attempt) -> io::Result<()> {
    sheet.blank()?;
    let (style, mark) = if ok { (GOOD, "✓") } else { (BAD, "✗") };
    sheet.item(0, &Text::new(style, format!("{:<LABEL$}", format!("{mark} {name}"))), &Text::new(BOLD, said))?;
    if let Some(failure) = &attempt.build_failure {
        sheet.paragraph(LABEL, &Text::plain(&failure.step))?;
        let lines: Vec<&str> = failure.log.iter().map(String::as_str).collect();
        sheet.log(LABEL, lines[lines.len().saturating_sub(TAIL)..].iter().copied())?;
    }
    if let Some(run) = &attempt.run {
        ran(sheet, run)?;
    }
    if let Some(proof) = &attempt.verification {
        let failed = proof.failed().count();
        let of = count(proof.checks().count(), "check");
        let text = if failed == 0 { format!("{of} hold") } else { format!("{failed} of {of} failed") };
        sheet.item(LABEL, &Text::new(DIM, "proof    "), &Text::plain(text))?;
        for check in proof.checks().filter(|check| check.outcome == CheckOutcome::Fail) {
            sheet.item(LABEL, &Text::new(BAD, "  ✗ "), &Text::plain(format!("{}: {}", check.id, check.evidence)))?;
        }
    }
    for known in attempt.diagnoses.iter().filter(|_| !ok) {
        let text = Text::plain(&known.title).and(DIM, format!("  ({})", known.id));
        sheet.item(LABEL, &Text::new(WARNING, "cause    "), &text)?;
    }
    if let Some(image) = &attempt.image {
        let named = attempt.tag.clone().unwrap_or_else(|| "without a name".to_owned());
        let text = Text::plain(named).and(DIM, format!("  sha256:{}", short_id(&image.id)));
        sheet.item(LABEL, &Text::new(DIM, "image    "), &text)?;
    }
    Ok(())
}

/// The program: the line that tells, or the last ones.
fn ran(sheet: &mut Sheet, run: &ProgramRun) -> io::Result<()> {
    if let Some(evidence) = run.evidence.as_ref().filter(|_| !run.ok()) {
        sheet.log(LABEL, [evidence.text.as_str()])?;
    } else {
        let keep = if run.ok() { 1 } else { TAIL };
        let lines: Vec<&str> = run.tail.iter().map(String::as_str).collect();
        sheet.log(LABEL, lines[lines.len().saturating_sub(keep)..].iter().copied())?;
    }
    let how = match run.exit_code {
        Some(code) => format!("exit code {code} after {}", seconds(run.seconds)),
        None if run.timed_out => format!("stopped after {}", seconds(run.seconds)),
        None => "could not be started".to_owned(),
    };
    sheet.item(LABEL, &Text::new(DIM, "run      "), &Text::new(COMMAND, &run.command).and(DIM, format!("  {how}")))
}
