#include <gmock/gmock.h>

#include <cstdlib>

#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"
#include "program_fixture.hpp"
#include "tests/models/generated.hpp"
#include "training/weights_file.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A Python that has these modules; empty where there is none.
std::string python_with(const std::string& modules) {
    for (const std::string candidate : {"python3", "/usr/bin/python3"}) {
        if (std::system((candidate + " -c 'import " + modules + "' >/dev/null 2>&1").c_str()) == 0) {
            return candidate;
        }
    }
    return "";
}

const std::string& python_with_torch() {
    static const std::string found = python_with("torch");
    return found;
}

std::string model_of_stages(const std::string& first, const std::string& second) {
    const std::string stage = ", block: conv, width: 8, depth: 1}\n";
    return "name: m\ninput: {channels: 3, resolution: 32}\nclasses: 10\nstages:\n  - {name: " + first +
           stage + "  - {name: " + second + stage + "head:\n  - global_avg_pool\n  - linear: {}\n";
}

class ModelsExportTest : public ProgramTest {
protected:
    // The job of tests/cli/check_pytorch_code.py for a model, with its code written.
    nlohmann::json job(const std::string& model, const std::string& name) const {
        const Answer answer = call({"models", "export", model, "--out", path(name + ".py"), "--json"});
        EXPECT_EQ(answer.status, 0) << answer.err;
        const ModelSpec spec = find_model(model);
        return {{"file", path(name + ".py")},
                {"class", answer.json()["class"]},
                {"input", {spec.in_channels, spec.resolution, spec.input_pixels_across()}}};
    }

    nlohmann::json run_in_python(const nlohmann::json& jobs) const {
        const std::string command =
            python_with_torch() + " " HACSCALE_SOURCE_DIR "/tests/cli/check_pytorch_code.py '" +
            write("jobs.json", jobs.dump()) + "' '" + path("answers.json") + "' 2>'" + path("messages") + "'";
        const int status = std::system(command.c_str());
        EXPECT_EQ(status, 0) << std::ifstream(path("messages")).rdbuf();
        return status == 0 ? nlohmann::json::parse(std::ifstream(path("answers.json"))) : nlohmann::json();
    }
};

void expect_equal(const nlohmann::json& found, const ModelSpec& model) {
    const Graph network = lower(model);
    EXPECT_EQ(found["params"], network.params()) << model.name;
    EXPECT_EQ(found["macs"], network.macs()) << model.name;
    for (const double epsilon : found["epsilons"]) EXPECT_EQ(epsilon, model.batch_norm_epsilon) << model.name;
    EXPECT_LT(found["refusal"].get<std::string>().size(), 400U) << found["refusal"];
    const std::vector<WeightTensor> tensors = weight_tensors(network);
    EXPECT_EQ(found["folded"].size(), tensors.size()) << model.name;
    for (const WeightTensor& tensor : tensors) {
        ASSERT_TRUE(found["folded"].contains(tensor.name)) << model.name << " " << tensor.name;
        EXPECT_EQ(found["folded"][tensor.name], tensor.shape) << model.name << " " << tensor.name;
    }
}

TEST_F(ModelsExportTest, WritesCodeIntoAFileOrTheAnswer) {
    const Answer code = call({"models", "export", "resnet20-cifar"});
    ASSERT_EQ(code.status, 0) << code.err;
    EXPECT_THAT(code.out, HasSubstr("class Resnet20Cifar(nn.Module):"));
    const Answer file = call({"models", "export", "resnet20-cifar", "--out", path("net.py")});
    ASSERT_EQ(file.status, 0) << file.err;
    EXPECT_THAT(file.out, HasSubstr(path("net.py")));
    std::stringstream written;
    written << std::ifstream(path("net.py")).rdbuf();
    EXPECT_EQ(written.str(), code.out);
    const auto json = call({"models", "export", "resnet20-cifar", "--json"}).json();
    const Graph network = lower(find_model("resnet20-cifar"));
    EXPECT_EQ(json["code"], code.out);
    EXPECT_EQ(json["class"], "Resnet20Cifar");
    EXPECT_EQ(json["params"], network.params());
    EXPECT_EQ(json["macs"], network.macs());
    EXPECT_EQ(json["model_hash"], model_hash(find_model("resnet20-cifar")));
}

