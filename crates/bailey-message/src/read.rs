//! From the tree of a message to what a person sees of it.

use sha2::{Digest as _, Sha256};

use crate::address::{addresses, clean};
use crate::html;
use crate::mime::{About, Body, Inner, Part};
use crate::{Attachment, Hidden, Invitation, Mail, Misleading, charset, date, ids, plain, unsubscribe};

/// Most files of a message that are told of.
const MAX_FILES: usize = 50;
/// Most invitations of a message that are handed out, and most characters of one.
const MAX_INVITATIONS: usize = 10;
const MAX_INVITATION: usize = 64 * 1024;
/// Most characters of a message's text.
const MAX_TEXT: usize = 4 * 1024 * 1024;
/// Most people of one field that are told of.
const MAX_PEOPLE: usize = 100;
/// Characters of a subject.
const MAX_SUBJECT: usize = 1_000;
/// Most things said about what was left out.
const MAX_CUTS: usize = 20;

pub(crate) fn mail(inner: &Inner<'_>) -> Mail {
    let mut page = Page::default();
    page.show(&inner.root);
    let fields = &inner.fields;
    let [from, sender, reply_to, to, cc] = ["from", "sender", "reply-to", "to", "cc"].map(|name| {
        let mut list = addresses(fields, name);
        list.more += list.all.len().saturating_sub(MAX_PEOPLE);
        list.all.truncate(MAX_PEOPLE);
        list
    });
    let more_people = [&from, &sender, &reply_to, &to, &cc].iter().map(|list| list.more).sum();
    if fields.is_cut() {
        page.cut("some of its header is too long, and was left out".into());
    }
    let written = fields.text("date");
    let date = written.as_deref().and_then(date);
    Mail {
        from: from.all,
        sender: sender.all,
        reply_to: reply_to.all,
        to: to.all,
        cc: cc.all,
        more_people,
        subject: fields.text("subject").map(|subject| crate::short(&clean_line(&subject), MAX_SUBJECT)),
        date_as_written: written.filter(|_| date.is_none()).map(|date| clean(&date)),
        date,
        message_id: ids(fields, "message-id").into_iter().next(),
        in_reply_to: ids(fields, "in-reply-to"),
        references: ids(fields, "references"),
        text: page.text,
        cut: page.cuts,
        hidden: page.hidden,
        misleading_links: page.misleading,
        attachments: page.files,
        more_attachments: page.more_files,
        invitations: page.invitations,
        unsubscribe: unsubscribe::of(fields),
    }
}

fn clean_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    crate::invisible::without(&plain).0.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Tells whether a part is shown, or handed out, with the mail: text that is no file.
pub(crate) fn is_read_at_once(about: &About) -> bool {
    let media = about.media.as_str();
    media == "text/calendar" || (!about.is_attachment && (is_shown_text(media) || is_report(media)))
}

fn is_shown_text(media: &str) -> bool {
    media.starts_with("text/")
        && !matches!(
            media,
            "text/x-vcard"
                | "text/vcard"
                | "text/directory"
                | "text/x-amp-html"
                | "text/watch-html"
                | "text/css"
                | "text/javascript"
        )
}

/// Parts of reports that programs write and people can read (RFC 3464, RFC 8098, RFC 5965).
fn is_report(media: &str) -> bool {
    matches!(
        media,
        "message/delivery-status"
            | "message/global-delivery-status"
            | "message/disposition-notification"
            | "message/feedback-report"
            | "message/global-headers"
            | "text/rfc822-headers"
    )
}

#[derive(Default)]
struct Page {
    text: String,
    cuts: Vec<String>,
    hidden: Hidden,
    misleading: Vec<Misleading>,
    files: Vec<Attachment>,
    more_files: usize,
    invitations: Vec<Invitation>,
    /// Text parts so far: one behind the first, with a name, is a file as well.
    texts: usize,
}

