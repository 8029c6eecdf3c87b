//! The real services the tests and the demo run against, on free loopback ports and in folders of their own.
//!
//! An authorization server (the certified `oidc-provider`), a mail server (Dovecot: IMAP and submission), a mail server
//! that delivers nowhere (aiosmtpd), a calendar server that tells nobody anything (Radicale), and one that tells guests by itself (Cyrus). Nothing is installed into the system, no system service is started, and all of it ends
//! with the process that started it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::process::{cache, command, root};

/// The person every peer knows.
pub const ACCOUNT: &str = "me@bailey.test";
/// Their app password.
pub const APP_PASSWORD: &str = "canary-app-password";
/// The client the mail server uses to ask about tokens.
const INTROSPECT_SECRET: &str = "canary-introspection-secret";
/// How long a peer may take to come up before it is started once more.
const READY_WITHIN: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "a peer that hangs at start has to be noticed")]
fn clock() -> Instant {
    Instant::now()
}

/// A process that ends with its owner.
#[derive(Debug)]
pub struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        // What cannot be killed has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a process and reads its first line, which names its port.
fn announced(mut command: Command, prefix: &str) -> Result<(Peer, u16), String> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let mut line = String::new();
    let out = child.stdout.take().ok_or("it has no output")?;
    let mut out = BufReader::new(out);
    out.read_line(&mut line).map_err(|error| error.to_string())?;
    // Keep reading, so that the peer never blocks on a full pipe.
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let port = line.trim().strip_prefix(prefix).and_then(|port| port.trim().parse().ok());
    port.map(|port| (Peer(child), port)).ok_or_else(|| format!("it said `{}` instead of its port", line.trim()))
}

fn quiet(command: &mut Command, log: &Path) -> Result<(), String> {
    let file = fs::File::create(log).map_err(|error| format!("`{}`: {error}", log.display()))?;
    command.stdin(Stdio::null()).stderr(file);
    Ok(())
}

/// The mail server that delivers nowhere; see `xtask/servers/sink.py`.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens.
    pub port: u16,
    _process: Peer,
}

impl Sink {
    /// Starts it; messages go to `folder`.
    pub fn start(folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let mut program = command(cache().join("servers/bin/python"));
        program.arg(root().join("xtask/servers/sink.py")).arg(folder);
        quiet(&mut program, &folder.with_extension("log"))?;
        let (process, port) = announced(program, "port ").map_err(|why| missing("the mail sink", &why))?;
        Ok(Self { port, _process: process })
    }
}

fn missing(what: &str, why: &str) -> String {
    format!("{what} did not start ({why}); run the tests with `cargo xtask test`, which installs it")
}

/// Returns where the library lies that looks for what keeps people from using a page (axe-core).
#[must_use]
pub fn axe() -> PathBuf {
    cache().join("op/node_modules/axe-core/axe.min.js")
}

/// The authorization server; see `xtask/servers/op.mjs`.
#[derive(Debug)]
pub struct Issuer {
    /// Where it listens.
    pub port: u16,
    _process: Peer,
}

impl Issuer {
    /// Starts it with a life time for access tokens, in seconds.
    pub fn start(folder: &Path, token_seconds: u32) -> Result<Self, String> {
        Self::start_for(folder, token_seconds, "")
    }

    /// Starts it with a client `at-the-dashboard` as well, whose browsers it sends back to an address.
    pub fn start_for(folder: &Path, token_seconds: u32, back: &str) -> Result<Self, String> {
        let home = cache().join("op");
        let mut program = command(node());
        // What other servers do differently, on demand.
        program.current_dir(&home).arg("--import").arg(root().join("xtask/servers/quirks.mjs"));
        program.arg(home.join("op.mjs"));
        program.env("OP_AT_TTL", token_seconds.to_string()).env("OP_INTROSPECT_SECRET", INTROSPECT_SECRET);
        program.env("OP_BACK", back);
        quiet(&mut program, &folder.join("op.log"))?;
        let (process, port) =
            announced(program, "READY http://127.0.0.1:").map_err(|why| missing("the authorization server", &why))?;
        Ok(Self { port, _process: process })
    }

