//! The beginning of an IMAP session: why a server let nobody in, in its own words; and who is there, where it wants to know.

use async_imap::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::session::ImapSession;
use crate::words;

/// Characters of a server's words that are repeated.
const MAX_SAID: usize = 300;

/// Says why a server did not let us in. What it says is repeated: it is the one that knows.
///
/// Words that repeat the `secret` are not told.
pub(crate) fn not_signed_in(name: &str, error: &Error, secret: &str) -> String {
    match error {
        Error::No(said) | Error::Bad(said) if repeats(said, secret) => {
            format!("the mail server `{name}` refused to let us in; its words repeat what we said, and are not shown")
        }
        other if repeats(&words(other), secret) => {
            format!("the mail server `{name}` did not let us in; its words repeat what we said, and are not shown")
        }
        Error::No(said) | Error::Bad(said) => {
            format!("the mail server `{name}` refused to let us in; it says: {}", said_by_server(said))
        }
        other => format!("the mail server `{name}` did not let us in: {}", words(other)),
    }
}

/// Characters of a secret that are too many to stand in somebody's words by chance.
const TELLING: usize = 10;

/// Tells whether words hold a secret, or a part of it, as it is or in base64 (whose letters depend on what stands before it).
pub(crate) fn repeats(said: &str, secret: &str) -> bool {
    let encoded = ["", "x", "xx"].map(|before| BASE64.encode(format!("{before}{secret}")));
    // The first letters are those of what stands before, and the last those of what follows.
    let encoded = encoded.map(|text| text.get(4..text.len().saturating_sub(4)).unwrap_or_default().to_owned());
    [secret.to_owned()].into_iter().chain(encoded).filter(|known| !known.is_empty()).any(|known| {
        let letters: Vec<char> = known.chars().collect();
        let pieces = letters.windows(TELLING.min(letters.len()));
        pieces.map(|piece| piece.iter().collect::<String>()).any(|piece| said.contains(&piece))
    })
}

/// Writes a server's words on one line, without what its library wraps them in.
#[must_use]
pub fn said_by_server(said: &str) -> String {
    // The library writes codes and words as Rust shows them: `code: …, info: Some("…")`.
    let inner =
        said.split_once("info: Some(\"").and_then(|(_, rest)| rest.rsplit_once("\")")).map_or(said, |(inner, _)| inner);
    let plain: String =
        inner.replace("\\\"", "\"").chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SAID).collect();
    if plain.trim().is_empty() { "nothing".into() } else { format!("`{}`", plain.trim()) }
}

/// Says who is there (RFC 2971), where the server knows the command. Some providers open no folder to who says nothing.
pub(crate) async fn introduce(session: &mut ImapSession) -> Result<(), String> {
    let able = session.capabilities().await.map_err(|error| words(&error))?;
    if able.has_str("ID") {
        match session.id([("name", Some("Bailey"))]).await {
            // One that refuses to hear it does not need it.
            Ok(_) | Err(Error::No(_) | Error::Bad(_)) => {}
            Err(error) => return Err(words(&error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_told_as_it_says_them() {
        let said = "code: Some(Alert), info: Some(\"Please log in via your web browser: https://x.example\")";
        assert_eq!(said_by_server(said), "`Please log in via your web browser: https://x.example`");
        assert_eq!(said_by_server("code: None, info: None"), "`code: None, info: None`");
        assert_eq!(said_by_server("a\r\nb"), "`a  b`");
        assert_eq!(said_by_server(" "), "nothing");
    }
}
