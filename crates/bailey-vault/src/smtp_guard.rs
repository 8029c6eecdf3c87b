//! What a claimed connection may say: an allow-list below the protocol library, byte by byte.
//!
//! Levels and approvals are enforced here and not by the good behaviour of the code above: whatever a connector or a
//! library tries to write, only the approved message to the approved recipients passes, and its last bytes pass only under
//! the hand-off lock.

use std::collections::BTreeSet;
use std::fmt;

/// Longest command line, RFC 5321, 4.5.3.1.4 with room for AUTH (RFC 4954 allows 12288).
const MAX_COMMAND_BYTES: usize = 12 * 1024;
/// The end of a message on the wire.
pub(crate) const TERMINATOR: &[u8] = b"\r\n.\r\n";

/// What may happen with bytes about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first so many may be written freely.
    Pass(usize),
    /// The first so many are the hand-off: they must be written in one go under the lock.
    HandOff(usize),
}

/// Why bytes were not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forbidden {
    /// A command that is not part of sending this message.
    Command(String),
    /// A recipient or sender that was not approved.
    Address(String),
    /// Message bytes that are not the approved ones.
    Content,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "`{command}` is not part of sending the approved message"),
            Self::Address(address) => write!(f, "`{address}` is not part of the approved message"),
            Self::Content => f.write_str("the bytes are not those that were approved"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Command lines.
    Commands,
    /// An AUTH exchange: base64 lines.
    Auth,
    /// DATA was sent; the server has not answered.
    DataAsked,
    /// The message, from this position of the expected bytes.
    Data(usize),
    /// The message was handed off.
    Done,
}

/// Lets one approved message through an SMTP connection, and nothing else.
pub(crate) struct SmtpGuard {
    mode: Mode,
    /// Tells whether there is a message to send; without one it may be signed in, and nothing more.
    sends: bool,
    from: String,
    recipients: BTreeSet<String>,
    named: BTreeSet<String>,
    /// The message as it must appear on the wire: dots stuffed, terminator included.
    expected: Vec<u8>,
    /// Rest of a command line that was checked but not written whole yet.
    checked: usize,
    reply: Vec<u8>,
}

