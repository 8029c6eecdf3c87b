//! Holds the documents against what they describe: drawings, tables and lists that the source has too.

use std::collections::BTreeSet;
use std::fs;

use crate::mutations;
use crate::process::root;

/// Documents whose paths, tests and claims have to be there.
const CHECKED: [&str; 15] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/approval-format.md",
    "docs/away-from-home.md",
    "docs/computer.md",
    "docs/log-format.md",
    "docs/operations.md",
    "docs/performance.md",
    "docs/quirks.md",
    "docs/rules.md",
    "docs/security/injection.md",
    "docs/security/screening.md",
    "docs/security/threat-model.md",
];

/// How a path in a document begins, and how a file in one ends.
const BEGINNINGS: [&str; 5] = ["bailey", "crates/", "docs/", "fuzz/", "xtask/"];
const ENDINGS: [&str; 4] = [".rs", ".cedar", ".sql", ".md"];

/// Lists what the documents say and the source does not.
pub(crate) fn faults() -> Result<Vec<String>, String> {
    let (architecture, rules) = (read("ARCHITECTURE.md")?, read("docs/rules.md")?);
    let mut faults = crate::tour::faults()?;
    faults.extend(states(&read("crates/bailey-gate/src/state.rs")?, &architecture));
    faults.extend(shipped(&read("crates/bailey-policy/src/shipped.cedar")?, &rules));
    faults.extend(words(&read("crates/bailey-policy/src/rule/words.rs")?, &rules));
    let claims = mutations::claim_ids()?;
    for name in CHECKED {
        let text = read(name)?;
        let missing = |what: &str, said: &str| format!("{name} names the {what} `{said}`, which is not there");
        let quoted: BTreeSet<&str> = text.split('`').skip(1).step_by(2).filter(|said| !said.contains(' ')).collect();
        faults.extend(quoted.iter().filter(|said| is_path(said) && !exists(said)).map(|said| missing("path", said)));
        let tests = quoted.iter().filter(|said| is_test(said) && !mutations::is_there(said));
        faults.extend(tests.map(|said| missing("test", said)));
        let ids = ids(&text).into_iter().filter(|id| is_of(&claims, id) && !claims.contains(*id));
        faults.extend(ids.map(|id| missing("claim", id)));
    }
    Ok(faults)
}

fn read(name: &str) -> Result<String, String> {
    fs::read_to_string(root().join(name)).map_err(|error| format!("`{name}`: {error}"))
}

/// Tells a path: where it begins, or what it ends with.
fn is_path(said: &str) -> bool {
    let begins = BEGINNINGS.iter().any(|start| said.starts_with(start));
    said.contains('/') && !said.contains("://") && (begins || ENDINGS.iter().any(|end| said.ends_with(end)))
}

/// Looks for a path from the top of the tree, or below `crates/`.
fn exists(said: &str) -> bool {
    [root(), root().join("crates")].iter().any(|folder| folder.join(said).exists())
}

/// Tells the name of a test, `module::name`, from that of a type or a function of the product.
fn is_test(said: &str) -> bool {
    let small = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    said.split_once("::").is_some_and(|(module, name)| small(module) && small(name) && name.matches('_').count() > 1)
}

/// Finds what has the form of a claim's id: capitals, a dash, a number.
fn ids(text: &str) -> BTreeSet<&str> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    parts.filter(|part| mutations::is_claim_id(part)).collect()
}

/// Tells whether some claim is of the same area: `SHA-256` is of none.
fn is_of(claims: &BTreeSet<String>, id: &str) -> bool {
    let area = |id: &str| id.rsplit_once('-').map(|(area, _)| area.to_owned());
    claims.iter().any(|claim| area(claim) == area(id))
}

/// Holds the drawing of the states against the table in the gate: the same steps, and no others.
fn states(source: &str, document: &str) -> Vec<String> {
    let (_, table) = source.split_once("pub const TRANSITIONS").unwrap_or_default();
    let (table, _) = table.split_once("\n];").unwrap_or_default();
    let rows = table.lines().filter_map(|line| line.trim().strip_prefix('(')?.split_once(", &["));
    let allowed: BTreeSet<(String, String)> = rows
        .flat_map(|(from, to)| {
            let to = to.trim_end_matches(['(', ')', ']', ',']).split(", ");
            to.map(move |to| (from.to_owned(), to.to_owned()))
        })
        .collect();
    let arrows = document.lines().filter_map(|line| line.trim().split_once(" --> "));
    let drawn: BTreeSet<(String, String)> = arrows
        .filter(|(from, _)| from.chars().all(char::is_alphabetic))
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .collect();
    let told = |steps: &BTreeSet<(String, String)>, others: &BTreeSet<(String, String)>, why: &str| {
        steps.difference(others).map(|(from, to)| format!("ARCHITECTURE.md {why} {from} --> {to}")).collect::<Vec<_>>()
    };
    let mut faults = told(&allowed, &drawn, "does not draw the step");
    faults.extend(told(&drawn, &allowed, "draws a step that the gate does not allow:"));
    if allowed.is_empty() {
        faults.push("the table of steps was not found in state.rs".into());
    }
    faults
}

