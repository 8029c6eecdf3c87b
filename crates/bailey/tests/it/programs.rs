//! The main job with mail and invitations as programs write them: Apple Mail, Outlook, Gmail, Thunderbird; Google, Outlook, Nextcloud.
//!
//! The files of `tests/shapes` are written after such mail, and are nobody's.

use std::fs;

use bailey_scripted::{Script, Turn};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{Account, PASSPHRASE, World, id};

const APPLE: &str = include_str!("../shapes/apple.eml");
const OUTLOOK: &str = include_str!("../shapes/outlook.eml");
const GMAIL: &str = include_str!("../shapes/gmail.eml");
const THUNDERBIRD: &str = include_str!("../shapes/thunderbird.eml");
const GOOGLE_INVITES: &str = include_str!("../shapes/google-invite.eml");
const OUTLOOK_INVITES: &str = include_str!("../shapes/outlook-invite.eml");
const NEXTCLOUD_INVITES: &str = include_str!("../shapes/nextcloud-invite.eml");

fn items<'a>(card: &'a Value, label: &str) -> Vec<&'a str> {
    let all = card["items"].as_array().unwrap();
    all.iter().filter(|item| item["label"] == label).map(|item| item["value"].as_str().unwrap()).collect()
}

/// What each call of the last task gave, in order.
fn results(world: &World) -> Vec<Value> {
    let request: Value = serde_json::from_slice(&world.provider.requests().pop().unwrap()).unwrap();
    let messages = request["messages"].as_array().unwrap().clone();
    let told = messages.iter().filter(|message| message["role"] == "tool");
    let read = |message: &Value| {
        let text = message["content"].as_str().unwrap();
        serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
    };
    told.map(read).collect()
}

fn search(from: &str) -> Turn {
    Turn::call("mail_search", json!({"from": from}))
}

/// The answer that a mail holds for calendars.
fn answer_in(mail: &[u8]) -> String {
    let parsed = MessageParser::default().parse(mail).unwrap();
    let file = parsed.attachment(0).unwrap();
    String::from_utf8(file.contents().to_vec()).unwrap()
}

/// The invitation that a mail holds, as it lies in a calendar: without its method.
fn entry(mail: &str) -> String {
    let parsed = MessageParser::default().parse(mail.as_bytes()).unwrap();
    let is_calendar = |part: &&mail_parser::MessagePart<'_>| part.contents().starts_with(b"BEGIN:VCALENDAR");
    let part = parsed.parts.iter().find(is_calendar).unwrap();
    let text = String::from_utf8(part.contents().to_vec()).unwrap().replace("\r\n", "\n");
    text.replace("METHOD:REQUEST\n", "").trim_end().to_owned() + "\n"
}

