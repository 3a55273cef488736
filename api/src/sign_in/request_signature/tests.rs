//! The standard's own vectors, and every way in which a signature is not good enough.

use axum::http::{HeaderMap, HeaderName, Method, Uri};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sfv::{Dictionary, ListEntry, Parser};
use strongroom_domain::Timestamp;

use super::{Claimed, Parts, check_digest, signature_base};

const NOW: u64 = 1_795_367_880;
const MACHINE: &str = "00000000-0000-4000-8000-0000000000b1";
const COVERED: &str = "(\"@method\" \"@target-uri\" \"content-digest\" \"idempotency-key\")";

fn now() -> Timestamp {
    Timestamp::from_micros(NOW * 1_000_000)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}

fn input(text: &str) -> sfv::InnerList {
    let dictionary: Dictionary = Parser::new(&format!("s={text}")).parse().unwrap();
    match dictionary.into_values().next().unwrap() {
        ListEntry::InnerList(list) => list,
        ListEntry::Item(_) => panic!("no list"),
    }
}

/// RFC 9421 B.2: `test-request`.
fn rfc_request() -> HeaderMap {
    headers(&[
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHW\
             XvJwew==:",
        ),
        ("content-length", "18"),
    ])
}

#[test]
fn the_vector_of_rfc_9421_b_2_6_verifies() {
    let (headers, uri) = (rfc_request(), "/foo?param=Value&Pet=dog".parse::<Uri>().unwrap());
    let request = Parts {
        method: &Method::POST,
        scheme: "https",
        authority: "example.com",
        uri: &uri,
        headers: &headers,
    };
    let input = input(
        "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
         ;created=1618884473;keyid=\"test-key-ed25519\"",
    );
    let base = signature_base(&input, &request).unwrap();
    assert_eq!(
        base,
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
         \"@authority\": example.com\n\"content-type\": application/json\n\"content-length\": 18\n\
         \"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
         \"content-length\");created=1618884473;keyid=\"test-key-ed25519\""
    );
    let key = STANDARD.decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
    let key = VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap();
    let signature = STANDARD
        .decode("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==")
        .unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    key.verify_strict(base.as_bytes(), &signature).unwrap();
}

#[test]
fn the_digests_of_rfc_9530_are_right_and_every_known_one_must_be() {
    let body = b"{\"hello\": \"world\"}";
    check_digest(&rfc_request(), body).unwrap();
    let said = |digest: &str| check_digest(&headers(&[("content-digest", digest)]), body);
    let right = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    said(right).unwrap();
    said(&format!("{right}, unixsum=:AAAA:")).unwrap();
    said(&format!("{right}, sha-512=:AAAA:")).unwrap_err();
    for wrong in ["", "sha-256=:AAAA:", "md5=:AAAA:", "sha-256=X48E9q", "nonsense (", "sha-256=(1)"]
    {
        assert!(said(wrong).is_err(), "{wrong}");
    }
    assert!(check_digest(&rfc_request(), b"{\"hello\": \"World\"}").is_err());
}

fn parameters(changes: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("created", NOW.to_string()),
        ("expires", (NOW + 30).to_string()),
        ("nonce", "\"0123456789abcdef\"".to_owned()),
        ("keyid", format!("\"{MACHINE}\"")),
    ];
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        if !value.is_empty() {
            all.push((name, (*value).to_owned()));
        }
    }
    all.into_iter().fold(String::new(), |text, (name, value)| format!("{text};{name}={value}"))
}

fn claimed(said: &str, more: &[(&str, &str)]) -> Result<Claimed, &'static str> {
    let signature = format!("s=:{}:", STANDARD.encode([7; 64]));
    let pairs = [("signature-input", said), ("signature", &signature)];
    Claimed::read(&headers(&[&pairs[..], more].concat()), now())
}

