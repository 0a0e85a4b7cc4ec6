// What features.substructure computes: the text of src/features/substructure/math.rs.
#pragma once
#include "features/cluster.cuh"

namespace substructure {

/// Kinds of powers, guards and normalisations by number, as the launcher gives them.
constexpr u32 ROOT = 0u;
constexpr u32 ITSELF = 1u;
constexpr u32 OFFSET = 0u;
constexpr u32 FLOOR = 1u;

/// Observables in the order of their columns.
constexpr u32 SPLIT12 = 0u;
constexpr u32 SPLIT23 = 1u;
constexpr u32 TAU1 = 2u;
constexpr u32 TAU21 = 6u;
constexpr u32 TAU32 = 7u;
constexpr u32 E1 = 8u;
constexpr u32 E2 = 9u;
constexpr u32 E3 = 10u;
constexpr u32 C2 = 11u;
constexpr u32 D2 = 12u;

/// The radius of clusterings in which nothing shall end by itself.
constexpr double RADIUS = 512.0;
/// Rapidities are at most this: what flies along the beam has no pT, and a distance times it must still be 0.
constexpr double LARGEST_RAPIDITY = 1e5;

/// A rapidity within bounds.
__device__ __forceinline__ double bounded(double rapidity) {
    const double below = rapidity < LARGEST_RAPIDITY ? rapidity : LARGEST_RAPIDITY;
    return below > -LARGEST_RAPIDITY ? below : -LARGEST_RAPIDITY;
}

/// The sum of four lanes.
__device__ __forceinline__ double sum_of(const double* lanes) {
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

/// `dR^beta` from `dR^2`.
struct Power {
    u32 kind;
    double half;

    __device__ __forceinline__ double of(double distance2) const {
        if (kind == ROOT) return det::sqrt(distance2);
        if (kind == ITSELF) return distance2;
        return det::pow(distance2, half);
    }
};

/// What ratios are where they divide by little or nothing.
struct Guard {
    u32 kind;
    double value;
};

/// Where the observables of a jet go.
struct Row {
    double* values;
    u64 jets;
    u64 jet;
    u32 defined;

    /// A value, or where it is not defined what stands for it.
    __device__ __forceinline__ double put(u32 observable, double value, bool is_defined, double otherwise) {
        const bool holds = is_defined && det::is_finite(value);
        const double given = holds ? value : otherwise;
        values[observable * jets + jet] = given;
        defined |= holds ? 1u << observable : 0u;
        return given;
    }

    /// A guarded ratio.
    __device__ __forceinline__ void put_ratio(u32 observable, double over, double under, bool is_defined, Guard guard) {
        const bool holds = is_defined && under > 0.0 && det::is_finite(over / under);
        double value = holds ? over / under : guard.value;
        if (guard.kind == OFFSET) value = over / (guard.value + under);
        if (guard.kind == FLOOR) {
            value = (over > guard.value ? over : guard.value) / (under > guard.value ? under : guard.value);
        }
        values[observable * jets + jet] = det::is_finite(value) ? value : 0.0;
        defined |= holds && det::is_finite(value) ? 1u << observable : 0u;
    }
};

}  // namespace substructure
