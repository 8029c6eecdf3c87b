//! Words about secrets in English, German, French, Spanish and Italian, without accents and in lower case.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A pattern, made once.
pub(super) type Pattern = LazyLock<Option<Regex>>;

/// The places a pattern matches.
pub(super) fn matches<'a>(pattern: &'a Pattern, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    pattern.as_ref().into_iter().flat_map(|regex| regex.find_iter(text)).map(|found| found.range())
}

/// Words for what is typed in once.
pub(super) static CODE: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:[a-z]*codes?|c[o]digos?|codic[ei]|clave de (?:firma|un solo uso|acceso|seguridad)|[a-z]*passcodes?|digicode",
        r"|otps?|[a-z]{0,6}-?tan|pin[12]?|puk[12]?",
        r"|einmal-?(?:passwort|kennwort|pin)|one[- ]?time[- ](?:password|pin|passcode)|mot de passe a usage unique",
        r"|contrasena de un solo uso|password monouso|clave dinamica|(?:zahlen)?kombination|combination|combinaison",
        r"|combinacion|combinazione|bestatigungsnummer|verifizierungsnummer|freigabenummer|2fa|(?:verification|backup|access|unlock|security) number|pincode)\b"
    ))
    .ok()
});

/// Codes bound to a site, in the last line of a message (the format that Apple and the WICG wrote down).
pub(super) static BOUND: Pattern = LazyLock::new(|| Regex::new(r"@[a-z0-9.-]{3,80} #([a-z0-9-]{4,12})\b").ok());

/// Places and things that open with a number.
pub(super) static PLACE: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:alarm(?:anlage|e)?|alarma|allarme|digicode|portail|portal|porton|portone|cancello|lockbox|key ?box|keypad|key ?safe|schlusselsafe",
        r"|schlusselkasten|tresor|safe(?:'s)?|cassaforte|caja fuerte|coffre(?:-fort)?|boite a cles|garage|garaje|tiefgarage|locker|casier|taquilla",
        r"|packstation|(?:bike |door |pad)?lock|padlock|front door|barrier|gate|[a-z]*schloss|[a-z]*tor|hausture?|cadenas|candado|lucchetto|serratura",
        r"|barriere|barrera|barriera|clavier|interphone|citofono|portero|combo|kombi|sms|schranke)\b"
    ))
    .ok()
});

/// Codes that let in, and no others.
pub(super) static STRONG_CODE: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:verification|verify|security|confirmation|authentication|authori[sz]ation|activation|access|log-?in|log in|sign-?in|sign in|one-?time",
        r"|single-?use|temporary|unlock|reset|recovery|two-factor|2fa|2-step|approval|pairing|entry|door|gate|pick-?up|collection)[ -]codes?",
        r"|(?:bestatigungs|sicherheits|anmelde|einmal|verifizierungs|freischalt|aktivierungs|zugangs|freigabe|entsperr|registrierungs|abhol)-?code",
        r"|code (?:de verification|de securite|de confirmation|d'acces|d'authentification|d'activation|temporaire|a usage unique|de connexion)",
        r"|codigo (?:de verificacion|de seguridad|de confirmacion|de acceso|de activacion|temporal|de un solo uso|de inicio de sesion|de entrega|de recogida)",
        r"|codice (?:di verifica|di sicurezza|di conferma|di accesso|di attivazione|temporaneo|otp|usa e getta|di ritiro)|\b(?:otp|passcode|[a-z]{0,6}-?tan)\b"
    ))
    .ok()
});

/// Saying what a number is for, right before it.
pub(super) static SIGNING: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:authentifier|connecter|anmelden|einloggen|verifizieren|bestatigen|sign in|log in|verify|confirm|iniciar sesion|verificar|confirmar",
        r"|accedere|verificare|confermare) ?:"
    ))
    .ok()
});

/// Telling somebody to type in what stands before it.
pub(super) static TYPED_BEFORE: Pattern =
    LazyLock::new(|| Regex::new(r" (?:eingeben|eintippen|tippen|eingibst|drucken und|ein, um|ein und)\b").ok());

