//! Handing one mail to a submission server (RFC 6409): the words of the protocol, over the stream that the guard watches.
//!
//! Own code rather than a library's: what is told of each recipient, which sizes a server takes, and at which step it says "later",
//! decide whether anything happened, and a library keeps these to itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use bailey_gate::family::text::Address;

use crate::imap_hello::repeats;
use crate::oauth::Login;
use crate::sign_in::Unopened;
use crate::stream::ClaimedStream;

/// Bytes of a message written at once.
const PIECE: usize = 64 * 1024;

/// A server's answer: its code and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits (RFC 5321, 4.2).
    pub code: u16,
    /// The words of each line.
    pub lines: Vec<String>,
}

impl Reply {
    /// Tells whether it says yes.
    #[must_use]
    pub const fn is_yes(&self) -> bool {
        self.code >= 200 && self.code < 300
    }

    /// Tells whether it says "not now": the same may work later (RFC 5321, 4.2.1).
    #[must_use]
    pub const fn is_later(&self) -> bool {
        self.code >= 400 && self.code < 500
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.lines.join(" ");
        let words: String = bailey_gate::family::escape::visible(words.trim()).chars().take(300).collect();
        if words.is_empty() { write!(f, "{}", self.code) } else { write!(f, "{} {words}", self.code) }
    }
}

/// Why a server could not be talked to up to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It said no, or later.
    Said(Reply),
    /// It gave no answer, or one that is none; or the guard let something not through.
    Broken(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(reply) => reply.fmt(f),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

/// What a server says it can do, in answer to EHLO.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    auth: Vec<String>,
    /// Largest message it takes, in bytes (RFC 1870); none where it names no bound.
    size: Option<usize>,
    /// Takes addresses and headers beyond ASCII (RFC 6531).
    utf8: bool,
}

impl Extensions {
    pub(crate) fn read(lines: &[String]) -> Self {
        let mut out = Self::default();
        for line in lines.iter().skip(1) {
            // `AUTH=LOGIN` is how servers wrote it before RFC 2554.
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_whitespace();
            match words.next() {
                Some("AUTH") => out.auth.extend(words.map(str::to_owned)),
                Some("SMTPUTF8") => out.utf8 = true,
                Some("SIZE") => out.size = words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0),
                _ => {}
            }
        }
        out
    }

    fn offers(&self, mechanism: &str) -> bool {
        self.auth.iter().any(|one| one == mechanism)
    }
}

/// A session with a submission server, signed in.
#[derive(Debug)]
pub struct Submission {
    stream: ClaimedStream,
    extensions: Extensions,
}

impl Submission {
    /// Greets, and signs in. `greeted` says that the server's greeting was read before the connection became secure.
    pub(crate) async fn open(
        stream: ClaimedStream,
        hello: &[String],
        login: &Login,
        greeted: bool,
    ) -> Result<Self, Unopened> {
        let mut session = Self { stream, extensions: Extensions::default() };
        if !greeted {
            session.greeting().await?;
        }
        session.hello(hello).await?;
        session.sign_in(login).await?;
        Ok(session)
    }

    async fn greeting(&mut self) -> Result<(), String> {
        match self.reply().await {
            Ok(reply) if reply.is_yes() => Ok(()),
            Ok(reply) => Err(format!("does not take mail now ({reply})")),
            Err(why) => Err(format!("did not greet: {why}")),
        }
    }

    /// Says who we are; a server that does not like the one name is told the other.
    async fn hello(&mut self, names: &[String]) -> Result<(), String> {
        let mut last = String::new();
        for name in names {
            match self.command(&format!("EHLO {name}")).await {
                Ok(reply) if reply.is_yes() => {
                    self.extensions = Extensions::read(&reply.lines);
                    return Ok(());
                }
                Ok(reply) => last = format!("refused our greeting ({reply})"),
                Err(why) => return Err(format!("did not answer our greeting: {why}")),
            }
        }
        Err(last)
    }

