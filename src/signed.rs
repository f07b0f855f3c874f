//! Files that somebody signed with [minisign](https://jedisct1.github.io/minisign/) and that this
//! gateway takes: the bundle of a first start, the next version of the program.
//!
//! Beside `FILE` lies `FILE.minisig`. Whose signatures count say the public keys in the trust folder,
//! `/etc/linli/trust/*.pub`, which root alone fills; no key is built in. The *trusted comment* of a
//! signature is signed too: its first word says what the file is for, words `name=value` behind it
//! say what else the signer vouches for. So a file that was signed for one purpose is refused for
//! another:
//!
//! ```text
//! minisign -S -s integrator.key -m linli-setup.tar -t 'linli-setup gateway=* serial=20261127'
//! ```
//! Only signatures of the file's digest are taken (what minisign makes since 0.9), so a file of any
//! size is read once, in pieces. What is verified is what was read: [`TrustedKeys::verify_into`]
//! hands it on, and nobody reads a second time from a stick that may have changed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use minisign_verify::{Error as Refusal, PublicKey, Signature};

use crate::model::Words;

#[cfg(test)]
mod tests;

/// Where the keys lie whose signatures count, unless a command says otherwise.
pub const TRUST_FOLDER: &str = "/etc/linli/trust";

/// Most bytes of a key or a signature; the real ones have 300.
const MOST_TEXT: u64 = 4096;

/// Most keys that are read.
const MOST_KEYS: usize = 64;

/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.en)]
pub struct SignedFault(Words);

impl SignedFault {
    fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self((en, zh).into())
    }

    fn of_io(what: (&str, &str), path: &Path, error: &io::Error) -> Self {
        let told = Words::of_io(error);
        Self::new(
            format!("{} `{}` cannot be read: {}", what.0, path.display(), told.en),
            format!("无法读取{} `{}`：{}", what.1, path.display(), told.zh),
        )
    }

    /// The same for people, in both languages.
    pub fn words(&self) -> &Words {
        &self.0
    }
}

/// One key of the trust folder.
#[derive(Debug)]
struct Trusted {
    key: PublicKey,
    id: String,
    file: PathBuf,
}

/// The keys whose signatures count.
#[derive(Debug)]
pub struct TrustedKeys {
    folder: PathBuf,
    keys: Vec<Trusted>,
}

/// A file whose signature fits, and what its signer said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The trusted comment, as it was signed.
    pub comment: String,
    /// The key that signed, as minisign shows it: sixteen hexadecimal digits.
    pub key_id: String,
    /// The file in the trust folder that holds the key.
    pub key_file: PathBuf,
    /// Bytes of the file.
    pub size: u64,
}

impl Approved {
    /// What the signer says the file is for: the first word of the trusted comment.
    pub fn purpose(&self) -> &str {
        self.comment.split_whitespace().next().unwrap_or_default()
    }

    /// The value of a word `name=value` in the trusted comment.
    pub fn term(&self, name: &str) -> Option<&str> {
        let mut words = self.comment.split_whitespace().skip(1);
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Refuses a file that was signed for something else than `purpose`.
    ///
    /// # Errors
    /// What it was signed for.
    pub fn require(&self, purpose: &str) -> Result<(), SignedFault> {
        if self.purpose() == purpose {
            return Ok(());
        }
        let comment = shown(&self.comment);
        Err(SignedFault::new(
            format!(
                "the signature fits, but it was not made for this: its trusted comment is \
                 `{comment}`, and must begin with `{purpose}` (minisign -S … -t '{purpose} …')"
            ),
            format!(
                "签名有效，但用途不符：其可信注释为 `{comment}`，应以 `{purpose}` 开头\
                 （minisign -S … -t '{purpose} …'）"
            ),
        ))
    }
}

/// The signature of a file: beside it, with `.minisig` behind its whole name.
pub fn signature_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}

