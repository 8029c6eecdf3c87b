//! The way to another account, page by page: whose it is, which servers were found, and what it may do. What connects it in the end is
//! the request that the page makes with a touch.

use std::collections::BTreeMap;

use bailey_dashboard as html;
use bailey_dashboard::{Connecting, Offer, Section};
use bailey_gate::family::Level;
use bailey_vault::{
    DavSettings, Found, FoundCollection, FoundServer, KeyHeader, MailSettings, ModelSettings, OauthClient, Origin,
    Server, Settings, Training,
};

use super::pages::{Around, Page, shown, to};
use super::*;

/// The kind of account.
#[derive(Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    kind: String,
}

pub(super) async fn connect(AppState(home): Shared, Query(which): Query<Which>) -> Page {
    asked(&home, &which.kind, "", &FindForm::default()).await
}

/// Makes the page that asks whose account it is, with what was wrong about the last answer, which stays in its fields.
async fn asked(home: &Arc<Home>, kind: &str, trouble: &str, form: &FindForm) -> Page {
    let kind = match kind {
        "" => "mail",
        known @ ("mail" | "calendar" | "contacts" | "model") => known,
        _ => return Err(failure(Code::NotFound, "there is no such kind of account")),
    };
    let around = Around::of(home).await?;
    Ok(shown(html::connect(
        &around.frame(Section::Connections),
        &Connecting::Address { kind, trouble, typed: &form.typed() },
    )))
}

/// The account, as the person names it.
#[derive(Default, Deserialize)]
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

impl FindForm {
    /// Returns what was typed, but for a secret, by the names of the fields.
    fn typed(&self) -> BTreeMap<&'static str, &str> {
        [
            ("address", &self.address),
            ("name", &self.name),
            ("imap", &self.imap),
            ("submission", &self.submission),
            ("url", &self.url),
            ("user", &self.user),
            ("issuer", &self.issuer),
            ("client_id", &self.client_id),
            ("key_header", &self.key_header),
            ("training", &self.training),
            ("retention", &self.retention),
            ("terms", &self.terms),
        ]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name, text.as_str()))
        .collect()
    }

    /// Returns the authorization server that the person named, if they did.
    fn issuer(&self) -> Option<String> {
        given(&self.issuer)
    }

    /// Returns the client that the person registered there, if they named one.
    fn client(&self) -> Option<OauthClient> {
        given(&self.client_id).map(|id| OauthClient { id, secret: given(&self.client_secret) })
    }
}

/// Returns what was written into a field; nothing where that is empty.
fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Makes the page that connects an account anew, with the servers it has.
pub(super) async fn again(AppState(home): Shared, Path(id): Path<String>, headers: HeaderMap) -> Page {
    let of: ConnectionId = parse("connection", &id)?;
    let read = move |home: &Home| {
        let row = home.ledger.connection(&of)?.ok_or(GateError::NoSuchConnection(of))?;
        Ok((home.vault.settings(&of)?, row.grant.level))
    };
    let (settings, level) = reading(&home, read).await?;
    let servers = servers_of(&settings);
    offered(&home, &headers, &settings, &servers, level, Some(&id)).await
}

/// Says which servers an account has.
fn servers_of(settings: &Settings) -> Vec<Line> {
    match settings {
        Settings::Mail(mail) => {
            let of = [("Mail is read at", &mail.imap), ("Mail is handed in at", &mail.submission)];
            of.iter().filter_map(|(what, one)| Some(line(what, place(one.as_ref()?)))).collect()
        }
        Settings::Calendar(dav) | Settings::Contacts(dav) => {
            vec![line("Server", place(&dav.server)), line("Path", dav.path.clone())]
        }
        Settings::Model(model) => vec![line("Provider", model.base_url.clone())],
    }
}

/// Makes the page that tries an account again that could not be connected, with all that was typed but the password.
pub(super) async fn try_again(AppState(home): Shared, Path(id): Path<String>, headers: HeaderMap) -> Page {
    let none = || failure(Code::NotFound, "that attempt is told no more; connect the account anew");
    let attempt = under_way::attempt(&home, &id).ok_or_else(none)?;
    let level = Level::from_name(&attempt.level).unwrap_or(Level::Read);
    let servers = servers_of(&attempt.settings);
    offered(&home, &headers, &attempt.settings, &servers, level, None).await
}

