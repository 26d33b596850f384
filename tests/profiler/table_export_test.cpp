#include "profiler/table/export.hpp"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/ops/layer_spec.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;
using nlohmann::json;

json exported_json(const Table& table, const RowFilter& filter = {}) {
    std::ostringstream out;
    write_json(table, filter, out);
    return json::parse(out.str());
}

// A reader of RFC 4180 that knows nothing of the writer.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
    std::vector<std::vector<std::string>> lines(1);
    std::string cell;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c != '"') {
                cell += c;
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                cell += text[++i];
            } else {
                quoted = false;
            }
        } else if (c == '"') {
            quoted = true;
        } else if (c == ',' || c == '\r') {
            lines.back().push_back(std::exchange(cell, ""));
            if (c == '\r') {
                EXPECT_EQ(text.at(++i), '\n');
                lines.emplace_back();
            }
        } else {
            cell += c;
        }
    }
    EXPECT_TRUE(lines.back().empty());
    lines.pop_back();
    return lines;
}

std::vector<std::map<std::string, std::string>> exported_csv(const Table& table) {
    std::ostringstream out;
    write_csv(table, {}, out);
    const auto lines = parse_csv(out.str());
    std::vector<std::map<std::string, std::string>> rows;
    for (std::size_t line = 1; line < lines.size(); ++line) {
        EXPECT_EQ(lines[line].size(), lines[0].size());
        auto& row = rows.emplace_back();
        for (std::size_t column = 0; column < lines[0].size(); ++column) {
            row[lines[0][column]] = lines[line].at(column);
        }
    }
    return rows;
}

double number(const std::string& text) {
    double value = 0.0;
    EXPECT_EQ(std::from_chars(text.data(), text.data() + text.size(), value).ec, std::errc{}) << text;
    return value;
}

class TableExport : public ::testing::Test {
protected:
    void fill() {
        std::mt19937 random(3);
        std::vector<Row> rows;
        for (int i = 0; i < 300; ++i) rows.push_back(random_row(random));
        table_.put(rows);
        table_.put(PeakRecord{DataType::f32, 1.7e11, 2.3e10, std::nullopt, std::nullopt});
    }
    TempFolder folder_;
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &test_device);
};

TEST_F(TableExport, RoundTripsExactly) {
    fill();
    const auto rows = table_.query({});
    const json objects = exported_json(table_);
    const auto lines = exported_csv(table_);
    ASSERT_EQ(objects.size(), rows.size());
    ASSERT_EQ(lines.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        const json& object = objects[i];
        EXPECT_EQ(object["layer"], row.key.layer.key());
        EXPECT_EQ(object["footprint_bytes"], row.key.footprint_bytes);
        EXPECT_EQ(object["reason"], row.reason);
        EXPECT_EQ(lines[i].at("reason"), row.reason);
        EXPECT_EQ(lines[i].at("status"), name_of(row.status));
        EXPECT_EQ(number(lines[i].at("samples")), static_cast<double>(row.samples));
        for (const RowColumn& column : row_columns()) {
            if (column.type != ColumnType::real) continue;
            const std::string name(column.name);
            const ColumnValue value = column.get(row);
            const double* figure = std::get_if<double>(&value);
            EXPECT_EQ(object[name].is_null(), figure == nullptr) << name;
            EXPECT_EQ(lines[i].at(name).empty(), figure == nullptr) << name;
            if (figure == nullptr) continue;
            EXPECT_EQ(object[name].get<double>(), *figure);
            EXPECT_EQ(number(lines[i].at(name)), *figure);
        }
        EXPECT_EQ(object["throttle_reasons"], row.readings.throttle_reasons);
        const json reasons = row.readings.reasons.empty() ? json() : json(row.readings.reasons);
        EXPECT_EQ(object["missing_reasons"], reasons);
        EXPECT_EQ(lines[i].at("missing_reasons").empty(), reasons.is_null());
        if (!reasons.is_null()) {
            EXPECT_EQ(json::parse(lines[i].at("missing_reasons")), reasons);
        }
        if (has_latency(row.status)) {
            EXPECT_EQ(object["latency_us"].get<double>(), row.latency_us);
            EXPECT_EQ(number(lines[i].at("latency_us")), row.latency_us);
            EXPECT_EQ(number(lines[i].at("ci95_us")), row.ci95_us);
        } else {
            EXPECT_TRUE(object["latency_us"].is_null());
            EXPECT_TRUE(object["ci95_us"].is_null());
            EXPECT_EQ(lines[i].at("latency_us"), "");
            EXPECT_NE(lines[i].at("reason"), "");
        }
    }
}

