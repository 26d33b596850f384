// Which thread does what: every output belongs to exactly one thread, for generated shapes and devices.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "kernels/cuda/device/channel_tiling.hpp"
#include "kernels/cuda/device/depthwise_tensor_tiling.hpp"
#include "kernels/cuda/device/depthwise_tiling.hpp"
#include "kernels/cuda/device/linear.hpp"
#include "kernels/cuda/device/pointwise.hpp"
#include "kernels/cuda/device/reduction.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::cuda {
namespace {

class Draws {
public:
    int between(int least, int most) { return std::uniform_int_distribution<int>(least, most)(generator_); }
    int one_of(std::initializer_list<int> values) {
        return *(values.begin() + between(0, static_cast<int>(values.size()) - 1));
    }

private:
    std::mt19937_64 generator_{17};
};

void expect_all_once(const std::vector<int>& visits, const std::string& what) {
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), static_cast<std::ptrdiff_t>(visits.size()))
        << what;
}

TEST(Divisor, DividesExactly) {
    constexpr int greatest = 2147483647;
    std::mt19937 generator(3);
    const auto check = [](int n, int d) {
        const Divisor divisor(d);
        ASSERT_EQ(divisor.quotient(n), n / d) << n << " / " << d;
        int rest = n;
        ASSERT_EQ(divisor.take(rest), n % d);
        ASSERT_EQ(rest, n / d);
    };
    for (const int d : {1, 2, 3, 5, 7, 641, 65535, 65536, greatest - 1, greatest}) {
        for (const int n : {0, 1, d - 1, d, greatest - 1, greatest}) check(n, d);
    }
    for (int i = 0; i < 200000; ++i) {
        const int n = static_cast<int>(generator() >> 1);
        const int d = 1 + static_cast<int>((generator() >> 1) >> (generator() % 31));
        check(n, std::max(d, 1));
        check(static_cast<int>(std::int64_t{n} / d * d), d);
        check(static_cast<int>(std::max<std::int64_t>(std::int64_t{n} / d * d - 1, 0)), d);
    }
}

TEST(DepthwiseTiling, GivesEveryOutputToOneThread) {
    Draws draws;
    for (int i = 0; i < 300; ++i) {
        const int vector = draws.one_of({1, 4, 8});
        const DepthwiseShape shape{draws.between(1, 3), vector * draws.one_of({1, 2, 3, 9, 17, 20, 33, 72}),
                                   draws.between(1, 30), draws.between(1, 30), vector};
        const int strip = draws.one_of({1, 2, 4});
        const DepthwiseTiling tiling = tile_depthwise(shape, strip, draws.one_of({1, 24, 132}));
        const int vectors = shape.channels / vector;
        std::vector<int> visits(static_cast<std::size_t>(shape.batch) * shape.out_height * shape.out_width *
                                vectors);
        ASSERT_LE(tiling.threads(), depthwise_max_threads);
        for (int block = 0; block < tiling.blocks(); ++block) {
            for (int thread = 0; thread < tiling.threads(); ++thread) {
                const auto cell = tiling.cell(block, thread);
                if (!cell.valid) continue;
                ASSERT_TRUE(cell.image < shape.batch && cell.row < shape.out_height &&
                            cell.vector < vectors && cell.column < shape.out_width);
                for (int s = 0; s < strip && cell.column + s < shape.out_width; ++s) {
                    ++visits[((static_cast<std::size_t>(cell.image) * shape.out_height + cell.row) *
                                  shape.out_width +
                              cell.column + s) *
                                 vectors +
                             cell.vector];
                }
            }
        }
        expect_all_once(visits, "shape " + std::to_string(i));
    }
}

// Latency at batch 1: the work reaches all multiprocessors, or is cut as small as blocks get.
TEST(DepthwiseTiling, FillsADeviceWithTheZoosLayers) {
    constexpr int multiprocessors = 132;
    int layers = 0;
    for (const std::string& name : zoo_names()) {
        const Graph network = lower(find_model(name));
        for (const Node& node : network.nodes) {
            const LayerSpec& layer = node.layer;
            if (!layer.depthwise() || layer.in_channels % 8 != 0) continue;
            ++layers;
            const DepthwiseShape shape{1, layer.out_channels, layer.out_height(), layer.out_width(), 8};
            const DepthwiseTiling tiling =
                tile_depthwise(shape, strip_for(shape, multiprocessors), multiprocessors);
            EXPECT_TRUE(tiling.blocks() >= multiprocessors || tiling.threads() <= 64) << layer.key();
            // Idle threads: those of the last tiles, and those that fill up a warp.
            const double work = static_cast<double>(tiling.vectors) * tiling.strips * tiling.rows;
            const double threads = static_cast<double>(tiling.blocks()) * tiling.threads();
            EXPECT_GT(work / threads, 0.5) << layer.key();
        }
    }
    EXPECT_GT(layers, 100);
}

