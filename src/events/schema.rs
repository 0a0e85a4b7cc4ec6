//! From the names in a card to the columns of a file: conventions of experiments, and a map of the user's own.
//!
//! | preset | the quantity `pt` of a collection | a scalar `met` | ids |
//! |---|---|---|---|
//! | `nanoaod` | `Jet_pt` of `Jet`, or the field `pt` of a list of structs `Jet` | `met`; `MET_pt` also as the field `pt` of a struct `MET` | `run`, `luminosityBlock`, `event` |
//! | `physlite` | `AnalysisJetsAuxDyn.pt` of `Jets`, else `JetsAuxDyn.pt` | `met`, else `EventInfoAuxDyn.met` | `EventInfoAuxDyn.runNumber`, `.lumiBlock`, `.eventNumber` |
//! | `lhco`, `dark-machines` | as `nanoaod`: what `trawl import` writes | as `nanoaod` | as `nanoaod` |
//! | `flat` | as `nanoaod`, with names of any case: `jet_pt` is `pt` of `jet` | as `nanoaod` | as `nanoaod` |
//!
//! **Units.** Everything a selection sees is in GeV. `physlite` has MeV: momenta, energies and masses, which are the
//! quantities `pt`, `px`, `py`, `pz`, `p`, `e`, `et`, `m`, `mass`, `mpx`, `mpy`, `sumet` and what begins with `ptcone`,
//! `ptvarcone`, `topoetcone` or `neflowisol`, also after `JetConstitScaleMomentum_`, are multiplied by 0.001; `mass` is
//! its column `m`. What else has MeV (`GenFiltHT`, ...) is mapped. The other presets multiply nothing.
//!
//! **A map of one's own** comes before the preset: `Jet.pt` or `Jet_pt` (a quantity) or `met` (a scalar, or one of the ids
//! `run`, `luminosityBlock`, `event`) to a column and the factor of its unit. The product with a factor other than 1 is
//! computed in f64 and rounded to f32 once; ids are never multiplied.
//!
//! A dot in a name of a column is part of the name; where there is no such column, it stands before the field of a struct.
//!
//! ```
//! use trawl::events::{MappedColumn, Preset, Schema};
//! let mut schema = Schema::from(Preset::Physlite);
//! schema.map("met", MappedColumn::new("MET_Track.met", 0.001));
//! assert_eq!(Preset::named("dark-machines")?, Preset::DarkMachines);
//! # Ok::<(), trawl::Error>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Fault, Result, nearest};

/// The name of the operation in messages.
const NAME: &str = "events.schema";
const MEV_IN_GEV: f64 = 0.001;

/// A convention for the names and units of columns; the table is in the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Preset {
    /// CMS NanoAOD.
    #[default]
    Nanoaod,
    /// ATLAS DAOD_PHYSLITE, through uproot.
    Physlite,
    /// LHC Olympics, through `trawl import`.
    Lhco,
    /// Dark Machines, through `trawl import`.
    DarkMachines,
    /// `jet_pt`, `met`.
    Flat,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Nanoaod, Self::Physlite, Self::Lhco, Self::DarkMachines, Self::Flat];

    /// As a card says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nanoaod => "nanoaod",
            Self::Physlite => "physlite",
            Self::Lhco => "lhco",
            Self::DarkMachines => "dark-machines",
            Self::Flat => "flat",
        }
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// A fault of usage that lists the names.
    pub fn named(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name);
        Self::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
            let fault = Fault::new(NAME, format!("there is no schema '{name}'"));
            let fault = fault.because(format!("there are {}", names.join(", ")));
            match nearest(name, names) {
                Some(near) => fault.suggest(format!("Did you mean '{near}'?")).usage(),
                None => fault.usage(),
            }
        })
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a number is found, and the factor that brings it to the unit in which it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedColumn {
    /// The column, or `column.field`.
    pub column: String,
    /// What each number is multiplied with: 0.001 for MeV.
    pub factor: f64,
}

impl MappedColumn {
    /// The column `column` with this factor.
    pub fn new(column: impl Into<String>, factor: f64) -> Self {
        Self { column: column.into(), factor }
    }
}

/// A preset and the columns that the user maps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema {
    preset: Preset,
    columns: BTreeMap<String, MappedColumn>,
}

impl From<Preset> for Schema {
    fn from(preset: Preset) -> Self {
        Self { preset, columns: BTreeMap::new() }
    }
}

/// The parts of an event's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    Run,
    LuminosityBlock,
    Event,
}

impl Id {
    /// NanoAOD's name, by which it is mapped and written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::LuminosityBlock => "luminosityBlock",
            Self::Event => "event",
        }
    }
}

/// A column that a file may have.
pub(crate) type Place = MappedColumn;

impl Schema {
    /// Takes `name` (`Jet.pt` or `Jet_pt`, `met`, `event`) from `column`, whatever the preset says.
    pub fn map(&mut self, name: impl Into<String>, column: MappedColumn) {
        self.columns.insert(name.into(), column);
    }

