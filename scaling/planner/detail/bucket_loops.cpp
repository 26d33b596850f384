#include "scaling/planner/detail/bucket_loops.hpp"

// Sanitizers and resolvers that run before them do not go together.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define HACSCALE_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HACSCALE_VECTOR_CLONES
#endif

namespace hacscale::planner {

HACSCALE_VECTOR_CLONES
void raise(double* to, const double* from, std::size_t count, double value) {
    for (std::size_t b = 0; b < count; ++b) {
        const double candidate = from[b] + value;
        to[b] = candidate > to[b] ? candidate : to[b];
    }
}

HACSCALE_VECTOR_CLONES
void lower(double* to, const double* from, std::size_t count, double value) {
    for (std::size_t b = 0; b < count; ++b) {
        const double candidate = from[b] - value;
        to[b] = candidate < to[b] ? candidate : to[b];
    }
}

}  // namespace hacscale::planner
