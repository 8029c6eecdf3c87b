//! A calendar object as bytes, and what its lines are.

use std::fmt;
use std::ops::Range;

use crate::text::{decoded, unfolded};

/// Longest object that is read, in bytes: a picture inside is common, and is far below.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most content lines of an object: a calendar of thousands of entries is no entry.
const MAX_LINES: usize = 100_000;
/// Most components within each other: calendar, entry, alarm; a few more are passed over.
const MAX_DEPTH: usize = 16;

/// Says why bytes are no calendar object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is longer than `MAX_BYTES`, or has too many lines.
    TooLong,
    /// It holds no `BEGIN:VCALENDAR`.
    NoCalendar,
    /// It holds no entry (`VEVENT`), nor anything else that is known.
    NoEntry,
    /// It is of another kind, which takes no time: a task, a note, somebody's times.
    OtherKind,
    /// Its components lie too deep within each other.
    TooDeep,
    /// An entry has no beginning that can be read.
    NoBeginning,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "it is too long",
            Self::NoCalendar => "it holds no calendar",
            Self::NoEntry => "it holds no calendar entry",
            Self::OtherKind => "it is a task or a note, and no calendar entry",
            Self::TooDeep => "its parts lie too deep within each other",
            Self::NoBeginning => "when it begins cannot be read",
        })
    }
}

impl std::error::Error for Unreadable {}

/// A content line: where it lies, and what it says once folding is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its bytes, line end included.
    pub bytes: Range<usize>,
    /// Its bytes without the line end.
    pub content: Range<usize>,
    /// Its name in capitals, without a group.
    pub name: String,
    /// Its parameters, names in capitals, values without quotation marks.
    pub params: Vec<(String, String)>,
    /// Its value as it is written (RFC 5545, 3.3.11: still escaped).
    pub value: String,
}

impl Line {
    /// Returns the first value of a parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A component, such as an entry: its name, its own lines, and what it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name in capitals.
    pub name: String,
    /// The component it lies in.
    pub parent: Option<usize>,
    /// The line that begins it.
    pub begin: usize,
    /// The line that ends it, where there is one.
    pub end: Option<usize>,
    /// Its own lines, without those of components within it.
    pub lines: Vec<usize>,
}

/// A calendar object: all of its bytes, and its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    components: Vec<Component>,
}

impl Object {
    /// Reads an object as leniently as calendar programs do: a byte order mark, blank lines, control characters, any line ends, wrong
    /// folding, letters split by folding and a missing end are no faults.
    ///
    /// # Errors
    /// It is too long, or holds no calendar with an entry.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > MAX_BYTES {
            return Err(Unreadable::TooLong);
        }
        let mut object = Self { bytes: bytes.to_vec(), lines: Vec::new(), components: Vec::new() };
        object.lines = logical_lines(bytes)?;
        object.components = components(&object.lines)?;
        if !object.components.iter().any(|component| component.name == "VCALENDAR") {
            return Err(Unreadable::NoCalendar);
        }
        if object.of_name("VEVENT").next().is_none() {
            let other = ["VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"];
            let is_other = object.components.iter().any(|component| other.contains(&component.name.as_str()));
            return Err(if is_other { Unreadable::OtherKind } else { Unreadable::NoEntry });
        }
        Ok(object)
    }

    /// Returns all of its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns its lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns its components, the outer before the inner.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// Lists the components of a name.
    pub fn of_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Component)> {
        self.components.iter().enumerate().filter(move |(_, component)| component.name == name)
    }

    /// Lists the own lines of a component.
    pub fn lines_of(&self, component: usize) -> impl Iterator<Item = (usize, &Line)> {
        let lines = self.components.get(component).map(|component| component.lines.as_slice()).unwrap_or_default();
        lines.iter().filter_map(|at| Some((*at, self.lines.get(*at)?)))
    }

    /// Lists the components directly within one: they stand right behind it.
    pub(crate) fn within(&self, component: usize) -> impl Iterator<Item = &Component> {
        let behind = self.components.iter().skip(component + 1);
        let inside = behind.take_while(move |one| one.parent.is_some_and(|parent| parent >= component));
        inside.filter(move |one| one.parent == Some(component))
    }

    /// Returns the first line of a name that is a component's own.
    #[must_use]
    pub fn line(&self, component: usize, name: &str) -> Option<&Line> {
        self.lines_of(component).find(|(_, line)| line.name == name).map(|(_, line)| line)
    }

    /// Returns the method of an object that was sent (RFC 5546), in capitals: `REQUEST`, `CANCEL`.
    #[must_use]
    pub fn method(&self) -> Option<String> {
        let (calendar, _) = self.of_name("VCALENDAR").next()?;
        self.line(calendar, "METHOD").map(|line| line.value.trim().to_ascii_uppercase())
    }

    /// Returns the line end its lines have: that of the first one.
    #[must_use]
    pub fn line_end(&self) -> &'static str {
        let first = self.bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        match first.and_then(|at| self.bytes.get(at..)) {
            Some([b'\n', ..]) => "\n",
            Some([b'\r', next, ..]) if *next != b'\n' => "\r\n",
            _ => "\r\n",
        }
    }
}

