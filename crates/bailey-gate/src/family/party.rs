//! Who gets what leaves, by a name in the form names of its kind are compared in.

use super::text::{Address, Mailbox};
use super::{addresses, punycode};

/// Somebody, or something, that gets what leaves: the kind of name, and the name in the form names of that kind are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party {
    /// `email`, `url`, `iban`, or what else a manifest says.
    pub kind: String,
    /// The name.
    pub value: String,
}

impl Party {
    /// The kind of e-mail addresses.
    pub const EMAIL: &'static str = "email";

    /// The kind of an organisation, by the domain of its addresses.
    pub const ORGANISATION: &'static str = "organisation";

    /// Returns the domain of an address; nothing for all else.
    #[must_use]
    pub fn domain(&self) -> &str {
        let split = self.value.rsplit_once('@').filter(|_| self.kind == Self::EMAIL);
        split.map_or("", |(_, domain)| domain)
    }

    /// Kinds of names that are written in groups of letters and digits, which blanks and strokes part as one likes.
    pub const GROUPED: [&'static str; 3] = ["iban", "account", "phone"];

    /// Returns whoever has an address of mail.
    #[must_use]
    pub fn of_address(address: &Address) -> Self {
        Self { kind: Self::EMAIL.into(), value: address.key() }
    }

    /// Puts the name into the form of its kind.
    #[must_use]
    pub fn new(kind: String, value: &str) -> Self {
        let address = Address::read(value).ok().filter(|_| kind == Self::EMAIL);
        let value = match address {
            Some(address) => address.key(),
            None if Self::GROUPED.contains(&kind.as_str()) => crate::ground::joined(value),
            None => crate::ground::plain(value),
        };
        Self { kind, value }
    }

    /// Reads everybody a value of a kind names; `None` where that cannot be read. Addresses are read by the grammar of mail
    /// ([`addresses::list`]).
    ///
    /// A name that looks like an address, and another one than the mail goes to, counts as one that cannot be read: this is for tools
    /// of others, and who is written to by one that cuts at commas is not known.
    #[must_use]
    pub fn read(kind: &str, value: &str) -> Option<Vec<Self>> {
        if kind != Self::EMAIL {
            return Some(vec![Self::new(kind.to_owned(), value)]);
        }
        let all = addresses::list(value, &punycode::to_ascii).ok()?;
        let clear = |mailbox: &Mailbox| !mailbox.is_deceptive();
        all.iter().all(clear).then(|| all.iter().map(|mailbox| Self::of_address(&mailbox.address)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_of_other_tools_are_read_as_those_of_mail() {
        let read = |value: &str| {
            Party::read(Party::EMAIL, value).map(|all| all.into_iter().map(|one| one.value).collect::<Vec<_>>())
        };
        assert_eq!(read(r#""Doe, Jane" <Jane.Doe@corp.example>"#).unwrap(), ["jane.doe@corp.example"]);
        assert_eq!(read("ana@example.org (Ana), bo@example.org").unwrap(), ["ana@example.org", "bo@example.org"]);
        assert_eq!(read("Team: joerg@exämple.org;").unwrap(), ["joerg@xn--exmple-cua.org"]);
        assert_eq!(read(r#""tom@example.org" <tom@example.org>"#).unwrap(), ["tom@example.org"]);
        assert_eq!(read(r#""eve@evil.example, Tom" <tom@example.org>"#), None);
        assert_eq!(read("eve@evil.example, Tom <tom@example.org>"), None);
        assert_eq!(Party::new("email".into(), "Joerg@exämple.org").value, "joerg@xn--exmple-cua.org");
    }
}
