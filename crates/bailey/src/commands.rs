//! What each command does.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use bailey_gate::approval::Purpose;
use bailey_gate::{ActionId, BadId, Digest};
use bailey_home::wire::{
    ConnectBody, DavSettings, Edit, KeyHeader, MailSettings, ModelSettings, OauthClient, Server, Settings, Training,
};
use bailey_home::{Layout, RootChoice, purposes, routes};
use bailey_interface::{
    ActionView, ApproveBody, ConnectingView, ConnectionView, ConsistencyView, ContextView, DeletedView, EntryView,
    FirstStepsView, IdsBody, LevelBody, ProvenBody, RejectBody, ResolveBody, ResumeBody, RevokeView, Shown, SignIn,
    Status, TaskSummary, TaskView,
};
use bailey_verify::{Today, Verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::args::{
    Collection, Command, ComputerCommand, Connect, ConnectMail, ConnectModel, Context, EditAction, HomeCommand,
    KeyStyle, Log, Part, Root, Setup, Trains, YesNo,
};
use crate::client::{Client, Trouble, is_supervised};
use crate::{follow, pin, prompt, show};

/// Runs a command.
pub(crate) async fn run(command: Command, layout: Layout, json: bool) -> Result<(), Trouble> {
    match command {
        Command::Setup(setup) => return make_home(&setup, &layout),
        Command::Serve(serve) => return crate::roles::supervise(&layout, serve).await,
        Command::Rules(command) => return crate::rules::run(command, layout, json).await,
        Command::Tools => return tools(json),
        Command::Unlock => return unlock(&layout).await,
        Command::Pause => return crate::pause::run(layout, json).await,
        Command::Doctor(doctor) => return crate::doctor::run(&layout, &doctor, json).await,
        Command::Restore { folder } => return crate::restore::run(&layout, &folder, json),
        Command::Computer(ComputerCommand::Build { from }) => return crate::computer::build(from, json),
        Command::Computer(ComputerCommand::Check) => return crate::computer::check(json).await,
        _ => {}
    }
    let client = Client::new(layout)?;
    match command {
        Command::Setup(_)
        | Command::Rules(_)
        | Command::Gate(_)
        | Command::Tools
        | Command::Serve(_)
        | Command::Unlock
        | Command::Pause
        | Command::Doctor(_)
        | Command::Restore { .. }
        | Command::HomeProcess(_)
        | Command::GatewayProcess(_) => Ok(()),
        Command::Home(HomeCommand::Delete) => delete_home(&client, json).await,
        Command::Names => crate::browsers::names(&client, json).await,
        Command::Dashboard => crate::browsers::dashboard(&client, json).await,
        Command::Passphrase { code } => crate::browsers::passphrase(&client, code, json).await,
        Command::Passkey(command) => crate::browsers::passkey(command, &client, json).await,
        Command::Notifications(command) => crate::notifications::run(command, &client, json).await,
        Command::Status { no_first_steps } => {
            if no_first_steps {
                let () = client.post(&routes::HIDE_FIRST_STEPS.here(), &()).await?;
            }
            let mut status: Status = client.get(&routes::STATUS.here()).await?;
            status.notices.extend(pin::is_older(&status));
            let first: FirstStepsView = client.get(&routes::FIRST_STEPS.here()).await?;
            Ok(show::print(json, &status, |out| show::status(out, &status, &first.steps))?)
        }
        Command::Discover(discover) => crate::discover::run(&client, discover, json).await,
        Command::Connect(Connect::Mail(mail)) => connect(&client, mail, json).await,
        Command::Connect(Connect::Collection(collection)) => connect_collection(&client, collection, json).await,
        Command::Connect(Connect::Model(model)) => connect_model(&client, model, json).await,
        Command::Connections { default, dismiss } => {
            if let Some(id) = dismiss {
                let left: Vec<ConnectingView> = client.post(&routes::DISMISS_CONNECTING.at(&[&id]), &()).await?;
                return Ok(show::print(json, &left, |out| left.iter().try_for_each(|one| show::connecting(out, one)))?);
            }
            if let Some(id) = default {
                let card: ConnectionView = client.post(&routes::MAKE_DEFAULT.at(&[&id]), &()).await?;
                return Ok(show::print(json, &card, |out| show::connection(out, &card))?);
            }
            let list: Vec<ConnectionView> = client.get(&routes::CONNECTIONS.here()).await?;
            let under_way: Vec<ConnectingView> = client.get(&routes::CONNECTING.here()).await?;
            Ok(show::print(json, &list, |out| {
                list.iter().try_for_each(|one| show::connection(out, one))?;
                under_way.iter().try_for_each(|one| show::connecting(out, one))
            })?)
        }
        Command::Level { id, level } => change_level(&client, &id, level, json).await,
        Command::Revoke { id } => {
            let card: RevokeView = client.post(&routes::REVOKE.at(&[&id]), &()).await?;
            Ok(show::print(json, &card, |out| {
                writeln!(
                    out,
                    "Revoked. Nothing can use this connection any more, and what it kept is destroyed. {}",
                    card.message
                )
            })?)
        }
        Command::Config(command) => crate::config::run(command, &client, json).await,
        Command::Task(task) => follow::give_task(&client, task, json).await,
        Command::Files(command) => crate::files::run(command, &client, json).await,
        Command::Computer(command) => crate::computer::run(command, &client, json).await,
        Command::Models => follow::models(&client, json).await,
        Command::Tasks(Part { skip, limit }) => {
            let list: Vec<TaskSummary> =
                client.get(&routes::TASKS.here().with("skip", skip).with("limit", limit)).await?;
            Ok(show::print(json, &list, |out| list.iter().try_for_each(|one| show::task_summary(out, one)))?)
        }
        Command::Show { id } => {
            let task: TaskView = client.get(&routes::TASK.at(&[&id])).await?;
            Ok(show::print(json, &task, |out| show::task(out, &task))?)
        }
        Command::Context(which) => context(&client, which, json).await,
        Command::Stop { id } => {
            let task: TaskView = client.post(&routes::STOP_TASK.at(&[&id]), &()).await?;
            Ok(show::print(json, &task, |out| show::task(out, &task))?)
        }
        Command::Approvals => {
            let list = waiting(&client).await?;
            Ok(show::print(json, &list, |out| cards(out, &list))?)
        }
        Command::Approve { ids } => approve(&client, &ids, json).await,
        Command::Reject { ids, note } => {
            let () = client.post(&routes::REJECT.here(), &RejectBody { ids, note }).await?;
            say("Refused; nothing was done.")
        }
        Command::Edit(edit) => edit_action(&client, edit, json).await,
        Command::Undo { id, task: false } => undo(&client, &id, json).await,
        Command::Undo { id, task: true } => crate::undo::task(&client, &id, json).await,
        Command::Resolve { id, answer } => {
            let body = ResolveBody { happened: answer == YesNo::Yes };
            let card = client.post(&routes::RESOLVE.at(&[&id]), &body).await?;
            Ok(show::print(json, &card, |out| {
                writeln!(out, "Noted: it is {} now. Nothing is sent by that.", card.state)
            })?)
        }
        Command::Actions(Part { skip, limit }) => {
            let list: Vec<ActionView> =
                client.get(&routes::ACTIONS.here().with("skip", skip).with("limit", limit)).await?;
            Ok(show::print(json, &list, |out| cards(out, &list))?)
        }
        Command::Search(search) => crate::search::run(&client, search, json).await,
        Command::Log(log) => run_log(&client, log, json).await,
        Command::Resume => {
            let Status { mode, epoch, .. } = client.get(&routes::STATUS.here()).await?;
            if mode == bailey_gate::handoff::Mode::Open.name() {
                return show::print(json, &Vec::<String>::new(), |out| writeln!(out, "Nothing is paused."))
                    .map_err(Trouble::from);
            }
            let words = prompt::passphrase("Approval passphrase")?;
            let proof = client.prove(&Purpose::Resume { epoch }, &words).await?;
            let asked: Vec<String> = client.post(&routes::RESUME.here(), &ResumeBody { epoch, proof }).await?;
            show::print(json, &asked, |out| {
                writeln!(out, "Going on.")?;
                if !asked.is_empty() {
                    writeln!(out, "{} approved action(s) ask again: `bailey approvals`", asked.len())?;
                }
                Ok(())
            })?;
            Ok(())
        }
    }
}

fn say(words: &str) -> Result<(), Trouble> {
    Ok(writeln!(io::stdout(), "{words}")?)
}

/// Returns what is said where nobody gave the passphrase: it is no success.
pub(crate) fn nothing_given() -> Trouble {
    Trouble::Here("no passphrase was given, so everything was left as it is".into())
}

fn left() -> Result<(), Trouble> {
    Err(nothing_given())
}

pub(crate) fn cards(out: &mut dyn io::Write, list: &[ActionView]) -> io::Result<()> {
    if list.is_empty() {
        return writeln!(out, "Nothing.");
    }
    list.iter().try_for_each(|one| show::card(out, one).and_then(|()| writeln!(out)))
}

/// Longest path of a socket, in bytes (unix(7)).
const LONGEST_SOCKET_PATH: usize = 107;

fn make_home(setup: &Setup, layout: &Layout) -> Result<(), Trouble> {
    let here = |error: bailey_home::LayoutError| Trouble::Here(error.to_string());
    if layout.info().is_ok() {
        return Err(here(bailey_home::LayoutError::Exists(layout.root().into())));
    }
    let sockets = [layout.socket(), bailey_supervisor::Place::new(layout.root()).socket()];
    let longest = sockets.iter().map(|path| path.as_os_str().len()).max().unwrap_or_default();
    if longest > LONGEST_SOCKET_PATH {
        return Err(Trouble::Here(format!(
            "the path `{}` is too long by {} bytes for the sockets below it; name a shorter folder with --data",
            layout.root().display(),
            longest - LONGEST_SOCKET_PATH
        )));
    }
    let root = match setup.root {
        Root::KeyFile => RootChoice::KeyFile,
        Root::Passphrase => {
            let words = prompt::new_passphrase("Passphrase that locks the home")?;
            // Four bytes a character at most (UTF-8, RFC 3629).
            let most = bailey_supervisor::LONGEST_PASSPHRASE / 4;
            if words.chars() > most {
                return Err(Trouble::Here(format!("a passphrase may have {most} characters; take a shorter one")));
            }
            RootChoice::Passphrase(words)
        }
    };
    if io::stdin().is_terminal() {
        say("The approval passphrase is asked whenever something needs your yes. It is stored nowhere.")?;
    }
    let approval = prompt::new_passphrase("New approval passphrase")?;
    let home = layout.create(root, &approval).map_err(here)?;
    say(&format!("Home {home} is ready in `{}`.", layout.root().display()))?;
    if setup.root == Root::KeyFile {
        say(
            "Its key lies in `keys/`: whoever can read that file can read the home. Keep it out of backups of `home/`.",
        )?;
    }
    say("Next: run `bailey serve`, and `bailey dashboard` beside it: its page leads to a model and a first task.")
}

/// Gives the passphrase to the supervisor that waits for it.
async fn unlock(layout: &Layout) -> Result<(), Trouble> {
    let words = prompt::password("Passphrase that locks the home")?;
    let place = bailey_supervisor::Place::new(layout.root());
    // A socket may be left of a supervisor that was killed.
    if !is_supervised(layout) {
        return Err(Trouble::NotRunning(layout.root().to_path_buf()));
    }
    let told = tokio::task::spawn_blocking(move || bailey_supervisor::unlock(&place, words.expose())).await;
    told.map_err(|error| Trouble::Here(error.to_string()))?.map_err(|error| Trouble::Here(error.to_string()))?;
    say("Unlocked.")
}

/// How often it is looked whether the home is gone, and how long apart: half a minute in all.
const LOOKS: u32 = 300;
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

async fn wait_until_gone(layout: &Layout) -> Result<(), Trouble> {
    for _ in 0..LOOKS {
        if !["home", "keys", "state"].iter().any(|name| layout.root().join(name).exists()) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(Trouble::Here("the home is to be deleted, but is not gone yet; run `bailey serve`, which finishes it".into()))
}

/// Deletes the home, after saying what that means.
async fn delete_home(client: &Client, json: bool) -> Result<(), Trouble> {
    writeln!(
        io::stderr(),
        "This ends every connection, destroys the home's keys, and removes its files. It cannot be undone.\n\
         Export first what you want to keep: `bailey log export`."
    )?;
    let words = prompt::passphrase("Approval passphrase, to delete everything; empty to leave it")?;
    if words.chars() == 0 {
        return left();
    }
    let proof = client.prove(&purposes::delete_home(), &words).await?;
    let card: DeletedView = client.post(&routes::DELETE_HOME.here(), &ProvenBody { proof }).await?;
    wait_until_gone(client.layout()).await?;
    Ok(show::print(json, &card, |out| {
        writeln!(out, "Deleted: the keys are destroyed and the home's files removed. `config.toml` is still there.")?;
        writeln!(out, "Backups made earlier are yours to remove; so is what a disk keeps of files it overwrote.")?;
        card.end_by_hand.iter().try_for_each(|one| writeln!(out, "  ! end this yourself: {one}"))
    })?)
}

/// What is asked for where an account is signed in to without tokens.
const APP_PASSWORD: &str = "App password of the account";

async fn connect(client: &Client, mail: ConnectMail, json: bool) -> Result<(), Trouble> {
    let server = |text: &String| mail_server(text, mail.no_tls);
    let mut imap = mail.imap.as_ref().map(server).transpose()?;
    let mut submission = mail.submission.as_ref().map(server).transpose()?;
    let mut asks = mail.app_password;
    if imap.is_none() && submission.is_none() {
        let found = crate::discover::mail(client, &mail.address, mail.server.clone()).await?;
        (imap, submission) = (found.imap.map(|one| one.server), found.submission.map(|one| one.server));
        // Servers elsewhere let nobody in without.
        asks = mail.oauth.is_none();
    }
    let known_as = client_of(mail.client_id.clone(), mail.client_secret)?;
    let settings = Settings::Mail(MailSettings {
        client: known_as,
        address: mail.address.clone(),
        name: mail.name.clone(),
        imap,
        submission,
        issuer: mail.oauth.clone(),
    });
    finish_connect(client, settings, mail.level, asks.then_some(APP_PASSWORD), mail.replace, json).await
}

/// Tells who we are to an authorization server; its secret is asked for where there is one.
fn client_of(id: Option<String>, has_secret: bool) -> Result<Option<OauthClient>, Trouble> {
    let secret = if has_secret { Some(prompt::password("Secret of the client")?) } else { None };
    let secret = secret.map(|secret| secret.expose().to_owned());
    Ok(id.map(|id| OauthClient { id, secret }))
}

async fn connect_collection(client: &Client, collection: Collection, json: bool) -> Result<(), Trouble> {
    let (settings, dav) = collection.parts();
    let (server, path) = Server::read_collection(&dav.url).map_err(Trouble::Here)?;
    let known_as = client_of(dav.client_id, dav.client_secret)?;
    let secret = dav.oauth.is_none().then_some(APP_PASSWORD);
    let (name, user, issuer) = (dav.name, dav.user, dav.oauth);
    let settings = settings(DavSettings { name, user, server, path, issuer, client: known_as });
    finish_connect(client, settings, dav.level, secret, dav.replace, json).await
}

async fn change_level(client: &Client, id: &str, level: String, json: bool) -> Result<(), Trouble> {
    let of = id.parse().map_err(|error: BadId| Trouble::Here(format!("`{id}` is no connection: {error}")))?;
    let words = prompt::passphrase("Approval passphrase, to change what this connection may be used for")?;
    let proof = client.prove(&purposes::change_level(&of, &level), &words).await?;
    let card = client.post(&routes::CHANGE_LEVEL.at(&[id]), &LevelBody { level, proof }).await?;
    Ok(show::print(json, &card, |out| show::connection(out, &card))?)
}

async fn connect_model(client: &Client, model: ConnectModel, json: bool) -> Result<(), Trouble> {
    let settings = Settings::Model(ModelSettings {
        base_url: model.url.trim_end_matches('/').to_owned(),
        key_header: if model.key == KeyStyle::XApiKey { KeyHeader::XApiKey } else { KeyHeader::Bearer },
        training: match model.training {
            Trains::No => Training::No,
            Trains::Yes => Training::Yes,
            Trains::Unknown => Training::Unknown,
        },
        retention: model.retention,
        terms: model.terms,
    });
    if model.training != Trains::No {
        writeln!(
            io::stderr(),
            "What this provider is sent may be used to train models, as far as you said; --training no says otherwise."
        )?;
    }
    writeln!(io::stderr(), "It will be sent your tasks, and what they read: mail, calendar, all of it.")?;
    let ask = (model.key != KeyStyle::None).then_some("The provider's key");
    // One that stands at this address is replaced by the home itself.
    finish_connect(client, settings, "read-only".into(), ask, false, json).await
}

async fn context(client: &Client, which: Context, json: bool) -> Result<(), Trouble> {
    match which {
        Context::Totals => crate::search::received(client, json).await,
        Context::List { task } => {
            let numbers: Vec<u64> = client.get(&routes::CONTEXTS.at(&[&task])).await?;
            Ok(show::print(json, &numbers, |out| {
                numbers.iter().try_for_each(|number| writeln!(out, "bailey context show {task} {number}"))
            })?)
        }
        Context::Show { task, number, raw: false } => {
            let card: ContextView = client.get(&routes::CONTEXT.at(&[&task, &number.to_string()])).await?;
            Ok(show::print(json, &card, |out| show::context(out, &card))?)
        }
        Context::Show { task, number, raw: true } => {
            let bytes = client.get_raw(&routes::RAW_CONTEXT.at(&[&task, &number.to_string()])).await?;
            // JSON keeps control characters escaped, but not all that deceives: a terminal gets it written out.
            let text = String::from_utf8_lossy(&bytes);
            let safe = if io::stdout().is_terminal() {
                bailey_gate::family::escape::visible_lines(&text)
            } else {
                text.into_owned()
            };
            Ok(io::stdout().write_all(safe.as_bytes())?)
        }
    }
}

async fn finish_connect(
    client: &Client,
    settings: Settings,
    level: String,
    secret: Option<&str>,
    replace: bool,
    json: bool,
) -> Result<(), Trouble> {
    let replaces = if replace { Some(standing(client, &settings).await?) } else { None };
    let words = prompt::passphrase("Approval passphrase")?;
    let password = secret.map(prompt::password).transpose()?;
    let proof = client.prove(&purposes::connect(&settings, &level), &words).await?;
    let body = ConnectBody { settings, level, password, replaces, back: None, proof };
    let card = match body.settings.issuer() {
        None => client.post(&routes::CONNECT.here(), &body).await?,
        Some(_) => sign_in(client, &body).await?,
    };
    Ok(show::print(json, &card, |out| show::connection(out, &card))?)
}

/// Returns the connection of the same account that stands already: the new one comes in its place.
async fn standing(client: &Client, settings: &Settings) -> Result<String, Trouble> {
    let all: Vec<ConnectionView> = client.get(&routes::CONNECTIONS.here()).await?;
    let account = bailey_gate::family::escape::visible(settings.account());
    let same = |one: &ConnectionView| one.active && one.kind == settings.kind() && one.account == account;
    all.into_iter().find(same).map(|one| one.id).ok_or_else(|| {
        Trouble::Here(format!("`{account}` is not connected, so there is nothing to replace; leave --replace out"))
    })
}

/// Returns the person signs in with a browser; we wait until the home knows what came of it.
async fn sign_in(client: &Client, body: &ConnectBody) -> Result<ConnectionView, Trouble> {
    let mut flow: SignIn = client.post(&routes::BEGIN_SIGN_IN.here(), body).await?;
    writeln!(io::stderr(), "Open this address in a browser on this machine, and sign in:\n\n{}\n", flow.url)?;
    let mut seen: u64 = client.get(&routes::CHANGES.here()).await?;
    loop {
        if let Some(card) = flow.connection {
            return Ok(card);
        }
        if let Some(why) = flow.trouble {
            return Err(Trouble::Here(why));
        }
        flow = client.get(&routes::SIGN_IN.at(&[&flow.id])).await?;
        if flow.connection.is_none() && flow.trouble.is_none() {
            seen = client.get(&routes::CHANGES.here().with("after", seen)).await?;
        }
    }
}

/// Reads the place of a mail server, on this machine perhaps without TLS.
fn mail_server(text: &str, no_tls: bool) -> Result<Server, Trouble> {
    let says_how = ["tls:", "starttls:", "plain:"].iter().any(|how| text.starts_with(how));
    let read = if no_tls && !says_how { Server::read(text, false) } else { Server::read_mail(text) };
    read.map_err(Trouble::Here)
}

/// Returns what waits or is held is taken back at once; what has happened is undone by an action of its own.
async fn undo(client: &Client, id: &str, json: bool) -> Result<(), Trouble> {
    if id.trim().is_empty() {
        return Err(Trouble::Here("no action was named; `bailey actions` lists them".into()));
    }
    let card: ActionView = client.get(&routes::ACTION.at(&[id])).await?;
    if ["awaiting", "approved", "held"].contains(&card.state.as_str()) {
        let () = client.post(&routes::CANCEL.here(), &IdsBody { ids: vec![card.id] }).await?;
        return say("Taken back; nothing was sent.");
    }
    show::card(&mut io::stderr().lock(), &card)?;
    let of: ActionId = card.id.parse().map_err(|error: BadId| Trouble::Here(error.to_string()))?;
    let words = prompt::passphrase("Approval passphrase, to undo this")?;
    let proof = client.prove(&Purpose::Undo(of), &words).await?;
    let undo: ActionView = client.post(&routes::UNDO.at(&[&card.id]), &ProvenBody { proof }).await?;
    let undo = undone(client, undo).await?;
    show::print(json, &undo, |out| show::card(out, &undo))?;
    if undo.state == "succeeded" { Ok(()) } else { Err(Trouble::Printed(1)) }
}

/// Waits until an undo has come to rest.
pub(crate) async fn undone(client: &Client, mut undo: ActionView) -> Result<ActionView, Trouble> {
    let mut seen: u64 = client.get(&routes::CHANGES.here()).await?;
    while ["approved", "claimed", "proposed"].contains(&undo.state.as_str()) {
        undo = client.get(&routes::ACTION.at(&[&undo.id])).await?;
        if ["approved", "claimed"].contains(&undo.state.as_str()) {
            seen = client.get(&routes::CHANGES.here().with("after", seen)).await?;
        }
    }
    Ok(undo)
}

/// Returns what a model can ask for, as a manifest says it.
fn tools(json: bool) -> Result<(), Trouble> {
    let manifests = bailey_home::tool_manifests();
    Ok(show::print(json, &manifests, |out| {
        for tool in bailey_home::own_tools(&[]) {
            writeln!(out, "{:<16} {}", tool.name, tool.description)?;
            let Some(manifest) = manifests.get(tool.name).and_then(serde_json::Value::as_object) else { continue };
            let said = manifest.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
            writeln!(out, "{:<16} {said}", "")?;
        }
        Ok(())
    })?)
}

/// Returns everything that waits for the person, asked for in parts.
async fn waiting(client: &Client) -> Result<Vec<ActionView>, Trouble> {
    // As many as a home gives at once.
    const PART: usize = 200;
    let mut all: Vec<ActionView> = Vec::new();
    loop {
        let more: Vec<ActionView> =
            client.get(&routes::APPROVALS.here().with("skip", all.len()).with("limit", PART)).await?;
        let last = more.len() < PART;
        all.extend(more);
        if last {
            return Ok(all);
        }
    }
}

async fn approve(client: &Client, ids: &[String], json: bool) -> Result<(), Trouble> {
    let all = waiting(client).await?;
    let chosen: Vec<&ActionView> = all.iter().filter(|card| ids.is_empty() || ids.contains(&card.id)).collect();
    if let Some(unknown) = ids.iter().find(|id| !chosen.iter().any(|card| card.id == **id)) {
        return Err(Trouble::Here(format!("`{unknown}` is not waiting for an answer; look at `bailey approvals`")));
    }
    if chosen.is_empty() {
        return say("Nothing waits for your answer.");
    }
    let mut out = io::stderr().lock();
    chosen.iter().try_for_each(|card| show::card(&mut out, card).and_then(|()| writeln!(out)))?;
    drop(out);
    let words = prompt::passphrase(&format!(
        "Approval passphrase, to do exactly this ({} action(s)); empty to leave it",
        chosen.len()
    ))?;
    if words.chars() == 0 {
        return left();
    }
    let bad = |error: BadId| Trouble::Here(error.to_string());
    let shown = chosen
        .iter()
        .map(|card| Ok((card.id.parse::<ActionId>().map_err(bad)?, card.digest.parse::<Digest>().map_err(bad)?)));
    let purpose = Purpose::Approve(shown.collect::<Result<_, Trouble>>()?);
    let proof = client.prove(&purpose, &words).await?;
    let shown = chosen.iter().map(|card| Shown { id: card.id.clone(), digest: card.digest.clone() }).collect();
    let approved: Vec<String> = client.post(&routes::APPROVE.here(), &ApproveBody { shown, proof }).await?;
    show::print(json, &approved, |out| {
        writeln!(
            out,
            "Approved: {} action(s). A mail waits out its hold window first, where there is one; `bailey undo` takes it back until then.",
            approved.len()
        )
    })?;
    Ok(())
}

async fn edit_action(client: &Client, edit: EditAction, json: bool) -> Result<(), Trouble> {
    let body = match edit.body.as_deref() {
        Some("-") => {
            let mut text = String::new();
            io::stdin().lock().read_to_string(&mut text)?;
            Some(text)
        }
        Some(text) => Some(text.to_owned()),
        None => None,
    };
    let EditAction { id, to, cc, bcc, subject, body: _, what, begins, ends, place, notes } = edit;
    let change = Edit { to, cc, bcc, subject, body, what, begins, ends, place, notes };
    let card: ActionView = client.post(&routes::EDIT.at(&[&id]), &change).await?;
    Ok(show::print(json, &card, |out| show::card(out, &card))?)
}

async fn run_log(client: &Client, log: Log, json: bool) -> Result<(), Trouble> {
    match log {
        Log::List { from, limit } => {
            let list: Vec<EntryView> = client.get(&routes::LOG.here().with("from", from).with("limit", limit)).await?;
            Ok(show::print(json, &list, |out| list.iter().try_for_each(|one| show::entry(out, one)))?)
        }
        Log::Show { seq } => {
            let list: Vec<EntryView> = client.get(&routes::LOG.here().with("from", seq).with("limit", 1)).await?;
            let entry = list.first().filter(|entry| entry.seq == seq);
            let entry = entry.ok_or_else(|| Trouble::Here(format!("the log has no entry {seq}")))?;
            Ok(show::print(true, entry, |_| Ok(()))?)
        }
        Log::Export { file, readable, csv } => {
            let form = match (readable, csv) {
                (false, false) => Form::Sealed,
                (true, _) => Form::Readable,
                (false, true) => Form::Table,
            };
            if file == Path::new("-") {
                return export(client, form, &mut io::stdout()).await;
            }
            let mut out = new_file(&file)?;
            if let Err(trouble) = export(client, form, &mut out).await {
                // A part of a log is worth nothing.
                let _ = fs::remove_file(&file);
                return Err(trouble);
            }
            if csv {
                return say(&format!("Written to `{}`.", file.display()));
            }
            say(&format!("Written to `{}`; check it with `bailey-verify {}`.", file.display(), file.display()))
        }
        Log::Checkpoint => {
            let note = client.post_for_text(&routes::CHECKPOINT.here()).await?;
            Ok(io::stdout().write_all(note.as_bytes())?)
        }
        Log::Verify { pin: None } => verify(client, json).await,
        Log::Verify { pin: Some(file) } => verify_against(client, &file, json).await,
    }
}

/// Makes a file that was not there: whatever lies in its place, a link too, stays as it is.
fn new_file(path: &Path) -> Result<fs::File, Trouble> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AlreadyExists => "it is there already; remove it, or name another".to_owned(),
            _ => error.to_string(),
        };
        Trouble::Here(format!("`{}` cannot be written: {why}", path.display()))
    })
}

