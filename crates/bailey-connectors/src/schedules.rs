//! Schedules: a model may propose one. The person makes it, by approving what they are shown whole.

use bailey_gate::family::Action;
use bailey_gate::family::schedule::{self, Given, MAX_NAME_CHARS, Proposed, ScheduleAction};
use bailey_gate::family::text::Line;
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_schedule::{Form, Late, MONTH_TOKENS, Overlap, RUN_TOKENS, SHOWN_TIMES, told, upcoming};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use jiff::Timestamp;
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::PrepareContext;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};

/// The person's schedules.
pub(crate) struct Schedules;

impl Service for Schedules {
    type Action = ScheduleAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        vec![ToolDefinition {
            name: "schedule_propose",
            kind: schedule::PROPOSE,
            description: "Propose a schedule, which begins a task with these words each time it is due. The person is asked, \
                          and makes it or not. Use it only where they ask for something to happen later or again and again.",
            parameters: schema(
                &[
                    ("name", "a short name"),
                    (
                        "when",
                        "when it is due, like `every weekday at 7.00`, `every second Tuesday at 9.00`, `in 20 minutes`",
                    ),
                    ("words", "what is to be done each time, as a task for you: complete, with names and addresses"),
                ],
                &["name", "when", "words"],
            ),
            manifest: json!({ "effect": "write", "content": ["words"], "args": ["name", "when"], "critical": true }),
        }]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        if tool != "schedule_propose" {
            return Err(BadCall::UnknownTool(tool.into()));
        }
        let now = Timestamp::from_second(cx.seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(cx.zone.clone());
        let nameless = || BadCall::Lookup("the person's time zone has no name; they set one on Settings".into());
        let zone = bailey_schedule::zone_name(&cx.zone).ok_or_else(nameless)?;
        let said = arguments.text("when")?;
        let bad = |why: String| BadCall::Bad { name: "when", why };
        let when = bailey_schedule::read(&said, &now).map_err(bad)?;
        let line = |name: &'static str, text: String| {
            Line::new(text.trim()).map_err(|error| BadCall::Bad { name, why: error.to_string() })
        };
        let times = upcoming(&when.form, now.timestamp(), &cx.zone, SHOWN_TIMES);
        let times = times.iter().map(|time| line("when", told(time))).collect::<Result<_, _>>()?;
        let given = |account: &crate::context::Account| {
            Ok(Given {
                connection: account.connection.0,
                level: account.level,
                name: line("name", account.name().to_owned())?,
            })
        };
        let accounts = cx.accounts.iter().filter(|account| account.settings.kind() != "model");
        let proposed = Proposed {
            name: line("name", arguments.text("name")?)?,
            said: line("when", said)?,
            told: line("when", when.told)?,
            form: line("when", when.form.to_string())?,
            zone: line("when", zone)?,
            words: arguments.text("words")?,
            times,
            accounts: accounts.map(given).collect::<Result<_, BadCall>>()?,
            run_tokens: RUN_TOKENS,
            month_tokens: MONTH_TOKENS,
        };
        let action = Action::Schedule(ScheduleAction::Propose(Box::new(proposed)));
        action.check().map_err(|error| {
            BadCall::Lookup(format!("{error}; a name has at most {MAX_NAME_CHARS} characters and no quotation marks"))
        })?;
        Ok((None, action))
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<ScheduleAction>) -> Outcome {
        let ScheduleAction::Propose(proposed) = claimed.action();
        let form = Form::parse(proposed.form.as_str());
        let zone = jiff::tz::TimeZone::get(proposed.zone.as_str()).ok();
        let next = form.zip(zone).and_then(|(form, zone)| form.next(vault.now().timestamp(), &zone));
        if next.is_none() {
            return Outcome::new(Effect::NotExecuted, "its time was over when it was approved");
        }
        vault.make_schedule(claimed, Late::default().name(), Overlap::default().name()).await
    }

    async fn reconcile(
        &self,
        vault: &Vault,
        id: ActionId,
        _: Option<(ConnectionId, u64)>,
        _: &ScheduleAction,
    ) -> Lookup {
        match vault.has_schedule_of(&id) {
            Ok(true) => Some((Found::Yes, "the schedule is there")),
            Ok(false) => Some((Found::No, "there is no such schedule")),
            Err(_) => None,
        }
    }

    async fn undo(&self, _: &Vault, _: Done<'_, ScheduleAction>) -> Result<Made, BadCall> {
        Err(no_undo(schedule::PROPOSE))
    }

    fn has_undo(&self, _: &ScheduleAction) -> bool {
        false
    }

    async fn discover(&self, _: &Vault, _: &Access, _: &Settings) -> Result<Discovered, VaultError> {
        Ok(Discovered::default())
    }

    async fn look_again(
        &self,
        _: &Vault,
        _: &Access,
        _: &Settings,
        _: &[u8],
    ) -> Result<Option<Discovered>, VaultError> {
        Ok(None)
    }
}
