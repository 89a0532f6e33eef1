use serde::{Deserialize, Serialize};

use super::{Content, Profile, Recalled, Same, Verification, plain};

/// The label in which an image says that it was proven; its value is a [`Claim`] as JSON.
pub const PROOF_LABEL: &str = "dev.sconce.proof";

/// The form of a [`Claim`] that this program writes, and the newest that it reads.
pub const CLAIM_VERSION: u32 = 1;

/// No claim is longer, in bytes.
const LONGEST: usize = 4096;

/// The longest text in it, in characters.
const LONGEST_TEXT: usize = 100;

/// What is claimed of an image: that this content was proven, and of what the proof speaks. Whoever writes a label can claim
/// anything: it is no evidence, but names what there should be evidence of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// [`CLAIM_VERSION`].
    pub version: u32,
    /// The digest of the content that it speaks of ([`Content::digest`]).
    pub content: String,
    /// The digest of that content's files ([`Content::chain_id`]).
    pub files: String,
    /// When the proof was made, in seconds since 1970 (UTC).
    pub at: u64,
    /// Whether the proof was made on this very image, or on one that differs in the project's sources only.
    pub same: Same,
    /// How much was tried.
    pub profile: Profile,
    /// torch's version.
    pub torch: String,
    /// What torch is built for, such as `cuda 13.2`.
    pub variant: String,
    /// The interpreter's version.
    pub python: String,
    /// The version of sconce that made the proof.
    pub sconce: String,
    /// The SHA-256 of the smoke test, as `sha256:…`.
    pub smoke_test: String,
}

/// Why a text is no claim that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It has a later form than this program knows.
    Newer(u32),
    /// It is none.
    Malformed(String),
}

/// What a claim is worth for an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Verdict {
    /// It speaks of exactly this content.
    Holds,
    /// There is none.
    Unclaimed,
    /// There is none that can be read.
    Malformed {
        /// Why not.
        reason: String,
    },
    /// It has a later form than this program knows.
    Newer {
        /// That form's version.
        version: u32,
    },
    /// The files are those that were proven, but containers run otherwise: environment, user, entry point, …
    OtherConfiguration,
    /// The image is built on the one that was proven.
    MoreLayers {
        /// How many layers are on top.
        layers: usize,
    },
    /// The files are others.
    OtherFiles,
    /// It says itself that a check failed.
    Failed,
}

/// What became of holding a claim against an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimCheck {
    /// The reference that the image was asked for by.
    pub reference: String,
    /// The image's id.
    pub image: String,
    /// The digest of its content, as it is.
    pub content: String,
    /// The file that the claim stands in; `None` for the image's own label.
    pub file: Option<String>,
    /// What it is worth.
    pub verdict: Verdict,
    /// What it claims, where it could be read.
    pub claim: Option<Claim>,
}

impl ClaimCheck {
    /// Whether the claim holds.
    pub fn ok(&self) -> bool {
        self.verdict == Verdict::Holds
    }
}

impl Claim {
    /// What `proof`, made by this version of sconce at `now` or recalled, says of `content`.
    pub fn new(content: &Content, proof: &Verification, smoke_test: &str, now: u64) -> Self {
        let found = proof.environment();
        let Recalled { at, same } = proof.recalled.clone().unwrap_or(Recalled { at: now, same: Same::Image });
        Self {
            version: CLAIM_VERSION,
            content: content.digest(),
            files: content.chain_id(),
            at,
            same,
            profile: proof.profile,
            torch: short(&found.torch),
            variant: short(&found.variant),
            python: short(&found.python),
            sconce: env!("CARGO_PKG_VERSION").to_owned(),
            smoke_test: smoke_test.to_owned(),
        }
    }

    /// Reads the value of a label, which anybody may have written.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        let malformed = |error: serde_json::Error| Unreadable::Malformed(error.to_string());
        if text.len() > LONGEST {
            return Err(Unreadable::Malformed(format!("it has {} bytes; {LONGEST} are the most", text.len())));
        }
        match serde_json::from_str(text).map_err(malformed)? {
            Form { version } if version > CLAIM_VERSION => return Err(Unreadable::Newer(version)),
            Form { version: 0 } => return Err(Unreadable::Malformed("there is no version 0".to_owned())),
            Form { .. } => {}
        }
        let claim: Self = serde_json::from_str(text).map_err(malformed)?;
        let Self { content, files, torch, variant, python, sconce, smoke_test, .. } = &claim;
        if let Some(digest) = [content, files, smoke_test].into_iter().find(|digest| !is_digest(digest)) {
            return Err(Unreadable::Malformed(format!("`{}` is no digest", short(digest))));
        }
        if let Some(odd) = [torch, variant, python, sconce].into_iter().find(|text| short(text) != **text) {
            return Err(Unreadable::Malformed(format!("`{}` is no name or version", short(odd))));
        }
        Ok(claim)
    }

    /// The value of a label.
    ///
    /// # Panics
    ///
    /// Never: what it is made of can be written as JSON.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are JSON")
    }

    /// What it is worth for an image of this content.
    pub fn holds_for(&self, content: &Content) -> Verdict {
        if self.content == content.digest() {
            return Verdict::Holds;
        }
        match content.chain_ids().position(|files| files == self.files) {
            Some(last) if last + 1 == content.layers.len() => Verdict::OtherConfiguration,
            Some(last) => Verdict::MoreLayers { layers: content.layers.len() - last - 1 },
            None => Verdict::OtherFiles,
        }
    }
}

