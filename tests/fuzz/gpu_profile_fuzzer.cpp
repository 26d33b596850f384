// A GPU that need not be here, as JSON.
#include "kernels/cuda/cudnn/offline_plan.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {

void fuzz_gpu_profile(std::string_view bytes) {
    const auto profile = accepted(bytes, [&] { return cuda::parse_gpu_profile(std::string(bytes)); });
    if (!profile) return;
    require(profile->compute_capability >= 50 && profile->compute_capability <= 200,
            "a profile has a compute capability that no GPU has");
}

}  // namespace hacscale::fuzzing
