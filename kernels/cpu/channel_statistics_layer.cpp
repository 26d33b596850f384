// Layers that scale and shift each channel by what all pixels of an image have in common: group norms, global response norms,
// and gates from the channels' means (ECA). Sums of all channels first, then a scale and a shift for each, then one pass that
// applies them. Each thread sums the part of a tensor that it also scales: rows of pixels when channels-last, blocks of channels
// when blocked.
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/channel_chunks.hpp"
#include "kernels/cpu/channel_moves.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "models/ops/normalization.hpp"

namespace hacscale::cpu {
namespace {

template <typename Element>
class ChannelStatisticsLayer final : public CpuLayer {
public:
    explicit ChannelStatisticsLayer(const LayerContext& context)
        : layer_(context.layer),
          shape_(context.input),
          activation_(activation_of(layer_)),
          chunks_(shape_),
          by_pixels_(shape_.order == TensorShape::Order::channels_last),
          threads_(omp_get_max_threads()),
          row_(static_cast<std::size_t>(shape_.padded_channels()) + max_block_channels),
          weights_(context.pool->take(2 * weight_row() * sizeof(float))),
          partial_(by_pixels_ ? threads_ * images() * row_ : 0),
          sums_(images() * row_),
          centers_(images() * row_),
          scales_(images() * row_),
          shifts_(images() * row_) {}

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), weight());
        std::copy(weights.bias.begin(), weights.bias.end(), weight() + weight_row());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        switch (layer_.kind) {
            case LayerKind::group_norm:
                group_norm();
                break;
            case LayerKind::grn:
                global_response_norm();
                break;
            default:
                channel_attention();
                break;
        }
        apply();
    }
    std::string implementation() const override { return "hacscale:" + std::string(name_of(layer_.kind)); }
    std::span<const std::byte> weights() const override { return weights_; }

