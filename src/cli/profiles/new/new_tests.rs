//! The command from its flags or its questions to the file and the next step.

use std::io::Cursor;

use clap::Parser as _;

use super::*;
use crate::profile::{Loaded, parse, run_examples};

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn flags(line: &[&str]) -> Arguments {
    Line::try_parse_from(std::iter::once(&"new").chain(line)).unwrap().arguments
}

const METER: [&str; 14] = [
    "--category",
    "electricity_meter",
    "--protocol",
    "modbus",
    "--brand",
    "Acme",
    "--model",
    "M1",
    "--source",
    "Acme M1 registers, edition 3",
    "--table",
    "input",
    "--encoding",
    "f32",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    METER.iter().copied().chain(more.iter().copied()).collect()
}

/// What is asked, and the profile that comes of the answers.
fn asked(line: &[&str], answers: &str) -> (String, io::Result<gather::Gathered>) {
    let mut told = Vec::new();
    let mut desk = ask::Desk::new(Cursor::new(answers.as_bytes()), &mut told);
    let gathered = questions::from_desk(&flags(line), &Library::built_in(), &mut desk);
    (String::from_utf8(told).unwrap(), gathered)
}

fn written(gathered: gather::Gathered) -> Loaded {
    let (answers, expected, _) = gathered;
    let text = write::text(&answers, &expected);
    let loaded = parse(&format!("{}.toml", answers.id), &text)
        .unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    assert_eq!(run_examples(&loaded), [], "{text}");
    loaded
}

#[test]
fn flags_alone_write_a_whole_profile() {
    let line = with(&[
        "--point=phaseVoltage=0x0000:V",
        "--point=totalActiveEnergyImport=0x0100:kW.h",
        "--raw=input:0x0000=4366 199A",
        "--reads=phaseVoltage=230.1",
    ]);
    let loaded = written(gather::from_flags(&flags(&line), &Library::built_in()).unwrap());
    assert_eq!(loaded.profile.id, "acme-m1");
    assert_eq!(loaded.profile.points.len(), 2);
}

#[test]
fn what_is_missing_or_wrong_is_named_all_at_once() {
    let library = Library::built_in();
    let missing = gather::from_flags(&flags(&[]), &library).unwrap_err().join("\n");
    for flag in ["--category", "--protocol", "--brand", "--model", "--source", "--point"] {
        assert!(missing.contains(flag), "{flag}: {missing}");
    }
    let line = with(&["--point=v=abc", "--point=w=1:Volt", "--raw=0=4366"]);
    let wrong = gather::from_flags(&flags(&line), &library).unwrap_err();
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[1].contains("it is written `V`") && wrong[2].contains("--reads"), "{wrong:?}");
}

#[test]
fn a_wrong_word_of_a_flag_is_refused_with_what_is_allowed() {
    for (line, told) in [
        (["--category", "electricity"], "did you mean `electricity_meter`?"),
        (["--protocol", "bacnet"], "modbus dlt645 cjt188 mqtt"),
        (["--frame", "7E1"], "8N1"),
        (["--encoding", "float"], "f32"),
        (["--id", "Acme M1"], "lower-case"),
        (["--unit", "0"], "1 to 247"),
    ] {
        let error = Line::try_parse_from(["new"].iter().chain(&line)).unwrap_err().to_string();
        assert!(error.contains(told), "{line:?}: {error}");
    }
}

#[test]
fn questions_have_defaults_and_wrong_answers_are_asked_again() {
    // Category, wrong first; protocol by default; brand, empty first; the rest as it comes.
    let answers = "electricity\nelectricity_meter\n\n\nAcme\nM1\n\n\n\nAcme sheet\n\n\n3\n\n\
                   input\nf32\n\n0x0000:V\nabc\n.\nmine=0x0010:W\n\n\
                   input:0x0000=4366 199A\n\nphaseVoltage=230.1\nother=1\n\n";
    let library = Library::built_in();
    let expected = expected::Expected::of(&library, Category::ElectricityMeter);
    let first = expected.names()[0].clone();
    let answers = answers.replace("phaseVoltage", &first).replace(":V\n", "\n");
    let (told, gathered) = asked(&[], &answers);
    let loaded = written(gathered.unwrap_or_else(|error| panic!("{error}\n{told}")));
    assert_eq!(loaded.profile.id, "acme-m1");
    assert_eq!(loaded.profile.category, Category::ElectricityMeter);
    let names: Vec<&str> = loaded.profile.points.iter().map(|point| &*point.name).collect();
    assert_eq!(names, [first.as_str(), "mine"]);
    assert!(told.contains("did you mean `electricity_meter`?"), "{told}");
    assert!(told.contains("[9600]") && told.contains("[acme-m1]"), "{told}");
    assert!(told.contains("an answer is needed") && told.contains("no address"), "{told}");
    assert!(told.contains("`other`"), "{told}");
}

#[test]
fn what_flags_say_is_not_asked() {
    let line = with(&[
        "--id=acme",
        "--zh=电表",
        "--en=meter",
        "--baud=9600",
        "--frame=8N1",
        "--unit=3",
        "--first-address=auto",
        "--order=abcd",
        "--point=v=1:V",
    ]);
    let (told, gathered) = asked(&line, "\n");
    let (answers, ..) = gathered.unwrap();
    assert_eq!((answers.unit, answers.points.len()), (Some(3), 1));
    assert!(!told.contains("brand") && told.contains("raw values"), "{told}");
}

