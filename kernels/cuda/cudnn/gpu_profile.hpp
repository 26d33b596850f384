// A GPU as a JSON file describes it, for plans without the device. The fields are those that cuDNN takes
// (docs/formats.md, "GPU profiles").
#pragma once

#include <string>

namespace hacscale::cuda {

struct GpuProfile {
    std::string name;
    int compute_capability = 0;  // 90 for 9.0
};

// Throws InputError, in words that can follow a file's name, when the text is no JSON object, lacks fields
// (it names them) or has values that no GPU has.
GpuProfile parse_gpu_profile(const std::string& text);

}  // namespace hacscale::cuda
