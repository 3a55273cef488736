//! Wrapping keys: what they seal opens under the same key and context, and under no other.

use strongroom_secrets::Secret;

use super::*;

fn secret() -> Secret {
    Secret::new((0..100).collect())
}

#[test]
fn what_is_sealed_opens_for_the_same_purpose_alone() {
    with_token("wrapping::what_is_sealed_opens_for_the_same_purpose_alone", |home| {
        let token = open(home);
        assert!(matches!(token.wrapping_key("kek"), Err(TokenError::NoWrappingKey { .. })));
        let key = token.make_wrapping_key("kek").unwrap();
        assert_eq!(token.wrapping_key("kek").unwrap(), key);
        let sealed = token.seal(&key, b"share 1", &secret()).unwrap();
        assert_eq!(sealed.len(), secret().len() + 45);
        assert!(!sealed.windows(8).any(|window| window == &secret().expose()[..8]));
        assert!(token.seal(&key, b"share 1", &secret()).unwrap() != sealed, "a nonce came twice");
        drop(token);
        let token = open(home);
        let key = token.wrapping_key("kek").unwrap();
        assert!(token.unseal(&key, b"share 1", &sealed).unwrap() == secret());
        assert!(matches!(
            token.unseal(&key, b"share 2", &sealed),
            Err(TokenError::Unopened { .. })
        ));
        for byte in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            let refusal = token.unseal(&key, b"share 1", &changed).err();
            assert!(
                matches!(
                    refusal,
                    Some(TokenError::Unopened { .. } | TokenError::SealedByOther { .. })
                ),
                "byte {byte}: {refusal:?}"
            );
        }
        for length in [0, 1, 17, 28, 29, 44, sealed.len() - 1] {
            assert!(token.unseal(&key, b"share 1", &sealed[..length]).is_err());
        }
        // A changed text is no fault of the token: the connection is the same one.
        assert_eq!(token.line.read().unwrap().generation, 0);
        assert!(token.unseal(&key, b"share 1", &sealed).unwrap() == secret());
    });
}

#[test]
fn a_wrapping_key_has_one_purpose_and_its_label_to_itself() {
    with_token("wrapping::a_wrapping_key_has_one_purpose_and_its_label_to_itself", |home| {
        let token = open(home);
        let key = token.make_wrapping_key("kek").unwrap();
        assert!(matches!(
            token.make_wrapping_key("kek"),
            Err(TokenError::WrappingKeyExists { .. })
        ));
        let other = token.make_wrapping_key("other").unwrap();
        let sealed = token.seal(&key, b"", &secret()).unwrap();
        let refusal = token.unseal(&other, b"", &sealed).err();
        assert!(matches!(refusal, Some(TokenError::SealedByOther { .. })), "{refusal:?}");
        let session =
            with_connection(&token, |up| token.module.open_rw_session(up.slot()).unwrap());
        let template = |label: &[u8], id: u128, more: Attribute| {
            [
                Attribute::Token(true),
                Attribute::Id(Uuid::from_u128(id).as_bytes().to_vec()),
                Attribute::Label(label.to_vec()),
                Attribute::ValueLen(32.into()),
                more,
            ]
        };
        let aes = Mechanism::AesKeyGen;
        session.generate_key(&aes, &template(b"kek", 7, Attribute::Extractable(false))).unwrap();
        let refusal = token.wrapping_key("kek");
        assert!(matches!(refusal, Err(TokenError::SeveralWrappingKeys { .. })), "{refusal:?}");
        session.generate_key(&aes, &template(b"loose", 8, Attribute::Extractable(true))).unwrap();
        let refusal = token.wrapping_key("loose");
        assert!(matches!(refusal, Err(TokenError::KeyUnfit { .. })), "{refusal:?}");
        // By its id it is still the one that sealed.
        assert!(token.unseal(&key, b"", &sealed).unwrap() == secret());
    });
}

#[test]
fn sealed_texts_open_after_the_token_was_away() {
    with_token("wrapping::sealed_texts_open_after_the_token_was_away", |home| {
        let token = open(home);
        let key = token.make_wrapping_key("kek").unwrap();
        let sealed = token.seal(&key, b"share", &secret()).unwrap();
        let (there, away) = (token_directory(home), home.join("away"));
        fs::rename(&there, &away).unwrap();
        let refusal = token.unseal(&key, b"share", &sealed).err();
        assert!(matches!(refusal, Some(TokenError::TokenUnavailable { .. })), "{refusal:?}");
        fs::rename(&away, &there).unwrap();
        assert!(token.unseal(&key, b"share", &sealed).unwrap() == secret());
    });
}
