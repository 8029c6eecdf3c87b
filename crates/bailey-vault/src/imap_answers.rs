//! What a mail server may answer with: so much, so many answers, so deep. Looked at before the mail library sees a byte of it, for
//! that library reserves whatever length it is told of, keeps a block of memory for each answer, and descends as deep as
//! brackets nest.
//!
//! An answer is let through when it is whole. Literals, which could hide anything, are read in two places only: a message's bytes and
//! a folder's name, each in an answer of the form below. Everything else is a line by itself, and the library's parser has to take
//! all of it for one answer; where it sees more than we do, it waits for what does not come, and the answer is refused.
//!
//! ```text
//! "* " number " FETCH (" item *(" " item) ")"      item    = name " " value / section " " (value / literal)
//! "* LIST (" plain ") " (quoted / "NIL") " " literal section = "BODY[" ["HEADER"] "]" ["<" number ">"]
//!                                                  value   = number / "NIL" / quoted / "(" plain ")"
//! ```

use async_imap::imap_proto::Response;

/// Most bytes outside of literals in one session: the numbers of half a million messages.
const MAX_WORDS: usize = 4 * 1024 * 1024;
/// Most of them in one answer, but for the numbers a search found. The library reads an answer anew with every few kilobytes of it.
const MAX_ANSWER: usize = 64 * 1024;
/// Most things an answer says of one message. What we ask for is three.
const MAX_ITEMS: usize = 32;
/// How a search begins to say what it found, and about how many bytes of it are passed on as one answer.
const SEARCH: &[u8] = b"* SEARCH";
const SEARCH_AT_ONCE: usize = 2 * 1024;
/// Most bytes of one literal (RFC 3501, 4.3): a mail as far as we fetch it, or a header larger than any that is wanted.
const MAX_LITERAL: usize = 4 * 1024 * 1024;
/// Most answers in one session: folders, and the messages of one look.
const MAX_ANSWERS: usize = 10_000;
/// Most opening brackets in a line. What we ask for has three.
const MAX_BRACKETS: usize = 64;

/// One session's answers so far.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The answer that is coming.
    held: Vec<u8>,
    /// Bytes of its literal still to come.
    literal: usize,
    /// Bytes outside of literals: of the answer that is coming, and of all.
    said: usize,
    words: usize,
    answers: usize,
}

/// What an answer is that came up to the end of a line.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Whole,
    /// So many bytes follow that are no words.
    Literal(usize),
}

