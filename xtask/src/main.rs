//! Development commands; `cargo xtask help` lists them.

mod install;
mod layers;
mod process;
mod test;

use std::process::ExitCode;

const HELP: &str = "cargo xtask COMMAND

  test [--yes]   install what the tests need, check the sources, run every test
  layers         check which crate depends on which, and that ARCHITECTURE.md says so
  help           this text

--yes installs missing packages without asking; so does CI=true.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(false),
        ["test", "--yes"] => test::run(true),
        ["layers"] => layers::check(),
        ["help"] | [] => {
            eprint!("{HELP}");
            Ok(())
        }
        _ => Err(format!("`{}` is not a command\n\n{HELP}", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