impl fmt::Debug for SmtpGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpGuard").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl SmtpGuard {
    /// Returns a guard for one message: its envelope and its exact bytes, which end in CRLF.
    pub(crate) fn new(from: &str, recipients: &[String], artefact: &[u8]) -> Self {
        Self {
            mode: Mode::Commands,
            sends: true,
            from: from.to_owned(),
            recipients: recipients.iter().cloned().collect(),
            named: BTreeSet::new(),
            expected: on_the_wire(artefact),
            checked: 0,
            reply: Vec::new(),
        }
    }

    /// Returns a guard for trying an account out: greeting, signing in, good-bye.
    pub(crate) fn without_message() -> Self {
        Self { sends: false, ..Self::new("", &[], &[]) }
    }

    /// Returns what may be done with `buffer`. Changes nothing; [`Self::wrote`] does.
    pub(crate) fn plan(&self, buffer: &[u8]) -> Result<Step, Forbidden> {
        if self.checked > 0 {
            return Ok(Step::Pass(self.checked.min(buffer.len())));
        }
        match self.mode {
            Mode::Commands | Mode::Auth | Mode::Done => self.plan_command(buffer),
            Mode::DataAsked => Err(Forbidden::Command("message text before the server asked for it".into())),
            Mode::Data(at) => self.plan_data(at, buffer),
        }
    }

    fn plan_data(&self, at: usize, buffer: &[u8]) -> Result<Step, Forbidden> {
        let rest = self.expected.get(at..).unwrap_or_default();
        let free = rest.len().saturating_sub(TERMINATOR.len());
        let count = if free > 0 { free.min(buffer.len()) } else { rest.len() };
        match (buffer.get(..count), rest.get(..count)) {
            (Some(given), Some(approved)) if given == approved => {
                Ok(if free > 0 { Step::Pass(count) } else { Step::HandOff(count) })
            }
            _ => Err(Forbidden::Content),
        }
    }

    fn plan_command(&self, buffer: &[u8]) -> Result<Step, Forbidden> {
        let end = buffer.windows(2).position(|two| two == b"\r\n");
        let line = end.and_then(|end| buffer.get(..end)).filter(|line| line.len() <= MAX_COMMAND_BYTES);
        let line = line.and_then(|line| std::str::from_utf8(line).ok());
        let Some(line) = line else { return Err(Forbidden::Command("an unfinished line".into())) };
        self.check_command(line)?;
        Ok(Step::Pass(line.len() + 2))
    }

    fn check_command(&self, line: &str) -> Result<(), Forbidden> {
        let refused = || Forbidden::Command(line.split(' ').next().unwrap_or_default().chars().take(16).collect());
        if self.mode == Mode::Auth && line.chars().all(|c| c.is_ascii_alphanumeric() || "+/=*".contains(c)) {
            return Ok(());
        }
        let upper = line.to_ascii_uppercase();
        if upper == "QUIT" || upper == "RSET" || upper == "NOOP" {
            return Ok(());
        }
        if self.mode == Mode::Done {
            return Err(refused());
        }
        if upper.starts_with("EHLO ") || upper.starts_with("HELO ") || upper.starts_with("AUTH ") {
            return Ok(());
        }
        if !self.sends {
            return Err(refused());
        }
        if let Some(address) = path(line, "MAIL FROM:") {
            return if address == self.from { Ok(()) } else { Err(Forbidden::Address(address.into())) };
        }
        if let Some(address) = path(line, "RCPT TO:") {
            return if self.recipients.contains(address) { Ok(()) } else { Err(Forbidden::Address(address.into())) };
        }
        // A message goes to all that were approved, or to nobody.
        if upper == "DATA" && self.named == self.recipients {
            return Ok(());
        }
        Err(refused())
    }

    /// Takes note of what became of planned bytes: so many of them were written.
    pub(crate) fn wrote(&mut self, planned: &[u8], written: usize) {
        if self.checked > 0 {
            self.checked = self.checked.saturating_sub(written);
            return;
        }
        match self.mode {
            Mode::Data(at) => {
                let at = at + written;
                self.mode = if at >= self.expected.len() { Mode::Done } else { Mode::Data(at) };
            }
            Mode::Commands | Mode::Auth | Mode::DataAsked | Mode::Done => {
                // The line was checked whole; its rest may follow without being looked at again.
                self.checked = planned.len().saturating_sub(written);
                self.wrote_command(planned);
            }
        }
    }

    fn wrote_command(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        let upper = line.to_ascii_uppercase();
        if let Some(address) = path(line, "RCPT TO:") {
            self.named.insert(address.to_owned());
        } else if upper == "DATA" && self.mode == Mode::Commands {
            self.mode = Mode::DataAsked;
        } else if upper.starts_with("AUTH ") {
            self.mode = Mode::Auth;
        } else if self.mode != Mode::Done && (upper == "RSET" || upper.starts_with("MAIL FROM:")) {
            self.named.clear();
            self.mode = Mode::Commands;
        }
    }

    /// Takes note of what the server said: only its 354 opens the way for the message.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        if !matches!(self.mode, Mode::DataAsked | Mode::Auth) {
            return;
        }
        for byte in bytes {
            self.reply.push(*byte);
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.reply);
                self.replied(&line);
            }
            // A line this long is no reply; what it began with was the code.
            self.reply.truncate(MAX_COMMAND_BYTES);
        }
    }

    fn replied(&mut self, line: &[u8]) {
        let last_line = line.get(3) == Some(&b' ');
        match (self.mode, line.get(..3)) {
            (Mode::DataAsked, Some(b"354")) => self.mode = Mode::Data(0),
            (Mode::DataAsked, _) if last_line => self.mode = Mode::Commands,
            (Mode::Auth, Some(code)) if last_line && code != b"334" => self.mode = Mode::Commands,
            _ => {}
        }
    }
}

/// Returns the address in `MAIL FROM:<…>` or `RCPT TO:<…>`; parameters after it are about encoding and size only.
fn path<'a>(line: &'a str, verb: &str) -> Option<&'a str> {
    let start = line.get(..verb.len())?;
    if !start.eq_ignore_ascii_case(verb) {
        return None;
    }
    let (address, parameters) = line.get(verb.len()..)?.strip_prefix('<')?.split_once('>')?;
    let harmless = parameters
        .split_whitespace()
        .all(|one| one.eq_ignore_ascii_case("BODY=8BITMIME") || one.eq_ignore_ascii_case("SMTPUTF8") || is_size(one));
    harmless.then_some(address)
}

/// `SIZE=` and a number (RFC 1870).
fn is_size(parameter: &str) -> bool {
    let size = parameter.get(..5).filter(|name| name.eq_ignore_ascii_case("SIZE=")).and_then(|_| parameter.get(5..));
    size.is_some_and(|size| !size.is_empty() && size.chars().all(|c| c.is_ascii_digit()))
}

