//! The three processes of a home: the supervisor, which starts the other two, the home, and the gateway.

use std::fmt::Display;
use std::future::Future;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use bailey_gateway::Gateway;
use bailey_home::{Ended, Home, Layout, config};
use bailey_keys::{HomeKey, Passphrase};
use bailey_supervisor::{
    Identity, Launch, Logging, NOT_PUBLIC, Place, READY, Said, Stream, SupervisorError, flush_within, notice,
};
use bailey_telemetry::{Filter, Format, Id, Process, event, metrics};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{GateArgs, GatewayRole, Role, Serve};
use crate::client::Trouble;
use crate::prompt;
use crate::scrape::{self, Listener, Source};

/// Longest settings line the home takes, in bytes: a configuration and a bundle of certificates.
const MAX_SETTINGS_BYTES: u64 = 4 * 1024 * 1024;

/// Returns no other process of this account may read our memory, and no core file may keep it.
fn harden() -> io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    Ok(rustix::process::setrlimit(rustix::process::Resource::Core, none)?)
}

/// Runs `bailey gate --jsonl`.
pub(crate) fn gate(wanted: &GateArgs) -> ExitCode {
    let profile = crate::rules::profile(wanted.profile);
    match bailey_home::decide::run(profile, &mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => crate::fail(&error.to_string(), 1),
    }
}

/// Runs `bailey serve`.
pub(crate) async fn supervise(layout: &Layout, wanted: Serve) -> Result<(), Trouble> {
    let here = |error: &dyn Display| Trouble::Here(error.to_string());
    harden()?;
    let logs = Logs { filter: wanted.log, format: wanted.log_format.map(Format::from) };
    // A configuration that cannot be read is told about below.
    let config = config::Settings::read(&layout.config()).and_then(|settings| settings.parse()).unwrap_or_default();
    let (filter, format) = logs.of(&config.log);
    if format == Format::Json {
        bailey_supervisor::keep_notices_apart();
    }
    begin_logging(Process::Supervisor, layout, filter, format);
    let place = Place::new(layout.root());
    if bailey_supervisor::finish_deletion(&place).map_err(|e| here(&e))? {
        tell(layout, &Said::Deleted);
        flush_within(FLUSH_WITHIN);
        return Ok(());
    }
    let config = layout.config();
    let prepare = move || {
        let settings = config::Settings::read(&config).map_err(|error| error.to_string())?;
        let config = settings.parse().map_err(|error| error.to_string())?;
        let settings = serde_json::to_string(&settings).map_err(|error| error.to_string())?;
        let (filter, format) = logs.of(&config.log);
        Ok(Launch {
            settings,
            silent: config.home.silent(),
            names: config.gateway.names.iter().map(|name| name.origin().to_owned()).collect(),
            tls_listen: config.gateway.tls_listen,
            listen: config.gateway.listen,
            logging: Logging { filter: filter.to_string(), format: format.name() },
            gateway_metrics: config.metrics.gateway_listen,
        })
    };
    let locked = place.needs_passphrase().map_err(|e| here(&e))?;
    // What stands in the configuration is told about before anything waits for a passphrase.
    let _: Launch = prepare().map_err(Trouble::Here)?;
    let words = if locked { given()? } else { None };
    let root = place.root_key(words.as_ref()).map_err(|e| here(&e))?;
    drop(words);
    if let Some(root) = &root {
        place.unwrap(root).map_err(|e| here(&e))?;
    }
    let given = (bailey_home::mark_paused_by_supervisor as bailey_supervisor::Mark, keep as bailey_supervisor::Keep);
    let supervised =
        bailey_supervisor::supervise(&place, root, prepare, given, |said| tell(layout, &said), stop()?).await;
    flush_within(FLUSH_WITHIN);
    match supervised {
        Ok(()) => Ok(()),
        Err(SupervisorError::Refused(why)) => Err(Trouble::Here(why)),
        Err(error) => Err(here(&error)),
    }
}

/// Starts what a home's computer is made of, for as long as this process lives.
fn keep(socket: &std::os::unix::net::UnixListener, computer: Identity, home: Identity) {
    let account = bailey_computer::Identity { user: computer.user, group: computer.group };
    match bailey_home::launcher() {
        Some(launcher) => bailey_computer::Keeper::new(&launcher, account, home.user).serve(socket),
        None => event!(WARN, "the launcher of computers is not beside this program, so none can be started"),
    }
}

