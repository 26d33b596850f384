#include "harness/suite/dry_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "harness/suite/finished_work.hpp"
#include "harness/suite/layout.hpp"
#include "harness/suite/run_clock.hpp"
#include "harness/suite/run_manifest.hpp"
#include "harness/suite/state_run.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/graph/network.hpp"
#include "profiler/profile.hpp"
#include "profiler/row_values.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"

namespace hacscale::harness {

namespace {

constexpr double microseconds = 1e6;

class DryRun {
public:
    DryRun(const Suite& suite, std::filesystem::path folder, const std::optional<Shard>& shard)
        : suite_(suite),
          shard_(shard),
          folder_(shard ? folder / folder_name(*shard) : std::move(folder)),
          units_(units_of(suite, shard)),
          suite_hash_(suite_hash(suite)),
          registry_(BackendRegistry::load(suite.threads)) {}

    std::vector<PlannedDevice> plan() const {
        std::vector<PlannedDevice> devices;
        for (const std::string& id : device_ids(suite_)) {
            devices.push_back(plan_device(id));
        }
        return devices;
    }

private:
    PlannedDevice plan_device(const std::string& id) const {
        PlannedDevice planned{id, "", device_folder(suite_, folder_, id) / table_file, 0, {}};
        std::optional<DeviceHandle> device;
        try {
            device = registry_.find(id);
        } catch (const MissingError& error) {
            planned.absence = error.what();
        }
        std::optional<Table> table;
        if (std::filesystem::exists(planned.table)) {
            table = Table::open(planned.table, OpenMode::read);
            planned.rows = table->size();
        }
        for (const MeasuredState& state : states_of(suite_)) {
            PlannedState one{state, state_folder(suite_, planned.table.parent_path(), state)};
            if (device) {
                one.unsupported_reason = device->backend->unsupported_reason(id, state.type);
            }
            if (one.unsupported_reason.empty()) {
                plan_state(one, table ? &*table : nullptr);
            }
            planned.states.push_back(std::move(one));
        }
        return planned;
    }

    void plan_state(PlannedState& planned, const Table* table) const {
        std::optional<records::InputFingerprint> now;
        bool profiled = false;
        if (table != nullptr) {
            now = input_fingerprint(suite_, suite_hash_, planned.state, *table);
            profiled =
                finished_profiling(planned.folder, profiling_of(suite_, *now), *table, planned.state, true)
                    .has_value();
        }
        for (const ProfileUnit& unit : units_) {
            if (unit.state == planned.state) {
                planned.units.push_back(plan_unit(unit, table));
                PlannedUnit& one = planned.units.back();
                if (profiled) {
                    one.seconds_expected = 0.0;
                }
                planned.seconds_at_most += unit.seconds_at_most;
                planned.seconds_expected += one.seconds_expected;
            }
        }
        if (!shard_) {
            plan_comparisons(planned, table, now);
        }
    }

    void plan_comparisons(PlannedState& planned, const Table* table,
                          const std::optional<records::InputFingerprint>& now) const {
        planned.comparisons = static_cast<int>(suite_.models.size() * suite_.budgets.size());
        const double verifying = verification_seconds(suite_);
        planned.seconds_at_most += planned.comparisons * comparison_seconds(suite_) + verifying;
        for (const SuiteModel& model : suite_.models) {
            int known = 0;
            for (const Budget& budget : suite_.budgets) {
                const std::filesystem::path file =
                    planned.folder / records::comparison_file_name(model.network->name, budget);
                known += now && finished_comparison(file, *now, true) ? 1 : 0;
            }
            planned.comparisons_known += known;
            // Of the limit for timing a network.
            const double share = timing_seconds(model.network->graph, planned.state, table) / suite_.seconds;
            planned.seconds_expected += (static_cast<double>(suite_.budgets.size()) - known) *
                                        usual_comparison_seconds(suite_) * share;
        }
        const bool verified = now && planned.comparisons_known == planned.comparisons &&
                              finished_verification(planned.folder, *now);
        planned.seconds_expected += verified ? 0.0 : verifying;
    }

    MeasureSettings settings_of(const MeasuredState& state) const {
        MeasureSettings settings;
        settings.batch = state.batch;
        settings.type = state.type;
        return settings;
    }

