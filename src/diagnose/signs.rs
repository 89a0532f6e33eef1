//! What a log says of the machine that it was written on, by the rows of `images/circumstances.toml`.

use std::collections::BTreeMap;

use regex::Captures;

use super::scan::is_harmless;
use crate::catalogue::{Fact, Marks, Role};
use crate::model::{Circumstances, Said};

/// What was said so far.
pub(super) struct Told<'a> {
    marks: &'a Marks,
    /// Each fact, with the index of the sign that says it: a lower one is more to be believed.
    facts: BTreeMap<Fact, (usize, Said)>,
}

impl<'a> Told<'a> {
    pub(super) fn new(marks: &'a Marks) -> Self {
        Self { marks, facts: BTreeMap::new() }
    }

    /// Takes in what a line says that matches the sign; patterns that can say nothing better are taken from `live`.
    pub(super) fn see(&mut self, sign: usize, captures: &Captures<'_>, number: usize, live: &mut [bool]) {
        let constant = self.marks.signs()[sign].says.iter().map(|(fact, value)| (*fact, value.clone()));
        let named = Fact::ALL.iter().filter_map(|(fact, name)| Some((*fact, captures.name(name)?.as_str().to_owned())));
        let mut better = false;
        for (fact, value) in constant.chain(named).filter(|(_, value)| is_harmless(value)) {
            if self.facts.get(&fact).is_none_or(|(known, _)| *known > sign) {
                self.facts.insert(fact, (sign, Said { value, line: number }));
                better = true;
            }
        }
        if better {
            self.forget(live);
        }
    }

    fn forget(&self, live: &mut [bool]) {
        for (index, role) in self.marks.roles().iter().enumerate() {
            if let Role::Sign(sign) = role {
                let known = |fact| self.facts.get(fact).is_some_and(|(known, _)| known <= sign);
                live[index] &= !self.marks.signs()[*sign].facts.iter().all(known);
            }
        }
    }

    pub(super) fn circumstances(mut self) -> Circumstances {
        let mut take = |fact| self.facts.remove(&fact).map(|(_, said)| said);
        Circumstances {
            python: take(Fact::Python),
            installation: take(Fact::Installation),
            torch_place: take(Fact::TorchPlace),
            torch: take(Fact::Torch),
            system: take(Fact::System),
            compiler: take(Fact::Compiler),
            isa: take(Fact::Isa),
            container: take(Fact::Container),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Catalogue;
    use crate::diagnose::explain;
    use crate::model::{Circumstances, Said};

    fn told(log: &str) -> Circumstances {
        let catalogue = Catalogue::embedded().expect("the catalogue");
        explain(catalogue.failures(), log.as_bytes()).expect("a log in memory").circumstances
    }

    fn is(said: Option<Said>) -> Option<String> {
        said.map(|said| said.value)
    }

    #[test]
    fn each_system_is_told() {
        for (line, system) in [
            (r#"  File "X:\ComfyUI\python_embeded\Lib\site-packages\torch\x.py", line 1"#, "windows"),
            (r"E:\AI\venv\Lib\site-packages\torch\include\torch/csrc/x.h(12): error", "windows"),
            ("cl /I C:/Users/u/x /c x.cpp", "windows"),
            ("Microsoft (R) C/C++ Optimizing Compiler Version 19.44", "windows"),
            ("x.cpp(3): fatal error C1083: Cannot open include file: 'omp.h'", "windows"),
            ("clang++ /var/folders/ab/x_y0000gn/T/torchinductor_u/x.cpp", "macos"),
            ("/Users/u/Library/Application Support/x", "macos"),
            ("  File \"/Library/Application Support/x.py\", line 1", "macos"),
            ("PRETTY_NAME=\"Fedora Linux 41 (Forty One)\"", "fedora"),
            ("on Fedora Linux 41", "fedora"),
            ("  File \"/usr/lib64/python3.13/runpy.py\", line 1", "rhel"),
            ("  File \"/usr/lib64/python3.13/runpy.py\", line 1\nopenSUSE Tumbleweed", "suse"),
            ("gcc (SUSE Linux) 13.2.1", "suse"),
            ("  File \"/nix/store/abc-python3-3.12/lib/python3.12/runpy.py\", line 1", "nixos"),
        ] {
            assert_eq!(is(told(line).system).as_deref(), Some(system), "{line}");
        }
        assert_eq!(told("see https://example.org/C and note: x\nERROR: no\nepoch 1: loss 2").system, None);
    }

    #[test]
    fn a_machine_of_others_is_told() {
        for (line, container) in [
            ("srun: error: node07: task 0: Exited with exit code 1", "cluster"),
            ("slurmstepd: error: Detected 1 oom_kill event in StepId=12.0", "cluster"),
            ("  File \"/usr/local/lib/python3.12/dist-packages/google/colab/x.py\", line 1", "colab"),
            ("/kaggle/working/x.py", "kaggle"),
        ] {
            assert_eq!(is(told(line).container).as_deref(), Some(container), "{line}");
        }
    }

    #[test]
    fn the_headers_of_the_command_tell_the_interpreter() {
        let uv = "  File \"/root/.local/share/uv/python/cpython-3.11.9-linux-x86_64-gnu/lib/python3.11/x.py\", line 1";
        let log = format!("{uv}\ng++ x.cpp -I/usr/include/python3.13 -o x.so");
        let said = told(&log);
        assert_eq!(is(said.python).as_deref(), Some("3.13"));
        assert_eq!(is(said.installation).as_deref(), Some("distribution"));
        assert_eq!(is(told(uv).python).as_deref(), Some("3.11.9"));
    }
}
