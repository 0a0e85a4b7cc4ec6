// Evaluates one device function on arrays, so that the shared texts are compared below the operations.
#include "common/angle.cuh"
#include "common/exact.cuh"
#include "common/lorentz.cuh"
#include "common/philox.cuh"
#include "common/special.cuh"

namespace {

/// A whole number within +-100,000, 0 for NaN.
__device__ __forceinline__ i32 whole_number(double x) {
    if (!(det::absolute(x) <= 100000.0)) {
        return 0;
    }
    return (i32)x;
}

/// A count: 0 for what is not positive, at most 2^53.
__device__ __forceinline__ u64 count(double x) {
    if (!(x > 0.0)) {
        return 0;
    }
    if (x > 9007199254740992.0) {
        return 9007199254740992ULL;
    }
    return (u64)x;
}

__device__ __forceinline__ float single(double x) {
    return (float)x;
}

/// Two momenta made of two numbers, added.
__device__ __forceinline__ lorentz::FourMomentum pair(double a, double b) {
    const lorentz::FourMomentum first = lorentz::from_pt_eta_phi_mass(single(det::absolute(a)), single(b), single(a), 0.5f);
    const lorentz::FourMomentum second = lorentz::from_pt_eta_phi_mass(single(det::absolute(b)), single(a), single(b), 80.0f);
    return lorentz::add_momenta(first, second);
}

/// All four words of unit = bits of a, draw = bits of b.
__device__ __forceinline__ u64 philox_words(double a, double b) {
    const philox::Words words = philox::words(0x01234567u, 0x89abcdefu, det::bits_of(a), det::bits_of(b));
    return philox::join(words.a, words.b) ^ (philox::join(words.c, words.d) * 3);
}

/// The exponent of a weight scale, made of any number.
__device__ __forceinline__ i32 scale_of(double b) {
    return (i32)(det::bits_of(b) % 801) - 400;
}

__device__ __forceinline__ u64 weight_status(double a, double b) {
    return exact::weight_status(a, scale_of(b));
}

/// The units of `a`, or of the largest weight of its sign where `a` is refused.
__device__ __forceinline__ exact::Units accepted_units(double a, double b) {
    double weight = a;
    if (exact::weight_status(a, scale_of(b)) == exact::WEIGHT_TOO_LARGE) {
        weight = det::copy_sign(det::power_of_two(scale_of(b)), a);
    }
    if (exact::weight_status(a, scale_of(b)) == exact::WEIGHT_NOT_FINITE) {
        weight = 0.0;
    }
    return exact::units_of(weight, scale_of(b) - exact::TERM_BITS);
}

__device__ __forceinline__ u64 weight_units(double a, double b) {
    const exact::Units units = accepted_units(a, b);
    return units.low ^ (units.high * 3) ^ (units.negative << 63);
}

__device__ __forceinline__ u64 weight_digits(double a, double b) {
    const exact::Units units = accepted_units(a, b);
    return (u64)exact::digit_of(units, 0) + (u64)exact::digit_of(units, 1) * 3 + (u64)exact::digit_of(units, 2) * 7;
}

/// The bits of a result, with one pattern for every NaN.
__device__ __forceinline__ u64 pattern(double x) {
    if (det::is_nan(x)) {
        return det::bits_of(det::not_a_number());
    }
    return det::bits_of(x);
}

__device__ __forceinline__ u64 evaluate(u32 which, double a, double b) {
    switch (which) {
        case 0: return pattern(det::exp(a));
        case 1: return pattern(det::exp_m1(a));
        case 2: return pattern(det::ln(a));
        case 3: return pattern(det::ln_1p(a));
        case 4: return pattern(det::sin(a));
        case 5: return pattern(det::cos(a));
        case 6: return pattern(det::sinh(a));
        case 7: return pattern(det::cosh(a));
        case 8: return pattern(det::tanh(a));
        case 9: return pattern(det::asinh(a));
        case 10: return pattern(det::atan2(a, b));
        case 11: return pattern(det::hypot(a, b));
        case 12: return pattern(det::pow(a, b));
        case 13: return pattern(det::powi(a, whole_number(b)));
        case 14: return pattern(det::exp_f32(single(a)));
        case 15: return pattern(det::atan2_f32(single(a), single(b)));
        case 16: return pattern(angle::wrap_phi(a));
        case 17: return pattern(angle::delta_r(a, b, b, a));
        case 18: return pattern(lorentz::mass_of(pair(a, b)));
        case 19: return pattern(lorentz::pt_of(pair(a, b)));
        case 20: return pattern(lorentz::eta_of(pair(a, b)));
        case 21: return pattern(lorentz::rapidity_of(pair(a, b)));
        case 22: return pattern(lorentz::phi_of(pair(a, b)));
        case 23: return pattern(special::ln_poisson_survival(count(a), b));
        case 24: return pattern(special::ln_poisson_cumulative(count(a), b));
        case 25: return pattern(special::significance(a));
        case 26: return pattern(special::ln_normal_survival(a));
        case 27: return pattern(special::normal_survival(a));
        case 28: return philox_words(a, b);
        case 29: return weight_status(a, b);
        case 30: return weight_units(a, b);
        case 31: return weight_digits(a, b);
        default: return 0;
    }
}

}  // namespace

/// out[i] = the bits of function number `which` of (a[i], b[i]); `not_finite[0]` grows by the number of results whose
/// bits are those of an infinity or a NaN. Each block counts its own in shared memory first, so that the counter of the
/// whole grid is touched once a block.
extern "C" __global__ void __launch_bounds__(256)
math_probe(u32 which, const double* __restrict__ a, const double* __restrict__ b, u64* __restrict__ out,
           u32* not_finite, u32 n) {
    __shared__ u32 in_block;
    if (threadIdx.x == 0) {
        in_block = 0;
    }
    __syncthreads();
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (u64)gridDim.x * blockDim.x) {
        const u64 result = evaluate(which, a[i], b[i]);
        out[i] = result;
        if (!det::is_finite(det::double_of(result))) {
            atomicAdd(&in_block, 1u);
        }
    }
    __syncthreads();
    if (threadIdx.x == 0 && in_block > 0) {
        atomicAdd(not_finite, in_block);
    }
}
