//! What a small model says over and over: taken out of its text before anybody is shown it.
//!
//! Nothing is put in but a full stop. Only what is the same word for word, right behind itself, goes; what says another time, day or name
//! stays.

use serde_json::Value;

/// Words that are looked at; what lies behind them stays as it is. A planned answer has some 400.
const MAX_WORDS: usize = 20_000;
/// Most sentences that a round goes over before it begins anew.
const MAX_ROUND: usize = 6;
/// Fewest words of what counts as said again: "Yes. Yes." is how people speak.
const MIN_WORDS: usize = 3;
/// Most words of a part of a sentence that goes on without an end, and how often it has to stand there.
const MAX_PART: usize = 20;
const MIN_TIMES: usize = 3;
/// Words that lead on to nothing at the end of a text.
const LEADS_ON: [&str; 12] = ["and", "or", "but", "then", "und", "oder", "aber", "dann", "et", "ou", "mais", "puis"];

/// A piece of a text: where it lies, and its words as they are compared.
struct Piece<'a> {
    text: &'a str,
    words: Vec<String>,
}

/// Returns a text without what it says again and again, and whether there was any of that.
pub(crate) fn without(text: &str) -> (String, bool) {
    let sentences = of_sentences(text);
    let (left, again) = of_parts(&sentences);
    if left == text { (left, false) } else { (ended(&left, again), true) }
}

/// Takes it out of every text of a call's arguments. Arguments that were cut because a text said the same over and over are read as if it had
/// ended; what else cannot be read stays as it is.
pub(crate) fn in_arguments(filled: &str) -> String {
    let cleaned = |text: &str| {
        let Ok(Value::Object(mut object)) = serde_json::from_str(text) else { return None };
        let mut any = false;
        for value in object.values_mut() {
            let Value::String(said) = value else { continue };
            let (left, again) = without(said);
            any |= again;
            *said = left;
        }
        Some((any, Value::Object(object).to_string()))
    };
    let whole = cleaned(filled);
    let read = whole.or_else(|| cleaned(&format!("{}\"}}", filled.trim_end_matches('\\'))));
    read.filter(|(any, _)| *any).map_or_else(|| filled.to_owned(), |(_, left)| left)
}

/// Takes out rounds of whole sentences: "a. b. a. b. a." is "a. b.".
fn of_sentences(text: &str) -> String {
    let mut kept: Vec<Piece<'_>> = Vec::new();
    let (mut words, mut at) = (0, 0);
    for sentence in sentences(text) {
        at += sentence.len();
        let piece = Piece { text: sentence, words: compared(sentence) };
        words += piece.words.len();
        kept.push(piece);
        let rounds = (1..=MAX_ROUND.min(kept.len() / 2)).find(|round| is_round(&kept, *round));
        if let Some(round) = rounds {
            kept.truncate(kept.len() - round);
        }
        if words > MAX_WORDS {
            break;
        }
    }
    // What was cut within a sentence that begins as one before it does.
    let cut = kept.last().is_some_and(|last| {
        let before = kept.get(..kept.len() - 1).unwrap_or_default();
        let is_cut = !last.text.trim_end().ends_with(['.', '!', '?', ':']);
        is_cut && last.words.len() >= MIN_WORDS && before.iter().any(|one| begins_with(&one.words, &last.words))
    });
    if cut {
        kept.pop();
    }
    let left: String = kept.iter().map(|piece| piece.text).collect();
    left + text.get(at..).unwrap_or_default()
}

/// Tells whether the last sentences are those before them, once more.
fn is_round(kept: &[Piece<'_>], round: usize) -> bool {
    let Some(from) = kept.len().checked_sub(2 * round) else { return false };
    let (before, now) = kept.get(from..).unwrap_or_default().split_at(round);
    let words: usize = now.iter().map(|piece| piece.words.len()).sum();
    words >= MIN_WORDS && before.iter().zip(now).all(|(one, other)| one.words == other.words)
}

/// Tells whether words begin with others, the last of which may be cut.
fn begins_with(words: &[String], others: &[String]) -> bool {
    let Some((last, first)) = others.split_last() else { return false };
    words.starts_with(first) && words.get(first.len()).is_some_and(|word| word.starts_with(last.as_str()))
}

/// Takes out parts of a sentence that stand there three times and more: "and I am free and I am free and I am free". Tells whether the last
/// words of the text went.
fn of_parts(text: &str) -> (String, bool) {
    let mut words: Vec<(&str, String)> =
        text.split_inclusive(char::is_whitespace).map(|word| (word, bare(word))).collect();
    let rest = if words.len() > MAX_WORDS { words.split_off(MAX_WORDS) } else { Vec::new() };
    let (mut kept, mut at, mut at_end): (Vec<&str>, usize, bool) = (Vec::new(), 0, false);
    while at < words.len() {
        let (length, times) = times_there(&words, at);
        if times < MIN_TIMES {
            kept.extend(words.get(at).map(|(word, _)| *word));
            at += 1;
            continue;
        }
        kept.extend(words.iter().skip(at).take(length).map(|(word, _)| *word));
        at += length * times;
        // A last one that was cut.
        let left: Vec<String> = words.iter().skip(at).take(length).map(|(_, word)| word.clone()).collect();
        let part: Vec<String> = words.iter().skip(at - length).take(length).map(|(_, word)| word.clone()).collect();
        if rest.is_empty()
            && at + left.len() == words.len()
            && left.len() < length
            && !left.is_empty()
            && begins_with(&part, &left)
        {
            at = words.len();
        }
        at_end = at == words.len() && rest.is_empty();
    }
    kept.extend(rest.iter().map(|(word, _)| *word));
    (kept.concat(), at_end)
}

/// Returns the length of a part that begins at a word, and how often it stands there: the shortest that stands there often enough.
fn times_there(words: &[(&str, String)], at: usize) -> (usize, usize) {
    let same =
        |one: usize, other: usize| matches!((words.get(one), words.get(other)), (Some((_, a)), Some((_, b))) if a == b);
    for length in MIN_WORDS..=MAX_PART {
        let mut times = 1;
        while (0..length).all(|word| same(at + word, at + times * length + word)) {
            times += 1;
        }
        if times >= MIN_TIMES {
            return (length, times);
        }
    }
    (1, 1)
}

/// Ends a text whose end went: without words that lead on, and with a full stop.
fn ended(text: &str, cut: bool) -> String {
    let mut text = text.trim_end().to_owned();
    let leads_on = |text: &str| {
        text.rsplit(char::is_whitespace).next().is_some_and(|last| LEADS_ON.contains(&bare(last).as_str()))
    };
    while cut && (leads_on(&text) || text.ends_with([',', ';'])) {
        let end = text.rfind(char::is_whitespace).filter(|_| leads_on(&text)).unwrap_or(text.len() - 1);
        text.truncate(end);
        text.truncate(text.trim_end().len());
    }
    if cut && text.ends_with(char::is_alphanumeric) {
        text.push('.');
    }
    text
}

/// Parts a text behind the ends of its sentences and lines; together they are all of it.
fn sentences(text: &str) -> Vec<&str> {
    let (mut out, mut from) = (Vec::new(), 0);
    let mut letters = text.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        let blank = |next: Option<&(usize, char)>| next.is_none_or(|(_, next)| next.is_whitespace());
        if !(c == '\n' || ".!?".contains(c) && blank(letters.peek())) {
            continue;
        }
        let mut until = at + c.len_utf8();
        while let Some((at, c)) = letters.next_if(|(_, c)| c.is_whitespace()) {
            until = at + c.len_utf8();
        }
        out.extend(text.get(from..until));
        from = until;
    }
    out.extend(text.get(from..).filter(|rest| !rest.is_empty()));
    out
}

