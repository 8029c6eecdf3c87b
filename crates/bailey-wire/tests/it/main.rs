//! The machine of a port: what goes in comes out, and nothing that a peer says makes it keep more than its bounds.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has to fail, and says where")]

use std::collections::BTreeMap;

use bailey_wire::control::{Decoder, MAX_MESSAGE_BYTES, Message, MessageError};
use bailey_wire::frame::{Header, Kind, MAX_DATA_BYTES};
use bailey_wire::{Mux, Phase, Port, Read, Refused, Side, StreamId, WireError};
use proptest::prelude::*;

fn frame(kind: Kind, value: u16, stream: u32) -> Vec<u8> {
    Header { kind, value, stream }.encode().to_vec()
}

fn data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    [frame(Kind::Data, u16::try_from(bytes.len()).unwrap(), stream), bytes.to_vec()].concat()
}

/// Moves everything both sides have to say, in pieces of `piece` bytes.
fn settle(one: &mut Mux, other: &mut Mux, piece: usize) {
    loop {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        one.transmit(&mut there, 100_000);
        other.transmit(&mut back, 100_000);
        if there.is_empty() && back.is_empty() {
            return;
        }
        for bytes in there.chunks(piece) {
            other.receive(bytes).unwrap();
        }
        for bytes in back.chunks(piece) {
            one.receive(bytes).unwrap();
        }
    }
}

fn all(mux: &mut Mux, id: StreamId) -> Vec<u8> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 1000]);
    while let Read::Bytes(count) = mux.read(id, &mut piece) {
        bytes.extend(piece.get(..count).unwrap());
    }
    bytes
}

#[derive(Debug, Clone)]
enum Step {
    Open,
    Write { stream: usize, by_host: bool, length: usize },
    Read { stream: usize, by_host: bool },
    Finish { stream: usize, by_host: bool },
    Settle { piece: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Open),
        6 => (0..4_usize, any::<bool>(), 1..90_000_usize)
            .prop_map(|(stream, by_host, length)| Step::Write { stream, by_host, length }),
        5 => (0..4_usize, any::<bool>()).prop_map(|(stream, by_host)| Step::Read { stream, by_host }),
        1 => (0..4_usize, any::<bool>()).prop_map(|(stream, by_host)| Step::Finish { stream, by_host }),
        4 => (1..5_000_usize).prop_map(|piece| Step::Settle { piece }),
    ]
}

