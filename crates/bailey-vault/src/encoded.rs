//! Settings in the gate's codec: the bytes that the person's leave to connect is bound to. `docs/approval-format.md` describes
//! them, for those who implement it elsewhere.

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::codec::Encoder;

use crate::settings::{
    DavSettings, KeyHeader, MailSettings, ModelSettings, OauthClient, Security, Server, Settings, Training,
};

impl Settings {
    /// Writes every field, in the order of `docs/approval-format.md`. Each is named here, so that none can come to be that is
    /// not signed.
    pub fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Mail(mail) => encode_mail(out.byte(1), mail),
            Self::Calendar(dav) => encode_dav(out, [2, 5], dav),
            Self::Contacts(dav) => encode_dav(out, [3, 6], dav),
            Self::Model(model) => encode_model(out.byte(4), model),
        }
    }
}

fn encode_mail(out: &mut Encoder, mail: &MailSettings) {
    let MailSettings { address, name, imap, submission, issuer, client } = mail;
    text(out.text(address), name.as_ref());
    out.option(imap.as_ref(), encode_server).option(submission.as_ref(), encode_server);
    text(out, issuer.as_ref());
    encode_client(out, client.as_ref());
}

fn encode_client(out: &mut Encoder, client: Option<&OauthClient>) {
    out.option(client, |out, OauthClient { id, secret }| {
        out.text(id).option(secret.as_ref(), |out, secret| {
            out.bytes(&hash_of_secret(id, secret));
        });
    });
}

/// Returns what stands for a client's secret: the log keeps what was signed, and no secret.
fn hash_of_secret(id: &str, secret: &str) -> Vec<u8> {
    let mut hashed = Encoder::default();
    hashed.text("bailey client secret").text(id).text(secret);
    digest(&SHA256, &hashed.finish()).as_ref().to_vec()
}

/// Writes a collection, signed in to with a password (the first tag) or with tokens (the second).
fn encode_dav(out: &mut Encoder, tags: [u8; 2], dav: &DavSettings) {
    let DavSettings { name, user, server, path, issuer, client } = dav;
    let signs_in = issuer.is_some() || client.is_some();
    text(out.byte(if signs_in { tags[1] } else { tags[0] }), name.as_ref());
    encode_server(out.text(user), server);
    out.text(path);
    if signs_in {
        text(out, issuer.as_ref());
        encode_client(out, client.as_ref());
    }
}

fn encode_model(out: &mut Encoder, model: &ModelSettings) {
    let ModelSettings { base_url, key_header, training, retention, terms } = model;
    let key_header = match key_header {
        KeyHeader::Bearer => 1,
        KeyHeader::XApiKey => 2,
    };
    let training = match training {
        Training::No => 1,
        Training::Yes => 2,
        Training::Unknown => 3,
    };
    out.text(base_url).byte(key_header).byte(training).text(retention).text(terms);
}

fn encode_server(out: &mut Encoder, server: &Server) {
    let Server { host, port, tls: _, starttls: _ } = server;
    let security = match server.security() {
        Security::None => 0,
        Security::Tls => 1,
        Security::Starttls => 2,
    };
    out.text(host).number(u64::from(*port)).byte(security);
}

fn text(out: &mut Encoder, words: Option<&String>) {
    out.option(words, |out, words| {
        out.text(words);
    });
}
