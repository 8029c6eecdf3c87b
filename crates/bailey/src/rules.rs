//! `bailey rules`: rules in words, and the Cedar they are.

use std::io::{self, Read as _, Write};

use bailey_gate::family::ActionKind;
use bailey_gate::family::escape::{visible, visible_lines};
use bailey_home::rules::{
    Analysis, BadRule, CedarPolicy, Example, Newly, NoAnalysis, Profile, Rule, Unattended, parse,
};
use bailey_home::{Layout, purposes, routes};
use bailey_interface::{RuleBody, RuleChange, RuleEventView, RuleView, SuggestionView, TrialView, WhyView};
use serde_json::json;

use crate::args::{Change, ProfileName, Rules};
use crate::client::{Client, Trouble};
use crate::{prompt, show};

/// Longest text of rules, in bytes.
const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// Runs one of the commands.
pub(crate) async fn run(command: Rules, layout: Layout, as_json: bool) -> Result<(), Trouble> {
    let rules: Vec<RuleView> = match command {
        Rules::Check { cedar: true, words } => {
            CedarPolicy::with_grants(&text_of(&words)?).map_err(|error| Trouble::Here(error.to_string()))?;
            return say("It fits, cannot err, and an approval only lifts.\n");
        }
        Rules::Check { cedar: false, words } => return check(&text_of(&words)?, as_json),
        Rules::Profile { name } => {
            let text = profile(name).rules();
            return if as_json { check(text, true) } else { say(text) };
        }
        Rules::Test(change) => return test(&Client::new(layout)?, looked_at(change)?, as_json).await,
        Rules::Diff(change) => return diff(&Client::new(layout)?, looked_at(change)?, as_json).await,
        Rules::Explain { action } => return explain(&Client::new(layout)?, &action, as_json).await,
        Rules::Analyse => return analyse(&Client::new(layout)?, as_json).await,
        Rules::Suggestions => return suggestions(&Client::new(layout)?, as_json).await,
        Rules::Dismiss { suggestion } => {
            let () = Client::new(layout)?.post(&routes::DISMISS.at(&[&suggestion]), &()).await?;
            return if as_json { say("{}\n") } else { say("It is not offered again for sixty days.\n") };
        }
        Rules::History => return history(&Client::new(layout)?, as_json).await,
        Rules::List { cedar } => {
            let rules: Vec<RuleView> = Client::new(layout)?.get(&routes::RULES.here()).await?;
            return Ok(show::print(as_json, &rules, |out| told_rules(out, &rules, cedar))?);
        }
        Rules::Lockdown => Client::new(layout)?.post(&routes::LOCKDOWN.here(), &()).await?,
        Rules::Accept { suggestion } => accept(&Client::new(layout)?, &suggestion, as_json).await?,
        Rules::Add { cedar, words } => {
            let looked = Change { cedar, remove: Vec::new(), profile: None, words };
            shown_change(&Client::new(layout)?, looked_at(looked)?, as_json).await?
        }
        Rules::Remove { ids } => {
            let gone = RuleChange { remove: ids, ..RuleChange::default() };
            shown_change(&Client::new(layout)?, gone, as_json).await?
        }
        Rules::Use { name } => {
            let profile = Some(profile(name).name().to_owned());
            shown_change(&Client::new(layout)?, RuleChange { profile, ..RuleChange::default() }, as_json).await?
        }
        Rules::Organisation { domains } => {
            let named = RuleChange { organisation: Some(domains), ..RuleChange::default() };
            shown_change(&Client::new(layout)?, named, as_json).await?
        }
        Rules::Group { name, addresses } => {
            let groups = [(name, addresses)].into_iter().collect();
            shown_change(&Client::new(layout)?, RuleChange { groups, ..RuleChange::default() }, as_json).await?
        }
    };
    Ok(show::print(as_json, &rules, |out| told_rules(out, &rules, false))?)
}

/// Returns the rules in force. What was written in Cedar is shown as it is: what it says of itself decides nothing.
fn told_rules(out: &mut dyn Write, rules: &[RuleView], cedar: bool) -> io::Result<()> {
    if rules.is_empty() {
        writeln!(out, "There are no rules but the shipped ones: what reaches others, destroys or spends asks.")?;
    }
    rules.iter().try_for_each(|rule| {
        writeln!(out, "{:<12} {:<9} {}", rule.id, rule.origin, visible(&rule.words))?;
        // Name and words of a rule in words stand above already.
        let written = rule.words.starts_with("(in Cedar)");
        let shown = rule.cedar.lines().filter(|line| (written || !line.starts_with('@')) && !line.trim().is_empty());
        shown.filter(|_| cedar || written).try_for_each(|line| writeln!(out, "    {}", visible(line)))
    })
}

