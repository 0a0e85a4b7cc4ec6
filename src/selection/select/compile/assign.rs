//! From registers that are each written once to as few as are needed at once: a linear scan.
//!
//! An event register that a loop reads lives to the end of the loop, because the loop reads it again for the next item;
//! what a loop makes of its items (folds, the best pair) lives from its beginning. No instruction writes a register that it
//! reads.

use super::operands::{loops, may_check, reads, rename, writes};
use crate::selection::select::program::{Check, Code, Instruction, NONE, Presence};

/// The most registers that executors have.
pub(super) const MOST_REGISTERS: u32 = 160;

/// From where to where the value of a register is needed, as numbers of instructions.
#[derive(Debug, Clone, Copy)]
struct Life {
    begin: usize,
    end: usize,
    width: u32,
}

/// Renames the registers of `steps` and `presences`; `groups` are the consecutive ones, as (first, how many). The number of
/// registers, or the instruction at which there are too many.
pub(super) fn assign(
    steps: &mut [Instruction],
    checks: &[Check],
    presences: &mut [Presence],
    groups: &[(u32, u32)],
) -> Result<u32, usize> {
    let lives = lives(steps, checks, presences, groups);
    let names = allocate(&lives, groups)?;
    for step in steps.iter_mut() {
        rename(step, |register| names[register as usize]);
    }
    for presence in presences {
        presence.register = names[presence.register as usize];
    }
    let last = groups.iter().map(|(first, width)| match names[*first as usize] {
        NONE => 0,
        name => name + width,
    });
    Ok(last.max().unwrap_or(0))
}

/// The life of each group.
fn lives(steps: &[Instruction], checks: &[Check], presences: &[Presence], groups: &[(u32, u32)]) -> Vec<Option<Life>> {
    let mut group_of = Vec::new();
    for (group, (_, width)) in groups.iter().enumerate() {
        group_of.extend(std::iter::repeat_n(group, *width as usize));
    }
    let loops = loops(steps);
    let mut lives: Vec<Option<Life>> = vec![None; groups.len()];
    let mut next_loop = 0;
    for (here, step) in steps.iter().enumerate() {
        while next_loop < loops.len() && loops[next_loop].1 < here {
            next_loop += 1;
        }
        let around = loops.get(next_loop).filter(|(begin, _)| *begin < here);
        let checked = if may_check(step.code) && step.check != NONE {
            let Check { first_presence, presences: count } = checks[step.check as usize];
            &presences[first_presence as usize..(first_presence + count) as usize]
        } else {
            &[]
        };
        let read =
            reads(step).into_iter().map(|(first, _)| first).chain(checked.iter().map(|presence| presence.register));
        for register in read {
            // Every register is written before it is read.
            let Some(life) = &mut lives[group_of[register as usize]] else { continue };
            let end = match around {
                Some((begin, end)) if life.begin < *begin => *end,
                _ => here,
            };
            life.end = life.end.max(end);
        }
        if writes(step.code) > 0 {
            let begin = match (step.code, around) {
                (Code::Fold | Code::Best, Some((begin, _))) => *begin,
                _ => here,
            };
            let group = group_of[step.dest as usize];
            let life = lives[group].get_or_insert(Life { begin, end: here, width: groups[group].1 });
            life.end = life.end.max(here);
        }
    }
    lives
}

fn allocate(lives: &[Option<Life>], groups: &[(u32, u32)]) -> Result<Vec<u32>, usize> {
    let mut order: Vec<usize> = (0..lives.len()).filter(|group| lives[*group].is_some()).collect();
    order.sort_by_key(|group| lives[*group].map_or(0, |life| life.begin));
    let registers = groups.iter().map(|(_, width)| *width as usize).sum();
    let mut names = vec![NONE; registers];
    // Until when each register is taken: the first instruction at which it is free.
    let mut taken = vec![0usize; MOST_REGISTERS as usize];
    for group in order {
        let Some(Life { begin, end, width }) = lives[group] else { continue };
        let width = width as usize;
        let place = taken.windows(width).position(|run| run.iter().all(|free| *free <= begin)).ok_or(begin)?;
        for offset in 0..width {
            taken[place + offset] = end + 1;
            names[groups[group].0 as usize + offset] = (place + offset) as u32;
        }
    }
    Ok(names)
}
