//! Who may depend on whom. The table is the design; this command keeps the code to it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::process::{command, root};

/// Each crate of the product and the crates of ours it may use.
const ALLOWED: [(&str, &[&str]); 29] = [
    ("bailey-dates", &[]),
    ("bailey-schedule", &["bailey-calendar", "bailey-dates"]),
    ("bailey-calendar", &[]),
    ("bailey-gate", &[]),
    ("bailey-egress", &[]),
    ("bailey-keys", &[]),
    ("bailey-verify", &[]),
    ("bailey-wire", &[]),
    ("bailey-guest", &["bailey-wire"]),
    ("bailey-computer", &["bailey-wire"]),
    ("bailey-scripted", &[]),
    ("bailey-message", &[]),
    ("bailey-listener", &[]),
    ("bailey-telemetry", &[]),
    ("bailey-interface", &[]),
    ("bailey-dashboard", &["bailey-interface"]),
    ("bailey-gateway", &["bailey-listener", "bailey-telemetry"]),
    ("bailey-supervisor", &["bailey-keys", "bailey-telemetry"]),
    ("bailey-policy", &["bailey-dates", "bailey-gate"]),
    ("bailey-ledger", &["bailey-gate", "bailey-keys"]),
    ("bailey-vault", &["bailey-egress", "bailey-gate", "bailey-keys", "bailey-ledger", "bailey-telemetry"]),
    ("bailey-model", &["bailey-gate"]),
    ("bailey-agent", &["bailey-dates", "bailey-gate", "bailey-model"]),
    (
        "bailey-connectors",
        &[
            "bailey-calendar",
            "bailey-dates",
            "bailey-gate",
            "bailey-message",
            "bailey-model",
            "bailey-schedule",
            "bailey-vault",
        ],
    ),
    (
        "bailey-home",
        &[
            "bailey-agent",
            "bailey-computer",
            "bailey-connectors",
            "bailey-dashboard",
            "bailey-egress",
            "bailey-gate",
            "bailey-interface",
            "bailey-keys",
            "bailey-ledger",
            "bailey-listener",
            "bailey-message",
            "bailey-model",
            "bailey-policy",
            "bailey-schedule",
            "bailey-telemetry",
            "bailey-vault",
        ],
    ),
    ("bailey-bench", &["bailey-gate", "bailey-home", "bailey-keys", "bailey-ledger", "bailey-policy", "bailey-verify"]),
    (
        "bailey-fuzz",
        &[
            "bailey-agent",
            "bailey-calendar",
            "bailey-connectors",
            "bailey-gate",
            "bailey-gateway",
            "bailey-home",
            "bailey-keys",
            "bailey-ledger",
            "bailey-message",
            "bailey-model",
            "bailey-vault",
            "bailey-verify",
            "bailey-wire",
        ],
    ),
    (
        "bailey-sim",
        &[
            "bailey-gate",
            "bailey-home",
            "bailey-keys",
            "bailey-ledger",
            "bailey-policy",
            "bailey-vault",
            "bailey-verify",
        ],
    ),
    (
        "bailey",
        &[
            "bailey-computer",
            "bailey-gate",
            "bailey-gateway",
            "bailey-home",
            "bailey-interface",
            "bailey-keys",
            "bailey-supervisor",
            "bailey-telemetry",
            "bailey-verify",
        ],
    ),
];

/// Libraries a crate must not depend on, itself or through crates of ours: what it says it cannot do, it does not name. What
/// other people's libraries use is theirs.
const ABSENT: [(&str, &[&str]); 17] = [
    ("bailey-schedule", &["tokio", "hyper", "serde_json", "rusqlite", "rustix"]),
    ("bailey-dates", &["tokio", "hyper", "serde_json", "rusqlite", "rustix"]),
    ("bailey-calendar", &["tokio", "hyper", "rusqlite", "rustix", "serde", "serde_json"]),
    ("bailey-gate", &["tokio", "hyper", "serde_json", "serde", "rusqlite", "cedar-policy", "rustix"]),
    ("bailey-agent", &["tokio", "hyper", "rusqlite", "rustix", "lettre"]),
    ("bailey-model", &["tokio", "hyper", "rusqlite", "rustix", "lettre"]),
    ("bailey-message", &["tokio", "hyper", "rusqlite", "rustix", "lettre", "async-imap"]),
    ("bailey-listener", &["rusqlite", "aws-lc-rs", "rustls", "axum"]),
    ("bailey-gateway", &["rusqlite", "aws-lc-rs", "rustls"]),
    ("bailey-supervisor", &["hyper", "axum", "rustls", "cedar-policy"]),
    ("bailey-telemetry", &["tokio", "hyper", "rusqlite", "rustix"]),
    ("bailey-dashboard", &["tokio", "hyper", "axum", "rusqlite", "aws-lc-rs", "rustix"]),
    ("bailey-wire", &["tokio", "hyper", "rusqlite", "aws-lc-rs", "rustix"]),
    ("bailey-guest", &["tokio", "hyper", "rusqlite", "aws-lc-rs", "rustls"]),
    ("bailey-computer", &["hyper", "axum", "rusqlite", "rustls"]),
    ("bailey-interface", &["tokio", "hyper", "axum", "rusqlite", "aws-lc-rs", "rustix"]),
    ("bailey-verify", &["tokio", "hyper", "rusqlite", "aws-lc-rs", "rustix"]),
];

