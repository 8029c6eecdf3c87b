//! The road of one mail: proposed, shown, approved, sent once, recorded.

use bailey_gate::approval::Purpose;
use bailey_scripted::Turn;
use mail_parser::MessageParser;
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, has_place_for_locks, id, send, shown};

fn items<'a>(card: &'a Value, label: &str) -> Vec<&'a str> {
    let all = card["items"].as_array().unwrap();
    all.iter().filter(|item| item["label"] == label).map(|item| item["value"].as_str().unwrap()).collect()
}

#[test]
fn a_mail_leaves_only_after_approval_once_and_as_previewed() {
    let body = "Grüße,\n\n.a line that begins with a dot\nFrom here on\n";
    let call = json!({
        "to": "Ana Doe <ana@example.org>, bo@example.net", "cc": "cy@example.com", "bcc": "hidden@example.com",
        "subject": "Tuesday — ja?", "body": body, "in_reply_to": "<parent@example.org>",
    });
    let world = World::new(vec![Turn::call("mail_send", call), Turn::say("Sent it.")]);
    let task = world.task("answer Ana");
    assert_eq!(task["state"], "waiting");
    assert!(world.sink.arrived().is_empty(), "nothing may leave before approval");

    let card = world.waiting();
    assert_eq!(items(&card, "To"), ["Ana Doe <ana@example.org>", "bo@example.net"]);
    assert_eq!(items(&card, "Bcc (hidden from the others)"), ["hidden@example.com"]);
    assert_eq!(card["body"], body);
    assert!(card["reason"].as_str().unwrap().contains("asks you first"), "{card}");

    world.ok(&["approve"], PASSPHRASE);
    let done = world.until(&id(&card), "succeeded");
    assert!(done["outcome"].as_str().unwrap().contains("250"), "{done}");
    let arrived = world.sink.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].from, "me@example.org");
    assert_eq!(arrived[0].to, ["ana@example.org", "bo@example.net", "cy@example.com", "hidden@example.com"]);

    // An independent parser reads in the bytes what the preview showed.
    let mail = MessageParser::default().parse(&arrived[0].bytes).unwrap();
    assert_eq!(mail.subject(), Some(items(&card, "Subject")[0]));
    assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n"), body);
    assert_eq!(mail.to().unwrap().first().unwrap().name(), Some("Ana Doe"));
    assert_eq!(format!("<{}>", mail.message_id().unwrap()), items(&card, "Message-ID")[0]);
    let shown = mail_parser::DateTime::parse_rfc822(items(&card, "Date")[0]).unwrap();
    assert_eq!(mail.date().unwrap().to_timestamp(), shown.to_timestamp());
    assert!(!String::from_utf8_lossy(&arrived[0].bytes).contains("hidden@example.com"), "Bcc must stay hidden");
    // And the bytes are those that the approval bound, to the last one.
    let content = bailey_gate::content::Content::decode(&content_of(&world, &id(&card))).unwrap();
    assert_eq!(content.digest().to_string(), card["digest"].as_str().unwrap());
    assert_eq!(content.action.artefact(), arrived[0].bytes);

    let task = world.until_task(task["id"].as_str().unwrap(), "answered");
    assert_eq!(task["reply"], "Sent it.");
    let (code, _) = world.fails(&["reject", &id(&card)], "");
    assert_eq!(code, 5, "what is done cannot be refused");
    assert_eq!(world.sink.arrived().len(), 1);
}

