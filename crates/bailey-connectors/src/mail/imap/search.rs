//! Searching: words in any letters, pages of what was found, and the list of folders.

use std::collections::BTreeSet;

use async_imap::error::Error;
use async_imap::imap_proto::{MailboxDatum, Response, Status};
use async_imap::types::{Fetch, Flag, NameAttribute};
use bailey_gate::Claimed;
use bailey_gate::family::mail::{FolderName, FolderRole, MailAction, Mark, MessageRef, Query, Summary};
use bailey_message::{Fields, Mailbox};
use bailey_vault::{ImapSession, Vault, said_by_server};
use futures_util::TryStreamExt as _;
use serde::Serialize;
use serde_json::json;

use super::super::mime::{LISTED_FIELDS, people, people_in_words, short};
use super::{Folders, imap_words, in_time, leave};

/// Messages listed at once. A model reads no more, and asks for the next if it wants to.
const MAX_LISTED: usize = 20;
/// Messages whose headers are looked at where a server cannot search in the letters of the words, newest first.
const MAX_LOOKED_THROUGH: usize = 500;
/// Labels of one message that are told.
const MAX_LABELS: usize = 50;
/// Folders that are listed.
const MAX_FOLDERS: usize = 1_000;

pub(in super::super) async fn search(
    vault: &Vault,
    claimed: &Claimed<MailAction>,
    folder: &FolderName,
    query: &Query,
    skip: u32,
) -> Result<String, String> {
    let access = vault.access(claimed, "look");
    let mut session = in_time(vault.imap(&access)).await?;
    let words = Words::of(query, vault.now().date())?;
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    let found = in_time(list(&mut session, folder, &words, skip, MAX_LISTED)).await?;
    leave(session).await;
    let shown = skip.min(found.total).saturating_add(found.messages.len());
    let more = found.total.saturating_sub(shown);
    let mut told = json!({"messages": found.messages, "found": found.total, "more": more});
    if let Some(told) = told.as_object_mut() {
        if more > 0 {
            told.insert("next".into(), json!({ "skip": shown }));
        }
        if let Some(note) = found.note {
            told.insert("note".into(), json!(note));
        }
    }
    Ok(told.to_string())
}

/// Lists the folders, by the names that people gave them.
pub(in super::super) async fn folders(vault: &Vault, claimed: &Claimed<MailAction>) -> Result<String, String> {
    let access = vault.access(claimed, "look");
    let known: Folders = claimed.account().and_then(|(id, _)| vault.discovered(&id).ok()).unwrap_or_default();
    let mut session = in_time(vault.imap(&access)).await?;
    let listed = in_time(async {
        let names: Vec<_> =
            session.list(Some(""), Some("*")).await.map_err(imap_words)?.try_collect().await.map_err(imap_words)?;
        let (mut out, mut unusable) = (Vec::new(), 0_usize);
        for name in &names {
            let Ok(folder) = FolderName::new(name.name()) else {
                unusable += 1;
                continue;
            };
            let mut told = json!({ "name": folder.shown() });
            let told_of = told.as_object_mut();
            if let Some(told) = told_of {
                if let Some(role) = role(&known, &folder) {
                    told.insert("is".into(), json!(role));
                }
                if name.attributes().contains(&NameAttribute::NoSelect) {
                    told.insert("holds".into(), json!("folders alone"));
                }
            }
            out.push(told);
        }
        Ok((out, unusable))
    });
    let (mut all, unusable) = listed.await?;
    leave(session).await;
    let more = all.len().saturating_sub(MAX_FOLDERS);
    all.truncate(MAX_FOLDERS);
    Ok(json!({ "folders": all, "more": more, "with_names_that_cannot_be_read": unusable }).to_string())
}