    /// The preset.
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// The names that are mapped.
    pub(crate) fn mapped_names(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// The name by which a quantity is mapped, or could be.
    pub(crate) fn name_of_quantity(&self, collection: &str, quantity: &str) -> String {
        let [dotted, joined] = ['.', '_'].map(|join| format!("{collection}{join}{quantity}"));
        if !self.maps(&dotted) && self.maps(&joined) { joined } else { dotted }
    }

    pub(crate) fn maps(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    pub(crate) fn mapped_quantity(&self, collection: &str, quantity: &str) -> Option<Place> {
        self.columns.get(&self.name_of_quantity(collection, quantity)).cloned()
    }

    /// The columns that may hold a quantity, the first that the file has being meant; never none.
    pub(crate) fn quantity(&self, collection: &str, quantity: &str) -> Vec<Place> {
        if self.preset != Preset::Physlite {
            return vec![Place::new(super::read::binding::flat_name(collection, quantity), 1.0)];
        }
        let variable = if quantity == "mass" { "m" } else { quantity };
        let column = |begin: &str| Place::new(format!("{begin}{collection}AuxDyn.{variable}"), self.factor(quantity));
        vec![column("Analysis"), column("")]
    }

    /// The columns that may hold a number of each event; never none.
    pub(crate) fn scalar(&self, name: &str) -> Vec<Place> {
        if let Some(place) = self.columns.get(name) {
            return vec![place.clone()];
        }
        let mut places = vec![Place::new(name, self.factor(name.rsplit('.').next().unwrap_or(name)))];
        if self.preset == Preset::Physlite {
            places.push(Place::new(format!("EventInfoAuxDyn.{name}"), self.factor(name)));
        }
        places
    }

    /// The columns that may hold a part of the event's name; never none.
    pub(crate) fn id(&self, id: Id) -> Vec<String> {
        let physlite = match id {
            Id::Run => "EventInfoAuxDyn.runNumber",
            Id::LuminosityBlock => "EventInfoAuxDyn.lumiBlock",
            Id::Event => "EventInfoAuxDyn.eventNumber",
        };
        match (self.columns.get(id.name()), self.preset) {
            (Some(place), _) => vec![place.column.clone()],
            (None, Preset::Physlite) => vec![physlite.to_owned()],
            (None, _) => vec![id.name().to_owned()],
        }
    }

    /// The factor of a quantity's unit in this preset.
    pub(crate) fn factor(&self, quantity: &str) -> f64 {
        const IN_MEV: [&str; 12] = ["pt", "px", "py", "pz", "p", "e", "et", "m", "mass", "mpx", "mpy", "sumet"];
        const BEGIN_IN_MEV: [&str; 4] = ["ptcone", "ptvarcone", "topoetcone", "neflowisol"];
        let quantity = quantity.strip_prefix("JetConstitScaleMomentum_").unwrap_or(quantity);
        let in_mev = IN_MEV.contains(&quantity) || BEGIN_IN_MEV.iter().any(|begin| quantity.starts_with(begin));
        if self.preset == Preset::Physlite && in_mev { MEV_IN_GEV } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_names() {
        for preset in Preset::ALL {
            assert_eq!(Preset::named(&preset.to_string()).unwrap(), preset);
        }
        let error = Preset::named("physlight").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("Did you mean 'physlite'?"), "{error}");
    }

    #[test]
    fn names_become_columns() {
        let columns = |places: Vec<Place>| -> Vec<(String, f64)> {
            places.into_iter().map(|place| (place.column, place.factor)).collect()
        };
        let mut physlite = Schema::from(Preset::Physlite);
        let jets = [("AnalysisJetsAuxDyn.m".into(), 0.001), ("JetsAuxDyn.m".into(), 0.001)];
        assert_eq!(columns(physlite.quantity("Jets", "mass")), jets);
        let eta = [("AnalysisJetsAuxDyn.eta".into(), 1.0), ("JetsAuxDyn.eta".into(), 1.0)];
        assert_eq!(columns(physlite.quantity("Jets", "eta")), eta);
        let factor = |quantity: &str| physlite.factor(quantity);
        assert_eq!((factor("JetConstitScaleMomentum_pt"), factor("ptvarcone30"), factor("phi")), (0.001, 0.001, 1.0));
        assert_eq!(physlite.id(Id::LuminosityBlock), ["EventInfoAuxDyn.lumiBlock"]);
        physlite.map("Jets_pt", MappedColumn::new("other", 2.0));
        assert_eq!(physlite.mapped_quantity("Jets", "pt"), Some(MappedColumn::new("other", 2.0)));
        physlite.map("event", MappedColumn::new("number", 1.0));
        assert_eq!(physlite.id(Id::Event), ["number"]);
        for preset in [Preset::Nanoaod, Preset::Lhco, Preset::DarkMachines, Preset::Flat] {
            assert_eq!(columns(Schema::from(preset).quantity("jet", "pt")), [("jet_pt".to_owned(), 1.0)]);
        }
    }
}
