use bailey_gate::content::Content;
use bailey_gate::family::home::HomeAction;
use bailey_gate::family::mail::{FolderName, FolderRole, MailAction, Message, MessageId, MessageRef, Moving, Summary};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::tool::{Effect, Manifest, Name, Role, ToolUse, Value};
use bailey_gate::family::{Action, ActionKind, Group, Level, mail, tool};
use bailey_gate::policy::{Facts, judge};
use bailey_gate::{ActionId, Class, ConnectionId, Decision, HomeId};

use super::*;

#[test]
fn rules_that_name_facts_as_earlier_versions_did_are_read() {
    let older = r#"@id("x") permit (principal, action == Action::"mail.send", resource)
        when { context.receivers == 1 && context.besideReceivers == 0 && context.ungroundedReceivers == 0 };"#;
    assert!(CedarPolicy::with_grants(older).is_err());
    let now = CedarPolicy::with_current_names(older);
    let policy = CedarPolicy::with_grants(&now).unwrap();
    let send = send(1);
    let decision = |facts: &Facts| judge(&policy, send.kind(), send.class(), facts).decision;
    assert_eq!(decision(&calm()), Decision::Auto);
    assert_eq!(decision(&Facts { recipients: 2, others: 2, ..calm() }), Decision::Ask);
    assert_eq!(CedarPolicy::with_current_names(&now), now, "what is new is left as it is");
    let read = |words: &str| rule::parse(&format!("mail {words}: go ahead\n")).unwrap()[0].to_string();
    assert_eq!(
        read("to receivers I named or dealt with"),
        read("to recipients I named or dealt with"),
        "in words, too"
    );
}

mod chance;
mod conditions;
mod floor;

fn mailbox(address: &str) -> Mailbox {
    Mailbox { name: None, address: Address::new(address).unwrap() }
}

