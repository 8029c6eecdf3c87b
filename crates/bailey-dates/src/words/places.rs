//! Zones and places that people name beside a time; the same table for all languages. Names are those of the time zone
//! database. A place that is not here is not understood, which is better than a wrong hour.

use super::Means::*;
use super::Table;

const BERLIN: &str = "Europe/Berlin";
const NEW_YORK: &str = "America/New_York";
const CHICAGO: &str = "America/Chicago";
const DENVER: &str = "America/Denver";
const LOS_ANGELES: &str = "America/Los_Angeles";

#[rustfmt::skip]
pub(super) const PLACES: Table = &[
    ("utc", Utc), ("gmt", Utc), ("z", Utc), ("zulu", Utc),
    ("mez", Abbreviation(BERLIN, 60)), ("mesz", Abbreviation(BERLIN, 120)), ("cet", Abbreviation(BERLIN, 60)),
    ("cest", Abbreviation(BERLIN, 120)), ("wez", Abbreviation("Europe/Lisbon", 0)), ("wet", Abbreviation("Europe/Lisbon", 0)),
    ("west", Abbreviation("Europe/Lisbon", 60)), ("eet", Abbreviation("Europe/Athens", 120)),
    ("eest", Abbreviation("Europe/Athens", 180)), ("oez", Abbreviation("Europe/Athens", 120)),
    ("msk", Abbreviation("Europe/Moscow", 180)), ("est", Abbreviation(NEW_YORK, -300)),
    ("edt", Abbreviation(NEW_YORK, -240)), ("mst", Abbreviation(DENVER, -420)), ("mdt", Abbreviation(DENVER, -360)),
    ("pst", Abbreviation(LOS_ANGELES, -480)), ("pdt", Abbreviation(LOS_ANGELES, -420)),
    ("cdt", Abbreviation(CHICAGO, -300)), ("jst", Abbreviation("Asia/Tokyo", 540)), ("kst", Abbreviation("Asia/Seoul", 540)),
    ("hkt", Abbreviation("Asia/Hong_Kong", 480)), ("sgt", Abbreviation("Asia/Singapore", 480)),
    ("aest", Abbreviation("Australia/Sydney", 600)), ("aedt", Abbreviation("Australia/Sydney", 660)),
    ("nzst", Abbreviation("Pacific/Auckland", 720)), ("nzdt", Abbreviation("Pacific/Auckland", 780)),
    ("cst", SharedAbbreviation(&[(CHICAGO, -360), ("Asia/Shanghai", 480)])),
    ("ist", SharedAbbreviation(&[("Asia/Kolkata", 330), ("Asia/Jerusalem", 120), ("Europe/Dublin", 60)])),
    ("bst", SharedAbbreviation(&[("Europe/London", 60), ("Asia/Dhaka", 360)])),
    ("et", Place(NEW_YORK)), ("eastern", Place(NEW_YORK)), ("eastern time", Place(NEW_YORK)), ("ct", Place(CHICAGO)),
    ("central time", Place(CHICAGO)), ("mt", Place(DENVER)), ("mountain time", Place(DENVER)),
    ("pt", Place(LOS_ANGELES)), ("pacific", Place(LOS_ANGELES)), ("pacific time", Place(LOS_ANGELES)),
    ("new york", Place(NEW_YORK)), ("nyc", Place(NEW_YORK)), ("new yorker", Place(NEW_YORK)), ("boston", Place(NEW_YORK)),
    ("washington", Place(NEW_YORK)), ("miami", Place(NEW_YORK)), ("chicago", Place(CHICAGO)), ("dallas", Place(CHICAGO)),
    ("houston", Place(CHICAGO)), ("denver", Place(DENVER)), ("los angeles", Place(LOS_ANGELES)),
    ("san francisco", Place(LOS_ANGELES)), ("seattle", Place(LOS_ANGELES)), ("california", Place(LOS_ANGELES)),
    ("toronto", Place("America/Toronto")), ("montreal", Place("America/Toronto")), ("vancouver", Place("America/Vancouver")),
    ("mexico city", Place("America/Mexico_City")), ("sao paulo", Place("America/Sao_Paulo")),
    ("buenos aires", Place("America/Argentina/Buenos_Aires")), ("london", Place("Europe/London")),
    ("londoner", Place("Europe/London")), ("londres", Place("Europe/London")), ("uk", Place("Europe/London")),
    ("dublin", Place("Europe/Dublin")), ("lisbon", Place("Europe/Lisbon")), ("lissabon", Place("Europe/Lisbon")),
    ("lisbonne", Place("Europe/Lisbon")), ("madrid", Place("Europe/Madrid")), ("paris", Place("Europe/Paris")),
    ("pariser", Place("Europe/Paris")), ("brussels", Place("Europe/Brussels")), ("brussel", Place("Europe/Brussels")),
    ("bruxelles", Place("Europe/Brussels")), ("amsterdam", Place("Europe/Amsterdam")), ("berlin", Place(BERLIN)),
    ("berliner", Place(BERLIN)), ("munich", Place(BERLIN)), ("munchen", Place(BERLIN)), ("hamburg", Place(BERLIN)),
    ("vienna", Place("Europe/Vienna")), ("wien", Place("Europe/Vienna")), ("wiener", Place("Europe/Vienna")),
    ("vienne", Place("Europe/Vienna")), ("zurich", Place("Europe/Zurich")), ("geneva", Place("Europe/Zurich")),
    ("genf", Place("Europe/Zurich")), ("geneve", Place("Europe/Zurich")), ("rome", Place("Europe/Rome")),
    ("rom", Place("Europe/Rome")), ("milan", Place("Europe/Rome")), ("stockholm", Place("Europe/Stockholm")),
    ("copenhagen", Place("Europe/Copenhagen")), ("oslo", Place("Europe/Oslo")), ("helsinki", Place("Europe/Helsinki")),
    ("warsaw", Place("Europe/Warsaw")), ("warschau", Place("Europe/Warsaw")), ("prague", Place("Europe/Prague")),
    ("prag", Place("Europe/Prague")), ("athens", Place("Europe/Athens")), ("athen", Place("Europe/Athens")),
    ("istanbul", Place("Europe/Istanbul")), ("kyiv", Place("Europe/Kyiv")), ("moscow", Place("Europe/Moscow")),
    ("moskau", Place("Europe/Moscow")), ("moscou", Place("Europe/Moscow")), ("dubai", Place("Asia/Dubai")),
    ("tel aviv", Place("Asia/Jerusalem")), ("mumbai", Place("Asia/Kolkata")), ("delhi", Place("Asia/Kolkata")),
    ("india", Place("Asia/Kolkata")), ("bangkok", Place("Asia/Bangkok")), ("singapore", Place("Asia/Singapore")),
    ("singapur", Place("Asia/Singapore")), ("singapour", Place("Asia/Singapore")), ("hong kong", Place("Asia/Hong_Kong")),
    ("hongkong", Place("Asia/Hong_Kong")), ("shanghai", Place("Asia/Shanghai")), ("beijing", Place("Asia/Shanghai")),
    ("peking", Place("Asia/Shanghai")), ("pekin", Place("Asia/Shanghai")), ("seoul", Place("Asia/Seoul")),
    ("tokyo", Place("Asia/Tokyo")), ("tokio", Place("Asia/Tokyo")), ("sydney", Place("Australia/Sydney")),
    ("melbourne", Place("Australia/Melbourne")), ("auckland", Place("Pacific/Auckland")), ("cairo", Place("Africa/Cairo")),
    ("johannesburg", Place("Africa/Johannesburg")), ("nairobi", Place("Africa/Nairobi")), ("lagos", Place("Africa/Lagos")),
];