impl TrustedKeys {
    /// Reads every `*.pub` of a folder. Blocks.
    ///
    /// # Errors
    /// There is none, one is no key, or anybody may write it.
    pub fn load(folder: &Path) -> Result<Self, SignedFault> {
        let cannot = |error: &io::Error| match error.kind() {
            io::ErrorKind::NotFound => no_keys(folder),
            _ => SignedFault::of_io(("the trust folder", "信任目录"), folder, error),
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| cannot(&error))? {
            let path = entry.map_err(|error| cannot(&error))?.path();
            if path.extension().is_some_and(|extension| extension == "pub") {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(no_keys(folder));
        }
        if files.len() > MOST_KEYS {
            return Err(SignedFault::new(
                format!("`{}` holds more than {MOST_KEYS} keys", folder.display()),
                format!("`{}` 中的公钥超过 {MOST_KEYS} 个", folder.display()),
            ));
        }
        files.sort();
        let keys = files.into_iter().map(trusted).collect::<Result<_, _>>()?;
        Ok(Self { folder: folder.to_owned(), keys })
    }

    /// Reads `file` once, hands all of it to `out`, and says whether the signature `file.minisig`
    /// fits. What `out` got counts only when this returns `Ok`. Blocks.
    ///
    /// # Errors
    /// No or a broken signature, a key that is not trusted, more than `most` bytes, a file that is
    /// not the one that was signed, or `out` does not take it.
    pub fn verify_into(
        &self,
        file: &Path,
        most: u64,
        out: &mut impl Write,
    ) -> Result<Approved, SignedFault> {
        self.verify_with(file, &signature_of(file), most, out)
    }

    /// The same with a signature that lies elsewhere.
    ///
    /// # Errors
    /// As there.
    pub fn verify_with(
        &self,
        file: &Path,
        signature: &Path,
        most: u64,
        out: &mut impl Write,
    ) -> Result<Approved, SignedFault> {
        let text = read_text(("the signature", "签名文件"), signature)?;
        let broken = |_: Refusal| {
            SignedFault::new(
                format!("`{}` is no signature of minisign", signature.display()),
                format!("`{}` 不是 minisign 签名文件", signature.display()),
            )
        };
        let read = Signature::decode(&text).map_err(broken)?;
        let (trusted, mut verifier) = self.verifier(&text, &read, signature)?;
        let size = hand_on(file, most, |piece| {
            verifier.update(piece);
            out.write_all(piece)
        })?;
        verifier.finalize().map_err(|_| {
            let (name, id) = (file.display(), &trusted.id);
            SignedFault::new(
                format!(
                    "`{name}` is not what key {id} signed: the file or its signature was changed, \
                     or the signature belongs to another file"
                ),
                format!(
                    "`{name}` 与密钥 {id} 的签名不符：文件或签名已被改动，或签名属于另一个文件"
                ),
            )
        })?;
        Ok(Approved {
            comment: read.trusted_comment().to_owned(),
            key_id: trusted.id.clone(),
            key_file: trusted.file.clone(),
            size,
        })
    }

    /// The trusted key that the signature names, ready to read the file.
    fn verifier<'k>(
        &'k self,
        text: &str,
        signature: &'k Signature,
        path: &Path,
    ) -> Result<(&'k Trusted, minisign_verify::StreamVerifier<'k>), SignedFault> {
        for trusted in &self.keys {
            match trusted.key.verify_stream(signature) {
                Ok(verifier) => return Ok((trusted, verifier)),
                Err(Refusal::UnexpectedKeyId) => {}
                Err(Refusal::UnsupportedLegacyMode) => {
                    return Err(SignedFault::new(
                        format!(
                            "`{}` is a signature of the old kind: sign with minisign 0.9 or later, \
                             without -l",
                            path.display()
                        ),
                        format!(
                            "`{}` 是旧式签名：请用 minisign 0.9 或更高版本签名，且不加 -l",
                            path.display()
                        ),
                    ));
                }
                Err(other) => return Err(SignedFault::new(other.to_string(), other.to_string())),
            }
        }
        let signer = key_id(text).unwrap_or_else(|| "?".to_owned());
        let known: Vec<&str> = self.keys.iter().map(|trusted| trusted.id.as_str()).collect();
        let (known, folder) = (known.join(", "), self.folder.display());
        Err(SignedFault::new(
            format!(
                "`{}` was made by key {signer}; trusted in {folder} are {known}",
                path.display()
            ),
            format!(
                "`{}` 由密钥 {signer} 签署，而 {folder} 中受信任的密钥为 {known}",
                path.display()
            ),
        ))
    }
}

