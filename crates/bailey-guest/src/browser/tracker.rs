//! What is known of the browser's tabs, made of what it says of itself (Chrome DevTools Protocol): which there are, what loads, what was
//! asked, what was downloaded. No clock, no pipe: events come in, commands go out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bailey_wire::browse::{Download, DownloadState, MAX_TABS, Tab};
use serde_json::{Value, json};

/// How long nothing may happen on a page that counts as loaded.
const QUIET: Duration = Duration::from_millis(500);
/// A request that takes longer holds nothing up: pages wait for news for as long as they are open.
const HOLDS_UP: Duration = Duration::from_secs(6);
/// Requests of a tab that are followed at a time.
const MAX_REQUESTS: usize = 256;
/// Notes kept for the next view.
const MAX_NOTES: usize = 16;
/// Characters of a note's foreign words.
const MAX_NOTE_CHARS: usize = 300;
/// Downloads that are kept.
pub(super) const MAX_DOWNLOADS: usize = 16;
/// Largest download, in bytes.
const MAX_DOWNLOAD_BYTES: u64 = 512 * 1024 * 1024;
/// Where downloads are put, each under the name that the browser draws.
pub(super) const DOWNLOADS: &str = "/home/browser/downloads";

/// Something to tell the browser, whose answer nobody waits for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command {
    /// The session of a tab; of none, the browser is meant.
    pub(super) session: Option<String>,
    pub(super) method: &'static str,
    pub(super) parameters: Value,
}

/// A page that the browser has open.
#[derive(Debug, Default)]
struct Target {
    /// The number of the tab, once it is one that is told of.
    tab: Option<u32>,
    session: Option<String>,
    address: String,
    has_crashed: bool,
    /// Frames that load.
    frames: BTreeSet<String>,
    /// Requests under way, and since when.
    requests: BTreeMap<String, Instant>,
    /// When something happened last.
    active: Option<Instant>,
}

/// What is known of the browser.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    targets: BTreeMap<String, Target>,
    last_tab: u32,
    notes: Vec<String>,
    downloads: Vec<(String, Download)>,
    last_download: u32,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn cut(words: &str) -> String {
    words.chars().take(MAX_NOTE_CHARS).collect()
}

impl Tracker {
    /// Begins behind the tabs of a browser that ended.
    pub(super) fn after(last_tab: u32, last_download: u32) -> Self {
        Self { last_tab, last_download, ..Self::default() }
    }

    pub(super) const fn last_numbers(&self) -> (u32, u32) {
        (self.last_tab, self.last_download)
    }

    /// Takes an event, and returns what is to be told the browser.
    pub(super) fn event(&mut self, event: &Value, now: Instant) -> Vec<Command> {
        let nothing = Value::Null;
        let about = event.get("params").unwrap_or(&nothing);
        match text(event, "method") {
            "Target.targetCreated" => self.created(about.get("targetInfo").unwrap_or(&nothing)),
            "Target.attachedToTarget" => self.attached(about),
            "Target.targetInfoChanged" => {
                let info = about.get("targetInfo").unwrap_or(&nothing);
                if let Some(target) = self.targets.get_mut(text(info, "targetId")) {
                    target.address = text(info, "url").to_owned();
                }
                Vec::new()
            }
            "Target.targetDestroyed" => {
                self.targets.remove(text(about, "targetId"));
                Vec::new()
            }
            "Target.targetCrashed" => {
                if let Some(target) = self.targets.get_mut(text(about, "targetId")) {
                    target.crash();
                }
                Vec::new()
            }
            "Browser.downloadWillBegin" => {
                self.download_begins(about);
                Vec::new()
            }
            "Browser.downloadProgress" => self.download_goes_on(about),
            method => self.of_page(method, text(event, "sessionId"), about, now),
        }
    }

