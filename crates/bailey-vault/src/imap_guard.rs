//! What an IMAP connection may say: whole lines from an allow-list, and at most one that changes anything.
//!
//! There is no way here to delete, expunge, store flags or copy, whatever the code above tries; and to append nothing but the one message
//! of an errand, to its folder, once (`imap_keep.rs`).

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bailey_gate::family::mail::{FolderName, MessageRef};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::egress::{EgressAuthority, Guarded, forbidden};
use crate::imap_answers::Answers;
use crate::imap_keep::Keep;
use crate::net::Link;

/// Longest line: an access token of several kilobytes in an authentication exchange, twice over.
const MAX_LINE_BYTES: usize = 32 * 1024;

/// Most bytes taken in one session: a few hundred headers and one large mail.
const MAX_SESSION_BYTES: usize = 64 * 1024 * 1024;

/// Bytes taken at once.
const READ_AT_ONCE: usize = 16 * 1024;
/// Bytes passed on before others have their turn.
const PASSED_AT_ONCE: usize = 64 * 1024;

/// What the connection is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    /// Look.
    Look,
    /// Move one message to one folder, once.
    Move {
        /// Which.
        message: MessageRef,
        /// Where to.
        to: FolderName,
    },
    /// Put one message into one folder, once.
    Keep {
        /// Which folder.
        folder: FolderName,
        /// Exactly these bytes.
        bytes: Vec<u8>,
        /// Whether its end is the hand-off of its claim.
        effect: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Changes nothing at the server.
    Looks,
    /// The one line that does.
    Effect,
    Forbidden,
}

/// A connection that lets whole, allowed lines through, each in one write under the lock.
pub struct ImapStream {
    out: Guarded,
    errand: Errand,
    /// The message of an errand that keeps one.
    keep: Option<Keep>,
    line: Vec<u8>,
    authenticating: bool,
    /// Bytes taken from the server so far.
    taken: usize,
    answers: Answers,
    /// Whole answers for the library, and how much of them it has taken.
    through: Vec<u8>,
    passed: usize,
    /// Bytes passed on since others had their turn.
    in_turn: usize,
}

impl fmt::Debug for ImapStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapStream").field("errand", &self.errand).finish_non_exhaustive()
    }
}

/// A folder name as the protocol quotes it.
fn quoted(folder: &FolderName) -> String {
    format!("\"{}\"", folder.as_str())
}

/// Tells whether a fetch asks only for what never marks a message as read: numbers, flags, and parts by `BODY.PEEK`.
fn peeks(command: &str) -> bool {
    let Some((numbers, items)) = command.strip_prefix("UID FETCH ").and_then(|rest| rest.split_once(" (")) else {
        return false;
    };
    let plain = numbers.chars().all(|c| c.is_ascii_digit() || ",:*".contains(c));
    let items = items.strip_suffix(')').unwrap_or("?");
    let harmless = |item: &str| {
        ["UID", "FLAGS"].contains(&item)
            || ["BODY.PEEK[HEADER]<0.", "BODY.PEEK[]<"].iter().any(|start| item.starts_with(start))
    };
    plain && items.split(' ').all(harmless)
}

fn judge(errand: &Errand, authenticating: bool, line: &str) -> Line {
    if authenticating && line.chars().all(|c| c.is_ascii_alphanumeric() || "+/=*".contains(c)) {
        return Line::Looks;
    }
    let Some((_tag, command)) = line.split_once(' ') else { return Line::Forbidden };
    let upper = command.to_ascii_uppercase();
    let looks = ["CAPABILITY", "NOOP", "LOGOUT"].contains(&upper.as_str())
        || ["AUTHENTICATE ", "LOGIN ", "LIST ", "EXAMINE ", "UID SEARCH "].iter().any(|start| upper.starts_with(start));
    if looks || peeks(&upper) {
        return Line::Looks;
    }
    match errand {
        Errand::Look | Errand::Keep { .. } => Line::Forbidden,
        Errand::Move { message, .. } if command == format!("SELECT {}", quoted(&message.folder)) => Line::Looks,
        Errand::Move { message, to } if command == format!("UID MOVE {} {}", message.uid, quoted(to)) => Line::Effect,
        Errand::Move { .. } => Line::Forbidden,
    }
}

