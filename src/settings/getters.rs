//! The typed getters of a [`Section`].

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::{
    Place, Section, Wrong, check_endpoint, check_host, meant_value, nearest, parse_duration,
    parse_size, show_duration, show_size,
};

impl<'d> Section<'d> {
    /// A text that `read` understands; `allowed` describes it.
    pub fn parsed<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.parsed_with(key, None, allowed, read)
    }

    /// A text that `check` accepts, or its default.
    pub fn parsed_or(
        &mut self,
        key: &'static str,
        default: &str,
        allowed: &str,
        check: impl FnOnce(&str) -> Result<String, Wrong>,
    ) -> String {
        self.parsed_with(key, Some(quoted(default)), allowed, check)
            .unwrap_or_else(|| default.to_owned())
    }

    fn parsed_with<T>(
        &mut self,
        key: &'static str,
        default: Option<String>,
        allowed: &str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let value = self.ask(key, default)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_kind(key, value, allowed);
            return None;
        };
        match read(text) {
            Ok(read) => Some(read),
            Err(wrong) => {
                self.fault_at(key, value, wrong, allowed);
                None
            }
        }
    }

    /// A text that is not empty.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.parsed(key, "a text that is not empty", full)
    }

    /// A text that is not empty, or its default; an empty default makes an empty text right.
    pub fn text_or(&mut self, key: &'static str, default: &str) -> String {
        let shown = Some(quoted(default));
        let read = if default.is_empty() { |text: &str| Ok(text.to_owned()) } else { full };
        self.parsed_with(key, shown, "a text", read).unwrap_or_else(|| default.to_owned())
    }

    /// `true` or `false`.
    pub fn flag_or(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.ask(key, Some(default.to_string())) else { return default };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_kind(key, value, "true or false");
        }
        flag.unwrap_or(default)
    }

    /// A whole number within a range.
    pub fn integer<T>(&mut self, key: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: Copy + Display + TryFrom<i128> + Into<i128>,
    {
        self.integer_with(key, None, range)
    }

    /// A whole number within a range, or its default.
    pub fn integer_or<T>(&mut self, key: &'static str, range: RangeInclusive<T>, default: T) -> T
    where
        T: Copy + Display + TryFrom<i128> + Into<i128>,
    {
        self.integer_with(key, Some(default.to_string()), range).unwrap_or(default)
    }

    fn integer_with<T>(
        &mut self,
        key: &'static str,
        default: Option<String>,
        range: RangeInclusive<T>,
    ) -> Option<T>
    where
        T: Copy + Display + TryFrom<i128> + Into<i128>,
    {
        let value = self.ask(key, default)?;
        let (low, high): (i128, i128) = ((*range.start()).into(), (*range.end()).into());
        let allowed = format!("a whole number from {low} to {high}");
        let DeValue::Integer(written) = value.get_ref() else {
            self.wrong_kind(key, value, &allowed);
            return None;
        };
        let number = i128::from_str_radix(written.as_str(), written.radix()).ok();
        match number.filter(|n| (low..=high).contains(n)).and_then(|n| T::try_from(n).ok()) {
            Some(number) => Some(number),
            None => {
                self.fault_at(key, value, Wrong::out_of_range(low, high), &allowed);
                None
            }
        }
    }

    /// A number within a range.
    pub fn float(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.ask(key, None)?;
        let allowed = format!("a number from {} to {}", range.start(), range.end());
        let Some(number) = number(value) else {
            self.wrong_kind(key, value, &allowed);
            return None;
        };
        if range.contains(&number) {
            return Some(number);
        }
        let wrong = Wrong::out_of_range(range.start(), range.end());
        self.fault_at(key, value, wrong, &allowed);
        None
    }

    /// A duration with its unit, within a range.
    pub fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.quantity(key, None, range, DURATION, parse_duration, show_duration)
    }

    /// A duration with its unit, within a range, or its default.
    pub fn duration_or(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let shown = Some(quoted(&show_duration(default)));
        self.quantity(key, shown, range, DURATION, parse_duration, show_duration).unwrap_or(default)
    }

    /// A size in bytes with its unit, within a range.
    pub fn size(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        self.quantity(key, None, range, SIZE, parse_size, show_size)
    }

    /// A size in bytes with its unit, within a range, or its default.
    pub fn size_or(&mut self, key: &'static str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let shown = Some(quoted(&show_size(default)));
        self.quantity(key, shown, range, SIZE, parse_size, show_size).unwrap_or(default)
    }

    fn quantity<T: Copy + PartialOrd>(
        &mut self,
        key: &'static str,
        default: Option<String>,
        range: RangeInclusive<T>,
        (what, unit): (&str, &str),
        read: fn(&str) -> Result<T, Wrong>,
        show: fn(T) -> String,
    ) -> Option<T> {
        let value = self.ask(key, default)?;
        let (low, high) = (show(*range.start()), show(*range.end()));
        let allowed = format!("{what}, {low} to {high}");
        let result = match value.get_ref() {
            DeValue::String(text) => read(text),
            DeValue::Integer(bare) => Err(Wrong::no_unit(bare.as_str(), unit)),
            _ => {
                self.wrong_kind(key, value, &allowed);
                return None;
            }
        };
        match result {
            Ok(amount) if range.contains(&amount) => return Some(amount),
            Ok(_) => self.fault_at(key, value, Wrong::out_of_range(low, high), &allowed),
            Err(wrong) => self.fault_at(key, value, wrong, &allowed),
        }
        None
    }

    /// One word of a list.
    pub fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.word_with(key, None, words)
    }

    /// One word of a list, or its default, which is one of them.
    pub fn word_or<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        default: T,
    ) -> T {
        let shown = words.iter().find(|(_, t)| *t == default).map(|(word, _)| quoted(word));
        self.word_with(key, shown, words).unwrap_or(default)
    }

    fn word_with<T: Copy>(
        &mut self,
        key: &'static str,
        default: Option<String>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let list: Vec<String> = words.iter().map(|(word, _)| quoted(word)).collect();
        self.parsed_with(key, default, &list.join(", "), |text| {
            words.iter().find(|(word, _)| *word == text).map(|(_, t)| *t).ok_or_else(|| {
                let near = nearest(text, words.iter().map(|(word, _)| *word));
                Wrong {
                    problem: (
                        "is not one of the words allowed",
                        format!("不在可用的词之列：{}", list.join("、")),
                    )
                        .into(),
                    hint: near.map(meant_value),
                }
            })
        })
    }

    /// A path; a relative one counts from the folder of the configuration file.
    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.names_files(key);
        let folder = self.document.folder.clone();
        self.parsed(key, "a path", |text| full(text).map(|text| folder.join(text)))
    }

    /// A path, or its default.
    pub fn path_or(&mut self, key: &'static str, default: &std::path::Path) -> PathBuf {
        self.names_files(key);
        let folder = self.document.folder.clone();
        let shown = Some(quoted(&default.display().to_string()));
        self.parsed_with(key, shown, "a path", |text| full(text).map(|text| folder.join(text)))
            .unwrap_or_else(|| default.to_owned())
    }

    /// A list of paths, or its default.
    pub fn paths_or(&mut self, key: &'static str, default: &[PathBuf]) -> Vec<PathBuf> {
        self.names_files(key);
        let shown: Vec<String> =
            default.iter().map(|path| quoted(&path.display().to_string())).collect();
        let folder = self.document.folder.clone();
        self.texts(key, format!("[{}]", shown.join(", ")), "a list of paths")
            .map_or_else(|| default.to_vec(), |list| list.iter().map(|p| folder.join(p)).collect())
    }

    /// A list of words; empty when it is left out.
    pub fn words(&mut self, key: &'static str) -> Vec<String> {
        self.texts(key, "[]".to_owned(), "a list of words").unwrap_or_default()
    }

    /// A list of texts that are not empty.
    fn texts(&mut self, key: &'static str, default: String, allowed: &str) -> Option<Vec<String>> {
        let value = self.ask(key, Some(default))?;
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_kind(key, value, allowed);
            return None;
        };
        let mut texts = Vec::with_capacity(list.len());
        for element in list {
            match element.get_ref().as_str().map(full) {
                Some(Ok(text)) => texts.push(text),
                Some(Err(wrong)) => self.fault_at(key, element, wrong, allowed),
                None => self.wrong_kind(key, element, allowed),
            }
        }
        Some(texts)
    }

    /// An IP address and port to listen on, or its default.
    pub fn socket_or(&mut self, key: &'static str, default: SocketAddr) -> SocketAddr {
        let shown = Some(quoted(&default.to_string()));
        let allowed = "an IP address and a port, e.g. \"127.0.0.1:8080\" or \"[::]:8080\"";
        self.parsed_with(key, shown, allowed, |text| {
            text.parse().map_err(|_| match check_endpoint(text, default.port()) {
                Err(wrong) => wrong,
                Ok(()) => Wrong::new((
                    "is a host name, not an address of this machine",
                    "是主机名，不是本机的地址",
                )),
            })
        })
        .unwrap_or(default)
    }

    /// `host:port`; `usual` is the port that the hint proposes.
    pub fn endpoint(&mut self, key: &'static str, usual: u16) -> Option<String> {
        let allowed = format!("host:port, e.g. \"192.168.1.50:{usual}\"");
        self.parsed(key, &allowed, |text| check_endpoint(text, usual).map(|()| text.to_owned()))
    }

    /// A host name or address without a port, or its default.
    pub fn host_or(&mut self, key: &'static str, default: &str) -> String {
        let shown = Some(quoted(default));
        self.parsed_with(key, shown, "a host name or address", |text| {
            check_host(text).map(|()| text.to_owned())
        })
        .unwrap_or_else(|| default.to_owned())
    }

    /// A table of numbers under freely chosen names, in the order of the file.
    pub fn numbers(&mut self, key: &'static str) -> Vec<(String, f64, Place)> {
        let Some(mut inner) = self.section(key) else { return Vec::new() };
        let mut found = Vec::new();
        for (name, value) in inner.table {
            let name: &str = name.get_ref();
            match number(value) {
                Some(number) => found.push((name.to_owned(), number, inner.place(name))),
                None => inner.wrong_kind(name, value, "a number"),
            }
        }
        inner.table = super::empty();
        found
    }
}

const DURATION: (&str, &str) = ("a duration with its unit (ms, s, m, h, d)", "s");
const SIZE: (&str, &str) = ("a size with its unit (B, KiB, MiB, GiB)", "MiB");

fn full(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() { Err(Wrong::empty()) } else { Ok(text.to_owned()) }
}

/// A finite number, whole or not.
fn number(value: &Spanned<DeValue<'_>>) -> Option<f64> {
    match value.get_ref() {
        // Whole numbers beyond 2^53 lose digits; none of our settings comes near.
        DeValue::Integer(n) if n.radix() == 10 => n.as_str().parse().ok(),
        DeValue::Float(x) => x.as_str().parse().ok().filter(|x: &f64| x.is_finite()),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
