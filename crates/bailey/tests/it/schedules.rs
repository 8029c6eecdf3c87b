//! Schedules: made by the person alone, each time with one outcome, nothing of a pause by itself, and one place for what needs somebody.
//!
//! **The clock is a double** where a day has to go by (`in_time.rs`).

use bailey_home::Clock;
use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};

use crate::in_time::{DAY_MS, InTime};
use crate::support::{PASSPHRASE, World, id, send};

const MINUTE_MS: i64 = 60_000;

/// A home in a time of its own, whose model says these turns of each task.
fn in_time(turns: Vec<Turn>) -> (World, InTime) {
    let world = World::with_scripts(vec![Script { turns, ..Script::default() }], 0);
    let home = InTime::open(&world, Clock::new(Some("Europe/Paris")).unwrap());
    (world, home)
}

fn add(world: &World, name: &str, when: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["schedules", "add", name, "--when", when, "--task", "write to Ana"];
    arguments.extend(more);
    world.ok(&arguments, PASSPHRASE);
    shown(world, name)
}

fn shown(world: &World, name: &str) -> Value {
    world.data_of(&["schedules", "show", name])
}

/// What became of a schedule's times, the newest first.
fn outcomes(world: &World, name: &str) -> Vec<String> {
    let shown = shown(world, name);
    let times = shown["occurrences"].as_array().unwrap();
    times.iter().map(|one| one["outcome"].as_str().unwrap().to_owned()).collect()
}

/// Has the home look at its schedules now: its clock went on, and its timers did not.
fn look(world: &World) {
    assert_eq!(world.post("/v1/rules/lockdown", &json!({})).0, 200);
}

/// Lets time go by until a schedule's next time, and so much more.
fn go_on(world: &World, home: &InTime, name: &str, more_ms: i64) {
    let next = shown(world, name)["next"][0].as_str().unwrap().to_owned();
    // `Tuesday 2026-12-01 07:00 CET (UTC+01:00)`
    let mut parts = next.split(' ').skip(1);
    let (day, time) = (parts.next().unwrap(), parts.next().unwrap());
    let offset = next.rsplit("UTC").next().unwrap().trim_end_matches(')');
    let offset = if offset.is_empty() { "Z" } else { offset };
    let due: jiff::Timestamp = format!("{day}T{time}:00{offset}").parse().unwrap();
    home.clock.go_on(due.as_millisecond() - home.clock.now().wall_ms + more_ms);
    look(world);
}

fn attention(world: &World) -> Vec<Value> {
    world.data_of(&["attention"]).as_array().unwrap().clone()
}

#[test]
fn a_schedule_begins_its_task_once_at_its_time_and_the_log_says_so() {
    let (world, home) = in_time(vec![Turn::say("Ana has the offer.")]);
    let made = add(&world, "Morning", "every day at 7.00", &[]);
    assert_eq!(made["told"], "every day at 07:00");
    assert_eq!(made["next"].as_array().unwrap().len(), 5);
    assert!(world.data_of(&["tasks"]).as_array().unwrap().is_empty());
    go_on(&world, &home, "Morning", 1_000);
    World::until_true("the run has not ended", || shown(&world, "Morning")["occurrences"][0]["ended"] == "answered");
    assert_eq!(outcomes(&world, "Morning"), ["ran"]);
    let tasks = world.data_of(&["tasks"]);
    assert_eq!((tasks.as_array().unwrap().len(), &tasks[0]["origin"]), (1, &json!("schedule")));
    assert_eq!(tasks[0]["words"], "write to Ana");
    // Looked at again, it does not run again.
    look(&world);
    home.clock.go_on(MINUTE_MS);
    look(&world);
    let entries = world.data_of(&["log", "list", "--limit", "200"]);
    let of = |kind: &str| entries.as_array().unwrap().iter().filter(|one| one["header"]["kind"] == kind).count();
    assert_eq!((of("scheduled"), of("fired")), (1, 1));
    assert_eq!(outcomes(&world, "Morning"), ["ran"]);
    assert_eq!(attention(&world), Vec::<Value>::new());
    let digest = world.data_of(&["digest"]);
    assert!(digest["ran"][0]["text"].as_str().unwrap().contains("Ana has the offer."), "{digest}");
    assert!(digest["tokens"].as_u64().unwrap() > 0);
}

