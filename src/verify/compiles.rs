//! How the project calls `torch.compile`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::CompileUse;

/// One way of calling `torch.compile`, to be tried in the image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compile {
    /// The id of its check, such as `compile:backend=inductor,mode=max-autotune`.
    pub id: String,
    /// What its check asserts.
    pub title: String,
    /// The keyword arguments.
    pub options: BTreeMap<&'static str, Value>,
}

/// The most that are tried: each takes the time of a compile.
const MOST: usize = 8;

/// The distinct ways of calling it in `uses`, without the plain one, which the proof itself makes. What is known at run time
/// only cannot be tried.
pub fn compiles(uses: &[CompileUse]) -> Vec<Compile> {
    let mut found: Vec<Compile> = Vec::new();
    for used in uses {
        let options = options(used);
        let Some(compile) = compile(used, options) else { continue };
        if found.len() < MOST && found.iter().all(|known| known.id != compile.id) {
            found.push(compile);
        }
    }
    found
}

fn options(used: &CompileUse) -> BTreeMap<&'static str, Value> {
    let backend = used.backend.clone().filter(|backend| backend != "inductor");
    [
        ("backend", backend.map(Value::String)),
        ("dynamic", used.dynamic.map(Value::Bool)),
        ("fullgraph", used.fullgraph.filter(|fullgraph| !fullgraph).map(Value::Bool)),
        ("mode", used.mode.clone().filter(|mode| mode != "default").map(Value::String)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn compile(used: &CompileUse, mut options: BTreeMap<&'static str, Value>) -> Option<Compile> {
    // That graph breaks are allowed makes no difference to a function that has none.
    options.remove("fullgraph");
    if options.is_empty() {
        return None;
    }
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    // An id is a word of reports: what is no word of Python's own back ends and modes is not one either.
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !options.values().all(|value| plain(&word(value))) {
        return None;
    }
    let arguments: Vec<_> = options.iter().map(|(name, value)| format!("{name}={}", word(value))).collect();
    let title = format!("torch.compile({}) compiles, as {} calls it", arguments.join(", "), used.origin);
    Some(Compile { id: format!("compile:{}", arguments.join(",")), title, options })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CompileForm, Origin};

    fn used(backend: &str, mode: Option<&str>, dynamic: Option<bool>, line: usize) -> CompileUse {
        CompileUse {
            form: CompileForm::Call,
            backend: Some(backend.to_owned()),
            mode: mode.map(str::to_owned),
            dynamic,
            fullgraph: Some(true),
            computed: vec![],
            origin: Origin::file("train.py", line),
        }
    }

    #[test]
    fn each_distinct_call_is_tried_once() {
        let uses = [
            used("inductor", None, None, 1),
            used("inductor", Some("max-autotune"), None, 2),
            used("inductor", Some("max-autotune"), None, 3),
            used("aot_eager", None, Some(true), 4),
            used("inductor", Some("x\"); import os"), None, 5),
            used("inductor", Some("default"), None, 6),
        ];
        let found = compiles(&uses);
        let ids: Vec<_> = found.iter().map(|compile| compile.id.as_str()).collect();
        assert_eq!(ids, ["compile:mode=max-autotune", "compile:backend=aot_eager,dynamic=true"]);
        assert!(found[0].title.ends_with("as train.py:2 calls it"), "{}", found[0].title);
    }
}
