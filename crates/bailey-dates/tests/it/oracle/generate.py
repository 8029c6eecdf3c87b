"""Makes phrases.tsv: dates as values first, words after. Independent of the grammar it is held against.

    python3 generate.py > phrases.tsv          (another seed as an argument makes others)

The calendar is the standard library's and dateutil's, the zones are zoneinfo's. What the words of each language are, and
what people mean by them, is written here anew. English dates with a year are read by dateutil's own parser, too.

A line: zone, moment it is said (UTC), languages in order, phrase, meaning. A meaning is `= VALUE`; `? VALUE | VALUE` where
the person has to be asked; `< VALUE` where it is past. A value is a day, `DAY to DAY`, a moment with its distance from UTC,
`MOMENT to MOMENT`, or `N minutes`.
"""

import random
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil import parser as reader
from dateutil import tz
from dateutil.relativedelta import FR, MO, SA, SU, TH, TU, WE, relativedelta

PHRASES = 10_000
ZONES = [
    "Europe/Berlin", "Europe/Paris", "Europe/London", "America/New_York", "America/St_Johns", "America/Los_Angeles",
    "America/Sao_Paulo", "Asia/Kolkata", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Auckland", "Australia/Sydney",
]
DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
}
SHORT = {
    "en": "Mon Tue Wed Thu Fri Sat Sun".split(),
    "de": "Mo Di Mi Do Fr Sa So".split(),
    "fr": "lun. mar. mer. jeu. ven. sam. dim.".split(),
}
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
}
MONTHS_SHORT = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec".split(),
    "de": "Jan. Feb. März Apr. Mai Jun. Jul. Aug. Sept. Okt. Nov. Dez.".split(),
    "fr": "janv. févr. mars avr. mai juin juil. août septembre oct. nov. déc.".split(),
}
NUMBERS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve".split(),
    "de": "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split(),
    "fr": "zéro une deux trois quatre cinq six sept huit neuf dix onze douze".split(),
}
FIRST = {
    "en": ["first", "second", "third", "fourth"],
    "de": ["erster", "zweiter", "dritter", "vierter"],
    "fr": ["premier", "deuxième", "troisième", "quatrième"],
}
WEEKDAY = [MO, TU, WE, TH, FR, SA, SU]
CITIES = {
    "en": [("New York time", "America/New_York"), ("Tokyo time", "Asia/Tokyo"), ("London time", "Europe/London")],
    "de": [("New Yorker Zeit", "America/New_York"), ("Londoner Zeit", "Europe/London"), ("Pariser Zeit", "Europe/Paris")],
    "fr": [("heure de Paris", "Europe/Paris"), ("heure de Tokyo", "Asia/Tokyo"), ("heure de Londres", "Europe/London")],
}
random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 20261129)


def pick(*choices):
    return random.choice(choices)


def moment(m):
    text = m.strftime("%Y-%m-%dT%H:%M:%S%z")
    return text[:-2] + ":" + text[-2:]


