//! The environment variables that a report tells: in a list at its end, and in some of its facts.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::gather::{Text, VARIABLE};
use super::keys::Key;
use super::{Telling, is_nothing};
use crate::catalogue::Layout;
use crate::model::EnvironmentVariable;

/// Where the next variable of a fused line begins.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static NEXT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\s[A-Z][A-Z0-9_]{2,}=").unwrap());

/// A value with credentials in it.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static CREDENTIALS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"://[^/\s@]*@").unwrap());

/// A variable in the dictionary of the allocator's configuration.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"'(\w+)': '([^']*)'").unwrap());

/// The longest value that broken lines are put together to.
const LONGEST: usize = 16 * 1024;

pub(super) fn tell(telling: &mut Telling<'_>) {
    let mut pairs = listed(telling);
    pairs.extend(of_facts(telling));
    let mut seen: HashSet<String> = HashSet::new();
    let mut variables = Vec::new();
    for (name, value, line) in pairs {
        if !seen.insert(name.clone()) {
            continue;
        }
        let hidden = Layout::collect_env().is_secret(&name) || CREDENTIALS.is_match(&value);
        let value = (!hidden).then_some(value);
        variables.push(EnvironmentVariable { name, value, origin: telling.origin(line) });
    }
    telling.section.environment.variables = variables;
}

type Pair = (String, String, usize);

fn listed(telling: &Telling<'_>) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    for text in &telling.gathered.variables {
        let mut start = 0;
        let ends: Vec<usize> = NEXT.find_iter(&text.text).map(|next| next.start()).chain([text.text.len()]).collect();
        for end in ends {
            take(&mut pairs, text.text[start..end].trim(), text);
            start = end;
        }
    }
    pairs
}

/// A variable, or the rest of the one before whose line was broken.
fn take(pairs: &mut Vec<Pair>, part: &str, text: &Text) {
    if VARIABLE.is_match(part) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((name.to_owned(), value.to_owned(), text.line));
    } else if let Some((_, value, _)) = pairs.last_mut() {
        let broken = value.ends_with([':', ',', ';', '/']) || (part.starts_with('/') && value.contains('/'));
        if broken && !part.contains(' ') && value.len() + part.len() < LONGEST {
            value.push_str(part);
        }
    }
}

/// The variables that stand among the facts.
fn of_facts(telling: &Telling<'_>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let is_set = |text: &&Text| !Layout::collect_env().is_unset_module_loading(&text.text);
    if let Some(text) = telling.gathered.stated(Key::ModuleLoading).filter(is_set) {
        pairs.push(("CUDA_MODULE_LOADING".to_owned(), text.text.clone(), text.line));
    }
    if let Some(text) = telling.gathered.stated(Key::Allocator) {
        let quoted = QUOTED.captures_iter(&text.text);
        pairs.extend(quoted.map(|pair| (pair[1].to_owned(), pair[2].to_owned(), text.line)));
    }
    for text in telling.gathered.texts(Key::BuildFlags) {
        let archs =
            text.text.split_once("CUDA Archs:").map(|(_, rest)| rest.split("; ROCm").next().unwrap_or(rest).trim());
        if let Some(archs) = archs.filter(|archs| !is_nothing(archs)) {
            pairs.push(("TORCH_CUDA_ARCH_LIST".to_owned(), archs.to_owned(), text.line));
        }
    }
    pairs
}
