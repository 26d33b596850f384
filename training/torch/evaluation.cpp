#include "training/torch/evaluation.hpp"

#include <string>

#include "base/error.hpp"
#include "training/batches.hpp"

namespace hacscale::training {
namespace {

constexpr int evaluation_batch = 200;

}  // namespace

void require_fit(const ModelSpec& model, const ImageSet& images) {
    if (model.in_channels == images.channels && model.resolution == images.height &&
        model.classes == images.classes) {
        return;
    }
    const auto shape = [](int channels, int size, int classes) {
        return std::to_string(channels) + "x" + std::to_string(size) + "x" + std::to_string(size) + " and " +
               std::to_string(classes) + " classes";
    };
    throw InputError("model " + model.name + " is made for images of " +
                     shape(model.in_channels, model.resolution, model.classes) + ", and the data has " +
                     shape(images.channels, images.height, images.classes) + "; choose a CIFAR model");
}

void place(TorchNetwork& network, const ComputeSettings& settings) {
    const at::NoGradGuard no_grad;
    network.to(settings.device);
    if (!settings.channels_last) return;
    for (const auto& node : network.nodes()) {
        if (node->weight.defined() && node->weight.dim() == 4) {
            node->weight.set_data(node->weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
        }
    }
}

at::Tensor images_tensor(const float* images, int count, const ImageSet& shape,
                         const ComputeSettings& settings) {
    // libtorch's dimensions are N C H W whatever the strides are. It only reads what it is given here.
    float* memory = const_cast<float*>(images);
    const std::int64_t c = shape.channels, h = shape.height, w = shape.width;
    const std::vector<std::int64_t> strides = settings.channels_last
                                                  ? std::vector<std::int64_t>{c * h * w, 1, w * c, c}
                                                  : std::vector<std::int64_t>{c * h * w, h * w, w, 1};
    return at::from_blob(memory, {count, c, h, w}, strides, at::kFloat).to(settings.device, settings.type);
}

at::Tensor labels_tensor(const std::int64_t* labels, int count, const ComputeSettings& settings) {
    return at::from_blob(const_cast<std::int64_t*>(labels), {count}, at::kLong).to(settings.device);
}

std::optional<double> accuracy(TorchNetwork& network, const ImageSet& images,
                               const Normalization& normalization, const ComputeSettings& settings,
                               const std::function<bool()>& keep_going) {
    const at::NoGradGuard no_grad;
    const bool was_training = network.is_training();
    network.eval();
    BatchSettings batches;
    batches.batch = evaluation_batch;
    batches.channels_last = settings.channels_last;
    batches.threads = settings.loader_threads;
    BatchLoader loader(images, normalization, batches);
    loader.start(0);
    std::int64_t right = 0;
    bool stopped = false;
    while (const auto batch = loader.next()) {
        if (!keep_going()) {
            stopped = true;
            break;
        }
        const at::Tensor logits =
            network.forward(images_tensor(batch->images, batch->count, images, settings));
        const at::Tensor labels = labels_tensor(batch->labels, batch->count, settings);
        right += logits.argmax(1).eq(labels).sum().item<std::int64_t>();
    }
    network.train(was_training);
    if (stopped) return std::nullopt;
    return images.count() == 0 ? 0.0 : static_cast<double>(right) / images.count();
}

}  // namespace hacscale::training
