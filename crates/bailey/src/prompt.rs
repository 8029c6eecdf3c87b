//! Asking the person: on the terminal without echo, or, where there is no terminal, a line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use bailey_keys::Passphrase;

/// Asks for a passphrase.
pub(crate) fn passphrase(question: &str) -> io::Result<Passphrase> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{question}: ")).map(Passphrase::new);
    }
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{question}: nothing was given on standard input"),
        ));
    }
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Ok(Passphrase::new(line))
}

/// Asks for a new passphrase; on a terminal twice, because what is typed is not seen.
pub(crate) fn new_passphrase(question: &str) -> io::Result<Passphrase> {
    if !io::stdin().is_terminal() {
        return passphrase(question);
    }
    loop {
        let first = rpassword::prompt_password(format!("{question}: "))?;
        if rpassword::prompt_password("The same again: ")? == first {
            return Ok(Passphrase::new(first));
        }
        writeln!(io::stderr(), "The two differ; please type them again.")?;
    }
}

/// Asks for a password of a service.
pub(crate) fn password(question: &str) -> io::Result<bailey_home::Password> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{question}: ")).map(bailey_home::Password::new);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(bailey_home::Password::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}
