//! Words that say how much of a series is meant, in English, German and French, in lower case, as in [`super::words`].

/// Each one of what stands behind it.
pub(super) const EACH: &[&str] = &["every", "each", "jede*", "chaque"];
/// All of what stands behind it.
pub(super) const ALL: &[&str] = &["all", "alle", "allen", "aller", "sämtliche*", "tous", "toutes"];
/// The whole of what stands behind it.
pub(super) const WHOLE: &[&str] =
    &["whole", "entire", "complete", "ganz*", "gesamt*", "komplett*", "entier*", "entière*", "toute"];
/// Everything.
pub(super) const EVERYTHING: &[&str] = &["everything", "alles", "tout"];
/// Altogether.
pub(super) const ALTOGETHER: &[&str] = &[
    "altogether",
    "entirely",
    "completely",
    "permanently",
    "forever",
    "vollständig",
    "endgültig",
    "complètement",
    "définitivement",
];
/// What goes on and on.
pub(super) const SERIES: &[&str] = &["series", "serie", "serien*", "terminserie*", "reihe", "série*"];
/// One of many.
pub(super) const SINGLE: &[&str] = &[
    "one",
    "single",
    "only",
    "just",
    "once",
    "nur",
    "bloß",
    "einzeln*",
    "einmal",
    "seul*",
    "seulement",
    "juste",
    "uniquement",
];
/// What comes after.
pub(super) const FOLLOWING: &[&str] = &[
    "following",
    "follow",
    "subsequent",
    "later",
    "folgend*",
    "nachfolgend*",
    "folgen",
    "weitere*",
    "suivant*",
    "prochains",
    "prochaines",
];
/// What is still to come.
pub(super) const FUTURE: &[&str] = &[
    "future",
    "remaining",
    "upcoming",
    "künftig*",
    "zukünftig*",
    "restlich*",
    "übrigen",
    "futurs",
    "futures",
    "restants",
    "restantes",
];
/// From then on, in one word.
pub(super) const HENCEFORTH: &[&str] = &[
    "onward",
    "onwards",
    "thereafter",
    "hereafter",
    "henceforth",
    "künftig",
    "zukünftig",
    "fortan",
    "désormais",
    "dorénavant",
];
/// What is left.
pub(super) const REST: &[&str] = &["rest", "reste"];
/// Words a beginning stands behind; the first of them alone say no more than where from.
pub(super) const FROM: &[&str] = &["from", "vom", "von"];
pub(super) const STARTING: &[&str] = &["starting", "beginning", "ab", "dès", "partir"];
/// Words that make a "from" go on.
pub(super) const ON: &[&str] = &["on", "onward", "onwards", "forward", "an"];
/// Words a goal stands behind.
pub(super) const TO: &[&str] = &["to", "until", "till", "auf", "zum", "bis", "à", "au", "aux"];
/// Words that may stand within a date.
pub(super) const IN_DATES: &[&str] = &[
    "the",
    "next",
    "this",
    "coming",
    "of",
    "at",
    "der",
    "dem",
    "den",
    "des",
    "nächst*",
    "kommend*",
    "diese*",
    "um",
    "uhr",
    "le",
    "la",
    "du",
    "de",
    "d",
    "prochain",
    "prochaine",
    "ce",
    "cette",
    "o'clock",
    "am",
    "pm",
    "h",
];
/// Words that a date may be alone, behind a "from".
pub(super) const MOMENTS: &[&str] = &["now", "then", "here", "jetzt", "sofort", "diesem", "dieser", "maintenant", "là"];
/// Days; a "'s" is taken off before.
pub(super) const DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mon",
    "tue",
    "tues",
    "wed",
    "thu",
    "thur",
    "thurs",
    "fri",
    "sat",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonnabend",
    "sonntag",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
];
/// Days as one says them of each week.
pub(super) const EACH_DAY: &[&str] = &[
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "montags",
    "dienstags",
    "mittwochs",
    "donnerstags",
    "freitags",
    "samstags",
    "sonntags",
    "lundis",
    "mardis",
    "mercredis",
    "jeudis",
    "vendredis",
    "samedis",
    "dimanches",
];
/// Days seen from today.
pub(super) const RELATIVE: &[&str] = &[
    "today",
    "tonight",
    "tomorrow",
    "yesterday",
    "heute",
    "morgen",
    "übermorgen",
    "gestern",
    "aujourd'hui",
    "demain",
    "après-demain",
];
/// Names of months.
pub(super) const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "aug",
    "sep",
    "sept",
    "oct",
    "okt",
    "nov",
    "dec",
    "dez",
    "januar",
    "jänner",
    "februar",
    "märz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "janvier",
    "février",
    "mars",
    "avril",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
