//! Makes a conversation fit into what a model holds, after it was screened: long results are shown by page, and where all of it is too
//! much, old results are shortened first. The person's words never are, nobody's words become another's, and no model summarises
//! anything.

use std::fmt::Write as _;

use crate::Message;

/// The tool that reads on in a result, by its number and page. The agent answers it itself: it reads what the task read before.
pub const READ_ON: &str = "result_read";

/// Bytes of a result that are shown at once: a long mail, or thirty in a list.
const PAGE_BYTES: usize = 16_000;
/// Fewest bytes of a page, however little a model holds.
const LEAST_PAGE_BYTES: usize = 1_500;
/// Bytes before the end of a page that a word may take.
const LONGEST_WORD_BYTES: usize = 200;
/// Bytes that are left of an old result, or of old words of the model's, where room is wanted.
const SHORT_BYTES: usize = 400;
/// Old results are shortened by so many at once, so that what a provider keeps of a request's beginning holds for some requests.
const AT_ONCE: usize = 4;

/// Cuts what is too long, then what is too much: more than `room` bytes in all.
pub(crate) fn fit(messages: &mut [Message], room: usize) {
    let page = PAGE_BYTES.min(room / 4).max(LEAST_PAGE_BYTES);
    for message in messages.iter_mut() {
        if let Message::Result { text, shown, .. } = message
            && shown.number > 0
        {
            *text = page_of(text, shown.page, shown.number, page);
        }
    }
    if size(messages) <= room {
        return;
    }
    // Everything but what came of the model's last turn.
    let last = messages.iter().rposition(|message| matches!(message, Message::Model { .. })).unwrap_or(0);
    let (old, fresh) = messages.split_at_mut(last);
    let goal = (room / 4 * 3).saturating_sub(size(fresh));
    for left in [SHORT_BYTES, 0] {
        shorten(old, goal, |message| match message {
            Message::Result { text, shown, .. } if shown.number > 0 => Some(shortened(text, shown.number, left)),
            Message::Result { .. } | Message::System(_) | Message::Person(_) | Message::Asked(_) => None,
            Message::Model { .. } | Message::Found { .. } | Message::Noted(_) => None,
        });
    }
    shorten_own(old, goal);
    if size(old).saturating_add(size(fresh)) > room {
        let goal = room.saturating_sub(size(old));
        shorten(fresh, goal, |message| match message {
            Message::Result { text, shown, .. } if shown.number > 0 => {
                Some(shortened(text, shown.number, LEAST_PAGE_BYTES))
            }
            _ => None,
        });
    }
}

/// Shortens the oldest first, until all of them come to `goal` bytes.
fn shorten(messages: &mut [Message], goal: usize, short: impl Fn(&Message) -> Option<String>) {
    let (mut left, mut done) = (size(messages), 0);
    for message in messages {
        if left <= goal && done % AT_ONCE == 0 {
            return;
        }
        let Some(new) = short(message) else { continue };
        if let Message::Result { text, .. } = message
            && new.len() < text.len()
        {
            left = left.saturating_sub(text.len() - new.len());
            *text = new;
            done += 1;
        }
    }
}

/// Shortens what the model said and wanted before, until all comes to `goal` bytes.
fn shorten_own(messages: &mut [Message], goal: usize) {
    let mut left = size(messages);
    for message in messages {
        if left <= goal {
            return;
        }
        let before = size_of(message);
        if let Message::Model { text, calls, .. } = message {
            if text.len() > SHORT_BYTES {
                *text = format!("{} [\u{2026}]", start(text, SHORT_BYTES));
            }
            for call in calls.iter_mut().filter(|call| call.arguments.len() > SHORT_BYTES) {
                call.arguments = r#"{"left_out":"to save room"}"#.into();
            }
        }
        left = left.saturating_sub(before.saturating_sub(size_of(message)));
    }
}

