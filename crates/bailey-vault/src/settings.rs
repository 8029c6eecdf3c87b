//! What a connection is made of: where, as whom, and the credential, which is kept apart.

use bailey_gate::family::Level;
use bailey_gate::family::calendar::Href;
use bailey_gate::family::text::{Address, Line};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a connection leads to. A new kind is a variant here and a line in `Settings::facts`; nothing else of the vault asks
/// which one it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Settings {
    /// A mail account.
    Mail(MailSettings),
    /// A calendar.
    Calendar(DavSettings),
    /// An address book.
    Contacts(DavSettings),
    /// A provider of models.
    Model(ModelSettings),
}

/// What is true of every connection.
struct Facts<'a> {
    kind: &'static str,
    account: &'a str,
    user: &'a str,
    issuer: Option<&'a str>,
    client: Option<&'a OauthClient>,
    form: Form<'a>,
}

impl<'a> Facts<'a> {
    fn of_dav(kind: &'static str, dav: &'a DavSettings) -> Self {
        let account = dav.name.as_ref().unwrap_or(&dav.user);
        Self {
            kind,
            account,
            user: &dav.user,
            issuer: dav.issuer.as_deref(),
            client: dav.client.as_ref(),
            form: Form::Dav(dav),
        }
    }
}

/// Which settings it has.
enum Form<'a> {
    Mail(&'a MailSettings),
    Dav(&'a DavSettings),
    Model(&'a ModelSettings),
}

impl Settings {
    fn facts(&self) -> Facts<'_> {
        match self {
            Self::Mail(mail) => Facts {
                kind: "mail",
                account: &mail.address,
                user: &mail.address,
                issuer: mail.issuer.as_deref(),
                client: mail.client.as_ref(),
                form: Form::Mail(mail),
            },
            Self::Calendar(calendar) => Facts::of_dav("calendar", calendar),
            Self::Contacts(contacts) => Facts::of_dav("contacts", contacts),
            Self::Model(model) => Facts {
                kind: "model",
                account: model.base_url.trim_end_matches('/'),
                user: "",
                issuer: None,
                client: None,
                form: Form::Model(model),
            },
        }
    }

    /// Returns the account, as its service names it, or as the person calls it.
    #[must_use]
    pub fn account(&self) -> &str {
        self.facts().account
    }

    /// Returns who signs in.
    pub(crate) fn user(&self) -> &str {
        self.facts().user
    }

    /// Says what it leads to, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.facts().kind
    }

    /// Returns who we are to the authorization server.
    pub(crate) fn client(&self) -> OauthClient {
        self.facts().client.cloned().unwrap_or_else(|| OauthClient { id: "bailey".into(), secret: None })
    }

    /// Returns who vouches for access tokens, where they are used.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.facts().issuer
    }

    /// Returns the settings of a mail account, if it is one.
    #[must_use]
    pub fn mail(&self) -> Option<&MailSettings> {
        if let Form::Mail(mail) = self.facts().form { Some(mail) } else { None }
    }

    /// Returns the settings of a collection on a WebDAV server, if it is one.
    #[must_use]
    pub fn dav(&self) -> Option<&DavSettings> {
        if let Form::Dav(dav) = self.facts().form { Some(dav) } else { None }
    }

    /// Returns the settings of a provider of models, if it is one.
    #[must_use]
    pub fn model(&self) -> Option<&ModelSettings> {
        if let Form::Model(model) = self.facts().form { Some(model) } else { None }
    }

    /// Returns the servers it names.
    fn servers(&self) -> Vec<&Server> {
        match self.facts().form {
            Form::Mail(mail) => mail.imap.iter().chain(&mail.submission).collect(),
            Form::Dav(dav) => vec![&dav.server],
            Form::Model(_) => Vec::new(),
        }
    }

    /// Checks what the types alone do not hold; errors are for the person.
    pub fn check(&self, level: Level) -> Result<(), String> {
        let line = |text: &String| Line::new(text.clone()).map(|_| ()).map_err(|error| error.to_string());
        self.servers().into_iter().try_for_each(Server::check)?;
        match self.facts().form {
            Form::Mail(mail) => {
                Address::read(&mail.address).map_err(|error| error.to_string())?;
                mail.name.iter().try_for_each(line)?;
                if level >= Level::Send && mail.submission.is_none() {
                    return Err(
                        "a connection that may send needs a submission server; name one, or connect for less".into()
                    );
                }
                if level == Level::Full && mail.imap.is_none() {
                    return Err(
                        "a connection that may move mail needs an IMAP server; name one, or connect for less".into()
                    );
                }
            }
            Form::Dav(dav) => {
                Href::new(&dav.path).map_err(|error| error.to_string())?;
                if dav.server.starttls {
                    return Err("a server of the web is talked to over https; STARTTLS is for mail servers".into());
                }
                if !dav.path.ends_with('/') {
                    return Err(format!("the address of a {} has to end in a slash", self.kind()));
                }
                [Some(&dav.user), dav.name.as_ref()].into_iter().flatten().try_for_each(line)?;
            }
            Form::Model(model) => {
                [&model.base_url, &model.retention, &model.terms].into_iter().try_for_each(line)?;
                if model.base_url.contains(['@', '?', '#']) {
                    return Err("the model's address holds more than a place; a key is given apart from it".into());
                }
            }
        }
        Ok(())
    }
}