TEST_F(TableExport, HasTheSameColumnsInBothForms) {
    fill();
    const json objects = exported_json(table_);
    const auto lines = exported_csv(table_);
    for (const auto& [name, cell] : lines.at(0)) EXPECT_TRUE(objects[0].contains(name)) << name;
    EXPECT_EQ(objects[0].size(), lines[0].size());
    for (const char* promised :
         {"layer", "batch", "dtype", "cache", "latency_us", "ci95_us", "samples", "status", "reason",
          "utilization", "occupancy_theoretical", "occupancy_achieved"}) {
        EXPECT_TRUE(objects[0].contains(promised)) << promised;
    }
}

TEST_F(TableExport, ComputesUtilizationFromThePeak) {
    const Row row = warm_row(conv(64, 64), 1000.0);
    table_.put(row);
    json object = exported_json(table_).at(0);
    EXPECT_TRUE(object["utilization"].is_null());
    EXPECT_NE(object["utilization_reason"].get<std::string>().find("no peak for f32"), std::string::npos);

    table_.put(PeakRecord{DataType::f32, 1e12, 1e11, std::nullopt, std::nullopt});
    object = exported_json(table_).at(0);
    const double flops = 2.0 * 64 * 64 * 9 * 56 * 56;
    EXPECT_EQ(object["flops"].get<double>(), flops);
    EXPECT_NEAR(object["flops_per_s"].get<double>(), flops / 1e-3, 1.0);
    EXPECT_NEAR(object["utilization"].get<double>(), flops / 1e-3 / 1e12, 1e-12);
    EXPECT_GE(object["roofline_efficiency"].get<double>(), object["utilization"].get<double>());
    EXPECT_EQ(object["utilization_reason"], "");
}

TEST_F(TableExport, OfNothingIsAnEmptyList) {
    EXPECT_EQ(exported_json(table_), json::array());
    EXPECT_TRUE(exported_csv(table_).empty());
}

TEST_F(TableExport, SurvivesTextsThatAreNotUtf8) {
    table_.put(failed_row(conv(8, 8), "bad \xff byte"));
    EXPECT_EQ(exported_json(table_).size(), 1U);
}

TEST_F(TableExport, SaysThatTheOutputFailed) {
    fill();
    std::ofstream full("/dev/full");
    EXPECT_THROW(write_csv(table_, {}, full), WorkError);
    std::ostringstream closed;
    closed.setstate(std::ios::badbit);
    EXPECT_THROW(write_json(table_, {}, closed), WorkError);
}

TEST_F(TableExport, DocumentsNameEveryColumn) {
    std::ifstream file(HACSCALE_SOURCE_DIR "/docs/formats.md");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t begin = text.find("### Exported columns");
    ASSERT_NE(begin, std::string::npos);
    const std::string section = text.substr(begin, text.find("\n### ", begin + 1) - begin);
    std::ostringstream csv;
    write_csv(table_, {}, csv);
    std::istringstream names(csv.str().substr(0, csv.str().find('\r')));
    for (std::string name; std::getline(names, name, ',');) {
        EXPECT_NE(section.find("`" + name + "`"), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace hacscale
