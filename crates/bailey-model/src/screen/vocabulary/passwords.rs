//! Words about passwords.

use std::sync::LazyLock;

use regex::Regex;

use super::Pattern;

/// Words for passwords that mean nothing else.
pub(in crate::screen) static PASSWORD: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:\b|_|[a-z])(?:pass ?words?|passwd|pass ?phrase|passcode|passwort|passworter|kennwort|losungswort|code ?word|mots? de passe",
        r"|contrasena|parola d'ordine|parola chiave|secret access key)\b",
        r"|(?:\b|_)(?:pwd|pw|psw|pass|mdp|psk)\b",
        r"|\b(?:wpa[23]?|wi-?fi|wlan|wireless|network|netzwerk)[- ]?(?:key|code|schlussel|passw[a-z]+|pw)\b",
        r"|\b(?:cle|clave|chiave|contrasena|schlussel|code) (?:wpa2?|wep|(?:du |del |de la |di |de |fur(?:s| das) )?(?:wi-?fi|wlan|rete|red))\b",
        r"|\bmaiden name\b.{0,12}\banswer\b"
    ))
    .ok()
});

/// Words that mean passwords among other things.
pub(in crate::screen) static WEAK_PASSWORD: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:key|cle|clave|chiave|[a-z]*schlussel|la contra|new one|das neue|le nouveau|la nueva|quella nuova|wi-?fi|wlan|login|credentials|zugangsdaten|identifiants|credenziali",
        r"|credenciales|secret|verschlusselt mit|protected with|geschutzt mit)\b"
    ))
    .ok()
});

/// How a word and a password are joined.
pub(in crate::screen) static COPULA: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:\b(?:is|lautet|ist|est|es|e|was|will be|must be|be|set to|to|auf|sera|sara|heisst|now|jetzt)|c'est|'s)",
        r"(?: (?:now|jetzt|nun|maintenant|ahora|adesso|still|again|the following|folgendes))?(?: the| le)?(?:[ :]|$)"
    ))
    .ok()
});

/// What stands behind a password that is called so afterwards.
pub(in crate::screen) static CALLED_PASSWORD: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r" (?:is|ist|est|es|e|as|als|comme|como|come|-) (?:the |your |my |our |a |das |dein |ihr |le |votre |ton |la |tu |su |il |tua |sua )?",
        r"(?:new |wi-?fi |wlan-?|admin |root |guest )?(?:pass ?word|passphrase|passwort|kennwort|mot de passe|mdp|contrasena|clave|password)\b",
        r"| (?:verschlusselt|geschutzt)\b"
    ))
    .ok()
});

/// What stands before a password that is given with the name of its account.
pub(in crate::screen) static BEHIND_A_PAIR: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:login|log-in|user|username|account|credentials|zugangsdaten|zugang|benutzer|identifiants?(?: de connexion)?|utilisateur",
        r"|usuario|utente|credenziali|credenciales|wi-?fi|wlan|ssid|rete|red|acceso|accesso)\b[^\n/]{1,60}/ ?|\b(?:root|admin) ?/ ?"
    ))
    .ok()
});

/// Passwords in commands, and hashes of passwords (crypt, Apache).
pub(in crate::screen) static COMMAND: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r#"\b(?:mysql|mysqldump|mariadb|sshpass|zip|7z|unzip|mosquitto_pub|redis-cli)\b[^\n]{0,80}? -(?:[pPa]) ?['"]?([^\s'"]{4,100})"#,
        r#"|\b(?:curl|wget|http)\b[^\n]{0,80}? (?:-u|--user) ?['"]?[^\s:'"]{1,60}:([^\s'"]{3,100})"#,
        r"|(\$(?:apr1|1|2[aby]|5|6|y|argon2id?)\$[A-Za-z0-9./$,=+]{16,200})"
    ))
    .ok()
});

/// What is said about passwords, and is none.
pub(in crate::screen) const NO_PASSWORD: &[&str] = &[
    "required",
    "optional",
    "see",
    "sent",
    "will",
    "none",
    "n/a",
    "forgotten",
    "forgot",
    "reset",
    "changed",
    "change",
    "wrong",
    "incorrect",
    "invalid",
    "weak",
    "strong",
    "secure",
    "safe",
    "the",
    "a",
    "an",
    "of",
    "on",
    "in",
    "at",
    "to",
    "for",
    "from",
    "with",
    "and",
    "or",
    "not",
    "no",
    "too",
    "very",
    "please",
    "ask",
    "your",
    "my",
    "our",
    "this",
    "that",
    "it",
    "as",
    "is",
    "are",
    "was",
    "be",
    "been",
    "has",
    "have",
    "had",
    "must",
    "should",
    "can",
    "may",
    "new",
    "old",
    "same",
    "unchanged",
    "hidden",
    "secret",
    "protected",
    "policy",
    "manager",
    "managers",
    "field",
    "missing",
    "empty",
    "expired",
    "about",
    "short",
    "long",
    "correct",
    "ready",
    "true",
    "false",
    "null",
    "joke",
    "here",
    "below",
    "above",
    "attached",
    "separately",
    "later",
    "case",
    "sensitive",
    "back",
    "under",
    "over",
    "nicht",
    "falsch",
    "richtig",
    "erforderlich",
    "abgelaufen",
    "vergessen",
    "andern",
    "geandert",
    "sicher",
    "unsicher",
    "stark",
    "schwach",
    "kurz",
    "lang",
    "neu",
    "alt",
    "siehe",
    "folgt",
    "separat",
    "und",
    "oder",
    "der",
    "die",
    "das",
    "den",
    "dem",
    "ein",
    "eine",
    "fur",
    "mit",
    "von",
    "bei",
    "im",
    "zu",
    "wird",
    "wurde",
    "kommt",
    "bitte",
    "gleich",
    "immer",
    "noch",
    "schon",
    "leer",
    "gultig",
    "est",
    "oublie",
    "incorrecte",
    "requis",
    "obligatoire",
    "voir",
    "le",
    "la",
    "les",
    "un",
    "une",
    "du",
    "des",
    "de",
    "et",
    "ou",
    "pas",
    "trop",
    "court",
    "faible",
    "fort",
    "votre",
    "chez",
    "sur",
    "dans",
    "vide",
    "provisoire",
    "temporaire",
    "nouveau",
    "envoye",
    "obligatoria",
    "obligatorio",
    "incorrecta",
    "incorrecto",
    "correcta",
    "el",
    "los",
    "las",
    "una",
    "del",
    "y",
    "o",
    "en",
    "por",
    "para",
    "con",
    "su",
    "tu",
    "muy",
    "ver",
    "nueva",
    "segura",
    "temporal",
    "olvidada",
    "caducada",
    "errata",
    "corretta",
    "dimenticata",
    "scaduta",
    "il",
    "lo",
    "gli",
    "di",
    "da",
    "per",
    "e",
    "sua",
    "tua",
    "nuova",
    "sicura",
    "vedi",
    "troppo",
    "provvisoria",
    "temporanea",
    "wpa",
    "wpa2",
    "wpa3",
    "wep",
    "ssid",
    "2fa",
    "information",
    "instructions",
    "help",
    "security",
    "login",
    "email",
    "e-mail",
    "username",
    "user",
    "name",
    "n",
    "yes",
    "ja",
    "oui",
];

/// How words end that say what became of a password.
pub(in crate::screen) const PARTICIPLES: [&str; 8] = ["ed", "iert", "ado", "ada", "ido", "ida", "ato", "ata"];
