//! The person's rules.

use bailey_interface::{RuleBody, RuleChange, RuleEventView, RuleView, SuggestionView, TrialView, WhyView};

use super::*;
use crate::rules::{Book, Kept, Unchanged, kept};

pub(super) fn views(book: Book) -> Vec<RuleView> {
    let view = |Kept { id, words, cedar, origin, added_ms }| RuleView { id, words, cedar, origin, added_ms };
    book.rules.into_iter().map(view).collect()
}

/// Does slow work with the store aside.
async fn run_blocking<T: Send + 'static>(
    home: &Arc<Home>,
    work: impl FnOnce(&Home) -> Result<T, Unchanged> + Send + 'static,
) -> Result<T, Failure> {
    let home = Arc::clone(home);
    let done = tokio::task::spawn_blocking(move || work(&home)).await;
    done.map_err(|error| failure(Code::Internal, error.to_string()))?.map_err(told)
}

fn told(unchanged: Unchanged) -> Failure {
    match unchanged {
        Unchanged::Bad(why) => failure(Code::Invalid, visible(&why)),
        Unchanged::Home(error) => error.into(),
    }
}

pub(super) async fn rules(AppState(home): Shared) -> Answer<Vec<RuleView>> {
    reading(&home, |home| Ok(views(kept(&home.ledger)?))).await.map(Json)
}

pub(super) async fn change_rules(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<RuleBody>,
) -> Answer<Vec<RuleView>> {
    let leave = authorise(&home, purposes::change_rules(&body.change), &body.proof, caller).await?;
    let changed = run_blocking(&home, move |home| home.change_rules(&body.change, &leave)).await?;
    home.changed();
    Ok(Json(views(changed)))
}

pub(super) async fn lockdown(AppState(home): Shared) -> Answer<Vec<RuleView>> {
    let left = run_blocking(&home, Home::lock_down).await?;
    home.changed();
    Ok(Json(views(left)))
}

pub(super) async fn try_rules(AppState(home): Shared, JsonBody(change): JsonBody<RuleChange>) -> Answer<TrialView> {
    run_blocking(&home, move |home| home.try_rules(&change)).await.map(Json)
}

pub(super) async fn suggestions(AppState(home): Shared) -> Answer<Vec<SuggestionView>> {
    run_blocking(&home, Home::suggestion_views).await.map(Json)
}

pub(super) async fn dismiss_suggestion(AppState(home): Shared, Path(id): Path<String>) -> Answer<()> {
    run_blocking(&home, move |home| home.dismiss_suggestion(&id)).await.map(Json)
}

pub(super) async fn rule_history(AppState(home): Shared) -> Answer<Vec<RuleEventView>> {
    reading(&home, |home| Ok(home.rule_history()?)).await.map(Json)
}

pub(super) async fn why(AppState(home): Shared, Path(id): Path<String>) -> Answer<WhyView> {
    let id: ActionId = parse("action", &id)?;
    reading(&home, move |home| Ok(home.why(&id)?)).await.map(Json)
}
