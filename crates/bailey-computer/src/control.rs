//! Calls into the guest. Everything that comes back is the guest's word: bounded, and not believed.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::{Connection, Stream};
use bailey_wire::control::{
    Decoder, Ended, Entry, Health, Job, MAX_PIECE_BYTES, Message, MessageError, Program, Reply, Request, Said,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// How long a call that does no work of the person's may take.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How much longer than a program may run its call waits: the guest ends it, unless the guest does not do as it is told.
const AFTER_PROGRAM: Duration = Duration::from_secs(15);

/// Why a call into the guest failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// As many calls are open as can be, or the machine is paused for a snapshot.
    #[error("the computer takes no call now: {0}")]
    Refused(#[from] bailey_wire::Refused),
    /// The call was cut off.
    #[error("the computer broke the call off; it may have ended")]
    Cut,
    /// It took too long.
    #[error("the computer did not answer in time; pause or end it")]
    Late,
    /// It said what cannot be.
    #[error("the computer said something that cannot be: {0}; end it and start it again")]
    Nonsense(&'static str),
    /// It said that it was not done, and why; its words.
    #[error("the computer says: {0}")]
    Said(String),
}

impl From<std::io::Error> for CallError {
    fn from(_: std::io::Error) -> Self {
        Self::Cut
    }
}

impl From<MessageError> for CallError {
    fn from(error: MessageError) -> Self {
        Self::Nonsense(match error {
            MessageError::TooLong => "a message too long",
            MessageError::UnknownKind => "a message of no known kind",
            MessageError::Malformed => "a message that cannot be read",
        })
    }
}

/// What a program said, all of it that was kept, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub error: Vec<u8>,
    /// How it ended.
    pub ended: Ended,
}

/// A piece of what a running program says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Standard output or standard error.
    Said(Said, Vec<u8>),
    /// It ended; nothing comes after.
    Ended(Ended),
}

/// Calls into the guest of one machine.
#[derive(Clone)]
pub struct Control(Arc<Connection>);

impl Control {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(Arc::new(connection))
    }

    /// Returns the port calls go over.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.0
    }

    async fn begin(&self, request: &Request) -> Result<Call, CallError> {
        let mut stream = self.0.open()?;
        stream.write_all(&Message::json(request)?.encode()).await?;
        Ok(Call { stream, decoder: Decoder::default(), left: u64::MAX })
    }

    /// Asks what is answered at once.
    async fn ask(&self, request: &Request) -> Result<Reply, CallError> {
        let asked = async {
            let mut call = self.begin(request).await?;
            call.stream.shutdown().await?;
            call.reply().await
        };
        timeout(ANSWER_WITHIN, asked).await.unwrap_or(Err(CallError::Late))
    }

    /// Asks how it goes.
    pub async fn health(&self) -> Result<Health, CallError> {
        match self.ask(&Request::Health).await? {
            Reply::Health(health) => Ok(health),
            other => unexpected(other),
        }
    }

    /// Starts a program whose output is taken as it comes, and which is given input.
    pub async fn run(&self, program: Program) -> Result<Call, CallError> {
        let most = program.most_output.saturating_mul(2);
        let mut call = self.begin(&Request::Run(program)).await?;
        call.left = most;
        Ok(call)
    }

    /// Runs a program to its end, with some input, and returns what it said: at most twice its limit of output, whatever the guest sends.
    pub async fn run_whole(&self, program: Program, input: &[u8]) -> Result<Output, CallError> {
        let most = Duration::from_millis(program.most_ms).saturating_add(AFTER_PROGRAM);
        let running = async {
            let mut call = self.run(program).await?;
            call.input(input).await?;
            call.end_input().await?;
            let (mut output, mut error) = (Vec::new(), Vec::new());
            loop {
                match call.next_piece().await? {
                    Piece::Said(Said::Output, bytes) => output.extend(bytes),
                    Piece::Said(Said::Error, bytes) => error.extend(bytes),
                    Piece::Ended(ended) => return Ok(Output { output, error, ended }),
                }
            }
        };
        timeout(most, running).await.unwrap_or(Err(CallError::Late))
    }

    /// Starts a program that goes on by itself; returns its number.
    pub async fn start(&self, program: Program) -> Result<u32, CallError> {
        match self.ask(&Request::Start(program)).await? {
            Reply::Started { job } => Ok(job),
            other => unexpected(other),
        }
    }

    /// Asks what became of a job.
    pub async fn poll(&self, job: u32) -> Result<Job, CallError> {
        self.job(&Request::Poll { job }).await
    }

    /// Ends a job, with everything it started.
    pub async fn kill(&self, job: u32) -> Result<Job, CallError> {
        self.job(&Request::Kill { job }).await
    }

    async fn job(&self, request: &Request) -> Result<Job, CallError> {
        match self.ask(request).await? {
            Reply::Job(job) => Ok(job),
            other => unexpected(other),
        }
    }

    /// Lists jobs.
    pub async fn jobs(&self) -> Result<Vec<Job>, CallError> {
        match self.ask(&Request::Jobs).await? {
            Reply::Jobs(jobs) => Ok(jobs),
            other => unexpected(other),
        }
    }

    /// Reads what a job said, from an offset: at most `most` bytes.
    pub async fn output(&self, job: u32, from: Said, offset: u64, most: u64) -> Result<Vec<u8>, CallError> {
        self.bytes(&Request::Output { job, from, offset, most }, most).await
    }

    /// Reads a file, from an offset: at most `most` bytes.
    pub async fn read(&self, path: &str, offset: u64, most: u64) -> Result<Vec<u8>, CallError> {
        self.bytes(&Request::Read { path: path.into(), offset, most }, most).await
    }

    async fn bytes(&self, request: &Request, most: u64) -> Result<Vec<u8>, CallError> {
        let asked = async {
            let mut call = self.begin(request).await?;
            call.left = most;
            call.stream.shutdown().await?;
            let mut bytes = Vec::new();
            loop {
                match call.message().await? {
                    Message::Output(piece) => bytes.extend(call.count(piece)?),
                    message => match message.parse()? {
                        Reply::Done { .. } => return Ok(bytes),
                        other => return unexpected(other),
                    },
                }
            }
        };
        timeout(ANSWER_WITHIN, asked).await.unwrap_or(Err(CallError::Late))
    }

    /// Writes a file anew, whole or not at all.
    pub async fn write(&self, path: &str, mode: u32, bytes: &[u8]) -> Result<(), CallError> {
        let asked = async {
            let mut call = self.begin(&Request::Write { path: path.into(), mode }).await?;
            call.input(bytes).await?;
            call.end_input().await?;
            match call.reply().await? {
                Reply::Done { .. } => Ok(()),
                other => unexpected(other),
            }
        };
        timeout(ANSWER_WITHIN, asked).await.unwrap_or(Err(CallError::Late))
    }

    /// Lists a folder by name, from behind `after`; tells whether there is more.
    pub async fn list(&self, path: &str, after: Option<&str>) -> Result<(Vec<Entry>, bool), CallError> {
        match self.ask(&Request::List { path: path.into(), after: after.map(str::to_owned) }).await? {
            Reply::Entries { entries, more } => Ok((entries, more)),
            other => unexpected(other),
        }
    }

    /// Sets the guest's clock, in nanoseconds since 1970.
    pub async fn set_clock(&self, unix_nanos: u64) -> Result<(), CallError> {
        self.done(&Request::Clock { unix_nanos }).await
    }

    /// Has the guest draw all its randomness anew.
    pub async fn reseed(&self) -> Result<(), CallError> {
        let mut seed = vec![0; 64];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| CallError::Nonsense("no randomness here"))?;
        self.done(&Request::Reseed { seed }).await
    }

    /// Has the guest write everything to its disk.
    pub async fn sync(&self) -> Result<(), CallError> {
        self.done(&Request::Sync).await
    }

    async fn done(&self, request: &Request) -> Result<(), CallError> {
        match self.ask(request).await? {
            Reply::Done { .. } => Ok(()),
            other => unexpected(other),
        }
    }
}

