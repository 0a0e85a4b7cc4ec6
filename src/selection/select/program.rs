//! The compiled form of a selection: plain tables that the CPU and CUDA executors interpret with the same text.
//!
//! Values are computed on a stack of [`STACK`] operands that live in registers, so that a kernel needs no local memory.

use crate::events::Projection;

/// The operands that an expression can hold at once.
pub(crate) const STACK: usize = 4;

/// No column, no limit, no object at this place, no fault.
pub(crate) const NONE: u32 = u32::MAX;

/// What an [`Instruction`] does. The numbers are those of `kernels/selection/select.cuh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Operation {
    /// Push `number`.
    Number = 0,
    /// Push the count of the object `first`.
    Count = 1,
    /// Push the value of quantity column `second` of the item in the slot `first`.
    Quantity = 2,
    /// Push the scalar column `first`.
    Scalar = 3,
    /// Push the mass of the items in the slots `first` and `second`, of the objects `first_object` and `second_object`.
    PairMass = 4,
    /// Push their transverse momentum.
    PairPt = 5,
    /// Push their distance.
    PairDeltaR = 6,
    /// Replace the top by its absolute value.
    Absolute = 7,
    /// Replace the two on top by the larger.
    Maximum = 8,
    /// Replace the two on top by the smaller.
    Minimum = 9,
    /// Round the top to f32: the value of a variable.
    Round = 10,
    /// Pop two; the event ends here unless `second` compares as `first` ([`Comparison`](super::Comparison)) with the top.
    Require = 11,
    /// Pop one into the variable `first`.
    Store = 12,
}

/// One step of the program of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct Instruction {
    pub operation: Operation,
    pub first: u32,
    pub second: u32,
    pub first_object: u32,
    pub second_object: u32,
    /// Of a [`Operation::Require`]: the fault if a compared value is NaN.
    pub fault: u32,
    pub number: f64,
}

/// How the items of an object are found and ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct ObjectPlan {
    /// The collection, by its place in the projection.
    pub collection: u32,
    /// Its cuts: `first_cut .. first_cut + cuts` of the program's item cuts.
    pub first_cut: u32,
    pub cuts: u32,
    /// The places in pT order that are looked at: `first_slot .. first_slot + slots`.
    pub first_slot: u32,
    pub slots: u32,
    /// At most so many are kept.
    pub leading: u32,
    /// Quantity columns of [`Program::quantities`], or [`NONE`] where none is needed.
    pub pt: u32,
    pub eta: u32,
    pub phi: u32,
    pub mass: u32,
    /// The fault if the pT of an item that passes its cuts is NaN.
    pub fault: u32,
    /// Keeps the struct a multiple of 8 bytes.
    pub unused: u32,
}

/// A cut on every item of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct ItemCut {
    /// The quantity column.
    pub column: u32,
    /// 0: as it is; 1: its absolute value.
    pub absolute: u32,
    pub comparison: u32,
    pub fault: u32,
    pub threshold: f64,
}

/// Everything that an executor needs to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Program {
    pub projection: Projection,
    /// Quantity columns in the order of their use: (collection, quantity) of the projection.
    pub quantities: Vec<(usize, usize)>,
    pub objects: Vec<ObjectPlan>,
    pub item_cuts: Vec<ItemCut>,
    pub instructions: Vec<Instruction>,
    /// The slots of all objects together.
    pub slots: usize,
    pub cuts: usize,
    pub variables: usize,
    /// The scalar column of the weight, or [`NONE`].
    pub weight_column: u32,
    /// Whatever may turn out NaN in a comparison: the text for each fault.
    pub compared: Vec<String>,
}
