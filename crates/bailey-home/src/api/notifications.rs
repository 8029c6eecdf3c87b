//! Places where the person is told that something waits.

use super::*;
use crate::notifications::NotTold;
use crate::wire::NotifyBody;
use bailey_interface::{NotificationPlace, NotificationView, NotificationsView};

impl From<NotTold> for Failure {
    fn from(error: NotTold) -> Self {
        let code = match &error {
            NotTold::Unknown => Code::NotFound,
            NotTold::Keys(_) => Code::Internal,
            NotTold::Store(_) => {
                let NotTold::Store(error) = error else { return failure(Code::Internal, "the store failed") };
                return error.into();
            }
            NotTold::Address(_)
            | NotTold::Topic
            | NotTold::Subscription
            | NotTold::Account(_)
            | NotTold::Token
            | NotTold::Many => Code::Invalid,
        };
        failure(code, error.to_string())
    }
}

pub(super) async fn list(AppState(home): Shared) -> Answer<NotificationsView> {
    Ok(Json(reading(&home, |home| Ok(home.notifications()?)).await?))
}

pub(super) async fn add(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<NotifyBody>,
) -> Answer<NotificationsView> {
    let leave = authorise(&home, purposes::notify(&body.place), &body.proof, caller).await?;
    let NotifyBody { place, password, .. } = body;
    let add = move |home: &Home| {
        let session =
            caller.session.and_then(|id| home.browsers.list(home.clock.now()).into_iter().find(|one| one.id == id));
        let browser = match &place {
            NotificationPlace::Browser { .. } => session.map(|session| (session.agent, session.passkey)),
            NotificationPlace::Ntfy { .. } | NotificationPlace::Gotify { .. } | NotificationPlace::Mail { .. } => None,
        };
        home.notify(place, password, browser, &leave)?;
        Ok(home.notifications()?)
    };
    Ok(Json(reading(&home, add).await?))
}

pub(super) async fn end(AppState(home): Shared, Path(id): Path<String>) -> Answer<NotificationsView> {
    let id: Nonce = parse("place", &id)?;
    let end = move |home: &Home| {
        home.end_notification(*id.as_bytes(), Actor::Client)?;
        Ok(home.notifications()?)
    };
    Ok(Json(reading(&home, end).await?))
}

pub(super) async fn try_out(AppState(home): Shared, Path(id): Path<String>) -> Answer<NotificationView> {
    let id: Nonce = parse("place", &id)?;
    Ok(Json(home.try_notification(*id.as_bytes()).await?))
}
