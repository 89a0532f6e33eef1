//! From the bytes of a log to UTF-8, streamed: archives of gzip are unpacked, UTF-16 is told by its mark or its zeros, and
//! what is no text is refused.

use std::io::{self, Chain, Cursor, ErrorKind, Read, Take};

use flate2::read::MultiGzDecoder;

/// What is looked at to tell what a log is.
const SAMPLE: usize = 8 * 1024;

/// The most that is unpacked: a small archive can hold more than anybody would read.
const LARGEST: u64 = 4 << 30;

/// Files that are taken for logs, by how they begin, and what to do about it.
const OTHERS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive; unpack it, and give one of the files in it"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; pipe it in: zstd -dc FILE | …"),
    (b"\xfd7zXZ\0", "compressed by xz; pipe it in: xz -dc FILE | …"),
    (b"\x1f\x8b", "an archive in an archive; unpack it once, and give what was in it"),
    (b"BZh", "compressed by bzip2; pipe it in: bzip2 -dc FILE | …"),
    (b"\x7fELF", "a program or a library"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "an image; what it shows has to be pasted as text"),
    (b"\xff\xd8\xff", "an image; what it shows has to be pasted as text"),
];

/// The log as UTF-8, or what is nearly it.
///
/// # Errors
///
/// Where it cannot be read, and [`io::ErrorKind::InvalidData`] where it is no text.
pub(super) fn decoded<'a>(log: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let (sample, log) = peeked(log)?;
    if !sample.starts_with(b"\x1f\x8b") {
        return text(&sample, log);
    }
    let (sample, log) = peeked(Bounded(MultiGzDecoder::new(log).take(LARGEST)))?;
    text(&sample, log)
}

/// An archive's contents, up to the limit; what is beyond is an error.
struct Bounded<R>(Take<R>);

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 if self.0.limit() == 0 && !into.is_empty() && self.0.get_mut().read(&mut [0])? > 0 => {
                Err(ErrorKind::FileTooLarge.into())
            }
            read => Ok(read),
        }
    }
}

/// A log whose first bytes were looked at.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// The log's first bytes, and the whole of it.
fn peeked<R: Read>(mut log: R) -> io::Result<(Vec<u8>, Whole<R>)> {
    let mut sample = Vec::with_capacity(SAMPLE);
    let read = log.by_ref().take(SAMPLE as u64).read_to_end(&mut sample);
    if sample.is_empty() {
        read?;
    }
    Ok((sample.clone(), Cursor::new(sample).chain(log)))
}

fn text<'a>(sample: &[u8], mut log: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mark = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].into_iter().find(|mark| sample.starts_with(mark));
    io::copy(&mut log.by_ref().take(mark.map_or(0, <[u8]>::len) as u64), &mut io::sink())?;
    match mark {
        Some(b"\xef\xbb\xbf") => return Ok(Box::new(log)),
        Some(mark) => return Ok(Box::new(Utf16::new(log, mark == b"\xfe\xff"))),
        None => {}
    }
    if let Some(big) = zeros_tell(sample) {
        return Ok(Box::new(Utf16::new(log, big)));
    }
    let is_tar = sample.get(257..262) == Some(b"ustar");
    let tar = is_tar.then_some("a tar archive; unpack it, and give one of the files in it");
    let other = OTHERS.iter().find(|(begin, _)| sample.starts_with(begin)).map(|(_, what)| *what);
    if let Some(what) = other.or(tar).or(is_binary(sample).then_some("binary data")) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("this is not a text log, but {what}")));
    }
    Ok(Box::new(log))
}

/// Whether the bytes are UTF-16 without a mark, and its big end first: of text in Latin letters, every other byte is zero.
fn zeros_tell(sample: &[u8]) -> Option<bool> {
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), sample.len() / 2);
    let many = |count: usize| pairs > 1 && count * 5 >= pairs * 2;
    let few = |count: usize| count * 20 <= pairs;
    match () {
        () if many(odd) && few(even) => Some(false),
        () if many(even) && few(odd) => Some(true),
        () => None,
    }
}

/// Whether more bytes are controls than terminals know. Zeros at the beginning are those of a log that was emptied while its
/// writer had it open.
fn is_binary(sample: &[u8]) -> bool {
    let begin = sample.iter().position(|byte| *byte != 0).unwrap_or(0);
    let control = |byte: &&u8| matches!(**byte, 0..=6 | 14..=26 | 28..=31);
    sample[begin..].iter().filter(control).count() * 20 > sample.len() - begin
}

