// Block barriers, warp collectives, and what orders memory between the lanes of a warp.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "runtime/machine.h"

namespace emulator {
namespace {

bool is_same(Place a, Place b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

void release_block() {
    BlockBarrier& barrier = machine.barrier;
    if (machine.live < machine.fibers.size()) {
        report(Finding::Barrier, describe(barrier.place),
               "BARRIER at " + describe(barrier.place) + ": " + std::to_string(machine.fibers.size() - machine.live) +
                   " threads of the block had exited and never come");
    }
    int* result = barrier.results[machine.interval & 1];
    result[static_cast<int>(Vote::Count)] = barrier.count;
    result[static_cast<int>(Vote::And)] = barrier.all;
    result[static_cast<int>(Vote::Or)] = barrier.any;
    barrier.count = barrier.any = 0;
    barrier.all = 1;
    barrier.arrived = 0;
    ++machine.interval;
    for (Warp& warp : machine.warps) warp.reset_clocks();
    if (machine.options.profiling == Profiling::On) count_requests();
    for (Fiber& fiber : machine.fibers) {
        if (fiber.state == FiberState::AtBlockBarrier) machine.wake(fiber);
    }
}

void complete(Warp& warp, size_t index) {
    Rendezvous meeting = warp.open[index];
    warp.open.erase(warp.open.begin() + static_cast<std::ptrdiff_t>(index));
    if (meeting.function) meeting.function(meeting.payload, meeting.mask, meeting.context);
    if (meeting.ordering == Ordering::MemoryFence) warp.join_clocks(meeting.mask);
    // After a loop that some lanes leave early, their next visits are those of the same request again.
    if (machine.options.profiling == Profiling::On && meeting.mask == warp.live) {
        count_requests(static_cast<size_t>(&warp - machine.warps.data()));
    }
    for (unsigned i = 0; i < WARP_LANES; ++i) {
        if (meeting.mask >> i & 1) machine.wake(machine.fibers[warp.first_thread + i]);
    }
}

std::string hexadecimal(unsigned mask) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%08x", mask);
    return text;
}

}  // namespace

void Warp::reset_clocks() {
    std::memset(clocks, 0, sizeof clocks);
    for (unsigned i = 0; i < WARP_LANES; ++i) clocks[i][i] = 1;
}

void Warp::join_clocks(unsigned mask) {
    uint32_t joined[WARP_LANES] = {};
    for (unsigned i = 0; i < WARP_LANES; ++i) {
        if (!(mask >> i & 1)) continue;
        for (unsigned j = 0; j < WARP_LANES; ++j) joined[j] = std::max(joined[j], clocks[i][j]);
    }
    for (unsigned i = 0; i < WARP_LANES; ++i) {
        if (!(mask >> i & 1)) continue;
        std::memcpy(clocks[i], joined, sizeof joined);
        ++clocks[i][i];
    }
}

int block_barrier(int value, Vote vote, Place place) {
    BlockBarrier& barrier = machine.barrier;
    Fiber& fiber = *machine.current;
    if (barrier.arrived == 0) {
        barrier.place = place;
    } else if (!is_same(barrier.place, place)) {
        report(Finding::Barrier, describe(place),
               "DIVERGENT BARRIER: " + describe_thread() + " waits at " + describe(place) + ", another thread at " +
                   describe(barrier.place));
    }
    barrier.count += value;
    barrier.all &= value;
    barrier.any |= value;
    fiber.state = FiberState::AtBlockBarrier;
    fiber.place = place;
    uint32_t interval = machine.interval;
    if (++barrier.arrived == machine.live) release_block();
    suspend(fiber);
    return barrier.results[interval & 1][static_cast<int>(vote)];
}

void leave_block_barrier_on_exit() {
    if (machine.barrier.arrived > 0 && machine.barrier.arrived == machine.live) release_block();
}

void warp_collective(unsigned mask, void* payload, LaneFunction function, void* context, Ordering ordering,
                     Place place) {
    Fiber& fiber = *machine.current;
    Warp& warp = machine.warps[fiber.warp];
    unsigned own = 1u << fiber.lane;
    if (!(mask & own)) {
        report(Finding::Warp, describe(place),
               "WARP MASK: " + describe_thread() + " is not in its own mask " + hexadecimal(mask) + " at " +
                   describe(place));
        mask |= own;
    }
    // Lanes past the end of a block that is no multiple of 32 do not exist, and a device ignores them.
    size_t members = std::min<size_t>(WARP_LANES, machine.fibers.size() - warp.first_thread);
    if (members < WARP_LANES) mask &= (1u << members) - 1;
    if (mask & ~warp.live) {
        report(Finding::Warp, describe(place),
               "WARP MASK " + hexadecimal(mask) + " of " + describe_thread() + " names lanes that have exited, at " +
                   describe(place));
        mask &= warp.live;
    }

    size_t index = 0;
    auto waits_for_me = [&](const Rendezvous& open) {
        return open.mask == mask && open.function == function && !(open.arrived & own);
    };
    while (index < warp.open.size() && !waits_for_me(warp.open[index])) ++index;
    if (index == warp.open.size()) warp.open.push_back({mask, 0, {}, function, context, ordering, place});

    Rendezvous& meeting = warp.open[index];
    if (!is_same(meeting.place, place)) {
        report(Finding::Warp, describe(place),
               "DIVERGENT WARP: " + describe_thread() + " is at " + describe(place) +
                   ", other lanes of its mask are at " + describe(meeting.place));
    }
    meeting.arrived |= own;
    meeting.payload[fiber.lane] = payload;
    fiber.state = FiberState::AtWarpCollective;
    fiber.place = place;
    if (meeting.arrived == mask) complete(warp, index);
    suspend(fiber);
}

void leave_warp_on_exit(Fiber& fiber) {
    Warp& warp = machine.warps[fiber.warp];
    warp.live &= ~(1u << fiber.lane);
    for (size_t i = 0; i < warp.open.size();) {
        Rendezvous& meeting = warp.open[i];
        if (!(meeting.mask >> fiber.lane & 1)) {
            ++i;
            continue;
        }
        report(Finding::Warp, describe(meeting.place),
               "WARP MASK " + hexadecimal(meeting.mask) + " at " + describe(meeting.place) + ": " + describe_thread() +
                   " exits, so the lanes that wait for it would wait for ever");
        meeting.mask &= ~(1u << fiber.lane);
        if (meeting.arrived == meeting.mask) {
            complete(warp, i);
        } else {
            ++i;
        }
    }
}

unsigned lane() { return machine.current->lane; }
unsigned live_lanes() { return machine.warps[machine.current->warp].live; }

}  // namespace emulator
