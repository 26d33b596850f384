// What the tests of training share: folders that vanish, data sets of a few images, networks that are quickly
// made.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "tests/temp_folder.hpp"
#include "training/sha256.hpp"

namespace hacscale::testing {

inline std::string read_bytes(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

// Six files in CIFAR-10's form with `records` images each, and their sums. Image i of all has label i % 10;
// its pixels depend on i.
inline void write_small_cifar(const std::filesystem::path& folder, int records) {
    std::filesystem::create_directories(folder);
    std::string sums;
    int image = 0;
    for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                             "data_batch_5.bin", "test_batch.bin"}) {
        std::string bytes;
        for (int i = 0; i < records; ++i, ++image) {
            bytes += static_cast<char>(image % 10);
            for (int p = 0; p < 3072; ++p) {
                bytes += static_cast<char>(p % 2 == 0 ? image * 31 + p * 7 : image / 256 + p / 32);
            }
        }
        write_bytes(folder / name, bytes);
        const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        sums += detail::sha256({data, bytes.size()}) + "  " + name + "\n";
    }
    write_bytes(folder / "SHA256SUMS", sums);
}

// The text of the error that `work` throws, which must be of this kind.
template <typename Kind, typename Work>
std::string error_of(const Work& work) {
    try {
        work();
    } catch (const Kind& error) {
        return error.what();
    } catch (const std::exception& error) {
        ADD_FAILURE() << "another error: " << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

inline constexpr const char* small_model_yaml =
    "name: small\ninput: {channels: 3, resolution: 32}\nclasses: 10\n"
    "stem:\n  - conv: {width: 8}\n"
    "stages:\n"
    "  - {name: stage1, block: basic, width: 8, depth: 1}\n"
    "  - {name: stage2, block: inverted_residual, width: 16, depth: 1, stride: 2, expansion: 4,\n"
    "     squeeze_excite: {ratio: 0.25}}\n"
    "  - {name: stage3, block: preact_basic, width: 16, depth: 1}\n"
    "head:\n  - norm\n  - global_avg_pool\n  - linear: {}\n";

inline ModelSpec small_model() {
    return parse_model(small_model_yaml, "small.yaml");
}

}  // namespace hacscale::testing
