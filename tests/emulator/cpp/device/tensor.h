// Tensor cores: ldmatrix and mma.sync, with the lanes' parts of a matrix as the PTX ISA has them (kernels/common/tensor.cuh).
#pragma once
#include "device/model.h"

namespace emulator {

// The upper half of a float after rounding to nearest, ties to even; a NaN becomes the one of cvt.rn.bf16x2.
EMULATOR_UNCHECKED inline unsigned bfloat16_bits(float x) {
    unsigned bits;
    std::memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

// A row of eight numbers as one access, which the checker sees; at any address, so that it is the checker that complains.
typedef unsigned MatrixRow __attribute__((vector_size(16), aligned(1), may_alias));

struct NamedRow {
    MatrixRow row;
    unsigned parts[4];
};

// No function is called in here: it would be checked on its own.
template <bool IS_TURNED>
EMULATOR_UNCHECKED void spread_matrices(void* const payload[WARP_LANES], unsigned, void*) {
    for (unsigned lane = 0; lane < WARP_LANES; ++lane) {
        for (unsigned matrix = 0; matrix < 4; ++matrix) {
            unsigned word = 0;
            for (unsigned half = 0; half < 2; ++half) {
                unsigned row = lane / 4, column = lane % 4 * 2 + half;
                unsigned named = matrix * 8 + (IS_TURNED ? column : row), at = IS_TURNED ? row : column;
                unsigned pair = static_cast<NamedRow*>(payload[named])->row[at / 2];
                word |= (pair >> (at % 2 * 16) & 0xffffu) << (half * 16);
            }
            static_cast<NamedRow*>(payload[lane])->parts[matrix] = word;
        }
    }
}

template <bool IS_TURNED>
EMULATOR_UNCHECKED void spread_matrices_of(unsigned (&parts)[4], const MatrixRow& row, Place place) {
    NamedRow payload{row, {}};
    warp_collective(FULL_WARP, &payload, &spread_matrices<IS_TURNED>, nullptr, Ordering::None, place);
    std::memcpy(parts, payload.parts, sizeof parts);
}

// ldmatrix.sync.aligned.m8n8.x4[.trans].shared.b16
template <bool IS_TURNED>
__attribute__((always_inline)) inline void load_matrices(unsigned (&parts)[4], const void* row, EMULATOR_HERE) {
    MatrixRow named = *static_cast<const MatrixRow*>(row);
    spread_matrices_of<IS_TURNED>(parts, named, {file, line});
}

struct MatrixProduct {
    float* sums;
    const unsigned* a;
    unsigned b[2];
};

// Both numbers of a word, exactly.
#define EMULATOR_PAIR(TO, FIRST, SECOND, WORD)                            \
    {                                                                     \
        unsigned low = (WORD) << 16, high = (WORD) & 0xffff0000u;         \
        float first, second;                                              \
        std::memcpy(&first, &low, 4), std::memcpy(&second, &high, 4);     \
        TO FIRST = first, TO SECOND = second;                             \
    }

// The device's own order of additions and its rounding are not told: here a sum is made in double precision and rounded once.
EMULATOR_UNCHECKED inline void multiply_lanes(void* const payload[WARP_LANES], unsigned, void*) {
    double a[16][16], b[16][8];
    for (unsigned lane = 0; lane < WARP_LANES; ++lane) {
        auto* own = static_cast<MatrixProduct*>(payload[lane]);
        unsigned group = lane / 4, pair = lane % 4 * 2;
        for (unsigned part = 0; part < 4; ++part) {
            unsigned row = group + part % 2 * 8, column = pair + part / 2 * 8;
            EMULATOR_PAIR(a, [row][column], [row][column + 1], own->a[part])
        }
        for (unsigned part = 0; part < 2; ++part) {
            unsigned row = pair + part * 8;
            EMULATOR_PAIR(b, [row][group], [row + 1][group], own->b[part])
        }
    }
    for (unsigned lane = 0; lane < WARP_LANES; ++lane) {
        auto* own = static_cast<MatrixProduct*>(payload[lane]);
        for (unsigned part = 0; part < 4; ++part) {
            unsigned row = lane / 4 + part / 2 * 8, column = lane % 4 * 2 + part % 2;
            double sum = own->sums[part];
            for (unsigned term = 0; term < 16; ++term) sum += a[row][term] * b[term][column];
            own->sums[part] = static_cast<float>(sum);
        }
    }
}

// mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
EMULATOR_UNCHECKED inline void multiply_matrices(float (&sums)[4], const unsigned (&a)[4], unsigned b0, unsigned b1,
                                                 EMULATOR_HERE) {
    MatrixProduct payload{sums, a, {b0, b1}};
    warp_collective(FULL_WARP, &payload, &multiply_lanes, nullptr, Ordering::None, {file, line});
}

}  // namespace emulator