/// Holds the list of shipped rules against the rules: each id with the reason it gives.
fn shipped(source: &str, document: &str) -> Vec<String> {
    let within = |line: &str, name: &str| {
        Some(line.strip_prefix(name)?.strip_prefix("(\"")?.strip_suffix("\")")?.to_owned()).filter(|s| !s.is_empty())
    };
    let ids: Vec<String> = source.lines().filter_map(|line| within(line, "@id")).collect();
    let reasons = source.lines().filter_map(|line| within(line, "@says"));
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    let listed = |id: &str, why: &str| {
        rows.iter().any(|row| row.starts_with(&format!("| `{id}` |")) && row.contains(&format!("| {why} |")))
    };
    let mut faults: Vec<String> = ids
        .iter()
        .zip(reasons)
        .filter(|(id, why)| !listed(id, why))
        .map(|(id, why)| format!("docs/rules.md does not list `{id}` with its reason “{why}”"))
        .collect();
    let named = rows.iter().filter_map(|row| row.strip_prefix("| `")?.split_once('`').map(|(id, _)| id));
    let ours = named.filter(|id| id.starts_with("floor.") || id.starts_with("default."));
    faults.extend(
        ours.filter(|id| !ids.iter().any(|known| known == id))
            .map(|id| format!("docs/rules.md lists `{id}`, which is no shipped rule")),
    );
    faults
}

/// Holds the grammar against the tables of the parser: every phrase it takes stands in the document.
fn words(source: &str, document: &str) -> Vec<String> {
    let tables = ["SUBJECTS", "CONDITIONS", "PERIODS", "RATES", "DAYS", "WITH_VALUE", "VERDICTS"];
    let table = |name: &&str| {
        let (_, rest) = source.split_once(&format!("const {name}:"))?;
        rest.split_once("];").map(|(table, _)| table)
    };
    let phrases = tables.iter().filter_map(table).flat_map(|table| table.split('"').skip(1).step_by(2));
    let told = |phrase: &&str| document.contains(&format!("`{phrase}`")) || document.contains(&format!("\"{phrase}\""));
    let mut faults: Vec<String> = phrases
        .filter(|phrase| !told(phrase))
        .map(|phrase| format!("docs/rules.md does not have the words “{phrase}”"))
        .collect();
    if tables.iter().any(|name| table(name).is_none()) {
        faults.push("a table of words was not found in words.rs".into());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "pub const TRANSITIONS: &[(State, &[State])] = &[\n    (Held, &[Claimed, Cancelled]),\n    (Claimed, &[Failed]),\n];";

    #[test]
    fn a_drawing_has_the_steps_of_the_table_and_no_others() {
        let whole = "  [*] --> Held\n  Held --> Claimed\n  Held --> Cancelled\n  Claimed --> Failed\n";
        assert_eq!(states(TABLE, whole), Vec::<String>::new());
        let missing = states(TABLE, "Held --> Claimed\nClaimed --> Failed");
        assert_eq!(missing, ["ARCHITECTURE.md does not draw the step Held --> Cancelled"]);
        let further = states(TABLE, &format!("{whole}  Failed --> Held\n"));
        assert_eq!(further, ["ARCHITECTURE.md draws a step that the gate does not allow: Failed --> Held"]);
        assert!(!states("", whole).is_empty(), "a table that is not found is no table without steps");
    }

    #[test]
    fn shipped_rules_are_listed_with_their_reasons() {
        let source = "@id(\"floor.a\")\n@says(\"Because.\")\nforbid (principal, action, resource);\n";
        assert_eq!(shipped(source, "| `floor.a` | denied | Because. | an example |"), Vec::<String>::new());
        assert_eq!(shipped(source, "| `floor.a` | denied | Why not. |").len(), 1);
        assert_eq!(shipped(source, "| `floor.a` | denied | Because. |\n| `floor.b` | asks | Gone. |").len(), 1);
    }

    #[test]
    fn paths_tests_and_claims_are_told_from_all_else() {
        assert!(is_path("bailey-gate/src/state.rs") && is_path("docs/rules.md") && is_path("screen/mod.rs"));
        assert!(!is_path("state/pause") && !is_path("http://127.0.0.1:7447/v1") && !is_path("pause/hand-off-lock"));
        assert!(is_test("tests::each_floor_rule_denies_or_asks_for_more") && !is_test("Gate::propose"));
        assert_eq!(
            ids("PAUSE-4 to PAUSE-12, SHA-256; not R-x").into_iter().collect::<Vec<_>>(),
            ["PAUSE-12", "PAUSE-4", "SHA-256"]
        );
    }
}
