//! What every executor of `features.image` computes, in this order of operations.

use crate::math::angle::TWO_PI;
use crate::math::det;

/// Squares of transverse momenta below this are none, and so rapidities are below 1000.
const SMALLEST: f64 = 1e-300;

/// Eigenvalues of a covariance that differ by less of their sum are equal: the difference is rounding.
const ISOTROPIC: f64 = 1e-12;

/// Outside of the image.
pub(super) const NO_PIXEL: u32 = u32::MAX;

/// What constituents are seen from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub y: f64,
    /// From -pi to pi.
    pub phi: f64,
}

/// A constituent in the plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub pt: f64,
    pub y: f64,
    pub phi: f64,
}

/// The transverse momentum, 0 where that is next to nothing.
#[inline(always)]
pub(super) fn pt_of(pt2: f64) -> f64 {
    let pt = det::sqrt(pt2);
    if pt2 < SMALLEST { 0.0 } else { pt }
}

/// `phi` less that of the axis, the short way round, for angles from -pi to pi.
#[inline(always)]
fn seen_from(axis: f64, phi: f64) -> f64 {
    let difference = phi - axis;
    let mut short = difference;
    if difference > det::PI {
        short = difference - TWO_PI;
    }
    if difference < -det::PI {
        short = difference + TWO_PI;
    }
    short
}

/// A constituent seen from the axis. Who has no pT, or is not closer than the radius, is at the origin and counts nothing.
#[inline(always)]
pub(super) fn placed(pt: f64, y: f64, phi: f64, axis: Axis, radius2: f64) -> Placed {
    let dy = y - axis.y;
    let dphi = seen_from(axis.phi, phi);
    let counts = pt > 0.0 && dy * dy + dphi * dphi < radius2;
    Placed { pt: if counts { pt } else { 0.0 }, y: if counts { dy } else { 0.0 }, phi: if counts { dphi } else { 0.0 } }
}

/// Step 2: the rotation that brings the principal axis to phi.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    cos: f64,
    sin: f64,
}

impl Turn {
    /// None.
    pub const ABSENT: Self = Self { cos: 1.0, sin: 0.0 };

    /// That of a covariance; none where it has no direction. The angle from phi is within a quarter turn: of twice the angle the cosine is
    /// `(phi_phi - yy) / size` and the sine `2 y_phi / size`, and the larger one of its own two is a square root without cancellation.
    #[inline(always)]
    pub fn of(yy: f64, y_phi: f64, phi_phi: f64) -> Self {
        let difference = phi_phi - yy;
        let twice = 2.0 * y_phi;
        let size = det::sqrt(difference * difference + twice * twice);
        let has_direction = size > ISOTROPIC * (yy + phi_phi);
        if !has_direction {
            return Self::ABSENT;
        }
        let larger = det::sqrt((size + det::absolute(difference)) / (2.0 * size));
        let smaller = det::absolute(twice) / (2.0 * size * larger);
        let along = difference >= 0.0;
        let cos = if along { larger } else { smaller };
        let sin = if along { smaller } else { larger };
        Self { cos, sin: if twice < 0.0 { -sin } else { sin } }
    }

    /// y and phi after it.
    #[inline(always)]
    pub fn turned(self, y: f64, phi: f64) -> (f64, f64) {
        (self.cos * y - self.sin * phi, self.sin * y + self.cos * phi)
    }
}

/// Step 3: the sign by which the hardest is not below 0.
#[inline(always)]
pub(super) fn sign_of(hardest: f64) -> f64 {
    if hardest < 0.0 { -1.0 } else { 1.0 }
}

/// Step 4: rows or columns of pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raster {
    pixels: u32,
    /// The width of a pixel.
    step: f64,
    /// The pixel around 0.
    middle: f64,
}

impl Raster {
    pub fn of(pixels: u32, step: f64) -> Self {
        Self { pixels, step, middle: f64::from(pixels / 2) }
    }

    /// The pixel of a place, or [`NO_PIXEL`]: `middle + ceil(x / step - 1/2)`.
    #[inline(always)]
    fn index_of(self, x: f64) -> u32 {
        let place = x / self.step - 0.5;
        // What the ceiling brings to the first at least, and to the last at most; not what is no number.
        let inside = place > -self.middle - 1.0 && place <= f64::from(self.pixels - 1) - self.middle;
        let held = if inside { place } else { 0.0 };
        // Towards 0, which is up where it is below.
        let whole = held as i32;
        let up = if f64::from(whole) < held { whole + 1 } else { whole };
        let index = (up + self.middle as i32) as u32;
        if inside { index } else { NO_PIXEL }
    }

    /// The pixel of the image, rows of phi after each other, or [`NO_PIXEL`].
    #[inline(always)]
    pub fn pixel_of(self, y: f64, phi: f64) -> u32 {
        let column = self.index_of(y);
        let row = self.index_of(phi);
        // Without a branch, so that loops become vectors.
        let pixel = row.wrapping_mul(self.pixels).wrapping_add(column);
        if column == NO_PIXEL || row == NO_PIXEL { NO_PIXEL } else { pixel }
    }
}
