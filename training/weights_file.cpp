#include "training/weights_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/ops/operator.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

class TensorList {
public:
    void add_node(const Node& node, int index) {
        const LayerSpec& layer = node.layer;
        std::string prefix = node.name;
        // Names come from the model's stages, which a user may have named alike.
        if (!used_.insert(prefix).second) prefix = fmt::format("{}.{}", prefix, index);
        for (WeightPart& part : operator_of(layer.kind).weights(layer)) {
            tensors_.push_back(
                {fmt::format("{}.{}", prefix, part.name), std::move(part.shape), index, part.values});
        }
    }

    std::vector<WeightTensor> take() { return std::move(tensors_); }

private:
    std::vector<WeightTensor> tensors_;
    std::set<std::string> used_;
};

}  // namespace

std::int64_t WeightTensor::elements() const {
    std::int64_t product = 1;
    for (const std::int64_t size : shape) product *= size;
    return product;
}

std::vector<WeightTensor> weight_tensors(const Graph& network) {
    TensorList list;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        list.add_node(network.nodes[i], static_cast<int>(i));
    }
    return list.take();
}

// ---- The file ----

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "the file's numbers are copied as they are");

constexpr const char* format_name = "hacscale-weights-1";
constexpr std::uint64_t length_bytes = 8;
constexpr std::uint64_t header_alignment = 8;
constexpr std::uint64_t max_header_bytes = std::uint64_t{64} << 20;

std::string header_of(const ModelSpec& model, const std::vector<WeightTensor>& tensors) {
    Json header;
    header["__metadata__"] = {
        {"format", format_name}, {"model", model.name}, {"model_hash", model_hash(model)}};
    std::int64_t begin = 0;
    for (const WeightTensor& tensor : tensors) {
        const std::int64_t end = begin + tensor.elements() * static_cast<std::int64_t>(sizeof(float));
        header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
        begin = end;
    }
    std::string text = header.dump();
    text.append((header_alignment - text.size() % header_alignment) % header_alignment, ' ');
    return text;
}

class WeightsReader {
public:
    explicit WeightsReader(const fs::path& file) : file_(file), stream_(file, std::ios::binary) {
        std::error_code error;
        size_ = fs::is_regular_file(file, error) ? fs::file_size(file, error) : 0;
        if (error || !stream_ || size_ == 0) {
            fail("expected a file of weights, found no file that can be read");
        }
        read_header();
    }

    void check_model(const ModelSpec& model) const {
        const auto metadata = header_.find("__metadata__");
        if (metadata == header_.end() || text(*metadata, "format") != format_name) {
            fail(fmt::format("expected metadata with the format {}; 'hacscale export-weights' writes it",
                             format_name));
        }
        const std::string hash = model_hash(model);
        if (const std::string found = text(*metadata, "model_hash"); found != hash) {
            fail(fmt::format("these are weights of the model {:.100} ({:.40}), not of {} ({})",
                             text(*metadata, "model"), found, model.name, hash));
        }
    }

    std::vector<float> read(const WeightTensor& tensor) {
        const auto entry = header_.find(tensor.name);
        if (entry == header_.end()) fail(fmt::format("expected the tensor {}", tensor.name));
        if (text(*entry, "dtype") != "F32") fail(fmt::format("{}: expected the data type F32", tensor.name));
        if (integers(*entry, "shape") != tensor.shape) {
            fail(fmt::format("{}: expected the shape [{}], found [{}]", tensor.name,
                             fmt::join(tensor.shape, ", "), fmt::join(integers(*entry, "shape"), ", ")));
        }
        const std::vector<std::int64_t> place = integers(*entry, "data_offsets");
        const std::int64_t bytes = tensor.elements() * static_cast<std::int64_t>(sizeof(float));
        const auto data_bytes = static_cast<std::int64_t>(size_ - data_begin_);
        if (place.size() != 2 || place[0] < 0 || place[1] < place[0] || place[1] > data_bytes ||
            place[1] - place[0] != bytes) {
            fail(fmt::format("{}: expected data_offsets of {} bytes within the {} bytes of data, found [{}]",
                             tensor.name, bytes, data_bytes, fmt::join(place, ", ")));
        }
        std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
        stream_.seekg(static_cast<std::streamoff>(data_begin_) + place[0]);
        if (!stream_.read(reinterpret_cast<char*>(values.data()), bytes)) fail("the file cannot be read");
        if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
            fail(fmt::format("{}: expected numbers, found one that is not finite", tensor.name));
        }
        return values;
    }

    void check_count(std::size_t tensors) const {
        if (header_.size() != tensors + 1) {
            fail(fmt::format("expected {} tensors, found {}", tensors, header_.size() - 1));
        }
    }

