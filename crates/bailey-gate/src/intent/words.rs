//! Words as people write them in English, German and French, in lower case. A `*` at the end stands for any ending.

use super::Verb;

pub(super) const MAIL: &[&str] =
    &["mail*", "e-mail*", "email*", "inbox", "message*", "posteingang", "nachricht*", "courriel*", "courrier*"];
pub(super) const UNREAD: &[&str] = &["unread", "new", "inbox", "ungelesen*", "neue*", "posteingang", "lus", "nouveau*"];
pub(super) const CALENDAR: &[&str] = &[
    "calendar*",
    "schedule",
    "appointment*",
    "meeting*",
    "agenda",
    "busy",
    "free",
    "kalender*",
    "termin*",
    "calendrier",
    "rendez-vous",
    "réunion*",
];
pub(super) const SEND: &[&str] = &[
    "answer",
    "answers",
    "reply",
    "respond",
    "write",
    "send",
    "forward",
    "antworte*",
    "schreib*",
    "sende*",
    "schick*",
    "réponds",
    "répondre",
    "écris",
    "écrire",
    "envoie*",
    "envoyer",
];
/// Words that are a request where they begin one, and a thing anywhere else: "email Tom", "read my email".
pub(super) const ADDRESS: &[&str] =
    &["email", "e-mail", "mail", "message", "text", "tell", "notify", "remind", "ping", "schreib*"];
/// Words a request may begin behind.
pub(super) const BEGINNINGS: &[&str] = &[
    "please",
    "and",
    "then",
    "now",
    "also",
    "to",
    "you",
    "just",
    "bitte",
    "und",
    "dann",
    "jetzt",
    "et",
    "puis",
    "maintenant",
];
/// Whom the answer is for, not others.
pub(super) const ONESELF: &[&str] = &["me", "us", "myself", "mir", "mich", "uns", "moi", "nous"];
pub(super) const PAY: &[&str] = &[
    "pay",
    "pays",
    "payment",
    "payments",
    "repay",
    "refund*",
    "transfer*",
    "wire",
    "donate",
    "tip",
    "buy",
    "order",
    "orders",
    "purchase",
    "invoice",
    "bill",
    "bills",
    "rent",
    "transaction",
    "money",
    "spend",
    "reimburse*",
    "settle",
    "split",
    "zahl*",
    "bezahl*",
    "überweis*",
    "kauf*",
    "bestell*",
    "miete",
    "paie*",
    "payer",
    "payez",
    "rembourse*",
    "vire*",
    "virement*",
    "achète*",
    "acheter",
    "commande*",
];
/// Lists what is sent where "send" means paying.
pub(super) const MONEY: &[&str] = &[
    "amount", "sum", "fee", "fees", "price*", "cost", "costs", "paid", "spent", "iban", "eur", "euro", "euros", "usd",
    "dollar*", "betrag", "gebühr*", "preis*", "bezahlt", "montant", "somme", "frais", "prix",
];
pub(super) const SHARE: &[&str] = &["share", "grant", "publish", "teile*", "freigeben", "gib", "partage*", "publie*"];
/// "Do what it says there": a verb, and within a few words what is handed on.
pub(super) const DO: &[&str] =
    &["do", "follow", "carry", "execute", "perform", "complete", "befolge", "erledige", "suis", "exécute"];
pub(super) const HANDED_ON: &[&str] =
    &["actions", "instructions", "steps", "todos", "to-dos", "to-do", "todo", "anweisungen", "aufgaben", "consignes"];
pub(super) const DRAFT: &[&str] = &["draft*", "entwurf", "entwirf", "brouillon*"];
pub(super) const TRASH: &[&str] = &["trash", "delete", "bin", "lösch*", "supprime*", "corbeille"];
pub(super) const SORT: &[&str] = &["move", "archive", "file", "sort", "verschieb*", "archivier*", "déplace*", "range*"];
pub(super) const MARK: &[&str] =
    &["mark", "star", "unstar", "flag", "unflag", "label", "tag", "markier*", "kennzeichne*", "marque*", "étiquette*"];
pub(super) const UNSUBSCRIBE: &[&str] =
    &["unsubscribe*", "abbestell*", "abmeld*", "désabonn*", "désinscri*", "désinscrire"];
