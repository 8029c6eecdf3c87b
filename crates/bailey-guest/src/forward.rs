//! The way out for programs of the guest: a listener on loopback, each connection of which becomes a stream of the egress port.
//! What is said in it, and whether it goes anywhere, is for the host to see to.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use bailey_wire::blocking::{Connection, Stream};

/// Where programs find it.
const ADDRESS: &str = "127.0.0.1:3128";
/// Said where no stream can be opened.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Listens, for as long as the machine runs.
pub(crate) fn listen(egress: Connection) -> Result<(), String> {
    let listener = TcpListener::bind(ADDRESS).map_err(|error| format!("`{ADDRESS}` cannot be listened on: {error}"))?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            carry(&egress, connection);
        }
    });
    Ok(())
}

fn carry(egress: &Connection, mut connection: TcpStream) {
    let (Ok(stream), Ok(reads)) = (egress.open(), connection.try_clone()) else {
        let _ = connection.write_all(BUSY);
        return;
    };
    let stream = Arc::new(stream);
    let outward = Arc::clone(&stream);
    thread::spawn(move || send(reads, &outward));
    thread::spawn(move || receive(connection, &stream));
}

fn send(mut from: TcpStream, to: &Stream) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return to.finish(),
            Ok(count) if to.write_all(bytes.get(..count).unwrap_or_default()).is_ok() => {}
            Ok(_) | Err(_) => {
                let _ = from.shutdown(Shutdown::Both);
                return to.reset();
            }
        }
    }
}

fn receive(mut to: TcpStream, from: &Stream) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(count) if to.write_all(bytes.get(..count).unwrap_or_default()).is_ok() => {}
            Ok(_) | Err(_) => {
                let _ = to.shutdown(Shutdown::Both);
                return from.reset();
            }
        }
    }
}
