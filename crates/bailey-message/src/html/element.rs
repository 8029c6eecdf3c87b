//! Elements: which end what, which stand by themselves, and how the words in them look.

use html5gum::StartTag;

use super::style::{Named, Paint, READABLE_PX, Rgb, blends};

/// An open element, and how words in it look.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) named: Named,
    /// Nothing in it is seen, whatever it says.
    pub(super) gone: bool,
    pub(super) invisible: bool,
    /// Kept from being read out.
    pub(super) unheard: bool,
    /// Of its letters, in pixels.
    pub(super) size: f32,
    pub(super) color: Option<Paint>,
    /// `None`: a picture, or not known.
    pub(super) ground: Option<Rgb>,
    pub(super) as_is: bool,
    pub(super) is_block: bool,
    /// Entries of a numbered list so far.
    pub(super) entries: u32,
}

impl Default for Element {
    fn default() -> Self {
        Self {
            named: Named::default(),
            gone: false,
            invisible: false,
            unheard: false,
            size: 16.0,
            color: None,
            ground: Some([255; 3]),
            as_is: false,
            is_block: false,
            entries: 0,
        }
    }
}

impl Element {
    /// Returns what an element within this one begins with.
    pub(super) fn within(&self) -> Self {
        Self {
            named: Named::default(),
            gone: self.gone,
            invisible: self.invisible,
            unheard: self.unheard,
            size: self.size,
            color: self.color,
            ground: self.ground,
            as_is: self.as_is,
            is_block: false,
            entries: 0,
        }
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.gone || self.invisible || self.size < READABLE_PX
    }

    pub(super) fn blends(&self) -> bool {
        match (self.color, self.ground) {
            (Some(Paint::None), _) => true,
            (Some(Paint::Solid(letters)), Some(ground)) => blends(letters, ground),
            _ => false,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.named.tag.as_str(), "ul" | "ol")
    }

    /// Programs and styles are no words at all, hidden or not.
    pub(super) fn is_never_words(&self) -> bool {
        matches!(self.named.tag.as_str(), "style" | "script" | "title" | "noframes" | "noembed" | "iframe")
    }
}

/// What is read of a start tag.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) id: String,
    pub(super) classes: Vec<String>,
    pub(super) style: Option<String>,
    pub(super) href: Option<String>,
    pub(super) alt: Option<String>,
    pub(super) button: Option<String>,
    pub(super) color: Option<String>,
    pub(super) background: Option<String>,
    pub(super) has_picture_behind: bool,
    pub(super) hidden: bool,
    pub(super) aria_hidden: bool,
    pub(super) is_layout: bool,
    /// Tells whether a picture is sent along.
    pub(super) is_enclosed: bool,
    width: Option<u32>,
    height: Option<u32>,
}

/// Most classes of one element that are looked at.
const MAX_CLASSES: usize = 20;

impl Attributes {
    pub(super) fn of(tag: &StartTag<()>) -> Self {
        let mut out = Self::default();
        let mut kind = String::new();
        let mut value_of = None;
        for (name, value) in &tag.attributes {
            let value = String::from_utf8_lossy(value).into_owned();
            match name.as_slice() {
                b"id" => out.id = value,
                b"class" => out.classes = value.split_whitespace().take(MAX_CLASSES).map(str::to_owned).collect(),
                b"style" => out.style = Some(value),
                b"href" => out.href = Some(value),
                b"alt" => out.alt = Some(value),
                b"color" | b"text" => out.color = Some(value),
                b"bgcolor" => out.background = Some(value),
                b"background" => out.has_picture_behind = !value.is_empty(),
                b"hidden" => out.hidden = true,
                b"aria-hidden" => out.aria_hidden = value.eq_ignore_ascii_case("true"),
                b"role" => out.is_layout = matches!(value.as_str(), "presentation" | "none"),
                b"src" => out.is_enclosed = value.to_ascii_lowercase().starts_with("cid:"),
                b"width" => out.width = value.trim_end_matches("px").parse().ok(),
                b"height" => out.height = value.trim_end_matches("px").parse().ok(),
                b"type" => kind = value.to_ascii_lowercase(),
                b"value" => value_of = Some(value),
                _ => {}
            }
        }
        out.button = value_of.filter(|_| matches!(kind.as_str(), "submit" | "button" | "reset"));
        out
    }

    /// Tells whether a picture is too small to be seen: it counts readers.
    pub(super) fn is_tiny(&self) -> bool {
        [self.width, self.height].into_iter().flatten().any(|side| side <= 2)
    }
}

pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "basefont"
            | "bgsound"
            | "frame"
            | "keygen"
    )
}

/// Returns what is never shown.
pub(super) fn is_gone(name: &str) -> bool {
    matches!(name, "title" | "style" | "script" | "template" | "iframe" | "noembed" | "noframes" | "datalist")
}

pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "plaintext"
            | "pre"
            | "search"
            | "section"
            | "summary"
            | "table"
            | "td"
            | "th"
            | "tr"
            | "caption"
            | "ul"
            | "xmp"
            | "listing"
    )
}