pub(super) const CREATE: &[&str] = &[
    "add",
    "append",
    "make",
    "write",
    "save",
    "store",
    "upload",
    "set",
    "create",
    "book",
    "enter",
    "schedule",
    "plan",
    "put",
    "block",
    "trag*",
    "erstell*",
    "plane",
    "ajoute*",
    "crée*",
    "planifie*",
];
pub(super) const CHANGE: &[&str] = &[
    "move",
    "reschedule",
    "update",
    "adjust",
    "edit",
    "overwrite",
    "rewrite",
    "rename",
    "modify",
    "append",
    "aktualisier*",
    "modifie*",
    "change",
    "shift",
    "postpone",
    "verschieb*",
    "verleg*",
    "ändere",
    "umleg*",
    "umzulegen",
    "vorverleg*",
    "schieb*",
    "déplace*",
    "change*",
    "reporte*",
    "décale*",
    "repousse*",
];
pub(super) const CANCEL: &[&str] = &[
    "cancel",
    "remove",
    "delete",
    "absag*",
    "abzusagen",
    "abblas*",
    "abzublasen",
    "streich*",
    "lösch*",
    "annule*",
    "d'annuler",
    "supprime*",
    "décommande*",
];
/// Verbs of two parts: how the first begins, the second, whether it may stand right behind the first, and what both ask for. Else the
/// second ends its part of the clause: "ab" is "from", and "um" is "at", anywhere else.
pub(super) const APART: &[(&[&str], &str, bool, Verb)] = &[
    (&["sag", "sage", "sagt", "sagen"], "ab", false, Verb::Cancel),
    (&["blas", "blase", "blast"], "ab", false, Verb::Cancel),
    (&["setz", "setze", "setzt"], "ab", false, Verb::Cancel),
    (&["call"], "off", true, Verb::Cancel),
    (&["leg", "lege", "legt", "legen"], "um", false, Verb::Change),
    (&["leg", "lege", "legt", "verleg", "verlege", "zieh", "ziehe"], "vor", false, Verb::Change),
    (&["put"], "off", true, Verb::Change),
    (&["push", "move", "put"], "back", true, Verb::Change),
    (&["bring", "move"], "forward", true, Verb::Change),
    (&["leg", "lege", "legt"], "an", false, Verb::Create),
];
/// Words that may stand behind the second part of such a verb.
pub(super) const BEHIND_APART: &[&str] = &[
    "bitte", "danke", "weil", "da", "denn", "wenn", "falls", "damit", "mit", "please", "to", "by", "until", "because",
    "if",
];
pub(super) const INVITE: &[&str] = &["invite", "invitation*", "einladen", "lade", "einladung*", "inviter"];
pub(super) const REMEMBER: &[&str] =
    &["remember", "note", "memorise", "memorize", "merk*", "notier*", "retiens", "note*"];

/// Words that say what is not to be done; what stands behind one in its clause is not asked for.
pub(super) const NOT: &[&str] =
    &["not", "don't", "dont", "never", "without", "nicht", "nie", "niemals", "kein*", "ohne", "pas", "jamais", "sans"];
/// Those of them that may stand behind their verb: "lösche den Termin nicht", "ne supprime pas".
pub(super) const NOT_BEHIND: &[&str] = &["nicht", "nie", "niemals", "kein*", "pas", "jamais"];
/// Words that join parts of a clause, each with a verb or a thing of its own.
pub(super) const JOINS: &[&str] = &[
    "and", "or", "then", "but", "plus", "und", "oder", "dann", "aber", "sondern", "sowie", "et", "ou", "puis", "mais",
];
/// Words that a subordinate clause begins with.
pub(super) const SUBORDINATES: &[&str] =
    &["that", "because", "if", "dass", "daß", "weil", "wenn", "falls", "ob", "damit", "que", "parce", "si"];
/// German names of months: there a day's number has a point, which ends no clause.
pub(super) const GERMAN_MONTHS: &[&str] = &[
    "januar",
    "jänner",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
];
/// Lists what takes a "not" back: "do not forget to write".
pub(super) const AFTER_ALL: &[&str] = &["forget", "hesitate", "only", "vergiss", "oublie*"];
/// Words that make a thing of the one behind them: "my reply", "the order".
pub(super) const THE: &[&str] =
    &["my", "your", "his", "her", "their", "our", "the", "this", "that", "a", "an", "last", "in"];
/// Words that are things as often as requests.
pub(super) const OR_A_THING: &[&str] =
    &["answer", "answers", "reply", "order", "orders", "write", "bill", "bills", "invoice", "rent", "tip", "wire"];
