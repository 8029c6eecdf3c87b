use bailey_gate::content::Content;
use bailey_gate::family::mail::{FolderName, FolderRole, MailAction, Message, MessageId, MessageRef, Moving, Summary};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::tool::{Effect, Manifest, Name, Role, ToolUse, Value};
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

const CALM: Facts = Facts::UNREMARKABLE;

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
    assert_eq!(decide(moving(), &Facts { is_undo: true, ..into.clone() }).0, Decision::Auto);
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
    assert_eq!(decision(trash(), &Facts { is_undo: true, ..beside.clone() }), Decision::Auto);
    assert_eq!((decision(send(1), &CALM), decision(note(), &CALM)), (Decision::Auto, Decision::Auto));
    assert_eq!((decision(send(1), &read), decision(note(), &read)), (Decision::Auto, Decision::Ask));
    assert_eq!(decision(send(1), &Facts { ungrounded_receivers: 1, ..read.clone() }), Decision::Ask);
    assert_eq!(decision(send(1), &Facts { ungrounded_receivers: 1, ..CALM }), Decision::Auto);
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
        let verdict = judge(&policy, &content, content.class(), facts);
        (verdict.decision, verdict.reasons)
    };
    let ask = |rule: &str| (Decision::Ask, vec![rule.to_owned()]);
    let sends = tool(&[("to", sink())], Manifest::unknown());
    let pays = tool(&[("to", sink()), ("sum", Role::Amount)], Manifest::unknown());
    let fetches = tool(&[("url", sink())], Manifest { effect: Effect::Fetch, ..Manifest::unknown() });
    for action in [&sends, &pays, &fetches] {
        assert_eq!(decision(action, &CALM).0, Decision::Auto, "{}", action.kind().name());
        let secrets = Facts { confidential_read: true, ..CALM };
        assert_eq!(decision(action, &secrets), ask("floor.after-secrets"));
        assert_eq!(decision(action, &Facts { others: 0, ..secrets.clone() }).0, Decision::Auto);
        let link = Facts { foreign_links: 1, untrusted_read: true, ..CALM };
        assert_eq!(decision(action, &link), ask("floor.link-after-reading"));
        assert_eq!(decision(action, &Facts { untrusted_read: false, ..link.clone() }).0, Decision::Auto);
        assert_eq!(decision(action, &Facts { undescribed: true, ..CALM }), ask("floor.undescribed-tool"));
        let unreadable = Facts { unreadable_amount: true, ..CALM };
        assert_eq!(decision(action, &unreadable), (Decision::Deny, vec!["floor.amount".into()]));
    }
    let critical = tool(&[], Manifest { critical: true, ..Manifest::unknown() });
    assert_eq!(decision(&critical, &CALM), (Decision::AskWithStepUp, vec!["floor.critical".into()]));
    assert_eq!(decision(&send(1), &Facts { confidential_read: true, ..CALM }), ask("floor.after-secrets"));
}

/// What the profiles let go, and what each of their conditions keeps back.
#[test]
fn the_profiles_let_go_what_they_say() {
    let goes = |profile: Profile, action: &Action, facts: &Facts| {
        let policy = CedarPolicy::of(profile).unwrap();
        let content = content(action.clone());
        judge(&policy, &content, content.class(), facts).decision == Decision::Auto
    };
    let [careful, balanced, trusting] = Profile::ALL;
    let none = Facts { targets: 0, ..CALM };
    let sends = tool(&[("to", sink())], Manifest::unknown());
    let pays = tool(&[("to", sink()), ("sum", Role::Amount)], Manifest::unknown());
    let target = Role::Target(Name::new("file").unwrap());
    let changes = tool(&[("file", target)], Manifest::unknown());
    for action in [&sends, &pays, &changes, &send(1)] {
        assert!(!goes(careful, action, &Facts { targets: 1, ..CALM }), "{}", action.kind().name());
        assert!(goes(balanced, action, &Facts { targets: 1, ..CALM }), "{}", action.kind().name());
        for facts in [
            Facts { ungrounded_receivers: 1, ..none.clone() },
            Facts { foreign_links: 1, ..none.clone() },
            Facts { outside_scope: true, ..none.clone() },
        ] {
            assert!(!goes(balanced, action, &facts), "{} {facts:?}", action.kind().name());
        }
        let reaches_others = action.kind() == ActionKind::ToolSend || action.kind() == ActionKind::MailSend;
        let unnamed = Facts { targets: 1, unnamed_targets: 1, ..none.clone() };
        assert_eq!(goes(balanced, action, &unnamed), reaches_others, "{}", action.kind().name());
        assert!(!goes(trusting, action, &Facts { ungrounded_receivers: 1, ..none.clone() }));
        assert!(goes(trusting, action, &Facts { targets: 1, unnamed_targets: 1, ..none.clone() }));
    }
    assert!(!goes(balanced, &changes, &none), "a change of nothing that could be named");
    assert!(!goes(balanced, &pays, &Facts { receivers: 0, ..none.clone() }), "a payment to nobody that could be named");
    assert!(
        goes(balanced, &pays, &Facts { amount: 10_000, ..none.clone() })
            && !goes(balanced, &pays, &Facts { amount: 10_001, ..none.clone() })
    );
    assert!(
        goes(trusting, &pays, &Facts { amount: 50_000, ..none.clone() })
            && !goes(trusting, &pays, &Facts { amount: 50_001, ..none.clone() })
    );
}

