#include "training/importance.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "training/statistics.hpp"

namespace hacscale {

std::string_view name_of(ImportanceMeasure measure) {
    switch (measure) {
        case ImportanceMeasure::taylor:
            return "taylor";
        case ImportanceMeasure::fisher:
            return "fisher";
        case ImportanceMeasure::growth:
            return "growth";
    }
    throw InputError("importance: unknown measure");
}

std::string_view unit_of(ImportanceMeasure measure) {
    return measure == ImportanceMeasure::growth
               ? "nats per unit of learning rate, per natural logarithm of width"
               : "nats";
}

ImportanceMeasure importance_measure_from_name(std::string_view name) {
    for (const auto measure :
         {ImportanceMeasure::taylor, ImportanceMeasure::fisher, ImportanceMeasure::growth}) {
        if (name == name_of(measure)) return measure;
    }
    throw InputError(fmt::format("the measure is '{}', expected taylor, fisher or growth", name));
}

std::vector<LayerImportance> over_batches(const std::vector<std::string>& layers,
                                          const std::vector<std::vector<double>>& figures) {
    std::vector<LayerImportance> result;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        std::vector<double> of_layer;
        for (const auto& batch : figures) of_layer.push_back(batch[layer]);
        const MeanAndDeviation figure = mean_and_deviation(of_layer);
        result.push_back({layers[layer], figure.mean, figure.deviation.value_or(0.0)});
    }
    return result;
}

}  // namespace hacscale
