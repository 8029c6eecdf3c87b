//! From what a page draws (ISO 32000-1, 9.4) to its text: letters, with blanks and lines by where they stand.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Document;
use super::font::Font;
use super::value::{Dict, Reader, Value, is_blank, is_delimiter};

/// How deep forms may lie in forms, and drawings be kept while another is made.
const MAX_FORMS: usize = 8;
const MAX_KEPT: usize = 64;
/// Most values before an operator.
const MAX_OPERANDS: usize = 64;
/// Most bytes of text of one document.
const MAX_TEXT: usize = 4 * 1024 * 1024;
/// A gap that is a blank, a step that is a line, and one that leaves a line out, in sizes of the letters.
const BLANK: f64 = 0.15;
const LINE: f64 = 0.5;
const PARAGRAPH: f64 = 1.9;

/// A step from one plane to another (ISO 32000-1, 8.3.3).
type Matrix = [f64; 6];

const UNMOVED: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

fn times([a, b, c, d, e, f]: Matrix, [k, l, m, n, o, p]: Matrix) -> Matrix {
    [a * k + b * m, a * l + b * n, c * k + d * m, c * l + d * n, e * k + f * m + o, e * l + f * n + p]
}

#[derive(Debug, Clone)]
struct State {
    plane: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    between_letters: f64,
    between_words: f64,
    /// Of the width, 1 where nothing is said.
    stretch: f64,
    leading: f64,
    is_hidden: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            plane: UNMOVED,
            font: None,
            size: 1.0,
            between_letters: 0.0,
            between_words: 0.0,
            stretch: 1.0,
            leading: 0.0,
            is_hidden: false,
        }
    }
}

/// Returns how many bytes a picture takes that is written among what is drawn, with the word that ends it.
fn picture(bytes: &[u8]) -> usize {
    let ends = |at: usize| {
        let Some([before, b'E', b'I', after @ ..]) = bytes.get(at..) else { return false };
        is_blank(*before) && after.first().is_none_or(|byte| is_blank(*byte) || is_delimiter(*byte))
    };
    (0..bytes.len()).find(|at| ends(*at)).map_or(bytes.len(), |at| at + 3)
}

/// Writes the text of pages.
pub(super) struct Writer<'d, 'a> {
    document: &'d Document<'a>,
    out: String,
    /// Where the last letters ended.
    end: Option<(f64, f64)>,
    hidden: usize,
    unknown: usize,
    is_cut: bool,
}

impl<'d, 'a> Writer<'d, 'a> {
    pub(super) const fn new(document: &'d Document<'a>) -> Self {
        Self { document, out: String::new(), end: None, hidden: 0, unknown: 0, is_cut: false }
    }

    /// Returns the text, and what is to be said of it.
    pub(super) fn done(self) -> (String, Vec<String>) {
        let mut said = Vec::new();
        if self.is_cut {
            said.push("it is longer than is read of one file".into());
        }
        if self.unknown > 0 {
            said.push(format!("{} of its letters are in fonts that do not say which they are", self.unknown));
        }
        if self.hidden > 0 {
            said.push(format!(
                "{} of its letters are not visible to a reader, as in pictures of pages that a program has read",
                self.hidden
            ));
        }
        let lines: Vec<&str> = self.out.lines().map(str::trim_end).collect();
        (lines.join("\n").trim().to_owned(), said)
    }

    /// Tells whether no more is read: there is enough text, or all was done that is done for one document.
    pub(super) fn is_over(&self) -> bool {
        self.is_cut || self.document.is_spent()
    }

    /// Writes the text of one page.
    pub(super) fn page(&mut self, page: &Dict, resources: &Dict) {
        if !self.out.is_empty() {
            self.out.push_str("\n\n");
        }
        self.end = None;
        let mut content = Vec::new();
        for part in self.document.array(page.get("Contents")).iter().chain(page.get("Contents")) {
            let Value::Reference(number) = part else { continue };
            if self.document.is_spent() {
                break;
            }
            let data = self.document.object(*number).and_then(|object| self.document.data(&object));
            // One that is an array has no bytes of its own.
            content.extend(data.unwrap_or_default());
            content.push(b'\n');
        }
        self.draw(&content, resources, State::default(), 0);
    }

