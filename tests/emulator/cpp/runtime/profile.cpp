// Counts memory transactions. The k-th execution of an access by the lanes of a warp between two meetings (of the block
// or of the whole warp) is one request; global memory serves it in 32-byte sectors, shared memory in wavefronts of at most one word a bank.
#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "runtime/machine.h"

namespace emulator {
namespace {

constexpr uintptr_t SECTOR_BYTES = 32;
constexpr uintptr_t BANK_BYTES = 4;
constexpr uintptr_t BANKS = 32;

struct Request {
    unsigned lanes = 0;
    std::array<uintptr_t, WARP_LANES> address{};
};

struct Site {
    size_t bytes = 0;
    bool is_shared = false;
    AccessKind kind = AccessKind::Read;
    // Of each warp: how often each lane came by, and the requests made of that.
    std::vector<std::array<uint32_t, WARP_LANES>> visits;
    std::vector<std::vector<Request>> requests;
};

// Never destroyed: threads of the process may still make calls while it exits.
std::unordered_map<uintptr_t, Site>& sites = *new std::unordered_map<uintptr_t, Site>;
std::map<uintptr_t, AccessProfile>& totals = *new std::map<uintptr_t, AccessProfile>;

void count_sectors(const Site& site, const Request& request, AccessProfile& total) {
    std::vector<uintptr_t> sectors;
    for (unsigned i = 0; i < WARP_LANES; ++i) {
        if (!(request.lanes >> i & 1)) continue;
        uintptr_t last = (request.address[i] + site.bytes - 1) / SECTOR_BYTES;
        for (uintptr_t sector = request.address[i] / SECTOR_BYTES; sector <= last; ++sector) sectors.push_back(sector);
    }
    std::sort(sectors.begin(), sectors.end());
    total.transactions += static_cast<uint64_t>(std::unique(sectors.begin(), sectors.end()) - sectors.begin());
    size_t used = static_cast<size_t>(__builtin_popcount(request.lanes)) * site.bytes;
    total.ideal += (used + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

void count_wavefronts(const Site& site, const Request& request, AccessProfile& total) {
    // Wide accesses are served in halves or quarters of a warp.
    unsigned group = site.bytes <= 4 ? 32 : site.bytes == 8 ? 16 : 8;
    for (unsigned first = 0; first < WARP_LANES; first += group) {
        std::vector<uintptr_t> words;
        for (unsigned i = first; i < first + group; ++i) {
            if (!(request.lanes >> i & 1)) continue;
            uintptr_t last = (request.address[i] + site.bytes - 1) / BANK_BYTES;
            for (uintptr_t word = request.address[i] / BANK_BYTES; word <= last; ++word) words.push_back(word);
        }
        if (words.empty()) continue;
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        std::array<uint64_t, BANKS> in_bank{};
        for (uintptr_t word : words) ++in_bank[word % BANKS];
        total.transactions += *std::max_element(in_bank.begin(), in_bank.end());
        ++total.ideal;
    }
}

}  // namespace

void begin_profile() {
    sites.clear();
    totals.clear();
}

void record_request(uintptr_t address, size_t bytes, AccessKind kind, uintptr_t program_counter, bool is_shared) {
    const Fiber& fiber = *machine.current;
    Site& site = sites[program_counter];
    site.bytes = bytes;
    site.is_shared = is_shared;
    site.kind = kind;
    site.visits.resize(machine.warps.size());
    site.requests.resize(machine.warps.size());
    uint32_t visit = site.visits[fiber.warp][fiber.lane]++;
    auto& requests = site.requests[fiber.warp];
    if (requests.size() <= visit) requests.resize(visit + 1);
    requests[visit].lanes |= 1u << fiber.lane;
    requests[visit].address[fiber.lane] = address;
}

void count_requests(size_t warp) {
    for (auto& [program_counter, site] : sites) {
        // A launch of fewer warps may have come by before.
        if (site.requests.size() <= warp || site.requests[warp].empty()) continue;
        AccessProfile& total = totals[program_counter];
        if (total.what.empty()) {
            total.what = std::string(site.is_shared ? "shared " : "global ") +
                         (site.kind == AccessKind::Read ? "load at " : "store at ") + describe_address(program_counter);
        }
        for (const Request& request : site.requests[warp]) {
            ++total.requests;
            if (site.is_shared) {
                count_wavefronts(site, request, total);
            } else {
                count_sectors(site, request, total);
            }
        }
        site.requests[warp].clear();
        site.visits[warp] = {};
    }
}

void count_requests() {
    for (size_t warp = 0; warp < machine.warps.size(); ++warp) count_requests(warp);
}

void end_profile() {
    count_requests();
    for (auto& [_, total] : totals) machine.report.profile.push_back(total);
}

}  // namespace emulator
