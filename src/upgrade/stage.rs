//! Before anything that runs is touched: the signature, the machine, the version, and what the new
//! program says of the configuration.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::desk::Desk;
use super::file::{copy, copy_folder, remove_folder};
use super::state::FORMAT;
use super::{Fault, State, Step, System};

/// Most bytes of a next version.
const MOST: u64 = 256 << 20;
/// Name of our package.
const NAME: &str = "linli";
/// Bytes of a program's head that tell for which machine it is: ELF, e_machine at 18.
const HEAD: usize = 20;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// A package or a program; its signature lies beside it.
    pub file: PathBuf,
    /// An older version is allowed.
    pub downgrade: bool,
    /// Longest trial.
    pub within: Duration,
    /// The trial must show a good reading.
    pub want_reading: bool,
    /// The trial must show an acknowledgement of the platform.
    pub want_acknowledged: bool,
}

impl Desk {
    /// Looks at the file and puts it ready. Nothing that runs is touched.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn stage(&self, system: &mut impl System, order: &Order) -> Result<State, Fault> {
        if self.state()?.is_some() {
            return Err(Fault::new(
                "the last upgrade was cut short: linli upgrade --recover",
                "上次升级被中断：请先执行 linli upgrade --recover",
            ));
        }
        self.before(system, order)?;
        let package = self.fetch(system, order)?;
        let program = self.places.new_program();
        same_machine(&program, &self.places.program)?;
        let (from, to) = self.versions(system, package, order.downgrade)?;
        if package {
            system.can_install(&self.places.new_package())?;
        }
        let migrated = self.configuration(system)?;
        let state = State {
            format: FORMAT,
            id: format!("{to}-{}", system.wall_ms()),
            step: Step::Staged,
            from,
            to,
            package,
            migrated,
            within_s: order.within.as_secs(),
            want_reading: order.want_reading,
            want_acknowledged: order.want_acknowledged,
            why: None,
        };
        self.save(system, &state)?;
        Ok(state)
    }

    /// A gateway that shows nothing now cannot show on trial that the new version is as good.
    fn before(&self, system: &mut impl System, order: &Order) -> Result<(), Fault> {
        let service = system.service()?;
        if !service.active {
            // What does not run may be what the new version mends.
            return Ok(());
        }
        let seen = system.seen()?;
        if order.want_reading && seen.devices && !seen.good_reading {
            return Err(Fault::new(
                "no device gives a good reading now, so the trial could not show one: mend that \
                 first (linli doctor), or say --without-reading",
                "目前没有设备给出有效读数，试运行无法验证：请先排除故障（linli doctor），\
                 或使用 --without-reading",
            ));
        }
        if order.want_acknowledged && seen.platform && !seen.acknowledged {
            return Err(Fault::new(
                "the platform has acknowledged nothing since the start, so the trial could not \
                 show it: mend that first (linli doctor), or say --without-platform",
                "自启动以来平台未确认任何数据，试运行无法验证：请先排除故障（linli doctor），\
                 或使用 --without-platform",
            ));
        }
        Ok(())
    }

    /// Verifies the file while it is copied to where only root writes; the program ends up in its
    /// place. Returns whether it is a package.
    fn fetch(&self, system: &mut impl System, order: &Order) -> Result<bool, Fault> {
        let places = &self.places;
        let trial = places.trial();
        let cannot = |error: std::io::Error| Fault::of_io(&trial, &error);
        system.about_to("empty the folder of the trial")?;
        remove_folder(&trial)?;
        fs::create_dir_all(&trial).map_err(cannot)?;
        // The service's user runs the program in it.
        fs::set_permissions(&trial, fs::Permissions::from_mode(0o755)).map_err(cannot)?;
        let copied = trial.join("file");
        system.about_to("copy the file")?;
        let mut out = BufWriter::new(File::create(&copied).map_err(cannot)?);
        system.verify(&order.file, MOST, &mut out)?;
        out.flush().map_err(cannot)?;
        out.get_ref().sync_all().map_err(cannot)?;
        drop(out);
        let head = head_of(&copied)?;
        if head.starts_with(b"!<arch>\n") {
            self.unpack(system, &copied)?;
            return Ok(true);
        }
        if !head.starts_with(b"\x7fELF") {
            let at = order.file.display();
            return Err(Fault::new(
                format!("{at} is neither a package (.deb) nor a program"),
                format!("{at} 既不是软件包（.deb）也不是程序"),
            ));
        }
        system.about_to("put the program ready")?;
        copy(&copied, &places.new_program(), 0o755)?;
        fs::remove_file(&copied).map_err(cannot)?;
        Ok(false)
    }

    fn unpack(&self, system: &mut impl System, copied: &Path) -> Result<(), Fault> {
        let places = &self.places;
        let package = places.new_package();
        system.about_to("put the package ready")?;
        super::file::rename(copied, &package)?;
        let about = system.package(&package)?;
        if about.name != NAME {
            let name = &about.name;
            return Err(Fault::new(
                format!("it is the package `{name}`, not `{NAME}`"),
                format!("这是软件包 `{name}`，不是 `{NAME}`"),
            ));
        }
        let (ours, its) = (system.architecture()?, about.architecture);
        if its != ours {
            return Err(Fault::new(
                format!("it is for {its}, this machine is {ours}"),
                format!("软件包架构为 {its}，本机为 {ours}"),
            ));
        }
        let root = places.trial().join("root");
        system.about_to("unpack the package")?;
        system.unpack(&package, &root)?;
        let inside = root.join("usr/bin/linli");
        let plain = fs::symlink_metadata(&inside).is_ok_and(|about| about.is_file());
        if !plain {
            return Err(Fault::new(
                "the package holds no /usr/bin/linli",
                "软件包中没有 /usr/bin/linli",
            ));
        }
        system.about_to("put the program ready")?;
        copy(&inside, &places.new_program(), 0o755)?;
        remove_folder(&root)
    }

    /// The present version and the new one; an older one only when that is wanted.
    fn versions(
        &self,
        system: &mut impl System,
        package: bool,
        downgrade: bool,
    ) -> Result<(String, String), Fault> {
        let installed = system.installed();
        let new = system.version(&self.places.new_program())?;
        let now = system.version(&self.places.program)?;
        let (from, to, order) = match (package, installed) {
            (true, Some(from)) => {
                let to = system.package(&self.places.new_package())?.version;
                let order = system.compare(&to, &from)?;
                (from, to, order)
            }
            _ => {
                let order = compare(&new, &now)?;
                (now, new, order)
            }
        };
        if order == Ordering::Less && !downgrade {
            return Err(Fault::new(
                format!("{to} is older than {from}: say --downgrade if that is wanted"),
                format!("{to} 比 {from} 旧：确需降级请加 --downgrade"),
            ));
        }
        Ok((from, to))
    }

    /// Whether the new program takes the configuration, or makes one of its own of it: then `true`.
    fn configuration(&self, system: &mut impl System) -> Result<bool, Fault> {
        let places = &self.places;
        let program = places.new_program();
        let Err(refused) = system.check(&program, &places.config) else { return Ok(false) };
        let etc = places.new_etc();
        let folder = places.config.parent().unwrap_or(Path::new("/"));
        system.about_to("copy the configuration")?;
        copy_folder(system, folder, &etc)?;
        let copied = etc.join(places.config_name());
        if system.migrate(&program, &copied).is_err() {
            // What is wrong stands in the file that people know.
            return Err(refused);
        }
        system.check(&program, &copied)?;
        Ok(true)
    }
}

