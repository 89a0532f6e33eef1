use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of `parts`, one after the other, in lower-case hex: 64 characters.
pub fn sha256_hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    parts.into_iter().for_each(|part| digest.update(part));
    digest.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_digest_that_others_compute() {
        // FIPS 180-4's own example, in two parts.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex([b"a".as_slice(), b"bc"]), expected);
    }
}