/// A provider of models the person agreed to, and on what terms. Stored sealed; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Where, up to and without `/chat/completions` or `/messages`.
    pub base_url: String,
    /// How the key is shown.
    pub key_header: KeyHeader,
    /// Tells whether the provider trains on what it is sent, as the person knows it.
    pub training: Training,
    /// How long it keeps what it is sent, in the provider's words; empty if the person did not say.
    #[serde(default)]
    pub retention: String,
    /// Where the terms stand; empty if the person did not say.
    #[serde(default)]
    pub terms: String,
}

/// How a key is shown to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// `x-api-key: …`, as Anthropic has it.
    XApiKey,
}

/// Tells whether a provider trains models on what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Training {
    /// It says that it does not.
    No,
    /// It does.
    Yes,
    /// Not known.
    Unknown,
}

/// One collection at a WebDAV server: a calendar (RFC 4791), say. Stored sealed; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DavSettings {
    /// The person's name for it, where that is not who signs in: rules and tasks name it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who signs in.
    pub user: String,
    /// Where.
    pub server: Server,
    /// The collection's path on the server, with a slash at its end.
    pub path: String,
    /// Who vouches for access tokens, where the server takes them: `https://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Who we are to that authorization server; the usual name where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<OauthClient>,
}

/// A mail account. Stored sealed; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The account's address: the author of what is sent.
    pub address: String,
    /// The author's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where mail is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imap: Option<Server>,
    /// Where mail is handed in, where this connection may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<Server>,
    /// Who vouches for access tokens, where the account uses them: `https://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Who we are to that authorization server; the usual name where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<OauthClient>,
}

impl MailSettings {
    /// Tells whether the provider puts a copy of what is handed in among the sent mail itself: Google and Microsoft do.
    #[must_use]
    pub fn keeps_what_is_sent(&self) -> bool {
        let hosts = self.submission.iter().map(|server| server.host.to_ascii_lowercase());
        let known = |host: &str| {
            [
                "smtp.gmail.com",
                "smtp.googlemail.com",
                "smtp-relay.gmail.com",
                "smtp-mail.outlook.com",
                "smtp.office365.com",
            ]
            .contains(&host)
                || host.ends_with(".outlook.com")
                || host.ends_with(".office365.com")
        };
        hosts.into_iter().any(|host| known(host.trim_end_matches('.')))
            || self.issuer.as_deref().is_some_and(crate::preset::keeps_what_is_sent)
    }
}

/// The name an OAuth client has at an authorization server (RFC 6749, 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthClient {
    /// Its identifier.
    pub id: String,
    /// A value that some providers give programs on people's machines besides, and call a secret; it keeps none (RFC 8252, 8.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl OauthClient {
    /// Returns as fields of a form.
    pub(crate) fn fields(&self) -> Vec<(&'static str, &str)> {
        let secret = self.secret.as_deref().map(|secret| ("client_secret", secret));
        std::iter::once(("client_id", self.id.as_str())).chain(secret).collect()
    }
}

