// A folder with files of /proc and /sys, as another machine has them.
#pragma once

#include <fstream>
#include <string>

#include "tests/temp_folder.hpp"

namespace hacscale::testing {

class MadeUpMachine {
public:
    const std::filesystem::path& root() const { return folder_.path(); }

    void write(const std::string& file, const std::string& text) const {
        const std::filesystem::path path = folder_ / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text << '\n';
    }
    void siblings(int processor, const std::string& list, const char* file = "core_cpus_list") const {
        write("sys/devices/system/cpu/cpu" + std::to_string(processor) + "/topology/" + file, list);
    }

private:
    TempFolder folder_;
};

}  // namespace hacscale::testing
