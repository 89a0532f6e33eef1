//! torch itself: its version, and what it is built for.

use pep440_rs::Version;

use super::keys::Key;
use super::{Telling, is_nothing};
use crate::model::{Stated, Variant};

pub(super) fn tell(telling: &mut Telling<'_>) {
    version(telling);
    let environment = &mut telling.section.environment;
    let torch = environment.torch.clone();
    let variant = variant(telling, torch.as_ref());
    let debug = telling.truth(Key::Debug);
    let gpu_available = telling.truth(Key::CudaAvailable);
    let environment = &mut telling.section.environment;
    (environment.variant, environment.debug, environment.gpu_available) = (variant, debug, gpu_available);
}

fn version(telling: &mut Telling<'_>) {
    let Some(word) = telling.word(Key::Torch) else {
        if let Some(denied) = telling.gathered.denied(Key::Torch) {
            let message = "torch could not be imported where the report was made: it tells no version of it";
            telling.warn(message.to_owned(), denied.line);
        }
        return;
    };
    if let Ok(version) = word.value.parse::<Version>() {
        telling.section.environment.torch = Some(Stated::new(version, word.origin));
    } else {
        let line = telling.gathered.stated(Key::Torch).map_or(0, |text| text.line);
        telling.warn("what stands for torch's version is no version".to_owned(), line);
    }
}

/// What torch is built for: by the three lines that tell it, else by the tag of its version.
fn variant(telling: &mut Telling<'_>, torch: Option<&Stated<Version>>) -> Option<Stated<Variant>> {
    let tagged = torch.and_then(|torch| Variant::of(&torch.value));
    if let Some(text) = telling.gathered.stated(Key::RocmBuild) {
        return Some(telling.stated(Variant::Rocm { version: short(&text.text) }, text));
    }
    if let Some(text) = telling.gathered.stated(Key::CudaBuild) {
        return Some(telling.stated(Variant::Cuda { version: short(&text.text) }, text));
    }
    if let Some(text) = telling.gathered.stated(Key::XpuBuild) {
        return Some(telling.stated(Variant::Xpu, text));
    }
    let torch = torch?;
    match (tagged, telling.gathered.denied(Key::CudaBuild)) {
        (Some(Variant::Cpu) | None, Some(denied)) => Some(telling.stated(Variant::Cpu, denied)),
        (Some(Variant::Cuda { .. }), Some(denied)) => {
            let message = format!("torch is `{}`, and the report says that it is built without CUDA", torch.value);
            telling.warn(message, denied.line);
            None
        }
        (tagged, _) => tagged.map(|variant| Stated::new(variant, torch.origin.clone())),
    }
}

/// The `major.minor` of a version such as `12.4`, `10.0.130` or `6.3.42131-fa1d09cbd`.
fn short(version: &str) -> Option<String> {
    let word = version.split_whitespace().next().filter(|word| !is_nothing(word))?;
    let mut parts = word.split(['.', '-', '+']);
    let major = parts.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty())?;
    let minor = parts.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty());
    Some(minor.map_or_else(|| major.to_owned(), |minor| format!("{major}.{minor}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_shortened() {
        assert_eq!(short("6.3.42131-fa1d09cbd").as_deref(), Some("6.3"));
        assert_eq!(short("10.0.130").as_deref(), Some("10.0"));
        assert_eq!(short("13").as_deref(), Some("13"));
        assert_eq!(short("weird"), None);
    }
}
