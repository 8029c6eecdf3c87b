//! The web of a test: sites on this machine under names of their own, over TLS, behind the real broker, with a judge that a test holds.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailey_computer::{Address, Browser, CallError, Machine, Page};
use bailey_egress::{Broker, Ca, Head, HostName, Judge, Network, Origin, Record, Ruling, Slot, Ticket, Whole};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(600);

type Rule = Box<dyn Fn(&Head) -> Ruling + Send + Sync>;

struct State {
    rule: Mutex<Rule>,
    records: Mutex<Vec<Record>>,
    asked: Mutex<Vec<Whole>>,
    /// Where a site listens, by the last number of the address its name has.
    sites: BTreeMap<String, (u8, SocketAddr)>,
}

struct Held(Arc<State>);

impl Judge for Held {
    fn judge(&self, head: &Head) -> Ruling {
        (self.0.rule.lock().unwrap())(head)
    }

    fn may_tunnel(&self, _: &Origin) -> bool {
        false
    }

    async fn ask(&self, request: &Whole) -> Result<Ticket, String> {
        self.0.asked.lock().unwrap().push(request.clone());
        Err("nobody answered".into())
    }

    fn slots(&self, _: &Origin) -> Vec<Slot> {
        Vec::new()
    }

    fn leave(&self, write: &mut dyn FnMut()) -> io::Result<()> {
        write();
        Ok(())
    }

    async fn changed(&self) {
        std::future::pending().await
    }

    fn record(&self, record: Record) {
        self.0.records.lock().unwrap().push(record);
    }
}

struct Mapped(Arc<State>);

impl Network for Mapped {
    async fn resolve(&self, host: &HostName) -> io::Result<Vec<IpAddr>> {
        let (last, _) = self.0.sites.get(host.as_str()).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(vec![IpAddr::V4(Ipv4Addr::new(93, 184, 215, *last))])
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let IpAddr::V4(ip) = address.ip() else { return Err(io::Error::other("nobody listens")) };
        let found = self.0.sites.values().find(|(last, _)| *last == ip.octets()[3]);
        TcpStream::connect(found.ok_or_else(|| io::Error::other("nobody listens"))?.1).await
    }
}

/// The web, as a machine reaches it.
pub struct Web(Arc<State>);

/// A site in plain on this machine that is given a name and TLS.
pub struct Site<'a> {
    pub name: &'a str,
    pub port: u16,
}

impl Web {
    /// Puts sites behind a broker, has the machine trust it, and carries what the machine sends.
    pub async fn serve(machine: &Arc<dyn Machine>, sites: &[Site<'_>]) -> Self {
        let names: Vec<String> = sites.iter().map(|site| site.name.to_owned()).collect();
        let shown = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(shown.signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![shown.cert.der().clone()], key);
        let tls = TlsAcceptor::from(Arc::new(tls.unwrap()));
        let mut known = BTreeMap::new();
        for (last, site) in (1..).zip(sites) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            known.insert(site.name.to_owned(), (last, listener.local_addr().unwrap()));
            tokio::spawn(end_tls(listener, tls.clone(), site.port));
        }
        let state = Arc::new(State {
            rule: Mutex::new(Box::new(|_| Ruling::Go)),
            records: Mutex::default(),
            asked: Mutex::default(),
            sites: known,
        });
        let mut roots = RootCertStore::empty();
        roots.add(shown.cert.der().clone()).unwrap();
        let trust = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
        let ca = Ca::open(&Ca::new_key().unwrap(), "Bailey of a test").unwrap();
        let broker = Arc::new(Broker::new(Arc::new(Held(Arc::clone(&state))), Mapped(Arc::clone(&state)), ca, trust));
        machine.control().trust(broker.certificate()).await.unwrap();
        let machine = Arc::clone(machine);
        tokio::spawn(async move {
            while let Some(stream) = machine.egress().accept().await {
                let broker = Arc::clone(&broker);
                tokio::spawn(async move { broker.serve(stream).await });
            }
        });
        Self(state)
    }

    pub fn rule(&self, rule: impl Fn(&Head) -> Ruling + Send + Sync + 'static) {
        *self.0.rule.lock().unwrap() = Box::new(rule);
    }

    pub fn records(&self) -> Vec<Record> {
        self.0.records.lock().unwrap().clone()
    }

    pub fn asked(&self) -> Vec<Whole> {
        self.0.asked.lock().unwrap().clone()
    }
}

async fn end_tls(listener: TcpListener, tls: TlsAcceptor, port: u16) {
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            if let (Ok(mut outer), Ok(mut inner)) =
                (tls.accept(stream).await, TcpStream::connect(("127.0.0.1", port)).await)
            {
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            }
        });
    }
}

/// A site of ours, for pages that no honest server has: each path has one page.
pub async fn pages(pages: Vec<(&'static str, String)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let pages = Arc::new(pages);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let pages = Arc::clone(&pages);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    head.push(byte);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default();
                let found = pages.iter().find(|(known, _)| *known == path);
                let (status, body) = found.map_or(("404 Not Found", ""), |(_, page)| ("200 OK", page.as_str()));
                let kind = "content-type: text/html; charset=utf-8\r\nconnection: close";
                let answer = format!("HTTP/1.1 {status}\r\n{kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}

/// What somebody does with a browser who is told pages as a model is: they find things by what they are called.
pub struct Hand {
    pub browser: Browser,
    pub page: Page,
}

impl Hand {
    pub async fn open(browser: Browser, address: &str) -> Self {
        let page = browser.open(None, &Address::read(address).unwrap()).await.unwrap();
        let mut hand = Self { browser, page };
        hand.wait().await;
        hand
    }

    /// Reads the page until it has loaded: everything is emulated, beside whatever else goes on.
    async fn wait(&mut self) {
        self.wait_for(|page| !page.loading).await;
    }

    /// Reads the page until it is as it has to become.
    pub async fn wait_for(&mut self, is_so: impl Fn(&Page) -> bool) {
        let waiting = async {
            while !is_so(&self.page) {
                self.page = self.browser.read(self.page.tab, 0).await.unwrap();
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
        assert!(came, "it never came:\n{}", self.page.tell());
    }

    async fn sees(&mut self, page: Result<Page, CallError>) -> Result<(), CallError> {
        self.page = page?;
        self.wait().await;
        Ok(())
    }

    /// The number of the first element of a role whose name has these words.
    pub fn find(&self, role: &str, name: &str) -> u32 {
        let found = self.page.elements().find(|element| element.role == role && element.name.contains(name));
        assert!(found.is_some(), "no {role} `{name}` in:\n{}", self.page.tell());
        found.unwrap().number
    }

    pub async fn go(&mut self, address: &str) {
        let page = self.browser.open(Some(self.page.tab), &Address::read(address).unwrap()).await;
        self.sees(page).await.unwrap();
    }

    pub async fn click(&mut self, role: &str, name: &str) {
        let page = self.browser.click(self.page.tab, self.find(role, name)).await;
        self.sees(page).await.unwrap();
    }

    pub async fn put(&mut self, role: &str, name: &str, text: &str) {
        let page = self.browser.type_text(self.page.tab, self.find(role, name), text).await;
        self.sees(page).await.unwrap();
    }

    pub async fn submit(&mut self, role: &str, name: &str) {
        let page = self.browser.submit(self.page.tab, self.find(role, name)).await;
        self.sees(page).await.unwrap();
    }

    pub fn says(&self, words: &str) -> bool {
        self.page.tell().contains(words)
    }
}
