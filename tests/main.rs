//! The integration tests: one binary, one module a topic.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail; helpers are tests too")]

mod action;
mod attestation;
mod build;
mod check;
mod cli;
mod diagnose;
mod docs;
mod doctor;
mod engine;
mod explain;
mod inspect;
mod job;
mod plan;
mod report;
mod samples;
mod subject;
mod support;
mod templates;
mod tidy;
mod verify;