fn trusted(file: PathBuf) -> Result<Trusted, SignedFault> {
    let what = ("the key", "公钥文件");
    let text = read_text(what, &file)?;
    let mode = fs::metadata(&file).map_err(|error| SignedFault::of_io(what, &file, &error))?.mode();
    if mode & 0o002 != 0 {
        return Err(SignedFault::new(
            format!("anybody may write the key `{0}`: chmod o-w '{0}'", file.display()),
            format!("任何人都可改写公钥文件 `{0}`：请执行 chmod o-w '{0}'", file.display()),
        ));
    }
    let no_key = || {
        SignedFault::new(
            format!("`{}` is no public key of minisign", file.display()),
            format!("`{}` 不是 minisign 公钥文件", file.display()),
        )
    };
    let key = PublicKey::decode(&text).map_err(|_| no_key())?;
    let id = key_id(&text).ok_or_else(no_key)?;
    Ok(Trusted { key, id, file })
}

/// The key's id in the second line of a key or a signature, as minisign shows it.
fn key_id(text: &str) -> Option<String> {
    use base64::Engine as _;
    let line = text.lines().nth(1)?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(line).ok()?;
    let id: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(id)))
}

fn no_keys(folder: &Path) -> SignedFault {
    let folder = folder.display();
    SignedFault::new(
        format!(
            "no key is trusted: put the signer's public key (minisign.pub) into `{folder}`, as root"
        ),
        format!("没有受信任的公钥：请以 root 将签名方的公钥（minisign.pub）放入 `{folder}`"),
    )
}

/// Control characters do nothing to a terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn read_text(what: (&str, &str), path: &Path) -> Result<String, SignedFault> {
    let mut bytes = Vec::new();
    hand_on_as(what, path, MOST_TEXT, |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    String::from_utf8(bytes).map_err(|_| {
        SignedFault::new(
            format!("{} `{}` is not text", what.0, path.display()),
            format!("{} `{}` 不是文本", what.1, path.display()),
        )
    })
}

fn hand_on(
    file: &Path,
    most: u64,
    take: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, SignedFault> {
    hand_on_as(("the file", "文件"), file, most, take)
}

/// Reads a regular file in pieces, `most` bytes at the most; its size.
fn hand_on_as(
    what: (&str, &str),
    path: &Path,
    most: u64,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, SignedFault> {
    let cannot = |error: io::Error| SignedFault::of_io(what, path, &error);
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(SignedFault::new(
            format!("{} `{}` is no regular file", what.0, path.display()),
            format!("{} `{}` 不是普通文件", what.1, path.display()),
        ));
    }
    let mut file = File::open(path).map_err(cannot)?;
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => return Ok(size),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(cannot(error)),
        };
        size += read as u64;
        if size > most {
            return Err(SignedFault::new(
                format!("{} `{}` has more than {most} bytes", what.0, path.display()),
                format!("{} `{}` 超过 {most} 字节", what.1, path.display()),
            ));
        }
        take(&piece[..read]).map_err(|error| {
            let told = Words::of_io(&error);
            SignedFault::new(
                format!("`{}` cannot be copied: {}", path.display(), told.en),
                format!("无法复制 `{}`：{}", path.display(), told.zh),
            )
        })?;
    }
}
