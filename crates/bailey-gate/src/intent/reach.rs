//! Reads how much of a series the person's own words mean to cancel or to change: one occurrence, one and those that follow, or all.
//!
//! A word such as "all" counts where it is said of the entries that the verb is about: "answer all my mails and cancel Tuesday's
//! stand-up" means one stand-up. What is not said so is not meant, and asks; so reading too little costs a question, and
//! nothing else.

use super::reach_words::{
    ALL, ALTOGETHER, BUT, CONTRASTS, DAYS, DETERMINERS, EACH, EACH_DAY, EVERYTHING, EXCEPT, EXCEPT_PAIRS, EXCUSED,
    EXCUSES, EXCUSING, FILLERS, FOLLOWING, FROM, FUTURE, GOES_ON, HENCEFORTH, IN_DATES, KINDS, LIMITS, LOOK, MOMENTS,
    MONTHS, NO_THINGS, NUMBERS, OBJECTS, OF, ON, OPENINGS, OTHERS, PAPERS, PARTIAL, POINTING, PREPOSITIONS, PRONOUNS,
    QUESTIONS, REASONS, RELATIVE, RELATIVES, REST, SERIES, SINGLE, SPANS, STARTING, STATES, SUBJECTS, TO, WHOLE,
    WITHOUT,
};
use super::words::{
    ADDRESS, APART, CANCEL, CHANGE, CREATE, DRAFT, INVITE, JOINS, MAIL, MARK, NOT, PAY, REMEMBER, SEND, SHARE, SORT,
    TRASH, UNSUBSCRIBE,
};
use super::{Verb, apart, clause_asking, clauses, fits, joined, tokens, words_at};

/// Most words of an entry's title that are compared.
const MAX_TITLE_WORDS: usize = 32;
/// Most things that the words of a task are taken apart into; what comes behind them adds nothing, and so asks.
const MAX_TOPICS: usize = 64;
/// Most words that are kept as excepted; where there are more, one occurrence is meant.
const MAX_EXCEPTED: usize = 64;
/// Letters from which on a word is taken for one that begins with it.
const SAME_STEM: usize = 4;
/// Letters from which on it may be any part of a compound: "Zahnarzt", "Zahnarzttermin".
const COMPOUND: usize = 6;

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

/// What a part of a clause says.
struct Part {
    names: Vec<String>,
    kinds: Vec<String>,
    head: Option<String>,
    reach: Reach,
}

/// What is found on the way through a part of a clause.
#[derive(Debug, Default)]
struct Found {
    /// Tells of each word whether it is spoken for.
    taken: Vec<bool>,
    whole_series: bool,
    /// From a day on.
    following: bool,
    /// Those still to come, in words.
    future: bool,
    all: bool,
    /// The word right behind the one that says how much.
    head: Option<String>,
}

impl Part {
    fn read(words: &[String]) -> Self {
        let mut found = Found { taken: vec![false; words.len()], ..Found::default() };
        for at in 0..words.len() {
            if found.taken.get(at) == Some(&false) {
                found.dates(words, at);
            }
        }
        for at in 0..words.len() {
            if found.taken.get(at) == Some(&false) {
                found.amounts(words, at);
            }
        }
        let left = || words.iter().zip(&found.taken).filter(|(_, taken)| !**taken).map(|(word, _)| word);
        let mut kinds: Vec<String> = left().filter(|word| fits_any(word, KINDS)).cloned().collect();
        let mut names: Vec<String> = left().filter(|word| is_name(word)).cloned().collect();
        kinds.sort();
        kinds.dedup();
        names.sort();
        names.dedup();
        let any = |list: &[&str]| left().any(|word| fits_any(word, list));
        let dated =
            left().any(|word| is_date(word)) || any(SPANS) || any(SINGLE) || found.points(words) || has_time(words);
        let elliptical = names.is_empty() && kinds.is_empty();
        // "All that remain today" are those of today.
        let words_follow = found.future || elliptical && (any(FOLLOWING) || any(FUTURE) || any(REST));
        let following = found.following || any(HENCEFORTH) || words_follow && !dated;
        // "Cancel Tuesday's of the whole series" means Tuesday's.
        let whole_series = found.whole_series && !following && !any(FROM);
        let reach = if following {
            Reach::Following
        } else if !dated && (whole_series || found.all || any(ALTOGETHER)) {
            Reach::All
        } else {
            Reach::One
        };
        Self { names, kinds, head: found.head, reach }
    }
}

