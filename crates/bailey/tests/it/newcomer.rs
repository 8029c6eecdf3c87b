//! What somebody new might say or have, at real servers, forty-three inputs: nobody else gets it, nothing is lost, no time is another.

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

/// What becomes of words: lines of the entry, or what is asked.
enum Becomes {
    Entry(&'static str, &'static str),
    Asks(&'static str),
}

#[test]
fn times_in_words_are_those_that_are_meant_or_ask() {
    use Becomes::{Asks, Entry};
    let cases = [
        ("3 March 2027 at 14:15", Entry("DTSTART:20270303T131500Z", "DTEND:20270303T141500Z")),
        ("28 March 2027 at 2:30am", Asks("there is no 02:30 on 2027-03-28")),
        ("31.10.2027 um 2:30 Uhr", Asks("02:30 comes twice on 2027-10-31")),
        (
            "Mittwoch, den 14. April 2027, um halb acht abends",
            Entry("DTSTART:20270414T173000Z", "DTEND:20270414T183000Z"),
        ),
        ("le 1er mai 2027 à 18h", Entry("DTSTART:20270501T160000Z", "DTEND:20270501T170000Z")),
        ("samedi 5 juin 2027 de 10h à midi", Entry("DTSTART:20270605T080000Z", "DTEND:20270605T100000Z")),
        ("30 February 2027", Asks("there is no day 2027-02-30")),
        ("Tuesday 3 March 2027 at noon", Asks("it is Wednesday 2027-03-03")),
        ("5/6/2027 at 10am", Asks("either may be the month")),
        ("24. Dezember 2027", Entry("DTSTART;VALUE=DATE:20271224", "DTEND;VALUE=DATE:20271225")),
        ("vom 3. bis 5. August 2027", Entry("DTSTART;VALUE=DATE:20270803", "DTEND;VALUE=DATE:20270806")),
        (
            "June 1st, 2027, quarter past nine in the evening",
            Entry("DTSTART:20270601T191500Z", "DTEND:20270601T201500Z"),
        ),
        ("am 2.1.2027 um 24 Uhr", Entry("DTSTART:20270102T230000Z", "DTEND:20270103T000000Z")),
        ("2027-02-29 10:00", Asks("there is no day `2027-02-29`")),
        ("mardi 13 juillet 2027 à 8h moins le quart", Asks("2027-07-13T07:45:00+02:00")),
    ];
    let create = |(at, (begins, _)): (usize, &(&str, Becomes))| {
        script(at, vec![Turn::call("calendar_create", json!({"what": format!("X{at}"), "begins": begins}))])
    };
    let mut world = World::with_scripts(cases.iter().enumerate().map(create).collect(), 0);
    world.serve();
    let server = calendar(&world);
    for (at, (begins, becomes)) in cases.iter().enumerate() {
        world.task(&format!("(case {at}) add the entry to my calendar: {begins}"));
        let made = server.stored().into_iter().find(|entry| entry.contains(&format!("SUMMARY:X{at}\r\n")));
        match (becomes, made) {
            (Entry(first, last), Some(entry)) => {
                let holds = |line: &str| entry.contains(&format!("{line}\r\n"));
                assert!(holds(first) && holds(last), "{begins}: {entry}");
            }
            (Asks(why), None) => assert!(result(&world).contains(why), "{begins}: {}", result(&world)),
            (_, made) => panic!("{begins}: {made:?} {}", result(&world)),
        }
    }
}

#[test]
fn recipients_as_people_and_models_write_them_are_those_or_nobody() {
    let (ana, bo) = ("ana@example.org", "bo@example.org");
    let cases = [
        (json!("Müller, Jörg <joerg@firma.example>"), vec![], "write that name in quotation marks"),
        (json!(["ANA@EXAMPLE.ORG", ana]), vec!["ANA@example.org"], ""),
        (json!("ana@example.org;bo@example.org"), vec![ana, bo], ""),
        (json!("mailto:ana@example.org"), vec![ana], ""),
        (json!("<ana@example.org>"), vec![ana], ""),
        (json!("undisclosed-recipients:;"), vec![], "cannot be used: a mail needs at least one recipient"),
        (json!(["ana@example.org\r\nBcc: eve@evil.example"]), vec![], "control character"),
        (json!("ana@example.org bo@example.org"), vec![], "is not an e-mail address"),
        (json!("ana at example.org"), vec![], "is not an e-mail address"),
        (json!("Ana <ana@example.org> <eve@evil.example>"), vec![], "is not an e-mail address"),
        (json!([{"name": "eve@evil.example", "address": ana}]), vec![ana], ""),
        (json!("ana@example.org\u{200b}"), vec![ana], ""),
        (json!("ana@ex\u{430}mple.org"), vec![], "is not an e-mail address"),
    ];
    let send = |(at, (to, ..)): (usize, &(Value, Vec<&str>, &str))| {
        script(at, vec![Turn::call("mail_send", json!({"to": to, "subject": "s", "body": "b"}))])
    };
    let mut world = World::with_scripts(cases.iter().enumerate().map(send).collect(), 0);
    world.serve();
    world.connect("send");
    for (at, (to, wanted, why)) in cases.iter().enumerate() {
        let task = world.task(&format!("(case {at}) write the mail"));
        let before = world.sink.arrived().len();
        if wanted.is_empty() {
            assert_eq!(task["state"], "answered", "{to}: {task:#}");
            assert!(result(&world).contains(why), "{to}: {}", result(&world));
            continue;
        }
        let card = world.waiting();
        world.ok(&["approve", &id(&card)], PASSPHRASE);
        world.until(&id(&card), "succeeded");
        let arrived = world.sink.arrived();
        assert_eq!(
            (arrived.len(), &arrived[before].to[..]),
            (before + 1, &wanted.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()[..]),
            "{to}"
        );
        assert!(!String::from_utf8_lossy(&arrived[before].bytes).contains("\nBcc"), "{to}");
    }
}

#[test]
fn answers_to_mail_of_odd_shapes_go_to_those_it_names_and_not_to_oneself() {
    let me = servers::ACCOUNT;
    let (ana, bo, list) = ("ana@example.org", "bo@example.org", "list@lists.example");
    // Header, who gets the answer, who gets one to all, the subject of it.
    let cases = [
        (format!("From: {me}\nTo: Ana <{ana}>\nSubject: mine"), vec![ana], vec![ana], "Re: mine"),
        (
            format!("From: Ana <{ana}>, Bo <{bo}>\nSender: Bo <{bo}>\nTo: {me}\nSubject: two"),
            vec![ana, bo],
            vec![ana, bo],
            "Re: two",
        ),
        (format!("From: Ana <{ana}>\nReply-To: <>\nTo: {me}\nSubject: empty"), vec![ana], vec![ana], "Re: empty"),
        (
            format!(
                "From: Ana via List <{list}>\nReply-To: List <{list}>\nList-Post: <mailto:{list}>\nX-Original-From: {ana}\nTo: {list}\nSubject: [list] hi"
            ),
            vec![list],
            vec![list],
            "Re: [list] hi",
        ),
        (
            format!(
                "From: Ana <{ana}>\nTo: me+shop@bailey.test, {me}, ME@Bailey.Test\nCc: {bo}, Ana <ANA@example.org>\nSubject: plus"
            ),
            vec![ana],
            vec![ana, bo],
            "Re: plus",
        ),
        (format!("From: {ana}\nTo: {me}\nSubject: Re: Re: AW: Fwd: deep"), vec![ana], vec![ana], "Re: Fwd: deep"),
        (
            format!("From: =?utf-8?Q?=22Eve=22_=3Ceve=40evil=2Eexample=3E?= <{ana}>\nTo: {me}\nSubject: name"),
            vec![ana],
            vec![ana],
            "Re: name",
        ),
    ];
    let number = |at: usize, all: bool| 2 * at + usize::from(all);
    let scripts = cases.iter().enumerate().flat_map(|(at, (.., subject))| {
        let word = subject.rsplit(' ').next().unwrap();
        [false, true].map(|all| {
            let answer = json!({"id": "$ID0", "body": "Yes.", "all": all});
            let turns = vec![Turn::call("mail_search", json!({"subject": word})), Turn::call("mail_reply", answer)];
            script(number(at, all), turns)
        })
    });
    let account = Account::with_scripts(scripts.collect(), 300);
    let world = &account.world;
    account.with_password("send");
    for (at, (header, one, everybody, subject)) in cases.iter().enumerate() {
        account.server.deliver("", &at.to_string(), &format!("{header}\nMessage-ID: <{at}@x>\n\nhello\n")).unwrap();
        for (all, wanted) in [(false, one), (true, everybody)] {
            world.task(&format!("(case {}) answer the mail", number(at, all)));
            let card = world.waiting();
            world.ok(&["approve", &id(&card)], PASSPHRASE);
            world.until(&id(&card), "succeeded");
            let arrived = world.sink.arrived().pop().unwrap();
            assert_eq!(&arrived.to, wanted, "{header}");
            let parsed = MessageParser::default().parse(&arrived.bytes).unwrap();
            assert_eq!(parsed.subject(), Some(*subject));
            assert_eq!(parsed.in_reply_to().as_text(), Some(format!("{at}@x").as_str()), "{header}");
        }
    }
}

#[test]
fn entries_of_odd_shapes_keep_what_the_words_do_not_change() {
    let event = |lines: &str| {
        format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20261101T000000Z\n{lines}\nSUMMARY:Thing\nX-KEEP:ü\nEND:VEVENT\nEND:VCALENDAR\n"
        )
    };
    let paris = ";TZID=Europe/Paris:";
    let whole = |day: &str, end: &str| format!("DTSTART;VALUE=DATE:{day}\nDTEND;VALUE=DATE:{end}");
    let timed = |day: &str| format!("DTSTART{paris}{day}T090000\nDTEND{paris}{day}T100000");
    let cases = [
        // Three days stay three days, and whole.
        (
            event(&whole("20270301", "20270304")),
            json!({"begins": "8 March 2027"}),
            "move the thing to 8 March 2027",
            vec!["DTSTART;VALUE=DATE:20270308", "DTEND;VALUE=DATE:20270311"],
        ),
        // A zone as Windows names it: 20:00 in Paris is 11:00 there, and it stays an entry of there.
        (
            event("DTSTART;TZID=Pacific Standard Time:20270301T090000\nDURATION:PT90M"),
            json!({"begins": "2 March 2027 at 20:00"}),
            "move the thing to 2 March 2027 at 20:00",
            vec!["DTSTART;TZID=Pacific Standard Time:20270302T110000", "DURATION:PT1H30M"],
        ),
        (
            event(&timed("20270301")),
            json!({"ends": "11:30"}),
            "change the thing so that it ends at 11:30",
            vec!["DTSTART;TZID=Europe/Paris:20270301T090000", "DTEND;TZID=Europe/Paris:20270301T113000"],
        ),
        (
            event("DTSTART:20270301T090000\nDTEND:20270301T100000"),
            json!({"begins": "3.3.2027"}),
            "verschieb das Ding auf den 3.3.2027",
            vec!["DTSTART:20270303T090000", "DTEND:20270303T100000"],
        ),
        (
            event(&format!("{}\nRDATE{paris}20270303T090000,20270305T140000", timed("20270301"))),
            json!({"which": "this"}),
            "cancel the thing on 3 March 2027",
            vec!["EXDATE;TZID=Europe/Paris:20270303T090000", "DTSTART;TZID=Europe/Paris:20270301T090000"],
        ),
        (
            "begin:vcalendar\nversion:2.0\nbegin:vevent\nuid:1\ndtstamp:20261101T000000Z\ndtstart;tzid=Europe/Paris:20270301T090000\ndtend;tzid=Europe/Paris:20270301T100000\nsummary:Thing\nx-keep:ü\nend:vevent\nend:vcalendar\n".to_owned(),
            json!({"begins": "2 mars 2027 à 10h"}),
            "déplace la chose au 2 mars 2027 à 10h",
            vec!["DTSTART;TZID=Europe/Paris:20270302T100000", "DTEND;TZID=Europe/Paris:20270302T110000"],
        ),
        (
            event(&format!("{}\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE", timed("20270301"))),
            json!({"begins": "10:00", "which": "all"}),
            "move all of the thing to 10:00",
            vec!["DTSTART;TZID=Europe/Paris:20270301T100000", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE"],
        ),
        // More than the words say asks, and changes nothing before.
        (
            event(&format!("{}\nRRULE:FREQ=WEEKLY", timed("20270301"))),
            json!({"which": "all", "begins": "10:00"}),
            "move the thing on 8 March 2027 to 10:00",
            vec!["DTSTART;TZID=Europe/Paris:20270301T090000", "RRULE:FREQ=WEEKLY"],
        ),
    ];
    let scripts = cases.iter().enumerate().map(|(at, (_, change, words, _))| {
        let cancels = words.starts_with("cancel");
        let mut change = change.clone();
        change["id"] = "$ID0".into();
        let from = if cancels { "2027-03-02" } else { "2027-02-25" };
        let tool = if cancels { "calendar_cancel" } else { "calendar_change" };
        let look = Turn::call("calendar_read", json!({"from": from, "until": "2027-04-01"}));
        script(at, vec![look, Turn::call(tool, change)])
    });
    let mut world = World::with_scripts(scripts.collect(), 0);
    world.serve();
    let server = calendar(&world);
    for (at, (entry, _, words, lines)) in cases.iter().enumerate() {
        server.add("1", entry).unwrap();
        let task = world.task(&format!("{words} (case {at})"));
        let after = server.stored().join("").replace("\r\n ", "");
        for line in lines {
            assert!(after.contains(&format!("{line}\r\n")), "{words}: {line}: {after} {}", result(&world));
        }
        assert!(after.contains("X-KEEP:ü\r\n") && after.contains("SUMMARY:Thing\r\n"), "{words}: {after}");
        let asks = at + 1 == cases.len();
        assert_eq!(task["state"] == "waiting", asks, "{words}: {task:#}");
        if asks {
            let card = world.waiting();
            assert!(card.to_string().contains("Your words do not say that so much of the series is meant"), "{card:#}");
        }
    }
}