/// Returns a page of a text, counted from 1, and how to read on.
fn page_of(text: &str, page: usize, number: usize, bytes: usize) -> String {
    let pages = text.len().div_ceil(bytes).max(1);
    if pages == 1 && page <= 1 {
        return text.to_owned();
    }
    let page = page.max(1);
    if page > pages {
        return format!("Result {number} has {pages} page(s); there is no page {page}.");
    }
    // A page ends behind a word where one ends nearby.
    let place = |at: usize| {
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        if at == text.len() {
            return at;
        }
        let line = text.get(..at).unwrap_or_default();
        line.rfind([' ', '\n']).map(|space| space + 1).filter(|end| at - end < LONGEST_WORD_BYTES).unwrap_or(at)
    };
    let mut out = text.get(place((page - 1) * bytes)..place(page * bytes)).unwrap_or_default().to_owned();
    let _ = write!(out, "\n[Page {page} of {pages} of result {number}.");
    if page < pages {
        let _ = write!(out, " Read on: {READ_ON} {{\"result\": {number}, \"page\": {}}}", page + 1);
    }
    out.push(']');
    out
}

/// Returns what is left of a result, and how to read it again.
fn shortened(text: &str, number: usize, left: usize) -> String {
    let begins = start(text, left);
    let dots = if begins.is_empty() { "" } else { " [\u{2026}]\n" };
    format!("{begins}{dots}[Left out to save room. Read it again: {READ_ON} {{\"result\": {number}, \"page\": 1}}]")
}

fn start(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn size(messages: &[Message]) -> usize {
    messages.iter().map(size_of).fold(0, usize::saturating_add)
}

fn size_of(message: &Message) -> usize {
    match message {
        Message::System(text) | Message::Person(text) | Message::Noted(text) | Message::Asked(text) => text.len(),
        Message::Result { text, .. } | Message::Found { text, .. } => text.len(),
        Message::Model { text, calls, thoughts } => {
            let calls: usize = calls.iter().map(|call| call.name.len() + call.arguments.len()).sum();
            let thoughts: usize = thoughts.iter().map(|thought| thought.raw.to_string().len()).sum();
            text.len() + calls + thoughts
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Shown, ToolCall};

    fn result(number: usize, page: usize, text: String) -> Message {
        Message::Result { call: format!("c{number}"), tool: "mail_read".into(), text, shown: Shown { number, page } }
    }

    fn text(message: &Message) -> &str {
        let Message::Result { text, .. } = message else { panic!("{message:?}") };
        text
    }

    #[test]
    fn pages_hold_all_of_a_result_and_say_how_to_read_on() {
        let whole: String = (0..9_000).map(|n| format!("{n} \u{fc}, ")).collect();
        let (mut read, mut page) = (String::new(), 1);
        loop {
            let mut one = [result(7, page, whole.clone())];
            fit(&mut one, 1_000_000);
            let (body, trailer) = text(&one[0]).rsplit_once("\n[").unwrap();
            read.push_str(body);
            page += 1;
            if !trailer.contains(&format!("result_read {{\"result\": 7, \"page\": {page}}}")) {
                break;
            }
        }
        assert_eq!(read, whole);
        let mut beyond = [result(7, page, whole)];
        fit(&mut beyond, 1_000_000);
        assert!(text(&beyond[0]).contains("there is no page"));
    }

    #[test]
    fn old_results_go_first_and_the_persons_words_never() {
        let words = "w".repeat(30_000);
        let call = |n: usize| ToolCall { id: format!("c{n}"), name: "mail_read".into(), arguments: "{}".into() };
        let mut messages = vec![Message::System("s".into()), Message::Person(words.clone())];
        for n in 1..=20 {
            messages.push(Message::Model { text: String::new(), calls: vec![call(n)], thoughts: Vec::new() });
            messages.push(result(n, 0, format!("{n} {}", "x".repeat(8_000))));
        }
        let labels = |messages: &[Message]| messages.iter().map(std::mem::discriminant).collect::<Vec<_>>();
        let before = labels(&messages);
        fit(&mut messages, 100_000);
        assert!(size(&messages) <= 100_000);
        assert_eq!(labels(&messages), before, "who wrote what stays");
        assert_eq!(messages[1], Message::Person(words));
        assert!(text(&messages[3]).contains("result_read {\"result\": 1, \"page\": 1}"));
        assert!(text(messages.last().unwrap()).len() > 8_000, "the newest is whole");
        let again = messages.clone();
        fit(&mut messages, 100_000);
        assert_eq!(messages, again);
    }
}
