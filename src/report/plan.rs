use std::io::{self, Write};

use super::facts::{Row, reason};
use super::sheet::{Page, Sheet};
use super::styled::{BOLD, DIM, Text};
use crate::model::{Choice, Plan, TorchBuild, TorchSource};

/// Writes what was chosen, who asked for it and why it won.
pub fn choices(plan: &Plan, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let sheet = &mut Sheet::new(page, out);
    sheet.line(0, &Text::new(BOLD, &plan.project))?;
    sheet.blank()?;
    let mut rows = vec![
        choice("base", &format!("{} {}", plan.base.value.id, plan.base.value.reference), &plan.base),
        choice("python", &plan.python.value.to_string(), &plan.python),
        choice("torch", &torch(&plan.torch.value), &plan.torch),
        choice("installer", &plan.installer.value.to_string(), &plan.installer),
    ];
    rows.extend(plan.lock.iter().map(|lock| choice("lock", &lock.value.path, lock)));
    rows.extend(plan.unisolated.iter().map(|built| choice("against torch", &built.value, built)));
    rows.extend(plan.system.iter().map(|package| choice("package", &package.value, package)));
    sheet.table(&rows, None)
}

fn choice<T>(label: &str, value: &str, choice: &Choice<T>) -> Row {
    vec![Text::new(DIM, label), Text::plain(value), Text::new(DIM, reason(choice))]
}

/// What will come of torch: what is certain, or else what is probable, or else what is asked for.
pub(super) fn torch(torch: &TorchBuild) -> String {
    let source = match torch.source {
        TorchSource::Index => "",
        TorchSource::Distribution => ", the distribution's",
    };
    if torch.prediction.is_empty() {
        let versions =
            if torch.specifiers.is_empty() { "any version".to_owned() } else { torch.specifiers.to_string() };
        return format!("{versions}{source}, for {}", torch.variant);
    }
    let probably = if torch.is_certain() { "" } else { "probably " };
    format!("{probably}{}{source}", torch.prediction)
}
