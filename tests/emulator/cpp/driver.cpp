// libcuda.so.1 for tests: the driver API that cudarc uses, over the kernel emulator.
// Streams are lazy queues: nothing runs until something waits, and then in a seeded order that
// respects only what CUDA promises (stream order and events). Missing synchronisation in the host
// code therefore shows as wrong data.
#include "cuda_host.h"
#include <map>
#include <mutex>
#include <memory>
#include <deque>
#include <cstdlib>
using namespace cudahost;
#define API extern "C" __attribute__((visibility("default"))) int
enum { OK = 0, INVALID = 1, OOM = 2, NOT_INIT = 3, NO_DEVICE = 100, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL = 700, LAUNCH_FAILED = 719 };
struct Event { bool recorded = false, done = true; double ms = 0; };
struct Op { std::function<void()> run; std::shared_ptr<Event> wait; };
struct Stream { std::deque<Op> q; };
struct Kernel { const char* name; void (*run)(const Config&, dim3, dim3, size_t, void**, std::function<Report()>*); };
using Thunk = std::function<Report(const Config&, dim3, dim3, size_t)>;
static std::map<std::string, std::function<Thunk(void**)>>& table() { static std::map<std::string, std::function<Thunk(void**)>> t; return t; }
namespace cudahost { void register_kernel(const char* n, std::function<Report(const Config&, dim3, dim3, size_t)> (*bind)(void**)) { table()[n] = bind; } }

