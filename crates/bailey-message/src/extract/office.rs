//! Office documents: archives of XML (ECMA-376, ISO/IEC 26300). What they unpack to is bounded; nothing in them is run or fetched.

use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

/// Most bytes that one document unpacks to.
const MAX_UNPACKED: u64 = 16 * 1024 * 1024;
/// Most files of an archive that are looked at.
const MAX_FILES: usize = 2_000;
/// Most sheets or slides that are read.
const MAX_PAGES: usize = 200;
/// Most shared words of a workbook, and most columns of a row.
const MAX_SHARED: usize = 200_000;
const MAX_COLUMNS: usize = 500;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Reads a document's text, and says what was left out.
pub(super) fn text(bytes: &[u8]) -> Result<(String, Vec<String>), String> {
    let unreadable = |error: zip::result::ZipError| format!("it is an archive that cannot be opened: {error}");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let names: Vec<String> =
        archive.file_names().take(MAX_FILES).filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let mut unpacking = Unpacking { left: MAX_UNPACKED, cut: Vec::new() };
    let has = |name: &str| names.iter().any(|known| known == name);
    let text = if has("word/document.xml") {
        let mut all: Vec<String> = vec!["word/document.xml".into()];
        all.extend(pages(&names, "word/footnotes").into_iter().chain(pages(&names, "word/comments")));
        let texts: Vec<String> = all.iter().map(|name| paragraphs(&unpacking.take(&mut archive, name))).collect();
        joined(texts)
    } else if names.iter().any(|name| name.starts_with("xl/worksheets/")) {
        workbook(&mut archive, &names, &mut unpacking)
    } else if names.iter().any(|name| name.starts_with("ppt/slides/")) {
        let slides = pages(&names, "ppt/slides/slide").into_iter().enumerate();
        let texts = slides
            .map(|(index, name)| format!("Slide {}\n{}", index + 1, paragraphs(&unpacking.take(&mut archive, &name))));
        joined(texts.collect())
    } else if has("content.xml") {
        paragraphs(&unpacking.take(&mut archive, "content.xml"))
    } else {
        format!("An archive with these files:\n{}", names.iter().take(200).cloned().collect::<Vec<_>>().join("\n"))
    };
    Ok((text, unpacking.cut))
}

