// Streams and events.
#include "driver/driver.h"

namespace emulator {
namespace {

/// One recording of an event. A wait refers to the recording that it saw, not to later ones.
struct Recording {
    Signal done;
    double at_ms = 0;
};

struct Event {
    Device* device = nullptr;
    bool has_timing = true;
    std::shared_ptr<Recording> recording;  // null before the first
};

// Never destroyed: threads of the process may still make calls while it exits.
std::map<void*, std::unique_ptr<Event>>& events = *new std::map<void*, std::unique_ptr<Event>>;

Event* find_event(void* handle) {
    auto found = events.find(handle);
    return found == events.end() ? nullptr : found->second.get();
}

bool can_run(const Operation& operation) {
    for (const Signal& signal : operation.after) {
        if (!signal->is_done) return false;
    }
    return true;
}

bool run_first(Stream& stream) {
    if (stream.queue.empty() || !can_run(stream.queue.front())) return false;
    Operation operation = std::move(stream.queue.front());
    stream.queue.pop_front();
    // After a fault nothing more runs on the device, but whoever waits must not wait for ever.
    if (operation.run && stream.device->sticky == SUCCESS) operation.run();
    operation.done->is_done = true;
    return true;
}

template <class F>
Result run_until(Device& device, F is_done) {
    while (!is_done()) {
        if (!run_one_operation()) {
            fault(device, LAUNCH_FAILED, "streams wait for each other: nothing can run");
            break;
        }
    }
    return static_cast<Result>(device.sticky);
}

}  // namespace

Stream* find_stream(void* handle) {
    // 0, 1 and 2 name the default stream (legacy, and per thread, which is treated alike).
    if (reinterpret_cast<uintptr_t>(handle) <= 2) return current_device() ? &current_device()->default_stream : nullptr;
    auto found = driver().streams.find(handle);
    return found == driver().streams.end() ? nullptr : found->second.get();
}

void enqueue(Stream& stream, const Note& note, std::function<void()> run, std::vector<Signal> after) {
    Stream& default_stream = stream.device->default_stream;
    if (&stream == &default_stream) {
        for (auto& [_, other] : driver().streams) {
            if (other->device == stream.device && other->follows_default_stream && other->last)
                after.push_back(other->last);
        }
    } else if (stream.follows_default_stream && default_stream.last) {
        after.push_back(default_stream.last);
    }
    auto done = std::make_shared<Completion>();
    done->operation = ++driver().operations;
    std::vector<Signal> traced = after;
    if (stream.last) traced.push_back(stream.last);
    trace_operation(stream, note, done, traced);
    stream.last = done;
    bool is_bookkeeping = !run || std::string(note.kind) == "free" || std::string(note.kind) == "record";
    stream.queue.push_back({is_bookkeeping, std::move(run), std::move(after), stream.last});
}

bool run_one_operation() {
    std::vector<Stream*> streams;
    for (auto& device : driver().devices) streams.push_back(&device->default_stream);
    for (auto& [_, stream] : driver().streams) streams.push_back(stream.get());
    size_t first = driver().random() % streams.size();
    for (size_t i = 0; i < streams.size(); ++i) {
        if (run_first(*streams[(first + i) % streams.size()])) return true;
    }
    return false;
}

void run_ready_frees() {
    auto is_ready = [](Stream& stream) { return !stream.queue.empty() && stream.queue.front().is_bookkeeping; };
    for (bool is_going_on = true; is_going_on;) {
        is_going_on = false;
        for (auto& [_, stream] : driver().streams) {
            while (is_ready(*stream) && run_first(*stream)) is_going_on = true;
        }
    }
}

Result wait_for(Stream& stream) {
    return run_until(*stream.device, [&] { return stream.queue.empty(); });
}

Result wait_for_device(Device& device) {
    return run_until(device, [&] {
        if (!device.default_stream.queue.empty()) return false;
        for (auto& [_, stream] : driver().streams) {
            if (stream->device == &device && !stream->queue.empty()) return false;
        }
        return true;
    });
}

}  // namespace emulator

using namespace emulator;

namespace {
constexpr unsigned NON_BLOCKING = 1;    // CU_STREAM_NON_BLOCKING
constexpr unsigned DISABLE_TIMING = 2;  // CU_EVENT_DISABLE_TIMING
}  // namespace

