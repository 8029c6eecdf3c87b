//! What a part of a clause says: what it is about, and how much of that.

use super::super::reach_words::{
    ALL, ALTOGETHER, DETERMINERS, EACH, EACH_DAY, EVERYTHING, FILLERS, FOLLOWING, FROM, FUTURE, HENCEFORTH, KINDS,
    MOMENTS, NO_THINGS, NUMBERS, OF, ON, POINTING, PREPOSITIONS, PRONOUNS, REST, SERIES, SINGLE, SPANS, STARTING, TO,
    WHOLE,
};
use super::super::words::{CANCEL, CHANGE};
use super::Reach;
use super::token::{date_behind, fits_any, has_time, is_date, is_many, is_name, is_number, is_object, of_verb};

/// What a part of a clause says.
pub(super) struct Part {
    pub(super) names: Vec<String>,
    pub(super) kinds: Vec<String>,
    pub(super) head: Option<String>,
    pub(super) reach: Reach,
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
    pub(super) fn read(words: &[String]) -> Self {
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
