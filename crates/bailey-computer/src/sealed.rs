//! The memory of a machine in a file: sealed as it comes, so that no plain byte of it touches the disk.
//!
//! A file is a salt of 32 bytes and pieces, each sealed with AES-256-GCM under a key of this file alone (HKDF-SHA-256 of the disk's key,
//! the salt, and what the memory belongs to). The nonce is the piece's number; the last piece is sealed as the last, so that a file that
//! was cut off does not open (the STREAM construction, Hoang et al. 2015).

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use crate::DiskKey;

/// Bytes of memory in a piece.
const PIECE_BYTES: usize = 256 * 1024;
const TAG_BYTES: usize = 16;
const SALT_BYTES: usize = 32;
/// Most pieces: 4 TiB of memory.
const MAX_PIECES: u32 = 1 << 24;

fn key(disk: &DiskKey, salt: &[u8], of: &str) -> io::Result<LessSafeKey> {
    let failed = |_| io::Error::other("no key");
    let drawn = Salt::new(HKDF_SHA256, salt).extract(disk.as_bytes());
    let info = [b"bailey computer memory 1".as_slice(), of.as_bytes()];
    let derived = drawn.expand(&info, &AES_256_GCM).map_err(failed)?;
    Ok(LessSafeKey::new(UnboundKey::from(derived)))
}

fn nonce(piece: u32, is_last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (place, byte) in bytes.iter_mut().zip(piece.to_be_bytes().into_iter().chain([u8::from(is_last)])) {
        *place = byte;
    }
    Nonce::assume_unique_for_key(bytes)
}

/// Reads until the piece is full or there is no more.
fn fill(from: &mut impl Read, piece: &mut Vec<u8>, most: usize) -> io::Result<()> {
    piece.clear();
    from.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(piece)?;
    Ok(())
}

/// Seals everything there is to read into a new file that belongs to `of`; the file is whole and on the disk once this returns.
/// At most `most` bytes are taken: more is an error, since whoever writes it may be hostile.
pub(crate) fn seal(mut from: impl Read, to: &Path, disk: &DiskKey, of: &str, most: u64) -> io::Result<u64> {
    let mut salt = [0; SALT_BYTES];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| io::Error::other("no randomness"))?;
    let key = key(disk, &salt, of)?;
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    let mut file = BufWriter::new(file);
    file.write_all(&salt)?;
    let (mut piece, mut next) =
        (Vec::with_capacity(PIECE_BYTES + TAG_BYTES), Vec::with_capacity(PIECE_BYTES + TAG_BYTES));
    fill(&mut from, &mut piece, PIECE_BYTES)?;
    let mut total = 0;
    for number in 0..MAX_PIECES {
        fill(&mut from, &mut next, PIECE_BYTES)?;
        total += u64::try_from(piece.len()).unwrap_or(0);
        if total > most {
            return Err(io::Error::other("the machine's memory does not end"));
        }
        let sealed = key.seal_in_place_append_tag(nonce(number, next.is_empty()), Aad::empty(), &mut piece);
        sealed.map_err(|_| io::Error::other("a piece cannot be sealed"))?;
        file.write_all(&piece)?;
        if next.is_empty() {
            file.into_inner()?.sync_all()?;
            return Ok(total);
        }
        std::mem::swap(&mut piece, &mut next);
    }
    Err(io::Error::other("the machine's memory does not end"))
}

/// Opens a file that [`seal`] made and writes what is in it, piece by piece.
///
/// # Errors
///
/// If any piece is not what it was, or belongs to something else. What was written before is then to be thrown away.
pub(crate) fn open(from: &Path, mut to: impl Write, disk: &DiskKey, of: &str) -> io::Result<()> {
    let changed = || io::Error::new(io::ErrorKind::InvalidData, "it was changed, or belongs to something else");
    let mut file = BufReader::new(File::open(from)?);
    let mut salt = [0; SALT_BYTES];
    file.read_exact(&mut salt)?;
    let key = key(disk, &salt, of)?;
    let (mut piece, mut next) = (Vec::new(), Vec::new());
    fill(&mut file, &mut piece, PIECE_BYTES + TAG_BYTES)?;
    for number in 0..MAX_PIECES {
        fill(&mut file, &mut next, PIECE_BYTES + TAG_BYTES)?;
        let plain =
            key.open_in_place(nonce(number, next.is_empty()), Aad::empty(), &mut piece).map_err(|_| changed())?;
        to.write_all(plain)?;
        if next.is_empty() {
            return to.flush();
        }
        std::mem::swap(&mut piece, &mut next);
    }
    Err(changed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_memory_opens_only_whole_unchanged_and_with_its_key() {
        let folder = std::env::temp_dir().join(format!("bailey-sealed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("memory");
        let key = DiskKey::from_bytes([7; 32]);
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let plain: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            assert_eq!(seal(plain.as_slice(), &path, &key, "a", 1 << 30).unwrap(), plain.len() as u64);
            let mut back = Vec::new();
            open(&path, &mut back, &key, "a").unwrap();
            assert!(back == plain, "{length}");
            let stored = std::fs::read(&path).unwrap();
            assert!(open(&path, io::sink(), &key, "b").is_err());
            assert!(open(&path, io::sink(), &DiskKey::from_bytes([8; 32]), "a").is_err());
            for at in [0, SALT_BYTES, stored.len() - 1] {
                let mut changed = stored.clone();
                changed[at] ^= 1;
                std::fs::write(&path, changed).unwrap();
                assert!(open(&path, io::sink(), &key, "a").is_err(), "{length} changed at {at}");
            }
            for cut in [1, PIECE_BYTES + TAG_BYTES] {
                let Some(left) = stored.get(..stored.len().saturating_sub(cut).max(SALT_BYTES)) else { continue };
                std::fs::write(&path, left).unwrap();
                assert!(open(&path, io::sink(), &key, "a").is_err(), "{length} cut by {cut}");
            }
        }
        assert!(seal(io::repeat(1), &path, &key, "a", 1 << 20).is_err(), "what does not end is not taken");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
