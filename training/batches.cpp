#include "training/batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "training/images.hpp"

namespace hacscale {
namespace {

// What random streams are for; part of the place they begin at.
enum class Draws : std::uint64_t { order = 1, image = 2 };

std::vector<int> order_of(int count, bool shuffled, std::uint64_t seed, int epoch) {
    std::vector<int> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    if (!shuffled) return order;
    RandomStream random{static_cast<std::uint64_t>(Draws::order), seed, static_cast<std::uint64_t>(epoch)};
    for (int left = count; left > 1; --left) {
        std::swap(order[static_cast<std::size_t>(left - 1)],
                  order[static_cast<std::size_t>(random.below(left))]);
    }
    return order;
}

struct Slot {
    std::vector<float> images;
    std::vector<std::int64_t> labels;
    std::int64_t ready = -1;  // the batch it holds complete
};

}  // namespace

// Batch b is in slot b modulo the number of slots. One slot more than `ahead` is there: the reader's.
class BatchLoader::Work {
public:
    Work(const ImageSet& images, const Normalization& normalization, const BatchSettings& settings)
        : images_(images), settings_(settings), scale_(normalization) {
        check();
        slots_.resize(static_cast<std::size_t>(std::max(settings_.ahead, 1)) + 1);
        const auto max_images =
            static_cast<std::size_t>((settings_.batch + settings_.ranks - 1) / settings_.ranks);
        for (Slot& slot : slots_) {
            slot.images.resize(max_images * images_.image_bytes());
            slot.labels.resize(max_images);
        }
        for (int i = 0; i < std::max(settings_.threads, 1); ++i) {
            threads_.emplace_back([this] { prepare_batches(); });
        }
    }

    ~Work() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

    std::int64_t batches() const {
        const std::int64_t whole = images_.count() / settings_.batch;
        return settings_.training || images_.count() % settings_.batch == 0 ? whole : whole + 1;
    }

    std::int64_t images() const { return settings_.training ? batches() * settings_.batch : images_.count(); }

    void start(int epoch) {
        std::vector<int> order =
            order_of(images_.count(), settings_.training.has_value(), settings_.seed, epoch);
        {
            std::unique_lock lock(mutex_);
            begun_ = batches();  // nothing of the old epoch is begun any more
            changed_.wait(lock, [&] { return busy_ == 0; });
            order_ = std::move(order);
            epoch_ = epoch;
            for (Slot& slot : slots_) slot.ready = -1;
            given_ = -1;
            begun_ = 0;
        }
        changed_.notify_all();
    }

    std::optional<Batch> next() {
        std::unique_lock lock(mutex_);
        if (given_ + 1 >= batches() || order_.empty()) return std::nullopt;
        ++given_;
        Slot& slot = slot_of(given_);
        changed_.notify_all();  // the slot of the batch before is free
        const auto begin = std::chrono::steady_clock::now();
        changed_.wait(lock, [&] { return slot.ready == given_; });
        wait_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        return Batch{slot.images.data(), slot.labels.data(), part_of(given_).second};
    }

    double wait_seconds() const {
        const std::lock_guard lock(mutex_);
        return wait_;
    }

private:
    void check() const {
        if (settings_.batch < 1 || settings_.ranks < 1 || settings_.rank < 0 ||
            settings_.rank >= settings_.ranks) {
            throw InputError(fmt::format("a batch of {} images cannot be shared out: rank {} of {}",
                                         settings_.batch, settings_.rank, settings_.ranks));
        }
        if (!settings_.training) return;
        if (settings_.batch % settings_.ranks != 0) {
            throw InputError(
                fmt::format("a batch of {} images cannot be shared equally by {} processes; "
                            "choose a batch that is a multiple",
                            settings_.batch, settings_.ranks));
        }
        if (images_.count() < settings_.batch) {
            throw InputError(
                fmt::format("a batch of {} images cannot be filled from {} images; choose a "
                            "smaller batch",
                            settings_.batch, images_.count()));
        }
    }

    Slot& slot_of(std::int64_t batch) {
        return slots_[static_cast<std::size_t>(batch % static_cast<std::int64_t>(slots_.size()))];
    }

    // This rank's part of a batch: the first place in the order, and how many.
    std::pair<std::int64_t, int> part_of(std::int64_t batch) const {
        const std::int64_t first = batch * settings_.batch;
        const std::int64_t size = std::min<std::int64_t>(settings_.batch, images_.count() - first);
        const std::int64_t begin = size * settings_.rank / settings_.ranks;
        const std::int64_t end = size * (settings_.rank + 1) / settings_.ranks;
        return {first + begin, static_cast<int>(end - begin)};
    }

    // A slot may be filled again when the reader has gone on from the batch that lay there.
    bool can_begin() const {
        return begun_ < batches() && !order_.empty() &&
               begun_ < std::max<std::int64_t>(given_, 0) + static_cast<std::int64_t>(slots_.size());
    }

    void prepare_batches() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return stopping_ || can_begin(); });
            if (stopping_) return;
            const std::int64_t batch = begun_++;
            ++busy_;
            lock.unlock();
            fill(batch);
            lock.lock();
            --busy_;
            slot_of(batch).ready = batch;
            changed_.notify_all();
        }
    }

    void fill(std::int64_t batch) {
        Slot& slot = slot_of(batch);
        const auto [first, count] = part_of(batch);
        for (int i = 0; i < count; ++i) {
            const int image = order_[static_cast<std::size_t>(first + i)];
            const auto place = static_cast<std::size_t>(i);
            AugmentationDraw drawn;
            if (settings_.training) {
                drawn =
                    draw(*settings_.training, images_,
                         RandomStream{static_cast<std::uint64_t>(Draws::image), settings_.seed,
                                      static_cast<std::uint64_t>(epoch_), static_cast<std::uint64_t>(image)});
            }
            place_image(images_, image, drawn, scale_, settings_.channels_last,
                        slot.images.data() + place * images_.image_bytes());
            slot.labels[place] = images_.labels[static_cast<std::size_t>(image)];
        }
    }

    const ImageSet& images_;
    const BatchSettings settings_;
    const PixelScale scale_;
    std::vector<Slot> slots_;
    std::vector<int> order_;
    int epoch_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::int64_t begun_ = 0;   // batches that a thread has begun
    std::int64_t given_ = -1;  // the batch that the reader has
    int busy_ = 0;             // threads that fill a slot
    bool stopping_ = false;
    double wait_ = 0.0;
    std::vector<std::thread> threads_;
};

BatchLoader::BatchLoader(const ImageSet& images, const Normalization& normalization,
                         const BatchSettings& settings)
    : work_(std::make_unique<Work>(images, normalization, settings)) {}

BatchLoader::~BatchLoader() = default;

std::int64_t BatchLoader::batches_per_epoch() const {
    return work_->batches();
}

std::int64_t BatchLoader::images_per_epoch() const {
    return work_->images();
}

void BatchLoader::start(int epoch) {
    work_->start(epoch);
}

std::optional<Batch> BatchLoader::next() {
    return work_->next();
}

double BatchLoader::wait_seconds() const {
    return work_->wait_seconds();
}

}  // namespace hacscale
