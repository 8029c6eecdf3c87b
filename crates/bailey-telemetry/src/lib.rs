//! Log events and metrics of every process.
//!
//! What can be logged is decided by the types of [`field::Field`]: numbers, booleans, durations, ids, and text that stands in the
//! source. A `String` is none of them, so words of the person, mail, addresses and credentials cannot be logged by mistake: it does
//! not compile.
//!
//! ```
//! use bailey_telemetry::{Id, event};
//! event!(INFO, "an action moved", action = Id::new([7; 16]), state = "succeeded");
//! ```
//!
//! ```compile_fail
//! use bailey_telemetry::event;
//! let subject = String::from("words of the person");
//! event!(INFO, "a mail was sent", subject = subject);
//! ```
//!
//! ```compile_fail
//! use bailey_telemetry::event;
//! let subject = String::from("words of the person");
//! event!(INFO, subject);
//! ```
//!
//! Invariant of absence: it opens no file and no socket, and nobody waits for it.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod field;
mod log;
mod metrics;
mod panic;
#[cfg(test)]
mod tests;

pub use field::{Field, Id};
pub use log::{BadFilter, Filter, Format, Identity, LINES_KEPT, Process, install, recent};
pub use metrics::{HomeState, Metrics, Outcome, Route, Stopwatch, TEXT_FORMAT, metrics};
pub use tracing::Instrument;
pub use tracing::Span;

/// What the macros need.
#[doc(hidden)]
pub mod private {
    pub use tracing::{Level, event, span};
}

/// Logs an event: a level (`ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`), what happened as a literal, and fields of types that
/// [`Field`] allows.
#[macro_export]
macro_rules! event {
    ($level:ident, $message:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::private::event!(
            $crate::private::Level::$level,
            message = $message $(, $name = $crate::Field::value(&$value))*
        )
    };
}

/// Begins a span: what happens within it is logged with its fields, too. Attach it with [`Instrument`].
#[macro_export]
macro_rules! span {
    ($name:literal $(, $field:ident = $value:expr)* $(,)?) => {
        $crate::private::span!($crate::private::Level::ERROR, $name $(, $field = $crate::Field::value(&$value))*)
    };
}
