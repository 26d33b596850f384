#include "training/data_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "training/sha256.hpp"

namespace hacscale::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view sums_name = "SHA256SUMS";
constexpr std::size_t sum_digits = 64;
constexpr std::uintmax_t max_sums_bytes = std::uintmax_t{1} << 30;  // ten million files

}  // namespace

std::optional<FileSums> own_sums(const fs::path& folder) {
    const fs::path file = folder / sums_name;
    std::error_code error;
    if (!fs::exists(file, error)) return std::nullopt;
    if (const std::uintmax_t size = fs::file_size(file, error); error || size > max_sums_bytes) {
        throw InputError(fmt::format("{}: expected a file of at most {} bytes as sha256sum writes it",
                                     file.string(), max_sums_bytes));
    }
    FileSums sums;
    std::ifstream stream(file);
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
        if (line.empty()) continue;
        const bool well_formed =
            line.size() > sum_digits + 2 && line.find_first_not_of("0123456789abcdef") == sum_digits &&
            line[sum_digits] == ' ' && (line[sum_digits + 1] == ' ' || line[sum_digits + 1] == '*');
        if (!well_formed) {
            throw InputError(file.string(), number,
                             "expected 64 hexadecimal digits, two spaces and a file's name");
        }
        // "find ." writes paths with a dot before them.
        std::string name = line.substr(sum_digits + 2);
        if (name.starts_with("./")) name.erase(0, 2);
        sums[name] = line.substr(0, sum_digits);
    }
    return sums;
}

std::string data_hash(const std::vector<FileSum>& files) {
    std::string text = fmt::format("validation_split_seed={}\n", validation_split_seed);
    for (const FileSum& file : files) text += file.sha256 + "  " + file.name + "\n";
    return hex_hash(text);
}

std::vector<std::uint8_t> read_checked(const fs::path& file, const std::string& sum,
                                       std::string_view advice) {
    std::error_code error;
    std::ifstream stream;
    if (fs::is_regular_file(file, error)) stream.open(file, std::ios::binary | std::ios::ate);
    const std::streamoff size = stream.is_open() ? static_cast<std::streamoff>(stream.tellg()) : -1;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::max<std::streamoff>(size, 0)));
    if (size < 0 || !stream.seekg(0) || !stream.read(reinterpret_cast<char*>(bytes.data()), size)) {
        throw InputError(fmt::format("{}: the file cannot be read; check its permissions", file.string()));
    }
    if (sum.empty()) return bytes;
    if (const std::string found = sha256(bytes); found != sum) {
        throw InputError(fmt::format("{}: expected the SHA-256 sum {}, found {}: the file was altered; {}",
                                     file.string(), sum, found, advice));
    }
    return bytes;
}

std::vector<bool> chosen_for_validation(const std::vector<std::uint16_t>& labels, int classes) {
    std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(classes));
    for (std::size_t i = 0; i < labels.size(); ++i) members[labels[i]].push_back(i);
    std::vector<bool> chosen(labels.size(), false);
    for (std::size_t c = 0; c < members.size(); ++c) {
        RandomStream random{validation_split_seed, c};
        std::vector<std::size_t>& left = members[c];
        for (std::size_t taken = left.size() / 10; taken > 0; --taken) {
            std::swap(left[static_cast<std::size_t>(random.below(static_cast<int>(left.size())))],
                      left.back());
            chosen[left.back()] = true;
            left.pop_back();
        }
    }
    return chosen;
}

void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    std::size_t lowest = count;
    std::exception_ptr failure;
    const auto take_turns = [&] {
        // What is taken is done, so every i below a failed one is.
        while (!failed) {
            const std::size_t i = next++;
            if (i >= count) return;
            try {
                work(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                failed = true;
                if (i < lowest) {
                    lowest = i;
                    failure = std::current_exception();
                }
            }
        }
    };
    const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < std::min(processors, count); ++i) threads.emplace_back(take_turns);
    take_turns();
    for (std::thread& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace hacscale::detail
