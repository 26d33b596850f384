#include "bench/training/plain_loop.hpp"

#include <torch/data.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include <utility>

#include "training/torch/network.hpp"

namespace hacscale::bench {
namespace {

using Example = torch::data::Example<>;

// What torchvision's CIFAR10 is in Python: bytes become numbers from 0 to 1 where an image is asked for.
class PlainImages : public torch::data::Dataset<PlainImages> {
public:
    explicit PlainImages(const ImageSet& images) : images_(images) {}
    Example get(std::size_t index) override {
        const int image = static_cast<int>(index);
        const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(images_.image(image)),
                                               {images_.channels, images_.height, images_.width}, at::kByte);
        return {bytes.to(at::kFloat).div(255), torch::tensor(std::int64_t{images_.labels[index]})};
    }
    // Which optional it is differs between versions of libtorch.
    using Size = decltype(std::declval<const torch::data::datasets::MNIST&>().size());
    Size size() const override { return images_.labels.size(); }

private:
    const ImageSet& images_;
};

// The usual augmentation: a crop of the image padded by four pixels, flipped half of the times.
class FlipAndCrop : public torch::data::transforms::TensorTransform<> {
public:
    at::Tensor operator()(at::Tensor image) override {
        constexpr std::int64_t padding = 4;
        const std::int64_t height = image.size(1), width = image.size(2);
        const at::Tensor padded = at::constant_pad_nd(image, {padding, padding, padding, padding});
        const auto offset = [] { return torch::randint(0, 2 * padding + 1, {1}).item<std::int64_t>(); };
        at::Tensor cropped = padded.narrow(1, offset(), height).narrow(2, offset(), width);
        return torch::rand({1}).item<float>() < 0.5F ? cropped.flip({2}) : cropped;
    }
};

}  // namespace

void train_plainly(const Graph& network, const DataSet& data, int batch, int loader_threads,
                   const AfterStep& after_step) {
    const auto& [mean, deviation] = data.normalization;
    auto images = PlainImages(data.train)
                      .map(FlipAndCrop())
                      .map(torch::data::transforms::Normalize<>({mean[0], mean[1], mean[2]},
                                                                {deviation[0], deviation[1], deviation[2]}))
                      .map(torch::data::transforms::Stack<>());
    const auto loader = torch::data::make_data_loader<torch::data::samplers::RandomSampler>(
        std::move(images), torch::data::DataLoaderOptions()
                               .batch_size(static_cast<std::size_t>(batch))
                               .workers(static_cast<std::size_t>(loader_threads))
                               .drop_last(true));
    training::TorchNetwork module(network);
    module.initialize(1);
    module.train();
    torch::optim::SGD optimizer(
        module.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).nesterov(true).weight_decay(5e-4));
    std::int64_t trained = 0;
    for (auto& examples : *loader) {
        optimizer.zero_grad();
        const at::Tensor loss =
            torch::nn::functional::cross_entropy(module.forward(examples.data), examples.target);
        loss.backward();
        optimizer.step();
        trained += examples.data.size(0);
        if (!after_step(trained)) return;
    }
}

}  // namespace hacscale::bench
