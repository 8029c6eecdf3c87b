//! The text of files: plain, tables, HTML, calendars, mails, office documents, PDF, rich text. Pictures have names and sizes, and nothing more.

mod entries;
mod office;
mod pdf;
mod rtf;
mod tnef;

use crate::mime::About;
use crate::{charset, html, plain, read};

/// Most characters of a file's text.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// The text.
    pub text: String,
    /// Says what was left out.
    pub cut: Vec<String>,
}

/// Reads the text of a file; the error says in words why there is none. `name` and `media` are what its sender claims.
pub fn extract(bytes: &[u8], media: &str, name: Option<&str>, label: Option<&str>) -> Result<Extracted, String> {
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let ends = |ending: &str| name.ends_with(ending);
    let whole = |text: String| Ok(bounded(text, Vec::new()));
    if bytes.get(..MAX_BEFORE_PDF).unwrap_or(bytes).windows(PDF.len()).any(|five| five == PDF) {
        return pdf::text(bytes).map(|(text, cut)| bounded(text, cut));
    }
    if bytes.starts_with(b"{\\rtf") {
        let (text, cut) = rtf::text(bytes);
        return Ok(bounded(text, cut));
    }
    if bytes.starts_with(&tnef::SIGNATURE) {
        let (text, cut) = tnef::text(bytes);
        return Ok(bounded(text, cut));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return office::text(bytes).map(|(text, cut)| bounded(text, cut));
    }
    if media == "text/calendar" || ends(".ics") || bytes.starts_with(b"BEGIN:VCALENDAR") {
        return whole(entries::text(&charset::decode(bytes, label.or(Some("utf-8")))));
    }
    if media == "text/html" || ends(".html") || ends(".htm") {
        let about = About { charset: label.map(str::to_owned), ..About::default() };
        let label = read::html_charset(&about, bytes);
        let rendered = html::render(&charset::decode(bytes, label.as_deref()));
        let cut = if rendered.cut { vec!["it is longer than is read of one file".to_owned()] } else { Vec::new() };
        return Ok(bounded(rendered.text, cut));
    }
    if matches!(media, "message/rfc822" | "message/global") || ends(".eml") {
        let mail = crate::read(bytes, true);
        let people = |all: &[crate::Mailbox]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let head = format!(
            "From: {}\nTo: {}\nDate: {}\nSubject: {}",
            people(&mail.from),
            people(&mail.to),
            mail.date.unwrap_or_default(),
            mail.subject.unwrap_or_default()
        );
        return Ok(bounded(format!("{head}\n\n{}", mail.text), mail.cut));
    }
    if is_text(bytes, media) {
        return whole(plain::lines(&charset::decode(bytes, label), false, false).0);
    }
    Err(if media.starts_with("image/") {
        "it is a picture; name and size are all that is known of it".into()
    } else {
        "it holds no text that can be read here; name, type and size are all that is known of it".into()
    })
}

/// How a PDF begins, and within how many bytes programs look for that.
const PDF: &[u8] = b"%PDF-";
const MAX_BEFORE_PDF: usize = 1_024;

/// Bytes of a file that tell whether it is text.
const MAX_TELLING: usize = 64 * 1024;

fn is_text(bytes: &[u8], media: &str) -> bool {
    let begin = bytes.get(..MAX_TELLING).unwrap_or(bytes);
    let wide = begin.starts_with(&[0xff, 0xfe]) || begin.starts_with(&[0xfe, 0xff]);
    let controls = begin.iter().filter(|byte| **byte < 9 || (14..32).contains(*byte) && **byte != 27).count();
    let says_so = media.starts_with("text/")
        || matches!(media, "application/json" | "application/xml" | "application/csv" | "message/delivery-status");
    wide || controls == 0 || (says_so && controls * 20 < begin.len())
}