/// What one direction of a stream was given, and what came out of it.
#[derive(Default)]
struct Direction {
    given: Vec<u8>,
    taken: Vec<u8>,
    finished: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// However it is cut into pieces and whoever waits, each direction of each stream gives the bytes it was given, in order, and no
    /// more are on the way than a window and a backlog hold.
    #[test]
    fn streams_give_what_they_were_given(steps in prop::collection::vec(step(), 1..80)) {
        let (mut host, mut guest) = (Mux::new(Side::Host, Port::Control), Mux::new(Side::Guest, Port::Control));
        let mut streams: Vec<(StreamId, StreamId)> = Vec::new();
        let mut directions: BTreeMap<(usize, bool), Direction> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Open if streams.len() < 4 => {
                    let ours = host.open().unwrap();
                    settle(&mut host, &mut guest, 100);
                    streams.push((ours, guest.accept().unwrap()));
                }
                Step::Open => {}
                Step::Write { stream, by_host, length } => {
                    let Some((ours, theirs)) = streams.get(stream) else { continue };
                    let direction = directions.entry((stream, by_host)).or_default();
                    let bytes: Vec<u8> = (0..length).map(|at| u8::try_from((at * 7 + direction.given.len()) % 251).unwrap()).collect();
                    let (mux, id) = if by_host { (&mut host, ours) } else { (&mut guest, theirs) };
                    match mux.write(*id, &bytes) {
                        Some(count) => direction.given.extend(bytes.get(..count).unwrap()),
                        None => prop_assert!(direction.finished),
                    }
                }
                Step::Read { stream, by_host } => {
                    let Some((ours, theirs)) = streams.get(stream) else { continue };
                    let (mux, id) = if by_host { (&mut host, ours) } else { (&mut guest, theirs) };
                    let bytes = all(mux, *id);
                    directions.entry((stream, !by_host)).or_default().taken.extend(bytes);
                }
                Step::Finish { stream, by_host } => {
                    let Some((ours, theirs)) = streams.get(stream) else { continue };
                    if by_host { host.finish(*ours) } else { guest.finish(*theirs) }
                    directions.entry((stream, by_host)).or_default().finished = true;
                }
                Step::Settle { piece } => settle(&mut host, &mut guest, piece),
            }
            for direction in directions.values() {
                prop_assert!(direction.given.starts_with(&direction.taken));
            }
        }
        for (number, (ours, theirs)) in streams.iter().enumerate() {
            host.finish(*ours);
            guest.finish(*theirs);
            for _ in 0..8 {
                settle(&mut host, &mut guest, 4_096);
                directions.entry((number, false)).or_default().taken.extend(all(&mut host, *ours));
                directions.entry((number, true)).or_default().taken.extend(all(&mut guest, *theirs));
            }
            prop_assert_eq!(host.read(*ours, &mut [0]), Read::End);
            prop_assert_eq!(guest.read(*theirs, &mut [0]), Read::End);
        }
        for direction in directions.values() {
            prop_assert!(direction.given == direction.taken);
        }
    }

    /// Frames by chance, a good part of them allowed: never a panic, never more than the bounds.
    #[test]
    fn frames_by_chance_are_kept_within_bounds(
        frames in prop::collection::vec((0..8_u8, 0..6_u32, 0..20_000_u16, any::<bool>()), 1..400),
        port in prop_oneof![Just(Port::Control), Just(Port::Egress)],
    ) {
        let mut host = Mux::new(Side::Host, port);
        if port == Port::Control {
            for _ in 0..3 {
                host.open().unwrap();
            }
            host.transmit(&mut Vec::new(), 1_000);
        }
        let mut opened = 0;
        for (kind, stream, value, reads) in frames {
            let bytes = match kind {
                0 => {
                    opened += 1;
                    frame(Kind::Open, 0, opened)
                }
                1..=4 => data(stream, &vec![kind; usize::from(value)]),
                5 => frame(Kind::Credit, value, stream),
                6 => frame(Kind::End, 0, stream),
                _ => frame(Kind::Reset, 0, stream),
            };
            if host.receive(&bytes).is_err() {
                break;
            }
            if let (true, Some(id)) = (reads, host.accept()) {
                host.write(id, &[1; 70_000]);
                all(&mut host, id);
                if value % 3 == 0 {
                    host.release(id);
                }
                host.transmit(&mut Vec::new(), 30_000);
            }
            prop_assert!(host.held_bytes() <= Mux::MOST_BYTES);
        }
    }

    /// Bytes by chance.
    #[test]
    fn bytes_by_chance_are_kept_within_bounds(bytes in prop::collection::vec(0..9_u8, 0..4_000)) {
        let mut host = Mux::new(Side::Host, Port::Egress);
        let _ = host.receive(&bytes);
        prop_assert!(host.held_bytes() <= Mux::MOST_BYTES);
        let mut decoder = Decoder::default();
        for piece in bytes.chunks(700) {
            decoder.push(piece);
            while let Ok(Some(message)) = decoder.next_message() {
                prop_assert!(message.encode().len() <= MAX_MESSAGE_BYTES + 5);
            }
        }
    }
}

/// What a rule of the port is broken by, and what is said to it.
#[test]
fn rules_of_the_port_are_kept() {
    let open = || frame(Kind::Open, 0, 1);
    let window = || [open(), data(1, &[0; MAX_DATA_BYTES as usize]).repeat(4)].concat();
    let cases: [(&str, Vec<u8>, WireError); 13] = [
        ("unknown kind", vec![99, 0, 0, 0, 0, 0, 0, 1], WireError::UnknownFrame),
        ("bits that are zero", vec![1, 1, 0, 0, 0, 0, 0, 1], WireError::UnknownFrame),
        ("value where there is none", frame(Kind::End, 1, 1), WireError::UnknownFrame),
        ("empty data", frame(Kind::Data, 0, 1), WireError::Length),
        ("long data", frame(Kind::Data, MAX_DATA_BYTES + 1, 1), WireError::Length),
        ("stream 0", frame(Kind::Open, 0, 0), WireError::NoSuchStream),
        ("stream never opened", data(1, b"x"), WireError::NoSuchStream),
        ("stream out of order", frame(Kind::Open, 0, 2), WireError::NoSuchStream),
        ("more than a window", [window(), data(1, b"x")].concat(), WireError::Overrun),
        ("more credit than a window", [open(), frame(Kind::Credit, 1, 1)].concat(), WireError::Credit),
        ("data behind the end", [open(), frame(Kind::End, 0, 1), data(1, b"x")].concat(), WireError::NotAllowed),
        ("frozen unasked", frame(Kind::Frozen, 0, 0), WireError::NotAllowed),
        ("freezing the host", frame(Kind::Freeze, 0, 0), WireError::NotAllowed),
    ];
    for (what, bytes, wanted) in cases {
        let mut host = Mux::new(Side::Host, Port::Egress);
        assert_eq!(host.receive(&bytes), Err(wanted), "{what}");
    }
    let mut host = Mux::new(Side::Host, Port::Control);
    assert_eq!(host.receive(&open()), Err(WireError::NotAllowed), "a guest opens nothing on the control port");
    assert_eq!(Mux::new(Side::Host, Port::Egress).open(), Err(Refused::NotOpener));
}