    fn created(&mut self, info: &Value) -> Vec<Command> {
        if text(info, "type") != "page" {
            return Vec::new();
        }
        let name = text(info, "targetId").to_owned();
        let close = Command { session: None, method: "Target.closeTarget", parameters: json!({"targetId": name}) };
        let mut target = Target { address: text(info, "url").to_owned(), ..Target::default() };
        if info.get("openerId").is_some() {
            if self.targets.values().filter(|target| target.tab.is_some()).count() >= MAX_TABS {
                self.note("the page wanted to open another tab; there are too many".into());
                return vec![close];
            }
            target.tab = Some(self.next_tab());
        } else if self.targets.len() > MAX_TABS {
            return vec![close];
        }
        if let Some(tab) = target.tab {
            self.note(format!("the page opened tab {tab}"));
        }
        let parameters = json!({"targetId": name, "flatten": true});
        self.targets.insert(name, target);
        vec![Command { session: None, method: "Target.attachToTarget", parameters }]
    }

    fn attached(&mut self, about: &Value) -> Vec<Command> {
        let session = text(about, "sessionId").to_owned();
        let name = about.get("targetInfo").map(|info| text(info, "targetId")).unwrap_or_default();
        let Some(target) = self.targets.get_mut(name) else { return Vec::new() };
        target.session = Some(session.clone());
        let to = |method, parameters| Command { session: Some(session.clone()), method, parameters };
        vec![
            to("Page.enable", json!({})),
            // Kept from one question to the next; otherwise each name of an element would make the whole tree anew.
            to("Accessibility.enable", json!({})),
            to("Network.enable", json!({"maxTotalBufferSize": 0, "maxResourceBufferSize": 0})),
            to("Page.setInterceptFileChooserDialog", json!({"enabled": true})),
            to("Emulation.setFocusEmulationEnabled", json!({"enabled": true})),
        ]
    }

    fn of_page(&mut self, method: &str, session: &str, about: &Value, now: Instant) -> Vec<Command> {
        let found = self.targets.values_mut().find(|target| target.session.as_deref() == Some(session));
        let Some(target) = found else { return Vec::new() };
        match method {
            "Page.frameStartedLoading" | "Page.frameRequestedNavigation" | "Page.frameStoppedLoading" => {
                target.active = Some(now);
                let frame = text(about, "frameId");
                if method == "Page.frameStoppedLoading" {
                    target.frames.remove(frame);
                } else if method == "Page.frameStartedLoading" && target.frames.len() < MAX_REQUESTS {
                    target.frames.insert(frame.to_owned());
                }
            }
            "Page.frameDetached" => {
                target.frames.remove(text(about, "frameId"));
            }
            "Network.requestWillBeSent" => {
                target.active = Some(now);
                let lasts = matches!(text(about, "type"), "EventSource" | "Ping" | "Media" | "WebSocket");
                if !lasts && target.requests.len() < MAX_REQUESTS {
                    target.requests.insert(text(about, "requestId").to_owned(), now);
                }
            }
            "Network.loadingFinished" | "Network.loadingFailed" => {
                target.active = Some(now);
                target.requests.remove(text(about, "requestId"));
            }
            "Inspector.targetCrashed" => target.crash(),
            "Page.fileChooserOpened" => {
                self.note("the page asks for a file: use upload, with the number of its field".into())
            }
            "Page.javascriptDialogOpening" => return self.asked(session, about),
            _ => {}
        }
        Vec::new()
    }

    /// Answers a question that a page asks: what follows is for the way out to judge.
    fn asked(&mut self, session: &str, about: &Value) -> Vec<Command> {
        let (kind, words) = (text(about, "type"), cut(text(about, "message")));
        let accept = kind != "prompt";
        self.note(match kind {
            "alert" => format!("the page said \"{words}\""),
            "beforeunload" => "the page asked whether to leave it; it was left".into(),
            "prompt" => format!("the page asked for words: \"{words}\"; it was told none"),
            _ => format!("the page asked \"{words}\"; it was told yes"),
        });
        let parameters = json!({"accept": accept});
        vec![Command { session: Some(session.to_owned()), method: "Page.handleJavaScriptDialog", parameters }]
    }

    fn download_begins(&mut self, about: &Value) {
        self.last_download += 1;
        let name = text(about, "guid").to_owned();
        let download = Download {
            download: self.last_download,
            name: cut(text(about, "suggestedFilename")),
            address: cut(text(about, "url")),
            bytes: 0,
            state: DownloadState::Coming,
            path: format!("{DOWNLOADS}/{name}"),
        };
        self.downloads.push((name, download));
        if self.downloads.len() > MAX_DOWNLOADS {
            let (_, old) = self.downloads.remove(0);
            // Where it is gone already, nothing is left to be done.
            let _ = std::fs::remove_file(old.path);
        }
    }

