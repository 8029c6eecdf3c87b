//! What a home's interface says and takes, as JSON. Texts for people are escaped here already. Bodies that are made of the vault's
//! or the services' own types are in `bailey-home/src/wire.rs`.
//!
//! Invariant of absence: nothing here knows a home, opens anything, or decides.

mod browsers;
mod certificate;
mod computer;
mod config;
mod files;
mod notifications;
mod records;
mod schedules;
mod tasks;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use browsers::{
    ClaimBody, ClaimedView, ConfirmedView, LinkBody, LinkView, PasskeyChallenge, PasskeyHint, PasskeyView,
    PassphraseBody, RecoverBody, RecoveryCodesView, RegistrationOptions, RequestBody, SessionView,
};
pub use certificate::{CertificateState, CertificateView, NamesView};
pub use computer::{ComputerState, ComputerView, RequestView};
pub use config::{ConfigBody, ConfigChange, FirstStepsView, SettingView, StepView};
pub use files::{
    EmptiedView, FileVersionBody, FileVersionView, FileVersionsView, FileView, FolderView, MoveFileBody, PieceBody,
    UploadBody, UploadView, given_folder, given_words,
};
pub use notifications::{NotificationPlace, NotificationView, NotificationsView};
pub use records::{ConsistencyView, FoundRequestsView, FoundTasksView, FoundView, HeldView, LedToView, ReceivedView};
pub use schedules::{
    AttentionView, DigestLine, DigestView, MissedBody, OccurrenceView, ScheduleAccount, ScheduleBody, ScheduleDraft,
    SchedulePlan, SchedulePreview, ScheduleView,
};
pub use tasks::{
    ModelsView, MonthView, OfferView, ProviderView, TaskSummary, TaskUndoView, TaskView, UndoFate, UndoStepView,
    UndoTaskBody, UsageView, WordsView,
};

/// An error: what happened and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// A stable word for programs.
    pub code: Code,
    /// For people.
    pub message: String,
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:literal, $about:literal;)+) => {
        /// Kinds of errors, as programs tell them apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $(#[doc = $about] $variant),+
        }

        impl Code {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns what it means, for people.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),+ }
            }

            /// Returns the status of an answer that says it (RFC 9110, 15; RFC 4918, 11.5).
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }
        }
    };
}

codes! {
    Malformed = "malformed", 400, "The request does not have the form that is described.";
    Unauthenticated = "unauthenticated", 401, "No token, or a wrong one.";
    NotAuthorised = "not-authorised", 403, "The person's assertion is missing or wrong.";
    NotFound = "not-found", 404, "No such thing.";
    WrongMethod = "wrong-method", 405, "The address does not take that method.";
    Conflict = "conflict", 409, "Not possible in the state it is in, or changed since it was shown.";
    Paused = "paused", 409, "Everything is paused.";
    TooLong = "too-long", 413, "The request's body is too long.";
    Invalid = "invalid", 422, "The request has the right form and makes no sense.";
    Internal = "internal", 500, "Something inside failed.";
    Busy = "busy", 503, "Too many requests of this kind are under way; `Retry-After` says when to come again.";
    DiskFull = "disk-full", 507, "The disk is full.";
}

/// How the home is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Whose it is.
    pub home: String,
    /// `open`, `paused` or `resuming`.
    pub mode: String,
    /// The pause epoch.
    pub epoch: u64,
    /// Tells whether a model is configured.
    pub model: bool,
    /// Actions waiting for the person.
    pub waiting: u64,
    /// Actions only the person can tell the outcome of.
    pub needs_person: u64,
    /// Rules Bailey suggests, as of the last look.
    pub suggestions: u64,
    /// Remarks that the person should see.
    pub notices: Vec<String>,
    /// Entries in the log.
    pub log_entries: u64,
}

/// One labelled line of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Names it.
    pub label: String,
    /// The value.
    pub value: String,
}

