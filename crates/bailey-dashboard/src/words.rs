//! What pages say of states, kinds, times and sizes.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// Says where an action stands.
pub(crate) fn state(name: &str) -> &str {
    match name {
        "proposed" => "recorded",
        "denied" => "not allowed",
        "awaiting" => "waits for you",
        "approved" => "about to go",
        "rejected" => "you refused it",
        "expired" => "nobody answered in time",
        "cancelled" => "taken back",
        "superseded" => "replaced by your edit",
        "held" => "waits before it goes",
        "claimed" => "happening now",
        "succeeded" => "done",
        "failed" => "refused by the other side",
        "partial" => "done in part",
        "not-executed" => "did not happen",
        "unknown" => "not known whether it happened",
        "reconciling" => "being looked up",
        "needs-person" => "only you can tell",
        "undoing" => "being undone",
        "undone" => "undone",
        "undo-failed" => "could not be undone",
        other => other,
    }
}

/// States that a list can be narrowed to.
pub(crate) const STATES: [&str; 8] =
    ["awaiting", "held", "succeeded", "rejected", "denied", "failed", "needs-person", "undone"];

/// Says how a task stands.
pub(crate) fn task_state(name: &str) -> &str {
    match name {
        "running" => "at work",
        "waiting" => "waits for you",
        "answered" => "answered",
        "limit-reached" => "reached its limit",
        "failed" => "failed",
        "stopped" => "stopped",
        other => other,
    }
}

/// Says who began a task, where it was not the person.
pub(crate) fn begun_by(origin: &str) -> &str {
    match origin {
        "schedule" => "begun by a schedule",
        "trigger" => "begun by a trigger",
        "agent" => "begun by another agent",
        _ => "",
    }
}

/// Says what a kind of action does.
#[must_use]
pub fn kind(name: &str) -> &str {
    match name {
        "mail.draft" => "Drafts in the home",
        "mail.save-draft" => "Drafts in the mailbox",
        "mail.discard-draft" => "Throwing drafts away",
        "mail.send" => "Sending mail",
        "mail.search" => "Looking for mail",
        "mail.read" => "Reading mail",
        "mail.folders" => "Listing folders",
        "mail.attachment" => "Reading attachments",
        "mail.move" => "Moving mail",
        "mail.trash" => "Moving mail to the trash",
        "mail.mark" => "Marking mail",
        "mail.unsubscribe" => "Leaving mailing lists",
        "calendar.read" => "Looking at calendars",
        "calendar.free" => "Looking for free time",
        "calendar.create" => "Adding calendar entries",
        "calendar.change" | "calendar.update" => "Changing calendar entries",
        "calendar.cancel" | "calendar.delete" => "Removing calendar entries",
        "contacts.find" => "Looking for contacts",
        "contacts.read" => "Reading contacts",
        "file.list" => "Looking into folders",
        "file.read" => "Reading files",
        "file.search" => "Looking for files",
        "file.create" => "Creating files",
        "file.change" => "Changing files",
        "file.move" => "Moving files",
        "file.trash" => "Moving files to the trash",
        "file.restore" => "Taking files out of the trash",
        "reply" => "Answering you",
        "schedule.propose" => "Making schedules",
        "memory.write" => "Keeping notes",
        "memory.read" => "Looking at notes",
        "memory.forget" => "Forgetting notes",
        "shell.run" => "Running commands in the computer",
        "http.get" => "Asking sites",
        "http.post" => "Sending to sites",
        "tool.read" => "Looking with other tools",
        "tool.fetch" => "Fetching with other tools",
        "tool.write" => "Adding with other tools",
        "tool.change" => "Changing with other tools",
        "tool.send" => "Sending with other tools",
        "tool.remove" => "Removing with other tools",
        "tool.pay" => "Paying with other tools",
        other => other,
    }
}

/// Says what a decision lets happen.
pub(crate) fn decision(name: &str) -> &str {
    match name {
        "auto" => "Goes ahead",
        "ask" => "Asks",
        "ask-step-up" => "Asks, with a touch",
        "deny" => "Never",
        other => other,
    }
}

/// Says what an account may be used for.
pub(crate) fn level(name: &str) -> (&str, &str) {
    match name {
        "read-only" => ("Read", "look and search; changes nothing"),
        "draft" => ("Draft", "also put drafts into the mailbox"),
        "send" => ("Send", "also send, after the gate has let it"),
        "full" => ("Everything", "also change, move and remove"),
        other => (other, ""),
    }
}

/// Returns a whole number with its thousands apart.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a count with its noun: `1 mail`, `2 mails`.
pub(crate) fn count(many: u64, one: &str, more: &str) -> String {
    format!("{} {}", number(many), if many == 1 { one } else { more })
}

