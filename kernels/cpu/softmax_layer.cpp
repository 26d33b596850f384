// Softmax over the rows or the columns of plain tensors. Rows are taken by one pass for the maximum, one for the exponentials and
// their sum, and one for the shares, while they stay in the first cache; columns likewise, a strip of them at a time.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/exponential.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

constexpr int lanes = 16;  // partial results, so that sums become vectors

// `values` are the row's in f32, and become its shares.
HACSCALE_PER_CPU
void softmax_row(float* values, int count) {
    float largest[lanes];
    std::fill_n(largest, lanes, -std::numeric_limits<float>::infinity());
    int i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int l = 0; l < lanes; ++l) largest[l] = std::max(largest[l], values[i + l]);
    }
    for (int l = 0; i + l < count; ++l) largest[l] = std::max(largest[l], values[i + l]);
    const float top = *std::max_element(largest, largest + lanes);
    float sums[lanes] = {};
    for (i = 0; i + lanes <= count; i += lanes) {
        for (int l = 0; l < lanes; ++l) {
            values[i + l] = exponential(values[i + l] - top);
            sums[l] += values[i + l];
        }
    }
    for (int l = 0; i + l < count; ++l) {
        values[i + l] = exponential(values[i + l] - top);
        sums[l] += values[i + l];
    }
    float sum = 0.0F;
    for (const float partial : sums) sum += partial;
    const float factor = 1.0F / sum;
    for (i = 0; i < count; ++i) values[i] *= factor;
}

// Of `lanes` columns side by side: rows of as many values each.
HACSCALE_PER_CPU
void softmax_strip(float* values, int rows) {
    float largest[lanes];
    std::copy_n(values, lanes, largest);
    for (int r = 1; r < rows; ++r) {
        for (int l = 0; l < lanes; ++l) largest[l] = std::max(largest[l], values[r * lanes + l]);
    }
    float sums[lanes] = {};
    for (int r = 0; r < rows; ++r) {
        for (int l = 0; l < lanes; ++l) {
            const float power = exponential(values[r * lanes + l] - largest[l]);
            values[r * lanes + l] = power;
            sums[l] += power;
        }
    }
    for (int r = 0; r < rows; ++r) {
        for (int l = 0; l < lanes; ++l) values[r * lanes + l] /= sums[l];
    }
}

template <typename Element>
class SoftmaxLayer final : public CpuLayer {
public:
    explicit SoftmaxLayer(const LayerContext& context)
        : shape_(context.input), rows_(context.layer.mode == Mode::over_width) {}

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        const int planes = shape_.batch * shape_.channels;
        const int strips = (shape_.width + lanes - 1) / lanes;
        const std::ptrdiff_t tasks =
            rows_ ? std::ptrdiff_t{planes} * shape_.height : std::ptrdiff_t{planes} * strips;
        const int count = rows_ ? shape_.width : shape_.height * lanes;
#pragma omp parallel
        {
            std::vector<float> values(static_cast<std::size_t>(count));
#pragma omp for schedule(static)
            for (std::ptrdiff_t i = 0; i < tasks; ++i) {
                if (rows_) {
                    row(i, values);
                } else {
                    strip(i / strips, static_cast<int>(i % strips) * lanes, values);
                }
            }
        }
    }
    std::string implementation() const override {
        return "hacscale:softmax";
    }

private:
    void row(std::ptrdiff_t index, std::vector<float>& values) const {
        const std::ptrdiff_t first = index * shape_.width;
        for (int w = 0; w < shape_.width; ++w) values[w] = static_cast<float>(input_[first + w]);
        softmax_row(values.data(), shape_.width);
        for (int w = 0; w < shape_.width; ++w) output_[first + w] = Element(values[w]);
    }
    void strip(std::ptrdiff_t plane, int column, std::vector<float>& values) const {
        const int width = std::min(lanes, shape_.width - column);
        const std::ptrdiff_t first = plane * shape_.height * shape_.width + column;
        for (int h = 0; h < shape_.height; ++h) {
            for (int w = 0; w < width; ++w) {
                values[h * lanes + w] =
                    static_cast<float>(input_[first + static_cast<std::ptrdiff_t>(h) * shape_.width + w]);
            }
        }
        softmax_strip(values.data(), shape_.height);
        for (int h = 0; h < shape_.height; ++h) {
            for (int w = 0; w < width; ++w) {
                output_[first + static_cast<std::ptrdiff_t>(h) * shape_.width + w] =
                    Element(values[h * lanes + w]);
            }
        }
    }

    TensorShape shape_;
    bool rows_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_softmax(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<SoftmaxLayer<float>>(context);
    return std::make_unique<SoftmaxLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
