//! Takes secrets out of texts: those that are known, and whatever looks like one.
//!
//! Too much may go; what stays was looked at by every rule.

/// What stands for a secret.
const REMOVED: &str = "[removed]";

/// Shorter known secrets are removed only where they stand alone.
const SHORT: usize = 6;

/// Parts of names that say that the value is secret.
const STEMS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "psk",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "private",
    "authorization",
];
/// Whole names that say so.
const NAMES: [&str; 8] = ["pass", "pwd", "pin", "key", "hash", "auth", "bearer", "cookie"];

/// Lines that belong to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    No,
    /// Up to the next key or table.
    Rest,
    /// Up to the line with these quotes.
    Until(&'static str),
}

/// Takes secrets out of texts.
#[derive(Debug, Default)]
pub struct Scrubber {
    known: Vec<String>,
    removed: usize,
}

impl Scrubber {
    /// From now on this text is removed wherever it stands.
    pub fn hide(&mut self, secret: &str) {
        let secret = secret.trim();
        if !secret.is_empty() && !self.known.iter().any(|known| known == secret) {
            self.known.push(secret.to_owned());
            // A secret may be the beginning of another.
            self.known.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// How many were removed.
    pub fn removed(&self) -> usize {
        self.removed
    }

    /// A text of any kind: a log, an answer, a list.
    pub fn text(&mut self, text: &str) -> String {
        let mut text = self.keys_of_files(text);
        for secret in self.known.clone() {
            text = self.literal(&text, &secret);
        }
        let mut clean = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let line = self.logins(line);
            let line = self.shapes(&line);
            clean += &self.named_values(&line);
        }
        clean
    }

    /// A configuration. Comments go too: old passwords live there.
    pub fn toml(&mut self, text: &str) -> String {
        match text.parse::<toml::Table>() {
            Ok(mut table) => {
                for (key, value) in &mut table {
                    self.value(key, value);
                }
                let plain = toml::to_string(&table).unwrap_or_else(|error| error.to_string());
                self.text(&plain)
            }
            Err(error) => {
                let lines = self.broken_toml(text);
                let why = error.message();
                let head = format!("# no TOML: {why}\n");
                self.text(&(head + &lines))
            }
        }
    }

    fn value(&mut self, key: &str, value: &mut toml::Value) {
        match value {
            toml::Value::Table(table) if !is_secret(key) => {
                for (key, value) in table {
                    self.value(key, value);
                }
            }
            toml::Value::Array(list) if !is_secret(key) => {
                list.iter_mut().for_each(|value| self.value(key, value));
            }
            toml::Value::String(text) if names_a_file(key, text) => {}
            _ if is_secret(key) => {
                self.removed += 1;
                *value = toml::Value::String(REMOVED.to_owned());
            }
            _ => {}
        }
    }

    /// Line by line: a text that is no TOML says nothing of where values end, so of a secret key
    /// everything goes up to the next key or table, or to the closing quotes.
    fn broken_toml(&mut self, text: &str) -> String {
        let mut lines = String::new();
        let mut hidden = Hidden::No;
        for line in text.lines() {
            if let Hidden::Until(quotes) = hidden {
                if line.contains(quotes) {
                    hidden = Hidden::No;
                }
                continue;
            }
            let code = line.split('#').next().unwrap_or_default();
            let pair = code.split_once('=').map(|(key, value)| (bare(key), value.trim()));
            match pair {
                Some((key, value)) if is_secret(&key) && !names_a_file(&key, &bare(value)) => {
                    self.removed += 1;
                    let opens = ["\"\"\"", "'''"].into_iter().find(|q| value.starts_with(q));
                    hidden = match opens.filter(|quotes| value.matches(quotes).count() == 1) {
                        Some(quotes) => Hidden::Until(quotes),
                        None => Hidden::Rest,
                    };
                    lines += &format!("{key} = {REMOVED}\n");
                    continue;
                }
                Some(_) => hidden = Hidden::No,
                None if code.trim_start().starts_with('[') => hidden = Hidden::No,
                None => {}
            }
            if hidden == Hidden::No {
                lines += &format!("{}\n", code.trim_end());
            }
        }
        lines
    }

    fn literal(&mut self, text: &str, secret: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(secret) {
            let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let alone = !inside(before.chars().next_back()) && !inside(after.chars().next());
            clean += before;
            if alone || secret.chars().count() >= SHORT {
                self.removed += 1;
                clean += REMOVED;
            } else {
                clean += secret;
            }
            rest = after;
        }
        clean + rest
    }

    /// Private keys as they stand in files.
    fn keys_of_files(&mut self, text: &str) -> String {
        const BEGIN: &str = "-----BEGIN ";
        const END: &str = "-----END ";
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(BEGIN) {
            clean += before;
            let title = after.split_once("-----").map_or(after, |(title, _)| title);
            if !title.contains("PRIVATE KEY") {
                clean += BEGIN;
                rest = after;
                continue;
            }
            self.removed += 1;
            clean += REMOVED;
            // One without an end goes up to the end of all.
            rest = after.split_once(END).map_or("", |(_, behind)| {
                behind.split_once("-----").map_or("", |(_, behind)| behind)
            });
        }
        clean + rest
    }

    /// `scheme://user:password@host`.
    fn logins(&mut self, line: &str) -> String {
        let mut clean = String::with_capacity(line.len());
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("://") {
            clean += before;
            clean += "://";
            let ends =
                |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>' | '?');
            let authority = after.split(ends).next().unwrap_or_default();
            // A password may hold a slash that should not be there; then the rest of the word counts.
            let word = after
                .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'))
                .next()
                .unwrap_or_default();
            let whole = if authority.contains(':') { word } else { authority };
            rest = match whole.rsplit_once('@') {
                Some((login, _)) => {
                    self.removed += 1;
                    clean += REMOVED;
                    after.strip_prefix(login).unwrap_or_default()
                }
                None => after,
            };
        }
        clean + rest
    }

    /// Password hashes and API tokens, by their shape.
    fn shapes(&mut self, line: &str) -> String {
        let mut clean = String::with_capacity(line.len());
        let within = |c: char| c.is_ascii_alphanumeric() || "$+/=,._-".contains(c);
        let mut rest = line;
        while !rest.is_empty() {
            let length = rest.find(|c| !within(c)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(length);
            if is_hash(word) || is_token(word) {
                self.removed += 1;
                clean += REMOVED;
            } else {
                clean += word;
            }
            let next = behind.chars().next().map_or(0, char::len_utf8);
            let (gap, behind) = behind.split_at(next);
            clean += gap;
            rest = behind;
        }
        clean
    }

    /// `password=…`, `"token": "…"`, `Authorization: Bearer …`.
    fn named_values(&mut self, line: &str) -> String {
        let mut clean = String::with_capacity(line.len());
        let mut rest = line;
        loop {
            let Some(at) = rest.find(['=', ':']) else { return clean + rest };
            let (before, sign) = rest.split_at(at);
            let (sign, behind) = sign.split_at(1);
            clean += before;
            clean += sign;
            let name = name_before(before);
            let gap = behind.len() - behind.trim_start_matches([' ', '\t']).len();
            let (gap, value) = behind.split_at(gap);
            clean += gap;
            let length = value_length(&name, value);
            let (shown, behind) = value.split_at(length);
            if length == 0 || !is_secret(&name) || names_a_file(&name, &bare(shown)) {
                rest = value;
                continue;
            }
            if bare(shown) != REMOVED {
                self.removed += 1;
            }
            clean += REMOVED;
            rest = behind;
        }
    }
}

/// The name that ends a text, without the quotes around it, in small letters.
fn name_before(text: &str) -> String {
    let text = text.trim_end_matches([' ', '\t', '"', '\'']);
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let from = text.rfind(|c| !part(c)).map_or(0, |at| {
        at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
    });
    text.get(from..).unwrap_or_default().to_lowercase()
}

/// How many bytes of a text are the value of a name.
fn value_length(name: &str, value: &str) -> usize {
    let line = value.find(['\r', '\n']).unwrap_or(value.len());
    // Headers: their value has words.
    if name.contains("authorization") || name == "cookie" {
        return line;
    }
    let mut chars = value.char_indices();
    match chars.next() {
        Some((_, quote @ ('"' | '\''))) => {
            let mut escaped = false;
            for (at, c) in chars {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    c if c == quote => return at + 1,
                    _ => {}
                }
            }
            line
        }
        _ => value
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | ')' | '}' | ']'))
            .unwrap_or(line),
    }
}

/// A key or a value without its quotes.
fn bare(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let of_file = key.strip_suffix("_file").or_else(|| key.strip_suffix("_path"));
    STEMS.iter().any(|stem| key.contains(stem)) || NAMES.contains(&of_file.unwrap_or(&key))
}

/// `password_file = "/etc/linli/password"` names where a secret is, and is none, as long as it is
/// a path and not the secret itself.
fn names_a_file(key: &str, value: &str) -> bool {
    let key = key.to_lowercase();
    let path = value.starts_with('/') || value.starts_with("credential:");
    path && (key.ends_with("_file") || key.ends_with("_path"))
        && !value.contains(char::is_whitespace)
}

/// In the PHC text form, or as crypt(3) writes it.
fn is_hash(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| c != '$');
    word.len() > 20 && word.matches('$').count() >= 3
}

/// What `linli users token` made: see `access::new_token`.
fn is_token(word: &str) -> bool {
    let mut parts = word.split("linli_").skip(1);
    parts.any(|rest| {
        let shape = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let run: String = rest.chars().take_while(shape).collect();
        run.len() >= 40 && run.chars().any(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    })
}
