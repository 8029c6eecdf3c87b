//! The agent's own computer, seen from its host.
//!
//! | part | what it is |
//! |---|---|
//! | [`Engine`], [`Machine`] | what a computer can be asked for, whatever runs it |
//! | [`Qemu`] | the engine: QEMU's microvm, under KVM or emulated, in a jail |
//! | [`jail`] | what the process of a machine gives up before it becomes QEMU |
//! | [`Keeper`], [`Starter`] | who starts that process for a home which is not root |
//! | [`Control`] | calls into the guest: programs, jobs, files, clock |
//! | [`Image`] | the root that every machine starts from, checked by hash |
//!
//! A machine has no network card: its two ports end here. What it says is hostile, and so is its QEMU once somebody took it over.
//!
//! Invariant of absence: this crate knows no home, no gate and no rule. It opens no connection for a guest, and it parses no disk
//! that a guest wrote: the jail does.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod cgroup;
mod channel;
mod connection;
mod control;
mod engine;
mod image;
pub mod jail;
mod keeper;
mod launch;
mod probe;
mod qemu;
mod qmp;
mod sealed;

pub use bailey_wire::control::{Account, Ended, Entry, EntryKind, Health, How, Job, Program, Said};
pub use cgroup::Held;
pub use connection::{Broken, Connection, Stream};
pub use control::{Call, CallError, Control, Output, Piece};
pub use engine::{Action, DiskKey, Engine, Grade, Machine, Place, Resources};
pub use image::{Image, ImageError};
pub use jail::{Identity, Layers};
pub use keeper::{Keeper, Starter};
pub use qemu::{Accelerator, Qemu};

use std::io;
use std::path::PathBuf;

/// Why a computer does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ComputerError {
    /// The image is not there, or not what it was.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A file of the computer cannot be read or written.
    #[error("`{path}`: {source}; see that the folder belongs to the home and the disk has room")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The jail could not be made: nothing was started.
    #[error("the jail of the computer cannot be made: {0}; nothing was started")]
    Jail(String),
    /// QEMU or one of its tools did not do it.
    #[error("QEMU did not do it: {0}")]
    Qemu(String),
    /// The guest did not answer in time.
    #[error("the computer did not answer within {seconds} seconds{console}; end it and start it again")]
    Silent {
        /// How long was waited.
        seconds: u64,
        /// What its console said last.
        console: String,
    },
    /// A call into the guest failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The snapshot is not of this computer, or was changed.
    #[error("the snapshot `{0}` is not of this computer and image, or was changed; start without it")]
    Snapshot(String),
    /// It has ended.
    #[error("the computer has ended{0}; start it again")]
    Over(String),
}
