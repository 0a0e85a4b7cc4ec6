// The calls that were made, in their order, for tests of what overlaps with what.
#include "driver/driver.h"

namespace emulator {
namespace {

bool is_tracing = false;
// A line a call: see `Call` in src/trace.rs.
std::string& lines = *new std::string;

void add(const Note& note, uint64_t stream, uint64_t operation, const std::string& after) {
    lines += std::string(note.kind) + "\t" + note.name + "\t" + std::to_string(stream) + "\t" +
             std::to_string(note.bytes) + "\t" + (note.is_pinned ? "pinned" : "pageable") + "\t" +
             std::to_string(operation) + "\t" + after + "\n";
}

}  // namespace

void trace_operation(const Stream& stream, const Note& note, const Signal& done, const std::vector<Signal>& after) {
    if (!is_tracing) return;
    std::string names;
    for (const Signal& signal : after) names += std::to_string(signal->operation) + " ";
    add(note, stream.number, done->operation, names);
}

void trace_host(const Note& note, const Signal& waited_for) {
    if (!is_tracing) return;
    add(note, 0, 0, waited_for ? std::to_string(waited_for->operation) : "");
}

}  // namespace emulator

using namespace emulator;

/// Forgets the trace, and begins another.
EMULATOR_API void emulator_start_trace() {
    EMULATOR_LOCK;
    lines.clear();
    is_tracing = true;
}

EMULATOR_API void emulator_stop_trace() {
    EMULATOR_LOCK;
    is_tracing = false;
}

EMULATOR_API size_t emulator_trace(char* buffer, size_t capacity) {
    EMULATOR_LOCK;
    if (buffer) lines.copy(buffer, capacity);
    return lines.size();
}
