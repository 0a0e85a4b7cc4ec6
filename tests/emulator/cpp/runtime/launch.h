// The runtime seen from the driver and from tests: device memory, launches, reports.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/interface.h"

namespace emulator {

// Limits of the emulated device: those of compute capability 8.0.
constexpr unsigned MAX_THREADS = 1024;
constexpr size_t DEFAULT_SHARED = 48 << 10;
constexpr size_t MAX_SHARED = 163 << 10;

struct Size3 {
    unsigned x = 1, y = 1, z = 1;
    uint64_t count() const { return static_cast<uint64_t>(x) * y * z; }
};

enum class Schedule { Random, Forward, Reverse };
enum class Profiling { Off, On };

struct LaunchOptions {
    Size3 grid, block;
    size_t dynamic_shared = 0;
    int device = 0;
    uint64_t seed = 1;
    Schedule schedule = Schedule::Random;
    Profiling profiling = Profiling::Off;
};

/// Memory transactions of one access in the source: how many there were, and how few would have done.
struct AccessProfile {
    std::string what;
    uint64_t requests = 0, transactions = 0, ideal = 0;
};

struct LaunchReport {
    uint64_t errors = 0;
    bool aborted = false;    // nothing of the launch ran after the error
    bool was_stuck = false;  // deadlock or trap: no address was at fault
    uint64_t switches = 0, accesses = 0;
    uint64_t accesses_after_finding = 0;
    size_t static_shared = 0;  // the most that a block used
    std::vector<std::string> messages;
    std::vector<AccessProfile> profile;
};

const Kernel* find_kernel(const char* name);
LaunchReport launch(const Kernel& kernel, void* const* parameters, const LaunchOptions& options);

// ---- Device memory: each allocation has inaccessible surroundings and never shares addresses with an earlier one.

enum class Contents : uint8_t { Uninitialised = 0, Written = 1, InFlight = 2 };

void* allocate_device_memory(int device, size_t bytes);
/// False if this is not the start of a live allocation.
bool free_device_memory(void* start);
/// Whether the whole range lies in one live allocation of the device.
bool is_device_range(int device, const void* start, size_t bytes);
void mark_contents(const void* start, size_t bytes, Contents contents);
void copy_contents(const void* target, const void* source, size_t bytes);

// ---- Host memory that kernels may reach (pinned).
void register_host_range(const void* start, size_t bytes);
void unregister_host_range(const void* start);

// ---- Every report of this process.
void add_report(const std::string& message);
std::vector<std::string> all_reports();
void clear_reports();

}  // namespace emulator
