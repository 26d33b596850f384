// Advice, comparisons of strategies and what they chose, predicted from a table; with a device, measured on it as well.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "bindings/bindings.hpp"
#include "harness/advise/advice.hpp"
#include "harness/compare/answer.hpp"
#include "harness/compare/choice_files.hpp"
#include "harness/compare/compare.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/remedy.hpp"
#include "models/graph/graph_values.hpp"
#include "models/graph/network.hpp"
#include "records/comparison.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"
#include "records/run_folder.hpp"
#include "report/report.hpp"
#include "scaling/budget.hpp"
#include "scaling/strategies/strategy.hpp"

namespace hacscale::python {

namespace {

records::ComparisonRecord comparison_from(const std::string& text) {
    return records::read_comparison(records::JsonPlace::parse(text, "the comparison"));
}

const records::StrategyRow& row_of(const records::ComparisonRecord& comparison, const std::string& strategy) {
    const auto row = std::find_if(comparison.strategies.begin(), comparison.strategies.end(),
                                  [&](const records::StrategyRow& one) { return one.strategy == strategy; });
    if (row == comparison.strategies.end()) {
        throw InputError("the comparison has no strategy \"" + strategy + "\"");
    }
    return *row;
}

// What a comparison is asked for, filled by Python.
struct ComparisonRequest {
    std::string budget = "1";
    std::vector<std::string> strategies;
    int batch = 1;
    std::string dtype = "f32";
    std::string cache = "network";
    int grid = 8;
    std::optional<double> min_width_ratio;
    std::optional<double> max_width_ratio;
    std::vector<std::string> freeze;
    std::vector<std::string> limits;  // NAME:MIN..MAX
    std::optional<std::int64_t> max_params;
    std::optional<std::int64_t> max_macs;
    std::vector<std::filesystem::path> gain;
    std::filesystem::path scores;
    bool keep_groups = false;
    bool equal_slices = false;
    bool change_depth = false;

    MeasuredState state() const { return state_of(batch, dtype, cache); }

