//! Tests of a configuration of several files.

use std::path::Path;

use crate::config::load;
use crate::settings::Fault;

#[test]
fn drop_ins_add_devices_and_their_faults_name_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("linli.toml");
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    std::fs::write(
        &main,
        "gateway.id = 'g'\nbuffer.path = 'buffer'\nuplink.host = 'x'\n\
        uplink.password_file = 'gone'\nuplink.username = 'u'\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("conf.d/a.toml"), "[gateway]\nid = 'x'\n").unwrap();
    std::fs::write(folder.path().join("conf.d/b.toml"), "\n[[bus]]\nid = 'n'\ntcp = 'x'\n")
        .unwrap();
    let faults = load(&main).unwrap_err();
    let told: Vec<String> = faults.all().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told.iter().any(|t| t.contains("gone cannot be read")), "{told:#?}");
    assert!(
        told.iter().any(|t| t.contains("a.toml:1:2") && t.contains("no key `gateway`")),
        "{told:#?}"
    );
    assert!(told.iter().any(|t| t.contains("b.toml:4:7") && t.contains("x:502")), "{told:#?}");
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_the_syntax_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("linli.toml");
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    std::fs::write(&main, "gateway.id =\n").unwrap();
    std::fs::write(folder.path().join("conf.d/a.toml"), b"# \xff\n").unwrap();
    std::fs::write(folder.path().join("conf.d/b.toml"), "[[bus]\n").unwrap();
    std::fs::create_dir(folder.path().join("conf.d/c.toml")).unwrap();
    let told = |path: &Path| {
        let faults = load(path).unwrap_err();
        let file = |fault: &Fault| fault.place.file.rsplit('/').next().unwrap().to_owned();
        faults.all().iter().map(file).collect::<Vec<_>>()
    };
    assert_eq!(told(&main), ["linli.toml", "a.toml", "b.toml", "c.toml"]);
    // Nor does a main file that is not there.
    assert_eq!(
        told(&folder.path().join("other.toml")),
        ["other.toml", "a.toml", "b.toml", "c.toml"]
    );
    std::fs::remove_dir_all(folder.path().join("conf.d")).unwrap();
    std::fs::write(folder.path().join("conf.d"), "").unwrap();
    assert_eq!(told(&main), ["linli.toml", "conf.d"]);
}
