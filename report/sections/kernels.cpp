// What the library ran: the implementations of the layers, by the time that they take.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

// A mean weighted by time, of what is known.
struct TimeMean {
    double sum = 0.0;
    double time = 0.0;

    void add(const std::optional<double>& value, double weight) {
        if (!value) return;
        sum += *value * weight;
        time += weight;
    }
    std::optional<double> value() const { return time > 0.0 ? std::optional(sum / time) : std::nullopt; }
};

struct Kernel {
    std::string spec;
    std::string implementation;
    int layers = 0;
    double latency_us = 0.0;
    double share = 0.0;  // of its network's time
    TimeMean utilization;
    TimeMean roofline_efficiency;
    TimeMean occupancy_theoretical;
    TimeMean occupancy_achieved;
};

std::vector<Kernel> kernels_of(const records::ComparisonRecord& comparison) {
    std::vector<Kernel> kernels;
    std::map<std::string, double> total_us;
    for (const records::LayerRow& layer : comparison.layers) {
        if (!layer.latency_us() || layer.implementation.empty()) continue;
        auto kernel = std::find_if(kernels.begin(), kernels.end(), [&](const Kernel& one) {
            return one.spec == layer.spec && one.implementation == layer.implementation;
        });
        if (kernel == kernels.end()) {
            kernel = kernels.emplace(kernels.end());
            kernel->spec = layer.spec;
            kernel->implementation = layer.implementation;
        }
        const double us = *layer.latency_us();
        ++kernel->layers;
        kernel->latency_us += us;
        total_us[layer.spec] += us;
        kernel->utilization.add(layer.utilization, us);
        kernel->roofline_efficiency.add(layer.roofline_efficiency, us);
        kernel->occupancy_theoretical.add(layer.occupancy_theoretical, us);
        kernel->occupancy_achieved.add(layer.occupancy_achieved, us);
    }
    for (Kernel& kernel : kernels) kernel.share = kernel.latency_us / total_us[kernel.spec];
    std::stable_sort(kernels.begin(), kernels.end(), [](const Kernel& a, const Kernel& b) {
        return std::pair(a.spec, -a.latency_us) < std::pair(b.spec, -b.latency_us);
    });
    return kernels;
}

Table kernels_table(const records::ComparisonRecord& comparison, const std::vector<Kernel>& kernels) {
    const bool any_occupancy = std::any_of(kernels.begin(), kernels.end(), [](const Kernel& kernel) {
        return kernel.occupancy_theoretical.value() || kernel.occupancy_achieved.value();
    });
    const Show occupancy = any_occupancy ? Show::everywhere : Show::csv_only;
    Table table;
    table.csv_file = "kernels.csv";
    table.caption =
        "The library’s implementations in the base and in HACScale’s choice, by time. Means are weighted by "
        "time.";
    table.columns = {model_column(),
                     budget_column(),
                     {"Implementation", "implementation", false},
                     {"Network", "spec", false},
                     {"Layers", "layers"},
                     {"Latency, sum", "latency_us"},
                     {"Share of time", "share"},
                     {"Utilization", "utilization"},
                     {"Roofline efficiency", "roofline_efficiency"},
                     {"Occupancy, theoretical", "occupancy_theoretical", true, occupancy},
                     {"Occupancy, achieved", "occupancy_achieved", true, occupancy}};
    for (const Kernel& kernel : kernels) {
        TableRow row;
        row.mark = kernel.spec == "base" ? RowMark::none : RowMark::own_choice;
        row.cells = {model_cell(comparison),
                     budget_cell(comparison),
                     text_cell(kernel.implementation),
                     text_cell(kernel.spec),
                     integer_cell(kernel.layers),
                     number_cell(kernel.latency_us, [](double us) { return latency(us); }),
                     number_cell(kernel.share, percent),
                     number_cell(kernel.utilization.value(), percent),
                     number_cell(kernel.roofline_efficiency.value(), percent),
                     number_cell(kernel.occupancy_theoretical.value(), percent),
                     number_cell(kernel.occupancy_achieved.value(), percent)};
        table.rows.push_back(std::move(row));
    }
    return table;
}

}  // namespace

Section kernels_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    const std::vector<Kernel> kernels = kernels_of(comparison);
    if (kernels.empty()) {
        return absent_section("Kernels", "implementations of layers in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = "Kernels";
    section.parts.push_back(kernels_table(comparison, kernels));
    return section;
}

}  // namespace hacscale::report