/// What was asked for on the command line, or in the environment; it goes before the configuration.
#[derive(Clone)]
struct Logs {
    filter: Option<Filter>,
    format: Option<Format>,
}

impl Logs {
    fn of(&self, config: &config::LogConfig) -> (Filter, Format) {
        let configured = || config.level.as_ref().and_then(|level| level.parse().ok());
        let filter = self.filter.clone().or_else(configured).unwrap_or_default();
        (filter, self.format.or(config.format).unwrap_or_default())
    }
}

/// Logs to standard error from here on. Nobody has to read it.
fn begin_logging(process: Process, layout: &Layout, filter: Filter, format: Format) {
    let home = layout.info().ok().and_then(|info| info.home.parse::<bailey_gate::HomeId>().ok());
    let identity = bailey_telemetry::Identity { process, home: home.map(|home| Id::new(*home.as_bytes())) };
    bailey_telemetry::install(identity, filter, format, |line| bailey_supervisor::log_line(Stream::Error, line));
}

/// Returns the passphrase of the home, where somebody is there to give it.
fn given() -> Result<Option<Passphrase>, Trouble> {
    let asked = prompt::passphrase("Passphrase that locks the home");
    match asked {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !io::stdin().is_terminal() => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// How long the last words of the supervisor may take to be read.
const FLUSH_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);

fn tell(layout: &Layout, said: &Said) {
    let data = layout.root().display();
    let out = |words: String| bailey_supervisor::log_line(Stream::Out, words);
    match said {
        Said::Locked => out(format!("Bailey is locked. Unlock it with `bailey unlock`. ({data})")),
        Said::Runs(Ok(address)) => out(format!(
            "Bailey runs. Talk to it with `bailey task`, `bailey approvals`, … ({data}; programs: http://{address}/v1)"
        )),
        Said::Runs(Err(why)) => {
            out(format!("Bailey runs, without its gateway. ({data})"));
            notice(why);
        }
        Said::NotPublic(why) => notice(&format!("Bailey does not listen for other machines: {why}")),
        Said::Shared(why) => notice(why),
        Said::Ended(why, seconds) => notice(&format!("the home ended ({why}); it is started again in {seconds} s")),
        Said::Deleted => out("The home was deleted.".into()),
    }
}

fn stop() -> Result<impl Future<Output = ()> + Unpin, Trouble> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // The terminal it was started from was closed.
    let mut closed = signal(SignalKind::hangup())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = closed.recv() => {}
        }
    }))
}

/// Returns what a process of the supervisor's does first: gives up root, and ends with the supervisor.
fn begin(role: &Role) -> io::Result<()> {
    bailey_supervisor::leave_terminal()?;
    bailey_supervisor::gain_no_rights()?;
    if let (Some(user), Some(group)) = (role.user, role.group) {
        bailey_supervisor::become_identity(Identity { user, group })?;
    }
    bailey_supervisor::die_with_parent(role.supervisor)?;
    harden()
}

/// Says one line to the supervisor; line breaks in it become U+0001.
fn report(line: &str) {
    let mut out = io::stdout().lock();
    // A supervisor that does not listen any more has ended, and so will we.
    let _ = writeln!(out, "{}", line.replace('\n', "\u{1}")).and_then(|()| out.flush());
}

/// Runs `bailey home-process`. Called before any thread was started.
pub(crate) fn home(role: &Role, layout: &Layout) -> ExitCode {
    match run_home(role, layout) {
        Ok(Ended::Stopped | Ended::Deleted) => ExitCode::SUCCESS,
        Ok(Ended::StorageFailed) => ExitCode::FAILURE,
        Err(why) => {
            report(&why);
            ExitCode::FAILURE
        }
    }
}

