//! Uses of `torch.compile`, in all their spellings
//! (<https://docs.pytorch.org/docs/stable/generated/torch.compile.html>).

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Decorator, Expr, ExprCall, Keyword, ModModule, Stmt, StmtImport, StmtImportFrom};
use ruff_text_size::{Ranged, TextRange};

use super::lines::Lines;
use super::syntax::{boolean, dotted, last_name, string};
use crate::model::{CompileForm, CompileUse, Origin};

/// The back end where none is given.
const DEFAULT_BACKEND: &str = "inductor";
/// What `torch.compile` takes besides the model.
const KEYWORDS: [&str; 6] = ["backend", "mode", "dynamic", "fullgraph", "options", "disable"];
/// Arguments by which libraries turn it on: of transformers' `TrainingArguments`
/// (<https://huggingface.co/docs/transformers/main_classes/trainer>) and of others that name it alike.
const SWITCHES: [&str; 3] = ["torch_compile", "use_torch_compile", "enable_torch_compile"];
/// Those that choose its back end and by that turn it on; the last is of Accelerate
/// (<https://huggingface.co/docs/accelerate/usage_guides/compilation>).
const BACKENDS: [&str; 2] = ["torch_compile_backend", "dynamo_backend"];
/// That chooses its mode.
const MODE: &str = "torch_compile_mode";
/// Modules whose `compile` is another.
const NOT_MODELS: [&str; 8] = ["re", "regex", "re2", "tf", "keras", "jit", "ast", "cpp_extension"];

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Torch,
    Dynamo,
    Functools,
    Compile,
    /// `torch._dynamo.optimize`, which was there before `torch.compile`.
    Optimize,
    Partial,
}

/// The uses in a module.
pub(super) fn uses(file: &str, module: &ModModule, lines: &Lines) -> Vec<CompileUse> {
    let mut names = Names::default();
    names.visit_body(&module.body);
    let mut reader = Reader { file, lines, names, uses: Vec::new(), answered: HashSet::new() };
    reader.visit_body(&module.body);
    reader.uses
}

/// What the names of a module stand for, wherever they are bound.
struct Names {
    meanings: HashMap<String, Meaning>,
    /// All names that an import binds.
    modules: HashSet<String>,
    torch: bool,
    keras: bool,
}

impl Default for Names {
    fn default() -> Self {
        // A module may have `torch` from elsewhere, such as `from common import *`; nobody calls anything else so.
        Self {
            meanings: HashMap::from([("torch".to_owned(), Meaning::Torch)]),
            modules: HashSet::new(),
            torch: false,
            keras: false,
        }
    }
}

impl Names {
    fn import(&mut self, import: &StmtImport) {
        for alias in &import.names {
            let first = alias.name.split('.').next().unwrap_or_default();
            self.module(first);
            let bound = alias.asname.as_ref().map_or(first, |name| name.as_str());
            self.modules.insert(bound.to_owned());
            let meaning = match (alias.name.as_str(), alias.asname.is_some()) {
                ("torch", _) => Meaning::Torch,
                ("torch._dynamo", true) => Meaning::Dynamo,
                ("functools", _) => Meaning::Functools,
                _ => continue,
            };
            self.meanings.insert(bound.to_owned(), meaning);
        }
    }

    fn import_from(&mut self, import: &StmtImportFrom) {
        let Some(module) = import.module.as_ref().filter(|_| import.level == 0) else { return };
        self.module(module.split('.').next().unwrap_or_default());
        for alias in &import.names {
            let meaning = match (module.as_str(), alias.name.as_str()) {
                ("torch", "compile") => Meaning::Compile,
                ("torch", "_dynamo") => Meaning::Dynamo,
                ("torch._dynamo", "optimize") => Meaning::Optimize,
                ("functools", "partial") => Meaning::Partial,
                _ => continue,
            };
            let bound = alias.asname.as_ref().unwrap_or(&alias.name);
            self.meanings.insert(bound.to_string(), meaning);
        }
    }

    fn module(&mut self, name: &str) {
        self.torch |= matches!(name, "torch" | "diffusers" | "transformers" | "lightning" | "pytorch_lightning");
        self.keras |= matches!(name, "tensorflow" | "keras" | "tf_keras");
    }

    /// `compile = torch.compile`, `compile = torch.compile if … else …`.
    fn assign(&mut self, target: &Expr, value: &Expr) {
        let Expr::Name(target) = target else { return };
        let value = match value {
            Expr::If(either) => self.of(&either.body).or_else(|| self.of(&either.orelse)),
            value => self.of(value),
        };
        if let Some(meaning) = value {
            self.meanings.insert(target.id.to_string(), meaning);
        }
    }

