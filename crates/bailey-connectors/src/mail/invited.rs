//! Answers to invitations that came by mail, as mails to whoever invites (iMIP, RFC 6047): where the server of a calendar tells nobody, or
//! there is no calendar.

use bailey_calendar::itip::{Answer, reply};
use bailey_calendar::{Event, Object, Series, words};
use bailey_gate::family::calendar::Entry;
use bailey_gate::family::mail::{Attachment, INVITATIONS, MailAction, Message, SourceUse};
use bailey_gate::family::text::{Line, Mailbox};
use bailey_gate::family::{Action, Level};
use bailey_gate::handoff::SystemEgress;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::answer::{Making, subject};
use super::compose::{body, known_address, message_id, parse_with, sent_folder};
use super::original::{self, Named};
use super::{author, reference};
use crate::call::{Arguments, BadCall};
use crate::context::{HomeContext, PrepareContext};
use crate::service::Made;

/// An invitation, and which of its components invite the person.
struct Invited {
    object: Object,
    components: Vec<usize>,
    /// The first of them.
    event: Event,
    repeats: Option<String>,
}

/// Prepares the answer to the invitation that a mail holds.
pub(super) async fn prepare(arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let (account, from) = author(cx, arguments, Level::Send)?;
    let message = reference(arguments)?;
    let said = arguments.text("answer")?;
    let answer = Answer::read(&said)
        .ok_or_else(|| BadCall::Bad { name: "answer", why: "say accept, decline or tentative".into() })?;
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let fetched = original::fetch(cx.vault, &access, &message, original::TO_FORWARD).await;
    let (bytes, more) = fetched.map_err(|error| BadCall::Lookup(error.to_string()))?;
    if more {
        return Err(BadCall::Lookup(
            "the mail is too large to be read whole, so its invitation cannot be answered".into(),
        ));
    }
    let sender = original::sender_of(&bytes, account);
    let original = original::read(bytes).await.map_err(BadCall::Lookup)?;
    let making = Making { arguments, cx, from, message, original, sender };
    let made = Message { keep_in: sent_folder(cx.vault, account), ..making.answer_to_invitation(answer)? };
    made.check().map_err(|error| BadCall::of_check("id", &error))?;
    Ok((Some(account.connection.0), Action::Mail(MailAction::Send(made))))
}

impl Making<'_> {
    /// Makes the mail that answers: to whoever invites, with the answer as calendars understand it.
    pub(super) fn answer_to_invitation(self, answer: Answer) -> Result<Message, BadCall> {
        let me = self.own();
        let invited = self.invitation(&me)?;
        let to = organizer(&invited.event)?;
        if me.contains(&to.address.key()) {
            return Err(BadCall::Lookup("the person themselves invites there, so there is nobody to answer".into()));
        }
        let file = answer_file(&invited.object, &invited.components, &me, answer, self.cx)?;
        let verb = verb(answer);
        // The mail says who invites; anybody can write that anybody does.
        let asked = Named { name: String::new(), address: to.address.to_string() };
        let is_sender = !self.original.is_repeated
            && matches!(self.original.from.as_slice(), [one] if one.mailbox().is_some_and(|one| one.address == to.address));
        // What a stranger calls it does not go to somebody else in the person's name.
        let called = if is_sender { invited.event.summary.as_str() } else { "your invitation" };
        let subject = subject(&format!("{verb}: "), &[], called)?;
        let note = self.arguments.optional("note").map(|note| format!("{}\n\n", body(&note).trim_end()));
        let begins = crate::calendar::told_start(&invited.event.start, self.cx);
        let repeats = invited.repeats.map(|repeats| format!(", {repeats}")).unwrap_or_default();
        let elsewhere = if is_sender { &[][..] } else { std::slice::from_ref(&asked) };
        Ok(Message {
            body: format!("{}{}\n{begins}{repeats}\n", note.unwrap_or_default(), subject.as_str()),
            subject,
            to: vec![to],
            in_reply_to: self.original.message_id.clone(),
            references: self.original.thread(),
            attachments: vec![file],
            source: Some(Box::new(self.source(SourceUse::Answered, elsewhere))),
            ..self.empty()?
        })
    }

    /// Finds the one invitation of the mail that is for the person. Programs write it twice: for reading, and as a file.
    fn invitation(&self, me: &[String]) -> Result<Invited, BadCall> {
        let mut found: Option<Invited> = None;
        let mut asks = false;
        for bytes in &self.original.calendars {
            let Ok(object) = Object::read(bytes) else { continue };
            if object.method().as_deref() != Some("REQUEST") {
                continue;
            }
            asks = true;
            for series in Series::all(&object) {
                let invites = |event: &&Event| event.answer_of(me).is_some();
                let components = series.events.iter().filter(invites).map(|event| event.component).collect();
                let Some(event) = series.events.iter().find(invites).cloned() else { continue };
                if found.as_ref().is_some_and(|found| found.event.uid != event.uid) {
                    return Err(BadCall::Lookup(
                        "the mail holds several invitations, and which one is meant is not clear; write to whoever invites"
                            .into(),
                    ));
                }
                let repeats = series.master().and_then(words::repeats);
                found = found.or(Some(Invited { object: object.clone(), components, event, repeats }));
            }
        }
        found.ok_or_else(|| match asks {
            true => not_invited(),
            false => BadCall::Lookup("this mail holds no invitation that asks for an answer".into()),
        })
    }
}

