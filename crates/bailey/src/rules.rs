//! `bailey rules`: rules in words, and the Cedar they are.

use std::io::{Read as _, Write as _};

use bailey_home::rules::{BadRule, CedarPolicy, Profile, Rule, parse};
use serde_json::json;

use crate::args::{ProfileName, Rules};
use crate::client::Trouble;

/// Longest text of rules, in bytes.
const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// Runs one of the commands.
pub(crate) fn run(command: &Rules, as_json: bool) -> Result<(), Trouble> {
    match command {
        Rules::Check { words } => check(&text_of(words)?, as_json),
        Rules::Profile { name } => {
            let text = profile(*name).rules();
            if as_json { check(text, true) } else { say(text) }
        }
    }
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
