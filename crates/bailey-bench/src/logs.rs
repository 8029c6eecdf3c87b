//! A large log: opening its home, exporting and verifying it.

use std::error::Error;
use std::path::Path;

use bailey_ledger::{Payloads, export};
use bailey_verify::Verdict;

use crate::actions::{finished, home, shipped};
use crate::bench::{Table, Times, now, rate, show};
use crate::reference;

/// Actions written in one transaction while the log is made, and entries of each.
const BATCH: u64 = 500;
const ENTRIES_EACH: u64 = 4;
/// Openings measured.
const OPENINGS: usize = 7;

/// Opens, exports and verifies a log of so many entries.
pub fn large(table: &mut Table, folder: &Path, entries: u64) -> Result<(), Box<dyn Error>> {
    let (small, folder) = (folder.join("small"), folder.join("large"));
    drop(home(&small, shipped()?, true)?);
    let (gate, ledger) = home(&folder, shipped()?, true)?;
    let actions = entries / ENTRIES_EACH;
    for from in (0..actions).step_by(BATCH as usize) {
        finished(&ledger, from..actions.min(from + BATCH))?;
        if (from + BATCH).is_multiple_of(50 * BATCH) {
            eprintln!("a log of {} entries", (from + BATCH) * ENTRIES_EACH);
        }
    }
    drop((gate, ledger));
    let open = |folder: &Path| -> Result<(), Box<dyn Error>> {
        drop(home(folder, shipped()?, false)?);
        Ok(())
    };
    let little = Times::of(OPENINGS, |_| open(&small))?.median();
    let opening = Times::of(OPENINGS, |_| open(&folder))?.median();
    table.row(
        &format!(
            "opening a home with {actions} actions in {entries} entries: store, rules, gate, what a crash may have left"
        ),
        show(opening),
        format!("an empty home {}", show(little)),
        format!("{:.2} ×", opening.as_secs_f64() / little.as_secs_f64()),
    );
    let (_gate, ledger) = home(&folder, shipped()?, false)?;
    let mut out = Vec::new();
    let started = now();
    let exported = export(&ledger, Payloads::Sealed, &mut out)?;
    let took = started.elapsed();
    let hashing = reference::hashing(&out);
    table.row(
        &format!("export of {exported} entries"),
        format!("{:.0} entries/s ({:.0} MB/s)", rate(exported, took), rate(out.len() as u64, took) / 1e6),
        format!("SHA-256 of the same bytes {:.0} MB/s", hashing / 1e6),
        format!("{:.1} × the time of hashing it", took.as_secs_f64() * hashing / out.len() as f64),
    );
    let text = String::from_utf8(out)?;
    let started = now();
    let verdict = bailey_verify::verify(&text, None);
    let took = started.elapsed();
    if !matches!(verdict, Verdict::Consistent { .. }) {
        return Err(verdict.to_string().into());
    }
    table.row(
        &format!("verification of {exported} entries, one core"),
        format!("{:.0} entries/s ({:.0} MB/s)", rate(exported, took), rate(text.len() as u64, took) / 1e6),
        format!("SHA-256 of the same bytes {:.0} MB/s", hashing / 1e6),
        format!("{:.1} × the time of hashing it", took.as_secs_f64() * hashing / text.len() as f64),
    );
    Ok(())
}
