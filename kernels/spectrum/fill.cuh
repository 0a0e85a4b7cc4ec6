// Where a value belongs: the text of src/spectrum/fill/math.rs.
#pragma once
#include "selection/tally.cuh"

namespace fill {

/// The number of `edges` (ascending) at or below `value`: 0 is underflow, the number of edges is overflow.
__device__ __forceinline__ u32 place_of(double value, const double* edges, u32 count) {
    u32 lower = 0;
    u32 upper = count;
    while (lower < upper) {
        const u32 middle = lower + (upper - lower) / 2;
        if (edges[middle] <= value) {
            lower = middle + 1;
        } else {
            upper = middle;
        }
    }
    return lower;
}

/// The numbers of a launch, `Shape` in cuda.rs. A spectrum of one axis has no second edges.
struct Shape {
    u32 entries;
    u32 first_edges;
    u32 second_edges;
    i32 weight_exponent;
};

/// The row of an entry; the last one where a value is NaN.
__device__ __forceinline__ u32 row_of(const Shape& shape, const float* first, const float* second, const double* edges,
                                      u32 rows, u32 entry) {
    const double x = (double)first[entry];
    if (det::is_nan(x)) {
        return rows - 1;
    }
    const u32 row = place_of(x, edges, shape.first_edges);
    if (shape.second_edges == 0) {
        return row;
    }
    const double y = (double)second[entry];
    if (det::is_nan(y)) {
        return rows - 1;
    }
    return row * (shape.second_edges + 1) + place_of(y, edges + shape.first_edges, shape.second_edges);
}

}  // namespace fill