/// Returns the change that is to be looked at; what cannot be read is told before anybody is asked.
fn looked_at(given: Change) -> Result<RuleChange, Trouble> {
    let mut change = RuleChange {
        remove: given.remove,
        profile: given.profile.map(|name| profile(name).name().to_owned()),
        ..RuleChange::default()
    };
    if given.words.is_empty() && (!change.remove.is_empty() || change.profile.is_some()) {
        return Ok(change);
    }
    let text = text_of(&given.words)?;
    if given.cedar {
        CedarPolicy::with_grants(&text).map_err(|error| Trouble::Here(error.to_string()))?;
        change.cedar = text;
    } else {
        parse(&text).map_err(|bad| Trouble::Here(pointed(&text, &bad)))?;
        change.add = text;
    }
    Ok(change)
}

/// Shows what a change would have done, then makes it with the person's leave.
async fn shown_change(client: &Client, wanted: RuleChange, as_json: bool) -> Result<Vec<RuleView>, Trouble> {
    let trial: TrialView = client.post(&routes::TRY_RULES.here(), &wanted).await?;
    if !as_json {
        show::print(false, &(), |out| told_trial(out, &trial))?;
    }
    change(client, wanted).await
}

/// Shows the person's leave for exactly this change, and makes it.
async fn change(client: &Client, change: RuleChange) -> Result<Vec<RuleView>, Trouble> {
    let words = prompt::passphrase("Approval passphrase, to change the rules")?;
    let proof = client.prove(&purposes::change_rules(&change), &words).await?;
    client.post(&routes::CHANGE_RULES.here(), &RuleBody { change, proof }).await
}

async fn test(client: &Client, change: RuleChange, as_json: bool) -> Result<(), Trouble> {
    let trial: TrialView = client.post(&routes::TRY_RULES.here(), &change).await?;
    Ok(show::print(as_json, &trial, |out| told_trial(out, &trial))?)
}

/// Returns what a trial found, every action of it.
fn told_trial(out: &mut dyn Write, trial: &TrialView) -> io::Result<()> {
    let would = |after: &str| trial.otherwise.iter().filter(|one| one.after == after).count();
    writeln!(
        out,
        "Of your last {} actions, {} would have gone by themselves that did not, {} would have asked, {} would not have happened.",
        trial.tried,
        would("auto"),
        would("ask") + would("ask-step-up"),
        would("deny")
    )?;
    if trial.untold > 0 {
        writeln!(out, "What was true about {} more is not kept.", trial.untold)?;
    }
    trial.otherwise.iter().try_for_each(|one| {
        writeln!(out, "  {}  {}", show::moment(one.at_ms), one.headline)?;
        writeln!(out, "    {} → {}; then, {}. {}", verdict(&one.before), verdict(&one.after), one.answered, one.reason)
    })
}

/// Returns a decision in the words of rules.
fn verdict(name: &str) -> &str {
    match name {
        "auto" => "goes ahead",
        "ask" => "asks",
        "ask-step-up" => "asks, and you have to be there",
        "deny" => "never",
        other => other,
    }
}

/// Tells the trial, and what becomes automatic of all that could be.
async fn diff(client: &Client, change: RuleChange, as_json: bool) -> Result<(), Trouble> {
    let trial: TrialView = client.post(&routes::TRY_RULES.here(), &change).await?;
    let proven = newly_automatic(&trial).await;
    let value = json!({ "trial": trial, "newly_automatic": proven.as_ref().ok().map(|newly| examples(&newly.found)), "not_settled": proven.as_ref().ok().map(|newly| newly.open.iter().map(|kind| kind.name()).collect::<Vec<_>>()), "missing": proven.as_ref().err() });
    Ok(show::print(as_json, &value, |out| {
        told_trial(out, &trial)?;
        told_proof(out, proven.as_ref())
    })?)
}

async fn newly_automatic(trial: &TrialView) -> Result<Newly, String> {
    let mut analysis = Analysis::begin().map_err(|error| error.to_string())?;
    analysis.newly_automatic(&trial.before, &trial.after).await.map_err(|error| error.to_string())
}

fn examples(all: &[(ActionKind, Example)]) -> Vec<serde_json::Value> {
    all.iter().map(|(kind, example)| json!({ "kind": kind.name(), "example": fields(example) })).collect()
}

