//! What the engine is, and whether images can be built and proven on it.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::statvfs::statvfs;
use nix::unistd::gethostname;
use url::Url;

use super::DoctorOptions;
use crate::catalogue::Catalogue;
use crate::engine::{Engine, EngineInfo, EngineState};
use crate::model::{Error, ErrorKind, Finding, FindingOutcome, Result};
use crate::report::{bytes, date};
use crate::verify::Conditions;

use FindingOutcome::{Fail, Ok as Fine, Skip, Warn};

/// Below this not even an image with torch for the CPU has room.
const LEAST_ROOM: u64 = 2_000_000_000;

/// The seconds that the engine's clock may differ from this machine's: what compares files by their times goes wrong beyond.
const DRIFT: u64 = 300;

/// The processors that torch has wheels for, as engines name them.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// What shows that this machine has an NVIDIA GPU.
const GPU: &str = "/dev/nvidiactl";

/// Where administrators put the certificate authorities of their company: Debian, Red Hat, SUSE and Arch.
const AUTHORITIES: [&str; 4] = [
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/pki/trust/anchors",
    "/etc/ca-certificates/trust-source/anchors",
];

/// Variables that name a file of certificate authorities.
const BUNDLES: [&str; 4] = ["REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// Variables that name a proxy.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// What there is to say of an engine that answers.
pub(super) async fn findings<E: Engine>(
    engine: &E,
    catalogue: &Catalogue,
    options: &DoctorOptions,
) -> Result<Vec<Finding>> {
    let info = engine.info();
    let state = match engine.state().await {
        Ok(state) => state,
        Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
        Err(error) => return Ok(vec![absent(&error, true)]),
    };
    Ok(vec![
        answers(info, &state),
        builder(info),
        machine(info, &state),
        disk(info, &state, catalogue),
        gpus(&state, local(&state) && Path::new(GPU).exists()),
        proxies(&state, options),
        authorities(options),
        isolation(&state),
        clock(&state),
    ])
}

/// Why there is no engine.
pub(super) fn absent(error: &Error, asked: bool) -> Finding {
    let outcome = match error.kind {
        _ if asked => Fail,
        ErrorKind::TryAgain => Skip,
        _ => Warn,
    };
    let mut finding = Finding::new("engine", ENGINE, outcome, error.to_string());
    if let Some(hint) = &error.hint {
        // Behind the advice it may say what was tried, line by line.
        let (advice, tried) = hint.split_once('\n').unwrap_or((hint, ""));
        finding = finding.with_remedy(advice, &[]);
        tried.clone_into(&mut finding.error);
    }
    finding
}

const ENGINE: &str = "a container engine answers";

fn answers(info: &EngineInfo, state: &EngineState) -> Finding {
    let system = if state.system.is_empty() { String::new() } else { format!(", on {}", state.system) };
    let evidence = format!("{} {}, API {}, at {}{system}", info.name, info.version, info.api, info.endpoint);
    Finding::new("engine", ENGINE, Fine, evidence)
}

fn builder(info: &EngineInfo) -> Finding {
    let title = "builds go through BuildKit";
    if info.buildkit {
        return Finding::new(
            "engine-builder",
            title,
            Fine,
            "BuildKit: cache mounts, and secrets that stay in no layer",
        );
    }
    let evidence = "the classic builder: no cache mounts, and no secrets, which private indexes and authorities need";
    let finding = Finding::new("engine-builder", title, Warn, evidence);
    if info.name == "Docker" {
        return finding.with_remedy("`DOCKER_BUILDKIT` switches BuildKit off", &["unset DOCKER_BUILDKIT"]);
    }
    finding.with_remedy(format!("{} builds without BuildKit; all that needs none works", info.name), &[])
}

fn machine(info: &EngineInfo, state: &EngineState) -> Finding {
    let title = "its machine can compile";
    let needed = Conditions::default().memory;
    let shown = format!("{} processors for {}, {} of memory", info.cpus, info.architecture, bytes(info.memory));
    let found = |outcome, more: &str| Finding::new("engine-machine", title, outcome, format!("{shown}{more}"));
    if !ARCHITECTURES.contains(&info.architecture.as_str()) {
        return found(Fail, ": torch has no wheels for this architecture")
            .with_remedy("use an engine on amd64 or arm64: `DOCKER_HOST` or `docker context use` names it", &[]);
    }
    if info.memory < needed / 2 {
        return found(Fail, ": too little for a compiler beside torch").with_remedy(more_memory(needed), &[]);
    }
    if info.memory < needed {
        return found(Warn, &format!(": a proof takes up to {}", bytes(needed))).with_remedy(more_memory(needed), &[]);
    }
    if !state.memory_limit {
        return found(Warn, "; it cannot limit the memory of a container, so that a proof may take all of it");
    }
    found(Fine, "")
}

fn more_memory(needed: u64) -> String {
    format!(
        "give the engine's machine {} or more (Docker Desktop: Settings, Resources), or `--memory` less to a proof",
        bytes(needed)
    )
}

/// The file system of the images, where it is this machine's own.
fn disk(info: &EngineInfo, state: &EngineState, catalogue: &Catalogue) -> Finding {
    let title = "there is room for images";
    let images = format!("{} images in {} ({})", state.images, state.root, state.driver);
    let free = local(state).then(|| room(&state.root)).flatten();
    let Some(free) = free else {
        let evidence =
            format!("{images}: on another machine, or not to be seen from here; `docker system df` tells more");
        return Finding::new("engine-disk", title, Skip, evidence);
    };
    let largest = catalogue.torch().iter().filter_map(|row| row.installed_gb).fold(0.0, f64::max);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "gigabytes of a program")]
    let needed = (largest * 2e9) as u64;
    let shown = format!("{} free for {images}", bytes(free));
    let finding = |outcome, more: &str| {
        let mut finding = Finding::new("engine-disk", title, outcome, format!("{shown}{more}"));
        finding.facts.insert("free".to_owned(), free.into());
        finding
    };
    let prune = format!("remove what is not used; the engine is at {}", info.endpoint);
    let commands = ["docker system df", "docker builder prune", "docker image prune"];
    if free < LEAST_ROOM {
        return finding(Fail, ": an image with torch for the CPU takes nearly 2 GB").with_remedy(prune, &commands);
    }
    if free < needed {
        let more = format!(": building one with torch for CUDA takes up to {}", bytes(needed));
        return finding(Warn, &more).with_remedy(prune, &commands);
    }
    finding(Fine, "")
}