class World:
    """A zone and a moment at which something is said there."""

    def __init__(self):
        self.name = random.choice(ZONES)
        self.zone = ZoneInfo(self.name)
        start = datetime(2024, 1, 1, tzinfo=timezone.utc)
        self.now = (start + timedelta(minutes=random.randrange(4 * 365 * 24 * 60))).astimezone(self.zone)
        self.today = self.now.date()

    def at(self, day, hour, minute, zone=None):
        """All moments that a civil time is, as strings in the home zone."""
        zone = zone or self.zone
        civil = datetime(day.year, day.month, day.day, hour, minute)
        early, late = (civil.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if not tz.datetime_exists(civil, zone):
            # The gap: what each of the two distances from UTC makes of it.
            both = sorted([(civil - early.utcoffset()), (civil - late.utcoffset())])
            return [moment(one.replace(tzinfo=timezone.utc).astimezone(self.zone)) for one in both]
        found = [early] if early.utcoffset() == late.utcoffset() else [early, late]
        return [moment(one.astimezone(timezone.utc).astimezone(self.zone)) for one in found]

    def meaning(self, values):
        over = [value for value in values if datetime.fromisoformat(value) < self.now]
        if len(over) == len(values):
            return "< " + max(values, key=datetime.fromisoformat)
        return ("= " if len(values) == 1 else "? ") + " | ".join(values)

    def start(self, day):
        """The first moment of a day at which its clocks are at midnight, or where they go on."""
        return self.at(day, 0, 0)[0]


def noisy(phrase):
    """The same words as people type them."""
    accents = str.maketrans("äöüéèêûàç", "aoueeeuac")
    return pick(
        phrase, phrase, phrase, phrase.lower(), phrase.upper(), phrase.translate(accents), "  " + phrase + " ",
        phrase.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"), phrase.replace(" ", "\u00a0"),
        phrase.replace("-", "\u2010") if "20" not in phrase else phrase, phrase.replace("'", "\u2019"),
    )


def dated(day, lang):
    """A date with its year."""
    d, m, y = day.day, day.month, day.year
    long, short = MONTHS[lang][m - 1], MONTHS_SHORT[lang][m - 1]
    name, abbreviated = DAYS[lang][day.weekday()], SHORT[lang][day.weekday()]
    if lang == "en":
        th = "th" if 10 < d < 20 else {1: "st", 2: "nd", 3: "rd"}.get(d % 10, "th")
        return pick(
            f"{d} {long} {y}", f"{long} {d}, {y}", f"{long} {d}{th} {y}", f"the {d}{th} of {long} {y}", f"{d} {short} {y}",
            f"{name}, {long} {d}, {y}", f"{abbreviated} {d} {short} {y}", day.isoformat(), f"{name} {day.isoformat()}",
        )
    if lang == "de":
        return pick(
            f"{d}. {long} {y}", f"{d}.{m}.{y}", f"{d:02}.{m:02}.{y % 100:02}", f"{name}, {d}. {long} {y}",
            f"{name}, der {d}. {short} {y}", f"am {d}. {long} {y}", f"{abbreviated}, {d:02}.{m:02}.{y}", day.isoformat(),
            f"den {d}. {m}. {y}", f"{d:02}/{m:02}/{y}",
        )
    first = "1er" if d == 1 else str(d)
    return pick(
        f"{first} {long} {y}", f"le {first} {long} {y}", f"{name} {first} {long} {y}", f"{d:02}/{m:02}/{y}",
        f"{abbreviated} {first} {short} {y}", f"le {name} {first} {short} {y}", day.isoformat(), f"{d}/{m}/{y % 100:02}",
    )


def yearless(day, lang):
    d, long, short = day.day, MONTHS[lang][day.month - 1], MONTHS_SHORT[lang][day.month - 1]
    if lang == "en":
        return pick(f"{d} {long}", f"{long} {d}", f"on {short} {d}", f"the {d}. {long}")
    if lang == "de":
        return pick(f"{d}. {long}", f"am {d}. {short}", f"{d}.{day.month}.", f"der {d}. {long}")
    first = "1er" if d == 1 else str(d)
    return pick(f"{first} {long}", f"le {first} {long}", f"le {first} {short}")


def clock(hour, minute, lang):
    """A time of day that is clear about its half."""
    twelve, half = (hour - 1) % 12 + 1, "am" if hour < 12 else "pm"
    morning = 8 <= hour <= 11
    if lang == "en":
        said = [f"{hour:02}:{minute:02}", f"{twelve}:{minute:02}{half}", f"{twelve}:{minute:02} {half[0]}.m.", f"{twelve}.{minute:02}{half}"]
        if minute == 0:
            said += [f"{twelve}{half}", f"{twelve} {half.upper()}"]
            said += [f"{twelve} o'clock", NUMBERS["en"][twelve]] if morning else []
        if minute == 30 and hour:
            said += [f"half past {NUMBERS['en'][twelve]}" + ("" if morning else f" {half}")]
        if minute == 15 and morning:
            said += [f"quarter past {twelve}", f"a quarter past {NUMBERS['en'][twelve]}"]
        if minute == 45 and 7 <= hour < 11:
            said += [f"quarter to {NUMBERS['en'][twelve + 1]}" + ("" if hour > 7 else " am")]
        if minute == 50 and 8 <= hour < 11:
            said += [f"ten to {NUMBERS['en'][twelve + 1]}", f"10 minutes to {twelve + 1}"]
        if minute == 20 and morning:
            said += [f"twenty past {NUMBERS['en'][twelve]}"]
        if 13 <= hour <= 17 and minute == 0:
            said += [f"{twelve} in the afternoon"]
        if 18 <= hour <= 21 and minute == 0:
            said += [f"{twelve} in the evening"]
        if hour == 12 and minute == 0:
            said += ["noon", "midday"]
        return "at ", random.choice(said)
    if lang == "de":
        said = [f"{hour}:{minute:02}", f"{hour:02}:{minute:02} Uhr", f"{hour:02}.{minute:02} Uhr"] if hour > 12 or hour == 0 or morning or hour == 12 else [f"{hour:02}:{minute:02}", f"{hour}:{minute:02} Uhr"]
        words = NUMBERS["de"]
        if minute == 0 and (hour > 12 or 8 <= hour <= 12):
            said += [f"{hour} Uhr", f"{hour}h"]
        if morning:
            following = words[hour + 1]
            said += {0: [f"{words[hour]} Uhr"], 30: [f"halb {following}"], 15: [f"viertel nach {words[hour]}", f"viertel {following}"],
                     45: [f"drei Viertel {following}", f"dreiviertel {following}", f"viertel vor {following}"],
                     50: [f"zehn vor {following}"], 25: [f"fünf vor halb {following}"], 35: [f"fünf nach halb {following}"],
                     10: [f"zehn nach {words[hour]}"]}.get(minute, [])
        if 13 <= hour <= 17 and minute == 0:
            said += [f"{twelve} Uhr nachmittags"]
        if 18 <= hour <= 21 and minute == 0:
            said += [f"{twelve} Uhr abends", f"abends um {twelve}"] if twelve != 12 else []
        text = random.choice(said)
        return ("" if text.startswith("abends") else "um "), text
    said = [f"{hour:02}:{minute:02}", f"{hour:02}h{minute:02}"]
    if hour > 12 or 8 <= hour <= 12:
        said += [f"{hour}h{minute:02}", f"{hour} h {minute:02}"]
        if minute == 0:
            said += [f"{hour}h", f"{hour} heures"]
    if morning:
        words = NUMBERS["fr"]
        said += {0: [f"{words[hour]} heures"], 30: [f"{words[hour]} heures et demie"], 15: [f"{words[hour]} heures et quart"],
                 45: [f"{words[hour + 1]} heures moins le quart"], 50: [f"{words[hour + 1]} heures moins dix"],
                 10: [f"{words[hour]} heures dix"]}.get(minute, [])
    if hour == 12:
        said += {0: ["midi"], 30: ["midi et demi"], 15: ["midi et quart"]}.get(minute, [])
    if 13 <= hour <= 17 and minute == 0:
        said += [f"{twelve} heures de l'après-midi"]
    if 18 <= hour <= 21 and minute == 0:
        said += [f"{twelve} heures du soir"]
    return "à ", random.choice(said)


def time_of_day():
    return random.randrange(24), random.choice([0, 0, 0, 10, 15, 20, 25, 30, 30, 35, 45, 50, random.randrange(60)])


def some_day(world, most=700):
    return world.today + timedelta(days=random.randrange(1, most))


def absolute(world, lang):
    day = some_day(world)
    text = dated(day, lang)
    if lang == "en":
        assert reader.parse(text.removeprefix("the ")).date() == day, text
    return text, f"= {day}"


def without_year(world, lang):
    day = some_day(world, 300)
    while (day.month, day.day) == (2, 29):
        day = some_day(world, 300)
    return yearless(day, lang), f"= {day}"


def without_year_past(world, lang):
    day = world.today - timedelta(days=random.randrange(1, 60))
    while (day.month, day.day) == (2, 29):
        day = world.today - timedelta(days=random.randrange(1, 60))
    return yearless(day, lang), f"< {day}"


def day_of_month(world, lang):
    day = random.randrange(1, 29)
    there = world.today
    while there.day != day:
        there += timedelta(days=1)
    before = world.today + relativedelta(day=day)
    if before > world.today:
        before += relativedelta(months=-1)
    if there != world.today and (world.today - before).days <= 7:
        return None
    th = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return {"en": f"the {day}{th}", "de": pick(f"am {day}.", f"der {day}."), "fr": "le 1er" if day == 1 else f"le {day}"}[lang], f"= {there}"


def relative_day(world, lang):
    n, text = pick(*{
        "en": [(0, "today"), (1, "tomorrow"), (2, "the day after tomorrow"), (2, "day after tomorrow")],
        "de": [(0, "heute"), (1, "morgen"), (2, "übermorgen")],
        "fr": [(0, "aujourd'hui"), (1, "demain"), (2, "après-demain")],
    }[lang])
    return text, world.today + timedelta(days=n)


def relative(world, lang):
    text, day = relative_day(world, lang)
    return text, f"= {day}"


def in_some(world, lang):
    n = random.randrange(2, 13)
    unit = pick("day", "week", "month")
    day = world.today + relativedelta(**{unit + "s": n})
    if lang == "de" and unit == "day" and n == 8:
        return f"in {pick('8', 'acht')} Tagen", f"? {day} | {day - timedelta(days=1)}"
    number = pick(str(n), NUMBERS[lang][n])
    words = {"en": {"day": "days", "week": "weeks", "month": "months"}, "de": {"day": "Tagen", "week": "Wochen", "month": "Monaten"},
             "fr": {"day": "jours", "week": "semaines", "month": "mois"}}[lang][unit]
    into = {"en": "in ", "de": "in ", "fr": "dans "}[lang]
    if lang == "fr" and unit == "day" and n == 8:
        return f"dans {number} {words}", f"? {day} | {day - timedelta(days=1)}"
    text = into + number + " " + words
    return (f"{number} {words} from now" if lang == "en" and random.random() < 0.3 else text), f"= {day}"


def in_hours(world, lang):
    minutes = pick(random.randrange(2, 200), 30, 60, 90, 120)
    there = moment((world.now.astimezone(timezone.utc) + timedelta(minutes=minutes)).astimezone(world.zone))
    hours = minutes // 60
    said = {"en": [f"in {minutes} minutes", f"in {minutes} min"], "de": [f"in {minutes} Minuten", f"in {minutes} min"], "fr": [f"dans {minutes} minutes", f"dans {minutes} min"]}[lang]
    if minutes % 60 == 0 and hours > 1:
        said += {"en": [f"in {hours} hours"], "de": [f"in {hours} Stunden", f"in {hours} h"], "fr": [f"dans {hours} heures", f"dans {hours}h"]}[lang]
    if minutes == 30:
        said += {"en": ["in half an hour"], "de": ["in einer halben Stunde"], "fr": ["dans une demi-heure"]}[lang]
    if minutes == 90:
        said += {"en": ["in an hour and a half"], "de": ["in anderthalb Stunden", "in 1,5 Stunden"], "fr": ["dans une heure et demie", "dans 1h30"]}[lang]
    return random.choice(said), f"= {there}"


def weekday_values(world, w, how):
    today, same = world.today, world.today.weekday() == w
    coming = today + relativedelta(days=1, weekday=WEEKDAY[w](1))
    this_week = today - timedelta(days=today.weekday()) + timedelta(days=w)
    if how == "bare":
        return [today, coming] if same else [coming]
    if how == "coming":
        return [coming]
    if how == "this":
        return [this_week]
    if same:
        return [coming, coming + timedelta(days=7)]
    return sorted({coming, this_week + timedelta(days=7)})


def weekday_text(w, how, lang):
    name = DAYS[lang][w]
    return {
        "en": {"bare": pick(name, f"on {name}", SHORT[lang][w]), "coming": f"coming {name}", "this": f"this {name}", "next": f"next {name}"},
        "de": {"bare": pick(name, f"am {name}", SHORT[lang][w]), "coming": f"kommenden {name}", "this": f"diesen {name}", "next": pick(f"nächsten {name}", f"am nächsten {name}")},
        "fr": {"bare": pick(name, SHORT[lang][w]), "coming": f"{name} qui vient", "this": f"ce {name}", "next": pick(f"{name} prochain", f"le {name} prochain")},
    }[lang][how]


def weekday(world, lang):
    w, how = random.randrange(7), pick("bare", "coming", "this", "next", "next")
    values = weekday_values(world, w, how)
    text = weekday_text(w, how, lang)
    if text.lower().strip(".") in ("mar", "so", "do", "sam", "sun"):
        return None
    if values[0] < world.today:
        return text, f"< {values[0]}"
    return text, ("= " if len(values) == 1 else "? ") + " | ".join(map(str, values))


def a_day(world, lang):
    """Words for some day that is ahead, and the day."""
    kind = pick("dated", "relative", "weekday", "yearless")
    if kind == "dated":
        day = some_day(world)
        return dated(day, lang), day
    if kind == "yearless":
        day = some_day(world, 250)
        return (yearless(day, lang), day) if (day.month, day.day) != (2, 29) else a_day(world, lang)
    if kind == "relative":
        return relative_day(world, lang)
    w = random.choice([w for w in range(7) if w != world.today.weekday()])
    return weekday_text(w, "coming", lang), weekday_values(world, w, "coming")[0]


def with_time(world, lang):
    text, day = a_day(world, lang)
    hour, minute = time_of_day()
    at, said = clock(hour, minute, lang)
    values = world.at(day, hour, minute)
    text = pick(f"{text} {at}{said}", f"{text} {at}{said}", f"{text}, {said}" if not text.endswith(".") else f"{text} {at}{said}", f"{at}{said} {text}" if text[0].isalpha() and " h " not in said and "au" not in text else f"{text} {at}{said}")
    return text, world.meaning(values)


def open_hour(world, lang):
    """One to seven, without a half of the day."""
    text, day = a_day(world, lang)
    if day <= world.today:
        return None
    hour = random.randrange(1, 8)
    said = {"en": [f"at {hour}", f"at {NUMBERS['en'][hour]}", f"{hour} o'clock"], "de": [f"um {hour}", f"um {hour} Uhr"] + ([f"um {NUMBERS['de'][hour]}"] if hour > 1 else []), "fr": [f"à {hour}h", f"à {hour} heures"]}[lang]
    values = world.at(day, hour, 0) + world.at(day, hour + 12, 0)
    return f"{text} {random.choice(said)}", "? " + " | ".join(values)


def changes():
    """Days on which clocks change, by zone, with a minute in the middle of the change."""
    out = []
    for name in ZONES:
        zone = ZoneInfo(name)
        there = datetime(2024, 1, 1, tzinfo=timezone.utc)
        while there.year < 2029:
            nxt = there + timedelta(hours=1)
            before, after = there.astimezone(zone).utcoffset(), nxt.astimezone(zone).utcoffset()
            if before != after:
                civil = (nxt + min(before, after)).replace(tzinfo=None) + abs(after - before) / 2
                out.append((name, civil))
            there = nxt
    return out


CHANGES = changes()


def change_of_clocks(world, lang):
    name, civil = random.choice([one for one in CHANGES if one[0] == world.name] or [(None, None)])
    if name is None or civil.date() <= world.today:
        return None
    hour, minute = civil.hour, civil.minute
    if random.random() < 0.3:
        minute = (minute + 7) % 60
    values = world.at(civil.date(), hour, minute)
    at = {"en": "at ", "de": "um ", "fr": "à "}[lang]
    said = {"en": f"{hour:02}:{minute:02}", "de": f"{hour:02}:{minute:02} Uhr", "fr": f"{hour:02}h{minute:02}"}[lang]
    return f"{dated(civil.date(), lang)} {at}{said}", world.meaning(values)


def elsewhere(world, lang):
    day = some_day(world)
    hour, minute = time_of_day()
    zone_text, zone = pick(*CITIES[lang], ("UTC", None), ("UTC+2", 120), ("GMT-3", -180), ("UTC+05:30", 330))
    zone = ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(minutes=zone or 0))
    said = {"en": f"{hour:02}:{minute:02}", "de": f"{hour:02}:{minute:02} Uhr", "fr": f"{hour:02}h{minute:02}"}[lang]
    if isinstance(zone, ZoneInfo):
        values = world.at(day, hour, minute, zone)
    else:
        values = [moment(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(world.zone))]
    return f"{dated(day, lang)} {said} {zone_text}", world.meaning(values)


