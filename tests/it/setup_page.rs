//! `linli setup --page`: an installer with a phone, from the code on the console to the
//! configuration.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::parts::{Process, free_port, program, wait_until};

/// One request; the answer with its head.
fn ask(port: u16, method: &str, path: &str, cookie: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{cookie}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn between<'t>(text: &'t str, begin: &str, end: char) -> &'t str {
    let rest = text.split(begin).nth(1).unwrap_or_else(|| panic!("`{begin}` is missing:\n{text}"));
    rest.split(end).next().unwrap()
}

#[test]
fn a_phone_with_the_code_of_the_console_fills_the_form_in_and_the_box_is_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let config = at("linli.toml");
    let text = format!("[buffer]\npath = \"{}\"\nkeep_free = \"1MiB\"\n", at("buffer").display());
    fs::write(&config, text).unwrap();
    let port = free_port();
    let mut command = Command::new(program());
    command.args(["setup", "--page", "--no-start", "--wait", "0s", "--page-listen"]);
    command.arg(format!("127.0.0.1:{port}")).arg("--config").arg(&config);
    command.stdout(Stdio::null()).stderr(fs::File::create(at("told")).unwrap());
    let setup = Process::start(&mut command);
    let told = || fs::read_to_string(at("told")).unwrap();
    wait_until("the code is on the console", || told().contains("一次性验证码："));
    let code = between(&told(), "一次性验证码：", '\n').to_owned();

    let wrong = ask(port, "POST", "/code", "", "code=0000-0000-0000x");
    assert!(wrong.starts_with("HTTP/1.0 403"), "{wrong}");
    let entered = ask(port, "POST", "/code", "", &format!("code={code}"));
    let cookie = format!("linli_setup={}", between(&entered, "linli_setup=", ';'));
    let page = ask(port, "GET", "/", &cookie, "");
    let proof = between(&page, "name=\"csrf\" value=\"", '"').to_owned();

    // A weak password first: the form comes back and says so, and nothing was written.
    let form = |password: &str| {
        format!(
            "csrf={proof}&id=box-5&name=%E6%B3%89&kind=new&serial=none&scan=no&broker=none&\
             platform=platform.city.cn&tls=yes&listen=127.0.0.1%3A8081&user=wang&password={password}"
        )
    };
    ask(port, "POST", "/", &cookie, &form("12345678"));
    wait_until("the form is back", || ask(port, "GET", "/", &cookie, "").contains("口令过弱"));
    assert!(!fs::read_to_string(&config).unwrap().contains("box-5"));
    ask(port, "POST", "/", &cookie, &form("quiet-Spring-2026-north"));
    wait_until("all is done", || ask(port, "GET", "/", &cookie, "").contains("配置已就位"));
    let text = fs::read_to_string(&config).unwrap();
    for part in ["id = \"box-5\"", "name = \"泉\"", "kind = \"new\"", "[uplink.tls]"] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    assert!(fs::read_to_string(at("users.json")).unwrap().contains("\"wang\""));
    assert_eq!(setup.wait(), 0, "{}", told());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the page is gone");
}
