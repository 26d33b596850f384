// Kernels in plain C++ that the compiler vectorizes for each instruction set.
#pragma once

// One version of each kernel an instruction set, chosen when the module is loaded. Sanitizers do not go with
// that.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define HACSCALE_PER_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HACSCALE_PER_CPU
#endif
#define HACSCALE_INLINE inline __attribute__((always_inline))
