//! Beginning and ending the machine: on first use, when nothing is done, with a pause, for good.

use std::fs;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bailey_computer::{DiskKey, Engine as _, Machine, Program, Qemu, Stream};
use bailey_gate::event::Payload;
use bailey_gate::handoff::Mode;
use bailey_telemetry::event;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{DISK_KEY, Lacking, Room, Running, SECRETS, Stage, Under, asleep_note};
use crate::home::Home;

/// The names that saved machines go by in turn: one is there while the next is made.
const NAMES: [&str; 2] = ["sleep-a", "sleep-b"];
/// Where the guest finds the certificate of the home's authority.
pub(super) const GUEST_CA: &str = "/etc/bailey-ca.pem";
/// How often it is looked at whether the machine has something to do.
const LOOKED_AT: Duration = Duration::from_secs(1);
/// How long ending the machine for good may take before the home is deleted without it: its key goes with the home's.
const DESTROYED_WITHIN: Duration = Duration::from_secs(20);

impl Room {
    /// Returns the machine, which is made, started or woken where it does not run.
    pub(super) async fn awake(&self) -> Result<Arc<Running>, Lacking> {
        let mut stage = self.stage.lock().await;
        if let Stage::Running(running) = &*stage {
            return Ok(Arc::clone(running));
        }
        self.is_under(Under::Starting);
        let begun = self.begin(&mut stage).await;
        self.in_trouble(begun.as_ref().err().map(ToString::to_string));
        self.is_under(Under::Nothing);
        if let Err(error) = &begun {
            event!(WARN, "the agent's computer could not be started", lacking = matches!(error, Lacking::Not(_)));
        }
        begun
    }