/// What only looks runs; what looks at an address of somebody's choosing runs if the person chose it.
#[test]
fn the_default_lets_tools_look_and_write_what_only_the_person_sees() {
    let writes = tool(&[], Manifest { undoable: true, ..Manifest::unknown() });
    assert_eq!(decide(writes, &CALM), (Decision::Auto, vec!["default.own-write".into()]));
    let reads = tool(&[], Manifest { effect: Effect::Read, ..Manifest::unknown() });
    assert_eq!(decide(reads, &CALM), (Decision::Auto, vec!["default.read".into()]));
    let fetches = || tool(&[("url", sink())], Manifest { effect: Effect::Fetch, ..Manifest::unknown() });
    assert_eq!(decide(fetches(), &CALM), (Decision::Auto, vec!["default.fetch".into()]));
    assert_eq!(decide(fetches(), &Facts { ungrounded_receivers: 1, ..CALM }).0, Decision::Ask);
}

/// How freely an action goes.
const fn freedom(decision: Decision) -> u8 {
    match decision {
        Decision::Auto => 3,
        Decision::Ask => 2,
        Decision::AskWithStepUp => 1,
        Decision::Deny => 0,
    }
}

fn any_rule(random: &mut fastrand::Rng, verdicts: &[rule::Verdict]) -> rule::Rule {
    let examples = rule::examples();
    rule::Rule {
        subject: rule::SUBJECTS[random.usize(..rule::SUBJECTS.len())].0,
        conditions: (0..random.usize(..2)).map(|_| examples[random.usize(..examples.len())].clone()).collect(),
        verdict: verdicts[random.usize(..verdicts.len())],
    }
}

fn any_facts(random: &mut fastrand::Rng) -> Facts {
    let receivers = random.u64(..3);
    let levels = [None, Some(Level::Read), Some(Level::Draft), Some(Level::Send), Some(Level::Full)];
    let rarely = |random: &mut fastrand::Rng| random.u32(..12) == 0;
    Facts {
        level: if rarely(random) { levels[random.usize(..levels.len())] } else { Some(Level::Full) },
        grant_stands: !rarely(random),
        receivers,
        others: random.u64(..=receivers),
        outside: random.u64(..=receivers),
        names: (0..receivers).map(|_| ["ana@example.org", "eve@evil.example"][random.usize(..2)].to_owned()).collect(),
        domains: (0..receivers).map(|_| ["example.org", "evil.example"][random.usize(..2)].to_owned()).collect(),
        unreadable_receivers: rarely(random),
        tool: ["", "bank.pay"][random.usize(..2)].to_owned(),
        unknown_receivers: random.u64(..=receivers),
        ungrounded_receivers: random.u64(..=receivers),
        targets: random.u64(..2),
        unnamed_targets: random.u64(..2),
        foreign_links: random.u64(..2),
        undescribed: rarely(random),
        unreadable_amount: rarely(random),
        amount: [0, 5_000, 5_001, 12_345, u64::MAX][random.usize(..5)],
        outside_scope: rarely(random),
        untrusted_read: random.bool(),
        confidential_read: rarely(random),
        into_sent_or_drafts: rarely(random),
        among_own_folders: random.bool(),
        is_undo: rarely(random),
        same_kind_today: [0, 19, 20, 0, 21, 300][random.usize(..6)],
        same_kind_hour: random.u64(..5),
    }
}

