#pragma once

// Reverses one value a lane through shared memory; every wait is needed.
__device__ inline int warp_reverse(int value) {
    __shared__ int tile[2][32];
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    tile[warp][lane] = value;
    __syncwarp();
    return tile[warp][31 - lane];
}
