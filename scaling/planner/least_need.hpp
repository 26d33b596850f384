// What the choices of a chain problem need at the least: for saying how far a cap is out of reach.
#pragma once

#include <cstdint>
#include <optional>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale {

enum class Need { params, macs, memory_bytes };

// Over all choices that cost at most `max_cost`; nothing when there is none. Exact.
std::optional<std::int64_t> least_need(const ChainProblem& problem, std::int64_t max_cost, Need need);

}  // namespace hacscale
