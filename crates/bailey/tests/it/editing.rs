//! Waiting entries of a calendar, changed by the person on their cards and on the command line.

use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers;

use crate::dashboard::{at, axe, let_in, picture};
use crate::support::{PASSPHRASE, World, id, send};
use crate::webdriver::Browser;

/// A world with a calendar that is asked about, and a dashboard.
fn world(turns: Vec<Turn>) -> (World, servers::CalendarServer) {
    let mut world = World::bare(turns, 0);
    world.take_port();
    world.serve();
    let folder = world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = server.url();
    let arguments = ["connect", "calendar", url.as_str(), "--user", servers::ACCOUNT, "--level", "full"];
    world.ok(&arguments, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    for rule in ["new calendar entries: ask", "changing calendar entries: ask"] {
        world.ok(&["rules", "add", rule], PASSPHRASE);
    }
    (world, server)
}

/// What stands in a field of the page.
fn field(browser: &Browser, name: &str) -> Value {
    browser.run(&format!("return document.querySelector('[name={name}]').value"))
}

/// Writes over what stands in a field.
fn overwrite(browser: &Browser, name: &str, words: &str) {
    browser.run(&format!("document.querySelector('[name={name}]').value = ''"));
    browser.write(&format!("[name={name}]"), words);
}

#[test]
fn an_entry_is_changed_on_its_card_and_asks_again_and_nonsense_loses_nothing() {
    let create = json!({"what": "Dentist", "begins": "2 March 2027 at 15:00", "where": "Main street 4"});
    let (world, server) = world(vec![Turn::call("calendar_create", create), Turn::say("ok")]);
    let task = world.task("add the dentist on 2 March 2027 at 15:00 to my calendar");
    let first = world.waiting();
    let browser = Browser::start();
    let_in(&world, &browser);
    browser.open(&at(&world, "/approvals"));
    browser.click("article.card a.edit");
    browser.until_says("Edit the entry");
    let shown = ["what", "begins", "ends", "where", "notes"].map(|name| field(&browser, name));
    assert_eq!(json!(shown), json!(["Dentist", "2027-03-02 15:00", "2027-03-02 16:00", "Main street 4", ""]));
    // Nonsense is told under its field, and what was typed stays.
    overwrite(&browser, "what", "Dentist; bring the card");
    overwrite(&browser, "begins", "Tuesday the 99th");
    overwrite(&browser, "ends", "");
    overwrite(&browser, "notes", "Second floor,\nleft");
    browser.click("form[action^='/do/edit/'] button");
    browser.until("return !!document.querySelector('#wrong-begins')");
    assert_eq!(field(&browser, "begins"), "Tuesday the 99th");
    assert_eq!(field(&browser, "what"), "Dentist; bring the card");
    assert_eq!(field(&browser, "notes"), "Second floor,\nleft");
    let described = "const field = document.querySelector('[name=begins]'); return [field.getAttribute('aria-describedby'), field.getAttribute('aria-invalid')]";
    assert_eq!(browser.run(described), json!(["wrong-begins", "true"]));
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "edit-entry");
    assert_eq!(world.waiting()["id"], first["id"], "what cannot be used changes nothing");
    overwrite(&browser, "begins", "2027-03-03 10:00");
    overwrite(&browser, "ends", "2027-03-03 09:00");
    browser.click("form[action^='/do/edit/'] button");
    browser.until("return !!document.querySelector('#wrong-ends')");
    overwrite(&browser, "ends", "");
    overwrite(&browser, "where", "");
    browser.click("form[action^='/do/edit/'] button");
    browser.until("return !!document.querySelector('article.card form.approve')");
    // It is another action, which asks, in the place of the first.
    let second = world.waiting();
    assert_ne!((&second["id"], &second["digest"]), (&first["id"], &first["digest"]));
    assert_eq!(world.get(&format!("/v1/actions/{}", id(&first)))["state"], "superseded");
    assert!(server.stored().is_empty(), "nothing goes by saving");
    browser.until_says("bring the card");
    picture(&browser, "edited-entry");
    browser.click("article.card form.approve button");
    world.until(&id(&second), "succeeded");
    world.until_task(&id(&task), "answered");
    let stored = server.stored().join("").replace("\r\n ", "");
    for line in [
        "DTSTART:20270303T090000Z",
        "DTEND:20270303T100000Z",
        "SUMMARY:Dentist\\; bring the card",
        "DESCRIPTION:Second floor\\,\\nleft",
    ] {
        assert!(stored.contains(line), "{line} in {stored}");
    }
    assert!(!stored.contains("Main street"), "{stored}");
    assert_eq!(browser.log(), [""; 0]);
}

