//! QEMU's own protocol (QMP): JSON, a line for each. Whoever speaks it can do all that QEMU's process can, so only the host holds it; and
//! QEMU may have been taken over, so its lines are bounded and so is the time they take.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::channel;

/// Most bytes of a line.
const MAX_LINE_BYTES: usize = 256 * 1024;
/// How long an answer may take: QEMU's main loop waits for a disk at worst.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A connection to a QEMU.
pub(crate) struct Qmp {
    stream: UnixStream,
    bytes: Vec<u8>,
    /// Given with each command: an answer to one that was given up is known by it.
    number: u64,
    /// States of migrations that were told since they were last asked for.
    migration: Option<String>,
}

fn bad(why: impl Into<String>) -> io::Error {
    io::Error::other(why.into())
}

impl Qmp {
    /// Greets a QEMU that was just started.
    pub(crate) async fn greet(stream: UnixStream) -> io::Result<Self> {
        let mut qmp = Self { stream, bytes: Vec::new(), number: 0, migration: None };
        let greeting = within(ANSWER_WITHIN, qmp.line()).await?;
        if greeting.get("QMP").is_none() {
            return Err(bad("it does not greet"));
        }
        qmp.run("qmp_capabilities", json!({})).await?;
        Ok(qmp)
    }

    /// Runs a command and returns its answer.
    pub(crate) async fn run(&mut self, command: &str, arguments: Value) -> io::Result<Value> {
        self.run_with(command, arguments, &[]).await
    }

    /// Runs a command that a descriptor comes with.
    pub(crate) async fn run_with(
        &mut self,
        command: &str,
        arguments: Value,
        handed: &[BorrowedFd<'_>],
    ) -> io::Result<Value> {
        self.number += 1;
        let number = self.number;
        let line = format!("{}\n", json!({"execute": command, "arguments": arguments, "id": number}));
        within(ANSWER_WITHIN, self.send(line.as_bytes(), handed)).await?;
        let answer = async {
            loop {
                let answer = self.line().await?;
                self.note(&answer);
                if answer.get("id").and_then(Value::as_u64) != Some(number) {
                    continue;
                }
                if let Some(error) = answer.get("error") {
                    let why = error.get("desc").and_then(Value::as_str).unwrap_or("it does not say why");
                    return Err(bad(format!("{command}: {}", crate::launch::shown(why.as_bytes()))));
                }
                return Ok(answer.get("return").cloned().unwrap_or(Value::Null));
            }
        };
        within(ANSWER_WITHIN, answer).await
    }

    /// Waits until a migration is over. `most` bounds it.
    pub(crate) async fn migrated(&mut self, most: Duration) -> io::Result<()> {
        let over = async {
            loop {
                match self.migration.take().as_deref() {
                    Some("completed") => return Ok(()),
                    Some("failed" | "cancelled") => return Err(bad("the memory was not passed on")),
                    Some(_) | None => {}
                }
                let line = self.line().await?;
                self.note(&line);
            }
        };
        within(most, over).await
    }

    fn note(&mut self, line: &Value) {
        if line.get("event").and_then(Value::as_str) == Some("MIGRATION") {
            let status = line.pointer("/data/status").and_then(Value::as_str);
            self.migration = status.map(str::to_owned);
        }
    }

    async fn send(&self, mut bytes: &[u8], handed: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut handed = handed;
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_io(Interest::WRITABLE, || channel::send(&self.stream, bytes, handed)) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            handed = &[];
        }
        Ok(())
    }

    async fn line(&mut self) -> io::Result<Value> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                return serde_json::from_slice(&line).map_err(|_| bad("it says what is no JSON"));
            }
            if self.bytes.len() > MAX_LINE_BYTES {
                return Err(bad("it says too much"));
            }
            self.stream.readable().await?;
            let mut piece = [0; 4096];
            match self.stream.try_read(&mut piece) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

async fn within<T>(most: Duration, what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(most, what).await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer")))
}
