//! What the person changes in daily life: kept sealed in the home, over what the configuration file says, and in force at once.
//!
//! The file remains for what is the machine's own (paths, ports), and holds the first values of the rest.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use bailey_gate::approval::Authorised;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, HomeId};
use bailey_interface::{ConfigChange, SettingView};
use bailey_ledger::{Ledger, RecordName};
use bailey_model::Model;
use serde::Deserialize as _;

use crate::asking::Configured;
use crate::clock;
use crate::config::{self, Config, ModelConfig};
use crate::home::{Home, HomeError, provider};

/// The kind of record that holds what was changed; its owner is the home.
const DAILY: &str = "daily";
/// Longest value, in bytes: an address of a provider, with room.
const MAX_VALUE_BYTES: usize = 2_000;

/// How a value is written in the configuration file.
#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    /// A whole number, 0 or more.
    Whole,
    /// An amount of money.
    Amount,
    OneOf(&'static [&'static str]),
}

/// Something the person sets: its name in the configuration file, how it is written, and what it is.
struct Key {
    name: &'static str,
    form: Form,
    about: &'static str,
}

const KINDS: Form = Form::OneOf(&["openai-chat", "anthropic"]);
const MODES: Form = Form::OneOf(&["free", "planned"]);
const THINKING: Form = Form::OneOf(&["low", "medium", "high"]);
/// What stands before the names of the other model.
const FALLBACK: &str = "model.fallback.";

macro_rules! keys {
    ($($name:literal $form:expr, $about:literal;)+) => { &[$(Key { name: $name, form: $form, about: $about }),+] };
}

/// Everything that is changed here. A name that is not among them stands in the configuration file alone.
const KEYS: &[Key] = keys! {
    "home.time_zone" Form::Text, "your time zone, such as Europe/Paris; the machine's own where nothing is said";
    "home.hold_seconds" Form::Whole, "how long an approved mail waits, in seconds, so that you can take it back";
    "home.files_gib" Form::Whole, "most that your files may have with every version, in GiB";
    "home.unattended_day_tokens" Form::Whole, "tokens that runs of schedules may take on one day, all together";
    "home.unattended_month_tokens" Form::Whole, "the same in a month";
    "home.digest_at" Form::Text, "when the digest is made each day, such as 7:30";
    "model.kind" KINDS, "what the model's server speaks";
    "model.base_url" Form::Text, "its address, without /chat/completions or /messages";
    "model.name" Form::Text, "which model is asked";
    "model.mode" MODES, "how it is worked with: free, or planned for small ones";
    "model.thinking" THINKING, "how much it is asked to think";
    "model.budget_tokens" Form::Whole, "most tokens one task may take";
    "model.context_tokens" Form::Whole, "how many tokens it holds";
    "model.answer_tokens" Form::Whole, "most tokens of one answer";
    "model.input_price" Form::Amount, "what a million tokens cost that it reads";
    "model.output_price" Form::Amount, "what a million tokens cost that it writes";
    "model.task_limit" Form::Amount, "most that one task may cost";
    "model.month_limit" Form::Amount, "most that a month may cost";
    "model.fallback.kind" KINDS, "what the server of the model speaks that is asked where the first cannot be reached";
    "model.fallback.base_url" Form::Text, "its address";
    "model.fallback.name" Form::Text, "which model that is";
    "model.fallback.thinking" THINKING, "how much it is asked to think";
    "model.fallback.context_tokens" Form::Whole, "how many tokens it holds";
    "model.fallback.answer_tokens" Form::Whole, "most tokens of one answer of it";
    "model.fallback.input_price" Form::Amount, "what a million tokens cost that it reads";
    "model.fallback.output_price" Form::Amount, "what a million tokens cost that it writes";
};

/// What was changed, by name; an empty value: nothing is said.
type Kept = BTreeMap<String, String>;

/// What is in force: file and changes together, and the models they name.
pub(crate) struct Effective {
    /// The configuration.
    pub(crate) config: Config,
    /// The model, and what is said of it.
    pub(crate) model: Option<Configured>,
    /// The model that is asked where the first cannot be reached.
    pub(crate) fallback: Option<Configured>,
}

