//! What a witness's answers mean, and where one may be.

use super::*;
use strongroom_ledger::Hash;

#[test]
fn a_request_has_the_form_of_the_protocol() {
    let submission = Submission {
        old: 3,
        proof: vec![Hash::new([0; 32]), Hash::new([255; 32])],
        size: 5,
        checkpoint: "origin\n5\nroot\n\n— origin c2ln\n".to_owned(),
    };
    let expected = "old 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
                    //////////////////////////////////////////8=\n\norigin\n5\nroot\n\n— origin \
                    c2ln\n";
    assert_eq!(body(&submission), expected);
}

#[test]
fn every_status_of_the_protocol_is_understood() {
    let judged = |status: u16, size: bool, text: &str| {
        judge(StatusCode::from_u16(status).unwrap(), size, text.to_owned())
    };
    assert_eq!(judged(200, false, "— a b\n"), Answer::Cosigned("— a b\n".to_owned()));
    assert_eq!(judged(409, true, "17\n"), Answer::Conflict { size: 17 });
    for (status, size, text) in [(409, true, "many\n"), (409, false, "17\n"), (400, false, "")] {
        assert!(matches!(judged(status, size, text), Answer::Refused(_)), "{status} {text}");
    }
    for status in [403, 404, 302] {
        assert!(matches!(judged(status, false, "no"), Answer::Refused(_)), "{status}");
    }
    for status in [429, 500, 503] {
        assert!(matches!(judged(status, false, "no"), Answer::Unavailable(_)), "{status}");
    }
    assert!(matches!(judged(422, false, "no"), Answer::Fork(_)));
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let at = |url: &str| HttpWitness::new("w".to_owned(), url).map(|witness| witness.url);
    for (url, asked) in [
        ("https://w.example", "https://w.example/add-checkpoint"),
        ("https://w.example/a/", "https://w.example/a/add-checkpoint"),
        ("http://127.0.0.1:80", "http://127.0.0.1/add-checkpoint"),
        ("http://[::1]:81/x", "http://[::1]:81/x/add-checkpoint"),
    ] {
        assert_eq!(at(url).unwrap().as_str(), asked);
    }
    for url in ["http://w.example", "ftp://127.0.0.1", "https://me:pw@w.example", "w.example", ""] {
        let refused = at(url).unwrap_err().to_string();
        assert!(refused.contains("https://"), "{refused}");
        assert!(!refused.contains("pw"), "{refused}");
    }
}
