//! What a mail server may answer with: so much, so many answers, so deep. Looked at before the mail library sees a byte of it, for
//! that library reserves whatever length it is told of, keeps a block of memory for each answer, and descends as deep as
//! brackets nest.

/// Most bytes outside of literals in one session: the numbers of half a million messages. The library reads a line anew with every
/// few kilobytes that come, so this bounds its time as well.
const MAX_WORDS: usize = 4 * 1024 * 1024;
/// Most bytes of one literal (RFC 3501, 4.3): a mail as far as we fetch it, or a header larger than any that is wanted.
const MAX_LITERAL: usize = 4 * 1024 * 1024;
/// Most answers in one session: folders, and the messages of one look.
const MAX_ANSWERS: usize = 10_000;
/// How deep brackets may nest. What we ask for has three.
const MAX_DEPTH: usize = 32;

/// Longest first words of a line that are looked at: a tag, and what the answer is.
const MAX_START: usize = 64;
/// Answers that are words for people behind their first (RFC 3501, 7.1): nothing in them is a string or a literal.
const FOR_PEOPLE: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];

/// Where in an answer the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Among words.
    Words,
    /// Among words for people.
    Text,
    /// In a quoted string.
    Quoted,
    /// In a quoted string, behind a backslash.
    Escaped,
    /// Behind `{`, with the length read so far.
    Length(usize),
    /// Behind `{length}`.
    Announced(usize),
    /// In a literal, with so many bytes to come.
    Literal(usize),
}

/// One session's answers so far.
#[derive(Debug)]
pub(crate) struct Answers {
    at: At,
    /// The first words of the line, until it is clear what it is.
    start: Option<Vec<u8>>,
    depth: usize,
    words: usize,
    answers: usize,
}

/// Whether a line that begins like this is words for people; nothing while it is not clear.
fn is_for_people(start: &[u8]) -> Option<bool> {
    if start.first() == Some(&b'+') {
        return Some(true);
    }
    let (_, rest) = start.split_at_checked(start.iter().position(|byte| *byte == b' ')? + 1)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic())?;
    let first = rest.get(..end)?;
    Some(FOR_PEOPLE.iter().any(|word| first.eq_ignore_ascii_case(word)))
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self { at: At::Words, start: Some(Vec::new()), depth: 0, words: 0, answers: 0 }
    }

    /// Takes what came; an error says which bound it is beyond.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        while let Some((&byte, after)) = bytes.split_first() {
            if let At::Literal(left) = self.at {
                let now = left.min(bytes.len());
                self.at = if now == left { At::Words } else { At::Literal(left - now) };
                bytes = bytes.get(now..).unwrap_or_default();
                continue;
            }
            self.step(byte)?;
            bytes = after;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        self.words += 1;
        if self.words > MAX_WORDS {
            return Err("the mail server's answers have no end");
        }
        self.begin(byte);
        self.at = match (self.at, byte) {
            (At::Announced(0), b'\n') => At::Words,
            (At::Announced(length), b'\n') if length > MAX_LITERAL => {
                return Err("the mail server announces more than was asked for");
            }
            (At::Announced(length), b'\n') => At::Literal(length),
            (At::Announced(length), b'\r') => At::Announced(length),
            // Whatever stood open, a line that ends is over.
            (_, b'\n') => {
                self.depth = 0;
                self.start = Some(Vec::new());
                self.answers += 1;
                if self.answers > MAX_ANSWERS {
                    return Err("the mail server answers more often than it was asked");
                }
                At::Words
            }
            (At::Text, b'(' | b'[') => {
                self.descend()?;
                At::Text
            }
            (At::Text, b')' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                At::Text
            }
            (At::Text, _) => At::Text,
            (At::Escaped, _) => At::Quoted,
            (At::Quoted, b'\\') => At::Escaped,
            (At::Quoted, b'"') => At::Words,
            (At::Quoted, _) => At::Quoted,
            (At::Length(length), b'0'..=b'9') => {
                At::Length(length.saturating_mul(10).saturating_add(usize::from(byte - b'0')))
            }
            // RFC 7888: a length may be marked as not to be waited for.
            (At::Length(length), b'+') => At::Length(length),
            (At::Length(length), b'}') => At::Announced(length),
            (_, b'"') => At::Quoted,
            (_, b'{') => At::Length(0),
            (_, b'(' | b'[') => {
                self.descend()?;
                At::Words
            }
            (_, b')' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                At::Words
            }
            (_, _) => At::Words,
        };
        Ok(())
    }

    fn descend(&mut self) -> Result<(), &'static str> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the mail server's answer nests deeper than any that was asked for");
        }
        Ok(())
    }

    /// Looks at the first words of a line, for what it is.
    fn begin(&mut self, byte: u8) {
        let Some(start) = &mut self.start else { return };
        start.push(byte);
        match is_for_people(start) {
            Some(true) => self.at = At::Text,
            None if start.len() < MAX_START => return,
            Some(false) | None => {}
        }
        self.start = None;
    }
}

