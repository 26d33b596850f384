// oneDNN, as this backend uses it. One engine and one stream for the process: primitives are run from one
// thread, and OpenMP spreads each over the cores. Primitives are run through the C call with arguments put
// together once, because the C++ wrapper builds a hash map a call, which shows in layers of ten microseconds.
// Scratchpads are the caller's, so that all layers share one that stays in cache.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "kernels/cpu/detail/onednn_versions.hpp"
#include "kernels/cpu/tensor.hpp"

namespace hacscale::cpu {

dnnl::engine& engine();
dnnl::stream& stream();

// Calls `work` and turns oneDNN's exceptions into a WorkError that names what was done.
template <typename Work>
auto checked(const std::string& what, Work work) {
    try {
        return work();
    } catch (const dnnl::error& error) {
        throw WorkError(what + " failed in oneDNN: " + error.what());
    }
}

dnnl::memory::data_type dnnl_type(DataType type);
dnnl::memory::desc dnnl_desc(const TensorShape& shape, DataType type);

// A memory object whose pointer is set just before each run.
dnnl::memory unbound_memory(const dnnl::memory::desc& desc);

// Activation as post-op; UnsupportedLayer for none of oneDNN's.
void append_activation(onednn::post_ops& post_ops, Activation activation);

// A primitive with its arguments, run with given pointers.
class BoundPrimitive {
public:
    BoundPrimitive() = default;
    explicit BoundPrimitive(dnnl::primitive primitive) : primitive_(std::move(primitive)) {}

    void add(int argument, dnnl::memory memory);
    // Sets the pointer of one argument. Not for the hot path: oneDNN writes zeros to the padding of the
    // tensor.
    void bind(int argument, const std::byte* data);
    void run();

private:
    dnnl::primitive primitive_;
    std::vector<dnnl::memory> memories_;  // keep the handles in arguments_ alive
    std::vector<dnnl_exec_arg_t> arguments_;
};

}  // namespace hacscale::cpu
