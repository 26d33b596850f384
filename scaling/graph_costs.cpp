#include "scaling/graph_costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/error.hpp"
#include "models/ops/operator.hpp"
#include "models/structure/detail/channel_units.hpp"
#include "scaling/detail/channel_sums.hpp"

namespace hacscale {
namespace {

using detail::ChannelSum;

std::size_t index(int value) {
    return static_cast<std::size_t>(value);
}

// What one layer costs, looked up once.
class LayerLookup {
public:
    LayerLookup(const LatencySource& source, const CostSettings& settings, CostCoverage& coverage)
        : source_(source), settings_(settings), coverage_(coverage) {}

    // Infeasible where the source lacks the layer.
    // `name`: the layer's in the network.
    BlockOption of(const Node& node, const std::string& name) {
        const auto [known, is_new] = known_.try_emplace(node.layer);
        if (is_new) known->second = look_up(node, name);
        BlockOption option = known->second;
        option.usage.params = node.learned_params;
        if (settings_.model == CostModel::params) option.cost = node.learned_params;
        return option;
    }

private:
    BlockOption look_up(const Node& node, const std::string& name) {
        const LayerSpec& layer = node.layer;
        ++coverage_.distinct_layers;
        const LayerCost cost = cost_of(layer, 1, settings_.type);
        BlockOption option;
        option.usage.macs = cost.macs;
        option.usage.weight_bytes = cost.params * static_cast<std::int64_t>(size_of(settings_.type));
        if (settings_.model != CostModel::latency) {
            option.cost = cost.macs;
            return option;
        }
        const LatencyEstimate estimate = source_.estimate(layer);
        if (estimate.kind == EstimateKind::missing) {
            if (coverage_.missing_layers++ == 0) coverage_.first_missing = layer_text(name, layer);
            return option;
        }
        coverage_.interpolated_layers += estimate.kind == EstimateKind::interpolated ? 1 : 0;
        option.cost = picoseconds(estimate.latency_us);
        return option;
    }

    const LatencySource& source_;
    CostSettings settings_;
    CostCoverage& coverage_;
    std::unordered_map<LayerSpec, BlockOption, LayerSpecHash> known_;
};

class CostMaker {
public:
    CostMaker(const Graph& base, const GraphSpace& space, const LatencySource& source,
              const CostSettings& settings)
        : base_(base), space_(space), layers_(source, settings, result_.coverage) {}

    GraphCosts make() {
        check_space();
        for (const std::vector<int>& widths : space_.widths) {
            result_.problem.values.push_back(static_cast<int>(widths.size()));
        }
        for (const std::vector<int>& depths : space_.depths) {
            result_.problem.values.push_back(static_cast<int>(depths.size()));
        }
        tensors_ = detail::channel_sums(base_, space_.groups);
        for (const ChannelGroup& group : space_.groups) grouped_convs_ = group.grouped_convs;
        for (std::size_t r = 0; r < space_.repeats.size(); ++r) add_blocks(r);
        for (std::size_t n = 0; n < base_.nodes.size(); ++n) add_node(n);
        for (const std::optional<BlockPlace>& place : space_.block_of_group) {
            result_.copies_of_group.push_back(place ? blocks_.at(*place) : BlockCopies{});
        }
        return std::move(result_);
    }

private:
    void check_space() const {
        bool fits = space_.widths.size() == space_.groups.size() &&
                    space_.block_of_group.size() == space_.groups.size() &&
                    space_.depths.size() == space_.repeats.size();
        const auto empty = [](const std::vector<int>& values) { return values.empty(); };
        fits = fits && std::none_of(space_.widths.begin(), space_.widths.end(), empty) &&
               std::none_of(space_.depths.begin(), space_.depths.end(), empty);
        for (const ChannelGroup& group : space_.groups) {
            for (std::size_t i = 0; i < group.tensors.size(); ++i) {
                fits = fits && index(group.tensors[i]) < base_.tensors.size() &&
                       base_.tensors[index(group.tensors[i])].channels >= group.channels[i];
            }
        }
        if (!fits) throw InputError("the scaling space is of another network; make it for this one");
    }

    // ---- Channels ----

    // Where the channels that a slice keeps begin.
    ChannelSum first_of(std::size_t node) const {
        ChannelSum first;
        first.constant = base_.nodes[node].layer.first_channel;
        for (std::size_t g = 0; g < space_.groups.size(); ++g) {
            for (const SlicedBehind& slice : space_.groups[g].slices) {
                if (index(slice.node) != node) continue;
                first.constant -= slice.channels;
                first.of_group[g] += slice.channels;
            }
        }
        std::erase_if(first.of_group, [](const auto& term) { return term.second == 0; });
        return first;
    }

    ChannelAxis axis_of(const ChannelSum& channels) {
        // Frozen groups count as constant.
        ChannelSum free{channels.constant, {}};
        for (const auto& [group, number] : channels.of_group) {
            if (space_.widths[group].size() > 1) {
                free.of_group[group] = number;
            } else {
                free.constant +=
                    detail::channels_at_width(space_.groups[group], number, space_.widths[group].front());
            }
        }
        if (free.of_group.empty()) return {-1, {free.constant}};
        ChannelAxis axis = sum_of({free.of_group.begin(), free.of_group.end()});
        for (int& value : axis.channels) value += free.constant;
        return axis;
    }