/// Over chance rules, facts and actions: a rule that lets something go never makes anything less free, one that asks or
/// forbids never more, and nothing is ever freer than under the floor alone.
#[test]
fn grants_never_lower_the_floor_and_forbids_never_allow_more() {
    const ROUNDS: usize = 24;
    const EACH: usize = 40;
    let mut random = fastrand::Rng::with_seed(4);
    let actions = [
        send(1),
        send(21),
        trash(),
        Action::MemoryWrite { note: "n".into() },
        tool(&[("to", sink())], Manifest::unknown()),
        tool(&[("to", sink()), ("sum", Role::Amount)], Manifest::unknown()),
        tool(&[("url", sink())], Manifest { effect: Effect::Fetch, ..Manifest::unknown() }),
        tool(&[], Manifest { undoable: true, ..Manifest::unknown() }),
        tool(&[], Manifest { critical: true, ..Manifest::unknown() }),
    ];
    let compiled = |rules: &[rule::Rule]| {
        let cedar = rules.iter().enumerate().map(|(n, rule)| rule.cedar(&format!("rule.{n}"))).collect::<String>();
        CedarPolicy::with_grants(&cedar).unwrap()
    };
    let all = |subject| rule::Rule { subject, conditions: Vec::new(), verdict: rule::Verdict::GoAhead };
    let everything = compiled(&[all(rule::Subject::Anything)]);
    let mut moved = (0, 0);
    for _ in 0..ROUNDS {
        let any = [rule::Verdict::GoAhead, rule::Verdict::Ask, rule::Verdict::Never];
        let base: Vec<rule::Rule> = (0..random.usize(..5)).map(|_| any_rule(&mut random, &any)).collect();
        let grant = any_rule(&mut random, &[rule::Verdict::GoAhead]);
        let forbid = any_rule(&mut random, &[rule::Verdict::Ask, rule::Verdict::Never]);
        let with = |one: &rule::Rule| compiled(&[base.as_slice(), std::slice::from_ref(one)].concat());
        let (before, granted, forbidden) = (compiled(&base), with(&grant), with(&forbid));
        for _ in 0..EACH {
            let (facts, action) = (any_facts(&mut random), &actions[random.usize(..actions.len())]);
            let content = content(action.clone());
            let freely = |policy: &CedarPolicy| freedom(judge(policy, &content, content.class(), &facts).decision);
            let (was, more, less) = (freely(&before), freely(&granted), freely(&forbidden));
            assert!(more >= was && less <= was, "{grant} / {forbid}: {was} {more} {less} {facts:?}");
            assert!(more <= freely(&everything), "{grant} lowers the floor: {facts:?}");
            moved = (moved.0 + u32::from(more > was), moved.1 + u32::from(less < was));
        }
    }
    assert!(moved.0 > 10 && moved.1 > 10, "the rules moved too little to say anything: {moved:?}");
}