impl Page {
    fn cut(&mut self, what: String) {
        if self.cuts.len() < MAX_CUTS && !self.cuts.contains(&what) {
            self.cuts.push(what);
        }
    }

    /// Adds text, an empty line below what is there.
    fn add(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if self.text.len() + text.len() > MAX_TEXT {
            return self.cut("its text is longer than is read of a mail".into());
        }
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(text);
    }

    fn show(&mut self, part: &Part<'_>) {
        match &part.body {
            Body::Parts(parts) => match part.about.media.as_str() {
                "multipart/alternative" => self.alternative(parts),
                "multipart/related" => self.related(part, parts),
                "multipart/encrypted" => {
                    self.add("[this mail is encrypted; its text cannot be read here]");
                    parts.iter().for_each(|part| self.list(part));
                }
                _ => parts.iter().for_each(|part| self.show(part)),
            },
            Body::Message(inner) => self.forwarded(part, inner),
            Body::TooDeep => {
                self.cut("parts that are nested deeper, or more of them, than are read were left out".into())
            }
            Body::Bytes { .. } | Body::Absent(_) => self.leaf(part),
        }
    }

    fn leaf(&mut self, part: &Part<'_>) {
        let about = &part.about;
        let media = about.media.as_str();
        if media == "text/calendar" {
            self.invitation(part);
            if about.is_attachment || about.name.is_some() {
                self.file(part);
            }
        } else if !about.is_attachment && (is_shown_text(media) || is_report(media)) {
            self.texts += 1;
            if about.name.is_some() && self.texts > 1 {
                self.file(part);
            }
            self.words(part);
        } else {
            if about.is("image") && !about.is_attachment {
                let name = about.name.as_deref().map(|name| format!(": {name}")).unwrap_or_default();
                self.add(&format!("[picture{name}]"));
            }
            if matches!(media, "application/pkcs7-mime" | "application/x-pkcs7-mime") {
                self.add("[this part is encrypted or sealed (S/MIME); its text cannot be read here]");
            }
            self.file(part);
        }
    }

    /// Adds the text of a part.
    fn words(&mut self, part: &Part<'_>) {
        let Some((bytes, whole)) = part.decoded() else {
            let size = encoded_size(part);
            return self.cut(format!(
                "part {} ({}, {size} bytes) was not fetched; read it as an attachment",
                part.path, part.about.media
            ));
        };
        let about = &part.about;
        if !whole {
            self.cut(format!("only the beginning of part {} is here; read the rest of it as an attachment", part.path));
        }
        match about.media.as_str() {
            "text/html" => {
                let rendered = html::render(&charset::decode(&bytes, html_charset(about, &bytes).as_deref()));
                if rendered.cut {
                    self.cut(format!("part {} is longer than is read of one part", part.path));
                }
                self.hidden.left_out += rendered.hidden.left_out;
                self.hidden.characters += rendered.hidden.characters;
                self.hidden.marked += rendered.hidden.marked;
                self.misleading.extend(rendered.misleading);
                self.add(if whole { &rendered.text } else { crate::whole_words(&rendered.text) });
            }
            _ => {
                let text = charset::decode(&bytes, about.charset.as_deref());
                let text = if matches!(about.media.as_str(), "text/enriched" | "text/richtext") {
                    without_commands(&text)
                } else {
                    text
                };
                let (text, hidden) = plain::lines(&text, about.flowed, about.delsp);
                if hidden > 0 {
                    self.hidden.add(hidden);
                }
                self.add(if whole { &text } else { crate::whole_words(&text) });
            }
        }
    }

