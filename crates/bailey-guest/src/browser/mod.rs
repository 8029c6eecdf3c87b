//! The resident browser: Chromium without a screen, started by the first step, kept, and started again when it has ended.
//!
//! What it shows comes from strangers, and may have taken it over: it has an account of its own, and the host believes nothing of it.

mod pipe;
mod process;
mod tracker;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailey_wire::browse::{Browse, Item, Key, MAX_PICTURE_BYTES, MAX_TABS, Page, Tab};
use bailey_wire::control::Reply;
use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};

use pipe::{Failed, Pipe};
use process::Running;
use tracker::Tracker;

/// How long the browser may take to start: emulated, on a loaded host.
const STARTS_WITHIN: Duration = Duration::from_secs(180);
/// How long an answer may take, and a page may load before it is told as it is, where the browser starts fast.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many times as long as the browser took to start is waited where that is more: machines differ by two orders of magnitude.
const STARTS: u32 = 3;
/// How long a page may load before it is told as it is.
/// How often a page is asked that gives way to another meanwhile.
const TRIES: u32 = 5;
/// Cookies, across the browser's own ends: also those of a session, which it forgets.
const COOKIES: &str = "/home/browser/cookies.json";
/// Most bytes of them.
const MAX_COOKIE_BYTES: usize = 1024 * 1024;
/// What reads pages.
const READER: &str = include_str!("page.js");

/// The browser of the machine. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Browser(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    chromium: Option<Chromium>,
    /// Tabs of a browser that ended, with their addresses: opened again when they are used.
    left: BTreeMap<u32, String>,
    /// Numbers used so far, of tabs and of downloads.
    used: (u32, u32),
    /// Numbers of elements used so far, by tab.
    elements: BTreeMap<u32, u32>,
    /// The authority it trusts, as PEM.
    authority: Option<String>,
    cookies: String,
}

struct Chromium {
    pipe: Pipe,
    /// Dropped, it ends.
    _running: Running,
}

/// A page as `page.js` tells it.
#[derive(Deserialize)]
struct View {
    address: String,
    title: String,
    items: Vec<Item>,
    more: bool,
    last: u32,
}

impl Browser {
    /// Has it trust an authority from its next start on, which is the next step.
    pub(crate) fn trust(&self, certificate: String) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.authority.as_ref() != Some(&certificate) {
            state.authority = Some(certificate);
            state.leave();
        }
    }

    /// Takes a step; one at a time. Bytes are passed to `say`.
    pub(crate) fn step(&self, step: Browse, say: impl FnMut(&[u8]) -> bool) -> Result<Reply, String> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = state.step(step, say);
        if state.chromium.as_ref().is_some_and(|chromium| chromium.pipe.has_ended()) {
            state.leave();
        }
        reply
    }
}

impl State {
    /// Ends the browser, and keeps what the next one goes on with.
    fn leave(&mut self) {
        let Some(chromium) = self.chromium.take() else { return };
        let (tabs, used) = chromium.pipe.with(|tracker| (tracker.tabs(), tracker.last_numbers()));
        self.left.extend(tabs.into_iter().map(|tab| (tab.tab, tab.address)));
        self.used = used;
    }

    fn step(&mut self, step: Browse, say: impl FnMut(&[u8]) -> bool) -> Result<Reply, String> {
        if step == Browse::Forget {
            return self.forget();
        }
        let pipe = self.started()?;
        match step {
            Browse::Open { tab, address } => self.open(&pipe, tab, &address),
            Browse::Read { tab, from } => {
                self.session(&pipe, tab)?;
                self.page(&pipe, tab, from)
            }
            Browse::Click { tab, element } => self.done(&pipe, tab, |at| at.click(element)),
            Browse::Type { tab, element, text } => self.done(&pipe, tab, |at| at.put(element, &text)),
            Browse::Select { tab, element, choice } => self.done(&pipe, tab, |at| at.choose(element, &choice)),
            Browse::Submit { tab, element } => self.done(&pipe, tab, |at| at.submit(element)),
            Browse::Press { tab, key } => self.done(&pipe, tab, |at| at.press(key)),
            Browse::Back { tab } => self.done(&pipe, tab, |at| at.back()),
            Browse::Upload { tab, element, paths } => self.done(&pipe, tab, |at| at.upload(element, &paths)),
            Browse::Picture { tab } => self.picture(&pipe, tab, say),
            Browse::Close { tab } => {
                self.left.remove(&tab);
                self.elements.remove(&tab);
                if let Some(target) = pipe.with(|tracker| tracker.target(tab)) {
                    pipe.call(None, "Target.closeTarget", &json!({"targetId": target}))?;
                    pipe.known(|tracker| tracker.target(tab).is_none().then_some(()))?;
                }
                Ok(Reply::Tabs(self.tabs(&pipe)))
            }
            Browse::Tabs => Ok(Reply::Tabs(self.tabs(&pipe))),
            Browse::Forget => self.forget(),
        }
    }

