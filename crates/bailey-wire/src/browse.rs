//! What the host asks of the browser in the guest, and what it is told.
//!
//! All of it comes from a page somebody else wrote, through a guest that may be theirs: words, addresses, numbers. It is bounded by the
//! message it comes in, and nothing in it is to be believed.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Most tabs at a time.
pub const MAX_TABS: usize = 8;
/// Longest address that is opened, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 4 * 1024;
/// Most bytes that are typed at a time.
pub const MAX_TYPED_BYTES: usize = 16 * 1024;
/// Most files put into a field at a time.
pub const MAX_UPLOADS: usize = 8;
/// Largest picture of a page, in bytes.
pub const MAX_PICTURE_BYTES: u64 = 4 * 1024 * 1024;
/// Most characters of one piece of text, one name or one address that are told.
const MAX_WORDS: usize = 1_000;

/// A step in the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Browse {
    /// Open an address in a tab; in a new one if none is named. Answered by [`super::control::Reply::Page`], as every step is that says
    /// nothing else.
    Open {
        /// Which.
        tab: Option<u32>,
        /// An address of the web.
        address: String,
    },
    /// Tell what a tab shows.
    Read {
        /// Which.
        tab: u32,
        /// How many items to leave out first.
        from: u32,
    },
    /// Press an element.
    Click {
        /// In which tab.
        tab: u32,
        /// Its number.
        element: u32,
    },
    /// Put text into a field, in place of what is there.
    Type {
        /// In which tab.
        tab: u32,
        /// The field's number.
        element: u32,
        /// The text.
        text: String,
    },
    /// Choose from a list.
    Select {
        /// In which tab.
        tab: u32,
        /// The list's number.
        element: u32,
        /// The words of the choice.
        choice: String,
    },
    /// Send the form that an element is in.
    Submit {
        /// In which tab.
        tab: u32,
        /// The element's number.
        element: u32,
    },
    /// Press a key.
    Press {
        /// In which tab.
        tab: u32,
        /// Which key.
        key: Key,
    },
    /// Go back to the page before.
    Back {
        /// In which tab.
        tab: u32,
    },
    /// Put files of the guest into a field.
    Upload {
        /// In which tab.
        tab: u32,
        /// The field's number.
        element: u32,
        /// Where the files lie.
        paths: Vec<String>,
    },
    /// Take a picture of what is in sight, as PNG. Answered by bytes and [`super::control::Reply::Done`].
    Picture {
        /// Of which tab.
        tab: u32,
    },
    /// Close a tab. Answered by [`super::control::Reply::Tabs`].
    Close {
        /// Which.
        tab: u32,
    },
    /// Tell which tabs there are. Answered by [`super::control::Reply::Tabs`].
    Tabs,
    /// End the browser and remove all it keeps: cookies, stored data, downloads. Answered by [`super::control::Reply::Tabs`].
    Forget,
}

/// A key that can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Tab.
    Tab,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Arrow up.
    ArrowUp,
    /// Arrow down.
    ArrowDown,
}

/// What a tab shows, told so that a small model can work with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The tab.
    pub tab: u32,
    /// Its address.
    pub address: String,
    /// Its title.
    pub title: String,
    /// Whether it still loads.
    pub loading: bool,
    /// How many items came before the first of these.
    pub from: u32,
    /// What is seen, in order.
    pub items: Vec<Item>,
    /// Whether there are more items.
    pub more: bool,
    /// What happened meanwhile: questions of the page and how they were answered, downloads, tabs it opened.
    pub notes: Vec<String>,
    /// What was downloaded since the browser started; the last of it.
    pub downloads: Vec<Download>,
    /// Every tab there is.
    pub tabs: Vec<Tab>,
}

/// Something a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Item {
    /// Text.
    Text(String),
    /// Something that can be worked with.
    Element(Element),
}

/// Something on a page that can be worked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// Its number: of the tab, used once.
    pub number: u32,
    /// What it is (WAI-ARIA), such as `button`.
    pub role: String,
    /// What it is called.
    pub name: String,
    /// What is in it; of a password only that there is one.
    pub value: String,
    /// Where a link leads.
    pub target: String,
    /// How it is.
    pub states: Vec<ElementState>,
    /// What can be chosen from it.
    pub options: Vec<String>,
}

/// How an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElementState {
    /// Checked or pressed.
    Checked,
    /// Not to be worked with.
    Disabled,
    /// Needed by its form.
    Required,
    /// Not to be changed.
    ReadOnly,
    /// Open.
    Expanded,
    /// The chosen one of several.
    Selected,
    /// What is in it is not what it takes.
    Invalid,
    /// What keys go to.
    Focused,
}

