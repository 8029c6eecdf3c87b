//! What is said in a stream of the control port: the host opens it, asks one thing, and the guest answers.
//!
//! A message is a kind, a length (big-endian, 32 bits, at most [`MAX_MESSAGE_BYTES`]) and so many bytes: JSON for requests and replies,
//! plain bytes for the rest. Everything a guest says about itself is its word and no more.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Which version of requests and replies this is. A guest of another version is not spoken to.
pub const VERSION: u32 = 1;
/// Most bytes of a message: a command with its surroundings, or a page of a folder.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Most bytes of file or output in one message.
pub const MAX_PIECE_BYTES: usize = 16 * 1024;
/// Bytes in front of a message.
const HEADER_BYTES: usize = 5;

/// What the host asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How it goes. Answered by [`Reply::Health`].
    Health,
    /// Run a program and pass on what it says, until it ends or the stream is reset. Its input are messages of input, until the host
    /// ends its side. Answered by output, and at last [`Reply::Ended`]. What it started and left behind ends with it.
    Run(Program),
    /// Start a program that goes on by itself. Answered by [`Reply::Started`].
    Start(Program),
    /// What became of a job. Answered by [`Reply::Job`].
    Poll {
        /// Which.
        job: u32,
    },
    /// What a job said, from an offset. Answered by bytes and [`Reply::Done`].
    Output {
        /// Which.
        job: u32,
        /// Standard output or standard error.
        from: Said,
        /// Bytes to leave out first.
        offset: u64,
        /// Most bytes to return.
        most: u64,
    },
    /// End a job and everything it started. Answered by [`Reply::Job`].
    Kill {
        /// Which.
        job: u32,
    },
    /// Jobs there are. Answered by [`Reply::Jobs`].
    Jobs,
    /// Read a file. Answered by bytes and [`Reply::Done`].
    Read {
        /// Its path.
        path: String,
        /// Bytes to leave out first.
        offset: u64,
        /// Most bytes to return.
        most: u64,
    },
    /// Write a file anew; its bytes are messages of input, until the host ends its side. Answered by [`Reply::Done`].
    Write {
        /// Its path.
        path: String,
        /// Its permissions, as of chmod(2).
        mode: u32,
    },
    /// What is in a folder. Answered by [`Reply::Entries`].
    List {
        /// Its path.
        path: String,
        /// Names up to this one are left out, so that a long list comes in pieces.
        after: Option<String>,
    },
    /// Set the clock, in nanoseconds since 1970. Answered by [`Reply::Done`].
    Clock {
        /// The time it is.
        unix_nanos: u64,
    },
    /// Mix these bytes into the kernel's randomness and draw all later randomness anew. Answered by [`Reply::Done`].
    Reseed {
        /// Random bytes nobody else has.
        seed: Vec<u8>,
    },
    /// Write everything to the disk. Answered by [`Reply::Done`].
    Sync,
}

/// A program to run in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The folder it runs in.
    pub folder: String,
    /// Variables of its environment, beside those every program has.
    pub environment: Vec<(String, String)>,
    /// Whose rights it has.
    pub account: Account,
    /// How long it may run, in milliseconds.
    pub most_ms: u64,
    /// How many bytes of its output are kept or passed on, of standard output and standard error each.
    pub most_output: u64,
}

impl Program {
    /// A minute, for what nobody said more of.
    pub const MOST_MS: u64 = 60_000;
    /// One MiB of each output.
    pub const MOST_OUTPUT: u64 = 1024 * 1024;

    /// Returns a line for the shell, run as the agent in its folder, with the usual limits.
    #[must_use]
    pub fn shell(line: &str) -> Self {
        Self {
            words: vec!["/bin/sh".into(), "-c".into(), line.into()],
            folder: "/home/agent".into(),
            environment: Vec::new(),
            account: Account::Agent,
            most_ms: Self::MOST_MS,
            most_output: Self::MOST_OUTPUT,
        }
    }
}

/// Whose rights a program has in the guest. Either way it is within the machine, and the machine is what holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The agent's.
    Agent,
    /// Root's.
    Root,
}

/// Which output of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// What the guest answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// How it goes.
    Health(Health),
    /// The program ended.
    Ended(Ended),
    /// The job's number.
    Started {
        /// Counted from 1.
        job: u32,
    },
    /// What became of a job.
    Job(Job),
    /// Every job.
    Jobs(Vec<Job>),
    /// What is in a folder, by name.
    Entries {
        /// So many as there is room for in a message.
        entries: Vec<Entry>,
        /// Whether there are more.
        more: bool,
    },
    /// It is done; how many bytes were read or written.
    Done {
        /// Bytes.
        bytes: u64,
    },
    /// It was not done, and why.
    Failed {
        /// Words for a person.
        why: String,
    },
}

