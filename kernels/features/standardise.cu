// features.standardise: each column by its own map, a thread a row.
#include "features/standardise.cuh"

extern "C" __global__ void __launch_bounds__(256) features_standardise(
    const double* values, const u32* kind, const double* numbers, const double* knots, const u32* knot_ends, u32 rows,
    u32 columns, double* mapped_values, double* ln_jacobian, u32* outside) {
    using namespace standardise;
    for (u32 row = blockIdx.x * blockDim.x + threadIdx.x; row < rows; row += gridDim.x * blockDim.x) {
        double sum = 0.0;
        u32 number_outside = 0u;
        for (u32 column = 0u; column < columns; ++column) {
            const u64 at = (u64)row * columns + column;
            const double x = values[at];
            const double* of = numbers + 4u * column;
            const double* from = knots + knot_ends[column];
            const u32 number = knot_ends[column + 1u] - knot_ends[column];
            Mapped mapped;
            if (kind[column] == LINEAR) {
                mapped = linear(x, of[2], of[3]);
            } else if (kind[column] == LOGIT) {
                mapped = logit(x, of[0], of[1], of[2], of[3]);
            } else if (kind[column] == UNIFORM) {
                mapped = uniform(x, from, number);
            } else {
                mapped = normal(x, from, number);
            }
            mapped_values[at] = mapped.value;
            sum += mapped.ln_derivative;
            number_outside += mapped.outside;
        }
        ln_jacobian[row] = sum;
        outside[row] = number_outside;
    }
}
