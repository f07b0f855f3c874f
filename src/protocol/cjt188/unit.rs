//! The unit byte that follows (or leads) a number.

/// What a unit measures. The base unit of each is the one in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// kWh.
    Energy,
    /// kW.
    Power,
    /// m³.
    Volume,
    /// m³/h.
    Flow,
}

impl Dimension {
    /// The unit that [`Unit::factor`] leads to.
    pub fn base(self) -> &'static str {
        match self {
            Self::Energy => "kWh",
            Self::Power => "kW",
            Self::Volume => "m3",
            Self::Flow => "m3/h",
        }
    }
}

/// A unit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit(pub u8);

/// Joules of a kilowatt hour.
const J_PER_KWH: f64 = 3.6e6;

/// First code, signs for ×1, ×10 and ×100, dimension, and the factor of ×1 to the base unit as what
/// to multiply by and what to divide by: both whole, so that 36 L are 0.036 m³ and not the double
/// beside it. J has no multiples, 02H is Wh.
type Row = (u8, &'static [&'static str], Dimension, f64, f64);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (0x01, &["J"], Dimension::Energy, 1.0, J_PER_KWH),
    (0x02, &["Wh", "10 Wh", "100 Wh"], Dimension::Energy, 1.0, 1e3),
    (0x05, &["kWh", "10 kWh", "100 kWh"], Dimension::Energy, 1.0, 1.0),
    (0x08, &["MWh", "10 MWh", "100 MWh"], Dimension::Energy, 1e3, 1.0),
    (0x0B, &["kJ", "10 kJ", "100 kJ"], Dimension::Energy, 1e3, J_PER_KWH),
    (0x0E, &["MJ", "10 MJ", "100 MJ"], Dimension::Energy, 1e6, J_PER_KWH),
    (0x11, &["GJ", "10 GJ", "100 GJ"], Dimension::Energy, 1e9, J_PER_KWH),
    (0x14, &["W", "10 W", "100 W"], Dimension::Power, 1.0, 1e3),
    (0x17, &["kW", "10 kW", "100 kW"], Dimension::Power, 1.0, 1.0),
    (0x1A, &["MW", "10 MW", "100 MW"], Dimension::Power, 1e3, 1.0),
    (0x29, &["L", "10 L", "100 L"], Dimension::Volume, 1.0, 1e3),
    (0x2C, &["m3", "10 m3", "100 m3"], Dimension::Volume, 1.0, 1.0),
    (0x32, &["L/h", "10 L/h", "100 L/h"], Dimension::Flow, 1.0, 1e3),
    (0x35, &["m3/h", "10 m3/h", "100 m3/h"], Dimension::Flow, 1.0, 1.0),
    (0x40, &["J/h", "10 J/h", "100 J/h"], Dimension::Power, 1.0, J_PER_KWH),
    (0x43, &["kJ/h", "10 kJ/h", "100 kJ/h"], Dimension::Power, 1e3, J_PER_KWH),
    (0x46, &["MJ/h", "10 MJ/h", "100 MJ/h"], Dimension::Power, 1e6, J_PER_KWH),
    (0x49, &["GJ/h", "10 GJ/h", "100 GJ/h"], Dimension::Power, 1e9, J_PER_KWH),
];

impl Unit {
    /// Cubic metre.
    pub const M3: Self = Self(0x2C);
    /// Kilowatt hour.
    pub const KWH: Self = Self(0x05);
    /// Kilowatt.
    pub const KW: Self = Self(0x17);
    /// Cubic metre per hour.
    pub const M3_PER_H: Self = Self(0x35);

    fn row(self) -> Option<(&'static Row, usize)> {
        TABLE.iter().find_map(|row| {
            let step = usize::from(self.0.checked_sub(row.0)?);
            (step < row.1.len()).then_some((row, step))
        })
    }

    /// Sign, e.g. `m3`, `kWh`, `10 m3`. `None` when the code is not assigned.
    pub fn sign(self) -> Option<&'static str> {
        self.row().map(|(row, step)| row.1[step])
    }

    /// What it measures.
    pub fn dimension(self) -> Option<Dimension> {
        self.row().map(|(row, _)| row.2)
    }

    /// Factor to the base unit of the dimension: kWh, kW, m³, m³/h.
    pub fn factor(self) -> Option<f64> {
        self.ratio().map(|(times, by)| times / by)
    }

    fn ratio(self) -> Option<(f64, f64)> {
        self.row().map(|(row, step)| (row.3 * [1.0, 10.0, 100.0][step], row.4))
    }
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// In `unit`. `None`: the meter has no such value (all FFH).
    pub value: Option<f64>,
    /// The unit byte.
    pub unit: Unit,
}

impl Quantity {
    /// The value in the base unit of its dimension: kWh, kW, m³, m³/h. `None` when there is no
    /// value or the unit is not assigned.
    pub fn in_base(&self) -> Option<f64> {
        let (times, by) = self.unit.ratio()?;
        Some(self.value? * times / by)
    }
}
