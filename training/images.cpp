#include "training/images.hpp"

#include <cmath>

namespace hacscale {

Normalization normalization_of(const ImageSet& images) {
    Normalization result;
    const std::size_t plane = static_cast<std::size_t>(images.height) * images.width;
    const double count = static_cast<double>(images.count()) * static_cast<double>(plane);
    if (count == 0.0) return result;
    for (std::size_t channel = 0; channel < static_cast<std::size_t>(images.channels); ++channel) {
        // Bytes have 256 values: the two passes that a sound variance needs go over counts.
        std::array<std::int64_t, 256> counts{};
        for (int i = 0; i < images.count(); ++i) {
            const std::uint8_t* pixel = images.image(i) + channel * plane;
            for (std::size_t p = 0; p < plane; ++p) ++counts[pixel[p]];
        }
        double mean = 0.0;
        for (std::size_t value = 0; value < counts.size(); ++value) {
            mean += static_cast<double>(value) * static_cast<double>(counts[value]) / count;
        }
        double variance = 0.0;
        for (std::size_t value = 0; value < counts.size(); ++value) {
            const double distance = static_cast<double>(value) - mean;
            variance += distance * distance * static_cast<double>(counts[value]) / count;
        }
        result.mean[channel] = static_cast<float>(mean / 255.0);
        // A channel of one value everywhere (no photograph has one) is shifted only.
        result.deviation[channel] = variance > 0.0 ? static_cast<float>(std::sqrt(variance) / 255.0) : 1.0F;
    }
    return result;
}

}  // namespace hacscale
