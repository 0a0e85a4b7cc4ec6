// features.order: the order of a jet's constituents, a warp a jet.
//
// Constituents are in shared memory, 32 bytes each; a lane has every 32nd row and alone knows whether it is placed. At every step
// all lanes look at the one chosen before, and learn the largest of the warp.
#include "common/warp.cuh"
#include "features/order.cuh"

namespace order {

constexpr u32 BY_KT = 1u;
constexpr u32 NO_ROW = 0xffffffffu;

/// The columns of a warp's jet.
struct Constituents {
    double* pt2;
    double* eta;
    double* phi;
    /// 0, or `placed()`.
    double* state;
};

/// The first row with the largest pT, or pT times the distance from a place, of those that are not placed; it is placed.
__device__ __forceinline__ u32 next(const Constituents& jet, u32 number, u32 lane, bool by_distance, double eta, double phi) {
    warp::Largest mine = {-1.0, warp::NOBODY};
    for (u32 i = lane; i < number; i += warp::LANES) {
        const double factor = by_distance ? distance2(eta, phi, jet.eta[i], jet.phi[i]) : 1.0;
        mine.look(quantity(jet.pt2[i], factor, jet.state[i]), i);
    }
    const u32 row = warp::largest_of(mine).place;
    if (row != warp::NOBODY && row % warp::LANES == lane) jet.state[row] = placed();
    return row;
}

}  // namespace order

extern "C" __global__ void __launch_bounds__(256, 6) features_order(const double* pt, const double* eta, const double* phi,
                                                                    const u32* numbers, u32 jets, u32 rows, u32 most,
                                                                    u32 ordering, u32 truncation, u32* out_order,
                                                                    u32* out_number) {
    using namespace order;
    extern __shared__ double memory[];
    const u32 warps = blockDim.x / warp::LANES;
    const u32 which = threadIdx.x / warp::LANES;
    const u32 lane = threadIdx.x % warp::LANES;
    if (which >= warps) return;  // part of a warp
    double* mine = memory + 4u * rows * which;
    const Constituents jet = {mine, mine + rows, mine + 2u * rows, mine + 3u * rows};

    for (u32 j = blockIdx.x * warps + which; j < jets; j += gridDim.x * warps) {
        const u32 number = min(numbers[j], rows);
        const u64 start = (u64)j * rows;
        for (u32 i = lane; i < number; i += warp::LANES) {
            jet.pt2[i] = pt[start + i] * pt[start + i];
            jet.eta[i] = eta[start + i];
            jet.phi[i] = phi[start + i];
            jet.state[i] = 0.0;
        }
        __syncwarp();  // all lanes look at the place of the one that was chosen
        // The first by pT are the truncation by pT.
        if (number > most && (ordering == BY_KT || truncation == BY_KT)) {
            for (u32 step = 0u; step < most; ++step) next(jet, number, lane, truncation == BY_KT, 0.0, 0.0);
            // What was placed was chosen, and the rest has no place.
            for (u32 i = lane; i < number; i += warp::LANES) jet.state[i] = jet.state[i] == 0.0 ? placed() : 0.0;
        }
        const u32 length = min(number, most);
        u32 last = NO_ROW;
        for (u32 step = 0u; step < length; ++step) {
            const bool by_distance = ordering == BY_KT && last != NO_ROW;
            double from_eta = 0.0;
            double from_phi = 0.0;
            if (by_distance) {
                from_eta = jet.eta[last];
                from_phi = jet.phi[last];
            }
            last = next(jet, number, lane, by_distance, from_eta, from_phi);
            if (lane == 0u) out_order[(u64)j * most + step] = last;
        }
        for (u32 step = length + lane; step < most; step += warp::LANES) out_order[(u64)j * most + step] = NO_ROW;
        if (lane == 0u) out_number[j] = length;
        __syncwarp();  // nobody looks at this jet any more
    }
}
