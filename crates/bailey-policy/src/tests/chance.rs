//! Chance rules over chance facts: what holds of all of them.

use super::*;

/// Tells how freely an action goes.
const fn freedom(decision: Decision) -> u8 {
    match decision {
        Decision::Auto => 3,
        Decision::Ask => 2,
        Decision::AskWithStepUp => 1,
        Decision::Deny => 0,
    }
}

fn any_rule(random: &mut fastrand::Rng, verdicts: &[rule::Verdict]) -> rule::Rule {
    let subject = rule::SUBJECTS[random.usize(..rule::SUBJECTS.len())].0;
    let examples: Vec<rule::Condition> =
        rule::examples().into_iter().filter(|condition| rule::fits(subject, condition)).collect();
    let rule = rule::Rule {
        subject,
        conditions: (0..random.usize(..2)).map(|_| examples[random.usize(..examples.len())].clone()).collect(),
        verdict: verdicts[random.usize(..verdicts.len())],
    };
    // Nobody can make one that lets requests go anywhere.
    if rule.lacks_site() { any_rule(random, verdicts) } else { rule }
}

fn any_facts(random: &mut fastrand::Rng) -> Facts {
    let recipients = random.u64(..3);
    let levels = [None, Some(Level::Read), Some(Level::Draft), Some(Level::Send), Some(Level::Full)];
    let rarely = |random: &mut fastrand::Rng| random.u32(..12) == 0;
    let one_of = |random: &mut fastrand::Rng, all: &[&str]| all[random.usize(..all.len())].to_owned();
    let some_of = |random: &mut fastrand::Rng, all: &[&str]| -> Vec<String> {
        all.iter().filter(|_| random.bool()).map(|one| (*one).to_owned()).collect()
    };
    const FOLDERS: [&str; 3] = ["folder:Clients/", "folder:Clients/New ones/", "site:example.org"];
    let spent = |random: &mut fastrand::Rng| [0, 5_000, 5_001, 10_051, u64::MAX][random.usize(..5)];
    Facts {
        account: one_of(random, &["", "me@example.org", "you@example.org"]),
        inside: random.u64(..=recipients),
        off_task_recipients: u64::from(rarely(random)),
        look_alikes: u64::from(rarely(random)),
        is_mail: random.bool(),
        tells_others: random.bool(),
        places: some_of(random, &["folder:clients", "folder:clients/new ones/a", "site:example.org"]),
        attachments: random.u64(..2),
        foreign_attachments: random.u64(..2),
        unnamed_files: random.u64(..2),
        sender_unproven: rarely(random),
        within: some_of(random, &FOLDERS),
        touches: some_of(random, &FOLDERS.map(str::to_lowercase).each_ref().map(String::as_str)),
        unreadable_places: rarely(random),
        method: one_of(random, &["", "GET", "POST"]),
        spent_day: spent(random),
        spent_week: spent(random),
        spent_month: spent(random),
        schedule: one_of(random, &["", "weekly report"]),
        origin: one_of(random, &["", "person", "schedule", "trigger", "agent"]),
        attended: random.bool(),
        minute: random.u64(..1_440),
        weekday: one_of(random, &["monday", "saturday", "sunday"]),
        level: if rarely(random) { levels[random.usize(..levels.len())] } else { Some(Level::Full) },
        grant_stands: !rarely(random),
        recipients,
        others: random.u64(..=recipients),
        outside: random.u64(..=recipients),
        names: (0..recipients).map(|_| ["ana@example.org", "eve@evil.example"][random.usize(..2)].to_owned()).collect(),
        domains: (0..recipients).map(|_| ["example.org", "evil.example"][random.usize(..2)].to_owned()).collect(),
        unreadable_recipients: rarely(random),
        tool: ["", "bank.pay"][random.usize(..2)].to_owned(),
        unknown_recipients: random.u64(..=recipients),
        ungrounded_recipients: random.u64(..=recipients),
        targets: random.u64(..2),
        unnamed_targets: random.u64(..2),
        foreign_links: random.u64(..2),
        undescribed: rarely(random),
        unreadable_amount: rarely(random),
        amount: [0, 5_000, 5_001, 12_345, u64::MAX][random.usize(..5)],
        outside_scope: rarely(random),
        more_than_meant: rarely(random),
        beside_schedule: rarely(random),
        untrusted_read: random.bool(),
        confidential_read: rarely(random),
        into_sent_or_drafts: rarely(random),
        among_own_folders: random.bool(),
        is_undo: rarely(random),
        same_kind_today: [0, 19, 20, 0, 21, 300][random.usize(..6)],
        same_kind_hour: random.u64(..5),
    }
}

