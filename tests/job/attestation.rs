//! The label of a proven image, and what becomes of it.

use std::io::Write as _;

use super::*;

/// What `verify --check-attestation` says: the exit code, and the document.
fn attested(image: &str) -> (Option<i32>, Value) {
    let output = output(sconce().args(["verify", "--check-attestation", "--json", image]));
    (output.status.code(), report(&output))
}

fn verdict(image: &str) -> (Option<i32>, String) {
    let (code, document) = attested(image);
    (code, document["attestation"]["verdict"]["name"].as_str().expect("a verdict").to_owned())
}

/// Builds a Dockerfile upon the good image with the docker client's own builder.
fn upon_good(tag: &str, steps: &str) {
    let mut child = Command::new("docker")
        .args(["build", "--quiet", "--tag", tag, "-"])
        .env("DOCKER_BUILDKIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the docker client is there");
    let dockerfile = format!("FROM {GOOD}\n{steps}\n");
    child.stdin.take().expect("its input").write_all(dockerfile.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "{dockerfile}");
}

#[test]
fn a_built_image_says_what_was_proven_of_it() {
    let first = good();
    let (code, document) = attested(GOOD);
    assert_eq!(code, Some(0), "{document:#}");
    let attestation = &document["attestation"];
    assert_eq!(attestation["verdict"]["name"], "holds");
    assert_eq!(attestation["image"], first["outcome"]["image"]["id"]);
    let (claim, found) = (&attestation["claim"], &first["outcome"]["verification"]["trials"][0]["environment"]);
    for part in ["torch", "python", "variant"] {
        assert_eq!(claim[part], found[part], "{part}");
    }
    assert_eq!(claim["content"], attestation["content"]);
    // The docker client sees the same label.
    let label = docker(&["image", "inspect", "--format", "{{index .Config.Labels \"dev.sconce.proof\"}}", GOOD]);
    assert_eq!(&serde_json::from_str::<Value>(&label).expect("JSON"), claim);
}

/// As `docs/attestation.md` has it.
#[test]
fn the_digest_of_the_content_can_be_made_by_hand() {
    good();
    let image: Value = serde_json::from_str(&docker(&["image", "inspect", GOOD])).expect("JSON");
    let (image, config) = (&image[0], &image[0]["Config"]);
    let list = |value: &Value| if value.is_null() { Value::Array(Vec::new()) } else { value.clone() };
    let names = |value: &Value| value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect::<Vec<_>>();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let content = serde_json::json!({
        "architecture": image["Architecture"],
        "config": {
            "cmd": list(&config["Cmd"]),
            "entrypoint": list(&config["Entrypoint"]),
            "env": list(&config["Env"]),
            "healthcheck": list(&config["Healthcheck"]["Test"]),
            "onbuild": list(&config["OnBuild"]),
            "ports": names(&config["ExposedPorts"]),
            "shell": list(&config["Shell"]),
            "stop_signal": text(&config["StopSignal"]),
            "user": text(&config["User"]),
            "volumes": names(&config["Volumes"]),
            "workdir": text(&config["WorkingDir"]),
        },
        "layers": image["RootFS"]["Layers"],
        "os": image["Os"],
    });
    let digest = format!("sha256:{}", sconce::model::sha256_hex([content.to_string().as_bytes()]));
    assert_eq!(attested(GOOD).1["attestation"]["content"], digest);
}

#[test]
fn the_label_survives_save_and_load() {
    good();
    let tag = format!("localhost/sconce-test-loaded:{}", std::process::id());
    docker(&["tag", GOOD, &tag]);
    let archive = tempfile::NamedTempFile::new().expect("a file");
    docker(&["save", "--output", &archive.path().display().to_string(), &tag]);
    docker(&["image", "rm", &tag]);
    assert_eq!(id_of(&tag), "");
    docker(&["load", "--input", &archive.path().display().to_string()]);
    assert_eq!(verdict(&tag), (Some(0), "holds".to_owned()));
    docker(&["image", "rm", &tag]);
}

#[test]
fn what_is_built_upon_a_proven_image_is_not_proven() {
    good();
    let tag = format!("localhost/sconce-test-upon:{}", std::process::id());
    for (steps, expected) in [
        ("USER root\nRUN rm -r /usr/include\nUSER app", "more_layers"),
        ("ENV CXX=/bin/false", "other_configuration"),
        ("USER 12345", "other_configuration"),
        ("LABEL dev.sconce.proof=", "malformed"),
        ("LABEL dev.sconce.proof=\"{\\\"version\\\":7}\"", "newer"),
    ] {
        upon_good(&tag, steps);
        assert_eq!(verdict(&tag), (Some(1), expected.to_owned()), "{steps}");
        docker(&["image", "rm", &tag]);
    }
    // What says nothing about how containers run takes nothing away.
    upon_good(&tag, "LABEL com.example.team=a");
    assert_eq!(verdict(&tag), (Some(0), "holds".to_owned()));
    docker(&["image", "rm", &tag]);
    assert_eq!(verdict(crate::support::BASE), (Some(1), "unclaimed".to_owned()));
}

#[test]
fn the_image_without_the_label_does_not_stay() {
    good();
    let tag = format!("localhost/sconce-test-once:{}", std::process::id());
    let mark = format!("org.example.run={}", std::process::id());
    let output = output(&mut build(&tag, &["--label", &mark]));
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    let images = docker(&["image", "ls", "--quiet", "--no-trunc", "--filter", &format!("label={mark}")]);
    assert_eq!(images, report["outcome"]["image"]["id"], "one image, and nothing else that was made on the way");
    docker(&["image", "rm", &tag]);
    let images = docker(&["image", "ls", "--quiet", "--all", "--filter", &format!("label={mark}")]);
    assert_eq!(images, "", "it was all there was");
}
