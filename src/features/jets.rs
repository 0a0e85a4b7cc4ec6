//! Collections of jets, clustered from collections of particles as events are read.
//!
//! A card defines them, and its objects take them as if they came from the files:
//!
//! ```toml
//! [jets.large]
//! from = "Particle"          # a collection with pt, eta, phi and mass
//! particle_mass = 0.0        # in GeV: where the files have none
//! radius = 1.0               # algorithm "anti-kt", recombination "sum"
//! minimum_pt = 20            # of jets, in GeV
//! axes = "kt"                # of N-subjettiness, which is normalised to sum pT R^beta; beta = 1
//! undefined = -1             # ratios where they are not defined
//! ```
//!
//! Only what a selection needs is computed. Ratios that are not defined, as tau21 of a jet of one particle, are `undefined`, by default -1,
//! which no jet has ([`super::substructure`] says when that is).
//!
//! Jets are in the order of falling pT and have the quantities [`QUANTITIES`]. Particles are taken as they are in the files, in double
//! precision; the jets' quantities are rounded to single precision once, as all that the selection sees: energies beyond 3e38 GeV are
//! infinite there. Particles without pT are left out, as those that fill up lists. Masses count by their squares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::device::{Device, Host, Operation};
use crate::error::{Fault, Problems, Result, nearest};
use crate::events::{Collection, CollectionProjection, EventBatch, EventColumns, Projection};
use crate::features::cluster::math::{pt2_of, rapidity_of};
use crate::features::cluster::{Algorithm, Cluster, Recombination};
use crate::features::particles::Particles;
use crate::features::substructure::{
    Axes, Correlations, Found, Guard, Normalisation, Observable, Splittings, Subjettiness, Substructure,
};
use crate::math::det;
use crate::math::lorentz::FourMomentum;
use crate::settings::{Section, TextOrNumber};

const NAME: &str = "features.jets";

/// What a jet has: pT and energy and mass in GeV, rapidity, pseudorapidity, azimuth in radians, the number of its particles, and
/// what [`super::substructure`] computes of these: splitting scales in GeV, N-subjettiness, energy correlations.
pub const QUANTITIES: [&str; 17] = [
    "pt",
    "eta",
    "phi",
    "mass",
    "rapidity",
    "energy",
    "constituents",
    "split12",
    "split23",
    "tau1",
    "tau2",
    "tau3",
    "tau4",
    "tau21",
    "tau32",
    "c2",
    "d2",
];

/// Events whose particles are in double precision at a time on the CPU: 300 particles each are 10 MB with their steps.
const EVENTS_AT_ONCE: usize = 256;

/// The same on a device, which has a block an event and room for hundreds of blocks.
const EVENTS_AT_ONCE_ON_DEVICE: usize = 2048;

/// Particles have no larger pseudorapidity: their energies are finite.
const LARGEST_ETA: f32 = 100.0;

/// A collection of jets.
#[derive(Debug, Clone, PartialEq)]
pub struct JetCollection {
    /// Its name.
    pub name: String,
    /// The collection of particles.
    pub from: String,
    /// The mass of all particles in GeV; `None` if the collection has a column of masses.
    pub particle_mass_gev: Option<f64>,
    /// How they are clustered.
    pub cluster: Cluster,
    /// The least pT of a jet in GeV.
    pub minimum_pt_gev: f64,
    /// How the substructure of its jets is computed.
    pub substructure: Substructure,
}

impl JetCollection {
    /// Reads `[jets.NAME]` of a card.
    pub fn read_all(root: &Section) -> Vec<Self> {
        let read = root.named_sections("jets").into_iter().filter_map(|(name, section)| Self::read(name, &section));
        read.collect()
    }

