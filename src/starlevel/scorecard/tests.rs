//! Scorecards on made-up answers.

use super::*;
use crate::starlevel::{
    Assessment, Bilingual, CheckResult, Direction, Evidence, LevelResult, Measure, Origin, Outcome,
    PackInfo,
};

const HEAD: &str =
    "subject = \"幸福里\"\nyear = 2026\n[given]\nby = \"王芳\"\ndate = \"2026-11-20\"\n";

fn variants(table: Table) -> Vec<Option<Variant>> {
    match table {
        Table::A1 => vec![Some(Variant::New), Some(Variant::Old)],
        _ => vec![None],
    }
}

fn opening(table: Table, variant: Option<Variant>) -> String {
    let variant = variant.map_or(String::new(), |v| format!("variant = \"{}\"\n", v.word()));
    format!("table = \"{}\"\n{variant}{HEAD}", table.word())
}

fn read(table: Table, variant: Option<Variant>, more: &str) -> Answers {
    let text = opening(table, variant) + more;
    Answers::read("a.toml", &text, &Card::built_in(table), None)
        .unwrap_or_else(|faults| panic!("{faults}"))
}

fn faults(table: Table, variant: Option<Variant>, more: &str) -> String {
    let text = opening(table, variant) + more;
    Answers::read("a.toml", &text, &Card::built_in(table), None).unwrap_err().to_string()
}

/// Full marks for every item that a person answers.
fn full(table: Table, variant: Option<Variant>) -> String {
    let card = Card::built_in(table);
    let answer =
        |item: &Item| format!("[[answer]]\nitem = \"{}\"\npoints = {}\n", item.id, item.points);
    card.items(variant).map(answer).collect()
}

fn scored(
    table: Table,
    variant: Option<Variant>,
    more: &str,
    seen: Option<&Assessment>,
) -> Scorecard {
    score(table, &Card::built_in(table), &read(table, variant, more), seen)
}

/// Whether the gateway decides.
fn measured(item: &Item) -> bool {
    item.proof.as_ref().is_some_and(|proof| proof.gateway == GatewayRole::Measured)
}

/// An assessment in which the link is fine at every star.
fn assessment(variant: Variant, star: u8) -> Assessment {
    let check = |id: &str| CheckResult {
        id: id.to_owned(),
        title: Bilingual::new("链路", "link"),
        source: "7.5.1".to_owned(),
        origin: Origin::Seed,
        basis: None,
        evidence: Evidence::Measured,
        unit: None,
        dir: Direction::True,
        star,
        outcome: Outcome::Met,
        measured: None,
        needed: Measure::Flag(true),
        reason: None,
        hint: None,
        since_ms: None,
        devices: Vec::new(),
        more_devices: 0,
        levels: (1..=5)
            .map(|star| LevelResult {
                star,
                needed: Measure::Flag(true),
                measured: None,
                outcome: Outcome::Met,
            })
            .collect(),
    };
    Assessment {
        risk: None,
        self_test: Vec::new(),
        v: 1,
        gateway: "g".to_owned(),
        banner: Bilingual::new("自评", "self-assessment"),
        pack: PackInfo {
            id: "p".to_owned(),
            version: "1".to_owned(),
            sha256: "ab".to_owned(),
            official: false,
        },
        at_ms: Some(1_795_000_000_000),
        window_s: 2_592_000,
        provisional: false,
        kind: variant.estate(),
        target: star,
        star,
        next: None,
        missing: Vec::new(),
        levels: Vec::new(),
        groups: Vec::new(),
        categories: Vec::new(),
        checks: ["P1", "P2", "P3"].map(check).to_vec(),
        environment: None,
        advisory: Vec::new(),
        attestations: Vec::new(),
        found_unknown: 0,
    }
}

#[test]
fn the_sums_of_all_tables_are_those_that_the_standard_declares() {
    for (table, items, negatives) in
        [(Table::A1, 50, 0), (Table::A2, 30, 3), (Table::A3, 34, 0), (Table::A4, 40, 0)]
    {
        let card = Card::parse("t", table.built_in()).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!((card.item.len(), card.negative.len()), (items, negatives), "{table:?}");
        for variant in variants(table) {
            let sum = card.items(variant).map(|item| item.points).sum::<u32>();
            assert_eq!(sum, 100, "{table:?} {variant:?}");
        }
    }
    let blocks: Vec<u32> = Card::built_in(Table::A1).block.iter().map(|b| b.points).collect();
    assert_eq!(blocks, [24, 22, 24, 30]);
    let blocks: Vec<u32> = Card::built_in(Table::A2).block.iter().map(|b| b.points).collect();
    assert_eq!(blocks, [8, 10, 8, 18, 6, 50]);
    let shares = Table::ALL.map(|table| Card::built_in(table).share[0].points);
    assert_eq!(shares, [30, 60, 30, 20]);
}

