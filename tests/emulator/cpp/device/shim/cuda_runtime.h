// Everything that kernels need is already in device/kernel_unit.h.
#pragma once
