#pragma once
#include "register.h"
namespace emulator { inline void* dynamic_shared_memory() { return cudahost::dyn_smem(); } }
#define EMULATOR_REGISTER(name) CUDAHOST_REGISTER(name)
