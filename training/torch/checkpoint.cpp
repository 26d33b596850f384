#include "training/torch/checkpoint.hpp"

#include <caffe2/serialize/inline_container.h>
#include <torch/serialize/input-archive.h>
#include <torch/serialize/output-archive.h>

#include <sstream>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/replace_file.hpp"

namespace hacscale::training {
namespace {

constexpr std::int64_t format_version = 1;

void write_tensors(torch::serialize::OutputArchive& archive, const std::string& name,
                   const std::vector<at::Tensor>& tensors) {
    archive.write(name + "_count", c10::IValue(static_cast<std::int64_t>(tensors.size())));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        archive.write(name + "_" + std::to_string(i), tensors[i].detach().to(at::kCPU));
    }
}

// A checkpoint is an archive of TorchScript, which may hold functions, and one named __setstate__ would run as the archive is loaded.
// Ours hold tensors and numbers.
void refuse_code(const std::filesystem::path& file) {
    caffe2::serialize::PyTorchStreamReader archive(file.string());
    for (const std::string& name : archive.getAllRecords()) {
        if (!name.starts_with("code/") || !name.ends_with(".py")) continue;
        const auto [bytes, size] = archive.getRecord(name);
        if (std::string_view(static_cast<const char*>(bytes.get()), size).find("def ") !=
            std::string_view::npos) {
            throw InputError("checkpoint " + file.string() + " holds code (" + name +
                             "), which this program never writes; it is not loaded");
        }
    }
}

at::Tensor tensor_of(const std::vector<EpochFigures>& curve) {
    at::Tensor figures = at::empty({static_cast<std::int64_t>(curve.size()), 3}, at::kDouble);
    double* next = figures.data_ptr<double>();
    for (const EpochFigures& epoch : curve) {
        for (const double figure : {epoch.loss, epoch.train_accuracy, epoch.validation_accuracy}) {
            *next++ = figure;
        }
    }
    return figures;
}

std::vector<EpochFigures> curve_of(const at::Tensor& figures) {
    std::vector<EpochFigures> curve;
    for (std::int64_t epoch = 0; epoch < figures.size(0); ++epoch) {
        const auto figure = [&](std::int64_t column) { return figures[epoch][column].item<double>(); };
        curve.push_back({figure(0), figure(1), figure(2)});
    }
    return curve;
}

c10::IValue read_value(torch::serialize::InputArchive& archive, const std::string& name) {
    c10::IValue value;
    archive.read(name, value);
    return value;
}

std::vector<at::Tensor> read_tensors(torch::serialize::InputArchive& archive, const std::string& name) {
    std::vector<at::Tensor> tensors(static_cast<std::size_t>(read_value(archive, name + "_count").toInt()));
    for (std::size_t i = 0; i < tensors.size(); ++i) archive.read(name + "_" + std::to_string(i), tensors[i]);
    return tensors;
}

}  // namespace

std::filesystem::path checkpoint_file(const std::filesystem::path& folder_or_file) {
    std::error_code error;
    return std::filesystem::is_directory(folder_or_file, error) ? folder_or_file / "checkpoint.pt"
                                                                : folder_or_file;
}

