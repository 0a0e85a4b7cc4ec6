// Philox4x32-10: the generator of src/math/philox.rs, which explains keys and counters.
#pragma once
#include "common/numbers.cuh"

namespace philox {

/// Four random words.
struct Words {
    u32 a;
    u32 b;
    u32 c;
    u32 d;
};

/// The four words of draw number `draw` of unit number `unit` under a key, low word first.
__device__ __forceinline__ Words words(u32 key0, u32 key1, u64 unit, u64 draw) {
    u32 c0 = (u32)unit;
    u32 c1 = (u32)(unit >> 32);
    u32 c2 = (u32)draw;
    u32 c3 = (u32)(draw >> 32);
    u32 k0 = key0;
    u32 k1 = key1;
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const u64 p0 = (u64)c0 * 0xd2511f53u;
        const u64 p1 = (u64)c2 * 0xcd9e8d57u;
        const u32 next0 = (u32)(p1 >> 32) ^ c1 ^ k0;
        const u32 next2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c0 = next0;
        c1 = (u32)p1;
        c2 = next2;
        c3 = (u32)p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return Words{c0, c1, c2, c3};
}

/// A number in (0, 1) from the upper 52 of 64 random bits: (n + 1/2) / 2^52, exact, never 0 or 1.
__device__ __forceinline__ double uniform_f64(u32 high, u32 low) {
    const u64 n = ((u64)high << 20) | (u64)(low >> 12);
    return ((double)n + 0.5) * 2.220446049250313e-16;
}

/// The 64-bit number with these words.
__device__ __forceinline__ u64 join(u32 high, u32 low) {
    return ((u64)high << 32) | (u64)low;
}

}  // namespace philox
