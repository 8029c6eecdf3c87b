//! Server-sent events, as far as model providers use them: `data:` lines, one event each (WHATWG HTML, 9.2.6).

use crate::ModelError;

/// Longest line taken, in bytes: a provider's largest event, many times over.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// Cuts a stream into the data of its events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Option<String>,
}

impl Events {
    /// Takes the next bytes; gives the data of every event that is complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, ModelError> {
        let mut out = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() > MAX_LINE_BYTES {
                    return Err(ModelError::Garbled("a line of it does not end".into()));
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            self.take(line.trim_end_matches('\r'), &mut out);
        }
        Ok(out)
    }

    /// Gives what is left where the stream has ended without the blank line that ends an event.
    pub(crate) fn finish(mut self) -> Vec<String> {
        let mut out = Vec::new();
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if !line.is_empty() {
            self.take(line.trim_end_matches('\r'), &mut out);
        }
        out.extend(self.data.take());
        out
    }

    fn take(&mut self, line: &str, out: &mut Vec<String>) {
        if line.is_empty() {
            out.extend(self.data.take());
            return;
        }
        let Some(data) = line.strip_prefix("data:") else { return };
        let data = data.strip_prefix(' ').unwrap_or(data);
        match &mut self.data {
            Some(known) => {
                known.push('\n');
                known.push_str(data);
            }
            None => self.data = Some(data.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_the_bytes_are_cut() {
        let stream = b": hello\r\nevent: x\r\ndata: {\"a\":1}\r\n\r\ndata:two\ndata: lines\n\ndata: open";
        for cut in 1..stream.len() {
            let mut events = Events::default();
            let mut got = Vec::new();
            for piece in stream.chunks(cut) {
                got.extend(events.push(piece).unwrap());
            }
            assert_eq!(got, ["{\"a\":1}", "two\nlines"], "cut at {cut}");
            assert_eq!(events.finish(), ["open"]);
        }
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let mut events = Events::default();
        assert!(events.push(&vec![b'x'; MAX_LINE_BYTES]).is_ok());
        assert!(events.push(b"xx").is_err());
    }
}