/// Telling somebody to type something in.
pub(super) static TYPE: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:enter|type|use|using|with|input|key in|punch in|press|dial|type this in|geben sie|gib|tippe|tippen sie|verwenden sie|verwende|nutzen sie",
        r"|mit|saisissez|saisis|entrez|entre|tapez|utilisez|utilise|avec|introduce|introduzca|escribe|escriba|ingresa|ingrese|usa|use|utilice",
        r"|utiliza|con|marca|marque|composez|compose|teclea|pulsa|componi|premi|inserisci|inserisca|digita|digiti|usi|utilizza|utilizzi)\b"
    ))
    .ok()
});

/// What is spoken of where somebody signs in or confirms something.
pub(super) const SIGN_IN: &[&str] = &[
    "sign in",
    "sign-in",
    "signing in",
    "signed in",
    "log in",
    "login",
    "log-in",
    "logging in",
    "verify",
    "verif",
    "reset",
    "confirm",
    "identity",
    "your account",
    "password",
    "passcode",
    "panel",
    "unlock",
    "authori",
    "two-factor",
    "2fa",
    "anmeld",
    "einlogg",
    "bestatig",
    "freigabe",
    "passwort",
    "konto",
    "zugang",
    "connecter",
    "connexion",
    "compte",
    "mot de passe",
    "valider",
    "authentif",
    "identite",
    "iniciar",
    "inicio de sesion",
    "sesion",
    "cuenta",
    "contrasena",
    "verificar",
    "confirmar",
    "restablecer",
    "autorizar",
    "accedere",
    "accesso",
    "accedi",
    "conto",
    "confermare",
    "conferma",
    "verifica",
    "identita",
    "autorizzare",
    "keypad",
    "barrier",
    "console",
    "on your tv",
    "entry code",
    "gate",
    "door",
    "teclado",
    "almohadilla",
    "raute",
    "clavier",
    "activate",
    "anzumeld",
    "einzulogg",
    "aktivier",
    "activer",
    "activar",
    "attivare",
    "immeuble",
    "portone",
    "cancello",
    "garaje",
    "registration",
    "registrierung",
    "inscription",
    "registro",
    "registrazione",
];

/// How what stands before "your code" is joined to it.
pub(super) const CODE_BEFORE: [&str; 28] = [
    "is ",
    "is:",
    "ist ",
    "est ",
    "es ",
    "e il",
    "e la",
    "- ",
    "-",
    "=",
    ": ",
    "as ",
    "als ",
    "comme ",
    "como ",
    "come ",
    "(",
    "to ",
    "when asked",
    "for your",
    "fur ",
    "pour ",
    "para ",
    "per ",
    "ein,",
    "ist,",
    "c'est",
    ", c'est",
];

/// Codes that open nothing, and what stands behind "code" where it is no code. Beginnings of words.
pub(super) const NOT_A_CODE: [&str; 60] = [
    "postal",
    "postcode",
    "postleit",
    "zip",
    "area",
    "country",
    "exit",
    "error",
    "fehler",
    "status",
    "http",
    "discount",
    "promo",
    "coupon",
    "voucher",
    "gutschein",
    "rabatt",
    "aktions",
    "referral",
    "dress",
    "source",
    "quell",
    "tax",
    "fiscal",
    "sort",
    "swift",
    "bic",
    "product",
    "produkt",
    "item",
    "order",
    "tracking",
    "booking",
    "buchungs",
    "colour",
    "color",
    "course",
    "airport",
    "iata",
    "currency",
    "department",
    "cost",
    "customer",
    "article",
    "artikel",
    "review",
    "freeze",
    "sconto",
    "descuento",
    "avantage",
    "reduction",
    "vorwahl",
    "barcode",
    "qrcode",
    "strichcode",
    "bar",
    "civil",
    "penal",
    "de la route",
    "unicode",
];

/// What says that the number behind it is another one.
pub(super) const NOT_A_NUMBER: &[&str] = &[
    "ending in",
    "ending with",
    "ends in",
    "endet auf",
    "endend auf",
    "endet mit",
    "se terminant par",
    "finissant par",
    "terminado en",
    "termina en",
    "che termina con",
    "call ",
    "tel ",
    "tel. ",
    "phone number",
    "invoice",
    "rechnung",
    "facture",
    "factura",
    "fattura",
    "order",
    "bestell",
    "commande",
    "pedido",
    "ordine",
];

