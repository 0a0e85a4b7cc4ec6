// Initialisation, devices, contexts, error names.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <cstring>

#include "driver/driver.h"

namespace emulator {
namespace {

constexpr uint64_t DEFAULT_MEMORY_BYTES = uint64_t{4} << 30;
constexpr int DEFAULT_MULTIPROCESSORS = 4;  // few, so that persistent kernels stay small

thread_local Device* context = nullptr;

uint64_t number_from_environment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}

Device* device_of_context(void* handle) {
    for (auto& device : driver().devices) {
        if (device.get() == handle) return device.get();
    }
    return nullptr;
}

}  // namespace

Driver::Driver() {
    uint64_t count = number_from_environment("TRAWL_EMULATOR_DEVICES", 1);
    for (uint64_t i = 0; i < count; ++i) {
        auto device = std::make_unique<Device>();
        device->ordinal = static_cast<int>(i);
        device->default_stream.device = device.get();
        device->default_stream.follows_default_stream = true;
        devices.push_back(std::move(device));
    }
    memory_bytes = number_from_environment("TRAWL_EMULATOR_MEMORY", DEFAULT_MEMORY_BYTES);
    multiprocessors =
        static_cast<int>(number_from_environment("TRAWL_EMULATOR_MULTIPROCESSORS", DEFAULT_MULTIPROCESSORS));
    seed = number_from_environment("TRAWL_EMULATOR_SEED", 1);
    profile_path = std::getenv("TRAWL_EMULATOR_PROFILE");
    random_state = (seed + 1) * 0x9e3779b97f4a7c15ull;
}

uint64_t Driver::random() {
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return random_state >> 33;
}

Driver& driver() {
    // Made at the first call, so that a test can set the environment before it. Never destroyed: threads of the process
    // may still make calls while it exits. Local statics are not guarded here (-fno-threadsafe-statics, which kernels
    // need), and two threads that open the device at once must not make two drivers.
    static std::once_flag once;
    static Driver* instance = nullptr;
    std::call_once(once, [] {
        instance = new Driver;
        std::atexit([] {
            driver().write_statistics_file();
            driver().write_profile_file();
        });
    });
    return *instance;
}

Device* current_device() { return context; }

Result check_context() {
    if (!driver().is_initialised) return NOT_INITIALIZED;
    if (!context) return INVALID_CONTEXT;
    return static_cast<Result>(context->sticky);
}

void fault(Device& device, Result error, const std::string& message) {
    std::fprintf(stderr, "trawl-emulator: %s\n", message.c_str());
    add_report(message);
    if (device.sticky == SUCCESS) device.sticky = error;
}

Result refuse(Result error, const std::string& message) {
    std::fprintf(stderr, "trawl-emulator: %s\n", message.c_str());
    add_report(message);
    return error;
}

}  // namespace emulator

using namespace emulator;

EMULATOR_API int cuInit(unsigned flags) {
    EMULATOR_LOCK;
    if (flags != 0) return INVALID_VALUE;
    if (driver().devices.empty()) return NO_DEVICE;
    driver().is_initialised = true;
    return SUCCESS;
}

EMULATOR_API int cuDriverGetVersion(int* version) {
    *version = 13000;
    return SUCCESS;
}

EMULATOR_API int cuDeviceGetCount(int* count) {
    EMULATOR_LOCK;
    if (!driver().is_initialised) return NOT_INITIALIZED;
    *count = static_cast<int>(driver().devices.size());
    return SUCCESS;
}

EMULATOR_API int cuDeviceGet(int* device, int ordinal) {
    EMULATOR_LOCK;
    if (!driver().is_initialised) return NOT_INITIALIZED;
    if (ordinal < 0 || ordinal >= static_cast<int>(driver().devices.size())) return INVALID_DEVICE;
    *device = ordinal;
    return SUCCESS;
}

EMULATOR_API int cuDeviceGetName(char* name, int length, int device) {
    std::snprintf(name, static_cast<size_t>(length), "Emulated CUDA device %d", device);
    return SUCCESS;
}

EMULATOR_API int cuDeviceTotalMem_v2(size_t* bytes, int) {
    EMULATOR_LOCK;
    *bytes = driver().memory_bytes;
    return SUCCESS;
}

EMULATOR_API int cuDeviceGetUuid_v2(char* uuid, int device) {
    std::memset(uuid, 0, 16);
    std::memcpy(uuid, "trawl-emulator", 14);
    uuid[15] = static_cast<char>(device);
    return SUCCESS;
}
EMULATOR_API int cuDeviceGetUuid(char* uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }

EMULATOR_API int cuDeviceGetPCIBusId(char* text, int length, int device) {
    std::snprintf(text, static_cast<size_t>(length), "0000:%02x:00.0", device + 1);
    return SUCCESS;
}

