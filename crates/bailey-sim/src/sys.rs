//! SQLite on a simulated disk: the one module that is not safe Rust.
//!
//! Implements a virtual file system (<https://www.sqlite.org/vfs.html>) over [`Machine`], and makes it the default one of
//! the process, so that the product's own code opens its databases there without knowing. Paths look like
//! `/NAME/file`, where a machine called `NAME` has been added.

#![expect(unsafe_code, reason = "SQLite calls back through C functions; everything they reach is safe Rust")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi;

use crate::disk::{Disk, Trouble};

/// What a database connection holds of a file's lock, as SQLite numbers it.
const SHARED: c_int = ffi::SQLITE_LOCK_SHARED;
const RESERVED: c_int = ffi::SQLITE_LOCK_RESERVED;
/// Locks on the shared index of a write-ahead log.
const SHM_SLOTS: usize = 8;

/// Locks and shared memory of one file, which die with the machine.
#[derive(Default)]
struct Shared {
    levels: BTreeMap<u64, c_int>,
    regions: Vec<Box<[u8]>>,
    readers: BTreeMap<(u64, usize), ()>,
    writers: BTreeMap<usize, u64>,
}

/// One simulated machine: its disk, and what its processes share about open files.
#[derive(Default)]
pub struct Machine {
    disk: Mutex<Disk>,
    shared: Mutex<BTreeMap<String, Shared>>,
    handles: Mutex<u64>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

impl Machine {
    /// Returns the disk.
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets locks and shared memory, when every file is closed.
    pub fn forget_locks(&self) {
        self.shared().clear();
    }

    fn shared(&self) -> MutexGuard<'_, BTreeMap<String, Shared>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Machines = BTreeMap<String, Arc<Machine>>;

static MACHINES: Mutex<Machines> = Mutex::new(BTreeMap::new());

fn machines() -> MutexGuard<'static, Machines> {
    MACHINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a machine under a name and gives it; its files are at `/NAME/…`.
pub fn add_machine(name: &str) -> Arc<Machine> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    let machine = Arc::new(Machine::default());
    machines().insert(name.to_owned(), Arc::clone(&machine));
    machine
}

/// Removes a machine again.
pub fn remove_machine(name: &str) {
    machines().remove(name);
}

/// An open file, as SQLite holds it: its own part first, as its "subclass".
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    handle: *mut Handle,
}

struct Handle {
    machine: Arc<Machine>,
    name: String,
    id: u64,
}

fn split(path: &str) -> Option<(Arc<Machine>, String)> {
    let (machine, name) = path.strip_prefix('/')?.split_once('/')?;
    Some((Arc::clone(machines().get(machine)?), name.to_owned()))
}

fn code(result: Result<(), Trouble>, otherwise: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Trouble::Full) => ffi::SQLITE_FULL,
        Err(Trouble::Missing | Trouble::Io) => otherwise,
    }
}

/// # Safety
/// `path` is null or a string of SQLite's.
unsafe fn text<'a>(path: *const c_char) -> Option<&'a str> {
    // SAFETY: as promised by the caller; SQLite keeps the string while the call lasts.
    (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) }).and_then(|path| path.to_str().ok())
}