fn role(known: &Folders, folder: &FolderName) -> Option<&'static str> {
    match known.role(folder) {
        FolderRole::Sent => Some("what the person sent"),
        FolderRole::Drafts => Some("drafts"),
        FolderRole::Trash => Some("the trash"),
        FolderRole::Own if folder.as_str().eq_ignore_ascii_case("INBOX") => Some("the inbox"),
        FolderRole::Own => Some("the archive"),
        FolderRole::Ordinary => None,
    }
}

/// A message as a search lists it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    id: String,
    from: Vec<Mailbox>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<Mailbox>,
    subject: String,
    date: String,
    message_id: String,
    unread: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    answered: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    flagged: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
}

pub(super) struct Found {
    messages: Vec<Listed>,
    pub(super) references: Vec<MessageRef>,
    total: usize,
    note: Option<String>,
}

/// Newest first, behind those that are passed over, at most `limit`.
pub(super) async fn list(
    session: &mut ImapSession,
    folder: &FolderName,
    words: &Words,
    skip: usize,
    limit: usize,
) -> Result<Found, String> {
    let examined = session.examine(folder.as_str()).await.map_err(|error| no_folder(folder, error))?;
    let uid_validity = examined.uid_validity.ok_or("the mail server does not number its messages")?;
    let mut note = None;
    let mut uids = match words.ask(session).await {
        Ok(uids) => uids,
        Err(Refused::Words(why)) if words.is_foreign() => {
            let (uids, looked) = words.look_through(session).await?;
            note = Some(format!(
                "the mail server cannot search in these letters ({why}); sender and subject of the newest {looked} messages were looked through instead, and no text"
            ));
            uids
        }
        Err(Refused::Words(why)) => return Err(did_not_search(&why)),
        Err(Refused::Other(why)) => return Err(why),
    };
    uids.sort_unstable_by(|a, b| b.cmp(a));
    let total = uids.len();
    let uids: Vec<u32> = uids.into_iter().skip(skip).take(limit).collect();
    let mut entries = summaries(session, &uids).await?;
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.uid));
    let reference = |uid| MessageRef { folder: folder.clone(), uid_validity, uid };
    Ok(Found {
        references: entries.iter().map(|entry| reference(entry.uid)).collect(),
        messages: entries
            .into_iter()
            .map(|entry| Listed {
                id: format!("{}/{uid_validity}/{}", folder.shown(), entry.uid),
                from: entry.from,
                to: entry.to,
                subject: entry.about.subject,
                date: entry.date,
                message_id: entry.about.message_id,
                unread: entry.unread,
                answered: entry.answered,
                flagged: entry.flagged,
                labels: entry.labels,
            })
            .collect(),
        total,
        note,
    })
}

fn did_not_search(why: &str) -> String {
    format!("the mail server did not search; it says: {why}")
}

/// Tells why a folder was not opened, in the server's words.
pub(super) fn no_folder(folder: &FolderName, error: Error) -> String {
    match error {
        Error::No(said) | Error::Bad(said) => format!(
            "the folder `{}` cannot be opened; the mail server says: {}. List the folders to see which there are",
            folder.shown(),
            said_by_server(&said)
        ),
        other => imap_words(other),
    }
}

#[derive(Debug, Default)]
pub(in super::super) struct Entry {
    pub(super) uid: u32,
    pub(in super::super) about: Summary,
    from: Vec<Mailbox>,
    to: Vec<Mailbox>,
    date: String,
    unread: bool,
    answered: bool,
    flagged: bool,
    labels: Vec<String>,
}

impl Entry {
    /// Tells whether the message has a mark.
    pub(in super::super) fn has(&self, mark: &Mark) -> bool {
        match mark {
            Mark::Read => !self.unread,
            Mark::Starred => self.flagged,
            // Servers tell labels apart without looking at the size of letters (RFC 3501, 9).
            Mark::Label(label) => self.labels.iter().any(|one| one.eq_ignore_ascii_case(label.as_str())),
        }
    }
}