#[test]
fn the_gateway_decides_4_points_of_an_estate_and_supports_12_in_both_variants() {
    let card = Card::built_in(Table::A1);
    for variant in variants(Table::A1) {
        let sum = |role| -> u32 {
            let of =
                card.items(variant).filter(|i| i.proof.as_ref().is_some_and(|p| p.gateway == role));
            of.map(|item| item.points).sum()
        };
        assert_eq!((sum(GatewayRole::Measured), sum(GatewayRole::Evidence)), (4, 12));
    }
    for table in [Table::A2, Table::A3, Table::A4] {
        assert!(
            !Card::built_in(table).item.iter().any(measured),
            "{table:?}: one gateway sees one estate"
        );
    }
}

#[test]
fn a_table_whose_sums_or_names_are_wrong_is_refused_with_each_fault() {
    let text = Table::A1
        .built_in()
        .replacen("points = 2\nevaluator = \"考核组\"", "points = 3\nevaluator = \"无\"", 1)
        .replacen("id = \"a1.02\"", "id = \"a1.03\"", 1);
    let told: Vec<String> =
        Card::parse("x.toml", &text).unwrap_err().iter().map(ToString::to_string).collect();
    for part in [
        "item a1.03: stands twice",
        "item a1.01: \"无\" has no English",
        "items of variant new add up to 101, declared is 100",
        "block 党建引领: items of variant old add up to 25, declared is 24",
    ] {
        assert!(told.iter().any(|fault| fault.contains(part)), "{part}: {told:#?}");
    }
    let typo = Table::A2.built_in().replacen("kind = ", "knd = ", 1);
    let told = Card::parse("x.toml", &typo).unwrap_err()[0].to_string();
    assert!(told.contains("x.toml, line ") && told.contains("knd"), "{told}");
}

#[test]
fn full_marks_are_100_and_nothing_is_0_in_every_table() {
    for table in Table::ALL {
        for variant in variants(table) {
            let seen = variant.map(|variant| assessment(variant, 4));
            let all = scored(table, variant, &full(table, variant), seen.as_ref());
            assert_eq!((all.total, all.of), (Points::whole(100), Points::whole(100)), "{table:?}");
            assert!(all.missing.is_empty() && all.unanswered.is_empty());
            assert_eq!(all.red_property.is_some(), table == Table::A1);
            let none = scored(table, variant, "", None);
            assert_eq!(none.total, Points::ZERO);
            assert_eq!(none.missing.iter().map(|m| m.points).sum::<Points>(), Points::whole(100));
            assert!(none.missing.is_sorted_by(|a, b| a.points >= b.points), "largest first");
        }
    }
}

#[test]
fn measured_items_get_points_only_from_an_assessment_that_says_met() {
    let variant = Some(Variant::New);
    let answers = full(Table::A1, variant);
    let total = |seen: Option<&Assessment>| scored(Table::A1, variant, &answers, seen).total;
    let good = assessment(Variant::New, 4);
    assert_eq!(total(Some(&good)), Points::whole(100));
    assert_eq!(total(None), Points::whole(96), "an answer cannot stand for it");
    let three = Assessment { star: 3, ..good.clone() };
    assert_eq!(total(Some(&three)), Points::whole(98), "a new estate needs four");
    let provisional = Assessment { provisional: true, ..good.clone() };
    assert_eq!(total(Some(&provisional)), Points::whole(96));
    for outcome in [Outcome::NotMet, Outcome::Unknown, Outcome::NotApplicable] {
        let mut other = good.clone();
        other.checks[1].levels[3].outcome = outcome;
        assert_eq!(total(Some(&other)), Points::whole(98), "{outcome:?}");
    }
    let mut absent = good.clone();
    absent.checks.pop();
    let card = scored(Table::A1, variant, &answers, Some(&absent));
    let link = card.items.iter().find(|item| item.id == "a1.21").unwrap();
    assert_eq!((link.points, link.source), (Points::ZERO, Source::Measured));
    assert!(link.notes.iter().any(|note| note.en.contains("claims 2")), "{:?}", link.notes);
    assert!(link.evidence.iter().any(|line| line.en == "P3: not in the assessment"));

    let old = scored(Table::A1, Some(Variant::Old), "", Some(&assessment(Variant::Old, 3)));
    assert_eq!(old.total, Points::whole(4), "an old estate needs three");
    assert!(fitting(&good, Some(Variant::New)).is_ok());
    let told = fitting(&good, Some(Variant::Old)).unwrap_err().en;
    assert!(told.contains("\"new\"") && told.contains("allowed is \"old_retrofit\""), "{told}");
}

