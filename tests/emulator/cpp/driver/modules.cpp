// Modules, functions, launches. The image that the project loads is not run, but it must be what a device would
// accept, and it must contain the kernels that are asked for: those that run are the emulator's own of the same names.
#include <elf.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "driver/driver.h"

namespace emulator {
namespace {

constexpr uint32_t FATBIN_MAGIC = 0xba55ed50;

struct Function {
    const Kernel* kernel = nullptr;
    Device* device = nullptr;
    size_t max_dynamic_shared = 0;
    size_t static_shared = 0;  // known once the function has run
};

struct Module {
    std::vector<char> image;
    Device* device = nullptr;
    std::map<std::string, std::unique_ptr<Function>> functions;
};

// Never destroyed: threads of the process may still make calls while it exits.
std::map<void*, std::unique_ptr<Module>>& modules = *new std::map<void*, std::unique_ptr<Module>>;

/// Bytes that an image says it has; 0 if it is none. The driver is given only its start.
size_t image_bytes(const char* image) {
    uint32_t magic;
    std::memcpy(&magic, image, sizeof magic);
    if (magic == FATBIN_MAGIC) {
        // u32 magic, u16 version, u16 header size, u64 size of what follows the header
        uint16_t header;
        uint64_t body;
        std::memcpy(&header, image + 6, sizeof header);
        std::memcpy(&body, image + 8, sizeof body);
        return header + body;
    }
    if (std::memcmp(image, ELFMAG, SELFMAG) == 0) {
        Elf64_Ehdr header;
        std::memcpy(&header, image, sizeof header);
        size_t sections = header.e_shoff + size_t{header.e_shnum} * header.e_shentsize;
        size_t segments = header.e_phoff + size_t{header.e_phnum} * header.e_phentsize;
        return std::max(sections, segments);
    }
    // PTX is text; it starts with a comment or with its version.
    if (std::strncmp(image, "//", 2) == 0 || std::strncmp(image, ".version", 8) == 0) return std::strlen(image);
    return 0;
}

/// Whether the name stands in the image on its own, not as a part of a longer one.
bool contains_name(const std::vector<char>& image, std::string_view name) {
    auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; };
    std::string_view text(image.data(), image.size());
    for (size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
        size_t end = at + name.size();
        if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
    }
    return false;
}

Function* find_function(void* handle) {
    for (auto& [_, module] : modules) {
        for (auto& [__, function] : module->functions) {
            if (function.get() == handle) return function.get();
        }
    }
    return nullptr;
}

Result load(void** handle, std::vector<char> image) {
    auto module = std::make_unique<Module>();
    module->image = std::move(image);
    module->device = current_device();
    *handle = module.get();
    modules[*handle] = std::move(module);
    return SUCCESS;
}

/// Copies of the parameters: they are read when the launch runs, long after the call.
struct Parameters {
    std::vector<std::unique_ptr<char[]>> values;
    std::vector<void*> pointers;

