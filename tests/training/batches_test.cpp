#include "training/batches.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using ::testing::HasSubstr;

ImageSet some_images(int count) {
    ImageSet images;
    images.height = images.width = 8;
    for (int i = 0; i < count; ++i) {
        for (std::size_t p = 0; p < images.image_bytes(); ++p) {
            images.pixels.push_back(static_cast<std::uint8_t>(i * 13 + static_cast<int>(p) * 5));
        }
        images.labels.push_back(static_cast<std::uint16_t>(i % 251));
    }
    return images;
}

struct Epoch {
    std::vector<std::vector<float>> images;  // one entry a batch
    std::vector<std::vector<std::int64_t>> labels;
    bool operator==(const Epoch&) const = default;
};

Epoch read_epoch(BatchLoader& loader, int epoch, std::size_t image_size) {
    Epoch read;
    loader.start(epoch);
    while (const std::optional<Batch> batch = loader.next()) {
        read.images.emplace_back(batch->images,
                                 batch->images + image_size * static_cast<std::size_t>(batch->count));
        read.labels.emplace_back(batch->labels, batch->labels + batch->count);
    }
    return read;
}

BatchSettings training_settings() {
    BatchSettings settings;
    settings.batch = 16;
    settings.training = Augmentation{true, 2, 3};
    settings.seed = 5;
    return settings;
}

TEST(Batches, AreTheSameForAnyNumberOfThreadsAndAnyLead) {
    const ImageSet images = some_images(203);
    const Normalization normalization = normalization_of(images);
    BatchLoader reference(images, normalization, training_settings());
    const Epoch zero = read_epoch(reference, 0, images.image_bytes());
    const Epoch one = read_epoch(reference, 1, images.image_bytes());
    EXPECT_EQ(zero.images.size(), 12U);
    EXPECT_NE(zero, one);
    for (const int threads : {1, 2, 5}) {
        for (const int ahead : {1, 3, 20}) {
            BatchSettings settings = training_settings();
            settings.threads = threads;
            settings.ahead = ahead;
            BatchLoader loader(images, normalization, settings);
            EXPECT_EQ(read_epoch(loader, 1, images.image_bytes()),
                      one);  // also where epochs come in another order
            EXPECT_EQ(read_epoch(loader, 0, images.image_bytes()), zero);
        }
    }
    BatchSettings other = training_settings();
    other.seed = 6;
    BatchLoader loader(images, normalization, other);
    EXPECT_NE(read_epoch(loader, 0, images.image_bytes()), zero);
}

TEST(Batches, AnEpochHasEachImageOnce) {
    const ImageSet images = some_images(160);
    BatchLoader loader(images, normalization_of(images), training_settings());
    EXPECT_EQ(loader.batches_per_epoch(), 10);
    EXPECT_EQ(loader.images_per_epoch(), 160);
    std::multiset<std::int64_t> labels;
    for (const auto& batch : read_epoch(loader, 3, images.image_bytes()).labels) {
        labels.insert(batch.begin(), batch.end());
    }
    EXPECT_EQ(labels, std::multiset<std::int64_t>(images.labels.begin(), images.labels.end()));
}

TEST(Batches, RanksShareEveryBatch) {
    const ImageSet images = some_images(100);
    const Normalization normalization = normalization_of(images);
    BatchLoader whole(images, normalization, training_settings());
    const Epoch all = read_epoch(whole, 2, images.image_bytes());
    Epoch joined;
    for (int rank = 0; rank < 4; ++rank) {
        BatchSettings settings = training_settings();
        settings.rank = rank;
        settings.ranks = 4;
        BatchLoader loader(images, normalization, settings);
        const Epoch part = read_epoch(loader, 2, images.image_bytes());
        joined.images.resize(part.images.size());
        joined.labels.resize(part.labels.size());
        for (std::size_t b = 0; b < part.images.size(); ++b) {
            EXPECT_EQ(part.labels[b].size(), 4U);
            joined.images[b].insert(joined.images[b].end(), part.images[b].begin(), part.images[b].end());
            joined.labels[b].insert(joined.labels[b].end(), part.labels[b].begin(), part.labels[b].end());
        }
    }
    EXPECT_EQ(joined, all);
}

