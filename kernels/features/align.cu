// features.align: jets brought to one mass, energy and orientation, a warp a jet.
//
// The constituents that are left are in shared memory, 48 bytes each, in their order; a lane has every 32nd place. Sums are those
// of the lanes and then of pairs of lanes, as on the CPU. After constituents were taken away the others move together.
#include "common/warp.cuh"
#include "features/align.cuh"

namespace align {

constexpr u32 BY_KT = 1u;
constexpr u32 NO_CONSTITUENT = 0xffffffffu;

/// The columns of a warp's jet.
struct Constituents {
    double* px;
    double* py;
    double* pz;
    double* energy;
    /// What the truncation goes by.
    double* key;
    /// Which constituent of the jet it is.
    u32* index;
    u32* keep;

    __device__ __forceinline__ FourMomentum at(u32 place) const {
        return FourMomentum{px[place], py[place], pz[place], energy[place]};
    }

    __device__ __forceinline__ void put(u32 place, FourMomentum p) const {
        px[place] = p.px;
        py[place] = p.py;
        pz[place] = p.pz;
        energy[place] = p.energy;
    }
};

/// The sum of `number` places.
__device__ __forceinline__ double sum_of(const double* column, u32 number, u32 lane) {
    double sum = 0.0;
    for (u32 i = lane; i < number; i += warp::LANES) sum += column[i];
    return warp::sum_of(sum);
}

/// Moves what is kept together; how many that are.
__device__ __forceinline__ u32 compact(const Constituents& jet, u32 number, u32 lane) {
    u32 kept = 0u;
    for (u32 base = 0u; base < number; base += warp::LANES) {
        const u32 from = base + lane;
        const bool alive = from < number && jet.keep[from] != 0u;
        FourMomentum p = {0.0, 0.0, 0.0, 0.0};
        u32 index = 0u;
        if (alive) {
            p = jet.at(from);
            index = jet.index[from];
        }
        const u32 votes = __ballot_sync(warp::ALL, alive);
        const u32 to = kept + __popc(votes & ((1u << lane) - 1u));
        __syncwarp();  // all have read what others write over
        if (alive) {
            jet.put(to, p);
            jet.index[to] = index;
        }
        kept += __popc(votes);
    }
    __syncwarp();  // what was moved is there for the lane that has its place now
    return kept;
}

}  // namespace align

