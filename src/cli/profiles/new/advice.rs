//! What to do next with a new profile: it is read at once, and what is missing is said.

use std::path::Path;

use super::answers::{Answers, ORDERS, Protocol};
use super::expected::Expected;
use super::write;
use crate::profile::{Library, ProfileFault, parse, run_examples};

/// The state of the file and the next step, lines for a person.
pub(super) fn tell(
    answers: &Answers,
    expected: &Expected,
    text: &str,
    path: &Path,
    library: &Library,
) -> Vec<String> {
    let file = path.display();
    let mut lines = Vec::new();
    if library.get(&answers.id).is_some() {
        lines.push(format!(
            "note: `{id}` is the name of a built-in profile; in a folder of `profiles` this file \
             replaces it / 与内置型号同名，将取而代之",
            id = answers.id
        ));
    }
    let name = path.to_string_lossy();
    let mut next = vec![format!("linli profiles check {file}")];
    match parse(&name, text) {
        Err(faults) if only_the_example(&faults) => {
            lines.push(
                "still missing: an example, raw values and what they read / 还缺样例：原始值与读数"
                    .to_owned(),
            );
            next.insert(
                0,
                format!("linli profiles try {file} {} --example >> {file}", reach(answers)),
            );
        }
        Err(faults) => {
            lines.push("still to mend / 尚需修改:".to_owned());
            lines.extend(faults.iter().map(|fault| format!("  {fault}")));
        }
        Ok(loaded) => {
            let wrong = run_examples(&loaded);
            if wrong.is_empty() {
                lines.push("good: its example reads as you said / 正确：样例读数相符".to_owned());
                next = vec![format!("linli profiles try {file} {}", reach(answers))];
            } else {
                lines.push("the example does not read as you said / 样例读数不符:".to_owned());
                lines.extend(wrong.iter().map(|fault| format!("  {fault}")));
                lines.extend(other_order(answers, expected));
            }
        }
    }
    lines.push("next / 下一步:".to_owned());
    lines.extend(next.iter().map(|step| format!("  {step}")));
    lines.extend(entry(answers));
    lines
}

/// Whether nothing but `[[examples]]` is missing.
fn only_the_example(faults: &[ProfileFault]) -> bool {
    faults.len() == 1 && faults[0].message.contains("`[[examples]]` is missing")
}

/// How a device of this protocol is reached by `linli profiles try`.
fn reach(answers: &Answers) -> String {
    match answers.protocol {
        Protocol::Modbus => format!("--tcp HOST:PORT --unit {}", answers.unit.unwrap_or(1)),
        Protocol::Mqtt => "--broker HOST:PORT --base TOPIC".to_owned(),
        Protocol::Dlt645 | Protocol::Cjt188 => "--serial /dev/ttyUSB0 --address DIGITS".to_owned(),
    }
}

/// The order of words with which the example would read as was said.
fn other_order(answers: &Answers, expected: &Expected) -> Option<String> {
    if answers.protocol != Protocol::Modbus {
        return None;
    }
    let fits = |order: &&&'static str| {
        let other = Answers { order, ..answers.clone() };
        let text = write::text(&other, expected);
        let name = format!("{}.toml", answers.id);
        parse(&name, &text).is_ok_and(|loaded| run_examples(&loaded).is_empty())
    };
    let order = ORDERS.iter().filter(|order| **order != answers.order).find(fits)?;
    Some(format!(
        "  hint: with order = \"{order}\" it does / 提示：改为 order = \"{order}\" 即相符"
    ))
}

/// The device as it goes into the configuration.
fn entry(answers: &Answers) -> Vec<String> {
    let place = match answers.protocol {
        Protocol::Modbus => format!("bus = \"line-1\"\nunit = {}", answers.unit.unwrap_or(1)),
        Protocol::Dlt645 => "bus = \"line-1\"\naddress = \"000000000001\"".to_owned(),
        Protocol::Cjt188 => "bus = \"line-1\"\naddress = \"00000000000001\"".to_owned(),
        Protocol::Mqtt => "topic = \"site/device-1\"".to_owned(),
    };
    let text = format!(
        "then copy it into a folder that `profiles` of [gateway] names, and add / \
         然后复制到 [gateway] 的 profiles 所指的文件夹，并写入配置:\n\
         [[device]]\nid = \"device-1\"\nprofile = \"{}\"\n{place}",
        answers.id
    );
    let mut lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.push("  linli check".to_owned());
    lines
}
