//! A real calendar: Radicale over CalDAV.

use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{PASSPHRASE, World, id};

struct Calendar {
    world: World,
    server: servers::CalendarServer,
}

impl Calendar {
    fn new(turns: Vec<Turn>, level: &str) -> Self {
        Self::of(servers::ACCOUNT, turns, level)
    }

    fn of(user: &str, turns: Vec<Turn>, level: &str) -> Self {
        let mut world = World::bare(turns, 0);
        world.serve();
        let folder = world.folder.path().join("c");
        std::fs::create_dir_all(&folder).unwrap();
        let server = servers::CalendarServer::start(&folder).unwrap();
        let url = server.url();
        world.ok(
            &["connect", "calendar", &url, "--user", user, "--level", level],
            &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD),
        );
        Self { world, server }
    }

    fn only(&self) -> String {
        let all = self.server.stored();
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    }
}

const MEETING: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:meeting\nDTSTAMP:20261101T000000Z\nDTSTART:20261124T140000Z\nDTEND:20261124T150000Z\nSUMMARY:Dentist\nX-NOTE:keep me\nEND:VEVENT\nEND:VCALENDAR\n";
const SPAN: (&str, &str) = ("2026-11-20", "2026-11-30");

fn look() -> Turn {
    Turn::call("calendar_read", json!({"from": SPAN.0, "until": SPAN.1}))
}

/// The one action of a task that is no look and no answer.
fn deed(task: &Value) -> &Value {
    let all = task["actions"].as_array().unwrap();
    all.iter().find(|action| action["kind"] != "calendar.read" && action["kind"] != "reply").unwrap()
}

/// The lines of an entry, in no order: servers write them in their own.
fn lines(entry: &str) -> Vec<String> {
    let mut lines: Vec<String> = entry
        .replace("\r\n ", "")
        .lines()
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.starts_with("PRODID"))
        .collect();
    lines.sort();
    lines
}

#[test]
fn an_entry_is_created_and_the_undo_removes_it() {
    let calendar = Calendar::new(
        vec![
            Turn::call("calendar_create", json!({"what": "Call, Ana", "begins": "2026-11-24T15:00", "where": "Phone"})),
            Turn::say("ok"),
        ],
        "full",
    );
    let task = calendar.world.task("add the call of 24 November 2026 to my calendar");
    assert_eq!(deed(&task)["state"], "succeeded", "{task:#}");
    let stored = calendar.only();
    for line in ["DTSTART:20261124T140000Z", "DTEND:20261124T150000Z", "SUMMARY:Call\\, Ana", "LOCATION:Phone"] {
        assert!(stored.contains(line), "{line} in {stored}");
    }
    assert_eq!(calendar.world.fails(&["undo", &id(deed(&task))], "wrong passphrase").0, 4);
    calendar.world.ok(&["undo", &id(deed(&task))], PASSPHRASE);
    calendar.world.until(&id(deed(&task)), "undone");
    assert!(calendar.server.stored().is_empty());
}

/// What has no one meaning is a question, and so is what is over: nothing is made of it.
#[test]
fn an_entry_at_a_time_that_is_past_or_not_clear_is_asked_for_and_not_made() {
    let create = |begins: &str| Turn::call("calendar_create", json!({"what": "Call", "begins": begins}));
    let turns =
        vec![create("tomorrow at 3"), create("2020-01-07T09:00"), create("übermorgen um halb zehn"), Turn::say("ok")];
    let calendar = Calendar::new(turns, "full");
    let task = calendar.world.task("add the call to my calendar");
    let requests = calendar.world.provider.requests();
    let told = |index: usize| String::from_utf8_lossy(&requests[index]).into_owned();
    assert!(
        told(1).contains("`tomorrow at 3`: it can mean") && told(1).contains("; ask the person which"),
        "{}",
        told(1)
    );
    assert!(told(2).contains("Tuesday 2020-01-07 09:00") && told(2).contains("is past; ask the person"), "{}", told(2));
    assert_eq!(deed(&task)["state"], "succeeded", "{task:#}");
    assert!(calendar.only().contains("SUMMARY:Call"), "{}", calendar.only());
}

#[test]
fn an_entry_is_read_changed_and_comes_back() {
    let calendar = Calendar::new(
        vec![
            look(),
            Turn::call("calendar_change", json!({"id": "$ID0", "begins": "2026-11-25T10:00"})),
            Turn::say("ok"),
        ],
        "full",
    );
    calendar.server.add("meeting", MEETING).unwrap();
    let task = calendar.world.task("move the dentist to Wednesday, 25 November 2026");
    let requests = calendar.world.provider.requests();
    assert!(String::from_utf8_lossy(&requests[1]).contains("Dentist"));
    let changed = deed(&task);
    assert_eq!(changed["state"], "succeeded", "{task:#}");
    assert!(changed["body"].as_str().unwrap().contains("- DTSTART:20261124T140000Z\n"), "{changed:#}");
    let stored = calendar.only();
    assert!(
        stored.contains("DTSTART:20261125T090000Z")
            && stored.contains("DTEND:20261125T100000Z")
            && stored.contains("X-NOTE:keep me"),
        "{stored}"
    );
    calendar.world.ok(&["undo", &id(changed)], PASSPHRASE);
    calendar.world.until(&id(changed), "undone");
    assert_eq!(lines(&calendar.only()), lines(MEETING));
}

