//! Which registers an instruction reads and writes.

use crate::selection::select::program::{Code, Instruction, NONE};

/// Registers of an instruction that are read: `(first, how many)`.
pub(super) fn reads(step: &Instruction) -> Vec<(u32, u32)> {
    let Instruction { a, b, c, check, .. } = *step;
    match step.code {
        Code::Number | Code::Scalar | Code::Count | Code::At | Code::Item | Code::Place => vec![],
        Code::Build | Code::Each | Code::Pairs => vec![],
        Code::AtPlace => vec![(c, 1)],
        Code::Add | Code::Subtract | Code::Multiply | Code::Divide | Code::ArcTangent | Code::Hypotenuse => {
            vec![(a, 1), (b, 1)]
        }
        Code::Minimum | Code::Maximum | Code::Power | Code::DeltaPhi | Code::Separation => vec![(a, 1), (b, 1)],
        Code::Above | Code::AtLeast | Code::Below | Code::AtMost | Code::Equal | Code::Unequal => vec![(a, 1), (b, 1)],
        Code::And | Code::Or | Code::Otherwise => vec![(a, 1), (b, 1)],
        Code::Broadcast | Code::Negate | Code::Absolute | Code::SquareRoot | Code::Exponential => vec![(a, 1)],
        Code::Logarithm | Code::Sine | Code::Cosine | Code::HyperbolicSine | Code::HyperbolicCosine => vec![(a, 1)],
        Code::Floor | Code::Round | Code::Truth | Code::Not | Code::Finite | Code::Fold => vec![(a, 1)],
        Code::Choose => vec![(a, 1), (b, 1), (c, 1)],
        Code::DeltaR | Code::Momentum => vec![(a, 1), (b, 1), (c, 1), (check, 1)],
        Code::MassOf | Code::PtOf | Code::EtaOf | Code::PhiOf | Code::RapidityOf => vec![(a, 4)],
        Code::Keep | Code::Best => [a, b].into_iter().filter(|one| *one != NONE).map(|one| (one, 1)).collect(),
        Code::Cut | Code::Require | Code::Tally | Code::Flag | Code::Store => vec![(a, 1)],
    }
}

/// How many registers it writes, from `dest` on.
pub(super) fn writes(code: Code) -> u32 {
    match code {
        Code::Build | Code::Keep | Code::Each | Code::Pairs => 0,
        Code::Cut | Code::Require | Code::Tally | Code::Flag | Code::Store => 0,
        Code::Momentum => 4,
        Code::Best => 3,
        _ => 1,
    }
}

/// Whether `check` is the number of a check, not an operand.
pub(super) fn may_check(code: Code) -> bool {
    !matches!(code, Code::DeltaR | Code::Momentum)
}

/// Gives every register of an instruction another name.
pub(super) fn rename(step: &mut Instruction, name: impl Fn(u32) -> u32) {
    let in_field = |field: u32| if field == NONE { NONE } else { name(field) };
    if writes(step.code) > 0 {
        step.dest = in_field(step.dest);
    }
    let count = reads(step).len();
    match step.code {
        Code::AtPlace => step.c = in_field(step.c),
        Code::Keep | Code::Best => (step.a, step.b) = (in_field(step.a), in_field(step.b)),
        _ => {
            let fields = [&mut step.a, &mut step.b, &mut step.c, &mut step.check];
            for field in fields.into_iter().take(count) {
                *field = in_field(*field);
            }
        }
    }
}

/// The loops of a program: the instruction that begins each, and its last one.
pub(super) fn loops(steps: &[Instruction]) -> Vec<(usize, usize)> {
    let ends = steps.iter().enumerate().filter_map(|(begin, step)| {
        let end = match step.code {
            Code::Build => step.c as usize,
            Code::Each => (step.c + step.b) as usize - 1,
            Code::Pairs => step.dest as usize,
            _ => return None,
        };
        Some((begin, end))
    });
    ends.collect()
}
