use std::str::FromStr;

use pep440_rs::Version;

use super::{Circumstances, Environment, Installation, Origin, Said, Stated, System, SystemFamily, TorchPlace};

impl Environment {
    /// Fills what nobody said from what a log tells of the machine that it was written on: the interpreter and how it was
    /// installed, torch (where its version is exact) and where it lies, the system, and the vector instructions. The log is an
    /// excerpt of `file`, behind `offset` of its lines.
    pub fn learn(&mut self, circumstances: &Circumstances, file: &str, offset: usize) {
        let learned = Learned { file, offset };
        learned.fill(&mut self.python, circumstances.python.as_ref(), version);
        learned.fill(&mut self.installation, circumstances.installation.as_ref(), installation);
        learned.fill(&mut self.place, circumstances.torch_place.as_ref(), place);
        learned.fill(&mut self.torch, circumstances.torch.as_ref(), version);
        learned.fill(&mut self.system, circumstances.system.as_ref(), |text| Some(system(text)));
        // Debian's own torch lies where its pip would put another one.
        let by_debian = |torch: &Stated<Version>| torch.value.local().iter().any(|part| part.to_string() == "debian");
        if let Some(place) = self.place.as_mut().filter(|_| self.torch.as_ref().is_some_and(by_debian)) {
            place.value = TorchPlace::Distribution;
        }
        learned.fill(&mut self.isa, circumstances.isa.as_ref(), |isa| Some(isa.to_owned()));
    }
}

/// Where the log stands.
struct Learned<'a> {
    file: &'a str,
    offset: usize,
}

impl Learned<'_> {
    fn fill<T>(&self, fact: &mut Option<Stated<T>>, said: Option<&Said>, read: impl Fn(&str) -> Option<T>) {
        let Some(said) = said.filter(|_| fact.is_none()) else { return };
        let origin = Origin::file(self.file, said.line.saturating_add(self.offset));
        *fact = read(&said.value).map(|value| Stated::new(value, origin));
    }
}

/// A version, and not `2.12 or newer`.
fn version(text: &str) -> Option<Version> {
    Version::from_str(text).ok()
}

fn installation(text: &str) -> Option<Installation> {
    Some(match text {
        "distribution" => Installation::Distribution,
        "deadsnakes" => Installation::Deadsnakes,
        "image" => Installation::Image,
        "conda" => Installation::Conda,
        "pyenv" => Installation::Pyenv,
        "uv" => Installation::Uv,
        "brew" => Installation::Brew,
        "framework" => Installation::Framework,
        "windows" => Installation::Windows,
        _ => return None,
    })
}

fn place(text: &str) -> Option<TorchPlace> {
    Some(match text {
        "environment" => TorchPlace::Environment,
        "user" => TorchPlace::User,
        "system" => TorchPlace::System,
        "distribution" => TorchPlace::Distribution,
        "conda" => TorchPlace::Conda,
        _ => return None,
    })
}

/// A system by its name in [`Circumstances::system`]: that of a family of distributions, mostly.
fn system(text: &str) -> System {
    let (family, distribution) = match text {
        "macos" => (SystemFamily::Macos, None),
        "windows" => (SystemFamily::Windows, None),
        "wsl" => (SystemFamily::Linux, None),
        distribution => (SystemFamily::Linux, Some(distribution.to_owned())),
    };
    System { family, distribution, release: None, wsl: text == "wsl", text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str, line: usize) -> Said {
        Said { value: value.to_owned(), line }
    }

    #[test]
    fn what_nobody_said_is_learned_with_the_line_of_the_document() {
        let circumstances = Circumstances {
            python: Some(said("3.12", 2)),
            installation: Some(said("uv", 3)),
            torch_place: Some(said("user", 4)),
            torch: Some(said("2.12 or newer", 5)),
            system: Some(said("wsl", 6)),
            isa: Some(said("AVX2", 7)),
            ..Circumstances::default()
        };
        let stated = Stated::new(Installation::Conda, Origin::file("issue.md", 1));
        let mut environment = Environment { installation: Some(stated.clone()), ..Environment::default() };
        environment.learn(&circumstances, "issue.md", 10);
        assert_eq!(environment.python, Some(Stated::new("3.12".parse().unwrap(), Origin::file("issue.md", 12))));
        assert_eq!(environment.installation, Some(stated));
        assert_eq!(environment.place.unwrap().value, TorchPlace::User);
        assert_eq!(environment.torch, None);
        let system = environment.system.unwrap();
        assert_eq!(
            (system.value.wsl, system.value.distribution, system.origin),
            (true, None, Origin::file("issue.md", 16))
        );
        assert_eq!(environment.isa.unwrap().value, "AVX2");
    }
}
