#include "training/weights_file.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::read_bytes;
using hacscale::testing::small_model;
using hacscale::testing::TempFolder;
using hacscale::testing::write_bytes;
using ::testing::HasSubstr;

bool equal(const LayerWeights& a, const LayerWeights& b) {
    return a.weights == b.weights && a.bias == b.bias && a.weights2 == b.weights2 && a.bias2 == b.bias2;
}

class WeightsFile : public ::testing::Test {
protected:
    WeightsFile() { write_weights(file_, model_, weights_); }

    std::string unsupported_reason(const ModelSpec& model) {
        return error_of<InputError>([&] { read_weights(file_, model); });
    }
    std::string unsupported_reason() { return unsupported_reason(model_); }

    nlohmann::ordered_json header() const {
        const std::string bytes = read_bytes(file_);
        std::uint64_t length = 0;
        std::memcpy(&length, bytes.data(), 8);
        return nlohmann::ordered_json::parse(bytes.substr(8, length));
    }
    // The same numbers under another header.
    void replace_header(const std::string& text) {
        const std::string bytes = read_bytes(file_);
        std::uint64_t length = 0;
        std::memcpy(&length, bytes.data(), 8);
        const std::string numbers = bytes.substr(8 + length);
        length = text.size();
        write_bytes(file_, std::string(reinterpret_cast<const char*>(&length), 8) + text + numbers);
    }

    TempFolder temp_;
    const std::filesystem::path file_ = temp_ / "w.safetensors";
    const ModelSpec model_ = small_model();
    const std::vector<LayerWeights> weights_ = random_weights(lower(model_), 3);
};

TEST_F(WeightsFile, GivesBackEveryNumber) {
    const std::vector<LayerWeights> read = read_weights(file_, model_);
    ASSERT_EQ(read.size(), weights_.size());
    for (std::size_t i = 0; i < read.size(); ++i) EXPECT_TRUE(equal(read[i], weights_[i])) << i;
    for (const auto& entry : std::filesystem::directory_iterator(temp_.path())) {
        EXPECT_EQ(entry.path(), file_) << "a temporary file was left";
    }
}

TEST_F(WeightsFile, TheLayoutFitsEveryNetworkOfTheZoo) {
    for (const std::string& name : zoo_names()) {
        const Graph network = lower(find_model(name));
        std::int64_t elements = 0;
        std::set<std::string> names;
        for (const WeightTensor& tensor : weight_tensors(network)) {
            elements += tensor.elements();
            EXPECT_TRUE(names.insert(tensor.name).second) << name << " " << tensor.name;
        }
        EXPECT_EQ(elements * 4, network.weight_bytes(DataType::f32)) << name;
    }
}

TEST_F(WeightsFile, IsASafetensorsFile) {
    const auto read = header();
    EXPECT_EQ(read["__metadata__"]["model_hash"], model_hash(model_));
    const auto& tensor =
        read["stem.conv1.weight"].is_null() ? read["stem.conv.weight"] : read["stem.conv1.weight"];
    EXPECT_EQ(tensor["dtype"], "F32");
    EXPECT_EQ(tensor["shape"], nlohmann::ordered_json({8, 3, 3, 3}));
    std::int64_t end = 0;
    for (const auto& [name, entry] : read.items()) {
        if (name == "__metadata__") continue;
        EXPECT_EQ(entry["data_offsets"][0], end) << name;  // no holes
        end = entry["data_offsets"][1];
    }
    EXPECT_EQ((std::filesystem::file_size(file_) - static_cast<std::uintmax_t>(end)) % 8, 0U);
}

TEST_F(WeightsFile, RefusesAnotherModel) {
    ModelSpec other = model_;
    other.classes = 11;
    EXPECT_THAT(unsupported_reason(other), HasSubstr("weights of the model small"));
    EXPECT_THAT(error_of<InputError>([&] { write_weights(file_, model_, {}); }), HasSubstr("layers"));
    std::vector<LayerWeights> shorter = weights_;
    shorter[0].weights.pop_back();
    EXPECT_THAT(error_of<InputError>([&] { write_weights(file_, model_, shorter); }),
                HasSubstr("216 numbers"));
    EXPECT_THAT(error_of<WorkError>([&] { write_weights(temp_ / "no/w", model_, weights_); }),
                HasSubstr("no/w"));
}

