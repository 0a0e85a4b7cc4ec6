// Judges each access of a kernel: is the address the kernel's to use, has it been written, does it race?
#include <cstdio>
#include <cstring>

#include "runtime/machine.h"

namespace emulator {
namespace {

// Variants without hooks in the kernels do not check at all: nobody knows what their plain stores have written.
#if defined(EMULATOR_WITHOUT_HOOKS)
constexpr bool HAS_HOOKS = false;
#else
constexpr bool HAS_HOOKS = true;
#endif

const char* verb(AccessKind kind) {
    return kind == AccessKind::Read ? "read" : kind == AccessKind::Write ? "write" : "atomic";
}

/// Shared memory of the block, or the allocation at or next to the address.
Region* find_region(uintptr_t address) {
    Region* shared = find_shared(address);
    return shared ? shared : find_global(address);
}

std::string where(const Region& region, uintptr_t address) {
    std::string array = *region.array ? std::string(" array ") + region.array : " memory";
    return region.name() + array + ", offset " + std::to_string(static_cast<long long>(address - region.begin)) +
           " of " + std::to_string(region.bytes());
}

Access access_now(AccessKind kind, uintptr_t program_counter) {
    const Fiber& fiber = *machine.current;
    Access access;
    access.block = machine.block + 1;
    access.program_counter = static_cast<uint32_t>(program_counter - image_base());
    access.interval = machine.interval;
    access.thread = fiber.linear;
    access.clock = machine.warps[fiber.warp].clocks[fiber.lane][fiber.lane];
    access.is_atomic = kind == AccessKind::Atomic;
    return access;
}

/// Whether nothing orders the earlier access before the present one.
bool is_unordered(const Access& earlier, const Access& now) {
    if (!earlier.exists()) return false;
    if (earlier.block != now.block) return true;  // nothing orders blocks of one launch
    if (earlier.thread == now.thread || earlier.interval != now.interval) return false;
    if (earlier.thread / WARP_LANES != now.thread / WARP_LANES) return true;
    const Warp& warp = machine.warps[now.thread / WARP_LANES];
    return warp.clocks[now.thread % WARP_LANES][earlier.thread % WARP_LANES] < earlier.clock;
}

void remember_read(Cell& cell, const Access& now) {
    auto& reads = cell.reads;
    const Access last = reads[0];
    if (last.exists() && last.block != now.block) {
        reads = {now, Access{}, Access{}, last};
    } else if (last.exists() && last.thread / WARP_LANES != now.thread / WARP_LANES) {
        bool knew_this_warp = reads[2].exists() && reads[2].thread / WARP_LANES == now.thread / WARP_LANES;
        reads[1] = knew_this_warp && reads[2].thread != now.thread ? reads[2] : Access{};
        reads[2] = last;
        reads[0] = now;
    } else {
        if (last.exists() && last.thread != now.thread) reads[1] = last;
        reads[0] = now;
    }
}

void report_race(const Region& region, uintptr_t address, const Access& earlier, const char* earlier_verb,
                 AccessKind kind, uintptr_t program_counter) {
    uintptr_t other = image_base() + earlier.program_counter;
    std::string here = describe_address(program_counter), there = describe_address(other);
    report(Finding::Race, here + there + verb(kind),
           std::string("RACE: ") + verb(kind) + " at " + here + " by " + describe_thread() + " with the " +
               earlier_verb + " at " + there + " by block " + std::to_string(earlier.block - 1) + " thread " +
               std::to_string(earlier.thread) + "; " + where(region, address));
}

void check_cell(const Region& region, Cell& cell, uintptr_t address, AccessKind kind, const Access& now,
                uintptr_t program_counter) {
    bool is_atomic = kind == AccessKind::Atomic;
    if (!(is_atomic && cell.write.is_atomic) && is_unordered(cell.write, now)) {
        report_race(region, address, cell.write, cell.write.is_atomic ? "atomic" : "write", kind, program_counter);
    } else if (kind != AccessKind::Read) {
        for (const Access& read : cell.reads) {
            if (is_unordered(read, now)) {
                report_race(region, address, read, "read", kind, program_counter);
                break;
            }
        }
    }
    if (kind == AccessKind::Read) {
        remember_read(cell, now);
    } else {
        cell.write = now;
    }
}

void split_into_bytes(Page& page) {
    std::vector<Cell> cells(PAGE_BYTES);
    for (size_t i = 0; i < PAGE_BYTES; ++i) cells[i] = page.cells[i >> page.cell_shift];
    page.cells = std::move(cells);
    page.cell_shift = 0;
}

void check_races(Region& region, uintptr_t address, size_t bytes, AccessKind kind, uintptr_t program_counter) {
    Access now = access_now(kind, program_counter);
    size_t offset = address - region.begin, end = offset + bytes;
    bool is_whole_words = ((offset | bytes) & 3) == 0;
    while (offset < end) {
        Page& page = region.page(offset / PAGE_BYTES);
        // A cell per word unless smaller units are used: neighbouring bytes may belong to different threads.
        if (!is_whole_words && page.cell_shift != 0) split_into_bytes(page);
        size_t step = size_t{1} << page.cell_shift;
        check_cell(region, page.cells[offset % PAGE_BYTES >> page.cell_shift], region.begin + offset, kind, now,
                   program_counter);
        offset += step;
    }
}

void check_contents(Region& region, uintptr_t address, size_t bytes, AccessKind kind, uintptr_t program_counter) {
    Contents* contents = region.contents.get() + (address - region.begin);
    if (kind != AccessKind::Write) {
        for (size_t i = 0; i < bytes; ++i) {
            if (contents[i] == Contents::Written) continue;
            bool is_in_flight = contents[i] == Contents::InFlight;
            std::string here = describe_address(program_counter);
            report(is_in_flight ? Finding::Unlanded : Finding::Uninitialised, here,
                   std::string(is_in_flight ? "ASYNCHRONOUS COPY was not waited for: " : "UNINITIALISED: ") +
                       verb(kind) + " at " + here + " by " + describe_thread() + "; " + where(region, address + i));
            break;
        }
    }
    // After a report too, so that one mistake is told once.
    if (kind != AccessKind::Read || contents[0] != Contents::InFlight)
        std::memset(contents, static_cast<int>(Contents::Written), bytes);
}

[[noreturn]] void report_illegal(uintptr_t address, AccessKind kind, uintptr_t program_counter, const char* why) {
    {
        char text[32];
        std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
        std::string here = describe_address(program_counter);
        report(Finding::IllegalAddress, here,
               std::string("ILLEGAL ADDRESS: ") + verb(kind) + " of " + text + " at " + here + " by " +
                   describe_thread() + ": " + why);
    }
    abort_launch();
}

/// A kernel that has read what no thread wrote may take it for a number of steps: without a bound, a launch with a
/// removed barrier went on for 4e9 of them. A sound launch of the tests makes fewer than a million accesses.
constexpr uint64_t ACCESSES_AFTER_A_FINDING = uint64_t{1} << 21;

void stop_after_finding(uintptr_t program_counter) {
    if (machine.report.errors == 0) return;
    if (++machine.report.accesses_after_finding < ACCESSES_AFTER_A_FINDING) return;
    std::string here = describe_address(program_counter);
    report(Finding::Endless, here, "STOPPED at " + here + " by " + describe_thread() +
                                       ": too many accesses follow the first finding");
    machine.report.was_stuck = true;
    abort_launch();
}

}  // namespace

void check_access(uintptr_t address, size_t bytes, AccessKind kind, uintptr_t program_counter) {
    if (!HAS_HOOKS || !machine.is_running || bytes == 0) return;
    Fiber& fiber = *machine.current;
    if (is_on_stack(fiber, address)) return;
    Region* region = find_region(address);
    if (!region) {
        if (is_in_image(address) || is_registered_host(address)) return;
        report_illegal(address, kind, program_counter,
                       "no memory of this device (freed, host, or another thread's local memory)");
    }
    ++machine.report.accesses;
    stop_after_finding(program_counter);
    bool is_global = region->space == Space::Global;
    if (is_global && region->device != machine.options.device) {
        report_illegal(address, kind, program_counter, "it belongs to another device");
    }
    if (!region->contains(address, bytes)) {
        // The guard zones take the access, so that the kernel goes on and more may be found.
        std::string here = describe_address(program_counter);
        report(Finding::OutOfBounds, here,
               std::string("OUT OF BOUNDS: ") + verb(kind) + " of " + std::to_string(bytes) + " bytes at " + here +
                   " by " + describe_thread() + "; " + where(*region, address));
        return;
    }
    if (address % bytes != 0 && (bytes & (bytes - 1)) == 0 && bytes <= 16) {
        std::string here = describe_address(program_counter);
        report(Finding::Misaligned, here,
               std::string("MISALIGNED: ") + verb(kind) + " of " + std::to_string(bytes) + " bytes at " + here +
                   " by " + describe_thread() + "; " + where(*region, address));
    }
    if (machine.options.profiling == Profiling::On && kind != AccessKind::Atomic) {
        record_request(address, bytes, kind, program_counter, !is_global);
    }
    check_contents(*region, address, bytes, kind, program_counter);
    check_races(*region, address, bytes, kind, program_counter);

    // Switching between accesses now and then lets other interleavings happen.
    constexpr uint64_t ACCESSES_A_SWITCH = 64;
    if (machine.options.schedule == Schedule::Random && machine.random() % ACCESSES_A_SWITCH == 0) {
        machine.wake(fiber);
        suspend(fiber);
    }
}

void before_atomic(void* address, size_t bytes, const void* program_counter) {
    check_access(reinterpret_cast<uintptr_t>(address), bytes, AccessKind::Atomic,
                 reinterpret_cast<uintptr_t>(program_counter) - 1);
}

}  // namespace emulator

