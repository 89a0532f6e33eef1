//! What was found out, written for people or for machines onto anything that can be written to.
//!
//! For people there is a function a kind of answer: [`text`], [`answers`], [`project`], [`choices`], [`freshness`],
//! [`bases`], [`claim()`], [`comparison()`], [`explanation::text`], [`failures`], [`failure()`], [`notes`], [`error`]. They write ANSI colours: the caller strips them where nobody wants them. For machines, [`json`] has the same
//! content. The other forms of a report are [`Format`]s, one a file. Nothing from a user's file, a log or an engine reaches
//! a terminal with its control characters, or a document as markup: each form has one place that every text passes, such as
//! [`safe()`].

mod advice;
mod bases;
mod catalogue;
mod claim;
mod comparison;
mod doctor;
mod error;
pub mod explanation;
mod facts;
mod failure;
mod format;
mod freshness;
pub mod github;
mod html;
mod in_toto;
pub mod json;
mod junit;
mod literal;
mod markdown;
mod notes;
mod place;
mod plan;
mod project;
pub mod reproduction;
mod safe;
mod sarif;
mod sheet;
mod step;
mod styled;
mod text;
mod units;
mod verdict;

pub use bases::{base, base_checks, bases};
pub use catalogue::{failure, failure_markdown, failures, failures_markdown};
pub use claim::claim;
pub use comparison::{comparison, comparison_markdown};
pub use doctor::{checkup, fixes};
pub use error::error;
pub use format::Format;
pub use freshness::freshness;
pub use in_toto::{STATEMENT_TYPE, TEST_RESULT, in_toto, statement};
pub use markdown::answers as markdown;
pub use notes::notes;
pub use plan::choices;
pub use project::project;
pub use safe::safe;
pub use sheet::Page;
pub use step::step_name;
pub use text::{answers, text};
pub use units::{bytes, date, seconds};
