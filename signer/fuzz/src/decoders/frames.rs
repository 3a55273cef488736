//! Frames, as the signer and as the server read them: what one takes the other takes, however the
//! bytes come in, and what was taken is what would be written.

#[allow(
    dead_code,
    reason = "the fuzzer compiles a private decoder of the signer a second time, and not all of it is used here"
)]
#[path = "../../../../commands/src/signers/wire.rs"]
mod servers;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the fuzzer compiles a private decoder of the signer a second time, and not all of it is used here"
)]
#[path = "../../../src/transport/frame.rs"]
mod signers;

/// The first byte says in what pieces the rest comes in.
pub(super) fn read(bytes: &[u8]) -> bool {
    let Some((piece, bytes)) = bytes.split_first() else { return false };
    let (mut mine, mut theirs) = (signers::Inbox::default(), servers::Inbox::default());
    let (mut taken, mut written) = (Vec::new(), Vec::new());
    for part in bytes.chunks(usize::from(*piece) + 1) {
        mine.buffer().extend_from_slice(part);
        theirs.buffer().extend_from_slice(part);
        match (mine.frames(), theirs.frames()) {
            (Ok(mine), Ok(theirs)) => {
                let mine: Vec<_> = mine.into_iter().map(|frame| (frame.id, frame.body)).collect();
                assert_eq!(mine, theirs);
                taken.extend(mine);
            }
            (Err(long), Err(_)) => {
                assert!(long.0 > signers::LONGEST_BODY);
                return false;
            }
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("one refuses what the other takes"),
        }
        assert_eq!(mine.buffer(), theirs.buffer());
    }
    for (id, body) in &taken {
        written.extend(signers::encode(*id, body).unwrap());
        assert_eq!(signers::encode(*id, body), servers::encode(*id, body).ok());
    }
    written.extend_from_slice(mine.buffer());
    assert_eq!(written, bytes);
    !taken.is_empty() && mine.is_empty()
}