impl ImapStream {
    pub(crate) fn new(link: Link, errand: Errand, authority: EgressAuthority) -> Self {
        let keep = match &errand {
            Errand::Keep { folder, bytes, effect } => Some(Keep::new(folder.clone(), bytes.clone(), *effect)),
            Errand::Look | Errand::Move { .. } => None,
        };
        Self {
            out: Guarded::new(link, authority),
            errand,
            keep,
            line: Vec::new(),
            authenticating: false,
            taken: 0,
            answers: Answers::default(),
            through: Vec::new(),
            passed: 0,
            in_turn: 0,
        }
    }

    /// Writes the line that `end` completes; nothing of it was written before.
    fn finish_line(&mut self, cx: &mut Context<'_>, end: &[u8]) -> Poll<io::Result<usize>> {
        let whole = [self.line.as_slice(), end].concat();
        let text = String::from_utf8_lossy(&whole).trim_end_matches("\r\n").to_owned();
        let forbidden = |what: String| Poll::Ready(Err(forbidden("imap", what)));
        let command = text.split_once(' ').map_or("", |(_tag, command)| command);
        if self.keep.as_ref().is_some_and(|keep| keep.is_announced_by(command)) {
            return self.announce(cx, &whole, end.len());
        }
        // One line at a time, and no literals: they could carry others.
        if text.contains(['\r', '\n']) || text.ends_with('}') {
            return forbidden("more than one line at once is not allowed on this connection".into());
        }
        let written = match judge(&self.errand, self.authenticating, &text) {
            Line::Forbidden => {
                let verb: String =
                    text.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" ").chars().take(32).collect();
                return forbidden(format!("`{verb}` is not allowed on this connection"));
            }
            Line::Looks => self.out.write(cx, &whole, false),
            Line::Effect => self.out.write(cx, &whole, true),
        };
        match written {
            Poll::Ready(Ok(count)) if count == whole.len() => {
                self.authenticating = text.to_ascii_uppercase().contains(" AUTHENTICATE ")
                    || (self.authenticating && !text.contains(' '));
                self.line.clear();
                Poll::Ready(Ok(end.len()))
            }
            Poll::Ready(Ok(_)) => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, "a command was taken only in part")))
            }
            other => other,
        }
    }
}

impl ImapStream {
    /// Writes the line that announces the message of the errand.
    fn announce(&mut self, cx: &mut Context<'_>, whole: &[u8], end: usize) -> Poll<io::Result<usize>> {
        match self.out.write(cx, whole, false) {
            Poll::Ready(Ok(count)) if count == whole.len() => {
                if let Some(keep) = &mut self.keep {
                    keep.announced();
                }
                self.line.clear();
                Poll::Ready(Ok(end))
            }
            Poll::Ready(Ok(_)) => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, "a command was taken only in part")))
            }
            other => other,
        }
    }

    /// Writes on at the message of the errand, and its end.
    fn write_message(&mut self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let Some(keep) = &mut self.keep else { return Poll::Ready(Ok(0)) };
        let (count, ends) = match keep.plan(buffer) {
            Ok(planned) => planned,
            Err(why) => return Poll::Ready(Err(forbidden("imap", why.into()))),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        let written = self.out.write(cx, bytes, ends && keep.has_effect());
        match written {
            Poll::Ready(Ok(written)) if ends && written < count => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::WriteZero,
                "the end of a message was taken only in part",
            ))),
            Poll::Ready(Ok(written)) => {
                keep.wrote(written, ends);
                Poll::Ready(Ok(written))
            }
            other => other,
        }
    }
}

impl AsyncWrite for ImapStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.keep.as_ref().is_some_and(Keep::is_under_way) {
            return self.write_message(cx, buffer);
        }
        if buffer.ends_with(b"\n") {
            return self.finish_line(cx, buffer);
        }
        if self.line.len() + buffer.len() > MAX_LINE_BYTES {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, "a command is too long")));
        }
        self.line.extend_from_slice(buffer);
        Poll::Ready(Ok(buffer.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.shutdown(cx)
    }
}

