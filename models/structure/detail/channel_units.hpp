// The units of a graph's channels (models/structure/structure.hpp): which channels of all tensors are tied.
#pragma once

#include <vector>

#include "models/graph/graph.hpp"
#include "models/structure/structure.hpp"

namespace hacscale::detail {

// Neighbouring channels of one unit.
struct UnitRun {
    int unit = 0;
    int first = 0;
    int channels = 0;
};

class ChannelUnits {
public:
    ChannelUnits(const Graph& graph, const GroupRules& rules);

    // A number below size(); equal for channels that are tied.
    int unit_of(TensorId tensor, int channel) { return root(at(tensor, channel)); }
    int size() const { return static_cast<int>(parent_.size()); }
    // Its number of channels cannot change.
    bool is_given(int unit) const { return given_[static_cast<std::size_t>(unit)]; }
    // All channels of a tensor, in their order.
    const std::vector<UnitRun>& runs_of(TensorId tensor) const {
        return runs_[static_cast<std::size_t>(tensor)];
    }

private:
    int channels_of(TensorId tensor) const {
        return graph_.tensors[static_cast<std::size_t>(tensor)].channels;
    }
    int at(TensorId tensor, int channel) const { return first_[static_cast<std::size_t>(tensor)] + channel; }
    int root(int channel);
    void merge(int a, int b) { parent_[static_cast<std::size_t>(root(b))] = root(a); }
    void merge_channels(TensorId a, TensorId b);
    void merge_parts(TensorId tensor, int parts);
    void cut_before(TensorId tensor, int channel);
    void give(TensorId tensor) { given_tensors_.push_back(tensor); }

    void tie(const Node& node);
    void tie_groups(const Node& node);
    void tie_moved(const Node& node);
    void tie_shared_modules();
    void tie_equal_slices();
    void find_runs();

    const Graph& graph_;
    GroupRules rules_;
    std::vector<int> first_;  // by tensor, its first channel among all
    std::vector<int> parent_;
    std::vector<bool>
        cut_;  // by channel: a layer parts it from the one before, so that no unit may hold both
    std::vector<TensorId> given_tensors_;
    std::vector<bool> given_;
    std::vector<std::vector<UnitRun>> runs_;
};

// Whether the layer's groups keep their number when its widths change; of a layer without groups of several channels, false.
bool keeps_group_count(const LayerSpec& layer, GroupedConvs grouped_convs);

// Gives a layer the channels of the tensors that its node reads and writes in `graph`, and counts its parameters anew.
// Throws InputError, which names `where` and the node, if no such layer can run.
void fit_to_tensors(Node& node, const Graph& graph, GroupedConvs grouped_convs, const std::string& where);

}  // namespace hacscale::detail