#[test]
fn a_cancelled_entry_comes_back_and_a_later_change_is_not_trampled() {
    let calendar =
        Calendar::new(vec![look(), Turn::call("calendar_cancel", json!({"id": "$ID0"})), Turn::say("ok")], "full");
    calendar.server.add("meeting", MEETING).unwrap();
    let task = calendar.world.task("cancel the dentist");
    assert_eq!(deed(&task)["state"], "succeeded", "{task:#}");
    assert!(calendar.server.stored().is_empty());
    calendar.world.ok(&["undo", &id(deed(&task))], PASSPHRASE);
    calendar.world.until(&id(deed(&task)), "undone");
    assert_eq!(lines(&calendar.only()), lines(MEETING));

    let calendar = Calendar::new(
        vec![look(), Turn::call("calendar_change", json!({"id": "$ID0", "what": "Surgeon"})), Turn::say("ok")],
        "full",
    );
    calendar.server.add("meeting", MEETING).unwrap();
    let task = calendar.world.task("change what it is called");
    calendar.server.add("meeting", &MEETING.replace("Dentist", "Somebody else's words")).unwrap();
    let (code, words) = calendar.world.fails(&["undo", &id(deed(&task))], PASSPHRASE);
    assert_eq!(code, 5);
    assert!(words.contains("changed since"), "{words}");
    assert!(calendar.only().contains("Somebody else's words"));
}

#[test]
fn an_entry_with_guests_asks_and_is_refused_when_it_changed_meanwhile() {
    let calendar =
        Calendar::new(vec![look(), Turn::call("calendar_cancel", json!({"id": "$ID0"})), Turn::say("ok")], "full");
    let with_guest =
        MEETING.replace("X-NOTE:keep me", "ATTENDEE:mailto:ana@example.org\nORGANIZER:mailto:me@bailey.test");
    calendar.server.add("meeting", &with_guest).unwrap();
    let task = calendar.world.task("cancel it");
    assert_eq!(task["state"], "waiting", "{task:#}");
    let card = calendar.world.waiting();
    assert!(card["warnings"].to_string().contains("guests"), "{card:#}");
    assert!(card["body"].as_str().unwrap().contains("ATTENDEE:mailto:ana@example.org"));
    assert_eq!(calendar.server.stored().len(), 1);
    calendar.server.add("meeting", &with_guest.replace("Dentist", "Changed meanwhile")).unwrap();
    calendar.world.ok(&["approve"], PASSPHRASE);
    let card = calendar.world.until(&id(&card), "failed");
    assert!(card["outcome"].as_str().unwrap().contains("changed meanwhile"), "{card:#}");
    assert!(calendar.only().contains("Changed meanwhile"));
}

#[test]
fn guests_are_invited_by_a_mail_that_asks_and_shows_the_whole_invitation() {
    let invite = json!({"id": "$ID0", "guests": "ana@example.org, bo@example.org", "note": "Will you come?"});
    let calendar = Calendar::new(vec![look(), Turn::call("calendar_invite", invite), Turn::say("ok")], "read-only");
    let world = &calendar.world;
    calendar.server.add("meeting", MEETING).unwrap();
    world.connect("send");
    let task = world.task("invite Ana and Bo to the dentist");
    let waiting = world.waiting();
    assert_eq!(waiting["kind"], "mail.send");
    let items = waiting["items"].to_string();
    for shown in [
        "METHOD:REQUEST",
        "SUMMARY:Dentist",
        "mailto:ana@example.org",
        "mailto:bo@example.org",
        "ORGANIZER:mailto:me@example.org",
    ] {
        assert!(items.contains(shown), "{shown}: {waiting:#}");
    }
    assert!(waiting["body"].as_str().unwrap().contains("Tuesday 2026-11-24 15:00 CET"), "{waiting:#}");
    assert!(world.sink.arrived().is_empty());
    world.ok(&["approve"], PASSPHRASE);
    world.until_task(task["id"].as_str().unwrap(), "answered");
    let arrived = world.sink.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].to, ["ana@example.org", "bo@example.org"]);
    let mail = mail_parser::MessageParser::default().parse(&arrived[0].bytes).unwrap();
    let part =
        mail.parts.iter().find(|part| String::from_utf8_lossy(part.contents()).contains("BEGIN:VCALENDAR")).unwrap();
    let head = String::from_utf8_lossy(&arrived[0].bytes).into_owned();
    assert!(head.contains("Content-Type: text/calendar; method=REQUEST; charset=utf-8"), "{head}");
    let invitation = lines(&String::from_utf8_lossy(part.contents()));
    assert!(invitation.contains(&"SUMMARY:Dentist".to_owned()) && invitation.contains(&"X-NOTE:keep me".to_owned()));
    assert_eq!(lines(&calendar.only()), lines(MEETING), "the person's own entry is as it was");
}

