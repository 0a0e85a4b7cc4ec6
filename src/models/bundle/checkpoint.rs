//! `models.checkpoint`: populations in the middle of their training, on the disk.
//!
//! **What.** A safetensors file: `parameters`, `mean`, `square` and `best` of the [`Population`], float `[members,
//! parameters]` with their padding, and how far each member has come (`progress`, JSON). It says which network and
//! which members it is of, and has a fingerprint of everything else that the training follows from, which the caller
//! makes: settings and table. It appears whole or not at all, so that a training that is killed while it writes still
//! has the one before.
//!
//! **Numbers.** Bits are kept: a training that goes on ends with those of one that was never stopped. How the learning
//! rate falls depends on all epochs of the training, so they belong to the settings.
//!
//! **Cost.** 16 bytes for each parameter, and the hash of them.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use super::tensors::{self, Kind, Tensor, Tensors, encoded};
use crate::device::Host;
use crate::error::{Fault, Problems, Result};
use crate::events::write_whole;
use crate::models::network::Network;
use crate::models::population::{Member, Population, Progress};

const NAME: &str = "models.checkpoint";

/// Another version has other fields, or members whose training goes on otherwise.
const CHECKPOINT: Kind = Kind { word: "checkpoint", version: 1 };

const PROGRESS: &str = "progress";

/// What a checkpoint is of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    fingerprint: String,
    network: Network,
    members: Vec<Member>,
}

/// Writes a population. The file appears whole or not at all.
///
/// # Errors
/// All at once: columns that are not those of these members, progress that is not of finite numbers;
/// [`Error::Io`](crate::error::Error::Io) if the system refuses.
///
/// # Example
/// ```
/// use trawl::models::bundle::checkpoint;
/// use trawl::models::network::{Activation, Initialisation, Network};
/// use trawl::models::population::{Member, Population};
/// let network = Network::dense(3, &[8], 1, Activation::Relu, 0.0)?;
/// let members = [Member::new(1), Member::new(2)];
/// let population = Population::untrained(&network, &members, Initialisation::He);
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("training.safetensors");
/// checkpoint::write(&path, &network, &members, &population, "of settings and table")?;
/// let read = checkpoint::read(&path, &network, &members, "of settings and table")?;
/// assert_eq!(read.parameters, population.parameters);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(
    path: &Path,
    network: &Network,
    members: &[Member],
    population: &Population<Host>,
    fingerprint: &str,
) -> Result<()> {
    let mut problems = Problems::default();
    let shape = [members.len(), network.parameters()];
    for (name, column) in columns(population) {
        if column.len() != shape[0] * shape[1] {
            let why = format!("{} members of this network have {}", shape[0], shape[0] * shape[1]);
            problems.push(Fault::new(NAME, format!("{} numbers of {name}", column.len())).because(why).data());
        }
    }
    let progress = serde_json::to_string(&population.progress).expect("progress is plain data");
    // JSON has no numbers that are not finite.
    let comes_back = serde_json::from_str::<Vec<Progress>>(&progress).is_ok_and(|read| read == population.progress);
    if !comes_back || population.progress.len() != members.len() {
        let problem = format!("the progress of {} members", population.progress.len());
        let why = format!("there are {}, and losses and norms are finite numbers", members.len());
        problems.push(Fault::new(NAME, problem).because(why).data());
    }
    problems.finish()?;
    let of = Of { fingerprint: fingerprint.into(), network: network.clone(), members: members.to_vec() };
    let columns = columns(population).map(|(name, column)| Tensor::of_numbers(name, &shape, column));
    let tensors: Vec<Tensor> = columns.into_iter().chain([Tensor::of_text(PROGRESS, &progress)]).collect();
    write_whole(NAME, path, &encoded(NAME, CHECKPOINT, &of, BTreeMap::new(), &tensors)?)
}

