//! Mail written as mail programs write it, at a real mail server: answers, copies, drafts, files.

use std::fs;

use bailey_scripted::Turn;
use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{Account, PASSPHRASE, World, id};

/// A mail as it might lie on a server.
fn mail(header: &str, body: &str) -> String {
    let fixed = "Date: Fri, 20 Nov 2026 10:00:00 +0100\r\nMessage-ID: <3@corp.example>\r\n";
    format!("{header}\r\nTo: {}\r\n{fixed}\r\n{body}\r\n", servers::ACCOUNT)
}

/// A task on an account of one mail, up to the action that waits; returns the account and the action.
fn waiting(delivered: &str, turn: Turn, task: &str) -> (Account, Value) {
    let turns = vec![Turn::call("mail_search", json!({})), turn, Turn::say("ok")];
    let account = Account::new(turns, 300);
    account.server.deliver("", "1", delivered).unwrap();
    account.with_password("full");
    let began = account.world.task(task);
    assert_eq!(began["state"], "waiting", "{began:#}");
    let card = account.world.waiting();
    (account, card)
}

fn items<'a>(card: &'a Value, label: &str) -> Vec<&'a str> {
    let all = card["items"].as_array().unwrap();
    all.iter().filter(|item| item["label"] == label).map(|item| item["value"].as_str().unwrap()).collect()
}

fn approved(world: &World, card: &Value) -> Value {
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(card), "succeeded")
}

fn addresses(list: Option<&mail_parser::Address<'_>>) -> Vec<String> {
    list.map(|list| list.iter().map(|one| one.address().unwrap().to_owned()).collect()).unwrap_or_default()
}