EMULATOR_API int cuStreamCreate(void** handle, unsigned flags) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    auto stream = std::make_unique<Stream>();
    stream->device = current_device();
    stream->number = ++driver().streams_made;
    stream->follows_default_stream = !(flags & NON_BLOCKING);
    *handle = stream.get();
    driver().streams[*handle] = std::move(stream);
    return SUCCESS;
}
EMULATOR_API int cuStreamCreateWithPriority(void** handle, unsigned flags, int) {
    return cuStreamCreate(handle, flags);
}

EMULATOR_API int cuStreamDestroy_v2(void* handle) {
    EMULATOR_LOCK;
    auto found = driver().streams.find(handle);
    if (found == driver().streams.end()) return INVALID_HANDLE;
    Result error = wait_for(*found->second);
    driver().streams.erase(found);
    return error;
}

EMULATOR_API int cuStreamSynchronize(void* handle) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Stream* stream = find_stream(handle);
    if (!stream) return INVALID_HANDLE;
    ++driver().statistics.synchronisations;
    trace_host({"wait for stream"}, stream->last);
    return wait_for(*stream);
}

EMULATOR_API int cuStreamQuery(void* handle) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Stream* stream = find_stream(handle);
    if (!stream) return INVALID_HANDLE;
    run_one_operation();  // a host that polls sees progress
    if (stream->device->sticky) return stream->device->sticky;
    return stream->queue.empty() ? SUCCESS : NOT_READY;
}

EMULATOR_API int cuStreamIsCapturing(void*, int* status) { return *status = 0, SUCCESS; }

EMULATOR_API int cuStreamWaitEvent(void* handle, void* event_handle, unsigned) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Stream* stream = find_stream(handle);
    Event* event = find_event(event_handle);
    if (!stream || !event) return INVALID_HANDLE;
    if (event->recording) enqueue(*stream, {"order"}, nullptr, {event->recording->done});
    return SUCCESS;
}

EMULATOR_API int cuLaunchHostFunc(void* handle, void (*function)(void*), void* argument) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Stream* stream = find_stream(handle);
    if (!stream) return INVALID_HANDLE;
    enqueue(*stream, {"host function"}, [=] { function(argument); });
    return SUCCESS;
}

EMULATOR_API int cuEventCreate(void** handle, unsigned flags) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    auto event = std::make_unique<Event>();
    event->device = current_device();
    event->has_timing = !(flags & DISABLE_TIMING);
    *handle = event.get();
    events[*handle] = std::move(event);
    return SUCCESS;
}

EMULATOR_API int cuEventRecord(void* handle, void* stream_handle) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Event* event = find_event(handle);
    Stream* stream = find_stream(stream_handle);
    if (!event || !stream || event->device != stream->device) return INVALID_HANDLE;
    auto recording = std::make_shared<Recording>();
    event->recording = recording;
    enqueue(*stream, {"record"}, [recording] { recording->at_ms = driver().clock_ms; });
    recording->done = stream->last;
    return SUCCESS;
}

EMULATOR_API int cuEventSynchronize(void* handle) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Event* event = find_event(handle);
    if (!event) return INVALID_HANDLE;
    ++driver().statistics.synchronisations;
    if (!event->recording) return SUCCESS;
    trace_host({"wait for event"}, event->recording->done);
    return run_until(*event->device, [done = event->recording->done] { return done->is_done; });
}

EMULATOR_API int cuEventQuery(void* handle) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Event* event = find_event(handle);
    if (!event) return INVALID_HANDLE;
    if (!event->recording) return SUCCESS;
    run_one_operation();  // a host that polls sees progress
    if (event->device->sticky) return event->device->sticky;
    return event->recording->done->is_done ? SUCCESS : NOT_READY;
}

EMULATOR_API int cuEventElapsedTime(float* milliseconds, void* start, void* end) {
    EMULATOR_LOCK;
    if (Result error = check_context()) return error;
    Event *first = find_event(start), *second = find_event(end);
    if (!first || !second || !first->recording || !second->recording) return INVALID_HANDLE;
    if (!first->has_timing || !second->has_timing) return INVALID_HANDLE;
    if (!first->recording->done->is_done || !second->recording->done->is_done) return NOT_READY;
    *milliseconds = static_cast<float>(second->recording->at_ms - first->recording->at_ms);
    return SUCCESS;
}
EMULATOR_API int cuEventElapsedTime_v2(float* milliseconds, void* start, void* end) {
    return cuEventElapsedTime(milliseconds, start, end);
}

EMULATOR_API int cuEventDestroy_v2(void* handle) {
    EMULATOR_LOCK;
    return events.erase(handle) ? SUCCESS : INVALID_HANDLE;
}