/// How a guest says it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// [`VERSION`] of the guest.
    pub version: u32,
    /// How long it has run, in milliseconds.
    pub uptime_ms: u64,
    /// The time it is, in nanoseconds since 1970.
    pub unix_nanos: u64,
    /// Memory that programs can have, in KiB.
    pub memory_available_kib: u64,
    /// Room on its disk, in KiB.
    pub disk_available_kib: u64,
    /// Whether its root keeps what is written: false where there is no disk.
    pub keeps: bool,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How.
    pub how: How,
    /// It was ended because it ran too long.
    pub timed_out: bool,
    /// Some of what it said was dropped, because it said too much.
    pub cut: bool,
    /// How long it ran, in milliseconds.
    pub ran_ms: u64,
}

/// How a program ended: of itself, or by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// With this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

/// A program that goes on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Its number.
    pub job: u32,
    /// The program and its arguments, cut to what fits.
    pub words: String,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
    /// Bytes of its standard output so far.
    pub output: u64,
    /// Bytes of its standard error so far.
    pub error: u64,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name; bytes that are no text are replaced.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its size in bytes.
    pub size: u64,
    /// Its permissions, as of chmod(2).
    pub mode: u32,
    /// When it was changed, in seconds since 1970.
    pub changed: i64,
}

/// What something in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// A message of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// JSON of a [`Request`] or a [`Reply`].
    Json(Vec<u8>),
    /// Standard output of a program, or the bytes of a file.
    Output(Vec<u8>),
    /// Standard error of a program.
    Error(Vec<u8>),
    /// What the host gives: input of a program, bytes of a file.
    Input(Vec<u8>),
}

/// Why a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than any message may be.
    #[error("the other side sent a message longer than {MAX_MESSAGE_BYTES} bytes")]
    TooLong,
    /// Of no known kind.
    #[error("the other side sent a message of no known kind")]
    UnknownKind,
    /// No JSON, or of something else than what was expected.
    #[error("the other side sent a message that cannot be read")]
    Malformed,
}

impl Message {
    /// Returns a request or a reply as a message.
    ///
    /// # Errors
    ///
    /// If it is longer than a message may be.
    pub fn json(said: &impl Serialize) -> Result<Self, MessageError> {
        let bytes = serde_json::to_vec(said).map_err(|_| MessageError::Malformed)?;
        if bytes.len() > MAX_MESSAGE_BYTES { Err(MessageError::TooLong) } else { Ok(Self::Json(bytes)) }
    }

    /// Reads JSON.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, MessageError> {
        match self {
            Self::Json(bytes) => serde_json::from_slice(bytes).map_err(|_| MessageError::Malformed),
            Self::Output(_) | Self::Error(_) | Self::Input(_) => Err(MessageError::UnknownKind),
        }
    }

    /// Returns the bytes of it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (kind, bytes) = match self {
            Self::Json(bytes) => (1, bytes),
            Self::Output(bytes) => (2, bytes),
            Self::Error(bytes) => (3, bytes),
            Self::Input(bytes) => (4, bytes),
        };
        let mut out = Vec::with_capacity(HEADER_BYTES + bytes.len());
        out.push(kind);
        out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(bytes);
        out
    }
}

/// Reads messages out of the bytes of a stream. Keeps no more than one message and what was given with its end.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Takes bytes of the stream: at most [`MAX_PIECE_BYTES`] or so at a time, and then [`Self::next_message`] until it gives none.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Returns the next message, once it is whole.
    pub fn next_message(&mut self) -> Result<Option<Message>, MessageError> {
        let Some((kind, length)) = self.header() else { return Ok(None) };
        if length > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLong);
        }
        let make: fn(Vec<u8>) -> Message = match kind {
            1 => Message::Json,
            2 => Message::Output,
            3 => Message::Error,
            4 => Message::Input,
            _ => return Err(MessageError::UnknownKind),
        };
        if self.bytes.len() < HEADER_BYTES + length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(HEADER_BYTES + length);
        let mut body = std::mem::replace(&mut self.bytes, rest);
        body.drain(..HEADER_BYTES);
        Ok(Some(make(body)))
    }

    /// Tells whether part of a message came and no end of it.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        !self.bytes.is_empty()
    }

    fn header(&self) -> Option<(u8, usize)> {
        let (kind, length) = self.bytes.get(..HEADER_BYTES)?.split_first()?;
        let length = u32::from_be_bytes(length.try_into().ok()?);
        Some((*kind, usize::try_from(length).unwrap_or(usize::MAX)))
    }
}
