//! `linli users`: the users file, from the console. It may be changed while the gateway runs, which
//! notices within seconds.

mod password;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
pub(super) use password::{hashed, hashed_of, strong};

use super::page::page_of;
use super::{BAD_CONFIGURATION, complain, runtime, say};
use crate::access::{More, Role, Token, User, Users, UsersFault, check_name, digest, new_token};
use crate::app::users_file;
use crate::config::{self, Settings};
use crate::status;

/// Longest life of a token.
const LONGEST: Duration = Duration::from_secs(3660 * 86_400);

/// What to do with the users.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Configuration file; it says where the users file lies.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        default_value = "/etc/linli/linli.toml"
    )]
    config: PathBuf,
    /// The users file, instead of the configuration's.
    #[arg(long, global = true, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Add a user; asks for the password, or reads it as a line of standard input (新增用户).
    Add {
        /// Name to log in with.
        name: String,
        /// viewer looks; maintainer also records, attests, scans and reads the audit trail.
        #[arg(long, value_parser = role)]
        role: Role,
        /// The password's hash from `linli hash-password`, instead of the password.
        #[arg(long, value_name = "HASH")]
        hash: Option<String>,
    },
    /// Set another password; the user's sessions end (修改口令).
    Passwd {
        /// Whose.
        name: String,
        /// The password's hash from `linli hash-password`, instead of the password.
        #[arg(long, value_name = "HASH")]
        hash: Option<String>,
    },
    /// Set another role; the user's sessions end (变更角色).
    Role {
        /// Whose.
        name: String,
        /// viewer or maintainer.
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Remove a user; the user's sessions end (删除用户).
    Remove {
        /// Whom.
        name: String,
    },
    /// Make an API token for a script and print it, this once (新建接口令牌).
    Token {
        /// Its name.
        name: String,
        /// viewer or maintainer.
        #[arg(long, value_parser = role, default_value = "viewer")]
        role: Role,
        /// How long it is good, e.g. `90d`; without it until it is revoked. While the clock is not
        /// trusted, a token that ends is not taken.
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires: Option<Duration>,
    },
    /// Revoke an API token (吊销接口令牌).
    Revoke {
        /// Its name.
        name: String,
    },
    /// List users and tokens, with the last use of these when the gateway runs (列出).
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.into_iter().find(|role| role.word() == text);
    known.ok_or_else(|| "allowed are viewer, maintainer / 可用 viewer、maintainer".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let span = super::span(text)?;
    let allowed = Duration::from_secs(60)..=LONGEST;
    allowed.contains(&span).then_some(span).ok_or_else(|| "1m to 3660d / 1m 至 3660d".to_owned())
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = match (&arguments.file, config::load(&arguments.config)) {
        (_, Ok(settings)) => Some(settings),
        (Some(_), Err(_)) => None,
        (None, Err(faults)) => {
            complain(&faults.to_string());
            complain(
                "the users file can be named with --file instead / 也可用 --file 直接指明用户文件",
            );
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    let file = match (&arguments.file, &settings) {
        (Some(file), _) => file.clone(),
        (None, Some(settings)) => users_file(settings),
        (None, None) => bail!("no users file is named / 未指明用户文件"),
    };
    match &arguments.action {
        Action::Add { name, role, hash } => add(&file, name, *role, hash.as_deref())?,
        Action::Passwd { name, hash } => {
            known(&file, name)?;
            let hash = hashed(name, hash.as_deref())?;
            change_user(&file, name, |user| user.hash = hash)?;
            say(&format!("password of `{name}` is set / 已修改 `{name}` 的口令"));
        }
        Action::Role { name, role } => {
            change_user(&file, name, |user| user.role = *role)?;
            say(&format!("`{name}` is {} / `{name}` 的角色为{}", role.word(), role.words().zh));
        }
        Action::Remove { name } => {
            remove(&file, name, |users| {
                let before = users.users.len();
                users.users.retain(|user| user.name != *name);
                before > users.users.len()
            })?;
            say(&format!("`{name}` is removed / 已删除用户 `{name}`"));
        }
        Action::Token { name, role, expires } => token(&file, name, *role, *expires)?,
        Action::Revoke { name } => {
            remove(&file, name, |users| {
                let before = users.tokens.len();
                users.tokens.retain(|token| token.name != *name);
                before > users.tokens.len()
            })?;
            say(&format!("token `{name}` is revoked / 已吊销令牌 `{name}`"));
        }
        Action::List { json } => list(&file, settings.as_ref(), *json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// `linli hash-password`
pub(super) fn hash_password() -> anyhow::Result<ExitCode> {
    say(&hashed("", None)?);
    Ok(ExitCode::SUCCESS)
}

fn edit(file: &Path, change: impl FnOnce(&mut Users) -> anyhow::Result<()>) -> anyhow::Result<()> {
    struct Wrong(anyhow::Error);
    impl From<UsersFault> for Wrong {
        fn from(fault: UsersFault) -> Self {
            Self(anyhow::anyhow!(fault.words().both()))
        }
    }
    Users::edit(file, |users| {
        users.changed_by = person();
        change(users).map_err(Wrong)
    })
    .map_err(|Wrong(error)| error)
}

/// Who sits at the console, as far as the system says; for the audit trail.
fn person() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let name = variable("SUDO_USER").or_else(|| variable("USER")).unwrap_or_else(|| "?".into());
    let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    format!("console:{name}")
}

fn add(file: &Path, name: &str, role: Role, hash: Option<&str>) -> anyhow::Result<()> {
    fresh_name(name)?;
    if Users::load(file).is_ok_and(|users| users.user(name).is_some()) {
        bail!("there is a user `{name}` already / 已有用户 `{name}`");
    }
    let hash = hashed(name, hash)?;
    edit(file, |users| {
        if users.user(name).is_some() {
            bail!("there is a user `{name}` already / 已有用户 `{name}`");
        }
        users.users.push(User { name: name.to_owned(), role, hash, more: More::new() });
        Ok(())
    })?;
    say(&format!(
        "`{name}` may log in as {} / 用户 `{name}` 可以登录，角色为{}",
        role.word(),
        role.words().zh
    ));
    Ok(())
}

/// Adds a maintainer for `linli setup`, or sets the password of one that is there; makes the folder of
/// the users file where the service has not run yet.
///
/// # Errors
/// The name is none, or the file cannot be written.
pub(super) fn first_user(file: &Path, name: &str, hash: String) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    use anyhow::Context as _;
    fresh_name(name)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.is_dir()) {
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o750).create(folder);
        made.with_context(|| format!("{} cannot be made / 无法创建", folder.display()))?;
    }
    edit(file, |users| {
        match users.users.iter_mut().find(|user| user.name == name) {
            Some(user) => user.hash = hash,
            None => users.users.push(User {
                name: name.to_owned(),
                role: Role::Maintainer,
                hash,
                more: More::new(),
            }),
        }
        Ok(())
    })
}

fn fresh_name(name: &str) -> anyhow::Result<()> {
    if check_name(name) {
        return Ok(());
    }
    bail!(
        "`{name}` is no name: 1 to 32 letters, digits, `.`, `_`, `-`, and not `console`, `local`, \
         `signal` / 用户名须为 1 至 32 个字母（含汉字）、数字或 `.`、`_`、`-`"
    )
}

fn known(file: &Path, name: &str) -> anyhow::Result<()> {
    let users =
        Users::load(file).map_err(|fault| anyhow::anyhow!("{fault} / {}", fault.words().zh))?;
    if users.user(name).is_none() {
        bail!("there is no user `{name}` / 没有用户 `{name}`");
    }
    Ok(())
}

fn change_user(file: &Path, name: &str, change: impl FnOnce(&mut User)) -> anyhow::Result<()> {
    edit(file, |users| match users.users.iter_mut().find(|user| user.name == name) {
        Some(user) => {
            change(user);
            Ok(())
        }
        None => bail!("there is no user `{name}` / 没有用户 `{name}`"),
    })
}

fn remove(file: &Path, name: &str, work: impl FnOnce(&mut Users) -> bool) -> anyhow::Result<()> {
    edit(file, |users| {
        if !work(users) {
            bail!("there is no `{name}` / 没有 `{name}`");
        }
        Ok(())
    })
}

fn token(file: &Path, name: &str, role: Role, expires: Option<Duration>) -> anyhow::Result<()> {
    fresh_name(name)?;
    let token = new_token()?;
    let made_ms = jiff::Timestamp::now().as_millisecond();
    let ends_ms = expires
        .map(|span| made_ms.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)));
    edit(file, |users| {
        if users.tokens.iter().any(|token| token.name == name) {
            bail!("there is a token `{name}` already / 已有令牌 `{name}`");
        }
        let (name, sha256) = (name.to_owned(), digest(&token));
        users.tokens.push(Token { name, role, sha256, made_ms, ends_ms, more: More::new() });
        Ok(())
    })?;
    complain(&format!(
        "token `{name}`, {}; it is shown this once / 令牌 `{name}`（{}），仅显示这一次：",
        role.word(),
        role.words().zh
    ));
    say(token.expose());
    Ok(())
}

