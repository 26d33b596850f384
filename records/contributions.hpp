// What one step in each dimension adds to a network: the base's and the chosen network's contributions, as comparisons and
// `explain` have them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "profiler/table/table.hpp"
#include "scaling/analysis/explain.hpp"

namespace hacscale::records {

class JsonPlace;  // records/json.hpp

struct ContributionsRow {
    std::string spec;  // "base" or "hacscale"
    NetworkExplanation network;
};

// `stages` are the names of the model's stages, or what else Contribution::stage is an index of.
nlohmann::ordered_json contributions_json(const std::vector<ContributionsRow>& rows,
                                          const std::vector<std::string>& stages);
// Throws InputError as JsonPlace does.
ContributionsRow contributions_in(const JsonPlace& place);

// What `explain` answers: the contributions of the base and of the network that HACScale chose for a budget.
struct Explanation {
    std::string model;
    std::string device;        // id
    double budget = 1.0;       // latency over the base's
    std::string budget_given;  // as ComparisonRecord has it
    MeasuredState state;
    std::string gain_origin;
    std::string gain_unit;
    std::vector<std::string> stages;
    // Of a network without stages, as ComparisonRecord has them.
    std::vector<std::string> width_names;
    std::vector<std::string> depth_names;
    std::vector<ContributionsRow> contributions;  // the base's, then the choice's where there is one
    std::string reason;                           // why there is no choice; else empty

    // Whether the table lacks what a step needs.
    bool has_missing() const;
    // What Contribution::stage is an index of.
    std::vector<std::string> step_names() const;
};

std::string to_json(const Explanation& explanation);

}  // namespace hacscale::records
