// Batches of normalized images, prepared by background threads a few batches ahead of who reads them.
// What an image of an epoch looks like depends on (seed, epoch, its index) and nothing else, and the order of
// an epoch on (seed, epoch): so batches are the same on each run, for any number of threads or processes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "training/images.hpp"
#include "training/recipe.hpp"

namespace hacscale {

// One batch; the memory is the loader's and holds until the next call of next() or start().
struct Batch {
    const float* images = nullptr;         // dense, [count][C][H][W], or [count][H][W][C] when channels_last
    const std::int64_t* labels = nullptr;  // [count]
    int count = 0;
    // Where images are mixed in pairs: the label of the image mixed in, and the share of the first, [count].
    const std::int64_t* other_labels = nullptr;
    const float* shares = nullptr;
};

struct BatchSettings {
    int batch = 128;             // over all ranks
    bool channels_last = false;  // layout of `images` in memory
    // For training: shuffled and augmented, and what does not fill a batch is left out of the epoch. Nothing:
    // in the order of the set, as they are, the last batch as large as it comes.
    std::optional<Augmentation> training = std::nullopt;
    std::uint64_t seed = 1;
    int threads = 1;  // that prepare batches
    int ahead = 4;    // batches that are kept ready
    // Of several processes that train one network: rank r gets the r-th equal part of every batch. The batch
    // must be a multiple of the ranks.
    int rank = 0;
    int ranks = 1;
};

class BatchLoader {
public:
    // `images` must outlive the loader. InputError where a training batch is larger than the set, or ranks do
    // not divide the batch.
    BatchLoader(const ImageSet& images, const Normalization& normalization, const BatchSettings& settings);
    ~BatchLoader();
    BatchLoader(const BatchLoader&) = delete;
    BatchLoader& operator=(const BatchLoader&) = delete;

    std::int64_t batches_per_epoch() const;
    std::int64_t images_per_epoch() const;  // over all ranks
    // Begins an epoch; one that was not read to its end is dropped.
    void start(int epoch);
    // Nothing after the epoch's last batch. Throws what a thread met when it prepared the batch: InputError for an image that
    // cannot be decoded.
    std::optional<Batch> next();
    // That next() spent waiting for a batch, over the loader's life.
    double wait_seconds() const;

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace hacscale
