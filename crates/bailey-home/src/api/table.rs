//! Every route of the interface, once: what it is called, how it is asked for, what it takes and answers, how soon it has to be
//! answered, and who answers it. The router, the OpenAPI document, `docs/api.md` and the command line come from here.

use axum::Router;
use bailey_interface::*;

use super::document::{Components, schema_of, type_name};
use super::{
    actions, bind, bind_with, browsers, carried, computer, config, connections, daily_pages, files, house, log, models,
    notifications, rules, schedules, search, tasks, under_way, undoing,
};
use crate::home::Home;
use crate::routes::{Events, Method, Octets, Route, Text};
use crate::wire::*;

/// How soon a request has to be answered, and how many there may be of its like (`places.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Keeps the person in charge: always answered at once.
    Prompt,
    /// Waits for something to change.
    Waits,
    /// Everything else.
    Usual,
}

/// What a request has to show besides a token or a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Nothing.
    Token,
    /// Nothing, and no token or session either: a page of the dashboard that nobody is signed in on.
    Nothing,
    /// An assertion of the person's, over exactly this.
    Assertion,
    /// An assertion of the person's, and no token or session.
    AssertionAlone,
}

impl Shows {
    /// Tells whether nobody known may ask.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Nothing | Self::AssertionAlone)
    }

    /// Tells whether an assertion comes with it.
    pub(crate) const fn is_proven(self) -> bool {
        matches!(self, Self::Assertion | Self::AssertionAlone)
    }
}

/// A type that is sent, as data.
pub(crate) struct Sent {
    /// Describes it, and adds what it speaks of to the components.
    pub(crate) schema: fn(&mut Components) -> serde_json::Value,
    /// Names it.
    pub(crate) name: fn() -> String,
}

/// A route as data.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Says what it does; one line of the source each.
    pub(crate) about: &'static [&'static str],
    pub(crate) urgency: Urgency,
    pub(crate) shows: Shows,
    pub(crate) header: Option<&'static str>,
    pub(crate) query: Option<fn(&mut Components) -> serde_json::Value>,
    pub(crate) body: Option<Sent>,
    pub(crate) answer: Sent,
    pub(crate) bind: fn(Router<std::sync::Arc<Home>>) -> Router<std::sync::Arc<Home>>,
}

/// Returns the route of a request, as it was matched.
pub(crate) fn row(matched: Option<&str>, method: &axum::http::Method) -> Option<&'static Row> {
    ROWS.iter().find(|row| Some(row.path) == matched && row.method.name() == method.as_str())
}

/// Returns method and path of every route, whether it is there for whoever asks, and whether it wants an assertion of the person's.
#[must_use]
pub fn api_routes() -> Vec<(&'static str, &'static str, bool, bool)> {
    let shows = |row: &Row| (row.method.name(), row.path, row.shows.is_open(), row.shows.is_proven());
    ROWS.iter().map(shows).collect()
}

