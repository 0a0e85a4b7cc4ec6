//! Whether a training can be made.

use super::{Input, Loss, NAME, Train};
use crate::device::{Column, Host, Place};
use crate::error::{Fault, Problems, Result};
use crate::models::network::Activation;

pub(super) fn shapes<P: Place>(train: &Train, input: &Input<P>) -> Result<()> {
    let mut problems = Problems::default();
    problems.take(input.table.check_lengths());
    parameters(train, &mut problems);
    members(train, input, &mut problems);
    outputs(train, input, &mut problems);
    problems.finish()
}

/// Whether a training can be made of these values.
pub(super) fn values(train: &Train, input: &Input<Host>) -> Result<()> {
    let mut problems = Problems::default();
    problems.take(input.table.check());
    for (number, member) in train.members.iter().enumerate() {
        if let Some(fold) = member.held_out.filter(|fold| !input.table.folds.contains(fold)) {
            let fault = Fault::new(NAME, format!("member {number} holds out fold {fold}, which no event has"));
            let fault = fault.because("it would learn from every event, and from those that it is said not to know");
            problems.push(fault.suggest("Number folds from 0; there may be more of them than events.").data());
        }
    }
    problems.finish()
}

fn parameters(train: &Train, problems: &mut Problems) {
    train.optimiser.check(problems);
    let mut refuse = |problem: String, why: &str| problems.push(Fault::new(NAME, problem).because(why).usage());
    if train.batch == 0 || train.batch > 1 << 20 {
        refuse(format!("{} rows a batch are not from 1 to 1048576", train.batch), "a step follows the rows of a batch");
    }
    if !(0.0..1.0).contains(&train.validation_share) {
        let problem = format!("the share {} of validation is not from 0 to below 1", train.validation_share);
        refuse(problem, "the other events are learned from");
    }
    if let Some(early) = train.early_stopping {
        if !(early.least_improvement >= 0.0 && early.least_improvement.is_finite()) {
            let problem =
                format!("the least improvement {} is not a finite number, 0 or more", early.least_improvement);
            refuse(problem, "losses are compared with the best one less it");
        }
        if train.validation_of_2_32() == 0 {
            refuse("there is early stopping and no validation".into(), "the loss of training always falls");
        }
    }
    if train.pause_after == Some(0) {
        refuse("a pause after 0 epochs".into(), "nothing would ever be trained");
    }
}

fn members<P: Place>(train: &Train, input: &Input<P>, problems: &mut Problems) {
    let mut refuse = |problem: String, why: String| problems.push(Fault::new(NAME, problem).because(why).usage());
    let table = &input.table;
    if train.members.is_empty() {
        refuse("there are no members".into(), "nothing would be trained".into());
    }
    for (number, member) in train.members.iter().enumerate() {
        let width = if member.features.is_empty() { table.width as usize } else { member.features.len() };
        if width != train.network.inputs() {
            let why = format!("the network takes {}", train.network.inputs());
            refuse(format!("member {number} has {width} features"), why);
        }
        if let Some(feature) = member.features.iter().find(|feature| **feature >= table.width) {
            refuse(format!("member {number} has feature {feature}"), format!("the events have {}", table.width));
        }
        if (1..member.features.len()).any(|at| member.features[..at].contains(&member.features[at])) {
            refuse(format!("member {number} has a feature twice"), "nothing more is learned from it".into());
        }
        if train.loss.has_labels() && member.labels as usize >= table.label_columns() {
            let why = format!("there are {}", table.label_columns());
            refuse(format!("member {number} has the column {} of labels", member.labels), why);
        }
        if let Some(column) = member.weights.filter(|column| *column as usize >= table.weight_columns()) {
            let why = format!("there are {}", table.weight_columns());
            refuse(format!("member {number} has the column {column} of weights"), why);
        }
        if member.held_out.is_some() && table.folds.length() == 0 {
            refuse(format!("member {number} holds a fold out"), "events have no folds".into());
        }
        if let Some(group) = member.group
            && (table.groups.length() == 0 || group >= 32)
        {
            refuse(format!("member {number} is of group {group}"), "events have no such group".into());
        }
        if train.loss == Loss::FixedTarget && !member.target.is_finite() {
            let why = "outputs are compared with it".into();
            refuse(format!("the target {} of member {number} is not finite", member.target), why);
        }
    }
    let population = &input.population;
    let expected = train.members.len() * train.network.parameters();
    for (name, column) in [
        ("parameters", &population.parameters),
        ("means of gradients", &population.mean),
        ("means of squares", &population.square),
        ("best parameters", &population.best),
    ] {
        if column.length() != expected || population.progress.len() != train.members.len() {
            let problem = format!("{} {name} of {} members", column.length(), population.progress.len());
            let why = format!("{} members of this network have {expected}", train.members.len());
            problems.push(Fault::new(NAME, problem).because(why).data());
        }
    }
}

fn outputs<P: Place>(train: &Train, input: &Input<P>, problems: &mut Problems) {
    let outputs = train.network.outputs();
    let expected = match train.loss {
        Loss::BinaryCrossEntropy | Loss::LikelihoodRatio => Some((1, "the loss is one of a logit")),
        Loss::Reconstruction => Some((train.network.inputs(), "inputs are compared with what comes out")),
        Loss::FixedTarget => None,
    };
    if let Some((expected, why)) = expected
        && outputs != expected
    {
        let problem = format!("the network has {outputs} outputs, expected {expected}");
        problems.push(Fault::new(NAME, problem).because(why).usage());
    }
    let last = train.network.layers().last().map(|layer| layer.activation);
    if train.loss.has_labels() && last.is_some_and(|last| last != Activation::Identity) {
        let fault = Fault::new(NAME, "the last layer has an activation").because("the loss is one of a logit");
        problems.push(fault.suggest("Use the identity.").usage());
    }
    let has_choice = train.members.iter().any(|member| !member.features.is_empty());
    if train.loss == Loss::Reconstruction && input.table.present.length() != 0 && has_choice {
        let fault = Fault::new(NAME, "members choose features of which some are not present");
        problems.push(fault.because("what is present is counted by all features").usage());
    }
}
