// Logical processors, the cores that they belong to, and how busy they are.
#include "kernels/host/processors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/kernels/made_up_machine.hpp"

namespace hacscale::host {
namespace {

using hacscale::testing::MadeUpMachine;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Processors, ListsAreReadAsTheKernelWritesThem) {
    EXPECT_THAT(parse_processor_list("0-2,5"), ElementsAre(0, 1, 2, 5));
    EXPECT_THAT(parse_processor_list("7"), ElementsAre(7));
    EXPECT_THAT(parse_processor_list("0,64"), ElementsAre(0, 64));
    for (const char* text : {"", "x", "3-1", "0-", "-1", "0 1", "0-99999999999"}) {
        EXPECT_THAT(parse_processor_list(text), IsEmpty()) << text;
    }
}

TEST(Processors, HyperthreadsOfACoreAreOneCore) {
    const MadeUpMachine machine;
    for (const int processor : {0, 1, 2, 3}) {
        machine.siblings(processor, std::to_string(processor % 2) + "," + std::to_string(processor % 2 + 2));
    }
    const std::vector<Core> cores = cores_of({0, 1, 2, 3}, machine.root());
    EXPECT_THAT(cores, ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3)));
    EXPECT_EQ(logical_processors(cores), 4);
    EXPECT_EQ(core_name(3, machine.root()), 1);
}

TEST(Processors, ATasksetLeavesWhatItLeaves) {
    const MadeUpMachine machine;
    for (const int processor : {0, 1, 2, 3}) machine.siblings(processor, processor < 2 ? "0-1" : "2-3");
    EXPECT_THAT(cores_of({1, 2}, machine.root()), ElementsAre(ElementsAre(1), ElementsAre(2)));
    EXPECT_EQ(core_name(1, machine.root()), 0);  // another process may be on processor 0 of this core
}

TEST(Processors, OlderKernelsNameTheFileOtherwise) {
    const MadeUpMachine machine;
    for (const int processor : {0, 1}) machine.siblings(processor, "0-1", "thread_siblings_list");
    EXPECT_THAT(cores_of({0, 1}, machine.root()), ElementsAre(ElementsAre(0, 1)));
}

TEST(Processors, WithoutAWordFromTheKernelEachIsACore) {
    const MadeUpMachine machine;
    machine.siblings(1, "5-6");  // not even itself
    EXPECT_THAT(cores_of({0, 1}, machine.root()), ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(Processors, ThisProcessMayUseSome) {
    EXPECT_FALSE(allowed_processors().empty());
}

TEST(Processors, ThoseThatAreMeasuredAreThePlacesOfOpenMp) {
    const char* const before = std::getenv("OMP_PLACES");
    const std::string kept = before == nullptr ? "" : before;
    const std::vector<Core> cores{{0, 4}, {2, 6}};
    ::setenv("OMP_PLACES", openmp_places(cores, 2).c_str(), 1);
    EXPECT_EQ(measuring_processors(), (std::vector<int>{0, 4, 2, 6}));
    ::setenv("OMP_PLACES", openmp_places(cores, 4).c_str(), 1);
    EXPECT_EQ(measuring_processors(), (std::vector<int>{0, 4, 2, 6}));
    ::setenv("OMP_PLACES", "threads(4)", 1);
    EXPECT_FALSE(measuring_processors().empty()) << "words say nothing of numbers";
    if (before == nullptr) {
        ::unsetenv("OMP_PLACES");
    } else {
        ::setenv("OMP_PLACES", kept.c_str(), 1);
    }
}

TEST(ProcessorLoad, IsTheShareOfTicksThatAreNotIdle) {
    const MadeUpMachine machine;
    machine.write("proc/stat",
                  "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 100 0 0 500 0 0 0 0 50 0\ncpu1 0 0 0 10 0 0 0 0\nintr 5");
    const auto before = processor_times(machine.root());
    EXPECT_EQ(before.size(), 2u);
    machine.write("proc/stat", "cpu0 106 0 1 502 1 0 0 0 56 0\ncpu1 0 0 0 20 0 0 0 0");
    const auto after = processor_times(machine.root());
    EXPECT_DOUBLE_EQ(busy_share({0}, before, after), 0.7);
    EXPECT_DOUBLE_EQ(busy_share({1}, before, after), 0.0);
    EXPECT_DOUBLE_EQ(busy_share({0, 1}, before, after), 0.7);
    EXPECT_DOUBLE_EQ(busy_share({7}, before, after), 0.0);
    EXPECT_DOUBLE_EQ(busy_share({0}, after, after), 0.0);
}

}  // namespace
}  // namespace hacscale::host