    /// Tells how many grants were ended by revocation requests so far: the other side's word.
    pub fn revoked(&self) -> Result<u64, String> {
        let body = self.ask("revoked")?;
        body.parse().map_err(|_| format!("it answered `{body}`"))
    }

    /// Returns every access and refresh token issued so far.
    pub fn issued(&self) -> Result<Vec<String>, String> {
        issued_at(self.port)
    }

    /// Lets it differ from the standards in these ways, and in no others; see `xtask/servers/quirks.mjs`.
    pub fn differ(&self, quirks: &serde_json::Value) -> Result<(), String> {
        self.tell("quirks", &quirks.to_string()).map(|_| ())
    }

    /// Returns the person removes the app at the provider.
    pub fn remove_access(&self, account: &str) -> Result<(), String> {
        self.tell("remove-access", &serde_json::json!({ "account": account }).to_string()).map(|_| ())
    }

    fn ask(&self, what: &str) -> Result<String, String> {
        self.tell(what, "")
    }

    fn tell(&self, what: &str, body: &str) -> Result<String, String> {
        tell_issuer(self.port, what, body)
    }

    /// Returns its identity: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Returns every token that the authorization server at a port issued so far.
pub fn issued_at(port: u16) -> Result<Vec<String>, String> {
    Ok(tell_issuer(port, "issued", "")?.lines().map(str::to_owned).collect())
}

fn tell_issuer(port: u16, what: &str, body: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    let request = format!(
        "POST /test/{what} HTTP/1.1\r\nhost: op\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.trim().to_owned());
    body.ok_or_else(|| format!("it answered `{answer}`"))
}

/// Schemathesis, which makes requests of an OpenAPI document and holds the answers against it. Run it to its end: with success where it
/// finds nothing.
#[must_use]
pub fn schemathesis(config: &Path, document: &str, token: &str) -> Command {
    let mut program = command(cache().join("schemathesis/bin/schemathesis"));
    program.arg("--config-file").arg(config).args(["run", document, "--no-color"]);
    program.arg("--header").arg(format!("Authorization: Bearer {token}"));
    program
}

/// Returns what python-dateutil and libical make of rules of repetition; the lines are those of `xtask/servers/recur.py`.
pub fn recurrences(lines: &str) -> Result<String, String> {
    let found = |folder: PathBuf| {
        fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find(|path| path.join("libical.so.3").exists())
    };
    let library = found(cache().join("libical/usr/lib")).ok_or_else(|| missing("libical", "it is not installed"))?;
    let mut program = command(cache().join("servers/bin/python"));
    program
        .arg(root().join("xtask/servers/recur.py"))
        .arg(library.join("libical.so.3"))
        .env("LD_LIBRARY_PATH", &library);
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| missing("python-dateutil", &error.to_string()))?;
    let mut input = child.stdin.take().ok_or("it takes no input")?;
    let lines = lines.to_owned();
    // Written beside, so that neither side waits for the other.
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let written = writer.join().map_err(|_| "the rules could not be handed over".to_owned())?;
    match output.status.success() && written.is_ok() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(missing("python-dateutil or libical", &output.status.to_string())),
    }
}

/// Returns the Node that runs the authorization server: the machine's own if it is new enough, else one from PyPI.
#[must_use]
pub(crate) fn node() -> PathBuf {
    let own = cache().join("node/bin/node");
    if own.exists() { own } else { PathBuf::from("node") }
}

/// Dovecot: IMAP and submission, in plain and over TLS, for app passwords and access tokens.
#[derive(Debug)]
pub struct MailServer {
    folder: PathBuf,
    /// IMAP over TLS.
    pub imaps_port: u16,
    /// IMAP in plain.
    pub imap_port: u16,
    /// Submission over TLS.
    pub submissions_port: u16,
    /// Submission in plain, with STARTTLS.
    pub submission_port: u16,
    _process: Peer,
}

