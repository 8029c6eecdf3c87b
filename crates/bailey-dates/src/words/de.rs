//! German. Umlauts are folded: `uebermorgen` and `ubermorgen` are one word.

use super::Means::{self, *};
use super::{Part, Table, Unit};

#[rustfmt::skip]
pub(super) const WORDS: Table = &[
    ("eins", Number(1)), ("zwei", Number(2)), ("zwo", Number(2)), ("drei", Number(3)), ("vier", Number(4)),
    ("funf", Number(5)), ("sechs", Number(6)), ("sieben", Number(7)), ("acht", Number(8)), ("neun", Number(9)),
    ("zehn", Number(10)), ("elf", Number(11)), ("zwolf", Number(12)), ("dreizehn", Number(13)),
    ("vierzehn", Number(14)), ("funfzehn", Number(15)), ("sechzehn", Number(16)), ("siebzehn", Number(17)),
    ("achtzehn", Number(18)), ("neunzehn", Number(19)), ("zwanzig", Number(20)), ("dreissig", Number(30)),
    ("vierzig", Number(40)), ("funfzig", Number(50)), ("sechzig", Number(60)), ("neunzig", Number(90)),
    ("erste*", Ordinal(1)), ("zweite*", Ordinal(2)), ("dritte*", Ordinal(3)), ("vierte*", Ordinal(4)),
    ("funfte*", Ordinal(5)), ("sechste*", Ordinal(6)), ("siebte*", Ordinal(7)), ("siebente*", Ordinal(7)),
    ("achte*", Ordinal(8)), ("neunte*", Ordinal(9)), ("zehnte*", Ordinal(10)), ("elfte*", Ordinal(11)),
    ("zwolfte*", Ordinal(12)), ("dreizehnte*", Ordinal(13)), ("vierzehnte*", Ordinal(14)),
    ("funfzehnte*", Ordinal(15)), ("sechzehnte*", Ordinal(16)), ("siebzehnte*", Ordinal(17)),
    ("achtzehnte*", Ordinal(18)), ("neunzehnte*", Ordinal(19)), ("zwanzigste*", Ordinal(20)),
    ("dreissigste*", Ordinal(30)),
    ("ein", One), ("eine", One), ("einer", One), ("einem", One), ("einen", One), ("eines", One),
    ("montag", Weekday(1)), ("montags", Weekday(1)), ("mo", Weekday(1)), ("dienstag", Weekday(2)),
    ("dienstags", Weekday(2)), ("di", Weekday(2)), ("mittwoch", Weekday(3)), ("mittwochs", Weekday(3)),
    ("mi", Weekday(3)), ("donnerstag", Weekday(4)), ("donnerstags", Weekday(4)), ("do", Weekday(4)),
    ("freitag", Weekday(5)), ("freitags", Weekday(5)), ("fr", Weekday(5)), ("samstag", Weekday(6)),
    ("samstags", Weekday(6)), ("sa", Weekday(6)), ("sonnabend", Weekday(6)), ("sonntag", Weekday(7)),
    ("sonntags", Weekday(7)), ("so", Weekday(7)),
    ("januar", Month(1)), ("janner", Month(1)), ("jan", Month(1)), ("februar", Month(2)), ("feber", Month(2)),
    ("feb", Month(2)), ("marz", Month(3)), ("mar", Month(3)), ("mrz", Month(3)), ("april", Month(4)), ("apr", Month(4)),
    ("mai", Month(5)), ("juni", Month(6)), ("jun", Month(6)), ("juno", Month(6)), ("juli", Month(7)), ("jul", Month(7)),
    ("julei", Month(7)), ("august", Month(8)), ("aug", Month(8)), ("september", Month(9)), ("sept", Month(9)),
    ("sep", Month(9)), ("oktober", Month(10)), ("okt", Month(10)), ("november", Month(11)), ("nov", Month(11)),
    ("dezember", Month(12)), ("dez", Month(12)),
    ("heute", Relative(0)), ("morgen", Morgen), ("ubermorgen", Relative(2)), ("gestern", Relative(-1)),
    ("vorgestern", Relative(-2)), ("uberubermorgen", Relative(3)),
    ("jetzt", Now), ("gerade jetzt", Now), ("sofort", Now),
    ("minute*", Unit(Unit::Minute)), ("min", Unit(Unit::Minute)), ("stunde*", Unit(Unit::Hour)), ("std", Unit(Unit::Hour)),
    ("tag*", Unit(Unit::Day)), ("tage*", Unit(Unit::Day)), ("woche*", Unit(Unit::Week)), ("wo", Unit(Unit::Week)),
    ("monat*", Unit(Unit::Month)), ("monate*", Unit(Unit::Month)), ("jahr*", Unit(Unit::Year)),
    ("jahre*", Unit(Unit::Year)), ("h", H),
    ("halbe stunde", Length(30)), ("eine halbe stunde", Length(30)), ("einer halben stunde", Length(30)),
    ("halben stunde", Length(30)), ("halbstunde", Length(30)), ("viertelstunde", Length(15)),
    ("eine viertelstunde", Length(15)), ("einer viertelstunde", Length(15)), ("dreiviertelstunde", Length(45)),
    ("eine dreiviertelstunde", Length(45)), ("einer dreiviertelstunde", Length(45)), ("drei viertel stunden", Length(45)),
    ("anderthalb stunden", Length(90)), ("eineinhalb stunden", Length(90)), ("einundeinhalb stunden", Length(90)),
    ("zweieinhalb stunden", Length(150)), ("dreieinhalb stunden", Length(210)),
    ("ubernachste woche", Away(Unit::Week, 2)), ("ubernachster woche", Away(Unit::Week, 2)),
    ("ubernachsten monat", Away(Unit::Month, 2)), ("ubernachstes jahr", Away(Unit::Year, 2)),
    ("vorletzte woche", Away(Unit::Week, -2)), ("vorletzten monat", Away(Unit::Month, -2)),
    ("nachste*", Next), ("nachst*", Next), ("nachstfolgende*", Coming), ("diese*", This), ("kommende*", Coming), ("letzte*", Last),
    ("vergangene*", Last), ("vorige*", Last), ("vorig*", Last),
    ("in", In), ("im", In), ("innerhalb", In), ("binnen", In), ("vor", AgoBefore), ("ab jetzt", FromNow), ("ab heute", FromNow),
    ("von", From), ("vom", From), ("ab", From), ("ab dem", From), ("bis", Until), ("bis zum", Until), ("bis zur", Until),
    ("bis einschliesslich", Until), ("seit", Since), ("seit dem", Since), ("fur", For), ("dauer", For), ("lang", Filler),
    ("lange", Filler),
    ("zwischen", Between), ("und", And), ("um", At), ("gegen", At), ("circa", At), ("ca", At), ("zirka", At), ("am", On), ("an", On), ("zum", Filler),
    ("der", Filler), ("die", Filler), ("das", Filler), ("den", Filler), ("dem", Filler), ("des", Of),
    ("uhr", OClock), ("a.m.", Am), ("p.m.", Pm), ("pm", Pm),
    ("morgens", Part(Part::Morning)), ("fruh", Part(Part::Morning)), ("fruhmorgens", Part(Part::Morning)),
    ("in der fruh", Part(Part::Morning)), ("in der fruhe", Part(Part::Morning)), ("am morgen", Part(Part::Morning)),
    ("fruhe", Part(Part::Morning)), ("vormittag", Part(Part::Forenoon)), ("vormittags", Part(Part::Forenoon)),
    ("am vormittag", Part(Part::Forenoon)), ("nachmittag", Part(Part::Afternoon)),
    ("nachmittags", Part(Part::Afternoon)), ("am nachmittag", Part(Part::Afternoon)), ("abend", Part(Part::Evening)),
    ("abends", Part(Part::Evening)), ("am abend", Part(Part::Evening)), ("nacht", Part(Part::Night)),
    ("nachts", Part(Part::Night)), ("in der nacht", Part(Part::Night)),
    ("heute abend", Tonight), ("heut abend", Tonight),
    ("mittag", Noon), ("mittags", Noon), ("am mittag", Noon), ("zu mittag", Noon), ("mitternacht", Midnight), ("um mitternacht", Midnight),
    ("halb", HalfBefore), ("viertel nach", QuarterPast), ("viertel vor", QuarterTo), ("viertel", QuarterOf),
    ("drei viertel", ThreeQuartersOf), ("dreiviertel", ThreeQuartersOf), ("nach", Past), ("minuten nach", Past),
    ("minuten vor", Before),
    ("kw", CalendarWeek), ("kalenderwoche", CalendarWeek), ("wochenende", Weekend), ("wochenendes", Weekend),
    ("ende", EndOf), ("ende der", EndOf), ("ende des", EndOf), ("am ende des", EndOf), ("am ende der", EndOf),
    ("anfang", StartOf), ("anfang der", StartOf), ("anfang des", StartOf), ("beginn des", StartOf), ("beginn der", StartOf),
    ("monatsende", EndOfUnit(Unit::Month)), ("jahresende", EndOfUnit(Unit::Year)), ("letzter tag des", EndOf),
    ("letzten tag des", EndOf), ("letzter tag im", EndOf), ("erster tag des", StartOf), ("ersten tag des", StartOf),
    ("heiligabend", Holiday(12, 24)), ("heiliger abend", Holiday(12, 24)), ("heiligen abend", Holiday(12, 24)),
    ("erster weihnachtstag", Holiday(12, 25)), ("ersten weihnachtstag", Holiday(12, 25)),
    ("zweiter weihnachtstag", Holiday(12, 26)), ("zweiten weihnachtstag", Holiday(12, 26)),
    ("silvester", Holiday(12, 31)), ("sylvester", Holiday(12, 31)), ("silvesterabend", Holiday(12, 31)),
    ("neujahr", Holiday(1, 1)), ("neujahrstag", Holiday(1, 1)),
    ("weihnachten", Unsure), ("ostern", Unsure), ("ostersonntag", Unsure), ("ostermontag", Unsure),
    ("karfreitag", Unsure), ("pfingsten", Unsure), ("pfingstmontag", Unsure), ("christi himmelfahrt", Unsure),
    ("fronleichnam", Unsure), ("muttertag", Unsure), ("rosenmontag", Unsure), ("fasching", Unsure),
    ("nikolaus", Unsure), ("feiertag", Unsure),
    ("ganztagig", Filler), ("ganztags", Filler), ("den ganzen tag", Filler), ("punkt", Filler), ("zeit", TimeWord), ("ortszeit", TimeWord),
];

/// Reads a number below 60 written in one word: `einundzwanzig`, `funfundvierzigsten`.
pub(super) fn compound(word: &str) -> Option<Means> {
    const UNITS: [&str; 9] = ["ein", "zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun"];
    const TENS: [(&str, u32); 5] =
        [("zwanzig", 20), ("dreissig", 30), ("vierzig", 40), ("funfzig", 50), ("neunzig", 90)];
    let (unit, tens) = word.split_once("und")?;
    let unit = UNITS.iter().position(|name| *name == unit)?;
    let unit = u32::try_from(unit).ok()? + 1;
    let (rest, tens) = TENS.iter().find_map(|(name, value)| tens.strip_prefix(name).map(|rest| (rest, *value)))?;
    match rest {
        "" => Some(Number(tens + unit)),
        "ste" | "ster" | "sten" | "stes" | "stem" => Some(Ordinal(tens + unit)),
        _ => None,
    }
}
