// One event through a program: the twin of src/selection/select/math.rs, with the tables of program.rs.
//
// A warp runs the program together: all its lanes are at the same instruction, each with its own event, so that tables
// are read once for a warp and nothing diverges but the functions themselves. Lanes whose event has ended, or whose
// loop is over before the others', wait (`Lane::running`).
#pragma once
#include "common/angle.cuh"
#include "common/lorentz.cuh"
#include "selection/tally.cuh"

namespace selection {

using det::is_nan;
using lorentz::FourMomentum;

/// No column, no register, no limit, no check, no fault.
constexpr u32 NONE = 0xffffffffu;

/// The numbers of `Code` in program.rs.
enum Code : u32 {
    NUMBER = 0,
    SCALAR = 1,
    COUNT = 2,
    AT = 3,
    AT_PLACE = 4,
    BROADCAST = 5,
    ITEM = 6,
    PLACE = 7,
    SEPARATION = 8,
    ADD = 10,
    SUBTRACT = 11,
    MULTIPLY = 12,
    DIVIDE = 13,
    NEGATE = 14,
    ABSOLUTE = 15,
    SQUARE_ROOT = 16,
    EXPONENTIAL = 17,
    LOGARITHM = 18,
    SINE = 19,
    COSINE = 20,
    HYPERBOLIC_SINE = 21,
    HYPERBOLIC_COSINE = 22,
    ARC_TANGENT = 23,
    HYPOTENUSE = 24,
    MINIMUM = 25,
    MAXIMUM = 26,
    POWER = 27,
    FLOOR = 28,
    DELTA_PHI = 29,
    DELTA_R = 30,
    ROUND = 31,
    ABOVE = 40,
    AT_LEAST = 41,
    BELOW = 42,
    AT_MOST = 43,
    EQUAL = 44,
    UNEQUAL = 45,
    TRUTH = 46,
    AND = 47,
    OR = 48,
    NOT = 49,
    OTHERWISE = 50,
    FINITE = 51,
    CHOOSE = 52,
    MOMENTUM = 60,
    MASS_OF = 61,
    PT_OF = 62,
    ETA_OF = 63,
    PHI_OF = 64,
    RAPIDITY_OF = 65,
    BUILD = 80,
    KEEP = 81,
    EACH = 82,
    FOLD = 83,
    PAIRS = 84,
    BEST = 85,
    CUT = 90,
    REQUIRE = 91,
    TALLY = 92,
    FLAG = 93,
    STORE = 94,
};

/// The numbers of a launch, `Shape` in cuda.rs.
struct Shape {
    double weight_factor;
    u32 events;
    u32 instructions;
    /// Where the tables begin, in words: instructions (4 words each) stand at 0, then objects (4), quantities, checks
    /// and presences (1), sources (half a word).
    u32 objects_at;
    u32 quantities_at;
    u32 checks_at;
    u32 presences_at;
    u32 sources_at;
    u32 objects;
    /// The first register of loops, behind those of the program: see loops.cuh.
    u32 loop_registers;
    u32 registers;
    /// The columns: offsets of so many collections, so many quantities, then the scalars.
    u32 collections;
    u32 quantities;
    /// The rows of the tally that a block keeps in shared memory: all, or none.
    u32 shared_rows;
    u32 weight_column;
    u32 weight_fault;
    i32 weight_exponent;
};

/// `Instruction` in program.rs, without its number.
struct Step {
    u32 code;
    u32 dest;
    u32 a;
    u32 b;
    u32 c;
    u32 check;
};

/// `ObjectPlan` in program.rs, as far as it is needed, and where the references of its items begin.
struct ObjectPlan {
    u32 first_source;
    u32 sources;
    u32 first_quantity;
    u32 leading;
    u64 region;
};

/// What all threads of a block share, and where each has its own.
struct Machine {
    const Shape& shape;
    const u64* columns;
    const u64* tables;
    /// The items of objects, a region for each object and in it one for each event. A reference is the item's place in
    /// its column plus the lengths of the columns of the sources before.
    u32* references;
    /// Their keys.
    double* keys;
    /// This thread's register r is `registers[r * stride]`, in shared memory.
    double* registers;
    /// Likewise: the number of items of each object, then the rows of the tally that the event is counted in.
    u32* words;
    u32 stride;

