// Made-up records of a run, for tests of the report and for looking at its page. The figures follow simple
// formulas and say nothing of any device; the device's name says that they are synthetic.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hacscale::report {

struct SampleOptions {
    std::vector<std::string> models = {"resnet20-cifar", "mobilenetv2-0.35"};
    std::vector<double> budgets = {1.0, 1.065};
    int layers = 22;  // a network
    int front_points = 60;
    std::string hostile = {};  // appended to every free text, to test escaping
    std::string device = "Synthetic CPU";
    double slowness = 1.0;  // of that device: latencies are so many times longer
    bool with_verify = true;
    bool with_table = true;
};

// Writes the folder's files; the folder is made.
void write_sample_records(const std::filesystem::path& folder, const SampleOptions& options = {});

std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace hacscale::report