/// What makes a number a quantity.
pub(super) const UNITS: [&str; 62] = [
    "eur",
    "euro",
    "euros",
    "usd",
    "chf",
    "gbp",
    "dollars",
    "percent",
    "prozent",
    "minutes",
    "minuten",
    "minutos",
    "minuti",
    "min",
    "mins",
    "hours",
    "stunden",
    "heures",
    "horas",
    "ore",
    "days",
    "tage",
    "tagen",
    "jours",
    "dias",
    "giorni",
    "seconds",
    "sekunden",
    "km",
    "kg",
    "g",
    "ml",
    "m",
    "cm",
    "mm",
    "mb",
    "gb",
    "kb",
    "bytes",
    "uhr",
    "pm",
    "am",
    "ms",
    "followers",
    "people",
    "points",
    "punkte",
    "characters",
    "zeichen",
    "caracteres",
    "caratteri",
    "lines",
    "zeilen",
    "lignes",
    "tests",
    "kwh",
    "times",
    "mal",
    "fois",
    "veces",
    "volte",
    "words",
];

/// Words for passwords that mean nothing else.
pub(super) static PASSWORD: Pattern = LazyLock::new(|| {
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
pub(super) static WEAK_PASSWORD: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:key|cle|clave|chiave|[a-z]*schlussel|la contra|new one|das neue|le nouveau|la nueva|quella nuova|wi-?fi|wlan|login|credentials|zugangsdaten|identifiants|credenziali",
        r"|credenciales|secret|verschlusselt mit|protected with|geschutzt mit)\b"
    ))
    .ok()
});

/// How a word and a password are joined.
pub(super) static COPULA: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:\b(?:is|lautet|ist|est|es|e|was|will be|must be|be|set to|to|auf|sera|sara|heisst|now|jetzt)|c'est|'s)",
        r"(?: (?:now|jetzt|nun|maintenant|ahora|adesso|still|again|the following|folgendes))?(?: the| le)?(?:[ :]|$)"
    ))
    .ok()
});

/// What stands behind a password that is called so afterwards.
pub(super) static CALLED_PASSWORD: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r" (?:is|ist|est|es|e|as|als|comme|como|come|-) (?:the |your |my |our |a |das |dein |ihr |le |votre |ton |la |tu |su |il |tua |sua )?",
        r"(?:new |wi-?fi |wlan-?|admin |root |guest )?(?:pass ?word|passphrase|passwort|kennwort|mot de passe|mdp|contrasena|clave|password)\b",
        r"| (?:verschlusselt|geschutzt)\b"
    ))
    .ok()
});

/// What stands before a password that is given with the name of its account.
pub(super) static BEHIND_A_PAIR: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:login|log-in|user|username|account|credentials|zugangsdaten|zugang|benutzer|identifiants?(?: de connexion)?|utilisateur",
        r"|usuario|utente|credenziali|credenciales|wi-?fi|wlan|ssid|rete|red|acceso|accesso)\b[^\n/]{1,60}/ ?|\b(?:root|admin) ?/ ?"
    ))
    .ok()
});

/// Passwords in commands, and hashes of passwords (crypt, Apache).
pub(super) static COMMAND: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r#"\b(?:mysql|mysqldump|mariadb|sshpass|zip|7z|unzip|mosquitto_pub|redis-cli)\b[^\n]{0,80}? -(?:[pPa]) ?['"]?([^\s'"]{4,100})"#,
        r#"|\b(?:curl|wget|http)\b[^\n]{0,80}? (?:-u|--user) ?['"]?[^\s:'"]{1,60}:([^\s'"]{3,100})"#,
        r"|(\$(?:apr1|1|2[aby]|5|6|y|argon2id?)\$[A-Za-z0-9./$,=+]{16,200})"
    ))
    .ok()
});

