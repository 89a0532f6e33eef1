use std::collections::{HashMap, VecDeque};

use super::super::errors::printable;
use super::lines::Lines;
use crate::engine::{BuildOutcome, Event, Progress, Redactor};
use crate::model::BuildFailure;

/// How many lines of a step's log a failure shows.
const TAIL: usize = 60;

/// The steps of a build as far as they are known. Whatever is learnt is told to `progress`, redacted.
pub(super) struct Steps<'a> {
    progress: &'a dyn Progress,
    redactor: &'a Redactor,
    known: HashMap<String, Step>,
    /// Their ids, in the order in which they began.
    begun: Vec<String>,
}

#[derive(Default)]
struct Step {
    name: String,
    /// By stream: a step writes on both at once.
    lines: HashMap<i64, Lines>,
    tail: VecDeque<String>,
    end: Option<End>,
}

#[derive(PartialEq)]
struct End {
    cached: bool,
    error: Option<String>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(progress: &'a dyn Progress, redactor: &'a Redactor) -> Self {
        Self { progress, redactor, known: HashMap::new(), begun: Vec::new() }
    }

    /// The step `id` has begun; again is no news.
    pub(super) fn begin(&mut self, id: &str, name: &str) {
        if self.known.contains_key(id) {
            return;
        }
        let name = self.redactor.redact(name);
        self.known.insert(id.to_owned(), Step { name: name.clone(), ..Step::default() });
        self.begun.push(id.to_owned());
        self.progress.event(Event::Step { id: id.to_owned(), name });
    }

    /// The step `id` wrote `chunk` on `stream`.
    pub(super) fn log(&mut self, id: &str, stream: i64, chunk: &[u8]) {
        if let Some(step) = self.known.get_mut(id) {
            let lines = step.lines.entry(stream).or_default().push(chunk);
            self.tell_lines(id, lines);
        }
    }

    /// Bytes moved for the step `id`.
    pub(super) fn transfer(&self, id: &str, name: &str, current: u64, total: Option<u64>) {
        let name = self.redactor.redact(name);
        self.progress.event(Event::Transfer { id: id.to_owned(), name, current, total });
    }

    /// The step `id` has ended; the same again is no news.
    pub(super) fn end(&mut self, id: &str, cached: bool, error: Option<&str>) {
        let Some(step) = self.known.get_mut(id) else { return };
        let lines: Vec<String> = step.lines.values_mut().filter_map(Lines::finish).collect();
        let end = End { cached, error: error.map(|error| self.redactor.redact(error)) };
        let news = step.end.as_ref() != Some(&end);
        let error = end.error.clone();
        step.end = Some(end);
        self.tell_lines(id, lines);
        if news {
            self.progress.event(Event::Done { id: id.to_owned(), cached, error });
        }
    }

    fn tell_lines(&mut self, id: &str, lines: Vec<String>) {
        let Some(step) = self.known.get_mut(id) else { return };
        for line in lines {
            let line = self.redactor.redact(&line);
            if step.tail.len() == TAIL {
                step.tail.pop_front();
            }
            step.tail.push_back(self.redactor.redact(&plain(&line)));
            self.progress.event(Event::Log { id: id.to_owned(), line });
        }
    }

    /// The build succeeded, and made the image `id`. A base image is no step: engines answer for it from the cache or not
    /// as it happens.
    pub(super) fn built(&self, id: String) -> BuildOutcome {
        let instructions: Vec<&Step> = self.known.values().filter(|step| does_work(&step.name)).collect();
        let cached = |step: &&&Step| step.end.as_ref().is_some_and(|end| end.cached);
        BuildOutcome::Built { id, cached_steps: instructions.iter().filter(cached).count(), steps: instructions.len() }
    }

    /// The instruction that failed, with `error` where the engine blamed none: then it is what ran last.
    pub(super) fn failure(&self, error: &str) -> Option<BuildFailure> {
        let instructions =
            || self.begun.iter().filter_map(|id| self.known.get(id)).filter(|step| does_work(&step.name));
        let blamed = |step: &&Step| step.end.as_ref().is_some_and(|end| end.error.as_deref().is_some_and(is_own_fault));
        let blames_command =
            error.contains("executor failed running") || error.contains("did not complete successfully");
        let running = || instructions().rfind(|step| blames_command && step.end.is_none());
        let step = instructions().find(blamed).or_else(running)?;
        let message =
            step.end.as_ref().and_then(|end| end.error.clone()).unwrap_or_else(|| self.redactor.redact(error));
        Some(BuildFailure {
            step: printable(&step.name),
            message: printable(&message),
            log: step.tail.iter().cloned().collect(),
        })
    }

    /// `text` without secrets and on one line.
    pub(super) fn printable(&self, text: &str) -> String {
        printable(&self.redactor.redact(text))
    }
}

