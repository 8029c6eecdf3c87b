//! A message as bytes: RFC 5322 headers, RFC 2045–2047 and RFC 2231 encodings.
//!
//! Rendering is a pure function of the message the person approved, so preview and bytes cannot part ways. It writes a
//! small, fixed subset: no comments, no obsolete forms, and anything that a reader might decode (`=?…?=` in plain text)
//! is itself encoded.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::mail::{Attachment, Message};
use super::text::Mailbox;

/// Longest unencoded body line; RFC 5322, 2.1.1.
const MAX_BODY_LINE: usize = 990;
/// Longest name written as it is, in bytes: with an address of 254 it stays below the 998 of a line (RFC 5322, 2.1.1), escaped too.
const MAX_PLAIN_NAME: usize = 300;
/// Bytes of text per encoded word: 45 become 60 characters of base64, with the frame below the 75 of RFC 2047.
const ENCODED_WORD_BYTES: usize = 45;
/// Characters of an escaped file name per line, so that the line stays below 78.
const FILENAME_PIECE: usize = 54;
/// Bytes per base64 line: 57 become 76 characters (RFC 2045, 6.8).
const BASE64_LINE_BYTES: usize = 57;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Returns the bytes that are handed to the mail server, ending in CRLF. Bcc is in the envelope only.
#[must_use]
pub fn render(message: &Message) -> Vec<u8> {
    rendered(message, &[])
}

/// Returns the bytes that the person's own mailbox keeps of a mail, as mail programs keep them: with the Bcc field that nobody
/// else gets (RFC 5322, 3.6.3), and the same in all else.
#[must_use]
pub fn render_kept(message: &Message) -> Vec<u8> {
    rendered(message, &message.bcc)
}

fn rendered(message: &Message, bcc: &[Mailbox]) -> Vec<u8> {
    let mut out = String::new();
    header(&mut out, "From", &mailbox(&message.from));
    address_list(&mut out, "To", &message.to);
    address_list(&mut out, "Cc", &message.cc);
    address_list(&mut out, "Bcc", bcc);
    header(&mut out, "Subject", &unstructured(message.subject.as_str()));
    header(&mut out, "Date", &date(message.date, message.offset_minutes));
    header(&mut out, "Message-ID", message.message_id.as_str());
    if let Some(parent) = &message.in_reply_to {
        header(&mut out, "In-Reply-To", parent.as_str());
    }
    if !message.references.is_empty() {
        let thread: Vec<_> = message.references.iter().map(super::mail::MessageId::as_str).collect();
        header(&mut out, "References", &thread.join("\r\n "));
    }
    header(&mut out, "MIME-Version", "1.0");
    if message.attachments.is_empty() {
        text_part(&mut out, &message.body);
    } else {
        multipart(&mut out, message);
    }
    out.into_bytes()
}

fn header(out: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{name}: {value}\r\n");
}

fn address_list(out: &mut String, name: &str, list: &[Mailbox]) {
    if !list.is_empty() {
        let items: Vec<_> = list.iter().map(mailbox).collect();
        header(out, name, &items.join(",\r\n "));
    }
}

fn mailbox(mailbox: &Mailbox) -> String {
    match &mailbox.name {
        None => mailbox.address.to_string(),
        Some(name) if needs_encoding(name.as_str()) || name.as_str().len() > MAX_PLAIN_NAME => {
            format!("{} <{}>", encoded_words(name.as_str()), mailbox.address)
        }
        Some(name) => {
            format!("\"{}\" <{}>", name.as_str().replace('\\', "\\\\").replace('"', "\\\""), mailbox.address)
        }
    }
}

fn unstructured(text: &str) -> String {
    if needs_encoding(text) || text.trim() != text { encoded_words(text) } else { text.to_owned() }
}

/// Tells whether text has to be encoded. True also for what merely looks encoded: a reader would decode it into something that was never shown.
fn needs_encoding(text: &str) -> bool {
    !text.is_ascii() || text.contains("=?")
}

fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > ENCODED_WORD_BYTES) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let encoded: Vec<_> = words.iter().map(|word| format!("=?utf-8?B?{}?=", base64(word.as_bytes()))).collect();
    encoded.join("\r\n ")
}

