//! HTML as a reader sees it: words, tables with their columns apart, lists, quotations, where links lead; and what is there without
//! being seen.
//!
//! The tokens are a library's, by the standard. What is nested in what is decided here, in time linear in the text: elements end as
//! browsers end them where that changes what is seen, and lie at most [`MAX_OPEN`] deep.

mod element;
mod sink;
mod style;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};

use crate::invisible;
use crate::link::{self, Misleading};
use element::{Attributes, Element, is_block, is_gone, is_void};
use sink::Sink;
use style::{Named, Paint, Sheet};

/// Most elements within one another; browsers end at about as many.
const MAX_OPEN: usize = 256;
/// Most tables and quotations within one another that are told apart.
const MAX_SINKS: usize = 40;
/// Most bytes of text made of one part.
const MAX_TEXT: usize = 2 * 1024 * 1024;
/// Characters of a link's words that are looked at.
const MAX_LINK_WORDS: usize = 500;
/// Most links pointed out.
const MAX_MISLEADING: usize = 20;

/// What a reader sees of a part.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) hidden: crate::Hidden,
    pub(crate) misleading: Vec<Misleading>,
    pub(crate) cut: bool,
}

/// Renders a document, or a piece of one.
pub(crate) fn render(html: &str) -> Rendered {
    let mut page = Page { sheet: sheet(html), sinks: vec![Sink::default()], ..Page::default() };
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => page.open(&tag),
            Token::EndTag(tag) => page.close_named(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) => page.words(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
        if page.made > MAX_TEXT {
            page.rendered.cut = true;
            break;
        }
    }
    page.finish()
}

fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).map_while(Result::ok)
}

