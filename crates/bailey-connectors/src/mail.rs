//! Mail: tools, preparation, and a person's edits.

use bailey_gate::ConnectionId;
use bailey_gate::family::Action;
use bailey_gate::family::mail::{MailAction, Message, MessageId};
use bailey_gate::family::text::{Address, Line, Mailbox};

use crate::call::{Arguments, BadCall, schema};
use crate::{Surroundings, ToolDefinition};

pub(crate) fn tools() -> Vec<ToolDefinition> {
    let fields = [
        ("to", "receivers, separated by commas"),
        ("cc", "receivers of a copy"),
        ("bcc", "receivers of a hidden copy"),
        ("subject", "the subject"),
        ("body", "the text"),
        ("in_reply_to", "Message-ID of the mail this answers"),
    ];
    let parameters = schema(&fields, &["to", "subject", "body"]);
    vec![
        ToolDefinition {
            name: "mail_send",
            description: "Send a mail from the person's account. The person is asked first.",
            parameters: parameters.clone(),
        },
        ToolDefinition { name: "mail_draft", description: "Keep a draft in the home; nothing is sent.", parameters },
    ]
}

pub(crate) fn prepare(
    tool: &str,
    arguments: &Arguments,
    around: &Surroundings,
) -> Result<(Option<ConnectionId>, Action), BadCall> {
    let (connection, from) = around.mail.clone().ok_or(BadCall::NotConnected("mail"))?;
    let in_reply_to = arguments
        .optional("in_reply_to")
        .map(|text| parse_with("in_reply_to", || MessageId::new(text.trim())))
        .transpose()?;
    let message = Message {
        to: mailboxes("to", &arguments.list("to"))?,
        cc: mailboxes("cc", &arguments.list("cc"))?,
        bcc: mailboxes("bcc", &arguments.list("bcc"))?,
        subject: subject(&arguments.text("subject")?)?,
        body: body(&arguments.text("body")?),
        date: around.seconds,
        offset_minutes: around.offset_minutes,
        message_id: message_id(&from.address, &around.unique)?,
        references: in_reply_to.iter().cloned().collect(),
        in_reply_to,
        attachments: Vec::new(),
        from,
    };
    message.check().map_err(|error| BadCall::Bad { name: "to", why: error.to_string() })?;
    let action = if tool == "mail_draft" { MailAction::Draft(message) } else { MailAction::Send(message) };
    Ok((Some(connection), Action::Mail(action)))
}

fn parse_with<T, E: std::fmt::Display>(name: &'static str, parse: impl FnOnce() -> Result<T, E>) -> Result<T, BadCall> {
    parse().map_err(|error| BadCall::Bad { name, why: error.to_string() })
}

fn subject(text: &str) -> Result<Line, BadCall> {
    parse_with("subject", || Line::new(text.trim()))
}

/// Line breaks of every kind become `\n`.
fn body(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

/// Ours says nothing about the machine or the time: random, under the author's domain.
fn message_id(author: &Address, unique: &[u8; 16]) -> Result<MessageId, BadCall> {
    let left: String = unique.iter().map(|byte| format!("{byte:02x}")).collect();
    parse_with("message_id", || MessageId::new(&format!("<{left}@{}>", author.domain())))
}

fn mailboxes(name: &'static str, items: &[String]) -> Result<Vec<Mailbox>, BadCall> {
    items.iter().map(|item| mailbox(name, item)).collect()
}

/// `address`, or `Name <address>`.
fn mailbox(name: &'static str, text: &str) -> Result<Mailbox, BadCall> {
    let (shown, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((shown, address)) => (shown.trim().trim_matches('"').trim(), address),
        None => ("", text),
    };
    let address = parse_with(name, || Address::new(address.trim()))?;
    let shown = if shown.is_empty() { None } else { Some(parse_with(name, || Line::new(shown))?) };
    Ok(Mailbox { name: shown, address })
}

/// What a person changes in a waiting mail; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// All primary receivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
    /// All receivers of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc: Option<Vec<String>>,
    /// All receivers of a hidden copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bcc: Option<Vec<String>>,
    /// The subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Edit {
    /// The edited mail, with an identity and date of its own: it is another action.
    pub fn apply(&self, message: &Message, around: &Surroundings) -> Result<Message, BadCall> {
        let list = |name, edited: &Option<Vec<String>>, old: &Vec<Mailbox>| match edited {
            None => Ok(old.clone()),
            Some(items) => mailboxes(name, items),
        };
        let edited = Message {
            to: list("to", &self.to, &message.to)?,
            cc: list("cc", &self.cc, &message.cc)?,
            bcc: list("bcc", &self.bcc, &message.bcc)?,
            subject: self.subject.as_deref().map_or_else(|| Ok(message.subject.clone()), subject)?,
            body: self.body.as_deref().map_or_else(|| message.body.clone(), body),
            date: around.seconds,
            offset_minutes: around.offset_minutes,
            message_id: message_id(&message.from.address, &around.unique)?,
            ..message.clone()
        };
        edited.check().map_err(|error| BadCall::Bad { name: "to", why: error.to_string() })?;
        Ok(edited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Surroundings {
        let from = Mailbox { name: None, address: Address::new("me@example.org").unwrap() };
        Surroundings {
            mail: Some((ConnectionId::from_bytes([1; 16]), from)),
            seconds: 0,
            offset_minutes: 60,
            unique: [7; 16],
        }
    }

    fn send(arguments: &str) -> Result<Message, BadCall> {
        match crate::prepare("mail_send", arguments, &around())?.action {
            Action::Mail(MailAction::Send(message)) => Ok(message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_models_write_becomes_a_message() {
        let mail =
            send(r#"{"to":"Ana Doe <ana@example.org>; bo@example.org","subject":" Hi ","body":"a\r\nb"}"#).unwrap();
        assert_eq!(mail.to.len(), 2);
        assert_eq!(mail.to[0].to_string(), "Ana Doe <ana@example.org>");
        assert_eq!((mail.subject.as_str(), mail.body.as_str()), ("Hi", "a\nb"));
        assert_eq!(mail.message_id.as_str(), "<07070707070707070707070707070707@example.org>");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for (arguments, name) in [
            (r#"{"subject":"s","body":"b"}"#, "to"),
            (r#"{"to":"ana","subject":"s","body":"b"}"#, "to"),
            (r#"{"to":"a@x.org","subject":"s\r\nBcc: e@evil.org","body":"b"}"#, "subject"),
            (r#"{"to":"a@x.org","subject":"s","body":"b","bcc":"e@evil.org\r\nX: y"}"#, "bcc"),
            (r#"{"to":"a@x.org","subject":"s","body":"b","in_reply_to":"<a b@c>"}"#, "in_reply_to"),
        ] {
            match send(arguments) {
                Err(BadCall::Bad { name: found, .. }) => assert_eq!(found, name, "{arguments}"),
                other => panic!("{arguments}: {other:?}"),
            }
        }
        assert_eq!(send(r#"{"to":"a@x.org","body":"b"}"#), Err(BadCall::Missing("subject")));
        assert_eq!(crate::prepare("policy_edit", "{}", &around()), Err(BadCall::UnknownTool("policy_edit".into())));
    }
}