/// How the log is exported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Sealed,
    Readable,
    Table,
}

async fn export(client: &Client, form: Form, out: &mut dyn io::Write) -> Result<(), Trouble> {
    let route = match form {
        Form::Sealed => return client.post_into(&routes::EXPORT.here(), &(), out).await,
        Form::Readable => routes::EXPORT_READABLE.here(),
        Form::Table => routes::EXPORT_CSV.here(),
    };
    let words = prompt::passphrase("Approval passphrase")?;
    let proof = client.prove(&purposes::export_readable(), &words).await?;
    client.post_into(&route, &ProvenBody { proof }, out).await
}

/// Checks the log against the checkpoint this client kept last time, and keeps the newest.
async fn verify(client: &Client, json: bool) -> Result<(), Trouble> {
    let mut text = Vec::new();
    export(client, Form::Sealed, &mut text).await?;
    let text = String::from_utf8(text).map_err(|error| Trouble::Here(error.to_string()))?;
    let note = client.post_for_text(&routes::CHECKPOINT.here()).await?;
    let status: Status = client.get(&routes::STATUS.here()).await?;
    let pin = pin::file(&status.home)?;
    let pinned = fs::read_to_string(&pin).ok();
    let verdict = bailey_verify::verify(&text, pinned.as_deref());
    print_verdict(&verdict, json)?;
    if matches!(verdict, Verdict::Valid { .. } | Verdict::Consistent { .. }) {
        fs::write(&pin, note)
            .map_err(|error| Trouble::Here(format!("the pin `{}` cannot be kept: {error}", pin.display())))?;
    }
    ended(&verdict)
}

