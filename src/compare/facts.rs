use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

use crate::catalogue::FactRelevance;
use crate::model::{Environment, Installation, Installed, Manager, NeedState, Origin, Stated, System, Variant};

/// The facts of an environment by their names, as [`crate::model::Difference::name`] has them.
pub(super) struct Facts<'a> {
    told: BTreeMap<String, Told<'a>>,
    /// Who installed what is listed, where the list is all that is there.
    managers: Vec<Manager>,
    /// Whether the variables are all that are set.
    all_variables: bool,
    /// Whether an image was looked at.
    looked: bool,
}

/// What a look at an image always looks for: what it does not tell of these is not there.
const LOOKED_FOR: [&str; 5] = ["gcc", "clang", "cmake", "cuda_runtime", "hip_runtime"];

/// A fact and where it was read.
pub(super) struct Told<'a> {
    pub(super) value: Value<'a>,
    pub(super) origin: &'a Origin,
}

/// A fact, by how it is compared.
pub(super) enum Value<'a> {
    /// Text that is the same where it is equal.
    Text(String),
    /// Text with a version in it, such as `glibc 2.35`.
    Versioned(&'a str),
    /// The version of the interpreter.
    Python(&'a Version),
    /// The version of torch; its local part is a matter of the build.
    Torch(&'a Version),
    /// The build of torch.
    Variant(Variant),
    System(&'a System),
    Package(&'a Installed),
    /// A value that may be withheld.
    Variable(Option<&'a str>),
    Need(&'a NeedState),
}

impl<'a> Facts<'a> {
    pub(super) fn of(environment: &'a Environment, relevance: &FactRelevance) -> Self {
        let mut told = BTreeMap::new();
        fields(environment, &mut |name, value, origin| {
            told.insert(name.to_owned(), Told { value, origin });
        });
        for package in &environment.packages {
            // torch has a field of its own.
            if environment.torch.is_none() || !["torch", "pytorch"].contains(&package.name.as_str()) {
                let fact = Told { value: Value::Package(package), origin: &package.origin };
                told.entry(format!("package {}", package.name)).or_insert(fact);
            }
        }
        for variable in &environment.variables {
            let fact = Told { value: Value::Variable(variable.value.as_deref()), origin: &variable.origin };
            told.entry(format!("variable {}", variable.name)).or_insert(fact);
        }
        for (need, state) in &environment.needs {
            let fact = Told { value: Value::Need(&state.value), origin: &state.origin };
            told.insert(format!("need {}", need.name()), fact);
        }
        let names = environment.variables.iter().map(|variable| variable.name.as_str());
        let of_image = environment.variables.iter().any(|variable| is_image(&variable.origin));
        let all_variables = of_image || relevance.has_all_variables(names);
        let looked = environment.python.as_ref().is_some_and(|python| is_image(&python.origin));
        Self { told, managers: complete(environment, relevance), all_variables, looked }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Told<'a>> {
        self.told.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Told<'a>)> {
        self.told.iter()
    }

    /// The names of what either of them tells.
    pub(super) fn names_with(&self, other: &Self) -> BTreeSet<String> {
        self.told.keys().chain(other.told.keys()).cloned().collect()
    }

    /// Whether this side would tell of the fact if it had it: a list that names all says of what is not in it that it is
    /// not there.
    pub(super) fn would_tell(&self, name: &str, value: &Value<'_>) -> bool {
        match value {
            Value::Package(package) => self.managers.contains(&package.manager),
            Value::Variable(_) => self.all_variables,
            // Whoever tells of a driver tells of the GPUs; of all else nobody says that it is not there.
            _ => self.looked && LOOKED_FOR.contains(&name) || name == "gpus" && self.told.contains_key("driver"),
        }
    }
}

fn is_image(origin: &Origin) -> bool {
    matches!(origin, Origin::Image { .. })
}

/// Whose packages are all listed. A look at an image lists those of everybody; of pasted lists some are a choice.
fn complete(environment: &Environment, relevance: &FactRelevance) -> Vec<Manager> {
    let packages = &environment.packages;
    let of = |manager| packages.iter().filter(move |package| package.manager == manager);
    if packages.iter().any(|package| is_image(&package.origin)) {
        let system = of(Manager::System).next().map(|_| Manager::System);
        return [Manager::Pip, Manager::Conda].into_iter().chain(system).collect();
    }
    let mut complete = Vec::new();
    if relevance.has_all_packages(packages.iter().map(|package| package.name.as_str())) {
        complete.push(Manager::Pip);
    }
    // conda lists the interpreter, too.
    if of(Manager::Conda).any(|package| package.name == "python") {
        complete.push(Manager::Conda);
    }
    complete
}

/// Hands each field that is told to `tell`.
fn fields<'a>(environment: &'a Environment, tell: &mut impl FnMut(&'static str, Value<'a>, &'a Origin)) {
    // Taken apart, so that a field that is added is noticed.
    let Environment {
        system,
        architecture,
        kernel,
        libc,
        python,
        python_build,
        installation,
        place,
        torch,
        variant: _,
        debug,
        gpu_available,
        cuda_runtime,
        cudnn,
        hip_runtime,
        miopen,
        driver,
        gpus,
        gcc,
        clang,
        cmake,
        cpu,
        cpus,
        isa,
        packages: _,
        variables: _,
        needs: _,
    } = environment;
    let mut put = |name, value: Option<(Value<'a>, &'a Origin)>| {
        if let Some((value, origin)) = value {
            tell(name, value, origin);
        }
    };
    put("system", system.as_ref().map(|fact| (Value::System(&fact.value), &fact.origin)));
    put("python", python.as_ref().map(|fact| (Value::Python(&fact.value), &fact.origin)));
    put("torch", torch.as_ref().map(|fact| (Value::Torch(&fact.value), &fact.origin)));
    put("variant", variant(environment));
    put("installation", words(installation.as_ref(), |value| installed(*value).to_owned()));
    put("place", words(place.as_ref(), |value| value.words().to_owned()));
    put("debug", words(debug.as_ref(), |value| yes(*value)));
    put("gpu_available", words(gpu_available.as_ref(), |value| yes(*value)));
    put("cpus", words(cpus.as_ref(), u32::to_string));
    for (name, fact) in
        [("architecture", architecture), ("kernel", kernel), ("python_build", python_build), ("cpu", cpu)]
    {
        put(name, words(fact.as_ref(), String::clone));
    }
    put("isa", words(isa.as_ref(), |value| value.to_ascii_uppercase()));
    let versioned = [
        ("libc", libc),
        ("cuda_runtime", cuda_runtime),
        ("cudnn", cudnn),
        ("hip_runtime", hip_runtime),
        ("miopen", miopen),
        ("driver", driver),
        ("gcc", gcc),
        ("clang", clang),
        ("cmake", cmake),
    ];
    for (name, fact) in versioned {
        put(name, fact.as_ref().map(|fact| (Value::Versioned(&fact.value), &fact.origin)));
    }
    if let Some(first) = gpus.first() {
        let all: Vec<&str> = gpus.iter().map(|gpu| gpu.value.as_str()).collect();
        put("gpus", Some((Value::Text(all.join(", ")), &first.origin)));
    }
}

fn words<T>(fact: Option<&Stated<T>>, say: impl Fn(&T) -> String) -> Option<(Value<'_>, &Origin)> {
    fact.map(|fact| (Value::Text(say(&fact.value)), &fact.origin))
}

/// What torch is built for, as somebody says or as the local part of its version does.
fn variant(environment: &Environment) -> Option<(Value<'_>, &Origin)> {
    let said = environment.variant.as_ref().filter(|said| said.value != Variant::Any);
    if let Some(said) = said {
        return Some((Value::Variant(said.value.clone()), &said.origin));
    }
    let torch = environment.torch.as_ref()?;
    Some((Value::Variant(Variant::of(&torch.value)?), &torch.origin))
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn installed(by: Installation) -> &'static str {
    match by {
        Installation::Distribution => "as the distribution's package",
        Installation::Deadsnakes => "from deadsnakes",
        Installation::Image => "from source, below /usr/local",
        Installation::Conda => "by conda",
        Installation::Pyenv => "by pyenv",
        Installation::Uv => "by uv",
        Installation::Brew => "by Homebrew",
        Installation::Framework => "by python.org's installer",
        Installation::Windows => "by an installer for Windows",
    }
}
