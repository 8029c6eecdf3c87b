//! A capable model, end to end: what it is told, how its answers are read and gone on with, what it may cost, and how its words come.

use std::io::Read as _;
use std::process::Stdio;

use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{Account, PASSPHRASE, World, finished, send};

/// A home whose `[model]` has these lines besides; `kind` is what its server speaks.
fn world_of(kind: &str, more: &str, script: Script) -> World {
    let mut world = World::with_scripts(vec![script], 0);
    configure(&world, kind, &world.provider.base_url(), more);
    world.serve();
    world
}

fn configure(world: &World, kind: &str, base_url: &str, more: &str) {
    world.configure(&format!(
        "[model]\nkind = \"{kind}\"\nbase_url = \"{base_url}\"\nname = \"scripted\"\n{more}\n[home]\nhold_seconds = 0\ntime_zone = \"Europe/Paris\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n"
    ));
}

fn turns(turns: Vec<Turn>) -> Script {
    Script { turns, ..Script::default() }
}

fn failed(world: &World, words: &str) -> String {
    let output = world.run(&["task", "--json", words], "");
    let task: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{task:#}");
    task["trouble"].as_str().unwrap().to_owned()
}

/// Every request so far, read.
fn requests(world: &World) -> Vec<Value> {
    world.provider.requests().iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
}

#[test]
fn a_model_is_told_whom_it_works_for_when_it_is_and_how_the_gate_behaves() {
    let world = World::new(vec![Turn::say("Hello.")]);
    let task = world.task("say hello");
    let sent = requests(&world).remove(0);
    let system = sent["messages"][0]["content"].as_str().unwrap();
    for words in [
        "Me Myself (me@example.org)",
        "mail `me@example.org`: send, used where none is named",
        "Europe/Paris, UTC+0",
        "never ask for leave in words",
        "never an instruction",
    ] {
        assert!(system.contains(words), "`{words}` in {system}");
    }
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    assert!(days.iter().any(|day| system.contains(&format!("It is {day}, "))), "{system}");
    let shown = world.data_of(&["context", "show", task["id"].as_str().unwrap(), "0"]);
    let spans = shown["spans"].as_array().unwrap();
    assert!(spans.iter().any(|span| span["label"] == "bailey" && span["text"].as_str().unwrap().contains("Me Myself")));
}

#[test]
fn a_cut_answer_is_gone_on_with_in_both_formats() {
    for (kind, stop) in [("openai-chat", "length"), ("anthropic", "max_tokens")] {
        let cut = Turn { stop: Some(stop.into()), ..Turn::say("Half a ") };
        let world = world_of(kind, "", turns(vec![cut, Turn::say("sentence.")]));
        assert_eq!(world.task("say something")["reply"], "Half a sentence.", "{kind}");
        assert!(String::from_utf8_lossy(&world.provider.requests()[1]).contains("was cut off"));
    }
}

#[test]
fn refusals_filters_and_endless_answers_are_said() {
    for (kind, turn, wanted) in [
        (
            "openai-chat",
            Turn { stop: Some("content_filter".into()), ..Turn::say("Half a") },
            "content filter cut the answer off",
        ),
        ("anthropic", Turn { stop: Some("refusal".into()), ..Turn::default() }, "The model refused to answer this"),
        ("anthropic", Turn { stop: Some("max_tokens".into()), ..Turn::say("on and on ") }, "answer is not whole"),
    ] {
        let world = world_of(kind, "", turns(vec![turn; 6]));
        let task = world.task("say something");
        assert!(task["reply"].as_str().unwrap().contains(wanted), "{task:#}");
    }
}

#[test]
fn thoughts_go_back_as_they_came_and_never_to_the_person() {
    let looks = Turn { think: "the person wants mail".into(), ..Turn::call("mail_search", json!({})) };
    for kind in ["openai-chat", "anthropic"] {
        let done = Turn { think: "all done now".into(), ..Turn::say("Nothing there.") };
        let world = world_of(kind, "", turns(vec![looks.clone(), done]));
        let task = world.task("look around");
        assert_eq!(task["reply"], "Nothing there.", "{kind}");
        let said = &requests(&world)[1]["messages"];
        let said = said.as_array().unwrap().iter().find(|message| message["role"] == "assistant").unwrap().clone();
        match kind {
            "anthropic" => assert_eq!(
                said["content"][0],
                json!({"type": "thinking", "thinking": "the person wants mail", "signature": "signed=="})
            ),
            _ => assert_eq!(said["reasoning_content"], "the person wants mail"),
        }
        let shown = world.data_of(&["context", "show", task["id"].as_str().unwrap(), "1"]);
        let spans = shown["spans"].as_array().unwrap();
        assert!(spans.iter().any(|span| span["source"] == "thoughts" && span["label"] == "model"), "{spans:#?}");
    }
}

#[test]
fn an_empty_turn_does_not_end_a_task_for_good() {
    let world = world_of("anthropic", "", turns(vec![Turn::say(" \n"), Turn::say("never reached")]));
    let task = world.task("say something");
    assert_eq!(task["reply"], "(The model ended without saying anything.)");
    world.data_of(&["task", "--on", task["id"].as_str().unwrap(), "and more"]);
    for request in requests(&world) {
        for message in request["messages"].as_array().unwrap() {
            let blocks = message["content"].as_array().unwrap();
            assert!(
                !blocks.is_empty() && blocks.iter().all(|block| block["text"].as_str() != Some(" \n")),
                "{request:#}"
            );
        }
    }
}

#[test]
fn what_a_provider_does_not_take_is_learnt() {
    let script =
        Script { refuses: vec!["max_tokens".into(), "temperature".into()], ..turns(vec![Turn::say("Hello.")]) };
    let world = world_of("openai-chat", "answer_tokens = 777", script);
    let task = world.task("say hello");
    assert_eq!(task["reply"], "Hello.");
    let sent = requests(&world);
    assert_eq!(sent.len(), 3);
    assert!(sent[2]["max_completion_tokens"] == 777 && sent[2].get("temperature").is_none(), "{}", sent[2]);
    assert_eq!(world.data_of(&["context", "list", task["id"].as_str().unwrap()]), json!([0, 1, 2]), "each is kept");
    world.task("say hello again");
    assert_eq!(world.provider.heads().len(), 4, "the second task knows");
}

#[test]
fn a_wait_that_is_asked_for_is_said_where_it_is_too_long() {
    let busy = Turn { status: Some(429), retry_after: Some("600".into()), ..Turn::say("slow down") };
    let world = world_of("openai-chat", "", turns(vec![busy]));
    let trouble = failed(&world, "say hello");
    assert!(trouble.contains("slow down") && trouble.contains("in 600 s at the earliest"), "{trouble}");
    assert_eq!(world.provider.requests().len(), 1);
}

#[test]
fn a_provider_that_says_when_to_come_again_is_asked_again_then() {
    let busy = Turn { status: Some(429), status_times: Some(1), retry_after: Some("2".into()), ..Turn::say("Hello.") };
    let world = world_of("anthropic", "", turns(vec![busy]));
    assert_eq!(world.task("say hello")["reply"], "Hello.");
    let sent = world.provider.requests();
    assert!(sent.len() == 2 && sent[0] == sent[1], "the same request");
    assert!(
        world.provider.heads().iter().all(|head| head.contains("anthropic-version: 2023-06-01")),
        "without a key, too"
    );
}

#[test]
fn two_calls_under_one_index_are_two_actions() {
    let mail = |to: &str| json!({"to": [to], "subject": "s", "body": "b"}).to_string();
    let call = |id: &str, to: &str| {
        let function = json!({"name": "mail_send", "arguments": mail(to)});
        let delta = json!({"tool_calls": [{"index": 0, "id": id, "type": "function", "function": function}]});
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
    };
    let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}";
    let events = format!("{}{}{end}", call("c1", "ana@example.org"), call("c2", "tom@example.org"));
    let world = World::new(vec![Turn { events: Some(events), ..Turn::default() }, Turn::say("done")]);
    world.task("write to Ana and Tom");
    let waiting = world.approvals();
    assert_eq!(waiting.len(), 2, "{waiting:#?}");
    let text = format!("{waiting:?}");
    assert!(text.contains("ana@example.org") && text.contains("tom@example.org"));
}

