//! The configuration on its way: the present one, or the head of the example, with what was
//! answered put in. Comments and everything that was not asked for stay.

use std::path::{Path, PathBuf};

use super::answers::{Answers, NONE};
use super::credentials::{Credentials, Kind};
use crate::config::edit::Editor;
use crate::settings::Fault;

/// The example that the package brings.
const EXAMPLE: &str = include_str!("../../config/linli.toml");
/// Begin of the line behind which the example's own buses and devices stand.
const EXAMPLE_ENDS: &str = "# ------";
/// The first line of a new configuration.
const FIRST_LINE: &str = "# linli.toml: written by `linli setup`. 由 `linli setup` 生成。";
/// What nobody has who has finished: the example's gateway and platform.
const UNFINISHED: [(&[&str], &str); 2] =
    [(&["gateway", "id"], "jinan-lixia-0107"), (&["uplink", "host"], "platform.example.org")];

/// The configuration on its way.
#[derive(Debug, Clone)]
pub struct Draft {
    path: PathBuf,
    editor: Editor,
    /// Buses and devices that go to the end of the file, with their comments.
    added: String,
    /// Nothing of a present configuration is kept.
    fresh: bool,
    /// What stands there is no longer the example's.
    answered: bool,
}

impl Draft {
    /// Begins with the present text of the file at `path`; with the head of the example when there is
    /// none, when it holds comments alone, or when it is the example itself.
    ///
    /// # Errors
    /// The present text is no TOML.
    pub fn begin(path: &Path, present: Option<&str>) -> Result<Self, Box<Fault>> {
        let name = path.display().to_string();
        let present = match present {
            Some(text) => Some(Editor::new(&name, text)?),
            None => None,
        };
        let finished = present.filter(|editor| !unfinished(editor));
        let fresh = finished.is_none();
        let editor = match finished {
            Some(editor) => editor,
            None => template(&name)?,
        };
        Ok(Self { path: path.to_owned(), editor, added: String::new(), fresh, answered: !fresh })
    }

    /// Whether nothing of a present configuration is kept.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The text at a path of keys, as the box has it; nothing of the example.
    pub fn get(&self, path: &[&str]) -> Option<&str> {
        self.editor.get(path).filter(|_| self.answered)
    }

    /// Whether the box has something at a path of keys.
    pub fn has(&self, path: &[&str]) -> bool {
        self.answered && self.editor.has(path)
    }

    /// Puts in what was answered, and names the credentials where they will lie.
    pub fn answer(&mut self, answers: &Answers, credentials: &Credentials) {
        for (section, given) in [
            ("mqtt", answers.field.broker.is_some()),
            ("uplink", answers.platform.address.is_some()),
        ] {
            // The example's brokers are nobody's.
            if !self.answered && !given {
                self.editor.remove(&[section]);
            }
        }
        self.answered = true;
        let gateway = &answers.gateway;
        for (key, value) in [
            ("id", &gateway.id),
            ("name", &gateway.name),
            ("kind", &gateway.kind),
            ("owner", &gateway.owner),
            ("maintainer", &gateway.maintainer),
        ] {
            if let Some(value) = value {
                self.editor.set(&["gateway", key], value.as_str());
            }
        }
        match answers.field.broker.as_deref() {
            None => {}
            Some(NONE) => drop(self.editor.remove(&["mqtt"])),
            Some(address) => self.broker("mqtt", address, 1883),
        }
        if let Some(listen) = &answers.page.listen {
            self.editor.set(&["status", "listen"], listen.as_str());
        }
        self.platform(answers, credentials);
    }

    fn platform(&mut self, answers: &Answers, credentials: &Credentials) {
        let platform = &answers.platform;
        let tls = platform.tls.unwrap_or(false) || credentials.of_tls();
        match platform.address.as_deref() {
            Some(NONE) => {
                self.editor.remove(&["uplink"]);
                return;
            }
            Some(address) => self.broker("uplink", address, if tls { 8883 } else { 1883 }),
            None => {}
        }
        if !self.editor.has(&["uplink"]) {
            return;
        }
        for (key, value) in [("client_id", &platform.client_id), ("username", &platform.username)] {
            if let Some(value) = value {
                self.editor.set(&["uplink", key], value.as_str());
            }
        }
        match platform.tls {
            Some(false) if !credentials.of_tls() => drop(self.editor.remove(&["uplink", "tls"])),
            _ if tls => self.editor.set_table(&["uplink", "tls"]),
            _ => {}
        }
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        for one in credentials.all() {
            let path = one.path(&folder).display().to_string();
            self.editor.set(one.kind.key(), path.as_str());
        }
        // Without a password of its own the name alone would be sent in vain.
        if credentials.get(Kind::Password).is_some() && platform.username.is_none() {
            let present = self.editor.has(&["uplink", "username"]);
            if !present {
                let id = self.editor.get(&["gateway", "id"]).unwrap_or_default().to_owned();
                self.editor.set(&["uplink", "username"], id.as_str());
            }
        }
    }

    /// Host and port of a broker; the port is written only where it is not the usual one.
    fn broker(&mut self, section: &str, address: &str, usual: u16) {
        let (host, port) = split(address);
        self.editor.set(&[section, "host"], host);
        match port {
            Some(port) if port != usual => self.editor.set(&[section, "port"], i64::from(port)),
            _ => drop(self.editor.remove(&[section, "port"])),
        }
    }

    /// Names a folder with profiles, unless the configuration names some or `usual` is it.
    pub fn use_profiles(&mut self, folder: &Path, usual: &Path) {
        if folder != usual && !self.editor.has(&["gateway", "profiles"]) {
            let folder = folder.display().to_string();
            self.editor.set_list(&["gateway", "profiles"], [folder.as_str()]);
        }
    }

    /// Puts entries of buses and devices to the end of the file.
    pub fn add(&mut self, entries: &str) {
        if !entries.trim().is_empty() {
            self.added.push('\n');
            self.added.push_str(entries.trim_end());
            self.added.push('\n');
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = self.editor.text();
        if !self.added.is_empty() {
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&self.added);
        }
        text
    }
}

/// Host and port of `host`, `host:port` or `[v6]:port`.
fn split(address: &str) -> (&str, Option<u16>) {
    match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok())
        }
        _ => (address.trim_start_matches('[').trim_end_matches(']'), None),
    }
}

/// A file that holds comments alone, as the package brings it, or the example.
fn unfinished(editor: &Editor) -> bool {
    editor.is_empty() || UNFINISHED.iter().all(|(path, example)| editor.get(path) == Some(example))
}

/// The sections of the example with all their comments, without its estate.
fn template(name: &str) -> Result<Editor, Box<Fault>> {
    let head = EXAMPLE.split(EXAMPLE_ENDS).next().unwrap_or_default();
    // Its first line says that it is an example.
    let rest = head.split_once('\n').map_or("", |(_, rest)| rest);
    let mut editor = Editor::new(name, &format!("{FIRST_LINE}\n{rest}"))?;
    for key in ["id", "name", "owner", "maintainer"] {
        editor.remove(&["gateway", key]);
    }
    Ok(editor)
}
