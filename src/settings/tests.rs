//! Tests of the reader: places, hints, and that nothing wrong escapes.

use std::path::Path;
use std::time::Duration;

use super::*;

/// Reads `text` with one of each getter and gives back `line:column problem / hint`.
fn faults(text: &str) -> Vec<String> {
    let document = match Document::parse("t.toml", text, Path::new("")) {
        Ok(document) => document,
        Err(fault) => return vec![format!("{}:{}", fault.place.line, fault.place.column)],
    };
    {
        let mut root = document.root();
        root.other_names(&[("slave_id", "unit")]);
        let second = Duration::from_secs(1);
        root.text("name");
        root.flag_or("on", true);
        root.integer("unit", 1..=247u8);
        root.duration("period", second..=second * 3600);
        root.size_or("budget", 1 << 20..=1 << 30, 1 << 20);
        root.word_or("trust", &[("ntp", 1), ("system", 2)], 1);
        root.endpoint("tcp", 502);
        root.socket_or("listen", "127.0.0.1:80".parse().unwrap());
        root.numbers("params");
        root.float("band", 0.0..=10.0);
        root.paths_or("files", &[]);
        root.refuse(
            "password",
            ("is a secret", "是密码"),
            ("use password_file", "请用 password_file"),
        );
        if let Some(mut inner) = root.section("inner") {
            inner.text("key");
        }
    }
    Faults::new(document.into_faults())
        .all()
        .iter()
        .map(|f| {
            let hint = f.hint.as_deref().unwrap_or("-");
            format!("{}:{} {} / {hint}", f.place.line, f.place.column, f.problem)
        })
        .collect()
}

#[test]
fn each_wrong_value_is_told_with_its_place_and_a_way_out() {
    let cases = [
        ("name = 5", "1:8 is a whole number / -"),
        ("name = \" \"", "1:8 is empty / -"),
        ("on = \"yes\"", "1:6 is a text / -"),
        ("unit = 248", "1:8 is out of range / -"),
        ("unit = -1", "1:8 is out of range / -"),
        ("unit = 1.5", "1:8 is a number with a fraction / -"),
        ("period = 30", "1:10 has no unit / write \"30s\""),
        ("period = \"30\"", "1:10 has no unit / write \"30s\""),
        ("period = \"5min\"", "1:10 `min` is not a unit here / write \"5m\""),
        ("period = \"2分钟\"", "1:10 `分钟` is not a unit here / write \"2m\""),
        ("period = \"-5s\"", "1:10 does not begin with a whole number / -"),
        ("period = \"2d\"", "1:10 is out of range / -"),
        ("period = \"99999999999999999999d\"", "1:10 is too large / -"),
        ("budget = \"64MB\"", "1:10 `MB` is not a unit here / write \"64MiB\""),
        ("budget = 64", "1:10 has no unit / write \"64MiB\""),
        ("trust = \"ntpd\"", "1:9 is not one of the words allowed / did you mean \"ntp\"?"),
        ("tcp = \"10.0.0.5\"", "1:7 has no port / write \"10.0.0.5:502\""),
        ("tcp = \"10.0.0.5:0\"", "1:7 `0` is not a port from 1 to 65535 / -"),
        ("tcp = \"tcp://x:1\"", "1:7 is a URL / write only host:port"),
        ("listen = \"box:80\"", "1:10 is a host name, not an address of this machine / -"),
        ("listen = \"8080\"", "1:10 has no port / write \"127.0.0.1:8080\""),
        ("params = { ct = \"x\" }", "1:17 is a text / -"),
        ("band = 10.5", "1:8 is out of range / -"),
        ("band = nan", "1:8 is a number with a fraction / -"),
        ("files = [\"a\", 3]", "1:15 is a whole number / -"),
        ("password = \"geheim\"", "1:12 is a secret / use password_file"),
        ("slave_id = 3", "1:1 there is no key `slave_id` here / did you mean `unit`?"),
        ("perod = \"3s\"", "1:1 there is no key `perod` here / did you mean `period`?"),
        ("xyzzy = 1", "1:1 there is no key `xyzzy` here / -"),
        ("[inner]\nkye = \"a\"", "2:1 there is no key `kye` here / did you mean `key`?"),
        ("inner = 3", "1:9 is a whole number / -"),
    ];
    for (text, expected) in cases {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

#[test]
fn chinese_characters_before_a_fault_do_not_shift_its_column() {
    let text = "# 注释\nparams = { '变比' = 1, 倍率 = 2 }\n";
    assert_eq!(faults(text), ["2:22"], "bare keys are ASCII, so this is a syntax error");
    let text = "params = { '变比一二' = 1, 'b' = 'x' }";
    assert_eq!(faults(text), ["1:30 is a text / -"]);
}

#[test]
fn a_syntax_error_or_a_double_key_is_one_fault_with_its_place() {
    assert_eq!(faults("name = \"a\"\nunit = = 3\n"), ["2:8"]);
    assert_eq!(faults("name = \"a\"\nname = \"b\"\n"), ["2:1"]);
    assert_eq!(faults("[inner]\n[inner]\n").len(), 1);
}

#[test]
fn ten_faults_are_told_at_once_in_the_order_of_the_file() {
    let text = "name = 1\non = 2\nunit = 0\nperiod = 3\nbudget = 4\ntrust = 5\ntcp = 6\n\
                listen = 7\nband = 'x'\nwrong = 9\n";
    let found = faults(text);
    assert_eq!(found.len(), 10, "{found:#?}");
    for (line, fault) in (1..).zip(&found) {
        assert!(fault.starts_with(&format!("{line}:")), "{fault}");
    }
}

#[test]
fn a_secret_in_clear_is_never_repeated() {
    let document = Document::parse("t", "password = \"geheim\"", Path::new("")).unwrap();
    document.root().refuse("password", ("is a secret", "是密码"), ("use a file", "请用文件"));
    let report = Faults::new(document.into_faults());
    assert!(!report.to_string().contains("geheim"), "{report}");
    assert!(!serde_json::to_string(&report).unwrap().contains("geheim"));
}

#[test]
fn the_report_names_place_path_value_allowed_and_hint() {
    let document = Document::parse("a.toml", "[inner]\nperiod = 30", Path::new("")).unwrap();
    {
        let mut root = document.root();
        let mut inner = root.section("inner").unwrap();
        inner.duration("period", Duration::from_secs(1)..=Duration::from_secs(60));
    }
    let report = Faults::new(document.into_faults());
    assert_eq!(
        report.to_string(),
        "a.toml:2:10: inner.period = 30: has no unit\n  \
         allowed: a duration with its unit (ms, s, m, h, d), 1s to 1m\n  \
         hint: write \"30s\"\n  \
         中文：缺少单位；提示：请写 \"30s\"\n1 fault (1 处错误)"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json[0]["line"], 2);
    assert_eq!(json[0]["path"], "inner.period");
    assert_eq!(json[0]["value"], "30");
    assert_eq!(json[0]["problem_zh"], "缺少单位");
    assert_eq!(json[0]["hint_zh"], "请写 \"30s\"");
}

#[test]
fn durations_and_sizes_are_written_as_they_are_read() {
    for text in ["0ms", "200ms", "30s", "15m", "1h", "2d", "90s"] {
        assert_eq!(show_duration(parse_duration(text).unwrap()), text);
    }
    for text in ["512B", "64KiB", "64MiB", "1GiB"] {
        assert_eq!(show_size(parse_size(text).unwrap()), text);
    }
}