/// Spans of time.
pub(super) const SPANS: &[&str] = &[
    "day",
    "days",
    "weekday",
    "week",
    "weeks",
    "weekend",
    "month",
    "months",
    "year",
    "morning",
    "afternoon",
    "evening",
    "tag",
    "tage",
    "tages",
    "tagen",
    "woche",
    "wochen",
    "monat",
    "monate",
    "jahr",
    "vormittag",
    "nachmittag",
    "abend",
    "jour",
    "jours",
    "semaine",
    "semaines",
    "mois",
    "année",
    "matin",
    "après-midi",
    "soir",
];
/// Numbers and the like: "every two weeks" says how often.
pub(super) const NUMBERS: &[&str] =
    &["two", "three", "four", "other", "second", "third", "zwei", "drei", "vier", "zweite*", "deux", "trois", "quatre"];
/// What entries are, whatever they are called.
pub(super) const KINDS: &[&str] = &[
    "meeting*",
    "appointment*",
    "event*",
    "entry",
    "entries",
    "occurrence*",
    "instance*",
    "session*",
    "call",
    "calls",
    "class",
    "classes",
    "lesson*",
    "termin*",
    "treffen",
    "besprechung*",
    "sitzung*",
    "eintrag",
    "einträge*",
    "ereignis*",
    "réunion*",
    "rendez-vous",
    "rdv",
    "séance*",
    "cours",
    "événement*",
    "évènement*",
    "invitation*",
];
/// Words that stand for what was named before.
pub(super) const PRONOUNS: &[&str] = &[
    "it", "its", "them", "they", "these", "those", "this", "that", "ones", "es", "sie", "ihn", "diese*", "die", "das",
    "den", "les", "le", "la", "celle*", "ceux", "ça",
];
/// Those of them that stand for the things of a verb: "cancel them all".
pub(super) const OBJECTS: &[&str] = &["it", "them", "these", "those", "es", "sie", "ihn", "les"];
/// What makes an "all" no amount of things: "all right", "tout de suite".
pub(super) const NO_THINGS: &[&str] = &[
    "right",
    "good",
    "set",
    "best",
    "clear",
    "same",
    "along",
    "over",
    "kinds",
    "sorts",
    "means",
    "else",
    "de",
    "à",
    "abord",
    "simplement",
];
/// Articles and the like.
pub(super) const DETERMINERS: &[&str] = &[
    "the", "a", "an", "my", "our", "your", "these", "those", "of", "der", "die", "das", "den", "dem", "des", "ein*",
    "mein*", "unser*", "dein*", "diese*", "le", "la", "les", "l", "mes", "nos", "ces", "mon", "ma", "notre", "de",
    "du",
];
/// Words that make what stands behind them no thing of the verb: "for all", "with everyone".
pub(super) const PREPOSITIONS: &[&str] = &[
    "for", "with", "to", "in", "on", "at", "by", "about", "before", "after", "during", "without", "für", "mit", "an",
    "am", "bei", "von", "vor", "nach", "über", "pour", "avec", "à", "dans", "sur", "chez", "après", "avant",
];
/// Words that name nothing.
pub(super) const FILLERS: &[&str] = &[
    "please",
    "thanks",
    "thank",
    "you",
    "i",
    "me",
    "us",
    "we",
    "now",
    "immediately",
    "too",
    "also",
    "instead",
    "again",
    "and",
    "or",
    "then",
    "but",
    "plus",
    "can",
    "could",
    "would",
    "will",
    "should",
    "want",
    "need",
    "have",
    "be",
    "is",
    "are",
    "off",
    "calendar",
    "kalender",
    "calendrier",
    "bitte",
    "danke",
    "ich",
    "mir",
    "mich",
    "wir",
    "uns",
    "und",
    "oder",
    "dann",
    "aber",
    "sondern",
    "sowie",
    "kannst",
    "könntest",
    "du",
    "jetzt",
    "gleich",
    "auch",
    "wieder",
    "zu",
    "sich",
    "s'il",
    "te",
    "plaît",
    "vous",
    "je",
    "nous",
    "moi",
    "et",
    "ou",
    "puis",
    "mais",
    "aussi",
    "out",
    "up",
    "ab",
    "um",
    "s",
    "l",
    "d",
    "time",
    "times",
    "as",
    "well",
    "recurring",
    "repeating",
    "weekly",
    "daily",
    "monthly",
    "wöchentlich*",
    "täglich*",
    "monatlich*",
    "hebdomadaire*",
    "quotidien*",
    "mensuel*",
    "regular",
    "regelmäßig*",
];
/// Verbs that look, and so end what was said of another.
pub(super) const LOOK: &[&str] = &[
    "read",
    "look",
    "check",
    "find",
    "search",
    "list",
    "show",
    "tell",
    "give",
    "see",
    "open",
    "summarise",
    "summarize",
    "lies",
    "lese",
    "schau*",
    "such*",
    "zeig*",
    "prüf*",
    "finde",
    "sag",
    "sage",
    "fasse",
    "öffne",
    "lis",
    "regarde*",
    "cherche*",
    "montre*",
    "vérifie*",
    "dis",
    "résume*",
    "ouvre*",
];
/// Words an exception begins with, or that keep something as it is.
pub(super) const EXCEPT: &[&str] = &[
    "except",
    "excepting",
    "excepted",
    "exception*",
    "excluding",
    "exclude",
    "besides",
    "apart",
    "keep",
    "leave",
    "außer*",
    "ausser*",
    "ausgenommen",
    "ausnahme*",
    "abgesehen",
    "behalt*",
    "lass*",
    "sauf",
    "excepté*",
    "hormis",
    "garde*",
    "laisse*",
];
/// Two words an exception begins with.
pub(super) const EXCEPT_PAIRS: &[(&str, &str)] = &[("other", "than"), ("but", "for"), ("bis", "auf")];
/// Words that set a part against the one before it.
pub(super) const BUT: &[&str] = &["but", "aber", "sondern", "mais"];
/// Words that set one thing against another.
pub(super) const CONTRASTS: &[&str] =
    &["instead", "rather", "than", "statt", "stattdessen", "anstatt", "anstelle", "lieu", "plutôt"];
