//! The words of the reports of `collect_env` (`images/collect_env.toml`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::Installation;

#[expect(clippy::unwrap_used, reason = "the text is fixed, and a test reads it")]
static COLLECT_ENV: LazyLock<Layout> =
    LazyLock::new(|| toml::from_str(include_str!("../../images/collect_env.toml")).unwrap());

/// What the words of a report mean.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    nothing: Vec<String>,
    /// Parts of the names of variables whose values are nobody's business, in lower case.
    pub secret: Vec<String>,
    /// The names that hold such a part by accident.
    pub harmless: Vec<String>,
    unset_module_loading: Vec<String>,
    architectures: BTreeMap<String, String>,
    windows_architectures: BTreeMap<String, String>,
    /// What is read of lscpu.
    pub processor: ProcessorWords,
    isa: Vec<VectorInstructions>,
    installation: Vec<InstallationWords>,
    distributions: BTreeMap<String, String>,
}

/// How lscpu calls what is read of it, in its languages, without the colon.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessorWords {
    /// The architecture.
    pub architecture: Vec<String>,
    /// The name of the model.
    pub model: Vec<String>,
    /// The processors.
    pub count: Vec<String>,
    /// The instructions that it knows.
    pub flags: Vec<String>,
    /// What else it writes in English.
    pub other: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorInstructions {
    name: String,
    flags: Vec<String>,
    #[serde(default)]
    model: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstallationWords {
    by: Installation,
    build: Vec<String>,
    path: Vec<String>,
}

impl Layout {
    /// The words of `collect_env`, of torch and of vLLM.
    pub fn collect_env() -> &'static Self {
        &COLLECT_ENV
    }

    /// Whether a value says that nothing is known.
    pub fn is_nothing(&self, value: &str) -> bool {
        self.nothing.iter().any(|nothing| nothing.eq_ignore_ascii_case(value.trim()))
    }

    /// Whether the value of the environment variable `name` is nobody's business.
    pub fn is_secret(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        !self.harmless.iter().any(|harmless| harmless == name) && self.secret.iter().any(|part| lower.contains(part))
    }

    /// Whether torch sets this value of `CUDA_MODULE_LOADING` where nobody set one.
    pub fn is_unset_module_loading(&self, value: &str) -> bool {
        self.unset_module_loading.iter().any(|unset| unset == value)
    }

    /// How engines call a machine, such as `amd64` for `x86_64`.
    pub fn architecture(&self, machine: &str) -> Option<&str> {
        self.architectures.get(&machine.to_ascii_lowercase()).map(String::as_str)
    }

    /// The same for the number that Windows gives it.
    pub fn windows_architecture(&self, number: &str) -> Option<&str> {
        self.windows_architectures.get(number).map(String::as_str)
    }

    /// The widest vector instructions that kernels are compiled for on a processor with these flags.
    pub fn isa(&self, flags: &[&str], model: &str) -> Option<&str> {
        let fits = |isa: &&VectorInstructions| {
            isa.flags.iter().all(|flag| flags.contains(&flag.as_str())) && model.contains(&isa.model)
        };
        self.isa.iter().find(fits).map(|isa| isa.name.as_str())
    }

    /// How an interpreter was installed that says this of its build.
    pub fn installation_of_build(&self, build: &str) -> Option<Installation> {
        let of = |row: &&InstallationWords| row.build.iter().any(|words| build.contains(words));
        self.installation.iter().find(of).map(|row| row.by)
    }

    /// How an interpreter was installed whose library lies at `path`, written with `/`.
    pub fn installation_of_path(&self, path: &str) -> Option<Installation> {
        let of = |row: &&InstallationWords| row.path.iter().any(|part| path.contains(part));
        self.installation.iter().find(of).map(|row| row.by)
    }

    /// The `ID` of the distribution whose name begins `text`, and the rest of the text.
    pub fn distribution<'a>(&self, text: &'a str) -> Option<(&str, &'a str)> {
        let begins = |name: &str| {
            text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
                && !text[name.len()..].starts_with(|next: char| next.is_alphanumeric())
        };
        let longest = self.distributions.iter().filter(|(name, _)| begins(name)).max_by_key(|(name, _)| name.len());
        longest.map(|(name, id)| (id.as_str(), &text[name.len()..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_read() {
        let layout = Layout::collect_env();
        assert_eq!(layout.architecture("AARCH64"), Some("arm64"));
        assert_eq!(layout.windows_architecture("9"), Some("amd64"));
        assert_eq!(layout.distribution("openSUSE Leap 15.6"), Some(("opensuse-leap", " 15.6")));
        assert_eq!(layout.distribution("Archaic 1"), None);
        assert!(layout.is_nothing("n/a") && layout.is_nothing(" No CUDA ") && !layout.is_nothing("No"));
        assert!(layout.is_secret("HF_TOKEN") && layout.is_secret("VLLM_API_KEY") && layout.is_secret("basic_auth"));
        assert!(!layout.is_secret("TOKENIZERS_PARALLELISM") && !layout.is_secret("LD_LIBRARY_PATH"));
    }

    #[test]
    fn the_widest_vectors_are_those_that_torch_compiles_for() {
        let layout = Layout::collect_env();
        let avx512 = ["avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl"];
        assert_eq!(layout.isa(&avx512, ""), Some("AVX512"));
        assert_eq!(layout.isa(&avx512[..3], ""), Some("AVX2"), "AVX512F alone is not enough");
        assert_eq!(layout.isa(&["asimd", "sve"], "Neoverse-V1"), Some("SVE256"));
        assert_eq!(layout.isa(&["asimd", "sve"], "Neoverse-V2"), Some("NEON"));
        assert_eq!(layout.isa(&["sse4_2"], ""), None);
    }
}
