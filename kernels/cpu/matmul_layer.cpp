// Products of two tensors, one a channel of each image: oneDNN's matmul on plain tensors, in which a transposed matrix is one with
// its strides the other way round.
#include "models/ops/matmul.hpp"

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/onednn.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::memory;

memory::desc matrices(std::int64_t count, int rows, int columns, bool transposed, DataType type) {
    const memory::dims strides = transposed ? memory::dims{std::int64_t{rows} * columns, 1, rows}
                                            : memory::dims{std::int64_t{rows} * columns, columns, 1};
    return {{count, rows, columns}, dnnl_type(type), strides};
}

class MatmulLayer final : public CpuLayer {
public:
    explicit MatmulLayer(const LayerContext& context) {
        const MatmulSizes sizes = matmul_sizes(context.layer);
        const std::int64_t count = std::int64_t{context.batch} * context.layer.in_channels;
        const DataType type = context.type;
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        const onednn::MatmulPlan plan = onednn::matmul_plan(
            engine(), matrices(count, sizes.rows, sizes.inner, sizes.first_transposed, type),
            matrices(count, sizes.inner, sizes.columns, sizes.second_transposed, type),
            matrices(count, sizes.rows, sizes.columns, false, type), attributes);
        if (!plan) throw UnsupportedLayer("oneDNN has no matrix product for " + context.layer.key());
        scratch_bytes_ = plan.scratchpad_desc().get_size();
        implementation_ = plan.impl_info_str();
        primitive_ = BoundPrimitive(dnnl::matmul(plan));
        primitive_.add(DNNL_ARG_SRC, unbound_memory(plan.src_desc()));
        primitive_.add(DNNL_ARG_WEIGHTS, unbound_memory(plan.weights_desc()));
        primitive_.add(DNNL_ARG_DST, unbound_memory(plan.dst_desc()));
        primitive_.add(DNNL_ARG_SCRATCHPAD, unbound_memory(plan.scratchpad_desc()));
    }

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        primitive_.bind(DNNL_ARG_SRC, inputs.front());
        primitive_.bind(DNNL_ARG_WEIGHTS, inputs.back());
        primitive_.bind(DNNL_ARG_DST, output);
        primitive_.bind(DNNL_ARG_SCRATCHPAD, scratch);
    }
    void execute() override { primitive_.run(); }
    std::size_t scratch_bytes() const override { return scratch_bytes_; }
    std::string implementation() const override { return implementation_; }

private:
    std::string implementation_;
    std::size_t scratch_bytes_ = 0;
    BoundPrimitive primitive_;
};

}  // namespace

std::unique_ptr<CpuLayer> make_matmul(const LayerContext& context) {
    return checked("compiling " + context.layer.key(),
                   [&] { return std::unique_ptr<CpuLayer>(std::make_unique<MatmulLayer>(context)); });
}

}  // namespace hacscale::cpu