#[test]
fn streams_beyond_the_limit_are_refused_and_a_flood_of_them_ends_the_port() {
    let mut host = Mux::new(Side::Host, Port::Egress);
    let most = u32::try_from(Port::Egress.max_streams()).unwrap();
    for stream in 1..=most {
        host.receive(&frame(Kind::Open, 0, stream)).unwrap();
        host.receive(&data(stream, &[1; MAX_DATA_BYTES as usize]).repeat(4)).unwrap();
    }
    assert!(host.held_bytes() <= Mux::MOST_BYTES / 2);
    host.receive(&frame(Kind::Open, 0, most + 1)).unwrap();
    let mut out = Vec::new();
    host.transmit(&mut out, 1_000);
    assert_eq!(out, frame(Kind::Reset, 0, most + 1));
    let flood = (most + 2..=3 * most).try_for_each(|stream| host.receive(&frame(Kind::Open, 0, stream)));
    assert_eq!(flood, Err(WireError::Flood));
}

/// A peer that opens, is reset, and reads no answer gets no more than the limit of streams out of it.
#[test]
fn streams_that_were_reset_count_until_that_is_said() {
    let mut host = Mux::new(Side::Host, Port::Egress);
    let mut ended = false;
    for stream in 1..10_000 {
        if host.receive(&frame(Kind::Open, 0, stream)).is_err() {
            ended = true;
            break;
        }
        while let Some(id) = host.accept() {
            host.reset(id);
        }
    }
    assert!(ended);
}

#[test]
fn frozen_ports_are_silent_and_a_restored_one_starts_anew() {
    let (mut host, mut guest) = (Mux::new(Side::Host, Port::Control), Mux::new(Side::Guest, Port::Control));
    let before = host.open().unwrap();
    host.write(before, b"half a request").unwrap();
    settle(&mut host, &mut guest, 10);
    let accepted = guest.accept().unwrap();
    guest.write(accepted, &[7; 50_000]).unwrap();
    host.freeze();
    settle(&mut host, &mut guest, 10);
    assert_eq!((host.phase(), guest.phase()), (Phase::Frozen, Phase::Frozen));
    assert_eq!(guest.read(accepted, &mut [0]), Read::Reset);
    assert_eq!(guest.write(accepted, b"x"), None);
    assert_eq!((host.has_output(), guest.has_output()), (false, false));
    assert_eq!(host.open(), Err(Refused::Frozen));
    // The host that comes back knows nothing of the one before.
    let mut host = Mux::restored(Port::Control);
    host.thaw();
    let after = host.open().unwrap();
    host.write(after, b"hello").unwrap();
    settle(&mut host, &mut guest, 10);
    let anew = guest.accept().unwrap();
    assert_eq!(all(&mut guest, anew), b"hello");
    assert_eq!(guest.read(accepted, &mut [0]), Read::Reset, "the old stream is not the new one of its number");
    guest.release(accepted);
    guest.write(anew, b"back").unwrap();
    settle(&mut host, &mut guest, 10);
    assert_eq!(all(&mut host, after), b"back");
}

#[test]
fn messages_too_long_are_refused_before_they_come() {
    let mut decoder = Decoder::default();
    decoder.push(&[2, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(decoder.next_message(), Err(MessageError::TooLong));
    assert_eq!(Message::json(&"x".repeat(MAX_MESSAGE_BYTES)), Err(MessageError::TooLong));
}
