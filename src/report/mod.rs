//! What was found out, written for people or for machines onto anything that can be written to.
//!
//! For people there is a function a kind of answer: [`text`], [`project`], [`choices`], [`bases`],
//! [`notes`], [`error`]. They write
//! ANSI colours: the caller strips them where nobody wants them. For machines, [`json`] has the same content. Nothing
//! from a user's file, a log or an engine reaches a terminal with its control characters: every text passes [`safe()`].

mod bases;
mod error;
mod facts;
mod failure;
pub mod json;
mod notes;
mod plan;
mod project;
mod safe;
mod sheet;
mod step;
mod styled;
mod text;
mod units;

pub use bases::{base, base_checks, bases};
pub use error::error;
pub use notes::notes;
pub use plan::choices;
pub use project::project;
pub use safe::safe;
pub use sheet::Page;
pub use step::step_name;
pub use text::text;
pub use units::{bytes, seconds};
