//! Every fault of a file is told, at once, with its place and what would be right.

use super::*;

const GOOD: &str = r#"
category = "electricity_meter"
title = { zh = "电表", en = "meter" }
products = [{ brand = "A", model = "B" }]
sources = ["datasheet"]
[modbus]
table = "holding"
encoding = "u16"
forbidden = [[100, 110]]
[[points]]
names = ["phaseVoltage.L1", "phaseVoltage.L2"]
en = "voltage {}"
address = 1
unit = "V"
[[examples]]
registers = [{ table = "holding", address = 1, words = [230] }]
readings = { "phaseVoltage.L1" = 230 }
"#;

fn faults(text: &str) -> String {
    let faults = parse("config/test-meter.toml", text).expect_err("the file is wrong");
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

#[test]
fn a_run_becomes_one_point_after_the_other() {
    let profile = parse("test-meter.toml", GOOD).unwrap().profile;
    assert_eq!(profile.id, "test-meter");
    assert_eq!(profile.points[1].en, "voltage L2");
    let Binding::Modbus { sources, .. } = profile.binding else { panic!("modbus") };
    assert_eq!((sources[0].address, sources[1].address), (1, 2));
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let text = GOOD
        .replace("electricity_meter", "electricity_metre")
        .replace("unit = \"V\"", "unit = \"Volt\"")
        .replace("words = [230]", "word = [230]");
    let faults = faults(&text);
    assert!(
        faults.contains("config/test-meter.toml:2:12: `electricity_metre` is no category"),
        "{faults}"
    );
    assert!(faults.contains("did you mean `electricity_meter`?"), "{faults}");
    assert!(faults.contains(":14:8: `Volt` is not a known UCUM unit"), "{faults}");
    assert!(faults.contains("unknown field `word`"), "{faults}");
    assert!(faults.contains("did you mean `words`?"), "{faults}");
}

#[test]
fn one_wrong_key_does_not_hide_the_others() {
    let text = GOOD
        .replace(
            "table = \"holding\"\nenc",
            "table = \"holdings\"\nbaud = \"9600\"\nunit = 300\nenc",
        )
        .replace("unit = \"V\"", "units = \"V\"\nregister = 5");
    assert_ne!(text, GOOD);
    let faults = faults(&text);
    for told in [
        "did you mean `holding`?",
        "\"9600\"",
        "from 0 to 255",
        "`units`",
        "did you mean `address`?",
    ] {
        assert!(faults.contains(told), "{told}: {faults}");
    }
}

#[test]
fn each_wrong_value_is_refused_with_what_is_allowed() {
    let cases = [
        ("address = 1\nunit", "address = 65535\nunit", "beyond the last register"),
        ("address = 1\nunit", "address = 99\nstep = 2\nunit", "forbidden addresses 100 to 110"),
        ("\"phaseVoltage.L2\"", "\"phaseVoltage.L1\"", "is given twice"),
        ("\"phaseVoltage.L2\"", "\"Phase_2\"", "no point name"),
        ("unit = \"V\"", "quantity = \"counter\"", "max_rate"),
        ("unit = \"V\"", "decimals = 10", "0 to 9"),
        ("unit = \"V\"", "unit = \"kWh\"", "it is written `kW.h`"),
        ("unit = \"V\"", "unit = \"°C\"", "it is written `Cel`"),
        ("unit = \"V\"", "encoding = \"uint16\"", "did you mean `u16`?"),
        ("unit = \"V\"", "encoding = \"bit\"", "coil"),
        ("unit = \"V\"", "range = [3, 1]", "must be lower"),
        ("unit = \"V\"", "by = [\"ct\"]", "no param `ct`"),
        ("unit = \"V\"", "bits = [10, 7]", "lowest, how many"),
        ("unit = \"V\"", "codes = { A = 1 }", "no whole number"),
        (
            "address = 1\nunit",
            "address = 4294967295\nstep = 65535\nunit",
            "beyond the last register",
        ),
        ("unit = \"V\"", "unavailable = [-1]", "no register value"),
        ("table = \"holding\"\nenc", "table = \"holding\"\ntimeout = 200\nenc", "with its unit"),
        ("table = \"holding\"\nenc", "table = \"holding\"\npause = \"2 s\"\nenc", "no duration"),
        ("table = \"holding\"\nenc", "table = \"holding\"\nframe = \"7E1\"\nenc", "8N1"),
        ("table = \"holding\"\nenc", "table = \"holding\"\nmax_registers = 126\nenc", "1 to 125"),
        ("sources = [\"datasheet\"]", "sources = []", "`sources` is empty"),
        ("products = [{ brand = \"A\", model = \"B\" }]", "products = []", "`products` is empty"),
        ("= 230 }", "= { bad = \"unknwon_code\" } }", "unknown_code"),
        ("\"phaseVoltage.L1\" = 230", "\"phaseVoltge.L1\" = 230", "did you mean `phaseVoltage.L1`"),
    ];
    for (good, bad, message) in cases {
        let text = GOOD.replacen(good, bad, 1);
        assert_ne!(text, GOOD, "{good}");
        let faults = faults(&text);
        assert!(faults.contains(message), "{bad}: {faults}");
    }
}

#[test]
fn a_file_without_points_or_examples_is_refused() {
    let text = GOOD.split("[[points]]").next().unwrap();
    let faults = faults(text);
    assert!(faults.contains("`[[points]]` is missing"), "{faults}");
    assert!(faults.contains("`[[examples]]` is missing"), "{faults}");
}
