//! Mail as others wrote it, as a model is told of it: as much as is told at once, in bounded time, and without harm to what runs beside.

use bailey_calendar::{Object, Series};
use bailey_gate::family::text::{Address, Line};
use bailey_message::{
    Addresses, Extracted, Fields, Mail, Mailbox, Outline, addresses, authentication, sender_is_proven,
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::cut::{before_cutting, beginning};

/// Bytes of a message that is fetched whole; of a larger one its text alone is.
pub(crate) const MAX_FETCHED: usize = 512 * 1024;
/// What is fetched of a message's header, whatever comes.
pub(crate) const HEADER: &str = "BODY.PEEK[HEADER]<0.65536>";
/// What is fetched of each message in a list: servers keep these fields at hand, and read the whole message for others.
pub(crate) const LISTED_FIELDS: &str = "BODY.PEEK[HEADER.FIELDS (FROM TO CC BCC SUBJECT DATE MESSAGE-ID)]<0.65536>";
/// The thread that takes a message apart. Where a library panics over one, that message cannot be read.
pub const PARSER: &str = "mail parser";
/// Stack of that thread, in bytes: parts are looked at to a depth that needs a small part of it.
const PARSER_STACK: usize = 8 * 1024 * 1024;
/// Characters of a text given to the model at once: with what else is told of a mail, it fits on one page of a result.
pub(crate) const MAX_TEXT_CHARS: usize = 10_000;
/// Characters of one field that are told in a list, and people in it.
const MAX_FIELD_CHARS: usize = 1_000;
const MAX_PEOPLE: usize = 20;
/// Entries of one invitation that are told.
const MAX_INVITED: usize = 20;

/// What a message is read from.
pub(crate) enum Fetched {
    /// Its bytes, and whether they are all.
    Bytes(Vec<u8>, bool),
    /// Its parts, those that are text fetched.
    Parts(Box<Outline>),
}

/// Returns a message as the model reads it. Whatever it is, and however deep it nests, the home goes on.
#[must_use]
pub fn describe(bytes: &[u8]) -> Value {
    let whole = bytes.len() < MAX_FETCHED;
    on_a_thread(|| told(&bailey_message::read(bytes.get(..MAX_FETCHED).unwrap_or(bytes), whole), 0))
        .unwrap_or_else(|| json!({"trouble": "this message cannot be read as a mail"}))
}

/// Returns a message from so many characters of its text on, with what the account's own servers found out about its sender.
/// Invitations are told on the clock of `home`, where that is known.
pub(crate) fn describe_from(
    fetched: &Fetched,
    header: &[u8],
    own: &[String],
    from: usize,
    home: Option<&TimeZone>,
) -> Value {
    let read = || {
        let mail = match fetched {
            Fetched::Bytes(bytes, whole) => bailey_message::read(bytes, *whole),
            Fetched::Parts(outline) => outline.read(),
        };
        let mut value = told(&mail, from);
        let (fields, _) = Fields::split(header);
        let checked = authentication(&fields, own);
        for invitation in value.get_mut("invitations").and_then(Value::as_array_mut).into_iter().flatten() {
            on_the_clock(invitation, home);
        }
        if let Some(value) = value.as_object_mut() {
            if !checked.is_empty() {
                value.insert("checked_by_own_server".into(), json!(checked));
            }
            value.insert("sender_proven".into(), json!(sender_is_proven(&fields, own)));
        }
        value
    };
    on_a_thread(read).unwrap_or_else(|| json!({"trouble": "this message cannot be read as a mail"}))
}

/// Puts the entries of an invitation, on the person's clock, in the place of its text, where it can be read whole.
fn on_the_clock(invitation: &mut Value, home: Option<&TimeZone>) {
    let (Some(home), Some(fields)) = (home, invitation.as_object_mut()) else { return };
    let text = fields.get("text").and_then(Value::as_str).unwrap_or_default();
    let Some(entries) = invited_by(text.as_bytes(), home).filter(|_| !fields.contains_key("cut")) else { return };
    fields.remove("text");
    fields.insert("entries".into(), entries);
}

/// Returns the entries that iCalendar text holds, on the person's clock; nothing where it, or one of them, cannot be read.
fn invited_by(text: &[u8], home: &TimeZone) -> Option<Value> {
    let object = Object::read(text).ok()?;
    let series = Series::all(&object);
    let events: Vec<_> = series.iter().flat_map(|series| series.events.iter()).collect();
    let readable = !events.is_empty() && series.iter().all(|series| series.unreadable.is_empty());
    let told = || events.iter().take(MAX_INVITED).map(|event| crate::calendar::told_event(event, home)).collect();
    readable.then(told)
}

/// Returns the text of a file, from so many characters on. The entries of a calendar are told on the clock of `home`, where that is known.
pub(crate) fn describe_file(
    bytes: &[u8],
    media: &str,
    name: Option<&str>,
    charset: Option<&str>,
    from: usize,
    home: Option<&TimeZone>,
) -> Value {
    let is_calendar = media.eq_ignore_ascii_case("text/calendar") || bytes.starts_with(b"BEGIN:VCALENDAR");
    let read = || {
        let mut told = match bailey_message::extract(bytes, media, name, charset) {
            Ok(Extracted { text, cut }) => page(json!({ "cut": cut, "text": text }), from),
            Err(why) => json!({ "no_text": why }),
        };
        let entries = home.filter(|_| is_calendar).and_then(|home| invited_by(bytes, home));
        if let (Some(told), Some(entries)) = (told.as_object_mut(), entries) {
            told.insert("entries".into(), entries);
        }
        told
    };
    on_a_thread(read).unwrap_or_else(|| json!({"no_text": "this file cannot be read"}))
}

/// Returns the whole text of a file, by its bytes and its name; nothing where it has none.
pub(crate) fn text_of_file(bytes: &[u8], name: &str) -> Option<String> {
    on_a_thread(|| bailey_message::extract(bytes, "", Some(name), None).ok().map(|read| read.text)).flatten()
}

/// Works on a thread of its own, which may fail alone.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().name(PARSER.into()).stack_size(PARSER_STACK);
        parser.spawn_scoped(scope, work).ok().and_then(|thread| thread.join().ok())
    })
}

