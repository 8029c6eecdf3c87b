use bailey_gate::ConnectionId;
use bailey_gate::family::mail::{MailAction, Message, MessageId, MessageRef, SenderProof};
use bailey_gate::family::{Action, Level, punycode};

use super::answer::Making;
use super::compose::{Around, message_of};
use super::original::on_a_deep_stack;
use bailey_calendar::itip::Answer;

use super::*;

fn context() -> HomeContext {
    let settings = serde_json::json!({"kind": "mail", "address": "me@example.org"});
    let other = serde_json::json!({"kind": "mail", "address": "me@work.example"});
    let account = |settings, n| Account {
        connection: (ConnectionId::from_bytes([n; 16]), 1),
        level: Level::Full,
        settings: serde_json::from_value(settings).unwrap(),
        is_default: false,
    };
    HomeContext {
        accounts: vec![account(settings, 1), account(other, 2)],
        words: String::new(),
        zone: jiff::tz::TimeZone::UTC,
        seconds: 0,
        offset_minutes: 60,
        unique: [7; 16],
    }
}

fn send(arguments: &str) -> Result<Message, BadCall> {
    match message_of("mail_send", &Arguments::parse(arguments)?, &context(), Around::default())?.1 {
        Action::Mail(MailAction::Send(message)) => Ok(message),
        other => panic!("{other:?}"),
    }
}

fn to(list: &serde_json::Value) -> Result<Vec<String>, BadCall> {
    let call = serde_json::json!({"to": list, "subject": "s", "body": "b"});
    Ok(send(&call.to_string())?.to.iter().map(ToString::to_string).collect())
}

