//! `bailey pause`: by the home; by its supervisor where the home does not do it; on the disk where neither runs.

use std::time::Duration;

use bailey_home::{Layout, routes};
use bailey_interface::PauseView;
use bailey_supervisor::{Place, SupervisorError};
use serde::Serialize;

use crate::client::{Client, Trouble};
use crate::show;

/// How long the home may take. It takes milliseconds; a home that hangs, or a disk that does, must not keep a pause waiting.
const HOME_WITHIN: Duration = Duration::from_secs(5);
/// How long its supervisor, or the disk, may take after that.
const OUTSIDE_WITHIN: Duration = Duration::from_secs(70);
/// How often it is tried anew where a supervisor is just starting or ending; a try at its lock takes a second.
const TRIES: u32 = 12;

/// A pause that was not the home's doing.
#[derive(Serialize)]
struct Outside {
    by: By,
    /// What is not as it should be all the same.
    trouble: Vec<String>,
}

/// Whose doing it was.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum By {
    /// The supervisor's, which ended the home.
    Supervisor,
    /// The supervisor's, of a home that is locked.
    SupervisorOfLockedHome,
    /// This program's, on the disk, where nothing runs.
    Disk,
}

/// Stops everything.
pub(crate) async fn run(layout: Layout, json: bool) -> Result<(), Trouble> {
    let place = Place::new(layout.root());
    let asked = async {
        // Beside this thread: what it reads may lie on a disk that does not answer.
        let client = tokio::task::spawn_blocking(move || Client::new(layout)).await;
        client.map_err(|error| Trouble::Here(error.to_string()))??.post(&routes::PAUSE.here(), &()).await
    };
    let why = match tokio::time::timeout(HOME_WITHIN, asked).await {
        Ok(Ok(card)) => return by_home(&card, json),
        Ok(Err(trouble)) => trouble.to_string(),
        Err(_) => format!("the home did not pause within {} s", HOME_WITHIN.as_secs()),
    };
    let trying = tokio::task::spawn_blocking(move || without_the_home(&place));
    let failed = |error: &str| {
        let words = "ending `bailey serve` stops everything";
        Trouble::Here(format!("this could not be paused: {why}; without the home: {error}; {words}"))
    };
    let outside = match tokio::time::timeout(OUTSIDE_WITHIN, trying).await {
        Ok(Ok(Ok(outside))) => outside,
        // Nothing is there to be paused.
        Ok(Ok(Err(error @ SupervisorError::Missing(_)))) => return Err(Trouble::Here(error.to_string())),
        Ok(Ok(Err(error))) => return Err(failed(&error.to_string())),
        Ok(Err(error)) => return Err(failed(&error.to_string())),
        Err(_) => return Err(failed("neither a supervisor nor the disk answers")),
    };
    show::print(json, &outside, |out| {
        match outside.by {
            By::Supervisor => {
                writeln!(out, "Paused. Nothing leaves until `bailey resume`.")?;
                writeln!(out, "  The home was ended for it, and starts again: {why}.")?;
                writeln!(out, "  Whether what was under way has happened, it finds out: `bailey actions`.")?;
            }
            By::SupervisorOfLockedHome => writeln!(out, "Paused: Bailey is locked, and will start paused.")?,
            By::Disk => writeln!(out, "Bailey is not running; it will start paused.")?,
        }
        outside.trouble.iter().try_for_each(|trouble| writeln!(out, "  ! {trouble}"))
    })?;
    Ok(())
}

fn by_home(card: &PauseView, json: bool) -> Result<(), Trouble> {
    show::print(json, card, |out| {
        writeln!(out, "Paused. Nothing leaves until `bailey resume`.")?;
        for id in &card.in_flight {
            writeln!(out, "  {id} was under way; bytes handed over before may still arrive.")?;
        }
        card.trouble.iter().try_for_each(|trouble| writeln!(out, "  ! {trouble}"))
    })?;
    Ok(())
}

fn without_the_home(place: &Place) -> Result<Outside, SupervisorError> {
    use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof};
    let mut last = None;
    for _ in 0..TRIES {
        match bailey_supervisor::pause(place) {
            Ok(paused) => {
                let by = if paused.ended { By::Supervisor } else { By::SupervisorOfLockedHome };
                return Ok(Outside { by, trouble: paused.trouble });
            }
            // Nobody is there, only the socket of a supervisor that was killed, or one that is just ending.
            Err(SupervisorError::File { source, .. })
                if [BrokenPipe, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof]
                    .contains(&source.kind()) => {}
            Err(error) => return Err(error),
        }
        match place.pause_at_rest(bailey_home::mark_paused_by_supervisor) {
            Ok(unsure) => return Ok(Outside { by: By::Disk, trouble: unsure.into_iter().collect() }),
            // One is just starting, or has not ended yet.
            Err(error @ SupervisorError::Running(_)) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| SupervisorError::Missing(place.data().into())))
}
