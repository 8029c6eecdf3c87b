//! `bailey-bench`: figures of the product beside references of the same run. `cargo xtask bench` builds and calls it.
//!
//! A figure alone says little on a machine that others use too; the ratio to a reference measured a moment before says
//! more. What bounds each figure is told in `docs/performance.md`.

mod actions;
mod bench;
mod logs;
mod paint;
mod process;
mod reference;
mod store;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bench::Table;

const HELP: &str = "bailey-bench [--folder FOLDER] [--program BAILEY] [--entries N]

  --folder   where to put files; on the disk to measure (the system's temporary folder)
  --program  the `bailey` program, for start-up and memory (beside this one)
  --entries  entries of the large log (1000000)
  --actions  actions of the large home (1000000)
  --only     `store` for the large home alone, `actions` for the life of an action alone, `dashboard` for search
             over 100,000 entries, first paints in Chromium, and what an open dashboard costs";

struct Wanted {
    folder: PathBuf,
    program: PathBuf,
    entries: u64,
    actions: u64,
    only: Option<Part>,
}

/// A part that can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Store,
    Actions,
    Dashboard,
}

/// Entries of the log that is searched.
const SEARCHED: u64 = 100_000;

fn wanted() -> Result<Wanted, String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut wanted = Wanted {
        folder: std::env::temp_dir(),
        program: here.with_file_name("bailey"),
        entries: 1_000_000,
        actions: 1_000_000,
        only: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or(HELP)?;
        match argument.as_str() {
            "--folder" => wanted.folder = value.into(),
            "--program" => wanted.program = value.into(),
            "--actions" => wanted.actions = value.parse().map_err(|_| HELP)?,
            "--only" if value == "store" => wanted.only = Some(Part::Store),
            "--only" if value == "actions" => wanted.only = Some(Part::Actions),
            "--only" if value == "dashboard" => wanted.only = Some(Part::Dashboard),
            "--entries" => wanted.entries = value.parse().map_err(|_| HELP)?,
            _ => return Err(HELP.into()),
        }
    }
    Ok(wanted)
}

fn measure(wanted: &Wanted, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut table = Table::default();
    let measures = |part: Part| wanted.only.is_none_or(|only| only == part);
    if measures(Part::Store) {
        store::million(&mut table, &wanted.program, folder, wanted.actions)?;
    }
    if measures(Part::Dashboard) {
        store::dashboard(&mut table, &wanted.program, folder, SEARCHED)?;
    }
    if measures(Part::Actions) {
        actions::decision(&mut table)?;
        actions::alone(&mut table, folder)?;
        actions::together(&mut table, folder)?;
        actions::pauses(&mut table, folder)?;
    }
    if wanted.only.is_none() {
        actions::proof(&mut table)?;
        logs::large(&mut table, folder, wanted.entries)?;
        process::start_and_memory(&mut table, &wanted.program, folder)?;
    }
    println!("{table}");
    Ok(())
}

fn main() -> ExitCode {
    let wanted = match wanted() {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let folder = wanted.folder.join(format!("bailey-bench-{}", std::process::id()));
    let measured = std::fs::create_dir_all(&folder).map_err(Into::into).and_then(|()| measure(&wanted, &folder));
    let _ = std::fs::remove_dir_all(&folder);
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bailey-bench: {why}");
            ExitCode::FAILURE
        }
    }
}
