//! Every page there is, made of views.

use bailey_dashboard::{
    Autonomy, Connecting, Daily, Device, Draft, Filter, Frame, KindRow, Looked, Offer, Profile, Request, Section,
    Session, Settings, Step,
};
use bailey_interface::{
    ActionView, Code, ComputerState, ComputerView, ConnectionView, ContextView, Failure, FileVersionView,
    FileVersionsView, FileView, FolderView, FoundRequestsView, FoundTasksView, HeldView, Line, ModelsView, NamesView,
    NotificationView, NotificationsView, ReceivedView, RequestView, RuleEventView, RuleView, SettingView, Status,
    SuggestionView, TaskSummary, TaskView, TrialView, WhyView,
};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::views;

/// The views that pages are made of.
#[derive(Serialize, Deserialize)]
pub struct Views {
    pub status: Status,
    pub waiting: Vec<ActionView>,
    pub held: Vec<ActionView>,
    pub unsure: Vec<ActionView>,
    pub happened: Vec<ActionView>,
    pub why: WhyView,
    pub tasks: Vec<TaskSummary>,
    pub task: TaskView,
    pub connections: Vec<ConnectionView>,
    pub context: ContextView,
    pub trial: TrialView,
    pub rules: Vec<RuleView>,
    pub suggestions: Vec<SuggestionView>,
    pub history: Vec<RuleEventView>,
    pub models: ModelsView,
    pub settings: Vec<SettingView>,
    pub names: NamesView,
    pub servers: Vec<Line>,
    /// Words that are no view's: a name of a device, of an account, a mistake.
    pub words: String,
}

impl Views {
    pub fn usual() -> Self {
        Self {
            status: views::status("open"),
            waiting: vec![views::mail(3), views::strange_mail(4), views::mail(5), views::entry(6, "awaiting")],
            held: vec![views::held(7)],
            unsure: vec![views::unsure(8)],
            happened: views::happened(),
            why: views::why(),
            tasks: views::tasks(),
            task: views::task(),
            connections: views::connections(),
            context: views::context(),
            trial: views::trial(),
            rules: views::rules(),
            suggestions: views::suggestions(),
            history: views::rule_history(),
            models: views::models(),
            settings: views::settings(),
            names: views::names(),
            servers: views::servers(),
            words: "Pixel 9".into(),
        }
    }
}

pub fn frame<'a>(status: &'a Status, section: Section) -> Frame<'a> {
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    Frame { status, paused_since_ms: None, in_flight: &[], section, now_ms: views::NOW, zone, said: "", steps: STEPS }
}

const STEPS: &[Step] = &[
    Step { words: "Choose a model", to: "/models", done: true },
    Step { words: "Connect your mail", to: "/connect", done: false },
    Step { words: "Give a task", to: "/talk", done: false },
];