fn print_verdict(verdict: &Verdict, json: bool) -> Result<(), Trouble> {
    let words = serde_json::json!({"verdict": verdict.to_string(), "exit_code": verdict.exit_code()});
    Ok(show::print(json, &words, |out| writeln!(out, "{verdict}"))?)
}

const fn ended(verdict: &Verdict) -> Result<(), Trouble> {
    match verdict.exit_code() {
        0 => Ok(()),
        code => Err(Trouble::Printed(code)),
    }
}

/// Longest checkpoint that is read, in bytes: a few lines of text.
const MAX_PIN_BYTES: u64 = 64 * 1024;

/// Checks by a consistency proof that the log begins with what a checkpoint covers that was kept elsewhere. The proof is checked here:
/// nothing that the home says of itself is believed.
async fn verify_against(client: &Client, file: &Path, json: bool) -> Result<(), Trouble> {
    let failed = |error: io::Error| Trouble::Here(format!("`{}` cannot be read: {error}", file.display()));
    let mut pin = String::new();
    fs::File::open(file).map_err(failed)?.take(MAX_PIN_BYTES).read_to_string(&mut pin).map_err(failed)?;
    let covers = bailey_verify::Checkpoint::parse(&pin).map_or(0, |pin| pin.size);
    let status: Status = client.get(&routes::STATUS.here()).await?;
    // A log that is shorter than that proves nothing of it; its own checkpoint says how long it is.
    let from = if covers > status.log_entries { 0 } else { covers };
    let ConsistencyView { proof, checkpoint, .. } = client.get(&routes::CONSISTENCY.here().with("from", from)).await?;
    let node = |text: &String| BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    let proof: Option<Vec<[u8; 32]>> = proof.iter().map(node).collect();
    let proof = proof.ok_or_else(|| Trouble::Here("the home's proof cannot be read".into()))?;
    let first: Vec<EntryView> = client.get(&routes::LOG.here().with("from", 0).with("limit", 1)).await?;
    let first = first.first().ok_or_else(|| Trouble::Here("the home's log has no first entry".into()))?;
    let today = Today { first_entry: &first.header, checkpoint: &checkpoint, proof: &proof };
    let verdict = bailey_verify::grown(&pin, &today);
    print_verdict(&verdict, json)?;
    ended(&verdict)
}
