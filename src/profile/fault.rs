//! What is wrong with a profile, where, and what would be right.

use std::fmt;
use std::ops::Range;

use crate::settings::Refused;

/// One fault of a profile's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ProfileFault {
    /// The file, as it was named.
    pub file: String,
    /// Line and column, from 1, where the file says something wrong.
    pub place: Option<(usize, usize)>,
    /// What is wrong, with the value and what is allowed.
    pub message: String,
    /// The key or word that was probably meant.
    pub nearest: Option<String>,
}

impl ProfileFault {
    /// What is wrong and what was probably meant, without the place.
    pub fn problem(&self) -> String {
        match &self.nearest {
            Some(nearest) => format!("{}; did you mean `{nearest}`?", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for ProfileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        // What stands in a file may be anything; it must do nothing to a terminal.
        let harmless = |c: char| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c };
        write!(f, ": {}", self.problem().chars().map(harmless).collect::<String>())
    }
}

/// Collects the faults of one file and knows where its bytes lie.
#[derive(Debug)]
pub(super) struct Faults<'a> {
    file: &'a str,
    text: &'a str,
    list: Vec<ProfileFault>,
    /// Some point or command could not be read, so that its name is not known.
    entries_lost: bool,
}

/// More faults of one file than this help nobody.
const MAX_FAULTS: usize = 100;

impl<'a> Faults<'a> {
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, list: Vec::new(), entries_lost: false }
    }

    /// A point or command could not be read; that nothing is called like it is an echo.
    pub fn lose_entry(&mut self) {
        self.entries_lost = true;
    }

    /// Whether some point or command could not be read.
    pub fn entries_lost(&self) -> bool {
        self.entries_lost
    }

    /// A fault of the file as a whole.
    pub fn whole(&mut self, message: impl Into<String>) {
        self.push(None, message.into(), None);
    }

    /// A fault at a place of the file.
    pub fn at(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.push(Some(span), message.into(), None);
    }

    /// A word that is none of those allowed.
    pub fn word<'w>(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        given: &str,
        allowed: impl IntoIterator<Item = &'w str>,
    ) {
        let nearest = nearest(given, allowed).map(str::to_owned);
        self.push(Some(span), message.into(), nearest);
    }

    /// What the TOML reader or serde refused. An unknown key gets the nearest right one, taken
    /// from serde's own list: `` unknown field `a`, expected one of `b`, `c` ``.
    pub fn toml(&mut self, error: &Refused) {
        let mut message = error.message().replace('\n', " ");
        // The names of Rust's types say nothing to who writes the file.
        const TYPES: [(&str, &str); 4] = [
            ("expected u8", "expected a whole number from 0 to 255"),
            ("expected u16", "expected a whole number from 0 to 65535"),
            ("expected u32", "expected a whole number from 0 to 4294967295"),
            ("expected f64", "expected a number"),
        ];
        for (rust, plain) in TYPES {
            if message.ends_with(rust) {
                message = message.replace(rust, plain);
            }
        }
        if let Some(key) = message.strip_prefix("missing field ") {
            let example = missing(key.trim_matches('`'));
            message = format!("{key} is missing{example}");
        }
        let mut quoted = message.split('`').skip(1).step_by(2);
        let near = match message.starts_with("unknown ") {
            true => quoted.next().and_then(|given| {
                let known: Vec<&str> = quoted.collect();
                let meant = elsewhere(given).filter(|word| known.contains(word));
                meant.or_else(|| nearest(given, known)).map(str::to_owned)
            }),
            false => None,
        };
        self.push(error.span(), message, near);
    }

    fn push(&mut self, span: Option<Range<usize>>, message: String, nearest: Option<String>) {
        if self.list.len() < MAX_FAULTS {
            let place = span.map(|span| self.place(span.start));
            let fault = ProfileFault { file: self.file.to_owned(), place, message, nearest };
            // A run says the same for each of its points.
            if !self.list.contains(&fault) {
                self.list.push(fault);
            }
        }
    }

    /// Line and column of a byte, from 1.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        (line, column)
    }

    /// The line of a place.
    pub fn line(&self, span: &Range<usize>) -> usize {
        self.place(span.start).0
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All, in the order of the file.
    pub fn into_list(mut self) -> Vec<ProfileFault> {
        self.list.sort_by_key(|fault| fault.place);
        self.list
    }
}

/// How a key that every profile needs is written.
fn missing(key: &str) -> &'static str {
    match key {
        "category" => ", e.g. category = \"electricity_meter\"",
        "title" => ", e.g. title = { zh = \"电表\", en = \"meter\" }",
        "products" => ", e.g. products = [{ brand = \"Maker\", model = \"M1\" }]",
        "sources" => {
            ": say where the facts come from, e.g. sources = [\"https://maker.example/manual.pdf\"]"
        }
        _ => "",
    }
}

/// What others call the words of a profile.
fn elsewhere(given: &str) -> Option<&'static str> {
    Some(match given.to_ascii_lowercase().as_str() {
        "uint16" | "ushort" | "word" => "u16",
        "uint32" | "udint" | "dword" => "u32",
        "uint64" => "u64",
        "int16" | "short" => "i16",
        "int32" | "int" | "dint" | "long" => "i32",
        "int64" => "i64",
        "float" | "float32" | "real" => "f32",
        "double" | "float64" => "f64",
        "string" => "ascii",
        "big" | "big_endian" => "abcd",
        "little" | "little_endian" => "dcba",
        "word_swap" | "swapped" => "cdab",
        "enum" => "state",
        "bool" | "boolean" => "flag",
        "type" | "data_type" | "datatype" => "encoding",
        "register" | "reg" => "address",
        "scale" | "multiplier" => "factor",
        _ => return None,
    })
}

/// The word most like `given`, if one is like it at all.
pub(super) fn nearest<'w>(
    given: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    words
        .into_iter()
        .map(|word| (strsim::jaro_winkler(given, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
