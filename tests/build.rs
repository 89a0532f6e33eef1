//! Builds on the real engine: with BuildKit, and with the classic builder.

mod bench;
mod buildkit;
mod classic;
mod dockerignore;
mod label;