impl Found {
    fn take(&mut self, from: usize, until: usize) {
        self.taken.iter_mut().take(until).skip(from).for_each(|taken| *taken = true);
    }

    /// Tells whether one thing is pointed at: "the next stand-up", "this meeting".
    fn points(&self, words: &[String]) -> bool {
        let left = words.iter().enumerate().filter(|(at, _)| self.taken.get(*at) == Some(&false));
        left.filter(|(_, word)| fits_any(word, POINTING)).any(|(at, _)| {
            let between = |word: &&String| fits_any(word, FILLERS) || fits_any(word, NUMBERS) || is_number(word);
            let thing = words.iter().skip(at + 1).find(|word| !between(word));
            thing.is_some_and(|word| is_name(word) || fits_any(word, KINDS))
        })
    }

    /// Takes in dates that do not say which occurrence is meant: those of a goal ("to Thursday"), of a beginning ("from Tuesday
    /// on"), and days of each week ("on Tuesdays").
    fn dates(&mut self, words: &[String], at: usize) {
        let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| fits_any(word, list));
        let (end, dated) = date_behind(words, at + 1);
        if is(at, TO) && dated {
            return self.take(at, end);
        }
        let moment = is(at + 1, MOMENTS) || (is(at + 1, DETERMINERS) || is(at + 1, PRONOUNS)) && is(at + 2, SINGLE);
        let end = if moment && !dated { at + 2 + usize::from(is(at + 2, SINGLE)) } else { end };
        let number = is(at + 1, DETERMINERS) && words.get(at + 2).is_some_and(|word| is_number(word));
        // "From 10 on Tuesday", "ab 10 Uhr am Dienstag": a time of one day.
        let of_day = words.get(at + 1).is_some_and(|word| is_number(word))
            && !words.get(at + 2).is_some_and(|word| is_date(word));
        let named = at.checked_sub(1).is_some_and(|before| is(before, DETERMINERS));
        let begins = (dated || moment || number) && !of_day && !named;
        let leads_on = words.get(end + 1).is_some_and(|word| is_name(word) || is_date(word));
        let goes_on = is(at, FROM) && is(end, ON) && !(is(end, &["on", "an"]) && leads_on);
        if begins && (goes_on || is(at, STARTING)) {
            self.following = true;
            return self.take(at, end + usize::from(goes_on));
        }
        let each_day = is(at, EACH_DAY)
            && (words.get(at).is_some_and(|word| !word.ends_with("days")) || at > 0 && is(at - 1, PREPOSITIONS));
        if each_day {
            self.all = true;
            self.take(at, at + 1);
        }
    }

    /// Takes in a word that says how much, and what it says it of.
    fn amounts(&mut self, words: &[String], at: usize) {
        let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| fits_any(word, list));
        let (each, all, whole) = (is(at, EACH), is(at, ALL), is(at, WHOLE));
        if is(at, SERIES) {
            let before = (0..at).rev().find(|before| !is(*before, DETERMINERS));
            let of = (before.map_or(0, |before| before + 1)..at).any(|at| is(at, OF));
            // "The series finale" is one thing.
            let of_name = words.get(at + 1).is_some_and(|word| is_name(word)) || is(at + 1, KINDS);
            let within =
                of_name || before.is_some_and(|before| is(before, PREPOSITIONS) || is(before, FROM) || is(before, TO));
            self.all |= !within && (!of || before.is_none_or(|before| is(before, CANCEL) || is(before, CHANGE)));
            return self.take(at, at + 1);
        }
        if is(at, EVERYTHING) {
            self.all |= of_verb(words, at) && !is(at + 1, NO_THINGS) && !is(at + 1, PREPOSITIONS);
            return self.take(at, at + 1);
        }
        if is(at, FUTURE) && (1..=2).any(|more| words.get(at + more).is_some_and(|word| is_many(word))) {
            self.future = true;
            self.head = words.get(at + 1).filter(|word| is_name(word)).cloned();
            return self.take(at, at + 1);
        }
        if !(each || all || whole) {
            return;
        }
        self.take(at, at + 1);
        let mut thing = at + 1;
        while is(thing, DETERMINERS) || is(thing, FOLLOWING) || is(thing, FUTURE) {
            let follows = !is(thing, DETERMINERS);
            self.future |= follows && is_object(words, at);
            if follows {
                self.take(thing, thing + 1);
            }
            thing += 1;
        }
        let of_time = is(thing, SPANS) || words.get(thing).is_some_and(|word| is_date(word)) || is(thing, EACH_DAY);
        if is(thing, NUMBERS) {
            return self.take(thing, thing + 2);
        }
        if of_time {
            // "every Tuesday", "all Tuesdays"; not "all day", "the whole week".
            if each || all && is(thing, EACH_DAY) {
                self.all = true;
                self.take(thing, thing + 1);
            }
            return;
        }
        if !is_object(words, at) || is(thing, NO_THINGS) {
            return;
        }
        if is(thing, SERIES) {
            // "Tuesday's of the whole series" is one of it.
            let before = words.iter().take(at).rev().take_while(|word| fits_any(word, DETERMINERS));
            self.whole_series |= !before.into_iter().any(|word| fits_any(word, OF));
            return self.take(thing, thing + 1);
        }
        if each && is(thing, SINGLE) {
            self.take(thing, thing + 1);
        }
        let head = words.get(thing).filter(|word| is_name(word));
        let names = head.is_some() || is(thing, KINDS) || is(thing, PRONOUNS);
        self.all |= names || each && is(thing, SINGLE) || of_verb(words, at);
        self.head = head.cloned().or_else(|| self.head.take());
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

