//! A length that somebody made up costs nothing: what is allocated is bounded by what came. It is
//! measured in a process of its own, where nothing else allocates.

use std::process::Command;

use crate::{decoders, seeds::of};

const CHILD: &str = "STRONGROOM_LENGTHS";
/// What a decoder may take beyond what came: of 64 MiB none is near a length that is made up below.
const MOST_KIB: u64 = 64 * 1024;

/// Bytes of a seed at each of which a length is tried.
const NEAR: usize = 40;

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn measure() {
    let lengths: [&[u8]; 4] = [
        &[0xff; 4],
        &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        // The numbers of postcard: seven bits in each byte.
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    ];
    for (name, read) in decoders::ALL {
        // What machines hear is read by the decoders of `frost` and `dkls`, which are tried here.
        if *name == "round" {
            continue;
        }
        let seeds = of(name);
        for (_, seed) in &seeds {
            // Fixtures are made and remembered before.
            read(seed);
        }
        let before = peak_kib();
        for (_, seed) in &seeds {
            // All places of the first ones, where lengths are, and some of the rest.
            let near = 0..seed.len().min(NEAR);
            let far = (NEAR..seed.len()).step_by(seed.len() / 6 + 1);
            for place in near.chain(far) {
                for length in lengths {
                    let mut bytes = seed.clone();
                    let end = (place + length.len()).min(bytes.len());
                    bytes.splice(place..end, length.iter().copied());
                    read(&bytes);
                }
            }
        }
        let taken = peak_kib() - before;
        println!("{name}: {} seeds, {taken} KiB", seeds.len());
        assert!(taken < MOST_KIB, "{name} took {taken} KiB");
    }
}

#[test]
fn a_length_that_is_made_up_allocates_nothing() {
    if std::env::var_os(CHILD).is_some() {
        return measure();
    }
    let name = "lengths::a_length_that_is_made_up_allocates_nothing";
    let this = std::env::current_exe().unwrap();
    let child = Command::new(this)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
    assert!(said.contains("words:"), "{said}");
}
