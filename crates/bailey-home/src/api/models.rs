//! Which models there are: those of the configured providers, and of servers on this machine.

use std::time::Duration;

use bailey_model::LOCAL_SERVERS;
use bailey_vault::ModelAccess;
use serde_json::Value;

use super::*;

/// How long a server may take to list its models.
const LISTED_WITHIN: Duration = Duration::from_secs(10);
/// The same for one of this machine, which may be anything that listens there.
const LISTED_HERE_WITHIN: Duration = Duration::from_secs(2);
/// Most models shown of one place, and characters of a name.
const MAX_MODELS: usize = 500;
const MAX_NAME_CHARS: usize = 200;

pub(super) async fn models(AppState(home): Shared) -> Answer<ModelsView> {
    let (month, spent) = reading(&home, |home| Ok(home.month()?)).await?;
    let looking = Arc::clone(&home);
    let (configured, local) = spawn_detached(&home, async move {
        let (mut configured, in_force) = (Vec::new(), looking.in_force());
        for (what, of) in [("model", &in_force.model), ("fallback", &in_force.fallback)] {
            if let Some((_, config)) = of {
                let mut offer = offer(&looking, what, config.base_url.clone(), LISTED_WITHIN).await;
                offer.configured = visible(&config.name);
                configured.push(offer);
            }
        }
        let here = LOCAL_SERVERS.iter().map(|server| {
            let base = format!("http://127.0.0.1:{}/v1", server.port);
            offer(&looking, server.name, base, LISTED_HERE_WITHIN)
        });
        let mut local = futures_util::future::join_all(here).await;
        local.retain(|offer| offer.trouble.is_none());
        (configured, local)
    })
    .await?;
    let month_limit = home.model().as_ref().and_then(|(_, config)| config.month_limit);
    let month_cost = crate::spending::amount(spent.micros);
    Ok(Json(ModelsView { configured, local, month, month_cost, month_answers: spent.answers, month_limit }))
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
    OfferView { what: what.into(), base_url, configured: String::new(), models, trouble }
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
