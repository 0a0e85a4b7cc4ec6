// Networks on a device: what src/models/train/math.rs, optimiser.rs and population.rs compute, in the same order of operations.
// Multiply-adds are fused where they are written so, as on the CPU; nothing else is.
#pragma once
#include "common/det.cuh"
#include "common/philox.cuh"

namespace train {

/// Kinds by number, as the launcher gives them.
constexpr u32 IDENTITY = 0u, RELU = 1u, LEAKY_RELU = 2u, ELU = 3u, TANH = 4u, SIGMOID = 5u;
constexpr u32 BINARY_CROSS_ENTROPY = 0u, LIKELIHOOD_RATIO = 1u, RECONSTRUCTION = 2u;
constexpr u32 CONSTANT = 0u, INVERSE_TIME = 1u;

/// No column, fold or group.
constexpr u32 NONE = 0xffffffffu;

/// Outputs that the draws of a sample decide about: a byte each.
constexpr u32 BYTES_A_DRAW = 16u;

/// A layer, as the launcher gives it.
struct Layer {
    u32 inputs;
    u32 outputs;
    u32 stride;
    u32 has_bias;
    u32 activation;
    float slope;
    u32 dropout;
    float kept_scale;
    u32 weights;
    u32 bias;
    u32 first_draw;
    /// Where in shared memory its outputs are, and what they were before dropout (NONE where that is not needed), in floats; and its
    /// factors of dropout, in bytes. For products of bfloat16 src/models/train/layout.rs has other units.
    u32 out;
    u32 active;
    u32 kept;
    /// Where its rounded weights are; only for products of bfloat16.
    u32 rounded;
};

/// A member, as the launcher gives it.
struct Member {
    u32 shuffle0, shuffle1;
    u32 dropout0, dropout1;
    u32 validation0, validation1;
    u32 bootstrap0, bootstrap1;
    u32 labels;
    u32 weights;
    u32 held_out;
    u32 group;
    u32 is_replica;
    /// What every output is compared with, of a fixed target.
    float target;
};

/// The events, as the launcher gives them.
struct Table {
    const float* features;
    const u32* present;
    const float* labels;
    const float* weights;
    const u32* folds;
    const u32* groups;
    u32 events;
    u32 width;
    u32 present_words;
    u32 has_labels;
};

__device__ __forceinline__ double sigmoid(double x) {
    return 1.0 / (1.0 + det::exp(-x));
}

__device__ __forceinline__ double softplus(double x) {
    const double above = x > 0.0 ? x : 0.0;
    return above + det::ln_1p(det::exp(-det::absolute(x)));
}

/// What an activation makes of a sum.
__device__ __forceinline__ float activated(u32 activation, float slope, float x) {
    if (activation == IDENTITY) return x;
    if (activation == RELU) return x > 0.0f ? x : 0.0f;
    if (activation == LEAKY_RELU) return x > 0.0f ? x : slope * x;
    if (activation == ELU) return x > 0.0f ? x : (float)det::exp_m1((double)x);
    if (activation == TANH) return (float)det::tanh((double)x);
    if (activation == SIGMOID) return (float)sigmoid((double)x);
    return (float)softplus((double)x);
}

/// The derivative of an activation where it gave `a`.
__device__ __forceinline__ float slope_at(u32 activation, float slope, float a) {
    if (activation == IDENTITY) return 1.0f;
    if (activation == RELU) return a > 0.0f ? 1.0f : 0.0f;
    if (activation == LEAKY_RELU) return a > 0.0f ? 1.0f : slope;
    if (activation == ELU) return a > 0.0f ? 1.0f : a + 1.0f;
    if (activation == TANH) return 1.0f - a * a;
    if (activation == SIGMOID) return a * (1.0f - a);
    return (float)(0.0 - det::exp_m1(-(double)a));
}

/// A Poisson number of mean 1 from 32 bits.
__device__ __forceinline__ u32 poisson_of_one(u32 word) {
    const u32 thresholds[12] = {1580030169u, 3160060337u, 3950075422u, 4213413783u, 4279248374u, 4292415292u,
                                4294609778u, 4294923276u, 4294962463u, 4294966817u, 4294967253u, 4294967292u};
    u32 number = 0u;
#pragma unroll
    for (u32 k = 0u; k < 12u; ++k) number += word >= thresholds[k] ? 1u : 0u;
    return number;
}

/// The label of an event; 0 where there are none.
__device__ __forceinline__ float label_of(const Table& table, const Member& member, u32 event) {
    return table.has_labels ? table.labels[(u64)member.labels * table.events + event] : 0.0f;
}

/// The weight of an event before it is scaled.
__device__ __forceinline__ double weight_of(const Table& table, const Member& member, u32 event) {
    const double weight = member.weights == NONE ? 1.0 : (double)table.weights[(u64)member.weights * table.events + event];
    const u32 count =
        member.is_replica ? poisson_of_one(philox::words(member.bootstrap0, member.bootstrap1, event, 0).a) : 1u;
    return weight * (double)count;
}

/// What an event is to a member.
constexpr u32 NOTHING = 0u, TRAINING = 1u, VALIDATION = 2u;

__device__ __forceinline__ u32 use_of(const Table& table, const Member& member, u32 event, u64 share) {
    if (member.held_out != NONE && table.folds[event] == member.held_out) return NOTHING;
    if (member.group != NONE && (table.groups[event] >> member.group & 1u) == 0u) return NOTHING;
    if (weight_of(table, member, event) == 0.0) return NOTHING;
    if (share > 0u && philox::words(member.validation0, member.validation1, event, 0).a < share) return VALIDATION;
    return TRAINING;
}

/// The finaliser of MurmurHash3.
__device__ __forceinline__ u32 mixed(u32 x) {
    x = (x ^ (x >> 16)) * 0x85ebca6bu;
    x = (x ^ (x >> 13)) * 0xc2b2ae35u;
    return x ^ (x >> 16);
}

/// The order of events in an epoch: src/math/permutation.rs.
struct Permutation {
    u32 number;
    u32 low_bits;
    u32 low_mask;
    u32 high_mask;
    u32 keys[8];

