// Images with labels, as a data set has them, and how one of them gets into a batch: the view of it that a network
// reads, normalization, and the batch's layout. What is drawn for it is in augmentation.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "training/augmentation.hpp"
#include "training/resample.hpp"

namespace hacscale {

// Where the images of a set are if they have other sizes than networks read, or do not fit into memory. Used by many
// threads at once.
class Pictures {
public:
    virtual ~Pictures() = default;
    // `memory` belongs to the caller and holds an image that has to be decoded; the picture is valid until its next use.
    // Throws InputError, with the file's name, for one that cannot be decoded.
    virtual Picture picture(int index, std::vector<std::uint8_t>& memory) const = 0;
};

struct ImageSet {
    int channels = 3;
    int height = 32;  // of what a network reads
    int width = 32;
    int classes = 10;
    std::vector<std::uint8_t> pixels;   // [count][channels][height][width]; empty where there are `pictures`
    std::vector<std::uint16_t> labels;  // [count]
    std::shared_ptr<const Pictures> pictures{};
    // False: networks read the middle of an image, resized (evaluation_view()).
    bool all_of_this_size = true;

    int count() const { return static_cast<int>(labels.size()); }
    ImageSize size() const { return {height, width}; }
    std::size_t image_bytes() const { return static_cast<std::size_t>(channels) * height * width; }
    // Of a set without `pictures`.
    const std::uint8_t* image(int index) const { return pixels.data() + index * image_bytes(); }
    // Any image in its own size.
    Picture picture(int index, std::vector<std::uint8_t>& memory) const {
        return pictures ? pictures->picture(index, memory) : Picture{size(), image(index)};
    }
};

// Of each channel, in units of a pixel's full value (0..1): what images are shifted and divided by.
struct Normalization {
    std::array<float, 3> mean{};
    std::array<float, 3> deviation{1.0F, 1.0F, 1.0F};
};

// How often each byte occurs in each channel.
class ByteCounts {
public:
    void add(const Picture& picture);
    void add(const ByteCounts& other);
    Normalization normalization() const;

private:
    std::array<std::array<std::int64_t, 256>, 3> counts_{};
};

// Over all pixels of all images of a set without `pictures`.
Normalization normalization_of(const ImageSet& images);

// Turns bytes into normalized floats: (byte / 255 - mean) / deviation.
class PixelScale {
public:
    explicit PixelScale(const Normalization& normalization);
    float operator()(int channel, std::uint8_t byte) const {
        return values_[static_cast<std::size_t>(channel)][byte];
    }

private:
    std::array<std::array<float, 256>, 3> values_;
};

// Memory that placing an image needs; each thread has its own.
struct PlacingMemory {
    std::vector<std::uint8_t> decoded, resized, between;
};

// Writes image `index` of the set to `out`, [C][H][W] or [H][W][C], as `augmentation` and the numbers of `random` make it:
// cropped and resized, flipped, shifted, cut out, erased. Without an augmentation it is the view that networks are
// evaluated on. What is outside of the image or is blanked is 0, which is the mean colour.
void place_augmented(const ImageSet& images, int index, const Augmentation& augmentation, RandomStream random,
                     const PixelScale& scale, bool channels_last, PlacingMemory& memory, float* out);
void place_unchanged(const ImageSet& images, int index, const PixelScale& scale, bool channels_last,
                     PlacingMemory& memory, float* out);

// The same for a picture of the size that networks read, and for what was drawn; the crop is done already.
void place_image(const Picture& picture, const AugmentationDraw& drawn, const PixelScale& scale,
                 bool channels_last, float* out);

}  // namespace hacscale