/// Style sheets count wherever they stand, so they are read first.
fn sheet(html: &str) -> Sheet {
    let mut sheet = Sheet::default();
    // No name of an element is written otherwise.
    if !html.as_bytes().windows(6).any(|window| window.eq_ignore_ascii_case(b"<style")) {
        return sheet;
    }
    let mut within = false;
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => within = tag.name.as_slice() == b"style",
            Token::EndTag(_) => within = false,
            Token::String(text) if within => sheet.take(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    sheet
}

#[derive(Debug, Default)]
struct Page {
    sheet: Sheet,
    open: Vec<Element>,
    /// Start tags beyond [`MAX_OPEN`] whose ends are still to come.
    beyond: usize,
    sinks: Vec<Sink>,
    rows: Vec<Row>,
    link: Option<Link>,
    rendered: Rendered,
    made: usize,
}

#[derive(Debug, Default)]
struct Row {
    cells: Vec<String>,
    is_layout: bool,
    /// Tells whether a row before had several columns.
    has_columns: bool,
}

#[derive(Debug)]
struct Link {
    href: String,
    words: String,
}

impl Page {
    fn open(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let attributes = Attributes::of(tag);
        self.end_before(&name);
        match name.as_str() {
            "br" => return self.with_sink(Sink::line_break),
            "hr" => return self.with_sink(|sink| sink.lines("---", 1)),
            "img" | "input" => return self.picture(&name, &attributes),
            _ if is_void(&name) => return,
            _ => {}
        }
        if self.open.len() >= MAX_OPEN {
            self.beyond += 1;
            return;
        }
        let element = self.element(name, &attributes);
        self.begin(&element, &attributes);
        self.open.push(element);
    }

    /// Tells how an element looks: by what is said of it, and by what is around it.
    fn element(&self, name: String, attributes: &Attributes) -> Element {
        let named = Named { tag: name, id: attributes.id.clone(), classes: attributes.classes.clone() };
        let around: Vec<&Named> =
            if self.sheet.is_empty() { Vec::new() } else { self.open.iter().map(|element| &element.named).collect() };
        let inline = attributes.style.as_deref().map(style::declarations).unwrap_or_default();
        let style = self.sheet.style(&named, &around, &inline);
        let parent = self.open.last();
        let mut element = parent.map(Element::within).unwrap_or_default();
        element.gone |= style.hides() || attributes.hidden || is_gone(&named.tag);
        element.unheard |= attributes.aria_hidden;
        element.invisible = style.invisible.unwrap_or(element.invisible);
        element.size = match style.size {
            Some(share) if share < 0.0 => element.size * -share,
            Some(pixels) => pixels,
            None => element.size,
        };
        if named.tag == "a" {
            element.color = None;
        }
        let color = style.color.or_else(|| attributes.color.as_deref().map(style::paint));
        element.color = match color {
            Some(Paint::Solid(rgb)) => Some(Paint::Solid(rgb)),
            Some(Paint::None) => Some(Paint::None),
            Some(Paint::Unknown) => None,
            None => element.color,
        };
        element.ground = match style.background.or_else(|| attributes.background.as_deref().map(style::paint)) {
            Some(Paint::Solid(rgb)) => Some(rgb),
            Some(Paint::Unknown) => None,
            Some(Paint::None) | None => element.ground,
        };
        if attributes.has_picture_behind {
            element.ground = None;
        }
        element.as_is = style.keeps_breaks.unwrap_or(
            element.as_is || matches!(named.tag.as_str(), "pre" | "textarea" | "xmp" | "plaintext" | "listing"),
        );
        element.is_block = style.block.unwrap_or_else(|| is_block(&named.tag));
        element.named = named;
        element
    }

    /// Returns what the beginning of an element does to the text.
    fn begin(&mut self, element: &Element, attributes: &Attributes) {
        let name = element.named.tag.as_str();
        match name {
            "a" => {
                if let Some(href) = &attributes.href {
                    self.link = Some(Link { href: href.clone(), words: String::new() });
                }
            }
            "table" if self.sinks.len() < MAX_SINKS => {
                self.with_sink(|sink| sink.block(1));
                self.rows.push(Row { is_layout: attributes.is_layout, ..Row::default() });
            }
            "td" | "th" if self.in_table() && self.sinks.len() < MAX_SINKS => self.sinks.push(Sink::default()),
            "blockquote" if self.sinks.len() < MAX_SINKS => self.sinks.push(Sink::default()),
            "li" => {
                let mark = self.list_mark();
                self.with_sink(|sink| sink.begin_with(mark));
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" => self.with_sink(|sink| sink.block(2)),
            "ul" | "ol" | "dl" => {
                let apart = if self.open.iter().any(|element| element.is_list()) { 1 } else { 2 };
                self.with_sink(|sink| sink.block(apart));
            }
            "s" | "del" | "strike" if !element.is_hidden() => self.words_as_is("~~"),
            "q" if !element.is_hidden() => self.words_as_is("\u{201c}"),
            _ if element.is_block => self.with_sink(|sink| sink.block(1)),
            _ => {}
        }
    }

    fn in_table(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Returns the mark of the entry that begins, set in by how deep its list lies.
    fn list_mark(&mut self) -> String {
        let depth = self.open.iter().filter(|element| element.is_list()).count();
        let inset = "  ".repeat(depth.saturating_sub(1).min(10));
        match self.open.iter_mut().rev().find(|element| element.is_list()) {
            Some(list) if list.named.tag == "ol" => {
                list.entries += 1;
                format!("{inset}{}. ", list.entries)
            }
            _ => format!("{inset}- "),
        }
    }

    /// Ends what browsers end before an element of this name begins.
    fn end_before(&mut self, name: &str) {
        let (ends, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "table", "td", "th"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "table", "td", "th"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "tr" => (&["tr"], &["table"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot", "tr"], &["table"]),
            "option" => (&["option"], &["select"]),
            "a" => (&["a"], &["table", "td", "th"]),
            _ if is_block(name) && name != "table" => {
                (&["p"], &["table", "td", "th", "caption", "button", "blockquote"])
            }
            _ => return,
        };
        let found = self.open.iter().enumerate().rev().map_while(|(index, element)| {
            let tag = element.named.tag.as_str();
            (!within.contains(&tag)).then_some((index, ends.contains(&tag)))
        });
        // The outermost that has to end.
        if let Some((index, _)) = found.filter(|(_, ends)| *ends).last() {
            self.close_down_to(index);
        }
    }

    fn close_named(&mut self, name: &str) {
        if is_void(name) {
            if name == "br" {
                self.with_sink(Sink::line_break);
            }
            return;
        }
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let of_table = matches!(name, "table" | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "caption");
        let mut at = None;
        for (index, element) in self.open.iter().enumerate().rev() {
            let tag = element.named.tag.as_str();
            if tag == name {
                at = Some(index);
                break;
            }
            // What began outside of a cell does not end within it, nor what began outside of a table.
            let wall = if of_table { tag == "table" } else { matches!(tag, "td" | "th" | "caption" | "table") };
            if wall {
                break;
            }
        }
        match at {
            Some(index) => self.close_down_to(index),
            None if name == "p" => self.with_sink(|sink| sink.block(2)),
            None => {}
        }
    }

    fn close_down_to(&mut self, index: usize) {
        while self.open.len() > index {
            let Some(element) = self.open.pop() else { return };
            self.end(&element);
        }
    }

    /// Returns what the end of an element does to the text.
    fn end(&mut self, element: &Element) {
        match element.named.tag.as_str() {
            "a" => self.end_link(),
            "td" | "th" if self.in_table() && self.sinks.len() > 1 => {
                let cell = self.sinks.pop().unwrap_or_default().finish();
                if let Some(row) = self.rows.last_mut() {
                    row.cells.push(cell);
                }
            }
            "tr" => self.end_row(),
            "table" => {
                self.end_row();
                self.rows.pop();
                self.with_sink(|sink| sink.block(1));
            }
            "blockquote" if self.sinks.len() > 1 => {
                let quoted = self.sinks.pop().unwrap_or_default().finish();
                let mark = |line: &str| if line.is_empty() { ">".to_owned() } else { format!("> {line}") };
                let lines: Vec<String> = quoted.lines().map(mark).collect();
                self.made += lines.len() * 2;
                self.with_sink(|sink| sink.lines(&lines.join("\n"), 2));
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" => self.with_sink(|sink| sink.block(2)),
            "s" | "del" | "strike" if !element.is_hidden() => self.words_as_is("~~"),
            "q" if !element.is_hidden() => self.words_as_is("\u{201d}"),
            _ if element.is_block || element.named.tag == "li" => self.with_sink(|sink| sink.block(1)),
            _ => {}
        }
    }

    /// Writes one line for a row, its cells apart; where a cell has several lines, the cells stand below one another.
    fn end_row(&mut self) {
        let Some(row) = self.rows.last_mut() else { return };
        let mut cells = std::mem::take(&mut row.cells);
        if row.is_layout {
            cells.retain(|cell| !cell.is_empty());
        }
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        let columns = filled > 1 || (filled == 1 && row.has_columns && cells.len() > 1);
        if columns && !cells.iter().any(|cell| cell.contains('\n')) {
            row.has_columns = true;
            let line = cells.join(" | ");
            return self.with_sink(|sink| sink.lines(&line, 1));
        }
        for cell in cells {
            self.with_sink(|sink| sink.lines(&cell, 1));
        }
    }

    fn end_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        let words = link.words.trim();
        if words.is_empty() {
            return;
        }
        let told = link::look(words, &link.href);
        if let Some(target) = told.target {
            self.made += target.len();
            self.with_sink(|sink| sink.behind(&format!("<{target}>")));
        }
        if let Some(misleading) = told.misleading {
            let said = format!("[careful: this link shows {}, but leads to {}]", misleading.shown, misleading.leads_to);
            self.made += said.len();
            self.with_sink(|sink| sink.behind(&said));
            if self.rendered.misleading.len() < MAX_MISLEADING {
                self.rendered.misleading.push(misleading);
            }
        }
    }

    fn picture(&mut self, name: &str, attributes: &Attributes) {
        let element = self.element(name.to_owned(), attributes);
        if element.is_hidden() || attributes.is_tiny() {
            return;
        }
        let text = invisible::without(attributes.alt.as_deref().unwrap_or_default()).0;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = match (name, text.as_str()) {
            ("input", _) => attributes.button.clone().unwrap_or_default(),
            (_, "") if attributes.is_enclosed => "[picture]".to_owned(),
            (_, "") => return,
            (_, alt) => format!("[picture: {alt}]"),
        };
        if let Some(link) = &mut self.link {
            link.words.push_str(&text);
            if text.is_empty() {
                link.words.push_str("[picture]");
            }
        }
        self.words_as_is(&shown);
    }

    /// Takes words of the document.
    fn words(&mut self, text: &str) {
        let Some(element) = self.open.last() else {
            return self.seen(text, false);
        };
        let blank = text.chars().all(char::is_whitespace);
        if element.is_never_words() {
            return;
        }
        if element.is_hidden() {
            if !blank {
                self.rendered.hidden.add(text.chars().filter(|c| !c.is_whitespace()).count());
            }
            return;
        }
        let as_is = element.as_is;
        let mark = match element {
            _ if blank => None,
            one if one.blends() => Some("not visible to a reader"),
            one if one.unheard => Some("not visible to a reader who has the screen read out"),
            _ => None,
        };
        match mark {
            Some(mark) => {
                self.rendered.hidden.marked += 1;
                let (text, _) = invisible::without(text);
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                self.words_as_is(&format!(" [{mark}: {text}] "));
            }
            None => self.seen(text, as_is),
        }
    }

    fn seen(&mut self, text: &str, as_is: bool) {
        let (text, hidden) = invisible::without(text);
        if hidden > 0 {
            self.rendered.hidden.add(hidden);
        }
        if let Some(link) = &mut self.link
            && link.words.len() < MAX_LINK_WORDS
        {
            link.words.extend(text.chars().take(MAX_LINK_WORDS));
        }
        self.made += text.len();
        self.with_sink(|sink| sink.words(&text, as_is));
    }

    fn words_as_is(&mut self, text: &str) {
        self.made += text.len();
        self.with_sink(|sink| sink.words(text, false));
    }

    fn with_sink(&mut self, work: impl FnOnce(&mut Sink)) {
        if let Some(sink) = self.sinks.last_mut() {
            work(sink);
        }
    }

    fn finish(mut self) -> Rendered {
        self.close_down_to(0);
        self.end_link();
        while self.sinks.len() > 1 {
            let text = self.sinks.pop().unwrap_or_default().finish();
            self.with_sink(|sink| sink.lines(&text, 1));
        }
        self.rendered.text = self.sinks.pop().unwrap_or_default().finish();
        self.rendered
    }
}

#[cfg(test)]
mod tests;
