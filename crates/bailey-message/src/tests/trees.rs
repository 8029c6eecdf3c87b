//! Chance trees of parts: every text that is seen is told, or it is said that something was left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::read;

#[derive(Debug, Clone)]
enum Tree {
    Text { html: bool, encoding: u8, charset: u8, named: bool },
    Blank { html: bool },
    File { text: bool, encoding: u8 },
    Picture,
    Many { kind: u8, parts: Vec<Tree>, ended: bool },
    Mail(Box<Tree>),
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        5 => (any::<bool>(), 0..3_u8, 0..5_u8, any::<bool>()).prop_map(|(html, encoding, charset, named)| Tree::Text { html, encoding, charset, named }),
        1 => any::<bool>().prop_map(|html| Tree::Blank { html }),
        1 => (any::<bool>(), 0..3_u8).prop_map(|(text, encoding)| Tree::File { text, encoding }),
        1 => Just(Tree::Picture),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            4 => (0..6_u8, proptest::collection::vec(inner.clone(), 1..4), any::<bool>()).prop_map(|(kind, parts, ended)| Tree::Many { kind, parts, ended }),
            1 => inner.prop_map(|inner| Tree::Mail(Box::new(inner))),
        ]
    })
}

const KINDS: [&str; 6] = ["mixed", "alternative", "related", "signed", "report", "x-whatever"];

#[derive(Default)]
struct Writer {
    count: usize,
    files: usize,
}

impl Writer {
    /// Writes a part with its header; gives the words of it that are seen.
    fn write(&mut self, tree: &Tree, out: &mut Vec<u8>, line: &str) -> Vec<String> {
        self.count += 1;
        let number = self.count;
        match tree {
            Tree::Text { html, encoding, charset, named } => {
                let word = format!("wörd{number}ü");
                let text = if *html { format!("<p>a {word}</p>{line}") } else { format!("a {word}{line}") };
                // Declared and true, wrong, and none at all.
                let (label, bytes) = match charset {
                    0 => ("; charset=utf-8", text.into_bytes()),
                    1 => ("; charset=iso-8859-1", text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()),
                    2 => ("", text.into_bytes()),
                    3 => ("; charset=us-ascii", text.into_bytes()),
                    _ => ("; charset=iso-8859-1", text.into_bytes()),
                };
                let kind = if *html { "html" } else { "plain" };
                let name = if *named { format!("; name=\"n{number}.txt\"") } else { String::new() };
                out.extend(format!("Content-Type: text/{kind}{label}{name}{line}").into_bytes());
                body(&bytes, *encoding, line, out);
                vec![word]
            }
            Tree::Blank { html } => {
                let (kind, text) = if *html { ("html", "<div>&nbsp;</div>") } else { ("plain", " ") };
                out.extend(format!("Content-Type: text/{kind}{line}{line}{text}{line}").into_bytes());
                Vec::new()
            }
            Tree::File { text, encoding } => {
                self.files += 1;
                let media = if *text { "text/plain" } else { "application/pdf" };
                out.extend(
                    format!("Content-Type: {media}{line}Content-Disposition: attachment; filename=f{number}{line}")
                        .into_bytes(),
                );
                body(format!("fileword{number}").as_bytes(), *encoding, line, out);
                Vec::new()
            }
            Tree::Picture => {
                self.files += 1;
                out.extend(format!("Content-Type: image/png; name=p{number}.png{line}").into_bytes());
                body(b"\x89PNG", 1, line, out);
                Vec::new()
            }
            Tree::Many { kind, parts, ended } => {
                // Boundaries that begin like those around them.
                let boundary = format!("b{}", "-x".repeat(number % 4) + &number.to_string());
                let kind = KINDS[usize::from(*kind)];
                out.extend(
                    format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"{line}{line}preamble{line}")
                        .into_bytes(),
                );
                let mut seen: Vec<Vec<String>> = Vec::new();
                for part in parts {
                    out.extend(format!("--{boundary}{line}").into_bytes());
                    seen.push(self.write(part, out, line));
                    out.extend(line.bytes());
                }
                if *ended {
                    out.extend(format!("--{boundary}--{line}").into_bytes());
                }
                match kind {
                    "alternative" => seen.into_iter().rev().find(|words| !words.is_empty()).unwrap_or_default(),
                    _ => seen.concat(),
                }
            }
            Tree::Mail(inner) => {
                out.extend(
                    format!("Content-Type: message/rfc822{line}{line}Subject: inner{number}{line}").into_bytes(),
                );
                let mut words = self.write(inner, out, line);
                words.push(format!("inner{number}"));
                words
            }
        }
    }
}

fn body(bytes: &[u8], encoding: u8, line: &str, out: &mut Vec<u8>) {
    match encoding {
        0 => {
            out.extend(line.bytes());
            out.extend(bytes);
        }
        1 => {
            out.extend(format!("Content-Transfer-Encoding: base64{line}{line}{}", STANDARD.encode(bytes)).into_bytes());
        }
        _ => {
            let quoted: String = bytes
                .iter()
                .map(|byte| {
                    if byte.is_ascii_alphanumeric() || *byte == b' ' {
                        char::from(*byte).to_string()
                    } else {
                        format!("={byte:02X}")
                    }
                })
                .collect();
            out.extend(format!("Content-Transfer-Encoding: quoted-printable{line}{line}{quoted}").into_bytes());
        }
    }
}

#[test]
fn trees_of_parts_are_told_whole_or_what_is_cut_is_said() {
    let cases = std::env::var("BAILEY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let told = runner.run(&(trees(), any::<bool>()), |(tree, crlf)| {
        let (mut writer, mut bytes) = (Writer::default(), b"Subject: whole".to_vec());
        let line = if crlf { "\r\n" } else { "\n" };
        bytes.extend(line.bytes());
        let words = writer.write(&tree, &mut bytes, line);
        let mail = read(&bytes, true);
        for word in &words {
            prop_assert!(
                mail.text.contains(word) || !mail.cut.is_empty(),
                "`{word}` is missing of\n{}\nin\n{}",
                String::from_utf8_lossy(&bytes),
                mail.text
            );
        }
        prop_assert!(!mail.text.contains("fileword"));
        prop_assert!(mail.attachments.len() + mail.more_attachments >= writer.files, "{:?}", mail.attachments);
        Ok(())
    });
    if let Err(why) = told {
        panic!("{why}");
    }
}
