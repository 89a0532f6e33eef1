//! The GPUs, as their driver names them.

use std::sync::LazyLock;

use regex::Regex;

use super::gather::Text;
use super::keys::Key;
use super::{Telling, is_nothing};
use crate::model::Stated;

/// Where a GPU of a list begins.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"GPU \d+\s*:").unwrap());

/// What `nvidia-smi -L` writes behind the name: it is the machine's, not the model's.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static UUID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\s*\(UUID: [^)]*\)?").unwrap());

/// The name of a device of Intel, as torch prints its properties.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static DETECTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"_XpuDeviceProperties\(name='([^']*)'").unwrap());

pub(super) fn tell(telling: &mut Telling<'_>) {
    let mut gpus = numbered(telling, Key::Gpus);
    gpus.extend(intel(telling));
    telling.section.environment.gpus = gpus;
}

/// `GPU 0: NVIDIA A100-SXM4-40GB`, each on its line or all on one; or a name alone, as ROCm and macOS have it.
fn numbered(telling: &Telling<'_>, key: Key) -> Vec<Stated<String>> {
    let mut gpus = Vec::new();
    for text in telling.gathered.texts(key) {
        let marks: Vec<_> = NUMBER.find_iter(&text.text).collect();
        if marks.is_empty() {
            // Below a list stand its partitions, and what else is no GPU.
            let alone = gpus.is_empty() && !is_partition(&text.text);
            gpus.extend(name(&text.text).filter(|_| alone).map(|name| telling.stated(name, text)));
            continue;
        }
        for (at, mark) in marks.iter().enumerate() {
            let end = marks.get(at + 1).map_or(text.text.len(), regex::Match::start);
            gpus.extend(name(&text.text[mark.end()..end]).map(|name| telling.stated(name, text)));
        }
    }
    gpus
}

fn is_partition(text: &str) -> bool {
    text.starts_with("MIG ")
}

fn name(text: &str) -> Option<String> {
    let text = UUID.replace_all(text, "");
    let text =
        text.split("  MIG ").next().unwrap_or_default().trim().trim_end_matches("NoGCNArchNameOnOldPyTorch").trim();
    (!is_nothing(text)).then(|| text.to_owned())
}

/// Intel's GPUs: those that torch sees, else those that the system has.
fn intel(telling: &Telling<'_>) -> Vec<Stated<String>> {
    let of = |text: &Text| {
        let names: Vec<String> = DETECTED.captures_iter(&text.text).map(|device| device[1].to_owned()).collect();
        names.into_iter().map(|name| telling.stated(name, text)).collect::<Vec<_>>()
    };
    let detected: Vec<_> = telling.gathered.texts(Key::IntelDetected).iter().flat_map(of).collect();
    if !detected.is_empty() {
        return detected;
    }
    let onboard = telling.gathered.texts(Key::IntelOnboard).iter();
    let onboard = onboard.flat_map(|text| text.text.split("* ").map(move |part| (part, text)));
    let onboard: Vec<_> =
        onboard.filter_map(|(part, text)| name(part).map(|name| telling.stated(name, text))).collect();
    if onboard.is_empty() { numbered(telling, Key::IntelGpus) } else { onboard }
}
