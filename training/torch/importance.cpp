#include "training/torch/importance.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "training/batches.hpp"
#include "training/torch/compute.hpp"
#include "training/torch/new_channels.hpp"
#include "training/torch/optimizer.hpp"

namespace hacscale::training {
namespace {

at::Tensor mean_loss(const at::Tensor& logits, const at::Tensor& labels) {
    return at::cross_entropy_loss(logits, labels);
}

// Each batch-norm is followed by a factor of 1 for each image and channel. The loss's slope in a factor is the
// sum, over the channel's map, of output times gradient: added up over a batch it is
// gamma dL/dgamma + beta dL/dbeta.
std::vector<LayerFigures> by_gates(TorchNetwork& network, const std::vector<std::size_t>& measured,
                                   bool fisher, const at::Tensor& images, const at::Tensor& labels) {
    std::vector<at::Tensor> gates;
    for (const std::size_t node : measured) {
        NodeModule& module = *network.nodes()[node];
        at::Tensor gate = at::ones({images.size(0), module.layer().out_channels, 1, 1}, images.options());
        gate.set_requires_grad(true);
        module.gate = gate;
        gates.push_back(gate);
    }
    torch::autograd::backward({mean_loss(network.forward(images), labels)}, {});
    std::vector<LayerFigures> figures;
    for (std::size_t i = 0; i < measured.size(); ++i) {
        network.nodes()[measured[i]]->gate.reset();
        const at::Tensor slopes = gates[i].grad().to(at::kDouble).flatten(1);  // [N][C], of the mean loss
        // An image's own loss has N times the slope that its share of the mean has; the mean of squares over
        // N images is then N times the sum of the shares' squares.
        const double images_factor = 0.5 * static_cast<double>(images.size(0));
        const at::Tensor channels = fisher ? images_factor * slopes.square().sum(0) : slopes.sum(0).square();
        const at::Tensor whole =
            fisher ? images_factor * slopes.sum(1).square().sum() : slopes.sum().square();
        const at::Tensor importance = fisher ? channels.sum() : slopes.sum(0).abs().sum();
        const at::Tensor dense = channels.to(at::kCPU).contiguous();
        const double* const first = dense.data_ptr<double>();
        figures.push_back({importance.item<double>(), {first, first + dense.numel()}, whole.item<double>()});
    }
    return figures;
}

std::vector<LayerFigures> by_growth(TorchNetwork& network, const std::vector<std::size_t>& measured,
                                    std::uint64_t seed, const at::Tensor& images, const at::Tensor& labels) {
    NewChannels channels(network, seed);
    torch::autograd::backward({mean_loss(channels.forward(images), labels)}, {});
    const std::vector<double> squared = channels.squared_gradients();
    std::vector<LayerFigures> figures;
    for (const std::size_t node : measured) {
        figures.push_back({squared[node] * network.nodes()[node]->layer().out_channels});
    }
    return figures;
}

// Gives batches with their numbers to several workers. After the last image of the set it begins again, in
// another order.
class NumberedBatches {
public:
    NumberedBatches(const ImageSet& images, const Normalization& normalization,
                    const ImportanceRequest& request, const ImportanceEvents& events,
                    const ComputeSettings& settings)
        : images_(images),
          request_(request),
          events_(events),
          settings_(settings),
          loader_(images, normalization, loader_settings(request, settings)) {
        loader_.start(0);
    }

    struct Numbered {
        int number = 0;
        at::Tensor images, labels;
    };

    std::optional<Numbered> next() {
        const std::lock_guard lock(mutex_);
        if (stopped_ || given_ == request_.batches) return std::nullopt;
        if (!events_.keep_going()) {
            stopped_ = true;
            return std::nullopt;
        }
        auto batch = loader_.next();
        if (!batch) {
            loader_.start(++epoch_);
            batch = loader_.next();
        }
        // Copies: the loader's memory is overwritten by the next batch.
        return Numbered{given_++, images_tensor(batch->images, batch->count, images_, settings_).clone(),
                        labels_tensor(batch->labels, batch->count, settings_).clone()};
    }

