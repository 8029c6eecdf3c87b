//! What folders are for: by what their server says (RFC 6154), and by their usual names.

use bailey_gate::family::mail::{FolderName, FolderRole};
use serde::{Deserialize, Serialize};

/// The folders with a role (RFC 6154), as far as the server names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folders {
    /// Where deleted mail goes.
    pub trash: Option<String>,
    /// Holds what the person sent.
    pub sent: Option<String>,
    /// Holds what the person is writing.
    pub drafts: Option<String>,
    /// Holds what the person keeps.
    #[serde(default)]
    pub archive: Option<String>,
    /// The last sent message that was looked at: its folder's validity, and its number.
    #[serde(default)]
    pub sent_seen: Option<(u32, u32)>,
    /// Why sent mail could not be looked at the last time, in words for the person; it is looked at again before somebody unknown is
    /// written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
}

impl Folders {
    /// Returns what a folder is for.
    #[must_use]
    pub fn role(&self, folder: &FolderName) -> FolderRole {
        let shown = folder.shown();
        let last = last_part(&shown);
        let is = |name: &Option<String>, usual: &[&str]| {
            name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(folder.as_str()))
                || usual
                    .iter()
                    .any(|usual| last.eq_ignore_ascii_case(usual) || last.to_lowercase() == usual.to_lowercase())
        };
        // Usual names beside the advertised one: an account may have both "Sent" and "Sent Items".
        const SENT: [&str; 17] = [
            "Sent",
            "Sent Items",
            "Sent Mail",
            "Sent Messages",
            "Gesendet",
            "Gesendete Elemente",
            "Gesendete Objekte",
            "Gesendete Nachrichten",
            "Envoyés",
            "Éléments envoyés",
            "Messages envoyés",
            "Enviados",
            "Elementos enviados",
            "Inviata",
            "Posta inviata",
            "Verzonden",
            "Verzonden items",
        ];
        const DRAFTS: [&str; 7] = ["Drafts", "Draft", "Entwürfe", "Brouillons", "Borradores", "Bozze", "Concepten"];
        if is(&self.sent, &SENT) {
            FolderRole::Sent
        } else if is(&self.drafts, &DRAFTS) {
            FolderRole::Drafts
        } else if self.trash.as_deref() == Some(folder.as_str()) {
            FolderRole::Trash
        } else if self.archive.as_deref() == Some(folder.as_str()) || folder.as_str() == "INBOX" {
            FolderRole::Own
        } else {
            FolderRole::Ordinary
        }
    }
}

/// Returns the name of a folder without those it lies in.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', '.']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_follow_usual_names_too() {
        let folders =
            Folders { sent: Some("Verschickt".into()), archive: Some("Archive".into()), ..Folders::default() };
        for (name, role) in [
            ("Verschickt", FolderRole::Sent),
            ("INBOX.Sent", FolderRole::Sent),
            ("Sent Items", FolderRole::Sent),
            ("[Gmail]/Drafts", FolderRole::Drafts),
            ("Entw&APw-rfe", FolderRole::Drafts),
            ("INBOX.&AMk-l&AOk-ments envoy&AOk-s", FolderRole::Sent),
            ("Archive", FolderRole::Own),
            ("INBOX", FolderRole::Own),
            ("Trash", FolderRole::Ordinary),
            ("Public/everyone", FolderRole::Ordinary),
        ] {
            assert_eq!(folders.role(&FolderName::new(name).unwrap()), role, "{name}");
        }
    }
}
