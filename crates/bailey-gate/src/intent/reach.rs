//! Reads how much of a series the person's own words mean to cancel or to change: one occurrence, one and those that follow, or all.
//!
//! A word such as "all" counts where it is said of the entries that the verb is about: "answer all my mails and cancel Tuesday's
//! stand-up" means one stand-up. What is not said so is not meant, and asks; so reading too little costs a question, and
//! nothing else.

mod part;
mod token;

use super::reach_words::{
    BUT, CONTRASTS, EXCUSED, EXCUSES, EXCUSING, GOES_ON, KINDS, LIMITS, LOOK, PAPERS, PARTIAL, QUESTIONS, REASONS,
    SUBJECTS, WITHOUT,
};
use super::words::{
    ADDRESS, CANCEL, CHANGE, CREATE, DRAFT, INVITE, JOINS, MAIL, MARK, NOT, PAY, REMEMBER, SEND, SHARE, SORT, TRASH,
    UNSUBSCRIBE,
};
use super::{Verb, apart, clause_asking, clauses, joined, tokens, words_at};
use part::Part;
use token::{bare, bare_words, fits_any, is_exception, is_name, is_reason, plain, same, tells};

/// Most words of an entry's title that are compared.
const MAX_TITLE_WORDS: usize = 32;
/// Most things that the words of a task are taken apart into; what comes behind them adds nothing, and so asks.
const MAX_TOPICS: usize = 64;
/// Most words that are kept as excepted; where there are more, one occurrence is meant.
const MAX_EXCEPTED: usize = 64;

/// How much of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// One occurrence.
    One,
    /// One occurrence and those that follow.
    Following,
    /// All of it.
    All,
}

/// What an action does with a part of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfSeries {
    /// Tells whether it cancels or changes it.
    pub verb: Verb,
    /// How much of it.
    pub reach: Reach,
    /// The series' title.
    pub what: String,
}

/// What words mean to cancel and to change, and how much of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaches {
    topics: Vec<Topic>,
    /// Names behind a "not" or an "except": of those, one occurrence is meant at most.
    excepted: Vec<String>,
}

/// What bounds a sentence to one occurrence.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds {
    /// An "except"; it bounds the sentence before it too: "Cancel all meetings. Except yoga."
    excepts: bool,
    /// A "not".
    negates: bool,
}

/// One thing that words are about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Topic {
    /// Names it is called by: one of these has to stand in a title.
    names: Vec<String>,
    /// Kinds it is of: "meeting".
    kinds: Vec<String>,
    /// Words right behind an "all": "notes" of "all notes about yoga". One of these has to stand in the title.
    heads: Vec<String>,
    cancel: Option<Reach>,
    change: Option<Reach>,
}

/// The verbs of a part of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Doing {
    cancel: bool,
    change: bool,
}

impl Reaches {
    /// Reads a task.
    #[must_use]
    pub fn of(task: &str) -> Self {
        let (mut out, mut current) = (Self::default(), None);
        let sentences = sentences(task);
        let bounds: Vec<Bounds> = sentences.iter().map(|sentence| out.except(sentence)).collect();
        for (at, sentence) in sentences.iter().enumerate() {
            let mut bounded = bounds.get(at).is_some_and(|own| own.excepts || own.negates)
                || bounds.get(at + 1).is_some_and(|next| next.excepts);
            for clause in sentence {
                current = out.clause(clause, bounded, current);
                // What stands behind a colon may be what to write down: "Add a task: cancel all stand-ups".
                bounded |= clause.trim_end().ends_with(':');
            }
        }
        out
    }

