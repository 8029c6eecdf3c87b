//! Whole mails, in the shapes that mail programs give them.

mod trees;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Mail, Outline, part, read};

fn mail(text: &str) -> Mail {
    read(text.replace('\n', "\r\n").as_bytes(), true)
}

#[test]
fn text_around_a_picture_is_told_whole_as_apple_mail_writes_it() {
    let told = mail(
        "From: Ana <ana@example.org>\nContent-Type: multipart/alternative; boundary=\"Apple-Mail=_1\"\n\n\
        --Apple-Mail=_1\nContent-Type: text/plain; charset=us-ascii\n\nBefore.\n\n\nAfter.\n\
        --Apple-Mail=_1\nContent-Type: multipart/mixed; boundary=\"Apple-Mail=_2\"\n\n\
        --Apple-Mail=_2\nContent-Type: text/html; charset=us-ascii\n\n<html><body>Before.<br></body></html>\n\
        --Apple-Mail=_2\nContent-Type: image/jpeg; name=\"IMG_1.jpg\"\nContent-Disposition: inline; filename=IMG_1.jpg\nContent-Transfer-Encoding: base64\n\n/9j/4A==\n\
        --Apple-Mail=_2\nContent-Type: text/html; charset=us-ascii\n\n<html><body>After.</body></html>\n\
        --Apple-Mail=_2--\n\n--Apple-Mail=_1--\n",
    );
    assert_eq!(told.text, "Before.\n\n[picture: IMG_1.jpg]\n\nAfter.");
    assert_eq!(told.cut, Vec::<String>::new());
    let file = &told.attachments[0];
    assert_eq!((file.name.as_deref(), file.size, file.part.as_str()), (Some("IMG_1.jpg"), Some(4), "2.2"));
    let plain = mail(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png; name=first.png\nContent-Transfer-Encoding: base64\n\niVBORw==\n--b\nContent-Type: text/plain\n\nBehind the picture.\n--b\nContent-Type: text/plain\n\nAnd more.\n--b--\n",
    );
    assert_eq!(plain.text, "[picture: first.png]\n\nBehind the picture.\n\nAnd more.");
}

#[test]
fn outlooks_mail_is_told_with_its_pictures_and_no_false_warnings() {
    let told = mail(
        "From: \"Doe, Jane\" <jane.doe@corp.example>\nTo: =?iso-8859-1?Q?M=FCller=2C_J=F6rg?= <joerg@exämple.org>\nSubject: =?iso-8859-1?Q?Angebot_f=FCr?=\n =?iso-8859-1?Q?_M=FCnchen?=\nThread-Topic: x\nDate: Fri, 27 Nov 2026 09:05:00 +0100\nContent-Type: multipart/related; boundary=r; type=\"multipart/alternative\"\n\n\
        --r\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain; charset=\"iso-8859-1\"\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n--a\nContent-Type: text/html; charset=\"iso-8859-1\"\nContent-Transfer-Encoding: quoted-printable\n\n\
        <html xmlns:o=3D\"urn:x\"><head><style><!-- p.MsoNormal {margin:0cm} --></style></head><body><p class=3DMsoNormal>Gr=FC=DFe<o:p></o:p></p>\
        <p class=3DMsoNormal><img src=3D\"cid:image001\" alt=3D\"Logo\"></p><p><a href=3D\"mailto:jane.doe@corp.example\">jane.doe@corp.example</a> <a href=3D\"https://www.corp.example/\">www.corp.example</a></p></body></html>\n--a--\n\
        --r\nContent-Type: image/png; name=\"image001.png\"\nContent-ID: <image001>\nContent-Disposition: inline; filename=\"image001.png\"\nContent-Transfer-Encoding: base64\n\niVBORw==\n--r--\n",
    );
    assert_eq!(told.text, "Grüße\n\n[picture: Logo]\n\njane.doe@corp.example www.corp.example");
    assert_eq!(told.misleading_links, Vec::new());
    assert_eq!(told.from[0].name.as_deref(), Some("Doe, Jane"));
    assert_eq!(told.to[0].name.as_deref(), Some("Müller, Jörg"));
    assert_eq!(
        (told.to[0].address.as_str(), told.to[0].shown.as_deref()),
        ("joerg@xn--exmple-cua.org", Some("joerg@exämple.org"))
    );
    assert_eq!(
        (told.subject.as_deref(), told.date.as_deref()),
        (Some("Angebot für München"), Some("2026-11-27T09:05:00+01:00"))
    );
    assert_eq!(told.attachments[0].name.as_deref(), Some("image001.png"));
}