TEST_F(ModelsExportTest, TextOfTheModelStaysInComments) {
    ModelSpec model = find_model("resnet8-cifar");
    model.source = "\"\"\" a source: with 'quotes', \\ and # signs";
    const Answer answer = call({"models", "export", write("m.yaml", to_yaml(model))});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("\n# Source: " + model.source + "\n"));
}

TEST_F(ModelsExportTest, RefusesWhatIsWrong) {
    const Answer unknown = call({"models", "export", "resnet81"});
    EXPECT_EQ(unknown.status, 2);
    EXPECT_THAT(unknown.err, HasSubstr("resnet18"));
    EXPECT_EQ(call({"models", "export", "resnet18", "--format", "keras"}).status, 2);
    EXPECT_EQ(call({"models", "export"}).status, 2);
    const Answer no_folder = call({"models", "export", "resnet18", "--out", path("none/net.py")});
    EXPECT_EQ(no_folder.status, 1);
    EXPECT_EQ(no_folder.out, "");
    for (const auto& [first, second] :
         {std::pair("a", "a.block1.conv"), std::pair("a.block1.conv", "a"), std::pair("a.", "b")}) {
        const Answer clash = call({"models", "export", write("m.yaml", model_of_stages(first, second))});
        EXPECT_EQ(clash.status, 2) << first << " " << second;
        EXPECT_THAT(clash.err, HasSubstr("rename its stage"));
    }
}

TEST_F(ModelsExportTest, TheZooHasEqualParamsAndMacsInPyTorch) {
    if (python_with_torch().empty()) GTEST_SKIP() << "no python3 here has torch";
    nlohmann::json jobs = nlohmann::json::array();
    for (const std::string& name : zoo_names()) {
        jobs.push_back(job(name, name));
    }
    const nlohmann::json answers = run_in_python(jobs);
    ASSERT_EQ(answers.size(), jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const ModelSpec model = find_model(zoo_names()[i]);
        expect_equal(answers[i], model);
        EXPECT_EQ(answers[i]["output"], nlohmann::json({model.classes}));
    }
}

TEST_F(ModelsExportTest, PyTorchComputesWhatTheReferenceComputes) {
    if (python_with_torch().empty()) GTEST_SKIP() << "no python3 here has torch";
    hacscale::testing::Generator generator(5);
    std::vector<ModelSpec> models{find_model("resnet8-cifar")};
    // Names of stages that are no names in Python.
    models.push_back(parse_model(model_of_stages("class", "a-b@1"), "test"));
    while (models.size() < 25) {
        const ModelSpec model = generator.model();
        try {
            if (lower(model).macs() < 20'000'000) models.push_back(model);
        } catch (const InputError&) {
            // A map shrunk to nothing, or a kernel that does not go with a residual.
        }
    }
    nlohmann::json jobs = nlohmann::json::array();
    std::vector<std::vector<float>> inputs;
    for (std::size_t i = 0; i < models.size(); ++i) {
        const std::string name = std::to_string(i);
        const Graph network = lower(models[i]);
        jobs.push_back(job(write(name + ".yaml", to_yaml(models[i])), name));
        write_weights(path(name + ".safetensors"), models[i], random_weights(network, i));
        inputs.push_back(random_values(static_cast<std::size_t>(models[i].in_channels) *
                                           models[i].resolution * models[i].input_pixels_across(),
                                       i + 1));
        jobs.back()["weights"] = path(name + ".safetensors");
        jobs.back()["values"] = write(
            name + ".in",
            std::string(reinterpret_cast<const char*>(inputs[i].data()), inputs[i].size() * sizeof(float)));
        jobs.back()["output"] = path(name + ".out");
    }
    const nlohmann::json answers = run_in_python(jobs);
    ASSERT_EQ(answers.size(), jobs.size());
    for (std::size_t i = 0; i < models.size(); ++i) {
        const Graph network = lower(models[i]);
        expect_equal(answers[i], models[i]);
        std::vector<double> expected;
        for (const std::vector<double>& output :
             reference_graph(network, 1, {inputs[i]}, random_weights(network, i))) {
            expected.insert(expected.end(), output.begin(), output.end());
        }
        std::vector<float> found(expected.size());
        std::ifstream stream(path(std::to_string(i) + ".out"), std::ios::binary);
        ASSERT_TRUE(stream.read(reinterpret_cast<char*>(found.data()),
                                static_cast<std::streamsize>(found.size() * sizeof(float))))
            << to_yaml(models[i]);
        EXPECT_LT(relative_error(found, expected), 1e-4) << to_yaml(models[i]);
    }
}

