//! The other files of a site: attestations, rule pack, risk rules, scorecards and their answers.

use std::sync::LazyLock;

use linli::settings::Faults;
use linli::starlevel::scorecard::{Answers, Card, Table};
use linli::starlevel::{PackFault, RiskRules, RulePack, STARS, read_attestations};

use super::harmless;
use crate::allocation::within;

static PACK: LazyLock<RulePack> = LazyLock::new(RulePack::built_in);
static CARD: LazyLock<Card> = LazyLock::new(|| Card::built_in(Table::A1));
const A_BYTE: usize = 4 * 1024;
const AT_LEAST: usize = 4 << 20;

/// The first byte says as what the rest is read.
pub(super) fn judge(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (pack, card) = (&*PACK, &*CARD);
    let most = AT_LEAST + A_BYTE * input.len();
    let read = || match kind % 5 {
        0 => read_attestations("f", text, pack).map(|read| format!("{read:?}")).map_err(Wrong::of),
        1 => RulePack::parse("f", text).map(|pack| coherent(&pack)).map_err(Wrong::list),
        2 => RiskRules::parse("f", text).map(|rules| rules.title()).map_err(Wrong::list),
        3 => Card::parse("f", text)
            .map(|card| card.items(None).count().to_string())
            .map_err(|faults| Wrong(faults.iter().map(ToString::to_string).collect())),
        _ => {
            Answers::read("f", text, card, None).map(|read| format!("{read:?}")).map_err(Wrong::of)
        }
    };
    let first = within("reading", most, most, read);
    if let Err(Wrong(faults)) = &first {
        assert!(!faults.is_empty(), "refused without a reason");
        faults.iter().for_each(|fault| harmless(fault));
    }
    assert!(first == read(), "the same text is read in two ways");
}

#[derive(PartialEq)]
struct Wrong(Vec<String>);

impl Wrong {
    fn of(faults: Faults) -> Self {
        Self(faults.all().iter().map(ToString::to_string).collect())
    }

    fn list(faults: Vec<PackFault>) -> Self {
        Self(faults.iter().map(ToString::to_string).collect())
    }
}

/// What the engine takes for granted of a pack.
fn coherent(pack: &RulePack) -> String {
    for star in 1..=STARS {
        assert!(pack.set(star).is_some(), "star {star} has no set");
    }
    assert!(!pack.checks().is_empty());
    pack.sha256().to_owned()
}
