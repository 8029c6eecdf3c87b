//! Search in actions, tasks and model requests; and who received what.

use bailey_interface::{FoundRequestsView, FoundTasksView, FoundView, HeldView, ReceivedView};
use bailey_ledger::{Found, HeldSpan, Wanted};

use super::*;
use crate::search::label_name;

/// Characters of a piece that are shown around what was looked for.
const EXCERPT_CHARS: usize = 240;
/// Those of them before it.
const BEFORE_CHARS: usize = 60;

/// What is searched for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub(crate) struct Search {
    /// Words that all have to be there; those in quotation marks one behind the other. The last one may go on.
    #[serde(default)]
    pub(crate) q: String,
    /// Only a kind of action.
    #[serde(default)]
    pub(crate) kind: String,
    /// Only where it stands.
    #[serde(default)]
    pub(crate) state: String,
    /// Only of an account.
    #[serde(default)]
    pub(crate) account: String,
    /// Only what the person answered from: `dashboard`, `cli`, `program`; `rules` for what nobody was asked about.
    #[serde(default)]
    pub(crate) by: String,
    /// Only since a day, such as `2026-11-30`.
    #[serde(default)]
    pub(crate) from: String,
    /// Only until a day, with it.
    #[serde(default)]
    pub(crate) to: String,
    /// Only before this place, as an answer gave it.
    #[serde(default)]
    pub(crate) before: Option<u64>,
    /// How many at most.
    #[serde(default)]
    pub(crate) limit: Option<u32>,
}

/// Which pieces of model requests are searched for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub(crate) struct SearchRequests {
    /// Words that all have to be there; those in quotation marks one behind the other. The last one may go on.
    #[serde(default)]
    pub(crate) q: String,
    /// Only what was written by: `bailey`, `person`, `model`, `others`.
    #[serde(default)]
    pub(crate) label: String,
    /// Only before this place, as an answer gave it.
    #[serde(default)]
    pub(crate) before: Option<u64>,
    /// How many at most.
    #[serde(default)]
    pub(crate) limit: Option<u32>,
}

impl Search {
    fn wanted(&self, zone: &jiff::tz::TimeZone) -> Result<Wanted, Failure> {
        if !self.kind.is_empty() && bailey_gate::family::ActionKind::from_name(&self.kind).is_none() {
            return Err(failure(Code::Invalid, format!("`{}` is no kind of action", visible(&self.kind))));
        }
        if !self.state.is_empty() && State::from_name(&self.state).is_none() {
            return Err(failure(Code::Invalid, format!("`{}` is no state of an action", visible(&self.state))));
        }
        if !matches!(self.by.as_str(), "" | "dashboard" | "cli" | "program" | "rules") {
            return Err(failure(Code::Invalid, "`by` is dashboard, cli, program or rules"));
        }
        Ok(Wanted {
            words: self.q.clone(),
            kind: self.kind.clone(),
            state: self.state.clone(),
            account: self.account.clone(),
            by: self.by.clone(),
            from_ms: day(&self.from, 0, zone)?,
            to_ms: day(&self.to, 1, zone)?,
            before: self.before,
            limit: Part { skip: 0, limit: self.limit }.limit(),
        })
    }
}

/// Returns when a day begins, or the one that many days behind it; nothing where none is said.
fn day(text: &str, behind: i64, zone: &jiff::tz::TimeZone) -> Result<Option<i64>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let bad = || failure(Code::Invalid, format!("`{}` is no day; write it like 2026-11-30", visible(text)));
    let date: jiff::civil::Date = text.parse().map_err(|_| bad())?;
    let date = date.checked_add(jiff::Span::new().days(behind)).map_err(|_| bad())?;
    let begins = date.to_zoned(zone.clone()).map_err(|_| bad())?;
    Ok(Some(begins.timestamp().as_millisecond()))
}

pub(super) async fn search(AppState(home): Shared, Query(search): Query<Search>) -> Answer<FoundView> {
    let wanted = search.wanted(&home.clock.zone())?;
    let (indexed, entries) = home.caught_up().await?;
    let read = move |home: &Home| {
        let Found { found, before } = home.search_index()?.actions(&wanted)?;
        let records = found.iter().map(|id| home.ledger.action(id)).collect::<Result<Vec<_>, _>>()?;
        // What moved on meanwhile stands elsewhere now.
        let stands = |record: &ActionRecord| wanted.state.is_empty() || record.row.state.name() == wanted.state;
        let records: Vec<_> = records.into_iter().flatten().filter(stands).collect();
        Ok(FoundView { actions: actions::views(home, &records)?, before, indexed, entries })
    };
    reading(&home, read).await.map(Json)
}