/// What is said about passwords, and is none.
pub(super) const NO_PASSWORD: &[&str] = &[
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
pub(super) const PARTICIPLES: [&str; 8] = ["ed", "iert", "ado", "ada", "ido", "ida", "ato", "ata"];

/// Links of any scheme, and those of authenticator apps.
pub(super) static LINK: Pattern =
    LazyLock::new(|| Regex::new(r#"\b[a-z][a-z0-9+.-]{1,20}://[^\s"<>|`\\]+|\botpauth:[^\s"<>]+"#).ok());

/// Parameters that are secret, whole or by their last word.
pub(super) const SECRET_PARAMETERS: &[&str] = &[
    "token",
    "code",
    "otp",
    "sig",
    "signature",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passcode",
    "pass",
    "auth",
    "oobcode",
    "ticket",
    "key",
    "k",
    "t",
    "hash",
    "h",
    "jwt",
    "session",
    "sid",
    "nonce",
    "magic",
    "invite",
    "authkey",
    "rlkey",
    "accesskey",
    "apikey",
    "access_token",
    "id_token",
    "refresh_token",
    "credential",
    "schluessel",
    "schlussel",
    "jeton",
    "clave",
    "codice",
    "chiave",
    "cle",
    "hmac",
    "confirmation",
    "confirmationtoken",
    "verification",
    "activation",
    "bearer",
    "resettoken",
    "logintoken",
    "accesstoken",
];

/// Words in a place where accounts are opened, confirmed or joined.
pub(super) const ACCOUNT_IN_PLACE: &[&str] = &[
    "reset",
    "recover",
    "magic",
    "verif",
    "confirm",
    "activat",
    "passw",
    "signin",
    "sign-in",
    "sign_in",
    "login",
    "log-in",
    "invit",
    "token",
    "otp",
    "auth",
    "unlock",
    "register",
    "onboarding",
    "accept",
    "join",
    "setup",
    "signup",
    "sign-up",
    "optin",
    "opt-in",
    "sso",
    "einladung",
    "bestaetig",
    "bestatig",
    "zuruecksetz",
    "anmeld",
    "registrier",
    "freischalt",
    "connexion",
    "activer",
    "inscription",
    "reinitialis",
    "invitation",
    "mdp",
    "restablec",
    "activar",
    "acceso",
    "registro",
    "invitacion",
    "reimposta",
    "conferma",
    "attiva",
    "accedi",
    "registra",
    "invito",
    "shared_invite",
    "secret",
    "private",
    "approv",
    "/send/",
    "/s/",
    "/#/",
    "welcome",
    "validat",
    "valider",
    "verwaltung",
    "action=rp",
    "action",
    "acces",
    "completa",
    "aktivier",
    "freigabe",
];

/// Words about accounts that stand near a link that opens one.
pub(super) const ACCOUNT_WORDS: &[&str] = &[
    "sign in",
    "sign-in",
    "log in",
    "login",
    "log-in",
    "magic link",
    "reset",
    "password",
    "passwordless",
    "verify",
    "confirm",
    "activate",
    "invit",
    "unlock",
    "your account",
    "new account",
    "set up your",
    "one-time link",
    "works once",
    "expires in",
    "was it you",
    "without signing in",
    "no sign-in",
    "anmeld",
    "einlogg",
    "passwort",
    "bestatig",
    "aktivier",
    "freischalt",
    "einladung",
    "eingeladen",
    "registrier",
    "konto",
    "connecter",
    "connexion",
    "mot de passe",
    "confirmez",
    "confirmer",
    "activez",
    "activer",
    "votre compte",
    "invitation",
    "lien est valable",
    "reinitialis",
    "iniciar sesion",
    "contrasena",
    "confirma",
    "activa",
    "tu cuenta",
    "su cuenta",
    "invitad",
    "restablec",
    "accedi",
    "accesso",
    "conferma",
    "attiva",
    "tuo account",
    "invitat",
    "reimposta",
    "approve",
    "register",
    "registr",
    "inscription",
    "inscri",
    "validez",
    "valider",
    "valide ",
    "secure message",
    "shared with you",
    "works for",
    "valid for",
    "gultig",
    "lauft ab",
    "valable",
    "expire",
    "caduca",
    "valido",
    "scade",
    "verifica",
    "verificar",
    "completa",
    "complete",
    "finish",
    "accept",
    "aceptar",
    "accetta",
    "annehmen",
    "accepter",
    "zugang",
    "acces ",
    "acceso",
    "change of e-mail",
    "e-mail address",
    "email address",
    "your device",
    "this device",
    "download (",
    "auth",
];

/// Hosts whose links let in whoever has them, and how their places begin.
pub(super) const OPENING_HOSTS: &[(&str, &str)] = &[
    ("discord.gg", "/"),
    ("discord.com", "/invite/"),
    ("discord.com", "/api/webhooks/"),
    ("chat.whatsapp.com", "/"),
    ("t.me", "/+"),
    ("t.me", "/joinchat/"),
    ("join.slack.com", "/t/"),
    ("hooks.slack.com", "/services/"),
    ("signal.group", "/"),
];

/// Hosts whose links name a meeting or a page, and open nothing by themselves.
pub(super) const PLAIN_HOSTS: &[(&str, &str)] = &[
    ("teams.microsoft.com", "/l/meetup-join/"),
    ("meet.google.com", "/"),
    ("zoom.us", "/j/"),
    ("docs.google.com", "/document/d/"),
    ("docs.google.com", "/spreadsheets/d/"),
    ("docs.google.com", "/presentation/d/"),
    ("youtube.com", "/watch"),
    ("youtu.be", "/"),
    ("wikipedia.org", "/"),
];

/// Words for keys and tokens, and identities of keys whose secret stands beside them.
pub(super) static KEY: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:\b|_|-|[a-z])(?:key|keys|token|secret|schlussel|accountkey|privatekey)\b|\b(?:authorization|bearer|basic|credentials?|cle|clave|chiave",
        r"|jeton|[a-z]*token|(?:akia|asia)[a-z0-9]{16}|private-lines|private-mac|session(?:id)?|cookie|sid|psk)\b|\bsig="
    ))
    .ok()
});

