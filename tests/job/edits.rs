//! Rebuilds after edits: what is proven again, and what is not.

use std::fs;

use super::*;

/// The project of [`good`], to be edited.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for entry in fs::read_dir(project("debian-torch")).expect("the project").flatten() {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
        }
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("a writable folder");
    }

    fn build(&self, tag: &str, more: &[&str]) -> Value {
        let mut command = sconce();
        // The project's name is that of its folder, and ends up in a label.
        command.args(["build", "--json", "--torch-source", "distribution", "--tag", tag, "--label"]);
        command.arg("org.opencontainers.image.title=debian-torch").args(more).arg(self.0.path());
        let output = output(&mut command);
        let report = report(&output);
        assert_eq!(output.status.code(), Some(0), "{report:#}\n{}", String::from_utf8_lossy(&output.stderr));
        if let Some(replaced) = report["outcome"]["replaced"].as_str() {
            docker(&["image", "rm", replaced]);
        }
        report["outcome"].clone()
    }
}

fn recalled(outcome: &Value) -> &Value {
    &outcome["verification"]["recalled"]["same"]
}

#[test]
fn an_edit_of_the_sources_alone_is_not_proven_again() {
    let first = good();
    let tag = format!("localhost/sconce-test-edits:{}", std::process::id());
    let copy = Copy::new();
    let word = format!("edited by {}", std::process::id());
    copy.write("train.py", &format!("print({word:?})\n"));
    let edited = copy.build(&tag, &[]);
    assert_eq!(recalled(&edited), "environment");
    assert_ne!(edited["image"]["id"], first["outcome"]["image"]["id"]);
    assert_eq!(docker(&["run", "--rm", &tag, "python", "train.py"]), word, "the tag names the edited image");
    let trials = edited["verification"]["trials"].as_array().expect("trials");
    assert_eq!(trials.len(), 1);
    assert_eq!(check(&edited["verification"], "compile")["outcome"], "pass");

    // The same once more is the same image, though its proof is another's.
    let again = copy.build(&tag, &[]);
    assert_eq!(again["image"]["id"], edited["image"]["id"]);
    assert_eq!(recalled(&again), "environment");

    // Its name and default command are no part of its environment.
    let other = copy.build(&tag, &["--cmd", "python train.py"]);
    assert_eq!(recalled(&other), "environment");
    assert_eq!(docker(&["run", "--rm", &tag]), word);
    docker(&["image", "rm", &tag]);
}

#[test]
fn an_edit_of_anything_else_is_proven_again() {
    good();
    let tag = format!("localhost/sconce-test-changes:{}", std::process::id());
    let copy = Copy::new();
    let variable = copy.build(&tag, &["--env", "OMP_NUM_THREADS=1"]);
    assert!(recalled(&variable).is_null(), "{}", variable["verification"]["recalled"]);
    copy.write("requirements.txt", "torch>=2.0\nnumpy\nsetuptools\n");
    let requirement = copy.build(&tag, &[]);
    assert!(recalled(&requirement).is_null(), "{}", requirement["verification"]["recalled"]);
    docker(&["image", "rm", &tag]);
}

/// With a step after the sources, they are a part of what it made; with a variable that leads to them, of what starts.
#[test]
fn sources_that_may_have_a_part_are_proven_again() {
    good();
    let tag = format!("localhost/sconce-test-parts:{}", std::process::id());
    let copy = Copy::new();
    let more = ["--env", "PYTHONPATH=/app", "--env", "OMP_NUM_THREADS=2"];
    copy.build(&tag, &more);
    copy.write("train.py", "print('edited')\n");
    let edited = copy.build(&tag, &more);
    assert!(recalled(&edited).is_null(), "{}", edited["verification"]["recalled"]);
    docker(&["image", "rm", &tag]);
}
