//! The agent's computer: how it stands, and beginning and ending it.

use bailey_dashboard::{self as html, Section};
use bailey_interface::ComputerView;

use super::pages::{Around, Page, shown, to};
use super::*;
use crate::computer::Lacking;

impl From<Lacking> for Failure {
    fn from(why: Lacking) -> Self {
        match why {
            Lacking::Not(why) => failure(Code::Conflict, why),
            Lacking::Engine(error) => failure(Code::Internal, visible(&error.to_string())),
            Lacking::Store(error) => GateError::from(error).into(),
        }
    }
}

async fn view(home: &Arc<Home>) -> Result<ComputerView, Failure> {
    reading_promptly(home, |home| Ok(home.room.view())).await
}

pub(super) async fn computer(AppState(home): Shared) -> Answer<ComputerView> {
    view(&home).await.map(Json)
}

pub(super) async fn start(AppState(home): Shared) -> Answer<ComputerView> {
    let room = Arc::clone(&home.room);
    spawn_detached(&home, async move { room.start().await }).await??;
    view(&home).await.map(Json)
}

pub(super) async fn stop(AppState(home): Shared) -> Answer<ComputerView> {
    let room = Arc::clone(&home.room);
    spawn_detached(&home, async move { room.stop().await }).await??;
    view(&home).await.map(Json)
}

pub(super) async fn destroy(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<ComputerView> {
    authorise(&home, purposes::destroy_computer(), &body.proof, caller).await?;
    let room = Arc::clone(&home.room);
    spawn_detached(&home, async move { room.destroy_all().await }).await??;
    view(&home).await.map(Json)
}

pub(super) async fn page(AppState(home): Shared) -> Page {
    let around = Around::of(&home).await?;
    let view = view(&home).await?;
    Ok(shown(html::computer(&around.frame(Section::Computer), &view)))
}

pub(super) async fn start_form(AppState(home): Shared) -> Page {
    let room = Arc::clone(&home.room);
    // The page says how far it is, and why where it came to nothing.
    home.spawn_detached(async move { room.start().await });
    Ok(to(PAGE))
}

pub(super) async fn stop_form(AppState(home): Shared) -> Page {
    let room = Arc::clone(&home.room);
    home.spawn_detached(async move { room.stop().await });
    Ok(to(PAGE))
}

/// The address of the page.
const PAGE: &str = "/computer";
