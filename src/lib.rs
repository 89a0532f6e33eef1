//! sconce turns a Python project into a container image in which `torch.compile` is *proven* to work, and explains
//! precisely why it does not where it does not.
//!
//! # The flow
//!
//! ```text
//!  PROJECT folder ─inspect─▶ Project ─plan─▶ Plan ─render─▶ Dockerfile ─engine─▶ Image ─verify─▶ Verification
//!                                             ▲                                    ▲                  │ failed
//!                        images/*.toml (facts)┘                       any image ───┘                  ▼
//!                                                                                       diagnose ─▶ Diagnosis
//!                              everything above ─▶ Report ─▶ text · JSON · JUnit · SARIF · Markdown · HTML
//! ```
//!
//! A compiler in shape: front ends read many formats into one [`model::Project`]; [`model::Plan`] is the intermediate
//! representation; the back end writes a Dockerfile and runs it.
//!
//! A log from anywhere takes the last step alone: [`diagnose::explain`] makes a [`model::Explanation`] of it.
//!
//! What a reporter pasted has a front end of its own, and joins the flow where Dockerfiles are rendered:
//!
//! ```text
//!  report, log, issue ─reported─▶ Environment ─plan─▶ Replica ─render─▶ Dockerfile, with the defect or the remedy
//!                                     │                                          │ run, verify
//!         an image ─verify::collect─▶ ├─compare─▶ Comparison            Reproduction: the same Diagnosis? a proof?
//! ```
//!
//! # The layers
//!
//! Each sees only what is to its left, and siblings do not see each other (`tests/tidy.rs` holds it):
//! `model` < `catalogue`, `engine`, `report` < `inspect`, `plan`, `render`, `diagnose`,
//! `reported`, `compare` < `verify` < `ops` < the binary.
//!
//! # Invariants
//!
//! - The library never prints, never exits and never reads the environment; the binary does that, once, at the edge.
//! - Planning, rendering and diagnosing are pure: same input, same bytes out, with no engine and no network.
//! - Nothing from a user's file reaches a Dockerfile unquoted. No secret reaches a layer, a label or a log.
//! - [`engine::Engine::run`] owns create → start → wait → logs → remove: nobody else has a clean-up to forget.
//! - The tag moves last, after the proof.

pub mod catalogue;
pub mod compare;
pub mod diagnose;
pub mod engine;
pub mod inspect;
pub mod model;
pub mod ops;
pub mod plan;
pub mod render;
pub mod report;
pub mod reported;
pub mod verify;
