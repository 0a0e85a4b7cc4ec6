// Device memory, pinned host memory, copies.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "driver/driver.h"

namespace emulator {
namespace {

// Simulated bandwidths, bytes a millisecond: pageable copies are staged and slower, as on a real bus.
constexpr double PINNED_BUS = 25e6, PAGEABLE_BUS = 12e6, DEVICE_MEMORY = 1e9;

uint64_t bytes_on_all_devices() {
    uint64_t bytes = 0;
    for (auto& device : driver().devices) bytes += device->used_bytes;
    return bytes;
}

void count_device_bytes() {
    Statistics& statistics = driver().statistics;
    statistics.device_bytes = bytes_on_all_devices();
    statistics.peak_device_bytes = std::max(statistics.peak_device_bytes, statistics.device_bytes);
}

struct Allocation {
    Device* device;
    size_t bytes;
};
// Never destroyed: threads of the process may still make calls while it exits.
std::map<void*, Allocation>& allocations = *new std::map<void*, Allocation>;

Result allocate(void** address, size_t bytes) {
    if (Result error = check_context()) return error;
    if (bytes == 0) return INVALID_VALUE;
    Device& device = *current_device();
    run_ready_frees();
    // Frees that are queued count as done if they are what it takes, as in a pool that waits for them.
    if (device.used_bytes + bytes > driver().memory_bytes) {
        trace_host({"wait for memory", {}, bytes}, device.default_stream.last);
        if (Result error = wait_for_device(device)) return error;
    }
    if (device.used_bytes + bytes > driver().memory_bytes) return OUT_OF_MEMORY;
    *address = allocate_device_memory(device.ordinal, bytes);
    if (!*address) return OUT_OF_MEMORY;
    allocations[*address] = {&device, bytes};
    device.used_bytes += bytes;
    ++driver().statistics.allocations;
    count_device_bytes();
    return SUCCESS;
}

Result release(void* address) {
    auto found = allocations.find(address);
    if (found == allocations.end()) {
        return refuse(INVALID_VALUE, "FREE of what is no live allocation (freed twice?)");
    }
    found->second.device->used_bytes -= found->second.bytes;
    allocations.erase(found);
    free_device_memory(address);
    ++driver().statistics.frees;
    count_device_bytes();
    return SUCCESS;
}

/// Checks at the call that a copy stays within one allocation of the stream's device.
bool is_within(const Stream& stream, const void* address, size_t bytes, const char* what) {
    if (is_device_range(stream.device->ordinal, address, bytes)) return true;
    refuse(INVALID_VALUE, std::string(what) + " of " + std::to_string(bytes) +
                              " bytes does not lie within one allocation of device " +
                              std::to_string(stream.device->ordinal));
    return false;
}

/// The same when the operation runs: memory may have been freed in between.
bool is_still_there(Device& device, const void* address, size_t bytes, const char* what) {
    if (is_device_range(device.ordinal, address, bytes)) return true;
    fault(device, ILLEGAL_ADDRESS, std::string(what) + ": the device memory was freed before the operation ran");
    return false;
}

Result upload(Stream& stream, void* target, const void* source, size_t bytes) {
    Device* device = stream.device;
    auto copy = [=](const void* from, double bus) {
        if (!is_still_there(*device, target, bytes, "UPLOAD")) return;
        std::memcpy(target, from, bytes);
        mark_contents(target, bytes, Contents::Written);
        driver().clock_ms += static_cast<double>(bytes) / bus;
    };
    if (is_pinned(source, bytes)) {
        enqueue(stream, {"upload", {}, bytes, true}, [=] { copy(source, PINNED_BUS); });  // reads the host's memory when it runs
    } else {
        // Pageable memory is staged before the call returns.
        auto start = static_cast<const char*>(source);
        auto staged = std::make_shared<std::vector<char>>(start, start + bytes);
        enqueue(stream, {"upload", {}, bytes, false}, [=] { copy(staged->data(), PAGEABLE_BUS); });
    }
    driver().statistics.upload_bytes += bytes;
    ++driver().statistics.uploads;
    return SUCCESS;
}

void download(Stream& stream, void* target, const void* source, size_t bytes) {
    Device* device = stream.device;
    double bus = is_pinned(target, bytes) ? PINNED_BUS : PAGEABLE_BUS;
    enqueue(stream, {"download", {}, bytes, is_pinned(target, bytes)}, [=] {
        if (!is_still_there(*device, source, bytes, "DOWNLOAD")) return;
        std::memcpy(target, source, bytes);
        driver().clock_ms += static_cast<double>(bytes) / bus;
    });
    driver().statistics.download_bytes += bytes;
    ++driver().statistics.downloads;
}

void set_bytes(Stream& stream, void* target, unsigned char value, size_t bytes) {
    Device* device = stream.device;
    enqueue(stream, {"memset", {}, bytes}, [=] {
        if (!is_still_there(*device, target, bytes, "MEMSET")) return;
        std::memset(target, value, bytes);
        mark_contents(target, bytes, Contents::Written);
        driver().clock_ms += static_cast<double>(bytes) / DEVICE_MEMORY;
    });
    driver().statistics.memset_bytes += bytes;
    ++driver().statistics.memsets;
}

void copy_on_device(Stream& stream, Device* to, void* target, Device* from, const void* source, size_t bytes) {
    enqueue(stream, {"copy", {}, bytes}, [=] {
        if (!is_still_there(*to, target, bytes, "COPY") || !is_still_there(*from, source, bytes, "COPY")) return;
        std::memmove(target, source, bytes);
        copy_contents(target, source, bytes);
        driver().clock_ms += static_cast<double>(bytes) / DEVICE_MEMORY;
    });
}

struct Call {
    Result error;
    Stream* stream;
};

Call begin(void* handle) {
    if (Result error = check_context()) return {error, nullptr};
    Stream* stream = find_stream(handle);
    return {stream ? SUCCESS : INVALID_HANDLE, stream};
}

}  // namespace

bool is_pinned(const void* address, size_t bytes) {
    auto start = static_cast<const char*>(address);
    auto after = driver().pinned.upper_bound(start);
    if (after == driver().pinned.begin()) return false;
    --after;
    return start + bytes <= after->first + after->second;
}

}  // namespace emulator