fn bounded(text: String, mut cut: Vec<String>) -> Extracted {
    if text.len() <= MAX_TEXT {
        return Extracted { text, cut };
    }
    cut.push("it is longer than is read of one file".into());
    Extracted { text: crate::short(&text, MAX_TEXT / 4), cut }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn text(bytes: &[u8], media: &str, name: &str) -> String {
        extract(bytes, media, Some(name), None).unwrap().text
    }

    pub(super) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in files {
            out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            out.write_all(content.as_bytes()).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    #[test]
    fn files_of_text_are_read() {
        assert_eq!(text(b"a;b\r\nGr\xfc\xdfe;2", "text/csv", "a.csv"), "a;b\nGrüße;2");
        assert_eq!(text(b"a,b", "application/octet-stream", "a.csv"), "a,b");
        assert_eq!(text(b"\xff\xfea\0b\0", "text/plain", "a.txt"), "ab");
        assert_eq!(text(b"<p>a</p><p style=display:none>b</p>", "text/html", "a.html"), "a");
        assert!(text(b"Subject: x\r\n\r\nwords", "message/rfc822", "a.eml").ends_with("Subject: x\n\nwords"));
        assert!(extract(b"\x89PNG\r\n\x1a\n\0\0\0", "image/png", Some("a.png"), None).unwrap_err().contains("picture"));
        assert!(extract(&[0, 1, 2, 3, 4], "application/octet-stream", None, None).is_err());
        assert_eq!(text(br"{\rtf1 words\par}", "application/msword", "a.doc"), "words");
        assert!(text(&[0x78, 0x9f, 0x3e, 0x22, 1, 0], "application/ms-tnef", "winmail.dat").contains("Outlook"));
        assert!(extract(b"%PDF-1.4", "application/pdf", Some("a.pdf"), None).unwrap_err().contains("no text"));
    }

    #[test]
    fn calendars_are_read_as_entries() {
        let ics = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Lunch\\, long\r\nDTSTART;TZID=Europe/Berlin:20261201T120000\r\nRRULE:FREQ=WEEKLY\r\nATTENDEE;CN=Ana;PARTSTAT=ACCEPTED:mailto:ana@example.org\r\nDESCRIPTION:one\\ntwo \r\n three\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let read = text(ics.as_bytes(), "text/calendar", "a.ics");
        assert_eq!(
            read,
            "Method: REQUEST\n\nEntry\nWhat: Lunch, long\nBegins: 20261201T120000 (Europe/Berlin)\nRepeats: FREQ=WEEKLY\nGuest: Ana <ana@example.org> (ACCEPTED)\nNotes: one\ntwo three"
        );
    }

    #[test]
    fn office_documents_are_read() {
        let docx = archive(&[(
            "word/document.xml",
            "<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>Hello &amp; </w:t></w:r><w:r><w:t>bye</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>",
        )]);
        assert_eq!(text(&docx, "application/octet-stream", "a.docx"), "Hello & bye\na | b");
        let xlsx = archive(&[
            ("xl/sharedStrings.xml", "<sst><si><t>Item</t></si><si><r><t>Pri</t></r><r><t>ce</t></r></si></sst>"),
            (
                "xl/worksheets/sheet1.xml",
                "<worksheet><sheetData><row><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row><row><c r='A2' t='inlineStr'><is><t>Tea</t></is></c><c r='C2'><v>3.5</v></c></row></sheetData></worksheet>",
            ),
        ]);
        assert_eq!(text(&xlsx, "x/y", "a.xlsx"), "Sheet 1\nItem | Price\nTea |  | 3.5");
        let pptx = archive(&[
            ("ppt/slides/slide2.xml", "<p:sld><a:p><a:r><a:t>Second</a:t></a:r></a:p></p:sld>"),
            ("ppt/slides/slide1.xml", "<p:sld><a:p><a:r><a:t>First</a:t></a:r></a:p></p:sld>"),
        ]);
        assert_eq!(text(&pptx, "x/y", "a.pptx"), "Slide 1\nFirst\n\nSlide 2\nSecond");
        let odt = archive(&[(
            "content.xml",
            "<office:document-content><text:h>Title</text:h><text:p>One<text:tab/>two<text:s/>three</text:p></office:document-content>",
        )]);
        assert_eq!(text(&odt, "x/y", "a.odt"), "Title\nOne\ttwo three");
        let other = archive(&[("a.txt", "x"), ("b/c.txt", "y")]);
        assert!(text(&other, "application/zip", "a.zip").contains("b/c.txt"));
    }

    #[test]
    fn archives_that_swell_are_cut() {
        let bomb = archive(&[("word/document.xml", &format!("<w:p><w:t>{}</w:t></w:p>", "x".repeat(40_000_000)))]);
        assert!(bomb.len() < 100_000);
        let read = extract(&bomb, "x/y", Some("a.docx"), None).unwrap();
        assert!(!read.cut.is_empty() && read.text.len() <= MAX_TEXT, "{:?}", read.cut);
        assert!(extract(b"PK\x03\x04 broken", "x/y", None, None).is_err());
    }
}