/// The stored content of an action, out of the readable log.
fn content_of(world: &World, id: &str) -> Vec<u8> {
    use base64::Engine as _;
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    let entry = log
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["header"]["kind"] == "proposed" && entry["header"]["action"] == id);
    let text = entry.unwrap()["payload"]["content_base64"].as_str().unwrap();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn approvals_and_approved_mail_survive_kill_9() {
    let mut world = World::holding(vec![send("ana@example.org", "Hi", "Hello"), Turn::say("ok")], 5);
    world.task("write to Ana");
    let before = world.waiting();
    world.restart();
    let after = world.waiting();
    assert_eq!((&before["id"], &before["digest"], &before["body"]), (&after["id"], &after["digest"], &after["body"]));
    assert!(world.sink.arrived().is_empty());

    world.ok(&["approve", &id(&after)], PASSPHRASE);
    world.until(&id(&after), "held");
    world.restart();
    if !has_place_for_locks() {
        // Nothing tells it from a copy of its folder there.
        world.ok(&["approve", &id(&after)], PASSPHRASE);
    }
    world.until(&id(&after), "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
    world.restart();
    assert_eq!(world.get(&format!("/v1/actions/{}", id(&after)))["state"], "succeeded");
    assert_eq!(world.sink.arrived().len(), 1, "a restart sends nothing again");
    assert!(world.run(&["log", "verify"], "").status.code() == Some(10), "first look has no pin");
    assert!(world.ok(&["log", "verify"], "").starts_with("valid up to the pinned checkpoint"));
}

#[test]
fn a_held_mail_can_be_taken_back() {
    let world = World::holding(vec![send("ana@example.org", "Hi", "Hello"), Turn::say("ok")], 3_600);
    world.task("write to Ana");
    let card = world.waiting();
    assert_eq!(card["reversal"], "Can be taken back for 60 min after you approve it, not later.");
    world.ok(&["approve"], PASSPHRASE);
    assert_eq!(world.until(&id(&card), "held")["answered"], "you approved it");
    world.ok(&["undo", &id(&card)], "");
    let card = world.until(&id(&card), "cancelled");
    assert!(world.sink.arrived().is_empty());
    let entries = world.data_of(&["log", "list", "--limit", "500"]);
    let undone = entries.as_array().unwrap().iter().any(|entry| {
        entry["header"]["action"] == card["id"]
            && entry["header"]["from"] == "held"
            && entry["header"]["to"] == "cancelled"
    });
    assert!(undone, "the log has the undo");
}

#[test]
fn an_edit_asks_again_and_the_old_digest_is_worthless() {
    let world = World::new(vec![send("ana@example.org", "Hi", "Hello"), Turn::say("ok")]);
    world.task("write to Ana");
    let old = world.waiting();
    let edited = world.data_of(&["edit", &id(&old), "--subject", "Better", "--to", "bo@example.org"]);
    assert_ne!(edited["digest"], old["digest"]);
    assert_eq!(edited["state"], "awaiting");
    assert!(edited["claimed_why"].as_str().unwrap().contains("another program with the token"), "{edited:#}");
    let (status, _) = approve(&world, &[&old], PASSPHRASE);
    assert_eq!(status, 409, "the replaced mail cannot be approved");
    assert!(world.sink.arrived().is_empty());
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&edited), "succeeded");
    let arrived = world.sink.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].to, ["bo@example.org"]);
    assert!(String::from_utf8_lossy(&arrived[0].bytes).contains("Subject: Better"));
}

#[test]
fn an_edit_asks_also_where_a_rule_would_let_it_go() {
    let world = World::new(vec![send("ana@example.org", "Hi", "Hello"), Turn::say("ok")]);
    world.ok(&["rules", "add", "mail to bo@example.com: go ahead"], PASSPHRASE);
    world.task("write to Ana and bo@example.com");
    let edited = world.data_of(&["edit", &id(&world.waiting()), "--to", "bo@example.com"]);
    assert_eq!(edited["state"], "awaiting");
    assert!(edited["reason"].as_str().unwrap().contains("It was edited"), "{edited:#}");
    assert!(world.sink.arrived().is_empty());
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&edited), "succeeded");
    assert_eq!(world.sink.arrived()[0].to, ["bo@example.com"]);
}

#[test]
fn a_mail_to_many_can_be_taken_back_for_as_long() {
    let many: Vec<String> = (0..25).map(|n| format!("p{n}@example.org")).collect();
    let world = World::holding(vec![send(&many.join(", "), "s", "b"), Turn::say("ok")], 3_600);
    world.task("write to them");
    let card = world.waiting();
    assert_eq!(card["reversal"], "Can be taken back for 60 min after you approve it, not later.");
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "held");
    world.ok(&["undo", &id(&card)], "");
    world.until(&id(&card), "cancelled");
    assert!(world.sink.arrived().is_empty());
}

/// Approves cards with a signature of `passphrase` over exactly them.
fn approve(world: &World, cards: &[&Value], passphrase: &str) -> (u16, Value) {
    let proof = world.prove(&Purpose::Approve(cards.iter().map(|card| shown(card)).collect()), passphrase);
    let list: Vec<Value> = cards.iter().map(|card| json!({"id": card["id"], "digest": card["digest"]})).collect();
    world.post("/v1/approvals/approve", &json!({"shown": list, "proof": proof}))
}

