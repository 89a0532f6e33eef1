//! Python source, parsed as Ruff parses it, and never run.
//!
//! The parser grows its stack as it recurses, but neither dropping nor walking its tree does. So text that nests deeper
//! than any person writes is refused by a scan of its tokens, and the rest is read on a thread with a large stack. Who
//! reads many files spares threads: [`on_big_stack`] once, and [`parse_on_this_thread`] for each.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ruff_python_ast::ModModule;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::lexer::lex;
use ruff_python_parser::{Mode, parse_module};

/// No file that a person wrote is longer, in bytes.
const LONGEST: usize = 2 << 20;
/// Python itself refuses deeper blocks (`MAXINDENT`,
/// <https://github.com/python/cpython/blob/main/Parser/lexer/state.h>).
const MOST_BLOCKS: usize = 100;
/// Python itself refuses more open brackets (`MAXLEVEL`, there).
const MOST_BRACKETS: usize = 200;
/// The deepest tree: a chain of a thousand operators is a generated table, and Python still reads it.
const DEEPEST: usize = 3000;
/// Of the thread, in bytes, only what is used is ever there: 20 KiB for each level of the deepest tree.
const STACK: usize = 64 << 20;

/// Why a text is not read: what is wrong, and the line (from 1).
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) message: String,
    pub(super) line: usize,
}

impl Unreadable {
    fn new(message: impl Into<String>, line: usize) -> Self {
        Self { message: message.into(), line }
    }
}

/// What `look` makes of the module that `text` is.
pub(super) fn with_module<T: Send>(text: &str, look: impl FnOnce(&ModModule) -> T + Send) -> Result<T, Unreadable> {
    on_big_stack(|| parse_on_this_thread(text, look))?
}

/// What `work` makes, on a thread whose stack holds any tree that [`parse_on_this_thread`] lets through.
pub(super) fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Unreadable> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| Unreadable::new(format!("no thread to read it on: {error}"), 1))?;
        thread.join().map_err(|_| Unreadable::new("the parser failed", 1))
    })
}

/// What `look` makes of the module that `text` is; for a thread that [`on_big_stack`] made.
pub(super) fn parse_on_this_thread<T>(text: &str, look: impl FnOnce(&ModModule) -> T) -> Result<T, Unreadable> {
    guard(text)?;
    let parse = AssertUnwindSafe(|| match parse_module(text) {
        Ok(parsed) => Ok(look(parsed.syntax())),
        Err(error) => {
            let line = super::text::line_at(text, error.location.start().to_usize());
            Err(Unreadable::new(error.error.to_string(), line))
        }
    });
    // One file that fails must not take the others with it.
    catch_unwind(parse).unwrap_or_else(|_| Err(Unreadable::new("the parser failed", 1)))
}

/// Refuses what would nest too deep.
fn guard(text: &str) -> Result<(), Unreadable> {
    if text.len() > LONGEST {
        return Err(Unreadable::new(format!("it is longer than {} MiB", LONGEST >> 20), 1));
    }
    if !is_too_deep(text) {
        return Ok(());
    }
    // The lexer keeps its place to itself: the first line with which the text is too deep is found by halving.
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).chain([text.len()]).collect();
    let before = ends.partition_point(|end| !text.get(..*end).is_some_and(is_too_deep));
    Err(Unreadable::new("it nests too deep", (before + 1).min(ends.len())))
}

/// Whether the tree of `text` may be deeper than is read.
fn is_too_deep(text: &str) -> bool {
    let mut lexer = lex(text, Mode::Module);
    let mut nesting = Nesting::default();
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return false,
            token => nesting.take(token),
        }
        if nesting.is_too_deep() {
            return true;
        }
    }
}

/// How deep the tree may be at a token, at most: whatever is no name or literal may put what follows, or what came
/// before, one level deeper, until the element of a list or the statement ends.
#[derive(Default)]
struct Nesting {
    blocks: usize,
    /// The brackets that are open.
    open: Vec<Bracket>,
    /// What the statement adds outside of brackets.
    statement: Chain,
    /// What the chains of all brackets and of the statement add up to.
    chained: usize,
}

struct Bracket {
    closer: TokenKind,
    chain: Chain,
}

#[derive(Default, Clone, Copy)]
struct Chain {
    /// Levels that last until the bracket closes: a `lambda` and a `yield` go on behind a comma.
    lasting: usize,
    /// Levels that end with the element.
    passing: usize,
}

impl Nesting {
    fn is_too_deep(&self) -> bool {
        self.blocks > MOST_BLOCKS || self.open.len() > MOST_BRACKETS || self.blocks + self.chained > DEEPEST
    }

    fn chain(&mut self) -> &mut Chain {
        self.open.last_mut().map_or(&mut self.statement, |bracket| &mut bracket.chain)
    }

    fn take(&mut self, token: TokenKind) {
        match token {
            TokenKind::Indent => self.blocks += 1,
            TokenKind::Dedent => self.blocks = self.blocks.saturating_sub(1),
            TokenKind::Comma => self.chained -= std::mem::take(&mut self.chain().passing),
            TokenKind::Newline | TokenKind::Semi => {
                let chain = std::mem::take(self.chain());
                self.chained -= chain.passing + chain.lasting;
            }
            TokenKind::Lambda | TokenKind::Yield => {
                let chain = self.chain();
                chain.lasting += std::mem::take(&mut chain.passing) + 1;
                self.chained += 1;
            }
            TokenKind::Lpar => self.open(TokenKind::Rpar),
            TokenKind::Lsqb => self.open(TokenKind::Rsqb),
            TokenKind::Lbrace => self.open(TokenKind::Rbrace),
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => self.close(token),
            _ if is_leaf(token) => {}
            _ => self.deepen(),
        }
    }