fn fields(example: &Example) -> serde_json::Value {
    example.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

fn told_proof(out: &mut dyn Write, proven: Result<&Newly, &String>) -> io::Result<()> {
    let newly = match proven {
        Err(missing) => return writeln!(out, "Not proven: {missing}."),
        Ok(newly) => newly,
    };
    match newly.found.as_slice() {
        [] if newly.open.is_empty() => {
            writeln!(out, "Proven: nothing goes by itself that did not before, with your organisation as it is.")?;
        }
        [] => {}
        all => {
            writeln!(out, "Proven: of these kinds something goes by itself that did not before, for example:")?;
            all.iter().try_for_each(|(kind, example)| writeln!(out, "  {}: {}", kind.name(), in_a_line(example)))?;
        }
    }
    let open: Vec<&str> = newly.open.iter().map(|kind| kind.name()).collect();
    if open.is_empty() { Ok(()) } else { writeln!(out, "Not settled in time: {}.", open.join(", ")) }
}

fn in_a_line(example: &Example) -> String {
    let one = |(name, value): &(String, String)| format!("{name} {}", visible(value));
    example.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Returns what can happen without the person, and what rules are for nothing.
async fn analyse(client: &Client, as_json: bool) -> Result<(), Trouble> {
    let rules: Vec<RuleView> = client.get(&routes::RULES.here()).await?;
    let cedar: String = rules.iter().map(|rule| rule.cedar.as_str()).collect();
    let said = |id: &String| {
        let own = rules.iter().find(|rule| rule.id == *id).map(|rule| rule.words.clone());
        own.or_else(|| CedarPolicy::shipped().ok().map(|shipped| shipped.explain(id).to_owned())).unwrap_or_default()
    };
    let failed = |error: NoAnalysis| Trouble::Here(error.to_string());
    let mut analysis = Analysis::begin().map_err(failed)?;
    let unattended = analysis.unattended(&cedar).await.map_err(failed)?;
    let shadowed = analysis.shadowed(&cedar).await.map_err(failed)?;
    let erring = analysis.erring(&cedar).await.map_err(failed)?;
    let one = |kind: &Unattended| json!({ "kind": kind.kind.name(), "by": kind.by, "proven": kind.proven, "example": kind.example.as_ref().map(fields) });
    let value = json!({ "unattended": unattended.iter().map(one).collect::<Vec<_>>(), "without_effect": shadowed, "can_err": erring });
    Ok(show::print(as_json, &value, |out| {
        writeln!(out, "Without you, at most this can happen:")?;
        for kind in &unattended {
            if kind.by.is_empty() && kind.proven {
                writeln!(out, "  {:<16} never", kind.kind.name())?;
            }
            let sure = if kind.proven { "" } else { " (not settled in time: perhaps)" };
            for rule in &kind.by {
                writeln!(out, "  {:<16} {rule}: {}{sure}", kind.kind.name(), said(rule))?;
            }
        }
        for rule in &shadowed {
            writeln!(out, "Without effect beside the others: {rule}: {}", said(rule))?;
        }
        match erring.as_slice() {
            [] => writeln!(out, "No rule can err."),
            some => writeln!(out, "Can err, and then forbids everything: {}", some.join(", ")),
        }
    })?)
}

async fn explain(client: &Client, action: &str, as_json: bool) -> Result<(), Trouble> {
    let why: WhyView = client.get(&routes::WHY.at(&[action])).await?;
    Ok(show::print(as_json, &why, |out| {
        writeln!(out, "Decided: {}", verdict(&why.decision))?;
        why.reasons.iter().try_for_each(|line| writeln!(out, "  {}: {}", line.label, line.value))?;
        writeln!(out, "By the rules of now: {}", verdict(&why.now))?;
        writeln!(out, "What was true:")?;
        why.facts.iter().try_for_each(|line| writeln!(out, "  {}: {}", line.label, line.value))
    })?)
}

async fn suggestions(client: &Client, as_json: bool) -> Result<(), Trouble> {
    let all: Vec<SuggestionView> = client.get(&routes::SUGGESTIONS.here()).await?;
    Ok(show::print(as_json, &all, |out| {
        if all.is_empty() {
            writeln!(
                out,
                "There are no suggestions. One comes after you approved the like of something again and again."
            )?;
        }
        all.iter().try_for_each(|suggestion| told_offer(out, suggestion))
    })?)
}

fn told_offer(out: &mut dyn Write, suggestion: &SuggestionView) -> io::Result<()> {
    writeln!(out, "suggestion {}  {}", suggestion.id, suggestion.words)?;
    writeln!(
        out,
        "  {}, from {} to {}",
        suggestion.why,
        show::moment(suggestion.first_ms),
        show::moment(suggestion.last_ms)
    )?;
    writeln!(
        out,
        "  Take it with `bailey rules accept {}`; it lapses if it is not used for sixty days.",
        suggestion.id
    )?;
    told_trial(out, &suggestion.trial)
}

/// Shows a suggestion whole, with what it makes automatic, and takes it with the person's leave.
async fn accept(client: &Client, id: &str, as_json: bool) -> Result<Vec<RuleView>, Trouble> {
    let all: Vec<SuggestionView> = client.get(&routes::SUGGESTIONS.here()).await?;
    let Some(suggestion) = all.into_iter().find(|suggestion| suggestion.id == id) else {
        return Err(Trouble::Here(format!(
            "there is no suggestion `{}`; list them with `bailey rules suggestions`",
            visible(id)
        )));
    };
    if !as_json {
        let proven = newly_automatic(&suggestion.trial).await;
        show::print(false, &(), |out| {
            told_offer(out, &suggestion)?;
            told_proof(out, proven.as_ref())
        })?;
    }
    change(client, RuleChange { add: suggestion.words, suggestion: Some(suggestion.id), ..RuleChange::default() }).await
}

async fn history(client: &Client, as_json: bool) -> Result<(), Trouble> {
    let all: Vec<RuleEventView> = client.get(&routes::RULE_HISTORY.here()).await?;
    Ok(show::print(as_json, &all, |out| {
        for one in &all {
            let why = if one.why.is_empty() { String::new() } else { format!(" ({})", one.why) };
            writeln!(out, "{}  by the {}{why}", show::moment(one.at_ms), one.actor)?;
            for (mark, text) in [
                ("+", &one.added),
                ("-", &one.removed),
                ("organisation", &one.organisation),
                ("group", &one.group),
                ("not wanted:", &one.dismissed),
            ] {
                text.lines().try_for_each(|line| writeln!(out, "  {mark} {line}"))?;
            }
        }
        Ok(())
    })?)
}

/// Returns the shipped profile of a name.
pub(crate) const fn profile(name: ProfileName) -> Profile {
    match name {
        ProfileName::Careful => Profile::Careful,
        ProfileName::Balanced => Profile::Balanced,
        ProfileName::Trusting => Profile::Trusting,
    }
}

/// Returns the words given, or standard input where none are.
fn text_of(words: &[String]) -> Result<String, Trouble> {
    if !words.is_empty() {
        let text = words.join(" ");
        return Some(text).filter(|text| !text.trim().is_empty()).ok_or_else(no_words);
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_TEXT_BYTES).read_to_string(&mut text);
    read.map_err(|error| Trouble::Here(format!("the rules cannot be read: {error}")))?;
    Some(text).filter(|text| !text.trim().is_empty()).ok_or_else(no_words)
}

fn no_words() -> Trouble {
    Trouble::Here(
        "no rule was given; nothing was changed. Write one, such as `mail to ana@example.org: go ahead`".into(),
    )
}

fn check(text: &str, as_json: bool) -> Result<(), Trouble> {
    let rules = parse(text).map_err(|bad| Trouble::Here(pointed(text, &bad)))?;
    let cedar = rules.iter().enumerate().map(|(n, rule)| {
        // Who is in a group is known where the rule is kept.
        let members = |group: &str| (group.to_owned(), vec![format!("(whoever is in the group {group})")]);
        let groups = rule.groups().map(members).collect();
        let whole = rule.clone().resolved(&groups).unwrap_or_else(|_| rule.clone());
        whole.cedar(&format!("rule.{}", n + 1))
    });
    let cedar: Vec<String> = cedar.collect();
    CedarPolicy::with_grants(&cedar.concat()).map_err(|error| Trouble::Here(error.to_string()))?;
    if as_json {
        let one = |(rule, cedar): (&Rule, &String)| json!({ "words": rule.to_string(), "cedar": cedar });
        let all: Vec<_> = rules.iter().zip(&cedar).map(one).collect();
        return say(&format!("{}\n", json!(all)));
    }
    let mut out = String::new();
    for (rule, cedar) in rules.iter().zip(&cedar) {
        out.push_str(&format!("{rule}\n"));
        // Name and words stand above already.
        for line in cedar.lines().filter(|line| !line.starts_with('@') && !line.is_empty()) {
            out.push_str(&format!("    {line}\n"));
        }
    }
    say(if rules.is_empty() { "There is no rule in it.\n" } else { &out })
}

/// Returns the line that is not understood, with a mark below where it begins.
fn pointed(text: &str, bad: &BadRule) -> String {
    let before: String = text.chars().take(bad.at).collect();
    let from = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(from..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = before.get(from..).unwrap_or_default().chars().count();
    format!("{bad}\n  {line}\n  {}^", " ".repeat(column))
}

fn say(text: &str) -> Result<(), Trouble> {
    // Names in rules are whatever somebody wrote.
    std::io::stdout().write_all(visible_lines(text).as_bytes()).map_err(|error| Trouble::Here(error.to_string()))
}