impl MailServer {
    /// Starts it; it asks `issuer` about tokens and relays to `sink`. `folder` is short and absolute.
    pub fn start(folder: &Path, issuer_port: u16, sink_port: u16) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        for part in ["run", "mail", "tls"] {
            fs::create_dir_all(folder.join(part)).map_err(failed)?;
        }
        fs::write(folder.join("passwd"), format!("{ACCOUNT}:{APP_PASSWORD}\n")).map_err(failed)?;
        certificates(&folder.join("tls"))?;
        // Another process may take a port between choosing and listening; then the next try chooses others.
        let mut last = String::new();
        for _ in 0..3 {
            match Self::try_start(folder, issuer_port, sink_port) {
                Ok(server) => return Ok(server),
                Err(why) => last = why,
            }
        }
        Err(missing("the mail server", &last))
    }

    fn try_start(folder: &Path, issuer_port: u16, sink_port: u16) -> Result<Self, String> {
        let [imap, imaps, submission, submissions] = free_ports()?;
        let dir = folder.display().to_string();
        let config = template("dovecot.conf.in")?
            .replace("@DIR@", &dir)
            .replace("@IMAP_PORT@", &imap.to_string())
            .replace("@IMAPS_PORT@", &imaps.to_string())
            .replace("@SUBMISSION_PORT@", &submission.to_string())
            .replace("@SUBMISSIONS_PORT@", &submissions.to_string())
            .replace("@RELAY_PORT@", &sink_port.to_string());
        let file = folder.join("dovecot.conf");
        fs::write(&file, config).map_err(|error| error.to_string())?;
        for service in ["imap", "submission"] {
            let text = template("dovecot-oauth2.conf.in")?
                .replace("@SERVICE@", service)
                .replace("@INTROSPECT_SECRET@", INTROSPECT_SECRET)
                .replace("@OP_HOST_PORT@", &format!("127.0.0.1:{issuer_port}"));
            fs::write(folder.join(format!("oauth2-{service}.conf")), text).map_err(|error| error.to_string())?;
        }
        let mut program = namespaced(&cache().join("dovecot"), "exec /usr/sbin/dovecot -F -c \"$1\"", &file);
        quiet(&mut program, &folder.join("start.log"))?;
        let process = Peer(program.spawn().map_err(|error| error.to_string())?);
        let server = Self {
            folder: folder.into(),
            imaps_port: imaps,
            imap_port: imap,
            submissions_port: submissions,
            submission_port: submission,
            _process: process,
        };
        greets(imap, b"* OK").and_then(|()| greets(submission, b"220 "))?;
        Ok(server)
    }

    /// Returns the certificate authority its certificate comes from.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("tls/ca.pem")
    }

    /// Puts a message into a folder of the person's, as if it had arrived: `""` is the inbox.
    pub fn deliver(&self, mailbox: &str, name: &str, message: &str) -> Result<(), String> {
        let maildir = self.folder.join("mail").join(ACCOUNT).join("Maildir");
        let folder = if mailbox.is_empty() { maildir } else { maildir.join(format!(".{mailbox}")) };
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(folder.join(part)).map_err(|error| error.to_string())?;
        }
        let fresh = folder.join("tmp").join(name);
        fs::write(&fresh, message.replace("\r\n", "\n")).map_err(|error| error.to_string())?;
        fs::rename(fresh, folder.join("new").join(name)).map_err(|error| error.to_string())
    }

    /// Returns the messages that lie in a folder of the person's, as files: what IMAP would say, from the other side.
    pub fn stored(&self, mailbox: &str) -> Vec<PathBuf> {
        let maildir = self.folder.join("mail").join(ACCOUNT).join("Maildir");
        let folder = if mailbox.is_empty() { maildir } else { maildir.join(format!(".{mailbox}")) };
        let list = |part: &str| {
            fs::read_dir(folder.join(part)).map(|all| all.flatten().map(|entry| entry.path()).collect::<Vec<_>>())
        };
        let mut all = [list("new").unwrap_or_default(), list("cur").unwrap_or_default()].concat();
        all.sort();
        all
    }
}

/// A double of the web server of a provider's domain; see `xtask/servers/wellknown.py`.
#[derive(Debug)]
pub struct WebServer {
    folder: PathBuf,
    /// Where it listens, over TLS, with the certificate of the mail server's authority.
    pub port: u16,
    _process: Peer,
}

