//! The instructions of AMX, and those of AVX-512 that make pairs: whole lines of the cache are written, since tiles that are read soon after
//! wait for lines that were written in parts.

// One reason holds for all of the blocks; it stands above them.
#![allow(clippy::undocumented_unsafe_blocks)]

use std::arch::x86_64::*;
use std::arch::{asm, is_x86_feature_detected};

use super::{Onto, PAIRS, Product, SIDE, TERMS};

/// What `arch_prctl` is called, and its request for a state that is large.
const ARCH_PRCTL: i64 = 158;
const REQUEST_PERMISSION: i64 = 0x1023;
const TILE_DATA: i64 = 18;

/// Eight tiles of 16 rows of 64 bytes, in the first palette.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static WHOLE: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Whether the processor has all instructions used here, and the system lets this process use tiles.
pub(super) fn is_available() -> bool {
    let has_vectors = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16");
    if !has_vectors || !is_x86_feature_detected!("xsave") {
        return false;
    }
    // SAFETY: every x86-64 processor has CPUID. Newer compilers know that.
    #[allow(unused_unsafe)]
    let features = unsafe { __cpuid_count(7, 0) }.edx;
    let has_tiles = features >> 22 & 1 == 1 && features >> 24 & 1 == 1;
    // SAFETY: the processor has XGETBV.
    has_tiles && unsafe { states() } >> 17 & 3 == 3 && permission() == 0
}

/// The states that the system keeps for each thread.
#[target_feature(enable = "xsave")]
fn states() -> u64 {
    unsafe { _xgetbv(0) }
}

/// Linux gives the memory for tiles to processes that ask for it.
fn permission() -> i64 {
    let answer: i64;
    // SAFETY: a system call that changes what the process may do, and no memory of it.
    unsafe {
        asm!("syscall", inout("rax") ARCH_PRCTL => answer, in("rdi") REQUEST_PERMISSION, in("rsi") TILE_DATA,
             out("rcx") _, out("r11") _, options(nostack));
    }
    answer
}

// SAFETY of the blocks below: whoever calls has found that the instructions can be used, and that the matrices are large enough. The
// compiler uses no tiles, so that they keep what they hold from one block to the next.

#[inline(always)]
pub(super) unsafe fn configure() {
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const WHOLE, options(nostack, preserves_flags)) }
}

#[inline(always)]
pub(super) unsafe fn release() {
    unsafe { asm!("tilerelease", options(nostack, preserves_flags)) }
}

macro_rules! load {
    ($tile:literal, $from:expr, $bytes:expr) => {
        asm!(concat!("tileloadd tmm", $tile, ", [{from} + {bytes}]"), from = in(reg) $from, bytes = in(reg) $bytes,
             options(nostack, preserves_flags, readonly))
    };
}

macro_rules! store {
    ($tile:literal, $to:expr, $bytes:expr) => {
        asm!(concat!("tilestored [{to} + {bytes}], tmm", $tile), to = in(reg) $to, bytes = in(reg) $bytes,
             options(nostack, preserves_flags))
    };
}

macro_rules! zero {
    ($tile:literal) => {
        asm!(concat!("tilezero tmm", $tile), options(nostack, preserves_flags, nomem))
    };
}

macro_rules! dot {
    ($to:literal, $a:literal, $b:literal) => {
        asm!(concat!("tdpbf16ps tmm", $to, ", tmm", $a, ", tmm", $b), options(nostack, preserves_flags, nomem))
    };
}

pub(super) unsafe fn multiply(mut product: Product) {
    let mut row = 0;
    while row < product.rows {
        let two_rows = row + 1 < product.rows;
        let mut column = 0;
        while column < product.columns {
            let two_columns = column + 1 < product.columns;
            unsafe {
                match (two_rows, two_columns) {
                    (true, true) => some::<2, 2>(&mut product, row, column),
                    (true, false) => some::<2, 1>(&mut product, row, column),
                    (false, true) => some::<1, 2>(&mut product, row, column),
                    (false, false) => some::<1, 1>(&mut product, row, column),
                }
            }
            column += 1 + usize::from(two_columns);
        }
        row += 1 + usize::from(two_rows);
    }
}

