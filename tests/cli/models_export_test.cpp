#include <gmock/gmock.h>

#include <cstdlib>

#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "program_fixture.hpp"
#include "tests/models/generated.hpp"
#include "training/weights_file.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A Python that has torch; empty where there is none.
const std::string& python_with_torch() {
    static const std::string found = [] {
        for (const std::string candidate : {"python3", "/usr/bin/python3"}) {
            if (std::system((candidate + " -c 'import torch' >/dev/null 2>&1").c_str()) == 0) {
                return candidate;
            }
        }
        return std::string();
    }();
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
                {"input", {spec.in_channels, spec.resolution, spec.resolution}}};
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
        inputs.push_back(random_values(
            static_cast<std::size_t>(models[i].in_channels) * models[i].resolution * models[i].resolution,
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
        const std::vector<double> expected =
            reference_graph(network, 1, {inputs[i]}, random_weights(network, i)).front();
        std::vector<float> found(expected.size());
        std::ifstream stream(path(std::to_string(i) + ".out"), std::ios::binary);
        ASSERT_TRUE(stream.read(reinterpret_cast<char*>(found.data()),
                                static_cast<std::streamsize>(found.size() * sizeof(float))))
            << to_yaml(models[i]);
        EXPECT_LT(relative_error(found, expected), 1e-4) << to_yaml(models[i]);
    }
}

TEST_F(ModelsExportTest, NamesThatPyTorchHasForItselfGetAnUnderscore) {
    const Answer answer = call({"models", "export", write("m.yaml", model_of_stages("train", "_modules"))});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("self.add_module(\"train_\","));
    EXPECT_THAT(answer.out, HasSubstr("get_submodule(\"_modules_.block1\")"));
}

}  // namespace
}  // namespace hacscale::cli
