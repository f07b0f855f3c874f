//! Points, exact to a hundredth: sums and band edges must not hang on rounding.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use serde::{Serialize, Serializer};

/// Points in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Points(i64);

impl Points {
    /// None.
    pub const ZERO: Points = Points(0);

    /// A whole number of points.
    pub const fn whole(points: u32) -> Self {
        Self(points as i64 * 100)
    }

    /// Hundredths of a point.
    pub const fn hundredths(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// Reads a number with at most two decimals; `None` when it has more.
    pub fn from_number(number: f64) -> Option<Self> {
        let hundredths = number * 100.0;
        let whole = hundredths.round();
        // The largest table has 100 points, so the product is exact far beyond what is needed.
        let fits = (hundredths - whole).abs() < 1e-6 && whole.abs() < 1e12;
        #[expect(clippy::cast_possible_truncation, reason = "bounded in the line above")]
        fits.then_some(Self(whole as i64))
    }

    /// In hundredths.
    pub const fn in_hundredths(self) -> i64 {
        self.0
    }
}

impl Add for Points {
    type Output = Points;
    fn add(self, other: Points) -> Points {
        Points(self.0 + other.0)
    }
}

impl Sub for Points {
    type Output = Points;
    fn sub(self, other: Points) -> Points {
        Points(self.0 - other.0)
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Points>>(points: I) -> Points {
        points.fold(Points::ZERO, Add::add)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.abs() / 100, self.0.abs() % 100);
        match rest {
            0 => write!(f, "{sign}{whole}"),
            rest if rest % 10 == 0 => write!(f, "{sign}{whole}.{}", rest / 10),
            rest => write!(f, "{sign}{whole}.{rest:02}"),
        }
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            return serializer.serialize_i64(self.0 / 100);
        }
        #[expect(clippy::cast_precision_loss, reason = "tables have at most some hundred points")]
        serializer.serialize_f64(self.0 as f64 / 100.0)
    }
}
