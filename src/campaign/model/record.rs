//! What a training leaves in the report and in the folder.

use std::fmt::Write;

use super::learn::truth_of;
use crate::campaign::run::Run;
use crate::campaign::survivors::Gathered;
use crate::card::{EventWork, ModelSettings};
use crate::error::Result;
use crate::events::{ColumnKind, TableWriter, Values};
use crate::models::bundle::apply::Scores;
use crate::models::bundle::{Bundle, Combination, Runs};
use crate::models::learning::Fitted;
use crate::models::metrics::{Roc, STATISTICS_CUT, Scored};
use crate::models::population::{Epoch, Progress, Stop};
use crate::report::plot::{Plot, TrainingHistory};
use crate::report::{DataFile, Fact, Figure, number};

/// Names the bundle in the report.
pub(super) fn bundle(run: &mut Run, name: &str) {
    let holds = "The networks with their scales, features and card, for `trawl score` and `trawl export`.";
    run.report.files.push(DataFile { path: name.into(), holds: holds.into() });
}

/// Says which events were learned from.
pub(super) fn learned(run: &mut Run, samples: &[String], events: usize) {
    run.note("Learned from", format!("{} events of {}", number::count(events as u64), samples.join(", ")));
}

/// The history of all members, as a table and a figure.
pub(super) fn training(run: &mut Run, fitted: &Fitted) -> Result<()> {
    let members = &fitted.population.progress;
    run.write("training.csv", &history(members), "Losses, learning rates and norms of gradients, epoch after epoch.")?;
    let epochs = members.iter().map(|member| member.epochs.len());
    let (least, most) = epochs.fold((usize::MAX, 0), |(least, most), epochs| (least.min(epochs), most.max(epochs)));
    let of = |stop: &dyn Fn(&Stop) -> bool| members.iter().filter(|member| stop(&member.stop)).count();
    let patience = of(&|stop| *stop == Stop::Patience);
    let words = format!("{} networks, {least} to {most} epochs; {patience} ended by patience", members.len());
    run.note("Networks", words);
    for quantity in &QUANTITIES {
        let plot = TrainingHistory {
            label: crate::report::svg::panel::PlotLabel::new(&run.card.name),
            axis: quantity.axis.into(),
            curves: quantity.curves.iter().map(|(name, column)| ((*name).into(), (*column).into())).collect(),
            members: members.iter().map(|member| member.epochs.iter().map(quantity.values).collect()).collect(),
        };
        let caption = format!("{} {patience} of {} networks ended by patience.", quantity.caption, members.len());
        run.report.figures.push(Figure::new(quantity.file, quantity.axis, &caption, Plot::History(plot)));
    }
    Ok(())
}

/// What is drawn of a training.
struct Quantity {
    file: &'static str,
    axis: &'static str,
    caption: &'static str,
    /// The name of each curve and of its column.
    curves: &'static [(&'static str, &'static str)],
    values: fn(&Epoch) -> Vec<Option<f64>>,
}

const QUANTITIES: [Quantity; 3] = [
    Quantity {
        file: "losses",
        axis: "Loss",
        caption: "The mean loss of each epoch: of training, before each step and with dropout, and of validation, after it and without.",
        curves: &[("Training", "training_loss"), ("Validation", "validation_loss")],
        values: |epoch| vec![Some(epoch.training), epoch.validation],
    },
    Quantity {
        file: "gradient-norms",
        axis: "Norm of the gradient",
        caption: "The norm of the gradient of the last batch of each epoch, before it is shortened.",
        curves: &[("Networks", "gradient_norm")],
        values: |epoch| vec![Some(epoch.gradient_norm)],
    },
    Quantity {
        file: "learning-rates",
        axis: "Learning rate",
        caption: "The learning rate of the last step of each epoch.",
        curves: &[("Networks", "learning_rate")],
        values: |epoch| vec![Some(f64::from(epoch.rate))],
    },
];

fn history(members: &[Progress]) -> String {
    let mut text = String::from("member,epoch,training_loss,validation_loss,learning_rate,gradient_norm,stop\n");
    for (number, member) in members.iter().enumerate() {
        for (epoch, made) in member.epochs.iter().enumerate() {
            let stop = if epoch + 1 == member.epochs.len() { words_of(member.stop) } else { String::new() };
            let validation = made.validation.map(number::csv).unwrap_or_default();
            let [training, norm] = [made.training, made.gradient_norm].map(number::csv);
            let _ = writeln!(text, "{number},{epoch},{training},{validation},{},{norm},{stop}", made.rate);
        }
    }
    text
}

