// cuda_host.h: compile unmodified .cu kernels as host C++17 and run them under an emulated CUDA
// execution model (one fiber per CUDA thread). Define CUDA_HOST_IMPLEMENTATION in exactly one
// translation unit, and compile that unit WITHOUT -fsanitize=thread.
#pragma once
#include <cstdint>
#include <cstddef>
#include <cstring>
#include <cstdio>
#include <cmath>
#include <string>
#include <vector>
#include <functional>
#include <algorithm>
#include <type_traits>
#include <utility>

#define CUDA_HOST 1
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
// All statics of a kernel live in one section, so that the runtime can poison them at block start.
#define __shared__ __attribute__((section("cuda_shared"))) static

struct dim3 { unsigned x, y, z; constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {} };
struct uint3 { unsigned x, y, z; };
#define CH_V2(T, N, A) struct __align__(A) N##2 { T x, y; }; inline N##2 make_##N##2(T x, T y) { return {x, y}; }
#define CH_V3(T, N) struct N##3 { T x, y, z; }; inline N##3 make_##N##3(T x, T y, T z) { return {x, y, z}; }
#define CH_V4(T, N, A) struct __align__(A) N##4 { T x, y, z, w; }; inline N##4 make_##N##4(T x, T y, T z, T w) { return {x, y, z, w}; }
CH_V2(float, float, 8) CH_V3(float, float) CH_V4(float, float, 16)
CH_V2(double, double, 16) CH_V4(double, double, 16)
CH_V2(int, int, 8) CH_V3(int, int) CH_V4(int, int, 16)
CH_V2(unsigned, uint, 8) CH_V4(unsigned, uint, 16)
CH_V2(long long, longlong, 16) CH_V2(unsigned long long, ulonglong, 16)
CH_V2(unsigned short, ushort, 4) CH_V4(unsigned short, ushort, 8) CH_V2(short, short, 4) CH_V4(short, short, 8)
CH_V2(unsigned char, uchar, 2) CH_V4(unsigned char, uchar, 4) CH_V2(signed char, char, 2) CH_V4(signed char, char, 4)

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

