// toys.tail: toys in which a chosen window reaches its critical count, tallied by how many windows do.
//
// A block runs a toy, then the next: its threads draw the cells, add what the chosen window lacks, sum up in shared memory
// (4 (cells + 1) bytes), and count windows. Every thread makes the choice for itself, which costs less than telling it.
#include "common/block.cuh"
#include "toys/tail.cuh"

extern "C" __global__ void __launch_bounds__(256, 5) toys_tail(
    const uint4* cell, const u32* guide, const u32* threshold_high, const u32* threshold_low,
    const u32* start, const u32* end, const u32* height, const u32* critical, const u64* choice,
    const uint4* place, const u64* tail_thresholds, const u64* share, u32 cells, u32 columns, u32 windows, u32 key_low, u32 key_high,
    u64 first_toy, u64 number, u64* tally) {
    extern __shared__ u32 sums[];
    __shared__ u32 warp_sums[32];
    __shared__ u32 warp_reached[32];

    for (u64 toy = blockIdx.x; toy < number; toy += gridDim.x) {
        const u64 unit = first_toy + toy;
        if (threadIdx.x == 0u) sums[0] = 0u;
        tail::draw_cells(key_low, key_high, unit, cell, guide, threshold_high, threshold_low, cells, sums + 1);
        __syncthreads();  // the counts of a thread are summed by others

        const philox::Words words = philox::words(key_low, key_high, unit, tail::CHOICE);
        const u32 window = poisson::count_at_most(choice, windows - 1u, philox::join(words.a, words.b));
        const uint4 chosen = place[window];
        const u32 wanted = tail::total(philox::join(words.c, words.d), chosen, tail_thresholds);
        const u32 width = end[window] - start[window];
        u32* counts = sums + 1 + start[window];
        u32 drawn = 0u;
        for (u32 row = 0u; row < height[window]; ++row) {
            for (u32 c = 0u; c < width; ++c) drawn += counts[row * columns + c];
        }
        __syncthreads();  // every thread has the sum before any changes a count

        if (wanted >= drawn) {
            for (u32 event = threadIdx.x; event < wanted - drawn; event += blockDim.x) {
                const u64 bits = tail::bits_of_move(key_low, key_high, unit, event);
                const u32 c = poisson::count_at_most(share + chosen.w, width * height[window] - 1u, bits);
                atomicAdd(&counts[tail::place_of(c, width, columns)], 1u);
            }
        } else if (threadIdx.x == 0u) {
            // Each event is taken from those that are left, so one follows the other; they are few in a rare tail.
            for (u32 event = 0u; event < drawn - wanted; ++event) {
                const u64 bits = tail::bits_of_move(key_low, key_high, unit, event);
                counts[tail::cell_of(tail::below(bits, drawn - event), counts, width, columns)] -= 1u;
            }
        }
        __syncthreads();  // the changed counts are summed by others
        block::running_sums(sums, cells + 1u, warp_sums);

        u32 reached = 0u;
        for (u32 w = threadIdx.x; w < windows; w += blockDim.x) {
            if (block::content(sums, start[w], end[w], height[w], columns) >= critical[w]) ++reached;
        }
        reached = __reduce_add_sync(block::warp_lanes(), reached);
        if ((threadIdx.x & 31u) == 0u) warp_reached[threadIdx.x >> 5] = reached;
        __syncthreads();  // every warp's number is read, and the sums are overwritten by the next toy's counts
        if (threadIdx.x == 0u) {
            for (u32 warp = 1u; warp * 32u < blockDim.x; ++warp) reached += warp_reached[warp];
            atomicAdd(&tally[reached], 1ull);
        }
    }
}
