// Stored records: those that today's program writes keep every byte when they are read and written again, and those of older
// programs keep what they say.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text/read_file.hpp"
#include "records/comparison.hpp"
#include "records/json.hpp"
#include "records/provenance.hpp"
#include "records/verification.hpp"

namespace hacscale::records {
namespace {

std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(HACSCALE_SOURCE_DIR) / "tests/records/golden" / name;
}

// Whether `after` has all that `before` has; where it has more, an older program did not write that.
void expect_kept(const Json& before, const Json& after, const std::string& place) {
    if (before.is_object()) {
        for (const auto& [key, value] : before.items()) {
            ASSERT_TRUE(after.contains(key)) << place << "." << key;
            expect_kept(value, after.at(key), place + "." + key);
        }
    } else if (before.is_array()) {
        ASSERT_EQ(before.size(), after.size()) << place;
        for (std::size_t i = 0; i < before.size(); ++i) {
            expect_kept(before[i], after[i], place + "[" + std::to_string(i) + "]");
        }
    } else {
        EXPECT_EQ(before, after) << place;
    }
}

TEST(Golden, ComparisonsKeepEveryByte) {
    for (const char* name : {"compare-measured.json", "compare-predicted.json"}) {
        EXPECT_EQ(to_json(read_comparison(golden(name))), read_if_there(golden(name))) << name;
    }
}

TEST(Golden, VerificationsAndProvenancesKeepEveryByte) {
    EXPECT_EQ(to_json(read_verification(golden("verify.json"))), read_if_there(golden("verify.json")));
    for (const char* name : {"provenance.json", "provenance-cpu.json"}) {
        EXPECT_EQ(to_json(read_provenance(golden(name))), read_if_there(golden(name))) << name;
    }
}

TEST(Golden, RecordsOfOlderProgramsKeepWhatTheySay) {
    const ComparisonRecord older = read_comparison(golden("compare-older.json"));
    expect_kept(Json::parse(read_if_there(golden("compare-older.json"))), Json::parse(to_json(older)),
                "compare");
    EXPECT_EQ(older.base.upper.samples, 0);
    expect_kept(Json::parse(read_if_there(golden("verify-older.json"))),
                Json::parse(to_json(read_verification(golden("verify-older.json")))), "verify");
}

}  // namespace
}  // namespace hacscale::records