void save(const Checkpoint& checkpoint, const std::filesystem::path& file) {
    torch::serialize::OutputArchive archive;
    archive.write("format", c10::IValue(format_version));
    const RunIdentity& identity = checkpoint.identity;
    archive.write("model", c10::IValue(identity.model));
    archive.write("recipe", c10::IValue(identity.recipe));
    archive.write("seed", c10::IValue(identity.seed));
    archive.write("data", c10::IValue(identity.data));
    archive.write("start", c10::IValue(identity.start));
    const RunProgress& progress = checkpoint.progress;
    archive.write("epochs_done", c10::IValue(progress.epochs_done));
    archive.write("steps_done", c10::IValue(progress.steps_done));
    archive.write("train_accuracy", c10::IValue(progress.train_accuracy));
    archive.write("validation_accuracy", c10::IValue(progress.validation_accuracy));
    archive.write("seconds", c10::IValue(progress.seconds));
    archive.write("step_seconds", c10::IValue(progress.step_seconds));
    archive.write("wait_seconds", c10::IValue(progress.wait_seconds));
    archive.write("images", c10::IValue(progress.images));
    archive.write("learning_curve", tensor_of(progress.learning_curve));
    write_tensors(archive, "network", checkpoint.network);
    write_tensors(archive, "average", checkpoint.average);
    write_tensors(archive, "velocities", checkpoint.velocities);
    std::error_code ignored;
    const std::filesystem::path folder = file.parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, ignored);  // writing reports the error
    // In memory first: libtorch throws errors of its own where a stream fails.
    std::ostringstream bytes;
    archive.save_to(bytes);
    replace_file(
        file, [&bytes](std::ostream& stream) { stream << bytes.str(); }, Survives::power_cut);
    bring_to_disk(folder);
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) throw InputError("there is no checkpoint " + file.string());
    try {
        refuse_code(file);
        torch::serialize::InputArchive archive;
        archive.load_from(file.string());
        if (read_value(archive, "format").toInt() != format_version) {
            throw InputError("checkpoint " + file.string() + " is of another version of this program");
        }
        Checkpoint checkpoint;
        RunIdentity& identity = checkpoint.identity;
        identity.model = read_value(archive, "model").toStringRef();
        identity.recipe = read_value(archive, "recipe").toStringRef();
        identity.seed = read_value(archive, "seed").toStringRef();
        identity.data = read_value(archive, "data").toStringRef();
        c10::IValue start;  // which older programs did not write
        if (archive.try_read("start", start)) identity.start = start.toStringRef();
        RunProgress& progress = checkpoint.progress;
        progress.epochs_done = read_value(archive, "epochs_done").toInt();
        progress.steps_done = read_value(archive, "steps_done").toInt();
        progress.train_accuracy = read_value(archive, "train_accuracy").toDouble();
        progress.validation_accuracy = read_value(archive, "validation_accuracy").toDouble();
        progress.seconds = read_value(archive, "seconds").toDouble();
        progress.step_seconds = read_value(archive, "step_seconds").toDouble();
        progress.wait_seconds = read_value(archive, "wait_seconds").toDouble();
        progress.images = read_value(archive, "images").toInt();
        at::Tensor curve;  // likewise
        if (archive.try_read("learning_curve", curve)) progress.learning_curve = curve_of(curve);
        checkpoint.network = read_tensors(archive, "network");
        checkpoint.average = read_tensors(archive, "average");
        checkpoint.velocities = read_tensors(archive, "velocities");
        return checkpoint;
    } catch (const c10::Error&) {
        throw InputError(file.string() +
                         " is no checkpoint of this program, or is damaged; remove it to train anew");
    }
}

std::string difference(const RunIdentity& wanted, const RunIdentity& found) {
    std::string text;
    const auto compare = [&](const char* what, const std::string& ours, const std::string& theirs) {
        if (ours == theirs) return;
        const auto shown = [](const std::string& hash) { return hash.empty() ? "none" : hash; };
        text += (text.empty() ? "" : ", ") + std::string(what) + " " + shown(theirs) + " instead of " +
                shown(ours);
    };
    compare("model", wanted.model, found.model);
    compare("recipe", wanted.recipe, found.recipe);
    compare("seed", wanted.seed, found.seed);
    compare("data", wanted.data, found.data);
    compare("starting weights", wanted.start, found.start);
    return text;
}

void restore(const std::vector<at::Tensor>& from, const std::vector<at::Tensor>& to,
             const std::filesystem::path& file) {
    const at::NoGradGuard no_grad;
    bool fits = from.size() == to.size();
    for (std::size_t i = 0; fits && i < to.size(); ++i) fits = from[i].sizes() == to[i].sizes();
    if (!fits) throw InputError("checkpoint " + file.string() + " has tensors of another model's shapes");
    for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
}

}  // namespace hacscale::training
