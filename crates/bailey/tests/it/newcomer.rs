//! Thirty things that somebody new might say or have, at real servers: nobody else gets it, nothing is lost, no time is another.

use std::fs;

use bailey_scripted::{Script, Turn};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{Account, PASSPHRASE, World, id};

/// What the model does in the task of this number.
fn script(number: usize, turns: Vec<Turn>) -> Script {
    let turns = turns.into_iter().chain([Turn::say("ok")]).collect();
    Script { task_contains: format!("(case {number})"), turns, ..Script::default() }
}

/// What the last call of the last task gave.
fn result(world: &World) -> String {
    let request: Value = serde_json::from_slice(&world.provider.requests().pop().unwrap()).unwrap();
    let messages = request["messages"].as_array().unwrap().clone();
    let told = messages.iter().rfind(|message| message["role"] == "tool").unwrap();
    told["content"].as_str().unwrap().to_owned()
}

fn calendar(world: &World) -> servers::CalendarServer {
    let folder = world.folder.path().join("c");
    fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = server.url();
    let arguments = ["connect", "calendar", url.as_str(), "--user", servers::ACCOUNT, "--level", "full"];
    world.ok(&arguments, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    server
}

#[test]
fn times_in_words_of_three_languages() {
    let cases = [
        "3 March 2027 at 14:15",
        "28 March 2027 at 2:30am",
        "31.10.2027 um 2:30 Uhr",
        "Mittwoch, den 14. April 2027, um halb acht abends",
        "le 1er mai 2027 à 18h",
        "samedi 5 juin 2027 de 10h à midi",
        "30 February 2027",
        "Tuesday 3 March 2027 at noon",
        "5/6/2027 at 10am",
        "24. Dezember 2027",
        "vom 3. bis 5. August 2027",
        "June 1st, 2027, quarter past nine in the evening",
        "am 2.1.2027 um 24 Uhr",
        "2027-02-29 10:00",
        "mardi 13 juillet 2027 à 8h moins le quart",
    ];
    let scripts =
        cases.iter().enumerate().map(|(at, begins)| script(at, vec![Turn::call("calendar_create", json!({"what": format!("X{at}"), "begins": begins}))]));
    let mut world = World::with_scripts(scripts.collect(), 0);
    world.serve();
    let server = calendar(&world);
    let mut before = 0;
    for (at, begins) in cases.iter().enumerate() {
        world.task(&format!("(case {at}) add the entry to my calendar: {begins}"));
        let stored = server.stored();
        if stored.len() > before {
            before = stored.len();
            let all = stored.iter().filter(|e| e.contains(&format!("SUMMARY:X{at}\r"))).cloned().collect::<Vec<_>>().join("\n");
            let lines: Vec<&str> = all.lines().filter(|line| line.starts_with("DTSTART") || line.starts_with("DTEND")).collect();
            eprintln!("CASE {begins}: {:?}", lines.iter().rev().take(40).collect::<Vec<_>>());
        } else {
            eprintln!("CASE {begins}: NO {}", result(&world));
        }
    }
}

#[test]
fn recipients_as_people_and_models_write_them() {
    let cases = [
        json!("Müller, Jörg <joerg@firma.example>"),
        json!(["ANA@EXAMPLE.ORG", "ana@example.org"]),
        json!("ana@example.org;bo@example.org"),
        json!("mailto:ana@example.org"),
        json!("<ana@example.org>"),
        json!("undisclosed-recipients:;"),
        json!(["ana@example.org\r\nBcc: eve@evil.example"]),
        json!("ana@example.org bo@example.org"),
        json!("ana at example.org"),
        json!("Ana <ana@example.org> <eve@evil.example>"),
        json!([{"name": "eve@evil.example", "address": "ana@example.org"}]),
        json!("ana@example.org\u{200b}"),
        json!("ana@exаmple.org"),
    ];
    let scripts = cases.iter().enumerate().map(|(at, to)| script(at, vec![Turn::call("mail_send", json!({"to": to, "subject": "s", "body": "b"}))]));
    let mut world = World::with_scripts(scripts.collect(), 0);
    world.serve();
    world.connect("send");
    for (at, to) in cases.iter().enumerate() {
        let task = world.task(&format!("(case {at}) write the mail"));
        if task["state"] == "waiting" {
            let card = world.waiting();
            let to_items: Vec<String> = card["items"].as_array().unwrap().iter().filter(|i| ["To", "Cc"].contains(&i["label"].as_str().unwrap()) || i["label"].as_str().unwrap().starts_with("Bcc")).map(|i| i["value"].to_string()).collect();
            world.ok(&["approve", &id(&card)], PASSPHRASE);
            world.until(&id(&card), "succeeded");
            eprintln!("CASE {to}: shown {to_items:?} arrived {:?} warn {}", world.sink.arrived().last().unwrap().to, card["warnings"]);
        } else {
            eprintln!("CASE {to}: NO {}", result(&world));
        }
    }
}

#[test]
fn answers_to_mail_of_odd_shapes() {
    let me = servers::ACCOUNT;
    let mails = [
        format!("From: {me}\nTo: Ana <ana@example.org>\nSubject: mine\nMessage-ID: <1@x>\n\nhello\n"),
        format!("From: Ana <ana@example.org>, Bo <bo@example.org>\nSender: Bo <bo@example.org>\nTo: {me}\nSubject: two\nMessage-ID: <2@x>\n\nhello\n"),
        format!("From: Ana <ana@example.org>\nReply-To: <>\nTo: {me}\nSubject: empty\nMessage-ID: <3@x>\n\nhello\n"),
        format!("From: Ana via List <list@lists.example>\nReply-To: List <list@lists.example>\nList-Post: <mailto:list@lists.example>\nX-Original-From: ana@example.org\nTo: list@lists.example\nSubject: [list] hi\nMessage-ID: <4@x>\n\nhello\n"),
        format!("From: Ana <ana@example.org>\nTo: me+shop@bailey.test, {me}, ME@Bailey.Test\nCc: bo@example.org, Ana <ANA@example.org>\nSubject: plus\nMessage-ID: <5@x>\n\nhello\n"),
        format!("From: ana@example.org\nTo: {me}\nSubject: Re: Re: AW: Fwd: deep\nMessage-ID: <6@x>\n\n> old\n\nnew\n"),
        format!("From: =?utf-8?Q?=22Eve=22_=3Ceve=40evil=2Eexample=3E?= <ana@example.org>\nTo: {me}\nSubject: name\nMessage-ID: <7@x>\n\nhello\n"),
        format!("From: Ana <ana@example.org>\nTo: {me}\nSubject:\nMessage-ID: <8@x>\n\n\n"),
    ];
    let scripts = (0..mails.len()).flat_map(|at| {
        let one = format!("<{}@x>", at + 1);
        let subject = mails[at].lines().find(|l| l.starts_with("Subject:")).unwrap()[8..].trim().to_owned();
        [false, true].map(|all| {
            let _ = &one;
            script(2 * at + usize::from(all), vec![
                Turn::call("mail_search", if subject.is_empty() { json!({"from": "ana"}) } else { json!({"subject": subject}) }),
                Turn::call("mail_reply", json!({"id": "$ID0", "body": "Yes.", "all": all})),
            ])
        })
    });
    let account = Account::with_scripts(scripts.collect(), 300);
    let world = &account.world;
    account.with_password("send");
    for (at, mail) in mails.iter().enumerate() {
        account.server.deliver("", &at.to_string(), mail).unwrap();
        for all in [false, true] {
            let task = world.task(&format!("(case {}) answer the mail", 2 * at + usize::from(all)));
            if task["state"] == "waiting" {
                let card = world.waiting();
                world.ok(&["approve", &id(&card)], PASSPHRASE);
                world.until(&id(&card), "succeeded");
                let arrived = world.sink.arrived().pop().unwrap();
                let parsed = MessageParser::default().parse(&arrived.bytes).unwrap();
                eprintln!("CASE {at} all={all}: to {:?} subject {:?} refs {:?} warn {}", arrived.to, parsed.subject(), parsed.references().as_text_list(), card["warnings"]);
            } else {
                eprintln!("CASE {at} all={all}: NO {}", result(world));
            }
        }
    }
}

#[test]
fn entries_of_odd_shapes_are_moved_and_cancelled() {
    let event = |lines: &str| format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20261101T000000Z\n{lines}\nSUMMARY:Thing\nX-KEEP:ü\nEND:VEVENT\nEND:VCALENDAR\n");
    let cases = [
        (event("DTSTART;VALUE=DATE:20270301\nDTEND;VALUE=DATE:20270304"), json!({"begins": "8 March 2027"}), "move the thing to 8 March 2027"),
        (event("DTSTART;TZID=Pacific Standard Time:20270301T090000\nDURATION:PT90M"), json!({"begins": "2 March 2027 at 20:00"}), "move the thing to 2 March 2027 at 20:00"),
        (event("DTSTART;TZID=Europe/Paris:20270327T220000\nDTEND;TZID=Europe/Paris:20270328T060000"), json!({"begins": "29.3.2027"}), "verschieb das Ding auf den 29.3.2027"),
        (event("DTSTART:20270301T090000\nDTEND:20270301T100000"), json!({"ends": "11:30"}), "make the thing end at 11:30, change it"),
        (event("DTSTART;TZID=Europe/Paris:20270301T090000\nDTEND;TZID=Europe/Paris:20270301T100000\nRDATE;TZID=Europe/Paris:20270303T090000,20270305T140000"), json!({"which": "this", "cancel": true}), "cancel the thing on 3 March 2027"),
        ("begin:vcalendar\nversion:2.0\nbegin:vevent\nuid:1\ndtstamp:20261101T000000Z\ndtstart;tzid=Europe/Paris:20270301T090000\ndtend;tzid=Europe/Paris:20270301T100000\nsummary:Thing with a\n\tlong name\nend:vevent\nend:vcalendar\n".to_owned(), json!({"begins": "2 mars 2027 à 10h"}), "déplace la chose au 2 mars 2027 à 10h"),
        (event("DTSTART;TZID=Europe/Paris:20270301T090000\nDTEND;TZID=Europe/Paris:20270301T100000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"), json!({"begins": "10:00", "which": "all"}), "move all of the thing to 10:00"),
    ];
    let read = || Turn::call("calendar_read", json!({"from": "2027-03-02", "until": "2027-03-10"}));
    let first = || Turn::call("calendar_read", json!({"from": "2027-02-25", "until": "2027-04-01"}));
    let scripts = cases.iter().enumerate().map(|(at, (_, change, _))| {
        let mut change = change.clone();
        change["id"] = "$ID0".into();
        let cancel = change.get("cancel").is_some();
        script(at, vec![if cancel { read() } else { first() }, Turn::call(if cancel { "calendar_cancel" } else { "calendar_change" }, change)])
    });
    let mut world = World::with_scripts(scripts.collect(), 0);
    world.serve();
    let server = calendar(&world);
    for (at, (entry, _, words)) in cases.iter().enumerate() {
        server.add("1", entry).unwrap();
        let task = world.task(&format!("{words} (case {at})"));
        let after = server.stored().join("");
        let lines: Vec<&str> = after.lines().filter(|line| { let l = line.to_uppercase(); ["DT", "DUR", "RRULE", "RDATE", "EXDATE", "X-KEEP", "SUMM"].iter().any(|p| l.starts_with(p)) && !l.starts_with("DTSTAMP") }).collect();
        eprintln!("CASE {words}: {} {lines:?} / {}", task["state"], result(&world));
        if task["state"] == "waiting" {
            let card = world.waiting();
            eprintln!("   WAITS {} {}", card["headline"], card["reason"]);
            world.ok(&["reject", &id(&card)], "");
        }
    }
}
