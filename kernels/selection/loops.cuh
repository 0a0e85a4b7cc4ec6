// The loops of a program: over the items of an event, while an object is built and afterwards, and over pairs of them.
//
// While a loop runs, its results so far lie in registers of their own: those of fold k in two, the value and its place;
// those of the best pair in four, its criterion, the two places, and whether there is one.
#pragma once
#include "selection/select.cuh"

namespace selection {

/// The numbers of `Fold` in program.rs.
enum Fold : u32 {
    SUM = 0,
    FOLD_MINIMUM = 1,
    FOLD_MAXIMUM = 2,
    PLACE_OF_MINIMUM = 3,
    PLACE_OF_MAXIMUM = 4,
};

// Up to here a thread sorts by insertion, whose steps are fewer; beyond, by heaps, whose number of steps is bounded.
constexpr u32 MOST_INSERTIONS = 32;

/// The references and keys of an event's items.
struct Items {
    u32* references;
    double* keys;

    /// Whether item i comes before item j: by the key, or as they were found.
    __device__ __forceinline__ bool in_order(u32 i, u32 j) const {
        return precedes(keys[i], keys[j]) || (!precedes(keys[j], keys[i]) && references[i] < references[j]);
    }
    __device__ __forceinline__ void swap(u32 i, u32 j) const {
        const u32 reference = references[i];
        const double key = keys[i];
        references[i] = references[j];
        keys[i] = keys[j];
        references[j] = reference;
        keys[j] = key;
    }

    /// Lets item `at` sink to where both below it come before it: item i is above items 2 i + 1 and 2 i + 2.
    __device__ __forceinline__ void sink(u32 at, u32 count) const {
        while (2 * at + 1 < count) {
            u32 below = 2 * at + 1;
            if (below + 1 < count && in_order(below, below + 1)) {
                below += 1;
            }
            if (!in_order(at, below)) {
                return;
            }
            swap(at, below);
            at = below;
        }
    }

    __device__ __forceinline__ void sort_by_insertion(u32 count) const {
        for (u32 next = 1; next < count; ++next) {
            const u32 reference = references[next];
            const double key = keys[next];
            u32 place = next;
            while (place > 0 && precedes(key, keys[place - 1])) {
                references[place] = references[place - 1];
                keys[place] = keys[place - 1];
                place -= 1;
            }
            references[place] = reference;
            keys[place] = key;
        }
    }

