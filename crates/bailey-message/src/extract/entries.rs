//! iCalendar text as entries that people can read (RFC 5545). Reads what stands there, and works nothing out.

/// Most entries, and most guests of one, that are told of.
const MAX_ENTRIES: usize = 200;
const MAX_GUESTS: usize = 50;

/// Lists the entries of a calendar.
pub(super) fn text(calendar: &str) -> String {
    let unfolded = calendar.replace("\r\n", "\n").replace('\r', "\n").replace("\n ", "").replace("\n\t", "");
    let mut out: Vec<String> = Vec::new();
    let (mut entry, mut guests, mut entries): (Option<Vec<String>>, usize, usize) = (None, 0, 0);
    // Alarms and zones within an entry or a calendar are not told.
    let mut skipped = 0_u32;
    for line in unfolded.lines() {
        let (name, parameters, value) = property(line);
        match name.as_str() {
            "BEGIN" if matches!(value.as_str(), "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY") => {
                (entry, guests) = (Some(vec!["Entry".to_owned()]), 0);
            }
            "END" if matches!(value.as_str(), "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY") => {
                let lines = entry.take().unwrap_or_default();
                entries += 1;
                if entries <= MAX_ENTRIES {
                    out.push(lines.join("\n"));
                }
            }
            "BEGIN" if value != "VCALENDAR" => skipped += 1,
            "END" if value != "VCALENDAR" => skipped = skipped.saturating_sub(1),
            "METHOD" if entry.is_none() => out.push(format!("Method: {value}")),
            _ if skipped > 0 => {}
            _ => {
                let Some(lines) = &mut entry else { continue };
                let is_guest = name == "ATTENDEE";
                guests += usize::from(is_guest);
                if is_guest && guests > MAX_GUESTS {
                    continue;
                }
                if let Some(told) = told(&name, &parameters, &value) {
                    lines.push(told);
                }
            }
        }
    }
    if entries > MAX_ENTRIES {
        out.push(format!("and {} more entries", entries - MAX_ENTRIES));
    }
    out.join("\n\n")
}

fn told(name: &str, parameters: &[(String, String)], value: &str) -> Option<String> {
    let parameter = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let label = match name {
        "SUMMARY" => "What",
        "DTSTART" => "Begins",
        "DTEND" => "Ends",
        "DUE" => "Due",
        "DURATION" => "Lasts",
        "LOCATION" => "Where",
        "RRULE" => "Repeats",
        "RDATE" => "Also on",
        "EXDATE" => "Not on",
        "RECURRENCE-ID" => "In place of the one of",
        "STATUS" => "Status",
        "ORGANIZER" => "Organiser",
        "ATTENDEE" => "Guest",
        "DESCRIPTION" => "Notes",
        "URL" => "Address",
        "FREEBUSY" => "Busy",
        _ => return None,
    };
    let value = match name {
        "SUMMARY" | "LOCATION" | "DESCRIPTION" => unescaped(value),
        "ORGANIZER" | "ATTENDEE" => {
            let address = value
                .split_once(':')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto"))
                .map_or(value, |(_, rest)| rest);
            let named = parameter("CN").map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"));
            parameter("PARTSTAT").map_or_else(|| named.clone(), |status| format!("{named} ({status})"))
        }
        _ => parameter("TZID").map_or_else(|| value.to_owned(), |zone| format!("{value} ({zone})")),
    };
    Some(format!("{label}: {value}"))
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}

/// Name, parameters and value; signs within quotation marks part nothing.
fn property(line: &str) -> (String, Vec<(String, String)>, String) {
    let mut quoted = false;
    let colon = line.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    });
    let (head, value) = line.split_at(colon.unwrap_or(line.len()));
    let mut quoted = false;
    let mut pieces = head.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let name = pieces.next().unwrap_or_default().trim().to_ascii_uppercase();
    let parameters = pieces.filter_map(|piece| piece.split_once('='));
    let parameters =
        parameters.map(|(name, value)| (name.to_ascii_uppercase(), value.trim_matches('"').to_owned())).collect();
    (name, parameters, value.strip_prefix(':').unwrap_or_default().trim().to_owned())
}
