#include "runtime/fibers.h"

#include <sys/mman.h>

#if defined(EMULATOR_ADDRESS)
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#error "the emulator switches stacks with x86-64 instructions"
#endif

// Saves the registers that a function must preserve, swaps stacks, restores. Floating-point modes are the same on
// all fibers, so they are not saved.
extern "C" void emulator_switch_stack(void** save, void* to);
asm(R"(
.text
.globl emulator_switch_stack
.hidden emulator_switch_stack
.type emulator_switch_stack,@function
emulator_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulator_switch_stack,.-emulator_switch_stack
)");

namespace emulator {
namespace {

constexpr size_t STACK_BYTES = 256 << 10;
constexpr size_t GUARD_BYTES = 4 << 10;
constexpr int SAVED_REGISTERS = 6;

void* scheduler_stack_pointer = nullptr;

#if defined(EMULATOR_ADDRESS)
// AddressSanitizer keeps the bounds of the stack in use; it must be told of every switch.
void* scheduler_sanitizer_stack = nullptr;
const void* scheduler_stack_bottom = nullptr;
size_t scheduler_stack_bytes = 0;
#endif

}  // namespace

void prepare_fiber(Fiber& fiber, void (*entry)()) {
    if (!fiber.stack) {
        void* map = mmap(nullptr, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        fiber.stack = static_cast<char*>(map);
        mprotect(fiber.stack, GUARD_BYTES, PROT_NONE);  // a runaway recursion stops here
    }
    // The switch pops the saved registers and returns into `entry`; the null above it is entry's return address and
    // leaves the stack aligned as after a call.
    void** top = reinterpret_cast<void**>(fiber.stack + GUARD_BYTES + STACK_BYTES - 64);
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < SAVED_REGISTERS; ++i) *--top = nullptr;
    fiber.stack_pointer = top;
    fiber.sanitizer_stack = nullptr;
}

void release_stack(Fiber& fiber) {
    if (fiber.stack) munmap(fiber.stack, GUARD_BYTES + STACK_BYTES);
    fiber.stack = nullptr;
}

bool is_on_stack(const Fiber& fiber, uintptr_t address) {
    return address - reinterpret_cast<uintptr_t>(fiber.stack) < GUARD_BYTES + STACK_BYTES;
}

void resume(Fiber& fiber) {
#if defined(EMULATOR_ADDRESS)
    __sanitizer_start_switch_fiber(&scheduler_sanitizer_stack, fiber.stack + GUARD_BYTES, STACK_BYTES);
#endif
    emulator_switch_stack(&scheduler_stack_pointer, fiber.stack_pointer);
#if defined(EMULATOR_ADDRESS)
    __sanitizer_finish_switch_fiber(scheduler_sanitizer_stack, nullptr, nullptr);
#endif
}

void suspend(Fiber& fiber) {
#if defined(EMULATOR_ADDRESS)
    bool is_leaving_for_good = fiber.state == FiberState::Finished;
    __sanitizer_start_switch_fiber(is_leaving_for_good ? nullptr : &fiber.sanitizer_stack, scheduler_stack_bottom,
                                   scheduler_stack_bytes);
#endif
    emulator_switch_stack(&fiber.stack_pointer, scheduler_stack_pointer);
#if defined(EMULATOR_ADDRESS)
    __sanitizer_finish_switch_fiber(fiber.sanitizer_stack, &scheduler_stack_bottom, &scheduler_stack_bytes);
#endif
}

void begin_fiber(Fiber& fiber) {
    (void)fiber;
#if defined(EMULATOR_ADDRESS)
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack_bottom, &scheduler_stack_bytes);
#endif
}

}  // namespace emulator