/// Connects a calendar server with entries beside a mail account.
fn with_calendar(account: &Account, entries: &[(&str, String)]) -> servers::CalendarServer {
    let folder = account.world.folder.path().join("c");
    fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    for (name, text) in entries {
        server.add(name, text).unwrap();
    }
    let url = server.url();
    let arguments = ["connect", "calendar", url.as_str(), "--user", servers::ACCOUNT, "--level", "full"];
    account.world.ok(&arguments, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    server
}

#[test]
fn mail_of_each_program_is_read_whole_and_answered_to_whom_it_asks_in_its_thread() {
    // Whose mail, what of it has to be read, who gets the answer to it and to all, the subject and the thread.
    let cases = [
        (
            APPLE,
            "joerg.mueller@example.org",
            vec![
                "passt dir der Dienstag (8. Dezember) für die Übergabe der Schlüssel? Ich bräuchte ungefähr eine Stunde, lieber nach dem Mittagessen.",
            ],
            vec!["joerg.mueller@example.org"],
            vec!["joerg.mueller@example.org"],
            "Re: Termin für die Übergabe",
            "7D1F@example.org b1c2@bailey.test 9F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0@example.org",
        ),
        (
            OUTLOOK,
            "jane.doe@corp.example",
            vec![
                "can we talk about the budget (€ 12.500) on Tuesday, 8 December? Half an hour – before noon if you can. Bob’s numbers are attached.",
            ],
            vec!["jane.doe@corp.example"],
            vec!["jane.doe@corp.example", "bob.smith@corp.example", "marketing@corp.example"],
            "Re: Budget 2027",
            "first@corp.example second@bailey.test VI1PR04MB1234FFFF@VI1PR04MB1234.eurprd04.prod.outlook.com VI1PR04MB1234A1B2C3D4E5F60718293A4B5C@VI1PR04MB1234.eurprd04.prod.outlook.com",
        ),
        (
            GMAIL,
            "chloe.lefevre@gmail.com",
            vec!["Coucou 🙂", "on déjeune ensemble mardi 8 décembre vers 12h30"],
            vec!["chloe.lefevre@gmail.com"],
            vec!["chloe.lefevre@gmail.com", "paul@example.org", "zoe@example.org"],
            "Re: Déjeuner ✨",
            "CAF+root@mail.gmail.com b0@bailey.test CAF+one@mail.gmail.com b1@bailey.test CAF+two@mail.gmail.com CAF+three=9xZ_1@mail.gmail.com",
        ),
        (
            THUNDERBIRD,
            "tom.weiss@example.net",
            vec![
                "> Wann treffen wir uns, und wo?",
                "Vorschlag: Dienstag, 8. Dezember, um 17 Uhr im Vereinsheim. Die Schlüssel bringe ich mit, du brauchst also nichts zu tun.",
                "\nFrom hier an ist alles klar.",
            ],
            vec!["vorstand@verein.example"],
            vec!["vorstand@verein.example"],
            "Re: Grüße aus Köln – und eine lange Betreffzeile die umbricht",
            "t0@bailey.test 4f2a9c1e-7b3d-4a55-9e0f-1c2d3e4f5a6b@example.net",
        ),
    ];
    let script = |from: &str, all: bool| Script {
        task_contains: format!("{from}, all: {all}"),
        turns: vec![
            search(from),
            Turn::call("mail_read", json!({"id": "$ID0"})),
            search(from),
            Turn::call("mail_reply", json!({"id": "$ID0", "body": "Dienstag passt. – Grüße", "all": all})),
            Turn::say("ok"),
        ],
        ..Script::default()
    };
    let scripts = cases.iter().flat_map(|case| [script(case.1, false), script(case.1, true)]).collect();
    let account = Account::with_scripts(scripts, 300);
    let world = &account.world;
    for (at, case) in cases.iter().enumerate() {
        account.server.deliver("", &at.to_string(), case.0).unwrap();
    }
    account.with_password("full");
    let mut sent = 0;
    for (mail, from, read, one, all, subject, thread) in &cases {
        for (is_all, wanted) in [(false, one), (true, all)] {
            world.task(&format!("answer the mail of {from}, all: {is_all}"));
            let told = results(world);
            let text = told[1]["text"].as_str().unwrap_or_else(|| panic!("{told:#?}"));
            assert!(read.iter().all(|part| text.contains(part)), "{from}: {text}");
            assert_eq!(told[1]["text_was_cut"], false, "{from}: {:#}", told[1]);
            assert_eq!(told[1]["from"][0]["address"], *from);
            let card = world.waiting();
            world.ok(&["approve", &id(&card)], PASSPHRASE);
            let done = world.until(&id(&card), "succeeded");
            sent += 1;
            assert!(done["outcome"].as_str().unwrap().contains("a copy is in `Sent`"), "{done:#}");
            let arrived = world.sink.arrived();
            assert_eq!(arrived.len(), sent);
            assert_eq!(&arrived[sent - 1].to, wanted, "{from}: {card:#}");
            let parsed = MessageParser::default().parse(&arrived[sent - 1].bytes).unwrap();
            assert_eq!(parsed.subject(), Some(*subject));
            let references = parsed.references().as_text_list().unwrap().join(" ");
            assert_eq!(&references, thread, "{from}");
            let own = MessageParser::default().parse(mail.as_bytes()).unwrap();
            assert_eq!(parsed.in_reply_to().as_text(), own.message_id(), "{from}");
            let body = parsed.body_text(0).unwrap();
            assert!(body.starts_with("Dienstag passt. – Grüße"), "{body}");
        }
    }
    // What lies in Sent is what a mail program would have left there: read, and nothing else.
    let kept = account.server.stored("Sent");
    assert_eq!(kept.len(), sent);
    for path in kept {
        assert!(path.to_string_lossy().ends_with(":2,S"), "{path:?}");
        let bytes = fs::read(&path).unwrap();
        let kept = MessageParser::default().parse(&bytes).unwrap();
        assert!(kept.date().is_some() && kept.message_id().is_some() && kept.in_reply_to().as_text().is_some());
        assert_eq!(kept.from().unwrap().first().unwrap().address(), Some(servers::ACCOUNT));
    }
}

#[test]
fn files_of_outlook_are_read_by_name_and_a_winmail_that_holds_nothing_is_said_to() {
    let turns = vec![
        search("jane.doe@corp.example"),
        Turn::call("mail_read", json!({"id": "$ID0"})),
        search("jane.doe@corp.example"),
        Turn::call("mail_attachment", json!({"id": "$ID0", "part": "2"})),
        Turn::say("ok"),
    ];
    let account = Account::new(turns, 300);
    account.server.deliver("", "1", OUTLOOK).unwrap();
    account.with_password("read-only");
    account.world.task("read Jane's mail");
    let told = results(&account.world);
    let files = told[1]["attachments"].as_array().unwrap();
    let names: Vec<&str> = files.iter().filter_map(|file| file["name"].as_str()).collect();
    assert!(names.contains(&"Zahlen €.csv") && names.contains(&"winmail.dat"), "{names:?}");
    assert!(told[3].to_string().contains("January;1000"), "{:#}", told[3]);
}

#[test]
fn a_draft_in_a_thread_lies_among_the_drafts_as_a_mail_program_leaves_it() {
    let draft = json!({
        "to": ["\"Doe, Jane (Marketing)\" <jane.doe@corp.example>"], "subject": "Re: Budget 2027", "body": "Later.",
        "in_reply_to": "<VI1PR04MB1234A1B2C3D4E5F60718293A4B5C@VI1PR04MB1234.eurprd04.prod.outlook.com>",
    });
    let turns = vec![Turn::call("mail_draft", draft), Turn::say("ok")];
    let account = Account::new(turns, 300);
    account.server.deliver("", "1", OUTLOOK).unwrap();
    account.with_password("full");
    let task = account.world.task("draft an answer to Jane");
    assert_eq!(task["state"], "answered", "{task:#}");
    let kept = account.server.stored("Drafts");
    assert_eq!(kept.len(), 1, "{task:#}");
    assert!(kept[0].to_string_lossy().ends_with(":2,D"), "{kept:?}");
    let bytes = fs::read(&kept[0]).unwrap();
    let kept = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(kept.to().unwrap().first().unwrap().address(), Some("jane.doe@corp.example"));
    assert_eq!(kept.to().unwrap().first().unwrap().name(), Some("Doe, Jane (Marketing)"));
    assert_eq!(kept.references().as_text_list().unwrap().len(), 4);
    assert!(account.world.sink.arrived().is_empty());
}

/// Who invites, how that is said and when it is: answered to whoever invites, in the words of the person's clock.
#[test]
fn an_invitation_of_each_program_is_answered_to_whoever_invites_at_the_right_time() {
    let cases = [
        (
            "ana@example.org",
            "accept",
            "ana@example.org",
            "Accepted: Planning",
            "Tuesday 2026-12-08 15:00",
            "UID:6m2k4p0q@google.com",
        ),
        (
            "jane.doe@corp.example",
            "tentative",
            "jane.doe@corp.example",
            "Perhaps: Jour fixe – wöchentlich",
            "Tuesday 2026-12-08 11:00",
            "SEQUENCE:3",
        ),
        (
            "noreply@cloud.example",
            "decline",
            "bo@example.org",
            "Declined: your invitation",
            "Wednesday 2026-12-09",
            "SEQUENCE:2",
        ),
    ];
    let script = |from: &str, answer: &str| Script {
        task_contains: from.to_owned(),
        turns: vec![
            search(from),
            Turn::call("mail_answer_invitation", json!({"id": "$ID0", "answer": answer})),
            Turn::say("ok"),
        ],
        ..Script::default()
    };
    let scripts = cases.iter().map(|case| script(case.0, case.1)).collect();
    let account = Account::with_scripts(scripts, 300);
    for (at, mail) in [GOOGLE_INVITES, OUTLOOK_INVITES, NEXTCLOUD_INVITES].iter().enumerate() {
        account.server.deliver("", &at.to_string(), mail).unwrap();
    }
    account.with_password("send");
    let world = &account.world;
    for (at, (from, _, to, subject, when, line)) in cases.iter().enumerate() {
        world.task(&format!("answer the invitation from {from}"));
        let card = world.waiting();
        assert_eq!((items(&card, "To"), items(&card, "Subject")), (vec![*to], vec![*subject]), "{card:#}");
        assert!(card["body"].as_str().unwrap().contains(when), "{card:#}");
        assert!(items(&card, "Invitation").contains(line), "{card:#}");
        world.ok(&["approve", &id(&card)], PASSPHRASE);
        world.until(&id(&card), "succeeded");
        let arrived = world.sink.arrived();
        assert_eq!((arrived.len(), &arrived[at].to), (at + 1, &vec![(*to).to_owned()]));
        let text = answer_in(&arrived[at].bytes);
        assert!(text.contains("METHOD:REPLY"), "{text}");
        assert!(!text.contains("bob.smith") && !text.contains("VALARM") && !text.contains("X-MICROSOFT"), "{text}");
    }
}

#[test]
fn a_counter_proposal_and_a_cancellation_are_read_and_no_invitation_to_answer() {
    let counter =
        OUTLOOK_INVITES.replace("METHOD:REQUEST", "METHOD:COUNTER").replace("method=REQUEST", "method=COUNTER");
    let counter = counter.replace(
        "DTSTART;TZID=W. Europe Standard Time:20261208T110000",
        "DTSTART;TZID=W. Europe Standard Time:20261208T160000",
    );
    let off = GOOGLE_INVITES
        .replace("METHOD:REQUEST", "METHOD:CANCEL")
        .replace("method=REQUEST", "method=CANCEL")
        .replace("STATUS:CONFIRMED", "STATUS:CANCELLED");
    let answer = || Turn::call("mail_answer_invitation", json!({"id": "$ID0", "answer": "accept"}));
    let turns = vec![
        search("jane.doe@corp.example"),
        Turn::call("mail_read", json!({"id": "$ID0"})),
        search("jane.doe@corp.example"),
        answer(),
        search("ana@example.org"),
        Turn::call("mail_read", json!({"id": "$ID0"})),
        search("ana@example.org"),
        answer(),
        Turn::say("ok"),
    ];
    let account = Account::new(turns, 300);
    account.server.deliver("", "1", &counter).unwrap();
    account.server.deliver("", "2", &off).unwrap();
    account.with_password("send");
    let task = account.world.task("answer the invitations");
    assert_eq!(task["state"], "answered", "{task:#}");
    let told = results(&account.world);
    let invitation = &told[1]["invitations"][0];
    assert_eq!(invitation["method"], "COUNTER", "{:#}", told[1]);
    let entry = &invitation["entries"][0];
    assert_eq!(entry["begins"], "Tuesday 2026-12-08 16:00 +01:00", "{entry:#}");
    assert!(entry["organizer"].is_string() && invitation.get("text").is_none(), "{invitation:#}");
    for refused in [&told[3], &told[7]] {
        assert!(refused.to_string().contains("no invitation that asks for an answer"), "{refused:#}");
    }
    assert!(told[5].to_string().to_lowercase().contains("cancel"), "{:#}", told[5]);
    assert!(account.world.sink.arrived().is_empty());
}

/// The whole of it: mail is read, free time is found around entries that three programs wrote, and the answer names that time.
#[test]
fn free_time_is_right_around_entries_of_three_programs_and_told_to_the_right_one() {
    let outlook =
        entry(OUTLOOK_INVITES).replace("NEEDS-ACTION;RSVP=TRUE;CN=me@bailey.", "ACCEPTED;RSVP=TRUE;CN=me@bailey.");
    // Declined, and a birthday that takes no time: both leave the Friday free.
    let declined = entry(GOOGLE_INVITES)
        .replace("UID:6m2k4p0q", "UID:declined")
        .replace("20261208T", "20261211T")
        .replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=DECLINED");
    let birthday = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Apple Inc.//macOS 14.1//EN\nBEGIN:VEVENT\nUID:birthday\nDTSTAMP:20261101T000000Z\nDTSTART;VALUE=DATE:20261211\nDTEND;VALUE=DATE:20261212\nSUMMARY:Birthday\nTRANSP:TRANSPARENT\nX-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\nEND:VEVENT\nEND:VCALENDAR\n";
    let free = json!({"from": "2026-12-08", "until": "2026-12-11", "minutes": 60});
    let body = "Tuesday after 16:00 works for me.";
    let turns = vec![
        Turn::call("mail_search", json!({"unread": true})),
        search("joerg.mueller@example.org"),
        Turn::call("mail_read", json!({"id": "$ID0"})),
        Turn::call("calendar_free", free),
        search("joerg.mueller@example.org"),
        Turn::call("mail_reply", json!({"id": "$ID0", "body": body})),
        Turn::say("done"),
    ];
    let account = Account::new(turns, 300);
    for (at, mail) in [APPLE, OUTLOOK, GMAIL, THUNDERBIRD].iter().enumerate() {
        account.server.deliver("", &at.to_string(), mail).unwrap();
    }
    account.with_password("full");
    let _server = with_calendar(
        &account,
        &[
            ("google", entry(GOOGLE_INVITES)),
            ("outlook", outlook),
            ("nextcloud", entry(NEXTCLOUD_INVITES)),
            ("declined", declined),
            ("birthday", birthday.to_owned()),
        ],
    );
    let world = &account.world;
    world.task("Read my unread mail, tell me what needs me, and answer Jörg about Tuesday after checking my calendar.");
    let told = results(world);
    assert_eq!(told[0]["messages"].as_array().unwrap().len(), 4);
    let free: Vec<(String, String)> = told[3]["free"]
        .as_array()
        .unwrap_or_else(|| panic!("{:#}", told[3]))
        .iter()
        .map(|one| (one["from"].as_str().unwrap().to_owned(), one["until"].as_str().unwrap().to_owned()))
        .collect();
    let span = |day: &str, from: &str, until: &str| (format!("{day} {from} +01:00"), format!("{day} {until} +01:00"));
    let (tuesday, friday) = ("Tuesday 2026-12-08", "Friday 2026-12-11");
    let wanted = [
        span(tuesday, "08:00", "11:00"),
        span(tuesday, "12:30", "15:00"),
        span(tuesday, "16:00", "20:00"),
        span(friday, "08:00", "20:00"),
    ];
    assert_eq!(free, wanted, "{:#}", told[3]);
    assert_eq!((&told[3]["unreadable"], &told[3]["not_known"]), (&json!(0), &json!([])));
    let card = world.waiting();
    assert_eq!(items(&card, "To"), ["Jörg Müller <joerg.mueller@example.org>"]);
    world.ok(&["approve", &id(&card)], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    let arrived = world.sink.arrived();
    assert_eq!((arrived.len(), arrived[0].to.as_slice()), (1, &["joerg.mueller@example.org".to_owned()][..]));
    let parsed = MessageParser::default().parse(&arrived[0].bytes).unwrap();
    assert!(parsed.body_text(0).unwrap().starts_with(body));
    assert_eq!(account.server.stored("Sent").len(), 1);
}