    async fn sign_in(&mut self, login: &Login) -> Result<(), Unopened> {
        let (lines, secret): (Vec<String>, &str) = match login {
            Login::None => return Ok(()),
            Login::Password { user, password } if self.extensions.offers("PLAIN") => {
                (vec![format!("AUTH PLAIN {}", BASE64.encode(format!("\0{user}\0{}", password.as_str())))], password)
            }
            Login::Password { user, password } if self.extensions.offers("LOGIN") => {
                let both = [BASE64.encode(user), BASE64.encode(password.as_str())];
                (std::iter::once("AUTH LOGIN".to_owned()).chain(both).collect(), password)
            }
            Login::Password { .. } => {
                return Err("offers no way to sign in with a password (AUTH PLAIN or LOGIN); if it wants STARTTLS, connect with it, or sign in with --oauth".to_owned().into());
            }
            Login::Bearer { user, token } => {
                let bearer = format!("user={user}\x01auth=Bearer {}\x01\x01", token.as_str());
                (vec![format!("AUTH XOAUTH2 {}", BASE64.encode(bearer))], token)
            }
        };
        let mut last = None;
        for line in &lines {
            let reply = self.command(line).await.map_err(|why| format!("did not answer while we signed in: {why}"))?;
            match reply.code {
                235 => return Ok(()),
                334 => last = Some(reply),
                _ => {
                    last = Some(reply);
                    break;
                }
            }
        }
        // A refused token is explained in a challenge, which an empty line ends (Google's and Microsoft's XOAUTH2).
        if last.as_ref().is_some_and(|reply| reply.code == 334) {
            last = self.command("").await.ok();
        }
        // All of them, before they are cut.
        let whole = last.as_ref().map(|reply| reply.lines.join(" ")).unwrap_or_default();
        let refused = last.as_ref().is_some_and(|reply| reply.code >= 500);
        let said = last.map_or_else(|| "no answer".to_owned(), |reply| reply.to_string());
        // Words that repeat what we said are not told.
        let repeats = repeats(&whole, secret)
            || lines
                .iter()
                .any(|line| line.split(' ').next_back().is_some_and(|last| last.len() > 8 && whole.contains(last)));
        let said = if repeats { said.split(' ').next().unwrap_or_default().to_owned() } else { said };
        let why = format!("refused to let us in ({said}); nothing was sent");
        Err(if refused { Unopened::SignIn(why) } else { Unopened::Otherwise(why) })
    }

    /// Returns the largest message the server takes, in bytes, where it says so.
    #[must_use]
    pub const fn largest(&self) -> Option<usize> {
        self.extensions.size
    }

    /// Tells whether the server takes addresses with letters beyond ASCII (RFC 6531).
    #[must_use]
    pub const fn takes_utf8(&self) -> bool {
        self.extensions.utf8
    }

    /// Names the author; `utf8` says that an address of the mail has letters beyond ASCII.
    pub async fn mail_from(&mut self, address: &str, size: usize, utf8: bool) -> Result<Reply, Refusal> {
        let size = if self.extensions.size.is_some() { format!(" SIZE={size}") } else { String::new() };
        let utf8 = if utf8 { " BODY=8BITMIME SMTPUTF8" } else { "" };
        self.command(&format!("MAIL FROM:<{address}>{size}{utf8}")).await
    }

    /// Names a recipient.
    pub async fn recipient(&mut self, address: &str) -> Result<Reply, Refusal> {
        self.command(&format!("RCPT TO:<{address}>")).await
    }

    /// Asks to write the message; 354 means yes.
    pub async fn data(&mut self) -> Result<Reply, Refusal> {
        self.command("DATA").await
    }

    /// Writes the message, which ends in CRLF, and its end, which is the hand-off.
    pub async fn message(&mut self, artefact: &[u8]) -> Result<Reply, Refusal> {
        let wire = crate::smtp_guard::on_the_wire(artefact);
        // The end goes in one piece: with it the server acts.
        let (text, end) = wire.split_at(wire.len().saturating_sub(crate::smtp_guard::TERMINATOR.len()));
        for piece in text.chunks(PIECE) {
            self.write(piece).await?;
        }
        self.write(end).await?;
        self.flush().await?;
        self.reply().await
    }

    /// Forgets the mail that was begun.
    pub async fn reset(&mut self) -> Result<Reply, Refusal> {
        self.command("RSET").await
    }

    /// Says good-bye.
    pub async fn quit(&mut self) -> Result<Reply, Refusal> {
        self.command("QUIT").await
    }

