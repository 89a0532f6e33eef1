//! A `setup.py`, followed statement by statement without running it: what its call of `setup(…)` is given, as far as
//! constants, lists, the reading of requirements files and functions made of these tell.
//!
//! What is not known is a value of its own, with the line where it comes from. Every step costs something of a budget,
//! so that no script takes long, and the depth is limited, so that none overflows the stack.

mod branch;
mod call;
mod comprehension;
mod condition;
mod expression;
mod known;
mod method;
mod names;
mod probe;
mod text;
pub(super) mod value;

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{ExceptHandler, Expr, ModModule, Stmt, StmtFor, StmtTry};
use ruff_text_size::{Ranged, TextSize};

use self::branch::Branched;
use self::value::{Callable, Item, Value};
use super::requirement::{Sure, When};

/// What a script may cost, in values made or copied.
const BUDGET: usize = 1_000_000;
/// The deepest that expressions, statements and calls are followed.
const DEEPEST: usize = 200;
/// The largest value that is kept.
const HEAVIEST: usize = 20_000;

/// The key of a dictionary under which stand those that are not known.
pub(super) const ANY: &str = "*";

/// What is known of a script.
pub(super) struct Script<'a> {
    /// The arguments of `setup(…)` by keyword, each with its line.
    pub(super) keywords: BTreeMap<String, (Value<'a>, usize)>,
    /// Lines of `**` arguments that are not known.
    pub(super) opaque: Vec<usize>,
    /// The line of the call; none where there is none.
    pub(super) called: Option<usize>,
    /// The environment variables that it reads.
    pub(super) variables: BTreeSet<String>,
    /// The files of which it leaves lines out.
    pub(super) filtered: BTreeSet<String>,
    /// Where it imports torch.
    pub(super) torch: Option<usize>,
    /// The programs that it runs to learn which GPU is there, each with its line.
    pub(super) probes: BTreeMap<String, usize>,
    /// A keyword that the call gives twice, and where it does so again.
    pub(super) repeated: Option<(String, usize)>,
    /// Whether it was too much to follow to its end.
    pub(super) exhausted: bool,
}

/// What is taken for true of the machine that runs a script.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// Whether its GPU is one of NVIDIA.
    pub(super) nvidia: bool,
    /// Whether environment variables are unset, rather than unknown.
    pub(super) unset: bool,
}

impl Around {
    /// Where an image is built.
    pub(super) const BUILD: Self = Self { nvidia: true, unset: true };
}

/// Follows a script on such a machine; `exists` tells whether a file is there,
/// relative to the script's folder.
pub(super) fn follow<'a>(
    module: &'a ModModule,
    text: &'a str,
    exists: &dyn Fn(&str) -> bool,
    around: Around,
) -> Script<'a> {
    let ends = text.match_indices('\n').map(|(at, _)| at).collect();
    let mut machine = Machine {
        text,
        ends,
        exists,
        scopes: vec![BTreeMap::new()],
        running: Vec::new(),
        depth: 0,
        around,
        attempts: 0,
        budget: BUDGET,
        script: Script {
            keywords: BTreeMap::new(),
            opaque: Vec::new(),
            called: None,
            variables: BTreeSet::new(),
            filtered: BTreeSet::new(),
            torch: None,
            probes: BTreeMap::new(),
            repeated: None,
            exhausted: false,
        },
    };
    machine.block(&module.body);
    if machine.script.called.is_none() {
        machine.uncalled(&module.body);
    }
    machine.script.exhausted = machine.budget == 0;
    machine.script
}

/// Names and what they are worth.
type Scope<'a> = BTreeMap<&'a str, Value<'a>>;

/// How a block ends.
#[derive(Debug, PartialEq)]
enum Flow<'a> {
    Next,
    Return(Value<'a>),
    /// On to the next round of a loop, or out of it.
    Skip,
    /// An exception, or the end of the program.
    Raise,
}

struct Machine<'a, 'x> {
    text: &'a str,
    ends: Vec<usize>,
    exists: &'x dyn Fn(&str) -> bool,
    /// The module's names, and those of each function that is being called.
    scopes: Vec<Scope<'a>>,
    /// The functions that are being called.
    running: Vec<Callable<'a>>,
    depth: usize,
    around: Around,
    /// How many `try` statements with handlers are around.
    attempts: usize,
    budget: usize,
    script: Script<'a>,
}

