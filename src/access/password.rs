//! Passwords as argon2id hashes in the PHC text form:
//! `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
//!
//! 19 MiB and two passes are what OWASP's password storage cheat sheet asks for at the least; a box
//! of 256 MB can spare that once. Whoever verifies makes sure that only one hash is made at a time.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Secret;

/// Least characters of a new password.
pub const LEAST_PASSWORD: usize = 10;
/// Most bytes of a password that are hashed.
pub const MOST_PASSWORD: usize = 1024;

/// KiB of memory of a new hash.
const MEMORY: u32 = 19_456;
/// Passes of a new hash.
const PASSES: u32 = 2;
/// Most that a stored hash may ask for: whoever wrote it must not take the box's memory.
const MOST_MEMORY: u32 = 65_536;
const MOST_PASSES: u32 = 10;
const SALT: usize = 16;
const OUTPUT: usize = 32;

/// Why a password or its hash is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short.
    #[error(
        "a password must have {LEAST_PASSWORD} characters or more / 口令至少 {LEAST_PASSWORD} 位"
    )]
    Short,
    /// Too long.
    #[error("a password must have {MOST_PASSWORD} bytes at most / 口令最多 {MOST_PASSWORD} 字节")]
    Long,
    /// The system gave no random numbers, or not enough memory.
    #[error("the system gave no random numbers or no memory / 系统未能提供随机数或内存")]
    System,
    /// Not the text form of an argon2id hash, or one that asks for too much.
    #[error(
        "this is no argon2id hash as `linli hash-password` prints it, or it asks for more than \
         64 MiB and 10 passes / 不是 `linli hash-password` 输出的 argon2id 摘要，或其参数超过 64 MiB、10 遍"
    )]
    NoHash,
}

/// A hashed password, read.
#[derive(Debug, Clone)]
pub struct Password {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// The text form of the hash of a new password. Takes 19 MiB and some tenths of a second on a box.
///
/// # Errors
/// The password is too short or too long, or the system refused.
pub fn hash(password: &Secret) -> Result<String, PasswordFault> {
    let text = password.expose();
    if text.chars().count() < LEAST_PASSWORD {
        return Err(PasswordFault::Short);
    }
    if text.len() > MOST_PASSWORD {
        return Err(PasswordFault::Long);
    }
    let mut salt = [0u8; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| PasswordFault::System)?;
    let params = usual()?;
    let hash = run(text, &salt, &params, OUTPUT)?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    Ok(format!("$argon2id$v=19$m={MEMORY},t={PASSES},p=1${salt}${hash}"))
}

/// Whether a text is a hash that [`Password::parse`] takes.
pub fn looks_like_hash(text: &str) -> bool {
    Password::parse(text).is_ok()
}

impl Password {
    /// Reads the text form.
    ///
    /// # Errors
    /// It is none, or asks for too much.
    pub fn parse(text: &str) -> Result<Self, PasswordFault> {
        let no = || PasswordFault::NoHash;
        let parts: Vec<&str> = text.split('$').collect();
        let ["", "argon2id", "v=19", settings, salt, hash] = parts[..] else { return Err(no()) };
        let settings: Vec<&str> = settings.split(',').collect();
        let [memory, passes, lanes] = settings[..] else { return Err(no()) };
        let number =
            |text: &str, key: &str| -> Option<u32> { text.strip_prefix(key)?.parse().ok() };
        let memory = number(memory, "m=").filter(|m| *m <= MOST_MEMORY).ok_or_else(no)?;
        let passes = number(passes, "t=").filter(|t| *t <= MOST_PASSES).ok_or_else(no)?;
        let lanes = number(lanes, "p=").filter(|p| *p <= 4).ok_or_else(no)?;
        let bytes = |text: &str| STANDARD_NO_PAD.decode(text).map_err(|_| no());
        let (salt, hash) = (bytes(salt)?, bytes(hash)?);
        if !(8..=64).contains(&salt.len()) || !(16..=64).contains(&hash.len()) {
            return Err(no());
        }
        let params = Params::new(memory, passes, lanes, Some(hash.len())).map_err(|_| no())?;
        Ok(Self { params, salt, hash })
    }

    /// A hash of nobody's password, which takes as long to compare: an unknown user must not be
    /// told from a known one by the time of the answer.
    pub fn nobody() -> Result<Self, PasswordFault> {
        Ok(Self { params: usual()?, salt: vec![0; SALT], hash: vec![0; OUTPUT] })
    }

    /// Whether this is the password.
    ///
    /// # Errors
    /// The system had not enough memory.
    pub fn verify(&self, password: &Secret) -> Result<bool, PasswordFault> {
        let text = password.expose();
        // Compared all the same, so that it takes as long.
        let fits = text.len() <= MOST_PASSWORD;
        let text = if fits { text } else { "" };
        let made = run(text, &self.salt, &self.params, self.hash.len())?;
        let differ = made.iter().zip(&self.hash).fold(0u8, |sum, (a, b)| sum | (a ^ b));
        Ok(fits && std::hint::black_box(differ) == 0 && made.len() == self.hash.len())
    }
}

fn usual() -> Result<Params, PasswordFault> {
    Params::new(MEMORY, PASSES, 1, Some(OUTPUT)).map_err(|_| PasswordFault::System)
}

fn run(text: &str, salt: &[u8], params: &Params, length: usize) -> Result<Vec<u8>, PasswordFault> {
    let mut out = vec![0u8; length];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into(text.as_bytes(), salt, &mut out)
        .map_err(|_| PasswordFault::System)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        text.to_owned().into()
    }

    #[test]
    fn only_the_password_itself_is_its_password() {
        let text = hash(&secret("邻里网关的口令-2026")).unwrap();
        let password = Password::parse(&text).unwrap();
        assert!(password.verify(&secret("邻里网关的口令-2026")).unwrap());
        for wrong in ["", "邻里网关的口令-2025", "邻里网关的口令-2026 ", &"x".repeat(5000)]
        {
            assert!(!password.verify(&secret(wrong)).unwrap(), "{wrong}");
        }
        assert!(!Password::nobody().unwrap().verify(&secret("")).unwrap());
        assert_ne!(text, hash(&secret("邻里网关的口令-2026")).unwrap(), "the salt is random");
    }

    #[test]
    fn short_and_endless_passwords_are_not_hashed() {
        assert_eq!(hash(&secret("九个字符的口令啊呀")).unwrap_err(), PasswordFault::Short);
        assert_eq!(hash(&secret(&"x".repeat(1025))).unwrap_err(), PasswordFault::Long);
    }

    /// From the reference implementation: `printf password | argon2 somesalt -id -t 2 -m 16 -p 1`.
    #[test]
    fn a_hash_of_the_reference_implementation_is_understood() {
        let text = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(Password::parse(text).unwrap().verify(&secret("password")).unwrap());
    }

    #[test]
    fn what_is_no_hash_or_asks_for_too_much_is_refused() {
        let good = hash(&secret("0123456789")).unwrap();
        for wrong in [
            "",
            "0123456789",
            "$2b$12$abcdefghijklmnopqrstuv",
            &good.replace("argon2id", "argon2i"),
            &good.replace("m=19456", "m=4000000"),
            &good.replace("t=2", "t=4000000000"),
            &good.replace("p=1", "p=0"),
            &good.replace("v=19", "v=16"),
            &format!("{good}$"),
            good.rsplit_once('$').unwrap().0,
        ] {
            assert_eq!(Password::parse(wrong).unwrap_err(), PasswordFault::NoHash, "{wrong}");
        }
    }
}