impl ElementState {
    const fn word(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Disabled => "disabled",
            Self::Required => "required",
            Self::ReadOnly => "read-only",
            Self::Expanded => "expanded",
            Self::Selected => "selected",
            Self::Invalid => "invalid",
            Self::Focused => "focused",
        }
    }
}

/// A tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tab {
    /// Its number.
    pub tab: u32,
    /// The address of its page.
    pub address: String,
}

/// A file that a page gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// Its number.
    pub download: u32,
    /// The name the page gave it: not a name in any folder.
    pub name: String,
    /// Where it came from.
    pub address: String,
    /// Bytes that came.
    pub bytes: u64,
    /// How far it is.
    pub state: DownloadState,
    /// Where it lies in the guest.
    pub path: String,
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DownloadState {
    /// It comes.
    Coming,
    /// It is there.
    Whole,
    /// It was broken off.
    Broken,
}

/// Tells whether a character has no place of its own on a line: it steers a terminal, turns text around or is not seen.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns words of a page on one line, without characters that steer.
fn shown(words: &str) -> String {
    words.chars().take(MAX_WORDS).filter(|c| !is_steering(*c)).collect()
}

/// Returns words between quotation marks that they cannot end.
fn quoted(words: &str) -> String {
    format!("\"{}\"", shown(words).replace('"', "'"))
}

impl Page {
    /// Tells it in lines: text as it is, behind `| `, and each element as `[NUMBER] role "name"`, so that no text of a page looks like an
    /// element. At most [`Self::MAX_TOLD_BYTES`].
    #[must_use]
    pub fn tell(&self) -> String {
        let mut out = format!("tab {}: {} {}\n", self.tab, shown(&self.address), quoted(&self.title));
        if self.loading {
            out.push_str("(it still loads: read it again later)\n");
        }
        let mut left_out = false;
        for item in &self.items {
            let line = match item {
                Item::Text(text) => format!("| {}\n", shown(text)),
                Item::Element(element) => element.tell(),
            };
            if out.len() + line.len() > Self::MAX_TOLD_BYTES / 2 {
                left_out = true;
                break;
            }
            out.push_str(&line);
        }
        if self.more || left_out {
            out.push_str("(there is more: read on)\n");
        }
        self.tell_rest(&mut out);
        out
    }

    fn tell_rest(&self, out: &mut String) {
        let downloads = self.downloads.iter().map(|one| {
            let state = match one.state {
                DownloadState::Coming => "coming",
                DownloadState::Whole => "whole",
                DownloadState::Broken => "broken off",
            };
            format!("(download {}: {}, {} bytes, {state})\n", one.download, quoted(&one.name), one.bytes)
        });
        let notes = self.notes.iter().map(|note| format!("({})\n", shown(note)));
        let others = self.tabs.iter().filter(|tab| tab.tab != self.tab);
        let tabs = others.map(|tab| format!("(tab {}: {})\n", tab.tab, shown(&tab.address)));
        for line in notes.chain(downloads).chain(tabs) {
            if out.len() + line.len() > Self::MAX_TOLD_BYTES {
                return;
            }
            out.push_str(&line);
        }
    }

    /// Most bytes of what [`Self::tell`] returns.
    pub const MAX_TOLD_BYTES: usize = 64 * 1024;

    /// Returns an element by its number.
    #[must_use]
    pub fn element(&self, number: u32) -> Option<&Element> {
        self.elements().find(|element| element.number == number)
    }

    /// Returns its elements in order.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.items.iter().filter_map(|item| match item {
            Item::Element(element) => Some(element),
            Item::Text(_) => None,
        })
    }
}

impl Element {
    fn tell(&self) -> String {
        let mut line = format!("[{}] {} {}", self.number, shown(&self.role).replace(' ', "-"), quoted(&self.name));
        if !self.value.is_empty() {
            let _ = write!(line, " = {}", quoted(&self.value));
        }
        if !self.target.is_empty() {
            let _ = write!(line, " -> {}", shown(&self.target));
        }
        for state in &self.states {
            let _ = write!(line, " ({})", state.word());
        }
        if !self.options.is_empty() {
            let all: Vec<String> = self.options.iter().map(|option| quoted(option)).collect();
            let _ = write!(line, " of {}", all.join(", "));
        }
        line.push('\n');
        line
    }
}
