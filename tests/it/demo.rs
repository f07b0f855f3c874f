//! The first command of the README: everything in one process, with nothing else installed.

use std::process::Command;

use crate::parts::free_port;

#[test]
fn the_demo_survives_its_own_faults_and_its_platform_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let page = format!("127.0.0.1:{}", free_port());
    // Long enough for the dead meter, the falling counter and the cut line to the platform.
    let output = Command::new(env!("CARGO_BIN_EXE_linli"))
        .args(["demo", "--for", "65s", "--listen", &page, "--dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("nothing was lost"), "{text}");
    for story in ["stops answering", "runs backwards", "is cut", "is whole again"] {
        assert!(text.contains(story), "`{story}` is missing in\n{text}");
    }
    let received = text.lines().find(|line| line.starts_with("readings")).unwrap();
    assert!(received.contains("devices 59"), "{received}");
    let late = text.lines().find(|line| line.starts_with("blocks")).unwrap();
    assert!(!late.contains("late 0,"), "the outage left nothing to follow: {late}");
}