// ---- GCC's -fsanitize=thread calls these at every access of the kernels; libtsan is not linked.
namespace {
inline void hook(void* address, size_t bytes, emulator::AccessKind kind, void* return_address) {
    emulator::check_access(reinterpret_cast<uintptr_t>(address), bytes, kind,
                           reinterpret_cast<uintptr_t>(return_address) - 1);
}
}  // namespace

#define EMULATOR_HOOK(NAME, BYTES)                                                      \
    extern "C" void __tsan_##NAME##read##BYTES(void* address) {                         \
        hook(address, BYTES, emulator::AccessKind::Read, __builtin_return_address(0));  \
    }                                                                                   \
    extern "C" void __tsan_##NAME##write##BYTES(void* address) {                        \
        hook(address, BYTES, emulator::AccessKind::Write, __builtin_return_address(0)); \
    }
EMULATOR_HOOK(, 1)
EMULATOR_HOOK(, 2)
EMULATOR_HOOK(, 4)
EMULATOR_HOOK(, 8)
EMULATOR_HOOK(, 16)
EMULATOR_HOOK(unaligned_, 2)
EMULATOR_HOOK(unaligned_, 4)
EMULATOR_HOOK(unaligned_, 8)
EMULATOR_HOOK(unaligned_, 16)
EMULATOR_HOOK(volatile_, 1)
EMULATOR_HOOK(volatile_, 2)
EMULATOR_HOOK(volatile_, 4)
EMULATOR_HOOK(volatile_, 8)
EMULATOR_HOOK(volatile_, 16)

extern "C" void __tsan_read_range(void* address, unsigned long bytes) {
    hook(address, bytes, emulator::AccessKind::Read, __builtin_return_address(0));
}
extern "C" void __tsan_write_range(void* address, unsigned long bytes) {
    hook(address, bytes, emulator::AccessKind::Write, __builtin_return_address(0));
}
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}
