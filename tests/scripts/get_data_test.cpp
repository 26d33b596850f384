// scripts/get-data, on made-up archives whose sums take the place of the real ones.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/shell.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class GetData : public ::testing::Test {
protected:
    GetData() {
        fs::create_directories(folder_ / "scripts");
        fs::copy_file(HACSCALE_SOURCE_DIR "/scripts/get-data", script());
        fs::create_directories(folder_ / "from");
    }

    fs::path script() const { return folder_ / "scripts/get-data"; }

    Answer run(const std::string& arguments) const {
        return answer_of("cd '" + folder_.path().string() + "' && scripts/get-data " + arguments);
    }

    std::string sum_of(const std::string& file) const {
        return answer_of("sha256sum '" + (folder_ / file).string() + "'").text.substr(0, 64);
    }

    // In the copy of the script.
    void put_sum(const std::string& real, const std::string& made_up) const {
        std::stringstream text;
        text << std::ifstream(script()).rdbuf();
        std::string changed = text.str();
        const std::size_t at = changed.find(real);
        ASSERT_NE(at, std::string::npos) << "the script has no sum " << real;
        changed.replace(at, real.size(), made_up);
        std::ofstream(script()) << changed;
    }

    void write(const std::string& file, const std::string& text) const {
        fs::create_directories((folder_ / file).parent_path());
        std::ofstream(folder_ / file) << text;
    }

    // An archive of two images, for which the script stands then.
    void make_archive() const {
        write("imagenette/train/n01/a.JPEG", "one image");
        write("imagenette/val/n01/b.JPEG", "another");
        const std::string here = "cd '" + folder_.path().string() + "' && ";
        ASSERT_EQ(answer_of(here + "tar --create --file=from/imagenette-128.tar imagenette").status, 0);
        ASSERT_EQ(
            answer_of(here + "(cd imagenette && sha256sum train/n01/a.JPEG val/n01/b.JPEG) >sums").status, 0);
        put_sum("ef99fc01d1dcfd694d3b7bf2ae74b9d313d56ec9a8d10acee3ba8de2fc5dd13c",
                sum_of("from/imagenette-128.tar"));
        put_sum("86b3242c4d159679d6a72a3148f02b1ccc89657825f61cbf81f99e9e8cfe3924", sum_of("sums"));
    }

    void expect_nothing_made() const {
        EXPECT_TRUE(!fs::exists(folder_ / "data") || fs::is_empty(folder_ / "data"));
    }

    const testing::TempFolder folder_;
};

TEST_F(GetData, SaysWhatItWasNotToldRight) {
    for (const auto& [arguments, said] :
         {std::pair("", "usage"), std::pair("mnist", "there is no data set 'mnist'"),
          std::pair("cifar10 --from", "--from needs a folder"),
          std::pair("cifar10 --fast", "'--fast' is not known"),
          std::pair("imagenette-128", "has no official archive")}) {
        const Answer answer = run(arguments);
        EXPECT_EQ(answer.status, 2) << arguments;
        EXPECT_THAT(answer.text, HasSubstr(said));
    }
    EXPECT_EQ(run("cifar10 --from nowhere").status, 3);
    EXPECT_EQ(run("cifar10 --from from").status, 2) << "the folder has none of its files";
    expect_nothing_made();
}

TEST_F(GetData, UnpacksImagesOnceAndHoldsThemToTheirSums) {
    make_archive();
    const Answer first = run("imagenette-128 --from from");
    ASSERT_EQ(first.status, 0) << first.text;
    EXPECT_TRUE(fs::exists(folder_ / "data/imagenette-128/train/n01/a.JPEG"));
    EXPECT_TRUE(fs::exists(folder_ / "data/imagenette-128/SHA256SUMS"));
    EXPECT_THAT(run("imagenette-128 --from from").text, HasSubstr("already"));
    write("data/imagenette-128/val/n01/b.JPEG", "altered");
    const Answer altered = run("imagenette-128 --from from");
    EXPECT_EQ(altered.status, 2);
    EXPECT_THAT(altered.text, HasSubstr("its files are not those"));
}

TEST_F(GetData, TakesNothingFromAnArchiveThatWasAltered) {
    make_archive();
    std::ofstream(folder_ / "from/imagenette-128.tar", std::ios::app) << "more";
    const Answer answer = run("imagenette-128 --from from");
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.text, HasSubstr("short or was altered"));
    expect_nothing_made();
}

TEST_F(GetData, CopiesTheFilesOfCifarPlainOrPacked) {
    write("from/train.bin", "training images");
    write("from/test.bin", "test images");
    put_sum("f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29", sum_of("from/train.bin"));
    put_sum("d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a", sum_of("from/test.bin"));
    if (answer_of("command -v xz").status == 0) {
        ASSERT_EQ(answer_of("xz '" + (folder_ / "from/train.bin").string() + "'").status, 0);
    }
    const Answer answer = run("cifar100 --from from");
    ASSERT_EQ(answer.status, 0) << answer.text;
    EXPECT_EQ(sum_of("data/cifar-100/test.bin"), sum_of("from/test.bin"));
    fs::remove_all(folder_ / "data");
    write("from/test.bin", "test imagez");
    const Answer altered = run("cifar100 --from from");
    EXPECT_EQ(altered.status, 2);
    EXPECT_THAT(altered.text, HasSubstr("test.bin: expected the SHA-256 sum"));
    expect_nothing_made();
}

}  // namespace
}  // namespace hacscale