    fn read(name: String, section: &Section) -> Option<Self> {
        let from = section.required::<String>("from");
        let radius = section.required::<f64>("radius");
        let algorithm = match section.or("algorithm", TextOrNumber::Text("anti-kt".into())) {
            TextOrNumber::Number(p) => Some(Algorithm::Generalised(p)),
            TextOrNumber::Text(word) => match word.as_str() {
                "anti-kt" => Some(Algorithm::AntiKt),
                "cambridge-aachen" => Some(Algorithm::CambridgeAachen),
                "kt" => Some(Algorithm::Kt),
                _ => {
                    let why = "expected \"anti-kt\", \"cambridge-aachen\", \"kt\" or an exponent from -1 to 1";
                    let hint = nearest(&word, ["anti-kt", "cambridge-aachen", "kt"]);
                    let hint = hint.map_or(String::new(), |near| format!(". Did you mean \"{near}\"?"));
                    section.problem("algorithm", format!("{why}, got \"{word}\"{hint}"));
                    None
                }
            },
        };
        let recombinations = [("sum", Recombination::Sum), ("winner-takes-all", Recombination::WinnerTakesAll)];
        let recombination = section.choice("recombination", &recombinations, Recombination::Sum);
        let not_negative = |key: &str, value: f64| {
            if !(value >= 0.0 && value.is_finite()) {
                section.problem(key, format!("{value} is not a finite number of GeV, 0 or more"));
            }
            value
        };
        let minimum_pt_gev = not_negative("minimum_pt", section.or("minimum_pt", 0.0));
        let particle_mass_gev = section.optional("particle_mass").map(|mass| not_negative("particle_mass", mass));
        if from.as_ref() == Some(&name) {
            section.problem("from", "jets cannot be made of themselves");
        }
        let axes = [("winner-takes-all-kt", Axes::WinnerTakesAllKt), ("kt", Axes::Kt), ("half-kt", Axes::HalfKt)];
        let axes = section.choice("axes", &axes, Axes::WinnerTakesAllKt);
        let beta = section.or("beta", 1.0);
        let undefined = section.or("undefined", -1.0);
        // What is missing is told; it keeps nothing else from being checked.
        let usual = |radius: Option<f64>| radius.unwrap_or(1.0);
        let cluster = section.check(Cluster::new(algorithm.unwrap_or(Algorithm::AntiKt), usual(radius)));
        // A radius that clustering refuses is told once.
        let checked = if cluster.is_some() { usual(radius) } else { 1.0 };
        let guard = Guard::Value(undefined);
        section.check(Substructure { guard, ..substructure_of(checked, beta, axes) }.check(&Particles::of_groups(&[])));
        let cluster = cluster?.with_recombination(recombination);
        let substructure = Substructure { guard, ..substructure_of(radius?, beta, axes) };
        algorithm.map(|_| ())?;
        Some(Self { name, from: from?, particle_mass_gev, cluster, minimum_pt_gev, substructure })
    }

    /// What is read of the particles.
    fn quantities(&self) -> impl Iterator<Item = &'static str> {
        ["pt", "eta", "phi"].into_iter().chain(self.particle_mass_gev.is_none().then_some("mass"))
    }
}

/// Everything, with one exponent for N-subjettiness and correlations.
fn substructure_of(radius: f64, beta: f64, axes: Axes) -> Substructure {
    Substructure {
        subjettiness: Some(Subjettiness { beta, axes, normalisation: Normalisation::Radius(radius) }),
        correlations: Some(Correlations { beta }),
        ..Substructure::default()
    }
}

/// The observable of that name.
fn observable(name: &str) -> Option<Observable> {
    Some(match name {
        "split12" => Observable::Split12,
        "split23" => Observable::Split23,
        "tau1" => Observable::Tau1,
        "tau2" => Observable::Tau2,
        "tau3" => Observable::Tau3,
        "tau4" => Observable::Tau4,
        "tau21" => Observable::Tau21,
        "tau32" => Observable::Tau32,
        "c2" => Observable::C2,
        "d2" => Observable::D2,
        _ => return None,
    })
}

/// What is read in place of the collections of jets, and how these come of it.
#[derive(Debug, Clone)]
pub struct JetMaker {
    jets: Vec<JetCollection>,
    read: Projection,
    wanted: Vec<Wanted>,
    too_large: Arc<AtomicU64>,
}

/// Where a wanted collection comes from.
#[derive(Debug, Clone)]
enum Wanted {
    /// From the files: the position there, and how many of the quantities are wanted (what jets need stands behind).
    Read { position: usize, quantities: usize },
    /// From particles: the jets, where their particles are, and the place of pt, eta, phi and mass among the quantities there.
    Made { jets: usize, particles: usize, places: Vec<usize>, quantities: Vec<String> },
}

