//! Whom the person has written to: what their folder of sent mail proves.

use std::collections::BTreeMap;

use bailey_gate::family::Party;
use bailey_vault::{Access, Discovered, ImapSession, MailSettings, Vault, VaultError};
use futures_util::TryStreamExt as _;

use super::imap::{Folders, Words, imap_words, in_time, leave, open};
use super::mime::{LISTED_FIELDS, recipients};

/// Sent messages looked at, newest first.
const MAX_SENT_LOOKED_AT: usize = 500;
/// Letters before the `@` of a Message-ID of ours: sixteen bytes as hexadecimal digits.
const OUR_LETTERS: usize = 32;

/// Recipients of sent messages by address, with the names they were given.
pub(super) type WrittenTo = BTreeMap<String, String>;

/// Puts recipients into the form they are kept in.
pub(super) fn parties(written_to: WrittenTo) -> Vec<(Party, String)> {
    written_to.into_iter().map(|(address, name)| (Party::new(Party::EMAIL.into(), &address), name)).collect()
}

/// Looks at what was sent since the last look, which its notes say. `None` where the server names no folder of sent mail.
pub(super) async fn look_again(
    vault: &Vault,
    access: &Access,
    settings: &MailSettings,
    notes: &[u8],
) -> Result<Option<Discovered>, VaultError> {
    let mut folders: Folders =
        serde_json::from_slice(notes).map_err(|error| VaultError::Settings(error.to_string()))?;
    let Some(sent) = folders.sent.clone() else { return Ok(None) };
    // Google and Microsoft put what is handed in there themselves, some of it under a Message-ID of their own: then mail of ours cannot
    // be told from the person's, and only what was there before the account was connected proves something.
    if settings.keeps_what_is_sent() {
        return Ok(None);
    }
    let mut session = open(vault, access).await?;
    let looked = in_time(written_to(&mut session, &sent, folders.sent_seen, &settings.address));
    let (known, seen) = vault.until_cut(looked).await?;
    leave(session).await;
    (folders.sent_seen, folders.unseen) = (seen, None);
    let notes = serde_json::to_vec(&folders).map_err(|error| VaultError::Settings(error.to_string()))?;
    Ok(Some(Discovered { notes, known: parties(known) }))
}

/// Reads whom the newest messages of a folder of sent mail went to, from behind the one `seen` last: its folder's validity and number.
/// Also returns which is the last one now. Mail of ours proves nothing: it may have gone without the person.
pub(super) async fn written_to(
    session: &mut ImapSession,
    folder: &str,
    seen: Option<(u32, u32)>,
    own: &str,
) -> Result<(WrittenTo, Option<(u32, u32)>), String> {
    let examined = session.examine(folder).await.map_err(imap_words)?;
    let mut written_to = BTreeMap::new();
    let Some(validity) = examined.uid_validity else { return Ok((written_to, None)) };
    let last = seen.filter(|(known, _)| *known == validity).map_or(0, |(_, last)| last);
    if examined.exists == 0 {
        return Ok((written_to, Some((validity, last))));
    }
    // A range that begins behind the last message names the last message (RFC 3501, 6.4.8).
    let newer = Words::plain(format!("UID {}:*", last.saturating_add(1)));
    let mut uids: Vec<u32> = newer.found(session).await?.into_iter().filter(|uid| *uid > last).collect();
    uids.sort_unstable_by(|a, b| b.cmp(a));
    uids.truncate(MAX_SENT_LOOKED_AT);
    let newest = uids.first().copied().unwrap_or(last);
    if !uids.is_empty() {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let fetched: Vec<_> = session
            .uid_fetch(set, format!("(UID {LISTED_FIELDS})"))
            .await
            .map_err(imap_words)?
            .try_collect()
            .await
            .map_err(imap_words)?;
        let headers = fetched.iter().filter_map(|one| one.header()).filter(|header| !is_ours(header));
        for (address, name) in headers.flat_map(|header| recipients(header, own)) {
            // An empty name says less than one that was given elsewhere.
            let known: &mut String = written_to.entry(address).or_default();
            if known.is_empty() {
                *known = name;
            }
        }
    }
    Ok((written_to, Some((validity, newest))))
}

/// Tells whether a message was written by Bailey, by the form of its Message-ID. One of others' that has the form by chance proves
/// nothing either.
pub(super) fn is_ours(header: &[u8]) -> bool {
    let (fields, _) = bailey_message::Fields::split(header);
    let ids = bailey_message::ids(&fields, "message-id");
    let left = ids.first().and_then(|id| id.split_once('@')).map_or("", |(left, _)| left);
    let left = left.strip_prefix('<').unwrap_or(left);
    left.len() == OUR_LETTERS && left.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_of_ours_is_told_from_that_of_mail_programs() {
        let ours = super::super::compose::message_id(
            &bailey_gate::family::text::Address::new("me@example.org").unwrap(),
            &[0xa7; 16],
        );
        let with = |id: &str| is_ours(format!("From: me@example.org\r\nMessage-ID: {id}\r\n\r\n").as_bytes());
        assert!(with(ours.unwrap().as_str()));
        for others in [
            "<CAF=x1+2@mail.gmail.com>",
            "<5D2F0A51-2A3C-4B1E-9F00-1234567890AB@example.org>",
            "<0a8f5c3e-1b2d-4c3d-8e9f-001122334455@example.org>",
            "<A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7@example.org>",
            "",
        ] {
            assert!(!with(others), "{others}");
        }
    }
}
