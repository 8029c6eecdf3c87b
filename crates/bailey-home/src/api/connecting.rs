//! The way to another account, page by page: whose it is, which servers were found, and what it may do. What connects it in the end is
//! the request that the page makes with a touch.

use bailey_dashboard as html;
use bailey_dashboard::{Connecting, Offer, Section};
use bailey_gate::family::Level;
use bailey_vault::{
    DavSettings, Found, FoundServer, KeyHeader, MailSettings, ModelSettings, OauthClient, Server, Settings, Training,
};

use super::pages::{Around, Page, shown};
use super::*;

/// The kind of account.
#[derive(Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    kind: String,
}

pub(super) async fn connect(AppState(home): Shared, Query(which): Query<Which>) -> Page {
    asked(&home, &which.kind, "").await
}

/// Makes the page that asks whose account it is, with what was wrong about the last answer.
async fn asked(home: &Arc<Home>, kind: &str, trouble: &str) -> Page {
    let kind = match kind {
        "" => "mail",
        known @ ("mail" | "calendar" | "contacts" | "model") => known,
        _ => return Err(failure(Code::NotFound, "there is no such kind of account")),
    };
    let around = Around::of(home).await?;
    Ok(shown(html::connect(&around.frame(Section::Connections), &Connecting::Address { kind, trouble })))
}

/// The account, as the person names it.
#[derive(Deserialize)]
pub(super) struct FindForm {
    kind: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    imap: String,
    #[serde(default)]
    submission: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    key_header: String,
    #[serde(default)]
    training: String,
    #[serde(default)]
    retention: String,
    #[serde(default)]
    terms: String,
}

/// Makes the page that connects an account anew, with the servers it has.
pub(super) async fn again(AppState(home): Shared, Path(id): Path<String>, headers: HeaderMap) -> Page {
    let of: ConnectionId = parse("connection", &id)?;
    let read = move |home: &Home| {
        let row = home.ledger.connection(&of)?.ok_or(GateError::NoSuchConnection(of))?;
        Ok((home.vault.settings(&of)?, row.grant.level))
    };
    let (settings, level) = reading(&home, read).await?;
    let servers = match &settings {
        Settings::Mail(mail) => {
            let of = [("Mail is read at", &mail.imap), ("Mail is handed in at", &mail.submission)];
            of.iter().filter_map(|(what, one)| Some(line(what, place(one.as_ref()?)))).collect()
        }
        Settings::Calendar(dav) | Settings::Contacts(dav) => {
            vec![line("Server", place(&dav.server)), line("Path", dav.path.clone())]
        }
        Settings::Model(model) => vec![line("Provider", model.base_url.clone())],
    };
    offered(&home, &headers, &settings, &servers, Some((&id, level))).await
}

pub(super) async fn find(AppState(home): Shared, headers: HeaderMap, Form(form): Form<FindForm>) -> Page {
    match settings_of(&home, &form).await {
        Ok((settings, servers)) => offered(&home, &headers, &settings, &servers, None).await,
        Err(why) => asked(&home, &form.kind, &visible(&why)).await,
    }
}

fn line(label: &str, value: impl Into<String>) -> Line {
    Line { label: label.into(), value: visible(&value.into()) }
}

/// Returns what is to be connected, and what to say of its servers.
async fn settings_of(home: &Arc<Home>, form: &FindForm) -> Result<(Settings, Vec<Line>), String> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    match form.kind.as_str() {
        "mail" => mail(home, form, given(&form.name)).await,
        "model" => {
            let base_url = form.url.trim().trim_end_matches('/').to_owned();
            let about = "It will be sent your tasks, and what they read: mail, calendar, all of it.";
            let servers = vec![line("Provider", base_url.clone()), line("Know", about)];
            let training = match form.training.as_str() {
                "no" => Training::No,
                "yes" => Training::Yes,
                _ => Training::Unknown,
            };
            let key_header = if form.key_header == "x-api-key" { KeyHeader::XApiKey } else { KeyHeader::Bearer };
            let (retention, terms) = (form.retention.trim().to_owned(), form.terms.trim().to_owned());
            Ok((Settings::Model(ModelSettings { base_url, key_header, training, retention, terms }), servers))
        }
        kind => {
            let (server, path) = Server::read_collection(&form.url)?;
            let servers = vec![line("Server", place(&server)), line("Path", path.clone())];
            let user = given(&form.user).ok_or("say who signs in there")?;
            let dav = DavSettings { name: None, user, server, path, issuer: None, client: None };
            let settings = if kind == "contacts" { Settings::Contacts(dav) } else { Settings::Calendar(dav) };
            Ok((settings, servers))
        }
    }
}

