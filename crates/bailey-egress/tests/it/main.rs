//! The broker through its one door, the connection that the computer's programs have: real TLS, real HTTP, servers on loopback.
//!
//! The network is a double: names lead to addresses of the public network that nobody is asked at, and connections to those go to
//! servers of the test. It proves nothing of name servers and routes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod support;

use std::time::Duration;

use bailey_egress::{Ended, Place, Ruling, Slot};
use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use support::{Answer, World, request};
use zeroize::Zeroizing;

const SHOP: &str = "shop.example";

#[tokio::test]
async fn requests_are_read_and_sent_anew_over_one_connection() {
    let world = World::new(&[SHOP]).await;
    let mut client = world.secured(SHOP, SHOP).await.unwrap();
    let mut sent = request("POST", "/cart?item=1", SHOP, "two apples");
    sent.headers_mut().insert("connection", HeaderValue::from_static("keep-alive, x-hop"));
    sent.headers_mut().insert("x-hop", HeaderValue::from_static("1"));
    sent.headers_mut().insert("x-stays", HeaderValue::from_static("2"));
    let answer = client.ask(sent).await.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "POST /cart?item=1 two apples"));
    // An answer of unknown length.
    let pieces = client.ask(request("POST", "/pieces?echo=slowly", SHOP, "password=piece by piece")).await.unwrap();
    assert_eq!(pieces.text, "piece by piece");
    let seen = world.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].headers["host"], SHOP);
    assert!(seen[0].headers.contains_key("x-stays") && !seen[0].headers.contains_key("x-hop"));
    assert_eq!(world.connections(), 1, "a warm connection is used again");
    let record = world.records().remove(0);
    assert_eq!((record.place.as_str(), record.target.as_str()), ("https://shop.example", "/cart?item=1"));
    assert_eq!((record.bytes, record.ended), ((10, 28), Ended::Answered(200)));
}

#[tokio::test]
async fn requests_in_the_clear_are_judged_as_well() {
    let world = World::new(&[SHOP]).await;
    world.rule(|head| if head.path() == "/open" { Ruling::Go } else { Ruling::Refuse("no".into()) });
    let mut client = world.plain().await;
    for (address, host, expected) in [
        ("http://shop.example/open", SHOP, 200),
        ("http://shop.example/other", SHOP, 403),
        ("http://shop.example/open", "bank.example", 403),
        ("http://someone@shop.example/open", SHOP, 403),
        ("http://2130706433/open", "2130706433", 403),
        ("http://shop.example./open", "shop.example.", 403),
        ("ftp://shop.example/open", SHOP, 403),
        ("/open", SHOP, 403),
    ] {
        let answer = client.ask(request("GET", address, host, "")).await.unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{address} with {host}: {}", answer.text);
    }
    assert_eq!(world.seen().len(), 1);
    assert_eq!(world.records().len(), 8, "each is on record");
}

#[tokio::test]
async fn names_that_disagree_reach_no_server() {
    let world = World::new(&[SHOP, "bank.example"]).await;
    for connect in ["127.0.0.1:443", "[::1]:443", "localhost:443", "2130706433:443", "0x7f.1:443", "shop.example.:443"]
    {
        assert!(world.secured_at(connect, SHOP).await.is_err(), "{connect}");
    }
    assert!(world.secured("bank.example", SHOP).await.is_err(), "the name it greets is another");
    let refused = world.records().pop().unwrap().ended;
    assert!(matches!(refused, Ended::Refused(why) if why.contains("the name it greets")), "before it is answered");
    let mut client = world.secured(SHOP, SHOP).await.unwrap();
    for (target, host) in [
        ("/", "bank.example"),
        ("https://bank.example/", SHOP),
        ("http://shop.example/", SHOP),
        ("/", "shop.example:444"),
    ] {
        let answer = client.ask(request("GET", target, host, "")).await.unwrap();
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{target} with {host}");
    }
    assert!(world.seen().is_empty() && world.connections() == 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let world = World::new(&[]).await;
    for addresses in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["93.184.215.14", "192.168.1.1"],
        &["::ffff:169.254.169.254"],
        &["fd00:ec2::254"],
        &["100.100.100.200"],
        &[],
    ] {
        world.names(SHOP, addresses);
        let mut client = world.secured(SHOP, SHOP).await.unwrap();
        let answer = client.ask(request("GET", "/", SHOP, "")).await.unwrap();
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{addresses:?}: {}", answer.text);
    }
    assert_eq!(world.tried(), 0, "no connection was begun");
}

