// First line of every kernel's translation unit.
#pragma once
#include "device/atomics.h"
#include "device/intrinsics.h"
#include "device/model.h"
#include "device/pipeline.h"
#include "device/synchronise.h"
#include "device/tensor.h"

// Defined last: the standard headers use the word within attributes.
#define __noinline__ __attribute__((noinline))

namespace emulator {

template <auto FUNCTION>
struct Binding;

// Calls a kernel with parameters given as the driver gives them: a pointer to each.
template <class... P, void (*FUNCTION)(P...)>
struct Binding<FUNCTION> {
    static constexpr size_t BYTES[sizeof...(P) + 1] = {sizeof(P)..., 0};
    static constexpr size_t COUNT = sizeof...(P);

    EMULATOR_UNCHECKED static void run(void* const* parameters) { call(parameters, std::make_index_sequence<COUNT>()); }

    template <size_t... I>
    EMULATOR_UNCHECKED static void call(void* const* parameters, std::index_sequence<I...>) {
        (void)parameters;
        FUNCTION(*static_cast<std::remove_const_t<P>*>(parameters[I])...);
    }
};

constexpr unsigned max_threads(unsigned threads = 1024, unsigned = 0, unsigned = 0) { return threads; }

struct Registration {
    explicit Registration(Kernel& kernel) { register_kernel(kernel); }
};

}  // namespace emulator

// The remaining arguments are those of __launch_bounds__.
#define EMULATOR_REGISTER(NAME, ...)                   \
    static emulator::Kernel emulator_kernel_##NAME = { \
        #NAME,                                         \
        &emulator::Binding<&NAME>::run,                \
        emulator::Binding<&NAME>::BYTES,               \
        emulator::Binding<&NAME>::COUNT,               \
        emulator::max_threads(__VA_ARGS__),            \
        nullptr,                                       \
    };                                                 \
    static emulator::Registration emulator_registration_##NAME(emulator_kernel_##NAME);
