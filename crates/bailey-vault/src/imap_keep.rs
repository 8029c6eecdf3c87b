//! The one message that an errand puts into a folder: exactly its bytes, once, and not before the server asks for them.
//!
//! A server that refuses an announced message takes what follows for commands; so nothing follows (RFC 3501, 7.5).

use bailey_gate::family::mail::FolderName;

/// Longest beginning of a line that is kept to see what it says.
const MAX_BEGUN: usize = 8;
/// The end of the line that a message stands in; with it the server acts.
const END: &[u8] = b"\r\n";

/// How far the message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not announced yet.
    Ahead,
    /// Announced; the server has not asked for it.
    Announced,
    /// The server asked for it; so much of it is written.
    Asked(usize),
    /// Written whole, or refused.
    Behind,
}

/// A message on its way into a folder.
#[derive(Debug)]
pub(crate) struct Keep {
    folder: FolderName,
    bytes: Vec<u8>,
    /// Tells whether its end is the hand-off of its claim: so it is for a draft. The copy of a mail follows a hand-off.
    effect: bool,
    state: State,
    /// The beginning of the line that comes from the server.
    begun: Vec<u8>,
}

impl Keep {
    pub(crate) const fn new(folder: FolderName, bytes: Vec<u8>, effect: bool) -> Self {
        Self { folder, bytes, effect, state: State::Ahead, begun: Vec::new() }
    }

    /// Tells whether a command announces this message for its folder, and may: as a copy of what was sent, which is read, or as a
    /// draft (RFC 3501, 6.3.11).
    pub(crate) fn is_announced_by(&self, command: &str) -> bool {
        let line = |flag| format!("APPEND {} ({flag}) {{{}}}", self.folder.quoted(), self.bytes.len());
        let flag = if self.effect { "\\Draft" } else { "\\Seen" };
        self.state == State::Ahead && command == line(flag)
    }

    /// Takes note that it was announced.
    pub(crate) fn announced(&mut self) {
        self.state = State::Announced;
    }

    /// Tells whether what is written next is part of the message, and not a line of its own.
    pub(crate) fn is_under_way(&self) -> bool {
        matches!(self.state, State::Announced | State::Asked(_))
    }

    /// Says how many of these bytes may be written now, and whether they are the end.
    pub(crate) fn plan(&self, buffer: &[u8]) -> Result<(usize, bool), &'static str> {
        let State::Asked(at) = self.state else { return Err("a message before the server asked for it") };
        let (rest, ends) = match self.bytes.get(at..) {
            Some(rest) if !rest.is_empty() => (rest, false),
            _ => (END, true),
        };
        let count = rest.len().min(buffer.len());
        let in_part = ends && count < END.len();
        if count == 0 || in_part || buffer.get(..count) != rest.get(..count) {
            return Err("the bytes are not those that were approved");
        }
        Ok((count, ends))
    }

    /// Tells whether the end is the hand-off.
    pub(crate) const fn has_effect(&self) -> bool {
        self.effect
    }

    /// Takes note that so many bytes were written, or the end.
    pub(crate) fn wrote(&mut self, written: usize, ended: bool) {
        if let State::Asked(at) = self.state {
            self.state = if ended { State::Behind } else { State::Asked(at + written) };
        }
    }

    /// Takes note of what the server says to an announced message: only its `+` opens the way; an end of the command closes it.
    pub(crate) fn heard(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.state != State::Announced {
                return;
            }
            if *byte != b'\n' {
                if self.begun.len() < MAX_BEGUN {
                    self.begun.push(*byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.begun);
            match line.first() {
                Some(b'+') => self.state = State::Asked(0),
                Some(b'*') => {}
                _ => self.state = State::Behind,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"Subject: s\r\n\r\nA1 EXPUNGE\r\n";

    fn keep(effect: bool) -> Keep {
        Keep::new(FolderName::new("Sent").unwrap(), MESSAGE.to_vec(), effect)
    }

    fn asked(effect: bool) -> Keep {
        let mut keep = keep(effect);
        keep.announced();
        keep.heard(b"* 3 EXISTS\r\n+ go");
        assert!(keep.plan(MESSAGE).is_err(), "the answer is not whole yet");
        keep.heard(b" on\r\n");
        keep
    }

    #[test]
    fn keeping_announces_one_message_for_one_folder() {
        assert!(keep(false).is_announced_by("APPEND \"Sent\" (\\Seen) {26}"));
        assert!(keep(true).is_announced_by("APPEND \"Sent\" (\\Draft) {26}"));
        for bad in [
            "APPEND \"Sent\" (\\Draft) {26}",
            "APPEND \"Sent\" (\\Seen) {27}",
            "APPEND \"Sent\" (\\Seen) {26+}",
            "APPEND \"Sent\" (\\Seen \\Deleted) {26}",
            "APPEND \"Sent\" {26}",
            "APPEND \"INBOX\" (\\Seen) {26}",
            "APPEND \"Sent\" (\\Seen) \"01-Jan-2000 00:00:00 +0000\" {26}",
            "CREATE \"Sent\"",
            "",
        ] {
            assert!(!keep(false).is_announced_by(bad), "{bad}");
        }
        assert!(!asked(false).is_announced_by("APPEND \"Sent\" (\\Seen) {26}"), "a second one");
    }

    #[test]
    fn keeping_writes_exactly_the_message_once_and_its_end_by_itself() {
        let mut keep = asked(true);
        assert_eq!(keep.plan(MESSAGE), Ok((MESSAGE.len(), false)));
        keep.wrote(10, false);
        assert!(keep.plan(MESSAGE).is_err(), "from the beginning again");
        let more = [&MESSAGE[10..], b"\r\nA2 DELETE \"INBOX\"\r\n"].concat();
        assert_eq!(keep.plan(&more), Ok((MESSAGE.len() - 10, false)));
        keep.wrote(MESSAGE.len() - 10, false);
        assert!(keep.plan(b"\r").is_err(), "the end in parts");
        assert!(keep.plan(b"A2 NOOP\r\n").is_err());
        assert_eq!(keep.plan(b"\r\nA2 DELETE \"INBOX\"\r\n"), Ok((2, true)));
        keep.wrote(2, true);
        assert!(!keep.is_under_way());
        assert!(keep.plan(MESSAGE).is_err());
    }

    #[test]
    fn keeping_ends_where_the_server_does_not_ask_for_the_message() {
        let mut keep = keep(false);
        keep.announced();
        assert!(keep.plan(MESSAGE).is_err());
        keep.heard(b"A1 NO [TRYCREATE] no such folder\r\n+ go\r\n");
        assert!(keep.plan(MESSAGE).is_err());
        assert!(!keep.is_under_way() && !keep.is_announced_by("APPEND \"Sent\" (\\Seen) {26}"));
    }
}