/// Returns a line as it stands, before folding is taken back: content, and all with its end.
fn physical_lines(bytes: &[u8]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        // `\r\r\n` comes of texts that were translated twice.
        let end = match rest.get(length..) {
            Some([b'\r', b'\r', b'\n', ..]) => 3,
            Some([b'\r', b'\n', ..]) => 2,
            Some([_, ..]) => 1,
            Some([]) | None => 0,
        };
        out.push((at..at + length, at..at + length + end));
        at += length + end;
    }
    out
}

/// Tells whether a line begins like a content line: a name, then a colon or a semicolon (RFC 5545, 3.1).
fn begins_content(line: &[u8]) -> bool {
    let name =
        line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')).count();
    name > 0 && matches!(line.get(name), Some(b':' | b';'))
}

fn logical_lines(bytes: &[u8]) -> Result<Vec<Line>, Unreadable> {
    let mut spans: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    for (content, whole) in physical_lines(bytes.get(start..).unwrap_or_default()) {
        let (content, whole) = (content.start + start..content.end + start, whole.start + start..whole.end + start);
        let text = bytes.get(content.clone()).unwrap_or_default();
        if text.iter().all(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
            continue;
        }
        // What is neither folded nor a line of its own was broken by a program that folds wrongly.
        let goes_on = matches!(text.first(), Some(b' ' | b'\t')) || !begins_content(printable_start(text));
        match spans.last_mut() {
            Some((last, last_whole)) if goes_on => (last.end, last_whole.end) = (content.end, whole.end),
            _ => spans.push((content, whole)),
        }
        if spans.len() > MAX_LINES {
            return Err(Unreadable::TooLong);
        }
    }
    let line = |(content, whole): (Range<usize>, Range<usize>)| {
        let text = decoded(&unfolded(bytes.get(content.clone()).unwrap_or_default()));
        let (name, params, value) = parts(&text);
        Line { bytes: whole, content, name, params, value }
    };
    Ok(spans.into_iter().map(line).collect())
}

fn printable_start(text: &[u8]) -> &[u8] {
    let control = text.iter().take_while(|byte| byte.is_ascii_control()).count();
    text.get(control..).unwrap_or_default()
}

/// Takes a line apart (RFC 5545, 3.1): name, parameters, value. Within quotation marks, colons and semicolons are letters.
fn parts(line: &str) -> (String, Vec<(String, String)>, String) {
    let name_end = line.find([':', ';']).unwrap_or(line.len());
    let (name, rest) = line.split_at(name_end);
    let name = name.rsplit('.').next().unwrap_or(name).trim().to_ascii_uppercase();
    let (params, value) = split_value(rest);
    (name, params.into_iter().map(param).collect(), value)
}

fn split_value(rest: &str) -> (Vec<&str>, String) {
    for careful in [true, false] {
        let (mut quoted, mut from, mut params) = (false, None, Vec::new());
        for (at, c) in rest.char_indices() {
            match c {
                '"' if careful => quoted = !quoted,
                ';' | ':' if !quoted => {
                    params.extend(from.and_then(|from| rest.get(from..at)));
                    from = Some(at + 1);
                    if c == ':' {
                        return (params, rest.get(at + 1..).unwrap_or_default().to_owned());
                    }
                }
                _ => {}
            }
        }
        // A quotation mark that is never closed is a letter.
    }
    (Vec::new(), String::new())
}

fn param(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (name.trim().to_ascii_uppercase(), inner.to_owned())
}

fn components(lines: &[Line]) -> Result<Vec<Component>, Unreadable> {
    let mut all: Vec<Component> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let named = line.value.trim().to_ascii_uppercase();
        match line.name.as_str() {
            "BEGIN" => {
                // An entry within an entry lacks its end: alarms alone lie in entries.
                let ends = |inner: &usize| all.get(*inner).is_some_and(|one| one.name == named);
                if matches!(named.as_str(), "VEVENT" | "VTIMEZONE")
                    && let Some(depth) = open.iter().position(ends)
                {
                    open.truncate(depth);
                }
                all.push(Component {
                    name: named,
                    parent: open.last().copied(),
                    begin: at,
                    end: None,
                    lines: Vec::new(),
                });
                open.push(all.len() - 1);
                if open.len() > MAX_DEPTH {
                    return Err(Unreadable::TooDeep);
                }
            }
            "END" => {
                let found = open.iter().rposition(|inner| all.get(*inner).is_some_and(|one| one.name == named));
                if let Some(depth) = found {
                    let ended = open.get(depth).copied().and_then(|inner| all.get_mut(inner));
                    ended.into_iter().for_each(|one| one.end = Some(at));
                    open.truncate(depth);
                }
            }
            _ => {
                let inner = open.last().copied().and_then(|inner| all.get_mut(inner));
                inner.into_iter().for_each(|one| one.lines.push(at));
            }
        }
    }
    Ok(all)
}