#[test]
fn a_change_of_an_entry_is_edited_on_the_command_line_and_keeps_what_nobody_named() {
    const MEETING: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:meeting\nDTSTAMP:20261101T000000Z\nDTSTART;TZID=Europe/Paris:20270302T150000\nDURATION:PT45M\nSUMMARY:Review\nX-NOTE:keep me\nEND:VEVENT\nEND:VCALENDAR\n";
    let look = Turn::call("calendar_read", json!({"from": "2027-03-01", "until": "2027-03-10"}));
    let change = Turn::call("calendar_change", json!({"id": "$ID0", "begins": "2027-03-03 10:00"}));
    let (world, server) = world(vec![look, change, Turn::say("ok")]);
    server.add("meeting", MEETING).unwrap();
    world.task("move the review to 3 March 2027 at 10:00");
    let first = world.waiting();
    let (code, said) = world.fails(&["edit", &id(&first), "--subject", "No"], "");
    assert!(code != 0 && said.contains("an entry of a calendar has none"), "{said}");
    let (_, said) = world.fails(&["edit", &id(&first), "--what", "Review"], "");
    assert!(said.contains("nothing was changed"), "{said}");
    let (_, said) = world.fails(&["edit", &id(&first), "--begins", "never"], "");
    assert!(said.contains("`begins`"), "{said}");
    let second = world.data_of(&["edit", &id(&first), "--where", "Room 2"]);
    assert_eq!(second["state"], "awaiting", "{second:#}");
    world.ok(&["approve", &id(&second)], PASSPHRASE);
    world.until(&id(&second), "succeeded");
    let stored = server.stored().join("").replace("\r\n ", "");
    for line in ["DTSTART;TZID=Europe/Paris:20270303T100000", "DURATION:PT45M", "LOCATION:Room 2", "X-NOTE:keep me"] {
        assert!(stored.contains(line), "{line} in {stored}");
    }
}

#[test]
fn a_recipient_that_cannot_be_used_is_told_under_its_field_and_the_mail_stays_as_it_was_typed() {
    let (world, browser) =
        crate::dashboard::world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("It is sent.")]);
    world.task("write to ana@example.org");
    let first = world.waiting();
    browser.open(&at(&world, &format!("/approvals/{}/edit", id(&first))));
    assert_eq!(field(&browser, "to"), "ana@example.org");
    overwrite(&browser, "to", "ana at example.org");
    overwrite(&browser, "body", "Yes, at ten.");
    browser.click("form[action^='/do/edit/'] button");
    browser.until("return !!document.querySelector('#wrong-to')");
    assert_eq!(field(&browser, "to"), "ana at example.org");
    assert_eq!(field(&browser, "body"), "Yes, at ten.");
    assert_eq!(world.waiting()["id"], first["id"]);
    overwrite(&browser, "to", "Ana <ana@example.org>");
    browser.click("form[action^='/do/edit/'] button");
    browser.until("return !!document.querySelector('article.card form.approve')");
    let second = world.waiting();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(second["body"], "Yes, at ten.");
    // What was answered meanwhile cannot be edited any more, and what was typed is not lost by that either.
    browser.open(&at(&world, &format!("/approvals/{}/edit", id(&second))));
    overwrite(&browser, "body", "No.");
    world.ok(&["reject", &id(&second)], "");
    browser.click("form[action^='/do/edit/'] button");
    browser.until_says("so nothing was changed");
    assert_eq!(field(&browser, "body"), "No.");
    assert_eq!(browser.log(), [""; 0]);
}

/// A series whose days are those of New York, which the person sees on the clock of Paris.
const WEEKLY: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:weekly\nDTSTAMP:20261101T000000Z\nDTSTART;TZID=America/New_York:20270303T090000\nDTEND;TZID=America/New_York:20270303T100000\nRRULE:FREQ=WEEKLY;COUNT=8\nSUMMARY:Team meeting\nX-NOTE:keep me\nEND:VEVENT\nEND:VCALENDAR\n";

/// A home whose model changes a series as it is told to, which waits.
fn series(arguments: Value, words: &str) -> (World, servers::CalendarServer, Value) {
    let look = Turn::call("calendar_read", json!({"from": "2027-03-08", "until": "2027-03-14"}));
    let (world, server) = world(vec![look, Turn::call("calendar_change", arguments), Turn::say("ok")]);
    server.add("weekly", WEEKLY).unwrap();
    world.task(words);
    let first = world.waiting();
    assert_eq!(first["can_edit"], true, "{first:#}");
    (world, server, first)
}

/// Lines of the stored entries, without folding.
fn stored(server: &servers::CalendarServer) -> String {
    server.stored().join("").replace("\r\n ", "")
}

