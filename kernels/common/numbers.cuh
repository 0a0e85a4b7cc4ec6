// The words of the shared texts: number types of one size on every compiler, and doubles as bits.
#pragma once
#include <cuda_runtime.h>

using u32 = unsigned int;
using u64 = unsigned long long;
using i32 = int;
using i64 = long long;

namespace det {

/// The bit pattern of a double.
__device__ __forceinline__ u64 bits_of(double x) {
    return (u64)__double_as_longlong(x);
}

/// The double of a bit pattern.
__device__ __forceinline__ double double_of(u64 bits) {
    return __longlong_as_double((i64)bits);
}

/// Infinity.
__device__ __forceinline__ double infinite() {
    return double_of(0x7ff0000000000000ULL);
}

/// The one NaN that the functions of `det` answer.
__device__ __forceinline__ double not_a_number() {
    return double_of(0x7ff8000000000000ULL);
}

/// The IEEE 754 square root, correctly rounded.
__device__ __forceinline__ double sqrt(double x) {
    return ::sqrt(x);
}

/// The unevaluated sum `high + low`, with |low| at most half an ulp of `high` where it says normalised.
struct DoubleDouble {
    /// The rounded value.
    double high;
    /// What rounding left over.
    double low;
};

}  // namespace det