/// Returns every page, by its name.
/// The pages of schedules, each word of the home's own.
fn schedules(views: &Views) -> Vec<(&'static str, String)> {
    use bailey_interface::{
        AttentionView, DigestLine, DigestView, OccurrenceView, ScheduleDraft, SchedulePlan, SchedulePreview,
        ScheduleView,
    };
    let (frame, words) = (frame(&views.status, Section::Autonomy), &views.words);
    let id = "ab".repeat(16);
    let time = |outcome: &str, task: Option<&str>| OccurrenceView {
        id: format!("{id}-1-1"),
        schedule: words.clone(),
        due: "Monday 2026-11-30 07:00 CET (UTC+01:00)".into(),
        due_ms: views::NOW,
        count: 2,
        outcome: outcome.into(),
        told: words.clone(),
        task: task.map(str::to_owned),
        ended: None,
        tokens: 4_000,
        cost: 0.01,
        open: false,
    };
    let one = ScheduleView {
        id: id.clone(),
        name: words.clone(),
        generation: 1,
        state: "on".into(),
        stopped: words.clone(),
        when: words.clone(),
        told: words.clone(),
        form: "cron 0 7 * * *".into(),
        zone: "Europe/Berlin".into(),
        words: words.clone(),
        late: "usual".into(),
        overlap: "skip".into(),
        accounts: Vec::new(),
        account_names: vec![words.clone()],
        run_tokens: 100_000,
        month_tokens: 3_000_000,
        used_tokens: 8_000,
        until_ms: None,
        next: vec!["Tuesday 2026-12-01 07:00 CET (UTC+01:00)".into()],
        made_ms: views::NOW,
        occurrences: vec![time("ran", Some(views::TASK)), time("missed", None)],
    };
    let draft =
        ScheduleDraft { name: words.clone(), when: words.clone(), words: words.clone(), ..ScheduleDraft::default() };
    let plan = SchedulePlan {
        id: None,
        generation: 0,
        name: words.clone(),
        when: words.clone(),
        said_ms: views::NOW,
        form: "cron 0 7 * * *".into(),
        zone: "Europe/Berlin".into(),
        words: words.clone(),
        late: "usual".into(),
        overlap: "skip".into(),
        accounts: Vec::new(),
        run_tokens: 1,
        month_tokens: 1,
        until_ms: None,
    };
    let preview = SchedulePreview {
        plan,
        told: words.clone(),
        times: vec![words.clone()],
        accounts: vec![words.clone()],
        until: words.clone(),
    };
    let own = [page_account(&id, words)];
    let attention = AttentionView {
        kind: "missed".into(),
        about: words.clone(),
        what: words.clone(),
        why: words.clone(),
        next: words.clone(),
        page: "/schedules".into(),
        at_ms: views::NOW,
        occurrences: vec![format!("{id}-1-1")],
    };
    let line = || vec![DigestLine { text: words.clone(), page: "/activity".into(), undo: true }];
    let digest = DigestView {
        from_ms: views::NOW,
        to_ms: views::NOW,
        told: words.clone(),
        ran: line(),
        by_rule: line(),
        waits: line(),
        failed: line(),
        learnt: line(),
        tokens: 4_000,
        cost: 0.01,
    };
    let nothing = DigestView {
        ran: Vec::new(),
        by_rule: Vec::new(),
        waits: Vec::new(),
        failed: Vec::new(),
        learnt: Vec::new(),
        ..digest.clone()
    };
    let form = |shown| bailey_dashboard::ScheduleForm { draft: &draft, shown, accounts: &own };
    let shown = form(Some(Ok(&preview)));
    vec![
        ("schedules", bailey_dashboard::schedules(&frame, std::slice::from_ref(&one), &[attention], &digest, &shown)),
        ("schedules-none", bailey_dashboard::schedules(&frame, &[], &[], &nothing, &form(None))),
        ("schedule", bailey_dashboard::schedule(&frame, &one, &form(Some(Err(words))))),
    ]
}

fn page_account<'a>(connection: &'a str, name: &'a str) -> bailey_dashboard::OwnAccount<'a> {
    bailey_dashboard::OwnAccount { connection, name, level: "send" }
}