#[test]
fn only_the_exact_answer_of_the_person_counts() {
    let two = Turn::calls(vec![
        ("mail_send", json!({"to": "ana@example.org", "subject": "1", "body": "one"})),
        ("mail_send", json!({"to": "bo@example.org", "subject": "2", "body": "two"})),
    ]);
    let world = World::new(vec![two, Turn::say("ok")]);
    world.task("write to both");
    let cards = world.approvals();
    let [ana, bo] = cards.as_slice() else { panic!("{cards:?}") };
    let list =
        |cards: &[&Value]| cards.iter().map(|c| json!({"id": c["id"], "digest": c["digest"]})).collect::<Vec<_>>();
    let post = |shown: Vec<Value>, proof: Value| {
        world.post("/v1/approvals/approve", &json!({"shown": shown, "proof": proof})).0
    };

    // The token from the disk, alone: a made-up proof, and one of a wrong passphrase.
    let mut made_up = world.prove(&Purpose::Approve(vec![shown(ana)]), PASSPHRASE);
    made_up["assertion"]["signature"] = json!("AAAA");
    assert_eq!(post(list(&[ana]), made_up), 403);
    assert_eq!(approve(&world, &[ana], "wrong passphrase").0, 403);
    let (code, words) = world.fails(&["approve"], "wrong passphrase");
    assert_eq!(code, 4);
    assert!(words.contains("approval passphrase is wrong"), "{words}");

    // An action smuggled into the answer, after the person signed for one.
    let for_ana = world.prove(&Purpose::Approve(vec![shown(ana)]), PASSPHRASE);
    assert_eq!(post(list(&[ana, bo]), for_ana.clone()), 403);
    assert_eq!(post(list(&[ana]), for_ana), 403, "a challenge is used up by a wrong answer");

    // A digest that is not the stored one, signed by the person: the whole answer is refused.
    let mut changed = ana.clone();
    changed["digest"] = bo["digest"].clone();
    assert_eq!(approve(&world, &[bo, &changed], PASSPHRASE).0, 409);
    assert_eq!(world.get(&format!("/v1/actions/{}", id(bo)))["state"], "awaiting");

    // The signature of another purpose.
    let resume = world.prove(&Purpose::Resume { epoch: 0 }, PASSPHRASE);
    assert_eq!(post(list(&[ana]), resume), 403);
    assert!(world.sink.arrived().is_empty());

    // A good answer works once.
    let good = world.prove(&Purpose::Approve(vec![shown(ana)]), PASSPHRASE);
    assert_eq!(post(list(&[ana]), good.clone()), 200);
    assert_eq!(post(list(&[ana]), good), 403, "replayed");
    world.until(&id(ana), "succeeded");
    world.ok(&["reject", &id(bo)], "");
    assert_eq!(approve(&world, &[bo], PASSPHRASE).0, 409, "a refused action cannot be approved later");
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn however_many_challenges_are_asked_for_the_persons_counts() {
    let world =
        World::new(vec![Turn::call("mail_send", json!({"to": "ana@example.org", "subject": "1", "body": "one"}))]);
    world.task("write to ana");
    let card = world.waiting();
    let proof = world.prove(&Purpose::Approve(vec![shown(&card)]), PASSPHRASE);
    for _ in 0..10_000 {
        assert_eq!(world.post("/v1/challenge", &Value::Null).0, 200);
    }
    let body = json!({"shown": [{"id": card["id"], "digest": card["digest"]}], "proof": proof});
    assert_eq!(world.post("/v1/approvals/approve", &body).0, 200);
    assert_eq!(world.post("/v1/approvals/approve", &body).0, 403, "used");
    world.until(&id(&card), "succeeded");
}

#[test]
fn a_passkey_is_refused_in_words_and_the_log_tells_clients_apart() {
    let send = || Turn::call("mail_send", json!({"to": "ana@example.org", "subject": "1", "body": "one"}));
    let world = World::new(vec![send(), Turn::say("ok"), send()]);
    world.task("write to ana");
    let card = world.waiting();
    let right = world.prove(&Purpose::Approve(vec![shown(&card)]), PASSPHRASE);
    let mut passkey = right.clone();
    passkey["assertion"] = json!({
        "kind": "passkey", "credential_id": "AAAA", "authenticator_data": "AAAA", "client_data": "e30=", "signature": "AAAA",
    });
    let post = |proof: &Value| {
        let body = json!({"shown": [{"id": card["id"], "digest": card["digest"]}], "proof": proof});
        world.post("/v1/approvals/approve", &body)
    };
    let (status, refused) = post(&passkey);
    assert_eq!(status, 403);
    assert!(refused["message"].as_str().unwrap().contains("no passkey is enrolled"), "{refused}");
    assert_eq!(post(&right).0, 200);
    world.until(&id(&card), "succeeded");
    world.task("write to ana");
    world.ok(&["approve"], PASSPHRASE);
    let entries = world.get("/v1/log?limit=200");
    let approved = entries.as_array().unwrap().iter().filter(|entry| entry["header"]["to"] == "approved");
    let mut clients: Vec<&str> = approved.filter_map(|entry| entry["header"]["approver"]["client"].as_str()).collect();
    clients.sort_unstable();
    assert_eq!(clients, ["cli", "program"]);
}

#[test]
fn without_the_token_nothing_answers() {
    let world = World::new(vec![]);
    for token in ["", "x", &world.token()[1..]] {
        for (method, path) in [
            ("GET", "/v1/status"),
            ("POST", "/v1/pause"),
            ("GET", "/v1/log"),
            ("POST", "/v1/challenge"),
            ("GET", "/nothing"),
        ] {
            assert_eq!(world.request_as(token, method, path, "null").0, 401, "{method} {path} with `{token}`");
        }
    }
}

#[test]
fn an_ambiguous_outcome_is_handed_to_the_person_and_never_resent() {
    let mut world = World::new(vec![send("lost@example.org", "Hi", "Hello"), Turn::say("ok")]);
    world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "needs-person");
    assert_eq!(world.sink.arrived().len(), 1);
    world.restart();
    assert_eq!(world.get(&format!("/v1/actions/{}", id(&card)))["state"], "needs-person");
    world.ok(&["resolve", &id(&card), "yes"], "");
    world.until(&id(&card), "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn an_answer_about_an_outcome_is_corrected_and_sends_nothing() {
    let mut world = World::new(vec![send("lost@example.org", "Hi", "Hello"), Turn::say("ok")]);
    world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "needs-person");
    world.ok(&["resolve", &id(&card), "no"], "");
    world.until(&id(&card), "not-executed");
    let said = world.ok(&["resolve", &id(&card), "yes"], "");
    assert!(said.contains("succeeded"), "{said}");
    world.restart();
    world.ok(&["resolve", &id(&card), "no"], "");
    world.until(&id(&card), "not-executed");
    assert_eq!(world.sink.arrived().len(), 1, "nothing goes by that");
    // All of it is in the log.
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    let said = log.as_array().unwrap().iter().filter_map(|entry| entry["header"]["reasons"][0].as_str());
    let said: Vec<&str> = said.filter(|why| why.starts_with("gate.person-")).collect();
    assert_eq!(said, ["gate.person-approved", "gate.person-says", "gate.person-corrects", "gate.person-corrects"]);
    assert_eq!(world.fails(&["resolve", &id(&card), "no"], "").0, 5, "the same again");
}

