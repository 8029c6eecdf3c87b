//! Recipients as people and programs write them, read by the grammar of mail (RFC 5322, 3.4): names in quotation marks, comments,
//! groups, and encoded words (RFC 2047) in names.
//!
//! INVARIANT: a name never changes who gets a mail. Nothing within quotation marks, a comment or angle brackets parts recipients, and
//! where it is not clear whether a comma does, nothing is read at all.

use std::fmt;

use super::escape::visible;
use super::text::{Address, BadText, Line, Mailbox};

mod words;

/// Why recipients could not be read. Shown to who wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadAddresses {
    /// A text that breaks a rule of its own.
    Text(BadText),
    /// A piece between two commas that is no address; perhaps the beginning of the name behind it.
    CutName {
        /// The words before the comma.
        before: String,
        /// The address behind it.
        address: String,
    },
    /// An address before a comma that may belong to the name behind it.
    Ambiguous {
        /// The words before the comma.
        before: String,
        /// The address behind it.
        address: String,
    },
    /// A quotation mark, a comment, an angle bracket or a group that is not closed.
    Unfinished(&'static str),
    /// More than one where one was asked for.
    Several(usize),
    /// Letters before the `@` that could be taken for others.
    OtherLetters(String),
}

impl fmt::Display for BadAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(why) => why.fmt(f),
            Self::CutName { before, address } => write!(
                f,
                "`{}` is no e-mail address; if it belongs to the name of `{address}`, write that name in quotation marks, as in \"Doe, Jane\" <jane@example.org>",
                visible(before)
            ),
            Self::Ambiguous { before, address } => write!(
                f,
                "it is not clear whether `{}` is a recipient or belongs to the name of `{address}`; give the recipients as a list, or write the name in quotation marks",
                visible(before)
            ),
            Self::Unfinished(what) => write!(f, "{what} is opened and not closed; close it, or leave it out"),
            Self::Several(count) => {
                write!(f, "one entry of the list names {count} recipients; give each an entry of its own")
            }
            Self::OtherLetters(text) => write!(
                f,
                "`{}` has letters before the @ that could be taken for others, such as those of several scripts, so it is not written to; ask for another address",
                visible(text)
            ),
        }
    }
}

impl std::error::Error for BadAddresses {}

impl From<BadText> for BadAddresses {
    fn from(why: BadText) -> Self {
        Self::Text(why)
    }
}

/// Puts a domain with letters of any script into its `xn--` form; `None` where there is none.
pub type ToAscii<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads any number of recipients, parted by commas or semicolons; a group counts as its members.
///
/// # Errors
/// Anything that is not clearly a list of recipients. Nothing is left out and nothing guessed.
pub fn list(text: &str, to_ascii: ToAscii<'_>) -> Result<Vec<Mailbox>, BadAddresses> {
    let mut read = Vec::new();
    let items = items(text)?;
    for (at, item) in items.iter().enumerate() {
        let next = items.get(at + 1);
        match (item.mailbox(to_ascii), next.and_then(|next| next.unquoted(to_ascii))) {
            (Ok(_), Some(address)) if item.is_bare() => {
                return Err(BadAddresses::Ambiguous { before: item.text(), address });
            }
            (Ok(mailbox), _) => read.push(mailbox),
            (Err(_), Some(address)) if !item.has_angle() => {
                return Err(BadAddresses::CutName { before: item.text(), address });
            }
            (Err(why), _) => return Err(why),
        }
    }
    Ok(read)
}

/// Reads exactly one recipient.
///
/// # Errors
/// As for [`list`], or it is not one.
pub fn one(text: &str, to_ascii: ToAscii<'_>) -> Result<Mailbox, BadAddresses> {
    let mut all = list(text, to_ascii)?;
    match all.pop() {
        Some(mailbox) if all.is_empty() => Ok(mailbox),
        Some(_) => Err(BadAddresses::Several(all.len() + 1)),
        None => Err(BadText::NotAnAddress(text.to_owned()).into()),
    }
}

/// Puts an address and a name that were read elsewhere, each whole already, together. What a name holds that no header may is left out
/// of it: a name proves nothing, and must keep nobody from being answered.
///
/// # Errors
/// The address is none.
pub fn named(name: &str, address: &str, to_ascii: ToAscii<'_>) -> Result<Mailbox, BadAddresses> {
    let address = bare(address.trim(), to_ascii)?;
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_NAME_CHARS).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Mailbox { name: Line::new(plain).ok().filter(|name| !name.as_str().is_empty()), address })
}

/// Characters of a name that is taken over from a mail; longer ones are cut, which changes nobody's address.
const MAX_NAME_CHARS: usize = 200;

