//! Every seed, and some thousand chance variations of them; `cargo xtask fuzz` looks for longer, and led by coverage.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bailey_fuzz::TARGETS;
use fastrand::Rng;

/// Variations for each target; the one with a server behind it takes a thousand times longer for each.
const VARIATIONS: usize = 3_000;
const VARIATIONS_SERVED: usize = 150;

/// Panics anywhere, also in the tasks of a server, which would swallow them.
static PANICS: AtomicU64 = AtomicU64::new(0);

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// What chance makes of a seed: bits and bytes changed, parts cut, doubled, or taken from another.
fn vary(random: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.usize(0..seeds.len())].clone();
    for _ in 0..random.usize(1..5) {
        let at = random.usize(0..=bytes.len());
        let end = (at + random.usize(0..64)).min(bytes.len());
        match random.u8(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
            1 if at < bytes.len() => bytes[at] = random.u8(..),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => {
                let other = &seeds[random.usize(0..seeds.len())];
                let from = random.usize(0..=other.len());
                let part = other[from..(from + random.usize(0..256)).min(other.len())].to_vec();
                bytes.splice(at..end, part);
            }
            _ => {
                let odd: [&[u8]; 8] =
                    [b"\r\n", b"\0", b"\xff", b"\xe2\x80\xae", b"\x1b[2J", b"{", b"99999999999999999999", b"\\u0000"];
                let part = odd[random.usize(0..odd.len())].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

#[test]
fn no_parser_breaks_on_seeds_or_on_what_chance_makes_of_them() {
    std::panic::set_hook(Box::new(|about| {
        if bailey_fuzz::is_contained() {
            return;
        }
        PANICS.fetch_add(1, Ordering::SeqCst);
        eprintln!("{about}");
    }));
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "`{name}` has no seeds");
        let mut random = Rng::with_seed(1);
        let count = if name == "http" { VARIATIONS_SERVED } else { VARIATIONS };
        let varied = (0..count).map(|_| vary(&mut random, &seeds)).collect::<Vec<_>>();
        for bytes in seeds.iter().chain(&varied) {
            let survived = catch_unwind(AssertUnwindSafe(|| target(bytes))).is_ok();
            let shown = String::from_utf8_lossy(bytes).escape_debug().to_string();
            assert!(survived && PANICS.load(Ordering::SeqCst) == 0, "`{name}` breaks on: {shown}");
        }
    }
}
