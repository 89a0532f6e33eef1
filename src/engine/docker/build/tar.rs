//! The build context as a tar, for builders that take no other: streamed, so that memory does not grow with it.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::context::{Entry, ExactFile, Filter, Item, Kind, walk};
use super::dockerignore::{self, DOCKERIGNORE};
use super::outbound::Outbound;
use crate::model::{Error, Result};

/// The bytes that travel as one.
const CHUNK: usize = 256 * 1024;

/// How many chunks may wait for the engine.
const WAITING: usize = 4;

/// What to pack.
pub(super) struct Archive {
    /// The folder; without one, nothing but the Dockerfile.
    pub(super) context: Option<PathBuf>,
    /// The Dockerfile's text; it need not stand in the folder.
    pub(super) dockerfile: String,
    /// Whether to compress with gzip: worth it on a network, not on a socket.
    pub(super) compress: bool,
}

/// The chunks of an archive.
pub(super) type Chunks = ReceiverStream<io::Result<Bytes>>;

impl Archive {
    /// The name that the Dockerfile has in the archive: one that nothing else in the context has.
    pub(super) fn dockerfile_name(&self) -> String {
        let taken =
            |name: &String| self.context.as_ref().is_some_and(|context| context.join(name).symlink_metadata().is_ok());
        let numbered = (1_u32..).map(|number| format!(".sconce-{number}.Dockerfile"));
        let mut names = std::iter::once(".sconce.Dockerfile".to_owned()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    /// Packs in the background, as fast as the chunks are taken. What goes wrong ends the stream with an error, and the
    /// reason is left with `outbound`.
    pub(super) fn stream(self, outbound: Outbound) -> Chunks {
        let (sender, chunks) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let writer = ChunkWriter { buffer: BytesMut::with_capacity(CHUNK), sender, outbound: outbound.clone() };
            self.write(writer, &outbound);
        });
        ReceiverStream::new(chunks)
    }

    fn write(&self, writer: ChunkWriter, outbound: &Outbound) {
        let end = writer.sender.clone();
        let packed = if self.compress {
            let encoder = self.pack(GzEncoder::new(writer, Compression::fast()), outbound);
            encoder.and_then(|encoder| Ok(encoder.finish()?))
        } else {
            self.pack(writer, outbound)
        };
        match packed.and_then(|mut writer| Ok(writer.flush()?)) {
            Ok(()) => outbound.complete(),
            // The engine took what it wanted; why it wanted no more is for the engine to say.
            Err(Stop::Gone) => {}
            Err(Stop::Fault(error)) => {
                outbound.failed(error);
                // Without an error of its own the stream would seem to have come to its end.
                let _ = end.blocking_send(Err(io::Error::other("the build context cannot be sent")));
            }
        }
    }

    /// Writes the whole archive, the injected files first, and hands the writer back.
    fn pack<W: Write>(&self, writer: W, outbound: &Outbound) -> Result<W, Stop> {
        let name = self.dockerfile_name();
        let ignored = self.context.as_deref().map(dockerignore::read).transpose()?.unwrap_or_default();
        let mut tar = Builder::new(writer);
        append_text(&mut tar, &name, &self.dockerfile)?;
        append_text(&mut tar, DOCKERIGNORE, &self.dockerignore(&name)?)?;
        let filter = Filter { exclude: ignored, ..Filter::default() };
        let Some(context) = &self.context else { return Ok(tar.into_inner()?) };
        let mut failed = None;
        walk(context, &filter, &mut |item| match append(&mut tar, context, item, outbound) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)?;
        Ok(tar.into_inner()?)
    }

    /// The context's own `.dockerignore`, which now leaves the injected Dockerfile out too: the engine takes what it names
    /// out of the context before the first step.
    fn dockerignore(&self, dockerfile: &str) -> Result<String> {
        let read = |context: &PathBuf| std::fs::read(context.join(DOCKERIGNORE));
        let own = match self.context.as_ref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), read) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => DOCKERIGNORE.to_owned(),
            Err(error) => return Err(Error::usage("`.dockerignore` cannot be read").because(error)),
        };
        Ok(format!("{own}\n{dockerfile}\n"))
    }
}

