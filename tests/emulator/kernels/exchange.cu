// The kernel whose mutants the tests make: two barriers here, a warp barrier in the header, two waits for copies.
#include <cuda_pipeline_primitives.h>

#include "common/warp_exchange.cuh"

extern "C" __global__ void __launch_bounds__(64) exchange(const int* in, int* out) {
    __shared__ int tile[2][64];
    for (int round = 0; round < 2; ++round) {
        __pipeline_memcpy_async(&tile[round][threadIdx.x], in + round * 64 + threadIdx.x, sizeof(int));
        __pipeline_commit();
    }
    __pipeline_wait_prior(1);
    __syncthreads();  // __syncthreads() in a comment is no mutant
    int sum = warp_reverse(tile[0][63 - threadIdx.x]);
    __pipeline_wait_prior(0);
    int late = __syncthreads_count(threadIdx.x < 3);
    out[threadIdx.x] = sum + tile[1][63 - threadIdx.x] + 1000 * late;
}
