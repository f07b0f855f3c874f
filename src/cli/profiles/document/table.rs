//! The library as a table: what there is, and how far each profile was held against its source.

use super::cell;
use crate::model::Category;
use crate::profile::{Binding, Evidence, Loaded};

/// Products named in a row; a family may have dozens.
const PRODUCTS: usize = 3;

/// One row for each profile, by category; those nobody confirmed are marked.
pub(super) fn table(library: &[Loaded]) -> String {
    let mut rows: Vec<&Loaded> = library.iter().collect();
    let place = |category| Category::ALL.iter().position(|known| *known == category);
    rows.sort_by_key(|loaded| (place(loaded.profile.category), loaded.profile.id.clone()));
    let marked = rows.iter().filter(|loaded| mark(loaded.profile.verified.level) == "⚠ ").count();
    let mut out = format!(
        "{} 个型号，其中 {marked} 个未证实（⚠） | {} profiles, {marked} of them unverified (⚠)\n\n\
         | 标识 id | 产品 products | 类别 category | 协议 protocol | 测点 points | 依据 verified | 对照 against |\n\
         | --- | --- | --- | --- | ---: | --- | --- |\n",
        rows.len(),
        rows.len()
    );
    for loaded in rows {
        let profile = &loaded.profile;
        let mut products: Vec<String> = profile
            .products
            .iter()
            .take(PRODUCTS)
            .map(|product| format!("{} {}", product.brand, product.model))
            .collect();
        if profile.products.len() > PRODUCTS {
            products.push(format!("+{}", profile.products.len() - PRODUCTS));
        }
        let protocol = match &profile.binding {
            Binding::Modbus { .. } => "Modbus",
            Binding::Mqtt(_) => "MQTT",
            Binding::Dlt645(_) => "DL/T 645",
            Binding::Cjt188(_) => "CJ/T 188",
        };
        let verified = &profile.verified;
        let against = match verified.against.as_str() {
            "" => profile.sources.first().map_or("", String::as_str),
            against => against,
        };
        out.push_str(&format!(
            "| [`{id}`]({id}.toml) | {} | {} {} | {protocol} | {} | {}{} | {} |\n",
            cell(&products.join(", ")),
            profile.category.zh(),
            profile.category,
            profile.points.len(),
            mark(verified.level),
            words(verified.level),
            cell(against),
            id = profile.id,
        ));
    }
    out
}

fn mark(level: Evidence) -> &'static str {
    if level == Evidence::Unverified { "⚠ " } else { "" }
}

fn words(level: Evidence) -> &'static str {
    match level {
        Evidence::Device => "实机 device",
        Evidence::Document => "原厂手册 document",
        Evidence::Agreeing => "多源一致 agreeing",
        Evidence::Single => "单一来源 single",
        Evidence::Convention => "本项目约定 convention",
        Evidence::Unverified => "未证实 unverified",
    }
}