    fn of(&self, expr: &Expr) -> Option<Meaning> {
        match expr {
            Expr::Name(name) => self.meanings.get(name.id.as_str()).copied(),
            Expr::Attribute(attribute) => self.within(&attribute.value, &attribute.attr),
            // `getattr(torch, "compile", None)`.
            Expr::Call(call) if last_name(&call.func) == Some("getattr") => {
                self.within(call.arguments.args.first()?, string(call.arguments.args.get(1)?)?)
            }
            _ => None,
        }
    }

    /// What `attribute` of `value` stands for.
    fn within(&self, value: &Expr, attribute: &str) -> Option<Meaning> {
        match (self.of(value)?, attribute) {
            (Meaning::Torch, "compile") => Some(Meaning::Compile),
            (Meaning::Torch, "_dynamo") => Some(Meaning::Dynamo),
            (Meaning::Dynamo, "optimize") => Some(Meaning::Optimize),
            (Meaning::Functools, "partial") => Some(Meaning::Partial),
            _ => None,
        }
    }
}

impl<'a> Visitor<'a> for Names {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Assign(assign) => assign.targets.iter().for_each(|target| self.assign(target, &assign.value)),
            _ => walk_stmt(self, stmt),
        }
    }

    // Names are bound by statements, but for the walrus.
    fn visit_expr(&mut self, _: &'a Expr) {}
}

struct Reader<'l> {
    file: &'l str,
    lines: &'l Lines,
    names: Names,
    uses: Vec<CompileUse>,
    /// The expressions that are part of a use that was taken up.
    answered: HashSet<TextRange>,
}

impl Reader<'_> {
    fn a_use(&mut self, form: CompileForm, at: TextRange) -> CompileUse {
        self.answered.insert(at);
        CompileUse {
            form,
            backend: Some(DEFAULT_BACKEND.to_owned()),
            mode: None,
            dynamic: None,
            fullgraph: None,
            computed: Vec::new(),
            origin: Origin::file(self.file, self.lines.at(at)),
        }
    }

    /// A call in the place of a decorator or elsewhere, where it is a use.
    fn call(&mut self, call: &ExprCall, form: CompileForm) -> Option<CompileUse> {
        let arguments = &call.arguments;
        let (mut found, keywords) = match self.names.of(&call.func) {
            Some(Meaning::Compile) => (self.a_use(form, call.range()), &arguments.keywords),
            Some(Meaning::Optimize) => {
                let mut found = self.a_use(form, call.range());
                if let Some(backend) = arguments.args.first() {
                    take_backend(&mut found, "backend", backend);
                }
                (found, &arguments.keywords)
            }
            Some(Meaning::Partial)
                if arguments.args.first().and_then(|of| self.names.of(of)) == Some(Meaning::Compile) =>
            {
                self.answered.extend(arguments.args.first().map(Ranged::range));
                (self.a_use(form, call.range()), &arguments.keywords)
            }
            _ if self.is_method(call) => (self.a_use(CompileForm::Method, call.range()), &arguments.keywords),
            _ if last_name(&call.func) == Some("TorchDynamoPlugin") => {
                (self.a_use(CompileForm::Argument, call.range()), &arguments.keywords)
            }
            _ => return self.switched_on(call),
        };
        self.answered.insert(call.func.range());
        keywords.iter().for_each(|keyword| take(&mut found, keyword));
        Some(found)
    }

    /// Whether a call is `model.compile(…)` of `torch.nn.Module`, or of diffusers for the blocks of a model.
    fn is_method(&self, call: &ExprCall) -> bool {
        let Expr::Attribute(method) = &*call.func else { return false };
        let receiver = last_name(&method.value).unwrap_or_default();
        let is_module = matches!(&*method.value, Expr::Name(name) if self.names.modules.contains(name.id.as_str()));
        if is_module || NOT_MODELS.contains(&receiver) || !call.arguments.args.is_empty() {
            return false;
        }
        let keywords = &call.arguments.keywords;
        let named = |keyword: &Keyword| keyword.arg.as_ref().is_some_and(|arg| KEYWORDS.contains(&arg.as_str()));
        match method.attr.as_str() {
            "compile" if keywords.iter().any(named) => {
                keywords.iter().all(|keyword| keyword.arg.is_none() || named(keyword))
            }
            // Without an argument of torch's own it is told by what else the file imports.
            "compile" => self.names.torch && !self.names.keras && keywords.iter().all(|keyword| keyword.arg.is_none()),
            "compile_repeated_blocks" => true,
            _ => false,
        }
    }

    /// A call with an argument by which a library turns it on.
    fn switched_on(&mut self, call: &ExprCall) -> Option<CompileUse> {
        let value = |names: &[&str]| {
            let keywords = call.arguments.keywords.iter();
            let mut named = keywords.filter_map(|keyword| Some((keyword.arg.as_ref()?.as_str(), &keyword.value)));
            named.find(|(name, _)| names.contains(name))
        };
        let (switch, backend, mode) = (value(&SWITCHES), value(&BACKENDS), value(&[MODE]));
        let off = |value: &Expr| boolean(value) == Some(false) || value.is_none_literal_expr();
        let none = |value: &Expr| string(value).is_some_and(|value| value.eq_ignore_ascii_case("no")) || off(value);
        if switch.is_some_and(|(_, value)| off(value))
            || (switch.is_none() && backend.is_some_and(|(_, value)| none(value)))
        {
            return None;
        }
        let (_, first) = switch.or(backend).or(mode)?;
        let mut found = self.a_use(CompileForm::Argument, first.range());
        if let Some((name, value)) = switch.filter(|(_, value)| boolean(value).is_none()) {
            found.computed.extend(Some(name.to_owned()).filter(|_| !value.is_literal_expr()));
        }
        if let Some((name, value)) = backend {
            take_backend(&mut found, name, value);
        }
        if let Some((name, value)) = mode {
            take_mode(&mut found, name, value);
        }
        Some(found)
    }

    /// `torch.compile` itself, handed to something that will call it.
    fn handed_over(&mut self, call: &ExprCall) {
        for argument in &call.arguments.args {
            if self.names.of(argument) == Some(Meaning::Compile) && !self.answered.contains(&argument.range()) {
                let found = self.a_use(CompileForm::Call, argument.range());
                self.uses.push(found);
            }
        }
    }
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_decorator(&mut self, decorator: &'a Decorator) {
        let found = match &decorator.expression {
            Expr::Call(call) => self.call(call, CompileForm::Decorator),
            expr if self.names.of(expr) == Some(Meaning::Compile) => {
                Some(self.a_use(CompileForm::Decorator, expr.range()))
            }
            _ => None,
        };
        self.uses.extend(found);
        self.visit_expr(&decorator.expression);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr {
            if !self.answered.contains(&call.range()) {
                let found = self.call(call, CompileForm::Call);
                self.uses.extend(found);
            }
            self.handed_over(call);
        }
        walk_expr(self, expr);
    }
}

