//! What a computer can be asked for, whatever runs it.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use crate::connection::Connection;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{ComputerError, Control, Layers};

/// Something an engine does, which takes its time.
pub type Action<'a, T> = Pin<Box<dyn Future<Output = Result<T, ComputerError>> + Send + 'a>>;

/// What the wall around a computer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Programs share the host's kernel. Nothing here does that yet.
    SharedKernel,
    /// A kernel of its own on an emulated processor. Slow, and its makers promise no isolation of it (QEMU, "Security": TCG).
    Emulated,
    /// A kernel of its own, held by the processor.
    Isolated,
}

impl Grade {
    /// The word for it, in logs and interfaces.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SharedKernel => "shared-kernel",
            Self::Emulated => "emulated",
            Self::Isolated => "isolated",
        }
    }

    /// What a person has to know of it, where it is not the best.
    #[must_use]
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::Isolated => None,
            Self::Emulated => Some(
                "The agent's computer is emulated, because this machine offers no KVM. It is slow, and QEMU's makers do not promise \
                 that an emulated machine holds hostile programs. The jail around it still stands.",
            ),
            Self::SharedKernel => {
                Some("The agent's computer shares this machine's kernel: a fault of the kernel is a way out of it.")
            }
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.word())
    }
}

/// The key of a computer's disk and of its saved memory. Whoever destroys it has destroyed both.
#[derive(Clone)]
pub struct DiskKey(pub(crate) Zeroizing<[u8; 32]>);

impl DiskKey {
    /// Draws a new key.
    ///
    /// # Errors
    ///
    /// If the system gives no randomness.
    pub fn random() -> Result<Self, ComputerError> {
        let mut bytes = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| ComputerError::Jail("no randomness".into()))?;
        Ok(Self(bytes))
    }

    /// Returns a key that was kept elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns its bytes, to be kept under another key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the passphrase that the disk's header knows: text, because tools end it at a line break.
    pub(crate) fn passphrase(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Debug for DiskKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("DiskKey(…)")
    }
}

/// The folder of one computer: its disk and its snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// Names a folder. It need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The encrypted disk.
    #[must_use]
    pub fn disk(&self) -> PathBuf {
        self.0.join("disk.qcow2")
    }

    /// The encrypted memory of a snapshot.
    #[must_use]
    pub fn memory(&self, snapshot: &str) -> PathBuf {
        self.0.join(format!("{snapshot}.memory"))
    }
}

/// What a computer may use of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Memory of the guest, in MiB.
    pub memory_mib: u32,
    /// Processors of the guest.
    pub processors: u32,
    /// Size of its disk, in bytes: it takes what is used of that.
    pub disk_bytes: u64,
}

impl Resources {
    /// Enough for shell work: half a GiB of memory, one processor, 8 GiB of disk.
    pub const SHELL: Self = Self { memory_mib: 512, processors: 1, disk_bytes: 8 << 30 };
    /// Enough for a browser beside it.
    pub const BROWSER: Self = Self { memory_mib: 1536, ..Self::SHELL };
}

/// Makes and starts computers.
pub trait Engine: Send + Sync {
    /// What the wall is worth.
    fn grade(&self) -> Grade;

    /// Makes a computer: an empty encrypted disk.
    fn create<'a>(&'a self, place: &'a Place, key: &'a DiskKey) -> Action<'a, ()>;

    /// Starts a computer, and waits until its guest answers.
    fn start<'a>(&'a self, place: &'a Place, key: &'a DiskKey) -> Action<'a, Box<dyn Machine>>;

    /// Starts a computer as it was when the snapshot was taken, its disk included, with the clock and randomness of now.
    fn restore<'a>(&'a self, place: &'a Place, key: &'a DiskKey, snapshot: &'a str) -> Action<'a, Box<dyn Machine>>;

    /// Removes a snapshot of a computer that does not run.
    fn forget_snapshot<'a>(&'a self, place: &'a Place, key: &'a DiskKey, snapshot: &'a str) -> Action<'a, ()>;

    /// Copies the disk of a computer that does not run to a new one, under a key of its own.
    fn fork_disk<'a>(
        &'a self,
        from: &'a Place,
        key: &'a DiskKey,
        to: &'a Place,
        new_key: &'a DiskKey,
    ) -> Action<'a, ()>;

    /// Destroys a computer that does not run: first the key in its disk's header, so that no copy of the file's blocks that is left
    /// somewhere can be read with any key, then its files.
    fn destroy<'a>(&'a self, place: &'a Place, key: &'a DiskKey) -> Action<'a, ()>;
}

/// A computer that runs. Dropped, it is ended.
pub trait Machine: Send + Sync {
    /// Calls into its guest.
    fn control(&self) -> &Control;

    /// Connections its programs open, to be carried on or refused.
    fn egress(&self) -> &Connection;

    /// Which layers hold its process.
    fn layers(&self) -> &Layers;

    /// Its process, as the system numbers it.
    fn process(&self) -> u32;

    /// Stops its processors, at once, whatever the guest does.
    fn pause(&self) -> Action<'_, ()>;

    /// Lets them go on.
    fn resume(&self) -> Action<'_, ()>;

    /// Ends it at once, as a power cut does, and waits until its process is gone.
    fn kill(&self) -> Action<'_, ()>;

    /// Saves memory and disk under a name, and leaves the computer paused. Calls under way end; jobs go on after [`Self::wake`].
    fn snapshot<'a>(&'a self, name: &'a str) -> Action<'a, ()>;

    /// Goes on after a snapshot.
    fn wake(&self) -> Action<'_, ()>;

    /// Speaks to what runs the machine in its own words (QMP), with all the rights of the machine's process: for checks of the jail, which
    /// ask for what a QEMU that was taken over would do.
    fn monitor<'a>(&'a self, command: &'a str, arguments: Value) -> Action<'a, Value>;

    /// Waits until it has ended, and tells what is known of why.
    fn ended(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>>;
}