/// An action as people see it: the preview, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionView {
    /// The action's identity.
    pub id: String,
    /// The digest that an approval binds.
    pub digest: String,
    /// `mail.send` and so on.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// The task it serves.
    pub task: Option<String>,
    /// When it was proposed: milliseconds since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// One sentence: what will happen.
    pub headline: String,
    /// Everyone who gets something from it, in the order of the preview; those that cannot be read are in `warnings`.
    pub recipients: Vec<RecipientView>,
    /// Files it carries.
    pub attachments: Vec<AttachmentView>,
    /// The fields.
    pub items: Vec<Line>,
    /// The text.
    pub body: String,
    /// Warnings: where to look twice.
    pub warnings: Vec<String>,
    /// Says what each recipient, thing and link stands on, and what its task has let in.
    pub provenance: Vec<Line>,
    /// Why it was decided so, in words.
    pub reason: String,
    /// Why the agent wants it, by its own account.
    pub claimed_why: String,
    /// How far it can be taken back: `undoable`, `held`, `compensable`, `critical`.
    pub class: String,
    /// The same once it is approved, in words.
    pub reversal: String,
    /// Tells whether it answers, passes on or reads a received mail, which can be looked at: `GET /v1/actions/{id}/original`.
    #[serde(default)]
    pub has_original: bool,
    /// Tells whether it waits and can be changed meanwhile: `POST /v1/approvals/{id}/edit`.
    #[serde(default)]
    pub can_edit: bool,
    /// Tells whether it has happened and can be undone: `POST /v1/actions/{id}/undo`.
    pub can_undo: bool,
    /// The action that this one undoes, where it is an undo.
    #[serde(default)]
    pub undoes: Option<String>,
    /// Says in words how the person answered: that they approved it, or that it went by itself.
    pub answered: String,
    /// Says what came of it, where something did.
    pub outcome: Option<String>,
    /// The person's note with their refusal; empty where there is none.
    #[serde(default)]
    pub note: String,
    /// Until when it can be answered: milliseconds since 1970-01-01T00:00Z.
    pub expires_ms: i64,
    /// Until when it is held, where it is.
    pub held_until_ms: Option<i64>,
}

/// Somebody, or something, that gets something from an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecipientView {
    /// How: `to`, `cc`, `bcc`; `gets` where the action has no such parts.
    pub role: String,
    /// The kind of name: `email`, `url`, `iban`, or what else a manifest says.
    pub kind: String,
    /// The whole name: an address of mail, say.
    pub address: String,
    /// The address with its domain in its own letters, where that is written otherwise; else empty.
    pub letters: String,
    /// The name that is shown beside the address; empty where there is none.
    pub name: String,
    /// Says in words what it stands on.
    pub standing: String,
    /// Tells whether the person is not known to have dealt with it before.
    pub stranger: bool,
    /// Whom the person knows that it could be taken for, and is not; else empty.
    pub look_alike: String,
}

impl RecipientView {
    /// Returns what to look at twice about it. [`ActionView::warnings`] holds the same, among others.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let Self { address, look_alike, .. } = self;
        let mut all = Vec::new();
        if self.stranger {
            all.push(format!("As far as Bailey knows, you have never written to `{address}`."));
        }
        if !look_alike.is_empty() {
            all.push(format!("`{address}` could be taken for `{look_alike}`, whom you know, and is somebody else."));
        }
        all
    }
}

/// A file that an action carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttachmentView {
    /// The name the recipient sees.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its content, hexadecimal.
    pub sha256: String,
}

/// A received mail, as it came. All of it was written by others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OriginalView {
    /// Who wrote it, as it says.
    pub from: Vec<String>,
    /// The subject it gives itself.
    pub subject: String,
    /// When it was written, as it says (RFC 3339); empty where it cannot be read.
    pub date: String,
    /// Its text.
    pub text: String,
    /// Its HTML without anything that acts or asks for something; empty where it has none.
    pub html: String,
    /// Where the links of its HTML lead.
    pub links: Vec<String>,
    /// Says in words what was left out.
    pub cut: Vec<String>,
}

