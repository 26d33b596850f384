// Scores of a small network's channel groups and repeated blocks.
#include "models/stages/lowering.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/unit_scores.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {

void fuzz_scores(std::string_view bytes) {
    static const Graph graph = lower(find_model("resnet20-cifar"));
    static const std::vector<ChannelGroup> groups = channel_groups(graph);
    static const std::vector<Repeat> blocks = repeats(graph);
    const std::filesystem::path file = file_with(bytes, "scores.json");
    const auto scores = accepted(bytes, [&] { return read_scores(file, groups, blocks); });
    if (!scores) return;
    require(scores->unit_scores.size() == groups.size(), "scores lack groups");
}

}  // namespace hacscale::fuzzing