fn key(name: &str) -> Result<&'static Key, String> {
    let known = || KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(", ");
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        format!("`{name}` is nothing that is changed here; there are {}. The rest stands in config.toml", known())
    })
}

/// Reads a value as the configuration file has it.
fn value(key: &Key, text: &str) -> Result<toml::Value, String> {
    let bad = |what: &str| format!("`{}` is {what}, and `{text}` is not", key.name);
    Ok(match key.form {
        Form::Text => toml::Value::String(text.to_owned()),
        Form::Whole => {
            let whole: u32 = text.parse().map_err(|_| bad("a whole number, 0 or more"))?;
            toml::Value::Integer(whole.into())
        }
        Form::Amount => toml::Value::Float(text.parse().map_err(|_| bad("an amount such as 0.4"))?),
        Form::OneOf(all) if all.contains(&text) => toml::Value::String(text.to_owned()),
        Form::OneOf(all) => return Err(bad(&format!("one of {}", all.join(", ")))),
    })
}

/// Puts a value where its name says; takes out what an empty one stands for.
fn put(table: &mut toml::Table, key: &Key, text: &str) -> Result<(), String> {
    let (path, last) = key.name.rsplit_once('.').unwrap_or(("", key.name));
    let mut at = table;
    for part in path.split('.') {
        let inner = at.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = inner.as_table_mut().ok_or_else(|| format!("`{part}` is no table in the configuration file"))?;
    }
    match text {
        "" => drop(at.remove(last)),
        text => drop(at.insert(last.to_owned(), value(key, text)?)),
    }
    Ok(())
}

/// Drops tables that nothing is said in any more.
fn prune(table: &mut toml::Table, name: &str) {
    if table.get(name).and_then(toml::Value::as_table).is_some_and(toml::Table::is_empty) {
        table.remove(name);
    }
}

/// Returns the configuration of a file with the changes over it.
fn over(file: &str, kept: &Kept) -> Result<Config, String> {
    let mut table: toml::Table = file.parse().map_err(|error: toml::de::Error| error.to_string())?;
    for (name, text) in kept {
        put(&mut table, key(name)?, text)?;
    }
    if let Some(model) = table.get_mut("model").and_then(toml::Value::as_table_mut) {
        prune(model, "fallback");
    }
    prune(&mut table, "model");
    let config = Config::deserialize(table).map_err(|error| error.message().to_owned())?;
    config.check()?;
    clock::named(config.home.time_zone.as_deref())?;
    Ok(config)
}

/// Returns what a configuration says, by the names of its file.
fn said(config: &Config) -> toml::Table {
    let mut table = toml::Table::new();
    let tables = [
        ("home", toml::Table::try_from(&config.home)),
        ("model", config.model.as_ref().map_or_else(|| Ok(toml::Table::new()), toml::Table::try_from)),
    ];
    for (name, inner) in tables {
        table.insert(name.to_owned(), toml::Value::Table(inner.unwrap_or_default()));
    }
    table
}

fn looked_up(table: &toml::Table, name: &str) -> Option<String> {
    let mut parts = name.split('.');
    let mut at = table.get(parts.next()?)?;
    for part in parts {
        at = at.get(part)?;
    }
    Some(match at {
        toml::Value::String(text) => text.clone(),
        toml::Value::Float(amount) => amount.to_string(),
        other => other.to_string(),
    })
}

/// Tells whether nothing more can happen by a change than before it: then it needs nobody's leave.
fn narrows(before: &Config, after: &Config) -> bool {
    let (was, is) = (said(before), said(after));
    KEYS.iter().all(|key| {
        let (was, is) = (looked_up(&was, key.name), looked_up(&is, key.name));
        let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
        if was == is {
            return true;
        }
        match key.name {
            // Not only the value: at the same prices.
            "home.hold_seconds" => number(&is) > number(&was),
            "model.task_limit" | "model.month_limit" => {
                number(&is).is_some_and(|is| number(&was).is_none_or(|was| is < was))
            }
            "home.unattended_day_tokens" | "home.unattended_month_tokens" => number(&is) < number(&was),
            "home.digest_at" => true,
            "model.budget_tokens" => before.model.is_some() && number(&is) < number(&was),
            name if name.starts_with(FALLBACK) => after.model.as_ref().is_none_or(|model| model.fallback.is_none()),
            _ => false,
        }
    })
}