fn columns(population: &Population<Host>) -> [(&'static str, &[f32]); 4] {
    [
        ("parameters", &population.parameters),
        ("mean", &population.mean),
        ("square", &population.square),
        ("best", &population.best),
    ]
}

/// Reads the population of these members of this network that [`write()`] wrote under the same fingerprint.
///
/// # Errors
/// What differs, all at once: the network, the members, the fingerprint; a file that is no checkpoint, one of another
/// version, one that was cut off or changed; [`Error::Io`](crate::error::Error::Io) if the system refuses.
pub fn read(path: &Path, network: &Network, members: &[Member], fingerprint: &str) -> Result<Population<Host>> {
    tensors::read(NAME, path, |bytes| {
        let tensors = Tensors::read(NAME, bytes)?;
        compare(&tensors.description(CHECKPOINT)?, network, members, fingerprint)?;
        population_of(&tensors, [members.len(), network.parameters()])
    })
}

fn population_of(tensors: &Tensors, shape: [usize; 2]) -> Result<Population<Host>> {
    let mut problems = Problems::default();
    let [parameters, mean, square, best] = ["parameters", "mean", "square", "best"].map(|name| {
        let view = problems.take(tensors.tensor(name, Dtype::F32, &shape));
        view.and_then(|view| view.numbers()).unwrap_or_default().into()
    });
    let text = problems.take(tensors.text(PROGRESS));
    problems.finish()?;
    tensors.check_sha256()?;
    let progress: Vec<Progress> = serde_json::from_str(text.unwrap_or_default())
        .map_err(|error| Fault::new(NAME, "the progress is damaged").because(error.to_string()).data())?;
    if progress.len() != shape[0] {
        let fault = Fault::new(NAME, format!("the progress is of {} members", progress.len()));
        return Err(fault.because(format!("there are {}", shape[0])).data());
    }
    Ok(Population { parameters, mean, square, best, progress })
}

/// Whether the checkpoint is of this training.
fn compare(of: &Of, network: &Network, members: &[Member], fingerprint: &str) -> Result<()> {
    let mut problems = Problems::default();
    let mut differs = |problem: String, why: &str| {
        let fault = Fault::new(NAME, problem).because(why);
        problems.push(fault.suggest("Begin the training anew, or go on with what it was begun with.").data());
    };
    // Not by the number of parameters: with their padding 3-8-1 and 3-8-5 have as many.
    let (there, here) = (sizes(&of.network), sizes(network));
    if there != here {
        let problem = format!("the checkpoint is of {there}, the training of {here}");
        differs(problem, "their layers are others");
    } else {
        for (number, (there, here)) in of.network.layers().iter().zip(network.layers()).enumerate() {
            if there != here {
                let problem = format!("layer {number} of the checkpoint is {there:?}, of the training {here:?}");
                differs(problem, "it computes something else");
            }
        }
    }
    if of.members.len() != members.len() {
        let problem = format!("the checkpoint has {} members, the training {}", of.members.len(), members.len());
        differs(problem, "each goes on from its own");
    }
    // The first is enough: where one differs, often all do.
    let pairs = of.members.iter().zip(members).enumerate();
    if let Some((number, (there, here))) = pairs.into_iter().find(|(_, (there, here))| there != here) {
        let problem = format!("member {number} differs in its {}", difference(there, here));
        differs(problem, "it would learn something else from now on");
    }
    if of.fingerprint != fingerprint {
        let problem = format!("the checkpoint's fingerprint is {}, the training's {fingerprint}", of.fingerprint);
        differs(problem, "its settings or its events are others");
    }
    problems.finish()
}

/// The sizes of a network, as 3-8-1.
fn sizes(network: &Network) -> String {
    let outputs = network.layers().iter().map(|layer| format!("-{}", layer.outputs));
    format!("{}{}", network.inputs(), outputs.collect::<String>())
}

/// What two members differ in, in words.
fn difference(there: &Member, here: &Member) -> String {
    let fields = [
        ("seed", there.seed != here.seed),
        ("features", there.features != here.features),
        ("labels", there.labels != here.labels),
        ("weights", there.weights != here.weights),
        ("held-out fold", there.held_out != here.held_out),
        ("group", there.group != here.group),
        ("replica", there.replica != here.replica),
        ("target", there.target != here.target),
    ];
    let differing: Vec<&str> = fields.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    differing.join(", ")
}

#[cfg(test)]
mod tests;
