use crate::model::{Installer, ManifestKind, Plan};

/// The arguments of one call of an installer; those that belong together share a line.
pub(super) type Command = Vec<Vec<String>>;

fn line<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// The calls that install what the project depends on.
pub(super) fn dependencies(plan: &Plan) -> Vec<Command> {
    let mut command = Command::new();
    if plan.hashed && plan.installer.value == Installer::Uv {
        command.push(line(["--require-hashes"]));
    }
    command.extend(indexes(plan));
    let read = plan.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Requirements);
    command.extend(read.map(|manifest| line(["-r", &manifest.path])));
    command.extend(plan.dependencies.iter().map(|requirement| line([requirement])));
    let setuptools = format!("setuptools{}", plan.setuptools);
    if !plan.hashed {
        // In one call with the rest, so that the indexes that the files name serve it too, and a conflict is seen.
        command.push(line([&setuptools]));
        return vec![command];
    }
    // Among hashed requirements one without a hash would be refused.
    let mut apart: Command = indexes(plan);
    apart.push(line([&setuptools]));
    vec![command, apart]
}

/// The calls that install the project itself from `folder`.
pub(super) fn package(plan: &Plan, folder: &str) -> Vec<Command> {
    let mut command = Command::from([line(["--no-deps"])]);
    command.extend(indexes(plan));
    command.push(line([folder]));
    vec![command]
}

/// Where distributions come from, besides what the files name. An index with credentials is not named here: it comes in
/// variables, with the secrets.
fn indexes(plan: &Plan) -> Command {
    let uv = plan.installer.value == Installer::Uv;
    let mut lines = named_indexes(plan, uv);
    if uv {
        lines.extend(plan.extra_index.is_some().then(|| line(["--index-strategy", "unsafe-best-match"])));
        lines.extend(plan.torch.value.backend.iter().map(|backend| line(["--torch-backend", backend])));
    }
    lines
}

/// The indexes whose URLs may be seen, as uv or pip wants them.
pub(super) fn named_indexes(plan: &Plan, uv: bool) -> Command {
    let [primary, extra] = if uv { ["--default-index", "--index"] } else { ["--index-url", "--extra-index-url"] };
    let open = plan.indexes.iter().filter(|index| !index.secret);
    open.map(|index| line([if index.primary { primary } else { extra }, &index.url])).collect()
}
