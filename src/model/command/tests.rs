//! What is signed, what form is refused, what documents say.

use super::*;
use crate::model::Value;

fn request() -> CommandRequest {
    CommandRequest {
        id: CommandId::new("c-1").unwrap(),
        device: "charger-1".into(),
        command: "currentLimit".into(),
        value: Some(Value::Number(16.0)),
        issued_ms: 1,
        expires_ms: 2,
        until_ms: None,
        by: "duty officer".into(),
        source: CommandSource::Platform,
        signature: None,
    }
}

#[test]
fn what_is_signed_is_the_same_bytes_in_every_language() {
    let text = String::from_utf8(request().signed_bytes("estate-1")).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let head = ["linli-command-1", "estate-1", "c-1", "charger-1", "currentLimit"];
    assert_eq!(lines[..5], head);
    assert_eq!(lines[5..], ["1", "2", "-", "duty officer", "n:4030000000000000"]);
}

#[test]
fn whatever_is_changed_changes_what_is_signed() {
    let base = request();
    let of = |change: fn(&mut CommandRequest)| {
        let mut changed = base.clone();
        change(&mut changed);
        changed.signed_bytes("estate-1")
    };
    let all = [
        base.signed_bytes("estate-1"),
        base.signed_bytes("estate-2"),
        of(|r| r.device = "charger-2".into()),
        of(|r| r.command = "enabled".into()),
        of(|r| r.value = Some(Value::Number(17.0))),
        of(|r| r.value = Some(Value::Flag(true))),
        of(|r| r.value = Some(Value::Text("true".into()))),
        of(|r| r.value = None),
        of(|r| r.issued_ms = 0),
        of(|r| r.expires_ms = 3),
        of(|r| r.until_ms = Some(3)),
        of(|r| r.by = "somebody else".into()),
    ];
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
}

#[test]
fn a_field_that_could_pass_for_two_is_refused() {
    let refused = |change: fn(&mut CommandRequest)| {
        let mut request = request();
        change(&mut request);
        request.form().is_err()
    };
    assert!(!refused(|_| {}));
    assert!(refused(|r| r.by = "a\n-".into()));
    assert!(refused(|r| r.by = String::new()));
    assert!(refused(|r| r.device = "a\nb".into()));
    assert!(refused(|r| r.command = "x".repeat(129)));
    assert!(refused(|r| r.value = Some(Value::Number(f64::NAN))));
    assert!(refused(|r| r.value = Some(Value::Text("x".repeat(2001).into()))));
    assert!(refused(|r| r.expires_ms = 0));
    assert!(refused(|r| r.until_ms = Some(0)));
    for id in ["", "a/b", "a+", "#", "x y", &"x".repeat(65)] {
        assert!(CommandId::new(id).is_err(), "{id}");
    }
}

#[test]
fn a_document_with_an_unknown_field_is_none() {
    let text = r#"{"v":1,"gateway":"g","id":"1","device":"d","command":"c","vaule":3,
                   "issued":1,"expires":2,"by":"x"}"#;
    let error = serde_json::from_str::<CommandDocument>(text).unwrap_err();
    assert!(error.to_string().contains("vaule"), "{error}");
}

#[test]
fn a_report_is_read_back_as_it_was_written() {
    let outcome = CommandOutcome::refused(Refusal::Offline);
    let report = CommandReport::new(&request(), outcome);
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains(r#""outcome":"refused","reason":"offline""#), "{text}");
    assert_eq!(serde_json::from_str::<CommandReport>(&text).unwrap(), report);
}