    fn deepen(&mut self) {
        self.chain().passing += 1;
        self.chained += 1;
    }

    /// A bracket is also a link of the chain that it stands in: `a()()()`.
    fn open(&mut self, closer: TokenKind) {
        self.deepen();
        self.open.push(Bracket { closer, chain: Chain::default() });
    }

    /// A bracket that closes nothing is an error, from which the parser may recover within the one that is open.
    fn close(&mut self, token: TokenKind) {
        if let Some(bracket) = self.open.pop_if(|bracket| bracket.closer == token) {
            self.chained -= bracket.chain.passing + bracket.chain.lasting;
        }
    }
}

fn is_leaf(token: TokenKind) -> bool {
    matches!(
        token,
        TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::TStringStart
            | TokenKind::TStringMiddle
            | TokenKind::TStringEnd
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
    use ruff_python_ast::{Expr, Stmt};

    use super::*;

    /// Walks all, on large frames.
    struct Walk(usize);

    impl<'a> Visitor<'a> for Walk {
        fn visit_expr(&mut self, expr: &'a Expr) {
            let frame = std::hint::black_box([1_u8; 8 << 10]);
            self.0 += usize::from(frame[self.0 % 8]);
            walk_expr(self, expr);
        }

        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            walk_stmt(self, stmt);
        }
    }

    fn read(text: &str) -> Result<usize, Unreadable> {
        with_module(text, |module| {
            let mut walk = Walk(0);
            for stmt in &module.body {
                walk.visit_stmt(stmt);
            }
            walk.0
        })
    }

    fn line(text: &str) -> Option<usize> {
        read(text).err().map(|error| error.line)
    }

    /// `before` and `after`, `depth` times around `x`.
    fn around(before: &str, after: &str, depth: usize) -> String {
        format!("{}x{}\n", before.repeat(depth), after.repeat(depth))
    }

    /// Every way to nest: what stands before and after.
    const WAYS: [(&str, &str); 26] = [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("x[", "]"),
        ("1+(", ")"),
        ("-(", ")"),
        ("(lambda a, b: ", ")"),
        ("-", ""),
        ("not ", ""),
        ("x**", ""),
        ("await ", ""),
        ("lambda: ", ""),
        ("lambda a, b: ", ""),
        ("x if x else ", ""),
        ("", " if x else x"),
        ("yield x, ", ""),
        ("x = ", ""),
        ("x + ", ""),
        ("", ".x"),
        ("", "()"),
        ("", "[0]"),
        ("x and not x or ", ""),
        ("x < ", ""),
        ("async ", ""),
        ("x @ -", ""),
    ];

    #[test]
    fn the_deepest_text_that_passes_does_not_overflow() {
        for (before, after) in WAYS {
            let (mut deepest, mut refused) = (1, DEEPEST + 2);
            while refused - deepest > 1 {
                let depth = usize::midpoint(deepest, refused);
                let end = if is_too_deep(&around(before, after, depth)) { &mut refused } else { &mut deepest };
                *end = depth;
            }
            let _ = read(&around(before, after, deepest));
            let _ = read(&around(&format!("f({before}"), &format!("{after})"), 190));
        }
    }

    #[test]
    fn what_goes_deeper_is_refused_at_its_line() {
        for (before, after) in WAYS {
            let text = format!("x = 1\n\n{}", around(before, after, 20_000));
            assert_eq!(line(&text), Some(3), "{before} {after}");
        }
        let nested = (0..400).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect::<Vec<_>>().concat();
        assert_eq!(line(&nested), Some(MOST_BLOCKS + 2));
        let strings = format!("{}x{}", "f'{".repeat(500), "}'".repeat(500));
        assert!(read(&strings).is_err());
        assert!(read(&" ".repeat(LONGEST + 1)).is_err());
        for broken in ["f(]", "[(}", "f'{(", "x[lambda a,"] {
            assert!(read(&broken.repeat(40_000)).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_people_write_is_read() {
        let table = (0..20_000).map(|n| format!("    ({n}, -{n} + 1, a.b.c({n})[0]),\n")).collect::<Vec<_>>().concat();
        let handlers = (0..900).map(|n| format!("  'k{n}': lambda a, b: a.b + {n},\n")).collect::<Vec<_>>().concat();
        let sum = (0..1000).map(|n| format!("  'line {n}\\n' +\n")).collect::<Vec<_>>().concat();
        let elses = (0..3000).map(|n| format!("elif x == {n}: pass\n")).collect::<Vec<_>>().concat();
        for text in [
            format!("x = [\n{table}]\n"),
            format!("x = {{\n{handlers}}}\n"),
            format!("x = (\n{sum} '')\n"),
            format!("if x: pass\n{elses}"),
            "x = f'{a!r:>{width}}{b[\"c\"]}' # (((((\ny = '((((((((['\n".repeat(2000),
        ] {
            assert!(read(&text).is_ok(), "{}", text.get(..40).unwrap_or_default());
        }
    }

    #[test]
    fn an_error_has_its_line() {
        assert_eq!(line("x = 1\nprint 'two'\n"), Some(2));
        assert_eq!(line("x = 1\n\n'''\n"), Some(3));
    }

    #[test]
    fn a_panic_is_an_error() {
        assert!(with_module("x = 1", |_| panic!("as it may")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in r#"(\n|    |if x:|def f\(\):|f'|\{|\}|\(|\)|\[|\]|'''|"|lambda|yield|,|not |async |else |\.|x|=|:|#|\\|é){0,40}"#) {
            let _ = read(&text);
        }
    }
}
