use bailey_gate::content::Content;
use bailey_gate::family::mail::{FolderName, FolderRole, MailAction, Message, MessageId, MessageRef, Moving, Summary};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Action, ActionKind, Level};
use bailey_gate::policy::{Facts, judge};
use bailey_gate::{ActionId, Class, ConnectionId, Decision, HomeId};

use super::*;

fn mailbox(address: &str) -> Mailbox {
    Mailbox { name: None, address: Address::new(address).unwrap() }
}

fn message(receivers: usize) -> Message {
    Message {
        from: mailbox("me@example.org"),
        to: (0..receivers).map(|n| mailbox(&format!("r{n}@example.org"))).collect(),
        cc: vec![],
        bcc: vec![],
        subject: Line::new("s").unwrap(),
        body: "b".into(),
        date: 0,
        offset_minutes: 0,
        message_id: MessageId::new("<a@b>").unwrap(),
        in_reply_to: None,
        references: vec![],
        attachments: vec![],
    }
}

fn content(action: Action) -> Content {
    let account = action.kind().needs_level().map(|_| (ConnectionId::from_bytes([2; 16]), 1));
    Content {
        home: HomeId::from_bytes([1; 16]),
        id: ActionId::from_bytes([3; 16]),
        account,
        precondition: vec![],
        action,
    }
}

const CALM: Facts = Facts {
    level: Some(Level::Full),
    grant_stands: true,
    receivers: 1,
    unknown_receivers: 0,
    ungrounded_receivers: 0,
    untrusted_read: false,
    outside_scope: false,
    into_sent_or_drafts: false,
    among_own_folders: true,
    is_undo: false,
    same_kind_today: 0,
};

fn decide(action: Action, facts: &Facts) -> (Decision, Vec<String>) {
    let policy = CedarPolicy::shipped().unwrap();
    let content = content(action);
    let verdict = judge(&policy, &content, content.class(), facts);
    (verdict.decision, verdict.reasons)
}

fn send(receivers: usize) -> Action {
    Action::Mail(MailAction::Send(message(receivers)))
}

fn trash() -> Action {
    let folder = |name| FolderName::new(name).unwrap();
    let message = MessageRef { folder: folder("INBOX"), uid_validity: 1, uid: 2 };
    let about = Summary::default();
    Action::Mail(MailAction::Trash(Moving { message, to: folder("Trash"), role: FolderRole::Trash, about }))
}

#[test]
fn what_leaves_asks_and_what_stays_runs() {
    let asks = || vec![ASKS_FIRST.to_owned()];
    assert_eq!(decide(send(1), &CALM), (Decision::Ask, asks()));
    assert_eq!(decide(Action::MemoryWrite { note: "n".into() }, &CALM), (Decision::Ask, asks()));
    assert_eq!(decide(Action::Reply { words: "w".into() }, &CALM), (Decision::Auto, vec!["default.reply".into()]));
    let draft = Action::Mail(MailAction::Draft(message(1)));
    assert_eq!(decide(draft, &CALM), (Decision::Auto, vec!["default.draft".into()]));
}

#[test]
fn each_floor_rule_denies_or_asks_for_more() {
    let denied = |facts: Facts, rule: &str| {
        assert_eq!(decide(send(1), &facts), (Decision::Deny, vec![rule.to_owned()]), "{rule}");
    };
    denied(Facts { level: Some(Level::Read), ..CALM }, "floor.level");
    denied(Facts { level: Some(Level::Draft), ..CALM }, "floor.level");
    denied(Facts { level: None, ..CALM }, "floor.level");
    denied(Facts { grant_stands: false, ..CALM }, "floor.grant");
    denied(Facts { same_kind_today: 200, ..CALM }, "floor.mail-a-day");
    let led = Facts { ungrounded_receivers: 1, untrusted_read: true, ..CALM };
    assert_eq!(decide(send(1), &led), (Decision::Ask, vec!["floor.unnamed-after-reading".into()]));
    let note = || Action::MemoryWrite { note: "n".into() };
    assert_eq!(decide(note(), &Facts { untrusted_read: true, ..CALM }).1, ["floor.memory-after-reading"]);
    denied(Facts { same_kind_today: u64::MAX, ..CALM }, "floor.mail-a-day");
    assert_eq!(decide(send(1), &Facts { same_kind_today: 199, ..CALM }).0, Decision::Ask);
    assert_eq!(decide(send(21), &CALM), (Decision::AskWithStepUp, vec!["floor.critical".into()]));
    let moving = || trash();
    assert_eq!(decide(moving(), &Facts { among_own_folders: false, ..CALM }).0, Decision::Ask);
    assert_eq!(decide(moving(), &Facts { same_kind_today: 300, ..CALM }).1, ["floor.moves-a-day"]);
    assert_eq!(decide(moving(), &CALM), (Decision::Auto, vec!["default.own-mail".into()]));
    let into = Facts { into_sent_or_drafts: true, ..CALM };
    assert_eq!(decide(moving(), &into), (Decision::Deny, vec!["floor.sent-and-drafts".into()]));
    assert_eq!(decide(moving(), &Facts { is_undo: true, ..into }).0, Decision::Auto);
    let draft = || Action::Mail(MailAction::Draft(message(1)));
    assert_eq!(decide(draft(), &Facts { level: Some(Level::Read), ..CALM }).0, Decision::Deny);
}

