//! Folds: every event is scored by a member that never saw it.
//!
//! **What.** The fold of an event is `floor(u F / 2^32)` of F folds, with the first word u of Philox under (seed, the
//! event's key), so that it depends on nothing but these: not on the order of events, nor on which others there are. An
//! ensemble of E networks in F folds is E x F members, the member (e, f) at place `e F + f`, of which each holds fold f
//! out; its seed is a function of (seed, e, f).
//!
//! **Neglected.** Folds are of equal size on average only: of n events a fold has n / F with a standard deviation of
//! about `sqrt(n / F)`.
//!
//! **Cost.** A draw an event, and as many trainings as members, each of `(F - 1) / F` of all events.
//!
//! ```
//! use trawl::models::folds::{cross_validated, folds_of, out_of_fold};
//! let keys: Vec<u64> = (0..100).collect();
//! let folds = folds_of(&keys, 5, 7)?;
//! let members = cross_validated(7, 2, 5);
//! assert_eq!((members.len(), members[8].held_out), (10, Some(3)));
//! // The members' scores are their own numbers here: an event gets that of the member that holds its fold out.
//! let scores: Vec<f32> = (0..10).flat_map(|member| vec![member as f32; 100]).collect();
//! let fair = out_of_fold(&members, &scores, &folds)?;
//! assert_eq!((fair.len(), fair[100]), (200, 5.0 + folds[0] as f32));
//! # Ok::<(), trawl::Error>(())
//! ```

use crate::error::{Fault, Problems, Result};
use crate::math::philox::{Philox, Stage, join};

use super::population::Member;

const NAME: &str = "models.folds";

/// The fold of each event, from 0 to below `folds`: a function of the seed and the event's key alone.
///
/// # Errors
/// Fewer than two folds, more folds than events, folds that no event has: each fold is named.
///
/// ```
/// use trawl::models::folds::folds_of;
/// let folds = folds_of(&[11, 12, 13, 14, 15, 16], 2, 1)?;
/// assert_eq!(folds_of(&[16, 15, 14, 13, 12, 11], 2, 1)?, folds.iter().rev().copied().collect::<Vec<_>>());
/// # Ok::<(), trawl::Error>(())
/// ```
pub fn folds_of(keys: &[u64], folds: u32, seed: u64) -> Result<Vec<u32>> {
    if folds < 2 {
        let fault = Fault::new(NAME, format!("expected at least two folds, got {folds}"));
        return Err(fault.because("an event is scored by members that learned from the other folds").usage());
    }
    if folds as usize > keys.len() {
        let fault = Fault::new(NAME, format!("{folds} are more folds than events, which are {}", keys.len()));
        return Err(fault.because("each fold needs events").suggest("Take fewer folds, or more events.").data());
    }
    let found: Vec<u32> = keys.iter().map(|key| fold_of(*key, folds, seed)).collect();
    let mut counts = vec![0_usize; folds as usize];
    found.iter().for_each(|fold| counts[*fold as usize] += 1);
    let mut problems = Problems::default();
    for (fold, _) in counts.iter().enumerate().filter(|(_, count)| **count == 0) {
        let fault = Fault::new(NAME, format!("fold {fold} of {folds} has no events"));
        let fault = fault.because("nothing would be scored by the member that holds it out");
        problems.push(fault.suggest("Take fewer folds, more events, or keys that differ.").data());
    }
    problems.finish()?;
    Ok(found)
}

/// The fold of an event by its key, of `folds`: as [`folds_of`], for events that come one by one.
#[inline]
pub fn fold_of(key: u64, folds: u32, seed: u64) -> u32 {
    ((u64::from(Philox::new(seed, Stage::Folds).words(key, 0)[0]) * u64::from(folds)) >> 32) as u32
}

/// The seed of a member of an ensemble: a function of the three numbers.
pub fn member_seed(seed: u64, ensemble: u32, fold: u32) -> u64 {
    let [high, low, _, _] = Philox::new(seed, Stage::Members).words(u64::from(ensemble), u64::from(fold));
    join(high, low)
}

/// The members of `ensemble` networks in `folds` folds, fold after fold of one network after the other.
pub fn cross_validated(seed: u64, ensemble: u32, folds: u32) -> Vec<Member> {
    let member = |number, fold| Member { held_out: Some(fold), ..Member::new(member_seed(seed, number, fold)) };
    (0..ensemble).flat_map(|number| (0..folds).map(move |fold| member(number, fold))).collect()
}

/// The scores of each event by the members that hold its fold out, network after network and event after event.
///
/// Members are those of [`cross_validated`], `scores` those of [`score`](super::score::score) with one output, member
/// after member, and `folds` has the fold of each event.
///
/// # Errors
/// All at once: members that are no networks in folds, another number of scores than of members and events, the first
/// event of a fold that no member holds out.
pub fn out_of_fold(members: &[Member], scores: &[f32], folds: &[u32]) -> Result<Vec<f32>> {
    let mut problems = Problems::default();
    let number = problems.take(folds_in(members)).unwrap_or(0);
    if scores.len() != members.len() * folds.len() {
        let problem = format!("expected {} scores, got {}", members.len() * folds.len(), scores.len());
        let why = format!("{} members score {} events once", members.len(), folds.len());
        problems.push(Fault::new(NAME, problem).because(why).data());
    }
    if number > 0 {
        problems.take(check_folds(folds, number));
    }
    problems.finish()?;
    let of_network = |first: usize| {
        folds.iter().enumerate().map(move |(event, fold)| scores[(first + *fold as usize) * folds.len() + event])
    };
    Ok((0..members.len()).step_by(number as usize).flat_map(of_network).collect())
}

