// One event through a program: the text of src/selection/select/math.rs, with the tables of program.rs.
#pragma once
#include "common/angle.cuh"
#include "common/lorentz.cuh"
#include "selection/tally.cuh"

namespace selection {

using det::is_nan;
using lorentz::FourMomentum;

/// No column, no limit, no object at this place, no fault.
constexpr u32 NONE = 0xffffffffu;
/// Answers of `keeps` that are no faults.
constexpr u32 KEPT = NONE;
constexpr u32 REJECTED = NONE - 1;

/// The numbers of `Operation` in program.rs.
enum Operation : u32 {
    NUMBER = 0,
    COUNT = 1,
    QUANTITY = 2,
    SCALAR = 3,
    PAIR_MASS = 4,
    PAIR_PT = 5,
    PAIR_DELTA_R = 6,
    ABSOLUTE = 7,
    MAXIMUM = 8,
    MINIMUM = 9,
    ROUND = 10,
    REQUIRE = 11,
    STORE = 12,
};

struct Instruction {
    u32 operation;
    u32 first;
    u32 second;
    u32 first_object;
    u32 second_object;
    u32 fault;
    double number;
};

struct ObjectPlan {
    u32 collection;
    u32 first_cut;
    u32 cuts;
    u32 first_slot;
    u32 slots;
    u32 leading;
    u32 pt;
    u32 eta;
    u32 phi;
    u32 mass;
    u32 fault;
    u32 unused;
};

struct ItemCut {
    u32 column;
    u32 absolute;
    u32 comparison;
    u32 fault;
    double threshold;
};

/// The numbers of a launch, `Shape` in cuda.rs.
struct Shape {
    double weight_factor;
    u32 events;
    u32 collections;
    u32 quantities;
    u32 objects;
    u32 item_cuts;
    u32 instructions;
    u32 slots;
    u32 cuts;
    u32 weight_column;
    u32 weight_fault;
    i32 weight_exponent;
    u32 unused;
};

/// The tables of a program: objects, item cuts and instructions, one after the other.
struct Program {
    const ObjectPlan* objects;
    const ItemCut* item_cuts;
    const Instruction* instructions;
};

/// The addresses of the columns: offsets of collections, quantities, scalars.
struct Columns {
    const u64* addresses;
    u32 quantities;
    u32 scalars;

    __device__ __forceinline__ u32 offset(u32 collection, u32 event) const {
        return __ldg((const u32*)addresses[collection] + event);
    }
    __device__ __forceinline__ float quantity(u32 column, u32 item) const {
        return __ldg((const float*)addresses[quantities + column] + item);
    }
    __device__ __forceinline__ float scalar(u32 column, u32 event) const {
        return __ldg((const float*)addresses[scalars + column] + event);
    }
};

/// A thread's words of shared memory, `stride` apart: the counts of the objects, then the slots.
struct Scratch {
    u32* words;
    u32 stride;
    u32 objects;

    __device__ __forceinline__ u32& count(u32 object) const { return words[object * stride]; }
    __device__ __forceinline__ u32& slot(u32 place) const { return words[(objects + place) * stride]; }
};

/// What became of an event.
struct Outcome {
    u32 passed;
    u32 fault;
};

/// A value on the stack.
struct Operand {
    double value;
    bool missing;
};

/// The operands, the last pushed in `top`.
struct Operands {
    Operand top;
    Operand second;
    Operand third;
    Operand fourth;

