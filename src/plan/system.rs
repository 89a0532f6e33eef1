use std::collections::BTreeSet;

use super::target::Target;
use super::{Asked, PlanOptions};
use crate::catalogue::{Packages, SystemPackage};
use crate::model::{
    Choice, Error, Origin, PackageManager, Project, Requirement, RequirementRole, Result, Source, TorchSource,
};

/// The system packages to install, each with its reason: what compiling needs, what the project needs, what was asked for.
pub(super) fn packages(
    project: &Project,
    target: &Target,
    source: TorchSource,
    catalogue: &Packages,
    options: &PlanOptions,
) -> Result<Vec<Choice<String>>> {
    let row = Origin::Catalogue { row: target.base.id.clone() };
    let known = |package: &SystemPackage| Choice::new(package.name.clone(), row.clone(), package.because.clone());
    let mut packages: Vec<_> = target.python.packages.iter().chain(&target.base.packages).map(known).collect();
    if source == TorchSource::Distribution {
        packages.extend(target.base.torch.iter().flat_map(|torch| &torch.packages).map(known));
    }
    packages.extend(version_control(project, target)?);
    packages.extend(of_distributions(project, target, catalogue));
    for asked in &options.system {
        check_name(asked, target.base.package_manager)?;
        packages.push(Choice::new(asked.value.clone(), asked.origin.clone(), "it was asked for"));
    }
    let mut seen = BTreeSet::new();
    packages.retain(|package| seen.insert(package.value.clone()));
    Ok(packages)
}

/// What distributions load or run that their wheels do not hold.
fn of_distributions(project: &Project, target: &Target, catalogue: &Packages) -> Vec<Choice<String>> {
    let wanted = project.requirements.iter().filter(|r| r.role == RequirementRole::Requirement);
    let wanted = wanted.filter(|r| target.environment.applies(r));
    let of_one = |requirement: &Requirement| {
        let name = requirement.name.as_deref()?;
        let (packages, because) = catalogue.needs_system(name, target.base.package_manager)?;
        let because = format!("`{name}` needs it: {because}");
        let choice = |package: &String| Choice::new(package.clone(), requirement.origin.clone(), because.clone());
        Some(packages.iter().map(choice).collect::<Vec<_>>())
    };
    wanted.filter_map(of_one).flatten().collect()
}

fn version_control(project: &Project, target: &Target) -> Result<Vec<Choice<String>>> {
    let mut programs = Vec::new();
    for requirement in project.requirements.iter().filter(|r| target.environment.applies(r)) {
        let Source::Vcs { vcs, .. } = &requirement.source else { continue };
        let package = target.base.vcs.get(vcs).ok_or_else(|| {
            let known: Vec<_> = target.base.vcs.keys().map(|vcs| format!("`{vcs}`")).collect();
            Error::no(format!("{} has no program for `{}`", target.base.id, vcs.escape_debug()))
                .at(requirement.origin.clone())
                .with_hint(format!("it has {}; Debian's bases have more: `--base debian-13`", known.join(", ")))
        })?;
        let because = format!("`{}` comes from a repository", requirement.text);
        programs.push(Choice::new(package.clone(), requirement.origin.clone(), because));
    }
    Ok(programs)
}

/// The system packages that are needed to fetch the interpreter, each with its reason.
pub(super) fn tools(target: &Target) -> Vec<Choice<String>> {
    let row = Origin::Catalogue { row: target.base.id.clone() };
    let known = |package: &SystemPackage| Choice::new(package.name.clone(), row.clone(), package.because.clone());
    target.python.tools.iter().map(known).collect()
}

/// Fails on what the base's package manager would not read as the name of one package to install: a wish to remove one, a
/// pattern, a group, a file, or what a shell would read.
fn check_name(asked: &Asked<String>, manager: PackageManager) -> Result<()> {
    let (good, whose) = match manager {
        PackageManager::Apt => (is_deb(&asked.value), "Debian"),
        PackageManager::Dnf => (is_rpm(&asked.value), "RPM"),
    };
    if good {
        return Ok(());
    }
    let error = Error::usage(format!("`{}` is not the name of one {whose} package", asked.value.escape_debug()))
        .at(asked.origin.clone());
    Err(match asked.value.chars().find(|c| !c.is_ascii_graphic() || ",;&|".contains(*c)) {
        Some(' ' | ',') => error.with_hint("give each package for itself, and a command to `--run`"),
        Some(_) => error.with_hint("a shell command is asked for by `--run`"),
        None => error,
    })
}

/// Debian's grammar of package names, with an optional version
/// (<https://www.debian.org/doc/debian-policy/ch-controlfields.html#source>). apt would read a name that ends in `-` as a
/// wish to remove the package.
fn is_deb(text: &str) -> bool {
    let (name, version) = text.split_once('=').unwrap_or((text, "0"));
    let good_name = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
        && !name.ends_with('-');
    good_name && !version.is_empty() && version.chars().all(|c| c.is_ascii_alphanumeric() || ".+-~:".contains(c))
}

/// RPM's grammar of names, with an optional version behind a `-`
/// (<https://rpm-software-management.github.io/rpm/manual/spec.html>). dnf would read `@` as a group, `/` as a file, and
/// `*` and `?` as a pattern.
fn is_rpm(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-~^:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, manager: PackageManager) -> Option<Error> {
        check_name(&Asked { value: name.to_owned(), origin: Origin::flag("--system-package") }, manager).err()
    }

    #[test]
    fn package_names_follow_the_grammar_of_the_base() {
        use PackageManager::{Apt, Dnf};
        for good in ["ffmpeg", "g++", "libgl1", "libglib2.0-0t64", "0ad", "ffmpeg=7:5.1.6-0+deb12u1"] {
            assert!(refused(good, Apt).is_none(), "{good}");
        }
        for good in ["ffmpeg-free", "gcc-c++", "libX11", "git-core-2.51.0-1.el10", "python3.12"] {
            assert!(refused(good, Dnf).is_none(), "{good}");
        }
        let neither = ["", "-y", "a b", "x\ny", "x;id", "$(id)", "./x.deb", "foo; rm -rf /", "*", "'"];
        let apt = ["a", "FFmpeg", "ffmpeg-", "ffmpeg=", "ffmpeg=1 2"].map(|name| (name, Apt));
        let dnf = ["@development", "/usr/bin/g++", "g?c", "ffmpeg=1"].map(|name| (name, Dnf));
        let both = neither.iter().flat_map(|name| [(*name, Apt), (*name, Dnf)]);
        for (name, manager) in both.chain(apt).chain(dnf) {
            let error = refused(name, manager).unwrap_or_else(|| panic!("{name:?} for {manager:?}"));
            assert!(!error.to_string().contains('\n') && error.origin.is_some(), "{name:?}");
        }
    }

    #[test]
    fn what_a_shell_would_read_is_told_so() {
        let error = refused("foo; rm -rf /", PackageManager::Apt).unwrap();
        assert_eq!(error.message, "`foo; rm -rf /` is not the name of one Debian package");
        assert_eq!(error.hint.unwrap(), "a shell command is asked for by `--run`");
        let error = refused("ffmpeg git", PackageManager::Dnf).unwrap();
        assert_eq!(error.hint.unwrap(), "give each package for itself, and a command to `--run`");
    }
}
