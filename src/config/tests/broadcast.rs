//! `[broadcast]`: zones, keys, drills.

use super::*;

const GATEWAY: &str = "[gateway]\nid = \"g\"\n";

fn faults(section: &str) -> String {
    let text = format!("{GATEWAY}{section}");
    match parse_with("t", &text, &shelf()) {
        Ok(settings) => panic!("{:?}", settings.broadcast),
        Err(faults) => faults.to_string(),
    }
}

#[test]
fn the_section_is_read_with_zones_and_drills() {
    let text = format!(
        "{GATEWAY}[broadcast]\narea = \"371002001005\"\nsource = \"237100200000000009\"\n\
         [[broadcast.zone]]\nname = \"north\"\nzh = \"北区\"\ncodes = [\"371002001005001\"]\n\
         [[broadcast.drill]]\nname = \"防灾减灾日\"\non = \"05-12\"\nat = \"10:00\"\n\
         zones = [\"north\"]\n"
    );
    let config = parse_with("t", &text, &shelf()).unwrap().broadcast;
    assert_eq!(config.area.as_deref(), Some("371002001005"));
    assert_eq!((config.zones[0].zh.as_str(), config.zones[0].codes.len()), ("北区", 1));
    assert_eq!((config.drills[0].template.as_str(), config.drills.len()), ("drill", 1));
}

#[test]
fn each_fault_names_the_value_and_what_is_allowed() {
    for (section, parts) in [
        ("area = \"37\"", ["broadcast.area", "6 to 18 digits"]),
        ("source = \"123\"", ["broadcast.source", "18 digits"]),
        ("require_signature = true", ["signatures are required", "broadcast.key"]),
        ("zones = []", ["no key `zones`", "zone"]),
        (
            "[[broadcast.zone]]\nname = \"a\"\ndevices = [\"b\"]",
            ["`b`, which is no device", "zone `a`"],
        ),
        ("[[broadcast.zone]]\nname = \"a\"\ndevices = [\"B C\"]", ["`B C` is no device", "zone"]),
        ("[[broadcast.zone]]\nname = \"a\"\ncodes = [\"x\"]", ["`x` is no area code", "6 to 18"]),
        ("[[broadcast.zone]]\nname = \"a\"\n[[broadcast.zone]]\nname = \"a\"", ["two of", "`a`"]),
        ("[[broadcast.key]]\nname = \"a\"", ["broadcast.key[0].file", "is missing"]),
        (
            "[[broadcast.drill]]\nname = \"a\"\non = \"02-30\"\nat = \"10:00\"",
            ["broadcast.drill[0].on", "first saturday"],
        ),
        (
            "[[broadcast.drill]]\nname = \"a\"\non = \"05-12\"\nat = \"25:00\"",
            ["broadcast.drill[0].at", "10:00"],
        ),
        (
            "[[broadcast.drill]]\nname = \"a\"\non = \"05-12\"\nat = \"10:00\"\ntemplate = \"fir\"",
            ["`fir`, which is no template", "did you mean \"fire\""],
        ),
        (
            "[[broadcast.drill]]\nname = \"a\"\non = \"05-12\"\nat = \"10:00\"\nzones = [\"b\"]",
            ["names `b`, which is no zone", "drill `a`"],
        ),
    ] {
        let told = faults(&format!("[broadcast]\n{section}\n"));
        for part in parts {
            assert!(told.contains(part), "{section}: {part} not in {told}");
        }
    }
}
