// A part of a suite, for work that several machines or processes share: shard I of N. The suite alone decides
// which shard measures what, so that all of them agree without talking to each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/suite.hpp"

namespace hacscale::harness {

struct Shard {
    int index = 1;  // 1 to count
    int count = 1;
    bool operator==(const Shard&) const = default;
};

// "2/8"; InputError for anything else.
Shard parse_shard(std::string_view text);
std::string name_of(const Shard& shard);
// "shard-2-of-8", so that all shards of a run may be given one folder.
std::string folder_name(const Shard& shard);

// One network in one state: the smallest part that is given to a shard.
struct ProfileUnit {
    MeasuredState state;
    SuiteModel model;
    bool swept = false;  // measured at other widths too; else its own layers only
    double seconds_at_most = 0.0;
};

// All of a suite, on one device; the same on each. A network to verify that is scaled as well is here
// once.
std::vector<ProfileUnit> profile_units(const Suite& suite);

// Those of one shard, in the order of profile_units(). Every unit is in exactly one shard of a count. The
// units that may take longest come first, of equals those of more work, each given to the shard with the
// least to do so far.
std::vector<ProfileUnit> units_of(const Suite& suite, const std::optional<Shard>& shard);

// Seconds that comparing one network at one budget, and verifying, may take.
double comparison_seconds(const Suite& suite);
// And that it does take, about: strategies choose alike, intervals are narrow before the time is up, and few
// searches go on to the last round.
double usual_comparison_seconds(const Suite& suite);
double verification_seconds(const Suite& suite);

}  // namespace hacscale::harness
