// selection.select: marks the events that pass every cut, then compacts what was marked, in the order of the events.
//
// Positions come from sums over tiles of TILE events and one scan of those sums; no block waits for another.
#include "selection/loops.cuh"

/// The events of a tile; `TILE` in cuda.rs.
constexpr u32 TILE = 2048;

/// Counts an event in its rows: that of the cuts that it passed, and those that the program named.
__device__ __forceinline__ void count(const selection::Machine& machine, const selection::Lane& lane, float weight,
                                      u64* shared, u64* cutflow) {
    const tally::Terms terms = tally::terms_of(weight, machine.shape.weight_exponent);
    for (u32 place = 0; place <= lane.tallied; ++place) {
        const u32 row = place == 0 ? lane.passed : machine.row(place - 1);
        if (machine.shape.shared_rows != 0) {
            tally::add(shared + row * tally::WORDS, terms);
        } else {
            tally::add(cutflow + row * tally::WORDS, terms);
        }
    }
}

/// Evaluates every event. In dynamic shared memory stand the block's rows of the tally, then the registers of all
/// threads, then their words.
extern "C" __global__ void __launch_bounds__(256, 3)
    selection_select(selection::Shape shape, const u64* columns, const u64* tables, u32* references, double* keys,
                     u32* marks, float* values, float* weights, u32* flags, u64* cutflow, u64* status) {
    extern __shared__ u64 shared[];
    double* registers = (double*)(shared + shape.shared_rows * tally::WORDS);
    u32* words = (u32*)(registers + shape.registers * blockDim.x);
    const selection::Machine machine = {shape, columns, tables, references, keys, registers + threadIdx.x,
                                        words + threadIdx.x, blockDim.x};
    // The last warp of a block may have fewer lanes.
    const u32 first = threadIdx.x / 32 * 32;
    const u32 lanes = min(32u, blockDim.x - first);
    const u32 members = lanes == 32 ? 0xffffffffu : (1u << lanes) - 1;
    tally::clear(shared, shape.shared_rows);
    __syncthreads();
    for (u32 start = blockIdx.x * blockDim.x + first; start < shape.events; start += gridDim.x * blockDim.x) {
        const u32 event = start + threadIdx.x - first;
        selection::Lane lane = {};
        lane.event = event;
        lane.fault = selection::NONE;
        lane.alive = event < shape.events;
        float weight = 0.0f;
        if (lane.alive) {
            weight = selection::weight_of(machine, event);
            const u32 verdict = exact::weight_status((double)weight, shape.weight_exponent);
            if (verdict != exact::WEIGHT_FINE) {
                lane.fault = shape.weight_fault + verdict;
                lane.alive = false;
            }
        }
        lane.running = lane.alive;
        selection::run(machine, lane, members, values);
        if (event >= shape.events) {
            continue;
        }
        marks[event] = lane.alive ? 1 : 0;
        if (lane.fault != selection::NONE) {
            tally::fault(status, event, lane.fault);
            continue;
        }
        if (lane.alive) {
            weights[event] = weight;
            flags[event] = lane.flags;
        }
        count(machine, lane, weight, shared, cutflow);
    }
    __syncthreads();
    tally::flush(shared, cutflow, shape.shared_rows);
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

/// Replaces the counts of the tiles by the positions of their first survivors, in one block; the status takes the
/// total.
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

/// Gathers a column of the survivors, of any type of four bytes: out[i] = values[index[i]].
extern "C" __global__ void __launch_bounds__(256)
    selection_select_gather(u32 survivors, const u32* index, const u32* values, u64 first, u32* out) {
    for (u32 i = blockIdx.x * blockDim.x + threadIdx.x; i < survivors; i += gridDim.x * blockDim.x) {
        out[i] = values[first + index[i]];
    }
}