pub fn all(views: &Views) -> Vec<(&'static str, String)> {
    use bailey_dashboard as page;
    let Views { status, words, .. } = views;
    let at = |section| frame(status, section);
    let mut out = vec![
        ("sign-in", page::sign_in(words)),
        ("claim", page::claim(words)),
        ("codes", page::recovery_codes()),
        ("passphrase-code", page::passphrase_code()),
    ];
    let said = [(views.waiting[0].task.clone().unwrap_or_default(), views.tasks[0].words.clone())].into();
    let approvals = at(Section::Approvals);
    let all = page::Waiting { skip: 20, waits: 47, holds: 12, doubts: 11 };
    out.push(("approvals", page::approvals(&approvals, all, &views.waiting, &views.held, &views.unsure, &said)));
    out.push(("approvals-none", page::approvals(&approvals, page::Waiting::default(), &[], &[], &[], &said)));
    out.push(("card", page::one_approval(&approvals, &views.waiting[1], Some(&views.why))));
    let fields = page::mail_fields(&views.waiting[1]);
    let editing = page::Editing { fields: &fields, wrong: Some(("to", words)) };
    out.push(("edit", page::edit(&approvals, &views.waiting[1], &editing)));
    let entry = views::bare(40, "calendar.create", "awaiting", words);
    let fields = [("what", words.to_owned()), ("begins", "2026-12-05 15:00".to_owned())].into();
    let editing = page::Editing { fields: &fields, wrong: Some(("begins", words)) };
    out.push(("edit-entry", page::edit(&approvals, &entry, &editing)));
    let talk = at(Section::Talk);
    out.push(("talk", page::talk(&talk, &views.tasks, Some(50))));
    out.push(("talk-none", page::talk(&talk, &[], None)));
    out.push(("task", page::task(&talk, &views.tasks, &views.task, 0)));
    out.push(("task-undo", page::undo_task(&talk, &views::undoing(&views.happened, words, false))));
    out.push(("task-undoing", page::undo_task(&talk, &views::undoing(&views.happened, words, true))));
    let activity = at(Section::Activity);
    let kinds = ["mail.send", "mail.move", words];
    let named = [words.clone()];
    let filter = Filter {
        search: words,
        kind: "mail.send",
        account: words,
        by: "rules",
        from: words,
        to: words,
        kinds: &kinds,
        accounts: &named,
        behind: Some((3, 1_204)),
        ..Filter::default()
    };
    out.push(("activity", page::activity(&activity, &views.happened, &filter, Some(words))));
    out.push(("activity-none", page::activity(&activity, &[], &Filter::default(), None)));
    out.push(("action", page::action(&activity, &views.happened[1], Some(&views.why), &[0, 1])));
    out.extend(accounts(views));
    let n = [0, 1, 2];
    let request = Request { task: views::TASK, words, n: 1, all: &n, usage: Some(views.tasks[0].usage) };
    out.push(("context", page::context(&talk, &request, &views.context)));
    let held = HeldView {
        task: views::TASK.into(),
        words: words.clone(),
        label: "others".into(),
        source: words.clone(),
        excerpt: words.clone(),
        held: vec![[0, 1], [3, 3]],
    };
    let found = FoundRequestsView { pieces: vec![held], before: Some(7), indexed: 3, entries: 1_204 };
    let received = ReceivedView {
        month: "2026-11".into(),
        provider: words.clone(),
        model: words.clone(),
        requests: 14,
        bytes: 81_000,
        kept_back: 2,
        input_tokens: 20_000,
        output_tokens: 1_000,
        cost: 0.12,
    };
    let looked = Looked { search: words, label: "others" };
    out.push(("requests", page::requests(&activity, &looked, Some(&found), &[received])));
    out.push(("requests-none", page::requests(&activity, &Looked::default(), None, &[])));
    let tasks = FoundTasksView { tasks: views.tasks.clone(), before: Some(7), indexed: 3, entries: 1_204 };
    out.push(("history", page::history(&talk, words, &tasks)));
    out.push(("autonomy", page::autonomy(&at(Section::Autonomy), &autonomy(views, Some(Ok(&views.trial))))));
    out.push(("autonomy-mistake", page::autonomy(&at(Section::Autonomy), &autonomy(views, Some(Err(words))))));
    out.extend(schedules(views));
    out.push(("settings", settings(views)));
    out.extend(files(views));
    out.extend(computer(views));
    let place = |kind: &str, trouble: Option<String>| NotificationView {
        id: "00".repeat(16),
        kind: kind.into(),
        name: words.clone(),
        host: words.clone(),
        made_ms: views::NOW,
        sent_ms: trouble.is_none().then_some(views::NOW),
        trouble,
    };
    let places = vec![place("browser", None), place("ntfy", Some(words.clone())), place("mail", None)];
    let told = NotificationsView { key: "BAAA".into(), places };
    out.push(("notifications", page::notifications(&at(Section::Settings), &told, std::slice::from_ref(words))));
    let none = NotificationsView { key: String::new(), places: Vec::new() };
    out.push(("notifications-none", page::notifications(&at(Section::Settings), &none, &[])));
    let settings_frame = at(Section::Settings);
    out.push(("models", page::models(&settings_frame, &views.models, &views.settings)));
    let none = ModelsView { configured: Vec::new(), months: Vec::new(), providers: Vec::new(), ..views.models.clone() };
    out.push(("models-none", page::models(&settings_frame, &none, &[])));
    let failure = Failure { code: Code::Conflict, message: words.clone() };
    out.push(("trouble", page::trouble(page::Reader::Within(&approvals), &failure)));
    out.push(("trouble-known", page::trouble(page::Reader::Known, &failure)));
    out.push(("trouble-outside", page::trouble(page::Reader::Stranger, &failure)));
    let paused = Status { mode: "paused".into(), notices: vec![words.clone()], ..status.clone() };
    let under_way = [words.clone()];
    let paused = Frame {
        paused_since_ms: Some(views::NOW - 60_000),
        in_flight: &under_way,
        said: words,
        ..frame(&paused, Section::Talk)
    };
    out.push(("paused", page::talk(&paused, &views.tasks, None)));
    out
}

