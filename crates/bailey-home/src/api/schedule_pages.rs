//! The pages of schedules, and what their forms post.

use std::collections::BTreeMap;

use axum::extract::Form;
use bailey_dashboard as html;
use bailey_dashboard::Section;
use bailey_interface::{MissedBody, ScheduleAccount, ScheduleDraft, SchedulePreview, ScheduleView};

use super::pages::{Around, Page, shown, to};
use super::*;

/// An account that a schedule may be given: its connection, its name, its level.
type Own = (String, String, String);

/// Returns the accounts a schedule may be given, and what was written where something was, or a schedule as it is.
async fn accounts_of(home: &Arc<Home>) -> Result<Vec<Own>, Failure> {
    let read = |home: &Home| {
        let usable = home.accounts()?.into_iter().filter(|account| account.settings.kind() != "model");
        let own = |account: bailey_connectors::Account| {
            let name = format!("{} ({})", visible(account.name()), account.settings.kind());
            (account.connection.0.to_string(), name, account.level.name().to_owned())
        };
        Ok(usable.map(own).collect())
    };
    reading(home, read).await
}

async fn all_with(home: Arc<Home>, draft: &ScheduleDraft, preview: Option<Result<&SchedulePreview, &str>>) -> Page {
    let around = Around::of(&home).await?;
    let Json(all) = schedules::schedules(AppState(Arc::clone(&home))).await?;
    let Json(attention) = schedules::attention(AppState(Arc::clone(&home))).await?;
    let Json(digest) = schedules::digest(AppState(Arc::clone(&home))).await?;
    let own = accounts_of(&home).await?;
    let accounts = own_accounts(&own);
    let form = html::ScheduleForm { draft, shown: preview, accounts: &accounts };
    Ok(shown(html::schedules(&around.frame(Section::Autonomy), &all, &attention, &digest, &form)))
}

fn own_accounts(own: &[Own]) -> Vec<html::OwnAccount<'_>> {
    own.iter().map(|(connection, name, level)| html::OwnAccount { connection, name, level }).collect()
}

pub(super) async fn all(AppState(home): Shared) -> Page {
    all_with(home, &ScheduleDraft::default(), None).await
}

async fn one_with(
    home: Arc<Home>,
    caller: Caller,
    id: String,
    written: Option<(&ScheduleDraft, Result<&SchedulePreview, &str>)>,
) -> Page {
    let around = Around::of(&home).await?;
    let Json(view) = schedules::schedule(AppState(Arc::clone(&home)), caller, Path(id)).await?;
    let as_it_is = draft_of(&view);
    let own = accounts_of(&home).await?;
    let accounts = own_accounts(&own);
    let (draft, preview) = written.map_or((&as_it_is, None), |(draft, preview)| (draft, Some(preview)));
    let form = html::ScheduleForm { draft, shown: preview, accounts: &accounts };
    Ok(shown(html::schedule(&around.frame(Section::Autonomy), &view, &form)))
}

fn draft_of(view: &ScheduleView) -> ScheduleDraft {
    ScheduleDraft {
        id: Some(view.id.clone()),
        name: view.name.clone(),
        when: view.when.clone(),
        words: view.words.clone(),
        zone: Some(view.zone.clone()),
        late: Some(view.late.clone()),
        overlap: Some(view.overlap.clone()),
        accounts: Some(view.accounts.clone()),
        run_tokens: Some(view.run_tokens),
        month_tokens: Some(view.month_tokens),
        until: None,
    }
}

pub(super) async fn one(AppState(home): Shared, caller: Caller, Path(id): Path<String>) -> Page {
    one_with(home, caller, id, None).await
}

/// Shows what was written as the schedule it would be, or what is wrong with it.
pub(super) async fn preview(
    AppState(home): Shared,
    caller: Caller,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Page {
    let text = |name: &str| fields.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let number = |name: &str| text(name).and_then(|text| text.parse().ok());
    let used = fields.iter().filter_map(|(name, level)| {
        let connection = name.strip_prefix("use-").filter(|_| !level.is_empty())?;
        Some(ScheduleAccount { connection: connection.into(), level: level.clone() })
    });
    let draft = ScheduleDraft {
        id: text("id"),
        name: text("name").unwrap_or_default(),
        when: text("when").unwrap_or_default(),
        words: text("words").unwrap_or_default().replace("\r\n", "\n"),
        zone: text("zone"),
        late: text("late"),
        overlap: text("overlap"),
        accounts: Some(used.collect()),
        run_tokens: number("run_tokens"),
        month_tokens: number("month_tokens"),
        until: text("until"),
    };
    let looked = schedules::preview_schedule(AppState(Arc::clone(&home)), JsonBody(draft.clone())).await;
    let looked = match &looked {
        Ok(Json(preview)) => Ok(preview),
        Err(wrong) if wrong.0.code == Code::Invalid => Err(wrong.0.message.as_str()),
        Err(Failure(wrong)) => return Err(Failure(wrong.clone())),
    };
    match draft.id.clone() {
        Some(id) => one_with(home, caller, id, Some((&draft, looked))).await,
        None => all_with(home, &draft, Some(looked)).await,
    }
}

pub(super) async fn run(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let Json(task) = schedules::run_schedule(AppState(home), Path(id)).await?;
    Ok(to(&format!("/talk/{}", task.summary.id)))
}

pub(super) async fn stop(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let Json(one) = schedules::stop_schedule(AppState(home), Path(id)).await?;
    Ok(to(&format!("/schedules/{}", one.id)))
}

pub(super) async fn delete(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let Json(()) = schedules::delete_schedule(AppState(home), Path(id)).await?;
    Ok(to("/schedules"))
}

/// Times that passed, a space between two, and what becomes of them.
#[derive(Deserialize)]
pub(super) struct MissedForm {
    times: String,
    what: String,
}

pub(super) async fn missed(AppState(home): Shared, Form(form): Form<MissedForm>) -> Page {
    let times = form.times.split_whitespace().map(str::to_owned).collect();
    let body = match form.what.as_str() {
        "run" => MissedBody { run: times, ..MissedBody::default() },
        _ => MissedBody { forget: times, ..MissedBody::default() },
    };
    let Json(_) = schedules::missed(AppState(home), JsonBody(body)).await?;
    Ok(to("/schedules"))
}
