//! Questions and answers at the terminal. Questions go to standard error, answers come as lines of
//! standard input; nothing but Enter takes the proposal.

use std::io::{self, BufRead as _, Write as _};

use anyhow::{Context as _, bail};

use super::super::complain;
use super::Language;
use crate::model::Words;
use crate::setup::BundleFault;
use crate::status::SetupDesk;

/// Longest answer, bytes.
const MOST: u64 = 4096;

/// Who asks.
#[derive(Debug)]
pub(super) struct Dialogue {
    language: Language,
    silent: bool,
    /// The page that shows what is told as well.
    echo: Option<SetupDesk>,
}

/// A fault for whoever reads standard error, in both languages.
pub(super) fn both(fault: BundleFault) -> anyhow::Error {
    both_words(fault.words())
}

/// The same of any words.
pub(super) fn both_words(words: &Words) -> anyhow::Error {
    anyhow::anyhow!(words.both())
}

impl Dialogue {
    /// `silent` takes every proposal.
    pub(super) fn new(language: Language, silent: bool) -> Self {
        Self { language, silent, echo: None }
    }

    /// From now on every proposal is taken.
    pub(super) fn ask_nothing(&mut self) {
        self.silent = true;
    }

    /// Tells a page as well, and asks nothing.
    pub(super) fn echo(&mut self, desk: SetupDesk) {
        self.echo = Some(desk);
        self.silent = true;
    }

    /// Whether nothing is asked.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// In the language of the person.
    pub(super) fn text(&self, words: impl Into<Words>) -> String {
        let words = words.into();
        match self.language {
            Language::Zh => words.zh,
            Language::En => words.en,
        }
    }

    /// Tells a line.
    pub(super) fn tell(&self, words: impl Into<Words>) {
        let words = words.into();
        if let Some(desk) = &self.echo {
            desk.tell(words.clone());
        }
        complain(&self.text(words));
    }

    /// Asks until the answer passes the check. The proposal is not checked: it may be what the box
    /// has. `flag` says how a script answers.
    pub(super) fn ask(
        &self,
        question: impl Into<Words>,
        proposal: Option<&str>,
        flag: &str,
        check: impl Fn(&str) -> Result<(), Words>,
    ) -> anyhow::Result<String> {
        let question = self.text(question);
        if self.silent {
            return match proposal {
                Some(proposal) => Ok(proposal.to_owned()),
                None => bail!("{question}: {flag} is missing / 缺少 {flag}"),
            };
        }
        loop {
            let proposed = proposal.map(|text| format!(" [{text}]")).unwrap_or_default();
            let answer = line(&format!("{question}{proposed}: "))?;
            let answer = match (answer.trim(), proposal) {
                ("", Some(proposal)) => return Ok(proposal.to_owned()),
                (answer, _) => answer.to_owned(),
            };
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(words) => self.tell(words),
            }
        }
    }

    /// Asks for yes or no.
    pub(super) fn confirm(
        &self,
        question: impl Into<Words>,
        proposal: bool,
    ) -> anyhow::Result<bool> {
        if self.silent {
            return Ok(proposal);
        }
        let question = self.text(question);
        let choices = if proposal { "[Y/n]" } else { "[y/N]" };
        loop {
            match line(&format!("{question} {choices} "))?.trim().to_lowercase().as_str() {
                "" => return Ok(proposal),
                "y" | "yes" | "是" => return Ok(true),
                "n" | "no" | "否" => return Ok(false),
                _ => self.tell(("y or n, please", "请输入 y 或 n")),
            }
        }
    }
}

fn line(prompt: &str) -> anyhow::Result<String> {
    let mut out = io::stderr().lock();
    write!(out, "{prompt}").and_then(|()| out.flush()).context("the terminal")?;
    drop(out);
    let mut text = String::new();
    let mut input = io::Read::take(io::stdin().lock(), MOST);
    if input.read_line(&mut text).context("reading the answer / 读取回答")? == 0 {
        bail!("no answer: give it as a flag, or --yes / 没有回答：请用参数给出，或加 --yes");
    }
    Ok(text)
}
