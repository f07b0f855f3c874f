//! The service, in systemd's words: `systemctl show linli.service`.

use std::collections::HashMap;

use super::{Area, Item, Level};

/// What is asked of systemd.
pub const PROPERTIES: &str = "LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,\
UnitFileState,MainPID,MemoryCurrent,MemoryHigh,DropInPaths,User,SupplementaryGroups,WatchdogUSec";

/// From so many restarts on something is wrong for good.
const MANY: u64 = 3;
/// Exit status of a daemon whose configuration is wrong.
const BAD_CONFIGURATION: &str = "64";
/// Exit status of a daemon that cannot read what another version stored.
const OTHER_VERSION: &str = "65";
/// The drop-in of an upgrade's trial.
const TRIAL: &str = "linli.service.d/trial.conf";

/// The service as systemd sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service(HashMap<String, String>);

impl Service {
    /// Reads what `systemctl show` printed.
    pub fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Self(pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect())
    }

    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.get(key).parse().ok()
    }

    /// Whether systemd knows it.
    pub fn is_known(&self) -> bool {
        self.get("LoadState") == "loaded"
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.get("ActiveState") == "active"
    }

    /// Whether it ended and is not started again.
    pub fn failed(&self) -> bool {
        self.get("ActiveState") == "failed"
    }

    /// Its main process.
    pub fn pid(&self) -> Option<u32> {
        self.get("MainPID").parse().ok().filter(|pid| *pid > 0)
    }

    /// Starts by systemd itself since somebody started it.
    pub fn restarts(&self) -> u64 {
        self.number("NRestarts").unwrap_or(0)
    }

    /// How it ended last: `success`, `exit-code`, `watchdog`, …
    pub fn result(&self) -> &str {
        self.get("Result")
    }

    /// Its state, as systemd writes it: `active (running)`.
    pub fn state(&self) -> String {
        format!("{} ({})", self.get("ActiveState"), self.get("SubState"))
    }

    /// As which user it runs.
    pub fn user(&self) -> Option<&str> {
        Some(self.get("User")).filter(|user| !user.is_empty())
    }

    /// Groups that it gets beside its user's.
    pub fn groups(&self) -> Vec<&str> {
        self.get("SupplementaryGroups").split_whitespace().collect()
    }
}

/// Judges the service; `answers` says whether a gateway answers on the page.
pub fn judge(service: &Service, answers: bool) -> Vec<Item> {
    if !service.is_known() {
        let state = match service.get("LoadState") {
            "" => "unknown",
            state => state,
        };
        let seen =
            (format!("there is no linli.service: {state}"), format!("没有 linli.service：{state}"));
        return vec![if answers {
            Item::notice(Area::Service, seen)
        } else {
            Item::wrong(
                Area::Service,
                Level::Warning,
                seen,
                (
                    "install the package, or the unit file of the sources",
                    "安装软件包，或使用源码中的服务单元文件",
                ),
            )
        }];
    }
    let mut items = vec![state(service)];
    items.extend(restarts(service));
    items.extend(at_boot(service));
    items.extend(memory(service));
    if service.get("DropInPaths").contains(TRIAL) {
        items.push(Item::notice(
            Area::Upgrade,
            (
                "a new version is on trial: linli upgrade --status",
                "新版本正在试运行：linli upgrade --status",
            ),
        ));
    }
    items
}

fn state(service: &Service) -> Item {
    let (state, result) = (service.state(), service.result());
    if service.runs() {
        return Item::good(
            Area::Service,
            (format!("it runs: {state}"), format!("运行中：{state}")),
        );
    }
    let status = service.get("ExecMainStatus");
    let seen = (
        format!("it does not run: {state}, {result}, exit status {status}"),
        format!("未运行：{state}，{result}，退出码 {status}"),
    );
    let todo = match status {
        BAD_CONFIGURATION => (
            "the configuration is wrong: linli check; then systemctl restart linli",
            "配置有误：linli check；修正后 systemctl restart linli",
        ),
        OTHER_VERSION => (
            "another version wrote the store: install that version again; which it is: \
             journalctl -u linli -n 50",
            "缓存由其他版本写入：请重新安装该版本；详情：journalctl -u linli -n 50",
        ),
        _ => (
            "systemctl start linli; when it ends again: journalctl -u linli -n 50",
            "systemctl start linli；若再次退出：journalctl -u linli -n 50",
        ),
    };
    Item::wrong(Area::Service, Level::Critical, seen, todo)
}

fn restarts(service: &Service) -> Option<Item> {
    let count = service.restarts();
    let result = service.result();
    (count > 0).then(|| {
        Item::wrong(
            Area::Service,
            if count >= MANY { Level::Warning } else { Level::Notice },
            (
                format!("systemd started it again {count} times, last: {result}"),
                format!("systemd 已自动重启 {count} 次，最近原因：{result}"),
            ),
            (
                "journalctl -u linli -p warning; send the maker a support bundle",
                "journalctl -u linli -p warning；将 support-bundle 发给厂家",
            ),
        )
    })
}

fn at_boot(service: &Service) -> Option<Item> {
    let state = service.get("UnitFileState");
    matches!(state, "disabled" | "masked").then(|| {
        Item::wrong(
            Area::Service,
            Level::Warning,
            (
                format!("it does not start with the machine ({state})"),
                format!("开机不会自动启动（{state}）"),
            ),
            ("systemctl enable linli", "systemctl enable linli"),
        )
    })
}

fn memory(service: &Service) -> Option<Item> {
    let (used, high) = (service.number("MemoryCurrent")?, service.number("MemoryHigh")?);
    let (shown, limit) = (super::storage::size(used), super::storage::size(high));
    // Above it the kernel slows the daemon down.
    let seen = (
        format!("the service takes {shown}, its limit is {limit}"),
        format!("服务占用 {shown}，上限 {limit}"),
    );
    Some(if used > high / 10 * 9 {
        Item::wrong(
            Area::Memory,
            Level::Warning,
            seen,
            (
                "fewer devices on this box, or a higher MemoryHigh: systemctl edit linli",
                "减少本机设备数，或提高 MemoryHigh：systemctl edit linli",
            ),
        )
    } else {
        Item::good(Area::Memory, seen)
    })
}