    fn download_goes_on(&mut self, about: &Value) -> Vec<Command> {
        let name = text(about, "guid");
        let Some((_, download)) = self.downloads.iter_mut().find(|(known, _)| known == name) else { return Vec::new() };
        // Numbers of JSON come as floating point.
        let bytes = about.get("receivedBytes").and_then(Value::as_f64).unwrap_or(0.0);
        download.bytes = bytes.max(0.0) as u64;
        match text(about, "state") {
            "completed" => download.state = DownloadState::Whole,
            "canceled" => download.state = DownloadState::Broken,
            _ if download.bytes > MAX_DOWNLOAD_BYTES => {
                let parameters = json!({"guid": name});
                self.note("a download was broken off: it is too large".into());
                return vec![Command { session: None, method: "Browser.cancelDownload", parameters }];
            }
            _ => {}
        }
        Vec::new()
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Returns what happened since it was asked last.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(super) fn downloads(&self) -> Vec<Download> {
        self.downloads.iter().map(|(_, download)| download.clone()).collect()
    }

    fn next_tab(&mut self) -> u32 {
        self.last_tab += 1;
        self.last_tab
    }

    /// Makes a page of the browser a tab: under the number it had in a browser that ended, or a new one.
    pub(super) fn adopt(&mut self, target: &str, number: Option<u32>) -> u32 {
        let number = number.unwrap_or_else(|| self.next_tab());
        self.targets.entry(target.to_owned()).or_default().tab = Some(number);
        number
    }

    /// Says that a page can be spoken to.
    pub(super) fn has_page(&self) -> Option<()> {
        self.targets.values().any(|target| target.session.is_some()).then_some(())
    }

    /// Returns a page that is no tab yet.
    pub(super) fn unused(&self) -> Option<String> {
        self.targets.iter().find(|(_, target)| target.tab.is_none()).map(|(name, _)| name.clone())
    }

    fn of_tab(&self, tab: u32) -> Option<(&String, &Target)> {
        self.targets.iter().find(|(_, target)| target.tab == Some(tab))
    }

    /// Returns a tab's page, as the browser names it.
    pub(super) fn target(&self, tab: u32) -> Option<String> {
        self.of_tab(tab).map(|(name, _)| name.clone())
    }

    /// Returns the session of a tab, once there is one.
    pub(super) fn session(&self, tab: u32) -> Option<String> {
        self.of_tab(tab).and_then(|(_, target)| target.session.clone())
    }

    pub(super) fn has_crashed(&self, session: &str) -> bool {
        self.targets.values().any(|target| target.has_crashed && target.session.as_deref() == Some(session))
    }

    /// Counts a page as whole again: it is opened anew.
    pub(super) fn revive(&mut self, tab: u32) {
        if let Some(target) = self.targets.values_mut().find(|target| target.tab == Some(tab)) {
            target.has_crashed = false;
        }
    }

    pub(super) fn tabs(&self) -> Vec<Tab> {
        let tabs = self.targets.values().filter_map(|target| Some((target.tab?, target.address.clone())));
        let mut tabs: Vec<Tab> =
            tabs.map(|(tab, address)| Tab { tab, address: address.chars().take(500).collect() }).collect();
        tabs.sort_by_key(|tab| tab.tab);
        tabs
    }

    /// Says that something was done to a tab, from which something may come.
    pub(super) fn touch(&mut self, tab: u32, now: Instant) {
        if let Some(target) = self.targets.values_mut().find(|target| target.tab == Some(tab)) {
            target.active = Some(now);
        }
    }

    /// Tells how long to wait at least until a tab counts as loaded; nothing once it does.
    pub(super) fn waits(&self, tab: u32, now: Instant) -> Option<Duration> {
        let (_, target) = self.of_tab(tab).filter(|(_, target)| !target.has_crashed)?;
        let holds_up = |since: &Instant| now.saturating_duration_since(*since) < HOLDS_UP;
        let comes = self.downloads.iter().any(|(_, download)| download.state == DownloadState::Coming);
        if !target.frames.is_empty() || target.requests.values().any(holds_up) || comes {
            return Some(QUIET);
        }
        let quiet_since = now.saturating_duration_since(target.active?);
        QUIET.checked_sub(quiet_since).filter(|left| !left.is_zero())
    }
}

impl Target {
    fn crash(&mut self) {
        self.has_crashed = true;
        self.frames.clear();
        self.requests.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(method: &str, session: &str, params: Value) -> Value {
        json!({"method": method, "sessionId": session, "params": params})
    }

    fn with_tab(now: Instant) -> Tracker {
        let mut tracker = Tracker::default();
        let info = json!({"targetInfo": {"targetId": "t", "type": "page", "url": "about:blank"}});
        let told = tracker.event(&event("Target.targetCreated", "", info.clone()), now);
        assert_eq!(told[0].method, "Target.attachToTarget");
        let mut attached = info;
        attached["sessionId"] = "s".into();
        assert_eq!(tracker.event(&event("Target.attachedToTarget", "", attached), now)[0].method, "Page.enable");
        assert_eq!(tracker.adopt("t", None), 1);
        tracker
    }

    #[expect(clippy::disallowed_methods, reason = "some instant is needed to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn tabs_count_as_loaded_once_nothing_happens_and_requests_that_last_hold_nothing_up() {
        let now = start();
        let mut tracker = with_tab(now);
        assert_eq!(tracker.waits(1, now), None);
        tracker.event(&event("Page.frameStartedLoading", "s", json!({"frameId": "t"})), now);
        assert!(tracker.waits(1, now + HOLDS_UP).is_some(), "a page that loads");
        tracker.event(&event("Network.requestWillBeSent", "s", json!({"requestId": "1", "type": "XHR"})), now);
        tracker.event(&event("Page.frameStoppedLoading", "s", json!({"frameId": "t"})), now);
        assert!(tracker.waits(1, now + QUIET).is_some(), "a request that is under way");
        assert_eq!(tracker.waits(1, now + HOLDS_UP), None, "it waits for news");
        tracker.event(&event("Network.loadingFinished", "s", json!({"requestId": "1"})), now);
        assert!(tracker.waits(1, now).is_some() && tracker.waits(1, now + QUIET).is_none());
    }

