//! From a rule to Cedar: no arithmetic, no attribute that could be missing, an approval only ever lifts.

use bailey_gate::family::tool::UNSAID_METHOD;
use bailey_gate::family::{ActionKind, Group, calendar, files, home, http, mail, shell, tool};
use bailey_gate::ground::joined;
use bailey_gate::place::Place;

use super::{Condition, Period, Rule, Subject, Verdict};

/// Returns the one policy a rule is.
pub(super) fn policy(rule: &Rule, name: &str) -> String {
    let stops = rule.verdict != Verdict::GoAhead;
    let effect = if rule.verdict == Verdict::GoAhead { "permit" } else { "forbid" };
    let unless = if rule.verdict == Verdict::Ask { "\nunless { context.approved }" } else { "" };
    let said = rule.conditions.iter().map(|one| condition(one, stops));
    let besides = widely(rule.subject, stops).into_iter().map(str::to_owned).chain(without_requests(rule));
    let conditions: Vec<String> = besides.chain(said).collect();
    let when = if conditions.is_empty() { String::new() } else { format!("\nwhen {{ {} }}", conditions.join(" && ")) };
    format!(
        "@id({})\n@says({})\n{effect} (principal, {}, resource){when}{unless};\n\n",
        quoted(name),
        quoted(&rule.to_string()),
        actions(rule.subject, stops),
    )
}

/// Says what a subject is by what it does, where a rule stops it: whoever says that no mail is to leave means every tool that sends
/// some, and whoever speaks of what reaches others means whatever does.
const fn widely(subject: Subject, stops: bool) -> Option<&'static str> {
    match (subject, stops) {
        (Subject::Mail, true) => Some("context.isMail"),
        (Subject::Outward, true) => Some("context.others > 0"),
        _ => None,
    }
}

/// Leaves requests to sites out of a rule that lets something go and names no site: whatever the computer holds could leave by one.
fn without_requests(rule: &Rule) -> Option<String> {
    let names_site = rule.conditions.iter().any(|condition| matches!(condition, Condition::OnSite(_)));
    let lets_go = rule.verdict == Verdict::GoAhead && !names_site;
    let covers = matches!(
        rule.subject,
        Subject::Anything | Subject::Doing | Subject::Fetching | Subject::Outward | Subject::Requests
    );
    let kinds = [http::GET, http::POST].map(|kind| format!("Action::{}", quoted(kind.name()))).join(", ");
    (lets_go && covers).then(|| format!("!(action in [{kinds}])"))
}

