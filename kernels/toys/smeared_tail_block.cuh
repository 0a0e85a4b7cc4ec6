// The parts of a smeared toy of the tail that the threads of a block share, or that one of them does for all.
#pragma once
#include "common/block.cuh"
#include "common/philox.cuh"
#include "toys/smeared_tail.cuh"

namespace smeared_tail {

/// As many templates as there are nuisances for in shared memory.
constexpr u32 MOST_TEMPLATES = 128u;

/// The most threads of a block.
constexpr u32 MOST_THREADS = 256u;

/// The events that are missing in a window that cannot reach its critical count: it expects nothing.
constexpr u32 IMPOSSIBLE = 0xffffffffu;

/// The random numbers of a toy.
struct Random {
    u32 key_low;
    u32 key_high;
    u64 unit;
};

/// What the cells of a toy are drawn from.
struct Cells {
    const double* expected;
    const double* middle;
    const double* most;
    const double* own;
    const double* shared;
    u32 number;
    u32 templates;
    bool log_normal;
    bool has_own;
};

/// All windows, and from what their nuisances are drawn.
struct Windows {
    const u32* start;
    const u32* end;
    const u32* height;
    const u32* critical;
    const u32* first_direction;
    const double* direction;
    const u32* first_node;
    const double* step;
    const double* ln_density;
    const double* mass;
    u32 columns;
    u32 number;
};

/// The places of a block in device memory: nuisances and smeared means of cells, and the windows that exceed.
struct Own {
    double* nuisances;
    double* means;
    u32* exceeding;
};

/// Number `place` of the uniform numbers of a toy, two to each set of words from draw number `first` on.
__device__ __forceinline__ double uniform(Random random, u64 first, u32 place) {
    const philox::Words words =
        philox::words(random.key_low, random.key_high, random.unit, first + (place >> 1));
    const bool even = (place & 1u) == 0u;
    return philox::uniform_f64(even ? words.a : words.c, even ? words.b : words.d);
}

__device__ __forceinline__ Window window_of(const Windows& all, u32 window) {
    const u32 start = all.start[window];
    return Window{start, all.end[window] - start, all.height[window], all.columns};
}

/// Draws the nuisances of the templates, and then of the cells, in one loop: a quantile's text is long.
__device__ __forceinline__ void draw_nuisances(Random random, const Cells& cells, double* of_templates, double* of_cells) {
    const u32 number = cells.templates + (cells.has_own ? cells.number : 0u);
    for (u32 i = threadIdx.x; i < number; i += blockDim.x) {
        const bool is_template = i < cells.templates;
        const u32 place = is_template ? i : i - cells.templates;
        const double z = toys::normal_quantile(uniform(random, is_template ? toys::SHARED : 0u, place));
        if (is_template) {
            of_templates[place] = z;
        } else {
            of_cells[place] = z;
        }
    }
}

/// Moves the templates' nuisances along the direction of the chosen window, and says how far along it.
__device__ __forceinline__ double move_templates(
    Random random, const Windows& all, u32 chosen, const Cells& cells, double* of_templates,
    const double* of_cells) {
    const u32 first = all.first_node[chosen];
    const u32 nodes = all.first_node[chosen + 1u] - first;
    if (nodes == 1u) return 0.0;
    const double u = uniform(random, CHOICE, 1u);
    const double t = nuisance(u, nodes, all.step[chosen], all.ln_density + first, all.mass + first);
    const double* towards = all.direction + all.first_direction[chosen];
    const double moved =
        t - along(window_of(all, chosen), towards, cells.templates, of_templates, of_cells, cells.has_own);
    for (u32 k = 0u; k < cells.templates; ++k) of_templates[k] += moved * towards[k];
    return moved;
}

/// Moves the nuisances of the chosen window's cells.
__device__ __forceinline__ void move_cells(
    const Windows& all, u32 chosen, u32 templates, double moved, double* of_cells) {
    if (all.first_node[chosen + 1u] - all.first_node[chosen] == 1u) return;
    const Window window = window_of(all, chosen);
    const double* towards = all.direction + all.first_direction[chosen] + templates;
    for (u32 place = threadIdx.x; place < window.width * window.height; place += blockDim.x) {
        of_cells[cell_of(window, place)] += moved * towards[place];
    }
}

/// Smears and draws every cell.
__device__ __forceinline__ void draw_cells(
    Random random, const Cells& cells, const double* of_templates, const Own& places, u32* counts) {
    for (u32 c = threadIdx.x; c < cells.number; c += blockDim.x) {
        double x = cells.middle[c];
        if (cells.has_own) x = x + cells.own[c] * places.nuisances[c];
        for (u32 k = 0u; k < cells.templates; ++k) x += cells.shared[(u64)k * cells.number + c] * of_templates[k];
        const double mean = toys::smeared(cells.expected[c], x, cells.most[c], cells.log_normal);
        places.means[c] = mean;
        counts[c] = toys::poisson_draw(mean, uniform(random, CELLS, c));
    }
}

/// The events that the chosen window lacks. Where it reaches its critical count by itself, that is a draw from the same
/// distribution.
__device__ __forceinline__ u32 missing_events(
    Random random, const Windows& all, u32 chosen, double mean, const u32* counts) {
    const Window window = window_of(all, chosen);
    u32 drawn = 0u;
    for (u32 row = 0u; row < window.height; ++row) {
        const u32 first = window.start + row * window.columns;
        for (u32 c = first; c < first + window.width; ++c) drawn += counts[c];
    }
    const u32 critical = all.critical[chosen];
    if (drawn >= critical) return 0u;
    if (mean <= 0.0) return IMPOSSIBLE;
    return poisson_from(critical, mean, uniform(random, CHOICE + 1u, 0u)) - drawn;
}

/// Adds events to the cells of the chosen window, each to one in proportion to its mean.
__device__ __forceinline__ void add_events(
    Random random, Window window, u32 events, double mean, const double* means, u32* counts) {
    for (u32 event = threadIdx.x; event < events; event += blockDim.x) {
        const double at = uniform(random, MOVES, event) * mean;
        atomicAdd(&counts[cell_of_event(window, means, at)], 1u);
    }
}

__device__ __forceinline__ bool exceeds(const Windows& all, const u32* prefix, u32 w) {
    return block::content(prefix, all.start[w], all.end[w], all.height[w], all.columns) >= all.critical[w];
}

/// The first of the windows that a thread judges: a segment, so that the list of those that exceed has their order.
__device__ __forceinline__ u32 first_judged(const Windows& all, u32 thread) {
    return min(all.number, thread * ((all.number + blockDim.x - 1u) / blockDim.x));
}

/// How many of a thread's windows exceed.
__device__ __forceinline__ u32 count_exceeding(const Windows& all, const u32* prefix) {
    const u32 to = first_judged(all, threadIdx.x + 1u);
    u32 found = 0u;
    for (u32 w = first_judged(all, threadIdx.x); w < to; ++w) {
        if (exceeds(all, prefix, w)) ++found;
    }
    return found;
}

/// Lists them.
__device__ __forceinline__ void list_exceeding(const Windows& all, const u32* prefix, u32* list) {
    const u32 to = first_judged(all, threadIdx.x + 1u);
    for (u32 w = first_judged(all, threadIdx.x); w < to; ++w) {
        if (exceeds(all, prefix, w)) *list++ = w;
    }
}

/// The sum of the ratios in each lane: number i of the windows that exceed goes to lane i modulo the number of lanes.
__device__ __forceinline__ void sum_ratios(
    const Windows& all, u32 number, const Cells& cells, const double* of_templates, const Own& places,
    double* lanes) {
    for (u32 lane = threadIdx.x; lane < LANES; lane += blockDim.x) {
        double sum = 0.0;
        for (u32 i = lane; i < number; i += LANES) {
            const u32 w = places.exceeding[i];
            const Window window = window_of(all, w);
            const u32 first = all.first_node[w];
            const u32 nodes = all.first_node[w + 1u] - first;
            double t = 0.0;
            if (nodes > 1u) {
                const double* towards = all.direction + all.first_direction[w];
                t = along(window, towards, cells.templates, of_templates, places.nuisances, cells.has_own);
            }
            const double reach = ln_reach(t, nodes, all.step[w], all.ln_density + first);
            sum += ratio(reach, all.critical[w], mean_of(window, places.means));
        }
        lanes[lane] = sum;
    }
}

}  // namespace smeared_tail
