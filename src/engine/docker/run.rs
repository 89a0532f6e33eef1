//! Running a container: whatever happens, it is removed.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::errors::Error as Engine;
use bollard::models::{
    ContainerCreateBody, ContainerState, DeviceRequest, HealthConfig, HostConfig, HostConfigLogConfig,
};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, KillContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::errors::{self, Doing, printable};
use super::reference::Reference;
use super::tail::Tail;
use super::{Docker, images, or_interrupted, out_of_patience};
use crate::engine::{Gpus, OWNER_LABEL, RunOutput, RunRequest};
use crate::model::{Error, Result};

/// How long what a container wrote may still be on its way after it ended.
const DRAIN: Duration = Duration::from_secs(10);

/// How often the engine is asked to remove a container: it may be busy with it just then.
const REMOVALS: u32 = 3;

/// The exit code of a process that was killed.
const KILLED: i64 = 137;

/// The exit codes with which `docker-init` (tini) says that it could not start the command.
const NOT_STARTED: &[i64] = &[126, 127];

/// Runs a container to its end; see [`crate::engine::Engine::run`].
pub(super) async fn run(docker: &Docker, request: &RunRequest) -> Result<RunOutput> {
    Reference::parse(&request.image)?;
    let stop = docker.cancel.child_token();
    let _stopped_if_dropped = stop.clone().drop_guard();
    let name = format!("sconce-{}", uuid::Uuid::new_v4().simple());
    let job = Job { docker: docker.clone(), request: request.clone(), name, stop };
    // A task of its own: it removes the container also where the caller drops this future.
    match tokio::spawn(job.run()).await {
        Ok(result) => result,
        Err(error) => error.try_into_panic().map_or_else(|_| Err(Error::interrupted()), |panic| resume_unwind(panic)),
    }
}

struct Job {
    docker: Docker,
    request: RunRequest,
    /// The container's name: known before the container is, so that it can be removed whatever became of its creation.
    name: String,
    stop: CancellationToken,
}

/// What a container wrote.
#[derive(Default)]
struct Written {
    stdout: Tail,
    stderr: Tail,
}

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Engine>> + Send>>;