#[test]
fn a_display_name_changes_nobodys_recipient() {
    // The model is told the sender as structure, which can be copied as it is.
    let hostile = mail("From: \"ana@example.org, Tom\" <tom@example.org>\r\nSubject: s", "Please answer.");
    let turns = vec![Turn::call("mail_search", json!({})), Turn::say("ok")];
    let account = Account::new(turns, 300);
    account.server.deliver("", "1", &hostile).unwrap();
    account.with_password("full");
    account.world.task("look at my mail");
    let told: Value = serde_json::from_slice(&account.world.provider.requests()[1]).unwrap();
    let told = told["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(told.contains(r#"[{"name":"ana@example.org, Tom","address":"tom@example.org"}]"#), "{told}");
    // What it was told is one recipient; without the marks it would be none.
    for (to, recipients) in [
        (json!([{"name": "ana@example.org, Tom", "address": "tom@example.org"}]), vec!["tom@example.org"]),
        (json!(r#""ana@example.org, Tom" <tom@example.org>"#), vec!["tom@example.org"]),
        (
            json!(["\"Doe, Jane\" <jane.doe@corp.example>", "ana@example.org (Ana)"]),
            vec!["jane.doe@corp.example", "ana@example.org"],
        ),
        (json!("joerg@exämple.org"), vec!["joerg@xn--exmple-cua.org"]),
        (json!("Team: ana@example.org, bo@example.org;"), vec!["ana@example.org", "bo@example.org"]),
    ] {
        let call = Turn::call("mail_send", json!({"to": to, "subject": "s", "body": "b"}));
        let mut world = World::new(vec![call, Turn::say("ok")]);
        world.task("write the mail");
        let card = world.waiting();
        let shown = items(&card, "To");
        assert!(shown.iter().zip(&recipients).all(|(shown, wanted)| shown.contains(wanted)), "{card:#}");
        let warned = card["warnings"].to_string().contains("looks like an address");
        assert_eq!(warned, to.to_string().contains("Tom"), "{card:#}");
        approved(&world, &card);
        let arrived = world.sink.arrived();
        assert_eq!(arrived[0].to, recipients);
        let header = MessageParser::default().parse(&arrived[0].bytes).unwrap();
        assert_eq!(addresses(header.to()), recipients);
        world.kill();
    }
    let call =
        Turn::call("mail_send", json!({"to": "ana@example.org, Tom <tom@example.org>", "subject": "s", "body": "b"}));
    let world = World::new(vec![call, Turn::say("ok")]);
    let task = world.task("write the mail");
    assert_eq!(task["state"], "answered", "what is not clear is refused: {task:#}");
    assert!(world.sink.arrived().is_empty());
}

#[test]
fn an_answer_goes_where_the_mail_asks_in_its_thread_and_leaves_a_copy() {
    let asks = mail(
        "From: \"Doe, Jane\" <jane.doe@corp.example>\r\nReply-To: Service <service@corp.example>\r\nSubject: AW: Lunch\r\nReferences: <1@corp.example> <2@example.org>",
        "Shall we?",
    );
    let answer = json!({"id": "$ID0", "body": "Yes.", "bcc": ["archive@example.org"]});
    let (account, card) = waiting(&asks, Turn::call("mail_reply", answer), "answer the mail about lunch");
    let world = &account.world;
    assert_eq!(items(&card, "To"), ["Service <service@corp.example>"]);
    assert_eq!(items(&card, "Answers the mail from (as it says)"), ["\"Doe, Jane\" <jane.doe@corp.example>"]);
    assert_eq!(items(&card, "Copy kept in folder"), ["Sent"]);
    assert!(card["warnings"].to_string().contains("asks for answers to `Service <service@corp.example>`"), "{card:#}");
    let done = approved(world, &card);
    assert!(done["outcome"].as_str().unwrap().contains("a copy is in `Sent`"), "{done:#}");
    let arrived = world.sink.arrived();
    assert_eq!(arrived[0].to, ["service@corp.example", "archive@example.org"]);
    let text = String::from_utf8_lossy(&arrived[0].bytes).into_owned();
    let sent = MessageParser::default().parse(&arrived[0].bytes).unwrap();
    assert_eq!(sent.subject(), Some("Re: Lunch"));
    assert_eq!(sent.in_reply_to().as_text(), Some("3@corp.example"));
    let thread = sent.references().as_text_list().unwrap().join(" ");
    assert_eq!(thread, "1@corp.example 2@example.org 3@corp.example");
    assert!(text.contains("Yes.\r\n\r\nOn Fri, 20 Nov 2026 10:00:00 +0100, \"Doe, Jane\" <jane.doe@corp.example> wrote:\r\n> Shall we?"), "{text}");
    assert!(!text.contains("archive@example.org"));
    // The copy is the mail byte for byte, read, and with the recipients that the others do not see.
    let kept = account.server.stored("Sent");
    assert_eq!(kept.len(), 1);
    assert!(kept[0].to_string_lossy().contains(":2,S"), "{kept:?}");
    let copy = String::from_utf8(fs::read(&kept[0]).unwrap()).unwrap().replace("\r\n", "\n");
    let approved = text.replace("\r\n", "\n");
    let approved = approved.get(approved.find("From: ").unwrap()..).unwrap();
    assert_eq!(copy.replacen("Bcc: archive@example.org\n", "", 1), approved);
    assert_ne!(copy, approved);
}

#[test]
fn a_mail_whose_copy_fails_is_sent_and_not_sent_again() {
    let delivered = mail("From: Ana <ana@example.org>\r\nSubject: s", "x");
    let answer = json!({"id": "$ID0", "body": "Yes."});
    let (account, card) = waiting(&delivered, Turn::call("mail_reply", answer), "answer Ana");
    // Somebody takes the folder away between approval and copy.
    let inbox = account.server.stored("")[0].clone();
    let sent = inbox.parent().unwrap().parent().unwrap().join(".Sent");
    fs::remove_dir_all(&sent).ok();
    fs::write(&sent, "no folder").unwrap();
    let done = approved(&account.world, &card);
    let told = done["outcome"].as_str().unwrap();
    assert!(told.contains("the mail is sent, but no copy of it could be put into `Sent`"), "{told}");
    assert!(!told.contains("info:") && !told.contains("code:"), "{told}");
    assert_eq!(account.world.sink.arrived().len(), 1);
}

#[test]
fn a_draft_lies_among_the_drafts_and_its_undo_takes_out_that_one() {
    let draft = json!({"to": ["\"Doe, Jane\" <jane.doe@corp.example>"], "bcc": ["ana@example.org"], "subject": "Plans", "body": "Hi"});
    let account = Account::new(vec![Turn::call("mail_draft", draft), Turn::say("ok")], 300);
    let world = &account.world;
    account.server.deliver("Drafts", "0", &mail("From: me\r\nSubject: another", "x")).unwrap();
    account.with_password("draft");
    let task = world.task("draft a mail to Jane");
    assert_eq!(task["state"], "answered", "{task:#}");
    let kept = task["actions"].as_array().unwrap().iter().find(|one| one["kind"] == "mail.save-draft").unwrap();
    assert_eq!(kept["state"], "succeeded", "{kept:#}");
    let drafts = account.server.stored("Drafts");
    assert_eq!(drafts.len(), 2);
    let ours = drafts.iter().find(|path| path.to_string_lossy().contains(":2,D")).unwrap();
    let bytes = fs::read(ours).unwrap();
    let read = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(
        (addresses(read.to()), addresses(read.bcc())),
        (vec!["jane.doe@corp.example".into()], vec!["ana@example.org".into()])
    );
    assert!(world.sink.arrived().is_empty());
    world.ok(&["undo", &id(kept)], PASSPHRASE);
    world.until(&id(kept), "undone");
    assert_eq!((account.server.stored("Drafts").len(), account.server.stored("Trash").len()), (1, 1));
    assert_eq!(fs::read(&account.server.stored("Trash")[0]).unwrap(), bytes);
}

#[test]
fn a_draft_that_was_changed_stays_where_it_is() {
    let draft = json!({"to": ["ana@example.org"], "subject": "Plans", "body": "Hi"});
    let account = Account::new(vec![Turn::call("mail_draft", draft), Turn::say("ok")], 300);
    account.with_password("draft");
    let task = account.world.task("draft a mail to Ana");
    let kept = task["actions"].as_array().unwrap().iter().find(|one| one["kind"] == "mail.save-draft").unwrap();
    // Another program writes it anew, under the same Message-ID.
    let old = account.server.stored("Drafts").remove(0);
    let changed = fs::read_to_string(&old).unwrap().replace("Hi", "Hello");
    fs::remove_file(&old).unwrap();
    account.server.deliver("Drafts", "changed", &changed).unwrap();
    let (_, why) = account.world.fails(&["undo", &id(kept)], PASSPHRASE);
    assert!(why.contains("was changed since it was put there"), "{why}");
    assert_eq!(account.server.stored("Drafts").len(), 1);
}

#[test]
fn a_forwarded_mail_takes_its_files_along_and_shows_their_hashes() {
    let files = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\nFrom: Ana <ana@example.org>\r\nSubject: WG: Plans";
    let large = "QUJD".repeat(1_500_000);
    let large: Vec<&str> = large.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let body = format!(
        "--x\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--x\r\nContent-Type: image/png; name=\"large.png\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--x--\r\n",
        large.join("\r\n")
    );
    let forward = json!({"id": "$ID0", "to": ["Bo <bo@example.org>"], "body": "FYI"});
    let (account, card) =
        waiting(&mail(files, &body), Turn::call("mail_forward", forward), "forward the plans to bo@example.org");
    let shown = items(&card, "Attachment");
    assert_eq!(
        shown[0],
        "plan.pdf (application/pdf, 3 bytes, sha256 ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc)"
    );
    assert!(shown[1].starts_with("large.png (image/png, 4500000 bytes, sha256 "), "{shown:?}");
    approved(&account.world, &card);
    let arrived = account.world.sink.arrived();
    let sent = MessageParser::default().parse(&arrived[0].bytes).unwrap();
    assert_eq!(sent.subject(), Some("Fwd: Plans"));
    assert!(sent.body_text(0).unwrap().contains("See below."));
    let lengths: Vec<usize> = sent.attachments().map(|part| part.contents().len()).collect();
    assert_eq!(lengths, [3, 4_500_000]);
    assert!(account.server.stored("Sent").len() == 1);
}

/// The server is a real one that takes such addresses (RFC 6531).
#[test]
fn an_address_beyond_plain_letters_is_written_to_as_it_is() {
    let to = json!({"to": ["J\u{f6}rg <j\u{f6}rg@example.org>", "ana@example.org"], "subject": "s", "body": "b"});
    let world = World::new(vec![Turn::call("mail_send", to), Turn::say("ok")]);
    world.task("write to j\u{f6}rg@example.org and ana@example.org");
    let card = world.waiting();
    assert!(card["warnings"].to_string().contains("letters beyond plain ones before the @"), "{card:#}");
    assert!(!card.to_string().contains("Your words name nobody"), "the words name them: {card:#}");
    approved(&world, &card);
    let arrived = world.sink.arrived();
    assert_eq!(arrived[0].to, ["j\u{f6}rg@example.org", "ana@example.org"]);
    let text = String::from_utf8(arrived[0].bytes.clone()).unwrap();
    assert!(text.contains("<j\u{f6}rg@example.org>,\r\n ana@example.org"), "{text}");
}

/// A mail with a file of three bytes and a large one.
fn with_files(from: &str, id: &str) -> String {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let large = line.repeat(3_000_000 / 57 + 1);
    format!(
        "From: {from}\r\nTo: {}\r\nSubject: Plans\r\nDate: Fri, 20 Nov 2026 10:00:00 +0100\r\nMessage-ID: <{id}@corp.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n\
        --x\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n\
        --x\r\nContent-Type: image/png; name=\"large.png\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{large}--x--\r\n",
        servers::ACCOUNT
    )
}

/// Files of one's mailbox leave as they are there, and as they were shown: from a mail that is too large to be read at once, and from one
/// of the person's own.
#[test]
fn files_of_the_mailbox_are_sent_along_as_they_were_shown() {
    let search = |folder: &str| Turn::call("mail_search", json!({"folder": folder}));
    let mail = json!({"to": ["bo@example.org"], "subject": "Plans", "body": "Here.", "files": ["$ID0#2", "$ID0#3"]});
    let answer = json!({"id": "$ID0", "body": "Mine.", "files": [{"id": "$ID0", "part": "2"}]});
    let turns = vec![
        search("INBOX"),
        Turn::call("mail_send", mail),
        search("Sent"),
        Turn::call("mail_reply", answer),
        Turn::say("ok"),
    ];
    let account = Account::new(turns, 300);
    let world = &account.world;
    account.server.deliver("", "1", &with_files("\"Bo, you sent\" <eve@example.net>", "1")).unwrap();
    account.server.deliver("Sent", "2", &with_files(servers::ACCOUNT, "2").replace("AAEC", "AAED")).unwrap();
    account.with_password("send");
    world.ok(&["rules", "add", "mail with files of others: never"], PASSPHRASE);
    let task = world.task("send the plans to bo@example.org, and answer");
    let actions = task["actions"].as_array().unwrap();
    let states: Vec<&str> =
        actions.iter().filter(|one| one["kind"] == "mail.send").map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["denied", "awaiting"], "files of others are told from one's own: {task:#}");
    let card = world.waiting();
    assert_eq!(
        items(&card, "Attachment"),
        [
            "plan.pdf (application/pdf, 3 bytes, sha256 b744d600fbe3853702978ec726c166d26274fe7b09b2c600ddf2d7d895667b24)"
        ]
    );
    assert_eq!(items(&card, "Taken from a mail you sent, as"), [servers::ACCOUNT]);
    assert_eq!(items(&card, "Part"), ["2"]);
    world.ok(&["reject", &id(&card)], "");
    world.ok(&["rules", "remove", "rule.1"], PASSPHRASE);
    let task = world.task("send the plans to bo@example.org");
    let cards = world.approvals();
    let card = &cards[0];
    let shown = items(card, "Attachment");
    assert_eq!(
        shown[0],
        "plan.pdf (application/pdf, 3 bytes, sha256 ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc)"
    );
    assert!(shown[1].starts_with("large.png (image/png, 3000024 bytes, sha256 "), "{shown:?}");
    let from = "\"Bo, you sent\" <eve@example.net>";
    assert_eq!(items(card, "Taken from the mail from (as it says)"), [from, from], "{task:#}");
    assert_eq!(items(card, "Part"), ["2", "3"]);
    world.ok(&["approve", &id(card)], PASSPHRASE);
    world.until(&id(card), "succeeded");
    let arrived = world.sink.arrived();
    let sent = MessageParser::default().parse(&arrived[0].bytes).unwrap();
    let files: Vec<(&str, usize)> =
        sent.attachments().map(|part| (part.attachment_name().unwrap(), part.contents().len())).collect();
    assert_eq!(files, [("plan.pdf", 3), ("large.png", 3_000_024)]);
    assert_eq!(sent.attachment(0).unwrap().contents(), [0, 1, 2]);
}

/// A rule lets mail to somebody go; what others sent does not go with it, unless the person named it.
#[test]
fn a_file_of_the_mailbox_that_the_words_do_not_name_asks_under_any_rule() {
    let mail = json!({"to": ["bo@example.org"], "subject": "Plans", "body": "Here.", "files": ["$ID0#2"]});
    let turns = vec![Turn::call("mail_search", json!({})), Turn::call("mail_send", mail), Turn::say("ok")];
    let scripts = (0..3).map(|_| bailey_scripted::Script { turns: turns.clone(), ..Default::default() }).collect();
    let account = Account::with_scripts(scripts, 300);
    let world = &account.world;
    account.server.deliver("", "1", &with_files("Ana <ana@example.org>", "1")).unwrap();
    account.with_password("send");
    world.ok(&["rules", "add", "mail to bo@example.org: go ahead"], PASSPHRASE);
    for words in ["send bo@example.org the plan of Ana's mail", "send bo@example.org the plans, but not plan.pdf"] {
        let task = world.task(words);
        assert_eq!(task["state"], "waiting", "{words}: {task:#}");
        let card = world.waiting();
        assert!(card.to_string().contains("your words do not write out that file's name"), "{card:#}");
        world.ok(&["reject", &id(&card)], "");
        world.until_task(&id(&task), "answered");
    }
    assert!(world.sink.arrived().is_empty());
    let task = world.task("send plan.pdf to bo@example.org");
    assert_eq!(task["state"], "answered", "{task:#}");
    World::until_true("it never left", || world.sink.arrived().len() == 1);
}

#[test]
fn files_that_are_not_there_or_too_large_are_refused_before_anybody_is_asked() {
    let mail =
        |files: Value| ("mail_send", json!({"to": ["bo@example.org"], "subject": "s", "body": "b", "files": files}));
    let calls = vec![
        mail(json!(["$ID0#9"])),
        mail(json!([{"id": "$ID0", "part": "2", "sha256": "0".repeat(64)}])),
        mail(json!(vec!["$ID0#3"; 7])),
    ];
    let turns = vec![Turn::call("mail_search", json!({})), Turn::calls(calls), Turn::say("ok")];
    let account = Account::new(turns, 300);
    account.server.deliver("", "1", &with_files("Ana <ana@example.org>", "1")).unwrap();
    account.with_password("send");
    let task = account.world.task("send the plans to bo@example.org");
    assert_eq!(task["state"], "answered", "{task:#}");
    assert!(!task.to_string().contains("mail.send"), "{task:#}");
    let request = String::from_utf8(account.world.provider.requests().pop().unwrap()).unwrap();
    for why in ["no part 9", "another SHA-256 than you named", "more than 20 MB in all"] {
        assert!(request.contains(why), "{why}");
    }
}

/// What the own server found of who sent a mail is shown with its answer, and rules decide by it, however the answer is written; what a
/// sender wrote of themselves counts for nothing.
#[test]
fn an_answer_to_a_sender_nobody_proved_is_told_from_others() {
    let answer = |id: &str| ("mail_reply", json!({"id": id, "body": "Yes."}));
    let named = json!({"to": ["eve@corp.example"], "subject": "Re: s", "body": "b", "in_reply_to": "<3@corp.example>"});
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::calls(vec![("mail_read", json!({"id": "$ID0"})), answer("$ID1"), ("mail_send", named), answer("$ID0")]),
        Turn::say("ok"),
    ];
    let account = Account::new(turns, 300);
    let world = &account.world;
    let pass = |server: &str| format!("Authentication-Results: {server}; dkim=pass header.d=corp.example\r\n");
    let sent = |name: &str, checked: &str| mail(&format!("{checked}From: {name}@corp.example\r\nSubject: s"), "x");
    account.server.deliver("", "1", &sent("eve", &pass("mx.corp.example"))).unwrap();
    account.server.deliver("", "2", &sent("ana", &pass("localhost")).replace("<3@", "<4@")).unwrap();
    account.with_password("send");
    world.ok(&["rules", "add", "mail that answers an unproven sender: never"], PASSPHRASE);
    let task = world.task("answer Eve and Ana");
    let states = |task: &Value| -> Vec<String> {
        let all = task["actions"].as_array().unwrap().iter().filter(|one| one["kind"] == "mail.send");
        all.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&task), ["denied", "denied", "awaiting"], "{task:#}");
    let card = world.waiting();
    assert_eq!(items(&card, "Its sender"), ["proven by your own mail server, as far as the domain goes"]);
    approved(world, &card);
    world.until_task(&id(&task), "answered");
    let request = String::from_utf8(world.provider.requests().pop().unwrap()).unwrap();
    assert!(request.contains("\\\"sender_proven\\\":true"), "{request}");
}

