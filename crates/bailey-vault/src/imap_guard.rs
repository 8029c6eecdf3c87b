//! What an IMAP connection may say: whole lines from an allow-list, and at most one that changes anything.
//!
//! There is no way here to append, but the one message of an errand to its folder, once (`imap_keep.rs`); nor to flag anything, but the one
//! mark of the one message of an errand; nor to delete, expunge or copy anything, whatever the code above tries, but the message of a move at a server that knows no moving: once it is copied, and the
//! server said so, that one may be marked as deleted and removed. No folder is made, but the one that a move is to, where its claim says so.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bailey_gate::family::mail::{FolderName, Marking, MessageRef};
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
        /// The message.
        message: MessageRef,
        /// Where to.
        to: FolderName,
        /// Tells whether that folder is made for this.
        makes: bool,
    },
    /// Set one mark of one message, or take it off.
    Mark(Box<Marking>),
    /// Put one message into one folder, once.
    Keep {
        /// The folder.
        folder: FolderName,
        /// Exactly these bytes.
        bytes: Vec<u8>,
        /// Tells whether its end is the hand-off of its claim.
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
    words: Words,
    /// How many commands had ended, and ended well, when a copy was asked for.
    copied_after: Option<(usize, usize)>,
    /// The command that opened the folder that is open.
    opened: String,
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

/// Tells whether a fetch asks only for what never marks a message as read: numbers, flags, and parts by `BODY.PEEK`.
fn peeks(command: &str) -> bool {
    let Some((numbers, items)) = command.strip_prefix("UID FETCH ").and_then(|rest| rest.split_once(" (")) else {
        return false;
    };
    let plain = numbers.chars().all(|c| c.is_ascii_digit() || ",:*".contains(c));
    let items = items.strip_suffix(')').unwrap_or("?");
    let harmless = |item: &str| {
        ["UID", "FLAGS", "RFC822.SIZE", "BODYSTRUCTURE"].contains(&item)
            || item.strip_prefix("BODY.PEEK[").is_some_and(is_piece)
    };
    let mut in_section = false;
    let between = |c: char| {
        in_section = (in_section || c == '[') && c != ']';
        c == ' ' && !in_section
    };
    plain && items.split(between).all(harmless)
}

/// Tells whether this is a section, and which bytes of it: `1.2.HEADER]<0.65536>`, `HEADER.FIELDS (FROM TO)]<0.65536>`.
fn is_piece(section: &str) -> bool {
    let Some((section, bytes)) =
        section.split_once("]<").and_then(|(section, rest)| Some((section, rest.strip_suffix('>')?)))
    else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let field = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let fields = section.strip_prefix("HEADER.FIELDS (").and_then(|names| names.strip_suffix(')'));
    let section = if fields.is_some_and(|names| names.split(' ').all(field)) { "HEADER" } else { section };
    let part = section
        .strip_suffix("HEADER")
        .or_else(|| section.strip_suffix(".MIME"))
        .unwrap_or(section)
        .trim_end_matches('.');
    let is_part = part.is_empty() || part.split('.').all(number);
    is_part && bytes.split_once('.').is_some_and(|(from, count)| number(from) && number(count))
}

/// Returns what follows a copy where a server knows no moving: marking that message, and removing it alone (RFC 4315, 2.1).
fn removes(errand: &Errand, line: &str) -> bool {
    let Errand::Move { message, .. } = errand else { return false };
    let Some((_tag, command)) = line.split_once(' ') else { return false };
    command == format!("UID STORE {} +FLAGS.SILENT (\\Deleted)", message.uid)
        || command == format!("UID EXPUNGE {}", message.uid)
}

/// Returns the length of the literal that a search ends with: its words in another charset than ASCII (RFC 3501, 6.4.4).
fn announced(errand: &Errand, line: &str) -> Option<usize> {
    let looks =
        line.split_once(' ').is_some_and(|(_, command)| command.to_ascii_uppercase().starts_with("UID SEARCH "));
    let length = line.strip_suffix('}')?.rsplit_once('{')?.1;
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    (looks && digits && matches!(errand, Errand::Look)).then(|| length.parse().ok())?
}

/// How far the words of a search have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    /// None are announced.
    None,
    /// So many bytes are, when the server had asked for words so often and ended commands so often.
    Announced { length: usize, asked: usize, ended: usize },
}

