//! Which models there are: those of the configured providers, and of servers on this machine.

use std::time::Duration;

use bailey_model::LOCAL_SERVERS;
use bailey_vault::ModelAccess;
use serde_json::Value;

use bailey_interface::{MonthView, ProviderView};
use bailey_vault::Training;

use super::*;
use crate::spending::Month;

/// How long a server may take to list its models.
const LISTED_WITHIN: Duration = Duration::from_secs(10);
/// The same for one of this machine, which may be anything that listens there.
const LISTED_HERE_WITHIN: Duration = Duration::from_secs(2);
/// Most models shown of one place, and characters of a name.
const MAX_MODELS: usize = 500;
const MAX_NAME_CHARS: usize = 200;

pub(super) async fn models(AppState(home): Shared) -> Answer<ModelsView> {
    look(&home, true).await.map(Json)
}

pub(super) async fn found(AppState(home): Shared) -> Answer<Vec<OfferView>> {
    let looking = Arc::clone(&home);
    spawn_detached(&home, async move { local(&looking).await }).await.map(Json)
}

/// Returns what the servers of this machine offer that answer.
async fn local(home: &Home) -> Vec<OfferView> {
    let here = LOCAL_SERVERS.iter().map(|server| {
        let base = format!("http://127.0.0.1:{}/v1", server.port);
        offer(home, server.name, base, LISTED_HERE_WITHIN)
    });
    let mut local = futures_util::future::join_all(here).await;
    local.retain(|offer| offer.trouble.is_none());
    local
}

/// Says what may be done with what is sent to an address.
fn data(home: &Home, base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let settings = home.vault.model_settings(base).ok().flatten();
    let Some(model) = settings else {
        return match home.vault.model_training(base) {
            Ok(Some(_)) => {
                "It runs on this machine. What it passes on to others, if it is set up to, is its own matter.".into()
            }
            Ok(None) | Err(_) => "You have not agreed to it, so nothing is sent there.".into(),
        };
    };
    let trains = match model.training {
        Training::No => "It says that it trains no models on what it is sent.",
        Training::Yes => "It trains models on what it is sent.",
        Training::Unknown => "Whether it trains models on what it is sent is not known.",
    };
    let kept = match model.retention.as_str() {
        "" => "How long it keeps what it is sent is not known.".to_owned(),
        long => format!("It keeps what it is sent: {}.", visible(long)),
    };
    let terms = if model.terms.is_empty() { String::new() } else { format!(" Its terms: {}", visible(&model.terms)) };
    format!("{trains} {kept}{terms}")
}

/// Most months that are shown.
const MONTHS: usize = 12;

/// Looks at models, and asks the providers of those that are chosen which they offer, if that is wanted.
pub(super) async fn look(home: &Arc<Home>, ask_providers: bool) -> Result<ModelsView, Failure> {
    let read = |home: &Home| {
        let mut months = home.months()?;
        months.truncate(MONTHS);
        let rows = home.ledger.connections()?.into_iter().filter(|row| row.grant.active && row.kind == "model");
        let provider = |row: bailey_ledger::ConnectionRow| ProviderView {
            connection: row.id.to_string(),
            data: data(home, &row.account),
            base_url: visible(&row.account),
        };
        Ok((home.month()?, months, rows.map(provider).collect::<Vec<_>>()))
    };
    let ((month, spent), months, providers) = reading(home, read).await?;
    let looking = Arc::clone(home);
    let (configured, local) = spawn_detached(home, async move {
        let (mut configured, in_force) = (Vec::new(), looking.in_force());
        for (what, of) in [("model", &in_force.model), ("fallback", &in_force.fallback)] {
            if let Some((_, config)) = of {
                let base = config.base_url.clone();
                let mut offer = if ask_providers {
                    offer(&looking, what, base, LISTED_WITHIN).await
                } else {
                    unasked(&looking, what, base)
                };
                offer.configured = visible(&config.name);
                configured.push(offer);
            }
        }
        (configured, local(&looking).await)
    })
    .await?;
    let month_limit = home.model().as_ref().and_then(|(_, config)| config.month_limit);
    let month_cost = crate::spending::amount(spent.micros);
    let (month_answers, months) = (spent.answers, months.iter().map(month_view).collect());
    Ok(ModelsView { configured, local, month, month_cost, month_answers, month_limit, months, providers })
}

fn month_view((month, spent): &(String, Month)) -> MonthView {
    MonthView {
        month: month.clone(),
        cost: crate::spending::amount(spent.micros),
        answers: spent.answers,
        tokens: spent.usage.input.saturating_add(spent.usage.output),
    }
}

/// Returns a place that was not asked what it offers.
fn unasked(home: &Home, what: &str, base_url: String) -> OfferView {
    let data = data(home, &base_url);
    OfferView { what: what.into(), base_url, configured: String::new(), models: Vec::new(), trouble: None, data }
}

/// Returns what a place offers, or why it does not say.
async fn offer(home: &Home, what: &str, base_url: String, within: Duration) -> OfferView {
    let listed = tokio::time::timeout(within, home.vault.list_models(&base_url)).await;
    let (models, trouble) = match listed {
        Err(_) => (Vec::new(), Some(format!("it did not answer within {} s", within.as_secs()))),
        Ok(Err(ModelAccess::NotAgreed(_))) => (
            Vec::new(),
            Some("it is another's machine, and you have not agreed to its terms; run `bailey connect model`".into()),
        ),
        Ok(Err(error)) => (Vec::new(), Some(visible(&error.to_string()))),
        Ok(Ok((200, body))) => match names(&body) {
            Some(names) => (names, None),
            None => (Vec::new(), Some("its answer is no list of models".into())),
        },
        Ok(Ok((status, _))) => (Vec::new(), Some(format!("it answered with status {status}"))),
    };
    OfferView { models, trouble, ..unasked(home, what, base_url) }
}

/// Returns the names in a list of models: `data` with `id` (OpenAI, Anthropic), `models` with `name` or `model` (Ollama,
/// Gemini).
fn names(body: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let list =
        value.as_array().or_else(|| value.get("data")?.as_array()).or_else(|| value.get("models")?.as_array())?;
    let name = |one: &Value| {
        let name =
            one.as_str().or_else(|| ["id", "name", "model"].into_iter().find_map(|key| one.get(key)?.as_str()))?;
        Some(visible(&name.chars().take(MAX_NAME_CHARS).collect::<String>()))
    };
    Some(list.iter().filter_map(name).take(MAX_MODELS).collect())
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn lists_of_models_are_read_in_every_shape() {
        for (body, wanted) in [
            (r#"{"object":"list","data":[{"id":"a"},{"id":"b"}]}"#, Some(vec!["a", "b"])),
            (r#"{"models":[{"name":"a"},{"model":"b"}]}"#, Some(vec!["a", "b"])),
            (r#"["a"]"#, Some(vec!["a"])),
            (r#"{"data":[]}"#, Some(vec![])),
            (r#"{"error":"x"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(
                names(body.as_bytes()),
                wanted.map(|all| all.into_iter().map(str::to_owned).collect()),
                "{body}"
            );
        }
    }
}
