//! Signatures that were made with Debian's minisign 0.11.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const KEY: &str = "untrusted comment: minisign public key A6B4B6D87316A117\n\
RWQXoRZz2La0psDZPfVnqdrfo/PpyO30jMwlDxF9u9VBbXrqGqsXZw33\n";
const OTHER_KEY: &str = "untrusted comment: minisign public key 7FBDE87457D4C379\n\
RWR5w9RXdOi9f2QA3gSKM5E2vE7PVorX9UZQ4gTG16cxp3yDaw/vSyf7\n";
const CONTENT: &str = "what is signed\n";
const SIGNATURE: &str = "untrusted comment: signature from minisign secret key\n\
RUQXoRZz2La0pmr4ZMXbkmvhoMK7QGjzuHVyn0sHrREefvV2D9jmfSE1AUjSVxPWvhof7jTpZ7s9gpPOj5l65yhIFMVZFn2JJgo=\n\
trusted comment: linli-setup gateway=* serial=7\n\
kdnAebeefFrguMhhra1WdEx9j/hQQHHg8ANzH2Xk5lndyUnDPdL9B7N5dNaXmD18w5/SOvHfzd4Y23PcYmIbBA==\n";
const LEGACY: &str = "untrusted comment: signature from minisign secret key\n\
RWQXoRZz2La0pv7UJUgZfTyQRJ6R/97pkLwG8DwFzVENxYnUYSNotwKAwtez710S0ojqQ/8kZ1EVtdlt8RLxvnNNs2l8nV6G3Qo=\n\
trusted comment: linli-setup gateway=* serial=7\n\
05GISSJGyqWMjZQ+88h4+K3Uf9A81UkcuOovhI7PwoIxKYYyeooQ5mTywNYwVxbXcnjU/4Ifvh5lGhSBeT9RCg==\n";

/// A trust folder with keys, and a signed file.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new(keys: &[&str], content: &str, signature: &str) -> Self {
        let case = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(case.trust()).unwrap();
        for (at, key) in keys.iter().enumerate() {
            let path = case.trust().join(format!("{at}.pub"));
            fs::write(&path, key).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        fs::write(case.file(), content).unwrap();
        fs::write(signature_of(&case.file()), signature).unwrap();
        case
    }

    fn trust(&self) -> PathBuf {
        self.folder.path().join("trust")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("bundle.tar")
    }

    fn verify(&self) -> Result<(Approved, Vec<u8>), SignedFault> {
        let mut read = Vec::new();
        let keys = TrustedKeys::load(&self.trust())?;
        let approved = keys.verify_into(&self.file(), 1 << 20, &mut read)?;
        Ok((approved, read))
    }

    /// Why it is refused, in both languages on one line.
    fn refused(&self) -> String {
        let Err(fault) = self.verify() else { panic!("it was taken") };
        format!("{} {}", fault.words().en, fault.words().zh)
    }
}

#[test]
fn a_file_that_a_trusted_key_signed_is_handed_on_with_what_its_signer_said() {
    let case = Case::new(&[OTHER_KEY, KEY], CONTENT, SIGNATURE);
    let (approved, read) = case.verify().unwrap();
    assert_eq!(read, CONTENT.as_bytes());
    assert_eq!(approved.comment, "linli-setup gateway=* serial=7");
    assert_eq!((approved.purpose(), approved.size), ("linli-setup", 15));
    assert_eq!((approved.term("gateway"), approved.term("serial")), (Some("*"), Some("7")));
    assert_eq!((approved.term("gate"), approved.term("linli-setup")), (None, None));
    assert_eq!(approved.key_id, "A6B4B6D87316A117");
    assert_eq!(approved.key_file, case.trust().join("1.pub"));
    approved.require("linli-setup").unwrap();
    let told = approved.require("linli-upgrade").unwrap_err().to_string();
    assert!(told.contains("`linli-setup gateway=* serial=7`"), "{told}");
}

