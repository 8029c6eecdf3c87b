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
        });
        let facts = json!({"self": ["me@example.org"], "known": {"email": ["Tom@example.org"], "iban": ["DE01"]}});
        assert_eq!(gate.ask(json!({"op": "start", "prompt": words, "facts": facts, "tools": tools})), json!({}));
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
fn receivers_and_things_stand_on_the_words_or_the_past_or_ask() {
    let mut gate = Gate::new("balanced", WORDS);
    let mail = |to: &str| json!({"to": [to], "text": "hello"});
    assert_eq!(gate.decides("mail", mail("ANA@example.org")), goes("balanced.1"));
    assert_eq!(gate.decides("mail", mail("tom@example.org")), goes("balanced.1"));
    assert_eq!(gate.decides("mail", mail("me@example.org")), goes("balanced.1"));
    for stranger in ["joana@example.org", "ana@example.org.evil.example", "eve@evil.example", ""] {
        assert_eq!(gate.decides("mail", mail(stranger)).0, "ask", "{stranger}");
    }
    assert_eq!(gate.decides("mail", json!({"to": ["ana@example.org", "eve@evil.example"]})).0, "ask");
    assert_eq!(gate.decides("remove", json!({"file": "plan.txt"})), goes("balanced.2"));
    for other in ["plan", "plan.txt.bak", "other.txt", "3"] {
        assert_eq!(gate.decides("remove", json!({"file": other})).0, "ask", "{other}");
    }
    assert_eq!(gate.decides("pay", json!({"to": "DE02", "sum": 99.99})), goes("balanced.4"));
    assert_eq!(gate.decides("pay", json!({"to": "DE01", "sum": 100})), goes("balanced.4"));
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
    let mut gate = Gate::new("balanced", WORDS);
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
