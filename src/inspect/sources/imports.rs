//! The imports of one file, as its syntax has them; what they mean is for others to say.

use std::collections::HashSet;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{CmpOp, ExceptHandler, Expr, ExprCall, ModModule, Stmt, StmtIf, StmtTry};
use ruff_text_size::{Ranged, TextRange};

use super::lines::Lines;
use super::syntax::{boolean, dotted, last_name, string};

/// An absolute import.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Imported {
    /// `a.b` of `import a.b`, `a.b.c` of `from a.b import c`.
    pub(super) path: String,
    pub(super) line: usize,
    /// Whether it stands where its failure is caught, or its presence was asked for before.
    pub(super) optional: bool,
    /// Whether only type checkers follow it (<https://docs.python.org/3/library/typing.html#typing.TYPE_CHECKING>).
    pub(super) typing: bool,
    /// Whether only another platform than Linux follows it.
    pub(super) foreign: bool,
    /// The Pythons that follow it, where not all do.
    pub(super) python: Option<Bound>,
}

/// A test of Python's version: `sys.version_info < (3, 11)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bound {
    /// Whether it holds below the version, else from it on.
    below: bool,
    minor: u8,
}

impl Bound {
    /// As a marker (PEP 508).
    pub(super) fn marker(self) -> String {
        let than = if self.below { "<" } else { ">=" };
        format!("python_version {than} \"3.{}\"", self.minor)
    }

    fn opposite(self) -> Self {
        Self { below: !self.below, ..self }
    }
}

/// What a file says of modules.
#[derive(Debug, Default)]
pub(super) struct Imports {
    pub(super) modules: Vec<Imported>,
    /// The folders that it adds to `sys.path`, where these are constants.
    pub(super) folders: Vec<String>,
    /// The files that it runs by `exec(open("x").read())`, each with its line.
    pub(super) executed: Vec<(String, usize)>,
    /// How many imports more it has than are taken up.
    pub(super) more: usize,
}

/// How many imports of one file are taken up; no file that a person wrote has more.
const MOST_IMPORTS: usize = 5_000;

/// Reads the imports of a module.
pub(super) fn of(module: &ModModule, lines: &Lines) -> Imports {
    let mut reader = Reader { lines, found: Imports::default(), around: Around::default(), seen: HashSet::new() };
    reader.visit_body(&module.body);
    reader.found
}

/// What an import stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Around {
    optional: bool,
    typing: bool,
    foreign: bool,
    python: Option<Bound>,
}

struct Reader<'l> {
    lines: &'l Lines,
    found: Imports,
    around: Around,
    /// Each import counts once on a line.
    seen: HashSet<(String, usize)>,
}

impl Reader<'_> {
    fn import(&mut self, path: &str, at: TextRange) {
        let line = self.lines.at(at);
        if path.is_empty() {
            return;
        }
        if self.seen.len() >= MOST_IMPORTS {
            self.found.more += 1;
            return;
        }
        if !self.seen.insert((path.to_owned(), line)) {
            return;
        }
        let Around { optional, typing, foreign, python } = self.around;
        self.found.modules.push(Imported { path: path.to_owned(), line, optional, typing, foreign, python });
    }

    fn within(&mut self, around: Around, body: &[Stmt]) {
        let outer = std::mem::replace(&mut self.around, around);
        for stmt in body {
            self.visit_stmt(stmt);
        }
        self.around = outer;
    }

    /// A `try`: what it and its handlers import may be absent where it catches that.
    fn attempt(&mut self, attempt: &StmtTry) {
        let caught = Around { optional: self.around.optional || catches_absence(attempt), ..self.around };
        self.within(caught, &attempt.body);
        for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
            self.within(caught, &handler.body);
        }
        self.within(caught, &attempt.orelse);
        self.within(self.around, &attempt.finalbody);
    }

    fn branch(&mut self, branch: &StmtIf) {
        self.visit_expr(&branch.test);
        let (then, otherwise) = branches(&branch.test, self.around);
        self.within(then, &branch.body);
        for clause in &branch.elif_else_clauses {
            let around = clause.test.as_ref().map_or(otherwise, |test| branches(test, otherwise).0);
            self.within(around, &clause.body);
        }
    }

    /// `importlib.import_module("x")`, `__import__("x")` and `sys.path.append("x")`.
    fn call(&mut self, call: &ExprCall) {
        let Some(name) = dotted(&call.func) else { return };
        let argument = |at: usize| call.arguments.args.get(at).and_then(string);
        match name.as_str() {
            "__import__" | "importlib.import_module" | "import_module" => {
                // A relative name needs the package that it is relative to.
                if let Some(path) = argument(0).filter(|path| is_module_path(path)) {
                    self.import(path, call.range());
                }
            }
            "exec" => {
                let opened = call.arguments.args.first().and_then(opened).map(str::to_owned);
                self.found.executed.extend(opened.map(|file| (file, self.lines.at(call.range()))));
            }
            "sys.path.append" | "path.append" => self.found.folders.extend(argument(0).map(str::to_owned)),
            "sys.path.insert" | "path.insert" => self.found.folders.extend(argument(1).map(str::to_owned)),
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.import(&alias.name, alias.range());
                }
            }
            Stmt::ImportFrom(import) if import.level == 0 => {
                let Some(module) = &import.module else { return };
                for alias in &import.names {
                    let name = if &alias.name == "*" { String::new() } else { format!(".{}", alias.name) };
                    self.import(&format!("{module}{name}"), import.range());
                }
            }
            Stmt::Try(attempt) => self.attempt(attempt),
            Stmt::If(branch) => self.branch(branch),
            Stmt::With(with) if with.items.iter().any(|item| suppresses_absence(&item.context_expr)) => {
                self.within(Around { optional: true, ..self.around }, &with.body);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr {
            self.call(call);
        }
        walk_expr(self, expr);
    }
}