def nth(world, lang):
    n, w = random.randrange(-1, 4), random.randrange(7)
    n = n if n else 1
    year, month = world.today.year + random.randrange(0, 2), random.randrange(1, 13)
    first = date(year, month, 1)
    day = first + (relativedelta(weekday=WEEKDAY[w](n)) if n > 0 else relativedelta(day=31, weekday=WEEKDAY[w](-1)))
    name = DAYS[lang][w]
    order = {"en": "last", "de": "letzter", "fr": "dernier"}[lang] if n < 0 else FIRST[lang][n - 1]
    of = {"en": pick("of", "in"), "de": "im", "fr": "de" if lang == "fr" and MONTHS["fr"][month - 1][0] not in "aào" else "d'"}[lang]
    text = f"{order} {name} {of} {MONTHS[lang][month - 1]} {year}".replace("d' ", "d'")
    return text, f"= {day}" if day >= world.today else f"< {day}"


def last_of_this_month(world, lang):
    w = random.randrange(7)
    day = world.today + relativedelta(day=31, weekday=WEEKDAY[w](-1))
    name = DAYS[lang][w]
    text = {"en": f"last {name} of the month", "de": pick(f"letzter {name} im Monat", f"letzten {name} des Monats"), "fr": f"dernier {name} du mois"}[lang]
    return text, f"= {day}" if day >= world.today else f"< {day}"