    // Sums of the same first groups are shared: layers behind ever longer concats (DenseNet) add one group each.
    using Terms = std::vector<std::pair<std::size_t, int>>;
    ChannelAxis sum_of(const Terms& terms) {
        if (terms.size() == 1) {
            const auto& [group, channels] = terms.front();
            ChannelAxis axis{static_cast<int>(group), {}};
            for (const int width : space_.widths[group]) {
                axis.channels.push_back(detail::channels_at_width(space_.groups[group], channels, width));
            }
            return axis;
        }
        if (const auto known = sums_.find(terms); known != sums_.end()) return known->second;
        const ChannelAxis first = sum_of({terms.begin(), terms.end() - 1});
        const ChannelAxis second = sum_of({terms.end() - 1, terms.end()});
        std::set<int> values;
        for (const int a : first.channels) {
            for (const int b : second.channels) values.insert(a + b);
        }
        ChannelAxis axis{new_variable(values.size()), {values.begin(), values.end()}};
        std::vector<int> table;
        for (const int a : first.channels) {
            for (const int b : second.channels) {
                table.push_back(
                    static_cast<int>(std::lower_bound(axis.channels.begin(), axis.channels.end(), a + b) -
                                     axis.channels.begin()));
            }
        }
        result_.problem.derived.push_back(
            {axis.variable, first.variable, second.variable, derivation(std::move(table))});
        sums_.emplace(terms, axis);
        return axis;
    }

    int new_variable(std::size_t values) {
        result_.problem.values.push_back(static_cast<int>(values));
        return static_cast<int>(result_.problem.values.size()) - 1;
    }

    int derivation(std::vector<int> table) {
        const auto [known, is_new] = derivations_.try_emplace(table, derivations_.size());
        if (is_new) result_.problem.derivations.push_back(std::move(table));
        return static_cast<int>(known->second);
    }

    // ---- Blocks ----

    void add_blocks(std::size_t r) {
        const Repeat& repeat = space_.repeats[r];
        const std::vector<int>& depths = space_.depths[r];
        for (int block = 0; block < repeat.count; ++block) {
            const bool last = block + 1 == repeat.count;
            std::vector<int> copies_at;  // by depth
            for (const int depth : depths) {
                const int beyond = depth - block;
                copies_at.push_back(last ? std::max(0, beyond) : beyond > 0 ? 1 : 0);
            }
            BlockCopies copies;
            const std::set<int> distinct(copies_at.begin(), copies_at.end());
            if (distinct != std::set<int>{1}) {
                copies.copies.assign(distinct.begin(), distinct.end());
                copies.variable = new_variable(distinct.size());
                FactorTable table(copies_at.size() * distinct.size());
                CopiesByDepth by_depth{copies.variable, r, {}};
                for (std::size_t d = 0; d < copies_at.size(); ++d) {
                    const auto value =
                        std::lower_bound(copies.copies.begin(), copies.copies.end(), copies_at[d]) -
                        copies.copies.begin();
                    by_depth.values.push_back(static_cast<int>(value));
                    table[d * distinct.size() + static_cast<std::size_t>(value)].cost = 0;
                }
                result_.copies_by_depth.push_back(std::move(by_depth));
                result_.problem.tables.push_back(std::move(table));
                result_.problem.factors.push_back(
                    {{static_cast<int>(space_.groups.size() + r), copies.variable},
                     static_cast<int>(result_.problem.tables.size()) - 1});
            }
            blocks_.emplace(BlockPlace{r, block}, std::move(copies));
        }
    }

    const BlockCopies& copies_of(std::size_t node) const {
        static const BlockCopies once;
        const std::optional<BlockPlace> block = block_of_node(space_.repeats, static_cast<int>(node));
        return block ? blocks_.at(*block) : once;
    }

    // ---- Layers ----

    // What decides a layer's table.
    struct TableKey {
        LayerSpec layer;
        std::int64_t learned_params = 0;
        std::vector<int> read;
        std::vector<int> written;
        std::vector<int> first;
        std::vector<int> copies;
        std::vector<int> places;  // of the four variables among the factor's
        auto operator<=>(const TableKey&) const = default;
    };

