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
//! "* LIST (" plain ") " (quoted / "NIL") " " literal section = "BODY[" part "]" ["<" number ">"]
//!                                                  value   = number / "NIL" / quoted / "(" plain ")"
//!                                                  part    = numbers, points and names, as `1.2.HEADER`,
//!                                                            and fields, as `HEADER.FIELDS (FROM "TO")`
//! ```
//!
//! What a server says of a message's parts (`BODYSTRUCTURE`) nests, and is written in as many ways as there are servers. The library
//! does not see it: it is passed on as the bytes it is, as a section that nobody asks for ([`STRUCTURE_AS`]), for the reader of mail.

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
/// Most bytes of an answer that tells of a message's parts: some two hundred for each; and most of its strings that come as literals.
const MAX_STRUCTURE: usize = 256 * 1024;
const MAX_STRUCTURE_LITERALS: usize = 64;
/// Most brackets within one another there.
const MAX_STRUCTURE_DEPTH: usize = 150;
/// How a message's structure is passed on.
pub const STRUCTURE_AS: &str = "BODY[TEXT]";
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
    /// How often the server asked to go on, ended a command, and ended one well.
    pub(crate) asked: usize,
    pub(crate) ended: usize,
    pub(crate) ended_well: usize,
}

/// What an answer is that came up to the end of a line.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Whole,
    /// So many bytes follow that are no words.
    Literal(usize),
    /// Whole, and told of a message's parts between these places.
    Structure(usize, usize),
    /// Whole, and nothing that was asked for or that anybody here reads.
    Foreign,
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
            let most = if is_fetch(&self.held) { MAX_STRUCTURE } else { MAX_ANSWER };
            let too_long = self.said > most && !is_search(&self.held);
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
                whole => {
                    self.answers += 1;
                    if self.answers > MAX_ANSWERS {
                        return Err("the mail server answers more often than it was asked");
                    }
                    self.said = 0;
                    self.pass(&whole, through);
                }
            }
        }
        Ok(())
    }

    /// Passes on a whole answer, in the form the library reads.
    fn pass(&mut self, whole: &Next, through: &mut Vec<u8>) {
        match self.held.first() {
            Some(b'+') => self.asked += 1,
            Some(b'*') | None => {}
            Some(_) => {
                self.ended += 1;
                let status = self.held.trim_ascii_end().split(|byte| *byte == b' ').nth(1);
                self.ended_well += usize::from(status.is_some_and(|status| status.eq_ignore_ascii_case(b"OK")));
            }
        }
        match whole {
            Next::Structure(from, to) => {
                let structure = self.held.get(*from..*to).unwrap_or_default();
                let before = self.held.get(..from.saturating_sub(b"BODYSTRUCTURE ".len()));
                through.extend_from_slice(before.unwrap_or_default());
                through.extend_from_slice(format!("{STRUCTURE_AS} {{{}}}\r\n", structure.len()).as_bytes());
                through.extend_from_slice(structure);
                through.extend_from_slice(self.held.get(*to..).unwrap_or_default());
                self.held.clear();
            }
            Next::Foreign => self.held.clear(),
            _ if is_search(&self.held) => {
                found(&self.held, through);
                self.held.clear();
            }
            _ => through.append(&mut self.held),
        }
    }

    /// Tells whether an answer has begun and not ended.
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
    let mut reader = Reader { rest: held, structure: None };
    let next = reader.answer().ok_or(UNREADABLE)?;
    if next != Next::Whole {
        return Ok(next);
    }
    let left = |rest: &[u8]| held.len() - rest.len();
    if let Some((from, to)) = reader.structure {
        return Ok(Next::Structure(left(from), left(to)));
    }
    let is_one = Response::parse(held).is_ok_and(|(rest, _)| rest.is_empty());
    // What servers tell unasked, in words of their own, is nobody's here. A line that could announce more is not passed over.
    let unasked = held.starts_with(b"* ") && !is_fetch(held) && !held.ends_with(b"}\r\n") && held.ends_with(b"\r\n");
    match (is_one, unasked) {
        (true, _) => Ok(Next::Whole),
        (false, true) => Ok(Next::Foreign),
        (false, false) => Err(UNREADABLE),
    }
}

/// Tells whether an answer is of one message.
const MAX_DIGITS: usize = 10;

fn is_fetch(held: &[u8]) -> bool {
    let Some(rest) = held.strip_prefix(b"* ") else { return false };
    // No number of a message is longer (RFC 3501, 9), and this is asked for every byte.
    let digits = rest.iter().take(MAX_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    rest.get(digits..).is_some_and(|rest| rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b" FETCH ")))
}

