//! `linli decode`: what the bytes of a wire mean.

mod hexadecimal;

use std::io::Read as _;
use std::process::ExitCode;

use serde_json::Value;

use super::{BAD_CONFIGURATION, complain, say};
use crate::protocol::explain::{self, ExplainFault, Explained, Protocol, Role, document};
use crate::protocol::modbus::Numbers;
use hexadecimal::MOST_BYTES;

/// Bytes of a part that one line shows.
const SHOWN: usize = 12;

/// What to decode.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Protocol, when it is not to be guessed: dlt645-2007, dlt645-1997, cjt188, modbus-rtu,
    /// modbus-tcp, mbus (协议;不指定时自动识别).
    #[arg(short, long, value_name = "NAME")]
    protocol: Option<Protocol>,
    /// Read Modbus registers as this type too: i16, u32, i32, u64, i64, float32_be, float64_be; with
    /// `_word_swapped` behind when the low word comes first (按类型解释寄存器).
    #[arg(long = "as", value_name = "TYPE")]
    numbers: Option<Numbers>,
    /// Print one JSON object (输出 JSON).
    #[arg(long)]
    json: bool,
    /// Bytes in hexadecimal, with or without spaces, also as a dump; several arguments are joined, a
    /// request and its reply in this order; `-` reads standard input (十六进制字节,先请求后应答;- 为标准输入).
    #[arg(value_name = "HEX", required = true, num_args = 1..)]
    bytes: Vec<String>,
}

const EXAMPLES: &str = "Examples:
  linli decode FE FE 68 10 AA AA AA AA AA AA AA 01 03 90 1F AA 7B 16
  linli decode --json 010300000002C40B 01030400010002 2A32
  linli decode --protocol mbus - < capture.txt
  xxd capture.bin | linli decode -

Explains every byte, request and reply, and says precisely what is wrong: the check sum that the \
bytes give, how many bytes are missing, a reply that does not answer the request.

JSON: `protocol`; for meters `request`, `response`, and beside them `meter`, `valve` or \
`read_address`; for Modbus `unit_id`, `fc`, `address`, `quantity`, `registers`, `bits`, `values`, \
`exception` and others; for M-Bus `c`, `a`, `ci`, `id`, `records` and others; `exchanges` when \
there are several; with a `fault` also `valid`: false.

Exit codes: 0 all frames are good (报文正确); 1 a frame is bad, the fault is said in both languages \
(报文有误); 64 the input is no hexadecimal (输入不是十六进制).";

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let bytes = match input(&arguments.bytes)? {
        Ok(bytes) => bytes,
        Err(why) => {
            complain(&format!("linli: {why}"));
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    let (protocol, mut frames, fault) = match explain::explain(arguments.protocol, &bytes) {
        Ok(frames) => (frames.first().map(|frame| frame.protocol), frames, None),
        Err(ExplainFault { protocol, fault, frames }) => (protocol, frames, Some(fault)),
    };
    if let Some(numbers) = arguments.numbers {
        for frame in &mut frames {
            read_numbers(numbers, frame);
        }
    }
    if arguments.json {
        let document = document(protocol, &frames, fault.as_ref());
        say(&serde_json::to_string_pretty(&document)?);
    } else {
        if let Some(protocol) = protocol {
            let how = match arguments.protocol {
                Some(_) => "",
                None => " (guessed / 自动识别)",
            };
            say(&format!("{protocol}{how}"));
        }
        for frame in &frames {
            show(frame, &bytes, arguments.numbers);
        }
    }
    match fault {
        None => Ok(ExitCode::SUCCESS),
        Some(fault) => {
            complain(&format!("linli: {fault}\n       {}", fault.zh()));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Adds the registers of a frame, read as `numbers`: one number, or a list.
fn read_numbers(numbers: Numbers, frame: &mut Explained) {
    let registers = frame.fields.get("registers").or(frame.fields.get("values"));
    let Some(Value::Array(registers)) = registers else {
        return;
    };
    let words: Vec<u16> = registers
        .iter()
        .filter_map(|word| word.as_u64().and_then(|word| u16::try_from(word).ok()))
        .collect();
    let mut read = numbers.read(&words);
    let value = match read.len() {
        1 => read.remove(0),
        _ => Value::Array(read),
    };
    frame.fields.insert(numbers.name(), value);
}

/// Text that a device sent must not steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// One frame, a line for each part: place, bytes, meaning in Chinese and English.
fn show(frame: &Explained, bytes: &[u8], numbers: Option<Numbers>) {
    let who = match frame.role {
        Role::Request => "请求 request",
        Role::Reply => "应答 reply",
    };
    let length = frame.range.len();
    let plural = if length == 1 { "" } else { "s" };
    say(&format!("\n{who}: {length} 字节 byte{plural}"));
    for part in &frame.parts {
        let part_bytes = &bytes[part.range.clone()];
        for (place, line) in part_bytes.chunks(SHOWN).enumerate() {
            let offset = part.range.start + place * SHOWN;
            let digits: Vec<String> = line.iter().map(|byte| format!("{byte:02X}")).collect();
            let digits = digits.join(" ");
            let meaning = match place {
                0 => harmless(&format!("{} | {}", part.zh, part.en)),
                _ => String::new(),
            };
            say(format!("{offset:>4}  {digits:<width$}  {meaning}", width = SHOWN * 3 - 1)
                .trim_end());
        }
    }
    if let Some(name) = numbers.map(Numbers::name)
        && let Some(value) = frame.fields.get(&name)
    {
        say(&format!("      {name}: {value}"));
    }
}

/// The bytes of all arguments. The inner error is the user's.
fn input(arguments: &[String]) -> anyhow::Result<Result<Vec<u8>, String>> {
    let mut text = String::new();
    for argument in arguments {
        if argument == "-" {
            // Each byte takes two digits, a dump adds its offsets and characters.
            let most = u64::try_from(MOST_BYTES * 6).expect("small");
            let mut raw = Vec::new();
            std::io::stdin().lock().take(most).read_to_end(&mut raw)?;
            text.push_str(&String::from_utf8_lossy(&raw));
        } else {
            text.push_str(argument);
        }
        text.push(' ');
    }
    Ok(hexadecimal::bytes(&text))
}
