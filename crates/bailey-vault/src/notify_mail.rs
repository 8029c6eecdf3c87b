//! Notices that something waits for the person, by mail: from an account of theirs to that account's own address. Whom it goes to is read of
//! the account's settings here, so that nobody above can name anyone else.

use std::time::Duration;

use bailey_gate::ConnectionId;
use bailey_gate::family::rfc5322;
use bailey_gate::family::text::Address;

use crate::smtp::{Refusal, Reply};
use crate::smtp_guard::SmtpGuard;
use crate::{Vault, VaultError};

/// How long handing one in may take: nobody waits for it, and the next says the same.
const WITHIN: Duration = Duration::from_secs(60);
/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// What a notice by mail says: lines of plain ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailNotice {
    /// Its subject.
    pub subject: String,
    /// Its text, a line each.
    pub lines: Vec<String>,
    /// A name that no other has, for its `Message-ID`.
    pub name: String,
    /// Now, in seconds since 1970-01-01T00:00Z, and the minutes by which the person's clock is ahead of UTC.
    pub at: (i64, i16),
}

impl MailNotice {
    /// Returns the message, from an address to the same (RFC 5322; RFC 3834, 5: nothing is to answer it by itself).
    fn render(&self, own: &Address) -> Vec<u8> {
        let plain = |text: &str| text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect::<String>();
        let (seconds, ahead) = self.at;
        let mut lines = vec![
            format!("Date: {}", rfc5322::date(seconds, ahead)),
            format!("From: Bailey <{own}>"),
            format!("To: <{own}>"),
            format!("Subject: {}", plain(&self.subject)),
            format!("Message-ID: <{}@bailey.invalid>", plain(&self.name)),
            "Auto-Submitted: auto-generated".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            "Content-Type: text/plain; charset=us-ascii".to_owned(),
            String::new(),
        ];
        lines.extend(self.lines.iter().map(|line| plain(line)));
        let mut text = lines.join("\r\n");
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Says why a server did not take a notice.
fn not_taken(reply: &Reply) -> String {
    format!("the mail server does not take it ({reply})")
}

impl Vault {
    /// Sends a notice by mail, from an account to its own address; returns the words of the server that took it.
    ///
    /// # Errors
    ///
    /// The account may not send, was revoked or changed, its server did not take the mail, or everything is paused.
    pub async fn notify_by_mail(
        &self,
        account: (ConnectionId, u64),
        notice: &MailNotice,
    ) -> Result<String, VaultError> {
        let access = self.own_notice(account);
        let settings = self.settings_of(&access)?;
        let address = settings.mail().map(|mail| mail.address.clone()).unwrap_or_default();
        let own = Address::read(&address).map_err(|error| VaultError::Refused(error.to_string()))?;
        let message = notice.render(&own);
        let to = [own.as_str().to_owned()];
        let guard = || SmtpGuard::new(own.as_str(), &to, &message);
        let sending = async {
            let mut session = self.open_submission(&access, guard).await?;
            let broken = |why: Refusal| why.to_string();
            let utf8 = !own.as_str().is_ascii();
            if utf8 && !session.takes_utf8() {
                return Err("the mail server takes no address with letters beyond plain ones".to_owned());
            }
            let mut reply = session.mail_from(own.as_str(), message.len(), utf8).await.map_err(broken)?;
            if reply.is_yes() {
                reply = session.recipient(own.as_str()).await.map_err(broken)?;
            }
            if !reply.is_yes() {
                return Err(not_taken(&reply));
            }
            reply = session.data().await.map_err(broken)?;
            if reply.code != 354 {
                return Err(not_taken(&reply));
            }
            reply = session.message(&message).await.map_err(broken)?;
            // How the good-bye goes changes nothing.
            let _ = tokio::time::timeout(GOOD_BYE, session.quit()).await;
            if reply.is_yes() { Ok(reply.to_string()) } else { Err(not_taken(&reply)) }
        };
        let in_time = async {
            let late = |_| Err("the mail server did not answer in time".to_owned());
            tokio::time::timeout(WITHIN, sending).await.unwrap_or_else(late)
        };
        self.until_cut(in_time).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_a_plain_mail_from_an_address_to_itself() {
        let notice = MailNotice {
            subject: "Bailey: 2 actions wait\r\nBcc: eve@evil.example".into(),
            lines: vec!["2 actions wait for you.".into(), "http://bailey.localhost/approvals".into()],
            name: "00ff".into(),
            at: (1_796_000_000, 60),
        };
        let own = Address::read("me@example.org").unwrap();
        let text = String::from_utf8(notice.render(&own)).unwrap();
        assert!(text.is_ascii() && text.ends_with("\r\n"));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "2 actions wait for you.\r\nhttp://bailey.localhost/approvals\r\n");
        let names: Vec<&str> = head.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
        let wanted = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
        assert_eq!(names, wanted, "no header can be added by words");
        assert!(head.contains("From: Bailey <me@example.org>\r\nTo: <me@example.org>\r\n"), "{head}");
    }
}
