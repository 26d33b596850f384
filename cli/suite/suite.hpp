// A suite: which networks to scale, on which device, within which budgets, by which strategies, and how long
// measuring may take. One `hacscale run SUITE` does all of it. The YAML format is described in
// docs/formats.md, "Suite YAML"; reading is as strict as for models.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/layer_spec.hpp"
#include "profiler/table/row.hpp"

namespace hacscale::cli {

struct Suite {
    std::string name;
    std::vector<std::string> models;  // names of the zoo, or paths as find_model() takes them
    std::string device = "cpu";
    int threads = 0;  // of CPU work; 0: all the cores this process may use
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    std::vector<double> budgets{1.0};     // latency over the base's, at least 1
    std::vector<std::string> strategies;  // names; empty: all there are
    int grid = 8;                         // channels
    double max_width_ratio = 2.0;
    double max_depth_ratio = 2.0;
    double min_inner_ratio = 1.0;  // of a block's inner width over the one that follows
    double max_inner_ratio = 1.0;
    int inner_widths = 0;             // a block, at most; 0: all on their grid
    int resolution_steps = 0;         // resolutions above the base's, in steps of resolution_step()
    std::vector<std::string> verify;  // more networks to check the table's sums against
    double tolerance = 0.05;          // error within which networks not yet seen must be predicted
    double seconds = 2.0;             // at most, for timing one network
    double minutes = 10.0;            // at most, for other widths of one network
    std::vector<std::pair<std::string, std::filesystem::path>>
        gains;                     // a model's sensitivity or importance file
    std::filesystem::path record;  // accuracy records to show; empty: none
    std::string recipe = "short";  // with which those accuracies were reached; a name, or a file
};

// At most 1 MiB. Paths of models are relative to the suite's folder. Throws InputError with file and line.
Suite load_suite(const std::filesystem::path& file);
// `origin` stands for the file in messages; relative paths of models are relative to `folder`.
Suite parse_suite(std::string_view yaml, const std::string& origin, const std::filesystem::path& folder);

}  // namespace hacscale::cli
