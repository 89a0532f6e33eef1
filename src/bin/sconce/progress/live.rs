use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sconce::engine::Event;
use sconce::report::{bytes, safe, seconds};
use terminal_size::{Width, terminal_size_of};
use unicode_width::UnicodeWidthChar;

use super::steps::{Steps, is_internal, last_state};
use crate::terminal::{Terminal, Verbosity};

const TICK: Duration = Duration::from_millis(100);
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// What runs is redrawn at the bottom of the terminal; what has ended scrolls by above it, one line each.
pub(crate) struct Live {
    bars: MultiProgress,
    look: Look,
    verbose: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    steps: Steps,
    /// What is drawn of the steps that run.
    running: HashMap<String, ProgressBar>,
    /// The stage as a whole, drawn where no step runs.
    stage: Option<ProgressBar>,
}

impl Live {
    pub(super) fn new(terminal: &Terminal) -> Self {
        let look = Look { color: terminal.shows_color(), ascii: terminal.is_ascii() };
        Self {
            bars: MultiProgress::new(),
            look,
            verbose: terminal.verbosity == Verbosity::Verbose,
            state: Mutex::default(),
        }
    }

    pub(super) fn say(&self, message: &str) {
        // The one thing that can fail is the terminal itself.
        let _ = self.bars.println(message);
    }

    pub(super) fn finish(&self) {
        self.with(|state| {
            state.running.clear();
            state.stage = None;
        });
        let _ = self.bars.clear();
    }

    pub(super) fn event(&self, event: Event) {
        self.with(|state| match event {
            Event::Stage { message } => self.stage(state, &message),
            Event::Step { id, name } => self.begin(state, &id, &name),
            Event::Log { id, line } => self.log(state, &id, &line),
            Event::Transfer { id, name, current, total } => self.transfer(state, &id, &name, current, total),
            Event::Done { id, cached, error } => self.done(state, &id, cached, error.as_deref()),
        });
    }

    fn with(&self, work: impl FnOnce(&mut State)) {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn stage(&self, state: &mut State, message: &str) {
        if let Some(former) = state.stage.take() {
            self.bars.remove(&former);
        }
        self.say(&self.look.fit(&safe(message), 0, BOLD));
        let bar = ProgressBar::new_spinner().with_style(self.look.style("  {spinner} {time}"));
        bar.set_draw_target(ProgressDrawTarget::hidden());
        bar.enable_steady_tick(TICK);
        state.stage = Some(bar);
        self.show_stage(state);
    }

    /// Something always moves: the steps that run, or the stage.
    fn show_stage(&self, state: &State) {
        if let Some(stage) = &state.stage
            && state.running.is_empty()
        {
            self.bars.add(stage.clone());
        }
    }

    fn begin(&self, state: &mut State, id: &str, name: &str) {
        if let Some(step) = state.steps.begin(id, name) {
            let name = step.name.clone();
            self.show(state, id, &name);
        }
    }

    fn show(&self, state: &mut State, id: &str, name: &str) {
        // Nothing may be set on a bar before it is one of these: it would draw itself elsewhere.
        let bar = ProgressBar::new_spinner()
            .with_style(self.look.style("  {spinner} {msg}  {time}"))
            .with_message(self.look.fit(name, 14, Style::new()));
        if let Some(stage) = &state.stage
            && state.running.is_empty()
        {
            self.bars.remove(stage);
        }
        let bar = self.bars.add(bar);
        bar.enable_steady_tick(TICK);
        state.running.insert(id.to_owned(), bar);
    }

    fn log(&self, state: &State, id: &str, line: &str) {
        let text = safe(last_state(line));
        if text.trim().is_empty() {
            return;
        }
        if self.verbose {
            self.say(&format!("    {}", self.look.fit(&format!("│ {text}"), 4, DIM)));
        } else if let Some(bar) = state.running.get(id) {
            self.second_line(bar, &text);
        }
    }

    /// What moves for a step is shown with the step; what moves for none is shown while it moves.
    fn transfer(&self, state: &mut State, id: &str, name: &str, current: u64, total: Option<u64>) {
        let belongs = state.steps.get(id).is_some();
        if !belongs && total == Some(current) {
            self.hide(state, id);
        } else if !belongs && !state.running.contains_key(id) {
            self.show(state, id, &safe(name));
        }
        let Some(bar) = state.running.get(id).filter(|_| current > 0) else { return };
        let amount = match total {
            Some(total) => format!("{} of {}", bytes(current), bytes(total)),
            None => bytes(current),
        };
        let gauge = total.filter(|total| *total > 0).map(|total| self.look.gauge(current, total)).unwrap_or_default();
        let what = if belongs { format!("{} ", safe(name)) } else { String::new() };
        self.second_line(bar, &format!("{gauge}{what}{amount}"));
    }

    /// What a running step does at the moment, below its name.
    fn second_line(&self, bar: &ProgressBar, text: &str) {
        if bar.prefix().is_empty() {
            bar.set_style(self.look.style("  {spinner} {msg}  {time}\n    {prefix}"));
        }
        bar.set_prefix(self.look.fit(&format!("│ {text}"), 6, DIM));
    }

    fn hide(&self, state: &mut State, id: &str) {
        if let Some(bar) = state.running.remove(id) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
            self.show_stage(state);
        }
    }

