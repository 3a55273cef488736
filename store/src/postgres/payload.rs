//! Whether PostgreSQL takes a payload. Its type `json` keeps text as it is, but only text that is
//! JSON. Never changes a byte.

use serde::de::IgnoredAny;

use crate::append::{Append, AppendError};

/// Deeper JSON could exhaust the server's stack; nothing that people mean is this deep.
const DEPTH: usize = 128;
/// The most bytes of one append: it is one message to the server, of which none exceeds 1 GiB.
const APPEND_BYTES: usize = 64 * 1024 * 1024;

/// Refuses what the server would refuse, before anything is sent: a statement that fails stops the
/// sequencer.
pub(crate) fn check(append: &Append) -> Result<(), AppendError> {
    for event in &append.events {
        let name = &event.r#type;
        let refuse = |reason: &str| AppendError::invalid(format!("the payload of {name} {reason}"));
        let text = std::str::from_utf8(&event.payload).map_err(|_| refuse("is not UTF-8"))?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|_| refuse("is not JSON"))?;
        if depth(&event.payload) > DEPTH {
            return Err(refuse(&format!("is nested deeper than {DEPTH}")));
        }
    }
    if let Some(key) = &append.idempotency
        && (key.caller.contains('\0') || key.key.contains('\0'))
    {
        return Err(AppendError::invalid("the idempotency caller or key holds a zero byte"));
    }
    if append.weight() > APPEND_BYTES {
        let found = append.weight();
        let reason = format!("it has about {found} bytes, PostgreSQL takes {APPEND_BYTES} at once");
        return Err(AppendError::invalid(reason));
    }
    Ok(())
}

/// How deep arrays and objects lie in one another, in text that is JSON.
fn depth(json: &[u8]) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::append_to;

    fn checked(payload: &[u8]) -> Result<(), AppendError> {
        let mut append = append_to(&[("a", 0)]);
        append.events[0].payload = payload.to_vec();
        check(&append)
    }

    #[test]
    fn what_is_not_json_is_invalid() {
        for good in [
            br#" {"a":[1e999,-0.5,"\u0000\ud800[[\"{"],"a":null} "#.as_slice(),
            b"7",
            &[[b'['; DEPTH], [b']'; DEPTH]].concat(),
        ] {
            assert_eq!(checked(good), Ok(()), "{}", String::from_utf8_lossy(good));
        }
        for bad in [
            b"x".as_slice(),
            b"\"\xff\"",
            b"{\"a\":01}",
            b"\"\x00\"",
            b"{} {}",
            b"\"\\x\"",
            &[[b'['; DEPTH + 1], [b']'; DEPTH + 1]].concat(),
        ] {
            assert!(matches!(checked(bad), Err(AppendError::Invalid { .. })), "{bad:?}");
        }
    }
}
