//! A message by what its server says of its parts (BODYSTRUCTURE: RFC 3501, 7.4.2), so that its text can be fetched without what lies
//! between: the text of a mail may stand behind thirty megabytes of pictures.

use std::borrow::Cow;

use crate::Mail;
use crate::fields::Fields;
use crate::mime::{About, Body, Inner, MAX_DEPTH, MAX_PARTS, Part, join};

/// How deep brackets may nest: a part's own, its parameters', and those of the addresses in a message within.
const MAX_NESTED: usize = 4 * MAX_DEPTH;
/// Most bytes that are fetched of one text, in its transfer encoding.
const MAX_TEXT: u64 = 1024 * 1024;
/// Most bytes that are fetched of all.
const MAX_ALL: u64 = 4 * 1024 * 1024;

/// A message whose parts are known, and fetched one by one.
#[derive(Debug, Clone)]
pub struct Outline {
    inner: Inner<'static>,
}

/// A section that has to be fetched for a message's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `1.2`, or `3.HEADER`.
    pub section: String,
    /// Bytes of it, from its beginning.
    pub bytes: u64,
}

/// What is known of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartAbout {
    /// `type/subtype`.
    pub media: String,
    /// The name of the file.
    pub name: Option<String>,
    /// The transfer encoding.
    pub encoding: String,
    /// The charset it claims.
    pub charset: Option<String>,
    /// Bytes in the transfer encoding.
    pub encoded: u64,
}

impl Outline {
    /// Reads a server's description of a message; `header` is that message's own. `None` where it cannot be read.
    #[must_use]
    pub fn new(header: &[u8], structure: &[u8]) -> Option<Self> {
        let mut rest = structure;
        let node = node(&mut rest, 0)?;
        let mut left = MAX_PARTS;
        let root = message_root(&node, "", 0, &mut left)?;
        let (fields, _) = Fields::split(header);
        let fields = fields.with_charset(root.about.charset.as_deref());
        Some(Self { inner: Inner { fields, root } })
    }

    /// Lists what has to be fetched for the text: what is text and no file, and the headers of messages within.
    #[must_use]
    pub fn wanted(&self) -> Vec<Wanted> {
        let mut out = Vec::new();
        wanted(&self.inner.root, &mut out);
        let mut left = MAX_ALL;
        for one in &mut out {
            one.bytes = one.bytes.min(left);
            left -= one.bytes;
        }
        out.retain(|one| one.bytes > 0);
        out
    }

    /// Puts in what was fetched.
    pub fn put(&mut self, section: &str, bytes: Vec<u8>) {
        let (path, header) = section.strip_suffix(".HEADER").map_or((section, false), |path| (path, true));
        let Some(part) = find_mut(&mut self.inner.root, path) else { return };
        match &mut part.body {
            Body::Message(inner) if header => {
                let (fields, _) = Fields::split(&bytes);
                inner.fields = fields.with_charset(inner.root.about.charset.as_deref());
            }
            Body::Absent(size) => {
                let whole = u64::try_from(bytes.len()).is_ok_and(|came| came >= *size);
                part.body = Body::Bytes { bytes: Cow::Owned(bytes), whole };
            }
            _ => {}
        }
    }

    /// Tells what is known of a part.
    #[must_use]
    pub fn part(&self, path: &str) -> Option<PartAbout> {
        let part = find(&self.inner.root, path)?;
        let encoded = match &part.body {
            Body::Absent(size) => *size,
            Body::Bytes { bytes, .. } => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            // A message within, as a file.
            Body::Message(_) => u64::MAX,
            Body::Parts(_) | Body::TooDeep => return None,
        };
        let about = part.about.clone();
        Some(PartAbout {
            media: about.media,
            name: about.name,
            encoding: about.encoding,
            charset: about.charset,
            encoded,
        })
    }

    /// Reads what has been put together of it.
    #[must_use]
    pub fn read(&self) -> Mail {
        crate::read::mail(&self.inner)
    }
}

fn wanted(part: &Part<'_>, out: &mut Vec<Wanted>) {
    match &part.body {
        Body::Parts(parts) => parts.iter().for_each(|part| wanted(part, out)),
        Body::Message(inner) => {
            out.push(Wanted { section: format!("{}.HEADER", part.path), bytes: 16 * 1024 });
            wanted(&inner.root, out);
        }
        Body::Absent(size) if crate::read::is_read_at_once(&part.about) => {
            out.push(Wanted { section: part.path.clone(), bytes: (*size).min(MAX_TEXT) });
        }
        Body::Absent(_) | Body::Bytes { .. } | Body::TooDeep => {}
    }
}

