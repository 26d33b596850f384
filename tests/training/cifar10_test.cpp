#include "training/cifar10.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::read_bytes;
using hacscale::testing::TempFolder;
using hacscale::testing::write_bytes;
using hacscale::testing::write_small_cifar;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string unsupported_reason(const std::filesystem::path& folder) {
    return error_of<InputError>([&] { load_cifar10(folder); });
}

std::map<int, int> label_counts(const ImageSet& images) {
    std::map<int, int> counts;
    for (const std::uint8_t label : images.labels) ++counts[label];
    return counts;
}

TEST(Cifar10, SplitsOffATenthOfEachClassAlwaysTheSame) {
    TempFolder temp;
    write_small_cifar(temp.path(), 40);
    const Cifar10 data = load_cifar10(temp.path());
    EXPECT_EQ(data.train.count(), 180);
    EXPECT_EQ(data.validation.count(), 20);
    EXPECT_EQ(data.test.count(), 40);
    EXPECT_EQ(data.train.pixels.size(), 180U * 3072U);
    for (const auto& [label, count] : label_counts(data.validation)) EXPECT_EQ(count, 2) << label;
    EXPECT_EQ(label_counts(data.validation).size(), 10U);
    EXPECT_EQ(load_cifar10(temp.path()).validation.pixels, data.validation.pixels);
    EXPECT_FALSE(data.official);

    // No image is in both parts: those of the training files are all different here.
    std::set<std::string> all;
    for (const ImageSet* set : {&data.train, &data.validation}) {
        for (int i = 0; i < set->count(); ++i) {
            all.emplace(reinterpret_cast<const char*>(set->image(i)), set->image_bytes());
        }
    }
    EXPECT_EQ(all.size(), 200U);
}

TEST(Cifar10, NormalizesByTheTrainingImages) {
    TempFolder temp;
    write_small_cifar(temp.path(), 10);
    const Cifar10 data = load_cifar10(temp.path());
    for (std::size_t channel = 0; channel < 3; ++channel) {
        double sum = 0.0;
        double squares = 0.0;
        for (int i = 0; i < data.train.count(); ++i) {
            for (std::size_t p = 0; p < 1024; ++p) {
                const double value =
                    (data.train.image(i)[channel * 1024 + p] / 255.0 - data.normalization.mean[channel]) /
                    data.normalization.deviation[channel];
                sum += value;
                squares += value * value;
            }
        }
        const double count = 1024.0 * data.train.count();
        EXPECT_NEAR(sum / count, 0.0, 1e-5);
        EXPECT_NEAR(squares / count, 1.0, 1e-5);
    }
}

TEST(Cifar10, TheHashNamesTheData) {
    TempFolder temp;
    write_small_cifar(temp / "a", 4);
    write_small_cifar(temp / "b", 5);
    EXPECT_EQ(cifar10_hash(temp / "a"), load_cifar10(temp / "a").hash);
    EXPECT_NE(cifar10_hash(temp / "a"), cifar10_hash(temp / "b"));
    std::filesystem::create_directory(temp / "official");
    EXPECT_NE(cifar10_hash(temp / "a"), cifar10_hash(temp / "official"));
}

TEST(Cifar10, WithoutAFolderSomethingIsMissing) {
    TempFolder temp;
    const std::string text = error_of<MissingError>([&] { load_cifar10(temp / "nowhere"); });
    EXPECT_THAT(text, AllOf(HasSubstr("nowhere"), HasSubstr("scripts/get-data")));
    EXPECT_THAT(error_of<MissingError>([&] { cifar10_hash(temp / "nowhere"); }),
                HasSubstr("scripts/get-data"));
}

TEST(Cifar10, OfficialFilesMustBeThereAndOfTheRightSizeAndContent) {
    TempFolder temp;
    EXPECT_THAT(unsupported_reason(temp.path()),
                AllOf(HasSubstr("data_batch_1.bin"), HasSubstr("scripts/get-data")));
    write_bytes(temp / "data_batch_1.bin", std::string(1000, 'x'));
    EXPECT_THAT(unsupported_reason(temp.path()),
                AllOf(HasSubstr("data_batch_1.bin: expected 30730000 bytes, found 1000"),
                      HasSubstr("scripts/get-data")));
    write_bytes(temp / "data_batch_1.bin", std::string(30'730'000, '\0'));
    EXPECT_THAT(unsupported_reason(temp.path()),
                AllOf(HasSubstr("data_batch_1.bin: expected the SHA-256 sum cee91656"),
                      HasSubstr("scripts/get-data")));
}

TEST(Cifar10, FilesWithTheirOwnSumsAreHeldToThem) {
    TempFolder temp;
    write_small_cifar(temp.path(), 4);
    const std::string good = read_bytes(temp / "data_batch_3.bin");
    std::string altered = good;
    altered[100] = static_cast<char>(altered[100] ^ 1);
    write_bytes(temp / "data_batch_3.bin", altered);
    EXPECT_THAT(unsupported_reason(temp.path()), AllOf(HasSubstr("data_batch_3.bin"), HasSubstr("altered")));
    write_bytes(temp / "data_batch_3.bin", good.substr(0, good.size() - 1));
    EXPECT_THAT(unsupported_reason(temp.path()),
                AllOf(HasSubstr("data_batch_3.bin"), HasSubstr("records of 3073 bytes")));
    write_bytes(temp / "data_batch_3.bin", "");
    EXPECT_THAT(unsupported_reason(temp.path()), HasSubstr("found 0 bytes"));
    std::filesystem::remove(temp / "data_batch_3.bin");
    EXPECT_THAT(unsupported_reason(temp.path()), HasSubstr("data_batch_3.bin"));
}

TEST(Cifar10, RefusesSumsAndLabelsThatAreNone) {
    TempFolder temp;
    write_small_cifar(temp.path(), 1);
    const std::string sums = read_bytes(temp / "SHA256SUMS");
    write_bytes(temp / "SHA256SUMS", sums + "rubbish\n");
    EXPECT_THAT(unsupported_reason(temp.path()), HasSubstr("SHA256SUMS:7: expected 64 hexadecimal digits"));
    write_bytes(temp / "SHA256SUMS", sums.substr(0, sums.find('\n') + 1));
    EXPECT_THAT(unsupported_reason(temp.path()), HasSubstr("expected a line for data_batch_2.bin"));

    const std::string wrong(3073, '\x0A');
    write_bytes(temp / "data_batch_1.bin", wrong);
    const std::string sum =
        detail::sha256({reinterpret_cast<const std::uint8_t*>(wrong.data()), wrong.size()});
    write_bytes(temp / "SHA256SUMS", sum + sums.substr(64));
    EXPECT_THAT(unsupported_reason(temp.path()),
                HasSubstr("expected labels from 0 to 9, found 10 in record 0"));
}

}  // namespace
}  // namespace hacscale