/// Words a reason begins with.
pub(super) const REASONS: &[&str] = &["because", "weil", "denn", "puisque", "parce"];
/// Words a condition or a limit begins with, and those that may be a reason or something else.
pub(super) const LIMITS: &[&str] = &[
    "since", "as", "while", "so", "if", "when", "unless", "until", "till", "da", "wenn", "falls", "solange", "bis",
    "car", "si", "quand", "tant", "jusque", "jusqu'à", "jusqu'au",
];
/// Words across which a part goes on with the verb before it.
pub(super) const GOES_ON: &[&str] = &["and", "or", "und", "oder", "et", "ou"];
/// Words that tell something, instead of asking for it.
pub(super) const SUBJECTS: &[&str] = &[
    "i", "i'm", "i've", "i'll", "we", "we're", "we've", "we'll", "you", "he", "she", "they", "they're", "they've",
    "it", "there", "is", "are", "was", "were", "be", "has", "have", "had", "can", "will", "ich", "wir", "er", "es",
    "ist", "sind", "war", "waren", "hat", "habe", "haben", "kann", "können", "je", "nous", "on", "il", "elle", "ils",
    "elles", "est", "sont", "a", "ai", "ont", "avons",
];
/// Words that point at one thing, before what it is called.
pub(super) const POINTING: &[&str] = &[
    "next",
    "this",
    "last",
    "first",
    "nächst*",
    "diese*",
    "letzte*",
    "erste*",
    "prochain",
    "prochaine",
    "ce",
    "cet",
    "cette",
    "dernier",
    "dernière",
    "premier",
    "première",
];
/// What is kept beside calendars, with what [`super::words::MAIL`] lists.
pub(super) const PAPERS: &[&str] = &["newsletter*", "spam", "file", "files", "datei*", "fichier*"];
/// Words of a question about what to do, or of a choice, which asks for nothing yet.
pub(super) const QUESTIONS: &[&str] = &[
    "or",
    "either",
    "maybe",
    "perhaps",
    "probably",
    "oder",
    "entweder",
    "vielleicht",
    "ou",
    "soit",
    "peut-être",
    "how",
    "why",
    "whether",
    "who",
    "should",
    "shall",
    "did",
    "does",
    "wie",
    "warum",
    "wieso",
    "ob",
    "wer",
    "soll",
    "sollen",
    "sollte*",
    "comment",
    "pourquoi",
    "dois",
    "doit",
    "devons",
    "devrais",
];
/// Words a request may begin with that are no one's name.
pub(super) const OPENINGS: &[&str] = &[
    "hey", "hi", "hello", "hallo", "bonjour", "salut", "kindly", "pls", "ok", "okay", "yes", "ja", "oui", "go",
    "ahead", "like", "i'd", "we'd", "i'm", "let's", "first", "möchte", "möchten", "würde", "gern", "gerne", "will",
    "wollen", "veux", "voudrais", "aimerais", "peux", "tu", "merci",
];
/// Whom a part tells of that is not the one who asks.
pub(super) const OTHERS: &[&str] = &["he", "she", "they", "er", "il", "elle", "ils", "elles"];
/// Words that describe the thing before them.
pub(super) const RELATIVES: &[&str] = &["which", "who", "whose", "where", "qui", "que", "dont", "où"];
/// Words that tell how things are, where they stand behind a request.
pub(super) const STATES: &[&str] = &[
    "i", "we", "he", "she", "they", "is", "are", "was", "were", "has", "have", "had", "ich", "wir", "ist", "sind",
    "war", "waren", "hat", "habe", "haben", "je", "nous", "est", "sont", "ont", "avons",
];
/// Words a whole stands behind.
pub(super) const OF: &[&str] = &["of", "der", "des", "de"];
/// Words that take something off an "all".
pub(super) const PARTIAL: &[&str] = &[
    "almost", "nearly", "half", "some", "most", "mostly", "few", "several", "fast", "beinahe", "hälfte", "einige*",
    "manche*", "meiste*", "presque", "moitié", "quelques", "plupart", "certain*",
];