/// Up to two tiles of rows by two of columns.
#[inline(always)]
unsafe fn some<const R: usize, const C: usize>(product: &mut Product, row: usize, column: usize) {
    let [a_bytes, b_bytes, bytes] = [product.a.stride, product.b.stride, product.stride].map(|stride| 4 * stride);
    unsafe {
        let to = product.to.as_mut_ptr().add(row * SIDE * product.stride + column * SIDE);
        // Only read or written where there are two tiles of rows.
        let below = to.wrapping_add(SIDE * product.stride);
        // The same row for all is one that is read again and again.
        let start = match product.onto {
            Onto::Nothing => None,
            Onto::There => Some((to.cast_const(), below.cast_const(), bytes)),
            Onto::Row(row) => Some((row.as_ptr().add(column * SIDE), row.as_ptr().add(column * SIDE), 0)),
        };
        if let Some((first, second, bytes)) = start {
            load!("0", first, bytes);
            if C == 2 {
                load!("1", first.add(SIDE), bytes);
            }
            if R == 2 {
                load!("2", second, bytes);
            }
            if R == 2 && C == 2 {
                load!("3", second.add(SIDE), bytes);
            }
        } else {
            zero!("0");
            zero!("1");
            zero!("2");
            zero!("3");
        }
        let mut a = product.a.words().as_ptr().add(row * SIDE * product.a.stride);
        let mut b = product.b.words().as_ptr().add(column * SIDE);
        for _ in 0..product.blocks {
            load!("4", a, a_bytes);
            load!("6", b, b_bytes);
            dot!("0", "4", "6");
            if C == 2 {
                load!("7", b.add(SIDE), b_bytes);
                dot!("1", "4", "7");
            }
            if R == 2 {
                load!("5", a.add(SIDE * product.a.stride), a_bytes);
                dot!("2", "5", "6");
            }
            if R == 2 && C == 2 {
                dot!("3", "5", "7");
            }
            a = a.wrapping_add(PAIRS);
            b = b.wrapping_add(PAIRS * product.b.stride);
        }
        store!("0", to, bytes);
        if C == 2 {
            store!("1", to.add(SIDE), bytes);
        }
        if R == 2 {
            store!("2", below, bytes);
        }
        if R == 2 && C == 2 {
            store!("3", below.add(SIDE), bytes);
        }
    }
}

/// So many of 16 lanes.
fn first(lanes: usize) -> __mmask16 {
    if lanes < SIDE { (1 << lanes) - 1 } else { __mmask16::MAX }
}

/// Numbers of a row, rounded, to blocks of pairs.
///
/// # Safety
/// There is room for whole blocks, and the processor has the instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn pair_columns(from: &[f32], to: *mut u32) {
    for (block, numbers) in from.chunks(TERMS).enumerate() {
        unsafe {
            let low = _mm512_maskz_loadu_ps(first(numbers.len()), numbers.as_ptr());
            let behind = numbers.len().saturating_sub(SIDE);
            let high = _mm512_maskz_loadu_ps(first(behind), numbers.as_ptr().wrapping_add(SIDE));
            let pairs: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_si512(to.add(block * PAIRS).cast(), pairs);
        }
    }
}

/// Numbers of two rows of which the second may be shorter, rounded, to pairs of both.
///
/// # Safety
/// There is room for whole lines, and the processor has the instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn pair_rows(upper: &[f32], lower: &[f32], to: *mut u32) {
    // Places of 16 bits: 0, 16, 1, 17, ...
    let places = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
        16, 0,
    );
    for column in (0..upper.len()).step_by(SIDE) {
        unsafe {
            let read = |row: &[f32]| {
                let left = row.len().saturating_sub(column);
                _mm512_maskz_loadu_ps(first(left), row.as_ptr().wrapping_add(column))
            };
            let both: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(read(lower), read(upper)));
            _mm512_storeu_si512(to.add(column).cast(), _mm512_permutexvar_epi16(places, both));
        }
    }
}

/// Sixteen rows of words with rows and columns exchanged: rows begin so many words apart.
///
/// # Safety
/// All are there, and the processor has the instructions.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn turn(from: *const u32, stride: usize, to: *mut u32, to_stride: usize) {
    unsafe {
        let rows: [__m512i; 16] = std::array::from_fn(|row| _mm512_loadu_si512(from.add(row * stride).cast()));
        // Pairs of rows, then fours, in each quarter of a row.
        let twos: [__m512i; 16] = std::array::from_fn(|at| {
            let (a, b) = (rows[at & !1], rows[at | 1]);
            if at & 1 == 0 { _mm512_unpacklo_epi32(a, b) } else { _mm512_unpackhi_epi32(a, b) }
        });
        let fours: [__m512i; 16] = std::array::from_fn(|at| {
            let low = at & !3 | at >> 1 & 1;
            let (a, b) = (twos[low], twos[low | 2]);
            if at & 1 == 0 { _mm512_unpacklo_epi64(a, b) } else { _mm512_unpackhi_epi64(a, b) }
        });
        // Quarters of four rows beside those of the next four, and of eight beside those of the next eight.
        for column in 0..4 {
            let [a, b, c, d] = [0, 4, 8, 12].map(|row| fours[row + column]);
            let (ab, ab_behind) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
            let (cd, cd_behind) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
            let turned = [
                _mm512_shuffle_i32x4::<0x88>(ab, cd),
                _mm512_shuffle_i32x4::<0x88>(ab_behind, cd_behind),
                _mm512_shuffle_i32x4::<0xdd>(ab, cd),
                _mm512_shuffle_i32x4::<0xdd>(ab_behind, cd_behind),
            ];
            for (quarter, turned) in turned.into_iter().enumerate() {
                _mm512_storeu_si512(to.add((4 * quarter + column) * to_stride).cast(), turned);
            }
        }
    }
}
