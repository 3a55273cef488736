//! The rules of requests that no server is needed for.

use super::Once;

#[test]
fn two_requests_never_have_the_same_hash() {
    let same = |one: &[&[u8]], other: &[&[u8]]| Once::new("k", one) == Once::new("k", other);
    assert!(same(&[b"POST", b"/a", b"{}"], &[b"POST", b"/a", b"{}"]));
    assert!(!same(&[b"POST", b"/a", b"{}"], &[b"POST", b"/a{", b"}"]));
    assert!(!same(&[b"POST", b"/a", b"{}"], &[b"POST", b"/b", b"{}"]));
    assert!(Once::new("", &[]).is_err());
    assert!(Once::new("two words", &[]).is_err());
    assert!(Once::new(&"k".repeat(256), &[]).is_err());
}
