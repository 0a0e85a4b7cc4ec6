// Barriers, shuffles, votes and fences.
#pragma once
#include "device/model.h"

inline void __syncthreads(EMULATOR_HERE) { emulator::block_barrier(0, emulator::Vote::Count, {file, line}); }
inline int __syncthreads_count(int predicate, EMULATOR_HERE) {
    return emulator::block_barrier(predicate != 0, emulator::Vote::Count, {file, line});
}
inline int __syncthreads_and(int predicate, EMULATOR_HERE) {
    return emulator::block_barrier(predicate != 0, emulator::Vote::And, {file, line});
}
inline int __syncthreads_or(int predicate, EMULATOR_HERE) {
    return emulator::block_barrier(predicate != 0, emulator::Vote::Or, {file, line});
}

inline void __syncwarp(unsigned mask = emulator::FULL_WARP, EMULATOR_HERE) {
    emulator::warp_collective(mask, nullptr, nullptr, nullptr, emulator::Ordering::MemoryFence, {file, line});
}

// Memory is sequentially consistent here: a missing fence is not told from a present one.
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

inline unsigned __activemask() { return emulator::live_lanes(); }
inline void __trap(EMULATOR_HERE) { emulator::trap({file, line}); }

namespace emulator {

template <class T>
struct Shuffle {
    T value, result;
    int source;
};

template <class T>
EMULATOR_UNCHECKED void shuffle_lanes(void* const payload[WARP_LANES], unsigned mask, void*) {
    for (unsigned i = 0; i < WARP_LANES; ++i) {
        if (!(mask >> i & 1)) continue;
        auto* lane = static_cast<Shuffle<T>*>(payload[i]);
        if (mask >> lane->source & 1) {
            lane->result = static_cast<Shuffle<T>*>(payload[lane->source])->value;
        } else {
            // Undefined on the device: hand out something that nobody mistakes for a result.
            std::memset(&lane->result, 0xa5, sizeof(T));
        }
    }
}

template <class T>
EMULATOR_UNCHECKED T shuffle(unsigned mask, T value, int source, Place place) {
    Shuffle<T> payload{value, value, source};
    warp_collective(mask, &payload, &shuffle_lanes<T>, nullptr, Ordering::None, place);
    return payload.result;
}

}  // namespace emulator

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMULATOR_HERE) {
    int lane = emulator::lane();
    return emulator::shuffle(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), {file, line});
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATOR_HERE) {
    int lane = emulator::lane();
    bool inside = (lane & (width - 1)) >= static_cast<int>(delta);
    return emulator::shuffle(mask, value, inside ? lane - static_cast<int>(delta) : lane, {file, line});
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATOR_HERE) {
    int lane = emulator::lane();
    bool inside = (lane & (width - 1)) + static_cast<int>(delta) < width;
    return emulator::shuffle(mask, value, inside ? lane + static_cast<int>(delta) : lane, {file, line});
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, EMULATOR_HERE) {
    int lane = emulator::lane(), source = lane ^ bits;
    // Later groups of `width` lanes are out of reach, earlier ones are not.
    bool inside = (source & ~(width - 1)) <= (lane & ~(width - 1));
    return emulator::shuffle(mask, value, inside ? source : lane, {file, line});
}

namespace emulator {

template <class T>
struct Vote32 {
    T value;
    unsigned result;
};

// Bit j of a lane's result tells whether `agrees(lane's value, value of lane j)`.
template <class T, class F>
EMULATOR_UNCHECKED unsigned vote(unsigned mask, T value, F, Place place) {
    Vote32<T> payload{value, 0};
    LaneFunction collect =
        [](void* const payload[WARP_LANES], unsigned mask, void*) __attribute__((no_sanitize_thread)) {
        for (unsigned i = 0; i < WARP_LANES; ++i) {
            if (!(mask >> i & 1)) continue;
            auto* lane = static_cast<Vote32<T>*>(payload[i]);
            for (unsigned j = 0; j < WARP_LANES; ++j) {
                if ((mask >> j & 1) && F::agrees(lane->value, static_cast<Vote32<T>*>(payload[j])->value)) {
                    lane->result |= 1u << j;
                }
            }
        }
    };
    warp_collective(mask, &payload, collect, nullptr, Ordering::None, place);
    return payload.result;
}

struct OtherIsTrue {
    EMULATOR_UNCHECKED static bool agrees(int, int other) { return other != 0; }
};
struct SameBits {
    template <class T>
    EMULATOR_UNCHECKED static bool agrees(const T& mine, const T& other) {
        return std::memcmp(&mine, &other, sizeof(T)) == 0;
    }
};

// Folds the values of all lanes in the mask; integers only, as on the device, so the order does not matter.
template <class T, class F>
EMULATOR_UNCHECKED T reduce(unsigned mask, T value, F, Place place) {
    LaneFunction fold = [](void* const payload[WARP_LANES], unsigned mask, void*) __attribute__((no_sanitize_thread)) {
        T result = F::identity();
        for (unsigned i = 0; i < WARP_LANES; ++i) {
            if (mask >> i & 1) result = F::join(result, *static_cast<T*>(payload[i]));
        }
        for (unsigned i = 0; i < WARP_LANES; ++i) {
            if (mask >> i & 1) *static_cast<T*>(payload[i]) = result;
        }
    };
    warp_collective(mask, &value, fold, nullptr, Ordering::None, place);
    return value;
}

}  // namespace emulator

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATOR_HERE) {
    return emulator::vote(mask, predicate, emulator::OtherIsTrue{}, {file, line});
}
inline int __any_sync(unsigned mask, int predicate, EMULATOR_HERE) {
    return emulator::vote(mask, predicate, emulator::OtherIsTrue{}, {file, line}) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMULATOR_HERE) {
    return emulator::vote(mask, !predicate, emulator::OtherIsTrue{}, {file, line}) == 0;
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value, EMULATOR_HERE) {
    return emulator::vote(mask, value, emulator::SameBits{}, {file, line});
}

#define EMULATOR_REDUCTION(NAME, T, IDENTITY, EXPRESSION)                           \
    namespace emulator {                                                            \
    struct NAME##_##T {                                                             \
        EMULATOR_UNCHECKED static T identity() { return IDENTITY; }                 \
        EMULATOR_UNCHECKED static T join(T a, T b) { return EXPRESSION; }           \
    };                                                                              \
    }                                                                               \
    inline T __##NAME##_sync(unsigned mask, T value, EMULATOR_HERE) {               \
        return emulator::reduce(mask, value, emulator::NAME##_##T{}, {file, line}); \
    }

EMULATOR_REDUCTION(reduce_add, unsigned, 0u, a + b)
EMULATOR_REDUCTION(reduce_add, int, 0, static_cast<int>(static_cast<unsigned>(a) + static_cast<unsigned>(b)))
EMULATOR_REDUCTION(reduce_min, unsigned, ~0u, a < b ? a : b)
EMULATOR_REDUCTION(reduce_min, int, std::numeric_limits<int>::max(), a < b ? a : b)
EMULATOR_REDUCTION(reduce_max, unsigned, 0u, a > b ? a : b)
EMULATOR_REDUCTION(reduce_max, int, std::numeric_limits<int>::min(), a > b ? a : b)
EMULATOR_REDUCTION(reduce_and, unsigned, ~0u, a& b)
EMULATOR_REDUCTION(reduce_or, unsigned, 0u, a | b)
EMULATOR_REDUCTION(reduce_xor, unsigned, 0u, a ^ b)