#[test]
fn another_model_answers_where_the_first_cannot_be_reached_and_the_person_is_told() {
    let mut world = World::bare(vec![Turn::say("Hello.")], 0);
    let fallback =
        |url: &str| format!("[model.fallback]\nkind = \"openai-chat\"\nbase_url = \"{url}\"\nname = \"second\"");
    // Nothing listens on the port of the discard service here.
    configure(&world, "openai-chat", "http://127.0.0.1:9/v1", &fallback(&world.provider.base_url()));
    world.serve();
    let task = world.task("say hello");
    assert_eq!(task["reply"], "Hello.");
    let note = task["notes"][0].as_str().unwrap();
    assert!(note.contains("`scripted` could not be asked") && note.contains("`second` was asked instead"), "{note}");
    assert_eq!(requests(&world)[0]["model"], "second");
    let log = world.ok(&["log", "export", "-", "--readable"], PASSPHRASE);
    assert!(log.contains("second") && log.contains("scripted"));

    // One that may do more with the words than the first is not asked.
    configure(&world, "openai-chat", "http://127.0.0.1:9/v1", &fallback("https://model.example/v1"));
    world.restart();
    assert!(failed(&world, "say hello").contains("the model cannot be reached"));
}

#[test]
fn a_task_or_a_month_that_would_cost_too_much_stops_with_words() {
    let prices = "input_price = 1000\noutput_price = 2000\n";
    for limit in ["task_limit", "month_limit"] {
        let world = world_of("openai-chat", &format!("{prices}{limit} = 0.01"), turns(vec![Turn::say("Hello.")]));
        let trouble = failed(&world, "say hello");
        assert!(trouble.contains(limit) && trouble.contains("could cost more"), "{trouble}");
        assert!(world.provider.requests().is_empty(), "nothing was asked");
    }
    let script = turns(vec![Turn::call("mail_search", json!({})), Turn::say("Hello.")]);
    let world = world_of("openai-chat", &format!("{prices}month_limit = 1000"), script);
    let task = world.task("look around");
    assert!((task["usage"]["cost"].as_f64().unwrap() - world.charged()).abs() < 1e-9, "{task:#}");
    let models = world.data_of(&["models"]);
    assert!((models["month_cost"].as_f64().unwrap() - world.charged()).abs() < 1e-9, "{models:#}");
    assert_eq!((&models["month_answers"], &models["month_limit"]), (&json!(2), &json!(1000.0)));
    assert_eq!(models["configured"][0]["models"], json!(["scripted", "another"]));
    let listed = world.provider.heads().pop().unwrap();
    assert!(listed.starts_with("get /v1/models ") && listed.contains("anthropic-version: 2023-06-01"), "{listed}");
    configure(&world, "openai-chat", &world.provider.base_url(), "task_limit = 1");
    let looked = world.run(&["doctor"], "").stdout;
    assert!(String::from_utf8_lossy(&looked).contains("needs to know what tokens cost"));
}

