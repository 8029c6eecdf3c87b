//! What every page promises, whatever it shows.

use std::collections::BTreeSet;

use bailey_dashboard::{Section, approvals, asset};
use bailey_interface::ActionView;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::html::{Element, Node, read};
use crate::pages::{Views, all, frame};
use crate::views;

/// Largest page, in bytes.
const MAX_PAGE: usize = 100_000;
/// Largest script, in bytes.
const MAX_SCRIPT: usize = 15_000;

/// Closes whatever could be open, and begins what must never be.
const HOSTILE: &str =
    "'\"></textarea></title></script><script>alert(1)</script><img src=x onerror=alert(1) style=x>{{7*7}}</p>&lt;";

/// Puts hostile words behind every text of a view; `kept` names the fields that decide what is shown.
fn hostile<T: Serialize + DeserializeOwned>(view: &T, kept: &[&str]) -> T {
    fn poison(value: &mut Value, kept: &[&str]) {
        match value {
            // One of a closed set, which nothing else is read as.
            Value::String(text) if text == "ends-soon" => {}
            Value::String(text) => text.push_str(HOSTILE),
            Value::Array(all) => all.iter_mut().for_each(|one| poison(one, kept)),
            Value::Object(fields) => fields
                .iter_mut()
                .filter(|(name, _)| !kept.contains(&name.as_str()))
                .for_each(|(_, value)| poison(value, kept)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(view).unwrap();
    poison(&mut value, kept);
    serde_json::from_value(value).unwrap()
}

/// Returns every page of usual views, of views that are hostile in all, and of those that are hostile in all but what decides what is shown.
fn every_page() -> Vec<(&'static str, String)> {
    let usual = Views::usual();
    let shown = ["state", "kind", "role", "class", "mode", "label", "id"];
    let mut out = all(&usual);
    out.extend(all(&hostile(&usual, &[])));
    out.extend(all(&hostile(&usual, &shown)));
    out
}

fn elements(page: &str) -> Vec<Element> {
    let element = |node| if let Node::Element(element) = node { Some(element) } else { None };
    read(page).into_iter().filter_map(element).collect()
}

#[test]
fn what_others_wrote_becomes_neither_element_nor_attribute() {
    for (name, page) in every_page() {
        let found = elements(&page);
        assert!(!found.is_empty(), "{name}");
        for element in &found {
            let scripts = element.name == "script" && !element.value("src").starts_with("/assets/");
            // Pictures of the home's own files, from the home.
            let img = element.name == "img" && !element.value("src").starts_with("/v1/files/0");
            assert!(!scripts && !img && element.name != "style" && element.name != "iframe", "{name}: {element:?}");
            for attribute in element.attributes.keys() {
                assert!(
                    !attribute.starts_with("on") && attribute != "style" && attribute != "srcdoc",
                    "{name}: {element:?}"
                );
            }
            for to in ["href", "action", "src"] {
                let Some(to) = element.attributes.get(to) else { continue };
                let within = to.starts_with('/') || to.starts_with('#');
                assert!(within && !to.starts_with("//"), "{name}: leads to `{to}`");
            }
        }
    }
}

#[test]
fn hostile_words_are_shown_as_they_are() {
    let views = hostile(&Views::usual(), &["state", "kind", "role", "class", "label", "id"]);
    for (name, page) in all(&views) {
        let texts: String = read(&page)
            .into_iter()
            .filter_map(|node| if let Node::Text(text) = node { Some(text) } else { None })
            .collect();
        // What holds nothing of a view; recovery codes are put in by the script.
        let empty =
            name.ends_with("-none") || name == "computer-asleep" || name == "codes" || name == "passphrase-code";
        // Of a path they show the last name: what stands behind a stroke in it.
        let empty = empty || name == "files" || name.starts_with("own-file-");
        assert!(empty || texts.contains("<script>alert(1)</script>"), "{name}");
    }
}

#[test]
fn controls_have_names() {
    for (name, page) in every_page() {
        for element in elements(&page) {
            let control = match element.name.as_str() {
                "button" | "a" | "summary" => !element.text.trim().is_empty(),
                "input" if element.value("type") == "hidden" => true,
                "input" | "select" | "textarea" => element.within.contains(&"label".to_owned()),
                _ => true,
            };
            assert!(control || element.attributes.contains_key("aria-label"), "{name}: {element:?}");
        }
    }
}

#[test]
fn headings_are_in_order_and_ids_are_there_once() {
    for (name, page) in every_page() {
        let found = elements(&page);
        let mut last = 0;
        for element in &found {
            let Some(level) = element.name.strip_prefix('h').and_then(|level| level.parse::<u8>().ok()) else {
                continue;
            };
            assert!(level <= last + 1, "{name}: h{level} behind h{last}");
            assert!(level != 1 || last == 0, "{name}: a second h1");
            last = level;
        }
        assert!(last > 0, "{name}: no heading");
        let mut ids = BTreeSet::new();
        for element in &found {
            let Some(id) = element.attributes.get("id") else { continue };
            assert!(ids.insert(id.as_str()), "{name}: `{id}` twice");
        }
        for element in &found {
            for to in ["form", "aria-labelledby"] {
                let Some(id) = element.attributes.get(to) else { continue };
                assert!(ids.contains(id.as_str()), "{name}: `{id}` is not there");
            }
        }
    }
}

#[test]
fn every_page_within_can_pause_without_a_script() {
    let outside = ["sign-in", "claim", "codes", "passphrase-code", "trouble-outside", "paused"];
    for (name, page) in all(&Views::usual()) {
        let pauses = |element: &Element| {
            element.name == "form" && element.value("action") == "/do/pause" && element.value("method") == "post"
        };
        let can = elements(&page).iter().any(pauses);
        assert_eq!(can, !outside.contains(&name), "{name}");
    }
}

#[test]
fn a_paused_page_says_so_and_resumes_with_a_touch() {
    let (_, page) = all(&Views::usual()).into_iter().find(|(name, _)| *name == "paused").unwrap();
    let resume = elements(&page).into_iter().find(|element| element.value("data-touch") == "/v1/resume").unwrap();
    assert_eq!(resume.value("data-body"), r#"{"epoch":7}"#);
    assert!(page.contains("Paused since") && page.contains("Nothing leaves."));
}

#[test]
fn pages_of_many_stay_below_their_bound() {
    let long = |action: ActionView| ActionView { body: action.body.repeat(4), ..action };
    let waiting: Vec<ActionView> = (0..18).map(|n| long(views::strange_mail(n))).collect();
    let page = approvals(
        &frame(&views::status("open"), Section::Approvals),
        Default::default(),
        &waiting,
        &[],
        &[],
        &Default::default(),
    );
    assert!(page.len() < MAX_PAGE, "18 cards take {} bytes", page.len());
    let rows: Vec<ActionView> = (0..50).map(|n| long(views::strange_mail(n))).collect();
    let status = views::status("open");
    let frame = frame(&status, Section::Activity);
    let page = bailey_dashboard::activity(&frame, &rows, &Default::default(), Some("id"));
    assert!(page.len() < MAX_PAGE, "50 rows take {} bytes", page.len());
    let mut long_task = views::task();
    let step = long_task.actions.iter().find(|step| step.state == "succeeded").cloned().unwrap();
    long_task.actions = (0..400).map(|_| step.clone()).chain(waiting.into_iter().take(12)).collect();
    let count = |page: &str, what: &str| page.matches(what).count();
    let page = bailey_dashboard::task(&frame, &views::tasks(), &long_task, 0);
    assert!(page.len() < MAX_PAGE, "a task of 412 steps takes {} bytes", page.len());
    assert!(page.contains("352 earlier steps") && count(&page, "<article") == 12, "{} cards", count(&page, "<article"));
    let page = bailey_dashboard::task(&frame, &views::tasks(), &long_task, 60);
    assert!(page.contains("292 earlier steps") && page.contains("The last steps") && count(&page, "<article") == 0);
    let long_body = |action: ActionView| ActionView { body: "word ".repeat(9_000), ..action };
    long_task.actions = (0..6).map(|n| long_body(views::strange_mail(n))).collect();
    let page = bailey_dashboard::task(&frame, &views::tasks(), &long_task, 0);
    assert!(page.len() < MAX_PAGE && count(&page, "<article") == 1 && count(&page, "Look at it, and answer") == 5);
    let mut views = Views::usual();
    views.context.spans.iter_mut().for_each(|span| span.text = span.text.repeat(2_000));
    let (_, page) = all(&views).into_iter().find(|(name, _)| *name == "context").unwrap();
    assert!(page.len() < MAX_PAGE && page.contains("The rest of this piece"), "a request takes {} bytes", page.len());
}

#[test]
fn a_card_is_always_in_the_same_order() {
    let card = bailey_dashboard::one_approval(
        &frame(&views::status("open"), Section::Approvals),
        &views::strange_mail(4),
        None,
    );
    let order = [
        "Send a mail to 2 recipients; one you never wrote to",
        "Can be taken back for 30 s",
        "Asks because",
        "ana@<b>example.org</b>",
        "tom@<b>examp1e.org</b>",
        "looks like <bdi>tom@example.org</bdi>",
        "I know <bdi>tom@examp1e.org</bdi>",
        "Re: Tuesday?",
        "Dear Ana,",
        "report.pdf",
        "a link that you did not write",
        "Answers the mail from",
        "The agent says",
        "Exactly what is bound",
        "Reject",
        "Edit",
        "Always like this…",
        "Approve",
    ];
    let body = card.split_once("<article").unwrap().1;
    let mut at = 0;
    for part in order {
        at += body[at..].find(part).unwrap_or_else(|| panic!("`{part}` does not stand behind what is before it"));
    }
}

#[test]
fn a_stranger_is_ticked_on_that_very_line_before_anything_is_approved() {
    let card =
        |action| bailey_dashboard::one_approval(&frame(&views::status("open"), Section::Approvals), &action, None);
    let ticks = |page: &str| {
        let is_tick =
            |element: &Element| element.value("type") == "checkbox" && element.attributes.contains_key("required");
        elements(page).into_iter().filter(is_tick).collect::<Vec<_>>()
    };
    assert!(ticks(&card(views::mail(3))).is_empty(), "somebody known needs no tick");
    let page = card(views::strange_mail(4));
    let [tick] = &ticks(&page)[..] else { panic!("one stranger, one tick") };
    let approve =
        elements(&page).into_iter().find(|element| element.value("data-touch") == "/v1/approvals/approve").unwrap();
    assert_eq!(tick.value("form"), approve.value("id"));
    assert!(tick.within.contains(&"li".to_owned()), "on the line of whom it is about");
    let button = |element: &Element| element.name == "button" && element.text.starts_with("Approve");
    assert!(elements(&page).iter().any(|element| button(element) && element.attributes.contains_key("disabled")));
    // Said on the line, so not said again above it; what stands on no line is.
    assert!(!page.contains("you have never written to") && page.contains("a link that you did not write"));
}

#[test]
fn only_plain_actions_of_one_task_and_kind_are_answered_together() {
    let critical = ActionView { class: "critical".into(), ..views::mail(9) };
    let other = ActionView { task: Some(format!("{:032x}", 1)), ..views::mail(10) };
    let waiting =
        [views::mail(3), views::strange_mail(4), views::mail(5), views::entry(6, "awaiting"), critical, other];
    let page = approvals(
        &frame(&views::status("open"), Section::Approvals),
        Default::default(),
        &waiting,
        &[],
        &[],
        &Default::default(),
    );
    let chosen: Vec<String> = elements(&page)
        .into_iter()
        .filter(|element| element.value("name") == "choose")
        .map(|element| element.value("value").to_owned())
        .collect();
    assert_eq!(chosen, [waiting[0].id.clone(), waiting[2].id.clone()]);
}

#[test]
fn what_is_shown_twice_is_the_same_part_and_what_differs_another() {
    let status = views::status("open");
    let frame = frame(&status, Section::Approvals);
    let version = |action: &ActionView| {
        let page = bailey_dashboard::one_approval(&frame, action, None);
        let card = elements(&page).into_iter().find(|element| element.name == "article").unwrap();
        card.value("data-v").to_owned()
    };
    assert_eq!(version(&views::mail(3)), version(&views::mail(3)));
    assert_ne!(version(&views::mail(3)), version(&ActionView { state: "rejected".into(), ..views::mail(3) }));
}

#[test]
fn files_are_found_at_the_paths_that_pages_name_and_nowhere_else() {
    let mut named = BTreeSet::new();
    for (_, page) in all(&Views::usual()) {
        let paths = elements(&page)
            .into_iter()
            .flat_map(|element| [element.value("href").to_owned(), element.value("src").to_owned()]);
        named.extend(
            paths.filter(|path| path.starts_with("/assets/")).map(|path| path.split('#').next().unwrap().to_owned()),
        );
    }
    let is_named = |name: &str| named.iter().any(|path| path.ends_with(name));
    assert!(["dashboard.css", "dashboard.js", "icons.svg", "notifications.js"].into_iter().all(is_named), "{named:?}");
    for path in &named {
        let (media_type, bytes) = asset(path).unwrap();
        assert!(!bytes.is_empty() && (media_type.starts_with("text/") || media_type.starts_with("image/")));
        if path.ends_with(".js") {
            assert!(bytes.len() <= MAX_SCRIPT, "the script takes {} bytes", bytes.len());
            let text = std::str::from_utf8(bytes).unwrap();
            for sink in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "DOMParser", "document.write", "eval(", "new Function"]
            {
                assert!(!text.contains(sink), "the script names `{sink}`");
            }
        }
    }
    assert_eq!(asset("/assets/0000000000000000/dashboard.js"), None);
}

#[test]
fn icons_that_pages_name_are_in_the_picture() {
    for (name, page) in all(&Views::usual()) {
        for element in elements(&page).into_iter().filter(|element| element.name == "use") {
            let (path, icon) = element.value("href").split_once('#').unwrap();
            let picture = std::str::from_utf8(asset(path).unwrap().1).unwrap();
            assert!(picture.contains(&format!("id=\"{icon}\"")), "{name}: no `{icon}`");
        }
    }
}
