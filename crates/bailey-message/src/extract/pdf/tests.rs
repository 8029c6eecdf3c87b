//! Documents as programs write them, and as nobody should.

use std::io::Write as _;

use super::*;

/// A document of objects in their order, the first of which is the catalog.
fn document(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    for (at, object) in objects.iter().enumerate() {
        out.extend(format!("{} 0 obj\n", at + 1).into_bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    out.extend(b"trailer << /Root 1 0 R >>\n%%EOF");
    out
}

fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
    [format!("<< {dict} /Length {} >>\nstream\n", data.len()).as_bytes(), data, b"\nendstream"].concat()
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(data).unwrap();
    out.finish().unwrap()
}

fn one_page(content: Vec<u8>) -> Vec<u8> {
    document(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R /F2 6 0 R >> /XObject << /X 7 0 R >> >> >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>".to_vec(),
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
        b"<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 8 0 R /DescendantFonts [<< /DW 500 >>] >>".to_vec(),
        stream("/Subtype /Form", b"BT /F1 10 Tf 0 500 Td (in a form) Tj ET /X Do"),
        stream("/Filter /FlateDecode", &deflated(b"1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfrange <0001> <0003> <4E2D> endbfrange")),
    ])
}

#[test]
fn text_of_pages_is_read_with_its_words_and_lines() {
    let content = b"BT /F1 10 Tf 1 0 0 1 50 700 Tm (Gr\xfc\xdfe) Tj [( an) -400 (alle:)] TJ 0 -12 Td (second \\(line\\)) Tj 0 -40 Td (paragraph) Tj /F2 10 Tf 60 0 Td <000100020003> Tj ET";
    let expected = "Gr\u{fc}\u{df}e an alle:\nsecond (line)\n\nparagraph \u{4e2d}\u{4e2e}\u{4e2f}";
    assert_eq!(text(&one_page(stream("", content))), Ok((expected.to_owned(), Vec::new())));
    let packed = stream("/Filter [/FlateDecode]", &deflated(content));
    assert_eq!(text(&one_page(packed)).unwrap().0, expected);
    // A length that is wrong, and a table of objects that is none: read all the same.
    let wrong =
        String::from_utf8_lossy(&one_page(stream("", b"BT /F1 9 Tf (x) Tj ET"))).replace("/Length 21", "/Length 3");
    assert_eq!(text(wrong.as_bytes()).unwrap().0, "x");
}

#[test]
fn text_in_forms_and_in_objects_that_are_packed_is_read_and_loops_end() {
    assert_eq!(text(&one_page(stream("", b"/X Do"))).unwrap().0, ["in a form"; 8].join(" "));
    let inner = b"10 0 11 51 << /Type /Page /Parent 2 0 R /Contents 4 0 R     >> << /Kids [10 0 R 11 0 R 2 0 R] /Resources << /Font << /F1 5 0 R >> >> >>";
    let first = 11;
    let offset = inner.windows(8).position(|eight| eight == b"<< /Kids").unwrap() - first;
    let inner = String::from_utf8_lossy(inner).replace("11 51", &format!("11 {offset}"));
    let packed =
        stream(&format!("/Type /ObjStm /N 2 /First {first} /Filter /FlateDecode"), &deflated(inner.as_bytes()));
    let whole = document(&[
        b"<< /Type /Catalog /Pages 11 0 R >>".to_vec(),
        packed,
        b"null".to_vec(),
        stream("", b"BT /F1 9 Tf (packed) Tj ET"),
        b"<< /Subtype /Type1 >>".to_vec(),
    ]);
    assert_eq!(text(&whole).unwrap().0, "packed");
}

#[test]
fn what_cannot_be_read_is_said() {
    let encrypted = [one_page(stream("", b"")), b"trailer << /Encrypt 9 0 R >>".to_vec()].concat();
    assert!(text(&encrypted).unwrap_err().contains("encrypted"));
    assert!(text(&one_page(stream("", b"/Im1 Do"))).unwrap_err().contains("pictures"));
    assert!(text(b"%PDF-1.7 nothing").unwrap_err().contains("no text"));
    let unknown = text(&one_page(stream("", b"BT /F2 9 Tf <00990001> Tj 3 Tr <0002> Tj ET"))).unwrap();
    assert_eq!(unknown.0, "\u{4e2d}\u{4e2e}");
    assert!(
        unknown.1[0].contains("1 of its letters are in fonts") && unknown.1[1].contains("not visible"),
        "{unknown:?}"
    );
    let odd = text(&one_page(stream("/Filter /LZWDecode", b"x"))).unwrap_err();
    assert!(odd.contains("LZWDecode"), "{odd}");
}

#[test]
fn documents_that_mean_harm_end() {
    let bomb = deflated(&b"BT /F1 9 Tf (x) Tj ET ".repeat(100_000));
    let read = text(&one_page(stream("/Filter /FlateDecode", &bomb))).unwrap();
    assert!(read.0.len() <= 5 * 1024 * 1024);
    let many = format!("%PDF-1.4 {}", "1 0 obj [ ".repeat(100_000));
    assert!(text(many.as_bytes()).is_err());
    let kids = document(&[
        b"<< /Pages 2 0 R >>".to_vec(),
        format!("<< /Kids [{}] >>", "2 0 R 3 0 R ".repeat(5_000)).into_bytes(),
        b"<< /Kids [2 0 R 3 0 R] >>".to_vec(),
    ]);
    assert!(text(&kids).is_err());
    let good = one_page(stream("", b"BT /F1 9 Tf (text) Tj ET"));
    for at in (0..good.len()).step_by(3) {
        let _ = text(&good[..at]);
        let mut bent = good.clone();
        bent[at] ^= 0x15;
        let _ = text(&bent);
    }
}

