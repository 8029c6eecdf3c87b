//! What can be said on the command line.

use std::path::PathBuf;

use bailey_home::wire::{DavSettings, Settings};
use bailey_telemetry::{Filter, Format};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// A personal AI agent whose every effect passes a gate.
#[derive(Debug, Parser)]
#[command(
    name = "bailey",
    version,
    after_help = "Exit codes: 0 done · 1 failed · 2 usage · 3 Bailey is not running · 4 not authorised · 5 conflict or paused · 6 not found · 7 disk full · 10, 20, 21, 22 see `bailey log verify --help`"
)]
pub(crate) struct Arguments {
    /// Folder of the home and its configuration [default: ~/.local/share/bailey]
    #[arg(long, global = true, env = "BAILEY_DATA", value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Print data as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a home: its keys, its store, and your approval passphrase
    Setup(Setup),
    /// Run the home until stopped
    Serve(Serve),
    /// Unlock a home that waits for its passphrase
    Unlock,
    /// Put a backup of a home in place of what is there; it starts paused, and nothing in it leaves without asking again
    Restore {
        /// The folder the backup is in: a copy of the whole folder of the home
        folder: PathBuf,
    },
    /// Look whether everything is as it should be, and say what to do where it is not
    Doctor(Doctor),
    /// The home as a whole
    #[command(subcommand)]
    Home(HomeCommand),
    /// The home's own process; started by `serve`
    #[command(hide = true)]
    HomeProcess(Role),
    /// The gateway's process; started by `serve`
    #[command(hide = true)]
    GatewayProcess(GatewayRole),
    /// Decide for other programs, on standard input and output, without carrying anything out
    Gate(GateArgs),
    /// Rules in words, and the Cedar they are
    #[command(subcommand)]
    Rules(Rules),
    /// Where the dashboard is, and how the certificate of its names is
    Names,
    /// Let a browser in to the dashboard; asks for the approval passphrase
    Dashboard,
    /// Set a new approval passphrase; asks for the one before
    Passphrase {
        /// With a code that the dashboard shows (Settings, Approval passphrase), where the one before is forgotten; or a recovery link's
        #[arg(long)]
        code: bool,
    },
    /// The passkeys of your browsers, and their sessions
    #[command(subcommand)]
    Passkey(PasskeyCommand),
    /// Where you are told that something waits for you
    #[command(subcommand)]
    Notifications(NotificationsCommand),
    /// Tasks that begin by themselves, each time they are due
    #[command(subcommand)]
    Schedules(Schedules),
    /// Whatever was missed, failed, or needs you
    Attention,
    /// What happened since yesterday's digest
    Digest,
    /// Say how the home is, and what a new one still needs
    Status {
        /// Say the first steps no more, here and in the dashboard
        #[arg(long)]
        no_first_steps: bool,
    },
    /// Connect an account
    #[command(subcommand)]
    Connect(Connect),
    /// Find the servers of an account from its address; nothing secret is sent
    Discover(Discover),
    /// List connections
    Connections {
        /// Make this connection the one of its kind that is used where neither task nor rule says which
        #[arg(long, value_name = "ID")]
        default: Option<String>,
        /// Tell no more of this account, which could not be connected
        #[arg(long, value_name = "ID", conflicts_with = "default")]
        dismiss: Option<String>,
    },
    /// Change what a connection may be used for; asks for the approval passphrase
    Level {
        /// Which connection
        id: String,
        /// read-only, draft, send, full
        level: String,
    },
    /// End a connection at once
    Revoke {
        /// Which connection
        id: String,
    },
    /// List Bailey's own tools and what each of them can do
    Tools,
    /// Show which models your provider offers, which servers run on this machine, and what the month cost
    Models,
    /// What you set in daily life: time zone, hold window, model, bounds of cost
    #[command(subcommand)]
    Config(Config),
    /// Give a task, and follow it until it ends or waits for you
    Task(Task),
    /// Your files: kept encrypted with every version, for you and for the agent through the gate
    #[command(subcommand)]
    Files(Files),
    /// The agent's own computer: how it stands, starting, stopping and destroying it
    #[command(subcommand)]
    Computer(ComputerCommand),
    /// List tasks, newest first
    Tasks(Part),
    /// Show a task
    Show {
        /// Which task
        id: String,
    },
    /// Show exactly what a task's model requests held
    #[command(subcommand)]
    Context(Context),
    /// Stop a task and take back what it has waiting
    Stop {
        /// Which task
        id: String,
    },
    /// Show what waits for your answer, whole
    Approvals,
    /// Approve exactly what is shown; asks for the approval passphrase
    Approve {
        /// Which actions; all that wait if none is named
        ids: Vec<String>,
    },
    /// Refuse waiting actions
    Reject {
        /// Which actions
        #[arg(required = true)]
        ids: Vec<String>,
        /// What the agent is told with it; it names nobody and allows nothing
        #[arg(long, value_name = "WORDS", default_value = "")]
        note: String,
    },
    /// Change a waiting mail, or a waiting entry of a calendar; what was changed asks again
    Edit(EditAction),
    /// Take back what waits or is held; undo what has happened (asks for the approval passphrase)
    Undo {
        /// Which action, or which task with --task
        id: String,
        /// Undo all of a task that can be undone, the newest first, by one answer; says what cannot be and why
        #[arg(long)]
        task: bool,
    },
    /// Say whether an action happened whose outcome is not known, or correct what you said; nothing is sent by that
    Resolve {
        /// Which action
        id: String,
        /// Whether it did
        answer: YesNo,
    },
    /// List actions, newest first
    Actions(Part),
    /// Find actions by their words, their outcome and why they were decided so, newest first
    Search(Search),
    /// The log: everything that was proposed, decided, done
    #[command(subcommand)]
    Log(Log),
    /// Stop everything, at once
    Pause,
    /// Let things go on; asks for the approval passphrase
    Resume,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NotificationsCommand {
    /// List the places that are told; a browser is added on the dashboard's page
    List,
    /// Have a place told, how many actions wait and nothing else; asks for the approval passphrase
    Add {
        /// Which service
        #[arg(value_enum)]
        service: NotificationService,
        /// Of ntfy the whole address of the topic, of Gotify that of the server, of mail that of the connected account
        url: String,
        /// The server wants a token; it is asked for
        #[arg(long)]
        token: bool,
    },
    /// Tell a place no more
    End {
        /// Which place
        id: String,
    },
    /// Send a place a notice now
    Try {
        /// Which place
        id: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum NotificationService {
    /// ntfy.sh, or a server of one's own
    Ntfy,
    /// Gotify
    Gotify,
    /// A connected mail account, which sends to itself
    Mail,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// List everything that is set here, and where each value is said
    List,
    /// Print one value
    Get {
        /// Its name, such as home.hold_seconds
        name: String,
    },
    /// Set values, all or none; asks for the approval passphrase where more can happen by that
    Set {
        /// Such as home.hold_seconds=60; nothing behind the sign: nothing is said, whatever config.toml says
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// Take values as config.toml has them again; asks for the approval passphrase where more can happen by that
    Unset {
        /// Which
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PasskeyCommand {
    /// Let a browser in, which makes a passkey; asks for the approval passphrase
    Add,
    /// List passkeys and sessions
    List,
    /// End a passkey and every session it began; asks for the approval passphrase
    End {
        /// Which passkey
        id: String,
    },
    /// Let passkeys count again after an older copy of the home was put back; asks for the approval passphrase
    Confirm,
    /// Make new recovery codes; asks for the approval passphrase
    Codes,
    /// End a session, or all of them
    SignOut {
        /// Which session; all if none is named
        session: Option<String>,
    },
}

/// A schedule as it is said on the command line.
#[derive(Debug, Args)]
pub(crate) struct SaidSchedule {
    /// When it is due: `every weekday at 7.00`, `jeden zweiten Dienstag um 9 Uhr`, `in 20 minutes`, cron such as `0 7 * * 1-5`, or RRULE
    #[arg(long)]
    pub(crate) when: Option<String>,
    /// What is to be done each time, as you would give a task
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// The time zone it is meant in; yours where nothing is said
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// What of times that passed: usual, never, always-once
    #[arg(long)]
    pub(crate) late: Option<String>,
    /// What where its last run is still at work: skip, queue-one
    #[arg(long)]
    pub(crate) overlap: Option<String>,
    /// A connection it may use, such as ID or ID=read-only; all of them where none is named
    #[arg(long = "use", value_name = "CONNECTION[=LEVEL]")]
    pub(crate) uses: Vec<String>,
    /// It may use no connection
    #[arg(long, conflicts_with = "uses")]
    pub(crate) use_none: bool,
    /// Tokens that one run may take
    #[arg(long)]
    pub(crate) run_tokens: Option<u64>,
    /// Tokens that its runs of thirty days may take
    #[arg(long)]
    pub(crate) month_tokens: Option<u64>,
    /// When it ends by itself: a date, or a moment
    #[arg(long)]
    pub(crate) until: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schedules {
    /// List them, with their next times
    List,
    /// Show one, with what became of its times
    Show {
        /// Its name or its id
        schedule: String,
    },
    /// Say when something is due: what it is understood as, and the next five times; makes nothing
    When {
        /// Such as: every weekday at 7.00
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Make one, after it is shown whole; asks for the approval passphrase
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        said: SaidSchedule,
    },
    /// Change one, or begin one again that is stopped; asks for the approval passphrase
    Edit {
        /// Its name or its id
        schedule: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        said: SaidSchedule,
    },
    /// Begin a run now
    Run {
        /// Its name or its id
        schedule: String,
    },
    /// Stop one at once; its runs at work end
    Stop {
        /// Its name or its id
        schedule: String,
    },
    /// Delete one with its words; its runs at work end
    Delete {
        /// Its name or its id
        schedule: String,
    },
    /// Deal with times that passed without a run: list them, run them, or think of them no more
    Missed {
        /// Run these now, each schedule once; `all` for all of them
        #[arg(long, value_name = "TIME")]
        run: Vec<String>,
        /// Think of these no more; `all` for all of them
        #[arg(long, value_name = "TIME")]
        forget: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Read rules, and show each in the words it is kept in and as Cedar; from standard input if none are given
    Check {
        /// They are Cedar, each with an `@id`
        #[arg(long)]
        cedar: bool,
        /// Such as: mail inside my organisation: go ahead; outside: ask
        words: Vec<String>,
    },
    /// Print the rules of a shipped profile
    Profile {
        /// Which
        name: ProfileName,
    },
    /// List the rules in force beside the shipped ones
    List {
        /// Show the Cedar each of them is, too
        #[arg(long)]
        cedar: bool,
    },
    /// Add rules; asks for the approval passphrase
    Add {
        /// They are Cedar, each with an `@id`
        #[arg(long)]
        cedar: bool,
        /// Such as: mail inside my organisation: go ahead; outside: ask
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// What a change of the rules would have done to your last 200 actions; changes nothing
    Test(Change),
    /// The same, and what it makes automatic that was not, proven over every action there could be; needs the solver cvc5
    Diff(Change),
    /// Why an action was decided as it was, and what the rules in force now would decide
    Explain {
        /// Which action
        action: String,
    },
    /// The most that can happen without you; rules without effect; needs the solver cvc5
    Analyse,
    /// List the rules Bailey suggests, because you approved their like again and again
    Suggestions,
    /// Take a suggestion, after its preview; asks for the approval passphrase
    Accept {
        /// Which
        suggestion: String,
    },
    /// Do not make a suggestion again for sixty days
    Dismiss {
        /// Which
        suggestion: String,
    },
    /// Every change of the rules: what was widened or narrowed, when, by whom and why
    History,
    /// Say who is in a group that rules speak of; asks for the approval passphrase
    Group {
        /// Its name
        name: String,
        /// Addresses; none to drop the group
        addresses: Vec<String>,
    },
    /// Drop rules; asks for the approval passphrase
    Remove {
        /// Which
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Take the rules of a shipped profile in the place of those of another; your own stay
    Use {
        /// Which
        name: ProfileName,
    },
    /// Say which domains are your organisation's
    Organisation {
        /// Such as example.org; none for no organisation
        domains: Vec<String>,
    },
    /// Ask about everything from now on: drop every rule that lets something go by itself
    Lockdown,
}

/// A change of the rules that is only looked at.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// The words are Cedar, each policy with an `@id`
    #[arg(long)]
    pub(crate) cedar: bool,
    /// Rules that would be dropped
    #[arg(long)]
    pub(crate) remove: Vec<String>,
    /// A profile that would be taken
    #[arg(long, value_enum)]
    pub(crate) profile: Option<ProfileName>,
    /// Rules that would be added, such as: mail inside my organisation: go ahead
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// One JSON request on each line, one answer on each line; see docs/security/injection.md
    #[arg(long, required = true)]
    pub(crate) jsonl: bool,
    /// The shipped grants to decide by
    #[arg(long, value_enum, default_value_t = ProfileName::Careful)]
    pub(crate) profile: ProfileName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    /// What reaches others, destroys or spends asks each time
    Careful,
    /// What is grounded and inside the task goes by itself
    Balanced,
    /// What the task asks for goes by itself
    Trusting,
}

/// Which part of a list.
#[derive(Debug, Args)]
pub(crate) struct Part {
    /// Leave out so many of the newest
    #[arg(long, default_value_t = 0)]
    pub(crate) skip: u32,
    /// Most to list, up to 200
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HomeCommand {
    /// Delete the home: ends every connection, destroys its keys, removes its files
    Delete,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which events are logged to standard error: `error`, `warn`, `info`, `debug`, `trace`, `off`, or levels by module such as
    /// `warn,bailey_home=debug`; goes before `[log] level` of the configuration
    #[arg(long, env = "BAILEY_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<Filter>,
    /// How; goes before `[log] format` of the configuration
    #[arg(long, env = "BAILEY_LOG_FORMAT", value_enum, value_name = "FORM")]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Put together a report for others, without personal data: shows it, and asks before it writes it; `-` prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write the report without asking; it is shown all the same
    #[arg(long, requires = "report")]
    pub(crate) yes: bool,
}

/// What the supervisor tells a process of its own.
#[derive(Debug, Args)]
pub(crate) struct Role {
    /// The supervisor's process
    #[arg(long)]
    pub(crate) supervisor: u32,
    /// The account to run under
    #[arg(long, requires = "group")]
    pub(crate) user: Option<u32>,
    /// And its group
    #[arg(long, requires = "user")]
    pub(crate) group: Option<u32>,
    /// Everything was paused when the home ended, and no record could be written
    #[arg(long)]
    pub(crate) paused: bool,
    /// The file that tells what ran last on this machine from a copy of it
    #[arg(long)]
    pub(crate) witness: Option<PathBuf>,
    /// Where the supervisor starts what the home's computer is made of
    #[arg(long)]
    pub(crate) computer: Option<PathBuf>,
    /// Which events it logs
    #[arg(long)]
    pub(crate) log: Filter,
    /// How
    #[arg(long, value_enum)]
    pub(crate) log_format: LogFormat,
    /// How often it was started again
    #[arg(long)]
    pub(crate) restarts: u64,
}

#[derive(Debug, Args)]
pub(crate) struct GatewayRole {
    #[command(flatten)]
    pub(crate) role: Role,
    /// Where to listen
    #[arg(long)]
    pub(crate) listen: String,
    /// Names that the home is reached by as well
    #[arg(long)]
    pub(crate) name: Vec<String>,
    /// Where sealed connections come in
    #[arg(long)]
    pub(crate) tls_listen: Option<String>,
    /// After how many seconds without a heartbeat it is taken to hang
    #[arg(long)]
    pub(crate) silent: u64,
    /// Where it gives its metrics over TCP, too
    #[arg(long)]
    pub(crate) metrics_listen: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// Where the key comes from that everything is locked with
    #[arg(long, value_enum, default_value_t = Root::KeyFile)]
    pub(crate) root: Root,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Root {
    /// A file on this machine: starts unattended; whoever reads the file can read the home
    KeyFile,
    /// A passphrase, asked for at every start
    Passphrase,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connect {
    /// A mail account
    Mail(ConnectMail),
    #[command(flatten)]
    Collection(Collection),
    /// A provider of models that is not on this machine: your leave to ask it, and its key
    Model(ConnectModel),
}

#[derive(Debug, Args)]
pub(crate) struct ConnectModel {
    /// The address, as `base_url` in the configuration has it
    pub(crate) url: String,
    /// How it takes the key: bearer (OpenAI and most others), x-api-key (Anthropic)
    #[arg(long, value_enum, default_value_t = KeyStyle::Bearer)]
    pub(crate) key: KeyStyle,
    /// Whether it trains models on what it is sent, by its terms
    #[arg(long, value_enum, default_value_t = Trains::Unknown)]
    pub(crate) training: Trains,
    /// How long it keeps what it is sent, by its terms
    #[arg(long, default_value = "")]
    pub(crate) retention: String,
    /// Where its terms stand
    #[arg(long, default_value = "")]
    pub(crate) terms: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyStyle {
    /// `Authorization: Bearer`
    Bearer,
    /// `x-api-key`
    XApiKey,
    /// No key
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trains {
    /// It says that it does not
    No,
    /// It does
    Yes,
    /// You do not know
    Unknown,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    /// Your address
    pub(crate) address: String,
    /// Ask this server, and not that of the address's domain: https://host, or https://host:port
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectMail {
    /// Your address
    pub(crate) address: String,
    /// Your name, as recipients see it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// What it may be used for: read-only, draft, send, full
    #[arg(long, default_value = "draft")]
    pub(crate) level: String,
    /// Server that mail is read from, as host:port [usual port: 993; 143 for STARTTLS]. Where neither this nor --submission is named,
    /// both are found as by `bailey discover`
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) imap: Option<String>,
    /// Server that takes outgoing mail, as host:port [usual port: 465; 587 for STARTTLS]. At another port, starttls:host:port
    /// says how
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) submission: Option<String>,
    /// Sign in with tokens of this authorization server, in a browser on this machine
    #[arg(long, value_name = "URL", conflicts_with = "app_password")]
    pub(crate) oauth: Option<String>,
    /// Who Bailey is to that server: a client you registered there yourself [default: bailey]
    #[arg(long, value_name = "ID", requires = "oauth")]
    pub(crate) client_id: Option<String>,
    /// The server gave that client a secret too; asked for
    #[arg(long, requires = "client_id")]
    pub(crate) client_secret: bool,
    /// Sign in with an app password; asked for. Weaker than --oauth
    #[arg(long)]
    pub(crate) app_password: bool,
    /// Without TLS; only for servers on this machine
    #[arg(long)]
    pub(crate) no_tls: bool,
    /// Ask this server which servers there are, and not that of the address's domain: https://host, or https://host:port
    #[arg(long, value_name = "URL", conflicts_with_all = ["imap", "submission"])]
    pub(crate) server: Option<String>,
    /// Connect an account anew that is connected already: the new connection comes in the place of the old one, which ends
    #[arg(long)]
    pub(crate) replace: bool,
}

/// What is connected as one collection of a WebDAV server.
#[derive(Debug, Subcommand)]
pub(crate) enum Collection {
    /// A calendar at a CalDAV server; asks for an app password, or signs in with a browser
    Calendar(ConnectDav),
    /// An address book at a CardDAV server; asks for an app password, or signs in with a browser
    Contacts(ConnectDav),
}

impl Collection {
    /// Returns what kind of settings it makes, and of what.
    pub(crate) fn parts(self) -> (fn(DavSettings) -> Settings, ConnectDav) {
        match self {
            Self::Calendar(dav) => (Settings::Calendar, dav),
            Self::Contacts(dav) => (Settings::Contacts, dav),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ConnectDav {
    /// Its address: https://host/path/to/collection/; of a server, an account or a mail address, which collections it has is said
    pub(crate) url: String,
    /// What you call it, in tasks and rules [default: who signs in]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Who signs in
    #[arg(long)]
    pub(crate) user: String,
    /// What it may be used for: read-only, full
    #[arg(long, default_value = "read-only")]
    pub(crate) level: String,
    /// Sign in with tokens of this authorization server, in a browser on this machine, instead of an app password
    #[arg(long, value_name = "URL")]
    pub(crate) oauth: Option<String>,
    /// Who Bailey is to that server: a client you registered there yourself [default: bailey]
    #[arg(long, value_name = "ID", requires = "oauth")]
    pub(crate) client_id: Option<String>,
    /// The server gave that client a secret too; asked for
    #[arg(long, requires = "client_id")]
    pub(crate) client_secret: bool,
    /// Connect an account anew that is connected already: the new connection comes in the place of the old one, which ends
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Task {
    /// What is to be done
    #[arg(required = true)]
    pub(crate) words: Vec<String>,
    /// Go on with this task, which has ended: it remembers what was, and these words widen what it may do
    #[arg(long)]
    pub(crate) on: Option<String>,
    /// Give a file of this machine with it; it lies in a folder of `Given` then, and the task is told which. Several times for several
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// Do not follow it
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EditAction {
    /// Which action
    pub(crate) id: String,
    /// All recipients
    #[arg(long)]
    pub(crate) to: Option<Vec<String>>,
    /// All recipients of a copy
    #[arg(long)]
    pub(crate) cc: Option<Vec<String>>,
    /// All recipients of a hidden copy
    #[arg(long)]
    pub(crate) bcc: Option<Vec<String>>,
    /// The subject
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// The text; `-` reads it from standard input
    #[arg(long)]
    pub(crate) body: Option<String>,
    /// What happens, of an entry
    #[arg(long)]
    pub(crate) what: Option<String>,
    /// When it begins: `2026-12-05 15:00`, a day alone, or in words
    #[arg(long)]
    pub(crate) begins: Option<String>,
    /// When it ends; empty: it takes as long as now
    #[arg(long)]
    pub(crate) ends: Option<String>,
    /// Where it is; empty: nowhere that is said
    #[arg(long = "where")]
    pub(crate) place: Option<String>,
    /// What it says of itself
    #[arg(long)]
    pub(crate) notes: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    /// It happened
    Yes,
    /// It did not
    No,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Context {
    /// Say who received what: every provider of models, by month
    Totals,
    /// List the requests of a task
    List {
        /// Which task
        task: String,
    },
    /// Show a request: each piece, and who wrote it
    Show {
        /// Which task
        task: String,
        /// Which request, from 0
        number: u64,
        /// Its exact bytes instead
        #[arg(long)]
        raw: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words that all have to be there; put words in a row in quotation marks: \'"next tuesday" ana\'
    pub(crate) words: Vec<String>,
    /// Find tasks by what you said instead
    #[arg(long, conflicts_with_all = ["kind", "state", "account", "by", "from", "to", "requests"])]
    pub(crate) tasks: bool,
    /// Find which model requests held the words instead
    #[arg(long, conflicts_with_all = ["kind", "state", "account", "by", "from", "to"])]
    pub(crate) requests: bool,
    /// Only a kind of action, such as mail.send
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only where it stands, such as succeeded
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only of an account
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only what you answered from: dashboard, cli, program; rules for what nobody was asked about
    #[arg(long)]
    pub(crate) by: Option<String>,
    /// Only since a day, such as 2026-11-30
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// Only until a day, with it
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// Go on behind this place, as the last answer said
    #[arg(long, value_name = "PLACE")]
    pub(crate) before: Option<u64>,
    /// Most to list, up to 200
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// List entries
    List {
        /// First entry
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Most entries
        #[arg(long, default_value_t = 100)]
        limit: u64,
    },
    /// Show one entry whole
    Show {
        /// Its number
        seq: u64,
    },
    /// Write the log to a file that `bailey-verify` checks anywhere
    Export {
        /// Where to; `-` is standard output
        file: PathBuf,
        /// With payloads in plain words; asks for the approval passphrase
        #[arg(long)]
        readable: bool,
        /// In plain words as a table for spreadsheets; asks for the approval passphrase
        #[arg(long, conflicts_with = "readable")]
        csv: bool,
    },
    /// Print a signed checkpoint, to keep elsewhere as a pin
    Checkpoint,
    /// Check the log against the last checkpoint this client saw, or one that was kept elsewhere
    ///
    /// Exit codes: 0 valid up to the pin · 10 consistent, freshness unproven · 20 invalid · 21 diverged · 22 incomplete
    Verify {
        /// A checkpoint that `bailey log checkpoint` printed: checks by a proof that today's log begins with what it covers, without
        /// reading the entries again
        #[arg(long, value_name = "FILE")]
        pin: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ComputerCommand {
    /// Say how it stands, what its wall is worth, and what its programs asked of sites
    Status,
    /// Make, start or wake it; the agent's first use does the same
    Start,
    /// Save its machine and end it; it goes on there with the next use
    Stop,
    /// Destroy what it holds, its key first; asks for the approval passphrase
    Destroy,
    /// Put the image that it starts from where homes find it, after checking every file of it
    Build {
        /// The folder of an image that was made elsewhere
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
    },
    /// Boot a machine here, under KVM where that works, and say what holds it
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Files {
    /// List a folder
    List {
        /// Which; the top if none is said
        #[arg(default_value = "")]
        folder: String,
        /// What lies in the trash, in place of a folder
        #[arg(long, conflicts_with = "folder")]
        trash: bool,
    },
    /// Print a file that is text
    Show {
        /// Which
        path: String,
    },
    /// Copy a file of the home's to this machine; with --versions all of a folder, every version of every file
    Get {
        /// Which file; with --versions which folder, all of them if none is said
        #[arg(default_value = "")]
        path: String,
        /// Where to; what is there already stays [default: its name, here]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Which version; the newest if none is said
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        /// Copy every version of every file of a folder and beneath
        #[arg(long, conflicts_with = "version", requires = "to")]
        versions: bool,
    },
    /// Put a file of this machine into the home
    Put {
        /// Which
        file: PathBuf,
        /// Where it is to lie; a stroke at the end names a folder [default: its name]
        to: Option<String>,
        /// Where a file lies there already, keep this as its newest version
        #[arg(long)]
        replace: bool,
    },
    /// Move or rename a file, to where none lies
    Move {
        /// Which
        path: String,
        /// Its new path; a stroke at the end names a folder
        to: String,
    },
    /// Move a file to the trash
    Trash {
        /// Which
        path: String,
    },
    /// Take a file out of the trash; with --version make an earlier version of a file its newest
    Restore {
        /// Which
        path: String,
        /// Which version
        #[arg(long, value_name = "N")]
        version: Option<u64>,
    },
    /// List the versions of a file
    Versions {
        /// Which
        path: String,
    },
    /// Remove what lies in the trash for good, with its keys; asks for the approval passphrase
    EmptyTrash,
}