TEST(DepthwiseTiling, TakesLongStripsWhereThereIsWork) {
    EXPECT_EQ(strip_for({64, 96, 56, 56, 8}, 132), 4);
    EXPECT_EQ(strip_for({1, 960, 7, 7, 8}, 132), 1);
}

TEST(DepthwiseTensorTiling, GivesEveryOutputToOneHalf) {
    Draws draws;
    for (int i = 0; i < 200; ++i) {
        const DepthwiseTensorShape shape{draws.between(1, 3),  8 * draws.between(1, 20), draws.between(1, 60),
                                         draws.between(1, 60), draws.one_of({3, 5}),     draws.between(1, 2)};
        const auto tilings = depthwise_tensor_tilings(shape, draws.one_of({1, 24, 132}));
        ASSERT_FALSE(tilings.empty());
        const DepthwiseTensorTiling& tiling = tilings.at(i % tilings.size());
        ASSERT_LE(tiling.packets(), depthwise_tensor_packets);
        ASSERT_LE(tiling.warps() * 32, depthwise_tensor_threads);
        const int vectors = shape.channels / 8;
        std::vector<int> visits(static_cast<std::size_t>(shape.batch) * shape.out_height * shape.out_width *
                                vectors);
        const auto visit = [&](const DepthwiseTensorTiling::Tile& tile, int pair, int half_index) {
            const auto half = tiling.half(half_index);
            if (!half.valid) return;
            for (int v = tile.first_vector + pair * pair_vectors, end = v + pair_vectors;
                 v < std::min(end, vectors); ++v) {
                for (int r = 0; r < tiling.band_rows; ++r) {
                    for (int c = 0; c < group_columns; ++c) {
                        const int row = tile.row + half.band * tiling.band_rows + r;
                        const int column = tile.column + half.group * group_columns + c;
                        if (row >= shape.out_height || column >= shape.out_width) continue;
                        ++visits[((static_cast<std::size_t>(tile.image) * shape.out_height + row) *
                                      shape.out_width +
                                  column) *
                                     vectors +
                                 v];
                    }
                }
            }
        };
        for (int block = 0; block < tiling.blocks(); ++block) {
            for (int unit = 0; unit < tiling.units(); ++unit) {
                int rest = unit;
                const int pair = tiling.pairs.take(rest);
                visit(tiling.tile(block), pair, 2 * rest);
                visit(tiling.tile(block), pair, 2 * rest + 1);
            }
        }
        expect_all_once(visits, "shape " + std::to_string(i));
    }
}

// What eight lanes read together, the same tap of eight outputs side by side, is in eight different banks of 16
// bytes; and no two staged columns share a place.
TEST(DepthwiseTensorTiling, ReadsWithoutBankConflicts) {
    Draws draws;
    for (int i = 0; i < 100; ++i) {
        const DepthwiseTensorShape shape{1,
                                         8 * draws.between(1, 20),
                                         draws.between(1, 60),
                                         draws.between(1, 60),
                                         draws.one_of({3, 5}),
                                         draws.between(1, 2)};
        const DepthwiseTensorTiling tiling = depthwise_tensor_tilings(shape, 132).back();
        std::vector<int> places(static_cast<std::size_t>(tiling.staged_columns.value()));
        for (int c = 0; c < tiling.staged_columns.value(); ++c) ++places.at(tiling.position_of(c));
        expect_all_once(places, "columns of shape " + std::to_string(i));
        for (int tap = 0; tap < shape.kernel; ++tap) {
            std::set<int> banks;
            for (int c = 0; c < group_columns; ++c) {
                banks.insert(tiling.position_of(c * shape.stride + tap) * tiling.position_packets() % 8);
            }
            EXPECT_EQ(banks.size(), 8U) << "tap " << tap << " of shape " << i;
        }
    }
}

