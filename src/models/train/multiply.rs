//! Products of matrices on the CPU, for sizes that stay in the first caches.
//!
//! A few rows and two vectors of the product are kept in registers while the sum goes on, so that each number is
//! `((start + a_0 b_0) + a_1 b_1) + ...` with every multiply-add rounded once, whatever the width of the vectors.

use crate::math::floats::Floats;

/// Rows of the product that are made at a time: with two vectors each they are 12 of AVX2's 16 registers.
const ROWS: usize = 6;

/// The same of one vector each, or of two of AVX-512's 32 registers: as many sums as wait for each other on two units of four cycles,
/// and no rows of a tile are left.
const MORE_ROWS: usize = 8;

/// Where a sum starts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    /// At 0.
    Zero,
    /// At the same row for all.
    Row(&'a [f32]),
    /// At what stands there.
    There,
}

/// A matrix by strides: the number in row r and column c is at `r * row + c * column`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub values: &'a [f32],
    pub row: usize,
    pub column: usize,
}

impl<'a> Matrix<'a> {
    /// One row after the other.
    #[inline(always)]
    pub fn rows(values: &'a [f32], row: usize) -> Self {
        Self { values, row, column: 1 }
    }

    /// The transposed.
    #[inline(always)]
    pub fn transposed(self) -> Self {
        Self { values: self.values, row: self.column, column: self.row }
    }
}

/// The sizes of a product: `rows` x `columns`, each a sum of so many terms; columns are whole vectors of eight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub rows: usize,
    pub columns: usize,
    pub terms: usize,
}

/// `to = start + a b`, where the rows of b and of the product have `stride_b` and `stride_to` places.
///
/// # Panics
/// If a matrix has fewer places than the sizes need, or the columns are not whole vectors of eight.
#[inline(always)]
pub(crate) fn multiply<V: Floats, E: Floats>(
    sizes: Sizes,
    a: Matrix,
    (b, stride_b): (&[f32], usize),
    start: Start,
    (to, stride_to): (&mut [f32], usize),
) {
    let Sizes { rows, columns, terms } = sizes;
    if rows == 0 || columns == 0 {
        return;
    }
    let last = |rows: usize, row: usize, columns: usize, column: usize| (rows - 1) * row + (columns - 1) * column;
    assert!(columns.is_multiple_of(8) && columns <= stride_to && last(rows, stride_to, columns, 1) < to.len());
    assert!(terms == 0 || last(rows, a.row, terms, a.column) < a.values.len());
    assert!(terms == 0 || columns <= stride_b && last(terms, stride_b, columns, 1) < b.len());
    if let Start::Row(row) = start {
        assert!(columns <= row.len());
    }
    let mut whole = Tiles { a, b: b.as_ptr(), stride_b, start, to: to.as_mut_ptr(), stride_to, terms };
    let mut column = 0;
    while column + 2 * V::LANES <= columns {
        whole.down::<V, 2>(rows, column);
        column += 2 * V::LANES;
    }
    if column + V::LANES <= columns {
        whole.down::<V, 1>(rows, column);
        column += V::LANES;
    }
    if column < columns {
        whole.down::<E, 1>(rows, column);
    }
}

struct Tiles<'a> {
    a: Matrix<'a>,
    b: *const f32,
    stride_b: usize,
    start: Start<'a>,
    to: *mut f32,
    stride_to: usize,
    terms: usize,
}

