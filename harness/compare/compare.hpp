// One network scaled by several strategies to one latency budget, predicted from a table and, where networks
// can be timed, checked on the device.
//
// The check goes in rounds. Each times the base beside what the strategies chose. A choice that exceeds the
// budget sends its strategy back with a prediction budget lowered in proportion; one that stays below it by
// more than the strategy's next step needs, with a higher one (harness/compare/candidate_search.hpp). Of the choices
// that kept the budget, the one with the greatest gain counts. Then all final choices are timed once more
// beside the base, and those figures are the record: the choice was made on other samples, so that luck in
// choosing is not counted. Where one exceeds the budget then, its strategy's next best choice takes its
// place, and all are timed again, three times at most. Where the time is limited, the search ends when what is
// left of it is needed for the final session, and what that had no time for stays `unverified`, with the
// reason.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/compare/candidate_search.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/table_view.hpp"
#include "records/comparison.hpp"
#include "scaling/budget.hpp"
#include "scaling/context.hpp"
#include "scaling/graph_space.hpp"
#include "scaling/space.hpp"

namespace hacscale::harness {

struct ComparisonSettings {
    Budget budget;                        // of latency
    std::vector<std::string> strategies;  // names; empty: all there are
    SpaceSettings space;
    Caps caps;
    std::vector<std::filesystem::path> gain_files;  // as load_gain() takes them
    // What pruning ranks channels by, one width a stage; nothing: not known.
    std::optional<ChannelScores> l1_scores{};
    std::optional<ChannelScores> taylor_scores{};
    // Of a network without stages: what stays as it is, and limits. Grid and ratios are those of `space`.
    GraphSpaceSettings graph{};
    // Networks that strategies are taken to have chosen, instead of choosing: those of a training plan.
    std::map<std::string, ModelSpec> fixed;
    int rounds = 6;                     // of checking, at most, the final sessions not counted
    SessionBudget* sessions = nullptr;  // the time for them; null: no limit
};

// Of a channel group, besides its own: plans take time with their square, and the latency between is interpolated anyway.
constexpr int max_widths_of_group = 64;

// Of all choices together, at most, until those that exceed the budget are replaced.
constexpr int max_final_sessions = 4;

// `time` may be empty: then rows are predictions, with status `unverified`. A budget that is no ratio is
// converted with the base's latency, which is measured where networks can be timed. InputError for a budget
// outside of the limits, an unknown strategy, a table that lacks a layer of the base, or a fixed network that is no scaled base.
records::ComparisonRecord compare(const ModelView& view, const ComparisonSettings& settings,
                                  const TimeNetworks& time);

// The same of a network without stages, whose graph the view is of: its channel groups are chosen, and the numbers of blocks that
// repeat. InputError also for gain files, and for names in settings.graph that it does not have.
records::ComparisonRecord compare(const TableView& view, const Network& network,
                                  const ComparisonSettings& settings, const TimeNetworks& time);

}  // namespace hacscale::harness
