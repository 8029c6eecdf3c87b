//! What a person does from day to day: settings, models, accounts and their use, signing in at a provider, the first run. On the command
//! line, and in a real browser against the real home.

use bailey_scripted::{Provider, Script, Turn};
use serde_json::{Value, json};
use xtask::servers;

use crate::dashboard::{DESK, PHONE, at, axe, let_in, picture};
use crate::support::{Account, PASSPHRASE, World, built, command, follow, id, send};
use crate::webdriver::Browser;

fn browser(world: &World) -> Browser {
    let browser = Browser::start();
    browser.look(DESK.0, DESK.1, false);
    let_in(world, &browser);
    browser
}

/// Makes sure that a page is whole in every look.
#[track_caller]
fn whole(browser: &Browser, name: &str) {
    picture(browser, name);
    for ((width, height), dark) in [(PHONE, false), (PHONE, true), (DESK, false), (DESK, true)] {
        browser.look(width, height, dark);
        assert_eq!(axe(browser), json!([]), "{name}, {width} wide, dark: {dark}");
        let wider = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wider, 0, "{name} is wider than a screen of {width}");
    }
    browser.look(DESK.0, DESK.1, false);
    assert_eq!(browser.log(), [""; 0], "{name}");
}

fn setting(world: &World, name: &str) -> Value {
    world.data_of(&["config", "get", name])
}

#[test]
fn settings_change_at_once_with_leave_where_they_widen_and_outlive_a_restart() {
    let mut world = World::new(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    assert_eq!(setting(&world, "home.hold_seconds")["said"], "file");
    // A longer hold needs nobody's leave, and counts for the next mail.
    world.ok(&["config", "set", "home.hold_seconds=600"], "");
    world.task("write to ana@example.org");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "held");
    assert!(world.sink.arrived().is_empty());
    // A shorter one does; nothing changes without.
    for change in [
        json!({"set": {"home.hold_seconds": "0"}}),
        json!({"set": {"home.time_zone": "Asia/Tokyo"}}),
        json!({"set": {"model.base_url": "http://127.0.0.1:1/v1"}}),
        json!({"unset": ["home.hold_seconds"]}),
    ] {
        let (status, said) = world.post("/v1/config/narrow", &change);
        assert_eq!((status, said["code"].as_str()), (403, Some("not-authorised")), "{change}: {said}");
    }
    let (_, said) = world.fails(&["config", "set", "home.hold_seconds=0"], "not-the-passphrase");
    assert!(said.contains("passphrase is wrong"), "{said}");
    assert_eq!(setting(&world, "home.hold_seconds")["value"], "600");
    world.ok(&["config", "set", "home.hold_seconds=0", "home.time_zone=Asia/Tokyo"], PASSPHRASE);
    // What is signed is what is changed.
    let change = bailey_interface::ConfigChange {
        set: [("home.hold_seconds".to_owned(), "1".to_owned())].into(),
        ..bailey_interface::ConfigChange::default()
    };
    let proof = world.prove(&bailey_home::purposes::change_settings(&change), PASSPHRASE);
    let other = json!({"change": {"set": {"home.hold_seconds": "2"}}, "proof": proof});
    assert_eq!(world.post("/v1/config", &other).0, 403);
    world.restart();
    assert_eq!(setting(&world, "home.hold_seconds")["value"], "0");
    assert_eq!(setting(&world, "home.time_zone")["value"], "Asia/Tokyo");
    // Nothing of the machine's own is changed here.
    let (_, said) = world.fails(&["config", "set", "gateway.listen=0.0.0.0:80"], PASSPHRASE);
    assert!(said.contains("config.toml"), "{said}");
    world.ok(&["config", "unset", "home.time_zone"], PASSPHRASE);
    assert_eq!(setting(&world, "home.time_zone")["value"], "Europe/Paris");
    // The log says all of it, and a verifier agrees with what was signed.
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    let changes = log.as_array().unwrap().iter().filter(|entry| entry["header"]["kind"] == "settings");
    let changes: Vec<_> = changes.map(|entry| (&entry["header"]["actor"], &entry["payload"]["set"])).collect();
    assert_eq!(
        changes,
        [
            (&json!("client"), &json!("home.hold_seconds = 600")),
            (&json!("person"), &json!("home.hold_seconds = 0\nhome.time_zone = Asia/Tokyo")),
            (&json!("person"), &json!("")),
        ]
    );
    let file = world.folder.path().join("log.jsonl");
    world.ok(&["log", "export", "--readable", file.to_str().unwrap()], PASSPHRASE);
    let verdict = command(built("bailey-verify")).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&verdict.stdout).into_owned();
    assert!([Some(0), Some(10)].contains(&verdict.status.code()), "{said}");
}