/// Reads an answer from its beginning. Each part gives nothing where something else stands.
struct Reader<'a> {
    rest: &'a [u8],
    /// The rest that was left to read where a message's structure begins, and where it ends.
    structure: Option<(&'a [u8], &'a [u8])>,
}

impl Reader<'_> {
    fn answer(&mut self) -> Option<Next> {
        if self.is("* LIST (").is_some() {
            return self.list();
        }
        let begun = self.rest;
        if self.is("* ").and_then(|()| self.number()).and_then(|_| self.is(" FETCH (")).is_some() {
            return self.items();
        }
        // Nothing in such a line is a literal to us, so brackets are all there is to descend into.
        let brackets = begun.iter().filter(|byte| matches!(byte, b'(' | b'[')).count();
        (brackets <= MAX_BRACKETS).then_some(Next::Whole)
    }

    /// Returns the names of a folder's line, of which only the last may be a literal.
    fn list(&mut self) -> Option<Next> {
        self.plain();
        self.is(") ")?;
        self.quoted().or_else(|| self.is("NIL"))?;
        self.is(" ")?;
        // A name that is no literal is read by the library alone.
        if self.rest.first() != Some(&b'{') {
            return Some(Next::Whole);
        }
        match self.literal()? {
            Next::Whole => (self.rest == b"\r\n").then_some(Next::Whole),
            announced => Some(announced),
        }
    }

    fn items(&mut self) -> Option<Next> {
        for _ in 0..MAX_ITEMS {
            let section = self.is("BODY[").is_some();
            if section {
                self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
                if self.is(" (").is_some() {
                    // Names of fields; some servers quote them.
                    self.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' ' | b'"'));
                    self.is(")")?;
                }
                self.is("]")?;
                if self.is("<").is_some() {
                    self.number()?;
                    self.is(">")?;
                }
            } else if self.is("BODYSTRUCTURE ").is_some() {
                if let Some(announced) = self.parts()? {
                    return Some(announced);
                }
                if self.end_of_item()? {
                    return (self.rest == b"\r\n").then_some(Next::Whole);
                }
                continue;
            } else {
                self.name()?;
            }
            self.is(" ")?;
            if section && self.rest.first() == Some(&b'{') {
                match self.literal()? {
                    Next::Whole => {}
                    announced => return Some(announced),
                }
            } else {
                self.value()?;
            }
            if self.end_of_item()? {
                return (self.rest == b"\r\n").then_some(Next::Whole);
            }
        }
        None
    }

    /// Passes what stands between items; tells whether it was the last.
    fn end_of_item(&mut self) -> Option<bool> {
        // Blanks that should not be there are, with some servers.
        let blank = self.is(" ").is_some();
        if self.is(")").is_some() {
            self.skip(|byte| byte == b' ');
            return Some(true);
        }
        blank.then_some(false)
    }

    /// Passes a message's structure: brackets, strings and literals within one another. Gives the announcement of a literal that has
    /// not begun.
    fn parts(&mut self) -> Option<Option<Next>> {
        let begun = self.rest;
        let (mut depth, mut literals) = (0_usize, 0_usize);
        loop {
            match self.rest.first()? {
                b'(' if depth < MAX_STRUCTURE_DEPTH => {
                    depth += 1;
                    self.skip_one();
                }
                b')' if depth > 0 => {
                    depth -= 1;
                    self.skip_one();
                    if depth == 0 {
                        self.structure = Some((begun, self.rest));
                        return Some(None);
                    }
                }
                b'"' => self.quoted()?,
                b'{' => {
                    literals += 1;
                    match self.literal().filter(|_| literals <= MAX_STRUCTURE_LITERALS)? {
                        Next::Whole => {}
                        announced => return Some(Some(announced)),
                    }
                }
                b'!'..=b'~' | b' ' if depth > 0 => self.skip_one(),
                _ => return None,
            }
        }
    }

    fn skip_one(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn value(&mut self) -> Option<()> {
        if self.is("(").is_some() {
            self.plain();
            return self.is(")");
        }
        self.is("NIL").or_else(|| self.quoted()).or_else(|| self.number().map(drop))
    }

    /// Returns a literal that has come, or the announcement of one that has not begun.
    fn literal(&mut self) -> Option<Next> {
        self.is("{")?;
        let length = self.number()?;
        self.is("}\r\n")?;
        if self.rest.is_empty() {
            return Some(Next::Literal(length));
        }
        self.rest = self.rest.get(length..)?;
        Some(Next::Whole)
    }

    /// Returns a quoted string; servers write letters outside of ASCII in it, and so do people who name files.
    fn quoted(&mut self) -> Option<()> {
        self.is("\"")?;
        loop {
            match self.rest.first()? {
                b'"' => return self.is("\""),
                b'\\' => {
                    self.skip_one();
                    self.rest.first().filter(|byte| !matches!(byte, b'\r' | b'\n'))?;
                    self.skip_one();
                }
                b' '..=b'~' | 0x80.. => self.skip_one(),
                _ => return None,
            }
        }
    }

    /// Reads words within brackets, without brackets, strings or literals among them.
    fn plain(&mut self) {
        self.skip(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'(' | b')' | b'"' | b'{'));
    }

    fn name(&mut self) -> Option<()> {
        (self.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) > 0).then_some(())
    }

    fn number(&mut self) -> Option<usize> {
        let before = self.rest;
        let digits = self.skip(|byte| byte.is_ascii_digit());
        std::str::from_utf8(before.get(..digits)?).ok()?.parse().ok()
    }

    /// Passes what fits; how much that was.
    fn skip(&mut self, fits: impl Fn(u8) -> bool) -> usize {
        let count = self.rest.iter().take_while(|byte| fits(**byte)).count();
        self.rest = self.rest.get(count..).unwrap_or_default();
        count
    }

    /// Passes exactly this, in whatever case.
    fn is(&mut self, words: &str) -> Option<()> {
        let (begin, rest) = self.rest.split_at_checked(words.len())?;
        begin.eq_ignore_ascii_case(words.as_bytes()).then(|| self.rest = rest)
    }
}