impl<'a> Machine<'a, '_> {
    fn line(&self, at: TextSize) -> usize {
        self.ends.partition_point(|end| *end < at.to_usize()) + 1
    }

    fn line_of(&self, node: &impl Ranged) -> usize {
        self.line(node.start())
    }

    /// Takes `cost` from the budget; false where that is used up.
    fn charge(&mut self, cost: usize) -> bool {
        self.budget = self.budget.saturating_sub(cost.max(1));
        self.budget > 0
    }

    /// `value`, if it is not too large.
    fn kept(&mut self, value: Value<'a>, line: usize) -> Value<'a> {
        let weight = value.weight();
        if self.charge(weight) && weight <= HEAVIEST { value } else { Value::Unknown(line) }
    }

    fn lookup(&self, name: &str) -> Option<&Value<'a>> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    fn lookup_mut(&mut self, name: &str) -> Option<&mut Value<'a>> {
        self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name))
    }

    fn block(&mut self, body: &'a [Stmt]) -> Flow<'a> {
        if self.depth >= DEEPEST {
            return Flow::Next;
        }
        self.depth += 1;
        let flow = self.statements(body);
        self.depth -= 1;
        flow
    }

    fn statements(&mut self, body: &'a [Stmt]) -> Flow<'a> {
        for (index, statement) in body.iter().enumerate() {
            if !self.charge(1) {
                return Flow::Next;
            }
            let flow = match statement {
                Stmt::If(branch) => match self.branch(branch) {
                    Branched::One(flow) => flow,
                    Branched::Left { left, flow, marker } => {
                        let rest = body.get(index + 1..).unwrap_or_default();
                        return self.without(left, flow, marker.as_ref(), rest);
                    }
                },
                other => self.statement(other),
            };
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn statement(&mut self, statement: &'a Stmt) -> Flow<'a> {
        match statement {
            Stmt::FunctionDef(function) => {
                self.bind_name(function.name.as_str(), Value::Function(Callable::Named(function)));
            }
            Stmt::Assign(assign) => {
                let value = self.eval(&assign.value);
                for target in &assign.targets {
                    self.bind(target, value.clone());
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    let value = self.eval(value);
                    self.bind(&assign.target, value);
                }
            }
            Stmt::AugAssign(assign) => self.augment(&assign.target, &assign.value, assign.op),
            Stmt::Expr(expression) if ends_program(&expression.value) => return Flow::Raise,
            Stmt::Expr(expression) => {
                self.eval(&expression.value);
            }
            Stmt::Return(returned) => {
                let value = returned.value.as_ref().map_or(Value::None, |value| self.eval(value));
                return Flow::Return(value);
            }
            Stmt::Raise(_) => return Flow::Raise,
            Stmt::Continue(_) | Stmt::Break(_) => return Flow::Skip,
            Stmt::For(each) => return self.each(each),
            Stmt::While(round) => return in_loop(self.block(&round.body)),
            Stmt::With(with) => {
                for item in &with.items {
                    let value = self.eval(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.bind(target, value);
                    }
                }
                return self.block(&with.body);
            }
            Stmt::Try(attempt) => return self.attempt(attempt),
            Stmt::Import(import) => {
                let torch = import.names.iter().any(|alias| alias.name.split('.').next() == Some("torch"));
                self.imports(torch, statement);
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_deref().unwrap_or_default();
                self.imports(import.level == 0 && module.split('.').next() == Some("torch"), statement);
            }
            _ => {}
        }
        Flow::Next
    }

    fn attempt(&mut self, attempt: &'a StmtTry) -> Flow<'a> {
        if let Some(ExceptHandler::ExceptHandler(handler)) = attempt.handlers.first()
            && let Some(tool) = probe::tool(&attempt.body)
        {
            let line = self.line_of(attempt);
            self.script.probes.entry(tool.to_owned()).or_insert(line);
            if probe::is_of_nvidia(tool) != self.around.nvidia {
                let flow = self.block(&handler.body);
                self.block(&attempt.finalbody);
                return flow;
            }
        }
        // What a handler does is for machines on which something is missing.
        self.attempts += usize::from(!attempt.handlers.is_empty());
        let flow = self.block(&attempt.body);
        self.attempts -= usize::from(!attempt.handlers.is_empty());
        if flow == Flow::Next || flow == Flow::Raise {
            self.block(&attempt.orelse);
            self.block(&attempt.finalbody);
            return Flow::Next;
        }
        flow
    }

    fn imports(&mut self, torch: bool, statement: &Stmt) {
        if torch && self.attempts == 0 && self.script.torch.is_none() {
            self.script.torch = Some(self.line_of(statement));
        }
    }

    fn each(&mut self, each: &'a StmtFor) -> Flow<'a> {
        let line = self.line_of(&*each.iter);
        let over = self.eval(&each.iter);
        let (items, known) = match over.items() {
            Some(items) => (items, true),
            None => (vec![Value::Unknown(line).into()], false),
        };
        for item in items {
            let sure = if known { item.when.clone() } else { When::unsure(Sure::Maybe) };
            let before = (sure != When::default()).then(|| self.scopes.clone());
            self.bind(&each.target, item.value);
            let flow = in_loop(self.block(&each.body));
            if let Some(before) = before {
                self.rejoin(before, &sure, line);
            }
            if flow != Flow::Next || !self.charge(1) {
                return flow;
            }
        }
        Flow::Next
    }
}

/// Whether an expression is a call of `sys.exit` or its kin.
fn ends_program(expression: &Expr) -> bool {
    let Expr::Call(call) = expression else { return false };
    matches!(call::dotted(&call.func).as_deref(), Some("sys.exit" | "exit" | "quit" | "os._exit"))
}

fn in_loop(flow: Flow<'_>) -> Flow<'_> {
    if flow == Flow::Skip { Flow::Next } else { flow }
}

impl<'a> Machine<'a, '_> {
    /// Follows the functions that call `setup`, where nothing calls these.
    fn uncalled(&mut self, body: &'a [Stmt]) {
        for statement in body {
            if let Stmt::FunctionDef(function) = statement
                && self.script.called.is_none()
            {
                self.call_function(Callable::Named(function), &[], &[], self.line_of(function));
            }
        }
    }
}

impl<'a> Value<'a> {
    /// What a loop over it goes through; none where that is not known.
    fn items(&self) -> Option<Vec<Item<'a>>> {
        let as_line = |item: &Item<'a>| match &item.value {
            Value::File(file) => Item { value: Value::Line(file.clone()), when: item.when.clone() },
            _ => item.clone(),
        };
        match self {
            Self::List(items) => Some(items.iter().map(as_line).collect()),
            Self::Dict(entries) => Some(entries.iter().map(|(key, _)| Self::text(key.clone(), 1).into()).collect()),
            Self::File(file) | Self::Line(file) => Some(vec![Self::Line(file.clone()).into()]),
            Self::None => Some(Vec::new()),
            _ => None,
        }
    }
}
