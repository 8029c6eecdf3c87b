//! Sign-ins that are over, told where the person looks: with their connections, with the status, and by the task that needed one.

use bailey_agent::Conversation;
use bailey_gate::ConnectionId;
use bailey_gate::family::escape::visible;
use bailey_vault::Vault;

use crate::home::Home;

/// Says what the person has to do, where the sign-in of a connection is over.
pub(crate) fn again(vault: &Vault, id: &ConnectionId, account: &str) -> Option<String> {
    let why = vault.sign_in_over(id)?;
    Some(format!(
        "sign in again: the provider renews the sign-in of `{account}` no more ({}). Connect it again on the page Connections, or with `bailey connect` and `--replace`; or end it with `bailey revoke {id}`.",
        visible(&why)
    ))
}

impl Home {
    /// Says of each connection whose sign-in is over what the person has to do.
    pub(crate) fn sign_ins_over(&self) -> Vec<(String, String)> {
        let standing = self.ledger.connections().unwrap_or_default().into_iter().filter(|row| row.grant.active);
        let told = |row: bailey_ledger::ConnectionRow| {
            let said = again(&self.vault, &row.id, &visible(&row.account))?;
            let mut letters = said.chars();
            let first = letters.next()?.to_uppercase();
            Some((row.account, format!("{first}{}", letters.as_str())))
        };
        standing.filter_map(told).collect()
    }

    /// Adds to what a task says to the person that a sign-in it needed is over, which a model may leave out.
    pub(crate) fn with_sign_ins(&self, conversation: &Conversation, words: String) -> String {
        let results =
            || conversation.turns.iter().flat_map(|turn| &turn.calls).filter_map(|call| call.result.as_deref());
        let needed = |account: &str| {
            let said = format!("the sign-in of `{account}` is over");
            results().any(|result| result.contains(&said))
        };
        let mut out = words;
        for (account, said) in self.sign_ins_over() {
            if needed(&account) {
                out = format!("{}\n\n{said}", out.trim_end());
            }
        }
        out
    }
}
