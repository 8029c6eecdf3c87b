//! One side of a port: streams, each with credit, over one sequence of bytes in each direction.
//!
//! ```text
//!            freeze()                     Frozen came                thaw()
//! Running ─────────────▶ Freezing (host) ─────────────▶ Frozen ──────────────────▶ Running
//!    └──────────────── Freeze came (guest), answers ──────▲        Thaw came (guest)
//! ```
//!
//! A stream lives from its opening until its owner let go of it and nothing about it is left to be sent. Who accepts streams counts
//! them all against one limit, so a peer that opens, resets and reads no answer gains nothing by it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read as _;
use std::ops::Bound;

use crate::WireError;
use crate::frame::{HEADER_BYTES, Header, Kind, MAX_DATA_BYTES};

/// Bytes a side may send of a stream before it is given credit: the product of the port's speed (under 1 GB/s) and its round
/// trip (under 70 µs), so that a single stream can fill it.
pub const WINDOW_BYTES: u32 = 64 * 1024;
/// Bytes of a stream that are kept until they may be sent.
pub const BACKLOG_BYTES: usize = 64 * 1024;
/// Read bytes are given back as credit in pieces of at least so many.
const CREDIT_FROM: u32 = WINDOW_BYTES / 2;

/// Names a stream on this side: how often the port was thawed, and the stream's number on the port. One that was lost in a freeze keeps
/// its name, though its number comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    thaws: u32,
    number: u32,
}

/// Which end of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The home's.
    Host,
    /// The computer's.
    Guest,
}

/// Which of the two ports. Only one side opens streams on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Requests of the host: programs, files, health.
    Control,
    /// Connections of the guest's programs, to whatever lets them out.
    Egress,
}

impl Port {
    /// The name of it, as the virtual device has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "bailey.control",
            Self::Egress => "bailey.egress",
        }
    }

    /// Streams there can be at a time: calls that a home has open at once, with room; connections a browser opens.
    #[must_use]
    pub const fn max_streams(self) -> usize {
        match self {
            Self::Control => 32,
            Self::Egress => 128,
        }
    }

    const fn opener(self) -> Side {
        match self {
            Self::Control => Side::Host,
            Self::Egress => Side::Guest,
        }
    }
}

/// Whether streams can be used at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// They can.
    Running,
    /// The host waits for the guest to become silent.
    Freezing,
    /// Nobody sends anything: a copy of the guest's memory taken now fits to any later port.
    Frozen,
}

/// Why a stream is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many are open as there can be.
    #[error("too many streams are open on this port; wait for one to end")]
    Full,
    /// This side opens none on this port.
    #[error("this side opens no streams on this port")]
    NotOpener,
    /// The port is frozen.
    #[error("the port is frozen")]
    Frozen,
}

/// What reading a stream gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many bytes were read.
    Bytes(usize),
    /// Nothing has come yet.
    Empty,
    /// The other side has ended, and everything was read.
    End,
    /// The stream is gone.
    Reset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outgoing {
    Open,
    /// End is sent once everything before it was.
    Ending,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Both sides know it.
    Live,
    /// The other side gave it up, or the port froze.
    Lost,
    /// We gave it up, and have still to say so.
    Resetting,
}

#[derive(Debug)]
struct Stream {
    life: Life,
    /// Opened by us, and not said yet.
    unannounced: bool,
    /// Its owner let go of it.
    released: bool,
    /// What came, and was not read.
    received: VecDeque<u8>,
    /// What the other side may still send.
    window: u32,
    /// Read, and not yet given back as credit.
    owed: u32,
    incoming_ended: bool,
    /// What waits to be sent.
    backlog: VecDeque<u8>,
    /// What we may still send.
    credit: u32,
    outgoing: Outgoing,
}

impl Stream {
    const fn new(unannounced: bool) -> Self {
        Self {
            life: Life::Live,
            unannounced,
            released: false,
            received: VecDeque::new(),
            window: WINDOW_BYTES,
            owed: 0,
            incoming_ended: false,
            backlog: VecDeque::new(),
            credit: WINDOW_BYTES,
            outgoing: Outgoing::Open,
        }
    }

