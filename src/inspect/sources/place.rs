//! What a file is for, by where it lies.

/// Folders whose files check or describe the project, rather than being it.
const TESTS_AND_DOCS: [&str; 7] = ["tests", "test", "unit_tests", "integration_tests", "docs", "doc", "documentation"];
/// Files that package, check or automate the project.
const TOOLS: [&str; 6] = ["setup.py", "conftest.py", "noxfile.py", "versioneer.py", "dodo.py", "ez_setup.py"];

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// It is run, or imported by what is run.
    Source,
    Notebook,
    Test,
}

/// What `file` is for, which imports these modules. A `test_*.py` outside of a folder for tests is one only where it uses
/// a framework for them: in research code, to test is to evaluate a model.
pub(super) fn place<'a>(file: &str, imports: impl IntoIterator<Item = &'a str>) -> Place {
    let (folders, name) = file.rsplit_once('/').unwrap_or(("", file));
    let checks = |path: &str| matches!(path.split('.').next(), Some("pytest" | "unittest" | "hypothesis"));
    if folders.split('/').any(|folder| TESTS_AND_DOCS.contains(&folder)) || TOOLS.contains(&name) {
        return Place::Test;
    }
    if name.to_ascii_lowercase().ends_with(".ipynb") {
        return Place::Notebook;
    }
    let named_so = name.starts_with("test_") || name.ends_with("_test.py");
    if named_so && imports.into_iter().any(checks) { Place::Test } else { Place::Source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn research_code_tests_models() {
        assert_eq!(place("test_net.py", ["torch"]), Place::Source);
        assert_eq!(place("test.py", ["torch", "pytest"]), Place::Source);
        assert_eq!(place("pkg/test_net.py", ["torch", "pytest"]), Place::Test);
        assert_eq!(place("tests/helpers.py", []), Place::Test);
        assert_eq!(place("docs/demo.ipynb", []), Place::Test);
        assert_eq!(place("demo.ipynb", []), Place::Notebook);
    }
}