def ends_of(world, lang):
    this = world.today + relativedelta(day=31)
    then = world.today + relativedelta(months=1, day=31)
    first = world.today + relativedelta(months=1, day=1)
    text, day = pick(*{
        "en": [("end of month", this), ("the end of the month", this), ("end of next month", then), ("beginning of next month", first), ("the last day of the month", this)],
        "de": [("Monatsende", this), ("Ende des Monats", this), ("Ende nächsten Monats", then), ("Anfang nächsten Monats", first)],
        "fr": [("fin du mois", this), ("la fin du mois", this), ("fin du mois prochain", then), ("début du mois prochain", first)],
    }[lang])
    return text, f"= {day}"


def week(world, lang):
    year = world.today.isocalendar().year + random.randrange(0, 2)
    number = random.randrange(1, 53)
    monday = datetime.fromisocalendar(year, number, 1).date()
    said = {"en": [f"week {number} of {year}", f"calendar week {number}, {year}", f"{year}-W{number:02}"], "de": [f"KW {number} {year}", f"KW{number}/{year}", f"Kalenderwoche {number} {year}"], "fr": [f"semaine {number} de {year}", f"semaine {number}, {year}"]}[lang]
    if random.random() < 0.4:
        w = random.randrange(7)
        day = monday + timedelta(days=w)
        text = f"{DAYS[lang][w]} {({'en': 'of ', 'de': 'in ', 'fr': 'de la '}[lang])}{random.choice([one for one in said if '-W' not in one])}"
        return text, f"= {day}" if day >= world.today else f"< {day}"
    sunday = monday + timedelta(days=6)
    return random.choice(said), f"{'=' if sunday >= world.today else '<'} {monday} to {sunday}"