#[test]
fn another_model_is_asked_at_once_and_a_home_without_one_begins_with_it() {
    let mut world = World::bare(vec![Turn::say("from the first")], 0);
    world.configure("[gateway]\nlisten = \"127.0.0.1:0\"\n");
    world.serve();
    let (_, said) = world.fails(&["task", "hello"], "");
    assert!(said.contains("no model is chosen"), "{said}");
    let doctor = world.run(&["doctor"], "");
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("no model is chosen"), "{doctor:?}");
    let use_of = |provider: &Provider| {
        let address = format!("model.base_url={}", provider.base_url());
        world.ok(&["config", "set", "model.kind=openai-chat", &address, "model.name=scripted"], PASSPHRASE);
    };
    use_of(&world.provider);
    assert!(world.task("hello").to_string().contains("from the first"));
    let other =
        Provider::start(vec![Script { turns: vec![Turn::say("from the other")], ..Script::default() }]).unwrap();
    use_of(&other);
    assert!(world.task("hello again").to_string().contains("from the other"));
    assert_eq!((world.provider.requests().len(), other.requests().len()), (1, 1));
}

#[test]
fn settings_and_models_are_changed_on_their_pages_by_touch() {
    let mut world = World::with_dashboard(vec![Turn::say("ok")]);
    let browser = browser(&world);
    browser.open(&at(&world, "/settings"));
    whole(&browser, "settings");
    browser.run("document.querySelector('input[name=hold]').value = '45'; document.querySelector('input[name=zone]').value = 'Asia/Tokyo'");
    browser.click("form[data-touch='/v1/config'] button");
    browser.until_says("it counts from now on");
    assert_eq!(setting(&world, "home.hold_seconds")["value"], "45");
    assert_eq!(setting(&world, "home.time_zone")["value"], "Asia/Tokyo");
    // Not without whoever the passkey knows.
    browser.verifies(false);
    browser.open(&at(&world, "/settings"));
    browser.run("document.querySelector('input[name=hold]').value = '0'");
    browser.click("form[data-touch='/v1/config'] button");
    browser.until_says("nothing was done");
    assert_eq!(setting(&world, "home.hold_seconds")["value"], "45");
    browser.verifies(true);
    browser.open(&at(&world, "/models"));
    assert!(browser.text().contains("scripted"), "{}", browser.text());
    whole(&browser, "models");
    browser.click("#model-details summary");
    browser.run(
        "const form = document.querySelector('#model-details form'); form.name.value = 'another'; form.input_price.value = '1000'; form.output_price.value = '2000'",
    );
    browser.run("document.querySelector('#model-details [name=name]').value = 'another'");
    browser.click("#model-details form button");
    browser.until("return document.querySelector('#h-first').innerText === 'another'");
    world.task("hello");
    browser.open(&at(&world, "/models"));
    browser.click("#bounds summary");
    browser.run("document.querySelector('#bounds [name=month_limit]').value = '50'");
    browser.click("#bounds form button");
    browser.until_says("more than 50.00 is not spent");
    whole(&browser, "models-priced");
    let asked = String::from_utf8_lossy(world.provider.requests().last().unwrap()).into_owned();
    assert!(asked.contains("\"another\""), "{asked}");
    world.restart();
    assert_eq!(setting(&world, "model.month_limit")["value"], "50");
}

