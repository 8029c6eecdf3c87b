//! What a log line may hold, whoever logs it. All in one test program: there is one subscriber of a process.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{Format, Id, Identity, Process, event, install, metrics, recent, span};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Runs something, and gives the lines that were logged meanwhile and are its own.
fn logged(work: impl FnOnce(), is_own: impl Fn(&serde_json::Value) -> bool) -> Vec<serde_json::Value> {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let identity = Identity { process: Process::Home, home: Some(Id::new([0xab; 16])) };
        let sink = |line| LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        install(identity, "trace".parse().unwrap(), Format::Json, sink);
    });
    let before = LINES.lock().unwrap_or_else(PoisonError::into_inner).len();
    work();
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let new = lines.iter().skip(before).map(|line| serde_json::from_str(line).unwrap());
    new.filter(is_own).collect()
}

/// Picks the lines of one test; others log at the same time.
fn marked(mark: u64) -> impl Fn(&serde_json::Value) -> bool {
    move |line| line["fields"]["mark"] == mark
}

#[test]
fn an_event_holds_its_fields_and_those_of_its_spans() {
    let work = || {
        let span = span!("action", action = Id::new([1; 16]), mark = 1_u64);
        span.in_scope(|| event!(INFO, "it moved", state = "succeeded", ms = std::time::Duration::from_secs(2)));
    };
    let lines = logged(work, marked(1));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = &lines[0];
    assert_eq!((&line["message"], &line["level"]), (&"it moved".into(), &"info".into()));
    assert_eq!((&line["process"], &line["home"]), (&"home".into(), &"ab".repeat(16).into()));
    assert_eq!((&line["fields"]["state"], &line["fields"]["ms"]), (&"succeeded".into(), &2_000.into()));
    assert_eq!(line["fields"]["action"], "01".repeat(16));
    assert!(recent().iter().any(|line| line.contains("it moved")));
}

#[test]
fn what_other_libraries_log_is_left_out() {
    let lines = logged(|| tracing::info!(target: "somebody_elses", mark = 2_u64, subject = "canary"), marked(2));
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn what_is_formatted_from_anything_is_left_out() {
    let subject = String::from("canary");
    let work = || tracing::info!(mark = 3_u64, subject = ?subject, other = %subject, "about {subject}");
    let lines = logged(work, marked(3));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(!lines[0].to_string().contains("canary"), "{lines:#?}");
}

#[test]
fn a_panic_is_logged_without_its_words() {
    let work = || {
        let words = String::from("canary");
        let _ = std::thread::spawn(move || panic!("{words}")).join();
    };
    let lines = logged(work, |line| line["message"] == "the program met a fault of its own");
    let line = &lines[0];
    assert!(line["fields"]["file"].as_str().unwrap().ends_with("tests.rs") && !line.to_string().contains("canary"));
}

#[test]
fn metrics_are_those_of_the_process_and_their_labels_are_known() {
    metrics().moved("mail.send", "succeeded");
    metrics().gateway_opened();
    let (home, gateway) = (metrics().render(Process::Home), metrics().render(Process::Gateway));
    assert!(home.contains("bailey_action_transitions_total{kind=\"mail.send\",state=\"succeeded\"} 1\n"), "{home}");
    assert!(home.contains("# TYPE bailey_action_transitions_total counter\n"), "{home}");
    assert!(!home.contains("bailey_gateway_connections") && gateway.contains("bailey_gateway_connections 1\n"));
    for text in [home, gateway] {
        assert!(text.contains("bailey_build_info{version=\""), "{text}");
    }
}
