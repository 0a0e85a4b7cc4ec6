//! One line of a Dark Machines file: one event.
//!
//! Two forms are met, and a file has one of them:
//!
//! ```text
//! event_id;process;weight;MET;METphi;object,E,pt,eta,phi;object,...;
//! weight;MET;METphi;object,pt,eta,phi;object,...
//! ```
//!
//! Whether objects have an energy is decided apart from how the line begins; spaces around fields and a `;` at the end
//! mean nothing.

use super::super::{MOST_ETA, MOST_PHI, narrow, within};
use super::EnergyUnit;
use crate::math::det;

/// Energies below the momentum by more than this fraction are mistakes; files with six digits reach 8e-6.
const ENERGY_TOLERANCE: f64 = 1e-3;
/// Longer names are none.
const LONGEST_NAME: usize = 200;

/// How a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// `event_id;process;weight;MET;METphi`.
    Named,
    /// `weight;MET;METphi`.
    Bare,
}

impl Head {
    fn words(self) -> &'static str {
        match self {
            Self::Named => "event_id;process;weight;MET;METphi",
            Self::Bare => "weight;MET;METphi",
        }
    }
}

/// What is written of each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Momentum {
    /// `object,E,pt,eta,phi`.
    WithEnergy,
    /// `object,pt,eta,phi`: the object is taken as massless.
    WithoutEnergy,
}

/// The form of the lines of a file: how they begin, and of the objects as soon as one was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub head: Head,
    momentum: Option<Momentum>,
}

impl Form {
    /// The form of a file whose first line is `line`.
    pub fn of(line: &str) -> Result<Self, String> {
        let head = match split(line).take_while(|field| !field.contains(',')).count() {
            5 => Head::Named,
            3 => Head::Bare,
            other => {
                let known = format!("'{}' or '{}'", Head::Named.words(), Head::Bare.words());
                return Err(format!("{other} fields stand before its first object, and not {known}"));
            }
        };
        Ok(Self { head, momentum: None })
    }
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Jet { btag: f32 },
    Electron { charge: f32 },
    Muon { charge: f32 },
    Photon,
}

impl Kind {
    fn of(symbol: &str) -> Result<Self, String> {
        Ok(match symbol {
            "j" => Self::Jet { btag: 0.0 },
            "b" => Self::Jet { btag: 1.0 },
            "e-" => Self::Electron { charge: -1.0 },
            "e+" => Self::Electron { charge: 1.0 },
            "m-" | "mu-" => Self::Muon { charge: -1.0 },
            "m+" | "mu+" => Self::Muon { charge: 1.0 },
            "g" | "a" => Self::Photon,
            other => return Err(format!("is '{}', and not j, b, e-, e+, m-, m+ or g", shortened(other))),
        })
    }

    /// Mass in GeV, where it is known: six digits of an energy hold less of it.
    fn known_mass_gev(self) -> Option<f64> {
        match self {
            Self::Jet { .. } => None,
            Self::Electron { .. } => Some(0.000_510_998_95),
            Self::Muon { .. } => Some(0.105_658_375_5),
            Self::Photon => Some(0.0),
        }
    }
}

/// An object with its four-vector in GeV.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Object {
    pub kind: Kind,
    pub pt_gev: f32,
    pub eta: f32,
    pub phi: f32,
    pub mass_gev: f32,
}

/// What a line says of its event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event<'a> {
    /// The id and the name of the process, where the file has them.
    pub name: Option<(u64, &'a str)>,
    pub weight: f32,
    pub met_gev: f32,
    pub met_phi: f32,
}

/// Reads one line in the `form` of its file; its objects are put into `objects`.
pub(super) fn parse<'a>(
    line: &'a str,
    form: &mut Form,
    unit: EnergyUnit,
    objects: &mut Vec<Object>,
) -> Result<Event<'a>, String> {
    objects.clear();
    let mut fields = split(line);
    let mut next = |name: &str| match fields.next() {
        Some(field) if !field.contains(',') => Ok(field),
        _ => Err(format!("{name} is missing: lines of this file begin with '{}'", form.head.words())),
    };
    let name = match form.head {
        Head::Named => Some((id(next("the event id")?)?, process(next("the process")?)?)),
        Head::Bare => None,
    };
    let weight = about("the weight", number(next("the weight")?).and_then(narrow))?;
    let met_gev = about("the missing energy", energy(next("the missing energy")?, unit).and_then(narrow))?;
    let met_phi = about("the azimuth of the missing energy", azimuth(next("the azimuth of the missing energy")?))?;
    let event = Event { name, weight, met_gev, met_phi };
    for (index, field) in fields.enumerate() {
        let object = object(field, &mut form.momentum, unit);
        objects.push(about(&format!("object {}", index + 1), object)?);
    }
    Ok(event)
}