    /// Every tab, also those of a browser that ended.
    fn tabs(&self, pipe: &Pipe) -> Vec<Tab> {
        let mut tabs = pipe.with(|tracker| tracker.tabs());
        let left = self.left.iter().filter(|(tab, _)| tabs.iter().all(|known| known.tab != **tab));
        let left: Vec<Tab> = left.map(|(tab, address)| Tab { tab: *tab, address: address.clone() }).collect();
        tabs.extend(left);
        tabs.sort_by_key(|tab| tab.tab);
        tabs
    }

    fn forget(&mut self) -> Result<Reply, String> {
        self.leave();
        self.left.clear();
        self.elements.clear();
        self.cookies.clear();
        for kept in [process::PROFILE, process::UPLOADS, tracker::DOWNLOADS] {
            match fs::remove_dir_all(kept) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(format!("`{kept}`: {error}")),
                Ok(()) | Err(_) => {}
            }
        }
        match fs::remove_file(COOKIES) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("`{COOKIES}`: {error}")),
            Ok(()) | Err(_) => Ok(Reply::Tabs(Vec::new())),
        }
    }

    /// Returns the browser that runs; starts one if none does.
    fn started(&mut self) -> Result<Pipe, String> {
        if let Some(chromium) = &self.chromium
            && !chromium.pipe.has_ended()
        {
            return Ok(chromium.pipe.clone());
        }
        self.leave();
        for folder in [process::HOME, process::UPLOADS, tracker::DOWNLOADS] {
            process::own(folder)?;
        }
        if let Some(authority) = &self.authority {
            process::trust(authority)?;
        }
        let (running, writes, reads) = Running::start()?;
        let began = crate::program::now();
        let pipe = Pipe::start((writes, reads), STARTS_WITHIN, Tracker::after(self.used.0, self.used.1));
        pipe.call(None, "Browser.getVersion", &json!({}))?;
        let downloads = json!({"behavior": "allowAndName", "downloadPath": tracker::DOWNLOADS, "eventsEnabled": true});
        pipe.call(None, "Browser.setDownloadBehavior", &downloads)?;
        self.put_cookies(&pipe)?;
        let pages = json!({"discover": true, "filter": [{"type": "page"}]});
        pipe.call(None, "Target.setDiscoverTargets", &pages)?;
        pipe.known(Tracker::has_page)?;
        pipe.wait_at_most(PATIENCE.max(began.elapsed() * STARTS));
        self.chromium = Some(Chromium { pipe: pipe.clone(), _running: running });
        Ok(pipe)
    }

    fn put_cookies(&mut self, pipe: &Pipe) -> Result<(), String> {
        if self.cookies.is_empty() {
            self.cookies = fs::read_to_string(COOKIES).unwrap_or_default();
        }
        let Ok(Value::Array(all)) = serde_json::from_str(&self.cookies) else { return Ok(()) };
        let all: Vec<Value> = all.into_iter().map(without_end_of_session).collect();
        // One that the browser does not take again is one to sign in anew for.
        match pipe.call(None, "Storage.setCookies", &json!({"cookies": all})) {
            Ok(_) | Err(Failed::Said(_)) => Ok(()),
            Err(failed) => Err(failed.into()),
        }
    }

    fn keep_cookies(&mut self, pipe: &Pipe) -> Result<(), String> {
        let found = pipe.call(None, "Storage.getCookies", &json!({}))?;
        let text = found.get("cookies").map(Value::to_string).unwrap_or_default();
        if text == self.cookies || text.len() > MAX_COOKIE_BYTES {
            return Ok(());
        }
        let failed = |error: std::io::Error| format!("`{COOKIES}`: {error}");
        let coming = format!("{COOKIES}.new");
        fs::write(&coming, &text).map_err(failed)?;
        fs::set_permissions(&coming, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        fs::rename(&coming, COOKIES).map_err(failed)?;
        self.cookies = text;
        Ok(())
    }

    /// Opens a tab: a page that is none yet, or a new one.
    fn new_tab(&mut self, pipe: &Pipe, number: Option<u32>) -> Result<u32, String> {
        if pipe.with(|tracker| tracker.tabs().len()) >= MAX_TABS {
            return Err(format!("there are {MAX_TABS} tabs already; close one"));
        }
        let target = match pipe.with(|tracker| tracker.unused()) {
            Some(target) => target,
            None => {
                let made = pipe.call(None, "Target.createTarget", &json!({"url": "about:blank"}))?;
                made.get("targetId").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
        };
        Ok(pipe.with(|tracker| tracker.adopt(&target, number)))
    }

    /// Returns the session of a tab. One of a browser that ended is opened again.
    fn session(&mut self, pipe: &Pipe, tab: u32) -> Result<String, String> {
        if pipe.with(|tracker| tracker.target(tab)).is_none() {
            let address = self.left.get(&tab).cloned().ok_or_else(|| format!("there is no tab {tab}"))?;
            self.new_tab(pipe, Some(tab))?;
            self.left.remove(&tab);
            let session = pipe.known(|tracker| tracker.session(tab))?;
            go(pipe, &session, tab, &address)?;
        }
        let session = pipe.known(|tracker| tracker.session(tab))?;
        if pipe.with(|tracker| tracker.tabs().len()) > 1 {
            // What lies behind other tabs draws nothing, and takes no keys.
            pipe.call(Some(&session), "Page.bringToFront", &json!({}))?;
        }
        Ok(session)
    }

    fn open(&mut self, pipe: &Pipe, tab: Option<u32>, address: &str) -> Result<Reply, String> {
        if !["http://", "https://"].iter().any(|scheme| address.starts_with(scheme)) {
            return Err("only addresses that begin with `https://` or `http://` are opened".into());
        }
        let tab = match tab {
            None => self.new_tab(pipe, None)?,
            Some(tab) => {
                if let Some(left) = self.left.get_mut(&tab) {
                    "about:blank".clone_into(left);
                }
                tab
            }
        };
        let session = self.session(pipe, tab)?;
        go(pipe, &session, tab, address)?;
        self.page(pipe, tab, 0)
    }

    /// Does something on a page, and tells what it shows then.
    fn done(
        &mut self,
        pipe: &Pipe,
        tab: u32,
        what: impl FnOnce(&At<'_>) -> Result<(), String>,
    ) -> Result<Reply, String> {
        let session = self.session(pipe, tab)?;
        let at = At { pipe, session: &session, world: world(pipe, &session, tab)? };
        what(&at)?;
        pipe.with(|tracker| tracker.touch(tab, crate::program::now()));
        self.page(pipe, tab, 0)
    }

    /// Tells a page, once it has loaded and its scripts rest, or has had as long as that may take.
    fn page(&mut self, pipe: &Pipe, tab: u32, from: u32) -> Result<Reply, String> {
        let session = pipe.known(|tracker| tracker.session(tab))?;
        let after = self.elements.get(&tab).copied().unwrap_or(0);
        // A page that gives way to the next just now is asked again.
        let mut view = Err(Failed::Late);
        for _ in 0..TRIES {
            view = self.view(pipe, &session, tab, (from, after));
            if !matches!(view, Err(Failed::Said(_))) {
                break;
            }
            pipe.with(|tracker| tracker.touch(tab, crate::program::now()));
            pipe.settle(tab, pipe.patience());
        }
        let view = view?;
        self.elements.insert(tab, view.last);
        self.keep_cookies(pipe)?;
        let loading = pipe.with(|tracker| tracker.waits(tab, crate::program::now())).is_some();
        let (notes, downloads) = pipe.with(|tracker| (tracker.take_notes(), tracker.downloads()));
        let View { address, title, items, more, .. } = view;
        let tabs = self.tabs(pipe);
        Ok(Reply::Page(Page { tab, address, title, loading, from, items, more, notes, downloads, tabs }))
    }

    fn view(&self, pipe: &Pipe, session: &str, tab: u32, (from, after): (u32, u32)) -> Result<View, Failed> {
        let until = crate::program::now() + pipe.patience();
        let left = || until.saturating_duration_since(crate::program::now());
        let mut at = At { pipe, session, world: world(pipe, session, tab)? };
        // Scripts that came load more: it has loaded where nothing came while they ran.
        while pipe.settle(tab, left()) {
            at = At { pipe, session, world: world(pipe, session, tab)? };
            at.evaluate("new Promise((rests) => requestIdleCallback(() => rests(null), { timeout: 3000 }))")?;
            if pipe.with(|tracker| tracker.waits(tab, crate::program::now())).is_none() || left().is_zero() {
                break;
            }
        }
        let told = at.evaluate(&format!("bailey.view({from}, {after})"))?;
        serde_json::from_str(told.as_str().unwrap_or_default()).map_err(|error| Failed::Said(error.to_string()))
    }

    fn picture(&mut self, pipe: &Pipe, tab: u32, mut say: impl FnMut(&[u8]) -> bool) -> Result<Reply, String> {
        let session = self.session(pipe, tab)?;
        let taken = pipe.call(Some(&session), "Page.captureScreenshot", &json!({"format": "png"}))?;
        let text = taken.get("data").and_then(Value::as_str).unwrap_or_default();
        let picture = base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| error.to_string())?;
        let bytes = u64::try_from(picture.len()).unwrap_or(u64::MAX);
        if bytes > MAX_PICTURE_BYTES {
            return Err("the picture is too large".into());
        }
        for piece in picture.chunks(bailey_wire::control::MAX_PIECE_BYTES) {
            if !say(piece) {
                return Err("nobody takes the picture".into());
            }
        }
        Ok(Reply::Done { bytes })
    }
}

/// Sends a tab to an address.
fn go(pipe: &Pipe, session: &str, tab: u32, address: &str) -> Result<(), String> {
    pipe.with(|tracker| {
        tracker.revive(tab);
        tracker.touch(tab, crate::program::now());
    });
    let went = match pipe.call(Some(session), "Page.navigate", &json!({"url": address})) {
        // It waits for its server, or for a person.
        Err(Failed::Late) => return Ok(()),
        went => went?,
    };
    let why = went.get("errorText").and_then(Value::as_str).unwrap_or_default();
    let is_download = went.get("isDownload").and_then(Value::as_bool).unwrap_or(false);
    if !why.is_empty() && !is_download && why != "net::ERR_ABORTED" {
        return Err(format!("the page cannot be opened: {}", why.chars().take(100).collect::<String>()));
    }
    Ok(())
}

/// Returns our own world beside a page's scripts, with what reads the page in it.
fn world(pipe: &Pipe, session: &str, tab: u32) -> Result<u64, Failed> {
    let frame = pipe.with(|tracker| tracker.target(tab)).ok_or(Failed::Ended)?;
    let wanted = json!({"frameId": frame, "worldName": "bailey"});
    let made = At { pipe, session, world: 0 }.call("Page.createIsolatedWorld", &wanted)?;
    let world = made.get("executionContextId").and_then(Value::as_u64).unwrap_or(0);
    At { pipe, session, world }.evaluate(READER)?;
    Ok(world)
}

fn without_end_of_session(mut cookie: Value) -> Value {
    let is_of_session = cookie.get("session").and_then(Value::as_bool).unwrap_or(false);
    if let Some(fields) = cookie.as_object_mut() {
        fields.remove("session");
        fields.remove("size");
        if is_of_session {
            fields.remove("expires");
        }
    }
    cookie
}

/// A page that something is done on.
struct At<'a> {
    pipe: &'a Pipe,
    session: &'a str,
    world: u64,
}

