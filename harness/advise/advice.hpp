// The answer of `hacscale advise` as a value, and the forms it takes: JSON, and a document for reading that
// is printed on a terminal or written as Markdown.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/measure/table_view.hpp"
#include "profiler/table/table.hpp"
#include "report/document/document.hpp"
#include "scaling/analysis/advise.hpp"

namespace hacscale::harness {

struct Advice {
    std::string model;
    DeviceRecord device;
    MeasuredState state;
    AdviseSettings settings;
    CapacityAdvice capacity;
};

// "stage2 as a whole": all of a stage's layers widened together, as scaling does.
std::string name_of_stage(const WidthAdvice& stage);
std::string decider_name(const LayerAdvice& layer, const WidthAdvice& decider);

// How many layers have free capacity and the largest finds, and for how many it is not known.
std::string sentence(const Advice& advice);
std::string to_json(const Advice& advice);  // docs/formats.md, "Advice"
report::Document advice_document(const Advice& advice);

// The advice in ten lines: the sentence, the widths that are free and those that waste time, and the commands
// that measure what is not known. `model` and `table` are as they were named.
std::vector<std::string> advice_lines(const Advice& advice, const std::string& model,
                                      const std::filesystem::path& table);

// Whether the answer is open for some width: nothing wider was measured, or only with too much noise.
bool has_gaps(const Advice& advice);

}  // namespace hacscale::harness