/// Whether all events are of folds below this number.
pub(super) fn check_folds(folds: &[u32], number: u32) -> Result<()> {
    match folds.iter().position(|fold| *fold >= number) {
        None => Ok(()),
        Some(event) => {
            let fault = Fault::new(NAME, format!("event {event} is of fold {}", folds[event]));
            Err(fault.because(format!("folds are 0 to {}, and every member saw it", number.saturating_sub(1))).data())
        }
    }
}

/// How many folds members hold out in turn.
fn folds_in(members: &[Member]) -> Result<u32> {
    let number = members.iter().filter_map(|member| member.held_out).max().map_or(0, |fold| fold as usize + 1);
    let in_turn = |(place, member): (usize, &Member)| member.held_out.map(|fold| fold as usize) == Some(place % number);
    if number > 0 && members.len().is_multiple_of(number) && members.iter().enumerate().all(in_turn) {
        return Ok(number as u32);
    }
    let fault = Fault::new(NAME, format!("{} members do not hold folds out in turn", members.len()));
    Err(fault.because("each fold of each network needs one").suggest("Take those of cross_validated.").usage())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_follow_keys_alone_and_have_equal_shares() {
        let keys: Vec<u64> = (0..20_000_u64).map(|event| event.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let folds = folds_of(&keys, 5, 3).unwrap();
        let some = folds_of(&keys[100..200], 5, 3).unwrap();
        assert_eq!(some, folds[100..200]);
        for fold in 0..5 {
            // The standard deviation is sqrt(20000 / 5 x 4 / 5) = 57.
            let count = folds.iter().filter(|own| **own == fold).count() as f64;
            assert!((count - 4000.0).abs() < 230.0, "{fold}: {count}");
        }
        assert_ne!(folds, folds_of(&keys, 5, 4).unwrap());
    }

    #[test]
    fn members_have_seeds_of_their_own() {
        let members = cross_validated(9, 4, 3);
        let seeds: std::collections::HashSet<u64> = members.iter().map(|member| member.seed).collect();
        assert_eq!((members.len(), seeds.len()), (12, 12));
        // More networks, or another number of folds, change no member.
        assert_eq!(cross_validated(9, 7, 3)[..12], members);
        assert_eq!(cross_validated(9, 1, 5)[..3], members[..3]);
        assert_eq!(members[7].seed, member_seed(9, 2, 1));
        assert!(cross_validated(9, 0, 3).is_empty());
    }

    #[test]
    fn no_event_is_scored_by_a_member_that_saw_it() {
        let keys: Vec<u64> = (0..50).collect();
        let (folds, members) = (folds_of(&keys, 3, 1).unwrap(), cross_validated(1, 2, 3));
        let scores: Vec<f32> = (0..6 * 50).map(|place| place as f32).collect();
        let fair = out_of_fold(&members, &scores, &folds).unwrap();
        assert_eq!(fair.len(), 100);
        for (place, score) in fair.iter().enumerate() {
            let (member, event) = (*score as usize / 50, *score as usize % 50);
            assert_eq!((member / 3, event), (place / 50, place % 50));
            assert_eq!(members[member].held_out, Some(folds[event]));
        }
    }

    #[test]
    fn what_makes_no_folds_is_named() {
        let error = |keys: &[u64], folds| folds_of(keys, folds, 1).unwrap_err();
        assert!(error(&[1, 2, 3], 1).to_string().contains("expected at least two folds, got 1"));
        assert!(error(&[1, 2, 3], 4).to_string().contains("4 are more folds than events, which are 3"));
        // Equal keys are of the same fold.
        let empty = error(&[5; 40], 3);
        assert_eq!(empty.problems().len(), 2);
        assert!(empty.to_string().contains("of 3 has no events"), "{empty}");
    }

    #[test]
    fn what_cannot_be_scored_fairly_is_named() {
        let members = cross_validated(1, 2, 3);
        let error = |members: &[Member], scores: usize, folds: &[u32]| {
            out_of_fold(members, &vec![0.0; scores], folds).unwrap_err().to_string()
        };
        let text = error(&members, 11, &[0, 3]);
        assert!(text.contains("expected 12 scores, got 11") && text.contains("event 1 is of fold 3"), "{text}");
        let text = error(&members[1..], 10, &[0, 1]);
        assert!(text.contains("5 members do not hold folds out in turn"), "{text}");
        assert!(error(&[Member::new(1)], 2, &[0, 1]).contains("1 members do not"));
        assert!(error(&[], 0, &[]).contains("0 members do not"));
    }
}
