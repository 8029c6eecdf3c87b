//! Who gets what leaves, by a name in the form names of its kind are compared in.

use super::text::Address;

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

    /// The domain of an address; nothing for all else.
    #[must_use]
    pub fn domain(&self) -> &str {
        let split = self.value.rsplit_once('@').filter(|_| self.kind == Self::EMAIL);
        split.map_or("", |(_, domain)| domain)
    }

    /// Kinds of names that are written in groups of letters and digits, which blanks and strokes part as one likes.
    pub const GROUPED: [&'static str; 3] = ["iban", "account", "phone"];

    /// Whoever has an address of mail.
    #[must_use]
    pub fn of_address(address: &Address) -> Self {
        Self { kind: Self::EMAIL.into(), value: address.key() }
    }

    /// Puts the name into the form of its kind.
    #[must_use]
    pub fn new(kind: String, value: &str) -> Self {
        let address = Address::new(value).ok().filter(|_| kind == Self::EMAIL);
        let value = match address {
            Some(address) => address.key(),
            None if Self::GROUPED.contains(&kind.as_str()) => crate::ground::joined(value),
            None => crate::ground::plain(value),
        };
        Self { kind, value }
    }

    /// Everybody a value of a kind names; `None` where that cannot be read. Addresses may be several, parted by commas or
    /// semicolons, each with a name before it.
    #[must_use]
    pub fn read(kind: &str, value: &str) -> Option<Vec<Self>> {
        if kind != Self::EMAIL {
            return Some(vec![Self::new(kind.to_owned(), value)]);
        }
        let one = |text: &str| {
            let text = text.trim();
            let bare = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, inner)| inner);
            Address::new(bare).ok().map(|address| Self::of_address(&address))
        };
        value.split([',', ';']).map(one).collect()
    }
}
