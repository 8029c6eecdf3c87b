//! The log as a table: one line for each entry, in plain words, for spreadsheets (RFC 4180).

use std::io::{self, Write};

use bailey_gate::ActionId;
use bailey_gate::Preview;
use bailey_gate::content::Content;
use bailey_ledger::Entry;
use serde_json::Value;

use crate::home::Home;

/// Entries read at a time.
const CHUNK: u64 = 256;
/// What stands in each column.
const COLUMNS: [&str; 18] = [
    "entry",
    "time",
    "what",
    "who",
    "answered from",
    "task",
    "action",
    "kind",
    "class",
    "decision",
    "reasons",
    "from",
    "to",
    "headline",
    "to whom and what",
    "text",
    "why",
    "outcome",
];

/// Writes every entry there is now.
pub(crate) fn write(home: &Home, out: &mut dyn Write) -> io::Result<()> {
    line(out, COLUMNS.iter().map(|column| (*column).to_owned()))?;
    let end = home.ledger.head().map_err(io::Error::other)?.0;
    let mut from = 0;
    while from < end {
        let entries = home.ledger.entries(from, CHUNK.min(end - from)).map_err(io::Error::other)?;
        let Some(last) = entries.last() else { break };
        from = last.seq.saturating_add(1);
        for entry in &entries {
            line(out, cells(home, entry)?.into_iter())?;
        }
    }
    out.flush()
}

fn cells(home: &Home, entry: &Entry) -> io::Result<[String; COLUMNS.len()]> {
    let header: Value = serde_json::from_str(&entry.header).unwrap_or_default();
    let payload: Value = entry.payload.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = text(&header, "kind");
    let wall = header.get("wall_ms").and_then(Value::as_i64).unwrap_or_default();
    let time = jiff::Timestamp::from_millisecond(wall).map(|time| time.to_string()).unwrap_or_default();
    let client = header.get("approver").map(|approver| text(approver, "client")).unwrap_or_default();
    let reasons = header.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    let shown = if kind == "proposed" { shown(home, &text(&header, "action"))? } else { None };
    let (headline, items, body) = shown.unwrap_or_default();
    let words = match text(&payload, "words") {
        words if words.is_empty() => body,
        words => words,
    };
    Ok([
        entry.seq.to_string(),
        time,
        kind,
        text(&header, "actor"),
        client,
        text(&header, "task"),
        text(&header, "action"),
        text(&header, "tool"),
        text(&header, "class"),
        text(&header, "decision"),
        reasons.join(" "),
        text(&header, "from"),
        text(&header, "to"),
        headline,
        items,
        words,
        text(&payload, "why"),
        text(&payload, "outcome"),
    ])
}

/// Returns headline, fields and text of an action; nothing where its content is not there any more.
fn shown(home: &Home, id: &str) -> io::Result<Option<(String, String, String)>> {
    let Ok(id) = id.parse::<ActionId>() else { return Ok(None) };
    let Some(record) = home.ledger.action(&id).map_err(io::Error::other)? else { return Ok(None) };
    let Ok(content) = Content::decode(&record.content) else { return Ok(None) };
    let preview = Preview::of(&content);
    let items: Vec<String> = preview.items.iter().map(|item| format!("{}: {}", item.label, item.value)).collect();
    Ok(Some((preview.headline, items.join("\n"), preview.body)))
}

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    out.write_all(cells.join(",").as_bytes())?;
    out.write_all(b"\r\n")
}

/// Writes a cell in quotation marks. What a spreadsheet would take for a formula begins with an apostrophe, so that it is shown and not
/// run (OWASP, CSV Injection).
fn cell(text: &str) -> String {
    let begins = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    let is_formula = begins.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        || text.starts_with(['\t', '\r', '\n']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, wanted) in [
            ("plain", "\"plain\""),
            ("a \"b\", c", "\"a \"\"b\"\", c\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'\t=1\""),
            ("\rx", "\"'\rx\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("", "\"\""),
        ] {
            assert_eq!(cell(text), wanted, "{text:?}");
        }
    }
}
