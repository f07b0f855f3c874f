//! How a report is signed, byte by byte. Ed25519 over the bytes as they stand; nothing is
//! normalised, and there is one way only to write a file.
//!
//! | form | file |
//! | --- | --- |
//! | JSON | `{"report":` *signed* `,"signature":{"algorithm":"ed25519","public_key":"` 64 hex digits `","value":"` 128 hex digits `"}}` and a line feed |
//! | page | *signed* `<!-- linli-signature ed25519 ` 64 hex digits ` ` 128 hex digits ` -->` and a line feed |
//!
//! The signed bytes of a JSON file are the text of its member `report`; those of a page are all
//! before its last line. Digits are lower-case. The page holds the text of the report in its
//! element `script type="application/json"`.

use std::str;

use ring::signature::{ED25519, UnparsedPublicKey};

use super::chain::{hex, unhex};
use super::document::Report;
use super::key::SigningKey;
use super::page;
use crate::starlevel::Bilingual;

const JSON_HEAD: &str = "{\"report\":";
const JSON_KEY: &str = ",\"signature\":{\"algorithm\":\"ed25519\",\"public_key\":\"";
const JSON_VALUE: &str = "\",\"value\":\"";
const JSON_END: &str = "\"}}\n";

const PAGE_HEAD: &str = "<!DOCTYPE html>";
const PAGE_KEY: &str = "<!-- linli-signature ed25519 ";
const PAGE_VALUE: &str = " ";
const PAGE_END: &str = " -->\n";

/// Hex digits of a public key and of a signature.
const KEY_DIGITS: usize = 64;
const VALUE_DIGITS: usize = 128;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A page to print.
    Html,
    /// A document for machines.
    Json,
}

impl Form {
    /// The words that name them, also the endings of their files.
    pub const WORDS: [(&'static str, Form); 2] = [("html", Form::Html), ("json", Form::Json)];

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, form)| form)
    }

    /// The word that names it.
    pub fn word(self) -> &'static str {
        match self {
            Form::Html => "html",
            Form::Json => "json",
        }
    }
}

/// Why a file is no report with a good signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealFault {
    /// It does not begin as a report does.
    Foreign,
    /// It does not end in a signature: cut, or something was added.
    NoSignature,
    /// The signature is not that of these bytes by this key.
    Broken,
    /// Signed, but it holds no report that this program can read.
    NoReport,
}

impl SealFault {
    /// The fault in both languages.
    pub fn words(self) -> Bilingual {
        let (zh, en) = match self {
            Self::Foreign => (
                "不是 linli 的星级报告：须为 linli stars --report 生成的 .html 或 .json 文件",
                "is no report of linli: allowed is a file that `linli stars --report` wrote",
            ),
            Self::NoSignature => (
                "末尾没有签名：文件被截断，或其后有添加内容",
                "does not end in a signature: it was cut, or something was added after it",
            ),
            Self::Broken => (
                "签名不符：签名之后文件被改动",
                "the signature does not hold: the file was changed after it was signed",
            ),
            Self::NoReport => (
                "签名有效，但其中没有本程序可读的报告",
                "is signed, but holds no report that this program can read",
            ),
        };
        Bilingual::new(zh, en)
    }
}

/// A file whose signature holds.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) form: Form,
    pub(super) public_key: [u8; 32],
    pub(super) report: Report,
}

/// The whole file.
pub(super) fn seal(report: &Report, form: Form, key: &SigningKey) -> String {
    let (mut file, from) = match form {
        Form::Json => (JSON_HEAD.to_owned(), JSON_HEAD.len()),
        Form::Html => (String::new(), 0),
    };
    match form {
        Form::Json => file.push_str(&report.to_json()),
        Form::Html => {
            file.push_str(&page::render(report));
            file.push('\n');
        }
    }
    let value = hex(&key.sign(&file.as_bytes()[from..]));
    let key = key.public_hex();
    let parts = match form {
        Form::Json => [JSON_KEY, &key, JSON_VALUE, &value, JSON_END],
        Form::Html => [PAGE_KEY, &key, PAGE_VALUE, &value, PAGE_END],
    };
    parts.into_iter().for_each(|part| file.push_str(part));
    file
}

/// Reads a file; whatever is not exactly as [`seal`] writes it is refused.
pub(super) fn open(file: &[u8]) -> Result<Opened, SealFault> {
    let (form, signed, parts) = if file.starts_with(JSON_HEAD.as_bytes()) {
        let rest = &file[JSON_HEAD.len()..];
        (Form::Json, rest, [JSON_KEY, JSON_VALUE, JSON_END])
    } else if file.starts_with(PAGE_HEAD.as_bytes()) {
        (Form::Html, file, [PAGE_KEY, PAGE_VALUE, PAGE_END])
    } else {
        return Err(SealFault::Foreign);
    };
    let [before_key, before_value, end] = parts;
    let cut = || SealFault::NoSignature;
    let rest = signed.strip_suffix(end.as_bytes()).ok_or_else(cut)?;
    let (rest, value) = digits::<64>(rest, VALUE_DIGITS).ok_or_else(cut)?;
    let rest = rest.strip_suffix(before_value.as_bytes()).ok_or_else(cut)?;
    let (rest, public_key) = digits::<32>(rest, KEY_DIGITS).ok_or_else(cut)?;
    let signed = rest.strip_suffix(before_key.as_bytes()).ok_or_else(cut)?;
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(signed, &value)
        .map_err(|_| SealFault::Broken)?;
    let text = str::from_utf8(signed).map_err(|_| SealFault::NoReport)?;
    let json = match form {
        Form::Json => Some(text),
        Form::Html => page::embedded(text),
    };
    let report = json.and_then(|json| serde_json::from_str(json).ok());
    Ok(Opened { form, public_key, report: report.ok_or(SealFault::NoReport)? })
}

/// Takes so many hex digits from the end.
fn digits<const N: usize>(bytes: &[u8], count: usize) -> Option<(&[u8], [u8; N])> {
    let (rest, digits) = bytes.split_at_checked(bytes.len().checked_sub(count)?)?;
    Some((rest, unhex(str::from_utf8(digits).ok()?)?))
}
