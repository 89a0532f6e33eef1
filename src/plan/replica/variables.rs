//! The variables that are taken over.

use std::collections::BTreeMap;

use super::Draft;
use crate::model::{Choice, EnvironmentVariable, PackageManager};
use crate::plan::install;

/// The longest value that is taken over, in bytes.
const LONGEST: usize = 4096;

/// The reporter's variables that matter, and the system packages with the compilers that they name.
pub(super) fn variables(draft: &mut Draft, manager: PackageManager) -> (BTreeMap<String, String>, Vec<Choice<String>>) {
    let environment = draft.environment;
    let (mut taken, mut compilers) = (BTreeMap::new(), Vec::new());
    for variable in &environment.variables {
        let known = install::check_variable(&variable.name, &variable.origin).is_ok();
        if !known || !draft.catalogue.replicas().takes(&variable.name) {
            continue;
        }
        match value(draft, variable, manager) {
            Ok((value, compiler)) => {
                taken.insert(variable.name.clone(), value);
                compilers.extend(compiler);
            }
            Err(reason) => draft.differs(format!("variable {}", variable.name), reason),
        }
    }
    (taken, compilers)
}

type Taken = (String, Option<Choice<String>>);

fn value(draft: &Draft, variable: &EnvironmentVariable, manager: PackageManager) -> Result<Taken, &'static str> {
    let replicas = draft.catalogue.replicas();
    let value = variable.value.as_deref().ok_or("its value was not reported")?;
    if value.len() > LONGEST || value.chars().any(char::is_control) {
        return Err("its value cannot stand in a Dockerfile");
    }
    if matches!(variable.name.as_str(), "CC" | "CXX") {
        let program = value.strip_prefix("/usr/bin/").unwrap_or(value);
        let package =
            replicas.compiler(program, manager).ok_or("no package of this base is known to bring that compiler")?;
        let because = format!("`{}` names it", variable.name);
        let choice = Choice::new(package.to_owned(), variable.origin.clone(), because);
        return Ok((value.to_owned(), Some(choice)));
    }
    let words = || value.split([' ', ':', ',', ';', '=', '"', '\'']);
    let elsewhere = |word: &str| word.starts_with(['/', '~']) && !replicas.is_everywhere(word);
    let inside = |word: &str| word.starts_with('-') && word.contains('/');
    if value.contains(['\\', '$']) || words().any(|word| elsewhere(word) || inside(word)) {
        return Err("it names a folder of the reporter's machine");
    }
    Ok((value.to_owned(), None))
}