#[test]
fn only_a_short_lived_signature_over_all_that_a_request_does_is_looked_at() {
    let more = [("content-digest", "sha-256=:AAAA:"), ("idempotency-key", "k")];
    let good = format!("s={COVERED}{}", parameters(&[]));
    assert!(claimed(&good, &more).is_ok());
    let other = "(\"@method\" \"@authority\" \"@path\" \"@query\")";
    assert!(claimed(&format!("s={other}{}", parameters(&[("alg", "\"ed25519\"")])), &[]).is_ok());
    let at = |seconds: u64| seconds.to_string();
    for changes in [
        &[("created", "")][..],
        &[("expires", "")],
        &[("nonce", "")],
        &[("keyid", "")],
        &[("nonce", "\"short\"")],
        &[("keyid", "\"somebody\"")],
        &[("alg", "\"rsa-v1_5-sha256\"")],
        &[("tag", "\"x\"")],
        &[("created", &at(NOW + 6)), ("expires", &at(NOW + 30))],
        &[("created", &at(NOW - 30)), ("expires", &at(NOW))],
        &[("created", &at(NOW - 1)), ("expires", &at(NOW + 60))],
        &[("created", &at(NOW)), ("expires", &at(NOW - 1))],
        &[("created", "-1")],
        &[("expires", "99999999999999")],
    ] {
        let said = format!("s={COVERED}{}", parameters(changes));
        assert!(claimed(&said, &more).is_err(), "{changes:?}");
    }
    for covered in [
        "()",
        "(\"@target-uri\" \"content-digest\" \"idempotency-key\")",
        "(\"@method\" \"@path\" \"@query\" \"content-digest\" \"idempotency-key\")",
        "(\"@method\" \"@target-uri\" \"idempotency-key\")",
        "(\"@method\" \"@target-uri\" \"content-digest\")",
        "(\"@method\" \"@method\" \"@target-uri\" \"content-digest\" \"idempotency-key\")",
        "(\"@method\";req \"@target-uri\" \"content-digest\" \"idempotency-key\")",
        "(method \"@target-uri\" \"content-digest\" \"idempotency-key\")",
    ] {
        assert!(claimed(&format!("s={covered}{}", parameters(&[])), &more).is_err(), "{covered}");
    }
    assert!(claimed(&format!("{good}, t={COVERED}{}", parameters(&[])), &more).is_err());
    assert!(claimed(&format!("t={COVERED}{}", parameters(&[])), &more).is_err());
    assert!(claimed("nonsense", &more).is_err());
}

#[test]
fn a_signature_is_good_for_its_method_target_and_fields_alone() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let said = format!("{COVERED}{}", parameters(&[]));
    let uri: Uri = "/api/v1/transactions?a=b".parse().unwrap();
    let fields = headers(&[("content-digest", "sha-256=:AAAA:"), ("idempotency-key", "k")]);
    let parts = |method, authority, uri, headers| Parts {
        method,
        scheme: "https",
        authority,
        uri,
        headers,
    };
    let right = parts(&Method::POST, "custody.example", &uri, &fields);
    let base = signature_base(&input(&said), &right).unwrap();
    let signature = STANDARD.encode(key.sign(base.as_bytes()).to_bytes());
    let mut all = fields.clone();
    all.insert("signature-input", format!("s={said}").parse().unwrap());
    all.insert("signature", format!("s=:{signature}:").parse().unwrap());
    let claimed = Claimed::read(&all, now()).unwrap();
    let good = |request: &Parts<'_>| claimed.verify(&key.verifying_key(), request).is_ok();
    assert!(good(&right));
    assert!(good(&parts(&Method::POST, "CUSTODY.example", &uri, &fields)));
    assert!(!good(&parts(&Method::DELETE, "custody.example", &uri, &fields)));
    assert!(!good(&parts(&Method::POST, "other.example", &uri, &fields)));
    let elsewhere: Uri = "/api/v1/transactions?a=c".parse().unwrap();
    assert!(!good(&parts(&Method::POST, "custody.example", &elsewhere, &fields)));
    let other = headers(&[("content-digest", "sha-256=:AAAA:"), ("idempotency-key", "l")]);
    assert!(!good(&parts(&Method::POST, "custody.example", &uri, &other)));
    let twice = headers(&[
        ("content-digest", "sha-256=:AAAA:"),
        ("idempotency-key", "k"),
        ("idempotency-key", "l"),
    ]);
    assert!(!good(&parts(&Method::POST, "custody.example", &uri, &twice)));
    let none = HeaderMap::new();
    assert!(!good(&parts(&Method::POST, "custody.example", &uri, &none)));
    let stranger = SigningKey::from_bytes(&[8; 32]).verifying_key();
    assert!(claimed.verify(&stranger, &right).is_err());
}
