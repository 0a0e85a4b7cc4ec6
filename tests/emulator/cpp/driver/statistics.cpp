// What tests ask of the emulator itself: statistics, reports, and launches without a module.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "driver/driver.h"

namespace emulator {
namespace {

/// Same layout in Rust: see src/direct.rs.
struct DirectOptions {
    uint32_t grid[3], block[3];
    uint64_t dynamic_shared, seed;
    int32_t device, schedule, profiling;
};

// Every field by name: the list is also the order of the JSON.
template <class F>
void for_each_statistic(const Statistics& s, F visit) {
    visit("upload_bytes", s.upload_bytes);
    visit("uploads", s.uploads);
    visit("download_bytes", s.download_bytes);
    visit("downloads", s.downloads);
    visit("device_to_device_bytes", s.device_to_device_bytes);
    visit("device_to_device_copies", s.device_to_device_copies);
    visit("peer_bytes", s.peer_bytes);
    visit("peer_copies", s.peer_copies);
    visit("memset_bytes", s.memset_bytes);
    visit("memsets", s.memsets);
    visit("launches", s.launches);
    visit("threads", s.threads);
    visit("allocations", s.allocations);
    visit("frees", s.frees);
    visit("device_bytes", s.device_bytes);
    visit("peak_device_bytes", s.peak_device_bytes);
    visit("pinned_bytes", s.pinned_bytes);
    visit("peak_pinned_bytes", s.peak_pinned_bytes);
    visit("synchronisations", s.synchronisations);
}

void write_quoted(FILE* file, const std::string& text) {
    std::fputc('"', file);
    for (char c : text) {
        if (c == '"' || c == '\\') std::fputc('\\', file);
        std::fputc(static_cast<unsigned char>(c) < ' ' ? ' ' : c, file);
    }
    std::fputc('"', file);
}

void write_statistics(const char* path, const Statistics& statistics) {
    FILE* file = std::fopen(path, "w");
    if (!file) return;
    std::fputs("{\n", file);
    for_each_statistic(statistics, [&](const char* name, uint64_t value) {
        std::fprintf(file, "  \"%s\": %llu,\n", name, static_cast<unsigned long long>(value));
    });
    std::fputs("  \"reports\": [", file);
    const char* separator = "";
    for (const std::string& report : all_reports()) {
        std::fputs(separator, file);
        write_quoted(file, report);
        separator = ", ";
    }
    std::fputs("]\n}\n", file);
    std::fclose(file);
}

/// Text for a caller that gives a buffer: returns the bytes that it takes.
size_t give(const std::string& text, char* buffer, size_t capacity) {
    if (buffer) std::memcpy(buffer, text.data(), std::min(capacity, text.size()));
    return text.size();
}

std::string direct_result;

}  // namespace

void Driver::write_statistics_file() const {
    if (const char* path = std::getenv("TRAWL_EMULATOR_STATISTICS")) write_statistics(path, statistics);
}

void Driver::add_profile(const char* kernel, const AccessProfile& access) {
    AccessProfile& sum = profiles[{kernel, access.what}];
    sum.requests += access.requests;
    sum.transactions += access.transactions;
    sum.ideal += access.ideal;
}

/// One line an access: kernel, access, requests, transactions, and the fewest that would have done.
void Driver::write_profile_file() const {
    FILE* file = profile_path ? std::fopen(profile_path, "w") : nullptr;
    if (!file) return;
    for (const auto& [key, sum] : profiles) {
        std::fprintf(file, "%s\t%s\t%llu\t%llu\t%llu\n", key.first.c_str(), key.second.c_str(),
                     static_cast<unsigned long long>(sum.requests), static_cast<unsigned long long>(sum.transactions),
                     static_cast<unsigned long long>(sum.ideal));
    }
    std::fclose(file);
}

}  // namespace emulator

using namespace emulator;

EMULATOR_API void emulator_statistics(Statistics* statistics) {
    EMULATOR_LOCK;
    *statistics = driver().statistics;
}

/// Counters start again; what is allocated stays counted, and is the new peak.
EMULATOR_API void emulator_reset_statistics() {
    EMULATOR_LOCK;
    Statistics fresh{};
    fresh.device_bytes = fresh.peak_device_bytes = driver().statistics.device_bytes;
    fresh.pinned_bytes = fresh.peak_pinned_bytes = driver().statistics.pinned_bytes;
    driver().statistics = fresh;
}

/// The reports of this process, one a line.
EMULATOR_API size_t emulator_reports(char* buffer, size_t capacity) {
    std::string text;
    for (const std::string& report : all_reports()) text += report + "\n";
    return give(text, buffer, capacity);
}

EMULATOR_API void emulator_reset_reports() { clear_reports(); }

EMULATOR_API void* emulator_allocate(int device, size_t bytes) {
    EMULATOR_LOCK;
    return allocate_device_memory(device, bytes);
}

EMULATOR_API int emulator_free(void* address) {
    EMULATOR_LOCK;
    return free_device_memory(address) ? SUCCESS : INVALID_VALUE;
}

EMULATOR_API void emulator_write(void* target, const void* source, size_t bytes) {
    EMULATOR_LOCK;
    std::memcpy(target, source, bytes);
    mark_contents(target, bytes, Contents::Written);
}

/// Launches a kernel of this library at once. Its report is kept for `emulator_direct_result`.
EMULATOR_API int emulator_launch(const char* name, const DirectOptions* given, void** parameters, size_t count) {
    EMULATOR_LOCK;
    const Kernel* kernel = find_kernel(name);
    if (!kernel) return NOT_FOUND;
    if (count != kernel->parameters) return INVALID_VALUE;
    LaunchOptions options;
    options.grid = {given->grid[0], given->grid[1], given->grid[2]};
    options.block = {given->block[0], given->block[1], given->block[2]};
    options.dynamic_shared = given->dynamic_shared;
    options.seed = given->seed;
    options.device = given->device;
    options.schedule = static_cast<Schedule>(given->schedule);
    options.profiling = static_cast<Profiling>(given->profiling);
    LaunchReport report = launch(*kernel, parameters, options);
    direct_result.clear();
    for (const std::string& message : report.messages) direct_result += "error\t" + message + "\n";
    for (const AccessProfile& access : report.profile) {
        direct_result += "profile\t" + access.what + "\t" + std::to_string(access.requests) + "\t" +
                         std::to_string(access.transactions) + "\t" + std::to_string(access.ideal) + "\n";
    }
    return SUCCESS;
}

EMULATOR_API size_t emulator_direct_result(char* buffer, size_t capacity) {
    EMULATOR_LOCK;
    return give(direct_result, buffer, capacity);
}
