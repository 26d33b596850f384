// Files of tensors in the safetensors form (huggingface.co/docs/safetensors): 8 bytes with the header's length, a header in JSON,
// then the numbers, little-endian and dense.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace hacscale {

class SafetensorsFile {
public:
    struct Entry {
        std::string type;  // "F32", "BF16", ...
        std::vector<std::int64_t> shape;
        std::uint64_t begin = 0;  // bytes within the data
        std::uint64_t end = 0;
    };

    // Throws InputError, which names the file, for one that cannot be read, is cut short, or has a header of another form.
    explicit SafetensorsFile(const std::filesystem::path& file);

    const std::filesystem::path& path() const { return file_; }
    const std::map<std::string, Entry>& entries() const { return entries_; }
    // What its key __metadata__ says; texts only.
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    bool has(const std::string& name) const { return entries_.contains(name); }

    // The numbers as f32: those of F32, F16, BF16 and F64 tensors. Throws InputError, which names the tensor, where there is none, it has another
    // shape or data type, or a number is not finite.
    std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape);

private:
    [[noreturn]] void fail(const std::string& message) const;

    std::filesystem::path file_;
    std::ifstream stream_;
    std::uint64_t data_begin_ = 0;
    std::map<std::string, Entry> entries_;
    std::map<std::string, std::string> metadata_;
};

struct NamedTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    const std::vector<float>* values = nullptr;  // dense
};

// Tensors and metadata in this order. Replaces the file as a whole. Throws WorkError, and leaves the file that was there, where it cannot
// be written.
void write_safetensors(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, std::string>>& metadata,
                       const std::vector<NamedTensor>& tensors);

}  // namespace hacscale
