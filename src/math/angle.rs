//! Angles in radians and distances in the plane of pseudorapidity and azimuth.

#![allow(clippy::approx_constant)]

use super::det::{LARGEST_ANGLE, PI, absolute, is_nan, nearest, sqrt};

/// 2 pi as the doubled double [`PI`].
pub const TWO_PI: f64 = 6.283185307179586;

/// `phi` brought into (-pi, pi] by whole turns of the double 2 pi; exact for the one turn that differences of wrapped
/// angles need. Beyond 2^20 radians and for NaN the answer is NaN.
///
/// ```
/// use trawl::math::angle::wrap_phi;
/// assert_eq!(wrap_phi(0.25), 0.25);
/// assert!((wrap_phi(4.0) - (4.0 - 2.0 * std::f64::consts::PI)).abs() < 1e-15);
/// ```
#[inline]
pub fn wrap_phi(phi: f64) -> f64 {
    if is_nan(phi) || absolute(phi) > LARGEST_ANGLE {
        return f64::NAN;
    }
    let mut wrapped: f64 = phi;
    if absolute(phi) > PI {
        wrapped = phi - nearest(phi / TWO_PI) * TWO_PI;
    }
    if wrapped > PI {
        wrapped -= TWO_PI;
    }
    if wrapped <= -PI {
        wrapped += TWO_PI;
    }
    wrapped
}

/// The difference `phi_a - phi_b` in (-pi, pi].
#[inline]
pub fn delta_phi(phi_a: f64, phi_b: f64) -> f64 {
    wrap_phi(phi_a - phi_b)
}

/// The distance sqrt((eta_a - eta_b)^2 + delta_phi^2); with rapidities instead of pseudorapidities, that of jets.
#[inline]
pub fn delta_r(eta_a: f64, phi_a: f64, eta_b: f64, phi_b: f64) -> f64 {
    let deta: f64 = eta_a - eta_b;
    let dphi: f64 = delta_phi(phi_a, phi_b);
    sqrt(deta * deta + dphi * dphi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_open_below_and_closed_above() {
        assert_eq!(wrap_phi(PI), PI);
        assert_eq!(wrap_phi(-PI), PI);
        assert_eq!(wrap_phi(3.0 * PI), PI);
        assert_eq!(wrap_phi(0.0), 0.0);
        assert!(wrap_phi(f64::NAN).is_nan());
        assert!(wrap_phi(f64::INFINITY).is_nan());
        for i in -40_000..40_000 {
            let phi = f64::from(i) * 0.01;
            let wrapped = wrap_phi(phi);
            assert!(wrapped > -PI && wrapped <= PI, "{phi} gave {wrapped}");
            let turns = (phi - wrapped) / TWO_PI;
            assert!((turns - turns.round()).abs() < 1e-12, "{phi} gave {wrapped}");
        }
    }

    #[test]
    fn distances_cross_the_seam() {
        assert!((delta_phi(3.1, -3.1) + (TWO_PI - 6.2)).abs() < 1e-15);
        assert!((delta_r(1.0, 3.1, 1.0, -3.1) - (TWO_PI - 6.2)).abs() < 1e-15);
        assert!((delta_r(0.0, 0.3, 0.4, 0.0) - 0.5).abs() < 1e-15);
    }
}