/// What the person has to sign to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Challenge {
    /// Used once, hexadecimal.
    pub challenge: String,
    /// The home, which the signature covers.
    pub home: String,
    /// Credentials that may answer.
    pub credentials: Vec<CredentialHint>,
}

/// What a client needs to sign with a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialHint {
    /// The credential's identity.
    pub id: String,
    /// Of which kind.
    pub kind: CredentialKind,
    /// The salt that makes a key of the approval passphrase, hexadecimal; of a `passphrase-key` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// Kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// The Ed25519 key that the approval passphrase makes.
    PassphraseKey,
    /// A passkey.
    Passkey,
}

/// How a credential signed an answer. Bytes are in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AssertionBody {
    /// By the key that the approval passphrase makes.
    PassphraseKey {
        /// The Ed25519 signature.
        signature: String,
    },
    /// By a passkey, as `navigator.credentials.get()` gives it.
    Passkey {
        /// `rawId`.
        credential_id: String,
        /// `response.authenticatorData`.
        authenticator_data: String,
        /// `response.clientDataJSON`.
        client_data: String,
        /// `response.signature`.
        signature: String,
    },
}

/// Evidence that the person answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofBody {
    /// The challenge.
    #[schema(pattern = "^[0-9a-f]{128}$")]
    pub challenge: String,
    /// The credential that signed.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub credential: String,
    /// How it signed.
    pub assertion: AssertionBody,
    /// The client's session, hexadecimal.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub session: String,
}

/// One action that was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The action's identity.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub id: String,
    /// The digest that was shown.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
}

/// `POST /v1/approvals/approve`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveBody {
    /// Exactly what was shown.
    pub shown: Vec<Shown>,
    /// The evidence.
    pub proof: ProofBody,
}

/// A list of actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdsBody {
    /// The actions' identities.
    pub ids: Vec<String>,
}

/// `POST /v1/approvals/reject`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectBody {
    /// The actions' identities.
    pub ids: Vec<String>,
    /// Words for the agent with the refusal, at most 2,000 bytes; empty where there are none. They are none of the task's words.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// `POST /v1/actions/{id}/resolve`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveBody {
    /// Tells whether it did.
    pub happened: bool,
}

/// `POST /v1/tasks`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskBody {
    /// The person's words.
    pub words: String,
    /// Who begins it: `person` (as it is where nothing is said) or `agent`, for a program that speaks for another agent. What
    /// schedules and triggers begin, the home itself begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// A model request as it can be looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContextView {
    /// The spans it held, in order.
    pub spans: Vec<SpanView>,
    /// The pieces that were kept back from it.
    pub kept_back: Vec<KeptBack>,
    /// Its exact bytes.
    pub body: String,
    /// Tokens it took, where that is known.
    #[serde(default)]
    pub usage: Option<UsageView>,
    /// The actions it led to.
    #[serde(default)]
    pub led_to: Vec<LedToView>,
}

/// A piece of a model request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpanView {
    /// Who wrote it: `bailey`, `person`, `note` (the person, on something they refused), `model`, `others`.
    pub label: String,
    /// The tool it came from, for others' words.
    pub source: String,
    /// The words.
    pub text: String,
    /// The action that it is the result of, for others' words.
    #[serde(default)]
    pub action: Option<String>,
    /// Tells whether that action is about a received mail, which can be looked at as it came: `GET /v1/actions/{id}/original`.
    #[serde(default)]
    pub received: bool,
}

/// A secret that was kept back from a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptBack {
    /// The kind of secret it looked like.
    pub kind: String,
    /// The span it was in, from 0.
    pub span: usize,
    /// How it began.
    pub hint: String,
}

/// `POST /v1/connections/{id}/level`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelBody {
    /// `read-only`, `draft`, `send` or `full`.
    #[schema(pattern = "^(read-only|draft|send|full)$")]
    pub level: String,
    /// The evidence.
    pub proof: ProofBody,
}