#[test]
fn evidence_is_shown_beside_the_answer_and_changes_no_point() {
    let mut seen = assessment(Variant::New, 4);
    seen.checks[0].id = "A3".to_owned();
    let with = |seen: &Assessment| {
        scored(
            Table::A1,
            Some(Variant::New),
            "[[answer]]\nitem = \"a1.19\"\npoints = 1.5\n",
            Some(seen),
        )
    };
    let card = with(&seen);
    let item = card.items.iter().find(|item| item.id == "a1.19").unwrap();
    assert_eq!((item.points, item.source), (Points::hundredths(150), Source::Answer));
    assert_eq!(item.evidence[0].en, "A3 link: met (as 4 smart-area stars need)");
    (seen.checks[0].dir, seen.checks[0].unit) = (Direction::Ge, Some("share".to_owned()));
    seen.checks[0].levels[3].needed = Measure::Number(0.95);
    seen.checks[0].levels[3].measured = Some(Measure::Number(2.0 / 3.0));
    seen.provisional = true;
    let card = with(&seen);
    let item = card.items.iter().find(|item| item.id == "a1.19").unwrap();
    let line = "A3 链路：达标（智慧小区 4 星要求 ≥ 95 %，实测 66.67 %）";
    assert_eq!((item.points, item.evidence[0].zh.as_str()), (Points::hundredths(150), line));
    assert_eq!(item.evidence[1].zh, "自评结果为暂定（历史不足）");
    let bins = card.items.iter().find(|item| item.id == "a1.23").unwrap();
    assert_eq!((bins.points, bins.source), (Points::ZERO, Source::Unanswered));
    assert_eq!(bins.evidence[0].zh, "垃圾分类箱：0 台，在线率未知");
}

const RULES: &str = "[[conversion]]\nname = \"steps\"\nby = \"区住建局\"\nbasis = \"2026 细则\"\n\
    steps = [{ from_percent = 70, share_percent = 50 }, { from_percent = 90, share_percent = 100 }]\n\
    [[conversion]]\nname = \"even\"\nby = \"x\"\nbasis = \"y\"\nproportional = true\n";

#[test]
fn a_rate_becomes_points_only_by_the_person_or_by_a_rule_of_the_file() {
    let points = |item: &str, value: &str| {
        let text = format!("{RULES}[[answer]]\nitem = \"{item}\"\n{value}\n");
        scored(Table::A1, Some(Variant::New), &text, None).total.to_string()
    };
    for (percent, expected) in
        [("69.99", "0"), ("70", "2"), ("89.99", "2"), ("90", "4"), ("100", "4")]
    {
        let value = format!("percent = {percent}\nconversion = \"steps\"");
        assert_eq!(points("a1.19", &value), expected, "{percent}");
    }
    assert_eq!(points("a1.19", "percent = 33.33\nconversion = \"even\""), "1.33", "rounded down");
    assert_eq!(points("a1.45", "percent = 50\npoints = 4.25"), "4.25", "the person's points");

    let text =
        format!("{RULES}[[answer]]\nitem = \"a1.04\"\npercent = 75\nconversion = \"steps\"\n");
    let card = scored(Table::A1, Some(Variant::New), &text, None);
    let item = card.items.iter().find(|item| item.id == "a1.04").unwrap();
    assert!(item.conversion_missing);
    assert!(item.notes.iter().any(|note| note.en.contains("reaches the 60 % of the text")));
    assert!(card.remarks.iter().any(|remark| remark.en.contains("no conversion in the standard")));
    assert!(card.to_html().contains("区住建局"));
}

#[test]
fn the_template_has_every_item_and_reads_as_an_answers_file_with_nothing_answered() {
    for table in Table::ALL {
        for variant in variants(table) {
            let card = Card::built_in(table);
            let text = template(&card, variant);
            for item in card.items(variant) {
                for part in [&item.id, &item.zh, &item.en] {
                    assert!(text.contains(part.as_str()), "{part}");
                }
            }
            let filled = text
                .replace("subject = \"\"", "subject = \"s\"")
                .replace("by = \"\"\ndate = \"\" ", "by = \"b\"\ndate = \"2026-12-31\" ");
            let read =
                Answers::read("t", &filled, &card, variant).unwrap_or_else(|f| panic!("{f}"));
            assert!(read.answers.is_empty() && read.deductions.is_empty());
            let (answers, _) = filled.split_once("负面清单").unwrap_or((&filled, ""));
            let zeros = answers.replace("# points = ", "points = ");
            let read = Answers::read("t", &zeros, &card, variant).unwrap_or_else(|f| panic!("{f}"));
            let asked = card.items(variant).filter(|item| !measured(item)).count();
            assert_eq!(read.answers.len(), asked, "{table:?}");
        }
    }
}

#[test]
fn the_page_escapes_what_people_write_and_loads_nothing() {
    let text = "[[answer]]\nitem = \"a1.01\"\nmet = true\nby = \"<img src=x onerror=alert(1)>\"\n\
                note = \"</td><script>alert('1')</script>&\"\n";
    let mut card = scored(Table::A1, Some(Variant::New), text, Some(&assessment(Variant::New, 4)));
    card.subject = "<b>\"小区\"</b>".to_owned();
    let page = card.to_html();
    for raw in
        ["<script", "<img", "<b>\"", "</td><s", "http://", "https://", "url(", "@import", "<link"]
    {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;&quot;小区&quot;"));
    assert!(page.contains("不是智慧小区星级（7.5.1）") && page.contains("size: A4"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let make = || {
        let card =
            scored(Table::A1, Some(Variant::Old), &full(Table::A1, Some(Variant::Old)), None);
        (card.to_html(), card.to_json(), card.to_text())
    };
    assert_eq!(make(), make());
}

mod edges;
mod wrong;