fn compared(text: &str) -> Vec<String> {
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

/// Returns a word as it is compared: in lower case, without what stands around it.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_is_taken_out_and_the_text_ends_whole() {
        let free = "I am free on all other days. ";
        for (said, left) in [
            (format!("Tuesday works. {}", free.repeat(12)), "Tuesday works. I am free on all other days."),
            (
                format!("Tuesday works. {}I am free on all oth", free.repeat(3)),
                "Tuesday works. I am free on all other days.",
            ),
            (format!("{free}Does that suit you? ").repeat(5), "I am free on all other days. Does that suit you?"),
            ("Ja, das passt mir gut.\nJa, das passt mir gut.\nBis dann".into(), "Ja, das passt mir gut.\nBis dann"),
            (
                format!("Tuesday works{}", ", and I am free on all other days".repeat(9)),
                "Tuesday works, and I am free on all other days.",
            ),
            ("I am free and I am free and I am free and I am fr".into(), "I am free."),
            ("je suis libre lundi et ".repeat(4), "je suis libre lundi."),
            (format!("{}Bye.", "we can meet then and ".repeat(4)), "we can meet then and Bye."),
        ] {
            assert_eq!(without(&said), (left.to_owned(), true), "{said}");
        }
    }

    #[test]
    fn repetition_is_none_where_something_else_is_said() {
        for said in [
            "",
            "Yes. Yes. Tuesday at 15:00 works.",
            "I am free on Monday at 10:00. I am free on Monday at 11:00. I am free on Tuesday at 10:00.",
            "Monday: free.\nTuesday: free.\nWednesday: free.",
            "No, no, no. That is Ana's, and that is Tom's.",
            "  It costs 3.50 and 3.50 and 3.50 \n\n",
            "I am free on Tuesday. Ana is not. I am free on Tuesday, though.",
        ] {
            assert_eq!(without(said), (said.to_owned(), false));
        }
    }

    #[test]
    fn repetition_is_looked_for_in_bounded_time_and_whatever_is_said_stays_a_part_of_it() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let words = ["a", "b c", "Free.", "am!", "\n", "é", "\u{200b}", "and", ",", "10:00"];
            let said: String = (0..rng.usize(..60)).map(|_| format!("{} ", words[rng.usize(..words.len())])).collect();
            let (left, _) = without(&said);
            let mut there = said.chars();
            // Every letter of it stood there, in this order, but for a full stop at the end.
            let body = left.strip_suffix('.').unwrap_or(&left);
            assert!(body.chars().all(|c| there.any(|other| other == c)), "{said:?}: {left:?}");
        }
        let many = "I am free on all other days and ".repeat(2_000);
        assert_eq!(without(&many).0, "I am free on all other days.");
        let more = without(&"I am free on all other days and ".repeat(100_000));
        assert!(more.1, "what is beyond the bound stays");
    }

    #[test]
    fn repetition_is_taken_out_of_arguments_and_what_it_cut_off_is_read() {
        let free = "I am free on all other days. ";
        let whole = format!(r#"{{"subject":"Tuesday","body":"Yes. {}"}}"#, free.repeat(4));
        let cut = format!(r#"{{"subject":"Tuesday","body":"Yes. {}I am fr"#, free.repeat(4));
        let wanted = serde_json::json!({"subject": "Tuesday", "body": "Yes. I am free on all other days."});
        let read = |filled: &str| serde_json::from_str::<Value>(&in_arguments(filled)).unwrap();
        assert_eq!((read(&whole), read(&cut)), (wanted.clone(), wanted));
        for same in ["", "{", "null", r#"{"body":"Half a sen"#, r#"{"body":"Yes.","n":3}"#, r#"["a"]"#] {
            assert_eq!(in_arguments(same), same);
        }
    }
}