/// A piece of one recipient.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// Text outside of everything else.
    Plain(String),
    /// Words that stood in quotation marks, without them.
    Quoted(String),
    /// A comment.
    Comment(String),
    /// Words that stood in angle brackets.
    Angle(String),
}

/// What stands between two separators.
#[derive(Debug, Default)]
struct Item(Vec<Piece>);

impl Item {
    fn is_empty(&self) -> bool {
        !self.0.iter().any(|piece| match piece {
            Piece::Plain(text) => !text.trim().is_empty(),
            Piece::Quoted(_) | Piece::Angle(_) => true,
            Piece::Comment(_) => false,
        })
    }

    fn has_angle(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Angle(_)))
    }

    /// Tells whether it is nothing but an address.
    fn is_bare(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Plain(_)))
    }

    /// Returns the address, if it is in angle brackets behind a name without quotation marks: that name may begin further ahead.
    fn unquoted(&self, to_ascii: ToAscii<'_>) -> Option<String> {
        let named = self.0.iter().any(|piece| matches!(piece, Piece::Plain(text) if !text.trim().is_empty()));
        let mailbox = self.mailbox(to_ascii).ok().filter(|_| named && self.has_angle())?;
        Some(mailbox.address.to_string())
    }

    fn text(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Plain(text) | Piece::Quoted(text) => text.clone(),
            Piece::Comment(text) => format!("({text})"),
            Piece::Angle(text) => format!("<{text}>"),
        };
        self.0.iter().map(piece).collect::<String>().trim().to_owned()
    }

    fn mailbox(&self, to_ascii: ToAscii<'_>) -> Result<Mailbox, BadAddresses> {
        let bad = || BadAddresses::Text(BadText::NotAnAddress(self.text()));
        let mut angles = self.0.iter().enumerate().filter_map(|(at, piece)| match piece {
            Piece::Angle(inner) => Some((at, inner)),
            Piece::Plain(_) | Piece::Quoted(_) | Piece::Comment(_) => None,
        });
        let comment = self.0.iter().find_map(|piece| match piece {
            Piece::Comment(text) => Some(text.as_str()),
            Piece::Plain(_) | Piece::Quoted(_) | Piece::Angle(_) => None,
        });
        let Some((at, inner)) = angles.next() else {
            return Ok(Mailbox { name: name(comment.unwrap_or_default())?, address: self.spec(to_ascii)? });
        };
        let behind = self.0.get(at + 1..).unwrap_or_default();
        let nothing = |piece: &Piece| match piece {
            Piece::Comment(_) => true,
            Piece::Plain(text) => text.trim().is_empty(),
            Piece::Quoted(_) | Piece::Angle(_) => false,
        };
        if angles.next().is_some() || !behind.iter().all(nothing) {
            return Err(bad());
        }
        let address = address(inner, to_ascii)?;
        let shown = self.0.iter().take(at).map(|piece| match piece {
            Piece::Plain(text) => words::decoded(text),
            Piece::Quoted(text) => text.clone(),
            Piece::Comment(_) | Piece::Angle(_) => String::new(),
        });
        let shown = shown.collect::<String>();
        let shown = if shown.trim().is_empty() { comment.unwrap_or_default() } else { &shown };
        Ok(Mailbox { name: name(shown)?, address })
    }

    /// Returns an address without angle brackets; its first part may stand in quotation marks.
    fn spec(&self, to_ascii: ToAscii<'_>) -> Result<Address, BadAddresses> {
        let parts = self.0.iter().filter_map(|piece| match piece {
            Piece::Plain(text) => Some(text.as_str()),
            Piece::Quoted(text) => Some(text.as_str()),
            Piece::Comment(_) | Piece::Angle(_) => None,
        });
        bare(parts.collect::<String>().trim(), to_ascii)
    }
}

/// Returns a name, decoded and in one line; nothing where it is empty.
fn name(text: &str) -> Result<Option<Line>, BadAddresses> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(if text.is_empty() { None } else { Some(Line::new(text)?) })
}

/// Returns what stands in angle brackets: an address, perhaps with a comment, or its first part in quotation marks.
fn address(inner: &str, to_ascii: ToAscii<'_>) -> Result<Address, BadAddresses> {
    let within = items(inner.trim().strip_prefix("mailto:").unwrap_or(inner))?;
    match within.as_slice() {
        [one] if !one.has_angle() => one.spec(to_ascii),
        _ => Err(BadText::NotAnAddress(inner.to_owned()).into()),
    }
}

