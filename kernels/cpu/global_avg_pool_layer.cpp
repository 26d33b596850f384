// Mean over height and width: a hand-written kernel; the output is dense [batch][channels].
#include "kernels/cpu/channel_chunks.hpp"
#include "kernels/cpu/cpu_layer.hpp"

namespace hacscale::cpu {
namespace {

template <typename Element>
class GlobalAvgPoolLayer final : public CpuLayer {
public:
    explicit GlobalAvgPoolLayer(const LayerContext& context)
        : chunks_(context.input), channels_(context.input.channels) {}
    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        const int pixels = chunks_.pixels();
#pragma omp parallel for schedule(static)
        for (int i = 0; i < chunks_.count(); ++i) {
            const ChannelChunk chunk = chunks_[i];
            float sums[max_block_channels];
            sum_pixels(input_ + chunk.offset, chunks_.stride(), pixels, chunk.width, sums);
            Element* out = output_ + static_cast<std::size_t>(chunk.image) * channels_ + chunk.first_channel;
            for (int c = 0; c < chunk.width; ++c) out[c] = Element(sums[c] / static_cast<float>(pixels));
        }
    }
    std::string implementation() const override {
        return "hacscale:global_avg_pool";
    }

private:
    ChannelChunks chunks_;
    int channels_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_global_avg_pool(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<GlobalAvgPoolLayer<float>>(context);
    return std::make_unique<GlobalAvgPoolLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
