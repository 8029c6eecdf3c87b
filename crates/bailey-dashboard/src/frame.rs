//! What stands around every page: names, navigation, whether everything is paused, and the pause itself.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bailey_interface::Status;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use serde_json::json;

use crate::assets::{ICON, ICONS, SCRIPT, STYLE, path};
use crate::touch::{self, Then, Touch};
use crate::words;

/// Whether anything may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Effects may leave.
    Open,
    /// Nothing leaves.
    Paused,
    /// What is not known is being looked up, and nothing leaves yet.
    Resuming,
}

impl Mode {
    /// Reads the name that [`Status::mode`] has; what is not known is taken for a pause.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "open" => Self::Open,
            "resuming" => Self::Resuming,
            _ => Self::Paused,
        }
    }
}

/// Parts of the dashboard, as its navigation has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Tasks, and words about them.
    Talk,
    /// What waits for the person.
    Approvals,
    /// What happened.
    Activity,
    /// Accounts.
    Connections,
    /// What may go by itself.
    Autonomy,
    /// The person's files.
    Files,
    /// The agent's own machine.
    Computer,
    /// Devices, sessions, the model, export and deletion.
    Settings,
}

impl Section {
    const ALL: [(Self, &str, &str, &str); 8] = [
        (Self::Talk, "/talk", "Talk", "talk"),
        (Self::Approvals, "/approvals", "Approvals", "check"),
        (Self::Activity, "/activity", "Activity", "clock"),
        (Self::Connections, "/connections", "Connections", "plug"),
        (Self::Autonomy, "/autonomy", "Autonomy", "dial"),
        (Self::Files, "/files", "Files", "folder"),
        (Self::Computer, "/computer", "Computer", "screen"),
        (Self::Settings, "/settings", "Settings", "gear"),
    ];

    /// Returns the section that a page belongs to, by its path; what is not known belongs to the first.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let path = path.strip_prefix("/do").unwrap_or(path);
        let is_below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let by_name = Self::ALL.iter().find(|(_, root, _, _)| is_below(root)).map(|(section, ..)| *section);
        by_name.unwrap_or(match path.split('/').nth(1) {
            Some("context" | "log") => Self::Activity,
            Some("connect" | "connecting" | "oauth") => Self::Connections,
            Some("rules" | "schedules" | "missed") => Self::Autonomy,
            Some("models" | "notifications" | "sessions") => Self::Settings,
            Some("edit" | "reject" | "take-back" | "happened") => Self::Approvals,
            _ => Self::Talk,
        })
    }
}

/// What every page is told.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// How the home is.
    pub status: &'a Status,
    /// Since when it is paused, where that is known: milliseconds since 1970-01-01T00:00Z.
    pub paused_since_ms: Option<i64>,
    /// Actions that may have been handed over when it was paused, in words.
    pub in_flight: &'a [String],
    /// Where the page belongs.
    pub section: Section,
    /// Now, in milliseconds since 1970-01-01T00:00Z.
    pub now_ms: i64,
    /// The person's time zone.
    pub zone: TimeZone,
    /// What came of the last form, in words of the home's own; empty where there is nothing to say.
    pub said: &'a str,
    /// What a new home still needs; none where that is over.
    pub steps: &'a [Step],
}

/// A step of the first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What to do, in words.
    pub words: &'static str,
    /// The page to do it on.
    pub to: &'static str,
    /// Whether it is done.
    pub done: bool,
}

impl Frame<'_> {
    /// Returns a moment, as short as it can be told from now.
    pub(crate) fn moment(&self, ms: i64) -> Markup {
        html! { time datetime=(words::machine(ms)) { (words::moment(ms, self.now_ms, &self.zone)) } }
    }

    /// Returns the time of day.
    pub(crate) fn clock(&self, ms: i64) -> Markup {
        html! { time datetime=(words::machine(ms)) { (words::clock(ms, &self.zone)) } }
    }

    /// Returns the name of the person's time zone, or how far it is from UTC.
    pub(crate) fn zone_name(&self) -> String {
        let offset = || words::offset(self.now_ms, &self.zone);
        self.zone.iana_name().map_or_else(offset, str::to_owned)
    }

    /// Returns how long it is until a moment, in seconds, which the script counts down.
    pub(crate) fn until(&self, ms: i64) -> Markup {
        let seconds = ms.saturating_sub(self.now_ms).max(0) / 1_000;
        html! { span data-until=(ms) { (seconds) " s" } }
    }
}

/// Draws one of our own pictures, for those who see; the words beside it say the same.
pub(crate) fn icon(name: &str) -> Markup {
    html! { svg class="icon" aria-hidden="true" { use href={ (path(&ICONS)) "#" (name) } {} } }
}

