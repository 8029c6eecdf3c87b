//! From a rule to Cedar: no arithmetic, no attribute that could be missing, an approval only ever lifts.

use super::{Condition, Rule, Subject, Verdict};

/// The one policy a rule is.
pub(super) fn policy(rule: &Rule, name: &str) -> String {
    let effect = if rule.verdict == Verdict::GoAhead { "permit" } else { "forbid" };
    let unless = if rule.verdict == Verdict::Ask { "\nunless { context.approved }" } else { "" };
    let conditions: Vec<String> = rule.conditions.iter().map(condition).collect();
    let when = if conditions.is_empty() { String::new() } else { format!("\nwhen {{ {} }}", conditions.join(" && ")) };
    format!(
        "@id({})\n@says({})\n{effect} (principal, {}, resource){when}{unless};\n\n",
        quoted(name),
        quoted(&rule.to_string()),
        actions(rule.subject),
    )
}

fn actions(subject: Subject) -> String {
    let group = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("Action::{}", quoted(name))).collect();
        format!("action in [{}]", names.join(", "))
    };
    match subject {
        Subject::Anything => "action".into(),
        Subject::Reading => group(&["read"]),
        Subject::Fetching => group(&["observe"]),
        Subject::Outward => group(&["outward"]),
        Subject::Mail => group(&["mail.send"]),
        Subject::MovingMail => group(&["mail.move"]),
        Subject::TrashingMail => group(&["mail.trash"]),
        Subject::Calendar => group(&["calendar.create", "calendar.change", "calendar.cancel"]),
        Subject::NewEntries => group(&["calendar.create"]),
        Subject::ChangedEntries => group(&["calendar.change"]),
        Subject::CancelledEntries => group(&["calendar.cancel"]),
        Subject::NewThings => group(&["tool.write"]),
        Subject::Changes => group(&["destroy"]),
        Subject::Payments => group(&["spend"]),
        Subject::Notes => group(&["memory.write"]),
    }
}

fn condition(condition: &Condition) -> String {
    let is = |holds: bool, yes: &str, no: &str| if holds { yes.to_owned() } else { no.to_owned() };
    let set = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    match condition {
        // INVARIANT: what goes to nobody goes to nobody in particular: a rule about receivers is about no such action.
        Condition::Grounded(holds) => {
            is(*holds, "context.receivers > 0 && context.ungroundedReceivers == 0", "context.ungroundedReceivers > 0")
        }
        Condition::FirstContact(holds) => {
            is(*holds, "context.unknownReceivers > 0", "context.receivers > 0 && context.unknownReceivers == 0")
        }
        Condition::Outside(holds) => is(*holds, "context.outside > 0", "context.receivers > 0 && context.outside == 0"),
        Condition::OnlyMe(holds) => is(*holds, "context.receivers > 0 && context.others == 0", "context.others > 0"),
        // Somebody whose address cannot be read is none of those named.
        Condition::Only(names) => {
            format!(
                "context.receivers > 0 && !context.unreadableReceivers && [{}].containsAll(context.names)",
                set(names)
            )
        }
        Condition::OnlyAt(names) => {
            format!(
                "context.receivers > 0 && !context.unreadableReceivers && [{}].containsAll(context.domains)",
                set(names)
            )
        }
        Condition::Guests(holds) => is(*holds, "context.receivers > 0", "context.receivers == 0"),
        Condition::Links(holds) => is(*holds, "context.foreignLinks > 0", "context.foreignLinks == 0"),
        Condition::Named(holds) => {
            is(*holds, "context.targets > 0 && context.unnamedTargets == 0", "context.unnamedTargets > 0")
        }
        Condition::AtMost(sum) => format!("context.amount <= {sum}"),
        Condition::MoreThan(sum) => format!("context.amount > {sum}"),
        Condition::ADay(count) => format!("context.sameKindToday >= {count}"),
        Condition::AnHour(count) => format!("context.sameKindHour >= {count}"),
        Condition::AfterReading(holds) => is(*holds, "context.untrustedRead", "!context.untrustedRead"),
        Condition::AfterSecrets(holds) => is(*holds, "context.confidentialRead", "!context.confidentialRead"),
        Condition::BesideTask(holds) => is(*holds, "context.outsideScope", "!context.outsideScope"),
        Condition::Tool(name) => format!("context.tool == {}", quoted(name)),
    }
}

/// A Cedar string literal.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
