//! Renders what the person sees before saying yes: a pure function of the bytes they approve, whole, with nothing cut short.
//!
//! Each family fills in its own ([`crate::family::Family::preview`]); here is what they fill.

use std::fmt;

use crate::content::Content;
use crate::family::ActionKind;
use crate::family::escape::{visible, visible_lines};
use crate::ids::{ActionId, Digest};

/// One labelled line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Names the value.
    pub label: &'static str,
    /// The value, safe to print on one line.
    pub value: String,
}

/// A preview: safe to print, complete, bound to its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Names the action.
    pub id: ActionId,
    /// Says what it does.
    pub kind: ActionKind,
    /// Identifies what an approval of this preview binds.
    pub digest: Digest,
    /// One sentence: what will happen.
    pub headline: String,
    /// The fields.
    pub items: Vec<Item>,
    /// The text, safe to print on several lines.
    pub body: String,
    /// Warns of what to look at twice.
    pub warnings: Vec<String>,
}

impl Preview {
    /// Makes the preview of a prepared action.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        let mut preview = Self {
            id: content.id,
            kind: content.action.kind(),
            digest: content.digest(),
            headline: String::new(),
            items: Vec::new(),
            body: String::new(),
            warnings: Vec::new(),
        };
        content.action.preview(&mut preview);
        preview
    }

    /// Adds a field, escaped.
    pub(crate) fn item(&mut self, label: &'static str, value: &str) {
        self.items.push(Item { label, value: visible(value) });
    }

    /// Sets headline and text, the text escaped line by line.
    pub(crate) fn words(&mut self, headline: &str, words: &str) {
        self.headline = headline.into();
        self.body = visible_lines(words);
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        for item in &self.items {
            writeln!(f, "  {}: {}", item.label, item.value)?;
        }
        if !self.body.is_empty() {
            writeln!(f)?;
            for line in self.body.split('\n') {
                writeln!(f, "  | {line}")?;
            }
        }
        for warning in &self.warnings {
            writeln!(f, "  ! {warning}")?;
        }
        write!(f, "  digest {}", self.digest)
    }
}