impl Answers {
    /// Takes what came, and lets whole answers through; an error says what is wrong with them.
    pub(crate) fn take(&mut self, mut bytes: &[u8], through: &mut Vec<u8>) -> Result<(), &'static str> {
        while let Some((&byte, after)) = bytes.split_first() {
            if self.literal > 0 {
                let (now, later) = bytes.split_at(self.literal.min(bytes.len()));
                self.held.extend_from_slice(now);
                self.literal -= now.len();
                bytes = later;
                continue;
            }
            (self.words, self.said) = (self.words + 1, self.said + 1);
            let too_long = self.said > MAX_ANSWER && !is_search(&self.held);
            if self.words > MAX_WORDS || too_long {
                return Err("the mail server's answers have no end");
            }
            self.held.push(byte);
            bytes = after;
            if byte != b'\n' {
                continue;
            }
            match next(&self.held)? {
                Next::Literal(length) if length > MAX_LITERAL => {
                    return Err("the mail server announces more than was asked for");
                }
                Next::Literal(length) => self.literal = length,
                Next::Whole => {
                    self.answers += 1;
                    if self.answers > MAX_ANSWERS {
                        return Err("the mail server answers more often than it was asked");
                    }
                    self.said = 0;
                    if is_search(&self.held) {
                        found(&self.held, through);
                        self.held.clear();
                    } else {
                        through.append(&mut self.held);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether an answer has begun and not ended.
    pub(crate) const fn is_amid(&self) -> bool {
        !self.held.is_empty()
    }
}

const UNREADABLE: &str = "the mail server gave an answer that cannot be read";

fn is_search(held: &[u8]) -> bool {
    held.get(..SEARCH.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(SEARCH))
}

/// Passes on the numbers a search found, in answers of a length that is read once.
fn found(held: &[u8], through: &mut Vec<u8>) {
    let numbers = held.get(SEARCH.len()..).unwrap_or_default();
    let mut begun = through.len();
    through.extend_from_slice(SEARCH);
    for number in numbers.split(|byte| !byte.is_ascii_digit()).filter(|number| !number.is_empty()) {
        if through.len() - begun >= SEARCH_AT_ONCE {
            through.extend_from_slice(b"\r\n");
            begun = through.len();
            through.extend_from_slice(SEARCH);
        }
        through.push(b' ');
        through.extend_from_slice(number);
    }
    through.extend_from_slice(b"\r\n");
}

fn next(held: &[u8]) -> Result<Next, &'static str> {
    if is_search(held) {
        // Numbers alone, as they are passed on; in pieces the library reads each of them.
        let plain = held.get(SEARCH.len()..).and_then(|rest| rest.strip_suffix(b"\r\n"));
        let numbers = |rest: &[u8]| rest.iter().all(|byte| *byte == b' ' || byte.is_ascii_digit());
        let fits = |number: &[u8]| std::str::from_utf8(number).is_ok_and(|digits| digits.parse::<u32>().is_ok());
        let all_fit = |rest: &[u8]| rest.split(|byte| *byte == b' ').all(|number| number.is_empty() || fits(number));
        return if plain.is_some_and(|rest| numbers(rest) && all_fit(rest)) {
            Ok(Next::Whole)
        } else {
            Err(UNREADABLE)
        };
    }
    let next = Reader(held).answer().ok_or(UNREADABLE)?;
    if next == Next::Whole {
        let is_one = Response::parse(held).is_ok_and(|(rest, _)| rest.is_empty());
        return if is_one { Ok(next) } else { Err(UNREADABLE) };
    }
    Ok(next)
}

/// Reads an answer from its beginning. Each part gives nothing where something else stands.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn answer(&mut self) -> Option<Next> {
        if self.is("* LIST (").is_some() {
            return self.list();
        }
        let begun = self.0;
        if self.is("* ").and_then(|()| self.number()).and_then(|_| self.is(" FETCH (")).is_some() {
            return self.items();
        }
        // Nothing in such a line is a literal to us, so brackets are all there is to descend into.
        let brackets = begun.iter().filter(|byte| matches!(byte, b'(' | b'[')).count();
        (brackets <= MAX_BRACKETS).then_some(Next::Whole)
    }

    /// The names of a folder's line, of which only the last may be a literal.
    fn list(&mut self) -> Option<Next> {
        self.plain();
        self.is(") ")?;
        self.quoted().or_else(|| self.is("NIL"))?;
        self.is(" ")?;
        // A name that is no literal is read by the library alone.
        if self.0.first() != Some(&b'{') {
            return Some(Next::Whole);
        }
        match self.literal()? {
            Next::Whole => (self.0 == b"\r\n").then_some(Next::Whole),
            announced => Some(announced),
        }
    }

    fn items(&mut self) -> Option<Next> {
        for _ in 0..MAX_ITEMS {
            let section = self.is("BODY[").is_some();
            if section {
                let _ = self.is("HEADER");
                self.is("]")?;
                if self.is("<").is_some() {
                    self.number()?;
                    self.is(">")?;
                }
            } else {
                self.name()?;
            }
            self.is(" ")?;
            if section && self.0.first() == Some(&b'{') {
                match self.literal()? {
                    Next::Whole => {}
                    announced => return Some(announced),
                }
            } else {
                self.value()?;
            }
            // Blanks that should not be there are, with some servers.
            let blank = self.is(" ").is_some();
            if self.is(")").is_some() {
                self.skip(|byte| byte == b' ');
                return (self.0 == b"\r\n").then_some(Next::Whole);
            }
            blank.then_some(())?;
        }
        None
    }

    fn value(&mut self) -> Option<()> {
        if self.is("(").is_some() {
            self.plain();
            return self.is(")");
        }
        self.is("NIL").or_else(|| self.quoted()).or_else(|| self.number().map(drop))
    }

    /// A literal that has come, or the announcement of one that has not begun.
    fn literal(&mut self) -> Option<Next> {
        self.is("{")?;
        let length = self.number()?;
        self.is("}\r\n")?;
        if self.0.is_empty() {
            return Some(Next::Literal(length));
        }
        self.0 = self.0.get(length..)?;
        Some(Next::Whole)
    }

    fn quoted(&mut self) -> Option<()> {
        self.is("\"")?;
        // A folder's separator may be the one sign that has to be escaped.
        if self.is("\\\\").is_none() {
            self.skip(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'));
        }
        self.is("\"")
    }

    /// Words within brackets, without brackets, strings or literals among them.
    fn plain(&mut self) {
        self.skip(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'(' | b')' | b'"' | b'{'));
    }

    fn name(&mut self) -> Option<()> {
        (self.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) > 0).then_some(())
    }