/// The fields of a line, without the empty one after a `;` at its end.
fn split(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim();
    line.strip_suffix(';').unwrap_or(line).split(';').map(str::trim)
}

fn object(text: &str, momentum: &mut Option<Momentum>, unit: EnergyUnit) -> Result<Object, String> {
    // One more than any object has, so that a long field costs nothing.
    let mut parts = [""; 6];
    let mut count = 0;
    for (place, part) in parts.iter_mut().zip(text.split(',')) {
        *place = part.trim();
        count += 1;
    }
    let found = match count {
        5 => Momentum::WithEnergy,
        4 => Momentum::WithoutEnergy,
        _ => return Err(format!("has the form '{}', and not object,E,pt,eta,phi", shortened(text))),
    };
    let expected = *momentum.get_or_insert(found);
    if expected != found {
        let expected = if expected == Momentum::WithEnergy { "an energy, and this has none" } else { "no energy" };
        return Err(format!("is '{}': objects before it have {expected}", shortened(text)));
    }
    let kind = Kind::of(parts[0])?;
    let [.., pt, eta, phi] = &parts[..count] else { return Err("is too short".into()) };
    let pt_gev = about("has a pt that", energy(pt, unit))?;
    let eta = about("has an eta that", number(eta).and_then(|eta| within(eta, MOST_ETA)))?;
    let phi = about("has a phi that", azimuth(phi))?;
    let energy_gev = match found {
        Momentum::WithEnergy => Some(about("has an energy that", energy(parts[1], unit))?),
        Momentum::WithoutEnergy => None,
    };
    let mass_gev = mass_gev(kind, energy_gev, pt_gev, eta)?;
    let narrow = |value| about("has a value that", narrow(value));
    Ok(Object { kind, pt_gev: narrow(pt_gev)?, eta: narrow(eta)?, phi, mass_gev: narrow(mass_gev)? })
}

/// `m^2 = E^2 - (pt cosh(eta))^2`, 0 where rounding made it negative; the known mass of leptons and photons.
fn mass_gev(kind: Kind, energy: Option<f64>, pt: f64, eta: f64) -> Result<f64, String> {
    let momentum = pt * det::cosh(eta);
    let from_energy = match energy {
        Some(energy) if energy < momentum * (1.0 - ENERGY_TOLERANCE) => {
            return Err(format!("has an energy of {energy} GeV below its momentum of {momentum} GeV"));
        }
        Some(energy) => ((energy - momentum) * (energy + momentum)).max(0.0).sqrt(),
        None => 0.0,
    };
    Ok(kind.known_mass_gev().unwrap_or(from_energy))
}

fn id(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("the event id is '{}', and not a whole number", shortened(text)))
}

fn process(text: &str) -> Result<&str, String> {
    let odd = |character: char| character.is_control() || character == char::REPLACEMENT_CHARACTER;
    match text.is_empty() || text.len() > LONGEST_NAME || text.chars().any(odd) {
        true => Err(format!("the process is '{}', which is no name", shortened(text))),
        false => Ok(text),
    }
}

fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!("is '{}', and not a finite number", shortened(text))),
    }
}

/// An energy or a momentum in GeV.
fn energy(text: &str, unit: EnergyUnit) -> Result<f64, String> {
    match number(text)? {
        value if value >= 0.0 => Ok(unit.gev(value)),
        _ => Err(format!("is negative: {}", shortened(text))),
    }
}

fn azimuth(text: &str) -> Result<f32, String> {
    number(text).and_then(|phi| within(phi, MOST_PHI)).and_then(narrow)
}

fn about<T>(what: &str, result: Result<T, String>) -> Result<T, String> {
    result.map_err(|why| format!("{what} {why}"))
}

/// A text of the file as a message can bear it.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    let mut short: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        short.push_str("...");
    }
    short
}
