//! Pages, read as a browser reads them: the HTML standard's tokeniser, and which elements are open.

use std::collections::BTreeMap;

use html5gum::{Token, Tokenizer};

/// A piece of a page.
pub enum Node {
    /// An element, once it is closed: so those within come before it.
    Element(Element),
    /// Text.
    Text(String),
}

/// An element.
#[derive(Debug, Clone)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// Names of those it stands in.
    pub within: Vec<String>,
    /// The text in it.
    pub text: String,
    begun: usize,
}

impl Element {
    /// Returns the value of an attribute; empty where it is not there.
    pub fn value(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// Elements that hold nothing (HTML, 13.1.2).
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

/// Reads a page. Panics where elements are not nested as they are closed.
pub fn read(page: &str) -> Vec<Node> {
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (mut open, mut elements, mut texts) = (Vec::<Element>::new(), Vec::new(), Vec::new());
    for token in Tokenizer::new(page) {
        match token.unwrap_or_else(|never| match never {}) {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.iter().map(|(name, value)| (words(name), words(value))).collect();
                let within = open.iter().map(|one| one.name.clone()).collect();
                let element = Element {
                    name: words(&tag.name),
                    attributes,
                    within,
                    text: String::new(),
                    begun: elements.len() + open.len(),
                };
                if VOID.contains(&element.name.as_str()) { elements.push(element) } else { open.push(element) }
            }
            Token::EndTag(tag) => {
                let closed = open.pop().filter(|one| one.name == words(&tag.name));
                elements.push(closed.unwrap_or_else(|| panic!("</{}> closes what is not open", words(&tag.name))));
            }
            Token::String(text) => {
                let text = words(&text);
                open.iter_mut().for_each(|one| one.text.push_str(&text));
                texts.push(Node::Text(text));
            }
            Token::Comment(text) => panic!("a comment: {}", words(&text)),
            Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    elements.sort_by_key(|one| one.begun);
    elements.into_iter().map(Node::Element).chain(texts).collect()
}
