// The loops over cost buckets in which bounds are made, compiled for the widest vectors that the machine has:
// most of a plan's time is spent here. All rows ascend.
#pragma once

#include <cstddef>

namespace hacscale::planner {

// to[b] = max(to[b], from[b] + value); where that is more, to_cost[b] = from_cost[b] + cost
void raise(double* to, double* to_cost, const double* from, const double* from_cost, std::size_t count,
           double value, double cost);
// to[b] = min(to[b], from[b] - value)
void lower(double* to, const double* from, std::size_t count, double value);

// Whether that could change anything; cheaper, and never wrongly false.
bool could_raise(const double* to, const double* from, std::size_t count, double value);
bool could_lower(const double* to, const double* from, std::size_t count, double value);

}  // namespace hacscale::planner
