//! The partons of one side of the pair: its own, or those that it decays to.

use super::super::draws::Draws;
use super::super::kinematics::{TOP_GEV, W_GEV, decay, wrapped};
use super::Kind;
use super::shower::{Flavour, Parton, WIDEST};
use crate::math::det::sqrt;
use crate::math::lorentz::FourMomentum;

/// One side of the pair before it decays or radiates.
#[derive(Debug, Clone, Copy)]
pub struct Leading {
    pub momentum: FourMomentum,
    pub mass: f64,
    pub kind: Kind,
}

/// The intermediate mass of a three-prong decay, relative to its parent: that of the W in the top.
const INTERMEDIATE: f64 = W_GEV / TOP_GEV;

/// The partons, each with the angle to its nearest neighbour as the widest of its radiation: what lies beyond is radiated
/// by a system without colour.
pub fn prongs(draws: &mut Draws, leading: &Leading) -> Vec<Parton> {
    let mut partons = match leading.kind {
        Kind::Quark => vec![leading.parton(Flavour::Quark)],
        Kind::Gluon => vec![leading.parton(Flavour::Gluon)],
        Kind::TwoProng => two(draws, leading, Flavour::Quark),
        Kind::Bottoms => two(draws, leading, Flavour::Bottom),
        Kind::ThreeProng => three(draws, leading),
        Kind::Dark => hidden(draws, leading, Flavour::Dark),
        Kind::SemiVisible => hidden(draws, leading, Flavour::SemiVisible),
    };
    let angles: Vec<f64> = (0..partons.len()).map(|index| nearest(&partons, index)).collect();
    partons.iter_mut().zip(angles).for_each(|(parton, angle)| parton.angle = angle);
    partons
}

fn massless(momentum: FourMomentum, kind: Kind, flavour: Flavour) -> Parton {
    Leading { momentum, mass: 0.0, kind }.parton(flavour)
}

fn two(draws: &mut Draws, leading: &Leading, flavour: Flavour) -> Vec<Parton> {
    let products = decay(draws, leading.momentum, leading.mass, [0.0; 2]);
    products.map(|momentum| massless(momentum, leading.kind, flavour)).to_vec()
}

fn hidden(draws: &mut Draws, leading: &Leading, flavour: Flavour) -> Vec<Parton> {
    if leading.mass > 0.0 { two(draws, leading, flavour) } else { vec![leading.parton(flavour)] }
}

fn three(draws: &mut Draws, leading: &Leading) -> Vec<Parton> {
    let middle = INTERMEDIATE * leading.mass;
    let [bottom, w] = decay(draws, leading.momentum, leading.mass, [0.0, middle]);
    let [one, two] = decay(draws, w, middle, [0.0; 2]);
    let flavours = [(bottom, Flavour::Bottom), (one, Flavour::Quark), (two, Flavour::Quark)];
    flavours.map(|(momentum, flavour)| massless(momentum, leading.kind, flavour)).to_vec()
}

fn nearest(partons: &[Parton], index: usize) -> f64 {
    let own = partons[index];
    let others = partons.iter().enumerate().filter(|(other, _)| *other != index);
    let distance = |other: &Parton| {
        let (eta, phi) = (own.eta - other.eta, wrapped(own.phi - other.phi));
        sqrt(eta * eta + phi * phi)
    };
    others.map(|(_, other)| distance(other)).fold(WIDEST, f64::min)
}
