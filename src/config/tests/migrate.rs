//! Old configurations, refused with the new names and written anew.

use std::path::PathBuf;

use crate::config::edit::Editor;
use crate::config::{Migrated, examine_texts, migrate};
use crate::settings::{Became, CHANGES, Change, Document, Fault, Faults};

/// Renames of every kind, as a later version may have them.
const RENAMES: &[Change] = &[
    Change { path: "web", since: "0.2.0", what: Became::Key("status") },
    Change { path: "buffer.flush", since: "0.2.0", what: Became::Key("tick") },
    Change {
        path: "buffer.sync",
        since: "0.2.0",
        what: Became::Gone("every commit is durable", "每次落盘均已持久化"),
    },
    Change { path: "device.report.*.band", since: "0.3.0", what: Became::Key("dead_band") },
];

const OLD: &str = r#"# The estate.
[gateway]
id = "box"            # ours

[web]                 # the page
listen = "127.0.0.1:8080"
[web.tls]
cert_file = "a.pem"

[buffer]
sync = true
# how often
flush    =  "1s"   # a second
budget = "256MiB"

[[device]]
id = "a"
[device.report.volume]
band = 2
[[device]]
report = { volume = { band = 3, at_least_every = "1h" }, flow = { at_least_every = "1h" } }
"#;

fn texts(text: &str) -> Vec<(PathBuf, String)> {
    vec![(PathBuf::from("linli.toml"), text.to_owned())]
}

fn migrated(text: &str, changes: &[Change], refused: &[Fault]) -> Migrated {
    migrate(&texts(text), changes, refused).unwrap().remove(0)
}

#[test]
fn renamed_keys_keep_their_place_and_every_comment() {
    let expected = OLD
        .replace("[web", "[status")
        .replace("flush    = ", "tick    = ")
        .replace("sync = true\n", "")
        .replace("band = ", "dead_band = ");
    let migrated = migrated(OLD, RENAMES, &[]);
    assert_eq!(migrated.after, expected);
    let done: Vec<&str> = migrated.done.iter().map(|words| words.en.as_str()).collect();
    assert_eq!(
        done,
        [
            "web: `web` is called `status` since version 0.2.0",
            "buffer.flush: `flush` is called `tick` since version 0.2.0",
            "buffer.sync: there is no `sync` since version 0.2.0: every commit is durable",
            "device[0].report.volume.band: `band` is called `dead_band` since version 0.3.0",
            "device[1].report.volume.band: `band` is called `dead_band` since version 0.3.0",
        ]
    );
    assert!(migrated.open.is_empty());
    let again = self::migrated(&migrated.after, RENAMES, &[]);
    assert!(again.done.is_empty(), "nothing is left to do: {:?}", again.done);
    assert_eq!(again.after, expected);
}

#[test]
fn a_file_of_windows_keeps_its_ends_of_lines() {
    let text = "[buffer]\r\nflush = \"1s\"\r\nbudget = \"1GiB\" # much\r\n";
    let migrated = migrated(text, RENAMES, &[]);
    assert_eq!(migrated.after, text.replace("flush", "tick"));
}

#[test]
fn a_file_without_old_names_stays_byte_for_byte() {
    let text = "[buffer]\r\ntick=\"1s\"\nbudget = \"1GiB\"\r\n";
    assert_eq!(migrated(text, RENAMES, &[]).after, text);
}

#[test]
fn old_and_new_name_beside_each_other_are_left_to_a_person() {
    let text = "[buffer]\nflush = \"1s\"\ntick = \"2s\"\n";
    let migrated = migrated(text, RENAMES, &[]);
    assert_eq!((migrated.after.as_str(), migrated.done.len()), (text, 0));
    assert!(migrated.open[0].en.contains("remove one"), "{:?}", migrated.open);
    assert!(migrated.open[0].zh.contains("请删除其一"));
}

#[test]
fn what_is_no_toml_is_told_by_its_file() {
    let fault = migrate(&texts("[buffer"), RENAMES, &[]).unwrap_err();
    assert!(fault.to_string().starts_with("linli.toml:"), "{fault}");
}

#[test]
fn an_old_key_is_refused_with_its_new_name_and_the_command() {
    let document = Document::parse("t.toml", "[buffer]\nflush = \"1s\"\nsync = 1\n", "".as_ref());
    let document = document.unwrap().with_changes(RENAMES);
    let mut root = document.root();
    let mut buffer = root.section("buffer").unwrap();
    assert_eq!(buffer.text("tick"), None);
    drop(buffer);
    drop(root);
    let faults = Faults::new(document.into_faults());
    let told: Vec<String> = faults.all().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("t.toml:2:1: buffer.flush: `flush` is called `tick`"), "{told:?}");
    assert!(told[0].contains("改名为 `tick`；提示：执行 `linli config migrate"), "{told:?}");
    assert!(told[1].contains("there is no `sync` since version 0.2.0"), "{told:?}");
}

const OLD_PROFILE: &str = "[gateway]\nid = \"box\"\n[buffer]\npath = \"/tmp/linli-none/buffer\"\n\
    [[bus]]\nid = \"line-1\"\nserial = \"/dev/null\"\n\
    [[device]]\nid = \"water\"\nprofile = \"xintai-water\"   # the main meter\nbus = \"line-1\"\nunit = 1\n";

#[test]
fn the_profile_that_was_renamed_is_refused_with_its_new_name_and_migrated() {
    let refused = examine_texts(&texts(OLD_PROFILE)).unwrap_err();
    let faults = refused.faults.all();
    assert_eq!(faults.len(), 1, "{}", refused.faults);
    let told = faults[0].to_string();
    assert!(told.contains("\"xintai-water\" is called \"xintai-ultrasonic-water\""), "{told}");
    let migrated = migrated(OLD_PROFILE, CHANGES, faults);
    let expected = OLD_PROFILE.replace("xintai-water", "xintai-ultrasonic-water");
    assert_eq!(migrated.after, expected);
    let good = examine_texts(&texts(&migrated.after));
    good.unwrap_or_else(|refused| panic!("{}", refused.faults));
}

#[test]
fn a_value_that_the_checker_takes_is_left_alone() {
    // A profile of the old name lies in a folder of the site.
    let migrated = migrated(OLD_PROFILE, CHANGES, &[]);
    assert_eq!((migrated.after.as_str(), migrated.done.len()), (OLD_PROFILE, 0));
}

#[test]
fn values_are_set_in_place_and_new_ones_go_to_the_end_of_their_table() {
    let text = "# head\n[gateway]\nid = \"a\"   # the name\n\n# next\n[mqtt]\n";
    let mut editor = Editor::new("t.toml", text).unwrap();
    editor.set(&["gateway", "id"], "b");
    editor.set(&["gateway", "name"], "泉景花园");
    editor.set(&["uplink", "tls", "ca_file"], "ca.pem");
    editor.set_list(&["gateway", "profiles"], ["/a", "/b"]);
    let after = editor.text();
    let expected = "# head\n[gateway]\nid = \"b\"   # the name\nname = \"泉景花园\"\n\
                    profiles = [\"/a\", \"/b\"]\n\n# next\n[mqtt]\n";
    assert!(after.starts_with(expected), "{after}");
    assert!(after.contains("[uplink.tls]\nca_file = \"ca.pem\"\n"), "{after}");
    assert_eq!(editor.get(&["gateway", "id"]), Some("b"));
    assert!(editor.remove(&["uplink"]) && !editor.remove(&["uplink"]) && !editor.has(&["uplink"]));
    assert_eq!(editor.text(), expected);
}
