//! Each condition of a rule in words, with facts it holds for and facts it does not.

use super::*;

/// Returns what a condition can be so of; that mail is, too.
fn subject(condition: &str) -> &'static str {
    if rule::parse(&format!("mail {condition}: ask")).is_ok() { "mail" } else { "anything" }
}

/// Each condition of a rule in words: facts it holds for, and facts it does not. A rule lets its action go exactly where all
/// of its conditions hold, asks where it says so, and denies where it says never.
#[test]
fn each_condition_of_a_rule_decides() {
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let to = |names: &[&str], domains: &[&str]| Facts { names: texts(names), domains: texts(domains), ..calm() };
    let nobody = Facts { recipients: 0, others: 0, ..calm() };
    let two = Facts { recipients: 2, others: 2, ..calm() };
    let place = |within: &[&str], touches: &[&str]| Facts { within: texts(within), touches: texts(touches), ..calm() };
    let said = |field: fn(&mut Facts) -> &mut String, value: &str| {
        let mut facts = calm();
        *field(&mut facts) = value.into();
        facts
    };
    let at = |minute| Facts { minute, ..calm() };
    let day = |day: &str| said(|facts| &mut facts.weekday, day);
    let (ana, both) = (to(&["ana@x.org"], &["x.org"]), to(&["ana@x.org", "eve@y.org"], &["x.org", "y.org"]));
    let unreadable = Facts { unreadable_recipients: true, ..ana.clone() };
    let cases: Vec<(&str, Vec<Facts>, Vec<Facts>)> = vec![
        (
            "to recipients I named or dealt with",
            vec![calm()],
            vec![Facts { ungrounded_recipients: 1, ..calm() }, nobody.clone()],
        ),
        ("to strangers", vec![Facts { ungrounded_recipients: 1, ..calm() }], vec![calm(), nobody.clone()]),
        ("to a first contact", vec![Facts { unknown_recipients: 1, ..calm() }], vec![calm(), nobody.clone()]),
        ("to no first contact", vec![calm()], vec![Facts { unknown_recipients: 1, ..calm() }, nobody.clone()]),
        (
            "inside my organisation",
            vec![Facts { inside: 1, ..calm() }],
            vec![Facts { outside: 1, ..calm() }, nobody.clone()],
        ),
        ("outside my organisation", vec![Facts { outside: 1, ..calm() }], vec![calm(), nobody.clone()]),
        ("to myself", vec![Facts { others: 0, ..calm() }], vec![calm(), nobody.clone()]),
        ("to others", vec![calm()], vec![Facts { others: 0, ..calm() }, nobody.clone()]),
        ("to ana@x.org", vec![ana.clone()], vec![to(&["b@x.org"], &["x.org"]), nobody.clone()]),
        (
            "to ana@x.org, eve@y.org",
            vec![ana.clone(), both.clone()],
            vec![to(&["eve@x.org"], &["x.org"]), nobody.clone()],
        ),
        (
            "to @x.org",
            vec![ana, to(&["b@x.org"], &["x.org"])],
            vec![to(&["a@sub.x.org"], &["sub.x.org"]), nobody.clone()],
        ),
        ("with guests", vec![calm()], vec![nobody.clone()]),
        ("without guests", vec![nobody], vec![calm()]),
        ("with links", vec![Facts { foreign_links: 1, ..calm() }], vec![calm()]),
        ("without links", vec![calm()], vec![Facts { foreign_links: 1, ..calm() }]),
        (
            "that I named",
            vec![Facts { targets: 1, ..calm() }],
            vec![calm(), Facts { targets: 1, unnamed_targets: 1, ..calm() }],
        ),
        (
            "that I did not name",
            vec![Facts { targets: 1, unnamed_targets: 1, ..calm() }],
            vec![Facts { targets: 1, ..calm() }],
        ),
        (
            "spending up to 50",
            vec![calm(), Facts { amount: 5_000, ..calm() }],
            vec![Facts { amount: 5_001, ..calm() }, Facts { amount: u64::MAX, ..calm() }],
        ),
        (
            "spending over 50",
            vec![Facts { amount: 5_001, ..calm() }, Facts { amount: u64::MAX, ..calm() }],
            vec![Facts { amount: 5_000, ..calm() }],
        ),
        (
            "more than 20 a day",
            vec![Facts { same_kind_today: 20, ..calm() }],
            vec![Facts { same_kind_today: 19, ..calm() }],
        ),
        (
            "up to 20 a day",
            vec![calm(), Facts { same_kind_today: 19, ..calm() }],
            vec![Facts { same_kind_today: 20, ..calm() }],
        ),
        (
            "up to 3 times an hour",
            vec![Facts { same_kind_hour: 2, same_kind_today: 9, ..calm() }],
            vec![Facts { same_kind_hour: 3, ..calm() }],
        ),
        ("with attachments", vec![Facts { attachments: 1, ..calm() }], vec![calm()]),
        ("without attachments", vec![calm()], vec![Facts { attachments: 1, ..calm() }]),
        ("that answers an unproven sender", vec![Facts { sender_unproven: true, ..calm() }], vec![calm()]),
        ("that answers no unproven sender", vec![calm()], vec![Facts { sender_unproven: true, ..calm() }]),
        (
            "with files of others",
            vec![Facts { attachments: 2, foreign_attachments: 1, ..calm() }],
            vec![calm(), Facts { attachments: 1, ..calm() }],
        ),
        (
            "without files of others",
            vec![calm(), Facts { attachments: 1, ..calm() }],
            vec![Facts { attachments: 2, foreign_attachments: 1, ..calm() }],
        ),
        (
            "more than 3 an hour",
            vec![Facts { same_kind_hour: 3, ..calm() }],
            vec![Facts { same_kind_hour: 2, same_kind_today: 9, ..calm() }],
        ),
        ("after reading", vec![Facts { untrusted_read: true, ..calm() }], vec![calm()]),
        ("before reading", vec![calm()], vec![Facts { untrusted_read: true, ..calm() }]),
        ("after seeing secrets", vec![Facts { confidential_read: true, ..calm() }], vec![calm()]),
        ("before seeing secrets", vec![calm()], vec![Facts { confidential_read: true, ..calm() }]),
        ("outside the task", vec![Facts { outside_scope: true, ..calm() }], vec![calm()]),
        ("inside the task", vec![calm()], vec![Facts { outside_scope: true, ..calm() }]),
        (
            "with the tool bank.pay",
            vec![Facts { tool: "bank.pay".into(), ..calm() }],
            vec![calm(), Facts { tool: "bank.payx".into(), ..calm() }],
        ),
        (
            "spending up to 50 a week",
            vec![Facts { spent_week: 5_000, spent_month: 9_999, ..calm() }],
            vec![Facts { spent_week: 5_001, ..calm() }, Facts { spent_week: u64::MAX, ..calm() }],
        ),
        (
            "spending over 50 a day",
            vec![Facts { spent_day: 5_001, ..calm() }],
            vec![Facts { spent_week: 5_001, ..calm() }],
        ),
        (
            "spending over 50 a month",
            vec![Facts { spent_month: 5_001, ..calm() }],
            vec![Facts { spent_week: 5_001, ..calm() }],
        ),
        (
            "in Clients/",
            vec![place(&["folder:Clients/", "folder:Clients/a"], &["folder:clients/", "folder:clients/a"])],
            vec![calm(), place(&["folder:Other/"], &["folder:other/"])],
        ),
        (
            "on example.org",
            vec![place(&["site:example.org"], &["site:example.org"])],
            vec![calm(), place(&["folder:example.org"], &["folder:example.org"])],
        ),
        (
            "with the method get",
            vec![said(|facts| &mut facts.method, "GET")],
            vec![calm(), said(|facts| &mut facts.method, "POST")],
        ),
        (
            "through Me@x.org",
            vec![said(|facts| &mut facts.account, "me@x.org")],
            vec![calm(), said(|facts| &mut facts.account, "you@x.org")],
        ),
        (
            "in the schedule \"weekly report\"",
            vec![said(|facts| &mut facts.schedule, "weekly report")],
            vec![calm(), said(|facts| &mut facts.schedule, "weekly")],
        ),
        (
            "begun by me",
            vec![said(|facts| &mut facts.origin, "person")],
            vec![calm(), said(|facts| &mut facts.origin, "agent")],
        ),
        (
            "begun by a schedule",
            vec![said(|facts| &mut facts.origin, "schedule")],
            vec![calm(), said(|facts| &mut facts.origin, "person")],
        ),
        (
            "begun by a trigger",
            vec![said(|facts| &mut facts.origin, "trigger")],
            vec![calm(), said(|facts| &mut facts.origin, "person")],
        ),
        (
            "begun by another agent",
            vec![said(|facts| &mut facts.origin, "agent")],
            vec![calm(), said(|facts| &mut facts.origin, "person")],
        ),
        ("between 9 and 17.30", vec![at(540), at(1_049)], vec![at(539), at(1_050)]),
        ("at night", vec![at(1_320), at(0), at(419)], vec![at(420), at(1_319)]),
        ("not at night", vec![at(420), at(1_319)], vec![at(1_320), at(0), at(419)]),
        ("on weekdays", vec![day("monday"), day("friday")], vec![day("saturday"), day("sunday")]),
        ("on Sundays and Monday", vec![day("sunday"), day("monday")], vec![day("saturday")]),
        ("while I am there", vec![calm()], vec![Facts { attended: false, ..calm() }]),
        ("while I am away", vec![Facts { attended: false, ..calm() }], vec![calm()]),
    ];
    let tried: Vec<_> = cases
        .iter()
        .flat_map(|(words, ..)| rule::parse(&format!("{} {words}: ask", subject(words))))
        .flatten()
        .collect();
    for condition in rule::examples() {
        // Whom a group holds is put in its place before a rule is Cedar: `rules::a_group_changes_the_rules_that_speak_of_it`.
        if matches!(condition, rule::Condition::Group(..)) {
            continue;
        }
        let of_kind = |other: &rule::Condition| std::mem::discriminant(other) == std::mem::discriminant(&condition);
        let valueless = tried.iter().any(|rule| rule.conditions.contains(&condition));
        let has_value = format!("{condition:?}").contains(|c: char| c.is_ascii_digit() || c == '"' || c == '[');
        let alike = tried.iter().any(|rule| rule.conditions.iter().any(of_kind));
        assert!(valueless || (has_value && alike), "no case tries {condition:?}");
    }
    // Some recipients, places or things are so and others are not: nothing goes for it, and whatever stops it stops it.
    let mixed: Vec<(&str, Facts)> = vec![
        ("to recipients I named or dealt with", Facts { ungrounded_recipients: 1, ..two.clone() }),
        ("to strangers", Facts { ungrounded_recipients: 1, ..two.clone() }),
        ("to a first contact", Facts { unknown_recipients: 1, ..two.clone() }),
        ("to no first contact", Facts { unknown_recipients: 1, ..two.clone() }),
        ("inside my organisation", Facts { inside: 1, outside: 1, ..two.clone() }),
        ("outside my organisation", Facts { inside: 1, outside: 1, ..two.clone() }),
        ("to myself", Facts { others: 1, ..two.clone() }),
        ("to others", Facts { others: 1, ..two.clone() }),
        ("to ana@x.org", both.clone()),
        ("to ana@x.org", unreadable.clone()),
        ("to @x.org", both),
        ("to @x.org", unreadable),
        ("that I named", Facts { targets: 2, unnamed_targets: 1, ..calm() }),
        ("that I did not name", Facts { targets: 2, unnamed_targets: 1, ..calm() }),
        ("in Clients/", place(&[], &["folder:clients/", "folder:other/"])),
        ("in Clients/", Facts { unreadable_places: true, ..calm() }),
        ("on example.org", place(&[], &["site:example.org", "site:example.net"])),
    ];
    let with = |condition: &str, verdict: &str, before: &str| {
        let rules = rule::parse(&format!("{before}{} {condition}: {verdict}", subject(condition)))
            .unwrap_or_else(|bad| panic!("{condition}: {bad}"));
        let policy = CedarPolicy::of_rules(&rules, "mine").unwrap();
        let content = content(send(1));
        move |facts: &Facts| judge(&policy, content.action.kind(), content.class(), facts).decision
    };
    let all = "mail: go ahead; ";
    for (condition, holds, fails) in cases {
        // The floor has its word too: what it asks about, it asks about under a rule that holds.
        let (goes, asks, never) =
            (with(condition, "go ahead", ""), with(condition, "ask", all), with(condition, "never", all));
        let plain = with(condition, "go ahead", all);
        for facts in &holds {
            assert_eq!(goes(facts), plain(facts), "{condition}: {facts:?}");
            assert_eq!((asks(facts), never(facts)), (Decision::Ask, Decision::Deny), "{condition}: {facts:?}");
        }
        for facts in &fails {
            assert_eq!(goes(facts), Decision::Ask, "{condition}: {facts:?}");
            assert_eq!((asks(facts), never(facts)), (plain(facts), plain(facts)), "{condition}: {facts:?}");
        }
    }
    for (condition, facts) in mixed {
        let decided = [("go ahead", ""), ("ask", all), ("never", all)]
            .map(|(verdict, before)| with(condition, verdict, before)(&facts));
        assert_eq!(decided, [Decision::Ask, Decision::Ask, Decision::Deny], "{condition}: {facts:?}");
    }
}