    __device__ __forceinline__ void push(double value, bool missing) {
        fourth = third;
        third = second;
        second = top;
        top = Operand{value, missing};
    }
    __device__ __forceinline__ Operand pop() {
        const Operand popped = top;
        top = second;
        second = third;
        third = fourth;
        return popped;
    }
};

/// Whether `left` compares as asked with `right`.
__device__ __forceinline__ bool compare(u32 comparison, double left, double right) {
    switch (comparison) {
        case 0: return left > right;
        case 1: return left >= right;
        case 2: return left < right;
        case 3: return left <= right;
        default: return left == right;
    }
}

/// The larger; NaN if one of them is.
__device__ __forceinline__ double larger(double first, double second) {
    return second > first || is_nan(second) ? second : first;
}

/// The smaller; NaN if one of them is.
__device__ __forceinline__ double smaller(double first, double second) {
    return second < first || is_nan(second) ? second : first;
}

/// Rounds to f32; every NaN becomes the same one, since processors differ in the bits of theirs.
__device__ __forceinline__ float single(double value) {
    return is_nan(value) ? __int_as_float(0x7fc00000) : (float)value;
}

/// Whether an item passes the cuts of an object, or the fault.
__device__ __forceinline__ u32 keeps(const Program& program, const Columns& columns, const ObjectPlan& plan, u32 item) {
    for (u32 index = plan.first_cut; index < plan.first_cut + plan.cuts; ++index) {
        const ItemCut& cut = program.item_cuts[index];
        double value = (double)columns.quantity(cut.column, item);
        if (is_nan(value)) {
            return cut.fault;
        }
        if (cut.absolute != 0 && value < 0.0) {
            value = -value;
        }
        if (!compare(cut.comparison, value, cut.threshold)) {
            return REJECTED;
        }
    }
    return is_nan((double)columns.quantity(plan.pt, item)) ? plan.fault : KEPT;
}

/// Finds the items of every object of an event: their counts, and their slots in the order of pT (ties: lowest index).
__device__ __forceinline__ u32 find_objects(const Program& program, const Columns& columns, u32 event,
                                            const Scratch& scratch) {
    for (u32 object = 0; object < scratch.objects; ++object) {
        const ObjectPlan& plan = program.objects[object];
        const u32 start = columns.offset(plan.collection, event);
        const u32 end = columns.offset(plan.collection, event + 1);
        u32 count = 0;
        for (u32 item = start; item < end; ++item) {
            const u32 verdict = keeps(program, columns, plan, item);
            if (verdict == REJECTED) {
                continue;
            }
            if (verdict != KEPT) {
                return verdict;
            }
            const float pt = columns.quantity(plan.pt, item);
            u32 place = min(count, plan.slots);
            while (place > 0 && pt > columns.quantity(plan.pt, scratch.slot(plan.first_slot + place - 1))) {
                if (place < plan.slots) {
                    scratch.slot(plan.first_slot + place) = scratch.slot(plan.first_slot + place - 1);
                }
                place -= 1;
            }
            if (place < plan.slots) {
                scratch.slot(plan.first_slot + place) = item;
            }
            count += 1;
        }
        for (u32 place = count; place < plan.slots; ++place) {
            scratch.slot(plan.first_slot + place) = NONE;
        }
        scratch.count(object) = min(count, plan.leading);
    }
    return NONE;
}

__device__ __forceinline__ FourMomentum momentum(const Columns& columns, const ObjectPlan& plan, u32 item,
                                                 bool massless) {
    const float mass = massless ? 0.0f : columns.quantity(plan.mass, item);
    return lorentz::from_pt_eta_phi_mass(columns.quantity(plan.pt, item), columns.quantity(plan.eta, item),
                                         columns.quantity(plan.phi, item), mass);
}

__device__ __forceinline__ Operand of_pair(const Program& program, const Columns& columns, const Instruction& step,
                                           const Scratch& scratch) {
    const u32 first = scratch.slot(step.first);
    const u32 second = scratch.slot(step.second);
    if (first == NONE || second == NONE) {
        return Operand{det::not_a_number(), true};
    }
    const ObjectPlan& first_plan = program.objects[step.first_object];
    const ObjectPlan& second_plan = program.objects[step.second_object];
    if (step.operation == PAIR_DELTA_R) {
        const double first_eta = (double)columns.quantity(first_plan.eta, first);
        const double first_phi = (double)columns.quantity(first_plan.phi, first);
        const double second_eta = (double)columns.quantity(second_plan.eta, second);
        const double second_phi = (double)columns.quantity(second_plan.phi, second);
        return Operand{angle::delta_r(first_eta, first_phi, second_eta, second_phi), false};
    }
    const bool massless = step.operation == PAIR_PT;
    const FourMomentum sum = lorentz::add_momenta(momentum(columns, first_plan, first, massless),
                                                  momentum(columns, second_plan, second, massless));
    return Operand{massless ? lorentz::pt_of(sum) : lorentz::mass_of(sum), false};
}

/// Runs the program of an event whose objects were found; variable v goes to `values[v * events + event]` if it passes
/// every cut.
__device__ __forceinline__ Outcome evaluate(const Program& program, const Columns& columns, const Shape& shape,
                                            u32 event, const Scratch& scratch, float* values) {
    Operands operands = {};
    u32 passed = 0;
    for (u32 index = 0; index < shape.instructions; ++index) {
        const Instruction& step = program.instructions[index];
        switch (step.operation) {
            case NUMBER: operands.push(step.number, false); break;
            case COUNT: operands.push((double)scratch.count(step.first), false); break;
            case QUANTITY: {
                const u32 item = scratch.slot(step.first);
                if (item == NONE) {
                    operands.push(det::not_a_number(), true);
                } else {
                    operands.push((double)columns.quantity(step.second, item), false);
                }
                break;
            }
            case SCALAR: operands.push((double)columns.scalar(step.first, event), false); break;
            case PAIR_MASS:
            case PAIR_PT:
            case PAIR_DELTA_R: {
                const Operand pair = of_pair(program, columns, step, scratch);
                operands.push(pair.value, pair.missing);
                break;
            }
            case ABSOLUTE:
                if (operands.top.value < 0.0) {
                    operands.top.value = -operands.top.value;
                }
                break;
            case MAXIMUM:
            case MINIMUM: {
                const Operand second = operands.pop();
                const Operand first = operands.top;
                const double value = step.operation == MAXIMUM ? larger(first.value, second.value)
                                                               : smaller(first.value, second.value);
                operands.top = Operand{value, first.missing || second.missing};
                break;
            }
            case ROUND: operands.top.value = (double)single(operands.top.value); break;
            case REQUIRE: {
                const Operand right = operands.pop();
                const Operand left = operands.pop();
                if (left.missing || right.missing) {
                    return Outcome{passed, NONE};
                }
                if (is_nan(left.value) || is_nan(right.value)) {
                    return Outcome{passed, step.fault};
                }
                if (!compare(step.first, left.value, right.value)) {
                    return Outcome{passed, NONE};
                }
                passed += 1;
                break;
            }
            case STORE: values[(u64)step.first * shape.events + event] = single(operands.pop().value); break;
        }
    }
    return Outcome{passed, NONE};
}

/// The weight of an event.
__device__ __forceinline__ float weight_of(const Columns& columns, const Shape& shape, u32 event) {
    const double value = shape.weight_column == NONE ? 1.0 : (double)columns.scalar(shape.weight_column, event);
    return (float)(value * shape.weight_factor);
}

}  // namespace selection
