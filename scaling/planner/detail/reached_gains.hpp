// The most gain that is had so far for less than a given cost, by cost bucket. In two levels, so that taking
// a gain in touches few entries.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace hacscale::planner {

class ReachedGains {
public:
    void clear(std::size_t buckets) {
        within_.assign(buckets, nothing);
        before_.assign(buckets / block + 1, nothing);
    }
    // In buckets lower than this one.
    std::int64_t below(std::size_t bucket) const {
        return std::max(within_[bucket], before_[bucket / block]);
    }
    void take(std::size_t bucket, std::int64_t gain) {
        const std::size_t next_block = bucket / block + 1;
        const std::size_t end = std::min(within_.size(), next_block * block);
        for (std::size_t b = bucket + 1; b < end && within_[b] < gain; ++b) within_[b] = gain;
        for (std::size_t k = next_block; k < before_.size() && before_[k] < gain; ++k) before_[k] = gain;
    }

private:
    static constexpr std::size_t block = 32;
    static constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::min();
    std::vector<std::int64_t> within_;  // by bucket: in lower buckets of its block
    std::vector<std::int64_t> before_;  // by block: in lower blocks
};

}  // namespace hacscale::planner
