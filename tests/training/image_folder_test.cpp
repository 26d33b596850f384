#include <gmock/gmock.h>

#include <numeric>

#include "training/batches.hpp"
#include "training/load_data_set.hpp"
#include "training_support.hpp"
#ifdef HACSCALE_JPEG
#include "jpeg_support.hpp"
#endif

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::read_bytes;
using hacscale::testing::TempFolder;
using hacscale::testing::write_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;

#ifdef HACSCALE_JPEG

using hacscale::testing::shaded_jpeg;
using hacscale::testing::write_image_folder;
using hacscale::testing::write_sums;

constexpr DataSettings at_16{{16, 16}};
constexpr DataSettings never_in_memory{{16, 16}, 0};

std::pair<int, int> square(int) {
    return {16, 16};
}
std::pair<int, int> any_size(int i) {
    return {16 + i * 7 % 30, 16 + i * 11 % 40};
}

class ImageFolderTest : public ::testing::Test {
protected:
    ImageFolderTest() { write_image_folder(folder(), 3, 20, 4, any_size); }

    std::filesystem::path folder() const { return temp_ / "data"; }
    std::filesystem::path file(const std::string& name) const { return folder() / name; }
    std::string reason(const DataSettings& settings = at_16) const {
        return error_of<InputError>([&] { load_data_set(folder(), settings); });
    }

private:
    const TempFolder temp_;
};

// All batches of an epoch, one after the other.
std::vector<float> epoch_of(const ImageSet& images, const Normalization& normalization,
                            const BatchSettings& settings) {
    BatchLoader loader(images, normalization, settings);
    loader.start(1);
    std::vector<float> all;
    while (const auto batch = loader.next()) {
        all.insert(all.end(), batch->images,
                   batch->images + static_cast<std::ptrdiff_t>(batch->count * images.image_bytes()));
        for (int i = 0; i < batch->count; ++i) all.push_back(static_cast<float>(batch->labels[i]));
    }
    return all;
}

TEST_F(ImageFolderTest, SplitsOffATenthOfEachClassAndKeepsValForTheTest) {
    const DataSet data = load_data_set(folder(), at_16);
    EXPECT_EQ(data.name, "data");
    EXPECT_EQ(data.train.count(), 54);
    EXPECT_EQ(data.validation.count(), 6);
    EXPECT_EQ(data.test.count(), 12);
    EXPECT_EQ(data.train.classes, 3);
    for (const auto& [set, each] :
         {std::pair(&data.train, 18), std::pair(&data.validation, 2), std::pair(&data.test, 4)}) {
        for (std::uint16_t label = 0; label < 3; ++label) {
            EXPECT_EQ(std::count(set->labels.begin(), set->labels.end(), label), each);
        }
    }
    EXPECT_EQ(data.hash, data_form(folder()).hash);
    EXPECT_EQ(data_form(folder()).classes, 3);
    EXPECT_FALSE(data_form(folder()).image_size.has_value());
}

TEST_F(ImageFolderTest, BatchesAreTheSameInMemoryOrNotAndForAnyNumberOfThreads) {
    const DataSet kept = load_data_set(folder(), at_16);
    const DataSet decoded = load_data_set(folder(), never_in_memory);
    EXPECT_EQ(kept.normalization.mean, decoded.normalization.mean);
    EXPECT_EQ(kept.normalization.deviation, decoded.normalization.deviation);
    BatchSettings settings;
    settings.batch = 9;
    settings.training = Augmentation{true, 0, 0};
    settings.training->random_resized_crop = RandomResizedCrop{};
    settings.training->random_erasing = 0.5;
    settings.training->mixup = 0.4;
    const std::vector<float> expected = epoch_of(kept.train, kept.normalization, settings);
    EXPECT_EQ(expected.size(), 54U * (3U * 16U * 16U + 1U));
    for (const int threads : {1, 2, 5}) {
        settings.threads = threads;
        EXPECT_EQ(epoch_of(kept.train, kept.normalization, settings), expected);
        EXPECT_EQ(epoch_of(decoded.train, decoded.normalization, settings), expected);
    }
    BatchSettings evaluation;
    evaluation.batch = 5;
    EXPECT_EQ(epoch_of(decoded.test, kept.normalization, evaluation),
              epoch_of(kept.test, kept.normalization, evaluation));
}

