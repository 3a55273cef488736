//! A signer's frames, as its transport reads and writes them: length of the body (u32, big-endian) ‖
//! request id (u64, big-endian) ‖ body, which is JSON. Never holds more than what one connection is
//! allowed to send, and refuses a long frame before it is read.

/// Bytes before the body.
const HEADER: usize = 12;
/// The longest body, in bytes; the signer's own limit.
pub(super) const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// The peer announced, or we would send, a body longer than [`LONGEST_BODY`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a frame of {0} bytes: expected at most {LONGEST_BODY}")]
pub(super) struct TooLong(usize);

/// A frame's bytes.
pub(super) fn encode(id: u64, body: &[u8]) -> Result<Vec<u8>, TooLong> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= LONGEST_BODY);
    let length = length.ok_or(TooLong(body.len()))?;
    Ok([length.to_be_bytes().as_slice(), &id.to_be_bytes(), body].concat())
}

/// Bytes that came in and are not yet a frame.
#[derive(Default)]
pub(super) struct Inbox(Vec<u8>);

impl Inbox {
    /// Where further bytes go.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Takes out every whole frame: request id and body.
    pub(super) fn frames(&mut self) -> Result<Vec<(u64, Vec<u8>)>, TooLong> {
        let (mut frames, mut used) = (Vec::new(), 0_usize);
        while let Some((id, body)) = first(self.0.get(used..).unwrap_or_default())? {
            used = used.saturating_add(HEADER).saturating_add(body.len());
            frames.push((id, body.to_vec()));
        }
        self.0.drain(..used);
        Ok(frames)
    }
}

fn first(bytes: &[u8]) -> Result<Option<(u64, &[u8])>, TooLong> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > LONGEST_BODY {
        return Err(TooLong(length));
    }
    let Some((id, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
    Ok(rest.get(..length).map(|body| (u64::from_be_bytes(*id), body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_come_in() {
        let bytes = [encode(1, b"one"), encode(2, b""), encode(u64::MAX, b"three")]
            .map(Result::unwrap)
            .concat();
        for size in 1..=bytes.len() {
            let (mut inbox, mut found) = (Inbox::default(), Vec::new());
            for part in bytes.chunks(size) {
                inbox.buffer().extend_from_slice(part);
                found.extend(inbox.frames().unwrap());
            }
            let wanted: [(u64, &[u8]); 3] = [(1, b"one"), (2, b""), (u64::MAX, b"three")];
            assert_eq!(found, wanted.map(|(id, body)| (id, body.to_vec())));
        }
    }

    #[test]
    fn a_long_frame_is_refused_by_its_header() {
        let mut inbox = Inbox::default();
        let length = u32::try_from(LONGEST_BODY + 1).unwrap();
        inbox.buffer().extend_from_slice(&length.to_be_bytes());
        assert_eq!(inbox.frames(), Err(TooLong(LONGEST_BODY + 1)));
        assert_eq!(encode(1, &vec![0; LONGEST_BODY + 1]), Err(TooLong(LONGEST_BODY + 1)));
    }
}
