// The words of `creto doctor`, `creto export` and `creto completion`.
#include "cli/completion.hpp"
#include "cli/doctor.hpp"
#include "cli/export.hpp"
#include "cli/program.hpp"

namespace creto {

namespace {

/// A folder: --node, else CRETO_NODE, else the folder "."
std::filesystem::path folder_of(const Program& p) {
    if (!p.node.empty()) return p.node;
    const char* given = std::getenv("CRETO_NODE");
    return given == nullptr ? "." : given;
}

void add_doctor(Program& p) {
    static std::filesystem::path dir;
    CLI::App* sub = command(
        p,
        p.app,
        "doctor",
        "What is wrong with a node and this machine, and what to do",
        "doctor alpha"
    );
    sub->add_option("DIR", dir, "The node's folder (default: $CRETO_NODE, else .)");
    sub->callback([&p] {
        p.chosen = [&p] { return command_doctor(dir.empty() ? folder_of(p) : dir, p.output); };
    });
}

void add_export(Program& p) {
    static ExportOptions options;
    CLI::App* sub = command(
        p,
        p.app,
        "export",
        "Write what is final to a file that can be checked offline",
        "export chain.json --from 1 --to 100 --node alpha"
    );
    sub->add_option("FILE", options.file, "The file to write");
    sub->add_option("--node", p.node, "The node's folder (default: $CRETO_NODE, else .)");
    sub->add_option("--from", options.from, "First height");
    sub->add_option("--to", options.to, "Last height")->default_str("all that is final");
    sub->add_option("--format", options.format, "json: one document; jsonl: a block on each line")
        ->check(CLI::IsMember({"json", "jsonl"}));

    static std::filesystem::path file;
    static std::filesystem::path genesis = "genesis.json";
    CLI::App* verify = command(
        p,
        *sub,
        "verify",
        "Check an export with nothing but the genesis",
        "export verify chain.json --genesis alpha/genesis.json"
    );
    verify->add_option("FILE", file, "What `creto export` wrote")->required();
    verify->add_option("--genesis", genesis, "The network's genesis.json");
    verify->callback([&p] {
        p.chosen = [&p] { return command_export_verify(file, genesis, p.output); };
    });
    sub->callback([&p, sub] {
        if (!sub->get_subcommands().empty()) return;
        if (options.file.empty()) throw CLI::RequiredError("FILE");
        p.chosen = [&p] {
            options.dir = folder_of(p);
            return command_export(options, p.output);
        };
    });
}

void add_completion(Program& p) {
    static std::string shell;
    CLI::App* sub = command(
        p,
        p.app,
        "completion",
        "Print the script that lets a shell complete creto's words",
        "completion bash > ~/.local/share/bash-completion/completions/creto"
    );
    sub->add_option("SHELL", shell, "Which shell")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    sub->callback([&p] {
        p.chosen = [&p] {
            auto script = completion_script(shell);
            if (!script) return p.output.fail(script.error(), exit_code::usage);
            p.output.say({{"ok", true}, {"shell", shell}, {"script", *script}}, *script);
            return exit_code::done;
        };
    });
}

}  // namespace

void add_care(Program& p) {
    add_doctor(p);
    add_export(p);
    add_completion(p);
}

}  // namespace creto