fn words_of(stop: Stop) -> String {
    match stop {
        Stop::Running => "running".into(),
        Stop::Finished => "finished".into(),
        Stop::Patience => "patience".into(),
        Stop::NotFinite { epoch, batch } => format!("not finite in batch {batch} of epoch {epoch}"),
    }
}

/// Scores the events of a sample, and says how well their classes are told apart where they are known.
///
/// # Errors
/// Those of [`Bundle::score`]; a disk that refuses.
pub(super) fn scored(
    run: &mut Run,
    work: &EventWork,
    settings: &ModelSettings,
    bundle: &Bundle,
    sample: &str,
    events: &Gathered,
) -> Result<()> {
    let features = &events.columns[..settings.features.len()];
    let progress = run.progress;
    let stage = progress.stage(&format!("score {sample}"), "events", Some(events.events() as u64));
    let mut watch = |events: usize| {
        stage.add(events as u64);
        progress.interrupted()
    };
    let scores = if events.events() > 0 {
        bundle.score_watched(features, &events.keys(), &mut watch)?
    } else {
        // The same columns as other files have.
        Scores { networks: bundle.networks_an_event()?, ..Scores::default() }
    };
    run.record_stage(stage.finish());
    table(run, sample, events, &scores, &bundle.combination)?;
    let is_classified = matches!(bundle.combination, Combination::OutOfFold { .. });
    if is_classified && events.unnumbered > 0 {
        let words = format!(
            "{} events of {sample} have no number of their own (a column `event`), so that their rows choose their folds: in another file \
             they may be scored by networks that learned from them",
            number::count(events.unnumbered as u64)
        );
        tracing::warn!("{words}");
        run.note("Event numbers", words);
    }
    if is_classified && bundle.runs == Runs::Present && events.without_run > 0 {
        let words = format!(
            "{} events of {sample} have no run, which the events of the training had: their folds are others, and they may be scored by \
             networks that learned from them",
            number::count(events.without_run as u64)
        );
        tracing::warn!("{words}");
        run.note("Event numbers", words);
    }
    if let Some(truth) = truth_of(settings, work, events) {
        separation(run, sample, &scores.combined, &truth, &events.weight);
    }
    Ok(())
}

/// The scores of a sample's events as a table.
fn table(run: &mut Run, sample: &str, events: &Gathered, scores: &Scores, by: &Combination) -> Result<()> {
    let name = format!("scores-{sample}.parquet");
    let length = scores.networks;
    let mut columns = vec![
        ("run", ColumnKind::U32),
        ("event", ColumnKind::U64),
        ("weight", ColumnKind::F32),
        ("score", ColumnKind::F32),
    ];
    columns.extend((length > 1).then_some(("score_of_networks", ColumnKind::F32List { length })));
    let mut writer = TableWriter::create(run.output.path_of(&name), &columns)?;
    let mut values = vec![
        Values::U32(&events.run),
        Values::U64(&events.event),
        Values::F32(&events.weight),
        Values::F32(&scores.combined),
    ];
    values.extend((length > 1).then_some(Values::F32(&scores.of_networks)));
    writer.write(&values)?;
    let written = writer.finish()?;
    run.output.record(&name, &written);
    let of = match by {
        Combination::OutOfFold { .. } => ", by networks that never saw it",
        _ => "",
    };
    run.report.files.push(DataFile { path: name, holds: format!("The score of each selected event of {sample}{of}.") });
    Ok(())
}

/// How well scores tell events whose class is known.
fn separation(run: &mut Run, sample: &str, scores: &[f32], truth: &[Option<bool>], weights: &[f32]) {
    let known: Vec<(usize, bool)> =
        truth.iter().enumerate().filter_map(|(event, class)| Some((event, (*class)?))).collect();
    let of_known = |column: &[f32]| known.iter().map(|(event, _)| column[*event]).collect::<Vec<f32>>();
    let (scores, weights) = (of_known(scores), of_known(weights));
    let is_signal: Vec<bool> = known.iter().map(|(_, is_signal)| *is_signal).collect();
    let scored = Scored { scores: &scores, is_signal: &is_signal, weights: Some(&weights) };
    // A sample of one class has nothing to be told apart.
    let Ok(roc) = Roc::of(&scored) else { return };
    let auc = roc.auc();
    run.note("AUC", format!("{:.4} ± {:.4} of {sample}", auc.value, auc.error));
    if let Ok(Some(best)) = roc.largest_sic(STATISTICS_CUT) {
        let (sic, efficiency) = (best.improvement, best.step.signal.value);
        let words =
            format!("{:.2} ± {:.2} of {sample} at a signal efficiency of {efficiency:.3}", sic.value, sic.error);
        run.report.answer.facts.push(Fact::new("Largest TPR / sqrt(FPR)", words));
    }
}
