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