using namespace emulator;

EMULATOR_API int cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    *total_bytes = driver().memory_bytes;
    *free_bytes = driver().memory_bytes - current_device()->used_bytes;
    return SUCCESS;
}

EMULATOR_API int cuMemAlloc_v2(void** address, size_t bytes) {
    EMULATOR_LOCK;
    return allocate(address, bytes);
}

EMULATOR_API int cuMemAllocAsync(void** address, size_t bytes, void* handle) {
    EMULATOR_LOCK;
    Call call = begin(handle);
    return call.error ? call.error : allocate(address, bytes);
}

EMULATOR_API int cuMemFree_v2(void* address) {
    EMULATOR_LOCK;
    if (!address) return SUCCESS;
    if (Result error = check_context()) return error;
    if (Result error = wait_for_device(*current_device())) return error;
    return release(address);
}

EMULATOR_API int cuMemFreeAsync(void* address, void* handle) {
    EMULATOR_LOCK;
    if (!address) return SUCCESS;
    Call call = begin(handle);
    if (call.error) return call.error;
    Device* device = call.stream->device;
    enqueue(*call.stream, {"free"}, [=] {
        if (Result error = release(address)) device->sticky = error;
    });
    return SUCCESS;
}

// The pool keeps all that it has as it is: allocations are always counted one by one.
EMULATOR_API int cuDeviceGetDefaultMemPool(void** pool, int) { return *pool = pool, SUCCESS; }
EMULATOR_API int cuMemPoolSetAttribute(void*, int, void*) { return SUCCESS; }

EMULATOR_API int cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    constexpr size_t PAGE = 4096;
    *address = std::aligned_alloc(PAGE, (std::max<size_t>(bytes, 1) + PAGE - 1) / PAGE * PAGE);
    if (!*address) return OUT_OF_MEMORY;
    std::memset(*address, 0xff, bytes);  // reading before a download has finished shows
    driver().pinned[static_cast<char*>(*address)] = bytes;
    register_host_range(*address, bytes);
    Statistics& statistics = driver().statistics;
    statistics.pinned_bytes += bytes;
    trace_host({"pin", {}, bytes});
    statistics.peak_pinned_bytes = std::max(statistics.peak_pinned_bytes, statistics.pinned_bytes);
    return SUCCESS;
}