private:
    std::size_t images() const { return static_cast<std::size_t>(shape_.batch); }
    std::size_t weight_row() const {
        return static_cast<std::size_t>(std::max(layer_.in_channels, layer_.window.kernel[1]));
    }
    float* weight() { return reinterpret_cast<float*>(weights_.data()); }
    int pixels() const { return chunks_.pixels(); }
    int first_pixel(int thread) const {
        return static_cast<int>(static_cast<std::int64_t>(pixels()) * thread / threads_);
    }

    // sums_ = of each channel, over its pixels: the sum, or that of the squared distances from centers_.
    void sum(bool squares) {
        if (by_pixels_) {
#pragma omp parallel num_threads(threads_)
            sum_rows(omp_get_thread_num(), squares);
            std::fill(sums_.begin(), sums_.end(), 0.0F);
            for (int thread = 0; thread < threads_; ++thread) {
                const float* const part = &partial_[static_cast<std::size_t>(thread) * sums_.size()];
                for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += part[i];
            }
            return;
        }
#pragma omp parallel for schedule(static)
        for (int i = 0; i < chunks_.count(); ++i) {
            const ChannelChunk chunk = chunks_[i];
            const std::size_t at = chunk.image * row_ + chunk.first_channel;
            if (squares) {
                sum_squares(input_ + chunk.offset, chunks_.stride(), pixels(), chunk.width, &centers_[at],
                            &sums_[at]);
            } else {
                sum_pixels(input_ + chunk.offset, chunks_.stride(), pixels(), chunk.width, &sums_[at]);
            }
        }
    }
    void sum_rows(int thread, bool squares) {
        const int begin = first_pixel(thread);
        const int count = first_pixel(thread + 1) - begin;
        for (std::size_t image = 0; image < images(); ++image) {
            float* const sums = &partial_[(static_cast<std::size_t>(thread) * images() + image) * row_];
            std::fill_n(sums, row_, 0.0F);
            const Element* const in =
                input_ + image * image_elements(shape_) + static_cast<std::size_t>(begin) * shape_.channels;
            if (squares) {
                add_square_rows(in, count, shape_.channels, &centers_[image * row_], sums);
            } else {
                add_pixel_rows(in, count, shape_.channels, sums);
            }
        }
    }

    // The variance of a group is the mean of its channels' own, plus the variance of their means.
    void group_norm() {
        sum(false);
        for (std::size_t i = 0; i < sums_.size(); ++i) centers_[i] = sums_[i] / static_cast<float>(pixels());
        sum(true);
        const int share = layer_.in_channels / layer_.groups;
        for (std::size_t image = 0; image < images(); ++image) {
            for (int first = 0; first < layer_.in_channels; first += share) {
                const std::size_t at = image * row_ + static_cast<std::size_t>(first);
                double mean = 0.0;
                for (int c = 0; c < share; ++c) mean += centers_[at + c];
                mean /= share;
                double variance = 0.0;
                for (int c = 0; c < share; ++c) {
                    const double offset = centers_[at + c] - mean;
                    variance += double{sums_[at + c]} / pixels() + offset * offset;
                }
                const Moments moments = normalized_by(layer_.mode, {mean, variance / share});
                const auto factor =
                    static_cast<float>(1.0 / std::sqrt(moments.variance + layer_.epsilon.value()));
                for (int c = 0; c < share; ++c) {
                    scales_[at + c] = factor * weight()[first + c];
                    shifts_[at + c] = weight()[weight_row() + first + c] -
                                      static_cast<float>(moments.mean) * scales_[at + c];
                }
            }
        }
    }

    void global_response_norm() {
        std::fill(centers_.begin(), centers_.end(), 0.0F);
        sum(true);
        for (std::size_t image = 0; image < images(); ++image) {
            const std::size_t at = image * row_;
            double mean = 0.0;
            for (int c = 0; c < layer_.in_channels; ++c)
                mean += std::sqrt(static_cast<double>(sums_[at + c]));
            mean /= layer_.in_channels;
            for (int c = 0; c < layer_.in_channels; ++c) {
                const double share =
                    std::sqrt(static_cast<double>(sums_[at + c])) / (mean + layer_.epsilon.value());
                scales_[at + c] = static_cast<float>(1.0 + weight()[c] * share);
                shifts_[at + c] = weight()[weight_row() + c];
            }
        }
    }

    void channel_attention() {
        sum(false);
        const int kernel = layer_.window.kernel[1];
        for (std::size_t image = 0; image < images(); ++image) {
            const float* const sums = &sums_[image * row_];
            for (int c = 0; c < layer_.in_channels; ++c) {
                const int first = std::max(0, kernel / 2 - c);
                const int last = std::min(kernel, layer_.in_channels + kernel / 2 - c);
                float value = 0.0F;
                for (int k = first; k < last; ++k) value += weight()[k] * sums[c + k - kernel / 2];
                scales_[image * row_ + c] = value / static_cast<float>(pixels());
            }
            activate({layer_.gate, 0.0F}, &scales_[image * row_],
                     static_cast<std::size_t>(layer_.in_channels));
        }
    }

    void apply() {
        if (by_pixels_) {
#pragma omp parallel num_threads(threads_)
            {
                const int begin = first_pixel(omp_get_thread_num());
                const int count = first_pixel(omp_get_thread_num() + 1) - begin;
                for (std::size_t image = 0; image < images(); ++image) {
                    const std::size_t at =
                        image * image_elements(shape_) + static_cast<std::size_t>(begin) * shape_.channels;
                    scale_shift_pixel_rows(input_ + at, output_ + at, count, shape_.channels,
                                           &scales_[image * row_], &shifts_[image * row_], activation_);
                }
            }
            return;
        }
#pragma omp parallel for schedule(static)
        for (int i = 0; i < chunks_.count(); ++i) {
            const ChannelChunk chunk = chunks_[i];
            const std::size_t at = chunk.image * row_ + chunk.first_channel;
            scale_shift_pixels(input_ + chunk.offset, output_ + chunk.offset, chunks_.stride(), pixels(),
                               chunk.stored, &scales_[at], &shifts_[at], activation_);
        }
        if (!keeps_zero(activation_.activation)) {
            constexpr DataType type = sizeof(Element) == sizeof(float) ? DataType::f32 : DataType::bf16;
            zero_padding(shape_, type, reinterpret_cast<std::byte*>(output_));
        }
    }

    LayerSpec layer_;
    TensorShape shape_;
    ActivationStep activation_;
    ChannelChunks chunks_;
    bool by_pixels_;
    int threads_;
    std::size_t row_;  // numbers an image in the following, zeros behind the channels
    std::span<std::byte> weights_;
    std::vector<float> partial_;  // [thread][image][channel]
    std::vector<float> sums_, centers_, scales_, shifts_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_channel_statistics(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<ChannelStatisticsLayer<float>>(context);
    return std::make_unique<ChannelStatisticsLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
