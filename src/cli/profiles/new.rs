//! `linli profiles new`: writes one profile that a technician then completes.
//!
//! Flags or questions become [`Answers`](answers::Answers), answers become text (`write.rs`, pure),
//! and the text is read at once by the same loader that the gateway uses.

mod address;
mod advice;
mod answers;
mod ask;
mod expected;
mod gather;
mod grammar;
mod questions;
mod write;
mod write_points;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::super::{complain, say};
use crate::model::Category;
use crate::profile::Library;
use answers::{
    Counting, ENCODINGS, ORDERS, Protocol, Reading, TABLES, baud, category, frame, identifier,
    meter_type, one_of, unit_id,
};

const GRAMMAR: &str = "\
Points, one --point each (测点，每个一个 --point):
  Modbus     name=[table@]address[:encoding][:unit][:factor]
             phaseVoltage=0x0000:f32:V         activePower=40013:i32:W:0.1
             relayOpen=coil@3                  overload=0x0010:bit4
  MQTT       name=[topic#]/json/pointer[:unit][:factor], or a topic whose payload is the value
             temperature=/temperature:Cel      power={base}/power:W
             level={base}/sensor#/level:%
  DL/T 645   name=identifier[:unit]            phaseVoltage=0x02010100
             relayOpen=0x04000503:bit4
  CJ/T 188   name=place[:unit]                 waterConsumption=volume
  Further words in any order: counter state flag text, abcd cdab badc dcba, bit4, bits0-3, ascii8.
  Units are UCUM codes: V A W kW.h Cel % m3 (`linli profiles new` names all when one is wrong).
  Addresses: 16, 0x10, 10H. 30001 and 40001 are taken for Modicon numbers (input and holding
  registers from 1) unless --first-address says 0 or 1. 地址可写十进制、0x10、10H；30001、40001 按
  Modicon 编号换算，除非以 --first-address 指明从 0 或 1 开始。

Examples (样例):
  --raw 'input:0x0000=4366 199A' --reads phaseVoltage=230.1
  --raw '{base}/state={\"temperature\":21.5}' --reads temperature=21.5
  --raw '68 45 92 66 23 00 10 68 91 06 33 34 34 35 66 55 62 16' --reads phaseVoltage=223.3";

/// What is known of the model; on a terminal the rest is asked.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = GRAMMAR)]
pub(super) struct Arguments {
    /// Identifier and name of the file; made of brand and model when left out (标识).
    #[arg(long, value_parser = identifier)]
    id: Option<String>,
    /// Category, e.g. electricity_meter (类别).
    #[arg(long, value_parser = category)]
    category: Option<Category>,
    /// modbus, dlt645, cjt188 or mqtt (协议).
    #[arg(long, value_parser = Protocol::parse)]
    protocol: Option<Protocol>,
    /// Brand as on the type plate (品牌).
    #[arg(long)]
    brand: Option<String>,
    /// Model as on the type plate (型号).
    #[arg(long)]
    model: Option<String>,
    /// Title in Chinese (中文名称).
    #[arg(long, value_name = "TITLE")]
    zh: Option<String>,
    /// Title in English (英文名称).
    #[arg(long, value_name = "TITLE")]
    en: Option<String>,
    /// Datasheet: title and edition, or its address; more than once if wanted (数据手册).
    #[arg(long, value_name = "TEXT")]
    source: Vec<String>,
    /// Baud rate as it leaves the factory; 9600, meters 2400 (波特率).
    #[arg(long, value_parser = baud)]
    baud: Option<u32>,
    /// Parity and stop bits: 8N1, meters 8E1 (校验与停止位).
    #[arg(long, value_parser = frame)]
    frame: Option<String>,
    /// Modbus: factory-set unit id (站号).
    #[arg(long, value_parser = unit_id)]
    unit: Option<u8>,
    /// Modbus: how the datasheet counts registers: auto, 0, 1 or modicon (寄存器编号).
    #[arg(long, value_name = "COUNT", value_parser = Counting::parse)]
    first_address: Option<Counting>,
    /// Modbus: table of most points: input, holding, coil, discrete_input; holding (寄存器类型).
    #[arg(long, value_parser = |text: &str| one_of(text, &TABLES))]
    table: Option<&'static str>,
    /// Modbus: encoding of most points: u16, i16, u32, i32, f32, …; u16 (编码).
    #[arg(long, value_parser = |text: &str| one_of(text, &ENCODINGS))]
    encoding: Option<&'static str>,
    /// Modbus: order of words: abcd (high word first), cdab, badc, dcba; abcd (字序).
    #[arg(long, value_parser = |text: &str| one_of(text, &ORDERS))]
    order: Option<&'static str>,
    /// DL/T 645: 2007 or 1997; 2007 (标准版本).
    #[arg(long, value_parser = |text: &str| one_of(text, &["2007", "1997"]))]
    edition: Option<&'static str>,
    /// CJ/T 188: type of meter, 10H cold water, 11H hot water, 20H heat, 30H gas; 10H (表类型).
    #[arg(long, value_name = "HEX", value_parser = meter_type)]
    meter_type: Option<u8>,
    /// MQTT: topic of points that name none; {base}/state (主题).
    #[arg(long, value_name = "PATTERN")]
    topic: Option<String>,
    /// A point, see below; more than once (测点).
    #[arg(long, value_name = "NAME=PLACE[:…]")]
    point: Vec<String>,
    /// What the device held, for an example; more than once (样例原始值).
    #[arg(long, value_name = "PLACE=RAW")]
    raw: Vec<String>,
    /// What must be read from it; more than once (样例读数).
    #[arg(long, value_name = "NAME=VALUE", value_parser = grammar::reads)]
    reads: Vec<(String, Reading)>,
    /// Where to write; `-` is standard output; ./ID.toml when left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Ask nothing, even on a terminal (不提问).
    #[arg(long)]
    no_input: bool,
}

pub(super) fn execute(arguments: &Arguments, library: &Library) -> anyhow::Result<ExitCode> {
    let mut arguments = arguments.clone();
    let output = arguments.output.take();
    let named = output.as_deref().filter(|path| *path != Path::new("-") && !path.is_dir());
    let stem = named.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
    match (&arguments.id, stem) {
        (Some(id), Some(stem)) if *id != stem => bail!(
            "--id {id} and the file `{stem}.toml` differ: the file's name is the identifier / \
             文件名就是型号标识，两者须一致"
        ),
        (None, Some(stem)) => arguments.id = Some(identifier(&stem).map_err(anyhow::Error::msg)?),
        _ => {}
    }
    let asked = !arguments.no_input && io::stdin().is_terminal() && io::stderr().is_terminal();
    let gathered = if asked {
        let mut desk = ask::Desk::new(io::stdin().lock(), io::stderr());
        questions::from_desk(&arguments, library, &mut desk)?
    } else {
        match gather::from_flags(&arguments, library) {
            Ok(gathered) => gathered,
            Err(wrong) => {
                wrong.iter().for_each(|line| complain(line));
                return Ok(ExitCode::FAILURE);
            }
        }
    };
    let (answers, expected, notes) = gathered;
    let text = write::text(&answers, &expected);
    notes.iter().for_each(|note| complain(note));
    if output.as_deref() == Some(Path::new("-")) {
        say(text.trim_end());
        advice::tell(
            &answers,
            &expected,
            &text,
            Path::new(&format!("{}.toml", answers.id)),
            library,
        )
        .iter()
        .for_each(|line| complain(line));
        return Ok(ExitCode::SUCCESS);
    }
    let file = format!("{}.toml", answers.id);
    let path = match output {
        Some(folder) if folder.is_dir() => folder.join(file),
        Some(path) => path,
        None => PathBuf::from(file),
    };
    save(&path, &text, arguments.force)?;
    say(&format!("wrote / 已写入 {}", path.display()));
    advice::tell(&answers, &expected, &text, &path, library).iter().for_each(|line| say(line));
    Ok(ExitCode::SUCCESS)
}

/// Never writes over a file unless told to.
fn save(path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let mut file = options.open(path).with_context(|| match path.exists() && !force {
        true => format!(
            "{} is there already; --force writes over it / 文件已存在，--force 可覆盖",
            path.display()
        ),
        false => format!("cannot write {} / 无法写入", path.display()),
    })?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
#[path = "new/new_tests.rs"]
mod tests;