fn message(recipients: usize) -> Message {
    Message {
        from: mailbox("me@example.org"),
        to: (0..recipients).map(|n| mailbox(&format!("r{n}@example.org"))).collect(),
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
        keep_in: None,
        source: None,
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

fn calm() -> Facts {
    Facts { is_mail: true, ..Facts::unremarkable() }
}

fn decide(action: Action, facts: &Facts) -> (Decision, Vec<String>) {
    let policy = CedarPolicy::shipped().unwrap();
    let content = content(action);
    let verdict = judge(&policy, content.action.kind(), content.class(), facts);
    (verdict.decision, verdict.reasons)
}

fn send(recipients: usize) -> Action {
    Action::Mail(MailAction::Send(message(recipients)))
}

fn trash() -> Action {
    let folder = |name| FolderName::new(name).unwrap();
    let message = MessageRef { folder: folder("INBOX"), uid_validity: 1, uid: 2 };
    let about = Summary::default();
    Action::Mail(MailAction::Trash(Moving {
        message,
        to: folder("Trash"),
        role: FolderRole::Trash,
        about,
        makes: false,
    }))
}

#[test]
fn what_leaves_asks_and_what_stays_runs() {
    let asks = || vec![ASKS_FIRST.to_owned()];
    assert_eq!(decide(send(1), &calm()), (Decision::Ask, asks()));
    assert_eq!(decide(Action::Home(HomeAction::MemoryWrite { note: "n".into() }), &calm()), (Decision::Ask, asks()));
    assert_eq!(
        decide(Action::Home(HomeAction::Reply { words: "w".into() }), &calm()),
        (Decision::Auto, vec!["default.reply".into()])
    );
    let draft = Action::Mail(MailAction::Draft(message(1)));
    assert_eq!(decide(draft, &calm()), (Decision::Auto, vec!["default.draft".into()]));
}

#[test]
fn each_floor_rule_denies_or_asks_for_more() {
    let denied = |facts: Facts, rule: &str| {
        assert_eq!(decide(send(1), &facts), (Decision::Deny, vec![rule.to_owned()]), "{rule}");
    };
    denied(Facts { level: Some(Level::Read), ..calm() }, "floor.level");
    denied(Facts { level: Some(Level::Draft), ..calm() }, "floor.level");
    denied(Facts { level: None, ..calm() }, "floor.level");
    denied(Facts { grant_stands: false, ..calm() }, "floor.grant");
    denied(Facts { same_kind_today: 200, ..calm() }, "floor.mail-a-day");
    let led = Facts { ungrounded_recipients: 1, untrusted_read: true, ..calm() };
    assert_eq!(decide(send(1), &led), (Decision::Ask, vec!["floor.unnamed-after-reading".into()]));
    let note = || Action::Home(HomeAction::MemoryWrite { note: "n".into() });
    assert_eq!(decide(note(), &Facts { untrusted_read: true, ..calm() }).1, ["floor.memory-after-reading"]);
    denied(Facts { same_kind_today: u64::MAX, ..calm() }, "floor.mail-a-day");
    assert_eq!(decide(send(1), &Facts { same_kind_today: 199, ..calm() }).0, Decision::Ask);
    assert_eq!(decide(send(21), &calm()), (Decision::AskWithStepUp, vec!["floor.critical".into()]));
    let moving = || trash();
    assert_eq!(decide(moving(), &Facts { among_own_folders: false, ..calm() }).0, Decision::Ask);
    assert_eq!(decide(moving(), &Facts { same_kind_today: 300, ..calm() }).1, ["floor.moves-a-day"]);
    assert_eq!(decide(floor::mark(), &Facts { same_kind_today: 300, ..calm() }).1, ["floor.moves-a-day"]);
    assert_eq!(decide(floor::mark(), &Facts { same_kind_today: 299, ..calm() }).0, Decision::Ask);
    assert_eq!(decide(moving(), &calm()), (Decision::Auto, vec!["default.own-mail".into()]));
    let into = Facts { into_sent_or_drafts: true, ..calm() };
    assert_eq!(decide(moving(), &into), (Decision::Deny, vec!["floor.sent-and-drafts".into()]));
    assert_eq!(decide(moving(), &Facts { is_undo: true, ..into.clone() }).0, Decision::Auto);
    let draft = || Action::Mail(MailAction::Draft(message(1)));
    assert_eq!(decide(draft(), &Facts { level: Some(Level::Read), ..calm() }).0, Decision::Deny);
}

/// A person may let mail and notes go by themselves; what other people's words may have led to asks all the same.
#[test]
fn no_grant_lowers_the_floor_under_what_was_read() {
    let granted = format!("{} @id(\"mine\") @says(\"You said so.\") permit (principal, action, resource);", SHIPPED);
    let policy = CedarPolicy::new(&granted).unwrap();
    let decision = |action: Action, facts: &Facts| {
        let content = content(action);
        judge(&policy, content.action.kind(), content.class(), facts).decision
    };
    let note = || Action::Home(HomeAction::MemoryWrite { note: "n".into() });
    let read = Facts { untrusted_read: true, ..calm() };
    let beside = Facts { outside_scope: true, ..calm() };
    assert_eq!((decision(send(1), &beside), decision(trash(), &beside)), (Decision::Ask, Decision::Ask));
    assert_eq!(decision(trash(), &Facts { is_undo: true, ..beside.clone() }), Decision::Auto);
    assert_eq!((decision(send(1), &calm()), decision(note(), &calm())), (Decision::Auto, Decision::Auto));
    assert_eq!((decision(send(1), &read), decision(note(), &read)), (Decision::Auto, Decision::Ask));
    assert_eq!(decision(send(1), &Facts { ungrounded_recipients: 1, ..read.clone() }), Decision::Ask);
    let file = Facts { attachments: 1, unnamed_files: 1, ..calm() };
    assert_eq!(decision(send(1), &file), Decision::Ask, "a file that the words do not name");
    assert_eq!(decision(send(1), &Facts { unnamed_files: 0, ..file.clone() }), Decision::Auto);
    assert_eq!(decision(send(1), &Facts { others: 0, ..file }), Decision::Auto, "to oneself");
    assert_eq!(decision(send(1), &Facts { ungrounded_recipients: 1, ..calm() }), Decision::Auto);
}

fn tool(roles: &[(&str, Role)], flags: Manifest) -> Action {
    let name = |text: &str| Name::new(text).unwrap();
    let arguments = roles.iter().map(|(argument, _)| (name(argument), Value::Number("5".into()))).collect();
    let roles = roles.iter().map(|(argument, role)| (name(argument), role.clone())).collect();
    let manifest = Some(Manifest { roles, ..flags });
    Action::Tool(ToolUse { server: name("s"), tool: name("t"), manifest, arguments })
}

fn sink() -> Role {
    Role::Sink(Name::new("iban").unwrap())
}

/// Under grants that let everything go, each of these still stands.
#[test]
fn each_floor_rule_about_tools_holds_under_any_grant() {
    let policy = CedarPolicy::with_grants(
        "@id(\"mine\") @says(\"You said so.\") permit (principal, action, resource) when { context.level > 0 };",
    )
    .unwrap();
    let decision = |action: &Action, facts: &Facts| {
        let content = content(action.clone());
        let verdict = judge(&policy, content.action.kind(), content.class(), facts);
        (verdict.decision, verdict.reasons)
    };
    let ask = |rule: &str| (Decision::Ask, vec![rule.to_owned()]);
    let sends = tool(&[("to", sink())], Manifest::unknown());
    let pays = tool(&[("to", sink()), ("sum", Role::Amount)], Manifest::unknown());
    let fetches = tool(&[("url", sink())], Manifest { effect: Effect::Fetch, ..Manifest::unknown() });
    for action in [&sends, &pays, &fetches] {
        assert_eq!(decision(action, &calm()).0, Decision::Auto, "{}", action.kind().name());
        let secrets = Facts { confidential_read: true, ..calm() };
        assert_eq!(decision(action, &secrets), ask("floor.after-secrets"));
        assert_eq!(decision(action, &Facts { others: 0, ..secrets.clone() }).0, Decision::Auto);
        let link = Facts { foreign_links: 1, untrusted_read: true, ..calm() };
        assert_eq!(decision(action, &link), ask("floor.link-after-reading"));
        assert_eq!(decision(action, &Facts { untrusted_read: false, ..link.clone() }).0, Decision::Auto);
        assert_eq!(
            decision(action, &Facts { unreadable_recipients: true, ..calm() }),
            ask("floor.unreadable-recipient")
        );
        let beside = Facts { off_task_recipients: 1, ..calm() };
        assert_eq!(decision(action, &beside), ask("floor.recipients-off-the-task"));
        assert_eq!(decision(action, &Facts { is_undo: true, ..beside }).0, Decision::Auto);
        assert_eq!(decision(action, &Facts { look_alikes: 1, ..calm() }), ask("floor.look-alike"));
        assert_eq!(decision(action, &Facts { undescribed: true, ..calm() }), ask("floor.undescribed-tool"));
        let unreadable = Facts { unreadable_amount: true, ..calm() };
        assert_eq!(decision(action, &unreadable), (Decision::Deny, vec!["floor.amount".into()]));
    }
    let critical = tool(&[], Manifest { critical: true, ..Manifest::unknown() });
    assert_eq!(decision(&critical, &calm()), (Decision::AskWithStepUp, vec!["floor.critical".into()]));
    assert_eq!(decision(&send(1), &Facts { confidential_read: true, ..calm() }), ask("floor.after-secrets"));
}

/// Checks what the profiles let go, and what each of their conditions keeps back.
#[test]
fn the_profiles_let_go_what_they_say() {
    let goes = |profile: Profile, action: &Action, facts: &Facts| {
        let policy = CedarPolicy::of(profile).unwrap();
        let content = content(action.clone());
        judge(&policy, content.action.kind(), content.class(), facts).decision == Decision::Auto
    };
    let [careful, balanced, trusting] = Profile::ALL;
    let none = Facts { targets: 0, ..calm() };
    let sends = tool(&[("to", sink())], Manifest::unknown());
    let pays = tool(&[("to", sink()), ("sum", Role::Amount)], Manifest::unknown());
    let target = Role::Target(Name::new("file").unwrap());
    let changes = tool(&[("file", target)], Manifest::unknown());
    for action in [&sends, &pays, &changes, &send(1)] {
        assert!(!goes(careful, action, &Facts { targets: 1, ..calm() }), "{}", action.kind().name());
        assert!(goes(balanced, action, &Facts { targets: 1, ..calm() }), "{}", action.kind().name());
        for facts in [
            Facts { ungrounded_recipients: 1, ..none.clone() },
            Facts { foreign_links: 1, ..none.clone() },
            Facts { outside_scope: true, ..none.clone() },
        ] {
            assert!(!goes(balanced, action, &facts), "{} {facts:?}", action.kind().name());
        }
        let reaches_others = action.kind() == tool::SEND || action.kind() == mail::SEND;
        let unnamed = Facts { targets: 1, unnamed_targets: 1, ..none.clone() };
        assert_eq!(goes(balanced, action, &unnamed), reaches_others, "{}", action.kind().name());
        assert!(!goes(trusting, action, &Facts { ungrounded_recipients: 1, ..none.clone() }));
        assert!(goes(trusting, action, &Facts { targets: 1, unnamed_targets: 1, ..none.clone() }));
    }
    assert!(!goes(balanced, &changes, &none), "a change of nothing that could be named");
    assert!(
        !goes(balanced, &pays, &Facts { recipients: 0, ..none.clone() }),
        "a payment to nobody that could be named"
    );
    assert!(
        goes(balanced, &pays, &Facts { amount: 10_000, ..none.clone() })
            && !goes(balanced, &pays, &Facts { amount: 10_001, ..none.clone() })
    );
    assert!(
        goes(trusting, &pays, &Facts { amount: 50_000, ..none.clone() })
            && !goes(trusting, &pays, &Facts { amount: 50_001, ..none.clone() })
    );
}

/// Checks that what only looks runs, and that what looks at an address of somebody's choosing runs if the person chose it.
#[test]
fn the_default_lets_tools_look_and_write_what_only_the_person_sees() {
    let writes = tool(&[], Manifest { undoable: true, ..Manifest::unknown() });
    assert_eq!(decide(writes, &calm()), (Decision::Auto, vec!["default.own-write".into()]));
    let reads = tool(&[], Manifest { effect: Effect::Read, ..Manifest::unknown() });
    assert_eq!(decide(reads, &calm()), (Decision::Auto, vec!["default.read".into()]));
    let fetches = || tool(&[("url", sink())], Manifest { effect: Effect::Fetch, ..Manifest::unknown() });
    assert_eq!(decide(fetches(), &calm()), (Decision::Auto, vec!["default.fetch".into()]));
    assert_eq!(decide(fetches(), &Facts { ungrounded_recipients: 1, ..calm() }).0, Decision::Ask);
}

#[test]
fn the_action_hierarchy_is_loaded() {
    let policy = CedarPolicy::new(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"group\") forbid (principal, action in [Action::\"outward\"], resource);",
    );
    let content = content(send(1));
    let question =
        Question { kind: content.action.kind(), class: Class::Held, facts: &calm(), evidence: Evidence::SteppedUp };
    assert_eq!(policy.unwrap().rule(&question), Ruling { allowed: false, rules: vec!["group".into()] });
}

#[test]
fn an_erring_forbid_denies() {
    let policy = CedarPolicy::new(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"overflow\") forbid (principal, action, resource) when { context.sameKindToday + 1 < 0 };",
    );
    let content = content(send(1));
    let facts = Facts { same_kind_today: u64::MAX, ..calm() };
    let question =
        Question { kind: content.action.kind(), class: Class::Held, facts: &facts, evidence: Evidence::SteppedUp };
    assert_eq!(policy.unwrap().rule(&question), Ruling { allowed: false, rules: vec![FAILED.into()] });
}

#[test]
fn every_action_kind_is_in_the_schema_and_every_rule_has_words() {
    let policy = CedarPolicy::shipped().unwrap();
    for kind in ActionKind::all() {
        let uid = uid("Action", kind.name()).unwrap();
        assert!(policy.schema.actions().any(|known| *known == uid), "{}", kind.name());
    }
    for rule in policy.policies.policies() {
        let id = rule.id().to_string();
        assert_ne!(policy.explain(&id), id, "`{id}` has no words");
    }
}

/// A kind of action that nobody had thought of when the rule was written is stopped by it, too.
#[test]
fn anything_but_reading_is_every_kind_that_does_more_than_look_or_talk() {
    let rules = rule::parse("anything but reading: never; anything: go ahead").unwrap();
    let policy = CedarPolicy::of_rules(&rules, "mine").unwrap();
    for kind in ActionKind::all() {
        let facts = Facts { recipients: 0, others: 0, ..calm() };
        let decision = judge(&policy, kind, Class::Undoable, &facts).decision;
        let harmless = matches!(kind.group(), Group::Read | Group::Speak);
        assert_eq!(decision == Decision::Deny, !harmless, "{kind:?}: {decision:?}");
    }
}

#[test]
fn suggested_rules_are_about_the_kind_they_are_suggested_for() {
    for (kind, words) in ActionKind::all().filter_map(|kind| kind.suggest().map(|words| (kind, words))) {
        assert!(rule::Subject::from_words(words).is_some(), "{kind:?}: `{words}` is no subject of rules");
        let policy = CedarPolicy::of_rules(&rule::parse(&format!("{words}: go ahead")).unwrap(), "mine").unwrap();
        let question = Question { kind, class: Class::Undoable, facts: &calm(), evidence: Evidence::None };
        assert!(policy.rule(&question).rules.contains(&"mine.1".to_owned()), "{kind:?}: {words}");
    }
}

#[test]
fn a_policy_without_a_name_or_outside_the_schema_is_refused() {
    assert!(matches!(CedarPolicy::new("permit (principal, action, resource);"), Err(PolicyError::Syntax(_))));
    let unknown = "@id(\"x\") permit (principal, action, resource) when { context.modelSaysSo };";
    assert!(matches!(CedarPolicy::new(unknown), Err(PolicyError::Invalid(_))));
}
