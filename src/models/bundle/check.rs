//! Whether what is in a bundle fits together.

use std::collections::BTreeSet;

use super::{Bundle, Combination, NAME, weights};
use crate::error::{Error, Fault, Problems};
use crate::models::score::transform::ScoreTransform;

fn refused(problem: impl Into<String>, why: impl Into<String>) -> Error {
    Fault::new(NAME, problem).because(why).data()
}

/// Everything but the parameters.
pub(super) fn description(bundle: &Bundle, problems: &mut Problems) {
    features(bundle, problems);
    members(bundle, problems);
    score(bundle, problems);
    combination(bundle, problems);
}

pub(super) fn parameters(bundle: &Bundle, problems: &mut Problems) {
    let expected = bundle.members.len().saturating_mul(bundle.network.parameters());
    if bundle.parameters.len() == expected {
        return weights::check_finite(&bundle.network, &bundle.parameters, problems);
    }
    let problem = format!("expected {expected} parameters, got {}", bundle.parameters.len());
    problems.push(refused(problem, "each member of this network has as many, with their padding"));
}

fn features(bundle: &Bundle, problems: &mut Problems) {
    let mut names = BTreeSet::new();
    for (number, feature) in bundle.features.iter().enumerate() {
        if feature.name.is_empty() {
            problems.push(refused(format!("feature {number} has no name"), "it would not be found in other events"));
        } else if !names.insert(&feature.name) {
            problems
                .push(refused(format!("the feature '{}' is there twice", feature.name), "names tell features apart"));
        }
    }
    if bundle.standardise.len() != bundle.features.len() {
        let problem = format!("{} maps for {} features", bundle.standardise.len(), bundle.features.len());
        problems.push(refused(problem, "each feature has its own"));
    }
    if let Some(missing) = bundle.missing.filter(|missing| !missing.is_finite()) {
        problems.push(refused(format!("the missing value {missing} is not finite"), "features are compared with it"));
    }
    for (number, transform) in bundle.standardise.iter().enumerate() {
        transform.check(number, problems);
    }
}

fn members(bundle: &Bundle, problems: &mut Problems) {
    let features = bundle.features.len();
    if bundle.health.len() != bundle.members.len() {
        let problem = format!("the health of {} of {} members", bundle.health.len(), bundle.members.len());
        problems.push(refused(problem, "each has its own"));
    }
    if bundle.healthy().next().is_none() {
        problems.push(refused("no member is healthy", "there would be no score"));
    }
    for (number, member) in bundle.members.iter().enumerate() {
        let width = if member.features.is_empty() { features } else { member.features.len() };
        if width != bundle.network.inputs() {
            let why = format!("the network takes {}", bundle.network.inputs());
            problems.push(refused(format!("member {number} has {width} features"), why));
        }
        if let Some(feature) = member.features.iter().find(|feature| **feature as usize >= features) {
            problems.push(refused(format!("member {number} has feature {feature}"), format!("there are {features}")));
        }
        // Whatever the score is: the description of the file has no other numbers.
        if !member.target.is_finite() {
            let problem = format!("the target {} of member {number} is not finite", member.target);
            problems.push(refused(problem, "outputs are compared with it"));
        }
    }
}

fn score(bundle: &Bundle, problems: &mut Problems) {
    let (inputs, outputs) = (bundle.network.inputs(), bundle.network.outputs());
    match bundle.score {
        ScoreTransform::Outputs | ScoreTransform::Probability | ScoreTransform::DistanceToTarget => {}
        ScoreTransform::ReconstructionError if inputs == outputs => {}
        ScoreTransform::ReconstructionError => {
            let problem = format!("the network has {outputs} outputs, expected {inputs}");
            problems.push(refused(problem, "inputs are compared with what comes out"));
        }
        ScoreTransform::DensityRatio { scale } if scale > 0.0 && scale.is_finite() => {}
        ScoreTransform::DensityRatio { scale } => {
            let problem = format!("the scale {scale} of a density ratio is not a finite number above 0");
            problems.push(refused(problem, "densities are above 0"));
        }
    }
}

/// How many numbers the score of an event by one member is.
pub(super) fn width_of_scores(bundle: &Bundle) -> usize {
    match bundle.score {
        ScoreTransform::Outputs | ScoreTransform::Probability | ScoreTransform::DensityRatio { .. } => {
            bundle.network.outputs()
        }
        ScoreTransform::ReconstructionError | ScoreTransform::DistanceToTarget => 1,
    }
}

fn combination(bundle: &Bundle, problems: &mut Problems) {
    match &bundle.combination {
        Combination::Mean | Combination::Median => {}
        Combination::NormalisedMean { centre, spread } => normalised(bundle, [centre, spread], problems),
        Combination::OutOfFold { folds, .. } => out_of_fold(bundle, *folds, problems),
    }
}

fn normalised(bundle: &Bundle, [centre, spread]: [&Vec<f64>; 2], problems: &mut Problems) {
    let members = bundle.members.len();
    if (centre.len(), spread.len()) != (members, members) {
        let problem = format!("{} centres and {} spreads of {members} members", centre.len(), spread.len());
        problems.push(refused(problem, "each has its own"));
    }
    if width_of_scores(bundle) != 1 {
        let problem = format!("normalised means of {} numbers", width_of_scores(bundle));
        problems.push(refused(problem, "a member has one centre and one spread"));
    }
    let is_finite = |at: &f64| at.is_finite();
    // Of a member that is left out any number does, if it can be written.
    for number in 0..centre.len().min(spread.len()) {
        let is_healthy = bundle.health.get(number).is_some_and(|health| *health == super::Health::Healthy);
        let (centre, spread) = (centre[number], spread[number]);
        if !(is_finite(&centre) && is_finite(&spread)) || (is_healthy && spread <= 0.0) {
            let problem = format!("the centre {centre} and spread {spread} of member {number}");
            problems.push(refused(problem, "both are finite, and scores are divided by the spread"));
        }
    }
}

fn out_of_fold(bundle: &Bundle, folds: u32, problems: &mut Problems) {
    for (number, member) in bundle.members.iter().enumerate() {
        match member.held_out {
            Some(fold) if fold < folds => {}
            Some(fold) => {
                problems.push(refused(format!("member {number} holds out fold {fold}"), format!("there are {folds}")));
            }
            None => {
                let problem = format!("member {number} holds no fold out");
                problems.push(refused(problem, "an event is scored by members that have never seen it"));
            }
        }
    }
    let covered: BTreeSet<u32> = bundle
        .healthy()
        .filter_map(|number| bundle.members.get(number)?.held_out)
        .filter(|fold| *fold < folds)
        .collect();
    // The first alone: there may be any number of them.
    if let Some(fold) = (0..folds).find(|fold| !covered.contains(fold)) {
        let problem = format!("no healthy member holds out fold {fold} of {folds}");
        problems.push(refused(problem, "its events would have no score"));
    } else if folds == 0 {
        problems.push(refused("there are no folds", "no event would have a score"));
    }
}