    harness::ComparisonSettings settings(const Network& network) const {
        harness::ComparisonSettings settings;
        settings.budget = parse_budget(budget);
        settings.strategies = strategies;
        settings.space.grid = grid;
        settings.space.min_width_ratio = min_width_ratio;
        settings.space.max_width_ratio = max_width_ratio;
        if (!change_depth) {
            settings.space.min_depth_ratio = 1.0;
            settings.space.max_depth_ratio = 1.0;
        }
        settings.caps.params = max_params;
        settings.caps.macs = max_macs;
        settings.gain_files = gain;
        settings.graph.freeze = freeze;
        for (const std::string& limit : limits) {
            settings.graph.limits.push_back(parse_width_limit(limit));
        }
        settings.graph.group_rules = group_rules_of(keep_groups, equal_slices);
        if (!network.weights.empty()) {
            harness::PruningScores pruning =
                harness::pruning_scores(network, scores, settings.graph.group_rules);
            settings.l1_scores = std::move(pruning.norms);
            settings.taylor_scores = std::move(pruning.given);
        }
        return settings;
    }
};

std::string compare_predicted(const Table& table, const Network& network, const ComparisonRequest& request) {
    const nb::gil_scoped_release unlocked;
    const harness::TableView view(table, network.graph, request.state());
    return to_json(harness::compare(view, network, request.settings(network), {}));
}

std::string compare_measured(const Table& table, const Network& network, const ComparisonRequest& request,
                             const std::string& device_id, int threads, double seconds, nb::handle events) {
    const nb::gil_scoped_release unlocked;
    PythonEvents told(events);
    const harness::ComparisonSettings settings = request.settings(network);
    const harness::DeviceAccess device = harness::open_device(device_id, threads, told);
    harness::check_same_device(table, device);
    const MeasuredState state = request.state();
    MeasureSettings measure;
    measure.batch = state.batch;
    measure.type = state.type;
    measure.rules.max_seconds = seconds;
    std::string answer;
    {
        harness::Progress progress(told);
        const harness::TableView view(table, network.graph, state);
        answer = to_json(
            harness::compare(view, network, settings,
                             harness::device_timer(device.handle, table, measure, progress.work_events())));
    }
    told.rethrow();
    return answer;
}

std::vector<std::string> answer_of(const std::string& comparison) {
    const records::ComparisonRecord record = comparison_from(comparison);
    return harness::answer_lines({&record}, {});
}

// Networks of the zoo have no weights: random ones make files of them that run.
Network with_random_weights(Network network) {
    network.weights = random_weights(network.graph, 0);
    return network;
}

// `scores` may be empty.
std::vector<std::string> write_choice(const Network& base, const std::string& comparison,
                                      const std::string& strategy, const std::filesystem::path& onnx,
                                      const std::filesystem::path& channels,
                                      const std::filesystem::path& scores, bool keep_groups,
                                      bool equal_slices, std::int64_t opset) {
    const nb::gil_scoped_release unlocked;
    const records::ComparisonRecord record = comparison_from(comparison);
    harness::ChoiceFiles files;
    files.onnx = onnx;
    files.channels = channels;
    files.scores = scores;
    files.opset = opset;
    files.group_rules = group_rules_of(keep_groups, equal_slices);
    const auto& row = row_of(record, strategy);
    if (base.weights.empty()) return harness::write_choice(with_random_weights(base), record, row, files);
    return harness::write_choice(base, record, row, files);
}

void write_report(const Table& table, const std::vector<std::string>& comparisons,
                  const std::filesystem::path& file) {
    const nb::gil_scoped_release unlocked;
    records::RunRecords data = records::records_of(table);
    for (const std::string& comparison : comparisons) {
        data.comparisons.push_back(comparison_from(comparison));
    }
    std::ostringstream page;
    report::write_html(data, page);
    records::write_record(file, page.str());
}

// As JSON, and in at most ten lines.
nb::tuple advise(const Table& table, const Network& network, int batch, const std::string& dtype,
                 const std::string& cache, double tolerance, int grid, double max_width_ratio) {
    AdviseSettings settings;
    settings.tolerance = tolerance;
    settings.grid = grid;
    settings.max_width_ratio = max_width_ratio;
    const MeasuredState state = state_of(batch, dtype, cache);
    std::string json;
    std::vector<std::string> lines;
    {
        const nb::gil_scoped_release unlocked;
        const harness::Advice advice = harness::advice_on(table, network, state, settings);
        json = harness::to_json(advice);
        lines = harness::advice_lines(
            advice, harness::Remedy{{network.name}, table.file(), advice.device, advice.state, {}});
    }
    return nb::make_tuple(json, lines);
}

}  // namespace

void bind_planning(nb::module_& module) {
    using namespace nb::literals;
    nb::class_<ComparisonRequest>(module, "ComparisonRequest")
        .def(nb::init<>())
        .def_rw("budget", &ComparisonRequest::budget)
        .def_rw("strategies", &ComparisonRequest::strategies)
        .def_rw("batch", &ComparisonRequest::batch)
        .def_rw("dtype", &ComparisonRequest::dtype)
        .def_rw("cache", &ComparisonRequest::cache)
        .def_rw("grid", &ComparisonRequest::grid)
        .def_rw("min_width_ratio", &ComparisonRequest::min_width_ratio)
        .def_rw("max_width_ratio", &ComparisonRequest::max_width_ratio)
        .def_rw("freeze", &ComparisonRequest::freeze)
        .def_rw("limits", &ComparisonRequest::limits)
        .def_rw("max_params", &ComparisonRequest::max_params)
        .def_rw("max_macs", &ComparisonRequest::max_macs)
        .def_rw("gain", &ComparisonRequest::gain)
        .def_rw("scores", &ComparisonRequest::scores)
        .def_rw("keep_groups", &ComparisonRequest::keep_groups)
        .def_rw("equal_slices", &ComparisonRequest::equal_slices)
        .def_rw("change_depth", &ComparisonRequest::change_depth);
    module.def("compare_predicted", &compare_predicted);
    module.def("compare_measured", &compare_measured, "table"_a, "network"_a, "request"_a, "device_id"_a,
               "threads"_a, "seconds"_a, "events"_a);
    module.def("answer", &answer_of);
    module.def("write_choice", &write_choice);
    module.def("write_report", &write_report);
    module.def("advise", &advise);
    module.def("strategies", [] {
        std::vector<std::pair<std::string, std::string>> named;
        for (const Strategy& strategy : strategies()) {
            named.emplace_back(strategy.name, strategy.description);
        }
        return named;
    });
}

}  // namespace hacscale::python
