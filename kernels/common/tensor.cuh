// What the tensor cores of a warp do: products of bfloat16 numbers, which are exact, summed in single precision.
//
// A bfloat16 number is the upper half of a float; two stand in a word, the first in its lower half. Which lane has which parts of a
// matrix is fixed by PTX (ISA 9.7.14, "Matrix fragments for mma.m16n8k16" and "ldmatrix"). With g = lane / 4 and t = 2 (lane % 4), a
// lane has of
//
//     a (16 x 16)   a0: row g, columns t and t + 1;  a1: row g + 8;  a2: row g, columns t + 8 and t + 9;  a3: both
//     b (16 x 8)    b0: rows t and t + 1 of column g;  b1: rows t + 8 and t + 9
//     sums (16 x 8) 0 and 1: row g, columns t and t + 1;  2 and 3: row g + 8
//
// The order in which a tensor core adds 16 products to a sum, and how it rounds on the way, is its own: sums are near those of the CPU,
// not equal to them. Under emulation (tests/emulator/cpp/device/tensor.h) they are rounded once.
#pragma once
#include "common/warp.cuh"

namespace tensor {

/// A bfloat16 number.
using Half = unsigned short;

/// The side of the matrices that products are made of, and of what rows are padded to.
constexpr u32 SIDE = 16u;

/// Rows are this many numbers longer than what they hold, so that eight of them, one below the other, lie in different banks.
constexpr u32 GAP = 8u;

/// The next multiple of the side.
__device__ __forceinline__ u32 padded(u32 number) {
    return (number + SIDE - 1u) & ~(SIDE - 1u);
}

/// From one row to the next, for so many columns.
__device__ __forceinline__ u32 pitch_of(u32 columns) {
    return padded(columns) + GAP;
}

/// Two floats rounded to nearest, ties to even, as one word; a NaN stays one.
__device__ __forceinline__ u32 rounded(float first, float second) {
#ifdef TRAWL_EMULATOR
    return emulator::bfloat16_bits(first) | emulator::bfloat16_bits(second) << 16;
#else
    u32 word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
    return word;
#endif
}

/// The first number of a word.
__device__ __forceinline__ float first_of(u32 word) {
    return __uint_as_float(word << 16);
}

/// The second number of a word.
__device__ __forceinline__ float second_of(u32 word) {
    return __uint_as_float(word & 0xffff0000u);
}

/// Whether the numbers of a matrix change places with those across its diagonal while it is loaded.
enum class Turn { No, Yes };

/// Four matrices of 8 x 8 from shared memory: lane i names row i % 8 of matrix i / 8, which begins at a multiple of 16 bytes, and gets
/// two numbers of row i / 4 of each. All lanes of a warp have to call it.
template <Turn TURN>
__device__ __forceinline__ void load_four(u32 (&parts)[4], const Half* row) {
#ifdef TRAWL_EMULATOR
    emulator::load_matrices<TURN == Turn::Yes>(parts, row);
#else
    const u32 place = (u32)__cvta_generic_to_shared(row);
    if constexpr (TURN == Turn::Yes) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(parts[0]), "=r"(parts[1]), "=r"(parts[2]), "=r"(parts[3])
                     : "r"(place));
    } else {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(parts[0]), "=r"(parts[1]), "=r"(parts[2]), "=r"(parts[3])
                     : "r"(place));
    }
#endif
}

