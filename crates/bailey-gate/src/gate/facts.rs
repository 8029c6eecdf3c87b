//! Computes what is true about an action, from the gate's own store; the model has no say in it.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Gate, GateError};
use crate::content::Content;
use crate::event::Origin;
use crate::family::tool::Amount;
use crate::family::{ActionKind, Level, Party, Traits};
use crate::ground::{self, Words};
use crate::ids::{ActionId, ConnectionId, TaskId};
use crate::intent::{Reaches, TaskIntent, asking};
use crate::ledger::{Claims, Scope, Since, StoreError, TaskTaint, View};
use crate::place::Place;
use crate::policy::Facts;
use crate::time::Now;

impl Gate {
    /// Works out what is true about an action, from the store, the action's own values and the person's words.
    pub(super) fn facts(
        &self,
        view: &mut dyn View,
        content: &Content,
        task: Option<TaskId>,
        is_undo: bool,
        now: Now,
    ) -> Result<Facts, GateError> {
        let (grant, account) = match &content.account {
            Some((connection, _)) => (view.grant(connection)?, view.account(connection)?),
            None => (None, String::new()),
        };
        let action = &content.action;
        let kind = action.kind();
        let (mut others_stand, mut least, mut beside_schedule) = (true, None, false);
        let mut narrow = |view: &mut dyn View, connection: &ConnectionId, least: &mut Option<Level>| {
            match task.map_or(Ok(Scope::Whole), |task| view.scope(&task, connection))? {
                Scope::Whole => {}
                Scope::UpTo(level) => *least = Some(least.map_or(level, |least| least.min(level))),
                Scope::Beside => beside_schedule = true,
            }
            Ok::<(), StoreError>(())
        };
        if let Some((connection, _)) = &content.account {
            narrow(view, connection, &mut least)?;
        }
        for (connection, generation) in action.also() {
            narrow(view, connection, &mut least)?;
            let grant = view.grant(connection)?;
            others_stand &= grant.is_some_and(|grant| grant.active && grant.generation == *generation);
            least = grant.map(|grant| least.map_or(grant.level, |least: Level| least.min(grant.level))).or(least);
        }
        let words = task.map(|task| view.task_words(&task)).transpose()?.flatten().unwrap_or_default();
        let origin = task.map(|task| view.origin(&task)).transpose()?.flatten().map_or("", Origin::name).to_owned();
        let schedule = task.map_or(Ok(String::new()), |task| view.schedule(&task))?;
        // What a "not" takes back grounds nobody.
        let reading = self.readings.of(&words);
        let (said, asked) = (&reading.said, reading.asked);
        let unnamed = |value: &String| !said.name_target(value);
        let foreign = |link: &String| !said.hold(link);
        let traits = action.traits();
        let sum = match traits.amount {
            Amount::Hundredths(sum) => sum,
            Amount::None => 0,
            // What spends and does not say how much may spend anything.
            Amount::Unsaid | Amount::Unreadable => u64::MAX,
        };
        let unreadable_places = traits.places.iter().any(Option::is_none);
        let places: Vec<Place> = traits.places.iter().flatten().cloned().collect();
        let here = self.person_context.local(now);
        let mut named = task.map_or(Ok(Vec::new()), |task| view.named(&task))?;
        named.extend(said.parties());
        // Who hands on what others wrote leaves it to them whom it is for.
        let named = if asked.delegated { Vec::new() } else { named };
        let reached = Reached::by(view, &traits, said, &named)?;
        let counted = Counted::of(view, &content.id, kind, task, sum, now)?;
        let [spent_day, spent_week, spent_month] = counted.spent;
        Ok(Facts {
            recipients: reached.recipients,
            others: reached.others,
            outside: reached.outside,
            inside: reached.inside,
            names: reached.names,
            domains: reached.domains,
            unreadable_recipients: traits.unreadable_recipients > 0,
            look_alikes: reached.look_alikes,
            unknown_recipients: reached.unknown,
            ungrounded_recipients: reached.ungrounded,
            off_task_recipients: reached.beside,
            level: grant.map(|grant| least.map_or(grant.level, |least| least.min(grant.level))),
            grant_stands: others_stand
                && match (&content.account, grant) {
                    (None, _) => true,
                    (Some((_, generation)), Some(grant)) => grant.active && grant.generation == *generation,
                    (Some(_), None) => false,
                },
            account,
            tool: traits.tool.clone(),
            is_mail: traits.is_mail,
            tells_others: !traits.text_for_others.is_empty(),
            places: places.iter().map(Place::itself).collect(),
            attachments: traits.attachments as u64,
            foreign_attachments: traits.foreign_attachments as u64,
            unnamed_files: traits.files.iter().filter(|name| !said.name_file(name)).count() as u64,
            sender_unproven: traits.sender_unproven,
            within: if unreadable_places { Vec::new() } else { Place::within(&places) },
            touches: Place::touches(&places),
            unreadable_places,
            method: traits.method.clone(),
            targets: traits.targets.len() as u64,
            unnamed_targets: traits.targets.iter().filter(|value| unnamed(value)).count() as u64,
            foreign_links: ground::links(&traits.text_for_others).iter().filter(|link| foreign(link)).count() as u64,
            undescribed: traits.undescribed,
            unreadable_amount: traits.amount == Amount::Unreadable,
            amount: sum,
            spent_day,
            spent_week,
            spent_month,
            untrusted_read: counted.untrusted || traits.behind.untrusted,
            confidential_read: counted.confidential || traits.behind.confidential,
            outside_scope: task.is_some() && !asked.covers(action),
            more_than_meant: task.is_some() && action.of_series().is_some_and(|part| !reading.reaches.ground(&part)),
            schedule,
            beside_schedule,
            origin,
            attended: self.person_context.attended(now),
            minute: u64::from(here.minute),
            weekday: here.weekday.name().into(),
            into_sent_or_drafts: traits.into_sent_or_drafts,
            among_own_folders: traits.among_own_folders,
            is_undo,
            same_kind_today: counted.claims.today,
            same_kind_hour: counted.claims.hour,
        })
    }
}

