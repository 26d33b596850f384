// Which kernel runs a layer on a device: the candidates of cuDNN and of this project are timed once, and the
// choice is kept in the plan cache, so that every later run of the layer, in this or another process, is the
// same program.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_layer.hpp"
#include "kernels/cuda/cudnn/plan_cache.hpp"

namespace hacscale::cuda {

// What the choice is made with; tests bring their own.
struct ChoiceParts {
    // As layer_candidates().
    std::function<LayerList(const LayerContext&)> candidates;
    // More of them, searched for so many seconds; as cudnn_sweep().
    std::function<LayerList(const LayerContext&, double)> sweep;
    // The layer that was chosen before. Throws WorkError when it cannot be had any more.
    std::function<std::unique_ptr<CudaLayer>(const LayerContext&, const CachedChoice&)> restore;
    // One run of a candidate on the device, in microseconds, made ready by the call before it: the timer of a
    // layer and its candidates.
    std::function<std::function<double(std::size_t)>(const LayerContext&, const LayerList&)> timer;
    // What the cache keeps of a candidate beside its name; empty for hand-written ones.
    std::function<std::string(const CudaLayer&)> plan_of;
};

// Seconds that HACSCALE_PLAN_SWEEP asks for; 0 when it is not set. Throws InputError for what is no number.
double sweep_seconds();

class LayerChooser {
public:
    // The cache has to outlive the chooser.
    // With `sweep_seconds`, each of the most frequent convs of a network of several layers is searched that
    // long, once.
    LayerChooser(ChoiceParts parts, PlanCache& cache, double sweep_seconds = 0.0)
        : parts_(std::move(parts)), cache_(cache), sweep_seconds_(sweep_seconds) {}

    // Finds the candidates to run each of these layers, on several threads, for the calls of choose() that follow:
    // the library may take seconds for one. Throws nothing of a layer; choose() does.
    void prepare(const std::vector<LayerContext>& contexts);

    // Throws UnsupportedLayer naming the layer when there is no candidate to run it, OutOfDeviceMemory when there
    // is no room to time its candidates, WorkError naming the layer when none of them ran, DeviceLost.
    std::shared_ptr<CudaLayer> choose(const LayerContext& context);

private:
    // What can be found out about a layer without the device: the choice made before, or the candidates for a
    // new one.
    struct Prepared {
        std::string entry;   // of the cache, where the choice is or goes
        bool sweep = false;  // the candidates are to be searched for
        std::optional<CachedChoice> choice;
        std::unique_ptr<CudaLayer> restored;
        std::string why_not_restored;
        LayerList candidates;
        std::exception_ptr error;
    };

    Prepared look_up(const std::string& key, bool sweep);
    void prepare_layer(const LayerContext& context, Prepared& prepared) const;
    LayerList find_candidates(const LayerContext& context, bool sweep) const;
    Prepared take_prepared(const std::string& key, const LayerContext& context);
    std::unique_ptr<CudaLayer> timed_choice(const LayerContext& context, LayerList candidates);

    ChoiceParts parts_;
    PlanCache& cache_;
    double sweep_seconds_;
    std::map<std::string, std::shared_ptr<CudaLayer>> layers_;
    std::map<std::string, Prepared> prepared_;
};

// The hand-written kernel of this name. Throws WorkError when this program has none.
std::unique_ptr<CudaLayer> handwritten_layer(const LayerContext& context, const std::string& implementation);

// A cached choice as a layer, cuDNN's or hand-written.
std::unique_ptr<CudaLayer> restore_layer(const LayerContext& context, const CachedChoice& choice);

}  // namespace hacscale::cuda
