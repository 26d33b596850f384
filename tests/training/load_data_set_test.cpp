#include "training/load_data_set.hpp"

#include <gmock/gmock.h>

#include "models/zoo/zoo.hpp"
#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::TempFolder;
using hacscale::testing::write_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(LoadDataSet, AFolderIsKnownByItsFilesOrByItsName) {
    TempFolder temp;
    EXPECT_THAT(error_of<InputError>([&] { data_form(temp.path()); }),
                AllOf(HasSubstr("data_batch_1.bin"), HasSubstr("train.bin"), HasSubstr("train/ and val/"),
                      HasSubstr("scripts/get-data")));
    write_bytes(temp / "test_batch.bin", "");
    EXPECT_EQ(data_form(temp.path()).name, "CIFAR-10");
    write_bytes(temp / "train.bin", "");
    EXPECT_THAT(error_of<InputError>([&] { data_form(temp.path()); }),
                AllOf(HasSubstr("--data cifar10:"), HasSubstr("or cifar100:")));
    const std::string folder = temp.path().string();
    EXPECT_EQ(data_form("cifar100:" + folder).name, "CIFAR-100");
    EXPECT_EQ(data_form("cifar100:" + folder).classes, 100);
    EXPECT_EQ(data_form("cifar10:" + folder).name, "CIFAR-10");
    EXPECT_THAT(error_of<InputError>([&] { data_form("images:" + folder); }), HasSubstr("found no train/"));
    EXPECT_THAT(error_of<MissingError>([&] { data_form("cifar100:" + folder + "/nowhere"); }),
                HasSubstr("scripts/get-data cifar100"));
}

TEST(LoadDataSet, PathsInAPlanAreFromItsFolder) {
    EXPECT_EQ(data_from_folder("../data", "/a/plans"), "/a/data");
    EXPECT_EQ(data_from_folder("cifar100:../data", "/a/plans"), "cifar100:/a/data");
    EXPECT_EQ(data_from_folder("images:/b", "/a/plans"), "images:/b");
}

TEST(LoadDataSet, ANetworksHeadFollowsTheData) {
    const ModelSpec base = find_model("resnet20-cifar");
    EXPECT_EQ(fitted_to(base, {"CIFAR-10", 10, "", ImageSize{32, 32}}), base);
    const ModelSpec more = fitted_to(base, {"some", 200, ""});
    EXPECT_EQ(more.classes, 200);
    EXPECT_EQ(more.name, "resnet20-cifar-200-classes");
    EXPECT_NE(model_hash(more), model_hash(base));
}

TEST(LoadDataSet, ANetworkThatDoesNotFitIsRefusedWithWhatToChange) {
    const ModelSpec large = find_model("mobilenetv2-0.35");
    EXPECT_THAT(error_of<InputError>([&] {
                    fitted_to(large, {"CIFAR-10", 10, "", ImageSize{32, 32}});
                }),
                AllOf(HasSubstr("224 x 224"), HasSubstr("--resolution 32")));
    ModelSpec no_head = find_model("resnet20-cifar");
    no_head.head.pop_back();
    EXPECT_THAT(error_of<InputError>([&] {
                    fitted_to(no_head, {"some", 200, ""});
                }),
                AllOf(HasSubstr("no linear layer at its end"), HasSubstr("linear: {}")));
    ModelSpec grey = find_model("resnet20-cifar");
    grey.in_channels = 1;
    EXPECT_THAT(error_of<InputError>([&] { fitted_to(grey, {"some", 10, ""}); }), HasSubstr("1 channels"));
}

}  // namespace
}  // namespace hacscale