pub(crate) fn find<'p, 'a>(part: &'p Part<'a>, path: &str) -> Option<&'p Part<'a>> {
    if part.path == path && !matches!(part.body, Body::Parts(_)) {
        return Some(part);
    }
    match &part.body {
        Body::Parts(parts) => parts.iter().find_map(|part| find(part, path)),
        Body::Message(inner) => find(&inner.root, path),
        Body::Bytes { .. } | Body::Absent(_) | Body::TooDeep => None,
    }
}

fn find_mut<'p>(part: &'p mut Part<'static>, path: &str) -> Option<&'p mut Part<'static>> {
    if part.path == path && !matches!(part.body, Body::Parts(_)) {
        return Some(part);
    }
    match &mut part.body {
        Body::Parts(parts) => parts.iter_mut().find_map(|part| find_mut(part, path)),
        Body::Message(inner) => find_mut(&mut inner.root, path),
        Body::Bytes { .. } | Body::Absent(_) | Body::TooDeep => None,
    }
}

/// What stands within brackets.
#[derive(Debug)]
enum Node {
    Nil,
    Text(Vec<u8>),
    List(Vec<Node>),
}

impl Node {
    fn text(&self) -> Option<String> {
        match self {
            Self::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Self::Nil | Self::List(_) => None,
        }
    }

    fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(nodes) => Some(nodes),
            Self::Nil | Self::Text(_) => None,
        }
    }
}

fn node(rest: &mut &[u8], depth: usize) -> Option<Node> {
    *rest = rest.trim_ascii_start();
    let (first, after) = rest.split_first()?;
    match first {
        b'(' if depth < MAX_NESTED => {
            *rest = after;
            let mut nodes = Vec::new();
            loop {
                *rest = rest.trim_ascii_start();
                if let Some(after) = rest.strip_prefix(b")") {
                    *rest = after;
                    return Some(Node::List(nodes));
                }
                nodes.push(node(rest, depth + 1)?);
            }
        }
        b'"' => {
            let mut out = Vec::new();
            let mut at = 0;
            loop {
                match after.get(at)? {
                    b'"' => break,
                    b'\\' => {
                        at += 1;
                        out.push(*after.get(at)?);
                    }
                    byte => out.push(*byte),
                }
                at += 1;
            }
            *rest = after.get(at + 1..)?;
            Some(Node::Text(out))
        }
        b'{' => {
            let end = after.iter().position(|byte| *byte == b'}')?;
            let length: usize = std::str::from_utf8(after.get(..end)?).ok()?.trim_end_matches('+').parse().ok()?;
            let content = after.get(end + 1..)?.strip_prefix(b"\r\n")?;
            *rest = content.get(length..)?;
            Some(Node::Text(content.get(..length)?.to_vec()))
        }
        b'(' | b')' => None,
        _ => {
            let end = rest
                .iter()
                .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'(' | b')'))
                .unwrap_or(rest.len());
            let (atom, after) = rest.split_at(end);
            *rest = after;
            Some(if atom.eq_ignore_ascii_case(b"NIL") { Node::Nil } else { Node::Text(atom.to_vec()) })
        }
    }
}

fn message_root(node: &Node, path: &str, depth: usize, left: &mut usize) -> Option<Part<'static>> {
    let multipart = matches!(node.list()?.first(), Some(Node::List(_)));
    let own = if multipart { path.to_owned() } else { join(path, 1) };
    part(node, own, depth, left)
}

fn part(node: &Node, path: String, depth: usize, left: &mut usize) -> Option<Part<'static>> {
    let fields = node.list()?;
    if depth >= MAX_DEPTH || *left == 0 {
        return Some(Part { path, about: About::default(), body: Body::TooDeep });
    }
    *left -= 1;
    let children = fields.iter().take_while(|field| matches!(field, Node::List(_))).count();
    if children > 0 {
        let kind = fields.get(children).and_then(Node::text).unwrap_or_else(|| "mixed".into());
        let about = about("multipart", &kind, fields.get(children + 1), fields.get(children + 2), "", None);
        let parts = fields.iter().take(children).enumerate();
        let parts = parts.map_while(|(index, child)| part(child, join(&path, index + 1), depth + 1, left)).collect();
        return Some(Part { path, about, body: Body::Parts(parts) });
    }
    let text = |index: usize| fields.get(index).and_then(Node::text).unwrap_or_default();
    let (kind, sub) = (text(0), text(1));
    if kind.is_empty() {
        return None;
    }
    let size = text(6).parse().unwrap_or(0);
    let within =
        fields.get(8).filter(|_| kind.eq_ignore_ascii_case("message") && matches!(fields.get(8), Some(Node::List(_))));
    // Behind the seven that all have: a line count for text; envelope, structure and line count for a message; a checksum for all.
    let before = if within.is_some() { 10 } else { 7 + usize::from(kind.eq_ignore_ascii_case("text")) };
    let about = about(&kind, &sub, fields.get(2), fields.get(before + 1), &text(5), fields.get(3));
    let is_message = matches!(about.media.as_str(), "message/rfc822" | "message/global" | "message/news");
    if is_message && let Some(structure) = within {
        let root = message_root(structure, &path, depth + 1, left)?;
        return Some(Part { path, about, body: Body::Message(Box::new(Inner { fields: Fields::default(), root })) });
    }
    Some(Part { path, about, body: Body::Absent(size) })
}