static std::recursive_mutex M; static Stream null_stream; static std::map<void*, std::unique_ptr<Stream>> streams; static std::map<void*, std::shared_ptr<Event>> events; static std::map<void*, size_t> pinned;
static int sticky = OK; static uint64_t rng = 0x1234567; static Config cfg; static double clock_ms = 0; static size_t used = 0; static std::map<void*, size_t> sizes;
static int ndev() { const char* e = getenv("TRAWL_EMULATOR_DEVICES"); return e ? atoi(e) : 1; }
#define LOCK std::lock_guard<std::recursive_mutex> lk(M)
static Stream& S(void* h) { if (!h || h == (void*)1 || h == (void*)2) return null_stream; return *streams.at(h); }
static bool step(Stream& s) { if (s.q.empty()) return false; auto& o = s.q.front(); if (o.wait && !o.wait->done) return false; auto f = std::move(o.run); s.q.pop_front(); if (f) f(); return true; }
static bool step_any() { std::vector<Stream*> v{&null_stream}; for (auto& k : streams) v.push_back(k.second.get()); rng = rng * 6364136223846793005ull + 1; size_t o = rng >> 33; for (size_t i = 0; i < v.size(); ++i) if (step(*v[(i + o) % v.size()])) return true; return false; }
static int drain(std::function<bool()> done) { while (!done()) if (!step_any()) return LAUNCH_FAILED; return sticky; }
static void push(void* h, std::function<void()> f, std::shared_ptr<Event> w = nullptr) { S(h).q.push_back({std::move(f), w}); }
static bool is_pinned(const void* p) { auto it = pinned.upper_bound((void*)p); if (it == pinned.begin()) return false; --it; return (char*)p < (char*)it->first + it->second; }
API cuInit(unsigned) { if (const char* s = getenv("TRAWL_EMULATOR_SEED")) { rng = strtoull(s, nullptr, 10) * 77 + 5; cfg.seed = strtoull(s, nullptr, 10); } return ndev() ? OK : NO_DEVICE; }
API cuDriverGetVersion(int* v) { *v = 13000; return OK; }
API cuDeviceGetCount(int* n) { *n = ndev(); return OK; }
API cuDeviceGet(int* d, int i) { if (i >= ndev()) return 101; *d = i; return OK; }
API cuDeviceGetName(char* n, int l, int) { snprintf(n, l, "Emulated CUDA device"); return OK; }
API cuDeviceTotalMem_v2(size_t* b, int) { *b = (size_t)4 << 30; return OK; }
API cuDeviceGetAttribute(int* v, int a, int) { switch (a) { case 1: *v = 1024; break; case 8: *v = 49152; break; case 10: *v = 32; break; case 16: *v = 2; break; case 75: *v = 8; break; case 76: *v = 0; break; case 97: *v = 166912; break; case 115: *v = 1; break; default: *v = 0; } return OK; }
API cuDevicePrimaryCtxRetain(void** c, int d) { *c = (void*)(uintptr_t)(0x1000 + d); return OK; }
API cuDevicePrimaryCtxRelease_v2(int) { return OK; }
static thread_local void* curctx;
API cuCtxSetCurrent(void* c) { curctx = c; return OK; } API cuCtxGetCurrent(void** c) { *c = curctx; return OK; }
API cuCtxSynchronize() { LOCK; return drain([] { if (!null_stream.q.empty()) return false; for (auto& k : streams) if (!k.second->q.empty()) return false; return true; }); }
API cuStreamCreate(void** s, unsigned) { LOCK; auto p = std::make_unique<Stream>(); *s = p.get(); streams[*s] = std::move(p); return OK; }
API cuStreamCreateWithPriority(void** s, unsigned f, int) { return cuStreamCreate(s, f); }
API cuStreamSynchronize(void* h) { LOCK; Stream& s = S(h); return drain([&] { return s.q.empty(); }); }
API cuStreamDestroy_v2(void* h) { LOCK; cuStreamSynchronize(h); streams.erase(h); return OK; }
API cuStreamWaitEvent(void* h, void* e, unsigned) { LOCK; auto ev = events.at(e); if (ev->recorded && !ev->done) { auto snap = ev; push(h, nullptr, snap); } return OK; }
API cuEventCreate(void** e, unsigned) { LOCK; auto p = std::make_shared<Event>(); *e = new char; events[*e] = p; return OK; }
API cuEventRecord(void* e, void* h) { LOCK; auto p = std::make_shared<Event>(); p->recorded = true; p->done = false; events[e] = p; push(h, [p] { p->done = true; p->ms = clock_ms; }); return OK; }
API cuEventSynchronize(void* e) { LOCK; auto p = events.at(e); return drain([&] { return p->done; }); }
API cuEventQuery(void* e) { LOCK; return events.at(e)->done ? OK : NOT_READY; }
API cuEventElapsedTime(float* ms, void* a, void* b) { LOCK; *ms = (float)(events.at(b)->ms - events.at(a)->ms); return OK; }
API cuEventElapsedTime_v2(float* ms, void* a, void* b) { return cuEventElapsedTime(ms, a, b); }
API cuEventDestroy_v2(void* e) { LOCK; events.erase(e); delete (char*)e; return OK; }
static size_t limit() { const char* e = getenv("TRAWL_EMULATOR_MEMORY"); return e ? strtoull(e, nullptr, 10) : (size_t)4 << 30; }
API cuMemAlloc_v2(void** p, size_t n) { LOCK; if (used + n > limit()) return OOM; used += n; *p = dev_alloc(n); sizes[*p] = n; return OK; }
API cuMemAllocAsync(void** p, size_t n, void*) { return cuMemAlloc_v2(p, n); }
static void free_now(void* p) { auto it = sizes.find(p); if (it != sizes.end()) { used -= it->second; sizes.erase(it); dev_free(p); } }
API cuMemFree_v2(void* p) { LOCK; cuCtxSynchronize(); free_now(p); return OK; }
API cuMemFreeAsync(void* p, void* h) { LOCK; push(h, [p] { free_now(p); }); return OK; }
API cuMemGetInfo_v2(size_t* f, size_t* t) { *t = limit(); *f = *t - used; return OK; }
API cuMemHostAlloc(void** p, size_t n, unsigned) { LOCK; *p = aligned_alloc(4096, (n + 4095) & ~size_t(4095)); std::memset(*p, 0xff, n); pinned[*p] = n; return OK; }
API cuMemFreeHost(void* p) { LOCK; cuCtxSynchronize(); pinned.erase(p); free(p); return OK; }
static void chk(const void* d, size_t n) { if (!dev_range(d, n)) { fprintf(stderr, "emulated CUDA: copy of %zu bytes is outside its device allocation\n", n); sticky = ILLEGAL; } }
API cuMemcpyHtoDAsync_v2(void* d, const void* s, size_t n, void* h) { LOCK; chk(d, n); if (sticky) return sticky;
    if (is_pinned(s)) push(h, [=] { std::memcpy(d, s, n); clock_ms += n / 25e6; });                                  // truly asynchronous
    else { auto c = std::make_shared<std::vector<char>>((const char*)s, (const char*)s + n); push(h, [=] { std::memcpy(d, c->data(), n); clock_ms += n / 12e6; }); } return OK; }