// Of the zoo's layers a tile has little that is beyond the image, and devices get work for all.
TEST(DepthwiseTensorTiling, FillsADeviceWithTheZoosLayers) {
    constexpr int multiprocessors = 132;
    double computed = 0.0;
    double wanted = 0.0;
    for (const std::string& name : zoo_names()) {
        for (const Node& node : lower(find_model(name)).nodes) {
            const LayerSpec& layer = node.layer;
            if (!layer.depthwise() || layer.in_channels % 8 != 0 || layer.kernel() > 5) continue;
            const DepthwiseTensorShape shape{64,
                                             layer.out_channels,
                                             layer.out_height(),
                                             layer.out_width(),
                                             layer.kernel(),
                                             layer.stride()};
            const DepthwiseTensorTiling tiling = depthwise_tensor_tilings(shape, multiprocessors).front();
            EXPECT_GE(tiling.blocks(), multiprocessors * 3 / 4) << layer.key();
            computed += static_cast<double>(tiling.blocks()) * tiling.staged_vectors.value() * tiling.groups *
                        group_columns * tiling.rows();
            wanted += 64.0 * shape.channels / 8 * shape.out_height * shape.out_width;
        }
    }
    EXPECT_LT(computed / wanted, 1.4);
}

TEST(ChannelTiling, VisitsEveryElementOnce) {
    Draws draws;
    for (int i = 0; i < 300; ++i) {
        const int vector = draws.one_of({1, 4, 8});
        const ChannelShape shape{draws.between(1, 3), vector * draws.one_of({1, 2, 3, 7, 9, 40}),
                                 draws.one_of({1, 2, 9, 49, 196, 1000}), vector};
        const ChannelTiling tiling =
            tile_channels(shape, draws.one_of({1, 24, 132}), draws.one_of({1, 4, 16}));
        const int vectors = shape.channels / vector;
        ASSERT_LE(tiling.threads(), channel_threads);
        ASSERT_LE(tiling.tile.value() * tiling.lanes, channel_threads);  // what the sums' shared memory holds
        ASSERT_LE(tiling.tile.value() * vector, channel_threads);        // and the gates'
        std::vector<int> visits(static_cast<std::size_t>(shape.batch) * shape.positions * vectors);
        std::vector<int> writes(static_cast<std::size_t>(shape.batch) * tiling.chunks.value() * vectors);
        for (int block = 0; block < tiling.blocks(); ++block) {
            for (int thread = 0; thread < tiling.threads(); ++thread) {
                const auto place = tiling.place(block, thread);
                if (!place.valid) continue;
                ASSERT_LT(place.begin, place.end);
                const int own = place.first_vector + place.vector;
                if (place.lane == 0) {
                    ++writes[(place.image * tiling.chunks.value() + place.chunk_index) * vectors + own];
                }
                for (int p = place.begin + place.lane; p < place.end; p += tiling.lanes) {
                    ++visits[(static_cast<std::size_t>(place.image) * shape.positions + p) * vectors + own];
                }
            }
        }
        expect_all_once(visits, "visits of shape " + std::to_string(i));
        expect_all_once(writes, "writes of shape " + std::to_string(i));
    }
}

TEST(ChannelTiling, SpreadsOneImageOverManyBlocks) {
    EXPECT_GE(tile_channels({1, 1280, 49, 8}, 132, 16).blocks(), 80);
    EXPECT_EQ(tile_channels({1, 1280, 49, 8}, 132, 16).chunks.value(), 1);
    EXPECT_GE(tile_channels({1, 32, 112 * 112, 8}, 132, 4).blocks(), 96);
}

TEST(ClusterTiling, VisitsEveryElementOfAnImageInOneCluster) {
    Draws draws;
    for (int i = 0; i < 300; ++i) {
        const int vector = draws.one_of({1, 4, 8});
        const ChannelShape shape{draws.between(1, 3), vector * draws.one_of({1, 2, 3, 7, 9, 18, 40, 144}),
                                 draws.one_of({1, 2, 9, 49, 196, 1000}), vector};
        const int cluster = draws.one_of({4, 8, 16});
        const auto tiling = tile_cluster(shape, cluster, 512);
        ASSERT_TRUE(tiling.has_value());
        const int vectors = shape.channels / vector;
        const int blocks = tiling->vector_tiles.value() * tiling->chunks.value();
        ASSERT_EQ(blocks, cluster);
        ASSERT_EQ(tiling->blocks(), std::int64_t{blocks} * shape.batch);
        ASSERT_LE(tiling->threads(), 512);
        std::vector<int> visits(static_cast<std::size_t>(shape.batch) * shape.positions * vectors);
        for (int block = 0; block < tiling->blocks(); ++block) {
            for (int thread = 0; thread < tiling->threads(); ++thread) {
                const auto place = tiling->place(block, thread);
                ASSERT_EQ(place.image, block / cluster);
                if (!place.valid) continue;
                for (int p = place.begin + place.lane; p < place.end; p += tiling->lanes) {
                    ++visits[(static_cast<std::size_t>(place.image) * shape.positions + p) * vectors +
                             place.first_vector + place.vector];
                }
            }
        }
        expect_all_once(visits, "visits of shape " + std::to_string(i));
    }
}

