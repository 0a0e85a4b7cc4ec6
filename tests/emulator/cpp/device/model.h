// The CUDA language on the host: qualifiers, built-in variables, vector types.
#pragma once
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>

#include <math.h>  // the overloads for float (exp, fabs, ...) in the global namespace, as on the device
#include <stdlib.h>

#include <type_traits>
#include <utility>

#include "runtime/interface.h"

#define TRAWL_EMULATOR 1
#define __CUDACC__ 1
#define __CUDA_ARCH__ 800
#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __managed__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
// __shared__ has no definition: the build rewrites its declarations (src/source.rs).

// The emulation's own functions must not be checked as if they were the kernel's accesses. They are not inlined into
// kernels, which would lose the attribute.
#define EMULATOR_UNCHECKED __attribute__((noinline, no_sanitize_thread))
#define EMULATOR_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

constexpr int warpSize = 32;

#define EMULATOR_VECTORS(T, NAME, ALIGN2, ALIGN4)                      \
    struct NAME##1 { T x; };                                           \
    struct __align__(ALIGN2) NAME##2 { T x, y; };                      \
    struct NAME##3 { T x, y, z; };                                     \
    struct __align__(ALIGN4) NAME##4 { T x, y, z, w; };                \
    inline NAME##1 make_##NAME##1(T x) { return {x}; }                 \
    inline NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }         \
    inline NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; } \
    inline NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

EMULATOR_VECTORS(signed char, char, 2, 4)
EMULATOR_VECTORS(unsigned char, uchar, 2, 4)
EMULATOR_VECTORS(short, short, 4, 8)
EMULATOR_VECTORS(unsigned short, ushort, 4, 8)
EMULATOR_VECTORS(int, int, 8, 16)
// uint3 is declared above, with the built-in variables, so these are written out.
struct uint1 {
    unsigned x;
};
struct __align__(8) uint2 { unsigned x, y; };
struct __align__(16) uint4 { unsigned x, y, z, w; };
inline uint1 make_uint1(unsigned x) { return {x}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
EMULATOR_VECTORS(long long, longlong, 16, 16)
EMULATOR_VECTORS(unsigned long long, ulonglong, 16, 16)
EMULATOR_VECTORS(float, float, 8, 16)
EMULATOR_VECTORS(double, double, 16, 16)