API cuMemcpyDtoHAsync_v2(void* d, const void* s, size_t n, void* h) { LOCK; chk(s, n); if (sticky) return sticky; push(h, [=] { std::memcpy(d, s, n); clock_ms += n / 25e6; }); if (!is_pinned(d)) return cuStreamSynchronize(h); return OK; }
API cuMemcpyDtoDAsync_v2(void* d, const void* s, size_t n, void* h) { LOCK; chk(d, n); chk(s, n); if (sticky) return sticky; push(h, [=] { std::memcpy(d, s, n); }); return OK; }
API cuMemsetD8Async(void* d, unsigned char v, size_t n, void* h) { LOCK; chk(d, n); if (sticky) return sticky; push(h, [=] { std::memset(d, v, n); }); return OK; }
API cuModuleLoadData(void** m, const void* image) { uint32_t magic; std::memcpy(&magic, image, 4); if (magic != 0xBA55ED50u && magic != 0x464c457fu) { fprintf(stderr, "emulated CUDA: image is no fatbin or cubin (%08x)\n", magic); return 200; } *m = (void*)0x2000; return OK; } API cuModuleLoad(void** m, const char*) { *m = (void*)0x2000; return OK; } API cuModuleUnload(void*) { return OK; }
API cuModuleGetFunction(void** f, void*, const char* n) { auto it = table().find(n); if (it == table().end()) return NOT_FOUND; *f = (void*)&*it; return OK; }
API cuFuncSetAttribute(void*, int, int) { return OK; }
API cuLaunchKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned sm, void* h, void** p, void**) {
    LOCK; if (sticky) return sticky; auto* k = (std::pair<const std::string, std::function<Thunk(void**)>>*)f;
    if ((uint64_t)bx * by * bz > 1024 || !gx || !gy || !gz || sm > 166912) return INVALID;
    Thunk t = k->second(p); std::string n = k->first;
    push(h, [=] { Config c = cfg; c.seed = cfg.seed + (rng >> 40); auto r = t(c, dim3(gx, gy, gz), dim3(bx, by, bz), sm); clock_ms += 0.01;
        if (r.errors()) { fprintf(stderr, "emulated CUDA: kernel %s: %llu errors\n", n.c_str(), r.errors()); for (size_t i = 0; i < r.msgs.size() && i < 3; ++i) fprintf(stderr, "    %s\n", r.msgs[i].c_str()); sticky = ILLEGAL; } });
    return OK; }
API cuGetErrorName(int e, const char** s) { *s = e == ILLEGAL ? "CUDA_ERROR_ILLEGAL_ADDRESS" : e == OOM ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR"; return OK; }
API cuGetErrorString(int e, const char** s) { return cuGetErrorName(e, s); }
API cuMemcpyDtoH_v2(void* d, const void* s, size_t n) { LOCK; chk(s, n); int r = cuCtxSynchronize(); if (r) return r; std::memcpy(d, s, n); return sticky; }
API cuMemcpyHtoD_v2(void* d, const void* s, size_t n) { LOCK; chk(d, n); int r = cuCtxSynchronize(); if (r) return r; std::memcpy(d, s, n); return sticky; }
