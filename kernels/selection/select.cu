// selection.select: marks the events that pass every cut, then compacts what was marked, in the order of the events.
//
// Positions come from sums over tiles of TILE events and one scan of those sums; no block waits for another.
#include "selection/select.cuh"

/// The events of a tile; `TILE` in cuda.rs.
constexpr u32 TILE = 2048;

/// Evaluates every event. A thread's scratch lies in dynamic shared memory behind the block's rows of the cutflow.
extern "C" __global__ void __launch_bounds__(256, 3)
    selection_select(selection::Shape shape, const u64* columns, const u64* tables, u32* marks, float* values,
                     float* weights, u64* cutflow, u64* status) {
    extern __shared__ u64 shared[];
    const u32 rows = shape.cuts + 1;
    u32* words = (u32*)(shared + rows * tally::WORDS) + threadIdx.x;
    const selection::Scratch scratch = {words, blockDim.x, shape.objects};
    const selection::Columns from = {columns, shape.collections, shape.collections + shape.quantities};
    const selection::ObjectPlan* objects = (const selection::ObjectPlan*)tables;
    const selection::ItemCut* item_cuts = (const selection::ItemCut*)(objects + shape.objects);
    const selection::Instruction* instructions = (const selection::Instruction*)(item_cuts + shape.item_cuts);
    const selection::Program program = {objects, item_cuts, instructions};
    tally::clear(shared, rows);
    __syncthreads();
    for (u32 event = blockIdx.x * blockDim.x + threadIdx.x; event < shape.events; event += gridDim.x * blockDim.x) {
        const float weight = selection::weight_of(from, shape, event);
        const u32 verdict = exact::weight_status((double)weight, shape.weight_exponent);
        u32 fault = verdict == exact::WEIGHT_FINE ? selection::NONE : shape.weight_fault + verdict;
        u32 passed = 0;
        if (fault == selection::NONE) {
            fault = selection::find_objects(program, from, event, scratch);
        }
        if (fault == selection::NONE) {
            const selection::Outcome outcome = selection::evaluate(program, from, shape, event, scratch, values);
            passed = outcome.passed;
            fault = outcome.fault;
        }
        const bool survives = fault == selection::NONE && passed == shape.cuts;
        marks[event] = survives ? 1 : 0;
        if (fault != selection::NONE) {
            tally::fault(status, event, fault);
            continue;
        }
        if (survives) {
            weights[event] = weight;
        }
        tally::add(shared + passed * tally::WORDS, weight, shape.weight_exponent);
    }
    __syncthreads();
    tally::flush(shared, cutflow, rows);
}

/// The number of marks in each tile; one block a tile, blocks stride over tiles.
extern "C" __global__ void __launch_bounds__(256)
    selection_select_count(u32 events, const u32* marks, u32* tile_counts) {
    __shared__ u32 sum;
    const u32 tiles = (events + TILE - 1) / TILE;
    for (u32 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        if (threadIdx.x == 0) {
            sum = 0;
        }
        __syncthreads();
        u32 own = 0;
        const u32 end = min(events, (tile + 1) * TILE);
        for (u32 event = tile * TILE + threadIdx.x; event < end; event += blockDim.x) {
            own += marks[event];
        }
        if (own != 0) {
            atomicAdd(&sum, own);
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            tile_counts[tile] = sum;
        }
    }
}

/// Replaces the counts of the tiles by the positions of their first survivors, in one block; the status takes the total.
/// Each thread sums a stretch of tiles, and the sums of the stretches are scanned in shared memory, two words a thread.
extern "C" __global__ void __launch_bounds__(256)
    selection_select_offsets(u32 tiles, u32* tile_counts, u64* status) {
    extern __shared__ u32 sums[];
    const u32 stretch = (tiles + blockDim.x - 1) / blockDim.x;
    const u32 start = min(tiles, threadIdx.x * stretch);
    const u32 end = min(tiles, start + stretch);
    u32 own = 0;
    for (u32 tile = start; tile < end; ++tile) {
        own += tile_counts[tile];
    }
    u32 from = 0;
    sums[threadIdx.x] = own;
    __syncthreads();
    for (u32 distance = 1; distance < blockDim.x; distance *= 2) {
        // Read one half, write the other: no thread overwrites what another still has to read.
        const u32 to = blockDim.x - from;
        u32 sum = sums[from + threadIdx.x];
        if (threadIdx.x >= distance) {
            sum += sums[from + threadIdx.x - distance];
        }
        sums[to + threadIdx.x] = sum;
        __syncthreads();
        from = to;
    }
    const u32 through = sums[from + threadIdx.x];
    if (threadIdx.x == blockDim.x - 1) {
        status[2] = through;
    }
    u32 position = through - own;
    for (u32 tile = start; tile < end; ++tile) {
        const u32 count = tile_counts[tile];
        tile_counts[tile] = position;
        position += count;
    }
}

/// Writes the rows of the survivors, ascending. Within a tile, a survivor's position is the number of survivors in the
/// warps before plus that of the lanes before; correct for a last warp of fewer lanes.
extern "C" __global__ void __launch_bounds__(256)
    selection_select_compact(u32 events, const u32* marks, const u32* tile_offsets, u32* index) {
    __shared__ u32 warp_counts[32];
    const u32 tiles = (events + TILE - 1) / TILE;
    const u32 lane = threadIdx.x % 32;
    const u32 warp = threadIdx.x / 32;
    const u32 warps = (blockDim.x + 31) / 32;
    const u32 lanes = min(32u, blockDim.x - warp * 32);
    const u32 members = lanes == 32 ? 0xffffffffu : (1u << lanes) - 1;
    for (u32 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        u32 position = tile_offsets[tile];
        const u32 end = min(events, (tile + 1) * TILE);
        for (u32 first = tile * TILE; first < end; first += blockDim.x) {
            const u32 event = first + threadIdx.x;
            const bool survives = event < end && marks[event] != 0;
            const u32 votes = __ballot_sync(members, survives);
            if (lane == 0) {
                warp_counts[warp] = __popc(votes);
            }
            __syncthreads();
            u32 before = __popc(votes & ((1u << lane) - 1));
            u32 all = 0;
            for (u32 other = 0; other < warps; ++other) {
                const u32 count = warp_counts[other];
                before += other < warp ? count : 0;
                all += count;
            }
            if (survives) {
                index[position + before] = event;
            }
            position += all;
            __syncthreads();
        }
    }
}

/// Gathers a column of the survivors: out[i] = values[index[i]].
extern "C" __global__ void __launch_bounds__(256)
    selection_select_gather(u32 survivors, const u32* index, const float* values, u64 first, float* out) {
    for (u32 i = blockIdx.x * blockDim.x + threadIdx.x; i < survivors; i += gridDim.x * blockDim.x) {
        out[i] = values[first + index[i]];
    }
}
