//! What support gets of a box: texts in one archive, bounded, without secrets, and listed before it
//! leaves the box.
//!
//! Every text goes through the [`Scrubber`]; there is no other way in.

mod scrub;

use std::io::{self, Write};

pub use scrub::Scrubber;

/// Most bytes of one text; of longer ones the end is kept.
pub const MOST_TEXT: usize = 2 << 20;
/// Most bytes of all texts together.
pub const MOST_TOTAL: usize = 16 << 20;

/// Strength of the compression: texts shrink well at any.
const STRENGTH: i32 = 6;

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    what: &'static str,
    text: String,
}

/// The texts, as they will leave the box.
#[derive(Debug)]
pub struct Bundle {
    scrubber: Scrubber,
    entries: Vec<Entry>,
    /// What could not be had, and why.
    missing: Vec<(String, String)>,
    total: usize,
    most_text: usize,
    most_total: usize,
}

impl Bundle {
    /// An empty one; the scrubber knows the secrets of the box.
    pub fn new(scrubber: Scrubber) -> Self {
        Self::bounded(scrubber, MOST_TEXT, MOST_TOTAL)
    }

    fn bounded(scrubber: Scrubber, most_text: usize, most_total: usize) -> Self {
        let (entries, missing) = (Vec::new(), Vec::new());
        Self { scrubber, entries, missing, total: 0, most_text, most_total }
    }

    /// Adds a text; `what` says for people what it is.
    pub fn add(&mut self, name: &str, what: &'static str, text: &str) {
        let text = self.scrubber.text(text);
        self.put(name, what, text);
    }

    /// Adds a configuration, in which keys tell what is secret.
    pub fn add_toml(&mut self, name: &str, what: &'static str, text: &str) {
        let text = self.scrubber.toml(text);
        self.put(name, what, text);
    }

    /// Adds what was got, or notes why not.
    pub fn add_result(&mut self, name: &str, what: &'static str, got: Result<String, String>) {
        match got {
            Ok(text) => self.add(name, what, &text),
            Err(why) => self.miss(name, &why),
        }
    }

    /// Notes what could not be had.
    pub fn miss(&mut self, name: &str, why: &str) {
        let why = self.scrubber.text(why);
        self.missing.push((name.to_owned(), why));
    }

    fn put(&mut self, name: &str, what: &'static str, mut text: String) {
        let most = self.most_text.min(self.most_total.saturating_sub(self.total));
        if most == 0 {
            self.missing.push((name.to_owned(), "the bundle is full".to_owned()));
            return;
        }
        self.total += text.len().min(most);
        if text.len() > most {
            let mut from = text.len() - most;
            while !text.is_char_boundary(from) {
                from += 1;
            }
            let end = text.split_off(from);
            text = format!("[the first {from} bytes were left out]\n{end}");
        }
        self.entries.push(Entry { name: name.to_owned(), what, text });
    }

    /// How many secrets were taken out.
    pub fn removed(&self) -> usize {
        self.scrubber.removed()
    }

    /// What is in it, one line for each text, then what is missing.
    pub fn listing(&self) -> String {
        let mut list = String::new();
        for entry in &self.entries {
            list += &format!("{:>9}  {:28} {}\n", entry.text.len(), entry.name, entry.what);
        }
        for (name, why) in &self.missing {
            list += &format!("{:>9}  {name:28} {why}\n", "-");
        }
        list
    }

    /// Writes the archive, tar compressed by zstd; the listing is its first file. `at` is the time
    /// of the files, seconds since 1970.
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&self, out: impl Write, at: u64) -> io::Result<()> {
        let mut archive = tar::Builder::new(zstd::Encoder::new(out, STRENGTH)?);
        let listing = ("CONTENTS".to_owned(), self.listing());
        let texts = self.entries.iter().map(|entry| (entry.name.clone(), entry.text.clone()));
        for (name, text) in std::iter::once(listing).chain(texts) {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(at);
            let path = format!("linli-support/{name}");
            archive.append_data(&mut header, path, text.as_bytes())?;
        }
        archive.into_inner()?.finish()?.flush()
    }
}

#[cfg(test)]
mod tests;
