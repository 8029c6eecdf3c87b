//! A real browser, driven over WebDriver (W3C WebDriver, and section 11 of WebAuthn Level 3 for its authenticator): Debian's Chromium
//! by its own chromedriver.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Running, clock, command};

/// How long a page may take to become what a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often the driver is started, at most.
const STARTS: u32 = 5;

/// What Chromium is started with: without a screen, and without asking anything of the internet by itself.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one window.
pub struct Browser {
    port: u16,
    session: String,
    authenticator: String,
    _driver: Running,
}

impl Browser {
    /// Starts one, with an authenticator of its own that its person touches whenever it is asked.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with further arguments.
    pub fn start_with(more: &[String]) -> Self {
        // Another program may take the port that it had found free; then it ends, and is started anew.
        let (driver, port) = (0..STARTS).find_map(|_| Self::driver()).expect("chromedriver says its port");
        let mut browser =
            Self { port, session: String::new(), authenticator: String::new(), _driver: Running::new(driver) };
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain(more.iter().map(String::as_str)).collect();
        let options = json!({"binary": "/usr/bin/chromium", "args": arguments});
        let wanted = json!({
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
        });
        let opened = browser.raw("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        opened["sessionId"].as_str().unwrap_or_else(|| panic!("{opened}")).clone_into(&mut browser.session);
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserConsenting": true, "isUserVerified": true,
        });
        browser.post("/webauthn/authenticator", &device).as_str().unwrap().clone_into(&mut browser.authenticator);
        browser
    }

    /// Starts the driver, and reads which port it has.
    fn driver() -> Option<(std::process::Child, u16)> {
        let mut driver = command("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is there: `cargo xtask test` installs it");
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        while let Some(Ok(line)) = said.next() {
            if let Some((_, port)) = line.split_once("successfully on port ") {
                return Some((driver, port.trim_end_matches('.').parse().unwrap()));
            }
        }
        let _ = driver.wait();
        None
    }

    fn raw(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE * 2)).unwrap();
        let head = format!("host: localhost:{}\r\ncontent-type: application/json\r\nconnection: close\r\n", self.port);
        write!(stream, "{method} {path} HTTP/1.1\r\n{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line == "\r\n" {
                break;
            }
            if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["value"].take()
    }

    fn path(&self, path: &str) -> String {
        format!("/session/{}{path}", self.session)
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.raw("POST", &self.path(path), body);
        assert!(answer.get("error").is_none(), "{path} {body}: {}", answer["message"]);
        answer
    }

    /// Returns the value of a cookie that scripts do not see.
    #[track_caller]
    pub fn cookie(&self, name: &str) -> String {
        let cookie = self.raw("GET", &self.path(&format!("/cookie/{name}")), &Value::Null);
        assert_eq!(
            (&cookie["httpOnly"], &cookie["secure"]),
            (&json!(true), &json!(name.starts_with("__Host-"))),
            "{cookie}"
        );
        cookie["value"].as_str().unwrap_or_else(|| panic!("{cookie}")).to_owned()
    }

    /// Opens an address.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.raw("GET", &self.path("/url"), &Value::Null).as_str().unwrap().to_owned()
    }

    /// Runs a script in the page, and gives what it returns.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs one that ends by calling the last of its arguments.
    #[track_caller]
    pub fn run_async(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    #[track_caller]
    fn element(&self, css: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    /// Clicks, as a mouse does: what is off or hidden cannot be.
    #[track_caller]
    pub fn click(&self, css: &str) {
        let started = clock();
        loop {
            self.until(&format!("const e = document.querySelector({}); return !!e && !e.disabled", json!(css)));
            let found = self.raw("POST", &self.path("/element"), &json!({"using": "css selector", "value": css}));
            let element = found.as_object().and_then(|found| found.values().next()?.as_str());
            let path = self.path(&format!("/element/{}/click", element.unwrap_or_default()));
            let clicked = self.raw("POST", &path, &json!({}));
            if clicked.get("error").is_none() {
                return;
            }
            // Behind the bar at the top, which a person scrolls away from: the driver scrolls to what is out of sight alone.
            if clicked["error"] == "element click intercepted" {
                self.run(&format!("document.querySelector({})?.scrollIntoView({{block: 'center'}})", json!(css)));
            }
            // The page may have renewed it in between.
            assert!(started.elapsed() < PATIENCE, "{css} cannot be clicked: {}", clicked["message"]);
        }
    }

    /// Types into a field.
    #[track_caller]
    pub fn write(&self, css: &str, words: &str) {
        let element = self.element(css);
        self.post(&format!("/element/{element}/value"), &json!({"text": words}));
    }

    /// Presses a key and lets it go: a letter, or a name of WebDriver's table as its character (W3C WebDriver, 17.4.2).
    #[track_caller]
    pub fn press(&self, key: char) {
        let actions = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}));
    }

    /// Presses Tab until the focus is on such an element, as somebody without a mouse does.
    #[track_caller]
    pub fn tab_to(&self, css: &str) {
        const MOST: usize = 100;
        for _ in 0..MOST {
            self.press('\u{e004}');
            if self.run(&format!("return document.activeElement.matches({})", json!(css))) == true {
                return;
            }
        }
        panic!("{css} cannot be reached by keys at {}", self.url());
    }

    /// Waits until a script returns something, and gives it.
    #[track_caller]
    pub fn until(&self, script: &str) -> Value {
        let started = clock();
        loop {
            // A page that is just being left has nothing to say.
            let said = self.raw("POST", &self.path("/execute/sync"), &json!({"script": script, "args": []}));
            if said.get("error").is_none() && said != Value::Null && said != json!(false) && said != json!("") {
                return said;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "never: {script}\nat {}\n{said}\n{}\n{:?}",
                self.url(),
                self.text(),
                self.log()
            );
            std::thread::yield_now();
        }
    }

    /// Waits until the page says this.
    #[track_caller]
    pub fn until_says(&self, words: &str) {
        self.until(&format!("return document.body.innerText.includes({})", json!(words)));
    }

    /// What the page says.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap().to_owned()
    }

    /// Whether its person shows who they are when the authenticator asks.
    pub fn verifies(&self, does: bool) {
        let path = format!("/webauthn/authenticator/{}/uv", self.authenticator);
        self.post(&path, &json!({"isUserVerified": does}));
    }

    /// What was written to the console since the last time, but for answers that are an error and said as one on the page.
    pub fn log(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        let lines = entries.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned());
        lines
            .filter(|line| !line.contains("Failed to load resource: the server responded with a status of 4"))
            .collect()
    }

    /// Takes the size and the colours of a device: width and height in CSS pixels.
    pub fn look(&self, width: u32, height: u32, dark: bool) {
        let mobile = width < 600;
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Whether the page's scripts run.
    pub fn scripts(&self, run: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": !run}));
    }

    /// Asks the browser itself (Chrome DevTools Protocol).
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Keeps a picture of what is seen.
    pub fn picture(&self, file: &Path) {
        let asked = json!({"format": "jpeg", "quality": 55});
        let taken = self.devtools("Page.captureScreenshot", &asked);
        std::fs::write(file, STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its windows are processes of their own, which nothing else ends.
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let path = self.path("");
        let _ = write!(stream, "DELETE {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n\r\n", self.port);
        let _ = stream.read_to_end(&mut Vec::new());
    }
}
