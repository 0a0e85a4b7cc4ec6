//! From a number between 0 and 1 to a colour.

/// From nearly white to dark red; the lightness falls steadily, so that the order survives grey printing.
const STOPS: [[f64; 3]; 6] = [
    [250.0, 250.0, 246.0],
    [253.0, 231.0, 170.0],
    [251.0, 182.0, 92.0],
    [236.0, 108.0, 54.0],
    [188.0, 40.0, 42.0],
    [94.0, 12.0, 44.0],
];

/// The colour of `fraction`, clamped to 0..=1; NaN is 0.
///
/// ```
/// use trawl::report::svg::colour::of;
/// assert_eq!(of(0.0), "#fafaf6");
/// assert_eq!(of(f64::INFINITY), of(1.0));
/// ```
pub fn of(fraction: f64) -> String {
    let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
    let place = fraction * (STOPS.len() - 1) as f64;
    let below = (place as usize).min(STOPS.len() - 2);
    let share = place - below as f64;
    let part = |channel: usize| {
        let (from, to) = (STOPS[below][channel], STOPS[below + 1][channel]);
        (from + share * (to - from)).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", part(0), part(1), part(2))
}

#[cfg(test)]
mod tests {
    #[test]
    fn lightness_falls_steadily() {
        let lightness = |colour: String| {
            let part = |from: usize| f64::from(u8::from_str_radix(&colour[from..from + 2], 16).unwrap());
            0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
        };
        let all: Vec<f64> = (0..=50).map(|step| lightness(super::of(f64::from(step) / 50.0))).collect();
        assert!(all.windows(2).all(|pair| pair[1] < pair[0]), "{all:?}");
    }
}