/// What this program says of itself (RFC 2971): its name. Some providers let nobody read who says nothing.
const INTRODUCTION: &str = "ID (\"NAME\" \"BAILEY\")";

fn judge(errand: &Errand, authenticating: bool, line: &str) -> Line {
    if authenticating && line.chars().all(|c| c.is_ascii_alphanumeric() || "+/=*".contains(c)) {
        return Line::Looks;
    }
    let Some((_tag, command)) = line.split_once(' ') else { return Line::Forbidden };
    let upper = command.to_ascii_uppercase();
    let looks = ["CAPABILITY", "NOOP", "LOGOUT", INTRODUCTION].contains(&upper.as_str())
        || ["AUTHENTICATE ", "LOGIN ", "LIST ", "EXAMINE ", "UID SEARCH "].iter().any(|start| upper.starts_with(start));
    if looks || peeks(&upper) {
        return Line::Looks;
    }
    match errand {
        Errand::Look | Errand::Keep { .. } => Line::Forbidden,
        Errand::Move { message, .. } if command == format!("SELECT {}", message.folder.quoted()) => Line::Looks,
        // An empty folder is no effect of its own: the mail it is made for follows, or nothing.
        Errand::Move { to, makes: true, .. }
            if ["CREATE", "SUBSCRIBE"].iter().any(|make| command == format!("{make} {}", to.quoted())) =>
        {
            Line::Looks
        }
        Errand::Move { message, to, .. } if command == format!("UID MOVE {} {}", message.uid, to.quoted()) => {
            Line::Effect
        }
        Errand::Move { message, to, .. } if command == format!("UID COPY {} {}", message.uid, to.quoted()) => {
            Line::Effect
        }
        Errand::Mark(marking) if command == format!("SELECT {}", marking.message.folder.quoted()) => Line::Looks,
        Errand::Mark(marking) if command == marking.command() => Line::Effect,
        Errand::Move { .. } | Errand::Mark(_) => Line::Forbidden,
    }
}

impl ImapStream {
    pub(crate) fn new(link: Link, errand: Errand, authority: EgressAuthority) -> Self {
        let keep = match &errand {
            Errand::Keep { folder, bytes, effect } => Some(Keep::new(folder.clone(), bytes.clone(), *effect)),
            Errand::Look | Errand::Move { .. } | Errand::Mark(_) => None,
        };
        Self {
            out: Guarded::new(link, authority),
            errand,
            keep,
            line: Vec::new(),
            authenticating: false,
            words: Words::None,
            copied_after: None,
            opened: String::new(),
            taken: 0,
            answers: Answers::default(),
            through: Vec::new(),
            passed: 0,
            in_turn: 0,
        }
    }

    fn judged(&self, text: &str) -> Line {
        // While a copy is under way nothing else is said, so that the next answer that ends a command is its own.
        if self.copied_after.is_some_and(|(ended, _)| self.answers.ended == ended) {
            return Line::Forbidden;
        }
        let copied = self.copied_after.is_some_and(|(_, well)| self.answers.ended_well > well);
        let judged = if copied && removes(&self.errand, text) {
            return if self.is_in_place() { Line::Looks } else { Line::Forbidden };
        } else {
            judge(&self.errand, self.authenticating, text)
        };
        if judged == Line::Effect && !self.is_in_place() { Line::Forbidden } else { judged }
    }

    /// Tells whether the folder that is open is that of the message that the errand is about: its number names another message elsewhere.
    fn is_in_place(&self) -> bool {
        let folder = match &self.errand {
            Errand::Move { message, .. } => &message.folder,
            Errand::Mark(marking) => &marking.message.folder,
            Errand::Look | Errand::Keep { .. } => return false,
        };
        self.opened == format!("SELECT {}", folder.quoted())
    }

    /// Returns the words of a search that its line announces.
    fn announcing(&self, text: &str) -> Words {
        announced(&self.errand, text).map_or(Words::None, |length| Words::Announced {
            length,
            asked: self.answers.asked,
            ended: self.answers.ended,
        })
    }

