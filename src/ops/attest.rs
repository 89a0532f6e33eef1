//! The result of a proof, tied to the image's content: as a label of the image, and as an in-toto statement. Nothing here runs
//! a container.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::engine::{Engine, Event, Progress};
use crate::model::{
    Claim, ClaimCheck, Error, Image, PROOF_LABEL, Result, Unreadable, Verdict, Verification, sha256_hex,
};
use crate::report::{STATEMENT_TYPE, TEST_RESULT};
use crate::verify::SMOKE_TEST;

/// No statement is longer, in bytes.
const LONGEST: u64 = 4 << 20;

/// How to hold a claim against an image.
#[derive(Debug, Clone, Default)]
pub struct ClaimOptions {
    /// The file of an in-toto statement, to be held against the image in place of its label.
    pub statement: Option<std::path::PathBuf>,
    /// Whether to pull an image that is not on the engine.
    pub pull: bool,
}

/// The image that `unproven` names and that `proof` speaks of, with the label that says so and the name `reference`: its id.
/// `None` where the image has triggers for builds on top of it (`ONBUILD`): the label would set them off.
pub(super) async fn label<E: Engine>(
    engine: &E,
    unproven: &str,
    image: &Image,
    proof: &Verification,
    now: u64,
    reference: &str,
) -> Result<Option<String>> {
    if !image.content.config.onbuild.is_empty() {
        return Ok(None);
    }
    let claim = Claim::new(&image.content, proof, &smoke_test(), now);
    let labels = BTreeMap::from([(PROOF_LABEL.to_owned(), claim.text())]);
    let id = engine.label(unproven, &labels, reference).await?;
    let labelled = engine.find_image(&id).await?;
    if labelled.is_some_and(|labelled| claim.holds_for(&labelled.content) == Verdict::Holds) {
        return Ok(Some(id));
    }
    Err(Error::no("the engine changed the image while it was given the label of its proof")
        .with_hint("this is a fault of the engine or of sconce; the tag did not move"))
}

/// The digest of the smoke test.
fn smoke_test() -> String {
    format!("sha256:{}", sha256_hex([SMOKE_TEST.as_bytes()]))
}

/// Holds what the image `reference` says of itself, or what a statement says of it, against what it is.
pub async fn check<E: Engine>(
    engine: &E,
    reference: &str,
    options: &ClaimOptions,
    progress: &dyn Progress,
) -> Result<ClaimCheck> {
    // A file that cannot be read is told before anything is pulled.
    let statements = options.statement.as_deref().map(read).transpose()?;
    let image = match engine.find_image(reference).await? {
        Some(image) => image,
        None if options.pull => {
            progress.event(Event::Stage { message: format!("pulling {reference}") });
            engine.pull(reference, progress).await?
        }
        None => {
            return Err(Error::no(format!("there is no image `{reference}` on the engine"))
                .with_hint("`docker image ls` lists what is there; `--pull` asks a registry"));
        }
    };
    let (verdict, claim) = match &statements {
        Some(statements) => stated(about(statements, &image.id), &image),
        None => labelled(&image),
    };
    Ok(ClaimCheck {
        reference: reference.to_owned(),
        content: image.content.digest(),
        image: image.id,
        file: options.statement.as_ref().map(|file| file.display().to_string()),
        verdict,
        claim,
    })
}

/// Of several statements the one that speaks of the image, else the first.
fn about<'a>(statements: &'a [Value], id: &str) -> &'a Value {
    let digest = id.strip_prefix("sha256:").unwrap_or(id);
    let speaks = |statement: &&Value| {
        let subjects = statement["subject"].as_array();
        subjects.is_some_and(|subjects| subjects.iter().any(|subject| subject["digest"]["sha256"] == digest))
    };
    statements.iter().find(speaks).or(statements.first()).unwrap_or(&Value::Null)
}

fn labelled(image: &Image) -> (Verdict, Option<Claim>) {
    match image.labels.get(PROOF_LABEL).map(|text| Claim::read(text)) {
        None => (Verdict::Unclaimed, None),
        Some(Err(unreadable)) => (unreadable.into(), None),
        Some(Ok(claim)) => (claim.holds_for(&image.content), Some(claim)),
    }
}

/// The statements in `file`: one, or several with one a line.
fn read(file: &Path) -> Result<Vec<Value>> {
    let shown = || file.display().to_string();
    let too_long = || std::io::Error::other("it is longer than any statement");
    let bytes = std::fs::metadata(file)
        .and_then(|metadata| if metadata.len() > LONGEST { Err(too_long()) } else { std::fs::read(file) });
    let bytes =
        bytes.map_err(|error| Error::usage(format!("the attestation `{}` cannot be read", shown())).because(error))?;
    serde_json::Deserializer::from_slice(&bytes).into_iter().collect::<std::result::Result<_, _>>().map_err(|error| {
        Error::usage(format!("the attestation `{}` is no JSON document", shown())).because(error).with_hint(
            "`--report in-toto=FILE` writes one; of a signed envelope, decode its `payload` once it is verified",
        )
    })
}

/// What an in-toto statement is worth for an image. What counts of it is its subject, since that is what is signed for; the
/// claim that it carries says the rest.
fn stated(statement: &Value, image: &Image) -> (Verdict, Option<Claim>) {
    let claim = match claimed(statement) {
        Ok(claim) => claim,
        Err(unreadable) => return (unreadable.into(), None),
    };
    let subjects = statement["subject"].as_array().into_iter().flatten();
    let digests: Vec<&str> = subjects.filter_map(|subject| subject["digest"]["sha256"].as_str()).collect();
    let names = |digest: &str| digests.iter().any(|named| digest.strip_prefix("sha256:") == Some(named));
    let verdict = if !names(&claim.content) {
        Verdict::Malformed { reason: "its subject is another than the content that its result speaks of".to_owned() }
    } else if statement["predicate"]["result"] == "PASSED" {
        claim.holds_for(&image.content)
    } else {
        Verdict::Failed
    };
    (verdict, Some(claim))
}

/// The claim in a statement: it is an annotation of the configuration that names the smoke test.
fn claimed(statement: &Value) -> std::result::Result<Claim, Unreadable> {
    let malformed = |reason: &str| Unreadable::Malformed(reason.to_owned());
    if statement["_type"] != STATEMENT_TYPE {
        return Err(malformed("it is no in-toto statement"));
    }
    if statement["predicateType"] != TEST_RESULT {
        return Err(malformed("it is no statement of a test's result"));
    }
    let configuration = statement["predicate"]["configuration"].as_array();
    let claims = configuration.into_iter().flatten().map(|resource| &resource["annotations"][PROOF_LABEL]);
    let claim = claims.into_iter().find(|claim| !claim.is_null());
    Claim::read(&claim.ok_or_else(|| malformed("it is not sconce's: it has no claim of a proof"))?.to_string())
}
