// Accuracies of trainings that were not this program's, handed in as a file. In records and reports they stand as that file's,
// and never beside those of accuracy records: a comparison has the one or the other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "records/comparison.hpp"

namespace hacscale::harness {

class GivenAccuracies {
public:
    // CSV, or JSON with its rows under "accuracies": `network`, `seed` (0 where there is none) and `accuracy`, top-1 on the test
    // set in percent. A network is named as the files of a training plan are, MODEL-STRATEGY-BUDGET or MODEL-base; or by its
    // model_hash. InputError for other content, for a network with one seed twice, and for accuracies that are
    // all at most 1, which are no percents.
    explicit GivenAccuracies(const std::filesystem::path& file);

    // Takes out the accuracies that the comparison has, enters these, and recomputes the verdict. Returns the networks of
    // the file that it has.
    std::vector<std::string> add_to(records::ComparisonRecord& comparison) const;

    const std::filesystem::path& file() const { return file_; }
    std::vector<std::string> networks() const;  // as the file names them

private:
    std::filesystem::path file_;
    std::map<std::string, std::map<std::uint64_t, double>> percents_;  // by network, then seed
};

// Names by which a row's network can be given. A plan's files shorten long names of models as well.
std::vector<std::string> names_of(const records::ComparisonRecord& comparison,
                                  const records::StrategyRow& row);

// add_to() a comparison that is at hand, with a warning that names networks of the file it does not have. InputError when
// it has none of them.
void add_accuracies(records::ComparisonRecord& comparison, const GivenAccuracies& given, Events& events);

// The same for the comparisons stored in a folder of records (compare-*.json), which are replaced. InputError when there is
// none, or when none has any of the networks; no file has been changed then.
void add_accuracies_in_folder(const std::filesystem::path& folder, const GivenAccuracies& given,
                              Events& events);

}  // namespace hacscale::harness
