//! What the user as whom the service runs may not open of what it needs.

use std::path::Path;

use super::{Area, Item, Level};
use crate::account::{Account, Answer, Want};
use crate::model::Words;

/// Whether the service may read the files that the configuration names.
pub fn files(account: &Account, files: &[&Path]) -> Vec<Item> {
    let mut items = Vec::new();
    for path in files {
        let shown = path.display();
        match account.may(path, Want::Read) {
            Ok(Answer::Yes) => {}
            Ok(Answer::No(why)) => items.push(Item::wrong(
                Area::Configuration,
                Level::Critical,
                (
                    format!("user {} cannot read {shown}: {why}", account.name),
                    format!("用户 {} 无法读取 {shown}：{why}", account.name),
                ),
                (
                    format!("chown {0} {shown}; chmod 600 {shown}", account.name),
                    format!("chown {0} {shown}; chmod 600 {shown}", account.name),
                ),
            )),
            Err(error) => {
                let Words { en, zh } = Words::of_io(&error);
                let todo = ("run the doctor as root", "以 root 身份运行 linli doctor");
                items.push(Item::unseen(
                    Area::Configuration,
                    (format!("{shown}: {en}"), format!("{shown}：{zh}")),
                    todo,
                ));
            }
        }
    }
    items
}
