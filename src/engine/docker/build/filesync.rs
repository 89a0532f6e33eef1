//! BuildKit asks for the context's files: the protocol of [tonistiigi/fsutil] over the session. We show every entry, the
//! engine compares with what it kept of the last build and requests the content of what changed.
//!
//! [tonistiigi/fsutil]: https://github.com/tonistiigi/fsutil/blob/master/send.go

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use bollard::moby::filesync::v1::file_sync_server::FileSync;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Request, Response, Status, Streaming};

use super::context::{Entry, ExactFile, Filter, Item, Kind, walk};
use super::follow::follow;
use super::outbound::Outbound;
use super::pattern::Patterns;
use crate::model::{Error, Result};

/// The name under which the frontend asks for the Dockerfile, in the folder of that purpose.
pub(super) const DOCKERFILE: &str = "Dockerfile";

/// The content of one packet.
const CHUNK: usize = 64 * 1024;

/// How many packets may wait for the engine.
const WAITING: usize = 32;

type Packets = mpsc::Sender<Result<Packet, Status>>;

/// Serves the two folders that a build has: the context from disk, and the Dockerfile's from memory.
#[derive(Debug)]
pub(super) struct Files {
    /// Without one, an empty folder stands for it.
    pub(super) context: Option<PathBuf>,
    pub(super) dockerfile: Arc<str>,
    pub(super) outbound: Outbound,
}

#[tonic::async_trait]
impl FileSync for Files {
    type DiffCopyStream = ReceiverStream<Result<Packet, Status>>;
    type TarStreamStream = ReceiverStream<Result<Packet, Status>>;

    async fn diff_copy(&self, request: Request<Streaming<Packet>>) -> Result<Response<Self::DiffCopyStream>, Status> {
        let source = self.source(request.metadata())?;
        let (packets, stream) = mpsc::channel(WAITING);
        let (requests, requested) = mpsc::unbounded_channel();
        // The engine's requests are taken at once, however far the answers are behind: with a window full of unread
        // requests the HTTP/2 connection would stand still or be taken for an attack.
        tokio::spawn(take_requests(request.into_inner(), requests));
        let transfer = Transfer { source, outbound: self.outbound.clone(), shown: Arc::default() };
        let answering = (transfer.clone(), packets.clone());
        tokio::task::spawn_blocking(move || transfer.guarded(&packets, |transfer| transfer.show(&packets)));
        tokio::task::spawn_blocking(move || {
            let (transfer, packets) = answering;
            transfer.guarded(&packets, |transfer| transfer.answer(requested, &packets));
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn tar_stream(&self, _: Request<Streaming<Packet>>) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("only DiffCopy is served"))
    }
}

impl Files {
    fn source(&self, metadata: &MetadataMap) -> Result<Source, Status> {
        match values(metadata, "dir-name").first().map(String::as_str) {
            Some("context") => {
                let filter = self.filter(metadata).map_err(Status::invalid_argument)?;
                let folder = |root: &PathBuf| Source::Folder { root: root.clone(), filter };
                Ok(self.context.as_ref().map_or(Source::Nothing, folder))
            }
            Some("dockerfile") => Ok(Source::Dockerfile(Arc::clone(&self.dockerfile))),
            _ => Err(Status::not_found("there is no such folder")),
        }
    }

    /// What the engine wants of the context: the frontend has read `.dockerignore`, and knows what the steps copy.
    fn filter(&self, metadata: &MetadataMap) -> Result<Filter, String> {
        let mut include = values(metadata, "include-patterns");
        let paths = values(metadata, "followpaths");
        if let Some(context) = self.context.as_ref().filter(|_| !paths.is_empty()) {
            include.extend(follow(context, &paths).unwrap_or_default());
        }
        let malformed = |pattern: String| {
            let error = format!("`{}` is not a valid pattern", pattern.escape_debug());
            self.outbound.failed(Error::usage(&error).with_hint("see `.dockerignore` and the sources of `COPY`"));
            error
        };
        Ok(Filter {
            include: Patterns::new(include).map_err(malformed)?,
            exclude: Patterns::new(values(metadata, "exclude-patterns")).map_err(malformed)?,
        })
    }
}

/// The values of a key. Newer engines send what is not plain ASCII in the form encoding of URLs, older ones as it is.
fn values(metadata: &MetadataMap, key: &str) -> Vec<String> {
    let encoded = metadata.get(format!("{key}-encoded")).is_some_and(|value| value == "1" || value == "true");
    let decode = |value: &MetadataValue<Ascii>| match url::form_urlencoded::parse(value.as_bytes()).next() {
        _ if !encoded => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        Some((text, _)) => text.into_owned(),
        None => String::new(),
    };
    metadata.get_all(key).iter().map(decode).collect()
}

async fn take_requests(mut inbound: Streaming<Packet>, requests: mpsc::UnboundedSender<Option<u32>>) {
    while let Ok(Some(packet)) = inbound.message().await {
        let told = match packet.r#type() {
            PacketType::PacketReq => requests.send(Some(packet.id)),
            PacketType::PacketFin => requests.send(None),
            PacketType::PacketErr => break,
            PacketType::PacketStat | PacketType::PacketData => Ok(()),
        };
        if told.is_err() {
            break;
        }
    }
}

