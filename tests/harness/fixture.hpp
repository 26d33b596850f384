// What tests of the harness share: a folder of their own, and a caller that remembers what it was told.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "harness/events.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::harness {

// A folder of its own for each test, gone after it.
class FolderTest : public ::testing::Test {
protected:
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }

private:
    testing::TempFolder folder_;
};

// Remembers messages, one a line, and stops work when a test says so.
class FakeEvents final : public Events {
public:
    void note(const std::string& message) override { said += message + "\n"; }
    void warn(const std::string& message) override { said += "warning: " + message + "\n"; }
    void warn(const std::string& message, const ShellCommand& command) override {
        warn(message + " " + command.text());
    }
    void progress(double, double, const std::string&) override { ++progress_reports; }
    void progress_ended() override { ++progress_ends; }
    bool stop_requested() const override { return stop; }

    std::string said;
    int progress_reports = 0;
    int progress_ends = 0;
    bool stop = false;
};

}  // namespace hacscale::harness
