//! The person's rules.

use super::*;
use crate::rules::{Kept, Unchanged, kept};
use crate::wire::{RuleBody, RuleCard, rule_parameters};

fn cards(rules: Vec<Kept>) -> Vec<RuleCard> {
    let card = |Kept { id, words, cedar, origin, added_ms }| RuleCard { id, words, cedar, origin, added_ms };
    rules.into_iter().map(card).collect()
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
    Ok(Json(cards(kept(&home.ledger)?)))
}

/// Adds and drops rules, takes another profile, names the organisation: whatever of it is given, all or nothing.
#[utoipa::path(
    post,
    path = "/v1/rules",
    request_body = RuleBody,
    responses((status = 200, body = Vec<RuleCard>), (status = "default", body = Failure))
)]
pub(super) async fn change_rules(Held(home): Shared, Taken(body): Taken<RuleBody>) -> Answer<Vec<RuleCard>> {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &rule_parameters(&body.change));
    let bytes = hash.as_ref().try_into().map_err(|_| failure(Code::Internal, "no hash"))?;
    let purpose = Purpose::Home { what: "change rules", parameters: Digest::from_bytes(bytes) };
    home.gate.authorise(&purpose, &proof(&body.proof)?, home.clock.now())?;
    let changing = Arc::clone(&home);
    let changed = tokio::task::spawn_blocking(move || changing.change_rules(&body.change)).await;
    let changed = changed.map_err(|error| failure(Code::Internal, error.to_string()))?.map_err(told)?;
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
    let narrowing = Arc::clone(&home);
    let left = tokio::task::spawn_blocking(move || narrowing.be_careful()).await;
    let left = left.map_err(|error| failure(Code::Internal, error.to_string()))?.map_err(told)?;
    home.changed();
    Ok(Json(cards(left)))
}