#[test]
fn without_a_key_nothing_is_taken_and_it_says_where_keys_go() {
    let case = Case::new(&[], CONTENT, SIGNATURE);
    let told = case.refused();
    assert!(told.contains("no key is trusted") && told.contains("没有受信任的公钥"), "{told}");
    assert!(told.contains(&case.trust().display().to_string()), "{told}");
    fs::remove_dir(case.trust()).unwrap();
    assert_eq!(case.refused(), told, "no folder is the same as an empty one");
}

#[test]
fn a_key_that_is_none_or_that_anybody_may_write_is_refused_by_its_file() {
    let told = Case::new(&["nonsense"], CONTENT, SIGNATURE).refused();
    assert!(told.contains("0.pub` is no public key"), "{told}");
    let case = Case::new(&[KEY], CONTENT, SIGNATURE);
    let key = case.trust().join("0.pub");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o666)).unwrap();
    let told = case.refused();
    assert!(told.contains("chmod o-w") && told.contains("改写"), "{told}");
}

#[test]
fn the_signature_of_a_stranger_is_refused_with_both_keys_named() {
    let told = Case::new(&[OTHER_KEY], CONTENT, SIGNATURE).refused();
    assert!(told.contains("made by key A6B4B6D87316A117"), "{told}");
    assert!(told.contains("are 7FBDE87457D4C379") && told.contains("签署"), "{told}");
}

#[test]
fn a_changed_file_signature_or_comment_is_refused() {
    let comment = SIGNATURE.replace("serial=7", "serial=8");
    let forged_id = SIGNATURE.replace("RUQXoRZz2La0pmr4", "RUR5w9RXdOi9f2r4");
    for (content, signature) in [
        ("what is signed!\n", SIGNATURE),
        ("", SIGNATURE),
        (CONTENT, &comment),
        (CONTENT, &forged_id),
    ] {
        let told = Case::new(&[KEY, OTHER_KEY], content, signature).refused();
        assert!(told.contains("is not what key") && told.contains("签名不符"), "{told}");
    }
}

#[test]
fn what_is_no_signature_or_one_of_the_old_kind_is_refused() {
    for text in ["", "nonsense", &SIGNATURE.replace("trusted comment: linli", "comment: linli")] {
        let told = Case::new(&[KEY], CONTENT, text).refused();
        assert!(told.contains("no signature of minisign"), "{text:?}: {told}");
    }
    let told = Case::new(&[KEY], CONTENT, LEGACY).refused();
    assert!(told.contains("old kind") && told.contains("旧式签名"), "{told}");
    let case = Case::new(&[KEY], CONTENT, SIGNATURE);
    fs::remove_file(signature_of(&case.file())).unwrap();
    let told = case.refused();
    assert!(told.contains("bundle.tar.minisig` cannot be read"), "{told}");
}

#[test]
fn only_regular_files_of_a_bounded_size_are_read() {
    let case = Case::new(&[KEY], CONTENT, SIGNATURE);
    let keys = TrustedKeys::load(&case.trust()).unwrap();
    let told = keys.verify_into(&case.file(), 14, &mut io::sink()).unwrap_err().to_string();
    assert!(told.contains("more than 14 bytes"), "{told}");
    keys.verify_into(&case.file(), 15, &mut io::sink()).unwrap();
    fs::write(signature_of(&case.file()), "a".repeat(5000)).unwrap();
    assert!(case.refused().contains("more than 4096 bytes"));
    fs::remove_file(case.file()).unwrap();
    fs::create_dir(case.file()).unwrap();
    fs::write(signature_of(&case.file()), SIGNATURE).unwrap();
    assert!(case.refused().contains("no regular file"));
}

#[test]
fn what_cannot_be_written_is_told_and_approves_nothing() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let case = Case::new(&[KEY], CONTENT, SIGNATURE);
    let keys = TrustedKeys::load(&case.trust()).unwrap();
    let told = keys.verify_into(&case.file(), 1 << 20, &mut Full).unwrap_err();
    assert!(told.words().zh.contains("无法复制"), "{told}");
}
