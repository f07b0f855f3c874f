//! Files that are not as the gateway wrote them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::seal;
use super::*;

/// A report with one closed day and little else, so that every byte of it can be tried.
fn small(play: &Play) -> Report {
    let mut report = play.report();
    report.assessment.checks.clear();
    report.assessment.missing.clear();
    report.assessment.categories.clear();
    report.definitions.clear();
    report.weak_points.clear();
    report
}

fn one_day() -> Play {
    let mut play = Play::new(&[("c", Category::EvCharger)]);
    play.run(DAY + HOUR, 60_000, &[0]);
    play
}

/// A report that was changed by `change` and signed again by a stranger.
fn forged(play: &Play, change: impl FnOnce(&mut Report)) -> (String, SigningKey) {
    let key = stranger(play.folder.path());
    let mut report = play.report();
    report.public_key = key.public_hex();
    change(&mut report);
    (seal::seal(&report, Form::Json, &key), key)
}

#[test]
fn one_changed_byte_anywhere_in_either_form_is_found() {
    let play = one_day();
    for form in [Form::Json, Form::Html] {
        let good = seal::seal(&small(&play), form, &play.key()).into_bytes();
        assert!(verify(&good, None).good, "{}", faults(&verify(&good, None)));
        let mut file = good.clone();
        for at in 0..file.len() {
            // The second one turns a small letter into a capital: hex digits have one way.
            for bit in [0x01, 0x20] {
                file[at] ^= bit;
                assert!(!verify(&file, None).good, "{form:?}: byte {at} of {}", file.len());
                file[at] ^= bit;
            }
        }
    }
}

#[test]
fn a_byte_put_in_or_taken_out_anywhere_is_found() {
    let play = one_day();
    for form in [Form::Json, Form::Html] {
        let good = seal::seal(&small(&play), form, &play.key()).into_bytes();
        for at in (0..=good.len()).rev() {
            let mut longer = good.clone();
            longer.insert(at, b' ');
            assert!(!verify(&longer, None).good, "{form:?}: put in at {at}");
            if at < good.len() {
                let mut shorter = good.clone();
                shorter.remove(at);
                assert!(!verify(&shorter, None).good, "{form:?}: taken out at {at}");
            }
        }
    }
}

#[test]
fn a_large_report_with_a_changed_byte_is_found_by_sample() {
    let play = three_days();
    for form in [Form::Json, Form::Html] {
        let mut file = play.file(form).into_bytes();
        for at in (0..file.len()).step_by(file.len() / 400) {
            file[at] ^= 0x04;
            assert!(!verify(&file, None).good, "{form:?}: byte {at}");
            file[at] ^= 0x04;
        }
        assert!(verify(&file, None).good);
    }
}

#[test]
fn a_file_that_was_cut_or_that_goes_on_is_told_apart_from_a_changed_one() {
    let play = one_day();
    for form in [Form::Json, Form::Html] {
        let good = seal::seal(&small(&play), form, &play.key());
        for length in 0..good.len() {
            let found = verify(&good.as_bytes()[..length], None);
            assert!(!found.good && found.public_key.is_none(), "{form:?}: {length}");
        }
        for more in ["\n", " ", "<p>", "{}"] {
            let told = faults(&verify((good.clone() + more).as_bytes(), None));
            assert!(told.contains("cut") && told.contains("截断"), "{told}");
        }
        let twice = good.clone() + &good;
        assert!(!verify(twice.as_bytes(), None).good);
        let changed = good.replacen("weihai-0631", "weihai-0632", 1);
        let told = faults(&verify(changed.as_bytes(), None));
        assert!(told.contains("changed after it was signed") && told.contains("改动"), "{told}");
    }
}

#[test]
fn what_is_no_report_is_called_so() {
    for file in ["", "hello", "{\"a\":1}", "<html></html>", "%PDF-1.4", " {\"report\":{}}"] {
        let told = faults(&verify(file.as_bytes(), None));
        assert!(told.contains("is no report") && told.contains("不是"), "{file}: {told}");
    }
    assert!(!verify(&[0xFF; 4096], None).good);
    // Signed by a real key, but nothing that is a report.
    let folder = tempfile::tempdir().unwrap();
    let key = stranger(folder.path());
    let signature: String = key.sign(b"{}").iter().map(|b| format!("{b:02x}")).collect();
    let file = format!(
        "{{\"report\":{{}},\"signature\":{{\"algorithm\":\"ed25519\",\"public_key\":\"{}\",\"value\":\"{signature}\"}}}}\n",
        key.public_hex()
    );
    let told = faults(&verify(file.as_bytes(), None));
    assert!(told.contains("holds no report"), "{told}");
}

