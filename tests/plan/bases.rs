//! What each base makes of a Dockerfile, down to the environment with its interpreter.

use sconce::catalogue::Catalogue;
use sconce::model::{Builder, Installer, PythonProvider};
use sconce::plan::{Asked, PlanOptions, plan};
use sconce::render::render;

use crate::templates::keywords;

use super::{asked, assert_reviewed, company, dockerfile, planned, requirements, shown};

fn on(base: &str, python: Option<&str>, options: PlanOptions) -> PlanOptions {
    PlanOptions {
        base: asked(base.to_owned(), "--base"),
        python: python.and_then(|version| asked(version.parse().unwrap(), "--python")),
        ..options
    }
}

/// The steps before the dependencies, which are the same on every base.
fn head(options: &PlanOptions) -> String {
    let text = dockerfile(&requirements("torch\n"), options);
    let (head, _) = text.split_once("\n# What the installer reads").unwrap();
    head.to_owned()
}

#[test]
fn each_way_to_an_interpreter_becomes_steps() {
    let classic = || PlanOptions { builder: Some(Builder::Classic), ..PlanOptions::default() };
    let pip = || PlanOptions { installer: asked(Installer::Pip, "--installer"), ..PlanOptions::default() };
    for (name, options) in [
        ("distribution", on("debian-sid", None, PlanOptions::default())),
        ("image", on("python-slim", Some("3.12"), PlanOptions::default())),
        ("deadsnakes", on("ubuntu-24.04", Some("3.13"), PlanOptions::default())),
        ("deadsnakes-company", on("ubuntu-22.04", Some("3.13"), company())),
        ("deadsnakes-classic", on("ubuntu-22.04", Some("3.12"), classic())),
        ("uv", on("debian-13", Some("3.12"), PlanOptions::default())),
        ("uv-company", on("debian-12", Some("3.14"), company())),
        ("uv-dnf", on("ubi-9", Some("3.13"), pip())),
        ("uv-classic", on("rocky-10", Some("3.14"), classic())),
        ("dnf", on("fedora-44", None, PlanOptions::default())),
        ("dnf-company", on("ubi-10", None, PlanOptions { system: Vec::new(), ..company() })),
        ("dnf-classic", on("rocky-9", None, classic())),
        ("conda", on("micromamba", None, PlanOptions::default())),
        ("conda-company", on("micromamba", Some("3.11"), company())),
        ("conda-classic", on("micromamba", None, PlanOptions { installer: pip().installer, ..classic() })),
        ("pixi", on("pixi", None, pip())),
        ("cuda", on("cuda-devel", None, PlanOptions::default())),
        ("rocm", on("rocm", None, PlanOptions::default())),
    ] {
        assert_reviewed(&format!("base-{name}"), &head(&options));
    }
}

/// Every interpreter of every base can be planned and rendered, and reaches the image with its headers.
#[test]
fn every_row_becomes_a_dockerfile() {
    let catalogue = Catalogue::embedded().unwrap();
    let project = requirements("torch\n");
    for base in catalogue.bases() {
        for python in &base.python {
            let minor = python.minor().to_string();
            let releases =
                base.accelerator.iter().flat_map(|one| one.in_order().into_iter().map(move |name| (one, name)));
            let variants: Vec<_> = releases
                .map(|(one, release)| match one.kind.as_str() {
                    "cuda" => format!("cu{}", release.replace('.', "")),
                    kind => format!("{kind}{release}"),
                })
                .collect();
            let plan_of = |variant: Option<Asked<String>>| {
                let options = on(&base.id, Some(&minor), PlanOptions { variant, ..PlanOptions::default() });
                plan(&project, &catalogue, &options)
            };
            let of_variant = |name: &String| plan_of(asked(name.clone(), "--variant")).ok();
            let found =
                if variants.is_empty() { plan_of(None).ok() } else { variants.iter().rev().find_map(of_variant) };
            // No release of torch for what the image has works with the oldest, or the newest, interpreters that can be fetched.
            let Some(found) = found else {
                assert!(python.provider != PythonProvider::Distribution && !variants.is_empty(), "{} {minor}", base.id);
                continue;
            };
            let text = render(&found).unwrap().text;
            assert_eq!(keywords(&text)[..2], ["ARG", "FROM"]);
            let what = format!("{} {minor}:\n{text}", base.id);
            assert!(!text.contains("{python}") && !text.contains("{accelerator}"), "{what}");
            assert!(text.contains("-include Python.h -include omp.h"), "{what}");
            let staged = text.contains("COPY --from=interpreter");
            assert_eq!(staged, matches!(python.provider, PythonProvider::Uv | PythonProvider::Deadsnakes), "{what}");
            for package in python.packages.iter().chain(&base.packages) {
                assert!(text.contains(&format!("      {} ", package.name)), "{what}");
            }
        }
    }
}

#[test]
fn what_is_no_base_is_told_with_the_nearest() {
    let project = requirements("torch\n");
    let answer = |base: &str| shown(&planned(&project, &on(base, None, PlanOptions::default())).unwrap_err());
    let asked = ["alpine:3.22", "python:3.12-alpine", "debian-31", "centos:7"];
    assert_reviewed("base-unknown", &asked.map(answer).join("\n"));
}
