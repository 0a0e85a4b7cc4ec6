// Atomics. One fiber runs at a time and is not switched within an operation, so a plain read and write is atomic;
// the runtime is told, since atomics race with plain accesses but not with each other.
#pragma once
#include "device/model.h"

namespace emulator {

template <class T, class F>
EMULATOR_UNCHECKED T read_modify_write(T* address, F next) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "atomics are for 4 and 8 bytes");
    before_atomic(address, sizeof(T), __builtin_return_address(0));
    T old = *address;
    *address = next(old);
    return old;
}

// What atomicAdd computes: integers wrap on the device, where signed overflow would be undefined on the host.
template <class T>
EMULATOR_UNCHECKED T sum(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
        using U = std::make_unsigned_t<T>;
        return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    } else {
        return a + b;
    }
}

}  // namespace emulator

#define EMULATOR_ATOMIC(NAME, T, RESULT)                                                    \
    inline T NAME(T* address, T value) {                                                    \
        return emulator::read_modify_write(                                                 \
            address, [=](T old) __attribute__((no_sanitize_thread))->T { return RESULT; }); \
    }

#define EMULATOR_ATOMIC_CAS(T)                                                                                     \
    inline T atomicCAS(T* address, T expected, T value) {                                                          \
        return emulator::read_modify_write(                                                                        \
            address, [=](T old) __attribute__((no_sanitize_thread))->T { return old == expected ? value : old; }); \
    }

#define EMULATOR_ATOMIC_INTEGER(T)                           \
    EMULATOR_ATOMIC(atomicMin, T, old < value ? old : value) \
    EMULATOR_ATOMIC(atomicMax, T, old > value ? old : value) \
    EMULATOR_ATOMIC(atomicAnd, T, old& value)                \
    EMULATOR_ATOMIC(atomicOr, T, old | value)                \
    EMULATOR_ATOMIC(atomicXor, T, old ^ value)

// Only the overloads that CUDA has: atomicAdd on long long, for one, does not exist there.
EMULATOR_ATOMIC(atomicAdd, int, emulator::sum(old, value))
EMULATOR_ATOMIC(atomicAdd, unsigned, emulator::sum(old, value))
EMULATOR_ATOMIC(atomicAdd, unsigned long long, emulator::sum(old, value))
EMULATOR_ATOMIC(atomicAdd, float, old + value)
EMULATOR_ATOMIC(atomicAdd, double, old + value)
EMULATOR_ATOMIC(atomicSub, int, static_cast<int>(static_cast<unsigned>(old) - static_cast<unsigned>(value)))
EMULATOR_ATOMIC(atomicSub, unsigned, old - value)
EMULATOR_ATOMIC(atomicExch, int, value)
EMULATOR_ATOMIC(atomicExch, unsigned, value)
EMULATOR_ATOMIC(atomicExch, unsigned long long, value)
EMULATOR_ATOMIC(atomicExch, float, value)
EMULATOR_ATOMIC_INTEGER(int)
EMULATOR_ATOMIC_INTEGER(unsigned)
EMULATOR_ATOMIC_INTEGER(long long)
EMULATOR_ATOMIC_INTEGER(unsigned long long)
EMULATOR_ATOMIC_CAS(int)
EMULATOR_ATOMIC_CAS(unsigned)
EMULATOR_ATOMIC_CAS(unsigned long long)
EMULATOR_ATOMIC(atomicInc, unsigned, old >= value ? 0u : old + 1)
EMULATOR_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)
