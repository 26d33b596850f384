// Images of 8 bits a channel in other sizes, by the filter that torchvision's and Pillow's bilinear resizing with
// antialiasing uses: a triangle that widens as the image shrinks, so that no pixel is passed over. The arithmetic is
// that of integers, so results are the same on each machine.
#pragma once

#include <cstdint>
#include <vector>

namespace hacscale {

struct ImageSize {
    int height = 0;
    int width = 0;
    bool operator==(const ImageSize&) const = default;
};

// A rectangle of whole pixels.
struct Region {
    int top = 0;
    int left = 0;
    int height = 0;
    int width = 0;
    bool operator==(const Region&) const = default;
};

// A decoded image of three channels, [3][height][width]. The memory belongs to whoever made it.
struct Picture {
    ImageSize size;
    const std::uint8_t* pixels = nullptr;
};

// A region of a picture, resized, and the part of the result that is wanted.
struct View {
    Region region;      // of the picture; what is outside of it has no influence
    ImageSize resized;  // the region's new size
    Region window;      // of the resized region
};

// The middle of an image as networks are evaluated on it: the shorter side becomes the network's over 0.875 (256 pixels for
// 224), and the middle of the result is cut out. The numbers are rounded as torchvision's Resize and CenterCrop do.
View evaluation_view(ImageSize picture, ImageSize wanted);

// The region, resized to the wanted size.
View crop_view(const Region& region, ImageSize wanted);

// The view as a picture in `out`; `between` is memory for intermediate results.
Picture resample(const Picture& picture, const View& view, std::vector<std::uint8_t>& between,
                 std::vector<std::uint8_t>& out);

}  // namespace hacscale