    __device__ __forceinline__ u32 once(u32 x) const {
        u32 low = x & low_mask;
        u32 high = x >> low_bits;
#pragma unroll
        for (u32 round = 0u; round < 8u; round += 2u) {
            low ^= mixed(high ^ keys[round]) & low_mask;
            high ^= mixed(low ^ keys[round + 1u]) & high_mask;
        }
        return (high << low_bits) | low;
    }

    /// What comes at a place below the number.
    __device__ __forceinline__ u32 at(u32 place) const {
        u32 found = once(place);
        while (found >= number) found = once(found);
        return found;
    }
};

__device__ __forceinline__ Permutation permutation_of(const Member& member, u32 epoch, u32 number) {
    u32 bits = number > 1u ? 32u - (u32)__clz((int)(number - 1u)) : 0u;
    if (bits < 2u) bits = 2u;
    const u32 low_bits = bits / 2u;
    const philox::Words first = philox::words(member.shuffle0, member.shuffle1, epoch, 0);
    const philox::Words second = philox::words(member.shuffle0, member.shuffle1, epoch, 1);
    return Permutation{number,
                       low_bits,
                       (1u << low_bits) - 1u,
                       (1u << (bits - low_bits)) - 1u,
                       {first.a, first.b, first.c, first.d, second.a, second.b, second.c, second.d}};
}

/// A loss of rows whose outputs are in columns of shared memory, `pitch` apart.
struct Loss {
    u32 kind;
    float target;
};

/// The row's share of the loss; its derivatives by the outputs go to `slopes`, as far apart as the outputs. `input(at)` is an input.
template <typename Input>
__device__ __forceinline__ double loss_of(Loss loss, const float* outputs, Input input, float* slopes, u32 pitch, u32 number,
                                          float label, double share, const u32* present) {
    if (loss.kind == BINARY_CROSS_ENTROPY) {
        const double z = (double)outputs[0];
        const double y = (double)label;
        // Sigmoid and softplus from one exponential, which does not overflow.
        const double e = det::quick_exp(-det::absolute(z));
        const double above = z > 0.0 ? z : 0.0;
        const double share_of_one = z > 0.0 ? 1.0 : e;
        slopes[0] = (float)(share * (share_of_one / (1.0 + e) - y));
        return share * (above + det::quick_ln_1p(e) - y * z);
    }
    if (loss.kind == LIKELIHOOD_RATIO) {
        const double sign = label > 0.5f ? -0.5 : 0.5;
        const double value = share * det::exp(sign * (double)outputs[0]);
        slopes[0] = (float)(sign * value);
        return value;
    }
    u32 there = number;
    if (loss.kind == RECONSTRUCTION && present) {
        there = 0u;
        for (u32 at = 0u; at < number; ++at) there += present[at >> 5] >> (at & 31u) & 1u;
    }
    const double part = there > 0u ? share / (double)there : 0.0;
    double sum = 0.0;
    for (u32 at = 0u; at < number; ++at) {
        const double target = loss.kind == RECONSTRUCTION ? (double)input(at) : (double)loss.target;
        double difference = (double)outputs[at * pitch] - target;
        if (loss.kind == RECONSTRUCTION && present && (present[at >> 5] >> (at & 31u) & 1u) == 0u) difference = 0.0;
        slopes[at * pitch] = (float)(2.0 * part * difference);
        sum += difference * difference;
    }
    return part * sum;
}

/// How parameters follow their gradient, as the launcher gives it.
struct Adam {
    double rate;
    double beta1;
    double beta2;
    double weight_decay;
    double decay;
    double largest_norm;
    float epsilon;
    u32 schedule;
    u32 has_largest_norm;
};

/// The numbers of a step.
struct Step {
    float rate;
    float kept;
    float beta1;
    float rest1;
    float beta2;
    float rest2;
    float correction1;
    float correction2;
};

__device__ __forceinline__ Step step_of(const Adam& adam, u64 before, u64 steps) {
    double rate = adam.rate;
    if (adam.schedule == INVERSE_TIME) {
        rate = rate / (1.0 + adam.decay * (double)before);
    } else if (adam.schedule != CONSTANT) {
        const double share = (double)(before < steps ? before : steps) / (double)(steps > 1u ? steps : 1u);
        rate = 0.5 * rate * (1.0 + det::cos(3.141592653589793 * share));
    }
    const double number = (double)(before + 1u);
    const double first = adam.beta1 > 0.0 ? 1.0 / (1.0 - det::pow(adam.beta1, number)) : 1.0;
    const double second = adam.beta2 > 0.0 ? 1.0 / (1.0 - det::pow(adam.beta2, number)) : 1.0;
    return Step{(float)rate,
                (float)(1.0 - rate * adam.weight_decay),
                (float)adam.beta1,
                (float)(1.0 - adam.beta1),
                (float)adam.beta2,
                (float)(1.0 - adam.beta2),
                (float)first,
                (float)second};
}

}  // namespace train
