//! A frame: length of the body (u32, big-endian) ‖ request id (u64, big-endian) ‖ body, which is JSON.
//! An answer carries its request's id, so answers may come in any order. Never holds more than one
//! unfinished frame, and refuses a long one before it is read.

/// Bytes before the body.
pub const HEADER: usize = 12;
/// The longest body, in bytes.
pub const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// A frame that was read whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) id: u64,
    pub(super) body: Vec<u8>,
}

/// The peer announced a body longer than [`LONGEST_BODY`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong(pub(super) usize);

/// Bytes that came in and are not yet a frame.
#[derive(Default)]
pub(super) struct Inbox(Vec<u8>);

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Takes out every whole frame.
    pub(super) fn frames(&mut self) -> Result<Vec<Frame>, TooLong> {
        let (mut frames, mut used) = (Vec::new(), 0_usize);
        while let Some((id, body)) = first(self.0.get(used..).unwrap_or_default())? {
            used = used.saturating_add(HEADER).saturating_add(body.len());
            frames.push(Frame { id, body: body.to_vec() });
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

/// A frame's bytes; `None` if the body is longer than [`LONGEST_BODY`].
pub fn encode(id: u64, body: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= LONGEST_BODY)?;
    Some([length.to_be_bytes().as_slice(), &id.to_be_bytes(), body].concat())
}