    async fn begin(&self, stage: &mut Stage) -> Result<Arc<Running>, Lacking> {
        let (engine, broker, home) = (self.engine().await?, self.broker().await?, self.home()?);
        if home.gate.lock().pause_state().mode != Mode::Open {
            return Err(Lacking::Not("everything is paused; resume first".into()));
        }
        let key = self.key_for(stage).await?;
        if matches!(stage, Stage::Absent) {
            engine.create(&self.place, &key).await?;
            self.note("made", Payload::default())?;
            *stage = Stage::Off;
        }
        let (machine, how) = self.boot(&engine, &key, stage).await?;
        // What it is told before anything runs in it: whom to believe that a site is a site.
        let pem = pem(broker.certificate());
        machine.control().write(GUEST_CA, 0o644, pem.as_bytes()).await.map_err(bailey_computer::ComputerError::from)?;
        let running = Arc::new_cyclic(|running: &std::sync::Weak<Running>| {
            let (running, resets) = (std::sync::Weak::clone(running), home.vault.resets());
            let carrying = tokio::spawn(async move {
                loop {
                    let Some(running) = running.upgrade() else { return };
                    let Some(stream) = running.machine.egress().accept().await else { return };
                    drop(running);
                    let (broker, mut resets) = (Arc::clone(&broker), resets.clone());
                    resets.mark_unchanged();
                    tokio::spawn(async move {
                        // A pause ends it whatever its other side does.
                        tokio::select! {
                            () = broker.serve(Ending(stream)) => {}
                            _ = resets.changed() => {}
                        }
                    });
                }
            });
            Running { machine, carrying, since_ms: home.clock.now().wall_ms }
        });
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&running));
        *stage = Stage::Running(Arc::clone(&running));
        self.note(how, Payload::default().text("grade", engine.grade().word()))?;
        event!(INFO, "the agent's computer runs", grade = engine.grade().word(), how = how);
        // A pause that came meanwhile holds it, too.
        if home.gate.lock().pause_state().mode != Mode::Open {
            self.hold().await;
        }
        Ok(running)
    }

    /// Returns the key of the disk: the one that is kept, or a new one for a disk that is not there yet.
    async fn key_for(&self, stage: &Stage) -> Result<DiskKey, Lacking> {
        match (self.kept_key()?, stage) {
            (Some(key), Stage::Off | Stage::Asleep(_) | Stage::Running(_)) => Ok(key),
            (None, Stage::Off | Stage::Asleep(_) | Stage::Running(_)) => Err(Lacking::Not(
                "the disk of the agent's computer is locked with a key that this home does not have, as after an older backup was put \
                 back; `bailey computer destroy` removes it, and the next use makes it anew"
                    .into(),
            )),
            (_, Stage::Absent) => {
                let key = DiskKey::random()?;
                self.ledger.write(|tx| tx.put_record(DISK_KEY, key.as_bytes()))?;
                Ok(key)
            }
        }
    }

    /// Wakes the machine, or starts it where it was not saved or cannot be woken.
    async fn boot(
        &self,
        engine: &Qemu,
        key: &DiskKey,
        stage: &mut Stage,
    ) -> Result<(Box<dyn Machine>, &'static str), Lacking> {
        if let Stage::Asleep(name) = &*stage {
            let woken = engine.restore(&self.place, key, name).await;
            // Whatever came of it, what it does from here on is not in what was saved.
            remove(&asleep_note(&self.place))?;
            remove(&self.place.memory(name))?;
            *stage = Stage::Off;
            match woken {
                Ok(machine) => return Ok((machine, "woken")),
                Err(_) => event!(WARN, "the agent's computer could not be woken, and is started instead"),
            }
        }
        for name in NAMES {
            // What a crash left of saving it is in nobody's way.
            if self.place.memory(name).exists() {
                let _ = engine.forget_snapshot(&self.place, key, name).await;
            }
        }
        Ok((engine.start(&self.place, key).await?, "started"))
    }

    /// Saves the machine and ends it, or ends it alone where it cannot be saved.
    pub(super) async fn sleep(&self) -> Result<(), Lacking> {
        let mut stage = self.stage.lock().await;
        let Stage::Running(running) = &*stage else { return Ok(()) };
        let running = Arc::clone(running);
        self.is_under(Under::Stopping);
        let slept = self.save(&running).await;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = running.machine.kill().await;
        running.carrying.abort();
        *stage = Stage::found(&self.place);
        let noted = self.note(if slept.is_ok() { "asleep" } else { "stopped" }, Payload::default());
        self.in_trouble(slept.as_ref().err().map(ToString::to_string));
        self.is_under(Under::Nothing);
        event!(INFO, "the agent's computer sleeps", saved = slept.is_ok());
        slept.and(noted)
    }

    async fn save(&self, running: &Running) -> Result<(), Lacking> {
        let Some(engine) = self.engine.get() else { return Ok(()) };
        let Some(key) = self.kept_key()? else { return Ok(()) };
        let name = if self.place.memory(NAMES[0]).exists() { NAMES[1] } else { NAMES[0] };
        running.machine.snapshot(name).await?;
        running.machine.kill().await?;
        let note = asleep_note(&self.place);
        let kept = fs::write(&note, name).and_then(|()| fs::File::open(self.place.folder())?.sync_all());
        kept.map_err(|source| bailey_computer::ComputerError::File { path: note, source })?;
        // The disk keeps one saved state: the one that was woken last is none any more.
        for other in NAMES.into_iter().filter(|other| *other != name) {
            let _ = engine.forget_snapshot(&self.place, &key, other).await;
        }
        Ok(())
    }

    /// Ends it and destroys what it holds: the key in its disk's header, the disk, and the key that is kept here.
    pub(super) async fn destroy(&self) -> Result<(), Lacking> {
        let mut stage = self.stage.lock().await;
        self.is_under(Under::Stopping);
        let destroyed = self.erase(&mut stage).await;
        self.in_trouble(destroyed.as_ref().err().map(ToString::to_string));
        self.is_under(Under::Nothing);
        destroyed
    }

    async fn erase(&self, stage: &mut Stage) -> Result<(), Lacking> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Stage::Running(running) = &*stage {
            let _ = running.machine.kill().await;
            running.carrying.abort();
        }
        let key = self.kept_key()?;
        // The key first: from here on nobody can read the disk, whatever is left of it.
        self.ledger.write(|tx| {
            tx.remove_record(DISK_KEY)?;
            tx.remove_record(SECRETS).map(|_| ())
        })?;
        self.secrets.store(false, Ordering::SeqCst);
        if self.place.disk().exists() {
            // A damaged disk is overwritten and removed all the same, and says so.
            if let (Ok(engine), Some(key)) = (self.engine().await, key) {
                drop(engine.destroy(&self.place, &key).await);
            }
        }
        if self.place.folder().exists() {
            let path = self.place.folder().to_owned();
            let gone = fs::remove_dir_all(&path);
            gone.map_err(|source| bailey_computer::ComputerError::File { path, source })?;
        }
        *stage = Stage::Absent;
        self.note("destroyed", Payload::default())?;
        event!(INFO, "the agent's computer was destroyed");
        Ok(())
    }

    /// Stops its processors: its programs stay as they are, to be looked at.
    async fn hold(&self) {
        if let Some(running) = self.running() {
            // One that does not stop is ended by this.
            let held = running.machine.pause().await;
            event!(INFO, "the agent's computer is held", stopped = held.is_ok());
        }
    }

    async fn release(&self) {
        if let Some(running) = self.running()
            && running.machine.resume().await.is_err()
        {
            event!(WARN, "the agent's computer did not go on after the pause, and is ended");
            let _ = running.machine.kill().await;
        }
    }

    /// Ends it before the home is deleted.
    pub(crate) async fn end_for_good(&self) {
        let _ = tokio::time::timeout(DESTROYED_WITHIN, self.destroy()).await;
    }

    fn is_idle(&self) -> bool {
        let since = *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner);
        self.in_use.load(Ordering::SeqCst) == 0
            && self.requests.under_way() == 0
            && since.elapsed() >= Duration::from_secs(self.parts.config.idle_seconds)
    }
}

