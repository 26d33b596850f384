// Latencies of many networks that differ from one base in widths and depths, for programs that search. Each layer's latencies at
// all its widths are looked up once (scaling/graph_costs.hpp); a candidate is then a sum over small tables.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "bindings/bindings.hpp"
#include "harness/measure/table_view.hpp"
#include "models/graph/network.hpp"
#include "scaling/graph_costs.hpp"
#include "scaling/graph_space.hpp"
#include "scaling/planner/graph_problem.hpp"

namespace hacscale::python {

namespace {

// One microsecond where a latency is not measured itself, so that a network's sum is the number of such layers.
class InterpolatedLayers final : public LatencySource {
public:
    explicit InterpolatedLayers(const LatencySource& source) : source_(source) {}

    LatencyEstimate estimate(const LayerSpec& layer) const override {
        LatencyEstimate estimate = source_.estimate(layer);
        estimate.latency_us = estimate.kind == EstimateKind::interpolated ? 1.0 : 0.0;
        return estimate;
    }

private:
    const LatencySource& source_;
};

// A factor with what a sum over it needs.
struct FlatFactor {
    std::vector<std::pair<std::size_t, std::size_t>> variables;  // each with the stride of its values
    const FactorTable* latencies = nullptr;
    const FactorTable* interpolated = nullptr;
};

using Rows = nb::ndarray<const std::int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

class Candidates {
public:
    Candidates(const Table& table, const Network& base, const MeasuredState& state,
               GraphSpaceSettings settings)
        : view_(table, base.graph, state), space_(make_graph_space(view_.network(), settings)) {
        CostSettings cost;
        cost.batch = state.batch;
        cost.type = state.type;
        GraphCosts latencies = graph_costs(view_.network(), space_, view_.source(), cost);
        latencies_ = std::move(latencies.problem);
        copies_by_depth_ = std::move(latencies.copies_by_depth);
        interpolated_ =
            graph_costs(view_.network(), space_, InterpolatedLayers(view_.source()), cost).problem;
        for (std::size_t f = 0; f < latencies_.factors.size(); ++f) {
            factors_.push_back(flattened(f));
        }
        for (std::size_t g = 0; g < space_.groups.size(); ++g) {
            const ChannelGroup& group = space_.groups[g];
            dimensions_.push_back(
                {group.name, group.base_width, space_.widths[g], g, positions_in(space_.widths[g])});
        }
        for (std::size_t r = 0; r < space_.repeats.size(); ++r) {
            if (space_.depths[r].size() < 2) continue;
            const Repeat& repeat = space_.repeats[r];
            dimensions_.push_back({repeat.name + " blocks", repeat.count, space_.depths[r],
                                   space_.groups.size() + r, positions_in(space_.depths[r])});
        }
    }

    std::size_t dimensions() const { return dimensions_.size(); }

    nb::list describe() const {
        nb::list all;
        for (const Dimension& one : dimensions_) {
            all.append(nb::make_tuple(one.name, one.base, one.values));
        }
        return all;
    }

    // Latency in microseconds, NaN where no network has such values, and how many layers are interpolated.
    void latency(const Rows& rows, double* latency_us, std::int32_t* interpolated) const {
        std::vector<std::size_t> values(latencies_.values.size());
        for (std::size_t i = 0; i < rows.shape(0); ++i) {
            const std::int32_t* row = rows.data() + i * dimensions();
            place(row, i, values);
            const bool exists = derive(values);
            std::int64_t total_ps = latencies_.cost_offset;
            std::int64_t guesses_ps = interpolated_.cost_offset;
            bool feasible = exists;
            for (std::size_t f = 0; feasible && f < factors_.size(); ++f) {
                const FlatFactor& factor = factors_[f];
                std::size_t index = 0;
                for (const auto& [variable, stride] : factor.variables) {
                    index += values[variable] * stride;
                }
                const BlockOption& option = (*factor.latencies)[index];
                feasible = option.feasible();
                total_ps += option.cost;
                guesses_ps += (*factor.interpolated)[index].cost;
            }
            latency_us[i] = feasible ? static_cast<double>(total_ps) / picoseconds_per_us
                                     : std::numeric_limits<double>::quiet_NaN();
            interpolated[i] = feasible ? static_cast<std::int32_t>(guesses_ps / std::int64_t{1'000'000}) : 0;
        }
    }

private:
    // A number of a candidate: the width of a group, or the depth of a repeat.
    struct Dimension {
        std::string name;
        int base = 0;
        std::vector<int> values;
        std::size_t variable = 0;  // of the problem
        std::vector<std::int32_t> positions;
    };

