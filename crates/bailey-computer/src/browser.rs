//! The guest's browser. A page's words come through a guest that may be its author's: bounded, and nothing to be believed.

use std::time::Duration;

use bailey_wire::browse::{Browse, Key, MAX_ADDRESS_BYTES, MAX_PICTURE_BYTES, MAX_TYPED_BYTES, MAX_UPLOADS, Page, Tab};
use bailey_wire::control::{Reply, Request};

use crate::control::{CallError, Control, unexpected};

/// How long a step may take: the guest's own bounds for starting the browser, opening a page again and taking the step, added up.
const STEP_WITHIN: Duration = Duration::from_secs(900);
/// Where files lie in the guest that are to be put into fields.
const UPLOADS: &str = "/home/browser/uploads";
/// Longest name of such a file, in bytes.
const MAX_NAME_BYTES: usize = 200;
/// The largest picture that is taken from a guest, in points of a side.
const MAX_PICTURE_SIDE: u32 = 4_096;
/// What every picture begins with (PNG, 5.2), up to where its size is said.
const PNG: [u8; 16] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R'];

/// Why an address is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "only addresses of the web are opened: `https://` or `http://`, on one line, of at most {MAX_ADDRESS_BYTES} bytes"
)]
pub struct BadAddress;

/// An address of the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address. Whether it is let through is for the way out to say; here it is one of the web, and not of the guest's files.
    pub fn read(text: &str) -> Result<Self, BadAddress> {
        let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or(BadAddress)?;
        let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
        if rest.is_empty() || rest.starts_with('/') || text.len() > MAX_ADDRESS_BYTES || !text.chars().all(is_plain) {
            return Err(BadAddress);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file to be put into a field of a page.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// The name that the page gets.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// The browser of one machine's guest. Its first step starts it. Steps are taken one at a time.
#[derive(Clone)]
pub struct Browser(Control);

impl Browser {
    pub(crate) const fn new(control: Control) -> Self {
        Self(control)
    }

    async fn step(&self, step: Browse) -> Result<Page, CallError> {
        match self.0.ask_within(&Request::Browse(step), STEP_WITHIN).await? {
            Reply::Page(page) => Ok(page),
            other => unexpected(other),
        }
    }

    async fn tabs_after(&self, step: Browse) -> Result<Vec<Tab>, CallError> {
        match self.0.ask_within(&Request::Browse(step), STEP_WITHIN).await? {
            Reply::Tabs(tabs) => Ok(tabs),
            other => unexpected(other),
        }
    }

    /// Opens an address, in a new tab unless one is named, and tells what is seen.
    pub async fn open(&self, tab: Option<u32>, address: &Address) -> Result<Page, CallError> {
        self.step(Browse::Open { tab, address: address.0.clone() }).await
    }

    /// Tells what a tab shows, from an item on.
    pub async fn read(&self, tab: u32, from: u32) -> Result<Page, CallError> {
        self.step(Browse::Read { tab, from }).await
    }

    /// Presses an element, and tells what is seen then.
    pub async fn click(&self, tab: u32, element: u32) -> Result<Page, CallError> {
        self.step(Browse::Click { tab, element }).await
    }

    /// Puts text into a field, in place of what is there.
    pub async fn type_text(&self, tab: u32, element: u32, text: &str) -> Result<Page, CallError> {
        if text.len() > MAX_TYPED_BYTES {
            return Err(CallError::Said(format!("more than {MAX_TYPED_BYTES} bytes are not typed at a time")));
        }
        self.step(Browse::Type { tab, element, text: text.into() }).await
    }

    /// Chooses from a list by the words of the choice.
    pub async fn select(&self, tab: u32, element: u32, choice: &str) -> Result<Page, CallError> {
        if choice.len() > MAX_TYPED_BYTES {
            return Err(CallError::Said(format!("no choice has more than {MAX_TYPED_BYTES} bytes")));
        }
        self.step(Browse::Select { tab, element, choice: choice.into() }).await
    }

    /// Sends the form that an element is in.
    pub async fn submit(&self, tab: u32, element: u32) -> Result<Page, CallError> {
        self.step(Browse::Submit { tab, element }).await
    }

    /// Presses a key.
    pub async fn press(&self, tab: u32, key: Key) -> Result<Page, CallError> {
        self.step(Browse::Press { tab, key }).await
    }

    /// Goes back to the page before.
    pub async fn back(&self, tab: u32) -> Result<Page, CallError> {
        self.step(Browse::Back { tab }).await
    }

    /// Puts files into a field. They are written into the guest first; nothing of them leaves until the page sends them.
    pub async fn upload(&self, tab: u32, element: u32, files: &[Upload<'_>]) -> Result<Page, CallError> {
        if files.is_empty() || files.len() > MAX_UPLOADS {
            return Err(CallError::Said(format!("one file to {MAX_UPLOADS} files are put into a field at a time")));
        }
        let mut paths = Vec::new();
        // The folder is made with the browser.
        self.tabs().await?;
        for file in files {
            let is_name = !file.name.is_empty() && !file.name.starts_with('.') && file.name.len() <= MAX_NAME_BYTES;
            if !is_name || file.name.chars().any(|c| c == '/' || c.is_control()) {
                return Err(CallError::Said("a file for a page needs a plain name".into()));
            }
            let path = format!("{UPLOADS}/{}", file.name);
            self.0.write(&path, 0o600, file.bytes).await?;
            paths.push(path);
        }
        self.step(Browse::Upload { tab, element, paths }).await
    }

    /// Takes a picture of what is in sight, as PNG: what the page shows, which is for its author to say.
    pub async fn picture(&self, tab: u32) -> Result<Vec<u8>, CallError> {
        let picture = self.0.bytes(&Request::Browse(Browse::Picture { tab }), MAX_PICTURE_BYTES, STEP_WITHIN).await?;
        checked(picture)
    }

    /// Returns the bytes of something that was downloaded, as a page told of it: at most `most`.
    pub async fn download(&self, page: &Page, download: u32, most: u64) -> Result<Vec<u8>, CallError> {
        let found = page.downloads.iter().find(|one| one.download == download);
        let found = found.ok_or_else(|| CallError::Said(format!("there is no download {download}")))?;
        if found.bytes > most {
            return Err(CallError::Said(format!("the download has {} bytes; at most {most} are taken", found.bytes)));
        }
        self.0.read(&found.path, 0, most).await
    }

    /// Closes a tab; returns those that are left.
    pub async fn close(&self, tab: u32) -> Result<Vec<Tab>, CallError> {
        self.tabs_after(Browse::Close { tab }).await
    }

    /// Returns its tabs.
    pub async fn tabs(&self) -> Result<Vec<Tab>, CallError> {
        self.tabs_after(Browse::Tabs).await
    }

    /// Ends it and removes all it keeps: cookies, stored data, downloads.
    pub async fn forget(&self) -> Result<(), CallError> {
        self.tabs_after(Browse::Forget).await.map(|_| ())
    }
}

/// Returns a picture that says it is one of a size that can be shown.
fn checked(picture: Vec<u8>) -> Result<Vec<u8>, CallError> {
    let side = |at: usize| {
        let bytes = picture.get(at..at.saturating_add(4)).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    let fits = |side: u32| (1..=MAX_PICTURE_SIDE).contains(&side);
    if picture.starts_with(&PNG) && fits(side(16)) && fits(side(20)) {
        return Ok(picture);
    }
    Err(CallError::Nonsense("a picture that is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_the_web_alone() {
        for good in ["https://a.example", "http://a.example:8080/x?y#z", "https://ä.example/ü"] {
            assert_eq!(Address::read(good).map(|address| address.0), Ok(good.to_owned()));
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_ADDRESS_BYTES));
        let bad = [
            "",
            "a.example",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "HTTPS://a.example",
            "chrome://settings",
            " https://a.example",
            "https://a.example/\nx",
            "https:\\\\a.example",
            &long,
        ];
        for bad in bad {
            assert_eq!(Address::read(bad), Err(BadAddress), "{bad}");
        }
    }

    #[test]
    fn pictures_of_a_guest_are_pictures_of_a_size_that_can_be_shown() {
        let picture = |wide: u32, high: u32| [&PNG[..], &wide.to_be_bytes(), &high.to_be_bytes(), b"rest"].concat();
        assert!(checked(picture(1280, 800)).is_ok());
        for bad in [
            picture(0, 800),
            picture(1280, 60_000),
            picture(u32::MAX, 1),
            Vec::new(),
            b"<svg onload=alert(1)>".to_vec(),
        ] {
            assert!(checked(bad).is_err());
        }
        assert!(checked(PNG.to_vec()).is_err(), "one that ends before its size");
    }
}