    void add_node(std::size_t n) {
        const Node& node = base_.nodes[n];
        const ChannelAxis& read =
            result_.read.emplace_back(axis_of(detail::channels_read_by(node, tensors_)));
        const ChannelAxis& written =
            result_.written.emplace_back(axis_of(tensors_[index(node.outputs.front())]));
        const ChannelAxis first = axis_of(first_of(n));
        const BlockCopies& block = copies_of(n);
        const ChannelAxis copies{block.variable, block.variable < 0 ? std::vector<int>{1} : block.copies};
        std::vector<int> variables;
        TableKey key{
            node.layer, node.learned_params, read.channels, written.channels, first.channels, copies.channels,
            {}};
        for (const ChannelAxis* axis : {&copies, &read, &written, &first}) {
            if (axis->variable < 0) {
                key.places.push_back(-1);
                continue;
            }
            const auto at = std::find(variables.begin(), variables.end(), axis->variable);
            key.places.push_back(static_cast<int>(at - variables.begin()));
            if (at == variables.end()) variables.push_back(axis->variable);
        }
        const auto known = tables_.find(key);
        const int table = known != tables_.end() ? known->second : add_table(node, key, variables);
        if (known == tables_.end()) tables_.emplace(std::move(key), table);
        if (!variables.empty()) {
            result_.problem.factors.push_back({std::move(variables), table});
            return;
        }
        const BlockOption& entry = result_.problem.tables[index(table)].front();
        if (!entry.feasible()) {
            throw InputError(fmt::format(
                "the table lacks {}, which stays as it is at all widths; profile the network first",
                layer_text(node.name, node.layer)));
        }
        result_.problem.cost_offset += entry.cost;
        result_.problem.usage_offset.add(entry.usage);
    }

    int add_table(const Node& node, const TableKey& key, const std::vector<int>& variables) {
        std::vector<std::size_t> sizes;
        std::size_t entries = 1;
        for (const int variable : variables) {
            sizes.push_back(index(result_.problem.values[index(variable)]));
            entries *= sizes.back();
        }
        // The node on its own, between tensors that take every width.
        Graph alone;
        Node fitted = node;
        fitted.name.clear();
        fitted.inputs = {};
        for (const TensorId input : node.inputs) {
            alone.tensors.push_back(base_.tensors[index(input)]);
            fitted.inputs.push_back(static_cast<TensorId>(alone.tensors.size()) - 1);
        }
        alone.tensors.push_back(base_.tensors[index(node.outputs.front())]);
        fitted.outputs = {static_cast<TensorId>(alone.tensors.size()) - 1};
        const bool shares = operator_of(node.layer.kind).shares_channels;
        FactorTable table;
        table.reserve(entries);
        std::vector<std::size_t> values(sizes.size(), 0);
        const auto at = [&](std::size_t role, const std::vector<int>& numbers) {
            const int place = key.places[role];
            return numbers[place < 0 ? 0 : values[index(place)]];
        };
        for (std::size_t entry = 0; entry < entries; ++entry) {
            const int copies = at(0, key.copies);
            if (copies == 0) {
                table.push_back({0, 0, {}});
            } else {
                alone.tensors.front().channels = at(1, key.read);
                if (shares) {
                    for (int i = 1; i < node.layer.inputs; ++i) alone.tensors[index(i)].channels = 0;
                }
                alone.tensors.back().channels = at(2, key.written);
                Node now = fitted;
                now.layer.first_channel = at(3, key.first);
                table.push_back(cost_at(now, node.name, alone, copies));
            }
            for (std::size_t axis = sizes.size(); axis-- > 0;) {
                if (++values[axis] < sizes[axis]) break;
                values[axis] = 0;
            }
        }
        CostCoverage& coverage = result_.coverage;
        coverage.options += static_cast<std::int64_t>(table.size());
        coverage.infeasible_options += std::count_if(
            table.begin(), table.end(), [](const BlockOption& option) { return !option.feasible(); });
        result_.problem.tables.push_back(std::move(table));
        return static_cast<int>(result_.problem.tables.size()) - 1;
    }

    BlockOption cost_at(Node& node, const std::string& name, const Graph& alone, int copies) {
        try {
            detail::fit_to_tensors(node, alone, grouped_convs_, "at these widths");
        } catch (const InputError&) {
            return {};
        }
        BlockOption option = layers_.of(node, name);
        if (!option.feasible()) return option;
        option.cost *= copies;
        option.usage.params *= copies;
        option.usage.macs *= copies;
        option.usage.weight_bytes *= copies;
        return option;
    }

    const Graph& base_;
    const GraphSpace& space_;
    GraphCosts result_;
    LayerLookup layers_;
    std::vector<ChannelSum> tensors_;
    GroupedConvs grouped_convs_ = GroupedConvs::keep_width;
    std::map<Terms, ChannelAxis> sums_;
    std::map<std::vector<int>, std::size_t> derivations_;
    std::map<BlockPlace, BlockCopies> blocks_;
    std::map<TableKey, int> tables_;
};

}  // namespace

GraphCosts graph_costs(const Graph& base, const GraphSpace& space, const LatencySource& source,
                       const CostSettings& settings) {
    return CostMaker(base, space, source, settings).make();
}

GraphChoice choice_from(const GraphSpace& space, const Assignment& values) {
    GraphChoice choice;
    for (std::size_t r = 0; r < space.repeats.size(); ++r) {
        choice.depths.push_back(space.depths[r][values[space.groups.size() + r]]);
    }
    for (std::size_t g = 0; g < space.groups.size(); ++g) {
        choice.widths.push_back(space.is_gone(choice, g) ? space.groups[g].base_width
                                                         : space.widths[g][values[g]]);
    }
    return choice;
}

}  // namespace hacscale