impl From<Unreadable> for Verdict {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Newer(version) => Self::Newer { version },
            Unreadable::Malformed(reason) => Self::Malformed { reason: short(&reason) },
        }
    }
}

/// A text without what a terminal obeys, on one line and not too long.
fn short(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_TEXT).collect()
}

fn is_digest(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix("sha256:").is_some_and(|digits| digits.len() == 64 && digits.bytes().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RuntimeConfig;

    fn digest(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    fn content() -> Content {
        let config = RuntimeConfig { env: vec!["A=1".to_owned()], ..RuntimeConfig::default() };
        Content { layers: vec![digest("1"), digest("2")], config, ..Content::default() }
    }

    fn claim() -> Claim {
        Claim {
            version: 1,
            content: content().digest(),
            files: content().chain_id(),
            at: 1_790_000_000,
            same: Same::Image,
            profile: Profile::Standard,
            torch: "2.15.0+cu132".to_owned(),
            variant: "cuda 13.2".to_owned(),
            python: "3.13.5".to_owned(),
            sconce: "0.1.0".to_owned(),
            smoke_test: digest("a"),
        }
    }

    #[test]
    fn a_claim_survives_its_text() {
        assert_eq!(Claim::read(&claim().text()), Ok(claim()));
        assert!(claim().text().len() < 600, "{}", claim().text());
    }

    #[test]
    fn it_holds_for_its_content_alone() {
        let verdict = |change: fn(&mut Content)| {
            let mut content = content();
            change(&mut content);
            claim().holds_for(&content)
        };
        assert_eq!(verdict(|_| ()), Verdict::Holds);
        assert_eq!(verdict(|content| content.config.env.push("B=2".to_owned())), Verdict::OtherConfiguration);
        assert_eq!(verdict(|content| content.config.cmd.push("sh".to_owned())), Verdict::OtherConfiguration);
        assert_eq!(verdict(|content| content.architecture.push_str("arm64")), Verdict::OtherConfiguration);
        assert_eq!(verdict(|content| content.layers.push(digest("3"))), Verdict::MoreLayers { layers: 1 });
        assert_eq!(verdict(|content| content.layers.insert(0, digest("3"))), Verdict::OtherFiles);
        assert_eq!(verdict(|content| content.layers.truncate(1)), Verdict::OtherFiles);
        assert_eq!(verdict(|content| content.layers.clear()), Verdict::OtherFiles);
    }

    #[test]
    fn what_is_no_claim_is_refused_with_its_reason() {
        let with = |field: &str, value: serde_json::Value| {
            let mut text: serde_json::Value = serde_json::from_str(&claim().text()).unwrap();
            text[field] = value;
            text.to_string()
        };
        let malformed = |text: &str| match Claim::read(text) {
            Err(Unreadable::Malformed(reason)) => reason,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(Claim::read(r#"{"version":2,"anything":["else"]}"#), Err(Unreadable::Newer(2)));
        assert!(malformed("").contains("EOF"));
        assert!(malformed("[]").contains("invalid length"));
        assert!(malformed("{}").contains("missing field `version`"));
        assert!(malformed(r#"{"version":1}"#).contains("missing field"));
        assert!(malformed(&with("version", 0.into())).contains("version 0"));
        assert!(malformed(&with("more", true.into())).contains("unknown field `more`"));
        assert!(malformed(&with("content", "sha256:12".into())).contains("`sha256:12` is no digest"));
        assert!(malformed(&with("files", digest("A").into())).contains("is no digest"));
        assert!(malformed(&with("torch", "2\u{1b}[2J.6".into())).contains("`2.6` is no name or version"));
        assert!(malformed(&with("python", "3\n✓ proven".into())).contains("is no name or version"));
        assert!(malformed(&with("variant", "x".repeat(101).into())).contains("is no name or version"));
        assert!(malformed(&with("torch", "x".repeat(5000).into())).contains("are the most"));
    }

    #[test]
    fn a_reason_cannot_write_on_the_terminal() {
        let hostile = Verdict::from(Unreadable::Malformed("a\u{1b}]0;x\u{7}\nb".repeat(50)));
        let Verdict::Malformed { reason } = hostile else { panic!("{hostile:?}") };
        assert!(!reason.contains(char::is_control) && reason.chars().count() <= LONGEST_TEXT, "{reason:?}");
    }
}
