#include "training/importance.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"

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
    const auto count = static_cast<double>(figures.size());
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        double sum = 0.0;
        for (const auto& batch : figures) sum += batch[layer];
        const double mean = figures.empty() ? 0.0 : sum / count;
        double squares = 0.0;
        for (const auto& batch : figures) squares += (batch[layer] - mean) * (batch[layer] - mean);
        const double deviation = figures.size() < 2 ? 0.0 : std::sqrt(squares / (count - 1.0));
        result.push_back({layers[layer], mean, deviation});
    }
    return result;
}

}  // namespace hacscale