fn accounts(views: &Views) -> Vec<(&'static str, String)> {
    use bailey_dashboard::{connect, connections};
    let words = views.words.as_str();
    let frame = frame(&views.status, Section::Connections);
    let settings = serde_json::json!({ "kind": "mail", "address": words });
    let offer = |in_browser| {
        Connecting::Found(Offer {
            kind: "mail",
            account: words,
            servers: &views.servers,
            settings: &settings,
            in_browser,
            kept_by: "Bailey alone; the provider sets no limit",
            level: "send",
            replaces: in_browser.then_some(words),
            back: "https://bailey.example/oauth/back",
        })
    };
    let typed = [("user", words), ("issuer", words)].into();
    let address = |kind| Connecting::Address { kind, trouble: words, typed: &typed };
    let going = |trouble: Option<&str>, at_provider| bailey_interface::ConnectingView {
        id: "c".into(),
        kind: "calendar".into(),
        account: words.into(),
        begun_ms: views::NOW,
        at_provider,
        trouble: trouble.map(str::to_owned),
    };
    let under_way = [going(None, false), going(None, true), going(Some(words), false)];
    vec![
        ("connections", connections(&frame, &views.connections, &under_way, words)),
        ("connections-none", connections(&frame, &[], &[], "")),
        ("signed-in", bailey_dashboard::signed_in(&frame, Ok(&views.connections[0]))),
        ("signed-in-not", bailey_dashboard::signed_in(&frame, Err(words))),
        ("connect", connect(&frame, &address("mail"))),
        ("connect-calendar", connect(&frame, &address("calendar"))),
        ("connect-model", connect(&frame, &address("model"))),
        ("connect-found", connect(&frame, &offer(false))),
        ("connect-browser", connect(&frame, &offer(true))),
    ]
}

fn computer(views: &Views) -> Vec<(&'static str, String)> {
    let words = views.words.as_str();
    let request = |ended: &str, detail: &str| RequestView {
        at_ms: views::NOW - 60_000,
        method: "GET".into(),
        site: "https://shop.example".into(),
        path: format!("/prices?of={words}"),
        sent_bytes: 0,
        received_bytes: 18_244,
        asked: ended == "answered",
        ended: ended.into(),
        detail: detail.into(),
    };
    let runs = ComputerView {
        state: ComputerState::Running,
        grade: "emulated".into(),
        warning: "The agent's computer is emulated, because this machine offers no KVM.".into(),
        lacking: String::new(),
        trouble: words.into(),
        image: "/var/cache/bailey/computer/shell".into(),
        since_ms: Some(views::NOW - 900_000),
        layers: vec!["an account of its own".into(), "not: a bound on memory".into()],
        disk_bytes: 81 << 20,
        memory_mib: 1_536,
        idle_seconds: 600,
        after_secrets: true,
        waiting: 2,
        requests: vec![request("answered", "200"), request("refused", words), request("failed", words)],
    };
    let none = ComputerView {
        state: ComputerState::Unavailable,
        grade: "none".into(),
        warning: String::new(),
        lacking: "there is no image of the agent's computer; `bailey computer build` says how one is made".into(),
        trouble: String::new(),
        since_ms: None,
        layers: Vec::new(),
        disk_bytes: 0,
        after_secrets: false,
        waiting: 0,
        requests: Vec::new(),
        ..runs.clone()
    };
    let asleep =
        ComputerView { state: ComputerState::Asleep, lacking: String::new(), grade: "isolated".into(), ..none.clone() };
    let frame = frame(&views.status, Section::Computer);
    let page = |view: &ComputerView| bailey_dashboard::computer(&frame, view);
    vec![("computer", page(&runs)), ("computer-none", page(&none)), ("computer-asleep", page(&asleep))]
}

