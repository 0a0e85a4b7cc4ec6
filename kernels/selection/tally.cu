// Moves what is above the lower 32 bits of each limb to the next, after which a limb takes 2^31 terms more.
#include "selection/tally.cuh"

extern "C" __global__ void selection_tally_carry(u32 rows, u64* words) {
    for (u32 sum = blockIdx.x * blockDim.x + threadIdx.x; sum < 2 * rows; sum += gridDim.x * blockDim.x) {
        u64* limbs = words + (sum / 2) * tally::WORDS + 1 + 3 * (sum % 2);
        const i64 low = (i64)limbs[0];
        const i64 middle = (i64)limbs[1] + (low >> 32);
        limbs[0] = (u64)low & 0xffffffffu;
        limbs[1] = (u64)middle & 0xffffffffu;
        limbs[2] = (u64)((i64)limbs[2] + (middle >> 32));
    }
}
