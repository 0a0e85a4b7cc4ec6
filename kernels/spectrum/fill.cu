// spectrum.fill: counts and exact sums of weights of one or two variables. Integer atomics only.
//
// `private_rows` is the number of rows if the block keeps its own in dynamic shared memory (a spectrum of few bins, which
// many entries share), else 0 and the additions go to global memory (a plane, where entries seldom meet).
#include "spectrum/fill.cuh"

extern "C" __global__ void __launch_bounds__(256)
    spectrum_fill(fill::Shape shape, const float* first, const float* second, const float* weights,
                  const double* edges, u32 rows, u32 private_rows, u64* words, u64* status) {
    extern __shared__ u64 shared[];
    tally::clear(shared, private_rows);
    __syncthreads();
    for (u32 entry = blockIdx.x * blockDim.x + threadIdx.x; entry < shape.entries; entry += gridDim.x * blockDim.x) {
        const float weight = weights[entry];
        const u32 verdict = exact::weight_status((double)weight, shape.weight_exponent);
        if (verdict != exact::WEIGHT_FINE) {
            tally::fault(status, entry, verdict);
            continue;
        }
        const u32 row = fill::row_of(shape, first, second, edges, rows, entry);
        if (private_rows != 0) {
            tally::add(shared + row * tally::WORDS, weight, shape.weight_exponent);
        } else {
            tally::add(words + (u64)row * tally::WORDS, weight, shape.weight_exponent);
        }
    }
    __syncthreads();
    tally::flush(shared, words, private_rows);
}