    /// Takes the words that were announced and what follows them: only where the server has asked for them since, and has not ended the
    /// search, or it would read them as a command. Gives what this announces in turn.
    fn rest_of_search(&self, text: &str, length: usize, asked: usize, ended: usize) -> Option<Words> {
        let awaited = self.answers.asked > asked && self.answers.ended == ended;
        let rest = text.get(length..)?;
        let fits = rest.is_empty() || rest.starts_with(' ');
        (awaited && fits).then(|| self.announcing(&format!("- UID SEARCH {rest}")))
    }

    /// Writes the line that `end` completes; nothing of it was written before.
    fn finish_line(&mut self, cx: &mut Context<'_>, end: &[u8]) -> Poll<io::Result<usize>> {
        let whole = [self.line.as_slice(), end].concat();
        // One line end alone: what else stands there would be a second line.
        let text = String::from_utf8_lossy(whole.strip_suffix(b"\r\n").unwrap_or(&whole)).into_owned();
        let forbidden = |what: String| Poll::Ready(Err(forbidden("imap", what)));
        if text.contains(['\r', '\n']) {
            return forbidden("more than one line at once is not allowed on this connection".into());
        }
        let command = text.split_once(' ').map_or("", |(_tag, command)| command);
        if self.keep.as_ref().is_some_and(|keep| keep.is_announced_by(command)) {
            return self.announce(cx, &whole, end.len());
        }
        let (judged, words) = match self.words {
            Words::Announced { length, asked, ended } => match self.rest_of_search(&text, length, asked, ended) {
                Some(words) => (Line::Looks, words),
                None => (self.judged(&text), Words::None),
            },
            Words::None => (self.judged(&text), self.announcing(&text)),
        };
        // No literals but a search's words: they could carry other lines.
        if text.ends_with('}') && words == Words::None {
            return forbidden("more than one line at once is not allowed on this connection".into());
        }
        let written = match judged {
            Line::Forbidden => {
                let verb: String =
                    text.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" ").chars().take(32).collect();
                return forbidden(format!("`{verb}` is not allowed on this connection"));
            }
            Line::Looks => self.out.write(cx, &whole, false),
            Line::Effect => self.out.write(cx, &whole, true),
        };
        if judged == Line::Effect && text.contains(" UID COPY ") && matches!(written, Poll::Ready(Ok(_))) {
            self.copied_after = Some((self.answers.ended, self.answers.ended_well));
        }
        let opens = ["SELECT ", "EXAMINE "].iter().any(|start| command.to_ascii_uppercase().starts_with(start));
        if opens && matches!(written, Poll::Ready(Ok(_))) {
            command.clone_into(&mut self.opened);
        }
        if matches!(written, Poll::Ready(Ok(_))) {
            self.words = words;
        }
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
mod streams;

#[cfg(test)]
mod tests {
    use super::*;

    fn moving() -> Errand {
        let folder = |name| FolderName::new(name).unwrap();
        let message = MessageRef { folder: folder("INBOX"), uid_validity: 1, uid: 7 };
        Errand::Move { message, to: folder("Archive"), makes: false }
    }