def next_period(world, lang):
    monday = world.today - timedelta(days=world.today.weekday())
    unit, away = pick("week", "month", "year"), pick(0, 1, 1)
    first, last = {
        "week": (monday + timedelta(days=7 * away), monday + timedelta(days=7 * away + 6)),
        "month": (world.today + relativedelta(months=away, day=1), world.today + relativedelta(months=away, day=31)),
        "year": (date(world.today.year + away, 1, 1), date(world.today.year + away, 12, 31)),
    }[unit]
    text = {
        "en": {"week": ["this week", "next week"], "month": ["this month", "next month"], "year": ["this year", "next year"]},
        "de": {"week": ["diese Woche", "nächste Woche"], "month": ["diesen Monat", "nächsten Monat"], "year": ["dieses Jahr", "nächstes Jahr"]},
        "fr": {"week": ["cette semaine", "la semaine prochaine"], "month": ["ce mois", "le mois prochain"], "year": ["cette année", "l'année prochaine"]},
    }[lang][unit][away]
    return text, f"= {first} to {last}"


def day_in_next_week(world, lang):
    w = random.randrange(7)
    day = world.today - timedelta(days=world.today.weekday()) + timedelta(days=7 + w)
    name = DAYS[lang][w]
    return {"en": pick(f"{name} next week", f"{name} of next week"), "de": pick(f"{name} nächste Woche", f"{name} nächster Woche"), "fr": f"{name} de la semaine prochaine"}[lang], f"= {day}"