/// Returns what was changed before, with a change over it.
fn changed(kept: &Kept, change: &ConfigChange) -> Result<Kept, String> {
    let mut out = kept.clone();
    for (name, text) in &change.set {
        let (key, text) = (key(name)?, text.trim());
        if text.len() > MAX_VALUE_BYTES || text.chars().any(char::is_control) {
            return Err(format!("the value of `{name}` has more than {MAX_VALUE_BYTES} bytes, or control characters"));
        }
        if !text.is_empty() {
            value(key, text)?;
        }
        out.insert(name.clone(), text.to_owned());
    }
    for name in &change.unset {
        if change.set.contains_key(name) {
            return Err(format!("`{name}` is set and unset at once; say one of both"));
        }
        out.remove(key(name)?.name);
    }
    Ok(out)
}

/// Returns what a change does, one line for each name, as the log keeps it.
#[must_use]
pub fn lines(change: &ConfigChange) -> (String, String) {
    let set: Vec<_> = change.set.iter().map(|(name, text)| format!("{name} = {text}")).collect();
    (set.join("\n"), change.unset.join("\n"))
}

fn record(home: &HomeId) -> RecordName<'_> {
    RecordName { kind: DAILY, owner: home.as_bytes(), n: 0 }
}

fn kept(ledger: &Ledger) -> Result<Kept, HomeError> {
    let home = ledger.home();
    let Some(bytes) = ledger.record(record(&home)).map_err(GateError::from)? else { return Ok(Kept::new()) };
    serde_json::from_slice(&bytes).map_err(|error| HomeError::Setup(format!("what was set is damaged: {error}")))
}

/// Returns what is in force when a home is opened. What does not fit the file any more is left out, and the person is told.
pub(crate) fn take_up(
    ledger: &Ledger,
    settings: &config::Settings,
) -> Result<(Config, bool, Option<String>), HomeError> {
    let (kept, unread) = match kept(ledger) {
        Ok(kept) => (kept, None),
        Err(HomeError::Setup(why)) => (Kept::new(), Some(why)),
        Err(other) => return Err(other),
    };
    let sets_zone = kept.contains_key("home.time_zone");
    let why = match over(&settings.config, &kept) {
        Ok(config) => {
            let notice = unread.map(|why| format!("What you set could not be read ({why}); config.toml is in force."));
            return Ok((config, sets_zone, notice));
        }
        Err(why) => why,
    };
    let of_home = kept.into_iter().filter(|(name, _)| name.starts_with("home.")).collect();
    let notice = format!(
        "What you set does not fit config.toml any more ({why}), so the model is as that file has it. Set it anew with `bailey config set`, or on the page Models."
    );
    let config = over(&settings.config, &of_home).or_else(|_| over(&settings.config, &Kept::new()));
    Ok((config.map_err(HomeError::Setup)?, sets_zone, Some(notice)))
}

impl Effective {
    /// Composes what a configuration names.
    pub(crate) fn of(config: Config, vault: &Arc<bailey_vault::Vault>) -> Result<Self, HomeError> {
        let configured =
            |config: &ModelConfig| provider(config, vault).map(|model: Arc<dyn Model>| (model, config.clone()));
        let model = config.model.as_ref().map(configured).transpose()?;
        let other = config.model.as_ref().and_then(|model| model.fallback.as_deref());
        let fallback = other.map(configured).transpose()?;
        Ok(Self { config, model, fallback })
    }
}

impl Home {
    /// Returns what is in force now.
    pub(crate) fn in_force(&self) -> Arc<Effective> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the model, and what is said of it.
    pub(crate) fn model(&self) -> Option<Configured> {
        self.in_force().model.clone()
    }

