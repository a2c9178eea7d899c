// Program: what all commands share while the command line is read, and the one that was chosen.
//
// Holds    Every command shows an example of itself in its help and takes --json.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/output.hpp"
#include "scale/client.hpp"
#include "scale/config.hpp"

namespace creto {

inline constexpr const char* version_number = "0.1.0";
inline constexpr const char* version_text = "creto 0.1.0";

/// What all commands share, and the one that was chosen.
struct Program {
    CLI::App app{
        "Creto: a network of AI agents that offer tools, call each other's tools, and agree on "
        "what\n"
        "happened although some of them lie, crash or are cut off."};
    Output output;
    std::string node;  ///< A folder, or an admin address.
    std::function<int()> chosen;

    /// The node to speak to: --node, else CRETO_NODE, else the folder "."
    [[nodiscard]] Result<Client> client() const {
        std::string where = node;
        if (where.empty()) {
            const char* given = std::getenv("CRETO_NODE");
            where = given == nullptr ? "." : given;
        }
        if (where.starts_with('/') && where.find("/tcp/") != std::string::npos)
            return Client{where};
        // Its settings would be the defaults, and the node another one.
        if (!std::filesystem::is_directory(where)) {
            return fail(
                ErrorCode::invalid,
                "\"" + where + "\" is neither a node's folder nor an admin address such as " +
                    Config{}.admin_listen
            );
        }
        auto config = load_config(where, {});
        if (!config) return tl::unexpected<Error>(config.error());
        return Client{config->admin_listen, config->admin_token};
    }
    template <class Work>
    [[nodiscard]] int with_node(const Work& work) const {
        auto found = client();
        if (!found) return output.fail(found.error(), exit_code::usage);
        return work(*found);
    }
};

/// Every command shows an example of itself in its help.
inline CLI::App* command(
    Program& p, CLI::App& parent, const char* name, const char* about, const std::string& example
) {
    CLI::App* sub = parent.add_subcommand(name, about);
    sub->footer("Example: creto " + example);
    sub->add_flag("--json", p.output.json, "Print exactly one JSON document on stdout");
    return sub;
}

inline CLI::App* node_command(
    Program& p, CLI::App& parent, const char* name, const char* about, const std::string& example
) {
    CLI::App* sub = command(p, parent, name, about, example);
    sub->add_option(
        "--node", p.node, "The node's folder or admin address (default: $CRETO_NODE, else .)"
    );
    return sub;
}

/// Each adds its commands to the program's.
void add_cluster(Program& p);
void add_state(Program& p);
void add_care(Program& p);

}  // namespace creto