    async fn command(&mut self, line: &str) -> Result<Reply, Refusal> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.flush().await?;
        self.reply().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.stream.write_all(bytes).await.map_err(|error| Refusal::Broken(crate::words(&error)))
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        self.stream.flush().await.map_err(|error| Refusal::Broken(crate::words(&error)))
    }

    async fn reply(&mut self) -> Result<Reply, Refusal> {
        let unreadable = || Refusal::Broken("the mail server's answer cannot be read".into());
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let (code, last) = code(&line).ok_or_else(unreadable)?;
            lines.push(String::from_utf8_lossy(line.get(4..).unwrap_or_default()).trim_end().to_owned());
            if last {
                return Ok(Reply { code, lines });
            }
        }
    }

    /// Returns one line, without its end. The stream bounds how long answers are, and of how many lines.
    async fn line(&mut self) -> Result<Vec<u8>, Refusal> {
        let mut line = Vec::new();
        loop {
            let byte = self.stream.read_u8().await.map_err(|error| {
                Refusal::Broken(match error.kind() {
                    std::io::ErrorKind::UnexpectedEof => "the mail server broke off".into(),
                    _ => crate::words(&error),
                })
            })?;
            if byte == b'\n' {
                return Ok(line);
            }
            line.push(byte);
        }
    }
}

/// Returns the code a line begins with, and whether it is the last of its answer.
pub(crate) fn code(line: &[u8]) -> Option<(u16, bool)> {
    let code: u16 = std::str::from_utf8(line.get(..3)?).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    match line.get(3) {
        None | Some(b' ' | b'\r') => Some((code, true)),
        Some(b'-') => Some((code, false)),
        Some(_) => None,
    }
}

/// By which names a server is greeted, in the order they are tried: the author's domain, which says nothing of this machine, and the
/// address of this end of the connection (RFC 5321, 4.1.3).
pub(crate) fn hello_names(author: &str, local: Option<std::net::IpAddr>) -> Vec<String> {
    let domain = Address::read(author).ok().map(|address| address.domain().to_owned());
    let real = domain.filter(|domain| domain.contains('.') && !domain.ends_with(".localhost"));
    let literal = local.map(|address| match address {
        std::net::IpAddr::V4(address) => format!("[{address}]"),
        std::net::IpAddr::V6(address) => format!("[IPv6:{address}]"),
    });
    let names: Vec<String> = real.into_iter().chain(literal).collect();
    if names.is_empty() { vec!["[127.0.0.1]".into()] } else { names }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_what_they_take_in_many_ways() {
        let read = |text: &str| Extensions::read(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        let usual = read("mail.example.org\nPIPELINING\nSIZE 35882577\nAUTH PLAIN LOGIN\nSTARTTLS");
        assert_eq!(usual.size, Some(35_882_577));
        assert!(usual.offers("PLAIN") && usual.offers("LOGIN") && !usual.offers("XOAUTH2"));
        let old = read("mail.example.org\nauth=login xoauth2\nSize 0\nSIZE x");
        assert!(old.offers("LOGIN") && old.offers("XOAUTH2"));
        assert_eq!(old.size, None);
        assert_eq!(read("AUTH PLAIN"), Extensions::default(), "the first line is the server's name");
    }

    #[test]
    fn servers_are_greeted_by_a_name_that_strict_ones_take() {
        let local = "192.0.2.7".parse().ok();
        assert_eq!(hello_names("me@example.org", local), ["example.org", "[192.0.2.7]"]);
        assert_eq!(hello_names("me@ex\u{e4}mple.org", None), ["xn--exmple-cua.org"]);
        assert_eq!(hello_names("me@localhost", "::1".parse().ok()), ["[IPv6:::1]"]);
        assert_eq!(hello_names("me@localhost", None), ["[127.0.0.1]"]);
    }

    #[test]
    fn answers_have_codes() {
        assert_eq!(code(b"250-SIZE 1"), Some((250, false)));
        assert_eq!(code(b"250 ok"), Some((250, true)));
        assert_eq!(code(b"354"), Some((354, true)));
        for odd in [b"25".as_slice(), b"2500", b"999 x", b"ok", b"", b"+50 x"] {
            assert_eq!(code(odd), None, "{odd:?}");
        }
    }
}