/// Returns a word in lower case, with the apostrophe that keyboards have.
fn plain(word: &str) -> String {
    word.to_lowercase().replace('\u{2019}', "'")
}

fn bare_words(text: &str) -> Vec<String> {
    tokens(text).iter().flat_map(|word| of_compound(bare(word))).collect()
}

/// Returns what a compound is made of whose last part is a kind of entry: "yoga-termine" are "termine" of "yoga".
fn of_compound(word: String) -> Vec<String> {
    match word.rsplit_once('-') {
        Some((name, kind)) if !name.is_empty() && fits_any(kind, KINDS) && !fits_any(&word, KINDS) => {
            vec![name.to_owned(), kind.to_owned()]
        }
        _ => vec![word],
    }
}

/// Tells whether an exception begins at a word: "except", "but for", "bis auf".
fn is_exception(words: &[String], at: usize) -> bool {
    let pair = |(first, second): &(&str, &str)| {
        words.get(at).is_some_and(|word| word == first) && words.get(at + 1).is_some_and(|word| word == second)
    };
    words.get(at).is_some_and(|word| fits_any(word, EXCEPT)) || EXCEPT_PAIRS.iter().any(pair)
}

/// Tells whether a time of day says which things are meant: "all meetings at 9"; that of a goal ("to 9") does not.
fn has_time(words: &[String]) -> bool {
    let stands =
        |word: &String| !fits_any(word, TO) && [PREPOSITIONS, FROM, &["um"]].iter().any(|list| fits_any(word, list));
    let mut pairs = words.iter().zip(words.iter().skip(1));
    pairs.any(|(word, next)| stands(word) && is_time(next))
}

/// Tells whether a part tells of others or of what is, instead of asking: "Ana wants to cancel all", "cancel the stand-up which
/// we have every day".
fn tells(words: &[String]) -> bool {
    let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| fits_any(word, list));
    let asks = |word: &String| {
        [CANCEL, CHANGE, ALL, EACH, WHOLE, EVERYTHING].iter().any(|list| fits_any(word, list))
            || APART.iter().any(|(stems, ..)| stems.contains(&word.as_str()))
    };
    let begins = words.iter().position(asks).unwrap_or(words.len());
    (0..words.len()).any(|at| {
        let other = words.get(at).is_some_and(|word| is_name(word)) && !is(at, OPENINGS) || is(at, OTHERS);
        let relative = is(at, RELATIVES) || is(at, &["that"]) && words.get(at + 1).is_some() && !is(at + 1, FOLLOWING);
        at < begins && other || at > begins && (is(at, STATES) || relative)
    })
}

/// Tells whether a reason or a condition begins at a word, which says nothing of how much; "as well" is none.
fn is_reason(words: &[String], at: usize) -> bool {
    let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| fits_any(word, list));
    (is(at, REASONS) || is(at, LIMITS)) && !(is(at, &["as"]) && is(at + 1, &["well"]))
}

/// Tells whether what a word says is said of the things of the verb, and not of whom or what they are with or for.
fn is_object(words: &[String], at: usize) -> bool {
    let before = words.iter().take(at).rev().find(|word| !fits_any(word, DETERMINERS));
    before.is_none_or(|before| !fits_any(before, PREPOSITIONS))
}