/// A server to talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// Port.
    #[schema(maximum = 65535)]
    pub port: u16,
    /// TLS from the first byte (RFC 8314). Without it, and without `starttls`, only this machine can be talked to.
    pub tls: bool,
    /// TLS begun by a command before anything else is said (RFC 3207): of mail servers that are reached in no other way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starttls: bool,
}

/// Ports at which mail servers are reached in plain first, and made secure by a command (RFC 6409, RFC 3501).
const STARTTLS_PORTS: [u16; 3] = [25, 143, 587];

impl Server {
    /// Reads `host:port` of a server that is reached over TLS, or in plain.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn read(text: &str, tls: bool) -> Result<Self, String> {
        let text = text.trim();
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            let host = host.trim_matches(['[', ']']);
            Some((host, port.parse().ok()?)).filter(|_| !host.is_empty())
        });
        let (host, port) = parsed.ok_or_else(|| format!("`{text}` is not host:port, as in mail.example.org:993"))?;
        Ok(Self { host: host.into(), port, tls, starttls: false })
    }

    /// Reads the place of a mail server: `host:port`, or `starttls:host:port`, `tls:host:port` and `plain:host:port` where the port
    /// alone does not say how it is made secure. In plain only this machine is talked to.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn read_mail(text: &str) -> Result<Self, String> {
        let (place, said) = match text.trim().split_once(':') {
            Some((how @ ("starttls" | "tls" | "plain"), place)) => (place, how),
            _ => (text, ""),
        };
        let server = Self::read(place, false)?;
        Ok(match said {
            "plain" => server,
            "tls" => Self { tls: true, ..server },
            "" if !STARTTLS_PORTS.contains(&server.port) => Self { tls: true, ..server },
            _ => Self { starttls: true, ..server },
        })
    }

    /// Reads the address of a collection, or of a server that knows it, and gives the server and the path. An address of mail names
    /// its domain, whose server says which collections there are (RFC 6764, section 6).
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn read_collection(said: &str) -> Result<(Self, String), String> {
        let bad = || format!("`{said}` is no address like https://host/path/to/collection/");
        let of_mail = said.rsplit_once('@').filter(|_| !said.contains("://"));
        let of_mail = of_mail.map(|(_, domain)| format!("https://{domain}/"));
        let (scheme, rest) = of_mail.as_deref().unwrap_or(said).trim().split_once("://").ok_or_else(bad)?;
        let tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(bad()),
        };
        let (place, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let server = match place.rsplit_once(':') {
            Some(_) => Self::read(place, tls)?,
            None if place.is_empty() => return Err(bad()),
            None => Self { host: place.into(), port: if tls { 443 } else { 80 }, tls, starttls: false },
        };
        Ok((server, path.to_owned()))
    }
}

/// How a connection to a server is made secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after a command.
    Starttls,
    /// Not at all: to this machine alone.
    None,
}

impl Server {
    /// Says how a connection to it is made secure.
    #[must_use]
    pub const fn security(&self) -> Security {
        match (self.tls, self.starttls) {
            (true, _) => Security::Tls,
            (false, true) => Security::Starttls,
            (false, false) => Security::None,
        }
    }

    /// Refuses one without TLS that an address says is another machine; whether a name is, shows when it is looked up.
    fn check(&self) -> Result<(), String> {
        let elsewhere = self.host.parse::<std::net::IpAddr>().map_or_else(
            // A name of one's own for this machine has no dot (hosts(5)).
            |_| self.host.contains('.') && !self.host.ends_with(".localhost"),
            |address| !address.is_loopback(),
        );
        if self.tls && self.starttls {
            return Err(format!(
                "`{}` is to be talked to over TLS, or over STARTTLS, and not both; say one",
                self.host
            ));
        }
        if self.security() == Security::None && elsewhere {
            return Err(format!(
                "`{}` is another machine, and without TLS only this one is talked to; connect without `--no-tls`, or over https",
                self.host
            ));
        }
        Ok(())
    }
}

/// What the person gives to sign in with.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// Nothing: a server on this machine that asks for none.
    None,
    /// A password made for this program. Weaker than a token: it has no scope and no end, and only the provider's page
    /// takes it back.
    AppPassword(String),
    /// Tokens of an authorization server.
    Tokens {
        /// For the services.
        access: String,
        /// For new ones.
        refresh: Option<String>,
    },
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}