/// Most characters of a guest's words that are passed on.
const MAX_WORDS: usize = 300;

fn unexpected<T>(reply: Reply) -> Result<T, CallError> {
    match reply {
        Reply::Failed { why } => {
            let why: String = crate::launch::shown(why.as_bytes()).chars().take(MAX_WORDS).collect();
            Err(CallError::Said(why))
        }
        _ => Err(CallError::Nonsense("an answer to something else")),
    }
}

/// A call that goes on. Dropped, it ends what it started.
pub struct Call {
    stream: Stream,
    decoder: Decoder,
    /// Bytes that may still come.
    left: u64,
}

impl Call {
    /// Gives the program input.
    pub async fn input(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        for piece in bytes.chunks(MAX_PIECE_BYTES) {
            self.stream.write_all(&Message::Input(piece.into()).encode()).await?;
        }
        Ok(())
    }

    /// Gives no more.
    pub async fn end_input(&mut self) -> Result<(), CallError> {
        Ok(self.stream.shutdown().await?)
    }

    /// Waits for the next piece of what the program says, or its end.
    pub async fn next_piece(&mut self) -> Result<Piece, CallError> {
        match self.message().await? {
            Message::Output(bytes) => Ok(Piece::Said(Said::Output, self.count(bytes)?)),
            Message::Error(bytes) => Ok(Piece::Said(Said::Error, self.count(bytes)?)),
            message => match message.parse()? {
                Reply::Ended(ended) => Ok(Piece::Ended(ended)),
                other => unexpected(other),
            },
        }
    }

    fn count(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or(CallError::Nonsense("more than was asked for"))?;
        Ok(bytes)
    }

    async fn reply(&mut self) -> Result<Reply, CallError> {
        Ok(self.message().await?.parse()?)
    }

    async fn message(&mut self) -> Result<Message, CallError> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            let mut bytes = [0; MAX_PIECE_BYTES];
            match self.stream.read(&mut bytes).await? {
                0 => return Err(CallError::Cut),
                count => self.decoder.push(bytes.get(..count).unwrap_or_default()),
            }
        }
    }
}
