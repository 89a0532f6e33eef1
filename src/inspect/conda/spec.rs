//! conda's match specifications: which package, of which versions and builds, from which channel
//! (<https://docs.conda.io/projects/conda-build/en/latest/resources/package-spec.html#package-match-specifications>,
//! read as the `_parse_spec_str` of <https://github.com/conda/conda/blob/main/conda/models/match_spec.py> does).

use super::super::text::shown;

/// No specification that means something is longer, in bytes.
const LONGEST: usize = 2048;

/// The folders of a channel, which may stand behind its name.
const SUBDIRS: [&str; 8] =
    ["noarch", "linux-64", "linux-aarch64", "linux-ppc64le", "osx-64", "osx-arm64", "win-64", "win-arm64"];

/// What a specification says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::inspect) struct Spec {
    /// In lower case.
    pub(in crate::inspect) name: String,
    pub(in crate::inspect) channel: Option<String>,
    /// In conda's words; alone, a version is exact.
    pub(in crate::inspect) version: Option<String>,
    pub(in crate::inspect) build: Option<String>,
    /// What else it demands, by name.
    pub(in crate::inspect) others: Vec<String>,
}

impl Spec {
    /// Parses a specification, free of credentials; the error says what is wrong.
    pub(in crate::inspect) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let text = text.split('#').next().unwrap_or_default().trim();
        if let Some(spec) = of_archive(text) {
            return Ok(spec);
        }
        let (plain, bracketed) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((plain, bracketed)) => (plain.trim_end(), bracketed),
            None => (text, ""),
        };
        let (channel, package) =
            plain.rsplit_once("::").map_or((None, plain), |(channel, package)| (Some(channel), package));
        let end = package.find([' ', '=', '<', '>', '!', '~']).unwrap_or(package.len());
        let (name, rest) = package.split_at(end);
        let (version, build) = version_and_build(rest.trim());
        let mut spec = Self {
            name: name.to_ascii_lowercase(),
            channel: channel.map(channel_name),
            version,
            build,
            others: Vec::new(),
        };
        spec.bracketed(bracketed)?;
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if is_name(&spec.name) { Ok(spec) } else { Err(format!("`{}` is not the name of a package", shown(name))) }
    }

    /// What stands in brackets; it beats what stands before them.
    fn bracketed(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=').ok_or("what stands in brackets has no `=`")?;
            let after = after.trim_start();
            let (value, after) = match after.strip_prefix(['\'', '"']) {
                Some(quoted) => quoted.split_once(['\'', '"']).ok_or("a quote in brackets is not closed")?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            let value = value.trim().to_owned();
            match key.trim() {
                "version" => self.version = Some(value),
                "build" => self.build = Some(value),
                "channel" => self.channel = Some(channel_name(&value)),
                "name" => self.name = value.to_ascii_lowercase(),
                "subdir" => {}
                other => self.others.push(other.to_owned()),
            }
            rest = after.trim_start().trim_start_matches(',').trim_start();
        }
        Ok(())
    }

    /// Whether the build is one build, not a pattern.
    fn exact_build(&self) -> Option<&str> {
        self.build.as_deref().filter(|build| !build.contains(['*', '^', '$', '|']))
    }

    /// Whether the build tells that the package is for one Python: conda-build writes `py39…` and `pyh…`, and nothing of the
    /// kind for what needs no Python
    /// (<https://docs.conda.io/projects/conda-build/en/latest/resources/define-metadata.html#build-number-and-string>).
    /// Nothing where the build is not known.
    pub(in crate::inspect) fn is_of_python(&self) -> Option<bool> {
        self.exact_build().map(|build| build.contains("py"))
    }

    /// The name as PEP 503 writes names.
    pub(in crate::inspect) fn normalized(&self) -> String {
        let mut normalized = String::with_capacity(self.name.len());
        for c in self.name.chars() {
            match c {
                '-' | '_' | '.' if normalized.ends_with('-') => {}
                '-' | '_' | '.' => normalized.push('-'),
                c => normalized.push(c),
            }
        }
        normalized
    }

    /// The package with its version, for a person: the build only where it tells a device.
    pub(in crate::inspect) fn brief(&self) -> String {
        let version: String = self.version.iter().flat_map(|version| version.chars()).filter(|c| *c != ' ').collect();
        let bare = !version.is_empty() && !version.starts_with(['=', '<', '>', '!', '~']);
        let tells = |build: &&String| ["cuda", "cpu", "rocm"].iter().any(|device| build.contains(device));
        let build = self.build.as_ref().filter(tells).map(|build| format!("={build}")).unwrap_or_default();
        shown(&format!("{}{}{version}{build}", self.name, if bare { "=" } else { "" }))
    }
}

/// The version and the build of what follows a name: `=1.2`, `1.2.* py39_0`, `==1.2=py39_0`, `>=1.2,<2`.
fn version_and_build(text: &str) -> (Option<String>, Option<String>) {
    if text.is_empty() {
        return (None, None);
    }
    let split = text.char_indices().skip(1).find(|(at, c)| {
        let (before, after) = (&text[..*at], &text[at + c.len_utf8()..]);
        matches!(c, ' ' | '=')
            && !before.ends_with(['=', '!', '|', ',', '<', '>', '~', ' '])
            && !after.trim().is_empty()
            && !after.contains(['-', '=', ',', '|', '<', '>', '~'])
    });
    let Some((at, _)) = split else { return (Some(text.to_owned()), None) };
    let (version, build) = (text[..at].trim(), text[at + 1..].trim());
    // With a build, `=1.2` is exact.
    let exact = version.strip_prefix('=').filter(|version| !version.contains(['=', ',', '|']));
    (Some(exact.unwrap_or(version).trim().to_owned()), Some(build.to_owned()))
}

