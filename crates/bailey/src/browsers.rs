//! `bailey dashboard` and `bailey passkey`: the person's browsers, from the terminal.

use bailey_gate::approval::Purpose;
use bailey_gate::{BadId, HomeId, Nonce};
use bailey_home::passphrase::possession;
use bailey_home::{purposes, routes};
use bailey_interface::{
    ConfirmedView, LinkView, NamesView, PasskeyView, PassphraseBody, ProvenBody, RecoveryCodesView, SessionView, Status,
};
use bailey_keys::credential;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

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

/// Sets a new approval passphrase, by the one before or by a code of the dashboard's. The home gets the public half of its key.
pub(crate) async fn passphrase(client: &Client, by_code: bool, json: bool) -> Result<(), Trouble> {
    let here = |error: bailey_keys::KeyError| Trouble::Here(error.to_string());
    let token = if by_code { Some(prompt::password("Code that the dashboard shows")?) } else { None };
    let before = match &token {
        Some(_) => None,
        None => Some(prompt::passphrase("Approval passphrase before; empty to leave it")?),
    };
    if before.as_ref().is_some_and(|words| words.chars() == 0) {
        return Err(nothing_given());
    }
    let new = prompt::new_passphrase("New approval passphrase")?;
    if new.chars() < credential::MIN_PASSPHRASE_CHARS || new.is_trivial() {
        let least = credential::MIN_PASSPHRASE_CHARS;
        return Err(Trouble::Here(format!(
            "an approval passphrase has at least {least} characters, and not one over and over; nothing was changed"
        )));
    }
    let made = credential::enrol(&new).map_err(here)?;
    let home: Status = client.get(&routes::STATUS.here()).await?;
    let home: HomeId = home.home.parse().map_err(|error: BadId| Trouble::Here(error.to_string()))?;
    let key = credential::signing_key(&new, &made.salt).map_err(here)?;
    let body = PassphraseBody {
        salt: Nonce::from_bytes(made.salt).to_string(),
        public: BASE64.encode(made.public),
        signature: BASE64.encode(key.sign(&possession(&home, &made.salt, &made.public))),
        token: token.map(|token| token.expose().trim().to_owned()),
        proof: match &before {
            Some(words) => Some(client.prove(&purposes::set_passphrase(&made.salt, &made.public), words).await?),
            None => None,
        },
    };
    let () = client.post(&routes::SET_PASSPHRASE.here(), &body).await?;
    Ok(show::print(json, &(), |out| writeln!(out, "Set. The approval passphrase before counts no more."))?)
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