/// Takes up a keyword argument.
fn take(found: &mut CompileUse, keyword: &Keyword) {
    let Some(name) = &keyword.arg else {
        let what = dotted(&keyword.value).unwrap_or_default();
        found.computed.push(format!("**{what}"));
        return;
    };
    match name.as_str() {
        "backend" => take_backend(found, name, &keyword.value),
        "mode" => take_mode(found, name, &keyword.value),
        "dynamic" => found.dynamic = flag(found, name, &keyword.value),
        // As `torch._dynamo.optimize` calls it.
        "fullgraph" | "nopython" => found.fullgraph = flag(found, name, &keyword.value),
        "disable" => _ = flag(found, name, &keyword.value),
        "options" if !keyword.value.is_dict_expr() && !keyword.value.is_none_literal_expr() => {
            found.computed.push(name.to_string());
        }
        _ => {}
    }
}

fn take_backend(found: &mut CompileUse, name: &str, value: &Expr) {
    if value.is_none_literal_expr() {
        return;
    }
    found.backend = string(value).map(str::to_ascii_lowercase);
    if found.backend.is_none() {
        found.computed.push(name.to_owned());
    }
}

fn take_mode(found: &mut CompileUse, name: &str, value: &Expr) {
    if value.is_none_literal_expr() {
        return;
    }
    found.mode = string(value).map(str::to_owned);
    if found.mode.is_none() {
        found.computed.push(name.to_owned());
    }
}