fn actions(subject: Subject, stops: bool) -> String {
    if widely(subject, stops).is_some() {
        return "action".into();
    }
    let named = |names: Vec<&str>| {
        let names: Vec<String> = names.iter().map(|name| format!("Action::{}", quoted(name))).collect();
        format!("action in [{}]", names.join(", "))
    };
    let groups = |groups: &[Group]| named(groups.iter().map(|group| group.name()).collect());
    let kinds = |kinds: &[ActionKind]| named(kinds.iter().map(|kind| kind.name()).collect());
    // Whoever stops what is done to things means the home's files, too, and who stops what is done to files means those of tools; what
    // is let go is what is named, and no more.
    let stopped =
        |own: &[ActionKind], too: &[ActionKind]| kinds(&if stops { [own, too].concat() } else { own.to_vec() });
    match subject {
        Subject::Anything => "action".into(),
        Subject::Reading => groups(&[Group::Read]),
        Subject::Fetching => groups(&[Group::Fetch]),
        Subject::Doing => named(Group::ALL.into_iter().filter(|group| group.is_effect()).map(Group::name).collect()),
        Subject::Outward => groups(&[Group::Outward]),
        Subject::Mail => kinds(&[mail::SEND]),
        Subject::MovingMail => kinds(&[mail::MOVE]),
        Subject::TrashingMail => kinds(&[mail::TRASH]),
        Subject::MarkingMail => kinds(&[mail::MARK]),
        Subject::Unsubscribing => kinds(&[mail::UNSUBSCRIBE]),
        Subject::Calendar => kinds(&[calendar::CREATE, calendar::CHANGE, calendar::CANCEL]),
        Subject::NewEntries => kinds(&[calendar::CREATE]),
        Subject::ChangedEntries => kinds(&[calendar::CHANGE]),
        Subject::CancelledEntries => kinds(&[calendar::CANCEL]),
        Subject::NewThings => stopped(&[tool::WRITE], &[files::CREATE]),
        Subject::Changes if stops => {
            let own = [files::CHANGE, files::MOVE, files::TRASH].map(ActionKind::name);
            named([vec![Group::Destroy.name()], own.to_vec()].concat())
        }
        Subject::Changes => groups(&[Group::Destroy]),
        Subject::Changing => stopped(&[tool::CHANGE], &[files::CHANGE, files::MOVE]),
        Subject::Removing => stopped(&[tool::REMOVE], &[files::TRASH]),
        Subject::Payments => groups(&[Group::Spend]),
        Subject::Notes => kinds(&[home::MEMORY_WRITE]),
        Subject::Files => stopped(
            &[files::CREATE, files::CHANGE, files::MOVE, files::TRASH],
            &[tool::WRITE, tool::CHANGE, tool::REMOVE],
        ),
        Subject::CreatingFiles => stopped(&[files::CREATE], &[tool::WRITE]),
        Subject::ChangingFiles => stopped(&[files::CHANGE], &[tool::CHANGE]),
        Subject::MovingFiles => stopped(&[files::MOVE], &[tool::CHANGE]),
        Subject::DeletingFiles => stopped(&[files::TRASH], &[tool::REMOVE]),
        Subject::Commands => kinds(&[shell::RUN]),
        Subject::Requests => kinds(&[http::GET, http::POST]),
    }
}

