//! What commands write, and what a file may not say of them.

use crate::model::Value;
use crate::profile::{Loaded, ProfileFault, Table, Written, encode_command, parse, run_examples};

const HEAD: &str = r#"
category = "ev_charger"
title = { zh = "桩", en = "charger" }
products = [{ brand = "Acme", model = "C1" }]
sources = ["manual"]
"#;

const MODBUS: &str = r#"
[modbus]
baud = 9600
frame = "8N1"
table = "holding"
encoding = "u16"

[[groups]]
name = "connectors"
count = 2
max = 4
zh = "{n} 号枪"
en = "connector {n}"
step = 100

[[points]]
group = "connectors"
name = "currentLimit"
unit = "A"
decimals = 1
factor = 0.1
address = 0
"#;

const LIMIT: &str = r#"
[[commands]]
group = "connectors"
name = "currentLimit"
zh = "电流上限"
en = "current limit"
kind = "number"
unit = "A"
range = [6, 32]
decimals = 1
factor = 0.1
address = 10
read_back = "currentLimit"
safe = 6
keep_alive = "60s"

[[commands]]
name = "reset"
zh = "复位"
en = "reset"
kind = "trigger"
on = 0xFF
address = 500
danger = { zh = "会中断充电", en = "interrupts charging" }

[[examples]]
registers = [{ table = "holding", address = 100, words = [160] }]
readings = { "connectors.2.currentLimit" = 16 }
writes = [
  { command = "connectors.2.currentLimit", value = 16.5, registers = [{ table = "holding", address = 110, words = [165] }] },
  { command = "reset", registers = [{ table = "holding", address = 500, words = [255] }] },
]
"#;

fn load(text: &str) -> Result<Loaded, Vec<ProfileFault>> {
    parse("c1.toml", text)
}

fn complaints(text: &str) -> String {
    let faults = load(text).expect_err("it is wrong");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_command_of_a_group_is_one_for_each_member_at_its_own_registers() {
    let loaded = load(&format!("{HEAD}{MODBUS}{LIMIT}")).unwrap();
    assert_eq!(run_examples(&loaded), []);
    let names: Vec<&str> = loaded.profile.commands.iter().map(|c| &*c.name).collect();
    assert_eq!(names, ["connectors.1.currentLimit", "connectors.2.currentLimit", "reset"]);
    assert_eq!(loaded.full.commands.len(), 5);
    let fourth = &loaded.full.commands[3];
    let written = encode_command(fourth, Some(&Value::Number(6.0)), &[]).unwrap();
    let words = vec![60];
    let expected =
        Written::Registers { table: Table::Holding, address: 310, words, multiple: false };
    assert_eq!(written, expected);
    assert_eq!((&*fourth.zh, &*fourth.en), ("4 号枪 电流上限", "connector 4 current limit"));
    assert_eq!(fourth.safe, Some(Value::Number(6.0)));
    let shown = fourth.read_back.unwrap();
    assert_eq!(&*loaded.full.points[shown.slot()].name, "connectors.4.currentLimit");
}

#[test]
fn a_value_outside_the_range_is_named_with_what_is_allowed() {
    let loaded = load(&format!("{HEAD}{MODBUS}{LIMIT}")).unwrap();
    let limit = &loaded.profile.commands[0];
    let told = |value: Value| encode_command(limit, Some(&value), &[]).unwrap_err().to_string();
    assert_eq!(
        told(Value::Number(33.0)),
        "`connectors.1.currentLimit` = 33, allowed are 6 to 32 A"
    );
    assert_eq!(
        told(Value::Number(f64::NAN)),
        "`connectors.1.currentLimit` = NaN, allowed are 6 to 32 A"
    );
    assert_eq!(
        told(Value::Text("much".into())),
        "`connectors.1.currentLimit` takes a number, not `much`"
    );
    let reset = &loaded.profile.commands[2];
    assert!(encode_command(reset, Some(&Value::Number(1.0)), &[]).is_err());
    assert!(encode_command(limit, None, &[]).is_err());
}

#[test]
fn a_command_without_an_example_is_told() {
    let text = format!("{HEAD}{MODBUS}{LIMIT}");
    let begin = text.find("writes = [").unwrap();
    let loaded = load(text.get(..begin).unwrap()).unwrap();
    let faults: Vec<String> = run_examples(&loaded).iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "`currentLimit`: no example shows what this command writes; add `writes` to `[[examples]]`",
            "`reset`: no example shows what this command writes; add `writes` to `[[examples]]`",
        ]
    );
}

#[test]
fn an_example_that_writes_something_else_does_not_hold() {
    let text = format!("{HEAD}{MODBUS}{LIMIT}").replace("words = [165]", "words = [16]");
    let faults = run_examples(&load(&text).unwrap());
    assert_eq!(faults[0].what, "it writes [00a5] to address 110, not what the example says");
}