/// UTF-16 as UTF-8.
struct Utf16<R> {
    log: R,
    big: bool,
    /// Bytes that are not decoded yet: half a unit, or half a pair.
    bytes: Vec<u8>,
    /// What is decoded, and how much of it was taken.
    text: Cursor<Vec<u8>>,
}

impl<R: Read> Utf16<R> {
    fn new(log: R, big: bool) -> Self {
        Self { log, big, bytes: Vec::new(), text: Cursor::default() }
    }

    /// Decodes the next bytes; false at the end.
    fn next(&mut self) -> io::Result<bool> {
        let read = self.log.by_ref().take(SAMPLE as u64).read_to_end(&mut self.bytes)?;
        if self.bytes.is_empty() {
            return Ok(false);
        }
        let unit = |pair: &[u8]| {
            let pair = [pair[0], *pair.get(1).unwrap_or(&0)];
            if self.big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        };
        let whole = if read == 0 { self.bytes.len() } else { self.bytes.len() & !1 };
        let mut units: Vec<u16> = self.bytes[..whole].chunks(2).map(unit).collect();
        let open = read > 0 && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
        units.truncate(units.len() - usize::from(open));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        self.bytes.drain(..if open { whole - 2 } else { whole });
        self.text = Cursor::new(text.into_bytes());
        Ok(true)
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.text.read(into)? {
                0 if !into.is_empty() && self.next()? => {}
                read => return Ok(read),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut text = Vec::new();
        decoded(bytes)?.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn utf16(text: &str, mark: bool, big: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_of_a_log_is_read() {
        let text = "fatal error: 💥 Python.h ‘x’\n".repeat(2000);
        for bytes in [
            text.clone().into_bytes(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            utf16(&text, true, false),
            utf16(&text, true, true),
            utf16(&text, false, false),
            utf16(&text, false, true),
            gzip(text.as_bytes()),
            [gzip(&text.as_bytes()[..100]), gzip(&text.as_bytes()[100..])].concat(),
            gzip(&utf16(&text, true, false)),
        ] {
            assert_eq!(read(&bytes).unwrap(), text, "{:?}", &bytes[..8]);
        }
        assert_eq!(read(b"").unwrap(), "");
        assert_eq!(read(b"\xef\xbb\xbf").unwrap(), "");
        assert_eq!(read(b"x").unwrap(), "x");
        assert_eq!(read(b"caf\xe9 is Latin 1").unwrap(), "caf\u{fffd} is Latin 1");
    }

    #[test]
    fn utf16_that_is_cut_is_read_to_its_end() {
        let mut bytes = utf16("error", true, false);
        bytes.pop();
        assert_eq!(read(&bytes).unwrap(), "error");
        assert_eq!(read(b"\xff\xfea\0\x3d\xd8").unwrap(), "a\u{fffd}");
    }

    #[test]
    fn what_is_no_text_is_refused_and_named() {
        let random: Vec<u8> = (0..5000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        for (bytes, expected) in [
            (&b"PK\x03\x04\x14\0"[..], "zip"),
            (b"\x28\xb5\x2f\xfd\x04", "zstd -dc"),
            (b"\x7fELF\x02\x01", "a program"),
            (&gzip(&gzip(b"text")), "in an archive"),
            (&gzip(&[&[b'a'; 257][..], b"ustar\0"].concat()), "tar"),
            (&random, "binary data"),
            (&[0; 100], "binary data"),
            (&gzip(&random), "binary data"),
        ] {
            let error = read(bytes).expect_err(expected);
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn what_an_archive_holds_beyond_the_limit_is_an_error() {
        let mut text = String::new();
        let error = Bounded(b"12345".take(3)).read_to_string(&mut text).unwrap_err();
        assert_eq!((text.as_str(), error.kind()), ("123", ErrorKind::FileTooLarge));
        assert_eq!(io::read_to_string(Bounded(b"123".take(3))).unwrap(), "123");
    }

    #[test]
    fn a_log_that_was_emptied_while_it_was_written_is_text() {
        let text = [&[0; 700][..], b"fatal error: Python.h\n"].concat();
        assert!(read(&text).unwrap().ends_with("Python.h\n"));
    }
}
