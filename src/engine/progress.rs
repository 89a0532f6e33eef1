use serde::{Deserialize, Serialize};

/// Something that happens while the engine works. Texts are as the engine gave them: whoever prints them makes them safe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A stage of the whole job begins, such as `build` or `verify`.
    Stage {
        /// What begins, as a clause for people.
        message: String,
    },
    /// A step begins. A step may begin more than once (BuildKit reports it again): the same id is the same step.
    Step {
        /// Its id, unique in the build.
        id: String,
        /// Its name, such as `[5/9] RUN uv pip install …`.
        name: String,
    },
    /// A step wrote a line.
    Log {
        /// The step's id.
        id: String,
        /// The line, without its end; may hold escape sequences.
        line: String,
    },
    /// Bytes moved for a step or layer.
    Transfer {
        /// The id of the step or layer.
        id: String,
        /// What moves, such as `sending context` or `extracting`.
        name: String,
        /// Bytes so far.
        current: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// A step ended.
    Done {
        /// The step's id.
        id: String,
        /// Whether the cache answered it.
        cached: bool,
        /// Why it failed, if it did.
        error: Option<String>,
    },
}

/// Who is told.
pub trait Progress: Send + Sync {
    /// Takes an event; must not block.
    fn event(&self, event: Event);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event) {}
}
