#include "runtime/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#if defined(EMULATOR_ADDRESS)
#include <sanitizer/asan_interface.h>
#endif

namespace emulator {
namespace {

// Device memory comes from one reserved range in granules, each known by its owner, so that any address is looked up
// at once. Addresses are handed out in rising order: a freed one is not used again until the range is exhausted.
constexpr size_t GRANULE = 64 << 10;
constexpr size_t ARENA_GRANULES = (size_t{128} << 30) / GRANULE;
constexpr size_t FILLED_BYTES = 16 << 20;  // of an allocation; the rest is zero, and still known to be unwritten
constexpr int NO_NUMBER = 0x7fffdead;      // NaN as float and as double, large and odd as integer

struct Arena {
    char* base = nullptr;
    Region** owners = nullptr;
    size_t next = 0;
    std::map<uintptr_t, std::unique_ptr<Region>> regions;

    void reserve() {
        if (base) return;
        void* map =
            mmap(nullptr, ARENA_GRANULES * GRANULE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        void* table = mmap(nullptr, ARENA_GRANULES * sizeof(Region*), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED || table == MAP_FAILED) {
            std::fprintf(stderr, "trawl-emulator: cannot reserve address space for device memory\n");
            std::abort();
        }
        base = static_cast<char*>(map);
        owners = static_cast<Region**>(table);
    }

    /// First granule of a free run; searched once around the arena.
    bool find_run(size_t granules, size_t& first) {
        for (int pass = 0; pass < 2; ++pass, next = 0) {
            size_t run = 0;
            for (size_t i = next; i < ARENA_GRANULES; ++i) {
                run = owners[i] ? 0 : run + 1;
                if (run == granules) {
                    first = i + 1 - granules;
                    next = i + 1;
                    return true;
                }
            }
        }
        return false;
    }
};

Arena& arena = *new Arena;  // never destroyed: threads may still make calls while the process exits
uint64_t global_epoch = 1;
// Never destroyed: threads of the process may still make calls while it exits.
std::map<uintptr_t, size_t>& host_ranges = *new std::map<uintptr_t, size_t>;

size_t granules_of(size_t bytes) { return (bytes + GRANULE - 1) / GRANULE; }

}  // namespace

// Written word by word: the compiler must not turn this into memset, which AddressSanitizer intercepts.
void fill_with_no_number(uintptr_t begin, uintptr_t end) {
    for (uintptr_t at = (begin + 3) & ~uintptr_t{3}; at + 4 <= end; at += 4) {
        *reinterpret_cast<volatile int*>(at) = NO_NUMBER;
    }
}

Region::Region(Space space, int device, uintptr_t begin, uintptr_t end)
    : space(space),
      device(device),
      begin(begin),
      end(end),
      // From calloc, since a large allocation of which little is used should cost little.
      contents(static_cast<Contents*>(std::calloc(std::max<size_t>(end - begin, 1), sizeof(Contents))), std::free),
      pages((end - begin + PAGE_BYTES - 1) / PAGE_BYTES) {}

Page& Region::page(size_t index) {
    auto& page = pages[index];
    uint64_t current = space == Space::Global ? global_epoch : epoch;
    if (!page) page = std::make_unique<Page>();
    if (page->epoch != current) {
        page->epoch = current;
        page->cell_shift = 2;
        page->cells.assign(PAGE_BYTES >> 2, Cell{});
    }
    return *page;
}

Region* find_global(uintptr_t address) {
    size_t offset = address - reinterpret_cast<uintptr_t>(arena.base);
    if (!arena.base || offset >= ARENA_GRANULES * GRANULE) return nullptr;
    return arena.owners[offset / GRANULE];
}

void begin_global_epoch() {
    ++global_epoch;
    // Histories are many times larger than what they describe; those not in use any more are dropped now and then.
    size_t pages = 0;
    for (auto& [_, region] : arena.regions) pages += region->pages.size();
    if (pages * PAGE_BYTES < (size_t{16} << 20)) return;
    for (auto& [_, region] : arena.regions) {
        for (auto& page : region->pages) {
            if (page && page->epoch + 1 < global_epoch) page.reset();
        }
    }
}

void* allocate_device_memory(int device, size_t bytes) {
    arena.reserve();
    size_t body = std::max<size_t>(granules_of(bytes), 1), first = 0;
    if (!arena.find_run(body + 2, first)) return nullptr;  // a guard granule on either side
    char* map = arena.base + first * GRANULE;
    if (mprotect(map, (body + 2) * GRANULE, PROT_READ | PROT_WRITE) != 0) return nullptr;
    uintptr_t begin = reinterpret_cast<uintptr_t>(map) + GRANULE;
    auto region = std::make_unique<Region>(Space::Global, device, begin, begin + bytes);
    fill_with_no_number(begin, begin + std::min(bytes, FILLED_BYTES));
#if defined(EMULATOR_ADDRESS)
    __asan_poison_memory_region(map, GRANULE);
    __asan_poison_memory_region(reinterpret_cast<void*>(begin + bytes), (body + 1) * GRANULE - bytes);
#endif
    std::fill(arena.owners + first, arena.owners + first + body + 2, region.get());
    arena.regions[begin] = std::move(region);
    return reinterpret_cast<void*>(begin);
}

bool free_device_memory(void* start) {
    auto found = arena.regions.find(reinterpret_cast<uintptr_t>(start));
    if (found == arena.regions.end()) return false;
    size_t body = std::max<size_t>(granules_of(found->second->bytes()), 1);
    char* map = static_cast<char*>(start) - GRANULE;
    size_t first = static_cast<size_t>(map - arena.base) / GRANULE;
#if defined(EMULATOR_ADDRESS)
    __asan_unpoison_memory_region(map, (body + 2) * GRANULE);
#endif
    // Give the pages back and forbid the addresses: a use after the free is then an illegal address.
    mmap(map, (body + 2) * GRANULE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    std::fill(arena.owners + first, arena.owners + first + body + 2, nullptr);
    arena.regions.erase(found);
    return true;
}

bool is_device_range(int device, const void* start, size_t bytes) {
    auto address = reinterpret_cast<uintptr_t>(start);
    Region* region = find_global(address);
    return region && region->device == device && region->contains(address, bytes);
}

void mark_contents(const void* start, size_t bytes, Contents contents) {
    auto address = reinterpret_cast<uintptr_t>(start);
    Region* region = find_global(address);
    if (!region || !region->contains(address, bytes)) return;
    std::fill_n(region->contents.get() + (address - region->begin), bytes, contents);
}

void copy_contents(const void* target, const void* source, size_t bytes) {
    Region* to = find_global(reinterpret_cast<uintptr_t>(target));
    Region* from = find_global(reinterpret_cast<uintptr_t>(source));
    if (!to || !from) return;
    std::memmove(to->contents.get() + (reinterpret_cast<uintptr_t>(target) - to->begin),
                 from->contents.get() + (reinterpret_cast<uintptr_t>(source) - from->begin), bytes);
}

void register_host_range(const void* start, size_t bytes) { host_ranges[reinterpret_cast<uintptr_t>(start)] = bytes; }
void unregister_host_range(const void* start) { host_ranges.erase(reinterpret_cast<uintptr_t>(start)); }

bool is_registered_host(uintptr_t address) {
    auto after = host_ranges.upper_bound(address);
    return after != host_ranges.begin() && address - std::prev(after)->first < std::prev(after)->second;
}

}  // namespace emulator
