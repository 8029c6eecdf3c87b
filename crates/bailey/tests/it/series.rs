//! Calendars as they are, against Radicale: what repeats, zones, several calendars, free time, invitations.

use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{PASSPHRASE, World, id};

const WEEKLY: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:weekly\nDTSTAMP:20261101T000000Z\nDTSTART;TZID=America/New_York:20261111T090000\nDTEND;TZID=America/New_York:20261111T100000\nRRULE:FREQ=WEEKLY\nSUMMARY:Team meeting\nX-NOTE:keep me\nBEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:soon\nTRIGGER:-PT10M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";

/// The id of one of its occurrences.
const WEDNESDAY: &str = "/me%40bailey.test/calendar/weekly.ics#20261125T090000";

fn start(turns: Vec<Turn>) -> (World, servers::CalendarServer) {
    let mut world = World::bare(turns, 0);
    world.serve();
    let server = calendar(&world, "c", None);
    (world, server)
}

fn calendar(world: &World, folder: &str, name: Option<&str>) -> servers::CalendarServer {
    let folder = world.folder.path().join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = server.url();
    let mut words = vec!["connect", "calendar", &url, "--user", servers::ACCOUNT, "--level", "full"];
    words.extend(name.into_iter().flat_map(|name| ["--name", name]));
    world.ok(&words, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    server
}

fn look() -> Turn {
    Turn::call("calendar_read", json!({"from": "2026-11-23", "until": "2026-11-29"}))
}

/// The one action of a task that is no look and no answer.
fn deed(task: &Value) -> &Value {
    let all = task["actions"].as_array().unwrap();
    all.iter()
        .find(|action| action["kind"] != "calendar.read" && action["kind"] != "reply")
        .unwrap_or_else(|| panic!("{task:#}"))
}

fn requests(world: &World) -> String {
    world
        .provider
        .requests()
        .iter()
        .map(|request| String::from_utf8_lossy(request).into_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The lines of an entry, in no order, without those that Radicale adds: what its zones are.
fn lines(entry: &str) -> Vec<String> {
    let entry = entry.replace("\r\n ", "");
    let zone = entry.find("BEGIN:VTIMEZONE").zip(entry.find("END:VTIMEZONE"));
    let entry = zone.map_or_else(
        || entry.clone(),
        |(from, to)| entry[..from].to_owned() + entry[to..].trim_start_matches("END:VTIMEZONE"),
    );
    let all = entry.lines().map(|line| line.trim_end().to_owned());
    let mut lines: Vec<String> = all.filter(|line| !line.is_empty() && !line.starts_with("PRODID")).collect();
    lines.sort();
    lines
}

#[test]
fn one_of_a_weekly_series_is_cancelled_and_the_series_stays() {
    let (world, server) = start(vec![
        look(),
        Turn::call("calendar_cancel", json!({"id": "$ID0"})),
        Turn::call("calendar_cancel", json!({"id": WEDNESDAY, "which": "this"})),
        Turn::say("ok"),
    ]);
    server.add("weekly", WEEKLY).unwrap();
    let task = world.task("cancel Wednesday's meeting");
    let told = requests(&world);
    for part in
        ["every week", "Wednesday 2026-11-25 15:00 +01:00", "Wednesday 2026-11-25 09:00 -05:00 in America/New_York"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.contains("say whether `this` one alone is meant"), "a call that does not say is asked: {told}");
    let cancelled = deed(&task);
    assert_eq!(
        (cancelled["kind"].as_str(), cancelled["state"].as_str()),
        (Some("calendar.cancel"), Some("succeeded")),
        "{task:#}"
    );
    assert_eq!(cancelled["headline"], "Cancel this one of a repeating entry");
    let items = cancelled["items"].to_string();
    for part in [
        "Wednesday 2026-11-25 15:00 +01:00 (Europe/Paris)",
        "every week",
        "this one alone",
        "Team meeting",
        "09:00 -05:00 in America/New_York",
    ] {
        assert!(items.contains(part), "{part}: {cancelled:#}");
    }
    let stored = server.stored().concat();
    assert!(
        stored.contains("RRULE:FREQ=WEEKLY") && stored.contains("EXDATE;TZID=America/New_York:20261125T090000"),
        "{stored}"
    );
    world.ok(&["undo", &id(cancelled)], PASSPHRASE);
    world.until(&id(cancelled), "undone");
    assert_eq!(lines(&server.stored().concat()), lines(WEEKLY));
}

/// What "all" is said of decides, not that the word stands somewhere.
#[test]
fn more_of_a_series_than_the_words_mean_asks_and_says_how_much() {
    let cancel = |which: &str| Turn::call("calendar_cancel", json!({"id": WEDNESDAY, "which": which}));
    for (words, which, how_much) in [
        ("answer all my mails and cancel Wednesday's meeting", "all", "all of the series"),
        (
            "cancel the meeting on Wednesday for all of us, the rest can wait",
            "following",
            "this one and all that follow",
        ),
    ] {
        let (world, server) = start(vec![look(), cancel(which), Turn::say("ok")]);
        server.add("weekly", WEEKLY).unwrap();
        let task = world.task(words);
        assert_eq!(task["state"], "waiting", "{words}: {task:#}");
        let card = world.waiting();
        assert!(card.to_string().contains("do not say that so much of the series is meant"), "{card:#}");
        let items = card["items"].to_string();
        assert!(items.contains(how_much) && items.contains("without an end"), "{card:#}");
        assert!(items.contains(" 15:00 +01:00 (Europe/Paris) goes"), "{card:#}");
        assert_eq!(lines(&server.stored().concat()), lines(WEEKLY));
        world.ok(&["approve"], PASSPHRASE);
        world.until(&id(&card), "succeeded");
    }
}

#[test]
fn all_of_a_series_and_what_follows_are_changes_of_their_own() {
    let (world, server) = start(vec![
        look(),
        Turn::call("calendar_change", json!({"id": "$ID0", "which": "this", "begins": "Thursday"})),
        Turn::call(
            "calendar_cancel",
            json!({"id": "/me@bailey.test/calendar/weekly.ics#20261202T090000", "which": "following"}),
        ),
        Turn::call("calendar_read", json!({"from": "2026-11-09", "until": "2026-12-31"})),
        Turn::call("calendar_cancel", json!({"id": "$ID0", "which": "all"})),
        Turn::say("ok"),
    ]);
    server.add("weekly", WEEKLY).unwrap();
    let task = world
        .task("move this week's meeting to Thursday, cancel it from December on, and then cancel the whole series");
    let headlines: Vec<&str> = task["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|action| action["kind"] != "calendar.read" && action["kind"] != "reply")
        .filter_map(|action| action["headline"].as_str())
        .collect();
    assert_eq!(
        headlines,
        [
            "Change this one of a repeating entry",
            "Cancel this one of a repeating entry and all that follow",
            "Cancel all of a repeating entry"
        ],
        "{task:#}"
    );
    let told = requests(&world);
    // Thursday is the one after today in the world's clock; only that occurrence moved, and the series ends before December.
    assert!(told.contains("differs_from_its_series") && told.contains("until "), "{told}");
    assert!(server.stored().is_empty());
}

#[test]
fn several_calendars_are_read_and_free_time_is_what_none_of_them_takes() {
    let free =
        json!({"from": "2026-11-24", "until": "2026-11-24", "minutes": "60", "after": "09:00", "before": "18:00"});
    let (world, first) = start(vec![look(), Turn::call("calendar_free", free), Turn::say("ok")]);
    let second = calendar(&world, "d", Some("work"));
    let entry = |uid: &str, lines: &str| {
        format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20261101T000000Z\nSUMMARY:{uid}\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"
        )
    };
    first.add("dentist", &entry("dentist", "DTSTART:20261124T080000Z\nDTEND:20261124T100000Z")).unwrap();
    first.add("birthday", &entry("birthday", "DTSTART;VALUE=DATE:20261124\nTRANSP:TRANSPARENT")).unwrap();
    second
        .add("standup", &entry("standup", "DTSTART;TZID=Europe/Paris:20261101T140000\nDURATION:PT1H\nRRULE:FREQ=DAILY"))
        .unwrap();
    let task = world.task("when am I free on Tuesday?");
    let told = requests(&world);
    for part in ["dentist", "standup", "Tuesday 2026-11-24 14:00 +01:00", "takes no time"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let answers = told.replace('\\', "");
    let free = answers.split("\"free\":").nth(1).unwrap_or_else(|| panic!("{task:#} {told}"));
    let free = free.split(']').next().unwrap();
    let times: Vec<&str> = free.split('"').filter(|part| part.contains("+01:00")).collect();
    assert_eq!(
        times,
        [
            "Tuesday 2026-11-24 11:00 +01:00",
            "Tuesday 2026-11-24 14:00 +01:00",
            "Tuesday 2026-11-24 15:00 +01:00",
            "Tuesday 2026-11-24 18:00 +01:00"
        ],
        "{free}"
    );
}

/// What a rule says of reading through one calendar holds, whatever else is read with it.
#[test]
fn a_look_at_several_calendars_asks_where_one_of_them_asks() {
    let (world, first) = start(vec![look(), Turn::say("ok")]);
    let _second = calendar(&world, "d", Some("work"));
    first.add("weekly", WEEKLY).unwrap();
    world.ok(&["rules", "add", "reading through work: ask"], PASSPHRASE);
    let task = world.task("what is in my calendar this week?");
    assert_eq!(task["state"], "waiting", "{task:#}");
    assert_eq!(world.waiting()["kind"], "calendar.read");
}

#[test]
fn an_invitation_is_answered_in_the_calendar_and_asks_first() {
    let (world, server) =
        start(vec![look(), Turn::call("calendar_answer", json!({"id": "$ID0", "answer": "accept"})), Turn::say("ok")]);
    let invited = WEEKLY.replace("RRULE:FREQ=WEEKLY\n", "").replace("20261111", "20261125").replace(
        "X-NOTE:keep me",
        "ORGANIZER;CN=Ana:mailto:ana@example.org\nATTENDEE;CN=Me;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:me@bailey.test",
    );
    server.add("invited", &invited).unwrap();
    let task = world.task("accept Ana's invitation");
    assert_eq!(task["state"], "waiting", "{task:#}");
    let card = world.waiting();
    assert_eq!(card["headline"], "Accept the invitation to a calendar entry");
    assert!(card["warnings"].to_string().contains("guests"), "{card:#}");
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    assert_eq!(lines(&server.stored().concat()), lines(&invited.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")));
}
