// Rows to and from the columns of the SQL tables `layer`, `measurement` and `kernel`.
#pragma once

#include <string>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "profiler/table/row.hpp"

namespace hacscale::detail {

// "l.key" followed by list_of_columns(), qualified for `layer` as l and `measurement` as m.
std::string selected_columns();
// The order of query(): by the layer's text key, then by the rest of the row's key.
constexpr std::string_view row_order = "l.key, m.batch, m.dtype, m.cache, m.footprint_bytes";

std::string insert_layer_sql();
std::string replace_row_sql();
// The kernels of one row; parameters are the row's key with the layer's id.
std::string delete_kernels_sql();
std::string insert_kernel_sql();
std::string select_kernels_sql();

void bind_layer(Statement& insert_layer, const LayerSpec& layer, std::string_view key);
// Conditions on `layer` as l that a layer's family meets, and their parameters from index + 1 on. Returns the index of
// the last one bound.
std::string family_condition();
int bind_family(Statement& select, int index, const LayerSpec& layer);
void bind_row(Statement& replace_row, std::int64_t layer_id, const Row& row);
// Returns the index of the last parameter bound.
int bind_key(Statement& statement, std::int64_t layer_id, const RowKey& key);
void bind_kernel(Statement& insert_kernel, std::int64_t layer_id, const RowKey& key, std::int64_t position,
                 const KernelLaunch& kernel);
KernelLaunch read_kernel(const Statement& select_kernels);

// Throws InputError for a batch that no row has.
int batch_in(std::int64_t batch);

// Reads rows whose columns are selected_columns(). Rows of one layer come one after another, so its key is parsed
// once.
class RowReader {
public:
    explicit RowReader(std::string file) : file_(std::move(file)) {}
    // Throws InputError naming the file where a text is none that a table has. The list of kernels stays
    // empty.
    Row read(const Statement& statement);
    static std::int64_t layer_id(const Statement& statement) { return statement.integer(1); }

private:
    std::string file_;
    std::string last_key_;
    LayerSpec last_layer_;
};

}  // namespace hacscale::detail