/// Prepares the answer to an invitation that lies in a calendar whose server tells nobody. `which` names an occurrence.
pub(crate) fn prepare_answer(
    invitation: &[u8],
    which: Option<&str>,
    arguments: &Arguments,
    cx: &PrepareContext<'_>,
) -> Result<Made, BadCall> {
    // An account that the call names is that of the calendar.
    let (account, from) = author(cx, &Arguments::parse("{}")?, Level::Send)?;
    let said = arguments.text("answer")?;
    let answer = Answer::read(&said)
        .ok_or_else(|| BadCall::Bad { name: "answer", why: "say accept, decline or tentative".into() })?;
    let me: Vec<String> = cx
        .accounts
        .iter()
        .flat_map(|one| {
            [one.settings.mail().map(|mail| mail.address.clone()), one.settings.dav().map(|dav| dav.user.clone())]
        })
        .flatten()
        .map(|one| one.to_lowercase())
        .collect();
    let unreadable = |why: bailey_calendar::Unreadable| BadCall::Lookup(format!("the entry cannot be read: {why}"));
    let object = Object::read(invitation).map_err(unreadable)?;
    let series = Series::only(&object).map_err(unreadable)?;
    let one = arguments.optional("which").filter(|which| which.trim().eq_ignore_ascii_case("this")).and(which);
    let meant = |event: &&Event| {
        let of_one = |id: &str| event.recurrence_id.as_ref().is_some_and(|known| known.value() == id);
        event.answer_of(&me).is_some() && one.is_none_or(of_one)
    };
    let components: Vec<usize> = series.events.iter().filter(meant).map(|event| event.component).collect();
    let event = series.events.iter().find(meant).ok_or_else(not_invited)?;
    let to = organizer(event)?;
    if me.contains(&to.address.key()) {
        return Err(BadCall::Lookup("the person themselves invites there, so there is nobody to answer".into()));
    }
    let file = answer_file(&object, &components, &me, answer, cx)?;
    let subject = subject(&format!("{}: ", verb(answer)), &[], &event.summary)?;
    let note = arguments.optional("note").map(|note| format!("{}\n\n", body(&note).trim_end())).unwrap_or_default();
    let begins = crate::calendar::told_start(&event.start, cx);
    let repeats = series.master().filter(|_| one.is_none()).and_then(words::repeats);
    let repeats = repeats.map(|repeats| format!(", {repeats}")).unwrap_or_default();
    let message = Message {
        body: format!("{note}{}\n{begins}{repeats}\n", subject.as_str()),
        subject,
        to: vec![to],
        cc: Vec::new(),
        bcc: Vec::new(),
        date: cx.seconds,
        offset_minutes: cx.offset_minutes,
        message_id: message_id(&from.address, &cx.unique)?,
        in_reply_to: None,
        references: Vec::new(),
        attachments: vec![file],
        keep_in: sent_folder(cx.vault, account),
        source: None,
        from,
    };
    message.check().map_err(|error| BadCall::of_check("id", &error))?;
    Ok((Some(account.connection.0), Action::Mail(MailAction::Send(message))))
}

const fn verb(answer: Answer) -> &'static str {
    match answer {
        Answer::Accepted => "Accepted",
        Answer::Declined => "Declined",
        Answer::Tentative => "Perhaps",
    }
}

/// Makes the answer as calendars understand it.
fn answer_file(
    object: &Object,
    components: &[usize],
    me: &[String],
    answer: Answer,
    cx: &HomeContext,
) -> Result<Attachment, BadCall> {
    let moment = Timestamp::from_second(cx.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let stamp = moment.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let text = reply(object, components, me, answer, &stamp).ok_or_else(not_invited)?;
    let entry = Entry::new(&text).map_err(|error| {
        BadCall::Lookup(format!(
            "the invitation cannot be answered as it is written ({error}); write to whoever invites"
        ))
    })?;
    let [.., answers] = INVITATIONS;
    Ok(Attachment {
        name: parse_with("id", || Line::new("answer.ics"))?,
        media_type: answers.into(),
        bytes: entry.bytes().to_vec(),
        taken_from: None,
    })
}

fn not_invited() -> BadCall {
    BadCall::Lookup("none of the person's addresses is invited there, so there is nothing to answer".into())
}

/// Returns whoever invites. The name beside the address is whatever the sender wrote, and stays out.
fn organizer(event: &Event) -> Result<Mailbox, BadCall> {
    let address = event.organizer.as_ref().map(|one| one.address.as_str()).unwrap_or_default();
    known_address("", address).map_err(|why| {
        BadCall::Lookup(format!("the invitation names nobody who could be answered ({why}); write to its sender"))
    })
}
