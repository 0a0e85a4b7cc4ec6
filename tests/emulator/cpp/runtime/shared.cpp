// Shared memory of a block. Each array, and the dynamic part, lies between guards of its own.
#include <sys/mman.h>

#include <algorithm>
#include <array>

#include "runtime/machine.h"

#if defined(EMULATOR_ADDRESS)
#include <sanitizer/asan_interface.h>
#endif

namespace emulator {
namespace {

// The arena is cut into granules, each known by the region that it is in or next to.
constexpr size_t GRANULE = 4 << 10;
constexpr size_t GUARD_GRANULES = 4;
constexpr size_t ARENA_GRANULES = (size_t{64} << 20) / GRANULE;
constexpr size_t DYNAMIC_GRANULES = MAX_SHARED / GRANULE + 1;

struct Arena {
    uintptr_t base;
    std::array<Region*, ARENA_GRANULES> owners{};
    size_t used = 0;
    Region dynamic;
    uint64_t block = 0;
    size_t static_bytes = 0;

    Arena() {
        void* map = mmap(nullptr, ARENA_GRANULES * GRANULE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        base = reinterpret_cast<uintptr_t>(map);
        dynamic = Region(Space::DynamicShared, 0, 0, 0);
        uintptr_t begin = take(DYNAMIC_GRANULES, dynamic);
        dynamic.begin = dynamic.end = begin;
    }

    /// A run of granules with a guard on either side; returns where the run begins.
    uintptr_t take(size_t granules, Region& owner) {
        size_t first = used;
        used += granules + 2 * GUARD_GRANULES;
        if (used > ARENA_GRANULES) return 0;
        std::fill(owners.begin() + static_cast<std::ptrdiff_t>(first),
                  owners.begin() + static_cast<std::ptrdiff_t>(used), &owner);
        return base + (first + GUARD_GRANULES) * GRANULE;
    }
};

Arena& arena() {
    static Arena instance;
    return instance;
}

/// Lets AddressSanitizer see the guards, from the end of the region to that of its run.
void poison_around(const Region& region, size_t granules) {
    (void)region, (void)granules;
#if defined(EMULATOR_ADDRESS)
    size_t guard = GUARD_GRANULES * GRANULE, run = granules * GRANULE;
    __asan_poison_memory_region(reinterpret_cast<void*>(region.begin - guard), run + 2 * guard);
    __asan_unpoison_memory_region(reinterpret_cast<void*>(region.begin), region.bytes());
#endif
}

}  // namespace

Region* find_shared(uintptr_t address) {
    size_t offset = address - arena().base;
    return offset < ARENA_GRANULES * GRANULE ? arena().owners[offset / GRANULE] : nullptr;
}

Region& size_dynamic_shared(size_t bytes) {
    Region& dynamic = arena().dynamic;
    if (dynamic.bytes() != bytes) dynamic = Region(Space::DynamicShared, 0, dynamic.begin, dynamic.begin + bytes);
    poison_around(dynamic, DYNAMIC_GRANULES);
    return dynamic;
}

void begin_shared(Region& region) {
    region.epoch = arena().block;
    std::fill_n(region.contents.get(), region.bytes(), Contents::Uninitialised);
    fill_with_no_number(region.begin, region.end);
}

void begin_shared_block(uint64_t block) {
    arena().block = block;
    arena().static_bytes = 0;
    begin_shared(arena().dynamic);
}

size_t static_shared_bytes() { return arena().static_bytes; }

void* dynamic_shared_memory() { return reinterpret_cast<void*>(arena().dynamic.begin); }

void* shared_array(SharedArray& array) {
    Arena& shared = arena();
    if (array.block == shared.block) return array.address;
    if (!array.region) {
        // Lives as long as the process: the source has finitely many arrays.
        auto* region = new Region();
        size_t granules = (array.bytes + GRANULE - 1) / GRANULE;
        uintptr_t begin = shared.take(granules, *region);
        if (begin == 0) trap({array.name, 0});
        *region = Region(Space::StaticShared, 0, begin, begin + array.bytes);
        region->array = array.name;
        poison_around(*region, granules);
        array.address = reinterpret_cast<void*>(begin);
        array.region = region;
    }
    array.block = shared.block;
    begin_shared(*static_cast<Region*>(array.region));
    shared.static_bytes += array.bytes;
    return array.address;
}

}  // namespace emulator