    /// Shows the last that can be shown, as mail programs do it; the others' files all the same.
    fn alternative(&mut self, parts: &[Part<'_>]) {
        let mut chosen = None;
        for (index, part) in parts.iter().enumerate().rev() {
            if matches!(part.about.media.as_str(), "text/calendar" | "text/x-amp-html" | "text/watch-html") {
                continue;
            }
            let mut trial = Self { texts: self.texts, ..Self::default() };
            trial.show(part);
            let has_words = without_pictures(&trial.text).chars().any(char::is_alphanumeric);
            if has_words || (chosen.is_none() && !trial.text.is_empty()) {
                chosen = Some((index, trial));
                if has_words {
                    break;
                }
            }
        }
        let index = chosen.as_ref().map(|(index, _)| *index);
        let told = chosen.as_ref().map(|(_, page)| page.text.clone());
        if let Some((_, page)) = chosen {
            self.take(page);
        }
        for (at, part) in parts.iter().enumerate() {
            if Some(at) == index {
                continue;
            }
            self.list(part);
            if let (Some(told), "text/plain") = (&told, part.about.media.as_str()) {
                self.compare(part, told);
            }
        }
    }

    /// Says so where the plain version has words that the shown one has not: who reads it in another program reads something else.
    fn compare(&mut self, part: &Part<'_>, told: &str) {
        let Some((bytes, true)) = part.decoded() else { return };
        let other = charset::decode(&bytes, part.about.charset.as_deref());
        let words = |text: &str| {
            let words = text
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| word.chars().count() > 3)
                .map(str::to_lowercase);
            words.take(2_000).collect::<std::collections::BTreeSet<String>>()
        };
        let (shown, other) = (words(told), words(&other));
        let missing = other.difference(&shown).count();
        if missing > 3 && missing * 2 > other.len() {
            self.cut(format!("its plain version says something else; read part {} as an attachment", part.path));
        }
    }

