//! Rounding as GB/T 8170 asks: to the nearest, a half to the even digit.

/// What sums of floating-point numbers leave behind is taken away before: a half stays one.
const NOISE: f64 = 1e9;

/// `value` with so many digits after the point; `None` for what is no finite number.
pub(super) fn half_even(value: f64, decimals: u8) -> Option<f64> {
    let scale = 10f64.powi(i32::from(decimals));
    let scaled = ((value * scale) * NOISE).round() / NOISE;
    let rounded = scaled.round_ties_even() / scale;
    // Minus zero is written as such.
    rounded.is_finite().then_some(rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_goes_to_the_even_digit_and_the_noise_of_a_sum_is_no_more_than_a_half() {
        for (value, decimals, rounded) in [
            (0.5, 0, 0.0),
            (1.5, 0, 2.0),
            (2.5, 0, 2.0),
            (35.499_999, 0, 35.0),
            (35.500_001, 0, 36.0),
            (2.05, 1, 2.0),
            (2.15, 1, 2.2),
            (0.1 + 0.2 + 2.2, 0, 2.0),
            (-0.2, 0, 0.0),
        ] {
            assert_eq!(half_even(value, decimals), Some(rounded), "{value}");
        }
        assert_eq!(half_even(f64::NAN, 0), None);
        assert_eq!(half_even(f64::INFINITY, 1), None);
    }
}