/// `sums += a b` for a of 16 x 16 and b of 16 x 8. All lanes of a warp have to call it.
__device__ __forceinline__ void multiply_add(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef TRAWL_EMULATOR
    emulator::multiply_matrices(sums, a, b0, b1);
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

/// How a factor of a product lies in memory: row after row, or its transposed does.
enum class Stored { AsItIs, Transposed };

/// A matrix in shared memory.
struct Matrix {
    const Half* numbers;
    /// Numbers from one row to the next, an odd multiple of 8.
    u32 pitch;
};

/// Where the row begins that a lane names of a block of 16 x 16 whose corner is at a row and a column of what is stored. The blocks'
/// four matrices go down first, or, crossed, to the right first.
__device__ __forceinline__ const Half* row_of(Matrix matrix, u32 row, u32 column, bool is_crossed) {
    const u32 lane = threadIdx.x % warp::LANES;
    const u32 far = lane / 16u * 8u;
    const u32 near = lane / 8u % 2u * 8u;
    return matrix.numbers + (row + lane % 8u + (is_crossed ? far : near)) * matrix.pitch + column + (is_crossed ? near : far);
}

/// The block of a left factor at a row and a term.
template <Stored STORED>
__device__ __forceinline__ void load_left(u32 (&parts)[4], Matrix matrix, u32 row, u32 term) {
    if constexpr (STORED == Stored::AsItIs) {
        load_four<Turn::No>(parts, row_of(matrix, row, term, false));
    } else {
        load_four<Turn::Yes>(parts, row_of(matrix, term, row, true));
    }
}

/// The block of a right factor at a term and a column: two parts for its first eight columns, and two for the others.
template <Stored STORED>
__device__ __forceinline__ void load_right(u32 (&parts)[4], Matrix matrix, u32 term, u32 column) {
    if constexpr (STORED == Stored::AsItIs) {
        load_four<Turn::Yes>(parts, row_of(matrix, term, column, false));
    } else {
        load_four<Turn::No>(parts, row_of(matrix, column, term, true));
    }
}

/// The sizes of a product, whole multiples of 16: `rows` x `columns`, each a sum of so many terms.
struct Sizes {
    u32 rows;
    u32 columns;
    u32 terms;
};

/// Whether what takes sums may evaluate functions, of which the code is long.
enum class Functions { None, All };

/// A product of two matrices by the warps of a block, each of which makes blocks of 32 x 32. A last warp that is not whole makes none; a
/// block of threads needs one that is.
///
/// `end.start(row, column)` is where a sum begins; `end.take<Functions>(row, column, sums)` gets what a lane has of 16 x 8 of them, as above.
/// Where `end.has_functions()`, sums are taken in a loop that holds the code once, and else in one that is unrolled.
template <Stored LEFT, Stored RIGHT, typename End>
__device__ __forceinline__ void multiply(Matrix left, Matrix right, Sizes sizes, const End& end) {
    const u32 warps = blockDim.x / warp::LANES;
    const u32 warp = threadIdx.x / warp::LANES;
    if (warp >= warps) return;
    const u32 down = (sizes.rows + 31u) / 32u;
    const u32 across = (sizes.columns + 31u) / 32u;
    const u32 own_row = threadIdx.x % warp::LANES / 4u;
    const u32 own_column = threadIdx.x % 4u * 2u;
    for (u32 task = warp; task < down * across; task += warps) {
        const u32 row = task % down * 32u;
        const u32 column = task / down * 32u;
        // What would be beyond the edge is the first half once more, and taken by nobody: no branch between the loads.
        const u32 lower = row + SIDE < sizes.rows ? row + SIDE : row;
        const u32 later = column + SIDE < sizes.columns ? column + SIDE : column;
        // Of block i: its half of the rows is i / 4, its eight columns are i % 4.
        float sums[8][4];
#pragma unroll
        for (u32 i = 0u; i < 8u; ++i) {
            const u32 r = (i / 4u ? lower : row) + own_row;
            const u32 c = (i / 2u % 2u ? later : column) + i % 2u * 8u + own_column;
            sums[i][0] = end.start(r, c);
            sums[i][1] = end.start(r, c + 1u);
            sums[i][2] = end.start(r + 8u, c);
            sums[i][3] = end.start(r + 8u, c + 1u);
        }
        for (u32 term = 0u; term < sizes.terms; term += SIDE) {
            u32 a[2][4];
            u32 b[2][4];
            load_left<LEFT>(a[0], left, row, term);
            load_left<LEFT>(a[1], left, lower, term);
            load_right<RIGHT>(b[0], right, term, column);
            load_right<RIGHT>(b[1], right, term, later);
#pragma unroll
            for (u32 i = 0u; i < 8u; ++i) {
                multiply_add(sums[i], a[i / 4u], b[i / 2u % 2u][i % 2u * 2u], b[i / 2u % 2u][i % 2u * 2u + 1u]);
            }
        }
        const auto is_there = [&](u32 i) { return (i < 4u || lower > row) && (i % 4u < 2u || later > column); };
        const auto r = [&](u32 i) { return row + i / 4u * SIDE + own_row; };
        const auto c = [&](u32 i) { return column + i % 4u * 8u + own_column; };
        if (!end.has_functions()) {
#pragma unroll
            for (u32 i = 0u; i < 8u; ++i) {
                if (is_there(i)) end.template take<Functions::None>(r(i), c(i), sums[i]);
            }
            continue;
        }
#pragma unroll 1
        for (u32 i = 0u; i < 8u; ++i) {
            if (is_there(i)) end.template take<Functions::All>(r(i), c(i), sums[0]);
            // Sums move up, since registers have no numbers that a program could count.
#pragma unroll
            for (u32 next = 1u; next < 8u; ++next) {
#pragma unroll
                for (u32 part = 0u; part < 4u; ++part) sums[next - 1u][part] = sums[next][part];
            }
        }
    }
}

}  // namespace tensor