/// Returns what is let through of what a mail server says: each answer by itself.
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

    /// Returns what is let through, however it is cut.
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
            "* 2 FETCH (UID 7 BODY[HEADER.FIELDS (FROM \"TO\" Message-ID)]<0> {4}\r\na: b)",
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
    fn a_messages_parts_are_passed_on_as_bytes() {
        for (structure, before, after) in [
            (
                "((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 9 1)(\"image\" \"png\" NIL NIL NIL \"base64\" 9) \"mixed\")",
                "UID 7 ",
                " FLAGS (\\Seen)",
            ),
            ("(\"application\" \"pdf\" (\"name\" \"a\\\"(\") NIL NIL \"base64\" 9)", "", " UID 7"),
            ("(\"application\" \"pdf\" (\"name\" {6}\r\n)\"\r\n({) NIL NIL \"base64\" 9)", "", " UID 7"),
            ("(\"application\" \"pdf\" (\"name\" \"Gr\u{fc}\u{df}e\") NIL NIL \"base64\" 9)", "UID 7 ", ""),
        ] {
            let answer = format!("* 1 FETCH ({before}BODYSTRUCTURE {structure}{after})\r\n");
            let through = takes(answer.as_bytes()).unwrap();
            let (rest, read) = Response::parse(&through).unwrap();
            assert!(rest.is_empty());
            let told = format!("{read:?}");
            assert!(told.contains("Full(Text)") && told.contains("Uid(7)"), "{told}");
            let text = String::from_utf8_lossy(&through);
            assert!(text.contains(&format!("BODY[TEXT] {{{}}}\r\n{structure}", structure.len())), "{text}");
        }
        let deep = format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(MAX_STRUCTURE_DEPTH + 1));
        assert_eq!(takes(format!("{deep}\r\n").as_bytes()), Err(UNREADABLE));
        let literals = format!("* 1 FETCH (BODYSTRUCTURE ({}", "{0}\r\n".repeat(MAX_STRUCTURE_LITERALS + 1));
        assert_eq!(takes(literals.as_bytes()), Err(UNREADABLE));
    }

    #[test]
    fn what_nobody_asked_for_is_passed_over() {
        let lines = b"* XAPPLEPUSH (1 \"2\"\r\n* 3 EXISTS\r\n* ID (\"name\" \"x\"\r\nA1 OK done\r\n";
        assert_eq!(takes(lines), Ok(b"* 3 EXISTS\r\nA1 OK done\r\n".to_vec()));
        let mut answers = Answers::default();
        answers.take(b"+ go on\r\n* 1 EXISTS\r\nA1 NO no\r\nA2 ok yes\r\n", &mut Vec::new()).unwrap();
        assert_eq!((answers.asked, answers.ended, answers.ended_well), (1, 2, 1));
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
            ("* 1 FETCH (BODY[TEXT {14}\r\n".into(), "cannot be read"),
            ("* METADATA \"\" (/a {14}\r\n".into(), "cannot be read"),
        ] {
            let shown: String = text.chars().take(60).collect();
            assert_eq!(takes(text.as_bytes()).map_err(|said| said.contains(why)), Err(true), "{shown}");
        }
    }
}
