//! The page's API against its OpenAPI document, by a tool that makes up requests: schemathesis.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::parts::{ask, free_port, linli, lonely_site, python, wait_until};

#[test]
fn schemathesis_finds_no_server_error_and_no_answer_that_the_document_does_not_describe() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = lonely_site(folder.path(), port, "接口");
    let daemon = linli(&config, &folder.path().join("log"));
    let page = SocketAddr::from(([127, 0, 0, 1], port));
    wait_until("the star level is assessed", || {
        ask(page, "/api/v1/stars").is_some_and(|stars| stars["star"].is_number())
    });
    let tool = Path::new(python().get_program()).with_file_name("schemathesis");
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/stream/openapi.json");
    let output = Command::new(tool)
        .current_dir(folder.path())
        .arg("run")
        .arg(document)
        .args(["--url", &format!("http://{page}")])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "20"])
        .args(["--max-time", "60", "--request-timeout", "20", "--workers", "1"])
        .args(["--seed", "1", "--generation-database", "none", "--no-color"])
        // The page is open here: the login's own tests hold who may what. What a query says beyond
        // what is known, or twice, is passed over and no fault. What a name, a reason or a time may be
        // the document says in words; the tests of the forms hold it.
        .args(["--exclude-checks", "ignored_auth,negative_data_rejection,positive_data_acceptance"])
        // A scan goes on as long as its bus is long; its refusals have tests of their own.
        .args(["--exclude-operation-id", "scanBus"])
        // Streams have no end.
        .args(["--exclude-operation-id", "deviceLive", "--exclude-operation-id", "events"])
        // Each takes seconds, and one is made at a time.
        .args(["--exclude-operation-id", "supportBundle"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let summary: Vec<&str> = told.lines().rev().take(25).collect();
    println!("{}", summary.into_iter().rev().collect::<Vec<_>>().join("\n"));
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("Operations"), "nothing was asked:\n{told}");
    assert_eq!(daemon.terminate(), 0);
}
