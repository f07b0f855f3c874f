//! Checks of a table: its sums per variant, block and evaluator, its names and its bands.

use std::collections::BTreeSet;

use super::card::{Card, CardFault, GatewayRole, Proof};
use super::table::Variant;

/// All that is wrong with a table.
pub(super) fn faults(name: &str, card: &Card) -> Vec<CardFault> {
    let mut judge = Judge { name, card, faults: Vec::new() };
    judge.identifiers();
    judge.items();
    judge.negatives();
    judge.sums();
    judge.bands();
    judge.faults
}

struct Judge<'c> {
    name: &'c str,
    card: &'c Card,
    faults: Vec<CardFault>,
}

impl Judge<'_> {
    fn note(&mut self, place: impl Into<String>, fault: impl Into<String>) {
        let name = self.name.to_owned();
        self.faults.push(CardFault { name, place: place.into(), fault: fault.into() });
    }

    fn identifiers(&mut self) {
        let mut known = BTreeSet::new();
        let card = self.card;
        let all = card.item.iter().map(|item| &item.id);
        for id in all.chain(card.negative.iter().map(|negative| &negative.id)) {
            if !known.insert(id) {
                self.note(format!("item {id}"), "stands twice, allowed is once");
            }
            if !id.starts_with(&format!("{}.", card.card.id)) {
                let fault =
                    format!("id = \"{id}\", allowed is one that begins `{}.`", card.card.id);
                self.note(format!("item {id}"), fault);
            }
        }
    }

    fn items(&mut self) {
        let card = self.card;
        for item in &card.item {
            let place = format!("item {}", item.id);
            if !card.block.iter().any(|block| block.zh == item.block) {
                self.note(&place, format!("block = \"{}\" is none of [[block]]", item.block));
            }
            for name in [&item.group, &item.evaluator] {
                if !card.english.contains_key(name) {
                    self.note(&place, format!("\"{name}\" has no English in [english]"));
                }
            }
            if item.points == 0 {
                self.note(&place, "points = 0, allowed is 1 or more");
            }
            if item.variant.is_some() && card.variants.is_none() {
                self.note(&place, "variant, but the table has no [variants]");
            }
            if item.remark_zh.is_some() != item.remark_en.is_some() {
                self.note(&place, "remark_zh and remark_en are allowed only together");
            }
            if let Some(proof) = &item.proof {
                self.proof(&place, proof);
            }
        }
    }

    fn proof(&mut self, place: &str, proof: &Proof) {
        if proof.checks.is_empty() && proof.categories.is_empty() && !proof.own_star {
            self.note(place, "gateway, but neither checks, categories nor own_star");
        }
        if proof.gateway == GatewayRole::Measured && !proof.categories.is_empty() {
            self.note(place, "categories cannot decide points, allowed are checks or own_star");
        }
    }

    fn negatives(&mut self) {
        for negative in &self.card.negative {
            let place = format!("negative {}", negative.id);
            let (least, most) = (negative.least, negative.most);
            if least == 0 || least > most {
                let fault =
                    format!("least = {least}, most = {most}, allowed is 1 <= least <= most");
                self.note(&place, fault);
            }
            if let Some(proof) = &negative.proof {
                self.proof(&place, proof);
                if proof.gateway == GatewayRole::Measured {
                    self.note(&place, "gateway = \"measured\", allowed is \"evidence\"");
                }
            }
        }
    }

    fn sums(&mut self) {
        let card = self.card;
        let variants: &[Option<Variant>] = match card.variants {
            Some(_) => &[Some(Variant::New), Some(Variant::Old)],
            None => &[None],
        };
        for variant in variants {
            let which = variant.map_or(String::new(), |v| format!(" of variant {}", v.word()));
            let total: u32 = card.items(*variant).map(|item| item.points).sum();
            let declared = card.card.declared_total;
            if total != declared {
                self.note(
                    "card",
                    format!("items{which} add up to {total}, declared is {declared}"),
                );
            }
            for block in &card.block {
                let items = card.items(*variant).filter(|item| item.block == block.zh);
                let sum: u32 = items.map(|item| item.points).sum();
                if sum != block.points {
                    let fault =
                        format!("items{which} add up to {sum}, declared is {}", block.points);
                    self.note(format!("block {}", block.zh), fault);
                }
            }
            for share in &card.share {
                let items =
                    card.items(*variant).filter(|item| share.evaluators.contains(&item.evaluator));
                let sum: u32 = items.map(|item| item.points).sum();
                if sum != share.points {
                    let fault =
                        format!("items{which} add up to {sum}, declared is {}", share.points);
                    self.note(format!("share of {}", share.evaluators.join("、")), fault);
                }
            }
        }
    }

    fn bands(&mut self) {
        let card = self.card;
        if card.card.red_property_stars == card.band.is_empty() {
            self.note("card", "red_property_stars needs [[band]], and [[band]] needs it");
        }
        for pair in card.band.windows(2) {
            if pair[0].from <= pair[1].to || pair[0].stars <= pair[1].stars {
                let fault = "bands overlap or rise, allowed is from the most stars down";
                self.note(format!("band of {} stars", pair[1].stars), fault);
            }
        }
        for band in &card.band {
            if band.from > band.to || band.to > card.card.declared_total {
                let fault = format!("from = {}, to = {}", band.from, band.to);
                self.note(format!("band of {} stars", band.stars), fault);
            }
        }
    }
}
