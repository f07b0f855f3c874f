//! Every fault and every note speaks Chinese too.

use super::*;

/// Wrong in many ways: kinds, ranges, units, words, keys, references, conflicts, secrets.
const BROKEN: &str = r#"
wrong = 1
[gateway]
id = "G!"
kind = "old"
[log]
level = "verbose"
[status]
listen = "box:8080"
[mqtt]
host = "tcp://x"
password = "p"
password_file = ""
client_id = "{x}"
[mqtt.tls]
cert_file = "credential:../x"
[uplink]
host = "a b"
port = 0
prefix = "/x"
keep_alive = 30
[[bus]]
id = "a"
serial = "/dev/a"
tcp = "b"
baud = 9601
[[bus]]
id = "b"
[[bus]]
id = "b"
tcp = "[x]:70000"
baud = 9600
[[bus]]
id = "c"
serial = "/dev/c"
timeout = "5min"
gap = "s"
[[device]]
id = "m"
profile = "abb-b32"
bus = "z"
[[device]]
id = "m"
profile = "abb-b23"
bus = "c"
unit = 300
topic = "x"
params = { ct = 2, ct_ratio = 0 }
report.nothing.dead_band = -1
[[device]]
id = "w"
profile = "waste-bin"
topic = "/x/"
unit = 1.5
"#;

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn assert_bilingual<'f>(faults: impl IntoIterator<Item = &'f Fault>) {
    for fault in faults {
        assert!(is_chinese(&fault.problem_zh) && !is_chinese(&fault.problem), "{fault:?}");
        assert_eq!(fault.hint.is_some(), fault.hint_zh.is_some(), "{fault:?}");
        assert!(fault.hint_zh.as_deref().is_none_or(is_chinese), "{fault:?}");
        let shown = fault.to_string();
        assert!(shown.lines().next().unwrap().ends_with(&fault.problem), "{shown}");
        assert!(shown.lines().last().unwrap().starts_with("  中文："), "{shown}");
    }
}

#[test]
fn every_fault_of_a_broken_file_is_told_in_both_languages() {
    let faults = parse_with("t.toml", BROKEN, &shelf()).unwrap_err();
    assert!(faults.all().len() > 25, "{faults}");
    assert_bilingual(faults.all());
    assert_bilingual(parse_with("t", "a = = 1", &shelf()).unwrap_err().all());
    assert_bilingual(load(Path::new("/nowhere/linli.toml")).unwrap_err().all());
}

#[test]
fn a_file_that_the_machine_refuses_and_every_note_are_told_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("linli.toml");
    let text = "gateway.id = 'g'\nbuffer.path = 'linli.toml/buffer'\n\
        uplink = { host = 'x', username = 'u', password_file = 'gone' }\n";
    std::fs::write(&main, text).unwrap();
    let faults = load(&main).unwrap_err();
    assert_eq!(faults.all().len(), 2, "{faults}");
    assert_bilingual(faults.all());
    let text = "gateway.id = 'g'\nuplink = { host = 'x', username = 'u' }\n\
        bus = [{ id = 'a', serial = '/dev/a' }, { id = 'idle', tcp = 'x:502' }]\n\
        device = [{ id = 'd', profile = 'xy-md02', bus = 'a', unit = 254 }]";
    let settings = parse_with("t", text, &shelf()).unwrap();
    assert_eq!(settings.notes.len(), 3);
    assert_bilingual(&settings.notes);
}

#[test]
fn values_and_ranges_stand_in_both_languages() {
    let faults = parse_with("t", "gateway.id = 'g'\nmqtt.keep_alive = '2h'", &shelf()).unwrap_err();
    let [fault] = faults.all() else { panic!("{faults}") };
    assert_eq!(fault.problem_zh, "超出范围：应在 5s 至 1h 之间");
    assert!(fault.allowed.as_ref().unwrap().ends_with("5s to 1h"));
}
