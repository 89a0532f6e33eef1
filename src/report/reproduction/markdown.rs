use std::fmt::Write as _;
use std::io::{self, Write};

use super::{environment, fixed, grade, item, parts, score, verdict};
use crate::model::{Attempt, Grade, Reconstruction, Reproduction};
use crate::report::markdown::{code, fence, prose};
use crate::report::units::count;

/// Writes a reproduction to paste into an issue: the failure, the remedy, the proof, and the Dockerfiles to do it again.
pub fn reproduction(told: &Reproduction, out: &mut dyn Write) -> io::Result<()> {
    let plan = &told.reconstruction;
    let mut text = String::new();
    let _ = writeln!(text, "## {} Reproduction\n", if told.ok() { "✅" } else { "❌" });
    let _ = writeln!(text, "Reported: {}.", prose(&environment(&plan.reported.environment)));
    let _ = writeln!(text, "\nRead from {}: {}.", code(&plan.reported.name), prose(&parts(&plan.reported)));
    if let Some(failure) = &plan.failure {
        let known = plan.explanation.iter().flat_map(|one| &one.diagnoses).find(|one| one.id == *failure);
        let title = known.map(|known| format!(": {}", known.title)).unwrap_or_default();
        let _ = writeln!(text, "\nThe failure is {}{}.", code(failure), prose(&title));
    }
    if let Some(faithful) = &told.faithful {
        let ok = faithful.verdict.is_reproduced();
        heading(&mut text, ok, "The failure", &verdict(&faithful.verdict, plan.failure.as_deref()));
        if let Some(defect) = &plan.replica.defect {
            let _ = writeln!(text, "The defect: {}.\n", prose(&defect.title));
        }
        seen(&mut text, &faithful.attempt, ok);
        dockerfile(&mut text, "Dockerfile with the defect", &plan.faithful_dockerfile);
    }
    if let Some(repaired) = &told.fixed {
        heading(&mut text, repaired.proven, "The remedy", &fixed(repaired));
        if let Some(defect) = &plan.replica.defect {
            let _ = writeln!(text, "The remedy: {}.\n", prose(&defect.fix.title));
        }
        seen(&mut text, &repaired.attempt, repaired.proven);
        dockerfile(&mut text, "Dockerfile with the remedy", &plan.fixed_dockerfile);
    }
    fidelity(&mut text, plan);
    let _ = writeln!(text, "\n<sub>reproduced by sconce {}</sub>", env!("CARGO_PKG_VERSION"));
    out.write_all(text.as_bytes())
}

fn heading(out: &mut String, ok: bool, title: &str, said: &str) {
    let _ = writeln!(out, "\n### {} {title}: {}\n", if ok { "✅" } else { "❌" }, prose(said));
}

/// What was run, what it wrote, and what the proof says.
fn seen(out: &mut String, attempt: &Attempt, ok: bool) {
    if let Some(failure) = &attempt.build_failure {
        let _ = write!(out, "{}", fence(&format!("{}\n{}", failure.step, failure.log.join("\n")), "text"));
    }
    if let Some(run) = &attempt.run {
        let _ = write!(out, "{}", fence(&format!("$ {}\n{}", run.command, run.tail.join("\n")), "console"));
    }
    if let Some(proof) = &attempt.verification {
        let failed: Vec<String> = proof.failed().map(|check| code(&check.id)).collect();
        let of = count(proof.checks().count(), "check");
        let said = if failed.is_empty() { format!("{of} hold") } else { format!("{} failed", failed.join(", ")) };
        let _ = writeln!(out, "\nThe proof: {said}.");
    }
    for known in attempt.diagnoses.iter().filter(|_| !ok) {
        let _ = writeln!(out, "\n{}: {}", code(&known.id), prose(&known.cause));
    }
}

fn dockerfile(out: &mut String, title: &str, text: &str) {
    let _ = write!(out, "\n<details><summary>{title}</summary>\n\n{}\n</details>\n", fence(text, "dockerfile"));
}

fn fidelity(out: &mut String, plan: &Reconstruction) {
    let _ = writeln!(out, "\n### Fidelity: {}\n", prose(&score(&plan.fidelity)));
    let _ = writeln!(out, "| | item | |\n| --- | --- | --- |");
    for one in plan.fidelity.items.iter().filter(|one| one.grade != Grade::LeftOut) {
        let _ = writeln!(out, "| {} | {} | {} |", grade(one.grade), prose(&one.title), prose(&item(one)));
    }
}