TEST_F(WeightsFile, RefusesAFileCutShortAnywhere) {
    const std::string bytes = read_bytes(file_);
    for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 7) {
        write_bytes(file_, bytes.substr(0, size));
        EXPECT_THAT(unsupported_reason(), HasSubstr("w.safetensors")) << size;
    }
    std::filesystem::remove(file_);
    EXPECT_THAT(unsupported_reason(), HasSubstr("found no file"));
}

TEST_F(WeightsFile, RefusesWrongHeaders) {
    const auto good = header();
    const std::string tensor = good.items().begin().key() == "__metadata__"
                                   ? std::next(good.items().begin()).key()
                                   : good.items().begin().key();
    const auto refused_with = [&](const auto& change) {
        auto changed = good;
        change(changed);
        replace_header(changed.dump());
        return unsupported_reason();
    };
    EXPECT_THAT(refused_with([&](auto& h) { h[tensor]["dtype"] = "F16"; }),
                HasSubstr("expected the data type F32"));
    EXPECT_THAT(refused_with([&](auto& h) {
                    h[tensor]["shape"] = {8, 27};
                }),
                HasSubstr("expected the shape"));
    EXPECT_THAT(refused_with([&](auto& h) { h[tensor]["shape"] = "x"; }), HasSubstr("with a list"));
    EXPECT_THAT(refused_with([&](auto& h) {
                    h[tensor]["data_offsets"] = {-4, 860};
                }),
                HasSubstr("data_offsets"));
    EXPECT_THAT(refused_with([&](auto& h) {
                    h[tensor]["data_offsets"] = {9223372036854775000, 9223372036854775807};
                }),
                HasSubstr("data_offsets"));
    EXPECT_THAT(refused_with([&](auto& h) {
                    h[tensor]["data_offsets"] = {1.5, 2};
                }),
                HasSubstr("whole numbers"));
    EXPECT_THAT(refused_with([&](auto& h) { h.erase(tensor); }), HasSubstr("expected the tensor"));
    EXPECT_THAT(refused_with([&](auto& h) { h["more"] = h[tensor]; }), HasSubstr("tensors, found"));
    EXPECT_THAT(refused_with([&](auto& h) { h[tensor] = 3; }), HasSubstr("dtype"));
    EXPECT_THAT(refused_with([&](auto& h) { h["__metadata__"] = "x"; }), HasSubstr("format"));
    EXPECT_THAT(refused_with([&](auto& h) { h.erase("__metadata__"); }), HasSubstr("metadata"));
    replace_header("[1, 2]");
    EXPECT_THAT(unsupported_reason(), HasSubstr("JSON object"));
    replace_header("{\"a\":");
    EXPECT_THAT(unsupported_reason(), HasSubstr("JSON object"));
}

TEST_F(WeightsFile, RefusesNumbersThatAreNone) {
    std::vector<LayerWeights> wrong = weights_;
    wrong[0].weights[5] = std::numeric_limits<float>::quiet_NaN();
    write_weights(file_, model_, wrong);
    EXPECT_THAT(unsupported_reason(), HasSubstr("not finite"));
}

TEST_F(WeightsFile, RandomDamageIsRefusedOrHarmless) {
    const std::string bytes = read_bytes(file_);
    std::mt19937 generator(1);
    for (int round = 0; round < 300; ++round) {
        std::string damaged = bytes;
        damaged[generator() % std::min<std::size_t>(bytes.size(), 2000)] = static_cast<char>(generator());
        write_bytes(file_, damaged);
        try {
            read_weights(file_, model_);
        } catch (const InputError&) {
        }
    }
}

}  // namespace
}  // namespace hacscale
