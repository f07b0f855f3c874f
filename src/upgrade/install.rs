//! After a good trial: what was before is kept, the new version takes its place. And the way back.

use std::fs;
use std::path::{Path, PathBuf};

use super::desk::{Desk, read, write};
use super::file::{copy, copy_folder, remove_folder, rename};
use super::state::FORMAT;
use super::{Fault, Previous, State, Step, System};
use crate::whole_file;

/// What `previous/` is called while it is made, and while it makes room.
const NEW: &str = "previous.new";
const OLD: &str = "previous.old";
/// Says what a `previous/` holds; written last.
const ABOUT: &str = "about.json";

impl Desk {
    /// Puts the new version in place; why it failed, or `None`. Done again after a cut, it ends
    /// what was begun.
    pub(super) fn install(
        &self,
        system: &mut impl System,
        state: &State,
    ) -> Result<Option<Fault>, Fault> {
        self.keep(system, state)?;
        let places = &self.places;
        if let Err(why) = self.put(system, state) {
            // A cut is no failure: it goes on at the next start.
            system.about_to("give the new version up")?;
            return Ok(Some(why));
        }
        self.remove_drop_in(system)?;
        system.about_to("look at the service")?;
        let service = system.service()?;
        // At the start of the machine the service comes after us.
        if service.active || service.failed {
            system.about_to("start the new version")?;
            if let Err(why) = system.restart() {
                return Ok(Some(why));
            }
        }
        system.about_to("keep the package")?;
        if state.package {
            copy(&places.new_package(), &places.package(), 0o644)?;
        } else {
            // A program of its own belongs to no package.
            super::desk::remove(&places.package())?;
        }
        Ok(None)
    }

    fn put(&self, system: &mut impl System, state: &State) -> Result<(), Fault> {
        let places = &self.places;
        if state.migrated {
            self.put_configuration(system, &places.new_etc())?;
        }
        system.about_to("put the new version in place")?;
        if state.package {
            system.install(&places.new_package())
        } else {
            copy(&places.new_program(), &places.program, 0o755)
        }
    }