    /// Gives up what it holds; what was received whole can still be read.
    fn lose(&mut self) {
        self.life = Life::Lost;
        self.backlog = VecDeque::new();
        if !self.incoming_ended {
            self.received = VecDeque::new();
        }
    }

    fn start_reset(&mut self) {
        self.life = Life::Resetting;
        self.backlog = VecDeque::new();
        self.received = VecDeque::new();
    }

    const fn is_done(&self) -> bool {
        let said = self.incoming_ended && matches!(self.outgoing, Outgoing::Ended);
        self.released && (matches!(self.life, Life::Lost) || said)
    }
}

#[derive(Debug)]
enum Parser {
    Header {
        bytes: [u8; HEADER_BYTES],
        have: usize,
    },
    /// Data of a stream, so many bytes of it still to come.
    Data {
        stream: u32,
        left: usize,
    },
}

impl Parser {
    const START: Self = Self::Header { bytes: [0; HEADER_BYTES], have: 0 };
}

/// One side of a port.
#[derive(Debug)]
pub struct Mux {
    side: Side,
    port: Port,
    phase: Phase,
    /// A frame about the port that waits to be sent.
    port_frame: Option<Kind>,
    streams: BTreeMap<StreamId, Stream>,
    thaws: u32,
    /// The number of the last stream that was opened, by whichever side opens. They are counted from 1.
    last: u32,
    /// Numbers of streams that were opened beyond the limit, to be told so.
    refusals: VecDeque<u32>,
    accepted: VecDeque<StreamId>,
    changed: BTreeSet<StreamId>,
    /// Whose turn it was to send.
    turn: StreamId,
    parser: Parser,
}

impl Mux {
    /// Most bytes that the machine of the larger port keeps: streams, what was received of each and what waits to be sent. What it
    /// keeps beside them is a few hundred bytes for each stream.
    pub const MOST_BYTES: usize = Port::Egress.max_streams() * (WINDOW_BYTES as usize + BACKLOG_BYTES);

    /// Returns one side of a port on which nothing was said yet.
    #[must_use]
    pub const fn new(side: Side, port: Port) -> Self {
        Self {
            side,
            port,
            phase: Phase::Running,
            port_frame: None,
            streams: BTreeMap::new(),
            thaws: 0,
            last: 0,
            refusals: VecDeque::new(),
            accepted: VecDeque::new(),
            changed: BTreeSet::new(),
            turn: StreamId { thaws: 0, number: 0 },
            parser: Parser::START,
        }
    }

    /// Returns the host's side of a port whose guest was restored from a copy taken while frozen.
    #[must_use]
    pub const fn restored(port: Port) -> Self {
        let mut mux = Self::new(Side::Host, port);
        mux.phase = Phase::Frozen;
        mux
    }

    /// Tells whether streams can be used.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Makes both sides silent at a frame's border, and ends every stream. For the host; the phase tells when it is done.
    pub fn freeze(&mut self) {
        if self.side == Side::Host && self.phase == Phase::Running {
            self.lose_all();
            self.phase = Phase::Freezing;
            self.port_frame = Some(Kind::Freeze);
        }
    }

    /// Lets both sides speak again. For the host, once frozen.
    pub const fn thaw(&mut self) {
        if matches!((self.side, self.phase), (Side::Host, Phase::Frozen)) {
            self.restart();
            self.port_frame = Some(Kind::Thaw);
        }
    }

    const fn restart(&mut self) {
        self.phase = Phase::Running;
        self.thaws = self.thaws.wrapping_add(1);
        self.last = 0;
    }

    const fn named(&self, number: u32) -> StreamId {
        StreamId { thaws: self.thaws, number }
    }

