// A suite: which networks to scale, on which devices and in which states, within which budgets, by which
// strategies, and how long measuring may take. One `hacscale run SUITE` does all of it. The YAML format is
// described in docs/formats.md, "Suite YAML"; reading is as strict as for models.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/measure/table_view.hpp"
#include "models/graph/network.hpp"
#include "models/stages/model_spec.hpp"
#include "profiler/table/row.hpp"
#include "profiler/timing/rounds.hpp"
#include "scaling/budget.hpp"
#include "scaling/space.hpp"

namespace hacscale::harness {

// A network of a suite, read with it: whatever becomes of its file, a run measures what it began with.
struct SuiteModel {
    std::string name;  // as the suite has it: of the zoo, or a path as find_network() takes it
    // Shared, because weights may be large.
    std::shared_ptr<const Network> network;
    std::optional<ModelSpec> stages{};  // nothing: a graph, whose channel groups and repeats are scaled
    bool operator==(const SuiteModel& other) const { return name == other.name; }
};

struct Suite {
    std::string name;
    std::vector<SuiteModel> models;
    std::vector<std::string> devices{"cpu"};  // or all_devices alone
    int threads = 0;                          // of CPU work; 0: one a core this process may use
    std::vector<int> batches{1};
    std::vector<DataType> types{DataType::f32};
    std::vector<CacheState> caches{CacheState::network};
    std::vector<Budget> budgets{Budget()};
    std::vector<std::string> strategies;  // names; empty: all there are
    int grid = 8;                         // channels
    // Nothing: at each budget as ratio_range() says for it.
    std::optional<double> min_width_ratio{};
    std::optional<double> max_width_ratio{};
    std::optional<double> min_depth_ratio{};
    std::optional<double> max_depth_ratio{};
    double min_inner_ratio = 1.0;  // of a block's inner width over the one that follows
    double max_inner_ratio = 1.0;
    int inner_widths = 0;                   // a block, at most; 0: all on their grid
    std::vector<int> resolutions;           // pixels, besides the base's
    int resolution_steps = 0;               // resolutions above the base's, in steps of resolution_step()
    std::vector<SuiteModel> verify;         // more networks to check the table's sums against
    double tolerance = 0.05;                // error within which networks not yet seen must be predicted
    double seconds = 2.0;                   // at most, for timing one network
    RowMethod rows = RowMethod::stopwatch;  // how layers are timed inside their network
    double minutes = 10.0;                  // at most, for other widths of one network
    double total_minutes = 0.0;             // at most, for the whole run; 0: no limit
    std::vector<std::pair<std::string, std::filesystem::path>>
        gains;                     // a model's sensitivity or importance file, or a pair for each of both
    std::filesystem::path record;  // accuracy records to show; empty: none
    std::string recipe = "short";  // with which those accuracies were reached; a name, or a file
};

constexpr std::string_view all_devices = "all";  // of the machine that the suite runs on

// Every batch with every data type and cache state, in the suite's order.
std::vector<MeasuredState> states_of(const Suite& suite);
// What the suite allows of a model; of a graph, which has one resolution.
SpaceSettings space_of(const Suite& suite, const ModelSpec& model);
SpaceSettings space_of_graphs(const Suite& suite);
// The same with the ratios that it leaves to its budgets: those that at least one of them needs, and so its table.
SpaceSettings for_all_budgets(const Suite& suite, SpaceSettings settings);

// Every key that a suite may have.
std::initializer_list<std::string_view> suite_keys();

// The folder of the suites that come with the program: $HACSCALE_SUITES, else beside the program, else the source tree's.
std::filesystem::path suite_folder();
// The file of a suite that comes with the program, by its name; any other text is a file itself.
std::filesystem::path find_suite(const std::string& name_or_file);

// At most 1 MiB. Paths of models are relative to the suite's folder. Throws InputError with file and line.
Suite load_suite(const std::filesystem::path& file);
// `origin` stands for the file in messages; relative paths of models are relative to `folder`.
Suite parse_suite(std::string_view yaml, const std::string& origin, const std::filesystem::path& folder);

}  // namespace hacscale::harness
