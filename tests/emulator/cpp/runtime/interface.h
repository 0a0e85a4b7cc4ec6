// What kernels, compiled for the host, ask of the runtime. Kept free of the standard containers: the kernels are
// compiled with access hooks, and an inline function that both sides instantiate must not carry them into the runtime.
#pragma once
#include <cstddef>
#include <cstdint>

// Built-in variables of a thread.
struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emulator {

constexpr unsigned WARP_LANES = 32;
constexpr unsigned FULL_WARP = 0xffffffffu;

/// A place in the CUDA source. Barriers and shuffles are told apart by it, not by their address in the program, since
/// the host compiler may duplicate or merge a call.
struct Place {
    const char* file;
    int line;
};

enum class Vote { Count, And, Or };

/// Waits for every thread of the block; returns the vote over their values.
int block_barrier(int value, Vote vote, Place place);

/// Works on the payloads of all lanes in the mask once all of them have arrived.
using LaneFunction = void (*)(void* const payload[WARP_LANES], unsigned mask, void* context);

enum class Ordering { MemoryFence, None };

/// Waits for the lanes in the mask, then runs the function once. A shuffle orders no memory; __syncwarp does.
void warp_collective(unsigned mask, void* payload, LaneFunction function, void* context, Ordering ordering,
                     Place place);

unsigned lane();
unsigned live_lanes();

/// Called before an atomic reads and writes its operand.
void before_atomic(void* address, size_t bytes, const void* program_counter);

void async_copy(void* target, const void* source, size_t bytes, size_t zero_filled, const void* program_counter);
void async_commit();
void async_wait(unsigned batches_in_flight);

/// Start of the launch's dynamic shared memory.
void* dynamic_shared_memory();

/// A `__shared__` array of the source. The kernel's own static variable, filled in by the runtime.
struct SharedArray {
    size_t bytes, asked_alignment, type_alignment;
    const char* name;
    void* address = nullptr;
    void* region = nullptr;
    uint64_t block = 0;  // that it was last made ready for
};

/// Where the array is, made ready for the block if no thread of it has come by yet.
void* shared_array(SharedArray& array);

/// Ends the launch with an error, as __trap() does on a device.
[[noreturn]] void trap(Place place);

/// Seed of the perturbed library results (variant Perturbed).
uint64_t perturbation_seed();

/// A kernel as its translation unit describes it.
struct Kernel {
    const char* name;
    void (*run)(void* const* parameters);
    const size_t* parameter_bytes;
    size_t parameters;
    unsigned max_threads;
    Kernel* next;
};

void register_kernel(Kernel& kernel);

}  // namespace emulator