/// The file that an expression reads or compiles: `x` of `open("x").read()` and of `compile(open("x").read(), …)`.
fn opened(expr: &Expr) -> Option<&str> {
    let mut expr = expr;
    // No way to read a file has more calls around it.
    for _ in 0..4 {
        expr = match expr {
            Expr::Call(call) => match (&*call.func, call.arguments.args.first()) {
                (Expr::Name(name), Some(first)) if matches!(name.id.as_str(), "open" | "Path") => return string(first),
                (Expr::Name(name), Some(first)) if name.id.as_str() == "compile" => first,
                (Expr::Attribute(method), _) => &method.value,
                _ => return None,
            },
            _ => return None,
        };
    }
    None
}

/// Whether `path` is an absolute module's name.
pub(super) fn is_module_path(path: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    path.split('.').all(is_name)
}

fn catches_absence(attempt: &StmtTry) -> bool {
    attempt.handlers.iter().any(|ExceptHandler::ExceptHandler(handler)| match handler.type_.as_deref() {
        None => true,
        Some(Expr::Tuple(kinds)) => kinds.elts.iter().any(is_absence),
        Some(kind) => is_absence(kind),
    })
}

fn is_absence(kind: &Expr) -> bool {
    matches!(last_name(kind), Some("ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException"))
}

/// `contextlib.suppress(ImportError)`.
fn suppresses_absence(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    last_name(&call.func) == Some("suppress") && call.arguments.args.iter().any(is_absence)
}

/// What stands around the branches of an `if` with this test: the one taken where it holds, and the others.
fn branches(test: &Expr, around: Around) -> (Around, Around) {
    if let Expr::UnaryOp(not) = test
        && not.op == ruff_python_ast::UnaryOp::Not
    {
        let (then, otherwise) = branches(&not.operand, around);
        return (otherwise, then);
    }
    let typing = Around { typing: true, ..around };
    let foreign = Around { foreign: true, ..around };
    match last_name(test) {
        Some("TYPE_CHECKING") => return (typing, around),
        _ if boolean(test) == Some(false) => return (typing, around),
        _ => {}
    }
    if let Some(bound) = version(test) {
        // Within a test there is another only where one of them says nothing.
        let with = |bound| Around { python: around.python.or(Some(bound)), ..around };
        return (with(bound), with(bound.opposite()));
    }
    match is_linux(test) {
        Some(false) => (foreign, around),
        Some(true) => (around, foreign),
        None if asks_for_presence(test) => (Around { optional: true, ..around }, around),
        None => (around, around),
    }
}

/// Whether a test of the platform holds on Linux: `sys.platform == "win32"`, `os.name == "nt"`,
/// `platform.system() == "Darwin"`, `sys.platform.startswith("win")`.
fn is_linux(test: &Expr) -> Option<bool> {
    if let Expr::Call(call) = test {
        let starts = dotted(&call.func).is_some_and(|name| name == "sys.platform.startswith");
        let prefix = call.arguments.args.first().and_then(string)?;
        return starts.then(|| "linux".starts_with(prefix));
    }
    let Expr::Compare(compare) = test else { return None };
    let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
    let value = string(right)?;
    let asked = match &*compare.left {
        Expr::Call(call) if call.arguments.args.is_empty() => dotted(&call.func)?,
        left => dotted(left)?,
    };
    let here = match asked.as_str() {
        "sys.platform" => value == "linux",
        "os.name" => value == "posix",
        "platform.system" => value == "Linux",
        _ => return None,
    };
    match op {
        CmpOp::Eq => Some(here),
        CmpOp::NotEq => Some(!here),
        _ => None,
    }
}

/// A test of Python's version by its minor: `sys.version_info >= (3, 11)`, `sys.version_info[:2] < (3, 8)`,
/// `sys.version_info.minor < 11`.
fn version(test: &Expr) -> Option<Bound> {
    let Expr::Compare(compare) = test else { return None };
    let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
    let number = |expr: &Expr| match expr {
        Expr::NumberLiteral(literal) => literal.value.as_int()?.as_u8(),
        _ => None,
    };
    let left = match &*compare.left {
        Expr::Subscript(subscript) => &*subscript.value,
        left => left,
    };
    let minor = match (dotted(left)?.as_str(), right) {
        ("sys.version_info" | "version_info", Expr::Tuple(parts)) => match parts.elts.get(..2)? {
            [major, minor] if number(major) == Some(3) => number(minor)?,
            _ => return None,
        },
        ("sys.version_info.minor" | "version_info.minor", right) => number(right)?,
        _ => return None,
    };
    match op {
        CmpOp::Lt => Some(Bound { below: true, minor }),
        CmpOp::GtE => Some(Bound { below: false, minor }),
        _ => None,
    }
}

/// Whether a test asks whether a module is there: `is_wandb_available()`, `importlib.util.find_spec("x") is not None`.
fn asks_for_presence(test: &Expr) -> bool {
    let call = match test {
        Expr::Compare(compare) => &compare.left,
        Expr::BoolOp(both) => {
            return both.values.iter().any(|part| matches!(part, Expr::Call(_)) && asks_for_presence(part));
        }
        other => other,
    };
    let Expr::Call(call) = call else { return false };
    last_name(&call.func)
        .is_some_and(|name| name == "find_spec" || (name.starts_with("is_") && name.ends_with("_available")))
}
