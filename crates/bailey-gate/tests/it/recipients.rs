//! Recipients from the text somebody wrote to the header and the envelope of the mail: the same ones, in the same order, whatever the
//! names are.

use std::env;

use bailey_gate::family::addresses::{BadAddresses, list};
use bailey_gate::family::mail::Message;
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Party, punycode, rfc5322};
use mail_parser::MessageParser;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::double;

/// Lists tried: a few in the test command, more where `BAILEY_CASES` says so.
fn cases() -> u32 {
    env::var("BAILEY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000)
}

/// A name with whatever has a meaning in a list of recipients, or looks like a recipient itself.
fn hostile_name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("ana@example.org".to_owned()),
        Just(", ".to_owned()),
        Just("; ".to_owned()),
        Just("<eve@evil.example>".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just(":".to_owned()),
        Just("=?utf-8?B?ZXZlQGV2aWwuZXhhbXBsZSwg?=".to_owned()),
        Just("=?utf-8?Q?".to_owned()),
        Just("\u{202e}".to_owned()),
        "[a-zA-Z .']{1,12}",
        "[äöüßéñøłжя中文ا]{1,6}",
        "\\PC{1,4}",
    ];
    vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

prop_compose! {
    fn mailbox()(
        name in proptest::option::of(hostile_name()),
        local in "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,10}(\\.[a-z0-9]{1,5}){0,2}",
        domain in "([a-z0-9]{1,8}\\.){1,2}(org|example)|xn--exmple-cua\\.org|xn--bcher-kva\\.example",
    ) -> Mailbox {
        let squeezed = |name: String| name.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = name.map(squeezed).filter(|name| !name.is_empty()).and_then(|name| Line::new(name).ok());
        Mailbox { name, address: Address::new(&format!("{local}@{domain}")).unwrap() }
    }
}

/// A mailbox as somebody writes it: as we do, in encoded words, with the name in a comment, with letters for `xn--`.
fn written(mailbox: &Mailbox, form: u8) -> String {
    let name = mailbox.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
    let address = mailbox.address.letters().unwrap_or_else(|| mailbox.address.to_string());
    let bytes = |name: &str| name.bytes().map(|byte| format!("={byte:02X}")).collect::<String>();
    match form {
        1 if name.len() < 200 && !name.is_empty() => format!("=?utf-8?Q?{}?= <{address}>", bytes(&name)),
        2 if !name.contains(['(', ')', '\\']) && !name.contains("=?") && !name.is_empty() => {
            format!("{address} ({name})")
        }
        3 => format!("Some group: {mailbox};"),
        // Alone and ahead of a name without quotation marks it would not be clear, and refused.
        _ if name.is_empty() && form > 0 => format!("<{address}>"),
        _ => mailbox.to_string(),
    }
}

fn recipients(list: Option<&mail_parser::Address<'_>>) -> Vec<String> {
    list.map(|list| list.iter().map(|one| one.address().unwrap_or_default().to_owned()).collect()).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn recipients_stay_the_same_from_text_to_header_and_envelope(
        lists in [vec((mailbox(), 0_u8..4), 1..6), vec((mailbox(), 0_u8..4), 0..4), vec((mailbox(), 0_u8..4), 0..4)],
    ) {
        let read = lists.each_ref().map(|all| {
            // An address alone ahead of a name without quotation marks is not clear, and refused; so names here have them.
            let text = all.iter().map(|(mailbox, form)| match (written(mailbox, *form), mailbox.name.is_some()) {
                (text, true) if *form == 0 && !text.starts_with('"') => format!("\"{}\" <{}>", mailbox.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(), mailbox.address),
                (text, _) => text,
            });
            list(&text.collect::<Vec<_>>().join(", "), &punycode::to_ascii)
        });
        let wanted = lists.each_ref().map(|all| all.iter().map(|(mailbox, _)| mailbox.clone()).collect::<Vec<_>>());
        for (read, wanted) in read.iter().zip(&wanted) {
            match read {
                // Refused is never wrong; only encoded words are written without quotation marks here.
                Err(BadAddresses::Ambiguous { .. }) => return Ok(()),
                read => prop_assert_eq!(read.as_ref(), Ok(wanted)),
            }
        }
        let [to, cc, bcc] = wanted;
        let message = Message { to, cc, bcc, ..double::message(&[]) };
        let (sent, kept) = (rfc5322::render(&message), rfc5322::render_kept(&message));
        for line in kept.split(|byte| *byte == b'\n') {
            prop_assert!(line.len() <= 999, "a line of {} bytes", line.len());
        }
        let addresses = |list: &[Mailbox]| list.iter().map(|one| one.address.to_string()).collect::<Vec<_>>();
        let header = MessageParser::default().parse(&kept).unwrap();
        prop_assert_eq!(recipients(header.to()), addresses(&message.to));
        prop_assert_eq!(recipients(header.cc()), addresses(&message.cc));
        prop_assert_eq!(recipients(header.bcc()), addresses(&message.bcc));
        let header = MessageParser::default().parse(&sent).unwrap();
        prop_assert_eq!(recipients(header.bcc()), Vec::<String>::new());
        let envelope: Vec<Mailbox> = message.recipients().cloned().collect();
        prop_assert_eq!(addresses(&envelope), [addresses(&message.to), addresses(&message.cc), addresses(&message.bcc)].concat());
    }

    /// Whatever is written, what is read of it reads back, and rules see the same recipients.
    #[test]
    fn recipients_of_any_text_are_refused_or_read_the_same_again(text in prop_oneof![hostile_name(), "\\PC{0,60}", vec(hostile_name(), 1..4).prop_map(|all| all.join(" <a@b.org>, "))]) {
        if let Ok(read) = list(&text, &punycode::to_ascii) {
            for one in &read {
                prop_assert_eq!(&list(&one.to_string(), &punycode::to_ascii).unwrap(), &vec![one.clone()]);
            }
            if let Some(parties) = Party::read(Party::EMAIL, &text) {
                let wanted: Vec<Party> = read.iter().map(|one| Party::of_address(&one.address)).collect();
                prop_assert_eq!(parties, wanted);
            }
        }
    }
}
