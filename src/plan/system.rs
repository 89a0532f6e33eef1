use std::collections::BTreeSet;

use super::target::Target;
use super::{Asked, PlanOptions};
use crate::catalogue::SystemPackage;
use crate::model::{Choice, Error, Origin, Project, Result, Source, TorchSource};

/// The system packages to install, each with its reason: what compiling needs, what the project needs, what was asked for.
pub(super) fn packages(
    project: &Project,
    target: &Target,
    source: TorchSource,
    options: &PlanOptions,
) -> Result<Vec<Choice<String>>> {
    let row = Origin::Catalogue { row: target.base.id.clone() };
    let known = |package: &SystemPackage| Choice::new(package.name.clone(), row.clone(), package.because.clone());
    let mut packages: Vec<_> = target.python.packages.iter().chain(&target.base.packages).map(known).collect();
    if source == TorchSource::Distribution {
        packages.extend(target.base.torch.iter().flat_map(|torch| &torch.packages).map(known));
    }
    packages.extend(version_control(project, target)?);
    for asked in &options.system {
        check_name(asked)?;
        packages.push(Choice::new(asked.value.clone(), asked.origin.clone(), "it was asked for"));
    }
    let mut seen = BTreeSet::new();
    packages.retain(|package| seen.insert(package.value.clone()));
    Ok(packages)
}

fn version_control(project: &Project, target: &Target) -> Result<Vec<Choice<String>>> {
    let mut programs = Vec::new();
    for requirement in project.requirements.iter().filter(|r| target.environment.applies(r)) {
        let Source::Vcs { vcs, .. } = &requirement.source else { continue };
        let package = target.base.vcs.get(vcs).ok_or_else(|| {
            Error::no(format!("{} has no program for `{}`", target.base.id, vcs.escape_debug()))
                .at(requirement.origin.clone())
        })?;
        let because = format!("`{}` comes from a repository", requirement.text);
        programs.push(Choice::new(package.clone(), requirement.origin.clone(), because));
    }
    Ok(programs)
}

/// Debian's grammar of package names, with an optional version
/// (<https://www.debian.org/doc/debian-policy/ch-controlfields.html#source>). apt would read a name that ends in `-` as a
/// wish to remove the package.
fn check_name(asked: &Asked<String>) -> Result<()> {
    let (name, version) = asked.value.split_once('=').unwrap_or((&asked.value, "0"));
    let good_name = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
        && !name.ends_with('-');
    let good_version = !version.is_empty() && version.chars().all(|c| c.is_ascii_alphanumeric() || ".+-~:".contains(c));
    if good_name && good_version {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is not the name of a Debian package", asked.value.escape_debug()))
        .at(asked.origin.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_follow_debians_grammar() {
        let check = |name: &str| check_name(&Asked { value: name.to_owned(), origin: Origin::flag("--system") });
        for good in ["ffmpeg", "g++", "libgl1", "libglib2.0-0t64", "0ad", "ffmpeg=7:5.1.6-0+deb12u1"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in
            ["", "a", "-y", "FFmpeg", "ffmpeg-", "a b", "x\ny", "x;id", "$(id)", "ffmpeg=", "ffmpeg=1 2", "./x.deb"]
        {
            let error = check(bad).unwrap_err();
            assert!(!error.to_string().contains('\n') && error.origin.is_some(), "{bad:?}");
        }
    }
}
