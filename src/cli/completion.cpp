#include "cli/completion.hpp"

#include <algorithm>
#include <sstream>

#include "scale/nearest.hpp"

namespace creto {

namespace {

/// Those that help shows: what has no group is not for people.
std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    std::vector<const CLI::App*> out;
    for (const CLI::App* sub : app.get_subcommands({})) {
        if (!sub->get_group().empty()) out.push_back(sub);
    }
    return out;
}

std::vector<std::string> names_of(const CLI::App& app) {
    std::vector<std::string> out;
    for (const CLI::App* sub : commands_of(app))
        out.push_back(sub->get_name());
    return out;
}

std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> out;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames())
            out.push_back("--" + name);
        for (const std::string& name : option->get_snames())
            out.push_back("-" + name);
    }
    return out;
}

const CLI::Option* option_named(const CLI::App& app, const std::string& word) {
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_positional() && option->check_name(word)) return option;
    }
    return nullptr;
}

bool takes_value(const CLI::Option* option) {
    return option != nullptr && option->get_items_expected_max() > 0;
}

/// The words of "TEXT:{byzantine,crash}", as CLI11 describes a choice.
std::vector<std::string> values_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t open = type.find('{');
    const std::size_t close = type.find('}', open);
    std::vector<std::string> out;
    if (open == std::string::npos || close == std::string::npos) return out;
    std::stringstream in{type.substr(open + 1, close - open - 1)};
    for (std::string value; std::getline(in, value, ',');)
        out.push_back(value);
    return out;
}

bool has_positional(const CLI::App& app) {
    const std::vector<const CLI::Option*> options = app.get_options();
    return std::any_of(options.begin(), options.end(), [](const CLI::Option* option) {
        return option->get_positional();
    });
}

/// The command that the words name, and the first word that is none of its subcommands.
struct WordPlace {
    const CLI::App* command;
    std::string unknown;
    std::string path;  ///< "creto state get"
};

WordPlace place_of(const CLI::App& app, const std::vector<std::string>& words) {
    WordPlace place{&app, "", "creto"};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word.rfind('-', 0) == 0) {
            const CLI::Option* option = option_named(*place.command, word);
            // Every command that does something takes --json: where one is missing, that is what is wrong.
            const bool is_known =
                option != nullptr || word == "--json" || word.find('=') != std::string::npos;
            if (!is_known && place.unknown.empty()) place.unknown = word;
            if (takes_value(option)) ++i;
            continue;
        }
        const std::vector<const CLI::App*> commands = commands_of(*place.command);
        const auto next = std::find_if(commands.begin(), commands.end(), [&](const CLI::App* sub) {
            return sub->get_name() == word;
        });
        if (next != commands.end()) {
            place.command = *next;
            place.path += " " + word;
        } else if (!commands.empty() && !has_positional(*place.command) && place.unknown.empty()) {
            place.unknown = word;
        }
    }
    return place;
}

}  // namespace

std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words) {
    const std::string begun = words.empty() ? "" : words.back();
    std::vector<std::string> before = words;
    if (!before.empty()) before.pop_back();
    const std::string previous = before.empty() ? "" : before.back();
    const CLI::App& command = *place_of(app, before).command;
    std::vector<std::string> candidates;
    const CLI::Option* option = option_named(command, previous);
    if (previous.rfind('-', 0) == 0 && takes_value(option)) {
        candidates = values_of(*option);
    } else if (begun.rfind('-', 0) == 0) {
        candidates = options_of(command);
    } else {
        candidates = names_of(command);
        for (const CLI::Option* positional : command.get_options()) {
            if (!positional->get_positional()) continue;
            for (std::string& value : values_of(*positional))
                candidates.push_back(std::move(value));
        }
    }
    std::erase_if(candidates, [&](const std::string& word) { return word.rfind(begun, 0) != 0; });
    std::sort(candidates.begin(), candidates.end());
    return candidates;
}

Result<std::string> completion_script(const std::string& shell) {
    if (shell == "bash") {
        return std::string{
            R"(# creto completion bash: source this, or put it into /etc/bash_completion.d/creto
_creto() {
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _creto creto
)"};
    }
    if (shell == "zsh") {
        return std::string{R"(#compdef creto
# creto completion zsh: put this into a folder of $fpath as _creto, or source it
_creto() {
    local -a found
    found=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
}
if [[ "$funcstack[1]" == _creto ]]; then _creto "$@"; else compdef _creto creto; fi
)"};
    }
    if (shell == "fish") {
        return std::string{
            R"(# creto completion fish: put this into ~/.config/fish/completions/creto.fish
complete -c creto -a '(creto complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
)"};
    }
    return fail(ErrorCode::invalid, "there is no completion for \"" + shell + "\"");
}

std::string usage_message(
    const CLI::App& app, const std::vector<std::string>& words, const std::string& wrong
) {
    const WordPlace place = place_of(app, words);
    const bool is_option = !place.unknown.empty() && place.unknown.front() == '-';
    std::string out = wrong;
    if (!place.unknown.empty()) {
        out = place.path + " has no " + (is_option ? "option" : "command") + " \"" + place.unknown +
              "\"";
        const auto meant = nearest(
            place.unknown,
            is_option ? options_of(*place.command) : names_of(*place.command),
            is_option ? 3 : 2
        );
        if (meant) out += "; did you mean \"" + *meant + "\"?";
    }
    return out + (out.back() == '?' ? " See `" : "; see `") + place.path + " --help`";
}

}  // namespace creto