TEST_F(ModelsExportTest, WeightsThatDoNotFitAreRefusedInOneSentence) {
    if (python_with_torch().empty()) GTEST_SKIP() << "no python3 here has torch";
    const nlohmann::json answers = run_in_python(nlohmann::json::array({job("resnet50", "net")}));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0]["refusal"],
              "these weights do not fit Resnet50: 53 of its 108 tensors are missing, the first is "
              "stem.conv1.bias; 265 are none of its tensors, the first is stem.conv1_bn.weight");
}

TEST_F(ModelsExportTest, BatchNormsHaveTheModelsEpsilon) {
    ModelSpec model = find_model("resnet8-cifar");
    EXPECT_THAT(pytorch_code(model), Not(HasSubstr("eps=")));
    model.batch_norm_epsilon = 1e-3;
    EXPECT_THAT(pytorch_code(model), HasSubstr("nn.BatchNorm2d(channels, eps=0.001)"));
}

TEST_F(ModelsExportTest, NamesThatPyTorchHasForItselfGetAnUnderscore) {
    const Answer answer = call({"models", "export", write("m.yaml", model_of_stages("train", "_modules"))});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("self.add_module(\"train_\","));
    EXPECT_THAT(answer.out, HasSubstr("get_submodule(\"_modules_.block1\")"));
}

// ---- ONNX ----

Network exported(const std::string& file) {
    Network network = find_network(file);
    EXPECT_TRUE(network.left_out.empty()) << file;
    return network;
}