fn told(mail: &Mail, from: usize) -> Value {
    let mut value = serde_json::to_value(mail).unwrap_or_default();
    if let Some(value) = value.as_object_mut() {
        value.insert("text".into(), json!(mail.text));
        if answers_elsewhere(mail) {
            value.insert("note".into(), json!("an answer goes to reply_to, which is not who the mail says it is from"));
        }
        // What says nothing is not told.
        value.retain(|name, value| {
            let says_nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            !says_nothing || matches!(name.as_str(), "from" | "to" | "attachments")
        });
        if mail.hidden == bailey_message::Hidden::default() {
            value.remove("hidden");
        }
        if mail.more_attachments == 0 {
            value.remove("more_attachments");
        }
    }
    page(value, from)
}

fn answers_elsewhere(mail: &Mail) -> bool {
    let is_author = |one: &Mailbox| mail.from.iter().any(|author| author.address.eq_ignore_ascii_case(&one.address));
    !mail.reply_to.is_empty() && !mail.reply_to.iter().all(is_author)
}

/// Returns what is told of a text with as much of that as is told at once, from so many characters on, and where to read on. What
/// does not fit is screened before it is cut, with all that stands around it; characters are counted in what is left then.
fn page(told: Value, from: usize) -> Value {
    let text_of = |told: &Value| told.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fits = from == 0 && text_of(&told).chars().count() <= MAX_TEXT_CHARS;
    let mut told = if fits { told } else { before_cutting(&told) };
    let text = text_of(&told);
    let of = text.chars().count();
    let shown: String = text.chars().skip(from).take(MAX_TEXT_CHARS).collect();
    let until = from.saturating_add(shown.chars().count());
    let Some(fields) = told.as_object_mut() else { return told };
    let cut_before = fields.get("cut").and_then(Value::as_array).is_some_and(|cut| !cut.is_empty());
    fields.insert("text_was_cut".into(), json!(until < of || cut_before));
    if until < of {
        fields.insert("read_on".into(), json!({ "from": until, "of": of }));
    }
    fields.insert("text".into(), json!(shown));
    told
}

