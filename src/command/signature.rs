//! Whether a command was signed by one whose signature counts.

use std::fmt;

use ring::signature::{ED25519, UnparsedPublicKey};

use crate::model::CommandRequest;

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl PublicKey {
    /// Of 64 lower-case hex digits.
    pub fn of_hex(text: &str) -> Option<Self> {
        hex(text).map(Self)
    }
}

/// So many bytes from lower-case hex digits.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// Whether one of the keys signed the request for this gateway.
pub(super) fn is_signed(request: &CommandRequest, gateway: &str, keys: &[PublicKey]) -> bool {
    let signature = request.signature.as_deref().and_then(hex::<64>);
    let Some(signature) = signature else { return false };
    let bytes = request.signed_bytes(gateway);
    keys.iter()
        .any(|key| UnparsedPublicKey::new(&ED25519, key.0).verify(&bytes, &signature).is_ok())
}