/// Returns what messages say of themselves. Servers may tell of one in several answers, and of others unasked: what was asked
/// for, put together by its number, is an answer once its header came.
pub(super) async fn summaries(session: &mut ImapSession, uids: &[u32]) -> Result<Vec<Entry>, String> {
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let what = format!("(UID FLAGS {LISTED_FIELDS})");
    let fetched: Vec<_> =
        session.uid_fetch(set, what).await.map_err(imap_words)?.try_collect().await.map_err(imap_words)?;
    let by_place = super::read::by_place(&fetched);
    let entries = by_place.into_iter().filter(|(uid, _)| uids.contains(uid)).filter_map(|(uid, answers)| {
        let header = answers.iter().find_map(|one| one.header())?;
        let has = |flag: &Flag<'_>| answers.iter().any(|one| one.flags().any(|known| known == *flag));
        let (fields, _) = Fields::split(header);
        Some(Entry {
            uid,
            about: Summary {
                from: people_in_words(&fields, "from"),
                subject: fields.text("subject").map(|subject| short(&subject)).unwrap_or_default(),
                message_id: bailey_message::ids(&fields, "message-id").first().map(|id| short(id)).unwrap_or_default(),
            },
            from: people(&fields, "from"),
            to: people(&fields, "to"),
            date: fields.text("date").and_then(|date| bailey_message::date(&date)).unwrap_or_default(),
            unread: !has(&Flag::Seen),
            answered: has(&Flag::Answered),
            flagged: has(&Flag::Flagged),
            labels: labels(&answers),
        })
    });
    Ok(entries.collect())
}

/// Lists the labels of a message, of those that its server keeps.
fn labels(answers: &[&Fetch]) -> Vec<String> {
    let label = |flag: Flag<'_>| match flag {
        Flag::Custom(label) => Some(short(&label)),
        _ => None,
    };
    let all: BTreeSet<String> = answers.iter().flat_map(|one| one.flags()).filter_map(label).collect();
    all.into_iter().take(MAX_LABELS).collect()
}

/// A search in the protocol's words (RFC 3501, 6.4.4): parts that are plain, and words in other letters, which go as literals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Words {
    plain: String,
    /// The keys of words with letters outside of ASCII.
    foreign: Vec<(&'static str, String)>,
}

/// Why a search found nothing.
enum Refused {
    /// The server did not take the words; what it says.
    Words(String),
    Other(String),
}

impl Words {
    pub(in super::super) const fn plain(plain: String) -> Self {
        Self { plain, foreign: Vec::new() }
    }

    fn of(query: &Query, today: jiff::civil::Date) -> Result<Self, String> {
        let mut plain = vec![if query.unread { "UNSEEN".to_owned() } else { "ALL".to_owned() }];
        let mut foreign = Vec::new();
        for (key, value) in [("FROM", &query.from), ("SUBJECT", &query.subject), ("TEXT", &query.text)] {
            let Some(value) = value else { continue };
            let value = value.as_str();
            if value.is_ascii() {
                plain.push(format!("{key} \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
            } else {
                foreign.push((key, value.to_owned()));
            }
        }
        if let Some(days) = query.days {
            let since =
                today.saturating_sub(jiff::Span::new().try_days(i64::from(days)).map_err(|error| error.to_string())?);
            plain.push(format!("SINCE {}", since.strftime("%d-%b-%Y")));
        }
        Ok(Self { plain: plain.join(" "), foreign })
    }

    fn is_foreign(&self) -> bool {
        !self.foreign.is_empty()
    }

    /// Returns the lines to send: each but the last ends by announcing what the next begins with.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = if self.is_foreign() {
            format!("UID SEARCH CHARSET UTF-8 {}", self.plain)
        } else {
            format!("UID SEARCH {}", self.plain)
        };
        for (key, value) in &self.foreign {
            lines.push(format!("{line} {key} {{{}}}", value.len()));
            line.clone_from(value);
        }
        lines.push(line);
        lines
    }