/// Where answers end, of what a mail server says, and how much of it is let through.
#[must_use]
pub fn ends(bytes: &[u8]) -> (Vec<usize>, usize) {
    let (mut answers, mut ends) = (Answers::new(), Vec::new());
    for (index, byte) in bytes.iter().enumerate() {
        let before = answers.answers;
        if answers.take(&[*byte]).is_err() {
            return (ends, index);
        }
        if answers.answers > before {
            ends.push(index + 1);
        }
    }
    (ends, bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(text: &[u8]) -> Result<(), &'static str> {
        // However it is cut, it is the same.
        let whole = Answers::new().take(text);
        let mut answers = Answers::new();
        assert_eq!(text.iter().try_for_each(|byte| answers.take(&[*byte])), whole);
        whole
    }

    #[test]
    fn what_was_asked_for_is_taken() {
        let mail = b"({(".repeat(100_000);
        let fetched =
            [b"* 1 FETCH (UID 7 BODY[]<0> {300000}\r\n".as_slice(), &mail, b" FLAGS (\\Seen))\r\nA1 OK done\r\n"];
        assert_eq!(takes(&fetched.concat()), Ok(()));
        assert_eq!(ends(&fetched.concat()).0.len(), 2);
        for line in [
            "* LIST () \"/\" \"a \\\" ( {99999999} b\"",
            "* OK [PERMANENTFLAGS (\\*)] you're {99999999}",
            "+ {99999999}",
        ] {
            assert_eq!(takes(format!("{line}\r\n").repeat(100).as_bytes()), Ok(()), "{line}");
        }
    }

    #[test]
    fn what_is_beyond_every_bound_is_refused() {
        for (text, why) in [
            ("* 1 FETCH (BODYSTRUCTURE ".to_owned() + &"(".repeat(100), "nests deeper"),
            ("* OK [".to_owned() + &"(".repeat(100), "nests deeper"),
            ("* LIST () \"/\" {500000000}\r\n".into(), "announces more"),
            ("* LIST () \"/\" {99999999999999999999999}\r\n".into(), "announces more"),
            ("* SEARCH".to_owned() + &" 1".repeat(MAX_WORDS / 2), "no end"),
            ("* LIST () \"/\" x\r\n".repeat(MAX_ANSWERS + 1), "more often"),
            // What is no literal hides nothing behind it.
            ("A1 OK {4000000}\r\n* 1 FETCH (BODYSTRUCTURE ".to_owned() + &"(".repeat(100), "nests deeper"),
            ("* 1 FETCH (BODY[] {3}\r\nabc BODYSTRUCTURE ".to_owned() + &"(".repeat(100), "nests deeper"),
        ] {
            let shown: String = text.chars().take(60).collect();
            assert!(takes(text.as_bytes()).is_err_and(|said| said.contains(why)), "{shown}");
        }
    }
}