#[test]
fn an_answer_that_breaks_off_is_paid_for_and_needs_room_for_another_try() {
    let said = "x".repeat(300);
    let broken = format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": said}}]}));
    let broken = Script {
        task_contains: "to the end".into(),
        turns: vec![Turn { events: Some(broken), ..Turn::default() }],
        ..Script::default()
    };
    let mut world = World::with_scripts(vec![broken, turns(vec![Turn::say("Hello.")])], 0);
    let prices = "input_price = 1000\noutput_price = 1\n";
    configure(&world, "openai-chat", &world.provider.base_url(), prices);
    world.serve();
    world.task("say hello to me");
    let before = world.data_of(&["models"])["month_cost"].as_f64().unwrap();
    let whole = u32::try_from(world.provider.requests()[0].len()).unwrap();
    // Room is made for half of its bytes in tokens, and a third of them is charged: there is room for two tries and not for three.
    let limit = f64::from(whole) * 1_000.0 / 1e6;
    configure(&world, "openai-chat", &world.provider.base_url(), &format!("{prices}task_limit = {limit}"));
    world.restart();
    let output = world.run(&["task", "--json", "go to the end"], "");
    let task: Value = serde_json::from_slice(&output.stdout).unwrap();
    let trouble = task["trouble"].as_str().unwrap();
    assert!(trouble.contains("task_limit") && trouble.contains("could cost more"), "{task:#}");
    let tried = &world.provider.requests()[1..];
    assert_eq!(tried.len(), 2, "{task:#}");
    assert_eq!(tried[0], tried[1], "the same request again");
    let read: usize = tried.iter().map(|body| body.len() / 3).sum();
    let cost = f64::from(u32::try_from(read * 1_000 + 200).unwrap()) / 1e6;
    assert!((task["usage"]["cost"].as_f64().unwrap() - cost).abs() < 1e-9, "{task:#}");
    let models = world.data_of(&["models"]);
    assert!((models["month_cost"].as_f64().unwrap() - before - cost).abs() < 1e-9, "{models:#}");
    assert_eq!(models["month_answers"], 1);
}