#[test]
fn an_account_behind_starttls_connects_reads_and_sends() {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::call("mail_send", json!({"to": ["ana@example.org"], "subject": "s", "body": "b"})),
        Turn::say("ok"),
    ];
    let account = Account::new(turns, 300);
    account.server.deliver("", "1", &mail("From: Ana <ana@example.org>\r\nSubject: Tuesday", "x")).unwrap();
    let (imap, submission) = (
        format!("starttls:localhost:{}", account.server.imap_port),
        format!("starttls:localhost:{}", account.server.submission_port),
    );
    let arguments = [
        "connect",
        "mail",
        servers::ACCOUNT,
        "--level",
        "send",
        "--imap",
        &imap,
        "--submission",
        &submission,
        "--app-password",
    ];
    account.world.ok(&arguments, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    account.world.task("look, and write to ana@example.org");
    let card = account.world.waiting();
    approved(&account.world, &card);
    assert_eq!(account.world.sink.arrived()[0].to, ["ana@example.org"]);
    assert_eq!(account.server.stored("Sent").len(), 1);
}

#[test]
fn a_mail_that_names_what_it_answers_joins_that_thread() {
    let delivered = mail("From: Ana <ana@example.org>\r\nSubject: s\r\nReferences: <1@corp.example>", "x");
    let answer = json!({"to": ["ana@example.org"], "subject": "Re: s", "body": "b", "in_reply_to": "<3@corp.example>"});
    let (account, card) = waiting(&delivered, Turn::call("mail_send", answer), "answer Ana");
    assert_eq!(items(&card, "Thread"), ["<1@corp.example>", "<3@corp.example>"]);
    approved(&account.world, &card);
    let arrived = account.world.sink.arrived();
    let text = String::from_utf8_lossy(&arrived[0].bytes).into_owned();
    assert!(text.contains("References: <1@corp.example>\r\n <3@corp.example>\r\n"), "{text}");
}

