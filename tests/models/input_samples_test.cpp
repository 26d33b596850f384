// Inputs of one's own: which tensors are taken for which inputs, and what is refused.
#include "models/formats/input_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "base/error.hpp"
#include "models/formats/safetensors.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> counting(std::size_t count) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), 0.0F);
    return values;
}

class Samples : public ::testing::Test {
protected:
    Samples() { network_.name = "net"; }

    void write(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& tensors) {
        std::vector<std::vector<float>> numbers;
        for (const auto& [name, shape] : tensors) {
            std::size_t count = 1;
            for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
            numbers.push_back(counting(count));
        }
        std::vector<NamedTensor> named;
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            named.push_back({tensors[i].first, tensors[i].second, &numbers[i]});
        }
        write_safetensors(file_, {}, named);
    }
    InputSamples read() const { return read_input_samples(file_, network_); }
    std::string error() const {
        try {
            read();
        } catch (const InputError& refused) {
            return refused.what();
        }
        return "";
    }

    testing::TempFolder folder_;
    std::filesystem::path file_ = folder_ / "images.safetensors";
    Network network_;
};

TEST_F(Samples, TheOnlyTensorIsTheOnlyInputsUnderAnyName) {
    network_.graph.add_input(2, 1, 3);
    network_.input_names = {"pixels"};
    write({{"images", {2, 2, 1, 3}}});
    const InputSamples samples = read();
    ASSERT_EQ(samples.size(), 2U);
    EXPECT_THAT(samples[0], ElementsAre(ElementsAre(0, 1, 2, 3, 4, 5)));
    EXPECT_THAT(samples[1], ElementsAre(ElementsAre(6, 7, 8, 9, 10, 11)));
    write({{"images", {2, 2, 3}}});
    EXPECT_EQ(read(), samples) << "sizes of 1 may be left out";
}

TEST_F(Samples, SeveralInputsAreFoundByName) {
    network_.graph.add_input(1, 1, 2);
    network_.graph.add_input(1, 1, 1);
    network_.input_names = {"wide", "narrow"};
    write({{"narrow", {2, 1}}, {"other", {5}}, {"wide", {2, 1, 1, 2}}});
    EXPECT_THAT(read(), ElementsAre(ElementsAre(ElementsAre(0, 1), ElementsAre(0)),
                                    ElementsAre(ElementsAre(2, 3), ElementsAre(1))));
    write({{"wide", {2, 2}}, {"other", {2, 1}}});
    EXPECT_THAT(error(), AllOf(HasSubstr("images.safetensors: expected the tensor narrow"),
                               HasSubstr("found other, wide")));
    write({{"wide", {2, 2}}, {"narrow", {3, 1}}});
    EXPECT_THAT(error(), HasSubstr("narrow: expected 2 samples, as of the first input, found 3"));
}

TEST_F(Samples, OtherSizesAreRefused) {
    network_.graph.add_input(3, 8, 8);
    write({{"x", {4, 8, 8, 3}}});
    EXPECT_THAT(error(), HasSubstr("x: expected samples of net, N x 3 x 8 x 8, found 4 x 8 x 8 x 3"));
    write({{"x", {3, 8, 8}}});
    EXPECT_THAT(error(), HasSubstr("found 3 x 8 x 8"));
    // A header of its own: this many samples overflow the number of bytes.
    const std::string header =
        R"({"x":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,0]}})";
    const std::uint64_t length = header.size();
    std::ofstream(file_, std::ios::binary)
        << std::string_view(reinterpret_cast<const char*>(&length), sizeof length) << header;
    network_.graph = {};
    network_.graph.add_input(4, 1, 1);
    EXPECT_THAT(error(), HasSubstr("x: expected data_offsets of more bytes than any file has"));
    network_.graph = {};
    network_.graph.add_input(3, 8, 8);
    write({{"x", {0, 3, 8, 8}}});
    EXPECT_THAT(error(), HasSubstr("found 0 x 3 x 8 x 8"));
}

}  // namespace
}  // namespace hacscale