#[tokio::test]
async fn what_a_person_is_asked_about_is_exactly_what_arrives() {
    let world = World::new(&[SHOP]).await;
    world.rule(|_| Ruling::Ask);
    let mut client = world.secured(SHOP, SHOP).await.unwrap();
    world.answers(Err("the person refused it".into()));
    let answer = client.ask(request("POST", "/order", SHOP, "item=1")).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("the person refused it") && world.seen().is_empty());
    world.answers(Ok(()));
    client.ask(request("POST", "/order?x=%20y", SHOP, "item=1&count=2")).await.unwrap();
    let (shown, arrived) = (world.asked().remove(1), world.seen().remove(0));
    assert_eq!((shown.head.target.as_str(), &shown.body), (arrived.target.as_str(), &arrived.body));
    assert_eq!((&shown.head.method, &shown.head.headers), (&arrived.method, &arrived.headers));
    let record = world.records().remove(1);
    assert!(record.asked.is_some() && record.ended == Ended::Answered(200));
    let long = "x".repeat(bailey_egress::MAX_ASKED_BYTES + 1);
    assert_eq!(client.ask(request("POST", "/order", SHOP, &long)).await.unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!((world.seen().len(), world.asked().len()), (1, 2));
}

#[tokio::test]
async fn a_rule_that_changes_cuts_what_is_under_way() {
    let world = World::new(&[SHOP]).await;
    let mut client = world.secured(SHOP, SHOP).await.unwrap();
    let mut answer = client.begin(request("GET", "/endless", SHOP, "")).await.unwrap();
    assert!(Answer::piece(&mut answer).await.is_some());
    // Another rule changes first: what it lets go goes on.
    world.rule(|head| if head.path() == "/endless" { Ruling::Go } else { Ruling::Ask });
    assert!(Answer::piece(&mut answer).await.is_some());
    world.rule(|_| Ruling::Refuse("no".into()));
    let mut pieces = 0;
    while Answer::piece(&mut answer).await.is_some() {
        pieces += 1;
        assert!(pieces < 10_000, "it goes on");
    }
    let ended = world.recorded().await.ended;
    assert_eq!(ended, Ended::Failed("the rules changed, and no longer let it go".into()));
}

#[tokio::test]
async fn nothing_leaves_after_a_pause_has_returned() {
    // Whether what is under way hears of the pause or not: the lock alone keeps it.
    for heard in [false, true] {
        let world = World::new(&[SHOP]).await;
        let mut client = world.secured(SHOP, SHOP).await.unwrap();
        let (feed, sent) = support::fed("/upload", SHOP);
        let answering = tokio::spawn(async move { client.ask(sent).await });
        feed.send("a".repeat(10_000)).await.unwrap();
        world.until(|world| world.arrived() == 10_000).await;
        world.pause(heard);
        for _ in 0..20 {
            let _ = feed.send("b".repeat(10_000)).await;
        }
        drop(feed);
        let answer = answering.await.unwrap();
        assert!(answer.is_none_or(|answer| answer.status != StatusCode::OK));
        world.until(|world| world.seen().len() == 1).await;
        assert_eq!(world.seen()[0].body.len(), 10_000, "not a byte left after the pause");
        let mut client = world.secured(SHOP, SHOP).await.unwrap();
        let answer = client.ask(request("GET", "/", SHOP, "")).await.unwrap();
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!((world.seen().len(), world.tried()), (1, 1));
    }
}

const SECRET: &str = "correct horse & battery";

fn login() -> Slot {
    Slot {
        origin: support::origin(SHOP),
        method: Method::POST,
        path: "/login".into(),
        place: Place::Field("password".into()),
        placeholder: "bailey-sealed-7".into(),
        secret: Zeroizing::new(SECRET.into()),
    }
}

