// Which candidate is fastest, on a clock that is exact: one run of each tells. What the real choice does with clocks that
// are not is tested in tests/kernels/cuda/fastest_test.cpp.
#include "kernels/cuda/candidate_timing.hpp"

#include <limits>

#include "base/error.hpp"

namespace hacscale::cuda {

Verdict fastest(std::size_t candidates, const std::function<double(std::size_t)>& time_once, std::uint64_t) {
    Verdict verdict{candidates, {}, {}};
    std::string reasons;
    for (std::size_t i = 0; i < candidates; ++i) {
        verdict.median_us.push_back(std::numeric_limits<double>::infinity());
        verdict.failures.emplace_back();
        try {
            verdict.median_us[i] = time_once(i);
        } catch (const DeviceLost&) {
            throw;
        } catch (const std::runtime_error& failure) {
            verdict.failures[i] = failure.what();
            reasons += std::string("; ") + failure.what();
            continue;
        }
        const bool first = verdict.chosen == candidates;
        if (first || verdict.median_us[i] < verdict.median_us[verdict.chosen]) verdict.chosen = i;
    }
    if (verdict.chosen == candidates) throw WorkError("no kernel can run it" + reasons);
    return verdict;
}

}  // namespace hacscale::cuda