fn joined(texts: Vec<String>) -> String {
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

struct Unpacking {
    left: u64,
    cut: Vec<String>,
}

impl Unpacking {
    fn take(&mut self, archive: &mut Archive<'_>, name: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let read = archive.by_name(name).map(|file| file.take(self.left).read_to_end(&mut out));
        if !matches!(read, Ok(Ok(_))) {
            self.cut.push(format!("`{}` in it cannot be read", crate::address::clean(name)));
        }
        self.left = self.left.saturating_sub(u64::try_from(out.len()).unwrap_or(u64::MAX));
        if self.left == 0 {
            self.cut.push("it unpacks to more than is read of one file".into());
        }
        out
    }
}

/// Files that begin so and end with a number, by that number.
fn pages(names: &[String], begin: &str) -> Vec<String> {
    let number = |name: &String| -> Option<(u32, String)> {
        let digits = name.strip_prefix(begin)?.strip_suffix(".xml")?;
        Some((if digits.is_empty() { 0 } else { digits.parse().ok()? }, name.clone()))
    };
    let mut found: Vec<(u32, String)> = names.iter().filter_map(number).collect();
    found.sort();
    found.into_iter().take(MAX_PAGES).map(|(_, name)| name).collect()
}

fn local(start: &BytesStart<'_>) -> String {
    start.local_name().as_ref().to_owned()
}

/// Returns the text of a word processor's or a presentation's XML: paragraphs as lines, rows of tables as lines with their
/// cells apart.
fn paragraphs(xml: &[u8]) -> String {
    let text = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(&text);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut row: Vec<Vec<String>> = Vec::new();
    // Only what stands in runs of text counts in the one kind; in the other all of a paragraph does.
    let (mut in_text, mut in_paragraph, mut in_cells) = (0_u32, 0_u32, 0_u32);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => match local(&start).as_str() {
                "t" => in_text += 1,
                "p" | "h" => in_paragraph += 1,
                "tc" | "table-cell" => {
                    in_cells += 1;
                    if in_cells == 1 {
                        row.push(Vec::new());
                    }
                }
                _ => {}
            },
            Ok(Event::Empty(start)) => match local(&start).as_str() {
                "tab" => line.push('\t'),
                "br" | "line-break" | "cr" => line.push('\n'),
                "s" => line.push(' '),
                _ => {}
            },
            Ok(Event::Text(words)) if in_text > 0 || (in_paragraph > 0 && is_open_document(xml)) => {
                line.push_str(&words);
            }
            Ok(Event::GeneralRef(name)) if in_text > 0 || (in_paragraph > 0 && is_open_document(xml)) => {
                line.push_str(&reference(&name));
            }
            Ok(Event::End(end)) => match end.local_name().as_ref() {
                "t" => in_text = in_text.saturating_sub(1),
                "p" | "h" => {
                    in_paragraph = in_paragraph.saturating_sub(1);
                    let done = std::mem::take(&mut line);
                    match row.last_mut() {
                        Some(cell) if in_cells > 0 => cell.push(done),
                        _ => lines.push(done),
                    }
                }
                "tc" | "table-cell" => in_cells = in_cells.saturating_sub(1),
                "tr" | "table-row" if in_cells == 0 => {
                    let cells: Vec<String> = row.drain(..).map(|cell| cell.join(" ").trim().to_owned()).collect();
                    lines.push(cells.join(" | "));
                }
                _ => {}
            },
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    lines.push(line);
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn is_open_document(xml: &[u8]) -> bool {
    let begin = xml.get(..4_096).unwrap_or(xml);
    begin.windows(8).any(|window| window == b"<office:")
}

/// Returns what a reference by name or number stands for.
fn reference(name: &str) -> String {
    let number = name.strip_prefix('#').map(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    });
    let found = match (name, number) {
        (_, Some(Ok(number))) => char::from_u32(number),
        ("amp", _) => Some('&'),
        ("lt", _) => Some('<'),
        ("gt", _) => Some('>'),
        ("quot", _) => Some('"'),
        ("apos", _) => Some('\''),
        _ => None,
    };
    found.map(String::from).unwrap_or_default()
}

fn workbook(archive: &mut Archive<'_>, names: &[String], unpacking: &mut Unpacking) -> String {
    let shared = if names.iter().any(|name| name == "xl/sharedStrings.xml") {
        shared_words(&unpacking.take(archive, "xl/sharedStrings.xml"))
    } else {
        Vec::new()
    };
    let sheets = pages(names, "xl/worksheets/sheet").into_iter().enumerate();
    let texts =
        sheets.map(|(index, name)| format!("Sheet {}\n{}", index + 1, rows(&unpacking.take(archive, &name), &shared)));
    joined(texts.collect())
}

fn shared_words(xml: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(&text);
    let (mut out, mut word, mut in_text) = (Vec::new(), String::new(), false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => in_text = local(&start) == "t",
            Ok(Event::Text(words)) if in_text => word.push_str(&words),
            Ok(Event::GeneralRef(name)) if in_text => word.push_str(&reference(&name)),
            Ok(Event::End(end)) => {
                in_text = false;
                if end.local_name().as_ref() == "si" && out.len() < MAX_SHARED {
                    out.push(std::mem::take(&mut word));
                }
            }
            Ok(Event::Eof) | Err(_) => return out,
            Ok(_) => {}
        }
    }
}

/// Returns the column that a cell says it stands in: `C7` is the third.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).take(3);
    letters.fold(None, |sum, letter| Some(sum.unwrap_or(0) * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1))
}

fn rows(xml: &[u8], shared: &[String]) -> String {
    let text = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(&text);
    let (mut lines, mut row): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut kind, mut value, mut in_value) = (String::new(), String::new(), false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => match local(&start).as_str() {
                "c" => {
                    value.clear();
                    kind.clear();
                    for attribute in start.attributes().flatten() {
                        let said = attribute.value.into_owned();
                        match attribute.key.as_ref() {
                            "t" => kind = said,
                            "r" => {
                                let place = column(&said).unwrap_or(0).min(MAX_COLUMNS);
                                while row.len() + 1 < place {
                                    row.push(String::new());
                                }
                            }
                            _ => {}
                        }
                    }
                }
                "v" | "t" => in_value = true,
                _ => {}
            },
            Ok(Event::Text(words)) if in_value => value.push_str(&words),
            Ok(Event::GeneralRef(name)) if in_value => value.push_str(&reference(&name)),
            Ok(Event::End(end)) => match end.local_name().as_ref() {
                "v" | "t" => in_value = false,
                "c" if row.len() < MAX_COLUMNS => {
                    let word = match kind.as_str() {
                        "s" => {
                            value.parse::<usize>().ok().and_then(|index| shared.get(index)).cloned().unwrap_or_default()
                        }
                        "b" => if value == "1" { "TRUE" } else { "FALSE" }.to_owned(),
                        _ => value.clone(),
                    };
                    row.push(word.replace('\n', " "));
                }
                "row" => lines.push(std::mem::take(&mut row).join(" | ")),
                _ => {}
            },
            Ok(Event::Eof) | Err(_) => return lines.join("\n"),
            Ok(_) => {}
        }
    }
}