#[tokio::test]
async fn a_sealed_secret_goes_to_its_one_place_and_never_comes_back() {
    let world = World::new(&[SHOP, "bank.example"]).await;
    world.seal(login());
    let mut client = world.secured(SHOP, SHOP).await.unwrap();
    let form = |target: &str, body: &str| {
        let mut request = request("POST", target, SHOP, body);
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        request
    };
    let answer = client.ask(form("/login", "user=me&password=bailey-sealed-7")).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(world.seen()[0].body, b"user=me&password=correct+horse+%26+battery");
    // The server of the test answers with what it got, in the form that the path names.
    for form_of in ["raw", "base64", "hex", "percent", "html", "header", "slowly"] {
        let answer = client.ask(form(&format!("/login?echo={form_of}"), "password=bailey-sealed-7")).await;
        let text = answer.map(|answer| format!("{:?}{}", answer.headers, answer.text)).unwrap_or_default();
        assert!(!text.to_lowercase().contains("horse") && !text.contains("Y29ycmVjdC"), "{form_of}: {text}");
        client = world.secured(SHOP, SHOP).await.unwrap();
    }
    let before = world.seen().len();
    for (target, body) in
        [("/login", "user=bailey-sealed-7&password=x"), ("/login", "password=bailey-sealed-7&password=x")]
    {
        assert_eq!(client.ask(form(target, body)).await.unwrap().status, StatusCode::FORBIDDEN);
    }
    assert_eq!(world.seen().len(), before);
    // Elsewhere the placeholder is a word like others.
    client.ask(form("/search", "q=bailey-sealed-7")).await.unwrap();
    assert_eq!(world.seen().last().unwrap().body, b"q=bailey-sealed-7");
    assert!(!format!("{:?}", world.records()).contains("horse"), "no record holds it");
}

#[tokio::test]
async fn requests_that_two_servers_would_cut_differently_are_sent_as_one() {
    let world = World::new(&[SHOP]).await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    for head in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", hidden.len() + 5),
        format!("Content-Length: 0\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("X: y\r\n Content-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!("X: y\rContent-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!("Content-Length: +{}\r\n\r\n{hidden}", hidden.len()),
    ] {
        world.rule(|head| if head.target == "/hidden" { Ruling::Refuse("hidden".into()) } else { Ruling::Go });
        world.raw(&format!("POST http://shop.example/ HTTP/1.1\r\nHost: shop.example\r\n{head}")).await;
        let hidden = world.seen().iter().any(|seen| seen.target == "/hidden");
        assert!(!hidden, "{head:?} carried a request past the judge");
    }
}

#[tokio::test]
async fn what_is_no_http_goes_only_where_the_person_named_the_server() {
    let world = World::new(&[SHOP]).await;
    let mut client = world.secured(SHOP, SHOP).await.unwrap();
    let mut upgrade = request("GET", "/socket", SHOP, "");
    upgrade.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
    upgrade.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
    assert_eq!(client.ask(upgrade).await.unwrap().status, StatusCode::FORBIDDEN);
    assert!(world.opaque(SHOP).await.is_err(), "bytes that are no TLS go nowhere");
    assert_eq!(world.connections(), 0);
    world.let_pass(SHOP);
    let stream = world.opaque(SHOP).await.unwrap();
    assert_eq!(world.connections(), 1);
    world.let_none_pass();
    support::ended(stream).await;
    assert!(matches!(world.recorded().await.ended, Ended::Failed(_)));
}

#[tokio::test]
async fn whoever_says_nothing_or_never_ends_costs_nobody_else_anything() {
    let world = World::new(&[SHOP]).await;
    let silent: Vec<_> = futures_util::future::join_all((0..50).map(|_| world.stream())).await;
    world.raw(&format!("GET http://shop.example/ HTTP/1.1\r\nX: {}", "y".repeat(100_000))).await;
    world.raw("\u{0}\u{1}\u{2} garbage \r\n\r\n").await;
    let mut client = world.secured(SHOP, SHOP).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(20), client.ask(request("GET", "/", SHOP, "")));
    assert_eq!(asked.await.unwrap().unwrap().status, StatusCode::OK);
    drop(silent);
}
