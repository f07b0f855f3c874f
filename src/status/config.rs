//! Settings of the local page.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::settings::{Fault, Section};

/// Settings of the local page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the page listens. Reachable from other machines only when set so.
    pub listen: SocketAddr,
    /// Who is let in.
    pub access: AccessBy,
    /// The users file; beside the store when it is left out.
    pub users: Option<PathBuf>,
}

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessBy {
    /// Who logs in, or shows an API token.
    #[default]
    Login,
    /// Everybody on this machine; only on a loopback address.
    Open,
}

impl Default for Config {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Self { listen, access: AccessBy::Login, users: None }
    }
}

impl Config {
    /// Reads the section `[status]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[
            ("port", "listen"),
            ("host", "listen"),
            ("address", "listen"),
            ("auth", "access"),
            ("login", "access"),
        ]);
        for key in ["password", "user", "username"] {
            section.refuse(
                key,
                ("users and passwords stand in no configuration", "用户与口令不写在配置文件中"),
                (
                    "run `linli users add NAME --role maintainer`",
                    "请执行 `linli users add 用户名 --role maintainer`",
                ),
            );
        }
        let listen = section.socket_or("listen", Self::default().listen);
        let words = [("login", AccessBy::Login), ("open", AccessBy::Open)];
        let access = section.word_or("access", &words, AccessBy::default());
        if access == AccessBy::Open && !listen.ip().is_loopback() {
            let problem = (
                format!(
                    "the page listens on {listen}, which others reach: without a login they could do everything"
                ),
                format!("页面监听 {listen}，其他机器可达：不登录即可进行任何操作"),
            );
            let fault = Fault::new(section.place("access"), problem)
                .allowed("\"login\"; \"open\" only with `listen` on 127.0.0.1 or [::1]")
                .hint((
                    "leave `access` out and run `linli users add NAME --role maintainer`",
                    "去掉 `access`，并执行 `linli users add 用户名 --role maintainer`",
                ));
            section.note(fault);
        }
        Self { listen, access, users: section.path("users") }
    }
}
