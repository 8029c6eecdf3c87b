//! The way out of the agent's computer.
//!
//! The computer has no network card. What its programs would send comes over one wire to the [`Broker`], as to a proxy, and the
//! broker reads each request whole: it ends TLS with an authority of the home's own, holds the name that was asked for against the
//! name that is spoken to and the one in the request, asks the home's rules, looks the server up itself, and writes the request
//! anew. Nothing of what the computer wrote reaches a server but what was understood.

pub mod address;
mod broker;
mod ca;
mod host;
mod judge;
mod passing;
mod seal;
mod upstream;

pub use broker::{Broker, Fetched, MAX_ASKED_BYTES};
pub use ca::{Ca, CaError};
pub use host::{BadName, HostName, Origin, Scheme};
/// What heads of requests are made of.
pub use hyper::{HeaderMap, Method, header};
pub use judge::{Ended, Head, Internet, Judge, Network, Record, Ruling, Ticket, Whole};
pub use seal::{MAX_SECRET_BYTES, MIN_SECRET_BYTES, NotFilled, Place, Slot};