impl WebServer {
    /// Starts it with the certificate of a mail server; its pages are to be put with [`WebServer::page`].
    pub fn start(folder: &Path, mail: &MailServer) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let tls = mail.folder.join("tls");
        let mut program = command(cache().join("servers/bin/python"));
        program.arg(root().join("xtask/servers/wellknown.py"));
        program.arg(tls.join("server.pem")).arg(tls.join("server.key")).arg(folder);
        quiet(&mut program, &folder.join("web.log"))?;
        let (process, port) = announced(program, "port ").map_err(|why| missing("the web server", &why))?;
        Ok(Self { folder: folder.into(), port, _process: process })
    }

    /// Puts a page at a path.
    pub fn page(&self, path: &str, text: &str) -> Result<(), String> {
        let file = self.folder.join(path.trim_matches('/'));
        let above = file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(above).and_then(|()| fs::write(&file, text)).map_err(|error| error.to_string())
    }

    /// Lets paths answer with a status, and send on: `{"/path": [301, "https://…"]}`.
    pub fn answers(&self, answers: &serde_json::Value) -> Result<(), String> {
        self.page("answers.json", &answers.to_string())
    }

    /// Returns the requests so far: method, path, and whether a credential was shown.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("requests.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

/// Radicale: calendars over CalDAV, address books over CardDAV.
#[derive(Debug)]
pub struct CalendarServer {
    folder: PathBuf,
    /// Where it listens.
    pub port: u16,
    _process: Peer,
}

impl CalendarServer {
    /// Starts it with one empty calendar of the person's. `reader@bailey.test` may look at it and change nothing.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let calendar = folder.join("collections/collection-root").join(ACCOUNT).join("calendar");
        fs::create_dir_all(&calendar).map_err(|error| error.to_string())?;
        fs::write(calendar.join(".Radicale.props"), "{\"tag\": \"VCALENDAR\"}").map_err(|error| error.to_string())?;
        fs::write(folder.join("users"), format!("{ACCOUNT}:{APP_PASSWORD}\nreader@bailey.test:{APP_PASSWORD}\n"))
            .map_err(|error| error.to_string())?;
        fs::write(folder.join("rights"), template("radicale/rights")?).map_err(|error| error.to_string())?;
        let mut last = String::new();
        for _ in 0..3 {
            let [port] = free_ports()?;
            let config = template("radicale/config.in")?
                .replace("@DIR@", &folder.display().to_string())
                .replace("@PORT@", &port.to_string());
            fs::write(folder.join("config"), config).map_err(|error| error.to_string())?;
            let mut program = command(cache().join("servers/bin/python"));
            program.args(["-m", "radicale", "--config"]).arg(folder.join("config")).stdout(Stdio::null());
            quiet(&mut program, &folder.join("radicale.log"))?;
            let process = Peer(program.spawn().map_err(|error| missing("the calendar server", &error.to_string()))?);
            match listens(port) {
                Ok(()) => return Ok(Self { folder: folder.into(), port, _process: process }),
                Err(why) => last = why,
            }
        }
        Err(missing("the calendar server", &last))
    }

    /// Returns the address of the person's calendar.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}/calendar/", self.port)
    }

    /// Makes an address book of the person's beside the calendar, with these cards (vCard text, lines ending in `\n`), and
    /// returns its address.
    pub fn address_book(&self, cards: &[&str]) -> Result<String, String> {
        let book = self.folder.join("collections/collection-root").join(ACCOUNT).join("people");
        fs::create_dir_all(&book).map_err(|error| error.to_string())?;
        fs::write(book.join(".Radicale.props"), "{\"tag\": \"VADDRESSBOOK\"}").map_err(|error| error.to_string())?;
        for (n, card) in cards.iter().enumerate() {
            fs::write(book.join(format!("{n}.vcf")), card.replace('\n', "\r\n")).map_err(|error| error.to_string())?;
        }
        Ok(format!("http://127.0.0.1:{}/{ACCOUNT}/people/", self.port))
    }

    /// Returns the entries that lie in the person's calendar, as files.
    #[must_use]
    pub fn stored(&self) -> Vec<String> {
        let calendar = self.folder.join("collections/collection-root").join(ACCOUNT).join("calendar");
        let all = fs::read_dir(calendar)
            .map(|all| all.flatten().map(|entry| entry.path()).collect::<Vec<_>>())
            .unwrap_or_default();
        let mut entries: Vec<String> = all
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "ics"))
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect();
        entries.sort();
        entries
    }

    /// Puts an entry into the person's calendar, as another program of theirs would.
    pub fn add(&self, name: &str, entry: &str) -> Result<(), String> {
        let calendar = self.folder.join("collections/collection-root").join(ACCOUNT).join("calendar");
        fs::write(calendar.join(format!("{name}.ics")), entry.replace('\n', "\r\n")).map_err(|error| error.to_string())
    }
}

