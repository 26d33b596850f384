// bench/peers and bench/across_devices.py, with a module in PyTorch's place whose GPU takes 100 us for an inference and 5 us
// to start a graph.
#include <gmock/gmock.h>

#include <regex>

#include "tests/bench/gpu_check.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Peers : public GpuCheck {
protected:
    Peers() {
        // Of 22 layers: three inferences are a graph.
        program("hacscale",
                "python3 -c 'import json; print(json.dumps({\"in_channels\": 3, \"resolution\": 8, "
                "\"graph\": 22 * "
                "[{\"kind\": \"max_pool\", \"kernel\": 3, \"stride\": 1, \"padding\": 1, \"input\": -1, "
                "\"residual\": "
                "None, \"activation\": \"relu\"}]}))'");
        program("bench/time_network", "echo ready; while read -r; do echo 50.0 10; done");
    }
    Answer python(const std::string& script, const std::string& environment = "") const {
        return answer_of(
            "cd '" + folder_.path().string() +
            "' && PYTHONPATH='" HACSCALE_SOURCE_DIR
            "/tests/bench/stand_in' TORCH_CALLS=torch.txt PATH=\"$PWD/build:$PWD/build/bench:$PATH\" " +
            environment + " python3 " HACSCALE_SOURCE_DIR "/bench/" + script);
    }
    std::string torch_calls() const { return text_of(folder_ / "torch.txt"); }
};

TEST_F(Peers, EitherPeerIsAGraphOfAsManyInferencesAsOurs) {
    const Answer answer =
        python("peers/compare_pytorch.py --quick --rounds 1 --seconds 0.01 --out p.jsonl resnet18");
    EXPECT_EQ(answer.status, 0) << answer.text;
    EXPECT_THAT(answer.text, HasSubstr("graph: PyTorch eager in a CUDA graph, PyTorch 0.0-stand-in"));
    EXPECT_EQ(
        torch_calls(),
        "network in float16, tf32 False, benchmark True\ngraph of 3\n"
        "network in float16, tf32 False, benchmark True\ncompile max-autotune-no-cudagraphs\ngraph of 3\n");
    // 305 us a graph.
    const std::string rows = text_of(folder_ / "p.jsonl");
    EXPECT_THAT(rows, HasSubstr("\"peer_us\": 101.667, \"ratio\": 2.03"));
    EXPECT_THAT(rows, HasSubstr("\"peer_name\": \"torch.compile in a CUDA graph\""));

    const Answer again =
        python("peers/compare_pytorch.py --quick --rounds 1 --seconds 0.01 --out p.jsonl resnet18");
    EXPECT_EQ(again.status, 0);
    EXPECT_EQ(text_of(folder_ / "p.jsonl"), rows) << "finished cases are not run again";
}

TEST_F(Peers, OurNumberOfLayersAGraphIsThePeers) {
    const auto number_in = [](const std::string& file, const std::string& pattern) {
        const std::string text = text_of(std::string(HACSCALE_SOURCE_DIR "/") + file);
        std::smatch found;
        return std::regex_search(text, found, std::regex(pattern)) ? found[1].str() : file + " has none";
    };
    EXPECT_EQ(number_in("bench/peers/pytorch_network.py", "LAYERS_A_START = ([0-9]+)"),
              number_in("kernels/cuda/cuda_network_runner.cpp", "layers_a_start = ([0-9]+);"));
}

TEST_F(Peers, TF32AndBatchesAreChosen) {
    const Answer answer = python(
        "peers/compare_pytorch.py --dtypes tf32 --batches 1,64 --peer graph --rounds 1 --seconds 0.01 "
        "resnet18");
    EXPECT_EQ(answer.status, 0) << answer.text;
    EXPECT_THAT(answer.text, HasSubstr("resnet18 b64 tf32 graph"));
    EXPECT_THAT(torch_calls(), HasSubstr("network in float32, tf32 True"));
    EXPECT_THAT(torch_calls(), Not(HasSubstr("float16")));
}

TEST_F(Peers, WithoutPyTorchTheStatusSaysSo) {
    const Answer answer = python("peers/compare_pytorch.py --quick", "TORCH_NO_GPU=1");
    EXPECT_EQ(answer.status, 3);
    EXPECT_THAT(answer.text, HasSubstr("no PyTorch that sees a GPU"));
}

TEST_F(Peers, ChoicesOfAnotherDeviceAreMeasuredAgainstTheirBudgets) {
    std::ofstream(folder_ / "compare.json")
        << R"({"model": "net", "budget": 1.065, "base": {"spec": "name: net\n"},
        "strategies": [{"strategy": "uniform", "latency_ratio": 1.05, "spec": "name: net\n"},
                       {"strategy": "hacscale", "latency_ratio": 1.06, "spec": "name: net\nclasses: 10\n"}]})";
    const Answer models = python("across_devices.py models compare.json --out choices");
    EXPECT_EQ(models.status, 0) << models.text;
    EXPECT_EQ(text_of(folder_ / "choices" / "net.base.yaml"), "name: net.base\n");
    EXPECT_EQ(text_of(folder_ / "choices" / "net.hacscale.1.065.yaml"),
              "name: net.hacscale.1.065\nclasses: 10\n");

    std::ofstream(folder_ / "here.json") << R"({"models": [{"model": "net.base", "measured_us": 100},
                                                            {"model": "net.hacscale.1.065", "measured_us": 109}]})";
    const Answer kept = python("across_devices.py kept choices here.json");
    EXPECT_EQ(kept.status, 0) << kept.text;
    EXPECT_THAT(kept.text, HasSubstr("1.060   1.090   yes, no"));
    EXPECT_THAT(kept.text, HasSubstr("of 1 choices, 1 kept their budget there and 0 keep it here"));

    std::ofstream(folder_ / "here.json") << R"({"models": []})";
    EXPECT_EQ(python("across_devices.py kept choices here.json").status, 4) << "a choice was not measured";
}

// The H200's two suites have rows in common, measured on two GPUs.
TEST_F(Peers, RowsOfTwoTablesAreComparedByTheirKeys) {
    const std::string results = HACSCALE_SOURCE_DIR "/results/nvidia-h200/paper-budgets-gpu";
    const Answer same = python("across_devices.py rows " + results + "/table.db " + results + "/table.db");
    EXPECT_EQ(same.status, 0) << same.text;
    EXPECT_THAT(same.text, ::testing::ContainsRegex("all +[0-9]+ +1.000 +1.000 +1.000 +1.000"));
    const Answer other =
        python("across_devices.py rows " + results + "/table.db " + results + "-wide/table.db");
    EXPECT_THAT(other.text, HasSubstr("rows are in both tables"));
    EXPECT_THAT(other.text, HasSubstr("squeeze_excite"));
}

}  // namespace
}  // namespace hacscale
