//! Networks: their shapes, their training in populations, what is built of them, and the metrics of their scores.
//!
//! The stage knows arrays, labels and weights; no masses and no regions. See [`train`] for what training does.
//!
//! | part | what it does |
//! |---|---|
//! | [`network`], [`population`], [`table`] | shapes, members, events |
//! | [`train`], [`score`] | the operations `models.train` and `models.score` |
//! | [`learning`] | what all trainings below have in common |
//! | [`folds`] | every event is scored by a member that never saw it |
//! | [`autoencoder`] | the error of a masked reconstruction |
//! | [`deep_svdd`] | the distance from fixed targets, of a family of networks |
//! | [`classifier`] | weakly supervised classifiers in folds, and their thresholds |
//! | [`reweighter`] | ratios of densities as weights, with bootstrap replicas |
//! | [`bundle`] | trained networks with all that scores need, in one file; ONNX, networks from elsewhere, checkpoints |
//! | [`metrics`] | ROC, rejection, SIC, thresholds |

pub mod autoencoder;
pub mod bundle;
pub mod classifier;
pub mod deep_svdd;
pub mod folds;
pub mod learning;
pub mod metrics;
mod moments;
pub mod network;
pub mod population;
pub mod reweighter;
pub mod score;
pub mod table;
pub mod train;