/// A sign-in under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignIn {
    /// Its name.
    pub id: String,
    /// The address that the person opens in a browser on this machine.
    pub url: String,
    /// The connection, once there is one.
    pub connection: Option<ConnectionView>,
    /// Why there is none, once that is known.
    pub trouble: Option<String>,
}

/// `POST /v1/connections/{id}/revoke`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevokeView {
    /// `confirmed`, `unconfirmed`, `by-hand`, `nothing` or `before`.
    pub at_provider: String,
    /// Says what to do next.
    pub message: String,
}

/// An account that is being connected, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectingView {
    /// The connection's identity.
    pub id: String,
    /// The kind of service.
    pub kind: String,
    /// The account.
    pub account: String,
    /// When it began: milliseconds since 1970-01-01T00:00Z.
    pub begun_ms: i64,
    /// Tells whether it waits for the person's answer on the provider's page.
    pub at_provider: bool,
    /// Why it was not connected, where it could not be.
    pub trouble: Option<String>,
}

/// A connection as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionView {
    /// The connection's identity.
    pub id: String,
    /// The kind of service.
    pub kind: String,
    /// The account.
    pub account: String,
    /// The level: how much it may be used for.
    pub level: String,
    /// Tells whether it stands.
    pub active: bool,
    /// Tells whether it is the one of its kind that is used where neither a task nor a call says which.
    #[serde(default)]
    pub is_default: bool,
    /// Says what is weaker about it than it could be; empty if nothing is.
    pub weaker: String,
    /// Why it cannot be used until the person signs in again; empty if it can.
    #[serde(default)]
    pub sign_in: String,
    /// When it was made: milliseconds since 1970-01-01T00:00Z; nothing where that was not kept.
    #[serde(default)]
    pub made_ms: Option<i64>,
    /// The permissions its provider gave, by the provider's names; none without tokens.
    #[serde(default)]
    pub given: Vec<String>,
    /// Its use in the last 90 days; nothing of a model's provider.
    #[serde(default)]
    pub used: Option<UseView>,
    /// Everything it could be used for, from looking to removing.
    #[serde(default)]
    pub permissions: Vec<PermissionView>,
}

/// What a connection was used for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UseView {
    /// When last: milliseconds since 1970-01-01T00:00Z; nothing where not in the last 90 days.
    pub last_ms: Option<i64>,
    /// Looks in the last seven days.
    pub week_looks: u64,
    /// By kind of action, how often in the last seven days.
    pub week: BTreeMap<String, u64>,
    /// How often in the last thirty days.
    pub month: u64,
    /// Tells whether it stands for thirty days and was not used in them.
    pub idle: bool,
}

/// Something a connection could be used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PermissionView {
    /// The level it comes with: `read-only`, `draft`, `send` or `full`.
    pub level: String,
    /// Tells whether the connection has it.
    pub granted: bool,
    /// Who keeps the connection from it where it does not have it: `provider`, or `bailey` alone.
    pub kept_by: String,
    /// How often it was used in the last thirty days.
    pub month: u64,
}

/// A log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryView {
    /// Its place.
    pub seq: u64,
    /// The header line.
    #[schema(value_type = Object)]
    pub header: serde_json::Value,
    /// Its words, where they can still be read.
    #[schema(value_type = Option<Object>)]
    pub payload: Option<serde_json::Value>,
}

/// What pausing achieved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PauseView {
    /// The epoch that began.
    pub epoch: u64,
    /// Says what went wrong while recording it, where something did.
    pub trouble: Vec<String>,
    /// Actions whose bytes may have been handed over before.
    pub in_flight: Vec<String>,
}

/// `POST /v1/resume`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeBody {
    /// The epoch of the pause to be ended, as `GET /v1/status` gives it.
    pub epoch: u64,
    /// The evidence.
    pub proof: ProofBody,
}

/// `POST /v1/log/export-readable`, `POST /v1/home/delete`, `POST /v1/actions/{id}/undo`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenBody {
    /// The evidence.
    pub proof: ProofBody,
}

