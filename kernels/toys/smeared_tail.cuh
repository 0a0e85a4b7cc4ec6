// The scalar functions of a smeared toy of the tail: the text of src/toys/smeared_tail/math.rs.
#pragma once
#include "common/special.cuh"
#include "toys/smeared.cuh"

namespace smeared_tail {

using det::exp;
using det::exp_m1;
using det::infinite;
using det::ln_1p;
using special::ln_poisson_survival;
using special::ln_poisson_term;
using toys::NEGLIGIBLE;

/// Cells have the words of their draws from here on, beyond those of the nuisances.
constexpr u64 CELLS = 1ull << 61;

/// The words that choose a window, its nuisance and its total.
constexpr u64 CHOICE = 1ull << 62;

/// The words of the events that are added, two to each set.
constexpr u64 MOVES = CHOICE + 2ull;

/// The nuisance along a window's direction is drawn from -10 to 10.
constexpr double END = 10.0;

/// The ratios of a toy's windows are summed in so many lanes, and these in pairs: the order of additions for every number of
/// threads.
constexpr u32 LANES = 256u;

/// Weights above are held there, so that the squares of 2^31 toys fit their sum; the ratio of probabilities that makes one
/// never comes near.
constexpr double LARGEST_WEIGHT = 65536.0;

/// Sums of weights and of their squares count units of 2 to this power.
constexpr i32 UNIT = -60;

/// The cells of a window: `width` of them in each of `height` rows of `columns`, from `start` on.
struct Window {
    u32 start;
    u32 width;
    u32 height;
    u32 columns;
};

/// Cell number `place` of a window.
__device__ __forceinline__ u32 cell_of(Window window, u32 place) {
    return window.start + place / window.width * window.columns + place % window.width;
}

/// The smeared expectation of a window.
__device__ __forceinline__ double mean_of(Window window, const double* smeared) {
    double sum = 0.0;
    u32 row = 0;
    while (row < window.height) {
        u32 cell = window.start + row * window.columns;
        const u32 end = cell + window.width;
        while (cell < end) {
            sum += smeared[cell];
            cell += 1;
        }
        row += 1;
    }
    return sum;
}

/// The nuisances along a window's `direction`: of the `templates` first, then of its own cells unless `own` has none.
__device__ __forceinline__ double along(
    Window window, const double* direction, u32 templates, const double* shared, const double* own,
    bool has_own) {
    double sum = 0.0;
    u32 place = 0;
    while (place < templates) {
        sum += direction[place] * shared[place];
        place += 1;
    }
    if (!has_own) {
        return sum;
    }
    u32 row = 0;
    while (row < window.height) {
        u32 cell = window.start + row * window.columns;
        const u32 end = cell + window.width;
        while (cell < end) {
            sum += direction[place] * own[cell];
            place += 1;
            cell += 1;
        }
        row += 1;
    }
    return sum;
}

/// The cell of a window that takes an event: the one in which `mean_before`, a part of the window's mean, lies.
__device__ __forceinline__ u32 cell_of_event(Window window, const double* smeared, double mean_before) {
    double rest = mean_before;
    const u32 last = window.width * window.height - 1;
    u32 place = 0;
    u32 cell = window.start;
    u32 in_row = 0;
    while (place < last && rest >= smeared[cell]) {
        rest -= smeared[cell];
        place += 1;
        cell += 1;
        in_row += 1;
        if (in_row == window.width) {
            in_row = 0;
            cell += window.columns - window.width;
        }
    }
    return cell;
}

/// The first of `count` never falling running `sums` that exceeds `wanted`, or the last.
__device__ __forceinline__ u32 place_in(const double* sums, u32 count, double wanted) {
    u32 below = 0;
    u32 above = count - 1;
    while (below < above) {
        const u32 middle = below + (above - below) / 2;
        if (sums[middle] <= wanted) {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    return below;
}

/// The x from 0 to 1 that `u` draws from a density that falls as `exp(difference x)`.
__device__ __forceinline__ double falling(double u, double difference) {
    if (difference > -1e-12) {
        return u;
    }
    const double x = ln_1p(u * exp_m1(difference)) / difference;
    if (x < 0.0) {
        return 0.0;
    }
    if (x > 1.0) {
        return 1.0;
    }
    return x;
}

/// The x from 0 to 1 that `u` draws from a density that goes as `exp(difference x)`.
__device__ __forceinline__ double exponential(double u, double difference) {
    if (difference > 0.0) {
        return 1.0 - falling(1.0 - u, -difference);
    }
    return falling(u, difference);
}

/// The nuisance along a window's direction that `u` draws, given that it exceeds: from `nodes` nodes, at least 2, `step`
/// apart, with the logarithms of their densities and the running sums of what lies between them.
__device__ __noinline__ double nuisance(
    double u, u32 nodes, double step, const double* ln_density, const double* mass) {
    const double wanted = u * mass[nodes - 2];
    const u32 bin = place_in(mass, nodes - 1, wanted);
    double before = 0.0;
    if (bin > 0) {
        before = mass[bin - 1];
    }
    const double size = mass[bin] - before;
    double part = 0.5;
    if (size > 0.0) {
        part = (wanted - before) / size;
        if (part < 0.0) {
            part = 0.0;
        }
        if (part > 1.0) {
            part = 1.0;
        }
    }
    const double difference = ln_density[bin + 1] - ln_density[bin];
    return step * (((double)bin) + exponential(part, difference)) - END;
}

/// `ln r` at the nuisance `t` along a window's direction: the logarithm of its probability to exceed, as it is proposed. A
/// single node is that of a window that nothing moves. Beyond the ends nothing is proposed.
__device__ __forceinline__ double ln_reach(double t, u32 nodes, double step, const double* ln_density) {
    if (nodes == 1) {
        return ln_density[0];
    }
    const double place = (t + END) / step;
    if (!(place >= 0.0 && place < ((double)(nodes - 1)))) {
        return -infinite();
    }
    const u32 bin = (u32)place;
    const double low = ln_density[bin];
    const double high = ln_density[bin + 1];
    return (low + (place - ((double)bin)) * (high - low)) + 0.5 * t * t;
}

/// ln P(N >= n) for Poisson N with this mean. A call costs less than two copies of the text, which spill.
__device__ __noinline__ double ln_survival(u32 n, double mean) {
    return ln_poisson_survival((u64)n, mean);
}

/// How often a window that exceeds is drawn, over how often it exceeds at this smeared mean.
__device__ __forceinline__ double ratio(double ln_reach, u32 critical, double mean) {
    return exp(ln_reach - ln_survival(critical, mean));
}

/// The Poisson number of at least `least` that a uniform number draws, for a mean above 0: takes the probabilities from
/// `least` on off what is left of them.
__device__ __noinline__ u32 poisson_from(u32 least, double mean, double u) {
    const double first = (double)least;
    // All terms from the first on, over the first.
    const double all = exp(ln_survival(least, mean) - ln_poisson_term(first, mean));
    double term = 1.0;
    double rest = u * all - 1.0;
    double count = first;
    while (rest >= 0.0 && (term > NEGLIGIBLE * all || count < mean)) {
        count += 1.0;
        term *= mean / count;
        rest -= term;
    }
    return (u32)count;
}

/// The weight of a toy by the sum of its windows' ratios.
__device__ __forceinline__ double weight(double sum) {
    if (sum > 0.0) {
        const double weight = 1.0 / sum;
        if (weight > LARGEST_WEIGHT) {
            return LARGEST_WEIGHT;
        }
        return weight;
    }
    return 0.0;
}

}  // namespace smeared_tail