/// Returns a condition of a rule that lets something go, which all recipients, places and things have to meet; or of one that
/// stops
/// something (`stops`), which one of them meets. What goes to nobody goes to nobody in particular: a condition about recipients
/// holds of no action without any.
fn condition(condition: &Condition, stops: bool) -> String {
    let is = |holds: bool, yes: &str, no: &str| if holds { yes.to_owned() } else { no.to_owned() };
    let set = |names: &[String]| format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "));
    // Of `count` out of `all`: all of them, or one. "The others" are those not counted.
    let of = |holds: bool, count: &str, all: &str| match (holds, stops) {
        (true, true) => format!("context.{count} > 0"),
        (true, false) => format!("context.{all} > 0 && context.{count} == context.{all}"),
        (false, true) => format!("context.{count} < context.{all}"),
        (false, false) => format!("context.{all} > 0 && context.{count} == 0"),
    };
    // Somebody whose address cannot be read is none of those who may, and may be one of those who may not.
    let among = |what: &str, names: &[String]| {
        if stops {
            format!("(context.unreadableRecipients || {}.containsAny(context.{what}))", set(names))
        } else {
            format!("context.others > 0 && !context.unreadableRecipients && {}.containsAll(context.{what})", set(names))
        }
    };
    let place = |name: Option<String>| {
        let name = name.unwrap_or_default();
        if stops {
            // What is done to a folder above is done to this one.
            let above = if name.starts_with("folder:") { set(&Place::holders_of(&name)) } else { "[\"\"]".into() };
            // A path that cannot be read may be this one.
            let unread = Place::unread_at(&name)
                .map_or_else(String::new, |unread| format!(" || context.touches.contains({})", quoted(&unread)));
            format!(
                "(context.unreadablePlaces || context.touches.contains({}){unread} || {above}.containsAny(context.places))",
                quoted(&name.to_lowercase())
            )
        } else {
            format!("context.within.contains({})", quoted(&name))
        }
    };
    match condition {
        Condition::Grounded(holds) => of(!holds, "ungroundedRecipients", "recipients"),
        Condition::FirstContact(holds) => of(*holds, "unknownRecipients", "recipients"),
        Condition::Outside(true) => of(true, "outside", "others"),
        Condition::Outside(false) if stops => "context.inside > 0".into(),
        // Oneself is inside, too.
        Condition::Outside(false) => "context.recipients > 0 && context.outside == 0".into(),
        Condition::OnlyMe(holds) => of(!holds, "others", "recipients"),
        Condition::Only(names) => among("names", &spelled(names)),
        Condition::Group(_, names) => among("names", names),
        Condition::OnlyAt(domains) => among("domains", domains),
        Condition::Guests(holds) => is(*holds, "context.recipients > 0", "context.recipients == 0"),
        Condition::Links(holds) => is(*holds, "context.foreignLinks > 0", "context.foreignLinks == 0"),
        Condition::Named(holds) => of(!holds, "unnamedTargets", "targets"),
        Condition::AtMost(sum) => format!("context.amount <= {sum}"),
        Condition::MoreThan(sum) => format!("context.amount > {sum}"),
        Condition::BudgetUpTo(sum, period) => format!("context.{} <= {sum}", spent(*period)),
        Condition::BudgetOver(sum, period) => format!("context.{} > {sum}", spent(*period)),
        Condition::ADay(count) => format!("context.sameKindToday >= {count}"),
        Condition::AnHour(count) => format!("context.sameKindHour >= {count}"),
        Condition::UpToADay(count) => format!("context.sameKindToday < {count}"),
        Condition::UpToAnHour(count) => format!("context.sameKindHour < {count}"),
        Condition::Attachments(holds) => is(*holds, "context.attachments > 0", "context.attachments == 0"),
        Condition::ForeignFiles(holds) => {
            is(*holds, "context.foreignAttachments > 0", "context.foreignAttachments == 0")
        }
        Condition::UnprovenSender(holds) => is(*holds, "context.senderUnproven", "!context.senderUnproven"),
        Condition::AfterReading(holds) => is(*holds, "context.untrustedRead", "!context.untrustedRead"),
        Condition::AfterSecrets(holds) => is(*holds, "context.confidentialRead", "!context.confidentialRead"),
        Condition::OffTask(holds) => is(*holds, "context.outsideScope", "!context.outsideScope"),
        Condition::Tool(name) => format!("context.tool == {}", quoted(name)),
        Condition::In(folder) => place(Place::folder(folder)),
        Condition::OnSite(site) => place(Place::site(site)),
        // What does not say how it asks may ask like this.
        Condition::Method(method) if stops => {
            format!("[{}, {}].contains(context.method)", quoted(method), quoted(UNSAID_METHOD))
        }
        Condition::Method(method) => format!("context.method == {}", quoted(method)),
        Condition::Through(account) => format!("context.account == {}", quoted(account)),
        Condition::Schedule(name) => format!("context.schedule == {}", quoted(name)),
        Condition::BegunBy(origin) => format!("context.origin == {}", quoted(origin.name())),
        Condition::Between(from, until) if from < until => {
            format!("context.minute >= {from} && context.minute < {until}")
        }
        Condition::Between(from, until) => format!("(context.minute >= {from} || context.minute < {until})"),
        Condition::OnDays(days) => {
            let days: Vec<String> = days.iter().map(|day| day.name().to_owned()).collect();
            format!("{}.contains(context.weekday)", set(&days))
        }
        Condition::Attended(holds) => is(*holds, "context.attended", "!context.attended"),
    }
}

/// Returns names in the forms they are compared in: what is no address may be one that is written in groups.
fn spelled(names: &[String]) -> Vec<String> {
    let grouped = names.iter().filter(|name| !name.contains('@')).map(|name| joined(name));
    let mut all: Vec<String> = names.iter().cloned().chain(grouped).filter(|name| !name.is_empty()).collect();
    all.sort();
    all.dedup();
    all
}

/// Returns the fact that holds what is spent in a span of time.
const fn spent(period: Period) -> &'static str {
    match period {
        Period::Day => "spentDay",
        Period::Week => "spentWeek",
        Period::Month => "spentMonth",
    }
}

/// Returns a Cedar string literal.
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
