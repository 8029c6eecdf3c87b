//! Words about codes.

use std::sync::LazyLock;

use regex::Regex;

use super::Pattern;

/// Words for what is typed in once.
pub(in crate::screen) static CODE: Pattern = LazyLock::new(|| {
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
pub(in crate::screen) static BOUND: Pattern =
    LazyLock::new(|| Regex::new(r"@[a-z0-9.-]{3,80} #([a-z0-9-]{4,12})\b").ok());

/// Codes that let in, and no others.
pub(in crate::screen) static STRONG_CODE: Pattern = LazyLock::new(|| {
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
pub(in crate::screen) static SIGNING: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:authentifier|connecter|anmelden|einloggen|verifizieren|bestatigen|sign in|log in|verify|confirm|iniciar sesion|verificar|confirmar",
        r"|accedere|verificare|confermare) ?:"
    ))
    .ok()
});

/// Telling somebody to type in what stands before it.
pub(in crate::screen) static TYPED_BEFORE: Pattern =
    LazyLock::new(|| Regex::new(r" (?:eingeben|eintippen|tippen|eingibst|drucken und|ein, um|ein und)\b").ok());

/// Places and things that open with a number.
pub(in crate::screen) static PLACE: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:alarm(?:anlage|e)?|alarma|allarme|digicode|portail|portal|porton|portone|cancello|lockbox|key ?box|keypad|key ?safe|schlusselsafe",
        r"|schlusselkasten|tresor|safe(?:'s)?|cassaforte|caja fuerte|coffre(?:-fort)?|boite a cles|garage|garaje|tiefgarage|locker|casier|taquilla",
        r"|packstation|(?:bike |door |pad)?lock|padlock|front door|barrier|gate|[a-z]*schloss|[a-z]*tor|hausture?|cadenas|candado|lucchetto|serratura",
        r"|barriere|barrera|barriera|clavier|interphone|citofono|portero|combo|kombi|sms|schranke)\b"
    ))
    .ok()
});

/// Telling somebody to type something in.
pub(in crate::screen) static TYPE: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:enter|type|use|using|with|input|key in|punch in|press|dial|type this in|geben sie|gib|tippe|tippen sie|verwenden sie|verwende|nutzen sie",
        r"|mit|saisissez|saisis|entrez|entre|tapez|utilisez|utilise|avec|introduce|introduzca|escribe|escriba|ingresa|ingrese|usa|use|utilice",
        r"|utiliza|con|marca|marque|composez|compose|teclea|pulsa|componi|premi|inserisci|inserisca|digita|digiti|usi|utilizza|utilizzi)\b"
    ))
    .ok()
});

/// What is spoken of where somebody signs in or confirms something.
pub(in crate::screen) const SIGN_IN: &[&str] = &[
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
pub(in crate::screen) const CODE_BEFORE: [&str; 28] = [
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
pub(in crate::screen) const NOT_A_CODE: [&str; 60] = [
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
pub(in crate::screen) const NOT_A_NUMBER: &[&str] = &[
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
pub(in crate::screen) const UNITS: [&str; 62] = [
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