impl JetMaker {
    /// Finds out what has to be read for a `wanted` projection.
    ///
    /// # Errors
    /// All at once: quantities that jets do not have, and jets that are made of jets.
    pub fn new(jets: &[JetCollection], wanted: &Projection) -> Result<Self> {
        let mut problems = Problems::default();
        let is_made = |name: &str| jets.iter().position(|jets| jets.name == name);
        let from_files = wanted.collections.iter().filter(|collection| is_made(&collection.name).is_none());
        let mut read = Projection { collections: from_files.cloned().collect(), ..wanted.clone() };
        let mut plans = Vec::new();
        for collection in &wanted.collections {
            let Some(index) = is_made(&collection.name) else {
                let position = read.collections.iter().position(|read| read.name == collection.name).unwrap_or(0);
                plans.push(Wanted::Read { position, quantities: collection.quantities.len() });
                continue;
            };
            for unknown in collection.quantities.iter().filter(|name| !QUANTITIES.contains(&name.as_str())) {
                let hint =
                    nearest(unknown, QUANTITIES).map_or(String::new(), |near| format!(" Did you mean '{near}'?"));
                let fault = Fault::new(NAME, format!("the jets '{}' have no '{unknown}'", collection.name));
                problems.push(fault.suggest(format!("They have {}.{hint}", QUANTITIES.join(", "))).usage());
            }
            let jets = &jets[index];
            if is_made(&jets.from).is_some() {
                let fault = Fault::new(NAME, format!("the jets '{}' are made of the jets '{}'", jets.name, jets.from));
                problems.push(fault.because("they are made of what the files have").usage());
                continue;
            }
            let (particles, places) = add(&mut read, &jets.from, jets.quantities());
            let quantities = collection.quantities.clone();
            plans.push(Wanted::Made { jets: index, particles, places, quantities });
        }
        problems.finish()?;
        Ok(Self { jets: jets.to_vec(), read, wanted: plans, too_large: Arc::default() })
    }

    /// How many events and jets so far were too large for the device's kernels and were left to the CPU; of all clones together.
    pub fn too_large(&self) -> u64 {
        self.too_large.load(Ordering::Relaxed)
    }

    /// What is read from the files.
    pub fn read(&self) -> &Projection {
        &self.read
    }

    /// Whether there is nothing to make.
    pub fn is_idle(&self) -> bool {
        self.wanted.iter().all(|wanted| matches!(wanted, Wanted::Read { .. }))
    }

    /// The wanted columns from those that were read.
    ///
    /// # Errors
    /// Particles without a direction, with their row; a failure of the device.
    pub fn make(&self, device: &Device, batch: EventBatch) -> Result<EventBatch> {
        if self.is_idle() {
            return Ok(batch);
        }
        let columns = &batch.columns;
        let make = |wanted: &Wanted| match wanted {
            Wanted::Read { position, quantities } => {
                let mut collection = columns.collections[*position].clone();
                collection.quantities.truncate(*quantities);
                Ok(collection)
            }
            Wanted::Made { jets, particles, places, quantities } => {
                let particles = Source { collection: &columns.collections[*particles], places };
                let (made, too_large) = self.jets[*jets].make(device, &particles, quantities, batch.first_row)?;
                self.too_large.fetch_add(too_large as u64, Ordering::Relaxed);
                Ok(made)
            }
        };
        let collections = self.wanted.iter().map(make).collect::<Result<Vec<_>>>()?;
        let columns = EventColumns { collections, ..batch.columns };
        Ok(EventBatch { columns, ..batch })
    }
}

/// Adds quantities of a collection to what is read, and says where they are.
fn add<'a>(read: &mut Projection, name: &str, quantities: impl Iterator<Item = &'a str>) -> (usize, Vec<usize>) {
    let position = read.collections.iter().position(|known| known.name == name).unwrap_or_else(|| {
        read.collections.push(CollectionProjection { name: name.to_owned(), quantities: Vec::new() });
        read.collections.len() - 1
    });
    let known = &mut read.collections[position].quantities;
    let places = quantities.map(|quantity| {
        known.iter().position(|known| known == quantity).unwrap_or_else(|| {
            known.push(quantity.to_owned());
            known.len() - 1
        })
    });
    (position, places.collect())
}

/// The particles of a batch.
struct Source<'a> {
    collection: &'a Collection<Host>,
    places: &'a [usize],
}

