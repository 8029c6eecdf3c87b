//! `bailey notifications`: where the person is told that something waits.

use bailey_home::wire::NotifyBody;
use bailey_home::{purposes, routes};
use bailey_interface::{NotificationPlace, NotificationView, NotificationsView};

use crate::args::{NotificationService, NotificationsCommand};
use crate::client::{Client, Trouble};
use crate::commands::nothing_given;
use crate::{prompt, show};

/// Does what is asked of notifications.
pub(crate) async fn run(command: NotificationsCommand, client: &Client, json: bool) -> Result<(), Trouble> {
    let view: NotificationsView = match command {
        NotificationsCommand::List => client.get(&routes::NOTIFICATIONS.here()).await?,
        NotificationsCommand::Add { service, url, token } => {
            let place = match service {
                NotificationService::Ntfy => NotificationPlace::Ntfy { url },
                NotificationService::Gotify => NotificationPlace::Gotify { url },
                NotificationService::Mail => NotificationPlace::Mail { address: url },
            };
            let words = prompt::passphrase("Approval passphrase, to have this place told; empty to leave it")?;
            if words.chars() == 0 {
                return Err(nothing_given());
            }
            let password = token.then(|| prompt::password("Token of the server")).transpose()?;
            let proof = client.prove(&purposes::notify(&place), &words).await?;
            client.post(&routes::NOTIFY.here(), &NotifyBody { place, password, proof }).await?
        }
        NotificationsCommand::End { id } => client.post(&routes::END_NOTIFICATION.at(&[&id]), &()).await?,
        NotificationsCommand::Try { id } => {
            let one: NotificationView = client.post(&routes::TRY_NOTIFICATION.at(&[&id]), &()).await?;
            return Ok(show::print(json, &one, |out| match &one.trouble {
                Some(trouble) => writeln!(out, "The notice did not arrive: {trouble}."),
                None => writeln!(out, "Sent to {}.", one.name),
            })?);
        }
    };
    Ok(show::print(json, &view, |out| {
        if view.places.is_empty() {
            writeln!(
                out,
                "You are told nowhere yet. `bailey notifications add ntfy URL`, `… add mail ADDRESS`, or the dashboard's page for a browser."
            )?;
        }
        view.places.iter().try_for_each(|one| {
            writeln!(out, "{}  {}  {}", one.id, one.kind, one.name)?;
            match &one.trouble {
                Some(trouble) => writeln!(out, "    the last notice did not arrive: {trouble}"),
                None => Ok(()),
            }
        })
    })?)
}
