use serde::Serialize;

use super::account::Account;
use crate::model::{Origin, Plan, Variant};

/// A development container (<https://containers.dev/implementors/json_reference/>), in the order in which people write it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DevContainer<'a> {
    name: &'a str,
    build: Build,
    workspace_folder: &'a str,
    workspace_mount: String,
    remote_user: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forward_ports: Vec<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_requirements: Option<HostRequirements>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    run_args: Vec<&'static str>,
    customizations: serde_json::Value,
}

#[derive(Serialize)]
struct Build {
    dockerfile: &'static str,
    context: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
}

#[derive(Serialize)]
struct HostRequirements {
    gpu: &'static str,
}

/// The `devcontainer.json` of `plan`, for the folder `.devcontainer` of the project, with the Dockerfile beside it.
pub fn devcontainer(plan: &Plan) -> String {
    let image = &plan.image;
    let account = Account::of(&image.user);
    let forwarded = |port: &String| port.strip_suffix("/tcp").and_then(|number| number.parse().ok());
    let container = DevContainer {
        name: &plan.project,
        build: Build { dockerfile: "Dockerfile", context: "..", options: options(plan) },
        workspace_folder: &image.workdir,
        // The project itself takes the place of its copy in the image.
        workspace_mount: format!("source=${{localWorkspaceFolder}},target={},type=bind", image.workdir),
        remote_user: account.name(),
        forward_ports: image.ports.iter().filter_map(forwarded).collect(),
        // Used where there is one: a build for CUDA, which is what indexes have where nobody asks, runs without, too.
        host_requirements: matches!(plan.torch.value.variant, Variant::Cuda { .. } | Variant::Any)
            .then_some(HostRequirements { gpu: "optional" }),
        // For ROCm there is no such requirement; its own documentation asks for these devices
        // (<https://rocm.docs.amd.com/projects/install-on-linux/en/latest/how-to/docker.html>).
        run_args: match plan.torch.value.variant {
            Variant::Rocm { .. } => vec!["--device=/dev/kfd", "--device=/dev/dri", "--group-add=video"],
            _ => Vec::new(),
        },
        customizations: serde_json::json!({
            "vscode": {
                "extensions": ["ms-python.python"],
                "settings": {"python.defaultInterpreterPath": "/opt/venv/bin/python"},
            }
        }),
    };
    let mut text = serde_json::to_string_pretty(&container).unwrap_or_default();
    text.push('\n');
    text
}

/// What the build is given besides: where the secrets are is told by variables of whoever opens the container.
fn options(plan: &Plan) -> Vec<String> {
    let mut options = Vec::new();
    if !matches!(plan.architecture.requested, Origin::Default | Origin::Engine) {
        options.push(format!("--platform=linux/{}", plan.architecture.value));
    }
    if plan.network.ca_bundle {
        options.push("--secret=id=sconce-ca,src=${localEnv:SCONCE_CA_BUNDLE}".to_owned());
    }
    if !plan.network.secret_env.is_empty() {
        options.push("--secret=id=sconce-env,src=${localEnv:SCONCE_VARIABLES}".to_owned());
    }
    options
}
