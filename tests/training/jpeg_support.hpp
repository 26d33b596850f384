// JPEG files and folders of them, made by libjpeg, for tests of data sets of images.
#pragma once

#include <cstddef>
// libjpeg's header needs FILE and size_t.
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "training/sha256.hpp"

namespace hacscale::testing {

enum class JpegColors { grey, rgb, cmyk };

// An image whose pixels, interleaved, are given; the bytes of the file.
inline std::string jpeg_bytes(int height, int width, JpegColors colors, std::vector<unsigned char> pixels) {
    jpeg_compress_struct image{};
    jpeg_error_mgr errors{};
    image.err = jpeg_std_error(&errors);
    jpeg_create_compress(&image);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&image, &memory, &size);
    image.image_height = static_cast<JDIMENSION>(height);
    image.image_width = static_cast<JDIMENSION>(width);
    image.input_components = colors == JpegColors::grey ? 1 : colors == JpegColors::rgb ? 3 : 4;
    image.in_color_space = colors == JpegColors::grey  ? JCS_GRAYSCALE
                           : colors == JpegColors::rgb ? JCS_RGB
                                                       : JCS_CMYK;
    jpeg_set_defaults(&image);
    jpeg_set_quality(&image, 95, TRUE);
    jpeg_start_compress(&image, TRUE);
    while (image.next_scanline < image.image_height) {
        JSAMPROW row = pixels.data() + static_cast<std::size_t>(image.next_scanline) * image.image_width *
                                           static_cast<std::size_t>(image.input_components);
        jpeg_write_scanlines(&image, &row, 1);
    }
    jpeg_finish_compress(&image);
    std::string bytes(reinterpret_cast<const char*>(memory), size);
    jpeg_destroy_compress(&image);
    std::free(memory);
    return bytes;
}

// One color everywhere.
inline std::string plain_jpeg(int height, int width, std::vector<unsigned char> color) {
    std::vector<unsigned char> pixels;
    for (int i = 0; i < height * width; ++i) pixels.insert(pixels.end(), color.begin(), color.end());
    const JpegColors colors = color.size() == 1   ? JpegColors::grey
                              : color.size() == 3 ? JpegColors::rgb
                                                  : JpegColors::cmyk;
    return jpeg_bytes(height, width, colors, std::move(pixels));
}

// Rows that get brighter downwards, columns to the right, and a color that `seed` decides.
inline std::string shaded_jpeg(int height, int width, int seed) {
    std::vector<unsigned char> pixels;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            pixels.push_back(static_cast<unsigned char>(y * 200 / height + seed * 7 % 50));
            pixels.push_back(static_cast<unsigned char>(x * 200 / width + seed * 13 % 50));
            pixels.push_back(static_cast<unsigned char>(seed * 31 % 256));
        }
    }
    return jpeg_bytes(height, width, JpegColors::rgb, std::move(pixels));
}

// SHA256SUMS of all images below the folder, as "find train val -type f | xargs sha256sum" writes it.
inline void write_sums(const std::filesystem::path& folder) {
    std::ofstream sums(folder / "SHA256SUMS");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".JPEG") continue;
        std::ifstream stream(entry.path(), std::ios::binary);
        const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
        sums << detail::sha256(bytes) << "  " << std::filesystem::relative(entry.path(), folder).string()
             << "\n";
    }
}

// train/ and val/ with the classes n01, n02, ... Image i of a class is of size `size_of(i)`.
template <typename SizeOf>
void write_image_folder(const std::filesystem::path& folder, int classes, int train, int val,
                        SizeOf size_of) {
    int seed = 0;
    for (const auto& [part, count] : {std::pair("train", train), std::pair("val", val)}) {
        for (int c = 1; c <= classes; ++c) {
            const std::filesystem::path place = folder / part / ("n0" + std::to_string(c));
            std::filesystem::create_directories(place);
            for (int i = 0; i < count; ++i) {
                const auto [height, width] = size_of(i);
                std::ofstream(place / ("image" + std::to_string(i) + ".JPEG"), std::ios::binary)
                    << shaded_jpeg(height, width, ++seed);
            }
        }
    }
}

}  // namespace hacscale::testing