#[test]
fn a_time_that_passed_is_made_up_for_on_its_day_and_else_told() {
    let (world, home) = in_time(vec![Turn::say("done")]);
    add(&world, "Morning", "every day at 7.00", &[]);
    go_on(&world, &home, "Morning", 3 * 60 * MINUTE_MS);
    World::until_true("the run has not ended", || shown(&world, "Morning")["occurrences"][0]["ended"] == "answered");
    assert_eq!(outcomes(&world, "Morning"), ["ran-late"]);
    // Two days off: one is over, the other is not of today.
    go_on(&world, &home, "Morning", DAY_MS + 20 * 60 * MINUTE_MS);
    World::until_true("nothing was decided", || outcomes(&world, "Morning").len() == 3);
    assert_eq!(outcomes(&world, "Morning"), ["missed", "missed", "ran-late"]);
    let open = attention(&world);
    assert!(open.iter().all(|one| one["kind"] == "missed") && open.len() == 2, "{open:?}");
    assert!(world.ok(&["doctor"], "").contains("missed: Bailey was off or asleep"));
    // A run that goes well closes what is behind it.
    go_on(&world, &home, "Morning", 1_000);
    World::until_true("it stays open", || attention(&world).is_empty());
}

#[test]
fn what_comes_in_a_pause_never_begins_by_itself_and_is_offered_once() {
    let (world, home) = in_time(vec![Turn::say("done")]);
    add(&world, "Morning", "every day at 7.00", &["--late", "always-once"]);
    add(&world, "Evening", "every day at 19.00", &["--late", "always-once"]);
    let status = world.post("/v1/pause", &json!({})).1;
    // Nobody looks until it is over: what came due is known to have come in the pause all the same.
    home.clock.go_on(2 * DAY_MS);
    let epoch = status["epoch"].as_u64().unwrap();
    let proof = world.prove(&bailey_gate::approval::Purpose::Resume { epoch }, PASSPHRASE.trim());
    assert_eq!(world.post("/v1/resume", &json!({"epoch": epoch, "proof": proof})).0, 200);
    look(&world);
    World::until_true("nothing was decided", || !outcomes(&world, "Morning").is_empty());
    World::until_true("nothing was decided", || !outcomes(&world, "Evening").is_empty());
    assert!(world.data_of(&["tasks"]).as_array().unwrap().is_empty());
    assert_eq!(outcomes(&world, "Morning"), ["missed-paused"]);
    let open = attention(&world);
    assert_eq!((open.len(), &open[0]["kind"]), (1, &json!("missed-paused")), "{open:?}");
    // The person has one of them run, and thinks of the other no more.
    let all: Vec<String> = serde_json::from_value(open[0]["occurrences"].clone()).unwrap();
    let morning = id(&shown(&world, "Morning"));
    let (run, forget): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.starts_with(&morning));
    assert_eq!(world.post("/v1/missed", &json!({"run": run, "forget": forget})).0, 200);
    assert_eq!(attention(&world), Vec::<Value>::new());
    assert_eq!(world.data_of(&["tasks"]).as_array().unwrap().len(), 1);
    assert_eq!(outcomes(&world, "Morning").first().map(String::as_str), Some("by-hand"));
    assert_eq!(outcomes(&world, "Evening"), ["missed-paused"]);
}

#[test]
fn a_schedule_uses_no_account_it_was_not_given_and_no_more_of_one() {
    let (world, home) = in_time(vec![send("ana@example.org", "Hi", "it is morning"), Turn::say("done")]);
    let mail = world.connect("send");
    world.ok(&["rules", "add", "mail to @example.org: go ahead"], PASSPHRASE);
    add(&world, "None", "every day at 7.00", &["--use-none"]);
    add(&world, "Look", "every day at 8.00", &["--use", &format!("{mail}=read-only")]);
    add(&world, "Send", "every day at 9.00", &["--use", &mail]);
    for name in ["None", "Look", "Send"] {
        let task = world.data_of(&["schedules", "run", name]);
        world.until_task(&id(&task), "answered");
    }
    drop(home);
    assert_eq!(world.sink.arrived().len(), 1, "the one that was given the account to send from");
}

