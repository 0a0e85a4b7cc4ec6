// Copies from global to shared memory that a thread starts and waits for later (cp.async).
//
// The seed decides whether a copy moves its bytes at once or only when its thread waits for it: both are allowed, so
// a kernel must work with both. Until it has been waited for, its target counts as in flight, and reading is an error.
#include <cstring>

#include "runtime/machine.h"

namespace emulator {
namespace {

void move_bytes(AsyncCopy& copy) {
    if (copy.has_moved) return;
    copy.has_moved = true;
    size_t read = copy.bytes - copy.zero_filled;
    std::memcpy(copy.target, copy.source, read);
    std::memset(static_cast<char*>(copy.target) + read, 0, copy.zero_filled);
}

void land(AsyncCopy& copy) {
    move_bytes(copy);
    auto pc = reinterpret_cast<uintptr_t>(copy.program_counter) - 1;
    check_access(reinterpret_cast<uintptr_t>(copy.target), copy.bytes, AccessKind::Write, pc);
}

/// Marks the part of the target that lies within the block's shared memory.
void mark_in_flight(uintptr_t target, size_t bytes) {
    Region* region = find_shared(target);
    if (!region || !region->contains(target, bytes)) return;
    std::memset(region->contents.get() + (target - region->begin), static_cast<int>(Contents::InFlight), bytes);
}

}  // namespace

void async_copy(void* target, const void* source, size_t bytes, size_t zero_filled, const void* program_counter) {
    auto to = reinterpret_cast<uintptr_t>(target), from = reinterpret_cast<uintptr_t>(source);
    auto pc = reinterpret_cast<uintptr_t>(program_counter) - 1;
    if ((bytes != 4 && bytes != 8 && bytes != 16) || (to | from) % bytes != 0 || zero_filled > bytes) {
        std::string here = describe_address(pc);
        report(Finding::Misaligned, here,
               "ASYNCHRONOUS COPY at " + here + " by " + describe_thread() +
                   ": 4, 8 or 16 bytes, aligned to their number, are possible; got " + std::to_string(bytes));
        if (zero_filled > bytes) return;
    }
    check_access(from, bytes - zero_filled, AccessKind::Read, pc);
    check_access(to, bytes, AccessKind::Write, pc);
    AsyncCopy copy{target, source, bytes, zero_filled, program_counter, false};
    bool moves_at_once = machine.options.schedule == Schedule::Random && machine.random() % 4 == 0;
    if (moves_at_once) {
        move_bytes(copy);
    } else {
        std::memset(target, 0xff, bytes);  // NaN until it lands
    }
    mark_in_flight(to, bytes);
    machine.current->open_batch.push_back(copy);
}

void async_commit() {
    Fiber& fiber = *machine.current;
    fiber.batches.push_back(std::move(fiber.open_batch));
    fiber.open_batch.clear();
}

void async_wait(unsigned batches_in_flight) {
    Fiber& fiber = *machine.current;
    while (fiber.batches.size() > batches_in_flight) {
        for (AsyncCopy& copy : fiber.batches.front()) land(copy);
        fiber.batches.pop_front();
    }
}

void finish_async_copies(Fiber& fiber) {
    async_wait(0);
    // What was never committed lands as well: a copy that was started is not taken back.
    for (AsyncCopy& copy : fiber.open_batch) land(copy);
    fiber.open_batch.clear();
}

}  // namespace emulator
