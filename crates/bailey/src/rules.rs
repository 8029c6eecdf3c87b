//! `bailey rules`: rules in words, and the Cedar they are.

use std::io::{Read as _, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::Digest;
use bailey_gate::approval::Purpose;
use bailey_home::Layout;
use bailey_home::rules::{BadRule, CedarPolicy, Profile, Rule, parse};
use bailey_home::wire::{RuleBody, RuleCard, RuleChange, rule_parameters};
use serde_json::json;

use crate::args::{ProfileName, Rules};
use crate::client::{Client, Trouble};
use crate::{prompt, show};

/// Longest text of rules, in bytes.
const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// Runs one of the commands.
pub(crate) async fn run(command: Rules, layout: Layout, as_json: bool) -> Result<(), Trouble> {
    let rules: Vec<RuleCard> = match command {
        Rules::Check { words } => return check(&text_of(&words)?, as_json),
        Rules::Profile { name } => {
            let text = profile(name).rules();
            return if as_json { check(text, true) } else { say(text) };
        }
        Rules::List => Client::new(layout)?.get("/v1/rules").await?,
        Rules::Careful => Client::new(layout)?.post("/v1/rules/careful", &()).await?,
        Rules::Add { cedar: false, words } => {
            let add = text_of(&words)?;
            parse(&add).map_err(|bad| Trouble::Here(pointed(&add, &bad)))?;
            change(layout, RuleChange { add, ..RuleChange::default() }).await?
        }
        Rules::Add { cedar: true, words } => {
            let cedar = text_of(&words)?;
            CedarPolicy::with_grants(&cedar).map_err(|error| Trouble::Here(error.to_string()))?;
            change(layout, RuleChange { cedar, ..RuleChange::default() }).await?
        }
        Rules::Remove { ids } => change(layout, RuleChange { remove: ids, ..RuleChange::default() }).await?,
        Rules::Use { name } => {
            let profile = Some(profile(name).name().to_owned());
            change(layout, RuleChange { profile, ..RuleChange::default() }).await?
        }
        Rules::Organisation { domains } => {
            change(layout, RuleChange { organisation: Some(domains), ..RuleChange::default() }).await?
        }
    };
    Ok(show::print(as_json, &rules, |out| {
        if rules.is_empty() {
            writeln!(out, "There are no rules but the shipped ones: what reaches others, destroys or spends asks.")?;
        }
        rules.iter().try_for_each(|rule| writeln!(out, "{:<12} {:<9} {}", rule.id, rule.origin, rule.words))
    })?)
}

/// Shows the person's leave for exactly this change, and makes it.
async fn change(layout: Layout, change: RuleChange) -> Result<Vec<RuleCard>, Trouble> {
    let client = Client::new(layout)?;
    let hash = digest(&SHA256, &rule_parameters(&change));
    let bytes = hash.as_ref().try_into().map_err(|_| Trouble::Here("no hash".into()))?;
    let words = prompt::passphrase("Approval passphrase, to change the rules")?;
    let purpose = Purpose::Home { what: "change rules", parameters: Digest::from_bytes(bytes) };
    let proof = client.prove(&purpose, &words).await?;
    client.post("/v1/rules", &RuleBody { change, proof }).await
}

/// The shipped profile of a name.
pub(crate) const fn profile(name: ProfileName) -> Profile {
    match name {
        ProfileName::Careful => Profile::Careful,
        ProfileName::Balanced => Profile::Balanced,
        ProfileName::Trusting => Profile::Trusting,
    }
}

/// The words given, or standard input where none are.
fn text_of(words: &[String]) -> Result<String, Trouble> {
    if !words.is_empty() {
        return Ok(words.join(" "));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_TEXT_BYTES).read_to_string(&mut text);
    read.map_err(|error| Trouble::Here(format!("the rules cannot be read: {error}")))?;
    Ok(text)
}

fn check(text: &str, as_json: bool) -> Result<(), Trouble> {
    let rules = parse(text).map_err(|bad| Trouble::Here(pointed(text, &bad)))?;
    let cedar: Vec<String> = rules.iter().enumerate().map(|(n, rule)| rule.cedar(&format!("rule.{}", n + 1))).collect();
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

/// The line that is not understood, with a mark below where it begins.
fn pointed(text: &str, bad: &BadRule) -> String {
    let before: String = text.chars().take(bad.at).collect();
    let from = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(from..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = before.get(from..).unwrap_or_default().chars().count();
    format!("{bad}\n  {line}\n  {}^", " ".repeat(column))
}

fn say(text: &str) -> Result<(), Trouble> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Trouble::Here(error.to_string()))
}