/// # Safety
/// `file` was opened by [`open`] and not closed since, which SQLite sees to.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a Handle {
    // SAFETY: `open` put a boxed handle there, and only `close` takes it away.
    unsafe { &*(*file.cast::<OpenFile>()).handle }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives `szOsFile` bytes at `file`, and a path or null.
    let path = unsafe {
        (*file).pMethods = ptr::null();
        text(path)
    };
    // Everything of ours keeps temporary tables in memory, so a file without a name is a mistake.
    let Some((machine, name)) = path.and_then(split) else { return ffi::SQLITE_CANTOPEN };
    if machine.disk().open(&name, flags & ffi::SQLITE_OPEN_CREATE != 0).is_err() {
        return ffi::SQLITE_CANTOPEN;
    }
    let id = {
        let mut handles = machine.handles.lock().unwrap_or_else(PoisonError::into_inner);
        *handles += 1;
        *handles
    };
    let handle = Box::into_raw(Box::new(Handle { machine, name, id }));
    // SAFETY: as above; `out` is null or a place for the flags.
    unsafe {
        (*file.cast::<OpenFile>()).handle = handle;
        (*file).pMethods = &METHODS;
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once and calls nothing on it after.
    let handle = unsafe { Box::from_raw((*file.cast::<OpenFile>()).handle) };
    if let Some(shared) = handle.machine.shared().get_mut(&handle.name) {
        shared.levels.remove(&handle.id);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, count: c_int, at: i64) -> c_int {
    let (Ok(count), Ok(at)) = (usize::try_from(count), usize::try_from(at)) else { return ffi::SQLITE_IOERR_READ };
    // SAFETY: SQLite gives `count` bytes at `to`, and a file of ours.
    let (handle, to) = unsafe { (handle(file), std::slice::from_raw_parts_mut(to.cast::<u8>(), count)) };
    match handle.machine.disk().read(&handle.name, at, to) {
        Ok(got) if got == count => ffi::SQLITE_OK,
        Ok(got) => {
            to.iter_mut().skip(got).for_each(|byte| *byte = 0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    let (Ok(count), Ok(at)) = (usize::try_from(count), usize::try_from(at)) else { return ffi::SQLITE_IOERR_WRITE };
    // SAFETY: SQLite gives `count` bytes at `from`, and a file of ours.
    let (handle, from) = unsafe { (handle(file), std::slice::from_raw_parts(from.cast::<u8>(), count)) };
    code(handle.machine.disk().write(&handle.name, at, from), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    let size = usize::try_from(size).unwrap_or(0);
    code(handle.machine.disk().truncate(&handle.name, size), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    code(handle.machine.disk().sync(&handle.name), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: a file of ours, and a place for the size.
    let (handle, out) = unsafe { (handle(file), &mut *out) };
    match handle.machine.disk().size(&handle.name) {
        Ok(size) => {
            *out = i64::try_from(size).unwrap_or(i64::MAX);
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    let mut all = handle.machine.shared();
    let shared = all.entry(handle.name.clone()).or_default();
    let most = shared.levels.iter().filter(|(id, _)| **id != handle.id).map(|(_, level)| *level).max().unwrap_or(0);
    let free = match level {
        SHARED => most <= RESERVED,
        RESERVED => most <= SHARED,
        _ => most == 0,
    };
    if !free {
        return ffi::SQLITE_BUSY;
    }
    let own = shared.levels.entry(handle.id).or_default();
    *own = level.max(*own);
    ffi::SQLITE_OK
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    handle.machine.shared().entry(handle.name.clone()).or_default().levels.insert(handle.id, level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: a file of ours, and a place for the answer.
    let (handle, out) = unsafe { (handle(file), &mut *out) };
    let mut all = handle.machine.shared();
    *out = c_int::from(all.entry(handle.name.clone()).or_default().levels.values().any(|level| *level >= RESERVED));
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: a file of ours, and a place for the address.
    let (handle, out) = unsafe { (handle(file), &mut *out) };
    let (Ok(index), Ok(size)) = (usize::try_from(index), usize::try_from(size)) else { return ffi::SQLITE_IOERR };
    let mut all = handle.machine.shared();
    let regions = &mut all.entry(handle.name.clone()).or_default().regions;
    while regions.len() <= index && extend != 0 {
        regions.push(vec![0; size].into_boxed_slice());
    }
    // A region's address stays, as regions are boxed and kept until every file is closed.
    *out = regions.get_mut(index).map_or(ptr::null_mut(), |region| region.as_mut_ptr().cast());
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    let (Ok(first), Ok(count)) = (usize::try_from(first), usize::try_from(count)) else { return ffi::SQLITE_IOERR };
    let slots = first..(first + count).min(SHM_SLOTS);
    let mut all = handle.machine.shared();
    let shared = all.entry(handle.name.clone()).or_default();
    let id = handle.id;
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        for slot in slots {
            shared.readers.remove(&(id, slot));
            if shared.writers.get(&slot) == Some(&id) {
                shared.writers.remove(&slot);
            }
        }
        return ffi::SQLITE_OK;
    }
    let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    for slot in slots.clone() {
        let written = shared.writers.get(&slot).is_some_and(|owner| *owner != id);
        let read = shared.readers.keys().any(|(owner, at)| *at == slot && *owner != id);
        if written || (exclusive && read) {
            return ffi::SQLITE_BUSY;
        }
    }
    for slot in slots {
        if exclusive {
            shared.writers.insert(slot, id);
        } else {
            shared.readers.insert((id, slot), ());
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    if let Some(shared) = handle.machine.shared().get_mut(&handle.name) {
        shared.readers.retain(|(id, _), ()| *id != handle.id);
        shared.writers.retain(|_, id| *id != handle.id);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    512
}

unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, path: *const c_char, _: c_int) -> c_int {
    // SAFETY: a path of SQLite's.
    let Some((machine, name)) = unsafe { text(path) }.and_then(split) else { return ffi::SQLITE_IOERR_DELETE };
    match machine.disk().delete(&name) {
        Err(Trouble::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        result => code(result, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(_: *mut ffi::sqlite3_vfs, path: *const c_char, _: c_int, out: *mut c_int) -> c_int {
    // SAFETY: a path of SQLite's, and a place for the answer.
    let (found, out) = unsafe { (text(path).and_then(split), &mut *out) };
    *out = c_int::from(found.is_some_and(|(machine, name)| machine.disk().exists(&name)));
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(_: *mut ffi::sqlite3_vfs, path: *const c_char, size: c_int, out: *mut c_char) -> c_int {
    // SAFETY: a path of SQLite's, and `size` bytes at `out`.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > usize::try_from(size).unwrap_or(0) {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SQLite seeds names and salts of its own from this; none of them is a secret, and none changes what happens.
    let wanted = usize::try_from(count).unwrap_or(0);
    // SAFETY: SQLite gives `count` bytes at `out`.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), wanted) };
    fastrand::Rng::with_seed(0).fill(out);
    count
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn time(_: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: a place for the time; nothing of ours asks SQLite what time it is.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

fn register() {
    let vfs = ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<OpenFile>()).unwrap_or(c_int::MAX),
        mxPathname: 256,
        pNext: ptr::null_mut(),
        zName: c"simulated".as_ptr(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: None,
        xGetLastError: None,
        xCurrentTimeInt64: Some(time),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the structure is leaked, so it lives as long as SQLite may use it.
    let _ = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1) };
}