    __device__ __forceinline__ double& value(u32 number) const { return registers[number * stride]; }
    __device__ __forceinline__ bool holds(u32 number) const { return value(number) != 0.0; }
    __device__ __forceinline__ u32& count(u32 object) const { return words[object * stride]; }
    __device__ __forceinline__ u32& row(u32 tally) const { return words[(shape.objects + tally) * stride]; }

    __device__ __forceinline__ Step step(u32 index) const {
        const uint4 head = __ldg((const uint4*)(tables + 4ULL * index));
        const uint2 tail = __ldg((const uint2*)(tables + 4ULL * index + 2));
        return Step{head.x, head.y, head.z, head.w, tail.x, tail.y};
    }
    __device__ __forceinline__ double number(u32 index) const {
        return __ldg((const double*)(tables + 4ULL * index + 3));
    }
    __device__ __forceinline__ ObjectPlan object(u32 index) const {
        const u64* plan = tables + shape.objects_at + 4ULL * index;
        const uint4 head = __ldg((const uint4*)plan);
        return ObjectPlan{head.x, head.y, head.z, head.w, __ldg(plan + 2)};
    }
    __device__ __forceinline__ uint2 pair(u32 at) const { return __ldg((const uint2*)(tables + at)); }

    __device__ __forceinline__ u32 offset(const ObjectPlan& plan, u32 source, u32 event) const {
        const u32 collection = __ldg((const u32*)(tables + shape.sources_at) + plan.first_source + source);
        return __ldg((const u32*)__ldg(columns + collection) + event);
    }
    __device__ __forceinline__ double scalar(u32 column, u32 event) const {
        return (double)__ldg((const float*)__ldg(columns + shape.collections + shape.quantities + column) + event);
    }

    /// Where the references of an event's items begin: it has room for all items of all sources.
    __device__ __forceinline__ u64 region(const ObjectPlan& plan, u32 event) const {
        u64 start = plan.region;
        for (u32 source = 0; source < plan.sources; ++source) {
            start += offset(plan, source, event);
        }
        return start;
    }

    /// A quantity of an item.
    __device__ __forceinline__ double quantity(const ObjectPlan& plan, u32 which, u32 reference) const {
        u32 source = 0;
        u32 item = reference;
        while (source + 1 < plan.sources) {
            const u32 length = offset(plan, source, shape.events);
            if (item < length) {
                break;
            }
            item -= length;
            source += 1;
        }
        const uint2 entry = pair(shape.quantities_at + plan.first_quantity + which * plan.sources + source);
        if (entry.x == NONE) {
            return (double)__uint_as_float(entry.y);
        }
        return (double)__ldg((const float*)__ldg(columns + shape.collections + entry.x) + item);
    }
};

/// An event on its way.
struct Lane {
    u32 event;
    /// It has not ended.
    bool alive;
    /// It runs the instructions that the warp is at.
    bool running;
    u32 fault;
    u32 passed;
    u32 flags;
    /// The rows that it is counted in, besides the one of the cuts that it passed.
    u32 tallied;
    /// Places of the items that a loop is at; while an object is built, its source and how many items are left in it.
    u32 first;
    u32 second;
    u32 first_reference;
    u32 second_reference;