fn run_home(role: &Role, layout: &Layout) -> Result<Ended, String> {
    let failed = |error: &dyn Display| error.to_string();
    begin(role).map_err(|e| failed(&e))?;
    begin_logging(Process::Home, layout, role.log.clone(), role.log_format.into());
    metrics().restarted(Process::Home, role.restarts);
    let (key, mut settings) = take_over().map_err(|e| failed(&e))?;
    settings.paused = role.paused;
    settings.witness.clone_from(&role.witness);
    settings.computer.clone_from(&role.computer);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| failed(&e))?;
    runtime.block_on(async {
        let home = Home::open(layout, key, &settings).map_err(|e| failed(&e))?;
        let mut unrecorded = home.unrecorded();
        tokio::spawn(async move {
            while unrecorded.changed().await.is_ok() {
                report(if *unrecorded.borrow_and_update() {
                    bailey_supervisor::PAUSED
                } else {
                    bailey_supervisor::RESUMED
                });
            }
        });
        let mut heartbeats = home.heartbeats();
        tokio::spawn(async move {
            while heartbeats.changed().await.is_ok() {
                report(bailey_supervisor::HEARTBEAT);
            }
        });
        let listen = settings.parse().ok().and_then(|config| config.metrics.home_listen);
        for listener in [Listener::at(&layout.metrics_socket()), Listener::on(listen.as_deref())] {
            give_metrics(listener, Source::Home(Arc::clone(&home)));
        }
        let mut terminate = signal(SignalKind::terminate()).map_err(|e| failed(&e))?;
        let stop = async move {
            terminate.recv().await;
        };
        let ready = home.not_yet_public().map_or_else(|| READY.to_owned(), |why| format!("{NOT_PUBLIC}{why}"));
        let served = bailey_home::serve(home, layout, || report(&ready), stop).await.map_err(|e| failed(&e));
        let _ = std::fs::remove_file(layout.metrics_socket());
        flush_within(FLUSH_WITHIN);
        served
    })
}

/// Gives metrics to whoever connects there. What cannot be listened on keeps no process from its work.
fn give_metrics(listener: io::Result<Option<Listener>>, source: Source) {
    match listener {
        Ok(Some(listener)) => drop(tokio::spawn(scrape::serve(listener, source))),
        Ok(None) => {}
        Err(error) => {
            let code = error.raw_os_error().unwrap_or_default();
            event!(ERROR, "metrics cannot be given where they should be", errno = code);
        }
    }
}

/// Returns the key and the settings, from the pipe of the supervisor.
fn take_over() -> Result<(HomeKey, config::Settings), Box<dyn std::error::Error>> {
    let mut pipe = io::stdin().lock();
    let key = HomeKey::take_over(&mut pipe)?;
    let mut line = String::new();
    pipe.by_ref().take(MAX_SETTINGS_BYTES).read_line(&mut line)?;
    Ok((key, serde_json::from_str(&line)?))
}

/// Runs `bailey gateway-process`. Called before any thread was started.
pub(crate) fn gateway(role: &GatewayRole, layout: &Layout) -> ExitCode {
    let Err(why) = run_gateway(role, layout);
    report(&why);
    ExitCode::FAILURE
}

fn run_gateway(role: &GatewayRole, layout: &Layout) -> Result<std::convert::Infallible, String> {
    let failed = |error: &dyn Display| error.to_string();
    begin(&role.role).map_err(|e| failed(&e))?;
    // One thread: the kernel takes files away from the thread that asks, and those it starts.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
    runtime.block_on(async {
        let gateway =
            Gateway::bind(&role.listen, &role.name, role.tls_listen.as_deref()).await.map_err(|e| failed(&e))?;
        let listeners = [Listener::given(), Listener::on(role.metrics_listen.as_deref())];
        let confined = bailey_gateway::renounce_files();
        // Behind that: the thread that writes lines can open no file either.
        begin_logging(Process::Gateway, layout, role.role.log.clone(), role.role.log_format.into());
        metrics().restarted(Process::Gateway, role.role.restarts);
        report(&format!("listening {}", gateway.address()));
        event!(INFO, "the gateway listens", landlock = confined);
        if !confined {
            event!(WARN, "this kernel has no Landlock; the gateway is kept from files by its account alone");
        }
        listeners.into_iter().for_each(|listener| give_metrics(listener, Source::Gateway));
        let between = std::time::Duration::from_secs(role.silent) / bailey_home::HEARTBEATS_PER_TIMEOUT;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(between).await;
                report(bailey_supervisor::HEARTBEAT);
            }
        });
        gateway.serve(&layout.socket(), &layout.tls_socket()).await.map_err(|e| failed(&e))?;
        Err("the gateway has ended".to_owned())
    })
}