/// Returns a length in bytes as people read it.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..=999 => format!("{bytes} B"),
        1_000..=999_999 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..=999_999_999 => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

/// Returns an amount at the configured prices; nothing where it is none.
pub(crate) fn cost(amount: f64) -> Option<String> {
    (amount > 0.0).then(|| if amount < 0.01 { format!("{amount:.4}") } else { format!("{amount:.2}") })
}

/// Returns the first part of a text, of at most so many characters, with a sign that there is more.
pub(crate) fn short(text: &str, most: usize) -> String {
    let mut out: String = text.chars().take(most).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

fn zoned(ms: i64, zone: &TimeZone) -> Option<jiff::Zoned> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()))
}

/// Returns the day of a moment.
pub(crate) fn date(ms: i64, zone: &TimeZone) -> Option<Date> {
    Some(zoned(ms, zone)?.date())
}

/// Returns the time of day, `14:02`.
pub(crate) fn clock(ms: i64, zone: &TimeZone) -> String {
    zoned(ms, zone).map_or_else(|| "at an unknown time".to_owned(), |at| at.strftime("%H:%M").to_string())
}

/// Writes words of the home's own, in which backticks mark what is to be typed or was.
pub(crate) fn with_code(text: &str) -> Markup {
    // A mark without its end is no mark.
    let marked = text.matches('`').count().is_multiple_of(2);
    html! {
        @if marked {
            @for (place, part) in text.split('`').enumerate() { @if place.is_multiple_of(2) { (part) } @else { code { (part) } } }
        } @else { (text) }
    }
}

/// Returns how far a zone is from UTC at a moment, such as `UTC+01:00`.
pub(crate) fn offset(ms: i64, zone: &TimeZone) -> String {
    zoned(ms, zone).map_or_else(|| "UTC".to_owned(), |at| at.strftime("UTC%:z").to_string())
}

/// Returns the day in words: `Today`, `Yesterday`, `Thursday 27 November`, with its year where that is another.
pub(crate) fn day(ms: i64, now_ms: i64, zone: &TimeZone) -> String {
    let (Some(at), Some(now)) = (zoned(ms, zone), zoned(now_ms, zone)) else { return "Some day".into() };
    if at.date() == now.date() {
        return "Today".into();
    }
    if now.date().yesterday().is_ok_and(|yesterday| yesterday == at.date()) {
        return "Yesterday".into();
    }
    let form = if at.year() == now.year() { "%A %-d %B" } else { "%A %-d %B %Y" };
    at.strftime(form).to_string()
}

/// Returns a moment, as short as it can be told from now: `14:02`, `27 Nov 09:12`, `27 Nov 2025`.
pub(crate) fn moment(ms: i64, now_ms: i64, zone: &TimeZone) -> String {
    let (Some(at), Some(now)) = (zoned(ms, zone), zoned(now_ms, zone)) else { return "an unknown time".into() };
    let form = if at.date() == now.date() {
        "%H:%M"
    } else if at.year() == now.year() {
        "%-d %b %H:%M"
    } else {
        "%-d %b %Y"
    };
    at.strftime(form).to_string()
}

/// Returns a moment in the form of the `time` element (HTML, 4.5.14).
pub(crate) fn machine(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_are_told_as_people_read_them() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_204), "1,204");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!((size(12), size(81_000), size(4_250_000)), ("12 B".into(), "81 kB".into(), "4.2 MB".into()));
        assert_eq!(size(21_474_836_480), "21.4 GB");
        assert_eq!((count(1, "mail", "mails"), count(2, "mail", "mails")), ("1 mail".into(), "2 mails".into()));
        assert_eq!((cost(0.0), cost(0.0012), cost(1.5)), (None, Some("0.0012".into()), Some("1.50".into())));
        assert_eq!((short("abc", 3), short("abcd", 3)), ("abc".into(), "abc…".into()));
    }

    #[test]
    fn moments_are_told_from_now() {
        let zone = TimeZone::UTC;
        let now = 1_795_960_800_000; // 2026-11-29T14:00Z
        assert_eq!(moment(now - 60_000, now, &zone), "13:59");
        assert_eq!(day(now, now, &zone), "Today");
        assert_eq!(day(now - 86_400_000, now, &zone), "Yesterday");
        assert_eq!(day(now - 2 * 86_400_000, now, &zone), "Friday 27 November");
        assert_eq!(moment(now - 2 * 86_400_000, now, &zone), "27 Nov 14:00");
        assert_eq!(moment(0, now, &zone), "1 Jan 1970");
        assert_eq!(moment(i64::MAX, now, &zone), "an unknown time");
    }
}
