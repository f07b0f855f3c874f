//! The same values, words and places as the `toml` crate's own deserializer gives.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Open,
    Level(u8),
    Between { low: f64, high: f64 },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Mixed {
    Flag(bool),
    Number(f64),
    Words(Vec<String>),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    name: Spanned<String>,
    at: Option<Spanned<u16>>,
    #[serde(default)]
    pair: Option<(i64, f64)>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    inner: Vec<Spanned<Inner>>,
    way: Way,
    #[serde(default)]
    mixed: Vec<Mixed>,
    #[serde(default)]
    by_name: BTreeMap<Spanned<String>, toml::Value>,
    day: Option<toml::value::Datetime>,
}

const WHOLE: &str = r#"
way = { between = { low = 1, high = 2.5 } }
mixed = [true, 3, 2.5, ["a", "b"]]
day = 2026-01-31

[[inner]]
name = "eins"
at = 7
pair = [-3, 4]

[[inner]]
name = 'zwei'

[by_name]
"die drei" = { a = [1, "x"], b = false }
"#;

/// What both say about a text, and whether they agree.
fn both(text: &str) -> Result<Outer, (String, Option<std::ops::Range<usize>>)> {
    let theirs: Result<Outer, toml::de::Error> = toml::from_str(text);
    let ours: Result<Outer, Refused> = read_text(text);
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => {
            assert_eq!(ours, theirs);
            let spans = |outer: &Outer| {
                let inner = outer.inner.iter();
                let spans = inner.map(|one| (one.span(), one.get_ref().name.span()));
                let keys = outer.by_name.keys().map(|key| (key.span(), 0..0));
                spans.chain(keys).collect::<Vec<_>>()
            };
            assert_eq!(spans(&ours), spans(&theirs));
            Ok(ours)
        }
        (Err(theirs), Err(ours)) => {
            assert_eq!((ours.message(), ours.span()), (theirs.message(), theirs.span()), "{text}");
            Err((ours.message().to_owned(), ours.span()))
        }
        (theirs, ours) => panic!("{text}\ntheirs {theirs:?}\nours {ours:?}"),
    }
}

#[test]
fn a_good_file_gives_the_same_values_at_the_same_places() {
    let outer = both(WHOLE).unwrap();
    assert_eq!(outer.inner.len(), 2);
    assert_eq!(outer.way, Way::Between { low: 1.0, high: 2.5 });
    assert_eq!(outer.day.unwrap().to_string(), "2026-01-31");
    both(&WHOLE.replace("{ between = { low = 1, high = 2.5 } }", "\"open\"")).unwrap();
    both(&WHOLE.replace("{ between = { low = 1, high = 2.5 } }", "{ level = 9 }")).unwrap();
}

#[test]
fn every_fault_has_the_same_words_and_the_same_place() {
    let changes = [
        ("at = 7", "at = -1"),
        ("at = 7", "at = 65536"),
        ("at = 7", "at = 1.5"),
        ("at = 7", "at = \"7\""),
        ("at = 7", "at = [7]"),
        ("at = 7", "at = { a = 7 }"),
        ("at = 7", "at = true"),
        ("at = 7", "ta = 7"),
        ("at = 7", "at = 18446744073709551615"),
        ("name = \"eins\"", "name = 1"),
        ("name = \"eins\"", ""),
        ("pair = [-3, 4]", "pair = [-3]"),
        ("pair = [-3, 4]", "pair = [-3, \"four\"]"),
        ("pair = [-3, 4]", "pair = 3"),
        ("[[inner]]\nname = \"eins\"\nat = 7\npair = [-3, 4]", "inner = 3"),
        ("mixed = [true, 3, 2.5,", "mixed = [true, { a = 1 },"),
        ("low = 1,", "low = \"1\","),
        ("low = 1,", ""),
        ("{ between = { low = 1, high = 2.5 } }", "\"shut\""),
        ("{ between = { low = 1, high = 2.5 } }", "{ shut = 1 }"),
        ("{ between = { low = 1, high = 2.5 } }", "{ level = 256 }"),
        ("{ between = { low = 1, high = 2.5 } }", "5"),
        ("day = 2026-01-31", "day = \"2026-01-31\""),
        ("day = 2026-01-31", "day = 2026-13-31"),
        ("way = ", "way == "),
    ];
    for (from, to) in changes {
        let text = WHOLE.replacen(from, to, 1);
        assert_ne!(text, WHOLE, "{from}");
        both(&text).expect_err(to);
    }
}

#[test]
fn the_line_of_a_fault_counts_from_one() {
    let refused = read_text::<Outer>(&WHOLE.replace("at = 7", "at = -1")).unwrap_err();
    assert_eq!(refused.line(WHOLE), 8);
    assert_eq!(read_text::<Outer>("").unwrap_err().line(""), 1);
}

#[test]
fn an_array_does_not_stand_for_a_struct() {
    let refused = read_text::<BTreeMap<String, Inner>>("one = [\"eins\"]").unwrap_err();
    assert_eq!(refused.message(), "invalid type: sequence, expected struct Inner");
}
