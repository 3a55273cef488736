//! A short storm of a fixed seed: whatever fails and comes back, every withdrawal that was acknowledged
//! is paid once, by itself. `target/debug/soak` runs longer ones. Never measures a time.

use std::time::Duration;

use strongroom_tests::soak::Soak;
use strongroom_tests::soak::storm::Climate;

const SOAK: Soak = Soak {
    seed: 49,
    calm: Duration::from_secs(5),
    climate: Climate {
        gap: (Duration::from_millis(300), Duration::from_secs(3)),
        lasts: (Duration::from_millis(500), Duration::from_secs(5)),
        length: Duration::from_secs(40),
    },
    pace: Duration::from_millis(1500),
    block: Duration::from_millis(500),
};

#[test]
fn a_storm_of_failures_delays_withdrawals_and_loses_none() {
    let root = tempfile::tempdir().unwrap();
    let report = SOAK.run(root.path());
    println!("{report}");
    assert!(report.broken.is_empty(), "{report}");
    assert!(report.blows.len() > 6, "{report}");
    for rail in &report.rails {
        assert!(rail.requested > 20, "{report}");
        assert_eq!(rail.confirmed, rail.requested, "{report}");
        assert_eq!((rail.refused, rail.lost, rail.wrong), (0, 0, 0), "{report}");
    }
}