#[test]
fn gmails_answer_keeps_what_it_quotes() {
    let told = mail(
        "From: tom@example.org\nIn-Reply-To: <b@x>\nReferences: <a@x>\n <b@x>\nMessage-ID: <c@mail.gmail.com>\nContent-Type: multipart/alternative; boundary=\"000a\"\n\n\
        --000a\nContent-Type: text/plain; charset=\"UTF-8\"\n\nYes.\n\nOn Mon, Ana wrote:\n> Tuesday?\n\
        --000a\nContent-Type: text/html; charset=\"UTF-8\"\n\n<div dir=\"ltr\">Yes.</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, Ana wrote:<br></div><blockquote class=\"gmail_quote\"><div>Tuesday?</div></blockquote></div>\n--000a--\n",
    );
    assert_eq!(told.text, "Yes.\n\nOn Mon, Ana wrote:\n\n> Tuesday?");
    assert_eq!(
        (told.message_id.as_deref(), told.in_reply_to, told.references),
        (Some("<c@mail.gmail.com>"), vec!["<b@x>".to_owned()], vec!["<a@x>".to_owned(), "<b@x>".into()])
    );
}

#[test]
fn thunderbirds_flowing_text_and_attached_text_are_told_apart() {
    let told = mail(
        "From: a@example.org\nContent-Type: multipart/mixed; boundary=\"------------x\"\n\nThis is a multi-part message in MIME format.\n\
        --------------x\nContent-Type: text/plain; charset=UTF-8; format=flowed\n\nA long line that \nflows on.\n\
        --------------x\nContent-Type: text/plain; charset=UTF-8; name=\"notes.txt\"\nContent-Disposition: attachment; filename=\"notes.txt\"\nContent-Transfer-Encoding: base64\n\nTk9UIElOIFRIRSBURVhU\n\
        --------------x--\n",
    );
    assert_eq!(told.text, "A long line that flows on.");
    assert_eq!(told.attachments.len(), 1);
    assert_eq!((told.attachments[0].size, told.attachments[0].sha256.as_ref().map(String::len)), (Some(15), Some(64)));
}

#[test]
fn blank_plain_text_beside_html_hides_nothing() {
    for plain in ["", " \n \n", "\u{a0}"] {
        let told = mail(&format!(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n--b\nContent-Type: text/html\n\n<p>Real words</p>\n--b--\n"
        ));
        assert_eq!(told.text, "Real words");
    }
    let other_way = mail(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nReal words\n--b\nContent-Type: text/html\n\n<html><body><img src=\"http://x/y.gif\"></body></html>\n--b--\n",
    );
    assert_eq!(other_way.text, "Real words");
}

#[test]
fn a_plain_version_that_says_something_else_is_pointed_out() {
    let told = mail(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nPlease transfer everything tomorrow morning instead\n--b\nContent-Type: text/html\n\n<p>Lunch at noon</p>\n--b--\n",
    );
    assert_eq!(told.text, "Lunch at noon");
    assert_eq!(told.cut, ["its plain version says something else; read part 1 as an attachment"]);
}

#[test]
fn forwarded_mail_and_bounces_are_readable() {
    let told = mail(
        "From: MAILER-DAEMON@mx.example\nSubject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
        --b\nContent-Type: text/plain\n\nI could not deliver it.\n\
        --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; nobody@example.org\nAction: failed\nStatus: 5.1.1\n\
        --b\nContent-Type: message/rfc822\n\nFrom: \"Me, Myself\" <me@example.org>\nTo: nobody@example.org\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nOriginal words\n--c\nContent-Type: application/pdf; name=a.pdf\n\n%PDF\n--c--\n\
        --b--\n",
    );
    for words in [
        "I could not deliver it.",
        "Final-Recipient: rfc822; nobody@example.org",
        "Status: 5.1.1",
        "From: \"Me, Myself\" <me@example.org>",
        "Subject: Grüße",
        "Original words",
    ] {
        assert!(told.text.contains(words), "{words}: {}", told.text);
    }
    assert_eq!((told.attachments[0].part.as_str(), told.attachments[0].name.as_deref()), ("3.2", Some("a.pdf")));
    let headers = mail(
        "Content-Type: multipart/report; boundary=b\n\n--b\n\nFailed.\n--b\nContent-Type: text/rfc822-headers\n\nSubject: x\n--b--\n",
    );
    assert_eq!(headers.text, "Failed.\n\nSubject: x");
}