/// BuildKit ends what runs beside a failing step with this error.
fn is_own_fault(error: &str) -> bool {
    !error.ends_with("context canceled")
}

/// Whether a step's name is that of an instruction: `[2/5] RUN …`, `[builder 2/5] COPY …`, but not `[internal] …`.
fn is_instruction(name: &str) -> bool {
    let place = name.strip_prefix('[').and_then(|name| name.split_once(']')).map_or("", |(place, _)| place);
    let numbers = place.rsplit(' ').next().and_then(|place| place.split_once('/'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(number, count)| is_number(number.trim()) && is_number(count))
}

/// Whether a step is more than the look-up of a base image.
fn does_work(name: &str) -> bool {
    is_instruction(name) && !name.split_once("] ").is_some_and(|(_, what)| what.starts_with("FROM "))
}

/// A line as a terminal would show it in the end, without its colours: what a carriage return overwrites is gone.
fn plain(line: &str) -> String {
    let last = line.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or_default();
    let indentation: String = last.chars().take_while(|&char| char == ' ').collect();
    format!("{indentation}{}", printable(last))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<Event>>);

    impl Progress for Recorder {
        fn event(&self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
    }

    #[test]
    fn instructions_are_told_from_the_engines_own_steps() {
        for name in ["[1/2] FROM x", "[builder 12/20] RUN x", "[stage-1 2/3] COPY . .", "[linux/amd64 build 1/1] RUN"] {
            assert!(is_instruction(name), "{name}");
        }
        for name in ["[internal] load build context", "exporting to image", "[auth] a/b", "[] x", "[1/] x", "RUN [1/2]"]
        {
            assert!(!is_instruction(name), "{name}");
        }
        assert!(does_work("[2/2] RUN echo FROM here"));
        assert!(!does_work("[1/2] FROM x"));
    }

    #[test]
    fn a_failure_has_the_end_of_its_own_log_without_secrets_and_escapes() {
        let recorder = Recorder::default();
        let redactor = Redactor::new(["hunter22".to_owned()]);
        let mut steps = Steps::new(&recorder, &redactor);
        steps.begin("a", "[2/3] RUN make");
        steps.begin("b", "[other 1/1] RUN sleep");
        steps.begin("a", "[2/3] RUN make");
        steps.log("b", 1, b"not mine\n");
        for number in 0..100 {
            steps.log("a", 1, format!("line {number}\n").as_bytes());
        }
        steps.log("a", 1, b"10%\r50%\r\n\x1b[31m  red\x1b[0m\n  pass hun");
        steps.log("a", 2, b"stderr\n");
        steps.log("a", 1, b"ter22\nhunter\x1b[0m22");
        steps.end("b", false, Some("failed: context canceled"));
        steps.end("a", false, Some("exit code: 2 hunter22"));
        steps.end("a", false, Some("exit code: 2 hunter22"));
        let failure = steps.failure("whole").unwrap();
        assert_eq!(failure.step, "[2/3] RUN make");
        assert_eq!(failure.message, "exit code: 2 ***");
        assert_eq!(failure.log.len(), TAIL);
        assert_eq!(failure.log[TAIL - 5..], ["50%", "red", "stderr", "  pass ***", "***"]);
        let events = recorder.0.into_inner().unwrap();
        let steps = events.iter().filter(|event| matches!(event, Event::Step { .. })).count();
        let ends = events.iter().filter(|event| matches!(event, Event::Done { .. })).count();
        assert_eq!((steps, ends), (2, 2));
        assert!(!format!("{events:?}").contains("hunter22"));
    }

    #[test]
    fn without_blame_the_running_command_failed_and_nothing_else() {
        let redactor = Redactor::default();
        let mut steps = Steps::new(&crate::engine::Silent, &redactor);
        steps.begin("a", "[1/2] FROM x");
        steps.begin("b", "[2/2] RUN x");
        assert!(steps.failure("connection refused").is_none());
        assert_eq!(steps.failure("executor failed running [x]").unwrap().step, "[2/2] RUN x");
    }

    #[test]
    fn only_instructions_that_do_work_are_counted() {
        let redactor = Redactor::default();
        let mut steps = Steps::new(&crate::engine::Silent, &redactor);
        let all = [
            ("a", "[internal] x", true),
            ("b", "[1/3] FROM x", true),
            ("c", "[2/3] RUN", true),
            ("d", "[3/3] RUN", false),
        ];
        for (id, name, cached) in all {
            steps.begin(id, name);
            steps.end(id, cached, None);
        }
        assert_eq!(
            steps.built("id".to_owned()),
            BuildOutcome::Built { id: "id".to_owned(), cached_steps: 1, steps: 2 }
        );
    }
}
