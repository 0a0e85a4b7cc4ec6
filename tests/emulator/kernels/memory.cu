// Addresses: each mistake beside its clean twin.

extern "C" __global__ void memory_global(float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = 1.0f;
}

extern "C" __global__ void memory_global_overrun(float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) out[i] = 1.0f;
}

extern "C" __global__ void memory_global_underrun(const float* in, float* out) {
    out[threadIdx.x] = in[static_cast<int>(threadIdx.x) - 1];
}

extern "C" __global__ void memory_dynamic(float* out) {
    extern __shared__ float tile[];
    tile[threadIdx.x] = 1.0f;
    __syncthreads();
    out[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

extern "C" __global__ void memory_dynamic_overrun(float* out) {
    extern __shared__ __align__(16) float tile[];
    tile[threadIdx.x + 1] = 1.0f;
    __syncthreads();
    out[threadIdx.x] = tile[threadIdx.x + 1];
}

// Two arrays, so that the overrun of the first could reach the second.
extern "C" __global__ void memory_static(float* out, int shift) {
    __shared__ float first[32];
    __shared__ float second[32];
    first[threadIdx.x] = 1.0f;
    second[threadIdx.x] = 2.0f;
    __syncthreads();
    first[threadIdx.x + shift] = 3.0f;
    __syncthreads();
    out[threadIdx.x] = first[threadIdx.x] + second[threadIdx.x];
}

extern "C" __global__ void memory_double_through_pointer(const float* in, double* out, int shift) {
    out[threadIdx.x] = *reinterpret_cast<const double*>(in + 2 * threadIdx.x + shift);
}

extern "C" __global__ void memory_copy(const float* in, float* out) { out[threadIdx.x] = in[threadIdx.x]; }

extern "C" __global__ void memory_sum_of_uninitialised(float* out) {
    __shared__ float part[64];
    if (threadIdx.x != 7) part[threadIdx.x] = 1.0f;
    __syncthreads();
    out[threadIdx.x] = part[63 - threadIdx.x];
}

extern "C" __global__ void memory_sum_of_initialised(float* out) {
    __shared__ float part[64];
    part[threadIdx.x] = 1.0f;
    __syncthreads();
    out[threadIdx.x] = part[63 - threadIdx.x];
}

extern "C" __global__ void memory_bytes(unsigned char* flags, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) flags[i] = static_cast<unsigned char>(i);
}

// Takes what nobody wrote for a number of steps: the fill of shared memory makes it 4e9.
extern "C" __global__ void memory_steps_of_uninitialised(unsigned* out) {
    __shared__ unsigned steps;
    if (threadIdx.x > 32) steps = 3;
    for (unsigned step = 0; step < steps; ++step) atomicAdd(out, 1u);
}