TEST_F(ModelsExportTest, TheEndingOfTheFileSaysThatItIsOnnx) {
    const Answer answer =
        call({"models", "export", "resnet8-cifar", "--out", path("net.onnx"), "--seed", "3"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("net.onnx: resnet8-cifar in opset 17"));
    EXPECT_THAT(answer.out, HasSubstr("random weights of seed 3"));
    const Network network = exported(path("net.onnx"));
    const Graph expected = lower(find_model("resnet8-cifar"));
    EXPECT_EQ(network.graph.nodes.size(), expected.nodes.size());
    EXPECT_EQ(network.graph.macs(), expected.macs());
    EXPECT_EQ(network.weights.front().weights, random_weights(expected, 3).front().weights);
    const Answer old = call({"models", "export", "resnet8-cifar", "--out", path("old"), "--format", "onnx",
                             "--opset", "9", "--json"});
    ASSERT_EQ(old.status, 0) << old.err;
    EXPECT_EQ(old.json()["opset"], 9);
    EXPECT_EQ(old.json()["out"], path("old"));
    EXPECT_EQ(old.json()["params"], expected.params());
}

TEST_F(ModelsExportTest, AnOnnxFileHasTheWeightsThatAreGiven) {
    const ModelSpec model = find_model("resnet8-cifar");
    const std::vector<LayerWeights> weights = random_weights(lower(model), 8);
    write_weights(path("w.safetensors"), model, weights);
    const Answer given = call(
        {"models", "export", "resnet8-cifar", "--out", path("net.onnx"), "--weights", path("w.safetensors")});
    ASSERT_EQ(given.status, 0) << given.err;
    EXPECT_THAT(given.out, HasSubstr("w.safetensors"));
    // A file's own weights go on into the next one.
    const Answer again =
        call({"models", "export", path("net.onnx"), "--out", path("again.onnx"), "--opset", "13"});
    ASSERT_EQ(again.status, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("the file's weights"));
    const Network network = exported(path("again.onnx"));
    for (std::size_t i = 0; i < weights.size(); ++i) {
        EXPECT_EQ(network.weights[i].weights, weights[i].weights);
        EXPECT_EQ(network.weights[i].bias, weights[i].bias);
    }
}

TEST_F(ModelsExportTest, RefusesWhatDoesNotGoWithTheFormat) {
    const auto refusal = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"models", "export"});
        const Answer answer = call(arguments);
        EXPECT_EQ(answer.status, 2) << answer.out;
        return answer.err;
    };
    ASSERT_EQ(call({"models", "export", "resnet8-cifar", "--out", path("net.onnx")}).status, 0);
    EXPECT_THAT(refusal({"resnet8-cifar", "--format", "onnx"}), HasSubstr("--out"));
    EXPECT_THAT(refusal({"resnet8-cifar", "--opset", "13"}), HasSubstr("--opset is for ONNX files"));
    EXPECT_THAT(refusal({"resnet8-cifar", "--seed", "2", "--out", path("net.py")}), HasSubstr("--seed"));
    EXPECT_THAT(refusal({"resnet8-cifar", "--out", path("x.onnx"), "--opset", "8"}), HasSubstr("9"));
    EXPECT_THAT(refusal({path("net.onnx"), "--out", path("x.onnx"), "--weights", path("w")}),
                HasSubstr("has its own weights"));
    EXPECT_THAT(refusal({path("net.onnx")}), HasSubstr("stages"));
    EXPECT_FALSE(std::filesystem::exists(path("x.onnx")));
}

TEST_F(ModelsExportTest, OnnxRuntimeComputesWhatTheReferenceComputes) {
    const std::string python = python_with("numpy, onnx, onnxruntime");
    if (python.empty()) GTEST_SKIP() << "no python3 here has onnx and onnxruntime";
    nlohmann::json jobs = nlohmann::json::array();
    std::vector<Network> networks;
    for (const std::string name : {"resnet8-cifar", "mobilenetv3-small-0.75"}) {
        ModelSpec model = find_model(name);
        model.resolution = 16;
        const std::string yaml = write(name + ".yaml", to_yaml(model));
        for (const char* const opset : {"9", "17"}) {
            const std::string file = path(name + opset + ".onnx");
            ASSERT_EQ(call({"models", "export", yaml, "--out", file, "--opset", opset}).status, 0);
            networks.push_back(exported(file));
            const std::vector<float> input = random_inputs(networks.back().graph, 1, 1).front();
            const std::string values(reinterpret_cast<const char*>(input.data()),
                                     input.size() * sizeof(float));
            jobs.push_back({{"file", file},
                            {"values", write(name + opset + ".in", values)},
                            {"output", path(name + opset + ".out")}});
        }
    }
    const std::string command = python + " " HACSCALE_SOURCE_DIR "/tests/cli/check_onnx.py '" +
                                write("onnx.json", jobs.dump()) + "' 2>'" + path("messages") + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << std::ifstream(path("messages")).rdbuf();
    for (std::size_t i = 0; i < networks.size(); ++i) {
        const Graph& graph = networks[i].graph;
        const std::vector<double> expected =
            reference_graph(graph, 1, random_inputs(graph, 1, 1), networks[i].weights).front();
        std::vector<float> found(expected.size());
        std::ifstream stream(jobs[i]["output"].get<std::string>(), std::ios::binary);
        ASSERT_TRUE(stream.read(reinterpret_cast<char*>(found.data()),
                                static_cast<std::streamsize>(found.size() * sizeof(float))));
        EXPECT_LT(relative_error(found, expected), 1e-4) << jobs[i]["file"];
    }
}

}  // namespace
}  // namespace hacscale::cli