#[test]
fn a_browser_signs_in_at_a_provider_and_comes_back_to_the_page_that_asked_and_no_other() {
    let account = Account::with_dashboard(vec![Turn::call("mail_search", json!({})), Turn::say("ok")]);
    let world = &account.world;
    let (first, second) = (browser(world), browser(world));
    let begin = || {
        first.open(&at(world, "/connect?kind=mail"));
        first.click("#servers summary");
        first.click("#oauth summary");
        first.write("[name=address]", servers::ACCOUNT);
        first.write("[name=imap]", &format!("localhost:{}", account.server.imaps_port));
        first.write("[name=submission]", &format!("localhost:{}", account.server.submissions_port));
        first.write("[name=issuer]", &account.issuer.url());
        first.write("[name=client_id]", "at-the-dashboard");
        first.click("form[action='/do/connect/find'] button");
        first.until_says("Then it sends your browser back");
        first.click("[name=level][value=send]");
    };
    let standing = || {
        let all = world.data_of(&["connections"]);
        all.as_array().unwrap().iter().filter(|one| one["active"] == true).cloned().collect::<Vec<_>>()
    };
    // Held at the provider's door, so that its answer can be brought by others.
    begin();
    whole(&first, "connect-sign-in");
    first.run(
        "const real = window.fetch;
         window.fetch = async (...asked) => {
           const got = await real(...asked);
           if (asked[0] !== '/v1/sign-ins') return got;
           window.begun = (await got.json()).url;
           return new Response(JSON.stringify({url: ''}));
         }",
    );
    first.click("form[data-touch='/v1/sign-ins'] button");
    let url = first.until("return window.begun ?? ''");
    let back = follow(url.as_str().unwrap(), |next| next.contains("/oauth/back?")).unwrap_err();
    second.open(&back);
    second.until_says("another browser asked for this sign-in");
    let nobody = Browser::start();
    nobody.open(&back);
    nobody.until("return location.pathname === '/sign-in'");
    first.open(&back.replace("state=", "state=x"));
    first.until_says("no sign-in waits for this answer");
    let (status, said) = world.request_as(
        &world.token(),
        "GET",
        back.split_once("localhost").unwrap().1.split_once('/').map(|(_, path)| format!("/{path}")).unwrap().as_str(),
        "",
    );
    assert_eq!(status, 403, "a program's token is no browser: {said}");
    assert_eq!(standing(), [Value::Null; 0]);
    first.open(&back);
    first.until_says("works: it was tried out");
    assert_eq!(standing().len(), 1);
    first.open(&back);
    first.until_says("no sign-in waits for this answer");
    // In one go, as a person does it; in the place of the first.
    let old = id(&standing()[0]);
    first.open(&at(world, &format!("/connect/{old}/again")));
    first.click("form[data-touch='/v1/sign-ins'] button");
    first.until_says("works: it was tried out");
    picture(&first, "signed-in");
    let now = standing();
    assert_eq!(now.len(), 1, "{now:#?}");
    assert_ne!(id(&now[0]), old);
    assert!(now[0]["given"].to_string().contains("mail.send"), "{now:#?}");
    let task = world.task("look at my mail");
    assert_eq!(task["actions"][0]["state"], "succeeded", "{task:#}");
}

