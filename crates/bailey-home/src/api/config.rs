//! What the person sets in daily life.

use bailey_interface::{ConfigBody, ConfigChange, SettingView};

use super::*;

pub(super) async fn config(AppState(home): Shared) -> Answer<Vec<SettingView>> {
    reading(&home, |home| Ok(home.settings()?)).await.map(Json)
}

pub(super) async fn change(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ConfigBody>,
) -> Answer<Vec<SettingView>> {
    let ConfigBody { change, proof } = body;
    let leave = authorise(&home, purposes::change_settings(&change), &proof, caller).await?;
    let changed = move |home: &Home| {
        home.change_settings(&change, Some(&leave))?;
        Ok(home.settings()?)
    };
    reading(&home, changed).await.map(Json)
}

pub(super) async fn narrow(
    AppState(home): Shared,
    JsonBody(change): JsonBody<ConfigChange>,
) -> Answer<Vec<SettingView>> {
    let changed = move |home: &Home| match home.change_settings(&change, None) {
        Ok(()) => Ok(home.settings()?),
        Err(HomeError::Gate(GateError::NotAuthorised)) => {
            let why = "this lets more happen than before, so it needs your passphrase or a touch";
            Err(failure(Code::NotAuthorised, why))
        }
        Err(other) => Err(other.into()),
    };
    reading(&home, changed).await.map(Json)
}
