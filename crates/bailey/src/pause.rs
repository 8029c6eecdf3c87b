//! `bailey pause`: by the home; by its supervisor where the home does not do it; on the disk where neither runs.

use std::time::Duration;

use bailey_home::Layout;
use bailey_home::wire::PauseCard;
use bailey_supervisor::{Place, SupervisorError};
use serde::Serialize;

use crate::client::{Client, Trouble};
use crate::show;

/// How long the home may take. It takes milliseconds; a home that hangs, or a disk that does, must not keep a pause waiting.
const HOME_WITHIN: Duration = Duration::from_secs(5);

/// A pause that was not the home's doing.
#[derive(Serialize)]
struct Outside {
    /// Whose it was: `supervisor`, or `disk` where none runs.
    by: &'static str,
    /// What is not as it should be all the same.
    trouble: Vec<String>,
}

/// Stops everything.
pub(crate) async fn run(layout: Layout, json: bool) -> Result<(), Trouble> {
    layout.info().map_err(|error| Trouble::Here(error.to_string()))?;
    let place = Place::new(layout.root());
    let asked = async { Client::new(layout)?.post::<PauseCard>("/v1/pause", &()).await };
    let why = match tokio::time::timeout(HOME_WITHIN, asked).await {
        Ok(Ok(card)) => return by_home(&card, json),
        Ok(Err(trouble)) => trouble.to_string(),
        Err(_) => format!("the home did not pause within {} s", HOME_WITHIN.as_secs()),
    };
    let outside = tokio::task::spawn_blocking(move || from_outside(&place)).await;
    let outside = outside.map_err(|error| Trouble::Here(error.to_string()))?.map_err(|error| {
        Trouble::Here(format!(
            "this could not be paused: {why}; its supervisor: {error}; ending `bailey serve` stops everything"
        ))
    })?;
    show::print(json, &outside, |out| {
        match outside.by {
            "supervisor" => {
                writeln!(out, "Paused. Nothing leaves until `bailey resume`.")?;
                writeln!(out, "  The home was ended for it, and starts again: {why}.")?;
                writeln!(out, "  Whether what was under way has happened, it finds out: `bailey actions`.")?;
            }
            _ => writeln!(out, "Bailey is not running; it will start paused.")?,
        }
        outside.trouble.iter().try_for_each(|trouble| writeln!(out, "  ! {trouble}"))
    })?;
    Ok(())
}

fn by_home(card: &PauseCard, json: bool) -> Result<(), Trouble> {
    show::print(json, card, |out| {
        writeln!(out, "Paused. Nothing leaves until `bailey resume`.")?;
        for id in &card.in_flight {
            writeln!(out, "  {id} was under way; bytes handed over before may still arrive.")?;
        }
        card.trouble.iter().try_for_each(|trouble| writeln!(out, "  ! {trouble}"))
    })?;
    Ok(())
}

fn from_outside(place: &Place) -> Result<Outside, SupervisorError> {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    match bailey_supervisor::pause(place) {
        Ok(trouble) => Ok(Outside { by: "supervisor", trouble }),
        // Nobody is there, or only the socket of a supervisor that was killed.
        Err(SupervisorError::File { source, .. }) if matches!(source.kind(), NotFound | ConnectionRefused) => {
            place.pause_at_rest(bailey_home::pause_from_outside)?;
            Ok(Outside { by: "disk", trouble: Vec::new() })
        }
        Err(error) => Err(error),
    }
}
