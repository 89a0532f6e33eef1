/// A build step's name for people: without what only the builder needs (the name of the one stage, mounts), and on one
/// line where the Dockerfile continues it on the next.
pub fn step_name(name: &str) -> String {
    let name = name.replacen("[stage-0 ", "[", 1);
    match name.split_once("] RUN ") {
        Some((place, command)) => {
            let words: Vec<&str> = command.split_whitespace().skip_while(|word| word.starts_with("--mount=")).collect();
            format!("{place}] RUN {}", without_preparation(&words.join(" ")))
        }
        None => name,
    }
}

/// A shell command from its first program on: variables, files of variables, certificates and the step's own folder come
/// before it.
fn without_preparation(command: &str) -> &str {
    let prepares =
        |part: &str| ["export ", ". ", "{ ", "mkdir "].iter().any(|start| part.trim_start().starts_with(start));
    let mut rest = command;
    while let Some((_, after)) = rest.split_once(" && ").filter(|(part, _)| prepares(part)) {
        rest = after;
    }
    rest
}

/// The step that made a layer, without what the engines record around it.
pub(super) fn recorded_step(created_by: &str) -> &str {
    let step = created_by.trim().trim_end_matches("# buildkit").trim();
    // The classic builder writes `|1 ARG=… /bin/sh -c command`, and `#(nop)` for what runs nothing.
    let step = step.split_once("/bin/sh -c ").map_or(step, |(_, command)| command);
    without_preparation(step.trim_start_matches("#(nop) ").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_for_people() {
        for (name, expected) in [
            (
                "[stage-0 2/8] RUN     --mount=type=cache,id=apt     --mount=type=tmpfs     apt-get update",
                "[2/8] RUN apt-get update",
            ),
            ("[stage-0 1/8] FROM debian:trixie", "[1/8] FROM debian:trixie"),
            ("[builder 2/3] RUN make --mount=x", "[builder 2/3] RUN make --mount=x"),
            ("[internal] load .dockerignore", "[internal] load .dockerignore"),
            ("[2/8] RUN export A=b  && { cat a; } > c  && . c  && make && export D=e", "[2/8] RUN make && export D=e"),
            ("[2/8] RUN export A=b  && mkdir /tmp/x  && { a || b; }  && make", "[2/8] RUN make"),
            ("[2/8] RUN export A=b", "[2/8] RUN export A=b"),
        ] {
            assert_eq!(step_name(name), expected);
        }
    }

    #[test]
    fn layers_are_named_alike_whoever_built_them() {
        for created_by in
            ["RUN /bin/sh -c make # buildkit", "|1 A=b /bin/sh -c make", "/bin/sh -c make", "/bin/sh -c #(nop) make"]
        {
            assert_eq!(recorded_step(created_by), "make", "{created_by}");
        }
        assert_eq!(recorded_step("COPY . . # buildkit"), "COPY . .");
        assert_eq!(recorded_step(""), "");
    }
}