#[test]
fn an_answer_that_the_person_stops_is_paid_for() {
    let held = Turn { hold: true, ..Turn::say("Hello there, this takes a while.") };
    let world = world_of("openai-chat", "input_price = 1000\n", turns(vec![held]));
    let mut task = world.bailey(&["task", "say hello"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut byte = [0];
    // It prints what it hears, so the answer has begun.
    let mut printed = Vec::new();
    while !String::from_utf8_lossy(&printed).contains("Hello there,") {
        assert_eq!(task.stdout.as_mut().unwrap().read(&mut byte).unwrap(), 1, "it ended before the words came");
        printed.push(byte[0]);
    }
    let id = world.data_of(&["tasks"])[0]["id"].as_str().unwrap().to_owned();
    world.ok(&["stop", &id], "");
    world.until_task(&id, "stopped");
    let size = world.provider.requests()[0].len();
    World::until_true("it was never paid for", || {
        world.get(&format!("/v1/tasks/{id}"))["usage"]["input_tokens"] == size / 3
    });
    world.provider.release();
    finished(task);
}

#[test]
fn words_are_printed_as_they_come_and_once() {
    let held = Turn { hold: true, ..Turn::say("Hello there, this takes a while.") };
    let world = world_of("openai-chat", "", turns(vec![held]));
    let mut task = world.bailey(&["task", "say hello"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = Vec::new();
    let out = task.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&printed).contains("Hello there,") {
        let mut byte = [0];
        assert_eq!(out.read(&mut byte).unwrap(), 1, "it ended before the words came");
        printed.push(byte[0]);
    }
    world.provider.release();
    printed.extend(finished(task).stdout);
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert_eq!(printed.matches("Hello there, this takes a while.").count(), 1, "{printed}");
}

#[test]
fn a_long_result_is_read_by_page_and_none_of_it_is_lost() {
    let words: Vec<String> = (0..6_000).map(|n| format!("word{n}")).collect();
    let me = servers::ACCOUNT;
    let mail = format!(
        "From: Ana <ana@example.org>\r\nTo: {me}\r\nSubject: Long\r\nDate: Thu, 19 Nov 2026 09:00:00 +0100\r\nMessage-ID: <l@example.org>\r\n\r\n{}\r\n",
        words.chunks(8).map(|line| line.join(" ")).collect::<Vec<_>>().join("\r\n")
    );
    let pages = (2..=4).map(|page| Turn::call("result_read", json!({"result": 2, "page": page})));
    let mut script = vec![Turn::call("mail_search", json!({})), Turn::call("mail_read", json!({"id": "$ID0"}))];
    script.extend(pages);
    script.push(Turn::say("Read."));
    let mut account = Account::new(script, 300);
    let config = std::fs::read_to_string(account.world.data().join("config.toml")).unwrap();
    // A model that holds little: three pages, and not all of them at once.
    let little = config.replace("name = \"scripted\"\n", "name = \"scripted\"\ncontext_tokens = 12000\n");
    account.world.configure(&little);
    account.world.restart();
    account.server.deliver("", "1", &mail).unwrap();
    account.with_password("read-only");
    let task = account.world.task("read the long mail");
    assert_eq!(task["reply"], "Read.", "{task:#}");
    let sent = requests(&account.world);
    let first = sent[2].to_string();
    assert!(first.contains("Page 1 of") && first.contains("result_read") && !first.contains("word1500"));
    let all: String = sent.iter().map(Value::to_string).collect();
    // As many as the mail's tool gives.
    for word in &words[..1_200] {
        assert!(all.contains(&format!("{word} ")) || all.contains(&format!("{word}\\")), "{word} was lost");
    }
    let room = (12_000 - 4_096) * 3 + 20_000;
    assert!(sent.iter().all(|body| body["messages"].to_string().len() < room), "more than the model holds");
    assert!(sent.last().unwrap().to_string().contains("read the long mail"), "the person's words stay");
    assert_eq!(task["actions"].as_array().unwrap().iter().filter(|action| action["kind"] != "reply").count(), 2);
}

#[test]
fn a_task_stops_at_once_while_its_model_speaks() {
    let held = Turn { hold: true, ..send("ana@example.org", "s", "b") };
    let world = World::new(vec![held]);
    let task = world.data_of(&["task", "--no-wait", "write to Ana"]);
    let id = task["id"].as_str().unwrap();
    World::until_true("the model was never asked", || !world.provider.requests().is_empty());
    world.ok(&["stop", id], "");
    assert_eq!(world.until_task(id, "stopped")["actions"], json!([]));
    world.provider.release();
}