fn append<W: Write>(tar: &mut Builder<W>, context: &Path, item: Item, outbound: &Outbound) -> Result<(), Stop> {
    match item {
        Item::Special(path) => outbound.left_out(&path),
        // Injected already.
        Item::Entry(entry) if entry.path == DOCKERIGNORE => {}
        Item::Entry(entry) => append_entry(tar, context, &entry)?,
    }
    Ok(())
}

fn append_text<W: Write>(tar: &mut Builder<W>, name: &str, text: &str) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644, text.len() as u64);
    tar.append_data(&mut header, name, text.as_bytes())
}

fn append_entry<W: Write>(tar: &mut Builder<W>, context: &Path, entry: &Entry) -> Result<(), Stop> {
    match &entry.kind {
        Kind::Folder => {
            let mut header = header(EntryType::Directory, 0o755, 0);
            tar.append_data(&mut header, format!("{}/", entry.path), io::empty())?;
        }
        Kind::Link { target } => {
            let mut header = header(EntryType::Symlink, 0o777, 0);
            tar.append_link(&mut header, &entry.path, target)?;
        }
        Kind::File { size } => {
            let mode = if entry.mode & 0o111 == 0 { 0o644 } else { 0o755 };
            let mut header = header(EntryType::Regular, mode, *size);
            let file = ExactFile::open(context, &entry.path, *size)?;
            tar.append_data(&mut header, &entry.path, file)?;
        }
    }
    Ok(())
}

/// Owner and time are the same for all, so that the same context gives the same layers wherever it was checked out.
fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// Why the packing stops early.
enum Stop {
    /// The engine takes no more.
    Gone,
    Fault(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => Self::Fault(error),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Self::Gone,
            Err(error) => Self::Fault(Error::no(format!("the build context cannot be packed: {error}")).because(error)),
        }
    }
}

/// Cuts what is written into chunks and waits until each is taken.
struct ChunkWriter {
    buffer: BytesMut,
    sender: mpsc::Sender<io::Result<Bytes>>,
    outbound: Outbound,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        if self.buffer.len() == CHUNK {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(CHUNK)).freeze();
        let count = chunk.len();
        self.sender.blocking_send(Ok(chunk)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        self.outbound.sent(count);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use futures_util::StreamExt;

    use super::*;
    use crate::engine::Event;

    fn archive(context: &Path, compress: bool) -> Archive {
        Archive { context: Some(context.to_owned()), dockerfile: "FROM scratch\n".to_owned(), compress }
    }

    /// The archive's entries by path: type, mode, and content or target.
    async fn unpacked(context: &Path, compress: bool) -> BTreeMap<String, (EntryType, u32, String)> {
        let chunks: Vec<_> = archive(context, compress).stream(Outbound::new().0).collect().await;
        let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.unwrap()).collect();
        let reader: Box<dyn Read> = if compress {
            Box::new(flate2::read::GzDecoder::new(io::Cursor::new(bytes)))
        } else {
            Box::new(io::Cursor::new(bytes))
        };
        let mut entries = BTreeMap::new();
        for packed in tar::Archive::new(reader).entries().unwrap() {
            let mut packed = packed.unwrap();
            let path = packed.path().unwrap().to_str().unwrap().to_owned();
            assert_eq!((packed.header().uid().unwrap(), packed.header().mtime().unwrap()), (0, 0), "{path}");
            let mut text =
                packed.link_name().unwrap().map(|link| link.to_str().unwrap().to_owned()).unwrap_or_default();
            packed.read_to_string(&mut text).unwrap();
            entries.insert(path, (packed.header().entry_type(), packed.header().mode().unwrap(), text));
        }
        entries
    }

