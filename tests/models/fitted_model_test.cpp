#include "models/stages/fitted_model.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

TEST(FittedModel, TheHeadAloneChangesWithTheClasses) {
    const ModelSpec base = find_model("resnet20-cifar");
    const ModelSpec more = with_classes(base, 200);
    EXPECT_EQ(more.name, "resnet20-cifar-200-classes");
    EXPECT_NE(model_hash(more), model_hash(base));
    EXPECT_EQ(lower(more).params() - lower(base).params(), 190 * (64 + 1));
    ModelSpec back = more;
    back.classes = 10;
    EXPECT_EQ(model_hash(back), model_hash(base));
    EXPECT_EQ(with_classes(more, 200), more) << "twice is once";
    EXPECT_EQ(parse_model(to_yaml(more), "again"), more);
    ModelSpec no_head = base;
    no_head.head.pop_back();
    EXPECT_THROW(with_classes(no_head, 200), InputError);
}

TEST(FittedModel, TheInputAloneChangesWithThePixels) {
    const ModelSpec base = find_model("mobilenetv2-0.35");
    const ModelSpec smaller = with_resolution(base, 128);
    EXPECT_EQ(smaller.name, "mobilenetv2-0.35-128-pixels");
    EXPECT_EQ(smaller.resolution, 128);
    EXPECT_EQ(lower(smaller).params(), lower(base).params());
    EXPECT_LT(lower(smaller).macs(), lower(base).macs() / 2);
    EXPECT_EQ(with_resolution(base, 224), base);
    EXPECT_THROW(with_resolution(base, 0), InputError);
}

TEST(FittedModel, LongNamesKeepTheirEnd) {
    ModelSpec model = find_model("resnet20-cifar");
    model.name = std::string(100, 'x');
    EXPECT_EQ(with_classes(model, 200).name, std::string(88, 'x') + "-200-classes");
    EXPECT_EQ(with_resolution(model, 64).name, std::string(90, 'x') + "-64-pixels");
}

TEST(FittedModel, NamesTellWhatWasChanged) {
    const FittedName both = parse_fitted_name("resnet18-128-pixels-10-classes");
    EXPECT_EQ(both.model, "resnet18");
    EXPECT_EQ(both.pixels, 128);
    EXPECT_EQ(both.classes, 10);
    for (const char* own : {"resnet18", "pixels", "-1-pixels-", "a-99999999999-pixels", "a-x-classes"}) {
        const FittedName name = parse_fitted_name(own);
        EXPECT_EQ(name.model, own);
        EXPECT_EQ(name.pixels + name.classes, 0) << own;
    }
}

}  // namespace
}  // namespace hacscale