/// Writes it as RFC 5321, 4.5.2 says: a line that begins with a dot gets another; the message ends in `CRLF . CRLF`.
pub(crate) fn on_the_wire(artefact: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(artefact.len() + 16);
    let mut at_line_start = true;
    for byte in artefact {
        if at_line_start && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        at_line_start = *byte == b'\n';
    }
    out.extend_from_slice(TERMINATOR.get(2..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> SmtpGuard {
        SmtpGuard::new("me@x.org", &["ana@y.org".into()], b"Subject: s\r\n\r\n.dot\r\n")
    }

    /// Writes a command as the stream would.
    fn say(guard: &mut SmtpGuard, line: &str) -> Result<(), Forbidden> {
        let bytes = format!("{line}\r\n");
        assert_eq!(guard.plan(bytes.as_bytes())?, Step::Pass(bytes.len()));
        guard.wrote(bytes.as_bytes(), bytes.len());
        Ok(())
    }

    fn up_to_data(guard: &mut SmtpGuard) {
        for line in
            ["EHLO me", "AUTH PLAIN AGFiYw==", "MAIL FROM:<me@x.org> BODY=8BITMIME", "RCPT TO:<ana@y.org>", "DATA"]
        {
            say(guard, line).unwrap();
        }
        guard.read(b"354 go\r\n");
    }

    #[test]
    fn only_the_approved_message_passes_and_its_end_is_the_hand_off() {
        let mut guard = guard();
        up_to_data(&mut guard);
        let wire = b"Subject: s\r\n\r\n..dot\r\n.\r\n";
        assert_eq!(guard.plan(wire), Ok(Step::Pass(wire.len() - 5)));
        guard.wrote(&wire[..wire.len() - 5], wire.len() - 5);
        assert_eq!(guard.plan(&wire[wire.len() - 5..]), Ok(Step::HandOff(5)));
        assert_eq!(guard.plan(b"\r\n.\r\nMAIL FROM:<me@x.org>\r\n"), Ok(Step::HandOff(5)));
        guard.wrote(b"\r\n.\r\n", 5);
        assert!(say(&mut guard, "MAIL FROM:<me@x.org>").is_err(), "a second message on the same claim");
        assert!(say(&mut guard, "QUIT").is_ok());
    }

    #[test]
    fn nothing_opens_the_way_for_a_second_message_once_one_is_handed_off() {
        for again in ["RSET", "rset", "EHLO me", "NOOP", "AUTH PLAIN AGFiYw==", "MAIL FROM:<me@x.org>"] {
            let mut guard = guard();
            up_to_data(&mut guard);
            let wire = b"Subject: s\r\n\r\n..dot\r\n.\r\n";
            guard.wrote(&wire[..wire.len() - 5], wire.len() - 5);
            guard.wrote(b"\r\n.\r\n", 5);
            // Whether it may be said or not, nothing follows from it.
            let _ = say(&mut guard, again);
            guard.read(b"250 ok\r\n");
            for line in ["MAIL FROM:<me@x.org>", "RCPT TO:<ana@y.org>", "DATA"] {
                assert!(say(&mut guard, line).is_err(), "{again}, {line}");
            }
            guard.read(b"354 go\r\n");
            assert!(guard.plan(wire).is_err(), "{again}");
        }
    }

    #[test]
    fn other_bytes_and_other_people_do_not_pass() {
        let mut guard = guard();
        for bad in [
            "MAIL FROM:<boss@x.org>",
            "MAIL FROM:<me@x.org> SIZE=1 AUTH=<>",
            "MAIL FROM:<me@x.org> SIZE=",
            "RCPT TO:<eve@z.org>",
            "RCPT TO:<ana@y.org> NOTIFY=SUCCESS",
            "DATA",
            "VRFY ana",
            "BDAT 10",
            "EXPN x",
            "ETRN x",
        ] {
            assert!(say(&mut guard, bad).is_err(), "{bad}");
        }
        assert!(guard.plan(b"EHLO me").is_err(), "an unfinished line");
        up_to_data(&mut guard);
        assert_eq!(guard.plan(b"Subject: t\r\n"), Err(Forbidden::Content));
        assert_eq!(guard.plan(b"\r\n.\r\n"), Err(Forbidden::Content), "ending early");
    }

    #[test]
    fn trying_an_account_out_signs_in_and_sends_nothing() {
        let mut guard = SmtpGuard::without_message();
        for line in ["EHLO me", "AUTH LOGIN", "AGFiYw==", "AGFiYw=="] {
            say(&mut guard, line).unwrap();
        }
        guard.read(b"235 welcome\r\n");
        for bad in ["MAIL FROM:<>", "MAIL FROM:<me@x.org>", "RCPT TO:<ana@y.org>", "DATA", "BDAT 1"] {
            assert!(say(&mut guard, bad).is_err(), "{bad}");
        }
        assert!(say(&mut guard, "QUIT").is_ok());
    }

    #[test]
    fn no_message_before_the_server_asks_for_it() {
        let mut guard = guard();
        for line in ["EHLO me", "MAIL FROM:<me@x.org>", "RCPT TO:<ana@y.org>", "DATA"] {
            say(&mut guard, line).unwrap();
        }
        assert!(guard.plan(b"Subject: s\r\n").is_err());
        guard.read(b"554 no\r\n");
        assert!(say(&mut guard, "QUIT").is_ok());
        assert!(guard.plan(b"Subject: s\r\n").is_err());
    }
}