    Parameters(const Kernel& kernel, void** given) {
        for (size_t i = 0; i < kernel.parameters; ++i) {
            values.push_back(std::make_unique<char[]>(kernel.parameter_bytes[i]));
            std::memcpy(values.back().get(), given[i], kernel.parameter_bytes[i]);
            pointers.push_back(values.back().get());
        }
    }
};

void run_launch(Device& device, Function& function, const Parameters& parameters, LaunchOptions options) {
    const Kernel& kernel = *function.kernel;
    options.seed = driver().seed * 1000003 + driver().random();
    if (driver().profile_path) {
        options.profiling = Profiling::On;
        options.schedule = Schedule::Forward;  // requests pair up as on a device
    }
    LaunchReport report = launch(kernel, parameters.pointers.data(), options);
    for (const AccessProfile& access : report.profile) driver().add_profile(kernel.name, access);
    function.static_shared = std::max(function.static_shared, report.static_shared);
    uint64_t threads = options.grid.count() * options.block.count();
    driver().clock_ms += 0.005 + static_cast<double>(threads) * 1e-6;
    if (report.errors == 0) return;
    std::fprintf(stderr, "trawl-emulator: kernel %s: %llu errors\n", kernel.name,
                 static_cast<unsigned long long>(report.errors));
    for (const std::string& message : report.messages) std::fprintf(stderr, "    %s\n", message.c_str());
    device.sticky = report.was_stuck ? LAUNCH_FAILED : ILLEGAL_ADDRESS;
}

Result check_launch(const Function& function, const LaunchOptions& options) {
    const Size3 &grid = options.grid, &block = options.block;
    std::string name = function.kernel->name;
    if (grid.count() == 0 || grid.y > 65535 || grid.z > 65535 || grid.x > 0x7fffffff)
        return refuse(INVALID_VALUE, name + ": grid size");
    if (block.count() == 0 || block.count() > MAX_THREADS || block.z > 64)
        return refuse(INVALID_VALUE, name + ": block size");
    if (block.count() > function.kernel->max_threads) {
        return refuse(LAUNCH_OUT_OF_RESOURCES, name + ": more threads than its launch bounds");
    }
    size_t default_dynamic = DEFAULT_SHARED - std::min(DEFAULT_SHARED, function.static_shared);
    if (options.dynamic_shared > std::max(default_dynamic, function.max_dynamic_shared)) {
        return refuse(INVALID_VALUE, name + ": more dynamic shared memory than the function's attribute allows");
    }
    return SUCCESS;
}

int resident_blocks(const Function& function, int threads, size_t dynamic_shared) {
    constexpr size_t RESERVED = 1 << 10, SHARED_A_MULTIPROCESSOR = 164 << 10;
    if (threads <= 0 || threads > static_cast<int>(function.kernel->max_threads)) return 0;
    size_t warps = (static_cast<size_t>(threads) + WARP_LANES - 1) / WARP_LANES;
    size_t by_threads = 2048 / WARP_LANES / warps;
    size_t by_shared = SHARED_A_MULTIPROCESSOR / (RESERVED + function.static_shared + dynamic_shared);
    return static_cast<int>(std::min({by_threads, by_shared, size_t{32}}));
}

}  // namespace
}  // namespace emulator

using namespace emulator;

EMULATOR_API int cuModuleLoadData(void** handle, const void* image) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    auto start = static_cast<const char*>(image);
    size_t bytes = image ? image_bytes(start) : 0;
    if (bytes == 0) return refuse(INVALID_IMAGE, "MODULE: the image is no fatbin, cubin or PTX");
    return load(handle, std::vector<char>(start, start + bytes));
}
EMULATOR_API int cuModuleLoadDataEx(void** handle, const void* image, unsigned, int*, void**) {
    return cuModuleLoadData(handle, image);
}

EMULATOR_API int cuModuleLoad(void** handle, const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return FILE_NOT_FOUND;
    std::vector<char> image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    image.resize(std::max<size_t>(image.size() + 1, sizeof(Elf64_Ehdr)));  // ends text; long enough to be looked at
    return cuModuleLoadData(handle, image.data());
}

EMULATOR_API int cuModuleUnload(void* handle) {
    EMULATOR_LOCK;
    auto found = modules.find(handle);
    if (found == modules.end()) return INVALID_HANDLE;
    // Launches in flight use its code.
    Result error = wait_for_device(*found->second->device);
    modules.erase(found);
    return error;
}

EMULATOR_API int cuModuleGetFunction(void** handle, void* module_handle, const char* name) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    auto found = modules.find(module_handle);
    if (found == modules.end()) return INVALID_HANDLE;
    Module& module = *found->second;
    if (!contains_name(module.image, name)) {
        return refuse(NOT_FOUND, std::string("MODULE: the image has no kernel ") + name +
                                     " (compressed images cannot be searched)");
    }
    const Kernel* kernel = find_kernel(name);
    if (!kernel) return refuse(NOT_FOUND, std::string("MODULE: the emulator was built without kernel ") + name);
    auto& function = module.functions[name];
    if (!function) {
        function = std::make_unique<Function>();
        function->kernel = kernel;
        function->device = module.device;
    }
    *handle = function.get();
    return SUCCESS;
}

EMULATOR_API int cuModuleGetGlobal_v2(void**, size_t*, void*, const char* name) {
    return refuse(NOT_FOUND, std::string("MODULE: the emulator knows no device variables; asked for ") + name);
}

namespace {
constexpr int MAX_DYNAMIC_SHARED_ATTRIBUTE = 8;
}

EMULATOR_API int cuFuncGetAttribute(int* value, int attribute, void* handle) {
    EMULATOR_LOCK;
    Function* function = find_function(handle);
    if (!function) return INVALID_HANDLE;
    switch (attribute) {
        case 0: *value = static_cast<int>(function->kernel->max_threads); break;  // threads a block
        case 1: *value = static_cast<int>(function->static_shared); break;        // static shared bytes
        case 4: *value = 32; break;                                               // registers: not known here
        case 5:
        case 6: *value = 80; break;  // PTX and binary version
        case MAX_DYNAMIC_SHARED_ATTRIBUTE:
            *value = static_cast<int>(std::max(DEFAULT_SHARED - std::min(DEFAULT_SHARED, function->static_shared),
                                               function->max_dynamic_shared));
            break;
        default: *value = 0; break;
    }
    return SUCCESS;
}