#[test]
fn what_cannot_be_written_is_a_fault_of_the_file() {
    let with = |from: &str, to: &str| {
        let text = format!("{HEAD}{MODBUS}{LIMIT}");
        assert!(text.contains(from), "{from}");
        complaints(&text.replacen(from, to, 1))
    };
    let cases = [
        ("range = [6, 32]\n", "", "`range` is missing: nothing is written without limits"),
        ("range = [6, 32]", "range = [6, 7000]", "does not fit into 1 registers"),
        ("safe = 6", "safe = 5", "`safe`: `connectors.1.currentLimit` = 5, allowed are 6 to 32 A"),
        (
            "read_back = \"currentLimit\"",
            "read_back = \"currentLimits\"",
            "did you mean `currentLimit`?",
        ),
        (
            "unit = \"A\"\nrange",
            "unit = \"mA\"\nrange",
            "`connectors.1.currentLimit` is in `A`, the command in `mA`",
        ),
        (
            "address = 10\n",
            "address = 65500\n",
            "`address` = 65500: the point would end beyond the last register",
        ),
        ("address = 10\n", "address = 10\ntable = \"input\"\n", "nothing can be written there"),
        ("on = 0xFF", "on = \"x\"", "`x` is no whole number"),
        ("kind = \"trigger\"", "kind = \"text\"", "`max_length` is missing"),
        ("kind = \"trigger\"", "kind = \"triger\"", "did you mean `trigger`?"),
        ("address = 500\nd", "address = 500\nlabels = \"x\"\nd", "there is no `[labels.x]`"),
    ];
    for (from, to, expected) in cases {
        let told = with(from, to);
        assert!(told.contains(expected), "{to}: {told}");
    }
}

const MQTT: &str = r#"
[labels.mode]
0 = ["停止", "stop"]
1 = ["播放", "play"]

[mqtt]
topics = [{ pattern = "{base}/state" }]

[[points]]
name = "on"
quantity = "flag"
path = "/on"

[[points]]
name = "program"
quantity = "text"
path = "/program"

[[commands]]
name = "show"
zh = "显示"
en = "show"
kind = "text"
max_length = 12
topic = "{base}/set"
payload = '{"program":{value}}'
read_back = "program"

[[commands]]
name = "on"
zh = "亮屏"
en = "on"
kind = "flag"
on = "ON"
off = "OFF"
topic = "{base}/power/set"
payload = "{value}"
read_back = "on"

[[commands]]
name = "mode"
zh = "方式"
en = "mode"
kind = "choice"
labels = "mode"
codes = { stop = 0, play = 1 }
topic = "{base}/set"
payload = '{"mode":{value}}'

[[commands]]
name = "volume"
zh = "音量"
en = "volume"
kind = "number"
unit = "%"
range = [0, 100]
factor = 100
topic = "{base}/set"
payload = '{"volume":{value}}'

[[examples]]
messages = [{ topic = "{base}/state", payload = '{"on":true,"program":"a"}' }]
readings = { on = true, program = "a" }
writes = [
  { command = "show", value = '防"汛', messages = [{ topic = "{base}/set", payload = '{ "program": "防\"汛" }' }] },
  { command = "on", value = true, messages = [{ topic = "{base}/power/set", payload = "ON" }] },
  { command = "mode", value = 1, messages = [{ topic = "{base}/set", payload = '{"mode":"play"}' }] },
  { command = "volume", value = 35, messages = [{ topic = "{base}/set", payload = '{"volume":0.35}' }] },
]
"#;

#[test]
fn messages_carry_the_value_as_their_format_has_it() {
    let loaded = load(&format!("{HEAD}{MQTT}")).unwrap();
    assert_eq!(run_examples(&loaded), []);
    let show = &loaded.profile.commands[0];
    let long = Value::Text("十三个字节以上的字".into());
    let told = encode_command(show, Some(&long), &[]).unwrap_err().to_string();
    assert_eq!(told, "`show`: the text has 27 bytes, at most 12");
    let mode = &loaded.profile.commands[2];
    let told = encode_command(mode, Some(&Value::Number(2.0)), &[]).unwrap_err().to_string();
    assert_eq!(told, "`mode` = 2 is none of 0, 1");
}

#[test]
fn a_payload_must_be_what_it_looks_like() {
    let with = |from: &str, to: &str| complaints(&format!("{HEAD}{MQTT}").replacen(from, to, 1));
    assert!(
        with("'{\"volume\":{value}}'", "'{\"volume\":{value}'").contains("is no JSON document")
    );
    assert!(with("'{\"volume\":{value}}'", "'{\"volume\":1}'").contains("`{value}` must stand"));
    assert!(
        with("\"{base}/power/set\"\npayload", "\"power/set\"\npayload")
            .contains("`{base}` must be one level")
    );
    assert!(with("off = \"OFF\"\n", "").contains("`on` and `off` go together"));
    assert!(
        with("max_length = 12", "max_length = 12\naddress = 1").contains("belong to Modbus models")
    );
}
