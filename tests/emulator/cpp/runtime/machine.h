// State of the launch that runs. One launch runs at a time in a process, on whichever host thread drives it.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/fibers.h"
#include "runtime/launch.h"
#include "runtime/memory.h"

namespace emulator {

/// Lanes that wait for each other at a warp collective.
struct Rendezvous {
    unsigned mask, arrived;
    void* payload[WARP_LANES];
    LaneFunction function;
    void* context;
    Ordering ordering;
    Place place;
};

struct Warp {
    unsigned first_thread = 0;
    unsigned live = 0;  // lanes that exist and have not exited
    std::vector<Rendezvous> open;
    // clocks[i][j]: the last moment of lane j that is ordered before lane i's present.
    uint32_t clocks[WARP_LANES][WARP_LANES];

    void reset_clocks();
    void join_clocks(unsigned mask);
};

struct BlockBarrier {
    unsigned arrived = 0;
    Place place{};  // of the first to arrive
    int count = 0, all = 1, any = 0;
    int results[2][3] = {};  // of this barrier interval and the last, for threads that have yet to read them
};

struct Machine {
    LaunchOptions options;
    const Kernel* kernel = nullptr;
    void* const* parameters = nullptr;
    LaunchReport report;

    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    std::vector<unsigned> ready;
    Fiber* current = nullptr;

    bool is_running = false;
    uint32_t block = 0, interval = 0;
    unsigned live = 0;
    BlockBarrier barrier;

    uint64_t random_state = 1;
    uint64_t random();
    void wake(Fiber& fiber);
};

extern Machine machine;

// ---- reports.cpp
enum class Finding {
    Race,
    Uninitialised,
    OutOfBounds,
    IllegalAddress,
    Misaligned,
    Unlanded,
    Barrier,
    Warp,
    Deadlock,
    Configuration,
    Trap,
    Endless
};

/// Counts a finding, and keeps its message if it is the first of its kind at this place.
void report(Finding finding, const std::string& place, const std::string& message);
void begin_reports();
std::string describe(Place place);
std::string describe_thread();
/// "kernel.cu:42" where the debug information tells, else the address.
std::string describe_address(uintptr_t program_counter);
uintptr_t image_base();
/// Whether the address is in this library: constants, static tables.
bool is_in_image(uintptr_t address);

/// Gives up the launch from within a fiber, which never runs again.
[[noreturn]] void abort_launch();

// ---- checker.cpp
enum class AccessKind { Read, Write, Atomic };
void check_access(uintptr_t address, size_t bytes, AccessKind kind, uintptr_t program_counter);

// ---- barriers.cpp
void leave_block_barrier_on_exit();
void leave_warp_on_exit(Fiber& fiber);

// ---- async_copy.cpp
void finish_async_copies(Fiber& fiber);

// ---- profile.cpp
void begin_profile();
void record_request(uintptr_t address, size_t bytes, AccessKind kind, uintptr_t program_counter, bool is_shared);
void count_requests();            // of the interval that ends
void count_requests(size_t warp);  // of a warp whose lanes have met
void end_profile();

}  // namespace emulator
