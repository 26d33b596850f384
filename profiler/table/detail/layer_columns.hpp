// The columns of the SQL table `layer` behind its id and key, in one list: the parts of the key, for queries by shape.
// The schema with its upgrade, the codec, merge, the family query and the check go over it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "models/ops/layer_spec.hpp"

namespace hacscale::detail {

using LayerColumnValue = std::variant<std::int64_t, double, std::string_view>;

struct LayerColumn {
    std::string_view name;  // as SQL has it; never changed
    LayerColumnValue (*value)(const LayerSpec& layer);
    bool of_family = true;         // equal in all layers of a family (profiler/table/interpolation.hpp)
    int since = 1;                 // the first schema that has it
    std::string_view before = {};  // SQL of its value in earlier schemas
};

// In the order of the table.
std::span<const LayerColumn> layer_columns();

// "kind, activation, ...".
std::string list_of_layer_columns();
std::string create_layer_sql();
// Adds the columns that a table of an earlier schema lacks, with the values that its layers have.
std::string upgrade_layers_sql(std::int64_t version);
// A SELECT of id, key and all columns, whatever the schema of the file.
std::string select_layers(std::string_view database, std::int64_t version);

}  // namespace hacscale::detail