#[test]
fn connections_tell_what_they_may_and_did_and_are_ended_with_the_providers_answer() {
    let account = Account::with_dashboard(vec![
        Turn::call("mail_search", json!({})),
        Turn::call("mail_search", json!({"from": "ana"})),
        send("ana@example.org", "Tuesday", "Yes."),
        Turn::say("ok"),
    ]);
    let world = &account.world;
    let connection = account.with_password("full");
    world.task("look at my mail, and write to ana@example.org");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    let view = &world.data_of(&["connections"])[0];
    assert_eq!((&view["used"]["week_looks"], &view["used"]["week"]["mail.send"]), (&json!(2), &json!(1)), "{view:#}");
    let permissions = view["permissions"].as_array().unwrap();
    let told: Vec<_> = permissions
        .iter()
        .map(|one| (one["level"].as_str().unwrap(), one["granted"] == true, one["month"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("read-only", true, 2), ("draft", true, 0), ("send", true, 1), ("full", true, 0)]);
    let said = world.ok(&["connections"], "");
    assert!(said.contains("2 looks"), "{said}");
    let browser = browser(world);
    browser.open(&at(world, "/connections"));
    assert!(browser.text().contains("2 looks · Sending mail 1"), "{}", browser.text());
    whole(&browser, "connections");
    // Less than it may, by a touch.
    browser.click(&format!("#l-{connection} summary"));
    browser.click(&format!("#l-{connection} [value=read-only]"));
    browser.click(&format!("#l-{connection} form button"));
    browser.until(
        "return [...document.querySelectorAll('.uses td')].some(one => one.innerText.includes('kept by Bailey alone'))",
    );
    picture(&browser, "connections-less");
    // Connected anew, in the place of the old one.
    browser.open(&at(world, &format!("/connect/{connection}/again")));
    whole(&browser, "connect-again");
    browser.write("[name=password]", servers::APP_PASSWORD);
    browser.click("form[data-touch='/v1/connections'] button");
    browser.until("return location.pathname === '/connections'");
    let all = world.data_of(&["connections"]);
    let active: Vec<_> = all.as_array().unwrap().iter().filter(|one| one["active"] == true).collect();
    assert_eq!(active.len(), 1, "{all:#}");
    assert_ne!(id(active[0]), connection);
    browser.click("form[action$='/revoke'] button");
    browser.until_says("can only be ended on the provider's page");
    picture(&browser, "connections-ended");
    assert!(world.data_of(&["connections"]).as_array().unwrap().iter().all(|one| one["active"] == false));
}

#[test]
fn the_first_run_leads_from_the_link_to_a_first_approval() {
    let mut world = World::bare(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")], 0);
    world.configure("[home]\nhold_seconds = 0\n[gateway]\nlisten = \"127.0.0.1:0\"\n");
    world.take_port();
    world.serve();
    let browser = browser(&world);
    picture(&browser, "first-codes");
    browser.click("a.go");
    browser.until_says("Choose a model");
    whole(&browser, "first-steps");
    browser.click(".first-steps [aria-current]");
    browser.until("return location.pathname === '/models'");
    whole(&browser, "first-models");
    // The command line leads as the page does.
    let said = world.ok(&["status"], "");
    assert!(
        said.contains("First steps, 0 of 4 done") && said.contains("next  Choose a model: bailey config set"),
        "{said}"
    );
    // The scripted model stands where nobody looks for one, so it is named.
    let address = format!("model.base_url={}", world.provider.base_url());
    world.ok(&["config", "set", "model.kind=openai-chat", &address, "model.name=scripted"], PASSPHRASE);
    browser.until("return document.querySelectorAll('.first-steps .done').length === 1");
    browser.click(".first-steps [aria-current]");
    browser.until("return location.pathname === '/connect'");
    world.connect("send");
    browser.until("return document.querySelectorAll('.first-steps .done').length === 2");
    let said = world.ok(&["status"], "");
    assert!(said.contains("done  Choose a model") && said.contains("next  Give a first task: bailey task"), "{said}");
    browser.click(".first-steps [aria-current]");
    browser.until("return location.pathname === '/talk'");
    browser.write("textarea[name=words]", "answer ana@example.org about Tuesday");
    browser.click("form[action='/do/task'] button");
    browser.until("return !!document.querySelector('article.card')");
    browser.click(".first-steps [aria-current]");
    browser.until("return location.pathname === '/approvals'");
    browser.click("article.card input[type=checkbox][required]");
    browser.click("article.card form[data-touch='/v1/approvals/approve'] button");
    World::until_true("it was never sent", || world.sink.arrived().len() == 1);
    // It went away by itself, and stays away.
    browser.until("return !document.querySelector('.first-steps')");
    assert_eq!(world.get("/v1/first-steps")["steps"], json!([]));
    assert!(!world.ok(&["status"], "").contains("First steps"));
    world.restart();
    assert_eq!(world.get("/v1/first-steps")["steps"], json!([]));
}

#[test]
fn the_log_in_plain_words_goes_to_the_disk_as_it_comes_and_everything_is_deleted_from_the_page() {
    let world = World::with_dashboard(vec![Turn::say("ok")]);
    let browser = browser(&world);
    world.task("hello");
    let folder = world.folder.path().join("downloads");
    std::fs::create_dir_all(&folder).unwrap();
    browser.devtools("Browser.setDownloadBehavior", &json!({"behavior": "allow", "downloadPath": folder}));
    browser.open(&at(&world, "/settings"));
    browser.click("form[data-to='/do/log/export-readable'] button");
    let file = folder.join("bailey-log-readable.jsonl");
    World::until_true("it never came", || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("exported")));
    let verdict = command(built("bailey-verify")).arg(&file).output().unwrap();
    assert!([Some(0), Some(10)].contains(&verdict.status.code()), "{}", String::from_utf8_lossy(&verdict.stdout));
    assert_eq!(browser.run("return location.pathname"), "/settings");
    // Not without its name.
    browser.click("#delete summary");
    browser.write("[name=confirm]", "something else");
    browser.click("#delete form button");
    assert_eq!(world.get("/v1/status")["mode"], "open");
    browser.run("document.querySelector('[name=confirm]').value = ''");
    let home = id_of_home(&world);
    browser.write("[name=confirm]", &home);
    browser.click("#delete form button");
    browser.until_says("Deleted");
    World::until_true("its files are still there", || !world.data().join("home").exists());
}

fn id_of_home(world: &World) -> String {
    world.get("/v1/status")["home"].as_str().unwrap().to_owned()
}