/// A person may let mail and notes go by themselves; what other people's words may have led to asks all the same.
#[test]
fn no_grant_lowers_the_floor_under_what_was_read() {
    let granted = format!(
        "{} @id(\"mine\") @says(\"You said so.\") permit (principal, action, resource);",
        include_str!("shipped.cedar")
    );
    let policy = CedarPolicy::new(&granted).unwrap();
    let decision = |action: Action, facts: &Facts| {
        let content = content(action);
        judge(&policy, &content, content.class(), facts).decision
    };
    let note = || Action::MemoryWrite { note: "n".into() };
    let read = Facts { untrusted_read: true, ..CALM };
    let beside = Facts { outside_scope: true, ..CALM };
    assert_eq!((decision(send(1), &beside), decision(trash(), &beside)), (Decision::Ask, Decision::Ask));
    assert_eq!(decision(trash(), &Facts { is_undo: true, ..beside }), Decision::Auto);
    assert_eq!((decision(send(1), &CALM), decision(note(), &CALM)), (Decision::Auto, Decision::Auto));
    assert_eq!((decision(send(1), &read), decision(note(), &read)), (Decision::Auto, Decision::Ask));
    assert_eq!(decision(send(1), &Facts { ungrounded_receivers: 1, ..read }), Decision::Ask);
    assert_eq!(decision(send(1), &Facts { ungrounded_receivers: 1, ..CALM }), Decision::Auto);
}

#[test]
fn the_action_hierarchy_is_loaded() {
    let policy = CedarPolicy::new(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"group\") forbid (principal, action in [Action::\"outward\"], resource);",
    );
    let content = content(send(1));
    let question = Question { content: &content, class: Class::Held, facts: &CALM, evidence: Evidence::SteppedUp };
    assert_eq!(policy.unwrap().rule(&question), Ruling { allowed: false, rules: vec!["group".into()] });
}

#[test]
fn an_erring_forbid_denies() {
    let policy = CedarPolicy::new(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"overflow\") forbid (principal, action, resource) when { context.sameKindToday + 1 < 0 };",
    );
    let content = content(send(1));
    let facts = Facts { same_kind_today: u64::MAX, ..CALM };
    let question = Question { content: &content, class: Class::Held, facts: &facts, evidence: Evidence::SteppedUp };
    assert_eq!(policy.unwrap().rule(&question), Ruling { allowed: false, rules: vec![FAILED.into()] });
}

#[test]
fn every_action_kind_is_in_the_schema_and_every_rule_has_words() {
    let policy = CedarPolicy::shipped().unwrap();
    for kind in ActionKind::ALL {
        let uid = uid("Action", kind.name()).unwrap();
        assert!(policy.schema.actions().any(|known| *known == uid), "{}", kind.name());
    }
    for rule in policy.policies.policies() {
        let id = rule.id().to_string();
        assert_ne!(policy.explain(&id), id, "`{id}` has no words");
    }
}

#[test]
fn a_policy_without_a_name_or_outside_the_schema_is_refused() {
    assert!(matches!(CedarPolicy::new("permit (principal, action, resource);"), Err(PolicyError::Syntax(_))));
    let unknown = "@id(\"x\") permit (principal, action, resource) when { context.modelSaysSo };";
    assert!(matches!(CedarPolicy::new(unknown), Err(PolicyError::Invalid(_))));
}
