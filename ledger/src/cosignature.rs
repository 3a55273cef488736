//! What a cosigner signs, byte by byte (C2SP tlog-cosignature). Never signs: the keys do.

use crate::key_name::KeyName;
use crate::tree::TreeHead;

/// The first bytes of every ML-DSA-44 message.
const LABEL: &[u8; 12] = b"subtree/v1\n\0";
/// The largest time that a cosignature may state.
const TIME_LIMIT: u64 = i64::MAX.unsigned_abs();

/// The Ed25519 message (`cosignature/v1`): the time in POSIX seconds and the checkpoint's text.
pub fn cosignature_v1(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// The ML-DSA-44 message (`cosigned_message`) for the whole tree, from its first leaf on; `None` for
/// an origin that it has no room for (more than 255 bytes, or none).
pub fn cosigned_message(
    cosigner: &KeyName,
    time: u64,
    origin: &str,
    head: TreeHead,
) -> Option<Vec<u8>> {
    let mut message = LABEL.to_vec();
    put_text(&mut message, cosigner.as_str())?;
    message.extend_from_slice(&time.to_be_bytes());
    put_text(&mut message, origin)?;
    message.extend_from_slice(&0_u64.to_be_bytes());
    message.extend_from_slice(&head.size.to_be_bytes());
    message.extend_from_slice(head.root.as_bytes());
    Some(message)
}

fn put_text(message: &mut Vec<u8>, text: &str) -> Option<()> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length > 0)?;
    message.push(length);
    message.extend_from_slice(text.as_bytes());
    Some(())
}

/// `timestamped_signature`: time and signature in one.
pub(crate) fn join(time: u64, signature: &[u8]) -> Vec<u8> {
    [&time.to_be_bytes(), signature].concat()
}

/// The two halves of a `timestamped_signature`.
pub(crate) fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    (time <= TIME_LIMIT).then_some((time, signature))
}