fn files(views: &Views) -> Vec<(&'static str, String)> {
    let words = views.words.as_str();
    let version = |version, action: Option<&str>| FileVersionView {
        version,
        bytes: 81_000,
        sha256: "ab".repeat(32),
        made_ms: views::NOW - 900_000,
        action: action.map(str::to_owned),
        after_reading: action.is_some(),
        after_secrets: action.is_some(),
    };
    let file = |trashed_ms| FileView {
        id: "05".repeat(16),
        path: format!("Reports/{words}"),
        newest: version(2, Some("06060606060606060606060606060606")),
        trashed_ms,
    };
    let folder = FolderView {
        folder: "Reports".into(),
        folders: vec![format!("Reports/{words} 2026")],
        files: vec![file(None), FileView { newest: version(1, None), ..file(None) }],
        more: true,
        used_bytes: 1 << 24,
        most_bytes: 20 << 30,
    };
    let none =
        FolderView { folder: String::new(), folders: Vec::new(), files: Vec::new(), more: false, ..folder.clone() };
    let versions = |trashed_ms| {
        let file = file(trashed_ms);
        FileVersionsView { versions: vec![file.newest.clone(), version(1, None)], file }
    };
    let frame = frame(&views.status, Section::Files);
    let one = |view: &FileVersionsView, seen: &bailey_dashboard::Seen<'_>| {
        bailey_dashboard::own_file(&frame, view, &view.file.newest, seen)
    };
    let text = bailey_dashboard::Seen::Text { text: words, whole: false };
    vec![
        ("files", bailey_dashboard::files(&frame, &folder)),
        ("files-none", bailey_dashboard::files(&frame, &none)),
        ("own-file", one(&versions(None), &text)),
        ("own-file-picture", one(&versions(None), &bailey_dashboard::Seen::Picture)),
        ("own-file-trashed", one(&versions(Some(views::NOW)), &bailey_dashboard::Seen::Nothing)),
        ("trash", bailey_dashboard::trash(&frame, &[file(Some(views::NOW))])),
        ("trash-none", bailey_dashboard::trash(&frame, &[])),
    ]
}

fn autonomy<'a>(views: &'a Views, trial: Option<Result<&'a TrialView, &'a str>>) -> Autonomy<'a> {
    const KINDS: &[KindRow<'static>] = &[
        KindRow { kind: "mail.search", decision: "auto", by: "looking changes nothing" },
        KindRow { kind: "mail.move", decision: "auto", by: "moving mail: go ahead" },
        KindRow { kind: "mail.send", decision: "ask", by: "some go ahead by a rule of yours" },
        KindRow { kind: "calendar.change", decision: "ask", by: "nothing allows it" },
        KindRow { kind: "mail.trash", decision: "deny", by: "trashing mail: never" },
    ];
    const PROFILES: &[Profile<'static>] = &[
        Profile { name: "careful", about: "all but looking asks" },
        Profile { name: "balanced", about: "what can be undone goes ahead" },
    ];
    Autonomy {
        kinds: KINDS,
        profile: "careful",
        profiles: PROFILES,
        rules: &views.rules,
        draft: trial.map(|trial| Draft { words: "mail to @example.org: go ahead", trial }),
        suggestions: &views.suggestions,
        history: &views.history,
    }
}

fn settings(views: &Views) -> String {
    let words = views.words.as_str();
    let device = |id, used_ms, synced| Device { id, name: words, made_ms: views::NOW - 900_000_000, used_ms, synced };
    let devices = [device("01", Some(views::NOW - 60_000), true), device("02", None, false)];
    let session = |id, this| Session {
        id,
        agent: "Firefox on Linux",
        device: words,
        made_ms: views::NOW - 900_000,
        used_ms: views::NOW,
        this,
    };
    let sessions = [session("03", true), session("04", false)];
    let view = Settings {
        devices: &devices,
        sessions: &sessions,
        codes_left: Some(9),
        daily: Daily {
            zone: words,
            zones: std::slice::from_ref(&views.words),
            hold_seconds: 30,
            model: Some((words, words)),
        },
        names: &views.names,
    };
    bailey_dashboard::settings(&frame(&views.status, Section::Settings), &view)
}
