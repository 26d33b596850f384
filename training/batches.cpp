#include "training/batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
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
enum class Draws : std::uint64_t { order = 1, image = 2, mixture = 3 };

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
    std::vector<std::int64_t> other_labels;
    std::vector<float> shares;
    std::int64_t ready = -1;     // the batch it holds complete
    std::exception_ptr failure;  // why it holds none
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
            if (mixes()) {
                slot.other_labels.resize(max_images);
                slot.shares.resize(max_images);
            }
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
            for (Slot& slot : slots_) {
                slot.ready = -1;
                slot.failure = nullptr;
            }
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
        if (slot.failure) std::rethrow_exception(slot.failure);
        Batch batch{slot.images.data(), slot.labels.data(), part_of(given_).second};
        if (mixes()) {
            batch.other_labels = slot.other_labels.data();
            batch.shares = slot.shares.data();
        }
        return batch;
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

    bool mixes() const { return settings_.training && settings_.training->mixup > 0.0; }

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
        PlacingMemory memory;
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return stopping_ || can_begin(); });
            if (stopping_) return;
            const std::int64_t batch = begun_++;
            ++busy_;
            lock.unlock();
            std::exception_ptr failure;
            try {
                fill(batch, memory);
            } catch (...) {
                failure = std::current_exception();
            }
            lock.lock();
            --busy_;
            slot_of(batch).failure = failure;
            slot_of(batch).ready = batch;
            changed_.notify_all();
        }
    }

    // Of an image in this epoch.
    RandomStream stream(Draws what, int image) const {
        return RandomStream{static_cast<std::uint64_t>(what), settings_.seed,
                            static_cast<std::uint64_t>(epoch_), static_cast<std::uint64_t>(image)};
    }

    int image_at(std::int64_t place) const { return order_[static_cast<std::size_t>(place)]; }

    void place(int image, PlacingMemory& memory, float* out) const {
        if (!settings_.training) {
            place_unchanged(images_, image, scale_, settings_.channels_last, memory, out);
            return;
        }
        place_augmented(images_, image, *settings_.training, stream(Draws::image, image), scale_,
                        settings_.channels_last, memory, out);
    }

    void fill(std::int64_t batch, PlacingMemory& memory) {
        Slot& slot = slot_of(batch);
        const auto [first, count] = part_of(batch);
        for (int i = 0; i < count; ++i) {
            const int image = image_at(first + i);
            const auto at = static_cast<std::size_t>(i);
            place(image, memory, slot.images.data() + at * images_.image_bytes());
            slot.labels[at] = images_.labels[static_cast<std::size_t>(image)];
        }
        if (mixes()) mix(batch, slot, memory);
    }

    // Mixes each image with the one before it in the whole batch, the first with the last, so that who mixes what does not
    // depend on the ranks.
    void mix(std::int64_t batch, Slot& slot, PlacingMemory& memory) const {
        const auto [first, count] = part_of(batch);
        const std::int64_t batch_begin = batch * settings_.batch;
        const std::int64_t before =
            first > batch_begin ? first - 1
                                : std::min(batch_begin + settings_.batch, std::int64_t{images_.count()}) - 1;
        const std::size_t size = images_.image_bytes();
        std::vector<float> neighbour(size);
        place(image_at(before), memory, neighbour.data());
        // From the last to the first, because an image is needed unmixed by the one after it.
        for (int i = count - 1; i >= 0; --i) {
            const auto at = static_cast<std::size_t>(i);
            const int other = image_at(i > 0 ? first + i - 1 : before);
            const float share =
                draw_share(settings_.training->mixup, stream(Draws::mixture, image_at(first + i)));
            float* image = slot.images.data() + at * size;
            const float* mixed_in = i > 0 ? image - size : neighbour.data();
            for (std::size_t p = 0; p < size; ++p) image[p] = share * image[p] + (1.0F - share) * mixed_in[p];
            slot.other_labels[at] = images_.labels[static_cast<std::size_t>(other)];
            slot.shares[at] = share;
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