#[test]
fn a_calendar_connected_for_less_is_not_written() {
    let create = || Turn::call("calendar_create", json!({"what": "x", "begins": "tomorrow 9h"}));
    let calendar = Calendar::new(vec![create(), Turn::say("ok")], "read-only");
    let task = calendar.world.task("write, whatever it takes");
    assert_eq!(deed(&task)["state"], "denied", "{task:#}");
    assert!(calendar.server.stored().is_empty());
    // Where the provider has a boundary of its own, it holds too.
    let calendar = Calendar::of("reader@bailey.test", vec![create(), Turn::say("ok")], "full");
    let task = calendar.world.task("add it to the calendar");
    assert_eq!(deed(&task)["state"], "failed", "{task:#}");
    assert!(calendar.server.stored().is_empty());
}

#[test]
fn a_wrong_password_or_address_connects_nothing() {
    let calendar = Calendar::new(vec![], "read-only");
    let url = calendar.server.url();
    for (url, password, words) in [
        (url.as_str(), "nope", "refused to let us in"),
        (&url.replace("/calendar/", "/nothing/"), servers::APP_PASSWORD, "no such calendar"),
        (&url.replace("/calendar/", "/"), servers::APP_PASSWORD, "is an account and no calendar"),
        ("http://192.0.2.1/c/", servers::APP_PASSWORD, "without TLS only this one is talked to"),
        ("ftp://x/", servers::APP_PASSWORD, "no address"),
    ] {
        let (_, said) = calendar
            .world
            .fails(&["connect", "calendar", url, "--user", servers::ACCOUNT], &format!("{PASSPHRASE}\n{password}"));
        assert!(said.contains(words), "{url}: {said}");
    }
    assert_eq!(calendar.world.data_of(&["connections"]).as_array().unwrap().len(), 1);
}

/// Whoever cannot be read of an entry's guests may be anybody.
#[test]
fn guests_that_cannot_be_read_are_strangers() {
    let change = Turn::call("calendar_change", json!({"id": "$ID0", "what": "Plan: numbers"}));
    let calendar = Calendar::new(vec![look(), change, Turn::say("ok")], "full");
    let world = &calendar.world;
    world.ok(&["rules", "add", "calendar: go ahead"], PASSPHRASE);
    let asks = |guest: &str| {
        calendar.server.add("meeting", &MEETING.replace("X-NOTE:keep me", guest)).unwrap();
        let task = world.task("change the meeting");
        let deed = deed(&task).clone();
        if deed["state"] == "awaiting" {
            world.ok(&["reject", &id(&deed)], "");
        }
        (deed["state"].as_str().unwrap().to_owned(), deed["warnings"].to_string())
    };
    for guest in [
        "ATTENDEE:mailto:eve%40evil.example",
        "ATTENDEE:mailto:eve@ex\u{e4}mple.org",
        "ATTENDEE:mailto:eve@evil.example?x=1",
        "ATTENDEE;EMAIL=eve@evil.example:urn:uuid:1",
        "ATTENDEE;EMAIL=eve@evil.example:mailto:tom@example.org",
    ] {
        let (state, warnings) = asks(guest);
        assert!(state == "awaiting" && warnings.contains("cannot be read"), "{guest}: {state} {warnings}");
    }
    let (state, warnings) = asks("ATTENDEE:mailto:eve@evil.example");
    assert!(state == "awaiting" && warnings.contains("never written to `eve@evil.example`"), "{state} {warnings}");
}

#[test]
fn an_entry_cancelled_makes_nobody_known() {
    let calendar =
        Calendar::new(vec![look(), Turn::call("calendar_cancel", json!({"id": "$ID0"})), Turn::say("ok")], "full");
    let world = &calendar.world;
    calendar.server.add("meeting", &MEETING.replace("X-NOTE:keep me", "ORGANIZER:mailto:eve@evil.example")).unwrap();
    world.task("cancel the meeting, it is spam");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    let after = world.get(&format!("/v1/actions/{}", id(&card)));
    assert!(after["warnings"].to_string().contains("never written to `eve@evil.example`"), "{after:#}");
}
