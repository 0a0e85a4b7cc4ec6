// What the kernels of models.train share, whatever the precision of their products: which rows a block has, what their targets are, and
// which outputs dropout keeps.
#pragma once
#include "models/train.cuh"

namespace train {

/// Parts of a batch whose gradients are summed by themselves.
constexpr u32 QUARTERS = 4u;

/// Events of the table whose losses of validation are summed by themselves.
constexpr u32 EVENTS_A_CHUNK = 4096u;

/// Four numbers side by side, as one load.
__device__ __forceinline__ float4 four(const float* from) {
    return *reinterpret_cast<const float4*>(from);
}

/// Rows of a batch, from the first to before the last.
struct Part {
    u32 from;
    u32 to;
};

/// The rows of a quarter: whole pairs, and none behind the last row.
__device__ __forceinline__ Part part_of(u32 all_rows, u32 quarter) {
    const u32 length = ((all_rows + QUARTERS - 1u) / QUARTERS + 1u) & ~1u;
    const u32 from = min(quarter * length, all_rows);
    return Part{from, min(from + length, all_rows)};
}

/// What a row is compared with.
struct Target {
    float label;
    /// Its weight, scaled.
    double weight;
    /// Which of its inputs are present; null if all are.
    const u32* present;
};

/// The target of an event of member number `at`.
__device__ __forceinline__ Target target_of(const Table& table, const Member& member, const double* scales, u32 at, u32 event) {
    const float label = label_of(table, member, event);
    const double weight = weight_of(table, member, event) * scales[2u * at + (label > 0.5f ? 1u : 0u)];
    return Target{label, weight, table.present_words > 0u ? table.present + (u64)event * table.present_words : nullptr};
}

/// A draw of dropout: a byte for each of 16 outputs.
struct Draw {
    u32 words[4];

    /// Whether output `byte` of the draw is kept.
    __device__ __forceinline__ bool keeps(const Layer& layer, u32 byte) const {
        return (words[byte >> 2] >> (8u * (byte & 3u)) & 255u) >= layer.dropout;
    }
};

/// Draw number `draw` of a layer for a sample of an epoch.
__device__ __forceinline__ Draw draw_of(const Layer& layer, const Member& member, u32 epoch, u32 sample, u32 draw) {
    const u64 unit = (u64)epoch << 32 | sample;
    const philox::Words words = philox::words(member.dropout0, member.dropout1, unit, layer.first_draw + draw);
    return Draw{{words.a, words.b, words.c, words.d}};
}

/// What the threads of a block share while they choose events.
struct Choice {
    u32 warps[32];
    u32 end;
};

/// The next `most` of a row of candidates that are wanted, in their order, into `list`; how many there were. `candidate(place, event)`
/// answers whether the candidate at a place is wanted, and which event it is. On return `place` is behind the last that was taken, or
/// at `end`, and the list may be read. All threads of the block have to call it.
template <typename Candidate>
__device__ __forceinline__ u32 choose(Candidate candidate, u64& place, u64 end, u32 most, u32* list, Choice& shared) {
    const u32 lane = threadIdx.x & 31u;
    const u32 lanes = min(32u, blockDim.x - (threadIdx.x & ~31u));
    const u32 mask = lanes == 32u ? 0xffffffffu : (1u << lanes) - 1u;
    u32 filled = 0u;
    while (filled < most && place < end) {
        const u64 own = place + threadIdx.x;
        u32 event = 0u;
        const bool is_wanted = own < end && candidate(own, event);
        const u32 votes = __ballot_sync(mask, is_wanted);
        if (lane == 0u) shared.warps[threadIdx.x >> 5] = __popc(votes);
        if (threadIdx.x == 0u) shared.end = 0u;
        __syncthreads();  // the votes of all warps are there to be added
        u32 position = filled;
        u32 total = 0u;
        for (u32 warp = 0u; warp < (blockDim.x + 31u) / 32u; ++warp) {
            if (warp < threadIdx.x >> 5) position += shared.warps[warp];
            total += shared.warps[warp];
        }
        position += __popc(votes & ((1u << lane) - 1u));
        if (is_wanted && position < most) {
            list[position] = event;
            // The place after the one that fills the list; there is one such thread.
            if (position + 1u == most) shared.end = threadIdx.x + 1u;
        }
        __syncthreads();  // the list, and where it ends, are there to be read
        const u32 taken = shared.end;
        filled = min(most, filled + total);
        place += taken > 0u ? taken : blockDim.x;
        __syncthreads();  // votes and end may be written again
    }
    if (place > end) place = end;
    return filled;
}

}  // namespace train
