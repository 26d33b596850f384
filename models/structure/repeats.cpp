#include "models/structure/structure.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace hacscale {
namespace {

// What is between two cuts.
struct Segment {
    int begin = 0;  // nodes [begin, end)
    int end = 0;
    TensorId input = 0;
    TensorId output = 0;
    int kind = 0;           // equal for equal segments
    bool residual = false;  // what it reads is added to what it writes, so it keeps its shape

    int nodes() const { return end - begin; }
};

// Tensors that nodes up to some place have written or found, and later ones read, as the places go by.
class Crossing {
public:
    explicit Crossing(const Graph& graph) : graph_(graph), last_reader_(last_readers(graph)) {
        for (const TensorId tensor : graph.inputs) enter(tensor, no_node);
    }

    void pass(int node) {
        for (const TensorId tensor : graph_.nodes[static_cast<std::size_t>(node)].outputs)
            enter(tensor, node);
        std::erase_if(alive_, [&](TensorId tensor) { return last_reader_of(tensor) <= node; });
    }

    const std::vector<TensorId>& tensors() const { return alive_; }

private:
    int last_reader_of(TensorId tensor) const { return last_reader_[static_cast<std::size_t>(tensor)]; }
    void enter(TensorId tensor, int node) {
        if (last_reader_of(tensor) > node) alive_.push_back(tensor);
    }

    const Graph& graph_;
    std::vector<int> last_reader_;
    std::vector<TensorId> alive_;
};

// Numbers nodes by their layer and by what they read: equal numbers compute the same thing from a segment's input.
class NodeKinds {
public:
    // Of a segment, by the kinds of its nodes in any order: branches may run in either.
    int segment_kind(const Graph& graph, const Segment& segment) {
        std::map<TensorId, Source> source_of{{segment.input, {}}};
        std::vector<int> nodes;
        for (int n = segment.begin; n < segment.end; ++n) {
            const Node& node = graph.nodes[static_cast<std::size_t>(n)];
            std::vector<Source> read;
            for (const TensorId tensor : node.inputs) read.push_back(source_of.at(tensor));
            nodes.push_back(number(nodes_, {node.layer, std::move(read)}));
            int place = 0;
            for (const TensorId tensor : node.outputs) source_of[tensor] = {nodes.back(), place++};
        }
        std::sort(nodes.begin(), nodes.end());
        // Nobody may read what equal nodes write, and another tensor goes on.
        return number(segments_, {std::move(nodes), source_of.at(segment.output)});
    }

private:
    // What wrote a tensor: the node's kind, 0 for the segment's input, and the place among its outputs.
    using Source = std::pair<int, int>;

    template <typename Key>
    static int number(std::map<Key, int>& numbers, Key key) {
        return numbers.try_emplace(std::move(key), static_cast<int>(numbers.size()) + 1).first->second;
    }

    std::map<std::pair<LayerSpec, std::vector<Source>>, int> nodes_;
    std::map<std::pair<std::vector<int>, Source>, int> segments_;
};

std::vector<Segment> segments_of(const Graph& graph) {
    std::vector<Segment> segments;
    NodeKinds kinds;
    Crossing crossing(graph);
    std::optional<Segment> open;
    const auto begin_at = [&](int node) {
        open.reset();
        if (crossing.tensors().size() != 1) return;
        open.emplace();
        open->begin = node;
        open->input = crossing.tensors().front();
    };
    begin_at(0);
    for (int n = 0; n < static_cast<int>(graph.nodes.size()); ++n) {
        crossing.pass(n);
        if (crossing.tensors().size() != 1) continue;
        if (open) {
            open->end = n + 1;
            open->output = crossing.tensors().front();
            open->kind = kinds.segment_kind(graph, *open);
            const Node& last = graph.nodes[static_cast<std::size_t>(n)];
            open->residual = last.layer.residual && last.residual_input() == open->input &&
                             last.outputs.front() == open->output;
            segments.push_back(*open);
        }
        begin_at(n + 1);
    }
    return segments;
}

// Segments [begin, begin + unit * count) are `count` times the same `unit` of them.
struct Run {
    std::size_t begin = 0;
    std::size_t unit = 0;
    std::size_t count = 0;
    std::size_t covered() const { return unit * count; }
};

class RunSearch {
public:
    explicit RunSearch(const std::vector<Segment>& segments) : segments_(segments) {}

    // The run that covers most comes first, then what is before and after it.
    void search(std::size_t begin, std::size_t end, std::vector<Run>& found) const {
        Run best;
        for (std::size_t at = begin; at < end && end - at >= best.covered(); ++at) {
            for (std::size_t unit = 1; at + 2 * unit <= end; ++unit) {
                const Run run = run_at(at, unit, end);
                const bool longer = run.covered() > best.covered();
                if (longer || (run.covered() == best.covered() && run.unit < best.unit)) best = run;
            }
        }
        if (best.count == 0) {
            for (std::size_t at = begin; at < end; ++at) {
                if (segments_[at].residual) found.push_back({at, 1, 1});
            }
            return;
        }
        search(begin, best.begin, found);
        found.push_back(best);
        search(best.begin + best.covered(), end, found);
    }

private:
    // Without a count where the unit does not follow itself.
    Run run_at(std::size_t at, std::size_t unit, std::size_t end) const {
        std::size_t equal = 0;
        while (at + unit + equal < end && follows(at + equal, at + unit + equal)) ++equal;
        const std::size_t count = 1 + equal / unit;
        return count > 1 ? Run{at, unit, count} : Run{};
    }

    bool follows(std::size_t a, std::size_t b) const { return segments_[a].kind == segments_[b].kind; }

    const std::vector<Segment>& segments_;
};

}  // namespace

std::vector<Repeat> repeats(const Graph& graph) {
    const std::vector<Segment> segments = segments_of(graph);
    std::vector<Run> runs;
    RunSearch(segments).search(0, segments.size(), runs);
    std::vector<Repeat> found;
    for (const Run& run : runs) {
        Repeat& repeat = found.emplace_back();
        repeat.first_node = segments[run.begin].begin;
        repeat.block_nodes = segments[run.begin + run.unit - 1].end - repeat.first_node;
        repeat.count = static_cast<int>(run.count);
        repeat.input = segments[run.begin].input;
        repeat.output = segments[run.begin + run.covered() - 1].output;
        repeat.name = graph.nodes[static_cast<std::size_t>(repeat.first_node)].name;
    }
    return found;
}

std::optional<BlockPlace> block_of_node(const std::vector<Repeat>& repeats, int node) {
    for (std::size_t r = 0; r < repeats.size(); ++r) {
        const int from_first = node - repeats[r].first_node;
        if (from_first >= 0 && from_first < repeats[r].block_nodes * repeats[r].count) {
            return BlockPlace{r, from_first / repeats[r].block_nodes};
        }
    }
    return std::nullopt;
}

std::optional<BlockPlace> block_of_group(const std::vector<Repeat>& repeats, const ChannelGroup& group) {
    std::set<std::optional<BlockPlace>> places;
    for (const std::vector<int>* nodes : {&group.producers, &group.readers}) {
        for (const int node : *nodes) places.insert(block_of_node(repeats, node));
    }
    return places.size() == 1 ? *places.begin() : std::nullopt;
}

}  // namespace hacscale