def part_of_day(world, lang):
    text, day = a_day(world, lang)
    if day <= world.today or (lang == "de" and text == "morgen"):
        return None
    name, begin, end = pick(*{
        "en": [("morning", 6, 12), ("afternoon", 12, 18), ("evening", 18, 22)],
        "de": [("Vormittag", 9, 12), ("Nachmittag", 12, 18), ("Abend", 18, 22), ("Morgen", 6, 12)],
        "fr": [("matin", 6, 12), ("après-midi", 12, 18), ("soir", 18, 22)],
    }[lang])
    return f"{text} {name}", f"= {world.at(day, begin, 0)[0]} to {world.at(day, end, 0)[0]}"


def days_range(world, lang):
    if random.random() < 0.5:
        a = random.choice([w for w in range(7) if w != world.today.weekday()])
        first = world.today + relativedelta(days=1, weekday=WEEKDAY[a](1))
        last = first + timedelta(days=random.randrange(1, 6))
        x, y = DAYS[lang][a], DAYS[lang][last.weekday()]
    else:
        first = some_day(world)
        last = first + timedelta(days=random.randrange(1, 20))
        if first.month == last.month and random.random() < 0.6:
            month = MONTHS[lang][first.month - 1]
            return {
                "en": pick(f"{first.day}-{last.day} {month} {first.year}", f"from {first.day} to {last.day} {month} {first.year}", f"{first.day}–{last.day} {month} {first.year}"),
                "de": pick(f"{first.day}.–{last.day}. {month} {first.year}", f"vom {first.day}. bis {last.day}. {month} {first.year}", f"{first.day}. bis {last.day}.{first.month}.{first.year}"),
                "fr": pick(f"du {first.day} au {last.day} {month} {first.year}", f"{first.day}–{last.day} {month} {first.year}"),
            }[lang], f"= {first} to {last}"
        x, y = dated(first, lang), dated(last, lang)
        if lang == "de":
            x, y = (text.removeprefix("am ").removeprefix("den ") for text in (x, y))
    text = {
        "en": pick(f"from {x} to {y}", f"{x} to {y}", f"{x} – {y}", f"{x} until {y}"),
        "de": pick(f"von {x} bis {y}", f"{x} bis {y}", f"{x} – {y}"),
        "fr": pick(f"de {x} à {y}", f"du {x} au {y}", f"{x} – {y}"),
    }[lang]
    return text, f"= {first} to {last}"


