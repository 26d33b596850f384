#include "harness/suite/suite.hpp"

#include <algorithm>

#include "base/shipped_files.hpp"
#include "base/yaml/yaml_reader.hpp"

namespace hacscale::harness {

std::vector<MeasuredState> states_of(const Suite& suite) {
    std::vector<MeasuredState> states;
    for (const int batch : suite.batches) {
        for (const DataType type : suite.types) {
            for (const CacheState cache : suite.caches) {
                states.push_back({batch, type, cache});
            }
        }
    }
    return states;
}

SpaceSettings space_of_graphs(const Suite& suite) {
    SpaceSettings settings;
    settings.grid = suite.grid;
    settings.min_width_ratio = suite.min_width_ratio;
    settings.max_width_ratio = suite.max_width_ratio;
    settings.min_depth_ratio = suite.min_depth_ratio;
    settings.max_depth_ratio = suite.max_depth_ratio;
    return settings;
}

SpaceSettings for_all_budgets(const Suite& suite, SpaceSettings settings) {
    // Where a base's latency is not known yet, a budget may be far below it.
    constexpr double unknown_budget = 0.3;
    RatioRange range = ratio_range(1.0);
    for (const Budget& budget : suite.budgets) {
        const RatioRange own = ratio_range(budget.is_ratio() ? budget.value : unknown_budget);
        range = {std::min(range.least, own.least), std::max(range.largest, own.largest)};
    }
    settings.min_width_ratio = settings.min_width_ratio.value_or(range.least);
    settings.max_width_ratio = settings.max_width_ratio.value_or(range.largest);
    settings.min_depth_ratio = settings.min_depth_ratio.value_or(range.least);
    settings.max_depth_ratio = settings.max_depth_ratio.value_or(range.largest);
    return settings;
}

SpaceSettings space_of(const Suite& suite, const ModelSpec& model) {
    SpaceSettings settings = space_of_graphs(suite);
    settings.min_inner_ratio = suite.min_inner_ratio;
    settings.max_inner_ratio = suite.max_inner_ratio;
    settings.inner_widths = suite.inner_widths;
    settings.resolutions = suite.resolutions;
    for (int step = 1; step <= suite.resolution_steps; ++step) {
        settings.resolutions.push_back(model.resolution + step * resolution_step(model));
    }
    return settings;
}

std::filesystem::path suite_folder() {
    return shipped_folder("HACSCALE_SUITES", "suites", HACSCALE_SUITE_FOLDER);
}

std::filesystem::path find_suite(const std::string& name_or_file) {
    std::error_code error;
    if (std::filesystem::is_regular_file(name_or_file, error)) {
        return name_or_file;
    }
    return shipped_file(suite_folder(), name_or_file, "suite");
}

Suite load_suite(const std::filesystem::path& file) {
    return parse_suite(detail::read_yaml_file(file, "a suite"), file.string(), file.parent_path());
}

}  // namespace hacscale::harness
