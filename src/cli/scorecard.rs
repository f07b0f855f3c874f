//! `linli scorecard`: the evaluation tables of DB3710/T 133-2021, annex A, filled in.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::stars::{Asked, ask};
use super::{BAD_CONFIGURATION, complain, say};
use crate::starlevel::scorecard::{Answers, Card, Table, Variant, fitting, score, template};
use crate::starlevel::{ASSESSMENT_VERSION, Assessment};

const EXIT_CODES: &str = "Exit codes: 0 the scorecard was made; 1 failed, e.g. a report cannot be \
written or the gateway does not answer; 2 wrong options; 64 an answers file, an assessment, a variant \
or the kind of report is wrong, the faults are on standard error.\n\
退出码：0 已生成；1 失败（如报告无法写入、网关没有应答）；2 命令行选项有误；64 答案文件、自评结果、小区类型或报告格式有误，\
全部错误见标准错误输出。";

/// What to fill in, from what.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["answers", "template"]))]
pub(super) struct Arguments {
    /// Which table: a1 an estate, a2 a property company, a3 a town and its communities, a4 a district.
    #[arg(value_name = "a1|a2|a3|a4", value_parser = table)]
    table: Table,
    /// Answers file (TOML).
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Print an answers file to fill in, with every item.
    #[arg(long, conflicts_with_all = ["assessment", "live", "out", "json"])]
    template: bool,
    /// Kind of estate for table a1, unless the answers file says it.
    #[arg(long, value_name = "new|old", value_parser = variant)]
    variant: Option<Variant>,
    /// Saved assessment of the gateway (`linli stars --json`); without one its items count as 0.
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    assessment: Option<PathBuf>,
    /// Ask the running gateway for its assessment.
    #[arg(long)]
    live: bool,
    /// Configuration file for --live; it says where the page listens.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Address of the page for --live, instead of the configuration's.
    #[arg(long, value_name = "HOST:PORT", requires = "live")]
    page: Option<SocketAddr>,
    /// Write a report: *.html is one page, printable on A4; *.json a document.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the scorecard as JSON.
    #[arg(long)]
    json: bool,
}

fn table(word: &str) -> Result<Table, String> {
    let found = Table::ALL.into_iter().find(|table| table.word() == word);
    found.ok_or_else(|| "allowed are a1, a2, a3, a4 / 可用 a1、a2、a3、a4".to_owned())
}

fn variant(word: &str) -> Result<Variant, String> {
    let found = Variant::WORDS.into_iter().find(|(known, _)| *known == word);
    found
        .map(|(_, variant)| variant)
        .ok_or_else(|| "allowed are new, old / 可用 new（新建）、old（老旧）".to_owned())
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Document,
}

fn form(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()? {
        "html" => Some(Form::Page),
        "json" => Some(Form::Document),
        _ => None,
    }
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let card = Card::built_in(arguments.table);
    let mut wrong = arguments.options(&card);
    let Some(answers) = &arguments.answers else {
        if wrong.is_empty() {
            say(template(&card, arguments.variant).trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        return Ok(refuse(&wrong));
    };
    let variant = arguments.variant.filter(|_| card.variants.is_some());
    let answers = read(answers).and_then(|text| {
        let read = Answers::read(&answers.display().to_string(), &text, &card, variant);
        read.map_err(|faults| faults.to_string())
    });
    if let (true, Err(faults)) = (arguments.live, &answers) {
        wrong.push(faults.clone());
        return Ok(refuse(&wrong));
    }
    let assessment = match arguments.assessment()? {
        Ok(assessment) => assessment,
        Err(Some(fault)) => {
            wrong.push(fault);
            None
        }
        Err(None) => return Ok(ExitCode::from(BAD_CONFIGURATION)),
    };
    let answers = match answers {
        Ok(answers) => answers,
        Err(faults) => {
            wrong.push(faults);
            return Ok(refuse(&wrong));
        }
    };
    if let Some(Err(words)) = assessment.as_ref().map(|a| fitting(a, answers.variant)) {
        wrong.push(format!("{}\n  中文：{}", words.en, words.zh));
    }
    if !wrong.is_empty() {
        return Ok(refuse(&wrong));
    }
    let scorecard = score(arguments.table, &card, &answers, assessment.as_ref());
    if let Some((path, form)) = arguments.out.as_deref().and_then(|out| Some((out, form(out)?))) {
        let text = match form {
            Form::Page => scorecard.to_html(),
            Form::Document => scorecard.to_json() + "\n",
        };
        fs::write(path, text)
            .with_context(|| format!("writing {} / 写入报告失败", path.display()))?;
    }
    say(&if arguments.json { scorecard.to_json() } else { scorecard.to_text() });
    Ok(ExitCode::SUCCESS)
}

fn refuse(wrong: &[String]) -> ExitCode {
    complain(&wrong.join("\n"));
    ExitCode::from(BAD_CONFIGURATION)
}

/// A file of the user.
fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| {
        let words = crate::model::Words::of_io(&error);
        format!("{}: cannot be read: {}\n  中文：无法读取：{}", path.display(), words.en, words.zh)
    })
}

impl Arguments {
    /// What is wrong with the options beside the files.
    fn options(&self, card: &Card) -> Vec<String> {
        let mut wrong = Vec::new();
        let name = &card.card.table;
        match (&card.variants, self.variant) {
            (None, Some(variant)) => wrong.push(format!(
                "--variant {}: table {name} has no variants, allowed is none\n  中文：表 {name} 不分小区类型，不可写 --variant",
                variant.word()
            )),
            (Some(_), None) if self.template => wrong.push(format!(
                "--variant is missing: table {name} has other items for each, allowed are new, old\n  中文：缺少 --variant：表 {name} 按小区类型分列，可用 new（新建）、old（老旧）"
            )),
            _ => {}
        }
        if let Some(out) = self.out.as_deref().filter(|out| form(out).is_none()) {
            let out = out.display();
            wrong.push(format!(
                "--out {out}: is no report, allowed are names that end .html or .json\n  中文：报告文件名须以 .html 或 .json 结尾"
            ));
        }
        wrong
    }

    /// The assessment that was named, if any; the inner error is what is wrong with the input,
    /// `None` when that was said already.
    fn assessment(&self) -> anyhow::Result<Result<Option<Assessment>, Option<String>>> {
        if self.live {
            let body = match ask(&self.config, self.page)? {
                Asked::Answer(body) => body,
                Asked::Refused => return Ok(Err(None)),
            };
            return Ok(understand("--live", &body).map(Some).map_err(Some));
        }
        let Some(path) = &self.assessment else { return Ok(Ok(None)) };
        let understood = read(path).and_then(|text| understand(&path.display().to_string(), &text));
        Ok(understood.map(Some).map_err(Some))
    }
}

fn understand(name: &str, text: &str) -> Result<Assessment, String> {
    let allowed =
        format!("allowed is version {ASSESSMENT_VERSION} as `linli stars --json` prints it");
    let zh = "须为 `linli stars --json` 输出的自评结果";
    let read: Assessment = serde_json::from_str(text).map_err(|error| {
        format!(
            "{name}:{}:{}: is no assessment: {error}; {allowed}\n  中文：不是自评结果，{zh}",
            error.line(),
            error.column()
        )
    })?;
    if read.v == ASSESSMENT_VERSION {
        return Ok(read);
    }
    Err(format!("{name}: v = {}: {allowed}\n  中文：版本 {} 不受支持，{zh}", read.v, read.v))
}