    fn number(&mut self) -> Option<usize> {
        let before = self.0;
        let digits = self.skip(|byte| byte.is_ascii_digit());
        std::str::from_utf8(before.get(..digits)?).ok()?.parse().ok()
    }

    /// Passes what fits; how much that was.
    fn skip(&mut self, fits: impl Fn(u8) -> bool) -> usize {
        let count = self.0.iter().take_while(|byte| fits(**byte)).count();
        self.0 = self.0.get(count..).unwrap_or_default();
        count
    }

    /// Passes exactly this, in whatever case.
    fn is(&mut self, words: &str) -> Option<()> {
        let (begin, rest) = self.0.split_at_checked(words.len())?;
        begin.eq_ignore_ascii_case(words.as_bytes()).then(|| self.0 = rest)
    }
}

/// What is let through of what a mail server says: each answer by itself.
#[must_use]
pub fn answers(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut answers, mut out) = (Answers::default(), Vec::new());
    for byte in bytes {
        let mut through = Vec::new();
        if answers.take(&[*byte], &mut through).is_err() {
            break;
        }
        if !through.is_empty() {
            out.push(through);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is let through, however it is cut.
    fn takes(text: &[u8]) -> Result<Vec<u8>, &'static str> {
        let (mut whole, mut bytewise) = (Vec::new(), Vec::new());
        let done = Answers::default().take(text, &mut whole);
        let mut answers = Answers::default();
        assert_eq!(text.iter().try_for_each(|byte| answers.take(&[*byte], &mut bytewise)), done);
        assert_eq!(whole, bytewise);
        done.map(|()| whole)
    }

    #[test]
    fn what_was_asked_for_is_taken() {
        let mail = b"({(".repeat(100_000);
        let fetched =
            [b"* 1 FETCH (UID 7 BODY[]<0> {300000}\r\n".as_slice(), &mail, b" FLAGS (\\Seen))\r\nA1 OK done\r\n"];
        assert_eq!(takes(&fetched.concat()), Ok(fetched.concat()));
        assert_eq!(answers(&fetched.concat()).len(), 2);
        for line in [
            "* LIST () \"/\" \"a \\\" ( {99999999} b\"",
            "* LIST (\\HasNoChildren) \"\\\\\" {3}\r\na\r\n",
            "* LIST () NIL {0}\r\n",
            "* OK [PERMANENTFLAGS (\\*)] you're {99999999}",
            "+ {99999999}",
            "* 2 FETCH (FLAGS () BODY[HEADER] NIL MODSEQ (7) INTERNALDATE \"22-Nov-2026\")",
            "* 2 fetch (BODY[HEADER] {0}\r\n UID 7)",
            "* SEARCH 1 2 3",
            "* SEARCH",
            "* 3 EXISTS",
            "* 1 FETCH (UID 7 BODY[] {4}\r\nab\r\n ) ",
        ] {
            let lines = format!("{line}\r\n").repeat(100).into_bytes();
            assert_eq!(takes(&lines), Ok(lines), "{line}");
        }
    }

    #[test]
    fn what_a_search_found_is_passed_on_in_pieces() {
        let numbers: Vec<String> = (1..100_000_u32).map(|number| number.to_string()).collect();
        let whole = format!("* SEARCH {} \r\n", numbers.join(" "));
        let mut through = Vec::new();
        Answers::default().take(whole.as_bytes(), &mut through).unwrap();
        let through = String::from_utf8(through).unwrap();
        let lines: Vec<&str> = through.split_terminator("\r\n").collect();
        assert!(lines.len() > 100 && lines.iter().all(|line| line.len() < SEARCH_AT_ONCE + 32));
        assert!(lines.iter().all(|line| Response::parse(format!("{line}\r\n").as_bytes()).is_ok()));
        let again: Vec<&str> =
            lines.iter().flat_map(|line| line.strip_prefix("* SEARCH ").unwrap().split(' ')).collect();
        assert_eq!(again, numbers);
        // Wherever the last number ends.
        for count in 1_000..1_100 {
            let mut through = Vec::new();
            let whole = format!("* SEARCH{}\r\n", " 1".repeat(count));
            Answers::default().take(whole.as_bytes(), &mut through).unwrap();
            let text = String::from_utf8(through).unwrap();
            assert_eq!(text.matches(" 1").count(), count);
            assert!(text.split_terminator("\r\n").all(|line| line.starts_with("* SEARCH 1") && !line.contains("1*")));
        }
    }

    #[test]
    fn what_is_beyond_every_bound_is_refused() {
        let nested = "(".repeat(100);
        for (text, why) in [
            (format!("* 1 FETCH (BODYSTRUCTURE {nested}\r\n"), "cannot be read"),
            (format!("* OK [{nested}\r\n"), "cannot be read"),
            ("* LIST () \"/\" {500000000}\r\n".into(), "announces more"),
            ("* LIST () \"/\" {99999999999999999999999}\r\n".into(), "cannot be read"),
            ("* SEARCH".to_owned() + &" 1".repeat(MAX_WORDS / 2), "no end"),
            ("* SEARCH 1 (MODSEQ 2)\r\n".into(), "cannot be read"),
            ("* SEARCH 4294967296\r\n".into(), "cannot be read"),
            ("* FLAGS (".to_owned() + &"a".repeat(MAX_ANSWER), "no end"),
            (format!("* 1 FETCH ({}UID 1)\r\n", "UID 1 ".repeat(MAX_ITEMS)), "cannot be read"),
            ("* LIST () \"/\" x\r\n".repeat(MAX_ANSWERS + 1), "more often"),
            (format!("A1 OK {{4000000}}\r\n* 1 FETCH (BODYSTRUCTURE {nested}\r\n"), "cannot be read"),
            (format!("* 1 FETCH (BODY[] {{3}}\r\nabc BODYSTRUCTURE {nested}\r\n"), "cannot be read"),
            // What the library could take for something else than a literal.
            ("* 1 FETCH (WHAT {14}\r\n* 2 EXISTS\r\n  )\r\n".into(), "cannot be read"),
            ("* 1 FETCH (WHAT x{14}\r\n".into(), "cannot be read"),
            ("* 1 FETCH (WHAT ( {14}\r\n".into(), "cannot be read"),
            ("* 1 FETCH (WHAT (\"] {14}\r\n".into(), "cannot be read"),
            ("* 1 FETCH (WHAT y\" z (\" {14}\r\n".into(), "cannot be read"),
            ("* 1 FETCH (BODY[] {14+}\r\n".into(), "cannot be read"),
            ("* 1 FETCH (BODY[] {14}\n".into(), "cannot be read"),
            ("* 1 FETCH (BODY[TEXT] {14}\r\n".into(), "cannot be read"),
            ("* METADATA \"\" (/a {14}\r\n".into(), "cannot be read"),
        ] {
            let shown: String = text.chars().take(60).collect();
            assert_eq!(takes(text.as_bytes()).map_err(|said| said.contains(why)), Err(true), "{shown}");
        }
    }
}
