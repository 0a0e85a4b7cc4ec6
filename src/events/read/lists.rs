//! From Parquet's levels to offsets.
//!
//! An entry whose repetition level is 0 begins the list of the next row. Its definition level says what it is: an element
//! (the full level), a null element (below it), an empty list (one below the level of elements) or a null list (below).

use super::leaf::{Leaf, Levels};

/// What levels describe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// A list without nulls for each row.
    Whole,
    NullList {
        row: usize,
    },
    NullElement {
        row: usize,
        within: usize,
        level: i16,
    },
    /// 2^32 elements and more.
    TooMany,
    /// Not as many lists as rows, or empty lists with elements.
    Broken,
}

/// Appends the ends of `rows` lists; the last of `offsets` is where the first of them begins.
pub(super) fn append_offsets(leaf: &Leaf, levels: &Levels, rows: usize, offsets: &mut Vec<u32>) -> Lists {
    offsets_of(leaf.full_level(), leaf.element_level(), levels, rows, offsets)
}

fn offsets_of(full: i16, element: i16, levels: &Levels, rows: usize, offsets: &mut Vec<u32>) -> Lists {
    let (definition, repetition) = (&levels.definition[..], &levels.repetition[..]);
    let base = offsets.len() - 1;
    let start = offsets[base];
    if repetition.first().is_some_and(|&level| level != 0) || repetition.len() != definition.len() {
        return Lists::Broken;
    }
    if u32::try_from(definition.len()).ok().and_then(|most| start.checked_add(most)).is_none() {
        return Lists::TooMany;
    }
    // Sums over all entries, not searches that stop early: the compiler makes wide instructions of them.
    let is_null = |level: i16| (level != full) & (level != element - 1);
    if definition.iter().fold(false, |any, &level| any | is_null(level)) {
        let at = definition.iter().position(|&level| is_null(level)).unwrap_or(0);
        return null(element, levels, at);
    }
    // An empty list neither goes on nor is gone on with.
    let empty = |level: i16, repetition: i16| i16::from(level < element) & repetition;
    let on = definition.iter().zip(repetition).fold(0, |any, (&level, &here)| any | empty(level, here));
    let next = repetition.get(1..).unwrap_or_default();
    if definition.iter().zip(next).fold(on, |any, (&level, &next)| any | empty(level, next)) != 0 {
        return Lists::Broken;
    }
    offsets.resize(base + rows + 1, 0);
    let ends = &mut offsets[base..];
    let (mut row, mut end) = (0, start);
    for (&level, &here) in definition.iter().zip(repetition) {
        // Without a branch: between the beginnings of lists, this is the end so far.
        let Some(slot) = ends.get_mut(row) else { return Lists::Broken };
        *slot = end;
        row += usize::from(here == 0);
        end += u32::from(level == full);
    }
    if row != rows {
        return Lists::Broken;
    }
    ends[rows] = end;
    Lists::Whole
}

/// The null at entry `at`.
fn null(element: i16, levels: &Levels, at: usize) -> Lists {
    let before = &levels.repetition[..=at];
    // The first entry begins a list.
    let row = before.iter().filter(|&&level| level == 0).count().saturating_sub(1);
    let level = levels.definition[at];
    if level < element {
        return Lists::NullList { row };
    }
    let within = before.iter().rev().take_while(|&&level| level != 0).count();
    Lists::NullElement { row, within, level }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Optional lists of optional elements: 0 a null list, 1 an empty list, 2 a null element, 3 an element.
    fn of(entries: &[(i16, i16)], rows: usize, start: u32) -> (Lists, Vec<u32>) {
        let (repetition, definition) = entries.iter().copied().unzip();
        let mut offsets = vec![start];
        (offsets_of(3, 2, &Levels { definition, repetition }, rows, &mut offsets), offsets)
    }

    #[test]
    fn levels_become_offsets() {
        let entries = [(0, 3), (1, 3), (0, 1), (0, 3), (0, 1), (0, 1), (0, 3), (1, 3), (1, 3)];
        assert_eq!(of(&entries, 6, 5), (Lists::Whole, vec![5, 7, 7, 8, 8, 8, 11]));
        assert_eq!(of(&[], 0, 5), (Lists::Whole, vec![5]));
        assert_eq!(of(&[(0, 1)], 1, 0), (Lists::Whole, vec![0, 0]));
    }

    #[test]
    fn nulls_are_found() {
        assert_eq!(of(&[(0, 3), (0, 3), (1, 0)], 2, 0).0, Lists::NullList { row: 1 });
        let null = Lists::NullElement { row: 1, within: 2, level: 2 };
        assert_eq!(of(&[(0, 1), (0, 3), (1, 3), (1, 2), (0, 3)], 3, 0).0, null);
    }

    #[test]
    fn nonsense_is_broken_and_too_many_are_too_many() {
        for entries in [&[(1, 3)][..], &[(0, 1), (1, 3)], &[(0, 3), (1, 1)], &[(0, 3), (0, 3), (0, 3)], &[(0, 3)]] {
            assert_eq!(of(entries, 2, 0).0, Lists::Broken, "{entries:?}");
        }
        assert_eq!(of(&[(0, 3), (1, 3)], 1, u32::MAX - 2).0, Lists::Whole);
        assert_eq!(of(&[(0, 3), (1, 3)], 1, u32::MAX - 1).0, Lists::TooMany);
    }
}
