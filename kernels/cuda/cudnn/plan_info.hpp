// What cuDNN says of an execution plan, from the JSON that it writes for one.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace hacscale::cuda {

struct PlanInfo {
    std::int64_t engine = 0;
    // By cuDNN's name without its prefix, in lower case: "tile_size", "stages", "split_k_slc". Knobs whose
    // value is -1 are cuDNN's to choose and are left out.
    std::map<std::string, std::int64_t> knobs;
    std::string name;  // "eng10_k2=5_k13=1", the tag that cuDNN's tools use: knobs by their numbers
    std::int64_t workspace_bytes = 0;
};

// Fills engine and knobs. Throws WorkError when the text is no plan.
PlanInfo parse_plan(const std::string& plan_json);

}  // namespace hacscale::cuda
