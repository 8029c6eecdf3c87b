//! Lines of text as they come to be: blanks run together, blocks stand apart.

/// Most empty lines between two blocks.
const MAX_BREAKS: usize = 2;

/// Text that is being put together.
#[derive(Debug, Default)]
pub(super) struct Sink {
    text: String,
    /// Line breaks due before the next word.
    breaks: usize,
    /// A blank due before the next word.
    blank: bool,
    /// The beginning of the next word's line: the mark of a list's entry.
    prefix: String,
}

impl Sink {
    /// Adds words; blanks of any kind count as one, unless `as_is`.
    pub(super) fn words(&mut self, text: &str, as_is: bool) {
        for c in text.chars() {
            match c {
                '\r' => {}
                '\n' if as_is => self.line_break(),
                ' ' | '\t' | '\u{a0}' if as_is => {
                    self.due();
                    self.text.push(' ');
                }
                c if c.is_whitespace() => self.blank = true,
                c if c.is_control() => {}
                c => {
                    self.due();
                    self.text.push(c);
                }
            }
        }
    }

    fn due(&mut self) {
        if self.breaks > 0 {
            let end = self.text.trim_end_matches(' ').len();
            self.text.truncate(end);
            if !self.text.is_empty() {
                let there = self.text.len() - self.text.trim_end_matches('\n').len();
                for _ in there..self.breaks {
                    self.text.push('\n');
                }
            }
        } else if self.blank && !self.is_at_line_start() {
            self.text.push(' ');
        }
        (self.breaks, self.blank) = (0, false);
        self.text.push_str(&std::mem::take(&mut self.prefix));
    }

    fn is_at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with(['\n', ' '])
    }

    /// Ends the line; twice is an empty line.
    pub(super) fn line_break(&mut self) {
        self.breaks = (self.breaks + 1).min(MAX_BREAKS);
        self.blank = false;
    }

    /// Returns what follows stands so many line breaks below what was.
    pub(super) fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.blank = false;
    }

    /// Returns what the next word's line begins with.
    pub(super) fn begin_with(&mut self, prefix: String) {
        self.block(1);
        self.prefix = prefix;
    }

    /// Adds lines that are put together already.
    pub(super) fn lines(&mut self, lines: &str, apart: usize) {
        if lines.is_empty() {
            return;
        }
        self.block(apart);
        self.due();
        self.text.push_str(lines);
        self.block(apart);
    }

    /// Adds words behind the last one, after a blank, whatever they hold.
    pub(super) fn behind(&mut self, words: &str) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) && self.breaks == 0 {
            self.text.push(' ');
        }
        self.blank = false;
        self.due();
        self.text.push_str(words);
    }

    /// Returns the text, without blanks around it and at the ends of its lines.
    pub(super) fn finish(self) -> String {
        let lines: Vec<&str> = self.text.lines().map(str::trim_end).collect();
        lines.join("\n").trim_matches('\n').trim_end().to_owned()
    }
}
