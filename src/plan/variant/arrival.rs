use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

use super::Question;
use crate::model::{
    Error, Index, IndexRole, Installer, LockedPackage, Origin, RequirementRole, Result, Source, TorchSource, TorchVia,
    Variant,
};
use crate::plan::Asked;
use crate::plan::wish::Verdict;

const TORCH: &str = "torch";

/// The distributions that bring CUDA's run-time library: their version is that of CUDA.
const CUDA_RUNTIME: &str = "nvidia-cuda-runtime";
const CUDA_TOOLKIT: &str = "cuda-toolkit";

/// How torch comes into the image, as far as that can be told beforehand.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// The variant that it is for certain.
    pub(super) certain: Variant,
    /// Who names a variant, by which name.
    pub(super) named: Option<Named>,
    /// Whether nothing can be told of the variant: it comes from where nothing is known of it, or not at all.
    pub(super) unclear: bool,
    /// The versions that it is for certain.
    pub(super) specifiers: VersionSpecifiers,
    /// The one version that it is.
    pub(super) version: Option<Version>,
    /// The torch back end that uv is told.
    pub(super) backend: Option<String>,
    pub(super) requested: Origin,
    pub(super) because: String,
}

/// A variant by its name, such as `cu128`.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) variant: Variant,
    pub(super) origin: Origin,
    /// Whether it will be that one; else it is offered beside others.
    pub(super) sure: bool,
}

impl Named {
    /// What the last folder of a URL that is a variant's name says, as `/whl/cu128` does.
    fn of_url(url: &str, origin: &Origin, sure: bool) -> Option<Self> {
        Self::new(Variant::name_in(url)?, origin, sure)
    }

    fn new(name: &str, origin: &Origin, sure: bool) -> Option<Self> {
        let variant = Variant::named(name)?;
        Some(Self { name: name.to_owned(), variant, origin: origin.clone(), sure })
    }
}

/// Who decides, in this order: the distribution, the lock that is followed, the command line, the project, the index.
pub(super) fn arrival(question: Question) -> Result<Arrival> {
    if question.source() == TorchSource::Distribution {
        return distribution(question);
    }
    let locked = locked(question);
    if let Some(asked) = &question.options.variant {
        return asked_for(question, asked, locked.as_ref());
    }
    if let Some(lock) = without_torch(question) {
        let because = format!("`{lock}` brings none with what is asked for");
        return Ok(Arrival { unclear: true, requested: Origin::file(lock, 1), because, ..plain(question) });
    }
    Ok(locked.unwrap_or_else(|| unasked(question)))
}

/// The lock that is followed, where it does not bring torch.
pub(super) fn without_torch(question: Question<'_>) -> Option<&str> {
    let path = &question.lock?.path;
    let lock = question.project.locks.iter().find(|lock| lock.path == *path)?;
    let brings = lock.packages.iter().any(|package| package.name == TORCH && comes(question, package));
    (!brings).then_some(path)
}

fn distribution(question: Question) -> Result<Arrival> {
    let (options, base) = (question.options, question.target.base);
    if let Some(asked) = options.variant.as_ref().filter(|asked| asked.value != "cpu") {
        let message = format!("`{}` is not to be had: the torch of {} is for the CPU", asked.value, base.id);
        return Err(Error::usage(message).at(asked.origin.clone()));
    }
    Ok(Arrival {
        certain: Variant::Cpu,
        unclear: false,
        version: base.torch.as_ref().map(|torch| torch.version.clone()),
        requested: options.torch_source.as_ref().map_or(Origin::Default, |asked| asked.origin.clone()),
        because: format!("the torch of {} was asked for", base.id),
        ..plain(question)
    })
}

/// An arrival of which nothing is known but what the project asks for.
fn plain(question: Question) -> Arrival {
    let wish = &question.target.wish;
    let asked = if wish.requirements.is_empty() {
        "nothing asks for torch by name".to_owned()
    } else {
        format!("the project asks for {}", wish.texts())
    };
    Arrival {
        certain: Variant::Any,
        named: None,
        unclear: false,
        specifiers: wish.specifiers.clone(),
        version: pinned(&wish.specifiers),
        backend: None,
        requested: origin(question),
        because: asked,
    }
}

/// The version that is pinned, if one is, without its local tag.
fn pinned(specifiers: &VersionSpecifiers) -> Option<Version> {
    let exact = |s: &&VersionSpecifier| matches!(s.operator(), Operator::Equal | Operator::ExactEqual);
    specifiers.iter().find(exact).map(|specifier| specifier.version().clone().without_local())
}

