// How important the layers of a trained network are to its loss: what is asked for, and the figures. The
// measures are defined, with their sources and units, in docs/method.md, "Importance".
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/stages/model_spec.hpp"

namespace hacscale {

enum class ImportanceMeasure {
    taylor,  // first-order change of the loss when a channel is taken away, nats
    fisher,  // second-order rise of the loss when a channel is taken away, nats
    growth,  // first-order fall of the loss when channels are added, nats per unit of learning rate
};

std::string_view name_of(ImportanceMeasure measure);
std::string_view unit_of(ImportanceMeasure measure);
// InputError names those there are.
ImportanceMeasure importance_measure_from_name(std::string_view name);

struct ImportanceRequest {
    ModelSpec model;
    std::filesystem::path checkpoint;  // a file, or the folder of a run
    std::filesystem::path data;        // folder of the data set (data_set.hpp)
    ImportanceMeasure measure = ImportanceMeasure::taylor;
    int batches = 32;
    int batch = 128;
    std::uint64_t seed = 1;  // decides which images a batch has, and the new channels of `growth`
    std::string device = "cpu";
    int workers = 0;  // batches computed at once, a core each; 0: one for every core. Figures do not change
};

struct ImportanceEvents {
    std::function<bool()> keep_going = [] { return true; };
    std::function<void(int done, int batches)> progress = [](int, int) {};
};

struct LayerImportance {
    std::string layer;       // the node's name
    double mean = 0.0;       // over batches
    double deviation = 0.0;  // sample standard deviation over batches; 0 for a single batch
    // What pruning ranks by, means over batches; of `growth` none. By Taylor: the square of the loss's first-order change when an output
    // channel is taken away (Molchanov et al. 2019, equation 8), or all channels at once; by Fisher, its second-order rise.
    std::vector<double> channels{};
    double whole = 0.0;
};

// One layer's figures in one batch.
struct LayerFigures {
    double importance = 0.0;
    std::vector<double> channels{};
    double whole = 0.0;
};

// Of each layer from its figures in each batch, [batch][layer], summed in the batches' order.
std::vector<LayerImportance> over_batches(const std::vector<std::string>& layers,
                                          const std::vector<std::vector<LayerFigures>>& figures);

// Of several seeds or batches.
struct MeanAndDeviation {
    double mean = 0.0;
    // Of the sample (n - 1); nothing for fewer than two values.
    std::optional<double> deviation;
};

// The mean of no values is 0.
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

// Spearman's rho: the correlation of the ranks, -1 to 1; equal values share the mean of their ranks. Nothing for fewer than
// three pairs, or when all values of one side are equal. InputError for lists of different lengths.
std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace hacscale