    /// Puts the configuration files of a folder in the place of ours, where they differ; each old
    /// one is kept beside under a number.
    fn put_configuration(&self, system: &mut impl System, from: &Path) -> Result<(), Fault> {
        let folder = self.places.config.parent().unwrap_or(Path::new("/"));
        let mut files = vec![PathBuf::from(self.places.config_name())];
        let drop_ins = fs::read_dir(from.join("conf.d")).into_iter().flatten();
        let names = drop_ins.filter_map(|entry| Some(entry.ok()?.file_name()));
        files.extend(names.map(|name| Path::new("conf.d").join(name)));
        for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "toml")) {
            let (source, target) = (from.join(file), folder.join(file));
            let cannot = |error| Fault::of_io(&target, &error);
            let text = fs::read(&source).map_err(|error| Fault::of_io(&source, &error))?;
            if fs::read(&target).is_ok_and(|now| now == text) {
                continue;
            }
            system.about_to("put a file of the configuration in place")?;
            if target.exists() {
                whole_file::replace_keeping(&target, &text).map_err(cannot)?;
            } else {
                whole_file::replace(&target, &text, 0o644).map_err(cannot)?;
            }
        }
        Ok(())
    }

    /// Keeps program, package and configuration of the present version as `previous/`, once for
    /// each upgrade: done again after the new version is in place, it would keep that one.
    fn keep(&self, system: &mut impl System, state: &State) -> Result<(), Fault> {
        let places = &self.places;
        let [kept, new, old] =
            [places.previous(), places.folder.join(NEW), places.folder.join(OLD)];
        let is_ours = |folder: &Path| -> Result<bool, Fault> {
            let about = read::<Previous>(&folder.join(ABOUT))?;
            Ok(about.is_some_and(|about| about.id == state.id))
        };
        if is_ours(&kept)? {
            return self.forget(system, &old);
        }
        if !is_ours(&new)? {
            self.gather(system, state, &new)?;
        }
        if kept.exists() {
            self.forget(system, &old)?;
            system.about_to("move what was kept before aside")?;
            rename(&kept, &old)?;
        }
        system.about_to("name what is kept now")?;
        rename(&new, &kept)?;
        self.forget(system, &old)
    }

    fn forget(&self, system: &mut impl System, folder: &Path) -> Result<(), Fault> {
        if folder.exists() {
            system.about_to("remove what was kept before")?;
            remove_folder(folder)?;
        }
        Ok(())
    }

    fn gather(&self, system: &mut impl System, state: &State, new: &Path) -> Result<(), Fault> {
        let places = &self.places;
        self.forget(system, new)?;
        system.about_to("make the folder for what is kept")?;
        fs::create_dir(new).map_err(|error| Fault::of_io(new, &error))?;
        // The configuration's folder may hold secrets.
        whole_file::replace(&new.join("README"), README, 0o644)
            .and_then(|()| {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(new, fs::Permissions::from_mode(0o700))
            })
            .map_err(|error| Fault::of_io(new, &error))?;
        system.about_to("keep the program")?;
        copy(&places.program, &new.join("linli"), 0o755)?;
        let folder = places.config.parent().unwrap_or(Path::new("/"));
        copy_folder(system, folder, &new.join("etc"))?;
        let package = self.package_of_now(system, state)?;
        if package {
            system.about_to("keep the old package")?;
            copy(&places.package(), &new.join("linli.deb"), 0o644)?;
        }
        let about =
            Previous { format: FORMAT, id: state.id.clone(), version: state.from.clone(), package };
        system.about_to("say what is kept")?;
        write(&new.join(ABOUT), &about)
    }

    /// Whether the package of the installed version is here, from the upgrade that brought it.
    fn package_of_now(&self, system: &mut impl System, state: &State) -> Result<bool, Fault> {
        let package = self.places.package();
        if !package.exists() {
            return Ok(false);
        }
        Ok(system.installed().is_some() && system.package(&package)?.version == state.from)
    }

    /// Orders the way back to the version before.
    ///
    /// # Errors
    /// There is none, or something else is under way.
    pub fn order_back(&self, system: &mut impl System) -> Result<State, Fault> {
        if self.state()?.is_some() {
            return Err(Fault::new(
                "an upgrade was cut short: linli upgrade --recover",
                "上次升级被中断：请先执行 linli upgrade --recover",
            ));
        }
        let kept = self.places.previous();
        let Some(about) = read::<Previous>(&kept.join(ABOUT))? else {
            return Err(Fault::new(
                format!("there is no version before in {}", kept.display()),
                format!("{} 中没有上一版本", kept.display()),
            ));
        };
        let now = match system.installed() {
            Some(version) if about.package => version,
            _ => system.version(&self.places.program)?,
        };
        let state = State {
            format: FORMAT,
            id: format!("back-{}-{}", about.version, system.wall_ms()),
            step: Step::Returning,
            from: now,
            to: about.version,
            package: about.package,
            migrated: false,
            within_s: 0,
            want_reading: false,
            want_acknowledged: false,
            why: None,
        };
        self.save(system, &state)?;
        Ok(state)
    }

    /// Puts the version before in place and starts it.
    pub(super) fn go_back(&self, system: &mut impl System) -> Result<(), Fault> {
        let places = &self.places;
        let kept = places.previous();
        let about = read::<Previous>(&kept.join(ABOUT))?.ok_or_else(|| {
            Fault::new(
                format!("{} is not there", kept.display()),
                format!("{} 不存在", kept.display()),
            )
        })?;
        self.remove_drop_in(system)?;
        system.about_to("put the version before in place")?;
        let package = kept.join("linli.deb");
        let installed = about.package && system.install(&package).is_ok();
        if !installed {
            // Without its package the program alone: everything that it needs is in it.
            system.about_to("put the program before in place")?;
            copy(&kept.join("linli"), &places.program, 0o755)?;
        }
        system.about_to("look at the configuration")?;
        if system.check(&places.program, &places.config).is_err() {
            self.put_configuration(system, &kept.join("etc"))?;
        }
        system.about_to("make systemd see the units")?;
        system.reload_units()?;
        let service = system.service()?;
        if service.active || service.failed {
            system.about_to("start the version before")?;
            system.restart()?;
        }
        Ok(())
    }
}

const README: &[u8] =
    b"The version before the last upgrade, its configuration, and its package where it is known.\n\
`linli upgrade --back` returns to it. Do not change anything here.\n";
