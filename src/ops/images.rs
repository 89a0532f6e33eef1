//! `sconce images`: which bases are there, and one made ahead of time.

use super::bootstrap;
use crate::catalogue::{Base, Catalogue};
use crate::engine::{Engine, Event, Progress};
use crate::model::{BaseRow, Error, Image, Result};

/// The bases of the catalogue; with an engine, also which of them it has.
pub async fn list<E: Engine>(engine: Option<&E>) -> Result<Vec<BaseRow>> {
    let mut rows: Vec<BaseRow> = Catalogue::embedded()?.bases().iter().map(row).collect();
    if let Some(engine) = engine {
        for row in &mut rows {
            let mut present = Vec::new();
            for reference in [&row.reference, &row.bootstrapped] {
                if engine.find_image(reference).await?.is_some() {
                    present.push(reference.clone());
                }
            }
            row.present = Some(present);
        }
    }
    Ok(rows)
}

fn row(base: &Base) -> BaseRow {
    BaseRow {
        id: base.id.clone(),
        reference: base.reference.clone(),
        bootstrapped: base.bootstrapped(),
        suite: base.suite.clone(),
        pythons: base.python.iter().map(|python| python.minor().to_string()).collect(),
        present: None,
    }
}

/// Makes the base `id` from its distribution's packages, without a registry. An older stand-in is replaced.
pub async fn bootstrap<E: Engine>(engine: &E, id: &str, progress: &dyn Progress) -> Result<Image> {
    let catalogue = Catalogue::embedded()?;
    let Some(base) = catalogue.bases().iter().find(|base| base.id == id) else {
        let known: Vec<String> = catalogue.bases().iter().map(|base| format!("`{}`", base.id)).collect();
        return Err(Error::usage(format!("there is no base `{id}` in the catalogue"))
            .with_hint(format!("the bases are {}", known.join(", "))));
    };
    let reference = base.bootstrapped();
    progress.event(Event::Stage { message: format!("bootstrapping {reference} from the packages of {}", base.suite) });
    engine.sweep().await?;
    bootstrap::bootstrap(engine, &bootstrap::Recipe { id, suite: &base.suite, reference: &reference }, progress).await
}
