// The emulated CUDA driver: state shared by its parts.
//
// Streams are queues that nothing empties until the host waits; then operations of all streams run in an order that
// the seed decides, held back only by what CUDA promises (order within a stream, events, the default stream). Missing
// synchronisation in host code therefore shows as wrong data.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/launch.h"

#define EMULATOR_API extern "C" __attribute__((visibility("default")))

namespace emulator {

/// CUresult values that the emulator gives.
enum Result : int {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    FILE_NOT_FOUND = 301,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_OUT_OF_RESOURCES = 701,
    LAUNCH_FAILED = 719,
    NOT_SUPPORTED = 801,
};

/// Same layout in Rust: see `Statistics` in src/statistics.rs.
struct Statistics {
    uint64_t upload_bytes, uploads;
    uint64_t download_bytes, downloads;
    uint64_t device_to_device_bytes, device_to_device_copies;
    uint64_t peer_bytes, peer_copies;
    uint64_t memset_bytes, memsets;
    uint64_t launches, threads;
    uint64_t allocations, frees;
    uint64_t device_bytes, peak_device_bytes;
    uint64_t pinned_bytes, peak_pinned_bytes;
    uint64_t synchronisations;
};

/// Set when the operation that carries it has run.
struct Completion {
    bool is_done = false;
    uint64_t operation = 0;  // its number in the trace, counting from 1
};
using Signal = std::shared_ptr<Completion>;

/// What the trace tells of a call.
struct Note {
    const char* kind;
    std::string name = {};  // of a kernel
    uint64_t bytes = 0;
    bool is_pinned = true;  // the host's side of a copy
};

struct Operation {
    bool is_bookkeeping = false;  // a free or an event: touches no data
    std::function<void()> run;
    std::vector<Signal> after;
    Signal done;
};

struct Device;

struct Stream {
    Device* device = nullptr;
    uint64_t number = 0;  // in the trace; 0 is a default stream
    bool follows_default_stream = false;  // created without CU_STREAM_NON_BLOCKING
    std::deque<Operation> queue;
    Signal last;
};

struct Device {
    int ordinal = 0;
    Stream default_stream;
    uint64_t used_bytes = 0;
    int sticky = SUCCESS;  // after a fault every call on the device fails, as on CUDA
};

struct Driver {
    std::recursive_mutex lock;
    bool is_initialised = false;
    std::vector<std::unique_ptr<Device>> devices;
    uint64_t memory_bytes = 0;  // of each device
    int multiprocessors = 0;
    uint64_t seed = 0, random_state = 0;
    double clock_ms = 0;  // simulated: only differences between events mean something, and little
    Statistics statistics{};

    std::map<void*, std::unique_ptr<Stream>> streams;
    uint64_t streams_made = 0, operations = 0;
    std::map<const char*, size_t> pinned;

    const char* profile_path = nullptr;  // TRAWL_EMULATOR_PROFILE: every launch is profiled, and the sums are written there
    std::map<std::pair<std::string, std::string>, AccessProfile> profiles;  // by kernel and access

    Driver();
    void add_profile(const char* kernel, const AccessProfile& access);
    void write_profile_file() const;
    void write_statistics_file() const;
    uint64_t random();
};

Driver& driver();

#define EMULATOR_LOCK std::lock_guard<std::recursive_mutex> guard(emulator::driver().lock)

/// Device of the thread's current context, or null.
Device* current_device();

/// Context in use and without a fault, or the error to return.
Result check_context();

/// Records a fault: printed, kept for the tests, and returned by every later call on the device.
void fault(Device& device, Result error, const std::string& message);
/// Tells of a call that a device refuses; the call returns the error.
Result refuse(Result error, const std::string& message);

// ---- streams.cpp
/// Null for a handle that is no live stream.
Stream* find_stream(void* handle);
void enqueue(Stream& stream, const Note& note, std::function<void()> run, std::vector<Signal> after = {});
Result wait_for(Stream& stream);
Result wait_for_device(Device& device);
bool run_one_operation();
/// Runs the frees that nothing holds back any more, so that memory in use is what a caller has not given back.
void run_ready_frees();

// ---- trace.cpp
/// An operation was put into a stream; it runs after those that `after` names.
void trace_operation(const Stream& stream, const Note& note, const Signal& done, const std::vector<Signal>& after);
/// The host waited for an operation (none: for nothing that was ever asked for), or did something at once.
void trace_host(const Note& note, const Signal& waited_for = nullptr);

// ---- memory.cpp
bool is_pinned(const void* address, size_t bytes);

}  // namespace emulator
