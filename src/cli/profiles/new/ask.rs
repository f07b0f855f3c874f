//! Asks a person, one question at a time, and checks each answer at once.

use std::io::{self, BufRead, Write};

/// Where questions go and answers come from.
pub(super) struct Desk<R, W> {
    reader: R,
    writer: W,
}

/// A question in both languages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub zh: &'a str,
    pub en: &'a str,
    /// Taken when the answer is empty.
    pub default: Option<&'a str>,
}

/// An answer that may be none: this many wrong ones in a row end the questions.
const MOST_TRIES: usize = 20;

impl<R: BufRead, W: Write> Desk<R, W> {
    pub fn new(reader: R, writer: W) -> Self {
        Self { reader, writer }
    }

    /// Says something between two questions.
    pub fn tell(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.writer, "{text}")
    }

    /// Asks until `read` is content.
    pub fn ask<T>(
        &mut self,
        question: Question<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> io::Result<T> {
        for _ in 0..MOST_TRIES {
            let answer = self.line(question)?;
            let answer = if answer.is_empty() { question.default.unwrap_or("") } else { &answer };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(wrong) => self.tell(&format!("  ✗ {wrong}"))?,
            }
        }
        Err(io::Error::other(format!("{MOST_TRIES} wrong answers to `{}`", question.en)))
    }

    /// Asks for several, one a line; an empty line ends it.
    pub fn several(
        &mut self,
        question: Question<'_>,
        mut take: impl FnMut(&str) -> Result<Vec<String>, String>,
    ) -> io::Result<()> {
        loop {
            let answer = self.line(question)?;
            if answer.is_empty() {
                return Ok(());
            }
            match take(&answer) {
                Ok(notes) => notes.iter().try_for_each(|note| self.tell(&format!("  {note}")))?,
                Err(wrong) => self.tell(&format!("  ✗ {wrong}"))?,
            }
        }
    }

    fn line(&mut self, question: Question<'_>) -> io::Result<String> {
        let default = question.default.filter(|text| !text.is_empty());
        let default = default.map_or_else(String::new, |text| format!(" [{text}]"));
        write!(self.writer, "{} | {}{default}: ", question.zh, question.en)?;
        self.writer.flush()?;
        let mut answer = String::new();
        if self.reader.read_line(&mut answer)? == 0 {
            let what = format!("the answers ended at `{}` / 输入在此结束", question.en);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        Ok(answer.trim().to_owned())
    }
}

/// Any text that is not empty.
pub(super) fn some_text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("an answer is needed / 必填".to_owned()),
        text => Ok(text.to_owned()),
    }
}