    void count_done() {
        const std::lock_guard lock(mutex_);
        events_.progress(++done_, request_.batches);
    }
    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    bool complete() const { return done_ == request_.batches; }

private:
    static BatchSettings loader_settings(const ImportanceRequest& request, const ComputeSettings& settings) {
        BatchSettings batches;
        batches.batch = request.batch;
        batches.channels_last = settings.channels_last;
        batches.training = Augmentation{.flip = false, .crop_padding = 0, .cutout = 0};
        batches.seed = request.seed;
        return batches;
    }

    const ImageSet& images_;
    const ImportanceRequest& request_;
    const ImportanceEvents& events_;
    const ComputeSettings& settings_;
    std::mutex mutex_;
    BatchLoader loader_;
    int epoch_ = 0;
    int given_ = 0;
    int done_ = 0;
    bool stopped_ = false;
};

std::unique_ptr<TorchNetwork> copy_for_worker(const TorchNetwork& network, const ComputeSettings& settings) {
    auto copy = std::make_unique<TorchNetwork>(network.network());
    place(*copy, settings);
    copy_numbers(network, *copy);
    copy->eval();
    for (at::Tensor& parameter : copy->parameters()) parameter.set_requires_grad(false);
    return copy;
}

}  // namespace

std::vector<std::size_t> measured_nodes(const TorchNetwork& network, ImportanceMeasure measure) {
    std::vector<std::size_t> measured;
    for (std::size_t i = 0; i < network.nodes().size(); ++i) {
        const LayerSpec& layer = network.nodes()[i]->layer();
        const bool defined =
            measure == ImportanceMeasure::growth ? can_grow(layer) : layer.kind == LayerKind::conv;
        if (defined) measured.push_back(i);
    }
    return measured;
}

std::vector<LayerFigures> importance_of_batch(TorchNetwork& network, ImportanceMeasure measure,
                                              std::uint64_t seed, const at::Tensor& images,
                                              const at::Tensor& labels) {
    const std::vector<std::size_t> measured = measured_nodes(network, measure);
    if (measure == ImportanceMeasure::growth) return by_growth(network, measured, seed, images, labels);
    return by_gates(network, measured, measure == ImportanceMeasure::fisher, images, labels);
}

std::optional<std::vector<LayerImportance>> measured_importance(TorchNetwork& network, const ImageSet& images,
                                                                const Normalization& normalization,
                                                                const ImportanceRequest& request,
                                                                const ImportanceEvents& events) {
    ComputeSettings settings;
    settings.device = device_of(request.device);
    prepare(settings.device, 1);
    NumberedBatches source(images, normalization, request, events, settings);
    std::vector<std::vector<LayerFigures>> figures(static_cast<std::size_t>(request.batches));
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto work = [&] {
        try {
            at::set_num_threads(1);  // of this thread, too
            const auto copy = copy_for_worker(network, settings);
            while (const auto batch = source.next()) {
                figures[static_cast<std::size_t>(batch->number)] =
                    importance_of_batch(*copy, request.measure, request.seed, batch->images, batch->labels);
                source.count_done();
            }
        } catch (...) {
            source.stop();
            const std::lock_guard lock(failure_mutex);
            failure = std::current_exception();
        }
    };
    const int wanted = request.workers > 0 ? request.workers : usable_cores();
    std::vector<std::thread> workers;
    for (int i = 0; i < std::min(wanted, request.batches); ++i) workers.emplace_back(work);
    for (std::thread& worker : workers) worker.join();
    if (failure) std::rethrow_exception(failure);
    if (!source.complete()) return std::nullopt;
    std::vector<std::string> layers;
    for (const std::size_t node : measured_nodes(network, request.measure)) {
        layers.push_back(network.network().nodes[node].name);
    }
    return over_batches(layers, figures);
}

}  // namespace hacscale::training