macro_rules! routes {
    ($(
        $(#[doc = $about:literal])+
        $name:ident = $method:ident $path:literal
        $(? $query:path)? $(, header $header:literal)? $(, takes $body:ty)?, gives $answer:ty; $urgency:ident, $shows:ident, $handler:path;
    )+) => {
        $(
            $(#[doc = $about])+
            pub const $name: Route<routes!(@body $($body)?), $answer> = Route::new(Method::$method, $path);
        )+

        /// Every route.
        pub(crate) const ROWS: &[Row] = &[$(Row {
            name: stringify!($name),
            method: Method::$method,
            path: $path,
            about: &[$($about),+],
            urgency: Urgency::$urgency,
            shows: Shows::$shows,
            header: routes!(@option $($header)?),
            query: routes!(@query $($query)?),
            body: routes!(@described $($body)?),
            answer: Sent { schema: schema_of::<$answer>, name: type_name::<$answer> },
            bind: |router| routes!(@bind router, $name, $handler $(, $body)?),
        }),+];
    };
    (@body) => { () };
    (@body $body:ty) => { $body };
    (@option) => { None };
    (@option $value:literal) => { Some($value) };
    (@query) => { None };
    (@query $query:path) => { Some(schema_of::<$query>) };
    (@described) => { None };
    (@described $body:ty) => { Some(Sent { schema: schema_of::<$body>, name: type_name::<$body> }) };
    (@bind $router:ident, $name:ident, $handler:path) => { bind($router, $name, $handler) };
    (@bind $router:ident, $name:ident, $handler:path, $body:ty) => { bind_with($router, $name, $handler) };
}

routes! {
    /// This description of the interface (OpenAPI 3.1).
    OPENAPI = Get "/v1/openapi.json", gives serde_json::Value; Usual, Token, super::openapi;
    /// Where the dashboard is, and how the certificate of its names is.
    NAMES = Get "/v1/names", gives NamesView; Prompt, Token, house::names;
    /// How the home is.
    STATUS = Get "/v1/status", gives Status; Prompt, Token, house::status;
    /// Answers once something has changed since `after`, or after half a minute: how much has changed so far.
    CHANGES = Get "/v1/changes" ? house::After, gives u64; Waits, Token, house::changes;
    /// Tells of every change as it happens: how many there were, and what waits for the person (server-sent events).
    EVENTS = Get "/v1/events", gives Events; Waits, Token, house::events;
    /// Stops everything, at once.
    PAUSE = Post "/v1/pause", gives PauseView; Prompt, Token, house::pause;
    /// Lets effects leave again, after looking up what is not known. Answers with the actions that ask again.
    RESUME = Post "/v1/resume", takes ResumeBody, gives Vec<String>; Prompt, Assertion, house::resume;
    /// Ends everything: pauses, revokes every connection, and hands the rest to the supervisor, which destroys the keys and then
    /// the files.
    DELETE_HOME = Post "/v1/home/delete", takes ProvenBody, gives DeletedView; Usual, Assertion, house::delete_home;

    /// Takes a task. The same `idempotency-key` header again is the same task.
    GIVE_TASK = Post "/v1/tasks", header "idempotency-key", takes TaskBody, gives TaskView; Usual, Token, tasks::give_task;
    /// The newest tasks.
    TASKS = Get "/v1/tasks" ? super::Part, gives Vec<TaskSummary>; Usual, Token, tasks::tasks;
    /// One task.
    TASK = Get "/v1/tasks/{id}", gives TaskView; Usual, Token, tasks::task;
    /// Follows a task (server-sent events): `words` of the model as they come, `task` whenever it stands otherwise. Ends when it comes
    /// to rest.
    TASK_EVENTS = Get "/v1/tasks/{id}/events", gives Events; Waits, Token, tasks::task_events;
    /// Goes on with a task that has ended, with further words of the person.
    GO_ON = Post "/v1/tasks/{id}/more", takes TaskBody, gives TaskView; Usual, Token, tasks::go_on;
    /// Stops a task; what it has waiting is taken back.
    STOP_TASK = Post "/v1/tasks/{id}/stop", gives TaskView; Prompt, Token, tasks::stop_task;
    /// Shows what undoing a task would do to each of its actions, and what came of it where it was asked for; the newest first.
    TASK_UNDO = Get "/v1/tasks/{id}/undo", gives TaskUndoView; Usual, Token, undoing::plan;
    /// Takes back and undoes exactly these actions of a task, one after the other; it goes on by itself. What is taken back needs no proof.
    UNDO_TASK = Post "/v1/tasks/{id}/undo", takes UndoTaskBody, gives TaskUndoView; Usual, Assertion, undoing::undo_task;
    /// The model requests that are kept, by their numbers.
    CONTEXTS = Get "/v1/tasks/{id}/context", gives Vec<u64>; Usual, Token, tasks::contexts;
    /// A model request, span by span, with who wrote each.
    CONTEXT = Get "/v1/tasks/{id}/context/{turn}", gives ContextView; Usual, Token, tasks::context;
    /// A model request, byte for byte as it was sent.
    RAW_CONTEXT = Get "/v1/tasks/{id}/context/{turn}/raw", gives Octets; Usual, Token, tasks::raw_context;

    /// The newest actions.
    ACTIONS = Get "/v1/actions" ? actions::Which, gives Vec<ActionView>; Usual, Token, actions::actions;
    /// One action, with its preview.
    ACTION = Get "/v1/actions/{id}", gives ActionView; Usual, Token, actions::action;
    /// A file that an action carries, by its place from 0. Pictures come as such; everything else to be kept, not shown.
    ATTACHMENT = Get "/v1/actions/{id}/attachments/{n}", gives Octets; Usual, Token, carried::attachment;
    /// The received mail that an action answers, passes on or reads, fetched anew from its account by a look: its text, and its HTML
    /// without anything that acts or asks for something.
    ORIGINAL = Get "/v1/actions/{id}/original", gives OriginalView; Usual, Token, carried::original;
    /// Why an action was decided as it was.
    WHY = Get "/v1/actions/{id}/why", gives WhyView; Usual, Token, rules::why;
    /// Says whether an action happened whose outcome is not known, or corrects what was said. Sends nothing.
    RESOLVE = Post "/v1/actions/{id}/resolve", takes ResolveBody, gives ActionView; Usual, Token, actions::resolve;
    /// Undoes what has happened, by an action of its own that the person authorises here.
    UNDO = Post "/v1/actions/{id}/undo", takes ProvenBody, gives ActionView; Usual, Assertion, actions::undo;

    /// Lists the actions that wait for the person, oldest first.
    APPROVALS = Get "/v1/approvals" ? super::Part, gives Vec<ActionView>; Prompt, Token, actions::approvals;
    /// Makes a challenge, which the answer of the person has to carry.
    CHALLENGE = Post "/v1/challenge", gives Challenge; Prompt, Token, actions::challenge;
    /// Approves exactly what was shown, or nothing.
    APPROVE = Post "/v1/approvals/approve", takes ApproveBody, gives Vec<String>; Prompt, Assertion, actions::approve;
    /// Refuses waiting actions, with a note for the agent where there is one: it allows nothing. Needs no proof: it harms nobody.
    REJECT = Post "/v1/approvals/reject", takes RejectBody, gives (); Prompt, Token, actions::reject;
    /// Replaces a waiting mail, or entry of a calendar, by an edited one, which asks anew.
    EDIT = Post "/v1/approvals/{id}/edit", takes Edit, gives ActionView; Usual, Token, actions::edit;
    /// Takes back what waits or is held. Needs no proof.
    CANCEL = Post "/v1/cancel", takes IdsBody, gives (); Prompt, Token, actions::cancel;

    /// Looks which models the configured providers offer, and which servers there are on this machine; says what the month took.
    MODELS = Get "/v1/models", gives ModelsView; Usual, Token, models::models;

    /// Lists the models that the servers of this machine offer.
    FOUND_MODELS = Get "/v1/models/found", gives Vec<OfferView>; Usual, Token, models::found;

    /// Shows what the person sets in daily life, as it stands.
    CONFIG = Get "/v1/config", gives Vec<SettingView>; Usual, Token, config::config;
    /// Changes what the person sets, all or nothing; in force at once.
    CHANGE_CONFIG = Post "/v1/config", takes ConfigBody, gives Vec<SettingView>; Usual, Assertion, config::change;
    /// Changes it where nothing more can happen by that: a longer hold, a lower bound, no fallback. Needs no proof.
    NARROW_CONFIG = Post "/v1/config/narrow", takes ConfigChange, gives Vec<SettingView>; Usual, Token, config::narrow;

    /// A folder of the files, or one file by its path.
    FILES = Get "/v1/files" ? files::Where, gives FolderView; Usual, Token, files::folder;
    /// Lists the files in the trash, the last first.
    TRASHED_FILES = Get "/v1/files/trash", gives Vec<FileView>; Usual, Token, files::trashed;
    /// Removes all that lies in the trash, with every version, and destroys its keys.
    EMPTY_TRASH = Post "/v1/files/trash/empty", takes ProvenBody, gives EmptiedView; Usual, Assertion, files::empty_trash;
    /// Begins to put a file. What could not be kept is refused before anything comes.
    BEGIN_UPLOAD = Post "/v1/files/uploads", takes UploadBody, gives UploadView; Usual, Token, files::begin_upload;
    /// Takes the next piece of a file.
    ADD_TO_UPLOAD = Post "/v1/files/uploads/{id}", takes PieceBody, gives UploadView; Usual, Token, files::add_to_upload;
    /// Ends an upload: the file lies there then, as a new one or as a further version.
    END_UPLOAD = Post "/v1/files/uploads/{id}/end", gives FileView; Usual, Token, files::end_upload;
    /// A file with its versions.
    FILE = Get "/v1/files/{id}", gives FileVersionsView; Usual, Token, files::versions;
    /// The content of a version. Pictures come as such; everything else to be kept, not shown.
    FILE_CONTENT = Get "/v1/files/{id}/versions/{n}", gives Octets; Usual, Token, files::content;
    /// Makes an earlier version of a file its newest, as one more version.
    BRING_BACK = Post "/v1/files/{id}/versions/{n}/restore", gives FileView; Usual, Token, files::bring_back;
    /// Moves or renames a file, to where none lies.
    MOVE_FILE = Post "/v1/files/{id}/move", takes MoveFileBody, gives FileView; Usual, Token, files::move_file;
    /// Moves a file to the trash.
    TRASH_FILE = Post "/v1/files/{id}/trash", takes FileVersionBody, gives FileView; Usual, Token, files::trash_file;
    /// Takes a file out of the trash, to where it lay.
    RESTORE_FILE = Post "/v1/files/{id}/restore", gives FileView; Usual, Token, files::restore_file;

    /// Tells how the agent's own computer stands, what its wall is worth, and what its programs asked of sites.
    COMPUTER = Get "/v1/computer", gives ComputerView; Prompt, Token, computer::computer;
    /// Makes, starts or wakes it. Answers when it runs.
    START_COMPUTER = Post "/v1/computer/start", gives ComputerView; Usual, Token, computer::start;
    /// Saves its machine and ends it: it goes on there with the next use. Needs no proof: nothing is lost.
    STOP_COMPUTER = Post "/v1/computer/stop", gives ComputerView; Usual, Token, computer::stop;
    /// Ends it and destroys what it holds, its key first.
    DESTROY_COMPUTER = Post "/v1/computer/destroy", takes ProvenBody, gives ComputerView; Usual, Assertion, computer::destroy;

    /// Shows what a new home still needs, until all was done.
    FIRST_STEPS = Get "/v1/first-steps", gives FirstStepsView; Usual, Token, daily_pages::first_steps;
    /// Leads nobody through the first run any more.
    HIDE_FIRST_STEPS = Post "/v1/first-steps/hide", gives (); Usual, Token, daily_pages::hide_first_steps;

    /// Every connection.
    CONNECTIONS = Get "/v1/connections", gives Vec<ConnectionView>; Usual, Token, connections::connections;
    /// Accounts that are being connected, and those that could not be.
    CONNECTING = Get "/v1/connecting", gives Vec<ConnectingView>; Usual, Token, under_way::connecting;
    /// Tells no more of an account that could not be connected.
    DISMISS_CONNECTING = Post "/v1/connecting/{id}/dismiss", gives Vec<ConnectingView>; Usual, Token, under_way::dismiss;
    /// Makes a connection, with the leave of the person. It goes on where nobody waits for it: `GET /v1/connecting`.
    CONNECT = Post "/v1/connections", takes ConnectBody, gives ConnectionView; Usual, Assertion, connections::connect;
    /// Finds the servers of an account from its address: those of large providers are known, others are asked without any credential.
    DISCOVER = Post "/v1/discover", takes DiscoverBody, gives Found; Usual, Token, connections::discover;
    /// Changes what a connection may be used for. What was approved on the level before counts no more.
    CHANGE_LEVEL = Post "/v1/connections/{id}/level", takes LevelBody, gives ConnectionView; Usual, Assertion, connections::change_level;
    /// Ends a connection. Needs no proof: taking power away harms nobody.
    REVOKE = Post "/v1/connections/{id}/revoke", gives RevokeView; Prompt, Token, connections::revoke;
    /// Makes a connection the one of its kind that is used where nothing else is said. Needs no proof: what it may be used for stays.
    MAKE_DEFAULT = Post "/v1/connections/{id}/default", gives ConnectionView; Usual, Token, connections::make_default;
    /// Begins to sign in with a browser, with the leave of the person.
    BEGIN_SIGN_IN = Post "/v1/sign-ins", takes ConnectBody, gives SignIn; Usual, Assertion, connections::begin_sign_in;
    /// How a sign-in stands.
    SIGN_IN = Get "/v1/sign-ins/{name}", gives SignIn; Usual, Token, connections::sign_in;

    /// Makes a challenge for a passkey: what it signs to give leave to exactly this.
    CHALLENGE_PASSKEY = Post "/v1/challenge/passkey", takes RequestBody, gives PasskeyChallenge; Prompt, Token, browsers::challenge;
    /// Makes a challenge for a passkey that signs in.
    CHALLENGE_SIGN_IN = Post "/v1/sessions/challenge", gives PasskeyChallenge; Prompt, Nothing, browsers::sign_in_challenge;
    /// Begins a session of a browser; its cookie comes with the answer.
    BEGIN_SESSION = Post "/v1/sessions", takes ProvenBody, gives ClaimedView; Prompt, AssertionAlone, browsers::begin_session;
    /// The sessions that stand.
    SESSIONS = Get "/v1/sessions", gives Vec<SessionView>; Usual, Token, browsers::sessions;
    /// Ends a session. Needs no proof: taking power away harms nobody.
    END_SESSION = Post "/v1/sessions/{id}/end", gives (); Prompt, Token, browsers::end_session;
    /// Ends every session.
    END_SESSIONS = Post "/v1/sessions/end-all", gives (); Prompt, Token, browsers::end_sessions;
    /// Makes a link that lets one browser in, once.
    LET_BROWSER_IN = Post "/v1/browsers/link", takes ProvenBody, gives LinkView; Usual, Assertion, browsers::link;
    /// Gives what a browser that has a link makes its passkey with.
    REGISTRATION = Post "/v1/browsers/options", takes LinkBody, gives RegistrationOptions; Usual, Nothing, browsers::options;
    /// Takes the passkey a browser made, uses up its link, and begins a session; its cookie comes with the answer.
    CLAIM = Post "/v1/browsers/claim", takes ClaimBody, gives ClaimedView; Usual, Nothing, browsers::claim;
    /// Makes a link of a recovery code, which counts no more then.
    RECOVER = Post "/v1/browsers/recover", takes RecoverBody, gives LinkView; Usual, Nothing, browsers::recover;
    /// Lets a new approval passphrase count in the place of the one before: by the evidence, or by a link, which counts no more then.
    SET_PASSPHRASE = Post "/v1/passphrase", takes PassphraseBody, gives (); Usual, Assertion, browsers::set_passphrase;
    /// The passkeys there are and were.
    PASSKEYS = Get "/v1/passkeys", gives Vec<PasskeyView>; Usual, Token, browsers::passkeys;
    /// Ends a passkey and the sessions it began.
    END_PASSKEY = Post "/v1/passkeys/{id}/end", takes ProvenBody, gives Vec<PasskeyView>; Usual, Assertion, browsers::end_passkey;
    /// Lets the passkeys count again, after an older copy of the home was put back.
    CONFIRM_PASSKEYS = Post "/v1/passkeys/confirm", takes ProvenBody, gives ConfirmedView; Usual, Assertion, browsers::confirm_passkeys;
    /// How many recovery codes still count.
    RECOVERY_CODES = Get "/v1/recovery-codes", gives RecoveryCodesView; Usual, Token, browsers::recovery_codes;
    /// Makes new recovery codes; those before count no more.
    NEW_RECOVERY_CODES = Post "/v1/recovery-codes", takes ProvenBody, gives RecoveryCodesView; Usual, Assertion, browsers::new_recovery_codes;

    /// The places that are told when something waits for the person.
    NOTIFICATIONS = Get "/v1/notifications", gives NotificationsView; Usual, Token, notifications::list;
    /// Tells one place more, with the leave of the person: how many actions wait, and nothing else.
    NOTIFY = Post "/v1/notifications", takes NotifyBody, gives NotificationsView; Usual, Assertion, notifications::add;
    /// Tells a place no more. Needs no proof: taking power away harms nobody.
    END_NOTIFICATION = Post "/v1/notifications/{id}/end", gives NotificationsView; Usual, Token, notifications::end;
    /// Sends a place a notice now, whether or not something waits.
    TRY_NOTIFICATION = Post "/v1/notifications/{id}/try", gives NotificationView; Usual, Token, notifications::try_out;

    /// The rules in force beside the shipped ones.
    RULES = Get "/v1/rules", gives Vec<RuleView>; Usual, Token, rules::rules;
    /// Adds and drops rules, takes another profile, names the organisation: whatever of it is given, all or nothing.
    CHANGE_RULES = Post "/v1/rules", takes RuleBody, gives Vec<RuleView>; Usual, Assertion, rules::change_rules;
    /// Drops every rule that lets something go by itself. Needs no proof.
    LOCKDOWN = Post "/v1/rules/lockdown", gives Vec<RuleView>; Prompt, Token, rules::lockdown;
    /// Tells what a change of the rules would have done to the last two hundred actions. Changes nothing, and needs no proof.
    TRY_RULES = Post "/v1/rules/try", takes RuleChange, gives TrialView; Usual, Token, rules::try_rules;
    /// The rules the home suggests, because their like was approved again and again.
    SUGGESTIONS = Get "/v1/rules/suggestions", gives Vec<SuggestionView>; Usual, Token, rules::suggestions;
    /// Does not make a suggestion again for a while. Needs no proof.
    DISMISS = Post "/v1/rules/suggestions/{name}/dismiss", gives (); Usual, Token, rules::dismiss_suggestion;
    /// Every change of the rules, newest first.
    RULE_HISTORY = Get "/v1/rules/history", gives Vec<RuleEventView>; Usual, Token, rules::rule_history;

    /// The person's schedules, with their next times and what became of the last ones.
    SCHEDULES = Get "/v1/schedules", gives Vec<ScheduleView>; Usual, Token, schedules::schedules;
    /// One of them, by its identity or its name, with more of its times.
    SCHEDULE = Get "/v1/schedules/{id}", gives ScheduleView; Usual, Token, schedules::schedule;
    /// What a schedule would be, whole, with its next five times. Makes nothing.
    PREVIEW_SCHEDULE = Post "/v1/schedules/preview", takes ScheduleDraft, gives SchedulePreview; Usual, Token, schedules::preview_schedule;
    /// Makes a schedule, changes one, or begins one again: exactly what was shown.
    MAKE_SCHEDULE = Post "/v1/schedules", takes ScheduleBody, gives ScheduleView; Usual, Assertion, schedules::make_schedule;
    /// Begins a run now. Needs no proof: its words are fixed, and what it does asks as ever.
    RUN_SCHEDULE = Post "/v1/schedules/{id}/run", gives TaskView; Usual, Token, schedules::run_schedule;
    /// Stops a schedule; its runs at work end. Needs no proof: taking power away harms nobody.
    STOP_SCHEDULE = Post "/v1/schedules/{id}/stop", gives ScheduleView; Prompt, Token, schedules::stop_schedule;
    /// Deletes a schedule with its words; its runs at work end. Needs no proof.
    DELETE_SCHEDULE = Post "/v1/schedules/{id}/delete", gives (); Prompt, Token, schedules::delete_schedule;
    /// Runs times that passed, each schedule once, or thinks of them no more.
    MISSED = Post "/v1/missed", takes MissedBody, gives Vec<AttentionView>; Usual, Token, schedules::missed;
    /// Whatever was missed, failed, or needs somebody, the newest first.
    ATTENTION = Get "/v1/attention", gives Vec<AttentionView>; Usual, Token, schedules::attention;
    /// What happened since the digest before the last: made of the log, by no model.
    DIGEST = Get "/v1/digest", gives DigestView; Usual, Token, schedules::digest;

    /// A page of the log.
    LOG = Get "/v1/log" ? log::Page, gives Vec<EntryView>; Usual, Token, log::log;
    /// Finds actions by their words, their outcome and why they were decided so, newest first; also while everything is paused.
    SEARCH = Get "/v1/search" ? search::Search, gives FoundView; Usual, Token, search::search;
    /// Finds tasks by the person's words, newest first.
    SEARCH_TASKS = Get "/v1/search/tasks" ? search::Search, gives FoundTasksView; Usual, Token, search::tasks;
    /// Finds which model requests held a text, newest first.
    SEARCH_REQUESTS = Get "/v1/search/requests" ? search::SearchRequests, gives FoundRequestsView; Usual, Token, search::requests;
    /// Who received what: every provider of models, by month and model.
    RECEIVED = Get "/v1/received", gives Vec<ReceivedView>; Usual, Token, search::received;

    /// A fresh checkpoint, and what shows that the log begins with the first `from` entries (RFC 6962, 2.1.2).
    CONSISTENCY = Get "/v1/log/consistency" ? log::Since, gives ConsistencyView; Usual, Token, log::consistency;
    /// A signed checkpoint, fresh.
    CHECKPOINT = Post "/v1/log/checkpoint", gives Text; Usual, Token, log::checkpoint;
    /// The whole log, payloads sealed.
    EXPORT = Post "/v1/log/export", gives Octets; Usual, Token, log::export_sealed;
    /// The whole log in plain words, so it needs the person.
    EXPORT_READABLE = Post "/v1/log/export-readable", takes ProvenBody, gives Octets; Usual, Assertion, log::export_readable;
    /// The same as a table: one line for each entry, in which nothing is a formula (RFC 4180).
    EXPORT_CSV = Post "/v1/log/export-csv", takes ProvenBody, gives Octets; Usual, Assertion, log::export_csv;
}
