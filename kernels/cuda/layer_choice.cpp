#include "kernels/cuda/layer_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <set>

#include "base/error.hpp"
#include "kernels/cuda/candidate_timing.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cudnn/conv_layer.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::cuda {
namespace {

// Up to this batch a linear layer reads its weights once for all images, which a product of vectors does as
// fast as memory allows; beyond it, matrix units pay.
constexpr int max_images_of_own_linear = 8;

bool own_kernels_first(const LayerContext& context) {
    if (context.layer.kind == LayerKind::conv) return context.layer.depthwise();
    if (context.layer.kind == LayerKind::transposed_conv) return context.layer.groups > 1;
    return context.layer.kind != LayerKind::linear || context.batch <= max_images_of_own_linear;
}

constexpr std::size_t swept_shapes = 10;  // of a network, the most frequent
constexpr const char* swept_suffix = "_swept";

// The keys of the convs that a network has most often; the first of them where they are equally frequent.
std::set<std::string> most_frequent(const std::vector<LayerContext>& contexts) {
    std::map<std::string, int> counts;
    std::vector<std::string> order;
    for (const LayerContext& context : contexts) {
        if (context.layer.kind != LayerKind::conv) continue;
        const std::string key = plan_key(context);
        if (counts[key]++ == 0) order.push_back(key);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](const std::string& a, const std::string& b) { return counts.at(a) > counts.at(b); });
    order.resize(std::min(order.size(), swept_shapes));
    return {order.begin(), order.end()};
}

// cuDNN's statuses that say nothing of the layer, but of the device or its memory just then.
bool may_pass(const std::string& reason) {
    return reason.find("ALLOCATION_FAILED") != std::string::npos ||
           reason.find("ALLOC_FAILED") != std::string::npos ||
           reason.find("INTERNAL_ERROR") != std::string::npos ||
           reason.find("EXECUTION_FAILED") != std::string::npos;
}

}  // namespace

LayerList layer_candidates(const LayerContext& context) {
    std::string reason = "its tensors have more elements than the kernels count, 2^31";
    LayerList own = handwritten_candidates(context);
    LayerList library;
    if (is_product(context.layer)) {
        library = cudnn_candidates(context, all_plans, &reason);
    }
    LayerList& first = own_kernels_first(context) ? own : library;
    LayerList& second = own_kernels_first(context) ? library : own;
    std::move(second.begin(), second.end(), std::back_inserter(first));
    if (first.empty() && may_pass(reason)) throw WorkError(context.layer.key() + ": " + reason);
    if (first.empty()) throw UnsupportedLayer(context.layer.key() + ": " + reason);
    return std::move(first);
}

std::unique_ptr<CudaLayer> handwritten_layer(const LayerContext& context, const std::string& implementation) {
    for (auto& layer : handwritten_candidates(context)) {
        if (layer->implementation() == implementation) return std::move(layer);
    }
    throw WorkError("this program has no kernel '" + implementation + "' for " + context.layer.key());
}

std::unique_ptr<CudaLayer> restore_layer(const LayerContext& context, const CachedChoice& choice) {
    if (choice.plan.empty()) return handwritten_layer(context, choice.implementation);
    return cudnn_layer_from_plan(context, choice.plan);
}

double sweep_seconds() {
    const char* const text = std::getenv("HACSCALE_PLAN_SWEEP");
    if (text == nullptr || *text == '\0') return 0.0;
    char* end = nullptr;
    const double seconds = std::strtod(text, &end);
    if (*end != '\0' || !(seconds >= 0.0) || std::isinf(seconds)) {
        throw InputError(fmt::format("HACSCALE_PLAN_SWEEP is '{}', expected a number of seconds", text));
    }
    return seconds;
}

void LayerChooser::prepare(const std::vector<LayerContext>& contexts) {
    std::set<std::string> swept;
    // Of layers by themselves there may be hundreds, as many networks.
    if (sweep_seconds_ > 0.0 && contexts.size() > 1) swept = most_frequent(contexts);
    std::vector<std::pair<const LayerContext*, Prepared*>> work;
    for (const LayerContext& context : contexts) {
        const std::string key = plan_key(context);
        if (layers_.contains(key)) continue;
        const auto [place, is_new] = prepared_.try_emplace(key);
        if (!is_new) continue;
        place->second = look_up(key, swept.contains(key));
        work.emplace_back(&context, &place->second);
    }
    host::for_each_in_parallel(work.size(),
                               [&](std::size_t i) { prepare_layer(*work[i].first, *work[i].second); });
}

// What a sweep found is taken by all later processes, whether they ask for a sweep or not.
LayerChooser::Prepared LayerChooser::look_up(const std::string& key, bool sweep) {
    Prepared prepared;
    prepared.entry = key + swept_suffix;
    prepared.choice = cache_.find(prepared.entry);
    prepared.sweep = sweep;
    if (prepared.choice || sweep) return prepared;
    prepared.entry = key;
    prepared.choice = cache_.find(key);
    return prepared;
}

LayerList LayerChooser::find_candidates(const LayerContext& context, bool sweep) const {
    LayerList candidates = parts_.candidates(context);
    if (!sweep) return candidates;
    std::set<std::string> names;
    for (const auto& layer : candidates) names.insert(layer->implementation());
    for (auto& layer : parts_.sweep(context, sweep_seconds_)) {
        if (names.insert(layer->implementation()).second) candidates.push_back(std::move(layer));
    }
    return candidates;
}

void LayerChooser::prepare_layer(const LayerContext& context, Prepared& prepared) const {
    try {
        if (prepared.choice) {
            try {
                prepared.restored = parts_.restore(context, *prepared.choice);
                return;
            } catch (const DeviceLost&) {
                throw;
            } catch (const OutOfDeviceMemory&) {
                throw;
            } catch (const WorkError& error) {
                prepared.why_not_restored = error.what();
            }
        }
        prepared.candidates = find_candidates(context, prepared.sweep);
    } catch (...) {
        prepared.error = std::current_exception();
    }
}

LayerChooser::Prepared LayerChooser::take_prepared(const std::string& key, const LayerContext& context) {
    if (auto known = prepared_.extract(key)) return std::move(known.mapped());
    Prepared prepared = look_up(key, false);
    prepare_layer(context, prepared);
    return prepared;
}

std::shared_ptr<CudaLayer> LayerChooser::choose(const LayerContext& context) {
    const std::string key = plan_key(context);
    if (const auto known = layers_.find(key); known != layers_.end()) return known->second;
    Prepared prepared = take_prepared(key, context);
    if (!prepared.why_not_restored.empty()) cache_.reject(prepared.entry, prepared.why_not_restored);
    if (prepared.error) std::rethrow_exception(prepared.error);
    std::shared_ptr<CudaLayer> layer = std::move(prepared.restored);
    if (layer == nullptr) {
        layer = timed_choice(context, std::move(prepared.candidates));
        cache_.remember(prepared.entry, {layer->implementation(), parts_.plan_of(*layer)});
    }
    layers_[key] = layer;
    return layer;
}

std::unique_ptr<CudaLayer> LayerChooser::timed_choice(const LayerContext& context, LayerList candidates) {
    if (candidates.size() == 1) return std::move(candidates.front());
    try {
        const auto time_once = parts_.timer(context, candidates);
        return std::move(candidates[fastest(candidates.size(), time_once).chosen]);
    } catch (const DeviceLost&) {
        throw;
    } catch (const OutOfDeviceMemory&) {
        throw;
    } catch (const WorkError& error) {
        throw WorkError(context.layer.key() + ": " + error.what());
    }
}

}  // namespace hacscale::cuda
