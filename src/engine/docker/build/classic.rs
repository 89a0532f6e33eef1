//! Building with Docker's classic builder, and with Podman's: the whole context as a tar, and a log as text.

use bollard::models::{BuildInfo, BuildInfoAux};

use super::super::Docker;
use super::super::errors::{self, Doing};
use super::lines::Lines;
use super::outbound::Outbound;
use super::steps::Steps;
use super::stream::{End, follow};
use super::tar::Archive;
use super::verdict::verdict;
use crate::engine::{BuildOutcome, BuildRequest, Progress};
use crate::model::{Error, Result};

/// Runs the Dockerfile of `request`.
pub(super) async fn build(docker: &Docker, request: &BuildRequest, progress: &dyn Progress) -> Result<BuildOutcome> {
    if !request.secrets.is_empty() {
        return Err(secrets_are_not_safe(docker));
    }
    let archive = Archive {
        context: super::absolute(request.context.as_deref())?,
        dockerfile: request.dockerfile.clone(),
        compress: !docker.info.endpoint.starts_with("unix:"),
    };
    let options = super::options(request).dockerfile(&archive.dockerfile_name()).build();
    let (outbound, events) = Outbound::new();
    let body = bollard::body_try_stream(archive.stream(outbound.clone()));
    let messages = docker.api.build_image(options, None, Some(body));
    let mut log = Log::new(Steps::new(progress, &request.redactor));
    let end = follow(docker, messages, (outbound, events), progress, |message| log.take(message)).await?;
    match end {
        End::Refused(error) => {
            log.steps.end(&log.step, log.cached, Some(&error));
            verdict(&error, &log.steps)
        }
        End::Over if log.complete => {
            log.end_step();
            let id = match log.image.take() {
                Some(id) => id,
                None => id_of(docker, &request.tag).await?,
            };
            Ok(log.steps.built(id))
        }
        End::Over => Err(errors::gone("building")),
    }
}

fn secrets_are_not_safe(docker: &Docker) -> Error {
    let hint = if docker.is_podman() {
        "use Docker with BuildKit, or build without a private index and without certificates of your own"
    } else {
        "let Docker use BuildKit: unset `DOCKER_BUILDKIT=0`"
    };
    Error::usage("this engine's builder cannot keep a secret out of the image").with_hint(hint)
}

async fn id_of(docker: &Docker, tag: &str) -> Result<String> {
    let image = docker.api.inspect_image(tag).await.doing(|| "looking at the new image".to_owned())?;
    image.id.ok_or_else(|| Error::no("the engine built an image but gives it no id"))
}

/// The builders' text, read as steps.
struct Log<'a> {
    steps: Steps<'a>,
    lines: Lines,
    /// The id of the step that runs: its number. Empty before the first.
    step: String,
    cached: bool,
    image: Option<String>,
    /// Whether the builder said that it is done.
    complete: bool,
}

impl<'a> Log<'a> {
    fn new(steps: Steps<'a>) -> Self {
        Self { steps, lines: Lines::default(), step: String::new(), cached: false, image: None, complete: false }
    }

    fn take(&mut self, message: BuildInfo) {
        if let Some(text) = message.stream {
            for line in self.lines.push(text.as_bytes()) {
                self.take_line(&line);
            }
        }
        if let Some(BuildInfoAux::Default(image)) = message.aux {
            self.image = image.id.or(self.image.take());
        }
        if let (Some(status), Some(id)) = (message.status, message.id) {
            let detail = message.progress_detail.unwrap_or_default();
            let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
            if let Some(current) = bytes(detail.current) {
                self.steps.transfer(&id, &status.to_lowercase(), current, bytes(detail.total));
            }
        }
    }