/// What the card says of each date.
fn dates(card: &Value) -> Vec<String> {
    let items = card["items"].as_array().unwrap().iter();
    items.filter(|line| line["label"] == "Date").map(|line| line["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_change_of_one_of_a_series_is_edited_and_the_others_stay() {
    let (world, server, first) = series(
        json!({"id": "$ID0", "which": "this", "begins": "2027-03-10 16:00"}),
        "move the team meeting of 10 March 2027 to 16:00, this one alone",
    );
    let browser = Browser::start();
    let_in(&world, &browser);
    browser.open(&at(&world, "/approvals"));
    browser.click("article.card a.edit");
    browser.until_says("This changes this one alone.");
    let shown = ["what", "begins", "ends"].map(|name| field(&browser, name));
    assert_eq!(json!(shown), json!(["Team meeting", "2027-03-10 16:00", "2027-03-10 17:00"]));
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "edit-one-of-series");
    overwrite(&browser, "begins", "2027-03-10 17:30");
    overwrite(&browser, "ends", "");
    overwrite(&browser, "where", "Room 2");
    browser.click("form[action^='/do/edit/'] button");
    browser.until("return !!document.querySelector('article.card form.approve')");
    browser.until_says("17:30");
    let second = world.waiting();
    assert_ne!(second["digest"], first["digest"]);
    assert_eq!(second["headline"], first["headline"]);
    browser.click("article.card form.approve button");
    world.until(&id(&second), "succeeded");
    let stored = stored(&server);
    for line in [
        "RRULE:FREQ=WEEKLY;COUNT=8",
        "DTSTART;TZID=America/New_York:20270303T090000",
        "RECURRENCE-ID;TZID=America/New_York:20270310T090000",
        "DTSTART;TZID=America/New_York:20270310T113000",
        "DTEND;TZID=America/New_York:20270310T123000",
        "LOCATION:Room 2",
    ] {
        assert!(stored.contains(line), "{line} in {stored}");
    }
    assert_eq!(stored.matches("BEGIN:VEVENT").count(), 2, "{stored}");
    world.ok(&["undo", &id(&second)], PASSPHRASE);
    world.until(&id(&second), "undone");
    assert_eq!(browser.log(), [""; 0]);
}

#[test]
fn a_change_of_all_of_a_series_is_edited_and_its_dates_are_told_anew_from_how_it_lies() {
    let (world, server, first) = series(
        json!({"id": "$ID0", "which": "all", "begins": "2027-03-11 15:00"}),
        "move the whole series of the team meeting to Thursdays, all of it",
    );
    assert!(
        dates(&first)[0].contains("Wednesday 2027-03-03") && dates(&first)[0].contains("Thursday 2027-03-04"),
        "{first:#}"
    );
    let second = world.data_of(&["edit", &id(&first), "--begins", "12 March 2027 at 16:00", "--what", "Meeting"]);
    assert_eq!(second["state"], "awaiting", "{second:#}");
    // From how it lies on the server, not from the change that was edited.
    let told = dates(&second);
    assert!(told[0].contains("Wednesday 2027-03-03 15:00") && told[0].contains("Friday 2027-03-05 16:00"), "{told:?}");
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(second["items"].to_string().contains("all of the series, 8 times"), "{second:#}");
    world.ok(&["approve", &id(&second)], PASSPHRASE);
    world.until(&id(&second), "succeeded");
    let stored = stored(&server);
    // Nobody said until when, so it takes as long as before.
    for line in [
        "DTSTART;TZID=America/New_York:20270305T100000",
        "DTEND;TZID=America/New_York:20270305T110000",
        "RRULE:FREQ=WEEKLY;COUNT=8",
        "SUMMARY:Meeting",
        "X-NOTE:keep me",
    ] {
        assert!(stored.contains(line), "{line} in {stored}");
    }
    assert_eq!(stored.matches("BEGIN:VEVENT").count(), 1, "{stored}");
}

#[test]
fn a_series_that_goes_on_changed_is_edited_and_back_to_how_it_was_says_that_nothing_is_left() {
    let (world, server, first) = series(
        json!({"id": "$ID0", "which": "following", "begins": "2027-03-10 16:00"}),
        "move the team meeting to 16:00 from 10 March 2027 on, this and those that follow",
    );
    let second = world.data_of(&["edit", &id(&first), "--begins", "2027-03-10 18:00"]);
    let (was, told) = (dates(&first), dates(&second));
    assert_eq!(was.len(), told.len(), "{was:?} {told:?}");
    for (was, told) in was.iter().zip(&told) {
        assert_eq!(was.split(" \u{2192} ").next(), told.split(" \u{2192} ").next(), "what was stays what was");
        assert_ne!(was, told);
    }
    assert!(told[0].contains("Wednesday 2027-03-10 15:00") && told[0].contains("18:00"), "{told:?}");
    world.ok(&["approve", &id(&second)], PASSPHRASE);
    world.until(&id(&second), "succeeded");
    let all = stored(&server);
    assert!(all.contains("DTSTART;TZID=America/New_York:20270310T120000"), "{all}");
    assert!(
        all.contains("DTSTART;TZID=America/New_York:20270303T090000"),
        "the old one stays until it is ended: {all}"
    );
    // One that is edited back to how it lies changes nothing, and says so.
    let (world, _server, first) = series(
        json!({"id": "$ID0", "which": "all", "begins": "2027-03-10 16:00"}),
        "move the whole series of the team meeting to 16:00, all of it",
    );
    let (_, said) = world.fails(&["edit", &id(&first), "--begins", "2027-03-10 15:00"], "");
    assert!(said.contains("like that already"), "{said}");
    assert_eq!(world.waiting()["id"], first["id"]);
}