    #[tokio::test]
    async fn everything_arrives_as_it_is_but_for_owner_time_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
        fs::create_dir_all(root.join(&long).parent().unwrap()).unwrap();
        fs::create_dir(root.join("empty")).unwrap();
        for (path, mode) in [("run me", 0o700), ("new\nline", 0o600), ("ünï", 0o666), (long.as_str(), 0o644)] {
            fs::write(root.join(path), path).unwrap();
            fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink("../".repeat(60), root.join("far")).unwrap();
        for compress in [false, true] {
            let entries = unpacked(root, compress).await;
            assert_eq!(entries["run me"], (EntryType::Regular, 0o755, "run me".to_owned()));
            assert_eq!(entries["new\nline"], (EntryType::Regular, 0o644, "new\nline".to_owned()));
            assert_eq!(entries["ünï"].2, "ünï");
            assert_eq!(entries[&long].2, long);
            assert_eq!(entries["empty/"], (EntryType::Directory, 0o755, String::new()));
            assert_eq!(entries["far"].0, EntryType::Symlink);
            assert_eq!(entries["far"].2.trim_end_matches('/'), "../".repeat(60).trim_end_matches('/'));
            assert_eq!(entries[".sconce.Dockerfile"].2, "FROM scratch\n");
            assert_eq!(entries[DOCKERIGNORE].2, ".dockerignore\n.sconce.Dockerfile\n");
        }
    }

    #[tokio::test]
    async fn the_injected_dockerfile_takes_nobodys_name_and_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".sconce.Dockerfile"), "mine").unwrap();
        fs::write(folder.path().join(DOCKERIGNORE), "*.log").unwrap();
        fs::write(folder.path().join("x.log"), "").unwrap();
        let entries = unpacked(folder.path(), false).await;
        assert_eq!(entries[".sconce.Dockerfile"].2, "mine");
        assert_eq!(entries[".sconce-1.Dockerfile"].2, "FROM scratch\n");
        assert_eq!(entries[DOCKERIGNORE].2, "*.log\n.sconce-1.Dockerfile\n");
        assert!(!entries.contains_key("x.log"));
    }

    #[tokio::test]
    async fn a_big_file_waits_for_its_reader() {
        let folder = tempfile::tempdir().unwrap();
        let size = 1 << 30;
        fs::File::create(folder.path().join("big")).unwrap().set_len(size).unwrap();
        let (outbound, mut events) = Outbound::new();
        let mut chunks = archive(folder.path(), false).stream(outbound);
        let (mut taken, mut written) = (0_u64, 0_u64);
        while let Some(chunk) = chunks.next().await {
            taken += chunk.unwrap().len() as u64;
            while let Ok(Event::Transfer { current, .. }) = events.try_recv() {
                written = current;
            }
            // What was written and not taken fills the channel; besides it only the chunk in the making is in memory.
            assert!(written.saturating_sub(taken) <= (WAITING * CHUNK) as u64, "{written} written, {taken} taken");
        }
        assert!(taken > size);
    }

    #[tokio::test]
    async fn a_reader_that_goes_away_stops_the_packing() {
        let folder = tempfile::tempdir().unwrap();
        fs::File::create(folder.path().join("big")).unwrap().set_len(1 << 30).unwrap();
        let (outbound, mut events) = Outbound::new();
        let mut chunks = archive(folder.path(), false).stream(outbound);
        chunks.next().await.unwrap().unwrap();
        drop(chunks);
        let mut last = 0;
        while let Some(event) = events.recv().await {
            if let Event::Transfer { current, .. } = event {
                last = current;
            }
        }
        assert!(last <= ((WAITING + 2) * CHUNK) as u64, "{last}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_ends_the_stream_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DOCKERIGNORE), "[").unwrap();
        let (outbound, _events) = Outbound::new();
        let chunks: Vec<_> = archive(folder.path(), false).stream(outbound.clone()).collect().await;
        assert!(chunks.last().unwrap().is_err());
        let fault = outbound.fault().unwrap();
        assert!(fault.message.contains("`[`"), "{fault}");
    }
}
