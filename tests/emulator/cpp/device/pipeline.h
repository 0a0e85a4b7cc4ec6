// Asynchronous copies from global to shared memory (cuda_pipeline_primitives.h).
#pragma once
#include "device/model.h"

EMULATOR_UNCHECKED inline void __pipeline_memcpy_async(void* target, const void* source, size_t bytes,
                                                       size_t zero_filled = 0) {
    emulator::async_copy(target, source, bytes, zero_filled, __builtin_return_address(0));
}
inline void __pipeline_commit() { emulator::async_commit(); }
inline void __pipeline_wait_prior(unsigned batches_in_flight) { emulator::async_wait(batches_in_flight); }