    __device__ __forceinline__ void sort_by_heap(u32 count) const {
        u32 unsorted = count / 2;
        u32 end = count;
        while (end > 1) {
            // First a heap is made, from its lower half up; then the last of all, which is on top, goes to the end.
            if (unsorted > 0) {
                unsorted -= 1;
            } else {
                end -= 1;
                swap(0, end);
            }
            sink(unsorted, end);
        }
    }
};

__device__ __forceinline__ Items items_of(const Machine& machine, const Lane& lane, u32 object) {
    const u64 region = machine.region(machine.object(object), lane.event);
    return Items{machine.references + region, machine.keys + region};
}

/// Before the first item.
__device__ __forceinline__ void begin(const Machine& machine, Lane& lane, const Step& loop) {
    lane.first = NONE;
    lane.second = 0;
    if (loop.code == BUILD) {
        machine.count(loop.a) = 0;
    } else if (loop.code == EACH) {
        for (u32 fold = 0; fold < loop.b; ++fold) {
            const bool sum = machine.step(loop.c + fold).b == SUM;
            machine.value(machine.shape.loop_registers + 2 * fold) = sum ? 0.0 : det::not_a_number();
            machine.value(machine.shape.loop_registers + 2 * fold + 1) = det::not_a_number();
        }
    } else {
        lane.first = 0;
        lane.second = loop.a == loop.b ? 0 : NONE;
        machine.value(machine.shape.loop_registers + 1) = det::not_a_number();
        machine.value(machine.shape.loop_registers + 2) = det::not_a_number();
        machine.value(machine.shape.loop_registers + 3) = 0.0;
    }
}

/// Goes to the next item of the sources.
__device__ __forceinline__ bool next_of_sources(const Machine& machine, Lane& lane, const Step& loop) {
    if (lane.second > 1) {
        lane.second -= 1;
        lane.first_reference += 1;
        return true;
    }
    const ObjectPlan plan = machine.object(loop.a);
    u32 before = 0;
    lane.first += 1;
    for (u32 source = 0; source < plan.sources; ++source) {
        const u32 start = machine.offset(plan, source, lane.event);
        const u32 items = machine.offset(plan, source, lane.event + 1) - start;
        if (source >= lane.first && items > 0) {
            lane.first = source;
            lane.second = items;
            lane.first_reference = before + start;
            return true;
        }
        before += machine.offset(plan, source, machine.shape.events);
    }
    return false;
}

/// Goes to the next item, or the next pair, and says whether there is one.
__device__ __forceinline__ bool next(const Machine& machine, Lane& lane, const Step& loop) {
    if (loop.code == BUILD) {
        return next_of_sources(machine, lane, loop);
    }
    const u32 firsts = machine.count(loop.a);
    if (loop.code == EACH) {
        lane.first += 1;
        if (lane.first >= firsts) {
            return false;
        }
    } else {
        const u32 seconds = machine.count(loop.b);
        lane.second += 1;
        if (lane.second >= seconds) {
            lane.first += 1;
            lane.second = loop.a == loop.b ? lane.first + 1 : 0;
        }
        if (lane.first >= firsts || lane.second >= seconds) {
            return false;
        }
        lane.second_reference = items_of(machine, lane, loop.b).references[lane.second];
    }
    lane.first_reference = items_of(machine, lane, loop.a).references[lane.first];
    return true;
}

/// Takes a value into fold `fold`.
__device__ __forceinline__ void fold_in(const Machine& machine, const Lane& lane, u32 fold, const Step& step) {
    const double value = machine.value(step.a);
    double& so_far = machine.value(machine.shape.loop_registers + 2 * fold);
    double& place = machine.value(machine.shape.loop_registers + 2 * fold + 1);
    if (step.b == SUM) {
        so_far = so_far + value;
        return;
    }
    const bool least = step.b == FOLD_MINIMUM || step.b == PLACE_OF_MINIMUM;
    const bool is_new = least ? value < so_far : value > so_far;
    if (lane.first == 0 || is_new || (is_nan(value) && !is_nan(so_far))) {
        so_far = value;
        place = is_nan(value) ? det::not_a_number() : (double)lane.first;
    }
}

/// What the body of a loop found of one item or pair; `step` is its last instruction.
__device__ __forceinline__ void take(const Machine& machine, Lane& lane, const Step& loop, const Step& step) {
    if (step.code == FOLD) {
        for (u32 fold = 0; fold < loop.b; ++fold) {
            fold_in(machine, lane, fold, machine.step(loop.c + fold));
        }
        return;
    }
    if (step.a != NONE && !machine.holds(step.a)) {
        return;
    }
    const double key = step.b == NONE ? 0.0 : machine.value(step.b);
    if (is_fault(machine, step.check, key, key)) {
        lane.fault = step.check;
        lane.end();
    } else if (step.code == KEEP) {
        const Items items = items_of(machine, lane, loop.a);
        u32& count = machine.count(loop.a);
        items.references[count] = lane.first_reference;
        if (step.b != NONE) {
            items.keys[count] = key;
        }
        count += 1;
    } else {
        const u32 best = machine.shape.loop_registers;
        if (!machine.holds(best + 3) || precedes(key, machine.value(best))) {
            machine.value(best) = key;
            machine.value(best + 1) = (double)lane.first;
            machine.value(best + 2) = (double)lane.second;
            machine.value(best + 3) = 1.0;
        }
    }
}

/// After the last item.
__device__ __forceinline__ void finish(const Machine& machine, const Lane& lane, const Step& loop) {
    const u32 results = machine.shape.loop_registers;
    if (loop.code == BUILD) {
        const u32 count = machine.count(loop.a);
        if (machine.step(loop.c).b != NONE && count > 1) {
            const Items items = items_of(machine, lane, loop.a);
            if (count <= MOST_INSERTIONS) {
                items.sort_by_insertion(count);
            } else {
                items.sort_by_heap(count);
            }
        }
        machine.count(loop.a) = min(count, machine.object(loop.a).leading);
    } else if (loop.code == EACH) {
        for (u32 fold = 0; fold < loop.b; ++fold) {
            const Step step = machine.step(loop.c + fold);
            const u32 which = step.b == PLACE_OF_MINIMUM || step.b == PLACE_OF_MAXIMUM ? 1 : 0;
            machine.value(step.dest) = machine.value(results + 2 * fold + which);
        }
    } else {
        for (u32 result = 0; result < 3; ++result) {
            machine.value(machine.step(loop.dest).dest + result) = machine.value(results + 1 + result);
        }
    }
}

/// The first instruction after a loop.
__device__ __forceinline__ u32 after(const Step& loop) {
    switch (loop.code) {
        case BUILD: return loop.c + 1;
        case EACH: return loop.c + loop.b;
        default: return loop.dest + 1;
    }
}

/// Runs the program for the events of a warp, whose lanes are `members`.
__device__ __forceinline__ void run(const Machine& machine, Lane& lane, u32 members, float* values) {
    u32 head = 0;
    u32 index = 0;
    while (index < machine.shape.instructions) {
        const Step step = machine.step(index);
        if (step.code < BUILD || step.code > BEST) {
            if (lane.running) {
                execute(machine, lane, step, index, values);
            }
            index += 1;
            if ((step.code == CUT || step.code == REQUIRE) && !__any_sync(members, lane.alive)) {
                return;
            }
            continue;
        }
        const bool begins = step.code == BUILD || step.code == EACH || step.code == PAIRS;
        head = begins ? index : head;
        const Step loop = machine.step(head);
        if (lane.running) {
            if (begins) {
                begin(machine, lane, loop);
            } else {
                take(machine, lane, loop, step);
            }
        }
        if (lane.running) {
            lane.running = next(machine, lane, loop);
        }
        if (__any_sync(members, lane.running)) {
            index = head + 1;
            continue;
        }
        if (lane.alive) {
            finish(machine, lane, loop);
        }
        lane.running = lane.alive;
        index = after(loop);
    }
}

}  // namespace selection