    PlannedUnit plan_unit(const ProfileUnit& unit, const Table* table) const {
        PlannedUnit planned{unit, unit.model.network->name, 0, 0, unit.seconds_at_most};
        Graph network = unit.model.network->graph;
        if (table != nullptr) {
            network.set_layout(TableView(*table, network, unit.state).layout());
        }
        std::set<LayerSpec> layers;
        for (const Node& node : network.nodes) {
            if (!layers.insert(node.layer).second) {
                continue;
            }
            const RowKey key = row_key(node.layer, network, settings_of(unit.state), unit.state.cache);
            const std::optional<Row> row = table == nullptr ? std::nullopt : table->find(key);
            const bool known = row && row->status != RowStatus::failed;
            ++(known ? planned.known : planned.fresh);
        }
        const double own_s = unit.seconds_at_most - (unit.swept ? 60.0 * suite_.minutes : 0.0);
        if (planned.fresh == 0) {
            planned.seconds_expected -= own_s;  // a network whose rows are all known is not run
        }
        return planned;
    }

    // For one network about as fast as this: as many samples as the table's rows have took this long.
    double timing_seconds(const Graph& network, const MeasuredState& state, const Table* table) const {
        if (table == nullptr) {
            return suite_.seconds;
        }
        const TableView view(*table, network, state);
        double seconds = 0.0;
        for (const Node& node : view.network().nodes) {
            const std::vector<Row> rows = table->find_all(node.layer, state.batch, state.type, state.cache);
            if (rows.empty() || !has_latency(rows.front().status)) {
                return suite_.seconds;
            }
            seconds += rows.front().latency_us * static_cast<double>(rows.front().samples) / microseconds;
        }
        return std::min(suite_.seconds, seconds);
    }

    const Suite& suite_;
    const std::optional<Shard>& shard_;
    std::filesystem::path folder_;
    std::vector<ProfileUnit> units_;
    std::string suite_hash_;
    BackendRegistry registry_;
};

records::Json json_of(const PlannedState& planned) {
    records::Json units = records::Json::array();
    for (const PlannedUnit& one : planned.units) {
        units.push_back({{"model", one.network},
                         {"other_widths", one.unit.swept},
                         {"rows_known", one.known},
                         {"rows_new", one.fresh},
                         {"seconds_at_most", one.unit.seconds_at_most},
                         {"seconds_expected", one.seconds_expected}});
    }
    return {{"batch", planned.state.batch},
            {"dtype", name_of(planned.state.type)},
            {"cache", name_of(planned.state.cache)},
            {"folder", planned.folder.string()},
            {"refusal", planned.unsupported_reason},
            {"networks", std::move(units)},
            {"comparisons", planned.comparisons},
            {"comparisons_known", planned.comparisons_known},
            {"seconds_at_most", planned.seconds_at_most},
            {"seconds_expected", planned.seconds_expected}};
}

records::Json json_of(const PlannedDevice& planned) {
    records::Json states = records::Json::array();
    for (const PlannedState& state : planned.states) {
        states.push_back(json_of(state));
    }
    return {{"device", planned.id},          {"here", planned.absence.empty()},
            {"absence", planned.absence},    {"table", planned.table.string()},
            {"rows_in_table", planned.rows}, {"states", std::move(states)}};
}

}  // namespace

SuiteForecast dry_run(const Suite& suite, const std::filesystem::path& folder,
                      const std::optional<Shard>& shard) {
    check_manifest(shard ? folder / folder_name(*shard) : folder,
                   {suite.name, suite_hash(suite), shard, false});
    SuiteForecast forecast{DryRun(suite, folder, shard).plan()};
    for (const PlannedDevice& device : forecast.devices) {
        for (const PlannedState& state : device.states) {
            forecast.seconds_at_most += state.seconds_at_most;
            forecast.seconds_expected += state.seconds_expected;
        }
    }
    if (suite.total_minutes > 0.0) {
        forecast.seconds_at_most = std::min(forecast.seconds_at_most, 60.0 * suite.total_minutes);
        forecast.seconds_expected = std::min(forecast.seconds_expected, forecast.seconds_at_most);
    }
    return forecast;
}

std::string to_json(const SuiteForecast& forecast, const Suite& suite, const std::filesystem::path& folder,
                    const std::optional<Shard>& shard) {
    records::Json list = records::Json::array();
    for (const PlannedDevice& device : forecast.devices) {
        list.push_back(json_of(device));
    }
    return records::text_of({{"suite", suite.name},
                             {"suite_hash", suite_hash(suite)},
                             {"shard", shard ? records::Json(name_of(*shard)) : records::Json(nullptr)},
                             {"folder", folder.string()},
                             {"devices", std::move(list)},
                             {"seconds_at_most", forecast.seconds_at_most},
                             {"seconds_expected", forecast.seconds_expected}});
}

}  // namespace hacscale::harness
