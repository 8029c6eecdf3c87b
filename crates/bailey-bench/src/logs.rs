//! A large log: opening its home, exporting and verifying it.

use std::error::Error;
use std::path::Path;

use bailey_gate::Now;
use bailey_gate::event::{Actor, Event, EventKind};
use bailey_gate::handoff::{Mode, Valve};
use bailey_keys::HomeKey;
use bailey_ledger::{Ledger, MarkFile, Opened, Paths, Payloads, export};
use bailey_verify::Verdict;

use crate::bench::{Table, Times, now, rate, show};
use crate::reference;

/// Entries written in one transaction while the log is made.
const BATCH: u64 = 1_000;
/// Every so many entries one has a payload, as reads and small steps have none.
const PAYLOAD_EVERY: u64 = 4;
/// Openings measured.
const OPENINGS: usize = 7;

fn open(folder: &Path, create: bool) -> Result<(Ledger, Opened), Box<dyn Error>> {
    let (database, keys) = (folder.join("ledger.db"), folder.join("keys.db"));
    let mark = Box::new(MarkFile::new(&folder.join("mark")));
    let key = HomeKey::take_over(&mut [7_u8; 48].as_slice())?;
    let at = Now { wall_ms: 1_767_225_600_000, boot_ms: 1, boot_id: [1; 16] };
    Ok(Ledger::open(Paths { database: &database, keys: &keys, mark, create }, key, at)?)
}

fn fill(ledger: &Ledger, entries: u64) -> Result<(), Box<dyn Error>> {
    let valve = Valve { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
    let mut written = 0;
    while written < entries {
        let count = BATCH.min(entries - written);
        ledger.write(|tx| {
            for number in written..written + count {
                let at = Now { wall_ms: 1_767_225_600_000, boot_ms: number, boot_id: [1; 16] };
                let entry = Event::of_home(EventKind::Opened, Actor::Home, at, valve);
                let payload = match number % PAYLOAD_EVERY {
                    0 => entry.payload.clone().text("words", "x".repeat(200)),
                    _ => entry.payload.clone(),
                };
                tx.append(&Event { payload, ..entry }, None)?;
            }
            Ok(())
        })?;
        written += count;
        if written % (100 * BATCH) == 0 {
            eprintln!("a log of {written} entries");
        }
    }
    Ok(())
}

/// Opens, exports and verifies a log of so many entries.
pub fn large(table: &mut Table, folder: &Path, entries: u64) -> Result<(), Box<dyn Error>> {
    let (small, folder) = (folder.join("small"), folder.join("large"));
    for path in [&small, &folder] {
        std::fs::create_dir_all(path)?;
        drop(open(path, true)?);
    }
    let (ledger, _) = open(&folder, false)?;
    fill(&ledger, entries)?;
    drop(ledger);
    let little = Times::of(OPENINGS, |_| open(&small, false).map(|_| ()))?.median();
    let opening = Times::of(OPENINGS, |_| open(&folder, false).map(|_| ()))?.median();
    table.row(
        &format!("opening the store of a home with {entries} entries"),
        show(opening),
        format!("the store of an empty home {}", show(little)),
        format!("{:.2} ×", opening.as_secs_f64() / little.as_secs_f64()),
    );
    let (ledger, _) = open(&folder, false)?;
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