    /// Searches; an answer that is no "OK" is an error, never "nothing found" (which the library's own search would make of it).
    pub(in super::super) async fn found(&self, session: &mut ImapSession) -> Result<Vec<u32>, String> {
        self.ask(session).await.map_err(|refused| match refused {
            Refused::Words(why) => did_not_search(&why),
            Refused::Other(why) => why,
        })
    }

    async fn ask(&self, session: &mut ImapSession) -> Result<Vec<u32>, Refused> {
        let other = |error: Error| Refused::Other(imap_words(error));
        let lines = self.lines();
        let mut lines = lines.iter();
        let tag = session.run_command(lines.next().map_or("", String::as_str)).await.map_err(other)?;
        let mut found = Vec::new();
        loop {
            let answer = session.read_response().await.map_err(|error| other(error.into()))?;
            let Some(answer) = answer else { return Err(Refused::Other("the mail server broke off".into())) };
            match answer.parsed() {
                Response::MailboxData(MailboxDatum::Search(numbers)) => found.extend(numbers),
                Response::Continue(_) => {
                    let next = lines
                        .next()
                        .ok_or_else(|| Refused::Other("the mail server asks for more than there is".into()))?;
                    session.run_command_untagged(next).await.map_err(other)?;
                }
                Response::Done { tag: done, status, outcome } if *done == tag => {
                    return if *status == Status::Ok {
                        Ok(found)
                    } else {
                        Err(Refused::Words(said_by_server(outcome.information.as_deref().unwrap_or_default())))
                    };
                }
                _ => {}
            }
        }
    }

    /// Looks through the newest messages that the plain words find, where the server cannot search for the others.
    async fn look_through(&self, session: &mut ImapSession) -> Result<(Vec<u32>, usize), String> {
        let plain = Self::plain(self.plain.clone());
        let mut uids = plain.ask(session).await.map_err(|refused| match refused {
            Refused::Words(why) | Refused::Other(why) => why,
        })?;
        uids.sort_unstable_by(|a, b| b.cmp(a));
        uids.truncate(MAX_LOOKED_THROUGH);
        let looked = uids.len();
        let holds = |text: &str, words: &str| text.to_lowercase().contains(&words.to_lowercase());
        let fits = |entry: &Entry| {
            self.foreign.iter().all(|(key, words)| match *key {
                "FROM" => holds(&entry.about.from, words),
                "SUBJECT" => holds(&entry.about.subject, words),
                _ => holds(&entry.about.from, words) || holds(&entry.about.subject, words),
            })
        };
        let entries = summaries(session, &uids).await?;
        Ok((entries.iter().filter(|entry| fits(entry)).map(|entry| entry.uid).collect(), looked))
    }
}

#[cfg(test)]
mod tests {
    use bailey_gate::family::text::Line;

    use super::*;

    fn lines(query: &Query) -> Vec<String> {
        Words::of(query, jiff::civil::date(2026, 3, 1)).unwrap().lines()
    }

    #[test]
    fn searching_counts_days_from_the_persons_date() {
        let query = Query { days: Some(1), from: Line::new("ana").ok(), ..Query::default() };
        assert_eq!(lines(&query), ["UID SEARCH ALL FROM \"ana\" SINCE 28-Feb-2026"]);
    }

    #[test]
    fn searching_takes_any_letters() {
        let query = Query { subject: Line::new("say \"hi\" \\").ok(), unread: true, ..Query::default() };
        assert_eq!(lines(&query), ["UID SEARCH UNSEEN SUBJECT \"say \\\"hi\\\" \\\\\""]);
        let query =
            Query {
                from: Line::new("Müller").ok(), text: Line::new("Grüße").ok(), days: Some(1), ..Query::default()
            };
        assert_eq!(
            lines(&query),
            ["UID SEARCH CHARSET UTF-8 ALL SINCE 28-Feb-2026 FROM {7}", "Müller TEXT {7}", "Grüße"]
        );
    }
}
