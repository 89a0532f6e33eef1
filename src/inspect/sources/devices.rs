//! The devices that a file names (<https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.device>).

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_parameters, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, ModModule, Parameters, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::lines::Lines;
use super::syntax::{beginning, last_name, string};
use crate::model::{DeviceUse, Origin};

/// What torch calls the devices that a model runs on.
const DEVICES: [&str; 8] = ["cpu", "cuda", "mps", "xpu", "hpu", "npu", "xla", "mtia"];
/// Methods that move a tensor to the device of their name. `.cpu()` is for looking at results, and tells nothing.
const MOVES: [&str; 5] = ["cuda", "xpu", "hpu", "npu", "mtia"];
/// Calls whose first argument may be a device.
const TAKE_ONE: [&str; 5] = ["device", "to", "set_default_device", "autocast", "empty_cache"];
/// Names of arguments, variables and keys that hold a device.
const NAMES: [&str; 5] = ["device", "map_location", "device_type", "device_map", "default_device"];

/// The devices that a module names, each once, at its first place.
pub(super) fn named(file: &str, module: &ModModule, lines: &Lines) -> Vec<DeviceUse> {
    let mut reader = Reader { file, lines, found: Vec::new() };
    reader.visit_body(&module.body);
    reader.found
}

struct Reader<'l> {
    file: &'l str,
    lines: &'l Lines,
    found: Vec<DeviceUse>,
}

impl Reader<'_> {
    fn device(&mut self, device: &str, at: TextRange) {
        if !self.found.iter().any(|known| known.device == device) {
            let origin = Origin::file(self.file, self.lines.at(at));
            self.found.push(DeviceUse { device: device.to_owned(), origin });
        }
    }

    /// Where a device is expected.
    fn expected(&mut self, expr: &Expr) {
        match expr {
            Expr::If(either) => {
                self.expected(&either.body);
                self.expected(&either.orelse);
            }
            Expr::BoolOp(either) => either.values.iter().for_each(|value| self.expected(value)),
            _ => {
                if let Some(device) = device(expr) {
                    self.device(device, expr.range());
                }
            }
        }
    }

    fn call(&mut self, call: &ExprCall) {
        let name = last_name(&call.func).unwrap_or_default();
        let (args, keywords) = (&call.arguments.args, &call.arguments.keywords);
        if MOVES.contains(&name) && call.func.is_attribute_expr() {
            self.device(name, call.range());
        }
        if let Some(first) = args.first().filter(|_| TAKE_ONE.contains(&name)) {
            self.expected(first);
        }
        // `parser.add_argument("--device", default="cuda")`.
        let option = args.iter().filter_map(string).any(holds_device);
        for keyword in keywords {
            let named = keyword.arg.as_ref().is_some_and(|arg| holds_device(arg) || (option && arg == "default"));
            if named {
                self.expected(&keyword.value);
            }
        }
    }
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) if assign.targets.iter().filter_map(last_name).any(holds_device) => {
                self.expected(&assign.value);
            }
            Stmt::AnnAssign(assign) if last_name(&assign.target).is_some_and(holds_device) => {
                assign.value.iter().for_each(|value| self.expected(value));
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter_non_variadic_params().filter(|one| holds_device(&one.parameter.name)) {
            parameter.default.iter().for_each(|default| self.expected(default));
        }
        walk_parameters(self, parameters);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => self.call(call),
            // Whatever it is assigned to: `"cuda" if torch.cuda.is_available() else "cpu"`.
            Expr::If(_) => self.expected(expr),
            Expr::Dict(dict) => {
                for item in
                    dict.items.iter().filter(|item| item.key.as_ref().and_then(string).is_some_and(holds_device))
                {
                    self.expected(&item.value);
                }
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// Whether something of this name holds a device: `device`, `--device`, `model_device`.
fn holds_device(name: &str) -> bool {
    let name = name.trim_start_matches('-');
    NAMES.contains(&name) || name.ends_with("_device") || name.ends_with("-device")
}

/// The device that a constant names, without its index.
fn device(expr: &Expr) -> Option<&'static str> {
    let (text, whole) = match string(expr) {
        Some(text) => (text, true),
        None => (beginning(expr)?, false),
    };
    let (name, index) = text.split_once(':').unwrap_or((text, ""));
    // `f"cuda:{rank}"` has its index in a hole.
    let is_one = (whole || text.contains(':')) && index.chars().all(|c| c.is_ascii_digit());
    DEVICES.into_iter().find(|device| is_one && *device == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::python_file::with_module;

    fn found(text: &str) -> Vec<(String, usize)> {
        let lines = Lines::of(text);
        let devices = with_module(text, |module| named("x.py", module, &lines)).unwrap();
        let line = |origin: &Origin| if let Origin::File { line, .. } = origin { *line } else { 0 };
        devices.into_iter().map(|found| (found.device, line(&found.origin))).collect()
    }

    fn names(text: &str) -> Vec<String> {
        found(text).into_iter().map(|(device, _)| device).collect()
    }

    #[test]
    fn each_device_is_named_once() {
        let text = "import torch\nd = 'cuda' if torch.cuda.is_available() else 'cpu'\nx.to('cuda:1')\n\nx.to(\"mps\")";
        assert_eq!(found(text), [("cuda".to_owned(), 2), ("cpu".to_owned(), 2), ("mps".to_owned(), 5)]);
    }

    #[test]
    fn devices_are_found_where_they_are_expected() {
        for text in [
            "torch.device('cuda')",
            "x.cuda()",
            "load(p, map_location='cuda:0')",
            "device = f'cuda:{rank}'",
            "p.add_argument('--device', type=str, default='cuda')",
            "def f(x, *, device='cuda'): pass",
            "class A:\n    device: str = 'cuda'",
            "c = {'device': 'cuda'}",
            "with torch.autocast(device_type='cuda'): pass",
            "device = args.device or 'cuda'",
        ] {
            assert_eq!(names(text), ["cuda"], "{text}");
        }
    }

    #[test]
    fn other_strings_are_no_devices() {
        assert_eq!(
            names("print('cuda')\nx = 'cpu'\nx.cpu()\nx.to('cudax')\nx.to(f'cuda{n}')\ntorch.cuda.is_available()"),
            [""; 0]
        );
    }
}
