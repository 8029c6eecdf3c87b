//! Encoding, rendering and preview: one meaning for the person, the codec and the mail system.

use bailey_gate::codec::CodecError;
use bailey_gate::content::Content;
use bailey_gate::family::files::FilePath;
use bailey_gate::family::home::HomeAction;
use bailey_gate::family::mail::{
    Attachment, FolderName, FolderRole, Keyword, MailAction, Mark, Marking, Message, MessageId, MessageRef, Moving,
    PartNumber, Summary, TakenFrom,
};
use bailey_gate::family::rfc5322;
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Action, escape};
use bailey_gate::{ActionId, Preview};
use expect_test::expect;
use mail_parser::{MessageParser, MimeHeaders as _};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::double::{CONNECTION, HOME, message};

fn content(action: Action) -> Content {
    Content {
        home: HOME,
        id: ActionId::from_bytes([5; 16]),
        account: Some((CONNECTION, 3)),
        precondition: vec![],
        action,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Vectors: a change here is a change of the format, and needs a new codec version.
#[test]
fn vectors() {
    let reply = content(Action::Home(HomeAction::Reply { words: "hi".into() }));
    expect!["0100000000000000100101010101010101010101010101010100000000000000100505050505050505050505050505050501000000000000001002020202020202020202020202020202000000000000000300000000000000000200000000000000026869"]
        .assert_eq(&hex(&reply.encode()));
    let mail = content(Action::Mail(MailAction::Send(message(&["ana@example.org"]))));
    expect!["8ffd1da2ca79dbb5cc5be1b61c5f0bca6c081169f955a413a6589f41487c0445"].assert_eq(&mail.digest().to_string());
    expect![[r#"
        From: me@example.org
        To: ana@example.org
        Subject: Subject
        Date: Tue, 14 Nov 2023 23:13:20 +0100
        Message-ID: <id@example.org>
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 7bit

        Body
    "#]]
    .assert_eq(&String::from_utf8(mail.action.artefact()).unwrap().replace("\r\n", "\n"));
    expect![[r#"
        Send a mail to 1 recipient
          From: me@example.org
          To: ana@example.org
          Subject: Subject
          Date: Tue, 14 Nov 2023 23:13:20 +0100
          Message-ID: <id@example.org>

          | Body
          | 
          digest 8ffd1da2ca79dbb5cc5be1b61c5f0bca6c081169f955a413a6589f41487c0445"#]]
    .assert_eq(&Preview::of(&mail).to_string());
}

/// Marks and moves, as [`vectors`] holds mail.
#[test]
fn vectors_of_marks_and_of_a_move_that_makes_its_folder() {
    let folder = |name| FolderName::new(name).unwrap();
    let message = || MessageRef { folder: folder("INBOX"), uid_validity: 5, uid: 7 };
    let about = || Summary { from: "Ana".into(), subject: "Plan".into(), message_id: "<1@x.org>".into() };
    let hex_of = |action: MailAction| {
        let content = content(Action::Mail(action));
        assert_eq!(Content::decode(&content.encode()).unwrap(), content);
        let bytes = hex(&content.encode());
        // What every action of a mail account begins with is in the vectors above.
        bytes.split_once("0300000000000000").unwrap().1.to_owned()
    };
    let mark =
        |mark: Mark, on: bool| hex_of(MailAction::Mark(Marking { message: message(), mark, on, about: about() }));
    expect!["00010a0000000000000005494e424f580000000000000005000000000000000701010000000000000003416e610000000000000004506c616e00000000000000093c3140782e6f72673e"].assert_eq(&mark(Mark::Read, true));
    expect!["00010a0000000000000005494e424f580000000000000005000000000000000702000000000000000003416e610000000000000004506c616e00000000000000093c3140782e6f72673e"].assert_eq(&mark(Mark::Starred, false));
    expect!["00010a0000000000000005494e424f5800000000000000050000000000000007030000000000000006244c61746572010000000000000003416e610000000000000004506c616e00000000000000093c3140782e6f72673e"].assert_eq(&mark(Mark::Label(Keyword::new("$Later").unwrap()), true));
    let to = folder("Kunden/M&APw-ller");
    let moving = Moving { message: message(), to, role: FolderRole::Ordinary, about: about(), makes: true };
    expect!["00010f0000000000000005494e424f580000000000000005000000000000000700000000000000114b756e64656e2f4d264150772d6c6c6572000000000000000003416e610000000000000004506c616e00000000000000093c3140782e6f72673e"].assert_eq(&hex_of(MailAction::Move(moving.clone())));
    expect!["0001050000000000000005494e424f580000000000000005000000000000000700000000000000114b756e64656e2f4d264150772d6c6c6572000000000000000003416e610000000000000004506c616e00000000000000093c3140782e6f72673e"].assert_eq(&hex_of(MailAction::Move(Moving { makes: false, ..moving })));
}

#[test]
fn every_bound_part_changes_the_digest() {
    let base = content(Action::Mail(MailAction::Send(message(&["ana@example.org"]))));
    let mut digests = vec![base.digest()];
    let mut changed = |change: &dyn Fn(&mut Content)| {
        let mut other = base.clone();
        change(&mut other);
        digests.push(other.digest());
    };
    changed(&|c| c.home = bailey_gate::HomeId::from_bytes([9; 16]));
    changed(&|c| c.id = ActionId::from_bytes([9; 16]));
    changed(&|c| c.account = None);
    changed(&|c| c.account = Some((CONNECTION, 4)));
    changed(&|c| c.precondition = b"etag".to_vec());
    let edits: [&dyn Fn(&mut Message); 12] = [
        &|m| m.bcc = vec![Mailbox { name: None, address: Address::new("eve@evil.example").unwrap() }],
        &|m| m.cc = m.to.clone(),
        &|m| m.to[0].name = Some(Line::new("Ana").unwrap()),
        &|m| m.to.push(m.to[0].clone()),
        &|m| m.subject = Line::new("subject").unwrap(),
        &|m| m.body.push('x'),
        &|m| m.date += 1,
        &|m| m.offset_minutes += 1,
        &|m| m.message_id = MessageId::new("<other@example.org>").unwrap(),
        &|m| m.in_reply_to = Some(m.message_id.clone()),
        &|m| m.references = vec![m.message_id.clone()],
        &|m| {
            m.attachments = vec![Attachment {
                name: Line::new("a").unwrap(),
                media_type: "a/b".into(),
                bytes: vec![],
                taken_from: None,
            }]
        },
    ];
    for edit in edits {
        changed(&|c| {
            if let Action::Mail(MailAction::Send(mail)) = &mut c.action {
                edit(mail);
            }
        });
    }
    changed(&|c| {
        if let Action::Mail(MailAction::Send(mail)) = c.action.clone() {
            c.action = Action::Mail(MailAction::Draft(mail));
        }
    });
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count, "two different contents share a digest");
}

#[test]
fn hostile_bytes_are_refused() {
    let good = content(Action::Mail(MailAction::Send(message(&["ana@example.org"])))).encode();
    assert!(Content::decode(&good).is_ok());
    for end in 0..good.len() {
        assert!(Content::decode(&good[..end]).is_err(), "cut at {end}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(Content::decode(&longer), Err(CodecError::Trailing));
    let mut newer = good;
    newer[0] = 2;
    assert_eq!(Content::decode(&newer), Err(CodecError::UnknownVersion(2)));
    assert_eq!(Content::decode(&[]), Err(CodecError::Short));
}

fn line() -> impl Strategy<Value = Line> {
    "[ -~]{0,40}|\\PC{0,60}|=\\?utf-8\\?B\\?aGk=\\?=".prop_filter_map("no controls", |text| Line::new(text.trim()).ok())
}

fn mailbox() -> impl Strategy<Value = Mailbox> {
    let name =
        option::of(line().prop_filter("a name has a letter", |name| name.as_str().chars().any(char::is_alphanumeric)));
    (name, "[a-z0-9+_-]{1,12}", "[a-z0-9]{1,10}\\.(org|example)").prop_map(|(name, local, domain)| Mailbox {
        name,
        address: Address::new(&format!("{local}@{domain}")).unwrap(),
    })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let name = line().prop_filter("a file has a name", |name| !name.as_str().is_empty());
    let taken_from = option::of(("\\PC{0,30}", 1_u32..1_000, any::<bool>()).prop_map(|(from, uid, own)| {
        if uid % 2 == 0 {
            let path = FilePath::new(&format!("Reports/{uid}.pdf")).unwrap();
            return Box::new(TakenFrom::File { path, version: uid.into(), own });
        }
        let message = MessageRef { folder: FolderName::new("INBOX").unwrap(), uid_validity: 5, uid };
        Box::new(TakenFrom::Mail { message, part: PartNumber::new("2.1").unwrap(), from, own })
    }));
    (name, vec(any::<u8>(), 0..200), taken_from).prop_map(|(name, bytes, taken_from)| Attachment {
        name,
        media_type: "application/pdf".into(),
        bytes,
        taken_from,
    })
}

prop_compose! {
    fn any_message()(
        from in mailbox(), to in vec(mailbox(), 1..4), cc in vec(mailbox(), 0..3), bcc in vec(mailbox(), 0..3),
        subject in line(), body in "(\\PC|\n){0,300}", date in 0_i64..4_000_000_000, offset_minutes in -840_i16..=840,
        attachments in vec(attachment(), 0..3), thread in vec("[a-z0-9]{1,20}", 0..5),
    ) -> Message {
        let id = |left: &String| MessageId::new(&format!("<{left}@example.org>")).unwrap();
        let references: Vec<MessageId> = thread.iter().map(id).collect();
        Message {
            from, to, cc, bcc, subject, body, date, offset_minutes, attachments,
            message_id: MessageId::new("<new@example.org>").unwrap(),
            in_reply_to: references.last().cloned(),
            references,
            keep_in: None,
            source: None,
        }
    }
}

/// Header text as readers compare it: runs of blanks count as one.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn contents_round_trip(message in any_message(), draft in any::<bool>()) {
        let action = if draft { MailAction::Draft(message) } else { MailAction::Send(message) };
        let content = content(Action::Mail(action));
        prop_assert_eq!(Content::decode(&content.encode()), Ok(content));
    }

    #[test]
    fn decoding_never_panics(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Content::decode(&bytes);
    }

    /// An independent parser reads from the bytes what the fields, and so the preview, say.
    #[test]
    fn rendering_says_what_the_preview_says(message in any_message()) {
        let bytes = rfc5322::render(&message);
        for line in bytes.split(|byte| *byte == b'\n') {
            prop_assert!(line.len() <= 999, "a line of {} bytes", line.len());
        }
        prop_assert!(bytes.is_ascii());
        prop_assert!(bytes.ends_with(b"\r\n"));
        let read = MessageParser::default().parse(&bytes).unwrap();
        prop_assert_eq!(squeezed(read.subject().unwrap_or_default()), squeezed(message.subject.as_str()));
        let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<(Option<String>, String)> {
            list.map(|list| list.iter().map(|one| (one.name().map(squeezed), one.address().unwrap_or_default().to_owned())).collect()).unwrap_or_default()
        };
        let expected = |list: &[Mailbox]| -> Vec<(Option<String>, String)> {
            list.iter().map(|one| (one.name.as_ref().map(|name| squeezed(name.as_str())), one.address.to_string())).collect()
        };
        prop_assert_eq!(addresses(read.to()), expected(&message.to));
        prop_assert_eq!(addresses(read.cc()), expected(&message.cc));
        prop_assert_eq!(addresses(read.bcc()), vec![], "Bcc is in the envelope only");
        let body = read.body_text(0).unwrap_or_default().replace("\r\n", "\n");
        prop_assert_eq!(body.trim_end_matches('\n'), message.body.trim_end_matches('\n'));
        prop_assert_eq!(read.date().unwrap().to_timestamp(), message.date);
        prop_assert_eq!(read.message_id(), Some("new@example.org"));
        let files: Vec<(String, Vec<u8>)> = read.attachments().map(|part| (part.attachment_name().unwrap_or_default().to_owned(), part.contents().to_vec())).collect();
        let expected: Vec<(String, Vec<u8>)> = message.attachments.iter().map(|file| (file.name.as_str().to_owned(), file.bytes.clone())).collect();
        prop_assert_eq!(files, expected);
    }

    #[test]
    fn previews_are_safe_to_print(message in any_message()) {
        let preview = Preview::of(&content(Action::Mail(MailAction::Send(message.clone())))).to_string();
        prop_assert!(!preview.chars().any(|c| escape::is_deceptive(c) && c != '\n' && c != '\t'));
        for to in message.recipients() {
            prop_assert!(preview.contains(to.address.as_str()));
        }
    }
}