/// Tells whether a word stands behind its verb, or behind what stands for a thing: "cancel everything", "cancel them all".
fn of_verb(words: &[String], at: usize) -> bool {
    let before = words.iter().take(at).rev().find(|word| !fits_any(word, FILLERS));
    let is_first = |word: &String| APART.iter().any(|(stems, ..)| stems.contains(&word.as_str()));
    before.is_some_and(|word| {
        fits_any(word, CANCEL) || fits_any(word, CHANGE) || is_first(word) || fits_any(word, OBJECTS)
    })
}

/// Returns where a date ends that begins here, and whether there is one.
fn date_behind(words: &[String], from: usize) -> (usize, bool) {
    let (mut end, mut dated) = (from, false);
    for (at, word) in words.iter().enumerate().skip(from) {
        if is_date(word) || fits_any(word, SPANS) {
            (end, dated) = (at + 1, true);
        } else if is_number(word) {
            end = at + 1;
        } else if !fits_any(word, IN_DATES) {
            break;
        }
    }
    (end, dated)
}

fn fits_any(word: &str, list: &[&str]) -> bool {
    list.iter().any(|pattern| fits(word, pattern))
}

/// Returns a word without a "'s" behind it or an article that ran into it.
fn bare(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let article = word.split_once('\'').filter(|(article, rest)| {
        !rest.is_empty() && ["l", "d", "n", "qu", "j", "s", "m", "t", "c"].contains(article) && !rest.starts_with('i')
    });
    article.map_or(word, |(_, rest)| rest).to_owned()
}

/// Tells whether a word is of a date: a day, a month, `2026-11-24`, `24.11`, `24th`.
fn is_date(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let written = word.starts_with(|c: char| c.is_ascii_digit())
        && (1..=8).contains(&digits)
        && (word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) && digits < word.len()
            || ["st", "nd", "rd", "th", "er"].iter().any(|end| word.strip_suffix(end).is_some_and(is_number)));
    written || fits_any(word, DAYS) || fits_any(word, RELATIVE) || fits_any(word, MONTHS) || word == "aujourd'hui"
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tells whether a word is of many: English and French ones end so.
fn is_many(word: &str) -> bool {
    word.len() > 2 && word.ends_with('s') || word == "termine" || word == "treffen"
}

/// Tells whether a word names something.
fn is_name(word: &str) -> bool {
    let lists = [
        ALL,
        ALTOGETHER,
        DETERMINERS,
        EACH,
        EACH_DAY,
        EVERYTHING,
        FILLERS,
        FOLLOWING,
        FROM,
        FUTURE,
        HENCEFORTH,
        IN_DATES,
        KINDS,
        MOMENTS,
        NUMBERS,
        ON,
        PREPOSITIONS,
        PRONOUNS,
        REST,
        SERIES,
        SINGLE,
        SPANS,
        STARTING,
        TO,
        WHOLE,
        CANCEL,
        CHANGE,
    ];
    let of_verb = |word| APART.iter().any(|(stems, particle, ..)| stems.contains(&word) || *particle == word);
    !is_date(word) && !is_time(word) && !of_verb(word) && !lists.into_iter().any(|list| fits_any(word, list))
}

/// Tells whether a word is a number or a time of day, such as `10`, `3pm`, `15h30`.
fn is_time(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && word.trim_start_matches(|c: char| c.is_ascii_digit()).len() <= 3
}

