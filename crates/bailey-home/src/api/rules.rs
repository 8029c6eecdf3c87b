//! The person's rules.

use super::*;
use crate::rules::{Book, Kept, Unchanged, kept};
use crate::wire::{OfferCard, RuleBody, RuleCard, RuleChange, RuleEventCard, TrialCard, WhyCard};

fn cards(book: Book) -> Vec<RuleCard> {
    let card = |Kept { id, words, cedar, origin, added_ms }| RuleCard { id, words, cedar, origin, added_ms };
    book.rules.into_iter().map(card).collect()
}

/// Does slow work with the store aside.
async fn aside<T: Send + 'static>(
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

/// The rules in force beside the shipped ones.
#[utoipa::path(
    get,
    path = "/v1/rules",
    responses((status = 200, body = Vec<RuleCard>), (status = "default", body = Failure))
)]
pub(super) async fn rules(Held(home): Shared) -> Answer<Vec<RuleCard>> {
    reading(&home, |home| Ok(cards(kept(&home.ledger)?))).await.map(Json)
}

/// Adds and drops rules, takes another profile, names the organisation: whatever of it is given, all or nothing.
#[utoipa::path(
    post,
    path = "/v1/rules",
    request_body = RuleBody,
    responses((status = 200, body = Vec<RuleCard>), (status = "default", body = Failure))
)]
pub(super) async fn change_rules(
    Held(home): Shared,
    caller: Caller,
    Taken(body): Taken<RuleBody>,
) -> Answer<Vec<RuleCard>> {
    authorise(&home, purposes::change_rules(&body.change), &body.proof, caller).await?;
    let changed = aside(&home, move |home| home.change_rules(&body.change)).await?;
    home.changed();
    Ok(Json(cards(changed)))
}

/// Drops every rule that lets something go by itself. Needs no proof.
#[utoipa::path(
    post,
    path = "/v1/rules/careful",
    responses((status = 200, body = Vec<RuleCard>), (status = "default", body = Failure))
)]
pub(super) async fn be_careful(Held(home): Shared) -> Answer<Vec<RuleCard>> {
    let left = aside(&home, Home::be_careful).await?;
    home.changed();
    Ok(Json(cards(left)))
}

/// What a change of the rules would have done to the last two hundred actions. Changes nothing, and needs no proof.
#[utoipa::path(
    post,
    path = "/v1/rules/try",
    request_body = RuleChange,
    responses((status = 200, body = TrialCard), (status = "default", body = Failure))
)]
pub(super) async fn try_rules(Held(home): Shared, Taken(change): Taken<RuleChange>) -> Answer<TrialCard> {
    aside(&home, move |home| home.try_rules(&change)).await.map(Json)
}

/// The rules the home offers, because their like was approved again and again.
#[utoipa::path(
    get,
    path = "/v1/rules/offers",
    responses((status = 200, body = Vec<OfferCard>), (status = "default", body = Failure))
)]
pub(super) async fn offers(Held(home): Shared) -> Answer<Vec<OfferCard>> {
    aside(&home, Home::offer_cards).await.map(Json)
}

/// Does not make an offer again for a while. Needs no proof.
#[utoipa::path(
    post,
    path = "/v1/rules/offers/{id}/dismiss",
    params(("id" = String, Path)),
    responses((status = 200), (status = "default", body = Failure))
)]
pub(super) async fn dismiss_offer(Held(home): Shared, Path(id): Path<String>) -> Answer<()> {
    aside(&home, move |home| home.dismiss_offer(&id)).await.map(Json)
}

/// Every change of the rules, newest first.
#[utoipa::path(
    get,
    path = "/v1/rules/history",
    responses((status = 200, body = Vec<RuleEventCard>), (status = "default", body = Failure))
)]
pub(super) async fn rule_history(Held(home): Shared) -> Answer<Vec<RuleEventCard>> {
    reading(&home, |home| Ok(home.rule_history()?)).await.map(Json)
}

/// Why an action was decided as it was.
#[utoipa::path(
    get,
    path = "/v1/actions/{id}/why",
    params(("id" = String, Path)),
    responses((status = 200, body = WhyCard), (status = "default", body = Failure))
)]
pub(super) async fn why(Held(home): Shared, Path(id): Path<String>) -> Answer<WhyCard> {
    let id: ActionId = parse("action", &id)?;
    reading(&home, move |home| Ok(home.why(&id)?)).await.map(Json)
}
