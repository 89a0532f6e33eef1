//! Runs somebody's program in a container of an image, as that somebody would: nothing of the smoke test is there.

use super::{Conditions, Script};
use crate::engine::{Engine, RunOutput};
use crate::model::Result;

/// Runs a program that comes as an argument: nothing is written, and tracebacks show its lines all the same.
const LAUNCHER: &str = "\
import linecache, sys
name, text = sys.argv[1:]
sys.argv = [name]
linecache.cache[name] = len(text), None, text.splitlines(True), name
exec(compile(text, name, 'exec'), {'__name__': '__main__', '__file__': name})";

/// Runs `program` by the interpreter `python` of `image`, without network and within the limits of `conditions`.
///
/// # Errors
///
/// Where the engine could not run it. What the program does is an answer.
pub async fn run_program<E: Engine>(
    engine: &E,
    image: &str,
    python: &str,
    program: &Script,
    conditions: &Conditions,
) -> Result<RunOutput> {
    let request = conditions.request(image, python, &["-c", LAUNCHER, &program.name, &program.text]);
    engine.run(&request).await
}
