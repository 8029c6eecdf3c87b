//! What the broker asks the home: whether a request may go, whether a person lets it, and whether anything may leave at all.

use std::net::{IpAddr, SocketAddr};
use std::{fmt, io};

use hyper::{HeaderMap, Method};
use tokio::net::TcpStream;

use crate::host::{HostName, Origin};
use crate::seal::Slot;

/// A request without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Where it goes.
    pub origin: Origin,
    /// What it does.
    pub method: Method,
    /// Path and query, as they are sent.
    pub target: String,
    /// The fields that are sent, without those of the connection alone.
    pub headers: HeaderMap,
}

impl Head {
    /// Returns the path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.origin, self.target)
    }
}

/// A request with all of its body: what a person approves, and what is then sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
}

/// What the rules say of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// It goes.
    Go,
    /// It waits, whole, for a person's answer.
    Ask,
    /// It does not go, and why.
    Refuse(String),
}

/// Names a request that a person let go, to the home: what came of it is recorded under this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The server answered, with this status.
    Answered(u16),
    /// It was not sent, and why.
    Refused(String),
    /// It was sent, or part of it, and no answer came; why.
    Failed(String),
}

/// One request, or one opaque tunnel, for the log and the live view. No content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it went, or was to go; as the computer wrote it where that names no server.
    pub place: String,
    /// The method; `CONNECT` for a tunnel.
    pub method: String,
    /// The path and query; empty for a tunnel.
    pub target: String,
    /// Bytes of the bodies: sent, received.
    pub bytes: (u64, u64),
    /// The name that the home gave it, where a person let it go.
    pub asked: Option<Ticket>,
    /// How it ended.
    pub ended: Ended,
}

/// The home's side of the broker.
pub trait Judge: Send + Sync + 'static {
    /// Says whether a request may go. Asked for each request, and again for those under way whenever the rules change.
    fn judge(&self, head: &Head) -> Ruling;

    /// Says whether a connection to a server may pass unread: anything may leave on it. Only where the person named the server.
    fn may_tunnel(&self, origin: &Origin) -> bool;

    /// Asks the person about exactly this request, and waits for the answer. Given up, it asks no more.
    ///
    /// # Errors
    /// They refused it, or nobody answered in time; says which.
    fn ask(&self, request: &Whole) -> impl Future<Output = Result<Ticket, String>> + Send;

    /// Returns the sealed credentials of a server.
    fn slots(&self, origin: &Origin) -> Vec<Slot>;

    /// Writes bytes to the outside, or does not: `write` is one call into the system that does not wait, and is made under the lock
    /// that a pause takes.
    ///
    /// # Errors
    /// Nothing may leave now.
    fn leave(&self, write: &mut dyn FnMut()) -> io::Result<()>;

    /// Ends as soon as nothing may leave any more, or rules have changed.
    fn changed(&self) -> impl Future<Output = ()> + Send;

    /// Hears that a request begins, of which [`Self::record`] tells the end.
    fn begun(&self) {}

    /// Keeps what happened.
    fn record(&self, record: Record);
}

/// The way to the public network.
pub trait Network: Send + Sync + 'static {
    /// Returns the addresses of a name.
    fn resolve(&self, host: &HostName) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;

    /// Connects to an address.
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send;
}

/// The network of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Internet;

impl Network for Internet {
    async fn resolve(&self, host: &HostName) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host.as_str(), 0)).await?.map(|address| address.ip()).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}