impl Home {
    /// Looks after the computer as long as the home is open: pauses, sleep, and an end that nobody asked for.
    pub(crate) async fn keep_computer(self: Arc<Self>) {
        let room = Arc::clone(&self.room);
        if room.parts.lacking().is_none() {
            // What its wall is worth is told before anything runs in it.
            let _ = room.engine().await;
            self.changed();
        }
        tokio::spawn(Arc::clone(&room.requests).keep_records());
        let (mut resets, mut changes, mut held) = (self.vault.resets(), self.changes(), false);
        loop {
            tokio::select! {
                _ = resets.changed() => {}
                _ = changes.changed() => {}
                () = tokio::time::sleep(LOOKED_AT) => {}
            }
            let mode = self.gate.lock().pause_state().mode;
            match (mode, held) {
                (Mode::Paused | Mode::Resuming, false) => {
                    held = true;
                    room.hold().await;
                }
                (Mode::Open, true) => {
                    held = false;
                    room.release().await;
                }
                (Mode::Paused | Mode::Resuming, true) | (Mode::Open, false) => {}
            }
            room.look(held).await;
        }
    }
}

impl Room {
    async fn look(&self, held: bool) {
        let Some(running) = self.running() else { return };
        let over = tokio::select! {
            biased;
            why = running.machine.ended() => Some(why),
            () = std::future::ready(()) => None,
        };
        if let Some(why) = over {
            let mut stage = self.stage.lock().await;
            if matches!(&*stage, Stage::Running(known) if Arc::ptr_eq(known, &running)) {
                *self.now.lock().unwrap_or_else(PoisonError::into_inner) = None;
                *stage = Stage::found(&self.place);
                self.in_trouble(Some(format!(
                    "the agent's computer has ended by itself{why}; the next use starts it again"
                )));
                let _ = self.note("ended", Payload::default().text("why", why));
                event!(WARN, "the agent's computer has ended by itself");
                self.is_under(Under::Nothing);
            }
        } else if !held && self.is_idle() {
            let has_jobs = running.machine.control().jobs().await;
            let busy = has_jobs.is_ok_and(|jobs| jobs.iter().any(|job| job.ended.is_none()));
            if !busy && self.is_idle() {
                let _ = self.sleep().await;
            }
        }
    }
}

/// A stream of the machine's, ended for its other side before it is given up.
struct Ending(Stream);

impl Drop for Ending {
    fn drop(&mut self) {
        // Says that nothing more comes, and waits for nothing.
        let _ = Pin::new(&mut self.0).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

impl AsyncRead for Ending {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Ending {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Returns a certificate as programs read it (RFC 7468).
fn pem(certificate: &[u8]) -> String {
    /// Characters of a line.
    const WIDTH: usize = 64;
    let text = BASE64.encode(certificate);
    let lines: Vec<&str> =
        (0..text.len()).step_by(WIDTH).filter_map(|at| text.get(at..(at + WIDTH).min(text.len()))).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// What programs of the machine are told beside what they are told anyway: whom to believe.
pub(super) fn environment() -> Vec<(String, String)> {
    let names =
        ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "PIP_CERT"];
    names.map(|name| (name.to_owned(), GUEST_CA.to_owned())).into()
}

/// Returns a command as the machine runs it.
pub(super) fn program(command: &str, seconds: u64, most_output: u64) -> Program {
    Program {
        words: vec!["/bin/bash".into(), "-c".into(), command.into()],
        environment: environment(),
        most_ms: seconds.saturating_mul(1_000),
        most_output,
        ..Program::shell("")
    }
}

fn remove(path: &Path) -> Result<(), Lacking> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(bailey_computer::ComputerError::File { path: path.into(), source }.into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
