// Fully connected layer of one vector, with bias and activation: a stream through the weights, which these kernels keep going faster than
// oneDNN's matrix products do. In f32, and between integers of 8 bits, whose products are added in 32 bits.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/cpu/channel_chunks.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

constexpr int rows_a_group = 4;

// Calls compute(first, count, skipped) for groups of rows, each by one thread: rows first + skipped to first + count - 1 are its own.
// The last group ends at the last row, and computes rows again that its neighbour writes.
template <typename Compute>
void for_row_groups(int rows, const Compute& compute) {
    const int groups = (rows + rows_a_group - 1) / rows_a_group;
#pragma omp parallel for schedule(static)
    for (int group = 0; group < groups; ++group) {
        const int first = std::max(0, std::min(group * rows_a_group, rows - rows_a_group));
        compute(first, std::min(rows_a_group, rows), group * rows_a_group - first);
    }
}

class VectorLinearLayer final : public CpuLayer {
public:
    explicit VectorLinearLayer(const LayerContext& context)
        : layer_(context.layer),
          weights_(context.pool->take((matrix_count() + layer_.out_channels) * sizeof(float))) {}

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), matrix());
        std::fill_n(bias(), layer_.out_channels, 0.0F);
        std::copy(weights.bias.begin(), weights.bias.end(), bias());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const float*>(inputs.front());
        output_ = reinterpret_cast<float*>(output);
    }
    void execute() override {
        for_row_groups(layer_.out_channels, [this](int first, int count, int skipped) {
            float sums[rows_a_group] = {};
            const float* rows = matrix() + static_cast<std::size_t>(first) * layer_.in_channels;
            if (count == rows_a_group) {
                dot4(rows, layer_.in_channels, input_, layer_.in_channels, sums);
            } else {
                for (int r = 0; r < count; ++r) {
                    sums[r] = dot(rows + static_cast<std::size_t>(r) * layer_.in_channels, input_,
                                  layer_.in_channels);
                }
            }
            for (int r = skipped; r < count; ++r) {
                output_[first + r] = activate(activation_of(layer_), sums[r] + bias()[first + r]);
            }
        });
    }
    std::string implementation() const override { return "hacscale:vector_linear"; }
    std::span<const std::byte> weights() const override { return weights_; }

private:
    std::size_t matrix_count() const {
        return static_cast<std::size_t>(layer_.out_channels) * layer_.in_channels;
    }
    float* matrix() { return reinterpret_cast<float*>(weights_.data()); }
    float* bias() { return matrix() + matrix_count(); }

    LayerSpec layer_;
    std::span<std::byte> weights_;
    const float* input_ = nullptr;
    float* output_ = nullptr;
};

// Sums of products of 8 and 16 bits, of up to `rows` rows: no sum of two products leaves 32 bits.
HACSCALE_PER_CPU
void integer_dots(const std::int8_t* matrix, int columns, int rows, const std::int16_t* vector,
                  std::int32_t* sums) {
    for (int r = 0; r < rows; ++r) {
        const std::int8_t* row = matrix + static_cast<std::size_t>(r) * columns;
        std::int32_t sum = 0;
        for (int c = 0; c < columns; ++c) sum += static_cast<std::int16_t>(row[c]) * vector[c];
        sums[r] = sum;
    }
}

class IntegerVectorLinearLayer final : public CpuLayer {
public:
    explicit IntegerVectorLinearLayer(const LayerContext& context)
        : layer_(context.layer),
          forms_(context.integers),
          matrix_(context.pool->take(static_cast<std::size_t>(layer_.out_channels) * layer_.in_channels)),
          bias_(static_cast<std::size_t>(layer_.out_channels), 0.0F),
          steps_(static_cast<std::size_t>(layer_.in_channels)) {}

    void load(const LayerWeights& weights) override {
        const auto columns = static_cast<std::size_t>(layer_.in_channels);
        for (std::size_t i = 0; i < matrix_.size(); ++i) {
            const float step = weights.weights[i] / forms_.weight_scales[i / columns];
            matrix()[i] = static_cast<std::int8_t>(std::nearbyint(std::clamp(step, -max_signed, max_signed)));
        }
        std::copy(weights.bias.begin(), weights.bias.end(), bias_.begin());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        input_ = inputs.front();
        output_ = output;
        numbers_ = reinterpret_cast<float*>(forms_.output.is_integer() ? scratch : output);
    }
    std::size_t scratch_bytes() const override { return bias_.size() * sizeof(float); }
    void execute() override {
        read_steps();
        for_row_groups(layer_.out_channels, [this](int first, int count, int skipped) {
            std::int32_t sums[rows_a_group] = {};
            integer_dots(matrix() + static_cast<std::size_t>(first) * layer_.in_channels, layer_.in_channels,
                         count, steps_.data(), sums);
            for (int r = skipped; r < count; ++r) {
                const std::size_t row = static_cast<std::size_t>(first) + static_cast<std::size_t>(r);
                const float factor = forms_.input.scale * forms_.weight_scales[row];
                numbers_[row] =
                    activate(activation_of(layer_), factor * static_cast<float>(sums[r]) + bias_[row]);
            }
        });
        if (forms_.output.is_integer()) {
            convert(reinterpret_cast<const std::byte*>(numbers_), {}, output_, forms_.output, bias_.size());
        }
    }
    std::string implementation() const override { return "hacscale:vector_linear:int8"; }
    std::span<const std::byte> weights() const override { return matrix_; }

private:
    std::int8_t* matrix() { return reinterpret_cast<std::int8_t*>(matrix_.data()); }

    void read_steps() {
        const auto* as_signed = reinterpret_cast<const std::int8_t*>(input_);
        const auto* as_unsigned = reinterpret_cast<const std::uint8_t*>(input_);
        const bool is_signed = forms_.input.element == Element::s8;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            steps_[i] = static_cast<std::int16_t>(is_signed ? as_signed[i] : as_unsigned[i]);
        }
    }
    LayerSpec layer_;
    IntegerForms forms_;
    std::span<std::byte> matrix_;
    std::vector<float> bias_;
    std::vector<std::int16_t> steps_;  // the input's
    const std::byte* input_ = nullptr;
    std::byte* output_ = nullptr;
    float* numbers_ = nullptr;  // what is put out, before it becomes integers
};

}  // namespace

std::unique_ptr<CpuLayer> make_vector_linear(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    if (context.batch != 1 || layer.in_height != 1 || layer.in_width != 1) return nullptr;
    if (context.type == DataType::f32) return std::make_unique<VectorLinearLayer>(context);
    if (context.type == DataType::i8) return std::make_unique<IntegerVectorLinearLayer>(context);
    return nullptr;
}

}  // namespace hacscale::cpu
