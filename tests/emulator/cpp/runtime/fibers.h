// One fiber a CUDA thread: a stack of its own and a switch of eight instructions.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/interface.h"

namespace emulator {

enum class FiberState : uint8_t { Ready, AtBlockBarrier, AtWarpCollective, Finished };

struct AsyncCopy {
    void* target;
    const void* source;
    size_t bytes, zero_filled;
    const void* program_counter;
    bool has_moved;
};

struct Fiber {
    uint3 thread;
    unsigned linear, lane, warp;
    FiberState state;
    Place place;  // where it waits
    std::vector<AsyncCopy> open_batch;
    std::deque<std::vector<AsyncCopy>> batches;

    char* stack = nullptr;
    void* stack_pointer = nullptr;
    void* sanitizer_stack = nullptr;
};

/// Puts a fiber at the start of `entry`, on a stack of its own.
void prepare_fiber(Fiber& fiber, void (*entry)());
void release_stack(Fiber& fiber);
bool is_on_stack(const Fiber& fiber, uintptr_t address);

/// Runs a fiber until it suspends itself. Called by the scheduler.
void resume(Fiber& fiber);
/// Goes back to the scheduler. Called on the fiber.
void suspend(Fiber& fiber);
/// First thing that a new fiber does.
void begin_fiber(Fiber& fiber);

}  // namespace emulator