/// Cyrus: calendars whose server tells guests by itself (RFC 6638), those of `bailey.test` alone.
#[derive(Debug)]
pub struct SchedulingServer {
    /// Where its calendars are.
    pub port: u16,
    _process: Peer,
}

/// Somebody else whose calendars lie at the same server; their password is [`APP_PASSWORD`], too.
pub const COLLEAGUE: &str = "bo@bailey.test";

impl SchedulingServer {
    /// Starts it with an empty calendar each for [`ACCOUNT`] and [`COLLEAGUE`]. `folder` is short and absolute.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let mut last = String::new();
        for _ in 0..3 {
            match Self::try_start(folder) {
                Ok(server) => return Ok(server),
                Err(why) => last = why,
            }
        }
        Err(missing("the calendar server that schedules", &last))
    }

    fn try_start(folder: &Path) -> Result<Self, String> {
        /// Makes the accounts, and serves.
        const SCRIPT: &str = "cd \"$1\"
            for user in admin me bo; do saslpasswd2 -p -c -f sasldb2 -u bailey.test $user < password; done
            exec /usr/lib/cyrus/bin/master -C \"$1/imapd.conf\" -M \"$1/cyrus.conf\" -p \"$1/master.pid\" -D";
        let failed = |error: std::io::Error| error.to_string();
        let [imap, http] = free_ports()?;
        let _ = fs::remove_dir_all(folder);
        for part in ["conf/socket", "conf/proc", "conf/db", "conf/log", "conf/msg", "mail", "sieve"] {
            fs::create_dir_all(folder.join(part)).map_err(failed)?;
        }
        fs::write(folder.join("password"), APP_PASSWORD).map_err(failed)?;
        for name in ["imapd.conf", "cyrus.conf"] {
            let text = template(&format!("cyrus/{name}.in"))?
                .replace("@DIR@", &folder.display().to_string())
                .replace("@IMAP_PORT@", &imap.to_string())
                .replace("@HTTP_PORT@", &http.to_string());
            fs::write(folder.join(name), text).map_err(failed)?;
        }
        let mut program = namespaced(&cache().join("cyrus"), SCRIPT, folder);
        quiet(&mut program, &folder.join("start.log"))?;
        let process = Peer(program.spawn().map_err(failed)?);
        greets(imap, b"* OK")?;
        Self::make_accounts(imap)?;
        listens(http)?;
        let server = Self { port: http, _process: process };
        // Whoever has never looked has no calendar yet, and could not be invited.
        for user in [ACCOUNT, COLLEAGUE] {
            server.entries(user)?;
        }
        Ok(server)
    }

    fn make_accounts(port: u16) -> Result<(), String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(stream.try_clone().map_err(|error| error.to_string())?).lines();
        let login = format!("LOGIN admin@bailey.test {APP_PASSWORD}");
        let make = |user: &str| format!("CREATE user/{user}");
        for (at, command) in [login, make(ACCOUNT), make(COLLEAGUE)].into_iter().enumerate() {
            stream.write_all(format!("a{at} {command}\r\n").as_bytes()).map_err(|error| error.to_string())?;
            let answer = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with(&format!("a{at} ")));
            if !answer.as_ref().is_some_and(|answer| answer.starts_with(&format!("a{at} OK"))) {
                return Err(format!("it answered `{}` to an account", answer.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Returns the address of somebody's calendar.
    #[must_use]
    pub fn url(&self, user: &str) -> String {
        format!("http://127.0.0.1:{}/dav/calendars/user/{user}/Default/", self.port)
    }

    /// Returns all that lies in somebody's calendar, as one object: what their own program would see, lines unfolded.
    pub fn entries(&self, user: &str) -> Result<String, String> {
        let home = format!("/dav/calendars/user/{user}/");
        self.ask("PROPFIND", &home, user, "")?;
        let (_, body) = self.ask("GET", &format!("{home}Default/"), user, "")?;
        Ok(body.replace("\r\n ", ""))
    }

    /// Puts an entry into somebody's calendar, as their own program would.
    pub fn add(&self, user: &str, name: &str, entry: &str) -> Result<(), String> {
        let path = format!("/dav/calendars/user/{user}/Default/{name}.ics");
        match self.ask("PUT", &path, user, &entry.replace("\r\n", "\n").replace('\n', "\r\n"))? {
            (200..=299, _) => Ok(()),
            (status, body) => Err(format!("status {status}: {body}")),
        }
    }

    fn ask(&self, method: &str, path: &str, user: &str, body: &str) -> Result<(u16, String), String> {
        use base64::Engine as _;
        let secret = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{APP_PASSWORD}"));
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| error.to_string())?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ndepth: 1\r\nauthorization: Basic {secret}\r\ncontent-type: text/calendar; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(|error| error.to_string())?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("it answered `{answer}`"))?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("it gave no status")?;
        Ok((status, body.to_owned()))
    }
}