/// A channel without its folder for one platform.
fn channel_name(channel: &str) -> String {
    let channel = channel.trim().trim_end_matches('/');
    match channel.rsplit_once('/') {
        Some((channel, subdir)) if SUBDIRS.contains(&subdir) => channel.to_owned(),
        _ => channel.to_owned(),
    }
}

/// What the name of an archive tells: `channel/linux-64/name-version-build.conda`.
pub(in crate::inspect) fn of_archive(url: &str) -> Option<Spec> {
    let address = url.split(['#', '?']).next().unwrap_or_default();
    let stem = address.strip_suffix(".conda").or_else(|| address.strip_suffix(".tar.bz2"))?;
    let (folder, file) = stem.rsplit_once('/').unwrap_or(("", stem));
    let mut parts = file.rsplitn(3, '-');
    let (build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Spec {
        name: name.to_ascii_lowercase(),
        channel: Some(channel_name(folder)).filter(|channel| !channel.is_empty()),
        version: Some(format!("=={version}")),
        build: Some(build.to_owned()),
        others: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Name, channel, version and build, with `-` for nothing.
    fn parts(text: &str) -> [String; 4] {
        let or_dash = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
        let spec = Spec::parse(text).unwrap();
        [spec.name, or_dash(spec.channel), or_dash(spec.version), or_dash(spec.build)]
    }

    #[test]
    fn every_way_to_write_it() {
        for (text, expected) in [
            ("Pytorch", ["pytorch", "-", "-", "-"]),
            ("pytorch=1.11.0", ["pytorch", "-", "=1.11.0", "-"]),
            ("pytorch==2.1", ["pytorch", "-", "==2.1", "-"]),
            ("pytorch>=2,<3", ["pytorch", "-", ">=2,<3", "-"]),
            ("pytorch >= 2, < 3", ["pytorch", "-", ">= 2, < 3", "-"]),
            ("pytorch = 2.1", ["pytorch", "-", "= 2.1", "-"]),
            ("pytorch 2.1.*", ["pytorch", "-", "2.1.*", "-"]),
            ("pytorch 2.1.* *cuda*", ["pytorch", "-", "2.1.*", "*cuda*"]),
            ("pytorch=*=*cuda*", ["pytorch", "-", "*", "*cuda*"]),
            ("python=3.9.5=h12debd9_4", ["python", "-", "3.9.5", "h12debd9_4"]),
            ("python==3.9.5=h12debd9_4", ["python", "-", "==3.9.5", "h12debd9_4"]),
            ("_libgcc_mutex=0.1=main", ["_libgcc_mutex", "-", "0.1", "main"]),
            ("conda-forge::numpy", ["numpy", "conda-forge", "-", "-"]),
            ("conda-forge/linux-64::numpy", ["numpy", "conda-forge", "-", "-"]),
            ("https://h/c::numpy=1", ["numpy", "https://h/c", "=1", "-"]),
            ("pytorch::pytorch=2.0.1=*cuda11.8*", ["pytorch", "pytorch", "2.0.1", "*cuda11.8*"]),
            ("numpy=1.8|1.9", ["numpy", "-", "=1.8|1.9", "-"]),
            ("numpy[version='>=1.2,<2', build=py39*]", ["numpy", "-", ">=1.2,<2", "py39*"]),
            ("numpy=1.1[channel=conda-forge,version=\"=2\"]", ["numpy", "conda-forge", "=2", "-"]),
            ("https://h/c/linux-64/pytorch-2.1.0-py3.9_0.tar.bz2", ["pytorch", "https://h/c", "==2.1.0", "py3.9_0"]),
            ("numpy # comment", ["numpy", "-", "-", "-"]),
        ] {
            assert_eq!(parts(text), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "=1.2", "é", "a b[", "a[b]", "a[version='1]", "*", "a/b", "a;b"] {
            let read = Spec::parse(text);
            assert!(read.is_err() || text == "a b[", "{text}: {read:?}");
        }
    }

    #[test]
    fn a_build_tells_of_python() {
        let of_python = |text: &str| Spec::parse(text).unwrap().is_of_python();
        assert_eq!(of_python("six=1.16.0=pyhd3eb1b0_1"), Some(true));
        assert_eq!(of_python("x264=1!157=h7b6447c_1"), Some(false));
        assert_eq!((of_python("six=1.16"), of_python("six=1.16=*h*")), (None, None));
    }

    #[test]
    fn a_hint_is_brief() {
        for (text, brief) in [
            ("pytorch::pytorch-cuda=11.7.0", "pytorch-cuda=11.7.0"),
            ("pytorch-cuda=11.7=h67b0de4_1", "pytorch-cuda=11.7"),
            ("pytorch-mutex=1.0=cuda", "pytorch-mutex=1.0=cuda"),
            ("cuda-version 12.*", "cuda-version=12.*"),
            ("cudatoolkit >= 11.3", "cudatoolkit>=11.3"),
            ("nccl", "nccl"),
        ] {
            assert_eq!(Spec::parse(text).unwrap().brief(), brief);
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_it(text in r#"[a-c:/=<>!~ \[\]'",.*|#é-]{0,24}"#) {
            if let Ok(spec) = Spec::parse(&text) {
                let _ = (spec.brief(), spec.normalized(), spec.is_of_python());
            }
        }
    }
}
