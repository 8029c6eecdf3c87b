//! `cargo xtask model --check`: the model's server runs on processors of 2013 (x86-64 with AVX2), shown in two ways.
//!
//! No machine code of what `cargo xtask` fetches, the server and the test servers, holds an instruction of AVX-512, as objdump reads
//! it. And the server answers under an emulator of such a
//! processor as it does on this one, with a model of one layer in the real one's number formats, made up here: the real one
//! would take hours under emulation. On an emulated processor without AVX2 it has to fail, or the emulator would show nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{LocalModel, READY_WITHIN, folder, install_server, python, server_folder};
use crate::install;
use crate::process::{cache, command, root, run};

/// The processor that has to do: of 2013, the first with AVX2.
const ENOUGH: &str = "Haswell";
/// One that must not do: of 2011, with AVX alone.
const TOO_OLD: &str = "SandyBridge";

/// Installs the server and what looks into it, looks, and says what was seen.
pub fn run_check(yes: bool) -> Result<(), String> {
    if std::env::consts::ARCH != "x86_64" {
        return Err("this check is about x86-64 processors, and this is none".into());
    }
    install::packages(yes)?;
    install::emulator(yes)?;
    install::servers()?;
    install_server()?;
    let mut evex = 0;
    for folder in [server_folder(), cache().join("servers"), cache().join("dovecot"), cache().join("op")] {
        let files = machine_code(&folder);
        let (mut all, mut found) = (0, 0);
        for file in &files {
            let (all_here, found_here) = count(file)?;
            (all, found) = (all + all_here, found + found_here);
        }
        eprintln!("{}: {} files, {all} instructions, {found} of AVX-512", folder.display(), files.len());
        evex += found;
    }
    if evex > 0 {
        return Err(format!("{evex} instructions of AVX-512 are in what was fetched"));
    }
    emulate()
}

/// Returns the programs and shared objects below a folder.
fn machine_code(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(machine_code(&path));
        } else if is_elf(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0_u8; 4];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

/// Tells how many instructions a file has, and how many of them are of AVX-512.
fn count(file: &Path) -> Result<(u64, u64), String> {
    let mut objdump = command("objdump");
    let mut child = objdump.arg("--disassemble").arg(file).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let (mut all, mut found) = (0, 0);
    for line in BufReader::new(child.stdout.take().ok_or("objdump has no output")?).lines() {
        let line = line.map_err(failed)?;
        if let Some(code) = code_of(&line) {
            all += 1;
            found += u64::from(is_evex(code));
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.success() {
        Ok((all, found))
    } else {
        Err(format!("objdump could not read `{}` ({status})", file.display()))
    }
}

fn failed(error: std::io::Error) -> String {
    error.to_string()
}

/// Returns the bytes in a line of objdump's that holds an instruction: `  address:\tbytes\tinstruction`.
fn code_of(line: &str) -> Option<&str> {
    let mut columns = line.split('\t');
    let (address, code, instruction) = (columns.next()?, columns.next()?, columns.next()?);
    (address.ends_with(':') && !instruction.starts_with("(bad)")).then_some(code)
}

/// Tells whether an instruction is of AVX-512: those, and only those, begin with the EVEX prefix 62 in 64-bit code, after
/// none but a prefix for the address (Intel's manual, volume 2, section 2.7).
fn is_evex(code: &str) -> bool {
    let mut bytes =
        code.split_whitespace().skip_while(|byte| ["26", "2e", "36", "3e", "64", "65", "67"].contains(byte));
    bytes.next() == Some("62")
}

/// Runs the server on this processor and on emulated ones.
fn emulate() -> Result<(), String> {
    let model = folder().join("tiny.gguf");
    run(command(python()).arg(root().join("xtask/model/tiny.py")).arg(&model))?;
    let here = answer(command(python()), &model).map_err(|why| format!("on this processor, {why}"))?;
    let there = answer(emulated(ENOUGH), &model).map_err(|why| format!("on an emulated {ENOUGH}, {why}"))?;
    if here != there {
        return Err(format!("an emulated {ENOUGH} answers `{there}`, this processor `{here}`"));
    }
    eprintln!("On an emulated {ENOUGH} it answers as on this processor: {here}");
    match answer(emulated(TOO_OLD), &model) {
        Ok(_) => Err(format!("an emulated {TOO_OLD} answers too, so the emulator shows nothing")),
        Err(why) => {
            eprintln!("On an emulated {TOO_OLD} it does not start, as it should: {}", why.lines().next().unwrap_or(""));
            Ok(())
        }
    }
}

fn emulated(processor: &str) -> Command {
    let mut emulator = command("qemu-x86_64");
    // The emulator wants the program itself, not a link to it; the environment it belongs to is told apart.
    let program = fs::canonicalize(python()).unwrap_or_else(|_| python());
    emulator.args(["-cpu", processor]).arg("-E").arg(format!("PYTHONPATH={}", packages().display())).arg(program);
    emulator
}

/// Tells where the server's module lies.
fn packages() -> PathBuf {
    let versions = fs::read_dir(server_folder().join("lib")).into_iter().flatten().flatten();
    let mut folders = versions.map(|entry| entry.path().join("site-packages"));
    folders.find(|path| path.is_dir()).unwrap_or_else(server_folder)
}

/// Returns what a server says after a short prompt.
fn answer(python: Command, model: &Path) -> Result<String, String> {
    let served = LocalModel::start_as(python, model, 1, &folder().join("check.log"), READY_WITHIN)?;
    let body = r#"{"prompt":"Hello","max_tokens":8,"temperature":0,"stream":false}"#;
    let mut stream = TcpStream::connect(("127.0.0.1", served.port)).map_err(failed)?;
    stream.set_read_timeout(Some(READY_WITHIN)).map_err(failed)?;
    let head = format!(
        "POST /v1/completions HTTP/1.1\r\nhost: model\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        served.key,
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let parsed: serde_json::Value =
        serde_json::from_str(body).map_err(|_| format!("it answered `{}`", answer.lines().next().unwrap_or("")))?;
    let text = parsed.pointer("/choices/0/text").map(ToString::to_string);
    text.ok_or_else(|| format!("it answered `{body}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_of_avx_512_are_told_from_others() {
        let is = |line: &str| code_of(line).map(is_evex);
        assert_eq!(is("  2b50d0:\t62 f1 7c 48 10 07    \tvmovups (%rdi),%zmm0"), Some(true));
        assert_eq!(is("  2b50d0:\t67 62 f3 75 28 25 c2 \tvpternlogd $0xff,%ymm2,%ymm1,%ymm0"), Some(true));
        assert_eq!(is("  2b50d0:\tc5 fc 10 07          \tvmovups (%rdi),%ymm0"), Some(false));
        assert_eq!(is("  2b50d0:\t48 8b 62 08          \tmov    0x8(%rdx),%rsp"), Some(false));
    }

    #[test]
    fn lines_without_an_instruction_are_not_counted() {
        assert_eq!(code_of("00000000002b50d0 <main>:"), None);
        assert_eq!(code_of("  2b50d7:\t62 00 "), None);
        assert_eq!(code_of("  2b50d7:\t62                   \t(bad)"), None);
        assert_eq!(code_of(""), None);
    }
}