// ------------------------------------------------------------------ runtime interface
namespace cudahost {
enum class Sched { Forward, Reverse, Random };
struct Config {
    uint64_t seed = 1;
    Sched sched = Sched::Random;
    bool late_async = true;      // run cp.async copies as late as the program allows
    bool check = true;           // race / uninitialised / out-of-bounds checks (needs -fsanitize=thread on the kernels)
    bool profile = false;        // coalescing and bank-conflict counters (same hooks)
    bool friendly_activemask = true;
};
struct Site { const char* kind; uintptr_t pc; unsigned long long requests = 0, units = 0, ideal = 0; };
struct Report {
    unsigned long long races = 0, uninit = 0, oob = 0, barrier = 0, deadlock = 0;
    unsigned long long switches = 0, threads = 0, accesses = 0;
    std::vector<std::string> msgs;
    std::vector<Site> sites;
    unsigned long long errors() const { return races + uninit + oob + barrier + deadlock; }
};
Report launch_impl(dim3 grid, dim3 block, size_t smem, const std::function<void()>& body, const Config& cfg);
template <class... P, class... A>
Report launch(const Config& cfg, dim3 g, dim3 b, size_t smem, void (*k)(P...), A... a) {
    return launch_impl(g, b, smem, [=] { k(static_cast<P>(a)...); }, cfg);
}
void* dyn_smem();
void* dev_alloc(size_t n);      // poisoned, guard zones on both sides, tracked by the checker
void dev_free(void*);
bool dev_range(const void* p, size_t n);
int sync_block(const char* file, int line, int v, int op);   // 0 count, 1 and, 2 or
using WarpFn = void (*)(void* const lane[32], unsigned mask, void* ctx);
void warp_collective(unsigned mask, void* payload, WarpFn fn, void* ctx, const void* pc, bool fence);
unsigned lane_id();
unsigned live_mask();
void atomic_touch(void* p, size_t n);
void async_copy(void* d, const void* s, size_t n, size_t zfill);
void async_commit();
void async_wait(unsigned prior);
void touch(const void* p, size_t n, bool write, const void* pc);
uint64_t config_seed();
inline unsigned linear_tid() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
}
#define CH_NI __attribute__((noinline))
#define CH_PC __builtin_return_address(0)
// ------------------------------------------------------------------ synchronisation
// File and line identify the barrier: the compiler may duplicate the call, so its address does not.
#define CH_LOC const char *file = __builtin_FILE(), int line = __builtin_LINE()
inline void __syncthreads(CH_LOC) { cudahost::sync_block(file, line, 0, 0); }
inline int __syncthreads_count(int v, CH_LOC) { return cudahost::sync_block(file, line, v != 0, 0); }
inline int __syncthreads_and(int v, CH_LOC) { return cudahost::sync_block(file, line, v != 0, 1); }
inline int __syncthreads_or(int v, CH_LOC) { return cudahost::sync_block(file, line, v != 0, 2); }
inline void __threadfence() {} inline void __threadfence_block() {} inline void __threadfence_system() {}
CH_NI inline void __syncwarp(unsigned m = 0xffffffffu) { cudahost::warp_collective(m, nullptr, nullptr, nullptr, CH_PC, true); }
inline unsigned __activemask() { return cudahost::live_mask(); }
namespace cudahost {
template <class T> struct ShflArg { T v, out; int src; };
template <class T> void shfl_fn(void* const l[32], unsigned m, void*) {
    for (int i = 0; i < 32; ++i) if (m >> i & 1) {
        auto* a = (ShflArg<T>*)l[i];
        // reading a lane outside the mask is undefined on the device: hand out a poison value
        if (m >> a->src & 1) a->out = ((ShflArg<T>*)l[a->src])->v; else std::memset(&a->out, 0xa5, sizeof(T));
    }
}
template <class T> CH_NI T shfl(unsigned m, T v, int src, const void* pc) {
    ShflArg<T> a{v, v, src};
    warp_collective(m, &a, &shfl_fn<T>, nullptr, pc, false);   // a shuffle is no memory fence
    return a.out;
}
template <class A, class R> R reduce_lanes(unsigned m, A v, const void* pc, R (*op)(R, A), R init) {
    struct P { A v; R out; } p{v, init};
    struct C { R (*op)(R, A); R init; } c{op, init};
    warp_collective(m, &p, [](void* const l[32], unsigned m, void* cx) {
        auto* c = (C*)cx; R r = c->init;
        for (int i = 0; i < 32; ++i) if (m >> i & 1) r = c->op(r, ((P*)l[i])->v);
        for (int i = 0; i < 32; ++i) if (m >> i & 1) ((P*)l[i])->out = r;
    }, &c, pc, false);
    return p.out;
}
}
template <class T> CH_NI T __shfl_sync(unsigned m, T v, int s, int w = 32) { int l = cudahost::lane_id(); return cudahost::shfl(m, v, (l & ~(w - 1)) | (s & (w - 1)), CH_PC); }
template <class T> CH_NI T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32) { int l = cudahost::lane_id(), s = l + (int)d; if ((l & (w - 1)) + (int)d >= w) s = l; return cudahost::shfl(m, v, s, CH_PC); }
template <class T> CH_NI T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32) { int l = cudahost::lane_id(), s = l - (int)d; if ((l & (w - 1)) < (int)d) s = l; return cudahost::shfl(m, v, s, CH_PC); }
template <class T> CH_NI T __shfl_xor_sync(unsigned m, T v, int x, int w = 32) { int l = cudahost::lane_id(), s = l ^ x; if ((s & ~(w - 1)) > (l & ~(w - 1))) s = l; return cudahost::shfl(m, v, s, CH_PC); }
CH_NI inline unsigned __ballot_sync(unsigned m, int p) {
    struct B { int p; unsigned o; } b{p, 0};
    cudahost::warp_collective(m, &b, [](void* const l[32], unsigned m, void*) {
        unsigned r = 0; for (int i = 0; i < 32; ++i) if ((m >> i & 1) && ((B*)l[i])->p) r |= 1u << i;
        for (int i = 0; i < 32; ++i) if (m >> i & 1) ((B*)l[i])->o = r; }, nullptr, CH_PC, false);
    return b.o;
}
inline int __any_sync(unsigned m, int p) { return __ballot_sync(m, p) != 0; }
inline int __all_sync(unsigned m, int p) { return __ballot_sync(m, p) == m; }
template <class T> CH_NI unsigned __match_any_sync(unsigned m, T v) {
    struct B { T v; unsigned o; } b{v, 0};
    cudahost::warp_collective(m, &b, [](void* const l[32], unsigned m, void*) {
        for (int i = 0; i < 32; ++i) if (m >> i & 1) { unsigned r = 0; for (int j = 0; j < 32; ++j) if ((m >> j & 1) && !std::memcmp(&((B*)l[i])->v, &((B*)l[j])->v, sizeof(T))) r |= 1u << j; ((B*)l[i])->o = r; } }, nullptr, CH_PC, false);
    return b.o;
}
#define CH_RED(name, expr) \
    CH_NI inline unsigned name(unsigned m, unsigned v) { return cudahost::reduce_lanes<unsigned, unsigned>(m, v, CH_PC, [](unsigned a, unsigned b) -> unsigned { return expr; }, name##_init); }
constexpr unsigned __reduce_add_sync_init = 0, __reduce_and_sync_init = ~0u, __reduce_or_sync_init = 0, __reduce_xor_sync_init = 0, __reduce_min_sync_init = ~0u, __reduce_max_sync_init = 0;
CH_RED(__reduce_add_sync, a + b) CH_RED(__reduce_and_sync, a & b) CH_RED(__reduce_or_sync, a | b) CH_RED(__reduce_xor_sync, a ^ b)
CH_RED(__reduce_min_sync, a < b ? a : b) CH_RED(__reduce_max_sync, a > b ? a : b)
// ------------------------------------------------------------------ atomics (one fiber runs at a time)
#define CH_NOTSAN __attribute__((noinline, no_sanitize_thread))
namespace cudahost { template <class T, class F> CH_NOTSAN T rmw(T* p, F f) { atomic_touch(p, sizeof(T)); T o = *p; *p = f(o); return o; } }
#define CH_ATOM(T) \
    inline T atomicAdd(T* p, T v) { return cudahost::rmw(p, [=](T o) { return (T)(o + v); }); } \
    inline T atomicExch(T* p, T v) { return cudahost::rmw(p, [=](T) { return v; }); }
#define CH_ATOMI(T) CH_ATOM(T) \
    inline T atomicSub(T* p, T v) { return cudahost::rmw(p, [=](T o) { return (T)(o - v); }); } \
    inline T atomicMin(T* p, T v) { return cudahost::rmw(p, [=](T o) { return o < v ? o : v; }); } \
    inline T atomicMax(T* p, T v) { return cudahost::rmw(p, [=](T o) { return o > v ? o : v; }); } \
    inline T atomicAnd(T* p, T v) { return cudahost::rmw(p, [=](T o) { return (T)(o & v); }); } \
    inline T atomicOr(T* p, T v) { return cudahost::rmw(p, [=](T o) { return (T)(o | v); }); } \
    inline T atomicXor(T* p, T v) { return cudahost::rmw(p, [=](T o) { return (T)(o ^ v); }); } \
    inline T atomicCAS(T* p, T c, T v) { return cudahost::rmw(p, [=](T o) { return o == c ? v : o; }); }
CH_ATOM(float) CH_ATOM(double) CH_ATOMI(int) CH_ATOMI(unsigned) CH_ATOMI(unsigned long long) CH_ATOMI(long long)
inline unsigned atomicInc(unsigned* p, unsigned v) { return cudahost::rmw(p, [=](unsigned o) { return o >= v ? 0u : o + 1; }); }
inline unsigned atomicDec(unsigned* p, unsigned v) { return cudahost::rmw(p, [=](unsigned o) { return o == 0 || o > v ? v : o - 1; }); }
// ------------------------------------------------------------------ intrinsics
template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline T __ldcg(const T* p) { return *p; }
template <class T> inline void __stcs(T* p, T v) { *p = v; }
template <class T> inline void __stcg(T* p, T v) { *p = v; }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __powf(float a, float b) { return powf(a, b); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __saturatef(float a) { return a < 0 ? 0 : a > 1 ? 1 : a; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(unsigned x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(unsigned long long x) { return x ? __builtin_clzll(x) : 64; }
inline int __ffs(unsigned x) { return __builtin_ffs((int)x); }
inline unsigned __brev(unsigned x) { unsigned r = 0; for (int i = 0; i < 32; ++i) r |= (x >> i & 1) << (31 - i); return r; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned long long)(((unsigned __int128)a * b) >> 64); }
inline long long __double_as_longlong(double d) { long long u; std::memcpy(&u, &d, 8); return u; }
inline double __longlong_as_double(long long u) { double d; std::memcpy(&d, &u, 8); return d; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline int __ffsll(unsigned long long x) { return __builtin_ffsll((long long)x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned s) { uint64_t v = ((uint64_t)b << 32) | a; unsigned r = 0; for (int i = 0; i < 4; ++i) r |= (unsigned)((v >> (8 * (s >> (4 * i) & 7))) & 255) << (8 * i); return r; }
inline unsigned __float_as_uint(float f) { unsigned u; std::memcpy(&u, &f, 4); return u; }
inline int __float_as_int(float f) { int u; std::memcpy(&u, &f, 4); return u; }
inline float __uint_as_float(unsigned u) { float f; std::memcpy(&f, &u, 4); return f; }
inline float __int_as_float(int u) { float f; std::memcpy(&f, &u, 4); return f; }
inline unsigned __cvta_generic_to_shared(const void* p) { return (unsigned)(uintptr_t)p; }
using std::min; using std::max;
template <class A, class B, class = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B> && !std::is_same_v<A, B>>> constexpr std::common_type_t<A, B> min(A a, B b) { using C = std::common_type_t<A, B>; return (C)a < (C)b ? (C)a : (C)b; }
template <class A, class B, class = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B> && !std::is_same_v<A, B>>> constexpr std::common_type_t<A, B> max(A a, B b) { using C = std::common_type_t<A, B>; return (C)a > (C)b ? (C)a : (C)b; }
// ------------------------------------------------------------------ 16-bit floats
struct __nv_bfloat16 {
    uint16_t bits;
    __nv_bfloat16() = default;
    __nv_bfloat16(float f) { unsigned u = __float_as_uint(f); bits = (u & 0x7fffffffu) > 0x7f800000u ? 0x7fff : (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16); }
    operator float() const { return __uint_as_float((unsigned)bits << 16); }
};
struct __half {
    uint16_t bits;
    __half() = default;
    __half(float f) { // round to nearest even
        unsigned u = __float_as_uint(f), s = u >> 16 & 0x8000, e = u >> 23 & 255, m = u & 0x7fffff;
        if (e == 255) { bits = s | 0x7c00 | (m ? 0x3ff : 0); return; }
        float a = fabsf(f);
        if (a >= 65520.f) { bits = s | 0x7c00; return; }
        if (a < 6.103515625e-05f) { bits = (uint16_t)(s | (unsigned)nearbyintf(a * 16777216.f)); return; }
        unsigned v = ((e - 112) << 10) | (m >> 13), r = m & 0x1fff; if (r > 0x1000 || (r == 0x1000 && (v & 1))) ++v; bits = (uint16_t)(s | v);
    }
    operator float() const { unsigned s = (bits & 0x8000u) << 16, e = bits >> 10 & 31, m = bits & 0x3ff;
        if (e == 31) return __uint_as_float(s | 0x7f800000u | m << 13);
        if (e == 0) { float f = m * 5.9604644775390625e-08f; return s ? -f : f; }
        return __uint_as_float(s | (e + 112) << 23 | m << 13); }
};
typedef __nv_bfloat16 nv_bfloat16; typedef __half half;
struct __align__(4) __nv_bfloat162 { __nv_bfloat16 x, y; }; typedef __nv_bfloat162 nv_bfloat162;
struct __align__(4) __half2 { __half x, y; }; typedef __half2 half2;
inline float __bfloat162float(__nv_bfloat16 a) { return a; } inline __nv_bfloat16 __float2bfloat16(float a) { return a; } inline __nv_bfloat16 __float2bfloat16_rn(float a) { return a; }
inline float __half2float(__half a) { return a; } inline __half __float2half(float a) { return a; } inline __half __float2half_rn(float a) { return a; }
inline __half2 __floats2half2_rn(float a, float b) { return {a, b}; } inline float2 __half22float2(__half2 a) { return {a.x, a.y}; }
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) { return {a, b}; } inline float2 __bfloat1622float2(__nv_bfloat162 a) { return {a.x, a.y}; }
inline __half2 __hadd2(__half2 a, __half2 b) { return {(float)a.x + (float)b.x, (float)a.y + (float)b.y}; }
inline __half2 __hmul2(__half2 a, __half2 b) { return {(float)a.x * (float)b.x, (float)a.y * (float)b.y}; }
inline __half2 __hfma2(__half2 a, __half2 b, __half2 c) { return {fmaf(a.x, b.x, c.x), fmaf(a.y, b.y, c.y)}; }
// ------------------------------------------------------------------ cp.async primitives
inline void __pipeline_memcpy_async(void* d, const void* s, size_t n, size_t zfill = 0) { cudahost::async_copy(d, s, n, zfill); }
inline void __pipeline_commit() { cudahost::async_commit(); }
inline void __pipeline_wait_prior(unsigned n) { cudahost::async_wait(n); }
// ------------------------------------------------------------------ wmma
namespace nvcuda { namespace wmma {
struct matrix_a; struct matrix_b; struct accumulator; struct row_major; struct col_major;
namespace precision { struct tf32; }
enum layout_t { mem_row_major, mem_col_major };
template <class T> struct ch_store { using type = T; }; template <> struct ch_store<precision::tf32> { using type = float; };
template <class U, int M, int N, int K> struct ch_dim;
template <int M, int N, int K> struct ch_dim<matrix_a, M, N, K> { static constexpr int R = M, C = K; };
template <int M, int N, int K> struct ch_dim<matrix_b, M, N, K> { static constexpr int R = K, C = N; };
template <int M, int N, int K> struct ch_dim<accumulator, M, N, K> { static constexpr int R = M, C = N; };
template <class U, int M, int N, int K, class T, class L = void> struct fragment {
    static constexpr int R = ch_dim<U, M, N, K>::R, C = ch_dim<U, M, N, K>::C, num_elements = R * C / 32;
    using element_type = typename ch_store<T>::type; using storage_element_type = element_type;
    element_type x[num_elements];
    // Opaque layout: a seed-dependent bijection, so that code which assumes a layout fails.
    static int pos(int lane, int i) { unsigned e = i * 32 + lane, n = R * C; return (int)((e * 5u + (unsigned)(cudahost::config_seed() * 7u)) % n); }
};
inline float __float_to_tf32(float f) { unsigned u = __float_as_uint(f); if ((u & 0x7f800000u) == 0x7f800000u) return f; return __uint_as_float((u + 0x1000u) & 0xffffe000u); }
template <class F, class V> inline void fill_fragment(F& f, V v) { for (auto& e : f.x) e = v; }
template <class F, class P> inline void ch_load(F& f, const P* p, unsigned ld, bool row) { int l = cudahost::lane_id(); for (int i = 0; i < F::num_elements; ++i) { int e = F::pos(l, i), r = e / F::C, c = e % F::C; f.x[i] = row ? p[(size_t)r * ld + c] : p[(size_t)c * ld + r]; } __syncwarp(); }
template <class U, int M, int N, int K, class T, class L, class P> inline void load_matrix_sync(fragment<U, M, N, K, T, L>& f, const P* p, unsigned ld) { ch_load(f, p, ld, std::is_same_v<L, row_major>); }
template <int M, int N, int K, class T, class P> inline void load_matrix_sync(fragment<accumulator, M, N, K, T>& f, const P* p, unsigned ld, layout_t y) { ch_load(f, p, ld, y == mem_row_major); }
template <int M, int N, int K, class T, class P> inline void store_matrix_sync(P* p, const fragment<accumulator, M, N, K, T>& f, unsigned ld, layout_t y) { using F = fragment<accumulator, M, N, K, T>; int l = cudahost::lane_id(); for (int i = 0; i < F::num_elements; ++i) { int e = F::pos(l, i), r = e / F::C, c = e % F::C; (y == mem_row_major ? p[(size_t)r * ld + c] : p[(size_t)c * ld + r]) = f.x[i]; } __syncwarp(); }
inline float ch_in(float v, precision::tf32*) { return __uint_as_float(__float_as_uint(v) & 0xffffe000u); }
template <class T> inline float ch_in(T v, T*) { return (float)v; }
template <int M, int N, int K, class TA, class LA, class TB, class LB, class TC, class TD>
CH_NI inline void mma_sync(fragment<accumulator, M, N, K, TD>& d, const fragment<matrix_a, M, N, K, TA, LA>& a, const fragment<matrix_b, M, N, K, TB, LB>& b, const fragment<accumulator, M, N, K, TC>& c) {
    using FA = fragment<matrix_a, M, N, K, TA, LA>; using FB = fragment<matrix_b, M, N, K, TB, LB>; using FC = fragment<accumulator, M, N, K, TC>; using FD = fragment<accumulator, M, N, K, TD>;
    struct P { FD* d; const FA* a; const FB* b; const FC* c; } p{&d, &a, &b, &c};
    cudahost::warp_collective(0xffffffffu, &p, [](void* const l[32], unsigned, void*) __attribute__((no_sanitize_thread)) {
        float A[M * K], B[K * N]; double D[M * N];
        for (int t = 0; t < 32; ++t) { auto* q = (P*)l[t];
            for (int i = 0; i < FA::num_elements; ++i) A[FA::pos(t, i)] = ch_in(q->a->x[i], (TA*)nullptr);
            for (int i = 0; i < FB::num_elements; ++i) B[FB::pos(t, i)] = ch_in(q->b->x[i], (TB*)nullptr);
            for (int i = 0; i < FC::num_elements; ++i) D[FC::pos(t, i)] = (double)q->c->x[i]; }
        for (int i = 0; i < M; ++i) for (int k = 0; k < K; ++k) for (int j = 0; j < N; ++j) D[i * N + j] += (double)A[i * K + k] * B[k * N + j];
        for (int t = 0; t < 32; ++t) { auto* q = (P*)l[t]; for (int i = 0; i < FD::num_elements; ++i) q->d->x[i] = (TD)(float)D[FD::pos(t, i)]; }
    }, nullptr, CH_PC, false);
}
}}
// ------------------------------------------------------------------ cooperative groups (block and tiles)
namespace cooperative_groups {
struct thread_block { void sync() const { __syncthreads(); } unsigned thread_rank() const { return cudahost::linear_tid(); } unsigned size() const { return blockDim.x * blockDim.y * blockDim.z; } unsigned num_threads() const { return size(); } };
inline thread_block this_thread_block() { return {}; }
template <unsigned N> struct thread_block_tile {
    unsigned mask() const { return N == 32 ? 0xffffffffu : ((1u << (N & 31)) - 1) << (cudahost::lane_id() & ~(N - 1)); }
    unsigned thread_rank() const { return cudahost::lane_id() & (N - 1); } constexpr unsigned size() const { return N; } constexpr unsigned num_threads() const { return N; }
    unsigned meta_group_rank() const { return cudahost::linear_tid() / N; }
    void sync() const { __syncwarp(mask()); }
    template <class T> T shfl(T v, int s) const { return __shfl_sync(mask(), v, s, N); }
    template <class T> T shfl_down(T v, unsigned d) const { return __shfl_down_sync(mask(), v, d, N); }
    template <class T> T shfl_up(T v, unsigned d) const { return __shfl_up_sync(mask(), v, d, N); }
    template <class T> T shfl_xor(T v, unsigned d) const { return __shfl_xor_sync(mask(), v, d, N); }
    int any(int p) const { return __any_sync(mask(), p); } int all(int p) const { return __all_sync(mask(), p); }
    unsigned ballot(int p) const { return __ballot_sync(mask(), p) >> (cudahost::lane_id() & ~(N - 1)); }
};
template <unsigned N, class G> thread_block_tile<N> tiled_partition(const G&) { return {}; }
template <class T> struct plus { T operator()(T a, T b) const { return a + b; } };
template <class T> struct greater { T operator()(T a, T b) const { return a > b ? a : b; } };
template <class T> struct less { T operator()(T a, T b) const { return a < b ? a : b; } };
template <unsigned N, class T, class O> T reduce(const thread_block_tile<N>& t, T v, O op) { for (unsigned d = N / 2; d; d >>= 1) v = op(v, t.shfl_xor(v, d)); return v; }
}
#ifdef CUDA_HOST_IMPLEMENTATION
#include "cuda_host_rt.inl"
#endif
