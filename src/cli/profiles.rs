//! `linli profiles`: the device library.

mod document;
mod find;
mod new;
mod schema;
mod try_it;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{complain, say};
use crate::model::Category;
use crate::profile::{
    self, CategoryModels, Library, Profile, SITE_FOLDER, Weight, comply, profile_folders,
};

#[cfg(feature = "demo")]
pub(super) use find::{find, member_count};

/// What to do with the library.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Further folder of profiles; a file there replaces the built-in profile of its name. Without
    /// it /etc/linli/profiles, when it is there.
    #[arg(long, global = true, value_name = "FOLDER")]
    dir: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the profiles.
    List(Filter),
    /// Show what a profile offers, and what it lacks.
    Show {
        /// The profile's identifier.
        id: String,
        /// Say the names of its own as well.
        #[arg(short, long)]
        verbose: bool,
    },
    /// Check files: format, rules, their own examples, and the model of their category.
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Say the names of its own as well.
        #[arg(short, long)]
        verbose: bool,
    },
    /// Write a profile for a new model from answers or flags (新建型号文件).
    New(Box<new::Arguments>),
    /// Print what an MQTT model publishes as JSON Schema (报文格式).
    Schema(schema::Arguments),
    /// Write or check what is generated from the library: its table, the conventions.
    #[command(hide = true)]
    Document(document::Arguments),
    /// Read a real device by a profile, and show what comes of each point (现场试读).
    Try(Box<try_it::Arguments>),
}

/// Which profiles are listed, and how.
#[derive(Debug, clap::Args)]
struct Filter {
    /// Only of this category: electricity_meter, ev_charger, other, …
    #[arg(long, value_name = "CATEGORY", value_parser = category)]
    category: Option<Category>,
    /// Only of this protocol.
    #[arg(long, value_name = "PROTOCOL", value_parser = ["modbus", "mqtt", "dlt645", "cjt188"])]
    protocol: Option<String>,
    /// Print one JSON list.
    #[arg(long)]
    json: bool,
}

fn category(word: &str) -> Result<Category, String> {
    Category::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = Category::ALL.iter().map(|category| category.word()).collect();
        format!("allowed are / 可用的有: {}", words.join(" "))
    })
}