/// Whether the engine runs on this machine, and not in a virtual one or elsewhere.
fn local(state: &EngineState) -> bool {
    gethostname().ok().and_then(|name| name.into_string().ok()).is_some_and(|name| name == state.host)
}

fn room(folder: &str) -> Option<u64> {
    let numbers = statvfs(folder).ok()?;
    #[allow(clippy::useless_conversion, reason = "the width of the numbers is the system's")]
    Some(u64::from(numbers.blocks_available()) * u64::from(numbers.fragment_size()))
}

fn gpus(state: &EngineState, present: bool) -> Finding {
    let title = "containers can have a GPU";
    let devices: Vec<&str> =
        state.devices.iter().map(String::as_str).filter(|device| device.starts_with("nvidia.com/")).collect();
    if state.runtimes.iter().any(|runtime| runtime == "nvidia") {
        return Finding::new("engine-gpu", title, Fine, "it has NVIDIA's runtime: `--gpus all`");
    }
    if let Some(first) = devices.first() {
        let evidence = format!("it knows {} devices of NVIDIA's, such as {first}", devices.len());
        return Finding::new("engine-gpu", title, Fine, evidence);
    }
    if !present {
        return Finding::new("engine-gpu", title, Skip, "no GPU of NVIDIA's is to be seen here, nor a runtime for one");
    }
    Finding::new("engine-gpu", title, Warn, "this machine has a GPU, the engine has no runtime for it").with_remedy(
        "install the NVIDIA Container Toolkit \
         (https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html), then",
        &["nvidia-ctk runtime configure --runtime=docker", "systemctl restart docker"],
    )
}

fn proxies(state: &EngineState, options: &DoctorOptions) -> Finding {
    let title = "the engine and this shell go through the same proxies";
    let own = PROXIES.iter().find_map(|name| {
        let value = options.environment.get(*name).filter(|value| !value.is_empty())?;
        Some((*name, value.as_str()))
    });
    let found = |outcome, evidence: String| Finding::new("engine-proxy", title, outcome, evidence);
    match (own, state.proxies.first()) {
        (None, None) => found(Fine, "none, here or there".to_owned()),
        (None, Some(theirs)) => found(Warn, format!("the engine pulls through {}, this shell has none", host(theirs)))
            .with_remedy("builds get the proxies of this shell: export `HTTPS_PROXY` if they need one", &[]),
        (Some((name, own)), _) if is_loopback(own) => found(
            Warn,
            format!("`{name}` is {}, where a container finds only itself", host(own)),
        )
        .with_remedy("let the steps of builds see this machine's network: `sconce build --build-network host`", &[]),
        (Some((name, own)), None) => {
            found(Warn, format!("builds get {} of `{name}`, but the engine itself pulls without a proxy", host(own)))
                .with_remedy("tell the engine, too: https://docs.docker.com/engine/daemon/proxy/", &[])
        }
        (Some((_, own)), Some(theirs)) => {
            found(Fine, format!("builds go through {}, pulls through {}", host(own), host(theirs)))
        }
    }
}

