// Intrinsics with one exact answer: integer arithmetic, bit patterns, correctly rounded operations, cached loads.
#pragma once
#include "device/model.h"

namespace emulator {

template <class To, class From>
inline To same_bits(From value) {
    static_assert(sizeof(To) == sizeof(From), "a bit pattern keeps its size");
    To result;
    std::memcpy(&result, &value, sizeof(To));
    return result;
}

}  // namespace emulator

// Bits
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(static_cast<unsigned long long>(x)) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
    unsigned result = 0;
    for (int i = 0; i < 32; ++i) result |= (x >> i & 1) << (31 - i);
    return result;
}
inline unsigned long long __brevll(unsigned long long x) {
    return static_cast<unsigned long long>(__brev(static_cast<unsigned>(x))) << 32 |
           __brev(static_cast<unsigned>(x >> 32));
}
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    uint64_t both = static_cast<uint64_t>(b) << 32 | a;
    unsigned result = 0;
    for (int i = 0; i < 4; ++i)
        result |= static_cast<unsigned>(both >> (8 * (selector >> (4 * i) & 7)) & 255) << (8 * i);
    return result;
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
    uint64_t both = static_cast<uint64_t>(high) << 32 | low;
    return static_cast<unsigned>(both << (shift & 31) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    uint64_t both = static_cast<uint64_t>(high) << 32 | low;
    return static_cast<unsigned>(both >> (shift & 31));
}

// High halves of products
inline int __mulhi(int a, int b) { return static_cast<int>(static_cast<int64_t>(a) * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32); }
inline long long __mul64hi(long long a, long long b) {
    return static_cast<long long>(static_cast<__int128>(a) * b >> 64);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}

// Bit patterns
inline int __float_as_int(float x) { return emulator::same_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return emulator::same_bits<unsigned>(x); }
inline float __int_as_float(int x) { return emulator::same_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return emulator::same_bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulator::same_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulator::same_bits<double>(x); }
inline int __double2hiint(double x) { return static_cast<int>(__double_as_longlong(x) >> 32); }
inline int __double2loint(double x) { return static_cast<int>(__double_as_longlong(x)); }
inline double __hiloint2double(int high, int low) {
    return __longlong_as_double(
        static_cast<long long>(static_cast<uint64_t>(static_cast<unsigned>(high)) << 32 | static_cast<unsigned>(low)));
}

// Correctly rounded arithmetic. The device never contracts these into a fused multiply-add, so neither may a host
// compiler that is told to contract (variant Perturbed).
#define EMULATOR_ROUNDED __attribute__((optimize("fp-contract=off"), noinline, no_sanitize_thread))
EMULATOR_ROUNDED inline float __fadd_rn(float a, float b) { return a + b; }
EMULATOR_ROUNDED inline float __fsub_rn(float a, float b) { return a - b; }
EMULATOR_ROUNDED inline float __fmul_rn(float a, float b) { return a * b; }
EMULATOR_ROUNDED inline float __fdiv_rn(float a, float b) { return a / b; }
EMULATOR_ROUNDED inline float __frcp_rn(float a) { return 1.0f / a; }
EMULATOR_ROUNDED inline float __fsqrt_rn(float a) { return sqrtf(a); }
EMULATOR_ROUNDED inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
EMULATOR_ROUNDED inline double __dadd_rn(double a, double b) { return a + b; }
EMULATOR_ROUNDED inline double __dsub_rn(double a, double b) { return a - b; }
EMULATOR_ROUNDED inline double __dmul_rn(double a, double b) { return a * b; }
EMULATOR_ROUNDED inline double __ddiv_rn(double a, double b) { return a / b; }
EMULATOR_ROUNDED inline double __drcp_rn(double a) { return 1.0 / a; }
EMULATOR_ROUNDED inline double __dsqrt_rn(double a) { return sqrt(a); }
EMULATOR_ROUNDED inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }

// Conversions, rounded as their names say (the host rounds to nearest even)
inline int __float2int_rn(float x) { return static_cast<int>(nearbyintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }
inline int __float2int_rd(float x) { return static_cast<int>(floorf(x)); }
inline unsigned __float2uint_rz(float x) { return static_cast<unsigned>(x); }
inline int __double2int_rn(double x) { return static_cast<int>(nearbyint(x)); }
inline int __double2int_rz(double x) { return static_cast<int>(x); }
inline int __double2int_rd(double x) { return static_cast<int>(floor(x)); }
inline long long __double2ll_rn(double x) { return static_cast<long long>(nearbyint(x)); }
inline long long __double2ll_rz(double x) { return static_cast<long long>(x); }
inline unsigned long long __double2ull_rz(double x) { return static_cast<unsigned long long>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }
inline double __int2double_rn(int x) { return x; }
inline double __uint2double_rn(unsigned x) { return x; }
inline double __ll2double_rn(long long x) { return static_cast<double>(x); }
inline double __ull2double_rn(unsigned long long x) { return static_cast<double>(x); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }

// Loads and stores with a cache hint; always inlined, so that a report names the kernel's line.
#define EMULATOR_LOAD(NAME)                                       \
    template <class T>                                            \
    __attribute__((always_inline)) inline T NAME(const T* from) { \
        return *from;                                             \
    }
#define EMULATOR_STORE(NAME)                                           \
    template <class T>                                                 \
    __attribute__((always_inline)) inline void NAME(T* to, T value) { \
        *to = value;                                                   \
    }
EMULATOR_LOAD(__ldg)
EMULATOR_LOAD(__ldca)
EMULATOR_LOAD(__ldcg)
EMULATOR_LOAD(__ldcs)
EMULATOR_LOAD(__ldlu)
EMULATOR_STORE(__stcg)
EMULATOR_STORE(__stcs)
EMULATOR_STORE(__stwb)

// min and max as device functions: by value, mixed integer types allowed, NaN loses.
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
template <class A, class B>
using EmulatorIntegers = std::enable_if_t<std::is_integral_v<A> && std::is_integral_v<B>, std::common_type_t<A, B>>;
template <class A, class B>
inline EmulatorIntegers<A, B> min(A a, B b) {
    using C = std::common_type_t<A, B>;
    return static_cast<C>(a) < static_cast<C>(b) ? static_cast<C>(a) : static_cast<C>(b);
}
template <class A, class B>
inline EmulatorIntegers<A, B> max(A a, B b) {
    using C = std::common_type_t<A, B>;
    return static_cast<C>(a) > static_cast<C>(b) ? static_cast<C>(a) : static_cast<C>(b);
}