    /// Follows what is drawn.
    fn draw(&mut self, content: &[u8], resources: &Dict, mut state: State, depth: usize) {
        let document = self.document;
        let mut reader = Reader::new(content, 0, &document.left);
        // Fonts by their names here: one that is written in the resources themselves is made once.
        let mut fonts: BTreeMap<String, Rc<Font>> = BTreeMap::new();
        let (mut kept, mut operands): (Vec<State>, Vec<Value>) = (Vec::new(), Vec::new());
        let (mut place, mut line) = (UNMOVED, UNMOVED);
        while let Some(value) = reader.value() {
            let Value::Word(operator) = value else {
                if operands.len() < MAX_OPERANDS {
                    operands.push(value);
                }
                continue;
            };
            let number = |at: usize| operands.get(at).and_then(Value::number).unwrap_or_default();
            let matrix = || std::array::from_fn(number);
            let moved = |x: f64, y: f64, line: Matrix| times([1.0, 0.0, 0.0, 1.0, x, y], line);
            match operator.as_slice() {
                b"q" if kept.len() < MAX_KEPT => kept.push(state.clone()),
                b"Q" => state = kept.pop().unwrap_or(state),
                b"cm" => state.plane = times(matrix(), state.plane),
                b"BT" => (place, line) = (UNMOVED, UNMOVED),
                b"Tf" => {
                    let name = operands.first().and_then(Value::name).unwrap_or_default();
                    state.font = fonts.get(name).cloned().or_else(|| document.font(resources, name));
                    if let Some(font) = state.font.as_ref().filter(|_| !fonts.contains_key(name)) {
                        fonts.insert(name.to_owned(), Rc::clone(font));
                    }
                    state.size = number(1);
                }
                b"Tc" => state.between_letters = number(0),
                b"Tw" => state.between_words = number(0),
                b"Tz" => state.stretch = number(0) / 100.0,
                b"TL" => state.leading = number(0),
                b"Tr" => state.is_hidden = matches!(operands.first().and_then(Value::count), Some(3 | 7)),
                b"Td" | b"TD" => {
                    if operator == b"TD" {
                        state.leading = -number(1);
                    }
                    line = moved(number(0), number(1), line);
                    place = line;
                }
                b"Tm" => {
                    line = matrix();
                    place = line;
                }
                b"T*" | b"'" | b"\"" => {
                    if operator == b"\"" {
                        (state.between_words, state.between_letters) = (number(0), number(1));
                    }
                    line = moved(0.0, -state.leading, line);
                    place = line;
                    if let Some(text) = operands.last().and_then(Value::text) {
                        self.show(text, &state, &mut place);
                    }
                }
                b"Tj" => {
                    if let Some(text) = operands.last().and_then(Value::text) {
                        self.show(text, &state, &mut place);
                    }
                }
                b"TJ" => {
                    for one in operands.last().and_then(Value::array).unwrap_or_default() {
                        match one {
                            Value::Text(text) => self.show(text, &state, &mut place),
                            Value::Number(back) => {
                                place = moved(-back / 1_000.0 * state.size * state.stretch, 0.0, place);
                            }
                            _ => {}
                        }
                    }
                }
                b"Do" if depth < MAX_FORMS => {
                    let name = operands.first().and_then(Value::name).unwrap_or_default();
                    self.form(name, resources, &state, depth);
                }
                b"ID" => {
                    // A picture within: it ends at a word of its own.
                    let length = picture(content.get(reader.at()..).unwrap_or_default());
                    if document.left.take(length).is_none() {
                        return;
                    }
                    reader.skip_to(reader.at().saturating_add(length));
                }
                _ => {}
            }
            operands.clear();
            if self.out.len() > MAX_TEXT {
                self.is_cut = true;
            }
            if self.is_cut {
                return;
            }
        }
    }

    /// Draws what is kept to be drawn more than once (ISO 32000-1, 8.10).
    fn form(&mut self, name: &str, resources: &Dict, state: &State, depth: usize) {
        let document = self.document;
        let Some(forms) = document.dict(resources.get("XObject")) else { return };
        let Some(Value::Reference(number)) = forms.get(name) else { return };
        let Some(object) = document.object(*number) else { return };
        let Some(dict) = object.value.dict() else { return };
        if dict.get("Subtype").and_then(Value::name) != Some("Form") {
            return;
        }
        let Some(content) = document.data(&object) else { return };
        let own = document.dict(dict.get("Resources"));
        let step = document.array(dict.get("Matrix"));
        let step = if step.len() == 6 {
            std::array::from_fn(|at| step.get(at).and_then(Value::number).unwrap_or_default())
        } else {
            UNMOVED
        };
        let state = State { plane: times(step, state.plane), ..state.clone() };
        self.draw(&content, own.as_deref().unwrap_or(resources), state, depth + 1);
    }

    /// Writes a text where it stands, and moves behind it.
    fn show(&mut self, text: &[u8], state: &State, place: &mut Matrix) {
        let Some(font) = &state.font else { return };
        let mut written = String::new();
        let (mut wide, mut unknown) = (0.0, 0);
        for code in font.codes(text) {
            if self.out.len() + written.len() > MAX_TEXT {
                self.is_cut = true;
                break;
            }
            match font.letters(code) {
                Some(letters) => written.push_str(&letters),
                None => unknown += 1,
            }
            let word = if code == 32 && font.code_bytes == 1 { state.between_words } else { 0.0 };
            wide += (font.width(code) / 1_000.0 * state.size + state.between_letters + word) * state.stretch;
        }
        let begins = times(*place, state.plane);
        *place = times([1.0, 0.0, 0.0, 1.0, wide, 0.0], *place);
        let ends = times(*place, state.plane);
        self.unknown += unknown;
        if written.is_empty() {
            return;
        }
        if state.is_hidden {
            self.hidden += written.chars().count();
        }
        let [_, _, c, d, x, y] = begins;
        self.part(x, y, (c.hypot(d) * state.size).abs().max(0.1));
        // Signs that steer are no letters.
        self.out.extend(written.chars().map(|c| if c.is_control() { ' ' } else { c }));
        self.end = Some((ends[4], ends[5]));
    }

    /// Parts what comes from what was written before, by where both stand.
    fn part(&mut self, x: f64, y: f64, size: f64) {
        let Some((end_x, end_y)) = self.end else { return };
        let down = (end_y - y).abs();
        if down > PARAGRAPH * size {
            self.out.push_str("\n\n");
        } else if down > LINE * size {
            self.out.push('\n');
        } else if (x - end_x > BLANK * size || end_x - x > size) && !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
    }
}
