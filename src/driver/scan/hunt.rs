//! The search for addresses: where several meters answer a wild address at once, the low pairs of
//! digits are tried one by one, and further ones only where something answered.

/// Most questions of one search; a line full of noise would go on for ever.
const MOST: usize = 4000;
/// So many questions from the start, or of one level, without a single clean or silent one: that is
/// noise, not meters. More than an address has pairs: meters may share all but one.
const NOISE: usize = 12;
/// Pairs of decimal digits.
const PAIRS: u8 = 100;

/// What came of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    /// Nobody.
    Silent,
    /// One meter, clearly.
    One,
    /// Bytes that are no whole frame, or more than one meter.
    Several,
}

#[derive(Debug)]
struct Level {
    /// Low pairs in wire order that all questions of this level share.
    low: Vec<u8>,
    next: u8,
    clear: bool,
    /// Whole addresses that several meters answer.
    shared: Vec<Vec<u8>>,
}

impl Level {
    fn new(low: Vec<u8>) -> Self {
        Self { low, next: 0, clear: false, shared: Vec::new() }
    }
}

/// One search.
#[derive(Debug)]
pub(super) struct Hunt {
    levels: Vec<Level>,
    /// Pairs of an address.
    pairs: usize,
    asked: usize,
    /// Some question was answered clearly, or not at all.
    clear: bool,
    noise: bool,
}

impl Hunt {
    /// A search among addresses of so many pairs of digits.
    pub(super) fn new(pairs: usize) -> Self {
        Self { levels: vec![Level::new(Vec::new())], pairs, asked: 0, clear: false, noise: false }
    }

    /// The low pairs to ask for (BCD, wire order); `None` when the search is over.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        let level = self.levels.last().filter(|_| self.asked < MOST)?;
        let mut low = level.low.clone();
        low.push(((level.next / 10) << 4) | (level.next % 10));
        Some(low)
    }

    /// What came of the question. Returns whole addresses that several meters share, when that is
    /// clear: where every question is answered by bytes, it is noise.
    pub(super) fn heard(&mut self, echo: Echo) -> Vec<Vec<u8>> {
        let (Some(low), Some(level)) = (self.next(), self.levels.last_mut()) else {
            return Vec::new();
        };
        self.asked += 1;
        level.next += 1;
        level.clear |= echo != Echo::Several;
        self.clear |= level.clear;
        if echo == Echo::Several {
            let never = !self.clear && self.asked >= NOISE;
            if never || !level.clear && usize::from(level.next) >= NOISE {
                self.noise = true;
                self.levels.clear();
            } else if low.len() >= self.pairs {
                level.shared.push(low);
            } else {
                self.levels.push(Level::new(low));
            }
        }
        let mut shared = Vec::new();
        while let Some(over) = self.levels.pop_if(|level| level.next >= PAIRS) {
            shared.extend(over.shared);
        }
        shared
    }

    /// Whether it was given up because everything was answered by bytes.
    pub(super) fn is_noise(&self) -> bool {
        self.noise
    }

    /// Questions left, as far as known.
    pub(super) fn left(&self) -> usize {
        let open = self.levels.iter().map(|level| usize::from(PAIRS - level.next.min(PAIRS)));
        open.sum::<usize>().min(MOST - self.asked.min(MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches among meters of three pairs; a question is answered by all whose low pairs it is.
    fn search(meters: &[[u8; 3]]) -> (Vec<[u8; 3]>, usize, usize) {
        let mut hunt = Hunt::new(3);
        let (mut found, mut shared, mut asked) = (Vec::new(), 0, 0);
        while let Some(low) = hunt.next() {
            asked += 1;
            let fit: Vec<_> = meters.iter().filter(|meter| meter.starts_with(&low)).collect();
            let echo = match fit.as_slice() {
                [] => Echo::Silent,
                [one] => {
                    found.push(**one);
                    Echo::One
                }
                _ => Echo::Several,
            };
            shared += hunt.heard(echo).len();
        }
        (found, shared, asked)
    }

    #[test]
    fn meters_with_equal_low_digits_are_told_apart_by_the_next_ones() {
        let meters =
            [[0x12, 0x00, 0x01], [0x12, 0x00, 0x02], [0x12, 0x34, 0x01], [0x99, 0x99, 0x99]];
        let (mut found, shared, asked) = search(&meters);
        found.sort_unstable();
        assert_eq!(found, meters);
        assert_eq!((shared, asked), (0, 300));
    }

    #[test]
    fn two_meters_with_one_address_are_told() {
        let (found, shared, _) = search(&[[1, 2, 3], [1, 2, 3], [1, 2, 4]]);
        assert_eq!((found, shared), (vec![[1, 2, 4]], 1));
    }

    #[test]
    fn noise_ends_the_search_soon() {
        let mut hunt = Hunt::new(6);
        let mut asked = 0;
        while hunt.next().is_some() {
            asked += 1;
            hunt.heard(Echo::Several);
        }
        assert!(asked < 20, "{asked}");
        assert_eq!(hunt.left(), 0);
    }

    #[test]
    fn the_search_is_bounded_however_the_line_behaves() {
        let mut hunt = Hunt::new(7);
        let mut asked = 0;
        while hunt.next().is_some() {
            asked += 1;
            hunt.heard(if asked % 2 == 0 { Echo::Several } else { Echo::Silent });
        }
        assert!(asked <= MOST, "{asked}");
    }
}
