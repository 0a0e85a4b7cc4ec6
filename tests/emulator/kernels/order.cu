// Order between threads: each mistake beside its clean twin.
#include <cuda_pipeline_primitives.h>
#include <cuda_runtime.h>

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1) value += __shfl_down_sync(0xffffffffu, value, offset);
    return value;
}

extern "C" __global__ void __launch_bounds__(256) order_block_sum(const float* in, double* out, int n) {
    __shared__ float part[32];
    float sum = 0.0f;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += in[i];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x >= 32) return;
    sum = warp_sum(threadIdx.x < blockDim.x / 32 ? part[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0) atomicAdd(out, static_cast<double>(sum));
}

extern "C" __global__ void __launch_bounds__(256) order_block_sum_without_barrier(const float* in, double* out, int n) {
    __shared__ float part[32];
    float sum = 0.0f;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += in[i];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = sum;
    if (threadIdx.x >= 32) return;
    sum = warp_sum(threadIdx.x < blockDim.x / 32 ? part[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0) atomicAdd(out, static_cast<double>(sum));
}

// The second barrier keeps the next round's writes from the last readers; `rounds` of the same values hide its lack.
extern "C" __global__ void order_rounds(int* out, int rounds) {
    __shared__ int tile[64];
    int sum = 0;
    for (int round = 0; round < rounds; ++round) {
        tile[threadIdx.x] = static_cast<int>(threadIdx.x);
        __syncthreads();
        sum += tile[63 - threadIdx.x];
        __syncthreads();
    }
    out[threadIdx.x] = sum;
}

extern "C" __global__ void order_rounds_without_second_barrier(int* out, int rounds) {
    __shared__ int tile[64];
    int sum = 0;
    for (int round = 0; round < rounds; ++round) {
        tile[threadIdx.x] = static_cast<int>(threadIdx.x);
        __syncthreads();
        sum += tile[63 - threadIdx.x];
    }
    out[threadIdx.x] = sum;
}

extern "C" __global__ void order_divergent_barrier(int* out) {
    __shared__ int tile[64];
    tile[threadIdx.x] = static_cast<int>(threadIdx.x);
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    out[threadIdx.x] = tile[63 - threadIdx.x];
}

extern "C" __global__ void order_barrier_after_exit(int* out) {
    if (threadIdx.x >= 40) return;
    __syncthreads();
    out[threadIdx.x] = 1;
}

extern "C" __global__ void order_barrier_missed(int* out) {
    if (threadIdx.x < 32) __syncthreads();
    int value = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x), 0);
    __syncthreads();
    out[threadIdx.x] = value;
}

extern "C" __global__ void order_half_warp_shuffle(int* out) {
    int value = static_cast<int>(threadIdx.x);
    if (threadIdx.x < 16) value = __shfl_xor_sync(0xffffffffu, value, 1);
    __syncthreads();
    out[threadIdx.x] = value;
}

extern "C" __global__ void order_half_warp_shuffle_with_its_mask(int* out) {
    int value = static_cast<int>(threadIdx.x);
    if (threadIdx.x < 16) value = __shfl_xor_sync(0x0000ffffu, value, 1);
    __syncthreads();
    out[threadIdx.x] = value;
}

extern "C" __global__ void order_warp_exchange(int* out) {
    __shared__ int tile[32];
    tile[threadIdx.x] = static_cast<int>(threadIdx.x);
    __syncwarp();
    out[threadIdx.x] = tile[31 - threadIdx.x];
}

// A shuffle is no memory fence.
extern "C" __global__ void order_warp_exchange_after_shuffle(int* out) {
    __shared__ int tile[32];
    tile[threadIdx.x] = static_cast<int>(threadIdx.x);
    int other = __shfl_xor_sync(0xffffffffu, tile[threadIdx.x], 1);
    out[threadIdx.x] = tile[31 - threadIdx.x] + other;
}

extern "C" __global__ void order_count_with_atomics(unsigned long long* count) { atomicAdd(count, 1ull); }

extern "C" __global__ void order_count_without_atomics(unsigned long long* count) { count[0] += 1; }

extern "C" __global__ void order_atomic_beside_plain_read(unsigned* count, unsigned* out) {
    atomicAdd(count, 1u);
    out[blockIdx.x * blockDim.x + threadIdx.x] = *count;
}

template <int WAIT>
__device__ void copy_tiles(const float* in, float* out) {
    __shared__ float tile[2][128];
    for (int buffer = 0; buffer < 2; ++buffer) {
        __pipeline_memcpy_async(&tile[buffer][threadIdx.x], in + buffer * 128 + threadIdx.x, sizeof(float));
        __pipeline_commit();
    }
    __pipeline_wait_prior(WAIT);
    __syncthreads();
    out[threadIdx.x] = tile[0][127 - threadIdx.x];
    __pipeline_wait_prior(0);
    __syncthreads();
    out[128 + threadIdx.x] = tile[1][127 - threadIdx.x];
}

extern "C" __global__ void order_async_copy(const float* in, float* out) { copy_tiles<1>(in, out); }

extern "C" __global__ void order_async_copy_without_wait(const float* in, float* out) { copy_tiles<2>(in, out); }

extern "C" __global__ void order_trap(int* out) {
    if (threadIdx.x == 3) __trap();
    out[threadIdx.x] = 1;
}