#[test]
fn what_the_server_refuses_is_told_apart() {
    let turns = vec![send("refuse@example.org", "1", "1"), send("reject@example.org", "2", "2"), Turn::say("ok")];
    let world = World::new(turns);
    let task = world.task("write");
    let first = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    let first = world.until(&id(&first), "not-executed");
    assert!(first["outcome"].as_str().unwrap().contains("no such person"), "{first}");
    world.until_task(task["id"].as_str().unwrap(), "waiting");
    let second = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    let second = world.until(&id(&second), "failed");
    assert!(second["outcome"].as_str().unwrap().contains("not this one"), "{second}");
    assert!(world.sink.arrived().is_empty());
}

#[test]
fn a_kill_between_hand_off_and_answer_resends_nothing() {
    let mut world = World::new(vec![send("slow@example.org", "Hi", "Hello"), Turn::say("ok")]);
    world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    while world.sink.arrived().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(world.get(&format!("/v1/actions/{}", id(&card)))["state"], "claimed");
    world.restart();
    world.until(&id(&card), "needs-person");
    world.sink.answer();
    let notices = world.data_of(&["status"])["notices"].to_string();
    assert!(notices.contains("not known whether they happened"), "{notices}");
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn actions_are_listed_by_kind_and_before_one_of_them() {
    let world = World::new(vec![send("ana@example.org", "Hi", "body"), Turn::say("ok")]);
    let task = world.task("write to Ana");
    let mail = id(&world.waiting());
    assert_eq!(world.get("/v1/approvals?skip=1"), json!([]));
    world.ok(&["approve"], PASSPHRASE);
    world.until(&mail, "succeeded");
    world.until_task(&id(&task), "answered");
    let listed = |query: &str| -> Vec<String> {
        world.get(&format!("/v1/actions?{query}")).as_array().unwrap().iter().map(id).collect()
    };
    let all = listed("");
    assert!(all.len() == 2 && all[1] == mail, "{all:?}");
    assert_eq!(listed("kind=reply"), all[..1]);
    assert_eq!(listed("kind=mail.send&limit=1"), all[1..]);
    assert_eq!(listed(&format!("before={}", all[0])), all[1..]);
    assert_eq!(listed(&format!("before={mail}&kind=mail.send")), [""; 0]);
    for bad in ["kind=nonsense", "before=nonsense", "kind=reply&skip=1"] {
        assert_eq!(world.request_as(&world.token(), "GET", &format!("/v1/actions?{bad}"), "").0, 422, "{bad}");
    }
}
