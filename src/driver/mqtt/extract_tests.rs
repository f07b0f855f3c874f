//! Payloads, good and hostile.

use super::*;

fn config() -> Config {
    Config { max_payload: 100, max_depth: 3, ..Config::default() }
}

#[test]
fn a_deep_document_is_refused_before_it_is_parsed() {
    assert_eq!(depth(br#"{"a":[{"b":"[[[{{{\"[[["}]}"#), 3);
    let hostile = [b'['; 90];
    assert_eq!(json(&config(), &hostile), Err("JSON nested deeper than 3 levels".into()));
    assert!(json(&config(), b"[[[1]]]").is_ok());
}

#[test]
fn a_time_without_offset_or_before_2020_is_not_trusted() {
    let time = |text: &str| source_time(&serde_json::from_str(text).unwrap()).map(|t| t.unix_ms);
    assert_eq!(time("\"2026-01-01T08:00:00+08:00\""), Some(1_767_225_600_000));
    assert_eq!(time("1767225600"), Some(1_767_225_600_000));
    assert_eq!(time("1767225600000"), Some(1_767_225_600_000));
    for naive in [
        "\"2026-01-01T00:00:00\"",
        "\"1970-01-01T00:00:00Z\"",
        "12",
        "1e300",
        "-1",
        "null",
        "\"\"",
        "{}",
    ] {
        assert_eq!(time(naive), None, "{naive}");
    }
}

#[test]
fn availability_is_read_from_a_word_or_a_document() {
    let rule = Availability {
        pattern: "{base}/availability".into(),
        path: vec![PathStep::Key("state".into())],
        online: vec!["online".into()],
        offline: vec!["offline".into()],
    };
    assert_eq!(presence(&config(), &rule, b"Online\n"), Ok(true));
    assert_eq!(presence(&config(), &rule, br#"{"state":"offline"}"#), Ok(false));
    for wrong in [&b"maybe"[..], br#"{"other":1}"#, br#"{"state":"#, b"\xff\xfe", &[b'x'; 101]] {
        assert!(presence(&config(), &rule, wrong).is_err());
    }
}
