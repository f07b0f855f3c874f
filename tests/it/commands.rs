//! The commands as a user meets them.

use std::fs;
use std::process::{Command, Output};

use crate::parts::program;

fn linli(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_command_has_help() {
    let commands = [
        "setup",
        "run",
        "check",
        "config",
        "decode",
        "demo",
        "simulate",
        "profiles",
        "buffer",
        "stars",
        "scorecard",
    ]
    .map(Some);
    for command in commands.into_iter().chain([None]) {
        let arguments: Vec<&str> = command.into_iter().chain(["--help"]).collect();
        let output = linli(&arguments);
        assert!(output.status.success(), "{arguments:?}");
        assert!(text(&output.stdout).contains("Usage:"), "{arguments:?}");
    }
}

#[test]
fn the_example_configuration_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/linli.toml");
    let config = fs::read_to_string(example)
        .unwrap()
        .replace("/var/lib/linli", folder.path().to_str().unwrap());
    let file = folder.path().join("linli.toml");
    fs::write(&file, config).unwrap();
    let output = linli(&["check", "--config", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_bad_configuration_ends_with_64_and_all_faults_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("linli.toml");
    let config = format!(
        r#"
[gateway]
id = "Bad Name"
[buffer]
path = "{0}/buffer"
tick = 5
[[bus]]
id = "line-1"
tpc = "127.0.0.1:502"
[[device]]
id = "m1"
profile = "eastron-sdm12"
bus = "line-2"
unit = 300
"#,
        folder.path().display()
    );
    fs::write(&file, config).unwrap();
    for command in ["check", "run"] {
        let output = linli(&[command, "--config", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(64), "{command}");
        let faults = text(&output.stderr);
        for part in ["Bad Name", "tick", "tpc", "eastron-sdm120", "line-2", "300"] {
            assert!(faults.contains(part), "`{part}` is missing in:\n{faults}");
        }
    }
    let output = linli(&["check", "--json", "--config", file.to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["faults"].as_array().unwrap().len() >= 6, "{report}");
    assert!(report["faults"][0]["line"].is_u64() && report["good"] == false, "{report}");
    assert_eq!(report["buses"].as_array().unwrap().len(), 0, "figures of a part would mislead");
}

/// Writes a configuration with `count` meters on one line, read every `period`.
fn crowded(folder: &std::path::Path, count: usize, period: &str) -> String {
    let mut config = format!(
        "[gateway]\nid = \"g\"\n[buffer]\npath = \"{}/buffer\"\n\
         [[bus]]\nid = \"line-1\"\nserial = \"/dev/ttyS1\"\nbaud = 9600\nframe = \"8N1\"\n",
        folder.display()
    );
    for unit in 1..=count {
        config.push_str(&format!(
            "[[device]]\nid = \"m{unit}\"\nprofile = \"eastron-sdm630\"\nbus = \"line-1\"\n\
             unit = {unit}\nperiod = \"{period}\"\n"
        ));
    }
    let file = folder.join("linli.toml");
    fs::write(&file, config).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn check_tells_what_each_bus_carries_and_what_would_lighten_a_full_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = crowded(folder.path(), 4, "60s");
    let output = linli(&["check", "--config", &file]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}{}", text(&output.stderr));
    for part in
        ["line-1: one sweep takes", "at 9600 8N1", "you asked for", "three dead", "轮询一遍需"]
    {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }

    let file = crowded(folder.path(), 30, "8s");
    let output = linli(&["check", "--config", &file]);
    assert_eq!(output.status.code(), Some(64));
    let told = text(&output.stderr);
    for part in
        ["one sweep takes", "lengthen `period`", "split it over", "加长到至少", "costliest: m1"]
    {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    let output = linli(&["check", "--json", "--config", &file]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let bus = &report["buses"][0];
    assert_eq!((&bus["verdict"], &bus["devices"]), (&"too_much".into(), &30.into()), "{bus}");
    assert!(bus["load"].as_f64().unwrap() > 1.0 && bus["sweep_s"].as_f64().unwrap() > 1.0);
    assert!(bus["remedies"][0]["zh"].is_string() && bus["consumers"][0]["round_s"].is_f64());
}

#[test]
fn a_missing_configuration_is_named() {
    let output = linli(&["check", "--config", "/nowhere/linli.toml"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("/nowhere/linli.toml"));
}

/// A folder with a profile of its own and one that replaces a built-in one.
fn site_profiles() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/eastron-sdm120.toml");
    for name in ["eastron-sdm120.toml", "own-meter.toml"] {
        fs::copy(built_in, folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn the_list_of_profiles_can_be_narrowed_and_read_by_scripts_and_marks_those_of_the_estate() {
    let folder = site_profiles();
    let dir = folder.path().to_str().unwrap();
    let list = |more: &[&str]| {
        let output = linli(&[&["profiles", "list", "--dir", dir], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let water = list(&["--category", "water_meter", "--protocol", "cjt188"]);
    assert!(water.contains("cjt188-water") && !water.contains("cjt188-gas"), "{water}");
    assert!(!water.contains("tuf-2000m"), "{water}");
    let replaced = format!("{dir}/eastron-sdm120.toml, replaces / 替换 built-in");
    assert!(list(&[]).contains(&replaced));
    let rows: serde_json::Value = serde_json::from_str(&list(&["--json"])).unwrap();
    let row =
        |id: &str| rows.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
    let (own, other) = (row("own-meter"), row("eastron-sdm120"));
    assert_eq!(
        (&own["replaces"], &other["replaces"]),
        (&serde_json::Value::Null, &"built-in".into())
    );
    assert_eq!(
        (&other["category"], &other["protocol"]),
        (&"electricity_meter".into(), &"modbus".into())
    );
    assert_eq!(row("eastron-sdm630")["file"], serde_json::Value::Null);
    let wrong = linli(&["profiles", "list", "--category", "meter"]);
    assert!(text(&wrong.stderr).contains("electricity_meter water_meter"));
}

#[test]
fn check_says_which_profiles_are_replaced_and_where_one_of_the_estate_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let site = site_profiles();
    let config = crowded(folder.path(), 1, "60s");
    let with_profiles = fs::read_to_string(&config)
        .unwrap()
        .replace("id = \"g\"", &format!("id = \"g\"\nprofiles = [\"{}\"]", site.path().display()));
    fs::write(&config, with_profiles).unwrap();
    let output = linli(&["check", "--config", &config]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for part in ["replaces the one that is built in", "替换内置型号", "eastron-sdm120.toml"] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    assert!(!told.contains("own-meter"), "{told}");
    let output = linli(&["check", "--json", "--config", &config]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = site.path().join("eastron-sdm120.toml").display().to_string();
    assert_eq!(report["notes"][0]["file"], file.as_str(), "{report}");

    let wrong = fs::read_to_string(&file).unwrap().replacen("category = ", "categry = ", 1);
    fs::write(&file, wrong).unwrap();
    let output = linli(&["check", "--config", &config]);
    assert_eq!(output.status.code(), Some(64));
    let told = text(&output.stderr);
    assert!(
        told.contains(&format!("{file}:")) && told.contains("did you mean `category`?"),
        "{told}"
    );
    let output = linli(&["check", "--json", "--config", &config]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let fault = &report["faults"][0];
    assert_eq!(fault["file"], file.as_str(), "{report}");
    assert!(fault["line"].as_u64().unwrap() >= 1 && fault["column"].is_u64(), "{report}");
}

#[test]
fn checking_a_profile_says_what_it_lacks_and_refuses_another_meaning_of_a_known_name() {
    let folder = tempfile::tempdir().unwrap();
    let built_in =
        concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/chirpstack-milesight-ct10x.toml");
    let output = linli(&["profiles", "check", built_in]);
    assert!(output.status.success(), "a note is no fault: {}", text(&output.stderr));
    let told = text(&output.stdout);
    for part in ["lacks one of `totalActivePower`", "提示：缺少 `phaseVoltage`", "good"] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    let show = linli(&["profiles", "show", "chirpstack-milesight-ct10x"]);
    let show = text(&show.stdout);
    assert!(
        show.contains("缺少 `phaseVoltage`（电压） / lacks `phaseVoltage` (voltage)"),
        "{show}"
    );

    let file = folder.path().join("wrong-unit.toml");
    let other = fs::read_to_string(built_in).unwrap().replacen("unit = \"A\"", "unit = \"mA\"", 1);
    fs::write(&file, other).unwrap();
    let output = linli(&["profiles", "check", file.to_str().unwrap()]);
    assert!(!output.status.success());
    let told = text(&output.stderr);
    for part in ["`current` is in `mA`, by this name it is in `A` everywhere", "统一单位是 `A`"]
    {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
}

#[test]
fn the_profiles_are_listed_shown_and_checked() {
    let list = linli(&["profiles", "list"]);
    assert!(list.status.success());
    assert!(text(&list.stdout).contains("eastron-sdm630"));
    let show = linli(&["profiles", "show", "eastron-sdm630"]);
    assert!(text(&show.stdout).contains("totalActiveEnergyImport"), "{}", text(&show.stdout));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/eastron-sdm630.toml");
    assert!(linli(&["profiles", "check", file]).status.success());

    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.toml");
    let profile = fs::read_to_string(file).unwrap().replace("\"V\"", "\"Volt\"");
    fs::write(&broken, profile).unwrap();
    let output = linli(&["profiles", "check", broken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Volt"), "{}", text(&output.stderr));
}

#[test]
fn a_new_profile_is_written_checked_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme-m1.toml");
    let path = file.to_str().unwrap();
    let order = [
        "profiles",
        "new",
        "--category",
        "electricity_meter",
        "--protocol",
        "modbus",
        "--brand",
        "Acme",
        "--model",
        "M1",
        "--source",
        "sheet",
        "--table",
        "input",
        "--encoding",
        "f32",
        "--point",
        "phaseVoltage=30001",
        "--raw",
        "input:0=4366 199A",
        "--reads",
        "phaseVoltage=230.1",
        "-o",
    ];
    let printed = linli(&[&order[..], &["-"]].concat());
    assert!(printed.status.success(), "{}", text(&printed.stderr));
    assert!(text(&printed.stdout).starts_with("# acme-m1.toml"), "{}", text(&printed.stdout));
    assert!(text(&printed.stderr).contains("Modicon"), "{}", text(&printed.stderr));

    let written = linli(&[&order[..], &[path]].concat());
    assert!(written.status.success(), "{}", text(&written.stderr));
    assert!(text(&written.stdout).contains("linli profiles try"), "{}", text(&written.stdout));
    assert_eq!(fs::read(&file).unwrap(), printed.stdout);
    let checked = linli(&["profiles", "check", path]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let again = linli(&[&order[..], &[path]].concat());
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("--force"), "{}", text(&again.stderr));

    // Standard input is no terminal here: nothing is asked.
    let missing = linli(&["profiles", "new", "--brand", "Acme"]);
    assert_eq!(missing.status.code(), Some(1));
    for flag in ["--category", "--protocol", "--model", "--source", "--point"] {
        assert!(text(&missing.stderr).contains(flag), "{flag}: {}", text(&missing.stderr));
    }
}

#[test]
fn the_schema_of_a_model_that_publishes_is_printed() {
    let printed = linli(&["profiles", "schema", "info-screen"]);
    let schema: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(schema["$defs"]["state"]["properties"]["brightness"]["maximum"], 100);
    for (wanted, told) in [("eastron-sdm630", "MQTT"), ("info-scren", "did you mean `info-screen`")]
    {
        let refused = linli(&["profiles", "schema", wanted]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains(told), "{}", text(&refused.stderr));
    }
}