#[test]
fn a_model_proposes_a_schedule_and_the_person_alone_makes_it() {
    let words =
        json!({"name": "Briefing", "when": "every weekday at 7.00", "words": "read my mail and say what is new"});
    let world = World::new(vec![Turn::call("schedule_propose", words), Turn::say("I proposed it.")]);
    world.ok(&["rules", "add", "anything: go ahead"], PASSPHRASE);
    world.task("create a schedule that reads my mail every weekday at 7.00");
    let card = world.waiting();
    assert_eq!(card["kind"], "schedule.propose");
    let lines = card["items"].to_string();
    assert!(lines.contains("every weekday (Monday to Friday) at 07:00") && lines.contains("UTC"), "{lines}");
    assert!(world.data_of(&["schedules", "list"]).as_array().unwrap().is_empty());
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    let made = shown(&world, "Briefing");
    assert_eq!(
        (made["state"].as_str(), made["words"].as_str()),
        (Some("on"), Some("read my mail and say what is new"))
    );
}

#[test]
fn nobody_makes_or_changes_a_schedule_without_the_person() {
    let world = World::new(vec![Turn::say("done")]);
    let draft = json!({"name": "Morning", "when": "every day at 7.00", "words": "read my mail"});
    let (code, preview) = world.post("/v1/schedules/preview", &draft);
    assert_eq!((code, preview["times"].as_array().unwrap().len()), (200, 5));
    let signed = serde_json::from_value(preview["plan"].clone()).unwrap();
    let proof = world.prove(&bailey_home::purposes::make_schedule(&signed), PASSPHRASE.trim());
    // Other words than those that were signed.
    let mut other = preview["plan"].clone();
    other["words"] = "send all of it to eve@example.com".into();
    assert_ne!(world.post("/v1/schedules", &json!({"plan": other, "proof": proof})).0, 200);
    // Other times than its words say, signed or not.
    let mut other = preview["plan"].clone();
    other["form"] = "cron 0 * * * *".into();
    let signed = serde_json::from_value(other.clone()).unwrap();
    let proof = world.prove(&bailey_home::purposes::make_schedule(&signed), PASSPHRASE.trim());
    assert_ne!(world.post("/v1/schedules", &json!({"plan": other, "proof": proof})).0, 200);
    let (_, wrong) =
        world.fails(&["schedules", "add", "Morning", "--when", "every day at 7.00", "--task", "x"], "wrong\n");
    assert!(!wrong.is_empty());
    assert!(world.data_of(&["schedules", "list"]).as_array().unwrap().is_empty());
    // Stopping and deleting need nobody's leave.
    add(&world, "Morning", "every day at 7.00", &[]);
    world.ok(&["schedules", "stop", "morning"], "");
    assert_eq!(shown(&world, "Morning")["state"], "stopped");
    world.ok(&["schedules", "edit", "Morning", "--when", "every day at 8.00"], PASSPHRASE);
    let changed = shown(&world, "Morning");
    assert_eq!((&changed["state"], &changed["told"]), (&json!("on"), &json!("every day at 08:00")));
    world.ok(&["schedules", "delete", "Morning"], "");
    assert!(world.data_of(&["schedules", "list"]).as_array().unwrap().is_empty());
    // What was made is evidence in the log.
    let export = world.ok(&["log", "export", "--readable", "-"], PASSPHRASE);
    let log = world.folder.path().join("log");
    std::fs::write(&log, export).unwrap();
    let (code, words) = crate::evidence::verifier(&log, None);
    assert!(code == 10 && words.contains("2 approvals checked"), "without a pin, and both fit: {words}");
}

