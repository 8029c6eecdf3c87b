//! The words of rules, one by one.

use super::BadRule;

/// Words of a text and where each begins.
pub(super) struct Words<'a> {
    pub(super) text: &'a str,
    /// Beginning and end of each word, in bytes.
    pub(super) places: Vec<(usize, usize)>,
    pub(super) at: usize,
}

impl<'a> Words<'a> {
    /// Blanks part words; `:`, `;`, `,` and line ends are words of their own; `#` begins a remark. What stands in quotation marks
    /// is one word, marks and all.
    pub(super) fn new(text: &'a str) -> Self {
        let (mut places, mut begun, mut remark, mut marked) = (Vec::new(), None, false, false);
        for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
            marked = (marked ^ (c == '"' && !remark)) && c != '\n';
            if marked {
                begun.get_or_insert(at);
                continue;
            }
            remark = (remark || c == '#') && c != '\n';
            let parts = remark || c.is_whitespace() || ":;,".contains(c);
            if parts && let Some(from) = begun.take() {
                places.push((from, at));
            }
            if !parts {
                begun.get_or_insert(at);
            } else if !remark && (":;,".contains(c) || c == '\n' && at < text.len()) {
                places.push((at, at + 1));
            }
        }
        Self { text, places, at: 0 }
    }

    pub(super) fn word(&self, at: usize) -> &'a str {
        self.places.get(at).and_then(|(from, until)| self.text.get(*from..*until)).unwrap_or_default()
    }

    pub(super) fn next(&self) -> &'a str {
        self.word(self.at)
    }

    pub(super) fn ends_clause(&self) -> bool {
        self.at >= self.places.len() || matches!(self.next(), ";" | "\n")
    }

    pub(super) fn bad(&self, hint: impl Into<String>) -> BadRule {
        let at = self.places.get(self.at).map_or(self.text.len(), |(from, _)| *from);
        let at = self.text.get(..at).unwrap_or_default().chars().count();
        BadRule { at, found: self.next().trim().to_owned(), hint: hint.into() }
    }

    /// Tells whether a phrase stands here, whatever its case.
    pub(super) fn stands(&self, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(n, word)| self.word(self.at + n).to_lowercase() == word.to_lowercase())
    }

    /// Takes the words of a phrase.
    pub(super) fn take(&mut self, phrase: &str) -> bool {
        let stands = self.stands(phrase);
        if stands {
            self.at += phrase.split(' ').count();
        }
        stands
    }

    /// Takes the longest phrase of a table that stands here.
    pub(super) fn choose<T: Clone>(&mut self, table: &[(T, &[&str])]) -> Option<T> {
        let mut phrases: Vec<(&T, &str)> =
            table.iter().flat_map(|(value, words)| words.iter().map(move |words| (value, *words))).collect();
        phrases.sort_by_key(|(_, words)| std::cmp::Reverse(words.split(' ').count()));
        phrases.into_iter().find(|(_, words)| self.take(words)).map(|(value, _)| value.clone())
    }
}