    fn done(&self, state: &mut State, id: &str, cached: bool, error: Option<&str>) {
        self.hide(state, id);
        let Some(step) = state.steps.end(id) else { return };
        if is_internal(&step.name) && error.is_none() && !self.verbose {
            return;
        }
        let (mark, style) = if error.is_some() { ("✗", BAD) } else { ("✓", GOOD) };
        let time = if cached { "cached".to_owned() } else { seconds(step.started.elapsed().as_secs_f64()) };
        let (mark, name) = (self.look.paint(mark, style), self.look.fit(&step.name, 14, Style::new()));
        self.say(&format!("  {mark} {name}  {}", self.look.paint(&time, DIM)));
    }
}

/// What the terminal can show.
#[derive(Clone, Copy)]
struct Look {
    color: bool,
    ascii: bool,
}

impl Look {
    fn paint(self, text: &str, style: Style) -> String {
        let text =
            if self.ascii { text.replace('✓', "+").replace('✗', "x").replace('│', "|") } else { text.to_owned() };
        if self.color { format!("{style}{text}{style:#}") } else { text }
    }

    /// `text` cut to what the terminal has room for beside `used` columns.
    fn fit(self, text: &str, used: usize, style: Style) -> String {
        let width = terminal_size_of(std::io::stderr()).map_or(80, |(Width(width), _)| usize::from(width));
        self.paint(&cut(text, width.saturating_sub(used + 1)), style)
    }

    fn gauge(self, current: u64, total: u64) -> String {
        const CELLS: u64 = 20;
        let filled = usize::try_from(current.min(total).saturating_mul(CELLS) / total).unwrap_or(0);
        let (full, empty) = if self.ascii { ("#", ".") } else { ("━", "╌") };
        format!("{}{} ", full.repeat(filled), empty.repeat(20 - filled))
    }

    fn style(self, template: &str) -> ProgressStyle {
        let ticks = if self.ascii { "-\\|/ " } else { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " };
        let time = move |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(&self.paint(&seconds(state.elapsed().as_secs_f64()), DIM));
        };
        // The templates are ours and fixed; one that does not parse falls back to a plain spinner.
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_chars(ticks)
            .with_key("time", time)
    }
}

/// The beginning of `text` that fits `width` columns.
fn cut(text: &str, width: usize) -> String {
    let columns = |c: char| c.width().unwrap_or(0);
    if text.chars().map(columns).sum::<usize>() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += columns(*c);
        used <= width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_columns() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
    }

    #[test]
    fn a_gauge_is_never_overfull() {
        let look = Look { color: false, ascii: true };
        assert_eq!(look.gauge(5, 10), "##########.......... ");
        assert_eq!(look.gauge(20, 10), "#################### ");
    }
}
