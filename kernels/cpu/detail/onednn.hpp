// oneDNN, as this backend uses it. One engine and one stream for the process: primitives are run from one
// thread, and OpenMP spreads each over the cores. Primitives are run through the C call with arguments put
// together once, because the C++ wrapper builds a hash map a call, which shows in layers of ten microseconds.
// Scratchpads are the caller's, so that all layers share one that stays in cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "kernels/cpu/detail/onednn_versions.hpp"
#include "kernels/cpu/tensor.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::cpu {

dnnl::engine& engine();
dnnl::stream& stream();

// Calls `work` and turns oneDNN's exceptions into a WorkError that names the work and its place.
template <typename Work>
auto checked(const CallSite& site, Work work) {
    try {
        return work();
    } catch (const dnnl::error& error) {
        throw WorkError(std::string(site.what) + " failed in oneDNN: " + error.what(), site.where);
    }
}
// The same for the status of a C call.
void check(dnnl_status_t status, const CallSite& site);

// `stored` says what a tensor of DataType::i8 holds.
dnnl::memory::data_type dnnl_type(DataType type, Element stored = Element::s8);
dnnl::memory::desc dnnl_desc(const TensorShape& shape, DataType type, Element stored = Element::s8);

// A memory object whose pointer is set just before each run.
dnnl::memory unbound_memory(const dnnl::memory::desc& desc);

// The layer's activation as post-ops.
void append_activation(onednn::post_ops& post_ops, const LayerSpec& layer);

// Calls work() with the stack pointer at the same place of a cache line, whatever the process, and returns what it
// returns. Not inlined: its own frame is what is moved.
//
// A process's stack begins at a random address, a multiple of 16 bytes, and oneDNN's Winograd kernels keep
// vectors on it. Where these straddle cache lines, the kernels are slower: ResNet-20 on one core took 489 or
// 514 us with the address, and 4 % more or less plain than with a clock read a layer.
template <typename Work>
[[gnu::noinline, gnu::no_sanitize_address]] auto with_aligned_stack(const Work& work) {
    constexpr std::uintptr_t cache_line = 64;
    constexpr std::size_t smallest = 16;  // what stack pointers are multiples of
    const auto bottom = reinterpret_cast<std::uintptr_t>(__builtin_alloca(smallest));
    void* moved = __builtin_alloca(bottom % cache_line);
    asm volatile("" : : "r"(moved) : "memory");  // it is used, as far as the compiler knows
    const auto result = work();
    asm volatile("" : : : "memory");  // so that work() is no jump that gives the frame up before
    return result;
}

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

// A layer's window as oneDNN is told of it.
struct WindowDims {
    dnnl::memory::dims kernel, strides, dilations, near_padding, far_padding;
};

// oneDNN counts the elements that a dilation leaves out. The far side is padded no further than the last window
// reaches, or cut where windows leave a rest, as oneDNN checks the sizes exactly.
inline WindowDims window_dims(const LayerSpec& layer) {
    const Window& window = layer.window;
    const auto far = [&](int in, int out, int axis) {
        return dnnl::memory::dim{window.first(out - 1, axis) + window.span(axis) - in};
    };
    return {{window.kernel[0], window.kernel[1]},
            {window.strides[0], window.strides[1]},
            {window.dilations[0] - 1, window.dilations[1] - 1},
            {window.pads[0], window.pads[1]},
            {far(layer.in_height, layer.out_height(), 0), far(layer.in_width, layer.out_width(), 1)}};
}

}  // namespace hacscale::cpu