EMULATOR_API int cuFuncSetAttribute(void* handle, int attribute, int value) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Function* function = find_function(handle);
    if (!function) return INVALID_HANDLE;
    if (attribute != MAX_DYNAMIC_SHARED_ATTRIBUTE) return SUCCESS;
    if (value < 0 || static_cast<size_t>(value) + function->static_shared > MAX_SHARED) return INVALID_VALUE;
    function->max_dynamic_shared = static_cast<size_t>(value);
    return SUCCESS;
}
EMULATOR_API int cuFuncSetCacheConfig(void*, int) { return SUCCESS; }

EMULATOR_API int cuLaunchKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                unsigned block_y, unsigned block_z, unsigned dynamic_shared, void* stream_handle,
                                void** parameters, void** extra) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Function* function = find_function(handle);
    Stream* stream = find_stream(stream_handle);
    if (!function || !stream) return INVALID_HANDLE;
    if (function->device != stream->device) {
        return refuse(INVALID_HANDLE,
                      std::string(function->kernel->name) + ": function and stream belong to different devices");
    }
    if (extra) return NOT_SUPPORTED;
    LaunchOptions options;
    options.grid = {grid_x, grid_y, grid_z};
    options.block = {block_x, block_y, block_z};
    options.dynamic_shared = dynamic_shared;
    options.device = stream->device->ordinal;
    if (Result error = check_launch(*function, options)) return error;
    auto copies = std::make_shared<Parameters>(*function->kernel, parameters);
    enqueue(*stream, {"kernel", function->kernel->name},
            [device = stream->device, function, copies, options] { run_launch(*device, *function, *copies, options); });
    ++driver().statistics.launches;
    driver().statistics.threads += options.grid.count() * options.block.count();
    return SUCCESS;
}

EMULATOR_API int cuLaunchCooperativeKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                                           void*, void**) {
    return refuse(NOT_SUPPORTED, "LAUNCH: blocks run one after another, so a grid cannot synchronise");
}

EMULATOR_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void* handle, int threads,
                                                             size_t dynamic_shared) {
    EMULATOR_LOCK;
    Function* function = find_function(handle);
    if (!function) return INVALID_HANDLE;
    *blocks = resident_blocks(*function, threads, dynamic_shared);
    return SUCCESS;
}
EMULATOR_API int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, void* handle, int threads,
                                                                      size_t dynamic_shared, unsigned) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, handle, threads, dynamic_shared);
}

EMULATOR_API int cuOccupancyMaxPotentialBlockSize(int* min_grid, int* block, void* handle, size_t (*shared_of)(int),
                                                  size_t dynamic_shared, int limit) {
    EMULATOR_LOCK;
    Function* function = find_function(handle);
    if (!function) return INVALID_HANDLE;
    int most = static_cast<int>(function->kernel->max_threads), best = 0;
    if (limit > 0) most = std::min(most, limit);
    for (int threads = most / 32 * 32; threads >= 32; threads -= 32) {
        int resident = resident_blocks(*function, threads, shared_of ? shared_of(threads) : dynamic_shared);
        if (resident * threads <= best) continue;
        best = resident * threads;
        *block = threads;
        *min_grid = resident * driver().multiprocessors;
    }
    return best > 0 ? SUCCESS : INVALID_VALUE;
}
EMULATOR_API int cuOccupancyMaxPotentialBlockSizeWithFlags(int* min_grid, int* block, void* handle,
                                                           size_t (*shared_of)(int), size_t dynamic_shared, int limit,
                                                           unsigned) {
    return cuOccupancyMaxPotentialBlockSize(min_grid, block, handle, shared_of, dynamic_shared, limit);
}

EMULATOR_API int cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, void* handle, int blocks, int threads) {
    EMULATOR_LOCK;
    Function* function = find_function(handle);
    if (!function) return INVALID_HANDLE;
    if (blocks <= 0 || resident_blocks(*function, threads, 0) < blocks) return INVALID_VALUE;
    size_t each = (size_t{164} << 10) / static_cast<size_t>(blocks) - (1 << 10);
    *bytes = std::min(each, MAX_SHARED) - function->static_shared;
    return SUCCESS;
}