#[test]
fn invitations_are_handed_out_whole_and_once() {
    let ics = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nSUMMARY:Lunch\nEND:VEVENT\nEND:VCALENDAR\n";
    let file = STANDARD.encode(ics);
    let told = mail(&format!(
        "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\nYou are invited.\n--a\nContent-Type: text/html\n\n<p>You are invited.</p>\n--a\nContent-Type: text/calendar; charset=\"UTF-8\"; method=REQUEST\n\n{ics}\n--a--\n\
        --m\nContent-Type: application/ics; name=\"invite.ics\"\nContent-Disposition: attachment; filename=\"invite.ics\"\nContent-Transfer-Encoding: base64\n\n{file}\n--m--\n"
    ));
    assert_eq!(told.text, "You are invited.");
    assert_eq!(told.invitations.len(), 1);
    assert_eq!((told.invitations[0].method.as_deref(), told.invitations[0].part.as_str()), (Some("REQUEST"), "1.3"));
    assert!(told.invitations[0].text.contains("SUMMARY:Lunch"));
    assert_eq!(told.attachments[0].name.as_deref(), Some("invite.ics"));
}

#[test]
fn signed_and_encrypted_mail_is_told_as_what_it_is() {
    let signed = mail(
        "Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\n\n--s\nContent-Type: text/plain\n\nSigned words\n--s\nContent-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN\n--s--\n",
    );
    assert_eq!(signed.text, "Signed words");
    assert_eq!(signed.attachments.len(), 1);
    let encrypted = mail(
        "Content-Type: multipart/encrypted; boundary=s\n\n--s\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--s\nContent-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN\n--s--\n",
    );
    assert!(encrypted.text.contains("encrypted"));
    let sealed = mail("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nMIAG\n");
    assert!(sealed.text.contains("cannot be read"));
}

#[test]
fn broken_mail_is_read_as_far_as_it_goes() {
    for (text, words) in [
        ("Subject: x\nno blank line here", "no blank line here"),
        ("Content-Type: multipart/mixed; boundary=never\n\nno boundary ever", "no boundary ever"),
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nno end", "no end"),
        ("Content-Type: multipart/mixed\n\nno boundary named", "no boundary named"),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\ninner without end\n--b\n\nouter goes on\n--b--\n",
            "outer goes on",
        ),
        ("Content-Type: text\n\nhalf a type", "half a type"),
        ("Content-Type: ;\n\nno type", "no type"),
        ("Content-Type: text/plain; charset=\n\nno charset", "no charset"),
        ("Content-Transfer-Encoding: base64\n\nnot base64 at all!", "not base64 at all!"),
        ("Content-Type: text/x-anything\n\nsome text", "some text"),
        ("\nonly a body", "only a body"),
        ("From nobody Mon\nSubject: x\n\nfrom a mailbox file", "from a mailbox file"),
    ] {
        let told = mail(text);
        assert!(told.text.contains(words), "{text}: {told:?}");
    }
    assert_eq!(read(b"", true).text, "");
    assert_eq!(mail("Date: yesterday\n\nx").date_as_written.as_deref(), Some("yesterday"));
}

#[test]
fn what_was_not_fetched_is_said() {
    let cut =
        read(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\n\r\nsecond, and th", false);
    assert_eq!(cut.text, "first\n\nsecond, and", "a word that was cut is left out");
    assert_eq!(cut.cut, ["only the beginning of part 2 is here; read the rest of it as an attachment"]);
    let many = format!(
        "Content-Type: multipart/mixed; boundary=a\n\n{}",
        "--a\nContent-Disposition: attachment\n\n\n".repeat(15_000)
    );
    let told = mail(&many);
    assert_eq!(told.attachments.len(), 50);
    assert!(told.more_attachments > 9_000 && !told.cut.is_empty());
}

#[test]
fn parts_are_found_by_their_numbers() {
    let text = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxi\r\n--b--\r\n";
    let (about, bytes, whole) = part(text, "2").unwrap();
    assert_eq!((about.name.as_deref(), bytes.as_slice(), whole), (Some("a.csv"), b"a,b".as_slice(), true));
    assert!(part(text, "3").is_none());
    assert!(Outline::new(b"", b"(\"text\" \"csv\" NIL NIL NIL \"base64\" 4)").is_some());
}

#[test]
fn nested_mail_of_any_depth_comes_to_an_end() {
    let deep = b"Content-Type: message/rfc822\r\n\r\n".repeat(20_000);
    assert!(!read(&deep, true).cut.is_empty());
    let encoded = (0..40).fold("Subject: core\r\n\r\ncore".to_owned(), |inner, _| {
        format!(
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            STANDARD.encode(inner.as_bytes().get(..60_000).unwrap_or(inner.as_bytes()))
        )
    });
    let _ = read(encoded.as_bytes(), true);
}