async fn mail(home: &Arc<Home>, form: &FindForm, name: Option<String>) -> Result<(Settings, Vec<Line>), String> {
    let named = |text: &str| (!text.trim().is_empty()).then(|| Server::read_mail(text)).transpose();
    let (imap, submission) = (named(&form.imap)?, named(&form.submission)?);
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (address, issuer) = (form.address.trim().to_owned(), given(&form.issuer));
    let client = given(&form.client_id).map(|id| OauthClient { id, secret: given(&form.client_secret) });
    if imap.is_some() || submission.is_some() {
        let servers = [("Mail is read at", &imap), ("Mail is handed in at", &submission)];
        let servers = servers.iter().filter_map(|(what, one)| Some(line(what, place(one.as_ref()?))));
        let lines = servers.collect();
        return Ok((Settings::Mail(MailSettings { address, name, imap, submission, issuer, client }), lines));
    }
    let vault = Arc::clone(&home.vault);
    let looked = home.spawn_detached(async move { vault.discover(&address, None).await }).await;
    let found = looked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if found.imap.is_none() && found.submission.is_none() {
        let tried = found.notes.join("; ");
        return Err(format!("No mail server was found for this address ({tried}). Name its servers yourself below."));
    }
    let mut lines = told(&found);
    let server = |one: Option<FoundServer>| one.map(|one| one.server);
    let Found { address, imap, submission, issuer: told, .. } = found;
    // No provider knows this program by itself: without a client of the person's own there is nothing to sign in as.
    if let (Some(page), None, None) = (&told, &issuer, &client) {
        let how = format!(
            "This provider would rather have you sign in on its own page ({page}). For that, register a client there and name it under “Sign in on the provider's page” one step before; here an app password is asked for"
        );
        lines.push(line("Note", how));
    }
    let issuer = issuer.or_else(|| told.filter(|_| client.is_some()));
    let (imap, submission) = (server(imap), server(submission));
    Ok((Settings::Mail(MailSettings { address, name, imap, submission, issuer, client }), lines))
}

fn place(server: &Server) -> String {
    let secure = match (server.tls, server.starttls) {
        (true, _) => "over TLS",
        (false, true) => "over STARTTLS",
        (false, false) => "in plain, on this machine",
    };
    format!("{}:{}, {secure}", server.host, server.port)
}

/// Says what was found, from where, and what of it is another's.
fn told(found: &Found) -> Vec<Line> {
    let servers = [("Mail is read at", &found.imap), ("Mail is handed in at", &found.submission)];
    let servers = servers.into_iter().filter_map(|(what, one)| {
        let one = one.as_ref()?;
        let elsewhere = if one.elsewhere {
            ". It does not belong to that domain: your password would go to another's machine"
        } else {
            ""
        };
        Some(line(what, format!("{} ({}){elsewhere}", place(&one.server), one.origin.about())))
    });
    servers.chain(found.notes.iter().map(|note| line("Note", note.clone()))).collect()
}

/// Makes the page that says what was found, and asks what the account may do.
async fn offered(
    home: &Arc<Home>,
    headers: &HeaderMap,
    settings: &Settings,
    servers: &[Line],
    replaces: Option<(&str, Level)>,
) -> Page {
    let around = Around::of(home).await?;
    let account = visible(settings.account());
    let kept_by = match settings.issuer() {
        Some(issuer) => bailey_vault::kept_by_bailey_alone(issuer, settings.kind(), Level::Full),
        None if settings.kind() == "model" => "",
        None => "Bailey alone: a password has no limits of its own",
    };
    let as_sent = serde_json::to_value(settings).map_err(|error| failure(Code::Internal, error.to_string()))?;
    let in_browser = settings.issuer().is_some();
    let origin = access::shown_origin(home, headers);
    let offer = Offer {
        kind: settings.kind(),
        account: &account,
        servers,
        settings: &as_sent,
        in_browser,
        kept_by,
        level: replaces.map_or(Level::Read, |(_, level)| level).name(),
        replaces: replaces.map(|(id, _)| id),
        back: &format!("{origin}{}", connections::OAUTH_BACK),
    };
    Ok(shown(html::connect(&around.frame(Section::Connections), &Connecting::Found(offer))))
}
