//! The web family: steps in the browser of the agent's own computer. Nothing of a step leaves that computer but by requests, each of which
//! is decided on its own ([`super::http`]): what a page shows, and where a click leads, is for its author to say.

use super::escape::visible_lines;
use super::kind::{AskedBy, Group, kinds};
use super::{ActionKind, Family, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::preview::Preview;
use crate::verdict::Class;

kinds! {
    /// Opens an address.
    OPEN = {
        name: "web.open", group: Group::Write, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Looks at an open page.
    READ = {
        name: "web.read", group: Group::Read, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Presses something on a page.
    CLICK = {
        name: "web.click", group: Group::Write, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Fills in a field, or chooses from a list.
    TYPE = {
        name: "web.type", group: Group::Write, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Sends a form.
    SUBMIT = {
        name: "web.submit", group: Group::Write, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Puts a file of the computer into a field.
    UPLOAD = {
        name: "web.upload", group: Group::Write, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Takes a file that a page gave into the computer's own files.
    DOWNLOAD = {
        name: "web.download", group: Group::Write, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
}

/// Longest address, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 4 * 1024;
/// Longest text that is typed at a time, in bytes.
pub const MAX_TYPED_BYTES: usize = 16 * 1024;
/// Longest path of a file in the computer, in bytes.
pub const MAX_PATH_BYTES: usize = 1_024;

/// One step in the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAction {
    /// What is done.
    pub step: Step,
    /// Tells whether a task that had seen secrets used the computer: what comes back may hold some.
    pub confidential: bool,
}

/// What is done in the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Open an address.
    Open {
        /// The tab; a new one where there is none.
        tab: Option<u32>,
        /// The address.
        address: String,
    },
    /// Look at what a tab shows.
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
    /// Put text into a field, in place of what is there; or choose from a list by the words of the choice.
    Type {
        /// In which tab.
        tab: u32,
        /// The field's number.
        element: u32,
        /// The text.
        text: String,
        /// Tells whether it is a choice from a list.
        chooses: bool,
    },
    /// Send the form that an element is in.
    Submit {
        /// In which tab.
        tab: u32,
        /// The element's number.
        element: u32,
    },
    /// Put a file of the computer into a field.
    Upload {
        /// In which tab.
        tab: u32,
        /// The field's number.
        element: u32,
        /// Where the file lies in the computer.
        path: String,
    },
    /// Take a download into the computer's own files.
    Download {
        /// In which tab it is told of.
        tab: u32,
        /// Its number.
        download: u32,
        /// Where it is to lie in the computer.
        path: String,
    },
}

impl Family for WebAction {
    fn kind(&self) -> ActionKind {
        match self.step {
            Step::Open { .. } => OPEN,
            Step::Read { .. } => READ,
            Step::Click { .. } => CLICK,
            Step::Type { .. } => TYPE,
            Step::Submit { .. } => SUBMIT,
            Step::Upload { .. } => UPLOAD,
            Step::Download { .. } => DOWNLOAD,
        }
    }

    fn class(&self) -> Class {
        Class::Compensable
    }

    fn traits(&self) -> Traits {
        // Whoever made the page wrote what comes back.
        Traits::reaching_nobody(Taint { untrusted: true, confidential: self.confidential })
    }

    fn artefact(&self) -> Vec<u8> {
        match &self.step {
            Step::Type { text, .. } => text.as_bytes().to_vec(),
            Step::Open { address, .. } => address.as_bytes().to_vec(),
            Step::Read { .. }
            | Step::Click { .. }
            | Step::Submit { .. }
            | Step::Upload { .. }
            | Step::Download { .. } => Vec::new(),
        }
    }

    fn check(&self) -> Result<(), CodecError> {
        match &self.step {
            Step::Open { address, .. } => {
                let of_web = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
                let is_plain = !address.chars().any(|c| c.is_control() || c.is_whitespace());
                if address.len() > MAX_ADDRESS_BYTES {
                    return Err(CodecError::TooLong);
                }
                if of_web && is_plain { Ok(()) } else { Err(CodecError::Malformed("an address of the web")) }
            }
            Step::Type { text, .. } if text.len() > MAX_TYPED_BYTES => Err(CodecError::TooLong),
            Step::Upload { path, .. } | Step::Download { path, .. } => {
                if path.len() > MAX_PATH_BYTES {
                    return Err(CodecError::TooLong);
                }
                let names_a_file = path.starts_with('/') && !path.ends_with('/') && !path.chars().any(char::is_control);
                if names_a_file { Ok(()) } else { Err(CodecError::Malformed("the path of a file in the computer")) }
            }
            Step::Type { .. } | Step::Read { .. } | Step::Click { .. } | Step::Submit { .. } => Ok(()),
        }
    }

    fn encode(&self, out: &mut Encoder) {
        let number = u64::from;
        out.byte(TAG).byte(u8::from(self.confidential));
        match &self.step {
            Step::Open { tab, address } => out.byte(1).number(tab.map_or(0, number)).text(address),
            Step::Read { tab, from } => out.byte(2).number(number(*tab)).number(number(*from)),
            Step::Click { tab, element } => out.byte(3).number(number(*tab)).number(number(*element)),
            Step::Type { tab, element, text, chooses } => {
                out.byte(4).number(number(*tab)).number(number(*element)).text(text).byte(u8::from(*chooses))
            }
            Step::Submit { tab, element } => out.byte(5).number(number(*tab)).number(number(*element)),
            Step::Upload { tab, element, path } => out.byte(6).number(number(*tab)).number(number(*element)).text(path),
            Step::Download { tab, download, path } => {
                out.byte(7).number(number(*tab)).number(number(*download)).text(path)
            }
        };
    }

    fn preview(&self, out: &mut Preview) {
        let place = |out: &mut Preview, tab: u32, element: u32| {
            out.item("Tab", &tab.to_string());
            out.item("Element", &element.to_string());
        };
        match &self.step {
            Step::Open { address, .. } => {
                out.headline = "Open a page in the computer's browser".into();
                out.item("Address", address);
            }
            Step::Read { tab, .. } => {
                out.headline = "Look at a page in the computer's browser".into();
                out.item("Tab", &tab.to_string());
            }
            Step::Click { tab, element } => {
                out.headline = "Press something on a page in the computer's browser".into();
                place(out, *tab, *element);
            }
            Step::Type { tab, element, text, .. } => {
                out.headline = "Fill in a field of a page in the computer's browser".into();
                place(out, *tab, *element);
                out.body = visible_lines(text);
            }
            Step::Submit { tab, element } => {
                out.headline = "Send a form of a page in the computer's browser".into();
                place(out, *tab, *element);
            }
            Step::Upload { tab, element, path } => {
                out.headline = "Put a file of the computer into a field of a page".into();
                place(out, *tab, *element);
                out.item("File in the computer", path);
            }
            Step::Download { tab, download, path } => {
                out.headline = "Keep a download in the computer".into();
                out.item("Tab", &tab.to_string());
                out.item("Download", &download.to_string());
                out.item("File in the computer", path);
            }
        }
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 22;

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<WebAction, CodecError> {
    let number = |bytes: &mut Decoder<'_>| {
        u32::try_from(bytes.number()?).map_err(|_| CodecError::Malformed("a number of the browser's"))
    };
    let confidential = bytes.byte()? != 0;
    let step = match bytes.byte()? {
        1 => Step::Open { tab: Some(number(bytes)?).filter(|tab| *tab != 0), address: bytes.text()? },
        2 => Step::Read { tab: number(bytes)?, from: number(bytes)? },
        3 => Step::Click { tab: number(bytes)?, element: number(bytes)? },
        4 => Step::Type {
            tab: number(bytes)?,
            element: number(bytes)?,
            text: bytes.text()?,
            chooses: bytes.byte()? != 0,
        },
        5 => Step::Submit { tab: number(bytes)?, element: number(bytes)? },
        6 => Step::Upload { tab: number(bytes)?, element: number(bytes)?, path: bytes.text()? },
        7 => Step::Download { tab: number(bytes)?, download: number(bytes)?, path: bytes.text()? },
        tag => return Err(CodecError::UnknownTag(tag)),
    };
    Ok(WebAction { step, confidential })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::Action;

    fn open(address: &str) -> WebAction {
        WebAction { step: Step::Open { tab: Some(2), address: address.into() }, confidential: false }
    }

    #[test]
    fn steps_read_back_as_they_were_written() {
        let (tab, element) = (1, u32::MAX);
        let path = "/home/agent/prices.csv".to_owned();
        let steps = [
            Step::Open { tab: None, address: "https://a.example/x?y".into() },
            Step::Open { tab: Some(3), address: "http://a.example".into() },
            Step::Read { tab, from: 40 },
            Step::Click { tab, element },
            Step::Type { tab, element, text: "two\nlines".into(), chooses: false },
            Step::Type { tab, element, text: "Small".into(), chooses: true },
            Step::Submit { tab, element },
            Step::Upload { tab, element, path: path.clone() },
            Step::Download { tab, download: 4, path },
        ];
        for (step, confidential) in steps.into_iter().zip([true, false].into_iter().cycle()) {
            let action = Action::Web(WebAction { step, confidential });
            assert_eq!(action.check(), Ok(()));
            let mut out = Encoder::default();
            action.encode(&mut out);
            let bytes = out.finish();
            let mut read = Decoder::new(&bytes);
            assert_eq!(Action::decode(&mut read), Ok(action));
            assert_eq!(read.finish(), Ok(()));
        }
    }

    #[test]
    fn steps_that_break_a_rule_of_the_family_are_refused() {
        let long = format!("https://a.example/{}", "x".repeat(MAX_ADDRESS_BYTES));
        for bad in ["file:///etc/passwd", "javascript:alert(1)", "https://a.example/ x", "https://a.example/\n", &long]
        {
            assert!(open(bad).check().is_err(), "{bad}");
        }
        let typed = Step::Type { tab: 1, element: 1, text: "x".repeat(MAX_TYPED_BYTES + 1), chooses: false };
        assert!(WebAction { step: typed, confidential: false }.check().is_err());
        for bad in ["prices.csv", "/home/agent/", "/a\0b", &format!("/{}", "x".repeat(MAX_PATH_BYTES))] {
            let upload = Step::Upload { tab: 1, element: 1, path: bad.into() };
            let download = Step::Download { tab: 1, download: 1, path: bad.into() };
            for step in [upload, download] {
                assert!(WebAction { step, confidential: false }.check().is_err(), "{bad}");
            }
        }
    }
}
