//! Calls: of `setup`, of functions of the script, of functions that everybody knows, and of readers of requirements.

use std::collections::HashSet;

use ruff_python_ast::{Arguments, Expr, ExprCall};

use super::expression::{push, set, spread};
use super::method::{self, Given};
use super::value::{Callable, Item, Value};
use super::{Flow, Machine, Scope};
use crate::inspect::requirements::is_named_so;
use crate::inspect::setuptools::requirement::When;

/// The keywords that say what is installed; what the others are worth, and read for it, bears on nothing.
const READ: [&str; 8] = [
    "name",
    "python_requires",
    "classifiers",
    "install_requires",
    "extras_require",
    "setup_requires",
    "tests_require",
    "dependency_links",
];

/// `a.b.c`.
pub(super) fn dotted(expression: &Expr) -> Option<String> {
    let mut parts = Vec::new();
    let mut at = expression;
    while let Expr::Attribute(attribute) = at {
        parts.push(attribute.attr.as_str());
        at = &attribute.value;
        if parts.len() > 8 {
            return None;
        }
    }
    let Expr::Name(name) = at else { return None };
    parts.push(name.id.as_str());
    parts.reverse();
    Some(parts.join("."))
}

impl<'a> Machine<'a, '_> {
    pub(super) fn call(&mut self, call: &'a ExprCall, line: usize) -> Value<'a> {
        let name = dotted(&call.func).unwrap_or_default();
        let last = match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => "",
        };
        let own = match &*call.func {
            Expr::Name(name) => match self.lookup(name.id.as_str()) {
                Some(Value::Function(function)) => Some(*function),
                _ => None,
            },
            _ => None,
        };
        if last == "setup" && own.is_none() {
            self.setup(&call.arguments, line);
            return Value::None;
        }
        let given = self.given(&call.arguments);
        if let Some(function) = own {
            let value = self.call_function(function, &given.positional, &given.named, line);
            return if is_known(&value) { value } else { self.reader(&given, Some(function)).unwrap_or(value) };
        }
        if let Expr::Attribute(attribute) = &*call.func {
            if let Some(value) = self.change(&attribute.value, last, &given, line) {
                return value;
            }
            let base = self.eval(&attribute.value);
            if let (Value::Environment, "get") = (&base, last) {
                return self.environment(&given);
            }
            if let (Value::Path(path), "exists" | "is_file") = (&base, last) {
                return Value::Bool((self.exists)(path));
            }
            if let Some(value) = method::call(&base, last, &given, line) {
                return value;
            }
        }
        self.known_function(&name, last, &given, line)
            .or_else(|| self.reader(&given, None))
            .unwrap_or(Value::Unknown(line))
    }

    /// Takes up the arguments of `setup(…)`.
    fn setup(&mut self, arguments: &'a Arguments, line: usize) {
        if self.script.called.is_some() {
            return;
        }
        self.script.called = Some(line);
        let mut seen = HashSet::new();
        let named = arguments.keywords.iter().filter_map(|keyword| Some((keyword.arg.as_ref()?.as_str(), keyword)));
        let repeated = named.clone().find(|(name, _)| !seen.insert(*name));
        self.script.repeated = repeated.map(|(name, keyword)| (name.to_owned(), self.line_of(keyword)));
        for keyword in &arguments.keywords {
            if keyword.arg.as_ref().is_some_and(|name| !READ.contains(&name.as_str())) {
                continue;
            }
            let (value, line) = (self.eval(&keyword.value), self.line_of(&keyword.value));
            match (&keyword.arg, value) {
                (Some(name), value) => {
                    self.script.keywords.insert(name.to_string(), (value, line));
                }
                (None, Value::Dict(entries)) => {
                    for (key, item) in entries {
                        self.script.keywords.insert(key, (item.value, line));
                    }
                }
                (None, _) => self.script.opaque.push(line),
            }
        }
    }

    fn given(&mut self, arguments: &'a Arguments) -> Given<'a> {
        let mut given = Given { positional: Vec::new(), named: Vec::new(), more: false };
        for argument in &arguments.args {
            match argument {
                Expr::Starred(starred) => match self.eval(&starred.value) {
                    Value::List(items) => given.positional.extend(items.into_iter().map(|item| item.value)),
                    other => {
                        given.more = true;
                        given.positional.push(other);
                    }
                },
                argument => {
                    let value = self.eval(argument);
                    given.positional.push(value);
                }
            }
        }
        for keyword in &arguments.keywords {
            let value = self.eval(&keyword.value);
            match (&keyword.arg, value) {
                (Some(name), value) => given.named.push((name.to_string(), value)),
                (None, Value::Dict(entries)) => {
                    given.named.extend(entries.into_iter().map(|(key, item)| (key, item.value)));
                }
                (None, _) => given.more = true,
            }
        }
        given
    }

    /// Follows a function of the script; one that is being followed already gives nothing new.
    pub(super) fn call_function(
        &mut self,
        function: Callable<'a>,
        positional: &[Value<'a>],
        named: &[(String, Value<'a>)],
        line: usize,
    ) -> Value<'a> {
        if self.running.contains(&function) {
            return Value::List(Vec::new());
        }
        if !self.deeper() {
            return Value::Unknown(line);
        }
        let scope = self.parameters(function, positional, named, line);
        self.scopes.push(scope);
        self.running.push(function);
        let value = match function {
            Callable::Lambda(lambda) => self.eval(&lambda.body),
            Callable::Named(function) => match self.block(&function.body) {
                Flow::Return(value) => value,
                _ if yields(&function.body) => Value::Unknown(line),
                _ => Value::None,
            },
        };
        self.running.pop();
        self.scopes.pop();
        self.shallower(value)
    }

    fn parameters(
        &mut self,
        function: Callable<'a>,
        positional: &[Value<'a>],
        named: &[(String, Value<'a>)],
        line: usize,
    ) -> Scope<'a> {
        let mut scope = Scope::new();
        let parameters = match function {
            Callable::Named(function) => Some(&function.parameters),
            Callable::Lambda(lambda) => lambda.parameters.as_ref(),
        };
        let Some(parameters) = parameters else { return scope };
        let mut rest = positional.iter();
        for parameter in parameters.posonlyargs.iter().chain(&parameters.args) {
            let name = parameter.parameter.name.as_str();
            let by_name = named.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let value = match (rest.next().or(by_name), &parameter.default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => self.eval(default),
                (None, None) => Value::Unknown(line),
            };
            scope.insert(name, value);
        }
        if let Some(all) = &parameters.vararg {
            scope.insert(all.name.as_str(), Value::list(rest.cloned()));
        }
        for parameter in &parameters.kwonlyargs {
            let name = parameter.parameter.name.as_str();
            let by_name = named.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let value = match (by_name, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default),
                (None, None) => Value::Unknown(line),
            };
            scope.insert(name, value);
        }
        if let Some(all) = &parameters.kwarg {
            let entries = named.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            scope.insert(all.name.as_str(), Value::Dict(entries));
        }
        scope
    }

    /// A method that changes the value of a name.
    fn change(&mut self, base: &'a Expr, method: &str, given: &Given<'a>, line: usize) -> Option<Value<'a>> {
        if !matches!(method, "append" | "add" | "extend" | "insert" | "update" | "remove" | "clear" | "setdefault") {
            return None;
        }
        let cost = given.all().map(Value::weight).sum();
        if !self.charge(cost) {
            return Some(Value::Unknown(line));
        }
        let when = When::default();
        match (self.place(base)?, method) {
            (Value::List(items), "append" | "add") => push(items, given.positional.first()?.clone(), &when),
            (Value::List(items), "insert") => {
                let mut first = Vec::new();
                push(&mut first, given.positional.get(1)?.clone(), &when);
                items.splice(0..0, first);
            }
            (Value::List(items), "extend" | "update") => {
                items.extend(given.positional.iter().flat_map(|more| spread(more.clone(), line)));
            }
            (Value::List(items), "remove") => {
                let removed = given.positional.first()?;
                let same =
                    |item: &Item<'_>| item.value.as_text().is_some() && item.value.as_text() == removed.as_text();
                match items.iter().position(same) {
                    Some(at) => drop(items.remove(at)),
                    None => items.push(Value::Unknown(line).into()),
                }
            }
            (Value::List(items), "clear") => items.clear(),
            (place @ Value::Dict(_), "update") => update(place, given, line),
            (Value::Dict(entries), "setdefault") => {
                let key = given.positional.first()?.as_text()?.to_owned();
                if !entries.iter().any(|(known, _)| *known == key) {
                    set(entries, key, given.positional.get(1).cloned().unwrap_or(Value::None).into());
                }
            }
            _ => return None,
        }
        Some(Value::None)
    }

    /// A function that is given a requirements file, or what was read from one, and of which nothing else is known, gives
    /// the requirements in it: projects have their own, under many names.
    fn reader(&mut self, given: &Given<'a>, function: Option<Callable<'a>>) -> Option<Value<'a>> {
        if let Some(read) = given.all().find(|value| value.source().is_some()) {
            return Some(read.clone());
        }
        let named = given.all().find_map(|value| self.requirements_file(value));
        named.or_else(|| {
            let Callable::Named(function) = function? else { return None };
            if !given.positional.is_empty() || !given.named.is_empty() {
                return None;
            }
            let defaults = function.parameters.args.iter().filter_map(|parameter| parameter.default.as_deref());
            defaults.into_iter().find_map(|default| {
                let value = self.eval(default);
                self.requirements_file(&value)
            })
        })
    }

    fn requirements_file(&self, value: &Value<'a>) -> Option<Value<'a>> {
        let path = value.as_path()?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let of_folder = path.contains("requirements/") && matches!(name.rsplit_once('.'), Some((_, "txt" | "in")));
        ((is_named_so(name) || of_folder) && (self.exists)(path)).then(|| Value::File(path.to_owned()))
    }
}

/// Whether a function gave something that can be used.
fn is_known(value: &Value<'_>) -> bool {
    match value {
        Value::Unknown(_) | Value::None => false,
        Value::List(items) => !items.iter().any(|item| matches!(item.value, Value::Unknown(_))),
        _ => true,
    }
}

/// Whether a function is a generator.
fn yields(body: &[ruff_python_ast::Stmt]) -> bool {
    use ruff_python_ast::visitor::{Visitor, walk_expr};
    struct Yields(bool);
    impl<'a> Visitor<'a> for Yields {
        fn visit_expr(&mut self, expression: &'a Expr) {
            self.0 |= matches!(expression, Expr::Yield(_) | Expr::YieldFrom(_));
            walk_expr(self, expression);
        }
    }
    let mut yields = Yields(false);
    yields.visit_body(body);
    yields.0
}

/// `dict.update(…)`, and `dict(…)`.
pub(super) fn update<'a>(place: &mut Value<'a>, given: &Given<'a>, line: usize) {
    let Value::Dict(entries) = place else { return };
    for other in &given.positional {
        let Value::Dict(more) = other else {
            *place = Value::Unknown(line);
            return;
        };
        for (key, item) in more {
            set(entries, key.clone(), item.clone());
        }
    }
    for (key, value) in &given.named {
        set(entries, key.clone(), value.clone().into());
    }
    if given.more {
        *place = Value::Unknown(line);
    }
}
