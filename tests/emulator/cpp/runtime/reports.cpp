// What the checker found, in words, with places in the source.
#include <dlfcn.h>
#include <link.h>

#include <cstdio>
#include <cstring>
#include <mutex>

#include "runtime/machine.h"

namespace emulator {
namespace {

constexpr size_t MESSAGES_A_LAUNCH = 32;
constexpr size_t MESSAGES_A_PROCESS = 1000;

std::unordered_map<std::string, uint64_t> seen;  // findings of this launch, by kind and place
std::mutex reports_lock;
std::vector<std::string> reports;

struct Image {
    uintptr_t begin = 0, end = 0;
    std::string path;

    Image() {
        Dl_info info{};
        if (!dladdr(reinterpret_cast<void*>(&find_image), &info)) return;
        begin = reinterpret_cast<uintptr_t>(info.dli_fbase);
        path = info.dli_fname;
        dl_iterate_phdr(&find_image, this);
    }

    static int find_image(dl_phdr_info* info, size_t, void* data) {
        auto* image = static_cast<Image*>(data);
        if (info->dlpi_addr != image->begin) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
            const auto& segment = info->dlpi_phdr[i];
            if (segment.p_type != PT_LOAD) continue;
            uintptr_t end = info->dlpi_addr + segment.p_vaddr + segment.p_memsz;
            if (end > image->end) image->end = end;
        }
        return 1;
    }
};

const Image& image() {
    static const Image found;
    return found;
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// The innermost line that is not of the emulation's own headers.
std::string first_kernel_line(FILE* lines) {
    char line[512];
    std::string first;
    while (std::fgets(line, sizeof line, lines)) {
        std::string place(line);
        place.resize(place.find_last_not_of(" \n") + 1);
        size_t comment = place.find(" (");  // "file:42 (discriminator 3)"
        if (comment != std::string::npos) place.resize(comment);
        if (place.empty() || place.find("??") != std::string::npos) continue;
        if (first.empty()) first = place;
        if (place.find("/cpp/device/") == std::string::npos) return file_name(place);
    }
    return file_name(first);
}

}  // namespace

void report(Finding finding, const std::string& place, const std::string& message) {
    ++machine.report.errors;
    std::string key = std::to_string(static_cast<int>(finding)) + place;
    if (seen[key]++ == 0 && machine.report.messages.size() < MESSAGES_A_LAUNCH) {
        machine.report.messages.push_back(message);
        add_report(std::string(machine.kernel ? machine.kernel->name : "?") + ": " + message);
    }
}

void begin_reports() { seen.clear(); }

std::string describe(Place place) { return file_name(place.file) + ":" + std::to_string(place.line); }

std::string describe_thread() {
    const uint3& t = machine.current->thread;
    return "block " + std::to_string(machine.block) + " thread (" + std::to_string(t.x) + "," + std::to_string(t.y) +
           "," + std::to_string(t.z) + ")";
}

uintptr_t image_base() { return image().begin; }
bool is_in_image(uintptr_t address) { return address >= image().begin && address < image().end; }

std::string describe_address(uintptr_t program_counter) {
    static std::unordered_map<uintptr_t, std::string> known;
    auto [entry, is_new] = known.try_emplace(program_counter);
    if (!is_new) return entry->second;
    char text[1024];
    auto offset = static_cast<unsigned long long>(program_counter - image_base());
    std::snprintf(text, sizeof text, "0x%llx", offset);
    entry->second = text;
    // LD_LIBRARY_PATH and LD_PRELOAD are ours, not addr2line's.
    std::snprintf(text, sizeof text, "env -u LD_PRELOAD -u LD_LIBRARY_PATH addr2line -i -e '%s' 0x%llx 2>/dev/null",
                  image().path.c_str(), offset);
    if (FILE* lines = popen(text, "r")) {
        std::string place = first_kernel_line(lines);
        pclose(lines);
        if (!place.empty()) entry->second = place;
    }
    return entry->second;
}

void add_report(const std::string& message) {
    std::lock_guard<std::mutex> guard(reports_lock);
    if (reports.size() < MESSAGES_A_PROCESS) reports.push_back(message);
}

std::vector<std::string> all_reports() {
    std::lock_guard<std::mutex> guard(reports_lock);
    return reports;
}

void clear_reports() {
    std::lock_guard<std::mutex> guard(reports_lock);
    reports.clear();
}

}  // namespace emulator