#[test]
fn meters_and_mqtt_devices_are_asked_what_concerns_them() {
    let common = "Acme\nM1\n\n\n\nsheet\n";
    let meter = format!("water_meter\ncjt188\n{common}0x10\n\n\n.\nwaterConsumption=volume\n\n\n");
    let (told, gathered) = asked(&[], &meter);
    let (answers, ..) = gathered.unwrap_or_else(|error| panic!("{error}\n{told}"));
    assert_eq!(
        (answers.protocol, answers.baud, answers.meter_type),
        (Protocol::Cjt188, 2400, 0x10)
    );
    assert!(!told.contains("word order"), "{told}");

    let bin = format!(
        "waste_bin\nmqtt\n{common}\n.\nlevel=/fill:%\n\n{{base}}/state={{\"fill\":65}}\n\nlevel=65\n\n"
    );
    let (told, gathered) = asked(&[], &bin);
    let loaded = written(gathered.unwrap_or_else(|error| panic!("{error}\n{told}")));
    assert_eq!(loaded.profile.points[0].unit.code(), "%");
    assert!(!told.contains("baud"), "{told}");
}

#[test]
fn answers_that_end_too_early_are_said() {
    let (_, gathered) = asked(&[], "electricity_meter\n");
    assert!(gathered.unwrap_err().to_string().contains("the answers ended at `protocol`"));
    let (_, gathered) = asked(&[], &"nonsense\n".repeat(50));
    assert!(gathered.unwrap_err().to_string().contains("wrong answers to `category`"));
}

#[test]
fn the_advice_tells_the_state_and_the_order_that_would_fit() {
    let library = Library::built_in();
    let advice = |more: &[&str]| {
        let (answers, expected, _) = gather::from_flags(&flags(&with(more)), &library).unwrap();
        let text = write::text(&answers, &expected);
        advice::tell(&answers, &expected, &text, Path::new("acme-m1.toml"), &library).join("\n")
    };
    let open = advice(&["--point=v=0:V"]);
    assert!(
        open.contains("还缺样例") && open.contains("--tcp HOST:PORT --unit 1 --example"),
        "{open}"
    );
    let good = advice(&["--point=v=0:V", "--raw=0=4366 199A", "--reads=v=230.1"]);
    assert!(good.contains("good") && good.contains("profile = \"acme-m1\""), "{good}");
    let swapped = advice(&["--point=v=0:V", "--raw=0=199A 4366", "--reads=v=230.1"]);
    assert!(swapped.contains("with order = \"cdab\" it does"), "{swapped}");
    let named = advice(&["--id=eastron-sdm120", "--point=v=0:V"]);
    assert!(named.contains("replaces it"), "{named}");
}

#[test]
fn a_file_that_is_there_stays_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme-m1.toml");
    let file = file.to_str().unwrap();
    let run = |more: &[&str]| {
        let line = with(&[&["--no-input", "--point=v=0:V"], more].concat());
        execute(&flags(&line), &Library::built_in())
    };
    run(&["-o", file]).unwrap();
    let first = std::fs::read_to_string(file).unwrap();
    let refused = run(&["-o", file, "--unit=9"]).unwrap_err().to_string();
    assert!(refused.contains("--force") && refused.contains("acme-m1.toml"), "{refused}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), first);
    run(&["-o", file, "--unit=9", "--force"]).unwrap();
    assert!(std::fs::read_to_string(file).unwrap().contains("unit = 9"));
    let differ = run(&["-o", file, "--id=other"]).unwrap_err().to_string();
    assert!(differ.contains("identifier"), "{differ}");
    run(&["-o", folder.path().to_str().unwrap(), "--id=other"]).unwrap();
    assert!(folder.path().join("other.toml").exists());
}

/// A line of a shell, taken apart at spaces outside quotes.
fn words_of(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, c) if c.is_whitespace() => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()))
            }
            (_, c) => word.push(c),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[test]
fn the_commands_that_the_documents_show_write_what_they_say() {
    let documents = [
        ("README.md", include_str!("../../../../README.md")),
        ("README.zh-CN.md", include_str!("../../../../README.zh-CN.md")),
        ("guide", include_str!("../../../../config/profiles/README.md")),
    ];
    for (name, text) in documents {
        let text = text.replace("\\\n", " ");
        let lines = text.lines().map(str::trim).filter(|l| l.starts_with("linli profiles new --"));
        let mut shown = 0;
        for line in lines {
            let words = words_of(line);
            let words: Vec<&str> = words.iter().skip(3).map(String::as_str).collect();
            let gathered = gather::from_flags(&flags(&words), &Library::built_in());
            let (answers, expected, _) = gathered.unwrap_or_else(|why| panic!("{name}: {why:?}"));
            let text = write::text(&answers, &expected);
            let file = format!("{}.toml", answers.id);
            let told =
                advice::tell(&answers, &expected, &text, Path::new(&file), &Library::built_in());
            let state = &told[0];
            assert!(state.contains("good") || state.contains("还缺样例"), "{name}: {told:?}");
            shown += 1;
        }
        assert!(shown > 0, "{name} shows no command");
    }
}
