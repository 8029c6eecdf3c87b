//! The framing between a home and the agent's computer: many streams over one virtio-serial port.
//!
//! | part | what it is |
//! |---|---|
//! | [`frame`] | eight bytes in front of everything |
//! | [`Mux`] | the state machine of one side: streams, credit, limits; no clock, no thread, no descriptor |
//! | [`control`] | what is said in a stream of the control port: requests, replies, pieces of output |
//! | [`blocking`] | the machine over a descriptor with threads, for the guest |
//!
//! The host has it with tokio, in `bailey-computer`.
//!
//! Every byte from the guest is hostile. What a [`Mux`] keeps is bounded by [`Mux::MOST_BYTES`] whatever comes, memory grows only
//! by bytes that have come, and what breaks a rule ends the port ([`WireError`]).
//!
//! Invariant of absence: no number that a peer says decides how much is allocated.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod blocking;
pub mod control;
pub mod frame;
mod mux;

pub use mux::{Mux, Phase, Port, Read, Refused, Side, StreamId};

/// How a peer broke the rules of the port. There is no going on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A frame of no kind there is, or with bits that have to be zero.
    #[error("the other side sent a frame of no known kind")]
    UnknownFrame,
    /// A frame that this side alone may send, or one for a stream that cannot be.
    #[error("the other side sent a frame that is not its to send")]
    NotAllowed,
    /// A data frame longer than [`frame::MAX_DATA_BYTES`], or an empty one.
    #[error("the other side sent a data frame of a length that cannot be")]
    Length,
    /// A frame of a stream that was never opened, or opened out of order.
    #[error("the other side named a stream that was never opened")]
    NoSuchStream,
    /// More data than credit was given for.
    #[error("the other side sent more than it had credit for")]
    Overrun,
    /// More credit than a window holds.
    #[error("the other side gave more credit than a window holds")]
    Credit,
    /// More streams asked for than can be refused.
    #[error("the other side opened streams without waiting for an answer")]
    Flood,
}