impl Source<'_> {
    /// Whether all particles have a place.
    ///
    /// # Errors
    /// The first number of each quantity that gives none, with its row.
    fn check(&self, from: &str, first_row: u64) -> Result<()> {
        let mut problems = Problems::default();
        let bounds = [
            ("pt", 0.0, f32::MAX, "not finite or below 0"),
            ("eta", -LARGEST_ETA, LARGEST_ETA, "not from -100 to 100"),
            ("phi", -det::LARGEST_ANGLE as f32, det::LARGEST_ANGLE as f32, "not finite, or many turns"),
            ("mass", -f32::MAX, f32::MAX, "not finite"),
        ];
        for ((name, low, high, why), place) in bounds.into_iter().zip(self.places) {
            let column = &self.collection.quantities[*place];
            let Some(at) = column.iter().position(|value| !(low..=high).contains(value)) else { continue };
            let event = self.collection.offsets.partition_point(|offset| *offset as usize <= at) - 1;
            let (particle, row) = (at - self.collection.offsets[event] as usize, first_row + event as u64);
            let problem = format!("{from}_{name} = {:e} of particle {particle} in row {row} is {why}", column[at]);
            problems.push(Fault::new(NAME, problem).because("it has no momentum").data());
        }
        problems.finish()
    }

    /// The momenta of the particles of some events that have pT.
    fn particles(&self, events: std::ops::Range<usize>, mass_gev: Option<f64>) -> Particles<Host> {
        let offsets = &self.collection.offsets[events.start..=events.end];
        let pt = &self.collection.quantities[self.places[0]];
        let (mut kept, mut ends) = (Vec::new(), vec![0]);
        for of_event in offsets.windows(2) {
            kept.extend((of_event[0] as usize..of_event[1] as usize).filter(|row| pt[*row] > 0.0));
            ends.push(kept.len() as u32);
        }
        let column = |place: usize| {
            let values = &self.collection.quantities[self.places[place]];
            kept.iter().map(|row| f64::from(values[*row]))
        };
        let (eta, phi): (Vec<f64>, Vec<f64>) = (column(1).collect(), column(2).collect());
        let [mut sinh, mut sine, mut cosine] = [(); 3].map(|()| vec![0.0; eta.len()]);
        det::sinh_lanes(&eta, &mut sinh);
        det::sin_cos_lanes(&phi, &mut sine, &mut cosine);
        let px: Vec<f64> = column(0).zip(&cosine).map(|(pt, cosine)| pt * cosine).collect();
        let py: Vec<f64> = column(0).zip(&sine).map(|(pt, sine)| pt * sine).collect();
        let pz: Vec<f64> = column(0).zip(&sinh).map(|(pt, sinh)| pt * sinh).collect();
        let energy = |row: usize, mass: f64| {
            let (px, py, pz) = (px[row], py[row], pz[row]);
            det::sqrt(((px * px + py * py) + pz * pz) + mass * mass)
        };
        let energies: Vec<f64> = match mass_gev {
            Some(mass) => (0..px.len()).map(|row| energy(row, mass)).collect(),
            None => column(3).enumerate().map(|(row, mass)| energy(row, mass)).collect(),
        };
        let largest = ends.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0);
        Particles {
            offsets: ends.into(),
            px: px.into(),
            py: py.into(),
            pz: pz.into(),
            energy: energies.into(),
            largest,
        }
    }
}

impl JetCollection {
    /// The jets, and how many events and jets were too large for the device.
    fn make(
        &self,
        device: &Device,
        source: &Source,
        quantities: &[String],
        first_row: u64,
    ) -> Result<(Collection<Host>, usize)> {
        let events = source.collection.offsets.len() - 1;
        let (mut offsets, mut columns, mut jets) = (vec![0], vec![Vec::new(); quantities.len()], 0);
        let mut too_large = 0;
        source.check(&self.from, first_row).map_err(|error| error.about(&format!("jets '{}'", self.name)))?;
        let at_once = if matches!(device, Device::Cpu) { EVENTS_AT_ONCE } else { EVENTS_AT_ONCE_ON_DEVICE };
        for start in (0..events).step_by(at_once) {
            let end = events.min(start + at_once);
            let rows =
                || format!("jets '{}', rows {} to {}", self.name, first_row + start as u64, first_row + end as u64 - 1);
            let particles = source.particles(start..end, self.particle_mass_gev);
            let clustered = self.cluster.run(device, &particles).map_err(|error| error.about(&rows()))?;
            too_large += clustered.too_large;
            let mut found = Vec::new();
            for event in 0..end - start {
                let history = clustered.histories.event(event);
                let of_event = history.inclusive_jets(self.minimum_pt_gev);
                found.extend(of_event.into_iter().map(|jet| {
                    let row = particles.rows(event).start;
                    let constituents =
                        history.constituents(&jet).into_iter().map(|at| particles.momentum(row + at as usize));
                    (jet.momentum, constituents.collect::<Vec<_>>())
                }));
                offsets.push(jets + found.len() as u32);
            }
            jets += found.len() as u32;
            let substructure = self.observables(device, quantities, &found).map_err(|error| error.about(&rows()))?;
            too_large += substructure.as_ref().map_or(0, |found| found.too_large);
            let substructure = substructure.map(|found| found.observables);
            for (name, column) in quantities.iter().zip(&mut columns) {
                match observable(name) {
                    Some(observable) => {
                        let values = substructure.as_ref().map_or(&[][..], |found| found.of(observable));
                        column.extend(values.iter().map(|value| *value as f32));
                    }
                    None => {
                        column
                            .extend(found.iter().map(|(jet, particles)| quantity(name, *jet, particles.len()) as f32));
                    }
                }
            }
        }
        let quantities = columns.into_iter().map(Into::into).collect();
        Ok((Collection { offsets: offsets.into(), quantities }, too_large))
    }
}