    /// Takes in what a sentence excepts. Returns how that bounds what is meant.
    fn except(&mut self, sentence: &[&str]) -> Bounds {
        let mut bounds = Bounds::default();
        for clause in sentence {
            let clause = before_excuse(clause);
            let asking = clause_asking(clause);
            let negated = bare_words(clause.get(asking.len()..).unwrap_or_default());
            bounds.negates |= !negated.is_empty();
            bounds.excepts |= !self.leave_out(&negated);
            let words = bare_words(asking);
            if let Some(at) = (0..words.len()).find(|at| is_exception(&words, *at)) {
                bounds.excepts = true;
                self.leave_out(words.get(at + 1..).unwrap_or_default());
            }
            for part in joined(asking) {
                let words = bare_words(part);
                // "All meetings but yoga", "but the rest can be as is".
                if words.first().is_some_and(|first| fits_any(first, BUT)) && Doing::of(&words).is_none() {
                    bounds.excepts = true;
                    self.leave_out(&words);
                }
            }
        }
        bounds
    }

    /// Keeps what these words name as excepted. Returns whether there was room for all of it.
    fn leave_out(&mut self, words: &[String]) -> bool {
        for word in words.iter().filter(|word| is_name(word) || fits_any(word, KINDS)) {
            if fits_any(word, NOT) || word.ends_with("n't") || self.excepted.contains(word) {
                continue;
            }
            if self.excepted.len() >= MAX_EXCEPTED {
                return false;
            }
            self.excepted.push(word.clone());
        }
        true
    }

    /// Takes in a clause, after what was named last. Returns what is named last now.
    fn clause(&mut self, clause: &str, bounded: bool, mut current: Option<usize>) -> Option<usize> {
        let mut doing = Doing::default();
        let asking = clause_asking(clause);
        let bounded = bounded || bare_words(asking).iter().any(|word| fits_any(word, QUESTIONS));
        for part in joined(asking) {
            let mut words = bare_words(part);
            let reason = (0..words.len()).find(|at| is_reason(&words, *at));
            let limited = reason.and_then(|at| words.get(at)).is_some_and(|word| fits_any(word, LIMITS));
            words.truncate(reason.unwrap_or(words.len()));
            let any = |list: &[&str]| words.iter().any(|word| fits_any(word, list));
            let own = Doing::of(&words);
            // A part without a verb of its own goes on with the last one: "cancel Tuesday's stand-up and all that follow".
            let goes_on = words.first().is_some_and(|first| fits_any(first, GOES_ON)) && !any(SUBJECTS);
            doing = own.unwrap_or(if goes_on { doing } else { Doing::default() });
            // What begins so may be a verb that is not known: "and keep the rest".
            let unknown =
                own.is_none() && words.iter().find(|word| !fits_any(word, JOINS)).is_some_and(|word| is_name(word));
            let of_mails = any(MAIL) || any(PAPERS);
            if of_mails && !any(KINDS) {
                doing = Doing::default();
            }
            let bounded = bounded || limited || unknown || of_mails || any(CONTRASTS) || any(PARTIAL) || tells(&words);
            if !words.is_empty() {
                current = self.take(&words, doing, bounded, current);
            }
            if reason.is_some() {
                break;
            }
        }
        current
    }

    /// Tells whether the words mean at least this much of the series.
    #[must_use]
    pub fn ground(&self, part: &OfSeries) -> bool {
        part.reach <= self.meant(part.verb, &part.what)
    }

    /// Returns how much of a series of this title is meant. Of several things said, those that fit the title best count, and of
    /// them the one that means least.
    fn meant(&self, verb: Verb, title: &str) -> Reach {
        let title: Vec<String> = bare_words(title).into_iter().take(MAX_TITLE_WORDS).collect();
        let stands = |word: &&String| title.iter().any(|other| same(word, other));
        if self.excepted.iter().any(|word| stands(&word)) {
            return Reach::One;
        }
        let mut best: Option<(usize, Reach)> = None;
        for topic in &self.topics {
            let reach = if verb == Verb::Cancel { topic.cancel } else { topic.change };
            let named = topic.names.iter().filter(stands).count();
            let Some(reach) = reach.filter(|_| named > 0 || topic.names.is_empty()) else { continue };
            let of_others = !topic.heads.is_empty() && !topic.heads.iter().any(|head| stands(&head));
            let reach = if of_others { Reach::One } else { reach };
            let fitting = named + topic.kinds.iter().filter(stands).count();
            best = Some(match best {
                Some((most, least)) if most == fitting => (most, least.min(reach)),
                Some(better) if better.0 > fitting => better,
                _ => (fitting, reach),
            });
        }
        best.map_or(Reach::One, |(_, reach)| reach)
    }