pub(super) async fn tasks(AppState(home): Shared, Query(search): Query<Search>) -> Answer<FoundTasksView> {
    let wanted = Wanted {
        words: search.q,
        before: search.before,
        limit: Part { skip: 0, limit: search.limit }.limit(),
        ..Wanted::default()
    };
    let (indexed, entries) = home.caught_up().await?;
    let read = move |home: &Home| {
        let Found { found, before } = home.search_index()?.tasks(&wanted)?;
        let rows = found.iter().map(|id| home.ledger.task_row(id)).collect::<Result<Vec<_>, _>>()?;
        let tasks = rows.into_iter().flatten().map(|row| super::tasks::listed(home, row));
        Ok(FoundTasksView { tasks: tasks.collect::<Result<_, _>>()?, before, indexed, entries })
    };
    reading(&home, read).await.map(Json)
}

pub(super) async fn requests(
    AppState(home): Shared,
    Query(search): Query<SearchRequests>,
) -> Answer<FoundRequestsView> {
    if search.q.trim().is_empty() {
        return Err(failure(Code::Invalid, "say what is looked for: `q`"));
    }
    let wanted = Wanted {
        words: search.q.clone(),
        before: search.before,
        limit: Part { skip: 0, limit: search.limit }.limit(),
        ..Wanted::default()
    };
    let (indexed, entries) = home.caught_up().await?;
    let read = move |home: &Home| {
        let Found { found, before } = home.search_index()?.spans(&search.label, &wanted)?;
        let pieces = found.into_iter().map(|span| held(home, span, &search.q)).collect::<Result<Vec<_>, Failure>>()?;
        Ok(FoundRequestsView { pieces: pieces.into_iter().flatten().collect(), before, indexed, entries })
    };
    reading(&home, read).await.map(Json)
}

fn held(home: &Home, found: HeldSpan, search: &str) -> Result<Option<HeldView>, Failure> {
    let Some(span) = home.span(&found.task, found.n)? else { return Ok(None) };
    let words = home.ledger.task_words(&found.task)?.unwrap_or_default();
    let shown = bailey_gate::family::escape::visible_lines;
    Ok(Some(HeldView {
        task: found.task.to_string(),
        words: shown(&words),
        label: label_name(span.label).into(),
        source: visible(&span.source),
        excerpt: shown(&excerpt(&span.text, search)),
        held: found.held.into_iter().map(|(first, last)| [first, last]).collect(),
    }))
}

/// Returns the part of a text around the first of the words.
fn excerpt(text: &str, search: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let small: String = letters.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let words = search.split(|c: char| c.is_whitespace() || c == '"').filter(|word| !word.is_empty());
    let at = words.filter_map(|word| small.find(&word.to_lowercase())).min().unwrap_or_default();
    let at = small.get(..at).map_or(0, |before| before.chars().count());
    let start = at.saturating_sub(BEFORE_CHARS);
    let part: String = letters.iter().skip(start).take(EXCERPT_CHARS).collect();
    let (before, behind) = (start > 0, start + EXCERPT_CHARS < letters.len());
    format!("{}{}{}", if before { "…" } else { "" }, part.trim(), if behind { "…" } else { "" })
}

pub(super) async fn received(AppState(home): Shared) -> Answer<Vec<ReceivedView>> {
    reading(&home, |home| Ok(home.received()?)).await.map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_around_what_was_looked_for() {
        let text = format!("{} the Canary sings {}", "a".repeat(300), "b".repeat(300));
        let part = excerpt(&text, "\"canary sings\"");
        assert!(part.contains("the Canary sings") && part.starts_with('…') && part.ends_with('…'), "{part}");
        assert_eq!(excerpt("short", "nothing"), "short");
        assert_eq!(excerpt("ÄÖÜ ß ana", "ANA"), "ÄÖÜ ß ana");
    }

    #[test]
    fn a_day_is_read_in_the_zone_of_the_person() {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(day("1970-01-01", 0, &zone).unwrap(), Some(-7_200_000));
        assert_eq!(day("1970-01-01", 1, &zone).unwrap(), Some(79_200_000));
        assert_eq!(day("", 0, &zone).unwrap(), None);
        assert!(day("yesterday", 0, &zone).is_err());
    }
}