    FlatFactor flattened(std::size_t index) const {
        const Factor& factor = latencies_.factors[index];
        FlatFactor flat;
        std::size_t stride = 1;
        for (auto variable = factor.variables.rbegin(); variable != factor.variables.rend(); ++variable) {
            const auto at = static_cast<std::size_t>(*variable);
            flat.variables.emplace_back(at, stride);
            stride *= static_cast<std::size_t>(latencies_.values[at]);
        }
        flat.latencies = &latencies_.tables[static_cast<std::size_t>(factor.table)];
        flat.interpolated =
            &interpolated_.tables[static_cast<std::size_t>(interpolated_.factors[index].table)];
        return flat;
    }

    // For each number up to the largest value, its index among the values; -1 where it is none.
    static std::vector<std::int32_t> positions_in(const std::vector<int>& values) {
        std::vector<std::int32_t> positions(static_cast<std::size_t>(values.back()) + 1, -1);
        for (std::size_t i = 0; i < values.size(); ++i) {
            positions[static_cast<std::size_t>(values[i])] = static_cast<std::int32_t>(i);
        }
        return positions;
    }

    void place(const std::int32_t* row, std::size_t number, std::vector<std::size_t>& values) const {
        for (std::size_t d = 0; d < dimensions_.size(); ++d) {
            const std::vector<std::int32_t>& positions = dimensions_[d].positions;
            const bool known = row[d] >= 0 && static_cast<std::size_t>(row[d]) < positions.size() &&
                               positions[static_cast<std::size_t>(row[d])] >= 0;
            if (!known) {
                throw InputError(fmt::format("candidate {}: {} is no value of {} in this space", number,
                                             row[d], dimensions_[d].name));
            }
            values[dimensions_[d].variable] =
                static_cast<std::size_t>(positions[static_cast<std::size_t>(row[d])]);
        }
        for (const CopiesByDepth& copies : copies_by_depth_) {
            values[static_cast<std::size_t>(copies.variable)] =
                static_cast<std::size_t>(copies.values[values[space_.groups.size() + copies.repeat]]);
        }
    }

    // Values of the variables that others determine. False where two of these do not go together.
    bool derive(std::vector<std::size_t>& values) const {
        for (const DerivedVariable& derived : latencies_.derived) {
            const auto second = static_cast<std::size_t>(derived.second);
            const std::size_t index = values[static_cast<std::size_t>(derived.first)] *
                                          static_cast<std::size_t>(latencies_.values[second]) +
                                      values[second];
            const int value = latencies_.derivations[static_cast<std::size_t>(derived.table)][index];
            if (value < 0) {
                return false;
            }
            values[static_cast<std::size_t>(derived.variable)] = static_cast<std::size_t>(value);
        }
        return true;
    }

    harness::TableView view_;
    GraphSpace space_;
    GraphProblem latencies_;
    GraphProblem interpolated_;
    std::vector<FlatFactor> factors_;
    std::vector<CopiesByDepth> copies_by_depth_;
    std::vector<Dimension> dimensions_;
};

template <typename Number>
nb::ndarray<nb::numpy, Number, nb::ndim<1>> array_of(std::vector<Number> numbers) {
    auto* owned = new std::vector<Number>(std::move(numbers));
    const nb::capsule owner(
        owned, [](void* pointer) noexcept { delete static_cast<std::vector<Number>*>(pointer); });
    return nb::ndarray<nb::numpy, Number, nb::ndim<1>>(owned->data(), {owned->size()}, owner);
}

}  // namespace

void bind_candidates(nb::module_& module) {
    nb::class_<Candidates>(module, "Candidates")
        .def(
            "__init__",
            [](Candidates* self, const Table& table, const Network& base, int batch, const std::string& dtype,
               const std::string& cache, double min_ratio, double max_ratio, int grid, bool change_depth,
               bool equal_slices) {
                GraphSpaceSettings settings;
                settings.grid = grid;
                settings.group_rules = group_rules_of(false, equal_slices);
                settings.min_width_ratio = min_ratio;
                settings.max_width_ratio = max_ratio;
                settings.min_depth_ratio = change_depth ? min_ratio : 1.0;
                settings.max_depth_ratio = change_depth ? max_ratio : 1.0;
                new (self) Candidates(table, base, state_of(batch, dtype, cache), settings);
            },
            nb::keep_alive<1, 2>())
        .def("dimensions", &Candidates::describe)
        .def("latency", [](const Candidates& candidates, const Rows& rows) {
            if (rows.shape(1) != candidates.dimensions()) {
                throw InputError(
                    fmt::format("candidates have {} values each, expected {}: one for each dimension",
                                rows.shape(1), candidates.dimensions()));
            }
            std::vector<double> latency_us(rows.shape(0));
            std::vector<std::int32_t> interpolated(rows.shape(0));
            {
                const nb::gil_scoped_release unlocked;
                candidates.latency(rows, latency_us.data(), interpolated.data());
            }
            return nb::make_tuple(array_of(std::move(latency_us)), array_of(std::move(interpolated)));
        });
}

}  // namespace hacscale::python