/// The proxy without its credentials.
fn host(proxy: &str) -> String {
    let Ok(url) = Url::parse(proxy) else { return "a proxy".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or("a proxy"))
}

fn is_loopback(proxy: &str) -> bool {
    Url::parse(proxy).ok().is_some_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

/// Containers trust what their own image brings: a company's authority that this machine was told of is not among that.
fn authorities(options: &DoctorOptions) -> Finding {
    let title = "builds trust the authorities that this machine trusts";
    let variable = |name: &str| options.environment.get(name).filter(|value| !value.is_empty());
    if let Some(file) = variable("SCONCE_CA_BUNDLE") {
        let (outcome, more) = if Path::new(file).is_file() { (Fine, "") } else { (Fail, ", which is not there") };
        let finding = Finding::new("engine-ca", title, outcome, format!("`SCONCE_CA_BUNDLE` names {file}{more}"));
        let gone = outcome == Fail;
        return if gone {
            finding.with_remedy("name a file that is there, or none", &["unset SCONCE_CA_BUNDLE"])
        } else {
            finding
        };
    }
    let hint = "name the file: builds trust it, and it stays in no image";
    let named =
        BUNDLES.into_iter().find_map(|name| Some((name, variable(name).filter(|file| is_own(Path::new(file)))?)));
    if let Some((name, file)) = named {
        let evidence = format!("`{name}` names {file}, which containers do not know");
        let command = format!("export SCONCE_CA_BUNDLE={file}");
        return Finding::new("engine-ca", title, Warn, evidence).with_remedy(hint, &[&command]);
    }
    let added = AUTHORITIES.into_iter().flat_map(|folder| certificates(Path::new(folder)));
    match added.collect::<Vec<_>>().as_slice() {
        [] => Finding::new("engine-ca", title, Fine, "no authority was added to those of the system"),
        files => {
            let list = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
            let evidence = format!("added to those of the system, and unknown to containers: {}", list.join(", "));
            let command = if let [only] = list.as_slice() {
                format!("export SCONCE_CA_BUNDLE={only}")
            } else {
                format!("cat {} > authorities.pem && export SCONCE_CA_BUNDLE=$PWD/authorities.pem", list.join(" "))
            };
            Finding::new("engine-ca", title, Warn, evidence).with_remedy(hint, &[&command])
        }
    }
}

/// Whether that is a file which somebody made, and not the system's own.
fn is_own(file: &Path) -> bool {
    file.is_file() && !file.starts_with("/etc")
}

fn certificates(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_certificate =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "crt" || end == "pem" || end == "cer");
    let mut files: Vec<PathBuf> = entries.filter(is_certificate).collect();
    files.sort();
    files
}

fn isolation(state: &EngineState) -> Finding {
    let title = "what keeps containers apart is known";
    let has = |word: &str| state.security.iter().any(|option| option == word);
    let mut said = vec![if has("rootless") { "rootless" } else { "as root" }.to_owned()];
    said.extend(state.security.iter().filter(|option| *option != "rootless").cloned());
    let mut evidence = said.join(", ");
    if has("selinux") {
        evidence.push_str("; a folder that is mounted into a container needs `:z`");
    }
    if has("rootless") {
        evidence.push_str("; it may not limit processors and memory without cgroup v2");
    }
    Finding::new("engine-isolation", title, Fine, evidence)
}

fn clock(state: &EngineState) -> Finding {
    let title = "its clock is this machine's";
    let Some(time) = state.time else {
        return Finding::new("engine-clock", title, Skip, "the engine does not tell its time");
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let off = now.abs_diff(time);
    if off <= DRIFT {
        return Finding::new("engine-clock", title, Fine, "within minutes of this machine's");
    }
    let outcome = if off > 86_400 { Fail } else { Warn };
    let evidence = format!("it is {} minutes off: {} there, {} here", off / 60, date(time), date(now));
    Finding::new("engine-clock", title, outcome, evidence).with_remedy(
        "certificates and package indexes expire by it: restart the engine's machine, or set its clock",
        &[],
    )
}
