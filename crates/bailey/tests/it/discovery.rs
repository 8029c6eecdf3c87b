//! Finding servers from an address. The mail and calendar servers are real; what a provider's domain says of them is a double's
//! (`xtask/servers/wellknown.py`).

use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers::{self, WebServer};

use crate::support::{Account, PASSPHRASE};

fn web(account: &Account) -> (WebServer, String) {
    let web = WebServer::start(&account.world.folder.path().join("web"), &account.server).unwrap();
    let url = format!("https://localhost:{}", web.port);
    (web, url)
}

/// Settings of a provider with these servers: tag, host, port, socket.
fn settings(servers: &[(&str, &str, u16, &str)]) -> String {
    let one = |(tag, host, port, socket): &(&str, &str, u16, &str)| {
        let kind = if tag.starts_with("in") { "imap" } else { "smtp" };
        format!(
            "<{tag}Server type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType><username>%EMAILADDRESS%</username></{tag}Server>"
        )
    };
    let servers: String = servers.iter().map(one).collect();
    format!("<?xml version=\"1.0\"?><clientConfig><emailProvider id=\"x\">{servers}</emailProvider></clientConfig>")
}

#[test]
fn servers_are_found_from_an_address_and_an_account_is_connected_with_them() {
    let look = Turn::call("mail_search", json!({}));
    let account = Account::new(vec![look, Turn::say("ok")], 300);
    let (web, url) = web(&account);
    let mail = &account.server;
    let named = settings(&[
        // Nothing listens there, and what offers no TLS is not taken.
        ("incoming", "localhost", 9, "SSL"),
        ("incoming", "localhost", mail.imap_port, "plain"),
        ("incoming", "localhost", mail.imaps_port, "SSL"),
        ("outgoing", "localhost", mail.submission_port, "STARTTLS"),
    ]);
    web.page("/.well-known/autoconfig/mail/config-v1.1.xml", &named).unwrap();
    web.answers(&json!({"/.well-known/caldav": [301, "/dav/cal"], "/dav/cal": [401, null]})).unwrap();
    let found = account.world.data_of(&["discover", servers::ACCOUNT, "--server", &url]);
    let server = |port: u16, starttls: bool| match starttls {
        true => json!({"host": "localhost", "port": port, "tls": false, "starttls": true}),
        false => json!({"host": "localhost", "port": port, "tls": true}),
    };
    assert_eq!(found["imap"]["server"], server(mail.imaps_port, false), "{found:#}");
    assert_eq!(found["submission"]["server"], server(mail.submission_port, true), "{found:#}");
    assert_eq!((&found["imap"]["origin"], &found["imap"]["elsewhere"]), (&json!("said"), &json!(false)));
    assert_eq!(found["calendars"]["url"], format!("{url}/dav/cal/"));
    assert_eq!(found["contacts"], Value::Null);
    assert!(found["notes"][0].as_str().unwrap().contains("`localhost:9` was named and does not do"), "{found:#}");
    assert!(web.requests().iter().all(|request| request.ends_with(" False")), "{:?}", web.requests());

    let connect = ["connect", "mail", servers::ACCOUNT, "--level", "send", "--server", &url, "--json"];
    account.world.ok(&connect, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    let task = account.world.task("look at my mail");
    assert_eq!(task["actions"][0]["state"], "succeeded", "{task:#}");
}

#[test]
fn servers_of_others_are_marked_and_nobody_is_followed_out_of_the_domain() {
    let account = Account::new(vec![], 300);
    let (web, url) = web(&account);
    let mail = &account.server;
    // `127.0.0.1` is named by the certificate too, and is not the host that was asked.
    let named = settings(&[("incoming", "127.0.0.1", mail.imaps_port, "SSL"), ("outgoing", "127.0.0.1", 9, "SSL")]);
    web.page("/mail/config-v1.1.xml", &named).unwrap();
    let elsewhere = format!("https://127.0.0.1:{}", web.port);
    web.answers(&json!({"/.well-known/caldav": [302, format!("{elsewhere}/dav/")]})).unwrap();
    let found = account.world.data_of(&["discover", servers::ACCOUNT, "--server", &url]);
    assert_eq!(found["imap"]["elsewhere"], true, "{found:#}");
    assert_eq!(found["submission"]["elsewhere"], true, "told, and not asked: nothing listens there. {found:#}");
    assert_eq!(found["calendars"], json!({"url": format!("{elsewhere}/dav/"), "origin": "said", "elsewhere": true}));
    assert!(!web.requests().iter().any(|request| request.contains("/dav/")), "{:?}", web.requests());
    let told = account.world.ok(&["discover", servers::ACCOUNT, "--server", &url], "");
    assert!(told.contains("NOT of that domain"), "{told}");

    web.answers(&json!({"/mail/config-v1.1.xml": [302, format!("{elsewhere}/other.xml")]})).unwrap();
    web.page("/other.xml", &named).unwrap();
    let found = account.world.data_of(&["discover", servers::ACCOUNT, "--server", &url]);
    assert_eq!(found["imap"], Value::Null, "{found:#}");
    assert!(!web.requests().iter().any(|request| request.contains("/other.xml")), "{:?}", web.requests());
    let connect = ["connect", "mail", servers::ACCOUNT, "--server", &url];
    let (_, said) = account.world.fails(&connect, PASSPHRASE);
    assert!(said.contains("no mail server was found") && said.contains("--imap"), "{said}");
}

#[test]
fn a_calendar_server_is_found_where_its_well_known_address_leads() {
    let account = Account::new(vec![], 300);
    let folder = account.world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = format!("http://localhost:{}", server.port);
    let found = account.world.data_of(&["discover", servers::ACCOUNT, "--server", &url]);
    let address = found["calendars"]["url"].as_str().unwrap();
    assert_eq!(
        (address, &found["contacts"]["url"]),
        (format!("{url}/").as_str(), &json!(format!("{url}/"))),
        "{found:#}"
    );
    // It is connected as it is, and then says which calendars it has.
    let connect = ["connect", "calendar", address, "--user", servers::ACCOUNT];
    let (_, said) = account.world.fails(&connect, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    assert!(said.contains("/me%40bailey.test/calendar/"), "{said}");
}

#[test]
fn nobody_is_asked_while_everything_is_paused_and_large_providers_never() {
    let account = Account::new(vec![], 300);
    let (web, url) = web(&account);
    account.world.ok(&["pause"], "");
    let (_, said) = account.world.fails(&["discover", servers::ACCOUNT, "--server", &url], "");
    assert!(said.contains("paused"), "{said}");
    assert!(web.requests().is_empty());
    let found = account.world.data_of(&["discover", "me@gmail.com"]);
    assert_eq!(found["imap"]["server"]["host"], "imap.gmail.com", "{found:#}");
    assert_eq!(found["imap"]["origin"], "known");
}
