// Intrinsics, votes and library functions, each element against what the host computes; and access patterns.

extern "C" __global__ void numbers_integers(unsigned long long a, unsigned long long b, unsigned long long* out) {
    out[0] = __umul64hi(a, b);
    out[1] = __umulhi(static_cast<unsigned>(a), static_cast<unsigned>(b));
    out[2] = static_cast<unsigned long long>(__clzll(static_cast<long long>(a >> 7)));
    out[3] = static_cast<unsigned long long>(__popcll(a));
    out[4] = __brev(static_cast<unsigned>(a));
    out[5] = static_cast<unsigned long long>(__ffsll(static_cast<long long>(b << 5)));
    out[6] = static_cast<unsigned long long>(__double_as_longlong(__fma_rn(1.5, 2.0, -0.25)));
    out[7] = static_cast<unsigned long long>(__double_as_longlong(__dadd_rn(__dmul_rn(0.1, 0.1), -0.01)));
}

extern "C" __global__ void numbers_votes(unsigned* out) {
    unsigned lane = threadIdx.x;
    unsigned even = __ballot_sync(0xffffffffu, lane % 2 == 0);
    unsigned same = __match_any_sync(0xffffffffu, lane / 8);
    unsigned sum = __reduce_add_sync(0xffffffffu, lane);
    unsigned up = __shfl_up_sync(0xffffffffu, lane, 1);
    unsigned in_eight = __shfl_down_sync(0xffffffffu, lane, 4, 8);
    int any = __any_sync(0xffffffffu, lane == 31), all = __all_sync(0xffffffffu, lane < 31);
    int votes = __syncthreads_count(lane < 5);
    out[8 * lane] = even;
    out[8 * lane + 1] = same;
    out[8 * lane + 2] = sum;
    out[8 * lane + 3] = up;
    out[8 * lane + 4] = in_eight;
    out[8 * lane + 5] = static_cast<unsigned>(any);
    out[8 * lane + 6] = static_cast<unsigned>(all);
    out[8 * lane + 7] = static_cast<unsigned>(votes);
}

extern "C" __global__ void numbers_library(const double* in, double* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    out[3 * i] = exp(in[i]);
    out[3 * i + 1] = sqrt(in[i]) / (1.0 + in[i]);
    out[3 * i + 2] = in[i] * in[i] - 0.01;
}

// Row-wise loads are one request for 4 sectors; column-wise stores touch 32 sectors.
extern "C" __global__ void numbers_transpose(const float* in, float* out) {
    out[threadIdx.x * 32 + threadIdx.y] = in[threadIdx.y * 32 + threadIdx.x];
}

// A column of 32 words lies in one bank, unless a word of padding shifts the rows.
extern "C" __global__ void numbers_banks(float* out, int pitch) {
    extern __shared__ float tile[];
    tile[threadIdx.y * pitch + threadIdx.x] = 1.0f;
    __syncthreads();
    out[threadIdx.y * 32 + threadIdx.x] = tile[threadIdx.x * pitch + threadIdx.y];
}