/// Makes the list of what a new home still needs; the first that is left stands out.
fn first_steps(steps: &[Step]) -> Markup {
    let next = steps.iter().find(|step| !step.done);
    html! {
        @if let Some(next) = next {
            section class="first-steps" aria-label="First steps" {
                ol { @for (place, step) in steps.iter().enumerate() {
                    li class=[step.done.then_some("done")] {
                        @if step.done { (icon("check")) } @else { span class="place" aria-hidden="true" { (place + 1) } }
                        @if step == next { a href=(step.to) aria-current="step" { (step.words) } }
                        @else { span { @if step.done { span class="off" { "Done: " } } (step.words) } }
                    }
                } }
                (touch::post("/do/first-steps/hide", &[], "Hide", "plain"))
            }
        }
    }
}

/// Makes a part of a page that is renewed by itself: its version is a hash of what it holds.
pub(crate) fn part(id: &str, class: &str, inside: &Markup) -> Markup {
    html! { div id=(id) class=(class) data-v=(version(inside)) { (inside) } }
}

/// Returns a hash of a part's content, to tell whether it is another than before.
pub(crate) fn version(inside: &Markup) -> String {
    let mut hasher = DefaultHasher::new();
    inside.0.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
            meta name="color-scheme" content="light dark";
            title { (title) " · Bailey" }
            link rel="stylesheet" href=(path(&STYLE));
            link rel="icon" type="image/svg+xml" href={ (path(&ICONS)) };
            link rel="manifest" href="/manifest.webmanifest";
            link rel="apple-touch-icon" href=(path(&ICON));
            meta name="theme-color" content="#0b6b5d";
            script type="module" src=(path(&SCRIPT)) {}
        }
    }
}

/// Makes a page outside of the frame: for whoever is not signed in.
pub(crate) fn bare(title: &str, main: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body class="bare" {
                header class="top" { span class="brand" { "Bailey" } }
                main id="main" tabindex="-1" { (main) }
                (said(""))
            }
        }
    };
    page.into_string()
}

/// Makes a page.
pub(crate) fn page(frame: &Frame<'_>, title: &str, main: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body data-events="/v1/events" {
                a class="skip" href="#main" { "To the content" }
                (top(frame))
                (band(frame))
                main id="main" tabindex="-1" {
                    noscript { p class="note" { "Scripts are off. All works but what needs a passkey; there, the " code { "bailey" } " command takes your passphrase." } }
                    (part("page", "page", main))
                }
                (said(frame.said))
            }
        }
    };
    page.into_string()
}

fn said(words: &str) -> Markup {
    html! { p id="said" class="said" role="status" { (words) } }
}

fn top(frame: &Frame<'_>) -> Markup {
    let mode = Mode::from_name(&frame.status.mode);
    let waiting = frame.status.waiting.saturating_add(frame.status.needs_person);
    let inside = html! {
        a class="brand" href="/talk" { "Bailey" }
        nav aria-label="Pages" {
            ul {
                @for (section, to, name, picture) in Section::ALL {
                    li class=[(section == Section::Autonomy).then_some("to-dial")] {
                        a href=(to) aria-current=[(section == frame.section).then_some("page")] {
                            (icon(picture)) span { (name) }
                            @if section == Section::Approvals && waiting > 0 {
                                span class="count" { (words::number(waiting)) span class="off" { " waiting" } }
                            }
                        }
                    }
                }
            }
        }
        div class="mode" {
            @match mode {
                Mode::Open => span class="open" { "open" },
                Mode::Paused => span class="shut" { "paused" },
                Mode::Resuming => span class="shut" { "resuming" },
            }
            @if mode == Mode::Open {
                form method="post" action="/do/pause" class="pause" { button type="submit" { (icon("pause")) "Pause" } }
            }
        }
    };
    html! { header id="top" class="top" data-v=(version(&inside)) { (inside) } }
}

fn band(frame: &Frame<'_>) -> Markup {
    let resume =
        Touch { path: "/v1/resume", body: json!({ "epoch": frame.status.epoch }), said: "Resumed.", then: Then::Renew };
    let mode = Mode::from_name(&frame.status.mode);
    let inside = html! {
        @if mode != Mode::Open {
            section class="paused" aria-label="Paused" {
                div {
                    p {
                        strong {
                            @match (mode, frame.paused_since_ms) {
                                (Mode::Resuming, _) => "Resuming: what is not known is looked up first.",
                                (_, Some(since)) => { "Paused since " (frame.moment(since)) "." },
                                (_, None) => "Paused.",
                            }
                        }
                        " Nothing leaves."
                    }
                    @if !frame.in_flight.is_empty() {
                        p { "Under way then, and perhaps gone: " (frame.in_flight.join("; ")) "." }
                    }
                }
                (touch::button(&resume, "Resume", "go"))
            }
        }
        @if !frame.status.notices.is_empty() {
            section class="notices" aria-label="Notices" { ul { @for notice in &frame.status.notices { li { (words::with_code(notice)) } } } }
        }
    };
    let inside = html! { (inside) (first_steps(frame.steps)) };
    html! { div id="band" data-v=(version(&inside)) { (inside) } }
}
