#include <fmt/format.h>

#include <fstream>

#include "base/error.hpp"
#include "report/formats/formats.hpp"

namespace hacscale::report {

namespace fs = std::filesystem;

void replace_file(const fs::path& file, const std::string& content) {
    fs::path partial = file;
    partial += ".partial";
    {
        std::ofstream out(partial, std::ios::binary | std::ios::trunc);
        out << content;
        out.flush();
        if (!out) {
            std::error_code ignored;
            fs::remove(partial, ignored);
            throw WorkError(
                fmt::format("{}: cannot be written; check that the folder is writable and the disk not full",
                            file.string()));
        }
    }
    std::error_code error;
    fs::rename(partial, file, error);
    if (error) throw WorkError(fmt::format("{}: cannot be replaced ({})", file.string(), error.message()));
}

}  // namespace hacscale::report