fn asked_for(question: Question, asked: &Asked<String>, locked: Option<&Arrival>) -> Result<Arrival> {
    let value = &asked.value;
    let unknown = || {
        Error::usage(format!("`{}` is not a variant", value.escape_debug()))
            .at(asked.origin.clone())
            .with_hint("variants are named as uv names them: `cpu`, `cu128`, `rocm6.4`, `xpu`")
    };
    let named = Named::new(value, &asked.origin, true).ok_or_else(unknown)?;
    if question.installer == Installer::Pip {
        return Err(Error::usage(format!("pip cannot choose the variant `{value}`"))
            .at(asked.origin.clone())
            .with_hint("use uv, or name the variant's own index with `--extra-index-url`"));
    }
    if let Some(locked) = locked {
        return keep_lock(&named, asked, locked);
    }
    let wish = &question.target.wish;
    if let Some(requirement) = wish.elsewhere {
        let message =
            format!("`{value}` cannot be had: `{}` ({}) names one build", requirement.text, requirement.origin);
        return Err(Error::no(message).at(asked.origin.clone()));
    }
    if wish.local_tag().is_some_and(|tag| tag != *value) {
        let message = format!("`{value}` is not the build that {} pins", wish.spelled_out());
        return Err(Error::no(message).at(asked.origin.clone()));
    }
    Ok(Arrival {
        certain: named.variant.clone(),
        backend: Some(value.clone()),
        requested: asked.origin.clone(),
        because: format!("the `{value}` build was asked for"),
        named: Some(named),
        ..plain(question)
    })
}

/// A lock that is followed has its build already, and nothing asked for changes that.
fn keep_lock(named: &Named, asked: &Asked<String>, locked: &Arrival) -> Result<Arrival> {
    if locked.certain == named.variant {
        return Ok(locked.clone());
    }
    let message = format!("`{}` cannot be had: {} ({})", named.name, locked.because, locked.requested);
    let hint = format!("lock the project again for `{}`, or leave the lock out of it", named.name);
    Err(Error::no(message).at(asked.origin.clone()).with_hint(hint))
}

/// The torch of the lock that is followed.
fn locked(question: Question) -> Option<Arrival> {
    let path = &question.lock?.path;
    let lock = question.project.locks.iter().find(|lock| lock.path == *path)?;
    let packages: Vec<_> = lock.packages.iter().filter(|package| comes(question, package)).collect();
    // What an extra or a group that was asked for brings stands in place of what comes anyway.
    let chosen = |package: &&&LockedPackage| !(package.extras.is_empty() && package.groups.is_empty());
    let mut builds = packages.iter().filter(|package| package.name == TORCH);
    let torch = builds.clone().find(chosen).or_else(|| builds.next())?;
    let version = torch.version.clone()?;
    let mut arrival = Arrival {
        specifiers: VersionSpecifier::equals_version(version.clone()).into(),
        version: Some(version.clone().without_local()),
        requested: torch.origin.clone(),
        because: format!("`{path}` pins torch {version}"),
        ..plain(question)
    };
    let local: Vec<String> = version.local().iter().map(ToString::to_string).collect();
    let of_index = || torch.index.as_deref().and_then(|url| Named::of_url(url, &torch.origin, true));
    arrival.named = Named::new(&local.join("."), &torch.origin, true).or_else(of_index);
    arrival.certain = match &arrival.named {
        Some(named) => named.variant.clone(),
        None => locked_cuda(question, &packages, &version),
    };
    Some(arrival)
}

/// What CUDA the distributions of a lock bring. That of the package index is certain; another may be there for another
/// distribution's sake.
fn locked_cuda(question: Question, packages: &[&LockedPackage], torch: &Version) -> Variant {
    let runtime = |name: &str| name == CUDA_TOOLKIT || name.starts_with(CUDA_RUNTIME);
    let minor = |version: &Version| Some(Version::new([*version.release().first()?, *version.release().get(1)?]));
    let cuda = packages.iter().filter(|package| runtime(&package.name)).find_map(|p| minor(p.version.as_ref()?));
    let release = question.catalogue.torch_release(torch);
    match (cuda, release) {
        (Some(cuda), Some(release)) if release.cuda == cuda => Variant::Cuda { version: Some(cuda.to_string()) },
        _ => Variant::Any,
    }
}

/// Whether a package of a lock is installed here.
fn comes(question: Question, package: &LockedPackage) -> bool {
    let environment = &question.target.environment;
    let marker = package.marker.as_deref();
    let always = package.extras.is_empty() && package.groups.is_empty();
    let by_extra = package.extras.iter().any(|extra| environment.holds(Some(extra), None, None));
    let by_group = package.groups.iter().any(|group| environment.holds(None, Some(group), None));
    environment.holds(None, None, marker) && (always || by_extra || by_group)
}