TEST(ClusterTiling, SharesOutChannelsFirstAndThenPositions) {
    const auto of = [](int channels, int positions) {
        const auto tiling = tile_cluster({1, channels, positions, 8}, 8, 512);
        return std::pair(tiling->vector_tiles.value(), tiling->chunks.value());
    };
    EXPECT_EQ(of(1152, 49), std::pair(8, 1));
    EXPECT_EQ(of(144, 56 * 56), std::pair(2, 4));  // eight tiles would be 3, 3, 3, 3, 3, 3, 0, 0 vectors
    EXPECT_EQ(of(32, 112 * 112), std::pair(2, 4));
    EXPECT_EQ(of(8, 100), std::pair(1, 8));
    EXPECT_FALSE(tile_cluster({1, 5000, 49, 1}, 8, 512).has_value());
}

TEST(LaneSums, AddsEveryRowOnce) {
    Draws draws;
    for (int i = 0; i < 200; ++i) {
        const int lanes = draws.between(1, 130);
        const int width = draws.between(1, 70);
        const int threads = 32 * draws.between(1, 8);
        const LaneSums sums = lane_sums(lanes, width, threads);
        std::vector<float> rows(static_cast<std::size_t>(lanes) * width);
        for (int at = 0; at < lanes * width; ++at) rows[at] = static_cast<float>(at % 7 + at % width);
        std::vector<float> expected(static_cast<std::size_t>(width));
        for (int at = 0; at < lanes * width; ++at) expected[at % width] += rows[at];
        for (int thread = threads - 1; thread >= 0; --thread) sums.add_to_parts(rows.data(), thread, threads);
        for (int column = 0; column < width; ++column) {
            ASSERT_EQ(sums.total(rows.data(), column), expected[column]) << lanes << " rows of " << width;
        }
    }
}

TEST(LinearTiling, GivesEveryOutputToOneGroup) {
    Draws draws;
    for (int i = 0; i < 300; ++i) {
        const int outputs = draws.between(1, 300);
        const int batch = draws.between(1, 20);
        const LinearTiling tiling = tile_linear(outputs, batch, draws.one_of({1, 24, 132}));
        std::vector<int> writes(static_cast<std::size_t>(outputs) * batch);
        for (int block = 0; block < tiling.blocks(); ++block) {
            std::map<int, int> lanes_of_group;
            for (int thread = 0; thread < linear_threads; ++thread) {
                const auto place = tiling.place(block, thread);
                EXPECT_EQ(place.lane, lanes_of_group[place.group]++);
                if (place.lane != 0) continue;
                for (int r = place.first_output; r < std::min(outputs, place.first_output + tiling.rows);
                     ++r) {
                    for (int n = place.first_image; n < std::min(batch, place.first_image + tiling.images);
                         ++n) {
                        ++writes[static_cast<std::size_t>(n) * outputs + r];
                    }
                }
            }
            EXPECT_EQ(static_cast<int>(lanes_of_group.size()), tiling.groups());
        }
        expect_all_once(writes, std::to_string(outputs) + " outputs, batch " + std::to_string(batch));
    }
}

TEST(PointwiseKernel, TakesEveryVectorOnce) {
    for (const int count : {1, 255, 256, 257, 1023, 1024, 1025, 5000}) {
        PointwiseKernel<float, 4, 4, false> kernel;
        kernel.params.count = count;
        std::vector<int> visits(static_cast<std::size_t>(count));
        for (int block = 0; block < kernel.blocks(); ++block) {
            for (int thread = 0; thread < kernel.threads(); ++thread) {
                for (int step = 0; step < 4; ++step) {
                    const std::int64_t i = kernel.index(block, thread, step);
                    if (i < count) ++visits[static_cast<std::size_t>(i)];
                }
            }
        }
        expect_all_once(visits, std::to_string(count) + " vectors");
    }
}

}  // namespace
}  // namespace hacscale::cuda
