//! Stars of the red-property scale (A.2.4): 90, 80 and 70 points. Not the smart-area stars of 7.5.1.

use serde::Serialize;

use super::card::{Band, Card};
use super::points::Points;
use crate::starlevel::Bilingual;

/// Stars of the red-property scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RedPropertyStars {
    /// Three, four or five; absent below three, where only the score is recorded.
    pub red_property_stars: Option<u8>,
    /// In words.
    pub label: Bilingual,
    /// Says which scale this is.
    pub banner: Bilingual,
    /// Present when the score lies where the printed bands leave a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Bilingual>,
}

impl RedPropertyStars {
    /// What the bands of a table make of a total; `None` for a table without bands.
    pub fn of(card: &Card, total: Points) -> Option<Self> {
        if !card.card.red_property_stars {
            return None;
        }
        let reached = card.band.iter().find(|band| total >= Points::whole(band.from));
        let stars = reached.map(|band| band.stars);
        let label = match stars {
            Some(n) => {
                let (zh, en) = number(n);
                Bilingual::new(
                    format!("{zh}星级红色物业小区（项目）"),
                    format!("{en}-star red-property estate (project)"),
                )
            }
            None => Bilingual::new(
                "三星以下：只考核得分，不评定星级",
                "below three stars: only the score is recorded, no star is given",
            ),
        };
        let banner = Bilingual::new(
            "此为红色物业星级（A.2.4），不是智慧小区星级（7.5.1）",
            "Stars of the red-property scale (A.2.4), not smart-area stars (7.5.1)",
        );
        Some(Self { red_property_stars: stars, label, banner, gap: gap(&card.band, total) })
    }
}

/// What is said about a score less than a point below a band: the bands are printed in whole points.
fn gap(bands: &[Band], total: Points) -> Option<Bilingual> {
    let above = bands.iter().find(|band| {
        let from = Points::whole(band.from);
        total < from && from - total < Points::whole(1)
    })?;
    let ((stars_zh, stars_en), from) = (number(above.stars), above.from);
    let below = from.saturating_sub(1);
    Some(Bilingual::new(
        format!(
            "得分 {total} 在 {below} 与 {from} 之间；标准的分数段按整数印出，未规定取整，按未达到{stars_zh}星级处理"
        ),
        format!(
            "{total} lies between {below} and {from}; the standard prints the bands in whole points and defines no rounding, so {stars_en} stars count as not reached"
        ),
    ))
}

/// A number of stars in words.
fn number(stars: u8) -> (&'static str, &'static str) {
    match stars {
        5 => ("五", "five"),
        4 => ("四", "four"),
        3 => ("三", "three"),
        2 => ("二", "two"),
        _ => ("一", "one"),
    }
}
