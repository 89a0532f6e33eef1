//! The integration tests: one binary, one module a topic.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail; helpers are tests too")]

mod action;
mod attestation;
mod build;
mod check;
mod cli;
mod diagnose;
mod diff;
mod docs;
mod doctor;
mod engine;
mod explain;
mod inspect;
mod job;
mod plan;
mod replica;
mod report;
mod reported;
mod reported_parts;
mod reproduce;
mod samples;
mod subject;
mod support;
mod templates;
mod tidy;
mod verify;