TEST_F(ImageFolderTest, ImagesOfOtherSizesAreResizedAndTheirMiddleIsSeen) {
    const DataSet data = load_data_set(folder(), at_16);
    ASSERT_NE(data.test.pictures, nullptr);
    const PixelScale scale(data.normalization);
    PlacingMemory memory;
    std::vector<float> out(data.test.image_bytes());
    for (int i = 0; i < data.test.count(); ++i) {
        place_unchanged(data.test, i, scale, false, memory, out.data());
        const Picture picture = data.test.picture(i, memory.decoded);
        std::vector<std::uint8_t> between, wanted;
        resample(picture, evaluation_view(picture.size, {16, 16}), between, wanted);
        for (std::size_t p = 0; p < out.size(); ++p) {
            ASSERT_EQ(out[p], scale(static_cast<int>(p / 256), wanted[p])) << i << " " << p;
        }
    }
}

TEST(ImageFolder, ImagesThatAllHaveTheSizeOfTheNetworkAreNotResized) {
    TempFolder temp;
    write_image_folder(temp / "data", 2, 10, 3, square);
    const DataSet data = load_data_set(temp / "data", at_16);
    EXPECT_EQ(data.train.pictures, nullptr);
    EXPECT_EQ(data.train.pixels.size(), 18U * 3U * 256U);
    // Mirrors what the JPEG files hold: the first row is darker than the last.
    EXPECT_LT(data.train.pixels[0], data.train.pixels[15 * 16]);
    const DataSet decoded = load_data_set(temp / "data", never_in_memory);
    EXPECT_NE(decoded.train.pictures, nullptr);
    EXPECT_TRUE(decoded.train.all_of_this_size);
    BatchSettings settings;
    settings.batch = 6;
    settings.training = Augmentation{true, 4, 8};
    EXPECT_EQ(epoch_of(data.train, data.normalization, settings),
              epoch_of(decoded.train, decoded.normalization, settings));
}

TEST_F(ImageFolderTest, TheHashIsOfContentsAndNamesWithAndWithoutSums) {
    const std::string hash = data_form(folder()).hash;
    write_sums(folder());
    EXPECT_EQ(data_form(folder()).hash, hash);
    EXPECT_EQ(load_data_set(folder(), at_16).hash, hash);
    std::filesystem::remove(file("SHA256SUMS"));
    const std::string image = read_bytes(file("val/n02/image1.JPEG"));
    write_bytes(file("val/n02/image1.JPEG"), shaded_jpeg(20, 20, 99));
    EXPECT_NE(data_form(folder()).hash, hash);
    write_bytes(file("val/n02/image1.JPEG"), image);
    EXPECT_EQ(data_form(folder()).hash, hash);
    std::filesystem::rename(file("val/n02/image1.JPEG"), file("val/n02/other.JPEG"));
    EXPECT_NE(data_form(folder()).hash, hash);
}

TEST_F(ImageFolderTest, FilesAreHeldToTheSumsOfTheirFolder) {
    write_sums(folder());
    const std::string image = read_bytes(file("train/n02/image7.JPEG"));
    write_bytes(file("train/n02/image7.JPEG"), shaded_jpeg(23, 31, 99));
    EXPECT_THAT(reason(), AllOf(HasSubstr("train/n02/image7.JPEG"), HasSubstr("altered"),
                                HasSubstr("get a whole copy")));
    std::filesystem::remove(file("train/n02/image7.JPEG"));
    EXPECT_THAT(reason(),
                AllOf(HasSubstr("train/n02/image7.JPEG: expected this file"), HasSubstr("get a whole copy")));
    write_bytes(file("train/n02/image7.JPEG"), image);
    write_bytes(file("train/n02/more.JPEG"), image);
    EXPECT_THAT(reason(),
                AllOf(HasSubstr("expected a line for train/n02/more.JPEG"), HasSubstr("SHA256SUMS")));
}