/// Each condition of a rule in words: facts it holds for, and facts it does not. A rule lets its action go exactly where all
/// of its conditions hold, asks where it says so, and denies where it says never.
#[test]
fn each_condition_of_a_rule_decides() {
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let to = |names: &[&str], domains: &[&str]| Facts { names: texts(names), domains: texts(domains), ..CALM };
    let nobody = Facts { receivers: 0, others: 0, ..CALM };
    let (ana, both) = (to(&["ana@x.org"], &["x.org"]), to(&["ana@x.org", "eve@y.org"], &["x.org", "y.org"]));
    let unreadable = Facts { unreadable_receivers: true, ..ana.clone() };
    let cases: Vec<(&str, Vec<Facts>, Vec<Facts>)> = vec![
        (
            "to receivers I named or dealt with",
            vec![CALM],
            vec![Facts { ungrounded_receivers: 1, ..CALM }, nobody.clone()],
        ),
        ("to strangers", vec![Facts { ungrounded_receivers: 1, ..CALM }], vec![CALM, nobody.clone()]),
        ("to a first contact", vec![Facts { unknown_receivers: 1, ..CALM }], vec![CALM, nobody.clone()]),
        ("to no first contact", vec![CALM], vec![Facts { unknown_receivers: 1, ..CALM }, nobody.clone()]),
        ("inside my organisation", vec![CALM], vec![Facts { outside: 1, ..CALM }, nobody.clone()]),
        ("outside my organisation", vec![Facts { outside: 1, ..CALM }], vec![CALM, nobody.clone()]),
        ("to myself", vec![Facts { others: 0, ..CALM }], vec![CALM, nobody.clone()]),
        ("to others", vec![CALM], vec![Facts { others: 0, ..CALM }, nobody.clone()]),
        ("to ana@x.org", vec![ana.clone()], vec![both.clone(), unreadable.clone(), nobody.clone()]),
        (
            "to ana@x.org, eve@y.org",
            vec![ana.clone(), both.clone()],
            vec![to(&["eve@x.org"], &["x.org"]), nobody.clone()],
        ),
        (
            "to @x.org",
            vec![ana, to(&["b@x.org"], &["x.org"])],
            vec![both, unreadable, to(&["a@sub.x.org"], &["sub.x.org"]), nobody.clone()],
        ),
        ("with guests", vec![CALM], vec![nobody.clone()]),
        ("without guests", vec![nobody], vec![CALM]),
        ("with links", vec![Facts { foreign_links: 1, ..CALM }], vec![CALM]),
        ("without links", vec![CALM], vec![Facts { foreign_links: 1, ..CALM }]),
        (
            "that I named",
            vec![Facts { targets: 1, ..CALM }],
            vec![CALM, Facts { targets: 2, unnamed_targets: 1, ..CALM }],
        ),
        (
            "that I did not name",
            vec![Facts { targets: 1, unnamed_targets: 1, ..CALM }],
            vec![Facts { targets: 1, ..CALM }],
        ),
        (
            "up to 50",
            vec![CALM, Facts { amount: 5_000, ..CALM }],
            vec![Facts { amount: 5_001, ..CALM }, Facts { amount: u64::MAX, ..CALM }],
        ),
        (
            "over 50",
            vec![Facts { amount: 5_001, ..CALM }, Facts { amount: u64::MAX, ..CALM }],
            vec![Facts { amount: 5_000, ..CALM }],
        ),
        (
            "more than 20 a day",
            vec![Facts { same_kind_today: 20, ..CALM }],
            vec![Facts { same_kind_today: 19, ..CALM }],
        ),
        (
            "more than 3 an hour",
            vec![Facts { same_kind_hour: 3, ..CALM }],
            vec![Facts { same_kind_hour: 2, same_kind_today: 9, ..CALM }],
        ),
        ("after reading", vec![Facts { untrusted_read: true, ..CALM }], vec![CALM]),
        ("before reading", vec![CALM], vec![Facts { untrusted_read: true, ..CALM }]),
        ("before seeing secrets", vec![CALM], vec![Facts { confidential_read: true, ..CALM }]),
        ("inside the task", vec![CALM], vec![Facts { outside_scope: true, ..CALM }]),
        (
            "with the tool bank.pay",
            vec![Facts { tool: "bank.pay".into(), ..CALM }],
            vec![CALM, Facts { tool: "bank.payx".into(), ..CALM }],
        ),
    ];
    for (condition, holds, fails) in cases {
        let with = |verdict: &str, before: &str| {
            let rules = rule::parse(&format!("{before}mail {condition}: {verdict}"))
                .unwrap_or_else(|bad| panic!("{condition}: {bad}"));
            let cedar: String = rules.iter().enumerate().map(|(n, rule)| rule.cedar(&format!("mine.{n}"))).collect();
            let policy = CedarPolicy::with_grants(&cedar).unwrap();
            let content = content(send(1));
            move |facts: &Facts| judge(&policy, &content, content.class(), facts).decision
        };
        // The floor has its word too: what it asks about, it asks about under a rule that holds.
        let (goes, asks, never) =
            (with("go ahead", ""), with("ask", "mail: go ahead; "), with("never", "mail: go ahead; "));
        let plain = with("go ahead", "mail: go ahead; ");
        for facts in &holds {
            assert_eq!(goes(facts), plain(facts), "{condition}: {facts:?}");
            assert_eq!((asks(facts), never(facts)), (Decision::Ask, Decision::Deny), "{condition}: {facts:?}");
        }
        for facts in &fails {
            assert_eq!(goes(facts), Decision::Ask, "{condition}: {facts:?}");
            assert_eq!((asks(facts), never(facts)), (plain(facts), plain(facts)), "{condition}: {facts:?}");
        }
    }
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
