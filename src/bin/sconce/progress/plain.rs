use std::io::Write;
use std::sync::{Mutex, PoisonError};

use sconce::engine::Event;
use sconce::report::{bytes, safe, seconds};

use super::steps::{Steps, last_state};

/// One line after another, for logs: each step once, its own lines behind its number. No colours, no carriage returns.
pub(crate) struct Plain<W> {
    state: Mutex<State<W>>,
}

struct State<W> {
    out: W,
    steps: Steps,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(out: W) -> Self {
        Self { state: Mutex::new(State { out, steps: Steps::default() }) }
    }

    pub(super) fn say(&self, message: &str) {
        self.with(|state| state.line(message));
    }

    pub(super) fn event(&self, event: Event) {
        self.with(|state| match event {
            Event::Stage { message } => state.line(&safe(&message)),
            Event::Step { id, name } => state.begin(&id, &name),
            Event::Log { id, line } => state.log(&id, &line),
            Event::Transfer { id, name, total, .. } => {
                let size = total.map_or_else(String::new, |total| format!(", {}", bytes(total)));
                state.begin(&id, &format!("{name}{size}"));
            }
            Event::Done { id, cached, error } => state.done(&id, cached, error.as_deref()),
        });
    }

    fn with(&self, work: impl FnOnce(&mut State<W>)) {
        // Lines are all the state there is: a panic elsewhere leaves nothing half done.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<W: Write> State<W> {
    fn line(&mut self, line: &str) {
        // Where standard error is gone there is nobody to tell.
        let _ = writeln!(self.out, "{line}");
    }

    fn begin(&mut self, id: &str, name: &str) {
        if let Some(step) = self.steps.begin(id, name) {
            let line = format!("  #{} {}", step.number, step.name);
            self.line(&line);
        }
    }

    fn log(&mut self, id: &str, line: &str) {
        let text = safe(last_state(line));
        let number = self.steps.get(id).map_or_else(String::new, |step| format!("#{} ", step.number));
        self.line(&format!("  {number}| {text}"));
    }

    fn done(&mut self, id: &str, cached: bool, error: Option<&str>) {
        let Some(step) = self.steps.end(id) else { return };
        let time = seconds(step.started.elapsed().as_secs_f64());
        let end = match error {
            Some(error) => format!("failed after {time}: {}", safe(error)),
            None if cached => "cached".to_owned(),
            None => format!("done in {time}"),
        };
        let line = format!("  #{} {end}", step.number);
        self.line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: Vec<Event>) -> String {
        let plain = Plain::new(Vec::new());
        for event in events {
            plain.event(event);
        }
        String::from_utf8(plain.state.into_inner().unwrap().out).unwrap()
    }

    fn step(id: &str, name: &str) -> Event {
        Event::Step { id: id.to_owned(), name: name.to_owned() }
    }

    fn log(id: &str, line: &str) -> Event {
        Event::Log { id: id.to_owned(), line: line.to_owned() }
    }

    fn done(id: &str, cached: bool, error: Option<&str>) -> Event {
        Event::Done { id: id.to_owned(), cached, error: error.map(str::to_owned) }
    }

    #[test]
    fn each_step_is_told_once_and_owns_its_lines() {
        let text = told(vec![
            Event::Stage { message: "building app:latest".to_owned() },
            step("a", "[1/2] FROM debian:trixie"),
            step("a", "[1/2] FROM debian:trixie"),
            done("a", true, None),
            step("b", "[2/2] RUN make"),
            log("b", "compiling"),
            done("b", false, Some("exit code 2")),
            done("b", false, None),
        ]);
        let text = text.replace("0.0s", "TIME");
        assert_eq!(
            text,
            "building app:latest\n  #1 [1/2] FROM debian:trixie\n  #1 cached\n  #2 [2/2] RUN make\n  #2 | compiling\n  \
             #2 failed after TIME: exit code 2\n"
        );
    }

    #[test]
    fn a_transfer_is_told_once() {
        let moved = |current| Event::Transfer {
            id: "c".to_owned(),
            name: "sending context".to_owned(),
            current,
            total: Some(2_000_000),
        };
        assert_eq!(told(vec![moved(0), moved(1_000_000), moved(2_000_000)]), "  #1 sending context, 2.0 MB\n");
    }

    #[test]
    fn nothing_moves_the_cursor() {
        let text = told(vec![
            step("a", "evil\u{1b}[2J\r\nname"),
            log("a", "10%\r 50%\r100%\r"),
            log("?", "\u{1b}]0;title\u{7}no step"),
            done("a", false, Some("\u{1b}[31mred")),
        ]);
        assert!(!text.contains(['\u{1b}', '\r', '\u{7}']), "{text:?}");
        assert!(text.contains("#1 | 100%\n") && text.contains("  | no step\n"), "{text}");
    }
}