/// Cases in which each property is tried: enough to find what is wrong often; `BAILEY_CASES` says how many instead.
fn cases() -> usize {
    std::env::var("BAILEY_CASES").map_or(4_000, |text| text.parse().unwrap())
}

/// Cases under one set of rules.
const EACH: usize = 40;

fn actions() -> [Action; 9] {
    [
        send(1),
        send(21),
        trash(),
        Action::Home(bailey_gate::family::home::HomeAction::MemoryWrite { note: "n".into() }),
        tool(&[("to", sink())], Manifest::unknown()),
        tool(&[("to", sink()), ("sum", Role::Amount)], Manifest::unknown()),
        tool(&[("url", sink())], Manifest { effect: Effect::Fetch, ..Manifest::unknown() }),
        tool(&[], Manifest { undoable: true, ..Manifest::unknown() }),
        tool(&[], Manifest { critical: true, ..Manifest::unknown() }),
    ]
}

fn compiled(rules: &[rule::Rule]) -> CedarPolicy {
    CedarPolicy::of_rules(rules, "rule").unwrap()
}

/// Over chance rules, facts and actions: a rule that lets something go never makes anything less free, one that asks or
/// forbids never more, and nothing is ever freer than under the floor alone.
#[test]
fn grants_never_lower_the_floor_and_forbids_never_allow_more() {
    let mut random = fastrand::Rng::with_seed(4);
    let actions = actions();
    let all = |subject| rule::Rule { subject, conditions: Vec::new(), verdict: rule::Verdict::GoAhead };
    let everything = compiled(&[all(rule::Subject::Anything)]);
    let mut moved = (0, 0);
    for _ in 0..cases() / EACH {
        let any = [rule::Verdict::GoAhead, rule::Verdict::Ask, rule::Verdict::Never];
        let base: Vec<rule::Rule> = (0..random.usize(..5)).map(|_| any_rule(&mut random, &any)).collect();
        let grant = any_rule(&mut random, &[rule::Verdict::GoAhead]);
        let forbid = any_rule(&mut random, &[rule::Verdict::Ask, rule::Verdict::Never]);
        let with = |one: &rule::Rule| compiled(&[base.as_slice(), std::slice::from_ref(one)].concat());
        let (before, granted, forbidden) = (compiled(&base), with(&grant), with(&forbid));
        for _ in 0..EACH {
            let (facts, action) = (any_facts(&mut random), &actions[random.usize(..actions.len())]);
            let content = content(action.clone());
            let freely =
                |policy: &CedarPolicy| freedom(judge(policy, content.action.kind(), content.class(), &facts).decision);
            let (was, more, less) = (freely(&before), freely(&granted), freely(&forbidden));
            assert!(more >= was && less <= was, "{grant} / {forbid}: {was} {more} {less} {facts:?}");
            assert!(more <= freely(&everything), "{grant} lowers the floor: {facts:?}");
            moved = (moved.0 + u32::from(more > was), moved.1 + u32::from(less < was));
        }
    }
    assert!(moved.0 > 10 && moved.1 > 10, "the rules moved too little to say anything: {moved:?}");
}

