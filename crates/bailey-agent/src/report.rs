//! What the person is told at the end of a planned task, put together so that nothing in it is invented: senders and
//! quotations are what was read, and a model's own sentences are held against it.

use crate::planned::{KINDS, Mail, Planned, address_of, looks};
use bailey_gate::intent::tokens;

/// Characters of a mail that are quoted.
const MAX_QUOTE_CHARS: usize = 160;
/// Characters of what became of a step: a question with its readings fits.
const MAX_RESULT_CHARS: usize = 600;

/// Returns a report on the mail that was read.
pub(crate) fn of_mail(planned: &Planned) -> String {
    let acts = |mail: &&Mail| KINDS.iter().any(|(kind, acts)| *acts && mail.kind.as_deref() == Some(kind));
    let (needing, rest): (Vec<&Mail>, Vec<&Mail>) = planned.mails.iter().partition(acts);
    let mut lines = Vec::new();
    if needing.is_empty() {
        lines.push("None of the mail I read seems to need you.".to_owned());
    } else {
        lines.push("This needs you:".to_owned());
        lines.extend(needing.into_iter().map(line));
    }
    if !rest.is_empty() {
        lines.push("This seems to need nothing:".to_owned());
        lines.extend(rest.into_iter().map(line));
    }
    lines.extend(outcomes(planned.results.iter().filter(|(tool, found)| !is_found(tool, found))));
    lines.join("\n")
}

/// Tells whether a result is what a look found, which a small model asked for on its way, and no word about what became of it.
fn is_found(tool: &str, result: &str) -> bool {
    looks(tool) && serde_json::from_str::<serde_json::Value>(result).is_ok_and(|found| found.is_object())
}

/// Returns a report on the steps that write.
pub(crate) fn of_steps(planned: &Planned) -> String {
    outcomes(planned.results.iter()).join("\n")
}

fn line(mail: &Mail) -> String {
    let kind = mail.kind.as_deref().unwrap_or("not judged");
    let quoted = quote(&mail.text, MAX_QUOTE_CHARS);
    format!("- {}, \u{201c}{}\u{201d} ({kind}): \u{201c}{quoted}\u{201d}", mail.from, mail.subject.trim())
}

/// Returns the beginning of a text on one line.
fn quote(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(most).collect();
    if cut.len() < line.len() { format!("{cut}\u{2026}") } else { cut }
}

/// Returns what became of the steps that write, and of looks that failed.
fn outcomes<'a>(all: impl Iterator<Item = &'a (String, String)>) -> Vec<String> {
    // What a model would be told to ask, the person is asked.
    let told = |result: &str| quote(&bailey_dates::asked_of_person(result), MAX_RESULT_CHARS);
    all.map(|(tool, result)| format!("{}: {}", named(tool), told(result))).collect()
}

fn named(tool: &str) -> &str {
    match tool {
        "mail_send" | "mail_reply" => "The mail I wrote",
        "mail_draft" => "The draft",
        "mail_search" | "mail_read" => "Looking at your mail",
        "calendar_read" => "Looking at your calendar",
        "calendar_create" | "calendar_change" | "calendar_cancel" => "Your calendar",
        "mail_move" | "mail_archive" | "mail_trash" => "Moving mail",
        "mail_mark" | "mail_label" => "Marking mail",
        "mail_unsubscribe" => "Leaving the mailing list",
        "memory_write" => "The note",
        other => other,
    }
}

/// Returns a model's own words, with a warning where they name a number or an address that stands nowhere in what it was given.
pub(crate) fn checked(words: &str, task: &str, planned: &Planned) -> String {
    let mut given = vec![task.to_owned()];
    given.extend(planned.mails.iter().map(|mail| format!("{} {} {}", mail.from, mail.subject, mail.text)));
    given.extend(planned.entries.iter().map(|entry| {
        // Calendars write 20261124T150000; people and models write its parts.
        let digits: String = format!("{} {}", entry.begins, entry.ends);
        format!("{} {digits} {}", entry.what, parts(&digits))
    }));
    given.extend(planned.results.iter().map(|(_, result)| result.clone()));
    let given: std::collections::BTreeSet<String> = given.iter().flat_map(|text| pieces(text)).collect();
    let telling = |word: &String| word.contains('@') || word.chars().any(|c| c.is_ascii_digit());
    let invented: Vec<String> =
        pieces(words).into_iter().filter(telling).filter(|word| !given.contains(word)).collect();
    let mut out =
        vec![if words.is_empty() { "(The model ended without saying anything.)".to_owned() } else { words.to_owned() }];
    if !invented.is_empty() {
        out.push(format!("(I could not find this in what was read, so do not rely on it: {}.)", invented.join(", ")));
    }
    out.extend(outcomes(planned.results.iter()).into_iter().filter(|line| !words.contains(line.as_str())));
    out.join("\n")
}

/// Returns words, and the addresses in them, as they are compared.
fn pieces(text: &str) -> Vec<String> {
    let cut = text.replace([':', '-', '/', 'T'], " ");
    let mut out = tokens(&cut);
    out.extend(text.split_whitespace().filter(|word| word.contains('@')).map(|word| address_of(word).to_lowercase()));
    out.iter().map(|word| word.trim_start_matches('0').to_owned()).collect()
}

/// Returns year, month, day, hour and minute of calendar moments.
fn parts(digits: &str) -> String {
    let moments = digits.split(|c: char| !c.is_ascii_alphanumeric());
    let part = |text: &str, from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    let all = moments.map(|m| [part(m, 0, 4), part(m, 4, 6), part(m, 6, 8), part(m, 9, 11), part(m, 11, 13)].join(" "));
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::times::Entry;

    #[test]
    fn what_stands_nowhere_is_pointed_out() {
        let mut planned = Planned::new(vec![]);
        planned.entries.push(Entry {
            what: "Dentist".into(),
            begins: "20261124T150000".into(),
            ends: "20261124T160000".into(),
            free: false,
            off_by: 0,
        });
        let words = |text: &str| checked(text, "Am I free on Tuesday?", &planned);
        for true_words in ["You have the dentist from 15:00 to 16:00.", "On 2026-11-24 you are busy.", "Yes."] {
            assert_eq!(words(true_words), true_words);
        }
        assert!(words("You meet Bob at 17:30.").contains("do not rely on it: 17, 30"));
        assert!(words("Write to bob@x.example.").contains("bob@x.example"));
    }
}