/// What is counted: the facts that other actions change. They are looked at again in the transaction that they count for.
pub(super) struct Counted {
    untrusted: bool,
    confidential: bool,
    spent: [u64; 3],
    claims: Claims,
}

impl Counted {
    /// Counts for an action of a kind that spends so much.
    pub(super) fn of(
        view: &mut dyn View,
        id: &ActionId,
        kind: ActionKind,
        task: Option<TaskId>,
        sum: u64,
        now: Now,
    ) -> Result<Self, StoreError> {
        const HOUR_MS: i64 = 3_600 * 1_000;
        const DAY_MS: i64 = 24 * HOUR_MS;
        let marks = task.map_or(Ok(TaskTaint::default()), |task| view.marks(&task))?;
        let ago = |ms: i64| now.wall_ms.saturating_sub(ms);
        let mut spent = [0; 3];
        if sum > 0 {
            for (spent, days) in spent.iter_mut().zip([1, 7, 30]) {
                *spent = view.spent_since(ago(days * DAY_MS), id)?.saturating_add(sum);
            }
        }
        let claims = view.claimed_since(kind, Since { today: ago(DAY_MS), hour: ago(HOUR_MS) })?;
        let brought = marks.brought;
        Ok(Self { untrusted: brought.untrusted, confidential: brought.confidential, spent, claims })
    }

    /// Returns the facts with these counts in the place of theirs.
    pub(super) fn in_facts(&self, facts: Facts) -> Facts {
        let [spent_day, spent_week, spent_month] = self.spent;
        Facts {
            spent_day,
            spent_week,
            spent_month,
            // What stands behind the action itself stays so.
            untrusted_read: self.untrusted || facts.untrusted_read,
            confidential_read: self.confidential || facts.confidential_read,
            same_kind_today: self.claims.today,
            same_kind_hour: self.claims.hour,
            ..facts
        }
    }
}

/// Words of a task, read: whom and what they name, and what they ask for.
pub(super) struct Reading {
    said: Words,
    asked: TaskIntent,
    reaches: Reaches,
}

/// Readings kept, those of the tasks that acted last. A home has a handful of tasks at work at a time.
const MAX_READINGS: usize = 32;

/// Keeps what the words of the last tasks were read as, so that the same words are matched once and not at every step of every action.
#[derive(Default)]
pub(super) struct Readings(Mutex<Vec<(String, Arc<Reading>)>>);

impl Readings {
    fn of(&self, words: &str) -> Arc<Reading> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(known, _)| known == words) {
            let found = kept.remove(at);
            let reading = Arc::clone(&found.1);
            kept.push(found);
            return reading;
        }
        drop(kept);
        let (said, asked, reaches) = (Words::new(&asking(words)), TaskIntent::of(words), Reaches::of(words));
        let reading = Arc::new(Reading { said, asked, reaches });
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_READINGS {
            kept.remove(0);
        }
        kept.push((words.to_owned(), Arc::clone(&reading)));
        reading
    }
}

/// Who gets something, counted.
#[derive(Default)]
struct Reached {
    recipients: u64,
    others: u64,
    outside: u64,
    inside: u64,
    names: Vec<String>,
    domains: Vec<String>,
    look_alikes: u64,
    unknown: u64,
    ungrounded: u64,
    beside: u64,
}

impl Reached {
    fn by(view: &mut dyn View, traits: &Traits, words: &Words, named: &[Party]) -> Result<Self, GateError> {
        let unread = traits.unreadable_recipients as u64;
        // Whoever cannot be read is outside, known to nobody and named by nobody.
        let mut reached = Self { outside: unread, unknown: unread, ungrounded: unread, ..Self::default() };
        let mut own = 0;
        for party in &traits.recipients {
            let standing = view.relationship(party)?;
            if standing.own {
                own += 1;
                continue;
            }
            let others_named = named.iter().any(|other| other.kind == party.kind) && !named.contains(party);
            let is_named = words.hold_party(party);
            reached.beside += u64::from(others_named && !is_named);
            reached.outside += u64::from(!standing.inside);
            reached.inside += u64::from(standing.inside);
            if !standing.known {
                reached.unknown += 1;
                reached.ungrounded += u64::from(!is_named);
                // Whom the person wrote out is whom they mean, whomever it looks like.
                reached.look_alikes += u64::from(!is_named && view.confusable_with(party)?.is_some());
            }
            reached.names.push(party.value.clone());
            reached.domains.push(party.domain().to_owned());
        }
        reached.recipients = traits.recipients.len() as u64 + unread;
        reached.others = reached.recipients.saturating_sub(own);
        Ok(reached)
    }
}