/// An invitation as programs send it: for reading, and for calendars.
fn invitation(from: &str, organizer: &str) -> String {
    let header = format!(
        "From: {from}\r\nSubject: Invitation: Plan\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b"
    );
    let entry = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:America/New_York\r\nBEGIN:STANDARD\r\nDTSTART:20071104T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:plan-1\r\nSEQUENCE:2\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;TZID=America/New_York:20261124T090000\r\nDTEND;TZID=America/New_York:20261124T100000\r\nSUMMARY:Plan\r\nDESCRIPTION:not for the answer\r\nORGANIZER;CN=Boss:mailto:{organizer}\r\nATTENDEE;CN=Me;RSVP=TRUE:mailto:{}\r\nATTENDEE:mailto:bo@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        servers::ACCOUNT
    );
    let body = format!(
        "--b\r\nContent-Type: text/plain\r\n\r\nWill you come?\r\n--b\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n{entry}\r\n--b--"
    );
    mail(&header, &body)
}

#[test]
fn an_invitation_in_a_mail_is_answered_by_a_mail_that_asks_and_shows_the_whole_answer() {
    let answer = json!({"id": "$ID0", "answer": "accept", "note": "Looking forward to it."});
    let (account, card) = waiting(
        &invitation("Ana <ana@example.org>", "ana@example.org"),
        Turn::call("mail_answer_invitation", answer),
        "accept Ana's invitation",
    );
    assert_eq!(card["kind"], "mail.send");
    assert_eq!((items(&card, "To"), items(&card, "Subject")), (vec!["ana@example.org"], vec!["Accepted: Plan"]));
    assert_eq!(items(&card, "Answers"), ["<3@corp.example>"]);
    let me = format!("ATTENDEE;PARTSTAT=ACCEPTED;CN=Me:mailto:{}", servers::ACCOUNT);
    let shown = items(&card, "Invitation");
    for line in ["METHOD:REPLY", "UID:plan-1", "SEQUENCE:2", "TZID:America/New_York", &me] {
        assert!(shown.contains(&line), "{line}: {card:#}");
    }
    assert!(!shown.iter().any(|line| line.contains("not for the answer") || line.contains("bo@example.org")));
    let body = card["body"].as_str().unwrap();
    assert!(body.starts_with("Looking forward to it.\n\nAccepted: Plan\nTuesday 2026-11-24 15:00 CET"), "{body}");
    assert!(!card["warnings"].to_string().contains("which is not its sender"), "{card:#}");
    approved(&account.world, &card);
    let arrived = account.world.sink.arrived();
    assert_eq!((arrived.len(), arrived[0].to.as_slice()), (1, &["ana@example.org".to_owned()][..]));
    let sent = String::from_utf8_lossy(&arrived[0].bytes).into_owned();
    assert!(sent.contains("Content-Type: text/calendar; method=REPLY; charset=utf-8"), "{sent}");
}

/// Whoever sends an invitation writes into it who invites.
#[test]
fn an_answer_to_an_invitation_says_where_it_goes_to_another_than_its_sender() {
    let answer = json!({"id": "$ID0", "answer": "decline"});
    let (_account, card) = waiting(
        &invitation("Ana <ana@example.org>", "eve@evil.example"),
        Turn::call("mail_answer_invitation", answer),
        "decline Ana's invitation",
    );
    assert_eq!(
        (items(&card, "To"), items(&card, "Subject")),
        (vec!["eve@evil.example"], vec!["Declined: your invitation"])
    );
    let warnings = card["warnings"].to_string();
    assert!(warnings.contains("asks for answers to `eve@evil.example`, which is not its sender"), "{card:#}");
}
