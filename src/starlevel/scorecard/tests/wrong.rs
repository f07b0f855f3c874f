//! What is wrong with an answers file is told all at once, with line, value and what is allowed.

use super::{HEAD, RULES, faults, opening};
use crate::starlevel::scorecard::{Answers, Card, Table, Variant};

const NEW: Option<Variant> = Some(Variant::New);

/// Checks that the faults of some answers hold every part.
fn told(answers: &str, parts: &[&str]) {
    let told = faults(Table::A1, NEW, answers);
    for part in parts {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
}

#[test]
fn every_fault_of_a_file_is_told_at_once_with_its_line() {
    let answers = "[[answer]]\nitem = \"a1.99\"\npoints = 1\n[[answer]]\nitem = \"a1.01\"\npoints = 3\n\
                   [[answer]]\nitem = \"a1.02\"\npoints = -1\n[[answer]]\nitem = \"a1.36\"\npoints = 4\n";
    told(
        answers,
        &[
            "a.toml:9:8: answer[0].item = \"a1.99\": is no item of this table",
            "allowed: an item of table A.1, variant new: a1.01 … a1.33, a1.45 … a1.50",
            "a.toml:13:10: answer[1].points = 3: is out of range\n  allowed: a number from 0 to 2",
            "a.toml:16:10: answer[2].points = -1: is out of range\n  allowed: a number from 0 to 2",
            "a.toml:18:8: answer[3].item = \"a1.36\": belongs to the variant `old`",
            "属于另一类小区",
            "4 faults (4 处错误)",
        ],
    );
}

#[test]
fn answers_without_a_name_or_date_are_refused() {
    let card = Card::built_in(Table::A2);
    let read = |text: &str| Answers::read("a.toml", text, &card, None).unwrap_err().to_string();
    let nobody = read(
        "table = \"a2\"\nsubject = \"s\"\nyear = 2026\n[[answer]]\nitem = \"a2.01\"\nmet = true\n",
    );
    assert!(nobody.contains("given: is missing") && nobody.contains("by = \"name\""), "{nobody}");
    let empty = read(
        "table = \"a2\"\nsubject = \"s\"\nyear = 2026\n[given]\nby = \" \"\n\
         [[answer]]\nitem = \"a2.01\"\nmet = true\nby = \"\"\ndate = \"yesterday\"\n",
    );
    for part in [
        "a.toml:5:6: given.by = \" \": is empty",
        "given.date: is missing",
        "answer[0].by = \"\": is empty",
        "answer[0].date = \"yesterday\": is no date\n  allowed: a date in quotes",
    ] {
        assert!(empty.contains(part), "`{part}` is missing in:\n{empty}");
    }
}

#[test]
fn a_rate_without_points_or_rule_is_refused_because_the_standard_states_no_conversion() {
    told(
        "[[answer]]\nitem = \"a1.19\"\npercent = 80\n",
        &[
            "percent = 80: does not become points: the standard states no conversion",
            "points = 0 to 4 beside it",
        ],
    );
    told(
        "[[answer]]\nitem = \"a1.19\"\npercent = 101\nconversion = \"stps\"\n",
        &["percent = 101: is out of range", "the file has none"],
    );
    let with_rules = |answer: &str, part: &str| told(&format!("{RULES}{answer}"), &[part]);
    with_rules(
        "[[answer]]\nitem = \"a1.19\"\npercent = 80\nconversion = \"stps\"\n",
        "hint: did you mean \"steps\"?",
    );
    with_rules(
        "[[answer]]\nitem = \"a1.19\"\npoints = 1\nconversion = \"steps\"\n",
        "conversion = \"steps\": needs `percent`, and no `points`",
    );
    with_rules(
        "[[conversion]]\nname = \"steps\"\nby = \"x\"\n",
        "conversion[2].name = \"steps\": is there already",
    );
    told(
        "[[conversion]]\nname = \"a\"\nby = \"x\"\n",
        &["conversion[0].basis: is missing", "needs either `proportional = true` or `steps`"],
    );
}

#[test]
fn answers_that_do_not_fit_the_item_are_refused() {
    told(
        "[[answer]]\nitem = \"a1.08\"\nmet = true\n",
        &["met = true: is only for yes-or-no items"],
    );
    told(
        "[[answer]]\nitem = \"a1.01\"\nmet = true\npoints = 1\n",
        &["met = true: stands beside `points`"],
    );
    told(
        "[[answer]]\nitem = \"a1.06\"\npercent = 50\npoints = 1\n",
        &["is only for rates and surveys"],
    );
    told("[[answer]]\nitem = \"a1.01\"\npoints = 1.005\n", &["has more than two decimals"]);
    told("[[answer]]\nitem = \"a1.01\"\npoints = nan\n", &["points = nan", "allowed: a number"]);
    told(
        "[[answer]]\nitem = \"a1.01\"\n[[answer]]\nitem = \"a1.01\"\nmet = true\n",
        &["answer[1].item = \"a1.01\": is answered already in line 9"],
    );
    told(
        "[[answer]]\nitem = \"a1.01\"\npoint = 1\n",
        &["there is no key `point` here", "did you mean `points`?"],
    );
    told("[[answer]]\npoints = 1\n", &["answer[0].item: is missing"]);
}

#[test]
fn the_variant_is_needed_for_an_estate_and_must_agree() {
    let card = Card::built_in(Table::A1);
    let read = |text: &str, asked| Answers::read("a.toml", text, &card, asked);
    let none = read(&opening(Table::A1, None), None).unwrap_err().to_string();
    assert!(none.contains("variant: is missing") && none.contains("--variant"), "{none}");
    assert_eq!(read(&opening(Table::A1, None), NEW).unwrap().variant, NEW);
    let other = read(&opening(Table::A1, Some(Variant::Old)), NEW).unwrap_err().to_string();
    assert!(other.contains("variant = \"old\": is not `new`"), "{other}");
    let typo = read(&format!("table = \"a1\"\nvariant = \"newer\"\n{HEAD}"), None).unwrap_err();
    assert!(typo.to_string().contains("\"new\", \"old\""), "{typo}");
    let table = read(&opening(Table::A2, None), NEW).unwrap_err().to_string();
    assert!(table.contains("table = \"a2\"") && table.contains("allowed: \"a1\""), "{table}");
    assert!(faults(Table::A2, NEW, "").contains("there is no key `variant` here"));
}

#[test]
fn deductions_need_an_entry_a_reason_and_points_in_the_range_of_the_table() {
    let told = faults(
        Table::A2,
        None,
        "[[deduction]]\nitem = \"a2.n2\"\npoints = 4\nreason = \"x\"\n\
         [[deduction]]\nitem = \"a2.n1\"\npoints = 21\n[[deduction]]\nitem = \"a2.01\"\npoints = 5\nreason = \"\"\n",
    );
    for part in [
        "deduction[0].points = 4: is out of range\n  allowed: a number from 5 to 10",
        "deduction[1].points = 21: is out of range\n  allowed: a number from 5 to 20",
        "deduction[1].reason: is missing",
        "deduction[2].item = \"a2.01\": is no entry of the negative list",
        "allowed: an entry of the negative list: a2.n1, a2.n2, a2.n3",
        "deduction[2].reason = \"\": is empty",
    ] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    assert!(
        faults(Table::A1, NEW, "[[deduction]]\nitem = \"a2.n1\"\n").contains("no key `deduction`")
    );
}
