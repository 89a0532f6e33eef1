//! From a log to its lines, streamed in bounded memory.

use std::io::{self, ErrorKind, Read};

use memchr::memchr2;

use super::decode::decoded;

/// The longest line that is read as one; a longer one is read in parts.
const LONGEST: usize = 128 * 1024;

/// What two parts of a line have in common, so that nothing is lost at the cut.
const OVERLAP: usize = 4 * 1024;

/// How the reading ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// The lines of the file.
    pub(super) lines: usize,
    /// What could not be read.
    pub(super) notes: Vec<String>,
}

/// Gives `each` every line of the log with its number. What a progress bar draws over is a line of the same number.
pub(super) fn read(log: impl Read, mut each: impl FnMut(usize, &[u8])) -> io::Result<Ended> {
    let mut log = decoded(log)?;
    let mut lines = Lines { number: 1, drawn: false, open: false };
    let mut buffer = vec![0; LONGEST];
    let (mut filled, mut cuts) = (0, 0_usize);
    let mut notes = Vec::new();
    loop {
        let read = match log.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                notes.push(format!(
                    "the archive holds more than 4 GiB: what is behind line {} was not read",
                    lines.number
                ));
                break;
            }
            Err(error) if is_damage(&error) => {
                notes.push(format!("the archive is damaged or cut off behind line {}: {error}", lines.number));
                break;
            }
            Err(error) => return Err(error),
        };
        let end = filled + read;
        let rest = end - lines.split(&buffer[..end], filled, &mut each);
        buffer.copy_within(end - rest..end, 0);
        filled = rest;
        if filled == LONGEST {
            each(lines.number, &buffer);
            buffer.copy_within(LONGEST - OVERLAP.., 0);
            filled = OVERLAP;
            cuts += 1;
        }
    }
    if filled > 0 {
        each(lines.number, &buffer[..filled]);
        lines.open = true;
    }
    if cuts > 0 {
        notes.push(format!("a line is longer than {} KiB, and was read in parts", LONGEST / 1024));
    }
    Ok(Ended { lines: lines.number - usize::from(!lines.open), notes })
}

/// Whether an archive is at fault, and not what it is read from.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData)
}

struct Lines {
    /// The number of the line that is read.
    number: usize,
    /// Whether a carriage return stands before what is read.
    drawn: bool,
    /// Whether the line holds anything.
    open: bool,
}

impl Lines {
    /// Gives `each` the whole lines of `bytes`, of which the first `searched` hold no end; where the rest begins.
    fn split(&mut self, bytes: &[u8], searched: usize, each: &mut impl FnMut(usize, &[u8])) -> usize {
        let (mut start, mut from) = (0, searched);
        while let Some(found) = memchr2(b'\n', b'\r', &bytes[from..]) {
            let end = from + found;
            let line = &bytes[start..end];
            let returned = bytes[end] == b'\r';
            if !(line.is_empty() && self.drawn) {
                each(self.number, line);
            }
            self.number += usize::from(!returned);
            (self.drawn, self.open) = (returned, returned);
            (start, from) = (end + 1, end + 1);
        }
        if start < bytes.len() {
            self.drawn = false;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(log: &[u8]) -> (Vec<(usize, String)>, usize) {
        let mut all = Vec::new();
        let ended = read(log, |number, line| all.push((number, String::from_utf8_lossy(line).into_owned()))).unwrap();
        (all, ended.lines)
    }

    #[test]
    fn lines_are_numbered_as_the_user_sees_them() {
        for (log, expected, count) in [
            ("", vec![], 0),
            ("\n", vec![(1, "")], 1),
            ("a", vec![(1, "a")], 1),
            ("a\nb\n", vec![(1, "a"), (2, "b")], 2),
            ("a\r\n\r\nb", vec![(1, "a"), (2, ""), (3, "b")], 3),
            ("1%\r2%\r3%\nb\n", vec![(1, "1%"), (1, "2%"), (1, "3%"), (2, "b")], 2),
            ("1%\r2%\r", vec![(1, "1%"), (1, "2%")], 1),
        ] {
            let (read, lines) = lines(log.as_bytes());
            let expected: Vec<_> = expected.into_iter().map(|(number, line)| (number, line.to_owned())).collect();
            assert_eq!((read, lines), (expected, count), "{log:?}");
        }
    }

    #[test]
    fn a_long_line_is_read_in_parts_and_nothing_is_lost_at_the_cut() {
        for before in LONGEST - 30..LONGEST + 2 {
            let log = format!("{}fatal error: Python.h\nnext", "x".repeat(before));
            let (read, count) = lines(log.as_bytes());
            assert!(
                read.iter().any(|(number, line)| *number == 1 && line.contains("fatal error: Python.h")),
                "{before}"
            );
            assert_eq!((read.last().unwrap(), count), (&(2, "next".to_owned()), 2));
            assert!(read.iter().all(|(_, line)| line.len() <= LONGEST));
        }
    }

    #[test]
    fn a_reader_that_gives_a_byte_at_a_time_gives_the_same_lines() {
        struct Drip<'a>(&'a [u8]);
        impl Read for Drip<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let length = into.len().min(1);
                self.0.read(&mut into[..length])
            }
        }
        let log = b"a\r\nbc\rd\n\ne";
        let mut dripped = Vec::new();
        read(Drip(log), |number, line| dripped.push((number, String::from_utf8_lossy(line).into_owned()))).unwrap();
        assert_eq!(dripped, lines(log).0);
    }

    #[test]
    fn an_archive_that_is_cut_is_read_as_far_as_it_goes() {
        use std::io::Write;
        let text: Vec<_> = (0..20_000).map(|n| format!("line {} of many\n", n * 7919 % 10_007)).collect();
        let text = text.concat();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let archive = encoder.finish().unwrap();
        let mut count = 0;
        let ended = read(&archive[..archive.len() / 2], |_, _| count += 1).unwrap();
        assert!(count > 1000 && ended.lines >= count - 1, "{count} {ended:?}");
        assert!(ended.notes[0].contains("cut off"), "{ended:?}");
    }
}
