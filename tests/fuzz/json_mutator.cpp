// How libFuzzer changes JSON: in half of the inputs one value becomes another one, so that more of them pass the parser. The others change
// as bytes.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed);

namespace {

using Json = nlohmann::ordered_json;

// Pointers stay valid while no value changes.
std::vector<Json*> values_in(Json& root) {
    std::vector<Json*> values{&root};
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!values[i]->is_structured()) continue;
        for (Json& inner : *values[i]) values.push_back(&inner);
    }
    return values;
}

Json edge_value(std::mt19937& random) {
    static const std::array<Json, 20> edges{nullptr,
                                            true,
                                            false,
                                            0,
                                            1,
                                            -1,
                                            0.5,
                                            1e-300,
                                            1e308,
                                            65537,
                                            2147483647,
                                            2147483648,
                                            -2147483649LL,
                                            9007199254740993LL,
                                            -9223372036854775807LL,
                                            18446744073709551615ULL,
                                            "",
                                            "\xc3\xa9 \"<a>\"\n",
                                            Json::array(),
                                            Json::object()};
    return edges[random() % edges.size()];
}

void change(Json& value, const Json& other, std::mt19937& random) {
    switch (random() % 5) {
        case 0:
            value = other;
            return;
        case 1:
            if (value.is_structured() && !value.empty())
                value.erase(std::next(value.begin(), static_cast<int>(random() % value.size())));
            return;
        case 2:
            if (value.is_array()) {
                value.push_back(other);
            } else if (value.is_number_integer()) {
                value = value.get<std::int64_t>() / 2 + static_cast<int>(random() % 5) - 2;
            } else if (value.is_number()) {
                value = -value.get<double>();
            }
            return;
        default:
            value = edge_value(random);
    }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    std::mt19937 random(seed);
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    Json root = random() % 2 == 0 ? Json(Json::value_t::discarded) : Json::parse(bytes, nullptr, false);
    if (root.is_discarded()) return LLVMFuzzerMutate(data, size, max_size);
    const std::vector<Json*> values = values_in(root);
    const Json other = *values[random() % values.size()];
    change(*values[random() % values.size()], other, random);
    const std::string text = root.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
    std::memcpy(data, text.data(), text.size());
    return text.size();
}