// Numbers of CUdevice_attribute; values of compute capability 8.0, but for the number of multiprocessors.
EMULATOR_API int cuDeviceGetAttribute(int* value, int attribute, int device) {
    EMULATOR_LOCK;
    switch (attribute) {
        case 1: *value = MAX_THREADS; break;  // threads a block
        case 2:
        case 3: *value = 1024; break;        // block x, y
        case 4: *value = 64; break;          // block z
        case 5: *value = 0x7fffffff; break;  // grid x
        case 6:
        case 7: *value = 65535; break;                      // grid y, z
        case 8: *value = DEFAULT_SHARED; break;             // shared bytes a block
        case 9: *value = 64 << 10; break;                   // constant bytes
        case 10: *value = WARP_LANES; break;                // lanes a warp
        case 12: *value = 65536; break;                     // registers a block
        case 13: *value = 1410000; break;                   // clock, kHz
        case 16: *value = driver().multiprocessors; break;  // multiprocessors
        case 33: *value = device + 1; break;                // PCI bus
        case 36: *value = 1215000; break;                   // memory clock, kHz
        case 37: *value = 5120; break;                      // memory bus, bits
        case 38: *value = 40 << 20; break;                  // second-level cache, bytes
        case 39: *value = 2048; break;                      // threads a multiprocessor
        case 40: *value = 3; break;                         // copy engines
        case 31:
        case 41:
        case 95:
        case 115: *value = 1; break;          // concurrent kernels, unified addresses, cooperative launch, memory pools
        case 75: *value = 8; break;           // compute capability, major
        case 76: *value = 0; break;           // compute capability, minor
        case 81: *value = 164 << 10; break;   // shared bytes a multiprocessor
        case 82: *value = 65536; break;       // registers a multiprocessor
        case 97: *value = MAX_SHARED; break;  // shared bytes a block, on request
        case 106: *value = 32; break;         // blocks a multiprocessor
        case 111: *value = 1024; break;       // shared bytes a block that the driver keeps
        default: *value = 0; break;
    }
    return SUCCESS;
}

// The primary context of a device is the device.
EMULATOR_API int cuDevicePrimaryCtxRetain(void** handle, int device) {
    EMULATOR_LOCK;
    if (!driver().is_initialised) return NOT_INITIALIZED;
    if (device < 0 || device >= static_cast<int>(driver().devices.size())) return INVALID_DEVICE;
    *handle = driver().devices[static_cast<size_t>(device)].get();
    return SUCCESS;
}
EMULATOR_API int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }

EMULATOR_API int cuCtxSetCurrent(void* handle) {
    EMULATOR_LOCK;
    Device* device = handle ? device_of_context(handle) : nullptr;
    if (handle && !device) return INVALID_CONTEXT;
    context = device;
    return SUCCESS;
}

EMULATOR_API int cuCtxGetCurrent(void** handle) {
    *handle = current_device();
    return SUCCESS;
}

EMULATOR_API int cuCtxGetDevice(int* ordinal) {
    if (!current_device()) return INVALID_CONTEXT;
    *ordinal = current_device()->ordinal;
    return SUCCESS;
}

EMULATOR_API int cuCtxSynchronize() {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    ++driver().statistics.synchronisations;
    trace_host({"wait for stream"});
    return wait_for_device(*current_device());
}

EMULATOR_API int cuCtxSetFlags(unsigned) { return SUCCESS; }
EMULATOR_API int cuCtxGetLimit(size_t* value, int) { return *value = 0, SUCCESS; }
EMULATOR_API int cuCtxSetLimit(int, size_t) { return SUCCESS; }
EMULATOR_API int cuCtxGetCacheConfig(int* config) { return *config = 0, SUCCESS; }
EMULATOR_API int cuCtxSetCacheConfig(int) { return SUCCESS; }
EMULATOR_API int cuCtxGetStreamPriorityRange(int* least, int* greatest) { return *least = 0, *greatest = 0, SUCCESS; }
EMULATOR_API int cuProfilerStart() { return SUCCESS; }
EMULATOR_API int cuProfilerStop() { return SUCCESS; }

EMULATOR_API int cuGetErrorName(int error, const char** name) {
    switch (error) {
        case SUCCESS: *name = "CUDA_SUCCESS"; return SUCCESS;
        case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; return SUCCESS;
        case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return SUCCESS;
        case NOT_INITIALIZED: *name = "CUDA_ERROR_NOT_INITIALIZED"; return SUCCESS;
        case NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; return SUCCESS;
        case INVALID_DEVICE: *name = "CUDA_ERROR_INVALID_DEVICE"; return SUCCESS;
        case INVALID_IMAGE: *name = "CUDA_ERROR_INVALID_IMAGE"; return SUCCESS;
        case INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; return SUCCESS;
        case FILE_NOT_FOUND: *name = "CUDA_ERROR_FILE_NOT_FOUND"; return SUCCESS;
        case INVALID_HANDLE: *name = "CUDA_ERROR_INVALID_HANDLE"; return SUCCESS;
        case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; return SUCCESS;
        case NOT_READY: *name = "CUDA_ERROR_NOT_READY"; return SUCCESS;
        case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; return SUCCESS;
        case LAUNCH_OUT_OF_RESOURCES: *name = "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"; return SUCCESS;
        case LAUNCH_FAILED: *name = "CUDA_ERROR_LAUNCH_FAILED"; return SUCCESS;
        case NOT_SUPPORTED: *name = "CUDA_ERROR_NOT_SUPPORTED"; return SUCCESS;
        default: *name = nullptr; return INVALID_VALUE;
    }
}

EMULATOR_API int cuGetErrorString(int error, const char** text) {
    int known = cuGetErrorName(error, text);
    if (error == OUT_OF_MEMORY) *text = "out of memory";
    if (error == ILLEGAL_ADDRESS) *text = "an illegal memory access was encountered";
    return known;
}
