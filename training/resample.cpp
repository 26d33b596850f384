#include "training/resample.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace hacscale {
namespace {

// Of the weights, which are whole numbers: 255 times their sum stays below 2^31.
constexpr int weight_bits = 22;
// Part of the resized image's shorter side that is seen: 224 of 256.
constexpr double seen_share = 0.875;
constexpr std::size_t channels = 3;

// What each pixel of a resized line is a weighted sum of.
struct Taps {
    struct Pixel {
        int first;  // of the line
        int count;
        std::size_t weights;  // where they begin
    };
    std::vector<Pixel> pixels;
    std::vector<std::int32_t> weights;
};

// A half goes up, as in Pillow.
int rounded(double value) {
    return static_cast<int>(std::floor(value + 0.5));
}

// Of the pixels begin..begin + count - 1 of a line that is resized from `from` to `to` pixels.
Taps taps_of(int from, int to, int begin, int count) {
    const double scale = static_cast<double>(from) / to;
    const double reach = std::max(scale, 1.0);
    Taps taps;
    std::vector<double> shares;
    for (int i = begin; i < begin + count; ++i) {
        const double center = (i + 0.5) * scale;
        const int first = std::max(rounded(center - reach), 0);
        const int last = std::min(rounded(center + reach), from);
        shares.clear();
        double sum = 0.0;
        for (int x = first; x < last; ++x) {
            shares.push_back(std::max(0.0, 1.0 - std::abs((x - center + 0.5) / reach)));
            sum += shares.back();
        }
        taps.pixels.push_back({first, last - first, taps.weights.size()});
        for (const double share : shares) {
            taps.weights.push_back(rounded(share / sum * (1 << weight_bits)));
        }
    }
    return taps;
}

constexpr std::int32_t half = 1 << (weight_bits - 1);

std::uint8_t rounded_byte(std::int32_t sum) {
    return static_cast<std::uint8_t>(std::min(sum >> weight_bits, 255));
}

void resample_row(const std::uint8_t* row, const Taps& columns, std::uint8_t* out) {
    for (const Taps::Pixel& pixel : columns.pixels) {
        std::int32_t sum = half;
        for (int i = 0; i < pixel.count; ++i) {
            sum += columns.weights[pixel.weights + static_cast<std::size_t>(i)] * row[pixel.first + i];
        }
        *out++ = rounded_byte(sum);
    }
}

}  // namespace

View evaluation_view(ImageSize picture, ImageSize wanted) {
    // Of an input that is not square, the side that the picture covers less of decides.
    const double height = std::round(wanted.height / seen_share);
    const double width = std::round(wanted.width / seen_share);
    View view{{0, 0, picture.height, picture.width}, {}, {}};
    if (height * picture.width >= width * picture.height) {
        view.resized.height = static_cast<int>(height);
        view.resized.width = static_cast<int>(height * picture.width / picture.height);
    } else {
        view.resized.width = static_cast<int>(width);
        view.resized.height = static_cast<int>(width * picture.height / picture.width);
    }
    // As Python rounds: a half goes to the even neighbour.
    const auto begin = [](int size, int part) {
        return static_cast<int>(std::nearbyint((size - part) / 2.0));
    };
    view.window = {begin(view.resized.height, wanted.height), begin(view.resized.width, wanted.width),
                   wanted.height, wanted.width};
    return view;
}

View crop_view(const Region& region, ImageSize wanted) {
    return {region, wanted, {0, 0, wanted.height, wanted.width}};
}

// First along rows, then along columns, with bytes in between.
Picture resample(const Picture& picture, const View& view, std::vector<std::uint8_t>& between,
                 std::vector<std::uint8_t>& out) {
    const Region& window = view.window;
    const Taps columns = taps_of(view.region.width, view.resized.width, window.left, window.width);
    const Taps rows = taps_of(view.region.height, view.resized.height, window.top, window.height);
    // Rows of the region that the window depends on.
    const int first = rows.pixels.front().first;
    const int last = rows.pixels.back().first + rows.pixels.back().count;
    const auto width = static_cast<std::size_t>(window.width);
    between.resize(static_cast<std::size_t>(last - first) * width);
    out.resize(channels * static_cast<std::size_t>(window.height) * width);
    const std::size_t plane = static_cast<std::size_t>(picture.size.height) * picture.size.width;
    std::vector<std::int32_t> sums(width);
    std::uint8_t* to = out.data();
    for (std::size_t channel = 0; channel < channels; ++channel) {
        for (int y = first; y < last; ++y) {
            const std::uint8_t* row = picture.pixels + channel * plane +
                                      static_cast<std::size_t>(view.region.top + y) * picture.size.width +
                                      view.region.left;
            resample_row(row, columns, between.data() + static_cast<std::size_t>(y - first) * width);
        }
        for (const Taps::Pixel& pixel : rows.pixels) {
            std::fill(sums.begin(), sums.end(), half);
            for (int i = 0; i < pixel.count; ++i) {
                const std::int32_t weight = rows.weights[pixel.weights + static_cast<std::size_t>(i)];
                const std::uint8_t* row =
                    between.data() + static_cast<std::size_t>(pixel.first + i - first) * width;
                for (std::size_t x = 0; x < width; ++x) sums[x] += weight * row[x];
            }
            for (const std::int32_t sum : sums) *to++ = rounded_byte(sum);
        }
    }
    return {{window.height, window.width}, out.data()};
}

}  // namespace hacscale
