//! Charts that get no more values.

use super::{Severity, Trouble};
use crate::starlevel::Bilingual;
use crate::status::view::View;

/// The history is comfort and no evidence: that it cannot be written is worth knowing, no more.
pub(super) fn all(view: &View, list: &mut Vec<Trouble>) {
    let Some(fault) = view.history.as_ref().and_then(|history| history.status().fault) else {
        return;
    };
    list.push(Trouble {
        severity: Severity::Notice,
        title: Bilingual::new("历史曲线无法写入", "The charts get no more values"),
        cause: Bilingual::new(fault.clone(), fault),
        advice: Bilingual::new(
            "检查存储空间与存储介质；采集、缓存与上报不受影响",
            "check free space and the disk; collecting, keeping and delivering go on",
        ),
        since: None,
        link: "/delivery".into(),
    });
}
