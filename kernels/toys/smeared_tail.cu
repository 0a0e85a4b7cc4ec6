// toys.smeared_tail: toys of an uncertain expectation in which a chosen window exceeds, and the sums of their weights.
//
// A block runs a toy, then the next. Its threads draw the nuisances, smear and draw a cell each, and judge windows; the counts
// are summed up in shared memory (4 (cells + 1) bytes). What is read only where windows exceed, nuisances and smeared means of
// cells and the list of these windows, lies in the block's own places in device memory, so that it costs no occupancy. One
// thread moves the nuisances of the chosen window and draws its total: steps that follow from each other.
#include "common/block.cuh"
#include "common/exact.cuh"
#include "toys/smeared_tail.cuh"
#include "toys/smeared_tail_block.cuh"

extern "C" __global__ void __launch_bounds__(smeared_tail::MOST_THREADS, 3) toys_smeared_tail(
    const double* expected, const double* middle, const double* most, const double* own,
    const double* shared, const u32* start, const u32* end, const u32* height, const u32* critical,
    const double* choice, const u32* first_direction, const double* direction, const u32* first_node,
    const double* step, const double* ln_density, const double* mass, u32 cells, u32 columns,
    u32 templates, u32 windows, u32 log_normal, u32 has_own, u32 key_low, u32 key_high, u64 first_toy,
    u64 number, double* nuisances, double* means, u32* exceeding, u64* sums) {
    using namespace smeared_tail;
    extern __shared__ u32 prefix[];
    __shared__ double of_templates[MOST_TEMPLATES];
    __shared__ double lanes[LANES];
    __shared__ u32 offsets[MOST_THREADS];
    __shared__ u32 warp_sums[32];
    __shared__ double moved;
    __shared__ double mean_of_chosen;
    __shared__ u32 missing;

    const Cells plane = {expected, middle, most, own, shared, cells, templates, log_normal != 0u, has_own != 0u};
    const Windows all = {start, end,       height, critical, first_direction, direction, first_node,
                         step,  ln_density, mass,   columns,  windows};
    const Own places = {nuisances + (has_own != 0u ? (u64)blockIdx.x * cells : 0u), means + (u64)blockIdx.x * cells,
                        exceeding + (u64)blockIdx.x * windows};
    for (u64 toy = blockIdx.x; toy < number; toy += gridDim.x) {
        const Random random = {key_low, key_high, first_toy + toy};
        const u32 chosen = place_in(choice, windows, uniform(random, CHOICE, 0u) * choice[windows - 1u]);
        draw_nuisances(random, plane, of_templates, places.nuisances);
        __syncthreads();  // one thread sums the nuisances of others along the direction
        if (threadIdx.x == 0u) {
            prefix[0] = 0u;
            moved = move_templates(random, all, chosen, plane, of_templates, places.nuisances);
        }
        __syncthreads();  // the templates' nuisances, and how far those of the window's cells move, are read by all
        if (has_own != 0u) move_cells(all, chosen, templates, moved, places.nuisances);
        __syncthreads();  // cells are smeared by nuisances that others moved
        draw_cells(random, plane, of_templates, places, prefix + 1);
        __syncthreads();  // one thread sums the counts and means of others
        if (threadIdx.x == 0u) {
            mean_of_chosen = mean_of(window_of(all, chosen), places.means);
            missing = missing_events(random, all, chosen, mean_of_chosen, prefix + 1);
        }
        __syncthreads();  // every thread adds events to the counts that were summed
        if (missing != IMPOSSIBLE) {
            add_events(random, window_of(all, chosen), missing, mean_of_chosen, places.means, prefix + 1);
        }
        __syncthreads();  // the counts are summed by others than added to them
        block::running_sums(prefix, cells + 1u, warp_sums);

        // Each thread begins the sums at its own place, so that no barrier stands before them.
        const u32 found = count_exceeding(all, prefix);
        offsets[threadIdx.x] = found;
        block::running_sums(offsets, blockDim.x, warp_sums);
        if (found > 0u) list_exceeding(all, prefix, places.exceeding + (offsets[threadIdx.x] - found));
        __syncthreads();  // the list is read by others
        sum_ratios(all, offsets[blockDim.x - 1u], plane, of_templates, places, lanes);
        __syncthreads();  // lanes of others are added
        for (u32 half = LANES / 2u; half > 0u; half /= 2u) {
            for (u32 lane = threadIdx.x; lane < half; lane += blockDim.x) lanes[lane] += lanes[lane + half];
            __syncthreads();  // sums of others are added
        }
        if (threadIdx.x == 0u) {
            const double w = missing != IMPOSSIBLE ? weight(lanes[0]) : 0.0;
            exact::add(sums, exact::units_of(w, UNIT));
            exact::add(sums + 4, exact::units_of(w * w, UNIT));
        }
    }
}