fn head_of(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD as u64).read_to_end(&mut head));
    read.map_err(|error| Fault::of_io(path, &error))?;
    Ok(head)
}

/// The same class, byte order and machine.
fn same_machine(new: &Path, ours: &Path) -> Result<(), Fault> {
    let (new, ours) = (head_of(new)?, head_of(ours)?);
    let of = |head: &[u8]| Some((head.get(4..6)?.to_vec(), head.get(18..20)?.to_vec()));
    if of(&new).is_some() && of(&new) == of(&ours) {
        return Ok(());
    }
    Err(Fault::new("the program is for another processor", "该程序不适用于本机处理器"))
}

/// Versions of programs: three numbers, then perhaps `-rc.1`, which comes before the version.
fn compare(one: &str, other: &str) -> Result<Ordering, Fault> {
    let parse = |text: &str| -> Result<(Vec<u64>, Option<String>), Fault> {
        let word = text.split_whitespace().last().unwrap_or_default();
        let core = word.split('+').next().unwrap_or_default();
        let (core, rest) = core.split_once('-').map_or((core, None), |(a, b)| (a, Some(b)));
        let numbers: Option<Vec<u64>> = core.split('.').map(|n| n.parse().ok()).collect();
        let wrong =
            || Fault::new(format!("`{text}` is no version"), format!("`{text}` 不是版本号"));
        Ok((numbers.ok_or_else(wrong)?, rest.map(str::to_owned)))
    };
    let (a, b) = (parse(one)?, parse(other)?);
    Ok(a.0.cmp(&b.0).then_with(|| match (&a.1, &b.1) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => a.cmp(b),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers_and_a_candidate_comes_before_its_version() {
        for (one, other, order) in [
            ("linli 0.2.0", "linli 0.10.0", Ordering::Less),
            ("0.2.0", "0.2.0+git", Ordering::Equal),
            ("0.2.0-rc.1", "0.2.0", Ordering::Less),
            ("1.0.0", "0.9.9", Ordering::Greater),
        ] {
            assert_eq!(compare(one, other).unwrap(), order, "{one} {other}");
        }
        assert!(compare("linli", "0.1.0").unwrap_err().0.en.contains("`linli`"));
    }
}
