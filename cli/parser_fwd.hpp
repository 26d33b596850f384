// The command line's parser, for headers that only name it: CLI11 has no header of declarations, and its own
// takes seconds to compile.
#pragma once

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
class FormatterBase;
class Option;
}  // namespace CLI