/// Words that say who cannot come, before a "not" that is no exception: "I can't make it".
pub(super) const EXCUSED: &[&str] = &["i", "i'm", "we", "we're", "ich", "wir", "je", "nous", "ai", "sorry", "unfortunately", "leider"];
/// Words of such an excuse, and of a wish that nobody be told. One that has another word in it may be an exception.
pub(super) const EXCUSES: &[&str] = &[
    "and", "und", "et", "a", "an", "the", "it", "them", "this", "no", "any", "anymore", "more", "longer", "able", "be",
    "am", "are", "can", "cannot", "will", "have", "do", "there", "simply", "just", "for", "me", "es", "das", "mehr",
    "kann", "können", "bin", "sind", "habe", "haben", "daran", "dazu", "da", "y", "le", "la", "ne", "peux", "pouvons",
    "plus", "serai", "serons", "là", "ai", "avons", "que", "one", "jemandem", "niemandem", "jemand", "jemanden",
    "niemanden", "zu", "personne", "à", "anyone", "anybody", "guests", "participants", "gäste*", "teilnehmer*",
];
/// What somebody cannot do, or nobody is to do, in such words; one of these has to be among them.
pub(super) const EXCUSING: &[&str] = &[
    "make", "attend", "come", "coming", "go", "going", "join", "participate", "time", "available", "kommen", "komme",
    "schaffe", "schaffen", "teilnehmen", "teil", "dabei", "hin", "hingehen", "zeit", "venir", "viens", "aller",
    "vais", "participer", "assister", "temps", "disponible", "tell", "telling", "notify", "notifying", "informiere*",
    "informieren", "prévenir", "préviens", "avertir",
];
/// Words that leave something out, behind which what nobody is to be told may stand: "without telling anyone".
pub(super) const WITHOUT: &[&str] = &["without", "ohne", "sans"];
