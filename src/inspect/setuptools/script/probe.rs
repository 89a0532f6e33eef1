//! Programs that scripts run to learn which GPU the machine has: `nvidia-smi` fails where there is none.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, Stmt};

use super::call::dotted;

/// Besides those whose names end in `-smi`.
const TOOLS: [&str; 5] = ["nvcc", "rocminfo", "hipcc", "hipconfig", "sycl-ls"];

/// The program for GPUs that a block runs.
pub(super) fn tool(body: &[Stmt]) -> Option<&str> {
    let mut calls = Calls(None);
    calls.visit_body(body);
    calls.0
}

/// Whether it comes with GPUs of NVIDIA.
pub(super) fn is_of_nvidia(tool: &str) -> bool {
    tool.starts_with("nv")
}

struct Calls<'a>(Option<&'a str>);

impl<'a> Visitor<'a> for Calls<'a> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression
            && runs(&call.func)
            && let Some(first) = call.arguments.args.first()
            && let Some(program) = program(first)
        {
            self.0 = self.0.or(Some(program));
        }
        walk_expr(self, expression);
    }
}

/// Whether a function runs a program (<https://docs.python.org/3/library/subprocess.html>).
fn runs(function: &Expr) -> bool {
    let name = dotted(function).unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    matches!(last, "run" | "call" | "check_call" | "check_output" | "getoutput" | "Popen" | "system")
}

/// The program of `["nvidia-smi", …]` and of `"nvidia-smi …"`.
fn program(command: &Expr) -> Option<&str> {
    let first = match command {
        Expr::List(list) => list.elts.first()?,
        Expr::Tuple(tuple) => tuple.elts.first()?,
        one => one,
    };
    let Expr::StringLiteral(text) = first else { return None };
    let name = text.value.to_str().split_whitespace().next()?.rsplit('/').next()?;
    (name.ends_with("-smi") || TOOLS.contains(&name)).then_some(name)
}
