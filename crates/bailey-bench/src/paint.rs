//! How soon a page of the dashboard is painted in a real browser (Debian's Chromium, by its own chromedriver), beside a copy of the same page
//! that a program serves which does nothing else.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Table, Times, show};

type Done = Result<(), Box<dyn Error>>;

/// Pages that are measured.
const PAGES: [&str; 5] = ["/talk", "/approvals", "/activity", "/connections", "/settings"];
/// How often each is opened, and before that without being measured.
const ROUNDS: usize = 15;
const WARM: usize = 2;
/// Width and height of the window, in CSS pixels.
const WINDOW: (u32, u32) = (1_280, 900);
/// How long the driver may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives when the page that is open was painted first, in milliseconds since it was asked for (Paint Timing, w3.org/TR/paint-timing).
const PAINTED: &str = "
    const done = arguments[arguments.length - 1];
    const look = () => {
      const found = performance.getEntriesByName('first-contentful-paint')[0];
      if (found) done(found.startTime); else setTimeout(look, 5);
    };
    look();";
/// Gives the text of a page, as it is sent.
const TEXT: &str = "
    const done = arguments[arguments.length - 1];
    fetch(location.href, {headers: {accept: 'text/html'}}).then(got => got.text()).then(done);";
/// Scrolls from the top of the page to its end in steps of a frame; gives the times of all frames, in milliseconds.
const SCROLLED: &str = "
    const done = arguments[arguments.length - 1];
    const all = document.documentElement.scrollHeight - innerHeight, steps = 60, times = [];
    let last = null, step = 0;
    const frame = now => {
      if (last !== null) times.push(now - last);
      last = now;
      if (step++ === steps) return done(times);
      scrollTo(0, all * step / steps);
      requestAnimationFrame(frame);
    };
    scrollTo(0, 0);
    requestAnimationFrame(() => requestAnimationFrame(frame));";

/// A browser, and the driver that leads it.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

#[expect(clippy::disallowed_methods, reason = "what is measured is what a browser paints")]
fn program(name: &str) -> Command {
    Command::new(name)
}

impl Browser {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut driver = program("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver cannot be started ({error}); `cargo xtask test` installs it"))?;
        let said = BufReader::new(driver.stdout.take().ok_or("no output")?).lines();
        let port = said.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let mut browser =
            Self { driver, port: port.ok_or("chromedriver did not say its port")?, session: String::new() };
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
        let options = json!({ "binary": "/usr/bin/chromium", "args": arguments });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let opened = browser.ask("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }))?;
        opened.get("sessionId").and_then(Value::as_str).ok_or("no session")?.clone_into(&mut browser.session);
        browser.post("/window/rect", &json!({ "width": WINDOW.0, "height": WINDOW.1 }))?;
        browser.post("/timeouts", &json!({ "script": PATIENCE.as_millis() as u64 }))?;
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserConsenting": true, "isUserVerified": true,
        });
        browser.post("/webauthn/authenticator", &device)?;
        Ok(browser)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE * 2))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost:{}\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line == "\r\n" {
                break;
            }
            if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse()?;
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes)?;
        let value = serde_json::from_slice::<Value>(&bytes)?.get("value").cloned().unwrap_or_default();
        match value.get("error") {
            Some(error) => Err(format!("{path}: {error}: {}", value.get("message").unwrap_or(&Value::Null)).into()),
            None => Ok(value),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        self.ask("POST", &format!("/session/{}{path}", self.session), body)
    }

    fn open(&self, url: &str) -> Done {
        self.post("/url", &json!({ "url": url })).map(drop)
    }

    fn run(&self, script: &str) -> Result<Value, Box<dyn Error>> {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Makes a passkey on the page that a link leads to.
    fn let_in(&self, link: &str) -> Done {
        self.open(link)?;
        let made = "
            const done = arguments[arguments.length - 1];
            const look = () => {
              const button = document.querySelector('form[data-create] button:not(:disabled)');
              if (button) button.click();
              if (document.querySelector('#codes li')) done(true); else setTimeout(look, 50);
            };
            look();";
        self.run(made).map(drop)
    }

    /// Opens a page and gives when it was painted.
    fn painted(&self, url: &str) -> Result<Duration, Box<dyn Error>> {
        self.open(url)?;
        let ms = self.run(PAINTED)?.as_f64().ok_or("no time of a paint")?;
        Ok(Duration::from_secs_f64(ms / 1_000.0))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.ask("DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// What a static server has: types and bytes, by path.
type Files = BTreeMap<String, (String, Vec<u8>)>;

/// Serves files, as fast as a program can; returns where.
fn serve(files: Files) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let origin = format!("http://localhost:{}", listener.local_addr()?.port());
    let files = Arc::new(files);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let files = Arc::clone(&files);
            thread::spawn(move || answer(stream, &files));
        }
    });
    Ok(origin)
}

