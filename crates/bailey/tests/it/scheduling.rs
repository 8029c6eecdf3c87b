//! Invitations where the calendar's server tells guests by itself (Cyrus, RFC 6638), and where it tells nobody (Radicale): everybody is
//! told once.

use bailey_scripted::Turn;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use xtask::servers::{self, COLLEAGUE, SchedulingServer};

use crate::support::{PASSPHRASE, World, id};

fn look() -> Turn {
    Turn::call("calendar_read", json!({"from": "2026-11-20", "until": "2026-11-30"}))
}

const PLAN: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:plan\nDTSTAMP:20261101T000000Z\nDTSTART:20261124T140000Z\nDTEND:20261124T150000Z\nSUMMARY:Plan\nX-NOTE:keep me\nEND:VEVENT\nEND:VCALENDAR\n";

/// An invitation of the colleague's to the person.
fn invited() -> String {
    let guests = format!(
        "ORGANIZER:mailto:{COLLEAGUE}\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{COLLEAGUE}\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{}\nEND:VEVENT",
        servers::ACCOUNT
    );
    PLAN.replace("END:VEVENT", &guests).replace("X-NOTE:keep me\n", "")
}

/// A running home with mail, and a calendar at this address.
fn home(turns: Vec<Turn>) -> World {
    let mut world = World::bare(turns, 0);
    world.serve();
    let address = world.sink.address();
    let mail = ["connect", "mail", servers::ACCOUNT, "--no-tls", "--level", "send", "--submission", &address];
    world.ok(&mail, PASSPHRASE);
    world
}

fn connect(world: &World, url: &str) {
    let arguments = ["connect", "calendar", url, "--user", servers::ACCOUNT, "--level", "full"];
    world.ok(&arguments, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
}

fn schedules(turns: Vec<Turn>) -> (World, SchedulingServer) {
    let world = home(turns);
    let server = SchedulingServer::start(&world.folder.path().join("y")).unwrap();
    connect(&world, &server.url(servers::ACCOUNT));
    (world, server)
}

fn tells_nobody(turns: Vec<Turn>) -> (World, servers::CalendarServer) {
    let world = home(turns);
    let folder = world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    connect(&world, &server.url());
    (world, server)
}

fn approved(world: &World, card: &Value) -> Value {
    world.ok(&["approve", &id(card)], PASSPHRASE);
    world.until(&id(card), "succeeded")
}

/// What a mail holds for calendars.
fn for_calendars(mail: &[u8]) -> String {
    let parsed = MessageParser::default().parse(mail).unwrap();
    String::from_utf8(parsed.attachment(0).unwrap().contents().to_vec()).unwrap()
}

fn items<'a>(card: &'a Value, label: &str) -> Vec<&'a str> {
    let all = card["items"].as_array().unwrap();
    all.iter().filter(|item| item["label"] == label).map(|item| item["value"].as_str().unwrap()).collect()
}

#[test]
fn a_server_that_tells_guests_invites_them_and_no_mail_leaves() {
    let guests = format!("{COLLEAGUE}, ana@example.org");
    let turns = vec![look(), Turn::call("calendar_invite", json!({"id": "$ID0", "guests": guests})), Turn::say("ok")];
    let (world, server) = schedules(turns);
    server.add(servers::ACCOUNT, "plan", PLAN).unwrap();
    let task = world.task("invite bo@bailey.test and ana@example.org to the plan");
    assert_eq!(task["state"], "waiting", "{task:#}");
    let card = world.waiting();
    assert_eq!(card["kind"], "calendar.change");
    assert_eq!(card["headline"], "Invite people to a calendar entry", "{card:#}");
    assert_eq!(items(&card, "Invites"), [COLLEAGUE, "ana@example.org"]);
    assert!(card["warnings"].to_string().contains("The calendar's server tells them."), "{card:#}");
    assert!(!card.to_string().contains("Nothing in the words of your task"), "{card:#}");
    assert!(!server.entries(COLLEAGUE).unwrap().contains("UID:plan"), "nobody is told before it is approved");
    let done = approved(&world, &card);
    // Bo's calendar is at this server; Ana's is not, and it cannot reach her.
    let theirs = server.entries(COLLEAGUE).unwrap();
    assert!(theirs.contains("UID:plan") && theirs.contains("SUMMARY:Plan"), "{theirs}");
    let told = done["outcome"].as_str().unwrap();
    assert!(told.contains("could not tell ana@example.org") && !told.contains(COLLEAGUE), "{told}");
    assert!(server.entries(servers::ACCOUNT).unwrap().contains("X-NOTE:keep me"));
    assert!(world.sink.arrived().is_empty(), "no mail of ours");
    // Taking it back tells them, too.
    world.ok(&["undo", &id(&card)], PASSPHRASE);
    world.until(&id(&card), "undone");
    let theirs = server.entries(COLLEAGUE).unwrap();
    assert!(!theirs.contains("UID:plan") || theirs.contains("STATUS:CANCELLED"), "{theirs}");
    let mine = server.entries(servers::ACCOUNT).unwrap();
    assert!(!mine.contains("ATTENDEE") && mine.contains("X-NOTE:keep me"), "{mine}");
    assert!(world.sink.arrived().is_empty());
}