/// Tells no more of an account that could not be connected.
pub(super) async fn dismiss(home: Shared, id: Path<String>) -> Page {
    let Json(_) = under_way::dismiss(home, id).await?;
    Ok(to("/connections"))
}

pub(super) async fn find(AppState(home): Shared, headers: HeaderMap, Form(form): Form<FindForm>) -> Page {
    match settings_of(&home, &form).await {
        Ok((settings, servers)) => offered(&home, &headers, &settings, &servers, Level::Read, None).await,
        Err(why) => asked(&home, &form.kind, &visible(&why), &form).await,
    }
}

fn line(label: &str, value: impl Into<String>) -> Line {
    Line { label: label.into(), value: visible(&value.into()) }
}

/// Returns what is to be connected, and what to say of its servers.
async fn settings_of(home: &Arc<Home>, form: &FindForm) -> Result<(Settings, Vec<Line>), String> {
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
        kind => collection(home, form, kind == "contacts").await,
    }
}

/// Returns the calendar or the address book to be connected: where the person says it is, or else where one of their address is.
async fn collection(home: &Arc<Home>, form: &FindForm, contacts: bool) -> Result<(Settings, Vec<Line>), String> {
    let user = given(&form.user).ok_or("say who signs in there")?;
    let (mut issuer, client) = (form.issuer(), form.client());
    let mut lines = Vec::new();
    let url = match given(&form.url) {
        Some(url) => url,
        None => {
            let (found, told) = found_collection(home, &user, issuer.as_deref(), contacts).await?;
            let elsewhere = if found.elsewhere { ". It does not belong to the domain of your address" } else { "" };
            lines.push(line("Found", format!("{}{elsewhere}", found.origin.about())));
            // Of a provider that is known, such as Google, no password opens these.
            if let (Some(page), None) = (told.filter(|_| found.origin == Origin::Known), &issuer) {
                let Some(_) = &client else {
                    return Err(format!(
                        "This provider opens it by a sign-in on its own page alone ({page}). Register a client there, and name both under “Sign in on the provider's page” below."
                    ));
                };
                issuer = Some(page);
            }
            found.url
        }
    };
    let (server, path) = Server::read_collection(&url)?;
    lines.extend([line("Server", place(&server)), line("Path", path.clone())]);
    if let Some(issuer) = &issuer {
        lines.push(line("Signs in at", issuer.clone()));
    }
    let dav = DavSettings { name: given(&form.name), user, server, path, issuer, client };
    Ok((if contacts { Settings::Contacts(dav) } else { Settings::Calendar(dav) }, lines))
}

/// Finds where an account's calendars or address books are, and who vouches for tokens there.
async fn found_collection(
    home: &Arc<Home>,
    user: &str,
    issuer: Option<&str>,
    contacts: bool,
) -> Result<(FoundCollection, Option<String>), String> {
    let by_issuer = issuer.and_then(|issuer| bailey_vault::collection_of_issuer(issuer, contacts, user));
    if let Some(found) = by_issuer {
        return Ok((found, None));
    }
    let what = if contacts { "an address book" } else { "a calendar" };
    if !user.contains('@') {
        return Err(format!("Say where it is; only from an address, name@domain, {what} can be looked for."));
    }
    let (vault, address) = (Arc::clone(&home.vault), user.to_owned());
    let looked = home.spawn_detached(async move { vault.discover(&address, None).await }).await;
    let found = looked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let of_kind = if contacts { found.contacts } else { found.calendars };
    let none = || format!("No server of {what} was found for this address. Write where it is above.");
    of_kind.map(|one| (one, found.issuer)).ok_or_else(none)
}

async fn mail(home: &Arc<Home>, form: &FindForm, name: Option<String>) -> Result<(Settings, Vec<Line>), String> {
    let named = |text: &str| (!text.trim().is_empty()).then(|| Server::read_mail(text)).transpose();
    let (imap, submission) = (named(&form.imap)?, named(&form.submission)?);
    let (address, issuer, client) = (form.address.trim().to_owned(), form.issuer(), form.client());
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
    level: Level,
    replaces: Option<&str>,
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
        level: level.name(),
        replaces,
        back: &format!("{origin}{}", connections::OAUTH_BACK),
    };
    Ok(shown(html::connect(&around.frame(Section::Connections), &Connecting::Found(offer))))
}
