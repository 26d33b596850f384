// Suites end to end on a made-up device.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cli/session.hpp"
#include "made_up_device.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::cli {

class RunTest : public MadeUpDeviceTest {
protected:
    void SetUp() override {
        network("one", 8);
        network("two", 16);
        network("three", 24);
    }
    void TearDown() override { clear_interrupt(); }

    void network(const std::string& name, int width) const {
        write(name + ".yaml",
              "name: " + name +
                  "\ninput: {channels: 3, resolution: 16}\nclasses: 10\nstem:\n"
                  "  - conv: {width: " +
                  std::to_string(width) + "}\nstages:\n  - {name: stage1, block: basic, width: " +
                  std::to_string(width) + ", depth: 1}\nhead:\n  - global_avg_pool\n  - linear: {}\n");
    }

    std::string suite(const std::string& more, const std::string& name = "small",
                      const std::string& minutes = "0.01") const {
        return write("suite.yaml", "name: " + name + "\nstrategies: [hacscale]\nseconds: 0.02\nminutes: " +
                                       minutes + "\nmax_width_ratio: 1\nmax_depth_ratio: 1\n" + more);
    }

    std::set<RowKey> keys(const std::string& table) const {
        std::set<RowKey> all;
        for (const Row& row : Table::open(path(table), OpenMode::read).query({})) {
            all.insert(row.key);
        }
        return all;
    }

    bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

    std::string content(const std::string& name) const {
        std::stringstream text;
        text << std::ifstream(path(name), std::ios::binary).rdbuf();
        return text.str();
    }
};

}  // namespace hacscale::cli