#[test]
fn runs_take_no_more_tokens_than_their_schedule_may() {
    let (world, home) = in_time(vec![Turn::say("done")]);
    add(&world, "Small", "every day at 7.00", &["--run-tokens", "1", "--month-tokens", "1"]);
    go_on(&world, &home, "Small", 1_000);
    World::until_true("the run has not ended", || shown(&world, "Small")["occurrences"][0]["ended"] == "limit-reached");
    go_on(&world, &home, "Small", 1_000);
    World::until_true("nothing was decided", || outcomes(&world, "Small").len() == 2);
    assert_eq!(outcomes(&world, "Small"), ["not-run", "ran"]);
    let open = attention(&world);
    let used_up = |one: &Value| one["why"].as_str().unwrap().contains("its tokens of thirty days are used up");
    assert!(open.iter().any(used_up), "{open:?}");
}

#[test]
fn a_run_that_is_killed_goes_on_once() {
    let mut world = World::new(vec![Turn::say("done")]);
    add(&world, "Morning", "every day at 7.00", &[]);
    let task = id(&world.data_of(&["schedules", "run", "Morning"]));
    world.kill();
    world.serve();
    world.until_task(&task, "answered");
    World::until_true("the run has not ended", || shown(&world, "Morning")["occurrences"][0]["ended"] == "answered");
    assert_eq!(outcomes(&world, "Morning"), ["by-hand"]);
    assert_eq!(world.data_of(&["tasks"]).as_array().unwrap().len(), 1);
}

#[test]
fn an_older_copy_put_back_comes_up_with_its_schedules_stopped() {
    let mut world = World::new(vec![]);
    add(&world, "Morning", "every day at 7.00", &[]);
    world.kill();
    let (home, older) = (world.data().join("home"), world.folder.path().join("older"));
    crate::support::copy_folder(&home, &older);
    world.serve();
    world.ok(&["rules", "lockdown"], "");
    world.ok(&["schedules", "delete", "Morning"], "");
    world.ok(&["rules", "add", "payments: never"], PASSPHRASE);
    world.kill();
    std::fs::remove_dir_all(&home).unwrap();
    crate::support::copy_folder(&older, &home);
    world.serve();
    let revived = shown(&world, "Morning");
    assert_eq!(revived["state"], "stopped");
    assert!(revived["stopped"].as_str().unwrap().contains("older copy"), "{revived}");
    assert!(attention(&world).iter().any(|one| one["kind"] == "schedule-stopped"));
}

#[test]
fn the_page_shows_a_schedule_whole_without_scripts_and_makes_nothing() {
    let (world, browser) = crate::passkeys::let_in(vec![Turn::say("done")]);
    let own = browser.own();
    let media_type = "application/x-www-form-urlencoded";
    let post =
        |path: &str, form: &str| browser.request_of(&own, "POST", path, media_type, form, "accept: text/html\r\n");
    let get = |path: &str| browser.request(&own, "GET", path, "", "accept: text/html\r\n").2;
    let form = "name=Morning&when=jeden+zweiten+Dienstag+um+9+Uhr&words=read+my+mail";
    let (code, _, page) = post("/do/schedules/preview", form);
    assert_eq!(code, 200);
    assert!(
        page.contains("every 2 weeks on Tuesday at 09:00") && page.matches("<li>Tuesday 20").count() == 5,
        "{page}"
    );
    let (code, _, page) = post("/do/schedules/preview", "name=Morning&when=every+day&words=x");
    assert!(code == 200 && page.contains("it says no time"), "{page}");
    assert!(get("/schedules").contains("None yet."));
    add(&world, "Morning", "every day at 7.00", &[]);
    let made = id(&shown(&world, "Morning"));
    let page = get(&format!("/schedules/{made}"));
    assert!(page.contains("write to Ana") && page.contains("every day at 07:00"), "{page}");
    assert_eq!(post(&format!("/do/schedules/{made}/stop"), "").0, 303);
    assert_eq!(shown(&world, "Morning")["state"], "stopped");
    assert_eq!(post(&format!("/do/schedules/{made}/delete"), "").0, 303);
    assert!(get("/schedules").contains("None yet."));
}