def hours_range(world, lang):
    day_text, day = a_day(world, lang)
    if day <= world.today:
        return None
    a = random.randrange(8, 20)
    b = random.randrange(a + 1, 23)
    begin, end = world.at(day, a, 0), world.at(day, b, 0)
    x, y = {"en": (f"{a:02}:00", f"{b:02}:00"), "de": (f"{a}", f"{b} Uhr"), "fr": (f"{a}h", f"{b}h")}[lang]
    if lang == "en" and random.random() < 0.5:
        x, y = (f"{(h - 1) % 12 + 1}{'am' if h < 12 else 'pm'}" for h in (a, b))
    if lang == "de":
        x = f"{a} Uhr" if random.random() < 0.5 else x
    text = {"en": pick(f"{day_text} from {x} to {y}", f"{day_text} {x}–{y}", f"{day_text}, {x} - {y}"), "de": f"{day_text} von {x} bis {y}", "fr": f"{day_text} de {x} à {y}"}[lang]
    return text, f"= {begin[0]} to {end[0]}"


def lasting(world, lang):
    day_text, day = a_day(world, lang)
    hour = random.randrange(9, 19)
    if day <= world.today:
        return None
    minutes = pick(30, 45, 60, 90, 120, 180)
    begin = datetime.fromisoformat(world.at(day, hour, 0)[0])
    end = (begin.astimezone(timezone.utc) + timedelta(minutes=minutes)).astimezone(world.zone)
    words = {"en": f"at {hour:02}:00 for {minutes} minutes", "de": f"um {hour} Uhr für {minutes} Minuten", "fr": f"à {hour}h pendant {minutes} minutes"}[lang]
    return f"{day_text} {words}", f"= {moment(begin)} to {moment(end)}"


