use std::fmt;

/// The longest host part: what is left of a tag's 128 characters after the numbers, with room to spare.
const LONGEST_HOST: usize = 63;

/// Whose a container or an unproven tag is: a process on a machine, at a time, so that the leftovers of a killed run are
/// told from what a running one still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The machine and, on Linux, its process namespace: a container with the host's name counts its own processes.
    place: String,
    process: i32,
    /// When the process started, in clock ticks since boot; 0 where that is not known. It tells the process from a later
    /// one with the same number.
    started: u64,
    text: String,
}

impl Owner {
    /// This process.
    pub fn current() -> Self {
        let process = nix::unistd::getpid().as_raw();
        Self::new(place(), process, start_of(process).unwrap_or(0))
    }

    fn new(place: String, process: i32, started: u64) -> Self {
        let text = format!("{place}.{process}.{started}");
        Self { place, process, started, text }
    }

    /// The owner that [`Owner::as_str`] was the text of.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '.');
        let started = parts.next()?.parse().ok()?;
        let process = parts.next()?.parse().ok().filter(|process| *process > 0)?;
        let owner = Self::new(parts.next()?.to_owned(), process, started);
        (owner.text == text).then_some(owner)
    }

    /// Whether the process still runs; `None` where it cannot be told, because it is another machine's.
    pub fn is_alive(&self) -> Option<bool> {
        (self.place == place()).then(|| match start_of(self.process) {
            Some(started) => started == self.started,
            None => !cfg!(target_os = "linux") && exists(self.process),
        })
    }

    /// The owner as text that is valid in a label and in the tag part of a reference.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The machine's name and the process namespace, in the characters of a tag.
fn place() -> String {
    let name = nix::unistd::gethostname().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' })
        .take(LONGEST_HOST)
        .collect();
    let name = name.trim_start_matches(['.', '-']);
    let name = if name.is_empty() { "host" } else { name };
    // The link reads `pid:[4026531836]`.
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let namespace: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    if namespace.is_empty() { name.to_owned() } else { format!("{name}.{namespace}") }
}

/// When a process started, as field 22 of its `stat` has it; see `proc_pid_stat(5)`.
fn start_of(process: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// Whether there is a process with this number, whosever it is.
fn exists(process: i32) -> bool {
    !matches!(nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), None), Err(nix::errno::Errno::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_survives_its_text() {
        let owner = Owner::current();
        assert_eq!(owner.is_alive(), Some(true));
        assert_eq!(Owner::parse(owner.as_str()), Some(owner.clone()));
        assert!(owner.as_str().len() <= 120, "{owner}");
        assert!(owner.as_str().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c)));
    }

    #[test]
    fn a_later_process_with_the_same_number_is_another() {
        let owner = Owner::current();
        let earlier = Owner::new(owner.place.clone(), owner.process, owner.started + 1);
        assert_eq!(earlier.is_alive(), Some(false));
    }

    #[test]
    fn of_another_machine_nothing_is_known() {
        assert_eq!(Owner::new("elsewhere.1".to_owned(), 1, 1).is_alive(), None);
    }

    #[test]
    fn other_text_is_no_owner() {
        for text in ["", "host", "host.1", "host.1.x", "host.-4.1", "host.0.1", "host.1.01"] {
            assert_eq!(Owner::parse(text), None, "{text}");
        }
    }
}