    __device__ __forceinline__ void end() {
        alive = false;
        running = false;
    }
};

/// The larger; NaN if one of them is.
__device__ __forceinline__ double larger(double first, double second) {
    return second > first || is_nan(second) ? second : first;
}

/// The smaller; NaN if one of them is.
__device__ __forceinline__ double smaller(double first, double second) {
    return second < first || is_nan(second) ? second : first;
}

/// Whether `key` comes before `other`: NaN is behind all numbers.
__device__ __forceinline__ bool precedes(double key, double other) {
    return key < other || (is_nan(other) && !is_nan(key));
}

/// Rounds to f32; every NaN becomes the same one, since processors differ in the bits of theirs.
__device__ __forceinline__ float single(double value) {
    return is_nan(value) ? __int_as_float(0x7fc00000) : (float)value;
}

__device__ __forceinline__ double number(bool holds) {
    return holds ? 1.0 : 0.0;
}

/// Whether one of two values is NaN although all that they need is there.
__device__ __forceinline__ bool is_fault(const Machine& machine, u32 check, double a, double b) {
    if (check == NONE || !(is_nan(a) || is_nan(b))) {
        return false;
    }
    const uint2 presences = machine.pair(machine.shape.checks_at + check);
    for (u32 index = 0; index < presences.y; ++index) {
        const uint2 presence = machine.pair(machine.shape.presences_at + presences.x + index);
        if (!(machine.value(presence.x) >= (double)presence.y)) {
            return false;
        }
    }
    return true;
}

__device__ __forceinline__ double at(const Machine& machine, const Lane& lane, const Step& step, u32 place) {
    const ObjectPlan plan = machine.object(step.a);
    return machine.quantity(plan, step.b, machine.references[machine.region(plan, lane.event) + place]);
}

__device__ __forceinline__ double separation(const Machine& machine, const Lane& lane, const Step& step) {
    const double eta = machine.value(step.a);
    const double phi = machine.value(step.b);
    const ObjectPlan plan = machine.object(step.c);
    const u64 region = machine.region(plan, lane.event);
    double least = det::infinite();
    for (u32 place = 0; place < machine.count(step.c); ++place) {
        const u32 reference = machine.references[region + place];
        const double other_eta = machine.quantity(plan, 0, reference);
        const double other_phi = machine.quantity(plan, 1, reference);
        least = smaller(least, angle::delta_r(eta, phi, other_eta, other_phi));
    }
    return least;
}

__device__ __forceinline__ FourMomentum momentum(const Machine& machine, u32 first) {
    return FourMomentum{machine.value(first), machine.value(first + 1), machine.value(first + 2),
                        machine.value(first + 3)};
}

/// A comparison; a NaN of the data ends the event.
__device__ __forceinline__ double compare(const Machine& machine, Lane& lane, const Step& step) {
    const double a = machine.value(step.a);
    // The truth of a is that it is not 0.
    const double b = step.code == TRUTH ? 0.0 : machine.value(step.b);
    if (is_fault(machine, step.check, a, b)) {
        lane.fault = step.check;
        lane.end();
    }
    switch (step.code) {
        case ABOVE: return number(a > b);
        case AT_LEAST: return number(a >= b);
        case BELOW: return number(a < b);
        case AT_MOST: return number(a <= b);
        case EQUAL: return number(a == b);
        default: return number(a < b || a > b);
    }
}

/// The instructions whose result is no value.
__device__ __forceinline__ void decide(const Machine& machine, Lane& lane, const Step& step, float* values) {
    const double value = machine.value(step.a);
    const bool holds = value != 0.0;
    switch (step.code) {
        case CUT:
        case REQUIRE:
            if (!holds) {
                lane.end();
            } else if (step.code == CUT) {
                lane.passed += 1;
            }
            break;
        case TALLY:
            if (holds) {
                machine.row(lane.tallied) = step.c + (u32)value - 1;
                lane.tallied += 1;
            }
            break;
        case FLAG: lane.flags |= holds ? 1u << step.dest : 0; break;
        case STORE: values[(u64)step.dest * machine.shape.events + lane.event] = single(value); break;
    }
}

/// Every instruction but those of loops.
__device__ __forceinline__ void execute(const Machine& machine, Lane& lane, const Step& step, u32 index,
                                        float* values) {
    if (step.code >= CUT) {
        decide(machine, lane, step, values);
        return;
    }
    double value = 0.0;
    switch (step.code) {
        case NUMBER: value = machine.number(index); break;
        case SCALAR: value = machine.scalar(step.a, lane.event); break;
        case COUNT: value = (double)machine.count(step.a); break;
        case AT:
        case AT_PLACE: {
            const double place = step.code == AT ? (double)step.c : machine.value(step.c);
            const bool there = place >= 0.0 && place < (double)machine.count(step.a);
            value = there ? at(machine, lane, step, (u32)place) : det::not_a_number();
            break;
        }
        case BROADCAST: value = machine.value(step.a); break;
        case ITEM: {
            const u32 reference = step.c == 1 ? lane.second_reference : lane.first_reference;
            value = machine.quantity(machine.object(step.a), step.b, reference);
            break;
        }
        case PLACE: value = (double)(step.c == 1 ? lane.second : lane.first); break;
        case SEPARATION: value = separation(machine, lane, step); break;
        case ADD: value = machine.value(step.a) + machine.value(step.b); break;
        case SUBTRACT: value = machine.value(step.a) - machine.value(step.b); break;
        case MULTIPLY: value = machine.value(step.a) * machine.value(step.b); break;
        case DIVIDE: value = machine.value(step.a) / machine.value(step.b); break;
        case NEGATE: value = -machine.value(step.a); break;
        case ABSOLUTE: value = det::absolute(machine.value(step.a)); break;
        case SQUARE_ROOT: value = det::sqrt(machine.value(step.a)); break;
        case EXPONENTIAL: value = det::exp(machine.value(step.a)); break;
        case LOGARITHM: value = det::ln(machine.value(step.a)); break;
        case SINE: value = det::sin(machine.value(step.a)); break;
        case COSINE: value = det::cos(machine.value(step.a)); break;
        case HYPERBOLIC_SINE: value = det::sinh(machine.value(step.a)); break;
        case HYPERBOLIC_COSINE: value = det::cosh(machine.value(step.a)); break;
        case ARC_TANGENT: value = det::atan2(machine.value(step.a), machine.value(step.b)); break;
        case HYPOTENUSE: value = det::hypot(machine.value(step.a), machine.value(step.b)); break;
        case MINIMUM: value = smaller(machine.value(step.a), machine.value(step.b)); break;
        case MAXIMUM: value = larger(machine.value(step.a), machine.value(step.b)); break;
        case POWER: value = det::pow(machine.value(step.a), machine.value(step.b)); break;
        case FLOOR: value = floor(machine.value(step.a)); break;
        case DELTA_PHI: value = angle::delta_phi(machine.value(step.a), machine.value(step.b)); break;
        case DELTA_R:
            value = angle::delta_r(machine.value(step.a), machine.value(step.b), machine.value(step.c),
                                   machine.value(step.check));
            break;
        case ROUND: value = (double)single(machine.value(step.a)); break;
        case ABOVE:
        case AT_LEAST:
        case BELOW:
        case AT_MOST:
        case EQUAL:
        case UNEQUAL:
        case TRUTH: value = compare(machine, lane, step); break;
        case AND: value = number(machine.holds(step.a) && machine.holds(step.b)); break;
        case OR: value = number(machine.holds(step.a) || machine.holds(step.b)); break;
        case NOT: value = number(!machine.holds(step.a)); break;
        case OTHERWISE: value = machine.value(is_nan(machine.value(step.a)) ? step.b : step.a); break;
        case FINITE: value = number(det::is_finite(machine.value(step.a))); break;
        case CHOOSE: value = machine.value(machine.holds(step.a) ? step.b : step.c); break;
        case MOMENTUM: {
            const FourMomentum p = lorentz::momentum_of(machine.value(step.a), machine.value(step.b),
                                                        machine.value(step.c), machine.value(step.check));
            machine.value(step.dest + 1) = p.py;
            machine.value(step.dest + 2) = p.pz;
            machine.value(step.dest + 3) = p.energy;
            value = p.px;
            break;
        }
        case MASS_OF: value = lorentz::mass_of(momentum(machine, step.a)); break;
        case PT_OF: value = lorentz::pt_of(momentum(machine, step.a)); break;
        case ETA_OF: value = lorentz::eta_of(momentum(machine, step.a)); break;
        case PHI_OF: value = lorentz::phi_of(momentum(machine, step.a)); break;
        case RAPIDITY_OF: value = lorentz::rapidity_of(momentum(machine, step.a)); break;
    }
    machine.value(step.dest) = value;
}

/// The weight of an event: the column's value (1 without a column) times the factor, rounded once.
__device__ __forceinline__ float weight_of(const Machine& machine, u32 event) {
    const Shape& shape = machine.shape;
    const double value = shape.weight_column == NONE ? 1.0 : machine.scalar(shape.weight_column, event);
    return (float)(value * shape.weight_factor);
}

}  // namespace selection
