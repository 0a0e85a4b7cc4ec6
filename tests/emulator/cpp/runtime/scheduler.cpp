// Runs a launch: blocks one after another, the threads of a block as fibers, in an order that the seed decides.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>

#include "runtime/machine.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {

Machine machine;

uint64_t Machine::random() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

void Machine::wake(Fiber& fiber) {
    fiber.state = FiberState::Ready;
    ready.push_back(fiber.linear);
}

namespace {

// A constant-initialised pointer: kernels register themselves while other initialisers have yet to run.
Kernel* kernels = nullptr;

uint64_t blocks_begun = 0;  // of all launches: shared memory is told apart by it

void fiber_main() {
    Fiber& fiber = *machine.current;
    begin_fiber(fiber);
    machine.kernel->run(machine.parameters);
    finish_async_copies(fiber);
    fiber.state = FiberState::Finished;
    --machine.live;
    leave_warp_on_exit(fiber);
    leave_block_barrier_on_exit();
    suspend(fiber);
    std::abort();  // a finished fiber is not resumed
}

std::string what_is_wrong(const Kernel& kernel, const LaunchOptions& options) {
    const Size3 &grid = options.grid, &block = options.block;
    if (grid.count() == 0 || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535) return "the grid's size";
    if (block.count() == 0 || block.count() > MAX_THREADS || block.z > 64) return "the block's size";
    if (block.count() > kernel.max_threads) return "more threads than the kernel's launch bounds";
    if (options.dynamic_shared > MAX_SHARED) return "more shared memory than a block can have";
    return "";
}

void begin_launch(const Kernel& kernel, void* const* parameters, const LaunchOptions& options) {
    machine.options = options;
    machine.kernel = &kernel;
    machine.parameters = parameters;
    machine.report = LaunchReport();
    machine.random_state = options.seed * 0x9e3779b97f4a7c15ull + 0x1234567;
    begin_reports();
    begin_profile();
    begin_global_epoch();
    gridDim = dim3(options.grid.x, options.grid.y, options.grid.z);
    blockDim = dim3(options.block.x, options.block.y, options.block.z);

    size_t threads = options.block.count();
    for (size_t i = threads; i < machine.fibers.size(); ++i) release_stack(machine.fibers[i]);
    machine.fibers.resize(threads);
    machine.warps.resize((threads + WARP_LANES - 1) / WARP_LANES);
    size_dynamic_shared(options.dynamic_shared);
}

void begin_block(uint32_t block) {
    const Size3 &grid = machine.options.grid, &shape = machine.options.block;
    machine.block = block;
    blockIdx = {block % grid.x, block / grid.x % grid.y, block / grid.x / grid.y};
    begin_shared_block(++blocks_begun);
    machine.interval = 0;
    machine.barrier = BlockBarrier();
    machine.live = static_cast<unsigned>(machine.fibers.size());
    machine.ready.clear();
    for (unsigned w = 0; w < machine.warps.size(); ++w) {
        Warp& warp = machine.warps[w];
        warp.first_thread = w * WARP_LANES;
        unsigned members = std::min(WARP_LANES, machine.live - warp.first_thread);
        warp.live = members == WARP_LANES ? FULL_WARP : (1u << members) - 1;
        warp.open.clear();
        warp.reset_clocks();
    }
    for (unsigned i = 0; i < machine.fibers.size(); ++i) {
        Fiber& fiber = machine.fibers[i];
        fiber.linear = i;
        fiber.lane = i % WARP_LANES;
        fiber.warp = i / WARP_LANES;
        fiber.thread = {i % shape.x, i / shape.x % shape.y, i / shape.x / shape.y};
        fiber.open_batch.clear();
        fiber.batches.clear();
        prepare_fiber(fiber, &fiber_main);
        machine.wake(fiber);
    }
    if (machine.options.schedule == Schedule::Reverse) std::reverse(machine.ready.begin(), machine.ready.end());
}

void report_deadlock() {
    constexpr int SHOWN = 4;
    std::string message = "DEADLOCK in block " + std::to_string(machine.block) + ":";
    int shown = 0;
    for (const Fiber& fiber : machine.fibers) {
        if (fiber.state == FiberState::Finished || shown++ >= SHOWN) continue;
        message += " thread " + std::to_string(fiber.linear) + " waits at " + describe(fiber.place) + ";";
    }
    message += " " + std::to_string(machine.fibers.size() - machine.live) + " of " +
               std::to_string(machine.fibers.size()) + " threads have exited";
    report(Finding::Deadlock, "", message);
    machine.report.aborted = machine.report.was_stuck = true;
}

void run_block() {
    auto& ready = machine.ready;
    size_t head = 0;
    while (machine.live > 0 && !machine.report.aborted) {
        if (head == ready.size()) {
            report_deadlock();
            return;
        }
        if (machine.options.schedule == Schedule::Random) {
            std::swap(ready[head], ready[head + machine.random() % (ready.size() - head)]);
        }
        machine.current = &machine.fibers[ready[head++]];
        if (head > 4096) {
            ready.erase(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(head));
            head = 0;
        }
        threadIdx = machine.current->thread;
        ++machine.report.switches;
        resume(*machine.current);
    }
}

/// Which static arrays a kernel uses is known only once a block has run.
void check_shared_size() {
    machine.report.static_shared = std::max(machine.report.static_shared, static_shared_bytes());
    if (machine.report.static_shared > DEFAULT_SHARED ||
        machine.report.static_shared + machine.options.dynamic_shared > MAX_SHARED) {
        report(Finding::Configuration, "", "SHARED MEMORY: a block uses more than a device has");
    }
}

std::vector<uint32_t> block_order() {
    std::vector<uint32_t> order(machine.options.grid.count());
    std::iota(order.begin(), order.end(), 0u);
    if (machine.options.schedule == Schedule::Reverse) std::reverse(order.begin(), order.end());
    if (machine.options.schedule == Schedule::Random) {
        for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[machine.random() % i]);
    }
    return order;
}

}  // namespace

void register_kernel(Kernel& kernel) {
    kernel.next = kernels;
    kernels = &kernel;
}

const Kernel* find_kernel(const char* name) {
    for (const Kernel* kernel = kernels; kernel; kernel = kernel->next) {
        if (std::strcmp(kernel->name, name) == 0) return kernel;
    }
    return nullptr;
}

LaunchReport launch(const Kernel& kernel, void* const* parameters, const LaunchOptions& options) {
    std::string wrong = what_is_wrong(kernel, options);
    if (!wrong.empty()) {
        machine.report = LaunchReport();
        machine.kernel = &kernel;
        begin_reports();
        report(Finding::Configuration, "", "LAUNCH CONFIGURATION is not possible on a device: " + wrong);
        return machine.report;
    }
    begin_launch(kernel, parameters, options);
    for (uint32_t block : block_order()) {
        begin_block(block);
        machine.is_running = true;
        run_block();
        machine.is_running = false;
        if (machine.report.aborted) break;
        check_shared_size();
        if (options.profiling == Profiling::On) count_requests();
    }
    machine.current = nullptr;
    end_profile();
    return machine.report;
}

void abort_launch() {
    machine.report.aborted = true;
    suspend(*machine.current);
    std::abort();  // an aborted launch resumes no fiber
}

void trap(Place place) {
    report(Finding::Trap, describe(place), "TRAP at " + describe(place) + " by " + describe_thread());
    machine.report.was_stuck = true;
    abort_launch();
}

uint64_t perturbation_seed() { return machine.options.seed; }

}  // namespace emulator
