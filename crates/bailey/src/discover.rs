//! Finding the servers of an account from its address.

use std::io;

use bailey_home::routes;
use bailey_home::wire::{DiscoverBody, Found, FoundServer};

use crate::args::Discover;
use crate::client::{Client, Trouble};
use crate::show;

/// Finds servers, and shows them.
pub(crate) async fn run(client: &Client, discover: Discover, json: bool) -> Result<(), Trouble> {
    let found = ask(client, discover.address, discover.server).await?;
    Ok(show::print(json, &found, |out| tell(out, &found))?)
}

/// Finds the mail servers of an address, and says which they are before anything is signed.
pub(crate) async fn mail(client: &Client, address: &str, server: Option<String>) -> Result<Found, Trouble> {
    let found = ask(client, address.to_owned(), server).await?;
    if found.imap.is_none() && found.submission.is_none() {
        let tried = found.notes.iter().map(|note| format!("; {note}")).collect::<String>();
        return Err(Trouble::Here(format!(
            "no mail server was found for `{address}`{tried}; name its servers with --imap and --submission"
        )));
    }
    tell(&mut io::stderr().lock(), &found)?;
    Ok(found)
}

async fn ask(client: &Client, address: String, at: Option<String>) -> Result<Found, Trouble> {
    client.post(&routes::DISCOVER.here(), &DiscoverBody { address, at }).await
}

const ELSEWHERE: &str = "; NOT of that domain: the password would go to another's machine";

fn tell(out: &mut dyn io::Write, found: &Found) -> io::Result<()> {
    let mut mail = |what: &str, one: &Option<FoundServer>| match one {
        None => writeln!(out, "{what}: not found"),
        Some(one) => {
            let (server, secure) = (&one.server, if one.server.starttls { "STARTTLS" } else { "TLS" });
            let elsewhere = if one.elsewhere { ELSEWHERE } else { "" };
            writeln!(out, "{what}: {}:{} over {secure} ({}{elsewhere})", server.host, server.port, one.origin.about())
        }
    };
    mail("Mail is read at", &found.imap)?;
    mail("Mail is sent through", &found.submission)?;
    for (what, one) in [("Calendars", &found.calendars), ("Address books", &found.contacts)] {
        match one {
            None => writeln!(out, "{what}: not found")?,
            Some(one) => {
                let elsewhere = if one.elsewhere { ELSEWHERE } else { "" };
                writeln!(out, "{what}: {} ({}{elsewhere})", one.url, one.origin.about())?;
            }
        }
    }
    if let Some(issuer) = &found.issuer {
        writeln!(out, "Signs in with a browser: --oauth {issuer}")?;
    }
    found.notes.iter().try_for_each(|note| writeln!(out, "Note: {note}"))
}