TEST_F(ImageFolderTest, BrokenImagesAreNamedAndNeverSkipped) {
    const std::string image = read_bytes(file("train/n02/image7.JPEG"));
    for (const DataSettings& settings : {at_16, never_in_memory}) {
        // Cut in the data: the header is whole, so only decoding finds it. Normalization decodes all of so few images.
        write_bytes(file("train/n02/image7.JPEG"), image.substr(0, image.size() - 40));
        EXPECT_THAT(reason(settings),
                    AllOf(HasSubstr("train/n02/image7.JPEG"), HasSubstr("damaged or cut short")));
        write_bytes(file("train/n02/image7.JPEG"), image.substr(0, 50));
        EXPECT_THAT(reason(settings), HasSubstr("train/n02/image7.JPEG"));
        write_bytes(file("train/n02/image7.JPEG"), "");
        EXPECT_THAT(reason(settings), AllOf(HasSubstr("train/n02/image7.JPEG"), HasSubstr("empty")));
        write_bytes(file("train/n02/image7.JPEG"), "\x89PNG and so on");
        EXPECT_THAT(reason(settings), AllOf(HasSubstr("train/n02/image7.JPEG"), HasSubstr("convert it")));
    }
}

TEST_F(ImageFolderTest, AnImageThatBreaksWhileOneTrainsEndsTheEpoch) {
    const DataSet data = load_data_set(folder(), never_in_memory);
    const std::string image = read_bytes(file("val/n03/image2.JPEG"));
    write_bytes(file("val/n03/image2.JPEG"), image.substr(0, image.size() - 40));
    for (const int threads : {1, 3}) {
        BatchSettings settings;
        settings.batch = 2;
        settings.threads = threads;
        EXPECT_THAT(error_of<InputError>([&] { epoch_of(data.test, data.normalization, settings); }),
                    HasSubstr("val/n03/image2.JPEG"));
    }
}

TEST_F(ImageFolderTest, OtherLayoutsAreRefusedWithWhatToDo) {
    // ImageNet's val/ as it is published.
    const std::string image = read_bytes(file("val/n01/image0.JPEG"));
    write_bytes(file("val/ILSVRC2012_val_00000001.JPEG"), image);
    EXPECT_THAT(reason(), AllOf(HasSubstr("val: expected a folder for each class"), HasSubstr("valprep.sh")));
    std::filesystem::remove(file("val/ILSVRC2012_val_00000001.JPEG"));

    std::filesystem::rename(file("val/n03"), file("val/n04"));
    EXPECT_THAT(reason(), AllOf(HasSubstr("train/n03"), HasSubstr("val/")));
    std::filesystem::create_directory(file("val/n03"));
    EXPECT_THAT(reason(), HasSubstr("val/n04 has no folder of its name in train/"));
    std::filesystem::remove_all(file("val/n04"));
    EXPECT_THAT(reason(), AllOf(HasSubstr("val/n03"), HasSubstr("found none")));
    write_bytes(file("val/n03/boxes.txt"), "x");
    EXPECT_THAT(reason(), AllOf(HasSubstr("val/n03/boxes.txt"), HasSubstr("expected a JPEG file")));
    std::filesystem::remove(file("val/n03/boxes.txt"));
    write_bytes(file("val/n03/.hidden"), "x");
    write_bytes(file("val/n03/a.jpg"), image);
    EXPECT_EQ(load_data_set(folder(), at_16).test.count(), 9);
    std::filesystem::remove_all(file("val"));
    EXPECT_THAT(reason(), HasSubstr("found no val/"));
}

TEST_F(ImageFolderTest, ANetworkThatReadsMoreThanAnyImageShowsIsRefused) {
    EXPECT_THAT(reason({{224, 224}}), AllOf(HasSubstr("224 x 224"), HasSubstr("--resolution ")));
}

TEST(ImageFolder, ClassesWithoutATenthToSpareAreRefused) {
    TempFolder temp;
    write_image_folder(temp / "data", 2, 9, 3, square);
    EXPECT_THAT(error_of<InputError>([&] { load_data_set(temp / "data", at_16); }),
                HasSubstr("at least 10 images"));
}

#else

TEST(ImageFolder, WithoutLibjpegItIsSaidWhatToInstall) {
    TempFolder temp;
    for (const char* name : {"train/a", "val/a"}) {
        std::filesystem::create_directories(temp / name);
        write_bytes(temp / name / "1.jpg", "x");
    }
    EXPECT_THAT(error_of<MissingError>([&] { load_data_set(temp.path(), {}); }), HasSubstr("libjpeg-dev"));
}

#endif

}  // namespace
}  // namespace hacscale