fn list(file: &Path, settings: Option<&Settings>, json: bool) -> anyhow::Result<()> {
    let users =
        Users::load(file).map_err(|fault| anyhow::anyhow!("{fault} / {}", fault.words().zh))?;
    // The running gateway knows when tokens were used.
    let running = match settings.and_then(page_of) {
        Some(page) => runtime()?.block_on(status::fetch(&page, "/api/v1/users")).ok(),
        None => None,
    };
    let running: serde_json::Value =
        running.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default();
    let used = |name: &str| {
        let rows = running["tokens"].as_array()?;
        rows.iter().find(|row| row["name"] == name)?["used_ms"].as_i64()
    };
    if json {
        let people: Vec<_> = users
            .users
            .iter()
            .map(|user| serde_json::json!({ "name": user.name, "role": user.role.word() }))
            .collect();
        let tokens: Vec<_> = users
            .tokens
            .iter()
            .map(|token| {
                serde_json::json!({
                    "name": token.name, "role": token.role.word(), "made_ms": token.made_ms,
                    "ends_ms": token.ends_ms, "used_ms": used(&token.name),
                })
            })
            .collect();
        say(&serde_json::to_string_pretty(
            &serde_json::json!({ "users": people, "tokens": tokens }),
        )?);
        return Ok(());
    }
    if users.users.is_empty() {
        say("no user yet: linli users add NAME --role maintainer / 尚无用户");
    }
    for user in &users.users {
        say(&format!("{:<11} {} {}", user.role.word(), user.role.words().zh, user.name));
    }
    let date = |ms: Option<i64>| {
        ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .map_or_else(|| "-".to_owned(), |stamp| stamp.strftime("%Y-%m-%dT%H:%MZ").to_string())
    };
    for token in &users.tokens {
        say(&format!(
            "{:<11} {} token 令牌 {}: made 创建 {}, ends 到期 {}, last used 最近使用 {}",
            token.role.word(),
            token.role.words().zh,
            token.name,
            date(Some(token.made_ms)),
            date(token.ends_ms),
            date(used(&token.name)),
        ));
    }
    Ok(())
}