/// Holds what is decided when an action is proposed and shown, what a trial of the same rules says of the facts the log keeps, and what
/// is let run on each evidence when it is claimed are one and the same.
#[test]
fn preview_trial_and_run_agree() {
    let mut random = fastrand::Rng::with_seed(5);
    let actions = actions();
    let mut seen = [0_u32; 4];
    for _ in 0..cases() / EACH {
        let any = [rule::Verdict::GoAhead, rule::Verdict::Ask, rule::Verdict::Never];
        let rules: Vec<rule::Rule> = (0..random.usize(..6)).map(|_| any_rule(&mut random, &any)).collect();
        // As they are kept: in words, read again.
        let words: String = rules.iter().map(|rule| format!("{rule}\n")).collect();
        let groups = [("the board".to_owned(), vec!["ana@example.org".to_owned()])].into();
        let again = rule::parse(&words).unwrap().into_iter().map(|rule| rule.resolved(&groups).unwrap());
        let (policy, kept) = (compiled(&rules), compiled(&again.collect::<Vec<_>>()));
        for _ in 0..EACH {
            let (facts, action) = (any_facts(&mut random), &actions[random.usize(..actions.len())]);
            let (kind, class) = (action.kind(), action.class());
            let shown = judge(&policy, kind, class, &facts);
            let tried = judge(&kept, kind, class, &Facts::decode(&facts.encode()).unwrap());
            assert_eq!(shown.decision, tried.decision, "{words}{facts:?}");
            let runs = |evidence| {
                let question = Question { kind, class, facts: &facts, evidence };
                // As the gate claims: what cannot be taken back never runs on less than presence.
                (class != Class::Critical || evidence == Evidence::SteppedUp) && policy.rule(&question).allowed
            };
            let run = [Evidence::None, Evidence::Approved, Evidence::SteppedUp].map(runs);
            let told = match shown.decision {
                Decision::Auto => [true, true, true],
                Decision::Ask => [false, true, true],
                Decision::AskWithStepUp => [false, false, true],
                Decision::Deny => [false, false, false],
            };
            assert_eq!(run, told, "{words}{facts:?}");
            seen[usize::from(freedom(shown.decision))] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 10), "every decision has to come: {seen:?}");
}

/// Asks every rule of a set over every fact, checked against the schema: what the answers of a part of them are held against.
fn of_the_whole(policy: &CedarPolicy, question: &Question<'_>) -> Ruling {
    let context = Context::from_pairs(context(question, |_| true)).unwrap();
    let action = uid("Action", question.kind.name()).unwrap();
    let schema = Some(&policy.schema);
    let request = Request::new(policy.agent.clone(), action, policy.home.clone(), context, schema).unwrap();
    policy.answer(&request, &policy.policies).unwrap()
}

/// Rules about groups of actions, which the words for rules do not make.
const OF_GROUPS: &str = r#"
@id("a") permit (principal, action in [Action::"mail.*", Action::"write"], resource) when { context.sameKindHour < 3 };
@id("b") forbid (principal, action in Action::"observe", resource) when { context.minute < 700 } unless { context.approved };
@id("c") forbid (principal, action, resource) when { context.weekday == "sunday" && context.attended } unless { context.approved };
"#;

/// Leaving out the rules that are about other kinds, and the facts that no rule about the kind looks at, changes no answer and no
/// reason.
#[test]
fn answers_are_those_of_all_rules_over_all_facts() {
    let mut random = fastrand::Rng::with_seed(6);
    let any = [rule::Verdict::GoAhead, rule::Verdict::Ask, rule::Verdict::Never];
    let mut seen = [0_u32; 2];
    for case in 0..cases() / EACH {
        let rules: Vec<rule::Rule> = (0..random.usize(..6)).map(|_| any_rule(&mut random, &any)).collect();
        let policy = if case % 4 == 0 { CedarPolicy::with_grants(OF_GROUPS).unwrap() } else { compiled(&rules) };
        for kind in ActionKind::all() {
            let (facts, class) = (any_facts(&mut random), Class::ALL[random.usize(..Class::ALL.len())]);
            for evidence in [Evidence::None, Evidence::Approved, Evidence::SteppedUp] {
                let question = Question { kind, class, facts: &facts, evidence };
                let ruling = policy.rule(&question);
                assert_eq!(ruling, of_the_whole(&policy, &question), "{} {rules:?} {facts:?}", kind.name());
                seen[usize::from(ruling.allowed)] += 1;
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 100), "both answers have to come: {seen:?}");
}
