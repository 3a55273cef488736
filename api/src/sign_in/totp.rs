//! One-time codes of an authenticator app: RFC 6238 with what every app takes (SHA-1, six digits,
//! 30 seconds), one step of tolerance. Never a code twice: see `AccessRegister::take_totp_step`.

use rand::{RngCore as _, rngs::OsRng};
use strongroom_domain::Timestamp;
use strongroom_secrets::Secret;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::application::Failure;

const STEP_S: u64 = 30;
const SECRET: usize = 20;

/// A secret that codes are made of.
pub(super) struct TotpSecret(Totp);

impl TotpSecret {
    /// A new one, of 160 bits.
    pub(super) fn generate() -> Result<Self, Failure> {
        let mut bytes = Zeroizing::new([0; SECRET]);
        OsRng.fill_bytes(bytes.as_mut());
        Self::of(bytes.as_slice())
    }

    /// Reads what [`Self::bytes`] gave.
    pub(super) fn read(secret: &Secret) -> Result<Self, Failure> {
        Self::of(secret.expose())
    }

    fn of(bytes: &[u8]) -> Result<Self, Failure> {
        let built =
            Builder::new().with_secret(bytes.to_vec()).with_step_duration(STEP_S).with_skew(1);
        let built = built.build();
        built.map(Self).map_err(|error| Failure::Corrupt(format!("the secret of a code: {error}")))
    }

    /// For sealing.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.secret().as_ref()
    }

    /// For typing into the app.
    pub(super) fn base32(&self) -> String {
        self.0.secret().to_base32()
    }

    /// For the app's camera. Names are of letters, digits and `._-@`: only the last needs escaping.
    pub(super) fn uri(&self, name: &str) -> String {
        let (name, secret) = (name.replace('@', "%40"), self.base32());
        format!("otpauth://totp/Strongroom:{name}?secret={secret}&issuer=Strongroom")
    }

    /// The time step that a code is of, if it is good about now. Digits are compared in constant
    /// time.
    pub(super) fn step(&self, code: &str, now: Timestamp) -> Option<u64> {
        let six = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        six.then(|| self.0.check(code, now.micros() / 1_000_000)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{Builder, Secret, Timestamp, TotpSecret};
    use totp_rs::Algorithm;

    /// RFC 6238, appendix B: time, and eight digits under SHA-1, SHA-256 and SHA-512.
    const VECTORS: [(u64, [&str; 3]); 6] = [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ];
    const SEED: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";

    #[test]
    fn the_vectors_of_rfc_6238_come_out() {
        let kinds = [(Algorithm::SHA1, 20), (Algorithm::SHA256, 32), (Algorithm::SHA512, 64)];
        for (time, codes) in VECTORS {
            for ((algorithm, length), code) in kinds.into_iter().zip(codes) {
                let totp = Builder::new()
                    .with_algorithm(algorithm)
                    .with_digits(8)
                    .with_secret(SEED[..length].to_vec())
                    .with_step_duration(30)
                    .build()
                    .unwrap();
                assert_eq!(totp.generate(time).to_string(), code, "{algorithm:?} at {time}");
            }
        }
        let ours = TotpSecret::read(&Secret::new(SEED[..20].to_vec())).unwrap();
        for (time, [code, ..]) in VECTORS {
            let at = Timestamp::from_micros(time * 1_000_000);
            // Six digits are the last six of eight.
            assert_eq!(ours.step(&code[2..], at), Some(time / 30));
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_or_late_and_says_which_step_it_is_of() {
        let ours = TotpSecret::read(&Secret::new(SEED[..20].to_vec())).unwrap();
        let at = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
        let code = "287082";
        for (seconds, step) in
            [(29, Some(1)), (59, Some(1)), (60, Some(1)), (89, Some(1)), (90, None)]
        {
            assert_eq!(ours.step(code, at(seconds)), step, "{seconds}");
        }
        for wrong in ["", "28708", "2870820", "28708a", " 287082", "94287082"] {
            assert_eq!(ours.step(wrong, at(59)), None, "{wrong}");
        }
    }
}
