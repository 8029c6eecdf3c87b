//! From a connection in plain to one in TLS, where a server asks for that (RFC 3207, RFC 9051 6.2.1): two fixed lines, and nothing else
//! before the connection is secure. A server that does not offer it is left.

use std::future::poll_fn;

use tokio::io::ReadBuf;

use crate::egress::{EgressAuthority, Guarded};
use crate::net::{Link, Trust, secure};
use crate::settings::Server;
use crate::smtp;

/// Most bytes of all answers in plain.
const MAX_ANSWERS: usize = 32 * 1024;

/// What is spoken on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol<'a> {
    /// Submission, greeting by these names.
    Smtp(&'a [String]),
    /// IMAP.
    Imap,
}

/// Makes a connection that was opened in plain secure.
///
/// # Errors
/// The server does not offer it, or says more than it was asked before the connection is secure (CVE-2011-0411): nothing that matters
/// was said by then.
pub(crate) async fn upgrade(
    link: Link,
    server: &Server,
    trust: &Trust,
    authority: &EgressAuthority,
    protocol: Protocol<'_>,
) -> Result<Link, String> {
    let name = format!("{}:{}", server.host, server.port);
    let mut plain = Plain { out: Guarded::new(link, authority.clone()), held: Vec::new(), taken: 0 };
    let asked = match protocol {
        Protocol::Smtp(names) => plain.smtp(names).await,
        Protocol::Imap => plain.imap().await,
    };
    asked.map_err(|why| format!("the mail server `{name}` {why}; nothing was sent"))?;
    match plain.out.into_link() {
        Link::Plain(tcp) => secure(tcp, server, trust, authority).await,
        secure @ Link::Tls(_) => Ok(secure),
    }
}

struct Plain {
    out: Guarded,
    /// Bytes that came and were not read yet.
    held: Vec<u8>,
    taken: usize,
}

const NOT_OFFERED: &str =
    "offers no STARTTLS, and without it a password would travel in the open; ask its operator for the right port";

impl Plain {
    async fn smtp(&mut self, names: &[String]) -> Result<(), String> {
        let (code, _) = self.smtp_reply().await?;
        if code != 220 {
            return Err(format!("does not take mail now ({code})"));
        }
        let mut hello = (0, Vec::new());
        for name in names {
            self.say(&format!("EHLO {name}\r\n")).await?;
            hello = self.smtp_reply().await?;
            if hello.0 == 250 {
                break;
            }
        }
        if hello.0 != 250 {
            return Err(format!("refused our greeting ({})", hello.0));
        }
        if !hello.1.iter().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
            return Err(NOT_OFFERED.into());
        }
        self.say("STARTTLS\r\n").await?;
        match self.smtp_reply().await? {
            (220, _) => self.nothing_more(),
            (code, _) => Err(format!("refused to make the connection secure ({code})")),
        }
    }

    async fn imap(&mut self) -> Result<(), String> {
        let greeting = self.line().await?;
        if !greeting.to_ascii_uppercase().starts_with("* OK") {
            return Err("did not greet".into());
        }
        self.say("S1 STARTTLS\r\n").await?;
        loop {
            let line = self.line().await?.to_ascii_uppercase();
            if line.starts_with("S1 OK") {
                return self.nothing_more();
            }
            if line.starts_with("S1 ") {
                return Err(NOT_OFFERED.into());
            }
        }
    }

    async fn smtp_reply(&mut self) -> Result<(u16, Vec<String>), String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let (code, last) = smtp::code(line.as_bytes()).ok_or("gave an answer that cannot be read")?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if last {
                return Ok((code, lines));
            }
        }
    }

    fn nothing_more(&self) -> Result<(), String> {
        if self.held.is_empty() {
            Ok(())
        } else {
            Err("said more than it was asked before the connection was secure".into())
        }
    }

    async fn say(&mut self, line: &str) -> Result<(), String> {
        let mut left = line.as_bytes();
        while !left.is_empty() {
            let written = poll_fn(|cx| self.out.write(cx, left, false)).await.map_err(|error| crate::words(&error))?;
            left = left.get(written..).unwrap_or_default();
        }
        poll_fn(|cx| self.out.flush(cx)).await.map_err(|error| crate::words(&error))
    }

    async fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.held.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let mut piece = [0; 1024];
            let mut piece = ReadBuf::new(&mut piece);
            poll_fn(|cx| self.out.read(cx, &mut piece)).await.map_err(|error| crate::words(&error))?;
            self.taken += piece.filled().len();
            if piece.filled().is_empty() {
                return Err("broke off".into());
            }
            if self.taken > MAX_ANSWERS {
                return Err("gave an answer without an end".into());
            }
            self.held.extend_from_slice(piece.filled());
        }
    }
}
