#include "records/record_file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ostream>
#include <system_error>

#include "base/error.hpp"
#include "base/replace_file.hpp"

namespace hacscale::records {

void write_record(const std::filesystem::path& file, const std::string& text) {
    // An empty run manifest would shut its folder to the run that resumes.
    replace_file(
        file, [&text](std::ostream& stream) { stream << text; }, Survives::power_cut);
}

void make_record_folder(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error || !std::filesystem::is_directory(folder)) {
        throw WorkError(fmt::format("{}: the folder cannot be made{}; choose another one", folder.string(),
                                    error ? " (" + error.message() + ")" : ""));
    }
}

std::string comparison_file_name(const std::string& model, const Budget& budget) {
    const std::filesystem::path path(model);
    const bool file = path.extension() == ".yaml" || path.extension() == ".yml";
    return fmt::format("compare-{}-{}.json", (file ? path.stem() : path.filename()).string(),
                       budget.file_text());
}

std::string timestamp() {
    const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

}  // namespace hacscale::records