TEST(Batches, ForEvaluationImagesComeInOrderAndAsTheyAre) {
    const ImageSet images = some_images(37);
    const Normalization normalization = normalization_of(images);
    BatchLoader loader(images, normalization, {.batch = 10});
    EXPECT_EQ(loader.batches_per_epoch(), 4);
    EXPECT_EQ(loader.images_per_epoch(), 37);
    const Epoch epoch = read_epoch(loader, 0, images.image_bytes());
    ASSERT_EQ(epoch.labels.size(), 4U);
    EXPECT_EQ(epoch.labels[3].size(), 7U);
    for (std::size_t i = 0; i < 37; ++i) {
        EXPECT_EQ(epoch.labels[i / 10][i % 10], images.labels[i]);
        const float value = epoch.images[i / 10][(i % 10) * images.image_bytes() + 3];
        const auto byte = static_cast<float>(images.image(static_cast<int>(i))[3]);
        EXPECT_FLOAT_EQ(value, (byte / 255.0F - normalization.mean[0]) / normalization.deviation[0]);
    }
    EXPECT_EQ(read_epoch(loader, 1, images.image_bytes()), epoch);
}

TEST(Batches, AnEpochMayBeDroppedAndALoaderEndedAtAnyTime) {
    const ImageSet images = some_images(160);
    const Normalization normalization = normalization_of(images);
    BatchLoader reference(images, normalization, training_settings());
    const Epoch expected = read_epoch(reference, 9, images.image_bytes());
    for (int read = 0; read < 12; ++read) {
        BatchSettings settings = training_settings();
        settings.threads = 3;
        BatchLoader loader(images, normalization, settings);
        EXPECT_FALSE(loader.next().has_value());  // nothing before start()
        loader.start(0);
        for (int i = 0; i < read; ++i) loader.next();
        EXPECT_EQ(read_epoch(loader, 9, images.image_bytes()), expected);
        loader.start(1);
        EXPECT_GE(loader.wait_seconds(), 0.0);
    }
}

TEST(Batches, MixedImagesAreSharesOfTwoNeighbours) {
    const ImageSet images = some_images(100);
    const Normalization normalization = normalization_of(images);
    BatchSettings settings = training_settings();
    BatchLoader plain(images, normalization, settings);
    settings.training->mixup = 0.5;
    BatchLoader mixed(images, normalization, settings);
    plain.start(2);
    mixed.start(2);
    std::set<float> shares;
    while (const auto batch = mixed.next()) {
        const auto as_it_was = plain.next();
        ASSERT_EQ(batch->count, 16);
        for (int i = 0; i < 16; ++i) {
            const int before = (i + 15) % 16;
            EXPECT_EQ(batch->labels[i], as_it_was->labels[i]);
            EXPECT_EQ(batch->other_labels[i], as_it_was->labels[before]);
            const float share = batch->shares[i];
            shares.insert(share);
            for (std::size_t p = 0; p < images.image_bytes(); ++p) {
                const auto at = [&](int image) {
                    return as_it_was->images[static_cast<std::size_t>(image) * images.image_bytes() + p];
                };
                ASSERT_FLOAT_EQ(batch->images[static_cast<std::size_t>(i) * images.image_bytes() + p],
                                share * at(i) + (1.0F - share) * at(before));
            }
        }
    }
    EXPECT_GT(shares.size(), 90U);  // each image has its own
    EXPECT_EQ(plain.next().has_value(), false);
}

TEST(Batches, RanksAndThreadsMixAlike) {
    const ImageSet images = some_images(100);
    const Normalization normalization = normalization_of(images);
    BatchSettings settings = training_settings();
    settings.training->mixup = 0.5;
    BatchLoader whole(images, normalization, settings);
    const Epoch all = read_epoch(whole, 2, images.image_bytes());
    Epoch joined;
    settings.ranks = 4;
    settings.threads = 3;
    for (settings.rank = 0; settings.rank < 4; ++settings.rank) {
        BatchLoader loader(images, normalization, settings);
        const Epoch part = read_epoch(loader, 2, images.image_bytes());
        joined.images.resize(part.images.size());
        joined.labels.resize(part.labels.size());
        for (std::size_t b = 0; b < part.images.size(); ++b) {
            joined.images[b].insert(joined.images[b].end(), part.images[b].begin(), part.images[b].end());
            joined.labels[b].insert(joined.labels[b].end(), part.labels[b].begin(), part.labels[b].end());
        }
    }
    EXPECT_EQ(joined, all);
}

TEST(Batches, RefusesWhatCannotBeSharedOut) {
    const ImageSet images = some_images(20);
    const auto unsupported_reason = [&](int batch, int ranks, bool training) {
        BatchSettings settings;
        settings.batch = batch;
        settings.ranks = ranks;
        if (training) settings.training = Augmentation{};
        return error_of<InputError>([&] { BatchLoader(images, Normalization{}, settings); });
    };
    EXPECT_THAT(unsupported_reason(21, 1, true), HasSubstr("cannot be filled from 20 images"));
    EXPECT_THAT(unsupported_reason(10, 3, true), HasSubstr("cannot be shared equally by 3"));
    EXPECT_THAT(unsupported_reason(0, 1, false), HasSubstr("cannot be shared out"));
}

}  // namespace
}  // namespace hacscale
