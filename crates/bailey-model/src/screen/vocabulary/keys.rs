//! Words about keys, cards and what brings an account back.

use std::sync::LazyLock;

use regex::Regex;

use super::Pattern;

/// Words for keys and tokens, and identities of keys whose secret stands beside them.
pub(in crate::screen) static KEY: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:\b|_|-|[a-z])(?:key|keys|token|secret|schlussel|accountkey|privatekey)\b|\b(?:authorization|bearer|basic|credentials?|cle|clave|chiave",
        r"|jeton|[a-z]*token|(?:akia|asia)[a-z0-9]{16}|private-lines|private-mac|session(?:id)?|cookie|sid|psk)\b|\bsig="
    ))
    .ok()
});

/// What nobody could guess, by its letters.
pub(in crate::screen) static OPAQUE: Pattern = LazyLock::new(|| Regex::new(r"[A-Za-z0-9_+/=.~:-]{16,}").ok());

/// How private keys begin.
pub(in crate::screen) static PRIVATE_KEY: Pattern =
    LazyLock::new(|| Regex::new(r"-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----").ok());

/// A place with a name and a password in it (RFC 3986, 3.2.1).
pub(in crate::screen) static WITH_PASSWORD: Pattern =
    LazyLock::new(|| Regex::new(r#"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@"<>]{0,100}:([^\s/"<>]{1,200})@"#).ok());

/// Numbers as they stand on cards (ISO/IEC 7812).
pub(in crate::screen) static CARD: Pattern = LazyLock::new(|| {
    Regex::new(r"\b(?:[2-6]\d{3}([ -])\d{4}[ -]\d{4}[ -]\d{4}|3[47]\d{2}[ -]\d{6}[ -]\d{5}|[2-6]\d{14,15})\b").ok()
});

/// The number on the back of a card.
pub(in crate::screen) static CARD_CHECK: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:cvc2?|cvv2?|cvn|cid|crypto|cryptogramme(?: visuel)?|prufziffer|prufnummer|kartenprufnummer|sicherheitscode|security code",
        r"|codice di sicurezza|codigo de seguridad)(?: is| ist| est| es| e)?[ :=#|-]{1,4}(\d{3,4})\b",
        r"|\b(\d{3,4}) (?:on the back|hinten drauf|auf der ruckseite|au dos|al dorso|sul retro)\b"
    ))
    .ok()
});

/// Words about cards.
pub(in crate::screen) const CARD_WORDS: [&str; 12] =
    ["card", "karte", "carte", "tarjeta", "carta", "visa", "master", "amex", "cvc", "cvv", "cb ", " exp"];

/// Words for what brings a wallet back.
pub(in crate::screen) static SEED: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:seed|(?:recovery|secret|mnemonic|backup|wallet) (?:phrase|words|backup)|wallet|mnemonic|wiederherstellungs(?:phrase|worter|satz)",
        r"|merksatz|phrase (?:de recuperation|secrete|mnemonique)|mots de recuperation|frase (?:semilla|de recuperacion|mnemonica|di recupero|seed)",
        r"|palabras de recuperacion|parole di recupero)\b"
    ))
    .ok()
});

/// Words for lists of codes that bring an account back.
pub(in crate::screen) static BACKUP: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:(?:back-?up|recovery|emergency|scratch|rescue|reserve)[ -]codes?|(?:wiederherstellungs|sicherungs|ersatz|notfall|reserve|backup-?)codes?",
        r"|codes? de (?:secours|recuperation|sauvegarde)|codigos? de (?:respaldo|recuperacion|emergencia)|codici di (?:backup|recupero|riserva|emergenza)|lose your phone|lost your phone|back in)\b"
    ))
    .ok()
});

/// Words for the secret of an authenticator.
pub(in crate::screen) static AUTHENTICATOR: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:set-?up key|secret key|2fa secret|totp|otp secret|manual(?: entry)? key|authenticator|geheimschlussel|geheimer schlussel",
        r"|einrichtungsschlussel|cle secrete|cle de configuration|clave secreta|clave de configuracion|chiave segreta|chiave di configurazione)\b"
    ))
    .ok()
});

/// Pieces of base 64.
pub(in crate::screen) static BASE64: Pattern = LazyLock::new(|| Regex::new(r"\b[A-Za-z0-9+/_-]{16,}={0,2}").ok());
