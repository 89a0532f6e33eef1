//! From a document to a plan; nothing is built and nothing is run.

use super::{NetworkInputs, ProgramChoice, ReproduceOptions};
use crate::catalogue::{Catalogue, Failures};
use crate::model::{
    Builder, Confidence, Error, Excerpt, Explanation, Note, Origin, Program, Project, Reconstruction, Reported, Result,
};
use crate::ops::{explain, network};
use crate::plan::{self, Asked, ReplicaOptions};
use crate::render::{self, Side};
use crate::reported::{self, ReportChoice};
use crate::verify::{LONGEST_SCRIPT, Script};
use crate::{compare, diagnose};

/// The program of sconce's own.
const PROGRAM: &str = include_str!("../../../templates/reproduce.py");

/// Reads `text`, which its reader knows as `name`, and plans how its environment is built again by `builder`.
///
/// # Errors
///
/// Wrong usage where the document is no report, holds several of which none was chosen, or has no program where one was
/// asked for; a plain no where nothing like the environment can be built.
pub fn reconstruct(
    name: &str,
    text: &str,
    options: &ReproduceOptions,
    builder: Builder,
    architecture: Option<&str>,
) -> Result<Reconstruction> {
    let catalogue = Catalogue::embedded()?;
    let mut reported = reported::read(name, text, ReportChoice { number: options.report, by: "--report " })?;
    let explanation = explanation(&reported)?;
    if let Some(explanation) = &explanation {
        reported.environment.learn(&explanation.circumstances, name, 0);
    }
    let (failure, mut notes) = sought(options.failure.as_ref(), explanation.as_ref())?;
    let program = program(&reported, &options.program)?;
    let replica_options = replica_options(options, builder, architecture)?;
    let replica = plan::replica(&reported.environment, failure.as_deref(), &catalogue, &replica_options)?;
    let fidelity = compare::fidelity(&catalogue, &reported.environment, &replica, None);
    notes.extend(other_programs(&reported, &options.program));
    notes.splice(0..0, reported.notes.iter().chain(&replica.notes).cloned());
    Ok(Reconstruction {
        faithful_dockerfile: render::replica(&replica, Side::Faithful)?.text,
        fixed_dockerfile: render::replica(&replica, Side::Fixed)?.text,
        reported,
        explanation,
        failure,
        program,
        fidelity,
        replica,
        notes,
    })
}

/// What the logs of a document mean. They are read as one, each where it stands, so that lines keep their numbers.
fn explanation(reported: &Reported) -> Result<Option<Explanation>> {
    if reported.logs.is_empty() {
        return Ok(None);
    }
    let mut text = String::new();
    let mut line = 1;
    for Excerpt { line: first, text: log } in &reported.logs {
        let gap = first.saturating_sub(line);
        text.extend(std::iter::repeat_n('\n', gap));
        text.push_str(log.trim_end_matches('\n'));
        text.push('\n');
        line += gap + log.trim_end_matches('\n').matches('\n').count() + 1;
    }
    let explained = diagnose::explain(Failures::embedded(), text.as_bytes());
    explained.map(Some).map_err(|error| Error::usage("the report's logs cannot be read").because(error))
}

/// The failure to look for, with what a reader should know of the choice.
fn sought(asked: Option<&Asked<String>>, explanation: Option<&Explanation>) -> Result<(Option<String>, Vec<Note>)> {
    if let Some(asked) = asked {
        let known = explain::failure(&asked.value).map_err(|error| error.at(asked.origin.clone()))?;
        return Ok((Some(known.id), Vec::new()));
    }
    let Some(explanation) = explanation else { return Ok((None, Vec::new())) };
    let mut causes = explanation.diagnoses.iter().filter(|known| known.confidence != Confidence::Warning);
    let first = causes.next().or(explanation.diagnoses.first()).map(|known| known.id.clone());
    let others = causes.map(|other| {
        let message = format!("the report also shows `{}` (line {})", other.id, other.evidence.line);
        Note::info(message, Origin::Default).with_hint(format!("`--failure {}` reproduces that one", other.id))
    });
    let others = others.collect();
    Ok((first, others))
}

fn program(reported: &Reported, choice: &ProgramChoice) -> Result<Program> {
    match choice {
        ProgramChoice::Own => Ok(Program {
            title: "sconce's own program".to_owned(),
            name: "reproduce.py".to_owned(),
            text: PROGRAM.to_owned(),
            theirs: false,
        }),
        ProgramChoice::File(Script { name, text }) => {
            Ok(Program { title: name.clone(), name: name.clone(), text: text.clone(), theirs: true })
        }
        ProgramChoice::Reported(number) => {
            let excerpt = reported_program(reported, *number)?;
            let title = format!("the program at {}:{}", reported.name, excerpt.line);
            if excerpt.text.len() > LONGEST_SCRIPT || excerpt.text.contains('\0') {
                let message =
                    format!("{title} cannot be run: it is longer than {} KiB, or is no text", LONGEST_SCRIPT >> 10);
                return Err(Error::usage(message));
            }
            Ok(Program { title, name: "reported.py".to_owned(), text: excerpt.text.clone(), theirs: true })
        }
    }
}

fn reported_program(reported: &Reported, number: Option<usize>) -> Result<&Excerpt> {
    let flag = Origin::flag("--run-reported");
    match (reported.scripts.as_slice(), number) {
        ([], _) => Err(Error::usage(format!("`{}` holds no program", reported.name))
            .at(flag)
            .with_hint("`--script FILE` runs one from a file")),
        ([only], None) => Ok(only),
        (several, None) => {
            Err(Error::usage(format!("`{}` holds {} programs: at {}", reported.name, several.len(), lines(several)))
                .at(flag)
                .with_hint("choose one by its number: `--run-reported=1`"))
        }
        (all, Some(number)) => all.get(number.wrapping_sub(1)).ok_or_else(|| {
            Error::usage(format!("there is no program {number} in `{}`: it holds {}", reported.name, all.len()))
                .at(flag)
        }),
    }
}

fn lines(excerpts: &[Excerpt]) -> String {
    let lines: Vec<_> = excerpts.iter().map(|excerpt| format!("line {}", excerpt.line)).collect();
    lines.join(", ")
}

/// That the report has a program of its own, which is not run unless that is agreed to.
fn other_programs(reported: &Reported, choice: &ProgramChoice) -> Option<Note> {
    let first = reported.scripts.first().filter(|_| *choice == ProgramChoice::Own)?;
    let message = "the report holds a program, which is not run";
    let hint = "`--run-reported` runs it in place of sconce's own, without network and with nothing of this machine";
    Some(Note::info(message, Origin::file(&reported.name, first.line)).with_hint(hint))
}

fn replica_options(options: &ReproduceOptions, builder: Builder, architecture: Option<&str>) -> Result<ReplicaOptions> {
    let inputs: &NetworkInputs = &options.network;
    let (indexes, network) = network::planned(&Project::default(), inputs)?;
    let engine = |name: &str| Asked { value: name.to_owned(), origin: Origin::Engine };
    Ok(ReplicaOptions {
        base: options.base.clone(),
        python: options.python.clone(),
        torch: options.torch.clone(),
        variant: options.variant.clone(),
        architecture: architecture.map(engine),
        all_packages: options.all_packages,
        builder: Some(builder),
        indexes,
        network,
    })
}
