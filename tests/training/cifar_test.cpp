#include "training/load_data_set.hpp"

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
    return error_of<InputError>([&] { load_data_set(folder, {}); });
}

std::map<int, int> label_counts(const ImageSet& images) {
    std::map<int, int> counts;
    for (const std::uint16_t label : images.labels) ++counts[label];
    return counts;
}

TEST(Cifar10, SplitsOffATenthOfEachClassAlwaysTheSame) {
    TempFolder temp;
    write_small_cifar(temp.path(), 40);
    const DataSet data = load_data_set(temp.path(), {});
    EXPECT_EQ(data.train.count(), 180);
    EXPECT_EQ(data.validation.count(), 20);
    EXPECT_EQ(data.test.count(), 40);
    EXPECT_EQ(data.train.pixels.size(), 180U * 3072U);
    for (const auto& [label, count] : label_counts(data.validation)) EXPECT_EQ(count, 2) << label;
    EXPECT_EQ(label_counts(data.validation).size(), 10U);
    EXPECT_EQ(load_data_set(temp.path(), {}).validation.pixels, data.validation.pixels);
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
    const DataSet data = load_data_set(temp.path(), {});
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
    EXPECT_EQ(data_form(temp / "a").hash, load_data_set(temp / "a", {}).hash);
    EXPECT_NE(data_form(temp / "a").hash, data_form(temp / "b").hash);
    std::filesystem::create_directory(temp / "official");
    write_bytes(temp / "official/data_batch_1.bin", "");
    // Records of CIFAR-10 name it by this hash.
    EXPECT_EQ(data_form(temp / "official").hash, "3e1ad90b015bf39e");
    EXPECT_NE(data_form(temp / "a").hash, data_form(temp / "official").hash);
}

TEST(Cifar10, WithoutAFolderSomethingIsMissing) {
    TempFolder temp;
    const std::string text = error_of<MissingError>([&] { load_data_set(temp / "nowhere", {}); });
    EXPECT_THAT(text, AllOf(HasSubstr("nowhere"), HasSubstr("scripts/get-data")));
    EXPECT_THAT(error_of<MissingError>([&] { data_form(temp / "nowhere"); }), HasSubstr("scripts/get-data"));
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

// Two files of records with two label bytes, of which the second is the class.
void write_small_cifar100(const std::filesystem::path& folder, int records) {
    std::filesystem::create_directories(folder);
    std::string sums;
    for (const char* name : {"train.bin", "test.bin"}) {
        std::string bytes;
        for (int i = 0; i < records; ++i) {
            bytes += static_cast<char>(i % 20);
            bytes += static_cast<char>(i % 100);
            bytes += std::string(3072, static_cast<char>(i % 256));
        }
        write_bytes(folder / name, bytes);
        const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        sums += detail::sha256({data, bytes.size()}) + "  " + name + "\n";
    }
    write_bytes(folder / "SHA256SUMS", sums);
}

TEST(Cifar100, HasAHundredClassesByItsSecondLabel) {
    TempFolder temp;
    write_small_cifar100(temp.path(), 1000);
    const DataSet data = load_data_set(temp.path(), {});
    EXPECT_EQ(data.name, "CIFAR-100");
    EXPECT_EQ(data.train.classes, 100);
    EXPECT_EQ(data.train.count(), 900);
    EXPECT_EQ(data.validation.count(), 100);
    EXPECT_EQ(data.test.count(), 1000);
    EXPECT_EQ(label_counts(data.validation).size(), 100U);
    for (int i = 0; i < data.test.count(); ++i) {
        ASSERT_EQ(data.test.labels[static_cast<std::size_t>(i)], i % 100);
        ASSERT_EQ(data.test.image(i)[5], i % 256);
    }
    EXPECT_EQ(data.hash, data_form(temp.path()).hash);
}

TEST(Cifar100, RefusesWhatIsNotItsPublishedData) {
    TempFolder temp;
    write_bytes(temp / "train.bin", std::string(1000, 'x'));
    EXPECT_THAT(unsupported_reason(temp.path()),
                AllOf(HasSubstr("train.bin: expected 153700000 bytes, found 1000"),
                      HasSubstr("scripts/get-data cifar100")));
    write_small_cifar100(temp.path(), 10);
    std::string bytes = read_bytes(temp / "test.bin");
    bytes[1] = 100;
    write_bytes(temp / "test.bin", bytes);
    EXPECT_THAT(unsupported_reason(temp.path()), AllOf(HasSubstr("test.bin"), HasSubstr("altered")));
    std::filesystem::remove(temp / "test.bin");
    EXPECT_THAT(unsupported_reason(temp.path()), HasSubstr("test.bin: expected a file of CIFAR-100"));
}

}  // namespace
}  // namespace hacscale
