// The answer of `hacscale advise` as a value, and the forms it takes: JSON, and a document for reading that
// is printed on a terminal or written as Markdown.
#pragma once

#include <string>
#include <vector>

#include "harness/measure/remedy.hpp"
#include "harness/measure/table_view.hpp"
#include "models/graph/network.hpp"
#include "profiler/table/table.hpp"
#include "report/document/document.hpp"
#include "scaling/analysis/advise.hpp"
#include "scaling/analysis/utilization.hpp"

namespace hacscale::harness {

struct Advice {
    std::string model;
    DeviceRecord device;
    MeasuredState state;
    AdviseSettings settings;
    CapacityAdvice capacity;
    std::vector<LayerEfficiency>
        layers{};  // every node in running order; without a peak in the table, only latencies
};

// What the table says of a model, or of a network without stages. Each throws InputError as advise() does.
Advice advice_on(const Table& table, const ModelSpec& model, const MeasuredState& state,
                 const AdviseSettings& settings);
Advice advice_on(const Table& table, const Network& network, const MeasuredState& state,
                 const AdviseSettings& settings);

// "stage2 as a whole": all of a stage's layers widened together, as scaling does.
std::string name_of_stage(const WidthAdvice& stage);
std::string decider_name(const LayerAdvice& layer, const WidthAdvice& decider);

// How many layers have free capacity and the largest finds, and for how many it is not known.
std::string sentence(const Advice& advice);
std::string to_json(const Advice& advice);  // docs/formats.md, "Advice"
report::Document advice_document(const Advice& advice);

// The advice in ten lines: where the time is spent and wasted, which widths are free upwards and pay off downwards, how many
// are not known, and the commands that measure them.
std::vector<std::string> advice_lines(const Advice& advice, const Remedy& remedy);

// Whether the answer is open for some width: nothing wider was measured, or only with too much noise.
bool has_gaps(const Advice& advice);

}  // namespace hacscale::harness
