// Deterministic functions of doubles: the text of src/math/det, whose documentation has the error bounds.
// Compiled with -fmad=false: a contracted multiply-add would break the error-free transformations.
#pragma once
#include "common/det/exponential.cuh"
#include "common/det/quick.cuh"
#include "common/det/trigonometric.cuh"

// The versions in single precision evaluate in double precision and round once.
namespace det {

__device__ __forceinline__ float exp_f32(float x) {
    return (float)exp((double)x);
}

__device__ __forceinline__ float exp_m1_f32(float x) {
    return (float)exp_m1((double)x);
}

__device__ __forceinline__ float ln_f32(float x) {
    return (float)ln((double)x);
}

__device__ __forceinline__ float ln_1p_f32(float x) {
    return (float)ln_1p((double)x);
}

__device__ __forceinline__ float sin_f32(float x) {
    return (float)sin((double)x);
}

__device__ __forceinline__ float cos_f32(float x) {
    return (float)cos((double)x);
}

__device__ __forceinline__ float sinh_f32(float x) {
    return (float)sinh((double)x);
}

__device__ __forceinline__ float cosh_f32(float x) {
    return (float)cosh((double)x);
}

__device__ __forceinline__ float tanh_f32(float x) {
    return (float)tanh((double)x);
}

__device__ __forceinline__ float asinh_f32(float x) {
    return (float)asinh((double)x);
}

__device__ __forceinline__ float atan_f32(float x) {
    return (float)atan((double)x);
}

__device__ __forceinline__ float atan2_f32(float y, float x) {
    return (float)atan2((double)y, (double)x);
}

__device__ __forceinline__ float hypot_f32(float x, float y) {
    return (float)hypot((double)x, (double)y);
}

__device__ __forceinline__ float pow_f32(float x, float y) {
    return (float)pow((double)x, (double)y);
}

}  // namespace det
