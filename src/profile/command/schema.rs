//! The file format of a command and of what it writes in an example.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::profile::schema::{
    BlockFile, EncodingWord, MessageFile, OrderWord, TableWord, TitleFile,
};
use crate::profile::span::{Sentinel, Span};

/// One entry of `[[commands]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [[commands]]")]
pub(in crate::profile) struct CommandFile {
    pub name: Spanned<String>,
    pub zh: String,
    pub en: String,
    pub kind: Spanned<KindWord>,
    pub group: Option<Spanned<String>>,
    pub unit: Option<Spanned<String>>,
    pub range: Option<Spanned<[f64; 2]>>,
    pub decimals: Option<Spanned<u8>>,
    pub factor: Option<Spanned<f64>>,
    pub offset: Option<Spanned<f64>>,
    #[serde(default)]
    pub by: Vec<Spanned<String>>,
    /// Set of labels of a choice.
    pub labels: Option<Spanned<String>>,
    /// Raw code or word → code, as of a point.
    #[serde(default)]
    pub codes: BTreeMap<Spanned<String>, i64>,
    /// Raw number or word of a flag, or of a trigger.
    pub on: Option<Spanned<Sentinel>>,
    pub off: Option<Spanned<Sentinel>>,
    /// Of a text, bytes of UTF-8.
    pub max_length: Option<Spanned<usize>>,
    pub table: Option<TableWord>,
    pub address: Option<Spanned<u32>>,
    pub encoding: Option<Spanned<EncodingWord>>,
    /// Registers of a text.
    pub length: Option<Spanned<u8>>,
    pub order: Option<OrderWord>,
    pub function: Option<FunctionWord>,
    pub topic: Option<Spanned<String>>,
    pub payload: Option<Spanned<String>>,
    pub read_back: Option<Spanned<String>>,
    pub within: Option<Span>,
    pub safe: Option<Spanned<toml::Value>>,
    pub keep_alive: Option<Span>,
    pub danger: Option<TitleFile>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::profile) enum KindWord {
    Number,
    Flag,
    Choice,
    Text,
    Trigger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::profile) enum FunctionWord {
    Single,
    Multiple,
}

/// What a command writes, in an example.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table { command = \"…\", value = 1, registers = […] } or with messages = […]"
)]
pub(in crate::profile) struct WriteFile {
    pub command: Spanned<String>,
    /// Left out for a trigger.
    pub value: Option<Spanned<toml::Value>>,
    #[serde(default)]
    pub registers: Vec<Spanned<BlockFile>>,
    #[serde(default)]
    pub messages: Vec<MessageFile>,
}