/// A change of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// Rules in words.
    #[serde(default)]
    pub add: String,
    /// Rules in Cedar, each with an `@id` of its own.
    #[serde(default)]
    pub cedar: String,
    /// Names of rules to drop.
    #[serde(default)]
    pub remove: Vec<String>,
    /// A shipped profile in the place of the one before; rules of one's own stay.
    #[serde(default)]
    pub profile: Option<String>,
    /// The domains of the organisation, in the place of those before.
    #[serde(default)]
    pub organisation: Option<Vec<String>>,
    /// Groups of addresses, each in the place of the one of that name before; an empty one is dropped.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<String>>,
    /// The suggestion that is taken: then `add` is its rule, and there is nothing else.
    #[serde(default)]
    pub suggestion: Option<String>,
}

impl RuleChange {
    /// Tells whether it changes something besides single rules.
    #[must_use]
    pub fn changes_more(&self) -> bool {
        self.profile.is_some() || self.organisation.is_some() || !self.groups.is_empty()
    }
}

/// `POST /v1/rules`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    /// The change to make.
    pub change: RuleChange,
    /// The evidence.
    pub proof: ProofBody,
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleView {
    /// Its name.
    pub id: String,
    /// In words.
    pub words: String,
    /// As Cedar.
    pub cedar: String,
    /// `own`, `offer`, or the profile it came with.
    pub origin: String,
    /// When it was added, in milliseconds since 1970-01-01T00:00Z.
    pub added_ms: i64,
}

/// `POST /v1/rules/try`: what a change would have done to the last actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialView {
    /// Actions it was tried on.
    pub tried: u64,
    /// Further actions whose facts were erased, or not kept yet.
    pub untold: u64,
    /// Those that would be decided otherwise, newest first.
    pub otherwise: Vec<TriedView>,
    /// The person's rules as they are, as Cedar.
    pub before: String,
    /// As they would be.
    pub after: String,
}

/// An action that would be decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriedView {
    /// The action's identity.
    pub id: String,
    /// `mail.send` and so on.
    pub kind: String,
    /// When it was proposed, in milliseconds since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// Says what it was.
    pub headline: String,
    /// `auto`, `ask`, `ask-step-up` or `deny` by the rules as they are.
    pub before: String,
    /// The same by the rules as they would be.
    pub after: String,
    /// Says in words what became of it.
    pub answered: String,
    /// Why not more freely.
    pub reason: String,
}

/// A rule the home suggests, because the person approved its like again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionView {
    /// Its name.
    pub id: String,
    /// The rule, in words.
    pub words: String,
    /// As Cedar.
    pub cedar: String,
    /// Why it is offered.
    pub why: String,
    /// Approvals it stands on.
    pub approved: u64,
    /// When the first of them was asked for, in milliseconds since 1970-01-01T00:00Z.
    pub first_ms: i64,
    /// When the last was.
    pub last_ms: i64,
    /// Its trial: what it would have done.
    pub trial: TrialView,
}

/// A change of the rules that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleEventView {
    /// Its entry in the log.
    pub seq: u64,
    /// When, in milliseconds since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// Who made it.
    pub actor: String,
    /// Rules that came, one on each line.
    pub added: String,
    /// Rules that went.
    pub removed: String,
    /// The domains of the organisation, where they changed.
    pub organisation: String,
    /// A group that changed, and who is in it now.
    pub group: String,
    /// A suggestion that was not wanted.
    pub dismissed: String,
    /// Why, where that is known.
    pub why: String,
}

/// Why an action was decided as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhyView {
    /// The decision that was made.
    pub decision: String,
    /// The rules that stood in the way of deciding more freely, or let it go, each with its words.
    pub reasons: Vec<Line>,
    /// The decision that the rules in force now would make.
    pub now: String,
    /// Facts of it, where they are kept: only those that are not nothing.
    pub facts: Vec<Line>,
}

/// What deleting the home could not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletedView {
    /// Accounts whose access has to be ended at the provider, and why.
    pub end_by_hand: Vec<String>,
}