/// One profile of the list, for scripts.
#[derive(Debug, Serialize)]
struct Row<'l> {
    id: &'l str,
    category: Category,
    protocol: &'static str,
    zh: &'l str,
    en: &'l str,
    products: Vec<[&'l str; 2]>,
    points: usize,
    verified: profile::Evidence,
    /// The file; null for a profile that is built in.
    file: Option<&'l str>,
    /// Whether that file replaces another profile, and which: `built-in` or a file.
    replaces: Option<&'l str>,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::Check { files, verbose } => return Ok(check(files, *verbose)),
        Action::Try(order) => return try_it::execute(order, &arguments.dir),
        Action::Document(arguments) => return document::execute(arguments),
        Action::List(_) | Action::Show { .. } | Action::New(_) | Action::Schema(_) => {}
    }
    let configured = Some(arguments.dir.clone()).filter(|dirs| !dirs.is_empty());
    let library = match Library::load(&profile_folders(configured, Path::new(SITE_FOLDER))) {
        Ok(library) => library,
        Err(faults) => {
            for fault in faults {
                complain(&fault.to_string());
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    match &arguments.action {
        Action::New(new) => return new::execute(new, &library),
        Action::Schema(schema) => return schema::execute(schema, &library),
        Action::Show { id, verbose } => return Ok(show(&library, id, *verbose)),
        Action::List(filter) => list(&library, filter)?,
        Action::Check { .. } | Action::Try(_) | Action::Document(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn show(library: &Library, id: &str, verbose: bool) -> ExitCode {
    let Some(found) = library.get(id) else {
        complain(&find::unknown(library, id));
        return ExitCode::FAILURE;
    };
    say(profile::describe(&found).trim_end());
    if let Some(told) = library.overrides().iter().find(|told| told.id == id) {
        let told = told.told();
        say(&format!("  替换 replaced: {} / {}", told.zh, told.en));
    }
    for one in comply(&found, CategoryModels::built_in()) {
        if verbose || one.weight() != Weight::Detail {
            let told = one.told();
            say(&format!("  {}: {} / {}", mark(one.weight()), told.zh, told.en));
        }
    }
    ExitCode::SUCCESS
}

fn mark(weight: Weight) -> &'static str {
    match weight {
        Weight::Fault => "错误 fault",
        Weight::Note => "提示 note",
        Weight::Detail => "说明 detail",
    }
}

fn list(library: &Library, filter: &Filter) -> anyhow::Result<()> {
    let wanted = |profile: &&Profile| {
        filter.category.is_none_or(|category| category == profile.category)
            && filter.protocol.as_ref().is_none_or(|protocol| protocol == profile.protocol())
    };
    let found = library.iter().map(|profile| &**profile).filter(wanted);
    let rows: Vec<Row<'_>> = found.map(|profile| row(library, profile)).collect();
    if filter.json {
        say(&serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    for row in rows {
        let products: Vec<String> =
            row.products.iter().map(|[brand, model]| format!("{brand} {model}")).collect();
        let origin = match (row.file, row.replaces) {
            (None, _) => String::new(),
            (Some(file), None) => format!("  [{file}]"),
            (Some(file), Some(other)) => format!("  [{file}, replaces / 替换 {other}]"),
        };
        say(&format!(
            "{:<32} {:<20} {} / {}  ({}){origin}",
            row.id,
            row.category.word(),
            row.zh,
            row.en,
            products.join(", ")
        ));
    }
    Ok(())
}

fn row<'l>(library: &'l Library, profile: &'l Profile) -> Row<'l> {
    let told = library.overrides().iter().find(|told| told.id == profile.id);
    Row {
        id: &profile.id,
        category: profile.category,
        protocol: profile.protocol(),
        zh: &profile.zh,
        en: &profile.en,
        products: profile.products.iter().map(|p| [p.brand.as_str(), p.model.as_str()]).collect(),
        points: profile.points.len(),
        verified: profile.verified.level,
        file: library.file(&profile.id),
        replaces: told.map(|told| told.replaced.as_deref().unwrap_or("built-in")),
    }
}

fn check(files: &[PathBuf], verbose: bool) -> ExitCode {
    let mut good = true;
    for file in files {
        let name = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => good &= check_text(&name, &text, verbose),
            Err(error) => {
                complain(&format!("{name}: cannot be read / 无法读取: {error}"));
                good = false;
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says what is wrong with a profile and what it lacks; whether it is good.
fn check_text(name: &str, text: &str, verbose: bool) -> bool {
    let loaded = match profile::parse(name, text) {
        Ok(loaded) => loaded,
        Err(faults) => {
            for fault in faults {
                complain(&fault.to_string());
            }
            return false;
        }
    };
    let wrong = profile::run_examples(&loaded);
    for fault in &wrong {
        complain(&format!("{name}: {fault}"));
    }
    let mut good = wrong.is_empty();
    for one in comply(&loaded.profile, CategoryModels::built_in()) {
        let told = one.told();
        match one.weight() {
            Weight::Fault => {
                let place = one.point().and_then(|point| loaded.places.get(point));
                let place = place.map_or_else(String::new, |(l, c)| format!(":{l}:{c}"));
                complain(&format!("{name}{place}: {}\n  中文：{}", told.en, told.zh));
                good = false;
            }
            Weight::Note => say(&format!("{name}: note: {}\n  提示：{}", told.en, told.zh)),
            Weight::Detail if verbose => {
                say(&format!("{name}: detail: {}\n  说明：{}", told.en, told.zh));
            }
            Weight::Detail => {}
        }
    }
    if good {
        say(&format!("{name}: good / 正确"));
    }
    good
}
