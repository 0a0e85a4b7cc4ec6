//! Numbers for people, in the [rich notation](super::rich), and for machines, as CSV.

/// The logarithm below which `exp` leaves the normal numbers.
const SMALLEST_LN: f64 = -700.0;

/// A number with `digits` significant digits: plain between 0.001 and a million, otherwise `1.23 × 10^{-4}`.
///
/// ```
/// use trawl::report::number::significant;
/// assert_eq!(significant(0.020286, 3), "0.0203");
/// assert_eq!(significant(0.000123, 3), "1.23 × 10^{-4}");
/// assert_eq!(significant(28_619_185.0, 3), "2.86 × 10^{7}");
/// assert_eq!(significant(1234.5, 3), "1234");
/// assert_eq!(significant(f64::INFINITY, 3), "∞");
/// ```
pub fn significant(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "undefined".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".into() } else { "−∞".into() };
    }
    if value == 0.0 {
        return "0".into();
    }
    let digits = digits.max(1);
    let scientific = format!("{:.*e}", digits - 1, value);
    // `{:e}` always writes an `e` followed by an integer.
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-3..6).contains(&exponent) {
        let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
        return minus(&format!("{value:.decimals$}"));
    }
    minus(&format!("{mantissa} × 10^{{{exponent}}}"))
}

/// A fixed number of decimals, for columns that should line up; huge numbers fall back to [`significant`].
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() && value.abs() < 1e12 {
        minus(&format!("{value:.decimals$}"))
    } else {
        significant(value, decimals.max(3))
    }
}

/// A probability given by its natural logarithm, however small.
///
/// ```
/// use trawl::report::number::probability;
/// assert_eq!(probability(0.020286f64.ln()), "0.0203");
/// assert_eq!(probability(-2302.585_092_994_046), "1.00 × 10^{-1000}");
/// assert_eq!(probability(f64::NEG_INFINITY), "0");
/// ```
pub fn probability(ln_p: f64) -> String {
    if ln_p.is_nan() || ln_p > SMALLEST_LN || ln_p.is_infinite() {
        return significant(ln_p.exp(), 3);
    }
    let log10 = ln_p / std::f64::consts::LN_10;
    let mut exponent = log10.floor();
    let mut mantissa = 10f64.powf(log10 - exponent);
    if mantissa >= 9.995 {
        (mantissa, exponent) = (mantissa / 10.0, exponent + 1.0);
    }
    format!("{mantissa:.2} × 10^{{{exponent:.0}}}")
}

/// A count with thin spaces between groups of three.
///
/// ```
/// assert_eq!(trawl::report::number::count(28_619_185), "28\u{202f}619\u{202f}185");
/// ```
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A size in the largest binary unit that leaves a number above one.
///
/// ```
/// assert_eq!(trawl::report::number::bytes(3_276_800), "3.12 MiB");
/// assert_eq!(trawl::report::number::bytes(700), "700 B");
/// ```
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut size = value as f64;
    let mut unit = "B";
    for next in UNITS {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, next);
    }
    if unit == "B" { format!("{value} B") } else { format!("{} {unit}", significant(size, 3)) }
}

/// A duration in seconds, or in minutes and seconds from two minutes on.
///
/// ```
/// assert_eq!(trawl::report::number::seconds(0.0123), "0.0123 s");
/// assert_eq!(trawl::report::number::seconds(754.0), "12 min 34 s");
/// ```
pub fn seconds(value: f64) -> String {
    if value.is_finite() && value >= 120.0 {
        let whole = value.round() as u64;
        return format!("{} min {:02} s", whole / 60, whole % 60);
    }
    format!("{} s", significant(value, 3))
}

/// A number for CSV: the shortest text that reads back as the same number; empty where it is not finite, which every
/// CSV reader takes as missing.
pub fn csv(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let (plain, scientific) = (format!("{value}"), format!("{value:e}"));
    if plain.len() <= scientific.len() + 4 { plain } else { scientific }
}

/// A typographic minus sign, except within the marks of a power, where the notation keeps the hyphen.
fn minus(text: &str) -> String {
    text.strip_prefix('-').map_or_else(|| text.to_owned(), |rest| format!("−{rest}"))
}

/// A name with what is known of its value: `p = 0.0123` or, for a bound, `p < 1.8e-5`, or `p not known`.
///
/// ```
/// use trawl::report::number::stated;
/// assert_eq!((stated("p", "0.1"), stated("p", "< 0.1")), ("p = 0.1".to_owned(), "p < 0.1".to_owned()));
/// ```
pub fn stated(name: &str, value: &str) -> String {
    if value.starts_with(['<', '>']) || value.starts_with("not ") {
        format!("{name} {value}")
    } else {
        format!("{name} = {value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_survive_rounding_up() {
        assert_eq!(significant(0.0009996, 3), "0.00100");
        assert_eq!(significant(999_999.6, 3), "1.00 × 10^{6}");
        assert_eq!(significant(-0.5, 2), "−0.50");
        assert_eq!(significant(f64::NAN, 3), "undefined");
        assert_eq!(significant(5e-324, 3), "4.94 × 10^{-324}");
    }

    #[test]
    fn probabilities_round_up_across_a_decade() {
        assert_eq!(probability(-1000.0 * std::f64::consts::LN_10 - 1e-9), "1.00 × 10^{-1000}");
        assert_eq!(probability(0.0), "1.00");
    }

    #[test]
    fn csv_reads_back() {
        for value in [0.1, 1e-300, -123456.789, 1e21, 3.0] {
            assert_eq!(csv(value).parse::<f64>(), Ok(value));
        }
        assert_eq!(csv(f64::NAN), "");
        assert_eq!(csv(1e-300), "1e-300");
    }
}