#[test]
fn what_models_write_becomes_a_message() {
    let mail = send(r#"{"to":"Ana Doe <ana@example.org>; bo@example.org","subject":" Hi ","body":"a\r\nb"}"#).unwrap();
    assert_eq!(mail.to.len(), 2);
    assert_eq!(mail.to[0].to_string(), "Ana Doe <ana@example.org>");
    assert_eq!((mail.subject.as_str(), mail.body.as_str()), ("Hi", "a\nb"));
    assert_eq!(mail.message_id.as_str(), "<07070707070707070707070707070707@example.org>");
}

#[test]
fn recipients_are_lists_texts_or_objects_and_a_name_changes_none() {
    for (written, wanted) in [
        (json!(["ana@example.org", "Bo <bo@example.org>"]), vec!["ana@example.org", "Bo <bo@example.org>"]),
        (json!([r#""Doe, Jane" <jane.doe@corp.example>"#]), vec![r#""Doe, Jane" <jane.doe@corp.example>"#]),
        (json!(r#""ana@example.org, Tom" <tom@example.org>"#), vec![r#""ana@example.org, Tom" <tom@example.org>"#]),
        (json!("ana@example.org (Ana)"), vec!["Ana <ana@example.org>"]),
        (json!(r#"["ana@example.org", "bo@example.org"]"#), vec!["ana@example.org", "bo@example.org"]),
        (
            json!([{"name": "Doe, Jane", "address": "j@example.org"}, {"email": "bo@example.org"}]),
            vec![r#""Doe, Jane" <j@example.org>"#, "bo@example.org"],
        ),
        (json!(["joerg@exämple.org"]), vec!["joerg@xn--exmple-cua.org"]),
        // A letter with a mark of its own, and full-width letters, are the same name (UTS 46).
        (
            json!(["joerg@exa\u{308}mple.org", "x@ＥＸＡＭＰＬＥ.org"]),
            vec!["joerg@xn--exmple-cua.org", "x@example.org"],
        ),
        (json!(["ana@example.org", ""]), vec!["ana@example.org"]),
    ] {
        assert_eq!(to(&written).unwrap(), wanted, "{written}");
    }
    for (written, says) in [
        (json!(["ana@example.org, Tom <tom@example.org>"]), "not clear"),
        (json!(["ana@example.org, bo@example.org"]), "names 2 recipients"),
        (json!([{"name": "Ana"}]), "no `address`"),
        (json!([["ana@example.org"]]), "no e-mail address"),
        (json!(["ana@example.org", 7]), "no e-mail address"),
        (json!(true), "no list"),
        (json!("Doe, Jane <jane.doe@corp.example>"), "quotation marks"),
    ] {
        let why = to(&written).expect_err(&written.to_string()).to_string();
        assert!(why.contains("`to`") && why.contains(says), "{written}: {why}");
    }
}

#[test]
fn recipients_domains_come_out_as_the_gate_compares_them() {
    for domain in ["exämple.org", "bücher.example", "straße.example", "пример.испытание", "例え.テスト", "EXÄMPLE.org"]
    {
        let read = to(&json!([format!("x@{domain}")])).unwrap();
        assert_eq!(read, [format!("x@{}", punycode::to_ascii(domain).unwrap())]);
    }
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    for (arguments, name) in [
        (r#"{"subject":"s","body":"b"}"#, "to"),
        (r#"{"to":"ana","subject":"s","body":"b"}"#, "to"),
        (r#"{"to":"a@x.org","subject":"s\r\nBcc: e@evil.org","body":"b"}"#, "subject"),
        (r#"{"to":"a@x.org","subject":"s","body":"b","bcc":"e@evil.org\r\nX: y"}"#, "bcc"),
        (r#"{"to":"a@x.org","subject":"s","body":"b","in_reply_to":"<a b@c>"}"#, "in_reply_to"),
    ] {
        match send(arguments) {
            Err(BadCall::Bad { name: found, .. }) => assert_eq!(found, name, "{arguments}"),
            other => panic!("{arguments}: {other:?}"),
        }
    }
    assert_eq!(send(r#"{"to":"a@x.org","body":"b"}"#), Err(BadCall::Missing("subject")));
}

#[test]
fn message_ids_are_taken_as_programs_write_them_or_refused_as_what_they_are() {
    let answer = |id: &str| {
        let call = json!({"to": "a@x.org", "subject": "s", "body": "b", "in_reply_to": id});
        send(&call.to_string()).map(|mail| mail.in_reply_to.unwrap().as_str().to_owned())
    };
    assert_eq!(answer("a@b").as_deref(), Ok("<a@b>"));
    assert_eq!(answer("<without-an-at-sign>").as_deref(), Ok("<without-an-at-sign>"));
    assert_eq!(answer("<\"quoted\"@[10.0.0.1]>").as_deref(), Ok("<\"quoted\"@[10.0.0.1]>"));
    let why = answer("<an odd one@x>").unwrap_err().to_string();
    assert!(why.contains("Message-ID") && !why.contains("control character"), "{why}");
}

#[test]
fn ids_and_folders_are_read_strictly() {
    let read =
        |id: &str| prepare_read(&Arguments::parse(&serde_json::json!({"id": id}).to_string()).unwrap(), &context());
    assert!(read("INBOX/12/7").is_ok());
    assert!(read("A folder/with/parts/12/7").is_ok());
    for bad in ["", "7", "INBOX/7", "INBOX/x/7", "INBOX/12/7,8", "INBOX/12/*", "IN\r\nBOX/12/7", "INBOX/12/99999999999"]
    {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

fn making<T>(mail: &str, arguments: serde_json::Value, make: impl Fn(Making<'_>) -> T) -> T {
    let arguments = Arguments::parse(&arguments.to_string()).unwrap();
    let context = context();
    let original = on_a_deep_stack(mail.replace('\n', "\r\n").as_bytes()).unwrap_or_default();
    let from = Mailbox { name: None, address: Address::new("me@example.org").unwrap() };
    let message = MessageRef { folder: FolderName::new("INBOX").unwrap(), uid_validity: 1, uid: 7 };
    make(Making { arguments: &arguments, cx: &context, from, message, original, sender: SenderProof::NotLooked })
}

fn reply(mail: &str, arguments: serde_json::Value) -> Result<Message, BadCall> {
    making(mail, arguments, |making| making.reply())
}

fn names(list: &[Mailbox]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

const MAIL: &str = "From: \"Doe, Jane\" <jane.doe@corp.example>
To: me@example.org, \"ana@example.org, Tom\" <tom@example.org>
Cc: Bo <bo@example.org>, JANE.DOE@corp.example, me@work.example
Subject: AW: Re[2]: Lunch
Date: Tue, 24 Nov 2026 09:00:00 +0100
Message-ID: <3@corp.example>
In-Reply-To: <2@example.org>
References: <1@corp.example> <2@example.org>

Shall we?

> I asked.
-- 
Jane
";

#[test]
fn answers_go_where_the_mail_asks_in_its_thread_and_quote_it() {
    let mail = reply(MAIL, json!({"body": "Yes."})).unwrap();
    assert_eq!(names(&mail.to), ["\"Doe, Jane\" <jane.doe@corp.example>"]);
    assert!(mail.cc.is_empty());
    assert_eq!(mail.subject.as_str(), "Re: Lunch");
    assert_eq!(mail.in_reply_to.as_ref().map(MessageId::as_str), Some("<3@corp.example>"));
    let thread: Vec<&str> = mail.references.iter().map(MessageId::as_str).collect();
    assert_eq!(thread, ["<1@corp.example>", "<2@example.org>", "<3@corp.example>"]);
    let quoted = "Yes.\n\nOn Tue, 24 Nov 2026 09:00:00 +0100, \"Doe, Jane\" <jane.doe@corp.example> wrote:\n> Shall we?\n>\n>> I asked.\n";
    assert_eq!(mail.body, quoted);
    assert_eq!(reply(MAIL, json!({"body": "Yes.", "quote": "none"})).unwrap().body, "Yes.");
    assert!(reply(MAIL, json!({"body": "Yes.", "quote": "sideways"})).is_err());
}

#[test]
fn answers_to_all_leave_out_oneself_and_name_everybody_once() {
    let mail = reply(MAIL, json!({"body": "Yes.", "all": true})).unwrap();
    let to = ["\"Doe, Jane\" <jane.doe@corp.example>", "\"ana@example.org, Tom\" <tom@example.org>"];
    assert_eq!(names(&mail.to), to);
    assert_eq!(names(&mail.cc), ["Bo <bo@example.org>"]);
    let more = json!({"body": "Yes.", "cc": ["bo@example.org", "new@example.org"], "bcc": ["tom@example.org"]});
    let mail = reply(MAIL, more).unwrap();
    assert_eq!(
        (names(&mail.cc), names(&mail.bcc)),
        (vec!["bo@example.org".into(), "new@example.org".into()], vec!["tom@example.org".into()])
    );
    let odd = MAIL.replace("Bo <bo@example.org>", "Bo <b\u{ff4f}@example.org>");
    let why = reply(&odd, json!({"body": "Yes.", "all": true})).unwrap_err().to_string();
    assert!(why.contains("no address that can be written to"), "{why}");
}

#[test]
fn answers_follow_reply_to_and_say_so() {
    let asks = "From: Shop <no-reply@shop.example>\nReply-To: \"Service, Team\" <service@shop.example>\nTo: me@example.org\nSubject: Order\nMessage-ID: <1@shop.example>\n\nHi\n";
    let mail = reply(asks, json!({"body": "Hello"})).unwrap();
    assert_eq!(names(&mail.to), ["\"Service, Team\" <service@shop.example>"]);
    let source = mail.source.unwrap();
    assert_eq!(source.from, "Shop <no-reply@shop.example>");
    assert_eq!(source.reply_to, "\"Service, Team\" <service@shop.example>");
    let same = asks.replace("service@shop", "no-reply@shop").replace("\"Service, Team\"", "Shop");
    assert_eq!(reply(&same, json!({"body": "Hello"})).unwrap().source.unwrap().reply_to, "");
    // Who answers their own mail goes on writing to whom they wrote to.
    let own = "From: me@work.example\nTo: Ana <ana@example.org>\nSubject: Re: x\n\nHi\n";
    assert_eq!(names(&reply(own, json!({"body": "PS"})).unwrap().to), ["Ana <ana@example.org>"]);
    let nobody = "From: undisclosed:;\nSubject: x\n\nHi\n";
    assert!(reply(nobody, json!({"body": "PS"})).is_err());
    let idn = "From: J\u{f6}rg <joerg@ex\u{e4}mple.org>\nSubject: x\n\nHi\n";
    assert_eq!(names(&reply(idn, json!({"body": "PS"})).unwrap().to), ["Jörg <joerg@xn--exmple-cua.org>"]);
}

/// Programs show the first of repeated fields, or the last, or both (RFC 5322, 3.6 allows one): who would get an answer is not clear.
#[test]
fn answers_to_mail_that_names_its_people_twice_are_refused() {
    let once =
        "From: Ana <ana@example.org>\nReply-To: ana@example.org\nTo: me@example.org\nCc: bo@example.org\nSubject: x\n";
    assert!(reply(&format!("{once}\nHi\n"), json!({"body": "Hello"})).is_ok());
    for again in [
        "From: eve@evil.example",
        "FROM: ana@example.org",
        "Reply-To: eve@evil.example",
        "to: eve@evil.example",
        "CC: x@y.z",
    ] {
        for mail in [format!("{once}{again}\n\nHi\n"), format!("{again}\n{once}\nHi\n")] {
            let why = reply(&mail, json!({"body": "Hello"})).unwrap_err().to_string();
            assert!(why.contains("more than once") && why.contains("mail_send"), "{again}: {why}");
        }
    }
}

/// Anybody can write a mail in the person's own name: an answer to it goes to whom it names, which is pointed out.
#[test]
fn answers_to_mail_in_the_persons_own_name_point_out_who_gets_them() {
    let mail = "From: me@example.org\nTo: Eve <eve@evil.example>\nSubject: x\n\nHi\n";
    let mail = reply(mail, json!({"body": "Hello"})).unwrap();
    assert_eq!(names(&mail.to), ["Eve <eve@evil.example>"]);
    assert_eq!(mail.source.unwrap().reply_to, "Eve <eve@evil.example>");
}

#[test]
fn answers_say_once_that_they_are_answers() {
    for (subject, wanted) in [
        ("Lunch", "Re: Lunch"),
        ("Re: Lunch", "Re: Lunch"),
        ("RE: AW: Re: Lunch", "Re: Lunch"),
        ("R\u{c9}: Lunch", "Re: Lunch"),
        ("RE : Lunch", "Re: Lunch"),
        ("SV: VS: Lunch", "Re: VS: Lunch"),
        ("Re[3]: Lunch", "Re: Lunch"),
        ("Antw: Lunch: where?", "Re: Lunch: where?"),
        ("Fwd: Re: Lunch", "Re: Fwd: Re: Lunch"),
        ("Re-use: it", "Re: Re-use: it"),
        ("Research: results", "Re: Research: results"),
        ("", "Re:"),
    ] {
        let mail = format!("From: a@example.org\nSubject: {subject}\n\nHi\n");
        assert_eq!(reply(&mail, json!({"body": "b"})).unwrap().subject.as_str(), wanted, "{subject}");
    }
}

#[test]
fn answers_keep_the_first_and_the_newest_of_a_long_thread() {
    let ids: Vec<String> = (0..200).map(|n| format!("<{n}@example.org>")).collect();
    let mail = format!("From: a@example.org\nMessage-ID: <new@example.org>\nReferences: {}\n\nHi\n", ids.join("\n "));
    let references = reply(&mail, json!({"body": "b"})).unwrap().references;
    assert_eq!(references.len(), mail::MAX_REFERENCES);
    assert_eq!(references[0].as_str(), "<0@example.org>");
    assert_eq!(references[1].as_str(), "<152@example.org>");
    assert_eq!(references.last().unwrap().as_str(), "<new@example.org>");
    let only = "From: a@example.org\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>\n\nHi\n";
    let thread = reply(only, json!({"body": "b"})).unwrap().references;
    assert_eq!(thread.iter().map(MessageId::as_str).collect::<Vec<_>>(), ["<1@x>", "<2@x>"]);
}

const WITH_FILES: &str = "From: Ana <ana@example.org>
To: me@example.org
Subject: WG: Plans
Date: Tue, 24 Nov 2026 09:00:00 +0100
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain

See below.
--x
Content-Type: application/pdf; name=\"../plan.pdf\"
Content-Disposition: attachment; filename=\"../plan.pdf\"
Content-Transfer-Encoding: base64

AAEC
--x
Content-Type: text/csv; charset=iso-8859-1
Content-Disposition: attachment; filename=\"a.csv\"
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--x--
";

#[test]
fn a_forwarded_mail_has_its_text_and_exactly_its_files() {
    let forward = |arguments| making(WITH_FILES, arguments, |making| making.forward());
    let mail: Message = forward(json!({"id": "x", "to": ["bo@example.org"], "body": "FYI"})).unwrap();
    assert_eq!(mail.subject.as_str(), "Fwd: Plans");
    let text = "FYI\n\n---------- Forwarded message ----------\nFrom: Ana <ana@example.org>\nDate: Tue, 24 Nov 2026 09:00:00 +0100\nSubject: WG: Plans\nTo: me@example.org\n\nSee below.\n";
    assert_eq!(mail.body, text);
    let files: Vec<(&str, &str, &[u8])> = mail
        .attachments
        .iter()
        .map(|file| (file.name.as_str(), file.media_type.as_str(), file.bytes.as_slice()))
        .collect();
    assert_eq!(files[0], (".._plan.pdf", "application/pdf", [0, 1, 2].as_slice()));
    assert_eq!((files[1].0, files[1].1), ("a.csv", "text/csv"));
    assert_eq!(files[1].2.trim_ascii_end(), b"Gr\xfc\xdfe", "the bytes are those that came, in their character set");
    let by_hash = "ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc";
    let one = |files| {
        forward(json!({"id": "x", "to": ["bo@example.org"], "files": files})).map(|mail| mail.attachments.len())
    };
    assert_eq!(one(json!([by_hash])), Ok(1));
    assert_eq!(one(json!(["a.csv"])), Ok(1));
    assert_eq!(one(json!("none")), Ok(0));
    assert!(one(json!(["other.pdf"])).unwrap_err().to_string().contains("`a.csv`"));
    assert!(forward(json!({"id": "x", "body": "FYI"})).is_err());
}

#[test]
fn what_is_made_of_hostile_mail_is_a_mail_or_a_reason() {
    for mail in [
        "",
        "\n",
        "From: <>\n\n",
        "From: a@b\u{0}c\nSubject: x\n\n",
        &format!("From: {}\n\nx", "a@b.org, ".repeat(5_000)),
    ] {
        let _ = reply(mail, json!({"body": "b", "all": true}));
        let _ = making(mail, json!({"to": ["bo@example.org"]}), |making| making.forward());
    }
}

/// A mail with these calendar parts.
fn inviting(parts: &[String]) -> String {
    let parts: String = parts
        .iter()
        .map(|entry| {
            format!("--b\nContent-Type: text/calendar; charset=utf-8\n\nBEGIN:VCALENDAR\n{entry}END:VCALENDAR\n")
        })
        .collect();
    format!("From: ana@example.org\nMessage-ID: <1@x.org>\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
}

fn event(uid: &str, more: &str) -> String {
    format!(
        "METHOD:REQUEST\nBEGIN:VEVENT\nUID:{uid}\nDTSTART:20261124T140000Z\nSUMMARY:Plan\n{more}\nATTENDEE:mailto:ME@example.org\nEND:VEVENT\n"
    )
}

#[test]
fn an_invitation_that_is_none_or_not_clear_is_not_answered_and_one_written_twice_is_answered_once() {
    let answered = |parts: &[String]| {
        let arguments = serde_json::json!({"id": "INBOX/1/7", "answer": "accept"});
        making(&inviting(parts), arguments, |making| making.answer_to_invitation(Answer::Accepted))
    };
    let by_ana = |uid: &str| event(uid, "ORGANIZER:mailto:ana@example.org");
    let made = answered(&[by_ana("1"), by_ana("1")]).unwrap();
    assert_eq!(names(&made.to), ["ana@example.org"]);
    let text = String::from_utf8(made.attachments[0].bytes.clone()).unwrap();
    assert_eq!((made.attachments.len(), text.matches("BEGIN:VEVENT").count()), (1, 1));
    assert!(text.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:ME@example.org\r\n"), "{text}");
    let odd = answered(&[by_ana("1").replace("Plan", "Pl\u{7}an")]).unwrap();
    assert!(!odd.attachments[0].bytes.contains(&7) && odd.subject.as_str() == "Accepted: Plan", "{odd:?}");
    for (parts, why) in [
        (vec![], "holds no invitation"),
        (vec![by_ana("1").replace("REQUEST", "CANCEL")], "holds no invitation"),
        (vec![by_ana("1").replace("METHOD:REQUEST\n", "")], "holds no invitation"),
        (vec![by_ana("1"), by_ana("2")], "several invitations"),
        (vec![by_ana("1").replace("ME@example.org", "you@example.org")], "none of the person's addresses"),
        (vec![event("1", "X-NOTE:1")], "names nobody who could be answered"),
        (
            vec![event("1", "ORGANIZER:mailto:ana@example.org?bcc=eve@evil.example")],
            "names nobody who could be answered",
        ),
        (vec![event("1", "ORGANIZER:mailto:ana@example.org,eve@evil.example")], "names nobody who could be answered"),
        (vec![event("1", "ORGANIZER:mailto:me@example.org")], "nobody to answer"),
    ] {
        let refused = answered(&parts).unwrap_err().to_string();
        assert!(refused.contains(why), "{why}: {refused}");
    }
}