    fn take_line(&mut self, line: &str) {
        if let Some((place, instruction)) = step_line(line) {
            self.end_step();
            self.steps.begin(&place, &format!("[{place}] {instruction}"));
            self.step = place;
        } else if is_cache_line(line) {
            self.cached = true;
        } else if line.starts_with("Successfully built ") || line.starts_with("COMMIT ") {
            self.complete = true;
        } else if !self.complete && !is_chatter(line) {
            self.steps.log(&self.step, 0, format!("{line}\n").as_bytes());
        }
    }

    fn end_step(&mut self) {
        self.steps.end(&self.step, self.cached, None);
        self.cached = false;
    }
}

/// `Step 2/5 : RUN x` of Docker, `STEP 2/5: RUN x` of Podman, and its `[1/2] STEP 2/5: RUN x` where there are stages: the
/// place, such as `2/5` or `1/2 2/5`, and the instruction.
fn step_line(line: &str) -> Option<(String, &str)> {
    let is_place = |text: &str| text.contains('/') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    let staged = line.strip_prefix('[').and_then(|line| line.split_once("] ")).filter(|(stage, _)| is_place(stage));
    let (stage, line) = staged.unwrap_or(("", line));
    let rest = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "))?;
    let (place, instruction) = rest.split_once(':')?;
    let place = place.trim_end();
    is_place(place).then(|| (format!("{stage} {place}").trim_start().to_owned(), instruction.trim_start()))
}

fn is_cache_line(line: &str) -> bool {
    line.trim_start() == "---> Using cache" || line.starts_with("--> Using cache ")
}

/// The builders' own lines between those of the commands.
fn is_chatter(line: &str) -> bool {
    let text = line.trim_start();
    text.starts_with("---> ")
        || text.starts_with("--> ")
        || text.starts_with("Removing intermediate container ")
        || text.starts_with("Successfully tagged ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Redactor, Silent};

    fn built(lines: &str) -> (bool, BuildOutcome) {
        let redactor = Redactor::default();
        let mut log = Log::new(Steps::new(&Silent, &redactor));
        for chunk in lines.as_bytes().chunks(7) {
            let stream = Some(String::from_utf8_lossy(chunk).into_owned());
            log.take(BuildInfo { stream, ..BuildInfo::default() });
        }
        log.end_step();
        (log.complete, log.steps.built("id".to_owned()))
    }

    #[test]
    fn dockers_text_is_read() {
        let text = "Step 1/3 : FROM base\n ---> 2d2d\nStep 2/3 : RUN a\n ---> Using cache\n ---> 3e3e\nStep 3/3 : RUN b\n ---> \
                    Running in 4f4f\nStep by step\nRemoving intermediate container 4f4f\n ---> 5a5a\nSuccessfully built 5a5a\n\
                    Successfully tagged x:y\n";
        assert_eq!(built(text), (true, BuildOutcome::Built { id: "id".to_owned(), cached_steps: 1, steps: 2 }));
    }

    #[test]
    fn podmans_text_is_read() {
        let text = "STEP 1/2: FROM base\nSTEP 2/2: RUN a\n--> Using cache 3e3e\nCOMMIT x:y\n--> 5a5a\nSuccessfully tagged x:y\n5a5a\n";
        assert_eq!(built(text), (true, BuildOutcome::Built { id: "id".to_owned(), cached_steps: 1, steps: 1 }));
    }

    #[test]
    fn text_that_stops_early_is_not_complete() {
        assert!(!built("Step 1/2 : FROM base\n ---> 2d2d\nStep 2/2 : RUN a\n").0);
    }

    #[test]
    fn a_command_cannot_pass_for_a_step() {
        assert_eq!(step_line("Step 2/5 : RUN x : y"), Some(("2/5".to_owned(), "RUN x : y")));
        assert_eq!(step_line("[1/2] STEP 2/5: RUN x"), Some(("1/2 2/5".to_owned(), "RUN x")));
        for line in ["Step by step: 1/2", "Step 1/2", "step 1/2 : x", " Step 1/2 : x", "Step 1 of 2: x"] {
            assert_eq!(step_line(line), None, "{line}");
        }
    }
}