    /// Takes in a part of a clause, which means one occurrence where it is bounded; one that names nothing is about what was
    /// named last. Returns what it is about.
    fn take(&mut self, words: &[String], doing: Doing, bounded: bool, last: Option<usize>) -> Option<usize> {
        let read = Part::read(words);
        let names_nothing = read.names.is_empty() && read.kinds.is_empty();
        let known = if names_nothing {
            last
        } else {
            self.topics.iter().position(|one| one.names == read.names && one.kinds == read.kinds)
        };
        let at = known.unwrap_or(self.topics.len());
        if at == self.topics.len() {
            if at >= MAX_TOPICS {
                return None;
            }
            self.topics.push(Topic { names: read.names, kinds: read.kinds, ..Topic::default() });
        }
        let topic = self.topics.get_mut(at)?;
        topic.heads.extend(read.head.filter(|head| !topic.heads.contains(head)));
        let reach = if bounded { Reach::One } else { read.reach };
        if doing.cancel {
            topic.cancel = topic.cancel.max(Some(reach));
        }
        if doing.change {
            topic.change = topic.change.max(Some(reach));
        }
        Some(at)
    }
}

impl Doing {
    /// Reads what a part of a clause does; nothing where it has no verb.
    fn of(words: &[String]) -> Option<Self> {
        let any = |list: &[&str]| words.iter().any(|word| fits_any(word, list));
        let parted = apart(words);
        let cancel = any(CANCEL) || parted.contains(&Verb::Cancel);
        let change = any(CHANGE) || parted.contains(&Verb::Change);
        let others = [SEND, ADDRESS, DRAFT, TRASH, MARK, CREATE, INVITE, REMEMBER, PAY, SHARE, LOOK, SORT, UNSUBSCRIBE];
        (cancel || change || others.into_iter().any(any)).then_some(Self { cancel, change })
    }
}

/// Returns the sentences of a text, each as its clauses.
fn sentences(text: &str) -> Vec<Vec<&str>> {
    let mut out = vec![Vec::new()];
    for clause in clauses(text) {
        if let Some(last) = out.last_mut() {
            last.push(clause);
        }
        if clause.trim_end_matches(' ').ends_with(['.', '!', '?', '\n']) {
            out.push(Vec::new());
        }
    }
    out.retain(|sentence| sentence.iter().any(|clause| !tokens(clause).is_empty()));
    out
}

/// Returns a clause without the excuse or the wish of silence that it is or ends with: "I can't make it", "and don't tell anyone". Its
/// "not" excepts nothing. What has any other word in it may.
fn before_excuse(clause: &str) -> &str {
    let words: Vec<(usize, String)> = words_at(clause).map(|(at, word)| (at, bare(&plain(word)))).collect();
    let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|(_, word)| fits_any(word, list));
    let negates = |at: usize| words.get(at).is_some_and(|(_, word)| fits_any(word, NOT) || word.ends_with("n't"));
    let begins = |at: usize| {
        let first =
            at + usize::from(is(at, REASONS) || is(at, JOINS)) + usize::from(is(at, REASONS) && is(at + 1, &["que"]));
        (at == 0 || first > at || is(at, WITHOUT))
            && (is(first, EXCUSED) || is(first, WITHOUT) || is(first, &["do"]) || negates(first) || is(first, &["ne"]))
    };
    let excuses = |from: usize| {
        let rest = from..words.len();
        rest.clone().any(negates)
            && rest.clone().any(|at| is(at, EXCUSING))
            && rest.clone().all(|at| {
                negates(at) || is(at, REASONS) || [EXCUSED, EXCUSES, EXCUSING].into_iter().any(|list| is(at, list))
            })
    };
    let at = (0..words.len()).find(|at| begins(*at) && excuses(*at));
    at.and_then(|at| words.get(at)).and_then(|(begins, _)| clause.get(..*begins)).unwrap_or(clause)
}

#[cfg(test)]
mod tests;
