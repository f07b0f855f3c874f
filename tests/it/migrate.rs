//! `linli config migrate`: an old configuration is refused with the new names, shown as a diff, and
//! written.

use std::fs;
use std::path::Path;

use crate::setup::{Gateway, shown, told};

/// A water meter as the example of the first version had it.
fn old(at: &Path) -> String {
    format!(
        "[gateway]\nid = \"box\"\n\n[[bus]]\nid = \"line-1\"\nserial = \"{}\"\n\n\
         # the main meter\n[[device]]\nid = \"water\"\nprofile = \"xintai-water\"  # of 2024\n\
         bus = \"line-1\"\nunit = 1\n",
        at.display()
    )
}

#[test]
fn an_old_configuration_is_refused_with_the_new_name_shown_as_a_diff_and_written() {
    let gateway = Gateway::new();
    let more = old(&gateway.at("line"));
    let gateway = gateway.configured(&more);
    let before = gateway.text();
    let check = gateway.command(&["check"], &[]).output().unwrap();
    assert_eq!(check.status.code(), Some(64));
    let fault = told(&check);
    for part in [
        "is called \"xintai-ultrasonic-water\" since version 0.1.0",
        "改名为",
        "linli config migrate",
    ] {
        assert!(fault.contains(part), "`{part}` is missing in:\n{fault}");
    }
    let migrate = ["config", "migrate"];
    let output = gateway.command(&migrate, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let diff = shown(&output);
    for line in [
        "-profile = \"xintai-water\"  # of 2024",
        "+profile = \"xintai-ultrasonic-water\"  # of 2024",
        " # the main meter",
    ] {
        assert!(diff.lines().any(|shown| shown == line), "`{line}` is missing in:\n{diff}");
    }
    assert_eq!(gateway.text(), before, "only --write writes");

    let output = gateway.command(&migrate, &["--write"]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(gateway.text(), before.replace("xintai-water", "xintai-ultrasonic-water"));
    assert_eq!(fs::read_to_string(gateway.at("etc/linli.toml.1")).unwrap(), before);
    assert!(gateway.command(&["check"], &[]).status().unwrap().success());
    let again = gateway.command(&migrate, &["--write"]).output().unwrap();
    assert!(again.status.success() && told(&again).contains("nothing to migrate"));
}

#[test]
fn drop_ins_are_migrated_too_and_other_faults_stop_the_writing() {
    let gateway = Gateway::new();
    let line = gateway.at("line");
    let more = format!(
        "[gateway]\nid = \"box\"\n[[bus]]\nid = \"line-1\"\nserial = \"{}\"\n",
        line.display()
    );
    let gateway = gateway.configured(&more);
    fs::create_dir(gateway.at("etc/conf.d")).unwrap();
    let drop_in = gateway.at("etc/conf.d/water.toml");
    let device =
        "[[device]]\nid = \"water\"\nprofile = \"xintai-water\"\nbus = \"line-1\"\nunit = 1\n";
    fs::write(&drop_in, format!("{device}speed = 7\n")).unwrap();
    let migrate = ["config", "migrate"];
    let output = gateway.command(&migrate, &["--write"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    assert!(
        told(&output).contains("speed") && told(&output).contains("未写入"),
        "{}",
        told(&output)
    );
    assert!(fs::read_to_string(&drop_in).unwrap().contains("xintai-water"));
    fs::write(&drop_in, device).unwrap();
    let output = gateway.command(&migrate, &["--write"]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert!(fs::read_to_string(&drop_in).unwrap().contains("xintai-ultrasonic-water"));
}