extern "C" __global__ void __launch_bounds__(256, 4) features_align(
    const u32* offsets, const double* px, const double* py, const double* pz, const double* energy, u32 jets, u32 largest,
    u32 most, u32 least, u32 truncation, double mass, double target_energy, double momentum, double largest2, double* out_pt,
    double* out_eta, double* out_phi, u32* out_index, u32* out_number, u32* out_verdict, double* out_beta) {
    using namespace align;
    extern __shared__ double memory[];
    const u32 warps = blockDim.x / warp::LANES;
    const u32 which = threadIdx.x / warp::LANES;
    const u32 lane = threadIdx.x % warp::LANES;
    if (which >= warps) return;  // part of a warp
    double* mine = memory + 6u * largest * which;
    u32* numbers = (u32*)(mine + 5u * largest);
    const Constituents jet = {mine,    mine + largest,   mine + 2u * largest, mine + 3u * largest, mine + 4u * largest,
                              numbers, numbers + largest};
    const Target target = {mass, target_energy, momentum};

    for (u32 j = blockIdx.x * warps + which; j < jets; j += gridDim.x * warps) {
        const u32 start = offsets[j];
        u32 number = offsets[j + 1u] - start;
        if (number > largest) continue;  // the launcher sends no such jet
        for (u32 i = lane; i < number; i += warp::LANES) {
            jet.put(i, FourMomentum{px[start + i], py[start + i], pz[start + i], energy[start + i]});
            jet.index[i] = i;
        }
        u32 verdict = KEPT;
        double beta = 0.0;
        bool reflected = false;
        for (bool first = true;; first = false) {
            if (number < least) {
                verdict = TOO_FEW;
                break;
            }
            const FourMomentum sum = {sum_of(jet.px, number, lane), sum_of(jet.py, number, lane),
                                      sum_of(jet.pz, number, lane), sum_of(jet.energy, number, lane)};
            const Frame frame = frame_of(sum, target);
            if (frame.found != KEPT) {
                verdict = frame.found;
                break;
            }
            if (first) beta = beta_of(frame);
            warp::Largest hardest = {-1.0, warp::NOBODY};
            for (u32 i = lane; i < number; i += warp::LANES) {
                const FourMomentum p = moved(jet.at(i), frame);
                jet.put(i, p);
                hardest.look(pt2_of(p.px, p.py), i);
            }
            hardest = warp::largest_of(hardest);
            if (hardest.place == warp::NOBODY) {
                verdict = TOO_FEW;  // there were none, and no least
                break;
            }
            const u32 owner = hardest.place % warp::LANES;
            double its_py = 0.0;
            double its_pz = 0.0;
            if (lane == owner) {
                its_py = jet.py[hardest.place];
                its_pz = jet.pz[hardest.place];
            }
            const Turn turn = turn_of(__shfl_sync(warp::ALL, its_py, (int)owner), __shfl_sync(warp::ALL, its_pz, (int)owner));
            bool far = false;
            // The second hardest, and whether its eta is below 0.
            warp::Largest second = {-1.0, warp::NOBODY};
            bool below = false;
            for (u32 i = lane; i < number; i += warp::LANES) {
                double new_py = turn.cos * jet.py[i] + turn.sin * jet.pz[i];
                double new_pz = turn.cos * jet.pz[i] - turn.sin * jet.py[i];
                if (i == hardest.place) {
                    new_py = turn.size;
                    new_pz = 0.0;
                }
                jet.py[i] = new_py;
                jet.pz[i] = new_pz;
                const double pt2 = pt2_of(jet.px[i], new_py);
                const double eta = eta_of(pt2, new_pz);
                const double phi = phi_of(pt2, jet.px[i], new_py);
                const double distance2 = distance2_of(eta, phi);
                const bool keep = distance2 <= largest2;
                jet.keep[i] = keep ? 1u : 0u;
                far = far || !keep;
                jet.key[i] = truncation == BY_KT ? pt2 * distance2 : pt2;
                if (i != hardest.place && pt2 > second.value) {
                    second = warp::Largest{pt2, i};
                    below = eta < 0.0;
                }
            }
            if (__ballot_sync(warp::ALL, far) != 0u) {
                number = compact(jet, number, lane);
                continue;
            }
            if (number > most) {
                __syncwarp();  // the keys of all lanes are compared
                for (u32 i = lane; i < number; i += warp::LANES) {
                    u32 before = 0u;
                    for (u32 other = 0u; other < number; ++other) {
                        const bool higher = jet.key[other] > jet.key[i] || (jet.key[other] == jet.key[i] && other < i);
                        before += higher ? 1u : 0u;
                    }
                    jet.keep[i] = before < most ? 1u : 0u;
                }
                number = compact(jet, number, lane);
                continue;
            }
            const warp::Largest winner = warp::largest_of(second);
            reflected = __ballot_sync(warp::ALL, below && second.place == winner.place) != 0u;
            break;
        }
        if (verdict != KEPT) {
            number = 0u;
            beta = 0.0;
        }
        for (u32 row = lane; row < most; row += warp::LANES) {
            double pt = 0.0;
            double eta = 0.0;
            double phi = 0.0;
            u32 index = NO_CONSTITUENT;
            if (row < number) {
                const double pt2 = pt2_of(jet.px[row], jet.py[row]);
                const double sign = reflected ? -1.0 : 1.0;
                pt = det::sqrt(pt2) / momentum;
                // Adding 0 makes -0 to 0.
                eta = sign * eta_of(pt2, jet.pz[row]) + 0.0;
                phi = phi_of(pt2, jet.px[row], jet.py[row]);
                index = jet.index[row];
            }
            const u64 at = (u64)j * most + row;
            out_pt[at] = pt;
            out_eta[at] = eta;
            out_phi[at] = phi;
            out_index[at] = index;
        }
        if (lane == 0u) {
            out_number[j] = number;
            out_verdict[j] = verdict;
            out_beta[j] = beta;
        }
    }
}