fn flag(found: &mut CompileUse, name: &str, value: &Expr) -> Option<bool> {
    if !value.is_literal_expr() {
        found.computed.push(name.to_owned());
    }
    boolean(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::python_file::with_module;

    /// The uses in `text`, each as `line form backend [mode] [flags] [computed]`.
    fn found(text: &str) -> Vec<String> {
        let lines = Lines::of(text);
        let uses = with_module(text, |module| uses("x.py", module, &lines)).unwrap();
        let said = |found: &CompileUse| {
            let Origin::File { line, .. } = found.origin else { panic!("no line") };
            let mut words = vec![line.to_string(), format!("{:?}", found.form)];
            words.push(found.backend.clone().unwrap_or("-".to_owned()));
            words.extend(found.mode.clone());
            words.extend(found.dynamic.map(|value| format!("dynamic={value}")));
            words.extend(found.fullgraph.map(|value| format!("fullgraph={value}")));
            words.extend(found.computed.iter().map(|name| format!("?{name}")));
            words.join(" ")
        };
        uses.iter().map(said).collect()
    }

    #[test]
    fn calls_and_their_arguments() {
        assert_eq!(found("import torch\n\nm = torch.compile(m)"), ["3 Call inductor"]);
        let text = "m = torch.compile(m, backend='aot_eager', mode=\"max-autotune\", dynamic=False, fullgraph=True)";
        assert_eq!(found(text), ["1 Call aot_eager max-autotune dynamic=false fullgraph=true"]);
        let text = "m = torch.compile(m, backend=mine, mode=args.mode, dynamic=None, disable=not args.compile, **more)";
        assert_eq!(found(text), ["1 Call - ?backend ?mode ?disable ?**more"]);
        assert_eq!(found("torch._dynamo.optimize('inductor', nopython=True)(m)"), ["1 Call inductor fullgraph=true"]);
        assert_eq!(found("torch.compile(torch.compile(m), options={'x': 1})"), ["1 Call inductor", "1 Call inductor"]);
    }

    #[test]
    fn other_names_of_it() {
        assert_eq!(found("import torch as th\nth.compile(m)"), ["2 Call inductor"]);
        assert_eq!(found("from torch import compile as tc\ntc(m)"), ["2 Call inductor"]);
        assert_eq!(found("compile = torch.compile\ncompile(m)"), ["2 Call inductor"]);
        assert_eq!(found("c = torch.compile if x else (lambda m: m)\nc(m)"), ["2 Call inductor"]);
        assert_eq!(found("import torch._dynamo as d\nd.optimize(mine)(m)"), ["2 Call - ?backend"]);
        assert_eq!(found("from functools import partial as p\nf = p(torch.compile, mode='x')"), ["2 Call inductor x"]);
        assert_eq!(found("m = getattr(torch, 'compile')(m)"), ["1 Call inductor"]);
        assert_eq!(found("c = getattr(torch, 'compile', None)\nif c:\n    c(m, mode='x')"), ["3 Call inductor x"]);
        assert_eq!(found("ms = map(torch.compile, ms)"), ["1 Call inductor"]);
        assert_eq!(found("compile('1', '', 'eval')\nhasattr(torch, 'compile')\ntorch.compiler.reset()"), [""; 0]);
    }

    #[test]
    fn decorators() {
        assert_eq!(found("@torch.compile\ndef f(): pass"), ["1 Decorator inductor"]);
        let text = "class A:\n    @torch.no_grad()\n    @torch.compile(mode='x', dynamic=True)\n    def f(self): pass";
        assert_eq!(found(text), ["3 Decorator inductor x dynamic=true"]);
        let text = "import functools\n@functools.partial(torch.compile, fullgraph=True)\ndef f(): pass";
        assert_eq!(found(text), ["2 Decorator inductor fullgraph=true"]);
    }

    #[test]
    fn methods_of_models_and_of_nothing_else() {
        assert_eq!(found("model.compile(mode='x')"), ["1 Method inductor x"]);
        assert_eq!(found("import torch\nself.model.compile()"), ["2 Method inductor"]);
        assert_eq!(
            found("pipe.transformer.compile_repeated_blocks(fullgraph=True)"),
            ["1 Method inductor fullgraph=true"]
        );
        let not = "import torch, re, py_compile\nre.compile('x')\npy_compile.compile()\npattern.compile('x')\n\
                   model.compile(loss='mse', optimizer='adam')\n";
        assert_eq!(found(not), [""; 0]);
        assert_eq!(found("import torch, keras\nmodel.compile()"), [""; 0]);
        assert_eq!(found("query.compile()"), [""; 0]);
    }

    #[test]
    fn switches_of_other_libraries() {
        let text =
            "TrainingArguments(\n  torch_compile=True,\n  torch_compile_backend='inductor',\n  torch_compile_mode='x')";
        assert_eq!(found(text), ["2 Argument inductor x"]);
        assert_eq!(found("Accelerator(dynamo_backend='INDUCTOR')"), ["1 Argument inductor"]);
        assert_eq!(found("Args(torch_compile=args.c)"), ["1 Argument inductor ?torch_compile"]);
        assert_eq!(found("TorchDynamoPlugin(backend='inductor', mode='x')"), ["1 Argument inductor x"]);
        assert_eq!(
            found("Args(torch_compile=False, torch_compile_mode='x'); Accelerator(dynamo_backend='no')"),
            [""; 0]
        );
    }
}
