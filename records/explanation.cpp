#include "records/explanation.hpp"

#include <algorithm>

#include "records/contributions_json.hpp"

namespace hacscale::cli {

bool Explanation::has_missing() const {
    return std::any_of(contributions.begin(), contributions.end(),
                       [](const ContributionsRow& row) { return row.network.has_missing(); });
}

std::string to_json(const Explanation& explanation) {
    return text_of({{"model", explanation.model},
                    {"device", explanation.device},
                    {"budget", explanation.budget},
                    {"batch", explanation.state.batch},
                    {"dtype", name_of(explanation.state.type)},
                    {"cache", name_of(explanation.state.cache)},
                    {"gain_origin", explanation.gain_origin},
                    {"gain_unit", explanation.gain_unit},
                    {"stages", explanation.stages},
                    {"contributions", contributions_json(explanation.contributions, explanation.stages)},
                    {"reason", explanation.reason}});
}

}  // namespace hacscale::cli
