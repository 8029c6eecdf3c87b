//! A disk in memory: **a double**. What was not synced may be lost at a crash, in part and in any order; it can be full,
//! and it can fail. It proves nothing about real hardware beyond that.
//!
//! The rules are those SQLite counts on: a sync makes everything written to that file before durable, and a sector that
//! was not being written keeps what it held. Making and removing a file is durable at once, which real directories are
//! only after a sync of their own.

use std::collections::BTreeMap;

use fastrand::Rng;

/// What storage writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// Why the disk did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No such file.
    Missing,
    /// No room.
    Full,
    /// It failed, or the machine is down.
    Io,
}

/// A change since the last sync.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => put(bytes, *at, new),
            Self::Truncate(size) => bytes.truncate(*size),
        }
    }

    /// Returns what may be left of it after a crash: all, nothing, or some of its sectors.
    fn tear(self, random: &mut Rng) -> Vec<Self> {
        match (random.u8(0..3), self) {
            (0, _) => Vec::new(),
            (1, change) | (_, change @ Self::Truncate(_)) => vec![change],
            (_, Self::Write(at, bytes)) => {
                let sectors = bytes.chunks(SECTOR).enumerate();
                let kept = sectors.filter(|_| random.bool());
                kept.map(|(index, sector)| Self::Write(at + index * SECTOR, sector.to_vec())).collect()
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    let end = at + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(at..end) {
        place.copy_from_slice(new);
    }
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    now: Vec<u8>,
    changes: Vec<Change>,
}

/// Every file as it would be found after losing power with nothing under way.
pub type Image = BTreeMap<String, Vec<u8>>;

/// The disk of one simulated machine.
#[derive(Debug, Default)]
pub struct Disk {
    files: BTreeMap<String, File>,
    /// Changes until the machine dies, where it is to.
    fuse: Option<u64>,
    /// Changes until one of them fails, where one is to.
    fault: Option<u64>,
    /// Reads until one of them fails, where one is to.
    unreadable: Option<u64>,
    down: bool,
    full: bool,
    /// Changes and syncs so far.
    pub operations: u64,
}

impl Disk {
    /// Tells whether the machine has died.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.down
    }

    /// Lets the machine die at a later change.
    pub fn light_fuse(&mut self, changes: u64) {
        self.fuse = Some(changes);
    }

    /// Lets one later change fail.
    pub fn fail_once(&mut self, changes: u64) {
        self.fault = Some(changes);
    }

    /// Lets one later read fail.
    pub fn fail_reading(&mut self, reads: u64) {
        self.unreadable = Some(reads);
    }

    /// Makes it so that nothing grows any more, or everything may again.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// Lets the machine die now.
    pub fn die(&mut self) {
        self.down = true;
    }

    /// Starts again after a death: of what was not synced, what chance leaves.
    pub fn recover(&mut self, random: &mut Rng) {
        for file in self.files.values_mut() {
            for change in file.changes.drain(..).flat_map(|change| change.tear(random)).collect::<Vec<_>>() {
                change.apply(&mut file.durable);
            }
            file.now = file.durable.clone();
        }
        (self.fuse, self.fault, self.unreadable) = (None, None, None);
        (self.down, self.full) = (false, false);
    }

    /// Returns the files as they are.
    #[must_use]
    pub fn image(&self) -> Image {
        self.files.iter().map(|(name, file)| (name.clone(), file.now.clone())).collect()
    }

    /// Puts files in the place of all there are.
    pub fn restore(&mut self, image: Image) {
        let whole = |bytes: Vec<u8>| File { durable: bytes.clone(), now: bytes, changes: Vec::new() };
        self.files = image.into_iter().map(|(name, bytes)| (name, whole(bytes))).collect();
    }

    /// Tells whether a file is there.
    #[must_use]
    pub fn exists(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Makes sure that a file is there.
    pub fn open(&mut self, name: &str, create: bool) -> Result<(), Trouble> {
        if self.down {
            return Err(Trouble::Io);
        }
        match (self.files.contains_key(name), create) {
            (true, _) => Ok(()),
            (false, false) => Err(Trouble::Missing),
            (false, true) => self.change().map(|()| {
                self.files.insert(name.to_owned(), File::default());
            }),
        }
    }

    /// Removes a file.
    pub fn delete(&mut self, name: &str) -> Result<(), Trouble> {
        self.change()?;
        self.files.remove(name).map(|_| ()).ok_or(Trouble::Missing)
    }

    /// Returns the length of a file, in bytes.
    pub fn size(&self, name: &str) -> Result<usize, Trouble> {
        self.files.get(name).map(|file| file.now.len()).ok_or(Trouble::Missing)
    }

    /// Reads; gives how much there was.
    pub fn read(&mut self, name: &str, at: usize, to: &mut [u8]) -> Result<usize, Trouble> {
        if self.down || burns(&mut self.unreadable) {
            return Err(Trouble::Io);
        }
        let bytes = &self.files.get(name).ok_or(Trouble::Missing)?.now;
        let there = bytes.get(at.min(bytes.len())..).unwrap_or_default();
        let count = there.len().min(to.len());
        to.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        Ok(count)
    }

    /// Writes.
    pub fn write(&mut self, name: &str, at: usize, bytes: &[u8]) -> Result<(), Trouble> {
        let grows = self.size(name)? < at + bytes.len();
        if grows && self.full && !self.down {
            return Err(Trouble::Full);
        }
        self.keep(name, Change::Write(at, bytes.to_vec()))
    }

    /// Shortens.
    pub fn truncate(&mut self, name: &str, size: usize) -> Result<(), Trouble> {
        self.keep(name, Change::Truncate(size))
    }

    /// Makes what was written to a file durable.
    pub fn sync(&mut self, name: &str) -> Result<(), Trouble> {
        self.change()?;
        let file = self.files.get_mut(name).ok_or(Trouble::Missing)?;
        for change in file.changes.drain(..) {
            change.apply(&mut file.durable);
        }
        Ok(())
    }

    /// Replaces a file as one durable change: written aside, synced, renamed.
    pub fn replace(&mut self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        if self.full && !self.down {
            return Err(Trouble::Full);
        }
        self.change()?;
        let file = File { durable: bytes.to_vec(), now: bytes.to_vec(), changes: Vec::new() };
        self.files.insert(name.to_owned(), file);
        Ok(())
    }

    fn keep(&mut self, name: &str, change: Change) -> Result<(), Trouble> {
        let was_down = self.down;
        let done = self.change();
        let file = self.files.get_mut(name).ok_or(Trouble::Missing)?;
        // A change under way when the machine died may have come through, too.
        if done.is_ok() || (self.down && !was_down) {
            change.apply(&mut file.now);
            file.changes.push(change);
        }
        done
    }

    /// Counts a change, and says whether it happens.
    fn change(&mut self) -> Result<(), Trouble> {
        if self.down {
            return Err(Trouble::Io);
        }
        self.operations += 1;
        if burns(&mut self.fuse) {
            self.down = true;
            return Err(Trouble::Io);
        }
        if burns(&mut self.fault) { Err(Trouble::Io) } else { Ok(()) }
    }
}

/// Counts down; true once, at the end.
fn burns(left: &mut Option<u64>) -> bool {
    match left {
        Some(0) => {
            *left = None;
            true
        }
        Some(more) => {
            *more -= 1;
            false
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_stays_and_what_was_not_may_go() {
        let mut lost = 0;
        for seed in 0..100 {
            let mut disk = Disk::default();
            disk.open("a", true).unwrap();
            disk.write("a", 0, b"one").unwrap();
            disk.sync("a").unwrap();
            disk.write("a", 3, b"two").unwrap();
            disk.die();
            assert_eq!(disk.write("a", 0, b"x"), Err(Trouble::Io));
            disk.recover(&mut Rng::with_seed(seed));
            let mut read = [0; 6];
            let count = disk.read("a", 0, &mut read).unwrap();
            assert_eq!(&read[..3], b"one");
            lost += u64::from(count == 3);
        }
        assert!((10..90).contains(&lost), "{lost}");
    }
}
