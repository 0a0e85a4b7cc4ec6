//! Track-jets with flavour scores, and the class probabilities that a tagger makes of them: parametrised, not trained.

use super::super::draws::Draws;
use super::Kind;
use crate::math::det::{exp, sqrt};

/// The flavour of a track-jet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Bottom,
    Charm,
    Light,
}

/// A track-jet: transverse momentum in GeV and the scores of b, c and light, which sum to 1. All 0: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TrackJet {
    pub pt: f64,
    pub scores: [f64; 3],
    /// The logarithm of the ratio of the scores of b and light.
    evidence: f64,
}

/// What the tagger says of a large-R jet.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tags {
    pub track_jets: [TrackJet; 3],
    /// Higgs, top, QCD; they sum to 1.
    pub probabilities: [f64; 3],
}

/// ln(p_b / p_light) and ln(p_c / p_light) are normal: (mean, width) of both.
fn evidence(truth: Truth) -> [(f64, f64); 2] {
    match truth {
        Truth::Bottom => [(4.0, 2.0), (1.0, 1.5)],
        Truth::Charm => [(0.5, 1.8), (1.5, 1.5)],
        Truth::Light => [(-3.0, 2.0), (-1.5, 1.5)],
    }
}

/// Evidence where there is no track-jet.
const NONE: f64 = -4.0;
/// Gluons that become a b pair, and quarks that are b or c.
const GLUON_TO_BOTTOM: f64 = 0.03;
const QUARK_BOTTOM: f64 = 0.02;
const QUARK_CHARM: f64 = 0.08;
/// Jets of one prong with a second and a third track-jet.
const SECOND: f64 = 0.7;
const THIRD: f64 = 0.5;
/// The share of a prong's momentum in charged particles, and its width.
const CHARGED: f64 = 0.62;
const CHARGED_WIDTH: f64 = 0.1;
/// Chosen so that 60 % of the jets of H -> bb with 125 GeV pass D_Hbb > 2.44.
const HIGGS_OFFSET: f64 = 1.1;

/// Tags of a jet of this kind, whose prongs have the transverse momenta `prongs` (GeV).
pub fn tags(draws: &mut Draws, kind: Kind, prongs: &[f64]) -> Tags {
    let (mut track_jets, mut count) = ([TrackJet::default(); 3], 0);
    let (pts, truths) = contents(draws, kind, prongs);
    for (pt, truth) in pts.into_iter().zip(truths) {
        if pt > 0.0 {
            track_jets[count] = track_jet(draws, pt, truth);
            count += 1;
        }
    }
    // A stable sort: equal momenta keep their order.
    track_jets[..count].sort_by(|a, b| b.pt.total_cmp(&a.pt));
    let probabilities = probabilities(draws, kind, &track_jets[..count]);
    Tags { track_jets, probabilities }
}

/// The momenta of up to three track-jets (0 for none) and what they are of.
fn contents(draws: &mut Draws, kind: Kind, prongs: &[f64]) -> ([f64; 3], [Truth; 3]) {
    let mut pts = [0.0; 3];
    for (pt, prong) in pts.iter_mut().zip(prongs) {
        *pt = prong * (CHARGED + CHARGED_WIDTH * draws.normal()).max(0.1);
    }
    if prongs.len() == 1 {
        let (second, third) = (draws.happens(SECOND), draws.happens(THIRD));
        if second {
            pts[1] = pts[0] * draws.within(0.02, 0.4);
            pts[2] = if third { pts[1] * draws.within(0.1, 0.9) } else { 0.0 };
        }
    }
    let flavour = draws.uniform();
    let charm = draws.happens(QUARK_CHARM);
    let truths = match kind {
        Kind::Bottoms => [Truth::Bottom, Truth::Bottom, Truth::Light],
        Kind::ThreeProng => [Truth::Bottom, if charm { Truth::Charm } else { Truth::Light }, Truth::Light],
        Kind::Gluon if flavour < GLUON_TO_BOTTOM => [Truth::Bottom, Truth::Bottom, Truth::Light],
        Kind::Quark if flavour < QUARK_BOTTOM => [Truth::Bottom, Truth::Light, Truth::Light],
        _ if charm => [Truth::Charm, Truth::Light, Truth::Light],
        _ => [Truth::Light; 3],
    };
    (pts, truths)
}

fn track_jet(draws: &mut Draws, pt: f64, truth: Truth) -> TrackJet {
    let [b, c] = draws.normals();
    let [(b_mean, b_width), (c_mean, c_width)] = evidence(truth);
    let evidence = b_mean + b_width * b;
    let odds = [exp(evidence), exp(c_mean + c_width * c), 1.0];
    let total = odds[0] + odds[1] + odds[2];
    TrackJet { pt, scores: odds.map(|odd| odd / total), evidence }
}

/// Softmax of three scores: two b's speak for H, one b and three prongs for top.
fn probabilities(draws: &mut Draws, kind: Kind, track_jets: &[TrackJet]) -> [f64; 3] {
    let mut best = [NONE; 2];
    for track_jet in track_jets {
        if track_jet.evidence > best[0] {
            best = [track_jet.evidence, best[0]];
        } else if track_jet.evidence > best[1] {
            best[1] = track_jet.evidence;
        }
    }
    let shape = (if kind == Kind::ThreeProng { 1.2 } else { -1.2 }) + sqrt(0.5) * draws.normal();
    let odds = [exp(0.5 * (best[0] + best[1]) - HIGGS_OFFSET), exp(0.5 * best[0] + shape - 1.0), 1.0];
    let total = odds[0] + odds[1] + odds[2];
    odds.map(|odd| odd / total)
}