    /// Shows the part that it begins with; what belongs to that is listed, but for text that belongs to nothing.
    fn related(&mut self, whole: &Part<'_>, parts: &[Part<'_>]) {
        let start = whole.about.start.as_ref();
        let root = start
            .and_then(|start| parts.iter().position(|part| part.about.content_id.as_ref() == Some(start)))
            .unwrap_or(0);
        for (index, part) in parts.iter().enumerate() {
            let belongs = part.about.content_id.is_some() && !part.about.is("multipart");
            if index == root || !belongs {
                self.show(part);
            } else {
                self.list(part);
            }
        }
    }

    fn forwarded(&mut self, part: &Part<'_>, inner: &Inner<'_>) {
        if part.about.is_attachment || part.about.name.is_some() {
            self.file(part);
        }
        let mut lines = vec!["----- a mail within this mail -----".to_owned()];
        let fields = &inner.fields;
        for (name, label) in [("from", "From"), ("reply-to", "Reply-To"), ("to", "To"), ("cc", "Cc")] {
            let people = addresses(fields, name);
            let all: Vec<String> = people.all.iter().map(ToString::to_string).collect();
            if !all.is_empty() {
                let more = if people.more > 0 { format!(" and {} more", people.more) } else { String::new() };
                lines.push(format!("{label}: {}{more}", all.join(", ")));
            }
        }
        for (name, label) in [("date", "Date"), ("subject", "Subject")] {
            if let Some(text) = fields.text(name) {
                lines.push(format!("{label}: {}", crate::short(&clean_line(&text), MAX_SUBJECT)));
            }
        }
        self.add(&lines.join("\n"));
        self.show(&inner.root);
        self.add("----- end of that mail -----");
    }

    /// Takes over what another page has.
    fn take(&mut self, other: Self) {
        self.add(&other.text);
        other.cuts.into_iter().for_each(|cut| self.cut(cut));
        self.hidden.left_out += other.hidden.left_out;
        self.hidden.characters += other.hidden.characters;
        self.hidden.marked += other.hidden.marked;
        self.misleading.extend(other.misleading);
        self.more_files += other.more_files;
        for file in other.files {
            self.keep(file);
        }
        self.invitations.extend(other.invitations);
        self.invitations.truncate(MAX_INVITATIONS);
        self.texts = other.texts;
    }

    /// Files and invitations of what is not shown.
    fn list(&mut self, part: &Part<'_>) {
        match &part.body {
            Body::Parts(parts) => parts.iter().for_each(|part| self.list(part)),
            Body::Message(inner) => {
                self.file(part);
                self.list(&inner.root);
            }
            Body::TooDeep => {
                self.cut("parts that are nested deeper, or more of them, than are read were left out".into())
            }
            Body::Bytes { .. } | Body::Absent(_) if part.about.media == "text/calendar" => self.invitation(part),
            Body::Bytes { .. } | Body::Absent(_) if is_shown_text(&part.about.media) && !part.about.is_attachment => {}
            Body::Bytes { .. } | Body::Absent(_) => self.file(part),
        }
    }

    fn invitation(&mut self, part: &Part<'_>) {
        let Some((bytes, whole)) = part.decoded() else {
            return self.cut(format!("the invitation in part {} was not fetched; read it as an attachment", part.path));
        };
        // It is told once, though many programs send it twice.
        let text = charset::decode(&bytes, part.about.charset.as_deref().or(Some("utf-8")));
        let same = |one: &Invitation| one.text.split_whitespace().eq(text.split_whitespace());
        if self.invitations.len() >= MAX_INVITATIONS || self.invitations.iter().any(same) {
            return;
        }
        let cut = !whole || text.len() > MAX_INVITATION;
        let text = crate::short(&text, MAX_INVITATION);
        self.invitations.push(Invitation { part: part.path.clone(), method: part.about.method.clone(), text, cut });
    }

    fn file(&mut self, part: &Part<'_>) {
        let decoded = match &part.body {
            Body::Message(_) => None,
            _ => part.decoded().filter(|(_, whole)| *whole),
        };
        let size = decoded.as_ref().and_then(|(bytes, _)| u64::try_from(bytes.len()).ok());
        let about_size = size.is_none().then(|| encoded_size(part)).filter(|size| *size > 0);
        let about_size = about_size.map(|size| if part.about.encoding == "base64" { size / 4 * 3 } else { size });
        self.keep(Attachment {
            part: part.path.clone(),
            name: part.about.name.clone(),
            media: clean(&part.about.media),
            size,
            about_size,
            sha256: decoded.map(|(bytes, _)| hash(&bytes)),
        });
    }

    fn keep(&mut self, file: Attachment) {
        if self.files.len() < MAX_FILES {
            self.files.push(file);
        } else {
            self.more_files += 1;
        }
    }
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encoded_size(part: &Part<'_>) -> u64 {
    match &part.body {
        Body::Absent(size) => *size,
        Body::Bytes { bytes, .. } => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        Body::Parts(_) | Body::Message(_) | Body::TooDeep => 0,
    }
}

/// Bytes of a document in which it may name its charset (WHATWG HTML, 13.2.3.2).
const MAX_BEFORE_META: usize = 1_024;

/// Returns the charset of an HTML part: that of its header, else the one the document names.
pub(crate) fn html_charset(about: &About, bytes: &[u8]) -> Option<String> {
    if about.charset.as_deref().is_some_and(|charset| !charset.eq_ignore_ascii_case("us-ascii")) {
        return about.charset.clone();
    }
    let begin = String::from_utf8_lossy(bytes.get(..MAX_BEFORE_META).unwrap_or(bytes)).to_ascii_lowercase();
    let (_, rest) = begin.split_once("charset=")?;
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(rest.len());
    rest.get(..end).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn without_pictures(text: &str) -> String {
    text.lines().filter(|line| !(line.starts_with("[picture") && line.ends_with(']'))).collect::<Vec<_>>().join("\n")
}

/// Returns text with commands in angle brackets (RFC 1896): the words alone.
fn without_commands(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        rest = match after.strip_prefix('<') {
            Some(after) => {
                out.push('<');
                after
            }
            None => after.split_once('>').map_or("", |(_, after)| after),
        };
    }
    out.push_str(rest);
    out
}
