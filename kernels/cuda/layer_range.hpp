// Ranges of NVTX, by which Nsight Systems shows what the host was doing and Nsight Compute chooses kernels:
// one a layer, in the domain "hacscale". They are for tools that are attached from outside; where none is, a
// range costs one comparison. NVTX is headers only, and finds the tool when the first range is opened.
#pragma once

#include <string>

namespace hacscale::cuda {

// Whether a tool listens. It has to be attached before the first question, and stays until the process ends.
bool ranges_are_seen();

// Open as long as it lives; on the calling thread, one within the other.
class LayerRange {
public:
    explicit LayerRange(const std::string& name);
    ~LayerRange();
    LayerRange(const LayerRange&) = delete;
    LayerRange& operator=(const LayerRange&) = delete;
};

}  // namespace hacscale::cuda
