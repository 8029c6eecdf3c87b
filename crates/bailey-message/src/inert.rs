//! HTML of a mail as it was made, without anything that could act or ask for something: a library takes it apart and writes it anew
//! from a list of what may stay. No address leads anywhere, and pictures are those that the mail brings along.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use ammonia::Builder;

use crate::mime::{self, Body, Part};
use crate::{charset, read};

/// Most bytes of a part that are shown as they were made.
pub const MAX_INERT: usize = 512 * 1024;
/// Most links that are listed.
const MAX_LINKS: usize = 200;
/// Most bytes of a link that are listed.
const MAX_LINK: usize = 2_000;
/// Pictures that a mail may bring along within its HTML. No SVG: it holds markup of its own.
const PICTURES: [&str; 4] =
    ["data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,"];

/// HTML that does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inert {
    /// The part of it that may stay: no scripts, forms, frames, styles, targets of links, and nothing that is fetched.
    pub html: String,
    /// Where its links lead, each once, in their order.
    pub links: Vec<String>,
    /// Tells whether there is more of it, or of its links.
    pub cut: bool,
}

/// Finds the HTML of a message and makes it inert; nothing where it has none. `whole` says whether these are all of its bytes.
#[must_use]
pub fn inert(bytes: &[u8], whole: bool) -> Option<Inert> {
    let message = mime::message(bytes, whole);
    let part = html_of(&message.root)?;
    let (decoded, whole) = part.decoded()?;
    let text = charset::decode(&decoded, read::html_charset(&part.about, &decoded).as_deref());
    let end = text.floor_char_boundary(MAX_INERT);
    let mut inert = cleaned(text.get(..end).unwrap_or_default());
    inert.cut |= !whole || end < text.len();
    Some(inert)
}

/// Finds the first part that is HTML and no file. Messages lie at most as deep as they are read.
fn html_of<'a, 'b>(part: &'a Part<'b>) -> Option<&'a Part<'b>> {
    match &part.body {
        Body::Parts(parts) => parts.iter().find_map(html_of),
        Body::Bytes { .. } if part.about.media == "text/html" && !part.about.is_attachment => Some(part),
        Body::Bytes { .. } | Body::Absent(_) | Body::Message(_) | Body::TooDeep => None,
    }
}

fn cleaned(html: &str) -> Inert {
    let found = Arc::new(Mutex::new((Vec::<String>::new(), false)));
    let heard = Arc::clone(&found);
    let html = Builder::default()
        // Every scheme comes to the filter above, which lets through what the mail brings along and lists the rest.
        .add_url_schemes(["data", "cid", "file", "javascript"])
        .add_tags(["font"])
        .add_tag_attributes("font", ["color", "size"])
        .link_rel(None)
        .attribute_filter(move |element: &str, name: &str, value: &str| match (element, name) {
            ("a", "href") => {
                let mut found = heard.lock().unwrap_or_else(PoisonError::into_inner);
                let link = value.get(..value.floor_char_boundary(MAX_LINK)).unwrap_or_default().to_owned();
                found.1 |= link.len() < value.len() || found.0.len() >= MAX_LINKS;
                if found.0.len() < MAX_LINKS && !found.0.contains(&link) {
                    found.0.push(link);
                }
                None
            }
            ("img", "src") if PICTURES.iter().any(|begins| value.starts_with(begins)) => Some(Cow::Borrowed(value)),
            // Whatever else names a place.
            (_, "src" | "href" | "cite" | "background" | "srcset") => None,
            _ => Some(Cow::Borrowed(value)),
        })
        .clean(html)
        .to_string();
    let (links, cut) = found.lock().map(|found| found.clone()).unwrap_or_default();
    Inert { html, links, cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_asks_for_something_is_taken_out() {
        let hostile = r##"<html><head><meta http-equiv=refresh content="0;url=http://evil.example/a"><base href="http://evil.example/">
            <link rel=preconnect href="http://evil.example"><link rel=prefetch href="http://evil.example/b"><title>t</title>
            <style>@import url(http://evil.example/c); body { background: url(http://evil.example/d) }</style></head>
            <body background="http://evil.example/e" onload="x()"><script>x()</script><p style="background:url(http://evil.example/f)">Hello <b>Ana</b></p>
            <form action="http://evil.example/g"><input name=q><button>go</button></form><iframe src="http://evil.example/h"></iframe>
            <svg><image href="http://evil.example/i"/><style>@import 'http://evil.example/j'</style></svg><math><mtext><img src="http://evil.example/k"></mtext></math>
            <img src="http://evil.example/l" srcset="http://evil.example/m 2x"><img src="data:image/svg+xml,x"><img src="data:image/png;base64,AAAA" alt=dot>
            <video src="http://evil.example/n" poster="http://evil.example/o"></video><object data="http://evil.example/p"></object><embed src="http://evil.example/q">
            <a href="http://evil.example/r" ping="http://evil.example/s">good.example</a><a href="javascript:x()">y</a><a href="http://evil.example/r">again</a>
            <blockquote cite="http://evil.example/t">quoted</blockquote><table background="http://evil.example/u"><tr><td>cell</td></tr></table></body></html>"##;
        let made = cleaned(hostile);
        for gone in [
            "evil.example",
            "script",
            "style",
            "form",
            "input",
            "button",
            "iframe",
            "svg",
            "link",
            "meta",
            "base ",
            "onload",
            "x()",
            "href",
            "video",
            "object",
            "embed",
        ] {
            assert!(!made.html.contains(gone), "{gone}: {}", made.html);
        }
        for stays in ["Hello <b>Ana</b>", "good.example", "data:image/png;base64,AAAA", "quoted", "cell"] {
            assert!(made.html.contains(stays), "{stays}: {}", made.html);
        }
        assert_eq!(made.links, ["http://evil.example/r", "javascript:x()"]);
        assert!(!made.cut);
    }

    #[test]
    fn html_is_found_among_the_parts_and_cut_where_it_is_long() {
        let mail = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>made</p>\r\n--b--\r\n";
        assert_eq!(inert(mail, true).map(|made| made.html.trim().to_owned()).as_deref(), Some("<p>made</p>"));
        assert_eq!(inert(b"Subject: s\r\n\r\n<p>plain text</p>\r\n", true), None);
        let long = format!("Content-Type: text/html\r\n\r\n{}", "<p>word</p>".repeat(200_000));
        let made = inert(long.as_bytes(), true).unwrap_or_default();
        assert!(made.cut && made.html.len() <= MAX_INERT + 16, "{}", made.html.len());
    }
}
