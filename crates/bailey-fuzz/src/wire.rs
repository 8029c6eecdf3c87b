//! What the agent's computer says to its host.

use bailey_wire::control::{Decoder, MAX_MESSAGE_BYTES, Message, Reply};
use bailey_wire::{Mux, Port, Read, Side};

/// Bytes that a device gives at a time.
const PIECE: usize = 509;

/// The first byte says which port it is and how the host goes about it; the rest comes from the guest.
pub(super) fn wire(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let port = if how & 1 == 0 { Port::Control } else { Port::Egress };
    let mut host = Mux::new(Side::Host, port);
    let mut streams = Vec::new();
    if port == Port::Control {
        streams.extend((0..3).filter_map(|_| host.open().ok()));
    }
    let (mut out, mut read, mut decoder) = (Vec::new(), vec![0; 4096], Decoder::default());
    for piece in bytes.chunks(PIECE) {
        host.transmit(&mut out, 4096);
        out.clear();
        if host.receive(piece).is_err() {
            break;
        }
        streams.extend(std::iter::from_fn(|| host.accept()));
        assert!(host.held_bytes() <= Mux::MOST_BYTES, "more is kept than the bounds");
        if how & 2 == 0 {
            continue;
        }
        for stream in &streams {
            while let Read::Bytes(count) = host.read(*stream, &mut read) {
                say(&mut decoder, read.get(..count).unwrap_or_default());
            }
            if how & 4 != 0 {
                host.release(*stream);
            }
        }
    }
    // What is said in a stream, without a frame around it.
    say(&mut Decoder::default(), bytes);
}

/// Reads messages as a call does: one that cannot be read is the last.
fn say(decoder: &mut Decoder, bytes: &[u8]) {
    for piece in bytes.chunks(PIECE) {
        decoder.push(piece);
        while let Ok(Some(message)) = decoder.next_message() {
            assert!(message.encode().len() <= MAX_MESSAGE_BYTES + 5, "a message beyond its bound");
            if let Ok(reply) = message.parse::<Reply>() {
                let again = Message::json(&reply).ok().and_then(|message| message.parse::<Reply>().ok());
                assert!(again.is_none_or(|again| again == reply), "a reply reads back as another");
            }
        }
    }
}
