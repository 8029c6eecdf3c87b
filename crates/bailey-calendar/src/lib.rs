//! Calendar objects (iCalendar, RFC 5545) as they are found in the world.
//!
//! An [`Object`] is read as leniently as calendar programs do, keeps every byte, and is changed by splicing ([`edit`]): what was not
//! to change stays as it was. Times keep their zones ([`stamp`], [`zone`]), repeating entries are expanded here ([`rule`],
//! [`series`]), and what is busy or free is worked out of that ([`busy`]).
//!
//! Invariant of absence: nothing here reads a clock, opens a connection, or takes what cannot be read for nothing.

pub mod busy;
pub mod edit;
mod event;
pub mod itip;
mod object;
pub mod rule;
mod rule_read;
pub mod series;
pub mod stamp;
mod text;
mod windows;
pub mod words;
pub mod zone;

pub use event::{Attendee, End, Event, Status};
pub use object::{Component, Line, Object, Unreadable};
pub use series::{Expanded, Occurrence, Series};
pub use stamp::{Form, Length, Stamp};
pub use text::{escaped, unescaped};
pub use zone::{Known, Zone};
