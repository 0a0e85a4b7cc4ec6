//! What a selection is made of, as texts: objects, pairs, definitions, cuts, channels, regions, features.

/// A kind of object: a collection, or several joined, with cuts and an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The name by which expressions call it: `lepton`.
    pub name: String,
    /// The collections of the file: `Electron`, `Muon`.
    pub from: Vec<String>,
    /// The flavour of each collection. Without it the flavours of several are those of their names (electron 11, muon 13, tau
    /// 15, photon 22, in any case and number), and `flavour` of a single one is a column as any other.
    pub flavours: Option<Vec<f32>>,
    /// Quantities that are no column of their own name.
    pub quantities: Vec<(String, QuantityFrom)>,
    /// Conditions on every item, all of which must hold: `pt > 200`, `abs(eta) < 2.0`.
    pub keep: Vec<String>,
    /// What rises from item to item: `-pt`, the default; `none`: the order of the file.
    pub order: Option<String>,
    /// At most so many are kept, the first in that order.
    pub leading: Option<u32>,
    /// Items nearer in deltaR to any item of that object than this are dropped; it must not need these.
    pub apart: Vec<(String, f64)>,
}

/// Where a quantity comes from, if not from the column of its name.
#[derive(Debug, Clone, PartialEq)]
pub enum QuantityFrom {
    /// The column of another name: `msoftdrop`.
    Column(String),
    /// The same for every item: 0.000511.
    Constant(f32),
}

impl Object {
    /// All items of a collection, by falling pT.
    pub fn new(name: impl Into<String>, collection: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            from: vec![collection.into()],
            flavours: None,
            quantities: Vec::new(),
            keep: Vec::new(),
            order: None,
            leading: None,
            apart: Vec::new(),
        }
    }

    /// With the items of a collection more.
    pub fn and(mut self, collection: impl Into<String>) -> Self {
        self.from.push(collection.into());
        self
    }

    /// Only those that pass a condition more.
    pub fn keep(mut self, condition: impl Into<String>) -> Self {
        self.keep.push(condition.into());
        self
    }

    /// In another order.
    pub fn order(mut self, order: impl Into<String>) -> Self {
        self.order = Some(order.into());
        self
    }

    /// Only the `leading` first.
    pub fn leading(mut self, leading: u32) -> Self {
        self.leading = Some(leading);
        self
    }

    /// Without those nearer than `delta_r` to any `object`.
    pub fn apart(mut self, object: impl Into<String>, delta_r: f64) -> Self {
        self.apart.push((object.into(), delta_r));
        self
    }

    /// With a quantity that is read from the column of another name, or is a constant.
    pub fn quantity(mut self, name: impl Into<String>, from: QuantityFrom) -> Self {
        self.quantities.push((name.into(), from));
        self
    }
}

/// The best pair of items of two objects (or of one): of the pairs that pass `keep`, the one of the smallest `best`. In both,
/// the items are called `first` and `second`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The name: `z`. `z.first.pt`, `mass(z)`, `count(z)`.
    pub name: String,
    /// The objects.
    pub of: [String; 2],
    /// Conditions: `first.charge * second.charge < 0`.
    pub keep: Vec<String>,
    /// The criterion: `abs(mass(first + second) - 91.19)`.
    pub best: String,
}

/// A definition: a number, a condition or a momentum of the event, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value: `mass(jet[0] + jet[1])`.
    pub value: String,
}

impl Variable {
    /// A variable.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A requirement on events: a row of the cutflow. Channels and regions have the same form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// What the cutflow calls it.
    pub name: String,
    /// What must hold: `count(jet) >= 2`.
    pub require: String,
}

impl Cut {
    /// A cut.
    pub fn new(name: impl Into<String>, require: impl Into<String>) -> Self {
        Self { name: name.into(), require: require.into() }
    }
}

/// A channel: which of the events that passed every cut, and what more is asked of them. Channels may overlap; if there
/// are any, an event survives if it passes all of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name and what makes an event belong to it.
    pub entry: Cut,
    /// What more it asks.
    pub cuts: Vec<Cut>,
}

/// A table of features: so many items of an object, padded, with a mask.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// The object.
    pub object: String,
    /// How many places there are.
    pub number: u32,
    /// Which quantities of each.
    pub quantities: Vec<String>,
    /// What stands at places that the event does not fill.
    pub padding: f32,
}

/// A whole selection, as texts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definition {
    /// The kinds of objects, in any order; none may need itself.
    pub objects: Vec<Object>,
    /// The pairs.
    pub pairs: Vec<Pair>,
    /// The definitions, in any order; none may need itself. Those that are numbers are the variables of survivors.
    pub variables: Vec<Variable>,
    /// The cuts, in their order.
    pub cuts: Vec<Cut>,
    /// The channels, after all cuts.
    pub channels: Vec<Channel>,
    /// Named conditions on survivors: flags, with a row of the tally each.
    pub regions: Vec<Cut>,
    /// The features of survivors, after the variables.
    pub features: Vec<Features>,
}