/// Where a transfer's files come from.
#[derive(Debug, Clone)]
enum Source {
    Folder { root: PathBuf, filter: Filter },
    Dockerfile(Arc<str>),
    Nothing,
}

/// One conversation: what was shown, by the number that the engine requests it with.
#[derive(Debug, Clone)]
struct Transfer {
    source: Source,
    outbound: Outbound,
    shown: Arc<Mutex<HashMap<u32, (String, u64)>>>,
}

/// The engine takes no more packets: it has ended the conversation.
struct Gone;

/// Why a transfer stops early.
enum Stop {
    Gone,
    Fault(Error),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

fn send(packets: &Packets, packet: Packet) -> Result<(), Gone> {
    packets.blocking_send(Ok(packet)).map_err(|_| Gone)
}

impl Transfer {
    /// Does `work`; a fault of ours ends the conversation.
    fn guarded(&self, packets: &Packets, work: impl FnOnce(&Self) -> Result<(), Stop>) {
        if let Err(Stop::Fault(error)) = work(self) {
            let status = Status::aborted("the client cannot send the build context");
            self.outbound.failed(error);
            let _ = packets.blocking_send(Err(status));
        }
    }

    /// Shows all entries, then an empty one.
    fn show(&self, packets: &Packets) -> Result<(), Stop> {
        match &self.source {
            Source::Folder { root, filter } => self.show_folder(root, filter, packets)?,
            Source::Dockerfile(text) => self.show_one(0, dockerfile_stat(text), packets)?,
            Source::Nothing => {}
        }
        Ok(send(packets, Packet { r#type: PacketType::PacketStat.into(), ..Packet::default() })?)
    }

    fn show_folder(&self, root: &Path, filter: &Filter, packets: &Packets) -> Result<(), Stop> {
        let mut number = 0;
        let mut gone = false;
        walk(root, filter, &mut |item| {
            match item {
                Item::Special(path) => self.outbound.left_out(&path),
                Item::Entry(entry) => {
                    gone = self.show_one(number, stat(entry), packets).is_err();
                    number += 1;
                }
            }
            if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if gone { Err(Stop::Gone) } else { Ok(()) }
    }

    fn show_one(&self, number: u32, stat: Stat, packets: &Packets) -> Result<(), Gone> {
        if stat.mode & go_mode::TYPE == 0 {
            let size = u64::try_from(stat.size).unwrap_or(0);
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.insert(number, (stat.path.clone(), size));
        }
        send(packets, Packet { r#type: PacketType::PacketStat.into(), stat: Some(stat), ..Packet::default() })
    }

    /// Sends the content of each file that is requested, until the engine has all it wants.
    fn answer(&self, mut requested: mpsc::UnboundedReceiver<Option<u32>>, packets: &Packets) -> Result<(), Stop> {
        while let Some(request) = requested.blocking_recv() {
            let Some(number) = request else {
                if let Source::Folder { .. } = self.source {
                    self.outbound.complete();
                }
                return Ok(send(packets, Packet { r#type: PacketType::PacketFin.into(), ..Packet::default() })?);
            };
            let file = self.shown.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
            let (path, size) = file.ok_or_else(|| Error::no("the engine asked for a file that it was not shown"))?;
            self.send_file(number, &path, size, packets)?;
        }
        Ok(())
    }

    /// The file's content, then an empty packet.
    fn send_file(&self, number: u32, path: &str, size: u64, packets: &Packets) -> Result<(), Stop> {
        let data = |data: Vec<u8>| Packet { r#type: PacketType::PacketData.into(), id: number, data, stat: None };
        match &self.source {
            Source::Nothing => {}
            Source::Dockerfile(text) => {
                for chunk in text.as_bytes().chunks(CHUNK) {
                    send(packets, data(chunk.to_vec()))?;
                }
            }
            Source::Folder { root, .. } => {
                let mut file = ExactFile::open(root, path, size)?;
                loop {
                    let mut buffer = vec![0; CHUNK];
                    let count = file.read(&mut buffer)?;
                    if count == 0 {
                        break;
                    }
                    buffer.truncate(count);
                    send(packets, data(buffer))?;
                    self.outbound.sent(count);
                }
            }
        }
        Ok(send(packets, data(Vec::new()))?)
    }
}

/// The bits of Go's `io/fs.FileMode` that are not Unix's. Source: <https://pkg.go.dev/io/fs#FileMode>
mod go_mode {
    pub(super) const FOLDER: u32 = 1 << 31;
    pub(super) const LINK: u32 = 1 << 27;
    pub(super) const SET_USER_ID: u32 = 1 << 23;
    pub(super) const SET_GROUP_ID: u32 = 1 << 22;
    pub(super) const STICKY: u32 = 1 << 20;
    /// What makes an entry something else than a file.
    pub(super) const TYPE: u32 = FOLDER | LINK;
}

fn stat(entry: Entry) -> Stat {
    let special = [(0o4000, go_mode::SET_USER_ID), (0o2000, go_mode::SET_GROUP_ID), (0o1000, go_mode::STICKY)];
    let mut mode = entry.mode & 0o777;
    for (unix, go) in special {
        if entry.mode & unix != 0 {
            mode |= go;
        }
    }
    let (kind, size, linkname) = match entry.kind {
        Kind::Folder => (go_mode::FOLDER, 0, String::new()),
        Kind::File { size } => (0, size, String::new()),
        Kind::Link { target } => (go_mode::LINK, target.len() as u64, target),
    };
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    Stat { path: entry.path, mode: mode | kind, size, mod_time: entry.modified, linkname, ..Stat::default() }
}

/// The Dockerfile's entry. The engine takes size and time for all that can change, so the time stands for the content.
fn dockerfile_stat(text: &str) -> Stat {
    let digest = Sha256::digest(text.as_bytes());
    let nanoseconds = digest.iter().take(7).fold(0_i64, |number, &byte| number << 8 | i64::from(byte));
    let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    Stat { path: DOCKERFILE.to_owned(), mode: 0o644, size, mod_time: nanoseconds, ..Stat::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_ascii_are_decoded() {
        let mut metadata = MetadataMap::new();
        metadata.append("followpaths", "a%20b".parse().unwrap());
        metadata.append("exclude-patterns", "%C3%BCn+%2B%26%3D".parse().unwrap());
        metadata.append("exclude-patterns", "".parse().unwrap());
        metadata.append("exclude-patterns-encoded", "1".parse().unwrap());
        metadata.append("followpaths", MetadataValue::try_from("ün".as_bytes()).unwrap());
        assert_eq!(values(&metadata, "followpaths"), ["a%20b", "ün"]);
        assert_eq!(values(&metadata, "exclude-patterns"), ["ün +&=", ""]);
        assert!(values(&metadata, "include-patterns").is_empty());
    }

    #[test]
    fn modes_are_those_of_go() {
        let entry = |kind, mode| Entry { path: "x".to_owned(), kind, mode, modified: 7 };
        let file = stat(entry(Kind::File { size: 3 }, 0o4755));
        assert_eq!((file.mode, file.size, file.mod_time), (1 << 23 | 0o755, 3, 7));
        assert_eq!(stat(entry(Kind::Folder, 0o1777)).mode, 1 << 31 | 1 << 20 | 0o777);
        let link = stat(entry(Kind::Link { target: "there".to_owned() }, 0o777));
        assert_eq!((link.mode, link.size, link.linkname.as_str()), (1 << 27 | 0o777, 5, "there"));
    }

    #[test]
    fn another_dockerfile_of_the_same_length_has_another_time() {
        assert_ne!(dockerfile_stat("RUN a").mod_time, dockerfile_stat("RUN b").mod_time);
        assert_eq!(dockerfile_stat("RUN a"), dockerfile_stat("RUN a"));
        assert!(dockerfile_stat("RUN a").mod_time >= 0);
    }
}