/// What nobody could guess, by its letters.
pub(super) static OPAQUE: Pattern = LazyLock::new(|| Regex::new(r"[A-Za-z0-9_+/=.~:-]{16,}").ok());

/// How private keys begin.
pub(super) static PRIVATE_KEY: Pattern =
    LazyLock::new(|| Regex::new(r"-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----").ok());

/// A place with a name and a password in it (RFC 3986, 3.2.1).
pub(super) static WITH_PASSWORD: Pattern =
    LazyLock::new(|| Regex::new(r#"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@"<>]{0,100}:([^\s/"<>]{1,200})@"#).ok());

/// Numbers as they stand on cards (ISO/IEC 7812).
pub(super) static CARD: Pattern = LazyLock::new(|| {
    Regex::new(r"\b(?:[2-6]\d{3}([ -])\d{4}[ -]\d{4}[ -]\d{4}|3[47]\d{2}[ -]\d{6}[ -]\d{5}|[2-6]\d{14,15})\b").ok()
});

/// The number on the back of a card.
pub(super) static CARD_CHECK: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:cvc2?|cvv2?|cvn|cid|crypto|cryptogramme(?: visuel)?|prufziffer|prufnummer|kartenprufnummer|sicherheitscode|security code",
        r"|codice di sicurezza|codigo de seguridad)(?: is| ist| est| es| e)?[ :=#|-]{1,4}(\d{3,4})\b",
        r"|\b(\d{3,4}) (?:on the back|hinten drauf|auf der ruckseite|au dos|al dorso|sul retro)\b"
    ))
    .ok()
});

/// Words about cards.
pub(super) const CARD_WORDS: [&str; 12] =
    ["card", "karte", "carte", "tarjeta", "carta", "visa", "master", "amex", "cvc", "cvv", "cb ", " exp"];

/// Words for what brings a wallet back.
pub(super) static SEED: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:seed|(?:recovery|secret|mnemonic|backup|wallet) (?:phrase|words|backup)|wallet|mnemonic|wiederherstellungs(?:phrase|worter|satz)",
        r"|merksatz|phrase (?:de recuperation|secrete|mnemonique)|mots de recuperation|frase (?:semilla|de recuperacion|mnemonica|di recupero|seed)",
        r"|palabras de recuperacion|parole di recupero)\b"
    ))
    .ok()
});

/// Words for lists of codes that bring an account back.
pub(super) static BACKUP: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:(?:back-?up|recovery|emergency|scratch|rescue|reserve)[ -]codes?|(?:wiederherstellungs|sicherungs|ersatz|notfall|reserve|backup-?)codes?",
        r"|codes? de (?:secours|recuperation|sauvegarde)|codigos? de (?:respaldo|recuperacion|emergencia)|codici di (?:backup|recupero|riserva|emergenza)|lose your phone|lost your phone|back in)\b"
    ))
    .ok()
});

/// Words for the secret of an authenticator.
pub(super) static AUTHENTICATOR: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:set-?up key|secret key|2fa secret|totp|otp secret|manual(?: entry)? key|authenticator|geheimschlussel|geheimer schlussel",
        r"|einrichtungsschlussel|cle secrete|cle de configuration|clave secreta|clave de configuracion|chiave segreta|chiave di configurazione)\b"
    ))
    .ok()
});

/// Pieces of base 64.
pub(super) static BASE64: Pattern = LazyLock::new(|| Regex::new(r"\b[A-Za-z0-9+/_-]{16,}={0,2}").ok());