impl Job {
    async fn run(self) -> Result<RunOutput> {
        let outcome = match self.create().await {
            Ok(()) => or_interrupted(&self.stop, self.supervise()).await,
            Err(error) => Err(error),
        };
        let removed = self.remove().await;
        // What went wrong first explains what went wrong after it.
        outcome.and_then(|output| removed.map(|()| output))
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} a container of `{}`", short(&self.request.image))
    }

    /// Creates the container. It is not cut short at once when the user stops us: the engine would go on regardless, and
    /// there would be nothing to remove yet.
    async fn create(&self) -> Result<()> {
        let options = CreateContainerOptionsBuilder::default().name(&self.name).build();
        let create = self.docker.api.create_container(Some(options), self.body());
        tokio::select! {
            biased;
            answer = create => match answer {
                Err(error) if errors::is_missing(&error) => {
                    Err(Error::no(format!("the engine has no image `{}`", self.request.image)).because(error))
                }
                answer => answer.map(drop).doing(|| self.doing("creating")),
            },
            () = out_of_patience(&self.stop) => Err(Error::interrupted()),
        }
    }

    fn body(&self) -> ContainerCreateBody {
        let request = &self.request;
        let memory = i64::try_from(request.memory).ok();
        let list = |items: &[String]| (!items.is_empty()).then(|| items.to_vec());
        ContainerCreateBody {
            image: Some(request.image.clone()),
            entrypoint: list(&request.entrypoint),
            cmd: list(&request.args),
            env: Some(request.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            user: request.user.clone(),
            labels: Some(HashMap::from([(OWNER_LABEL.to_owned(), self.docker.owner.to_string())])),
            healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                cap_drop: Some(vec!["ALL".to_owned()]),
                security_opt: Some(vec!["no-new-privileges".to_owned()]),
                memory,
                memory_swap: memory,
                cpuset_cpus: request.cpuset.clone(),
                nano_cpus: request.cpus.map(nano_cpus),
                pids_limit: Some(i64::from(request.pids)),
                readonly_rootfs: Some(request.read_only),
                tmpfs: Some(request.tmpfs.clone().into_iter().collect()),
                device_requests: request.gpus.as_ref().map(|gpus| vec![device_request(gpus)]),
                // Podman wants a program for it that is often not installed.
                init: Some(!self.docker.is_podman()),
                // The output is read as it comes; a second copy would fill the engine's disk.
                log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }

    /// From the start of the container to its end.
    async fn supervise(&self) -> Result<RunOutput> {
        let options = AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
        let mut output = match self.docker.api.attach_container(&self.name, Some(options)).await {
            Ok(attached) => attached.output,
            Err(error) => return self.not_started(error, "attaching to"),
        };
        if let Err(error) = self.docker.api.start_container(&self.name, None).await {
            return self.not_started(error, "starting");
        }
        let started = Instant::now();
        let mut written = Written::default();
        let timed_out = self.watch(&mut output, &mut written).await?;
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let state = self.state().await?;
        Ok(self.conclude(&state, written, timed_out, milliseconds))
    }

    /// Reads what the container writes until it ends or its time is up; gives whether it was.
    async fn watch(&self, output: &mut Output, written: &mut Written) -> Result<bool> {
        let mut reading = pin!(written.read(output));
        let mut waiting = pin!(tokio::time::timeout(self.request.timeout, self.wait()));
        let mut drained = false;
        let ended = loop {
            tokio::select! {
                ended = &mut waiting => break ended,
                () = &mut reading, if !drained => drained = true,
            }
        };
        let timed_out = match ended {
            Ok(result) => result.map(|()| false)?,
            Err(_) => self.kill().await.map(|()| true)?,
        };
        if !drained {
            // A process that left the container may hold its output open.
            let _ = tokio::time::timeout(DRAIN, reading).await;
        }
        Ok(timed_out)
    }

    /// What the engine's refusal to start the command means: an answer where the image is to blame, else an error.
    /// Podman says at the attachment what Docker says at the start.
    fn not_started(&self, error: Engine, what: &str) -> Result<RunOutput> {
        let Engine::DockerResponseServerError { message, .. } = &error else {
            return Err(errors::failed(&self.doing(what), error));
        };
        let refused =
            ["executable file not found", "no such file or directory", "permission denied", "exec format error"];
        if refused.iter().any(|words| message.contains(words)) && message.contains("exec") {
            return Ok(self.without_start(message));
        }
        Err(errors::failed(&self.doing(what), error))
    }

    fn without_start(&self, why: &str) -> RunOutput {
        let command = self.request.entrypoint.first().or(self.request.args.first());
        let command = printable(command.map_or("its entrypoint", String::as_str));
        let why = format!("the image `{}` cannot run `{command}`: {}", short(&self.request.image), printable(why));
        RunOutput { not_started: Some(why), ..RunOutput::default() }
    }

    /// Waits until it runs no more. That is asked after the start: an earlier question would never be answered if the
    /// start failed.
    async fn wait(&self) -> Result<()> {
        let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
        match pin!(self.docker.api.wait_container(&self.name, Some(options))).next().await {
            // An exit code other than 0 comes as an error.
            Some(Ok(_) | Err(Engine::DockerContainerWaitError { .. })) => Ok(()),
            Some(Err(error)) => Err(errors::failed(&self.doing("running"), error)),
            None => Err(errors::gone(&self.doing("running"))),
        }
    }

    async fn kill(&self) -> Result<()> {
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        match self.docker.api.kill_container(&self.name, Some(options)).await {
            // It ended by itself just now.
            Err(error) if errors::has_status(&error, 409) => Ok(()),
            answer => answer.doing(|| self.doing("stopping")),
        }?;
        self.wait().await
    }

    async fn state(&self) -> Result<ContainerState> {
        let answer = self.docker.api.inspect_container(&self.name, None).await.doing(|| self.doing("inspecting"))?;
        answer.state.ok_or_else(|| Error::no(format!("the engine gave no state while {}", self.doing("inspecting"))))
    }

    fn conclude(&self, state: &ContainerState, written: Written, timed_out: bool, milliseconds: u64) -> RunOutput {
        let code = state.exit_code;
        let stderr = written.stderr.into_text();
        if code.is_some_and(|code| NOT_STARTED.contains(&code))
            && let Some(line) = stderr.lines().find(|line| line.starts_with("[FATAL tini"))
        {
            return self.without_start(line);
        }
        // Podman does not tell why a process was killed, and nothing else would have.
        let guessed = self.docker.is_podman() && code == Some(KILLED) && !timed_out;
        RunOutput {
            exit_code: code.filter(|_| !timed_out),
            not_started: None,
            timed_out,
            out_of_memory: state.oom_killed.unwrap_or(false) || guessed,
            stdout: written.stdout.into_text(),
            stderr,
            milliseconds,
        }
    }

    async fn remove(&self) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let mut attempt = 1;
        loop {
            let remove = self.docker.api.remove_container(&self.name, Some(options.clone()));
            match images::in_time(async { Ok(remove.await) }, || self.doing("removing")).await? {
                // Gone, or on its way.
                Err(error) if errors::is_missing(&error) || errors::has_status(&error, 409) => return Ok(()),
                Err(Engine::DockerResponseServerError { .. }) if attempt < REMOVALS => attempt += 1,
                answer => return answer.doing(|| self.doing("removing")),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// The engine counts processors in billionths.
#[allow(clippy::cast_possible_truncation, reason = "a number of processors is far below 2^53 billionths")]
fn nano_cpus(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}

/// What `docker run --gpus` asks for (<https://docs.docker.com/reference/cli/docker/container/run/#gpus>), or
/// `--device` for a name of the Container Device Interface.
fn device_request(gpus: &Gpus) -> DeviceRequest {
    let nvidia = DeviceRequest { capabilities: Some(vec![vec!["gpu".to_owned()]]), ..DeviceRequest::default() };
    match gpus {
        Gpus::All => DeviceRequest { count: Some(-1), ..nvidia },
        Gpus::Count(count) => DeviceRequest { count: Some(i64::from(*count)), ..nvidia },
        Gpus::Devices(ids) => DeviceRequest { device_ids: Some(ids.clone()), ..nvidia },
        Gpus::Cdi(names) => {
            let driver = Some("cdi".to_owned());
            DeviceRequest { driver, device_ids: Some(names.clone()), ..DeviceRequest::default() }
        }
    }
}

/// An image as people name it: of an id, the first digits.
fn short(image: &str) -> &str {
    image.strip_prefix("sha256:").and_then(|digits| digits.get(..12)).unwrap_or(image)
}

impl Written {
    /// Reads until the container's output ends. A connection that breaks ends it too: the wait says so better.
    async fn read(&mut self, output: &mut Output) {
        while let Some(Ok(chunk)) = output.next().await {
            match chunk {
                LogOutput::StdErr { message } => self.stderr.push(&message),
                chunk => self.stdout.push(&chunk.into_bytes()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_cut_and_a_name_is_not() {
        assert_eq!(short("sha256:7d4923fa4974d602b9edfb64182ccdefc5301198eba127aebccedf8cda1f1c24"), "7d4923fa4974");
        assert_eq!(short("registry.example.org/team/app:1.4"), "registry.example.org/team/app:1.4");
    }
}
