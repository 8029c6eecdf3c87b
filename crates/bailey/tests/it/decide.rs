//! `bailey gate --jsonl`: the gate and the shipped rules, as another program meets them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::support;

/// One session with the gate.
struct Gate {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    calls: u64,
}

impl Gate {
    fn new(profile: &str, words: &str) -> Self {
        Self::with(profile, words, json!({}))
    }

    /// With more members of the request that begins the session.
    fn with(profile: &str, words: &str, more: Value) -> Self {
        let mut command = support::command(env!("CARGO_BIN_EXE_bailey"));
        command.args(["gate", "--jsonl", "--profile", profile]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut gate = Self { child, input, output, calls: 0 };
        let tools = json!({
            "mail": {"effect": "write", "sinks": {"to": "email"}, "content": ["text"]},
            "read": {"effect": "read"},
            "know": {"effect": "read", "trusted_output": true},
            "passport": {"effect": "read", "confidential": true, "trusted_output": true},
            "pay": {"effect": "write", "sinks": {"to": "iban"}, "amount": "sum"},
            "remove": {"effect": "write", "target": {"file": "file"}},
            "fetch": {"effect": "egress", "sinks": {"url": "url"}},
            "note": {"effect": "write", "content": ["text"], "undo": true},
            "close_account": {"effect": "write", "critical": true},
            "create": {"effect": "write", "places": {"path": "path"}, "undo": true},
            "change": {"effect": "write", "target": {"path": "path"}},
            "delete": {"effect": "write", "target": {"path": "path"}, "removes": true},
            "request": {"effect": "fetch", "sinks": {"url": "url"}, "method": "method"},
        });
        let facts = json!({"self": ["me@example.org"], "known": {"email": ["Tom@example.org"], "iban": ["DE01"]}});
        let mut start = json!({"op": "start", "prompt": words, "facts": facts, "tools": tools});
        start.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(gate.ask(start), json!({}));
        gate
    }

    fn ask(&mut self, mut request: Value) -> Value {
        request["session"] = json!("s");
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What the gate decides, and by which rule.
    fn decides(&mut self, tool: &str, arguments: Value) -> (String, String) {
        self.calls += 1;
        let answer = self.ask(json!({"op": "decide", "call": {"id": self.calls, "tool": tool, "args": arguments}}));
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (text("decision"), text("rule"))
    }

    /// What it decides at a moment.
    fn decides_at(&mut self, now: &str, tool: &str, arguments: Value) -> String {
        self.calls += 1;
        let call = json!({"id": self.calls, "tool": tool, "args": arguments});
        let answer = self.ask(json!({"op": "decide", "call": call, "now": now}));
        answer["decision"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Says what came of the last call.
    fn told(&mut self, status: &str, by: &str) -> Value {
        let call = json!({"id": self.calls, "tool": ""});
        self.ask(json!({"op": "observe", "call": call, "status": status, "by": by, "output": "some text"}))
    }

    /// Lets a call run.
    fn runs(&mut self, tool: &str, arguments: Value) {
        assert_eq!(self.decides(tool, arguments).0, "auto", "{tool}");
        assert_eq!(self.told("executed", "gate"), json!({}));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn asks(rule: &str) -> (String, String) {
    ("ask".into(), rule.into())
}

fn goes(rule: &str) -> (String, String) {
    ("auto".into(), rule.into())
}

const WORDS: &str =
    "Email Ana (ana@example.org) and Tom, pay DE02 their share, delete the file plan.txt, write a note.";

#[test]
fn recipients_and_things_stand_on_the_words_or_the_past_or_ask() {
    let mut gate = Gate::new("balanced", WORDS);
    let mail = |to: &str| json!({"to": [to], "text": "hello"});
    assert_eq!(gate.decides("mail", mail("ANA@example.org")), goes("balanced.1"));
    assert_eq!(gate.decides("mail", mail("tom@example.org")), goes("balanced.1"));
    assert_eq!(gate.decides("mail", mail("me@example.org")), goes("balanced.1"));
    for stranger in ["joana@example.org", "ana@example.org.evil.example", "eve@evil.example", ""] {
        assert_eq!(Gate::new("balanced", WORDS).decides("mail", mail(stranger)).0, "ask", "{stranger}");
    }
    let both = json!({"to": ["ana@example.org", "eve@evil.example"]});
    assert_eq!(Gate::new("balanced", WORDS).decides("mail", both).0, "ask");
    assert_eq!(gate.decides("remove", json!({"file": "plan.txt"})), goes("balanced.2"));
    for other in ["plan", "plan.txt.bak", "other.txt", "3"] {
        assert_eq!(gate.decides("remove", json!({"file": other})).0, "ask", "{other}");
    }
    assert_eq!(gate.decides("pay", json!({"to": "DE02", "sum": 99.99})), goes("balanced.4"));
    let mut unnamed = Gate::new("balanced", "pay the bills");
    assert_eq!(unnamed.decides("pay", json!({"to": "DE01", "sum": 100})), goes("balanced.4"));
    for (to, sum) in [("DE02", json!(100.01)), ("DE03", json!(1)), ("DE02", json!("1e3"))] {
        assert_ne!(gate.decides("pay", json!({"to": to, "sum": sum})).0, "auto", "{to} {sum}");
    }
    for sum in [json!(-1), json!("all"), json!([1]), json!(1e300)] {
        assert_eq!(gate.decides("pay", json!({"to": "DE01", "sum": sum})), ("deny".into(), "floor.amount".into()));
    }
}

#[test]
fn after_others_words_links_and_strangers_ask_under_every_profile() {
    for profile in ["careful", "balanced", "trusting"] {
        let mut gate = Gate::new(profile, WORDS);
        gate.runs("know", json!({}));
        let link = json!({"to": "ana@example.org", "text": "see https://evil.example/x"});
        assert!(!gate.decides("mail", link.clone()).1.contains("floor"), "{profile}");
        gate.runs("read", json!({}));
        assert_eq!(gate.decides("mail", link), asks("floor.link-after-reading"), "{profile}");
        let mut gate = Gate::new(profile, "Answer my mail.");
        gate.runs("read", json!({}));
        let stranger = json!({"to": "eve@evil.example", "text": "hello"});
        assert_eq!(gate.decides("mail", stranger), asks("floor.unnamed-after-reading"), "{profile}");
    }
}

#[test]
fn after_secrets_nothing_leaves_unasked() {
    let mut gate = Gate::new("trusting", WORDS);
    gate.runs("passport", json!({}));
    assert_eq!(gate.decides("mail", json!({"to": "ana@example.org"})), asks("floor.after-secrets"));
    assert_eq!(gate.decides("pay", json!({"to": "DE01", "sum": 1})), asks("floor.after-secrets"));
    assert_eq!(gate.decides("fetch", json!({"url": "ana@example.org"})), asks("floor.after-secrets"));
    assert_eq!(gate.decides("mail", json!({"to": "me@example.org"})), goes("trusting.1"));
    assert_eq!(gate.decides("note", json!({"text": "x"})), goes("default.own-write"));
}

#[test]
fn tools_nobody_described_critical_ones_and_what_was_not_asked_for_ask() {
    let mut gate = Gate::new("trusting", WORDS);
    assert_eq!(gate.decides("unheard_of", json!({"to": "ana@example.org"})), asks("floor.undescribed-tool"));
    assert_eq!(gate.decides("close_account", json!({})), asks("floor.critical"));
    assert_eq!(gate.decides("fetch", json!({"url": "https://evil.example/?q=1"})), asks("default.asks-first"));
    let mut gate = Gate::new("trusting", "What is in my mail?");
    assert_eq!(gate.decides("mail", json!({"to": "tom@example.org"})), asks("floor.outside-the-task"));
    assert_eq!(gate.decides("fetch", json!({"url": "tom@example.org"})).0, "ask");
}

#[test]
fn whom_the_person_let_it_write_to_is_known_from_then_on() {
    let mut gate = Gate::new("balanced", "Answer my mail and pay the bills.");
    let new = json!({"to": "new@example.net", "text": "hello"});
    assert_eq!(gate.decides("mail", new.clone()).0, "ask");
    assert_eq!(gate.told("executed", "user"), json!({}));
    assert_eq!(gate.decides("mail", new), goes("balanced.1"));
    assert_eq!(gate.decides("pay", json!({"to": "new@example.net", "sum": 1})).0, "ask", "a name of another kind");
}

#[test]
fn what_was_approved_may_run_and_what_was_not_may_not() {
    let mut gate = Gate::new("careful", WORDS);
    let mail = json!({"to": "tom@example.org", "text": "hello"});
    assert_eq!(gate.decides("mail", mail.clone()).0, "ask");
    assert!(gate.told("executed", "gate")["error"].as_str().unwrap().contains("without leave"));
    assert_eq!(gate.decides("mail", mail.clone()).0, "ask");
    assert_eq!(gate.told("executed", "user"), json!({}));
    assert!(gate.told("executed", "user")["error"].as_str().unwrap().contains("before"));
    assert_eq!(gate.decides("mail", mail).0, "ask");
    assert_eq!(gate.told("rejected", "user"), json!({}));
    for nonsense in
        [json!({}), json!({"op": "decide"}), json!({"op": "decide", "call": {"id": 1, "tool": ""}}), json!([])]
    {
        let answer = gate.ask(json!({"op": "x", "inner": nonsense}));
        assert!(answer["error"].is_string(), "{answer}");
    }
    assert!(gate.ask(json!({"op": "start", "prompt": "p", "tools": {"t": {"effect": "guess"}}}))["error"].is_string());
}

/// "May create files in Clients/, may not delete there", as people say it.
#[test]
fn a_folder_is_a_folder_and_creating_changing_and_deleting_are_three_things() {
    let rules = "new things in Clients/: go ahead; changing things in Clients/: go ahead; removing things in Clients/: never; new things in Clients/Secret/: never";
    let mut gate = Gate::with("careful", "create, change and delete files", json!({"rules": rules}));
    let mut decide = |tool: &str, path: &str| gate.decides(tool, json!({"path": path})).0;
    assert_eq!(decide("change", "Clients/a.txt"), "auto");
    assert_eq!(decide("change", "Other/a.txt"), "ask");
    assert_eq!(decide("delete", "Clients/Acme/a.txt"), "deny");
    assert_eq!(decide("delete", "Other/a.txt"), "ask");
    for whole in ["Clients", "/clients", "Clients/"] {
        assert_eq!(decide("delete", whole), "deny", "{whole}: with it goes all it holds");
    }
    assert_eq!(decide("create", "Clients/a.txt"), "auto");
    assert_eq!(decide("create", "clients/secret/a.txt"), "deny", "what stops does not look at capitals");
    assert_eq!(
        gate.decides("remove", json!({"file": "17"})).0,
        "ask",
        "changed, which the rule about removing is not about"
    );
    let mut decide = |tool: &str, path: &str| gate.decides(tool, json!({"path": path})).0;
    for unread in ["Clients/../Other/a.txt", "Clients//a.txt"] {
        assert_eq!(decide("change", unread), "ask", "{unread}");
        assert_eq!(decide("delete", unread), "deny", "{unread}");
    }
}

#[test]
fn sites_and_methods_are_told_apart() {
    let rules = "fetching on example.org with the method GET: go ahead; fetching on secret.example.org: never";
    let mut gate = Gate::with("careful", "look it up", json!({"rules": rules}));
    let mut decide = |url: &str, method: &str| gate.decides("request", json!({"url": url, "method": method})).0;
    assert_eq!(decide("https://www.example.org/a", "get"), "auto");
    assert_eq!(decide("https://www.example.org/a", "POST"), "ask");
    assert_eq!(decide("https://example.org.evil.example/", "GET"), "ask");
    assert_eq!(
        decide("https://example.org@evil.example/", "GET"),
        "deny",
        "it cannot be read, so it may be the secret one"
    );
    for tricky in
        ["https://example.org:x@evil.example/", "https://example.org:443@evil.example/a", "https:secret.example.org"]
    {
        assert_eq!(decide(tricky, "GET"), "deny", "{tricky}");
    }
    assert_eq!(decide("https://a.secret.example.org/", "GET"), "deny");
    assert_eq!(decide("secret.example.org/a", "GET"), "deny", "with a scheme or without");
}

/// A budget counts what was spent, over its span of time, and not what failed.
#[test]
fn a_budget_is_spent_over_time() {
    let rules = json!({"rules": "payments to recipients I named or dealt with up to 50 a week: go ahead; payments over 80 a month: never"});
    let mut gate = Gate::with("careful", "pay the bills", rules);
    let pays = |sum: u32| json!({"to": "DE01", "sum": sum});
    let mut pay = |now: &str, sum: u32, status: &str| {
        let decided = gate.decides_at(now, "pay", pays(sum));
        if decided == "auto" {
            let call = json!({"id": gate.calls, "tool": ""});
            let told = gate.ask(json!({"op": "observe", "call": call, "status": status, "by": "gate", "now": now}));
            assert_eq!(told, json!({}));
        }
        decided
    };
    assert_eq!(pay("2026-03-02T10:00:00", 30, "executed"), "auto");
    assert_eq!(pay("2026-03-03T10:00:00", 15, "error"), "auto");
    assert_eq!(pay("2026-03-04T10:00:00", 20, "executed"), "auto", "what failed was not spent");
    assert_eq!(pay("2026-03-05T10:00:00", 1, "executed"), "ask", "51 in a week");
    assert_eq!(pay("2026-03-10T10:00:00", 30, "executed"), "auto", "the first is more than a week ago");
    assert_eq!(pay("2026-03-12T10:00:00", 1, "executed"), "deny", "81 in a month");
}

#[test]
fn hours_days_presence_and_schedules_decide() {
    let rules = "mail to people I named or know on weekdays not at night: go ahead; mail while I am away: ask";
    let mail = json!({"to": "tom@example.org", "text": "hi"});
    let rules = rules.replace("mail ", "what reaches others ");
    let mut there = Gate::with("careful", "write to Tom", json!({"rules": rules}));
    // 2026-03-02 is a Monday.
    assert_eq!(there.decides_at("2026-03-02T12:00:00", "mail", mail.clone()), "auto");
    assert_eq!(there.decides_at("2026-03-02T23:00:00", "mail", mail.clone()), "ask");
    assert_eq!(there.decides_at("2026-03-07T12:00:00", "mail", mail.clone()), "ask");
    let mut away = Gate::with("careful", "write to Tom", json!({"rules": rules, "away": true}));
    assert_eq!(away.decides_at("2026-03-02T12:00:00", "mail", mail.clone()), "ask");
    let rules = json!({"rules": "what reaches others in the schedule \"weekly report\" to people I named or know: go ahead", "schedule": "weekly report"});
    let mut scheduled = Gate::with("careful", "write to Tom", rules.clone());
    assert_eq!(scheduled.decides("mail", mail.clone()).0, "auto");
    let mut other = rules;
    other["schedule"] = json!("nightly");
    assert_eq!(Gate::with("careful", "write to Tom", other).decides("mail", mail).0, "ask");
}

/// Whoever looks like somebody known, and is not, asks under every profile, unless the person wrote that address out.
#[test]
fn a_look_alike_asks_whatever_was_granted() {
    let rules = json!({"rules": "what reaches others: go ahead"});
    let mut gate = Gate::with("trusting", "answer my mail", rules.clone());
    let to = |address: &str| json!({"to": address, "text": "hi"});
    assert_eq!(gate.decides("mail", to("tom@example.org")).0, "auto");
    assert_eq!(
        gate.decides("mail", to("t\u{43e}m@example.org")),
        asks("floor.unreadable-recipient"),
        "no letter of an address"
    );
    for alike in ["tom@examp1e.org", "tom@example.com"] {
        let (decision, rule) = gate.decides("mail", to(alike));
        assert_eq!((decision.as_str(), rule.as_str()), ("ask", "floor.look-alike"), "{alike}");
    }
    let mut written = Gate::with("trusting", "write to tom@examp1e.org", rules);
    assert_eq!(written.decides("mail", to("tom@examp1e.org")).0, "auto", "the person wrote it");
}

/// Where the words say whom a task is for, somebody else asks, known or not and whatever was granted.
#[test]
fn whom_the_words_name_is_whom_the_task_is_for() {
    let known = json!({"email": ["tom@example.org", "ana.berg@example.org"], "iban": ["DE01", "DE02"]});
    let gate = |words: &str| {
        let facts = json!({"self": ["me@example.org"], "known": known});
        Gate::with("trusting", words, json!({"rules": "what reaches others: go ahead", "facts": facts}))
    };
    let mail = |to: &str| json!({"to": to, "text": "hi"});
    let asks = ("ask".to_owned(), "floor.recipients-off-the-task".to_owned());
    let mut by_name = gate("Write to Tom about the plan");
    assert_eq!(by_name.decides("mail", mail("tom@example.org")).0, "auto");
    assert_eq!(by_name.decides("mail", mail("ana.berg@example.org")), asks);
    assert_eq!(by_name.decides("mail", mail("me@example.org")).0, "auto", "oneself is nobody else");
    let mut by_address = gate("Write to new@x.example about the plan");
    assert_eq!(by_address.decides("mail", mail("new@x.example")).0, "auto");
    assert_eq!(by_address.decides("mail", mail("tom@example.org")), asks);
    let mut paying = gate("Pay the bill of 5 to DE01");
    assert_eq!(paying.decides("pay", json!({"to": "DE01", "sum": 5})).0, "auto");
    assert_eq!(paying.decides("pay", json!({"to": "DE02", "sum": 5})), asks);
    // Words that name nobody leave it to the rules; so do words that hand on what others wrote.
    assert_eq!(gate("Answer all the mail").decides("mail", mail("tom@example.org")).0, "auto");
    let mut handed_on = gate("Do the actions in the mail from Tom");
    assert_eq!(handed_on.decides("mail", mail("ana.berg@example.org")).0, "auto");
}

/// Whoever cannot be read may be anybody: joined addresses, guests and arguments that nobody described.
#[test]
fn what_cannot_be_read_goes_nowhere_by_itself() {
    let rules = json!({"rules": "what reaches others to @example.org: go ahead; what reaches others to @evil.example: never; what reaches others to zoe@x.org: never"});
    let mut gate = Gate::with("careful", "answer my mail", rules);
    let mut decide = |to: &str| gate.decides("mail", json!({"to": to, "text": "hi"})).0;
    assert_eq!(decide("tom@example.org"), "auto");
    assert_eq!(decide("Tom <tom@example.org>, Ana <ana@example.org>"), "auto", "read, one by one");
    for joined in [
        "zoe@evil.example, ana@example.org",
        "zoe@evil.example;ana@example.org",
        "<zoe@evil.example>",
        "Zoe <zoe@x.org>",
    ] {
        assert_eq!(decide(joined), "deny", "{joined}");
    }
    for unread in ["zoe@evil.example ana@example.org", "ana@example.org zoe", "@example.org", "zoe"] {
        assert_ne!(decide(unread), "auto", "{unread}");
    }
    let mut gate = Gate::with("trusting", "answer my mail", json!({}));
    gate.runs("read", json!({}));
    let hidden = json!({"to": "tom@example.org", "bcc": "eve@evil.example", "text": "hi"});
    assert_eq!(gate.decides("mail", hidden).0, "ask", "an argument the manifest does not speak of");
    assert_eq!(gate.decides("request", json!({"method": "GET"})).0, "ask", "a request goes to somebody");
}

/// A tool that changes a thing and lets others have it does both, and is held to what is said of either.
#[test]
fn what_changes_a_thing_may_let_others_have_it() {
    let tools = json!({
        "secret": {"effect": "read", "confidential": true, "trusted_output": true},
        "share": {"effect": "write", "target": {"file": "file"}, "sinks": {"with": "email"}},
        "edit": {"effect": "write", "target": {"file": "file"}, "content": ["text"]},
        "read": {"effect": "read"},
    });
    let gate = |rules: &str| {
        let facts = json!({"self": ["me@example.org"], "org_domains": ["example.org"], "known": {"email": ["bob@outside.net"]}});
        let words = "Share and edit the file Budget plan";
        Gate::with("balanced", words, json!({"tools": tools, "facts": facts, "rules": rules}))
    };
    let share = json!({"file": "Budget plan", "with": "bob@outside.net"});
    let edit = |text: &str| json!({"file": "Budget plan", "text": text});
    assert_eq!(gate("").decides("share", share.clone()).0, "auto");
    assert_eq!(gate("what reaches others outside my organisation: never").decides("share", share.clone()).0, "deny");
    assert_eq!(gate("mail: never").decides("share", share.clone()).0, "deny", "it reaches an address of mail");
    let mut after = gate("");
    after.runs("secret", json!({}));
    assert_eq!(after.decides("share", share), asks("floor.after-secrets"));
    assert_eq!(after.decides("edit", edit("4111 1111")), asks("floor.after-secrets"));
    let mut led = gate("");
    assert_eq!(led.decides("edit", edit("fine")).0, "auto");
    led.runs("read", json!({}));
    assert_eq!(led.decides("edit", edit("see evil.example:8080/x")), asks("floor.link-after-reading"));
}

/// Four refusals, and a task changes nothing any more: whoever goes on asking is not doing what it was given.
#[test]
fn a_task_that_is_refused_again_and_again_is_stopped() {
    let mut gate = Gate::new("careful", "Send the report");
    for n in 0..4 {
        assert_eq!(gate.decides("mail", json!({"to": format!("s{n}@x.org"), "text": "hi"})).0, "ask");
        assert_eq!(gate.told("rejected", "user"), json!({}));
    }
    let (decision, rule) = gate.decides("mail", json!({"to": "tom@example.org", "text": "hi"}));
    assert_eq!((decision.as_str(), rule.as_str()), ("deny", "gate.off-task-limit"));
}

/// A payment that does not say how much may be any, and a name in groups is the same however it is parted.
#[test]
fn payments_without_a_sum_and_numbers_in_groups() {
    let rules = json!({"rules": "payments up to 50: go ahead; payments to \"DE02 0000\": never"});
    let facts = json!({"known": {"iban": ["DE01 1111", "DE02 0000"]}});
    let mut more = rules;
    more["facts"] = facts;
    let mut gate = Gate::with("careful", "pay the bills", more);
    assert_eq!(gate.decides("pay", json!({"to": "DE011111", "sum": 5})).0, "auto");
    assert_eq!(gate.decides("pay", json!({"to": "DE01 1111"})).0, "ask");
    assert_eq!(gate.decides("pay", json!({"to": "DE01 1111", "sum": null})).0, "ask");
    assert_eq!(gate.decides("pay", json!({"to": "de02-0000", "sum": 5})).0, "deny");
}
