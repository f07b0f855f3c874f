//! The signed star report, as anybody may hand it in.

use std::sync::LazyLock;

use linli::starlevel::report::verify;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::harmless;
use crate::allocation::within;

/// A key that anybody could make.
static KEY: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes are a seed"));
const A_BYTE: usize = 256;
/// Its own rules are read for comparison.
const AT_LEAST: usize = 4 << 20;

pub(super) fn judge(input: &[u8]) {
    let most = AT_LEAST + A_BYTE * input.len();
    let found = within("verifying", most, most, || verify(input, None));
    assert_eq!(found, verify(input, None), "the same file has two verdicts");
    if found.good {
        // Not a bit of a good file may be changed.
        for bit in [3, input.len() * 4, input.len() * 8 - 11] {
            let mut torn = input.to_vec();
            torn[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&torn, None).good, "bit {bit} was flipped");
        }
    }
    signed(input, most);
}

/// The input as a report that somebody else signed: everything behind the signature is reached.
fn signed(input: &[u8], most: usize) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let key = hex(KEY.public_key().as_ref());
    let mut file = b"{\"report\":".to_vec();
    // The key that a report names is the one that signed it.
    let text = String::from_utf8_lossy(input).replace("PUBLICKEY", &key);
    file.extend(text.as_bytes());
    let value = hex(KEY.sign(text.as_bytes()).as_ref());
    let seal = format!(
        ",\"signature\":{{\"algorithm\":\"ed25519\",\"public_key\":\"{key}\",\"value\":\"{value}\"}}}}\n"
    );
    file.extend(seal.as_bytes());
    let found = within("verifying", 2 * most, 2 * most, || verify(&file, None));
    assert_eq!(found.good, found.faults.is_empty());
    if found.form.is_some() {
        let ours = KEY.public_key().as_ref().try_into().expect("a key has 32 bytes");
        assert_eq!(found.public_key.as_deref(), Some(&*key));
        assert_eq!(verify(&file, Some(ours)).key_matches, Some(true));
        let other = verify(&file, Some(&[1; 32]));
        assert!(!other.good && other.key_matches == Some(false), "somebody else signed it");
    }
    for words in found.faults.iter().chain(&found.notes) {
        assert!(!words.zh.is_empty() && !words.en.is_empty());
        harmless(&words.zh);
        harmless(&words.en);
    }
}
