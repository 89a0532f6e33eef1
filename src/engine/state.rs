use serde::{Deserialize, Serialize};

/// What an engine says of itself and of the machine that it runs on, beyond [`super::EngineInfo`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineState {
    /// The name of its machine.
    pub host: String,
    /// Its operating system, such as `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
    /// The folder, on its machine, that images live in.
    pub root: String,
    /// How it stores them, such as `overlay2`.
    pub driver: String,
    /// How many images it has.
    pub images: u64,
    /// The programs that it can run containers with, such as `runc` and `nvidia`.
    pub runtimes: Vec<String>,
    /// The devices of the Container Device Interface that it knows, such as `nvidia.com/gpu=all`.
    pub devices: Vec<String>,
    /// What keeps containers apart, such as `rootless`, `selinux` or `seccomp`.
    pub security: Vec<String>,
    /// The proxies that it pulls images through; empty where it uses none. They may hold credentials.
    pub proxies: Vec<String>,
    /// Whether it can limit the memory of a container.
    pub memory_limit: bool,
    /// Its clock, in seconds since 1970.
    pub time: Option<u64>,
}