fn text_part(out: &mut String, body: &str) {
    let plain = body.is_ascii() && body.lines().all(|line| line.len() <= MAX_BODY_LINE);
    let body = if body.ends_with('\n') { body.to_owned() } else { format!("{body}\n") }.replace('\n', "\r\n");
    header(out, "Content-Type", "text/plain; charset=utf-8");
    header(out, "Content-Transfer-Encoding", if plain { "7bit" } else { "base64" });
    out.push_str("\r\n");
    if plain { out.push_str(&body) } else { base64_lines(out, body.as_bytes()) }
}

fn multipart(out: &mut String, message: &Message) {
    let boundary = boundary(message);
    header(out, "Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""));
    let _ = write!(out, "\r\n--{boundary}\r\n");
    text_part(out, &message.body);
    for file in &message.attachments {
        let _ = write!(out, "--{boundary}\r\n");
        attachment(out, file);
    }
    let _ = write!(out, "--{boundary}--\r\n");
}

/// Returns a boundary no part can contain but by breaking SHA-256: it hashes all of them.
fn boundary(message: &Message) -> String {
    let mut hash = Sha256::new();
    hash.update(b"bailey-boundary");
    hash.update(message.message_id.as_str());
    hash.update(&message.body);
    for file in &message.attachments {
        hash.update((file.bytes.len() as u64).to_be_bytes());
        hash.update(&file.bytes);
    }
    hash.finalize().iter().take(16).fold("=_".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn attachment(out: &mut String, file: &Attachment) {
    header(out, "Content-Type", &file.media_type);
    header(out, "Content-Transfer-Encoding", "base64");
    // Calendars act on an invitation that is part of the message, and some overlook one that is merely a file with it.
    if file.invitation().is_none() {
        header(out, "Content-Disposition", &format!("attachment;\r\n {}", filename(file.name.as_str())));
    }
    out.push_str("\r\n");
    base64_lines(out, &file.bytes);
}

/// Writes a file name, as RFC 2231 says where plain quoting would not do; long names go over continuations so that no line breaks its limit.
fn filename(name: &str) -> String {
    let plain = name.is_ascii() && !name.contains(['"', '\\', '%']) && !name.contains("=?");
    if plain && name.len() <= 60 {
        return format!("filename=\"{name}\"");
    }
    // Pieces end between characters: some readers decode each on its own.
    let mut pieces = vec![String::new()];
    for c in name.chars() {
        let escaped = percent(c);
        if pieces.last().is_some_and(|piece| piece.len() + escaped.len() > FILENAME_PIECE) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(&escaped);
        }
    }
    let numbered = pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| format!("filename*{index}*={}{piece}", if index == 0 { "utf-8''" } else { "" }));
    numbered.collect::<Vec<_>>().join(";\r\n ")
}

fn percent(c: char) -> String {
    if c.is_ascii_alphanumeric() || "-._".contains(c) {
        return c.to_string();
    }
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn base64_lines(out: &mut String, bytes: &[u8]) {
    for line in bytes.chunks(BASE64_LINE_BYTES) {
        out.push_str(&base64(line));
        out.push_str("\r\n");
    }
}

fn base64(bytes: &[u8]) -> String {
    let digit = |index: u32| ALPHABET.get((index & 63) as usize).map_or('=', |&b| char::from(b));
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.push(digit(group >> 18));
        out.push(digit(group >> 12));
        out.push(if chunk.len() > 1 { digit(group >> 6) } else { '=' });
        out.push(if chunk.len() > 2 { digit(group) } else { '=' });
    }
    out
}

/// Writes a date (RFC 5322, 3.3), as `Tue, 24 Nov 2026 09:00:00 +0100`.
#[must_use]
pub fn date(seconds: i64, offset_minutes: i16) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let local = seconds.saturating_add(i64::from(offset_minutes) * 60);
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let name = |list: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|i| list.get(i).copied()).unwrap_or("???")
    };
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let offset = offset_minutes.unsigned_abs();
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} {sign}{:02}{:02}",
        name(&DAYS, days.rem_euclid(7)),
        name(&MONTHS, month - 1),
        second / 3_600,
        second / 60 % 60,
        second % 60,
        offset / 60,
        offset % 60,
    )
}

/// Days since 1970-01-01 to year, month, day in the proleptic Gregorian calendar.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}