/// What the project says, and where it says nothing, what the package index has.
fn unasked(question: Question) -> Arrival {
    let wish = &question.target.wish;
    let arrival = plain(question);
    if let Some(tag) = wish.local_tag() {
        let because = format!("{} names the build", wish.texts());
        return says(arrival, because, Named::new(&tag, &origin(question), true));
    }
    if let Some(requirement) = wish.elsewhere {
        let because = format!("{}, and {} says where it comes from", arrival.because, requirement.origin);
        let named = of_fact(question, |via| *via == TorchVia::Archive, true);
        // The folder of an archive's URL is a hint, not a promise.
        return Arrival { certain: Variant::Any, ..says(arrival, because, named) };
    }
    if question.is_conda() && wish.requirements.iter().any(|r| matches!(r.source, Source::Conda { .. })) {
        let because = format!("{}, and conda brings it", arrival.because);
        return says(arrival, because, of_conda(question));
    }
    match index(question) {
        Some((origin, Names::None)) => {
            let because = format!("{}, and {origin} says where it comes from", arrival.because);
            Arrival { because, ..arrival }
        }
        Some((origin, Names::Several)) => {
            let because =
                format!("{}, and {origin} is not the only one that says where it comes from", arrival.because);
            says(arrival, because, None)
        }
        Some((origin, Names::One(named))) => {
            let because = format!("{}, and {origin} says where it comes from", arrival.because);
            says(arrival, because, Some(named))
        }
        None => of_the_package_index(question, arrival),
    }
}

/// The variant is the one that is named, or nothing can be told of it.
fn says(arrival: Arrival, because: String, named: Option<Named>) -> Arrival {
    let sure = named.as_ref().filter(|named| named.sure);
    let certain = sure.map_or(Variant::Any, |named| named.variant.clone());
    Arrival { certain, unclear: named.is_none(), named, because, ..arrival }
}

fn origin(question: Question) -> Origin {
    question.target.wish.requirements.first().map_or(Origin::Default, |r| r.origin.clone())
}

/// The variant that a way of torch's arrival names.
fn of_fact(question: Question, via: impl Fn(&TorchVia) -> bool, sure: bool) -> Option<Named> {
    let mut facts = question.facts().filter(|fact| via(&fact.via));
    facts.find_map(|fact| Named::new(fact.variant.as_deref()?, &fact.origin, sure))
}

/// The variant that conda's packages choose.
pub(super) fn of_conda(question: Question) -> Option<Named> {
    of_fact(question, |via| matches!(via, TorchVia::Conda { .. }), true)
}

/// The variant that the indexes name.
pub(super) fn of_indexes(question: Question) -> Option<Named> {
    match index(question)?.1 {
        Names::One(named) => Some(named),
        Names::None | Names::Several => None,
    }
}

/// Whether torch itself is asked for, and not only constrained.
pub(super) fn is_direct(question: Question) -> bool {
    question.target.wish.requirements.iter().any(|requirement| requirement.role == RequirementRole::Requirement)
}

/// The index that torch is bound to.
pub(super) fn bound(question: Question<'_>) -> Option<(&Index, &Origin)> {
    let environment = &question.target.environment;
    question.project.indexes.iter().find_map(|index| {
        let mut bindings = index.bindings.iter().filter(|binding| binding.package == TORCH);
        bindings.find(|binding| environment.binds(binding)).map(|binding| (index, &binding.origin))
    })
}

/// The variants that the URLs of indexes name.
#[derive(Debug)]
enum Names {
    None,
    One(Named),
    Several,
}

/// Who names the index that torch comes from, and the variant that the index's URL names: the index that torch is bound to,
/// the one in place of the default one, or else one besides it.
fn index(question: Question) -> Option<(Origin, Names)> {
    if let Some((index, _)) = bound(question).filter(|_| is_direct(question)) {
        let named = Named::of_url(&index.url, &index.origin, true);
        return Some((index.origin.clone(), named.map_or(Names::None, Names::One)));
    }
    let given = question.options.indexes.iter().map(|index| (index.primary, &index.url, &index.origin));
    let served = question.project.indexes.iter().filter(|index| !index.explicit && index.role != IndexRole::Channel);
    let served = served.map(|index| (index.role == IndexRole::Primary, &index.url, &index.origin));
    let all: Vec<_> = given.chain(served).collect();
    let sure = |primary: bool| primary && all.len() == 1;
    let mut named = all.iter().filter_map(|(primary, url, origin)| Named::of_url(url, origin, sure(*primary)));
    let Some(first) = named.next() else {
        return all.first().map(|index| (index.2.clone(), Names::None));
    };
    let same = named.all(|other| other.name == first.name);
    Some((first.origin.clone(), if same { Names::One(first) } else { Names::Several }))
}

/// What the package index has for the versions that are allowed.
fn of_the_package_index(question: Question, arrival: Arrival) -> Arrival {
    if question.target.wish.requirements.is_empty() || question.options.architecture() != "amd64" {
        return arrival;
    }
    let version = match &question.target.verdict {
        Verdict::Known { releases, newer: false } => {
            let first = releases.first().map(|release| &release.cuda);
            first.filter(|cuda| releases.iter().all(|r| r.cuda == **cuda)).map(ToString::to_string)
        }
        _ => None,
    };
    let because = format!("{}, and the package index has it for CUDA", arrival.because);
    Arrival { certain: Variant::Cuda { version }, because, ..arrival }
}
