//! Text that is nearly Python: Python 2, a template, a notebook's cell of another language.

use std::sync::LazyLock;

use regex::Regex;

/// A line that imports, whole or as far as its `import`.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test runs it")]
static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[ \t]*(?:import[ \t]+(\w[\w.]*(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*\w[\w.]*(?:[ \t]+as[ \t]+\w+)?)*)[ \t]*(?:#.*|;.*)?$|from[ \t]+(\w[\w.]*)[ \t]+import[ \t])")
        .unwrap()
});

/// The lines of `text` that import, as Python that parses; the others are empty, so that lines stay lines.
pub(super) fn imports_only(text: &str) -> String {
    let mut kept = String::with_capacity(text.len() / 4);
    for line in text.lines() {
        if let Some(found) = IMPORT.captures(line) {
            match (found.get(1), found.get(2)) {
                (Some(modules), _) => kept.extend(["import ", modules.as_str().trim_end()]),
                (_, Some(module)) => kept.extend(["from ", module.as_str(), " import *"]),
                _ => {}
            }
        }
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_imports_of_python_2_are_found() {
        let text = "import os, torch as th  # both\nprint 'x'\n    from a.b import (c,\n  d)\nimport this and that\n";
        assert_eq!(imports_only(text), "import os, torch as th\n\nfrom a.b import *\n\n\n");
    }
}
