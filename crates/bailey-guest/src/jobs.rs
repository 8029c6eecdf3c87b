//! Jobs: programs that go on by themselves. Their output lies in files, and is read from any offset.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use bailey_wire::control::{Ended, How, Job, Program, Said};

use crate::group::Group;
use crate::program::Running;

/// Where their output lies: on the disk, so that it costs no memory.
const FOLDER: &str = "/var/lib/bailey/jobs";
/// Jobs that are kept, running or ended; the oldest that ended makes room.
const MAX_JOBS: usize = 64;
/// Most characters of a job's words that are told again.
const MAX_WORDS: usize = 200;

struct Known {
    job: Job,
    group: Arc<Group>,
}

/// Every job there is. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<(u32, BTreeMap<u32, Known>)>>);

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, (u32, BTreeMap<u32, Known>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one.
    pub(crate) fn start(&self, program: &Program) -> Result<u32, String> {
        let number = self.make_room()?;
        let failed = |error: std::io::Error| format!("its output cannot be kept: {error}");
        fs::create_dir_all(folder(number)).map_err(failed)?;
        let mut output = File::create(path(number, Said::Output)).map_err(failed)?;
        let mut error = File::create(path(number, Said::Error)).map_err(failed)?;
        let running = Running::start(program, false)?;
        let words: String = program.words.join(" ").chars().take(MAX_WORDS).collect();
        let job = Job { job: number, words, ended: None, output: 0, error: 0 };
        self.lock().1.insert(number, Known { job, group: running.group() });
        let jobs = self.clone();
        thread::spawn(move || {
            let ended = running.finish(|said, bytes| {
                let (file, length) = match said {
                    Said::Output => (&mut output, bytes.len()),
                    Said::Error => (&mut error, bytes.len()),
                };
                if file.write_all(bytes).is_err() {
                    return false;
                }
                jobs.change(number, |job| {
                    let counted = match said {
                        Said::Output => &mut job.output,
                        Said::Error => &mut job.error,
                    };
                    *counted = counted.saturating_add(u64::try_from(length).unwrap_or(0));
                });
                true
            });
            let lost = Ended { how: How::Signal(0), timed_out: false, cut: true, ran_ms: 0 };
            jobs.change(number, |job| job.ended = Some(ended.unwrap_or(lost)));
        });
        Ok(number)
    }

    fn make_room(&self) -> Result<u32, String> {
        let mut all = self.lock();
        if all.1.len() >= MAX_JOBS {
            let oldest = all.1.iter().find(|(_, known)| known.job.ended.is_some()).map(|(number, _)| *number);
            let oldest = oldest.ok_or("too many jobs run already; end one")?;
            all.1.remove(&oldest);
            let _ = fs::remove_dir_all(folder(oldest));
        }
        all.0 = all.0.saturating_add(1);
        Ok(all.0)
    }

    fn change(&self, number: u32, change: impl FnOnce(&mut Job)) {
        if let Some(known) = self.lock().1.get_mut(&number) {
            change(&mut known.job);
        }
    }

    /// Returns what became of one.
    pub(crate) fn poll(&self, number: u32) -> Result<Job, String> {
        let all = self.lock();
        all.1.get(&number).map(|known| known.job.clone()).ok_or_else(|| format!("there is no job {number}"))
    }

    /// Returns all of them.
    pub(crate) fn all(&self) -> Vec<Job> {
        self.lock().1.values().map(|known| known.job.clone()).collect()
    }

    /// Ends one, with everything it started.
    pub(crate) fn kill(&self, number: u32) -> Result<Job, String> {
        let group = self.lock().1.get(&number).map(|known| Arc::clone(&known.group));
        group.ok_or_else(|| format!("there is no job {number}"))?.kill();
        self.poll(number)
    }

    /// Returns where the output of one lies.
    pub(crate) fn output(&self, number: u32, said: Said) -> Result<PathBuf, String> {
        self.poll(number).map(|_| path(number, said))
    }
}

fn folder(number: u32) -> PathBuf {
    PathBuf::from(FOLDER).join(number.to_string())
}

fn path(number: u32, said: Said) -> PathBuf {
    folder(number).join(match said {
        Said::Output => "output",
        Said::Error => "error",
    })
}
