// `creto init` and `creto run`: a node's folder, and a node in the foreground.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/output.hpp"

namespace creto {

struct InitOptions {
    std::filesystem::path dir;
    std::string name;
    std::filesystem::path genesis;  ///< Copied into the folder when given.
};
int command_init(const InitOptions& options, const Output& output);
int command_keygen(const std::filesystem::path& file, const Output& output);
int command_run(const std::filesystem::path& dir, const Output& output);
int command_config(const std::filesystem::path& dir, bool show, const Output& output);
int command_fsck(const std::filesystem::path& dir, const Output& output);

}  // namespace creto