/// Reads a document, and returns its text and what was done for it: of all, and of its streams.
fn work(bytes: &[u8]) -> (String, usize, usize) {
    let document = Document::new(bytes);
    let mut writer = Writer::new(&document);
    document.pages(&mut writer);
    (writer.done().0, MAX_WORK - document.left.left(), MAX_UNPACKED - document.unpack_left.left())
}

/// Makes a document of pages with the resources that their tree says.
fn of_pages(resources: &str, pages: &str, content: &[u8]) -> Vec<u8> {
    document(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{pages}] /Resources << {resources} >> >>").into_bytes(),
        stream("", content),
    ])
}

const FONT: &str = "/Font << /F1 << /Subtype /Type1 >> >>";

#[test]
fn streams_that_are_named_again_and_again_are_copied_as_often_as_is_allowed() {
    let content = [b"BT /F1 9 Tf (x) Tj ET %".to_vec(), vec![b'.'; 100_000]].concat();
    let bytes = of_pages(FONT, &format!("<< /Contents [{}] >>", "3 0 R ".repeat(20_000)), &content);
    let (read, _, copied) = work(&bytes);
    assert!(copied <= MAX_UNPACKED && (1..=MAX_UNPACKED / 100_000).contains(&read.len()), "{copied} {}", read.len());
    assert!(text(&bytes).unwrap().1.iter().any(|cut| cut.contains("entangled")));
    // Streams that hold objects, each of which lies in the one before.
    let mut bytes = b"%PDF-1.7\n".to_vec();
    for number in 1..=1_000 {
        bytes.extend(format!("{number} 0 obj << /Type /ObjStm /N 0 /First 0 >> stream\n").into_bytes());
    }
    bytes.extend([b' '; 100_000]);
    bytes.extend(b"endstream endobj");
    let document = Document::new(&bytes);
    let copied: usize = document.unpacked.iter().map(Vec::len).sum();
    assert!(copied > 0 && copied <= MAX_UNPACKED && document.is_spent(), "{copied}");
}

#[test]
fn streams_behind_many_filters_are_not_unpacked() {
    let filters = format!("/Filter [{}]", "/Fl ".repeat(20_000));
    let (_, done, copied) = work(&one_page(stream(&filters, b"")));
    assert!(copied < 1_000 && done < 1_000_000, "{done} {copied}");
    assert!(text(&one_page(stream(&filters, b""))).unwrap_err().contains("20000 filters"));
}

#[test]
fn resources_are_not_copied_for_each_page_font_or_form() {
    let many: String = (0..20_000).map(|number| format!("/N{number} 1 ")).collect();
    let resources = format!("{many} /Font << {many} /F1 << /Subtype /Type1 >> >> /XObject << {many} >>");
    let content = b"BT /F1 9 Tf (x) Tj ET /N5 Do ".repeat(10);
    let bytes = of_pages(&resources, &"<< /Contents 3 0 R >> ".repeat(2_001), &content);
    let (read, done, _) = work(&bytes);
    assert_eq!(read.matches('x').count(), 20_000);
    assert!(done < 4_000_000 + 3 * 2_001 * content.len(), "{done}");
    assert!(text(&bytes).unwrap().1[0].contains("more than 2000 pages"));
}

#[test]
fn fonts_that_are_written_in_resources_are_made_once_for_a_page() {
    let widths = "500 ".repeat(256);
    let font = format!("/Font << /F1 << /Subtype /Type1 /FirstChar 0 /Widths [{widths}] >> >>");
    let content = b"BT /F1 9 Tf (x) Tj ET ".repeat(20_000);
    let (read, done, _) = work(&of_pages(&font, "<< /Contents 3 0 R >>", &content));
    assert_eq!(read.matches('x').count(), 20_000);
    assert!(done < 2 * content.len() + 100_000, "{done}");
}

#[test]
fn pictures_among_what_is_drawn_are_passed_over_once() {
    for (picture, many) in [("BI ID EI ", 100_000), ("BI ID\nEIx EI ", 100_000), ("BI ID ", 1)] {
        let content = [b"BT /F1 9 Tf (a) Tj ET ", picture.repeat(many).as_bytes(), b"BT (b) Tj ET"].concat();
        let (read, done, _) = work(&of_pages(FONT, "<< /Contents 3 0 R >>", &content));
        assert_eq!(read.replace(' ', ""), if many == 1 { "a" } else { "ab" });
        assert!(done < 2 * content.len() + 10_000, "{done}");
    }
}

#[test]
fn pages_behind_the_most_text_are_not_unpacked() {
    let content = [b"BT /F1 9 Tf (".to_vec(), b"0123456789".repeat(500_000), b") Tj ET".to_vec()].concat();
    let bytes = of_pages(FONT, &"<< /Contents 3 0 R >> ".repeat(20), &content);
    let (read, done, copied) = work(&bytes);
    assert!(read.len() <= 4 * 1024 * 1024 + 1_000 && !read.is_empty(), "{}", read.len());
    assert!(copied <= 2 * content.len() && done <= 2 * content.len(), "{done} {copied}");
    assert!(text(&bytes).unwrap().1[0].contains("longer"));
}