/// Answers one connection until it ends.
fn answer(stream: TcpStream, files: &Files) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            line.clear();
        }
        let path = first.split(' ').nth(1).unwrap_or_default();
        let none = (String::from("text/plain"), Vec::new());
        let found = files.get(path);
        let (kind, bytes) = found.unwrap_or(&none);
        let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
        let kept = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-store" };
        let mut answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncache-control: {kept}\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        )
        .into_bytes();
        answer.extend(bytes);
        out.write_all(&answer)?;
    }
}

/// Asks the dashboard for one of its own files, as a browser does that has none of it yet.
fn asset(origin: &str, path: &str) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    let host = origin.strip_prefix("http://").ok_or("the dashboard is not on this machine")?;
    let port: u16 = host.rsplit_once(':').ok_or("no port")?.1.parse()?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no answer")?;
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes)?.to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(format!("{path}: {head}").into());
    }
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    Ok((kind.to_owned(), body))
}

/// Measures first paints, and how a long page scrolls. `link` lets one browser in to the dashboard at `origin`.
pub fn pages(table: &mut Table, origin: &str, link: &str) -> Done {
    let browser = Browser::start()?;
    browser.let_in(link)?;
    let mut files = Files::new();
    for page in PAGES {
        browser.open(&format!("{origin}{page}"))?;
        let text = browser.run(TEXT)?.as_str().ok_or("no text")?.to_owned();
        for path in text.split('"').filter(|part| part.starts_with("/assets/")) {
            let path = path.split('#').next().unwrap_or_default().to_owned();
            if !files.contains_key(&path) {
                files.insert(path.clone(), asset(origin, &path)?);
            }
        }
        files.insert(page.to_owned(), ("text/html; charset=utf-8".to_owned(), text.into_bytes()));
    }
    let copy = serve(files)?;
    for page in PAGES {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..WARM + ROUNDS {
            // In turns, so that whatever else the machine does meets both.
            let (one, other) =
                (browser.painted(&format!("{origin}{page}"))?, browser.painted(&format!("{copy}{page}"))?);
            if round >= WARM {
                ours.push(one);
                theirs.push(other);
            }
        }
        let (ours, theirs) = (Times::from(ours), Times::from(theirs));
        table.row(
            &format!("first paint of {page} in Chromium, p50 (p90)"),
            format!("{} ({})", show(ours.median()), show(ours.percentile(90))),
            format!("a static copy of it {} ({})", show(theirs.median()), show(theirs.percentile(90))),
            format!(
                "{:.2} ×; 1.5 × is what is wanted",
                ours.median().as_secs_f64() / theirs.median().as_secs_f64().max(1e-6)
            ),
        );
    }
    let scrolled = |origin: &str| -> Result<Times, Box<dyn Error>> {
        browser.open(&format!("{origin}/activity"))?;
        let frames = browser.run(SCROLLED)?;
        let ms = frames.as_array().ok_or("no frames")?.iter().filter_map(Value::as_f64);
        Ok(Times::from(ms.map(|ms| Duration::from_secs_f64(ms / 1_000.0)).collect::<Vec<_>>()))
    };
    let (ours, theirs) = (scrolled(origin)?, scrolled(&copy)?);
    table.row(
        "a frame while /activity is scrolled from end to end, p50 (worst)",
        format!("{} ({})", show(ours.median()), show(ours.percentile(100))),
        format!("a static copy of it {} ({})", show(theirs.median()), show(theirs.percentile(100))),
        "drawn by the processor, without a graphics card".into(),
    );
    Ok(())
}
