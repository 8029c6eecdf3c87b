//! Bytes on a connection to the gateway of a running home.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use bailey_gateway::Gateway;
use bailey_home::{Home, Layout, RootChoice, config};
use bailey_keys::{HomeKey, Passphrase, RootKey};

/// Stands for the home's token in seeds.
const TOKEN: &[u8] = b"@TOKEN@";
/// How long an answer is waited for; some requests are answered only when something changes.
const PATIENCE: Duration = Duration::from_millis(40);
/// Most bytes of an answer looked at.
const MAX_ANSWER_BYTES: u64 = 256 * 1024;

struct Served {
    gateway: SocketAddr,
    token: String,
}

/// Returns a home with nothing connected, and its gateway, in this process.
fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| serve().unwrap_or_else(|error| unreachable!("no home: {error}")))
}

fn serve() -> Result<Served, Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("bailey-fuzz-home-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let layout = Layout::new(&folder);
    layout.create(RootChoice::KeyFile, &Passphrase::new("fuzzing words".into()))?;
    std::fs::create_dir_all(folder.join("run"))?;
    let key = HomeKey::unwrap(&folder.join("home/home.key"), &RootKey::from_file(&folder.join("keys/root.key"))?)?;
    let token = layout.read_token()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let home = runtime.block_on(async { Home::open(&layout, key, &config::Settings::default()) })?;
    let (ready, is_ready) = std::sync::mpsc::channel();
    let socket = layout.socket();
    runtime.spawn(async move {
        let said = move || {
            let _ = ready.send(());
        };
        let _ended = bailey_home::serve(home, &layout, said, std::future::pending()).await;
    });
    is_ready.recv()?;
    let gateway = runtime.block_on(Gateway::bind("127.0.0.1:0", &[], None))?;
    let address = gateway.address();
    let sealed = folder.join("run/sealed.sock");
    runtime.spawn(async move { gateway.serve(&socket, &sealed).await });
    // It runs until the process ends.
    std::mem::forget(runtime);
    Ok(Served { gateway: address, token })
}

/// Sends bytes as they are, but for the token and the port; whatever comes back must be no fault of ours.
pub(crate) fn request(bytes: &[u8]) {
    let served = served();
    let port = served.gateway.port().to_string();
    let bytes = replace(&replace(bytes, TOKEN, served.token.as_bytes()), b"@PORT@", port.as_bytes());
    let answer = send(served.gateway, &bytes);
    let first = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let status = String::from_utf8_lossy(first).split(' ').nth(1).unwrap_or_default().to_owned();
    assert!(!matches!(status.as_str(), "500" | "502"), "{}", String::from_utf8_lossy(&answer));
}

fn send(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut stream) = TcpStream::connect(to) else { unreachable!("the gateway is gone") };
    let _ = stream.set_read_timeout(Some(PATIENCE));
    // It may answer, and close, before it has read all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer);
    answer
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(to);
        rest = after.get(from.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}