impl Tiles<'_> {
    /// All rows of some columns.
    #[inline(always)]
    fn down<V: Floats, const COLUMNS: usize>(&mut self, rows: usize, column: usize) {
        let mut row = 0;
        while (COLUMNS == 1 || V::LANES == 16) && row + MORE_ROWS <= rows {
            self.tile::<V, MORE_ROWS, COLUMNS>(row, column);
            row += MORE_ROWS;
        }
        // Eight are twice four: sums of two rows would wait for each other, five cycles a multiply-add.
        while row + ROWS <= rows && rows - row != 8 {
            self.tile::<V, ROWS, COLUMNS>(row, column);
            row += ROWS;
        }
        while row + 4 <= rows {
            self.tile::<V, 4, COLUMNS>(row, column);
            row += 4;
        }
        while row < rows {
            self.tile::<V, 1, COLUMNS>(row, column);
            row += 1;
        }
    }

    #[inline(always)]
    fn tile<V: Floats, const R: usize, const C: usize>(&mut self, row: usize, column: usize) {
        // SAFETY: `multiply` checked that rows, columns and terms are inside of all matrices, and tiles are inside of those.
        unsafe {
            let to = self.to.add(row * self.stride_to + column);
            let mut sums: [[V; C]; R] = match self.start {
                Start::Zero => [[V::all(0.0); C]; R],
                Start::Row(values) => {
                    let values = values.as_ptr().add(column);
                    [std::array::from_fn(|c| V::read(values.add(c * V::LANES))); R]
                }
                Start::There => {
                    std::array::from_fn(|r| std::array::from_fn(|c| V::read(to.add(r * self.stride_to + c * V::LANES))))
                }
            };
            let mut a = self.a.values.as_ptr().add(row * self.a.row);
            let mut b = self.b.add(column);
            for _ in 0..self.terms {
                let b_row: [V; C] = std::array::from_fn(|c| V::read(b.add(c * V::LANES)));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = V::all(*a.add(r * self.a.row));
                    for (sum, b) in sums.iter_mut().zip(b_row) {
                        *sum = factor.times_plus(b, *sum);
                    }
                }
                a = a.wrapping_add(self.a.column);
                b = b.wrapping_add(self.stride_b);
            }
            for (r, sums) in sums.into_iter().enumerate() {
                for (c, sum) in sums.into_iter().enumerate() {
                    sum.write(to.add(r * self.stride_to + c * V::LANES));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::floats::{Width, floats};

    struct Case<'a> {
        sizes: Sizes,
        a: Matrix<'a>,
        b: &'a [f32],
        start: Start<'a>,
    }

    #[inline(always)]
    fn product<V: Floats, E: Floats>(case: &Case, to: &mut [f32]) {
        let stride = case.sizes.columns;
        multiply::<V, E>(case.sizes, case.a, (case.b, stride), case.start, (to, stride));
    }

    fn with(width: Width, case: &Case, to: &mut [f32]) {
        floats!(width, product(case: &Case, to: &mut [f32]));
    }

    #[test]
    fn sums_go_in_order_at_every_size_and_width() {
        let number = |at: usize| ((at * 7919 + 13) % 2003) as f32 / 1001.0 - 1.0;
        for (rows, columns, terms) in
            [(1, 8, 1), (5, 16, 7), (6, 24, 64), (13, 40, 3), (8, 48, 5), (32, 64, 64), (4, 56, 0)]
        {
            let sizes = Sizes { rows, columns, terms };
            let a: Vec<f32> = (0..rows * terms).map(number).collect();
            let b: Vec<f32> = (0..terms * columns).map(|at| number(at + 77)).collect();
            let bias: Vec<f32> = (0..columns).map(|at| number(at + 5)).collect();
            let before: Vec<f32> = (0..rows * columns).map(|at| number(at + 9)).collect();
            let usual = Matrix::rows(&a, terms);
            // The same numbers, column after column.
            let turned: Vec<f32> = (0..terms * rows).map(|at| a[at % rows * terms + at / rows]).collect();
            let other = Matrix { values: &turned, row: 1, column: rows };
            for start in [Start::Zero, Start::Row(&bias), Start::There] {
                let expected = |row: usize, column: usize| {
                    let first = match start {
                        Start::Zero => 0.0,
                        Start::Row(bias) => bias[column],
                        Start::There => before[row * columns + column],
                    };
                    (0..terms).fold(first, |sum, k| a[row * terms + k].mul_add(b[k * columns + column], sum))
                };
                for width in Width::available() {
                    for a in [usual, other] {
                        let mut to = before.clone();
                        with(width, &Case { sizes, a, b: &b, start }, &mut to);
                        for (at, found) in to.iter().enumerate() {
                            let expected: f32 = expected(at / columns, at % columns);
                            assert_eq!(found.to_bits(), expected.to_bits(), "{width:?} {sizes:?} {start:?} at {at}");
                        }
                    }
                }
            }
        }
    }
}