fn bare(text: &str, to_ascii: ToAscii<'_>) -> Result<Address, BadAddresses> {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let bad = || BadAddresses::Text(BadText::NotAnAddress(text.chars().take(super::text::MAX_ADDRESS_BYTES).collect()));
    if text.is_ascii() {
        return Ok(Address::new(text)?);
    }
    let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
    if !local.is_ascii() {
        let plain = domain.chars().all(|c| c.is_alphanumeric() || ".-".contains(c));
        let letters = local.chars().all(|c| c.is_alphanumeric() || c.is_ascii_graphic());
        let ascii = if domain.is_ascii() { Some(domain.to_owned()) } else { to_ascii(domain) };
        let read = ascii.and_then(|domain| Address::new(&format!("{local}@{domain}")).ok());
        return read.ok_or_else(|| if plain && letters { BadAddresses::OtherLetters(text.to_owned()) } else { bad() });
    }
    let domain = to_ascii(domain).ok_or_else(bad)?;
    Address::new(&format!("{local}@{domain}")).map_err(|_| bad())
}

/// Parts a text into recipients, at commas and semicolons outside of everything else. Empty ones are left out (RFC 5322, 4.4).
fn items(text: &str) -> Result<Vec<Item>, BadAddresses> {
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(BadText::Control.into());
    }
    let (mut out, mut item, mut in_group) = (Vec::new(), Item::default(), false);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => item.0.push(Piece::Quoted(until(&mut rest, '"', "a quotation mark")?)),
            '(' => item.0.push(Piece::Comment(comment(&mut rest)?)),
            '<' => item.0.push(Piece::Angle(angle(&mut rest)?)),
            ':' if !in_group && item.names_a_group() => {
                in_group = true;
                item = Item::default();
            }
            ',' | ';' => {
                in_group &= c != ';';
                out.push(std::mem::take(&mut item));
            }
            _ => match item.0.last_mut() {
                Some(Piece::Plain(text)) => text.push(c),
                _ => item.0.push(Piece::Plain(c.into())),
            },
        }
    }
    if in_group {
        return Err(BadAddresses::Unfinished("a group (`Name: …;`)"));
    }
    out.push(item);
    out.retain(|item| !item.is_empty());
    Ok(out)
}

impl Item {
    /// Tells whether it can be the name of a group: words and no address (RFC 5322, 3.4).
    fn names_a_group(&self) -> bool {
        let word = |piece: &Piece| match piece {
            Piece::Plain(text) => !text.contains('@') && text.trim() != "mailto",
            Piece::Quoted(_) | Piece::Comment(_) => true,
            Piece::Angle(_) => false,
        };
        !self.is_empty() && self.0.iter().all(word)
    }
}

/// Reads up to an end; a backslash takes the next character as it is (RFC 5322, 3.2.1).
fn until(rest: &mut std::str::Chars<'_>, end: char, what: &'static str) -> Result<String, BadAddresses> {
    let mut out = String::new();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push(rest.next().ok_or(BadAddresses::Unfinished(what))?),
            c if c == end => return Ok(out),
            c => out.push(c),
        }
    }
    Err(BadAddresses::Unfinished(what))
}

/// Reads a comment; comments nest (RFC 5322, 3.2.2).
fn comment(rest: &mut std::str::Chars<'_>) -> Result<String, BadAddresses> {
    const WHAT: &str = "a parenthesis";
    let (mut out, mut depth) = (String::new(), 1_usize);
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push(rest.next().ok_or(BadAddresses::Unfinished(WHAT))?),
            ')' if depth == 1 => return Ok(words::decoded(&out)),
            ')' => {
                depth -= 1;
                out.push(c);
            }
            '(' => {
                depth += 1;
                out.push(c);
            }
            c => out.push(c),
        }
    }
    Err(BadAddresses::Unfinished(WHAT))
}

/// Reads what stands in angle brackets, as it stands there.
fn angle(rest: &mut std::str::Chars<'_>) -> Result<String, BadAddresses> {
    const WHAT: &str = "an angle bracket";
    let (mut out, mut quoted) = (String::new(), false);
    while let Some(c) = rest.next() {
        match c {
            '>' if !quoted => return Ok(out),
            '<' if !quoted => return Err(BadAddresses::Unfinished(WHAT)),
            '\\' => {
                out.push(c);
                out.push(rest.next().ok_or(BadAddresses::Unfinished(WHAT))?);
                continue;
            }
            '"' => quoted = !quoted,
            _ => {}
        }
        out.push(c);
    }
    Err(BadAddresses::Unfinished(WHAT))
}

#[cfg(test)]
mod tests;
