//! Thoughts that a server leaves among the words, between `<think>` and `</think>`: told apart as they arrive.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Tells thoughts and words apart.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    /// Words that are said.
    pub(crate) words: String,
    /// Words that are thought.
    pub(crate) thoughts: String,
    /// Letters that could still become a mark.
    pending: String,
    within: bool,
    /// Tells whether words were there before the thoughts that are read.
    after_words: bool,
}

impl Apart {
    pub(crate) fn push(&mut self, text: &str) {
        self.pending.push_str(text);
        while self.step() {}
    }

    /// Takes what is clear; false where more has to come.
    fn step(&mut self) -> bool {
        if self.within {
            let Some(end) = self.pending.find(CLOSE) else {
                self.thoughts.push_str(&take_but(&mut self.pending, CLOSE.len() - 1));
                return false;
            };
            self.thoughts.extend(self.pending.drain(..end + CLOSE.len()).collect::<String>().strip_suffix(CLOSE));
            self.within = false;
            return true;
        }
        let at_start = self.words.trim().is_empty();
        if at_start || self.words.ends_with('\n') {
            let shown = self.pending.trim_start();
            if let Some(rest) = shown.strip_prefix(OPEN) {
                self.pending = rest.to_owned();
                (self.within, self.after_words) = (true, !at_start);
                return true;
            }
            if OPEN.starts_with(shown) {
                return false;
            }
            if at_start {
                // What stood between thoughts and words is neither.
                self.pending = shown.to_owned();
                self.words.clear();
            }
        }
        let end = self.pending.find('\n').map_or(self.pending.len(), |at| at + 1);
        self.words.extend(self.pending.drain(..end));
        !self.pending.is_empty()
    }

    /// Returns words and thoughts, once everything is there. `whole` tells whether the answer came to its end.
    pub(crate) fn finish(mut self, whole: bool) -> (String, String) {
        if self.within && self.after_words && whole {
            // A mark that was never closed, among the words: it was meant as words.
            self.words.push_str(OPEN);
            self.words.push_str(&self.thoughts);
            self.thoughts.clear();
            self.within = false;
        }
        let rest = std::mem::take(&mut self.pending);
        if self.within {
            self.thoughts.push_str(&rest)
        } else {
            self.words.push_str(&rest)
        }
        // Some servers put the first mark into the question, so that only the last is in the answer.
        if let Some(at) = self.words.find(CLOSE) {
            let (before, after) = (self.words.get(..at).unwrap_or_default(), self.words.get(at + CLOSE.len()..));
            let after = after.unwrap_or_default();
            if !before.contains(OPEN) && (before.ends_with('\n') || after.starts_with('\n') || after.is_empty()) {
                self.thoughts.insert_str(0, before);
                self.words = after.trim_start().to_owned();
            }
        }
        (self.words, self.thoughts)
    }
}

/// Takes all of a text but its last `keep` bytes, or some more.
fn take_but(text: &mut String, keep: usize) -> String {
    let most = text.len().saturating_sub(keep);
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.drain(..end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(text: &str, size: usize) -> (String, String) {
        let mut apart = Apart::default();
        let all: Vec<char> = text.chars().collect();
        for piece in all.chunks(size) {
            apart.push(&piece.iter().collect::<String>());
        }
        apart.finish(true)
    }

    #[test]
    fn thoughts_are_kept_apart_however_the_text_is_cut() {
        for (text, words, thoughts) in [
            ("<think>hm, grün</think>\n\nYes.", "Yes.", "hm, grün"),
            ("\n <think>\nhm\n</think>Yes.", "Yes.", "\nhm\n"),
            ("<think></think>Yes\nand no", "Yes\nand no", ""),
            ("hm\n</think>\n\nYes.", "Yes.", "hm\n"),
            ("<think>one</think>Yes.\n<think>two</think>No.", "Yes.\nNo.", "onetwo"),
            ("<think>never closed", "", "never closed"),
            ("Write <think> and </think> around it.", "Write <think> and </think> around it.", ""),
            ("Use a tag:\n<think>like this", "Use a tag:\n<think>like this", ""),
            ("1 < 2 <thin air", "1 < 2 <thin air", ""),
            ("<thin", "<thin", ""),
            ("", "", ""),
        ] {
            for size in 1..=text.chars().count().max(1) {
                let (said, thought) = apart(text, size);
                assert_eq!((said.as_str(), thought.as_str()), (words, thoughts), "`{text}` in pieces of {size}");
            }
        }
    }
}
