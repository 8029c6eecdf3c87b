//! `bailey config`: what the person sets in daily life.

use std::io::{self, Write};

use bailey_home::{purposes, routes};
use bailey_interface::{Code, ConfigBody, ConfigChange, SettingView};

use crate::args::Config;
use crate::client::{Client, Trouble};
use crate::{prompt, show};

/// Runs one of the commands.
pub(crate) async fn run(command: Config, client: &Client, json: bool) -> Result<(), Trouble> {
    match command {
        Config::List => {
            let all: Vec<SettingView> = client.get(&routes::CONFIG.here()).await?;
            Ok(show::print(json, &all, |out| all.iter().try_for_each(|one| line(out, one)))?)
        }
        Config::Get { name } => {
            let all: Vec<SettingView> = client.get(&routes::CONFIG.here()).await?;
            let one = all.into_iter().find(|one| one.name == name).ok_or_else(|| {
                Trouble::Here(format!("`{name}` is nothing that is set here; `bailey config list` names what is"))
            })?;
            Ok(show::print(json, &one, |out| writeln!(out, "{}", one.value.as_deref().unwrap_or_default()))?)
        }
        Config::Set { values } => {
            let pair = |text: &String| {
                let (name, value) = text.split_once('=').ok_or_else(|| {
                    Trouble::Here(format!(
                        "`{text}` says no value; write it as NAME=VALUE, such as home.hold_seconds=60"
                    ))
                })?;
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            };
            let set = values.iter().map(pair).collect::<Result<_, Trouble>>()?;
            change(client, ConfigChange { set, unset: Vec::new() }, json).await
        }
        Config::Unset { names } => change(client, ConfigChange { unset: names, ..ConfigChange::default() }, json).await,
    }
}

/// Makes a change; asks for the passphrase only where the home wants it.
async fn change(client: &Client, change: ConfigChange, json: bool) -> Result<(), Trouble> {
    let all: Vec<SettingView> = match client.post(&routes::NARROW_CONFIG.here(), &change).await {
        Ok(all) => all,
        Err(Trouble::Refused(why)) if why.code == Code::NotAuthorised => {
            let words = prompt::passphrase("Approval passphrase, to change what is set")?;
            if words.chars() == 0 {
                return Err(crate::commands::nothing_given());
            }
            let proof = client.prove(&purposes::change_settings(&change), &words).await?;
            let body = ConfigBody { change: change.clone(), proof };
            client.post(&routes::CHANGE_CONFIG.here(), &body).await?
        }
        Err(other) => return Err(other),
    };
    let touched = |one: &&SettingView| change.set.contains_key(&one.name) || change.unset.contains(&one.name);
    let now: Vec<&SettingView> = all.iter().filter(touched).collect();
    Ok(show::print(json, &now, |out| now.iter().try_for_each(|one| line(out, one)))?)
}

fn line(out: &mut dyn Write, one: &SettingView) -> io::Result<()> {
    let from = match one.said.as_str() {
        "home" => "set here",
        "file" => "config.toml",
        _ => "usual",
    };
    let value = one.value.as_deref().unwrap_or("-");
    writeln!(out, "{:<30} {value:<32} {from:<12} {}", one.name, one.about)
}
