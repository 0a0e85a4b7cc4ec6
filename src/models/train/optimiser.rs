//! Adam: Kingma and Ba, ICLR 2015, with the decoupled weight decay of Loshchilov and Hutter, ICLR 2019.

use serde::{Deserialize, Serialize};

use super::sampling::LANES;
use crate::error::{Fault, Problems};
use crate::math::det;
use crate::math::floats::{Floats, Width, floats};

const NAME: &str = "models.train";

/// How parameters follow their gradient g. At step t = 1, 2, ... with the learning rate r of that step:
///
/// ```text
/// p <- p (1 - r decay)
/// m <- beta1 m + (1 - beta1) g,    v <- beta2 v + (1 - beta2) g^2
/// p <- p - r (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// The first learning rate.
    pub rate: f32,
    /// Of the mean gradient.
    pub beta1: f64,
    /// Of the mean square.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// The share of a parameter that a learning rate of 1 would take away.
    pub weight_decay: f32,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// The largest norm of a gradient over all parameters; longer ones are shortened to it.
    pub largest_norm: Option<f32>,
}

/// How the learning rate changes from its first value, with the number of steps s that were made before.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// `rate / (1 + decay s)`.
    InverseTime {
        /// Above 0.
        decay: f64,
    },
    /// `rate (1 + cos(pi s / steps)) / 2` of all steps of all epochs, so that it falls once and does not rise again.
    Cosine,
}

impl Default for Adam {
    /// The constants of the paper: a rate of 0.001, 0.9, 0.999 and 1e-8, without decay, schedule or largest norm.
    fn default() -> Self {
        Self {
            rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            schedule: Schedule::Constant,
            largest_norm: None,
        }
    }
}

/// What a step needs besides its gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub rate: f32,
    pub kept: f32,
    pub beta1: f32,
    pub rest1: f32,
    pub beta2: f32,
    pub rest2: f32,
    pub correction1: f32,
    pub correction2: f32,
    pub epsilon: f32,
}

impl Adam {
    pub(super) fn check(&self, problems: &mut Problems) {
        let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
        if !(self.rate > 0.0 && self.rate <= 1e3) {
            refuse(
                format!("the learning rate {} is not above 0 and at most 1000", self.rate),
                "parameters follow by it",
            );
        }
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                refuse(format!("{name} = {beta} is not from 0 to below 1"), "it is the share that a mean keeps");
            }
        }
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            refuse(format!("epsilon = {} is not above 0", self.epsilon), "gradients of 0 would be divided by 0");
        }
        if !(self.weight_decay >= 0.0 && self.rate * self.weight_decay < 1.0) {
            refuse(
                format!("the weight decay {} takes more than all", self.weight_decay),
                "it is a share for each rate",
            );
        }
        if let Schedule::InverseTime { decay } = self.schedule
            && !(decay > 0.0 && decay.is_finite())
        {
            refuse(format!("the decay {decay} of the learning rate is not above 0"), "the rate would not fall");
        }
        if let Some(norm) = self.largest_norm
            && (norm.is_nan() || norm <= 0.0)
        {
            refuse(format!("the largest norm {norm} of a gradient is not above 0"), "no step would be made");
        }
    }

    /// The numbers of the step after `before` steps, of `steps` in all.
    pub(crate) fn step(&self, before: u64, steps: u64) -> Step {
        let rate = f64::from(self.rate);
        let rate = match self.schedule {
            Schedule::Constant => rate,
            Schedule::InverseTime { decay } => rate / (1.0 + decay * before as f64),
            Schedule::Cosine => {
                let share = before.min(steps) as f64 / steps.max(1) as f64;
                0.5 * rate * (1.0 + det::cos(std::f64::consts::PI * share))
            }
        };
        let number = (before + 1) as f64;
        let correction = |beta: f64| if beta > 0.0 { 1.0 / (1.0 - det::pow(beta, number)) } else { 1.0 };
        Step {
            rate: rate as f32,
            kept: (1.0 - rate * f64::from(self.weight_decay)) as f32,
            beta1: self.beta1 as f32,
            rest1: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            rest2: (1.0 - self.beta2) as f32,
            correction1: correction(self.beta1) as f32,
            correction2: correction(self.beta2) as f32,
            epsilon: self.epsilon,
        }
    }

    /// What a gradient of this norm is multiplied by.
    pub(crate) fn shortening(&self, norm: f64) -> f32 {
        match self.largest_norm {
            Some(largest) if norm > f64::from(largest) => (f64::from(largest) / (norm + 1e-6)) as f32,
            _ => 1.0,
        }
    }
}

/// The parameters of a member and the means of their gradients.
pub(crate) struct Followed<'a> {
    pub parameters: &'a mut [f32],
    pub mean: &'a mut [f32],
    pub square: &'a mut [f32],
}

/// A step of all parameters, whole vectors of eight.
pub(crate) fn follow(width: Width, step: Step, shortening: f32, gradient: &[f32], followed: Followed) {
    floats!(width, each(step: Step, shortening: f32, gradient: &[f32], followed: Followed));
}

#[inline(always)]
fn each<V: Floats, E: Floats>(step: Step, shortening: f32, gradient: &[f32], followed: Followed) {
    const EIGHT: usize = 8;
    let Followed { parameters, mean, square } = followed;
    let all = |x: f32| E::all(x);
    let means = mean.chunks_exact_mut(EIGHT).zip(square.chunks_exact_mut(EIGHT));
    let rows = parameters.chunks_exact_mut(EIGHT).zip(gradient.chunks_exact(EIGHT)).zip(means);
    for ((parameters, gradient), (mean, square)) in rows {
        let g = E::load(gradient).times(all(shortening));
        let m = all(step.beta1).times_plus(E::load(mean), all(step.rest1).times(g));
        let v = all(step.beta2).times_plus(E::load(square), all(step.rest2).times(g).times(g));
        let root = v.times(all(step.correction2)).square_root().plus(all(step.epsilon));
        let direction = m.times(all(step.correction1)).over(root);
        let kept = E::load(parameters).times(all(step.kept));
        m.store(mean);
        v.store(square);
        all(-step.rate).times_plus(direction, kept).store(parameters);
    }
}

/// Adds the gradients of three quarters to that of the first, `(q0 + q1) + (q2 + q3)`, and answers the norm of the sum: 256 sums of squares
/// in double precision, by the number modulo 256, added up in their order.
pub(super) fn add_quarters(width: Width, first: &mut [f32], others: [&[f32]; 3]) -> f64 {
    let mut all = [0.0; LANES];
    let sums = &mut all;
    floats!(width, add(first: &mut [f32], others: [&[f32]; 3], sums: &mut [f64; LANES]));
    det::sqrt(all.iter().fold(0.0, |all, sum| all + sum))
}

#[inline(always)]
fn add<V: Floats, E: Floats>(first: &mut [f32], [q1, q2, q3]: [&[f32]; 3], sums: &mut [f64; LANES]) {
    let others = q1.chunks(LANES).zip(q2.chunks(LANES)).zip(q3.chunks(LANES));
    for (first, ((q1, q2), q3)) in first.chunks_mut(LANES).zip(others) {
        for ((((q0, q1), q2), q3), sum) in first.iter_mut().zip(q1).zip(q2).zip(q3).zip(&mut *sums) {
            *q0 = (*q0 + q1) + (q2 + q3);
            *sum += f64::from(*q0) * f64::from(*q0);
        }
    }
}
