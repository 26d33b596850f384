#include "scaling/planner/detail/labels.hpp"

#include <algorithm>

// Sanitizers and resolvers that run before them do not go together.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define HACSCALE_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HACSCALE_VECTOR_CLONES
#endif

namespace hacscale::planner {
namespace {

// Blocks of buckets that are passed over when none of them can change.
constexpr std::size_t block = 64;

}  // namespace

HACSCALE_VECTOR_CLONES
void raise(double* to, double* to_cost, const double* from, const double* from_cost, std::size_t count,
           double value, double cost) {
    for (std::size_t first = 0; first < count; first += block) {
        const std::size_t end = std::min(count, first + block);
        if (from[end - 1] + value <= to[first]) continue;
        for (std::size_t b = first; b < end; ++b) {
            const double candidate = from[b] + value;
            const bool better = candidate > to[b];
            const double candidate_cost = from_cost[b] + cost;
            to[b] = better ? candidate : to[b];
            to_cost[b] = better ? candidate_cost : to_cost[b];
        }
    }
}

HACSCALE_VECTOR_CLONES
void lower(double* to, const double* from, std::size_t count, double value) {
    for (std::size_t first = 0; first < count; first += block) {
        const std::size_t end = std::min(count, first + block);
        if (from[first] - value >= to[end - 1]) continue;
        for (std::size_t b = first; b < end; ++b) {
            const double candidate = from[b] - value;
            to[b] = candidate < to[b] ? candidate : to[b];
        }
    }
}

bool could_raise(const double* to, const double* from, std::size_t count, double value) {
    for (std::size_t first = 0; first < count; first += block) {
        if (from[std::min(count, first + block) - 1] + value > to[first]) return true;
    }
    return false;
}

bool could_lower(const double* to, const double* from, std::size_t count, double value) {
    for (std::size_t first = 0; first < count; first += block) {
        if (from[first] - value < to[std::min(count, first + block) - 1]) return true;
    }
    return false;
}

}  // namespace hacscale::planner
