//! `linli scorecard` as a user meets it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::parts::program;

fn scorecard(arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.arg("scorecard").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn file(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

/// The printed template with the head filled in and every yes-or-no item answered with yes.
fn answered(folder: &Path, table: &[&str]) -> PathBuf {
    let printed = scorecard(&[table, &["--template"]].concat());
    assert!(printed.status.success(), "{}", text(&printed.stderr));
    let filled = text(&printed.stdout)
        .replace("subject = \"\"", "subject = \"幸福里\"")
        .replace("by = \"\"\ndate = \"\" ", "by = \"王芳\"\ndate = \"2026-11-20\" ")
        .replace("# met = true", "met = true");
    file(folder, "answers.toml", &filled)
}

/// An assessment as `linli stars --json` prints it.
fn assessment(kind: &str, star: u8) -> String {
    let check = |id: &str| {
        serde_json::json!({
            "id": id, "title": { "zh": "链路", "en": "link" }, "source": "7.5.1", "origin": "seed",
            "evidence": "measured", "dir": "true", "star": star, "outcome": "met", "needed": true,
            "levels": [{ "star": 1, "needed": true, "outcome": "met" }],
        })
    };
    let document = serde_json::json!({
        "v": 1, "gateway": "g", "banner": { "zh": "自评", "en": "self" },
        "pack": { "id": "p", "version": "1", "sha256": "ab", "official": false },
        "window_s": 2_592_000, "provisional": false, "kind": kind, "target": star, "star": star,
        "missing": [], "levels": [], "groups": [], "categories": [],
        "checks": [check("P1"), check("P2"), check("P3")],
    });
    document.to_string()
}

#[test]
fn a_filled_template_gives_a_score_a_page_and_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let answers = answered(folder.path(), &["a1", "--variant", "old"]);
    let seen = file(folder.path(), "stars.json", &assessment("old_retrofit", 3));
    let (page, document) = (folder.path().join("r.html"), folder.path().join("r.json"));
    let run = |out: &Path| {
        let arguments = ["a1", "--answers", answers.to_str().unwrap(), "--assessment"];
        let more = [seen.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let output = scorecard(&[&arguments[..], &more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let told = run(&page);
    for part in
        ["得分 score  26 / 100", "三星以下", "not smart-area stars (7.5.1)", "P1 链路：达标"]
    {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    assert_eq!(told, run(&document));
    let document: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(document).unwrap()).unwrap();
    assert_eq!((&document["total"], &document["v"]), (&26.into(), &1.into()));
    assert_eq!(document["red_property"]["red_property_stars"], serde_json::Value::Null);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("幸福里"));

    let answers = answers.to_str().unwrap();
    let printed = scorecard(&["a1", "--answers", answers, "--json"]);
    let alone: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(alone["total"], 22, "without an assessment its items count as 0");
}

#[test]
fn the_other_tables_take_no_variant_and_have_no_stars() {
    let folder = tempfile::tempdir().unwrap();
    for table in ["a2", "a3", "a4"] {
        let answers = answered(folder.path(), &[table]);
        let output = scorecard(&[table, "--answers", answers.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(!text(&output.stdout).contains("星级红色物业小区"));
        let refused = scorecard(&[table, "--template", "--variant", "new"]);
        assert_eq!(refused.status.code(), Some(64));
        assert!(text(&refused.stderr).contains("has no variants"), "{}", text(&refused.stderr));
    }
    let refused = scorecard(&["a1", "--template"]);
    assert_eq!(refused.status.code(), Some(64));
    assert!(text(&refused.stderr).contains("allowed are new, old"));
}

#[test]
fn wrong_input_ends_with_64_names_every_fault_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let answers = answered(folder.path(), &["a1", "--variant", "new"]);
    let worse = fs::read_to_string(&answers).unwrap().replacen("\"a1.01\"", "\"a9.01\"", 1);
    let worse = file(folder.path(), "worse.toml", &worse.replacen("met = true", "points = 7", 2));
    let broken = file(folder.path(), "broken.json", "{\n\"v\": 1 }");
    let out = folder.path().join("report.pdf");
    let output = scorecard(&[
        "a1",
        "--answers",
        worse.to_str().unwrap(),
        "--assessment",
        broken.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(64));
    let told = text(&output.stderr);
    for part in [
        "worse.toml:",
        "\"a9.01\": is no item",
        "points = 7: is out of range",
        "broken.json:2:",
        "is no assessment",
        "report.pdf: is no report, allowed are names that end .html or .json",
        "中文：",
    ] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    assert!(output.stdout.is_empty() && !out.exists());

    let other = file(folder.path(), "stars.json", &assessment("old_retrofit", 3));
    let arguments = ["a1", "--answers", answers.to_str().unwrap(), "--assessment"];
    let output = scorecard(&[&arguments[..], &[other.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("allowed is \"new\""), "{}", text(&output.stderr));

    let missing = scorecard(&["a2", "--answers", "/nowhere/a.toml"]);
    assert_eq!(missing.status.code(), Some(64));
    assert!(text(&missing.stderr).contains("/nowhere/a.toml: cannot be read"));
}

#[test]
fn a_gateway_that_does_not_run_and_a_report_that_cannot_be_written_end_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let answers = answered(folder.path(), &["a3"]);
    let answers = answers.to_str().unwrap();
    // Nobody listens on a port that was bound and given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = scorecard(&["a3", "--answers", answers, "--live", "--page", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("is the gateway running?"));
    // A configuration that is wrong is wrong input: no report is made without the assessment.
    let config = file(folder.path(), "linli.toml", "[gateway]\nid = \"Bad Name\"\n");
    let config = config.to_str().unwrap();
    let output = scorecard(&["a3", "--answers", answers, "--live", "--config", config]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0));
    assert!(text(&output.stderr).contains("Bad Name"), "{}", text(&output.stderr));
    let output = scorecard(&["a3", "--answers", answers, "--out", "/nowhere/r.html"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nowhere/r.html"));
    let help = scorecard(&["--help"]);
    assert!(text(&help.stdout).contains("64 an answers file"), "{}", text(&help.stdout));
}
