#include <fmt/format.h>

#include <array>
#include <charconv>
#include <set>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "profiler/table/detail/pickle.hpp"
#include "profiler/table/import/import.hpp"

namespace hacscale {
namespace {

constexpr double max_latency_ms = 1e9;
constexpr std::uintmax_t max_pickle_bytes = std::uintmax_t{256} << 20;

// A key's numbers. MDP's older tables end with the stride: convs without groups.
class HalpKey {
public:
    HalpKey(const std::string& key, const std::string& origin) {
        constexpr std::size_t least_numbers = 6;
        const char* at = key.data();
        const char* const end = at + key.size();
        std::size_t count = 0;
        bool sound = true;
        while (sound) {
            const auto [rest, error] = std::from_chars(at, end, numbers_[count]);
            sound = error == std::errc{} && numbers_[count] >= 1 && numbers_[count] <= max_layer_size;
            ++count;
            if (rest == end) break;
            sound = sound && *rest == '_' && count < numbers_.size();
            at = rest + 1;
        }
        if (!sound || count < least_numbers) {
            throw InputError(fmt::format(
                "{}: the key '{}' is not BATCH_CIN_COUT_MAP_KERNEL_STRIDE_GROUPS, whole numbers from 1 to {}",
                origin, key, max_layer_size));
        }
    }

    int batch() const { return numbers_[0]; }
    LayerSpec layer() const {
        LayerSpec layer;
        layer.in_channels = numbers_[1];
        layer.out_channels = numbers_[2];
        layer.in_height = layer.in_width = numbers_[3];
        layer.window = Window::square(numbers_[4], numbers_[5], numbers_[4] / 2);
        layer.groups = numbers_[6];
        return layer;
    }

private:
    std::array<int, 7> numbers_{1, 1, 1, 1, 1, 1, 1};
};

}  // namespace

ImportedRows import_halp(const std::filesystem::path& file, const ImportSettings& settings) {
    const std::string origin = file.string();
    ImportedRows imported;
    imported.device = imported_device(settings.device, settings.software);
    std::set<std::pair<int, LayerSpec>> known;
    for (const auto& [key, latency_ms] : detail::read_pickle(read_file(file, max_pickle_bytes), origin)) {
        ++imported.entries;
        const HalpKey numbers(key, origin);
        if (!(latency_ms > 0.0 && latency_ms <= max_latency_ms)) {
            throw InputError(fmt::format("{}: the key '{}' has {}, expected milliseconds above 0", origin,
                                         key, latency_ms));
        }
        const LayerSpec plain = numbers.layer();
        if (const auto problem = validate(plain)) {
            throw InputError(fmt::format("{}: the key '{}' is of no conv: {}", origin, key, *problem));
        }
        if (!known.emplace(numbers.batch(), plain).second) {
            throw InputError(
                fmt::format("{}: the key '{}' is of a conv that an earlier key has", origin, key));
        }
        const std::vector<LayerSpec> forms = detail::forms_of(plain, settings);
        if (forms.empty()) {
            imported.ignored.push_back(fmt::format("{}: no network given has such a conv", key));
        }
        for (const LayerSpec& form : forms) {
            Row row;
            row.key = {
                form, numbers.batch(), settings.type, settings.cache,
                settings.cache == CacheState::network ? footprint_bucket(settings.footprint_bytes) : 0};
            row.latency_us = latency_ms * us_a_ms;
            imported.rows.push_back(std::move(row));
        }
    }
    if (imported.entries == 0) throw InputError(origin + ": has no rows");
    return imported;
}

}  // namespace hacscale
