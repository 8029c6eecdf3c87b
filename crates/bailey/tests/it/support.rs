//! A home, a mail sink and a scripted model for one test, all real programs on loopback.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bailey_gate::approval::Purpose;
use bailey_gate::event::{Actor, Event, EventKind};
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::{ActionId, Challenge, Digest, HomeId, Nonce};
use bailey_keys::{Passphrase, credential};
use bailey_scripted::{Provider, Script, Turn};
use base64::Engine as _;
use serde_json::{Value, json};
use xtask::servers;

/// The approval passphrase of every test home: a canary, too.
pub const PASSPHRASE: &str = "canary-approval-passphrase";
/// How long anything may take before a test gives up. Never waited out where things work.
const PATIENCE: Duration = Duration::from_secs(90);

static COUNT: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "tests start the real programs")]
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

#[expect(clippy::disallowed_methods, reason = "a test that hangs has to end")]
pub fn clock() -> Instant {
    Instant::now()
}

/// A program beside the one under test.
pub fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_bailey")).with_file_name(name);
    assert!(path.exists(), "`{}` is not built; run the tests with `cargo xtask test`", path.display());
    path
}

/// A folder of a test's own, removed at its end unless it fails.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let name = format!("bailey-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A process that ends with its test.
pub struct Running(Child);

impl Running {
    /// A process that ends with the test.
    pub const fn new(child: Child) -> Self {
        Self(child)
    }

