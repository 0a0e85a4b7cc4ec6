// The primitives are in device/pipeline.h, which every kernel has.
#pragma once
