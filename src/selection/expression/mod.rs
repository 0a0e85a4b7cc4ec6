//! The language of cuts and variables: reference.
//!
//! A card writes objects, pairs, definitions, cuts, channels and regions as expressions. All of them are checked before any
//! event is read, and every mistake is reported at once, with carets under its place:
//!
//! ```text
//! 'jet.pt' has a value for each jet; reduce it with max(...), sum(...), any(...), or index it: jet[0].pt
//!     jet.pt > 30 && count(jet) >= 2
//!     ^^^^^^
//! ```
//!
//! # Values
//!
//! | kind | examples |
//! |---|---|
//! | number | `500`, `2.5e3`, `pi`, `jet[0].pt`, `MET_pt`, `count(jet)` |
//! | condition | `true`, `false`, `jet[0].pt > 30`, `a && b`; a column of flags or integers (not 0) where a condition is expected |
//! | four-momentum | `jet[0]`, `jet[0] + jet[1]`, `sum(jet)`, `momentum(pt, eta, phi, mass)`, a pair `z` |
//!
//! Each is either *of the event* or has a value *for each item* of an object (`jet.pt`). Cuts, definitions, channels and
//! regions are of the event: values for each item are reduced (`max(jet.pt)`) or indexed (`jet[0].pt`). A value of the
//! event may stand among those of items: `count(jet.pt > 0.3 * ht)`.
//!
//! # Names
//!
//! Objects, pairs and definitions have different names, and may stand in any order; what needs itself is a mistake.
//!
//! | written | is |
//! |---|---|
//! | `jet[0]`, `jet[1]` | items of an object in its order, from 0 |
//! | `jet[argmax(jet.btag)]`, `jet[count(jet) - 1]` | the item at a place that is computed: an integer of the event |
//! | `jet[0].pt` | a quantity of an item: a column of its collection, or what `quantities` gives |
//! | `lepton[0].flavour` | of a joined collection: the flavour of the collection that the item is from |
//! | `jet.pt`, `jet` | in a reduction: of each item |
//! | `z`, `z.first.pt`, `z.second` | the best pair: its four-momentum, its items |
//! | `m_ll` | a definition; a number is rounded to f32 once and has this value everywhere |
//! | `MET_pt`, `event.MET_pt` | a column of the event; the long form wherever the short one means something else |
//! | `event_hash` | the event's place in [0, 1) by (run, event), for splits: `event_hash < 0.01` |
//! | `in_luminosity_mask` | 1 if the event's run and luminosity block are in the sample's mask, else 0; 1 for all events of a sample without one |
//!
//! A definition of an item is that item: after `tagged = jet[argmax(jet.btag)]`, `tagged.btag` is its column.
//!
//! In `keep` and `order` of an **object**, bare names are the item's quantities unless a definition has that name:
//! `pt > 27 && abs(eta) < 2.47`. The event's columns are `event.MET_pt`, other objects are reduced or indexed. The object
//! itself is not there yet.
//!
//! In `keep` and `best` of a **pair**, its items are `first` and `second`: `first.charge * second.charge < 0`,
//! `abs(mass(first + second) - 91.19)`. Two items of one object make a pair once, the first of them earlier in its order.
//!
//! # Operators, from those that bind most
//!
//! | operator | of | gives |
//! |---|---|---|
//! | `-a`, `!a` | number, condition | the same kind |
//! | `a * b`, `a / b` | numbers | number |
//! | `a + b`, `a - b` | numbers; `+` also four-momenta | the same kind |
//! | `>`, `>=`, `<`, `<=`, `==`, `!=` | numbers; `==` and `!=` also conditions | condition; they do not chain |
//! | `a && b` | conditions | condition |
//! | <code>a &#124;&#124; b</code> | conditions | condition |
//!
//! `==` and `!=` compare what can be an integer: counts, places, integers, columns (but not pt, eta, phi, mass), `floor`,
//! and sums, products and extremes of these. That measured numbers are equal is an accident. Columns and definitions are f32,
//! which holds all integers only up to 16777216: they are not compared with larger ones, and a larger integer in a column that an
//! expression uses is an error unless f32 holds it. Both sides of `&&` and `||` are
//! always computed.
//!
//! # Functions of numbers
//!
//! | function | gives |
//! |---|---|
//! | `abs(x)`, `sqrt(x)`, `exp(x)`, `log(x)`, `floor(x)`, `pow(x, y)`, `hypot(x, y)` | as everywhere; `log` is natural |
//! | `sin(x)`, `cos(x)`, `sinh(x)`, `cosh(x)`, `atan2(y, x)` | in radians |
//! | `min(x, y, ...)`, `max(x, y, ...)` | the smallest, largest of two or more numbers |
//! | `deltaPhi(a, b)` | the difference of two angles or of the phi of two momenta, in (-pi, pi] |
//! | `where(condition, a, b)` | `a` if the condition holds, else `b`; numbers or conditions |
//! | `otherwise(x, y)` | `x` if it is a number, `y` if it is missing or NaN |
//! | `finite(x)` | whether x is neither missing, NaN nor infinite |
//! | `fold(k)` | which of k folds the event is in, `floor(event_hash * k)`; k is written as an integer |
//!
//! # Four-momenta
//!
//! | function | gives |
//! |---|---|
//! | `mass(p)`, `pt(p)`, `eta(p)`, `phi(p)`, `rapidity(p)` | of any momentum, also as `p.mass`; of an item its columns, without trigonometry (but for the rapidity) |
//! | `deltaR(a, b)` | sqrt(deta^2 + dphi^2) with the pseudorapidities |
//! | `transverseMass(a, b)` | sqrt(2 pt_a pt_b (1 - cos(deltaPhi(a, b)))) |
//! | `momentum(pt, eta, phi, mass)` | a momentum of numbers: `momentum(MET_pt, 0, MET_phi, 0)` |
//! | `sum(jet)` | the sum over all items |
//!
//! # Reductions over the items of an object
//!
//! | function | gives | without items |
//! |---|---|---|
//! | `count(jet)`, `count(z)` | how many items; whether there is a pair | 0 |
//! | `count(jet.pt > 50)` | for how many it holds | 0 |
//! | `any(jet.pt > 50)`, `all(jet.pt > 50)` | whether it holds for one, for all | false, true |
//! | `sum(jet.pt)` | the sum, in the object's order | 0 |
//! | `min(jet.pt)`, `max(jet.pt)` | of one value: the smallest, largest | missing |
//! | `argmin(jet.pt)`, `argmax(jet.btag)` | the place of the smallest, largest; the first of equal ones | missing |
//! | `separation(lepton)` | in `keep` and `order`: the smallest deltaR between the item and any lepton | infinite |
//!
//! A reduction is over one object: pairs of items of two are made in `[pairs]`. The nearest of many is
//! `min(deltaR(jet, lepton[0]))`.
//!
//! # Missing, NaN
//!
//! What an event does not have (`jet[1].pt` of an event with one jet, the mass of a pair that was not found) is missing, and
//! makes missing what is computed of it; a comparison with it is false, and so is `!=`. As a variable it is NaN. If a
//! compared value is NaN although everything that it is made of is there, the data are wrong, or the logarithm of a negative
//! number was taken: this is an error that names what was compared and the row. `otherwise` and `finite` decide instead.
//! Of `where(c, a, b)` everything that either side needs must be there for such an error.
//!
//! # Limits
//!
//! An expression has at most 10,000 characters and 64 levels of nesting. What is computed at the same time must fit into 160
//! registers; each four-momentum takes four.

mod caret;
mod functions;
mod parse;
#[cfg(test)]
mod tests;
mod token;
mod tree;

pub(crate) use caret::{Slip, Span};
pub(crate) use functions::Function;
pub(crate) use parse::parse;
pub(crate) use tree::{Comparison, Factor, Node, Sign, Tree, Word};
