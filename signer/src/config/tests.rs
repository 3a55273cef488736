//! What a `signer.toml` may say about sealing. Never opens what it names.

use std::path::PathBuf;

use super::{Config, Sealing};

fn read(rest: &str) -> Result<Sealing, String> {
    let fixed = "listen = '127.0.0.1:1'\ndata = 'd'\nserver_certificate = 'c'\n";
    let config = toml::from_str::<Config>(&format!("{fixed}{rest}"));
    config.map(|config| config.sealing).map_err(|error| error.to_string())
}

const TOKEN: &str = "[token]\nmodule = 'm'\nlabel = 'l'\npin_file = 'p'\n";
const VAULT: &str = "[vault]\naddress = 'https://v.example'\nca_certificate = 'ca'\n";

#[test]
fn exactly_one_key_seals() {
    let passphrase = Sealing::Passphrase(PathBuf::from("f"));
    assert_eq!(read("passphrase_file = 'f'\n"), Ok(passphrase.clone()));
    assert_eq!(read("[sealing]\npassphrase_file = 'f'\n"), Ok(passphrase));
    let token = read(&format!("[sealing]\ntoken_key = 'k-1'\n{TOKEN}"));
    assert_eq!(token, Ok(Sealing::Token("k-1".to_owned())));
    let vault = read(&format!("[sealing]\nvault_key = 'k.1'\n{VAULT}"));
    assert_eq!(vault, Ok(Sealing::Vault("k.1".to_owned())));

    for (text, says) in [
        (String::new(), "nothing says what seals"),
        ("[sealing]\n".to_owned(), "exactly one of"),
        ("passphrase_file = 'f'\n[sealing]\npassphrase_file = 'f'\n".to_owned(), "keep one"),
        (format!("[sealing]\ntoken_key = 'k'\nvault_key = 'k'\n{TOKEN}{VAULT}"), "exactly one of"),
        (format!("[sealing]\npassphrase_file = 'f'\ntoken_key = 'k'\n{TOKEN}"), "exactly one of"),
        ("[sealing]\ntoken_key = 'k'\n".to_owned(), "there is no [token]"),
        ("[sealing]\nvault_key = 'k'\n".to_owned(), "there is no [vault]"),
        (format!("[sealing]\nvault_key = '../sys/x'\n{VAULT}"), "letters, digits"),
        (format!("[sealing]\nvault_key = ''\n{VAULT}"), "letters, digits"),
        ("[sealing]\npassphrase = 'secret'\n".to_owned(), "unknown field"),
    ] {
        let refusal = read(&text).unwrap_err();
        assert!(refusal.contains(says), "{text:?}: {refusal}");
    }
}
