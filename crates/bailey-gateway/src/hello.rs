//! Reads the name that a browser asks for in the first message of TLS, and nothing else: what follows is sealed.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest first message, in bytes: browsers send some 1,800 (with ML-KEM), and one record holds 16 KiB (RFC 8446, section 5.1).
const MAX_HELLO_BYTES: usize = 16 * 1024 + 5;

/// What the first message says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// There is more to come.
    Part,
    /// The name asked for, in small letters.
    Name(String),
    /// It is no such message, or names nobody.
    Nobody,
}

fn take<'a>(at: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (one, rest) = at.split_at_checked(count)?;
    *at = rest;
    Some(one)
}

fn number(at: &mut &[u8], width: usize) -> Option<usize> {
    Some(take(at, width)?.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)))
}

/// Reads a first message (RFC 8446, sections 4.1.2 and 5.1), which may lie in several records.
fn read(bytes: &[u8]) -> Said {
    let mut at = bytes;
    let mut hello = Vec::new();
    loop {
        let Some(kind) = take(&mut at, 1) else { return Said::Part };
        if kind != [22] {
            return Said::Nobody;
        }
        let Some(length) = take(&mut at, 2).and_then(|_| number(&mut at, 2)) else { return Said::Part };
        let body = at.get(..length.min(at.len())).unwrap_or_default();
        hello.extend_from_slice(body);
        if hello.first().is_some_and(|kind| *kind != 1) {
            return Said::Nobody;
        }
        let mut length_at = hello.get(1..).unwrap_or_default();
        let wanted = number(&mut length_at, 3).map(|length| length + 4);
        if wanted.is_some_and(|wanted| hello.len() >= wanted) {
            return name_of(&hello).map_or(Said::Nobody, Said::Name);
        }
        if take(&mut at, length).is_none() {
            return Said::Part;
        }
    }
}

/// Returns the name in a whole message (RFC 6066, section 3).
fn name_of(hello: &[u8]) -> Option<String> {
    let mut at = hello;
    // Kind and length, version, random.
    take(&mut at, 4 + 2 + 32)?;
    // Session, suites, compression.
    for width in [1, 2, 1] {
        let length = number(&mut at, width)?;
        take(&mut at, length)?;
    }
    let length = number(&mut at, 2)?;
    let mut extensions = take(&mut at, length)?;
    while !extensions.is_empty() {
        let kind = number(&mut extensions, 2)?;
        let length = number(&mut extensions, 2)?;
        let mut body = take(&mut extensions, length)?;
        if kind == 0 {
            number(&mut body, 2)?;
            if number(&mut body, 1)? != 0 {
                return None;
            }
            let length = number(&mut body, 2)?;
            let name = std::str::from_utf8(take(&mut body, length)?).ok()?;
            return Some(name.to_ascii_lowercase());
        }
    }
    None
}

/// Reads until the name is known; gives it, and all bytes that were read.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidData`] where this is no first message of TLS that names somebody, or a longer one than 16 KiB.
pub(crate) async fn asked_for(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let room = MAX_HELLO_BYTES.saturating_sub(bytes.len()) as u64;
        if (&mut *stream).take(room).read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match read(&bytes) {
            Said::Part => {}
            Said::Name(name) => return Ok((name, bytes)),
            Said::Nobody => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a first message that names somebody, as long as `filled` more bytes, in records of `record` bytes each.
    fn hello(name: &str, filled: usize, record: usize) -> Vec<u8> {
        let two = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
        let mut server = [&[0][..], &two(name.len()), name.as_bytes()].concat();
        server = [&two(server.len())[..], &server].concat();
        let filler = [&[0, 21][..], &two(filled), &vec![0; filled]].concat();
        let extensions = [&filler[..], &[0, 0], &two(server.len()), &server].concat();
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 19, 1, 1, 0]);
        body.extend(two(extensions.len()));
        body.extend(extensions);
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let message = [&[1][..], &length[1..], &body].concat();
        message.chunks(record).flat_map(|part| [&[22, 3, 1][..], &two(part.len()), part].concat()).collect()
    }

    #[test]
    fn a_name_is_found_in_one_record_and_in_several_and_never_in_a_part() {
        for (filled, record) in [(0, 16_384), (1_700, 16_384), (1_700, 300), (0, 3)] {
            let whole = hello("Bailey.example", filled, record);
            assert_eq!(read(&whole), Said::Name("bailey.example".into()), "{filled} {record}");
            for cut in 0..whole.len() {
                assert_eq!(read(&whole[..cut]), Said::Part, "{cut} of {}", whole.len());
            }
        }
    }

    #[test]
    fn what_is_no_first_message_names_nobody() {
        let mut server = hello("bailey.example", 0, 16_384);
        server[5] = 2;
        for other in [b"GET / HTTP/1.1\r\n".to_vec(), server, hello("", 0, 16_384)[..5].iter().map(|_| 23).collect()] {
            assert_eq!(read(&other), Said::Nobody, "{other:?}");
        }
        assert_eq!(name_of(&[1, 0, 0, 0]), None);
    }

    #[tokio::test]
    async fn a_first_message_is_read_over_several_reads_and_to_a_bound() {
        let whole = hello("bailey.example", 1_700, 16_384);
        let (head, rest) = whole.split_at(100);
        let mut stream = tokio::io::AsyncReadExt::chain(head, rest);
        assert_eq!(asked_for(&mut stream).await.unwrap(), ("bailey.example".into(), whole.clone()));
        let endless = [&[22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..], &[0; 64 * 1024]].concat();
        let mut stream = &endless[..];
        assert!(asked_for(&mut stream).await.is_err());
        assert!(stream.len() >= endless.len() - MAX_HELLO_BYTES, "read no further than its bound");
    }
}