    /// Opens a stream.
    pub fn open(&mut self) -> Result<StreamId, Refused> {
        if self.side != self.port.opener() {
            return Err(Refused::NotOpener);
        }
        if self.phase != Phase::Running {
            return Err(Refused::Frozen);
        }
        let next = self.last.checked_add(1).ok_or(Refused::Full)?;
        if self.streams.len() >= self.port.max_streams() {
            return Err(Refused::Full);
        }
        self.last = next;
        let id = self.named(next);
        self.streams.insert(id, Stream::new(true));
        Ok(id)
    }

    /// Returns a stream that the other side opened.
    pub fn accept(&mut self) -> Option<StreamId> {
        self.accepted.pop_front()
    }

    /// Returns the streams of which something changed since the last call: more to read, room to write, an end.
    pub fn take_changed(&mut self) -> BTreeSet<StreamId> {
        std::mem::take(&mut self.changed)
    }

    /// Reads what came of a stream.
    pub fn read(&mut self, id: StreamId, into: &mut [u8]) -> Read {
        let Some(stream) = self.streams.get_mut(&id) else { return Read::Reset };
        let mut count = 0;
        // What lies in a ring is read in two pieces at most.
        while let Some(rest) = into.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match stream.received.read(rest) {
                Ok(0) | Err(_) => break,
                Ok(more) => count += more,
            }
        }
        if count > 0 {
            stream.owed = stream.owed.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            return Read::Bytes(count);
        }
        match stream.life {
            _ if stream.incoming_ended && stream.life != Life::Resetting => Read::End,
            Life::Live => Read::Empty,
            Life::Lost | Life::Resetting => Read::Reset,
        }
    }

    /// Takes bytes to be sent; says how many, which may be none until there is room. `None` if the stream takes no more at all.
    pub fn write(&mut self, id: StreamId, bytes: &[u8]) -> Option<usize> {
        let stream = self.streams.get_mut(&id)?;
        if stream.life != Life::Live || stream.outgoing != Outgoing::Open {
            return None;
        }
        let count = bytes.len().min(BACKLOG_BYTES.saturating_sub(stream.backlog.len()));
        stream.backlog.extend(bytes.get(..count)?);
        Some(count)
    }

    /// Tells whether everything that was written has been handed to [`Self::transmit`]; so it is of a stream that is gone.
    #[must_use]
    pub fn is_flushed(&self, id: StreamId) -> bool {
        self.streams.get(&id).is_none_or(|stream| stream.backlog.is_empty())
    }

    /// Tells whether nothing will happen on a stream any more: it is lost, or both sides have ended.
    #[must_use]
    pub fn is_over(&self, id: StreamId) -> bool {
        self.streams.get(&id).is_none_or(|stream| {
            stream.life != Life::Live || (stream.incoming_ended && stream.outgoing == Outgoing::Ended)
        })
    }

    /// Ends what we send of a stream, behind what was written; the other direction goes on.
    pub fn finish(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id)
            && stream.outgoing == Outgoing::Open
        {
            stream.outgoing = Outgoing::Ending;
        }
    }

    /// Gives a stream up in both directions, at once.
    pub fn reset(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id) {
            if stream.life == Life::Live {
                stream.start_reset();
            }
            stream.released = true;
            self.remove_if_done(id);
        }
    }

    /// Lets go of a stream: what was written before [`Self::finish`] is still sent; without it, the stream is reset.
    pub fn release(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.released = true;
        stream.received = VecDeque::new();
        let flushes =
            stream.outgoing == Outgoing::Ending || (stream.outgoing == Outgoing::Ended && stream.incoming_ended);
        if stream.life == Life::Live && !flushes {
            stream.start_reset();
        }
        self.remove_if_done(id);
    }

    /// Tells whether [`Self::transmit`] would give anything.
    #[must_use]
    pub fn has_output(&self) -> bool {
        if self.port_frame.is_some() {
            return true;
        }
        self.phase == Phase::Running
            && (!self.refusals.is_empty() || self.streams.values().any(|stream| next_frame(stream).is_some()))
    }

    /// Appends whole frames to `out`, until nothing is left to be said or `out` holds at least `enough` bytes. Streams take turns.
    /// What is given has to be sent whole, in this order.
    pub fn transmit(&mut self, out: &mut Vec<u8>, enough: usize) {
        if let Some(kind) = self.port_frame.take() {
            out.extend(Header { kind, value: 0, stream: 0 }.encode());
        }
        if self.phase != Phase::Running {
            return;
        }
        while out.len() < enough {
            if let Some(stream) = self.refusals.pop_front() {
                out.extend(Header { kind: Kind::Reset, value: 0, stream }.encode());
                continue;
            }
            let ready = |(id, stream): (&StreamId, &Stream)| next_frame(stream).map(|_| *id);
            let after = self.streams.range((Bound::Excluded(self.turn), Bound::Unbounded)).find_map(ready);
            let Some(id) = after.or_else(|| self.streams.iter().find_map(ready)) else { return };
            self.turn = id;
            self.transmit_stream(id, out);
        }
    }

    fn transmit_stream(&mut self, id: StreamId, out: &mut Vec<u8>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Some((kind, value)) = next_frame(stream) else { return };
        out.extend(Header { kind, value, stream: id.number }.encode());
        match kind {
            Kind::Open => stream.unannounced = false,
            Kind::Credit => {
                stream.owed = stream.owed.saturating_sub(u32::from(value));
                stream.window = stream.window.saturating_add(u32::from(value));
            }
            Kind::Data => {
                // Reading from memory does not fail.
                let _ = (&mut stream.backlog).take(u64::from(value)).read_to_end(out);
                stream.credit = stream.credit.saturating_sub(u32::from(value));
            }
            Kind::End => {
                stream.outgoing = Outgoing::Ended;
                if stream.released && !stream.incoming_ended {
                    stream.start_reset();
                }
            }
            Kind::Reset => stream.life = Life::Lost,
            Kind::Freeze | Kind::Frozen | Kind::Thaw => {}
        }
        self.changed.insert(id);
        self.remove_if_done(id);
    }

    /// Takes bytes of the other side.
    ///
    /// # Errors
    ///
    /// If they break a rule. The machine then stays where it is, and its port is to be closed.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Result<(), WireError> {
        while !bytes.is_empty() {
            match &mut self.parser {
                Parser::Header { bytes: header, have } => {
                    let (now, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES.saturating_sub(*have)));
                    for (place, byte) in header.iter_mut().skip(*have).zip(now) {
                        *place = *byte;
                    }
                    *have += now.len();
                    bytes = rest;
                    if *have == HEADER_BYTES {
                        let header = Header::decode(*header)?;
                        self.parser = Parser::START;
                        self.frame(header)?;
                    }
                }
                Parser::Data { stream, left } => {
                    let (now, rest) = bytes.split_at(bytes.len().min(*left));
                    *left -= now.len();
                    bytes = rest;
                    let (number, over) = (*stream, *left == 0);
                    if over {
                        self.parser = Parser::START;
                    }
                    self.deliver(self.named(number), now);
                }
            }
        }
        Ok(())
    }

    fn frame(&mut self, header: Header) -> Result<(), WireError> {
        let Header { kind, value, stream: number } = header;
        if kind.is_of_port() {
            return self.frame_of_port(kind);
        }
        if kind == Kind::Data {
            self.parser = Parser::Data { stream: number, left: usize::from(value) };
        }
        match self.phase {
            // What was under way when we froze.
            Phase::Freezing => return Ok(()),
            Phase::Frozen => return Err(WireError::NotAllowed),
            Phase::Running => {}
        }
        if kind == Kind::Open {
            return self.opened(number);
        }
        if number > self.last {
            return Err(WireError::NoSuchStream);
        }
        let id = self.named(number);
        // One that was given up: its last frames were under way.
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.life != Life::Lost) else { return Ok(()) };
        if stream.unannounced {
            return Err(WireError::NoSuchStream);
        }
        match kind {
            Kind::Data => {
                if stream.incoming_ended {
                    return Err(WireError::NotAllowed);
                }
                stream.window = stream.window.checked_sub(u32::from(value)).ok_or(WireError::Overrun)?;
            }
            Kind::Credit => {
                let credit = stream.credit.saturating_add(u32::from(value));
                if credit > WINDOW_BYTES {
                    return Err(WireError::Credit);
                }
                stream.credit = credit;
            }
            Kind::End if stream.incoming_ended => return Err(WireError::NotAllowed),
            Kind::End => stream.incoming_ended = true,
            Kind::Reset => stream.lose(),
            Kind::Open | Kind::Freeze | Kind::Frozen | Kind::Thaw => {}
        }
        self.changed.insert(id);
        self.remove_if_done(id);
        Ok(())
    }

    fn opened(&mut self, number: u32) -> Result<(), WireError> {
        if self.side == self.port.opener() {
            return Err(WireError::NotAllowed);
        }
        if self.last.checked_add(1) != Some(number) {
            return Err(WireError::NoSuchStream);
        }
        self.last = number;
        if self.streams.len() < self.port.max_streams() {
            let id = self.named(number);
            self.streams.insert(id, Stream::new(false));
            self.accepted.push_back(id);
            return Ok(());
        }
        // An honest side waits for an answer before it has opened so many.
        if self.refusals.len() >= self.port.max_streams() {
            return Err(WireError::Flood);
        }
        self.refusals.push_back(number);
        Ok(())
    }

    fn frame_of_port(&mut self, kind: Kind) -> Result<(), WireError> {
        match (self.side, self.phase, kind) {
            (Side::Guest, Phase::Running, Kind::Freeze) => {
                self.lose_all();
                self.port_frame = Some(Kind::Frozen);
                self.phase = Phase::Frozen;
            }
            (Side::Host, Phase::Freezing, Kind::Frozen) => self.phase = Phase::Frozen,
            (Side::Guest, Phase::Frozen, Kind::Thaw) => {
                self.restart();
            }
            _ => return Err(WireError::NotAllowed),
        }
        Ok(())
    }

    fn deliver(&mut self, id: StreamId, bytes: &[u8]) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.life == Life::Live) else { return };
        if self.phase != Phase::Running {
            return;
        }
        if stream.released {
            // Nobody reads it: its bytes are dropped, and no credit is given for them.
            return;
        }
        stream.received.extend(bytes);
        self.changed.insert(id);
    }

    fn lose_all(&mut self) {
        for (id, stream) in &mut self.streams {
            stream.lose();
            self.changed.insert(*id);
        }
        self.streams.retain(|_, stream| !stream.released);
        self.refusals.clear();
        // Whoever accepts would find them gone.
        for id in self.accepted.drain(..) {
            self.streams.remove(&id);
        }
    }

    fn remove_if_done(&mut self, id: StreamId) {
        if self.streams.get(&id).is_some_and(Stream::is_done) {
            self.streams.remove(&id);
        }
    }

    /// Returns how many bytes it keeps for streams, allocated or in use.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.streams.values().map(|stream| stream.received.capacity() + stream.backlog.capacity()).sum()
    }
}

/// Returns what is to be said next of a stream.
fn next_frame(stream: &Stream) -> Option<(Kind, u16)> {
    if stream.unannounced {
        return (stream.life != Life::Lost).then_some((Kind::Open, 0));
    }
    match stream.life {
        Life::Lost => return None,
        Life::Resetting => return Some((Kind::Reset, 0)),
        Life::Live => {}
    }
    if stream.owed >= CREDIT_FROM && !stream.incoming_ended {
        return Some((Kind::Credit, u16::try_from(stream.owed).unwrap_or(u16::MAX)));
    }
    let sendable = stream.backlog.len().min(usize::try_from(stream.credit).unwrap_or(0));
    if sendable > 0 {
        return Some((Kind::Data, u16::try_from(sendable).map_or(MAX_DATA_BYTES, |count| count.min(MAX_DATA_BYTES))));
    }
    (stream.outgoing == Outgoing::Ending && stream.backlog.is_empty()).then_some((Kind::End, 0))
}