    #[test]
    fn a_move_makes_its_own_folder_alone_and_only_where_it_says_so() {
        let Errand::Move { message, to, .. } = moving() else { unreachable!("it moves") };
        let making = Errand::Move { message, to, makes: true };
        for line in ["A1 CREATE \"Archive\"", "A1 SUBSCRIBE \"Archive\""] {
            assert_eq!(judge(&making, false, line), Line::Looks, "{line}");
            assert_eq!(judge(&moving(), false, line), Line::Forbidden, "{line}");
            assert_eq!(judge(&Errand::Look, false, line), Line::Forbidden, "{line}");
        }
        for line in [
            "A1 CREATE \"Sent\"",
            "A1 CREATE \"Archive/x\"",
            "A1 CREATE \"Archive\" (USE (\\Sent))",
            "A1 DELETE \"Archive\"",
            "A1 RENAME \"INBOX\" \"Archive\"",
            "A1 UNSUBSCRIBE \"Archive\"",
            "A1 SETACL \"Archive\" eve lr",
        ] {
            assert_eq!(judge(&making, false, line), Line::Forbidden, "{line}");
        }
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
            "A1 ID (\"name\" \"Bailey\")",
            "A1 UID SEARCH CHARSET UTF-8 TEXT {7}",
            "A1 UID FETCH 7 (UID RFC822.SIZE BODYSTRUCTURE BODY.PEEK[1.2]<0.99> BODY.PEEK[3.HEADER]<0.9> BODY.PEEK[1.MIME]<0.1>)",
            "A1 UID FETCH 7 (UID BODY.PEEK[2]<2097152.2097152>)",
            "A1 UID FETCH 1:5 (UID FLAGS BODY.PEEK[HEADER.FIELDS (FROM MESSAGE-ID)]<0.65536> FLAGS)",
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
            "A1 ID (\"name\" \"x\")",
            "A1 UID FETCH 1 (BODY.PEEK[1] BODY[2])",
            "A1 UID FETCH 1 (BODY.PEEK[1]<0.1> BODY[2]<0.1>)",
            "A1 UID FETCH 1 (BODY.PEEK[1) BODY[]<0.1>)",
            "A1 UID FETCH 1 (BODY.PEEK[TEXT]<0.1>)",
            "A1 UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (FROM)])",
            "A1 UID FETCH 1 (BODY.PEEK[HEADER.FIELDS ()]<0.1>)",
            "A1 UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (FROM) BODY[]]<0.1>)",
            "A1 UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (FROM]<0.1> BODY[])",
            "A1 UID FETCH 1 (BODY.PEEK[1.HEADER.FIELDS (FROM)]<0.1>)",
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
    fn what_was_copied_alone_can_be_removed() {
        for good in ["A1 UID STORE 7 +FLAGS.SILENT (\\Deleted)", "A1 UID EXPUNGE 7"] {
            assert!(removes(&moving(), good) && !removes(&Errand::Look, good), "{good}");
        }
        for bad in [
            "A1 UID STORE 8 +FLAGS.SILENT (\\Deleted)",
            "A1 UID STORE 1:* +FLAGS.SILENT (\\Deleted)",
            "A1 UID STORE 7 +FLAGS.SILENT (\\Deleted \\Seen)",
            "A1 EXPUNGE",
            "A1 UID EXPUNGE 1:*",
            "A1 UID EXPUNGE 7,8",
            "A1 CLOSE",
        ] {
            assert!(!removes(&moving(), bad), "{bad}");
        }
    }

    #[test]
    fn words_of_a_search_are_announced_by_a_search_alone() {
        assert_eq!(announced(&Errand::Look, "A1 UID SEARCH CHARSET UTF-8 TEXT {7}"), Some(7));
        for bad in [
            "A1 UID SEARCH TEXT {7+}",
            "A1 UID SEARCH TEXT {}",
            "A1 UID SEARCH TEXT 7}",
            "A1 LOGIN {7}",
            "A1 APPEND x {7}",
        ] {
            assert_eq!(announced(&Errand::Look, bad), None, "{bad}");
        }
        assert_eq!(announced(&moving(), "A1 UID SEARCH TEXT {7}"), None);
    }

    #[test]
    fn moving_moves_one_message_to_one_folder() {
        assert_eq!(judge(&moving(), false, "A1 UID MOVE 7 \"Archive\""), Line::Effect);
        assert_eq!(judge(&moving(), false, "A1 UID COPY 7 \"Archive\""), Line::Effect);
        assert_eq!(judge(&moving(), false, "A1 SELECT \"INBOX\""), Line::Looks);
        for bad in [
            "A1 UID MOVE 8 \"Archive\"",
            "A1 UID MOVE 7 \"Sent\"",
            "A1 UID MOVE 1:* \"Archive\"",
            "A1 UID MOVE 7,8 \"Archive\"",
            "A1 UID COPY 8 \"Archive\"",
            "A1 UID COPY 7 \"Sent\"",
            "A1 UID COPY 1:* \"Archive\"",
            "A1 UID STORE 7 +FLAGS.SILENT (\\Deleted)",
            "A1 UID EXPUNGE 7",
            "A1 SELECT \"Sent\"",
            "A1 UID STORE 7 +FLAGS (\\Deleted)",
            "A1 EXPUNGE",
        ] {
            assert_eq!(judge(&moving(), false, bad), Line::Forbidden, "{bad}");
        }
    }
}
