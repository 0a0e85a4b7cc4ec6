// Regions of memory that the checker knows, with a shadow that remembers who touched what.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/launch.h"

namespace emulator {

/// Who accessed a word, when, and where in the program: enough to tell whether a later access races with it.
struct Access {
    uint32_t block = 0;  // plus one; zero means that there was none
    uint32_t program_counter = 0;
    uint32_t interval : 22, thread : 10;  // barrier interval of the block; thread within it
    uint32_t clock : 31, is_atomic : 1;   // the thread's clock within its warp

    Access() : interval(0), thread(0), clock(0), is_atomic(0) {}
    bool exists() const { return block != 0; }
};

/// History of one word, or of one byte where a page is also accessed in smaller units.
struct Cell {
    Access write;
    // Readers that a later write may race with: the last one, the last other one of its warp, of its block, of
    // another block. One slot alone would let the writer's own read hide another thread's.
    std::array<Access, 4> reads;
};

constexpr size_t PAGE_BYTES = 4096;

struct Page {
    uint64_t epoch = 0;       // launch (or block, for shared memory) that the history belongs to
    unsigned cell_shift = 2;  // a cell covers 1 << cell_shift bytes
    std::vector<Cell> cells;
};

enum class Space : uint8_t { Global, DynamicShared, StaticShared };

struct Region {
    Space space = Space::Global;
    int device = 0;
    const char* array = "";  // name of a static shared array
    uintptr_t begin = 0, end = 0;
    uint64_t epoch = 0;
    std::unique_ptr<Contents[], void (*)(void*)> contents{nullptr, nullptr};  // one a byte
    std::vector<std::unique_ptr<Page>> pages;

    Region() = default;
    Region(Space space, int device, uintptr_t begin, uintptr_t end);
    bool contains(uintptr_t address, size_t bytes) const { return address >= begin && address + bytes <= end; }
    size_t bytes() const { return end - begin; }
    const char* name() const { return space == Space::Global ? "global" : "shared"; }
    /// The history of the page, emptied if it is from an earlier epoch.
    Page& page(size_t index);
};

/// The allocation that this address is in or next to (its guard zone); null for any other address.
Region* find_global(uintptr_t address);
/// Fills memory with a pattern that is NaN as float and as double, and large and odd as an integer.
void fill_with_no_number(uintptr_t begin, uintptr_t end);
bool is_registered_host(uintptr_t address);

/// Called at the start of a launch: histories of earlier launches no longer count.
void begin_global_epoch();

/// Fresh shared memory for a block: uninitialised, and filled with what is no sensible number.
void begin_shared(Region& region);

/// The dynamic shared memory of the next launch.
Region& size_dynamic_shared(size_t bytes);
/// The static shared array, or the dynamic shared memory, that this address is in or next to; null for any other.
Region* find_shared(uintptr_t address);
/// Bytes of the static shared arrays that the running block has used.
size_t static_shared_bytes();
/// Called at the start of a block, with a number that no other block has.
void begin_shared_block(uint64_t block);

}  // namespace emulator