impl JetCollection {
    /// The substructure of jets, as far as it is wanted.
    fn observables(
        &self,
        device: &Device,
        quantities: &[String],
        jets: &[(FourMomentum, Vec<FourMomentum>)],
    ) -> Result<Option<Found>> {
        let wants = |starts: &[&str]| quantities.iter().any(|name| starts.iter().any(|start| name.starts_with(start)));
        if quantities.iter().all(|name| observable(name).is_none()) {
            return Ok(None);
        }
        let wanted = Substructure {
            splittings: if wants(&["split"]) { Splittings::Computed } else { Splittings::Omitted },
            subjettiness: self.substructure.subjettiness.filter(|_| wants(&["tau"])),
            correlations: self.substructure.correlations.filter(|_| wants(&["c2", "d2"])),
            ..self.substructure
        };
        let groups: Vec<&[FourMomentum]> = jets.iter().map(|(_, particles)| particles.as_slice()).collect();
        wanted.run(device, &Particles::of_groups(&groups)).map(Some)
    }
}

fn quantity(name: &str, p: FourMomentum, constituents: usize) -> f64 {
    match name {
        "pt" => p.pt(),
        "eta" => p.eta(),
        "phi" => p.phi(),
        "mass" => p.mass(),
        // That of the clustering, which is finite and exact however far forward.
        "rapidity" => rapidity_of(p, pt2_of(p)),
        "energy" => p.energy,
        _ => constituents as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{EventIds, Ids};

    fn jets(name: &str, from: &str) -> JetCollection {
        JetCollection {
            name: name.into(),
            from: from.into(),
            particle_mass_gev: Some(0.0),
            cluster: Cluster::new(Algorithm::AntiKt, 1.0).unwrap(),
            minimum_pt_gev: 20.0,
            substructure: Substructure::default(),
        }
    }

    fn projection(collections: &[(&str, &[&str])]) -> Projection {
        let collection =
            |(name, quantities): &(&str, &[&str])| CollectionProjection::new(*name, quantities.iter().copied());
        Projection {
            collections: collections.iter().map(collection).collect(),
            ids: Ids::Skipped,
            ..Projection::default()
        }
    }

    #[test]
    fn what_jets_need_is_read_behind_what_the_selection_needs() {
        let wanted = projection(&[("large", &["pt", "mass"]), ("Muon", &["pt"]), ("Particle", &["phi"])]);
        let maker = JetMaker::new(&[jets("large", "Particle")], &wanted).unwrap();
        assert_eq!(
            maker.read().collections,
            projection(&[("Muon", &["pt"]), ("Particle", &["phi", "pt", "eta"])]).collections
        );
        assert!(
            !maker.is_idle()
                && JetMaker::new(&[jets("large", "Particle")], &projection(&[("Muon", &["pt"])])).unwrap().is_idle()
        );
    }

    #[test]
    fn jets_are_made_of_the_particles_of_their_event() {
        let wanted = projection(&[
            ("Particle", &["phi"]),
            ("large", &["constituents", "pt", "mass", "eta", "split12", "tau21", "d2"]),
        ]);
        let maker = JetMaker::new(&[jets("large", "Particle")], &wanted).unwrap();
        let column = |values: &[f32]| values.to_vec().into();
        // phi, pt, eta; three events, of which the second is empty.
        let particles = Collection {
            offsets: vec![0, 3, 3, 5].into(),
            quantities: vec![
                column(&[0.0, 0.5, 3.0, 1.0, 1.0]),
                column(&[100.0, 50.0, 70.0, 10.0, 15.0]),
                column(&[0.1, 0.1, -0.5, 2.0, 2.0]),
            ],
        };
        let columns = EventColumns { events: 3, collections: vec![particles], scalars: Vec::new() };
        let batch = EventBatch { columns, ids: EventIds::default(), file: 0, first_row: 0 };
        let made = maker.make(&Device::Cpu, batch).unwrap().columns.collections;
        assert_eq!((made[0].quantities.len(), made[1].offsets.to_vec()), (1, vec![0, 2, 2, 3]));
        assert_eq!(made[1].quantities[0].to_vec(), [2.0, 1.0, 2.0]);
        let pt = (100.0_f64.powi(2) + 50.0_f64.powi(2) + 2.0 * 5000.0 * 0.5_f64.cos()).sqrt();
        assert!((f64::from(made[1].quantities[1][0]) - pt).abs() < 1e-4 && made[1].quantities[1][2] == 25.0);
        // Two massless particles at the same eta: m^2 = 2 pt pt' (1 - cos dphi).
        let mass = (2.0 * 5000.0 * (1.0 - 0.5_f64.cos())).sqrt();
        assert!((f64::from(made[1].quantities[2][0]) - mass).abs() < 1e-3);
        // min(pT) dR of two; nothing of one; the third jet has two at the same place.
        assert!((made[1].quantities[4][0] - 25.0).abs() < 1e-5);
        assert_eq!((&made[1].quantities[4][1..], &made[1].quantities[6][..]), (&[0.0, 0.0][..], &[0.0; 3][..]));
        assert!(made[1].quantities[5][0] < 1e-9);
    }

    fn batch(pt: &[f32], eta: &[f32], offsets: Vec<u32>) -> EventBatch {
        let column = |values: &[f32]| values.to_vec().into();
        let quantities = vec![column(pt), column(eta), column(&vec![0.5; pt.len()])];
        let events = offsets.len() - 1;
        let columns = EventColumns {
            events,
            collections: vec![Collection { offsets: offsets.into(), quantities }],
            scalars: Vec::new(),
        };
        EventBatch { columns, ids: EventIds::default(), file: 0, first_row: 1000 }
    }

    #[test]
    fn particles_without_a_place_are_told_by_their_row_and_those_without_pt_are_left_out() {
        let maker =
            JetMaker::new(&[jets("large", "Particle")], &projection(&[("large", &["constituents", "rapidity"])]))
                .unwrap();
        let bad = batch(&[30.0, f32::NAN, -1.0], &[0.0, 0.1, 200.0], vec![0, 1, 1, 3]);
        let error = maker.make(&Device::Cpu, bad).unwrap_err();
        let expected = [
            "jets 'large': Particle_pt = NaN of particle 0 in row 1002 is not finite or below 0",
            "jets 'large': Particle_eta = 2e2 of particle 1 in row 1002 is not from -100 to 100",
        ];
        assert_eq!(error.problems().len(), 2, "{error}");
        assert!(expected.iter().all(|problem| error.to_string().contains(problem)), "{error}");
        let padded = batch(&[30.0, 0.0, 0.0, 40.0], &[0.0, 0.1, 0.0, 30.0], vec![0, 3, 4]);
        let made = maker.make(&Device::Cpu, padded).unwrap().columns.collections;
        assert_eq!((made[0].offsets.to_vec(), made[0].quantities[0].to_vec()), (vec![0, 1, 2], vec![1.0, 1.0]));
        assert!((made[0].quantities[1][1] - 30.0).abs() < 1e-5, "{}", made[0].quantities[1][1]);
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let wanted = projection(&[("large", &["ptt", "tau9"]), ("small", &["pt"])]);
        let error = JetMaker::new(&[jets("large", "Particle"), jets("small", "large")], &wanted).unwrap_err();
        assert_eq!(error.problems().len(), 3, "{error}");
        let text = error.to_string();
        assert!(text.contains("have no 'ptt'") && text.contains("Did you mean 'pt'?"), "{text}");
        assert!(text.contains("the jets 'small' are made of the jets 'large'"), "{text}");
    }
}
