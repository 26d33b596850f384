// JPEG images, decoded by libjpeg. A build without it (HACSCALE_JPEG) throws MissingError, which says what to install.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "training/resample.hpp"

namespace hacscale {

// The size that the header says. Throws InputError, which begins with `name`, for what is no JPEG image or has more than
// 100 million pixels.
ImageSize jpeg_size(std::span<const std::uint8_t> bytes, const std::string& name);

// As three channels, [3][height][width], in `out`: grey ones are repeated, CMYK and YCCK become red, green and blue by the
// plain product with black. Throws InputError, as above, also for an image that ends too early or whose data are damaged:
// libjpeg would fill up the rest with grey.
ImageSize decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                      std::vector<std::uint8_t>& out);

}  // namespace hacscale