def length(world, lang):
    minutes, text = pick(*{
        "en": [(120, "two hours"), (90, "90 minutes"), (30, "half an hour"), (90, "an hour and a half"), (150, "2 hours 30 minutes"), (90, "1.5 hours"), (2880, "two days")],
        "de": [(120, "zwei Stunden"), (90, "90 Minuten"), (30, "eine halbe Stunde"), (90, "anderthalb Stunden"), (90, "1,5 Stunden"), (120, "für 2 Stunden"), (45, "eine Dreiviertelstunde")],
        "fr": [(120, "pendant deux heures"), (90, "90 minutes"), (30, "une demi-heure"), (90, "pendant 1h30"), (15, "un quart d'heure"), (2880, "deux jours")],
    }[lang])
    return text, f"= {minutes} minutes"


def slashes(world, lang):
    day = some_day(world)
    a, b = day.day, day.month
    if lang != "en":
        return f"{a:02}/{b:02}/{day.year}", f"= {day}"
    if a > 12 or a == b:
        return f"{a:02}/{b:02}/{day.year}", f"= {day}"
    return f"{a:02}/{b:02}/{day.year}", f"? {day} | {date(day.year, a, b)}"


def today_past(world, lang):
    hour = random.randrange(8, 12)
    if hour >= world.now.hour:
        return None
    text = {"en": pick("today at ", "today "), "de": "heute um ", "fr": "aujourd'hui à "}[lang]
    said = {"en": f"{hour}", "de": f"{hour} Uhr", "fr": f"{hour}h"}[lang]
    return text + said, world.meaning(world.at(world.today, hour, 0))


def midnight(world, lang):
    day_text, day = a_day(world, lang)
    if day <= world.today:
        return None
    text = {"en": f"midnight on {day_text}" if day_text[0] not in "o" else f"{day_text} midnight", "de": f"{day_text} um Mitternacht", "fr": f"{day_text} à minuit"}[lang]
    values = world.at(day, 0, 0) + world.at(day + timedelta(days=1), 0, 0)
    return text, "? " + " | ".join(values)


KINDS = [
    absolute, absolute, without_year, without_year_past, day_of_month, relative, in_some, in_hours, weekday, weekday, with_time,
    with_time, with_time, with_time, open_hour, change_of_clocks, change_of_clocks, elsewhere, nth, last_of_this_month, ends_of,
    week, next_period, day_in_next_week, part_of_day, days_range, hours_range, lasting, length, slashes, today_past, midnight,
]


def main():
    done = 0
    while done < PHRASES:
        world, lang = World(), pick("en", "de", "fr")
        made = random.choice(KINDS)(world, lang)
        if made is None:
            continue
        phrase, expected = made
        said = world.now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        print(world.name, said, lang, noisy(phrase), expected, sep="\t")
        done += 1


main()
