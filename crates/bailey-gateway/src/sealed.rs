//! Passes sealed bytes on: TLS ends in the home, so this process sees the name that is asked for, the address that asks, and how much
//! is said, and no more.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailey_listener::ACCEPT_AGAIN;
use bailey_telemetry::{event, metrics};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::hello::asked_for;

/// Sealed connections at once.
const MAX_SEALED: usize = 128;
/// Of one address: a few browsers behind one router, six connections each.
const MAX_SEALED_OF_ONE: usize = 24;
/// How long the first message may take.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// First bytes of the header that tells the home who connected (PROXY protocol, version 2, section 2.2).
const PROXY_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Counts what is under way, by address.
#[derive(Debug, Default)]
struct Counted(Mutex<BTreeMap<IpAddr, usize>>);

/// One of those, until it is dropped.
#[derive(Debug)]
struct Seat(Arc<Counted>, IpAddr);

/// Returns the address whose share a connection takes: of IPv6, what one household is given (RFC 6177).
fn share_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}

impl Counted {
    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let share = share_of(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (counts.values().sum::<usize>(), counts.get(&share).copied().unwrap_or_default());
        if all >= MAX_SEALED || own >= MAX_SEALED_OF_ONE {
            return None;
        }
        counts.insert(share, own + 1);
        Some(Seat(Arc::clone(self), share))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// Returns the header that tells who connected where.
fn proxy_header(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let address = |address: IpAddr| match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().octets(),
        IpAddr::V6(six) => six.octets(),
    };
    let mut header = PROXY_SIGNATURE.to_vec();
    // Version 2, proxied; a stream over IPv6, which holds every IPv4 address as well.
    header.extend([0x21, 0x21, 0, 36]);
    header.extend(address(from.ip()));
    header.extend(address(to.ip()));
    header.extend(from.port().to_be_bytes());
    header.extend(to.port().to_be_bytes());
    header
}

/// Passes on what connects, to the home behind `socket`, if it asks for one of these hosts. Runs until the process ends.
pub(crate) async fn pass_on(listener: TcpListener, hosts: Vec<String>, socket: &Path) {
    let (hosts, socket): (Arc<[String]>, Arc<PathBuf>) = (hosts.into(), Arc::new(socket.into()));
    let counted = Arc::new(Counted::default());
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            // Out of descriptors, say: it may pass.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        // Nothing can be said to whom there is no room for: that would have to be sealed.
        let Some(seat) = counted.enter(from.ip()) else { continue };
        let (hosts, socket) = (Arc::clone(&hosts), Arc::clone(&socket));
        metrics().gateway_opened();
        tokio::spawn(async move {
            if let Err(error) = pass_one(stream, from, &hosts, &socket).await {
                event!(DEBUG, "a sealed connection ended", errno = error.raw_os_error().unwrap_or_default());
            }
            drop(seat);
            metrics().gateway_closed();
        });
    }
}

async fn pass_one(mut stream: TcpStream, from: SocketAddr, hosts: &[String], socket: &Path) -> std::io::Result<()> {
    let (name, hello) = tokio::time::timeout(HELLO_WITHIN, asked_for(&mut stream)).await??;
    if !hosts.contains(&name) {
        return Ok(());
    }
    let mut home = UnixStream::connect(socket).await?;
    home.write_all(&proxy_header(from, stream.local_addr()?)).await?;
    home.write_all(&hello).await?;
    // Whoever says or reads nothing is ended by the home, which knows what it waits for.
    copy_bidirectional(&mut stream, &mut home).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_its_share_and_leaves_the_rest() {
        let counted = Arc::new(Counted::default());
        let one: IpAddr = "2001:db8:1:2::7".parse().unwrap();
        let neighbour: IpAddr = "2001:db8:1:2::8".parse().unwrap();
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        let mut seats: Vec<_> = (0..MAX_SEALED_OF_ONE).map(|_| counted.enter(one).unwrap()).collect();
        assert!(counted.enter(neighbour).is_none(), "of one household");
        assert!(counted.enter(other).is_some());
        seats.pop();
        assert!(counted.enter(neighbour).is_some());
        drop(seats);
        assert!(counted.0.lock().unwrap().is_empty());
    }

    #[test]
    fn the_header_says_who_connected() {
        let header = proxy_header("192.0.2.1:4000".parse().unwrap(), "198.51.100.2:443".parse().unwrap());
        assert_eq!(header.len(), 16 + 36);
        assert_eq!(header.get(26..32), Some(&[0xff, 0xff, 192, 0, 2, 1][..]));
        assert_eq!(header.get(48..), Some(&[0x0f, 0xa0, 0x01, 0xbb][..]));
    }
}