    #[test]
    fn tabs_and_requests_and_notes_and_downloads_of_a_page_are_bounded() {
        let now = start();
        let mut tracker = with_tab(now);
        for number in 0..1000 {
            let name = number.to_string();
            let info = json!({"targetInfo": {"targetId": name, "type": "page", "url": "x", "openerId": "t"}});
            tracker.event(&event("Target.targetCreated", "", info), now);
            tracker.event(&event("Network.requestWillBeSent", "s", json!({"requestId": name})), now);
            tracker.event(&event("Page.frameStartedLoading", "s", json!({"frameId": name})), now);
            let begins = json!({"guid": name, "suggestedFilename": "../../etc/passwd", "url": "u"});
            tracker.event(&event("Browser.downloadWillBegin", "", begins), now);
        }
        assert_eq!(tracker.tabs().len(), MAX_TABS);
        assert_eq!(tracker.downloads().len(), MAX_DOWNLOADS);
        assert!(tracker.downloads().iter().all(|one| one.path.starts_with(DOWNLOADS) && !one.path.contains("..")));
        let target = tracker.targets.get("t").unwrap();
        assert!(target.requests.len() <= MAX_REQUESTS && target.frames.len() <= MAX_REQUESTS);
        assert!(tracker.take_notes().len() <= MAX_NOTES && tracker.take_notes().is_empty());
    }

    #[test]
    fn questions_of_a_page_are_answered_and_noted_and_words_are_never_given() {
        let now = start();
        let mut tracker = with_tab(now);
        let ask = |kind: &str| event("Page.javascriptDialogOpening", "s", json!({"type": kind, "message": "Sure?"}));
        let answered = |told: Vec<Command>| told[0].parameters["accept"].as_bool().unwrap();
        assert!(answered(tracker.event(&ask("confirm"), now)));
        assert!(!answered(tracker.event(&ask("prompt"), now)));
        let notes = tracker.take_notes();
        assert!(
            notes[0].ends_with("\"Sure?\"; it was told yes") && notes[1].ends_with("it was told none"),
            "{notes:?}"
        );
    }
}