private:
    [[noreturn]] void fail(const std::string& message) const {
        throw InputError(file_.string() + ": " + message);
    }

    void read_header() {
        std::uint64_t length = 0;
        if (size_ < length_bytes || !stream_.read(reinterpret_cast<char*>(&length), length_bytes)) {
            fail(fmt::format("expected at least {} bytes, found {}", length_bytes, size_));
        }
        if (length > max_header_bytes || length > size_ - length_bytes) {
            fail(
                fmt::format("its header should have {} bytes, but the file has {}: it is cut short, or no "
                            "safetensors file",
                            length, size_));
        }
        std::string header(length, '\0');
        if (!stream_.read(header.data(), static_cast<std::streamsize>(length))) {
            fail("the file cannot be read");
        }
        header_ = Json::parse(header, nullptr, false);
        if (!header_.is_object()) fail("expected a header that is a JSON object");
        data_begin_ = length_bytes + length;
    }

    std::string text(const Json& object, const char* key) const {
        if (object.is_object()) {
            if (const auto value = object.find(key); value != object.end() && value->is_string()) {
                return value->get<std::string>();
            }
        }
        fail(fmt::format("expected the key {} with a text", key));
    }

    std::vector<std::int64_t> integers(const Json& object, const char* key) const {
        std::vector<std::int64_t> values;
        const auto list = object.is_object() ? object.find(key) : object.end();
        if (list == object.end() || !list->is_array()) {
            fail(fmt::format("expected the key {} with a list", key));
        }
        for (const Json& value : *list) {
            if (!value.is_number_integer()) fail(fmt::format("{}: expected whole numbers", key));
            values.push_back(value.get<std::int64_t>());
        }
        return values;
    }

    const fs::path& file_;
    std::ifstream stream_;
    std::uintmax_t size_ = 0;
    std::uint64_t data_begin_ = 0;
    Json header_;
};

void check_sizes(const std::vector<WeightTensor>& tensors, const std::vector<LayerWeights>& weights,
                 std::size_t nodes) {
    if (weights.size() != nodes) {
        throw InputError(
            fmt::format("expected weights of {} layers, found those of {}", nodes, weights.size()));
    }
    for (const WeightTensor& tensor : tensors) {
        const auto found = (weights[static_cast<std::size_t>(tensor.node)].*tensor.values).size();
        if (found != static_cast<std::size_t>(tensor.elements())) {
            throw InputError(
                fmt::format("{}: expected {} numbers, found {}", tensor.name, tensor.elements(), found));
        }
    }
}

}  // namespace

void write_weights(const fs::path& file, const ModelSpec& model, const std::vector<LayerWeights>& weights) {
    const Graph network = lower(model);
    const std::vector<WeightTensor> tensors = weight_tensors(network);
    check_sizes(tensors, weights, network.nodes.size());
    const std::string header = header_of(model, tensors);
    const std::uint64_t length = header.size();

    fs::path unfinished = file;
    unfinished += fmt::format(".{}.tmp", ::getpid());
    std::ofstream stream(unfinished, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(&length), length_bytes);
    stream.write(header.data(), static_cast<std::streamsize>(header.size()));
    for (const WeightTensor& tensor : tensors) {
        const std::vector<float>& values = weights[static_cast<std::size_t>(tensor.node)].*tensor.values;
        stream.write(reinterpret_cast<const char*>(values.data()),
                     static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
    stream.close();
    std::error_code error;
    if (stream) fs::rename(unfinished, file, error);
    if (!stream || error) {
        std::error_code ignored;
        fs::remove(unfinished, ignored);
        throw WorkError(fmt::format(
            "{}: the weights cannot be written; check the folder and the disk's space", file.string()));
    }
}

std::vector<LayerWeights> read_weights(const fs::path& file, const ModelSpec& model) {
    WeightsReader reader(file);
    reader.check_model(model);
    const Graph network = lower(model);
    const std::vector<WeightTensor> tensors = weight_tensors(network);
    std::vector<LayerWeights> weights(network.nodes.size());
    for (const WeightTensor& tensor : tensors) {
        weights[static_cast<std::size_t>(tensor.node)].*tensor.values = reader.read(tensor);
    }
    reader.check_count(tensors.size());
    return weights;
}

}  // namespace hacscale