#[test]
fn a_server_that_tells_nobody_leaves_inviting_to_a_mail() {
    let invite = json!({"id": "$ID0", "guests": COLLEAGUE});
    let (world, server) = tells_nobody(vec![look(), Turn::call("calendar_invite", invite), Turn::say("ok")]);
    server.add("plan", PLAN).unwrap();
    world.task("invite bo@bailey.test to the plan");
    let card = world.waiting();
    assert_eq!(card["kind"], "mail.send");
    approved(&world, &card);
    let arrived = world.sink.arrived();
    assert_eq!((arrived.len(), arrived[0].to.as_slice()), (1, &[COLLEAGUE.to_owned()][..]));
    assert!(for_calendars(&arrived[0].bytes).contains("METHOD:REQUEST"));
    assert!(!server.stored()[0].contains("ATTENDEE"), "the entry stays as it was");
}

#[test]
fn an_answer_at_a_server_that_tells_reaches_whoever_invites_and_no_mail_leaves() {
    let answer = |by_mail: bool| json!({"id": "$ID0", "answer": "accept", "by_mail": by_mail});
    let turns = vec![
        look(),
        Turn::calls(vec![("calendar_answer", answer(true)), ("calendar_answer", answer(false))]),
        Turn::say("ok"),
    ];
    let (world, server) = schedules(turns);
    server.add(COLLEAGUE, "plan", &invited()).unwrap();
    World::until_true("the invitation never came", || server.entries(servers::ACCOUNT).unwrap().contains("UID:plan"));
    let task = world.task("accept the invitation to the plan");
    let card = world.waiting();
    assert_eq!(card["headline"], "Accept the invitation to a calendar entry");
    let done = approved(&world, &card);
    assert!(done["outcome"].as_str().unwrap().contains("the calendar's server tells them"), "{done:#}");
    World::until_true("the answer never came", || {
        let theirs = server.entries(COLLEAGUE).unwrap();
        let mine = theirs.lines().find(|line| line.starts_with("ATTENDEE") && line.contains(servers::ACCOUNT));
        mine.is_some_and(|line| line.contains("PARTSTAT=ACCEPTED"))
    });
    assert!(world.sink.arrived().is_empty());
    world.until_task(&id(&task), "answered");
    let request = String::from_utf8(world.provider.requests().pop().unwrap()).unwrap();
    assert!(request.contains("tells whoever invites by itself; leave it out"), "{request}");
}

#[test]
fn an_answer_at_a_server_that_tells_nobody_is_sent_by_mail_once() {
    let answer = |by_mail: bool| json!({"id": "$ID0", "answer": "decline", "by_mail": by_mail});
    let turns = vec![
        look(),
        Turn::call("calendar_answer", answer(false)),
        look(),
        Turn::call("calendar_answer", answer(true)),
        Turn::say("ok"),
    ];
    let (world, server) = tells_nobody(turns);
    server.add("plan", &invited()).unwrap();
    let task = world.task("decline the invitation to the plan and answer it");
    let written = world.waiting();
    assert_eq!(written["kind"], "calendar.change", "{task:#}");
    let done = approved(&world, &written);
    assert!(done["outcome"].as_str().unwrap().contains("tells nobody"), "{done:#}");
    assert!(server.stored()[0].contains("PARTSTAT=DECLINED"));
    assert!(world.sink.arrived().is_empty());
    World::until_true("the mail was never proposed", || world.approvals().len() == 1);
    let card = world.waiting();
    assert_eq!(
        (card["kind"].as_str(), items(&card, "To"), items(&card, "Subject")),
        (Some("mail.send"), vec![COLLEAGUE], vec!["Declined: Plan"])
    );
    approved(&world, &card);
    let arrived = world.sink.arrived();
    assert_eq!((arrived.len(), arrived[0].to.as_slice()), (1, &[COLLEAGUE.to_owned()][..]));
    let text = for_calendars(&arrived[0].bytes);
    for line in ["METHOD:REPLY", "UID:plan", "PARTSTAT=DECLINED"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

/// Only whoever invites can ask others to come.
#[test]
fn a_guest_invites_nobody_to_the_entry_of_another() {
    let invite = json!({"id": "$ID0", "guests": "ana@example.org"});
    let (world, server) = schedules(vec![look(), Turn::call("calendar_invite", invite), Turn::say("ok")]);
    server.add(COLLEAGUE, "plan", &invited()).unwrap();
    World::until_true("the invitation never came", || server.entries(servers::ACCOUNT).unwrap().contains("UID:plan"));
    let task = world.task("invite ana@example.org to the plan");
    assert_eq!(task["state"], "answered", "{task:#}");
    let request = String::from_utf8(world.provider.requests().pop().unwrap()).unwrap();
    assert!(request.contains("somebody else invites to this entry"), "{request}");
}
