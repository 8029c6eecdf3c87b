//! The launcher: gives everything up and becomes the program of one order (`bailey_computer::jail`). A supervisor that starts it for
//! somebody else says, as arguments, what any order is held to.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Why is told over the socket; whoever calls it by hand has none.
    let words: Vec<String> = std::env::args().skip(1).collect();
    let _ = bailey_computer::jail::enter(&words);
    ExitCode::FAILURE
}