impl At<'_> {
    fn call(&self, method: &str, parameters: &Value) -> Result<Value, Failed> {
        let answer = self.pipe.call(Some(self.session), method, parameters);
        if matches!(answer, Err(Failed::Late)) {
            // Its scripts never rest, and whatever is opened next might wait for them: it is ended, and answers by having ended.
            let _ = self.pipe.call(Some(self.session), "Page.crash", &json!({}));
        }
        answer
    }

    /// Evaluates words of ours in our own world; returns what comes of it.
    fn evaluate(&self, words: &str) -> Result<Value, Failed> {
        let wanted = json!({"expression": words, "contextId": self.world, "returnByValue": true,
            "awaitPromise": true, "userGesture": true});
        let mut answer = self.call("Runtime.evaluate", &wanted)?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let why = thrown.pointer("/exception/description").and_then(Value::as_str).unwrap_or("an error");
            return Err(Failed::Said(why.chars().take(200).collect()));
        }
        Ok(answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default())
    }

    /// Does something with an element; what comes of it is told in words.
    fn with(&self, element: u32, what: &str) -> Result<String, String> {
        let words = format!("((it) => it ? bailey.{what} : null)(bailey.element({element}))");
        match self.evaluate(&words)? {
            Value::String(said) => Ok(said),
            _ => Err(format!("there is no element {element} on this page any more; read it again")),
        }
    }

    fn expect(&self, element: u32, what: &str, wanted: &str) -> Result<(), String> {
        let said = self.with(element, what)?;
        if said == wanted { Ok(()) } else { Err(format!("element {element}: {said}")) }
    }

    fn click(&self, element: u32) -> Result<(), String> {
        let place = self.with(element, "point(it)")?;
        let Ok(place) = serde_json::from_str::<Value>(&place) else {
            // Something lies over it, or it has no place: it is pressed as a keyboard would.
            return self.expect(element, "press(it)", "done");
        };
        let at = |axis: &str| place.get(axis).and_then(Value::as_f64).unwrap_or(0.0);
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({"type": kind, "button": button, "clickCount": 1, "x": at("x"), "y": at("y")});
            self.call("Input.dispatchMouseEvent", &event)?;
        }
        Ok(())
    }

    fn put(&self, element: u32, text: &str) -> Result<(), String> {
        let words = Value::from(text).to_string();
        match self.with(element, &format!("ready(it, {words})"))?.as_str() {
            "done" => Ok(()),
            "type" if text.is_empty() => self.key("Delete", 46, "").map_err(Into::into),
            "type" => Ok(self.call("Input.insertText", &json!({"text": text})).map(|_| ())?),
            why => Err(format!("element {element}: {why}")),
        }
    }

    fn choose(&self, element: u32, choice: &str) -> Result<(), String> {
        self.expect(element, &format!("choose(it, {})", Value::from(choice)), "done")
    }

    fn submit(&self, element: u32) -> Result<(), String> {
        self.expect(element, "submit(it)", "done")
    }

    fn press(&self, key: Key) -> Result<(), String> {
        let (name, code, text) = match key {
            Key::Enter => ("Enter", 13, "\r"),
            Key::Escape => ("Escape", 27, ""),
            Key::Tab => ("Tab", 9, ""),
            Key::PageUp => ("PageUp", 33, ""),
            Key::PageDown => ("PageDown", 34, ""),
            Key::ArrowUp => ("ArrowUp", 38, ""),
            Key::ArrowDown => ("ArrowDown", 40, ""),
        };
        Ok(self.key(name, code, text)?)
    }

    fn key(&self, name: &str, code: u32, text: &str) -> Result<(), Failed> {
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [kind, "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }

    fn back(&self) -> Result<(), String> {
        let history = self.call("Page.getNavigationHistory", &json!({}))?;
        let at = history.get("currentIndex").and_then(Value::as_u64).unwrap_or(0);
        let before = at.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        let entry = before.and_then(|before| history.pointer(&format!("/entries/{before}/id")).cloned());
        let entry = entry.ok_or("there is no page before this one")?;
        Ok(self.call("Page.navigateToHistoryEntry", &json!({"entryId": entry})).map(|_| ())?)
    }

    fn upload(&self, element: u32, paths: &[String]) -> Result<(), String> {
        let wanted = json!({"expression": format!("bailey.element({element})"), "contextId": self.world});
        let found = self.call("Runtime.evaluate", &wanted)?;
        let gone = || format!("there is no element {element} on this page any more; read it again");
        let object = found.pointer("/result/objectId").and_then(Value::as_str).ok_or_else(gone)?;
        Ok(self.call("DOM.setFileInputFiles", &json!({"files": paths, "objectId": object})).map(|_| ())?)
    }
}
