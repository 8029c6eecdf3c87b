//! The daemon: one thread for each thing the host asks.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use bailey_wire::blocking::{Connection, Stream};
use bailey_wire::control::{Decoder, Health, MAX_PIECE_BYTES, Message, Program, Reply, Request, Said, VERSION};
use bailey_wire::{Port, Side};

use crate::jobs::Jobs;
use crate::program::Running;
use crate::{clock, files, forward, group};

/// Runs until the control port is no more.
pub(crate) fn run() -> Result<(), String> {
    group::prepare(memory("MemTotal:").saturating_mul(1024));
    let (control, egress) = (open(Port::Control)?, open(Port::Egress)?);
    if let Err(why) = forward::listen(egress) {
        eprintln!("bailey-guest: {why}");
    }
    let jobs = Jobs::default();
    while let Some(stream) = control.accept() {
        let jobs = jobs.clone();
        thread::spawn(move || {
            let call = Call { stream: Arc::new(stream), jobs };
            call.answer();
        });
    }
    Err("the control port was closed".into())
}

/// Opens a virtual port by its name.
fn open(port: Port) -> Result<Connection, String> {
    let failed = |error: std::io::Error| format!("port `{}`: {error}", port.name());
    let ports = fs::read_dir("/sys/class/virtio-ports").map_err(failed)?.flatten();
    let is_it = |path: &Path| fs::read_to_string(path.join("name")).is_ok_and(|name| name.trim() == port.name());
    let found = ports.map(|entry| entry.path()).find(|path| is_it(path));
    let name =
        found.as_deref().and_then(Path::file_name).ok_or_else(|| format!("there is no port `{}`", port.name()))?;
    let device = OpenOptions::new().read(true).write(true).open(Path::new("/dev").join(name)).map_err(failed)?;
    let writes = device.try_clone().map_err(failed)?;
    Ok(Connection::start(Side::Guest, port, device, writes))
}

fn memory(row: &str) -> u64 {
    let table = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = table.lines().find_map(|line| line.strip_prefix(row)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn health() -> Health {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = uptime.split_whitespace().next().unwrap_or_default();
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let (whole, part) = (whole.parse::<u64>().unwrap_or(0), part.parse::<u64>().unwrap_or(0));
    let disk = rustix::fs::statvfs("/").map_or(0, |about| about.f_bavail.saturating_mul(about.f_frsize) / 1024);
    Health {
        version: VERSION,
        uptime_ms: whole.saturating_mul(1000).saturating_add(part.saturating_mul(10)),
        unix_nanos: clock::read(),
        memory_available_kib: memory("MemAvailable:"),
        disk_available_kib: disk,
        keeps: Path::new("/dev/vdb").exists(),
    }
}

/// One thing the host asked for.
struct Call {
    stream: Arc<Stream>,
    jobs: Jobs,
}

impl Call {
    fn answer(&self) {
        let mut input = Input { stream: Arc::clone(&self.stream), decoder: Decoder::default() };
        let request = match input.next() {
            Ok(Some(message)) => message.parse::<Request>().map_err(|error| error.to_string()),
            Ok(None) => return self.stream.reset(),
            Err(why) => Err(why),
        };
        let reply = request.and_then(|request| self.carry_out(request, input));
        let reply = reply.unwrap_or_else(|why| Reply::Failed { why });
        let message = Message::json(&reply).or_else(|error| Message::json(&Reply::Failed { why: error.to_string() }));
        if message.is_ok_and(|message| self.say(&message)) {
            self.stream.finish();
        }
    }

    fn say(&self, message: &Message) -> bool {
        self.stream.write_all(&message.encode()).is_ok()
    }

    fn say_piece(&self, said: Said, bytes: &[u8]) -> bool {
        self.say(&match said {
            Said::Output => Message::Output(bytes.into()),
            Said::Error => Message::Error(bytes.into()),
        })
    }

    fn carry_out(&self, request: Request, input: Input) -> Result<Reply, String> {
        let pass = |bytes: &[u8]| self.say_piece(Said::Output, bytes);
        let done = |bytes| Reply::Done { bytes };
        match request {
            Request::Health => Ok(Reply::Health(health())),
            Request::Run(program) => self.run(&program, input),
            Request::Start(program) => self.jobs.start(&program).map(|job| Reply::Started { job }),
            Request::Poll { job } => self.jobs.poll(job).map(Reply::Job),
            Request::Output { job, from, offset, most } => {
                self.jobs.output(job, from).and_then(|path| files::read(&path, offset, most, pass)).map(done)
            }
            Request::Kill { job } => self.jobs.kill(job).map(Reply::Job),
            Request::Jobs => Ok(Reply::Jobs(self.jobs.all())),
            Request::Read { path, offset, most } => files::read(Path::new(&path), offset, most, pass).map(done),
            Request::Write { path, mode } => write(&path, mode, input).map(done),
            Request::List { path, after } => {
                let listed = files::list(Path::new(&path), after.as_deref());
                listed.map(|(entries, more)| Reply::Entries { entries, more })
            }
            Request::Clock { unix_nanos } => clock::set(unix_nanos).map(|()| done(0)),
            Request::Reseed { seed } => clock::reseed(&seed).map(|()| done(0)),
            Request::Sync => {
                rustix::fs::sync();
                Ok(done(0))
            }
        }
    }

    fn run(&self, program: &Program, mut input: Input) -> Result<Reply, String> {
        let mut running = Running::start(program, true)?;
        let (group, pipe) = (running.group(), running.input());
        thread::spawn(move || {
            let mut pipe = pipe;
            loop {
                match input.next() {
                    // A program that reads no more is no reason to end it.
                    Ok(Some(Message::Input(bytes))) => {
                        if pipe.as_mut().is_some_and(|to| to.write_all(&bytes).is_err()) {
                            pipe = None;
                        }
                    }
                    // No more input; that the host gives the call up can still come.
                    Ok(None) => {
                        drop(pipe);
                        input.stream.wait_until_over();
                        return group.kill();
                    }
                    // Given up by the host.
                    Ok(Some(_)) | Err(_) => return group.kill(),
                }
            }
        });
        running.finish(|said, bytes| self.say_piece(said, bytes)).map(Reply::Ended)
    }
}

fn write(path: &str, mode: u32, mut input: Input) -> Result<u64, String> {
    let mut writing = files::Writing::begin(Path::new(path), mode)?;
    loop {
        match input.next()? {
            Some(Message::Input(bytes)) => writing.push(&bytes)?,
            Some(_) => return Err("something else than bytes came".into()),
            None => return writing.keep(),
        }
    }
}

/// What the host says in a stream.
struct Input {
    stream: Arc<Stream>,
    decoder: Decoder,
}

impl Input {
    /// Returns the next message, or `None` at the end.
    fn next(&mut self) -> Result<Option<Message>, String> {
        let mut bytes = vec![0; MAX_PIECE_BYTES];
        loop {
            if let Some(message) = self.decoder.next_message().map_err(|error| error.to_string())? {
                return Ok(Some(message));
            }
            match self.stream.read(&mut bytes).map_err(|error| error.to_string())? {
                0 if self.decoder.is_within() => return Err("the last message was cut off".into()),
                0 => return Ok(None),
                count => self.decoder.push(bytes.get(..count).unwrap_or_default()),
            }
        }
    }
}