EMULATOR_API int cuMemFreeHost(void* address) {
    EMULATOR_LOCK;
    auto found = driver().pinned.find(static_cast<const char*>(address));
    if (found == driver().pinned.end()) return refuse(INVALID_VALUE, "FREE of what is no live pinned allocation");
    trace_host({"unpin", {}, found->second});
    // Work in flight may use it, on any device.
    for (auto& device : driver().devices) wait_for_device(*device);
    driver().statistics.pinned_bytes -= found->second;
    unregister_host_range(address);
    driver().pinned.erase(found);
    std::free(address);
    return SUCCESS;
}

EMULATOR_API int cuMemcpyHtoDAsync_v2(void* target, const void* source, size_t bytes, void* handle) {
    EMULATOR_LOCK;
    Call call = begin(handle);
    if (call.error || bytes == 0) return call.error;
    if (!is_within(*call.stream, target, bytes, "UPLOAD")) return INVALID_VALUE;
    return upload(*call.stream, target, source, bytes);
}

EMULATOR_API int cuMemcpyDtoHAsync_v2(void* target, const void* source, size_t bytes, void* handle) {
    EMULATOR_LOCK;
    Call call = begin(handle);
    if (call.error || bytes == 0) return call.error;
    if (!is_within(*call.stream, source, bytes, "DOWNLOAD")) return INVALID_VALUE;
    download(*call.stream, target, source, bytes);
    if (is_pinned(target, bytes)) return SUCCESS;
    trace_host({"wait for stream"}, call.stream->last);
    return wait_for(*call.stream);
}

EMULATOR_API int cuMemcpyDtoDAsync_v2(void* target, const void* source, size_t bytes, void* handle) {
    EMULATOR_LOCK;
    Call call = begin(handle);
    if (call.error || bytes == 0) return call.error;
    Stream& stream = *call.stream;
    if (!is_within(stream, target, bytes, "COPY to") || !is_within(stream, source, bytes, "COPY from"))
        return INVALID_VALUE;
    copy_on_device(stream, stream.device, target, stream.device, source, bytes);
    driver().statistics.device_to_device_bytes += bytes;
    ++driver().statistics.device_to_device_copies;
    return SUCCESS;
}

EMULATOR_API int cuMemcpyPeerAsync(void* target, void* to, const void* source, void* from, size_t bytes, void* handle) {
    EMULATOR_LOCK;
    Call call = begin(handle);
    if (call.error || bytes == 0) return call.error;
    auto *target_device = static_cast<Device*>(to), *source_device = static_cast<Device*>(from);
    if (!is_device_range(target_device->ordinal, target, bytes) ||
        !is_device_range(source_device->ordinal, source, bytes)) {
        return refuse(INVALID_VALUE, "COPY between devices: a range does not lie within one allocation of its device");
    }
    copy_on_device(*call.stream, target_device, target, source_device, source, bytes);
    driver().statistics.peer_bytes += bytes;
    ++driver().statistics.peer_copies;
    return SUCCESS;
}

EMULATOR_API int cuMemsetD8Async(void* target, unsigned char value, size_t bytes, void* handle) {
    EMULATOR_LOCK;
    Call call = begin(handle);
    if (call.error || bytes == 0) return call.error;
    if (!is_within(*call.stream, target, bytes, "MEMSET")) return INVALID_VALUE;
    set_bytes(*call.stream, target, value, bytes);
    return SUCCESS;
}

// The calls without a stream use the default stream. An upload from pageable memory and a memset may return before
// the device is done; a download returns when its bytes are there.
EMULATOR_API int cuMemcpyHtoD_v2(void* target, const void* source, size_t bytes) {
    EMULATOR_LOCK;
    int error = cuMemcpyHtoDAsync_v2(target, source, bytes, nullptr);
    if (error || bytes == 0 || !is_pinned(source, bytes)) return error;
    return wait_for(current_device()->default_stream);
}
EMULATOR_API int cuMemcpyDtoH_v2(void* target, const void* source, size_t bytes) {
    EMULATOR_LOCK;
    int error = cuMemcpyDtoHAsync_v2(target, source, bytes, nullptr);
    return error || bytes == 0 ? error : wait_for(current_device()->default_stream);
}
EMULATOR_API int cuMemcpyDtoD_v2(void* target, const void* source, size_t bytes) {
    return cuMemcpyDtoDAsync_v2(target, source, bytes, nullptr);
}
EMULATOR_API int cuMemsetD8_v2(void* target, unsigned char value, size_t bytes) {
    return cuMemsetD8Async(target, value, bytes, nullptr);
}