#[test]
fn another_key_than_the_trusted_one_is_refused_and_without_one_the_reader_is_told_to_compare() {
    let play = three_days();
    let trusted = *play.key().public();
    // A perfect forgery: everything fits, but for the key.
    let (file, _) = forged(&play, |_| ());
    let found = verify(file.as_bytes(), Some(&trusted));
    assert_eq!((found.good, found.key_matches), (false, Some(false)));
    assert!(faults(&found).contains("--key"), "{}", faults(&found));
    let found = verify(file.as_bytes(), None);
    assert!(found.good && found.key_matches.is_none());
    assert!(found.notes[0].en.contains("compare it") && found.notes[0].zh.contains("比对"));
}

#[test]
fn a_row_of_the_chain_that_was_changed_and_signed_again_names_its_day() {
    let play = three_days();
    let (file, key) = forged(&play, |report| {
        let row = &mut report.chain.days[1].rows[1].1;
        let mut bytes = BASE64.decode(row.as_str()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        *row = BASE64.encode(&bytes);
    });
    let told = faults(&verify(file.as_bytes(), Some(key.public())));
    assert!(told.contains("2026-01-02: the chain does not hold"), "{told}");
}

#[test]
fn what_does_not_follow_from_the_rows_is_found_although_it_is_signed() {
    let play = three_days();
    type Change = fn(&mut Report);
    let cases: [(&str, Change); 14] = [
        ("2026-01-03: the chain does not hold", |r| drop(r.chain.days.remove(1))),
        ("2026-01-01: the chain does not hold", |r| r.chain.days[0].before = "0".repeat(63) + "1"),
        ("2026-01-02: the chain does not hold", |r| r.chain.days[1].hash = "0".repeat(64)),
        ("2026-01-01: the chain does not hold", |r| drop(r.chain.days[0].rows.pop())),
        ("the report's rows of it cannot be read", |r| r.chain.days[2].date = "2026-01-09".into()),
        ("the report's rows of it cannot be read", |r| r.chain.days[0].rows[0].1.push('=')),
        ("the head of the chain", |r| r.chain.head = Some("0".repeat(64))),
        ("the head of the chain", |r| drop(r.chain.days.pop())),
        ("2026-01-02: the numbers shown", |r| r.days[1].online_rate = Some(0.9999)),
        ("2026-01-03: the numbers shown", |r| r.days[2].blocks_lost += 1),
        ("the report shows 2 days", |r| drop(r.days.pop())),
        ("outside the report's period", |r| r.period.as_mut().unwrap().last = "2026-01-02".into()),
        ("different gateways", |r| r.estate.gateway = "weihai-0632".into()),
        ("different rules", |r| r.pack.official = true),
    ];
    for (wanted, change) in cases {
        let (file, key) = forged(&play, change);
        let found = verify(file.as_bytes(), Some(key.public()));
        let told = faults(&found);
        assert!(!found.good && told.contains(wanted), "{wanted}: {told}");
    }
    let (file, _) = forged(&play, |report| report.public_key = play.key().public_hex());
    let told = faults(&verify(file.as_bytes(), None));
    assert!(told.contains("not the one that signed it"), "{told}");
}

#[test]
fn other_rules_than_those_built_in_are_told_and_no_fault() {
    let play = three_days();
    let (file, _) = forged(&play, |report| {
        report.pack.sha256 = "ab".repeat(32);
        report.assessment.pack.sha256 = "ab".repeat(32);
    });
    let found = verify(file.as_bytes(), None);
    assert_eq!((found.good, found.built_in_rules), (true, Some(false)));
    assert!(found.notes.iter().any(|note| note.en.contains("other rules")), "{:?}", found.notes);
}

#[test]
fn evidence_that_was_changed_in_the_store_makes_a_report_that_says_so_and_does_not_verify() {
    let play = three_days();
    let tree = play.store.tree("evidence");
    let mut first = None;
    tree.scan(b"g", b"h", |key, row| {
        first.get_or_insert((key.to_vec(), row.to_vec()));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    let (key, row) = first.unwrap();
    let changed = String::from_utf8(row).unwrap().replace("\"lost\":0", "\"lost\":7");
    let mut changes = crate::store::Changes::default();
    changes.insert(&key, changed.as_bytes());
    tree.apply(changes).unwrap();
    let page = play.file(Form::Html);
    assert!(page.contains("The chain does not hold · 2026-01-01"));
    let told = faults(&verify(page.as_bytes(), None));
    assert!(told.contains("2026-01-01: the chain does not hold"), "{told}");
}
