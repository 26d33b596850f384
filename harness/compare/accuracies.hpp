// What the accuracy records know of the networks of a comparison.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "records/comparison.hpp"
#include "training/records.hpp"

namespace hacscale::harness {

class KnownAccuracies {
public:
    // InputError when `file` holds no accuracy records, or when there is no such file and it is not
    // `may_be_absent`, and for a recipe that is not known.
    KnownAccuracies(const std::filesystem::path& file, const std::string& recipe, bool may_be_absent);

    // Fills `accuracy` of every row whose network was trained with the recipe, on whatever device: a network
    // is known by its hash, and of one seed the first record counts. The verdict is drawn anew. InputError
    // when the records come from different data, because those accuracies do not compare.
    void add_to(records::ComparisonRecord& comparison) const;

    // Recipes, other than the one asked for, with which networks of the comparison were trained.
    std::vector<std::string> other_recipes(const records::ComparisonRecord& comparison) const;

    const std::string& recipe() const { return recipe_; }

private:
    std::filesystem::path file_;
    std::string recipe_;
    std::string recipe_hash_;
    std::vector<AccuracyRecord> records_;
};

// Takes out what add_to() put in, and draws the verdict anew.
void remove_accuracies(records::ComparisonRecord& comparison);

// add_to(), and a message when the records know the networks by other recipes only.
void add_accuracies(records::ComparisonRecord& comparison, const KnownAccuracies& known, Events& events);

// add_accuracies() for the comparisons stored in a folder of records (compare-*.json), which are replaced.
// What was measured stays as it is. InputError when there is none, or when one is not what this program
// writes; no file has been changed then.
void add_accuracies_in_folder(const std::filesystem::path& folder, const KnownAccuracies& known,
                              Events& events);

}  // namespace hacscale::harness
