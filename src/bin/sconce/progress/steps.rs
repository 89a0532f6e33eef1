use std::collections::HashMap;
use std::time::Instant;

use sconce::report::{safe, step_name};

/// The steps that have begun, by the engine's ids.
#[derive(Default)]
pub(super) struct Steps {
    known: HashMap<String, Step>,
}

/// A step that has begun.
pub(super) struct Step {
    /// Its number, from 1, for people to tell steps by.
    pub(super) number: usize,
    /// Its name, safe to print.
    pub(super) name: String,
    pub(super) started: Instant,
    pub(super) done: bool,
}

impl Steps {
    /// Notes that a step begins; `None` where it is known already.
    pub(super) fn begin(&mut self, id: &str, name: &str) -> Option<&mut Step> {
        if self.known.contains_key(id) {
            return None;
        }
        let number = self.known.len() + 1;
        let step = Step { number, name: step_name(&safe(name)), started: Instant::now(), done: false };
        Some(self.known.entry(id.to_owned()).or_insert(step))
    }

    pub(super) fn get(&self, id: &str) -> Option<&Step> {
        self.known.get(id)
    }

    /// Notes that a step ends; `None` where it never began or has ended already.
    pub(super) fn end(&mut self, id: &str) -> Option<&Step> {
        let step = self.known.get_mut(id).filter(|step| !step.done)?;
        step.done = true;
        Some(step)
    }
}

/// Whether a step is the engine's own housekeeping, not one of the Dockerfile's.
pub(super) fn is_internal(name: &str) -> bool {
    name.starts_with("[internal]")
}

/// What a line of a log shows in the end: a progress bar in it overwrites itself with carriage returns.
pub(super) fn last_state(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n']).rsplit('\r').next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_state_of_a_line_counts() {
        assert_eq!(last_state("10%\r 50%\r100%\r\n"), "100%");
        assert_eq!(last_state("plain"), "plain");
    }
}