/// Tells whether two words are the same, but for their endings and hyphens.
fn same(one: &str, other: &str) -> bool {
    let plain = |word: &str| word.replace(['-', '.'], "");
    let (one, other) = (plain(one), plain(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let ending = long.len() - short.len();
    short == long || long.starts_with(&short) && (short.len() >= SAME_STEM && ending <= 2 || short.len() >= COMPOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cancels(task: &str, title: &str) -> Reach {
        Reaches::of(task).meant(Verb::Cancel, title)
    }

    #[test]
    fn a_reach_is_read_of_the_entry_that_the_verb_is_about() {
        use Reach::{All, Following, One};
        for (task, title, reach) in [
            ("cancel Wednesday's meeting", "Team meeting", One),
            ("answer all my mails and cancel Tuesday's stand-up", "Stand-up", One),
            ("Cancel Tuesday's stand-up and answer all my mails", "Stand-up", One),
            ("Cancel the stand-up, then read all new mail.", "Stand-up", One),
            ("Cancel Tuesday's stand-up. All my mails need an answer", "Stand-up", One),
            ("Cancel Tuesday's stand-up. All meetings are a pain.", "Stand-up", One),
            ("cancel the stand-up for all participants", "Stand-up", One),
            ("cancel the stand-up with everyone in all calendars", "Stand-up", One),
            ("cancel all my meetings on Tuesday", "Team meeting", One),
            ("cancel all the meetings of this week", "Team meeting", One),
            ("cancel the weekly stand-up on Tuesday", "Stand-up", One),
            ("cancel the weekly stand-up", "Stand-up", One),
            ("cancel one of the series", "Stand-up", One),
            ("cancel the all day event", "Fair", One),
            ("cancel the stand-up every two weeks", "Stand-up", One),
            ("cancel the meeting from Ana on Tuesday", "Ana", One),
            ("cancel Tuesday's meeting from 10 to 12", "Meeting", One),
            ("cancel Tuesday's stand-up, not all of them", "Stand-up", One),
            ("do not cancel all stand-ups", "Stand-up", One),
            ("read all mails; cancel nothing", "Stand-up", One),
            ("cancel all yoga classes", "Team meeting", One),
            ("cancel all yoga classes and Tuesday's stand-up", "Stand-up", One),
            ("cancel all yoga classes and Tuesday's stand-up", "Yoga class", All),
            ("cancel Tuesday's stand-up and the whole yoga series", "Yoga", All),
            ("cancel Tuesday's stand-up and the whole yoga series", "Stand-up", One),
            ("Cancel Tuesday's stand-up. Look at the yoga series and cancel all of it.", "Stand-up", One),
            ("Cancel Tuesday's stand-up. Look at the yoga series and cancel all of it.", "Yoga", All),
            ("cancel Tuesday's stand-up and that is all", "Stand-up", One),
            ("cancel the stand-up, that's all", "Stand-up", One),
            ("first of all cancel the stand-up", "Stand-up", One),
            ("all right cancel the stand-up", "Stand-up", One),
            ("cancel the stand-up after all", "Stand-up", One),
            ("cancel all remaining meetings today", "Meeting", One),
            ("cancel my upcoming meetings on Tuesday", "Meeting", One),
            ("cancel the stand-up at the beginning of next week", "Stand-up", One),
            ("cancel the stand-up of the series", "Stand-up", One),
            ("cancel the stand-up in the series", "Stand-up", One),
            ("cancel everything", "Stand-up", All),
            ("cancel the remaining stand-ups", "Stand-up", Following),
            ("Sag den Termin ab 10 Uhr am Dienstag ab", "Termin", One),
            ("Sag den Termin ab, das ist alles", "Termin", One),
            ("Sag bitte alles ab", "Termin", All),
            ("Annule tout de suite la réunion", "Réunion", One),
            ("Annule la réunion, c'est tout", "Réunion", One),
            ("Annule tout", "Réunion", All),
            ("cancel all stand-ups", "Daily stand-up", All),
            ("cancel the whole series", "Stand-up", All),
            ("please cancel the series", "Stand-up", All),
            ("On Tuesday, cancel the entire series", "Stand-up", All),
            ("cancel every stand-up", "Stand-up", All),
            ("cancel the stand-up every Tuesday", "Stand-up", All),
            ("cancel the stand-up on Tuesdays", "Stand-up", All),
            ("cancel it altogether", "Stand-up", All),
            ("cancel them all", "Stand-up", All),
            (
                "move this week's meeting to Thursday, cancel it from December on, and then cancel the whole series",
                "Team meeting",
                All,
            ),
            ("cancel the stand-up from December on", "Stand-up", Following),
            ("cancel the stand-up from now on", "Stand-up", Following),
            ("cancel Tuesday's stand-up and all that follow", "Stand-up", Following),
            ("cancel this stand-up and all following ones", "Stand-up", Following),
            ("cancel all future stand-ups", "Stand-up", Following),
            ("cancel Tuesday's stand-up and the rest", "Stand-up", Following),
            ("cancel the future strategy meeting", "Future strategy", One),
            ("cancel all stand-ups starting 2026-12-01", "Stand-up", Following),
            ("Sag den Termin am Dienstag ab", "Termin", One),
            ("Sag den Termin am Dienstag ab und beantworte alle Mails", "Termin", One),
            ("Sag alle Termine ab", "Termin", All),
            ("Sag alle Termine am Dienstag ab", "Termin", One),
            ("Sag die ganze Serie ab", "Yoga", All),
            ("Sag das Yoga jeden Dienstag ab", "Yoga", All),
            ("Sage bitte alle Stand-ups ab dem 1. Dezember ab", "Stand-up", Following),
            ("Sag den Stand-up am Dienstag und alle folgenden ab", "Stand-up", One),
            ("Sag den Stand-up ab Dezember ab", "Stand-up", Following),
            ("Sag den Termin um 10 Uhr für alle Teilnehmer ab", "Termin", One),
            ("Sag den Zahnarzttermin ab", "Zahnarzt", One),
            ("Annule la réunion de mardi et réponds à tous les mails", "Réunion", One),
            ("Annule toutes les réunions", "Réunion", All),
            ("Annule toutes les réunions de mardi", "Réunion", One),
            ("Annule la réunion à partir de décembre", "Réunion", Following),
            ("Annule la réunion de mardi et toutes les suivantes", "Réunion", Following),
            ("Annule la réunion chaque mardi", "Réunion", All),
            ("Annule toute la série", "Réunion", All),
        ] {
            assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
        }
    }

    #[test]
    fn a_reach_is_one_where_words_except_something() {
        use Reach::{All, Following, One};
        for (task, title, reach) in [
            ("Cancel all my meetings except yoga", "Yoga", One),
            ("Cancel all my meetings excepting yoga", "Yoga", One),
            ("Cancel all my meetings excluding yoga", "Yoga", One),
            ("Cancel all my meetings besides yoga", "Yoga", One),
            ("Cancel all my meetings other than yoga", "Yoga", One),
            ("Cancel all my meetings apart from yoga", "Yoga", One),
            ("Cancel all my meetings but for yoga", "Yoga", One),
            ("Cancel all my meetings but yoga", "Yoga", One),
            ("Cancel all but the last one", "Yoga", One),
            ("Cancel all my meetings, except yoga.", "Yoga", One),
            ("Cancel all my meetings. Except yoga.", "Yoga", One),
            ("Cancel all my meetings, not yoga", "Yoga", One),
            ("Cancel all my meetings. Do not cancel yoga.", "Yoga", One),
            ("Cancel all my meetings. Do not cancel yoga.", "Team meeting", All),
            ("Cancel all my meetings and keep yoga", "Yoga", One),
            ("Cancel all my meetings without yoga", "Yoga", One),
            ("Except for yoga, cancel all my meetings", "Yoga", One),
            ("Sag alle Termine außer Yoga ab", "Yoga", One),
            ("Sag alle Termine ausser Yoga ab", "Yoga", One),
            ("Sag alle Termine bis auf Yoga ab", "Yoga", One),
            ("Sag alle Termine ab, aber Yoga nicht", "Yoga", One),
            ("Annule toutes les réunions sauf le yoga", "Yoga", One),
            ("Annule toutes les réunions excepté le yoga", "Yoga", One),
            ("Annule toutes les réunions hormis le yoga", "Yoga", One),
            ("Cancel all my meetings", "Yoga", All),
            ("Cancel Tuesday's stand-up instead of the whole series", "Stand-up", One),
            ("Cancel the stand-up instead of the whole series", "Stand-up", One),
            ("Cancel the stand-up rather than the whole series", "Stand-up", One),
            ("Cancel only Tuesday's stand-up of the entire series", "Stand-up", One),
            ("Cancel the last stand-up of the entire series", "Stand-up", One),
            ("Sag den Stand-up am Dienstag statt der ganzen Serie ab", "Stand-up", One),
            ("Annule la réunion de mardi au lieu de toute la série", "Réunion", One),
            ("Annule seulement la réunion de toute la série", "Réunion", One),
            ("Cancel the whole series from December on", "Stand-up", Following),
            ("Cancel the second stand-up of the whole series", "Stand-up", One),
            ("Cancel my 10 o'clock of the whole series", "Stand-up", One),
            ("Cancel almost all stand-ups", "Stand-up", One),
            ("Cancel half of all stand-ups", "Stand-up", One),
            ("Sag fast alle Termine ab", "Termin", One),
            ("Annule presque toutes les réunions", "Réunion", One),
            ("Cancel all meetings at 9", "Team meeting", One),
            ("Cancel all meetings before 10", "Team meeting", One),
            ("Sag alle Termine um 10 Uhr ab", "Termin", One),
            ("Delete everything in the description of the stand-up", "Stand-up", One),
            ("Cancel Tuesday's stand-up or all of them", "Stand-up", One),
            ("Either cancel Tuesday's stand-up or cancel the whole series", "Stand-up", One),
            ("Maybe cancel the whole series", "Stand-up", One),
            ("Add a task: cancel all stand-ups", "Stand-up", One),
        ] {
            assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
        }
    }

    #[test]
    fn a_reach_is_not_read_of_reasons_nor_of_what_is_told() {
        use Reach::{All, Following, One};
        for (task, title, reach) in [
            ("Cancel the next stand-up because all developers are ill", "Stand-up", One),
            ("Cancel the stand-up because of Ana and all her meetings", "Stand-up", One),
            ("Cancel Tuesday's stand-up because I am away from Wednesday on", "Stand-up", One),
            ("Cancel the stand-up as all developers are ill", "Stand-up", One),
            ("Cancel all stand-ups until Friday", "Stand-up", One),
            ("Cancel all stand-ups unless Ana comes", "Stand-up", One),
            ("Cancel all car inspections", "Stand-up", One),
            ("Cancel all stand-ups because I am ill", "Stand-up", All),
            ("Cancel all the next stand-up", "Stand-up", One),
            ("Cancel this stand-up altogether", "Stand-up", One),
            ("Sag den nächsten Stand-up ab, weil alle krank sind", "Stand-up", One),
            ("Sag den Stand-up ab weil alle Entwickler krank sind", "Stand-up", One),
            ("Annule cette réunion car toutes les salles sont prises", "Réunion", One),
            ("Annule la prochaine réunion parce que tous sont malades", "Réunion", One),
            ("Cancel Tuesday's stand-up, we have it every week", "Stand-up", One),
            ("Cancel Tuesday's stand-up; we have it every day.", "Stand-up", One),
            ("Cancel Tuesday's stand-up and we have it every day", "Stand-up", One),
            ("Cancel Tuesday's stand-up but the rest can be as is", "Stand-up", One),
            ("Cancel Tuesday's stand-up and keep the rest", "Stand-up", One),
            ("Cancel Tuesday's stand-up, keep all the others", "Stand-up", One),
            ("Cancel Tuesday's stand-up: all that follow", "Stand-up", One),
            ("Sag den Stand-up am Dienstag ab, wir haben ihn jeden Tag", "Stand-up", One),
            ("Annule la réunion de mardi, on en a chaque jour", "Réunion", One),
            ("Cancel Tuesday's stand-up and all that follow as well", "Stand-up", Following),
            ("Cancel the stand-up (we have it every day)", "Stand-up", One),
            ("Cancel the stand-up which we have every day", "Stand-up", One),
            ("Cancel the stand-up that happens every Tuesday", "Stand-up", One),
            ("Cancel the stand-up (all developers are ill)", "Stand-up", One),
            ("Annule la réunion qui a lieu chaque mardi", "Réunion", One),
            ("Ana wants to cancel all stand-ups", "Stand-up", One),
            ("They cancel all stand-ups in December", "Stand-up", One),
            ("Should I move or cancel all stand-ups?", "Stand-up", One),
            ("Tell me how to cancel all stand-ups", "Stand-up", One),
            ("Soll ich alle Stand-ups absagen?", "Stand-up", One),
            ("Cancel the world series finale", "World series finale", One),
            ("Cancel the yoga series meeting", "Yoga", One),
            ("Could you please cancel all stand-ups", "Stand-up", All),
            ("I'd like you to cancel all stand-ups", "Stand-up", All),
            ("Kannst du bitte alle Stand-ups absagen", "Stand-up", All),
        ] {
            assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
        }
    }

    #[test]
    fn a_reach_is_not_bounded_by_an_excuse_nor_by_a_wish_of_silence() {
        use Reach::{All, Following, One};
        for (task, title, reach) in [
            ("Cancel the whole series, I can't make it", "Stand-up", All),
            ("Cancel the whole series, I can\u{2019}t make it any more.", "Stand-up", All),
            ("Cancel all stand-ups because I can't attend", "Stand-up", All),
            ("Cancel all stand-ups, we won't be able to come", "Stand-up", One),
            ("Cancel all stand-ups; unfortunately I cannot come", "Stand-up", All),
            ("I can't make it, cancel the whole series", "Stand-up", All),
            ("Cancel the stand-up from December on, I'm not going any more", "Stand-up", Following),
            ("Cancel the whole series and don't tell anyone", "Stand-up", All),
            ("Cancel the whole series without telling anyone", "Stand-up", All),
            ("Sag die ganze Serie ab, ich kann nicht kommen", "Yoga", All),
            ("Sag alle Yoga-Termine ab, ich schaffe es nicht mehr", "Yoga", All),
            ("Sag die ganze Serie ab, weil ich keine Zeit habe", "Yoga", All),
            ("Annule toute la s\u{e9}rie, je ne peux pas venir", "R\u{e9}union", All),
            ("Annule toutes les r\u{e9}unions parce que je ne peux plus y aller", "R\u{e9}union", All),
            ("Cancel Tuesday's stand-up, I can't make it", "Stand-up", One),
            ("Cancel the stand-up, I can't make it", "Stand-up", One),
            // A "not" of anything else may except something.
            ("Cancel all stand-ups, I can't make it on Tuesday", "Stand-up", One),
            ("Cancel all stand-ups I can't attend", "Stand-up", One),
            ("Cancel all stand-ups that I can't make", "Stand-up", One),
            ("Cancel all stand-ups which I cannot attend", "Stand-up", One),
            ("Cancel all my meetings, not yoga, I can't come", "Yoga", One),
            ("Cancel the whole series, I don't want Tuesday's cancelled", "Stand-up", One),
            ("Cancel the whole series, but not it", "Stand-up", One),
            ("Cancel all stand-ups, don't cancel the last", "Stand-up", One),
            ("Sag alle Termine ab, zu denen ich nicht kommen kann", "Yoga", One),
            ("Annule les r\u{e9}unions o\u{f9} je ne peux pas aller", "R\u{e9}union", One),
        ] {
            assert_eq!(cancels(task, title), reach, "{task} / {title}: {:#?}", Reaches::of(task));
        }
    }

    #[test]
    fn a_reach_of_mails_and_other_things_is_none_of_a_series() {
        for task in [
            "Delete all mails about yoga",
            "Delete all mails about the yoga session",
            "Delete all newsletters about yoga",
            "Delete all notes about yoga",
            "Delete all future notes about yoga",
            "Move all mails about yoga to the archive",
            "Move all files about yoga to the archive",
            "Cancel Tuesday's yoga and archive all mails about yoga",
            "Cancel Tuesday's yoga and unsubscribe me from all newsletters",
            "Lösche alle Mails über Yoga",
            "Supprime tous les courriels sur le yoga",
        ] {
            let read = Reaches::of(task);
            assert_eq!(read.meant(Verb::Cancel, "Yoga session"), Reach::One, "{task}: {read:#?}");
            assert_eq!(read.meant(Verb::Change, "Yoga session"), Reach::One, "{task}: {read:#?}");
            assert_eq!(read.meant(Verb::Cancel, "Stand-up"), Reach::One, "{task}: {read:#?}");
        }
    }

    #[test]
    fn a_reach_of_a_change_is_not_one_of_a_cancellation() {
        let task = "move all stand-ups to 10:00 and cancel Tuesday's yoga";
        let read = Reaches::of(task);
        assert_eq!(read.meant(Verb::Change, "Stand-up"), Reach::All);
        assert_eq!(read.meant(Verb::Cancel, "Stand-up"), Reach::One);
        assert_eq!(read.meant(Verb::Cancel, "Yoga"), Reach::One);
        for (task, reach) in [
            ("move the stand-up to Thursday", Reach::One),
            ("move all stand-ups to Thursday", Reach::All),
            ("move all stand-ups from Tuesday to Thursday", Reach::One),
            ("move the stand-up from Tuesday to Thursday", Reach::One),
            ("move the stand-up to 10 from December on", Reach::Following),
            ("move the stand-up from Tuesday on Zoom", Reach::One),
            ("Verschieb alle Stand-ups auf Donnerstag", Reach::All),
            ("Lege die Stand-ups ab Dienstag auf 10 Uhr um", Reach::Following),
            ("Déplace toutes les stand-up à jeudi", Reach::All),
            ("move the stand-up to 10 for all the guests and tell everyone", Reach::One),
        ] {
            assert_eq!(Reaches::of(task).meant(Verb::Change, "Stand-up"), reach, "{task}: {:#?}", Reaches::of(task));
        }
    }

    #[test]
    fn a_reach_of_very_many_words_is_read_in_bounded_room() {
        let many: String = (0..2_000).map(|at| format!("cancel thing{at} and ")).collect();
        let read = Reaches::of(&format!("{many} all stand-ups"));
        assert!(read.topics.len() <= MAX_TOPICS);
        assert_eq!(read.meant(Verb::Cancel, "Stand-up"), Reach::One, "what is beyond the bound asks");
    }
}
