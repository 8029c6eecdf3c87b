//! Schedules, what needs attention, and the digest.

use super::*;
use crate::clockwork::{SHOWN_OCCURRENCES, Unmade};
use bailey_interface::{
    AttentionView, DigestView, MissedBody, ScheduleBody, ScheduleDraft, SchedulePreview, ScheduleView,
};

impl From<Unmade> for Failure {
    fn from(error: Unmade) -> Self {
        match error {
            Unmade::Bad(why) => failure(Code::Invalid, visible(&why)),
            Unmade::Missing => failure(Code::NotFound, error.to_string()),
            Unmade::Home(error) => error.into(),
        }
    }
}

pub(super) async fn schedules(AppState(home): Shared) -> Answer<Vec<ScheduleView>> {
    reading(&home, |home| Ok(home.schedule_views()?)).await.map(Json)
}

pub(super) async fn schedule(AppState(home): Shared, caller: Caller, Path(id): Path<String>) -> Answer<ScheduleView> {
    reading(&home, move |home| {
        let row = home.schedule_of(&id)?;
        // A program that asks is nobody who looks.
        if caller.client == Client::Dashboard {
            home.note_looked(&row)?;
        }
        Ok(home.schedule_view(&row, SHOWN_OCCURRENCES)?)
    })
    .await
    .map(Json)
}

pub(super) async fn preview_schedule(
    AppState(home): Shared,
    JsonBody(draft): JsonBody<ScheduleDraft>,
) -> Answer<SchedulePreview> {
    reading(&home, move |home| Ok(home.plan_schedule(draft)?)).await.map(Json)
}

pub(super) async fn make_schedule(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ScheduleBody>,
) -> Answer<ScheduleView> {
    let leave = authorise(&home, purposes::make_schedule(&body.plan), &body.proof, caller).await?;
    reading(&home, move |home| Ok(home.make_schedule(body.plan, &leave)?)).await.map(Json)
}

pub(super) async fn stop_schedule(AppState(home): Shared, Path(id): Path<String>) -> Answer<ScheduleView> {
    reading_promptly(&home, move |home| Ok(home.stop_schedule(&id)?)).await.map(Json)
}

pub(super) async fn delete_schedule(AppState(home): Shared, Path(id): Path<String>) -> Answer<()> {
    reading_promptly(&home, move |home| Ok(home.delete_schedule(&id)?)).await.map(Json)
}

pub(super) async fn run_schedule(AppState(home): Shared, Path(id): Path<String>) -> Answer<TaskView> {
    let task = home.run_schedule(&id).await?;
    tasks::view_of(&home, task).await
}

pub(super) async fn missed(AppState(home): Shared, JsonBody(body): JsonBody<MissedBody>) -> Answer<Vec<AttentionView>> {
    home.settle_missed(&body).await?;
    attention(AppState(home)).await
}

pub(super) async fn attention(AppState(home): Shared) -> Answer<Vec<AttentionView>> {
    reading(&home, |home| Ok(home.attention()?)).await.map(Json)
}

pub(super) async fn digest(AppState(home): Shared) -> Answer<DigestView> {
    reading(&home, |home| Ok(home.digest()?)).await.map(Json)
}
