// A table's rows as Arrow reads them, without a library of Arrow's: its C data interface is three structs
// (https://arrow.apache.org/docs/format/CDataInterface.html), which a capsule hands over
// (https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html).
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "bindings/bindings.hpp"
#include "profiler/table/export.hpp"

// Names and order of members are the interface's.
struct ArrowSchema {
    const char* format;
    const char* name;
    const char* metadata;
    std::int64_t flags;
    std::int64_t n_children;
    ArrowSchema** children;
    ArrowSchema* dictionary;
    void (*release)(ArrowSchema*);
    void* private_data;
};

struct ArrowArray {
    std::int64_t length;
    std::int64_t null_count;
    std::int64_t offset;
    std::int64_t n_buffers;
    std::int64_t n_children;
    const void** buffers;
    ArrowArray** children;
    ArrowArray* dictionary;
    void (*release)(ArrowArray*);
    void* private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(ArrowArrayStream*, ArrowSchema*);
    int (*get_next)(ArrowArrayStream*, ArrowArray*);
    const char* (*get_last_error)(ArrowArrayStream*);
    void (*release)(ArrowArrayStream*);
    void* private_data;
};

namespace hacscale::python {

namespace {

constexpr std::int64_t nullable = 2;
constexpr const char* format_of_rows = "+s";
constexpr const char* format_of_text = "u";
constexpr const char* format_of_integer = "l";
constexpr const char* format_of_real = "g";

// What a schema or an array owns: its children and, of an array, the memory that its buffers point to.
template <typename Exported>
struct Owned {
    std::string name;
    std::vector<std::unique_ptr<Exported>> children;
    std::vector<Exported*> child_pointers;
    std::vector<std::uint8_t> validity;
    std::vector<std::int32_t> offsets;
    std::vector<std::int64_t> integers;
    std::vector<double> reals;
    std::string text;
    std::vector<const void*> buffers;
};

template <typename Exported>
void release(Exported* exported) {
    auto* const owned = static_cast<Owned<Exported>*>(exported->private_data);
    for (const auto& child : owned->children) {
        if (child->release != nullptr) child->release(child.get());
    }
    delete owned;
    exported->release = nullptr;
}

// Gives the struct what it owns.
template <typename Exported>
void hand_over(Exported& exported, std::unique_ptr<Owned<Exported>> owned) {
    for (const auto& child : owned->children) owned->child_pointers.push_back(child.get());
    exported.n_children = static_cast<std::int64_t>(owned->children.size());
    exported.children = owned->child_pointers.data();
    exported.release = &release<Exported>;
    exported.private_data = owned.release();
}

// Whole numbers among reals are reals; a column without any value has reals, as those have that may be absent.
const char* format_of(const ExportedColumn& column) {
    const auto any = [&](auto wanted) {
        using Value = decltype(wanted);
        return std::ranges::any_of(
            column.values, [](const ColumnValue& value) { return std::holds_alternative<Value>(value); });
    };
    if (any(std::string())) return format_of_text;
    return any(double()) || !any(std::int64_t()) ? format_of_real : format_of_integer;
}

void export_schema(const std::vector<ExportedColumn>& columns, ArrowSchema& schema) {
    auto rows = std::make_unique<Owned<ArrowSchema>>();
    for (const ExportedColumn& column : columns) {
        auto owned = std::make_unique<Owned<ArrowSchema>>();
        owned->name = column.name;
        auto child = std::make_unique<ArrowSchema>(ArrowSchema{});
        child->format = format_of(column);
        child->name = owned->name.c_str();
        child->flags = nullable;
        hand_over(*child, std::move(owned));
        rows->children.push_back(std::move(child));
    }
    schema = {};
    schema.format = format_of_rows;
    schema.name = "";
    hand_over(schema, std::move(rows));
}

double real_of(const ColumnValue& value) {
    if (const auto* const integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
    const auto* const real = std::get_if<double>(&value);
    return real == nullptr ? 0.0 : *real;
}

void export_column(const ExportedColumn& column, ArrowArray& array) {
    auto owned = std::make_unique<Owned<ArrowArray>>();
    const std::string_view format = format_of(column);
    owned->validity.resize((column.values.size() + 7) / 8);
    array = {};
    array.length = std::ssize(column.values);
    for (std::size_t i = 0; i < column.values.size(); ++i) {
        const bool absent = std::holds_alternative<std::monostate>(column.values[i]);
        array.null_count += absent ? 1 : 0;
        if (!absent) owned->validity[i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
    }
    owned->buffers.push_back(owned->validity.data());
    if (format == format_of_text) {
        owned->offsets.push_back(0);
        for (const ColumnValue& value : column.values) {
            if (const auto* const text = std::get_if<std::string>(&value)) owned->text += *text;
            if (owned->text.size() > std::numeric_limits<std::int32_t>::max()) {
                throw InputError("the column " + column.name +
                                 " has over 2 GiB of text; export the table to a file");
            }
            owned->offsets.push_back(static_cast<std::int32_t>(owned->text.size()));
        }
        owned->buffers.push_back(owned->offsets.data());
        owned->buffers.push_back(owned->text.data());
    } else if (format == format_of_integer) {
        for (const ColumnValue& value : column.values) {
            const auto* const integer = std::get_if<std::int64_t>(&value);
            owned->integers.push_back(integer == nullptr ? 0 : *integer);
        }
        owned->buffers.push_back(owned->integers.data());
    } else {
        for (const ColumnValue& value : column.values) owned->reals.push_back(real_of(value));
        owned->buffers.push_back(owned->reals.data());
    }
    array.n_buffers = std::ssize(owned->buffers);
    array.buffers = owned->buffers.data();
    hand_over(array, std::move(owned));
}

void export_rows(const std::vector<ExportedColumn>& columns, ArrowArray& array) {
    auto rows = std::make_unique<Owned<ArrowArray>>();
    for (const ExportedColumn& column : columns) {
        rows->children.push_back(std::make_unique<ArrowArray>(ArrowArray{}));
        export_column(column, *rows->children.back());
    }
    rows->buffers.push_back(nullptr);  // every row is there
    array = {};
    array.length = std::ssize(columns.front().values);
    array.n_buffers = 1;
    array.buffers = rows->buffers.data();
    hand_over(array, std::move(rows));
}

// All rows are one batch.
struct RowStream {
    std::vector<ExportedColumn> columns;
    bool done = false;
    std::string error;
};

RowStream& stream_of(ArrowArrayStream* stream) {
    return *static_cast<RowStream*>(stream->private_data);
}

// An exception cannot pass: it becomes an errno and a sentence.
template <typename Work>
int guarded(ArrowArrayStream* stream, Work&& work) {
    constexpr int out_of_memory = 12;
    try {
        work(stream_of(stream));
        return 0;
    } catch (const std::exception& error) {
        stream_of(stream).error = error.what();
        return out_of_memory;
    }
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* schema) {
    return guarded(stream, [&](RowStream& rows) { export_schema(rows.columns, *schema); });
}

int get_next(ArrowArrayStream* stream, ArrowArray* array) {
    return guarded(stream, [&](RowStream& rows) {
        *array = {};
        if (!std::exchange(rows.done, true)) export_rows(rows.columns, *array);
    });
}

const char* get_last_error(ArrowArrayStream* stream) {
    const RowStream& rows = stream_of(stream);
    return rows.error.empty() ? nullptr : rows.error.c_str();
}

void release_stream(ArrowArrayStream* stream) {
    delete static_cast<RowStream*>(stream->private_data);
    stream->release = nullptr;
}

// Of a capsule that nobody took the stream from, too.
void release_capsule(void* pointer) noexcept {
    auto* const stream = static_cast<ArrowArrayStream*>(pointer);
    if (stream->release != nullptr) stream->release(stream);
    delete stream;
}

}  // namespace

nb::capsule arrow_stream(const Table& table) {
    auto rows = std::make_unique<RowStream>(RowStream{exported_columns(table, {}), false, {}});
    auto stream = std::make_unique<ArrowArrayStream>(
        ArrowArrayStream{&get_schema, &get_next, &get_last_error, &release_stream, rows.get()});
    nb::capsule capsule(stream.get(), "arrow_array_stream", &release_capsule);
    (void)rows.release();
    (void)stream.release();
    return capsule;
}

}  // namespace hacscale::python