impl AsyncRead for ImapStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let refused = |why: &str| Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
        while this.passed == this.through.len() {
            (this.passed, this.through) = (0, Vec::new());
            let mut piece = [0; READ_AT_ONCE];
            let mut piece = ReadBuf::new(&mut piece);
            match this.out.read(cx, &mut piece) {
                Poll::Ready(Ok(())) if !piece.filled().is_empty() => {}
                Poll::Ready(Ok(())) if this.answers.is_amid() => return refused("the mail server broke off"),
                ended => return ended,
            }
            this.taken += piece.filled().len();
            if let Some(keep) = &mut this.keep {
                keep.heard(piece.filled());
            }
            if this.taken > MAX_SESSION_BYTES {
                return refused("the mail server sends more than was asked for");
            }
            if let Err(why) = this.answers.take(piece.filled(), &mut this.through) {
                return refused(why);
            }
        }
        if this.in_turn > PASSED_AT_ONCE {
            this.in_turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let left = this.through.get(this.passed..).unwrap_or_default();
        let now = left.get(..buffer.remaining()).unwrap_or(left);
        buffer.put_slice(now);
        this.passed += now.len();
        this.in_turn += now.len();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moving() -> Errand {
        let folder = |name| FolderName::new(name).unwrap();
        Errand::Move { message: MessageRef { folder: folder("INBOX"), uid_validity: 1, uid: 7 }, to: folder("Archive") }
    }

    #[test]
    fn looking_changes_nothing() {
        for good in [
            "A1 CAPABILITY",
            "A1 LOGIN \"me\" \"x\"",
            "A1 LIST \"\" \"*\"",
            "A1 EXAMINE \"INBOX\"",
            "A1 UID SEARCH UNSEEN",
            "A1 UID FETCH 1:5 (UID FLAGS BODY.PEEK[HEADER]<0.65536>)",
            "A1 LOGOUT",
        ] {
            assert_eq!(judge(&Errand::Look, false, good), Line::Looks, "{good}");
        }
        for bad in [
            "A1 SELECT \"INBOX\"",
            "A1 UID STORE 1 +FLAGS (\\Deleted)",
            "A1 STORE 1 +FLAGS (\\Seen)",
            "A1 EXPUNGE",
            "A1 UID EXPUNGE 1",
            "A1 CLOSE",
            "A1 DELETE \"INBOX\"",
            "A1 APPEND \"Sent\" {3}",
            "A1 UID COPY 1 \"x\"",
            "A1 UID MOVE 7 \"Archive\"",
            "A1 MOVE 1 \"x\"",
            "A1 RENAME \"a\" \"b\"",
            "A1 UID FETCH 1 BODY[]",
            "A1 UID FETCH 1 RFC822",
            "A1 UID FETCH 1 (BINARY[1])",
            "A1 UID FETCH 1 (FLAGS BODY[HEADER])",
            "A1 FETCH 1 BODY[]",
            "A1 IDLE",
            "A1 SETACL x",
            "x",
            "",
        ] {
            assert_eq!(judge(&Errand::Look, false, bad), Line::Forbidden, "{bad}");
        }
        assert_eq!(judge(&Errand::Look, true, "dXNlcj1tZQ=="), Line::Looks);
        assert_eq!(judge(&Errand::Look, false, "dXNlcj1tZQ=="), Line::Forbidden);
    }

    #[test]
    fn moving_moves_one_message_to_one_folder() {
        assert_eq!(judge(&moving(), false, "A1 UID MOVE 7 \"Archive\""), Line::Effect);
        assert_eq!(judge(&moving(), false, "A1 SELECT \"INBOX\""), Line::Looks);
        for bad in [
            "A1 UID MOVE 8 \"Archive\"",
            "A1 UID MOVE 7 \"Sent\"",
            "A1 UID MOVE 1:* \"Archive\"",
            "A1 UID MOVE 7,8 \"Archive\"",
            "A1 SELECT \"Sent\"",
            "A1 UID STORE 7 +FLAGS (\\Deleted)",
            "A1 EXPUNGE",
        ] {
            assert_eq!(judge(&moving(), false, bad), Line::Forbidden, "{bad}");
        }
    }
}