    /// Returns everything that is set here, as it stands.
    pub(crate) fn settings(&self) -> Result<Vec<SettingView>, HomeError> {
        let kept = kept(&self.ledger)?;
        let file: toml::Table = self.config_text.parse().unwrap_or_default();
        let in_force = said(&self.in_force().config);
        let view = |key: &Key| SettingView {
            name: key.name.into(),
            about: key.about.into(),
            value: looked_up(&in_force, key.name),
            said: match (kept.contains_key(key.name), looked_up(&file, key.name)) {
                (true, _) => "home",
                (false, Some(_)) => "file",
                (false, None) => "usual",
            }
            .into(),
            choices: match key.form {
                Form::OneOf(all) => all.iter().map(|&one| one.to_owned()).collect(),
                Form::Text | Form::Whole | Form::Amount => Vec::new(),
            },
        };
        Ok(KEYS.iter().map(view).collect())
    }

    /// Changes what is set, all or nothing, in the log and in force at once. Without the person's leave it does only what narrows.
    ///
    /// # Errors
    ///
    /// [`GateError::NotAuthorised`] where leave is needed and there is none; [`HomeError::Setup`] where the change makes no sense.
    pub(crate) fn change_settings(&self, change: &ConfigChange, leave: Option<&Authorised>) -> Result<(), HomeError> {
        let _changing = self.changing_settings.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = changed(&kept(&self.ledger)?, change).map_err(HomeError::Setup)?;
        let config = over(&self.config_text, &kept).map_err(HomeError::Setup)?;
        // INVARIANT: nothing is widened without the person's leave for exactly this.
        if leave.is_none() && !narrows(&self.in_force().config, &config) {
            return Err(GateError::NotAuthorised.into());
        }
        let next = Effective::of(config, &self.vault)?;
        let (set, unset) = lines(change);
        let payload = Payload::default().text("set", set).text("unset", unset);
        let (now, pause_state) = (self.clock.now(), self.gate.lock().pause_state());
        let entry = match leave {
            Some(leave) => leave.entry(EventKind::Settings, now, pause_state, payload),
            None => Event { payload, ..Event::of_home(EventKind::Settings, Actor::Client, now, pause_state) },
        };
        let json = serde_json::to_vec(&kept).map_err(|error| HomeError::Setup(error.to_string()))?;
        let home = self.ledger.home();
        let write = self.ledger.write(|tx| {
            tx.put_record(record(&home), &json)?;
            tx.append(&entry, None).map(|_| ())
        });
        write.map_err(|error: StoreError| HomeError::Gate(error.into()))?;
        self.clock.set_zone(next.config.home.time_zone.as_deref()).map_err(HomeError::Setup)?;
        self.bound_files(next.config.home.files_gib);
        self.gate.set_hold(next.config.home.hold_seconds.saturating_mul(1_000));
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.changed();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[model]\nkind = \"openai-chat\"\nbase_url = \"http://127.0.0.1:1/v1\"\nname = \"m\"\ninput_price = 1.0\n\
                        context_tokens = 9000\n[home]\nhold_seconds = 30\n[gateway]\nlisten = \"127.0.0.1:7447\"\n";

    fn kept(set: &[(&str, &str)]) -> Kept {
        set.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn with(set: &[(&str, &str)]) -> Result<Config, String> {
        let set = kept(set);
        let all = changed(&Kept::new(), &ConfigChange { set, unset: Vec::new() })?;
        over(FILE, &all)
    }

    #[test]
    fn every_name_can_be_set_and_is_looked_up_again() {
        for key in KEYS {
            let text = match (key.form, key.name) {
                (_, "home.time_zone") => "Europe/Paris",
                (_, "home.digest_at") => "8:15",
                (Form::Text, name) if name.ends_with("base_url") => "http://127.0.0.1:2/v1",
                (Form::Text, _) => "other",
                (Form::Whole, _) => "4000",
                (Form::Amount, _) => "2.5",
                (Form::OneOf(all), _) => all[all.len() - 1],
            };
            let mut set = vec![(key.name, text)];
            let whole = [
                ("model.fallback.kind", "openai-chat"),
                ("model.fallback.base_url", "http://127.0.0.1:3/v1"),
                ("model.fallback.name", "third"),
            ];
            if key.name.starts_with(FALLBACK) {
                set.extend(whole.into_iter().filter(|(name, _)| *name != key.name));
            }
            let config = with(&set).unwrap_or_else(|why| panic!("{}: {why}", key.name));
            assert_eq!(looked_up(&said(&config), key.name).as_deref(), Some(text), "{}", key.name);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_said() {
        for (name, text, says) in [
            ("home.hold_seconds", "-1", "whole number"),
            ("home.hold_seconds", "90000", "a day"),
            ("home.time_zone", "Mars/Base", "no time zone"),
            ("home.certificate_authorities", "/tmp/x", "config.toml"),
            ("gateway.listen", "0.0.0.0:1", "config.toml"),
            ("model.kind", "other", "one of openai-chat, anthropic"),
            ("model.month_limit", "-2", "above 0"),
            ("model.month_limit", "NaN", "above 0"),
            ("model.name", "a\nb", "control"),
            ("model.fallback.name", "alone", "kind"),
        ] {
            let why = with(&[(name, text)]).err().unwrap_or_else(|| panic!("{name} = {text} was taken"));
            assert!(why.contains(says), "{name} = {text}: {why}");
        }
    }

    #[test]
    fn nothing_is_said_where_a_value_is_empty_and_the_file_counts_again_where_it_is_unset() {
        let config = with(&[("model.context_tokens", "")]).unwrap();
        assert_eq!(config.model.unwrap().context_tokens, None);
        let change = ConfigChange { unset: vec!["model.context_tokens".into()], ..ConfigChange::default() };
        let all = changed(&kept(&[("model.context_tokens", "")]), &change).unwrap();
        assert_eq!(over(FILE, &all).unwrap().model.unwrap().context_tokens, Some(9_000));
        let none = kept(&[
            ("model.kind", ""),
            ("model.base_url", ""),
            ("model.name", ""),
            ("model.input_price", ""),
            ("model.context_tokens", ""),
        ]);
        assert!(over(FILE, &none).unwrap().model.is_none(), "no model is named any more");
    }

    #[test]
    fn only_what_lets_nothing_more_happen_needs_no_leave() {
        let before = with(&[
            ("model.month_limit", "10"),
            ("model.fallback.kind", "anthropic"),
            ("model.fallback.base_url", "http://127.0.0.1:3"),
            ("model.fallback.name", "f"),
        ])
        .unwrap();
        let set = kept(&[
            ("model.month_limit", "10"),
            ("model.fallback.kind", "anthropic"),
            ("model.fallback.base_url", "http://127.0.0.1:3"),
            ("model.fallback.name", "f"),
        ]);
        let narrows = |change: &[(&str, &str)]| {
            let all = changed(&set, &ConfigChange { set: kept(change), unset: Vec::new() }).unwrap();
            narrows(&before, &over(FILE, &all).unwrap())
        };
        let fallback = ["kind", "base_url", "name"].map(|name| format!("{FALLBACK}{name}"));
        let without: Vec<_> = fallback.iter().map(|name| (name.as_str(), "")).collect();
        for change in [
            &[][..],
            &[("home.hold_seconds", "60")],
            &[("model.month_limit", "9.5")],
            &[("model.task_limit", "1")],
            &[("model.budget_tokens", "1000")],
            &without,
            &[("home.hold_seconds", "60"), ("model.month_limit", "5")],
        ] {
            assert!(narrows(change), "{change:?}");
        }
        for change in [
            &[("home.hold_seconds", "29")][..],
            &[("home.hold_seconds", "0")],
            &[("home.time_zone", "Asia/Tokyo")],
            &[("model.month_limit", "10.5")],
            &[("model.month_limit", "")],
            &[("model.budget_tokens", "500000")],
            &[("model.name", "other")],
            &[("model.base_url", "https://elsewhere.example/v1")],
            &[("model.input_price", "0.1")],
            &[("model.fallback.name", "g")],
            &[("home.hold_seconds", "60"), ("model.name", "other")],
        ] {
            assert!(!narrows(change), "{change:?}");
        }
    }
}
