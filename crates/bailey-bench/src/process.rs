//! The program as it is installed: how soon it answers, and what it takes while nothing happens.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bench::{Table, Times, show};

/// Starts measured.
const STARTS: usize = 15;
/// How long it is left alone before its memory is looked at.
const SETTLES: Duration = Duration::from_secs(3);
const PASSPHRASE: &str = "the words of a benchmark\n";

#[expect(clippy::disallowed_methods, reason = "it is the program that is measured")]
fn command(program: &Path) -> Command {
    Command::new(program)
}

/// A program that ends with its owner.
pub struct Running(Child);

impl Running {
    /// Returns its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Returns the processes it started.
    pub fn children(&self) -> Result<Vec<u32>, Box<dyn Error>> {
        let supervisor = self.0.id();
        let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children"))?;
        Ok(children.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks how the home is, over its own socket.
fn answers(data: &Path) -> bool {
    let Ok(token) = fs::read_to_string(data.join("home/token")) else { return false };
    let Ok(mut stream) = UnixStream::connect(data.join("run/home.sock")) else { return false };
    let request =
        format!("GET /v1/status HTTP/1.1\r\nhost: home\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    let asked = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    asked.is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// Starts the program, until it says that it runs.
pub fn start(program: &Path, data: &Path) -> Result<Running, Box<dyn Error>> {
    let mut child = command(program)
        .arg("serve")
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = child.stdout.take();
    let running = Running(child);
    let mut line = String::new();
    BufReader::new(out.ok_or("no output")?).read_line(&mut line)?;
    if line.starts_with("Bailey runs") { Ok(running) } else { Err(format!("it said `{line}`").into()) }
}

/// Returns the proportional set size of a process, in KiB: what it shares is counted in parts.
pub fn memory(pid: u32) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .map_err(|error| format!("its memory cannot be looked at ({error}); run this as root"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Measures from nothing to the first answer, and memory at rest.
pub fn start_and_memory(table: &mut Table, program: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    if !program.exists() {
        return Err(format!("`{}` is not there; `cargo xtask bench` builds it", program.display()).into());
    }
    let data = folder.join("data");
    let mut setup =
        command(program).arg("setup").arg("--data").arg(&data).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    setup.stdin.take().ok_or("no input")?.write_all(PASSPHRASE.as_bytes())?;
    if !setup.wait()?.success() {
        return Err("`bailey setup` failed".into());
    }
    fs::write(data.join("config.toml"), "[gateway]\nlisten = \"127.0.0.1:0\"\n")?;
    let bare = Times::of(STARTS, |_| command(program).arg("--version").stdout(Stdio::null()).status().map(|_| ()))?;
    let first = Times::of(STARTS, |_| -> Result<(), Box<dyn Error>> {
        let _running = start(program, &data)?;
        if answers(&data) { Ok(()) } else { Err("it runs and does not answer".into()) }
    })?;
    table.row(
        "start-up to the first answer, key file, p50 (worst)",
        format!("{} ({})", show(first.median()), show(first.percentile(100))),
        format!("starting the program for `--version` {}", show(bare.median())),
        "three processes, two of them answering".into(),
    );
    let running = start(program, &data)?;
    sleep(SETTLES);
    let mut parts = vec![("supervisor".to_owned(), memory(running.0.id())?)];
    for child in running.children()? {
        let words = fs::read_to_string(format!("/proc/{child}/cmdline"))?;
        let role = words.split('\0').nth(1).unwrap_or_default().trim_end_matches("-process").to_owned();
        parts.push((role, memory(child)?));
    }
    let sum: u64 = parts.iter().map(|(_, kib)| kib).sum();
    let parts: Vec<_> = parts.iter().map(|(role, kib)| format!("{role} {:.1}", *kib as f64 / 1_024.0)).collect();
    table.row(
        "memory of supervisor, gateway and one idle home (PSS, summed)",
        format!("{:.1} MiB", sum as f64 / 1_024.0),
        "OpenClaw 967 MB, hermes-agent 105 MB, nanobot 102 MB, measured on such a machine".into(),
        parts.join(", "),
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "what is measured is a program at rest")]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