    fn kill(&mut self) {
        // SIGKILL: nothing gets the chance to tidy up.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The real mail server that delivers nowhere.
pub struct Sink {
    folder: PathBuf,
    server: servers::Sink,
}

/// A message as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub from: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

impl Sink {
    fn start(folder: PathBuf) -> Self {
        let server = servers::Sink::start(&folder).unwrap();
        Self { folder, server }
    }

    /// Everything that arrived, in order.
    pub fn arrived(&self) -> Vec<Arrived> {
        let mut names: Vec<PathBuf> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        names.sort();
        let read = |path: &PathBuf| {
            let about: Value = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
            let to = about["to"].as_array().unwrap().iter().map(|to| to.as_str().unwrap().to_owned()).collect();
            Arrived { from: about["from"].as_str().unwrap().into(), to, bytes: fs::read(path).unwrap() }
        };
        names.iter().map(read).collect()
    }

    /// Lets recipients named `slow` have their answer.
    pub fn answer(&self) {
        fs::write(self.folder.join("answer"), b"").unwrap();
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port)
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// Copies a folder with all that lies in it.
pub fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // Sockets are nobody's to copy.
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Tells whether this machine has a place where a home's identity is locked, whatever folder it lies in.
pub fn has_place_for_locks() -> bool {
    let me = rustix::process::geteuid();
    me.is_root() || Path::new(&format!("/run/user/{}", me.as_raw())).is_dir()
}

/// The file outside of the home's folder that tells what ran last, where there is a place for it.
pub fn witness(world: &World) -> PathBuf {
    let me = rustix::process::geteuid();
    let folder = if me.is_root() { "/run".into() } else { format!("/run/user/{}", me.as_raw()) };
    let home = fs::read_to_string(world.data().join("home.id")).unwrap();
    Path::new(&folder).join(format!("bailey-{home}.mark"))
}

/// A home with everything around it.
pub struct World {
    pub folder: Folder,
    pub sink: Sink,
    pub provider: Provider,
    serving: Option<Running>,
    /// What `serve` said when it was ready.
    said: String,
    /// What it says, where nobody reads that.
    unread: Option<std::io::PipeReader>,
}

impl World {
    /// A home whose model plays `turns` for every task; not connected, not running.
    pub fn bare(turns: Vec<Turn>, hold_seconds: u64) -> Self {
        Self::with_scripts(vec![Script { turns, ..Script::default() }], hold_seconds)
    }

    pub fn with_scripts(scripts: Vec<Script>, hold_seconds: u64) -> Self {
        let world = Self::around(scripts);
        world.ok(&["setup"], PASSPHRASE);
        world.hold(hold_seconds);
        world
    }

    /// Everything but a home.
    pub fn unset() -> Self {
        Self::around(Vec::new())
    }

    fn around(scripts: Vec<Script>) -> Self {
        let folder = Folder::new();
        let sink = Sink::start(folder.path().join("sink"));
        let provider = Provider::start(scripts).unwrap();
        Self { folder, sink, provider, serving: None, said: String::new(), unread: None }
    }

    /// A running home with a mail account that may send, and no hold window.
    pub fn new(turns: Vec<Turn>) -> Self {
        Self::holding(turns, 0)
    }

    /// The same with a hold window.
    pub fn holding(turns: Vec<Turn>, hold_seconds: u64) -> Self {
        let mut world = Self::bare(turns, hold_seconds);
        world.serve();
        world.connect("send");
        world
    }

    /// A running home with a mail account that may send, and a dashboard whose port is known before it starts.
    pub fn with_dashboard(turns: Vec<Turn>) -> Self {
        Self::with_scripts_and_dashboard(vec![Script { turns, ..Script::default() }])
    }

    /// The same with a model that plays these scripts.
    pub fn with_scripts_and_dashboard(scripts: Vec<Script>) -> Self {
        let mut world = Self::with_scripts(scripts, 0);
        world.take_port();
        world.serve();
        world.connect("send");
        world
    }

    /// Configures a port for the gateway, and gives it.
    pub fn take_port(&self) -> u16 {
        // Free a moment ago; whoever takes it meanwhile makes the test fail, and says so.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = self.data().join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(
            &path,
            text.replace("127.0.0.1:0\"", &format!("127.0.0.1:{port}\"\nnames = [\"http://bailey.localhost:{port}\"]")),
        )
        .unwrap();
        port
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Configures the scripted model and a hold window; counts from the next start.
    pub fn hold(&self, seconds: u64) {
        let base_url = self.provider.base_url();
        self.configure(&format!(
            "[model]\nkind = \"openai-chat\"\nbase_url = \"{base_url}\"\nname = \"scripted\"\n[home]\nhold_seconds = {seconds}\ntime_zone = \"Europe/Paris\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n"
        ));
    }

    pub fn configure(&self, text: &str) {
        fs::write(self.data().join("config.toml"), text).unwrap();
    }

    pub fn connect(&self, level: &str) -> String {
        let arguments =
            ["connect", "mail", "me@example.org", "--name", "Me Myself", "--no-tls", "--level", level, "--submission"];
        let address = self.sink.address();
        let mut all = arguments.to_vec();
        all.extend([address.as_str(), "--json"]);
        let card: Value = serde_json::from_str(&self.ok(&all, PASSPHRASE)).unwrap();
        card["id"].as_str().unwrap().to_owned()
    }

    /// Starts the home and waits until it answers.
    pub fn serve(&mut self) {
        assert!(self.serving.is_none(), "already running");
        let mut child = self.bailey(&["serve"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        self.said = first_line(&mut child);
        assert!(self.said.starts_with("Bailey runs"), "serve said `{}`", self.said);
        self.serving = Some(Running(child));
    }

    /// Starts the home with further arguments, what it logs going to a file, and waits until it answers.
    pub fn serve_logging(&mut self, arguments: &[&str], log: fs::File) {
        let mut serving = self.bailey(&[&["serve"], arguments].concat());
        let mut child = serving.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        // Whatever it has to say first.
        let lines = BufReader::with_capacity(1, child.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
        self.said = lines.into_iter().find(|line| line.starts_with("Bailey runs")).expect("it never ran");
        self.serving = Some(Running(child));
    }

    /// Starts the home under another account, with a copy of the program that this account can get at, and waits until it answers.
    pub fn serve_as(&mut self, account: u32) {
        let program = self.folder.path().join("bailey");
        let own = env!("CARGO_BIN_EXE_bailey");
        fs::hard_link(own, &program).or_else(|_| fs::copy(own, &program).map(|_| ())).unwrap();
        let mut serving = command("setpriv");
        serving.args(["--reuid", &account.to_string(), "--regid", &account.to_string(), "--clear-groups"]);
        serving.arg(program).args(["serve", "--data"]).arg(self.data()).env("HOME", self.folder.path());
        let mut child = serving.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.said = first_line(&mut child);
        assert!(self.said.starts_with("Bailey runs"), "serve said `{}`", self.said);
        self.serving = Some(Running(child));
    }

    /// Starts the home, and gives what it said first.
    pub fn serve_and_read(&mut self) -> String {
        self.serve();
        self.said.clone()
    }

    /// Starts a home that nobody gives its passphrase; gives what it said.
    pub fn serve_locked(&mut self) -> String {
        let mut child = self.bailey(&["serve"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let line = first_line(&mut child);
        self.serving = Some(Running(child));
        line
    }

    /// Starts the home where nobody reads what is said: the pipe is full.
    pub fn serve_unread(&mut self) {
        /// What a pipe holds, in bytes (pipe(7)).
        const PIPE_BYTES: usize = 65_536;
        let (unread, mut full) = std::io::pipe().unwrap();
        full.write_all(&vec![b'x'; PIPE_BYTES]).unwrap();
        let errors = full.try_clone().unwrap();
        let child = self.bailey(&["serve"]).stdin(Stdio::null()).stdout(full).stderr(errors).spawn().unwrap();
        self.serving = Some(Running(child));
        self.until_answering();
        self.unread = Some(unread);
    }

    /// Waits until the home answers.
    pub fn until_answering(&self) {
        Self::until_true("the home never answered", || {
            let connected = UnixStream::connect(self.data().join("run/home.sock")).is_ok();
            connected && self.run(&["status"], "").status.success()
        });
    }

    pub fn until_true(never: &str, mut look: impl FnMut() -> bool) {
        let started = clock();
        while !look() {
            assert!(started.elapsed() < PATIENCE, "{never}");
            std::thread::yield_now();
        }
    }

    /// Where the gateway listens.
    pub fn gateway(&self) -> String {
        let rest = self.said.split_once("http://").unwrap().1;
        rest.split_once('/').unwrap().0.to_owned()
    }

    /// The process that was started.
    pub fn supervisor(&self) -> u32 {
        self.serving.as_ref().unwrap().0.id()
    }

    /// A process the supervisor has started.
    pub fn child(&self, role: &str) -> i32 {
        let supervisor = self.supervisor();
        let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).unwrap();
        let is = |pid: &&str| {
            let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split('\0').nth(1) == Some(role)
        };
        children.split_whitespace().find(is).unwrap().parse().unwrap()
    }

    /// Waits until the program has ended by itself.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        self.serving.take().unwrap().0.wait().unwrap()
    }

    /// Ends the home without warning.
    pub fn kill(&mut self) {
        self.serving.take().expect("it runs").kill();
    }

    pub fn restart(&mut self) {
        self.kill();
        self.serve();
    }

    pub fn bailey(&self, arguments: &[&str]) -> Command {
        let mut command = command(env!("CARGO_BIN_EXE_bailey"));
        command.args(arguments).arg("--data").arg(self.data()).env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.stderr(Stdio::piped());
        command
    }

    /// Runs a command with a line on its standard input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.bailey(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // A command that asks for nothing may have closed its end already.
        let _ = writeln!(child.stdin.take().unwrap(), "{input}");
        finished(child)
    }

    /// Runs a command that must succeed; returns what it printed.
    pub fn ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "bailey {arguments:?}: {}\n{out}\n{err}", output.status);
        out.into_owned()
    }

    /// Runs a command that must fail; returns its exit code and what it complained.
    pub fn fails(&self, arguments: &[&str], input: &str) -> (i32, String) {
        let output = self.run(arguments, input);
        assert!(
            !output.status.success(),
            "bailey {arguments:?} succeeded: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// A command's data.
    pub fn data_of(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        serde_json::from_str(&self.ok(&all, "")).unwrap()
    }

    /// Gives a task and follows it until it ends or waits.
    pub fn task(&self, words: &str) -> Value {
        self.data_of(&["task", words])
    }

    /// What waits for an answer.
    pub fn approvals(&self) -> Vec<Value> {
        self.data_of(&["approvals"]).as_array().unwrap().clone()
    }

    /// The one thing that waits.
    pub fn waiting(&self) -> Value {
        let mut all = self.approvals();
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    /// Waits until an action is in a state.
    pub fn until(&self, id: &str, state: &str) -> Value {
        self.wait(|| {
            let card = self.get(&format!("/v1/actions/{id}"));
            (card["state"] == state).then_some(card.clone()).ok_or(card)
        })
    }

    /// Waits until a task is in a state.
    pub fn until_task(&self, id: &str, state: &str) -> Value {
        self.wait(|| {
            let card = self.get(&format!("/v1/tasks/{id}"));
            (card["state"] == state).then_some(card.clone()).ok_or(card)
        })
    }

    fn wait(&self, mut look: impl FnMut() -> Result<Value, Value>) -> Value {
        let started = clock();
        loop {
            let seen = self.get("/v1/changes");
            match look() {
                Ok(found) => return found,
                Err(last) => assert!(started.elapsed() < PATIENCE, "it never came to that: {last:#}"),
            }
            self.get(&format!("/v1/changes?after={seen}"));
        }
    }

    /// What any program of this account can do: it reads the token from the disk.
    /// What the requests so far cost at 1,000 and 2,000 for a million tokens read and written. The double counts 100 and 10 for each,
    /// which is believed where it is not below a sixteenth of the bytes; its answers are too short for that.
    pub fn charged(&self) -> f64 {
        let requests = self.provider.requests();
        let read: usize = requests.iter().map(|body| (body.len() / 16).max(100)).sum();
        (1_000.0 * f64::from(u32::try_from(read).unwrap())
            + 2_000.0 * f64::from(10 * u32::try_from(requests.len()).unwrap()))
            / 1e6
    }

    pub fn token(&self) -> String {
        fs::read_to_string(self.data().join("home/token")).unwrap()
    }

    pub fn get(&self, path: &str) -> Value {
        self.request("GET", path, &Value::Null).1
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.request("POST", path, body)
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.request_as(&self.token(), method, path, &if method == "GET" { String::new() } else { body.to_string() })
    }

    /// One request over the home's socket, as any program could make it.
    pub fn request_as(&self, token: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = UnixStream::connect(self.data().join("run/home.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: home\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // An answer may come, and the connection go, before a body nobody wants is taken.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// The proof a person's passphrase makes for a purpose.
    pub fn prove(&self, purpose: &Purpose, passphrase: &str) -> Value {
        let (_, challenge) = self.post("/v1/challenge", &Value::Null);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let home: HomeId = text(&challenge["home"]).parse().unwrap();
        let asked: Challenge = text(&challenge["challenge"]).parse().unwrap();
        let salt: Nonce = text(&challenge["credentials"][0]["salt"]).parse().unwrap();
        let key = credential::signing_key(&Passphrase::new(passphrase.into()), salt.as_bytes()).unwrap();
        let signature = base64::engine::general_purpose::STANDARD.encode(key.sign(&purpose.message(&home, &asked)));
        json!({
            "challenge": text(&challenge["challenge"]),
            "credential": text(&challenge["credentials"][0]["id"]),
            "assertion": {"kind": "passphrase-key", "signature": signature},
            "session": "00".repeat(16),
        })
    }

    /// Every file the home left on disk, by name.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut open = vec![self.data()];
        let mut out = Vec::new();
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if let Ok(bytes) = fs::read(&path) {
                    out.push((path, bytes));
                }
            }
        }
        out
    }
}

/// A person's mail account at a real mail server, with an authorization server beside it.
pub struct Account {
    pub world: World,
    pub server: servers::MailServer,
    pub issuer: servers::Issuer,
}

impl Account {
    /// A running home that believes the mail server's authority; nothing is connected. Tokens live so many seconds.
    pub fn new(turns: Vec<Turn>, token_seconds: u32) -> Self {
        Self::with_scripts(vec![Script { turns, ..Script::default() }], token_seconds)
    }

    /// The same with a model that plays these scripts.
    pub fn with_scripts(scripts: Vec<Script>, token_seconds: u32) -> Self {
        let mut world = World::with_scripts(scripts, 0);
        let issuer = servers::Issuer::start(world.folder.path(), token_seconds).unwrap();
        let server =
            servers::MailServer::start(&world.folder.path().join("d"), issuer.port, world.sink.server.port).unwrap();
        let config = fs::read_to_string(world.data().join("config.toml")).unwrap();
        world.configure(
            &config.replace(
                "[home]\n",
                &format!("[home]\ncertificate_authorities = \"{}\"\n", server.authority().display()),
            ),
        );
        world.serve();
        Self { world, server, issuer }
    }

    /// The same with a dashboard whose port is known before it starts, to which the authorization server sends browsers back.
    pub fn with_dashboard(turns: Vec<Turn>) -> Self {
        Self::with_scripts_and_dashboard(vec![Script { turns, ..Script::default() }])
    }

    /// The same with a model that plays these scripts.
    pub fn with_scripts_and_dashboard(scripts: Vec<Script>) -> Self {
        let mut world = World::with_scripts(scripts, 0);
        let port = world.take_port();
        let back = format!("http://bailey.localhost:{port}/oauth/back");
        let issuer = servers::Issuer::start_for(world.folder.path(), 300, &back).unwrap();
        let server =
            servers::MailServer::start(&world.folder.path().join("d"), issuer.port, world.sink.server.port).unwrap();
        let config = fs::read_to_string(world.data().join("config.toml")).unwrap();
        let authority = format!("[home]\ncertificate_authorities = \"{}\"\n", server.authority().display());
        world.configure(&config.replace("[home]\n", &authority));
        world.serve();
        Self { world, server, issuer }
    }

    /// `connect mail` with both servers over TLS.
    pub fn arguments(&self, level: &str, more: &[&str]) -> Vec<String> {
        let imap = format!("localhost:{}", self.server.imaps_port);
        let submission = format!("localhost:{}", self.server.submissions_port);
        let fixed = [
            "connect",
            "mail",
            servers::ACCOUNT,
            "--level",
            level,
            "--imap",
            &imap,
            "--submission",
            &submission,
            "--json",
        ];
        fixed.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    /// Connects with the app password; returns the connection.
    pub fn with_password(&self, level: &str) -> String {
        let arguments = self.arguments(level, &["--app-password"]);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let card: Value =
            serde_json::from_str(&self.world.ok(&words, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD))).unwrap();
        card["id"].as_str().unwrap().to_owned()
    }

    /// Connects by signing in with a browser, which `alter` may lead astray; returns what the command printed.
    pub fn sign_in(&self, level: &str, alter: impl FnOnce(String) -> String) -> Output {
        self.sign_in_as(level, &[], PASSPHRASE, alter)
    }

    /// The same with further arguments, and what they make the command ask for.
    pub fn sign_in_as(&self, level: &str, more: &[&str], input: &str, alter: impl FnOnce(String) -> String) -> Output {
        let issuer = self.issuer.url();
        let arguments = self.arguments(level, &[&["--oauth", issuer.as_str()], more].concat());
        self.sign_in_with(&arguments, input, alter)
    }

    /// Runs a command that signs in with a browser.
    pub fn sign_in_with(&self, arguments: &[String], input: &str, alter: impl FnOnce(String) -> String) -> Output {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = self.world.bailey(&words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{input}").unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("http") {
            line.clear();
            if told.read_line(&mut line).unwrap() == 0 {
                return child.wait_with_output().unwrap();
            }
        }
        browse(&alter(line.trim().to_owned()));
        let mut rest = Vec::new();
        told.read_to_end(&mut rest).unwrap();
        let output = child.wait_with_output().unwrap();
        Output { stderr: rest, ..output }
    }
}

/// Follows an address as a browser would: redirects and cookies, until a page comes.
pub fn browse(url: &str) -> (u16, String) {
    follow(url, |_| false).unwrap_or_else(|next| panic!("it leads to {next}"))
}

/// Follows an address in the same way, as far as one that is not to be followed; gives that one.
pub fn follow(url: &str, stops: impl Fn(&str) -> bool) -> Result<(u16, String), String> {
    let mut cookies: Vec<String> = Vec::new();
    let mut url = url.to_owned();
    for _ in 0..10 {
        if stops(&url) {
            return Err(url);
        }
        let rest = url.strip_prefix("http://").unwrap().to_owned();
        let (host, path) = rest.find('/').map_or((rest.as_str(), "/"), |at| rest.split_at(at));
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        let cookie = cookies.join("; ");
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let field = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(": "))
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
                .collect::<Vec<_>>()
        };
        for set in field("set-cookie") {
            let pair = set.split(';').next().unwrap().to_owned();
            let name = pair.split('=').next().unwrap().to_owned();
            cookies.retain(|cookie| !cookie.starts_with(&format!("{name}=")));
            cookies.push(pair);
        }
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        match field("location").first() {
            Some(next) if next.starts_with("http") => url = next.clone(),
            Some(next) => url = format!("http://{host}{next}"),
            None => return Ok((status, body.to_owned())),
        }
    }
    panic!("too many redirects");
}

/// A text in the forms it could hide in.
pub fn forms(text: &str) -> Vec<Vec<u8>> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut out = vec![text.as_bytes().to_vec(), hex.clone().into_bytes(), hex.to_uppercase().into_bytes()];
    out.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    let percent = |upper: bool| -> Vec<u8> {
        let one = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        text.bytes().flat_map(|byte| one(byte).into_bytes()).collect()
    };
    out.extend([percent(true), percent(false)]);
    for offset in 0..3 {
        // The middle of the encoding does not depend on what stands around it.
        let padded = [vec![b'x'; offset], text.as_bytes().to_vec()].concat();
        let encoded = base64::engine::general_purpose::STANDARD.encode(padded);
        out.push(encoded.as_bytes()[4..encoded.len() - 4].to_vec());
    }
    out
}

/// What an approval names of a card.
pub fn shown(card: &Value) -> (ActionId, Digest) {
    (card["id"].as_str().unwrap().parse().unwrap(), card["digest"].as_str().unwrap().parse().unwrap())
}

/// The identity of a card.
pub fn id(card: &Value) -> String {
    card["id"].as_str().unwrap().to_owned()
}

/// A turn that sends a mail.
pub fn send(to: &str, subject: &str, body: &str) -> Turn {
    Turn::call("mail_send", json!({"to": to, "subject": subject, "body": body, "why": "the person asked for it"}))
}

/// What a program printed by its end. One that does not end is ended, and is a failure.
pub fn finished(child: Child) -> Output {
    let pid = rustix::process::Pid::from_child(&child);
    let (sender, recipient) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    recipient
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            panic!("the command waits for ever");
        })
        .unwrap()
}

/// Puts something that is no list of rules in the place of a stopped home's rules, as a fault in the program could.
pub fn damage_rules(data: &Path) {
    let home = bailey_home::Layout::new(data).info().unwrap().home.parse::<HomeId>().unwrap();
    put_record(data, "rules", home.as_bytes(), b"{");
}

/// Puts anything in the place of a record of a stopped home.
pub fn put_record(data: &Path, kind: &'static str, owner: &[u8], bytes: &[u8]) {
    let name = bailey_ledger::RecordName { kind, owner, n: 0 };
    opened(data).write(|tx| tx.put_record(name, bytes).map(|_| ())).unwrap();
}

/// Writes into a stopped home's log that something was erased, as whatever erases something does.
pub fn note_erasure(data: &Path) {
    let now = bailey_home::Clock::new(None).unwrap().now();
    let (mode, epoch, lease_epoch) = (Mode::Open, 0, 0);
    let entry = Event::of_home(EventKind::Erased, Actor::Person, now, PauseState { mode, epoch, lease_epoch });
    opened(data).write(|tx| tx.append(&entry, None).map(|_| ())).unwrap();
}

/// Opens the store of a stopped home.
pub fn opened(data: &Path) -> bailey_ledger::Ledger {
    let place = bailey_supervisor::Place::new(data);
    let key = place.unwrap(&place.root_key(None).unwrap().unwrap()).unwrap();
    let (database, keys) = (data.join("home/ledger.db"), data.join("home/keys.db"));
    let mark = Box::new(bailey_ledger::MarkFile::new(&data.join("state/mark")));
    let now = bailey_home::Clock::new(None).unwrap().now();
    let paths = bailey_ledger::Paths { database: &database, keys: &keys, mark, create: false };
    bailey_ledger::Ledger::open(paths, key, now).unwrap().0
}