/// Libraries that log and count, and the one crate that may use them: what it lets through holds no content.
const LOGS: &str = "bailey-telemetry";
const LOGGERS: [&str; 5] = ["tracing", "tracing-subscriber", "tracing-log", "log", "prometheus-client"];

/// The one place that may build a gate.
const BUILDS_GATES: &str = "bailey-home";

/// What lets text through to a page as HTML: no page needs it, and so no file of theirs names it. Clippy cannot refuse it, for the macro
/// that makes pages expands to it.
const UNESCAPED: &str = "PreEscaped";

/// Checks dependencies, libraries and documents; names every fault.
pub fn check() -> Result<(), String> {
    let output = command("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let mut faults = own_dependencies(&metadata);
    faults.extend(absent_libraries(&metadata));
    faults.extend(gate_builders()?);
    faults.extend(unescaped_pages()?);
    faults.extend(named_crates()?);
    faults.extend(crate::documents::faults()?);
    faults.extend(crate::mutations::faults()?);
    if faults.is_empty() { Ok(()) } else { Err(format!("the layers are broken:\n  {}", faults.join("\n  "))) }
}

fn packages(metadata: &Value) -> Vec<&Value> {
    metadata.get("packages").and_then(Value::as_array).map(|all| all.iter().collect()).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the names of a package's ordinary dependencies; those of its tests are free.
fn dependencies(package: &Value) -> Vec<&str> {
    let all = package.get("dependencies").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .filter(|dependency| dependency.get("kind").is_none_or(Value::is_null))
        .map(|dependency| text(dependency, "name"))
        .collect()
}

fn own_dependencies(metadata: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages(metadata) {
        let name = text(package, "name");
        if !name.starts_with("bailey") {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            faults.push(format!("`{name}` is in no layer; add it to the table in xtask/src/layers.rs"));
            continue;
        };
        for used in dependencies(package).into_iter().filter(|used| LOGGERS.contains(used) && name != LOGS) {
            faults.push(format!("`{name}` must not use `{used}`; log and count with `{LOGS}`"));
        }
        for used in dependencies(package).into_iter().filter(|used| used.starts_with("bailey")) {
            if !allowed.contains(&used) {
                faults.push(format!("`{name}` must not depend on `{used}`"));
            }
        }
    }
    faults
}

fn absent_libraries(metadata: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, absent) in ABSENT {
        let mut reached = BTreeSet::new();
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            if reached.insert(next)
                && let Some(package) = packages(metadata).into_iter().find(|package| text(package, "name") == next)
            {
                open.extend(
                    dependencies(package)
                        .into_iter()
                        .filter(|used| used.starts_with("bailey") || absent.contains(used)),
                );
            }
        }
        faults.extend(
            absent
                .iter()
                .filter(|library| reached.contains(*library))
                .map(|library| format!("`{name}` reaches `{library}`")),
        );
    }
    faults
}

fn gate_builders() -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for (name, _) in ALLOWED {
        if name == BUILDS_GATES || name == "bailey-gate" {
            continue;
        }
        let builders = sources_with(name, "Gate::new")?;
        faults.extend(builders.iter().map(|path| format!("`{path}` builds a gate; only `{BUILDS_GATES}` may")));
    }
    Ok(faults)
}

/// Checks that every text of a page is escaped.
fn unescaped_pages() -> Result<Vec<String>, String> {
    let paths = sources_with("bailey-dashboard", UNESCAPED)?;
    Ok(paths.iter().map(|path| format!("`{path}` names `{UNESCAPED}`: what others wrote could become HTML")).collect())
}

/// Returns the sources of a crate in which a text stands.
fn sources_with(name: &str, text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates").join(name).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path).is_ok_and(|source| source.contains(text)) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(found)
}

/// Checks that ARCHITECTURE.md names every crate there is, and no other.
fn named_crates() -> Result<Vec<String>, String> {
    let read = |name: &str| fs::read_to_string(root().join(name)).map_err(|error| format!("`{name}`: {error}"));
    let mut faults = Vec::new();
    let architecture = read("ARCHITECTURE.md")?;
    let named: BTreeSet<&str> = architecture
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name))
        .filter(|name| name.starts_with("bailey"))
        .collect();
    let folders = fs::read_dir(root().join("crates")).map_err(|error| error.to_string())?;
    let there: BTreeSet<String> =
        folders.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    faults.extend(
        there
            .iter()
            .filter(|name| !named.contains(name.as_str()))
            .map(|name| format!("ARCHITECTURE.md does not name `{name}`")),
    );
    faults.extend(
        named
            .iter()
            .filter(|name| !there.contains(**name))
            .map(|name| format!("ARCHITECTURE.md names `{name}`, which is not there")),
    );
    Ok(faults)
}
