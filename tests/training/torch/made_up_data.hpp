// A few images in CIFAR-10's form, with sums of their own, that a tiny network can learn in seconds.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "training/sha256.hpp"

namespace hacscale::testing_data {

// Class k is noise with a bright row of its own. `records` a file, the classes in turn.
inline void write_made_up_data(const std::filesystem::path& folder, int records, unsigned seed = 1) {
    std::filesystem::create_directories(folder);
    std::mt19937 generator(seed);
    std::ofstream sums(folder / "SHA256SUMS");
    for (const std::string name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                   "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
        std::vector<std::uint8_t> bytes;
        for (int record = 0; record < records; ++record) {
            const int label = record % 10;
            bytes.push_back(static_cast<std::uint8_t>(label));
            for (int value = 0; value < 3 * 32 * 32; ++value) {
                const int row = value / 32 % 32;
                const bool bright = row / 3 == label;
                bytes.push_back(static_cast<std::uint8_t>(generator() % 64 + (bright ? 160 : 40)));
            }
        }
        std::ofstream(folder / name, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        sums << detail::sha256(bytes) << "  " << name << "\n";
    }
}

}  // namespace hacscale::testing_data