fn listens(port: u16) -> Result<(), String> {
    let started = clock();
    while started.elapsed() < READY_WITHIN {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::yield_now();
    }
    Err(format!("port {port} does not answer"))
}

/// Starts a server in a mount namespace where its files lie over `/usr`, as an ordinary user of a namespace of its own: by a script whose
/// first argument is `about`.
///
/// Such servers look for their parts where they were compiled to, and refuse to serve mail as root. A process namespace makes all of it
/// end with the process started here.
fn namespaced(tree: &Path, script: &str, about: &Path) -> Command {
    const SCRIPT: &str = "mount -t overlay overlay -o \"lowerdir=$1/usr:/usr\" /usr
        exec unshare --user --map-user=65534 --map-group=65534 -- sh -euc \"$2\" sh \"$3\"";
    let mut program = command("setpriv");
    program.args([
        "--pdeathsig",
        "KILL",
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
    ]);
    program.args(["--", "sh", "-euc", SCRIPT, "sh"]).arg(tree).arg(script).arg(about).stdout(Stdio::null());
    program
}

fn template(name: &str) -> Result<String, String> {
    let path = root().join("xtask/servers").join(name);
    fs::read_to_string(&path).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// Ports for servers that have to be told theirs: below those the system hands out by itself (32768 and up), or one of
/// these could be handed to somebody else before its server has taken it.
const PORTS: std::ops::Range<u32> = 18_000..32_000;
/// How many were tried so far.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// Ports that are free, and that nobody else of this process gets.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N], String> {
    let span = PORTS.end - PORTS.start;
    // Processes beginning at the same place would meet at every step.
    let first = std::process::id().wrapping_mul(7_919) % span;
    let mut ports = Vec::new();
    for _ in PORTS {
        let at = first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % span;
        let port = u16::try_from(PORTS.start + at).unwrap_or(u16::MAX);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            ports.push(port);
        }
        if ports.len() == N {
            break;
        }
    }
    ports.try_into().map_err(|_| "no free ports".to_owned())
}

fn greets(port: u16, greeting: &[u8]) -> Result<(), String> {
    let started = clock();
    while started.elapsed() < READY_WITHIN {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut first = vec![0; greeting.len()];
            let _ = stream.set_read_timeout(Some(READY_WITHIN));
            if stream.read_exact(&mut first).is_ok() && first == greeting {
                return Ok(());
            }
        }
        std::thread::yield_now();
    }
    Err(format!("port {port} did not greet"))
}

/// Returns a certificate authority and a certificate for this machine's loopback names.
fn certificates(folder: &Path) -> Result<(), String> {
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
    let authority = [
        "-subj",
        "/CN=bailey test CA",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ];
    let server = [
        "-subj",
        "/CN=localhost",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-addext",
        "extendedKeyUsage=serverAuth",
        "-keyout",
        "server.key",
        "-out",
        "server.pem",
    ];
    for rest in [authority.as_slice(), server.as_slice()] {
        let mut program = command("openssl");
        program.current_dir(folder).args(["req", "-x509"]).args(curve).args(rest);
        let output = program.output().map_err(|error| format!("openssl cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(())
}
