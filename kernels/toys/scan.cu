// toys.scan: pseudo-experiments that are scanned as the data are.
//
// A block runs a toy, then the next: its threads draw two cells at a time and sum them up in shared memory (4 (cells + 1)
// bytes). Of each set of candidates the one with the largest bound is computed first, and then those that could be better.
#include "common/philox.cuh"
#include "toys/scan.cuh"

extern "C" __global__ void __launch_bounds__(256) toys_scan(
    const u32* cell, const u64* threshold, const u32* start, const u32* end,
    const u32* sideband_start, const u32* sideband_end, const double* expected,
    const double* expected_outside, const double* low, const double* high, const u32* set,
    const double* level_ln_p, u32 cells, u32 windows, u32 sets, u32 levels, u32 judge,
    double limit_ln_p, u32 key_low, u32 key_high, u64 first_toy, u64 number, double* ln_p,
    u64* tally) {
    extern __shared__ u32 prefix[];
    __shared__ u32 warp_sums[32];
    __shared__ double warp_value[32];
    __shared__ u32 warp_candidate[32];

    toys::Windows all = {start,    end,              sideband_start, sideband_end, expected,
                         expected_outside, windows, set[sets],      judge};
    for (u64 toy = blockIdx.x; toy < number; toy += gridDim.x) {
        // Draw: two cells a thread and set of words.
        if (threadIdx.x == 0u) prefix[0] = 0u;
        for (u32 pair = threadIdx.x; pair * 2u < cells; pair += blockDim.x) {
            philox::Words words = philox::words(key_low, key_high, first_toy + toy, pair);
            u32 c = pair * 2u;
            prefix[c + 1u] = toys::draw(cell + c * toys::WORDS_A_CELL, philox::join(words.a, words.b), threshold);
            if (c + 1u < cells) {
                u64 bits = philox::join(words.c, words.d);
                prefix[c + 2u] = toys::draw(cell + (c + 1u) * toys::WORDS_A_CELL, bits, threshold);
            }
        }
        __syncthreads();  // the counts of a thread are summed by others
        block::running_sums(prefix, cells + 1u, warp_sums);

        double sum = 0.0;
        double from = -det::infinite();
        double to = det::infinite();
        for (u32 one = 0u; one < sets; ++one) {
            u32 begin = set[one];
            u32 above = set[one + 1u];
            double bound = 1.0;  // above any negative bound
            u32 first = toys::NOBODY;
            for (u32 candidate = begin + threadIdx.x; candidate < above; candidate += blockDim.x) {
                double other = -toys::sum<toys::Asked::MOST_T>(all, prefix, candidate);
                if (hunt::is_better(other, candidate, bound, first)) {
                    bound = other;
                    first = candidate;
                }
            }
            toys::best_of_block(bound, first, warp_value, warp_candidate);

            // All threads compute the first one, then each those of its own that could be better.
            double best = 1.0;  // above any logarithm of a p-value
            u32 best_candidate = toys::NOBODY;
            u32 candidate = first;
            u32 next = begin + threadIdx.x;
            while (candidate < above) {
                double other = toys::sum<toys::Asked::LN_P>(all, prefix, candidate);
                if (hunt::is_better(other, candidate, best, best_candidate)) {
                    best = other;
                    best_candidate = candidate;
                }
                for (candidate = toys::NOBODY; next < above && candidate == toys::NOBODY; next += blockDim.x) {
                    bool could = next != first && toys::sum<toys::Asked::MOST_T>(all, prefix, next) >= -best;
                    if (could) candidate = next;
                }
            }
            toys::best_of_block(best, best_candidate, warp_value, warp_candidate);
            sum += best;
            if (low[best_candidate] > from) from = low[best_candidate];
            if (high[best_candidate] < to) to = high[best_candidate];
        }
        if (threadIdx.x == 0u) {
            double value = from < to ? sum : 0.0;
            ln_p[toy] = value;
            if (value <= limit_ln_p) atomicAdd(&tally[0], 1ull);
            atomicAdd(&tally[1u + toys::reached_level(value, level_ln_p, levels)], 1ull);
        }
    }
}