/// Returns the people of a field, for a list.
pub(crate) fn people(fields: &Fields, name: &str) -> Vec<Mailbox> {
    let Addresses { mut all, .. } = addresses(fields, name);
    all.truncate(MAX_PEOPLE);
    all
}

/// Returns the people of a field as one line, each name quoted.
pub(crate) fn people_in_words(fields: &Fields, name: &str) -> String {
    let all: Vec<String> = people(fields, name).iter().map(ToString::to_string).collect();
    short(&all.join(", "))
}

/// Returns as much of a field as is told of.
pub(crate) fn short(field: &str) -> String {
    match field.char_indices().nth(MAX_FIELD_CHARS) {
        Some(_) => format!("{}…", beginning(field, MAX_FIELD_CHARS)),
        None => field.to_owned(),
    }
}

/// Tells whom a sent message went to. One that someone else wrote, and that lies in Sent by some accident, proves nothing.
pub fn recipients(header: &[u8], own: &str) -> Vec<(String, String)> {
    let (fields, _) = Fields::split(header);
    let from = addresses(&fields, "from");
    let author = from.all.first().map(|from| from.address.as_str());
    if !author.is_some_and(|author| author.eq_ignore_ascii_case(own)) {
        return Vec::new();
    }
    let lists = ["to", "cc", "bcc"].map(|name| addresses(&fields, name).all);
    let named = |one: &Mailbox| {
        let address = Address::new(&one.address).ok()?.key();
        let name = one.name.as_ref().and_then(|name| Line::new(name.trim()).ok());
        Some((address, name.map(|name| name.as_str().to_owned()).unwrap_or_default()))
    };
    lists.iter().flatten().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_in_other_encodings_is_read_as_text() {
        let japanese = b"From: =?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <y@example.org>\r\nSubject: x\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B;3ED\x1b(B\r\n";
        let shown = describe(japanese).to_string();
        assert!(shown.contains("\u{5c71}\u{7530}") && !shown.contains("\\u001b"), "{shown}");
        let latin = b"From: a@example.org\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n";
        assert!(describe(latin).to_string().contains("Gr\u{fc}\u{df}e"));
    }

    #[test]
    fn people_are_told_as_structure() {
        let mail = b"From: \"ana@example.org, Tom\" <tom@example.org>\r\nReply-To: service@example.org\r\n\r\nx";
        let told = describe(mail);
        assert_eq!(told["from"], json!([{"name": "ana@example.org, Tom", "address": "tom@example.org"}]));
        assert_eq!(told["reply_to"], json!([{"address": "service@example.org"}]));
        assert!(told["note"].as_str().unwrap().contains("reply_to"));
    }

    #[test]
    fn an_invitation_is_told_on_the_persons_clock_and_one_that_cannot_be_read_as_it_stands() {
        let told = |entry: &str| {
            let mail = format!(
                "From: jane@corp.example\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n\
                 METHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n{entry}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            );
            let home = TimeZone::get("Europe/Paris").unwrap();
            let fetched = Fetched::Bytes(mail.into_bytes(), true);
            describe_from(&fetched, b"", &[], 0, Some(&home))["invitations"][0].clone()
        };
        let plan = told(
            "SUMMARY:Plan\r\nDTSTART;TZID=America/New_York:20261208T090000\r\nDURATION:PT90M\r\nLOCATION:Room 2\r\n\
             ORGANIZER:mailto:jane@corp.example\r\nATTENDEE:mailto:ana@example.org\r\nRRULE:FREQ=WEEKLY;COUNT=3",
        );
        assert_eq!(
            plan,
            json!({"part": "1", "method": "REQUEST", "entries": [{
                "what": "Plan", "begins": "Tuesday 2026-12-08 15:00 +01:00", "ends": "Tuesday 2026-12-08 16:30 +01:00",
                "begins_in_its_own_zone": "Tuesday 2026-12-08 09:00 -05:00 in America/New_York",
                "ends_in_its_own_zone": "Tuesday 2026-12-08 10:30 -05:00 in America/New_York",
                "where": "Room 2", "repeats": "every week, 3 times", "organizer": "jane@corp.example", "guests": ["ana@example.org"],
            }]})
        );
        let day = told("SUMMARY:Trip\r\nDTSTART;VALUE=DATE:20261208\r\nDTEND;VALUE=DATE:20261210\r\nSTATUS:CANCELLED");
        assert_eq!(
            (&day["entries"][0]["ends"], &day["entries"][0]["status"]),
            (&json!("Wednesday 2026-12-09"), &json!("cancelled"))
        );
        for unreadable in ["SUMMARY:x\r\nDTSTART:nonsense", "SUMMARY:x"] {
            let told = told(unreadable);
            assert!(told["text"].as_str().unwrap().contains(unreadable.lines().last().unwrap()), "{told:#}");
        }
    }

    #[test]
    fn a_long_text_is_told_in_pieces_that_make_the_whole() {
        let text: String = (0..6_000).map(|number| format!("wört {number}\n")).collect();
        let mail = format!("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}").into_bytes();
        let fetched = Fetched::Bytes(mail, true);
        let (mut whole, mut from) = (String::new(), 0);
        loop {
            let told = describe_from(&fetched, b"", &[], from, None);
            let piece = told["text"].as_str().unwrap();
            assert!(piece.chars().count() <= 10_000, "what a model is told at once has an end");
            whole.push_str(piece);
            let Some(next) = told["read_on"]["from"].as_u64() else {
                assert_eq!(told["text_was_cut"], false);
                break;
            };
            assert_eq!(told["text_was_cut"], true);
            from = usize::try_from(next).unwrap();
        }
        assert_eq!(whole, text.trim_end());
    }

    #[test]
    fn a_page_of_a_text_shows_no_part_of_a_secret_wherever_it_begins_or_ends() {
        for at in (MAX_TEXT_CHARS - 30)..(MAX_TEXT_CHARS + 2) {
            let text = format!("{}\nmy password: limonata2024! today\n{}", "x".repeat(at), "y ".repeat(2_000));
            let mail = format!("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}").into_bytes();
            let fetched = Fetched::Bytes(mail, true);
            for from in [0, MAX_TEXT_CHARS, at + 5, at + 18] {
                let told = describe_from(&fetched, b"", &[], from, None).to_string();
                assert!(!told.contains("limo") && !told.contains("2024"), "at {at}, from {from}");
            }
        }
    }

    #[test]
    fn who_was_written_to_is_read_from_mail_of_the_person_alone() {
        let header = b"From: Me <me@example.org>\r\nTo: \"Doe, Jane\" <Jane@x.org>, =?utf-8?Q?J=C3=B6rg?= <joerg@ex\xc3\xa4mple.org>\r\nCc: Team: bo@x.org;\r\n\r\n";
        let found = recipients(header, "ME@example.org");
        let expected = [("jane@x.org", "Doe, Jane"), ("joerg@xn--exmple-cua.org", "J\u{f6}rg"), ("bo@x.org", "")];
        assert_eq!(found, expected.map(|(address, name)| (address.to_owned(), name.to_owned())));
        assert!(recipients(header, "other@example.org").is_empty());
    }
}