/// Returns what a part says of itself, by way of the header fields that say the same.
fn about(
    kind: &str,
    sub: &str,
    parameters: Option<&Node>,
    disposition: Option<&Node>,
    encoding: &str,
    id: Option<&Node>,
) -> About {
    let mut header = format!("Content-Type: {}/{}", plain(kind), plain(sub)).into_bytes();
    write_parameters(&mut header, parameters);
    if let Some([name, parameters @ ..]) = disposition.and_then(Node::list)
        && let Some(name) = name.text()
    {
        header.extend(format!("\r\nContent-Disposition: {}", plain(&name)).into_bytes());
        write_parameters(&mut header, parameters.first());
    }
    header.extend(format!("\r\nContent-Transfer-Encoding: {}", plain(encoding)).into_bytes());
    if let Some(id) = id.and_then(Node::text) {
        header.extend(format!("\r\nContent-ID: {}", id.replace(['\r', '\n'], "")).into_bytes());
    }
    header.extend(b"\r\n\r\n");
    About::of(&Fields::split(&header).0, false)
}

fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, ';' | '"' | '(' | ')')).collect()
}

fn write_parameters(out: &mut Vec<u8>, parameters: Option<&Node>) {
    let Some(all) = parameters.and_then(Node::list) else { return };
    let (pairs, _) = all.as_chunks::<2>();
    for [name, value] in pairs {
        let (Some(name), Node::Text(value)) = (name.text(), value) else { continue };
        out.extend(format!("; {}=\"", plain(&name).replace('=', "")).into_bytes());
        for byte in value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLE: &str = r#"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 9 1 NIL NIL NIL NIL)("image" "jpeg" ("name" "a.jpg") "<x@y>" NIL "base64" 40000000 NIL ("inline" ("filename*" "utf-8''Gr%C3%BC%C3%9Fe.jpg")) NIL NIL)("text" "html" ("charset" "utf-8") NIL NIL "quoted-printable" 20 1 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 300 ("date" "subj" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" NIL NIL NIL "7bit" 5 1 NIL NIL NIL NIL) 9 NIL ("attachment" ("filename" "old.eml")) NIL NIL) "mixed" ("boundary" "c") NIL NIL NIL)"#;

    #[test]
    fn text_is_found_without_what_lies_between() {
        let mut outline = Outline::new(b"Subject: x\r\n\r\n", APPLE.as_bytes()).unwrap();
        let wanted: Vec<String> =
            outline.wanted().into_iter().map(|one| format!("{} {}", one.section, one.bytes)).collect();
        assert_eq!(wanted, ["1.1 9", "1.3 20", "2.HEADER 16384", "2.1 5"]);
        let picture = outline.part("1.2").unwrap();
        assert_eq!(
            (picture.media.as_str(), picture.name.as_deref(), picture.encoded),
            ("image/jpeg", Some("Grüße.jpg"), 40_000_000)
        );
        assert_eq!(outline.part("2").unwrap().name.as_deref(), Some("old.eml"));
        for (section, bytes) in [
            ("1.1", "Before it"),
            ("1.3", "<p>behind it</p>0123"),
            ("2.HEADER", "Subject: inner\r\n\r\n"),
            ("2.1", "words"),
        ] {
            outline.put(section, bytes.as_bytes().to_vec());
        }
        let text = outline.read().text;
        for words in ["Before it", "behind it", "Subject: inner", "words"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    #[test]
    fn what_servers_write_is_read_and_nonsense_is_not() {
        for good in [
            r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 1)"#,
            r#"("text" "plain" NIL NIL NIL NIL NIL NIL)"#,
            r#"(text plain nil nil nil 7bit 12 1)"#,
            "(\"application\" \"pdf\" (\"name\" {5}\r\na\"(b)) NIL NIL \"base64\" 12)",
            r#"("message" "delivery-status" NIL NIL NIL "7bit" 100 NIL NIL NIL NIL)"#,
            r#"("message" "rfc822" NIL NIL NIL "7bit" 100)"#,
        ] {
            let outline = Outline::new(b"", good.as_bytes()).unwrap_or_else(|| panic!("{good}"));
            assert!(outline.part("1").is_some(), "{good}");
        }
        let deep = "(".repeat(10_000);
        for bad in ["", "NIL", "(", "()", "(NIL NIL)", "\"x\"", "(\"text", "(\"a\" {99}\r\nb)", deep.as_str()] {
            assert!(Outline::new(b"", bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
