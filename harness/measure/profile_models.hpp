// Fills a table with what scaling and predicting some networks needs: the device's peak, the networks' own
// layers, and, for those to be scaled, their layers at other widths.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/profile.hpp"
#include "profiler/sweep/graph_widths.hpp"
#include "profiler/sweep/sweep_planner.hpp"
#include "profiler/table/table.hpp"
#include "records/verification.hpp"
#include "scaling/space.hpp"

namespace hacscale::harness {

struct ProfileJob {
    std::vector<Network> own_layers;  // networks whose own layers are wanted
    // Of each width of these, so many counts above and below the network's own are measured too, with everything else as it
    // is (profiler/sweep/nearby_widths.hpp); multiples of nearby_grid.
    int nearby_widths = 0;
    int nearby_grid = 8;
    // All widths of these together, as a planner needs them (profiler/sweep/graph_widths.hpp); nothing: only their own.
    std::optional<GraphWidths> graph_widths{};
    std::vector<ModelSpec> swept;       // networks that will be scaled
    std::vector<SpaceSettings> spaces;  // one a swept network
    MeasureSettings measure;
    std::set<CacheState> caches{CacheState::network};
    SweepSettings sweep;
    // What is left for all of it, asked again and again: networks as they are come first, then other widths,
    // which share what is left. The peak is measured whatever is left, since nothing can be told without it.
    std::function<double()> left_s = [] { return std::numeric_limits<double>::infinity(); };
    bool retry_failed = true;   // rows that failed before are tried again
    std::string noisy_until{};  // noisy rows measured until then are measured again
};

struct SweptModel {
    std::string model;
    SweepSummary summary;
};

struct ProfileOutcome {
    ProfileSummary rows;  // of everything together
    std::vector<SweptModel> swept;
    // The networks that were run as they are, beside what the table says of them in each cache state: timed
    // in the same rounds as the rows, so that this is the error of adding layers up, with no drift of the
    // machine in it.
    std::vector<records::VerifiedModel> verified;

    bool complete() const {
        return rows.noisy == 0 && rows.failed == 0 && rows.given_up == 0 && !rows.interrupted;
    }
};

// What the table has already is not measured again, but for rows that were measured while the machine was
// slower than for others. At the end the networks of such rows are run once more, as long as the machine is
// fast. When it is interrupted, what was measured stays.
ProfileOutcome profile_models(const DeviceHandle& device, Table& table, ProfileJob plan, Events& events);

// When rows of the table in this state were measured while the machine was slower than for others (`remedy`
// says how to have them measured again), or than it has been since in what was measured with these settings.
std::optional<std::string> speed_warning(const DeviceHandle& device, const Table& table,
                                         const MeasureSettings& measured_with, const std::string& remedy);

}  // namespace hacscale::harness
