use serde::Serialize;

/// A base of the catalogue, as `sconce images` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseRow {
    /// Its id, such as `debian-13`: what `--base` and `sconce images bootstrap` take.
    pub id: String,
    /// The reference to look up and pull, such as `debian:trixie-slim`.
    pub reference: String,
    /// The reference that its bootstrapped stand-in has.
    pub bootstrapped: String,
    /// The distribution's suite, such as `trixie`.
    pub suite: String,
    /// The Python versions that it has, as `X.Y`, the newest first.
    pub pythons: Vec<String>,
    /// Which of the two references the engine has; `None` where no engine could be asked.
    pub present: Option<Vec<String>>,
}
