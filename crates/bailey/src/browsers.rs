//! `bailey dashboard` and `bailey passkey`: the person's browsers, from the terminal.

use bailey_gate::Nonce;
use bailey_gate::approval::Purpose;
use bailey_home::{purposes, routes};
use bailey_interface::{ConfirmedView, LinkView, NamesView, PasskeyView, ProvenBody, RecoveryCodesView, SessionView};

use crate::args::PasskeyCommand;
use crate::client::{Client, Trouble};
use crate::commands::nothing_given;
use crate::{prompt, show};

/// Asks for the approval passphrase and signs with it.
async fn proven(client: &Client, purpose: &Purpose, to: &str) -> Result<ProvenBody, Trouble> {
    let words = prompt::passphrase(&format!("Approval passphrase, to {to}; empty to leave it"))?;
    if words.chars() == 0 {
        return Err(nothing_given());
    }
    Ok(ProvenBody { proof: client.prove(purpose, &words).await? })
}

/// Prints where the dashboard is, and a link that lets one browser in.
pub(crate) async fn dashboard(client: &Client, json: bool) -> Result<(), Trouble> {
    let body = proven(client, &purposes::let_browser_in(), "let one browser in").await?;
    let link: LinkView = client.post(&routes::LET_BROWSER_IN.here(), &body).await?;
    Ok(show::print(json, &link, |out| {
        let minutes = link.seconds / 60;
        writeln!(out, "Open this in your browser, within {minutes} minutes. It lets one browser in, once:\n")?;
        let mut urls = link.urls.iter();
        match urls.next() {
            Some(first) => writeln!(out, "  {first}\n")?,
            None => {
                writeln!(out, "  (name a port under [gateway] listen in the configuration, and start Bailey again)\n")?
            }
        }
        urls.try_for_each(|other| writeln!(out, "If your browser does not find it: {other}"))
    })?)
}

/// Prints where the dashboard is, and how its certificate is.
pub(crate) async fn names(client: &Client, json: bool) -> Result<(), Trouble> {
    let view: NamesView = client.get(&routes::NAMES.here()).await?;
    Ok(show::print(json, &view, |out| {
        view.origins.iter().try_for_each(|origin| writeln!(out, "{origin}"))?;
        if !view.not_public.is_empty() {
            writeln!(out, "Other machines are not let in yet: {}.", view.not_public)?;
        }
        let Some(one) = &view.certificate else {
            return writeln!(
                out,
                "No name has a certificate here; docs/away-from-home.md says how to open the dashboard from elsewhere."
            );
        };
        let until = one.until_ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let until = until.map_or_else(String::new, |until| format!(", until {until:.0}"));
        writeln!(out, "Certificate from {}: {}{until}", one.source, one.says())?;
        if one.trouble.is_empty() { Ok(()) } else { writeln!(out, "What is wrong: {}", one.trouble) }
    })?)
}

/// Does what is asked of passkeys.
pub(crate) async fn passkey(command: PasskeyCommand, client: &Client, json: bool) -> Result<(), Trouble> {
    match command {
        PasskeyCommand::Add => dashboard(client, json).await,
        PasskeyCommand::List => {
            let passkeys: Vec<PasskeyView> = client.get(&routes::PASSKEYS.here()).await?;
            let sessions: Vec<SessionView> = client.get(&routes::SESSIONS.here()).await?;
            let all = serde_json::json!({"passkeys": passkeys, "sessions": sessions});
            Ok(show::print(json, &all, |out| {
                if passkeys.is_empty() {
                    writeln!(out, "No passkey yet. `bailey dashboard` lets a browser in, which makes one.")?;
                }
                for one in &passkeys {
                    let stands = match (one.ended_ms, one.confirmed) {
                        (Some(_), _) => "ended",
                        (None, false) => "not confirmed: see `bailey passkey confirm`",
                        (None, true) => "stands",
                    };
                    writeln!(out, "{}  {}  for {}  {stands}", one.id, one.name, one.rp)?;
                }
                sessions
                    .iter()
                    .try_for_each(|one| writeln!(out, "{}  session of {}  {}", one.id, one.passkey, one.agent))
            })?)
        }
        PasskeyCommand::End { id } => {
            let of: Nonce = id.parse().map_err(|error| Trouble::Here(format!("`{id}` is no passkey: {error}")))?;
            let body = proven(client, &purposes::end_passkey(&of), "end this passkey").await?;
            let left: Vec<PasskeyView> = client.post(&routes::END_PASSKEY.at(&[&id]), &body).await?;
            Ok(show::print(json, &left, |out| writeln!(out, "Ended, with every session it began."))?)
        }
        PasskeyCommand::Confirm => {
            let body =
                proven(client, &purposes::confirm_passkeys(), "let the passkeys listed by `bailey passkey list` count")
                    .await?;
            let done: ConfirmedView = client.post(&routes::CONFIRM_PASSKEYS.here(), &body).await?;
            Ok(show::print(json, &done, |out| writeln!(out, "{} passkey(s) count again.", done.passkeys))?)
        }
        PasskeyCommand::Codes => {
            let body = proven(client, &purposes::recovery_codes(), "make new recovery codes").await?;
            let made: RecoveryCodesView = client.post(&routes::NEW_RECOVERY_CODES.here(), &body).await?;
            Ok(show::print(json, &made, |out| {
                writeln!(
                    out,
                    "Each lets one browser in, once. They are shown this once; those before count no more.\n"
                )?;
                made.codes.iter().try_for_each(|code| writeln!(out, "  {code}"))
            })?)
        }
        PasskeyCommand::SignOut { session } => {
            match session {
                Some(id) => client.post::<(), ()>(&routes::END_SESSION.at(&[&id]), &()).await?,
                None => client.post::<(), ()>(&routes::END_SESSIONS.here(), &()).await?,
            }
            Ok(show::print(json, &(), |out| writeln!(out, "Signed out."))?)
        }
    }
}
